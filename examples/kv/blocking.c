/* SPDX-License-Identifier: MIT */
/*
 * blocking.c: commands that wait for something in a list. Whoever puts it there
 * gives it to those who wait, the first one first, so that it never is a third
 * one's; one who has gone meanwhile is given nothing. See kv.h.
 */
#include "kv.h"

#include <math.h>

struct kv_waiter {
    struct kv_waiter *next, **link; /* NULL: it waits no more */
    struct sill_resp_session *session;
    struct sill_trigger trigger;
    const struct sill_resp_view *keys;
    size_t count;
    bool from_front, to_front;
    const struct sill_resp_view *to; /* where the item goes then, or NULL */

    const struct sill_resp_view *key; /* where there was one; NULL: nowhere */
    struct kv_item *item;             /* NULL: not given ... */
    const char *why;                  /* ... because of that; NULL: in time */
};

struct kv_blocked kv_blocked;

static struct kv_waiter *first, **end = &first;

/* ---- the queue ---- */

static void enter(struct kv_waiter *w)
{
    w->next = NULL;
    w->link = end;
    *end = w;
    end = &w->next;
    kv_blocked.count++;
}

static void leave(struct kv_waiter *w)
{
    if (w->link == NULL)
        return;
    *w->link = w->next;
    if (w->next != NULL)
        w->next->link = w->link;
    else
        end = w->link;
    w->link = NULL;
    kv_blocked.count--;
}

/* ---- to give ---- */

static struct sill_resp_view end_name(bool front)
{
    return front ? SILL_RESP_VIEW("LEFT") : SILL_RESP_VIEW("RIGHT");
}

static void pop(struct kv_waiter *w, struct kv_entry *entry)
{
    kv_log_args((struct sill_resp_view[]){w->from_front
                                              ? SILL_RESP_VIEW("LPOP")
                                              : SILL_RESP_VIEW("RPOP"),
                                          *w->key},
                2);
    w->item = kv_deque_pop(&entry->deque, w->from_front);
    kv_changed(entry);
}

/* Puts a copy of the item that comes next at an end of (to). */
static bool copy_to(struct kv_waiter *w, const struct kv_entry *from,
                    struct kv_entry *to)
{
    size_t at = w->from_front ? 0 : from->deque.count - 1;
    struct sill_resp_view value = kv_item_view(*kv_deque_at(&from->deque, at));
    struct kv_item *copy = kv_item_new(value);
    w->item = kv_item_new(value);
    if (copy == NULL || w->item == NULL || !kv_deque_reserve(&to->deque)) {
        kv_item_free(copy);
        kv_item_free(w->item);
        w->item = NULL;
        return false;
    }
    if (from == to)
        kv_item_free(kv_deque_pop(&to->deque, w->from_front));
    kv_deque_push(&to->deque, w->to_front, copy);
    return true;
}

static void move(struct kv_waiter *w, struct kv_entry *from)
{
    struct kv_entry *to = kv_find(*w->to);
    w->why = "WRONGTYPE Operation against a key holding the wrong kind of "
             "value";
    if (to != NULL && to->type != KV_LIST)
        return;
    w->why = "OOM there is no memory for this";
    to = kv_make_as(*w->to, KV_LIST);
    if (to == NULL)
        return;
    if (copy_to(w, from, to)) {
        kv_log_args((struct sill_resp_view[]){SILL_RESP_VIEW("LMOVE"), *w->key,
                                              *w->to, end_name(w->from_front),
                                              end_name(w->to_front)},
                    5);
        if (from != to) {
            kv_item_free(kv_deque_pop(&from->deque, w->from_front));
            kv_changed(from);
        }
        kv_blocked.is_due = true;
    }
    kv_changed(to);
}

/* Finds a list that (w) waits for. */
static struct kv_entry *find(struct kv_waiter *w)
{
    for (size_t i = 0; i < w->count; i++) {
        struct kv_entry *entry = kv_find(w->keys[i]);
        if (entry == NULL || entry->type != KV_LIST)
            continue;
        w->key = &w->keys[i];
        return entry;
    }
    return NULL;
}

static void give(struct kv_waiter *w, struct kv_entry *entry)
{
    if (w->to != NULL)
        move(w, entry);
    else
        pop(w, entry);
}

static void serve_all(void)
{
    struct kv_waiter *w = first;
    while (w != NULL) {
        struct kv_waiter *next = w->next;
        struct kv_entry *entry = find(w);
        if (entry != NULL && sill_resume(&w->trigger, 0)) {
            leave(w);
            give(w, entry);
        }
        w = next;
    }
}

void kv_serve(void)
{
    while (kv_blocked.is_due && first != NULL) {
        kv_blocked.is_due = false;
        serve_all();
    }
    kv_blocked.is_due = false;
}

