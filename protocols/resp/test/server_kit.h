/* SPDX-License-Identifier: MIT */
/*
 * server_kit.h: a server and raw clients for the tests of the server.
 *
 * A case is a task: it starts the server as a child, talks to it in bytes that
 * it wrote by hand, and compares what comes back. Check runs each case in a
 * process of its own.
 */
#ifndef SERVER_KIT_H
#define SERVER_KIT_H

#include "case.h"
#include "sill_resp.h"

#include <stdlib.h>
#include <string.h>

/* A server that runs as a child of the task that started it. */
struct kit {
    struct sill_resp_server server;
    struct sill_listener listener;
    struct sill_socket_options options; /* of the listener */
    struct sill_address address;
    struct sill_task *task;
    struct sill_trigger stop;
};

/* Starts (kit)->server, which the caller has filled in or zeroed. */
void kit_start(struct kit *kit, const struct sill_resp_verb *verbs,
               size_t count);

/* Stops it and returns what sill_resp_serve did. */
int kit_stop(struct kit *kit);

/* Any later is a failure; nothing waits for it on the way of success. */
sill_time kit_soon(void);

/* A client that deals in bytes. */
struct peer {
    struct sill_stream stream;
    char *text; /* all that came, with a NUL behind */
    size_t size, room;
};

void peer_open(struct peer *peer, const struct kit *kit);
void peer_send(struct peer *peer, const void *data, size_t size);
void peer_say(struct peer *peer, const char *text);

/* Reads once. Returns what sill_stream_read does. */
ssize_t peer_read(struct peer *peer);

/* Reads, from what came before on, exactly (text), and forgets it. */
void peer_expect(struct peer *peer, const char *text);

/* Reads exactly (text), and then the end of the stream. */
void peer_expect_last(struct peer *peer, const char *text);

/* Reads until the end of the stream; a reset counts as one. */
void peer_read_end(struct peer *peer);
void peer_close(struct peer *peer);

#endif
