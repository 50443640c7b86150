/* SPDX-License-Identifier: MIT */
/*
 * Exhaustion: group X. Memory, descriptors and system calls run out at every
 * point; crowds of tasks and events are larger than any queue.
 */
#include "faults.h"
#include "suite.h"
#include "tour.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* ---- X-01 ---- */

static const struct tour *tour;

/* What a single failure may lead to: an error that it explains. */
static bool is_explained(int rc)
{
    static const int never[] = {
        SILL_EPROTO,  SILL_ETIMEDOUT, SILL_EDEADLK, SILL_ECANCELED,
        SILL_EORPHAN, SILL_EBUSY,     SILL_ENOTASK, SILL_EINVAL,
    };

    for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
        if (rc == never[i])
            return false;
    }
    return rc <= 0;
}

static void take_tour(void)
{
    int rc = sill_run(tour->fn, NULL);

    ck_assert_msg(is_explained(rc), "the tour '%s' returned %d, %s", tour->name,
                  rc, sill_strerror(rc));
}

static void walk(const char *name)
{
    for (tour = tours; strcmp(tour->name, name) != 0; tour++)
        continue;
    suite_walk_failures(take_tour);
}

/* the n-th use of each call fails, for every n: an error or success, and
 * nothing left behind. */
SILL_CASE_OUTSIDE(X, 01, each_failure_around_tasks_is_survived)
{
    walk("await");
    walk("cancel");
    walk("await_first");
    walk("await_all");
    walk("local");
    walk("self");
}

SILL_CASE_OUTSIDE(X, 01, each_failure_around_scopes_is_survived)
{
    walk("scope_wait");
    walk("scope_drain");
}

SILL_CASE_OUTSIDE(X, 01, each_failure_around_waits_is_survived)
{
    walk("sleep");
    walk("trigger");
    walk("thread");
}

SILL_CASE_OUTSIDE(X, 01, each_failure_around_memory_streams_is_survived)
{
    walk("memory");
    walk("reader");
}

SILL_CASE_OUTSIDE(X, 01, each_failure_around_adopted_streams_is_survived, fd)
{
    walk("adopt");
}

SILL_CASE_OUTSIDE(X, 01, each_failure_around_tcp_is_survived)
{
    walk("tcp");
}

SILL_CASE_OUTSIDE(X, 01, each_failure_around_unix_sockets_is_survived)
{
    walk("unix");
    walk("refused");
}

SILL_CASE_OUTSIDE(X, 01, each_failure_around_datagrams_is_survived)
{
    walk("datagram");
}

SILL_CASE_OUTSIDE(X, 01, each_failure_around_watches_is_survived, fd)
{
    walk("watch");
}

/* and what a failed allocation leads to is SILL_ENOMEM. */
SILL_CASE_OUTSIDE(X, 01, a_failed_allocation_is_reported_as_such)
{
    for (tour = tours; tour->name; tour++) {
        int rc = SILL_ENOMEM;

        for (long n = 1; rc != 0; n++) {
            fault_clear();
            fault_alloc_nth(n);
            suite_note("'%s', allocation %ld", tour->name, n);
            rc = sill_run(tour->fn, NULL);
            ck_assert(rc == 0 || rc == SILL_ENOMEM);
            if (rc == 0)
                ck_assert_int_eq(fault_strikes(FAULT_alloc), 0);
        }
    }
}

/* ---- X-02 ---- */

enum { FEW = 64 };

static struct rlimit limit_before;
static int fillers[FEW], filled;

/* Lets the process have few descriptors, and takes all that it does not have
 * yet. */
static void descriptors_exhaust(void)
{
    struct rlimit few;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit_before), 0);
    few = limit_before;
    few.rlim_cur = FEW;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
    while (filled < FEW) {
        int fd = dup(STDIN_FILENO);

        if (fd < 0)
            break;
        fillers[filled++] = fd;
    }
    ck_assert_int_gt(filled, 0);
}

static void descriptors_free(int count)
{
    for (; count > 0; count--)
        (void)close(fillers[--filled]);
}

static void descriptors_restore(void)
{
    descriptors_free(filled);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit_before), 0);
}

static void check_stream(struct suite_pair *pair)
{
    char byte = 0;

    ck_assert_int_eq(sill_stream_write(&pair->a, "x", 1, SILL_NEVER), 1);
    ck_assert_int_eq(sill_stream_read(&pair->b, &byte, 1, SILL_NEVER), 1);
    ck_assert_int_eq(byte, 'x');
}

