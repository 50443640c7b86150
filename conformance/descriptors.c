/* SPDX-License-Identifier: MIT */
/*
 * Group F: waiting on descriptors that belong to somebody else, <sill/watch.h>.
 */
#include "faults.h"
#include "suite.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* Two connected descriptors, neither of which blocks. */
struct ends {
    int a, b;
};

static struct ends open_ends(void)
{
    int fds[2];

    ck_assert_int_eq(
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds),
        0);
    return (struct ends){fds[0], fds[1]};
}

static struct ends open_tcp_ends(void)
{
    struct sockaddr_in where = {.sin_family = AF_INET};
    socklen_t size = sizeof(where);
    int type = SOCK_STREAM | SOCK_CLOEXEC;
    int listening = socket(AF_INET, type, 0);
    struct ends ends;

    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_eq(bind(listening, (struct sockaddr *)&where, size), 0);
    ck_assert_int_eq(listen(listening, 1), 0);
    getsockname(listening, (struct sockaddr *)&where, &size);
    ends.a = socket(AF_INET, type, 0);
    ck_assert_int_eq(connect(ends.a, (struct sockaddr *)&where, size), 0);
    ends.b = accept(listening, NULL, NULL);
    ck_assert_int_ge(ends.b, 0);
    close(listening);
    fcntl(ends.a, F_SETFL, O_NONBLOCK);
    fcntl(ends.b, F_SETFL, O_NONBLOCK);
    return ends;
}

static void close_ends(struct ends ends)
{
    close(ends.a);
    close(ends.b);
}

static void reset(int fd)
{
    struct linger at_once = {1, 0};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    close(fd);
}

static void put(int fd)
{
    ck_assert_int_eq(write(fd, "x", 1), 1);
}

static void take(int fd)
{
    char byte;

    ck_assert_int_eq(read(fd, &byte, 1), 1);
}

/* Writes until nothing more goes in. */
static void fill(int fd)
{
    static char block[65536];
    ssize_t n;

    do
        n = write(fd, block, sizeof(block));
    while (n > 0);
    ck_assert_int_eq(errno, EAGAIN);
}

/* TCP makes room for a while yet: delayed acknowledgements, window probes. */
static void fill_for_good(int fd)
{
    struct pollfd room = {fd, POLLOUT, 0};

    do
        fill(fd);
    while (poll(&room, 1, 250) > 0);
}

/* Reads until nothing more comes out. */
static void drain(int fd)
{
    static char block[65536];

    while (read(fd, block, sizeof(block)) > 0)
        continue;
    ck_assert_int_eq(errno, EAGAIN);
}

static struct sill_watch watch_fd(int fd)
{
    struct sill_watch watch = {0};

    ck_assert_int_eq(sill_watch_open(&watch, fd), 0);
    return watch;
}

/* A task that waits once. */
struct waiter {
    struct sill_watch *watch;
    unsigned directions;
    struct sill_task *task;
    bool ended;
};

static int waiter_main(void *arg)
{
    struct waiter *self = arg;
    int rc = sill_watch_wait(self->watch, self->directions, SILL_NEVER);

    self->ended = true;
    return rc;
}

/* Sleeps long enough for a loop that spins to be noticed, and checks that it
 * hardly used a processor meanwhile. */
static void check_rests(void)
{
    sill_duration before = suite_cpu();

    ck_assert_int_eq(sill_sleep(sill_after(200 * SILL_MILLISECOND)), 0);
    sill_duration used = suite_cpu() - before;
    ck_assert_int_lt(used, (sill_duration)(20e6 * suite_scale()));
}

/* Lets a task wait on (watch); it does when this returns. */
static void waiter_park(struct waiter *self, struct sill_watch *watch,
                        unsigned directions)
{
    *self = (struct waiter){.watch = watch, .directions = directions};
    self->task = suite_spawn(waiter_main, self);
    suite_yield(3);
    ck_assert(!self->ended);
}

/* watch.h: "Waits until the descriptor is ready": data came before the wait,
 * and before or after the watch began. */
SILL_CASE(F, 01, readable_when_data_came_before_the_wait)
{
    struct ends ends = open_ends();

    put(ends.b);
    struct sill_watch watch = watch_fd(ends.a);
    ck_assert_int_eq(sill_watch_wait(&watch, SILL_READ, SILL_NEVER), SILL_READ);
    take(ends.a);
    put(ends.b);
    ck_assert_int_eq(sill_watch_wait(&watch, SILL_READ, SILL_NEVER), SILL_READ);
    sill_watch_close(&watch);
    close_ends(ends);
}

