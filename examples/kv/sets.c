/* SPDX-License-Identifier: MIT */
/*
 * sets.c: commands about sets. See kv.h.
 */
#include "kv.h"

/* More than these make no reply that a server lets wait. */
#define REPLIES_MAX ((int64_t)1 << 27)

/* ---- the type ---- */

static size_t count_members(const struct kv_entry *entry)
{
    return entry->table.count;
}

static void clear(struct kv_entry *entry)
{
    kv_table_clear(&entry->table, kv_node_free);
}

/* Returns 1 for a new member, 0, or SILL_ENOMEM. */
static int add(struct kv_table *table, struct sill_resp_view name)
{
    if (kv_table_find(table, name) != NULL)
        return 0;
    struct kv_node *node = kv_node_new(sizeof(*node), name);
    if (node == NULL)
        return SILL_ENOMEM;
    if (kv_table_add(table, node))
        return 1;
    kv_node_free(node);
    return SILL_ENOMEM;
}

static bool add_all(struct kv_table *to, const struct kv_table *from)
{
    const struct kv_node *n = NULL;
    int rc = 0;
    while (rc >= 0 && (n = kv_table_next(from, n)) != NULL)
        rc = add(to, kv_node_key(n));
    return rc >= 0;
}

static bool copy(struct kv_entry *to, const struct kv_entry *from)
{
    return add_all(&to->table, &from->table);
}

static void tell(const struct kv_entry *entry,
                 void (*take)(void *arg, struct sill_resp_view text), void *arg)
{
    const struct kv_node *n = NULL;
    while ((n = kv_table_next(&entry->table, n)) != NULL)
        take(arg, kv_node_key(n));
}

const struct kv_kind kv_set_kind = {"set", "SADD", 1,   count_members,
                                    clear, copy,   tell};

/* ---- members ---- */

KV_HANDLER(sadd)
{
    struct kv_entry *entry;
    int64_t added = 0;
    int rc = 0;
    if (!kv_find_as(session, args[1], KV_SET, &entry))
        return 0;
    entry = kv_make_as(args[1], KV_SET);
    if (entry == NULL)
        return kv_no_memory(session);
    for (size_t i = 2; rc >= 0 && i < count; i++) {
        rc = add(&entry->table, args[i]);
        added += rc > 0;
    }
    if (added > 0 || entry->table.count == 0)
        kv_changed(entry);
    return rc < 0 ? kv_no_memory(session) : kv_integer(session, added);
}

KV_HANDLER(srem)
{
    struct kv_entry *entry;
    int64_t removed = 0;
    if (!kv_find_as(session, args[1], KV_SET, &entry))
        return 0;
    for (size_t i = 2; entry != NULL && i < count; i++) {
        struct kv_node *node = kv_table_find(&entry->table, args[i]);
        if (node == NULL)
            continue;
        kv_table_remove(&entry->table, node);
        kv_node_free(node);
        removed++;
    }
    if (removed > 0)
        kv_changed(entry);
    return kv_integer(session, removed);
}

static bool has(const struct kv_entry *entry, struct sill_resp_view name)
{
    return entry != NULL && kv_table_find(&entry->table, name) != NULL;
}

KV_HANDLER(sismember)
{
    struct kv_entry *entry;
    if (!kv_find_as(session, args[1], KV_SET, &entry))
        return 0;
    return kv_integer(session, has(entry, args[2]));
}

KV_HANDLER(smismember)
{
    struct kv_entry *entry;
    if (!kv_find_as(session, args[1], KV_SET, &entry))
        return 0;
    sill_resp_reply_array(session, count - 2);
    for (size_t i = 2; i < count; i++)
        sill_resp_reply_integer(session, has(entry, args[i]));
    return 0;
}

KV_HANDLER(scard)
{
    struct kv_entry *entry;
    if (!kv_find_as(session, args[1], KV_SET, &entry))
        return 0;
    return kv_integer(session, entry == NULL ? 0 : (int64_t)entry->table.count);
}

static void reply_members(struct sill_resp_session *session,
                          const struct kv_table *table)
{
    const struct kv_node *n = NULL;
    while ((n = kv_table_next(table, n)) != NULL)
        sill_resp_reply_string(session, kv_node_key(n));
}

static void reply_set(struct sill_resp_session *session,
                      const struct kv_table *table)
{
    sill_resp_reply_set(session, table->count);
    reply_members(session, table);
}

KV_HANDLER(smembers)
{
    static const struct kv_table none;
    struct kv_entry *entry;
    if (kv_find_as(session, args[1], KV_SET, &entry))
        reply_set(session, entry == NULL ? &none : &entry->table);
    return 0;
}

