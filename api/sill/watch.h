/* SPDX-License-Identifier: MIT */
/*
 * <sill/watch.h>: wait on a descriptor that belongs to somebody else.
 *
 * For wrapping libraries that own their descriptors (database clients, pipes,
 * inotify). sill never reads or writes them and does not close them.
 *
 * Memory   struct sill_watch is the caller's; a zeroed one is closed.
 */
#ifndef SILL_WATCH_H
#define SILL_WATCH_H

#include <sill/attributes.h>
#include <sill/time.h>

SILL_BEGIN

/* Directions, to be or-ed. */
enum sill_direction { SILL_READ = 1, SILL_WRITE = 2 };

struct sill_watch_ops;

struct sill_watch {
    /* private */
    const struct sill_watch_ops *ops;
    void *impl;
};

/*
 * Begins to watch (fd), which must stay open until sill_watch_close.
 *
 * Returns 0, or
 *
 *   SILL_EBADF        not open
 *   SILL_EPERM        cannot be polled, such as a regular file
 *   SILL_ENOMEM       exhausted
 *   SILL_EOPNOTSUPP   the backend has no descriptors
 *   SILL_EBUSY        the host of a guest watches it, and its loop allows no
 *                     second one: watch a duplicate
 *   SILL_ENOTASK      called outside of a task
 *
 * A descriptor is watched once; watch a duplicate for a second interest. Never
 * suspends.
 */
SILL_API SILL_MUST_CHECK int sill_watch_open(struct sill_watch *watch, int fd);

/*
 * Waits until the descriptor is ready in one of (directions). An error or the
 * end of the peer counts as ready in both.
 *
 * Returns the ready ones among (directions), or
 *
 *   SILL_EBUSY       another task waits for one of them, undisturbed
 *   SILL_EINVAL      no direction
 *   SILL_ECLOSED     closed, before or during the wait
 *   SILL_ECANCELED, SILL_ETIMEDOUT, SILL_ENOTASK
 *
 * One task may wait for reading while another waits for writing.
 */
SILL_API SILL_MUST_CHECK int sill_watch_wait(struct sill_watch *watch,
                                             unsigned directions,
                                             sill_time deadline);

/*
 * Ends the watch; the descriptor stays open. Tasks that wait wake with
 * SILL_ECLOSED. Twice is harmless. Never suspends.
 */
SILL_API void sill_watch_close(struct sill_watch *watch);

SILL_END

#endif
