/* SPDX-License-Identifier: MIT */
/*
 * The backend over libevent: on a base of its own, or on a host's event_base.
 *
 * libevent is level-triggered. Each direction of a descriptor has a persistent
 * event that stays added from one wait to the next; it is deleted when it
 * happens and nobody takes it.
 *
 * On a host's base, whatever makes tasks ready activates the event (step): it
 * runs behind all events that are active already, once for all of them. The
 * base ends with its last event: those of descriptors are marked as internal,
 * which leaves them out (2.1), and (alive) is added while a task lives.
 */
#include <sill_spi.h>

#include <sill/error.h>
#include <sill/hooks.h>
#include <sill/libevent.h>

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    BOTH = SILL_SPI_READ | SILL_SPI_WRITE,
    BATCH = 1024,   /* events after which tasks get their turn */
    DESCRIPTORS = 5 /* that a base and its backend open, or a few more */
};

struct libevent {
    struct sill_loop *core;
    struct event_base *base;
    int wakeup_fd;
    struct event wakeup;
    struct event timer;
    sill_time until; /* what (timer) was set for; SILL_NEVER: it is deleted */
    struct event step;
    struct event alive;
    unsigned events; /* in this poll */
    short closed;    /* EV_CLOSED where the base can tell it */
    bool guest;
};

/* What an event needs comes first, next to the one that is common. */
struct handle {
    struct sill_spi_watch *watch;
    struct libevent *backend;
    bool ended; /* the peer, and that was told: once, or it goes on for ever */
    struct event read, write;
};

static int error_from(int rc)
{
    if (rc == 0)
        return 0;
    return errno ? sill_error_from_errno(errno) : SILL_ENOMEM;
}

static void on_step(evutil_socket_t fd, short events, void *arg)
{
    struct libevent *e = arg;

    (void)fd;
    (void)events;
    sill_core_step(e->core);
}

static bool is_in(const struct event *event, int list)
{
    return event->ev_evcallback.evcb_flags & list;
}

static void step_soon(struct libevent *e)
{
    if (e->guest && !is_in(&e->step, EVLIST_ACTIVE))
        event_active(&e->step, EV_TIMEOUT, 0);
}

static void on_wakeup(evutil_socket_t fd, short events, void *arg)
{
    uint64_t count;

    (void)events;
    (void)!read(fd, &count, sizeof(count));
    step_soon(arg);
}

static void on_time(evutil_socket_t fd, short events, void *arg)
{
    struct libevent *e = arg;

    (void)fd;
    (void)events;
    e->until = SILL_NEVER;
    step_soon(e);
}

/* libevent ends the program when it runs out of descriptors half-way (2.1): see
 * first whether there are enough. */
static int check_descriptors(void)
{
    int fds[DESCRIPTORS];
    int count = 0, rc = 0;

    while (count < DESCRIPTORS && rc == 0) {
        fds[count] = eventfd(0, EFD_CLOEXEC);
        if (fds[count] < 0)
            rc = sill_error_from_errno(errno);
        else
            count++;
    }
    while (count > 0)
        (void)close(fds[--count]);
    return rc;
}

/* Without locks: other threads come in through (wakeup_fd) only. */
static struct event_base *base_new(void)
{
    int flags = EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_IGNORE_ENV;
    struct event_config *config = event_config_new();
    struct event_base *base = NULL;

    if (!config)
        return NULL;
    if (event_config_set_flag(config, flags) == 0 &&
        event_config_require_features(config, EV_FEATURE_O1) == 0)
        base = event_base_new_with_config(config);
    event_config_free(config);
    return base;
}

static int open_base(struct libevent *e, struct event_base *host)
{
    int rc = host ? 0 : check_descriptors();

    if (rc < 0)
        return rc;
    e->base = host ? host : base_new();
    if (!e->base)
        return SILL_ENOMEM;
    e->closed = 0;
    if (event_base_get_features(e->base) & EV_FEATURE_EARLY_CLOSE)
        e->closed = EV_CLOSED;
    return 0;
}

