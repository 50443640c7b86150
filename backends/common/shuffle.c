/* SPDX-License-Identifier: MIT */
/*
 * The order of a round, drawn from a seed. See <sill/task.h>.
 *
 * Each task draws a coin and goes to one of two lists, each list is shuffled
 * in the same way, and the second is put behind the first: every order is as
 * likely as any other, and it takes neither memory nor places in an array.
 */
#include "core.h"

struct list {
    struct sill_task *first, *last;
};

/* Source: SplitMix64 (Steele, Lea, Flood 2014). */
static uint64_t draw(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

static void append(struct list *list, struct sill_task *task)
{
    task->next = NULL;
    if (list->first)
        list->last->next = task;
    else
        list->first = task;
    list->last = task;
}

static struct list join(struct list a, struct list b)
{
    if (!a.first)
        return b;
    if (!b.first)
        return a;
    a.last->next = b.first;
    a.last = b.last;
    return a;
}

static struct list shuffled(struct sill_task *task, uint64_t *state)
{
    struct list sides[2] = {{NULL, NULL}, {NULL, NULL}};
    uint64_t coins = 0;

    if (!task->next)
        return (struct list){task, task};
    for (unsigned drawn = 0; task; drawn++) {
        struct sill_task *next = task->next;

        if (drawn % 64 == 0)
            coins = draw(state);
        append(&sides[coins & 1], task);
        coins >>= 1;
        task = next;
    }
    for (int i = 0; i < 2; i++)
        if (sides[i].first)
            sides[i] = shuffled(sides[i].first, state);
    return join(sides[0], sides[1]);
}

void sill_core_shuffle(struct sill_loop *loop)
{
    sill_core_enter_queue(loop);

    struct list order = shuffled(loop->ready, &loop->shuffle);

    loop->ready = order.first;
    loop->ready_last = order.last;
    sill_core_leave_queue(loop);
}
