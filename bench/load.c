/* SPDX-License-Identifier: MIT */
/*
 * The load generator: an epoll loop as sparing as the servers it drives, so
 * that they, and not the load, are what is busy.
 */
#include "load_conn.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BUFFER = 65536, BATCH = 256 };

#define PATIENCE INT64_C(10000000000) /* ns */

static char buffer[BUFFER];

int64_t load_clock(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
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

/* What is to be sent goes when it is connected. */
static void begin_anew(struct load *load, struct conn *c)
{
    c->fd = load_dial(load, SOCK_NONBLOCK);
    if (c->fd < 0 || load_watch(load, c) < 0)
        load->broken = true;
}

static void begin(struct load *load, struct conn *c)
{
    c->to_send = load->batch_size;
    c->to_receive = load->answer_size * (size_t)load->shape.depth;
    load->busy++;
    if (load->shape.is_churned)
        begin_anew(load, c);
    else
        send_rest(load, c);
}

/* Whether the server closes at the end of a batch, and that is waited for. */
static bool is_closed_there(const struct load *load)
{
    return load->shape.is_churned && load->shape.kind == LOAD_HTTP;
}

/* Takes what there is; returns whether it was the last of a batch. */
static bool receive(struct load *load, struct conn *c)
{
    bool to_end = is_closed_there(load);
    ssize_t n;

    do {
        n = recv(c->fd, buffer, sizeof buffer, MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN)
            return false;
        if (n < 0 || (size_t)n > c->to_receive ||
            (n == 0 && (!to_end || c->to_receive > 0))) {
            load->broken = true;
            return false;
        }
        c->to_receive -= (size_t)n;
    } while (to_end ? n > 0 : n == BUFFER && c->to_receive > 0);

    return c->to_receive == 0;
}

static void end_batch(struct load *load, struct conn *c)
{
    load->busy--;
    if (!load->shape.is_churned)
        return;
    close(c->fd);
    c->fd = -1;
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
        if ((c->to_receive == 0 && !is_closed_there(load)) || !receive(load, c))
            continue;
        end_batch(load, c);
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
    while (load->busy > 0 && !load->broken && load_clock() < end + PATIENCE)
        done += look(load, done < least || load_clock() < end);
    if (load->busy > 0)
        load->broken = true;
    if (load->broken) {
        load_complain("a connection broke or fell silent");
        return 0;
    }
    return done * (uint64_t)load->shape.depth;
}
