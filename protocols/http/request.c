/* SPDX-License-Identifier: MIT */
/*
 * request.c: what a handler may ask of its request, above all the body, which
 * it reads at its own pace and the server within its own deadline.
 */
#include "server.h"

#include <sill/error.h>

#include <string.h>

const struct sill_http_head *
sill_http_request(const struct sill_http_exchange *exchange)
{
    return &exchange->head;
}

struct sill_http_view
sill_http_request_header(const struct sill_http_exchange *exchange,
                         const char *name)
{
    return sill_http_header_find(exchange->head.headers,
                                 exchange->head.header_count, name);
}

struct sill_http_view
sill_http_request_trailer(const struct sill_http_exchange *exchange,
                          const char *name)
{
    if (!exchange->body.ended || !exchange->has_trailers)
        return (struct sill_http_view){NULL, 0};
    return sill_http_header_find(exchange->trailers.headers,
                                 exchange->trailers.header_count, name);
}

int sill_http_request_peer(struct sill_http_exchange *exchange,
                           struct sill_address *address)
{
    if (!exchange->peer_is_known) {
        int rc = sill_stream_peer(&exchange->base.stream, &exchange->peer);
        if (rc != 0)
            return SILL_ENOTCONN;
        exchange->peer_is_known = true;
    }
    *address = exchange->peer;
    return 0;
}

void sill_http_request_start(struct sill_http_exchange *x)
{
    sill_http_body_init(&x->body, &x->head);
    x->body_begin = x->begin;
    x->body_deadline = 0;
    x->received = 0;
    x->body_failure = 0;
    x->has_trailers = false;
    x->is_awaited = x->head.expects_continue && x->begin == x->end;
}

static int fail(struct sill_http_exchange *x, int error, int status)
{
    x->body_failure = error;
    x->body_status = status;
    return error;
}

static int fail_message(struct sill_http_exchange *x, int error)
{
    x->server->stats.rejected++;
    return fail(x, error == SILL_HTTP_EBODY_SIZE ? SILL_EMSGSIZE : SILL_EPROTO,
                sill_http_error_status(error));
}

/* The whole body has a time, and every body_rate bytes of content, framing does
 * not count, give it a second. */
static sill_time body_limit(struct sill_http_exchange *x)
{
    if (x->body_deadline == 0)
        x->body_deadline = sill_after(x->server->body_timeout);
    uint64_t earned = x->received / x->server->body_rate;
    sill_time left = (SILL_NEVER - x->body_deadline) / SILL_SECOND;
    if (earned > (uint64_t)left)
        return SILL_NEVER;
    return x->body_deadline + (sill_time)earned * SILL_SECOND;
}

/* Nobody sends a body who still waits for something from here. */
static int invite(struct sill_http_exchange *x, sill_time deadline)
{
    static char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
    struct iovec line = {text, sizeof(text) - 1};
    bool is_due = x->is_awaited && x->phase == WAITING;

    x->is_awaited = false;
    if (!is_due && x->out_used == 0)
        return 0;
    return sill_http_response_push(x, &line, is_due ? 1 : 0, deadline);
}

/* Reads from the stream, for the body. */
static ssize_t receive(struct sill_http_exchange *x, void *buffer, size_t size,
                       sill_time deadline)
{
    int rc = invite(x, deadline);
    if (rc != 0)
        return fail(x, rc, 0);

    sill_time limit = body_limit(x);
    ssize_t got = sill_stream_read(&x->base.stream, buffer, size,
                                   earlier(limit, deadline));
    if (got > 0)
        return got;
    if (got == 0)
        return fail(x, SILL_EOF, 400);
    if (got == SILL_ECANCELED || (got == SILL_ETIMEDOUT && deadline < limit))
        return got;
    if (got != SILL_ETIMEDOUT)
        return x->broken = fail(x, (int)got, 0);
    x->server->stats.late++;
    return fail(x, SILL_ETIMEDOUT, 408);
}

