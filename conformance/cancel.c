/* SPDX-License-Identifier: MIT */
/*
 * Group C: a task is cancelled wherever it waits, and nothing is lost by it.
 */
#include "suite.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* More than fits into any of the streams at once. */
enum { LARGE = 16 << 20 };

static char large[LARGE];

/* A task in one call that waits, with whatever such a call needs. */
struct parked {
    int (*call)(struct parked *parked);
    struct suite_pair pair;
    struct sill_listener listener;
    struct sill_address address;
    struct sill_datagram datagram;
    struct sill_watch watch;
    struct sill_reader reader;
    char buffer[64];
    size_t done;
    bool cancelled_before; /* wait for the cancel first */
    int rc, next;
    bool ended;
};

static int run_parked(void *arg)
{
    struct parked *parked = arg;
    if (parked->cancelled_before && sill_sleep(SILL_NEVER) != SILL_ECANCELED)
        return -1;
    parked->rc = parked->call(parked);
    parked->next = sill_yield();
    parked->ended = true;
    return 0;
}

/* Parks a task in (call), cancels it, and expects to hear so. */
static void expect_cancelled(struct parked *parked,
                             int (*call)(struct parked *parked))
{
    parked->call = call;
    parked->ended = false;
    struct sill_task *task = suite_spawn(run_parked, parked);
    suite_yield(5);
    ck_assert(!parked->ended);
    ck_assert_int_eq(sill_cancel(task, SILL_PAST), SILL_ETIMEDOUT);
    ck_assert_int_eq(suite_await(task), 0);
    ck_assert_int_eq(parked->rc, SILL_ECANCELED);
    ck_assert_int_eq(parked->next, SILL_ECANCELED);
}

static void expect_plain(int (*call)(struct parked *parked))
{
    struct parked parked = {0};
    expect_cancelled(&parked, call);
}

/* The same on a stream of each kind, from which nothing can be read and, with
 * (full), to which nothing can be written; in the end it still works. */
static void expect_on_streams(int (*call)(struct parked *parked), bool full)
{
    for (int kind = 0; kind < SUITE_KINDS; kind++) {
        struct parked parked = {0};
        char byte = 0;
        suite_note("a stream of kind %d", kind);
        suite_pair_open(&parked.pair, (enum suite_kind)kind);
        if (full)
            suite_fill(&parked.pair.a);
        sill_reader_init(&parked.reader, &parked.pair.a, parked.buffer,
                         sizeof(parked.buffer));
        expect_cancelled(&parked, call);
        ck_assert_int_eq(sill_stream_write(&parked.pair.b, "x", 1, SILL_NEVER),
                         1);
        ck_assert_int_eq(sill_stream_read(&parked.pair.a, &byte, 1, SILL_NEVER),
                         1);
        ck_assert_int_eq(byte, 'x');
        suite_pair_close(&parked.pair);
    }
}

/* ---- C-01 ---- */

/* "SILL_ECANCELED the task was cancelled, before or during the sleep" */
static int in_sleep(struct parked *parked)
{
    (void)parked;
    return sill_sleep(SILL_NEVER);
}

SILL_CASE(C, 01, cancel_wakes_sleep)
{
    expect_plain(in_sleep);
}

static int in_short_sleep(struct parked *parked)
{
    (void)parked;
    return sill_sleep(sill_after(SILL_MINUTE));
}

SILL_CASE(C, 01, cancel_wakes_sleep_with_a_deadline)
{
    expect_plain(in_short_sleep);
}

/* "SILL_ECANCELED the task was cancelled, before or during the wait" */
static int in_suspend(struct parked *parked)
{
    struct sill_trigger trigger = SILL_TRIGGER_INIT;
    (void)parked;
    return sill_suspend(&trigger, SILL_NEVER);
}

SILL_CASE(C, 01, cancel_wakes_suspend)
{
    expect_plain(in_suspend);
}

/* "Returns 0, or SILL_ECANCELED when the task is cancelled; it yields all the
 * same." */
static int in_yield(struct parked *parked)
{
    int rc;
    (void)parked;
    do
        rc = sill_yield();
    while (rc == 0);
    return rc;
}

SILL_CASE(C, 01, cancel_wakes_yield)
{
    expect_plain(in_yield);
}

/* "SILL_ECANCELED the caller was cancelled before the task ended" */
static int in_await(struct parked *parked)
{
    (void)parked;
    return sill_await(suite_spawn(suite_sleeper, NULL), NULL, SILL_NEVER);
}

SILL_CASE(C, 01, cancel_wakes_await)
{
    expect_plain(in_await);
}

static int in_await_first(struct parked *parked)
{
    struct sill_task *tasks[2];
    size_t index;
    (void)parked;
    for (int i = 0; i < 2; i++)
        tasks[i] = suite_spawn(suite_sleeper, NULL);
    return sill_await_first(tasks, 2, &index, NULL, SILL_NEVER);
}

SILL_CASE(C, 01, cancel_wakes_await_first)
{
    expect_plain(in_await_first);
}

static int in_await_all(struct parked *parked)
{
    struct sill_task *tasks[2];
    (void)parked;
    for (int i = 0; i < 2; i++)
        tasks[i] = suite_spawn(suite_sleeper, NULL);
    return sill_await_all(tasks, 2, NULL, SILL_NEVER);
}

SILL_CASE(C, 01, cancel_wakes_await_all)
{
    expect_plain(in_await_all);
}

/* "SILL_ECANCELED the caller was cancelled and no task had ended": the only
 * one is stuck in a forbid until its owner has heard of the cancel. */
static int stubborn(void *arg)
{
    sill_forbid();
    int rc = sill_suspend(arg, SILL_NEVER);
    sill_permit();
    return rc;
}

struct owner {
    struct sill_trigger go;
    int next, wait, late;
};

static int own_stubborn(void *arg)
{
    struct owner *owner = arg;
    struct sill_scope scope;
    sill_scope_init(&scope, SILL_SCOPE_COLLECT);
    if (sill_scope_spawn(&scope, stubborn, &owner->go) != 0)
        return -1;
    sill_yield();
    owner->next = sill_scope_next(&scope, NULL, SILL_NEVER);
    owner->late = sill_scope_next(&scope, NULL, SILL_PAST);
    owner->wait = sill_yield();
    sill_scope_fini(&scope);
    return 0;
}

/* A waiting task learns of its cancel "after all tasks below it have ended":
 * then next has one to return, and the wait that follows reports. */
SILL_CASE(C, 01, cancel_reaches_scope_next_after_the_tasks_below)
{
    struct owner owner = {SILL_TRIGGER_INIT, 99, 99, 99};
    struct sill_task *task = suite_spawn(own_stubborn, &owner);
    suite_yield(5);
    sill_cancel(task, SILL_PAST);
    suite_yield(5);
    ck_assert_int_eq(owner.next, 99);
    sill_resume(&owner.go, 0);
    ck_assert_int_eq(suite_await(task), 0);
    ck_assert(owner.next == 0 || owner.next == SILL_ECANCELED);
    ck_assert_int_eq(owner.late, owner.next == 0 ? SILL_ENOENT : 0);
    ck_assert_int_eq(owner.wait, SILL_ECANCELED);
}

/* "SILL_ECANCELED the caller was cancelled"; the scope is empty all the same */
static int in_scope_wait(struct parked *parked)
{
    struct sill_scope scope;
    (void)parked;
    sill_scope_init(&scope, SILL_SCOPE_COLLECT);
    if (sill_scope_spawn(&scope, suite_sleeper, NULL) != 0)
        return -1;
    int rc = sill_scope_wait(&scope, SILL_NEVER);
    sill_scope_fini(&scope);
    return rc;
}

SILL_CASE(C, 01, cancel_wakes_scope_wait)
{
    expect_plain(in_scope_wait);
}

static int in_read(struct parked *parked)
{
    char byte;
    return (int)sill_stream_read(&parked->pair.a, &byte, 1, SILL_NEVER);
}

SILL_CASE(C, 01, cancel_wakes_stream_read)
{
    expect_on_streams(in_read, false);
}

static int in_stream_wait(struct parked *parked)
{
    return sill_stream_wait(&parked->pair.a, SILL_NEVER);
}

