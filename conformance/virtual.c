/* SPDX-License-Identifier: MIT */
/*
 * Group V: what virtual time makes exact and a seed repeatable; and the rules
 * of other groups that only a clock which waits for all can check.
 */
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- what happened, as text ---- */

struct transcript {
    char text[4096];
    size_t used;
    sill_time begin;
};

static void tell(struct transcript *t, int what, int how)
{
    int n = snprintf(t->text + t->used, sizeof(t->text) - t->used, "%c%d@%lld ",
                     what, how, (long long)(sill_now() - t->begin));

    ck_assert_int_gt(n, 0);
    t->used += (size_t)n;
    ck_assert_uint_lt(t->used, sizeof(t->text));
}

/* ---- D-14: the clock jumps ---- */

enum { SLEEPERS = 3600 };

static struct {
    sill_time begin;
    unsigned woken[SLEEPERS], count;
} hour;

static int sleep_seconds(void *arg)
{
    unsigned n = (unsigned)(intptr_t)arg;
    sill_time until = hour.begin + n * SILL_SECOND;

    ck_assert_int_eq(sill_sleep(until), 0);
    ck_assert_int_eq(sill_now(), until);
    hour.woken[hour.count++] = n;
    return 0;
}

/* D-14: "an hour of sleeping takes under a second", or the case is late, "in
 * exact order". */
SILL_CASE(D, 14, an_hour_of_sleeping_passes_at_once_in_exact_order, virtual)
{
    struct sill_scope scope;

    hour.begin = sill_now();
    sill_scope_init(&scope, SILL_SCOPE_COLLECT);
    for (unsigned i = 0; i < SLEEPERS; i++)
        ck_assert_int_eq(
            sill_scope_spawn(&scope, sleep_seconds,
                             suite_number(1 + i * 1237 % SLEEPERS)),
            0);
    ck_assert_int_eq(sill_scope_wait(&scope, SILL_NEVER), 0);
    sill_scope_fini(&scope);
    ck_assert_int_eq(sill_now(), hour.begin + SLEEPERS * SILL_SECOND);
    for (unsigned i = 0; i < SLEEPERS; i++)
        ck_assert_uint_eq(hour.woken[i], i + 1);
}

static int keep_running(void *arg)
{
    sill_time begin = sill_now();

    (void)arg;
    for (int i = 0; i < 5000; i++) {
        ck_assert_int_eq(sill_yield(), 0);
        ck_assert_int_eq(sill_now(), begin);
    }
    return 0;
}

/* D-14: time moves only when all wait. */
SILL_CASE(D, 14, time_stands_still_while_a_task_runs, virtual)
{
    struct sill_task *busy = suite_spawn(keep_running, NULL);

    ck_assert_int_eq(sill_sleep(sill_after(1)), 0);
    ck_assert_int_eq(sill_await(busy, NULL, SILL_PAST), 0);
}

/* D-02, exact: no wait with a deadline is late, by however little. */
SILL_CASE(D, 02, no_deadline_is_late_where_time_is_virtual, virtual)
{
    struct sill_trigger trigger = SILL_TRIGGER_INIT;
    struct suite_pair pair;
    char byte;

    suite_pair_open(&pair, SUITE_TCP);
    for (sill_duration length = 1; length < SILL_MINUTE; length = length * 7) {
        sill_time deadline = sill_after(length);

        ck_assert_int_eq(sill_suspend(&trigger, deadline), SILL_ETIMEDOUT);
        ck_assert_int_eq(sill_now(), deadline);
        deadline = sill_after(length);
        ck_assert_int_eq(sill_stream_read(&pair.a, &byte, 1, deadline),
                         SILL_ETIMEDOUT);
        ck_assert_int_eq(sill_now(), deadline);
    }
    suite_pair_close(&pair);
}

/* ---- V-01, V-02: what a number decides ---- */

enum { WALKERS = 6, STEPS = 4 };

struct walker {
    struct transcript *transcript;
    struct sill_stream *stream;
    int name;
};

/* Sleeps, yields and talks, some of it at the same instants as the others. */
static int walk(void *arg)
{
    struct walker *self = arg;
    char byte;

    for (int i = 0; i < STEPS; i++) {
        tell(self->transcript, self->name, i);
        (void)sill_yield();
        tell(self->transcript, self->name, i);
        if (sill_sleep(sill_after((i + 1) * SILL_MILLISECOND)) < 0)
            return SILL_EIO;
    }
    if (sill_stream_write(self->stream, "x", 1, SILL_NEVER) != 1)
        return SILL_EIO;
    tell(self->transcript, self->name, STEPS);
    return sill_stream_read(self->stream, &byte, 1, SILL_NEVER) == 1 ? 0
                                                                     : SILL_EIO;
}