static void leave_out(const struct libevent *e, struct event *event)
{
    if (e->guest)
        event->ev_evcallback.evcb_flags |= EVLIST_INTERNAL;
}

static int open_events(struct libevent *e)
{
    e->wakeup_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (e->wakeup_fd < 0)
        return sill_error_from_errno(errno);
    (void)event_assign(&e->wakeup, e->base, e->wakeup_fd, EV_READ | EV_PERSIST,
                       on_wakeup, e);
    (void)event_assign(&e->timer, e->base, -1, 0, on_time, e);
    (void)event_assign(&e->step, e->base, -1, 0, on_step, e);
    /* Without a descriptor it never happens, but it counts. */
    (void)event_assign(&e->alive, e->base, -1, EV_READ, on_step, e);
    leave_out(e, &e->wakeup);

    int rc = error_from(event_add(&e->wakeup, NULL));

    if (rc < 0)
        (void)close(e->wakeup_fd);
    return rc;
}

static int libevent_open(struct sill_loop *loop, void *host, void **self)
{
    struct libevent *e = sill_alloc(sizeof(*e));

    if (!e)
        return SILL_ENOMEM;
    e->core = loop;
    e->guest = host != NULL;
    e->until = SILL_NEVER;

    int rc = open_base(e, host);

    if (rc < 0)
        goto free_e;
    rc = open_events(e);
    if (rc < 0)
        goto free_base;
    *self = e;
    return 0;

free_base:
    if (!e->guest)
        event_base_free(e->base);
free_e:
    sill_free(e);
    return rc;
}

/* A host's base that was freed has let go of all its events. */
static void take_out(struct libevent *e)
{
    if (!is_in(&e->wakeup, EVLIST_INSERTED))
        return;
    (void)event_del(&e->alive);
    (void)event_del(&e->step);
    (void)event_del(&e->timer);
    (void)event_del(&e->wakeup);
}

static void libevent_close(void *self)
{
    struct libevent *e = self;

    take_out(e);
    (void)close(e->wakeup_fd);
    if (!e->guest)
        event_base_free(e->base);
    sill_free(e);
}

static sill_time libevent_now(void *self)
{
    (void)self;
    return sill_core_monotonic();
}

/* Returns false, with the timer as it was, when (until) is past, or there is no
 * memory for the timer. */
static bool set_timer(struct libevent *e, sill_time until)
{
    if (until == e->until)
        return true;
    if (until == SILL_NEVER) {
        e->until = until;
        return event_del(&e->timer) == 0;
    }

    sill_time now = until == SILL_PAST ? until : sill_core_monotonic();

    if (until <= now)
        return false;

    sill_duration us = (until - now) / 1000 + 1;
    struct timeval delay = {us / 1000000, us % 1000000};

    if (event_add(&e->timer, &delay) < 0)
        return false;
    e->until = until;
    return true;
}

static int libevent_poll(void *self, sill_time until)
{
    struct libevent *e = self;
    int flags = EVLOOP_ONCE | (set_timer(e, until) ? 0 : EVLOOP_NONBLOCK);

    e->events = 0;
    return event_base_loop(e->base, flags) < 0 ? error_from(-1) : 0;
}

static void on_event(evutil_socket_t fd, short events, void *arg);

static int add(struct handle *handle, struct event *event, short events)
{
    struct libevent *e = handle->backend;
    short closed = handle->ended ? 0 : e->closed;

    (void)event_assign(event, e->base, handle->watch->fd,
                       (short)(events | closed | EV_PERSIST), on_event, handle);
    leave_out(e, event);
    return error_from(event_add(event, NULL));
}

static int start(struct handle *handle, unsigned directions)
{
    unsigned *armed = &handle->watch->armed;
    unsigned wanted = directions & ~*armed;
    int rc = 0;

    if (wanted & SILL_SPI_READ)
        rc = add(handle, &handle->read, EV_READ);
    if (rc == 0)
        *armed |= wanted & SILL_SPI_READ;
    if (rc == 0 && wanted & SILL_SPI_WRITE)
        rc = add(handle, &handle->write, EV_WRITE);
    if (rc == 0)
        *armed |= wanted;
    return rc;
}

