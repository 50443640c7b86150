/* SPDX-License-Identifier: MIT */
/*
 * Group S: streams, <sill/stream.h>, the same cases on sockets and in memory.
 */
#include "faults.h"
#include "suite.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
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

/* ---- bytes that know their place ---- */

static unsigned char byte_at(size_t place)
{
    return (unsigned char)((place * 2654435761u) >> 11);
}

static void fill_pattern(unsigned char *bytes, size_t place, size_t size)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = byte_at(place + i);
}

static bool is_pattern(const unsigned char *bytes, size_t place, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != byte_at(place + i))
            return false;
    return true;
}

/* From 1 to (most), the same for the same (state). */
static size_t random_size(uint64_t *state, size_t most)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return 1 + (size_t)(*state >> 33) % most;
}

static size_t least_of(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* A task that moves (size) patterned bytes in random pieces. */
struct flow {
    struct sill_stream *stream;
    size_t size, largest;
    uint64_t seed;
};

static int pour_pieces(struct flow flow, unsigned char *piece)
{
    size_t place = 0;

    while (place < flow.size) {
        size_t size = random_size(&flow.seed, flow.largest);
        size = least_of(size, flow.size - place);
        fill_pattern(piece, place, size);
        ssize_t n = sill_stream_write(flow.stream, piece, size, SILL_NEVER);
        if (n <= 0)
            return n < 0 ? (int)n : SILL_EPROTO;
        place += (size_t)n;
    }
    return 0;
}

static int drink_pieces(struct flow flow, unsigned char *piece)
{
    size_t place = 0;

    while (place < flow.size) {
        size_t size = random_size(&flow.seed, flow.largest);
        size = least_of(size, flow.size - place);
        ssize_t n = sill_stream_read(flow.stream, piece, size, SILL_NEVER);
        if (n <= 0)
            return n < 0 ? (int)n : SILL_EOF;
        if ((size_t)n > size || !is_pattern(piece, place, (size_t)n))
            return SILL_EPROTO;
        place += (size_t)n;
    }
    return 0;
}

static int pour(void *arg)
{
    struct flow *flow = arg;
    unsigned char *piece = malloc(flow->largest);
    int rc = pour_pieces(*flow, piece);

    free(piece);
    return rc;
}

static int drink(void *arg)
{
    struct flow *flow = arg;
    unsigned char *piece = malloc(flow->largest);
    int rc = drink_pieces(*flow, piece);

    free(piece);
    return rc;
}

/* Takes (size) bytes, whatever they are. */
static void drop(struct sill_stream *stream, size_t size)
{
    static char dropped[65536];

    while (size > 0) {
        ssize_t n = sill_stream_read(
            stream, dropped, least_of(size, sizeof(dropped)), SILL_NEVER);
        ck_assert_int_gt(n, 0);
        size -= (size_t)n;
    }
}

/* Moves (size) bytes from (from) to (to) and checks that they arrive. */
static void transfer(struct sill_stream *from, struct sill_stream *to,
                     size_t size, size_t largest, uint64_t seed)
{
    struct flow out = {from, size, largest, seed};
    struct flow in = {to, size, largest, seed * 31 + 7};
    struct sill_task *writer = suite_spawn(pour, &out);

    ck_assert_int_eq(drink(&in), 0);
    ck_assert_int_eq(suite_await(writer), 0);
}

/* ---- S-01 to S-05: bytes and their end ---- */

static void arrive_in_order(struct suite_pair *pair)
{
    static const size_t sizes[] = {1,    2,     3,       100,    4095,
                                   4096, 65537, 1000003, 1 << 24};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        size_t largest = sizes[i] < 5000 ? 7 : 65536;
        transfer(&pair->a, &pair->b, sizes[i], largest, i + 1);
        transfer(&pair->b, &pair->a, least_of(sizes[i], 1 << 20), largest,
                 i + 100);
    }
}

/* S-01: bytes arrive complete and in order, in random pieces on both sides. */
SILL_CASE(S, 01, bytes_arrive_complete_and_in_order)
{
    on_each_kind(arrive_in_order);
}

static int echo(void *arg)
{
    struct sill_stream *stream = arg;
    char bytes[64];
    ssize_t n;

    while ((n = sill_stream_read(stream, bytes, sizeof(bytes), SILL_NEVER)) > 0)
        if (sill_stream_write_all(stream, bytes, (size_t)n, NULL, SILL_NEVER))
            return SILL_EPROTO;
    return (int)n;
}

static void ping_pong(struct suite_pair *pair)
{
    struct sill_task *peer = suite_spawn(echo, &pair->b);
    int wrong = 0;

    for (int i = 0; i < 1000; i++) {
        int reply = -1;
        wrong += sill_stream_write_all(&pair->a, &i, sizeof(i), NULL,
                                       SILL_NEVER) != 0;
        wrong += sill_stream_read_full(&pair->a, &reply, sizeof(reply), NULL,
                                       SILL_NEVER) != 0;
        wrong += reply != i;
    }
    ck_assert_int_eq(wrong, 0);
    ck_assert_int_eq(sill_stream_shutdown(&pair->a, SILL_NEVER), 0);
    ck_assert_int_eq(suite_await(peer), 0);
}

/* S-02: 1 000 ping-pongs. */
SILL_CASE(S, 02, thousand_ping_pongs)
{
    on_each_kind(ping_pong);
}

static void flows_beside_a_blocked_one(struct suite_pair *pair)
{
    struct flow blocked = {&pair->a, 100000, 5000, 3};
    size_t before = suite_fill(&pair->a);
    struct sill_task *writer = suite_spawn(pour, &blocked);

    suite_yield(3);
    transfer(&pair->b, &pair->a, 300000, 5000, 4);
    drop(&pair->b, before);
    ck_assert_int_eq(drink(&(struct flow){&pair->b, 100000, 5000, 5}), 0);
    ck_assert_int_eq(suite_await(writer), 0);
}

/* stream.h: "Its two directions are independent": one flows while a task is
 * blocked in the other. */
SILL_CASE(S, 03, one_direction_flows_while_the_other_is_blocked)
{
    on_each_kind(flows_beside_a_blocked_one);
}

static void both_ways_at_once(struct suite_pair *pair)
{
    struct flow out[] = {{&pair->a, 500000, 9000, 1},
                         {&pair->b, 500000, 9000, 2}};
    struct flow in[] = {{&pair->a, 500000, 9000, 3},
                        {&pair->b, 500000, 9000, 4}};
    struct sill_task *tasks[] = {
        suite_spawn(pour, &out[0]), suite_spawn(pour, &out[1]),
        suite_spawn(drink, &in[0]), suite_spawn(drink, &in[1])};

    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(suite_await(tasks[i]), 0);
}

/* stream.h: "one task may read while another writes", on both ends. */
SILL_CASE(S, 03, full_duplex_by_two_tasks_each)
{
    on_each_kind(both_ways_at_once);
}

/* ---- S-04, S-05: the end ---- */

static int pour_and_end(void *arg)
{
    struct flow *flow = arg;
    int rc = pour(flow);

    return rc ? rc : sill_stream_shutdown(flow->stream, SILL_NEVER);
}

