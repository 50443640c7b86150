/* SPDX-License-Identifier: MIT */
/*
 * server.c: takes connections, one task for each, and lets them end well.
 */
#include "server.h"

#include <sill/error.h>
#include <sill/task.h>

/* How long to wait for descriptors or memory to come back. */
#define PAUSE (20 * SILL_MILLISECOND)

/* Connections taken before others have their turn. */
#define ACCEPTED_MAX 16

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

void sill_http_server_enter(struct sill_http_exchange *x)
{
    struct sill_http_server *server = x->server;
    x->next = server->first;
    x->link = &server->first;
    if (x->next != NULL)
        x->next->link = &x->next;
    server->first = x;
    server->stats.open++;
    server->stats.connections++;
}

void sill_http_server_leave(struct sill_http_exchange *x)
{
    struct sill_http_server *server = x->server;
    *x->link = x->next;
    if (x->next != NULL)
        x->next->link = x->link;
    server->stats.open--;
    if (server->crowded)
        sill_resume(&server->room, 0);
}

/* Waits until a connection is gone, or the end of the service is near. */
static int wait_for_room(struct sill_http_server *server, sill_time deadline)
{
    server->crowded = true;
    int rc = sill_suspend(&server->room, deadline);
    server->crowded = false;
    sill_trigger_init(&server->room, NULL, NULL);
    return rc;
}

/* What is missing may come back: tries again then, without haste. */
static int pause_accepting(struct sill_http_server *server)
{
    server->stats.exhausted++;
    int rc = wait_for_room(server, sill_after(PAUSE));
    return rc == SILL_ETIMEDOUT ? 0 : rc;
}

/* Takes one connection. Returns 0 when it is served, or an error. */
static int accept_one(struct sill_http_server *server)
{
    struct sill_http_exchange *x = sill_http_connection_open(server);
    if (x == NULL)
        return SILL_ENOMEM;
    sill_time limit = server->draining ? SILL_PAST : server->deadline;
    int rc = sill_listener_accept(server->listener, &x->stream, limit);
    if (rc != 0)
        goto fail;
    rc = sill_scope_spawn(&server->scope, sill_http_connection_run, x);
    if (rc != 0)
        goto fail;
    sill_http_server_enter(x);
    return 0;

fail:
    sill_http_connection_close(x);
    return rc;
}

static bool is_passing(int error)
{
    return error != SILL_ECLOSED && error != SILL_ETIMEDOUT &&
           error != SILL_ECANCELED;
}

static int accept_all(void *arg)
{
    struct sill_http_server *server = arg;
    int rc = 0;

    sill_task_set_name("http listener");
    for (unsigned taken = 1; rc == 0; taken++) {
        if (server->stats.open >= server->connections_max) {
            rc = server->draining ? SILL_ECLOSED
                                  : wait_for_room(server, server->deadline);
            continue;
        }
        rc = accept_one(server);
        if (rc != 0 && is_passing(rc) && !server->draining)
            rc = pause_accepting(server);
        else if (rc == 0 && taken % ACCEPTED_MAX == 0)
            rc = sill_yield();
    }
    return rc;
}

/* Answers what is on its way, and waits for nothing more. */
static void begin_drain(struct sill_http_server *server)
{
    server->draining = true;
    if (server->crowded)
        sill_resume(&server->room, 0);
}

/*
 * Lets every task look at what its socket got by now, be it a connection or a
 * request: a close with either one unseen would reset the peer.
 */
static void let_all_look(void)
{
    if (sill_sleep(sill_after(PAUSE)) == 0)
        (void)sill_yield();
}

static int await_stop(void *arg)
{
    struct sill_http_server *server = arg;
    sill_task_set_name("http stop");
    int rc = sill_suspend(server->stop, SILL_NEVER);
    if (rc != 0)
        return rc;
    begin_drain(server);
    let_all_look();
    sill_listener_close(server->listener);
    return 0;
}

static bool is_any_idle(const struct sill_http_server *server)
{
    const struct sill_http_exchange *x = server->first;
    while (x != NULL && !x->idle)
        x = x->next;
    return x != NULL;
}

static void close_idle(struct sill_http_server *server)
{
    if (is_any_idle(server))
        let_all_look();
    for (struct sill_http_exchange *x = server->first; x != NULL; x = x->next)
        if (x->idle)
            sill_stream_close(&x->stream);
}

/* Collects connections as they end, until no more are taken. */
static int collect(struct sill_http_server *server)
{
    struct sill_outcome outcome = {NULL, 0};
    while (outcome.arg != server) {
        int rc = sill_scope_next(&server->scope, &outcome, SILL_NEVER);
        if (rc != 0)
            return rc;
    }
    return outcome.result == SILL_ECANCELED ? SILL_ECANCELED : 0;
}

int sill_http_serve(struct sill_http_server *server,
                    struct sill_listener *listener, sill_time deadline)
{
    struct sill_task *stopper = NULL;
    int rc = SILL_EINVAL;

    set_defaults(server);
    server->listener = listener;
    server->deadline = deadline;
    server->draining = server->crowded = false;
    sill_trigger_init(&server->room, NULL, NULL);
    sill_scope_init(&server->scope, SILL_SCOPE_COLLECT);
    if (server->handler == NULL)
        goto out;
    rc = sill_scope_spawn(&server->scope, accept_all, server);
    if (rc != 0)
        goto out;
    if (server->stop != NULL)
        rc = sill_spawn(await_stop, server, &stopper);
    if (rc == 0)
        rc = collect(server);
    begin_drain(server);
    sill_listener_close(listener);
    close_idle(server);
    sill_scope_drain(&server->scope, sill_after(server->grace), SILL_NEVER);
    if (stopper != NULL)
        sill_cancel(stopper, SILL_NEVER);
out:
    sill_scope_fini(&server->scope);
    sill_listener_close(listener);
    return rc;
}
