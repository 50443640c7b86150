/* SPDX-License-Identifier: MIT */
/*
 * connection.c: the life of one connection, a task: a head, its handler, the
 * rest of its body, and the next head, until one side has had enough.
 */
#include "server.h"

#include <sill/error.h>
#include <sill/hooks.h>
#include <sill/task.h>

#include <string.h>

#define LINGER_TIME (2 * SILL_SECOND)

enum { PATIENT = 15 }; /* connections that one without a request stands for */

struct sill_http_exchange *
sill_http_connection_open(struct sill_http_server *server)
{
    struct sill_http_exchange *x = sill_alloc(sizeof(*x));
    if (x == NULL)
        return NULL;

    memset(x, 0, sizeof(*x));
    x->server = server;
    x->patience = server->write_timeout;
    x->is_new = true;
    return x;
}

void sill_http_connection_close(struct sill_http_exchange *x)
{
    sill_stream_close(&x->base.stream);
    sill_http_buffers_give(x);
    sill_free(x);
}

static ssize_t fill(struct sill_http_exchange *x, sill_time limit)
{
    ssize_t got = sill_stream_read(&x->base.stream, x->in + x->end,
                                   x->in_size - x->end, limit);
    if (got > 0)
        x->end += (size_t)got;
    return got;
}

/* Waits with no buffer in hand, where the stream can tell. */
static ssize_t fill_when_ready(struct sill_http_exchange *x, sill_time limit)
{
    sill_http_buffers_give(x);
    x->base.idle = true;
    int rc = sill_stream_wait(&x->base.stream, limit);
    x->base.idle = rc == SILL_EOPNOTSUPP;
    if (rc == 0 || rc == SILL_EOPNOTSUPP)
        rc = sill_http_buffers_take(x);
    ssize_t got = rc != 0 ? rc : fill(x, limit);
    x->base.idle = false;
    return got;
}

/* To a busy server a new connection has brought its first request along, which
 * saves a wait; to an idle one it has not. The last one tells which it is. */
static ssize_t fill_at_once(struct sill_http_exchange *x)
{
    struct sill_http_server *server = x->server;
    x->is_new = false;
    if (server->patient > 0) {
        server->patient--;
        return SILL_ETIMEDOUT;
    }
    int rc = sill_http_buffers_take(x);
    ssize_t got = rc != 0 ? rc : fill(x, SILL_PAST);
    server->patient = got == SILL_ETIMEDOUT ? PATIENT : 0;
    return got;
}

/* Reads the first bytes of a head, or the news that there will be none. */
static ssize_t receive_first(struct sill_http_exchange *x)
{
    struct sill_http_server *server = x->server;
    ssize_t got = SILL_ETIMEDOUT;

    x->begin = x->end = 0;
    if (x->is_new)
        got = fill_at_once(x);
    if (got == SILL_ETIMEDOUT)
        got = fill_when_ready(x, server->service.draining
                                     ? SILL_PAST
                                     : sill_after(server->idle_timeout));
    if (server->log != NULL)
        x->start = sill_now();
    return got;
}

/* Reads more of a head, or the first of it. Returns what sill_stream_read
 * does; the deadline of a head begins when it does. */
static ssize_t receive(struct sill_http_exchange *x, sill_time *limit)
{
    int rc = sill_http_response_flush(x, SILL_NEVER);
    if (rc != 0)
        return rc;

    if (x->begin == x->end)
        return receive_first(x);
    if (*limit == 0)
        *limit = sill_after(x->server->head_timeout);
    if (x->end == x->in_size) {
        memmove(x->in, x->in + x->begin, x->end - x->begin);
        x->end -= x->begin;
        x->begin = 0;
    }
    return fill(x, *limit);
}

/* Returns the size of the next head; 0 when there is none, with the connection
 * at its end; or the error of a bad one. */
static ssize_t receive_head(struct sill_http_exchange *x)
{
    sill_time limit = 0;
    ssize_t size = 0;

    sill_http_head_init(&x->head, SILL_HTTP_REQUEST, x->head.headers,
                        &x->server->limits);
    for (;;) {
        if (x->begin < x->end)
            size = sill_http_head_parse(&x->head, x->in + x->begin,
                                        x->end - x->begin);
        if (size != 0)
            break;
        ssize_t got = receive(x, &limit);
        if (got == SILL_ETIMEDOUT && x->begin < x->end)
            return got;
        if (got <= 0) {
            x->broken = x->broken != 0 ? x->broken : SILL_ECLOSED;
            break;
        }
    }
    return size;
}

