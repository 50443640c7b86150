/* SPDX-License-Identifier: MIT */
/*
 * Group G: messages with edges, <sill/datagram.h>.
 */
#include "faults.h"
#include "suite.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Two ends that know where the other one is: over UDP, or as two files. */
struct ends {
    struct sill_datagram a, b;
    struct sill_address at_a, at_b;
    char folder[32]; /* empty for UDP */
};

static void open_at(struct sill_datagram *datagram,
                    struct sill_address *address)
{
    ck_assert_int_eq(sill_datagram_open(datagram, address, NULL), 0);
    ck_assert_int_eq(sill_datagram_local(datagram, address), 0);
}

static void open_udp(struct ends *ends)
{
    *ends = (struct ends){.at_a = suite_loopback(0), .at_b = suite_loopback(0)};
    open_at(&ends->a, &ends->at_a);
    open_at(&ends->b, &ends->at_b);
}

static void open_unix(struct ends *ends)
{
    char path[64];

    *ends = (struct ends){.folder = "/tmp/sill-XXXXXX"};
    ck_assert_ptr_nonnull(mkdtemp(ends->folder));
    snprintf(path, sizeof(path), "%s/a", ends->folder);
    ck_assert_int_eq(sill_address_unix(&ends->at_a, path), 0);
    snprintf(path, sizeof(path), "%s/b", ends->folder);
    ck_assert_int_eq(sill_address_unix(&ends->at_b, path), 0);
    open_at(&ends->a, &ends->at_a);
    open_at(&ends->b, &ends->at_b);
}

/* Finds the folder empty: files go with their sockets. */
static void close_ends(struct ends *ends)
{
    sill_datagram_close(&ends->a);
    sill_datagram_close(&ends->b);
    if (ends->folder[0])
        ck_assert_int_eq(rmdir(ends->folder), 0);
}

/* Runs (fn) over UDP and over Unix-domain sockets. */
static void on_both(void (*fn)(struct ends *ends))
{
    static struct ends ends;

    suite_note("UDP");
    open_udp(&ends);
    fn(&ends);
    close_ends(&ends);
    suite_note("UNIX");
    open_unix(&ends);
    fn(&ends);
    close_ends(&ends);
}

static void send_text(struct sill_datagram *from, const char *text,
                      const struct sill_address *to)
{
    ck_assert_int_eq(
        sill_datagram_send(from, text, strlen(text), to, SILL_NEVER), 0);
}

static void expect_text(struct sill_datagram *datagram, const char *text)
{
    char buffer[64];
    ssize_t n = sill_datagram_receive(datagram, buffer, sizeof(buffer), NULL,
                                      SILL_NEVER);

    ck_assert_int_eq(n, (ssize_t)strlen(text));
    ck_assert_mem_eq(buffer, text, strlen(text));
}

static void expect_nothing(struct sill_datagram *datagram)
{
    char byte;

    ck_assert_int_eq(sill_datagram_receive(datagram, &byte, 1, NULL, SILL_PAST),
                     SILL_ETIMEDOUT);
}

/* A task that receives once. */
struct receiving {
    struct sill_datagram *datagram;
    char bytes[8];
    ssize_t got;
    bool ended;
};

static int receive_one(void *arg)
{
    struct receiving *self = arg;

    self->got = sill_datagram_receive(self->datagram, self->bytes,
                                      sizeof(self->bytes), NULL, SILL_NEVER);
    self->ended = true;
    return (int)self->got;
}

/* Lets a task wait in receive; it does when this returns. */
static struct sill_task *park_receiver(struct receiving *self,
                                       struct sill_datagram *datagram)
{
    *self = (struct receiving){.datagram = datagram};
    struct sill_task *task = suite_spawn(receive_one, self);
    suite_yield(3);
    ck_assert(!self->ended);
    return task;
}

static void keep_edges(struct ends *ends)
{
    static char out[8192], in[8192];
    static const size_t sizes[] = {1, 2, 100, 1, 1472, 8192, 3};

    enum { COUNT = sizeof(sizes) / sizeof(*sizes) };

    for (size_t i = 0; i < COUNT; i++) {
        memset(out, 'a' + (int)i, sizes[i]);
        ck_assert_int_eq(sill_datagram_send(&ends->a, out, sizes[i],
                                            &ends->at_b, SILL_NEVER),
                         0);
    }
    for (size_t i = 0; i < COUNT; i++) {
        memset(out, 'a' + (int)i, sizes[i]);
        ck_assert_int_eq(
            sill_datagram_receive(&ends->b, in, sizeof(in), NULL, SILL_NEVER),
            (ssize_t)sizes[i]);
        ck_assert_mem_eq(in, out, sizes[i]);
    }
    expect_nothing(&ends->b);
}

