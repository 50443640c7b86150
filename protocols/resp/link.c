/* SPDX-License-Identifier: MIT */
/*
 * link.c: a connection of one task: what it adds, sends and takes.
 */
#include "client.h"

#include <sill/error.h>
#include <sill/hooks.h>
#include <sill/task.h>

#include <string.h>

enum { KEPT_SIZE = 65536 };

int sill_resp_link_open(struct sill_resp_link *link,
                        struct sill_resp_client *client, sill_time deadline)
{
    *link = (struct sill_resp_link){.client = client};
    int rc = sill_resp_settle(client);
    if (rc == 0)
        rc = sill_resp_wire_open(&link->wire, client, deadline);
    link->is_open = rc == 0;
    return rc;
}

void sill_resp_link_close(struct sill_resp_link *link)
{
    sill_resp_wire_close(&link->wire);
    sill_free(link->out);
    *link = (struct sill_resp_link){.client = link->client};
}

/* ---- what goes out ---- */

/* Makes room for (size) bytes behind those that wait. */
static int make_room(struct sill_resp_link *link, size_t size)
{
    size_t waiting = link->out_end - link->out_begin;
    if (size <= link->out_size - link->out_end)
        return 0;
    size_t larger = 2 * waiting + size;
    char *out = sill_alloc(larger);
    if (out == NULL)
        return SILL_ENOMEM;
    if (waiting > 0)
        memcpy(out, link->out + link->out_begin, waiting);
    sill_free(link->out);
    link->out = out;
    link->out_size = larger;
    link->out_begin = 0;
    link->out_end = waiting;
    return 0;
}

static void change_state(struct sill_resp_link *link,
                         const struct sill_resp_view *args, size_t count)
{
    const struct sill_resp_effect *effect = sill_resp_effect_of(args, count);
    /* EXEC outside of a transaction is refused, and keys stay watched. */
    if ((effect->clears & SILL_RESP_IN_MULTI) &&
        !(link->state & SILL_RESP_IN_MULTI))
        return;
    link->state = (link->state | effect->sets) & ~effect->clears;
}

int sill_resp_link_add(struct sill_resp_link *link,
                       const struct sill_resp_view *args, size_t count)
{
    struct sill_resp_encoder e;
    size_t cost, waiting = link->out_end - link->out_begin;
    if (!link->is_open)
        return SILL_ECLOSED;
    if (count == 0)
        return SILL_EINVAL;
    if (!sill_resp_cost(args, count, &cost) ||
        !sill_resp_has_room(link->client, waiting, cost))
        return SILL_EBUSY;
    int rc = make_room(link, cost);
    if (rc != 0)
        return rc;
    sill_resp_encoder_init(&e, link->out + link->out_end, cost);
    sill_resp_encode_command(&e, args, count);
    link->out_end += e.used;
    change_state(link, args, count);
    link->owed++;
    return 0;
}

/* Gives back what a large pipeline needed. */
static void forget_sent(struct sill_resp_link *link)
{
    link->out_begin = link->out_end = 0;
    if (link->out_size <= KEPT_SIZE)
        return;
    sill_free(link->out);
    link->out = NULL;
    link->out_size = 0;
}

/* Sends what waits, as far as the peer takes it by (deadline). */
static int send_some(struct sill_resp_link *link, sill_time deadline)
{
    while (link->out_begin < link->out_end) {
        ssize_t sent =
            sill_stream_write(&link->wire.stream, link->out + link->out_begin,
                              link->out_end - link->out_begin, deadline);
        if (sent < 0)
            return (int)sent;
        link->out_begin += (size_t)sent;
    }
    forget_sent(link);
    return 0;
}

/* ---- what comes in ---- */

/* A task, for a peer that first wants to be rid of its replies. Most of what it
 * fails with is found by who reads; for the rest there is only one way to tell
 * him. */
static int send_rest(void *arg)
{
    struct sill_resp_link *link = arg;
    sill_task_set_name("resp link, writing");
    int rc = send_some(link, SILL_NEVER);
    if (rc == SILL_ENOMEM || rc == SILL_EIO)
        sill_stream_close(&link->wire.stream);
    return rc;
}

static int read_while_sending(struct sill_resp_link *link,
                              struct sill_resp_reply *reply, sill_time deadline)
{
    struct sill_task *writer;
    int rc = sill_spawn(send_rest, link, &writer);
    if (rc != 0)
        return rc;
    rc = sill_resp_intake_next(&link->wire, reply, deadline);
    (void)sill_cancel(writer, SILL_NEVER);
    return rc;
}

/* Whether somebody asked for (reply); counts it off. */
static bool is_due(struct sill_resp_link *link,
                   const struct sill_resp_reply *reply)
{
    if ((link->state & SILL_RESP_STREAMS) ||
        reply->values[0].type == SILL_RESP_PUSH)
        return true;
    if (link->owed == 0) {
        link->state |= SILL_RESP_ALTERED; /* or worse */
        return false;
    }
    link->owed--;
    return true;
}

int sill_resp_link_next(struct sill_resp_link *link,
                        struct sill_resp_answer *answer, sill_time deadline)
{
    struct sill_resp_reply reply;
    *answer = (struct sill_resp_answer){0};
    if (!link->is_open)
        return SILL_ECLOSED;
    int rc = send_some(link, SILL_PAST);
    if (rc == SILL_ETIMEDOUT)
        rc = read_while_sending(link, &reply, deadline);
    else if (rc == 0)
        rc = sill_resp_intake_next(&link->wire, &reply, deadline);
    if (rc == SILL_ECLOSED)
        rc = SILL_ECONNRESET; /* by send_rest */
    if (rc == 0 && !is_due(link, &reply))
        rc = SILL_EPROTO;
    if (rc == 0)
        *answer = (struct sill_resp_answer){reply.values, reply.count, NULL};
    return rc;
}

int sill_resp_link_call(struct sill_resp_link *link,
                        const struct sill_resp_view *args, size_t count,
                        struct sill_resp_answer *answer, sill_time deadline)
{
    const struct sill_resp_client *c = link->client;
    *answer = (struct sill_resp_answer){0};
    if (count > 0 &&
        (sill_resp_effect_of(args, count)->sets & SILL_RESP_STREAMS))
        return SILL_EINVAL;
    if (link->owed > 0)
        return SILL_EBUSY;
    int rc = sill_resp_link_add(link, args, count);
    while (rc == 0) {
        rc = sill_resp_link_next(link, answer, deadline);
        if (rc != 0 || answer->values[0].type != SILL_RESP_PUSH)
            break;
        if (c->pushed != NULL)
            c->pushed(c->arg, answer->values, answer->count);
    }
    return rc;
}
