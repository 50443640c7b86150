/* SPDX-License-Identifier: MIT */
/*
 * Forks and signals: group K. What the rest of the process does must not
 * disturb a loop, nor a loop the rest of the process.
 */
#include "faults.h"
#include "suite.h"
#include "tour.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void exit_at_once(void *unused)
{
    (void)unused;
    _exit(0);
}

/* Runs (fn)(arg) in a child and checks that it exits with 0. */
static void in_child(void (*fn)(void *arg), void *arg)
{
    static char errors[4096];
    int status = suite_fork(fn, arg, errors, sizeof(errors));

    ck_assert_msg(status == 0, "the child's status is %#x: %.1000s", status,
                  errors);
}

/* ---- K-01 ---- */

static void list_descriptors(void *unused)
{
    (void)unused;
    (void)execl("/bin/sh", "sh", "-c", "ls /proc/self/fd >&2", (char *)NULL);
    _exit(1);
}

struct belongings {
    struct suite_pair pairs[SUITE_KINDS];
    struct sill_listener listener, unix_listener;
    struct sill_datagram datagram;
    struct sill_watch watch;
    struct sill_task *sleeper;
    int ends[2];
};

static void own_things(struct belongings *own)
{
    struct sill_address address;
    char text[64];

    for (int kind = 0; kind < SUITE_KINDS; kind++)
        suite_pair_open(&own->pairs[kind], (enum suite_kind)kind);
    suite_listen(&own->listener, &address);
    address = suite_loopback(0);
    ck_assert_int_eq(sill_datagram_open(&own->datagram, &address, NULL), 0);
    (void)snprintf(text, sizeof(text), "unix:@sill-own-%ld", (long)getpid());
    ck_assert_int_eq(sill_address_parse(&address, text), 0);
    ck_assert_int_eq(sill_listener_listen(&own->unix_listener, &address, NULL),
                     0);
    ck_assert_int_eq(pipe2(own->ends, O_CLOEXEC | O_NONBLOCK), 0);
    ck_assert_int_eq(sill_watch_open(&own->watch, own->ends[0]), 0);
    own->sleeper = suite_spawn(suite_sleeper, NULL);
    suite_yield(1);
}

static void disown_things(struct belongings *own)
{
    suite_cancel(own->sleeper);
    sill_watch_close(&own->watch);
    (void)close(own->ends[0]);
    (void)close(own->ends[1]);
    sill_listener_close(&own->unix_listener);
    sill_datagram_close(&own->datagram);
    sill_listener_close(&own->listener);
    for (int kind = 0; kind < SUITE_KINDS; kind++)
        suite_pair_close(&own->pairs[kind]);
}

static char listed_before[4096], listed_inside[4096];

static int list_with_belongings(void *unused)
{
    struct belongings own;

    (void)unused;
    own_things(&own);
    ck_assert_int_eq(suite_fork(list_descriptors, NULL, listed_inside,
                                sizeof(listed_inside)),
                     0);
    disown_things(&own);
    return 0;
}

/* K-01: a program that was started holds what it would hold without a loop. */
SILL_CASE_OUTSIDE(K, 01, an_executed_child_inherits_no_descriptors)
{
    ck_assert_int_eq(suite_fork(list_descriptors, NULL, listed_before,
                                sizeof(listed_before)),
                     0);
    ck_assert_int_eq(sill_run(list_with_belongings, NULL), 0);
    ck_assert_str_eq(listed_inside, listed_before);
}

/* ---- K-02 ---- */

static int read_and_answer(void *stream)
{
    ssize_t got;
    char byte;

    do {
        got = sill_stream_read(stream, &byte, 1, SILL_NEVER);
        if (got == 1)
            got = sill_stream_write(stream, &byte, 1, SILL_NEVER);
    } while (got == 1);
    return (int)got;
}

