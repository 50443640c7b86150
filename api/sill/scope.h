/* SPDX-License-Identifier: MIT */
/*
 * <sill/scope.h>: tasks with one lifetime.
 *
 * A scope holds tasks that are awaited together or in the order in which they
 * end. A server spawns each connection into one, collects those that ended,
 * and drains it when it stops:
 *
 *     struct sill_scope scope;
 *     sill_scope_init(&scope, SILL_SCOPE_COLLECT);
 *     while (sill_listener_accept(&listener, &conn, SILL_NEVER) == 0) {
 *         sill_scope_spawn(&scope, serve, conn);
 *         while (sill_scope_next(&scope, NULL, SILL_PAST) == 0)
 *             continue;
 *     }
 *     sill_scope_drain(&scope, sill_after(5 * SILL_SECOND), SILL_NEVER);
 *     sill_scope_fini(&scope);
 *
 * The task that called init owns the scope; the scope's tasks are below it in
 * the tree and are cancelled with it.
 *
 * Memory   the caller's; it must outlive its tasks.
 * Threads  those of the owner's loop only. Any task may spawn into a scope;
 *          only its owner waits on it: another one ends the program.
 */
#ifndef SILL_SCOPE_H
#define SILL_SCOPE_H

#include <sill/attributes.h>
#include <sill/task.h>
#include <sill/time.h>

#include <stddef.h>

SILL_BEGIN

enum sill_scope_kind {
    SILL_SCOPE_FAIL_FAST, /* the first task that fails cancels the others */
    SILL_SCOPE_COLLECT    /* one task's failure disturbs nobody */
};

/* How one task of a scope ended. */
struct sill_outcome {
    void *arg;  /* as it was spawned */
    int result; /* as it returned */
};

struct sill_scope {
    /* private */
    struct sill_task *owner;
    struct sill_task *ended, *last_ended;
    size_t alive;
    int error;
    unsigned char kind, cancelled, waiting;
};

/* Makes (scope) empty and the current task its owner. Outside of a task it has
 * no owner, and takes no tasks. Never suspends. */
SILL_API void sill_scope_init(struct sill_scope *scope,
                              enum sill_scope_kind kind);

/*
 * Spawns a task that runs (fn)(arg) into (scope), as sill_spawn does.
 *
 * Returns 0, or, with nothing started,
 *
 *   SILL_ENOMEM      no memory for the task
 *   SILL_ECANCELED   the scope was cancelled, by hand or by a failed task
 *   SILL_ENOTASK     called outside of a task, or without an owner
 *
 * Never suspends.
 */
#define sill_scope_spawn(scope, fn, arg)                                       \
    sill_scope_spawn_at(scope, fn, arg, SILL_HERE)

/* Is sill_scope_spawn for callers that know better where they were called. */
SILL_API SILL_MUST_CHECK int sill_scope_spawn_at(struct sill_scope *scope,
                                                 sill_task_fn *fn, void *arg,
                                                 const char *where);

/*
 * Collects the next task of (scope) that ended, in order of ending, waiting
 * for one if need be. Its cost does not depend on how many are alive.
 *
 * outcome   receives how it ended; NULL drops it.
 *
 * Returns 0, or
 *
 *   SILL_ENOENT      the scope is empty
 *   SILL_ECANCELED   the caller was cancelled and no task had ended
 *   SILL_ETIMEDOUT   no task ended before (deadline)
 */
SILL_API SILL_MUST_CHECK int sill_scope_next(struct sill_scope *scope,
                                             struct sill_outcome *outcome,
                                             sill_time deadline);

/*
 * Waits until every task of (scope) has ended, and collects them all. When it
 * returns the scope is empty, always: a deadline that passes and a caller that
 * is cancelled cancel the tasks, and are waited out.
 *
 * Returns 0; or the first error of a task of a fail-fast scope; or
 *
 *   SILL_ECANCELED   the caller was cancelled
 *   SILL_ETIMEDOUT   the deadline passed before all had ended
 *
 * Results of a collecting scope are dropped here: collect them with next.
 */
SILL_API SILL_MUST_CHECK int sill_scope_wait(struct sill_scope *scope,
                                             sill_time deadline);

/*
 * Asks every task of (scope) to end, as sill_cancel does, without waiting.
 * Spawning into it fails from now on. One without an owner is left as it is.
 * Never suspends.
 */
SILL_API void sill_scope_cancel(struct sill_scope *scope);

/*
 * Ends (scope) in two steps: waits politely until (grace), then cancels what
 * is left and waits until (deadline).
 *
 * Returns 0 when the scope is empty, whatever its tasks returned, or
 *
 *   SILL_ETIMEDOUT   tasks were left at (deadline); they stay cancelled
 *
 * A caller that is cancelled goes to the second step at once.
 */
SILL_API int sill_scope_drain(struct sill_scope *scope, sill_time grace,
                              sill_time deadline);

/*
 * Ends the scope, which must be empty: one with tasks in it ends the program.
 * A zeroed one is harmless. Never suspends.
 */
SILL_API void sill_scope_fini(struct sill_scope *scope);

SILL_END

#endif
