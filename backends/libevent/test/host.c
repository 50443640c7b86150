/* SPDX-License-Identifier: MIT */
/*
 * A host for the test of guest mode: a plain event_base with one timer.
 */
#include "guest.h"

#include <event2/event.h>
#include <stdlib.h>

extern const struct sill_backend sill_backend_libevent;
const struct sill_backend *const guest_backend = &sill_backend_libevent;

static struct event_base *base;
static struct event *timer;
static void (*tick)(void);

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what, (void)arg;
    tick();
}

void *host_open(void (*on_tick)(void))
{
    tick = on_tick;
    base = event_base_new();
    timer = base ? event_new(base, -1, EV_PERSIST, on_timer, NULL) : NULL;
    if (!timer)
        exit(1);
    return base;
}

void host_tick(bool on)
{
    const struct timeval span = {0, 1000};

    if (on)
        (void)event_add(timer, &span);
    else
        (void)event_del(timer);
}

void host_run(void)
{
    (void)event_base_dispatch(base);
}

void host_close(void)
{
    event_free(timer);
    if (event_base_get_num_events(base, EVENT_BASE_COUNT_ADDED) > 0)
        exit(1);
    event_base_free(base);
}
