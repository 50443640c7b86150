/* SPDX-License-Identifier: MIT */
/*
 * suite.h: what a conformance case is made of.
 *
 * A case is one claim of a header, named as that claim; it sees <sill/...>,
 * this file, faults.h and libc, and never which backend it runs on. The same
 * archive is linked with every backend.
 *
 *     (the sentence that is checked, as its header or rule has it)
 *     SILL_CASE(T, 01, child_never_runs_before_spawn_returns)
 *     {
 *         ck_assert_int_eq(...);
 *     }
 *
 * Each case runs in a process of its own. A case fails when an assertion
 * does, when sill_run returns anything but 0 (SILL_CASE), when it takes longer
 * than 20 s and 5 s times the scale (then the task tree is shown), and when it
 * leaves a descriptor, a thread, a block of sill's memory or a mapping behind.
 * What a case opens itself it must therefore close itself.
 *
 * Stack    a SILL_CASE body runs on an ordinary task's stack, 64 KiB: no big
 *          arrays. Statics are fine, for each case is a fresh process.
 * Threads  ck_assert belongs to the thread that runs the case; other threads
 *          are made with suite_thread_start, and report through what they
 *          write before they are joined.
 * Time     lower bounds are exact; upper bounds are for liveness only, and
 *          are suite_liveness(), or suite_lateness() after a deadline: where
 *          time is virtual that is exact, too. To let time pass without a wait
 *          there is suite_spend_until. Never sleep to make something happen
 * first: yield, or wait for it.
 */
#ifndef SUITE_H
#define SUITE_H

#include "ck.h"
#include "sill_conformance.h"

#include <sill/guest.h>
#include <sill/sill.h>

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Begins a case of rule (group)-(number), such as SILL_CASE(T, 01, name),
 * whose body runs inside the first task of a fresh loop. Keep the macro, its
 * arguments and nothing else on one line that begins with SILL_CASE: the build
 * finds the cases by these lines, and calls this one T-01.name.
 *
 * What a case needs that not every backend has (see sill_conformance.h) goes
 * with its group:
 *
 *     F  fd            K  fd_threads        all others  nothing
 *     H  guest         V  virtual
 *     W  threads
 *
 * or is said in a fourth argument, one of these words:
 *
 *     SILL_CASE(C, 01, cancel_wakes_watch_wait, fd)
 *
 * A backend that does not declare it has the case skipped, with that reason;
 * so has one whose time is virtual a case that needs "real" time, and a run
 * with --shuffle one that needs tasks in the "order" of becoming ready.
 */
#define SILL_CASE(group, number, ...)                                          \
    SUITE_REGISTER(group, number, true, __VA_ARGS__, group, )

/* Is SILL_CASE for a body that runs outside of any loop, and calls sill_run
 * itself where it needs one. */
#define SILL_CASE_OUTSIDE(group, number, ...)                                  \
    SUITE_REGISTER(group, number, false, __VA_ARGS__, group, )

/* The words, and what the groups need. */
enum suite_needs {
    SUITE_NEEDS_nothing = 0,
    SUITE_NEEDS_fd = SILL_CONFORMANCE_FD,
    SUITE_NEEDS_guest = SILL_CONFORMANCE_GUEST,
    SUITE_NEEDS_virtual = SILL_CONFORMANCE_VIRTUAL,
    SUITE_NEEDS_threads = SILL_CONFORMANCE_THREADS,
    SUITE_NEEDS_seeded = SILL_CONFORMANCE_SEEDED,
    SUITE_NEEDS_real = 32, /* time that passes by itself: not virtual */
    SUITE_NEEDS_order =
        64, /* tasks that run as they became ready: no --shuffle */
    SUITE_NEEDS_fd_threads = SILL_CONFORMANCE_FD | SILL_CONFORMANCE_THREADS,
    SUITE_NEEDS_F = SUITE_NEEDS_fd,
    SUITE_NEEDS_H = SUITE_NEEDS_guest,
    SUITE_NEEDS_V = SUITE_NEEDS_virtual,
    SUITE_NEEDS_W = SUITE_NEEDS_threads,
    SUITE_NEEDS_K = SUITE_NEEDS_fd_threads,
    SUITE_NEEDS_A = 0,
    SUITE_NEEDS_C = 0,
    SUITE_NEEDS_D = 0,
    SUITE_NEEDS_G = 0,
    SUITE_NEEDS_L = 0,
    SUITE_NEEDS_Q = 0,
    SUITE_NEEDS_R = 0,
    SUITE_NEEDS_S = 0,
    SUITE_NEEDS_T = 0,
    SUITE_NEEDS_U = 0,
    SUITE_NEEDS_X = 0,
    SUITE_NEEDS_Y = 0
};

