/* SPDX-License-Identifier: MIT */
/*
 * lists.c: commands about lists. See kv.h.
 */
#include "kv.h"

/* ---- the type ---- */

static size_t count_items(const struct kv_entry *entry)
{
    return entry->deque.count;
}

static void clear(struct kv_entry *entry)
{
    kv_deque_clear(&entry->deque);
}

static bool push(struct kv_entry *entry, bool front,
                 struct sill_resp_view value)
{
    if (!kv_deque_reserve(&entry->deque))
        return false;
    struct kv_item *item = kv_item_new(value);
    if (item != NULL)
        kv_deque_push(&entry->deque, front, item);
    kv_blocked.is_due = true;
    return item != NULL;
}

static bool copy(struct kv_entry *to, const struct kv_entry *from)
{
    bool done = true;
    for (size_t i = 0; done && i < from->deque.count; i++)
        done = push(to, false, kv_item_view(*kv_deque_at(&from->deque, i)));
    return done;
}

static void tell(const struct kv_entry *entry,
                 void (*take)(void *arg, struct sill_resp_view text), void *arg)
{
    for (size_t i = 0; i < entry->deque.count; i++)
        take(arg, kv_item_view(*kv_deque_at(&entry->deque, i)));
}

const struct kv_kind kv_list_kind = {"list", "RPUSH", 1,   count_items,
                                     clear,  copy,    tell};

/* ---- at the ends ---- */

static int push_all(struct sill_resp_session *session,
                    const struct sill_resp_view *args, size_t count, bool front,
                    bool only_old)
{
    struct kv_entry *entry;
    bool done = true;
    if (!kv_find_as(session, args[1], KV_LIST, &entry))
        return 0;
    if (entry == NULL && only_old)
        return kv_integer(session, 0);
    entry = kv_make_as(args[1], KV_LIST);
    if (entry == NULL)
        return kv_no_memory(session);
    for (size_t i = 2; done && i < count; i++)
        done = push(entry, front, args[i]);
    int64_t length = (int64_t)entry->deque.count;
    kv_changed(entry);
    return done ? kv_integer(session, length) : kv_no_memory(session);
}

KV_HANDLER(lpush)
{
    return push_all(session, args, count, true, false);
}

KV_HANDLER(rpush)
{
    return push_all(session, args, count, false, false);
}

KV_HANDLER(lpushx)
{
    return push_all(session, args, count, true, true);
}

KV_HANDLER(rpushx)
{
    return push_all(session, args, count, false, true);
}

static void reply_popped(struct sill_resp_session *session,
                         struct kv_entry *entry, bool front)
{
    struct kv_item *item = kv_deque_pop(&entry->deque, front);
    sill_resp_reply_string(session, kv_item_view(item));
    kv_item_free(item);
}

static int pop_one(struct sill_resp_session *session,
                   const struct sill_resp_view *args, bool front)
{
    struct kv_entry *entry;
    if (!kv_find_as(session, args[1], KV_LIST, &entry))
        return 0;
    if (entry == NULL) {
        sill_resp_reply_null(session);
        return 0;
    }
    reply_popped(session, entry, front);
    kv_changed(entry);
    return 0;
}

static int pop_many(struct sill_resp_session *session,
                    const struct sill_resp_view *args, bool front)
{
    struct kv_entry *entry;
    size_t most;
    if (!kv_read_count(session, args[2], &most) ||
        !kv_find_as(session, args[1], KV_LIST, &entry))
        return 0;
    if (entry == NULL) {
        sill_resp_reply_null_array(session);
        return 0;
    }
    if (most > entry->deque.count)
        most = entry->deque.count;
    sill_resp_reply_array(session, most);
    for (size_t i = 0; i < most; i++)
        reply_popped(session, entry, front);
    if (most > 0)
        kv_changed(entry);
    return 0;
}

