/* SPDX-License-Identifier: MIT */
/*
 * The tree of tasks: spawn, await, cancel. See <sill/task.h>.
 */
#include "core.h"
#include "text.h"

#include <string.h>

/* The tree. */

static void link_child(struct sill_task *parent, struct sill_task *task)
{
    task->older = parent->children;
    task->younger = NULL;
    if (task->older)
        task->older->younger = task;
    parent->children = task;
    parent->alive++;
}

static void unlink_child(struct sill_task *parent, struct sill_task *task)
{
    if (task->younger)
        task->younger->older = task->older;
    else
        parent->children = task->older;
    if (task->older)
        task->older->younger = task->younger;
}

/* The one after (task) in the tree below (root), skipping what is below (task)
 * unless (descend). */
static struct sill_task *next_below(struct sill_task *root,
                                    struct sill_task *task, bool descend)
{
    if (descend && task->children)
        return task->children;
    while (task != root) {
        if (task->older)
            return task->older;
        task = task->parent;
    }
    return NULL;
}

/* Spawning. */

static void inherit(struct sill_task *task, struct sill_task *parent)
{
    task->parent = parent;
    task->cancelled = parent && sill_core_is_cancelled(parent);
    task->shield = parent && parent->forbid > 0 ? parent->forbids : 0;
    task->data = parent ? parent->data : NULL;
    if (parent)
        link_child(parent, task);
}

/* The rest of the task is as fresh memory is: nothing waits on one that was
 * collected, or for it, and it has no children, locals or place in the heap. */
struct sill_task *sill_core_spawn(struct sill_loop *loop,
                                  struct sill_task *parent,
                                  struct sill_scope *scope, sill_task_fn *fn,
                                  void *arg, const char *where)
{
    struct sill_task *task = sill_core_stack_take(loop);

    if (!task)
        return NULL;
    task->target_size = 0;
    task->forbid = 0;
    task->forbids = 0;
    task->scope = scope;
    task->fn = fn;
    task->arg = arg;
    task->where = where;
    task->name = NULL;
    inherit(task, parent);
    sill_core_task_begin(task);
    return task;
}

int sill_spawn_at(sill_task_fn *fn, void *arg, struct sill_task **task,
                  const char *where)
{
    struct sill_task *self = sill_core_self();

    if (!self)
        return SILL_ENOTASK;

    struct sill_task *child =
        sill_core_spawn(self->loop, self, NULL, fn, arg, where);

    if (!child)
        return SILL_ENOMEM;
    *task = child;
    return 0;
}

int sill_core_collect(struct sill_task *task)
{
    if (task->parent)
        unlink_child(task->parent, task);
    context_clear(&task->context);
    sill_core_stack_give(task->loop, task);
    return task->result;
}

/* Cancelling. */

/* Ends the wait of a task without anybody's result. */
void sill_core_interrupt_wait(struct sill_task *task, int reason)
{
    if (task->trigger)
        sill_core_trigger_interrupt(task, reason);
    else
        sill_core_wake_across(task, reason);
}

static void deliver_cancel(struct sill_task *task)
{
    if (task->state == TASK_WAITING && task->alive == 0 &&
        sill_core_is_cancelled(task))
        sill_core_interrupt_wait(task, SILL_ECANCELED);
}

static bool is_held_off(const struct sill_task *task)
{
    const struct sill_task *parent = task->parent;

    return task->state == TASK_ENDED ||
           (task->shield && parent->forbid > 0 &&
            task->shield == parent->forbids && !task->loop->deadlocked);
}

/* Those with tasks below them learn of it when the last of these ends. */
void sill_core_request_cancel(struct sill_task *root)
{
    struct sill_task *task = root;

    while (task) {
        bool reached = task == root || !is_held_off(task);

        if (reached) {
            task->cancelled = true;
            deliver_cancel(task);
        }
        task = next_below(root, task, reached);
    }
}

static void forbid(struct sill_task *task)
{
    if (task->forbid++ == 0)
        task->forbids++;
}

void sill_forbid(void)
{
    struct sill_task *self = sill_core_self();

    if (self)
        forbid(self);
}