/* datagram.h: "Receives one message": one send is one receive. */
SILL_CASE(G, 01, edges_are_kept)
{
    on_both(keep_edges);
}

static void empty_is_a_message(struct ends *ends)
{
    char buffer[8];

    send_text(&ends->a, "x", &ends->at_b);
    ck_assert_int_eq(
        sill_datagram_send(&ends->a, "", 0, &ends->at_b, SILL_NEVER), 0);
    ck_assert_int_eq(
        sill_datagram_send(&ends->a, NULL, 0, &ends->at_b, SILL_NEVER), 0);
    send_text(&ends->a, "y", &ends->at_b);
    expect_text(&ends->b, "x");
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(
            sill_datagram_receive(&ends->b, buffer, 8, NULL, SILL_NEVER), 0);
    expect_text(&ends->b, "y");
}

/* datagram.h: "0 for an empty one", which is not the end. */
SILL_CASE(G, 02, empty_message_is_not_the_end)
{
    on_both(empty_is_a_message);
}

static void tell_truncation(struct ends *ends)
{
    char buffer[8] = "........";

    send_text(&ends->a, "0123456789", &ends->at_b);
    send_text(&ends->a, "next", &ends->at_b);
    ck_assert_int_eq(
        sill_datagram_receive(&ends->b, buffer, 4, NULL, SILL_NEVER), 10);
    ck_assert_mem_eq(buffer, "0123....", 8);
    ck_assert_int_eq(
        sill_datagram_receive(&ends->b, buffer, 4, NULL, SILL_NEVER), 4);
    ck_assert_mem_eq(buffer, "next....", 8);
    send_text(&ends->a, "dropped", &ends->at_b);
    ck_assert_int_eq(
        sill_datagram_receive(&ends->b, buffer, 0, NULL, SILL_NEVER), 7);
    expect_nothing(&ends->b);
}

/* datagram.h: "more than (size) when it did not fit, the rest being gone". */
SILL_CASE(G, 03, truncation_tells_the_real_size)
{
    on_both(tell_truncation);
}

static void tell_sender(struct ends *ends)
{
    struct sill_address sender;
    char byte;

    send_text(&ends->a, "x", &ends->at_b);
    ck_assert_int_eq(
        sill_datagram_receive(&ends->b, &byte, 1, &sender, SILL_NEVER), 1);
    ck_assert(sill_address_is_equal(&sender, &ends->at_a));
    send_text(&ends->b, "y", &sender);
    ck_assert_int_eq(
        sill_datagram_receive(&ends->a, &byte, 1, &sender, SILL_NEVER), 1);
    ck_assert(sill_address_is_equal(&sender, &ends->at_b));
}

/* datagram.h: "(peer) receives its sender", to whom one can answer. */
SILL_CASE(G, 04, sender_is_told_and_can_be_answered)
{
    on_both(tell_sender);
}

/* A socket without a name sends all the same: "unnamed" (address.h). */
SILL_CASE(G, 04, sender_without_a_name_is_unnamed, fd)
{
    struct sockaddr_un where = {.sun_family = AF_UNIX};
    struct sill_address peer = suite_loopback(1);
    struct ends ends;
    char byte;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    open_unix(&ends);
    memcpy(where.sun_path, ends.at_a.u.path, ends.at_a.path_size);
    ck_assert_int_eq(
        sendto(fd, "x", 1, 0, (struct sockaddr *)&where, sizeof(where)), 1);
    ck_assert_int_eq(
        sill_datagram_receive(&ends.a, &byte, 1, &peer, SILL_NEVER), 1);
    ck_assert_int_eq(peer.family, SILL_FAMILY_NONE);
    close(fd);
    close_ends(&ends);
}

/* datagram.h: "port 0 picks one"; it is told by local. */
SILL_CASE(G, 04, port_zero_tells_the_real_port)
{
    struct ends ends;

    open_udp(&ends);
    ck_assert_uint_ne(ends.at_a.port, 0);
    ck_assert_uint_ne(ends.at_a.port, ends.at_b.port);
    close_ends(&ends);
}