KV_HANDLER(lpop)
{
    return count > 3    ? kv_odd(session, "lpop")
           : count == 3 ? pop_many(session, args, true)
                        : pop_one(session, args, true);
}

KV_HANDLER(rpop)
{
    return count > 3    ? kv_odd(session, "rpop")
           : count == 3 ? pop_many(session, args, false)
                        : pop_one(session, args, false);
}

/* ---- from one to another ---- */

static int move(struct sill_resp_session *session,
                const struct sill_resp_view *keys, bool from_front,
                bool to_front)
{
    struct kv_entry *from, *to;
    if (!kv_find_as(session, keys[0], KV_LIST, &from))
        return 0;
    if (from == NULL) {
        sill_resp_reply_null(session);
        return 0;
    }
    if (!kv_find_as(session, keys[1], KV_LIST, &to))
        return 0;
    to = kv_make_as(keys[1], KV_LIST);
    if (to == NULL)
        return kv_no_memory(session);
    if (!kv_deque_reserve(&to->deque)) {
        kv_changed(to);
        return kv_no_memory(session);
    }
    struct kv_item *item = kv_deque_pop(&from->deque, from_front);
    sill_resp_reply_string(session, kv_item_view(item));
    kv_deque_push(&to->deque, to_front, item);
    kv_blocked.is_due = true;
    kv_changed(to);
    if (from != to)
        kv_changed(from);
    return 0;
}

static bool read_end(struct sill_resp_view word, bool *front)
{
    *front = kv_is(word, "left");
    return *front || kv_is(word, "right");
}

KV_HANDLER(lmove)
{
    bool from_front, to_front;
    if (!read_end(args[3], &from_front) || !read_end(args[4], &to_front))
        return kv_syntax(session);
    return move(session, args + 1, from_front, to_front);
}

KV_HANDLER(rpoplpush)
{
    return move(session, args + 1, false, true);
}

/* ---- places ---- */

KV_HANDLER(llen)
{
    struct kv_entry *entry;
    if (!kv_find_as(session, args[1], KV_LIST, &entry))
        return 0;
    return kv_integer(session, entry == NULL ? 0 : (int64_t)entry->deque.count);
}

/* Returns the item at (at), which counts from the end when it is negative. */
static struct kv_item **item_at(const struct kv_entry *entry, int64_t at)
{
    int64_t count = (int64_t)entry->deque.count;
    if (at < 0)
        at += count;
    return at < 0 || at >= count ? NULL
                                 : kv_deque_at(&entry->deque, (size_t)at);
}

KV_HANDLER(lindex)
{
    struct kv_entry *entry;
    struct kv_item **item = NULL;
    int64_t at;
    if (!kv_find_as(session, args[1], KV_LIST, &entry) ||
        (entry != NULL && !kv_read_integer(session, args[2], &at)))
        return 0;
    if (entry != NULL)
        item = item_at(entry, at);
    if (item == NULL)
        sill_resp_reply_null(session);
    else
        sill_resp_reply_string(session, kv_item_view(*item));
    return 0;
}

KV_HANDLER(lset)
{
    struct kv_entry *entry;
    int64_t at;
    if (!kv_find_as(session, args[1], KV_LIST, &entry))
        return 0;
    if (entry == NULL)
        return kv_error(session, "ERR no such key");
    if (!kv_read_integer(session, args[2], &at))
        return 0;
    struct kv_item **old = item_at(entry, at);
    if (old == NULL)
        return kv_error(session, "ERR index out of range");
    struct kv_item *item = kv_item_new(args[3]);
    if (item == NULL)
        return kv_no_memory(session);
    kv_item_free(*old);
    *old = item;
    kv_touch(entry);
    return kv_ok(session);
}

/* Returns where (value) is first, or the length. */
static size_t place_of(const struct kv_deque *deque,
                       struct sill_resp_view value)
{
    size_t at = 0;
    while (
        at < deque->count &&
        !sill_resp_view_is_equal(kv_item_view(*kv_deque_at(deque, at)), value))
        at++;
    return at;
}

