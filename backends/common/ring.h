/* SPDX-License-Identifier: MIT */
/*
 * ring.h: many sends in one system call, by io_uring.
 *
 * Nothing stays under way: a send that would block fails with EAGAIN, and the
 * call waits for all that it began. When it returns no buffer is in use.
 */
#ifndef SILL_RING_H
#define SILL_RING_H

#include <stddef.h>
#include <sys/socket.h>

enum { RING_ROOM = 32 }; /* sends in one call, a power of 2 */

struct ring_send {
    struct ring_send *next;
    const struct msghdr *message; /* of one piece at least */
    int fd;
    int result; /* bytes, or -errno */
};

struct io_uring_sqe;
struct io_uring_cqe;

/* Zeroed before it is opened. No block of its own, which a program that counts
 * them would find between two looks. */
struct ring {
    int fd;
    void *memory; /* of both queues; NULL: not open */
    size_t size;
    struct io_uring_sqe *entries;
    unsigned *head, *tail; /* of those on their way */
    unsigned mask;
    unsigned *done_head, *done_tail; /* of those that are back */
    unsigned done_mask;
    const struct io_uring_cqe *done;
};

/* Returns 0, SILL_EOPNOTSUPP where the system offers none, or SILL_ENOMEM,
 * or SILL_EMFILE when it has no more of them. */
int sill_core_ring_open(struct ring *ring);

/* Also of one that is not open. */
void sill_core_ring_close(struct ring *ring);

/* Is sendmsg(2) with MSG_DONTWAIT and MSG_NOSIGNAL for each of (sends) in
 * order, RING_ROOM at most. Returns how many of the first have their result:
 * less than there are, or 0, when the system is short of something. */
unsigned sill_core_ring_send(struct ring *ring, struct ring_send *sends);

#endif
