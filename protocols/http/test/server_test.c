/* SPDX-License-Identifier: MIT */
/*
 * server_test.c: what the server does on good days: the shapes of requests and
 * responses, and what it promises to handlers.
 */
#include "server_kit.h"

#include <stdio.h>

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"
#define LAST(path)                                                             \
    "GET " path " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

static struct sill_trigger go, arrived;
static int seen; /* what the handler's last call returned */

static int echo(struct sill_http_exchange *x)
{
    char piece[5000];
    ssize_t got = sill_http_request_read(x, piece, sizeof(piece), SILL_NEVER);
    if (got < 0)
        return (int)got;
    int rc = sill_http_response_begin(x, 200, SILL_HTTP_NO_LENGTH);
    while (rc == 0 && got > 0) {
        rc = sill_http_response_write(x, piece, (size_t)got, SILL_NEVER);
        if (rc == 0)
            got = sill_http_request_read(x, piece, sizeof(piece), SILL_NEVER);
    }
    struct sill_http_view sum = sill_http_request_trailer(x, "Sum");
    if (sum.at != NULL) {
        char text[32];
        snprintf(text, sizeof(text), "%.*s", (int)sum.size, sum.at);
        sill_http_response_header(x, "Sum", text);
    }
    return rc != 0 ? rc : (int)got;
}

static int describe(struct sill_http_exchange *x)
{
    const struct sill_http_head *request = sill_http_request(x);
    struct sill_address peer;
    char text[512];
    int rc = sill_http_request_peer(x, &peer);
    if (rc != 0)
        return rc;
    int size = snprintf(
        text, sizeof(text), "[%.*s] [%.*s] [%.*s] [%.*s] [%.*s] %d %d",
        (int)request->method_text.size, request->method_text.at,
        (int)request->target.size, request->target.at, (int)request->path.size,
        request->path.at, (int)request->query.size,
        request->query.at != NULL ? request->query.at : "",
        (int)request->authority.size, request->authority.at, request->minor,
        peer.family == SILL_FAMILY_IPV4);
    return sill_http_response_send(x, 200, text, (size_t)size, SILL_NEVER);
}

