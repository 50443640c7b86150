/* SPDX-License-Identifier: MIT */
/*
 * reply.c: what a session is sent: replies and what is pushed, gathered and
 * written by one task at a time.
 */
#include "server.h"

#include <sill/error.h>
#include <sill/hooks.h>
#include <sill/task.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- memory ---- */

/* The server keeps one buffer for whoever replies next: a session that is
 * answered at once has none of its own. */
static char *take_buffer(struct sill_resp_server *server)
{
    char *data = server->spare;
    server->spare = NULL;
    return data != NULL ? data : sill_alloc(OUT_SIZE);
}

static void give_buffer(struct sill_resp_server *server,
                        struct sill_resp_encoder *e)
{
    if (e->size == OUT_SIZE && server->spare == NULL)
        server->spare = e->data;
    else
        sill_free(e->data);
    e->data = NULL;
    e->size = e->used = 0;
}

/* Makes the buffer of (e) larger, up to (most) bytes. */
static int enlarge(struct sill_resp_encoder *e, size_t least, size_t most)
{
    size_t size = e->size > OUT_SIZE / 2 ? e->size : OUT_SIZE / 2;

    if (e->used > most || least > most - e->used)
        return SILL_EMSGSIZE;
    while (size < e->used + least || size <= e->size)
        size = size < most / 2 ? 2 * size : most;
    char *data = sill_alloc(size);
    if (data == NULL)
        return SILL_ENOMEM;
    if (e->used > 0)
        memcpy(data, e->data, e->used);
    sill_free(e->data);
    e->data = data;
    e->size = size;
    return 0;
}

static struct sill_resp_session *session_of_out(struct sill_resp_encoder *e)
{
    size_t offset = offsetof(struct sill_resp_session, out);
    return (struct sill_resp_session *)(void *)((char *)e - offset);
}

/* Whether a buffer of (s) has grown, or why not. */
static bool has_grown(struct sill_resp_session *s, int rc)
{
    if (rc != 0)
        s->failure = rc;
    return rc == 0;
}

static bool more_out(struct sill_resp_encoder *e, size_t least)
{
    struct sill_resp_session *s = session_of_out(e);
    if (e->data == NULL && least <= OUT_SIZE) {
        e->data = take_buffer(s->server);
        e->size = e->data != NULL ? OUT_SIZE : 0;
        return has_grown(s, e->data != NULL ? 0 : SILL_ENOMEM);
    }
    return has_grown(s, enlarge(e, least, s->server->output_max));
}

static struct sill_resp_session *session_of_late(struct sill_resp_encoder *e)
{
    size_t offset = offsetof(struct sill_resp_session, late);
    return (struct sill_resp_session *)(void *)((char *)e - offset);
}

static bool more_late(struct sill_resp_encoder *e, size_t least)
{
    struct sill_resp_session *s = session_of_late(e);
    return has_grown(s, enlarge(e, least, s->server->output_max));
}

void sill_resp_output_init(struct sill_resp_session *s)
{
    sill_resp_encoder_init(&s->out, NULL, 0);
    sill_resp_encoder_init(&s->late, NULL, 0);
    s->out.more = more_out;
    s->late.more = more_late;
}

size_t sill_resp_output_unsent(const struct sill_resp_session *s)
{
    return s->going.used - s->gone + s->out.used + s->late.used;
}

/* ---- sending ---- */

int sill_resp_output_break(struct sill_resp_session *s, int error)
{
    if (s->broken == 0)
        s->broken = error;
    sill_stream_close(&s->base.stream);
    sill_resp_session_wake(s);
    return s->broken;
}

/* Returns whether something is left to go: if need be, what was gathered. */
static bool load(struct sill_resp_session *s)
{
    if (s->gone < s->going.used)
        return true;
    give_buffer(s->server, &s->going);
    s->gone = 0;
    if (s->out.used == 0)
        return false;
    s->going = s->out;
    s->moved += s->out.used;
    s->out.data = NULL;
    s->out.size = s->out.used = 0;
    return true;
}