SILL_CASE(C, 01, cancel_wakes_stream_wait)
{
    expect_on_streams(in_stream_wait, false);
}

static int in_read_full(struct parked *parked)
{
    char bytes[8];
    return sill_stream_read_full(&parked->pair.a, bytes, sizeof(bytes), NULL,
                                 SILL_NEVER);
}

SILL_CASE(C, 01, cancel_wakes_stream_read_full)
{
    expect_on_streams(in_read_full, false);
}

static int in_write(struct parked *parked)
{
    return (int)sill_stream_write(&parked->pair.a, "abc", 3, SILL_NEVER);
}

SILL_CASE(C, 01, cancel_wakes_stream_write)
{
    expect_on_streams(in_write, true);
}

static int in_writev(struct parked *parked)
{
    struct iovec pieces[2] = {{large, 3}, {large, 4}};
    return (int)sill_stream_writev(&parked->pair.a, pieces, 2, SILL_NEVER);
}

SILL_CASE(C, 01, cancel_wakes_stream_writev)
{
    expect_on_streams(in_writev, true);
}

static int in_sendfile(struct parked *parked)
{
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    struct sill_stream_file file = {fd, 0, 3};
    ssize_t n =
        sill_stream_sendfile(&parked->pair.a, NULL, 0, &file, SILL_NEVER);

    (void)close(fd);
    return (int)n;
}

SILL_CASE(C, 01, cancel_wakes_stream_sendfile)
{
    expect_on_streams(in_sendfile, true);
}

static int in_write_all(struct parked *parked)
{
    return sill_stream_write_all(&parked->pair.a, "abc", 3, NULL, SILL_NEVER);
}

SILL_CASE(C, 01, cancel_wakes_stream_write_all)
{
    expect_on_streams(in_write_all, true);
}

static int in_writev_all(struct parked *parked)
{
    struct iovec pieces[2] = {{large, 3}, {large, 4}};
    return sill_stream_writev_all(&parked->pair.a, pieces, 2, NULL, SILL_NEVER);
}

SILL_CASE(C, 01, cancel_wakes_stream_writev_all)
{
    expect_on_streams(in_writev_all, true);
}

static int in_peek(struct parked *parked)
{
    const char *view;
    return (int)sill_reader_peek(&parked->reader, 1, &view, SILL_NEVER);
}

SILL_CASE(C, 01, cancel_wakes_reader_peek)
{
    expect_on_streams(in_peek, false);
}

static int in_reader_fill(struct parked *parked)
{
    return (int)sill_reader_fill(&parked->reader, SILL_NEVER);
}

SILL_CASE(C, 01, cancel_wakes_reader_fill)
{
    expect_on_streams(in_reader_fill, false);
}

static int in_read_until(struct parked *parked)
{
    const char *view;
    return (int)sill_reader_read_until(&parked->reader, ";", 1, &view,
                                       SILL_NEVER);
}

SILL_CASE(C, 01, cancel_wakes_reader_read_until)
{
    expect_on_streams(in_read_until, false);
}

static int in_line(struct parked *parked)
{
    const char *view;
    return (int)sill_reader_line(&parked->reader, &view, SILL_NEVER);
}

SILL_CASE(C, 01, cancel_wakes_reader_line)
{
    expect_on_streams(in_line, false);
}

static int in_reader_read(struct parked *parked)
{
    char byte;
    return (int)sill_reader_read(&parked->reader, &byte, 1, SILL_NEVER);
}

SILL_CASE(C, 01, cancel_wakes_reader_read)
{
    expect_on_streams(in_reader_read, false);
}

/* A listener that takes no more connections, and those that it has. */
struct full {
    struct sill_listener listener;
    struct sill_address address;
    struct sill_stream waiting[16];
    int count;
};

/* Who is kept from the processor for as long takes a listener for full that is
 * not, and leaves a connection there. */
static void open_full(struct full *full, const struct sill_address *address)
{
    struct sill_socket_options options = {.backlog = 1};
    int rc = 0;
    memset(full, 0, sizeof(*full));
    ck_assert_int_eq(sill_listener_listen(&full->listener, address, &options),
                     0);
    ck_assert_int_eq(sill_listener_local(&full->listener, &full->address), 0);
    for (; rc == 0 && full->count < 16; full->count += rc == 0)
        rc = sill_stream_connect(&full->waiting[full->count], &full->address,
                                 NULL, sill_after(300 * SILL_MILLISECOND));
    ck_assert_int_eq(rc, SILL_ETIMEDOUT);
}

static void close_full(struct full *full)
{
    for (int i = 0; i < full->count; i++)
        sill_stream_close(&full->waiting[i]);
    sill_listener_close(&full->listener);
}

static int in_connect(struct parked *parked)
{
    return sill_stream_connect(&parked->pair.a, &parked->address, NULL,
                               SILL_NEVER);
}

/* "SILL_ECANCELED the task was cancelled" */
static void expect_connect_cancelled(const struct sill_address *address)
{
    static struct full full;
    struct parked parked = {0};
    open_full(&full, address);
    parked.address = full.address;
    expect_cancelled(&parked, in_connect);
    close_full(&full);
}

SILL_CASE(C, 01, cancel_wakes_connect_over_tcp)
{
    struct sill_address address = suite_loopback(0);
    expect_connect_cancelled(&address);
}

/* An abstract name of this process's own. */
static struct sill_address abstract_address(const char *name)
{
    struct sill_address address;
    char path[64];
    snprintf(path, sizeof(path), "@sill-%s-%ld", name, (long)getpid());
    ck_assert_int_eq(sill_address_unix(&address, path), 0);
    return address;
}

SILL_CASE(C, 01, cancel_wakes_connect_over_unix)
{
    struct sill_address address = abstract_address("cancel");
    expect_connect_cancelled(&address);
}

static int in_accept(struct parked *parked)
{
    return sill_listener_accept(&parked->listener, &parked->pair.a, SILL_NEVER);
}

SILL_CASE(C, 01, cancel_wakes_accept)
{
    struct parked parked = {0};
    suite_listen(&parked.listener, &parked.address);
    expect_cancelled(&parked, in_accept);
    sill_listener_close(&parked.listener);
}

static int in_receive(struct parked *parked)
{
    char byte;
    return (int)sill_datagram_receive(&parked->datagram, &byte, 1, NULL,
                                      SILL_NEVER);
}

SILL_CASE(C, 01, cancel_wakes_datagram_receive)
{
    struct parked parked = {0};
    struct sill_address address = suite_loopback(0);
    ck_assert_int_eq(sill_datagram_open(&parked.datagram, &address, NULL), 0);
    expect_cancelled(&parked, in_receive);
    sill_datagram_close(&parked.datagram);
}

static int in_send(struct parked *parked)
{
    return sill_datagram_send(&parked->datagram, large, 1000, NULL, SILL_NEVER);
}

/* Unix-domain, where a receiver that does not read makes senders wait. */
SILL_CASE(C, 01, cancel_wakes_datagram_send)
{
    struct parked parked = {0};
    struct sill_datagram receiver;
    struct sill_address to = abstract_address("to");
    struct sill_address from = abstract_address("from");
    int rc, sent = 0;
    ck_assert_int_eq(sill_datagram_open(&receiver, &to, NULL), 0);
    ck_assert_int_eq(sill_datagram_open(&parked.datagram, &from, NULL), 0);
    ck_assert_int_eq(sill_datagram_connect(&parked.datagram, &to), 0);
    while ((rc = sill_datagram_send(&parked.datagram, large, 1000, NULL,
                                    SILL_PAST)) == 0 &&
           sent < 100000)
        sent++;
    ck_assert_int_eq(rc, SILL_ETIMEDOUT);
    expect_cancelled(&parked, in_send);
    sill_datagram_close(&parked.datagram);
    sill_datagram_close(&receiver);
}

static int in_wait_read(struct parked *parked)
{
    return sill_watch_wait(&parked->watch, SILL_READ, SILL_NEVER);
}

static int in_wait_write(struct parked *parked)
{
    return sill_watch_wait(&parked->watch, SILL_WRITE, SILL_NEVER);
}

static int in_wait_both(struct parked *parked)
{
    return sill_watch_wait(&parked->watch, SILL_READ | SILL_WRITE, SILL_NEVER);
}

