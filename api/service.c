/* SPDX-License-Identifier: MIT */
/* See <sill/service.h>. */
#include <sill/service.h>

#include <sill/error.h>
#include <sill/task.h>

/* How long to wait for descriptors or memory to come back. */
#define PAUSE (20 * SILL_MILLISECOND)

/* Connections taken before others have their turn. */
#define ACCEPTED_MAX 16

/* ---- connections ---- */

static void enter(struct sill_service *service, struct sill_connection *c)
{
    c->next = service->first;
    c->link = &service->first;
    if (c->next)
        c->next->link = &c->next;
    service->first = c;
    service->open++;
    if (service->ops->begin)
        service->ops->begin(c);
}

static void leave(struct sill_service *service, struct sill_connection *c)
{
    *c->link = c->next;
    if (c->next)
        c->next->link = c->link;
    service->open--;
    if (service->crowded)
        sill_resume(&service->room, 0);
}

static int run(void *arg)
{
    struct sill_connection *c = arg;
    struct sill_service *service = c->service;

    service->ops->run(c);
    leave(service, c);
    service->ops->close(c);
    return 0;
}

struct sill_connection *
sill_service_next(const struct sill_service *service,
                  const struct sill_connection *connection)
{
    return connection ? connection->next : service->first;
}

/* ---- accepting ---- */

/* Waits until a connection is gone, or the end of the service is near. */
static int wait_for_room(struct sill_service *service, sill_time deadline)
{
    service->crowded = true;
    int rc = sill_suspend(&service->room, deadline);
    service->crowded = false;
    sill_trigger_init(&service->room, NULL, NULL);
    return rc;
}

/* What is missing may come back: tries again then, without haste. */
static int pause_accepting(struct sill_service *service, int error)
{
    if (service->ops->starve)
        service->ops->starve(service, error);
    int rc = wait_for_room(service, sill_after(PAUSE));
    return rc == SILL_ETIMEDOUT ? 0 : rc;
}

/* Takes one connection. Returns 0 when it is served, or an error. */
static int accept_one(struct sill_service *service)
{
    struct sill_connection *c = service->ops->open(service);
    if (!c)
        return SILL_ENOMEM;
    c->service = service;
    sill_time limit = service->draining ? SILL_PAST : service->deadline;
    int rc = sill_listener_accept(service->listener, &c->stream, limit);
    if (rc == 0)
        rc = sill_scope_spawn(&service->scope, run, c);
    if (rc == 0)
        enter(service, c);
    else
        service->ops->close(c);
    return rc;
}

static bool is_passing(int error)
{
    return error != SILL_ECLOSED && error != SILL_ETIMEDOUT &&
           error != SILL_ECANCELED;
}

static int accept_all(void *arg)
{
    struct sill_service *service = arg;
    int rc = 0;

    sill_task_set_name("service listener");
    for (unsigned taken = 1; rc == 0; taken++) {
        if (service->open >= service->connections_max) {
            rc = service->draining ? SILL_ECLOSED
                                   : wait_for_room(service, service->deadline);
            continue;
        }
        rc = accept_one(service);
        if (rc != 0 && is_passing(rc) && !service->draining)
            rc = pause_accepting(service, rc);
        else if (rc == 0 && taken % ACCEPTED_MAX == 0)
            rc = sill_yield();
    }
    service->ended = rc;
    return rc;
}

/* ---- the end ---- */

/* What is on its way is still served; nobody waits for more. */
static void begin_drain(struct sill_service *service)
{
    if (service->draining)
        return;
    service->draining = true;
    if (service->ops->drain)
        service->ops->drain(service);
    if (service->crowded)
        sill_resume(&service->room, 0);
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
    struct sill_service *service = arg;

    sill_task_set_name("service stop");
    int rc = sill_suspend(service->stop, SILL_NEVER);
    if (rc != 0)
        return rc;
    begin_drain(service);
    let_all_look();
    sill_listener_close(service->listener);
    return 0;
}

static bool is_any_idle(const struct sill_service *service)
{
    const struct sill_connection *c = service->first;
    while (c && !c->idle)
        c = c->next;
    return c != NULL;
}

static void end(struct sill_connection *c)
{
    if (c->service->ops->end)
        c->service->ops->end(c);
    else
        sill_stream_close(&c->stream);
}

static void end_idle(struct sill_service *service)
{
    if (is_any_idle(service))
        let_all_look();
    for (struct sill_connection *c = service->first; c; c = c->next)
        if (c->idle)
            end(c);
}

/* ---- all of it ---- */

/* Collects what ends, until no more connections are taken. */
static int collect(struct sill_service *service)
{
    while (service->ended == 0) {
        int rc = sill_scope_next(&service->scope, NULL, SILL_NEVER);
        if (rc != 0)
            return rc;
    }
    return service->ended == SILL_ECANCELED ? SILL_ECANCELED : 0;
}

static void prepare(struct sill_service *service,
                    struct sill_listener *listener, sill_time deadline)
{
    if (service->grace == 0)
        service->grace = 10 * SILL_SECOND;
    if (service->connections_max == 0)
        service->connections_max = 10000;
    service->listener = listener;
    service->deadline = deadline;
    service->draining = service->crowded = false;
    service->open = 0;
    service->ended = 0;
    service->first = NULL;
    sill_trigger_init(&service->room, NULL, NULL);
    sill_scope_init(&service->scope, SILL_SCOPE_COLLECT);
}

/* Serves, with somebody to accept, and drains. */
static int serve(struct sill_service *service)
{
    struct sill_task *stopper = NULL;
    int rc = 0;

    if (service->stop)
        rc = sill_spawn(await_stop, service, &stopper);
    if (rc == 0)
        rc = collect(service);
    begin_drain(service);
    sill_listener_close(service->listener);
    end_idle(service);
    sill_scope_drain(&service->scope, sill_after(service->grace), SILL_NEVER);
    if (stopper)
        sill_cancel(stopper, SILL_NEVER);
    return rc;
}

int sill_service_run(struct sill_service *service,
                     struct sill_listener *listener, sill_time deadline)
{
    prepare(service, listener, deadline);
    int rc = sill_scope_spawn(&service->scope, accept_all, service);
    if (rc == 0)
        rc = serve(service);
    sill_listener_close(listener);
    sill_scope_fini(&service->scope);
    return rc;
}