struct suite_case {
    const char *rule; /* "T-01" */
    const char *name, *file;
    int line;
    unsigned needs; /* of enum sill_conformance_property */
    void (*body)(void);
    bool inside; /* of a task */
    struct suite_case *next;
};

/* Adds (a_case) to suite_cases, which are in order of their rules. */
void suite_register(struct suite_case *a_case);
extern struct suite_case *suite_cases;

/* Runs (fn)(arg) as a task in the backend's host, and returns its result. */
extern int (*suite_run_as_guest)(sill_task_fn *fn, void *arg);

/* Whose tasks are shown when a case hangs; NULL: those of the running loop. */
extern struct sill_guest *suite_guest;

#define SUITE_REGISTER(group, number, is_inside, claim, its_needs, ...)        \
    static void case_##group##number##_##claim(void);                          \
    static void register_##group##number##_##claim(void)                       \
        __attribute__((constructor));                                          \
    static void register_##group##number##_##claim(void)                       \
    {                                                                          \
        static struct suite_case self = {                                      \
            .rule = #group "-" #number,                                        \
            .name = #claim,                                                    \
            .file = __FILE__,                                                  \
            .line = __LINE__,                                                  \
            .needs = SUITE_NEEDS_##its_needs,                                  \
            .body = case_##group##number##_##claim,                            \
            .inside = is_inside,                                               \
        };                                                                     \
        suite_register(&self);                                                 \
    }                                                                          \
    static void case_##group##number##_##claim(void)

/* Whether the backend declares all of these (properties). For what makes the
 * objects that cases work on: a case says what it needs in its SILL_CASE. */
bool suite_has(unsigned properties);

/* ---- time ---- */

/* How much slower than usual things may be: --timeout-scale, or else
 * SILL_TIMEOUT_SCALE of the environment, or 1. */
double suite_scale(void);

/* How long a case may take, in seconds. */
unsigned suite_limit(void);

/* The upper bound for "it happens at all": 500 ms times the scale. */
sill_duration suite_liveness(void);

/* How late a deadline may be noticed: that much, or not at all where time is
 * virtual. */
sill_duration suite_lateness(void);

/* Keeps the thread, and so the loop, to itself until (instant). */
void suite_spend_until(sill_time instant);

/* How many to take where a rule says (count): fewer by the scale, so that a
 * slow build ends in time, but at least 16. */
int suite_many(int count);

/* The same for tasks that are alive at one time, each of which costs some
 * sanitizers milliseconds: at most 1 000 unless the scale is 1. */
int suite_crowd(int count);

/* ---- tasks ---- */

/* Spawns (fn)(arg) as a child of this task and returns it; fails the case when
 * that is impossible. */
#define suite_spawn(fn, arg) suite_spawn_at(fn, arg, SILL_HERE)
struct sill_task *suite_spawn_at(sill_task_fn *fn, void *arg,
                                 const char *where);

/* Awaits (task) for ever and returns its result; fails the case when the await
 * itself fails. */
int suite_await(struct sill_task *task);

/* Cancels (task) and waits for ever until it has ended. */
void suite_cancel(struct sill_task *task);

/*
 * Yields until every task that can run has come to wait for something else
 * than a yield, at most (rounds) times, and once more if they are shuffled; a
 * round is enough for a task that goes straight to its first wait.
 */
void suite_yield(int rounds);

/* Returns whether a line of the task tree of this loop contains (text). */
bool suite_dump_has(const char *text);

/*
 * Task functions: sleeps until cancelled and returns what sleep did; suspends
 * on the trigger (arg) for ever and returns what suspend did; returns (arg), a
 * suite_number, at once.
 */
int suite_sleeper(void *arg);
int suite_suspender(void *arg);
int suite_returner(void *arg);

/* A number as the argument of a task. */
#define suite_number(value) ((void *)(intptr_t)(value))

/* ---- streams, two ends of one kind ---- */

enum suite_kind {
    SUITE_TCP,    /* as the backend's maker makes them, or over a listener on
                   * the loopback, accepted */
    SUITE_UNIX,   /* an adopted socketpair; without "fd" by a name */
    SUITE_MEMORY, /* sill_stream_pair, 64 KiB each way */
    SUITE_KINDS
};

