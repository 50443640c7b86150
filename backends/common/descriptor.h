/* SPDX-License-Identifier: MIT */
/*
 * descriptor.h: wait until a descriptor is ready, for all kinds of sockets.
 *
 * A descriptor is registered with the backend once. What the backend reports
 * is kept in (ready) until somebody tries and finds nothing, so nothing is
 * asked of the kernel that it has already told:
 *
 *     ready has the direction    try; on "would block" or a short read, clear
 *                                it with descriptor_drained
 *     otherwise                  wait
 *
 * The end of the peer, reported together with the last bytes, comes only once:
 * HANGUP is remembered, for each direction until it blocks, and a short read
 * does not count as drained.
 */
#ifndef SILL_DESCRIPTOR_H
#define SILL_DESCRIPTOR_H

#include "core.h"

struct descriptor {
    struct sill_spi_watch watch; /* first: the backend hands this back */
    struct sill_loop *loop;
    struct sill_task *readers; /* the one that waits, or NULL */
    struct sill_task *writers;
    sill_time reported; /* the look outside before its last event */
    unsigned ready;
    unsigned ended;   /* directions to try until they block: no news follows */
    unsigned waiting; /* tasks that wait here */
    bool closed;
    bool leaving;   /* a write of it is in the batch */
    bool in_pieces; /* Unix: a read ends where passed descriptors do */
    bool reset;     /* the kernel reports a reset once, and then a clean end */
    void (*destroy)(struct descriptor *descriptor);
};

/* (destroy) frees the object that (descriptor) begins, once it was closed and
 * nobody waits on it. */
void sill_core_descriptor_init(struct descriptor *descriptor,
                               struct sill_loop *loop, int fd,
                               void (*destroy)(struct descriptor *descriptor));

/*
 * Waits until the descriptor is ready in one of (directions). Returns 0; or
 * SILL_ECLOSED, and then the descriptor is gone; or SILL_ECANCELED,
 * SILL_ETIMEDOUT (at once with a deadline in the past), or why the backend
 * cannot watch it. A second waiter in one direction ends the program in the
 * name of (call).
 */
int sill_core_descriptor_wait(struct descriptor *descriptor,
                              unsigned directions, sill_time deadline,
                              const char *call);

/* Is sill_core_descriptor_wait where no event will tell: waits for (span) at
 * most, and then returns 0 to try again. */
int sill_core_descriptor_pause(struct descriptor *descriptor,
                               unsigned directions, sill_duration span,
                               sill_time deadline, const char *call);

/* What was begun on it ends: returns whether it is still open. One that was
 * closed is gone with the last of them. */
bool sill_core_descriptor_release(struct descriptor *descriptor);

/* Lets the write leave that another task has in the batch. */
void sill_core_descriptor_settle(struct descriptor *descriptor);

static inline bool descriptor_is_ready(const struct descriptor *descriptor,
                                       unsigned direction)
{
    return (descriptor->ready & direction) != 0;
}

/* A read came up short: nothing more is there now. */
static inline void descriptor_drained(struct descriptor *descriptor,
                                      unsigned direction)
{
    descriptor->ready &= ~direction | descriptor->ended;
}

/* The kernel said "would block": not even the end is there. */
static inline void descriptor_blocked(struct descriptor *descriptor,
                                      unsigned direction)
{
    descriptor->ended &= ~direction;
    descriptor->ready &= ~direction;
}

/* Ends the interest, wakes the waiters, frees the object after them. With
 * (close_fd), closes the descriptor itself. */
void sill_core_descriptor_close(struct descriptor *descriptor, bool close_fd);

#endif