KV_HANDLER(linsert)
{
    struct kv_entry *entry;
    bool after = kv_is(args[2], "after");
    if (!after && !kv_is(args[2], "before"))
        return kv_syntax(session);
    if (!kv_find_as(session, args[1], KV_LIST, &entry))
        return 0;
    if (entry == NULL)
        return kv_integer(session, 0);
    size_t at = place_of(&entry->deque, args[3]);
    if (at == entry->deque.count)
        return kv_integer(session, -1);
    struct kv_item *item =
        kv_deque_reserve(&entry->deque) ? kv_item_new(args[4]) : NULL;
    if (item == NULL)
        return kv_no_memory(session);
    kv_deque_insert(&entry->deque, at + after, item);
    kv_touch(entry);
    return kv_integer(session, (int64_t)entry->deque.count);
}

KV_HANDLER(lrem)
{
    struct kv_entry *entry;
    int64_t most;
    if (!kv_read_integer(session, args[2], &most) ||
        !kv_find_as(session, args[1], KV_LIST, &entry))
        return 0;
    if (entry == NULL)
        return kv_integer(session, 0);
    size_t limit = most == 0  ? SIZE_MAX
                   : most > 0 ? (size_t)most
                              : 0 - (size_t)most;
    size_t removed = kv_deque_remove(&entry->deque, most >= 0, args[3], limit);
    if (removed > 0)
        kv_changed(entry);
    return kv_integer(session, (int64_t)removed);
}

/* ---- ranges ---- */

KV_HANDLER(lrange)
{
    struct kv_entry *entry;
    struct kv_range range;
    if (!kv_read_range(session, args + 2, &range) ||
        !kv_find_as(session, args[1], KV_LIST, &entry))
        return 0;
    kv_range_settle(&range, entry == NULL ? 0 : entry->deque.count);
    sill_resp_reply_array(session, range.end - range.begin);
    for (size_t i = range.begin; i < range.end; i++)
        sill_resp_reply_string(session,
                               kv_item_view(*kv_deque_at(&entry->deque, i)));
    return 0;
}

KV_HANDLER(ltrim)
{
    struct kv_entry *entry;
    struct kv_range range;
    if (!kv_read_range(session, args + 2, &range) ||
        !kv_find_as(session, args[1], KV_LIST, &entry))
        return 0;
    if (entry == NULL)
        return kv_ok(session);
    kv_range_settle(&range, entry->deque.count);
    kv_deque_trim(&entry->deque, false, entry->deque.count - range.end);
    kv_deque_trim(&entry->deque, true, range.begin);
    kv_changed(entry);
    return kv_ok(session);
}

static const struct sill_resp_verb verbs[] = {
    {"lindex", lindex, 3, 0},
    {"linsert", linsert, 5, KV_WRITES | KV_GROWS},
    {"llen", llen, 2, 0},
    {"lmove", lmove, 5, KV_WRITES | KV_GROWS},
    {"lpop", lpop, -2, KV_WRITES},
    {"lpush", lpush, -3, KV_WRITES | KV_GROWS},
    {"lpushx", lpushx, -3, KV_WRITES | KV_GROWS},
    {"lrange", lrange, 4, 0},
    {"lrem", lrem, 4, KV_WRITES},
    {"lset", lset, 4, KV_WRITES | KV_GROWS},
    {"ltrim", ltrim, 4, KV_WRITES},
    {"rpop", rpop, -2, KV_WRITES},
    {"rpoplpush", rpoplpush, 3, KV_WRITES | KV_GROWS},
    {"rpush", rpush, -3, KV_WRITES | KV_GROWS},
    {"rpushx", rpushx, -3, KV_WRITES | KV_GROWS},
};

const struct kv_verbs kv_list_verbs = KV_VERBS(verbs);
