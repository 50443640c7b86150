/* SPDX-License-Identifier: MIT */
/*
 * connection.h: one connection, from the attempt to its last byte.
 *
 *     ends[0], who connected   --- flows[0] --->   ends[1], who accepted
 *                              <-- flows[1] ----
 *
 * A flow keeps what its writer sent until its reader takes it. The pieces stand
 * in a row: those that have arrived, then those under way; after them perhaps
 * the end, or a reset. Only the first thing under way has an event.
 */
#ifndef SILL_CONNECTION_H
#define SILL_CONNECTION_H

#include "world.h"

struct piece {
    struct piece *next;
    sill_time at; /* it arrives */
    size_t size, taken;
    char bytes[];
};

struct flow {
    unsigned from;        /* the index of the end that writes */
    struct event arrival; /* of what is first under way */
    struct event news;    /* of room, to the writer */
    struct piece *first, *last;
    struct piece *coming; /* the first one under way */
    size_t room;          /* for bytes, in all */
    size_t held, arrived; /* bytes, not yet taken */
    sill_time last_at;    /* nothing arrives before what was sent before */
    sill_time end_at, reset_at;
    bool ends, ended;    /* an end was sent, has arrived */
    bool resets;         /* a reset was sent, and has not arrived */
    sill_duration pause; /* before the next attempt; 0: all is well */
    sill_time silent_since;
    struct sill_spi_waiter reader, writer;
};

struct end {
    unsigned index; /* in its connection */
    struct sill_sim_host *host;
    struct sill_address local, peer;
    bool open; /* in the hands of a task */
    bool left; /* closed: what arrives is answered with a reset */
    bool lost; /* its host crashed and does not remember it */
    int error; /* what ended it: a reset, or silence */
    unsigned waiting;
};

/* How far the attempt is. */
enum attempt {
    ATTEMPT_ASKS,    /* on the way to the listener */
    ATTEMPT_ANSWERS, /* on the way back */
    ATTEMPT_OVER
};

struct connection {
    struct node node;
    struct world *world;
    uint64_t id;
    struct link *link;
    bool is_unix;
    struct end ends[2];
    struct flow flows[2];

    enum attempt attempt;
    int result; /* of the attempt */
    struct event handshake;
    sill_duration pause;
    sill_time begun;
    struct sill_spi_waiter connector;

    struct node queued; /* in the listener that it waits in */
    bool is_queued;
};

#define CONNECTION_EVENTS 5

/* Hands that end, which has a descriptor, to a task. */
void sill_world_end_open(struct connection *c, unsigned end,
                         struct sill_stream *stream);

/* Closes it, with a reset if (abort). The connection may be gone afterwards. */
void sill_world_end_close(struct connection *c, unsigned end, bool abort);

/* Ends it because of (error), for those who use it. */
void sill_world_end_fail(struct connection *c, unsigned end, int error);

/* Frees the connection if nobody has it and nothing of it is under way. */
void sill_world_connection_check(struct connection *c);

/* Makes one, with nothing sent and nothing asked. Returns NULL for lack of
 * memory. */
struct connection *sill_world_connection_new(struct world *world,
                                             struct link *link);

/* Which way it is from that end. */
unsigned sill_world_way_from(const struct connection *c, unsigned end);

/* The time to wait before the next attempt, doubled each time; 0: no more. */
sill_duration sill_world_pause(struct world *world, sill_duration *pause,
                               sill_duration first, sill_time since);

/* connect.c: the attempt is over, with (result). */
void sill_world_attempt_end(struct connection *c, int result);

/* listener.c: the connection arrives there. Returns 0 or why not, SILL_EBUSY
 * for no room. */
int sill_world_listener_arrive(struct connection *c);

#endif
