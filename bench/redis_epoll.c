/* SPDX-License-Identifier: MIT */
/*
 * The floor under a Redis server: by hand over epoll, GET and SET of one value
 * and nothing else. Whatever a server does beyond that is on top of it.
 *
 * A command that came in pieces waits in its connection for the rest; a client
 * that does not take its answers is dropped.
 */
#include "rival.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { BATCH = 256, ARGS = 8 };

struct conn {
    int fd;
    size_t kept;
    char piece[512];
};

struct arg {
    const char *text;
    size_t size;
};

static char input[RIVAL_BUFFER + 512], output[RIVAL_BUFFER + 512];
static char value[256];
static size_t value_size;
static int set;

static void drop(struct conn *c)
{
    close(c->fd);
    free(c);
}

/* Reads the (kind) and number of a line at (*at), or returns -1: not whole. */
static long header(const char **at, const char *end, char kind)
{
    const char *line = memchr(*at, '\n', (size_t)(end - *at));
    if (!line || **at != kind)
        return -1;
    long number = strtol(*at + 1, NULL, 10);
    *at = line + 1;
    return number;
}

/* Returns the end of the command at (at), or NULL: it is not whole. */
static const char *parse(const char *at, const char *end, struct arg *args)
{
    long count = header(&at, end, '*');
    if (count < 2 || count > ARGS)
        return NULL;
    for (long i = 0; i < count; i++) {
        long size = header(&at, end, '$');
        if (size < 0 || end - at < size + 2)
            return NULL;
        args[i] = (struct arg){at, (size_t)size};
        at += size + 2;
    }
    return at;
}

static size_t execute(const struct arg *args, char *answer)
{
    if (args[0].text[0] == 'S' && args[2].size <= sizeof value) {
        value_size = args[2].size;
        memcpy(value, args[2].text, value_size);
        memcpy(answer, "+OK\r\n", 5);
        return 5;
    }
    size_t n = (size_t)sprintf(answer, "$%zu\r\n", value_size);
    memcpy(answer + n, value, value_size);
    memcpy(answer + n + value_size, "\r\n", 2);
    return n + value_size + 2;
}

/* Returns whether the connection lives on. */
static bool serve(struct conn *c, uint32_t events)
{
    struct arg args[ARGS];
    size_t done = 0;

    if (events & (EPOLLERR | EPOLLHUP))
        return false;
    memcpy(input, c->piece, c->kept);
    ssize_t n = read(c->fd, input + c->kept, RIVAL_BUFFER);
    if (n <= 0)
        return n < 0;

    const char *at = input, *end = input + c->kept + n, *next;
    while (at < end && done < RIVAL_BUFFER && (next = parse(at, end, args))) {
        done += execute(args, output + done);
        at = next;
    }
    c->kept = (size_t)(end - at);
    if (c->kept > sizeof c->piece)
        return false;
    memcpy(c->piece, at, c->kept);
    return done == 0 || write(c->fd, output, done) == (ssize_t)done;
}

/* NOLINTBEGIN(clang-analyzer-unix.Malloc): the kernel holds the connection */
static void admit(int listener)
{
    int fd;
    while ((fd = rival_accept(listener)) >= 0) {
        struct conn *c = calloc(1, sizeof *c);
        if (!c) {
            close(fd);
            return;
        }
        c->fd = fd;
        struct epoll_event e = {
            .events = EPOLLIN | EPOLLRDHUP,
            .data.ptr = c,
        };
        if (epoll_ctl(set, EPOLL_CTL_ADD, fd, &e) < 0) {
            drop(c);
            return;
        }
    }
}

/* NOLINTEND(clang-analyzer-unix.Malloc) */

int main(int argc, char **argv)
{
    int listener = rival_listen(rival_port(argc, argv));
    struct epoll_event e = {.events = EPOLLIN | EPOLLET}, events[BATCH];

    set = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_ctl(set, EPOLL_CTL_ADD, listener, &e) < 0)
        return 1;

    for (;;) {
        int count = epoll_wait(set, events, BATCH, -1);
        for (int i = 0; i < count; i++) {
            struct conn *c = events[i].data.ptr;
            if (!c)
                admit(listener);
            else if (!serve(c, events[i].events))
                drop(c);
        }
    }
}