/* Whether the other end of each pair still answers, and nothing else comes. */
static void check_answers(struct suite_pair pairs[])
{
    for (int kind = 0; kind < SUITE_KINDS; kind++) {
        struct sill_stream *stream = &pairs[kind].b;
        char byte = 0;

        ck_assert_int_eq(sill_stream_read(stream, &byte, 1, SILL_PAST),
                         SILL_ETIMEDOUT);
        ck_assert_int_eq(sill_stream_write(stream, "q", 1, SILL_NEVER), 1);
        ck_assert_int_eq(
            sill_stream_read(stream, &byte, 1, sill_after(suite_liveness())),
            1);
        ck_assert_int_eq(byte, 'q');
    }
}

static void resume_at_once(void *trigger)
{
    (void)sill_resume(trigger, 0);
}

static void check_wake_ups(void)
{
    struct sill_trigger trigger = SILL_TRIGGER_INIT;
    struct suite_thread thread;
    sill_time deadline = sill_after(SILL_MILLISECOND);

    suite_thread_start(&thread, resume_at_once, &trigger);
    ck_assert_int_eq(sill_suspend(&trigger, sill_after(suite_liveness())), 0);
    suite_thread_join(&thread);
    ck_assert_int_eq(sill_sleep(deadline), 0);
    ck_assert_int_lt(sill_now() - deadline, suite_liveness());
}

/* Lets tasks wait in every kind of stream while children do (fn). */
static void fork_beside(void (*fn)(void *arg), int times)
{
    static struct suite_pair pairs[SUITE_KINDS];
    struct sill_task *tasks[SUITE_KINDS];

    for (int kind = 0; kind < SUITE_KINDS; kind++) {
        suite_pair_open(&pairs[kind], (enum suite_kind)kind);
        tasks[kind] = suite_spawn(read_and_answer, &pairs[kind].a);
    }
    suite_yield(2);
    for (int i = 0; i < times; i++) {
        in_child(fn, pairs);
        check_answers(pairs);
        check_wake_ups();
    }
    for (int kind = 0; kind < SUITE_KINDS; kind++) {
        suite_cancel(tasks[kind]);
        suite_pair_close(&pairs[kind]);
    }
}

/* K-02: a fork, and the child's end, leave the parent's loop alone. */
SILL_CASE(K, 02, a_fork_does_not_disturb_the_loop)
{
    fork_beside(exit_at_once, 20);
}

struct files {
    struct sill_listener listener;
    struct sill_datagram datagram;
};

static void close_files(void *arg)
{
    struct files *files = arg;

    sill_listener_close(&files->listener);
    sill_datagram_close(&files->datagram);
}

/* The files of Unix-domain sockets are the parent's, also when the child closes
 * what it inherited. */
SILL_CASE(K, 02, a_child_that_closes_leaves_the_files)
{
    static struct files files;
    char folder[] = "/tmp/sill-XXXXXX", paths[2][32];
    struct sill_address address;

    ck_assert_ptr_nonnull(mkdtemp(folder));
    for (int i = 0; i < 2; i++)
        (void)snprintf(paths[i], sizeof(paths[i]), "%s/%d", folder, i);
    ck_assert_int_eq(sill_address_unix(&address, paths[0]), 0);
    ck_assert_int_eq(sill_listener_listen(&files.listener, &address, NULL), 0);
    ck_assert_int_eq(sill_address_unix(&address, paths[1]), 0);
    ck_assert_int_eq(sill_datagram_open(&files.datagram, &address, NULL), 0);
    in_child(close_files, &files);
    ck_assert_int_eq(access(paths[0], F_OK), 0);
    ck_assert_int_eq(access(paths[1], F_OK), 0);
    close_files(&files);
    ck_assert_int_eq(rmdir(folder), 0);
}

static void execute_true(void *unused)
{
    (void)unused;
    (void)execl("/bin/true", "true", (char *)NULL);
    _exit(1);
}

SILL_CASE(K, 02, a_started_program_does_not_disturb_the_loop)
{
    fork_beside(execute_true, 5);
}

