/* SPDX-License-Identifier: MIT */
/*
 * server.c: what the service of <sill/service.h> needs to know of HTTP.
 */
#include "server.h"

#include <sill/error.h>
#include <sill/service.h>

#define DEFAULT(value, other) ((value) = (value) != 0 ? (value) : (other))

static void set_defaults(struct sill_http_server *server)
{
    static const struct sill_http_limits usual = SILL_HTTP_LIMITS_INIT;
    struct sill_http_limits *limits = &server->limits;

    DEFAULT(server->idle_timeout, 60 * SILL_SECOND);
    DEFAULT(server->head_timeout, 10 * SILL_SECOND);
    DEFAULT(server->body_timeout, 30 * SILL_SECOND);
    DEFAULT(server->body_rate, 4096);
    DEFAULT(server->write_timeout, 30 * SILL_SECOND);
    DEFAULT(server->grace, 10 * SILL_SECOND);
    DEFAULT(server->connections_max, 10000);
    DEFAULT(limits->line, usual.line);
    DEFAULT(limits->headers, usual.headers);
    DEFAULT(limits->header_bytes, usual.header_bytes);
    DEFAULT(limits->chunk_line, usual.chunk_line);
    DEFAULT(limits->trailer_bytes, usual.trailer_bytes);
    DEFAULT(limits->body, usual.body);
}

static struct sill_http_exchange *exchange_of(struct sill_connection *c)
{
    return (struct sill_http_exchange *)c;
}

static struct sill_connection *open_connection(struct sill_service *service)
{
    struct sill_http_exchange *x = sill_http_connection_open(service->arg);
    return x != NULL ? &x->base : NULL;
}

static void begin_connection(struct sill_connection *c)
{
    struct sill_http_server *server = exchange_of(c)->server;
    server->stats.open++;
    server->stats.connections++;
}

static void run_connection(struct sill_connection *c)
{
    struct sill_http_server *server = exchange_of(c)->server;
    sill_http_connection_run(exchange_of(c));
    server->stats.open--;
}

static void close_connection(struct sill_connection *c)
{
    sill_http_connection_close(exchange_of(c));
}

static void count_exhausted(struct sill_service *service, int error)
{
    struct sill_http_server *server = service->arg;
    (void)error;
    server->stats.exhausted++;
}

int sill_http_serve(struct sill_http_server *server,
                    struct sill_listener *listener, sill_time deadline)
{
    static const struct sill_service_ops ops = {
        .open = open_connection,
        .begin = begin_connection,
        .run = run_connection,
        .close = close_connection,
        .starve = count_exhausted,
    };

    set_defaults(server);
    if (server->handler == NULL) {
        sill_listener_close(listener);
        return SILL_EINVAL;
    }
    server->spare = NULL;
    server->spares = 0;
    server->patient = 0;
    server->service = (struct sill_service){
        .ops = &ops,
        .arg = server,
        .stop = server->stop,
        .grace = server->grace,
        .connections_max = server->connections_max,
    };
    int rc = sill_service_run(&server->service, listener, deadline);
    sill_http_buffers_free(server);
    return rc;
}