static void check_end(struct sill_stream *stream)
{
    char byte;

    ck_assert_int_eq(sill_stream_read(stream, &byte, 1, SILL_NEVER), 0);
    ck_assert_int_eq(sill_stream_read(stream, &byte, 1, SILL_PAST), 0);
    ck_assert_int_eq(sill_stream_read_full(stream, &byte, 1, NULL, SILL_NEVER),
                     SILL_EOF);
    ck_assert_int_eq(sill_stream_read(stream, &byte, 1, SILL_NEVER), 0);
}

static void end_after_all_bytes(struct suite_pair *pair)
{
    struct flow flow = {&pair->a, 300000, 40000, 11};
    struct flow in = {&pair->b, 300000, 50000, 12};
    char byte;

    ck_assert_int_eq(sill_stream_read(&pair->b, &byte, 1, SILL_PAST),
                     SILL_ETIMEDOUT);
    struct sill_task *writer = suite_spawn(pour_and_end, &flow);
    ck_assert_int_eq(drink(&in), 0);
    check_end(&pair->b);
    ck_assert_int_eq(suite_await(writer), 0);
    check_end(&pair->b);
}

/* stream.h: "0 at the end of the stream, then and every time after"; never
 * before everything was read. */
SILL_CASE(S, 04, end_comes_after_all_bytes_and_stays)
{
    on_each_kind(end_after_all_bytes);
}

static void end_by_close(struct suite_pair *pair)
{
    char bytes[8];

    ck_assert_int_eq(sill_stream_write(&pair->a, "abc", 3, SILL_NEVER), 3);
    sill_stream_close(&pair->a);
    ck_assert_int_eq(sill_stream_read(&pair->b, bytes, 2, SILL_NEVER), 2);
    ck_assert_int_eq(sill_stream_read(&pair->b, bytes + 2, 6, SILL_NEVER), 1);
    ck_assert_mem_eq(bytes, "abc", 3);
    check_end(&pair->b);
}

/* The peer's close ends the stream as well, after what it wrote. */
SILL_CASE(S, 04, close_of_the_peer_is_the_end_after_its_bytes)
{
    on_each_kind(end_by_close);
}

/* What a parked reader was told: bytes, or the end. */
struct reading {
    struct sill_stream *stream;
    char bytes[64];
    size_t size; /* to ask for */
    sill_time deadline;
    bool ended;
};

static int read_once(void *arg)
{
    struct reading *self = arg;
    int rc = (int)sill_stream_read(self->stream, self->bytes, self->size,
                                   self->deadline);

    self->ended = true;
    return rc;
}

/* A task that waits in a read; it does when this returns. */
static struct sill_task *park_reader(struct reading *self,
                                     struct sill_stream *stream)
{
    *self = (struct reading){.stream = stream, .deadline = SILL_NEVER};
    self->size = sizeof(self->bytes);
    struct sill_task *task = suite_spawn(read_once, self);
    suite_yield(3);
    ck_assert(!self->ended);
    return task;
}

static void half_closed(struct suite_pair *pair)
{
    struct reading reading;
    struct sill_task *reader = park_reader(&reading, &pair->b);
    char bytes[4];

    ck_assert_int_eq(sill_stream_shutdown(&pair->a, SILL_NEVER), 0);
    ck_assert_int_eq(suite_await(reader), 0);
    check_end(&pair->b);
    ck_assert_int_eq(sill_stream_shutdown(&pair->a, SILL_NEVER), 0);
    transfer(&pair->b, &pair->a, 200000, 7000, 8);
    ck_assert_int_eq(sill_stream_write(&pair->a, "x", 1, SILL_NEVER),
                     SILL_EPIPE);
    ck_assert_int_eq(sill_stream_write_all(&pair->a, "x", 1, NULL, SILL_NEVER),
                     SILL_EPIPE);
    ck_assert_int_eq(sill_stream_shutdown(&pair->b, SILL_NEVER), 0);
    ck_assert_int_eq(sill_stream_read(&pair->a, bytes, 4, SILL_NEVER), 0);
}

/* stream.h, shutdown: "the peer reads the end of the stream. Reading still
 * works. Doing it twice is harmless"; writing is SILL_EPIPE from then on. */
SILL_CASE(S, 05, shutdown_ends_one_direction_only)
{
    on_each_kind(half_closed);
}

static void shutdown_after_bytes(struct suite_pair *pair)
{
    size_t size = suite_fill(&pair->a);

    ck_assert_int_eq(sill_stream_shutdown(&pair->a, SILL_NEVER), 0);
    drop(&pair->b, size);
    check_end(&pair->b);
}

/* stream.h: the peer reads the end "after what was written", though no room
 * is left for another byte. */
SILL_CASE(S, 05, shutdown_comes_after_what_was_written)
{
    on_each_kind(shutdown_after_bytes);
}

/* ---- S-06, S-07: close ---- */

static bool is_gone(ssize_t rc)
{
    return rc == SILL_EPIPE || rc == SILL_ECONNRESET;
}

static int write_one(void *arg)
{
    return (int)sill_stream_write(arg, "x", 1, SILL_NEVER);
}

static void check_closed(struct sill_stream *stream)
{
    struct iovec piece = {(char[]){"x"}, 1};
    struct sill_address address;
    char byte;
    int said[] = {
        (int)sill_stream_read(stream, &byte, 1, SILL_NEVER),
        sill_stream_read_full(stream, &byte, 1, NULL, SILL_NEVER),
        (int)sill_stream_write(stream, "x", 1, SILL_NEVER),
        (int)sill_stream_writev(stream, &piece, 1, SILL_NEVER),
        sill_stream_write_all(stream, "x", 1, NULL, SILL_NEVER),
        sill_stream_writev_all(stream, &piece, 1, NULL, SILL_NEVER),
        sill_stream_shutdown(stream, SILL_NEVER),
        sill_stream_local(stream, &address),
        sill_stream_peer(stream, &address),
    };

    for (size_t i = 0; i < sizeof(said) / sizeof(*said); i++) {
        suite_note("call %zu after close", i);
        ck_assert_int_eq(said[i], SILL_ECLOSED);
    }
}

static void close_under_waiters(struct suite_pair *pair)
{
    struct reading reading;
    size_t before = suite_fill(&pair->a);
    struct sill_task *reader = park_reader(&reading, &pair->a);
    struct sill_task *writer = suite_spawn(write_one, &pair->a);

    suite_yield(3);
    sill_stream_close(&pair->a);
    ck_assert_int_eq(suite_await(reader), SILL_ECLOSED);
    ck_assert_int_eq(suite_await(writer), SILL_ECLOSED);
    check_closed(&pair->a);
    sill_stream_close(&pair->a);
    check_closed(&pair->a);
    drop(&pair->b, before);
    check_end(&pair->b);
}

/* stream.h, close: "Tasks that wait on it wake with SILL_ECLOSED, and every
 * later call returns that. Closing twice is harmless." */
SILL_CASE(S, 06, close_wakes_reader_and_writer)
{
    on_each_kind(close_under_waiters);
}