static int walk_all(void *arg)
{
    struct transcript *transcript = arg;
    struct walker walkers[WALKERS];
    struct sill_task *tasks[WALKERS];
    struct suite_pair pairs[WALKERS / 2];

    transcript->begin = sill_now();
    for (int i = 0; i < WALKERS; i++) {
        if (i % 2 == 0)
            suite_pair_open(&pairs[i / 2], (enum suite_kind)(i / 2));
        walkers[i] = (struct walker){
            transcript, i % 2 ? &pairs[i / 2].a : &pairs[i / 2].b, 'a' + i};
        tasks[i] = suite_spawn(walk, &walkers[i]);
    }
    for (int i = 0; i < WALKERS; i++) {
        ck_assert_int_eq(suite_await(tasks[i]), 0);
        tell(transcript, 'A' + i, 0);
    }
    for (int i = 0; i < WALKERS / 2; i++)
        suite_pair_close(&pairs[i]);
    return 0;
}

static void run_shuffled(struct transcript *transcript, uint64_t number)
{
    struct sill_run_options options = {.shuffle = number};

    *transcript = (struct transcript){0};
    ck_assert_int_eq(sill_run_with(&options, walk_all, transcript), 0);
}

/* V-01: the same number, the same run, instant for instant. */
SILL_CASE_OUTSIDE(V, 01, same_number_gives_the_same_run)
{
    static struct transcript first, second;

    for (uint64_t number = 1; number <= 20; number++) {
        suite_note("number %d", (int)number);
        run_shuffled(&first, number);
        run_shuffled(&second, number);
        ck_assert_str_eq(first.text, second.text);
    }
}

/* V-02: another number, another interleaving, but for a few. */
SILL_CASE_OUTSIDE(V, 02, other_numbers_give_other_interleavings)
{
    static struct transcript runs[100];
    int distinct = 0;

    for (int i = 0; i < 100; i++) {
        bool is_new = true;

        run_shuffled(&runs[i], (uint64_t)i + 1);
        for (int j = 0; j < i; j++)
            is_new &= strcmp(runs[i].text, runs[j].text) != 0;
        distinct += is_new;
    }
    ck_assert_int_gt(distinct, 90);
}

/* ---- V-03, Q-06: deadlocks ---- */

struct deadlock {
    struct sill_stream a, b;
    sill_duration after;
    sill_duration took; /* until it was found */
};

static int read_in_vain(void *arg)
{
    struct deadlock *self = arg;
    sill_time begin = sill_now();
    char byte;

    sill_task_set_name("patience");

    ssize_t n = sill_stream_read(&self->a, &byte, 1, SILL_NEVER);

    self->took = sill_now() - begin;
    return n == SILL_ECANCELED ? 0 : SILL_EIO;
}

static int wait_in_vain(void *arg)
{
    struct deadlock *self = arg;
    struct sill_task *reader;
    int rc = sill_stream_pair(&self->a, &self->b, 10);

    if (rc < 0)
        return rc;
    reader = suite_spawn(read_in_vain, self);
    if (self->after > 0)
        rc = sill_sleep(sill_after(self->after));
    if (rc == 0)
        rc = sill_await(reader, NULL, SILL_NEVER);
    sill_stream_close(&self->a);
    sill_stream_close(&self->b);
    return rc;
}

static void check_deadlock(sill_duration after)
{
    struct deadlock deadlock = {.after = after, .took = -1};

    suite_log_clear();
    ck_assert_int_eq(sill_run(wait_in_vain, &deadlock), SILL_EDEADLK);
    ck_assert_int_eq(deadlock.took, after);
    ck_assert(suite_log_has("patience"));
    ck_assert(suite_log_has("virtual.c:"));
}

/* V-03: a deadlock is found at once, and reported with the task tree. */
SILL_CASE_OUTSIDE(V, 03, deadlock_is_found_at_once_and_reported)
{
    check_deadlock(0);
}

/* and not before the last deadline, however far, nor after it. */
SILL_CASE_OUTSIDE(Q, 06, deadlock_is_found_when_the_last_deadline_ends, virtual)
{
    check_deadlock(1);
    check_deadlock(24 * 60 * SILL_MINUTE);
}

/* ---- V-01, V-04: what a seed decides ---- */

enum { CALLS = 20, BYTES = 3000, SEEDS = 50 };

static int echo(void *arg)
{
    struct sill_stream *stream = arg;
    char bytes[512];
    ssize_t n;

    while ((n = sill_stream_read(stream, bytes, sizeof(bytes), SILL_NEVER)) > 0)
        if (sill_stream_write_all(stream, bytes, (size_t)n, NULL, SILL_NEVER) <
            0)
            break;
    sill_stream_close(stream);
    free(stream);
    return 0;
}

static int serve(void *arg)
{
    struct sill_scope scope;
    int rc = 0;

    sill_scope_init(&scope, SILL_SCOPE_COLLECT);
    while (rc == 0) {
        struct sill_stream *stream = malloc(sizeof(*stream));

        rc = sill_listener_accept(arg, stream, SILL_NEVER);
        if (rc == 0)
            rc = sill_scope_spawn(&scope, echo, stream);
        else
            free(stream);
    }
    sill_forbid();
    rc = sill_scope_drain(&scope, SILL_PAST, SILL_NEVER);
    sill_permit();
    sill_scope_fini(&scope);
    return rc;
}

