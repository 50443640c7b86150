/* SPDX-License-Identifier: MIT */
/*
 * transport.h: what every public call that moves something begins with.
 */
#ifndef SILL_TRANSPORT_H
#define SILL_TRANSPORT_H

#include "core.h"

/* A cancelled task does nothing, and one that never has to wait lets others run
 * now and then. Returns 0, SILL_ENOTASK or SILL_ECANCELED. */
int sill_core_transport_enter(sill_time deadline);

static inline const struct sill_spi_transport *
transport_of(const struct sill_task *task)
{
    return task->loop->backend->transport;
}

#endif
