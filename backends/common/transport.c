/* SPDX-License-Identifier: MIT */
/*
 * The public calls on listeners, datagrams and watches: checks that hold for
 * every transport, and then the transport's own part. Streams are in stream.c.
 */
#include "transport.h"
#include "sockets.h"

const struct sill_spi_transport sill_core_sockets = {
    sill_core_sockets_connect, sill_core_sockets_adopt,
    sill_core_sockets_listen, sill_core_sockets_datagram,
    sill_core_sockets_watch};

int sill_core_transport_enter(sill_time deadline)
{
    struct sill_task *self = sill_core_self();

    if (!self)
        return SILL_ENOTASK;
    sill_core_take_turns(self, deadline);
    return sill_core_is_cancelled(self) ? SILL_ECANCELED : 0;
}

/* For transports of their own. See sill_spi.h. */

int sill_core_wait(struct sill_spi_waiter *waiter, sill_time deadline,
                   const char *what, const char *call)
{
    struct sill_task *self = sill_core_self();

    if (waiter->task)
        sill_core_fatal(call, "another task does the same on it", self);

    int rc = sill_core_check(self, deadline);

    if (rc < 0)
        return rc;
    waiter->task = self;
    rc = sill_core_park(self, deadline, WAIT_OUTSIDE, what);
    waiter->task = NULL;
    return rc;
}

void sill_core_wake_waiter(const struct sill_spi_waiter *waiter, int result)
{
    if (waiter->task)
        sill_core_wake_across(waiter->task, result);
}

void **sill_core_task_data(void)
{
    struct sill_task *self = sill_core_self();

    return self ? &self->data : NULL;
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
    *stream = (struct sill_stream){0};
    if (!listener->ops)
        return SILL_ECLOSED;

    int rc = sill_core_transport_enter(deadline);

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

    int rc = sill_core_transport_enter(deadline);

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

    watch->ops = NULL;
    if (!self)
        return SILL_ENOTASK;
    return transport_of(self)->watch(self->loop, watch, fd);
}

int sill_watch_wait(struct sill_watch *watch, unsigned directions,
                    sill_time deadline)
{
    if (!watch->ops)
        return SILL_ECLOSED;
    if (directions == 0 || (directions & ~(unsigned)(SILL_READ | SILL_WRITE)))
        return SILL_EINVAL;

    int rc = sill_core_transport_enter(deadline);

    if (rc < 0)
        return rc;
    if (!watch->ops)
        return SILL_ECLOSED;
    return watch->ops->wait(watch->impl, directions, deadline);
}

void sill_watch_close(struct sill_watch *watch)
{
    const struct sill_watch_ops *ops = watch->ops;

    watch->ops = NULL;
    if (ops)
        ops->close(watch->impl);
}
