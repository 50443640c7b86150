/* SPDX-License-Identifier: MIT */
/*
 * deque.c: what a list is made of: a ring of items, at both ends of which they
 * come and go in constant time. See kv.h.
 */
#include "kv.h"

#include <string.h>

enum { ROOM_MIN = 4 };

/* ---- items ---- */

struct kv_item *kv_item_new(struct sill_resp_view value)
{
    struct kv_item *item = kv_resize_block(NULL, 0, sizeof(*item) + value.size);
    if (item == NULL)
        return NULL;
    item->size = value.size;
    if (value.size > 0)
        memcpy(item->data, value.at, value.size);
    return item;
}

void kv_item_free(struct kv_item *item)
{
    kv_free_block(item, sizeof(*item) + item->size);
}

struct sill_resp_view kv_item_view(const struct kv_item *item)
{
    return (struct sill_resp_view){item->data, item->size};
}

/* ---- the ring ---- */

struct kv_item **kv_deque_at(const struct kv_deque *deque, size_t at)
{
    return &deque->slots[(deque->first + at) & (deque->room - 1)];
}

static bool resize(struct kv_deque *deque, size_t room)
{
    struct kv_item **slots = kv_resize_block(NULL, 0, room * sizeof(void *));
    if (slots == NULL)
        return false;
    for (size_t i = 0; i < deque->count; i++)
        slots[i] = *kv_deque_at(deque, i);
    kv_free_block(deque->slots, deque->room * sizeof(void *));
    deque->slots = slots;
    deque->room = room;
    deque->first = 0;
    return true;
}

bool kv_deque_reserve(struct kv_deque *deque)
{
    if (deque->count < deque->room)
        return true;
    return resize(deque, deque->room == 0 ? ROOM_MIN : 2 * deque->room);
}

static void shrink(struct kv_deque *deque)
{
    size_t room = deque->room;
    while (room > ROOM_MIN && deque->count < room / 4)
        room /= 2;
    if (room < deque->room)
        (void)resize(deque, room);
}

void kv_deque_push(struct kv_deque *deque, bool front, struct kv_item *item)
{
    if (front)
        deque->first--;
    deque->count++;
    *kv_deque_at(deque, front ? 0 : deque->count - 1) = item;
}

static struct kv_item *take(struct kv_deque *deque, bool front)
{
    struct kv_item *item = *kv_deque_at(deque, front ? 0 : deque->count - 1);
    if (front)
        deque->first++;
    deque->count--;
    return item;
}

struct kv_item *kv_deque_pop(struct kv_deque *deque, bool front)
{
    struct kv_item *item = take(deque, front);
    shrink(deque);
    return item;
}

void kv_deque_insert(struct kv_deque *deque, size_t at, struct kv_item *item)
{
    kv_deque_push(deque, false, item);
    for (size_t i = deque->count - 1; i > at; i--)
        *kv_deque_at(deque, i) = *kv_deque_at(deque, i - 1);
    *kv_deque_at(deque, at) = item;
}

void kv_deque_trim(struct kv_deque *deque, bool front, size_t count)
{
    for (; count > 0; count--)
        kv_item_free(take(deque, front));
    shrink(deque);
}

size_t kv_deque_remove(struct kv_deque *deque, bool front,
                       struct sill_resp_view value, size_t most)
{
    size_t last = deque->count - 1, kept = 0;
    for (size_t i = 0; i <= last; i++) {
        struct kv_item *item = *kv_deque_at(deque, front ? i : last - i);
        if (i - kept < most &&
            sill_resp_view_is_equal(kv_item_view(item), value)) {
            kv_item_free(item);
            continue;
        }
        *kv_deque_at(deque, front ? kept : last - kept) = item;
        kept++;
    }
    size_t removed = deque->count - kept;
    deque->first += front ? 0 : removed;
    deque->count = kept;
    shrink(deque);
    return removed;
}

void kv_deque_clear(struct kv_deque *deque)
{
    for (size_t i = 0; i < deque->count; i++)
        kv_item_free(*kv_deque_at(deque, i));
    kv_free_block(deque->slots, deque->room * sizeof(void *));
    *deque = (struct kv_deque){0};
}