static int answer(void *arg, struct sill_http_exchange *x)
{
    const struct sill_http_head *request = sill_http_request(x);
    char name[64];
    (void)arg;

    snprintf(name, sizeof(name), "%.*s", (int)request->path.size,
             request->path.at);
    if (strcmp(name, "/echo") == 0)
        return echo(x);
    if (strcmp(name, "/early") == 0) {
        sill_http_response_header(x, "Early", "1");
        return echo(x);
    }
    if (strcmp(name, "/describe") == 0)
        return describe(x);
    if (strcmp(name, "/query") == 0)
        return sill_http_response_send(x, 200, request->query.at,
                                       request->query.size, SILL_NEVER);
    if (strcmp(name, "/header") == 0) {
        struct sill_http_view value = sill_http_request_header(x, "x-thing");
        return sill_http_response_send(x, 200, value.at, value.size,
                                       SILL_NEVER);
    }
    if (strcmp(name, "/chunks") == 0) {
        int rc = sill_http_response_begin(x, 200, SILL_HTTP_NO_LENGTH);
        if (rc == 0)
            rc = sill_http_response_write(x, "one", 3, SILL_NEVER);
        if (rc == 0)
            rc = sill_http_response_write(x, "", 0, SILL_NEVER);
        if (rc == 0)
            rc = sill_http_response_write(x, "twotwotwotwotwotwo", 18,
                                          SILL_NEVER);
        sill_http_response_header(x, "Sum", "abc");
        return rc;
    }
    if (strcmp(name, "/pieces") == 0) {
        int rc = sill_http_response_begin(x, 200, 6);
        if (rc == 0)
            rc = sill_http_response_write(x, "one", 3, SILL_NEVER);
        if (rc == 0)
            rc = sill_http_response_write(x, "two", 3, SILL_NEVER);
        return rc;
    }
    if (strcmp(name, "/204") == 0)
        return sill_http_response_send(x, 204, "no", 2, SILL_NEVER);
    if (strcmp(name, "/304") == 0)
        return sill_http_response_send(x, 304, "no", 2, SILL_NEVER);
    if (strcmp(name, "/large") == 0) {
        char *body = malloc(1000000);
        memset(body, 'x', 1000000);
        int rc = sill_http_response_send(x, 200, body, 1000000, SILL_NEVER);
        free(body);
        return rc;
    }
    if (strcmp(name, "/fail") == 0)
        return SILL_EIO;
    if (strcmp(name, "/begin-and-fail") == 0) {
        sill_http_response_header(x, "Gone", "1");
        int rc = sill_http_response_begin(x, 200, 3);
        return rc == 0 ? SILL_EIO : rc;
    }
    if (strcmp(name, "/send-and-fail") == 0) {
        int rc = sill_http_response_send(x, 200, "never", 5, SILL_NEVER);
        return rc == 0 ? SILL_EIO : rc;
    }
    if (strcmp(name, "/write-and-fail") == 0) {
        int rc = sill_http_response_begin(x, 200, SILL_HTTP_NO_LENGTH);
        if (rc == 0)
            rc = sill_http_response_write(x, "half", 4, SILL_NEVER);
        return rc == 0 ? SILL_EIO : rc;
    }
    if (strcmp(name, "/short") == 0) {
        int rc = sill_http_response_begin(x, 200, 10);
        if (rc == 0)
            rc = sill_http_response_write(x, "12345", 5, SILL_NEVER);
        return rc;
    }
    if (strcmp(name, "/nothing") == 0)
        return 0;
    if (strcmp(name, "/long") == 0) {
        int rc = sill_http_response_begin(x, 200, 3);
        seen =
            rc == 0 ? sill_http_response_write(x, "1234", 4, SILL_NEVER) : rc;
        return sill_http_response_write(x, "123", 3, SILL_NEVER);
    }
    if (strcmp(name, "/twice") == 0) {
        int rc = sill_http_response_send(x, 200, "once", 4, SILL_NEVER);
        seen = sill_http_response_send(x, 200, "more", 4, SILL_NEVER);
        return rc;
    }
    if (strcmp(name, "/odd-status") == 0) {
        seen = sill_http_response_send(x, 100, "", 0, SILL_NEVER);
        return sill_http_response_send(x, 299, "", 0, SILL_NEVER);
    }
    if (strcmp(name, "/write-first") == 0) {
        seen = sill_http_response_write(x, "a", 1, SILL_NEVER);
        return sill_http_response_send(x, 200, "", 0, SILL_NEVER);
    }
    if (strcmp(name, "/split") == 0) {
        seen = sill_http_response_header(x, "X", "a\r\nSet-Cookie: b");
        return sill_http_response_send(x, 200, "", 0, SILL_NEVER);
    }
    if (strcmp(name, "/reserved") == 0) {
        seen = sill_http_response_header(x, "content-LENGTH", "7");
        return sill_http_response_send(x, 200, "", 0, SILL_NEVER);
    }
    if (strcmp(name, "/many-headers") == 0) {
        for (int i = 0; i < 1000; i++)
            seen = sill_http_response_header(x, "X-Header", "0123456789");
        return sill_http_response_send(x, 200, "", 0, SILL_NEVER);
    }
    if (strcmp(name, "/trailer-of-length") == 0) {
        int rc = sill_http_response_begin(x, 200, 0);
        seen = sill_http_response_header(x, "Sum", "abc");
        return rc;
    }
    if (strcmp(name, "/flush") == 0) {
        int rc = sill_http_response_begin(x, 200, 2);
        if (rc == 0)
            rc = sill_http_response_flush(x, SILL_NEVER);
        if (rc == 0)
            rc = sill_suspend(&go, SILL_NEVER);
        return rc != 0 ? rc : sill_http_response_write(x, "ok", 2, SILL_NEVER);
    }
    if (strcmp(name, "/wait") == 0) {
        sill_resume(&arrived, 0);
        int rc = sill_suspend(&go, SILL_NEVER);
        return rc != 0
                   ? rc
                   : sill_http_response_send(x, 200, "waited", 6, SILL_NEVER);
    }
    sill_http_response_header(x, "Content-Type", "text/plain");
    return sill_http_response_send(x, 200, "hello", 5, SILL_NEVER);
}

CASE(get_is_answered_with_what_the_handler_sends)
{
    struct kit kit = {0};
    kit_start(&kit, answer, NULL);
    char *text = peer_ask(&kit, LAST("/"));
    ck_assert_int_eq(status_of(text), 200);
    ck_assert(strncmp(text, "HTTP/1.1 200 OK\r\nDate: ", 23) == 0);
    ck_assert(strstr(text, " GMT\r\n") == text + 48);
    ck_assert(has_line(text, "Content-Length: 5"));
    ck_assert(has_line(text, "Content-Type: text/plain"));
    ck_assert(has_line(text, "Connection: close"));
    ck_assert_str_eq(body_of(text), "hello");
    free(text);
    return kit_stop(&kit);
}

CASE(request_is_shown_as_it_was_sent)
{
    static const struct {
        const char *request, *body;
    } cases[] = {
        {"GET /describe?a=b&c HTTP/1.1\r\nHost: h:1\r\n",
         "[GET] [/describe?a=b&c] [/describe] [a=b&c] [h:1] 1 1"},
        {"GET http://other:81/describe HTTP/1.1\r\nHost: other:81\r\n",
         "[GET] [http://other:81/describe] [/describe] [] [other:81] 1 1"},
        {"BREW /describe HTTP/1.0\r\n", "[BREW] [/describe] [/describe] [] [] "
                                        "0 1"},
    };
    struct kit kit = {0};
    kit_start(&kit, answer, NULL);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char request[256];
        snprintf(request, sizeof(request), "%sConnection: close\r\n\r\n",
                 cases[i].request);
        char *text = peer_ask(&kit, request);
        ck_assert_str_eq(body_of(text), cases[i].body);
        free(text);
    }
    return kit_stop(&kit);
}

