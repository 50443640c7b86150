/* SPDX-License-Identifier: MIT */
/*
 * call_send.c: how a request is written, and written again when the connection
 * that had been kept for it turns out to be dead.
 */
#include "client.h"

#include <sill/error.h>

#include <string.h>

/* Returns whether (rc) says that the peer is gone or takes no more. */
static bool is_gone(int rc)
{
    return rc == SILL_EPIPE || rc == SILL_ECONNRESET || rc == SILL_EOF;
}

/* The port of a URL as text, when it is not the usual one. */
static struct sill_http_view port_text(char *end, unsigned port)
{
    char *at = end;
    if (port == 80)
        return (struct sill_http_view){end, 0};
    do
        *--at = (char)('0' + port % 10);
    while ((port /= 10) > 0);
    *--at = ':';
    return (struct sill_http_view){at, (size_t)(end - at)};
}

static void put_host(struct sill_http_encoder *e,
                     const struct sill_http_url *url)
{
    char port[8];
    sill_http_encode_raw(e, SILL_HTTP_VIEW("Host: "));
    sill_http_encode_raw(e, sill_http_view(url->is_ipv6 ? "[" : ""));
    sill_http_encode_raw(e, url->host);
    sill_http_encode_raw(e, sill_http_view(url->is_ipv6 ? "]" : ""));
    sill_http_encode_raw(e, port_text(port + sizeof(port), url->port));
    sill_http_encode_end(e);
}

