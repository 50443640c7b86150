/* SPDX-License-Identifier: MIT */
/*
 * The echo server that somebody writes by hand over io_uring.
 *
 * Each connection has one receive under way for good, into buffers that all
 * share, and one send at most, or two could overtake each other. A buffer goes
 * back when its bytes have been sent. One system call begins and ends whatever
 * there is.
 */
#include "rival.h"

#include <liburing.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    ENTRIES = 2048,
    COMPLETIONS = 32768,
    PIECES = 2048, /* a power of 2 */
    PIECE_SIZE = 1024,
    NONE = -1
};

enum operation { RECEIVED, SENT, CAME, OPERATION = 3 };

struct conn {
    int fd;
    int first, last; /* of the pieces to send; the first is being sent */
    bool receiving, is_over;
    struct conn *next_starved;
};

static struct io_uring ring;
static struct io_uring_buf_ring *free_pieces;
static char *bytes;

static struct {
    int size, next;
} pieces[PIECES];

static int taken;
static struct conn *starved; /* when no piece was free */

static struct io_uring_sqe *new_entry(void)
{
    struct io_uring_sqe *entry = io_uring_get_sqe(&ring);

    while (!entry) {
        io_uring_submit(&ring);
        entry = io_uring_get_sqe(&ring);
    }
    return entry;
}

static void mark(struct io_uring_sqe *entry, struct conn *c,
                 enum operation operation)
{
    io_uring_sqe_set_data64(entry, (uintptr_t)c | operation);
}

static char *bytes_of(int piece)
{
    return bytes + (size_t)piece * PIECE_SIZE;
}

static void receive(struct conn *c)
{
    struct io_uring_sqe *entry = new_entry();

    io_uring_prep_recv_multishot(entry, c->fd, NULL, 0, 0);
    entry->flags |= IOSQE_BUFFER_SELECT;
    entry->buf_group = 0;
    mark(entry, c, RECEIVED);
    c->receiving = true;
}

static void send_first(struct conn *c)
{
    struct io_uring_sqe *entry = new_entry();

    io_uring_prep_send(entry, c->fd, bytes_of(c->first),
                       (size_t)pieces[c->first].size,
                       MSG_NOSIGNAL | MSG_WAITALL);
    mark(entry, c, SENT);
}

static void give_back(int piece)
{
    io_uring_buf_ring_add(free_pieces, bytes_of(piece), PIECE_SIZE,
                          (unsigned short)piece, io_uring_buf_ring_mask(PIECES),
                          0);
    io_uring_buf_ring_advance(free_pieces, 1);
    taken--;
    if (!starved)
        return;

    struct conn *c = starved;
    starved = c->next_starved;
    receive(c);
}

static void starve(struct conn *c)
{
    if (taken < PIECES) {
        receive(c);
        return;
    }
    c->receiving = true;
    c->next_starved = starved;
    starved = c;
}

static void take(struct conn *c, int piece, int size)
{
    pieces[piece].size = size;
    pieces[piece].next = NONE;
    taken++;
    if (c->first == NONE) {
        c->first = c->last = piece;
        send_first(c);
    } else {
        pieces[c->last].next = piece;
        c->last = piece;
    }
}

static void on_received(struct conn *c, const struct io_uring_cqe *done)
{
    c->receiving = done->flags & IORING_CQE_F_MORE;
    if (done->res > 0)
        take(c, (int)(done->flags >> IORING_CQE_BUFFER_SHIFT), done->res);
    else if (done->res == -ENOBUFS)
        starve(c);
    else
        c->is_over = true;
    if (!c->receiving && !c->is_over)
        receive(c);
}

static void give_up(struct conn *c)
{
    for (; c->first != NONE; c->first = pieces[c->first].next)
        give_back(c->first);
    shutdown(c->fd, SHUT_RDWR); /* ends the receive */
}

static void on_sent(struct conn *c, const struct io_uring_cqe *done)
{
    int piece = c->first;

    if (done->res < pieces[piece].size) {
        give_up(c);
        return;
    }
    c->first = pieces[piece].next;
    give_back(piece);
    if (c->first != NONE)
        send_first(c);
}

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
        c->first = NONE;
        receive(c);
    }
}

static void await_connections(int listener)
{
    struct io_uring_sqe *entry = new_entry();

    io_uring_prep_poll_multishot(entry, listener, POLLIN);
    mark(entry, NULL, CAME);
}

static void serve(int listener, const struct io_uring_cqe *done)
{
    struct conn *c =
        (void *)(uintptr_t)(done->user_data & ~(uint64_t)OPERATION);

    switch (done->user_data & OPERATION) {
    case CAME:
        admit(listener);
        if (!(done->flags & IORING_CQE_F_MORE))
            await_connections(listener);
        return;
    case RECEIVED:
        on_received(c, done);
        break;
    default:
        on_sent(c, done);
    }
    if (c->is_over && !c->receiving && c->first == NONE) {
        close(c->fd);
        free(c);
    }
}

static bool set_up(void)
{
    struct io_uring_params params = {
        .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                 IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE,
        .cq_entries = COMPLETIONS};
    size_t size = PIECES * sizeof(struct io_uring_buf);

    if (io_uring_queue_init_params(ENTRIES, &ring, &params) < 0)
        return false;
    io_uring_register_ring_fd(&ring);
    bytes = malloc((size_t)PIECES * PIECE_SIZE);
    free_pieces = aligned_alloc(4096, size);
    if (!bytes || !free_pieces)
        return false;

    struct io_uring_buf_reg registered = {.ring_addr = (uintptr_t)free_pieces,
                                          .ring_entries = PIECES};
    io_uring_buf_ring_init(free_pieces);
    if (io_uring_register_buf_ring(&ring, &registered, 0) < 0)
        return false;
    taken = PIECES;
    for (int i = 0; i < PIECES; i++)
        give_back(i);
    return true;
}

int main(int argc, char **argv)
{
    int port = rival_port(argc, argv);

    if (!set_up())
        return 1;
    int listener = rival_listen(port);
    await_connections(listener);
    for (;;) {
        struct io_uring_cqe *done;
        unsigned head, count = 0;

        io_uring_submit_and_wait(&ring, 1);
        io_uring_for_each_cqe(&ring, head, done)
        {
            serve(listener, done);
            count++;
        }
        io_uring_cq_advance(&ring, count);
    }
}