/* time.h: a past deadline means "try once, do not wait". */
SILL_CASE(F, 01, past_deadline_tells_what_is_ready_now)
{
    struct ends ends = open_ends();
    struct sill_watch watch = watch_fd(ends.a);

    ck_assert_int_eq(sill_watch_wait(&watch, SILL_READ, SILL_PAST),
                     SILL_ETIMEDOUT);
    put(ends.b);
    ck_assert_int_eq(sill_watch_wait(&watch, SILL_READ, SILL_PAST), SILL_READ);
    ck_assert_int_eq(sill_watch_wait(&watch, SILL_READ, SILL_PAST), SILL_READ);
    take(ends.a);
    ck_assert_int_eq(sill_watch_wait(&watch, SILL_READ, SILL_PAST),
                     SILL_ETIMEDOUT);
    sill_watch_close(&watch);
    close_ends(ends);
}

/* watch.h: "Waits until the descriptor is ready": data comes during it. */
SILL_CASE(F, 02, readable_when_data_comes_during_the_wait)
{
    struct ends ends = open_ends();
    struct sill_watch watch = watch_fd(ends.a);
    struct waiter waiter;

    for (int i = 0; i < 3; i++) {
        waiter_park(&waiter, &watch, SILL_READ);
        put(ends.b);
        ck_assert_int_eq(suite_await(waiter.task), SILL_READ);
        take(ends.a);
    }
    sill_watch_close(&watch);
    close_ends(ends);
}

/* watch.h: ready for writing at once when fresh. */
SILL_CASE(F, 03, writable_at_once_when_fresh)
{
    struct ends ends = open_ends();
    struct sill_watch watch = watch_fd(ends.a);

    ck_assert_int_eq(sill_watch_wait(&watch, SILL_WRITE, SILL_PAST),
                     SILL_WRITE);
    ck_assert_int_eq(sill_watch_wait(&watch, SILL_WRITE, SILL_NEVER),
                     SILL_WRITE);
    sill_watch_close(&watch);
    close_ends(ends);
}

/* watch.h: waits for writing when full, wakes when drained, as often as one
 * likes. */
SILL_CASE(F, 03, full_waits_and_drained_wakes)
{
    struct ends ends = open_ends();
    struct sill_watch watch = watch_fd(ends.a);
    struct waiter waiter;

    for (int i = 0; i < 3; i++) {
        fill(ends.a);
        ck_assert_int_eq(sill_watch_wait(&watch, SILL_WRITE, SILL_PAST),
                         SILL_ETIMEDOUT);
        waiter_park(&waiter, &watch, SILL_WRITE);
        drain(ends.b);
        ck_assert_int_eq(suite_await(waiter.task), SILL_WRITE);
    }
    sill_watch_close(&watch);
    close_ends(ends);
}

/* watch.h: "One task may wait for reading while another waits for writing":
 * what wakes the reader leaves the writer asleep ... */
SILL_CASE(F, 04, reader_wakes_without_the_writer)
{
    struct ends ends = open_ends();
    struct sill_watch watch = watch_fd(ends.a);
    struct waiter reader, writer;

    fill(ends.a);
    waiter_park(&writer, &watch, SILL_WRITE);
    waiter_park(&reader, &watch, SILL_READ);
    put(ends.b);
    ck_assert_int_eq(suite_await(reader.task), SILL_READ);
    suite_yield(10);
    ck_assert(!writer.ended);
    drain(ends.b);
    ck_assert_int_eq(suite_await(writer.task), SILL_WRITE);
    sill_watch_close(&watch);
    close_ends(ends);
}

/* ... and the reverse. */
SILL_CASE(F, 04, writer_wakes_without_the_reader)
{
    struct ends ends = open_ends();
    struct sill_watch watch = watch_fd(ends.a);
    struct waiter reader, writer;

    fill(ends.a);
    waiter_park(&reader, &watch, SILL_READ);
    waiter_park(&writer, &watch, SILL_WRITE);
    drain(ends.b);
    ck_assert_int_eq(suite_await(writer.task), SILL_WRITE);
    suite_yield(10);
    ck_assert(!reader.ended);
    put(ends.b);
    ck_assert_int_eq(suite_await(reader.task), SILL_READ);
    sill_watch_close(&watch);
    close_ends(ends);
}

/* Both directions at once wake both. */
SILL_CASE(F, 04, reader_and_writer_wake_together)
{
    struct ends ends = open_ends();
    struct sill_watch watch = watch_fd(ends.a);
    struct waiter reader, writer;

    fill(ends.a);
    waiter_park(&reader, &watch, SILL_READ);
    waiter_park(&writer, &watch, SILL_WRITE);
    put(ends.b);
    drain(ends.b);
    ck_assert_int_eq(suite_await(reader.task), SILL_READ);
    ck_assert_int_eq(suite_await(writer.task), SILL_WRITE);
    sill_watch_close(&watch);
    close_ends(ends);
}