static void close_before_the_waiter_runs(struct suite_pair *pair)
{
    struct reading reading = {
        .stream = &pair->a, .size = 1, .deadline = SILL_NEVER};
    struct sill_task *reader = suite_spawn(read_once, &reading);

    sill_stream_close(&pair->a);
    ck_assert_int_eq(suite_await(reader), SILL_ECLOSED);
}

/* The same when the call comes after the close. */
SILL_CASE(S, 06, call_that_begins_after_close_says_closed)
{
    on_each_kind(close_before_the_waiter_runs);
}

enum { CALLS_WITHOUT_WAITING = 1000 };

static int read_until_closed(void *arg)
{
    struct sill_stream *stream = arg;
    ssize_t rc = 1;
    char byte;

    for (int i = 0; i < CALLS_WITHOUT_WAITING && rc == 1; i++)
        rc = sill_stream_read(stream, &byte, 1, SILL_NEVER);
    return (int)rc;
}

static int write_until_closed(void *arg)
{
    struct sill_stream *stream = arg;
    ssize_t rc = 1;

    for (int i = 0; i < CALLS_WITHOUT_WAITING && rc == 1; i++)
        rc = sill_stream_write(stream, "x", 1, SILL_NEVER);
    return (int)rc;
}

static void close_between_calls(struct suite_pair *pair)
{
    static const char bytes[CALLS_WITHOUT_WAITING];

    ck_assert_int_eq(
        sill_stream_write_all(&pair->b, bytes, sizeof(bytes), NULL, SILL_NEVER),
        0);
    struct sill_task *reader = suite_spawn(read_until_closed, &pair->a);
    struct sill_task *writer = suite_spawn(write_until_closed, &pair->a);
    suite_yield(1);
    sill_stream_close(&pair->a);
    ck_assert_int_eq(suite_await(reader), SILL_ECLOSED);
    ck_assert_int_eq(suite_await(writer), SILL_ECLOSED);
}

/* And when it comes in the turn that a task without waits leaves to others. */
SILL_CASE(S, 06, close_between_calls_that_never_wait_is_noticed)
{
    on_each_kind(close_between_calls);
}

static void close_with_bytes_at_hand(struct suite_pair *pair)
{
    struct reading reading;
    struct sill_task *reader = park_reader(&reading, &pair->a);

    ck_assert_int_eq(sill_stream_write(&pair->b, "abc", 3, SILL_NEVER), 3);
    sill_stream_close(&pair->a);
    int rc = suite_await(reader);
    ck_assert(rc == SILL_ECLOSED || rc == 3);
    check_closed(&pair->a);
}

/* Close and the reader's bytes in one round: one of them, and then closed. */
SILL_CASE(S, 06, close_races_with_arriving_bytes)
{
    on_each_kind(close_with_bytes_at_hand);
}

/* stream.h: "A zeroed one is closed." */
SILL_CASE(S, 06, zeroed_stream_is_closed)
{
    struct sill_stream stream = {0};

    check_closed(&stream);
    sill_stream_close(&stream);
    check_closed(&stream);
}

static int close_it(void *arg)
{
    sill_stream_close(arg);
    return 0;
}

static void close_from_another_task(struct suite_pair *pair)
{
    struct sill_task *closer = suite_spawn(close_it, &pair->a);
    char byte;

    ck_assert_int_eq(sill_stream_read(&pair->a, &byte, 1, SILL_NEVER),
                     SILL_ECLOSED);
    ck_assert_int_eq(suite_await(closer), 0);
    check_end(&pair->b);
}

/* stream.h, close: "from any task of its loop". */
SILL_CASE(S, 07, close_from_another_task_is_safe)
{
    on_each_kind(close_from_another_task);
}

static int read_then_close(void *arg)
{
    char byte;
    int rc = (int)sill_stream_read(arg, &byte, 1, SILL_NEVER);

    sill_stream_close(arg);
    return rc;
}

static void close_while_cancelled(struct suite_pair *pair)
{
    struct sill_task *task = suite_spawn(read_then_close, &pair->a);

    suite_yield(3);
    suite_cancel(task);
    check_end(&pair->b);
    check_closed(&pair->a);
}

/* stream.h, close: "no point of cancellation": a cancelled task's close
 * closes. */
SILL_CASE(S, 07, close_in_a_cancelled_task_closes)
{
    on_each_kind(close_while_cancelled);
}

static int raise_flag(void *arg)
{
    *(bool *)arg = true;
    return 0;
}

static void close_runs_nobody(struct suite_pair *pair)
{
    bool ran = false;
    struct sill_task *task = suite_spawn(raise_flag, &ran);

    sill_stream_close(&pair->a);
    ck_assert(!ran);
    ck_assert_int_eq(suite_await(task), 0);
}

/* stream.h, close: "Never suspends". */
SILL_CASE(S, 07, close_never_suspends)
{
    on_each_kind(close_runs_nobody);
}

/* One that waits, and all that can happen to it before it runs again: it can
 * go on, it is cancelled, its stream is closed, its peer is closed. */
struct race {
    enum suite_kind kind;
    bool writes;
};

static void let_go_on(struct suite_pair *pair, bool writes)
{
    static char dropped[65536];
    ssize_t n = 1;

    if (!pair->b.ops)
        return;
    if (!writes)
        n = sill_stream_write(&pair->b, "x", 1, SILL_PAST);
    while (writes && n > 0)
        n = sill_stream_read(&pair->b, dropped, sizeof(dropped), SILL_PAST);
    ck_assert(n >= 0 || n == SILL_ETIMEDOUT || is_gone(n));
}

static int write_and_tell(void *arg)
{
    struct reading *self = arg;
    int rc = write_one(self->stream);

    self->ended = true;
    return rc;
}

/* As suite_fill, but only for this moment, which is enough here. */
static struct sill_task *park_writer(struct reading *self,
                                     struct sill_stream *stream)
{
    static char block[4096];

    for (;;) {
        while (sill_stream_write(stream, block, sizeof(block), SILL_PAST) > 0)
            continue;
        *self = (struct reading){.stream = stream};
        struct sill_task *task = suite_spawn(write_and_tell, self);
        suite_yield(3);
        if (!self->ended)
            return task;
        suite_await(task);
    }
}

static struct sill_task *park_racer(struct race *self, struct suite_pair *pair)
{
    static struct reading reading;

    suite_pair_open(pair, self->kind);
    return self->writes ? park_writer(&reading, &pair->a)
                        : park_reader(&reading, &pair->a);
}

static void race_in_order(const int order[], void *arg)
{
    struct race *self = arg;
    struct suite_pair pair;
    struct sill_task *task = park_racer(self, &pair);

    suite_note("kind %d, writes %d, order %d %d %d %d", self->kind,
               self->writes, order[0], order[1], order[2], order[3]);
    for (int i = 0; i < 4; i++) {
        if (order[i] == 0)
            let_go_on(&pair, self->writes);
        if (order[i] == 1)
            ck_assert_int_eq(sill_cancel(task, SILL_PAST), SILL_ETIMEDOUT);
        if (order[i] == 2)
            sill_stream_close(&pair.a);
        if (order[i] == 3)
            sill_stream_close(&pair.b);
    }
    int rc = suite_await(task);
    ck_assert(rc == 1 || rc == SILL_ECLOSED || rc == SILL_ECANCELED ||
              (rc == 0 && !self->writes) || is_gone(rc));
    suite_pair_close(&pair);
}