/* opens fail with SILL_EMFILE, and existing streams work. */
SILL_CASE(X, 02, without_descriptors_opens_fail_and_streams_work, fd)
{
    struct suite_pair pair;
    struct sill_listener open, listener;
    struct sill_datagram datagram;
    struct sill_stream stream, near, far;
    struct sill_address address, any = suite_loopback(0);

    suite_pair_open(&pair, SUITE_TCP);
    suite_listen(&open, &address);
    descriptors_exhaust();
    for (int i = 0; i < 10; i++) {
        ck_assert_int_eq(sill_listener_listen(&listener, &any, NULL),
                         SILL_EMFILE);
        ck_assert_int_eq(sill_datagram_open(&datagram, &any, NULL),
                         SILL_EMFILE);
        ck_assert_int_eq(
            sill_stream_connect(&stream, &address, NULL, SILL_NEVER),
            SILL_EMFILE);
        check_stream(&pair);
    }
    ck_assert_int_eq(sill_stream_pair(&near, &far, 10), 0);
    sill_stream_close(&near);
    sill_stream_close(&far);
    ck_assert_int_eq(suite_await(suite_spawn(suite_returner, NULL)), 0);
    ck_assert_int_eq(sill_sleep(sill_after(SILL_MILLISECOND)), 0);
    descriptors_restore();
    sill_listener_close(&open);
    suite_pair_close(&pair);
}

/* sill_listener_accept: "no descriptor for it: it stays in the queue". */
SILL_CASE(X, 02, without_descriptors_accept_fails_until_one_is_free, fd)
{
    struct sill_listener listener;
    struct sill_stream client, server;
    struct sill_address address;

    suite_listen(&listener, &address);
    ck_assert_int_eq(sill_stream_connect(&client, &address, NULL, SILL_NEVER),
                     0);
    descriptors_exhaust();
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(sill_listener_accept(&listener, &server, SILL_NEVER),
                         SILL_EMFILE);
    descriptors_free(1);
    ck_assert_int_eq(sill_listener_accept(&listener, &server, SILL_NEVER), 0);
    descriptors_restore();
    sill_stream_close(&server);
    sill_stream_close(&client);
    sill_listener_close(&listener);
}

/* with any number of descriptors left, a tour of all calls succeeds or
 * says SILL_EMFILE; sill_run too. */
SILL_CASE_OUTSIDE(X, 02, with_few_descriptors_left_nothing_else_goes_wrong, fd)
{
    int rc = SILL_EMFILE;

    ck_assert_int_eq(sill_run(tour_everything, NULL), 0);
    descriptors_exhaust();
    while (filled > 0 && rc == SILL_EMFILE) {
        rc = sill_run(tour_everything, NULL);
        suite_note("with %d used for nothing", filled);
        ck_assert(rc == SILL_EMFILE || rc == 0);
        descriptors_free(1);
    }
    ck_assert_int_eq(rc, 0);
    descriptors_restore();
}

/* ---- X-04 ---- */

/* Raises the limit of descriptors as far as it goes and returns it. */
static size_t descriptors_allow(void)
{
    struct rlimit limit;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    return (size_t)limit.rlim_max;
}

static size_t at_most(size_t count, size_t most)
{
    return count < most ? count : most;
}

/* Builds that are slow need many times the memory, and some of them allow
 * only 8 000 tasks: they get a smaller crowd. */
static size_t crowd_size(size_t size)
{
    return suite_scale() > 1 ? size / 50 : size;
}

enum { PAIRS = 5000 };

static struct suite_pair pairs[PAIRS];
static long bytes_read;

static int read_on(void *stream)
{
    ssize_t got;
    char byte;

    while ((got = sill_stream_read(stream, &byte, 1, SILL_NEVER)) == 1)
        bytes_read++;
    return (int)got;
}

/* more descriptors become ready at once than any backend takes in one
 * batch; none is forgotten. */