/* watch.h: returns "the ready ones among (directions)", asked before. */
SILL_CASE(F, 05, either_says_which_is_ready)
{
    struct ends ends = open_ends();
    struct sill_watch watch = watch_fd(ends.a);
    unsigned either = SILL_READ | SILL_WRITE;

    ck_assert_int_eq(sill_watch_wait(&watch, either, SILL_NEVER), SILL_WRITE);
    put(ends.b);
    ck_assert_int_eq(sill_watch_wait(&watch, either, SILL_NEVER),
                     SILL_READ | SILL_WRITE);
    fill(ends.a);
    ck_assert_int_eq(sill_watch_wait(&watch, either, SILL_NEVER), SILL_READ);
    take(ends.a);
    ck_assert_int_eq(sill_watch_wait(&watch, either, SILL_PAST),
                     SILL_ETIMEDOUT);
    sill_watch_close(&watch);
    close_ends(ends);
}

/* watch.h: returns "the ready ones among (directions)", after a wait. */
SILL_CASE(F, 05, wait_for_either_says_which_woke_it)
{
    struct ends ends = open_ends();
    struct sill_watch watch = watch_fd(ends.a);
    struct waiter waiter;

    fill(ends.a);
    waiter_park(&waiter, &watch, SILL_READ | SILL_WRITE);
    put(ends.b);
    ck_assert_int_eq(suite_await(waiter.task), SILL_READ);
    take(ends.a);
    waiter_park(&waiter, &watch, SILL_READ | SILL_WRITE);
    drain(ends.b);
    ck_assert_int_eq(suite_await(waiter.task), SILL_WRITE);
    sill_watch_close(&watch);
    close_ends(ends);
}

/* watch.h: "the end of the peer counts as ready": it wakes the reader, whether
 * the peer closed or only ended its writing. */
SILL_CASE(F, 06, end_of_the_peer_wakes_the_reader)
{
    for (int half = 0; half < 2; half++) {
        struct ends ends = open_tcp_ends();
        struct sill_watch watch = watch_fd(ends.a);
        struct waiter reader;

        waiter_park(&reader, &watch, SILL_READ);
        if (half)
            shutdown(ends.b, SHUT_WR);
        else
            close(ends.b);
        ck_assert_int_eq(suite_await(reader.task), SILL_READ);
        ck_assert_int_eq(sill_watch_wait(&watch, SILL_READ, SILL_NEVER),
                         SILL_READ);
        sill_watch_close(&watch);
        if (half)
            close(ends.b);
        close(ends.a);
    }
}

/* The same when it came before the wait. */
SILL_CASE(F, 06, end_of_the_peer_is_seen_by_a_later_wait)
{
    struct ends ends = open_ends();
    struct sill_watch watch = watch_fd(ends.a);

    close(ends.b);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(sill_watch_wait(&watch, SILL_READ, SILL_NEVER),
                         SILL_READ);
    sill_watch_close(&watch);
    close(ends.a);
}

/* watch.h: "An error or the end of the peer counts as ready in both". */
static void wakes_both(struct ends ends, void (*end)(int fd))
{
    struct sill_watch watch = watch_fd(ends.a);
    struct waiter reader, writer;

    fill_for_good(ends.a);
    waiter_park(&reader, &watch, SILL_READ);
    waiter_park(&writer, &watch, SILL_WRITE);
    end(ends.b);
    ck_assert_int_eq(suite_await(reader.task), SILL_READ);
    ck_assert_int_eq(suite_await(writer.task), SILL_WRITE);
    sill_watch_close(&watch);
    close(ends.a);
}

static void close_end(int fd)
{
    close(fd);
}

SILL_CASE(F, 06, hang_up_wakes_both)
{
    wakes_both(open_ends(), close_end);
}

SILL_CASE(F, 06, reset_wakes_both)
{
    wakes_both(open_tcp_ends(), reset);
}

/* A reset that came before the wait is ready in both, too. */
SILL_CASE(F, 06, reset_before_the_wait_is_ready_in_both)
{
    struct ends ends = open_tcp_ends();
    struct sill_watch watch = watch_fd(ends.a);
    unsigned both = SILL_READ | SILL_WRITE;

    fill_for_good(ends.a);
    reset(ends.b);
    ck_assert_int_eq(sill_watch_wait(&watch, SILL_WRITE, SILL_NEVER),
                     SILL_WRITE);
    ck_assert_int_eq(sill_watch_wait(&watch, SILL_READ, SILL_NEVER), SILL_READ);
    ck_assert_int_eq(sill_watch_wait(&watch, both, SILL_NEVER), both);
    sill_watch_close(&watch);
    close(ends.a);
}

