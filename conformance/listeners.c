/* SPDX-License-Identifier: MIT */
/*
 * Group L: listeners and connect, <sill/listener.h> and <sill/stream.h>.
 */
#include "faults.h"
#include "suite.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* ---- bare sockets, as somebody else's program has them ---- */

static struct sockaddr_in bare_address(uint16_t port)
{
    struct sockaddr_in where = {.sin_family = AF_INET};

    where.sin_port = htons(port);
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return where;
}

/* Connects a bare socket, and says nothing of it: 0 or an errno. */
static int bare_try(int *fd, uint16_t port, int flags)
{
    struct sockaddr_in where = bare_address(port);

    *fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    ck_assert_int_ge(*fd, 0);
    if (connect(*fd, (struct sockaddr *)&where, sizeof(where)) == 0)
        return 0;
    return errno;
}

static int bare_connect(uint16_t port)
{
    int fd;

    ck_assert_int_eq(bare_try(&fd, port, 0), 0);
    return fd;
}

/* A client: a bare socket, or a stream where there are no descriptors. */
struct client {
    int fd; /* -1: none */
    struct sill_stream stream;
};

static struct client client_connect(const struct sill_address *address)
{
    struct client client = {.fd = -1};

    if (suite_has(SILL_CONFORMANCE_FD))
        client.fd = bare_connect(address->port);
    else
        ck_assert_int_eq(
            sill_stream_connect(&client.stream, address, NULL, SILL_NEVER), 0);
    return client;
}

static void client_close(struct client *client)
{
    if (client->fd >= 0)
        close(client->fd);
    sill_stream_close(&client->stream);
}

static void bare_reset(int fd)
{
    struct linger at_once = {1, 0};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    close(fd);
}

/* A bare socket that listens on a port of the loopback. */
static int bare_listen(uint16_t *port, int backlog)
{
    struct sockaddr_in where = bare_address(0);
    socklen_t size = sizeof(where);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(bind(fd, (struct sockaddr *)&where, size), 0);
    ck_assert_int_eq(listen(fd, backlog), 0);
    getsockname(fd, (struct sockaddr *)&where, &size);
    *port = ntohs(where.sin_port);
    return fd;
}

/* ---- tasks ---- */

struct accepting {
    struct sill_listener *listener;
    struct sill_stream stream;
    bool ended;
};

static int accept_one(void *arg)
{
    struct accepting *self = arg;
    int rc = sill_listener_accept(self->listener, &self->stream, SILL_NEVER);

    self->ended = true;
    return rc;
}

/* A task that waits in accept; it does when this returns. */
static struct sill_task *park_accept(struct accepting *self,
                                     struct sill_listener *listener)
{
    *self = (struct accepting){.listener = listener};
    struct sill_task *task = suite_spawn(accept_one, self);
    suite_yield(3);
    ck_assert(!self->ended);
    return task;
}

/* Accepts with (deadline) and closes what came. */
static int accept_and_close(struct sill_listener *listener, sill_time deadline)
{
    struct sill_stream stream;
    int rc = sill_listener_accept(listener, &stream, deadline);

    if (rc == 0)
        sill_stream_close(&stream);
    return rc;
}

static void check_meet(struct sill_stream *a, struct sill_stream *b)
{
    char bytes[4];

    ck_assert_int_eq(sill_stream_write_all(a, "ping", 4, NULL, SILL_NEVER), 0);
    ck_assert_int_eq(sill_stream_read_full(b, bytes, 4, NULL, SILL_NEVER), 0);
    ck_assert_mem_eq(bytes, "ping", 4);
}

/* Raises the limit of descriptors as far as it goes; returns how many
 * connections within this process fit. */
static int most_connections(void)
{
    struct rlimit limit;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    return limit.rlim_max < 20000 ? (int)limit.rlim_max / 2 - 50 : 9000;
}

/* ---- L-01, L-02: addresses ---- */

/* A listener at (host), a client of it and what it was accepted as. */
struct meeting {
    struct sill_listener listener;
    struct sill_stream client, server;
    struct sill_address address; /* as asked for, port 0 */
};

static void meet(struct meeting *self, const char *host)
{
    struct sill_address real;

    ck_assert_int_eq(sill_address_ip(&self->address, host, 0), 0);
    ck_assert_int_eq(
        sill_listener_listen(&self->listener, &self->address, NULL), 0);
    ck_assert_int_eq(sill_listener_local(&self->listener, &real), 0);
    ck_assert_int_eq(
        sill_stream_connect(&self->client, &real, NULL, SILL_NEVER), 0);
    ck_assert_int_eq(
        sill_listener_accept(&self->listener, &self->server, SILL_NEVER), 0);
}

static void part(struct meeting *self)
{
    sill_stream_close(&self->client);
    sill_stream_close(&self->server);
    sill_listener_close(&self->listener);
}

