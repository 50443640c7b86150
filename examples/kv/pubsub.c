/* SPDX-License-Identifier: MIT */
/*
 * pubsub.c: channels. See kv.h.
 */
#include "kv.h"

#include <stdlib.h>
#include <string.h>

/* One name that one session listens to. */
struct kv_subscription {
    struct kv_subscription *next, **link; /* of all, of its kind */
    struct kv_subscription *own_next;     /* of its session */
    struct sill_resp_session *session;
    bool is_pattern;
    size_t size;
    char name[];
};

/* Few listen, so that lists do. Channels, then patterns. */
static struct kv_subscription *all[2];

static struct sill_resp_view name_of(const struct kv_subscription *s)
{
    return (struct sill_resp_view){s->name, s->size};
}

static size_t *count_of(struct kv_client *client, bool is_pattern)
{
    return is_pattern ? &client->patterns : &client->channels;
}

/* Returns the place of the session's own subscription to (name), or that where
 * it would be. */
static struct kv_subscription **
find_own(struct kv_client *client, struct sill_resp_view name, bool is_pattern)
{
    struct kv_subscription **at = &client->subscriptions;
    while (*at != NULL && ((*at)->is_pattern != is_pattern ||
                           !sill_resp_view_is_equal(name_of(*at), name)))
        at = &(*at)->own_next;
    return at;
}

static bool add(struct sill_resp_session *session, struct sill_resp_view name,
                bool is_pattern)
{
    struct kv_client *client = kv_client(session);
    struct kv_subscription **at = find_own(client, name, is_pattern);
    if (*at != NULL)
        return true;
    struct kv_subscription *s = malloc(sizeof(*s) + name.size);
    if (s == NULL)
        return false;
    *s = (struct kv_subscription){.session = session,
                                  .is_pattern = is_pattern,
                                  .size = name.size,
                                  .next = all[is_pattern],
                                  .link = &all[is_pattern]};
    if (name.size > 0)
        memcpy(s->name, name.at, name.size);
    if (s->next != NULL)
        s->next->link = &s->next;
    all[is_pattern] = s;
    *at = s;
    ++*count_of(client, is_pattern);
    return true;
}

/* Takes a subscription out of both lists; the caller frees it. */
static struct kv_subscription *take_out(struct kv_client *client,
                                        struct kv_subscription **at)
{
    struct kv_subscription *s = *at;
    *at = s->own_next;
    *s->link = s->next;
    if (s->next != NULL)
        s->next->link = s->link;
    --*count_of(client, s->is_pattern);
    return s;
}

void kv_unsubscribe_all(struct kv_client *client)
{
    while (client->subscriptions != NULL)
        free(take_out(client, &client->subscriptions));
}

/* ---- to listen ---- */

static void confirm(struct sill_resp_session *session, const char *what,
                    const struct sill_resp_view *name)
{
    const struct kv_client *client = kv_client(session);
    sill_resp_reply_push(session, 3);
    sill_resp_reply_string(session, sill_resp_view(what));
    if (name != NULL)
        sill_resp_reply_string(session, *name);
    else
        sill_resp_reply_null(session);
    sill_resp_reply_integer(session,
                            (int64_t)(client->channels + client->patterns));
}

static int listen_to(struct sill_resp_session *session,
                     const struct sill_resp_view *names, size_t count,
                     bool is_pattern)
{
    for (size_t i = 0; i < count; i++) {
        if (!add(session, names[i], is_pattern))
            return SILL_ENOMEM;
        confirm(session, is_pattern ? "psubscribe" : "subscribe", &names[i]);
    }
    return 0;
}

KV_HANDLER(subscribe)
{
    return listen_to(session, args + 1, count - 1, false);
}

KV_HANDLER(psubscribe)
{
    return listen_to(session, args + 1, count - 1, true);
}

/* ---- to listen no more ---- */

/* (name) may be that of the subscription. */
static void leave_one(struct sill_resp_session *session, const char *what,
                      struct sill_resp_view name, bool is_pattern)
{
    struct kv_client *client = kv_client(session);
    struct kv_subscription **at = find_own(client, name, is_pattern);
    struct kv_subscription *s = *at == NULL ? NULL : take_out(client, at);
    confirm(session, what, &name);
    free(s);
}

static struct kv_subscription *first_own(struct kv_client *client,
                                         bool is_pattern)
{
    struct kv_subscription *s = client->subscriptions;
    while (s != NULL && s->is_pattern != is_pattern)
        s = s->own_next;
    return s;
}