SILL_CASE(X, 04, two_thousand_streams_ready_at_once_are_all_served)
{
    size_t count = at_most(2000, (descriptors_allow() - 100) / 2);
    struct sill_scope scope;

    sill_scope_init(&scope, SILL_SCOPE_COLLECT);
    for (size_t i = 0; i < count; i++) {
        suite_pair_open(&pairs[i], SUITE_UNIX);
        ck_assert_int_eq(sill_scope_spawn(&scope, read_on, &pairs[i].a), 0);
    }
    suite_yield(2);
    for (int round = 1; round <= 3; round++) {
        for (size_t i = 0; i < count; i++)
            ck_assert_int_eq(sill_stream_write(&pairs[i].b, "x", 1, SILL_PAST),
                             1);
        while (bytes_read < round * (long)count)
            (void)sill_yield();
    }
    ck_assert_int_eq(sill_scope_drain(&scope, SILL_PAST, SILL_NEVER), 0);
    sill_scope_fini(&scope);
    for (size_t i = 0; i < count; i++)
        suite_pair_close(&pairs[i]);
}

static long woken;

static int sleep_until(void *deadline)
{
    int rc = sill_sleep(*(sill_time *)deadline);

    woken++;
    return rc;
}

/* Returns whether all of them were asleep before the deadline. */
static bool sleep_through(sill_duration length)
{
    sill_time deadline = sill_after(length);
    long count = (long)crowd_size(10000);
    struct sill_scope scope;

    woken = 0;
    sill_scope_init(&scope, SILL_SCOPE_FAIL_FAST);
    for (long i = 0; i < count; i++)
        ck_assert_int_eq(sill_scope_spawn(&scope, sleep_until, &deadline), 0);
    (void)sill_yield();

    bool all_asleep = sill_now() < deadline && woken == 0;

    suite_spend_until(deadline);
    ck_assert_int_eq(sill_scope_wait(&scope, SILL_NEVER), 0);
    sill_scope_fini(&scope);
    ck_assert_int_eq(woken, count);
    return all_asleep;
}

/* and so for deadlines that all pass while nobody looks. */
SILL_CASE(X, 04, ten_thousand_deadlines_at_once_are_all_met)
{
    sill_duration length = 100 * SILL_MILLISECOND;

    while (!sleep_through(length))
        length *= 2;
}

/* a system that has not got a call by which a backend would wait, or a
 * filter that forbids it, is waited for by another. */
SILL_CASE_OUTSIDE(X, 04, a_refused_call_to_wait_is_replaced)
{
    static const int errors[] = {ENOSYS, EPERM};

    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        suite_note("errno %d", errors[i]);
        fault_always(FAULT_epoll_pwait2, errors[i]);
        ck_assert_int_eq(sill_run(tour_everything, NULL), 0);
        fault_clear();
    }
}

/* ---- X-05 ---- */

static int suspend_for_ever(void *unused)
{
    struct sill_trigger never = SILL_TRIGGER_INIT;

    (void)unused;
    return sill_suspend(&never, SILL_NEVER);
}

static void resume_after_a_second(void *trigger)
{
    struct timespec second = {1, 0};

    (void)nanosleep(&second, NULL);
    (void)sill_resume(trigger, 0);
}

static void idle_for_a_second(void)
{
    struct sill_trigger trigger = SILL_TRIGGER_INIT;
    struct suite_thread thread;
    sill_duration cpu = suite_cpu();

    suite_thread_start(&thread, resume_after_a_second, &trigger);

    long wakeups = suite_wakeups();
    sill_time began = sill_now();

    ck_assert_int_eq(sill_suspend(&trigger, SILL_NEVER), 0);
    ck_assert_int_le(suite_wakeups() - wakeups,
                     suite_wakeups_allowed(sill_now() - began));
    suite_thread_join(&thread);
    ck_assert_int_lt(suite_cpu() - cpu, 50 * SILL_MILLISECOND);
}

/* 100 000 parked tasks, among them the readers of 10 000 idle streams:
 * idle means idle. */
SILL_CASE(X, 05, a_large_idle_crowd_uses_no_processor_time, threads)
{
    size_t crowd = crowd_size(100000), streams = crowd / 10;
    size_t sockets = at_most(streams - streams / 10, descriptors_allow() - 100);
    struct sill_scope scope;
    int failed = 0;

    sill_scope_init(&scope, SILL_SCOPE_COLLECT);
    for (size_t i = 0; i < streams / 2; i++) {
        suite_pair_open(&pairs[i], 2 * i < sockets ? SUITE_UNIX : SUITE_MEMORY);
        failed += sill_scope_spawn(&scope, read_on, &pairs[i].a) != 0;
        failed += sill_scope_spawn(&scope, read_on, &pairs[i].b) != 0;
    }
    for (size_t i = streams; i < crowd; i++)
        failed += sill_scope_spawn(&scope, suspend_for_ever, NULL) != 0;
    ck_assert_int_eq(failed, 0);
    suite_yield(2);
    idle_for_a_second();
    ck_assert_int_eq(sill_scope_drain(&scope, SILL_PAST, SILL_NEVER), 0);
    sill_scope_fini(&scope);
    for (size_t i = 0; i < streams / 2; i++)
        suite_pair_close(&pairs[i]);
}