/* Machines without IPv6 have no ::1 either. */
static bool has_ipv6(void)
{
    struct sockaddr_in6 where = {.sin6_family = AF_INET6,
                                 .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool has =
        fd >= 0 && bind(fd, (struct sockaddr *)&where, sizeof(where)) == 0;

    if (fd >= 0)
        close(fd);
    return has;
}

static void check_real_port(const char *host)
{
    struct meeting meeting;
    struct sill_address real;

    meet(&meeting, host);
    ck_assert_int_eq(sill_listener_local(&meeting.listener, &real), 0);
    ck_assert_uint_ne(real.port, 0);
    meeting.address.port = real.port;
    ck_assert(sill_address_is_equal(&meeting.address, &real));
    check_meet(&meeting.client, &meeting.server);
    check_meet(&meeting.server, &meeting.client);
    part(&meeting);
}

/* listener.h: "port 0 picks a free one (see sill_listener_local)". */
SILL_CASE(L, 01, port_zero_tells_the_real_port)
{
    check_real_port("127.0.0.1");
    if (has_ipv6())
        check_real_port("::1");
}

static void check_peers(const char *host)
{
    struct meeting meeting;
    struct sill_address near, far;

    meet(&meeting, host);
    ck_assert_int_eq(sill_stream_local(&meeting.client, &near), 0);
    ck_assert_int_eq(sill_stream_peer(&meeting.server, &far), 0);
    ck_assert(sill_address_is_equal(&near, &far));
    ck_assert_int_eq(sill_stream_peer(&meeting.client, &far), 0);
    ck_assert_int_eq(sill_stream_local(&meeting.server, &near), 0);
    ck_assert(sill_address_is_equal(&near, &far));
    part(&meeting);
}

/* stream.h: local and peer, of both ends. */
SILL_CASE(L, 02, accepted_and_connected_know_each_other)
{
    check_peers("127.0.0.1");
    if (has_ipv6())
        check_peers("::1");
}

/* L-02: accept tells the peer's address, as the peer itself sees it. */
SILL_CASE(L, 02, accepted_stream_tells_the_clients_port, fd)
{
    struct sill_listener listener;
    struct sill_address address, peer;
    struct sill_stream stream;
    struct sockaddr_in where = {.sin_family = AF_INET};
    socklen_t size = sizeof(where);

    suite_listen(&listener, &address);
    int client = bare_connect(address.port);
    ck_assert_int_eq(sill_listener_accept(&listener, &stream, SILL_NEVER), 0);
    ck_assert_int_eq(getsockname(client, (struct sockaddr *)&where, &size), 0);
    ck_assert_int_eq(sill_stream_peer(&stream, &peer), 0);
    address.port = ntohs(where.sin_port);
    ck_assert(sill_address_is_equal(&peer, &address));
    sill_stream_close(&stream);
    sill_listener_close(&listener);
    close(client);
}

/* L-02: accept tells the address of a peer that has already reset. */
SILL_CASE(L, 02, accepted_stream_of_a_reset_client_tells_its_port, fd)
{
    struct sill_listener listener;
    struct sill_address address, peer;
    struct sill_stream stream;

    suite_listen(&listener, &address);
    for (int i = 0; i < 20; i++) {
        struct sockaddr_in where;
        socklen_t size = sizeof(where);
        struct sill_address client_address = address;
        char byte;
        int client = bare_connect(address.port);

        ck_assert_int_eq(getsockname(client, (struct sockaddr *)&where, &size),
                         0);
        client_address.port = ntohs(where.sin_port);
        bare_reset(client);
        ck_assert_int_eq(sill_listener_accept(&listener, &stream, SILL_NEVER),
                         0);
        for (int j = 0; j < 2; j++) {
            ck_assert_int_eq(sill_stream_peer(&stream, &peer), 0);
            ck_assert(sill_address_is_equal(&peer, &client_address));
            if (j == 0)
                ck_assert_int_eq(
                    sill_stream_read(&stream, &byte, 1, SILL_NEVER),
                    SILL_ECONNRESET);
        }
        sill_stream_close(&stream);
    }
    sill_listener_close(&listener);
}

/* ---- L-03: nothing is lost ---- */

/* time.h: a past deadline tries once: a client that is there is taken; without
 * one accept is late, never early. */
SILL_CASE(L, 03, late_accept_loses_no_connection)
{
    struct sill_listener listener;
    struct sill_address address;

    suite_listen(&listener, &address);
    for (int i = 0; i < 50; i++) {
        sill_time deadline = sill_after(SILL_MILLISECOND / 10 * (i % 5));
        ck_assert_int_eq(accept_and_close(&listener, deadline), SILL_ETIMEDOUT);
        ck_assert_int_ge(sill_now(), deadline);
        struct client client = client_connect(&address);
        ck_assert_int_eq(accept_and_close(&listener, SILL_PAST), 0);
        client_close(&client);
    }
    sill_listener_close(&listener);
}

/* Accepts and a client at the same moment as a deadline: one or the other, and
 * the connection is there afterwards if it was not taken. */
SILL_CASE(L, 03, deadline_racing_a_client_loses_no_connection)
{
    struct sill_listener listener;
    struct sill_address address;
    int lost = 0;

    suite_listen(&listener, &address);
    for (int i = 0; i < 200; i++) {
        struct client client = client_connect(&address);
        sill_time deadline = sill_after((i % 20) * SILL_MICROSECOND);
        int rc = accept_and_close(&listener, deadline);
        if (rc == SILL_ETIMEDOUT)
            rc = accept_and_close(&listener, SILL_NEVER);
        lost += rc != 0;
        client_close(&client);
    }
    ck_assert_int_eq(lost, 0);
    ck_assert_int_eq(accept_and_close(&listener, SILL_PAST), SILL_ETIMEDOUT);
    sill_listener_close(&listener);
}

/* A cancelled accept takes a connection and says so, or leaves it. */
static void cancel_and_connect(bool connect_first)
{
    struct sill_listener listener;
    struct sill_address address;
    struct accepting accepting;
    struct client client;

    suite_listen(&listener, &address);
    struct sill_task *task = park_accept(&accepting, &listener);
    if (connect_first)
        client = client_connect(&address);
    suite_cancel(task);
    if (!connect_first)
        client = client_connect(&address);
    ck_assert(accepting.ended);
    if (accepting.stream.ops)
        sill_stream_close(&accepting.stream);
    else
        ck_assert_int_eq(accept_and_close(&listener, SILL_NEVER), 0);
    ck_assert_int_eq(accept_and_close(&listener, SILL_PAST), SILL_ETIMEDOUT);
    sill_listener_close(&listener);
    client_close(&client);
}

/* listener.h: "with no connection lost", SILL_ECANCELED. */
SILL_CASE(L, 03, cancelled_accept_loses_no_connection)
{
    for (int i = 0; i < 20; i++) {
        cancel_and_connect(true);
        cancel_and_connect(false);
    }
}

/* ---- L-04: close ---- */

/* listener.h, close: "a task that waits in accept wakes with SILL_ECLOSED, and
 * later calls return that. Accepted streams live on. Closing twice is
 * harmless." */
SILL_CASE(L, 04, close_wakes_accept)
{
    struct meeting meeting;
    struct accepting accepting;
    struct sill_address address;

    meet(&meeting, "127.0.0.1");
    struct sill_task *task = park_accept(&accepting, &meeting.listener);
    sill_listener_close(&meeting.listener);
    ck_assert_int_eq(suite_await(task), SILL_ECLOSED);
    sill_listener_close(&meeting.listener);
    ck_assert_int_eq(accept_and_close(&meeting.listener, SILL_NEVER),
                     SILL_ECLOSED);
    ck_assert_int_eq(sill_listener_local(&meeting.listener, &address),
                     SILL_ECLOSED);
    check_meet(&meeting.client, &meeting.server);
    part(&meeting);
}

/* The same when close comes before accept runs; "a zeroed one is closed". */
SILL_CASE(L, 04, accept_after_close_says_closed)
{
    struct sill_listener listener, zeroed = {0};
    struct accepting accepting = {.listener = &listener};
    struct sill_address address;

    suite_listen(&listener, &address);
    struct sill_task *task = suite_spawn(accept_one, &accepting);
    sill_listener_close(&listener);
    ck_assert_int_eq(suite_await(task), SILL_ECLOSED);
    ck_assert_int_eq(accept_and_close(&zeroed, SILL_NEVER), SILL_ECLOSED);
    sill_listener_close(&zeroed);
}

/* A connection that nobody accepted ends with its listener. */
SILL_CASE(L, 04, close_frees_the_port)
{
    struct sill_listener listener;
    struct sill_address address;
    struct sill_stream stream;

    suite_listen(&listener, &address);
    struct client client = client_connect(&address);
    sill_listener_close(&listener);
    ck_assert_int_eq(sill_stream_connect(&stream, &address, NULL, SILL_NEVER),
                     SILL_ECONNREFUSED);
    ck_assert_int_eq(sill_listener_listen(&listener, &address, NULL), 0);
    sill_listener_close(&listener);
    client_close(&client);
}

static int use_up_turn(struct sill_listener *listener)
{
    struct sill_stream stream;
    for (int i = 0; i < 64; i++)
        ck_assert_int_eq(sill_listener_accept(listener, &stream, SILL_PAST),
                         SILL_ETIMEDOUT);
    return sill_listener_accept(listener, &stream, SILL_NEVER);
}

static int close_it(void *listener)
{
    sill_listener_close(listener);
    return 0;
}

/* "closed, before or during the wait": nor does it matter that the call had not
 * begun to wait when it let others run (task.h: "64 reads or writes in a row").
 */
SILL_CASE(L, 04, close_while_accept_lets_others_run)
{
    struct sill_listener listener;
    struct sill_address address;

    suite_listen(&listener, &address);
    struct sill_task *closer = suite_spawn(close_it, &listener);
    ck_assert_int_eq(use_up_turn(&listener), SILL_ECLOSED);
    ck_assert_int_eq(suite_await(closer), 0);
}

static void race_accept(const int order[], void *arg)
{
    struct sill_listener listener;
    struct sill_address address;
    struct accepting accepting;
    int client = -1;

    (void)arg;
    suite_note("order %d %d %d", order[0], order[1], order[2]);
    suite_listen(&listener, &address);
    struct sill_task *task = park_accept(&accepting, &listener);
    for (int i = 0; i < 3; i++) {
        if (order[i] == 0 && listener.ops)
            client = bare_connect(address.port);
        if (order[i] == 1)
            ck_assert_int_eq(sill_cancel(task, SILL_PAST), SILL_ETIMEDOUT);
        if (order[i] == 2)
            sill_listener_close(&listener);
    }
    int rc = suite_await(task);
    ck_assert(rc == 0 || rc == SILL_ECLOSED || rc == SILL_ECANCELED);
    ck_assert_int_eq(rc == 0, accepting.stream.ops != NULL);
    sill_stream_close(&accepting.stream);
    if (client >= 0)
        close(client);
}

/* A client, cancel and close in one round, in every order: one of them is the
 * outcome, and nothing is left behind. */
SILL_CASE(L, 04, close_and_all_else_in_every_order, fd)
{
    suite_permute(3, race_accept, NULL);
}

/* listener.h: "Two tasks that accept at once end the program." */
static int accept_twice(void *arg)
{
    struct sill_listener listener;
    struct sill_address address;
    struct accepting accepting;

    (void)arg;
    suite_listen(&listener, &address);
    park_accept(&accepting, &listener);
    suite_await(suite_spawn(accept_one, &accepting));
    return 0;
}

static void run_accept_twice(void *arg)
{
    sill_run(accept_twice, arg);
}

SILL_CASE_OUTSIDE(L, 04, second_accept_ends_the_program)
{
    suite_expect_abort(run_accept_twice, NULL, "sill_listener_accept",
                       "listeners.c:");
}

/* ---- L-05: a burst ---- */

/* L-05: 1 000 clients connect before the first is accepted. */
SILL_CASE(L, 05, burst_of_connects_is_all_accepted, fd)
{
    static int clients[1000];
    struct sill_listener listener;
    struct sill_address address;
    int room = most_connections(), count = room < 1000 ? room : 1000;
    int failed = 0, accepted = 0;

    suite_listen(&listener, &address);
    for (int i = 0; i < count; i++) {
        int rc = bare_try(&clients[i], address.port, SOCK_NONBLOCK);
        failed += rc != 0 && rc != EINPROGRESS;
    }
    ck_assert_int_eq(failed, 0);
    for (int i = 0; i < count; i++)
        accepted += accept_and_close(&listener, SILL_NEVER) == 0;
    ck_assert_int_eq(accepted, count);
    ck_assert_int_eq(accept_and_close(&listener, SILL_PAST), SILL_ETIMEDOUT);
    for (int i = 0; i < count; i++)
        close(clients[i]);
    sill_listener_close(&listener);
}

/* A task that connects, and says that it came to the end. */
static int connect_and_read(void *arg)
{
    struct sill_stream stream;
    char byte;
    int rc = sill_stream_connect(&stream, arg, NULL, SILL_NEVER);

    if (rc == 0) {
        rc = (int)sill_stream_read(&stream, &byte, 1, SILL_NEVER);
        sill_stream_close(&stream);
    }
    return rc;
}

/* The same by tasks that connect while others are accepted. */
SILL_CASE(L, 05, burst_of_connecting_tasks_is_all_accepted)
{
    enum { COUNT = 300 };
    static struct sill_task *tasks[COUNT];
    struct sill_listener listener;
    struct sill_address address;
    int accepted = 0, ended = 0;

    suite_listen(&listener, &address);
    for (int i = 0; i < COUNT; i++)
        tasks[i] = suite_spawn(connect_and_read, &address);
    for (int i = 0; i < COUNT; i++)
        accepted += accept_and_close(&listener, SILL_NEVER) == 0;
    ck_assert_int_eq(accepted, COUNT);
    for (int i = 0; i < COUNT; i++) {
        int rc = suite_await(tasks[i]);
        ended += rc == 0;
    }
    ck_assert_int_eq(ended, COUNT);
    sill_listener_close(&listener);
}

/* ---- L-06: connects that fail ---- */

static void check_connect(const struct sill_address *address,
                          sill_time deadline, int expected)
{
    struct sill_stream stream;
    char byte;

    ck_assert_int_eq(sill_stream_connect(&stream, address, NULL, deadline),
                     expected);
    ck_assert_int_eq(sill_stream_read(&stream, &byte, 1, SILL_NEVER),
                     SILL_ECLOSED);
}

/* stream.h: "SILL_ECONNREFUSED nobody listens there", "with (stream) closed".
 * The port is held by a stream, which does not listen. */
SILL_CASE(L, 06, refused_connect_says_so)
{
    struct meeting meeting;
    struct sill_address address;

    meet(&meeting, "127.0.0.1");
    ck_assert_int_eq(sill_stream_local(&meeting.client, &address), 0);
    for (int i = 0; i < 3; i++)
        check_connect(&address, SILL_NEVER, SILL_ECONNREFUSED);
    part(&meeting);
}

/* stream.h: "SILL_ENETUNREACH, SILL_EHOSTUNREACH no way there". TCP reaches no
 * broadcast address; the other code, which no loopback gives, is forced. */
SILL_CASE(L, 06, unreachable_connect_says_so, fd)
{
    struct sill_address address;

    ck_assert_int_eq(sill_address_ip(&address, "255.255.255.255", 9), 0);
    check_connect(&address, SILL_NEVER, SILL_ENETUNREACH);
    address = suite_loopback(9);
    fault_nth(FAULT_connect, 1, EHOSTUNREACH);
    check_connect(&address, SILL_NEVER, SILL_EHOSTUNREACH);
    ck_assert_int_eq(fault_strikes(FAULT_connect), 1);
    fault_clear();
}

/* stream.h: "SILL_ETIMEDOUT (deadline)", here of a listener whose queue is
 * full, "or the network gave up", which is forced. */
SILL_CASE(L, 06, silent_connect_is_late, fd)
{
    uint16_t port;
    int listening = bare_listen(&port, 0), client = bare_connect(port);
    struct sill_address address = suite_loopback(port);
    struct tcp_info queue = {0};
    socklen_t size = sizeof(queue);

    while (queue.tcpi_unacked <= queue.tcpi_sacked)
        ck_assert_int_eq(
            getsockopt(listening, IPPROTO_TCP, TCP_INFO, &queue, &size), 0);
    sill_time deadline = sill_after(20 * SILL_MILLISECOND);
    check_connect(&address, deadline, SILL_ETIMEDOUT);
    ck_assert_int_ge(sill_now(), deadline);
    fault_nth(FAULT_connect, 1, ETIMEDOUT);
    check_connect(&address, SILL_NEVER, SILL_ETIMEDOUT);
    fault_clear();
    close(client);
    close(listening);
}

static int connect_it(void *arg)
{
    struct sill_stream stream;
    int rc = sill_stream_connect(&stream, arg, NULL, SILL_NEVER);

    if (rc == 0)
        sill_stream_close(&stream);
    return rc;
}

/* stream.h: "a task that is already cancelled moves nothing": nobody hears of
 * its connect. */
SILL_CASE(L, 06, cancelled_connect_reaches_nobody)
{
    struct sill_listener listener;
    struct sill_address address;

    suite_listen(&listener, &address);
    suite_cancel(suite_spawn(connect_it, &address));
    ck_assert_int_eq(accept_and_close(&listener, SILL_PAST), SILL_ETIMEDOUT);
    sill_listener_close(&listener);
}

/* stream.h: "SILL_EMFILE", and what else the system may say. */
SILL_CASE(L, 06, connect_reports_what_else_it_lists, fd)
{
    struct sill_address address = suite_loopback(9);

    fault_nth(FAULT_socket, 1, EMFILE);
    check_connect(&address, SILL_NEVER, SILL_EMFILE);
    fault_nth(FAULT_socket, 1, ENFILE);
    check_connect(&address, SILL_NEVER, SILL_EMFILE);
    fault_nth(FAULT_socket, 1, ENOBUFS);
    check_connect(&address, SILL_NEVER, SILL_ENOMEM);
    fault_nth(FAULT_connect, 1, EADDRNOTAVAIL);
    check_connect(&address, SILL_NEVER, SILL_EADDRNOTAVAIL);
    fault_clear();
}

static void check_nowhere(int family)
{
    struct sill_address nowhere = {.family = (enum sill_family)family};
    struct sill_listener listener;
    struct sill_datagram datagram;

    check_connect(&nowhere, SILL_NEVER, SILL_EINVAL);
    ck_assert_int_eq(sill_listener_listen(&listener, &nowhere, NULL),
                     SILL_EINVAL);
    ck_assert_int_eq(sill_datagram_open(&datagram, &nowhere, NULL),
                     SILL_EINVAL);
}

/* stream.h: "SILL_EINVAL not an address to connect to": unnamed, or of a family
 * that is none at all; from everything that opens. */
SILL_CASE(L, 06, unknown_family_is_no_address)
{
    check_nowhere(SILL_FAMILY_NONE);
    check_nowhere(1000000);
}

/* Nor is a path without a byte, or with too many. */
SILL_CASE(L, 06, path_that_is_none_is_no_address)
{
    struct sill_address endless = {.family = SILL_FAMILY_UNIX,
                                   .path_size = SILL_UNIX_PATH_MAX + 1};

    check_nowhere(SILL_FAMILY_UNIX);
    check_connect(&endless, SILL_NEVER, SILL_EINVAL);
}

/* listener.h: what listen lists, "with nothing left behind". */
static void check_listen(const char *text, int expected)
{
    struct sill_listener listener;
    struct sill_address address;

    ck_assert_int_eq(sill_address_parse(&address, text), 0);
    ck_assert_int_eq(sill_listener_listen(&listener, &address, NULL), expected);
    ck_assert_int_eq(accept_and_close(&listener, SILL_NEVER), SILL_ECLOSED);
}

SILL_CASE(L, 06, listen_reports_what_it_lists)
{
    struct sill_listener listener;
    struct sill_address address;
    char text[SILL_ADDRESS_TEXT_MAX];

    suite_listen(&listener, &address);
    check_listen(sill_address_format(&address, text, sizeof(text)),
                 SILL_EADDRINUSE);
    sill_listener_close(&listener);
    check_listen("192.0.2.1:0", SILL_EADDRNOTAVAIL);
}

/* The same for what the system has to say. */
SILL_CASE(L, 06, listen_reports_what_the_system_lists, fd)
{
    check_listen("unix:/nonexistent/folder/socket", SILL_ENOENT);
    fault_nth(FAULT_bind, 1, EACCES);
    check_listen("127.0.0.1:0", SILL_EACCES);
    fault_nth(FAULT_socket, 1, EMFILE);
    check_listen("127.0.0.1:0", SILL_EMFILE);
    fault_nth(FAULT_listen, 1, EADDRINUSE);
    check_listen("127.0.0.1:0", SILL_EADDRINUSE);
    fault_clear();
}

/* ---- L-07: clients that went away ---- */

/* L-07: a client that resets before accept does not end the loop. */
SILL_CASE(L, 07, client_that_resets_before_accept_is_survived, fd)
{
    struct sill_listener listener;
    struct sill_address address;
    struct sill_stream stream;
    char byte;
    ssize_t n;

    suite_listen(&listener, &address);
    for (int i = 0; i < 5; i++)
        bare_reset(bare_connect(address.port));
    int client = bare_connect(address.port);
    ck_assert_int_eq(send(client, "x", 1, 0), 1);
    do {
        ck_assert_int_eq(sill_listener_accept(&listener, &stream, SILL_NEVER),
                         0);
        n = sill_stream_read(&stream, &byte, 1, SILL_NEVER);
        ck_assert(n == 1 || n == SILL_ECONNRESET);
        sill_stream_close(&stream);
    } while (n != 1);
    sill_listener_close(&listener);
    close(client);
}

/* listener.h: "Clients that went away before they were accepted are passed
 * over": what systems report for them is not the caller's business. */
SILL_CASE(L, 07, aborted_connection_is_passed_over, fd)
{
    static const int errors[] = {ECONNABORTED, EINTR, EPROTO};
    struct sill_listener listener;
    struct sill_address address;

    suite_listen(&listener, &address);
    for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
        int client = bare_connect(address.port);
        fault_clear();
        fault_nth(FAULT_accept4, 1, errors[i]);
        ck_assert_int_eq(accept_and_close(&listener, SILL_NEVER), 0);
        ck_assert_int_eq(fault_strikes(FAULT_accept4), 1);
        close(client);
    }
    fault_clear();
    sill_listener_close(&listener);
}

