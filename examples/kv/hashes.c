/* SPDX-License-Identifier: MIT */
/*
 * hashes.c: commands about hashes. See kv.h.
 */
#include "kv.h"

#include <math.h>
#include <stdio.h>

/* ---- fields ---- */

/* What is in a hash. */
struct field {
    struct kv_node node;
    struct kv_string value;
};

static void drop(struct kv_node *node)
{
    kv_string_clear(&((struct field *)node)->value);
    kv_node_free(node);
}

static struct field *find(const struct kv_entry *entry,
                          struct sill_resp_view name)
{
    return entry == NULL ? NULL
                         : (struct field *)kv_table_find(&entry->table, name);
}

static bool add(struct kv_entry *entry, struct sill_resp_view name,
                struct sill_resp_view value)
{
    struct field *field = kv_node_new(sizeof(*field), name);
    if (field == NULL)
        return false;
    if (kv_string_set(&field->value, value) &&
        kv_table_add(&entry->table, &field->node))
        return true;
    drop(&field->node);
    return false;
}

/* Sets the field (name) of (key). Returns 1 for a new one, 0, or SILL_ENOMEM.
 */
static int set(struct sill_resp_view key, struct sill_resp_view name,
               struct sill_resp_view value)
{
    struct kv_entry *entry = kv_make_as(key, KV_HASH);
    struct field *field = find(entry, name);
    if (entry == NULL)
        return SILL_ENOMEM;
    bool done = field != NULL ? kv_string_set(&field->value, value)
                              : add(entry, name, value);
    kv_changed(entry);
    return !done ? SILL_ENOMEM : field == NULL;
}

static size_t count_fields(const struct kv_entry *entry)
{
    return entry->table.count;
}

static void clear(struct kv_entry *entry)
{
    kv_table_clear(&entry->table, drop);
}

static bool copy(struct kv_entry *to, const struct kv_entry *from)
{
    const struct kv_node *n = NULL;
    bool done = true;
    while (done && (n = kv_table_next(&from->table, n)) != NULL)
        done = add(to, kv_node_key(n),
                   kv_string_view(&((const struct field *)n)->value));
    return done;
}

static void tell(const struct kv_entry *entry,
                 void (*take)(void *arg, struct sill_resp_view text), void *arg)
{
    const struct kv_node *n = NULL;
    while ((n = kv_table_next(&entry->table, n)) != NULL) {
        take(arg, kv_node_key(n));
        take(arg, kv_string_view(&((const struct field *)n)->value));
    }
}

const struct kv_kind kv_hash_kind = {"hash", "HSET", 2,   count_fields,
                                     clear,  copy,   tell};

/* ---- to set ---- */

/* Returns how many fields were new, or SILL_ENOMEM. */
static int64_t set_pairs(const struct sill_resp_view *args, size_t count)
{
    int64_t added = 0;
    for (size_t i = 2; i < count; i += 2) {
        int rc = set(args[1], args[i], args[i + 1]);
        if (rc < 0)
            return rc;
        added += rc;
    }
    return added;
}

KV_HANDLER(hset)
{
    struct kv_entry *entry;
    if (count % 2 != 0)
        return kv_odd(session, "hset");
    if (!kv_find_as(session, args[1], KV_HASH, &entry))
        return 0;
    int64_t added = set_pairs(args, count);
    return added < 0 ? kv_no_memory(session) : kv_integer(session, added);
}

KV_HANDLER(hmset)
{
    struct kv_entry *entry;
    if (count % 2 != 0)
        return kv_odd(session, "hmset");
    if (!kv_find_as(session, args[1], KV_HASH, &entry))
        return 0;
    return set_pairs(args, count) < 0 ? kv_no_memory(session) : kv_ok(session);
}

KV_HANDLER(hsetnx)
{
    struct kv_entry *entry;
    if (!kv_find_as(session, args[1], KV_HASH, &entry))
        return 0;
    if (find(entry, args[2]) != NULL)
        return kv_integer(session, 0);
    return set(args[1], args[2], args[3]) < 0 ? kv_no_memory(session)
                                              : kv_integer(session, 1);
}

KV_HANDLER(hdel)
{
    struct kv_entry *entry;
    int64_t removed = 0;
    if (!kv_find_as(session, args[1], KV_HASH, &entry))
        return 0;
    for (size_t i = 2; i < count; i++) {
        struct field *field = find(entry, args[i]);
        if (field == NULL)
            continue;
        kv_table_remove(&entry->table, &field->node);
        drop(&field->node);
        removed++;
    }
    if (removed > 0)
        kv_changed(entry);
    return kv_integer(session, removed);
}

/* ---- counters ---- */

KV_HANDLER(hincrby)
{
    struct kv_entry *entry;
    int64_t number = 0, step;
    char text[32];
    if (!kv_read_integer(session, args[3], &step) ||
        !kv_find_as(session, args[1], KV_HASH, &entry))
        return 0;
    const struct field *field = find(entry, args[2]);
    if (field != NULL &&
        !sill_resp_integer(kv_string_view(&field->value), &number))
        return kv_error(session, "ERR hash value is not an integer");
    if (__builtin_add_overflow(number, step, &number))
        return kv_error(session, "ERR increment or decrement would overflow");
    int size = snprintf(text, sizeof(text), "%lld", (long long)number);
    int rc = set(args[1], args[2], (struct sill_resp_view){text, (size_t)size});
    return rc < 0 ? kv_no_memory(session) : kv_integer(session, number);
}