/* S-07: bytes or room, cancel, close and the peer's close in one round, in
 * every order: one of them is the outcome, and nothing is left behind. */
SILL_CASE(S, 07, close_and_all_else_in_every_order)
{
    for (int kind = 0; kind < SUITE_KINDS; kind++) {
        struct race reader = {(enum suite_kind)kind, false};
        struct race writer = {(enum suite_kind)kind, true};
        suite_permute(4, race_in_order, &reader);
        suite_permute(4, race_in_order, &writer);
    }
}

/* ---- S-08, S-09 ---- */

static void write_to_nobody(struct suite_pair *pair)
{
    struct iovec pieces[] = {{(char[]){"x"}, 1}, {(char[]){"y"}, 1}};
    ssize_t n = 1;

    sill_stream_close(&pair->b);
    for (int i = 0; i < 10000 && n > 0; i++)
        n = sill_stream_write(&pair->a, "x", 1, SILL_NEVER);
    ck_assert(is_gone(n));
    n = sill_stream_writev(&pair->a, pieces, 2, SILL_NEVER);
    ck_assert(is_gone(n));
    ck_assert(
        is_gone(sill_stream_write_all(&pair->a, "x", 1, NULL, SILL_NEVER)));
}

/* stream.h: "Never raises SIGPIPE", with the signal's default action set. */
SILL_CASE(S, 08, write_to_a_peer_that_is_gone_is_an_error)
{
    signal(SIGPIPE, SIG_DFL);
    on_each_kind(write_to_nobody);
}

static void vanish_under_a_writer(struct suite_pair *pair)
{
    suite_fill(&pair->a);
    struct sill_task *writer = suite_spawn(write_one, &pair->a);

    suite_yield(3);
    sill_stream_close(&pair->b);
    ck_assert(is_gone(suite_await(writer)));
}

/* The same for a writer that already waits. */
SILL_CASE(S, 08, peer_that_goes_wakes_a_blocked_writer)
{
    signal(SIGPIPE, SIG_DFL);
    on_each_kind(vanish_under_a_writer);
}

static void move_nothing(struct suite_pair *pair)
{
    struct iovec empty[] = {{NULL, 0}, {(char[]){"x"}, 0}};
    char byte = 0;

    ck_assert_int_eq(sill_stream_read(&pair->b, &byte, 0, SILL_NEVER), 0);
    ck_assert_int_eq(
        sill_stream_read_full(&pair->b, &byte, 0, NULL, SILL_NEVER), 0);
    ck_assert_int_eq(sill_stream_write(&pair->a, "x", 0, SILL_NEVER), 0);
    ck_assert_int_eq(sill_stream_writev(&pair->a, empty, 2, SILL_NEVER), 0);
    ck_assert_int_eq(sill_stream_writev(&pair->a, empty, 0, SILL_NEVER), 0);
    ck_assert_int_eq(
        sill_stream_writev_all(&pair->a, empty, 2, NULL, SILL_NEVER), 0);
    ck_assert_int_eq(sill_stream_write_all(&pair->a, "x", 0, NULL, SILL_NEVER),
                     0);
    ck_assert_int_eq(sill_stream_read(&pair->b, &byte, 1, SILL_PAST),
                     SILL_ETIMEDOUT);
    transfer(&pair->a, &pair->b, 1000, 100, 9);
}

/* stream.h: "0 for a (size) of 0, which neither waits nor means the end". */
SILL_CASE(S, 09, nothing_moved_is_no_wait_and_no_end)
{
    on_each_kind(move_nothing);
}

/* ---- S-10: pieces ---- */

struct gathered {
    struct sill_stream *stream;
    struct iovec *pieces;
    size_t count, size;
};

/* Cuts patterned (bytes) into (count) pieces of up to (largest) bytes, every
 * third of them empty. */
static void cut(struct gathered *self, unsigned char *bytes, size_t count,
                size_t largest)
{
    uint64_t seed = count;

    self->count = count;
    self->size = 0;
    for (size_t i = 0; i < count; i++) {
        size_t size = i % 3 == 1 ? 0 : random_size(&seed, largest);
        self->pieces[i] = (struct iovec){bytes + self->size, size};
        self->size += size;
    }
    fill_pattern(bytes, 0, self->size);
}

static int write_gathered(void *arg)
{
    struct gathered *self = arg;
    size_t done = 0;
    int rc = sill_stream_writev_all(self->stream, self->pieces, self->count,
                                    &done, SILL_NEVER);

    return rc ? rc : done == self->size ? 0 : SILL_EPROTO;
}

/* As a caller of writev goes on after a partial one. */
static int write_gathered_by_hand(void *arg)
{
    struct gathered *self = arg;
    struct iovec *next = self->pieces, *end = next + self->count;

    for (;;) {
        while (next < end && next->iov_len == 0)
            next++;
        if (next == end)
            return 0;
        ssize_t n = sill_stream_writev(self->stream, next, (size_t)(end - next),
                                       SILL_NEVER);
        if (n <= 0)
            return n < 0 ? (int)n : SILL_EPROTO;
        for (; n > 0 && next < end; next++) {
            size_t part = least_of((size_t)n, next->iov_len);
            next->iov_base = (char *)next->iov_base + part;
            next->iov_len -= part;
            n -= (ssize_t)part;
            if (next->iov_len > 0)
                break;
        }
        if (n > 0)
            return SILL_EPROTO;
    }
}

static void gather_with(struct suite_pair *pair, sill_task_fn *writer)
{
    static const size_t counts[] = {1, 2, 3, 16, 1023, 1024, 1025, 3000};
    static struct iovec pieces[3000];
    static unsigned char bytes[3000 * 300];

    for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
        struct gathered gathered = {.stream = &pair->a, .pieces = pieces};
        suite_note("%zu pieces", counts[i]);
        cut(&gathered, bytes, counts[i], 300);
        struct sill_task *task = suite_spawn(writer, &gathered);
        struct flow in = {&pair->b, gathered.size, 7000, i};
        ck_assert_int_eq(drink(&in), 0);
        ck_assert_int_eq(suite_await(task), 0);
    }
}

static void gather(struct suite_pair *pair)
{
    gather_with(pair, write_gathered);
}

static void gather_by_hand(struct suite_pair *pair)
{
    gather_with(pair, write_gathered_by_hand);
}

/* stream.h: "pieces may be empty, and there may be any number of them", more
 * than the system takes at once among them. */
SILL_CASE(S, 10, writev_all_writes_any_number_of_pieces)
{
    on_each_kind(gather);
}

SILL_CASE(S, 10, writev_says_at_which_byte_it_stopped)
{
    on_each_kind(gather_by_hand);
}

