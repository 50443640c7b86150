/* SPDX-License-Identifier: MIT */
/*
 * server_bad_test.c: what the server does on bad days: clients that lie, stop
 * or vanish, memory and descriptors that run out, and the end of the service
 * at any moment.
 */
#include "server_kit.h"

#include <netinet/in.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"

static struct sill_trigger go, arrived;
static ssize_t seen[2]; /* what the body's reader returned last, and then */

static char huge[16 << 20];

static int answer(void *arg, struct sill_http_exchange *x)
{
    const struct sill_http_head *request = sill_http_request(x);
    char piece[300];
    ssize_t got;
    int *count = arg;

    if (count != NULL)
        ++*count;
    if (sill_http_view_is_equal(request->path, SILL_HTTP_VIEW("/wait"))) {
        sill_resume(&arrived, 0);
        int rc = sill_suspend(&go, SILL_NEVER);
        return rc != 0
                   ? rc
                   : sill_http_response_send(x, 200, "waited", 6, SILL_NEVER);
    }
    if (sill_http_view_is_equal(request->path, SILL_HTTP_VIEW("/endless"))) {
        int rc = sill_http_response_begin(x, 200, SILL_HTTP_NO_LENGTH);
        memset(piece, 'x', sizeof(piece));
        while (rc == 0)
            rc = sill_http_response_write(x, piece, sizeof(piece), SILL_NEVER);
        return rc;
    }
    if (sill_http_view_is_equal(request->path, SILL_HTTP_VIEW("/huge")))
        return sill_http_response_send(x, 200, huge, sizeof(huge), SILL_NEVER);
    if (sill_http_view_is_equal(request->path, SILL_HTTP_VIEW("/ignore")))
        return sill_http_response_send(x, 200, "ignored", 7, SILL_NEVER);
    if (sill_http_view_is_equal(request->path, SILL_HTTP_VIEW("/own"))) {
        got = sill_http_request_read(x, piece, sizeof(piece), SILL_PAST);
        return sill_http_response_send(x, got == SILL_ETIMEDOUT ? 200 : 599, "",
                                       0, SILL_NEVER);
    }
    do {
        got = sill_http_request_read(x, piece, sizeof(piece), SILL_NEVER);
    } while (got > 0);
    seen[0] = got;
    seen[1] = sill_http_request_read(x, piece, sizeof(piece), SILL_NEVER);
    if (got < 0)
        return (int)got;
    return sill_http_response_send(x, 200, "hello", 5, SILL_NEVER);
}

#define H "Host: x\r\n"

