/* SPDX-License-Identifier: MIT */
/*
 * calls.c: what tasks ask a client for, from the call to its end.
 */
#include "client.h"

#include <sill/error.h>
#include <sill/hooks.h>
#include <sill/task.h>

#include <string.h>

/* ---- answers ---- */

void sill_resp_answer_free(struct sill_resp_answer *answer)
{
    sill_free(answer->block);
    *answer = (struct sill_resp_answer){0};
}

/* The letters of a verbatim string's format stand before it. */
static size_t before_text(const struct sill_resp_value *value)
{
    return value->type == SILL_RESP_VERBATIM ? 4 : 0;
}

/* Copies the values of (reply) and all that they point to. */
static int copy(struct sill_resp_answer *answer,
                const struct sill_resp_reply *reply)
{
    size_t size = reply->count * sizeof(*reply->values);
    for (size_t i = 0; i < reply->count; i++)
        size += reply->values[i].text.size + before_text(&reply->values[i]);
    struct sill_resp_value *values = sill_alloc(size);
    if (values == NULL)
        return SILL_ENOMEM;
    memcpy(values, reply->values, reply->count * sizeof(*values));
    char *at = (char *)(values + reply->count);
    for (size_t i = 0; i < reply->count; i++) {
        struct sill_resp_view *text = &values[i].text;
        size_t before = before_text(&values[i]);
        if (text->at == NULL)
            continue;
        memcpy(at, text->at - before, text->size + before);
        text->at = at + before;
        at += text->size + before;
    }
    *answer = (struct sill_resp_answer){values, reply->count, values};
    return 0;
}

/* ---- the list ---- */

void sill_resp_calls_init(struct sill_resp_client *c)
{
    if (c->end == NULL)
        c->end = &c->first;
}

static void append(struct sill_resp_client *c, struct sill_resp_call *call)
{
    sill_resp_calls_init(c);
    call->link = c->end;
    *c->end = call;
    c->end = &call->next;
    if (c->unsent == NULL)
        c->unsent = call;
    c->pending += call->cost;
    sill_resume(&c->news, 0);
}

static void take_out(struct sill_resp_client *c, struct sill_resp_call *call)
{
    *call->link = call->next;
    if (call->next != NULL)
        call->next->link = call->link;
    else
        c->end = call->link;
    if (c->unsent == call)
        c->unsent = call->next;
    c->pending -= call->cost;
}

static void finish(struct sill_resp_client *c, struct sill_resp_call *call,
                   int result)
{
    take_out(c, call);
    if (call->is_abandoned) {
        sill_free(call);
        return;
    }
    call->result = result;
    call->is_over = true;
    sill_resume(&call->done, 0);
}

/* The task of (call) has given up. */
static void abandon(struct sill_resp_client *c, struct sill_resp_call *call)
{
    call->is_abandoned = true;
    if (!call->is_sent)
        finish(c, call, 0);
}

size_t sill_resp_calls_take(struct sill_resp_client *c, char *buffer,
                            size_t size, size_t *needed)
{
    size_t used = 0;
    *needed = c->unsent == NULL ? 0 : c->unsent->size;
    while (c->unsent != NULL && c->unsent->size <= size - used) {
        memcpy(buffer + used, c->unsent->bytes, c->unsent->size);
        used += c->unsent->size;
        c->unsent->is_sent = true;
        c->unsent = c->unsent->next;
        c->stats.calls++;
    }
    return used;
}

int sill_resp_calls_answer(struct sill_resp_client *c,
                           const struct sill_resp_reply *reply)
{
    int rc = 0;
    if (!sill_resp_has_sent(c))
        return SILL_EPROTO;
    if (c->first->is_abandoned)
        c->stats.dropped++;
    else
        rc = copy(&c->first->answer, reply);
    finish(c, c->first, rc);
    return 0;
}

void sill_resp_calls_refuse(struct sill_resp_client *c, int error)
{
    if (sill_resp_has_sent(c))
        finish(c, c->first, error);
}

void sill_resp_calls_drop(struct sill_resp_client *c, int error)
{
    finish(c, c->unsent, error);
}

void sill_resp_calls_lose(struct sill_resp_client *c)
{
    struct sill_resp_call *call = c->first, *end = c->unsent, *next;
    for (; call != end; call = next) {
        next = call->next;
        call->is_sent = false;
        if (call->again && !call->is_abandoned)
            continue;
        c->stats.lost += !call->is_abandoned;
        finish(c, call, SILL_ECONNRESET);
    }
    c->unsent = c->first;
}

void sill_resp_calls_end(struct sill_resp_client *c, int error)
{
    while (c->first != NULL)
        finish(c, c->first, error);
}

/* ---- one call ---- */

bool sill_resp_cost(const struct sill_resp_view *args, size_t count,
                    size_t *cost)
{
    *cost = 32;
    for (size_t i = 0; i < count; i++)
        if (__builtin_add_overflow(*cost, args[i].size, cost) ||
            __builtin_add_overflow(*cost, 32, cost))
            return false;
    return true;
}

bool sill_resp_has_room(const struct sill_resp_client *c, size_t waiting,
                        size_t cost)
{
    size_t most = c->pending_max != 0 ? c->pending_max : (size_t)16 << 20;
    return waiting <= most && cost <= most - waiting;
}

/* Makes the call; SILL_EBUSY when it is too large to wait. */
static int make(const struct sill_resp_client *c,
                const struct sill_resp_view *args, size_t count,
                struct sill_resp_call **made)
{
    size_t size;
    struct sill_resp_encoder e;
    if (!sill_resp_cost(args, count, &size) ||
        !sill_resp_has_room(c, c->pending, size))
        return SILL_EBUSY;
    struct sill_resp_call *call = sill_alloc(sizeof(*call) + size);
    if (call == NULL)
        return SILL_ENOMEM;
    *call = (struct sill_resp_call){.done = SILL_TRIGGER_INIT, .cost = size};
    sill_resp_encoder_init(&e, call->bytes, size);
    sill_resp_encode_command(&e, args, count);
    call->size = e.used;
    *made = call;
    return 0;
}

/* Whether it is nothing about the connection, which all calls share. */
static bool is_fit(const struct sill_resp_view *args, size_t count)
{
    const struct sill_resp_effect *effect = sill_resp_effect_of(args, count);
    return ((effect->sets | effect->clears) & ~(unsigned)SILL_RESP_TUNED) == 0;
}

int sill_resp_client_call(struct sill_resp_client *client,
                          const struct sill_resp_view *args, size_t count,
                          unsigned flags, struct sill_resp_answer *answer,
                          sill_time deadline)
{
    struct sill_resp_call *call;
    *answer = (struct sill_resp_answer){0};
    if (count == 0 || !is_fit(args, count))
        return SILL_EINVAL;
    if (client->ended)
        return SILL_ECLOSED;
    int rc = make(client, args, count, &call);
    if (rc != 0)
        return rc;
    call->again = (flags & SILL_RESP_AGAIN) != 0;
    append(client, call);
    rc = sill_suspend(&call->done, deadline);
    if (rc != 0 && !call->is_over) {
        abandon(client, call);
        return rc;
    }
    *answer = call->answer;
    rc = call->result;
    sill_free(call);
    return rc;
}
