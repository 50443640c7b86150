/* SPDX-License-Identifier: MIT */
/*
 * The load generator: an epoll loop as sparing as the servers it drives, so
 * that they, and not the load, are what is busy.
 */
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { BUFFER = 65536, BATCH = 256 };

struct conn {
    int fd;
    size_t to_send;    /* bytes of the batch that did not fit yet */
    size_t to_receive; /* bytes of its answers that did not come yet */
};

struct load {
    int set;
    struct load_shape shape;
    char *batch;       /* the requests of one batch */
    size_t batch_size; /* and their bytes */
    size_t answer_size;
    int busy;
    bool broken;
    struct conn conns[];
};

static char buffer[BUFFER];

int64_t load_clock(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int complain(const char *what)
{
    fprintf(stderr, "load: %s\n", what);
    return -1;
}

/* Requests as wrk sends them, or bytes in which a shift shows. */
static int make_batch(struct load *l, int port)
{
    char request[128];
    size_t size = l->shape.size;

    if (l->shape.kind == LOAD_HTTP)
        size = (size_t)snprintf(request, sizeof request,
                                "GET / HTTP/1.1\r\n"
                                "Host: 127.0.0.1:%d\r\n"
                                "\r\n",
                                port);
    l->batch_size = size * (size_t)l->shape.depth;
    l->batch = malloc(l->batch_size);
    if (!l->batch)
        return complain("out of memory");
    for (size_t i = 0; i < l->batch_size; i++)
        l->batch[i] = l->shape.kind == LOAD_HTTP ? request[i % size]
                                                 : (char)('!' + i % 89);
    return 0;
}

static int dial(int port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    struct timeval patience = {.tv_sec = 5};
    int yes = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static int try_echo(struct load *l, int fd)
{
    for (size_t done = 0; done < l->batch_size;) {
        ssize_t n = recv(fd, buffer, sizeof buffer, 0);
        if (n <= 0)
            return complain("no echo");
        if ((size_t)n > l->batch_size - done ||
            memcmp(buffer, l->batch + done, (size_t)n) != 0)
            return complain("a wrong echo");
        done += (size_t)n;
    }
    l->answer_size = l->shape.size;
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

static bool ends_with(const char *text, size_t size, const char *end)
{
    size_t length = end ? strlen(end) : 0;
    return length <= size &&
           (!end || memcmp(text + size - length, end, length) == 0);
}

/* Every answer of the batch is checked; all have the same size. */
static int try_http(struct load *l, int fd)
{
    size_t have = 0, size = 0;

    do {
        ssize_t n = recv(fd, buffer + have, sizeof buffer - have - 1, 0);
        if (n <= 0)
            return complain("no answer");
        have += (size_t)n;
        buffer[have] = '\0';
        size = http_answer_size(buffer);
    } while (size == 0 || have < size * (size_t)l->shape.depth);

    if (have != size * (size_t)l->shape.depth)
        return complain("more bytes than answers");
    for (size_t at = 0; at < have; at += size) {
        if (http_answer_size(buffer + at) != size ||
            !ends_with(buffer + at, size, l->shape.body))
            return complain("a wrong answer");
    }
    l->answer_size = size;
    return 0;
}

static int open_conn(struct load *l, struct conn *c, int port)
{
    struct epoll_event e = {
        .events = EPOLLIN | EPOLLOUT | EPOLLET,
        .data.ptr = c,
    };
    struct timeval forever = {0};

    c->fd = dial(port);
    if (c->fd < 0)
        return complain("cannot connect");
    if (send(c->fd, l->batch, l->batch_size, MSG_NOSIGNAL) !=
        (ssize_t)l->batch_size)
        return complain("cannot send");
    if ((l->shape.kind == LOAD_ECHO ? try_echo : try_http)(l, c->fd) < 0)
        return -1;
    setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &forever, sizeof forever);
    return epoll_ctl(l->set, EPOLL_CTL_ADD, c->fd, &e);
}

struct load *load_open(int port, const struct load_shape *shape)
{
    size_t count = (size_t)shape->connections;
    struct load *l = calloc(1, sizeof *l + count * sizeof l->conns[0]);

    if (!l)
        return NULL;
    for (size_t i = 0; i < count; i++)
        l->conns[i].fd = -1;
    l->shape = *shape;
    l->set = epoll_create1(EPOLL_CLOEXEC);
    if (l->set < 0 || make_batch(l, port) < 0)
        goto fail;
    for (size_t i = 0; i < count; i++) {
        if (open_conn(l, &l->conns[i], port) < 0)
            goto fail;
    }
    return l;

fail:
    load_close(l);
    return NULL;
}

void load_close(struct load *l)
{
    if (!l)
        return;
    for (int i = 0; i < l->shape.connections; i++) {
        if (l->conns[i].fd >= 0)
            close(l->conns[i].fd);
    }
    if (l->set >= 0)
        close(l->set);
    free(l->batch);
    free(l);
}

static void send_rest(struct load *l, struct conn *c)
{
    const char *at = l->batch + l->batch_size - c->to_send;
    ssize_t n = send(c->fd, at, c->to_send, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (n > 0)
        c->to_send -= (size_t)n;
    else if (errno != EAGAIN)
        l->broken = true;
}

static void begin(struct load *l, struct conn *c)
{
    c->to_send = l->batch_size;
    c->to_receive = l->answer_size * (size_t)l->shape.depth;
    l->busy++;
    send_rest(l, c);
}

/* Returns whether a batch ended. */
static bool receive(struct load *l, struct conn *c)
{
    while (c->to_receive > 0) {
        ssize_t n = recv(c->fd, buffer, sizeof buffer, MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN)
            return false;
        if (n <= 0 || (size_t)n > c->to_receive) {
            l->broken = true;
            return false;
        }
        c->to_receive -= (size_t)n;
        if (n < (ssize_t)sizeof buffer)
            break;
    }
    if (c->to_receive > 0)
        return false;
    l->busy--;
    return true;
}

/* Serves the events of one look; returns how many batches ended. */
static uint64_t look(struct load *l, bool go_on)
{
    struct epoll_event events[BATCH];
    uint64_t ended = 0;
    int count = epoll_wait(l->set, events, BATCH, 5000);

    if (count == 0)
        l->broken = true;
    for (int i = 0; i < count; i++) {
        struct conn *c = events[i].data.ptr;
        if (c->to_send > 0)
            send_rest(l, c);
        if (c->to_receive == 0 || !receive(l, c))
            continue;
        ended++;
        if (go_on)
            begin(l, c);
    }
    return ended;
}

uint64_t load_run(struct load *l, int64_t ns)
{
    int64_t end = load_clock() + ns;
    uint64_t batches = 0;

    for (int i = 0; i < l->shape.connections; i++)
        begin(l, &l->conns[i]);
    while (l->busy > 0 && !l->broken)
        batches += look(l, load_clock() < end);
    if (l->broken) {
        complain("a connection broke or fell silent");
        return 0;
    }
    return batches * (uint64_t)l->shape.depth;
}
