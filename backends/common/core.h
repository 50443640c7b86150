/* SPDX-License-Identifier: MIT */
/*
 * core.h: what the files of backends/common share.
 *
 * loop.c runs rounds of ready tasks and looks outside between them; task.c
 * keeps the tree of tasks; trigger.c, scope.c and descriptor.c park tasks and
 * wake them; timer.c holds the deadlines; stack.c the stacks; context.* the
 * switch between them.
 *
 * All of it belongs to the thread of the loop, but for three ways in from
 * elsewhere: sill_resume (trigger.c), the stack of remote wake-ups (loop.c),
 * and the interrupt of the backend.
 */
#ifndef SILL_CORE_H
#define SILL_CORE_H

#include <sill/error.h>
#include <sill/guest.h>
#include <sill/hooks.h>
#include <sill/scope.h>
#include <sill/task.h>
#include <sill/trigger.h>
#include <sill_spi.h>

#include "context.h"
#include "ring.h"

enum task_state {
    TASK_GONE, /* never spawned, or collected: must be 0, as fresh memory is */
    TASK_READY,
    TASK_RUNNING,
    TASK_WAITING,
    TASK_ENDED
};

/* What a task waits for can only come from another task, or from elsewhere. */
enum wait_kind { WAIT_INSIDE, WAIT_OUTSIDE };

/* A task's entry in the heap of deadlines. */
struct timer {
    size_t index;       /* in the heap, 0 when not in it */
    sill_time deadline; /* of the present wait; the entry may be earlier */
    uint64_t order;     /* of the present wait, to keep equal deadlines apart */
};

/* Lives at the top of its own stack; the first line is what a switch needs. */
struct sill_task {
    struct context context;
    struct sill_task *next; /* ready, remote, or ended in a scope */
    struct sill_loop *loop;
    char *target; /* where the bytes go that it waits for; NULL: no bytes */
    unsigned target_size;         /* as many as came the last time */
    struct sill_trigger *trigger; /* that it waits on, if any */
    int wake;                     /* how the wait ended */
    uint8_t state;
    bool cancelled;
    bool aborted; /* the trigger's hook ran and said "in progress" */
    unsigned forbid;
    unsigned forbids; /* how many have begun: names the present one */
    unsigned shield;  /* the forbid of the parent it was spawned inside, or 0 */
    struct timer timer;
    const char *what; /* it waits for */
    sill_time since;

    struct sill_task *parent;
    struct sill_task *children; /* not yet collected, latest first */
    struct sill_task *younger, *older;
    size_t alive; /* children that have not ended */
    struct sill_task *joiner;
    struct sill_scope *scope;

    sill_task_fn *fn;
    void *arg;
    int result;
    uint64_t ended_at; /* in the order of the loop */
    const char *where, *name;
    struct local_value *locals;
    void *data;  /* the backend's, see sill_core_task_data */
    char *stack; /* lowest usable address */
};

struct heap_entry {
    sill_time deadline;
    uint64_t order;
    struct sill_task *task;
};

/* What tasks of the present round write, see batch.h. */
struct sill_batcher {
    enum sill_batch mode;
    unsigned count;
    struct ring_send *first, *last; /* NULL: no batch */
    struct ring ring;               /* not open: not wanted, or refused */
};

struct sill_loop {
    struct sill_task *running;            /* NULL while the scheduler runs */
    struct sill_task *round;              /* that are still to run in it */
    struct sill_task *ready, *ready_last; /* for the next one */
    /* While set a signal handler must not touch the ready queue: somebody is
     * at it, or decides by it whether to wait. */
    volatile bool at_queue, deciding;
    unsigned calls;  /* of the running task, without waiting */
    long runs_left;  /* of tasks, until the loop has to look outside */
    long next_check; /* the (runs_left) at which to look at the clock */
    struct sill_task *remote; /* woken from elsewhere, latest first; atomic */
    unsigned remote_calls;    /* under way; atomic */
    size_t outside;           /* tasks that wait for something outside */
    size_t alive;             /* tasks that have not ended */
    size_t descriptors;       /* that are open */
    sill_time looked_at;
    bool deadlocked;
    uint64_t shuffle; /* where the next order is drawn from; 0: as they came */
    unsigned forks;   /* of the process, when the loop was opened */
    int *errno_of_thread;

    struct sill_batcher batch;

    const struct sill_backend *backend;
    void *self;        /* the backend's state */
    bool has_calendar; /* of its own, and ... */
    int64_t calendar;  /* ... this second at the instant 0 */
    bool has_random;   /* of its own, ... */
    uint64_t random;   /* ... drawn from this */

    struct heap_entry *heap; /* 4-ary, from 1 on */
    size_t heap_count, heap_room;
    uint64_t order; /* counts waits and ends */

    struct stack_slab *slabs;
    struct sill_task *free_stacks;
    size_t stack_size;
    size_t tasks; /* that hold a stack */

    struct sill_task *root;
    struct sill_task scheduler; /* only its context is used */
};

/* A look outside is never as long ago as this, but for a task that hogs. */
#define FAR_AHEAD SILL_SECOND

/* Every call into the core reads it. Unless it asks, a library gets at such a
 * variable by a call; glibc keeps room for those few bytes also in a process
 * that loads it late. */
#if defined(__GLIBC__)
#define SILL_CORE_TLS __attribute__((tls_model("initial-exec")))
#else
#define SILL_CORE_TLS
#endif

extern SILL_CORE_TLS _Thread_local struct sill_loop *sill_core_current;

/* How often this process was made by a fork of one that had it. */
extern unsigned sill_core_forks;

