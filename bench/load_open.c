/* SPDX-License-Identifier: MIT */
/*
 * Connections are opened, and tried with a first batch each.
 */
#include "load_conn.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { PIECE = 65536, HEAD = 1024, SOURCES = 200, AT_ONCE = 64 };

int load_complain(const char *what)
{
    fprintf(stderr, "load: %s\n", what);
    return -1;
}

/* ---- what is sent ---- */

/* As wrk does. */
static size_t make_request(const struct load *load, char *text, size_t size)
{
    const struct load_shape *s = &load->shape;
    return (size_t)snprintf(text, size,
                            "GET %s HTTP/1.1\r\n"
                            "Host: 127.0.0.1:%d\r\n"
                            "%s\r\n",
                            s->path ? s->path : "/", load->port,
                            s->is_churned ? "Connection: close\r\n" : "");
}

/* Requests, or bytes in which a shift shows. */
static int make_batch(struct load *load)
{
    bool is_http = load->shape.kind == LOAD_HTTP;
    size_t depth = (size_t)load->shape.depth, size = load->shape.size;
    char request[256];

    load->answers_room = depth * (size + HEAD) + PIECE;
    if (is_http)
        size = make_request(load, request, sizeof request);
    load->batch_size = size * depth;
    load->batch = malloc(load->batch_size);
    load->answers = malloc(load->answers_room);
    if (!load->batch || !load->answers)
        return load_complain("out of memory");
    for (size_t i = 0; i < load->batch_size; i++)
        load->batch[i] = is_http ? request[i % size] : (char)('!' + i % 89);
    return 0;
}

/* ---- connections ---- */

static struct sockaddr_in address_of(unsigned last, int port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + last),
    };
}

/* The ports of one address would soon be used up by closed connections, which
 * linger for a minute. */
static int bind_source(struct load *load, int fd)
{
    struct sockaddr_in from = address_of(2 + load->sources++ % SOURCES, 0);
    int yes = 1;

    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
    return bind(fd, (struct sockaddr *)&from, sizeof from);
}

/* (type) has SOCK_NONBLOCK or 0. */
int load_dial(struct load *load, int type)
{
    struct sockaddr_in address = address_of(1, load->port);
    struct timeval patience = {.tv_sec = 5};
    int yes = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | type, 0);

    if (fd < 0)
        return -1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (type == 0) {
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    }
    if (bind_source(load, fd) < 0 ||
        (connect(fd, (struct sockaddr *)&address, sizeof address) < 0 &&
         errno != EINPROGRESS)) {
        close(fd);
        return -1;
    }
    return fd;
}

int load_watch(struct load *load, struct conn *c)
{
    struct epoll_event e = {
        .events = EPOLLIN | EPOLLOUT | EPOLLET,
        .data.ptr = c,
    };
    return epoll_ctl(load->set, EPOLL_CTL_ADD, c->fd, &e);
}

/* ---- the first batch ---- */

static int try_echo(struct load *load, int fd)
{
    char buffer[4096];

    for (size_t done = 0; done < load->batch_size;) {
        ssize_t n = recv(fd, buffer, sizeof buffer, 0);
        if (n <= 0)
            return load_complain("no echo");
        if ((size_t)n > load->batch_size - done ||
            memcmp(buffer, load->batch + done, (size_t)n) != 0)
            return load_complain("a wrong echo");
        done += (size_t)n;
    }
    load->answer_size = load->shape.size;
    return 0;
}

/* Bytes of the first answer in (text), 0 while its head has not come. */
static size_t http_answer_size(const char *text)
{
    const char *body = strstr(text, "\r\n\r\n");
    const char *length = strcasestr(text, "\r\nContent-Length:");

    if (!body || !length || length > body ||
        strncmp(text, "HTTP/1.1 200 ", 13) != 0)
        return 0;
    return (size_t)(body + 4 - text) + strtoul(length + 17, NULL, 10);
}

static bool has_body(const struct load_shape *s, const char *text, size_t size)
{
    return !s->body || (s->size <= size &&
                        memcmp(text + size - s->size, s->body, s->size) == 0);
}