static void only_the_last_piece(struct suite_pair *pair)
{
    static struct iovec pieces[2000];
    static char last = 'z';
    char byte;

    pieces[1999] = (struct iovec){&last, 1};
    ck_assert_int_eq(sill_stream_writev(&pair->a, pieces, 2000, SILL_NEVER), 1);
    ck_assert_int_eq(sill_stream_read(&pair->b, &byte, 1, SILL_NEVER), 1);
    ck_assert_int_eq(byte, 'z');
}

/* Empty pieces, more than the system takes at once, hide nothing. */
SILL_CASE(S, 10, byte_behind_many_empty_pieces_is_written)
{
    on_each_kind(only_the_last_piece);
}

/* ---- S-11: back-pressure ---- */

static void press_back(struct suite_pair *pair)
{
    long blocks = suite_blocks();
    size_t size = suite_fill(&pair->a);

    /* Without descriptors there is no kernel to hold what is on its way. */
    if (pair->kind == SUITE_MEMORY || suite_has(SILL_CONFORMANCE_FD))
        ck_assert_int_le(suite_blocks(), blocks + 1);
    ck_assert_uint_lt(size, 64 << 20);
    if (pair->kind == SUITE_MEMORY)
        ck_assert_uint_eq(size, 65536);
    struct sill_task *writer = suite_spawn(write_one, &pair->a);
    suite_yield(3);
    ck_assert_int_eq(sill_stream_write(&pair->b, "y", 1, SILL_NEVER), 1);
    drop(&pair->b, size + 1);
    ck_assert_int_eq(suite_await(writer), 1);
    drop(&pair->a, 1);
}

/* stream.h: "then writers wait": an unread peer stops the writer, and what is
 * on the way is bounded. */
SILL_CASE(S, 11, unread_peer_stops_the_writer)
{
    on_each_kind(press_back);
}

/* stream.h, pair: "Each direction holds up to (capacity) bytes". */
SILL_CASE(S, 11, memory_pair_holds_its_capacity)
{
    static const size_t capacities[] = {1, 2, 4095, 4096, 100000};

    for (size_t i = 0; i < sizeof(capacities) / sizeof(*capacities); i++) {
        struct sill_stream a, b;
        ck_assert_int_eq(sill_stream_pair(&a, &b, capacities[i]), 0);
        ck_assert_uint_eq(suite_fill(&a), capacities[i]);
        ck_assert_uint_eq(suite_fill(&b), capacities[i]);
        drop(&b, capacities[i]);
        transfer(&a, &b, 3 * capacities[i], 5000, i);
        sill_stream_close(&a);
        sill_stream_close(&b);
    }
}

/* ---- S-12: a second task in one direction ---- */

struct intruder {
    enum suite_kind kind;
    sill_task_fn *call;
};

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
    suite_fill(&pair.a);
    suite_spawn(self->call, &pair.a);
    suite_yield(3);
    suite_await(suite_spawn(self->call, &pair.a));
    return 0;
}

static void run_intruder(void *arg)
{
    sill_run(intrude, arg);
}

/* stream.h: "Two tasks that read at once, or write at once, end the
 * program", in one line that names call and task (error.h). */
SILL_CASE_OUTSIDE(S, 12, second_reader_ends_the_program)
{
    for (int kind = 0; kind < SUITE_KINDS; kind++) {
        struct intruder intruder = {(enum suite_kind)kind, read_one};
        suite_expect_abort(run_intruder, &intruder, "sill_stream_read",
                           "streams.c:");
    }
}

SILL_CASE_OUTSIDE(S, 12, second_writer_ends_the_program)
{
    for (int kind = 0; kind < SUITE_KINDS; kind++) {
        struct intruder intruder = {(enum suite_kind)kind, write_one};
        suite_expect_abort(run_intruder, &intruder, "sill_stream_write",
                           "streams.c:");
    }
}

/* ---- S-13: reset ---- */

/* A stream whose peer is a bare TCP socket. */
struct bare {
    struct sill_stream stream;
    int peer;
};

static struct bare open_bare(void)
{
    struct sill_listener listener;
    struct sill_address address;
    struct bare bare;
    struct sockaddr_in where = {.sin_family = AF_INET};

    suite_listen(&listener, &address);
    where.sin_port = htons(address.port);
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bare.peer = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(
        connect(bare.peer, (struct sockaddr *)&where, sizeof(where)), 0);
    ck_assert_int_eq(sill_listener_accept(&listener, &bare.stream, SILL_NEVER),
                     0);
    sill_listener_close(&listener);
    return bare;
}