/* What must never be taken for a request, or for two. */
static const struct {
    const char *text;
    int status;
} corpus[] = {
    {"nonsense\r\n\r\n", 400},
    {"GET /\r\n\r\n", 400},
    {"GET  / HTTP/1.1\r\n" H "\r\n", 400},
    {"GET / HTTP/1.1 \r\n" H "\r\n", 400},
    {"GET / http/1.1\r\n" H "\r\n", 400},
    {" GET / HTTP/1.1\r\n" H "\r\n", 400},
    {"G\x01T / HTTP/1.1\r\n" H "\r\n", 400},
    {"GET /\x7f HTTP/1.1\r\n" H "\r\n", 400},
    {"GET / HTTP/2.0\r\n" H "\r\n", 505},
    {"GET / HTTP/1.1\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" H H "\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" H "A\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" H "A b: c\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" H ": c\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" H "A: b\x01\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" H "A: b\r c\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" H "A: b\n\r\n", 400},
    {"GET / HTTP/1.1\n" H "\n", 400},
    {"GET / HTTP/1.1\r\n" H "A: b\r\n c\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n A: b\r\n" H "\r\n", 400},
    {"POST / HTTP/1.1\r\n" H "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
     400},
    {"POST / HTTP/1.1\r\n" H "Content-Length: 1\r\nContent-Length: 1\r\n\r\na",
     400},
    {"POST / HTTP/1.1\r\n" H "Content-Length: 1, 1\r\n\r\na", 400},
    {"POST / HTTP/1.1\r\n" H "Content-Length: +1\r\n\r\na", 400},
    {"POST / HTTP/1.1\r\n" H "Content-Length: -1\r\n\r\na", 400},
    {"POST / HTTP/1.1\r\n" H "Content-Length: 0x1\r\n\r\na", 400},
    {"POST / HTTP/1.1\r\n" H "Content-Length: 1 2\r\n\r\na", 400},
    {"POST / HTTP/1.1\r\n" H "Content-Length:\r\n\r\n", 400},
    {"POST / HTTP/1.1\r\n" H "Content-Length: 99999999999999999999999\r\n\r\na",
     413},
    {"POST / HTTP/1.1\r\n" H
     "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     400},
    {"POST / HTTP/1.1\r\n" H
     "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
     400},
    {"POST / HTTP/1.1\r\n" H "Transfer-Encoding: gzip\r\n\r\n", 501},
    {"POST / HTTP/1.1\r\n" H "Transfer-Encoding: xchunked\r\n\r\n", 501},
    {"POST / HTTP/1.1\r\n" H
     "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
     400},
    {"POST / HTTP/1.1\r\n" H
     "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"
     "0\r\n\r\n",
     400},
    {"POST / HTTP/1.1\r\n" H
     "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
     -1},
    {"POST / HTTP/1.0\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     400},
    {"POST / HTTP/1.1\r\n" H "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
     400},
    {"POST / HTTP/1.1\r\n" H "Transfer-Encoding:\x0b"
     "chunked\r\n\r\n0\r\n\r\n",
     400},
    {"POST / HTTP/1.1\r\n" H "Expect: 200-ok\r\nContent-Length: 0\r\n\r\n",
     417},
    {"GET http:// HTTP/1.1\r\n" H "\r\n", 400},
    {"GET * HTTP/1.1\r\n" H "\r\n", 400},
    {"GET x HTTP/1.1\r\n" H "\r\n", 400},
};

#define CHUNKED "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"

/* Bodies that are wrong: the handler is called, and reads them. */
static const char *const bodies[] = {
    CHUNKED "x\r\n",
    CHUNKED "\r\n0\r\n\r\n",
    CHUNKED "-1\r\n",
    CHUNKED "0x1\r\na\r\n0\r\n\r\n",
    CHUNKED "1 \r\na\r\n0\r\n\r\n",
    CHUNKED " 1\r\na\r\n0\r\n\r\n",
    CHUNKED "1\na\r\n0\r\n\r\n",
    CHUNKED "1\r\nab\r\n0\r\n\r\n",
    CHUNKED "1\r\na\n0\r\n\r\n",
    CHUNKED "1\r\na0\r\n\r\n",
    CHUNKED "ffffffffffffffff1\r\n",
    CHUNKED "1;a\x01\r\na\r\n0\r\n\r\n",
    CHUNKED "0\r\nA b: c\r\n\r\n",
    CHUNKED "0\r\n A: c\r\n\r\n",
    CHUNKED "0\r\nA: c\n\r\n",
};

/* Answers with an error, once, and then the end. */
static void expect_end(const char *text, int status, const char *request)
{
    int found = status_of(text);
    bool is_right =
        found == status || (status == -1 && (found == 400 || found == 501));
    ck_assert_msg(is_right && count_of(text, "HTTP/1.1") == 1 &&
                      has_line(text, "Connection: close"),
                  "%s\ngave %s", request, text);
}

CASE(malformed_heads_are_refused_and_end_the_connection)
{
    int calls = 0;
    struct kit kit = {0};
    kit_start(&kit, answer, &calls);
    size_t count = sizeof(corpus) / sizeof(corpus[0]);
    for (size_t i = 0; i < count; i++) {
        char request[1024];
        snprintf(request, sizeof(request), "%s" GET("/smuggled"),
                 corpus[i].text);
        char *text = peer_ask(&kit, request);
        expect_end(text, corpus[i].status, corpus[i].text);
        free(text);
    }
    ck_assert_int_eq(calls, 0);
    ck_assert_uint_eq(kit.server.stats.rejected, count);
    return kit_stop(&kit);
}

CASE(nul_anywhere_in_a_head_is_refused)
{
    static const char request[] = GET("/abc");
    struct kit kit = {0};
    int calls = 0;
    kit_start(&kit, answer, &calls);
    for (size_t at = 0; at < sizeof(request) - 1; at++) {
        struct peer peer;
        char bytes[sizeof(request)];
        memcpy(bytes, request, sizeof(bytes));
        bytes[at] = '\0';
        peer_open(&peer, &kit);
        peer_send(&peer, bytes, sizeof(bytes) - 1);
        ck_assert_int_eq(sill_stream_shutdown(&peer.stream, kit_soon()), 0);
        peer_read_end(&peer);
        expect_end(peer.text, 400, "NUL");
        peer_close(&peer);
    }
    ck_assert_int_eq(calls, 0);
    return kit_stop(&kit);
}

CASE(malformed_bodies_are_refused_and_end_the_connection)
{
    struct kit kit = {0};
    kit_start(&kit, answer, NULL);
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        char request[1024];
        snprintf(request, sizeof(request), "%s" GET("/smuggled"), bodies[i]);
        char *text = peer_ask(&kit, request);
        expect_end(text, 400, bodies[i]);
        free(text);
    }
    ck_assert_uint_eq(kit.server.stats.failed, 0);
    return kit_stop(&kit);
}

CASE(malformed_body_that_nobody_reads_ends_the_connection)
{
    struct kit kit = {0};
    kit_start(&kit, answer, NULL);
    char *text = peer_ask(&kit, "POST /ignore HTTP/1.1\r\n" H
                                "Transfer-Encoding: chunked\r\n\r\n"
                                "x\r\n" GET("/smuggled"));
    ck_assert_int_eq(status_of(text), 200);
    ck_assert_int_eq(count_of(text, "HTTP/1.1"), 1);
    free(text);
    return kit_stop(&kit);
}

/* Or the next request would be lost with the connection. */
CASE(long_body_that_nobody_reads_ends_the_connection_as_announced)
{
    static const struct {
        const char *length;
        bool closes;
    } announced[] = {{"65536", false}, {"65537", true}};
    struct kit kit = {0};
    kit_start(&kit, answer, NULL);
    for (size_t i = 0; i < 2; i++) {
        struct peer peer;
        peer_open(&peer, &kit);
        peer_say(&peer, "POST /ignore HTTP/1.1\r\n" H "Content-Length: ");
        peer_say(&peer, announced[i].length);
        peer_say(&peer, "\r\n\r\n");
        peer_read_until(&peer, "ignored", 1);
        ck_assert_int_eq(has_line(peer.text, "Connection: close"),
                         announced[i].closes);
        peer_close(&peer);
    }
    return kit_stop(&kit);
}

CASE(bounds_have_their_statuses)
{
    struct kit kit = {.server = {.limits = {.line = 100,
                                            .headers = 4,
                                            .header_bytes = 200,
                                            .chunk_line = 20,
                                            .trailer_bytes = 50,
                                            .body = 10}}};
    char line[200], header[300], trailer[200];
    memset(line, 'a', sizeof(line));
    memset(header, 'a', sizeof(header));
    memset(trailer, 'a', sizeof(trailer));
    line[sizeof(line) - 1] = header[sizeof(header) - 1] =
        trailer[sizeof(trailer) - 1] = '\0';
    char long_line[512], long_header[512], long_trailer[512];
    sprintf(long_line, "GET /%s HTTP/1.1\r\n" H "\r\n", line);
    sprintf(long_header, "GET / HTTP/1.1\r\n" H "A: %s\r\n\r\n", header);
    sprintf(long_trailer, CHUNKED "0\r\nA: %s\r\n\r\n", trailer);

    const struct {
        const char *request;
        int status;
    } cases[] = {
        {GET("/"), 200},
        {long_line, 414},
        {long_header, 431},
        {"GET / HTTP/1.1\r\n" H "A:1\r\nB:1\r\nC:1\r\nD:1\r\n\r\n", 431},
        {"POST / HTTP/1.1\r\n" H "Content-Length: 10\r\n\r\n0123456789", 200},
        {"POST / HTTP/1.1\r\n" H "Content-Length: 11\r\n\r\n01234567890", 413},
        {CHUNKED "5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n", 200},
        {CHUNKED "5\r\n01234\r\n6\r\n567890\r\n0\r\n\r\n", 413},
        {CHUNKED "5;aaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n01234\r\n0\r\n\r\n", 400},
        {long_trailer, 431},
    };

    kit_start(&kit, answer, NULL);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct peer peer;
        peer_open(&peer, &kit);
        peer_say(&peer, cases[i].request);
        ck_assert_int_eq(sill_stream_shutdown(&peer.stream, kit_soon()), 0);
        peer_read_end(&peer);
        ck_assert_msg(status_of(peer.text) == cases[i].status, "%s\ngave %s",
                      cases[i].request, peer.text);
        peer_close(&peer);
    }
    return kit_stop(&kit);
}

CASE(refused_client_that_goes_on_sending_can_read_the_answer)
{
    struct kit kit = {.server = {.limits = {.body = 10}}};
    struct peer peer;
    char junk[4096];
    memset(junk, 'x', sizeof(junk));
    kit_start(&kit, answer, NULL);
    peer_open(&peer, &kit);
    peer_say(&peer, "POST / HTTP/1.1\r\n" H "Content-Length: 100000\r\n\r\n");
    for (int i = 0; i < 24; i++) {
        peer_send(&peer, junk, sizeof(junk));
        sill_yield();
    }
    ck_assert_int_eq(sill_stream_shutdown(&peer.stream, kit_soon()), 0);
    ssize_t got;
    while ((got = peer_read(&peer)) > 0)
        continue;
    ck_assert_int_eq((int)got, 0);
    expect_end(peer.text, 413, "413");
    peer_close(&peer);
    return kit_stop(&kit);
}

