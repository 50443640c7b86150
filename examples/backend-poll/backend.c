/* SPDX-License-Identifier: MIT */
/*
 * The backend over poll(2), for systems that have nothing better.
 */
#include <sill_spi.h>

#include <sill/error.h>
#include <sill/hooks.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BOTH = SILL_SPI_READ | SILL_SPI_WRITE, ROOM = 64 };

/* (fds) and (slots) run side by side; the first of each is the wake-up. */
struct slot {
    struct sill_spi_watch *watch;
    bool ended; /* the peer, and that was told */
};

struct poller {
    int wakeup[2];
    struct pollfd *fds;
    struct slot *slots;
    nfds_t count, room;
};

static int reserve(struct poller *p, nfds_t room)
{
    struct pollfd *fds = sill_alloc(room * sizeof(*fds));
    struct slot *slots = sill_alloc(room * sizeof(*slots));

    if (!fds || !slots) {
        sill_free(fds);
        sill_free(slots);
        return SILL_ENOMEM;
    }
    if (p->count > 0) {
        memcpy(fds, p->fds, p->count * sizeof(*fds));
        memcpy(slots, p->slots, p->count * sizeof(*slots));
    }
    sill_free(p->fds);
    sill_free(p->slots);
    p->fds = fds;
    p->slots = slots;
    p->room = room;
    return 0;
}

static int poll_open(struct sill_loop *loop, void *host, void **self)
{
    (void)loop;
    if (host)
        return SILL_EINVAL;

    struct poller *p = sill_alloc(sizeof(*p));

    if (!p)
        return SILL_ENOMEM;
    memset(p, 0, sizeof(*p));

    int rc = reserve(p, ROOM);

    if (rc < 0)
        goto free_p;
    if (pipe2(p->wakeup, O_CLOEXEC | O_NONBLOCK) < 0) {
        rc = sill_error_from_errno(errno);
        goto free_arrays;
    }
    p->fds[0] = (struct pollfd){.fd = p->wakeup[0], .events = POLLIN};
    p->count = 1;
    *self = p;
    return 0;

free_arrays:
    sill_free(p->fds);
    sill_free(p->slots);
free_p:
    sill_free(p);
    return rc;
}

static void poll_close(void *self)
{
    struct poller *p = self;

    (void)close(p->wakeup[0]);
    (void)close(p->wakeup[1]);
    sill_free(p->fds);
    sill_free(p->slots);
    sill_free(p);
}

static sill_time poll_now(void *self)
{
    (void)self;
    return sill_core_monotonic();
}

/* Rounded up, so that nothing spins through the last millisecond. */
static int milliseconds(sill_time until)
{
    if (until == SILL_NEVER)
        return -1;
    if (until == SILL_PAST)
        return 0;

    sill_time now = sill_core_monotonic();

    if (until <= now)
        return 0;

    sill_duration ms = (until - now) / SILL_MILLISECOND + 1;

    return ms > INT_MAX ? INT_MAX : (int)ms;
}

/* A negative descriptor is passed over: poll(2) reports errors unasked. */
static void set_armed(struct poller *p, nfds_t at, unsigned directions)
{
    struct sill_spi_watch *watch = p->slots[at].watch;
    short events = p->slots[at].ended ? 0 : POLLRDHUP;

    if (directions & SILL_SPI_READ)
        events |= POLLIN;
    if (directions & SILL_SPI_WRITE)
        events |= POLLOUT;
    p->fds[at].fd = directions ? watch->fd : -1;
    p->fds[at].events = events;
    watch->armed = directions;
}

static void report(struct poller *p, nfds_t at)
{
    struct slot *slot = &p->slots[at];
    short events = p->fds[at].revents;
    unsigned directions = 0;

    if (events & POLLIN)
        directions |= SILL_SPI_READ;
    if (events & POLLOUT)
        directions |= SILL_SPI_WRITE;
    if (events & (POLLERR | POLLHUP | POLLRDHUP | POLLNVAL))
        directions |= BOTH | SILL_SPI_HANGUP;
    if (events & POLLRDHUP)
        slot->ended = true;
    set_armed(p, at,
              slot->watch->armed & ~sill_core_ready(slot->watch, directions));
}

static int poll_poll(void *self, sill_time until)
{
    struct poller *p = self;
    char bytes[64];
    int count;

    do {
        count = poll(p->fds, p->count, milliseconds(until));
    } while (count < 0 && errno == EINTR);
    if (count < 0) /* out of memory, at most: the core asks again */
        return errno == ENOMEM ? 0 : sill_error_from_errno(errno);
    if (p->fds[0].revents)
        (void)!read(p->wakeup[0], bytes, sizeof(bytes));
    for (nfds_t at = 1; at < p->count; at++)
        if (p->fds[at].revents)
            report(p, at);
    return 0;
}

static int check_pollable(int fd)
{
    struct stat status;

    if (fstat(fd, &status) < 0)
        return sill_error_from_errno(errno);
    return S_ISREG(status.st_mode) || S_ISDIR(status.st_mode) ? SILL_EPERM : 0;
}

static int take_slot(struct poller *p, struct sill_spi_watch *watch)
{
    int rc = check_pollable(watch->fd);

    if (rc == 0 && p->count == p->room)
        rc = reserve(p, 2 * p->room);
    if (rc < 0)
        return rc;
    p->slots[p->count] = (struct slot){.watch = watch};
    watch->handle = (void *)(uintptr_t)p->count++;
    return 0;
}

static int poll_watch(void *self, struct sill_spi_watch *watch,
                      unsigned directions)
{
    int rc = watch->handle ? 0 : take_slot(self, watch);

    if (rc == 0)
        set_armed(self, (uintptr_t)watch->handle, watch->armed | directions);
    return rc;
}

/* The last one moves into the gap. */
static void poll_unwatch(void *self, struct sill_spi_watch *watch)
{
    struct poller *p = self;
    nfds_t at = (uintptr_t)watch->handle;

    if (at == 0)
        return;
    p->count--;
    p->fds[at] = p->fds[p->count];
    p->slots[at] = p->slots[p->count];
    p->slots[at].watch->handle = watch->handle;
    watch->handle = NULL;
    watch->armed = 0;
}

static void poll_interrupt(void *self)
{
    struct poller *p = self;
    int saved = errno;
    ssize_t n;

    do {
        n = write(p->wakeup[1], "", 1);
    } while (n < 0 && errno == EINTR);
    errno = saved;
}

/* Nobody hosts it. */
static void poll_alarm(void *self, sill_time when, bool alive)
{
    (void)self;
    (void)when;
    (void)alive;
}

SILL_API const struct sill_backend sill_backend_poll = {
    SILL_SPI_ABI, sizeof(struct sill_backend),
    "poll",       poll_open,
    poll_close,   poll_now,
    poll_poll,    poll_watch,
    poll_unwatch, poll_interrupt,
    poll_alarm,   &sill_core_sockets};
