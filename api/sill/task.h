/* SPDX-License-Identifier: MIT */
/*
 * <sill/task.h>: run a loop, spawn tasks, await or cancel each of them.
 *
 * A task is a function with a stack of its own, run on the thread of its loop,
 * one task at a time. It is a resource: whoever spawned it, its parent, awaits
 * it or cancels it, exactly once, and nobody else does.
 *
 *     spawn --> ready <--> running --> ended --> await or cancel: gone
 *                 ^           |
 *                 +- waiting <+
 *
 * Cancelling asks. From then on every wait of the task, the present one and
 * all later ones, fails with SILL_ECANCELED, until the task ends: a cancelled
 * task cannot fall asleep for good. Work that is already finished beats the
 * cancellation: a read that moved bytes returns them, and the next wait
 * reports. Between sill_forbid and sill_permit waits do not report it, so that
 * clean-up that has to wait can; children spawned in between are held off with
 * it. A task's whole subtree is cancelled with it; a waiting task learns of it
 * after all tasks below it have ended.
 *
 * A task that ends with children left is a bug of its author. The children are
 * cancelled and waited for, nothing leaks, and whoever awaits the task gets
 * SILL_EORPHAN instead of its result; a log line names where both were spawned.
 * (In a task that was itself cancelled this is silent: its children were
 * cancelled with it.) Work without a natural end belongs in a scope, see
 * <sill/scope.h>.
 *
 * Fairness  Work runs in rounds: what was ready when a round began runs once,
 *           in order (or shuffled, see struct sill_run_options). Between
 *           rounds the loop looks outside: always when nothing is ready, else
 *           after 50 us (checked every 16 task runs) or 1 024 task runs. A task
 *           that does 64 reads or writes in a row without waiting yields to the
 *           others.
 * Threads   a task never leaves the thread of its loop; the calls below are
 *           for tasks of that loop.
 */
#ifndef SILL_TASK_H
#define SILL_TASK_H

#include <sill/attributes.h>
#include <sill/time.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

SILL_BEGIN

struct sill_backend;
struct sill_task;

/* What a task runs: its result is 0 or more for success, or a SILL_E code. */
typedef int sill_task_fn(void *arg);

#define SILL_STRING_OF(x) #x
#define SILL_STRING(x)    SILL_STRING_OF(x)

/* Where the source line stands that contains this: "file.c:12". */
#define SILL_HERE (__FILE__ ":" SILL_STRING(__LINE__))

/* Which writes leave in batches, see struct sill_run_options. */
enum sill_batch { SILL_BATCH_AUTO, SILL_BATCH_NEVER, SILL_BATCH_ALWAYS };

/* How a loop is run; a zeroed one means the defaults. */
struct sill_run_options {
    const struct sill_backend *backend; /* NULL: the one linked */
    size_t stack_size; /* of every task, in bytes, at least 16 KiB; 0: 64 KiB */

    /*
     * 0: the tasks of a round run in the order in which they became ready.
     * Otherwise that order is drawn anew for each round, from this number as
     * the seed: what depends on it by chance does not pass every seed. What is
     * promised of orders elsewhere (triggers resumed one after the other, equal
     * deadlines) is then true of becoming ready only, and it takes a second
     * sill_yield until every task that was ready has run.
     */
    uint64_t shuffle;

    /*
     * What several tasks of a round write to sockets can leave in one system
     * call at its end (by io_uring, from Linux 6.0 on). That is cheaper than
     * one for each, and nothing else is different, but that a write suspends
     * without having to wait. 0, which is SILL_BATCH_AUTO: where it pays, and
     * the system allows it. SILL_BATCH_NEVER: no write does. SILL_BATCH_ALWAYS:
     * each one does whose deadline is not past; where the system does not allow
     * it, or the backend has no sockets, a run returns SILL_EOPNOTSUPP, and
     * SILL_ENOMEM or SILL_EMFILE when it could not be had.
     */
    enum sill_batch batch;
};

/*
 * Runs a loop on this thread with (fn)(arg) as its first task, until that task
 * and all below it have ended. Afterwards descriptors, threads and memory are
 * as before.
 *
 * Returns what the first task returned, or
 *
 *   SILL_EBUSY     called from inside a task
 *   SILL_ENOMEM    no memory, or no address space, for the loop
 *   SILL_EMFILE    no descriptors for the loop
 *   SILL_EORPHAN   the first task ended before its children did
 *   SILL_EDEADLK   every task waited for another one: the task tree was logged
 *                  and all tasks were cancelled, also those inside a forbid
 */
#define sill_run(fn, arg) sill_run_at(NULL, fn, arg, SILL_HERE)

/* Is sill_run with (options); NULL means all defaults. */
#define sill_run_with(options, fn, arg) sill_run_at(options, fn, arg, SILL_HERE)

/* Is sill_run_with for callers that know better where they were called from. */
SILL_API int sill_run_at(const struct sill_run_options *options,
                         sill_task_fn *fn, void *arg, const char *where);

/* Returns the name of the backend that is linked, such as "native". */
SILL_API const char *sill_backend_name(void);

