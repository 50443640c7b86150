/* SPDX-License-Identifier: MIT */
/*
 * Batches of writes. See batch.h.
 */
#include "batch.h"

#include <errno.h>

/* A program without sockets links none of them for the question below. */
#pragma weak sill_core_sockets

/* On the stack of the task that waits for it. */
struct item {
    struct ring_send send; /* first */
    struct sill_task *task;
};

/* At once, or a program that counts its descriptors would find one more between
 * two looks. Only a loop that was told to batch has to be able to. */
int sill_core_batch_open(struct sill_loop *loop, enum sill_batch mode)
{
    int rc = SILL_EOPNOTSUPP;

    if (mode != SILL_BATCH_NEVER &&
        loop->backend->transport == &sill_core_sockets)
        rc = sill_core_ring_open(&loop->batch.ring);
    loop->batch.mode = rc < 0 ? SILL_BATCH_NEVER : mode;
    return mode == SILL_BATCH_ALWAYS ? rc : 0;
}

void sill_core_batch_close(struct sill_loop *loop)
{
    sill_core_ring_close(&loop->batch.ring);
}

/* Sending. */

static void send_alone(struct ring_send *send)
{
    ssize_t n;

    do {
        n = sendmsg(send->fd, send->message, MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    send->result = n < 0 ? -errno : (int)n;
}

/* Returns how many of (sends) have their result now, at least one. */
static unsigned send_some(struct sill_batcher *batch, struct ring_send *sends)
{
    unsigned count = 0;

    if (sends->next || batch->mode == SILL_BATCH_ALWAYS)
        count = sill_core_ring_send(&batch->ring, sends);
    if (count > 0)
        return count;
    send_alone(sends);
    return 1;
}

void sill_core_batch_flush(struct sill_loop *loop)
{
    struct ring_send *sends = loop->batch.first;

    loop->batch.first = NULL;
    loop->batch.count = 0;
    while (sends) {
        for (unsigned n = send_some(&loop->batch, sends); n > 0; n--) {
            struct item *item = (struct item *)(void *)sends;

            sends = sends->next;
            sill_core_make_ready(item->task);
        }
    }
}

static void join(struct sill_loop *loop, struct ring_send *send)
{
    struct sill_batcher *batch = &loop->batch;

    if (batch->count == RING_ROOM)
        sill_core_batch_flush(loop);
    if (batch->first)
        batch->last->next = send;
    else
        batch->first = send;
    batch->last = send;
    batch->count++;
}

ssize_t sill_core_batch_send(struct sill_task *self, int fd,
                             const struct msghdr *message)
{
    struct item item = {{.message = message, .fd = fd}, self};

    join(self->loop, &item.send);
    self->state = TASK_READY;
    sill_core_run_others(self->loop, self);
    if (item.send.result >= 0)
        return item.send.result;
    errno = -item.send.result;
    return -1;
}