/* ---- L-08: no descriptors left ---- */

/* Lets the next descriptor be the first that is refused. */
static rlim_t forbid_descriptors(void)
{
    struct rlimit limit;
    int next = dup(0);

    ck_assert_int_ge(next, 0);
    close(next);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    rlim_t before = limit.rlim_cur;
    limit.rlim_cur = (rlim_t)next;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    return before;
}

static void permit_descriptors(rlim_t before)
{
    struct rlimit limit;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = before;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* listener.h: "SILL_EMFILE ... it stays in the queue; try again when some are
 * free ... this call fails at once each time". */
SILL_CASE(L, 08, accept_without_descriptors_fails_at_once_and_recovers, fd)
{
    struct sill_listener listener;
    struct sill_address address;

    suite_listen(&listener, &address);
    int client = bare_connect(address.port), spare = dup(0);
    rlim_t before = forbid_descriptors();
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(accept_and_close(&listener, SILL_NEVER), SILL_EMFILE);
    close(spare);
    ck_assert_int_eq(accept_and_close(&listener, SILL_NEVER), 0);
    ck_assert_int_eq(accept_and_close(&listener, SILL_PAST), SILL_ETIMEDOUT);
    permit_descriptors(before);
    sill_listener_close(&listener);
    close(client);
}

/* L-08: "no spin": the loop rests between one error and the next try, and a
 * task that already waited learns of it once. */
SILL_CASE(L, 08, loop_without_descriptors_rests, fd)
{
    struct sill_listener listener;
    struct sill_address address;
    struct accepting accepting;
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    suite_listen(&listener, &address);
    struct sockaddr_in where = bare_address(address.port);
    struct sill_task *task = park_accept(&accepting, &listener);
    rlim_t before = forbid_descriptors();
    ck_assert_int_eq(connect(client, (struct sockaddr *)&where, sizeof(where)),
                     0);
    ck_assert_int_eq(suite_await(task), SILL_EMFILE);
    sill_duration cpu = suite_cpu();
    ck_assert_int_eq(sill_sleep(sill_after(200 * SILL_MILLISECOND)), 0);
    ck_assert_int_lt(suite_cpu() - cpu, (sill_duration)(20e6 * suite_scale()));
    permit_descriptors(before);
    ck_assert_int_eq(accept_and_close(&listener, SILL_NEVER), 0);
    sill_listener_close(&listener);
    close(client);
}

/* F-12 for listeners: clients that nobody accepts do not spin the loop. */
SILL_CASE(F, 12, clients_that_nobody_accepts_do_not_spin)
{
    struct sill_listener listener;
    struct sill_address address;

    suite_listen(&listener, &address);
    int first = bare_connect(address.port);
    ck_assert_int_eq(accept_and_close(&listener, SILL_NEVER), 0);
    ck_assert_int_eq(accept_and_close(&listener, sill_after(1)),
                     SILL_ETIMEDOUT);
    int second = bare_connect(address.port);
    sill_duration cpu = suite_cpu();
    ck_assert_int_eq(sill_sleep(sill_after(200 * SILL_MILLISECOND)), 0);
    ck_assert_int_lt(suite_cpu() - cpu, (sill_duration)(20e6 * suite_scale()));
    ck_assert_int_eq(accept_and_close(&listener, SILL_PAST), 0);
    sill_listener_close(&listener);
    close(first);
    close(second);
}

/* The other ways in which a system has nothing left. */
SILL_CASE(L, 08, accept_names_what_is_exhausted, fd)
{
    static const int errors[][2] = {{EMFILE, SILL_EMFILE},
                                    {ENFILE, SILL_EMFILE},
                                    {ENOBUFS, SILL_ENOMEM},
                                    {ENOMEM, SILL_ENOMEM}};
    struct sill_listener listener;
    struct sill_address address;

    suite_listen(&listener, &address);
    int client = bare_connect(address.port);
    for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
        fault_nth(FAULT_accept4, 1, errors[i][0]);
        ck_assert_int_eq(accept_and_close(&listener, SILL_NEVER), errors[i][1]);
    }
    fault_clear();
    ck_assert_int_eq(accept_and_close(&listener, SILL_NEVER), 0);
    sill_listener_close(&listener);
    close(client);
}

