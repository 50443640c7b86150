/* SPDX-License-Identifier: MIT */
/*
 * The loop: rounds of ready tasks, and a look outside between them.
 *
 * Tasks switch to each other directly; only at the end of a round that calls
 * for a look does control go back to the scheduler, which runs on the stack of
 * sill_run (or of the host), where other people's callbacks have room.
 */
#include "core.h"
#include "text.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

enum {
    RUNS = 1024,         /* of tasks, between two looks outside */
    PATIENCE = 16,       /* task runs between two looks at the clock, ... */
    QUICK_PATIENCE = 64, /* ... where they are quick */
    CALLS = 64, /* reads and writes in a row before others get their turn */
    STACK_SIZE = 65536,
    STACK_LEAST = 16384,
    PAGE = 4096,
    LINE = 64,
    STACK_LINES = 8 /* that a waiting task returns through */
};

#define LOOK_EVERY (50 * SILL_MICROSECOND)
#define QUICK_RUN  100              /* ns */
#define STACK_MOST (SIZE_MAX / 256) /* a slab of them fits a size_t */

SILL_CORE_TLS _Thread_local struct sill_loop *sill_core_current;

/*
 * Brings a task near that runs next but one. Among a thousand connections its
 * stack and its buffer have gone cold, and the system calls of the task before
 * it take longer than their way from memory (echo, 1 000 connections of 1 KiB:
 * 1.21 of raw epoll without, 1.07 with).
 */
static void __attribute__((noinline)) bring_near(const struct sill_task *task)
{
    const char *stack = task->context.sp;

    for (unsigned i = 0; i < STACK_LINES; i++)
        __builtin_prefetch(stack + i * LINE);
    for (unsigned i = 0; i < task->target_size; i += LINE)
        __builtin_prefetch(task->target + i, 1);
}

/* Who runs next, in a round that is not over. */
static inline struct sill_task *take_turn(struct sill_loop *loop)
{
    struct sill_task *task = loop->round;

    loop->round = task->next;
    if (task->next && task->next->target)
        bring_near(task->next);
    task->state = TASK_RUNNING;
    loop->running = task;
    loop->runs_left--;
    loop->calls = 0;
    return task;
}

/* Wake-ups from elsewhere. */