static void receive_then_send(struct ends *ends)
{
    struct receiving receiving;

    for (int i = 0; i < 3; i++) {
        struct sill_task *task = park_receiver(&receiving, &ends->b);
        send_text(&ends->a, "late", &ends->at_b);
        ck_assert_int_eq(suite_await(task), 4);
        ck_assert_mem_eq(receiving.bytes, "late", 4);
    }
}

/* G-05: a receive that waits before the send wakes. */
SILL_CASE(G, 05, receive_before_send_wakes)
{
    on_both(receive_then_send);
}

struct sending {
    struct sill_datagram *datagram;
    const struct sill_address *to;
    int count;
    bool ended;
};

static int send_many(void *arg)
{
    struct sending *self = arg;
    int rc = 0;

    for (int i = 0; i < self->count && rc == 0; i++)
        rc = sill_datagram_send(self->datagram, &i, sizeof(i), self->to,
                                SILL_NEVER);
    self->ended = true;
    return rc;
}

/* Sends more than a Unix-domain queue holds: the sender waits, hardly using a
 * processor, for the receiver; nothing is dropped. */
static void send_to_a_full_queue(bool connected)
{
    static struct ends ends;
    struct sending sending = {&ends.a, &ends.at_b, 5000, false};
    int got = -1, wrong = 0;

    open_unix(&ends);
    if (connected) {
        ck_assert_int_eq(sill_datagram_connect(&ends.a, &ends.at_b), 0);
        sending.to = NULL;
    }
    struct sill_task *task = suite_spawn(send_many, &sending);
    suite_yield(10);
    sill_duration cpu = suite_cpu();
    ck_assert_int_eq(sill_sleep(sill_after(200 * SILL_MILLISECOND)), 0);
    ck_assert_int_lt(suite_cpu() - cpu, (sill_duration)(60e6 * suite_scale()));
    ck_assert(!sending.ended);
    for (int i = 0; i < sending.count; i++)
        wrong += sill_datagram_receive(&ends.b, &got, sizeof(got), NULL,
                                       SILL_NEVER) != sizeof(got) ||
                 got != i;
    ck_assert_int_eq(wrong, 0);
    ck_assert_int_eq(suite_await(task), 0);
    close_ends(&ends);
}

SILL_CASE(G, 05, send_to_a_full_queue_waits_for_the_receiver)
{
    send_to_a_full_queue(true);
}

SILL_CASE(G, 05, send_to_anybody_waits_for_a_full_receiver)
{
    send_to_a_full_queue(false);
}

static void late_receive(struct ends *ends)
{
    char byte;

    for (int i = 0; i < 50; i++) {
        sill_time deadline = sill_after(SILL_MILLISECOND / 10 * (i % 5));
        ck_assert_int_eq(
            sill_datagram_receive(&ends->b, &byte, 1, NULL, deadline),
            SILL_ETIMEDOUT);
        ck_assert_int_ge(sill_now(), deadline);
        send_text(&ends->a, "x", &ends->at_b);
        ck_assert_int_eq(
            sill_datagram_receive(&ends->b, &byte, 1, NULL, SILL_PAST), 1);
    }
    expect_nothing(&ends->b);
}

/* datagram.h: "Cancelled and late calls lose nothing"; a past deadline tries
 * once. */
SILL_CASE(G, 06, late_receive_loses_no_message)
{
    on_both(late_receive);
}

static void cancelled_receive(struct ends *ends)
{
    struct receiving receiving;

    for (int i = 0; i < 40; i++) {
        bool send_first = i % 2 == 0;
        struct sill_task *task = park_receiver(&receiving, &ends->b);
        if (send_first)
            send_text(&ends->a, "x", &ends->at_b);
        suite_cancel(task);
        if (!send_first)
            send_text(&ends->a, "x", &ends->at_b);
        if (receiving.got != 1) {
            ck_assert_int_eq(receiving.got, SILL_ECANCELED);
            expect_text(&ends->b, "x");
        }
        expect_nothing(&ends->b);
    }
}

/* The same with the cancel before the message and after it. */
SILL_CASE(G, 06, cancelled_receive_loses_no_message)
{
    on_both(cancelled_receive);
}

/* Holds a port of the loopback and takes messages from nobody but itself, so
 * that all others are refused. */
static void open_refusing(struct sill_datagram *holder,
                          struct sill_address *address)
{
    *address = suite_loopback(0);
    open_at(holder, address);
    ck_assert_int_eq(sill_datagram_connect(holder, address), 0);
}

