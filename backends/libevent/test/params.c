/* SPDX-License-Identifier: MIT */
/*
 * A host over a plain event_base. See sill_conformance.h.
 */
#include <sill_conformance.h>

#include <sill/libevent.h>

#include <event2/event.h>
#include <stdlib.h>

struct host {
    struct event_base *base;
    struct event *timer, *watch;
    void (*on_tick)(void *arg);
    void *tick_arg;
    void (*on_event)(void *arg);
    void *event_arg;
};

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct host *host = arg;

    (void)fd, (void)what;
    host->on_tick(host->tick_arg);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct host *host = arg;

    (void)fd, (void)what;
    host->on_event(host->event_arg);
}

static void *open_host(void)
{
    struct host *host = calloc(1, sizeof(*host));

    if (!host)
        abort();
    host->base = event_base_new();
    if (!host->base)
        abort();
    host->timer = event_new(host->base, -1, EV_PERSIST, on_timer, host);
    if (!host->timer)
        abort();
    return host;
}

/* Those that the count of the base leaves out, too. */
static int find_one(const struct event_base *base, const struct event *event,
                    void *arg)
{
    (void)base, (void)event, (void)arg;
    return 1;
}

static int attach(void *self, const struct sill_run_options *options,
                  struct sill_guest **guest)
{
    struct host *host = self;

    return sill_libevent_attach(host->base, options, guest);
}

static int detach(void *self, struct sill_guest *guest)
{
    (void)self;
    return sill_guest_detach(guest);
}

static void tick(void *self, unsigned ms, void (*fn)(void *arg), void *arg)
{
    struct host *host = self;
    const struct timeval span = {ms / 1000, ms % 1000 * 1000};

    host->on_tick = fn;
    host->tick_arg = arg;
    if (ms > 0)
        (void)event_add(host->timer, &span);
    else
        (void)event_del(host->timer);
}

static void watch(void *self, int fd, void (*fn)(void *arg), void *arg)
{
    struct host *host = self;

    if (host->watch)
        event_free(host->watch);
    host->watch = NULL;
    if (fd < 0)
        return;
    host->on_event = fn;
    host->event_arg = arg;
    host->watch =
        event_new(host->base, fd, EV_READ | EV_PERSIST, on_readable, host);
    if (!host->watch || event_add(host->watch, NULL) < 0)
        abort();
}

static void run_host(void *self)
{
    struct host *host = self;

    (void)event_base_dispatch(host->base);
}

static void stop_host(void *self)
{
    struct host *host = self;

    (void)event_base_loopbreak(host->base);
}

static bool close_host(void *self)
{
    struct host *host = self;

    watch(host, -1, NULL, NULL);
    tick(host, 0, NULL, NULL);
    if (event_base_foreach_event(host->base, find_one, NULL) != 0)
        return false;
    event_free(host->timer);
    event_base_free(host->base);
    free(host);
    return true;
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
