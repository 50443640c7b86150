/* SPDX-License-Identifier: MIT */
/*
 * strings.c: commands about strings. See kv.h.
 */
#include "kv.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define STRING_MAX ((int64_t)512 << 20)

/* ---- set ---- */

/* Words behind SET and GETEX. */
struct how {
    bool only_new, only_old, keep, get, has_end, persist;
    int64_t end; /* in ms since 1970 */
};

/* Reads a time of (unit) ms, from now on or not, as an instant. */
static bool read_end(struct sill_resp_session *session, const char *verb,
                     struct sill_resp_view text, int64_t unit, bool relative,
                     int64_t *end)
{
    if (!kv_read_integer(session, text, end))
        return false;
    if (*end > 0 && !__builtin_mul_overflow(*end, unit, end) &&
        !__builtin_add_overflow(*end, relative ? kv_now() : 0, end))
        return true;
    sill_resp_reply_error(session, "ERR invalid expire time in '%s' command",
                          verb);
    return false;
}

static bool *flag_of(struct how *how, struct sill_resp_view word)
{
    return kv_is(word, "nx")        ? &how->only_new
           : kv_is(word, "xx")      ? &how->only_old
           : kv_is(word, "keepttl") ? &how->keep
           : kv_is(word, "get")     ? &how->get
           : kv_is(word, "persist") ? &how->persist
                                    : NULL;
}

/* Reads the words from (at) on. Replies with an error for those that make no
 * sense. */
static bool read_how(struct sill_resp_session *session,
                     const struct sill_resp_view *args, size_t count,
                     const char *verb, struct how *how)
{
    static const char *const units[] = {"ex", "px", "exat", "pxat"};
    *how = (struct how){0};
    for (size_t i = 0; i < count; i++) {
        bool *flag = flag_of(how, args[i]);
        int unit = 0;
        if (flag != NULL) {
            *flag = true;
            continue;
        }
        while (unit < 4 && !kv_is(args[i], units[unit]))
            unit++;
        if (unit == 4 || how->has_end || ++i == count) {
            kv_syntax(session);
            return false;
        }
        how->has_end = true;
        if (!read_end(session, verb, args[i], unit % 2 == 0 ? 1000 : 1,
                      unit < 2, &how->end))
            return false;
    }
    if ((how->only_new && how->only_old) ||
        how->has_end + how->keep + how->persist > 1) {
        kv_syntax(session);
        return false;
    }
    return true;
}

/* Logs what was set as it is at any time. */
static void log_set(struct sill_resp_view key, struct sill_resp_view value,
                    int64_t end)
{
    char text[KV_INTEGER_MAX];
    kv_log_args((struct sill_resp_view[]){SILL_RESP_VIEW("SET"), key, value,
                                          SILL_RESP_VIEW("PXAT"),
                                          kv_print_integer(end, text)},
                5);
}

/* Sets (key), which then expires at (end). */
static bool set(struct sill_resp_view key, struct sill_resp_view value,
                int64_t end)
{
    struct kv_entry *entry = kv_make(key);
    if (entry == NULL || !kv_set(entry, value))
        return false;
    if (kv_expire(entry, end))
        return true;
    kv_remove(entry);
    return false;
}

static void reply_value(struct sill_resp_session *session,
                        const struct kv_entry *entry)
{
    if (entry == NULL)
        sill_resp_reply_null(session);
    else
        sill_resp_reply_string(session, kv_value(entry));
}

KV_HANDLER(set_value)
{
    struct how how;
    if (!read_how(session, args + 3, count - 3, "set", &how))
        return 0;
    if (how.persist)
        return kv_syntax(session);
    struct kv_entry *old = kv_find(args[1]);
    if (how.get && !kv_find_as(session, args[1], KV_STRING, &old))
        return 0;
    bool refused = how.only_new ? old != NULL : how.only_old && old == NULL;
    int64_t end = how.has_end               ? how.end
                  : how.keep && old != NULL ? old->expires
                                            : KV_NEVER;
    if (how.get)
        reply_value(session, old);
    else if (refused)
        sill_resp_reply_null(session);
    if (refused)
        return 0;
    bool done = set(args[1], args[2], end);
    if (done && how.has_end)
        log_set(args[1], args[2], end);
    if (how.get)
        return done ? 0 : SILL_ENOMEM;
    return done ? kv_ok(session) : kv_no_memory(session);
}

KV_HANDLER(setnx)
{
    if (kv_find(args[1]) != NULL)
        return kv_integer(session, 0);
    return set(args[1], args[2], KV_NEVER) ? kv_integer(session, 1)
                                           : kv_no_memory(session);
}

static int set_for(struct sill_resp_session *session,
                   const struct sill_resp_view *args, int64_t unit,
                   const char *verb)
{
    int64_t end;
    if (!read_end(session, verb, args[2], unit, true, &end))
        return 0;
    if (!set(args[1], args[3], end))
        return kv_no_memory(session);
    log_set(args[1], args[3], end);
    return kv_ok(session);
}

