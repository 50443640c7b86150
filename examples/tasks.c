/* SPDX-License-Identifier: MIT */
/*
 * A server and its client in direct style. See tasks.h.
 */
#include "tasks.h"

#include <sill/sill.h>
#include <sill_http.h>

#include <stdio.h>

static char url[64];

static int hello(void *arg, struct sill_http_exchange *exchange)
{
    (void)arg;
    return sill_http_response_send(exchange, 200, "hello", 5, SILL_NEVER);
}

int serve_hello(void *arg)
{
    struct sill_http_server server = {.handler = hello};
    struct sill_listener listener;
    struct sill_address address;

    (void)arg;
    int rc = sill_address_ip(&address, "127.0.0.1", 0);
    if (rc == 0)
        rc = sill_listener_listen(&listener, &address, NULL);
    if (rc == 0)
        rc = sill_listener_local(&listener, &address);
    if (rc < 0)
        return rc;
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/", address.port);
    return sill_http_serve(&server, &listener, SILL_NEVER);
}

int fetch_hello(void *body)
{
    sill_time deadline = sill_after(10 * SILL_SECOND);
    struct sill_http_client client = {0};
    const struct sill_http_head *head;
    struct sill_http_call *call;
    char *text = body;

    ssize_t got = sill_http_call_open(&client, url, NULL, &call, deadline);
    if (got == 0)
        got = sill_http_call_response(call, &head, deadline);
    if (got == 0)
        got = sill_http_call_read(call, text, BODY_MAX - 1, deadline);
    sill_http_call_close(call);
    sill_http_client_close(&client);
    if (got < 0)
        return (int)got;
    text[got] = '\0';
    return 0;
}