/* The child runs on, and ends only after the parent has gone on too. */
SILL_CASE(K, 02, a_living_child_does_not_disturb_the_loop)
{
    struct suite_pair pair;
    int ends[2];
    char byte;

    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    suite_pair_open(&pair, SUITE_UNIX);

    pid_t child = fork();

    ck_assert_int_ge(child, 0);
    if (child == 0) {
        (void)close(ends[1]);
        _exit((int)read(ends[0], &byte, 1));
    }

    struct sill_task *task = suite_spawn(read_and_answer, &pair.a);

    for (int i = 0; i < 10; i++) {
        ck_assert_int_eq(sill_stream_write(&pair.b, "x", 1, SILL_NEVER), 1);
        ck_assert_int_eq(sill_stream_read(&pair.b, &byte, 1, SILL_NEVER), 1);
        check_wake_ups();
    }
    (void)close(ends[0]);
    (void)close(ends[1]);

    int status = -1;

    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    suite_cancel(task);
    suite_pair_close(&pair);
}

/* ---- K-03 ---- */

static struct belongings parents;

static int outside_tasks(void)
{
    struct sill_trigger trigger = SILL_TRIGGER_INIT;
    struct sill_task *task;
    int right = 0;

    right += sill_self() == NULL;
    right += sill_suspend(&trigger, SILL_NEVER) == SILL_ENOTASK;
    right += sill_sleep(sill_after(SILL_SECOND)) == SILL_ENOTASK;
    right += sill_yield() == SILL_ENOTASK;
    right += sill_spawn(suite_returner, NULL, &task) == SILL_ENOTASK;
    return right;
}

static int outside_streams(struct suite_pair *pair)
{
    char byte;
    int right = 0;

    right += sill_stream_read(&pair->a, &byte, 1, SILL_NEVER) == SILL_ENOTASK;
    right += sill_stream_read_full(&pair->a, &byte, 1, NULL, SILL_NEVER) ==
             SILL_ENOTASK;
    right += sill_stream_write(&pair->a, "x", 1, SILL_NEVER) == SILL_ENOTASK;
    right += sill_stream_write_all(&pair->a, "x", 1, NULL, SILL_NEVER) ==
             SILL_ENOTASK;
    return right;
}

static int outside_sockets(struct belongings *own)
{
    struct sill_listener listener = {0};
    struct sill_datagram datagram = {0};
    struct sill_watch watch = {0};
    struct sill_stream stream = {0};
    struct sill_address any = suite_loopback(0);
    char byte;
    int right = 0;

    right += sill_listener_listen(&listener, &any, NULL) == SILL_ENOTASK;
    right += sill_datagram_open(&datagram, &any, NULL) == SILL_ENOTASK;
    right += sill_watch_open(&watch, own->ends[1]) == SILL_ENOTASK;
    right += sill_stream_adopt(&stream, own->ends[1]) == SILL_ENOTASK;
    right += sill_listener_accept(&own->listener, &stream, SILL_NEVER) ==
             SILL_ENOTASK;
    right += sill_datagram_receive(&own->datagram, &byte, 1, NULL,
                                   SILL_NEVER) == SILL_ENOTASK;
    right +=
        sill_watch_wait(&own->watch, SILL_READ, SILL_NEVER) == SILL_ENOTASK;
    return right;
}

static void call_everything(void *unused)
{
    (void)unused;
    if (outside_tasks() != 5)
        _exit(1);
    for (int kind = 0; kind < SUITE_KINDS; kind++) {
        if (outside_streams(&parents.pairs[kind]) != 4)
            _exit(2 + kind);
    }
    if (outside_sockets(&parents) != 7)
        _exit(9);
}

/* SILL_ENOTASK: "may wait only inside a task of this process". */
SILL_CASE(K, 03, a_forked_child_is_outside_of_tasks)
{
    own_things(&parents);
    in_child(call_everything, NULL);
    disown_things(&parents);
}

