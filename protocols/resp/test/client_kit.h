/* SPDX-License-Identifier: MIT */
/*
 * client_kit.h: a peer for the tests of clients and links, which says what the
 * case wants.
 */
#ifndef CLIENT_KIT_H
#define CLIENT_KIT_H

#include "server_kit.h"

#define MOMENT SILL_MILLISECOND

struct host {
    struct sill_listener listener;
    struct sill_address address;
    struct peer peer; /* the connection that was accepted last */
};

void host_open(struct host *host);
void host_accept(struct host *host);

/* Closes the connection and the listener. */
void host_end(struct host *host);

#endif
