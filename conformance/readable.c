/* SPDX-License-Identifier: MIT */
/*
 * Group S: sill_stream_wait, which waits for something to read and leaves it
 * where it is.
 */
#include "faults.h"
#include "suite.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

/* Runs (fn) on a fresh pair of each kind. */
static void on_each_kind(void (*fn)(struct suite_pair *pair))
{
    static struct suite_pair pair;

    for (int kind = 0; kind < SUITE_KINDS; kind++) {
        suite_note("stream kind %d", kind);
        suite_pair_open(&pair, (enum suite_kind)kind);
        fn(&pair);
        suite_pair_close(&pair);
    }
}

struct waiter {
    struct sill_stream *stream;
    bool ended;
};

static int wait_once(void *arg)
{
    struct waiter *self = arg;
    int rc = sill_stream_wait(self->stream, SILL_NEVER);

    self->ended = true;
    return rc;
}

/* A task that waits; it does when this returns. */
static struct sill_task *park(struct waiter *self, struct sill_stream *stream)
{
    *self = (struct waiter){.stream = stream};
    struct sill_task *task = suite_spawn(wait_once, self);
    suite_yield(3);
    ck_assert(!self->ended);
    return task;
}

static void check_bytes(struct sill_stream *stream, const char *expected,
                        size_t size)
{
    char bytes[8] = "";

    ck_assert_int_eq(sill_stream_read(stream, bytes, size, SILL_PAST), size);
    ck_assert_mem_eq(bytes, expected, size);
}

static void wait_for_bytes(struct suite_pair *pair)
{
    struct waiter waiter;
    struct sill_task *task = park(&waiter, &pair->a);

    ck_assert_int_eq(sill_stream_write(&pair->b, "abc", 3, SILL_NEVER), 3);
    ck_assert_int_eq(suite_await(task), 0);
    check_bytes(&pair->a, "abc", 3);
}

/* stream.h, wait: "Waits until a read would not have to, and takes nothing". */
SILL_CASE(S, 17, wait_ends_when_bytes_come)
{
    on_each_kind(wait_for_bytes);
}

static void find_bytes(struct suite_pair *pair)
{
    ck_assert_int_eq(sill_stream_wait(&pair->a, SILL_PAST), SILL_ETIMEDOUT);
    ck_assert_int_eq(sill_stream_write(&pair->b, "abcd", 4, SILL_NEVER), 4);
    ck_assert_int_eq(sill_stream_wait(&pair->a, SILL_NEVER), 0);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(sill_stream_wait(&pair->a, SILL_PAST), 0);
    check_bytes(&pair->a, "ab", 2);
    ck_assert_int_eq(sill_stream_wait(&pair->a, SILL_NEVER), 0);
    ck_assert_int_eq(sill_stream_wait(&pair->a, SILL_PAST), 0);
    check_bytes(&pair->a, "cd", 2);
    ck_assert_int_eq(sill_stream_wait(&pair->a, SILL_PAST), SILL_ETIMEDOUT);
}

/* The same with bytes that are there before, wholly read or not. */
SILL_CASE(S, 17, wait_finds_what_is_there)
{
    on_each_kind(find_bytes);
}

static void find_late(struct suite_pair *pair)
{
    char bytes[8];

    ck_assert_int_eq(sill_stream_read(&pair->a, bytes, 8, SILL_PAST),
                     SILL_ETIMEDOUT);
    ck_assert_int_eq(sill_stream_write(&pair->b, "x", 1, SILL_NEVER), 1);
    ck_assert_int_eq(sill_stream_wait(&pair->a, SILL_PAST), 0);
    check_bytes(&pair->a, "x", 1);
}

/* stream.h: "tries once before it waits": what came after a call had found
 * nothing, and of which the loop has not heard yet, is found. */
SILL_CASE(S, 17, wait_that_may_not_wait_looks_all_the_same)
{
    on_each_kind(find_late);
}

static void check_ended(struct sill_stream *stream)
{
    char byte;

    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(sill_stream_wait(stream, SILL_NEVER), 0);
        ck_assert_int_eq(sill_stream_read(stream, &byte, 1, SILL_PAST), 0);
    }
}

static void wait_for_end(struct suite_pair *pair)
{
    struct waiter waiter;
    struct sill_task *task = park(&waiter, &pair->a);

    ck_assert_int_eq(sill_stream_shutdown(&pair->b, SILL_NEVER), 0);
    ck_assert_int_eq(suite_await(task), 0);
    check_ended(&pair->a);
    task = park(&waiter, &pair->b);
    sill_stream_close(&pair->a);
    ck_assert_int_eq(suite_await(task), 0);
    check_ended(&pair->b);
}