/* Returns how many bytes came, with the end where connections are churned. */
static size_t receive_answers(struct load *load, int fd)
{
    size_t have = 0, size = 0, depth = (size_t)load->shape.depth;
    ssize_t n = 1;

    while (n > 0 && have < load->answers_room - 1 &&
           (load->shape.is_churned || size == 0 || have < size * depth)) {
        n = recv(fd, load->answers + have, load->answers_room - 1 - have, 0);
        have += n > 0 ? (size_t)n : 0;
        load->answers[have] = '\0';
        size = size ? size : http_answer_size(load->answers);
    }
    load->answer_size = size;
    return have;
}

/* Every answer of the batch is checked; all have the same size. */
static int try_http(struct load *load, int fd)
{
    size_t have = receive_answers(load, fd), size = load->answer_size;

    if (size == 0)
        return load_complain("no answer");
    if (have != size * (size_t)load->shape.depth)
        return load_complain("more or fewer bytes than answers");
    for (size_t at = 0; at < have; at += size) {
        if (http_answer_size(load->answers + at) != size ||
            !has_body(&load->shape, load->answers + at, size))
            return load_complain("a wrong answer");
    }
    return 0;
}

/* Returns a connection that has been asked, or -1. */
static int open_asked(struct load *load)
{
    int fd = load_dial(load, 0);

    if (fd < 0)
        return load_complain("cannot connect");
    if (send(fd, load->batch, load->batch_size, MSG_NOSIGNAL) ==
        (ssize_t)load->batch_size)
        return fd;
    close(fd);
    return load_complain("cannot send");
}

/* Opens (count) connections that work, so many at once that the server need not
 * wait for each. Those that failed, and later ones, are -1. */
static int open_tried(struct load *load, int *fds, int count)
{
    int opened = 0, tried = 0;

    for (int i = 0; i < count; i++)
        fds[i] = -1;
    while (tried < count) {
        for (; opened < count && opened < tried + AT_ONCE; opened++) {
            fds[opened] = open_asked(load);
            if (fds[opened] < 0)
                return -1;
        }
        for (; tried < opened; tried++) {
            if (load->shape.kind == LOAD_ECHO ? try_echo(load, fds[tried]) < 0
                                              : try_http(load, fds[tried]) < 0)
                return -1;
        }
    }
    return 0;
}

/* Takes over a connection that works. */
static int open_conn(struct load *load, struct conn *c, int fd)
{
    c->fd = fd;
    if (!load->shape.is_churned)
        return load_watch(load, c);
    close(fd);
    c->fd = -1;
    return 0;
}

static void close_all(const int *fds, int count)
{
    for (int i = 0; i < count; i++) {
        if (fds[i] >= 0)
            close(fds[i]);
    }
}

static int open_conns(struct load *load)
{
    int count = load->shape.connections, rc = 0;
    int *fds = malloc((size_t)count * sizeof fds[0]);

    if (!fds)
        return load_complain("out of memory");
    if (open_tried(load, fds, count) < 0) {
        close_all(fds, count);
        rc = -1;
    }
    for (int i = 0; i < count && rc == 0; i++)
        rc = open_conn(load, &load->conns[i], fds[i]);
    free(fds);
    return rc;
}

static int open_idle(struct load *load)
{
    size_t count = (size_t)load->shape.idle;

    load->idle = malloc((count + 1) * sizeof load->idle[0]);
    if (!load->idle)
        return load_complain("out of memory");
    return open_tried(load, load->idle, load->shape.idle);
}

struct load *load_open(int port, const struct load_shape *shape)
{
    size_t count = (size_t)shape->connections;
    struct load *load = calloc(1, sizeof *load + count * sizeof load->conns[0]);

    if (!load)
        return NULL;
    for (size_t i = 0; i < count; i++)
        load->conns[i].fd = -1;
    load->shape = *shape;
    load->port = port;
    load->set = epoll_create1(EPOLL_CLOEXEC);
    if (load->set < 0 || make_batch(load) < 0 || open_idle(load) < 0 ||
        open_conns(load) < 0) {
        load_close(load);
        return NULL;
    }
    return load;
}

void load_close(struct load *load)
{
    if (!load)
        return;
    for (int i = 0; i < load->shape.connections; i++) {
        if (load->conns[i].fd >= 0)
            close(load->conns[i].fd);
    }
    if (load->idle)
        close_all(load->idle, load->shape.idle);
    if (load->set >= 0)
        close(load->set);
    free(load->idle);
    free(load->answers);
    free(load->batch);
    free(load);
}
