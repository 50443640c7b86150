/* SPDX-License-Identifier: MIT */
/*
 * A hundred thousand sleepers, as one line "name value" for each figure.
 *
 * First each sleeps once, to an instant of its own within a second that begins
 * when all are asleep: how late they wake, whether any is early, and what all
 * of it takes, the spawns included. Then they sleep for long, and one is
 * cancelled: one that has just fallen asleep, and one that nobody has touched
 * for long.
 */
#include <sill/sill.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { SLEEPERS = 100000, CANCELS = 1000 };

static sill_duration late[SLEEPERS];
static struct sill_task *tasks[SLEEPERS + CANCELS];
static sill_time first; /* instant at which one may be due */
static uint32_t seed = 1;

static uint32_t draw(uint32_t below)
{
    seed = seed * 1664525 + 1013904223;
    return (uint32_t)((uint64_t)seed * below >> 32);
}

static double time_of(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int by_length(const void *a, const void *b)
{
    sill_duration x = *(const sill_duration *)a, y = *(const sill_duration *)b;
    return (x > y) - (x < y);
}

static double us_late(long rank)
{
    return (double)late[rank] / 1e3;
}

static int sleep_once(void *arg)
{
    sill_time deadline = first + draw(SILL_SECOND);
    int rc = sill_sleep(deadline);

    *(sill_duration *)arg = sill_now() - deadline;
    return rc;
}

static int sleep_long(void *arg)
{
    (void)arg;
    return sill_sleep(sill_after(SILL_MINUTE + draw(SILL_SECOND)));
}

static int spawn_some(long from, long count, sill_task_fn *fn)
{
    int rc = 0;

    for (long i = from; i < from + count && rc == 0; i++)
        rc = sill_spawn(fn, &late[i % SLEEPERS], &tasks[i]);
    return rc < 0 ? rc : sill_yield();
}

static int wake_all(void)
{
    double begin = time_of(CLOCK_PROCESS_CPUTIME_ID);
    first = sill_after(2 * SILL_SECOND);
    int rc = spawn_some(0, SLEEPERS, sleep_once), early = 0;

    for (long i = 0; i < SLEEPERS && rc == 0; i++)
        rc = sill_await(tasks[i], NULL, SILL_NEVER);
    double all = time_of(CLOCK_PROCESS_CPUTIME_ID) - begin;
    qsort(late, SLEEPERS, sizeof late[0], by_length);
    for (long i = 0; i < SLEEPERS; i++)
        early += late[i] < 0;
    printf("early %d\n", early);
    printf("late_p50_us %.1f\n", us_late(SLEEPERS / 2));
    printf("late_p99_us %.1f\n", us_late(SLEEPERS / 100 * 99));
    printf("cpu_ms %.1f\n", all / 1e6);
    return rc;
}

/* Cancels (count) of the tasks, and prints the time of each. */
static int cancel_some(const char *name, long from, long count)
{
    double begin = time_of(CLOCK_THREAD_CPUTIME_ID);
    int rc = 0;

    for (long i = from; i < from + count && rc == 0; i++)
        rc = sill_cancel(tasks[i], SILL_NEVER);
    printf("%s %.1f\n", name,
           (time_of(CLOCK_THREAD_CPUTIME_ID) - begin) / (double)count);
    return rc;
}

static void shuffle(void)
{
    for (uint32_t i = SLEEPERS - 1; i > 0; i--) {
        uint32_t j = draw(i + 1);
        struct sill_task *task = tasks[i];
        tasks[i] = tasks[j];
        tasks[j] = task;
    }
}

static int all(void *arg)
{
    (void)arg;
    int rc = wake_all();
    if (rc == 0)
        rc = spawn_some(0, SLEEPERS, sleep_long);
    if (rc == 0)
        rc = spawn_some(SLEEPERS, CANCELS, sleep_long);
    if (rc == 0)
        rc = cancel_some("cancel_fresh", SLEEPERS, CANCELS);
    shuffle();
    return rc < 0 ? rc : cancel_some("cancel_cold", 0, SLEEPERS);
}

int main(void)
{
    int rc = sill_run(all, NULL);

    if (rc < 0)
        fprintf(stderr, "sleepers: %s\n", sill_strerror(rc));
    return rc < 0;
}
