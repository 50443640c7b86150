/* SPDX-License-Identifier: MIT */
/*
 * table.c: a hash table with chains, of keys, fields or members. See kv.h.
 */
#include "kv.h"

#include <sill/random.h>

#include <stdlib.h>
#include <string.h>

enum { BUCKETS_MIN = 4, LONG_CHAIN = 8 };

size_t kv_memory;

static uint64_t seed, state;

int kv_table_seed(void)
{
    uint64_t secrets[2] = {0};
    int rc = sill_random_fill(secrets, sizeof(secrets));
    seed = secrets[0];
    state = secrets[1];
    return rc;
}

/* SplitMix64: every bit is as good as any other, the lowest among them. */
uint64_t kv_random(void)
{
    uint64_t sum = state += 0x9e3779b97f4a7c15;
    sum = (sum ^ sum >> 30) * 0xbf58476d1ce4e5b9;
    sum = (sum ^ sum >> 27) * 0x94d049bb133111eb;
    return sum ^ sum >> 31;
}

/* ---- memory ---- */

void *kv_resize_block(void *block, size_t old_size, size_t size)
{
    void *new = realloc(block, size);
    if (new != NULL)
        kv_memory += size - old_size;
    return new;
}

void kv_free_block(void *block, size_t size)
{
    if (block != NULL)
        kv_memory -= size;
    free(block);
}

/* ---- nodes ---- */

/* Seeded, so that nobody from outside knows which keys collide. */
static uint64_t hash_of(struct sill_resp_view key)
{
    uint64_t sum = seed ^ key.size, word;
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

void *kv_node_new(size_t size, struct sill_resp_view key)
{
    struct kv_node *node = kv_resize_block(NULL, 0, size + key.size);
    if (node == NULL)
        return NULL;
    memset(node, 0, size);
    node->hash = hash_of(key);
    node->size = key.size;
    node->key = (char *)node + size;
    if (key.size > 0)
        memcpy(node->key, key.at, key.size);
    return node;
}

void kv_node_free(struct kv_node *node)
{
    kv_free_block(node, (size_t)(node->key - (char *)node) + node->size);
}

struct sill_resp_view kv_node_key(const struct kv_node *node)
{
    return (struct sill_resp_view){node->key, node->size};
}

/* ---- the table ---- */

static struct kv_node **bucket_of(const struct kv_table *table, uint64_t hash)
{
    return &table->buckets[hash & (table->bucket_count - 1)];
}

/* Makes (count) buckets; without memory, the table stays as it is. */
static void resize(struct kv_table *table, size_t count)
{
    struct kv_table old = *table;
    struct kv_node **buckets = kv_resize_block(NULL, 0, count * sizeof(void *));

    if (buckets == NULL)
        return;
    memset(buckets, 0, count * sizeof(void *));
    table->buckets = buckets;
    table->bucket_count = count;
    for (size_t i = 0; i < old.bucket_count; i++) {
        for (struct kv_node *n = old.buckets[i], *next; n != NULL; n = next) {
            next = n->next;
            n->next = *bucket_of(table, n->hash);
            *bucket_of(table, n->hash) = n;
        }
    }
    kv_free_block(old.buckets, old.bucket_count * sizeof(void *));
}

struct kv_node *kv_table_find(const struct kv_table *table,
                              struct sill_resp_view key)
{
    uint64_t hash = hash_of(key);
    if (table->count == 0)
        return NULL;
    struct kv_node *n = *bucket_of(table, hash);
    while (n != NULL &&
           (n->hash != hash || !sill_resp_view_is_equal(kv_node_key(n), key)))
        n = n->next;
    return n;
}

bool kv_table_add(struct kv_table *table, struct kv_node *node)
{
    if (table->bucket_count == 0)
        resize(table, BUCKETS_MIN);
    else if (table->count >= table->bucket_count)
        resize(table, 2 * table->bucket_count);
    if (table->bucket_count == 0)
        return false;
    node->next = *bucket_of(table, node->hash);
    *bucket_of(table, node->hash) = node;
    table->count++;
    return true;
}

void kv_table_remove(struct kv_table *table, struct kv_node *node)
{
    struct kv_node **link = bucket_of(table, node->hash);
    while (*link != node)
        link = &(*link)->next;
    *link = node->next;
    table->count--;
    if (table->count < table->bucket_count / 8 &&
        table->bucket_count > BUCKETS_MIN)
        resize(table, table->bucket_count / 2);
}

void kv_table_clear(struct kv_table *table, void (*drop)(struct kv_node *))
{
    for (size_t i = 0; i < table->bucket_count; i++) {
        for (struct kv_node *n = table->buckets[i], *next; n != NULL;
             n = next) {
            next = n->next;
            drop(n);
        }
    }
    kv_free_block(table->buckets, table->bucket_count * sizeof(void *));
    *table = (struct kv_table){0};
}

/* ---- all of them, and any ---- */

struct kv_node *kv_table_next(const struct kv_table *table,
                              const struct kv_node *node)
{
    size_t at = 0;
    if (node != NULL && node->next != NULL)
        return node->next;
    if (node != NULL)
        at = (node->hash & (table->bucket_count - 1)) + 1;
    while (at < table->bucket_count && table->buckets[at] == NULL)
        at++;
    return at < table->bucket_count ? table->buckets[at] : NULL;
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

uint64_t kv_table_scan(const struct kv_table *table, uint64_t cursor,
                       void (*each)(void *arg, struct kv_node *), void *arg)
{
    uint64_t mask = table->bucket_count - 1;
    if (table->bucket_count == 0)
        return 0;
    for (struct kv_node *n = table->buckets[cursor & mask]; n != NULL;
         n = n->next)
        each(arg, n);
    return reversed(reversed(cursor | ~mask) + 1);
}

static size_t length_of(const struct kv_node *first)
{
    size_t length = 0;
    for (; first != NULL; first = first->next)
        length++;
    return length;
}

/* A chain is taken as often as it is long, up to a length that hardly any
 * has: so all nodes have the same chance. */
struct kv_node *kv_table_any(const struct kv_table *table)
{
    struct kv_node *n;
    size_t length;
    do {
        n = *bucket_of(table, kv_random());
        length = length_of(n);
    } while (length <= kv_random() % LONG_CHAIN);
    for (length = kv_random() % length; length > 0; length--)
        n = n->next;
    return n;
}