/* stream.h, wait: "Returns 0 when there are bytes, the end of the stream": by
 * a shutdown, and of a peer that is gone. */
SILL_CASE(S, 17, wait_ends_at_the_end_of_the_stream)
{
    on_each_kind(wait_for_end);
}

static void find_last_bytes(struct suite_pair *pair)
{
    ck_assert_int_eq(sill_stream_write(&pair->b, "ab", 2, SILL_NEVER), 2);
    sill_stream_close(&pair->b);
    ck_assert_int_eq(sill_stream_wait(&pair->a, SILL_NEVER), 0);
    check_bytes(&pair->a, "a", 1);
    ck_assert_int_eq(sill_stream_wait(&pair->a, SILL_NEVER), 0);
    check_bytes(&pair->a, "b", 1);
    check_ended(&pair->a);
}

/* The end that came with the last bytes is not forgotten. */
SILL_CASE(S, 17, wait_finds_the_end_behind_the_last_bytes)
{
    on_each_kind(find_last_bytes);
}

/* A peer that closes with something unread resets the connection. */
static void reset_by(struct suite_pair *pair)
{
    char byte;

    ck_assert_int_eq(sill_stream_write(&pair->a, "xyz", 3, SILL_NEVER), 3);
    ck_assert_int_eq(sill_stream_read(&pair->b, &byte, 1, SILL_NEVER), 1);
    sill_stream_close(&pair->b);
}

static void check_reset(struct sill_stream *stream)
{
    char byte;

    ck_assert_int_eq(sill_stream_wait(stream, SILL_NEVER), 0);
    ck_assert_int_eq(sill_stream_wait(stream, SILL_NEVER), 0);
    ck_assert_int_eq(sill_stream_read(stream, &byte, 1, SILL_PAST),
                     SILL_ECONNRESET);
    ck_assert_int_eq(sill_stream_wait(stream, SILL_NEVER), 0);
}

/* stream.h, wait: "or an error, which the read will return". */
SILL_CASE(S, 17, wait_leaves_an_error_to_the_read)
{
    struct suite_pair pair;
    struct waiter waiter;

    suite_pair_open(&pair, SUITE_TCP);
    struct sill_task *task = park(&waiter, &pair.a);
    reset_by(&pair);
    ck_assert_int_eq(suite_await(task), 0);
    check_reset(&pair.a);
    suite_pair_close(&pair);

    suite_pair_open(&pair, SUITE_TCP);
    reset_by(&pair);
    check_reset(&pair.a);
    suite_pair_close(&pair);
}

static void close_under_waiter(struct suite_pair *pair)
{
    struct waiter waiter;
    struct sill_task *task = park(&waiter, &pair->a);

    sill_stream_close(&pair->a);
    ck_assert_int_eq(suite_await(task), SILL_ECLOSED);
    ck_assert_int_eq(sill_stream_wait(&pair->a, SILL_NEVER), SILL_ECLOSED);
}

/* stream.h, close: "Tasks that wait on it wake with SILL_ECLOSED, and every
 * later call returns that." */
SILL_CASE(S, 17, close_wakes_a_wait)
{
    on_each_kind(close_under_waiter);
}

static void close_before_the_waiter_runs(struct suite_pair *pair)
{
    struct waiter waiter = {.stream = &pair->a};
    struct sill_task *task = suite_spawn(wait_once, &waiter);

    sill_stream_close(&pair->a);
    ck_assert_int_eq(suite_await(task), SILL_ECLOSED);
}

/* The same when the call comes after the close. */
SILL_CASE(S, 17, wait_that_begins_after_close_says_closed)
{
    on_each_kind(close_before_the_waiter_runs);
}

static void write_beside_waiter(struct suite_pair *pair)
{
    struct waiter waiter;
    struct sill_task *task = park(&waiter, &pair->a);

    ck_assert_int_eq(sill_stream_write(&pair->a, "x", 1, SILL_NEVER), 1);
    ck_assert_int_eq(sill_stream_wait(&pair->b, SILL_NEVER), 0);
    check_bytes(&pair->b, "x", 1);
    suite_yield(3);
    ck_assert(!waiter.ended);
    ck_assert_int_eq(sill_stream_write(&pair->b, "y", 1, SILL_NEVER), 1);
    ck_assert_int_eq(suite_await(task), 0);
    check_bytes(&pair->a, "y", 1);
}

