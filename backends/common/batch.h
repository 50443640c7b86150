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

/* Whether a write with (deadline) is to join the batch: it will suspend. */
bool sill_core_batch_pays(const struct sill_task *self, sill_time deadline);

/* Is sendmsg(2), errno and all, with MSG_NOSIGNAL and never blocking. */
ssize_t sill_core_batch_send(struct sill_task *self, int fd,
                             const struct msghdr *message);

#endif