/* datagram.h, connect: "a refused message is reported once, by the next call,
 * as SILL_ECONNREFUSED, after which (datagram) still works". */
static void refuse(bool receive_first)
{
    struct sill_datagram datagram, holder;
    struct sill_address address = suite_loopback(0), refusing;
    struct receiving receiving;
    struct sill_task *task = NULL;

    open_refusing(&holder, &refusing);
    open_at(&datagram, &address);
    ck_assert_int_eq(sill_datagram_connect(&datagram, &refusing), 0);
    if (receive_first)
        task = park_receiver(&receiving, &datagram);
    send_text(&datagram, "no", NULL);
    if (!receive_first) {
        receiving = (struct receiving){.datagram = &datagram};
        task = suite_spawn(receive_one, &receiving);
    }
    ck_assert_int_eq(suite_await(task), SILL_ECONNREFUSED);
    expect_nothing(&datagram);
    ck_assert_int_eq(sill_datagram_connect(&holder, &address), 0);
    send_text(&datagram, "yes", NULL);
    expect_text(&holder, "yes");
    send_text(&holder, "reply", NULL);
    expect_text(&datagram, "reply");
    sill_datagram_close(&datagram);
    sill_datagram_close(&holder);
}

SILL_CASE(G, 07, refused_message_is_reported_once)
{
    refuse(false);
    refuse(true);
}

/* datagram.h, send: SILL_ECONNREFUSED: the next call may as well be a send,
 * which then has sent nothing. */
SILL_CASE(G, 07, refused_message_is_reported_by_a_send)
{
    struct sill_datagram datagram, holder;
    struct sill_address address = suite_loopback(0), refusing;
    int rc = 0;

    open_refusing(&holder, &refusing);
    open_at(&datagram, &address);
    ck_assert_int_eq(sill_datagram_connect(&datagram, &refusing), 0);
    for (int i = 0; i < 100000 && rc == 0; i++)
        rc = sill_datagram_send(&datagram, "no", 2, NULL, SILL_NEVER);
    ck_assert_int_eq(rc, SILL_ECONNREFUSED);
    sill_datagram_close(&datagram);
    sill_datagram_close(&holder);
}

/* datagram.h, connect: "only its messages are received". */
SILL_CASE(G, 07, connected_one_hears_its_peer_only)
{
    struct ends ends;
    struct sill_datagram stranger;
    struct sill_address address = suite_loopback(0);

    open_udp(&ends);
    open_at(&stranger, &address);
    ck_assert_int_eq(sill_datagram_connect(&ends.b, &ends.at_a), 0);
    send_text(&stranger, "noise", &ends.at_b);
    send_text(&ends.a, "news", &ends.at_b);
    expect_text(&ends.b, "news");
    expect_nothing(&ends.b);
    sill_datagram_close(&stranger);
    close_ends(&ends);
}

/* datagram.h: "SILL_EMSGSIZE (too long), SILL_ENOTCONN (no peer given and none
 * fixed) ... SILL_EINVAL", after which it still works. */
static void send_errors(struct ends *ends)
{
    static char much[1 << 20];
    struct sill_address nowhere = {0};

    ck_assert_int_eq(sill_datagram_send(&ends->a, much, sizeof(much),
                                        &ends->at_b, SILL_NEVER),
                     SILL_EMSGSIZE);
    ck_assert_int_eq(sill_datagram_send(&ends->a, "x", 1, NULL, SILL_NEVER),
                     SILL_ENOTCONN);
    ck_assert_int_eq(sill_datagram_send(&ends->a, "x", 1, &nowhere, SILL_NEVER),
                     SILL_EINVAL);
    ck_assert_int_eq(sill_datagram_connect(&ends->a, &nowhere), SILL_EINVAL);
    send_text(&ends->a, "fine", &ends->at_b);
    expect_text(&ends->b, "fine");
    expect_nothing(&ends->b);
}

SILL_CASE(G, 07, send_reports_what_it_lists)
{
    on_both(send_errors);
}

/* datagram.h, connect: "SILL_ENOENT (UNIX: nobody there)". */
SILL_CASE(G, 07, nobody_at_a_path_is_told)
{
    static struct ends ends;
    struct sill_address nobody;

    open_unix(&ends);
    ck_assert_int_eq(sill_address_unix(&nobody, "/nonexistent/socket"), 0);
    ck_assert_int_eq(sill_datagram_connect(&ends.a, &nobody), SILL_ENOENT);
    sill_datagram_close(&ends.b);
    ck_assert_int_eq(sill_datagram_connect(&ends.a, &ends.at_b), SILL_ENOENT);
    close_ends(&ends);
}

