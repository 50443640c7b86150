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
static int make_batch(struct load *load, int port)
{
    char request[128];
    size_t size = load->shape.size;

    if (load->shape.kind == LOAD_HTTP)
        size = (size_t)snprintf(request, sizeof request,
                                "GET / HTTP/1.1\r\n"
                                "Host: 127.0.0.1:%d\r\n"
                                "\r\n",
                                port);
    load->batch_size = size * (size_t)load->shape.depth;
    load->batch = malloc(load->batch_size);
    if (!load->batch)
        return complain("out of memory");
    for (size_t i = 0; i < load->batch_size; i++)
        load->batch[i] = load->shape.kind == LOAD_HTTP ? request[i % size]
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

static int try_echo(struct load *load, int fd)
{
    for (size_t done = 0; done < load->batch_size;) {
        ssize_t n = recv(fd, buffer, sizeof buffer, 0);
        if (n <= 0)
            return complain("no echo");
        if ((size_t)n > load->batch_size - done ||
            memcmp(buffer, load->batch + done, (size_t)n) != 0)
            return complain("a wrong echo");
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

static bool ends_with(const char *text, size_t size, const char *end)
{
    size_t length = end ? strlen(end) : 0;
    return length <= size &&
           (!end || memcmp(text + size - length, end, length) == 0);
}

/* Every answer of the batch is checked; all have the same size. */
static int try_http(struct load *load, int fd)
{
    size_t have = 0, size = 0;

    do {
        ssize_t n = recv(fd, buffer + have, sizeof buffer - have - 1, 0);
        if (n <= 0)
            return complain("no answer");
        have += (size_t)n;
        buffer[have] = '\0';
        size = http_answer_size(buffer);
    } while (size == 0 || have < size * (size_t)load->shape.depth);

    if (have != size * (size_t)load->shape.depth)
        return complain("more bytes than answers");
    for (size_t at = 0; at < have; at += size) {
        if (http_answer_size(buffer + at) != size ||
            !ends_with(buffer + at, size, load->shape.body))
            return complain("a wrong answer");
    }
    load->answer_size = size;
    return 0;
}

static int open_conn(struct load *load, struct conn *c, int port)
{
    struct epoll_event e = {
        .events = EPOLLIN | EPOLLOUT | EPOLLET,
        .data.ptr = c,
    };
    struct timeval forever = {0};

    c->fd = dial(port);
    if (c->fd < 0)
        return complain("cannot connect");
    if (send(c->fd, load->batch, load->batch_size, MSG_NOSIGNAL) !=
        (ssize_t)load->batch_size)
        return complain("cannot send");
    if ((load->shape.kind == LOAD_ECHO ? try_echo : try_http)(load, c->fd) < 0)
        return -1;
    setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &forever, sizeof forever);
    return epoll_ctl(load->set, EPOLL_CTL_ADD, c->fd, &e);
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
    load->set = epoll_create1(EPOLL_CLOEXEC);
    if (load->set < 0 || make_batch(load, port) < 0)
        goto fail;
    for (size_t i = 0; i < count; i++) {
        if (open_conn(load, &load->conns[i], port) < 0)
            goto fail;
    }
    return load;

fail:
    load_close(load);
    return NULL;
}

void load_close(struct load *load)
{
    if (!load)
        return;
    for (int i = 0; i < load->shape.connections; i++) {
        if (load->conns[i].fd >= 0)
            close(load->conns[i].fd);
    }
    if (load->set >= 0)
        close(load->set);
    free(load->batch);
    free(load);
}

static void send_rest(struct load *load, struct conn *c)
{
    const char *at = load->batch + load->batch_size - c->to_send;
    ssize_t n = send(c->fd, at, c->to_send, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (n > 0)
        c->to_send -= (size_t)n;
    else if (errno != EAGAIN)
        load->broken = true;
}

static void begin(struct load *load, struct conn *c)
{
    c->to_send = load->batch_size;
    c->to_receive = load->answer_size * (size_t)load->shape.depth;
    load->busy++;
    send_rest(load, c);
}

/* Returns whether a batch ended. */
static bool receive(struct load *load, struct conn *c)
{
    while (c->to_receive > 0) {
        ssize_t n = recv(c->fd, buffer, sizeof buffer, MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN)
            return false;
        if (n <= 0 || (size_t)n > c->to_receive) {
            load->broken = true;
            return false;
        }
        c->to_receive -= (size_t)n;
        if (n < (ssize_t)sizeof buffer)
            break;
    }
    if (c->to_receive > 0)
        return false;
    load->busy--;
    return true;
}

/* Serves the events of one look; returns how many batches ended. */
static uint64_t look(struct load *load, bool go_on)
{
    struct epoll_event events[BATCH];
    uint64_t ended = 0;
    int count = epoll_wait(load->set, events, BATCH, 5000);

    if (count == 0)
        load->broken = true;
    for (int i = 0; i < count; i++) {
        struct conn *c = events[i].data.ptr;
        if (c->to_send > 0)
            send_rest(load, c);
        if (c->to_receive == 0 || !receive(load, c))
            continue;
        ended++;
        if (go_on)
            begin(load, c);
    }
    return ended;
}

uint64_t load_run(struct load *load, int64_t ns, unsigned batches)
{
    int64_t end = load_clock() + ns;
    uint64_t least = (uint64_t)batches * (uint64_t)load->shape.connections;
    uint64_t done = 0;

    for (int i = 0; i < load->shape.connections; i++)
        begin(load, &load->conns[i]);
    while (load->busy > 0 && !load->broken)
        done += look(load, done < least || load_clock() < end);
    if (load->broken) {
        complain("a connection broke or fell silent");
        return 0;
    }
    return done * (uint64_t)load->shape.depth;
}