static void record(struct sill_http_exchange *x,
                   const struct sill_http_head *request)
{
    struct sill_http_server *server = x->server;
    if (server->log == NULL)
        return;
    struct sill_address peer = {.family = SILL_FAMILY_NONE};
    if (sill_http_request_peer(x, &peer) != 0)
        peer.family = SILL_FAMILY_NONE;
    struct sill_http_record record = {
        .request = request,
        .peer = &peer,
        .status = x->status,
        .sent = x->sent,
        .duration = sill_now() - x->start,
    };
    server->log(server->arg, &record);
}

/* Answers what was no request. */
static void refuse(struct sill_http_exchange *x, int error)
{
    if (error == SILL_ETIMEDOUT)
        x->server->stats.late++;
    else
        x->server->stats.rejected++;
    x->head.method = SILL_HTTP_OTHER;
    x->head.minor = 1;
    x->linger = true;
    sill_http_response_reject(
        x, error == SILL_ETIMEDOUT ? 408 : sill_http_error_status(error));
    record(x, NULL);
}

/* Makes room behind the head for the body that follows it. */
static void make_window(struct sill_http_exchange *x, size_t head_size)
{
    if (x->head.framing == SILL_HTTP_NO_BODY ||
        x->in_size - x->begin >= sill_http_window_size(&x->server->limits))
        return;
    size_t from = x->begin - head_size;
    memmove(x->in, x->in + from, x->end - from);
    sill_http_head_move(&x->head, x->in);
    x->begin -= from;
    x->end -= from;
}

/* The handler failed with (error): says so if it still can. */
static void answer_for_handler(struct sill_http_exchange *x, int error)
{
    bool is_peers = x->body_failure != 0 && x->body_status != 0;
    if (x->broken != 0)
        return;
    if (error == SILL_ECANCELED || !x->is_revocable) {
        x->broken = error;
    } else {
        x->linger = true;
        sill_http_response_reject(x, is_peers ? x->body_status : 500);
    }
    if (!is_peers && error != SILL_ECANCELED)
        x->server->stats.failed++;
}

static void serve_request(struct sill_http_exchange *x, size_t head_size)
{
    struct sill_http_server *server = x->server;

    x->begin += head_size;
    x->keep = x->head.keep_alive;
    make_window(x, head_size);
    sill_http_request_start(x);
    sill_http_response_start(x);
    server->stats.requests++;

    int rc = server->handler(server->arg, x);
    if (rc >= 0)
        rc = sill_http_response_end(x);
    if (rc < 0)
        answer_for_handler(x, rc);
    if (x->broken == 0 && x->keep && sill_http_request_discard(x) != 0)
        x->keep = false;
    record(x, &x->head);
}

static bool exchange(struct sill_http_exchange *x)
{
    ssize_t size = receive_head(x);
    if (size <= 0) {
        if (size < 0)
            refuse(x, (int)size);
        return false;
    }
    if (x->out_used > COALESCED_MAX &&
        sill_http_response_push(x, NULL, 0, SILL_NEVER) != 0)
        return false;
    serve_request(x, (size_t)size);
    if (!x->keep)
        x->linger = x->linger || x->head.keep_alive || x->begin < x->end ||
                    (x->head.framing != SILL_HTTP_NO_BODY && !x->body.ended);
    return x->keep && x->broken == 0;
}

/*
 * A close with bytes unread resets the connection, and the peer might never
 * see the answer: reads on for a while.
 */
static void linger(struct sill_http_exchange *x)
{
    sill_time limit = sill_after(LINGER_TIME);
    size_t total = 0;

    if (sill_stream_shutdown(&x->base.stream, limit) != 0)
        return;
    while (total < LINGERED_MAX) {
        ssize_t got =
            sill_stream_read(&x->base.stream, x->in, x->in_size, limit);
        if (got <= 0)
            return;
        total += (size_t)got;
    }
}

void sill_http_connection_run(struct sill_http_exchange *x)
{
    sill_task_set_name("http connection");
    while (exchange(x))
        continue;
    if (x->broken == 0 && sill_http_response_flush(x, SILL_NEVER) == 0 &&
        x->linger)
        linger(x);
}
