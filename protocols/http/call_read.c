/* SPDX-License-Identifier: MIT */
/*
 * call_read.c: how a response is read, through one buffer.
 */
#include "client.h"

#include <sill/error.h>

#include <string.h>

static void expect_head(struct sill_http_call *call)
{
    sill_http_head_init(&call->head, SILL_HTTP_RESPONSE, call->headers,
                        &call->client->limits);
    call->head.method = call->method;
    call->passed = false;
}

void sill_http_call_rewind(struct sill_http_call *call)
{
    call->head_size = call->begin = call->end = 0;
    call->interims = 0;
    call->heard = false;
    call->has_trailers = false;
    expect_head(call);
}

/* A fault of the peer: a bound that it broke, or else the protocol. */
static int fault(struct sill_http_call *call, int error)
{
    call->error = error;
    switch (error) {
    case SILL_HTTP_ELINE_SIZE:
    case SILL_HTTP_EHEADERS:
    case SILL_HTTP_EHEADER_SIZE:
    case SILL_HTTP_EBODY_SIZE:
    case SILL_HTTP_ECHUNK_LINE:
        return sill_http_call_fail(call, SILL_EMSGSIZE);
    default:
        return sill_http_call_fail(call, SILL_EPROTO);
    }
}

/* Reads 1 to (size) bytes. Waiting in vain may be tried again, all else is
 * final. */
static ssize_t receive(struct sill_http_call *call, void *buffer, size_t size,
                       sill_time deadline)
{
    ssize_t got =
        sill_stream_read(&call->connection->stream, buffer, size, deadline);
    if (got > 0) {
        call->heard = true;
        return got;
    }
    if (got == SILL_ECANCELED || got == SILL_ETIMEDOUT)
        return got;
    return sill_http_call_fail(call, got == 0 ? SILL_EOF : (int)got);
}

/* Reads behind what is in the window. */
static int fill(struct sill_http_call *call, sill_time deadline)
{
    if (call->begin == call->end) {
        call->begin = call->end = call->head_size;
    } else if (call->end == call->in_size) {
        memmove(call->in + call->head_size, call->in + call->begin,
                call->end - call->begin);
        call->end -= call->begin - call->head_size;
        call->begin = call->head_size;
    }
    ssize_t got = receive(call, call->in + call->end, call->in_size - call->end,
                          deadline);
    if (got < 0)
        return (int)got;
    call->end += (size_t)got;
    return 0;
}

/* Takes a head 1xx out of the buffer; only its status can be looked at. */
static int pass(struct sill_http_call *call, size_t size)
{
    call->end -= size;
    memmove(call->in, call->in + size, call->end);
    call->passed = true;
    if (call->head.status == 101) /* nobody asked to switch protocols */
        return fault(call, SILL_HTTP_ESTATUS);
    return ++call->interims > INTERIM_MAX
               ? sill_http_call_fail(call, SILL_EMSGSIZE)
               : 0;
}

static int take_head(struct sill_http_call *call, size_t size)
{
    if (call->head.status < 200)
        return pass(call, size);
    call->head_size = call->begin = size;
    sill_http_body_init(&call->body, &call->head);
    return 0;
}

int sill_http_call_read_head(struct sill_http_call *call, sill_time deadline)
{
    if (call->passed)
        expect_head(call);
    for (;;) {
        ssize_t size = sill_http_head_parse(&call->head, call->in, call->end);
        if (size < 0)
            return fault(call, (int)size);
        if (size > 0)
            return take_head(call, (size_t)size);
        int rc = fill(call, deadline);
        if (rc < 0)
            return rc;
    }
}

static int read_trailers(struct sill_http_call *call, sill_time deadline)
{
    if (!call->has_trailers)
        sill_http_head_init(&call->trailers, SILL_HTTP_TRAILERS,
                            call->trailer_headers, &call->client->limits);
    call->has_trailers = true;
    ssize_t size = sill_http_head_parse(&call->trailers, call->in + call->begin,
                                        call->end - call->begin);
    if (size < 0)
        return fault(call, (int)size);
    if (size == 0)
        return fill(call, deadline);
    call->begin += (size_t)size;
    sill_http_body_end(&call->body);
    return 0;
}

/* Large pieces need not pass through the window. */
static ssize_t read_past(struct sill_http_call *call, void *buffer, size_t size,
                         sill_time deadline)
{
    uint64_t due = sill_http_body_due(&call->body);
    if (call->begin != call->end || size < WINDOW_MIN || due < WINDOW_MIN)
        return 0;
    ssize_t got =
        receive(call, buffer, due < size ? (size_t)due : size, deadline);
    if (got > 0)
        sill_http_body_skip(&call->body, (uint64_t)got);
    return got;
}

/* Takes what the window shows of the body, or reads on. Returns how many bytes
 * went to (buffer). */
static ssize_t read_through(struct sill_http_call *call, void *buffer,
                            size_t size, sill_time deadline)
{
    struct sill_http_view piece;
    size_t taken, here = call->end - call->begin;
    int found = sill_http_body_next(&call->body, call->in + call->begin,
                                    here < size ? here : size, &piece, &taken);
    if (found < 0)
        return fault(call, found);
    call->begin += taken;
    if (found == SILL_HTTP_TRAILER)
        return read_trailers(call, deadline);
    if (found == SILL_HTTP_MORE)
        return call->begin < call->end ? 0 : fill(call, deadline);
    if (piece.size > 0)
        memcpy(buffer, piece.at, piece.size);
    return (ssize_t)piece.size;
}

/* The end of the connection may be the end of the body. */
static ssize_t ended(struct sill_http_call *call, ssize_t rc)
{
    if (rc != SILL_EOF || call->body.framing != SILL_HTTP_UNTIL_CLOSE)
        return rc;
    sill_http_body_end(&call->body);
    call->failure = 0;
    return 0;
}

ssize_t sill_http_call_read(struct sill_http_call *call, void *buffer,
                            size_t size, sill_time deadline)
{
    if (call->failure != 0)
        return call->failure;
    if (!call->settled)
        return SILL_EINVAL;
    ssize_t got = 0;
    while (got == 0 && size > 0 && !call->body.ended) {
        got = read_past(call, buffer, size, deadline);
        if (got == 0)
            got = read_through(call, buffer, size, deadline);
        if (got < 0)
            got = ended(call, got);
    }
    return got;
}

bool sill_http_call_drain(struct sill_http_call *call)
{
    size_t dropped = 0;
    ssize_t got = 1;
    call->settled = true;
    while (got > 0 && dropped < DRAINED_MAX) {
        got = sill_http_call_read(call, call->out, call->out_size, SILL_PAST);
        dropped += got > 0 ? (size_t)got : 0;
    }
    return got == 0 && call->begin == call->end;
}

struct sill_http_view sill_http_call_trailer(const struct sill_http_call *call,
                                             const char *name)
{
    if (!call->settled || !call->body.ended || !call->has_trailers)
        return (struct sill_http_view){NULL, 0};
    return sill_http_header_find(call->trailers.headers,
                                 call->trailers.header_count, name);
}