KV_HANDLER(setex)
{
    return set_for(session, args, 1000, "setex");
}

KV_HANDLER(psetex)
{
    return set_for(session, args, 1, "psetex");
}

static bool set_pairs(const struct sill_resp_view *args, size_t count)
{
    bool done = true;
    for (size_t i = 1; done && i < count; i += 2)
        done = set(args[i], args[i + 1], KV_NEVER);
    return done;
}

KV_HANDLER(mset)
{
    if (count % 2 == 0)
        return kv_odd(session, "mset");
    return set_pairs(args, count) ? kv_ok(session) : kv_no_memory(session);
}

KV_HANDLER(msetnx)
{
    if (count % 2 == 0)
        return kv_odd(session, "msetnx");
    for (size_t i = 1; i < count; i += 2)
        if (kv_find(args[i]) != NULL)
            return kv_integer(session, 0);
    return set_pairs(args, count) ? kv_integer(session, 1)
                                  : kv_no_memory(session);
}

KV_HANDLER(getset)
{
    struct kv_entry *old;
    if (!kv_find_as(session, args[1], KV_STRING, &old))
        return 0;
    reply_value(session, old);
    return set(args[1], args[2], KV_NEVER) ? 0 : SILL_ENOMEM;
}

/* ---- get ---- */

KV_HANDLER(get)
{
    struct kv_entry *entry;
    if (kv_find_as(session, args[1], KV_STRING, &entry))
        reply_value(session, entry);
    return 0;
}

static const struct kv_entry *find_string(struct sill_resp_view key)
{
    const struct kv_entry *entry = kv_find(key);
    return entry != NULL && entry->type == KV_STRING ? entry : NULL;
}

KV_HANDLER(mget)
{
    sill_resp_reply_array(session, count - 1);
    for (size_t i = 1; i < count; i++)
        reply_value(session, find_string(args[i]));
    return 0;
}

KV_HANDLER(getdel)
{
    struct kv_entry *entry;
    if (!kv_find_as(session, args[1], KV_STRING, &entry))
        return 0;
    reply_value(session, entry);
    if (entry != NULL)
        kv_remove(entry);
    return 0;
}

KV_HANDLER(getex)
{
    struct how how;
    if (!read_how(session, args + 2, count - 2, "getex", &how))
        return 0;
    if (how.only_new || how.only_old || how.keep || how.get)
        return kv_syntax(session);
    struct kv_entry *entry;
    if (!kv_find_as(session, args[1], KV_STRING, &entry))
        return 0;
    if (entry != NULL && how.has_end && !kv_expire(entry, how.end))
        return kv_no_memory(session);
    if (entry != NULL && how.has_end)
        kv_log_end_of(args[1], how.end);
    if (entry != NULL && how.persist && entry->expires != KV_NEVER) {
        (void)kv_expire(entry, KV_NEVER);
        kv_log_args(
            (struct sill_resp_view[]){SILL_RESP_VIEW("PERSIST"), args[1]}, 2);
    }
    reply_value(session, entry);
    return 0;
}

KV_HANDLER(length)
{
    struct kv_entry *entry;
    if (!kv_find_as(session, args[1], KV_STRING, &entry))
        return 0;
    return kv_integer(session, entry == NULL ? 0 : (int64_t)entry->string.size);
}

/* ---- parts ---- */

KV_HANDLER(append)
{
    struct kv_entry *old;
    if (!kv_find_as(session, args[1], KV_STRING, &old))
        return 0;
    size_t before = old == NULL ? 0 : old->string.size;
    if ((int64_t)(before + args[2].size) > STRING_MAX)
        return kv_error(session, "ERR string exceeds maximum allowed size "
                                 "(proto-max-bulk-len)");
    struct kv_entry *entry = kv_make(args[1]);
    if (entry == NULL || !kv_resize(entry, before + args[2].size))
        return kv_no_memory(session);
    if (args[2].size > 0)
        memcpy(entry->string.data + before, args[2].at, args[2].size);
    return kv_integer(session, (int64_t)entry->string.size);
}

KV_HANDLER(getrange)
{
    int64_t first, last;
    if (!kv_read_integer(session, args[2], &first) ||
        !kv_read_integer(session, args[3], &last))
        return 0;
    struct kv_entry *entry;
    if (!kv_find_as(session, args[1], KV_STRING, &entry))
        return 0;
    int64_t size = entry == NULL ? 0 : (int64_t)entry->string.size;
    bool is_none = first < 0 && last < 0 && first > last;
    first = first >= 0 ? first : first + size > 0 ? first + size : 0;
    last = last >= 0 ? last : last + size > 0 ? last + size : 0;
    if (last >= size)
        last = size - 1;
    struct sill_resp_view part = {"", 0};
    if (!is_none && first <= last && size > 0) {
        part.at = entry->string.data + first;
        part.size = (size_t)(last - first + 1);
    }
    sill_resp_reply_string(session, part);
    return 0;
}