/* Writes what waits, and what is gathered meanwhile: all of it, as long as the
 * peer takes some, or what fits without waiting. */
static int write_out(struct sill_resp_session *s, bool wait)
{
    while (s->broken == 0 && load(s)) {
        sill_time limit =
            wait ? sill_after(s->server->write_timeout) : SILL_PAST;
        ssize_t taken =
            sill_stream_write(&s->base.stream, s->going.data + s->gone,
                              s->going.used - s->gone, limit);
        if (taken < 0)
            return (int)taken;
        s->gone += (size_t)taken;
    }
    return s->broken;
}

static void begin_sending(struct sill_resp_session *s)
{
    s->sending = true;
    sill_trigger_init(&s->sent, NULL, NULL);
}

/* The last thing a task does with a session that is not its own. */
static void end_sending(struct sill_resp_session *s)
{
    s->sending = false;
    sill_resume(&s->sent, 0);
}

/* Sends all, with (sending) held. */
static int send_out(struct sill_resp_session *s)
{
    int rc = write_out(s, true);
    if (rc == SILL_ETIMEDOUT)
        s->server->stats.slow++;
    if (rc != 0)
        sill_resp_output_break(s, rc);
    end_sending(s);
    return rc;
}

int sill_resp_output_ask(struct sill_resp_session *s)
{
    if (s->out.error != 0)
        return sill_resp_output_break(s, s->failure);
    if (s->out.used == 0 || s->server->sends == NULL)
        return 0;
    int rc = s->server->sends(s);
    if (rc < 0)
        sill_resp_output_break(s, rc);
    return s->broken;
}

int sill_resp_output_send(struct sill_resp_session *s)
{
    int rc = s->broken;
    while (rc == 0 && s->sending)
        rc = sill_suspend(&s->sent, SILL_NEVER);
    if (rc == 0)
        rc = s->broken;
    if (rc == 0)
        rc = sill_resp_output_ask(s);
    if (rc != 0 || s->out.used == 0)
        return rc;
    begin_sending(s);
    return send_out(s);
}

static void append(struct sill_resp_encoder *e, const char *data, size_t size)
{
    if (e->error != 0 || (e->size - e->used < size && !e->more(e, size))) {
        e->error = SILL_RESP_EROOM;
        return;
    }
    memcpy(e->data + e->used, data, size);
    e->used += size;
}

void sill_resp_output_release(struct sill_resp_session *s)
{
    s->handling = false;
    if (s->late.used == 0)
        return;
    append(&s->out, s->late.data, s->late.used);
    sill_free(s->late.data);
    s->late.data = NULL;
    s->late.size = s->late.used = 0;
}

/* ---- pushing ---- */

static void add_pushed(struct sill_resp_session *s)
{
    struct sill_resp_server *server = s->server;
    if (s->pushed_link != NULL)
        return;
    s->pushed_next = server->pushed;
    s->pushed_link = &server->pushed;
    if (s->pushed_next != NULL)
        s->pushed_next->pushed_link = &s->pushed_next;
    server->pushed = s;
    sill_resume(&server->news, 0);
}

static void remove_pushed(struct sill_resp_session *s)
{
    if (s->pushed_link == NULL)
        return;
    *s->pushed_link = s->pushed_next;
    if (s->pushed_next != NULL)
        s->pushed_next->pushed_link = s->pushed_link;
    s->pushed_link = NULL;
}

uint64_t sill_resp_output_position(const struct sill_resp_session *s)
{
    return s->moved + s->out.used;
}

void sill_resp_output_nudge(struct sill_resp_session *s)
{
    if (s->out.used > 0)
        add_pushed(s);
}

/* Ends a session that is owed more than can be kept for it. */
static int give_up(struct sill_resp_session *s, int error)
{
    if (error == SILL_ENOMEM)
        s->server->stats.exhausted++;
    else
        s->server->stats.slow++;
    return sill_resp_output_break(s, error);
}

