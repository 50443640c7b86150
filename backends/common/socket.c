/* SPDX-License-Identifier: MIT */
/*
 * Streams over sockets, for every backend with descriptors.
 */
#include "batch.h"
#include "sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TARGET_MOST = 2048 }; /* worth fetching ahead, in bytes */

#define CONNECT_AGAIN (2 * SILL_MILLISECOND)

struct socket {
    struct descriptor descriptor; /* first */
    bool connected_here;          /* and not before it was adopted */
    struct sill_address peer;     /* then; the kernel forgets it at a reset */
};

static void destroy(struct descriptor *descriptor)
{
    sill_free(descriptor);
}

static int would_block(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK;
}

int sill_core_sockets_failure(struct descriptor *d, unsigned direction)
{
    if (would_block(errno)) {
        descriptor_blocked(d, direction);
        return SILL_EBUSY;
    }

    int rc = sill_error_from_errno(errno);

    if (rc == SILL_ECONNRESET)
        d->reset = true;
    return rc;
}

/* Returns bytes, the end, or a failure. */
static ssize_t try_read(struct descriptor *d, void *buffer, size_t size)
{
    ssize_t n;

    do {
        n = recv(d->watch.fd, buffer, size, 0);
    } while (n < 0 && errno == EINTR);
    if (n > 0 && (size_t)n < size && !d->in_pieces)
        descriptor_drained(d, SILL_SPI_READ);
    if (n < 0)
        return sill_core_sockets_failure(d, SILL_SPI_READ);
    return n == 0 && d->reset ? SILL_ECONNRESET : n;
}

static ssize_t send_pieces(int fd, const struct msghdr *message)
{
    const struct iovec *pieces = message->msg_iov;

    if (message->msg_iovlen == 1)
        return send(fd, pieces->iov_base, pieces->iov_len, MSG_NOSIGNAL);
    return sendmsg(fd, message, MSG_NOSIGNAL);
}

/* What became of a write that sent (n) bytes. */
static ssize_t written(struct descriptor *d, const struct msghdr *message,
                       ssize_t n)
{
    if (n < 0)
        return sill_core_sockets_failure(d, SILL_SPI_WRITE);
    if ((size_t)n <
        sockets_total(message->msg_iov, (size_t)message->msg_iovlen))
        descriptor_drained(d, SILL_SPI_WRITE);
    return n;
}

static ssize_t write_alone(struct descriptor *d, const struct msghdr *message)
{
    ssize_t n;

    do {
        n = send_pieces(d->watch.fd, message);
    } while (n < 0 && errno == EINTR);
    return written(d, message, n);
}

/* Others run meanwhile, and may close the stream. */
static ssize_t write_in_batch(struct descriptor *d,
                              const struct msghdr *message)
{
    d->waiting++;
    d->leaving = true;

    ssize_t n = sill_core_batch_send(sill_core_self(), d->watch.fd, message);

    n = written(d, message, n);
    d->leaving = false;
    if (!sill_core_descriptor_release(d) && n < 0)
        return SILL_ECLOSED;
    return n;
}

static ssize_t try_write(struct descriptor *d, const struct iovec *pieces,
                         size_t count, sill_time deadline)
{
    const struct msghdr message = sockets_message(pieces, count);

    if (batch_pays(sill_core_self(), deadline))
        return write_in_batch(d, &message);
    return write_alone(d, &message);
}

/* Tells bring_near in loop.c where the bytes will go. */
static int wait_to_read(struct descriptor *d, void *buffer, sill_time deadline)
{
    struct sill_task *self = sill_core_self();

    self->target = buffer;

    int rc = sill_core_descriptor_wait(d, SILL_SPI_READ, deadline,
                                       "sill_stream_read");

    self->target = NULL;
    return rc;
}

static void remember_size(ssize_t n)
{
    if (n > 0)
        sill_core_self()->target_size =
            n < TARGET_MOST ? (unsigned)n : TARGET_MOST;
}