/* All but threads, which the child of a process with threads must not start. */
static int tour_without_threads(void *unused)
{
    int rc = 0;

    for (int i = 0; tours[i].name && rc == 0; i++) {
        if (strcmp(tours[i].name, "thread") != 0)
            rc = tours[i].fn(unused);
    }
    return rc;
}

static void run_a_loop(void *unused)
{
    (void)unused;

    int rc = sill_run(tour_without_threads, NULL);

    if (rc != 0)
        _exit(-rc & 127);
}

/* K-03: the child may run a loop of its own, and the parent gets none of its
 * events. */
SILL_CASE(K, 03, a_forked_child_runs_a_loop_of_its_own)
{
    fork_beside(run_a_loop, 3);
}

static void close_everything(void *arg)
{
    struct suite_pair *pairs = arg;

    for (int kind = 0; kind < SUITE_KINDS; kind++)
        suite_pair_close(&pairs[kind]);
}

/* K-03: what the child closes stays open, and heard, in the parent. */
SILL_CASE(K, 03, what_a_forked_child_closes_the_parent_keeps)
{
    fork_beside(close_everything, 2);
}

/* A loop that begins after another one in the parent was forked: the child has
 * nothing to do with either. */
static int fork_and_run(void *unused)
{
    (void)unused;
    in_child(run_a_loop, NULL);
    return 0;
}

SILL_CASE_OUTSIDE(K, 03, a_child_forked_between_loops_runs_one_of_its_own)
{
    ck_assert_int_eq(sill_run(tour_everything, NULL), 0);
    in_child(run_a_loop, NULL);
    ck_assert_int_eq(sill_run(fork_and_run, NULL), 0);
    in_child(run_a_loop, NULL);
}

/* ---- K-04 ---- */

static atomic_int handled;

static void count_signal(int number)
{
    (void)number;
    atomic_fetch_add(&handled, 1);
}

/* Without SA_RESTART: calls of the kernel are interrupted. */
static void interrupt_with(int number)
{
    struct sigaction action = {.sa_handler = count_signal};

    ck_assert_int_eq(sigaction(number, &action, NULL), 0);
}

struct pest {
    struct suite_thread thread;
    pthread_t victim;
    atomic_bool over;
};

static void pester(void *arg)
{
    struct pest *pest = arg;
    struct timespec moment = {0, 20000};

    while (!atomic_load(&pest->over)) {
        (void)pthread_kill(pest->victim, SIGUSR1);
        (void)nanosleep(&moment, NULL);
    }
}

static void pest_begin(struct pest *pest)
{
    interrupt_with(SIGUSR1);
    pest->victim = pthread_self();
    suite_thread_start(&pest->thread, pester, pest);
    while (atomic_load(&handled) == 0)
        (void)sched_yield();
}

static void pest_end(struct pest *pest)
{
    atomic_store(&pest->over, true);
    suite_thread_join(&pest->thread);
    ck_assert_int_gt(atomic_load(&handled), 0);
}

/* K-04: EINTR anywhere is invisible, under thousands of signals. */
SILL_CASE(K, 04, signals_disturb_no_call)
{
    struct pest pest = {.over = false};

    pest_begin(&pest);
    for (int i = 0; i < 50; i++)
        ck_assert_int_eq(tour_everything(NULL), 0);
    pest_end(&pest);
}

/* K-04: nor do they end a sleep early. */
SILL_CASE(K, 04, signals_shorten_no_wait)
{
    struct pest pest = {.over = false};
    struct sill_trigger never = SILL_TRIGGER_INIT;

    pest_begin(&pest);
    for (int i = 0; i < 20; i++) {
        sill_time deadline = sill_after(5 * SILL_MILLISECOND + i);

        ck_assert_int_eq(i % 2 ? sill_sleep(deadline)
                               : sill_suspend(&never, deadline),
                         i % 2 ? 0 : SILL_ETIMEDOUT);
        ck_assert_int_ge(sill_now(), deadline);
    }
    pest_end(&pest);
}

/* K-04: and one for each call that could be interrupted. An interrupted connect
 * goes on by itself, so it cannot be made up. */