static int call(const struct sill_address *address)
{
    static char bytes[BYTES];
    sill_time deadline = sill_after(SILL_SECOND);
    struct sill_stream stream;
    int rc = sill_stream_connect(&stream, address, NULL, deadline);

    if (rc < 0)
        return rc;
    memset(bytes, 'x', sizeof(bytes));
    rc = sill_stream_write_all(&stream, bytes, BYTES, NULL, deadline);
    if (rc == 0)
        rc = sill_stream_read_full(&stream, bytes, BYTES, NULL, deadline);
    sill_stream_close(&stream);
    return rc;
}

static int call_often(void *arg)
{
    struct transcript *transcript = arg;
    struct sill_listener listener;
    struct sill_address address;

    transcript->begin = sill_now();
    suite_listen(&listener, &address);

    struct sill_task *server = suite_spawn(serve, &listener);

    for (int i = 0; i < CALLS; i++)
        tell(transcript, 'r', call(&address));
    suite_cancel(server);
    sill_listener_close(&listener);
    return 0;
}

static uint64_t run_seeded(struct transcript *transcript, uint64_t seed)
{
    uint64_t hash = 0;

    *transcript = (struct transcript){0};
    ck_assert_int_eq(
        sill_conformance_params.run_seeded(seed, call_often, transcript, &hash),
        0);
    return hash;
}

/* V-01: the same seed gives the same run, all that goes wrong included, and
 * another seed gives another one. */
SILL_CASE_OUTSIDE(V, 01, same_seed_gives_the_same_hash, seeded)
{
    static struct transcript first, second;
    uint64_t before = 0;

    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        suite_note("seed %d", (int)seed);

        uint64_t hash = run_seeded(&first, seed);

        ck_assert(run_seeded(&second, seed) == hash);
        ck_assert_str_eq(first.text, second.text);
        ck_assert(seed == 0 || hash != before);
        before = hash;
    }
}

/* V-04: what goes wrong comes from the seed: some calls fail, most do not. */
SILL_CASE_OUTSIDE(V, 04, things_go_wrong_now_and_then, seeded)
{
    static struct transcript transcript;
    int good = 0, total = 0;

    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        (void)run_seeded(&transcript, seed);
        for (const char *at = transcript.text; (at = strchr(at, 'r')); at++) {
            total++;
            good += at[1] == '0';
        }
    }
    ck_assert_int_eq(total, CALLS * SEEDS);
    ck_assert_int_lt(good, total);
    ck_assert_int_gt(good, total / 2);
}

/* ---- V-05: nothing of the machine's ---- */

static sill_duration machine_clock(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * SILL_SECOND + now.tv_nsec;
}

static int compute(void *begin)
{
    sill_duration until = machine_clock() + 20 * SILL_MILLISECOND;
    int64_t calendar = sill_calendar();

    *(sill_time *)begin = sill_now();
    while (machine_clock() < until)
        continue;
    ck_assert_int_eq(sill_now(), *(sill_time *)begin);
    ck_assert_int_eq(sill_calendar(), calendar);
    return 0;
}

/* V-05: the machine's clock moves nothing, and every run begins at the same
 * instant. */
SILL_CASE_OUTSIDE(V, 05, machine_clock_is_not_consulted)
{
    sill_time first, second;

    ck_assert_int_eq(sill_run(compute, &first), 0);
    ck_assert_int_eq(sill_run(compute, &second), 0);
    ck_assert_int_eq(first, second);
}

static int draw(void *bytes)
{
    return sill_random_fill(bytes, 16);
}

/* V-05: random bytes are not the machine's: a run that is repeated has the same
 * ones. */
SILL_CASE_OUTSIDE(V, 05, machine_randomness_is_not_consulted)
{
    unsigned char first[16], second[16];

    ck_assert_int_eq(sill_run(draw, first), 0);
    ck_assert_int_eq(sill_run(draw, second), 0);
    ck_assert_mem_eq(first, second, 16);
}

/* random.h: "in a simulation, with bytes that its seed decides". */
SILL_CASE_OUTSIDE(V, 05, random_bytes_come_from_the_seed, seeded)
{
    unsigned char before[16] = {0}, first[16], second[16];
    uint64_t hash;

    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        ck_assert_int_eq(
            sill_conformance_params.run_seeded(seed, draw, first, &hash), 0);
        ck_assert_int_eq(
            sill_conformance_params.run_seeded(seed, draw, second, &hash), 0);
        ck_assert_mem_eq(first, second, 16);
        ck_assert_int_ne(memcmp(first, before, 16), 0);
        memcpy(before, first, 16);
    }
}

static int use_the_network(void *before)
{
    static struct transcript unused;
    struct suite_pair pair;
    struct sill_listener listener;
    struct sill_address address;

    suite_pair_open(&pair, SUITE_TCP);
    suite_listen(&listener, &address);
    ck_assert_int_eq(suite_descriptors(), *(int *)before);
    sill_listener_close(&listener);
    suite_pair_close(&pair);
    return walk_all(&unused);
}

/* V-05: nor is a descriptor opened. */
SILL_CASE_OUTSIDE(V, 05, no_descriptor_is_opened)
{
    int before = suite_descriptors();

    ck_assert_int_eq(sill_run(use_the_network, &before), 0);
}