#define SHORT (50 * SILL_MILLISECOND)

CASE(failed_reader_says_why_and_says_it_again)
{
    static const struct {
        const char *request;
        int error, status;
    } cases[] = {
        {"POST / HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nab", SILL_EOF, 400},
        {CHUNKED "5\r\nab", SILL_EOF, 400},
        {CHUNKED "5\r\nabcde\r\n0\r\nA: b\r\n", SILL_EOF, 400},
        {CHUNKED "x\r\n", SILL_EPROTO, 400},
        {CHUNKED "0\r\nA b: c\r\n\r\n", SILL_EPROTO, 400},
        {CHUNKED "b\r\n01234567890\r\n0\r\n\r\n", SILL_EMSGSIZE, 413},
    };
    struct kit kit = {.server = {.limits = {.body = 10}}};
    kit_start(&kit, answer, NULL);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct peer peer;
        peer_open(&peer, &kit);
        peer_say(&peer, cases[i].request);
        ck_assert_int_eq(sill_stream_shutdown(&peer.stream, kit_soon()), 0);
        peer_read_end(&peer);
        expect_end(peer.text, cases[i].status, cases[i].request);
        ck_assert_int_eq((int)seen[0], cases[i].error);
        ck_assert_int_eq((int)seen[1], cases[i].error);
        peer_close(&peer);
    }
    ck_assert_uint_eq(kit.server.stats.failed, 0);
    return kit_stop(&kit);
}

CASE(slow_head_is_given_up_with_408)
{
    struct kit kit = {.server = {.head_timeout = SHORT}};
    struct peer peer;
    kit_start(&kit, answer, NULL);
    peer_open(&peer, &kit);
    sill_time begin = sill_now();
    peer_say(&peer, GET("/") "GET / HT");
    peer_read_end(&peer);
    ck_assert(sill_now() - begin >= SHORT);
    ck_assert_int_eq(count_of(peer.text, "HTTP/1.1 200 OK"), 1);
    ck_assert_int_eq(count_of(peer.text, "HTTP/1.1 408 Request Timeout"), 1);
    ck_assert_int_eq(count_of(peer.text, "Connection: close"), 1);
    ck_assert_uint_eq(kit.server.stats.late, 1);
    peer_close(&peer);
    return kit_stop(&kit);
}

CASE(drops_do_not_keep_a_slow_head_alive)
{
    struct kit kit = {.server = {.head_timeout = SHORT}};
    struct peer peer;
    kit_start(&kit, answer, NULL);
    peer_open(&peer, &kit);
    peer_say(&peer, "GET / HTTP/1.1\r\n");
    int sent = 0;
    while (kit.server.stats.late == 0 && sent++ < 100) {
        ck_assert_int_eq(sill_sleep(sill_after(5 * SILL_MILLISECOND)), 0);
        if (kit.server.stats.late == 0)
            peer_say(&peer, "A: b\r\n");
    }
    ck_assert_int_lt(sent, 20);
    peer_read_end(&peer);
    ck_assert_int_eq(status_of(peer.text), 408);
    peer_close(&peer);
    return kit_stop(&kit);
}

CASE(slow_body_is_given_up_with_408)
{
    struct kit kit = {.server = {.body_timeout = SHORT}};
    struct peer peer;
    kit_start(&kit, answer, NULL);
    peer_open(&peer, &kit);
    peer_say(&peer, "POST / HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nab");
    peer_read_end(&peer);
    expect_end(peer.text, 408, "slow body");
    ck_assert_uint_eq(kit.server.stats.late, 1);
    ck_assert_uint_eq(kit.server.stats.failed, 0);
    peer_close(&peer);
    return kit_stop(&kit);
}

CASE(body_that_flows_earns_more_time)
{
    struct kit kit = {.server = {.body_timeout = SHORT, .body_rate = 1}};
    struct peer peer;
    kit_start(&kit, answer, NULL);
    peer_open(&peer, &kit);
    peer_say(&peer, "POST / HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\n");
    while (kit.server.stats.requests == 0)
        sill_yield();
    peer_say(&peer, "ab");
    ck_assert_int_eq(sill_sleep(sill_after(2 * SHORT)), 0);
    peer_say(&peer, "cde");
    peer_read_until(&peer, "hello", 1);
    ck_assert_int_eq(status_of(peer.text), 200);
    peer_close(&peer);
    return kit_stop(&kit);
}

CASE(body_may_have_all_the_time_there_is)
{
    struct kit kit = {.server = {.body_timeout = SILL_NEVER, .body_rate = 1}};
    struct peer peer;
    kit_start(&kit, answer, NULL);
    peer_open(&peer, &kit);
    peer_say(&peer, "POST / HTTP/1.1\r\n" H "Content-Length: 100000\r\n\r\n");
    peer_send(&peer, huge, 100000);
    peer_read_until(&peer, "hello", 1);
    ck_assert_int_eq(status_of(peer.text), 200);
    peer_close(&peer);
    return kit_stop(&kit);
}

CASE(chunk_extensions_earn_no_time)
{
    struct kit kit = {.server = {.body_timeout = SHORT, .body_rate = 1}};
    struct peer peer;
    kit_start(&kit, answer, NULL);
    peer_open(&peer, &kit);
    peer_say(&peer, CHUNKED);
    while (kit.server.stats.requests == 0)
        sill_yield();
    peer_say(&peer, "1;extension=of-many-bytes");
    peer_read_until(&peer, "\r\n\r\n", 1);
    ck_assert_int_eq(status_of(peer.text), 408);
    peer_close(&peer);
    return kit_stop(&kit);
}

/* Asks with (count) chunks, each with 100 bytes of extensions. */
static int ask_in_chunks(const struct kit *kit, int count)
{
    char *request = malloc(512 + (size_t)count * 128), *at = request;
    at += sprintf(at, "%s", CHUNKED);
    for (int i = 0; i < count; i++)
        at += sprintf(at, "1;%0100d\r\nx\r\n", i);
    sprintf(at, "0\r\n\r\n");
    struct peer peer;
    peer_open(&peer, kit);
    peer_say(&peer, request);
    peer_read_until(&peer, "\r\n\r\n", 1);
    int status = status_of(peer.text);
    peer_close(&peer);
    free(request);
    return status;
}

