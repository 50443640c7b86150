/* SPDX-License-Identifier: MIT */
/*
 * server.c: what the service of <sill/service.h> needs to know of RESP.
 */
#include "server.h"

#include <sill/error.h>
#include <sill/hooks.h>
#include <sill/service.h>
#include <sill/task.h>

#define DEFAULT(value, other) ((value) = (value) != 0 ? (value) : (other))

void sill_resp_server_settle(struct sill_resp_server *server)
{
    static const struct sill_resp_limits usual = SILL_RESP_LIMITS_INIT;
    struct sill_resp_limits *limits = &server->limits;

    DEFAULT(server->write_timeout, 60 * SILL_SECOND);
    DEFAULT(server->grace, 10 * SILL_SECOND);
    DEFAULT(server->connections_max, 10000);
    DEFAULT(server->output_max, (size_t)1 << 30);
    DEFAULT(server->push_max, (size_t)32 << 20);
    DEFAULT(limits->line, usual.line);
    DEFAULT(limits->elements, usual.elements);
    DEFAULT(limits->bulk, usual.bulk);
    DEFAULT(limits->message, usual.message);
    if (server->output_max < OUT_SIZE)
        server->output_max = OUT_SIZE;
}

static struct sill_resp_session *session_of(struct sill_connection *c)
{
    return (struct sill_resp_session *)c;
}

static struct sill_connection *open_session(struct sill_service *service)
{
    struct sill_resp_session *s = sill_resp_session_open(service->arg);
    return s != NULL ? &s->base : NULL;
}

static void begin_session(struct sill_connection *c)
{
    struct sill_resp_session *s = session_of(c);
    struct sill_resp_server *server = s->server;
    server->stats.open++;
    s->id = ++server->stats.sessions;
    s->since = sill_now();
    if (server->opened != NULL)
        server->opened(s);
}

static void run_session(struct sill_connection *c)
{
    struct sill_resp_session *s = session_of(c);
    struct sill_resp_server *server = s->server;
    sill_resp_session_run(s);
    if (server->closed != NULL)
        server->closed(s);
    server->stats.open--;
}

static void close_session(struct sill_connection *c)
{
    sill_resp_session_close(session_of(c));
}

static void end_session(struct sill_connection *c)
{
    sill_resp_session_kill(session_of(c));
}

static void drain(struct sill_service *service)
{
    struct sill_connection *c = NULL;
    while ((c = sill_service_next(service, c)) != NULL)
        sill_resp_session_wake(session_of(c));
}

static void count_exhausted(struct sill_service *service, int error)
{
    struct sill_resp_server *server = service->arg;
    (void)error;
    server->stats.exhausted++;
}

static void prepare(struct sill_resp_server *server)
{
    static const struct sill_service_ops ops = {
        .open = open_session,
        .begin = begin_session,
        .run = run_session,
        .close = close_session,
        .end = end_session,
        .drain = drain,
        .starve = count_exhausted,
    };

    sill_resp_server_settle(server);
    server->service = (struct sill_service){
        .ops = &ops,
        .arg = server,
        .stop = server->stop,
        .grace = server->grace,
        .connections_max = server->connections_max,
    };
    server->pushed = NULL;
    server->spare = server->spare_in = NULL;
    sill_trigger_init(&server->news, NULL, NULL);
}

int sill_resp_serve(struct sill_resp_server *server,
                    struct sill_listener *listener, sill_time deadline)
{
    struct sill_task *courier = NULL;

    prepare(server);
    int rc = sill_resp_verbs_open(server);
    if (rc == 0)
        rc = sill_spawn(sill_resp_courier_run, server, &courier);
    if (rc == 0)
        rc = sill_service_run(&server->service, listener, deadline);
    if (courier != NULL)
        sill_cancel(courier, SILL_NEVER);
    sill_listener_close(listener);
    sill_resp_verbs_close(server);
    sill_free(server->spare);
    sill_free(server->spare_in);
    server->spare = server->spare_in = NULL;
    return rc;
}