/*
 * Spawns a task that will run (fn)(arg) as a child of the current one. The
 * child never runs before this returns.
 *
 * task   receives the handle, valid until it was awaited or cancelled.
 *
 * Returns 0, or, with nothing started,
 *
 *   SILL_ENOMEM    no memory for the task
 *   SILL_ENOTASK   called outside of a task
 *
 * Never suspends.
 */
#define sill_spawn(fn, arg, task) sill_spawn_at(fn, arg, task, SILL_HERE)

/* Is sill_spawn for callers that know better where they were called from. */
SILL_API SILL_MUST_CHECK int sill_spawn_at(sill_task_fn *fn, void *arg,
                                           struct sill_task **task,
                                           const char *where);

/*
 * Waits until the child (task) has ended; then the handle is gone.
 *
 * result   receives what the task returned (SILL_EORPHAN: see above); NULL
 *          drops it.
 *
 * Returns 0, at once if the task ended before, or, with the task as it was,
 *
 *   SILL_ECANCELED   the caller was cancelled before the task ended
 *   SILL_ETIMEDOUT   the deadline passed before the task ended
 *
 * Awaiting a task that is not a child of the caller, is in a scope, or was
 * awaited or cancelled before ends the program.
 */
SILL_API SILL_MUST_CHECK int sill_await(struct sill_task *task, int *result,
                                        sill_time deadline);

/*
 * Cancels the child (task) and all below it, and waits until they have ended,
 * those below first; then the handle is gone. A task that already ended is
 * only collected, without waiting.
 *
 * Returns 0 when it has ended, or
 *
 *   SILL_ETIMEDOUT   it had not by (deadline): the request stands, and the task
 *                    must still be awaited or cancelled
 *
 * Waits also when the caller is itself cancelled, which its next wait reports.
 * Who may call it: see sill_await.
 */
SILL_API int sill_cancel(struct sill_task *task, sill_time deadline);

/*
 * Waits until one of the (count) children in (tasks) has ended, cancels all
 * others, and waits for those too; then all handles are gone.
 *
 * count    at least 1.
 * index    receives which one was first.
 * result   receives its result; NULL drops it.
 *
 * Returns 0, or, with every task as it was,
 *
 *   SILL_ECANCELED, SILL_ETIMEDOUT   before any of them ended
 *   SILL_EINVAL                      (count) is 0
 */
SILL_API SILL_MUST_CHECK int sill_await_first(struct sill_task *const tasks[],
                                              size_t count, size_t *index,
                                              int *result, sill_time deadline);

/*
 * Waits until each of the (count) children in (tasks) has ended, whatever
 * their results; then all handles are gone.
 *
 * results   an array of (count) that receives them in the order of (tasks);
 *           NULL drops them.
 *
 * Returns 0, or, with every task as it was, SILL_ECANCELED or SILL_ETIMEDOUT
 * as sill_await.
 */
SILL_API SILL_MUST_CHECK int sill_await_all(struct sill_task *const tasks[],
                                            size_t count, int results[],
                                            sill_time deadline);

/*
 * Lets every task that is ready run before the caller runs again.
 *
 * Returns 0, or SILL_ECANCELED when the task is cancelled; it yields all the
 * same. Outside of a task, SILL_ENOTASK. Suspends.
 */
SILL_API int sill_yield(void);

/* Returns the current task, or NULL outside of one. Never suspends. */
SILL_API struct sill_task *sill_self(void);

/*
 * Sets the name of the current task as it appears in dumps and log lines.
 *
 * name   not copied: it must live as long as the task; NULL for none.
 *
 * Never suspends.
 */
SILL_API void sill_task_set_name(const char *name);

/* Returns the name of (task), or "task" for one without. Never suspends. */
SILL_API const char *sill_task_name(const struct sill_task *task);

/* Returns where (task) was spawned, as "file.c:12". Never suspends. */
SILL_API const char *sill_task_where(const struct sill_task *task);

/*
 * Holds cancellation off, or lets it come again, for the current task. They
 * nest: only the last permit counts. Outside of a task they do nothing; a
 * permit without its forbid ends the program. Never suspend.
 */
SILL_API void sill_forbid(void);
SILL_API void sill_permit(void);

/* Returns whether the next wait would report a cancellation. */
SILL_API bool sill_self_is_cancelled(void);

/*
 * A variable of which every task has its own. Define one statically; its
 * address is its identity.
 *
 * destroy   is called with the value, when it is not NULL, on the task's own
 *           stack after its function returned; it must not suspend. May be
 *           NULL.
 */
struct sill_local {
    void (*destroy)(void *value);
};

/*
 * Sets this task's value of (local). Returns 0, or SILL_ENOMEM with the old
 * value still set, or SILL_ENOTASK. Never suspends.
 */
SILL_API SILL_MUST_CHECK int sill_local_set(const struct sill_local *local,
                                            void *value);

/* Returns this task's value of (local), NULL until set. Never suspends. */
SILL_API void *sill_local_get(const struct sill_local *local);

/*
 * Writes the tree of all tasks of this thread's loop, one line each, to
 * (write): name, where spawned, state, what it waits for and for how long.
 *
 * write   receives one line without its newline; NULL writes to stderr.
 *
 * Never suspends; writes nothing outside of a running loop.
 */
SILL_API void sill_dump(void (*write)(void *arg, const char *line), void *arg);

SILL_END

#endif