static void reset(struct bare *bare)
{
    struct linger at_once = {1, 0};

    setsockopt(bare->peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    close(bare->peer);
}

/* S-13: reset while reading is an error. */
SILL_CASE(S, 13, reset_wakes_a_reader_with_an_error, fd)
{
    struct bare bare = open_bare();
    struct reading reading;
    struct sill_task *reader = park_reader(&reading, &bare.stream);

    reset(&bare);
    ck_assert_int_eq(suite_await(reader), SILL_ECONNRESET);
    sill_stream_close(&bare.stream);
}

/* stream.h: "After a reset, bytes that arrived before it may be lost"; those
 * that are not come first, in order, and no clean end is ever seen. */
SILL_CASE(S, 13, bytes_before_a_reset_come_in_order_or_not_at_all, fd)
{
    struct bare bare = open_bare();
    static unsigned char bytes[5000];
    size_t place = 0;
    ssize_t n;

    fill_pattern(bytes, 0, sizeof(bytes));
    ck_assert_int_eq(send(bare.peer, bytes, sizeof(bytes), 0), sizeof(bytes));
    reset(&bare);
    while ((n = sill_stream_read(&bare.stream, bytes, 1000, SILL_NEVER)) > 0) {
        ck_assert(is_pattern(bytes, place, (size_t)n));
        place += (size_t)n;
    }
    ck_assert_int_eq(n, SILL_ECONNRESET);
    ck_assert_uint_le(place, sizeof(bytes));
    sill_stream_close(&bare.stream);
}

/* A reset is the error of both directions: whoever learns of it first, the
 * reader never takes it for the end of the stream. */
static void reset_both(bool writer_first)
{
    struct bare bare = open_bare();
    struct reading reading;
    struct sill_task *reader = NULL, *writer;

    suite_fill(&bare.stream);
    if (!writer_first)
        reader = park_reader(&reading, &bare.stream);
    writer = suite_spawn(write_one, &bare.stream);
    suite_yield(3);
    if (writer_first)
        reader = park_reader(&reading, &bare.stream);
    reset(&bare);
    ck_assert_int_eq(suite_await(reader), SILL_ECONNRESET);
    ck_assert(is_gone(suite_await(writer)));
    sill_stream_close(&bare.stream);
}

SILL_CASE(S, 13, reset_wakes_reader_and_writer, fd)
{
    reset_both(false);
    reset_both(true);
}

SILL_CASE(S, 13, reset_learned_by_a_write_is_no_end_for_the_reader, fd)
{
    struct bare bare = open_bare();
    char byte;

    suite_fill(&bare.stream);
    reset(&bare);
    ck_assert(is_gone(write_one(&bare.stream)));
    ck_assert_int_eq(sill_stream_read(&bare.stream, &byte, 1, SILL_NEVER),
                     SILL_ECONNRESET);
    sill_stream_close(&bare.stream);
}

/* ---- what the kernel tells only once, or not at all ---- */

/* A deadline to miss: when it passes a call tries once more, and would find
 * what it should have been woken for. */
static sill_time far_from(sill_time begin)
{
    return begin + 4 * suite_liveness();
}

static void end_beside_a_blocked_writer(struct suite_pair *pair)
{
    char bytes[8];

    suite_fill(&pair->a);
    struct sill_task *writer = suite_spawn(write_one, &pair->a);
    suite_yield(3);
    ck_assert_int_eq(sill_stream_read(&pair->a, bytes, 8, SILL_PAST),
                     SILL_ETIMEDOUT);
    ck_assert_int_eq(sill_stream_write(&pair->b, "bye", 3, SILL_NEVER), 3);
    ck_assert_int_eq(sill_stream_shutdown(&pair->b, SILL_NEVER), 0);
    ck_assert_int_eq(sill_stream_read(&pair->a, bytes, 8, SILL_NEVER), 3);
    suite_yield(3);

    sill_time begin = sill_now();

    ck_assert_int_eq(sill_stream_read(&pair->a, bytes, 8, far_from(begin)), 0);
    ck_assert_int_lt(sill_now() - begin, suite_liveness());
    suite_cancel(writer);
}

/* S-04: the end is the reader's, whatever a writer found out meanwhile. */
SILL_CASE(S, 04, end_arrives_while_a_writer_is_blocked)
{
    on_each_kind(end_beside_a_blocked_writer);
}

static void check_six(struct sill_stream *stream)
{
    char bytes[6];
    sill_time begin = sill_now();

    ck_assert_int_eq(
        sill_stream_read_full(stream, bytes, 6, NULL, far_from(begin)), 0);
    ck_assert_int_lt(sill_now() - begin, suite_liveness());
    ck_assert_mem_eq(bytes, "abcdef", 6);
}

/* S-01: a read ends at urgent data; what follows it arrives all the same. */
SILL_CASE(S, 01, urgent_data_does_not_hold_up_what_follows, fd)
{
    struct bare bare = open_bare();
    char byte;

    ck_assert_int_eq(sill_stream_read(&bare.stream, &byte, 1, SILL_PAST),
                     SILL_ETIMEDOUT);
    ck_assert_int_eq(send(bare.peer, "abc", 3, 0), 3);
    ck_assert_int_eq(send(bare.peer, "!", 1, MSG_OOB), 1);
    ck_assert_int_eq(send(bare.peer, "def", 3, 0), 3);
    check_six(&bare.stream);
    sill_stream_close(&bare.stream);
    close(bare.peer);
}

/* Sends three bytes over (peer), and (peer) itself with them. */
static void send_itself(int peer)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)),
                            .cmsg_level = SOL_SOCKET,
                            .cmsg_type = SCM_RIGHTS}};
    struct iovec piece = {(char[]){"abc"}, 3};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};

    message.msg_control = &control;
    message.msg_controllen = sizeof(control);
    memcpy(CMSG_DATA(&control.header), &peer, sizeof(peer));
    ck_assert_int_eq(sendmsg(peer, &message, 0), 3);
}

/* S-01: and so at passed descriptors, which nobody takes. */
SILL_CASE(S, 01, passed_descriptors_do_not_hold_up_what_follows, fd)
{
    struct sill_stream stream;
    int ends[2];
    char byte;

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends),
                     0);
    ck_assert_int_eq(sill_stream_adopt(&stream, ends[0]), 0);
    ck_assert_int_eq(sill_stream_read(&stream, &byte, 1, SILL_PAST),
                     SILL_ETIMEDOUT);
    send_itself(ends[1]);
    ck_assert_int_eq(send(ends[1], "def", 3, 0), 3);
    check_six(&stream);
    sill_stream_close(&stream);
    close(ends[1]);
}

/* ---- S-14: receive first, send later ---- */

struct parked {
    struct sill_stream *stream;
    const char *name;
    sill_task_fn *call;
    bool ended;
};

static int call_read(void *arg)
{
    struct parked *self = arg;
    char bytes[6];
    ssize_t n = sill_stream_read(self->stream, bytes, 6, SILL_NEVER);

    self->ended = true;
    return n == 6 && memcmp(bytes, "ab\ncd\n", 6) == 0;
}

static int call_read_full(void *arg)
{
    struct parked *self = arg;
    char bytes[6];
    int rc = sill_stream_read_full(self->stream, bytes, 6, NULL, SILL_NEVER);

    self->ended = true;
    return rc == 0 && memcmp(bytes, "ab\ncd\n", 6) == 0;
}

static int call_line(void *arg)
{
    struct parked *self = arg;
    struct sill_reader reader;
    char room[16];
    const char *view;

    sill_reader_init(&reader, self->stream, room, sizeof(room));
    bool right = sill_reader_line(&reader, &view, SILL_NEVER) == 2;
    self->ended = true;
    return right && memcmp(view, "ab", 2) == 0 &&
           sill_reader_line(&reader, &view, SILL_NEVER) == 2;
}

static int call_read_until(void *arg)
{
    struct parked *self = arg;
    struct sill_reader reader;
    char room[16];
    const char *view;

    sill_reader_init(&reader, self->stream, room, sizeof(room));
    ssize_t n = sill_reader_read_until(&reader, "cd\n", 3, &view, SILL_NEVER);
    self->ended = true;
    return n == 6 && memcmp(view, "ab\ncd\n", 6) == 0;
}

static int call_peek(void *arg)
{
    struct parked *self = arg;
    struct sill_reader reader;
    char room[16];
    const char *view;

    sill_reader_init(&reader, self->stream, room, sizeof(room));
    ssize_t n = sill_reader_peek(&reader, 1, &view, SILL_NEVER);
    self->ended = true;
    return n == 6 && memcmp(view, "ab\ncd\n", 6) == 0;
}

static int call_fill(void *arg)
{
    struct parked *self = arg;
    struct sill_reader reader;
    char room[16];

    sill_reader_init(&reader, self->stream, room, sizeof(room));
    ssize_t n = sill_reader_fill(&reader, SILL_NEVER);
    self->ended = true;
    return n == 6;
}

static int call_reader_read(void *arg)
{
    struct parked *self = arg;
    struct sill_reader reader;
    char room[16], bytes[16];

    sill_reader_init(&reader, self->stream, room, sizeof(room));
    ssize_t n = sill_reader_read(&reader, bytes, sizeof(bytes), SILL_NEVER);
    self->ended = true;
    return n == 6 && memcmp(bytes, "ab\ncd\n", 6) == 0;
}