/* And the one way in which it does not want to: told at once, and once for each
 * accept. */
SILL_CASE(L, 08, accept_that_is_forbidden_says_so_and_does_not_spin, fd)
{
    struct sill_listener listener;
    struct sill_address address;

    suite_listen(&listener, &address);
    int client = bare_connect(address.port);
    fault_always(FAULT_accept4, EPERM);
    for (int i = 1; i <= 3; i++) {
        ck_assert_int_eq(accept_and_close(&listener, SILL_NEVER), SILL_EPERM);
        ck_assert_int_eq(fault_strikes(FAULT_accept4), i);
    }
    fault_clear();
    ck_assert_int_eq(accept_and_close(&listener, SILL_NEVER), 0);
    sill_listener_close(&listener);
    close(client);
}

/* ---- L-09: Unix-domain ---- */

/* A path in a fresh folder. */
struct place {
    char folder[32], path[64];
    struct sill_address address;
};

static struct place place_make(void)
{
    struct place place = {.folder = "/tmp/sill-XXXXXX"};

    ck_assert_ptr_nonnull(mkdtemp(place.folder));
    snprintf(place.path, sizeof(place.path), "%s/socket", place.folder);
    ck_assert_int_eq(sill_address_unix(&place.address, place.path), 0);
    return place;
}