/* stream.h: "Its two directions are independent": others write meanwhile. */
SILL_CASE(S, 17, wait_leaves_the_other_direction_alone)
{
    on_each_kind(write_beside_waiter);
}

static void wait_when_poisoned(struct suite_pair *pair)
{
    char bytes[8];

    ck_assert_int_eq(sill_stream_write(&pair->b, "abc", 3, SILL_NEVER), 3);
    ck_assert_int_eq(sill_stream_wait(&pair->a, SILL_NEVER), 0);
    ck_assert_int_eq(sill_stream_read_full(&pair->a, bytes, 8, NULL, SILL_PAST),
                     SILL_ETIMEDOUT);
    ck_assert_int_eq(sill_stream_wait(&pair->a, SILL_NEVER), SILL_EPOISONED);
}

/* stream.h, wait: "or why it did not wait, as sill_stream_read does". */
SILL_CASE(S, 17, wait_on_a_poisoned_direction_says_so)
{
    on_each_kind(wait_when_poisoned);
}

/* ---- one reader ---- */

struct intruder {
    enum suite_kind kind;
    sill_task_fn *first, *second;
};

static int wait_for_ever(void *arg)
{
    return sill_stream_wait(arg, SILL_NEVER);
}

static int read_one(void *arg)
{
    char byte;

    return (int)sill_stream_read(arg, &byte, 1, SILL_NEVER);
}

static int intrude(void *arg)
{
    static struct suite_pair pair;
    struct intruder *self = arg;

    suite_pair_open(&pair, self->kind);
    suite_spawn(self->first, &pair.a);
    suite_yield(3);
    return suite_await(suite_spawn(self->second, &pair.a));
}

static void run_intruder(void *arg)
{
    sill_run(intrude, arg);
}

static void expect_intruder(sill_task_fn *first, sill_task_fn *second,
                            const char *call)
{
    for (int kind = 0; kind < SUITE_KINDS; kind++) {
        struct intruder intruder = {(enum suite_kind)kind, first, second};
        suite_expect_abort(run_intruder, &intruder, call, "readable.c:");
    }
}

/* stream.h, wait: "Whoever waits reads, so that no other task may". */
SILL_CASE_OUTSIDE(S, 17, second_reader_beside_a_wait_ends_the_program)
{
    expect_intruder(wait_for_ever, wait_for_ever, "sill_stream_wait");
    expect_intruder(read_one, wait_for_ever, "sill_stream_wait");
    expect_intruder(wait_for_ever, read_one, "sill_stream_read");
}

/* ---- what the kernel may answer ---- */

static int interrupted_wait(struct sill_stream *stream)
{
    fault_nth(FAULT_poll, 1, EINTR);
    int rc = sill_stream_wait(stream, SILL_PAST);
    ck_assert_int_eq(fault_strikes(FAULT_poll), 1);
    fault_clear();
    return rc;
}

/* A question that a signal interrupts is asked again. */
SILL_CASE(S, 17, interrupted_wait_changes_nothing, fd)
{
    struct suite_pair pair;

    suite_pair_open(&pair, SUITE_UNIX);
    ck_assert_int_eq(interrupted_wait(&pair.a), SILL_ETIMEDOUT);
    ck_assert_int_eq(sill_stream_write(&pair.b, "x", 1, SILL_NEVER), 1);
    ck_assert_int_eq(interrupted_wait(&pair.a), 0);
    check_bytes(&pair.a, "x", 1);
    suite_pair_close(&pair);
}

/* Whoever cannot ask whether a read left something does not guess, and loses
 * nothing. */
SILL_CASE(S, 17, wait_that_cannot_ask_says_why, fd)
{
    struct suite_pair pair;
    char byte;

    suite_pair_open(&pair, SUITE_UNIX);
    ck_assert_int_eq(sill_stream_write(&pair.b, "yx", 2, SILL_NEVER), 2);
    ck_assert_int_eq(sill_stream_read(&pair.a, &byte, 1, SILL_NEVER), 1);
    fault_nth(FAULT_poll, 1, ENOMEM);
    ck_assert_int_eq(sill_stream_wait(&pair.a, SILL_NEVER), SILL_ENOMEM);
    fault_clear();
    ck_assert_int_eq(sill_stream_wait(&pair.a, SILL_NEVER), 0);
    check_bytes(&pair.a, "x", 1);
    suite_pair_close(&pair);
}
