/* SPDX-License-Identifier: MIT */
/*
 * No ring, where it is not wanted or the headers do not know it. See ring.h.
 */
#include "ring.h"

#include <sill/error.h>

int sill_core_ring_open(struct ring *ring)
{
    (void)ring;
    return SILL_EOPNOTSUPP;
}

void sill_core_ring_close(struct ring *ring)
{
    (void)ring;
}

unsigned sill_core_ring_send(struct ring *ring, struct ring_send *sends)
{
    (void)ring;
    (void)sends;
    return 0;
}