/* A deadline that passed still tries once more: finished work beats it. */
static ssize_t socket_read(void *impl, void *buffer, size_t size,
                           sill_time deadline)
{
    struct descriptor *d = impl;
    int rc = 0;

    for (;;) {
        if (descriptor_is_ready(d, SILL_SPI_READ) || rc == SILL_ETIMEDOUT) {
            ssize_t n = try_read(d, buffer, size);

            remember_size(n);
            if (n != SILL_EBUSY)
                return n;
            if (deadline == SILL_PAST)
                return SILL_ETIMEDOUT;
        }
        if (rc < 0)
            return rc;
        rc = wait_to_read(d, buffer, deadline);
        if (rc < 0 && rc != SILL_ETIMEDOUT)
            return rc;
    }
}

/* Asks the kernel without taking anything, not even an error. Returns 1 if a
 * read would not wait, 0, or why the kernel does not say. */
static int ask(struct descriptor *d)
{
    struct pollfd entry = {.fd = d->watch.fd, .events = POLLIN};
    int n;

    do {
        n = poll(&entry, 1, 0);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return sill_error_from_errno(errno);
    if (n > 0)
        d->ready |= SILL_SPI_READ;
    else
        descriptor_blocked(d, SILL_SPI_READ);
    return n;
}

/* What was reported may have been read since, and is worth a question. An event
 * that comes during the wait is true: nobody else reads. */
static int socket_wait(void *impl, sill_time deadline)
{
    struct descriptor *d = impl;
    int rc = descriptor_is_ready(d, SILL_SPI_READ) ? ask(d) : 0;

    if (rc != 0)
        return rc < 0 ? rc : 0;
    rc = sill_core_descriptor_wait(d, SILL_SPI_READ, deadline,
                                   "sill_stream_wait");
    return rc == SILL_ETIMEDOUT && ask(d) > 0 ? 0 : rc;
}

static ssize_t socket_writev(void *impl, const struct iovec *pieces,
                             size_t count, sill_time deadline)
{
    struct descriptor *d = impl;
    int rc = 0;

    for (;;) {
        if (descriptor_is_ready(d, SILL_SPI_WRITE) || rc == SILL_ETIMEDOUT) {
            ssize_t n = try_write(d, pieces, count, deadline);

            if (n != SILL_EBUSY)
                return n;
        }
        if (rc < 0)
            return rc;
        rc = sill_core_descriptor_wait(d, SILL_SPI_WRITE, deadline,
                                       "sill_stream_write");
        if (rc < 0 && rc != SILL_ETIMEDOUT)
            return rc;
    }
}

static int socket_shutdown(void *impl, sill_time deadline)
{
    struct descriptor *d = impl;

    (void)deadline;
    sill_core_descriptor_settle(d);
    if (shutdown(d->watch.fd, SHUT_WR) == 0)
        return 0;
    return errno == ENOTCONN ? SILL_ECONNRESET : sill_error_from_errno(errno);
}

static void socket_close(void *impl)
{
    sill_core_descriptor_close(impl, true);
}

static int local(void *impl, struct sill_address *address)
{
    struct descriptor *d = impl;

    return sill_core_socket_local(d->watch.fd, address);
}

static int peer(void *impl, struct sill_address *address)
{
    struct socket *s = impl;

    if (!s->connected_here)
        return sill_core_socket_peer(s->descriptor.watch.fd, address);
    *address = s->peer;
    return 0;
}

static const struct sill_stream_ops socket_ops = {
    socket_read, socket_writev, socket_shutdown, socket_close,
    local,       peer,          socket_wait,     sill_core_sockets_sendfile};

/* Takes over a connected (fd), which is the caller's again on failure. What the
 * peer sends comes later, as a rule, and what is there is reported when the
 * descriptor is watched: a read before that would be for nothing. */
int sill_core_sockets_wrap(struct sill_loop *loop, struct sill_stream *stream,
                           int fd, bool in_pieces)
{
    struct socket *s = sill_alloc(sizeof(*s));

    if (!s)
        return SILL_ENOMEM;
    sill_core_descriptor_init(&s->descriptor, loop, fd, destroy);
    s->descriptor.in_pieces = in_pieces;
    descriptor_blocked(&s->descriptor, SILL_SPI_READ);
    s->connected_here = false;
    *stream = (struct sill_stream){.ops = &socket_ops, .impl = s};
    return 0;
}

void sill_core_sockets_connected(struct sill_stream *stream, int fd,
                                 const struct sill_address *peer)
{
    struct socket *s = stream->impl;

    s->descriptor.watch.fd = fd;
    s->connected_here = true;
    s->peer = *peer;
}

static int require_stream_socket(int fd)
{
    int type = 0;
    socklen_t size = sizeof(type);

    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0)
        return errno == ENOTSOCK ? SILL_EINVAL : sill_error_from_errno(errno);
    return type == SOCK_STREAM ? 0 : SILL_EINVAL;
}