static bool push_remote(struct sill_loop *loop, struct sill_task *task)
{
    struct sill_task *head = __atomic_load_n(&loop->remote, __ATOMIC_RELAXED);

    do {
        task->next = head;
    } while (!__atomic_compare_exchange_n(&loop->remote, &head, task, false,
                                          __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
    return head == NULL;
}

/* (remote_calls) keeps the loop from closing under a caller that has pushed
 * the last task and is about to interrupt. */
static void __attribute__((noinline))
wake_remote(struct sill_loop *loop, struct sill_task *task)
{
    __atomic_add_fetch(&loop->remote_calls, 1, __ATOMIC_ACQ_REL);
    if (push_remote(loop, task))
        loop->backend->interrupt(loop->self);
    __atomic_sub_fetch(&loop->remote_calls, 1, __ATOMIC_RELEASE);
}

/*
 * The task is waiting and the caller alone has the right to wake it. On the
 * loop's own thread it goes straight into the ready queue, unless this is a
 * signal handler that interrupted somebody who was at the queue.
 */
void sill_core_wake_from_anywhere(struct sill_task *task)
{
    struct sill_loop *loop = task->loop;

    if (loop == sill_core_current && !loop->at_queue && !loop->deciding) {
        task->wake = 0;
        sill_core_make_ready(task);
    } else {
        wake_remote(loop, task);
    }
}

static struct sill_task *reversed(struct sill_task *task)
{
    struct sill_task *done = NULL;

    while (task) {
        struct sill_task *next = task->next;

        task->next = done;
        done = task;
        task = next;
    }
    return done;
}

void sill_core_take_remote(struct sill_loop *loop)
{
    struct sill_task *task =
        reversed(__atomic_exchange_n(&loop->remote, NULL, __ATOMIC_ACQUIRE));

    while (task) {
        struct sill_task *next = task->next;

        task->wake = 0;
        sill_core_make_ready(task);
        task = next;
    }
}

/* Rounds. */

/* The clock costs as much as two yields, so a loop whose tasks have been quick
 * since the last look looks at it less often. */
static bool __attribute__((noinline)) check_look(struct sill_loop *loop)
{
    sill_duration past = loop->backend->now(loop->self) - loop->looked_at;
    bool quick = past < (RUNS - loop->runs_left) * QUICK_RUN;

    loop->next_check = loop->runs_left - (quick ? QUICK_PATIENCE : PATIENCE);
    if (loop->next_check < 0)
        loop->next_check = 0;
    return loop->runs_left <= 0 || past >= LOOK_EVERY;
}

static inline bool look_is_due(struct sill_loop *loop)
{
    return loop->runs_left <= loop->next_check && check_look(loop);
}

/* All that is ready now. */
static inline void take_round(struct sill_loop *loop)
{
    if (loop->shuffle)
        sill_core_shuffle(loop);
    sill_core_enter_queue(loop);
    loop->round = loop->ready;
    loop->ready = NULL;
    sill_core_leave_queue(loop);
}

static inline bool begin_round(struct sill_loop *loop)
{
    sill_core_drain_remote(loop);
    if (loop->batch.first)
        sill_core_batch_flush(loop);
    if (!loop->ready || look_is_due(loop))
        return false;
    take_round(loop);
    return true;
}

static inline struct sill_task *next_task(struct sill_loop *loop)
{
    if (loop->round || begin_round(loop))
        return take_turn(loop);
    loop->running = NULL;
    return &loop->scheduler;
}

static inline void switch_to(struct sill_loop *loop, struct sill_task *self,
                             struct sill_task *next)
{
    int saved = *loop->errno_of_thread;

    context_switch(&self->context, &next->context);
    *loop->errno_of_thread = saved;
}

/* Not inlined, so that every task leaves and arrives through the same call and
 * the processor predicts the way back. */
void __attribute__((noinline))
sill_core_run_others(struct sill_loop *loop, struct sill_task *self)
{
    struct sill_task *next = next_task(loop);

    if (next != self)
        switch_to(loop, self, next);
}

int sill_yield(void)
{
    struct sill_task *self = sill_core_self();

    if (!self)
        return SILL_ENOTASK;
    sill_core_make_ready(self);
    sill_core_run_others(self->loop, self);
    return sill_core_is_cancelled(self) ? SILL_ECANCELED : 0;
}

/* Before a call that may find work without ever waiting. */
void sill_core_take_turns(struct sill_task *self, sill_time deadline)
{
    if (++self->loop->calls > CALLS && deadline != SILL_PAST) {
        sill_core_make_ready(self);
        sill_core_run_others(self->loop, self);
    }
}

/* Waits for sill_core_wake; the caller has checked that it is not over. */
int sill_core_park(struct sill_task *self, sill_time deadline,
                   enum wait_kind kind, const char *what)
{
    struct sill_loop *loop = self->loop;

    self->what = what;
    self->since = loop->looked_at;
    if (deadline != SILL_NEVER)
        sill_core_timer_arm(self, deadline);
    else
        self->timer.deadline = SILL_NEVER;
    loop->outside += kind;
    if (self->state == TASK_RUNNING)
        self->state = TASK_WAITING;
    sill_core_run_others(loop, self);
    loop->outside -= kind;
    return self->wake;
}

/* Outside of its own rounds, a loop that has become ready must ask its host; a
 * step asks for the next one when it ends. */
void sill_core_ask_for_step(struct sill_loop *loop)
{
    if (loop != sill_core_current && !sill_core_is_forked(loop))
        loop->backend->alarm(loop->self, SILL_PAST, true);
}

/* For those who may not be tasks of the same loop: its host, between two
 * steps, or a task of another guest. */
void sill_core_wake_across(struct sill_task *task, int result)
{
    if (sill_core_wake(task, result))
        sill_core_ask_for_step(task->loop);
}

/* The whole life of a task. Returns where to go on when it has ended. */
static CONTEXT_CROSSES void *task_main(void)
{
    struct sill_task *self = sill_core_self();
    struct sill_loop *loop = self->loop;

    context_arrive(&self->context);
    sill_core_task_end(self, self->fn(self->arg));

    struct sill_task *next = next_task(loop);

    context_depart(&self->context, &next->context, 1);
    return next->context.sp;
}

void sill_core_task_begin(struct sill_task *task)
{
    task->context.sp = sill_core_prepare(task, task_main);
    task->loop->alive++;
    sill_core_make_ready(task);
}

int sill_sleep(sill_time deadline)
{
    struct sill_task *self = sill_core_self();

    if (!self)
        return SILL_ENOTASK;

    int rc = sill_core_check(self, deadline);

    if (rc == 0)
        rc = sill_core_park(self, deadline, WAIT_INSIDE, "a sleep");
    return rc == SILL_ETIMEDOUT ? 0 : rc;
}

sill_time sill_now(void)
{
    struct sill_loop *loop = sill_core_current;

    return loop ? loop->backend->now(loop->self) : sill_core_monotonic();
}

/* The scheduler. */

/* Runs rounds until nothing is ready or a look outside is due. A host may have
 * attached, and may step, on any stack of its thread. */
void sill_core_run_ready(struct sill_loop *loop)
{
    if (!loop->ready)
        return;
    context_open_thread(&loop->scheduler.context);
    loop->runs_left = RUNS;
    loop->next_check = RUNS - PATIENCE;
    take_round(loop);
    sill_core_run_others(loop, &loop->scheduler);
}

static void cancel_deadlocked(struct sill_loop *loop)
{
    sill_text_log("sill: every task waits and nothing can wake one");
    sill_core_dump_log(loop);
    loop->deadlocked = true;
    sill_core_request_cancel(loop->root);
}

static void end_with(const struct sill_loop *loop, int error)
{
    char line[SILL_TEXT_LINE];
    struct sill_text text = {line, sizeof(line)};

    sill_text_add(&text, "sill: the ", loop->backend->name,
                  " backend cannot wait: ", sill_strerror(error));
    sill_text_log(line);
    sill_core_fatal("sill_run", "the backend failed", NULL);
}

/* A deadlock that outlives the end of it is an abort hook that waits for what
 * does not come. */
static void poll_until(struct sill_loop *loop, sill_time until)
{
    int rc = loop->backend->poll(loop->self, until);

    if (rc == SILL_EDEADLK && !loop->deadlocked)
        cancel_deadlocked(loop);
    else if (rc < 0)
        end_with(loop, rc);
}

/* Signal handlers stay away from the queue while the loop makes up its mind,
 * so none slips in between "nothing is ready" and the wait. */
static void look_outside(struct sill_loop *loop)
{
    sill_time now = loop->backend->now(loop->self);
    sill_time until = SILL_PAST;

    loop->deciding = true;
    sill_core_barrier();
    sill_core_drain_remote(loop);
    if (!loop->ready)
        until = sill_core_timers_next(loop, now);
    if (until == SILL_NEVER && loop->outside == 0)
        cancel_deadlocked(loop);
    else
        poll_until(loop, until);
    sill_core_barrier();
    loop->deciding = false;

    loop->looked_at = loop->backend->now(loop->self);
    sill_core_timers_fire(loop, loop->looked_at);
    sill_core_drain_remote(loop);
}

static void run_all(struct sill_loop *loop)
{
    while (loop->alive > 0) {
        sill_core_run_ready(loop);
        if (loop->alive > 0)
            look_outside(loop);
    }
}

unsigned sill_core_forks;

static void forget_loops(void)
{
    sill_core_forks++;
    sill_core_current = NULL;
}

static void watch_forks(void)
{
    (void)pthread_atfork(NULL, NULL, forget_loops);
}

int sill_core_loop_open(struct sill_loop *loop,
                        const struct sill_run_options *options, void *host)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    size_t stack_size = STACK_SIZE;

    (void)pthread_once(&once, watch_forks);
    memset(loop, 0, sizeof(*loop));
    if (options && options->stack_size)
        stack_size = options->stack_size;
    if (stack_size < STACK_LEAST)
        stack_size = STACK_LEAST;
    if (stack_size > STACK_MOST)
        return SILL_ENOMEM;
    loop->shuffle = options ? options->shuffle : 0;
    loop->stack_size = (stack_size + PAGE - 1) & ~(size_t)(PAGE - 1);
    loop->errno_of_thread = &errno;
    loop->forks = sill_core_forks;
    loop->backend =
        options && options->backend ? options->backend : sill_backend_default;
    if (loop->backend->abi != SILL_SPI_ABI ||
        loop->backend->size != sizeof(*loop->backend))
        sill_core_fatal("sill_run", "a backend of another version", NULL);

    int rc = sill_core_overflow_open();

    if (rc < 0)
        return rc;
    rc = loop->backend->open(loop, host, &loop->self);
    if (rc < 0)
        goto no_backend;
    rc = sill_core_batch_open(loop, options ? options->batch : SILL_BATCH_AUTO);
    if (rc == 0)
        return 0;
    loop->backend->close(loop->self);
no_backend:
    sill_core_overflow_close();
    return rc;
}

void sill_core_loop_close(struct sill_loop *loop)
{
    while (__atomic_load_n(&loop->remote_calls, __ATOMIC_ACQUIRE) > 0)
        (void)sched_yield();
    loop->backend->close(loop->self);
    sill_core_batch_close(loop);
    sill_core_overflow_close();
    sill_core_stacks_free(loop);
    sill_free(loop->heap);
}

static int run_root(struct sill_loop *loop, sill_task_fn *fn, void *arg,
                    const char *where)
{
    loop->looked_at = loop->backend->now(loop->self);
    loop->root = sill_core_spawn(loop, NULL, NULL, fn, arg, where);
    if (!loop->root)
        return SILL_ENOMEM;
    run_all(loop);

    int result = sill_core_collect(loop->root);

    return loop->deadlocked ? SILL_EDEADLK : result;
}

int sill_run_at(const struct sill_run_options *options, sill_task_fn *fn,
                void *arg, const char *where)
{
    struct sill_loop loop;

    if (sill_core_current)
        return SILL_EBUSY;

    int rc = sill_core_loop_open(&loop, options, NULL);

    if (rc < 0)
        return rc;
    sill_core_current = &loop;
    rc = run_root(&loop, fn, arg, where);
    sill_core_current = NULL;
    sill_core_loop_close(&loop);
    return rc;
}

const char *sill_backend_name(void)
{
    return sill_backend_default->name;
}