CASE(chunk_extensions_are_bounded_in_all)
{
    struct kit kit = {0};
    kit_start(&kit, answer, NULL);
    ck_assert_int_eq(ask_in_chunks(&kit, 160), 200);
    ck_assert_int_eq(ask_in_chunks(&kit, 170), 400);
    return kit_stop(&kit);
}

CASE(deadline_of_the_handler_is_its_own_affair)
{
    struct kit kit = {0};
    struct peer peer;
    kit_start(&kit, answer, NULL);
    peer_open(&peer, &kit);
    peer_say(&peer, "POST /own HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\n");
    peer_read_until(&peer, "\r\n\r\n", 1);
    ck_assert_int_eq(status_of(peer.text), 200);
    peer_say(&peer, "abcde" GET("/"));
    peer_read_until(&peer, "hello", 1);
    peer_close(&peer);
    return kit_stop(&kit);
}

CASE(idle_connection_is_closed_without_a_word)
{
    struct kit kit = {.server = {.idle_timeout = SHORT}};
    struct peer used, fresh;
    kit_start(&kit, answer, NULL);
    peer_open(&fresh, &kit);
    peer_open(&used, &kit);
    peer_say(&used, GET("/"));
    peer_read_until(&used, "hello", 1);
    peer_forget(&used);
    sill_time begin = sill_now();
    peer_read_end(&used);
    ck_assert(sill_now() - begin >= SHORT / 2);
    peer_read_end(&fresh);
    ck_assert_uint_eq(used.size, 0);
    ck_assert_uint_eq(fresh.size, 0);
    peer_close(&used);
    peer_close(&fresh);
    return kit_stop(&kit);
}

CASE(client_that_does_not_read_is_given_up)
{
    struct kit kit = {.server = {.write_timeout = SHORT}};
    struct peer peer;
    kit_start(&kit, answer, NULL);
    peer_open(&peer, &kit);
    peer_say(&peer, GET("/endless"));
    sill_time limit = kit_soon();
    while (kit.server.stats.late == 0 && sill_now() < limit)
        ck_assert_int_eq(sill_sleep(sill_after(5 * SILL_MILLISECOND)), 0);
    ck_assert_uint_eq(kit.server.stats.late, 1);
    peer_close(&peer);
    return kit_stop(&kit);
}

/* Each piece of the answer leaves in time; 64 KiB of them do not. */
CASE(client_that_reads_too_slowly_is_given_up)
{
    struct kit kit = {.server = {.write_timeout = 4 * SHORT},
                      .options = {.send_buffer = 4096}};
    struct sill_socket_options options = {.receive_buffer = 4096};
    struct sill_stream stream;
    char piece[4096];
    kit_start(&kit, answer, NULL);
    ck_assert_int_eq(
        sill_stream_connect(&stream, &kit.address, &options, kit_soon()), 0);
    ck_assert_int_eq(sill_stream_write_all(&stream, GET("/endless"),
                                           sizeof(GET("/endless")) - 1, NULL,
                                           kit_soon()),
                     0);
    sill_time limit = kit_soon();
    while (kit.server.stats.late == 0 && sill_now() < limit) {
        ck_assert_int_eq(sill_sleep(sill_after(SHORT / 2)), 0);
        (void)!sill_stream_read(&stream, piece, sizeof(piece), SILL_PAST);
    }
    ck_assert_uint_eq(kit.server.stats.late, 1);
    sill_stream_close(&stream);
    return kit_stop(&kit);
}

static uint64_t logged;

static void note(void *arg, const struct sill_http_record *record)
{
    (void)arg;
    logged = record->sent;
}

CASE(log_counts_only_what_was_sent)
{
    struct kit kit = {.server = {.write_timeout = SHORT, .log = note},
                      .options = {.send_buffer = 65536}};
    struct peer peer;
    kit_start(&kit, answer, NULL);
    peer_open(&peer, &kit);
    peer_say(&peer, GET("/huge"));
    sill_time limit = kit_soon();
    while (logged == 0 && sill_now() < limit)
        ck_assert_int_eq(sill_sleep(sill_after(5 * SILL_MILLISECOND)), 0);
    peer_read_end(&peer);
    ck_assert_uint_eq(logged,
                      peer.size - (size_t)(body_of(peer.text) - peer.text));
    ck_assert_uint_lt(logged, sizeof(huge));
    peer_close(&peer);
    return kit_stop(&kit);
}

static const char tale[] =
    GET("/") "POST / HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc" CHUNKED
             "3\r\nabc\r\n0\r\nA: b\r\n\r\n" GET("/ignore");

/* A socket that resets its connection when it is closed. */
static int open_harsh(const struct kit *kit)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    struct linger harsh = {1, 0};
    address.sin_port = htons(kit->address.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)),
                     0);
    ck_assert_int_eq(
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &harsh, sizeof(harsh)), 0);
    return fd;
}

static void ask_bystander(struct peer *peer)
{
    peer_forget(peer);
    peer_say(peer, GET("/"));
    peer_read_until(peer, "hello", 1);
}

/* Lets the server see the end of every connection but (count). */
static void settle(struct kit *kit, size_t count)
{
    sill_time limit = kit_soon();
    while (kit->server.stats.open != count && sill_now() < limit)
        sill_yield();
    ck_assert_uint_eq(kit->server.stats.open, count);
}

/* Waits until no more than (count) blocks are open: some loops free what
 * belonged to a descriptor a round later. */
static void settle_blocks(long count)
{
    sill_time limit = kit_soon();
    while (blocks_open() > count && sill_now() < limit)
        sill_yield();
    ck_assert_int_le((int)blocks_open(), (int)count);
}

CASE(client_may_vanish_at_every_byte)
{
    struct kit kit = {0};
    struct peer bystander, peer;
    kit_start(&kit, answer, NULL);
    peer_open(&bystander, &kit);
    ask_bystander(&bystander);
    int before = descriptors();
    for (size_t size = 0; size < sizeof(tale); size++) {
        peer_open(&peer, &kit);
        peer_send(&peer, tale, size);
        if (size % 2 == 0)
            sill_yield();
        peer_close(&peer);
        ask_bystander(&bystander);
    }
    settle(&kit, 1);
    ck_assert_int_eq(descriptors(), before);
    ck_assert_uint_eq(kit.server.stats.failed, 0);
    peer_close(&bystander);
    return kit_stop(&kit);
}

CASE(client_may_reset_at_every_byte)
{
    struct kit kit = {0};
    struct peer bystander;
    kit_start(&kit, answer, NULL);
    peer_open(&bystander, &kit);
    ask_bystander(&bystander);
    int before = descriptors();
    for (size_t size = 0; size < sizeof(tale); size++) {
        int fd = open_harsh(&kit);
        ck_assert_int_eq((int)send(fd, tale, size, MSG_NOSIGNAL), (int)size);
        for (size_t i = 0; i < size % 4; i++)
            sill_yield();
        close(fd);
        ask_bystander(&bystander);
    }
    settle(&kit, 1);
    ck_assert_int_eq(descriptors(), before);
    ck_assert_uint_eq(kit.server.stats.failed, 0);
    peer_close(&bystander);
    return kit_stop(&kit);
}