static void permit(struct sill_task *self)
{
    if (--self->forbid > 0 || !self->cancelled)
        return;
    for (struct sill_task *t = self->children; t; t = t->older) {
        if (t->state != TASK_ENDED && !t->cancelled)
            sill_core_request_cancel(t);
    }
}

void sill_permit(void)
{
    struct sill_task *self = sill_core_self();

    if (!self)
        return;
    if (self->forbid == 0)
        sill_core_fatal("sill_permit", "without a sill_forbid", self);
    permit(self);
}

bool sill_self_is_cancelled(void)
{
    struct sill_task *self = sill_core_self();

    return self && sill_core_is_cancelled(self);
}

/* Waiting for tasks. */

static void wake_unless_cancelled(struct sill_task *task)
{
    if (!sill_core_is_cancelled(task))
        (void)sill_core_wake(task, 0);
}

/* Waits for (task) to end, whether or not the caller is cancelled. */
static int join(struct sill_task *self, struct sill_task *task,
                sill_time deadline)
{
    int rc = 0;

    forbid(self);
    task->joiner = self;
    while (task->state != TASK_ENDED && rc != SILL_ETIMEDOUT) {
        rc = sill_core_check_deadline(self, deadline);
        if (rc == 0)
            rc = sill_core_park(self, deadline, WAIT_INSIDE,
                                "a task it cancelled");
    }
    task->joiner = NULL;
    permit(self);
    return task->state == TASK_ENDED ? 0 : SILL_ETIMEDOUT;
}

static struct sill_task *require_parent(const char *call,
                                        const struct sill_task *task)
{
    struct sill_task *self = sill_core_self();

    if (!task || task->state == TASK_GONE)
        sill_core_fatal(call, "the task was awaited or cancelled before", self);
    if (!self || task->parent != self)
        sill_core_fatal(call, "not a child of the caller", self);
    if (task->scope)
        sill_core_fatal(call, "the task belongs to a scope", self);
    return self;
}

static void set_joiners(struct sill_task *const tasks[], size_t count,
                        struct sill_task *joiner)
{
    for (size_t i = 0; i < count; i++)
        tasks[i]->joiner = joiner;
}

/* Each must be a child of the caller, and be named only once. */
static void require_all(const char *call, struct sill_task *self,
                        struct sill_task *const tasks[], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        (void)require_parent(call, tasks[i]);
        if (tasks[i]->joiner)
            sill_core_fatal(call, "a task is named twice", self);
        tasks[i]->joiner = self;
    }
    set_joiners(tasks, count, NULL);
}

/* The one that ended first, or (count). */
static size_t find_ended(struct sill_task *const tasks[], size_t count)
{
    size_t first = count;

    for (size_t i = 0; i < count; i++) {
        if (tasks[i]->state == TASK_ENDED &&
            (first == count || tasks[i]->ended_at < tasks[first]->ended_at))
            first = i;
    }
    return first;
}

/* Waits until (task) has ended. */
static int wait_for_end(struct sill_task *self, struct sill_task *task,
                        sill_time deadline)
{
    int rc = sill_core_check(self, deadline);

    if (rc < 0)
        return rc;
    task->joiner = self;
    rc = sill_core_park(self, deadline, WAIT_INSIDE, "a task");
    task->joiner = NULL;
    return rc;
}

/* Waits until one of the tasks has ended. */
static int wait_for_one(struct sill_task *self, struct sill_task *const tasks[],
                        size_t count, sill_time deadline)
{
    int rc = sill_core_check(self, deadline);

    if (rc < 0)
        return rc;
    set_joiners(tasks, count, self);
    rc = sill_core_park(self, deadline, WAIT_INSIDE, "a task");
    set_joiners(tasks, count, NULL);
    return rc;
}

int sill_await(struct sill_task *task, int *result, sill_time deadline)
{
    struct sill_task *self = require_parent("sill_await", task);
    int rc = 0;

    if (task->state != TASK_ENDED)
        rc = wait_for_end(self, task, deadline);
    if (rc < 0)
        return rc;

    int value = sill_core_collect(task);

    if (result)
        *result = value;
    return 0;
}

int sill_cancel(struct sill_task *task, sill_time deadline)
{
    struct sill_task *self = require_parent("sill_cancel", task);
    int rc = 0;

    if (task->state != TASK_ENDED) {
        sill_core_request_cancel(task);
        rc = join(self, task, deadline);
    }
    if (rc == 0)
        (void)sill_core_collect(task);
    return rc;
}

