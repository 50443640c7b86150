/* SPDX-License-Identifier: MIT */
/*
 * Many seeds in some processes. They take one after the other from what they
 * share; the one at which a process died or stuck is what it took last.
 */
#include "scenario.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TICKS = 10, BAR = 30, LINE = 1024 }; /* ticks in a second */

struct worker {
    pid_t pid;              /* 0: none */
    _Atomic uint64_t taken; /* the seed, as its distance from the first one */
    _Atomic bool busy;      /* it is not known what came of it */
    uint64_t seen;          /* of it, and ... */
    unsigned ticks;         /* ... for how long */
    struct totals totals;
};

struct board {
    const struct plan *plan;
    const struct sill_scenario *scenario;
    unsigned jobs;
    _Atomic uint64_t next, bad;
    struct worker workers[];
};

/* ---- in a worker ---- */

/* Tries the seed at (at). Returns whether it held. */
static bool try(struct board *board, struct worker *worker, uint64_t at)
{
    const struct plan *plan = board->plan;
    char why[WHY_SIZE];

    atomic_store(&worker->taken, at);
    atomic_store(&worker->busy, true);

    bool holds = sill_scenario_try(plan, board->scenario, plan->first + at,
                                   &worker->totals, why);

    if (!holds) {
        atomic_fetch_add(&board->bad, 1);
        sill_scenario_say(plan, board->scenario, plan->first + at, why);
    }
    atomic_store(&worker->busy, false);
    return holds;
}

/* What a bad seed left behind is not to be found again in the next one. */
static void work(struct board *board, struct worker *worker)
{
    uint64_t at;

    if (board->plan->alone)
        sill_scenario_seal();
    while (atomic_load(&board->bad) < BAD_MOST &&
           (at = atomic_fetch_add(&board->next, 1)) < board->plan->seeds) {
        if (!try(board, worker, at))
            _exit(0);
    }
}

static bool begin(struct board *board, struct worker *worker)
{
    pid_t parent = getpid();
    sigset_t none;

    (void)fflush(NULL);
    worker->ticks = 0;

    pid_t pid = fork();

    if (pid > 0)
        worker->pid = pid; /* not by the other one: it is shared */
    if (pid != 0)
        return pid > 0;
    sigemptyset(&none);
    (void)pthread_sigmask(SIG_SETMASK, &none, NULL);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
        _exit(1);
    work(board, worker);
    exit(0); /* NOLINT(concurrency-mt-unsafe): the only thread */
}

/* ---- in the program itself ---- */

static void show(const struct board *board)
{
    uint64_t seeds = board->plan->seeds, at = atomic_load(&board->next);
    char bar[BAR + 1];

    if (!isatty(STDERR_FILENO))
        return;
    at = at < seeds ? at : seeds;
    for (unsigned i = 0; i < BAR; i++)
        bar[i] = i * seeds < at * BAR ? '#' : '.';
    bar[BAR] = '\0';
    (void)fprintf(stderr, "\r\033[K%s [%s] %llu/%llu, %llu bad",
                  board->scenario->name, bar, (unsigned long long)at,
                  (unsigned long long)seeds,
                  (unsigned long long)atomic_load(&board->bad));
}

static void clear(void)
{
    if (isatty(STDERR_FILENO))
        (void)fputs("\r\033[K", stderr);
}

static void bury(struct board *board, struct worker *worker, const char *why)
{
    atomic_fetch_add(&board->bad, 1);
    worker->totals.seeds++;
    worker->totals.bad++;
    clear();
    sill_scenario_say(board->plan, board->scenario,
                      board->plan->first + atomic_load(&worker->taken), why);
}

static bool wants_more(const struct board *board)
{
    return atomic_load(&board->bad) < BAD_MOST &&
           atomic_load(&board->next) < board->plan->seeds;
}

/* Looks whether one has ended, and how. */
static void collect(struct board *board, struct worker *worker)
{
    char why[WHY_SIZE];
    int status;

    if (worker->pid == 0 || waitpid(worker->pid, &status, WNOHANG) <= 0)
        return;
    worker->pid = 0;

    bool busy = atomic_exchange(&worker->busy, false);

    if (WIFEXITED(status) && WEXITSTATUS(status) == 77 && !busy)
        exit(77); /* NOLINT(concurrency-mt-unsafe): the only thread */
    if (WIFSIGNALED(status))
        (void)snprintf(why, sizeof(why), "it died of signal %d",
                       WTERMSIG(status));
    else
        (void)snprintf(why, sizeof(why), "it exited with %d",
                       WEXITSTATUS(status));
    if (busy || status != 0)
        bury(board, worker, why);
}

static void end(struct worker *worker)
{
    if (worker->pid == 0)
        return;
    (void)kill(worker->pid, SIGKILL);
    (void)waitpid(worker->pid, NULL, 0);
    worker->pid = 0;
    atomic_store(&worker->busy, false);
}

/* Ends one that makes no progress. */
static void look_at(struct board *board, struct worker *worker)
{
    uint64_t taken = atomic_load(&worker->taken);
    char why[WHY_SIZE];

    if (worker->pid == 0 || taken != worker->seen) {
        worker->seen = taken;
        worker->ticks = 0;
        return;
    }
    if (++worker->ticks < board->plan->limit * TICKS)
        return;
    end(worker);
    (void)snprintf(why, sizeof(why), "it took more than %u s",
                   board->plan->limit);
    bury(board, worker, why);
}

/* Waits for the end of a worker, or a tick. Time is counted in ticks: a machine
 * that slept does not make anybody late. */
static bool await_tick(const sigset_t *child)
{
    const struct timespec tick = {.tv_nsec = 1000000000 / TICKS};

    return sigtimedwait(child, NULL, &tick) < 0 && errno == EAGAIN;
}

static bool watch(struct board *board, const sigset_t *child)
{
    bool works = true, has_ticked = false;

    for (unsigned i = 0; i < board->jobs; i++)
        if (!begin(board, &board->workers[i]))
            return false;
    while (works) {
        show(board);
        works = false;
        for (unsigned i = 0; i < board->jobs; i++) {
            struct worker *worker = &board->workers[i];

            if (has_ticked)
                look_at(board, worker);
            collect(board, worker);
            if (worker->pid == 0 && wants_more(board) && !begin(board, worker))
                return false;
            works |= worker->pid != 0;
        }
        has_ticked = works && await_tick(child);
    }
    return true;
}

bool sill_scenario_share(const struct plan *plan,
                         const struct sill_scenario *scenario,
                         struct totals *totals)
{
    unsigned jobs =
        plan->seeds < plan->jobs ? (unsigned)plan->seeds : plan->jobs;
    size_t size = sizeof(struct board) + jobs * sizeof(struct worker);
    struct board *board = mmap(NULL, size, PROT_READ | PROT_WRITE,
                               MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    sigset_t child, before;

    if (board == MAP_FAILED)
        return false;
    board->plan = plan;
    board->scenario = scenario;
    board->jobs = jobs;
    (void)signal(SIGCHLD, SIG_DFL); /* who ignores it is never told */
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    (void)pthread_sigmask(SIG_BLOCK, &child, &before);

    bool works = watch(board, &child);

    for (unsigned i = 0; i < jobs && !works; i++)
        end(&board->workers[i]);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    clear();
    for (unsigned i = 0; i < jobs; i++)
        sill_scenario_add(totals, &board->workers[i].totals);
    (void)munmap(board, size);
    return works;
}
