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
#include "sill_http.h"

#include <stdlib.h>
#include <string.h>

/* A server that runs as a child of the task that started it. */
struct kit {
    struct sill_http_server server;
    struct sill_listener listener;
    struct sill_socket_options options; /* of the listener */
    struct sill_address address;
    struct sill_task *task;
    struct sill_trigger stop;
    int result; /* what sill_http_serve returned, once it has */
};

/* Starts (kit)->server, which the caller has filled in or zeroed. */
void kit_start(struct kit *kit, sill_http_handler *handler, void *arg);

/* Stops it and returns what sill_http_serve did. */
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

/* Reads until (mark) has come (count) times. */
void peer_read_until(struct peer *peer, const char *mark, int count);

/* Reads until the end of the stream; a reset counts as one. */
void peer_read_end(struct peer *peer);

/* Forgets what came. */
void peer_forget(struct peer *peer);
void peer_close(struct peer *peer);

/* Sends (request) on a connection of its own, and reads until the server ends
 * it. The caller frees what is returned. */
char *peer_ask(const struct kit *kit, const char *request);

/* The parts of the first response in (text). */
int status_of(const char *text);
const char *body_of(const char *text);
bool has_line(const char *text, const char *line);
int count_of(const char *text, const char *part);

#endif