struct suite_pair {
    struct sill_stream a, b;
    enum suite_kind kind;
};

/* Opens both ends of (pair); inside a task. */
void suite_pair_open(struct suite_pair *pair, enum suite_kind kind);

/* Closes both ends; twice is harmless. */
void suite_pair_close(struct suite_pair *pair);

/* Writes to (stream) until a write has waited in vain for a while; returns how
 * many bytes went in. Afterwards any further write waits. Suspends. */
size_t suite_fill(struct sill_stream *stream);

/* A listener of the backend's maker, or on a free port of 127.0.0.1, and where
 * it is. */
void suite_listen(struct sill_listener *listener, struct sill_address *address);

/* The address 127.0.0.1 with (port). */
struct sill_address suite_loopback(uint16_t port);

/* ---- threads and processes ---- */

struct suite_thread {
    pthread_t thread;
    void (*fn)(void *arg);
    void *arg;
};

/* Runs (fn)(arg) on a thread of its own, which takes no signals. Join it
 * before the case ends. */
void suite_thread_start(struct suite_thread *thread, void (*fn)(void *arg),
                        void *arg);
void suite_thread_join(struct suite_thread *thread);

/*
 * Runs (fn)(arg) in a child process, which exits 0 when it returns.
 *
 * errors   receives what it wrote to standard error, cut to (size) bytes and
 *          ended by NUL.
 *
 * Returns its status as of waitpid.
 */
int suite_fork(void (*fn)(void *arg), void *arg, char *errors, size_t size);

/*
 * Checks that (fn)(arg), in a child process, is ended by SIGABRT, and that its
 * standard error contains each of the given texts:
 *
 *     suite_expect_abort(await_twice, NULL, "sill_await", "tasks.c:");
 *
 * (fn) calls sill_run itself: use it from a SILL_CASE_OUTSIDE.
 */
#define suite_expect_abort(fn, arg, ...)                                       \
    suite_expect_abort_texts(fn, arg, (const char *const[]){__VA_ARGS__, NULL})
void suite_expect_abort_texts(void (*fn)(void *arg), void *arg,
                              const char *const texts[]);

/*
 * Is suite_expect_abort for a mistake (wrong) that a task makes: the words are
 * the name of the (call), that of the task, and this very line.
 */
#define suite_expect_culprit(wrong, call)                                      \
    suite_expect_culprit_at(wrong, call, SILL_HERE)
void suite_expect_culprit_at(void (*wrong)(void), const char *call,
                             const char *where);

/* ---- what is in use ---- */

int suite_descriptors(void);   /* open descriptors of this process */
int suite_threads(void);       /* its threads */
long suite_blocks(void);       /* blocks of sill_alloc not yet freed */
long long suite_mapped(void);  /* bytes that sill mapped and did not unmap */
sill_duration suite_cpu(void); /* processor time used by all threads */
long suite_wakeups(void);      /* how often this thread slept in the kernel */

/* How many wake-ups an idle loop may have made in a second that (took) so long:
 * the one that ended it, one for reasons of the kernel's own, and one more for
 * each 20 ms by which the machine was late. */
long suite_wakeups_allowed(sill_duration took);

long long suite_resident(void); /* bytes of memory in use (RSS) */

/* Takes stock of descriptors, threads, blocks and mappings, and checks that
 * the present ones are those of (before). The harness does so around each
 * case; inside of one, around loops that a case runs itself. */
struct suite_stock {
    int descriptors, threads;
    long blocks;
    long long mapped;
};

struct suite_stock suite_take_stock(void);
void suite_check_stock(const struct suite_stock *before);

/* ---- orders and failures ---- */

/* Calls (fn) for every order of 0 .. (count)-1, (count) at most 6. */
void suite_permute(size_t count, void (*fn)(const int order[], void *arg),
                   void *arg);

/* Sets a few words that the report has, should the case fail from here on. */
void suite_note(const char *format, ...) SILL_PRINTF(1, 2);

/* Whether sill has logged a line that contains (text) since the case began or
 * the log was cleared. What a case logs is only shown when it fails. */
bool suite_log_has(const char *text);
void suite_log_clear(void);

/*
 * Runs (scenario) with the first use of a call failing, then the second, and
 * so on until it completes without the failure having struck; for each call of
 * faults.h and each error that it can give, allocation included. A scenario is
 * run outside of any loop, accepts an error from everything that can fail,
 * checks only what must hold even then, and leaves nothing behind, which is
 * verified after each run.
 */
void suite_walk_failures(void (*scenario)(void));

#endif