/* A descriptor that is neither readable nor writable. */
static void stuff_socket(int fd)
{
    while (send(fd, large, 4096, MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
        continue;
}

SILL_CASE(C, 01, cancel_wakes_watch_wait, fd)
{
    int (*const calls[])(struct parked * parked) = {in_wait_read, in_wait_write,
                                                    in_wait_both};
    int ends[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    stuff_socket(ends[0]);
    for (size_t i = 0; i < 3; i++) {
        struct parked parked = {0};
        ck_assert_int_eq(sill_watch_open(&parked.watch, ends[0]), 0);
        expect_cancelled(&parked, calls[i]);
        sill_watch_close(&parked.watch);
    }
    close(ends[0]);
    close(ends[1]);
}

/* ---- C-02 ---- */

struct early {
    bool ran;
    bool was_cancelled;
    int first, second;
};

static int run_early(void *arg)
{
    struct early *early = arg;
    early->ran = true;
    early->was_cancelled = sill_self_is_cancelled();
    early->first = sill_sleep(sill_after(SILL_MILLISECOND));
    early->second = sill_yield();
    return 7;
}

/* "a task cancelled before it ran: it runs, and its first wait reports it" */
SILL_CASE(C, 02, a_task_cancelled_before_it_ran_runs_and_hears_of_it)
{
    struct early early = {0};
    struct sill_task *task = suite_spawn(run_early, &early);
    ck_assert_int_eq(sill_cancel(task, SILL_PAST), SILL_ETIMEDOUT);
    ck_assert(!early.ran);
    ck_assert_int_eq(suite_await(task), 7);
    ck_assert(early.ran);
    ck_assert(early.was_cancelled);
    ck_assert_int_eq(early.first, SILL_ECANCELED);
    ck_assert_int_eq(early.second, SILL_ECANCELED);
}

/* The same when cancel waits, and in a scope. */
SILL_CASE(C, 02, a_task_cancelled_at_once_runs_and_hears_of_it)
{
    struct early early = {0}, scoped = {0};
    struct sill_scope scope;
    suite_cancel(suite_spawn(run_early, &early));
    ck_assert(early.ran);
    ck_assert_int_eq(early.first, SILL_ECANCELED);
    sill_scope_init(&scope, SILL_SCOPE_COLLECT);
    ck_assert_int_eq(sill_scope_spawn(&scope, run_early, &scoped), 0);
    sill_scope_cancel(&scope);
    ck_assert_int_eq(sill_scope_wait(&scope, SILL_NEVER), 0);
    ck_assert(scoped.ran);
    ck_assert_int_eq(scoped.first, SILL_ECANCELED);
    sill_scope_fini(&scope);
}

static int spawn_when_cancelled(void *arg)
{
    struct early *early = arg;
    if (sill_sleep(SILL_NEVER) != SILL_ECANCELED)
        return -1;
    struct sill_task *task = suite_spawn(run_early, early);
    sill_forbid();
    int rc = suite_await(task);
    sill_permit();
    return rc;
}

/* A child of a cancelled task is cancelled too: it is in its subtree. */
SILL_CASE(C, 02, a_child_of_a_cancelled_task_hears_of_it)
{
    struct early early = {0};
    struct sill_task *task = suite_spawn(spawn_when_cancelled, &early);
    suite_yield(1);
    sill_cancel(task, SILL_PAST);
    ck_assert_int_eq(suite_await(task), 7);
    ck_assert(early.ran);
    ck_assert_int_eq(early.first, SILL_ECANCELED);
}

/* ---- C-03 ---- */

static int wait_again_and_again(void *arg)
{
    struct suite_pair *pair = arg;
    struct sill_stream_file nothing = {-1, 0, 1};
    struct sill_trigger never = SILL_TRIGGER_INIT;
    char byte = 0;
    int wrong = sill_sleep(SILL_NEVER) != SILL_ECANCELED;
    for (int i = 0; i < 5; i++) {
        wrong += sill_sleep(sill_after(SILL_MINUTE)) != SILL_ECANCELED;
        wrong += sill_suspend(&never, SILL_NEVER) != SILL_ECANCELED;
        wrong += sill_suspend(&never, SILL_PAST) == 0;
        wrong += sill_yield() != SILL_ECANCELED;
        wrong +=
            sill_stream_read(&pair->a, &byte, 1, SILL_NEVER) != SILL_ECANCELED;
        wrong += sill_stream_wait(&pair->a, SILL_NEVER) != SILL_ECANCELED;
        wrong +=
            sill_stream_write(&pair->a, &byte, 1, SILL_NEVER) != SILL_ECANCELED;
        wrong += sill_stream_sendfile(&pair->a, NULL, 0, &nothing,
                                      SILL_NEVER) != SILL_ECANCELED;
        wrong += !sill_self_is_cancelled();
    }
    return wrong;
}

/* "every wait of the task, the present one and all later ones, fails with
 * SILL_ECANCELED, until the task ends" */
SILL_CASE(C, 03, every_later_wait_reports_the_cancel_again)
{
    for (int kind = 0; kind < SUITE_KINDS; kind++) {
        struct suite_pair pair;
        suite_pair_open(&pair, (enum suite_kind)kind);
        struct sill_task *task = suite_spawn(wait_again_and_again, &pair);
        suite_yield(1);
        sill_cancel(task, SILL_PAST);
        ck_assert_int_eq(suite_await(task), 0);
        suite_pair_close(&pair);
    }
}

/* ---- C-04 ---- */

struct held {
    struct sill_trigger go;
    int depth;
    int inside[4], permitted, after;
    bool seen_inside, seen_after;
};

static int wait_inside_forbid(void *arg)
{
    struct held *held = arg;
    for (int i = 0; i < held->depth; i++)
        sill_forbid();
    held->inside[0] = sill_suspend(&held->go, SILL_NEVER);
    held->seen_inside = sill_self_is_cancelled();
    held->inside[1] = sill_sleep(sill_after(SILL_MILLISECOND));
    for (int i = 1; i < held->depth; i++)
        sill_permit();
    held->inside[2] = sill_yield();
    held->inside[3] = sill_sleep(sill_after(SILL_MILLISECOND));
    sill_permit();
    held->seen_after = sill_self_is_cancelled();
    held->after = sill_sleep(SILL_NEVER);
    return 0;
}

/* "Between sill_forbid and sill_permit waits do not report it"; "They nest:
 * only the last permit counts." The cancel comes before the task runs, or
 * while it waits inside. */
SILL_CASE(C, 04, no_wait_inside_forbid_reports_a_cancel)
{
    for (int i = 0; i < 6; i++) {
        struct held held = {.go = SILL_TRIGGER_INIT, .depth = 1 + i / 2};
        struct sill_task *task = suite_spawn(wait_inside_forbid, &held);
        if (i % 2 == 0)
            suite_yield(1);
        ck_assert_int_eq(sill_cancel(task, SILL_PAST), SILL_ETIMEDOUT);
        suite_yield(3);
        sill_resume(&held.go, 0);
        ck_assert_int_eq(suite_await(task), 0);
        for (int j = 0; j < 4; j++)
            ck_assert_int_eq(held.inside[j], 0);
        ck_assert(!held.seen_inside);
        ck_assert(held.seen_after);
        ck_assert_int_eq(held.after, SILL_ECANCELED);
    }
}

static int permit_alone(void *arg)
{
    (void)arg;
    sill_forbid();
    sill_permit();
    sill_permit();
    return 0;
}

static void permit_too_often(void)
{
    permit_alone(NULL);
}

/* "a permit without its forbid ends the program" */
SILL_CASE_OUTSIDE(C, 04, permit_without_forbid_ends_the_program)
{
    suite_expect_culprit(permit_too_often, "sill_permit");
}

/* "Outside of a task they do nothing" */
SILL_CASE_OUTSIDE(C, 04, forbid_and_permit_outside_of_a_task_do_nothing)
{
    sill_permit();
    sill_forbid();
    ck_assert(!sill_self_is_cancelled());
}

static int await_inside_forbid(void *arg)
{
    struct sill_task *task = suite_spawn(suite_suspender, arg);
    int result = 99;
    sill_forbid();
    int rc = sill_await(task, &result, SILL_NEVER);
    sill_permit();
    return rc == 0 ? result : rc;
}

/* "A task's whole subtree is cancelled with it", also when the task itself
 * holds the cancel off: what it waits for ends, and the wait succeeds. */
SILL_CASE(C, 04, a_forbid_does_not_shield_tasks_spawned_before_it)
{
    struct sill_trigger never = SILL_TRIGGER_INIT;
    struct sill_task *task = suite_spawn(await_inside_forbid, &never);
    suite_yield(3);
    sill_cancel(task, SILL_PAST);
    ck_assert_int_eq(suite_await(task), SILL_ECANCELED);
}

struct shielded {
    struct sill_trigger go, never;
    int cancelled, awaited, result;
};

/* Spawns one task inside a forbid, and is cancelled while it waits for another
 * one to end. */
static int cancel_stubborn(void *arg)
{
    struct shielded *all = arg;
    sill_forbid();
    struct sill_task *late = suite_spawn(suite_suspender, &all->never);
    sill_permit();
    struct sill_task *task = suite_spawn(stubborn, &all->go);
    sill_yield();
    all->cancelled = sill_cancel(task, SILL_NEVER);
    sill_forbid();
    all->awaited = sill_await(late, &all->result, SILL_NEVER);
    sill_permit();
    return 0;
}

/* Nor those spawned in a forbid that is over. */
SILL_CASE(C, 04, a_forbid_that_is_over_shields_nobody)
{
    struct shielded all = {SILL_TRIGGER_INIT, SILL_TRIGGER_INIT, 99, 99, 99};
    struct sill_task *task = suite_spawn(cancel_stubborn, &all);
    suite_yield(5);
    ck_assert_int_eq(sill_cancel(task, SILL_PAST), SILL_ETIMEDOUT);
    suite_yield(5);
    sill_resume(&all.go, 0);
    ck_assert_int_eq(suite_await(task), 0);
    ck_assert_int_eq(all.cancelled, 0);
    ck_assert_int_eq(all.awaited, 0);
    ck_assert_int_eq(all.result, SILL_ECANCELED);
}

static int spawn_shielded(void *arg)
{
    struct shielded *all = arg;
    sill_forbid();
    struct sill_task *child = suite_spawn(suite_suspender, &all->never);
    all->awaited = sill_suspend(&all->go, SILL_NEVER);
    sill_permit();
    sill_forbid();
    all->cancelled = sill_await(child, &all->result, SILL_NEVER);
    sill_permit();
    return 0;
}

/* "children spawned in between are held off with it", and no longer: the last
 * permit lets the cancel through to them. */
SILL_CASE(C, 04, the_last_permit_cancels_what_was_shielded)
{
    struct shielded all = {SILL_TRIGGER_INIT, SILL_TRIGGER_INIT, 99, 99, 99};
    struct sill_task *task = suite_spawn(spawn_shielded, &all);
    suite_yield(3);
    ck_assert_int_eq(sill_cancel(task, SILL_PAST), SILL_ETIMEDOUT);
    suite_yield(3);
    ck_assert_int_eq(all.awaited, 99);
    sill_resume(&all.go, 0);
    ck_assert_int_eq(suite_await(task), 0);
    ck_assert_int_eq(all.awaited, 0);
    ck_assert_int_eq(all.cancelled, 0);
    ck_assert_int_eq(all.result, SILL_ECANCELED);
}

/* ---- C-05 ---- */

static int suspend_twice(void *arg)
{
    int *rc = arg;
    struct sill_trigger never = SILL_TRIGGER_INIT;
    struct sill_task *child = suite_spawn(suite_returner, suite_number(5));
    suite_yield(2);
    rc[0] = sill_yield();
    rc[1] = sill_await(child, &rc[2], SILL_NEVER);
    rc[3] = sill_suspend(&never, SILL_NEVER);
    return 0;
}

/* "Work that is already finished beats the cancellation": a child that has
 * ended is collected, the next wait reports. */
SILL_CASE(C, 05, an_ended_child_beats_the_cancel)
{
    int rc[4] = {99, 99, 99, 99};
    struct sill_task *task = suite_spawn(suspend_twice, rc);
    suite_yield(3);
    sill_cancel(task, SILL_PAST);
    suite_await(task);
    ck_assert_int_eq(rc[1], 0);
    ck_assert_int_eq(rc[2], 5);
    ck_assert_int_eq(rc[3], SILL_ECANCELED);
}

/* A reader and a cancel that comes in the same round as the bytes. */
struct reading {
    struct suite_pair pair;
    char bytes[64];
    ssize_t rc;
    int next;
};

static int read_some(void *arg)
{
    struct reading *reading = arg;
    reading->rc = sill_stream_read(&reading->pair.a, reading->bytes,
                                   sizeof(reading->bytes), SILL_NEVER);
    reading->next = sill_yield();
    return 0;
}

/* What a case can do between the parking of a task and its end. */
enum step { SEND, CANCEL, TURN, STEPS };

static void send_and_cancel(const int order[], void *arg)
{
    struct reading *reading = arg;
    char rest[8] = {0};
    struct sill_task *task = suite_spawn(read_some, reading);
    suite_yield(1);
    bool gone = false;
    for (int i = 0; i < STEPS; i++) {
        if (order[i] == SEND)
            ck_assert_int_eq(
                sill_stream_write(&reading->pair.b, "12345678", 8, SILL_NEVER),
                8);
        else if (order[i] == CANCEL)
            gone = sill_cancel(task, SILL_PAST) == 0;
        else
            suite_yield(1);
    }
    if (!gone)
        ck_assert_int_eq(suite_await(task), 0);
    ck_assert_int_eq(reading->next, gone ? 0 : SILL_ECANCELED);
    size_t got = reading->rc > 0 ? (size_t)reading->rc : 0;
    if (got == 0)
        ck_assert_int_eq(reading->rc, SILL_ECANCELED);
    memcpy(rest, reading->bytes, got);
    ck_assert_int_eq(sill_stream_read_full(&reading->pair.a, rest + got,
                                           8 - got, NULL, SILL_NEVER),
                     0);
    ck_assert_int_eq(memcmp(rest, "12345678", 8), 0);
}

/* "a read that moved bytes returns them, and the next wait reports"; one that
 * was cancelled has lost nothing. In every order of bytes, cancel, and a
 * round of the loop. */
SILL_CASE(C, 05, a_cancelled_read_returns_its_bytes_or_leaves_them)
{
    for (int kind = 0; kind < SUITE_KINDS; kind++) {
        struct reading reading;
        suite_pair_open(&reading.pair, (enum suite_kind)kind);
        for (int i = 0; i < 10; i++)
            suite_permute(STEPS, send_and_cancel, &reading);
        suite_pair_close(&reading.pair);
    }
}

/* ---- C-06 ---- */

struct accepting {
    struct sill_listener listener;
    struct sill_address address;
    struct sill_stream taken;
    int rc;
};

static int accept_one(void *arg)
{
    struct accepting *accepting = arg;
    accepting->rc = sill_listener_accept(&accepting->listener,
                                         &accepting->taken, SILL_NEVER);
    return 0;
}

static void connect_and_cancel(const int order[], void *arg)
{
    struct accepting *accepting = arg;
    struct sill_stream client;
    struct sill_task *task = suite_spawn(accept_one, accepting);
    suite_yield(1);
    bool gone = false;
    for (int i = 0; i < STEPS; i++) {
        if (order[i] == SEND)
            ck_assert_int_eq(sill_stream_connect(&client, &accepting->address,
                                                 NULL, SILL_NEVER),
                             0);
        else if (order[i] == CANCEL)
            gone = sill_cancel(task, SILL_PAST) == 0;
        else
            suite_yield(1);
    }
    if (!gone)
        suite_await(task);
    if (accepting->rc != 0) {
        ck_assert_int_eq(accepting->rc, SILL_ECANCELED);
        accept_one(accepting);
        ck_assert_int_eq(accepting->rc, 0);
    }
    char byte = 0;
    ck_assert_int_eq(sill_stream_write(&client, "c", 1, SILL_NEVER), 1);
    ck_assert_int_eq(sill_stream_read(&accepting->taken, &byte, 1, SILL_NEVER),
                     1);
    ck_assert_int_eq(byte, 'c');
    sill_stream_close(&client);
    sill_stream_close(&accepting->taken);
}

/* "or, with no connection lost, ... SILL_ECANCELED" */
SILL_CASE(C, 06, a_cancelled_accept_loses_no_connection)
{
    struct accepting accepting = {0};
    suite_listen(&accepting.listener, &accepting.address);
    for (int i = 0; i < 10; i++)
        suite_permute(STEPS, connect_and_cancel, &accepting);
    sill_listener_close(&accepting.listener);
}

struct receiving {
    struct sill_datagram to, from;
    struct sill_address address;
    char bytes[16];
    ssize_t rc;
};

static int receive_one(void *arg)
{
    struct receiving *receiving = arg;
    receiving->rc =
        sill_datagram_receive(&receiving->to, receiving->bytes,
                              sizeof(receiving->bytes), NULL, SILL_NEVER);
    return 0;
}

static void post_and_cancel(const int order[], void *arg)
{
    struct receiving *receiving = arg;
    struct sill_task *task = suite_spawn(receive_one, receiving);
    suite_yield(1);
    bool gone = false;
    for (int i = 0; i < STEPS; i++) {
        if (order[i] == SEND)
            ck_assert_int_eq(sill_datagram_send(&receiving->from, "letter", 6,
                                                &receiving->address,
                                                SILL_NEVER),
                             0);
        else if (order[i] == CANCEL)
            gone = sill_cancel(task, SILL_PAST) == 0;
        else
            suite_yield(1);
    }
    if (!gone)
        suite_await(task);
    if (receiving->rc < 0) {
        ck_assert_int_eq(receiving->rc, SILL_ECANCELED);
        receive_one(receiving);
    }
    ck_assert_int_eq(receiving->rc, 6);
    ck_assert_int_eq(memcmp(receiving->bytes, "letter", 6), 0);
}

/* "Cancelled and late calls lose nothing." */
SILL_CASE(C, 06, a_cancelled_receive_loses_no_datagram)
{
    struct receiving receiving = {0};
    struct sill_address any = suite_loopback(0);
    ck_assert_int_eq(sill_datagram_open(&receiving.to, &any, NULL), 0);
    ck_assert_int_eq(sill_datagram_open(&receiving.from, &any, NULL), 0);
    ck_assert_int_eq(sill_datagram_local(&receiving.to, &receiving.address), 0);
    for (int i = 0; i < 10; i++)
        suite_permute(STEPS, post_and_cancel, &receiving);
    sill_datagram_close(&receiving.to);
    sill_datagram_close(&receiving.from);
}

static int line_when_cancelled(void *arg)
{
    struct reading *reading = arg;
    struct sill_reader *reader = (struct sill_reader *)(void *)reading->bytes;
    const char *view;
    reading->rc = sill_reader_line(reader, &view, SILL_NEVER);
    return 0;
}

/* "A failed call takes nothing: what arrived stays for the next one." */
SILL_CASE(C, 06, a_cancelled_reader_keeps_what_arrived)
{
    struct suite_pair pair;
    struct reading reading = {0};
    struct sill_reader reader;
    char buffer[32];
    const char *view = NULL;
    suite_pair_open(&pair, SUITE_TCP);
    sill_reader_init(&reader, &pair.a, buffer, sizeof(buffer));
    memcpy(reading.bytes, &reader, sizeof(reader));
    struct sill_task *task = suite_spawn(line_when_cancelled, &reading);
    ck_assert_int_eq(sill_stream_write(&pair.b, "half", 4, SILL_NEVER), 4);
    ck_assert_int_eq(sill_sleep(sill_after(2 * SILL_MILLISECOND)), 0);
    sill_cancel(task, SILL_PAST);
    suite_await(task);
    ck_assert_int_eq(reading.rc, SILL_ECANCELED);
    memcpy(&reader, reading.bytes, sizeof(reader));
    ck_assert_int_eq(sill_stream_write(&pair.b, "way\n", 4, SILL_NEVER), 4);
    ck_assert_int_eq(sill_reader_line(&reader, &view, SILL_NEVER), 7);
    ck_assert_int_eq(memcmp(view, "halfway", 7), 0);
    suite_pair_close(&pair);
}

/* ---- C-07 ---- */

struct writing {
    struct suite_pair pair;
    bool all;
    sill_time deadline;
    ssize_t rc;
    size_t done;
    int next;
};

static int write_all_large(struct writing *writing)
{
    writing->rc = sill_stream_write_all(&writing->pair.a, large, LARGE,
                                        &writing->done, writing->deadline);
    writing->next =
        (int)sill_stream_write(&writing->pair.a, large, 1, SILL_PAST);
    return 0;
}

static int write_large(void *arg)
{
    struct writing *writing = arg;
    if (writing->all)
        return write_all_large(writing);
    writing->rc =
        sill_stream_write(&writing->pair.a, large, LARGE, writing->deadline);
    return 0;
}

static char pattern(size_t at)
{
    return (char)(at * 31 + at / 4096);
}

static void fill_large(void)
{
    for (size_t at = 0; at < LARGE; at++)
        large[at] = pattern(at);
}

/* Reads everything until the end of (stream); fails when it is not the
 * beginning of (large). */
static size_t drain(struct sill_stream *stream)
{
    static char bytes[65536];
    size_t total = 0;
    ssize_t got;
    bool right = true;
    while ((got = sill_stream_read(stream, bytes, sizeof(bytes), SILL_NEVER)) >
           0) {
        for (size_t i = 0; i < (size_t)got; i++)
            right = right && bytes[i] == pattern(total + i);
        total += (size_t)got;
    }
    ck_assert_int_eq(got, 0);
    ck_assert(right);
    return total;
}

/* Ends a large write half-way (one that has taken some bytes may have returned
 * by itself), and compares what it says with what came. */
static void end_write(struct writing *writing, int reason)
{
    struct sill_task *task = suite_spawn(write_large, writing);
    suite_yield(3);
    bool gone = reason == SILL_ECANCELED && sill_cancel(task, SILL_PAST) == 0;
    if (!gone)
        suite_await(task);
    if (writing->all)
        ck_assert_int_eq(writing->rc, reason);
    else
        writing->done = (size_t)writing->rc;
    ck_assert_int_gt((ssize_t)writing->done, 0);
    ck_assert_int_lt((ssize_t)writing->done, LARGE);
    sill_stream_close(&writing->pair.a);
    ck_assert_uint_eq(drain(&writing->pair.b), writing->done);
    sill_stream_close(&writing->pair.b);
}

/* "Returns how many were taken, from 1 to (size), fewer when the task was
 * cancelled, late or failed in the middle" */
SILL_CASE(C, 07, a_cancelled_or_late_write_says_how_many_were_taken)
{
    fill_large();
    for (int i = 0; i < 2 * SUITE_KINDS; i++) {
        struct writing writing = {0};
        bool late = i % 2 == 1;
        suite_note("%s stream of kind %d", late ? "late" : "cancelled", i / 2);
        suite_pair_open(&writing.pair, (enum suite_kind)(i / 2));
        writing.deadline = late ? sill_after(5 * SILL_MILLISECOND) : SILL_NEVER;
        end_write(&writing, late ? SILL_ETIMEDOUT : SILL_ECANCELED);
    }
}

/* "done: receives how many were taken, all of them or fewer"; "A failure after
 * the first byte poisons this direction" */
SILL_CASE(C, 07, a_cancelled_or_late_write_all_says_how_many_were_taken)
{
    fill_large();
    for (int i = 0; i < 2 * SUITE_KINDS; i++) {
        struct writing writing = {.all = true};
        bool late = i % 2 == 1;
        suite_note("%s stream of kind %d", late ? "late" : "cancelled", i / 2);
        suite_pair_open(&writing.pair, (enum suite_kind)(i / 2));
        writing.deadline = late ? sill_after(5 * SILL_MILLISECOND) : SILL_NEVER;
        end_write(&writing, late ? SILL_ETIMEDOUT : SILL_ECANCELED);
        if (late)
            ck_assert_int_eq(writing.next, SILL_EPOISONED);
    }
}

/* ---- C-08 ---- */

/* "The moment a call returns nobody touches its buffer any more." */
SILL_CASE(C, 08, a_cancelled_read_leaves_its_buffer_alone)
{
    for (int kind = 0; kind < SUITE_KINDS; kind++) {
        struct reading reading;
        char bytes[8];
        suite_pair_open(&reading.pair, (enum suite_kind)kind);
        struct sill_task *task = suite_spawn(read_some, &reading);
        suite_yield(1);
        sill_cancel(task, SILL_PAST);
        suite_await(task);
        ck_assert_int_eq(reading.rc, SILL_ECANCELED);
        memset(reading.bytes, 'u', sizeof(reading.bytes));
        ck_assert_int_eq(
            sill_stream_write(&reading.pair.b, "12345678", 8, SILL_NEVER), 8);
        suite_yield(5);
        ck_assert_int_eq(
            sill_stream_read_full(&reading.pair.a, bytes, 8, NULL, SILL_NEVER),
            0);
        ck_assert_int_eq(memcmp(bytes, "12345678", 8), 0);
        for (size_t i = 0; i < sizeof(reading.bytes); i++)
            ck_assert_int_eq(reading.bytes[i], 'u');
        suite_pair_close(&reading.pair);
    }
}

/* The same for a write: what is written over afterwards does not arrive. */
SILL_CASE(C, 08, a_cancelled_write_has_its_buffer_behind_it)
{
    for (int kind = 0; kind < SUITE_KINDS; kind++) {
        struct writing writing = {.deadline = SILL_NEVER};
        fill_large();
        suite_pair_open(&writing.pair, (enum suite_kind)kind);
        struct sill_task *task = suite_spawn(write_large, &writing);
        suite_yield(3);
        if (sill_cancel(task, SILL_PAST) != 0)
            suite_await(task);
        memset(large, 'u', LARGE);
        sill_stream_close(&writing.pair.a);
        ck_assert_uint_eq(drain(&writing.pair.b), (size_t)writing.rc);
        sill_stream_close(&writing.pair.b);
    }
}

/* ---- C-09 ---- */

/* "A call of a task that is already cancelled moves nothing and returns
 * SILL_ECANCELED" */
static void expect_nothing(struct parked *parked,
                           int (*call)(struct parked *parked))
{
    parked->call = call;
    parked->cancelled_before = true;
    struct sill_task *task = suite_spawn(run_parked, parked);
    suite_yield(1);
    sill_cancel(task, SILL_PAST);
    ck_assert_int_eq(suite_await(task), 0);
    ck_assert_int_eq(parked->rc, SILL_ECANCELED);
}

SILL_CASE(C, 09, a_cancelled_task_writes_nothing)
{
    int (*const calls[])(struct parked * parked) = {
        in_write, in_writev, in_write_all, in_writev_all};
    for (int i = 0; i < 4 * SUITE_KINDS; i++) {
        struct parked parked = {0};
        char byte;
        suite_pair_open(&parked.pair, (enum suite_kind)(i / 4));
        expect_nothing(&parked, calls[i % 4]);
        sill_stream_close(&parked.pair.a);
        ck_assert_int_eq(sill_stream_read(&parked.pair.b, &byte, 1, SILL_NEVER),
                         0);
        suite_pair_close(&parked.pair);
    }
}

SILL_CASE(C, 09, a_cancelled_task_reads_nothing)
{
    int (*const calls[])(struct parked * parked) = {in_read, in_read_full,
                                                    in_peek, in_line};
    for (int i = 0; i < 4 * SUITE_KINDS; i++) {
        struct parked parked = {0};
        char bytes[9] = "";
        suite_pair_open(&parked.pair, (enum suite_kind)(i / 4));
        sill_reader_init(&parked.reader, &parked.pair.a, parked.buffer,
                         sizeof(parked.buffer));
        ck_assert_int_eq(
            sill_stream_write(&parked.pair.b, "1234567\n", 8, SILL_NEVER), 8);
        expect_nothing(&parked, calls[i % 4]);
        ck_assert_int_eq(
            sill_stream_read_full(&parked.pair.a, bytes, 8, NULL, SILL_NEVER),
            0);
        ck_assert_str_eq(bytes, "1234567\n");
        suite_pair_close(&parked.pair);
    }
}

/* No connection is begun, and none that waits is taken. */
SILL_CASE(C, 09, a_cancelled_task_connects_and_accepts_nothing)
{
    struct parked parked = {0};
    struct sill_stream client, server;
    suite_listen(&parked.listener, &parked.address);
    int descriptors = suite_descriptors();
    expect_nothing(&parked, in_connect);
    ck_assert_int_eq(suite_descriptors(), descriptors);
    ck_assert_int_eq(sill_listener_accept(&parked.listener, &server,
                                          sill_after(5 * SILL_MILLISECOND)),
                     SILL_ETIMEDOUT);
    ck_assert_int_eq(
        sill_stream_connect(&client, &parked.address, NULL, SILL_NEVER), 0);
    expect_nothing(&parked, in_accept);
    ck_assert_int_eq(
        sill_listener_accept(&parked.listener, &server, SILL_NEVER), 0);
    sill_stream_close(&client);
    sill_stream_close(&server);
    sill_listener_close(&parked.listener);
}

SILL_CASE(C, 09, a_cancelled_task_sends_and_receives_nothing)
{
    struct parked parked = {0};
    struct sill_datagram peer;
    struct sill_address any = suite_loopback(0), here, there;
    char byte = 0;
    ck_assert_int_eq(sill_datagram_open(&parked.datagram, &any, NULL), 0);
    ck_assert_int_eq(sill_datagram_open(&peer, &any, NULL), 0);
    ck_assert_int_eq(sill_datagram_local(&parked.datagram, &here), 0);
    ck_assert_int_eq(sill_datagram_local(&peer, &there), 0);
    ck_assert_int_eq(sill_datagram_connect(&parked.datagram, &there), 0);
    expect_nothing(&parked, in_send);
    ck_assert_int_eq(sill_datagram_receive(&peer, &byte, 1, NULL,
                                           sill_after(5 * SILL_MILLISECOND)),
                     SILL_ETIMEDOUT);
    ck_assert_int_eq(sill_datagram_send(&peer, "d", 1, &here, SILL_NEVER), 0);
    expect_nothing(&parked, in_receive);
    ck_assert_int_eq(
        sill_datagram_receive(&parked.datagram, &byte, 1, NULL, SILL_NEVER), 1);
    ck_assert_int_eq(byte, 'd');
    sill_datagram_close(&parked.datagram);
    sill_datagram_close(&peer);
}

/* ---- C-10 ---- */

static int add_one(void *arg)
{
    *(int *)arg += 1;
    return 0;
}

/* "A task that already ended is only collected, without waiting." */
SILL_CASE(C, 10, cancel_of_an_ended_task_collects_it_at_once)
{
    int others = 0, ran = 0;
    struct sill_task *ended = suite_spawn(add_one, &ran);
    suite_yield(2);
    struct sill_task *ready = suite_spawn(add_one, &others);
    ck_assert_int_eq(sill_cancel(ended, SILL_PAST), 0);
    ck_assert_int_eq(others, 0);
    ck_assert_int_eq(ran, 1);
    suite_await(ready);
}

/* ---- C-11 ---- */

static int linger_inside_forbid(void *arg)
{
    struct suite_pair *pair = arg;
    struct sill_trigger never = SILL_TRIGGER_INIT;
    char byte;
    int wrong = 0;
    sill_forbid();
    wrong += sill_sleep(sill_after(60 * SILL_MILLISECOND)) != 0;
    wrong += sill_suspend(&never, sill_after(60 * SILL_MILLISECOND)) !=
             SILL_ETIMEDOUT;
    wrong +=
        sill_stream_read(&pair->a, &byte, 1,
                         sill_after(60 * SILL_MILLISECOND)) != SILL_ETIMEDOUT;
    sill_permit();
    return wrong;
}

/* "a cancelled task waiting inside forbid uses no CPU" */
SILL_CASE(C, 11, a_cancelled_task_inside_forbid_uses_no_cpu)
{
    struct suite_pair pair;
    suite_pair_open(&pair, SUITE_TCP);
    struct sill_task *task = suite_spawn(linger_inside_forbid, &pair);
    suite_yield(1);
    sill_cancel(task, SILL_PAST);
    sill_duration cpu = suite_cpu();
    long wakeups = suite_wakeups();
    int wrong = suite_await(task);
    cpu = suite_cpu() - cpu;
    wakeups = suite_wakeups() - wakeups;
    ck_assert_int_eq(wrong, 0);
    ck_assert_int_lt(cpu, (int64_t)(20 * SILL_MILLISECOND * suite_scale()));
    ck_assert_int_lt(wakeups, 20);
    suite_pair_close(&pair);
}

/* ---- C-12 ---- */

/* A wait whose abort hook counts, and may ask for the same cancel again. */
struct counted {
    struct sill_scope scope;
    struct sill_trigger trigger;
    bool again;
    int hooks, wakes, rc;
};

static enum sill_abort count_hook(struct sill_trigger *trigger, void *arg,
                                  int reason)
{
    struct counted *counted = arg;
    (void)trigger;
    counted->hooks += reason == SILL_ECANCELED ? 1 : 100;
    if (counted->again)
        sill_scope_cancel(&counted->scope);
    return SILL_ABORT_DONE;
}

static int wait_counted(void *arg)
{
    struct counted *counted = arg;
    sill_trigger_init(&counted->trigger, count_hook, counted);
    counted->rc = sill_suspend(&counted->trigger, SILL_NEVER);
    counted->wakes++;
    sill_forbid();
    suite_yield(3);
    sill_permit();
    return counted->rc;
}

/* "cancel from two sides and from the abort hook: delivered once" */
SILL_CASE(C, 12, cancels_from_several_sides_are_delivered_once)
{
    for (int i = 0; i < 4; i++) {
        struct counted counted = {.again = i % 2 == 1};
        sill_scope_init(&counted.scope, SILL_SCOPE_COLLECT);
        ck_assert_int_eq(
            sill_scope_spawn(&counted.scope, wait_counted, &counted), 0);
        suite_yield(1);
        sill_scope_cancel(&counted.scope);
        if (i / 2 == 1)
            suite_yield(1);
        sill_scope_cancel(&counted.scope);
        ck_assert_int_eq(
            sill_scope_drain(&counted.scope, SILL_PAST, SILL_NEVER), 0);
        ck_assert_int_eq(counted.hooks, 1);
        ck_assert_int_eq(counted.wakes, 1);
        ck_assert_int_eq(counted.rc, SILL_ECANCELED);
        sill_scope_fini(&counted.scope);
    }
}

static int own_counted(void *arg)
{
    struct counted *counted = arg;
    sill_scope_init(&counted->scope, SILL_SCOPE_COLLECT);
    if (sill_scope_spawn(&counted->scope, wait_counted, counted) != 0)
        return -1;
    suite_yield(2);
    sill_scope_cancel(&counted->scope);
    int rc = sill_scope_wait(&counted->scope, SILL_NEVER);
    sill_scope_fini(&counted->scope);
    return rc;
}

/* The scope is cancelled by hand, and its owner by its parent, twice. */
SILL_CASE(C, 12, cancels_of_task_and_owner_are_delivered_once)
{
    for (int turns = 0; turns < 6; turns++) {
        struct counted counted = {.again = turns % 2 == 1};
        struct sill_task *owner = suite_spawn(own_counted, &counted);
        suite_yield(turns);
        bool gone = sill_cancel(owner, SILL_PAST) == 0;
        gone = gone || sill_cancel(owner, SILL_PAST) == 0;
        if (!gone)
            suite_await(owner);
        ck_assert_int_eq(counted.hooks, 1);
        ck_assert_int_eq(counted.wakes, 1);
        ck_assert_int_eq(counted.rc, SILL_ECANCELED);
    }
}

/* ---- C-13 ---- */

/* "Returns 0, or, with (stream) closed and nothing left behind" */
SILL_CASE(C, 13, a_cancelled_connect_leaves_nothing_behind)
{
    static struct full full;
    struct sill_address address = suite_loopback(0);
    struct parked parked = {0};
    struct sill_stream stream;
    open_full(&full, &address);
    parked.address = full.address;
    int descriptors = suite_descriptors();
    expect_cancelled(&parked, in_connect);
    ck_assert_int_eq(suite_descriptors(), descriptors);
    ck_assert_int_eq(sill_stream_write(&parked.pair.a, "x", 1, SILL_NEVER),
                     SILL_ECLOSED);
    for (int i = 0; i < full.count; i++) {
        ck_assert_int_eq(
            sill_listener_accept(&full.listener, &stream, SILL_NEVER), 0);
        sill_stream_close(&stream);
    }
    ck_assert_int_eq(sill_listener_accept(&full.listener, &stream,
                                          sill_after(20 * SILL_MILLISECOND)),
                     SILL_ETIMEDOUT);
    close_full(&full);
}

/* ---- C-15 ---- */

enum { MANY = 4096 };

static struct {
    struct sill_watch watches[MANY];
    int fds[MANY];
    int cancelled;
} many;

static int wait_for_one(void *arg)
{
    int rc = sill_watch_wait(arg, SILL_READ, SILL_NEVER);
    many.cancelled += rc == SILL_ECANCELED;
    return rc;
}

static int allow_descriptors(int count)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    int most = limit.rlim_cur > 100000 ? 100000 : (int)limit.rlim_cur;
    return count + 100 < most ? count : most - 100;
}

/* "4 096 simultaneous cancels all complete", of waits on descriptors. */
SILL_CASE(C, 15, thousands_of_simultaneous_cancels_complete, fd)
{
    struct sill_scope scope;
    int count = allow_descriptors(suite_crowd(MANY)), failed = 0;
    sill_scope_init(&scope, SILL_SCOPE_COLLECT);
    for (int i = 0; i < count; i++) {
        many.fds[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        failed += sill_watch_open(&many.watches[i], many.fds[i]) != 0;
        failed += sill_scope_spawn(&scope, wait_for_one, &many.watches[i]) != 0;
    }
    ck_assert_int_eq(failed, 0);
    suite_yield(2);
    sill_scope_cancel(&scope);
    ck_assert_int_eq(sill_scope_wait(&scope, SILL_NEVER), 0);
    ck_assert_int_eq(many.cancelled, count);
    for (int i = 0; i < count; i++) {
        sill_watch_close(&many.watches[i]);
        close(many.fds[i]);
    }
    sill_scope_fini(&scope);
}

static int sleep_with_deadline(void *arg)
{
    int i = (int)(intptr_t)arg;
    int rc = sill_sleep(sill_after(SILL_MINUTE + i * SILL_MILLISECOND));
    many.cancelled += rc == SILL_ECANCELED;
    return rc;
}

/* The same of sleeps. */
SILL_CASE(C, 15, thousands_of_simultaneous_cancels_of_sleeps_complete)
{
    struct sill_scope scope;
    int count = suite_crowd(MANY), failed = 0;
    sill_scope_init(&scope, SILL_SCOPE_COLLECT);
    for (int i = 0; i < count; i++)
        failed +=
            sill_scope_spawn(&scope, sleep_with_deadline, suite_number(i)) != 0;
    ck_assert_int_eq(failed, 0);
    suite_yield(1);
    sill_scope_cancel(&scope);
    ck_assert_int_eq(sill_scope_wait(&scope, SILL_NEVER), 0);
    ck_assert_int_eq(many.cancelled, count);
    sill_scope_fini(&scope);
}

/* ---- C-16 ---- */

enum event { COMPLETE, ABORT, EXPIRE, EVENTS };

/* A wait that can complete, be cancelled and expire, all in one round. */
struct contest {
    struct sill_trigger go;
    struct suite_pair pair;
    int which;
    sill_time deadline;
    int rc, ended;
};

static int contest_await(struct contest *contest)
{
    struct sill_task *child = suite_spawn(suite_suspender, &contest->go);
    int rc = sill_await(child, NULL, contest->deadline);
    if (rc != 0)
        sill_cancel(child, SILL_NEVER);
    return rc;
}

static int contest_next(struct contest *contest)
{
    struct sill_scope scope;
    sill_scope_init(&scope, SILL_SCOPE_COLLECT);
    if (sill_scope_spawn(&scope, suite_suspender, &contest->go) != 0)
        return -1;
    int rc = sill_scope_next(&scope, NULL, contest->deadline);
    sill_scope_drain(&scope, SILL_PAST, SILL_NEVER);
    sill_scope_fini(&scope);
    return rc;
}

static int contest_read(struct contest *contest)
{
    char byte;
    ssize_t rc =
        sill_stream_read(&contest->pair.a, &byte, 1, contest->deadline);
    return rc == 1 ? 0 : (int)rc;
}

static int compete(void *arg)
{
    struct contest *contest = arg;
    if (contest->which == 0)
        contest->rc = contest_await(contest);
    else if (contest->which == 1)
        contest->rc = contest_next(contest);
    else
        contest->rc = contest_read(contest);
    contest->ended++;
    return 0;
}

static void let_happen(struct contest *contest, struct sill_task *task,
                       int event, bool *gone)
{
    if (event == COMPLETE) {
        sill_resume(&contest->go, 0);
        ck_assert_int_eq(
            sill_stream_write(&contest->pair.b, "x", 1, SILL_NEVER), 1);
    } else if (event == ABORT) {
        *gone = sill_cancel(task, SILL_PAST) == 0;
    } else {
        suite_spend_until(contest->deadline);
    }
}

static void hold_contest(const int order[], void *arg)
{
    struct contest *contest = arg;
    bool gone = false;
    contest->ended = 0;
    suite_pair_open(&contest->pair, contest->which == 2   ? SUITE_MEMORY
                                    : contest->which == 3 ? SUITE_TCP
                                                          : SUITE_UNIX);
    sill_trigger_init(&contest->go, NULL, NULL);
    contest->deadline = sill_after(200 * SILL_MICROSECOND);
    struct sill_task *task = suite_spawn(compete, contest);
    suite_yield(2);
    for (int i = 0; i < EVENTS; i++)
        let_happen(contest, task, order[i], &gone);
    if (!gone)
        suite_await(task);
    ck_assert_int_eq(contest->ended, 1);
    ck_assert(contest->rc == 0 || contest->rc == SILL_ECANCELED ||
              contest->rc == SILL_ETIMEDOUT);
    suite_pair_close(&contest->pair);
}

/* "cancel racing with completion in the same round is harmless", for awaits,
 * scopes and reads, the deadline coming as well, in every order. */
SILL_CASE(C, 16, a_cancel_and_the_completion_in_one_round_are_harmless)
{
    for (int i = 0; i < 4 * 20; i++) {
        struct contest contest = {.which = i % 4};
        suite_permute(EVENTS, hold_contest, &contest);
    }
}

/* ---- C-17 ---- */

static struct sill_task *sleepers[100000];

static int by_size(const void *a, const void *b)
{
    sill_duration x = *(const sill_duration *)a, y = *(const sill_duration *)b;
    return (x > y) - (x < y);
}

/* The median time of cancelling a hundred of (count) sleeping tasks. */
static sill_duration time_cancels(int count)
{
    enum { SAMPLES = 100 };

    sill_duration samples[SAMPLES];
    int failed = 0, step = count / SAMPLES > 0 ? count / SAMPLES : 1;
    for (int i = 0; i < count; i++)
        failed += sill_spawn(sleep_with_deadline,
                             suite_number(i * 7919 % count), &sleepers[i]) != 0;
    ck_assert_int_eq(failed, 0);
    suite_yield(1);
    for (int i = 0; i < SAMPLES; i++) {
        int which = i * step % count;
        sill_time begin = sill_now();
        failed += sill_cancel(sleepers[which], SILL_NEVER) != 0;
        samples[i] = sill_now() - begin;
        failed += sill_spawn(sleep_with_deadline, NULL, &sleepers[which]) != 0;
        sill_yield();
    }
    for (int i = 0; i < count; i++)
        failed += sill_cancel(sleepers[i], SILL_NEVER) != 0;
    ck_assert_int_eq(failed, 0);
    qsort(samples, SAMPLES, sizeof(samples[0]), by_size);
    return samples[SAMPLES / 2];
}

/* "cancelling one of 100 000 sleeping tasks costs what cancelling one of 10
 * does"; a search would cost a thousand times more. */
SILL_CASE(C, 17, cancelling_one_of_many_sleeping_tasks_costs_the_same)
{
    sill_duration few = time_cancels(10);
    sill_duration crowd = time_cancels(suite_crowd(100000));
    ck_assert_int_lt(crowd, 10 * few + 20 * SILL_MICROSECOND);
}

/* ---- C-18 ---- */

struct goodbye {
    struct suite_pair pair;
    char answer[4];
    int read, write, wait;
};

static int say_goodbye(void *arg)
{
    struct goodbye *goodbye = arg;
    char byte;
    int rc = (int)sill_stream_read(&goodbye->pair.a, &byte, 1, SILL_NEVER);
    sill_forbid();
    goodbye->write =
        sill_stream_write_all(&goodbye->pair.a, "QUIT", 4, NULL, SILL_NEVER);
    goodbye->read = sill_stream_read_full(&goodbye->pair.a, goodbye->answer, 4,
                                          NULL, SILL_NEVER);
    goodbye->wait = sill_sleep(sill_after(SILL_MILLISECOND));
    sill_permit();
    return rc;
}

static int answer_goodbye(void *arg)
{
    struct goodbye *goodbye = arg;
    char word[4];
    int rc = sill_stream_read_full(&goodbye->pair.b, word, 4, NULL, SILL_NEVER);
    if (rc != 0 || memcmp(word, "QUIT", 4) != 0)
        return -1;
    rc = sill_sleep(sill_after(2 * SILL_MILLISECOND));
    return rc != 0 ? rc
                   : sill_stream_write_all(&goodbye->pair.b, "BYE.", 4, NULL,
                                           SILL_NEVER);
}

/* "so that clean-up that has to wait can" */
SILL_CASE(C, 18, clean_up_that_waits_inside_forbid_runs_to_its_end)
{
    for (int kind = 0; kind < SUITE_KINDS; kind++) {
        struct goodbye goodbye = {.read = 99, .write = 99, .wait = 99};
        suite_pair_open(&goodbye.pair, (enum suite_kind)kind);
        struct sill_task *server = suite_spawn(answer_goodbye, &goodbye);
        struct sill_task *client = suite_spawn(say_goodbye, &goodbye);
        suite_yield(2);
        sill_cancel(client, SILL_PAST);
        ck_assert_int_eq(suite_await(client), SILL_ECANCELED);
        ck_assert_int_eq(suite_await(server), 0);
        ck_assert_int_eq(goodbye.write, 0);
        ck_assert_int_eq(goodbye.read, 0);
        ck_assert_int_eq(goodbye.wait, 0);
        ck_assert_int_eq(memcmp(goodbye.answer, "BYE.", 4), 0);
        suite_pair_close(&goodbye.pair);
    }
}

static int nap(void *arg)
{
    (void)arg;
    return sill_sleep(sill_after(SILL_MILLISECOND));
}

struct helpers {
    int rc, results[2], after;
};

static int clean_up_with_helpers(void *arg)
{
    struct helpers *helpers = arg;
    struct sill_task *tasks[2];
    int rc = sill_sleep(SILL_NEVER);
    sill_forbid();
    for (int i = 0; i < 2; i++)
        tasks[i] = suite_spawn(nap, NULL);
    helpers->rc = sill_await_all(tasks, 2, helpers->results, SILL_NEVER);
    sill_permit();
    helpers->after = sill_yield();
    return rc;
}

/* Tasks that a clean-up spawns inside its forbid can wait as well. */
SILL_CASE(C, 18, clean_up_may_spawn_inside_forbid)
{
    struct helpers helpers = {99, {99, 99}, 99};
    struct sill_task *task = suite_spawn(clean_up_with_helpers, &helpers);
    suite_yield(1);
    sill_cancel(task, SILL_PAST);
    suite_yield(2);
    ck_assert_int_eq(sill_cancel(task, SILL_PAST), SILL_ETIMEDOUT);
    ck_assert_int_eq(suite_await(task), SILL_ECANCELED);
    ck_assert_int_eq(helpers.rc, 0);
    ck_assert_int_eq(helpers.results[0], 0);
    ck_assert_int_eq(helpers.results[1], 0);
    ck_assert_int_eq(helpers.after, SILL_ECANCELED);
}