static void thousand(struct ends *ends)
{
    struct sending sending = {&ends->a, &ends->at_b, 25, false};
    int wrong = 0, got = -1;

    for (int i = 0; i < 40; i++) {
        struct sill_task *task = suite_spawn(send_many, &sending);
        for (int j = 0; j < sending.count; j++)
            wrong += sill_datagram_receive(&ends->b, &got, sizeof(got), NULL,
                                           SILL_NEVER) != sizeof(got) ||
                     got != j;
        wrong += suite_await(task) != 0;
    }
    ck_assert_int_eq(wrong, 0);
    expect_nothing(&ends->b);
}

/* G-08: 1 000 on loopback: none twice, none out of order, none lost while the
 * receiver keeps up. */
SILL_CASE(G, 08, thousand_messages_keep_their_order)
{
    on_both(thousand);
}

static void close_under_receiver(struct ends *ends)
{
    struct receiving receiving;
    struct sill_task *task = park_receiver(&receiving, &ends->b);
    struct sill_address address;
    char byte;

    sill_datagram_close(&ends->b);
    sill_datagram_close(&ends->b);
    ck_assert_int_eq(suite_await(task), SILL_ECLOSED);
    ck_assert_int_eq(
        sill_datagram_receive(&ends->b, &byte, 1, NULL, SILL_NEVER),
        SILL_ECLOSED);
    ck_assert_int_eq(
        sill_datagram_send(&ends->b, "x", 1, &ends->at_a, SILL_NEVER),
        SILL_ECLOSED);
    ck_assert_int_eq(sill_datagram_local(&ends->b, &address), SILL_ECLOSED);
    ck_assert_int_eq(sill_datagram_connect(&ends->b, &ends->at_a),
                     SILL_ECLOSED);
}

/* datagram.h: "Closes (datagram) as sill_stream_close does"; "a zeroed one is
 * closed". */
SILL_CASE(G, 05, close_wakes_the_receiver)
{
    struct sill_datagram zeroed = {0};
    char byte;

    on_both(close_under_receiver);
    ck_assert_int_eq(sill_datagram_receive(&zeroed, &byte, 1, NULL, SILL_NEVER),
                     SILL_ECLOSED);
    sill_datagram_close(&zeroed);
}

static int close_datagram(void *datagram)
{
    sill_datagram_close(datagram);
    return 0;
}

/* Nor has the receive to have begun to wait: it lets others run before
 * (task.h). */
SILL_CASE(G, 05, close_while_receive_lets_others_run)
{
    struct ends ends;
    char byte;

    open_udp(&ends);
    struct sill_task *closer = suite_spawn(close_datagram, &ends.b);
    for (int i = 0; i < 64; i++)
        ck_assert_int_eq(
            sill_datagram_receive(&ends.b, &byte, 1, NULL, SILL_PAST),
            SILL_ETIMEDOUT);
    ck_assert_int_eq(sill_datagram_receive(&ends.b, &byte, 1, NULL, SILL_NEVER),
                     SILL_ECLOSED);
    ck_assert_int_eq(suite_await(closer), 0);
    close_ends(&ends);
}

static void race_receive(const int order[], void *arg)
{
    static struct ends ends;
    struct receiving receiving;

    (void)arg;
    suite_note("order %d %d %d", order[0], order[1], order[2]);
    open_udp(&ends);
    struct sill_task *task = park_receiver(&receiving, &ends.b);
    for (int i = 0; i < 3; i++) {
        if (order[i] == 0)
            send_text(&ends.a, "x", &ends.at_b);
        if (order[i] == 1)
            ck_assert_int_eq(sill_cancel(task, SILL_PAST), SILL_ETIMEDOUT);
        if (order[i] == 2)
            sill_datagram_close(&ends.b);
    }
    int rc = suite_await(task);
    ck_assert(rc == 1 || rc == SILL_ECLOSED || rc == SILL_ECANCELED);
    close_ends(&ends);
}

/* A message, cancel and close in one round, in every order: one of them is the
 * outcome, and nothing is left behind. */
SILL_CASE(G, 05, close_and_all_else_in_every_order)
{
    suite_permute(3, race_receive, NULL);
}

/* datagram.h: "One task may receive while another sends; two in the same
 * direction end the program." */