CASE(client_may_reset_while_it_is_answered)
{
    struct kit kit = {0};
    kit_start(&kit, answer, NULL);
    for (int rounds = 0; rounds < 50; rounds++) {
        int fd = open_harsh(&kit);
        ck_assert_int_gt((int)send(fd, GET("/endless"), 32, MSG_NOSIGNAL), 0);
        for (int i = 0; i < rounds; i++)
            sill_yield();
        close(fd);
    }
    settle(&kit, 0);
    return kit_stop(&kit);
}

/* Lets a client ask (request) and go, with a reset, while its handler is in the
 * middle of it. */
static void visit_harshly(struct kit *kit, const char *request)
{
    sill_trigger_init(&arrived, NULL, NULL);
    sill_trigger_init(&go, NULL, NULL);
    int fd = open_harsh(kit);
    ck_assert_int_eq((int)send(fd, request, strlen(request), MSG_NOSIGNAL),
                     (int)strlen(request));
    ck_assert_int_eq(sill_suspend(&arrived, kit_soon()), 0);
    close(fd);
    sill_resume(&go, 0);
    settle(kit, 0);
}

static int first_write, second_write, flushed, read_after;

static int write_in_vain(void *unused, struct sill_http_exchange *x)
{
    (void)unused;
    int rc = sill_http_response_begin(x, 200, SILL_HTTP_NO_LENGTH);
    sill_resume(&arrived, 0);
    if (rc == 0)
        rc = sill_suspend(&go, SILL_NEVER);
    first_write = sill_http_response_write(x, huge, sizeof(huge), SILL_NEVER);
    second_write = sill_http_response_write(x, huge, 1, SILL_NEVER);
    flushed = sill_http_response_flush(x, SILL_NEVER);
    read_after = (int)sill_http_request_read(x, &(char){0}, 1, SILL_NEVER);
    return rc == 0 ? first_write : rc;
}

CASE(failed_writer_says_why_and_says_it_again)
{
    struct kit kit = {0};
    kit_start(&kit, write_in_vain, NULL);
    visit_harshly(&kit, "POST / HTTP/1.1\r\n" H "Content-Length: 9\r\n\r\n");
    ck_assert(first_write == SILL_ECONNRESET || first_write == SILL_EPIPE);
    ck_assert_int_eq(second_write, first_write);
    ck_assert_int_eq(flushed, first_write);
    ck_assert(read_after == SILL_ECONNRESET || read_after == first_write);
    return kit_stop(&kit);
}

static int read_in_vain(void *unused, struct sill_http_exchange *x)
{
    (void)unused;
    sill_resume(&arrived, 0);
    read_after = (int)sill_http_request_read(x, &(char){0}, 1, SILL_NEVER);
    first_write = sill_http_response_send(x, 200, "hi", 2, SILL_NEVER);
    flushed = sill_http_response_flush(x, SILL_NEVER);
    return first_write;
}

CASE(failed_reader_has_nobody_to_answer)
{
    struct kit kit = {0};
    kit_start(&kit, read_in_vain, NULL);
    visit_harshly(&kit, "POST / HTTP/1.1\r\n" H "Content-Length: 9\r\n\r\n");
    ck_assert_int_eq(read_after, SILL_ECONNRESET);
    ck_assert_int_eq(first_write, SILL_ECONNRESET);
    ck_assert_int_eq(flushed, SILL_ECONNRESET);
    return kit_stop(&kit);
}

static int answer_and_look(void *unused, struct sill_http_exchange *x)
{
    (void)unused;
    int rc = sill_http_response_send(x, 200, "hi", 2, SILL_NEVER);
    if (rc == 0)
        read_after = (int)sill_http_request_read(x, &(char){0}, 1, SILL_NEVER);
    return rc;
}

/* How long a chunk is shows only when it is read, after the answer's head. */
CASE(large_chunk_that_was_not_read_ends_the_connection)
{
    struct kit kit = {0};
    struct peer peer;
    kit_start(&kit, answer_and_look, NULL);
    peer_open(&peer, &kit);
    peer_say(&peer, CHUNKED "20000\r\n");
    peer_send(&peer, huge, 0x20000);
    peer_read_end(&peer);
    ck_assert_int_eq(read_after, 1);
    ck_assert_int_eq(status_of(peer.text), 200);
    ck_assert_str_eq(body_of(peer.text), "hi");
    ck_assert_uint_eq(kit.server.stats.requests, 1);
    peer_close(&peer);
    return kit_stop(&kit);
}

static int answer_and_stay(void *unused, struct sill_http_exchange *x)
{
    (void)unused;
    int rc = sill_http_response_send(x, 200, "hi", 2, SILL_NEVER);
    if (rc == 0)
        rc = sill_http_response_flush(x, SILL_NEVER);
    sill_resume(&arrived, 0);
    return rc == 0 ? sill_suspend(&go, SILL_NEVER) : rc;
}

/* There is nobody to linger for. */
CASE(client_may_reset_after_its_answer)
{
    struct kit kit = {0};
    kit_start(&kit, answer_and_stay, NULL);
    visit_harshly(&kit,
                  "POST / HTTP/1.1\r\n" H "Content-Length: 100000\r\n\r\nab");
    ck_assert_uint_eq(kit.server.stats.failed, 0);
    return kit_stop(&kit);
}

static int answer_with_little(void *unused, struct sill_http_exchange *x)
{
    (void)unused;
    if (sill_http_view_is_equal(sill_http_request(x)->path,
                                SILL_HTTP_VIEW("/wait"))) {
        sill_resume(&arrived, 0);
        int rc = sill_suspend(&go, SILL_NEVER);
        return rc == 0
                   ? sill_http_response_send(x, 200, huge, 16000, SILL_NEVER)
                   : rc;
    }
    return sill_http_response_send(x, 204, NULL, 0, SILL_NEVER);
}

/* What is gathered for nobody ends the connection when it is sent. */
CASE(client_may_reset_among_its_pipelined_requests)
{
    char requests[4096] = GET("/wait");

    enum { MORE = 40 };

    for (int i = 0; i < MORE; i++)
        strcat(requests, GET("/"));
    struct kit kit = {0};
    kit_start(&kit, answer_with_little, NULL);
    visit_harshly(&kit, requests);
    ck_assert_uint_ge(kit.server.stats.requests, 1);
    ck_assert_uint_lt(kit.server.stats.requests, 1 + MORE);
    return kit_stop(&kit);
}

