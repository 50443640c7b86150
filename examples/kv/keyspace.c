/* SPDX-License-Identifier: MIT */
/*
 * keyspace.c: commands about keys. See kv.h.
 */
#include "kv.h"

#include <stdlib.h>

KV_HANDLER(del)
{
    int64_t removed = 0;
    for (size_t i = 1; i < count; i++) {
        struct kv_entry *entry = kv_find(args[i]);
        if (entry == NULL)
            continue;
        kv_remove(entry);
        removed++;
    }
    return kv_integer(session, removed);
}

KV_HANDLER(exists)
{
    int64_t found = 0;
    for (size_t i = 1; i < count; i++)
        found += kv_find(args[i]) != NULL;
    return kv_integer(session, found);
}

KV_HANDLER(type)
{
    const struct kv_entry *entry = kv_find(args[1]);
    sill_resp_reply_simple(session,
                           entry != NULL ? kv_type_name(entry) : "none");
    return 0;
}

KV_HANDLER(dbsize)
{
    return kv_integer(session, (int64_t)kv_keys.table.count);
}

KV_HANDLER(flush)
{
    if (count > 2 ||
        (count == 2 && !kv_is(args[1], "async") && !kv_is(args[1], "sync")))
        return kv_syntax(session);
    kv_remove_all();
    return kv_ok(session);
}

/* ---- many keys ---- */

static void gather(void *arg, struct kv_node *node)
{
    const struct kv_scan *scan = arg;
    const struct kv_entry *entry = (const struct kv_entry *)node;
    if (!kv_is_over(entry) &&
        (scan->type.at == NULL || kv_is(scan->type, kv_type_name(entry))))
        kv_gather(arg, node);
}

KV_HANDLER(keys)
{
    struct kv_scan scan = {.pattern = args[1]};
    do {
        scan.cursor = kv_table_scan(&kv_keys.table, scan.cursor, gather, &scan);
    } while (scan.cursor != 0);
    if (scan.failed)
        kv_no_memory(session);
    else
        sill_resp_reply_array(session, scan.found);
    for (size_t i = 0; !scan.failed && i < scan.found; i++)
        sill_resp_reply_string(session, kv_node_key(scan.nodes[i]));
    free(scan.nodes);
    return 0;
}

KV_HANDLER(scan_keys)
{
    struct kv_scan scan;
    if (!kv_read_cursor(session, args[1], &scan))
        return 0;
    scan.types = true;
    if (!kv_read_scan(session, args + 2, count - 2, &scan))
        return 0;
    kv_scan_table(&scan, &kv_keys.table, gather);
    return kv_reply_scan(session, &scan, NULL);
}

/* One that has expired is removed, and another one tried. */
KV_HANDLER(randomkey)
{
    while (kv_keys.table.count > 0) {
        struct sill_resp_view key = kv_node_key(kv_table_any(&kv_keys.table));
        if (kv_find(key) == NULL)
            continue;
        sill_resp_reply_string(session, key);
        return 0;
    }
    sill_resp_reply_null(session);
    return 0;
}

/* ---- other names ---- */

/* Returns false for lack of memory, with nothing moved. */
static bool move_value(struct kv_entry *from, struct sill_resp_view name)
{
    struct kv_entry *to = kv_make(name);
    if (to == NULL)
        return false;
    if (to == from)
        return true;
    if (!kv_expire(to, from->expires)) {
        if (to->type == KV_NONE)
            kv_remove(to);
        return false;
    }
    kv_swap(to, from);
    kv_blocked.is_due = true;
    kv_touch(to);
    kv_remove(from);
    return true;
}

KV_HANDLER(rename_key)
{
    struct kv_entry *from = kv_find(args[1]);
    if (from == NULL)
        return kv_error(session, "ERR no such key");
    return move_value(from, args[2]) ? kv_ok(session) : kv_no_memory(session);
}

KV_HANDLER(renamenx)
{
    struct kv_entry *from = kv_find(args[1]);
    if (from == NULL)
        return kv_error(session, "ERR no such key");
    if (kv_find(args[2]) != NULL)
        return kv_integer(session, 0);
    return move_value(from, args[2]) ? kv_integer(session, 1)
                                     : kv_no_memory(session);
}

/* Reads the words behind COPY. Replies with an error if need be. */
static bool read_copy(struct sill_resp_session *session,
                      const struct sill_resp_view *args, size_t count,
                      bool *replace)
{
    int64_t number = 0;
    *replace = false;
    for (size_t i = 3; i < count; i++) {
        if (kv_is(args[i], "replace")) {
            *replace = true;
        } else if (kv_is(args[i], "db") && i + 1 < count) {
            if (!kv_read_integer(session, args[++i], &number))
                return false;
        } else {
            kv_syntax(session);
            return false;
        }
    }
    if (number != 0) {
        kv_error(session, "ERR DB index is out of range");
        return false;
    }
    return true;
}

KV_HANDLER(copy)
{
    bool replace;
    if (!read_copy(session, args, count, &replace))
        return 0;
    if (sill_resp_view_is_equal(args[1], args[2]))
        return kv_error(session,
                        "ERR source and destination objects are the same");
    const struct kv_entry *from = kv_find(args[1]);
    struct kv_entry *to = kv_find(args[2]);
    if (from == NULL || (to != NULL && !replace))
        return kv_integer(session, 0);
    if (to != NULL)
        kv_remove(to);
    to = kv_make(args[2]);
    if (to != NULL && kv_copy(to, from) && kv_expire(to, from->expires))
        return kv_integer(session, 1);
    if (to != NULL)
        kv_remove(to);
    return kv_no_memory(session);
}

