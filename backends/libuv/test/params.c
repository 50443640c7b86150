/* SPDX-License-Identifier: MIT */
/*
 * A host over a plain uv_loop_t. See sill_conformance.h.
 */
#include <sill_conformance.h>

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

static void *open_host(void)
{
    struct host *host = calloc(1, sizeof(*host));

    if (!host || uv_loop_init(&host->loop) < 0 ||
        uv_timer_init(&host->loop, &host->timer) < 0)
        abort();
    host->timer.data = host;
    return host;
}

static int attach(void *self, const struct sill_run_options *options,
                  struct sill_guest **guest)
{
    struct host *host = self;

    return sill_libuv_attach(&host->loop, options, guest);
}

static int detach(void *self, struct sill_guest *guest)
{
    (void)self;
    return sill_guest_detach(guest);
}

static void on_timer(uv_timer_t *timer)
{
    struct host *host = timer->data;

    host->on_tick(host->tick_arg);
}

static void tick(void *self, unsigned ms, void (*fn)(void *arg), void *arg)
{
    struct host *host = self;

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
static void watch(void *self, int fd, void (*fn)(void *arg), void *arg)
{
    struct host *host = self;

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

static void run_host(void *self)
{
    struct host *host = self;

    (void)uv_run(&host->loop, UV_RUN_DEFAULT);
}

static void stop_host(void *self)
{
    struct host *host = self;

    uv_stop(&host->loop);
}

static bool close_host(void *self)
{
    struct host *host = self;

    watch(host, -1, NULL, NULL);
    if (!uv_is_closing((uv_handle_t *)&host->timer))
        uv_close((uv_handle_t *)&host->timer, NULL);
    (void)uv_run(&host->loop, UV_RUN_DEFAULT);

    bool empty = uv_loop_close(&host->loop) == 0;

    if (empty)
        free(host);
    return empty;
}

static const struct sill_conformance_host host_functions = {
    .open = open_host,
    .close = close_host,
    .attach = attach,
    .detach = detach,
    .tick = tick,
    .watch = watch,
    .run = run_host,
    .stop = stop_host,
};

const struct sill_conformance_params sill_conformance_params = {
    .properties =
        SILL_CONFORMANCE_FD | SILL_CONFORMANCE_GUEST | SILL_CONFORMANCE_THREADS,
    .host = &host_functions,
};
