/* SPDX-License-Identifier: MIT */
/*
 * The native backend: epoll, edge-triggered, and an eventfd.
 *
 * Inside a host, the host waits for the epoll descriptor itself, and for the
 * instant that it was told last.
 */
#include <sill_spi.h>

#include <sill/embed.h>
#include <sill/error.h>
#include <sill/hooks.h>

#include <errno.h>
#include <limits.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { BATCH = 256 };

/* What has no number here is refused, as by a kernel that is too old. */
#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 (-1)
#endif

struct host {
    void (*earlier)(void *arg, sill_time when);
    void *arg;
};

/* The present step of a guest, which may end with the guest. */
struct step {
    sill_time next;
    bool gone;
};

struct native {
    struct sill_loop *core;
    int epoll, wakeup;
    bool no_pwait2; /* Linux before 5.11 counts in milliseconds only */
    bool more;      /* the last poll filled its batch */
    struct host host;
    sill_time told; /* when the host is to step */
    struct step *step;
};

static int set(const struct native *n, int operation, int fd, uint32_t events,
               void *tag)
{
    struct epoll_event event = {.events = events | EPOLLET, .data.ptr = tag};

    if (epoll_ctl(n->epoll, operation, fd, &event) == 0)
        return 0;
    return sill_error_from_errno(errno);
}

static int open_descriptors(struct native *n)
{
    n->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (n->epoll < 0)
        return sill_error_from_errno(errno);
    n->wakeup = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    int rc = n->wakeup < 0 ? sill_error_from_errno(errno)
                           : set(n, EPOLL_CTL_ADD, n->wakeup, EPOLLIN, NULL);

    if (rc == 0)
        return 0;
    if (n->wakeup >= 0)
        (void)close(n->wakeup);
    (void)close(n->epoll);
    return rc;
}

static int native_open(struct sill_loop *loop, void *host, void **self)
{
    struct native *n = sill_alloc(sizeof(*n));

    if (!n)
        return SILL_ENOMEM;
    *n = (struct native){.core = loop, .told = SILL_NEVER};
    if (host)
        n->host = *(const struct host *)host;

    int rc = open_descriptors(n);

    if (rc < 0)
        sill_free(n);
    else
        *self = n;
    return rc;
}

static void native_close(void *self)
{
    struct native *n = self;

    if (n->step)
        n->step->gone = true;
    (void)close(n->wakeup);
    (void)close(n->epoll);
    sill_free(n);
}

static sill_time native_now(void *self)
{
    (void)self;
    return sill_core_monotonic();
}

/* Rounded up, so that nothing spins through the last millisecond. */
static int milliseconds(sill_duration length)
{
    sill_duration ms = length / SILL_MILLISECOND + 1;

    return ms > INT_MAX ? INT_MAX : (int)ms;
}

/* By its number: musl has no name for it, nor has glibc before 2.35. */
static int pwait2(int epoll, struct epoll_event *events, sill_duration length)
{
    int64_t span[] = {length / SILL_SECOND, length % SILL_SECOND};

    return (int)syscall(SYS_epoll_pwait2, epoll, events, BATCH, span, NULL, 0);
}

static int wait_for(struct native *n, struct epoll_event *events,
                    sill_duration length)
{
    if (!n->no_pwait2) {
        int count = pwait2(n->epoll, events, length);

        if (count >= 0 || (errno != ENOSYS && errno != EPERM))
            return count;
        n->no_pwait2 = true;
    }
    return epoll_wait(n->epoll, events, BATCH, milliseconds(length));
}

static int wait_until(struct native *n, struct epoll_event *events,
                      sill_time until)
{
    if (until == SILL_NEVER)
        return epoll_wait(n->epoll, events, BATCH, -1);
    if (until == SILL_PAST)
        return epoll_wait(n->epoll, events, BATCH, 0);

    sill_time now = sill_core_monotonic();

    if (until <= now)
        return epoll_wait(n->epoll, events, BATCH, 0);
    return wait_for(n, events, until - now);
}