bool kv_unblock(uint64_t id, const char *why)
{
    struct kv_waiter *w = first;
    while (w != NULL && sill_resp_session_id(w->session) != id)
        w = w->next;
    if (w == NULL || !sill_resume(&w->trigger, 0))
        return false;
    leave(w);
    w->why = why;
    return true;
}

/* ---- to wait ---- */

static int reply_none(struct sill_resp_session *session,
                      const struct kv_waiter *w)
{
    kv_log.is_told = true;
    if (w->to == NULL)
        sill_resp_reply_null_array(session);
    else
        sill_resp_reply_null(session);
    return 0;
}

static int reply(struct sill_resp_session *session, struct kv_waiter *w)
{
    kv_log.is_told = true;
    if (w->item == NULL)
        return w->why != NULL ? kv_error(session, w->why)
                              : reply_none(session, w);
    if (w->to == NULL) {
        sill_resp_reply_array(session, 2);
        sill_resp_reply_string(session, *w->key);
    }
    sill_resp_reply_string(session, kv_item_view(w->item));
    kv_item_free(w->item);
    return 0;
}

static bool read_timeout(struct sill_resp_session *session,
                         struct sill_resp_view text, sill_time *deadline)
{
    long double seconds;
    *deadline = SILL_NEVER;
    if (!kv_read_long_double(text, &seconds) || isinf(seconds) ||
        seconds * SILL_SECOND > (long double)(INT64_MAX / 2)) {
        kv_error(session, "ERR timeout is not a float or out of range");
        return false;
    }
    if (seconds < 0) {
        kv_error(session, "ERR timeout is negative");
        return false;
    }
    if (seconds > 0)
        *deadline = sill_after(1 + (sill_duration)(seconds * SILL_SECOND));
    return true;
}

/* Replies with an error, and returns false, when what is found first among the
 * keys is no list. */
static bool check(struct sill_resp_session *session, const struct kv_waiter *w)
{
    struct kv_entry *entry = NULL;
    for (size_t i = 0; entry == NULL && i < w->count; i++)
        if (!kv_find_as(session, w->keys[i], KV_LIST, &entry))
            return false;
    return true;
}

static int wait(struct sill_resp_session *session, struct kv_waiter *w,
                sill_time deadline)
{
    sill_trigger_init(&w->trigger, NULL, NULL);
    w->session = session;
    enter(w);
    int rc = sill_resp_session_wait(session, &w->trigger, deadline);
    leave(w);
    if (rc == 0)
        return reply(session, w);
    if (rc == SILL_ENOMEM)
        return kv_no_memory(session);
    return rc == SILL_ETIMEDOUT || rc == SILL_ECLOSED ? reply_none(session, w)
                                                      : rc;
}

static int take(struct sill_resp_session *session, struct kv_waiter *w,
                struct sill_resp_view timeout)
{
    sill_time deadline;
    if (!read_timeout(session, timeout, &deadline) || !check(session, w))
        return 0;
    bool may_wait = !kv_log.in_group && !kv_log.is_loading;
    struct kv_entry *entry = find(w);
    if (entry == NULL)
        return may_wait ? wait(session, w, deadline) : reply_none(session, w);
    give(w, entry);
    return reply(session, w);
}

/* ---- verbs ---- */

static int pop_from(struct sill_resp_session *session,
                    const struct sill_resp_view *args, size_t count, bool front)
{
    struct kv_waiter w = {
        .keys = args + 1, .count = count - 2, .from_front = front};
    return take(session, &w, args[count - 1]);
}

KV_HANDLER(blpop)
{
    return pop_from(session, args, count, true);
}

KV_HANDLER(brpop)
{
    return pop_from(session, args, count, false);
}

static bool read_end(struct sill_resp_view word, bool *front)
{
    *front = kv_is(word, "left");
    return *front || kv_is(word, "right");
}

KV_HANDLER(blmove)
{
    struct kv_waiter w = {.keys = args + 1, .count = 1, .to = args + 2};
    if (!read_end(args[3], &w.from_front) || !read_end(args[4], &w.to_front))
        return kv_syntax(session);
    return take(session, &w, args[5]);
}

KV_HANDLER(brpoplpush)
{
    struct kv_waiter w = {
        .keys = args + 1, .count = 1, .to = args + 2, .to_front = true};
    return take(session, &w, args[3]);
}

static const struct sill_resp_verb verbs[] = {
    {"blmove", blmove, 6, KV_WRITES | KV_GROWS},
    {"blpop", blpop, -3, KV_WRITES},
    {"brpop", brpop, -3, KV_WRITES},
    {"brpoplpush", brpoplpush, 4, KV_WRITES | KV_GROWS},
};

const struct kv_verbs kv_blocking_verbs = KV_VERBS(verbs);
