/* SPDX-License-Identifier: MIT */
/*
 * The primitives, through the public interface alone, in loops that add as
 * little as they can.
 */
#include "primitives.h"

#include <sill/sill.h>

#include <stddef.h>
#include <sys/socket.h>

enum { MANY = 1000, MESSAGE = 64 };

static void keep_first(int *rc, int next)
{
    if (*rc == 0)
        *rc = next;
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
        keep_first(&rc, sill_await(tasks[i], NULL, SILL_NEVER));
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

static int spawn_scope(long count)
{
    struct sill_scope scope;
    int rc = 0;

    sill_scope_init(&scope, SILL_SCOPE_COLLECT);
    for (long i = 0; i < count && rc == 0; i++) {
        rc = sill_scope_spawn(&scope, nothing, NULL);
        if (rc == 0)
            rc = sill_scope_next(&scope, NULL, SILL_NEVER);
    }
    sill_scope_drain(&scope, SILL_PAST, SILL_NEVER);
    sill_scope_fini(&scope);
    return rc;
}

static int sleeper(void *arg)
{
    (void)arg;
    return sill_sleep(sill_after(SILL_MINUTE));
}

/* From its birth to its end; it sleeps when it is cancelled. */
static int spawn_cancel(long count)
{
    int rc = 0;

    for (long i = 0; i < count && rc == 0; i++) {
        struct sill_task *task;
        rc = sill_spawn(sleeper, NULL, &task);
        if (rc == 0)
            rc = sill_yield();
        if (rc == 0)
            rc = sill_cancel(task, SILL_NEVER);
    }
    return rc;
}

/* A resume that comes before the suspend. */
static int resume_first(long count)
{
    struct sill_trigger trigger;
    int rc = 0;

    for (long i = 0; i < count && rc == 0; i++) {
        sill_trigger_init(&trigger, NULL, NULL);
        sill_resume(&trigger, 0);
        rc = sill_suspend(&trigger, SILL_NEVER);
    }
    return rc;
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
    rc = sill_await(first, NULL, SILL_NEVER);
    keep_first(&rc, sill_await(second, NULL, SILL_NEVER));
    return rc;
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
        keep_first(&rc, sill_suspend(&t.back, SILL_NEVER));
        sill_trigger_init(&t.back, NULL, NULL);
    }
    keep_first(&rc, sill_await(task, NULL, SILL_NEVER));
    return rc;
}

static int resumer(void *arg)
{
    struct table *t = arg;
    int rc = 0;

    for (long i = 0; i < t->count && rc == 0; i++) {
        sill_resume(&t->back, 0);
        rc = sill_yield();
    }
    return rc;
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
        keep_first(&rc, sill_suspend(&t.back, sill_after(SILL_SECOND)));
        sill_trigger_init(&t.back, NULL, NULL);
    }
    keep_first(&rc, sill_await(task, NULL, SILL_NEVER));
    return rc;
}

static int forbid_permit(long count)
{
    for (long i = 0; i < count; i++) {
        sill_forbid();
        sill_permit();
    }
    return 0;
}

/* Writes a message to one end and reads it from the other: nobody waits. */
static int pass(struct sill_stream ends[2], long count)
{
    char message[MESSAGE] = {0};
    int rc = 0;

    for (long i = 0; i < count && rc == 0; i++) {
        rc =
            sill_stream_write_all(&ends[0], message, MESSAGE, NULL, SILL_NEVER);
        if (rc == 0)
            rc = sill_stream_read_full(&ends[1], message, MESSAGE, NULL,
                                       SILL_NEVER);
    }
    sill_stream_close(&ends[0]);
    sill_stream_close(&ends[1]);
    return rc;
}

static int pair_ready(long count)
{
    struct sill_stream ends[2];
    int rc = sill_stream_pair(&ends[0], &ends[1], 2 * (size_t)MESSAGE);

    return rc < 0 ? rc : pass(ends, count);
}

static int open_sockets(struct sill_stream ends[2])
{
    int fds[2];

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0)
        return SILL_EMFILE;
    for (int i = 0; i < 2; i++) {
        int rc = sill_stream_adopt(&ends[i], fds[i]);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int socket_ready(long count)
{
    struct sill_stream ends[2];
    int rc = open_sockets(ends);

    return rc < 0 ? rc : pass(ends, count);
}

struct echo {
    struct sill_stream *stream;
    sill_time deadline;
};

static int echo(void *arg)
{
    struct echo *e = arg;
    char message[MESSAGE];
    ssize_t got;
    int rc = 0;

    while (rc == 0 && (got = sill_stream_read(e->stream, message, MESSAGE,
                                              e->deadline)) > 0)
        rc = sill_stream_write_all(e->stream, message, (size_t)got, NULL,
                                   e->deadline);
    return rc;
}

/* A message there and back between two tasks: one waits while one works. */
static int ask(struct sill_stream ends[2], long count)
{
    struct echo e = {&ends[1], sill_after(SILL_MINUTE)};
    char message[MESSAGE] = {0};
    struct sill_task *task;
    int rc = sill_spawn(echo, &e, &task);

    if (rc < 0)
        return rc;
    for (long i = 0; i < count && rc == 0; i++) {
        rc =
            sill_stream_write_all(&ends[0], message, MESSAGE, NULL, e.deadline);
        if (rc == 0)
            rc = sill_stream_read_full(&ends[0], message, MESSAGE, NULL,
                                       e.deadline);
    }
    sill_stream_close(&ends[0]);
    keep_first(&rc, sill_await(task, NULL, SILL_NEVER));
    sill_stream_close(&ends[1]);
    return rc;
}

static int pair_echo(long count)
{
    struct sill_stream ends[2];
    int rc = sill_stream_pair(&ends[0], &ends[1], 2 * (size_t)MESSAGE);

    return rc < 0 ? rc : ask(ends, count);
}

static int socket_echo(long count)
{
    struct sill_stream ends[2];
    int rc = open_sockets(ends);

    return rc < 0 ? rc : ask(ends, count);
}

const struct primitive primitives[] = {
    {"yield", yield_pair, 1},
    {"yield_alone", yield_alone, 1},
    {"yield_1000", yield_many, MANY},
    {"spawn_await", spawn_await, 1},
    {"spawn_scope", spawn_scope, 1},
    {"spawn_cancel", spawn_cancel, 1},
    {"resume_first", resume_first, 1},
    {"round_trip", round_trip, 1},
    {"round_trip_unlike", round_trip_unlike, 1},
    {"round_trip_deadline", round_trip_deadline, 1},
    {"sleep_dropped", sleep_dropped, 1},
    {"forbid_permit", forbid_permit, 1},
    {"pair_ready", pair_ready, 1},
    {"pair_echo", pair_echo, 1},
    {"socket_ready", socket_ready, 1},
    {"socket_echo", socket_echo, 1},
    {NULL, NULL, 0},
};