static bool is_unix(int fd)
{
    int domain = 0;
    socklen_t size = sizeof(domain);

    return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 &&
           domain == AF_UNIX;
}

int sill_core_sockets_adopt(struct sill_loop *loop, struct sill_stream *stream,
                            int fd)
{
    int flags = fcntl(fd, F_GETFL);
    int rc =
        flags < 0 ? sill_error_from_errno(errno) : require_stream_socket(fd);

    if (rc < 0)
        return rc;
    if (fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
        fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
        return sill_error_from_errno(errno);
    return sill_core_sockets_wrap(loop, stream, fd, is_unix(fd));
}

/* Connecting. */

static int pending_error(int fd)
{
    int error = 0;
    socklen_t size = sizeof(error);

    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        return sill_error_from_errno(errno);
    return error ? sill_error_from_errno(error) : 0;
}

/* Returns 0, SILL_EBUSY when it goes on in the background, or an error. A full
 * Unix-domain queue gives no event when there is room again: ask again. */
static int begin_connect(int fd, const struct sockaddr_any *to,
                         sill_time deadline)
{
    for (;;) {
        if (connect(fd, (const struct sockaddr *)&to->storage, to->size) == 0)
            return 0;
        if (errno == EINPROGRESS || errno == EINTR)
            return SILL_EBUSY;
        if (errno != EAGAIN || to->storage.ss_family != AF_UNIX)
            return sill_error_from_errno(errno);

        sill_time next = sill_after(CONNECT_AGAIN);
        int rc = sill_sleep(next < deadline ? next : deadline);

        if (rc < 0)
            return rc;
        if (sill_now() >= deadline)
            return SILL_ETIMEDOUT;
    }
}

static int finish_connect(struct descriptor *d, sill_time deadline)
{
    descriptor_blocked(d, SILL_SPI_WRITE);

    int rc = sill_core_descriptor_wait(d, SILL_SPI_WRITE, deadline,
                                       "sill_stream_connect");

    return rc < 0 ? rc : pending_error(d->watch.fd);
}

int sill_core_sockets_connect(struct sill_loop *loop,
                              struct sill_stream *stream,
                              const struct sill_address *address,
                              const struct sill_socket_options *options,
                              sill_time deadline)
{
    struct sockaddr_any to;
    struct sill_stream made;
    int rc = sill_core_sockaddr_from(&to, address);

    if (rc < 0)
        return rc;

    int fd = sill_core_socket_open(address, SOCK_STREAM, options);

    if (fd < 0)
        return fd;
    rc = sill_core_sockets_wrap(loop, &made, fd,
                                address->family == SILL_FAMILY_UNIX);
    if (rc < 0) {
        (void)close(fd);
        return rc;
    }
    sill_core_sockets_connected(&made, fd, address);
    rc = begin_connect(fd, &to, deadline);
    if (rc == SILL_EBUSY)
        rc = finish_connect(made.impl, deadline);
    if (rc < 0)
        sill_stream_close(&made);
    else
        *stream = made;
    return rc;
}