/* Succeeds only if nothing is left in the folder. */
static void place_remove(struct place *place)
{
    ck_assert_int_eq(rmdir(place->folder), 0);
}

static int bare_unix(const char *path)
{
    struct sockaddr_un where = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(where.sun_path, sizeof(where.sun_path), "%s", path);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&where, sizeof(where)), 0);
    return fd;
}

/* A client whose (name), which is written, is the longest that there is. */
static int bare_unix_client(struct sockaddr_un *name)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    memset(name->sun_path, 'n', sizeof(name->sun_path));
    memcpy(name->sun_path + 1, &(long){getpid()}, sizeof(long));
    name->sun_path[0] = '\0';
    ck_assert_int_eq(bind(fd, (struct sockaddr *)name, sizeof(*name)), 0);
    return fd;
}

static void connect_bare_unix(int fd, const char *path)
{
    struct sockaddr_un where = {.sun_family = AF_UNIX};

    snprintf(where.sun_path, sizeof(where.sun_path), "%s", path);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&where, sizeof(where)), 0);
}

static void check_serves(struct sill_listener *listener,
                         const struct sill_address *address)
{
    struct sill_stream client, server;
    struct sill_address seen;

    ck_assert_int_eq(sill_stream_connect(&client, address, NULL, SILL_NEVER),
                     0);
    ck_assert_int_eq(sill_listener_accept(listener, &server, SILL_NEVER), 0);
    check_meet(&client, &server);
    ck_assert_int_eq(sill_stream_peer(&client, &seen), 0);
    ck_assert(sill_address_is_equal(&seen, address));
    ck_assert_int_eq(sill_listener_local(listener, &seen), 0);
    ck_assert(sill_address_is_equal(&seen, address));
    sill_stream_close(&client);
    sill_stream_close(&server);
}

