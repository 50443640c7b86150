/* SPDX-License-Identifier: MIT */
/*
 * multi.c: transactions, and what is checked before each command. See kv.h.
 */
#include "kv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A command that waits for EXEC. */
struct kv_queued {
    struct kv_queued *next;
    const struct sill_resp_verb *verb;
    size_t count;
    struct sill_resp_view args[]; /* and what they point to */
};

struct kv_watch {
    struct kv_watch *next;
    uint64_t version; /* 0: there was no such key */
    size_t size;
    char key[];
};

/* ---- the queue ---- */

static void free_queue(struct kv_client *client)
{
    while (client->queue != NULL) {
        struct kv_queued *next = client->queue->next;
        free(client->queue);
        client->queue = next;
    }
    client->queued = 0;
    client->in_multi = false;
}

static struct kv_queued *copy(const struct sill_resp_verb *verb,
                              const struct sill_resp_view *args, size_t count)
{
    size_t size = sizeof(struct kv_queued) + count * sizeof(*args);
    for (size_t i = 0; i < count; i++)
        size += args[i].size;
    struct kv_queued *q = malloc(size);
    if (q == NULL)
        return NULL;
    char *at = (char *)(q->args + count);
    *q = (struct kv_queued){.verb = verb, .count = count};
    for (size_t i = 0; i < count; i++) {
        q->args[i] = (struct sill_resp_view){at, args[i].size};
        if (args[i].size > 0)
            memcpy(at, args[i].at, args[i].size);
        at += args[i].size;
    }
    return q;
}

static int enqueue(struct sill_resp_session *session,
                   const struct sill_resp_verb *verb,
                   const struct sill_resp_view *args, size_t count)
{
    struct kv_client *client = kv_client(session);
    struct kv_queued *q = copy(verb, args, count);
    if (q == NULL) {
        client->is_spoilt = true;
        return kv_no_memory(session);
    }
    *client->queue_end = q;
    client->queue_end = &q->next;
    client->queued++;
    sill_resp_reply_simple(session, "QUEUED");
    return 0;
}

/* ---- before each command ---- */

static const char *misconfigured(void)
{
    static char text[128];
    snprintf(text, sizeof(text), "MISCONF Errors writing to the AOF file: %s",
             kv_errno_text(kv_log.error));
    return text;
}

/* Returns why (verb) must not be called now; NULL: it may. */
static const char *objection(struct sill_resp_session *session,
                             const struct sill_resp_verb *verb)
{
    const struct kv_client *client = kv_client(session);
    if (client->subscriptions != NULL &&
        sill_resp_session_version(session) == 2 && !(verb->flags & KV_HEARS))
        return "ERR only (P)SUBSCRIBE / (P)UNSUBSCRIBE / PING / QUIT / RESET "
               "are allowed in this context";
    if (verb->flags & KV_GROWS && kv_options.memory_max != 0 &&
        kv_memory > kv_options.memory_max && !kv_log.is_loading)
        return "OOM command not allowed when used memory > 'maxmemory'.";
    if (verb->flags & KV_WRITES && kv_log.error != 0)
        return misconfigured();
    if (client->in_multi && verb->flags & KV_ALONE)
        return "ERR Command not allowed inside a transaction";
    return NULL;
}

int kv_call(struct sill_resp_session *session,
            const struct sill_resp_verb *verb,
            const struct sill_resp_view *args, size_t count)
{
    struct kv_client *client = kv_client(session);
    kv_tick();
    const char *why = objection(session, verb);
    client->last = verb;
    client->heard = kv_now();
    if (why != NULL) {
        client->is_spoilt = client->is_spoilt || client->in_multi;
        return kv_error(session, why);
    }
    if (client->in_multi && !(verb->flags & KV_NOW))
        return enqueue(session, verb, args, count);
    int rc = kv_log_command(session, verb, args, count);
    kv_serve();
    return rc;
}

/* ---- watching ---- */

static uint64_t version_of(struct sill_resp_view key)
{
    const struct kv_entry *entry = kv_find(key);
    return entry == NULL ? 0 : entry->version;
}

