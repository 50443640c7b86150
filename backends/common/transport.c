/* SPDX-License-Identifier: MIT */
/*
 * The public calls on streams, listeners, datagrams and watches: checks that
 * hold for every transport, and then the transport's own part.
 */
#include "sockets.h"

const struct sill_spi_transport sill_core_sockets = {
    sockets_connect, sockets_adopt,      sockets_listen,     sockets_datagram,
    sockets_watch,   sockets_watch_wait, sockets_watch_close};

static const struct sill_spi_transport *transport_of(struct sill_task *self)
{
    return self->loop->backend->transport;
}

/* Before every call that moves something: a cancelled task does nothing, and
 * one that never has to wait lets others run now and then. */
static int enter(sill_time deadline)
{
    struct sill_task *self = sill_core_self();

    if (!self)
        return SILL_ENOTASK;
    sill_core_take_turns(self, deadline);
    return sill_core_is_cancelled(self) ? SILL_ECANCELED : 0;
}

/* Streams. */

int sill_stream_connect(struct sill_stream *stream,
                        const struct sill_address *address,
                        const struct sill_socket_options *options,
                        sill_time deadline)
{
    int rc = enter(deadline);

    *stream = (struct sill_stream){NULL, NULL, 0};
    if (rc < 0)
        return rc;

    struct sill_task *self = sill_core_self();

    return transport_of(self)->connect(self->loop, stream, address, options,
                                       deadline);
}

int sill_stream_adopt(struct sill_stream *stream, int fd)
{
    struct sill_task *self = sill_core_self();

    *stream = (struct sill_stream){NULL, NULL, 0};
    if (!self)
        return SILL_ENOTASK;
    return transport_of(self)->adopt(self->loop, stream, fd);
}

static int enter_stream(const struct sill_stream *stream, unsigned direction,
                        sill_time deadline)
{
    if (!stream->ops)
        return SILL_ECLOSED;

    int rc = enter(deadline);

    if (rc == 0 && !stream->ops)
        return SILL_ECLOSED;
    if (rc == 0 && (stream->poison & direction))
        return SILL_EPOISONED;
    return rc;
}

ssize_t sill_stream_read(struct sill_stream *stream, void *buffer, size_t size,
                         sill_time deadline)
{
    int rc = enter_stream(stream, SILL_READ, deadline);

    if (rc < 0 || size == 0)
        return rc;
    return stream->ops->read(stream->impl, buffer, size, deadline);
}

ssize_t sill_stream_write(struct sill_stream *stream, const void *data,
                          size_t size, sill_time deadline)
{
    struct iovec piece = {(void *)(uintptr_t)data, size};
    int rc = enter_stream(stream, SILL_WRITE, deadline);

    if (rc < 0 || size == 0)
        return rc;
    return stream->ops->writev(stream->impl, &piece, 1, deadline);
}

ssize_t sill_stream_writev(struct sill_stream *stream,
                           const struct iovec *pieces, size_t count,
                           sill_time deadline)
{
    int rc = enter_stream(stream, SILL_WRITE, deadline);

    while (count > 0 && pieces->iov_len == 0) {
        pieces++;
        count--;
    }
    if (rc < 0 || count == 0)
        return rc;
    return stream->ops->writev(stream->impl, pieces, count, deadline);
}

int sill_stream_shutdown(struct sill_stream *stream, sill_time deadline)
{
    if (!stream->ops)
        return SILL_ECLOSED;
    return stream->ops->shutdown(stream->impl, deadline);
}

void sill_stream_close(struct sill_stream *stream)
{
    const struct sill_stream_ops *ops = stream->ops;

    stream->ops = NULL;
    if (ops)
        ops->close(stream->impl);
}

int sill_stream_local(const struct sill_stream *stream,
                      struct sill_address *address)
{
    if (!stream->ops)
        return SILL_ECLOSED;
    return stream->ops->local(stream->impl, address);
}

int sill_stream_peer(const struct sill_stream *stream,
                     struct sill_address *address)
{
    if (!stream->ops)
        return SILL_ECLOSED;
    return stream->ops->peer(stream->impl, address);
}

/* Listeners. */