CASE(more_connections_than_the_bound_wait)
{
    struct kit kit = {.server = {.connections_max = 2}};
    struct peer a, b, c;
    kit_start(&kit, answer, NULL);
    peer_open(&a, &kit);
    peer_open(&b, &kit);
    ask_bystander(&a);
    ask_bystander(&b);
    peer_open(&c, &kit);
    peer_say(&c, GET("/"));
    for (int i = 0; i < 100; i++)
        sill_yield();
    ck_assert_uint_eq(kit.server.stats.open, 2);
    ck_assert_uint_eq(kit.server.stats.connections, 2);
    peer_close(&a);
    peer_read_until(&c, "hello", 1);
    ck_assert_uint_eq(kit.server.stats.connections, 3);
    peer_close(&b);
    peer_close(&c);
    return kit_stop(&kit);
}

CASE(service_ends_while_connections_are_at_their_bound)
{
    struct kit kit = {.server = {.connections_max = 1}};
    struct peer a;
    kit_start(&kit, answer, NULL);
    peer_open(&a, &kit);
    ask_bystander(&a);
    int rc = kit_stop(&kit);
    peer_close(&a);
    return rc;
}

CASE(lack_of_descriptors_delays_and_ends_nothing)
{
    struct kit kit = {0};
    struct peer old, new;
    struct rlimit limit, tight;
    kit_start(&kit, answer, NULL);
    peer_open(&old, &kit);
    ask_bystander(&old);

    int held[2048], count = 0;
    getrlimit(RLIMIT_NOFILE, &limit);
    tight = limit;
    tight.rlim_cur = 256;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &tight), 0);
    while ((held[count] = dup(0)) >= 0)
        count++;
    ck_assert_int_gt(count, 0);
    close(held[--count]); /* one for the client, none for the server */
    peer_open(&new, &kit);
    peer_say(&new, GET("/"));
    sill_time end = sill_after(100 * SILL_MILLISECOND);
    while (sill_now() < end) {
        ask_bystander(&old);
        ck_assert_int_eq(sill_sleep(sill_after(5 * SILL_MILLISECOND)), 0);
    }
    ck_assert_uint_ge(kit.server.stats.exhausted, 1);
    ck_assert_uint_le(kit.server.stats.exhausted, 10);
    ck_assert_uint_eq(new.size, 0);
    while (count > 0)
        close(held[--count]);
    setrlimit(RLIMIT_NOFILE, &limit);
    peer_read_until(&new, "hello", 1);
    ask_bystander(&old);
    peer_close(&old);
    peer_close(&new);
    return kit_stop(&kit);
}

/* A client's whole visit; its failures do not matter. */
static int visit(void *arg)
{
    const struct kit *kit = arg;
    struct sill_stream stream;
    char text[4096];
    size_t size = 0;

    int rc = sill_stream_connect(&stream, &kit->address, NULL, kit_soon());
    if (rc != 0)
        return rc;
    rc = sill_stream_write_all(&stream, tale, sizeof(tale) - 1, NULL,
                               kit_soon());
    while (rc == 0) {
        ssize_t got = sill_stream_read(&stream, text + size,
                                       sizeof(text) - 1 - size, kit_soon());
        if (got <= 0)
            break;
        size += (size_t)got;
        text[size] = '\0';
        rc = strstr(text, "ignored") != NULL;
    }
    sill_stream_close(&stream);
    return rc;
}

CASE(any_allocation_may_fail)
{
    struct kit kit = {0};
    struct peer bystander;
    blocks_watch();
    kit_start(&kit, answer, NULL);
    peer_open(&bystander, &kit);
    ask_bystander(&bystander);
    free(bystander.text);
    bystander.text = NULL;
    settle(&kit, 1);
    long before = blocks_open();
    int n = 0;
    do {
        struct sill_task *task;
        int result = 0;
        blocks_fail(++n);
        int rc = sill_spawn(visit, &kit, &task);
        if (rc == 0)
            ck_assert_int_eq(sill_await(task, &result, kit_soon()), 0);
        bool was_failed = blocks_failed();
        blocks_fail(0);
        ck_assert(rc == 0 || was_failed);
        ck_assert_msg(was_failed || result == 1, "visit: %d", result);
        ask_bystander(&bystander);
        settle(&kit, 1);
        settle_blocks(before + 1); /* one for the next connection */
        if (!was_failed)
            break;
    } while (n < 1000);
    ck_assert_int_gt(n, 3);
    peer_close(&bystander);
    return kit_stop(&kit);
}

CASE(service_may_be_cancelled_at_any_step)
{
    blocks_watch();
    int before = descriptors();
    for (int steps = 0; steps < 60; steps++) {
        struct kit kit = {0};
        struct sill_task *visitors[3];
        long blocks = blocks_open();
        kit_start(&kit, answer, NULL);
        for (int i = 0; i < 3; i++)
            ck_assert_int_eq(sill_spawn(visit, &kit, &visitors[i]), 0);
        for (int i = 0; i < steps; i++)
            sill_yield();
        ck_assert_int_eq(sill_cancel(kit.task, kit_soon()), 0);
        ck_assert_uint_eq(kit.server.stats.open, 0);
        ck_assert_int_eq(sill_await_all(visitors, 3, NULL, kit_soon()), 0);
        settle_blocks(blocks);
    }
    ck_assert_int_eq(descriptors(), before);
    return 0;
}

CASE(service_may_be_cancelled_wherever_it_waits)
{
    static const char *const words[] = {
        "",         /* for a request */
        "GET / HT", /* for a head */
        "POST / HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\na", /* for a body */
        CHUNKED "0\r\nA: ",                                   /* for trailers */
        "POST / HTTP/1.1\r\n" H "Expect: 100-continue\r\n"
        "Content-Length: 5\r\n\r\n",
        GET("/endless"), /* for a client that reads */
        GET("/wait"),    /* in its handler */
        "nonsense\r\n",  /* for a client that leaves */
        "POST /ignore HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\na",
    };
    blocks_watch();
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        struct kit kit = {.server = {.connections_max = 1 + i % 2}};
        struct peer peer;
        long blocks = blocks_open();
        sill_trigger_init(&go, NULL, NULL);
        kit_start(&kit, answer, NULL);
        peer_open(&peer, &kit);
        peer_say(&peer, words[i]);
        for (int rounds = 0; rounds < 200; rounds++)
            sill_yield();
        ck_assert_uint_eq(kit.server.stats.open, 1);
        ck_assert_int_eq(sill_cancel(kit.task, kit_soon()), 0);
        ck_assert_int_eq(kit.result, SILL_ECANCELED);
        ck_assert_uint_eq(kit.server.stats.open, 0);
        ck_assert_uint_eq(kit.server.stats.failed, 0);
        peer_close(&peer);
        settle_blocks(blocks);
    }
    return 0;
}

