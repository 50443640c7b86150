/* SPDX-License-Identifier: MIT */
/*
 * keys.c: the keys, in a hash table with chains, and, in a heap, when each of
 * those with an end ends. See kv.h.
 */
#include "kv.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

enum { BUCKETS_MIN = 16, NO_PLACE = -1 };

struct kv_keys kv_keys;

int64_t kv_now(void)
{
    return kv_epoch + sill_now() / SILL_MILLISECOND;
}

/* ---- the table ---- */

/* Seeded, so that nobody from outside knows which keys collide. */
static uint64_t hash_of(struct sill_resp_view key)
{
    uint64_t sum = kv_keys.seed ^ key.size, word;
    for (; key.size >= 8; key.at += 8, key.size -= 8) {
        memcpy(&word, key.at, 8);
        sum = (sum ^ word) * 0x9e3779b97f4a7c15;
        sum ^= sum >> 32;
    }
    word = 0;
    if (key.size > 0)
        memcpy(&word, key.at, key.size);
    sum = (sum ^ word) * 0x9e3779b97f4a7c15;
    sum ^= sum >> 29;
    sum *= 0xbf58476d1ce4e5b9;
    return sum ^ sum >> 32;
}

static struct kv_entry **bucket_of(uint64_t hash)
{
    return &kv_keys.buckets[hash & (kv_keys.bucket_count - 1)];
}

static size_t cost_of(const struct kv_entry *entry)
{
    return sizeof(*entry) + entry->size + entry->value.room + sizeof(void *);
}

/* Makes (count) buckets; without memory, the table stays as it is. */
static bool resize_table(size_t count)
{
    struct kv_entry **old = kv_keys.buckets;
    size_t old_count = kv_keys.bucket_count;
    struct kv_entry **buckets = calloc(count, sizeof(void *));

    if (buckets == NULL)
        return false;
    kv_keys.buckets = buckets;
    kv_keys.bucket_count = count;
    for (size_t i = 0; i < old_count; i++) {
        for (struct kv_entry *e = old[i], *next; e != NULL; e = next) {
            next = e->next;
            e->next = *bucket_of(e->hash);
            *bucket_of(e->hash) = e;
        }
    }
    free(old);
    return true;
}

int kv_keys_open(void)
{
    if (getrandom(&kv_keys.seed, sizeof(kv_keys.seed), 0) !=
        (ssize_t)sizeof(kv_keys.seed))
        kv_keys.seed = (uint64_t)time(NULL);
    return resize_table(BUCKETS_MIN) ? 0 : SILL_ENOMEM;
}

void kv_keys_close(void)
{
    kv_remove_all();
    free(kv_keys.buckets);
    free(kv_keys.heap);
}

struct sill_resp_view kv_key(const struct kv_entry *entry)
{
    return (struct sill_resp_view){entry->key, entry->size};
}

struct sill_resp_view kv_value(const struct kv_entry *entry)
{
    return (struct sill_resp_view){entry->value.data, entry->value.size};
}

static struct kv_entry *look_up(struct sill_resp_view key, uint64_t hash)
{
    struct kv_entry *e = *bucket_of(hash);
    while (e != NULL &&
           (e->hash != hash || !sill_resp_view_is_equal(kv_key(e), key)))
        e = e->next;
    return e;
}

static bool is_over(const struct kv_entry *entry)
{
    return entry->expires != KV_NEVER && entry->expires <= kv_now();
}

static void remove_expired(struct kv_entry *entry)
{
    kv_remove(entry);
    kv_keys.expired++;
}

struct kv_entry *kv_find(struct sill_resp_view key)
{
    struct kv_entry *entry = look_up(key, hash_of(key));
    if (entry == NULL || !is_over(entry))
        return entry;
    remove_expired(entry);
    return NULL;
}

void kv_touch(struct kv_entry *entry)
{
    entry->version = ++kv_keys.version;
}

struct kv_entry *kv_make(struct sill_resp_view key)
{
    struct kv_entry *entry = kv_find(key);
    if (entry != NULL)
        return entry;
    if (kv_keys.count >= kv_keys.bucket_count)
        (void)resize_table(2 * kv_keys.bucket_count);
    entry = malloc(sizeof(*entry) + key.size);
    if (entry == NULL)
        return NULL;
    *entry = (struct kv_entry){.hash = hash_of(key),
                               .expires = KV_NEVER,
                               .place = (size_t)NO_PLACE,
                               .size = key.size};
    memcpy(entry->key, key.at, key.size);
    entry->next = *bucket_of(entry->hash);
    *bucket_of(entry->hash) = entry;
    kv_keys.count++;
    kv_keys.memory += cost_of(entry);
    kv_touch(entry);
    return entry;
}

void kv_remove(struct kv_entry *entry)
{
    struct kv_entry **link = bucket_of(entry->hash);
    while (*link != entry)
        link = &(*link)->next;
    *link = entry->next;
    (void)kv_expire(entry, KV_NEVER);
    kv_keys.count--;
    kv_keys.memory -= cost_of(entry);
    free(entry->value.data);
    free(entry);
    if (kv_keys.count < kv_keys.bucket_count / 8 &&
        kv_keys.bucket_count > BUCKETS_MIN)
        (void)resize_table(kv_keys.bucket_count / 2);
}

void kv_remove_all(void)
{
    for (size_t i = 0; i < kv_keys.bucket_count; i++) {
        for (struct kv_entry *e = kv_keys.buckets[i], *next; e != NULL;
             e = next) {
            next = e->next;
            free(e->value.data);
            free(e);
        }
        kv_keys.buckets[i] = NULL;
    }
    kv_keys.count = kv_keys.memory = kv_keys.heap_count = 0;
}

/*
 * The cursor counts with its highest bit first. In a table of twice the size a
 * bucket becomes two that differ in one more high bit, so those that are done
 * stay behind the cursor, and those that are not before it.
 */
static uint64_t reversed(uint64_t bits)
{
    uint64_t result = 0;
    for (int i = 0; i < 64; i++, bits >>= 1)
        result = result << 1 | (bits & 1);
    return result;
}

uint64_t kv_scan(uint64_t cursor, void (*each)(void *arg, struct kv_entry *),
                 void *arg)
{
    uint64_t mask = kv_keys.bucket_count - 1;
    for (struct kv_entry *e = kv_keys.buckets[cursor & mask]; e != NULL;
         e = e->next)
        if (!is_over(e))
            each(arg, e);
    return reversed(reversed(cursor | ~mask) + 1);
}

/* ---- values ---- */

void kv_remove_if_new(struct kv_entry *entry)
{
    if (entry->value.data == NULL)
        kv_remove(entry);
}

bool kv_resize(struct kv_entry *entry, size_t size)
{
    struct kv_string *value = &entry->value;
    if (value->data == NULL || size > value->room || size < value->room / 4) {
        size_t room = size > value->room ? size + value->size / 2 : size;
        room += room == 0;
        char *data = realloc(value->data, room);
        if (data == NULL) {
            kv_remove_if_new(entry);
            return false;
        }
        kv_keys.memory += room - value->room;
        value->data = data;
        value->room = room;
    }
    if (size > value->size)
        memset(value->data + value->size, 0, size - value->size);
    value->size = size;
    kv_touch(entry);
    return true;
}

bool kv_set(struct kv_entry *entry, struct sill_resp_view value)
{
    if (!kv_resize(entry, value.size))
        return false;
    if (value.size > 0)
        memcpy(entry->value.data, value.at, value.size);
    return true;
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
        for (int i = 0; i < 100 && kv_keys.heap_count > 0; i++) {
            if (!is_over(kv_keys.heap[0]))
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