static void report(const struct epoll_event *event)
{
    unsigned directions = 0;

    if (event->events & EPOLLIN)
        directions |= SILL_SPI_READ;
    if (event->events & EPOLLOUT)
        directions |= SILL_SPI_WRITE;
    /* A read stops short of urgent data, though more may lie behind it. */
    if (event->events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLPRI))
        directions |= SILL_SPI_HANGUP;
    if (event->data.ptr)
        (void)sill_core_ready(event->data.ptr, directions);
}

static int native_poll(void *self, sill_time until)
{
    struct native *n = self;
    struct epoll_event events[BATCH];
    int count = wait_until(n, events, until);

    if (count < 0)
        return errno == EINTR ? 0 : sill_error_from_errno(errno);
    n->more = count == BATCH;
    for (int i = 0; i < count; i++)
        report(&events[i]);
    return 0;
}

/* Most descriptors are only ever waited for to read: watched for writing, too,
 * each would give an event at once that nobody takes. */
static int native_watch(void *self, struct sill_spi_watch *watch,
                        unsigned directions)
{
    struct native *n = self;
    int operation = watch->armed ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    uint32_t events = EPOLLIN | EPOLLPRI | EPOLLRDHUP;

    if (directions & SILL_SPI_WRITE)
        events |= EPOLLOUT;

    int rc = set(n, operation, watch->fd, events, watch);

    if (rc == 0)
        watch->armed = directions | SILL_SPI_READ;
    return rc;
}

static void native_unwatch(void *self, struct sill_spi_watch *watch)
{
    struct native *n = self;

    (void)epoll_ctl(n->epoll, EPOLL_CTL_DEL, watch->fd, NULL);
    watch->armed = 0;
}

/* Each write is an edge of its own, so nobody has to read. */
static void native_interrupt(void *self)
{
    struct native *n = self;
    int saved = errno;

    while (write(n->wakeup, &(uint64_t){1}, sizeof(uint64_t)) < 0 &&
           errno == EINTR)
        continue;
    errno = saved;
}

/* The host hears from the step what it asked for, and otherwise only of what
 * is earlier. Whether a task lives it asks itself. */
static void native_alarm(void *self, sill_time when, bool alive)
{
    struct native *n = self;

    (void)alive;
    if (n->step) {
        n->step->next = when;
    } else if (when < n->told) {
        n->told = when;
        n->host.earlier(n->host.arg, when);
    }
}

SILL_API const struct sill_backend sill_backend_native = {
    SILL_SPI_ABI,   sizeof(struct sill_backend),
    "native",       native_open,
    native_close,   native_now,
    native_poll,    native_watch,
    native_unwatch, native_interrupt,
    native_alarm,   &sill_core_sockets};

/* See <sill/embed.h>. */

int sill_embed_attach(void (*earlier)(void *arg, sill_time when), void *arg,
                      const struct sill_run_options *options,
                      struct sill_guest **guest)
{
    struct host host = {earlier, arg};

    return sill_core_attach(&sill_backend_native, earlier ? &host : NULL,
                            options, guest);
}

int sill_embed_fd(const struct sill_guest *guest)
{
    const struct native *n =
        sill_core_guest_state(guest, &sill_backend_native, "sill_embed_fd");

    return n ? n->epoll : SILL_ENOTASK;
}

sill_time sill_embed_step(struct sill_guest *guest)
{
    struct native *n =
        sill_core_guest_state(guest, &sill_backend_native, "sill_embed_step");
    struct step step = {SILL_NEVER, false};

    if (!n)
        return SILL_NEVER;
    n->step = &step;
    (void)native_poll(n, SILL_PAST);
    sill_core_step(n->core);
    if (step.gone)
        return SILL_NEVER;
    n->step = NULL;
    /* What is left gives an edge-triggered host no edge. */
    n->told = n->more ? SILL_PAST : step.next;
    return n->told;
}

int sill_embed_timeout(sill_time when)
{
    if (when == SILL_NEVER)
        return -1;

    sill_time now = sill_core_monotonic();

    return when <= now ? 0 : milliseconds(when - now);
}