static void stop(struct handle *handle, unsigned directions)
{
    directions &= handle->watch->armed;
    if (directions & SILL_SPI_READ)
        (void)event_del(&handle->read);
    if (directions & SILL_SPI_WRITE)
        (void)event_del(&handle->write);
    handle->watch->armed &= ~directions;
}

/* An error, and the end of both directions, come from libevent as READ and
 * WRITE; those that it wakes find out, as it wakes them until they do. */
static void on_event(evutil_socket_t fd, short events, void *arg)
{
    struct handle *handle = arg;
    struct libevent *e = handle->backend;
    bool ends = events & EV_CLOSED && !handle->ended;
    unsigned directions = ends ? BOTH | SILL_SPI_HANGUP : 0;

    (void)fd;
    if (events & EV_READ)
        directions |= SILL_SPI_READ;
    if (events & EV_WRITE)
        directions |= SILL_SPI_WRITE;
    handle->ended |= ends;
    stop(handle, sill_core_ready(handle->watch, directions));
    if (ends && handle->watch->armed & SILL_SPI_WRITE) {
        stop(handle, SILL_SPI_WRITE);
        (void)start(handle, SILL_SPI_WRITE);
    }
    if (e->guest)
        step_soon(e);
    else if (++e->events == BATCH)
        (void)event_base_loopbreak(e->base);
}

/* Asked here because libevent does not only fail: it complains on stderr. */
static int check_pollable(int fd)
{
    struct stat status;

    if (fstat(fd, &status) < 0)
        return sill_error_from_errno(errno);
    return S_ISREG(status.st_mode) || S_ISDIR(status.st_mode) ? SILL_EPERM : 0;
}

static int handle_open(struct libevent *e, struct sill_spi_watch *watch)
{
    int rc = check_pollable(watch->fd);

    if (rc < 0)
        return rc;

    struct handle *handle = sill_alloc(sizeof(*handle));

    if (!handle)
        return SILL_ENOMEM;
    handle->backend = e;
    handle->watch = watch;
    handle->ended = false;
    watch->handle = handle;
    return 0;
}

static int libevent_watch(void *self, struct sill_spi_watch *watch,
                          unsigned directions)
{
    int rc = watch->handle ? 0 : handle_open(self, watch);

    return rc < 0 ? rc : start(watch->handle, directions);
}

static void libevent_unwatch(void *self, struct sill_spi_watch *watch)
{
    (void)self;
    if (watch->handle)
        stop(watch->handle, BOTH);
    sill_free(watch->handle);
    watch->handle = NULL;
}

static void libevent_interrupt(void *self)
{
    struct libevent *e = self;
    int saved = errno;
    ssize_t n;

    do {
        n = write(e->wakeup_fd, &(uint64_t){1}, sizeof(uint64_t));
    } while (n < 0 && errno == EINTR);
    errno = saved;
}

static void libevent_alarm(void *self, sill_time when, bool alive)
{
    static const struct timeval at_once = {0, 0};
    struct libevent *e = self;

    if (alive != is_in(&e->alive, EVLIST_INSERTED))
        (void)(alive ? event_add(&e->alive, NULL) : event_del(&e->alive));
    if (set_timer(e, when))
        return;
    if (event_add(&e->timer, &at_once) == 0)
        e->until = SILL_PAST;
    else
        step_soon(e); /* better busy than late */
}

SILL_API const struct sill_backend sill_backend_libevent = {
    SILL_SPI_ABI,     sizeof(struct sill_backend),
    "libevent",       libevent_open,
    libevent_close,   libevent_now,
    libevent_poll,    libevent_watch,
    libevent_unwatch, libevent_interrupt,
    libevent_alarm,   &sill_core_sockets};

/* See <sill/libevent.h>. */

int sill_libevent_attach(struct event_base *host,
                         const struct sill_run_options *options,
                         struct sill_guest **guest)
{
    return sill_core_attach(&sill_backend_libevent, host, options, guest);
}