/* F-07: after a partial read, waiting again reports again. */
SILL_CASE(F, 07, rest_of_a_partial_read_is_reported_again)
{
    struct ends ends = open_ends();
    struct sill_watch watch = watch_fd(ends.a);
    struct waiter waiter;

    waiter_park(&waiter, &watch, SILL_READ);
    ck_assert_int_eq(write(ends.b, "abcde", 5), 5);
    ck_assert_int_eq(suite_await(waiter.task), SILL_READ);
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(sill_watch_wait(&watch, SILL_READ, SILL_NEVER),
                         SILL_READ);
        take(ends.a);
    }
    ck_assert_int_eq(sill_watch_wait(&watch, SILL_READ, SILL_PAST),
                     SILL_ETIMEDOUT);
    sill_watch_close(&watch);
    close_ends(ends);
}

/* watch.h: "Tasks that wait wake with SILL_ECLOSED", the reader and the
 * writer; the descriptor stays open; "Twice is harmless". */
SILL_CASE(F, 08, close_wakes_all_waiters)
{
    struct ends ends = open_ends();
    struct sill_watch watch = watch_fd(ends.a);
    struct waiter reader, writer;

    fill(ends.a);
    waiter_park(&reader, &watch, SILL_READ);
    waiter_park(&writer, &watch, SILL_WRITE);
    sill_watch_close(&watch);
    sill_watch_close(&watch);
    ck_assert_int_eq(suite_await(reader.task), SILL_ECLOSED);
    ck_assert_int_eq(suite_await(writer.task), SILL_ECLOSED);
    ck_assert_int_ge(fcntl(ends.a, F_GETFD), 0);
    close_ends(ends);
}

static void race_wait(const int order[], void *arg)
{
    struct ends ends = open_ends();
    struct sill_watch watch = watch_fd(ends.a);
    struct waiter waiter;

    (void)arg;
    suite_note("order %d %d %d", order[0], order[1], order[2]);
    waiter_park(&waiter, &watch, SILL_READ);
    for (int i = 0; i < 3; i++) {
        if (order[i] == 0)
            put(ends.b);
        if (order[i] == 1)
            ck_assert_int_eq(sill_cancel(waiter.task, SILL_PAST),
                             SILL_ETIMEDOUT);
        if (order[i] == 2)
            sill_watch_close(&watch);
    }
    int rc = suite_await(waiter.task);
    ck_assert(rc == SILL_READ || rc == SILL_ECLOSED || rc == SILL_ECANCELED);
    close_ends(ends);
}

/* Bytes, cancel and close in one round, in every order: one of them is the
 * outcome, and nothing is left behind. */
SILL_CASE(F, 08, close_and_all_else_in_every_order)
{
    suite_permute(3, race_wait, NULL);
}

static int close_watch(void *watch)
{
    sill_watch_close(watch);
    return 0;
}

/* Nor has the wait to have begun: it lets others run before (task.h). */
SILL_CASE(F, 08, close_while_wait_lets_others_run)
{
    struct ends ends = open_ends();
    struct sill_watch watch = watch_fd(ends.a);
    struct sill_task *closer = suite_spawn(close_watch, &watch);

    for (int i = 0; i < 64; i++)
        ck_assert_int_eq(sill_watch_wait(&watch, SILL_READ, SILL_PAST),
                         SILL_ETIMEDOUT);
    ck_assert_int_eq(sill_watch_wait(&watch, SILL_READ, SILL_NEVER),
                     SILL_ECLOSED);
    ck_assert_int_eq(suite_await(closer), 0);
    close_ends(ends);
}

/* watch.h: SILL_ECLOSED also before the wait; a zeroed watch is closed. */
SILL_CASE(F, 08, wait_after_close_says_closed)
{
    struct ends ends = open_ends();
    struct sill_watch watch = watch_fd(ends.a);
    struct sill_watch never = {0};

    put(ends.b);
    sill_watch_close(&watch);
    ck_assert_int_eq(sill_watch_wait(&watch, SILL_READ, SILL_NEVER),
                     SILL_ECLOSED);
    ck_assert_int_eq(sill_watch_wait(&never, SILL_READ, SILL_NEVER),
                     SILL_ECLOSED);
    sill_watch_close(&never);
    close_ends(ends);
}

/*
 * F-08: the reused number gets no stale event. What the old descriptor has to
 * report comes before its close (0), between close and reuse (1), or after
 * (2); (kept) keeps a duplicate of it open, as a forked child would.
 */