static int receive_twice(void *arg)
{
    struct sill_datagram datagram;
    struct sill_address address = suite_loopback(0);
    struct receiving receiving;

    (void)arg;
    open_at(&datagram, &address);
    park_receiver(&receiving, &datagram);
    suite_await(suite_spawn(receive_one, &receiving));
    return 0;
}

static void run_receive_twice(void *arg)
{
    sill_run(receive_twice, arg);
}

SILL_CASE_OUTSIDE(G, 05, second_receiver_ends_the_program)
{
    suite_expect_abort(run_receive_twice, NULL, "sill_datagram_receive",
                       "datagrams.c:");
}

static int send_late(void *arg)
{
    struct sending *self = arg;

    return sill_datagram_send(self->datagram, "x", 1, self->to,
                              sill_after(suite_liveness()));
}

/* Into a queue that is full; with abstract names, as no file must be left by a
 * program that ends in the middle. */
static int send_twice(void *arg)
{
    struct sill_datagram a, b;
    struct sill_address at_a, at_b;
    char name[32];

    snprintf(name, sizeof(name), "@sill-%d-a", (int)getpid());
    ck_assert_int_eq(sill_address_unix(&at_a, name), 0);
    open_at(&a, &at_a);
    snprintf(name, sizeof(name), "@sill-%d-b", (int)getpid());
    ck_assert_int_eq(sill_address_unix(&at_b, name), 0);
    open_at(&b, &at_b);
    if (arg)
        ck_assert_int_eq(sill_datagram_connect(&a, &at_b), 0);
    struct sending sending = {&a, arg ? NULL : &at_b, 1, false};
    while (sill_datagram_send(&a, "x", 1, sending.to, SILL_PAST) == 0)
        continue;
    suite_spawn(send_late, &sending);
    suite_yield(3);
    suite_await(suite_spawn(send_late, &sending));
    return 0;
}

static void run_send_twice(void *arg)
{
    sill_run(send_twice, arg);
}

SILL_CASE_OUTSIDE(G, 05, second_sender_ends_the_program)
{
    suite_expect_abort(run_send_twice, "connected", "sill_datagram_send",
                       "datagrams.c:");
    suite_expect_abort(run_send_twice, NULL, "sill_datagram_send",
                       "datagrams.c:");
}

/* datagram.h, open: "the errors of sill_listener_listen", with nothing left
 * behind; a file that nobody uses any more is replaced. */
SILL_CASE(G, 04, open_reports_as_listen_does)
{
    static struct ends ends;
    struct sill_datagram second;
    struct sill_address nowhere = {0};

    open_udp(&ends);
    ck_assert_int_eq(sill_datagram_open(&second, &ends.at_a, NULL),
                     SILL_EADDRINUSE);
    ck_assert_int_eq(sill_datagram_open(&second, &nowhere, NULL), SILL_EINVAL);
    ck_assert_int_eq(sill_address_ip(&nowhere, "192.0.2.1", 0), 0);
    ck_assert_int_eq(sill_datagram_open(&second, &nowhere, NULL),
                     SILL_EADDRNOTAVAIL);
    close_ends(&ends);
    open_unix(&ends);
    ck_assert_int_eq(sill_datagram_open(&second, &ends.at_a, NULL),
                     SILL_EADDRINUSE);
    expect_nothing(&ends.a);
    close_ends(&ends);
}

static void interrupted(struct ends *ends)
{
    fault_nth(FAULT_sendmsg, 1, EINTR);
    fault_nth(FAULT_sendto, 1, EINTR);
    fault_nth(FAULT_send, 1, EINTR);
    send_text(&ends->a, "x", &ends->at_b);
    fault_nth(FAULT_recvmsg, 1, EINTR);
    fault_nth(FAULT_recvfrom, 1, EINTR);
    fault_nth(FAULT_recv, 1, EINTR);
    expect_text(&ends->b, "x");
    ck_assert_int_ge(
        fault_strikes(FAULT_sendmsg) + fault_strikes(FAULT_sendto) +
            fault_strikes(FAULT_send) + fault_strikes(FAULT_recvmsg) +
            fault_strikes(FAULT_recvfrom) + fault_strikes(FAULT_recv),
        2);
    fault_clear();
}

/* S-15 for messages: calls that a signal interrupts are made again. */
SILL_CASE(G, 08, interrupted_calls_change_nothing, fd)
{
    on_both(interrupted);
}