int sill_listener_listen(struct sill_listener *listener,
                         const struct sill_address *address,
                         const struct sill_socket_options *options)
{
    struct sill_task *self = sill_core_self();

    *listener = (struct sill_listener){NULL, NULL};
    if (!self)
        return SILL_ENOTASK;
    return transport_of(self)->listen(self->loop, listener, address, options);
}

int sill_listener_accept(struct sill_listener *listener,
                         struct sill_stream *stream, sill_time deadline)
{
    *stream = (struct sill_stream){NULL, NULL, 0};
    if (!listener->ops)
        return SILL_ECLOSED;

    int rc = enter(deadline);

    if (rc < 0)
        return rc;
    if (!listener->ops)
        return SILL_ECLOSED;
    return listener->ops->accept(listener->impl, stream, deadline);
}

int sill_listener_local(const struct sill_listener *listener,
                        struct sill_address *address)
{
    if (!listener->ops)
        return SILL_ECLOSED;
    return listener->ops->local(listener->impl, address);
}

void sill_listener_close(struct sill_listener *listener)
{
    const struct sill_listener_ops *ops = listener->ops;

    listener->ops = NULL;
    if (ops)
        ops->close(listener->impl);
}

/* Datagrams. */

int sill_datagram_open(struct sill_datagram *datagram,
                       const struct sill_address *address,
                       const struct sill_socket_options *options)
{
    struct sill_task *self = sill_core_self();

    *datagram = (struct sill_datagram){NULL, NULL};
    if (!self)
        return SILL_ENOTASK;
    return transport_of(self)->datagram(self->loop, datagram, address, options);
}

int sill_datagram_connect(struct sill_datagram *datagram,
                          const struct sill_address *peer)
{
    if (!datagram->ops)
        return SILL_ECLOSED;
    return datagram->ops->connect(datagram->impl, peer);
}

static int enter_datagram(const struct sill_datagram *datagram,
                          sill_time deadline)
{
    if (!datagram->ops)
        return SILL_ECLOSED;

    int rc = enter(deadline);

    return rc == 0 && !datagram->ops ? SILL_ECLOSED : rc;
}

int sill_datagram_send(struct sill_datagram *datagram, const void *data,
                       size_t size, const struct sill_address *peer,
                       sill_time deadline)
{
    int rc = enter_datagram(datagram, deadline);

    if (rc < 0)
        return rc;
    return datagram->ops->send(datagram->impl, data, size, peer, deadline);
}

ssize_t sill_datagram_receive(struct sill_datagram *datagram, void *buffer,
                              size_t size, struct sill_address *peer,
                              sill_time deadline)
{
    int rc = enter_datagram(datagram, deadline);

    if (rc < 0)
        return rc;
    return datagram->ops->receive(datagram->impl, buffer, size, peer, deadline);
}

int sill_datagram_local(const struct sill_datagram *datagram,
                        struct sill_address *address)
{
    if (!datagram->ops)
        return SILL_ECLOSED;
    return datagram->ops->local(datagram->impl, address);
}

void sill_datagram_close(struct sill_datagram *datagram)
{
    const struct sill_datagram_ops *ops = datagram->ops;

    datagram->ops = NULL;
    if (ops)
        ops->close(datagram->impl);
}

/* Watches. */

int sill_watch_open(struct sill_watch *watch, int fd)
{
    struct sill_task *self = sill_core_self();

    watch->impl = NULL;
    if (!self)
        return SILL_ENOTASK;
    return transport_of(self)->watch(self->loop, watch, fd);
}

int sill_watch_wait(struct sill_watch *watch, unsigned directions,
                    sill_time deadline)
{
    if (!watch->impl)
        return SILL_ECLOSED;
    if (directions == 0 || (directions & ~(unsigned)(SILL_READ | SILL_WRITE)))
        return SILL_EINVAL;

    int rc = enter(deadline);

    if (rc < 0)
        return rc;
    if (!watch->impl)
        return SILL_ECLOSED;
    return transport_of(sill_core_self())
        ->watch_wait(watch, directions, deadline);
}

void sill_watch_close(struct sill_watch *watch)
{
    struct sill_watch open = *watch;
    struct sill_loop *loop = sill_core_current;

    watch->impl = NULL;
    if (open.impl && loop)
        loop->backend->transport->watch_close(&open);
}
