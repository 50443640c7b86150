/* SPDX-License-Identifier: MIT */
/*
 * Datagrams over sockets. See <sill/datagram.h>.
 */
#include "sockets.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#define SEND_AGAIN (2 * SILL_MILLISECOND)

struct datagram {
    struct descriptor descriptor;
    struct sill_address address;
    struct unix_file file;
};

struct message {
    struct sockaddr_any peer;
    struct iovec piece;
    struct msghdr header;
};

static void destroy(struct descriptor *descriptor)
{
    sill_free(descriptor);
}

static ssize_t result_of(struct descriptor *d, unsigned direction, ssize_t n)
{
    if (n >= 0)
        return n;
    if (errno != EAGAIN && errno != EWOULDBLOCK)
        return sill_error_from_errno(errno);
    descriptor_blocked(d, direction);
    return SILL_EBUSY;
}

static ssize_t try_send(struct descriptor *d, struct message *m)
{
    ssize_t n;

    do {
        n = sendmsg(d->watch.fd, &m->header, MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    if (n < 0 && errno == EDESTADDRREQ)
        return SILL_ENOTCONN;
    return result_of(d, SILL_SPI_WRITE, n);
}

static ssize_t try_receive(struct descriptor *d, struct message *m)
{
    ssize_t n;

    do {
        m->header.msg_namelen = sizeof(m->peer.storage);
        n = recvmsg(d->watch.fd, &m->header, MSG_TRUNC);
    } while (n < 0 && errno == EINTR);
    m->peer.size = m->header.msg_namelen;
    return result_of(d, SILL_SPI_READ, n);
}

/* A Unix-domain socket that sends to anybody counts as writable even when the
 * receiver's queue is full, and there is no event for that: ask again. */
static bool is_blind(const struct message *m)
{
    return m->header.msg_name && m->peer.storage.ss_family == AF_UNIX;
}

static int wait_to_send(struct descriptor *d, const struct message *m,
                        sill_time deadline)
{
    if (!is_blind(m))
        return sill_core_descriptor_wait(d, SILL_SPI_WRITE, deadline,
                                         "sill_datagram_send");

    int rc = sill_core_descriptor_pause(d, SILL_SPI_WRITE, SEND_AGAIN, deadline,
                                        "sill_datagram_send");

    if (rc == 0)
        d->ready |= SILL_SPI_WRITE;
    return rc;
}

static ssize_t until_done(struct descriptor *d, unsigned direction,
                          struct message *m, sill_time deadline)
{
    bool receive = direction == SILL_SPI_READ;
    int rc = 0;

    for (;;) {
        if (descriptor_is_ready(d, direction) || rc == SILL_ETIMEDOUT) {
            ssize_t n = receive ? try_receive(d, m) : try_send(d, m);

            if (n != SILL_EBUSY)
                return n;
        }
        if (rc < 0)
            return rc;
        rc = receive ? sill_core_descriptor_wait(d, direction, deadline,
                                                 "sill_datagram_receive")
                     : wait_to_send(d, m, deadline);
        if (rc < 0 && rc != SILL_ETIMEDOUT)
            return rc;
    }
}

static void compose(struct message *m, void *data, size_t size)
{
    m->piece = (struct iovec){data, size};
    m->header = (struct msghdr){.msg_name = &m->peer.storage,
                                .msg_namelen = m->peer.size,
                                .msg_iov = &m->piece,
                                .msg_iovlen = 1};
}

static int datagram_send(void *impl, const void *data, size_t size,
                         const struct sill_address *peer, sill_time deadline)
{
    struct message m = {.peer = {.size = 0}};
    int rc = peer ? sill_core_sockaddr_from(&m.peer, peer) : 0;

    if (rc < 0)
        return rc;
    compose(&m, (void *)(uintptr_t)data, size);
    if (!peer)
        m.header.msg_name = NULL;

    ssize_t n = until_done(impl, SILL_SPI_WRITE, &m, deadline);

    return n < 0 ? (int)n : 0;
}

static ssize_t datagram_receive(void *impl, void *buffer, size_t size,
                                struct sill_address *peer, sill_time deadline)
{
    struct message m = {.peer = {.size = 0}};

    compose(&m, buffer, size);

    ssize_t n = until_done(impl, SILL_SPI_READ, &m, deadline);

    if (n >= 0 && peer)
        sill_core_sockaddr_to(peer, &m.peer);
    return n;
}

static int datagram_connect(void *impl, const struct sill_address *peer)
{
    struct descriptor *d = impl;
    struct sockaddr_any to;
    int rc = sill_core_sockaddr_from(&to, peer);

    if (rc < 0)
        return rc;
    do {
        rc = connect(d->watch.fd, (struct sockaddr *)&to.storage, to.size);
    } while (rc < 0 && errno == EINTR);
    return rc < 0 ? sill_error_from_errno(errno) : 0;
}

static int datagram_local(void *impl, struct sill_address *address)
{
    struct descriptor *d = impl;

    return sill_core_socket_local(d->watch.fd, address);
}

static void datagram_close(void *impl)
{
    struct datagram *g = impl;

    if (!sill_core_is_forked(g->descriptor.loop))
        sill_core_unix_file_remove(&g->file, &g->address);
    sill_core_descriptor_close(&g->descriptor, true);
}

static const struct sill_datagram_ops ops = {datagram_connect, datagram_send,
                                             datagram_receive, datagram_local,
                                             datagram_close};

int sill_core_sockets_datagram(struct sill_loop *loop,
                               struct sill_datagram *datagram,
                               const struct sill_address *address,
                               const struct sill_socket_options *options)
{
    struct sockaddr_any at;
    int rc = sill_core_sockaddr_from(&at, address);

    if (rc < 0)
        return rc;

    int fd = sill_core_socket_open(address, SOCK_DGRAM, options);

    if (fd < 0)
        return fd;

    struct datagram *g = sill_alloc(sizeof(*g));

    rc = g ? sill_core_unix_file_bind(&g->file, fd, SOCK_DGRAM, &at)
           : SILL_ENOMEM;
    if (rc < 0) {
        sill_free(g);
        (void)close(fd);
        return rc;
    }
    g->address = *address;
    sill_core_descriptor_init(&g->descriptor, loop, fd, destroy);
    *datagram = (struct sill_datagram){&ops, g};
    return 0;
}
