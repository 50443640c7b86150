/* SPDX-License-Identifier: MIT */
/*
 * The deadlines of waiting tasks: a 4-ary heap with one entry for each task.
 *
 * Room for it is made with a task's stack, so arming cannot fail. Arming is
 * lazy: an entry earlier than the deadline stays where it is, and moves itself
 * when its time comes. A connection whose every read has a deadline of 30 s
 * touches the heap once in 30 s.
 */
#include "core.h"

/* An entry that would wake an idle loop within this time for nothing is put
 * right before the loop falls asleep. */
#define STALE_HORIZON SILL_SECOND

static bool earlier(const struct heap_entry *a, const struct heap_entry *b)
{
    return a->deadline != b->deadline ? a->deadline < b->deadline
                                      : a->order < b->order;
}

static void place(struct sill_loop *loop, size_t at, struct heap_entry entry)
{
    loop->heap[at] = entry;
    entry.task->timer.index = at;
}

/* The children of (at), counted from 1, are 4 at - 2 to 4 at + 1. */
static void sift_up(struct sill_loop *loop, size_t at, struct heap_entry entry)
{
    while (at > 1) {
        size_t above = (at + 2) / 4;

        if (!earlier(&entry, &loop->heap[above]))
            break;
        place(loop, at, loop->heap[above]);
        at = above;
    }
    place(loop, at, entry);
}

static size_t least_child(const struct sill_loop *loop, size_t at)
{
    size_t least = 4 * at - 2;
    size_t last = 4 * at + 1;

    if (last > loop->heap_count)
        last = loop->heap_count;
    for (size_t i = least + 1; i <= last; i++) {
        if (earlier(&loop->heap[i], &loop->heap[least]))
            least = i;
    }
    return least;
}

static void sift_down(struct sill_loop *loop, size_t at,
                      struct heap_entry entry)
{
    while (4 * at - 2 <= loop->heap_count) {
        size_t below = least_child(loop, at);

        if (!earlier(&loop->heap[below], &entry))
            break;
        place(loop, at, loop->heap[below]);
        at = below;
    }
    place(loop, at, entry);
}

static void put(struct sill_loop *loop, size_t at, struct heap_entry entry)
{
    if (at > 1 && earlier(&entry, &loop->heap[(at + 2) / 4]))
        sift_up(loop, at, entry);
    else
        sift_down(loop, at, entry);
}

int sill_core_timers_reserve(struct sill_loop *loop, size_t tasks)
{
    if (tasks < loop->heap_room)
        return 0;

    size_t room = loop->heap_room ? 2 * loop->heap_room : 64;
    struct heap_entry *heap = sill_alloc(room * sizeof(*heap));

    if (!heap)
        return SILL_ENOMEM;
    for (size_t i = 1; i <= loop->heap_count; i++)
        heap[i] = loop->heap[i];
    sill_free(loop->heap);
    loop->heap = heap;
    loop->heap_room = room;
    return 0;
}

void sill_core_timer_arm(struct sill_task *task, sill_time deadline)
{
    struct sill_loop *loop = task->loop;
    struct timer *timer = &task->timer;
    size_t at = timer->index;

    timer->deadline = deadline;
    timer->order = loop->order++;
    if (at && loop->heap[at].deadline <= deadline)
        return;

    struct heap_entry entry = {deadline, timer->order, task};

    sift_up(loop, at ? at : ++loop->heap_count, entry);
}

void sill_core_timer_drop(struct sill_task *task)
{
    struct sill_loop *loop = task->loop;
    size_t at = task->timer.index;

    if (!at)
        return;
    task->timer.index = 0;

    struct heap_entry last = loop->heap[loop->heap_count--];

    if (last.task != task)
        put(loop, at, last);
}

/* Moves an entry to the deadline that its task waits for now, if any. */
static void put_right(struct sill_loop *loop, struct sill_task *task)
{
    struct timer *timer = &task->timer;

    if (task->state != TASK_WAITING || timer->deadline == SILL_NEVER) {
        sill_core_timer_drop(task);
        return;
    }

    struct heap_entry entry = {timer->deadline, timer->order, task};

    put(loop, timer->index, entry);
}

static bool is_stale(const struct heap_entry *entry)
{
    const struct sill_task *task = entry->task;

    return task->state != TASK_WAITING || task->timer.deadline == SILL_NEVER ||
           task->timer.order != entry->order;
}

sill_time sill_core_timers_next(struct sill_loop *loop, sill_time now)
{
    while (loop->heap_count > 0) {
        struct heap_entry *first = &loop->heap[1];

        if (!is_stale(first) ||
            (loop->outside > 0 && first->deadline - now > STALE_HORIZON))
            return first->deadline;
        put_right(loop, first->task);
    }
    return SILL_NEVER;
}

void sill_core_timers_fire(struct sill_loop *loop, sill_time now)
{
    while (loop->heap_count > 0 && loop->heap[1].deadline <= now) {
        struct sill_task *task = loop->heap[1].task;

        if (is_stale(&loop->heap[1])) {
            put_right(loop, task);
            continue;
        }
        sill_core_timer_drop(task);
        if (!sill_core_is_cancelled(task))
            sill_core_interrupt_wait(task, SILL_ETIMEDOUT);
    }
}
