/* SPDX-License-Identifier: MIT */
/*
 * keys.c: the keys, in a hash table, and, in a heap, when each of those with an
 * end ends. See kv.h.
 */
#include "kv.h"

#include <stdlib.h>
#include <time.h>

enum { NO_PLACE = -1 };

struct kv_keys kv_keys;

static int64_t now;

void kv_tick(void)
{
    now = kv_epoch + sill_now() / SILL_MILLISECOND;
}

int64_t kv_now(void)
{
    return now;
}

/* ---- the table ---- */

void kv_keys_close(void)
{
    kv_remove_all();
    free(kv_keys.heap);
}

struct sill_resp_view kv_key(const struct kv_entry *entry)
{
    return kv_node_key(&entry->node);
}

/* What the append-only file has is there until it says otherwise. */
bool kv_is_over(const struct kv_entry *entry)
{
    return !kv_log.is_loading && entry->expires != KV_NEVER &&
           entry->expires <= kv_now();
}

/* It is logged before the command that has found it. */
static void remove_expired(struct kv_entry *entry)
{
    uint64_t changes = kv_keys.changes;
    bool is_told = kv_log.is_told;
    kv_log_del(kv_key(entry));
    kv_remove(entry);
    kv_log.is_told = is_told;
    kv_keys.changes = changes;
    kv_keys.expired++;
}

struct kv_entry *kv_find(struct sill_resp_view key)
{
    struct kv_entry *entry =
        (struct kv_entry *)kv_table_find(&kv_keys.table, key);
    if (entry == NULL || !kv_is_over(entry))
        return entry;
    remove_expired(entry);
    return NULL;
}

bool kv_find_as(struct sill_resp_session *session, struct sill_resp_view key,
                enum kv_type type, struct kv_entry **entry)
{
    *entry = kv_find(key);
    if (*entry == NULL || (*entry)->type == type)
        return true;
    kv_error(session, "WRONGTYPE Operation against a key holding the wrong "
                      "kind of value");
    return false;
}

void kv_touch(struct kv_entry *entry)
{
    entry->version = ++kv_keys.version;
    kv_keys.changes++;
}

struct kv_entry *kv_make(struct sill_resp_view key)
{
    struct kv_entry *entry = kv_find(key);
    if (entry != NULL)
        return entry;
    entry = kv_node_new(sizeof(*entry), key);
    if (entry == NULL)
        return NULL;
    if (!kv_table_add(&kv_keys.table, &entry->node)) {
        kv_node_free(&entry->node);
        return NULL;
    }
    entry->expires = KV_NEVER;
    entry->place = (size_t)NO_PLACE;
    kv_touch(entry);
    return entry;
}

struct kv_entry *kv_make_as(struct sill_resp_view key, enum kv_type type)
{
    struct kv_entry *entry = kv_make(key);
    if (entry != NULL)
        entry->type = type;
    return entry;
}

void kv_remove(struct kv_entry *entry)
{
    kv_keys.changes++;
    kv_table_remove(&kv_keys.table, &entry->node);
    (void)kv_expire(entry, KV_NEVER);
    kv_clear(entry);
    kv_node_free(&entry->node);
}

void kv_changed(struct kv_entry *entry)
{
    if (kv_count(entry) == 0)
        kv_remove(entry);
    else
        kv_touch(entry);
}

static void drop(struct kv_node *node)
{
    kv_clear((struct kv_entry *)node);
    kv_node_free(node);
}

void kv_remove_all(void)
{
    kv_table_clear(&kv_keys.table, drop);
    kv_keys.heap_count = 0;
    kv_keys.changes++;
}

/* ---- what expires ---- */

static void put(struct kv_entry *entry, size_t place)
{
    kv_keys.heap[place] = entry;
    entry->place = place;
}

static bool is_before(size_t a, size_t b)
{
    return kv_keys.heap[a]->expires < kv_keys.heap[b]->expires;
}

static void swap(size_t a, size_t b)
{
    struct kv_entry *entry = kv_keys.heap[a];
    put(kv_keys.heap[b], a);
    put(entry, b);
}

/* Moves what is at (at) to where it belongs. */
static void settle(size_t at)
{
    for (; at > 0 && is_before(at, (at - 1) / 2); at = (at - 1) / 2)
        swap(at, (at - 1) / 2);
    for (;;) {
        size_t first = at, below = 2 * at + 1;
        for (size_t i = below; i < below + 2 && i < kv_keys.heap_count; i++)
            if (is_before(i, first))
                first = i;
        if (first == at)
            return;
        swap(at, first);
        at = first;
    }
}

static void leave_heap(struct kv_entry *entry)
{
    size_t at = entry->place;
    entry->place = (size_t)NO_PLACE;
    entry->expires = KV_NEVER;
    if (at == --kv_keys.heap_count)
        return;
    put(kv_keys.heap[kv_keys.heap_count], at);
    settle(at);
}

static bool enter_heap(struct kv_entry *entry)
{
    if (kv_keys.heap_count == kv_keys.heap_room) {
        size_t room = 2 * kv_keys.heap_room + 16;
        struct kv_entry **heap = realloc(kv_keys.heap, room * sizeof(void *));
        if (heap == NULL)
            return false;
        kv_keys.heap = heap;
        kv_keys.heap_room = room;
    }
    put(entry, kv_keys.heap_count++);
    return true;
}

bool kv_expire(struct kv_entry *entry, int64_t when)
{
    bool is_in = entry->place != (size_t)NO_PLACE;
    if (when == KV_NEVER) {
        if (is_in)
            leave_heap(entry);
        return true;
    }
    if (!is_in && !enter_heap(entry))
        return false;
    entry->expires = when;
    settle(entry->place);
    if (entry->place == 0)
        sill_resume(&kv_keys.changed, 0);
    return true;
}

/* Returns when the next key expires. */
static sill_time next_end(void)
{
    if (kv_keys.heap_count == 0)
        return SILL_NEVER;
    int64_t left = kv_keys.heap[0]->expires - kv_now();
    if (left > INT64_MAX / SILL_MILLISECOND)
        return SILL_NEVER;
    return sill_after(left * SILL_MILLISECOND);
}

int kv_expirer(void *unused)
{
    int rc = 0;
    (void)unused;
    sill_task_set_name("kv expirer");
    while (rc == 0 || rc == SILL_ETIMEDOUT) {
        kv_tick();
        for (int i = 0; i < 100 && kv_keys.heap_count > 0; i++) {
            if (!kv_is_over(kv_keys.heap[0]))
                break;
            remove_expired(kv_keys.heap[0]);
        }
        sill_trigger_init(&kv_keys.changed, NULL, NULL);
        sill_time next = next_end();
        /* Others have their turn, when more have expired than a hundred. */
        rc = next <= sill_now() ? sill_yield()
                                : sill_suspend(&kv_keys.changed, next);
    }
    return rc;
}
