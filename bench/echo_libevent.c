/* SPDX-License-Identifier: MIT */
/*
 * The echo server that somebody writes over libevent: what the libevent
 * backend is measured against.
 *
 * Plain persistent events, one for each connection, and read and write by
 * hand: bufferevents cost half as much again. Events are level-triggered,
 * libevent's default, so a drained socket needs no EAGAIN.
 */
#include "rival.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct conn {
    struct event *read, *write;
    char *rest; /* what the peer did not take yet */
    size_t size, done;
};

static char buffer[RIVAL_BUFFER];
static struct event_base *base;

static void drop(struct conn *c, int fd)
{
    if (c->read)
        event_free(c->read);
    if (c->write)
        event_free(c->write);
    close(fd);
    free(c->rest);
    free(c);
}

static void on_write(evutil_socket_t fd, short what, void *arg)
{
    struct conn *c = arg;
    ssize_t n = write(fd, c->rest + c->done, c->size - c->done);

    (void)what;
    if (n > 0)
        c->done += (size_t)n;
    if (n > 0 && c->done < c->size)
        return;
    free(c->rest);
    c->rest = NULL;
    event_del(c->write);
    event_add(c->read, NULL);
}

static int wait_for_room(struct conn *c, size_t done, size_t size)
{
    c->size = size - done;
    c->done = 0;
    c->rest = malloc(c->size);
    if (!c->rest)
        return -1;
    memcpy(c->rest, buffer + done, c->size);
    event_del(c->read);
    return event_add(c->write, NULL);
}

static void on_read(evutil_socket_t fd, short what, void *arg)
{
    struct conn *c = arg;
    ssize_t n = read(fd, buffer, sizeof buffer);

    (void)what;
    if (n <= 0) {
        drop(c, fd);
        return;
    }
    ssize_t done = write(fd, buffer, (size_t)n);
    if (done == n)
        return;
    if (wait_for_room(c, done < 0 ? 0 : (size_t)done, (size_t)n) < 0)
        drop(c, fd);
}

static void admit(int fd)
{
    struct conn *c = calloc(1, sizeof *c);
    if (!c) {
        close(fd);
        return;
    }
    c->read = event_new(base, fd, EV_READ | EV_PERSIST, on_read, c);
    c->write = event_new(base, fd, EV_WRITE | EV_PERSIST, on_write, c);
    if (!c->read || !c->write || event_add(c->read, NULL) < 0)
        drop(c, fd);
}

static void on_listener(evutil_socket_t listener, short what, void *arg)
{
    int fd;
    (void)what;
    (void)arg;
    while ((fd = rival_accept(listener)) >= 0)
        admit(fd);
}

int main(int argc, char **argv)
{
    int listener = rival_listen(rival_port(argc, argv));
    struct event_config *config = event_config_new();

    if (!config)
        return 1;
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    base = event_base_new_with_config(config);
    event_config_free(config);
    struct event *e =
        event_new(base, listener, EV_READ | EV_PERSIST, on_listener, NULL);
    if (!e || event_add(e, NULL) < 0)
        return 1;
    return event_base_dispatch(base);
}