KV_HANDLER(hincrbyfloat)
{
    struct kv_entry *entry;
    long double number = 0, step;
    char text[KV_FLOAT_MAX];
    if (!kv_read_long_double(args[3], &step))
        return kv_error(session, "ERR value is not a valid float");
    if (isinf(step))
        return kv_error(session, "ERR value is NaN or Infinity");
    if (!kv_find_as(session, args[1], KV_HASH, &entry))
        return 0;
    const struct field *field = find(entry, args[2]);
    if (field != NULL &&
        !kv_read_long_double(kv_string_view(&field->value), &number))
        return kv_error(session, "ERR hash value is not a float");
    number += step;
    if (isnan(number) || isinf(number))
        return kv_error(session, "ERR increment would produce NaN or Infinity");
    struct sill_resp_view value = kv_print_long_double(number, text);
    if (set(args[1], args[2], value) < 0)
        return kv_no_memory(session);
    kv_log_args((struct sill_resp_view[]){SILL_RESP_VIEW("HSET"), args[1],
                                          args[2], value},
                4);
    sill_resp_reply_string(session, value);
    return 0;
}

/* ---- to get ---- */

static void reply_field(struct sill_resp_session *session,
                        const struct field *field)
{
    if (field == NULL)
        sill_resp_reply_null(session);
    else
        sill_resp_reply_string(session, kv_string_view(&field->value));
}

KV_HANDLER(hget)
{
    struct kv_entry *entry;
    if (kv_find_as(session, args[1], KV_HASH, &entry))
        reply_field(session, find(entry, args[2]));
    return 0;
}

KV_HANDLER(hmget)
{
    struct kv_entry *entry;
    if (!kv_find_as(session, args[1], KV_HASH, &entry))
        return 0;
    sill_resp_reply_array(session, count - 2);
    for (size_t i = 2; i < count; i++)
        reply_field(session, find(entry, args[i]));
    return 0;
}

KV_HANDLER(hexists)
{
    struct kv_entry *entry;
    if (!kv_find_as(session, args[1], KV_HASH, &entry))
        return 0;
    return kv_integer(session, find(entry, args[2]) != NULL);
}

KV_HANDLER(hlen)
{
    struct kv_entry *entry;
    if (!kv_find_as(session, args[1], KV_HASH, &entry))
        return 0;
    return kv_integer(session, entry == NULL ? 0 : (int64_t)entry->table.count);
}

KV_HANDLER(hstrlen)
{
    struct kv_entry *entry;
    if (!kv_find_as(session, args[1], KV_HASH, &entry))
        return 0;
    const struct field *field = find(entry, args[2]);
    return kv_integer(session, field == NULL ? 0 : (int64_t)field->value.size);
}

static void reply_all(struct sill_resp_session *session,
                      const struct kv_entry *entry, bool names, bool values)
{
    static const struct kv_table none;
    const struct kv_table *table = entry == NULL ? &none : &entry->table;
    const struct kv_node *n = NULL;
    if (names && values)
        sill_resp_reply_map(session, table->count);
    else
        sill_resp_reply_array(session, table->count);
    while ((n = kv_table_next(table, n)) != NULL) {
        if (names)
            sill_resp_reply_string(session, kv_node_key(n));
        if (values)
            reply_field(session, (const struct field *)n);
    }
}

KV_HANDLER(hgetall)
{
    struct kv_entry *entry;
    if (kv_find_as(session, args[1], KV_HASH, &entry))
        reply_all(session, entry, true, true);
    return 0;
}

KV_HANDLER(hkeys)
{
    struct kv_entry *entry;
    if (kv_find_as(session, args[1], KV_HASH, &entry))
        reply_all(session, entry, true, false);
    return 0;
}

KV_HANDLER(hvals)
{
    struct kv_entry *entry;
    if (kv_find_as(session, args[1], KV_HASH, &entry))
        reply_all(session, entry, false, true);
    return 0;
}

static void reply_node(struct sill_resp_session *session,
                       const struct kv_node *node)
{
    reply_field(session, (const struct field *)node);
}

KV_HANDLER(hscan)
{
    return kv_scan_value(session, args, count, KV_HASH, reply_node);
}

static const struct sill_resp_verb verbs[] = {
    {"hdel", hdel, -3, KV_WRITES},
    {"hexists", hexists, 3, 0},
    {"hget", hget, 3, 0},
    {"hgetall", hgetall, 2, 0},
    {"hincrby", hincrby, 4, KV_WRITES | KV_GROWS},
    {"hincrbyfloat", hincrbyfloat, 4, KV_WRITES | KV_GROWS},
    {"hkeys", hkeys, 2, 0},
    {"hlen", hlen, 2, 0},
    {"hmget", hmget, -3, 0},
    {"hmset", hmset, -4, KV_WRITES | KV_GROWS},
    {"hscan", hscan, -3, 0},
    {"hset", hset, -4, KV_WRITES | KV_GROWS},
    {"hsetnx", hsetnx, 4, KV_WRITES | KV_GROWS},
    {"hstrlen", hstrlen, 3, 0},
    {"hvals", hvals, 2, 0},
};

const struct kv_verbs kv_hash_verbs = KV_VERBS(verbs);
