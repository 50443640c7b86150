/* SPDX-License-Identifier: MIT */
/*
 * client_kit.c: see client_kit.h.
 */
#include "client_kit.h"

void host_open(struct host *host)
{
    ck_assert_int_eq(sill_address_ip(&host->address, "127.0.0.1", 0), 0);
    ck_assert_int_eq(
        sill_listener_listen(&host->listener, &host->address, NULL), 0);
    ck_assert_int_eq(sill_listener_local(&host->listener, &host->address), 0);
}

void host_accept(struct host *host)
{
    memset(&host->peer, 0, sizeof(host->peer));
    host->peer.room = 1024;
    host->peer.text = calloc(1, host->peer.room);
    ck_assert_int_eq(
        sill_listener_accept(&host->listener, &host->peer.stream, kit_soon()),
        0);
}

void host_end(struct host *host)
{
    peer_close(&host->peer);
    sill_listener_close(&host->listener);
}