KV_HANDLER(setrange)
{
    int64_t offset;
    if (!kv_read_integer(session, args[2], &offset))
        return 0;
    if (offset < 0)
        return kv_error(session, "ERR offset is out of range");
    struct kv_entry *entry;
    if (!kv_find_as(session, args[1], KV_STRING, &entry))
        return 0;
    size_t before = entry == NULL ? 0 : entry->string.size;
    if (args[3].size == 0)
        return kv_integer(session, (int64_t)before);
    if (offset > STRING_MAX - (int64_t)args[3].size)
        return kv_error(session, "ERR string exceeds maximum allowed size "
                                 "(proto-max-bulk-len)");
    size_t end = (size_t)offset + args[3].size;
    entry = kv_make(args[1]);
    if (entry == NULL || !kv_resize(entry, end > before ? end : before))
        return kv_no_memory(session);
    memcpy(entry->string.data + offset, args[3].at, args[3].size);
    return kv_integer(session, (int64_t)entry->string.size);
}

/* ---- counters ---- */

static int add(struct sill_resp_session *session, struct sill_resp_view key,
               int64_t step)
{
    struct kv_entry *entry;
    int64_t number = 0;
    char text[32];
    if (!kv_find_as(session, key, KV_STRING, &entry))
        return 0;
    if (entry != NULL && !sill_resp_integer(kv_value(entry), &number))
        return kv_error(session, "ERR value is not an integer or out of range");
    if (__builtin_add_overflow(number, step, &number))
        return kv_error(session, "ERR increment or decrement would overflow");
    int size = snprintf(text, sizeof(text), "%lld", (long long)number);
    entry = kv_make(key);
    if (entry == NULL ||
        !kv_set(entry, (struct sill_resp_view){text, (size_t)size}))
        return kv_no_memory(session);
    return kv_integer(session, number);
}

KV_HANDLER(incr)
{
    return add(session, args[1], 1);
}

KV_HANDLER(decr)
{
    return add(session, args[1], -1);
}

KV_HANDLER(incrby)
{
    int64_t step;
    return kv_read_integer(session, args[2], &step)
               ? add(session, args[1], step)
               : 0;
}

KV_HANDLER(decrby)
{
    int64_t step;
    if (!kv_read_integer(session, args[2], &step))
        return 0;
    if (step == INT64_MIN)
        return kv_error(session, "ERR decrement would overflow");
    return add(session, args[1], -step);
}

KV_HANDLER(incrbyfloat)
{
    struct kv_entry *entry;
    if (!kv_find_as(session, args[1], KV_STRING, &entry))
        return 0;
    long double number = 0, step;
    char text[KV_FLOAT_MAX];
    if ((entry != NULL && !kv_read_long_double(kv_value(entry), &number)) ||
        !kv_read_long_double(args[2], &step))
        return kv_error(session, "ERR value is not a valid float");
    number += step;
    if (isnan(number) || isinf(number))
        return kv_error(session, "ERR increment would produce NaN or Infinity");
    struct sill_resp_view value = kv_print_long_double(number, text);
    entry = kv_make(args[1]);
    if (entry == NULL || !kv_set(entry, value))
        return kv_no_memory(session);
    kv_log_args((struct sill_resp_view[]){SILL_RESP_VIEW("SET"), args[1], value,
                                          SILL_RESP_VIEW("KEEPTTL")},
                4);
    sill_resp_reply_string(session, value);
    return 0;
}

static const struct sill_resp_verb verbs[] = {
    {"append", append, 3, KV_WRITES | KV_GROWS},
    {"decr", decr, 2, KV_WRITES | KV_GROWS},
    {"decrby", decrby, 3, KV_WRITES | KV_GROWS},
    {"get", get, 2, 0},
    {"getdel", getdel, 2, KV_WRITES},
    {"getex", getex, -2, KV_WRITES},
    {"getrange", getrange, 4, 0},
    {"getset", getset, 3, KV_WRITES | KV_GROWS},
    {"incr", incr, 2, KV_WRITES | KV_GROWS},
    {"incrby", incrby, 3, KV_WRITES | KV_GROWS},
    {"incrbyfloat", incrbyfloat, 3, KV_WRITES | KV_GROWS},
    {"mget", mget, -2, 0},
    {"mset", mset, -3, KV_WRITES | KV_GROWS},
    {"msetnx", msetnx, -3, KV_WRITES | KV_GROWS},
    {"psetex", psetex, 4, KV_WRITES | KV_GROWS},
    {"set", set_value, -3, KV_WRITES | KV_GROWS},
    {"setex", setex, 4, KV_WRITES | KV_GROWS},
    {"setnx", setnx, 3, KV_WRITES | KV_GROWS},
    {"setrange", setrange, 4, KV_WRITES | KV_GROWS},
    {"strlen", length, 2, 0},
    {"substr", getrange, 4, 0},
};

const struct kv_verbs kv_string_verbs = KV_VERBS(verbs);