/* ---- X-06 ---- */

static struct sill_trigger chain[100001];

static int resume_the_next(void *link)
{
    struct sill_trigger *own = link;
    int rc = sill_suspend(own, SILL_NEVER);

    if (rc == 0)
        (void)sill_resume(own + 1, 0);
    return rc;
}

static void chain_of_resumes(size_t first, size_t beyond)
{
    struct sill_scope scope;
    int failed = 0;

    sill_scope_init(&scope, SILL_SCOPE_FAIL_FAST);
    for (size_t i = first; i < beyond; i++)
        failed += sill_scope_spawn(&scope, resume_the_next, &chain[i]) != 0;
    ck_assert_int_eq(failed, 0);
    (void)sill_yield();
    (void)sill_resume(&chain[first], 0);
    ck_assert_int_eq(sill_suspend(&chain[beyond], SILL_NEVER), 0);
    ck_assert_int_eq(sill_scope_wait(&scope, SILL_NEVER), 0);
    sill_scope_fini(&scope);
}

/* a cascade of 100 000 resumes does not grow any stack, each of which
 * has room for 64 KiB. */
SILL_CASE(X, 06, a_chain_of_100000_resumes_grows_no_stack)
{
    chain_of_resumes(0, crowd_size(100000));
}

/* The same one after the other, in tasks that take each other's stacks. */
SILL_CASE(X, 06, resumes_of_tasks_that_come_and_go_grow_no_memory)
{
    size_t size = crowd_size(100000);

    chain_of_resumes(0, 100);

    long blocks = suite_blocks();
    long long mapped = suite_mapped();

    for (size_t first = 101; first + 100 <= size; first += 101)
        chain_of_resumes(first, first + 100);
    ck_assert_int_eq(suite_blocks(), blocks);
    ck_assert_int_eq(suite_mapped(), mapped);
}

static struct sill_trigger bottom;
static size_t depth;

static int go_deeper(void *left)
{
    size_t more = (size_t)(uintptr_t)left;
    struct sill_task *child;

    if (++depth && more == 0)
        return sill_suspend(&bottom, SILL_NEVER);

    int result = 0;
    int rc = sill_spawn(go_deeper, (void *)(uintptr_t)(more - 1), &child);

    if (rc == 0)
        rc = sill_await(child, &result, SILL_NEVER);
    if (rc == SILL_ECANCELED)
        (void)sill_cancel(child, SILL_NEVER);
    return rc < 0 ? rc : result;
}

static struct sill_task *go_deep(size_t levels)
{
    struct sill_task *top =
        suite_spawn(go_deeper, (void *)(uintptr_t)(levels - 1));

    while (depth < levels)
        (void)sill_yield();
    (void)sill_yield();
    return top;
}

/* 100 000 tasks, each awaiting the next, end from the bottom. */
SILL_CASE(X, 06, a_deep_tree_that_ends_grows_no_stack)
{
    struct sill_task *top = go_deep(crowd_size(100000));

    (void)sill_resume(&bottom, 0);
    ck_assert_int_eq(suite_await(top), 0);
}

/* or are cancelled from the top. */
SILL_CASE(X, 06, a_deep_tree_that_is_cancelled_grows_no_stack)
{
    struct sill_task *top = go_deep(crowd_size(100000));

    suite_cancel(top);
    ck_assert_uint_eq(depth, crowd_size(100000));
}

static void count_line(void *count, const char *line)
{
    *(size_t *)count += line[0] != '\0';
}

/* or are written down, from a stack that could not hold them all. */
SILL_CASE(X, 06, a_deep_tree_that_is_dumped_grows_no_stack)
{
    size_t levels = crowd_size(10000), lines = 0;
    struct sill_task *top = go_deep(levels);

    sill_dump(count_line, &lines);
    ck_assert_uint_ge(lines, levels);
    (void)sill_resume(&bottom, 0);
    ck_assert_int_eq(suite_await(top), 0);
}
