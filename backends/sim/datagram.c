/* SPDX-License-Identifier: MIT */
/*
 * Datagrams. See <sill/datagram.h>.
 */
#include "world.h"

int sill_world_datagram(struct sill_loop *loop, struct sill_datagram *datagram,
                        const struct sill_address *address,
                        const struct sill_socket_options *options)
{
    (void)loop;
    (void)datagram;
    (void)address;
    (void)options;
    return SILL_EOPNOTSUPP;
}

void sill_world_datagrams_free(struct world *world)
{
    (void)world;
}
