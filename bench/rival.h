/* SPDX-License-Identifier: MIT */
/*
 * rival.h: what the hand-written servers share, so that each file shows only
 * what its loop makes of a connection.
 *
 * A rival is what somebody would write who has one loop, no tasks and every
 * reason to be quick: one process, one buffer for all connections, no
 * allocation while it serves, and no system call that is not needed. Each
 * prints "listening on HOST:PORT" as its first line, like the examples.
 */
#ifndef RIVAL_H
#define RIVAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One read at most; also the bound of one pipelined batch. */
#define RIVAL_BUFFER 16384

/*
 * Listens on 127.0.0.1 at (port), 0 for a free one, without blocking, and
 * says so. Ends the program where that fails.
 */
int rival_listen(int port);

/* Takes one connection, non-blocking and without delay; -1 for none. */
int rival_accept(int listener);

/* Adds (fd) to an epoll set, or changes it there: for reading, edge-triggered,
 * and for (more). Events bring (conn). */
bool rival_watch(int set, int operation, int fd, uint32_t more, void *conn);

/* Returns the port of the command line, 0 without one. */
int rival_port(int argc, char **argv);

/* Says what the peer must know: the real port. */
void rival_announce(int fd);

/* What became of the bytes of one read. */
struct rival_answer {
    size_t used; /* bytes of whole requests: the rest is the head of one */
    size_t size; /* bytes of answers */
    bool close;  /* answer, then close */
};

/*
 * Answers each whole GET in (size) bytes of (input) with the Hello, World! of
 * the hello example, byte for byte, into (output) of (room) bytes, stopping
 * when that is full. Reads the header lines only for the end of the request,
 * "Connection: close" and a body, which closes as a bad request does.
 */
struct rival_answer rival_hello(const char *input, size_t size, char *output,
                                size_t room);

#endif
