/* SPDX-License-Identifier: MIT */
/*
 * server.c: takes connections, one task for each, and lets them end well.
 */
#include "server.h"

#include <sill/error.h>
#include <sill/hooks.h>
#include <sill/task.h>

/* How long to wait for descriptors or memory to come back. */
#define PAUSE (20 * SILL_MILLISECOND)

/* Connections taken before others have their turn. */
#define ACCEPTED_MAX 16

#define DEFAULT(value, other) ((value) = (value) != 0 ? (value) : (other))

static void set_defaults(struct sill_resp_server *server)
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

void sill_resp_server_enter(struct sill_resp_session *s)
{
    struct sill_resp_server *server = s->server;
    s->next = server->first;
    s->link = &server->first;
    if (s->next != NULL)
        s->next->link = &s->next;
    server->first = s;
    server->stats.open++;
    s->id = ++server->stats.sessions;
    s->since = sill_now();
    if (server->opened != NULL)
        server->opened(s);
}

void sill_resp_server_leave(struct sill_resp_session *s)
{
    struct sill_resp_server *server = s->server;
    *s->link = s->next;
    if (s->next != NULL)
        s->next->link = s->link;
    server->stats.open--;
    if (server->crowded)
        sill_resume(&server->room, 0);
}

/* Waits until a session is gone, or the end of the service is near. */
static int wait_for_room(struct sill_resp_server *server, sill_time deadline)
{
    server->crowded = true;
    int rc = sill_suspend(&server->room, deadline);
    server->crowded = false;
    sill_trigger_init(&server->room, NULL, NULL);
    return rc;
}

/* What is missing may come back: tries again then, without haste. */
static int pause_accepting(struct sill_resp_server *server)
{
    server->stats.exhausted++;
    int rc = wait_for_room(server, sill_after(PAUSE));
    return rc == SILL_ETIMEDOUT ? 0 : rc;
}

/* Takes one connection. Returns 0 when it is served, or an error. */
static int accept_one(struct sill_resp_server *server)
{
    struct sill_resp_session *s = sill_resp_session_open(server);
    if (s == NULL)
        return SILL_ENOMEM;
    sill_time limit = server->draining ? SILL_PAST : server->deadline;
    int rc = sill_listener_accept(server->listener, &s->stream, limit);
    if (rc != 0)
        goto fail;
    rc = sill_scope_spawn(&server->scope, sill_resp_session_run, s);
    if (rc != 0)
        goto fail;
    sill_resp_server_enter(s);
    return 0;

fail:
    sill_resp_session_close(s);
    return rc;
}

static bool is_passing(int error)
{
    return error != SILL_ECLOSED && error != SILL_ETIMEDOUT &&
           error != SILL_ECANCELED;
}

static int accept_all(void *arg)
{
    struct sill_resp_server *server = arg;
    int rc = 0;

    sill_task_set_name("resp listener");
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
static void begin_drain(struct sill_resp_server *server)
{
    server->draining = true;
    for (struct sill_resp_session *s = server->first; s != NULL; s = s->next)
        sill_resp_session_wake(s);
    if (server->crowded)
        sill_resume(&server->room, 0);
}

/*
 * Lets every task look at what its socket got by now, be it a connection or a
 * command: a close with either one unseen would reset the peer.
 */
static void let_all_look(void)
{
    if (sill_sleep(sill_after(PAUSE)) == 0)
        (void)sill_yield();
}

static int await_stop(void *arg)
{
    struct sill_resp_server *server = arg;
    sill_task_set_name("resp stop");
    int rc = sill_suspend(server->stop, SILL_NEVER);
    if (rc != 0)
        return rc;
    begin_drain(server);
    let_all_look();
    sill_listener_close(server->listener);
    return 0;
}

static bool is_any_idle(const struct sill_resp_server *server)
{
    const struct sill_resp_session *s = server->first;
    while (s != NULL && !s->idle)
        s = s->next;
    return s != NULL;
}

static void end_idle(struct sill_resp_server *server)
{
    if (is_any_idle(server))
        let_all_look();
    for (struct sill_resp_session *s = server->first; s != NULL; s = s->next)
        if (s->idle)
            sill_resp_session_kill(s);
}

/* Collects sessions as they end, until no more are taken. */
static int collect(struct sill_resp_server *server)
{
    struct sill_outcome outcome = {NULL, 0};
    while (outcome.arg != server) {
        int rc = sill_scope_next(&server->scope, &outcome, SILL_NEVER);
        if (rc != 0)
            return rc;
    }
    return outcome.result == SILL_ECANCELED ? SILL_ECANCELED : 0;
}

/* Starts what runs beside the sessions. */
static int start(struct sill_resp_server *server, struct sill_task *helpers[2])
{
    int rc = sill_spawn(sill_resp_courier_run, server, &helpers[0]);
    if (rc == 0 && server->stop != NULL)
        rc = sill_spawn(await_stop, server, &helpers[1]);
    return rc == 0 ? sill_scope_spawn(&server->scope, accept_all, server) : rc;
}

static void prepare(struct sill_resp_server *server,
                    struct sill_listener *listener, sill_time deadline)
{
    set_defaults(server);
    server->listener = listener;
    server->deadline = deadline;
    server->draining = server->crowded = false;
    server->first = server->pushed = NULL;
    server->spare = NULL;
    sill_trigger_init(&server->room, NULL, NULL);
    sill_trigger_init(&server->news, NULL, NULL);
    sill_scope_init(&server->scope, SILL_SCOPE_COLLECT);
}

int sill_resp_serve(struct sill_resp_server *server,
                    struct sill_listener *listener, sill_time deadline)
{
    struct sill_task *helpers[2] = {NULL, NULL};

    prepare(server, listener, deadline);
    int rc = sill_resp_verbs_open(server);
    if (rc == 0)
        rc = start(server, helpers);
    if (rc == 0)
        rc = collect(server);
    begin_drain(server);
    sill_listener_close(listener);
    end_idle(server);
    sill_scope_drain(&server->scope, sill_after(server->grace), SILL_NEVER);
    for (int i = 0; i < 2; i++)
        if (helpers[i] != NULL)
            sill_cancel(helpers[i], SILL_NEVER);
    sill_scope_fini(&server->scope);
    sill_resp_verbs_close(server);
    sill_free(server->spare);
    server->spare = NULL;
    return rc;
}