CASE(service_may_be_stopped_at_any_step)
{
    blocks_watch();
    int before = descriptors();
    for (int steps = 0; steps < 60; steps++) {
        struct kit kit = {0};
        struct sill_task *visitors[3];
        long blocks = blocks_open();
        kit_start(&kit, answer, NULL);
        for (int i = 0; i < 3; i++)
            ck_assert_int_eq(sill_spawn(visit, &kit, &visitors[i]), 0);
        for (int i = 0; i < steps; i++)
            sill_yield();
        ck_assert_int_eq(kit_stop(&kit), 0);
        ck_assert_int_eq(sill_await_all(visitors, 3, NULL, kit_soon()), 0);
        settle_blocks(blocks);
    }
    ck_assert_int_eq(descriptors(), before);
    return 0;
}

CASE(drain_closes_the_idle_and_lets_the_busy_finish)
{
    struct kit kit = {0};
    struct peer idle, busy;
    struct sill_stream late;
    int result = -1;
    sill_trigger_init(&go, NULL, NULL);
    sill_trigger_init(&arrived, NULL, NULL);
    kit_start(&kit, answer, NULL);
    peer_open(&idle, &kit);
    ask_bystander(&idle);
    peer_forget(&idle);
    peer_open(&busy, &kit);
    peer_say(&busy, GET("/wait") GET("/"));
    ck_assert_int_eq(sill_suspend(&arrived, kit_soon()), 0);

    sill_resume(&kit.stop, 0);
    peer_read_end(&idle);
    ck_assert_uint_eq(idle.size, 0);
    ck_assert_int_eq(sill_stream_connect(&late, &kit.address, NULL, kit_soon()),
                     SILL_ECONNREFUSED);
    ck_assert_uint_eq(kit.server.stats.open, 1);
    ck_assert_int_eq(sill_await(kit.task, &result, SILL_PAST), SILL_ETIMEDOUT);

    sill_resume(&go, 0);
    peer_read_end(&busy);
    ck_assert_int_eq(count_of(busy.text, "HTTP/1.1"), 1);
    ck_assert(has_line(busy.text, "Connection: close"));
    ck_assert_str_eq(body_of(busy.text), "waited");
    peer_close(&idle);
    peer_close(&busy);
    return kit_stop(&kit);
}

/* Connects and asks without giving the server a chance to look. */
static int ask_at_once(const struct kit *kit)
{
    int fd = open_harsh(kit);
    ck_assert_int_eq((int)send(fd, GET("/"), sizeof(GET("/")) - 1, 0),
                     (int)sizeof(GET("/")) - 1);
    return fd;
}

CASE(drain_answers_what_has_arrived)
{
    struct kit kit = {0};
    struct peer idle, fresh;
    kit_start(&kit, answer, NULL);
    peer_open(&idle, &kit);
    ask_bystander(&idle);
    peer_forget(&idle);
    memset(&fresh, 0, sizeof(fresh));
    peer_forget(&fresh);

    int fd = ask_at_once(&kit);
    peer_say(&idle, GET("/"));
    sill_resume(&kit.stop, 0);
    ck_assert_int_eq(sill_stream_adopt(&fresh.stream, fd), 0);
    peer_read_until(&idle, "hello", 1);
    peer_read_until(&fresh, "hello", 1);
    ck_assert(has_line(idle.text, "Connection: close"));
    ck_assert(has_line(fresh.text, "Connection: close"));
    ck_assert_int_eq((int)peer_read(&idle), 0);
    ck_assert_int_eq((int)peer_read(&fresh), 0);
    peer_close(&idle);
    peer_close(&fresh);
    return kit_stop(&kit);
}

CASE(what_is_left_after_the_grace_is_cancelled)
{
    struct kit kit = {.server = {.grace = SHORT}};
    struct peer busy;
    sill_trigger_init(&go, NULL, NULL);
    sill_trigger_init(&arrived, NULL, NULL);
    kit_start(&kit, answer, NULL);
    peer_open(&busy, &kit);
    peer_say(&busy, GET("/wait"));
    ck_assert_int_eq(sill_suspend(&arrived, kit_soon()), 0);
    sill_time begin = sill_now();
    int rc = kit_stop(&kit);
    ck_assert(sill_now() - begin >= SHORT);
    peer_read_end(&busy);
    ck_assert_uint_eq(busy.size, 0);
    peer_close(&busy);
    return rc;
}

CASE(service_ends_at_its_deadline_and_can_begin_again)
{
    struct kit kit = {.server = {.handler = answer}};
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(sill_address_ip(&kit.address, "127.0.0.1", 0), 0);
        ck_assert_int_eq(
            sill_listener_listen(&kit.listener, &kit.address, NULL), 0);
        sill_time limit = sill_after(SHORT);
        ck_assert_int_eq(sill_http_serve(&kit.server, &kit.listener, limit), 0);
        ck_assert(sill_now() >= limit);
        ck_assert_int_eq(sill_listener_local(&kit.listener, &kit.address),
                         SILL_ECLOSED);
    }
    return 0;
}

CASE(service_that_cannot_begin_says_so)
{
    struct kit kit = {.server = {.handler = answer, .stop = &kit.stop}};
    long n = 0;
    blocks_watch();
    do {
        sill_trigger_init(&kit.stop, NULL, NULL);
        ck_assert_int_eq(sill_address_ip(&kit.address, "127.0.0.1", 0), 0);
        ck_assert_int_eq(
            sill_listener_listen(&kit.listener, &kit.address, NULL), 0);
        blocks_fail(++n);
        int rc = sill_http_serve(&kit.server, &kit.listener, sill_after(SHORT));
        ck_assert(rc == 0 || (rc == SILL_ENOMEM && blocks_failed()));
        ck_assert_int_eq(sill_listener_local(&kit.listener, &kit.address),
                         SILL_ECLOSED);
    } while (blocks_failed());
    blocks_fail(0);
    return 0;
}

enum { SLEEPERS_MAX = 1000 };

static int sleep_for_ever(void *unused)
{
    (void)unused;
    return sill_sleep(SILL_NEVER);
}

/* Spawns tasks until one more takes memory. Returns how many. */
static int spawn_to_the_edge(struct sill_task *sleepers[])
{
    int count = 0, rc = 0;
    while (rc == 0 && count < SLEEPERS_MAX) {
        blocks_fail(1);
        rc = sill_spawn(sleep_for_ever, NULL, &sleepers[count]);
        count += rc == 0;
    }
    ck_assert_int_eq(rc, SILL_ENOMEM);
    blocks_fail(0);
    return count;
}

static void cancel_some(struct sill_task *sleepers[], int count)
{
    for (int i = 0; i < count; i++)
        ck_assert_int_eq(sill_cancel(sleepers[i], kit_soon()), 0);
}