static void cancel_all(struct sill_task *self, struct sill_task *const tasks[],
                       size_t count, size_t but)
{
    for (size_t i = 0; i < count; i++) {
        if (i != but && tasks[i]->state != TASK_ENDED)
            sill_core_request_cancel(tasks[i]);
    }
    for (size_t i = 0; i < count; i++) {
        if (i == but)
            continue;
        (void)join(self, tasks[i], SILL_NEVER);
        (void)sill_core_collect(tasks[i]);
    }
}

int sill_await_first(struct sill_task *const tasks[], size_t count,
                     size_t *index, int *result, sill_time deadline)
{
    struct sill_task *self = sill_core_self();

    if (count == 0)
        return SILL_EINVAL;
    require_all("sill_await_first", self, tasks, count);

    size_t first = find_ended(tasks, count);

    if (first == count) {
        int rc = wait_for_one(self, tasks, count, deadline);

        if (rc < 0)
            return rc;
        first = find_ended(tasks, count);
    }
    cancel_all(self, tasks, count, first);
    *index = first;

    int value = sill_core_collect(tasks[first]);

    if (result)
        *result = value;
    return 0;
}

int sill_await_all(struct sill_task *const tasks[], size_t count, int results[],
                   sill_time deadline)
{
    struct sill_task *self = sill_core_self();

    require_all("sill_await_all", self, tasks, count);
    for (size_t i = 0; i < count; i++) {
        if (tasks[i]->state == TASK_ENDED)
            continue;

        int rc = wait_for_end(self, tasks[i], deadline);

        if (rc < 0)
            return rc;
    }
    for (size_t i = 0; i < count; i++) {
        int value = sill_core_collect(tasks[i]);

        if (results)
            results[i] = value;
    }
    return 0;
}

/* The end of a task. */

static void report_orphan(const struct sill_task *parent,
                          const struct sill_task *child)
{
    char line[SILL_TEXT_LINE];
    struct sill_text text = {line, sizeof(line)};

    sill_text_add(&text, "sill: the task '", sill_task_name(parent),
                  "' spawned at ", sill_task_where(parent),
                  " ended before its child '", sill_task_name(child),
                  "' spawned at ", sill_task_where(child), " was awaited");
    sill_text_log(line);
}

/* Its function has returned, and any scope of its went with the frame. */
static void __attribute__((noinline)) join_children(struct sill_task *self)
{
    for (struct sill_task *t = self->children; t; t = t->older) {
        if (!self->cancelled)
            report_orphan(self, t);
        t->scope = NULL;
    }
    for (struct sill_task *t = self->children; t; t = t->older) {
        t->shield = 0;
        if (t->state != TASK_ENDED)
            sill_core_request_cancel(t);
    }
    while (self->children) {
        (void)join(self, self->children, SILL_NEVER);
        (void)sill_core_collect(self->children);
    }
}

static int end_of_children(struct sill_task *self, int result)
{
    bool was_cancelled = self->cancelled;

    if (!self->children)
        return result;
    join_children(self);
    return was_cancelled ? result : SILL_EORPHAN;
}

static void tell_parent(struct sill_task *self)
{
    struct sill_task *parent = self->parent;

    if (!parent)
        return;
    parent->alive--;
    if (self->scope)
        sill_core_scope_ended(self->scope, self);
    if (self->joiner)
        wake_unless_cancelled(self->joiner);
    deliver_cancel(parent);
}

void sill_core_task_end(struct sill_task *task, int result)
{
    if (task->locals)
        sill_core_locals_destroy(task);
    task->result = end_of_children(task, result);
    task->state = TASK_ENDED;
    task->ended_at = task->loop->order++;
    sill_core_timer_drop(task);
    task->loop->alive--;
    tell_parent(task);
}

/* What a task is called. */

struct sill_task *sill_self(void)
{
    return sill_core_self();
}

void sill_task_set_name(const char *name)
{
    struct sill_task *self = sill_core_self();

    if (self)
        self->name = name;
}

const char *sill_task_name(const struct sill_task *task)
{
    return task->name ? task->name : "task";
}

const char *sill_task_where(const struct sill_task *task)
{
    return task->where;
}
