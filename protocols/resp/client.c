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

#include <stdio.h>

/* Commands gathered for one write. */
enum { GATHERED_MAX = 65536 };

#define DEFAULT(value, other) ((value) = (value) != 0 ? (value) : (other))

static void set_defaults(struct sill_resp_client *c)
{
    static const struct sill_resp_limits usual = SILL_RESP_LIMITS_INIT;
    DEFAULT(c->version, 2);
    DEFAULT(c->connect_timeout, 5 * SILL_SECOND);
    DEFAULT(c->pause_min, 50 * SILL_MILLISECOND);
    DEFAULT(c->pause_max, 5 * SILL_SECOND);
    DEFAULT(c->limits.line, usual.line);
    DEFAULT(c->limits.elements, usual.elements);
    DEFAULT(c->limits.depth, usual.depth);
    DEFAULT(c->limits.bulk, usual.bulk);
    DEFAULT(c->limits.message, usual.message);
}

/* Reads the next reply; what was pushed before it is handed on. */
static int read_reply(struct sill_resp_client *c, struct sill_resp_reply *reply,
                      sill_time deadline)
{
    for (;;) {
        int rc = sill_resp_intake_next(c, reply, deadline);
        if (rc != 0 || reply->values[0].type != SILL_RESP_PUSH)
            return rc;
        if (c->pushed != NULL)
            c->pushed(c->arg, reply->values, reply->count);
    }
}

/* ---- the first words ---- */

/* Says one command and reads its reply. SILL_EACCES: the server refused. */
static int say(struct sill_resp_client *c, const struct sill_resp_view *args,
               size_t count, sill_time deadline)
{
    struct sill_resp_encoder e;
    struct sill_resp_reply reply;
    char text[2048];

    sill_resp_encoder_init(&e, text, sizeof(text));
    sill_resp_encode_command(&e, args, count);
    if (e.error != 0)
        return SILL_EINVAL;
    int rc = sill_stream_write_all(&c->stream, text, e.used, NULL, deadline);
    if (rc == 0)
        rc = read_reply(c, &reply, deadline);
    if (rc == 0 && reply.values[0].type == SILL_RESP_ERROR)
        rc = SILL_EACCES;
    return rc;
}

static int say_who(struct sill_resp_client *c, sill_time deadline)
{
    const struct sill_resp_view user =
        sill_resp_view(c->user != NULL ? c->user : "default");
    const struct sill_resp_view hello[] = {
        SILL_RESP_VIEW_INIT("HELLO"), SILL_RESP_VIEW_INIT("3"),
        SILL_RESP_VIEW_INIT("AUTH"), user, sill_resp_view(c->password)};
    const struct sill_resp_view auth[] = {SILL_RESP_VIEW_INIT("AUTH"), user,
                                          sill_resp_view(c->password)};
    if (c->version == 3)
        return say(c, hello, c->password != NULL ? 5 : 2, deadline);
    return c->password != NULL ? say(c, auth, 3, deadline) : 0;
}

static int say_where(struct sill_resp_client *c, sill_time deadline)
{
    char number[16];
    if (c->database == 0)
        return 0;
    snprintf(number, sizeof(number), "%d", c->database);
    const struct sill_resp_view select[] = {SILL_RESP_VIEW_INIT("SELECT"),
                                            sill_resp_view(number)};
    return say(c, select, 2, deadline);
}

static int open_connection(struct sill_resp_client *c)
{
    sill_time deadline = sill_after(c->connect_timeout);
    sill_resp_intake_reset(c);
    int rc = sill_stream_connect(&c->stream, &c->address, NULL, deadline);
    if (rc == 0)
        rc = say_who(c, deadline);
    if (rc == 0)
        rc = say_where(c, deadline);
    if (rc == 0) {
        c->stats.connections++;
        c->stats.connected = true;
        return 0;
    }
    sill_stream_close(&c->stream);
    c->stats.failures++;
    c->stats.failure = rc;
    return rc;
}

/* ---- the conversation ---- */

static int await_calls(struct sill_resp_client *c)
{
    int rc = 0;
    while (rc == 0 && c->unsent == NULL) {
        rc = sill_suspend(&c->news, SILL_NEVER);
        if (rc == 0)
            sill_trigger_init(&c->news, NULL, NULL);
    }
    return rc;
}

/* Sends what is there, from (buffer), or from one that is large enough. */
static int send_calls(struct sill_resp_client *c, char *buffer, size_t size)
{
    size_t needed, used = sill_resp_calls_take(c, buffer, size, &needed);
    if (used > 0 || needed == 0)
        return sill_stream_write_all(&c->stream, buffer, used, NULL,
                                     SILL_NEVER);
    char *large = sill_alloc(needed);
    if (large == NULL) {
        sill_resp_calls_drop(c, SILL_ENOMEM);
        return 0;
    }
    used = sill_resp_calls_take(c, large, needed, &needed);
    int rc = sill_stream_write_all(&c->stream, large, used, NULL, SILL_NEVER);
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
        rc = read_reply(c, &reply, SILL_NEVER);
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
    sill_scope_init(&scope, SILL_SCOPE_FAIL_FAST);
    int rc = sill_scope_spawn(&scope, write_calls, c);
    if (rc == 0)
        rc = sill_scope_spawn(&scope, read_replies, c);
    if (rc != 0)
        sill_scope_cancel(&scope);
    c->stats.failure = sill_scope_wait(&scope, SILL_NEVER);
    sill_scope_fini(&scope);
    sill_stream_close(&c->stream);
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

    set_defaults(c);
    sill_task_set_name("resp client");
    c->ended = false;
    sill_resp_calls_init(c);
    sill_trigger_init(&c->news, NULL, NULL);
    int rc =
        c->version == 2 || c->version == 3 ? keep_connected(c) : SILL_EINVAL;
    c->ended = true;
    sill_resp_calls_end(c, SILL_ECLOSED);
    sill_resp_intake_free(c);
    return rc;
}
