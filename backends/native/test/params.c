/* SPDX-License-Identifier: MIT */
/*
 * A host over poll(2), by <sill/embed.h>. See sill_conformance.h.
 */
#include <sill_conformance.h>

#include <sill/embed.h>

#include <poll.h>
#include <stdlib.h>

enum { GUESTS = 4 };

struct seat {
    struct sill_guest *guest; /* NULL: free */
    sill_time when;
};

struct host {
    struct seat seats[GUESTS];
    bool stopped;
    sill_duration every; /* 0: no timer */
    sill_time tick;
    void (*on_tick)(void *arg);
    void *tick_arg;
    int fd; /* -1: none */
    void (*on_event)(void *arg);
    void *event_arg;
};

static void *open_host(void)
{
    struct host *host = calloc(1, sizeof(*host));

    if (!host)
        abort();
    host->fd = -1;
    return host;
}

static struct seat *seat_of(struct host *host, const struct sill_guest *guest)
{
    for (int i = 0; i < GUESTS; i++)
        if (host->seats[i].guest == guest)
            return &host->seats[i];
    return NULL;
}

static bool is_empty(const struct host *host)
{
    for (int i = 0; i < GUESTS; i++)
        if (host->seats[i].guest)
            return false;
    return true;
}

static void on_earlier(void *arg, sill_time when)
{
    ((struct seat *)arg)->when = when;
}

static int attach(void *self, const struct sill_run_options *options,
                  struct sill_guest **guest)
{
    struct host *host = self;
    struct seat *seat = seat_of(host, NULL);
    int rc = sill_embed_attach(on_earlier, seat, options, guest);

    if (rc == 0)
        *seat = (struct seat){*guest, SILL_NEVER};
    return rc;
}

static int detach(void *self, struct sill_guest *guest)
{
    struct host *host = self;
    struct seat *seat = seat_of(host, guest);
    int rc = sill_guest_detach(guest);

    if (rc == 0)
        seat->guest = NULL;
    return rc;
}

static void tick(void *self, unsigned ms, void (*fn)(void *arg), void *arg)
{
    struct host *host = self;

    host->every = ms * SILL_MILLISECOND;
    host->tick = ms > 0 ? sill_after(host->every) : SILL_NEVER;
    host->on_tick = fn;
    host->tick_arg = arg;
}

static void watch(void *self, int fd, void (*fn)(void *arg), void *arg)
{
    struct host *host = self;

    host->fd = fd;
    host->on_event = fn;
    host->event_arg = arg;
}

static bool is_alive(const struct host *host)
{
    for (int i = 0; i < GUESTS; i++)
        if (host->seats[i].guest && sill_guest_is_busy(host->seats[i].guest))
            return true;
    return host->every > 0 || host->fd >= 0;
}

static sill_time next_instant(const struct host *host)
{
    sill_time next = host->every > 0 ? host->tick : SILL_NEVER;

    for (int i = 0; i < GUESTS; i++)
        if (host->seats[i].guest && host->seats[i].when < next)
            next = host->seats[i].when;
    return next;
}

static void run_own(struct host *host, const struct pollfd *entry)
{
    if (host->every > 0 && sill_now() >= host->tick) {
        host->tick += host->every;
        host->on_tick(host->tick_arg);
    }
    if (host->fd >= 0 && host->fd == entry->fd && entry->revents)
        host->on_event(host->event_arg);
}

static void run_guest(struct seat *seat, const struct pollfd *entry)
{
    if (!seat->guest || (!entry->revents && sill_now() < seat->when))
        return;

    /* The step may end with another guest in the seat. */
    seat->when = SILL_NEVER;

    sill_time when = sill_embed_step(seat->guest);

    if (when < seat->when)
        seat->when = when;
}

static void run_once(struct host *host)
{
    struct pollfd entries[GUESTS + 1];

    for (int i = 0; i < GUESTS; i++) {
        struct sill_guest *guest = host->seats[i].guest;

        entries[i] =
            (struct pollfd){guest ? sill_embed_fd(guest) : -1, POLLIN, 0};
    }
    entries[GUESTS] = (struct pollfd){host->fd, POLLIN, 0};
    if (poll(entries, GUESTS + 1, sill_embed_timeout(next_instant(host))) < 0)
        return;
    run_own(host, &entries[GUESTS]);
    for (int i = 0; i < GUESTS && !host->stopped; i++)
        run_guest(&host->seats[i], &entries[i]);
}

static void run_host(void *self)
{
    struct host *host = self;

    host->stopped = false;
    while (!host->stopped && is_alive(host))
        run_once(host);
}

static void stop_host(void *self)
{
    struct host *host = self;

    host->stopped = true;
}

static bool close_host(void *self)
{
    struct host *host = self;

    if (!is_empty(host))
        return false;
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
