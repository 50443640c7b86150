/* SPDX-License-Identifier: MIT */
/*
 * batch.h: what the tasks of one round write leaves in one system call.
 *
 * A task whose write joins a batch is neither ready nor waiting: it runs again
 * in the next round, with the result, and nothing can wake it before. Between
 * two rounds there is no batch.
 */
#ifndef SILL_BATCH_H
#define SILL_BATCH_H

#include "core.h"

#include <sys/socket.h>

/* Fewer than three others are not worth the way back to the writers. */
static inline bool batch_has_company(const struct sill_loop *loop)
{
    const struct sill_task *next = loop->round;

    return loop->batch.first || (next && next->next && next->next->next);
}

/* Whether a write with (deadline) is to join the batch: it will suspend. */
static inline bool batch_pays(const struct sill_task *self, sill_time deadline)
{
    const struct sill_loop *loop = self->loop;

    if (loop->batch.mode == SILL_BATCH_NEVER ||
        (loop->batch.mode == SILL_BATCH_AUTO && !batch_has_company(loop)))
        return false;
    return sill_core_check_deadline(self, deadline) == 0;
}

/* Is sendmsg(2), errno and all, with MSG_NOSIGNAL and never blocking. */
ssize_t sill_core_batch_send(struct sill_task *self, int fd,
                             const struct msghdr *message);

#endif