KV_HANDLER(smove)
{
    struct kv_entry *from, *to;
    if (!kv_find_as(session, args[1], KV_SET, &from))
        return 0;
    if (from == NULL)
        return kv_integer(session, 0);
    if (!kv_find_as(session, args[2], KV_SET, &to))
        return 0;
    struct kv_node *node = kv_table_find(&from->table, args[3]);
    if (node == NULL || from == to)
        return kv_integer(session, node != NULL);
    to = kv_make_as(args[2], KV_SET);
    if (to == NULL)
        return kv_no_memory(session);
    int rc = add(&to->table, args[3]);
    if (rc >= 0) {
        kv_table_remove(&from->table, node);
        kv_node_free(node);
        kv_changed(from);
    }
    kv_changed(to);
    return rc < 0 ? kv_no_memory(session) : kv_integer(session, 1);
}

KV_HANDLER(sscan)
{
    return kv_scan_value(session, args, count, KV_SET, NULL);
}

/* ---- any members ---- */

static struct kv_node *take_any(struct kv_table *table)
{
    struct kv_node *node = kv_table_any(table);
    kv_table_remove(table, node);
    return node;
}

/* Replies with (count) members, which are taken for ever. */
static void pop(struct sill_resp_session *session, struct kv_entry *entry,
                size_t count)
{
    kv_log_begin(2 + count);
    kv_log_arg(SILL_RESP_VIEW("SREM"));
    kv_log_arg(kv_key(entry));
    for (size_t i = 0; i < count; i++) {
        struct kv_node *node = take_any(&entry->table);
        kv_log_arg(kv_node_key(node));
        sill_resp_reply_string(session, kv_node_key(node));
        kv_node_free(node);
    }
    kv_changed(entry);
}

static int pop_one(struct sill_resp_session *session,
                   const struct sill_resp_view *args)
{
    struct kv_entry *entry;
    if (!kv_find_as(session, args[1], KV_SET, &entry))
        return 0;
    if (entry == NULL) {
        sill_resp_reply_null(session);
        return 0;
    }
    pop(session, entry, 1);
    return 0;
}

static int pop_many(struct sill_resp_session *session,
                    const struct sill_resp_view *args)
{
    struct kv_entry *entry;
    size_t most;
    if (!kv_read_count(session, args[2], &most) ||
        !kv_find_as(session, args[1], KV_SET, &entry))
        return 0;
    if (entry == NULL || most > entry->table.count)
        most = entry == NULL ? 0 : entry->table.count;
    sill_resp_reply_set(session, most);
    if (most > 0)
        pop(session, entry, most);
    return 0;
}

KV_HANDLER(spop)
{
    return count > 3    ? kv_syntax(session)
           : count == 3 ? pop_many(session, args)
                        : pop_one(session, args);
}

/* Replies with (count) that differ: they are taken, and put back. */
static void reply_some(struct sill_resp_session *session,
                       struct kv_table *table, size_t count)
{
    struct kv_node *taken = NULL;
    sill_resp_reply_array(session, count);
    for (size_t i = 0; i < count; i++) {
        struct kv_node *node = take_any(table);
        sill_resp_reply_string(session, kv_node_key(node));
        node->next = taken;
        taken = node;
    }
    while (taken != NULL) {
        struct kv_node *next = taken->next;
        (void)kv_table_add(table, taken);
        taken = next;
    }
}

static int random_many(struct sill_resp_session *session,
                       const struct sill_resp_view *args)
{
    struct kv_entry *entry;
    int64_t number;
    if (!kv_read_integer(session, args[2], &number))
        return 0;
    if (number == INT64_MIN)
        return kv_error(session, "ERR value is out of range, value must "
                                 "between -9223372036854775807 and "
                                 "9223372036854775807");
    if (!kv_find_as(session, args[1], KV_SET, &entry))
        return 0;
    if (number < -REPLIES_MAX && entry != NULL)
        return SILL_EMSGSIZE;
    if (entry == NULL || number == 0) {
        sill_resp_reply_array(session, 0);
    } else if (number < 0) {
        sill_resp_reply_array(session, (size_t)-number);
        for (; number < 0; number++)
            sill_resp_reply_string(session,
                                   kv_node_key(kv_table_any(&entry->table)));
    } else if ((size_t)number >= entry->table.count) {
        sill_resp_reply_array(session, entry->table.count);
        reply_members(session, &entry->table);
    } else {
        reply_some(session, &entry->table, (size_t)number);
    }
    return 0;
}

KV_HANDLER(srandmember)
{
    struct kv_entry *entry;
    if (count > 3)
        return kv_syntax(session);
    if (count == 3)
        return random_many(session, args);
    if (!kv_find_as(session, args[1], KV_SET, &entry))
        return 0;
    if (entry == NULL)
        sill_resp_reply_null(session);
    else
        sill_resp_reply_string(session,
                               kv_node_key(kv_table_any(&entry->table)));
    return 0;
}

/* ---- sets of sets ---- */

/* Adds to (result) what follows from the sets that (keys) have. Return false
 * for lack of memory. */
