/* SPDX-License-Identifier: MIT */
/*
 * The echo server that somebody writes by hand over epoll: what the native
 * backend is measured against.
 *
 * Each descriptor is registered once, edge-triggered, and for writing when its
 * peer takes less than it is sent. A read that returned less than was asked has
 * drained the socket, so the EAGAIN is not fetched, except where the peer ended
 * with those bytes: no second edge would come.
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
    char *rest; /* what the peer did not take yet */
    size_t size, done;
};

static char buffer[RIVAL_BUFFER];
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

static bool answer(struct conn *c, size_t size)
{
    ssize_t n = write(c->fd, buffer, size);
    if (n == (ssize_t)size)
        return true;

    size_t done = n < 0 ? 0 : (size_t)n;
    c->size = size - done;
    c->done = 0;
    c->rest = malloc(c->size);
    if (!c->rest)
        return false;
    memcpy(c->rest, buffer + done, c->size);
    return rival_watch(set, EPOLL_CTL_MOD, c->fd, EPOLLOUT, c);
}

/* Returns whether the connection lives on. */
static bool serve(struct conn *c, uint32_t events)
{
    if (events & (EPOLLERR | EPOLLHUP))
        return false;
    if (c->rest)
        flush(c);

    while (!c->rest) {
        ssize_t n = read(c->fd, buffer, sizeof buffer);
        if (n <= 0)
            return n < 0;
        if (!answer(c, (size_t)n))
            return false;
        if (n < (ssize_t)sizeof buffer && !(events & EPOLLRDHUP))
            return true;
    }
    return true;
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