static void reuse_number(int when, bool kept)
{
    struct ends old = open_ends(), young = open_ends();
    struct sill_watch watch = watch_fd(old.a);
    struct waiter waiter;
    int number = old.a, twin = dup(old.a);

    waiter_park(&waiter, &watch, SILL_READ);
    if (when == 0)
        put(old.b);
    sill_watch_close(&watch);
    close(number);
    if (!kept)
        close(twin);
    if (when == 1 && kept)
        put(old.b);
    ck_assert_int_eq(dup2(young.a, number), number);
    watch = watch_fd(number);
    if (when == 2 && kept)
        put(old.b);
    ck_assert_int_eq(
        sill_watch_wait(&watch, SILL_READ, sill_after(10 * SILL_MILLISECOND)),
        SILL_ETIMEDOUT);
    ck_assert_int_eq(suite_await(waiter.task), SILL_ECLOSED);
    waiter_park(&waiter, &watch, SILL_READ);
    put(young.b);
    ck_assert_int_eq(suite_await(waiter.task), SILL_READ);
    sill_watch_close(&watch);
    if (kept)
        close(twin);
    close(number);
    close(old.b);
    close_ends(young);
}

SILL_CASE(F, 08, reused_number_gets_no_stale_event)
{
    for (int when = 0; when < 3; when++) {
        reuse_number(when, false);
        reuse_number(when, true);
    }
}

/* watch.h: sill does "not close them": what was watched can be watched again,
 * and by then nothing of the first watch is left. */
SILL_CASE(F, 08, descriptor_can_be_watched_again)
{
    struct ends ends = open_ends();
    struct waiter waiter;

    for (int i = 0; i < 3; i++) {
        struct sill_watch watch = watch_fd(ends.a);

        waiter_park(&waiter, &watch, SILL_READ);
        put(ends.b);
        ck_assert_int_eq(suite_await(waiter.task), SILL_READ);
        take(ends.a);
        sill_watch_close(&watch);
    }
    close_ends(ends);
}

/* The same for a task that waited to write: a number that is always writable
 * now wakes nobody. */
SILL_CASE(F, 08, reused_number_of_a_writer_gets_no_stale_event)
{
    struct ends old = open_ends(), young = open_ends();
    struct sill_watch watch = watch_fd(old.a);
    struct waiter reader, writer;

    fill(old.a);
    waiter_park(&reader, &watch, SILL_READ);
    waiter_park(&writer, &watch, SILL_WRITE);
    sill_watch_close(&watch);
    ck_assert_int_eq(suite_await(reader.task), SILL_ECLOSED);
    ck_assert_int_eq(suite_await(writer.task), SILL_ECLOSED);
    ck_assert_int_eq(dup2(young.a, old.a), old.a);
    watch = watch_fd(old.a);
    waiter_park(&reader, &watch, SILL_READ);
    check_rests();
    put(young.b);
    ck_assert_int_eq(suite_await(reader.task), SILL_READ);
    sill_watch_close(&watch);
    close_ends(old);
    close_ends(young);
}

/* Many descriptors become ready at once, and the first task that runs puts
 * others in their places: events of the same look outside are not theirs. */
enum { BATCH = 8 };

struct batch {
    struct ends old[BATCH], young[BATCH];
    struct sill_watch watches[BATCH], replaced[BATCH];
    struct waiter waiters[BATCH];
    bool done;
};

static int replace_all(void *arg)
{
    struct batch *batch = arg;
    int rc = sill_watch_wait(&batch->watches[0], SILL_READ, SILL_NEVER);

    for (int i = 0; i < BATCH; i++) {
        sill_watch_close(&batch->watches[i]);
        dup2(batch->young[i].a, batch->old[i].a);
        batch->replaced[i] = watch_fd(batch->old[i].a);
    }
    batch->done = true;
    return rc;
}

SILL_CASE(F, 08, numbers_reused_within_one_batch_get_no_stale_event)
{
    static struct batch batch;

    for (int i = 0; i < BATCH; i++) {
        batch.old[i] = open_ends();
        batch.young[i] = open_ends();
        batch.watches[i] = watch_fd(batch.old[i].a);
    }
    struct sill_task *first = suite_spawn(replace_all, &batch);
    for (int i = 1; i < BATCH; i++)
        waiter_park(&batch.waiters[i], &batch.watches[i], SILL_READ);
    for (int i = 0; i < BATCH; i++)
        put(batch.old[i].b);
    ck_assert_int_eq(suite_await(first), SILL_READ);
    ck_assert(batch.done);
    sill_time deadline = sill_after(10 * SILL_MILLISECOND);
    for (int i = 0; i < BATCH; i++)
        ck_assert_int_eq(
            sill_watch_wait(&batch.replaced[i], SILL_READ, deadline),
            SILL_ETIMEDOUT);
    for (int i = 0; i < BATCH; i++) {
        if (i > 0) {
            int rc = suite_await(batch.waiters[i].task);
            ck_assert(rc == SILL_READ || rc == SILL_ECLOSED);
        }
        sill_watch_close(&batch.replaced[i]);
        close_ends(batch.old[i]);
        close_ends(batch.young[i]);
    }
}