SILL_CASE_OUTSIDE(K, 04, no_interrupted_call_shows)
{
    static const enum fault_call calls[] = {
        FAULT_read,       FAULT_write,        FAULT_readv,    FAULT_writev,
        FAULT_recv,       FAULT_recvmsg,      FAULT_recvfrom, FAULT_send,
        FAULT_sendmsg,    FAULT_sendto,       FAULT_accept4,  FAULT_poll,
        FAULT_epoll_wait, FAULT_epoll_pwait2,
    };

    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        long n = 0, struck;

        do {
            fault_clear();
            fault_nth(calls[i], ++n, EINTR);
            suite_note("%s interrupted at use %ld", fault_name(calls[i]), n);
            ck_assert_int_eq(sill_run(tour_everything, NULL), 0);
            struck = fault_strikes(calls[i]);
        } while (struck > 0);
        fault_clear();
    }
}

/* ---- K-05 ---- */

/* SA_RESTORER is the C library's own affair. */
enum { SIGNALS = 65, RESTORER = 0x04000000 };

struct dispositions {
    struct sigaction action[SIGNALS];
    sigset_t mask;
    stack_t stack;
};

static void take_dispositions(struct dispositions *taken)
{
    memset(taken, 0, sizeof(*taken));
    for (int i = 1; i < SIGNALS; i++)
        (void)sigaction(i, NULL, &taken->action[i]);
    (void)sigprocmask(SIG_SETMASK, NULL, &taken->mask);
    (void)sigaltstack(NULL, &taken->stack);
}

static void check_disposition(const struct dispositions *before,
                              const struct dispositions *now, int number)
{
    const struct sigaction *a = &before->action[number];
    const struct sigaction *b = &now->action[number];

    suite_note("signal %d", number);
    ck_assert(a->sa_handler == b->sa_handler);
    ck_assert_int_eq(a->sa_flags & ~RESTORER, b->sa_flags & ~RESTORER);
    ck_assert_int_eq(sigismember(&before->mask, number),
                     sigismember(&now->mask, number));
}

static struct dispositions before, inside, after;

static int take_inside(void *unused)
{
    int rc = tour_everything(unused);

    take_dispositions(&inside);
    return rc;
}

/* K-05: while a loop runs only SIGSEGV is handled, to report an overflow;
 * afterwards all is as before. */
SILL_CASE_OUTSIDE(K, 05, dispositions_are_left_alone)
{
    take_dispositions(&before);
    ck_assert_int_eq(sill_run(take_inside, NULL), 0);
    take_dispositions(&after);
    for (int i = 1; i < SIGNALS; i++) {
        if (i != SIGSEGV)
            check_disposition(&before, &inside, i);
        check_disposition(&before, &after, i);
    }
    ck_assert_int_eq(before.stack.ss_flags, after.stack.ss_flags);
    ck_assert_ptr_eq(before.stack.ss_sp, after.stack.ss_sp);
}

/* The same when a program had its own handlers, and some signals blocked. */
SILL_CASE_OUTSIDE(K, 05, handlers_of_the_program_are_left_alone)
{
    static const int numbers[] = {SIGSEGV, SIGPIPE, SIGINT, SIGTERM, SIGUSR2};
    sigset_t some;

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        interrupt_with(numbers[i]);
    (void)sigemptyset(&some);
    (void)sigaddset(&some, SIGTERM);
    (void)sigaddset(&some, SIGHUP);
    (void)sigprocmask(SIG_BLOCK, &some, NULL);
    take_dispositions(&before);
    ck_assert_int_eq(sill_run(take_inside, NULL), 0);
    take_dispositions(&after);
    for (int i = 1; i < SIGNALS; i++) {
        if (i != SIGSEGV)
            check_disposition(&before, &inside, i);
        check_disposition(&before, &after, i);
    }
    ck_assert_int_eq(atomic_load(&handled), 0);
}

