/* SPDX-License-Identifier: MIT */
/*
 * call.c: one call, from its URL to the connection that it leaves behind.
 */
#include "client.h"

#include <sill/error.h>
#include <sill/hooks.h>

#include <string.h>

static uint32_t or_usual(uint32_t value, uint32_t usual)
{
    return value != 0 ? value : usual;
}

static void complete_limits(struct sill_http_limits *limits)
{
    const struct sill_http_limits usual = SILL_HTTP_LIMITS_INIT;
    limits->line = or_usual(limits->line, usual.line);
    limits->headers = or_usual(limits->headers, usual.headers);
    limits->header_bytes = or_usual(limits->header_bytes, usual.header_bytes);
    limits->chunk_line = or_usual(limits->chunk_line, usual.chunk_line);
    limits->trailer_bytes =
        or_usual(limits->trailer_bytes, usual.trailer_bytes);
    limits->body = limits->body != 0 ? limits->body : usual.body;
}

static void complete(struct sill_http_client *client)
{
    complete_limits(&client->limits);
    if (client->idle_max == 0)
        client->idle_max = 32;
    if (client->idle_per_host == 0)
        client->idle_per_host = 4;
    if (client->idle_timeout == 0)
        client->idle_timeout = 60 * SILL_SECOND;
    if (client->continue_timeout == 0)
        client->continue_timeout = SILL_SECOND;
}

static size_t in_size(const struct sill_http_limits *limits)
{
    size_t window = limits->trailer_bytes;
    if (window < WINDOW_MIN)
        window = WINDOW_MIN;
    return (size_t)limits->line + limits->header_bytes + 2 + window;
}

/* What a request can come to; also enough for a URL, and for trailers. */
static size_t out_size(const struct sill_http_call_options *options)
{
    size_t size = REQUEST_MAX + SILL_HTTP_URL_MAX;
    size += sill_http_view(options->method).size;
    for (size_t i = 0; i < options->header_count; i++)
        size +=
            options->headers[i].name.size + options->headers[i].value.size + 4;
    return size;
}

/* Makes a call and all its buffers, in one block. */
static struct sill_http_call *
call_alloc(struct sill_http_client *client,
           const struct sill_http_call_options *options)
{
    const struct sill_http_limits *limits = &client->limits;
    size_t headers = limits->headers * sizeof(struct sill_http_header);
    size_t in = in_size(limits), out = out_size(options);
    struct sill_http_call *call =
        sill_alloc(sizeof(*call) + 2 * headers + in + out);
    if (call == NULL)
        return NULL;
    memset(call, 0, sizeof(*call));
    call->client = client;
    call->options = *options;
    call->headers = (struct sill_http_header *)(call + 1);
    call->trailer_headers = call->headers + limits->headers;
    call->in = (char *)(call->trailer_headers + limits->headers);
    call->in_size = in;
    call->out = call->in + in;
    call->out_size = out;
    return call;
}

static void free_text(struct sill_http_view text)
{
    sill_free((void *)(uintptr_t)text.at);
}

int sill_http_call_aim(struct sill_http_call *call, struct sill_http_view url)
{
    if (call->url_text.at != call->first_url_text.at)
        free_text(call->url_text);
    call->url_text = url;
    int rc = sill_http_url_parse(&call->url, url);
    return rc < 0 ? SILL_EINVAL : 0;
}

/* Copies (url), with the path that it may have left out. */
static int aim_first(struct sill_http_call *call, const char *url)
{
    struct sill_http_url parts;
    if (sill_http_url_parse(&parts, sill_http_view(url)) < 0)
        return SILL_EINVAL;
    ssize_t size = sill_http_url_resolve(&parts, SILL_HTTP_VIEW(""), call->out,
                                         SILL_HTTP_URL_MAX);
    if (size < 0)
        return SILL_EINVAL;
    char *text = sill_alloc((size_t)size);
    if (text == NULL)
        return SILL_ENOMEM;
    memcpy(text, call->out, (size_t)size);
    call->first_url_text = (struct sill_http_view){text, (size_t)size};
    int rc = sill_http_call_aim(call, call->first_url_text);
    call->first_url = call->url;
    return rc;
}

static int set_method(struct sill_http_call *call)
{
    const struct sill_http_call_options *options = &call->options;
    call->method_text =
        sill_http_view(options->method == NULL ? "GET" : options->method);
    call->method = sill_http_method_find(call->method_text);
    call->sends_body = options->streams_body || options->body_size > 0;
    return call->method == SILL_HTTP_CONNECT ? SILL_EINVAL : 0;
}

int sill_http_call_open(struct sill_http_client *client, const char *url,
                        const struct sill_http_call_options *options,
                        struct sill_http_call **call, sill_time deadline)
{
    const struct sill_http_call_options none = {0};
    *call = NULL;
    complete(client);
    struct sill_http_call *made =
        call_alloc(client, options == NULL ? &none : options);
    if (made == NULL)
        return SILL_ENOMEM;
    int rc = set_method(made);
    if (rc == 0)
        rc = aim_first(made, url);
    if (rc == 0)
        rc = sill_http_call_launch(made, deadline);
    if (rc < 0) {
        sill_http_call_fail(made, rc);
        sill_http_call_close(made);
        return rc;
    }
    *call = made;
    return 0;
}

/* Ends the request and reads heads until one is not 1xx. */
static int exchange(struct sill_http_call *call, sill_time deadline)
{
    int rc = sill_http_call_finish(call, deadline);
    while (rc == 0 && call->stage != SILL_HTTP_ANSWERED) {
        rc = sill_http_call_read_head(call, deadline);
        if (rc == 0 && call->head.status >= 200)
            call->stage = SILL_HTTP_ANSWERED;
    }
    return rc;
}

static int answer(struct sill_http_call *call, sill_time deadline)
{
    int rc = exchange(call, deadline);
    if (rc == 0 || !sill_http_call_may_move(call, rc))
        return rc;
    rc = sill_http_call_move(call, deadline);
    if (rc < 0)
        return sill_http_call_fail(call, rc);
    call->failure = 0;
    return exchange(call, deadline);
}

int sill_http_call_response(struct sill_http_call *call,
                            const struct sill_http_head **head,
                            sill_time deadline)
{
    int rc = call->failure;
    while (rc == 0 && !call->settled) {
        rc = answer(call, deadline);
        if (rc == 0 && sill_http_call_is_redirected(call))
            rc = sill_http_call_redirect(call, deadline);
        else
            call->settled = rc == 0;
    }
    if (rc == 0)
        *head = &call->head;
    return rc;
}

struct sill_http_view sill_http_call_url(const struct sill_http_call *call)
{
    return call->url_text;
}

int sill_http_call_error(const struct sill_http_call *call)
{
    return call->error;
}

/* Whether both sides are done and want to go on. */
static bool is_sound(struct sill_http_call *call)
{
    return call->failure == 0 && call->stage == SILL_HTTP_ANSWERED &&
           call->unsent == 0 && call->head.keep_alive &&
           !call->options.ends_connection && sill_http_call_drain(call);
}

void sill_http_call_leave(struct sill_http_call *call)
{
    if (call->connection == NULL)
        return;
    if (is_sound(call))
        sill_http_connection_keep(call);
    else
        sill_http_connection_drop(call);
    call->settled = false;
    call->failure = call->error = 0;
}

void sill_http_call_close(struct sill_http_call *call)
{
    if (call == NULL)
        return;
    sill_http_call_leave(call);
    if (call->url_text.at != call->first_url_text.at)
        free_text(call->url_text);
    free_text(call->first_url_text);
    sill_free(call);
}
