/* SPDX-License-Identifier: MIT */
/*
 * <sill/service.h>: take connections, one task for each, and let them end well.
 *
 * For servers of a protocol: what they all do around their connections. A
 * server embeds a service, and a connection of the service in each of its own:
 *
 *     struct client {
 *         struct sill_connection base;
 *         ... what the protocol keeps for one
 *     };
 *     static const struct sill_service_ops ops = {
 *         .open = client_open, .run = client_run, .close = client_close};
 *     ...
 *     struct sill_service service = {.ops = &ops, .stop = &stop};
 *     rc = sill_service_run(&service, &listener, SILL_NEVER);
 *
 * Memory   service and connections are the caller's; they stay in their place
 *          until sill_service_run has returned and until (close).
 * Threads  those of one loop.
 */
#ifndef SILL_SERVICE_H
#define SILL_SERVICE_H

#include <sill/attributes.h>
#include <sill/listener.h>
#include <sill/scope.h>
#include <sill/stream.h>
#include <sill/time.h>
#include <sill/trigger.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

SILL_BEGIN

struct sill_service;

/* One connection; zero it. */
struct sill_connection {
    struct sill_stream stream;
    struct sill_service *service;

    /* To be set while the connection waits for its peer with nothing in hand:
     * then it is ended when the service ends. */
    bool idle;

    /* private */
    struct sill_connection *next, **link;
};

/* What a protocol does. Only (run) may suspend; (open), (run) and (close) are
 * needed, the others may be NULL. */
struct sill_service_ops {
    /* Makes a connection for the next peer; NULL when there is no memory. */
    struct sill_connection *(*open)(struct sill_service *service);

    /* A peer was accepted; comes before any task can meet the connection. */
    void (*begin)(struct sill_connection *connection);

    /* Serves the peer, in the connection's task, until one side has had
     * enough. */
    void (*run)(struct sill_connection *connection);

    /* Closes the stream and frees what (open) made: after (run), or without a
     * (begin) when no peer came. */
    void (*close)(struct sill_connection *connection);

    /* Makes (run) of an idle connection return. NULL: closes its stream. */
    void (*end)(struct sill_connection *connection);

    /* The end of the service begins: (draining) was set. Comes once. */
    void (*drain)(struct sill_service *service);

    /* Memory or descriptors were missing: (error) says which. */
    void (*starve)(struct sill_service *service, int error);
};

/* Zero it, set (ops) and what else shall differ from the defaults, and run. It
 * may run again when that has returned. */
struct sill_service {
    const struct sill_service_ops *ops;
    void *arg; /* yours */

    /* Ends the service when it is resumed, from a signal handler for example.
     * May be NULL. */
    struct sill_trigger *stop;

    /* 0 means the default, which is given behind. */
    sill_duration grace;    /* for connections in hand at the end; 10 s */
    size_t connections_max; /* more wait to be accepted; 10 000 */

    /* To be read. */
    size_t open;   /* connections right now */
    bool draining; /* nobody should wait for more than has arrived */

    /* Where the connections run. Tasks that serve them may be spawned beside
     * them: they end with them, and their results are dropped. */
    struct sill_scope scope;

    /* private */
    struct sill_listener *listener;
    struct sill_connection *first;
    struct sill_trigger room;
    sill_time deadline;
    bool crowded;
    int ended; /* why no more connections are taken */
};

/*
 * Serves the connections of (listener) until (stop) is resumed, (listener) is
 * closed, or (deadline). Then it drains: connections that have arrived are
 * taken, up to (connections_max), and (listener) is closed; those that are idle
 * are ended as soon as all had time to look for what has arrived, some 20 ms;
 * and what is left after the grace is cancelled.
 *
 * A lack of descriptors or memory delays new connections and ends nothing.
 * While many come, other tasks have their turn after each 16.
 *
 * Returns 0 when all connections have ended, or
 *
 *   SILL_ECANCELED   the caller was cancelled: so were all connections
 *   SILL_ENOMEM      it could not begin
 *   SILL_ENOTASK     called outside of a task
 *
 * In every case (listener) is closed.
 */
SILL_API SILL_MUST_CHECK int sill_service_run(struct sill_service *service,
                                              struct sill_listener *listener,
                                              sill_time deadline);

/*
 * Returns the open connection after (connection), the first one after NULL, or
 * NULL. They are in no order; one is there from (begin) until (run) has
 * returned, so that a walk that does not suspend meets all. Never suspends.
 */
SILL_API struct sill_connection *
sill_service_next(const struct sill_service *service,
                  const struct sill_connection *connection);

SILL_END

#endif
