/* SPDX-License-Identifier: MIT */
/*
 * What the primitives cost, in ns, each as one line "name value".
 *
 * Only through the public interface, on the backend that is linked; with a
 * name as argument, only that one, for a profiler. Each figure is the lower
 * quartile of several short runs, in processor time: a run in which the machine
 * did something else does not count.
 */
#include <sill/sill.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { RUNS = 12, MANY = 1000 };

#define RUN_TIME 1e7 /* ns */

/* Does (count) of something; returns below 0 on failure. */
typedef int measured(long count);

static bool failed;
static const char *only; /* the one to measure; NULL: all */

static void check(int rc)
{
    if (rc < 0)
        failed = true;
}

static double processor_time(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double once(measured *fn, long count)
{
    double begin = processor_time();
    check(fn(count));
    return (processor_time() - begin) / (double)count;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* (fn) does (each) of something for each of its count. */
static void measure(const char *name, measured *fn, long each)
{
    double ns[RUNS];
    long count = 500;

    if (only && strcmp(only, name) != 0)
        return;
    while (once(fn, count) * (double)count < RUN_TIME / 4)
        count *= 2;
    for (int i = 0; i < RUNS; i++)
        ns[i] = once(fn, 4 * count);
    qsort(ns, RUNS, sizeof ns[0], by_value);
    printf("%s %.2f\n", name, ns[RUNS / 4] / (double)each);
    fflush(stdout);
}

static int yield_alone(long count)
{
    int rc = 0;
    for (long i = 0; i < count && rc == 0; i++)
        rc = sill_yield();
    return rc;
}

static int yielder(void *arg)
{
    return yield_alone(*(long *)arg);
}

/* Yields (count) times in all, by (n) tasks in turn. */
static int yield_among(int n, long count)
{
    static struct sill_task *tasks[MANY];
    long each = count / n;
    int rc = 0, spawned = 0;

    while (spawned < n && rc == 0) {
        rc = sill_spawn(yielder, &each, &tasks[spawned]);
        if (rc == 0)
            spawned++;
    }
    for (int i = 0; i < spawned; i++)
        check(sill_await(tasks[i], NULL, SILL_NEVER));
    return rc;
}

static int yield_pair(long count)
{
    return yield_among(2, count);
}

/* So many yields for each of (count) that the spawns do not count. */
static int yield_many(long count)
{
    return yield_among(MANY, count * MANY);
}

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

static int spawn_await(long count)
{
    for (long i = 0; i < count; i++) {
        struct sill_task *task;
        int rc = sill_spawn(nothing, NULL, &task);
        if (rc < 0 || (rc = sill_await(task, NULL, SILL_NEVER)) < 0)
            return rc;
    }
    return 0;
}

struct table {
    struct sill_trigger serve, back;
    sill_time deadline;
    long count;
};

/* Two players with the same code, as two connections of a server are. */
struct player {
    struct table *table;
    struct sill_trigger *mine, *theirs;
};

static int play(void *arg)
{
    struct player *p = arg;

    for (long i = 0; i < p->table->count; i++) {
        int rc = sill_suspend(p->mine, p->table->deadline);
        if (rc < 0)
            return rc;
        sill_trigger_init(p->mine, NULL, NULL);
        sill_resume(p->theirs, 0);
    }
    return 0;
}

static int match(struct table *t)
{
    struct player a = {t, &t->serve, &t->back}, b = {t, &t->back, &t->serve};
    struct sill_task *first, *second;
    int rc = sill_spawn(play, &a, &first);

    if (rc < 0)
        return rc;
    sill_resume(&t->serve, 0);
    rc = sill_spawn(play, &b, &second);
    if (rc < 0) {
        sill_cancel(first, SILL_NEVER);
        return rc;
    }
    check(sill_await(first, NULL, SILL_NEVER));
    return sill_await(second, NULL, SILL_NEVER);
}

static int round_trip(long count)
{
    struct table t = {SILL_TRIGGER_INIT, SILL_TRIGGER_INIT, SILL_NEVER, count};
    return match(&t);
}

/* A deadline on each wait that never comes, as a server has. */
static int round_trip_deadline(long count)
{
    struct table t = {SILL_TRIGGER_INIT, SILL_TRIGGER_INIT,
                      sill_after(SILL_MINUTE), count};
    return match(&t);
}

static int opponent(void *arg)
{
    struct table *t = arg;

    for (long i = 0; i < t->count; i++) {
        int rc = sill_suspend(&t->serve, t->deadline);
        if (rc < 0)
            return rc;
        sill_trigger_init(&t->serve, NULL, NULL);
        sill_resume(&t->back, 0);
    }
    return 0;
}

/* Between two pieces of code, whose returns the processor mispredicts. */
static int round_trip_unlike(long count)
{
    struct table t = {SILL_TRIGGER_INIT, SILL_TRIGGER_INIT, SILL_NEVER, count};
    struct sill_task *task;
    int rc = sill_spawn(opponent, &t, &task);

    if (rc < 0)
        return rc;
    for (long i = 0; i < count; i++) {
        sill_resume(&t.serve, 0);
        check(sill_suspend(&t.back, SILL_NEVER));
        sill_trigger_init(&t.back, NULL, NULL);
    }
    return sill_await(task, NULL, SILL_NEVER);
}

static int resumer(void *arg)
{
    struct table *t = arg;

    for (long i = 0; i < t->count; i++) {
        sill_resume(&t->back, 0);
        check(sill_yield());
    }
    return 0;
}

/* A new deadline, read from the clock, for each wait; each is dropped. */
static int sleep_dropped(long count)
{
    struct table t = {SILL_TRIGGER_INIT, SILL_TRIGGER_INIT, 0, count};
    struct sill_task *task;
    int rc = sill_spawn(resumer, &t, &task);

    if (rc < 0)
        return rc;
    for (long i = 0; i < count; i++) {
        check(sill_suspend(&t.back, sill_after(SILL_SECOND)));
        sill_trigger_init(&t.back, NULL, NULL);
    }
    return sill_await(task, NULL, SILL_NEVER);
}

static int all(void *arg)
{
    (void)arg;
    measure("yield", yield_pair, 1);
    measure("yield_alone", yield_alone, 1);
    measure("yield_1000", yield_many, MANY);
    measure("spawn_await", spawn_await, 1);
    measure("round_trip", round_trip, 1);
    measure("round_trip_unlike", round_trip_unlike, 1);
    measure("round_trip_deadline", round_trip_deadline, 1);
    measure("sleep_dropped", sleep_dropped, 1);
    return failed ? SILL_EIO : 0;
}

int main(int argc, char **argv)
{
    only = argc > 1 ? argv[1] : NULL;

    int rc = sill_run(all, NULL);
    if (rc < 0)
        fprintf(stderr, "micro: %s\n", sill_strerror(rc));
    return rc < 0;
}