/* loop.c */
int sill_core_loop_open(struct sill_loop *loop,
                        const struct sill_run_options *options, void *host);
void sill_core_loop_close(struct sill_loop *loop);
void sill_core_run_ready(struct sill_loop *loop);
void sill_core_take_remote(struct sill_loop *loop);
int sill_core_park(struct sill_task *self, sill_time deadline,
                   enum wait_kind kind, const char *what);
void sill_core_ask_for_step(struct sill_loop *loop);
void sill_core_wake_across(struct sill_task *task, int result);
void sill_core_wake_from_anywhere(struct sill_task *task);
void sill_core_task_begin(struct sill_task *task);
void sill_core_take_turns(struct sill_task *self, sill_time deadline);

void sill_core_run_others(struct sill_loop *loop, struct sill_task *self);

/* batch.c */
int sill_core_batch_open(struct sill_loop *loop, enum sill_batch mode);
void sill_core_batch_close(struct sill_loop *loop);
void sill_core_batch_flush(struct sill_loop *loop);

/* shuffle.c */
void sill_core_shuffle(struct sill_loop *loop);

/* task.c */
struct sill_task *sill_core_spawn(struct sill_loop *loop,
                                  struct sill_task *parent,
                                  struct sill_scope *scope, sill_task_fn *fn,
                                  void *arg, const char *where);
void sill_core_task_end(struct sill_task *task, int result);
void sill_core_request_cancel(struct sill_task *root);
void sill_core_interrupt_wait(struct sill_task *task, int reason);
int sill_core_collect(struct sill_task *task);

/* trigger.c */
void sill_core_trigger_interrupt(struct sill_task *task, int reason);

/* scope.c */
void sill_core_scope_ended(struct sill_scope *scope, struct sill_task *task);

/* timer.c */
int sill_core_timers_reserve(struct sill_loop *loop, size_t tasks);
void sill_core_timer_arm(struct sill_task *task, sill_time deadline);
void sill_core_timer_drop(struct sill_task *task);
sill_time sill_core_timers_next(struct sill_loop *loop, sill_time now);
void sill_core_timers_fire(struct sill_loop *loop, sill_time now);

/* stack.c */
struct sill_task *sill_core_stack_take(struct sill_loop *loop);
void sill_core_stack_give(struct sill_loop *loop, struct sill_task *task);
void sill_core_stacks_free(struct sill_loop *loop);
bool sill_core_stack_guards(const struct sill_task *task, const void *address);

/* overflow.c */
int sill_core_overflow_open(void);
void sill_core_overflow_close(void);

/* local.c */
void sill_core_locals_destroy(struct sill_task *task);

/* dump.c: the tree through sill_log, and the end of a wrong program. */
void sill_core_dump_log(struct sill_loop *loop);
void sill_core_dump(struct sill_loop *loop,
                    void (*write)(void *arg, const char *line), void *arg);
void sill_core_fatal(const char *call, const char *what,
                     const struct sill_task *task) __attribute__((noreturn));

/* A forked child has the parent's loop, and must not touch it: the two share
 * what the backend has registered with the kernel. */
static inline bool sill_core_is_forked(const struct sill_loop *loop)
{
    return loop->forks != sill_core_forks;
}

static inline struct sill_task *sill_core_self(void)
{
    struct sill_loop *loop = sill_core_current;

    return loop ? loop->running : NULL;
}

/* Signal handlers run on the same thread: what the compiler must not move is
 * all that there is to order. */
static inline void sill_core_barrier(void)
{
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static inline void sill_core_enter_queue(struct sill_loop *loop)
{
    loop->at_queue = true;
    sill_core_barrier();
}

static inline void sill_core_leave_queue(struct sill_loop *loop)
{
    sill_core_barrier();
    loop->at_queue = false;
}

static inline void sill_core_make_ready(struct sill_task *task)
{
    struct sill_loop *loop = task->loop;

    task->state = TASK_READY;
    task->next = NULL;
    sill_core_enter_queue(loop);
    if (loop->ready)
        loop->ready_last->next = task;
    else
        loop->ready = task;
    loop->ready_last = task;
    sill_core_leave_queue(loop);
}

/* Ends the wait of a task, if it waits. */
static inline bool sill_core_wake(struct sill_task *task, int result)
{
    if (task->state != TASK_WAITING)
        return false;
    task->wake = result;
    sill_core_make_ready(task);
    return true;
}

static inline bool sill_core_is_cancelled(const struct sill_task *task)
{
    return task->cancelled && (!task->forbid || task->loop->deadlocked);
}

/* Makes those ready that were woken from elsewhere. */
static inline void sill_core_drain_remote(struct sill_loop *loop)
{
    if (__atomic_load_n(&loop->remote, __ATOMIC_RELAXED))
        sill_core_take_remote(loop);
}

/* A deadline well ahead of the last look is not past, unless a task kept the
 * thread all that time, and then the next look finds it: no need to read the
 * clock (28 ns, twice the rest of a wait). */
static inline int sill_core_check_deadline(const struct sill_task *self,
                                           sill_time deadline)
{
    struct sill_loop *loop = self->loop;

    if (deadline == SILL_PAST)
        return SILL_ETIMEDOUT;
    if (deadline > loop->looked_at + FAR_AHEAD)
        return 0;

    return loop->backend->now(loop->self) >= deadline ? SILL_ETIMEDOUT : 0;
}

/* Whether a wait is over before it begins. */
static inline int sill_core_check(struct sill_task *self, sill_time deadline)
{
    if (sill_core_is_cancelled(self))
        return SILL_ECANCELED;
    return sill_core_check_deadline(self, deadline);
}

#endif