/* watch.h: SILL_EBUSY, "another task waits for one of them, undisturbed". */
SILL_CASE(F, 09, second_waiter_in_one_direction_is_refused)
{
    struct ends ends = open_ends();
    struct sill_watch watch = watch_fd(ends.a);
    unsigned either = SILL_READ | SILL_WRITE;
    struct waiter first;

    waiter_park(&first, &watch, SILL_READ);
    ck_assert_int_eq(sill_watch_wait(&watch, SILL_READ, SILL_NEVER),
                     SILL_EBUSY);
    ck_assert_int_eq(sill_watch_wait(&watch, either, SILL_NEVER), SILL_EBUSY);
    ck_assert_int_eq(sill_watch_wait(&watch, SILL_WRITE, SILL_NEVER),
                     SILL_WRITE);
    ck_assert(!first.ended);
    put(ends.b);
    ck_assert_int_eq(suite_await(first.task), SILL_READ);
    ck_assert_int_eq(sill_watch_wait(&watch, SILL_READ, SILL_NEVER), SILL_READ);
    sill_watch_close(&watch);
    close_ends(ends);
}

/* watch.h: "watch a duplicate for a second interest". */
SILL_CASE(F, 10, duplicated_descriptors_both_wake)
{
    struct ends ends = open_ends();
    int twin = dup(ends.a);
    struct sill_watch one = watch_fd(ends.a), two = watch_fd(twin);
    struct waiter first, second;

    for (int i = 0; i < 3; i++) {
        waiter_park(&first, &one, SILL_READ);
        waiter_park(&second, &two, SILL_READ);
        put(ends.b);
        ck_assert_int_eq(suite_await(first.task), SILL_READ);
        ck_assert_int_eq(suite_await(second.task), SILL_READ);
        take(twin);
    }
    sill_watch_close(&one);
    waiter_park(&second, &two, SILL_READ);
    put(ends.b);
    ck_assert_int_eq(suite_await(second.task), SILL_READ);
    sill_watch_close(&two);
    close(twin);
    close_ends(ends);
}

/* watch.h: "SILL_EPERM cannot be polled, such as a regular file" and
 * "SILL_EBADF not open"; SILL_EINVAL: no direction. */
SILL_CASE(F, 11, what_cannot_be_polled_is_refused)
{
    FILE *file = tmpfile();
    struct ends ends = open_ends();
    struct sill_watch watch = {0};
    int unused = dup(ends.a);

    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(sill_watch_open(&watch, fileno(file)), SILL_EPERM);
    ck_assert_int_eq(sill_watch_wait(&watch, SILL_READ, SILL_NEVER),
                     SILL_ECLOSED);
    close(unused);
    ck_assert_int_eq(sill_watch_open(&watch, unused), SILL_EBADF);
    ck_assert_int_eq(sill_watch_open(&watch, -1), SILL_EBADF);
    watch = watch_fd(ends.a);
    ck_assert_int_eq(sill_watch_wait(&watch, 0, SILL_NEVER), SILL_EINVAL);
    sill_watch_close(&watch);
    fclose(file);
    close_ends(ends);
}

/* watch.h: it is "somebody else's", who may want it to block. */
SILL_CASE(F, 11, flags_of_what_is_watched_stay)
{
    struct waiter waiter;
    int fds[2];

    ck_assert_int_eq(pipe(fds), 0);
    int flags = fcntl(fds[0], F_GETFL), cloexec = fcntl(fds[0], F_GETFD);
    struct sill_watch watch = watch_fd(fds[0]);
    waiter_park(&waiter, &watch, SILL_READ);
    put(fds[1]);
    ck_assert_int_eq(suite_await(waiter.task), SILL_READ);
    ck_assert_int_eq(fcntl(fds[0], F_GETFL), flags);
    ck_assert_int_eq(fcntl(fds[0], F_GETFD), cloexec);
    sill_watch_close(&watch);
    ck_assert_int_eq(fcntl(fds[0], F_GETFL), flags);
    close(fds[0]);
    close(fds[1]);
}