int sill_resp_push(struct sill_resp_session *session,
                   const struct sill_resp_view *strings, size_t count)
{
    struct sill_resp_encoder *e =
        session->handling ? &session->late : &session->out;
    size_t before = e->used;

    if (session->broken != 0)
        return SILL_ECLOSED;
    e->version = session->out.version;
    sill_resp_encode_push(e, count);
    for (size_t i = 0; i < count; i++)
        sill_resp_encode_string(e, strings[i]);
    if (e->error != 0) {
        e->used = before;
        return give_up(session, session->failure);
    }
    if (sill_resp_output_unsent(session) > session->server->push_max)
        return give_up(session, SILL_EMSGSIZE);
    if (session->waiting)
        add_pushed(session);
    return 0;
}

static int send_pushed(void *arg)
{
    sill_task_set_name("resp push");
    (void)send_out(arg);
    return 0;
}

/* Sends what was pushed to (s), unless it sends by itself soon. */
static void deliver(struct sill_resp_session *s)
{
    if (!s->waiting || s->sending || s->broken != 0)
        return;
    begin_sending(s);
    int rc = write_out(s, false);
    if (rc == SILL_ETIMEDOUT) {
        rc = sill_scope_spawn(&s->server->service.scope, send_pushed, s);
        if (rc == 0)
            return;
    }
    if (rc != 0)
        sill_resp_output_break(s, rc);
    end_sending(s);
}

void sill_resp_output_fini(struct sill_resp_session *s)
{
    sill_resp_output_break(s, SILL_ECLOSED);
    sill_forbid();
    while (s->sending)
        (void)!sill_suspend(&s->sent, SILL_NEVER);
    sill_permit();
    remove_pushed(s);
    give_buffer(s->server, &s->going);
    give_buffer(s->server, &s->out);
    sill_free(s->late.data);
}

int sill_resp_courier_run(void *arg)
{
    struct sill_resp_server *server = arg;

    sill_task_set_name("resp courier");
    for (;;) {
        int rc = sill_suspend(&server->news, SILL_NEVER);
        if (rc != 0)
            return rc;
        sill_trigger_init(&server->news, NULL, NULL);
        while (server->pushed != NULL) {
            struct sill_resp_session *s = server->pushed;
            remove_pushed(s);
            deliver(s);
        }
    }
}

/* ---- replies ---- */

void sill_resp_reply_simple(struct sill_resp_session *session, const char *text)
{
    sill_resp_encode_simple(&session->out, sill_resp_view(text));
}

void sill_resp_reply_error(struct sill_resp_session *session,
                           const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    sill_resp_encode_error(&session->out, sill_resp_view(text));
}

void sill_resp_reply_integer(struct sill_resp_session *session, int64_t number)
{
    sill_resp_encode_integer(&session->out, number);
}

void sill_resp_reply_string(struct sill_resp_session *session,
                            struct sill_resp_view bytes)
{
    sill_resp_encode_string(&session->out, bytes);
}

void sill_resp_reply_verbatim(struct sill_resp_session *session,
                              const char *format, struct sill_resp_view text)
{
    sill_resp_encode_verbatim(&session->out, format, text);
}

void sill_resp_reply_boolean(struct sill_resp_session *session, bool truth)
{
    sill_resp_encode_boolean(&session->out, truth);
}

void sill_resp_reply_double(struct sill_resp_session *session,
                            struct sill_resp_view text)
{
    sill_resp_encode_double(&session->out, text);
}

void sill_resp_reply_null(struct sill_resp_session *session)
{
    sill_resp_encode_null(&session->out);
}

void sill_resp_reply_null_array(struct sill_resp_session *session)
{
    sill_resp_encode_null_array(&session->out);
}

void sill_resp_reply_array(struct sill_resp_session *session, size_t count)
{
    sill_resp_encode_array(&session->out, count);
}

void sill_resp_reply_map(struct sill_resp_session *session, size_t pairs)
{
    sill_resp_encode_map(&session->out, pairs);
}

void sill_resp_reply_set(struct sill_resp_session *session, size_t count)
{
    sill_resp_encode_set(&session->out, count);
}

void sill_resp_reply_push(struct sill_resp_session *session, size_t count)
{
    sill_resp_encode_push(&session->out, count);
}