static int handle_some(void *unused)
{
    (void)unused;
    interrupt_with(SIGUSR2);
    interrupt_with(SIGSEGV);
    take_dispositions(&inside);
    return 0;
}

/* A handler that the program sets while a loop runs is not taken back. */
SILL_CASE_OUTSIDE(K, 05, handlers_set_by_a_task_stay)
{
    ck_assert_int_eq(sill_run(handle_some, NULL), 0);
    take_dispositions(&after);
    for (int i = 1; i < SIGNALS; i++)
        check_disposition(&inside, &after, i);
}

static int send_fault(void *unused)
{
    (void)unused;
    return kill(getpid(), SIGSEGV);
}

static void run_send_fault(void *unused)
{
    (void)sill_run(send_fault, unused);
}

/* A SIGSEGV that somebody sent ends the program, as it would without a loop:
 * nothing will repeat it. */
SILL_CASE_OUTSIDE(K, 05, a_sent_fault_ends_the_program)
{
    static char errors[4096];
    int status = suite_fork(run_send_fault, NULL, errors, sizeof(errors));

    ck_assert_msg(status != 0, "it survived");
}

/* ---- K-06 ---- */

static struct sill_trigger rang[8];
static atomic_int rings;

static void ring(int number)
{
    int i = atomic_fetch_add(&rings, 1);

    if (i < 8)
        (void)sill_resume(&rang[i], number);
}

static void ring_at(int number)
{
    struct sigaction action = {.sa_handler = ring};

    ck_assert_int_eq(sigaction(number, &action, NULL), 0);
}

static int send_to_process(void *number)
{
    return kill(getpid(), (int)(intptr_t)number);
}

/* K-06: a signal for the process, awaited as an event. */
SILL_CASE(K, 06, a_task_waits_for_a_signal)
{
    ring_at(SIGTERM);
    for (int i = 0; i < 8; i++) {
        struct sill_task *sender =
            suite_spawn(send_to_process, (void *)(intptr_t)SIGTERM);

        ck_assert_int_eq(sill_suspend(&rang[i], sill_after(suite_liveness())),
                         0);
        ck_assert_int_eq(sill_trigger_value(&rang[i]), SIGTERM);
        ck_assert_int_eq(suite_await(sender), 0);
    }
}

static int blocked(int number, int how)
{
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, number);
    return sigprocmask(how, &set, NULL);
}

/* K-06: several that are pending at once coalesce to one, as POSIX allows, and
 * not to none. */
SILL_CASE(K, 06, pending_signals_coalesce_to_one_at_least)
{
    ring_at(SIGUSR1);
    ck_assert_int_eq(blocked(SIGUSR1, SIG_BLOCK), 0);
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(kill(getpid(), SIGUSR1), 0);
    ck_assert_int_eq(sill_suspend(&rang[0], SILL_PAST), SILL_ETIMEDOUT);
    ck_assert_int_eq(blocked(SIGUSR1, SIG_UNBLOCK), 0);
    ck_assert_int_eq(sill_suspend(&rang[0], sill_after(suite_liveness())), 0);
    ck_assert_int_ge(atomic_load(&rings), 1);
    ck_assert_int_le(atomic_load(&rings), 5);
}

/* K-06: real-time signals are queued, and each that its handler saw arrives. */
SILL_CASE(K, 06, queued_signals_all_arrive)
{
    union sigval nothing = {0};

    ring_at(SIGRTMIN);
    ck_assert_int_eq(blocked(SIGRTMIN, SIG_BLOCK), 0);
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(sigqueue(getpid(), SIGRTMIN, nothing), 0);
    ck_assert_int_eq(blocked(SIGRTMIN, SIG_UNBLOCK), 0);
    for (int i = 0; i == 0 || i < atomic_load(&rings); i++) {
        ck_assert_int_eq(sill_suspend(&rang[i], sill_after(suite_liveness())),
                         0);
        ck_assert_int_eq(sill_trigger_value(&rang[i]), SIGRTMIN);
    }
    ck_assert_int_le(atomic_load(&rings), 5);
}
