/* SPDX-License-Identifier: MIT */
/*
 * Sends by io_uring. See ring.h.
 *
 * The system calls are made here rather than by liburing: a ring that is empty
 * between two calls needs little of it, and every program would have to link
 * it.
 */
#include "ring.h"

#include <sill/error.h>

#include <errno.h>
#include <limits.h>
#include <linux/io_uring.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ENTRIES_SIZE = RING_ROOM * sizeof(struct io_uring_sqe) };

static void *map(const struct ring *ring, size_t size, off_t what)
{
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_POPULATE, ring->fd, what);

    return at == MAP_FAILED ? NULL : at;
}

static int map_all(struct ring *ring, const struct io_uring_params *params)
{
    size_t there = params->sq_off.array + params->sq_entries * sizeof(unsigned);
    size_t back =
        params->cq_off.cqes + params->cq_entries * sizeof(struct io_uring_cqe);

    ring->size = there > back ? there : back;
    ring->memory = map(ring, ring->size, IORING_OFF_SQ_RING);
    if (!ring->memory)
        return SILL_ENOMEM;
    ring->entries = map(ring, ENTRIES_SIZE, IORING_OFF_SQES);
    if (ring->entries)
        return 0;
    (void)munmap(ring->memory, ring->size);
    ring->memory = NULL;
    return SILL_ENOMEM;
}

static unsigned *number_at(const struct ring *ring, unsigned offset)
{
    return (unsigned *)(void *)((char *)ring->memory + offset);
}

static void find_all(struct ring *ring, const struct io_uring_params *params)
{
    unsigned *order = number_at(ring, params->sq_off.array);

    ring->head = number_at(ring, params->sq_off.head);
    ring->tail = number_at(ring, params->sq_off.tail);
    ring->mask = params->sq_entries - 1;
    ring->done_head = number_at(ring, params->cq_off.head);
    ring->done_tail = number_at(ring, params->cq_off.tail);
    ring->done_mask = params->cq_entries - 1;
    ring->done = (void *)number_at(ring, params->cq_off.cqes);
    for (unsigned i = 0; i < params->sq_entries; i++)
        order[i] = i;
}

static int refusal(int error)
{
    switch (error) {
    case ENOMEM:
    case EMFILE:
    case ENFILE:
        return sill_error_from_errno(error);
    default:
        return SILL_EOPNOTSUPP;
    }
}

/* The flags are those of Linux 6.0, so an older one refuses: there a send that
 * would block may wait in the kernel all the same. */
int sill_core_ring_open(struct ring *ring)
{
    struct io_uring_params params = {.flags = IORING_SETUP_SUBMIT_ALL |
                                              IORING_SETUP_SINGLE_ISSUER};

    ring->fd = (int)syscall(SYS_io_uring_setup, RING_ROOM, &params);
    if (ring->fd < 0)
        return refusal(errno);

    int rc = map_all(ring, &params);

    if (rc < 0)
        (void)close(ring->fd);
    else
        find_all(ring, &params);
    return rc;
}

void sill_core_ring_close(struct ring *ring)
{
    if (!ring->memory)
        return;
    (void)munmap(ring->entries, ENTRIES_SIZE);
    (void)munmap(ring->memory, ring->size);
    (void)close(ring->fd);
}

static void fill(struct io_uring_sqe *entry, struct ring_send *send)
{
    const struct msghdr *message = send->message;

    *entry = (struct io_uring_sqe){.opcode = IORING_OP_SENDMSG,
                                   .fd = send->fd,
                                   .addr = (uintptr_t)message,
                                   .len = 1,
                                   .msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL,
                                   .user_data = (uintptr_t)send};
    if (message->msg_iovlen == 1) {
        entry->opcode = IORING_OP_SEND;
        entry->addr = (uintptr_t)message->msg_iov->iov_base;
        entry->len = message->msg_iov->iov_len < INT_MAX
                         ? (unsigned)message->msg_iov->iov_len
                         : INT_MAX;
    }
}

static unsigned put(struct ring *ring, struct ring_send *sends)
{
    unsigned tail = *ring->tail, count = 0;

    for (; sends && count < RING_ROOM; sends = sends->next)
        fill(&ring->entries[(tail + count++) & ring->mask], sends);
    __atomic_store_n(ring->tail, tail + count, __ATOMIC_RELEASE);
    return count;
}

/* Takes back what the kernel did not take. */
static unsigned take_back(struct ring *ring, unsigned before)
{
    unsigned head = __atomic_load_n(ring->head, __ATOMIC_ACQUIRE);

    *ring->tail = head;
    return head - before;
}

static unsigned collect(struct ring *ring)
{
    unsigned tail = __atomic_load_n(ring->done_tail, __ATOMIC_ACQUIRE);
    unsigned head = *ring->done_head, count = tail - head;

    for (; head != tail; head++) {
        const struct io_uring_cqe *done = &ring->done[head & ring->done_mask];

        ((struct ring_send *)(uintptr_t)done->user_data)->result = done->res;
    }
    __atomic_store_n(ring->done_head, head, __ATOMIC_RELEASE);
    return count;
}

static void enter(const struct ring *ring, unsigned count, unsigned least)
{
    (void)syscall(SYS_io_uring_enter, ring->fd, count, least,
                  IORING_ENTER_GETEVENTS, NULL, 0);
}

unsigned sill_core_ring_send(struct ring *ring, struct ring_send *sends)
{
    unsigned before = *ring->tail, count = put(ring, sends);

    enter(ring, count, count);

    unsigned taken = take_back(ring, before), back = collect(ring);

    while (back < taken) {
        enter(ring, 0, taken - back);
        back += collect(ring);
    }
    return taken;
}