/* listener.h: "or a Unix-domain socket, where the file ... [is] removed again
 * at close". */
SILL_CASE(L, 09, unix_file_goes_with_its_listener, fd)
{
    struct place place = place_make();
    struct sill_listener listener;

    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(sill_listener_listen(&listener, &place.address, NULL),
                         0);
        ck_assert_int_eq(access(place.path, F_OK), 0);
        check_serves(&listener, &place.address);
        sill_listener_close(&listener);
        ck_assert_int_eq(access(place.path, F_OK), -1);
    }
    place_remove(&place);
}

/* listener.h: "the file of a listener that is gone is replaced". */
SILL_CASE(L, 09, stale_unix_file_is_replaced, fd)
{
    struct place place = place_make();
    struct sill_listener listener;

    close(bare_unix(place.path));
    check_connect(&place.address, SILL_NEVER, SILL_ECONNREFUSED);
    ck_assert_int_eq(sill_listener_listen(&listener, &place.address, NULL), 0);
    check_serves(&listener, &place.address);
    sill_listener_close(&listener);
    check_connect(&place.address, SILL_NEVER, SILL_ENOENT);
    place_remove(&place);
}

/* Whether it is gone cannot be told without a descriptor to ask with. */
SILL_CASE(L, 09, unix_file_that_cannot_be_asked_is_left_alone, fd)
{
    struct place place = place_make();
    struct sill_listener listener;

    close(bare_unix(place.path));
    fault_nth(FAULT_socket, 2, EMFILE);
    ck_assert_int_eq(sill_listener_listen(&listener, &place.address, NULL),
                     SILL_EADDRINUSE);
    ck_assert_int_eq(fault_strikes(FAULT_socket), 1);
    fault_clear();
    ck_assert_int_eq(access(place.path, F_OK), 0);
    ck_assert_int_eq(sill_listener_listen(&listener, &place.address, NULL), 0);
    sill_listener_close(&listener);
    place_remove(&place);
}

/* The file at the path is not always its own any more. */
SILL_CASE(L, 09, unix_file_of_somebody_else_is_left_alone, fd)
{
    struct place place = place_make();
    struct sill_listener first, second;

    ck_assert_int_eq(sill_listener_listen(&first, &place.address, NULL), 0);
    ck_assert_int_eq(unlink(place.path), 0);
    ck_assert_int_eq(sill_listener_listen(&second, &place.address, NULL), 0);
    sill_listener_close(&first);
    check_serves(&second, &place.address);
    ck_assert_int_eq(unlink(place.path), 0);
    sill_listener_close(&second);
    place_remove(&place);
}