/* F-12: an event that nobody waits for does not spin the loop: bytes that
 * nobody reads ... */
SILL_CASE(F, 12, unread_bytes_do_not_spin)
{
    struct ends ends = open_ends();
    struct sill_watch watch = watch_fd(ends.a);
    struct waiter waiter;

    waiter_park(&waiter, &watch, SILL_READ);
    put(ends.b);
    ck_assert_int_eq(suite_await(waiter.task), SILL_READ);
    put(ends.b);
    check_rests();
    ck_assert_int_eq(sill_watch_wait(&watch, SILL_READ, SILL_NEVER), SILL_READ);
    sill_watch_close(&watch);
    close_ends(ends);
}

/* ... bytes that nobody reads while a task waits to write ... */
SILL_CASE(F, 12, unread_bytes_do_not_spin_beside_a_writer)
{
    struct ends ends = open_ends();
    struct sill_watch watch = watch_fd(ends.a);
    struct waiter reader, writer;

    fill(ends.a);
    waiter_park(&reader, &watch, SILL_READ);
    waiter_park(&writer, &watch, SILL_WRITE);
    put(ends.b);
    ck_assert_int_eq(suite_await(reader.task), SILL_READ);
    check_rests();
    ck_assert(!writer.ended);
    drain(ends.b);
    ck_assert_int_eq(suite_await(writer.task), SILL_WRITE);
    sill_watch_close(&watch);
    close_ends(ends);
}

/* ... room that nobody fills while a task waits to read ... */
SILL_CASE(F, 12, room_to_write_does_not_spin_beside_a_reader)
{
    struct ends ends = open_ends();
    struct sill_watch watch = watch_fd(ends.a);
    struct waiter reader, writer;

    fill(ends.a);
    waiter_park(&reader, &watch, SILL_READ);
    waiter_park(&writer, &watch, SILL_WRITE);
    drain(ends.b);
    ck_assert_int_eq(suite_await(writer.task), SILL_WRITE);
    check_rests();
    ck_assert(!reader.ended);
    put(ends.b);
    ck_assert_int_eq(suite_await(reader.task), SILL_READ);
    sill_watch_close(&watch);
    close_ends(ends);
}

/* ... and a peer that is gone, by a close or by a reset. */
SILL_CASE(F, 12, peer_that_is_gone_does_not_spin)
{
    for (int i = 0; i < 2; i++) {
        struct ends ends = open_tcp_ends();
        struct sill_watch watch = watch_fd(ends.a);
        struct waiter waiter;

        waiter_park(&waiter, &watch, SILL_READ);
        if (i == 0)
            close(ends.b);
        else
            reset(ends.b);
        ck_assert_int_eq(suite_await(waiter.task), SILL_READ);
        check_rests();
        ck_assert_int_eq(sill_watch_wait(&watch, SILL_READ, SILL_NEVER),
                         SILL_READ);
        sill_watch_close(&watch);
        close(ends.a);
    }
}

/* ... and a peer that writes no more while a task waits to write to it. */
SILL_CASE(F, 12, end_of_the_peer_does_not_spin_beside_a_writer)
{
    struct ends ends = open_ends();
    struct sill_watch watch = watch_fd(ends.a);
    struct waiter writer;

    fill(ends.a);
    waiter_park(&writer, &watch, SILL_WRITE);
    ck_assert_int_eq(shutdown(ends.b, SHUT_WR), 0);
    check_rests();
    ck_assert(!writer.ended);
    drain(ends.b);
    ck_assert_int_eq(suite_await(writer.task), SILL_WRITE);
    sill_watch_close(&watch);
    close_ends(ends);
}

/* Raises the limit of descriptors as far as it goes, and returns it. */
static int most_descriptors(void)
{
    struct rlimit limit;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    return limit.rlim_max < 100000 ? (int)limit.rlim_max : 100000;
}

/* F-13: numbers above 1 024 work, where select() would end. */
SILL_CASE(F, 13, high_numbers_work)
{
    struct ends ends = open_ends();
    int top = most_descriptors() - 1;
    int numbers[] = {1023, 1024, 1025, top < 4000 ? top : 4000, top};

    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
        struct waiter waiter;
        int fd = fcntl(ends.a, F_DUPFD_CLOEXEC, numbers[i]);

        ck_assert_int_ge(fd, numbers[i]);
        struct sill_watch watch = watch_fd(fd);
        waiter_park(&waiter, &watch, SILL_READ);
        put(ends.b);
        ck_assert_int_eq(suite_await(waiter.task), SILL_READ);
        take(ends.a);
        sill_watch_close(&watch);
        close(fd);
    }
    close_ends(ends);
}