CASE(header_is_found_in_any_case)
{
    struct kit kit = {0};
    kit_start(&kit, answer, NULL);
    char *text = peer_ask(&kit, "GET /header HTTP/1.1\r\nHost: x\r\n"
                                "X-THING:  value \r\nX-Thing: other\r\n"
                                "Connection: close\r\n\r\n");
    ck_assert_str_eq(body_of(text), "value");
    free(text);
    return kit_stop(&kit);
}

CASE(connection_serves_one_request_after_the_other)
{
    struct kit kit = {0};
    struct peer peer;
    kit_start(&kit, answer, NULL);
    peer_open(&peer, &kit);
    for (int i = 0; i < 20; i++) {
        peer_say(&peer, GET("/"));
        peer_read_until(&peer, "hello", 1);
        ck_assert(!has_line(peer.text, "Connection: close"));
        peer_forget(&peer);
    }
    ck_assert_uint_eq(kit.server.stats.connections, 1);
    ck_assert_uint_eq(kit.server.stats.requests, 20);
    ck_assert_uint_eq(kit.server.stats.open, 1);
    peer_close(&peer);
    return kit_stop(&kit);
}

CASE(http_1_0_ends_unless_asked_to_stay)
{
    struct kit kit = {0};
    struct peer peer;
    kit_start(&kit, answer, NULL);
    char *text = peer_ask(&kit, "GET / HTTP/1.0\r\n\r\n");
    ck_assert_str_eq(body_of(text), "hello");
    ck_assert(has_line(text, "Connection: close"));
    free(text);

    peer_open(&peer, &kit);
    for (int i = 0; i < 3; i++) {
        peer_say(&peer, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        peer_read_until(&peer, "hello", 1);
        ck_assert(has_line(peer.text, "Connection: keep-alive"));
        peer_forget(&peer);
    }
    peer_close(&peer);
    return kit_stop(&kit);
}

CASE(http_1_0_gets_an_unknown_length_until_the_end)
{
    struct kit kit = {0};
    kit_start(&kit, answer, NULL);
    char *text = peer_ask(
        &kit, "GET /chunks HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    ck_assert(strstr(text, "Transfer-Encoding") == NULL);
    ck_assert(strstr(text, "Content-Length") == NULL);
    ck_assert(has_line(text, "Connection: close"));
    ck_assert_str_eq(body_of(text), "onetwotwotwotwotwotwo");
    free(text);
    return kit_stop(&kit);
}

CASE(head_has_the_length_and_no_body)
{
    struct kit kit = {0};
    struct peer peer;
    kit_start(&kit, answer, NULL);
    peer_open(&peer, &kit);
    static const char *const paths[] = {"/", "/pieces", "/large", "/chunks"};
    static const char *const lines[] = {
        "Content-Length: 5", "Content-Length: 6", "Content-Length: 1000000",
        "Transfer-Encoding: chunked"};
    for (size_t i = 0; i < 4; i++) {
        char request[128];
        snprintf(request, sizeof(request),
                 "HEAD %s HTTP/1.1\r\nHost: x\r\n\r\n", paths[i]);
        peer_say(&peer, request);
        peer_read_until(&peer, "\r\n\r\n", 1);
        ck_assert_str_eq(body_of(peer.text), "");
        ck_assert(has_line(peer.text, lines[i]));
        peer_forget(&peer);
    }
    peer_say(&peer, LAST("/"));
    peer_read_end(&peer);
    ck_assert_str_eq(body_of(peer.text), "hello");
    peer_close(&peer);
    return kit_stop(&kit);
}

CASE(unknown_length_goes_out_in_chunks_with_trailers)
{
    struct kit kit = {0};
    kit_start(&kit, answer, NULL);
    char *text = peer_ask(&kit, LAST("/chunks"));
    ck_assert(has_line(text, "Transfer-Encoding: chunked"));
    ck_assert_str_eq(body_of(text), "3\r\none\r\n12\r\ntwotwotwotwotwotwo\r\n"
                                    "0\r\nSum: abc\r\n\r\n");
    free(text);
    return kit_stop(&kit);
}

CASE(statuses_without_a_body_have_none)
{
    struct kit kit = {0};
    struct peer peer;
    kit_start(&kit, answer, NULL);
    peer_open(&peer, &kit);
    peer_say(&peer, GET("/204") GET("/304") LAST("/"));
    peer_read_end(&peer);
    ck_assert_int_eq(count_of(peer.text, "HTTP/1.1 204 No Content\r\n"), 1);
    ck_assert_int_eq(count_of(peer.text, "HTTP/1.1 304 Not Modified\r\n"), 1);
    ck_assert_int_eq(count_of(peer.text, "Content-Length"), 1);
    ck_assert_int_eq(count_of(peer.text, "no"), 0);
    peer_close(&peer);
    return kit_stop(&kit);
}

CASE(pipelined_requests_are_answered_in_order_and_together)
{
    struct kit kit = {0};
    struct peer peer;
    char requests[4096] = "", expected[64];
    kit_start(&kit, answer, NULL);
    peer_open(&peer, &kit);
    for (int i = 0; i < 16; i++)
        sprintf(requests + strlen(requests),
                "GET /query?number-%d. HTTP/1.1\r\nHost: x\r\n\r\n", i);
    peer_say(&peer, requests);
    peer_read(&peer);
    const char *at = peer.text;
    for (int i = 0; i < 16; i++) {
        sprintf(expected, "\r\n\r\nnumber-%d.", i);
        at = strstr(at, expected);
        ck_assert_msg(at != NULL, "%d is missing: %s", i, peer.text);
    }
    peer_close(&peer);
    return kit_stop(&kit);
}

CASE(pipelined_answers_beyond_the_buffer_all_arrive)
{
    struct kit kit = {0};
    struct peer peer;
    kit_start(&kit, answer, NULL);
    peer_open(&peer, &kit);
    for (int i = 0; i < 10; i++)
        peer_say(&peer, GET("/") GET("/large") GET("/chunks") GET("/pieces"));
    for (int i = 0; i < 400; i++)
        peer_say(&peer, GET("/"));
    peer_say(&peer, LAST("/"));
    peer_read_end(&peer);
    ck_assert_int_eq(count_of(peer.text, "HTTP/1.1 200 OK"), 441);
    ck_assert_int_eq(count_of(peer.text, "hello"), 411);
    ck_assert_int_eq(count_of(peer.text, "onetwo"), 10);
    peer_close(&peer);
    return kit_stop(&kit);
}

/* Takes the chunks of (text) apart and compares them with what was sent. */
static void check_upload(const char *text, size_t total)
{
    const char *at = body_of(text);
    size_t count = 0;
    for (;;) {
        char *end;
        unsigned long size = strtoul(at, &end, 16);
        ck_assert(strncmp(end, "\r\n", 2) == 0);
        at = end + 2;
        if (size == 0)
            break;
        for (unsigned long i = 0; i < size; i++, count++)
            if (at[i] != (char)('a' + count % 23))
                ck_abort_msg("byte %zu is wrong", count);
        at += size + 2;
    }
    ck_assert_uint_eq(count, total);
}

/* Sends (text) while the answers are read. */
struct flood {
    struct peer *peer;
    const char *text;
};

static int flood(void *arg)
{
    struct flood *flood = arg;
    peer_say(flood->peer, flood->text);
    return 0;
}

static void read_flood(struct peer *peer, const char *text)
{
    struct sill_task *task;
    struct flood all = {peer, text};
    ck_assert_int_eq(sill_spawn(flood, &all, &task), 0);
    peer_read_end(peer);
    ck_assert_int_eq(sill_await(task, NULL, kit_soon()), 0);
}

CASE(requests_that_come_at_once_may_exceed_the_buffer)
{
    enum { COUNT = 4000 };
    struct kit kit = {0};
    struct peer peer;
    char *text = malloc(COUNT * 64), *at = text;
    for (int i = 0; i < COUNT; i++)
        at += sprintf(at, "GET /query?%d. HTTP/1.1\r\nHost: x\r\n\r\n", i);
    strcpy(at, LAST("/"));
    kit_start(&kit, answer, NULL);
    peer_open(&peer, &kit);
    read_flood(&peer, text);
    const char *found = peer.text;
    for (int i = 0; i < COUNT; i++) {
        char expected[32];
        sprintf(expected, "\r\n\r\n%d.HTTP/1.1 200 OK", i);
        found = strstr(found, expected);
        ck_assert_msg(found != NULL, "%d is missing", i);
    }
    peer_close(&peer);

    /* Answers without bodies gather, too. */
    at = text;
    for (int i = 0; i < COUNT; i++)
        at += sprintf(at, GET("/204"));
    strcpy(at, LAST("/"));
    peer_open(&peer, &kit);
    read_flood(&peer, text);
    ck_assert_int_eq(count_of(peer.text, "HTTP/1.1 204 No Content"), COUNT);
    ck_assert_int_eq(count_of(peer.text, "hello"), 1);
    free(text);
    peer_close(&peer);
    return kit_stop(&kit);
}

CASE(body_may_begin_and_end_anywhere_in_the_buffer)
{
    struct kit kit = {.server = {.limits = {.line = 100, .header_bytes = 200}}};
    char text[20000], expected[64], body[4500];
    kit_start(&kit, answer, NULL);
    for (int round = 0; round < 130; round++) {
        struct peer peer;
        int before = round < 100 ? round : 0;
        int size = round < 100 ? 3000 + 7 * round : 4100 + 2 * round;
        char *at = text;
        for (int i = 0; i < before; i++)
            at += sprintf(at, GET("/204"));
        for (int i = 0; i < size; i++)
            body[i] = (char)('a' + i % 23);
        body[size] = '\0';
        sprintf(at,
                "POST /early HTTP/1.1\r\nHost: x\r\n"
                "Transfer-Encoding: chunked\r\n\r\n"
                "%x\r\n%s\r\n0\r\nSum: %d\r\nMore: and more\r\n\r\n"
                "POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n"
                "Connection: close\r\n\r\n%s",
                (unsigned)size, body, before, size, body);
        peer_open(&peer, &kit);
        read_flood(&peer, text);
        ck_assert_int_eq(count_of(peer.text, "HTTP/1.1 204 "), before);
        ck_assert_int_eq(count_of(peer.text, "HTTP/1.1 200 OK"), 2);
        ck_assert_int_eq(count_of(peer.text, "\r\nEarly: 1\r\n"), 2);
        sprintf(expected, "\r\n0\r\nSum: %d\r\n\r\n", before);
        ck_assert_int_eq(count_of(peer.text, expected), 1);
        const char *last = strstr(strstr(peer.text, expected), "HTTP/1.1");
        ck_assert_ptr_nonnull(last);
        check_upload(strstr(peer.text, "HTTP/1.1 200"), (size_t)size);
        check_upload(last, (size_t)size);
        peer_close(&peer);
    }
    return kit_stop(&kit);
}

CASE(headers_of_the_answer_outlive_an_earlier_send)
{
    struct kit kit = {0};
    struct peer peer;
    kit_start(&kit, answer, NULL);
    peer_open(&peer, &kit);
    peer_say(&peer, GET("/") "POST /early HTTP/1.1\r\nHost: x\r\n"
                             "Expect: 100-continue\r\n"
                             "Content-Length: 3\r\n\r\n");
    peer_read_until(&peer, "HTTP/1.1 100 Continue\r\n\r\n", 1);
    ck_assert_int_eq(count_of(peer.text, "hello"), 1);
    peer_say(&peer, "abc");
    peer_read_until(&peer, "\r\nEarly: 1\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 1);
    peer_close(&peer);
    return kit_stop(&kit);
}

static const char story[] =
    "POST /echo?q HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabcde"
    "\r\n"
    "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    "3;x=\"y\"\r\n123\r\n2\r\n45\r\n0\r\nSum: 9\r\nOther: a\r\n\r\n"
    "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n"
    "GET /query?end HTTP/1.1\r\nHost: x\r\n\r\n";

static void check_story(const char *text)
{
    ck_assert_int_eq(count_of(text, "HTTP/1.1 200 OK\r\n"), 4);
    const char *at = strstr(text, "abcde\r\n0\r\n\r\nHTTP/1.1");
    ck_assert_msg(at != NULL, "%s", text);
    at = strstr(at, "\r\n0\r\nSum: 9\r\n\r\nHTTP/1.1");
    ck_assert_msg(at != NULL, "%s", text);
    ck_assert(strstr(at, "\r\n\r\nend") != NULL);
}

CASE(requests_may_be_cut_at_every_byte)
{
    struct kit kit = {0};
    struct peer peer;
    kit_start(&kit, answer, NULL);
    peer_open(&peer, &kit);
    for (size_t cut = 1; cut < sizeof(story) - 1; cut++) {
        peer_send(&peer, story, cut);
        for (int i = 0; i < 4; i++)
            sill_yield();
        peer_send(&peer, story + cut, sizeof(story) - 1 - cut);
        peer_read_until(&peer, "\r\n\r\nend", 1);
        check_story(peer.text);
        peer_forget(&peer);
    }
    peer_close(&peer);
    return kit_stop(&kit);
}

CASE(requests_may_come_byte_by_byte)
{
    struct kit kit = {0};
    struct peer peer;
    kit_start(&kit, answer, NULL);
    peer_open(&peer, &kit);
    for (size_t i = 0; i < sizeof(story) - 1; i++) {
        peer_send(&peer, story + i, 1);
        sill_yield();
        sill_yield();
    }
    peer_read_until(&peer, "\r\n\r\nend", 1);
    ck_assert_int_eq(count_of(peer.text, "HTTP/1.1 200 OK\r\n"), 4);
    ck_assert_int_eq(count_of(peer.text, "\r\n0\r\nSum: 9\r\n\r\n"), 1);
    peer_close(&peer);
    return kit_stop(&kit);
}

/* Sends a large body in pieces of all sizes while the answer is read. */
struct upload {
    struct peer *peer;
    size_t total;
    bool chunked;
};

static int upload(void *arg)
{
    struct upload *up = arg;
    char piece[30000], line[32];
    size_t sent = 0, step = 1;
    while (sent < up->total) {
        size_t size = step < up->total - sent ? step : up->total - sent;
        for (size_t i = 0; i < size; i++)
            piece[i] = (char)('a' + (sent + i) % 23);
        sprintf(line, "%zx\r\n", size);
        if (up->chunked)
            peer_say(up->peer, line);
        peer_send(up->peer, piece, size);
        if (up->chunked)
            peer_say(up->peer, "\r\n");
        sent += size;
        step = step * 5 / 3 + 1;
        if (step > sizeof(piece))
            step = 7;
    }
    if (up->chunked)
        peer_say(up->peer, "0\r\n\r\n");
    return 0;
}

static void echo_large(struct kit *kit, bool chunked)
{
    enum { TOTAL = 3000000 };
    struct peer peer;
    struct sill_task *task;
    char head[128];

    peer_open(&peer, kit);
    struct upload up = {&peer, TOTAL, chunked};
    sprintf(head, "POST /echo HTTP/1.1\r\nHost: x\r\n%s: %s\r\n\r\n",
            chunked ? "Transfer-Encoding" : "Content-Length",
            chunked ? "chunked" : "3000000");
    peer_say(&peer, head);
    ck_assert_int_eq(sill_spawn(upload, &up, &task), 0);
    peer_read_until(&peer, "\r\n0\r\n\r\n", 1);
    ck_assert_int_eq(sill_await(task, NULL, kit_soon()), 0);
    check_upload(peer.text, TOTAL);
    peer_close(&peer);
}

CASE(bodies_of_any_size_stream_both_ways)
{
    struct kit kit = {0};
    kit_start(&kit, answer, NULL);
    echo_large(&kit, false);
    echo_large(&kit, true);
    return kit_stop(&kit);
}

CASE(client_that_expects_is_told_to_continue_when_the_body_is_read)
{
    struct kit kit = {0};
    struct peer peer;
    kit_start(&kit, answer, NULL);
    peer_open(&peer, &kit);
    for (int i = 0; i < 2; i++) {
        peer_say(&peer, "POST /echo HTTP/1.1\r\nHost: x\r\n"
                        "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n");
        peer_read_until(&peer, "\r\n\r\n", 1);
        ck_assert_str_eq(peer.text, "HTTP/1.1 100 Continue\r\n\r\n");
        peer_say(&peer, "abc");
        peer_read_until(&peer, "\r\n0\r\n\r\n", 1);
        ck_assert_int_eq(count_of(peer.text, "200 OK"), 1);
        peer_forget(&peer);
    }
    peer_close(&peer);
    return kit_stop(&kit);
}

CASE(client_that_does_not_wait_is_not_told_to_continue)
{
    struct kit kit = {0};
    char *text;
    kit_start(&kit, answer, NULL);
    text =
        peer_ask(&kit, "POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                       "Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc");
    ck_assert_int_eq(status_of(text), 200);
    ck_assert_int_eq(count_of(text, "100"), 0);
    free(text);
    return kit_stop(&kit);
}

CASE(body_that_nobody_invited_ends_the_connection)
{
    struct kit kit = {0};
    char *text;
    kit_start(&kit, answer, NULL);
    text = peer_ask(&kit, "POST / HTTP/1.1\r\nHost: x\r\n"
                          "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    ck_assert_int_eq(status_of(text), 200);
    ck_assert(has_line(text, "Connection: close"));
    ck_assert_int_eq(count_of(text, "HTTP/1.1"), 1);
    free(text);
    return kit_stop(&kit);
}

CASE(small_body_that_was_not_read_is_passed_over)
{
    struct kit kit = {0};
    struct peer peer;
    kit_start(&kit, answer, NULL);
    peer_open(&peer, &kit);
    peer_say(&peer, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 25\r\n\r\n"
                    "GET /evil HTTP/1.1\r\n\r\n...");
    peer_say(&peer, "POST / HTTP/1.1\r\nHost: x\r\n"
                    "Transfer-Encoding: chunked\r\n\r\n"
                    "5\r\n12345\r\n0\r\nA: b\r\n\r\n");
    peer_say(&peer, LAST("/query?next"));
    peer_read_end(&peer);
    ck_assert_int_eq(count_of(peer.text, "200 OK"), 3);
    ck_assert(strstr(peer.text, "\r\n\r\nnext") != NULL);
    peer_close(&peer);
    return kit_stop(&kit);
}

CASE(large_body_that_was_not_read_ends_the_connection)
{
    struct kit kit = {0};
    struct peer peer;
    kit_start(&kit, answer, NULL);
    peer_open(&peer, &kit);
    peer_say(&peer, "POST / HTTP/1.1\r\nHost: x\r\n"
                    "Content-Length: 100000000\r\n\r\n0123456789");
    peer_read_end(&peer);
    ck_assert_int_eq(status_of(peer.text), 200);
    ck_assert_int_eq(count_of(peer.text, "HTTP/1.1"), 1);
    peer_close(&peer);

    char *text = malloc(200000), *at = text;
    at += sprintf(at, "POST / HTTP/1.1\r\nHost: x\r\n"
                      "Transfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 2000; i++)
        at += sprintf(at, "20\r\n%032d\r\n", i);
    strcpy(at, "2000\r\n");
    at += strlen(at);
    memset(at, 'x', 0x2000);
    strcpy(at + 0x2000, "\r\n0\r\n\r\n" GET("/"));
    peer_open(&peer, &kit);
    read_flood(&peer, text);
    ck_assert_int_eq(status_of(peer.text), 200);
    ck_assert_int_eq(count_of(peer.text, "HTTP/1.1"), 1);
    free(text);
    peer_close(&peer);
    return kit_stop(&kit);
}

CASE(half_closed_client_gets_its_answers)
{
    struct kit kit = {0};
    struct peer peer;
    kit_start(&kit, answer, NULL);
    peer_open(&peer, &kit);
    peer_say(&peer, GET("/") GET("/large") GET("/query?end"));
    ck_assert_int_eq(sill_stream_shutdown(&peer.stream, kit_soon()), 0);
    peer_read_end(&peer);
    ck_assert_int_eq(count_of(peer.text, "200 OK"), 3);
    ck_assert(strstr(peer.text, "\r\n\r\nend") != NULL);
    peer_close(&peer);
    return kit_stop(&kit);
}

CASE(failure_before_anything_was_sent_is_500)
{
    static const char *const paths[] = {"/fail", "/begin-and-fail",
                                        "/send-and-fail", "/nothing"};
    struct kit kit = {0};
    kit_start(&kit, answer, NULL);
    for (size_t i = 0; i < 4; i++) {
        char request[128];
        sprintf(request, GET("/") "GET %s HTTP/1.1\r\nHost: x\r\n\r\n" GET("/"),
                paths[i]);
        char *text = peer_ask(&kit, request);
        ck_assert_int_eq(status_of(text), 200);
        ck_assert_int_eq(count_of(text, "HTTP/1.1 200 "), 1);
        ck_assert_int_eq(count_of(text, "HTTP/1.1 500 Internal Server Error"),
                         1);
        ck_assert_int_eq(count_of(text, "Gone"), 0);
        ck_assert_int_eq(count_of(text, "Connection: close"), 1);
        free(text);
        ck_assert_uint_eq(kit.server.stats.failed, i + 1);
    }
    return kit_stop(&kit);
}

CASE(failure_after_the_head_ends_the_connection)
{
    struct kit kit = {0};
    kit_start(&kit, answer, NULL);
    char *text = peer_ask(&kit, GET("/write-and-fail") GET("/"));
    ck_assert_str_eq(body_of(text), "4\r\nhalf\r\n");
    free(text);
    text = peer_ask(&kit, GET("/short") GET("/"));
    ck_assert_int_eq(status_of(text), 200);
    ck_assert_str_eq(body_of(text), "12345");
    free(text);
    ck_assert_uint_eq(kit.server.stats.failed, 2);
    return kit_stop(&kit);
}

CASE(handler_that_breaks_its_promises_is_told)
{
    static const struct {
        const char *path;
        int status, seen;
    } cases[] = {
        {"/long", 200, SILL_EMSGSIZE},
        {"/twice", 200, SILL_EBUSY},
        {"/odd-status", 299, SILL_EINVAL},
        {"/write-first", 200, SILL_EINVAL},
        {"/split", 500, SILL_EINVAL},
        {"/reserved", 500, SILL_EINVAL},
        {"/many-headers", 500, SILL_EMSGSIZE},
        {"/trailer-of-length", 500, SILL_EINVAL},
    };
    struct kit kit = {0};
    kit_start(&kit, answer, NULL);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char request[128];
        sprintf(request, "GET %s HTTP/1.0\r\n\r\n", cases[i].path);
        char *text = peer_ask(&kit, request);
        ck_assert_msg(status_of(text) == cases[i].status, "%s: %s",
                      cases[i].path, text);
        ck_assert_int_eq(seen, cases[i].seen);
        ck_assert_int_eq(count_of(text, "Cookie"), 0);
        free(text);
    }
    return kit_stop(&kit);
}

CASE(flush_sends_the_head_before_the_body)
{
    struct kit kit = {0};
    struct peer peer;
    kit_start(&kit, answer, NULL);
    sill_trigger_init(&go, NULL, NULL);
    peer_open(&peer, &kit);
    peer_say(&peer, GET("/") GET("/flush"));
    peer_read_until(&peer, "\r\n\r\n", 2);
    ck_assert_int_eq(count_of(peer.text, "ok"), 0);
    sill_resume(&go, 0);
    peer_read_until(&peer, "\r\n\r\nok", 1);
    peer_close(&peer);
    return kit_stop(&kit);
}

CASE(slow_handler_disturbs_no_other_connection)
{
    struct kit kit = {0};
    struct peer slow, quick;
    kit_start(&kit, answer, NULL);
    sill_trigger_init(&go, NULL, NULL);
    sill_trigger_init(&arrived, NULL, NULL);
    peer_open(&slow, &kit);
    peer_say(&slow, LAST("/wait"));
    ck_assert_int_eq(sill_suspend(&arrived, kit_soon()), 0);
    peer_open(&quick, &kit);
    for (int i = 0; i < 10; i++) {
        peer_say(&quick, GET("/"));
        peer_read_until(&quick, "hello", i + 1);
    }
    ck_assert_uint_eq(slow.size, 0);
    sill_resume(&go, 0);
    peer_read_end(&slow);
    ck_assert_str_eq(body_of(slow.text), "waited");
    peer_close(&slow);
    peer_close(&quick);
    return kit_stop(&kit);
}

static struct {
    int count, status, with_request;
    char target[32];
    uint64_t sent;
    bool has_peer, took_time;
} logged;

static void note(void *arg, const struct sill_http_record *record)
{
    (void)arg;
    logged.count++;
    logged.status = record->status;
    logged.with_request += record->request != NULL;
    logged.sent = record->sent;
    logged.has_peer = record->peer->family == SILL_FAMILY_IPV4;
    logged.took_time = record->duration > 0 && record->duration < SILL_SECOND;
    if (record->request != NULL)
        sprintf(logged.target, "%.*s", (int)record->request->target.size,
                record->request->target.at);
}

CASE(log_tells_of_each_exchange)
{
    struct kit kit = {.server = {.log = note}};
    kit_start(&kit, answer, NULL);
    free(peer_ask(&kit, LAST("/chunks?x")));
    ck_assert_int_eq(logged.count, 1);
    ck_assert_int_eq(logged.status, 200);
    ck_assert_uint_eq(logged.sent, 21);
    ck_assert_str_eq(logged.target, "/chunks?x");
    ck_assert(logged.has_peer && logged.took_time);

    free(peer_ask(&kit, "HEAD /large HTTP/1.0\r\n\r\n"));
    ck_assert_int_eq(logged.count, 2);
    ck_assert_uint_eq(logged.sent, 0);
    free(peer_ask(&kit, LAST("/fail")));
    ck_assert_int_eq(logged.status, 500);
    ck_assert_int_eq(logged.with_request, 3);
    free(peer_ask(&kit, "nonsense\r\n\r\n"));
    ck_assert_int_eq(logged.status, 400);
    ck_assert_int_eq(logged.with_request, 3);
    ck_assert_int_eq(logged.count, 4);
    return kit_stop(&kit);
}

int main(void)
{
    Suite *suite = suite_create("http server");
    TCase *cases = tcase_create("server");
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, get_is_answered_with_what_the_handler_sends);
    tcase_add_test(cases, request_is_shown_as_it_was_sent);
    tcase_add_test(cases, header_is_found_in_any_case);
    tcase_add_test(cases, connection_serves_one_request_after_the_other);
    tcase_add_test(cases, http_1_0_ends_unless_asked_to_stay);
    tcase_add_test(cases, http_1_0_gets_an_unknown_length_until_the_end);
    tcase_add_test(cases, head_has_the_length_and_no_body);
    tcase_add_test(cases, unknown_length_goes_out_in_chunks_with_trailers);
    tcase_add_test(cases, statuses_without_a_body_have_none);
    tcase_add_test(cases,
                   pipelined_requests_are_answered_in_order_and_together);
    tcase_add_test(cases, pipelined_answers_beyond_the_buffer_all_arrive);
    tcase_add_test(cases, requests_that_come_at_once_may_exceed_the_buffer);
    tcase_add_test(cases, body_may_begin_and_end_anywhere_in_the_buffer);
    tcase_add_test(cases, headers_of_the_answer_outlive_an_earlier_send);
    tcase_add_test(cases, requests_may_be_cut_at_every_byte);
    tcase_add_test(cases, requests_may_come_byte_by_byte);
    tcase_add_test(cases, bodies_of_any_size_stream_both_ways);
    tcase_add_test(
        cases, client_that_expects_is_told_to_continue_when_the_body_is_read);
    tcase_add_test(cases, client_that_does_not_wait_is_not_told_to_continue);
    tcase_add_test(cases, body_that_nobody_invited_ends_the_connection);
    tcase_add_test(cases, small_body_that_was_not_read_is_passed_over);
    tcase_add_test(cases, large_body_that_was_not_read_ends_the_connection);
    tcase_add_test(cases, half_closed_client_gets_its_answers);
    tcase_add_test(cases, failure_before_anything_was_sent_is_500);
    tcase_add_test(cases, failure_after_the_head_ends_the_connection);
    tcase_add_test(cases, handler_that_breaks_its_promises_is_told);
    tcase_add_test(cases, flush_sends_the_head_before_the_body);
    tcase_add_test(cases, slow_handler_disturbs_no_other_connection);
    tcase_add_test(cases, log_tells_of_each_exchange);
    suite_add_tcase(suite, cases);

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
