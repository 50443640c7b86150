/* SPDX-License-Identifier: MIT */
/*
 * Waiting on somebody else's descriptor. See <sill/watch.h>.
 *
 * Its owner reads and writes it behind our back, so what was reported before
 * means nothing: every wait begins and ends by asking poll(2).
 */
#include "sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>

static void destroy(struct descriptor *descriptor)
{
    sill_free(descriptor);
}

static unsigned ready_now(int fd, unsigned directions)
{
    struct pollfd entry = {.fd = fd};
    int n;

    if (directions & SILL_READ)
        entry.events |= POLLIN | POLLRDHUP;
    if (directions & SILL_WRITE)
        entry.events |= POLLOUT;
    do {
        n = poll(&entry, 1, 0);
    } while (n < 0 && errno == EINTR);
    if (n <= 0)
        return 0;
    if (entry.revents & (POLLERR | POLLHUP | POLLNVAL))
        return directions;

    unsigned ready = 0;

    if (entry.revents & (POLLIN | POLLRDHUP))
        ready |= SILL_READ;
    if (entry.revents & POLLOUT)
        ready |= SILL_WRITE;
    return ready;
}

static bool is_taken(const struct descriptor *d, unsigned directions)
{
    return ((directions & SILL_READ) && d->readers) ||
           ((directions & SILL_WRITE) && d->writers);
}

static int watch_wait(void *impl, unsigned directions, sill_time deadline)
{
    struct descriptor *d = impl;
    int fd = d->watch.fd;
    int rc = 0;

    if (is_taken(d, directions))
        return SILL_EBUSY;
    for (;;) {
        unsigned ready = ready_now(fd, directions);

        if (ready)
            return (int)ready;
        if (rc < 0)
            return rc;
        descriptor_blocked(d, directions);
        rc = sill_core_descriptor_wait(d, directions, deadline,
                                       "sill_watch_wait");
        if (rc < 0 && rc != SILL_ETIMEDOUT)
            return rc;
    }
}

static void watch_close(void *impl)
{
    sill_core_descriptor_close(impl, false);
}

static const struct sill_watch_ops ops = {watch_wait, watch_close};

int sill_core_sockets_watch(struct sill_loop *loop, struct sill_watch *watch,
                            int fd)
{
    if (fcntl(fd, F_GETFD) < 0)
        return sill_error_from_errno(errno);

    struct descriptor *d = sill_alloc(sizeof(*d));

    if (!d)
        return SILL_ENOMEM;
    sill_core_descriptor_init(d, loop, fd, destroy);

    int rc = loop->backend->watch(loop->self, &d->watch, SILL_SPI_READ);

    if (rc < 0) {
        sill_core_descriptor_close(d, false);
        return rc;
    }
    *watch = (struct sill_watch){&ops, d};
    return 0;
}
