/* SPDX-License-Identifier: MIT */
/*
 * service_kit.h: a small protocol for the tests of <sill/service.h>, and its
 * peers.
 *
 * The server says each byte again; 'w' waits for (gate) before.
 */
#ifndef SERVICE_KIT_H
#define SERVICE_KIT_H

#include "case.h"

/* What the protocol was told and did. */
struct log {
    int opened, begun, run, closed, ended, drained, starved;
    int most, begun_at_first_run; /* connections at once */
    int missing;                  /* the last error of (starve) */
    int seen;                     /* what the wait for the gate returned */
};

extern struct log said;
extern struct sill_trigger gate, arrived;
extern const struct sill_service_ops all_ops, least_ops;

struct kit {
    struct sill_service service;
    struct sill_listener listener;
    struct sill_address address;
    struct sill_trigger stop;
    struct sill_task *task;
    sill_time deadline;
    int result; /* of sill_service_run */
};

/* Listens; runs (kit)->service, which may be filled in, as a child. */
void kit_listen(struct kit *kit);
void kit_run(struct kit *kit);
void kit_start(struct kit *kit); /* both */

/* Waits for its end, and for that of all connections; returns its result. */
int kit_join(struct kit *kit);
int kit_stop(struct kit *kit);

/* Any later is a failure; nothing waits for it on the way of success. */
sill_time kit_soon(void);

/* Connects and sends (bytes) with the loop looking at nothing meanwhile. */
void peer_open(struct sill_stream *peer, const struct kit *kit,
               const char *bytes);
void peer_say(struct sill_stream *peer, const char *bytes);
void peer_expect(struct sill_stream *peer, const char *bytes);
void peer_expect_end(struct sill_stream *peer); /* and close */
void peer_leave(struct sill_stream *peer);      /* a reset will do, too */

#endif
