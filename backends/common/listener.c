/* SPDX-License-Identifier: MIT */
/*
 * Listeners over sockets. See <sill/listener.h>.
 */
#include "sockets.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 1024 };

struct listener {
    struct descriptor descriptor;
    struct sill_address address;
    struct unix_file file;
};

static void destroy(struct descriptor *descriptor)
{
    sill_free(descriptor);
}

/* Errors that belong to a connection which is already gone: accept(2) passes
 * on what the network reported for it. */
static bool is_passing(int error)
{
    switch (error) {
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH:
        return true;
    default:
        return false;
    }
}

/* Returns a descriptor, SILL_EBUSY when none waits, or an error. */
static int try_accept(struct descriptor *d, struct sockaddr_any *peer)
{
    int fd;

    do {
        peer->size = sizeof(peer->storage);
        fd = accept4(d->watch.fd, (struct sockaddr *)&peer->storage,
                     &peer->size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    } while (fd < 0 && is_passing(errno));
    if (fd >= 0)
        return fd;
    if (errno != EAGAIN && errno != EWOULDBLOCK)
        return sill_error_from_errno(errno);
    descriptor_blocked(d, SILL_SPI_READ);
    return SILL_EBUSY;
}

static int wait_for_fd(struct descriptor *d, struct sockaddr_any *peer,
                       sill_time deadline)
{
    int rc = 0;

    for (;;) {
        if (descriptor_is_ready(d, SILL_SPI_READ) || rc == SILL_ETIMEDOUT) {
            int fd = try_accept(d, peer);

            if (fd != SILL_EBUSY)
                return fd;
        }
        if (rc < 0)
            return rc;
        rc = sill_core_descriptor_wait(d, SILL_SPI_READ, deadline,
                                       "sill_listener_accept");
        if (rc < 0 && rc != SILL_ETIMEDOUT)
            return rc;
    }
}

/* Memory first: a connection once taken from the queue cannot go back. */
static int listener_accept(void *impl, struct sill_stream *stream,
                           sill_time deadline)
{
    struct listener *l = impl;
    struct sill_loop *loop = l->descriptor.loop;
    struct sockaddr_any any;
    struct sill_address peer;
    struct sill_stream made;
    int rc = sill_core_sockets_wrap(loop, &made, -1,
                                    l->address.family == SILL_FAMILY_UNIX);

    if (rc < 0)
        return rc;

    int fd = wait_for_fd(&l->descriptor, &any, deadline);

    if (fd < 0) {
        sill_core_descriptor_close(made.impl, false);
        return fd;
    }
    sill_core_sockaddr_to(&peer, &any);
    sill_core_sockets_connected(&made, fd, &peer);
    *stream = made;
    return 0;
}

static int listener_local(void *impl, struct sill_address *address)
{
    struct listener *l = impl;

    *address = l->address;
    return 0;
}

static void listener_close(void *impl)
{
    struct listener *l = impl;

    if (!sill_core_is_forked(l->descriptor.loop))
        sill_core_unix_file_remove(&l->file, &l->address);
    sill_core_descriptor_close(&l->descriptor, true);
}

static const struct sill_listener_ops ops = {listener_accept, listener_local,
                                             listener_close};

static int begin(struct listener *l, int fd, const struct sill_address *address,
                 const struct sockaddr_any *at,
                 const struct sill_socket_options *options)
{
    int backlog = options && options->backlog > 0 ? options->backlog : BACKLOG;
    int rc;

    if (address->family != SILL_FAMILY_UNIX)
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    rc = sill_core_unix_file_bind(&l->file, fd, SOCK_STREAM, at);
    l->address = *address;
    if (rc == 0 && listen(fd, backlog) < 0)
        rc = sill_error_from_errno(errno);
    if (rc == 0)
        rc = sill_core_socket_local(fd, &l->address);
    if (rc < 0)
        sill_core_unix_file_remove(&l->file, address);
    return rc;
}

int sill_core_sockets_listen(struct sill_loop *loop,
                             struct sill_listener *listener,
                             const struct sill_address *address,
                             const struct sill_socket_options *options)
{
    struct sockaddr_any at;
    int rc = sill_core_sockaddr_from(&at, address);

    if (rc < 0)
        return rc;

    int fd = sill_core_socket_open(address, SOCK_STREAM, options);

    if (fd < 0)
        return fd;

    struct listener *l = sill_alloc(sizeof(*l));

    rc = SILL_ENOMEM;
    if (!l)
        goto no_memory;
    l->file = (struct unix_file){0, 0};
    rc = begin(l, fd, address, &at, options);
    if (rc < 0)
        goto no_listener;
    sill_core_descriptor_init(&l->descriptor, loop, fd, destroy);
    *listener = (struct sill_listener){&ops, l};
    return 0;

no_listener:
    sill_free(l);
no_memory:
    (void)close(fd);
    return rc;
}
