/* SPDX-License-Identifier: MIT */
/*
 * call_redirect.c: going where a response says (RFC 9110 section 15.4).
 */
#include "client.h"

#include <sill/error.h>
#include <sill/hooks.h>

#include <string.h>

/* Returns whether the request goes on as a GET without a body. */
static bool becomes_get(const struct sill_http_call *call)
{
    int status = call->head.status;
    if (status == 303)
        return call->method != SILL_HTTP_HEAD;
    return (status == 301 || status == 302) && call->method == SILL_HTTP_POST;
}

static struct sill_http_view location(const struct sill_http_call *call)
{
    return sill_http_header_find(call->head.headers, call->head.header_count,
                                 "Location");
}

bool sill_http_call_is_redirected(const struct sill_http_call *call)
{
    int status = call->head.status;
    bool away = status == 301 || status == 302 || status == 303 ||
                status == 307 || status == 308;
    bool streamed = call->sends_body && call->options.streams_body;
    return away && call->options.redirects_max > 0 &&
           location(call).at != NULL && (!streamed || becomes_get(call));
}

/* Makes the URL that Location means; the output buffer is not in use. */
static int next_url(struct sill_http_call *call, struct sill_http_view *url)
{
    ssize_t size = sill_http_url_resolve(&call->url, location(call), call->out,
                                         SILL_HTTP_URL_MAX);
    if (size < 0) {
        call->error = SILL_HTTP_EURL;
        return SILL_EPROTO;
    }
    char *text = sill_alloc((size_t)size);
    if (text == NULL)
        return SILL_ENOMEM;
    memcpy(text, call->out, (size_t)size);
    *url = (struct sill_http_view){text, (size_t)size};
    return 0;
}

static int redirect(struct sill_http_call *call, sill_time deadline)
{
    struct sill_http_view url;
    if (call->redirects == call->options.redirects_max)
        return SILL_EMSGSIZE;
    int rc = next_url(call, &url);
    if (rc < 0)
        return rc;
    if (becomes_get(call)) {
        call->method = SILL_HTTP_GET;
        call->method_text = SILL_HTTP_VIEW("GET");
        call->sends_body = false;
    }
    sill_http_call_leave(call);
    rc = sill_http_call_aim(call, url);
    if (rc < 0)
        return rc;
    call->redirects++;
    call->client->stats.redirects++;
    return sill_http_call_launch(call, deadline);
}

int sill_http_call_redirect(struct sill_http_call *call, sill_time deadline)
{
    int rc = redirect(call, deadline);
    return rc < 0 ? sill_http_call_fail(call, rc) : 0;
}
