/* SPDX-License-Identifier: MIT */
/*
 * <sill/datagram.h>: messages with edges, over UDP or Unix-domain sockets.
 *
 * One task may receive while another sends; two in the same direction end the
 * program. Cancelled and late calls lose nothing.
 *
 * Memory   struct sill_datagram is the caller's; a zeroed one is closed.
 * Errors   beside those listed, each call that waits can return SILL_ECLOSED,
 *          SILL_ECANCELED, SILL_ETIMEDOUT, SILL_ENOMEM, SILL_ENOTASK.
 */
#ifndef SILL_DATAGRAM_H
#define SILL_DATAGRAM_H

#include <sill/address.h>
#include <sill/attributes.h>
#include <sill/stream.h>
#include <sill/time.h>

SILL_BEGIN

struct sill_datagram_ops;

struct sill_datagram {
    /* private */
    const struct sill_datagram_ops *ops;
    void *impl;
};

/*
 * Opens (datagram) at the local (address); port 0 picks one.
 *
 * options   may be NULL.
 *
 * Returns 0, or the errors of sill_listener_listen. Never suspends.
 */
SILL_API SILL_MUST_CHECK int
sill_datagram_open(struct sill_datagram *datagram,
                   const struct sill_address *address,
                   const struct sill_socket_options *options);

/*
 * Fixes the peer: only its messages are received, send may leave the address
 * out, and a refused message is reported once, by the next call, as
 * SILL_ECONNREFUSED, after which (datagram) still works.
 *
 * Returns 0, SILL_ECLOSED, SILL_EINVAL, SILL_ENETUNREACH, SILL_ECONNREFUSED or
 * SILL_ENOENT (UNIX: nobody there). Never suspends.
 */
SILL_API SILL_MUST_CHECK int
sill_datagram_connect(struct sill_datagram *datagram,
                      const struct sill_address *peer);

/*
 * Sends the (size) bytes of (data) as one message to (peer), NULL for the one
 * fixed by connect.
 *
 * Returns 0, or SILL_EMSGSIZE (too long), SILL_ENOTCONN (no peer given and
 * none fixed), SILL_ECONNREFUSED, SILL_ENETUNREACH, SILL_EINVAL, SILL_EACCES (a
 * broadcast address), SILL_ENOENT (UNIX: nobody there).
 */
SILL_API SILL_MUST_CHECK int sill_datagram_send(struct sill_datagram *datagram,
                                                const void *data, size_t size,
                                                const struct sill_address *peer,
                                                sill_time deadline);

/*
 * Receives one message into (buffer).
 *
 * peer   receives its sender; may be NULL.
 *
 * Returns the size of the message, 0 for an empty one; more than (size) when it
 * did not fit, the rest being gone; or an error.
 */
SILL_API SILL_MUST_CHECK ssize_t
sill_datagram_receive(struct sill_datagram *datagram, void *buffer, size_t size,
                      struct sill_address *peer, sill_time deadline);

/* Writes the local address, with the real port. Returns 0 or SILL_ECLOSED.
 * Never suspends. */
SILL_API SILL_MUST_CHECK int
sill_datagram_local(const struct sill_datagram *datagram,
                    struct sill_address *address);

/* Closes (datagram) as sill_stream_close does. Never suspends. */
SILL_API void sill_datagram_close(struct sill_datagram *datagram);

SILL_END

#endif