typedef bool combine(struct kv_table *result, const struct sill_resp_view *keys,
                     size_t count);

static bool unite(struct kv_table *result, const struct sill_resp_view *keys,
                  size_t count)
{
    bool done = true;
    for (size_t i = 0; done && i < count; i++) {
        const struct kv_entry *entry = kv_find(keys[i]);
        done = entry == NULL || add_all(result, &entry->table);
    }
    return done;
}

/* Whether (name) is in any, or in all of the sets. */
static bool is_in(const struct sill_resp_view *keys, size_t count,
                  struct sill_resp_view name, bool all)
{
    size_t i = 0;
    while (i < count && has(kv_find(keys[i]), name) == all)
        i++;
    return (i == count) == all;
}

static bool intersect(struct kv_table *result,
                      const struct sill_resp_view *keys, size_t count)
{
    const struct kv_entry *least = NULL;
    const struct kv_node *n = NULL;
    int rc = 0;
    for (size_t i = 0; i < count; i++) {
        const struct kv_entry *entry = kv_find(keys[i]);
        if (entry == NULL)
            return true;
        if (least == NULL || entry->table.count < least->table.count)
            least = entry;
    }
    while (rc >= 0 && (n = kv_table_next(&least->table, n)) != NULL)
        if (is_in(keys, count, kv_node_key(n), true))
            rc = add(result, kv_node_key(n));
    return rc >= 0;
}

static bool subtract(struct kv_table *result, const struct sill_resp_view *keys,
                     size_t count)
{
    const struct kv_entry *first = kv_find(keys[0]);
    const struct kv_node *n = NULL;
    int rc = 0;
    if (first == NULL)
        return true;
    while (rc >= 0 && (n = kv_table_next(&first->table, n)) != NULL)
        if (!is_in(keys + 1, count - 1, kv_node_key(n), false))
            rc = add(result, kv_node_key(n));
    return rc >= 0;
}

/* Gives (key) the (result), which is a value of any type before. */
static int store(struct sill_resp_session *session, struct sill_resp_view key,
                 struct kv_table *result)
{
    struct kv_entry *entry = kv_make(key);
    if (entry == NULL) {
        kv_table_clear(result, kv_node_free);
        return kv_no_memory(session);
    }
    (void)kv_expire(entry, KV_NEVER);
    kv_clear(entry);
    entry->type = KV_SET;
    entry->table = *result;
    kv_integer(session, (int64_t)result->count);
    kv_changed(entry);
    return 0;
}

static int reply_combined(struct sill_resp_session *session,
                          const struct sill_resp_view *keys, size_t count,
                          combine *combined, const struct sill_resp_view *to)
{
    struct kv_table result = {0};
    struct kv_entry *entry;
    for (size_t i = 0; i < count; i++)
        if (!kv_find_as(session, keys[i], KV_SET, &entry))
            return 0;
    bool done = combined(&result, keys, count);
    if (done && to != NULL)
        return store(session, *to, &result);
    if (done)
        reply_set(session, &result);
    else
        kv_no_memory(session);
    kv_table_clear(&result, kv_node_free);
    return 0;
}

KV_HANDLER(sinter)
{
    return reply_combined(session, args + 1, count - 1, intersect, NULL);
}

KV_HANDLER(sunion)
{
    return reply_combined(session, args + 1, count - 1, unite, NULL);
}

KV_HANDLER(sdiff)
{
    return reply_combined(session, args + 1, count - 1, subtract, NULL);
}

KV_HANDLER(sinterstore)
{
    return reply_combined(session, args + 2, count - 2, intersect, &args[1]);
}

KV_HANDLER(sunionstore)
{
    return reply_combined(session, args + 2, count - 2, unite, &args[1]);
}

KV_HANDLER(sdiffstore)
{
    return reply_combined(session, args + 2, count - 2, subtract, &args[1]);
}

static const struct sill_resp_verb verbs[] = {
    {"sadd", sadd, -3, KV_WRITES | KV_GROWS},
    {"scard", scard, 2, 0},
    {"sdiff", sdiff, -2, 0},
    {"sdiffstore", sdiffstore, -3, KV_WRITES | KV_GROWS},
    {"sinter", sinter, -2, 0},
    {"sinterstore", sinterstore, -3, KV_WRITES | KV_GROWS},
    {"sismember", sismember, 3, 0},
    {"smembers", smembers, 2, 0},
    {"smismember", smismember, -3, 0},
    {"smove", smove, 4, KV_WRITES},
    {"spop", spop, -2, KV_WRITES},
    {"srandmember", srandmember, -2, 0},
    {"srem", srem, -3, KV_WRITES},
    {"sscan", sscan, -3, 0},
    {"sunion", sunion, -2, 0},
    {"sunionstore", sunionstore, -3, KV_WRITES | KV_GROWS},
};

const struct kv_verbs kv_set_verbs = KV_VERBS(verbs);
