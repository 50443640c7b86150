/* SPDX-License-Identifier: MIT */
/*
 * keyspace.c: commands about keys. See kv.h.
 */
#include "kv.h"

#include <stdio.h>
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
    sill_resp_reply_simple(session,
                           kv_find(args[1]) != NULL ? "string" : "none");
    return 0;
}

KV_HANDLER(dbsize)
{
    return kv_integer(session, (int64_t)kv_keys.count);
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

/* Keys that are gathered before they are replied. */
struct found {
    struct sill_resp_view pattern;
    struct kv_entry **entries;
    size_t count, room;
    bool failed;
};

static void gather(void *arg, struct kv_entry *entry)
{
    struct found *found = arg;
    if (found->failed || (found->pattern.at != NULL &&
                          !kv_is_like(found->pattern, kv_key(entry))))
        return;
    if (found->count == found->room) {
        size_t room = 2 * found->room + 16;
        struct kv_entry **entries =
            realloc(found->entries, room * sizeof(void *));
        found->failed = entries == NULL;
        if (found->failed)
            return;
        found->entries = entries;
        found->room = room;
    }
    found->entries[found->count++] = entry;
}

static void reply_keys(struct sill_resp_session *session,
                       const struct found *found)
{
    sill_resp_reply_array(session, found->count);
    for (size_t i = 0; i < found->count; i++)
        sill_resp_reply_string(session, kv_key(found->entries[i]));
}

KV_HANDLER(keys)
{
    struct found found = {.pattern = args[1]};
    uint64_t cursor = 0;
    do {
        cursor = kv_scan(cursor, gather, &found);
    } while (cursor != 0);
    if (found.failed)
        kv_no_memory(session);
    else
        reply_keys(session, &found);
    free(found.entries);
    return 0;
}

static bool read_cursor(struct sill_resp_view text, uint64_t *cursor)
{
    *cursor = 0;
    for (size_t i = 0; i < text.size; i++) {
        unsigned digit = (unsigned)(unsigned char)text.at[i] - '0';
        if (digit > 9 || __builtin_mul_overflow(*cursor, 10, cursor) ||
            __builtin_add_overflow(*cursor, digit, cursor))
            return false;
    }
    return text.size > 0;
}

struct scan {
    uint64_t cursor;
    int64_t least; /* keys to look for */
    bool has_type, is_string;
    struct found found;
};

/* Reads the words behind the cursor. Replies with an error if need be. */
static bool read_scan(struct sill_resp_session *session,
                      const struct sill_resp_view *args, size_t count,
                      struct scan *scan)
{
    *scan = (struct scan){.least = 10};
    if (!read_cursor(args[1], &scan->cursor)) {
        kv_error(session, "ERR invalid cursor");
        return false;
    }
    for (size_t i = 2; i < count; i += 2) {
        struct sill_resp_view value = i + 1 < count ? args[i + 1] : args[0];
        bool known = i + 1 < count;
        if (kv_is(args[i], "match")) {
            scan->found.pattern = value;
        } else if (kv_is(args[i], "type")) {
            scan->has_type = true;
            scan->is_string = kv_is(value, "string");
        } else if (known && kv_is(args[i], "count")) {
            if (!kv_read_integer(session, value, &scan->least))
                return false;
            known = scan->least > 0;
        } else {
            known = false;
        }
        if (!known) {
            kv_syntax(session);
            return false;
        }
    }
    return true;
}

/* Looks into so many buckets as keys were asked for, or some more until one
 * was found. */
KV_HANDLER(scan_keys)
{
    struct scan scan;
    char text[32];
    if (!read_scan(session, args, count, &scan))
        return 0;
    int64_t looks = 10 * (scan.least < 100000 ? scan.least : 100000);
    do {
        scan.cursor = kv_scan(scan.cursor, gather, &scan.found);
    } while (scan.cursor != 0 && --looks > 0 &&
             (int64_t)scan.found.count < scan.least);
    if (scan.has_type && !scan.is_string)
        scan.found.count = 0;
    if (scan.found.failed) {
        kv_no_memory(session);
    } else {
        int size = snprintf(text, sizeof(text), "%llu",
                            (unsigned long long)scan.cursor);
        sill_resp_reply_array(session, 2);
        sill_resp_reply_string(session,
                               (struct sill_resp_view){text, (size_t)size});
        reply_keys(session, &scan.found);
    }
    free(scan.found.entries);
    return 0;
}

/* One of the first bucket that has any, from a random place on. */
KV_HANDLER(randomkey)
{
    struct found found = {0};
    uint64_t cursor = (uint64_t)random();
    if (kv_keys.count == 0) {
        sill_resp_reply_null(session);
        return 0;
    }
    for (size_t i = 0; found.count == 0 && i <= kv_keys.bucket_count; i++)
        cursor = kv_scan(cursor, gather, &found);
    if (found.count == 0)
        sill_resp_reply_null(session);
    else
        sill_resp_reply_string(
            session, kv_key(found.entries[(size_t)random() % found.count]));
    free(found.entries);
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
        kv_remove_if_new(to);
        return false;
    }
    struct kv_string value = to->value;
    to->value = from->value;
    from->value = value;
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
    if (end <= kv_now()) {
        kv_remove(entry);
        return kv_integer(session, 1);
    }
    if (!kv_expire(entry, end))
        return kv_no_memory(session);
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
    return kv_integer(session, (entry->expires - from + unit / 2) / unit);
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