static void receive_first(struct suite_pair *pair)
{
    struct parked calls[] = {
        {&pair->b, "read", call_read, false},
        {&pair->b, "read_full", call_read_full, false},
        {&pair->b, "line", call_line, false},
        {&pair->b, "read_until", call_read_until, false},
        {&pair->b, "peek", call_peek, false},
        {&pair->b, "fill", call_fill, false},
        {&pair->b, "reader_read", call_reader_read, false},
    };

    for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
        struct sill_task *task = suite_spawn(calls[i].call, &calls[i]);
        suite_note("%s, kind %d", calls[i].name, pair->kind);
        suite_yield(3);
        ck_assert(!calls[i].ended);
        ck_assert_int_eq(sill_stream_write(&pair->a, "ab\ncd\n", 6, SILL_NEVER),
                         6);
        ck_assert_int_eq(suite_await(task), 1);
    }
}

/* S-14: the parked path, receive first, send later, for every call. */
SILL_CASE(S, 14, receive_first_send_later)
{
    on_each_kind(receive_first);
}

static int call_write(void *arg)
{
    struct parked *self = arg;
    ssize_t n = sill_stream_write(self->stream, "ab\ncd\n", 6, SILL_NEVER);

    self->ended = true;
    return n > 0;
}

static int call_writev(void *arg)
{
    struct parked *self = arg;
    struct iovec pieces[] = {{(char[]){"ab\n"}, 3}, {(char[]){"cd\n"}, 3}};
    ssize_t n = sill_stream_writev(self->stream, pieces, 2, SILL_NEVER);

    self->ended = true;
    return n > 0;
}

static int call_write_all(void *arg)
{
    struct parked *self = arg;
    int rc = sill_stream_write_all(self->stream, "ab\n", 3, NULL, SILL_NEVER);

    self->ended = true;
    return rc == 0;
}

static int call_writev_all(void *arg)
{
    struct parked *self = arg;
    struct iovec pieces[] = {{(char[]){"ab\n"}, 3}, {(char[]){"cd\n"}, 3}};
    int rc = sill_stream_writev_all(self->stream, pieces, 2, NULL, SILL_NEVER);

    self->ended = true;
    return rc == 0;
}

/* Takes all there is, until (task) has written what it wanted to. */
static void drop_until(struct sill_stream *stream, const bool *ended)
{
    static char dropped[65536];
    ssize_t n = 1;

    while (!*ended || n > 0) {
        n = sill_stream_read(stream, dropped, sizeof(dropped), SILL_PAST);
        ck_assert(n > 0 || n == SILL_ETIMEDOUT);
        suite_yield(1);
    }
}

static void send_first(struct suite_pair *pair)
{
    struct parked calls[] = {
        {&pair->a, "write", call_write, false},
        {&pair->a, "writev", call_writev, false},
        {&pair->a, "write_all", call_write_all, false},
        {&pair->a, "writev_all", call_writev_all, false},
    };

    for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
        suite_fill(&pair->a);
        struct sill_task *task = suite_spawn(calls[i].call, &calls[i]);
        suite_note("%s, kind %d", calls[i].name, pair->kind);
        suite_yield(3);
        ck_assert(!calls[i].ended);
        drop_until(&pair->b, &calls[i].ended);
        ck_assert_int_eq(suite_await(task), 1);
    }
}

/* S-14, the other way: a writer waits first, the peer reads later. */
SILL_CASE(S, 14, write_first_make_room_later)
{
    on_each_kind(send_first);
}

/* ---- S-15: what the system does to a call ---- */

static const enum fault_call movers[] = {
    FAULT_read,  FAULT_readv, FAULT_recv,   FAULT_recvfrom, FAULT_recvmsg,
    FAULT_write, FAULT_send,  FAULT_sendto, FAULT_sendmsg,  FAULT_writev,
};

enum { MOVERS = sizeof(movers) / sizeof(*movers) };

static long strikes(void)
{
    long sum = 0;

    for (int i = 0; i < MOVERS; i++)
        sum += fault_strikes(movers[i]);
    return sum;
}

static void move_a_few_bytes_at_once(struct suite_pair *pair)
{
    for (size_t most = 1; most <= 1000; most = most * 10 + 1) {
        for (int i = 0; i < MOVERS; i++)
            fault_short(movers[i], most);
        transfer(&pair->a, &pair->b, 20 * most + 3000, 4000, most);
        fault_clear();
    }
    for (int i = 0; i < MOVERS; i++)
        fault_short(movers[i], 3);
    ping_pong(pair);
    fault_clear();
}

/* S-15: short reads and writes change nothing visible. */
SILL_CASE(S, 15, short_reads_and_writes_change_nothing)
{
    on_each_kind(move_a_few_bytes_at_once);
}

/* A task that has the next calls interrupted in each round, and the next look
 * outside in one of two, at random, until told. */
struct interrupter {
    bool stop;
    long struck;
};

static int interrupt_calls(void *arg)
{
    struct interrupter *self = arg;
    uint64_t seed = 1;
    int rc = 0;

    while (rc == 0 && !self->stop) {
        self->struck += strikes();
        fault_clear();
        for (int i = 0; i < MOVERS; i++)
            fault_nth(movers[i], 1, EINTR);
        fault_nth(FAULT_poll, 1, EINTR);
        if (random_size(&seed, 2) == 1) {
            fault_nth(FAULT_epoll_wait, 1, EINTR);
            fault_nth(FAULT_epoll_pwait2, 1, EINTR);
        }
        rc = sill_yield();
    }
    fault_clear();
    return rc;
}

static void move_interrupted(struct suite_pair *pair)
{
    struct interrupter interrupter = {false, 0};
    struct sill_task *task = suite_spawn(interrupt_calls, &interrupter);

    transfer(&pair->a, &pair->b, 200000, 999, 77);
    interrupter.stop = true;
    ck_assert_int_eq(suite_await(task), 0);
    if (pair->kind != SUITE_MEMORY)
        ck_assert_int_gt(interrupter.struck, 10);
    ping_pong(pair);
}

/* S-15: calls that a signal interrupts are made again. */
SILL_CASE(S, 15, interrupted_calls_change_nothing, fd)
{
    on_each_kind(move_interrupted);
}

/* ---- S-16: exact, or poisoned ---- */

static void full_and_late(struct suite_pair *pair)
{
    char bytes[8];
    size_t done = 99;

    ck_assert_int_eq(
        sill_stream_read_full(&pair->b, bytes, 8, &done, SILL_PAST),
        SILL_ETIMEDOUT);
    ck_assert_uint_eq(done, 0);
    ck_assert_int_eq(sill_stream_write(&pair->a, "abc", 3, SILL_NEVER), 3);
    ck_assert_int_eq(
        sill_stream_read_full(&pair->b, bytes, 3, &done, SILL_NEVER), 0);
    ck_assert_uint_eq(done, 3);
    ck_assert_int_eq(sill_stream_write(&pair->a, "defg", 4, SILL_NEVER), 4);
    ck_assert_int_eq(sill_stream_read_full(&pair->b, bytes, 8, &done,
                                           sill_after(SILL_MILLISECOND)),
                     SILL_ETIMEDOUT);
    ck_assert_uint_eq(done, 4);
    ck_assert_mem_eq(bytes, "defg", 4);
    ck_assert_int_eq(sill_stream_write(&pair->a, "hi", 2, SILL_NEVER), 2);
    ck_assert_int_eq(sill_stream_read(&pair->b, bytes, 1, SILL_NEVER),
                     SILL_EPOISONED);
    ck_assert_int_eq(
        sill_stream_read_full(&pair->b, bytes, 1, NULL, SILL_NEVER),
        SILL_EPOISONED);
    transfer(&pair->b, &pair->a, 1000, 100, 5);
}

