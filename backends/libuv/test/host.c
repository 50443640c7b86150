/* SPDX-License-Identifier: MIT */
/*
 * A host over a plain uv_loop_t. See host.h.
 */
#include "host.h"

#include <sill/libuv.h>

#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

struct host {
    uv_loop_t loop;
    uv_timer_t timer;
    uv_poll_t *poll; /* NULL for none */
    int fd;          /* that it polls, a duplicate */
    void (*on_tick)(void *arg);
    void *tick_arg;
    void (*on_event)(void *arg);
    void *event_arg;
};

struct host *host_open(void)
{
    struct host *host = calloc(1, sizeof(*host));

    if (!host || uv_loop_init(&host->loop) < 0 ||
        uv_timer_init(&host->loop, &host->timer) < 0)
        abort();
    host->timer.data = host;
    return host;
}

bool host_close(struct host *host)
{
    host_watch(host, -1, NULL, NULL);
    if (!uv_is_closing((uv_handle_t *)&host->timer))
        uv_close((uv_handle_t *)&host->timer, NULL);
    (void)uv_run(&host->loop, UV_RUN_DEFAULT);

    bool empty = uv_loop_close(&host->loop) == 0;

    if (empty)
        free(host);
    return empty;
}

int host_attach(struct host *host, const struct sill_run_options *options,
                struct sill_guest **guest)
{
    return sill_libuv_attach(&host->loop, options, guest);
}

int host_detach(struct host *host, struct sill_guest *guest)
{
    (void)host;
    return sill_guest_detach(guest);
}

static void on_timer(uv_timer_t *timer)
{
    struct host *host = timer->data;

    host->on_tick(host->tick_arg);
}

void host_tick(struct host *host, unsigned ms, void (*fn)(void *arg), void *arg)
{
    host->on_tick = fn;
    host->tick_arg = arg;
    uv_update_time(&host->loop);
    if (ms > 0)
        (void)uv_timer_start(&host->timer, on_timer, ms, ms);
    else
        (void)uv_timer_stop(&host->timer);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct host *host = poll->data;

    (void)status, (void)events;
    host->on_event(host->event_arg);
}

static void on_closed(uv_handle_t *poll)
{
    free(poll);
}

static void stop_watching(struct host *host)
{
    if (!host->poll)
        return;
    uv_close((uv_handle_t *)host->poll, on_closed);
    (void)close(host->fd);
    host->poll = NULL;
}

/* libuv wants a descriptor to itself. */
void host_watch(struct host *host, int fd, void (*fn)(void *arg), void *arg)
{
    stop_watching(host);
    if (fd < 0)
        return;
    host->on_event = fn;
    host->event_arg = arg;
    host->fd = dup(fd);
    host->poll = malloc(sizeof(*host->poll));
    if (!host->poll || uv_poll_init(&host->loop, host->poll, host->fd) < 0 ||
        uv_poll_start(host->poll, UV_READABLE, on_readable) < 0)
        abort();
    host->poll->data = host;
}

void host_run(struct host *host)
{
    (void)uv_run(&host->loop, UV_RUN_DEFAULT);
}

void host_stop(struct host *host)
{
    uv_stop(&host->loop);
}