static void unwatch_all(struct kv_client *client)
{
    while (client->watches != NULL) {
        struct kv_watch *next = client->watches->next;
        free(client->watches);
        client->watches = next;
    }
    client->watched = 0;
}

static bool is_any_changed(const struct kv_client *client)
{
    const struct kv_watch *w = client->watches;
    while (w != NULL &&
           version_of((struct sill_resp_view){w->key, w->size}) == w->version)
        w = w->next;
    return w != NULL;
}

static bool is_watched(const struct kv_client *client,
                       struct sill_resp_view key)
{
    const struct kv_watch *w = client->watches;
    while (w != NULL && !sill_resp_view_is_equal(
                            key, (struct sill_resp_view){w->key, w->size}))
        w = w->next;
    return w != NULL;
}

/* A key that is watched stays as it was seen first. */
static bool watch_one(struct kv_client *client, struct sill_resp_view key)
{
    if (is_watched(client, key))
        return true;
    struct kv_watch *w = malloc(sizeof(*w) + key.size);
    if (w == NULL)
        return false;
    w->next = client->watches;
    w->version = version_of(key);
    w->size = key.size;
    if (key.size > 0)
        memcpy(w->key, key.at, key.size);
    client->watches = w;
    client->watched++;
    return true;
}

KV_HANDLER(watch)
{
    struct kv_client *client = kv_client(session);
    if (client->in_multi)
        return kv_error(session, "ERR WATCH inside MULTI is not allowed");
    for (size_t i = 1; i < count; i++)
        if (!watch_one(client, args[i]))
            return kv_no_memory(session);
    return kv_ok(session);
}

KV_HANDLER(unwatch)
{
    unwatch_all(kv_client(session));
    return kv_ok(session);
}

/* ---- transactions ---- */

void kv_discard(struct kv_client *client)
{
    free_queue(client);
    unwatch_all(client);
    client->is_spoilt = false;
}

KV_HANDLER(multi)
{
    struct kv_client *client = kv_client(session);
    if (client->in_multi)
        return kv_error(session, "ERR MULTI calls can not be nested");
    client->in_multi = true;
    client->is_spoilt = false;
    client->refused = sill_resp_session_refused(session);
    client->queue_end = &client->queue;
    return kv_ok(session);
}

KV_HANDLER(discard)
{
    struct kv_client *client = kv_client(session);
    if (!client->in_multi)
        return kv_error(session, "ERR DISCARD without MULTI");
    kv_discard(client);
    return kv_ok(session);
}

static int execute(struct sill_resp_session *session)
{
    int rc = 0;
    sill_resp_reply_array(session, kv_client(session)->queued);
    kv_log_group(true);
    for (struct kv_queued *q = kv_client(session)->queue; q != NULL && rc >= 0;
         q = q->next)
        rc = kv_log_command(session, q->verb, q->args, q->count);
    kv_log_group(false);
    return rc;
}

static bool would_write(const struct kv_client *client)
{
    const struct kv_queued *q = client->queue;
    while (q != NULL && !(q->verb->flags & KV_WRITES))
        q = q->next;
    return q != NULL;
}

KV_HANDLER(exec)
{
    struct kv_client *client = kv_client(session);
    int rc = 0;
    if (!client->in_multi)
        return kv_error(session, "ERR EXEC without MULTI");
    if (client->is_spoilt ||
        client->refused != sill_resp_session_refused(session))
        kv_error(session, "EXECABORT Transaction discarded because of "
                          "previous errors.");
    else if (is_any_changed(client))
        sill_resp_reply_null_array(session);
    else if (kv_log.error != 0 && would_write(client))
        sill_resp_reply_error(session,
                              "EXECABORT Transaction discarded because of: %s",
                              misconfigured());
    else
        rc = execute(session);
    kv_discard(client);
    return rc;
}

static const struct sill_resp_verb verbs[] = {
    {"discard", discard, 1, KV_NOW}, {"exec", exec, 1, KV_NOW},
    {"multi", multi, 1, KV_NOW},     {"unwatch", unwatch, 1, 0},
    {"watch", watch, -2, KV_NOW},
};

const struct kv_verbs kv_multi_verbs = KV_VERBS(verbs);
