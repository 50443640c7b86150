/* SPDX-License-Identifier: MIT */
/*
 * What will happen: a heap, in which equal instants keep the order in which
 * they were set. Room for an event is made with the object that owns it.
 */
#include "world.h"

static bool earlier(const struct entry *a, const struct entry *b)
{
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void place(struct world *world, size_t at, struct entry entry)
{
    world->heap[at] = entry;
    entry.event->index = at;
}

static void sift_up(struct world *world, size_t at, struct entry entry)
{
    while (at > 1 && earlier(&entry, &world->heap[at / 2])) {
        place(world, at, world->heap[at / 2]);
        at /= 2;
    }
    place(world, at, entry);
}

static void sift_down(struct world *world, size_t at, struct entry entry)
{
    for (size_t below; (below = 2 * at) <= world->heap_count; at = below) {
        if (below < world->heap_count &&
            earlier(&world->heap[below + 1], &world->heap[below]))
            below++;
        if (!earlier(&world->heap[below], &entry))
            break;
        place(world, at, world->heap[below]);
    }
    place(world, at, entry);
}

int sill_world_events_own(struct world *world, size_t count)
{
    size_t needed = world->heap_owned + count;
    size_t room = 2 * needed + 64;

    if (needed >= world->heap_room) {
        struct entry *heap = sill_alloc(room * sizeof(*heap));

        if (!heap)
            return SILL_ENOMEM;
        for (size_t i = 1; i <= world->heap_count; i++)
            heap[i] = world->heap[i];
        sill_free(world->heap);
        world->heap = heap;
        world->heap_room = room;
    }
    world->heap_owned = needed;
    return 0;
}

void sill_world_events_disown(struct world *world, size_t count)
{
    world->heap_owned -= count;
}

void sill_world_event_set(struct world *world, struct event *event,
                          sill_time at)
{
    struct entry entry = {at, world->order++, event};

    sill_world_event_drop(world, event);
    sift_up(world, ++world->heap_count, entry);
}

void sill_world_event_drop(struct world *world, struct event *event)
{
    size_t at = event->index;

    if (!at)
        return;
    event->index = 0;

    struct entry last = world->heap[world->heap_count--];

    if (last.event == event)
        return;
    if (at > 1 && earlier(&last, &world->heap[at / 2]))
        sift_up(world, at, last);
    else
        sift_down(world, at, last);
}

sill_time sill_world_events_next(const struct world *world)
{
    return world->heap_count > 0 ? world->heap[1].at : SILL_NEVER;
}

bool sill_world_events_step(struct world *world)
{
    if (sill_world_events_next(world) > world->now || world->heap_count == 0)
        return false;

    struct event *event = world->heap[1].event;

    sill_world_event_drop(world, event);
    event->happen(world, event);
    return true;
}

/* Lists. */

void sill_world_list_init(struct node *list)
{
    list->next = list->previous = list;
}

void sill_world_list_add(struct node *list, struct node *node)
{
    node->next = list;
    node->previous = list->previous;
    list->previous->next = node;
    list->previous = node;
}

void sill_world_list_remove(struct node *node)
{
    node->next->previous = node->previous;
    node->previous->next = node->next;
    sill_world_list_init(node);
}

struct node *sill_world_list_first(const struct node *list)
{
    return list->next == list ? NULL : list->next;
}