/* ---- when they expire ---- */

/* Returns whether the words behind the time allow (end). */
static bool is_allowed(const struct kv_entry *entry, int64_t end,
                       struct sill_resp_view word)
{
    bool has_end = entry->expires != KV_NEVER;
    return kv_is(word, "nx")   ? !has_end
           : kv_is(word, "xx") ? has_end
           : kv_is(word, "gt") ? has_end && end > entry->expires
                               : end < entry->expires;
}

static int expire_at(struct sill_resp_session *session,
                     const struct sill_resp_view *args, size_t count,
                     int64_t end)
{
    struct kv_entry *entry = kv_find(args[1]);
    if (entry == NULL)
        return kv_integer(session, 0);
    for (size_t i = 3; i < count; i++)
        if (!is_allowed(entry, end, args[i]))
            return kv_integer(session, 0);
    if (end <= kv_now() && !kv_log.is_loading) {
        kv_log_del(args[1]);
        kv_remove(entry);
        return kv_integer(session, 1);
    }
    if (!kv_expire(entry, end))
        return kv_no_memory(session);
    kv_log_end_of(args[1], end);
    kv_touch(entry);
    return kv_integer(session, 1);
}

static int expire_in(struct sill_resp_session *session,
                     const struct sill_resp_view *args, size_t count,
                     int64_t unit, bool relative)
{
    int64_t end;
    if (!kv_read_integer(session, args[2], &end))
        return 0;
    for (size_t i = 3; i < count; i++) {
        if (kv_is(args[i], "nx") || kv_is(args[i], "xx") ||
            kv_is(args[i], "gt") || kv_is(args[i], "lt"))
            continue;
        sill_resp_reply_error(session, "ERR Unsupported option %.*s",
                              (int)(args[i].size < 64 ? args[i].size : 64),
                              args[i].at);
        return 0;
    }
    if (__builtin_mul_overflow(end, unit, &end) ||
        __builtin_add_overflow(end, relative ? kv_now() : 0, &end) ||
        end == KV_NEVER) {
        sill_resp_reply_error(session,
                              "ERR invalid expire time in '%.*s' command",
                              (int)args[0].size, args[0].at);
        return 0;
    }
    return expire_at(session, args, count, end);
}

KV_HANDLER(expire)
{
    return expire_in(session, args, count, 1000, true);
}

KV_HANDLER(pexpire)
{
    return expire_in(session, args, count, 1, true);
}

KV_HANDLER(expireat)
{
    return expire_in(session, args, count, 1000, false);
}

KV_HANDLER(pexpireat)
{
    return expire_in(session, args, count, 1, false);
}

KV_HANDLER(persist)
{
    struct kv_entry *entry = kv_find(args[1]);
    if (entry == NULL || entry->expires == KV_NEVER)
        return kv_integer(session, 0);
    (void)kv_expire(entry, KV_NEVER);
    kv_touch(entry);
    return kv_integer(session, 1);
}

/* Replies when (key) expires, in (unit) ms since (from). */
static int reply_end(struct sill_resp_session *session,
                     struct sill_resp_view key, int64_t unit, int64_t from)
{
    const struct kv_entry *entry = kv_find(key);
    if (entry == NULL)
        return kv_integer(session, -2);
    if (entry->expires == KV_NEVER)
        return kv_integer(session, -1);

    int64_t left = entry->expires - from;

    return kv_integer(session, left / unit + (2 * (left % unit) >= unit));
}

KV_HANDLER(ttl)
{
    return reply_end(session, args[1], 1000, kv_now());
}

KV_HANDLER(pttl)
{
    return reply_end(session, args[1], 1, kv_now());
}

KV_HANDLER(expiretime)
{
    return reply_end(session, args[1], 1000, 0);
}

KV_HANDLER(pexpiretime)
{
    return reply_end(session, args[1], 1, 0);
}

static const struct sill_resp_verb verbs[] = {
    {"copy", copy, -3, KV_WRITES | KV_GROWS},
    {"dbsize", dbsize, 1, 0},
    {"del", del, -2, KV_WRITES},
    {"exists", exists, -2, 0},
    {"expire", expire, -3, KV_WRITES},
    {"expireat", expireat, -3, KV_WRITES},
    {"expiretime", expiretime, 2, 0},
    {"flushall", flush, -1, KV_WRITES},
    {"flushdb", flush, -1, KV_WRITES},
    {"keys", keys, 2, 0},
    {"persist", persist, 2, KV_WRITES},
    {"pexpire", pexpire, -3, KV_WRITES},
    {"pexpireat", pexpireat, -3, KV_WRITES},
    {"pexpiretime", pexpiretime, 2, 0},
    {"pttl", pttl, 2, 0},
    {"randomkey", randomkey, 1, 0},
    {"rename", rename_key, 3, KV_WRITES},
    {"renamenx", renamenx, 3, KV_WRITES},
    {"scan", scan_keys, -2, 0},
    {"touch", exists, -2, 0},
    {"ttl", ttl, 2, 0},
    {"type", type, 2, 0},
    {"unlink", del, -2, KV_WRITES},
};

const struct kv_verbs kv_keyspace_verbs = KV_VERBS(verbs);