static bool is_one_of(struct sill_http_view name,
                      const struct sill_http_view *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (sill_http_view_is_alike(name, names[i]))
            return true;
    return false;
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Those that are written here. */
static bool is_reserved(struct sill_http_view name)
{
    static const struct sill_http_view names[] = {
        SILL_HTTP_VIEW_INIT("Host"),
        SILL_HTTP_VIEW_INIT("Connection"),
        SILL_HTTP_VIEW_INIT("Content-Length"),
        SILL_HTTP_VIEW_INIT("Transfer-Encoding"),
        SILL_HTTP_VIEW_INIT("Expect"),
    };
    return is_one_of(name, names, COUNT(names));
}

/* Those that are for the first host only. */
static bool is_secret(struct sill_http_view name)
{
    static const struct sill_http_view names[] = {
        SILL_HTTP_VIEW_INIT("Authorization"),
        SILL_HTTP_VIEW_INIT("Cookie"),
        SILL_HTTP_VIEW_INIT("Proxy-Authorization"),
    };
    return is_one_of(name, names, COUNT(names));
}

/* Those that tell of a body. */
static bool is_of_body(struct sill_http_view name)
{
    const struct sill_http_view content = SILL_HTTP_VIEW("Content-");
    if (name.size < content.size)
        return false;
    name.size = content.size;
    return sill_http_view_is_alike(name, content);
}

static bool is_at_first_host(const struct sill_http_call *call)
{
    return call->url.port == call->first_url.port &&
           sill_http_view_is_alike(call->url.host, call->first_url.host);
}

/* A request that became a GET on its way has lost its body. */
static bool lost_body(const struct sill_http_call *call)
{
    const struct sill_http_call_options *options = &call->options;
    return !call->sends_body &&
           (options->streams_body || options->body_size > 0);
}

static int put_headers(struct sill_http_encoder *e,
                       const struct sill_http_call *call)
{
    bool stays = is_at_first_host(call), lost = lost_body(call);
    for (size_t i = 0; i < call->options.header_count; i++) {
        const struct sill_http_header *header = &call->options.headers[i];
        if (is_reserved(header->name))
            return SILL_EINVAL;
        if ((stays || !is_secret(header->name)) &&
            !(lost && is_of_body(header->name)))
            sill_http_encode_header(e, header->name, header->value);
    }
    return 0;
}

static bool is_chunked(const struct sill_http_call *call)
{
    return call->sends_body && call->options.streams_body &&
           call->options.length == SILL_HTTP_NO_LENGTH;
}

/* A method that usually has a body says so when it has none. */
static void put_framing(struct sill_http_encoder *e,
                        const struct sill_http_call *call)
{
    const struct sill_http_call_options *options = &call->options;
    bool usual = call->method == SILL_HTTP_POST ||
                 call->method == SILL_HTTP_PUT ||
                 call->method == SILL_HTTP_PATCH;
    if (is_chunked(call))
        sill_http_encode_raw(e,
                             SILL_HTTP_VIEW("Transfer-Encoding: chunked\r\n"));
    else if (call->sends_body || usual)
        sill_http_encode_number(e, SILL_HTTP_VIEW("Content-Length"),
                                options->streams_body ? options->length
                                                      : options->body_size);
    if (call->awaits_continue)
        sill_http_encode_raw(e, SILL_HTTP_VIEW("Expect: 100-continue\r\n"));
    if (options->ends_connection)
        sill_http_encode_raw(e, SILL_HTTP_VIEW("Connection: close\r\n"));
}

/* Writes the head of the request into its buffer. */
static int encode(struct sill_http_call *call)
{
    struct sill_http_encoder e;
    sill_http_encoder_init(&e, call->out, call->out_size);
    sill_http_encode_request(&e, call->method_text, call->url.target);
    put_host(&e, &call->url);
    int rc = put_headers(&e, call);
    put_framing(&e, call);
    sill_http_encode_end(&e);
    call->out_used = e.used;
    return e.error != 0 ? SILL_EINVAL : rc;
}

static int send_pieces(struct sill_http_call *call, struct iovec *pieces,
                       size_t count, sill_time deadline)
{
    return sill_stream_writev_all(&call->connection->stream, pieces, count,
                                  NULL, deadline);
}

/* Makes the request ready to be sent from its begin. */
static int prepare(struct sill_http_call *call)
{
    const struct sill_http_call_options *options = &call->options;
    sill_http_call_rewind(call);
    call->awaits_continue = options->expects_continue && call->sends_body;
    call->stage =
        call->sends_body && (options->streams_body || call->awaits_continue)
            ? SILL_HTTP_SENDING
            : SILL_HTTP_AWAITING;
    call->left = options->length;
    call->unsent = 0;
    return encode(call);
}

/* Sends the head, and the body unless that comes later. */
static int send_request(struct sill_http_call *call, sill_time deadline)
{
    const struct sill_http_call_options *options = &call->options;
    bool whole = call->sends_body && call->stage == SILL_HTTP_AWAITING;
    struct iovec pieces[] = {
        {call->out, call->out_used},
        {(void *)(uintptr_t)options->body, whole ? options->body_size : 0}};
    call->out_used = 0;
    int rc = send_pieces(call, pieces, 2, deadline);
    if (rc == 0 && call->awaits_continue)
        call->continue_deadline = sill_after(call->client->continue_timeout);
    return rc;
}

static int launch(struct sill_http_call *call, bool fresh, sill_time deadline)
{
    int rc = prepare(call);
    if (rc == 0)
        rc = sill_http_connection_take(call, fresh, deadline);
    return rc == 0 ? send_request(call, deadline) : rc;
}

bool sill_http_call_may_move(const struct sill_http_call *call, int rc)
{
    return is_gone(rc) && call->reused && !call->heard &&
           !call->options.streams_body &&
           sill_http_method_is_idempotent(call->method);
}

/* A peer that takes no more may have said why: that is for later. */
static int settle(struct sill_http_call *call, int rc)
{
    if (call->connection == NULL || !is_gone(rc))
        return rc;
    call->unsent = rc;
    call->stage = SILL_HTTP_AWAITING;
    return 0;
}

int sill_http_call_move(struct sill_http_call *call, sill_time deadline)
{
    sill_http_connection_drop(call);
    call->client->stats.retries++;
    return settle(call, launch(call, true, deadline));
}

int sill_http_call_launch(struct sill_http_call *call, sill_time deadline)
{
    int rc = launch(call, false, deadline);
    if (call->connection != NULL && sill_http_call_may_move(call, rc))
        return sill_http_call_move(call, deadline);
    return settle(call, rc);
}

/*
 * Waits for the answer to Expect, but not for ever: a peer may not know the
 * question. Returns 0 to send the body, SILL_EPIPE when the response is there.
 */
static int await_continue(struct sill_http_call *call, sill_time deadline)
{
    while (call->awaits_continue) {
        bool first = call->continue_deadline <= deadline;
        int rc = sill_http_call_read_head(call, first ? call->continue_deadline
                                                      : deadline);
        if (rc == SILL_ETIMEDOUT && first)
            break;
        if (rc < 0)
            return rc;
        if (call->head.status >= 200) {
            call->stage = SILL_HTTP_ANSWERED;
            call->unsent = SILL_EPIPE;
            return SILL_EPIPE;
        }
        call->awaits_continue = call->head.status != 100;
    }
    call->awaits_continue = false;
    return 0;
}

/* Sends pieces of the body; the head has gone. */
static int send_body(struct sill_http_call *call, struct iovec *pieces,
                     size_t count, sill_time deadline)
{
    int rc = await_continue(call, deadline);
    if (rc < 0)
        return rc;
    rc = send_pieces(call, pieces, count, deadline);
    if (is_gone(rc)) {
        call->unsent = rc;
        call->stage = SILL_HTTP_AWAITING;
        return SILL_EPIPE;
    }
    return rc < 0 ? sill_http_call_fail(call, rc) : 0;
}

static int write_chunk(struct sill_http_call *call, const void *data,
                       size_t size, sill_time deadline)
{
    char line[20];
    struct sill_http_encoder e;
    sill_http_encoder_init(&e, line, sizeof(line));
    sill_http_encode_chunk(&e, size);
    struct iovec pieces[] = {{line, e.used},
                             {(void *)(uintptr_t)data, size},
                             {(void *)(uintptr_t) "\r\n", 2}};
    return send_body(call, pieces, 3, deadline);
}

static int write_part(struct sill_http_call *call, const void *data,
                      size_t size, sill_time deadline)
{
    struct iovec piece = {(void *)(uintptr_t)data, size};
    if (size > call->left)
        return SILL_EMSGSIZE;
    int rc = send_body(call, &piece, 1, deadline);
    if (rc == 0)
        call->left -= size;
    return rc;
}

int sill_http_call_write(struct sill_http_call *call, const void *data,
                         size_t size, sill_time deadline)
{
    if (call->failure != 0)
        return call->failure;
    if (!call->options.streams_body)
        return SILL_EINVAL;
    if (call->stage != SILL_HTTP_SENDING)
        return call->unsent != 0 ? SILL_EPIPE : SILL_EINVAL;
    if (size == 0)
        return 0;
    return is_chunked(call) ? write_chunk(call, data, size, deadline)
                            : write_part(call, data, size, deadline);
}

int sill_http_call_add_trailer(struct sill_http_call *call, const char *name,
                               const char *value)
{
    struct sill_http_encoder e;
    if (!is_chunked(call) || call->stage != SILL_HTTP_SENDING ||
        is_reserved(sill_http_view(name)))
        return SILL_EINVAL;
    sill_http_encoder_init(&e, call->out + call->out_used,
                           TRAILERS_MAX - call->out_used);
    sill_http_encode_header(&e, sill_http_view(name), sill_http_view(value));
    if (e.error != 0)
        return e.error == SILL_HTTP_EROOM ? SILL_EMSGSIZE : SILL_EINVAL;
    call->out_used += e.used;
    return 0;
}

/* Sends the rest of the body: all of one in one piece, the end of one in
 * chunks. */
static int send_rest(struct sill_http_call *call, sill_time deadline)
{
    const struct sill_http_call_options *options = &call->options;
    struct iovec end[] = {{(void *)(uintptr_t) "0\r\n", 3},
                          {call->out, call->out_used},
                          {(void *)(uintptr_t) "\r\n", 2}};
    struct iovec body = {(void *)(uintptr_t)options->body, options->body_size};
    if (is_chunked(call))
        return send_body(call, end, 3, deadline);
    if (!options->streams_body)
        return send_body(call, &body, 1, deadline);
    return call->left > 0 ? SILL_EINVAL : 0;
}

int sill_http_call_finish(struct sill_http_call *call, sill_time deadline)
{
    if (call->stage != SILL_HTTP_SENDING)
        return 0;
    int rc = send_rest(call, deadline);
    if (rc == 0)
        call->stage = SILL_HTTP_AWAITING;
    return rc == SILL_EPIPE ? 0 : rc;
}
