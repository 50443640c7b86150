/* SPDX-License-Identifier: MIT */
/*
 * client.c: the task that keeps a client connected: an attempt, a conversation
 * of one task that writes and one that reads, a pause, and again.
 */
#include "client.h"

#include <sill/error.h>
#include <sill/hooks.h>
#include <sill/scope.h>
#include <sill/task.h>

/* Commands gathered for one write. */
enum { GATHERED_MAX = 65536 };

static int open_connection(struct sill_resp_client *c)
{
    int rc = sill_resp_wire_open(&c->wire, c, SILL_NEVER);
    if (rc == 0) {
        c->stats.connections++;
        c->stats.connected = true;
        return 0;
    }
    if (rc != SILL_ECANCELED) {
        c->stats.failures++;
        c->stats.failure = rc;
    }
    return rc;
}

/* ---- the conversation ---- */

/* Until when something has to come in, if a reply is due. Looked at before each
 * wait, but moved only by what comes in, so that no later call puts it off. */
static sill_time patience(struct sill_resp_client *c)
{
    if (!sill_resp_has_sent(c))
        return c->due = SILL_NEVER;
    if (c->due == SILL_NEVER || c->heard != c->wire.reads) {
        c->heard = c->wire.reads;
        c->due = sill_after(c->reply_timeout);
    }
    return c->due;
}

static int await_calls(struct sill_resp_client *c)
{
    int rc = 0;
    while (rc == 0 && c->unsent == NULL) {
        rc = sill_suspend(&c->news, patience(c));
        if (rc == 0)
            sill_trigger_init(&c->news, NULL, NULL);
        else if (rc == SILL_ETIMEDOUT && patience(c) > sill_now())
            rc = 0;
    }
    return rc;
}

/* A peer that takes nothing is as silent as one that says nothing. */
static int send_bytes(struct sill_resp_client *c, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t sent = sill_stream_write(&c->wire.stream, data, size,
                                         sill_after(c->reply_timeout));
        if (sent < 0)
            return (int)sent;
        data += sent;
        size -= (size_t)sent;
    }
    return 0;
}

/* Sends what is there, from (buffer), or from one that is large enough. */
static int send_calls(struct sill_resp_client *c, char *buffer, size_t size)
{
    size_t needed, used = sill_resp_calls_take(c, buffer, size, &needed);
    if (used > 0 || needed == 0)
        return send_bytes(c, buffer, used);
    char *large = sill_alloc(needed);
    if (large == NULL) {
        sill_resp_calls_drop(c, SILL_ENOMEM);
        return 0;
    }
    used = sill_resp_calls_take(c, large, needed, &needed);
    int rc = send_bytes(c, large, used);
    sill_free(large);
    return rc;
}

static int write_calls(void *arg)
{
    struct sill_resp_client *c = arg;
    char *buffer = sill_alloc(GATHERED_MAX);
    int rc = buffer == NULL ? SILL_ENOMEM : 0;

    sill_task_set_name("resp client, writing");
    while (rc == 0) {
        rc = await_calls(c);
        if (rc == 0)
            rc = send_calls(c, buffer, GATHERED_MAX);
    }
    sill_free(buffer);
    return rc;
}

static int read_replies(void *arg)
{
    struct sill_resp_client *c = arg;
    struct sill_resp_reply reply;
    int rc = 0;

    sill_task_set_name("resp client, reading");
    while (rc == 0) {
        rc = sill_resp_wire_read(&c->wire, c, &reply, SILL_NEVER);
        if (rc == 0)
            rc = sill_resp_calls_answer(c, &reply);
    }
    if (rc == SILL_EPROTO || rc == SILL_EMSGSIZE || rc == SILL_ENOMEM)
        sill_resp_calls_refuse(c, rc); /* or it would be asked for again */
    return rc;
}

/* Sends calls and reads replies until the connection is lost. */
static void converse(struct sill_resp_client *c)
{
    struct sill_scope scope;
    c->due = SILL_NEVER;
    sill_scope_init(&scope, SILL_SCOPE_FAIL_FAST);
    int rc = sill_scope_spawn(&scope, write_calls, c);
    if (rc == 0)
        rc = sill_scope_spawn(&scope, read_replies, c);
    if (rc != 0)
        sill_scope_cancel(&scope);
    rc = sill_scope_wait(&scope, SILL_NEVER);
    if (rc != SILL_ECANCELED)
        c->stats.failure = rc;
    sill_scope_fini(&scope);
    sill_resp_wire_close(&c->wire);
    c->stats.connected = false;
    sill_resp_calls_lose(c);
}

/* Returns the error that ends it. */
static int keep_connected(struct sill_resp_client *c)
{
    int rc = 0;
    for (sill_duration pause = c->pause_min; rc == 0;) {
        if (open_connection(c) == 0) {
            converse(c);
            pause = c->pause_min;
        }
        rc = sill_sleep(sill_after(pause));
        pause = pause < c->pause_max / 2 ? 2 * pause : c->pause_max;
    }
    return rc;
}

int sill_resp_client_run(void *client)
{
    struct sill_resp_client *c = client;

    int rc = sill_resp_settle(c);
    sill_task_set_name("resp client");
    c->ended = false;
    sill_resp_calls_init(c);
    sill_trigger_init(&c->news, NULL, NULL);
    if (rc == 0)
        rc = keep_connected(c);
    c->ended = true;
    sill_resp_calls_end(c, SILL_ECLOSED);
    return rc;
}