/* stream.h, read_full: (done) says how far it came; "A failure after the first
 * byte poisons this direction", and no other one; a failure before poisons
 * nothing. */
SILL_CASE(S, 16, late_read_full_poisons_its_direction)
{
    on_each_kind(full_and_late);
}

static void full_and_ended(struct suite_pair *pair)
{
    char bytes[8];
    size_t done = 99;

    ck_assert_int_eq(sill_stream_write(&pair->a, "abc", 3, SILL_NEVER), 3);
    ck_assert_int_eq(sill_stream_shutdown(&pair->a, SILL_NEVER), 0);
    ck_assert_int_eq(
        sill_stream_read_full(&pair->b, bytes, 8, &done, SILL_NEVER), SILL_EOF);
    ck_assert_uint_eq(done, 3);
    ck_assert_mem_eq(bytes, "abc", 3);
    ck_assert_int_eq(sill_stream_read(&pair->b, bytes, 1, SILL_NEVER),
                     SILL_EPOISONED);
}

/* stream.h, read_full: "SILL_EOF when the stream ended before". */
SILL_CASE(S, 16, read_full_cut_by_the_end_poisons_its_direction)
{
    on_each_kind(full_and_ended);
}

struct exact {
    struct sill_stream *stream;
    size_t done;
    int rc;
};

static int read_exactly(void *arg)
{
    struct exact *self = arg;
    char bytes[8];

    self->rc = sill_stream_read_full(self->stream, bytes, sizeof(bytes),
                                     &self->done, SILL_NEVER);
    return 0;
}

static void full_and_cancelled(struct suite_pair *pair)
{
    struct exact exact = {&pair->b, 99, 0};
    struct sill_task *task = suite_spawn(read_exactly, &exact);
    char byte;

    suite_yield(3);
    suite_cancel(task);
    ck_assert_int_eq(exact.rc, SILL_ECANCELED);
    ck_assert_uint_eq(exact.done, 0);
    ck_assert_int_eq(sill_stream_write(&pair->a, "abc", 3, SILL_NEVER), 3);
    ck_assert_int_eq(sill_stream_read(&pair->b, &byte, 1, SILL_NEVER), 1);
    task = suite_spawn(read_exactly, &exact);
    suite_yield(10);
    suite_cancel(task);
    ck_assert_int_eq(exact.rc, SILL_ECANCELED);
    ck_assert_uint_eq(exact.done, 2);
    ck_assert_int_eq(sill_stream_read(&pair->b, &byte, 1, SILL_NEVER),
                     SILL_EPOISONED);
}

/* A cancelled read_full poisons as well, but not before its first byte. */
SILL_CASE(S, 16, cancelled_read_full_poisons_its_direction)
{
    on_each_kind(full_and_cancelled);
}

static void all_and_late(struct suite_pair *pair)
{
    static unsigned char bytes[1 << 24];
    struct iovec piece = {bytes, 1};
    size_t done = 99;

    fill_pattern(bytes, 0, sizeof(bytes));
    ck_assert_int_eq(
        sill_stream_write_all(&pair->a, bytes, sizeof(bytes), &done, SILL_PAST),
        SILL_ETIMEDOUT);
    ck_assert_uint_gt(done, 0);
    ck_assert_uint_lt(done, sizeof(bytes));
    ck_assert_int_eq(sill_stream_write(&pair->a, "x", 1, SILL_NEVER),
                     SILL_EPOISONED);
    ck_assert_int_eq(sill_stream_writev(&pair->a, &piece, 1, SILL_NEVER),
                     SILL_EPOISONED);
    ck_assert_int_eq(sill_stream_write_all(&pair->a, "x", 1, &done, SILL_NEVER),
                     SILL_EPOISONED);
    ck_assert_uint_eq(done, 0);
    transfer(&pair->b, &pair->a, 1000, 100, 5);
}

/* stream.h, write_all: "A failure after the first byte poisons this
 * direction", and no other one. */
SILL_CASE(S, 16, late_write_all_poisons_its_direction)
{
    on_each_kind(all_and_late);
}

static void all_says_how_far(struct suite_pair *pair)
{
    static unsigned char bytes[1 << 24];
    struct iovec pieces[] = {{bytes, 100}, {bytes + 100, sizeof(bytes) - 100}};
    size_t done = 0;

    fill_pattern(bytes, 0, sizeof(bytes));
    ck_assert_int_eq(sill_stream_writev_all(&pair->a, pieces, 2, &done,
                                            sill_after(SILL_MILLISECOND)),
                     SILL_ETIMEDOUT);
    ck_assert_int_eq(sill_stream_shutdown(&pair->a, SILL_NEVER), 0);
    ck_assert_int_eq(drink(&(struct flow){&pair->b, done, 65536, 1}), 0);
    check_end(&pair->b);
}

/* stream.h: "(done) receives how many were taken": so many reach the peer. */
SILL_CASE(S, 16, failed_writev_all_says_how_many_were_taken)
{
    on_each_kind(all_says_how_far);
}

static void all_and_nothing(struct suite_pair *pair)
{
    size_t size = suite_fill(&pair->a), done = 99;

    ck_assert_int_eq(sill_stream_write_all(&pair->a, "abc", 3, &done,
                                           sill_after(SILL_MILLISECOND)),
                     SILL_ETIMEDOUT);
    ck_assert_uint_eq(done, 0);
    drop(&pair->b, size);
    transfer(&pair->a, &pair->b, 1000, 100, 6);
}

/* A write_all that failed before its first byte poisons nothing. */
SILL_CASE(S, 16, write_all_that_took_nothing_poisons_nothing)
{
    on_each_kind(all_and_nothing);
}

static void until_and_late(struct suite_pair *pair)
{
    struct sill_reader reader;
    const char *view;
    char room[32];

    sill_reader_init(&reader, &pair->b, room, sizeof(room));
    ck_assert_int_eq(sill_stream_write(&pair->a, "half a ", 7, SILL_NEVER), 7);
    ck_assert_int_eq(sill_reader_read_until(&reader, "\r\n", 2, &view,
                                            sill_after(SILL_MILLISECOND)),
                     SILL_ETIMEDOUT);
    ck_assert_int_eq(sill_stream_write(&pair->a, "line\r\n", 6, SILL_NEVER), 6);
    ck_assert_int_eq(
        sill_reader_read_until(&reader, "\r\n", 2, &view, SILL_NEVER), 13);
    ck_assert_mem_eq(view, "half a line\r\n", 13);
}

/* reader.h: "A failed call takes nothing: what arrived stays for the next
 * one": read_until needs no poison. */
SILL_CASE(S, 16, late_read_until_keeps_what_arrived)
{
    on_each_kind(until_and_late);
}