/* Linux has names of a byte more than a path may be: such a peer is told with
 * its name cut, and served. */
SILL_CASE(L, 09, longest_abstract_name_of_a_peer_is_cut, fd)
{
    struct place place = place_make();
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    struct sill_listener listener;
    struct sill_stream stream;
    struct sill_address peer;
    int fd = bare_unix_client(&name);

    ck_assert_int_eq(sill_listener_listen(&listener, &place.address, NULL), 0);
    connect_bare_unix(fd, place.path);
    ck_assert_int_eq(sill_listener_accept(&listener, &stream, SILL_NEVER), 0);
    ck_assert_int_eq(sill_stream_peer(&stream, &peer), 0);
    ck_assert_int_eq(peer.family, SILL_FAMILY_UNIX);
    ck_assert_uint_eq(peer.path_size, SILL_UNIX_PATH_MAX);
    ck_assert_mem_eq(peer.u.path, name.sun_path, SILL_UNIX_PATH_MAX);
    sill_stream_close(&stream);
    sill_listener_close(&listener);
    close(fd);
    place_remove(&place);
}

/* listener.h: "SILL_EADDRINUSE somebody else listens there", undisturbed. */
SILL_CASE(L, 09, live_unix_listener_is_left_alone)
{
    struct place place = place_make();
    struct sill_listener first, second;

    ck_assert_int_eq(sill_listener_listen(&first, &place.address, NULL), 0);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(sill_listener_listen(&second, &place.address, NULL),
                         SILL_EADDRINUSE);
    check_serves(&first, &place.address);
    ck_assert_int_eq(accept_and_close(&first, SILL_PAST), SILL_ETIMEDOUT);
    sill_listener_close(&first);
    place_remove(&place);
}

/* A live listener whose queue is full lives, too. */
SILL_CASE(L, 09, busy_unix_listener_is_left_alone, fd)
{
    struct place place = place_make();
    struct sill_listener listener;
    struct sill_stream client;
    int listening = bare_unix(place.path);

    ck_assert_int_eq(listen(listening, 0), 0);
    ck_assert_int_eq(
        sill_stream_connect(&client, &place.address, NULL, SILL_NEVER), 0);
    ck_assert_int_eq(sill_listener_listen(&listener, &place.address, NULL),
                     SILL_EADDRINUSE);
    ck_assert_int_eq(access(place.path, F_OK), 0);
    sill_stream_close(&client);
    close(listening);
    unlink(place.path);
    place_remove(&place);
}

/* What is not a socket was not left by a listener and is never removed. */
SILL_CASE(L, 09, other_files_are_left_alone, fd)
{
    struct place place = place_make();
    struct sill_listener listener;
    int fd = open(place.path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(sill_listener_listen(&listener, &place.address, NULL),
                     SILL_EADDRINUSE);
    ck_assert_int_eq(unlink(place.path), 0);
    close(fd);
    place_remove(&place);
}

/* address.h: "unix:@abstract": no file, and the name is free after close. */
SILL_CASE(L, 09, abstract_names_work)
{
    char text[64];
    struct sill_address address;
    struct sill_listener listener, second;

    snprintf(text, sizeof(text), "@sill-conformance-%ld", (long)getpid());
    ck_assert_int_eq(sill_address_unix(&address, text), 0);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(sill_listener_listen(&listener, &address, NULL), 0);
        ck_assert_int_eq(sill_listener_listen(&second, &address, NULL),
                         SILL_EADDRINUSE);
        check_serves(&listener, &address);
        sill_listener_close(&listener);
    }
    check_connect(&address, SILL_NEVER, SILL_ECONNREFUSED);
}

/* L-06 and L-09: a Unix-domain connect waits for a full queue, as TCP does. */
SILL_CASE(L, 09, connect_waits_for_a_full_unix_queue)
{
    struct place place = place_make();
    struct sill_socket_options options = {.backlog = 1};
    struct sill_listener listener;
    struct sill_task *tasks[6];

    ck_assert_int_eq(sill_listener_listen(&listener, &place.address, &options),
                     0);
    for (int i = 0; i < 6; i++)
        tasks[i] = suite_spawn(connect_it, &place.address);
    suite_yield(10);
    sill_time deadline = sill_after(20 * SILL_MILLISECOND);
    check_connect(&place.address, deadline, SILL_ETIMEDOUT);
    ck_assert_int_ge(sill_now(), deadline);
    for (int i = 0; i < 6; i++)
        ck_assert_int_eq(accept_and_close(&listener, SILL_NEVER), 0);
    for (int i = 0; i < 6; i++)
        ck_assert_int_eq(suite_await(tasks[i]), 0);
    sill_listener_close(&listener);
    place_remove(&place);
}

/* ---- L-10: what descriptors are like ---- */

enum { NUMBERS = 256 };

static void mark_open(bool open_now[NUMBERS])
{
    for (int fd = 0; fd < NUMBERS; fd++)
        open_now[fd] = fcntl(fd, F_GETFD) >= 0;
}

static void check_flags(const bool before[NUMBERS], int bare)
{
    int seen = 0;

    for (int fd = 0; fd < NUMBERS; fd++) {
        struct stat stat;
        if (before[fd] || fd == bare || fcntl(fd, F_GETFD) < 0)
            continue;
        suite_note("descriptor %d", fd);
        ck_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        ck_assert_int_eq(fstat(fd, &stat), 0);
        if (S_ISSOCK(stat.st_mode)) {
            ck_assert(fcntl(fd, F_GETFL) & O_NONBLOCK);
            seen++;
        }
    }
    ck_assert_int_ge(seen, 9);
}

static bool open_before[NUMBERS];

/* A listener of each family, both ends of a connection to each, a datagram
 * socket, one end that was adopted, and what the loop itself needs. */