CASE(service_without_a_task_says_so)
{
    struct kit kit = {.server = {.handler = answer}};
    struct sill_task *sleepers[SLEEPERS_MAX];
    blocks_watch();
    int count = spawn_to_the_edge(sleepers);
    ck_assert_int_eq(sill_address_ip(&kit.address, "127.0.0.1", 0), 0);
    ck_assert_int_eq(sill_listener_listen(&kit.listener, &kit.address, NULL),
                     0);
    blocks_fail(1);
    ck_assert_int_eq(sill_http_serve(&kit.server, &kit.listener, SILL_NEVER),
                     SILL_ENOMEM);
    ck_assert_int_eq(sill_listener_local(&kit.listener, &kit.address),
                     SILL_ECLOSED);
    blocks_fail(0);
    cancel_some(sleepers, count);
    return 0;
}

/* Lets a client come while the (n)-th allocation fails. Returns whether it was
 * taken all the same. */
static bool comes_though(struct kit *kit, long n)
{
    const struct sill_http_stats *stats = &kit->server.stats;
    uint64_t taken = stats->connections, exhausted = stats->exhausted;
    int fd = open_harsh(kit);
    blocks_fail(n);
    while (stats->connections == taken && stats->exhausted == exhausted)
        ck_assert_int_eq(sill_yield(), 0);
    bool comes = stats->exhausted == exhausted;
    blocks_fail(0);
    close(fd);
    settle(kit, 0);
    return comes;
}

/* Without memory for its task a connection is closed, and the next one is as
 * welcome as ever. */
CASE(connection_without_a_task_ends_nothing)
{
    struct kit kit = {0};
    struct peer peer;
    struct sill_task *sleepers[SLEEPERS_MAX];
    long n = 1;
    blocks_watch();
    int count = spawn_to_the_edge(sleepers);
    cancel_some(sleepers, 3); /* for the tasks of the service itself */
    kit_start(&kit, answer, NULL);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(sill_yield(), 0);
    while (!comes_though(&kit, n))
        n++;
    ck_assert_int_ge((int)n, 3); /* its memory, its stream's, its task's */
    peer_open(&peer, &kit);
    ask_bystander(&peer);
    peer_close(&peer);
    cancel_some(sleepers + 3, count - 3);
    return kit_stop(&kit);
}

CASE(cancelled_service_says_so)
{
    struct kit kit = {0};
    kit_start(&kit, answer, NULL);
    sill_yield();
    ck_assert_int_eq(sill_cancel(kit.task, kit_soon()), 0);
    ck_assert_int_eq(kit.result, SILL_ECANCELED);
    ck_assert_int_eq(sill_listener_local(&kit.listener, &kit.address),
                     SILL_ECLOSED);
    return 0;
}

CASE(server_without_a_handler_is_refused)
{
    struct kit kit = {0};
    ck_assert_int_eq(sill_address_ip(&kit.address, "127.0.0.1", 0), 0);
    ck_assert_int_eq(sill_listener_listen(&kit.listener, &kit.address, NULL),
                     0);
    ck_assert_int_eq(sill_http_serve(&kit.server, &kit.listener, SILL_NEVER),
                     SILL_EINVAL);
    return 0;
}

int main(void)
{
    Suite *suite = suite_create("http server on bad days");
    TCase *cases = tcase_create("server");
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, malformed_heads_are_refused_and_end_the_connection);
    tcase_add_test(cases, nul_anywhere_in_a_head_is_refused);
    tcase_add_test(cases, malformed_bodies_are_refused_and_end_the_connection);
    tcase_add_test(cases, malformed_body_that_nobody_reads_ends_the_connection);
    tcase_add_test(
        cases, long_body_that_nobody_reads_ends_the_connection_as_announced);
    tcase_add_test(cases, bounds_have_their_statuses);
    tcase_add_test(cases,
                   refused_client_that_goes_on_sending_can_read_the_answer);
    tcase_add_test(cases, failed_reader_says_why_and_says_it_again);
    tcase_add_test(cases, slow_head_is_given_up_with_408);
    tcase_add_test(cases, drops_do_not_keep_a_slow_head_alive);
    tcase_add_test(cases, slow_body_is_given_up_with_408);
    tcase_add_test(cases, body_that_flows_earns_more_time);
    tcase_add_test(cases, body_may_have_all_the_time_there_is);
    tcase_add_test(cases, chunk_extensions_earn_no_time);
    tcase_add_test(cases, chunk_extensions_are_bounded_in_all);
    tcase_add_test(cases, deadline_of_the_handler_is_its_own_affair);
    tcase_add_test(cases, idle_connection_is_closed_without_a_word);
    tcase_add_test(cases, client_that_does_not_read_is_given_up);
    tcase_add_test(cases, client_that_reads_too_slowly_is_given_up);
    tcase_add_test(cases, log_counts_only_what_was_sent);
    tcase_add_test(cases, client_may_vanish_at_every_byte);
    tcase_add_test(cases, client_may_reset_at_every_byte);
    tcase_add_test(cases, client_may_reset_while_it_is_answered);
    tcase_add_test(cases, failed_writer_says_why_and_says_it_again);
    tcase_add_test(cases, failed_reader_has_nobody_to_answer);
    tcase_add_test(cases, large_chunk_that_was_not_read_ends_the_connection);
    tcase_add_test(cases, client_may_reset_after_its_answer);
    tcase_add_test(cases, client_may_reset_among_its_pipelined_requests);
    tcase_add_test(cases, more_connections_than_the_bound_wait);
    tcase_add_test(cases, service_ends_while_connections_are_at_their_bound);
    tcase_add_test(cases, lack_of_descriptors_delays_and_ends_nothing);
    tcase_add_test(cases, any_allocation_may_fail);
    tcase_add_test(cases, service_may_be_cancelled_at_any_step);
    tcase_add_test(cases, service_may_be_cancelled_wherever_it_waits);
    tcase_add_test(cases, service_may_be_stopped_at_any_step);
    tcase_add_test(cases, drain_closes_the_idle_and_lets_the_busy_finish);
    tcase_add_test(cases, drain_answers_what_has_arrived);
    tcase_add_test(cases, what_is_left_after_the_grace_is_cancelled);
    tcase_add_test(cases, service_ends_at_its_deadline_and_can_begin_again);
    tcase_add_test(cases, service_that_cannot_begin_says_so);
    tcase_add_test(cases, service_without_a_task_says_so);
    tcase_add_test(cases, connection_without_a_task_ends_nothing);
    tcase_add_test(cases, cancelled_service_says_so);
    tcase_add_test(cases, server_without_a_handler_is_refused);
    suite_add_tcase(suite, cases);

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
