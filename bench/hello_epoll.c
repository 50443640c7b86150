/* SPDX-License-Identifier: MIT */
/*
 * Hello, World! over epoll by hand: what the hello example is measured
 * against on the native backend.
 *
 * As echo_epoll.c, with a buffer for each connection that is used only while
 * half a request waits in it.
 */
#include "rival.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { BATCH = 256 };

struct conn {
    int fd;
    size_t kept; /* bytes of a request that has not ended */
    char *rest;  /* answers that the peer did not take yet */
    size_t size, done;
    char head[RIVAL_BUFFER];
};

static char input[RIVAL_BUFFER], output[8 * RIVAL_BUFFER];
static int set;

static void drop(struct conn *c)
{
    close(c->fd);
    free(c->rest);
    free(c);
}

static void flush(struct conn *c)
{
    while (c->done < c->size) {
        ssize_t n = write(c->fd, c->rest + c->done, c->size - c->done);
        if (n < 0)
            return;
        c->done += (size_t)n;
    }
    free(c->rest);
    c->rest = NULL;
}

static bool send_all(struct conn *c, size_t size)
{
    ssize_t n = write(c->fd, output, size);
    if (n == (ssize_t)size)
        return true;

    size_t done = n < 0 ? 0 : (size_t)n;
    c->size = size - done;
    c->done = 0;
    c->rest = malloc(c->size);
    if (!c->rest)
        return false;
    memcpy(c->rest, output + done, c->size);
    return rival_watch(set, EPOLL_CTL_MOD, c->fd, EPOLLOUT, c);
}

/* Answers what is whole in (data); keeps the rest. The room for answers is
 * enough for all that fit into the input. */
static bool answer(struct conn *c, const char *data, size_t size)
{
    struct rival_answer a = rival_hello(data, size, output, sizeof output);

    c->kept = size - a.used;
    if (c->kept)
        memmove(c->head, data + a.used, c->kept);
    if (a.size && !send_all(c, a.size))
        return false;
    return !a.close && c->kept < sizeof c->head;
}

/* Returns whether the connection lives on. */
static bool serve(struct conn *c, uint32_t events)
{
    if (events & (EPOLLERR | EPOLLHUP))
        return false;
    if (c->rest)
        flush(c);

    while (!c->rest) {
        char *data = c->kept ? c->head : input;
        size_t room = sizeof input - c->kept;
        ssize_t n = read(c->fd, data + c->kept, room);
        if (n <= 0)
            return n < 0;
        if (!answer(c, data, c->kept + (size_t)n))
            return false;
        if ((size_t)n < room && !(events & EPOLLRDHUP))
            return true;
    }
    return true;
}

/* NOLINTBEGIN(clang-analyzer-unix.Malloc): the kernel holds the connection */
static void admit(int listener)
{
    int fd;
    while ((fd = rival_accept(listener)) >= 0) {
        struct conn *c = malloc(sizeof *c);
        if (!c) {
            close(fd);
            return;
        }
        c->fd = fd;
        c->kept = 0;
        c->rest = NULL;
        if (!rival_watch(set, EPOLL_CTL_ADD, fd, 0, c)) {
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