static int open_one_of_each(void *arg)
{
    struct place place = place_make();
    struct sill_address address = suite_loopback(0);
    struct meeting tcp, local;
    struct sill_datagram datagram, named;
    struct sill_stream adopted;
    int fds[2];

    (void)arg;
    meet(&tcp, "127.0.0.1");
    ck_assert_int_eq(
        sill_listener_listen(&local.listener, &place.address, NULL), 0);
    ck_assert_int_eq(
        sill_stream_connect(&local.client, &place.address, NULL, SILL_NEVER),
        0);
    ck_assert_int_eq(
        sill_listener_accept(&local.listener, &local.server, SILL_NEVER), 0);
    ck_assert_int_eq(sill_datagram_open(&datagram, &address, NULL), 0);
    snprintf(place.path, sizeof(place.path), "%s/d", place.folder);
    ck_assert_int_eq(sill_address_unix(&place.address, place.path), 0);
    ck_assert_int_eq(sill_datagram_open(&named, &place.address, NULL), 0);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    ck_assert_int_eq(sill_stream_adopt(&adopted, fds[0]), 0);
    check_flags(open_before, fds[1]);
    sill_stream_close(&adopted);
    close(fds[1]);
    sill_datagram_close(&datagram);
    sill_datagram_close(&named);
    part(&tcp);
    part(&local);
    place_remove(&place);
    return 0;
}

/* L-10: accepted and created descriptors are close-on-exec and non-blocking. */
SILL_CASE_OUTSIDE(L, 10, descriptors_are_close_on_exec_and_non_blocking, fd)
{
    mark_open(open_before);
    ck_assert_int_eq(sill_run(open_one_of_each, NULL), 0);
}

/* ---- L-11: fairness ---- */

enum { CLIENTS = 2000, LATE = 100, BUSY = CLIENTS - LATE, MOST_TURNS = 150 };

static struct {
    struct sill_listener listener;
    struct sill_address address;
    struct sill_scope served;
    long turns[BUSY]; /* how often each busy client was answered */
    int busy;         /* how many there are */
    bool stop;
} crowd;

static int serve(void *arg)
{
    struct sill_stream stream = *(struct sill_stream *)arg;
    char bytes[16];
    ssize_t n;

    free(arg);
    while ((n = sill_stream_read(&stream, bytes, sizeof(bytes), SILL_NEVER)) >
           0)
        if (sill_stream_write_all(&stream, bytes, (size_t)n, NULL, SILL_NEVER))
            break;
    sill_stream_close(&stream);
    return 0;
}

static int accept_all(void *arg)
{
    (void)arg;
    for (;;) {
        struct sill_stream *stream = malloc(sizeof(*stream));
        int rc = sill_listener_accept(&crowd.listener, stream, SILL_NEVER);
        if (rc == 0)
            rc = sill_scope_spawn(&crowd.served, serve, stream);
        if (rc) {
            free(stream);
            return rc == SILL_ECLOSED ? 0 : rc;
        }
    }
}

/* Asks and is answered, once. */
static int take_turn(struct sill_stream *stream)
{
    char byte = 'x';

    if (sill_stream_write(stream, &byte, 1, SILL_NEVER) != 1)
        return SILL_EPROTO;
    return sill_stream_read(stream, &byte, 1, SILL_NEVER) == 1 ? 0
                                                               : SILL_EPROTO;
}

static int keep_busy(void *arg)
{
    long *turns = arg;
    struct sill_stream stream;
    int rc = sill_stream_connect(&stream, &crowd.address, NULL, SILL_NEVER);

    if (rc)
        return rc;
    while (!crowd.stop && rc == 0) {
        rc = take_turn(&stream);
        ++*turns;
    }
    sill_stream_close(&stream);
    return rc;
}

static long most_turns(void)
{
    long most = 0;

    for (int i = 0; i < crowd.busy; i++)
        most = crowd.turns[i] > most ? crowd.turns[i] : most;
    return most;
}

static long least_turns(void)
{
    long least = crowd.turns[0];

    for (int i = 0; i < crowd.busy; i++)
        least = crowd.turns[i] < least ? crowd.turns[i] : least;
    return least;
}

/* One that comes late: returns how many turns the busiest had until it was
 * connected, accepted and answered. */
static int come_late(void *arg)
{
    struct sill_stream stream;
    long before = most_turns();
    int rc = sill_stream_connect(&stream, &crowd.address, NULL, SILL_NEVER);

    (void)arg;
    if (rc)
        return rc;
    rc = take_turn(&stream);
    sill_stream_close(&stream);
    return rc ? rc : (int)(most_turns() - before);
}

/* Adds busy clients until there are (count), no more at a time than a listener
 * holds ready, and waits until each was answered. */
static void make_busy(struct sill_task *tasks[], int count)
{
    while (crowd.busy < count) {
        int more = count - crowd.busy < 500 ? count - crowd.busy : 500;

        for (int i = 0; i < more; i++, crowd.busy++)
            tasks[crowd.busy] =
                suite_spawn(keep_busy, &crowd.turns[crowd.busy]);
        while (least_turns() < 1)
            suite_yield(1);
    }
}

/*
 * L-11: accept is fair: of 2 000 clients those that keep the server busy fall
 * not behind each other, and late ones are accepted and answered within a
 * bounded number of turns of the others.
 */
SILL_CASE(L, 11, late_clients_are_served_among_busy_ones)
{
    static struct sill_task *busy[BUSY], *late[LATE];
    int room = most_connections() - LATE;
    int count = suite_crowd(room < BUSY ? room : BUSY);
    int worst = 0, failed = 0;

    suite_listen(&crowd.listener, &crowd.address);
    sill_scope_init(&crowd.served, SILL_SCOPE_COLLECT);
    struct sill_task *server = suite_spawn(accept_all, NULL);
    make_busy(busy, count);
    while (least_turns() < 3)
        suite_yield(1);
    for (int i = 0; i < LATE; i++)
        late[i] = suite_spawn(come_late, NULL);
    for (int i = 0; i < LATE; i++) {
        int turns = suite_await(late[i]);
        failed += turns < 0;
        worst = turns > worst ? turns : worst;
    }
    ck_assert_int_eq(failed, 0);
    suite_note("worst %d, spread %ld", worst, most_turns() - least_turns());
    ck_assert_int_le(worst, MOST_TURNS);
    ck_assert_int_le(most_turns() - least_turns(), MOST_TURNS);
    crowd.stop = true;
    for (int i = 0; i < count; i++)
        failed += suite_await(busy[i]) != 0;
    ck_assert_int_eq(failed, 0);
    sill_listener_close(&crowd.listener);
    ck_assert_int_eq(suite_await(server), 0);
    ck_assert_int_eq(sill_scope_drain(&crowd.served, SILL_NEVER, SILL_NEVER),
                     0);
    sill_scope_fini(&crowd.served);
}
