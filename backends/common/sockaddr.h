/* SPDX-License-Identifier: MIT */
/*
 * sockaddr.h: between our addresses and the system's.
 */
#ifndef SILL_SOCKADDR_H
#define SILL_SOCKADDR_H

#include <sill/address.h>
#include <sill/stream.h>

#include <sys/socket.h>

struct sockaddr_any {
    struct sockaddr_storage storage;
    socklen_t size;
};

/* Returns 0, or SILL_EINVAL for an address of no family. */
int sill_core_sockaddr_from(struct sockaddr_any *out,
                            const struct sill_address *in);

/* What the system's address cannot say becomes SILL_FAMILY_NONE. */
void sill_core_sockaddr_to(struct sill_address *out,
                           const struct sockaddr_any *in);

/* Returns 0 and the name of the socket at this end or the other one. */
int sill_core_socket_local(int fd, struct sill_address *out);
int sill_core_socket_peer(int fd, struct sill_address *out);

/* Opens a non-blocking, close-on-exec socket with what (options) asks for.
 * Returns the descriptor or an error. */
int sill_core_socket_open(const struct sill_address *address, int type,
                          const struct sill_socket_options *options);

#endif