/*
 * F-14: ten busy descriptors, each of which every round wakes. The rounds are
 * taken in slices, with and without idle descriptors by turns.
 */
enum { BUSY = 10, ROUNDS = 1000, SLICES = 9, IDLE = 10000 };

struct busy {
    struct ends ends;
    struct sill_watch watch;
    struct sill_task *task;
    int events;
};

static int busy_main(void *arg)
{
    struct busy *self = arg;
    char byte;

    for (;; self->events++) {
        int rc = sill_watch_wait(&self->watch, SILL_READ, SILL_NEVER);
        if (rc < 0)
            return rc;
        if (read(self->ends.a, &byte, 1) != 1)
            return SILL_EIO;
    }
}

/* Wakes each, and yields until each has come back. */
static void wake_busy(struct busy busy[BUSY], int round)
{
    for (int i = 0; i < BUSY; i++)
        if (write(busy[i].ends.b, "x", 1) != 1)
            ck_abort_msg("round %d: nothing written", round);
    for (int i = 0; i < BUSY; i++)
        while (busy[i].events < round)
            (void)sill_yield();
}

struct cost {
    sill_duration cpu;
    long polls; /* and whatever else is asked of the kernel about events */
};

static struct cost take_slice(struct busy busy[BUSY])
{
    int rounds = suite_many(ROUNDS);

    fault_clear();
    for (int i = 0; i < BUSY; i++)
        busy[i].events = 0;
    wake_busy(busy, 1);

    sill_duration before = suite_cpu();

    for (int round = 2; round <= rounds; round++)
        wake_busy(busy, round);
    return (struct cost){
        .cpu = suite_cpu() - before,
        .polls = fault_uses(FAULT_poll) + fault_uses(FAULT_epoll_wait) +
                 fault_uses(FAULT_epoll_pwait2) + fault_uses(FAULT_epoll_ctl),
    };
}

static struct {
    struct sill_watch watches[IDLE];
    int fds[IDLE], count;
} idle;

/* Returns how many were refused or not idle. */
static int add_idle(void)
{
    int failed = 0;

    for (int i = 0; i < idle.count; i++)
        failed += sill_watch_open(&idle.watches[i], idle.fds[i]) != 0 ||
                  sill_watch_wait(&idle.watches[i], SILL_READ, sill_after(1)) !=
                      SILL_ETIMEDOUT;
    return failed;
}

static void remove_idle(void)
{
    for (int i = 0; i < idle.count; i++)
        sill_watch_close(&idle.watches[i]);
}

static int compare_costs(const void *a, const void *b)
{
    const struct cost *x = a, *y = b;

    return (x->cpu > y->cpu) - (x->cpu < y->cpu);
}

/* The lower quartile of (slices). */
static struct cost usual(struct cost slices[SLICES])
{
    qsort(slices, SLICES, sizeof(slices[0]), compare_costs);
    return slices[SLICES / 4];
}

/*
 * F-14: 10 busy of 10 000 idle descriptors cost at most half as much again as
 * no idle ones; the half is for what is measured, which is some percent off
 * when the machine has other work. One nanosecond for each idle descriptor
 * and poll would be three times as much.
 */
SILL_CASE(F, 14, idle_descriptors_cost_nothing)
{
    static struct busy busy[BUSY];
    struct cost alone[SLICES], among_idle[SLICES];
    int room = most_descriptors() - 100, failed = 0;

    idle.count = room < IDLE ? room : IDLE;
    for (int i = 0; i < idle.count; i++)
        idle.fds[i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    for (int i = 0; i < BUSY; i++) {
        busy[i].ends = open_ends();
        busy[i].watch = watch_fd(busy[i].ends.a);
        busy[i].task = suite_spawn(busy_main, &busy[i]);
    }
    for (int i = 0; i < SLICES; i++) {
        alone[i] = take_slice(busy);
        failed += add_idle();
        among_idle[i] = take_slice(busy);
        remove_idle();
    }
    ck_assert_int_eq(failed, 0);

    struct cost few = usual(alone), many = usual(among_idle);

    suite_note("%lld ns alone, %lld among idle ones", (long long)few.cpu,
               (long long)many.cpu);
    ck_assert_int_le(many.cpu, few.cpu + few.cpu / 2);
    ck_assert_int_le(many.polls, few.polls + few.polls / 2);
    for (int i = 0; i < idle.count; i++)
        close(idle.fds[i]);
    for (int i = 0; i < BUSY; i++) {
        suite_cancel(busy[i].task);
        sill_watch_close(&busy[i].watch);
        close_ends(busy[i].ends);
    }
}
