/* SPDX-License-Identifier: MIT */
/*
 * Tasks with one lifetime. See <sill/scope.h>.
 *
 * The tasks of a scope are children of its owner like any other; the scope
 * counts those alive and queues those that ended.
 */
#include "core.h"

#include <string.h>

void sill_scope_init(struct sill_scope *scope, enum sill_scope_kind kind)
{
    memset(scope, 0, sizeof(*scope));
    scope->owner = sill_core_self();
    scope->kind = (unsigned char)kind;
}

int sill_scope_spawn_at(struct sill_scope *scope, sill_task_fn *fn, void *arg,
                        const char *where)
{
    struct sill_task *self = sill_core_self();

    if (!self || !scope->owner)
        return SILL_ENOTASK;
    if (scope->cancelled)
        return SILL_ECANCELED;
    if (!sill_core_spawn(self->loop, scope->owner, scope, fn, arg, where))
        return SILL_ENOMEM;
    scope->alive++;
    return 0;
}

void sill_scope_cancel(struct sill_scope *scope)
{
    if (!scope->owner)
        return;
    scope->cancelled = 1;
    for (struct sill_task *t = scope->owner->children; t; t = t->older) {
        if (t->scope == scope && t->state != TASK_ENDED)
            sill_core_request_cancel(t);
    }
}

void sill_core_scope_ended(struct sill_scope *scope, struct sill_task *task)
{
    scope->alive--;
    task->next = NULL;
    if (scope->ended)
        scope->last_ended->next = task;
    else
        scope->ended = task;
    scope->last_ended = task;
    if (scope->kind == SILL_SCOPE_FAIL_FAST && task->result < 0 &&
        !scope->cancelled) {
        scope->error = task->result;
        sill_scope_cancel(scope);
    }
    if (scope->waiting && !sill_core_is_cancelled(scope->owner))
        (void)sill_core_wake(scope->owner, 0);
}

static struct sill_outcome collect(struct sill_scope *scope)
{
    struct sill_task *task = scope->ended;
    struct sill_outcome outcome = {task->arg, task->result};

    scope->ended = task->next;
    (void)sill_core_collect(task);
    return outcome;
}

static void collect_all(struct sill_scope *scope)
{
    while (scope->ended)
        (void)collect(scope);
}

static struct sill_task *require_owner(const struct sill_scope *scope,
                                       const char *call)
{
    struct sill_task *self = sill_core_self();

    if (!self || scope->owner != self)
        sill_core_fatal(call, "not the owner of the scope", self);
    return self;
}

/* Waits until one more task has ended. */
static int park(struct sill_scope *scope, sill_time deadline)
{
    scope->waiting = 1;

    int rc = sill_core_park(scope->owner, deadline, WAIT_INSIDE,
                            "the tasks of a scope");

    scope->waiting = 0;
    return rc;
}

/* Waits until no task is alive, or something else ends the wait. */
static int wait_for_all(struct sill_scope *scope, sill_time deadline)
{
    int rc = 0;

    while (scope->alive > 0 && rc == 0) {
        collect_all(scope);
        rc = sill_core_check(scope->owner, deadline);
        if (rc == 0)
            rc = park(scope, deadline);
    }
    return rc;
}

/* Cancels what is left and waits, whether or not the owner is cancelled. */
static int wait_for_cancelled(struct sill_scope *scope, sill_time deadline)
{
    int rc = 0;

    sill_scope_cancel(scope);
    sill_forbid();
    while (scope->alive > 0 && rc != SILL_ETIMEDOUT) {
        collect_all(scope);
        rc = sill_core_check_deadline(scope->owner, deadline);
        if (rc == 0)
            rc = park(scope, deadline);
    }
    sill_permit();
    return scope->alive > 0 ? SILL_ETIMEDOUT : 0;
}

int sill_scope_next(struct sill_scope *scope, struct sill_outcome *outcome,
                    sill_time deadline)
{
    (void)require_owner(scope, "sill_scope_next");
    while (!scope->ended) {
        if (scope->alive == 0)
            return SILL_ENOENT;

        int rc = sill_core_check(scope->owner, deadline);

        if (rc == 0)
            rc = park(scope, deadline);
        if (rc < 0)
            return rc;
    }

    struct sill_outcome first = collect(scope);

    if (outcome)
        *outcome = first;
    return 0;
}

int sill_scope_wait(struct sill_scope *scope, sill_time deadline)
{
    (void)require_owner(scope, "sill_scope_wait");

    int rc = wait_for_all(scope, deadline);

    if (scope->alive > 0)
        (void)wait_for_cancelled(scope, SILL_NEVER);
    collect_all(scope);
    return scope->error < 0 ? scope->error : rc;
}

int sill_scope_drain(struct sill_scope *scope, sill_time grace,
                     sill_time deadline)
{
    int rc = 0;

    (void)require_owner(scope, "sill_scope_drain");
    if (wait_for_all(scope, grace < deadline ? grace : deadline) < 0)
        rc = wait_for_cancelled(scope, deadline);
    collect_all(scope);
    return rc;
}

void sill_scope_fini(struct sill_scope *scope)
{
    if (scope->alive > 0 || scope->ended)
        sill_core_fatal("sill_scope_fini", "tasks are left in the scope",
                        sill_core_self());
    memset(scope, 0, sizeof(*scope));
}