/* Reads behind what is in the window. */
static int fill(struct sill_http_exchange *x, sill_time deadline)
{
    if (x->begin == x->end) {
        x->begin = x->end = x->body_begin;
    } else if (x->end == x->in_size) {
        memmove(x->in + x->body_begin, x->in + x->begin, x->end - x->begin);
        x->end -= x->begin - x->body_begin;
        x->begin = x->body_begin;
    }
    ssize_t got = receive(x, x->in + x->end, x->in_size - x->end, deadline);
    if (got < 0)
        return (int)got;
    x->end += (size_t)got;
    return 0;
}

static int read_trailers(struct sill_http_exchange *x, sill_time deadline)
{
    if (!x->has_trailers)
        sill_http_head_init(&x->trailers, SILL_HTTP_TRAILERS,
                            x->trailer_headers, &x->server->limits);
    x->has_trailers = true;
    ssize_t size =
        sill_http_head_parse(&x->trailers, x->in + x->begin, x->end - x->begin);
    if (size < 0)
        return fail_message(x, (int)size);
    if (size == 0)
        return fill(x, deadline);
    x->begin += (size_t)size;
    sill_http_body_end(&x->body);
    return 0;
}

/* Large pieces need not pass through the window. */
static ssize_t read_past(struct sill_http_exchange *x, void *buffer,
                         size_t size, sill_time deadline)
{
    uint64_t due = sill_http_body_due(&x->body);
    if (x->begin != x->end || size < BODY_WINDOW_MIN || due < BODY_WINDOW_MIN)
        return 0;
    ssize_t got = receive(x, buffer, due < size ? (size_t)due : size, deadline);
    if (got > 0) {
        sill_http_body_skip(&x->body, (uint64_t)got);
        x->received += (uint64_t)got;
    }
    return got;
}

/* Takes what the window shows: a piece, or the news that there is none. */
static int take(struct sill_http_exchange *x, void *buffer, size_t size,
                size_t *count)
{
    struct sill_http_view piece;
    size_t taken, here = x->end - x->begin;
    int found = sill_http_body_next(&x->body, x->in + x->begin,
                                    here < size ? here : size, &piece, &taken);
    if (found < 0)
        return fail_message(x, found);
    x->begin += taken;
    *count = piece.size;
    x->received += piece.size;
    if (found == SILL_HTTP_PIECE)
        memcpy(buffer, piece.at, piece.size);
    return found;
}

ssize_t sill_http_request_read(struct sill_http_exchange *exchange,
                               void *buffer, size_t size, sill_time deadline)
{
    struct sill_http_exchange *x = exchange;
    if (x->body_failure != 0)
        return x->body_failure;
    if (size == 0 || x->body.ended)
        return 0;

    ssize_t got = read_past(x, buffer, size, deadline);
    while (got == 0) {
        size_t count = 0;
        int found = take(x, buffer, size, &count);
        if (found == SILL_HTTP_PIECE)
            return (ssize_t)count;
        if (found == SILL_HTTP_END)
            return 0;
        if (found == SILL_HTTP_TRAILER)
            got = read_trailers(x, deadline);
        else if (found == SILL_HTTP_MORE)
            got = x->begin < x->end ? 0 : fill(x, deadline);
        else
            got = found;
    }
    return got;
}

int sill_http_request_discard(struct sill_http_exchange *x)
{
    if (x->head.framing == SILL_HTTP_NO_BODY || x->body.ended)
        return 0;
    if (x->is_awaited || sill_http_body_due(&x->body) > DISCARDED_MAX)
        return SILL_EMSGSIZE;

    char scratch[512];
    size_t total = 0;
    while (total < DISCARDED_MAX) {
        ssize_t got =
            sill_http_request_read(x, scratch, sizeof(scratch), SILL_NEVER);
        if (got <= 0)
            return (int)got;
        total += (size_t)got;
    }
    return SILL_EMSGSIZE;
}
