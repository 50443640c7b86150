/* SPDX-License-Identifier: MIT */
/*
 * <sill/listener.h>: hands out streams.
 *
 * Memory   struct sill_listener is the caller's; a zeroed one is closed.
 */
#ifndef SILL_LISTENER_H
#define SILL_LISTENER_H

#include <sill/address.h>
#include <sill/attributes.h>
#include <sill/stream.h>
#include <sill/time.h>

SILL_BEGIN

struct sill_listener_ops;

struct sill_listener {
    /* private */
    const struct sill_listener_ops *ops;
    void *impl;
};

/*
 * Listens on (address): TCP, where port 0 picks a free one (see
 * sill_listener_local), or a Unix-domain socket, where the file of a listener
 * that is gone is replaced, and removed again at close.
 *
 * options   may be NULL.
 *
 * Returns 0, or, with nothing left behind,
 *
 *   SILL_EADDRINUSE           somebody else listens there
 *   SILL_EADDRNOTAVAIL        not an address of this machine
 *   SILL_EACCES, SILL_EPERM   not allowed; SILL_ENOENT: no such folder
 *   SILL_EMFILE, SILL_ENOMEM  exhausted
 *   SILL_EINVAL               not an address to listen on
 *   SILL_ENOTASK              called outside of a task
 *
 * Never suspends.
 */
SILL_API SILL_MUST_CHECK int
sill_listener_listen(struct sill_listener *listener,
                     const struct sill_address *address,
                     const struct sill_socket_options *options);

/*
 * Takes the next connection, waiting for one, and opens (stream) with it.
 *
 * Returns 0, or, with no connection lost,
 *
 *   SILL_EMFILE, SILL_ENOMEM   no descriptor or memory for it: it stays in the
 *                              queue; try again when some are free. The wait
 *                              for that is the caller's (sill_sleep): this
 *                              call fails at once each time
 *   SILL_ECLOSED               closed, before or during the wait
 *   SILL_ECANCELED, SILL_ETIMEDOUT, SILL_ENOTASK
 *
 * Clients that went away before they were accepted are passed over. Two tasks
 * that accept at once end the program.
 */
SILL_API SILL_MUST_CHECK int
sill_listener_accept(struct sill_listener *listener, struct sill_stream *stream,
                     sill_time deadline);

/*
 * Writes where (listener) listens, with the real port, to (address). Returns 0
 * or SILL_ECLOSED. Never suspends.
 */
SILL_API SILL_MUST_CHECK int
sill_listener_local(const struct sill_listener *listener,
                    struct sill_address *address);

/*
 * Closes (listener), from any task of its loop: a task that waits in accept
 * wakes with SILL_ECLOSED, and later calls return that. Accepted streams live
 * on. Closing twice is harmless. Never suspends.
 */
SILL_API void sill_listener_close(struct sill_listener *listener);

SILL_END

#endif
