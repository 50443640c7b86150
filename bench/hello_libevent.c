/* SPDX-License-Identifier: MIT */
/*
 * Hello, World! over libevent by hand: what the hello example is measured
 * against on the libevent backend.
 *
 * As echo_libevent.c, with a buffer for each connection that is used only while
 * half a request waits in it.
 */
#include "rival.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct conn {
    struct event *read, *write;
    size_t kept; /* bytes of a request that has not ended */
    char *rest;  /* answers that the peer did not take yet */
    size_t size, done;
    char head[RIVAL_BUFFER];
};

static char input[RIVAL_BUFFER], output[8 * RIVAL_BUFFER];
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

/* Does not read on before the peer took the rest. */
static int wait_for_room(struct conn *c, size_t done, size_t size)
{
    c->size = size - done;
    c->done = 0;
    c->rest = malloc(c->size);
    if (!c->rest)
        return -1;
    memcpy(c->rest, output + done, c->size);
    event_del(c->read);
    return event_add(c->write, NULL);
}

static int send_all(struct conn *c, int fd, size_t size)
{
    ssize_t n = write(fd, output, size);
    if (n == (ssize_t)size)
        return 0;
    return wait_for_room(c, n < 0 ? 0 : (size_t)n, size);
}

/* Answers what is whole in (data); keeps the rest. The room for answers is
 * enough for all that fit into the input. */
static int answer(struct conn *c, int fd, const char *data, size_t size)
{
    struct rival_answer a = rival_hello(data, size, output, sizeof output);

    c->kept = size - a.used;
    if (c->kept)
        memmove(c->head, data + a.used, c->kept);
    if (a.size && send_all(c, fd, a.size) < 0)
        return -1;
    return a.close || c->kept == sizeof c->head ? -1 : 0;
}

static void on_read(evutil_socket_t fd, short what, void *arg)
{
    struct conn *c = arg;
    char *data = c->kept ? c->head : input;
    ssize_t n = read(fd, data + c->kept, sizeof input - c->kept);

    (void)what;
    if (n <= 0 || answer(c, fd, data, c->kept + (size_t)n) < 0)
        drop(c, fd);
}

static void admit(int fd)
{
    struct conn *c = malloc(sizeof *c);
    if (!c) {
        close(fd);
        return;
    }
    c->kept = 0;
    c->rest = NULL;
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