static int leave(struct sill_resp_session *session,
                 const struct sill_resp_view *names, size_t count,
                 bool is_pattern)
{
    const char *what = is_pattern ? "punsubscribe" : "unsubscribe";
    struct kv_client *client = kv_client(session);
    struct kv_subscription *s;
    for (size_t i = 0; i < count; i++)
        leave_one(session, what, names[i], is_pattern);
    if (count > 0)
        return 0;
    if (first_own(client, is_pattern) == NULL)
        confirm(session, what, NULL);
    while ((s = first_own(client, is_pattern)) != NULL)
        leave_one(session, what, name_of(s), is_pattern);
    return 0;
}

KV_HANDLER(unsubscribe)
{
    return leave(session, args + 1, count - 1, false);
}

KV_HANDLER(punsubscribe)
{
    return leave(session, args + 1, count - 1, true);
}

/* ---- to speak ---- */

static bool hears(const struct kv_subscription *s, struct sill_resp_view name)
{
    return s->is_pattern ? kv_is_like(name_of(s), name)
                         : sill_resp_view_is_equal(name_of(s), name);
}

static int64_t publish_to(struct kv_subscription *first,
                          struct sill_resp_view channel,
                          struct sill_resp_view message)
{
    int64_t heard = 0;
    for (struct kv_subscription *s = first; s != NULL; s = s->next) {
        const struct sill_resp_view plain[] = {SILL_RESP_VIEW_INIT("message"),
                                               channel, message};
        const struct sill_resp_view matched[] = {
            SILL_RESP_VIEW_INIT("pmessage"), name_of(s), channel, message};
        if (!hears(s, channel))
            continue;
        heard += 0 == (s->is_pattern ? sill_resp_push(s->session, matched, 4)
                                     : sill_resp_push(s->session, plain, 3));
    }
    return heard;
}

KV_HANDLER(publish)
{
    return kv_integer(session, publish_to(all[0], args[1], args[2]) +
                                   publish_to(all[1], args[1], args[2]));
}

static int64_t listeners_of(struct sill_resp_view name)
{
    int64_t found = 0;
    for (const struct kv_subscription *s = all[0]; s != NULL; s = s->next)
        found += hears(s, name);
    return found;
}

/* Whether no earlier subscription is to the same channel. */
static bool is_first(const struct kv_subscription *s)
{
    const struct kv_subscription *other = all[0];
    while (!sill_resp_view_is_equal(name_of(other), name_of(s)))
        other = other->next;
    return other == s;
}

static int channels(struct sill_resp_session *session,
                    const struct sill_resp_view *pattern)
{
    size_t found = 0;
    for (int pass = 0; pass < 2; pass++) {
        if (pass == 1)
            sill_resp_reply_array(session, found);
        for (const struct kv_subscription *s = all[0]; s != NULL; s = s->next) {
            if (!is_first(s) ||
                (pattern != NULL && !kv_is_like(*pattern, name_of(s))))
                continue;
            found++;
            if (pass == 1)
                sill_resp_reply_string(session, name_of(s));
        }
    }
    return 0;
}

KV_HANDLER(pubsub)
{
    if (kv_is(args[1], "channels") && count <= 3)
        return channels(session, count == 3 ? &args[2] : NULL);
    if (kv_is(args[1], "numpat") && count == 2) {
        int64_t found = 0;
        for (const struct kv_subscription *s = all[1]; s != NULL; s = s->next)
            found++;
        return kv_integer(session, found);
    }
    if (!kv_is(args[1], "numsub"))
        return kv_syntax(session);
    sill_resp_reply_array(session, 2 * (count - 2));
    for (size_t i = 2; i < count; i++) {
        sill_resp_reply_string(session, args[i]);
        sill_resp_reply_integer(session, listeners_of(args[i]));
    }
    return 0;
}

static const struct sill_resp_verb verbs[] = {
    {"psubscribe", psubscribe, -2, KV_HEARS | KV_ALONE},
    {"publish", publish, 3, 0},
    {"pubsub", pubsub, -2, 0},
    {"punsubscribe", punsubscribe, -1, KV_HEARS | KV_ALONE},
    {"subscribe", subscribe, -2, KV_HEARS | KV_ALONE},
    {"unsubscribe", unsubscribe, -1, KV_HEARS | KV_ALONE},
};

const struct kv_verbs kv_pubsub_verbs = KV_VERBS(verbs);
