/* SPDX-License-Identifier: MIT */
/*
 * Whether the client says what it should, believes only what it may, and
 * leaves nothing behind: against peers that follow a script to the byte.
 */
#include "client_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define SCRIPT(...) ((const struct step[]){__VA_ARGS__, {.does = DONE}})
#define SCRIPTS(...)                                                           \
    .scripts = (const struct step *const[]){__VA_ARGS__},                      \
    .count = COUNT(((const struct step *const[]){__VA_ARGS__}))

/* Runs (what) among peers with these scripts, which must go well. */
#define PLAY(what, ...)                                                        \
    do {                                                                       \
        struct world world_ = {.scenario = (what), SCRIPTS(__VA_ARGS__)};      \
        ck_assert_int_eq(world_run(&world_), 0);                               \
    } while (0)

#define GET_FROM(host) "GET / HTTP/1.1\r\nHost: " host "\r\n\r\n"
#define GET_A          GET_FROM("a")
#define OK_HI          "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
#define OK_NONE        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
#define CHUNKED        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
#define CONTINUE       "HTTP/1.1 100 Continue\r\n\r\n"

/* A connection on which (request) is answered with (response), and kept. */
#define ANSWERS(request, response)                                             \
    SCRIPT({EXPECT, request, 0}, {SEND, response, 0}, {ENDS, NULL, 0})

/* What the scenarios ask, and what comes of it. */
static const char *url = "http://a";
static struct sill_http_call_options wish;
static struct answer answer, other;
static size_t kept;

static int ask_once(struct world *world)
{
    int rc = ask(world, url, &wish, &answer);
    kept = world->client.stats.idle;
    return rc;
}

static int ask_twice(struct world *world)
{
    int rc = ask(world, url, &wish, &answer);
    if (rc == 0)
        rc = ask(world, url, &wish, &other);
    kept = world->client.stats.idle;
    return rc;
}

static struct sill_http_view view(const char *text)
{
    return sill_http_view(text);
}

/* Responses. */

static const struct {
    const char *method, *response;
    int status;
    const char *body;
    bool keeps, extra;
} responses[] = {
    {"GET", OK_HI, 200, "hi", true, false},
    {"GET", OK_NONE, 200, "", true, false},
    {"GET", CHUNKED "2\r\nhi\r\n1;x\r\n!\r\n0\r\nT: u\r\n\r\n", 200, "hi!",
     true, false},
    {"GET", CHUNKED "0\r\n\r\n", 200, "", true, false},
    {"GET", "HTTP/1.1 200 OK\r\n\r\nto the end", 200, "to the end", false,
     false},
    {"GET", "HTTP/1.0 200 OK\r\n\r\n", 200, "", false, false},
    {"GET", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", 200, "hi", false,
     false},
    {"GET",
     "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi",
     200, "hi", true, false},
    {"GET",
     "HTTP/1.1 404 No\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi", 404,
     "hi", false, false},
    {"GET", "HTTP/1.1 204 No\r\n\r\n", 204, "", true, false},
    {"GET", "HTTP/1.1 304 No\r\nContent-Length: 9\r\n\r\n", 304, "", true,
     false},
    {"HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", 200, "", true,
     false},
    {"HEAD", CHUNKED, 200, "", true, false},
    {"GET", CONTINUE "HTTP/1.1 103 Hint\r\nLink: x\r\n\r\n" OK_HI, 200, "hi",
     true, false},
    {"GET", OK_HI "x", 200, "hi", false, true},
    {"HEAD", OK_HI, 200, "", false, true},
};

static void play_response(int i, enum does how, bool loopback)
{
    char request[64];
    snprintf(request, sizeof(request), "%s / HTTP/1.1\r\nHost: a\r\n\r\n",
             responses[i].method);
    const struct step script[] = {{EXPECT, request, 0},
                                  {how, responses[i].response, 0},
                                  {responses[i].keeps ? ENDS : DONE, NULL, 0},
                                  {DONE, NULL, 0}};
    struct world world = {.scenario = ask_once, SCRIPTS(script)};
    world.loopback = loopback;
    wish.method = responses[i].method;
    ck_assert_int_eq(world_run(&world), 0);
    is_answer(&answer, responses[i].status, responses[i].body);
    ck_assert_uint_eq(kept, responses[i].keeps ? 1 : 0);
}

START_TEST(responses_are_taken)
{
    play_response(_i, SEND, false);
    play_response(_i, SEND, true);
    /* One byte at a time, a byte too many may come too late to be noticed. */
    if (!responses[_i].extra)
        play_response(_i, TRICKLE, false);
}

END_TEST

static int see_trailers(struct world *world)
{
    struct sill_http_call *call;
    const struct sill_http_head *head;
    char byte;
    ck_assert_int_eq(
        sill_http_call_open(&world->client, url, NULL, &call, soon()), 0);
    ck_assert_ptr_eq(sill_http_call_trailer(call, "t").at, NULL);
    ck_assert_int_eq(sill_http_call_read(call, &byte, 1, soon()), SILL_EINVAL);
    ck_assert_int_eq(sill_http_call_response(call, &head, soon()), 0);
    ck_assert_int_eq(sill_http_call_response(call, &head, SILL_PAST), 0);
    ck_assert_int_eq(sill_http_call_read(call, &byte, 0, soon()), 0);
    ck_assert_int_eq(sill_http_call_read(call, &byte, 1, soon()), 1);
    ck_assert_ptr_eq(sill_http_call_trailer(call, "t").at, NULL);
    ck_assert_int_eq(sill_http_call_read(call, &byte, 1, soon()), 0);
    ck_assert_int_eq(sill_http_call_read(call, &byte, 1, SILL_PAST), 0);
    struct sill_http_view value = sill_http_call_trailer(call, "t");
    ck_assert(sill_http_view_is_equal(value, view("u")));
    ck_assert_ptr_eq(sill_http_call_trailer(call, "x").at, NULL);
    sill_http_call_close(call);
    sill_http_call_close(NULL);
    return 0;
}

/* Bytes of the body before the trailers. */
static size_t padding;

static int read_to_the_trailers(struct world *world)
{
    char body[100];
    struct sill_http_call *call;
    const struct sill_http_head *head;
    size_t size = 0;
    ssize_t got;
    ck_assert_int_eq(
        sill_http_call_open(&world->client, url, NULL, &call, soon()), 0);
    ck_assert_int_eq(sill_http_call_response(call, &head, soon()), 0);
    while ((got = sill_http_call_read(call, body, sizeof(body), soon())) > 0)
        size += (size_t)got;
    ck_assert_int_eq(got, 0);
    ck_assert_uint_eq(size, padding);
    struct sill_http_view value = sill_http_call_trailer(call, "t");
    ck_assert(sill_http_view_is_equal(value, view("u")));
    value = sill_http_call_trailer(call, "v");
    ck_assert(sill_http_view_is_equal(value, view("w")));
    sill_http_call_close(call);
    return 0;
}

/* Wherever the room for what was read ends, they are seen whole. */
START_TEST(trailers_may_begin_anywhere_in_the_buffer)
{
    char text[8192];
    const int room = 128 + 128 + 2 + 4096; /* as the limits ask for */
    for (padding = (size_t)room - 100; padding < (size_t)room; padding++) {
        int size = snprintf(text, sizeof(text),
                            CHUNKED "%zx\r\n%0*d\r\n0\r\n"
                                    "T: u\r\nV: w\r\n\r\n",
                            padding, (int)padding, 0);
        ck_assert_int_lt(size, (int)sizeof(text));
        struct world world = {.scenario = read_to_the_trailers,
                              SCRIPTS(ANSWERS(GET_A, text))};
        world.client.limits =
            (struct sill_http_limits){128, 4, 128, 64, 64, 8192};
        ck_assert_int_eq(world_run(&world), 0);
    }
}

END_TEST

START_TEST(trailers_come_after_the_body)
{
    PLAY(see_trailers,
         ANSWERS(GET_A, CHUNKED "1\r\nx\r\n0\r\nT: u\r\nV: w\r\n\r\n"));
}

END_TEST

static const struct {
    const char *response;
    int rc, error;
} faults[] = {
    {"HTTP/1.1 2x0 OK\r\n\r\n", SILL_EPROTO, SILL_HTTP_ESTATUS},
    {"HTTP/2.0 200 OK\r\n\r\n", SILL_EPROTO, SILL_HTTP_EVERSION},
    {"<html>", SILL_EPROTO, SILL_HTTP_ELINE},
    {"HTTP/1.1 200 OK\r\nA : b\r\n\r\n", SILL_EPROTO, SILL_HTTP_ENAME_SPACE},
    {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
     SILL_EPROTO, SILL_HTTP_ELENGTH_TWICE},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", SILL_EPROTO,
     SILL_HTTP_ECODING},
    {"HTTP/1.1 101 Switching Protocols\r\n\r\n", SILL_EPROTO,
     SILL_HTTP_ESTATUS},
    {CHUNKED "x\r\n", SILL_EPROTO, SILL_HTTP_ECHUNK},
    {CHUNKED "1\r\nab\r\n", SILL_EPROTO, SILL_HTTP_ECHUNK_END},
    {CHUNKED "0\r\nA : b\r\n\r\n", SILL_EPROTO, SILL_HTTP_ENAME_SPACE},
    {CHUNKED "1;0123456789012345\r\n", SILL_EMSGSIZE, SILL_HTTP_ECHUNK_LINE},
    {CHUNKED "a\r\n", SILL_EMSGSIZE, SILL_HTTP_EBODY_SIZE},
    {CHUNKED "0\r\nA: 0123456789012345678901234567890\r\n\r\n", SILL_EMSGSIZE,
     SILL_HTTP_EHEADER_SIZE},
    {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", SILL_EMSGSIZE,
     SILL_HTTP_EBODY_SIZE},
    {"HTTP/1.1 200 OK\r\n\r\n0123456789", SILL_EMSGSIZE, SILL_HTTP_EBODY_SIZE},
    {"HTTP/1.1 200 012345678901234567890123456789\r\n\r\n", SILL_EMSGSIZE,
     SILL_HTTP_ELINE_SIZE},
    {"HTTP/1.1 200 OK\r\nA:\r\nB:\r\nC:\r\n\r\n", SILL_EMSGSIZE,
     SILL_HTTP_EHEADERS},
    {"HTTP/1.1 200 OK\r\nA: 0123456789012345678901234567890123456789\r\n\r\n",
     SILL_EMSGSIZE, SILL_HTTP_EHEADER_SIZE},
};

START_TEST(faults_have_names)
{
    struct world world = {
        .scenario = ask_once,
        SCRIPTS(SCRIPT({EXPECT, GET_A, 0}, {SEND, faults[_i].response, 0}))};
    world.client.limits = (struct sill_http_limits){40, 2, 40, 16, 32, 9};
    ck_assert_int_eq(world_run(&world), faults[_i].rc);
    ck_assert_int_eq(answer.error, faults[_i].error);
    ck_assert_uint_eq(kept, 0);
}

END_TEST

static int ask_and_fail_again(struct world *world)
{
    struct sill_http_call *call;
    const struct sill_http_head *head;
    char byte;
    ck_assert_int_eq(
        sill_http_call_open(&world->client, url, NULL, &call, soon()), 0);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(sill_http_call_response(call, &head, soon()),
                         SILL_EPROTO);
        ck_assert_int_eq(sill_http_call_read(call, &byte, 1, soon()),
                         SILL_EPROTO);
        ck_assert_int_eq(sill_http_call_write(call, "x", 1, soon()),
                         SILL_EPROTO);
        ck_assert_int_eq(sill_http_call_error(call), SILL_HTTP_ELINE);
    }
    sill_http_call_close(call);
    return 0;
}

START_TEST(a_fault_is_final)
{
    PLAY(ask_and_fail_again,
         SCRIPT({EXPECT, GET_A, 0}, {SEND, "220 hi\r\n", 0}, {ENDS, NULL, 0}));
}

END_TEST

START_TEST(interim_responses_have_a_bound)
{
    static char many[65 * sizeof(CONTINUE)];
    for (int i = 0; i < 64; i++)
        strcat(many, CONTINUE);
    static char fits[sizeof(many) + sizeof(OK_HI)];
    strcpy(fits, many);
    strcat(fits, OK_HI);
    PLAY(ask_once, ANSWERS(GET_A, fits));
    is_answer(&answer, 200, "hi");
    strcat(many, CONTINUE);
    struct world world = {.scenario = ask_once, SCRIPTS(ANSWERS(GET_A, many))};
    ck_assert_int_eq(world_run(&world), SILL_EMSGSIZE);
}

END_TEST

/* What is lost on the way is missed: a peer that goes after any byte. */

static const char *const whole[] = {
    OK_HI,
    CONTINUE OK_HI,
    CHUNKED "2;x\r\nhi\r\n0\r\nT: u\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nHello, world",
};

START_TEST(a_peer_may_vanish_at_any_byte)
{
    for (size_t size = 0; size <= strlen(whole[_i]); size++) {
        const struct step script[] = {{EXPECT, GET_A, 0},
                                      {size > 0 ? SEND : DONE, whole[_i], size},
                                      {DONE, NULL, 0}};
        struct world world = {.scenario = ask_once, SCRIPTS(script)};
        world.loopback = size % 8 == 7;
        bool all = size == strlen(whole[_i]);
        ck_assert_int_eq(world_run(&world), all ? 0 : SILL_EOF);
        ck_assert_int_eq(answer.error, 0);
        ck_assert_uint_eq(world.client.stats.retries, 0);
    }
}

END_TEST

START_TEST(a_reset_is_reported)
{
    struct world world = {.scenario = ask_once,
                          SCRIPTS(SCRIPT({RESET, NULL, 0}))};
    world.loopback = true;
    ck_assert_int_eq(world_run(&world), SILL_ECONNRESET);
}

END_TEST

/* Requests. */

static const struct sill_http_header two_headers[] = {
    {SILL_HTTP_VIEW_INIT("A"), SILL_HTTP_VIEW_INIT("b c")},
    {SILL_HTTP_VIEW_INIT("Cookie"), SILL_HTTP_VIEW_INIT("")},
};

static const struct {
    const char *url;
    struct sill_http_call_options options;
    const char *request;
} requests[] = {
    {"http://a:80?q#f", {0}, "GET /?q HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"http://a:81/b%20c", {0}, "GET /b%20c HTTP/1.1\r\nHost: a:81\r\n\r\n"},
    {"HTTP://[::1]:8080/", {0}, "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n"},
    {"http://a/",
     {.method = "DELETE", .headers = two_headers, .header_count = 2},
     "DELETE / HTTP/1.1\r\nHost: a\r\nA: b c\r\nCookie: \r\n\r\n"},
    {"http://a/",
     {.method = "PATCH"},
     "PATCH / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"},
    {"http://a/",
     {.method = "POST"},
     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"},
    {"http://a/",
     {.method = "POST", .body = "body!", .body_size = 5},
     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nbody!"},
    {"http://a/",
     {.method = "FROB", .body = "x", .body_size = 1, .ends_connection = true},
     "FROB / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
     "Connection: close\r\n\r\nx"},
    {"http://a/",
     {.expects_continue = true},
     "GET / HTTP/1.1\r\nHost: a\r\n\r\n"},
};

START_TEST(requests_are_written)
{
    url = requests[_i].url;
    wish = requests[_i].options;
    PLAY(ask_once, ANSWERS(requests[_i].request, OK_HI));
    is_answer(&answer, 200, "hi");
    ck_assert_uint_eq(kept, wish.ends_connection ? 0 : 1);
}

END_TEST

static const struct {
    const char *url, *method, *name, *value;
} refused[] = {
    {"http://a", "CONNECT", NULL, NULL},
    {"http://a", "G T", NULL, NULL},
    {"http://a", "", NULL, NULL},
    {"http://a", "GET / HTTP/1.1\r\nX: y\r\n\r\n", NULL, NULL},
    {"http://a", "GET", "", "x"},
    {"http://a", "GET", "A:", "x"},
    {"http://a", "GET", "A\r\nB", "x"},
    {"http://a", "GET", "A", "x\r\nB: c"},
    {"http://a", "GET", "A", "x\n"},
    {"http://a", "GET", "Host", "b"},
    {"http://a", "GET", "connection", "x"},
    {"http://a", "GET", "Content-length", "1"},
    {"http://a", "GET", "Transfer-Encoding", "chunked"},
    {"http://a", "GET", "Expect", "x"},
    {"", "GET", NULL, NULL},
    {"a", "GET", NULL, NULL},
    {"https://a", "GET", NULL, NULL},
    {"http://", "GET", NULL, NULL},
    {"http://a b", "GET", NULL, NULL},
    {"http://a/\r\nX: y", "GET", NULL, NULL},
    {"http://u:p@a/", "GET", NULL, NULL},
};

static int open_in_vain(struct world *world)
{
    struct sill_http_call *call;
    return sill_http_call_open(&world->client, url, NULL, &call, soon());
}

/* Nor may it become longer by the path that it left out. */
START_TEST(urls_are_no_longer_than_their_bound)
{
    static char text[SILL_HTTP_URL_MAX + 1] = "http://a?";
    memset(text + 9, 'x', SILL_HTTP_URL_MAX - 9);
    url = text;
    struct world world = {.scenario = open_in_vain};
    ck_assert_int_eq(world_run(&world), SILL_EINVAL);
}

END_TEST

START_TEST(nothing_is_slipped_into_a_request)
{
    const struct sill_http_header header = {view(refused[_i].name),
                                            view(refused[_i].value)};
    struct world world = {.scenario = ask_once};
    url = refused[_i].url;
    wish.method = refused[_i].method;
    wish.headers = &header;
    wish.header_count = refused[_i].name != NULL;
    ck_assert_int_eq(world_run(&world), SILL_EINVAL);
    ck_assert_uint_eq(world.connected, 0);
}

END_TEST

/* Bodies that are streamed. */

#define POST_A "POST / HTTP/1.1\r\nHost: a\r\n"

static int stream_chunks(struct world *world)
{
    const struct sill_http_call_options options = {
        .method = "POST", .streams_body = true, .length = SILL_HTTP_NO_LENGTH};
    static const char piece[] = "sixteen bytes...";
    struct sill_http_call *call;
    int rc = sill_http_call_open(&world->client, url, &options, &call, soon());
    if (rc < 0)
        return rc;
    rc = sill_http_call_write(call, "x", 1, soon());
    if (rc == 0)
        rc = sill_http_call_write(call, "", 0, soon());
    if (rc == 0)
        rc = sill_http_call_add_trailer(call, "T", "u");
    if (rc == 0)
        rc = sill_http_call_write(call, piece, 16, soon());
    if (rc == 0)
        rc = sill_http_call_add_trailer(call, "V", "w");
    if (rc == 0)
        return hear(call, &answer);
    sill_http_call_close(call);
    return rc;
}

#define CHUNKS_SENT                                                            \
    POST_A "Transfer-Encoding: chunked\r\n\r\n"                                \
           "1\r\nx\r\n10\r\nsixteen bytes...\r\n0\r\nT: u\r\nV: w\r\n\r\n"

START_TEST(a_body_can_be_sent_in_chunks)
{
    PLAY(stream_chunks, ANSWERS(CHUNKS_SENT, OK_HI));
    is_answer(&answer, 200, "hi");
}

END_TEST

static int stream_length(struct world *world)
{
    const struct sill_http_call_options options = {
        .method = "PUT", .streams_body = true, .length = 5};
    const struct sill_http_head *head;
    struct sill_http_call *call;
    ck_assert_int_eq(
        sill_http_call_open(&world->client, url, &options, &call, soon()), 0);
    ck_assert_int_eq(sill_http_call_write(call, "123456", 6, soon()),
                     SILL_EMSGSIZE);
    ck_assert_int_eq(sill_http_call_write(call, "12", 2, soon()), 0);
    ck_assert_int_eq(sill_http_call_response(call, &head, soon()), SILL_EINVAL);
    ck_assert_int_eq(sill_http_call_write(call, "3456", 4, soon()),
                     SILL_EMSGSIZE);
    ck_assert_int_eq(sill_http_call_add_trailer(call, "T", "u"), SILL_EINVAL);
    ck_assert_int_eq(sill_http_call_write(call, "345", 3, soon()), 0);
    ck_assert_int_eq(sill_http_call_response(call, &head, soon()), 0);
    ck_assert_int_eq(sill_http_call_write(call, "", 0, soon()), SILL_EINVAL);
    return hear(call, &answer);
}

START_TEST(a_body_can_be_sent_by_length)
{
    PLAY(stream_length,
         ANSWERS("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n12345",
                 OK_HI));
    is_answer(&answer, 200, "hi");
}

END_TEST

static int misuse(struct world *world)
{
    static char much[4096];
    const struct sill_http_call_options options = {
        .method = "POST", .streams_body = true, .length = SILL_HTTP_NO_LENGTH};
    struct sill_http_call *call;
    memset(much, 'x', sizeof(much) - 1);
    ck_assert_int_eq(
        sill_http_call_open(&world->client, url, NULL, &call, soon()), 0);
    ck_assert_int_eq(sill_http_call_write(call, "x", 1, soon()), SILL_EINVAL);
    ck_assert_int_eq(sill_http_call_add_trailer(call, "T", "u"), SILL_EINVAL);
    ck_assert_int_eq(hear(call, &answer), 0);
    ck_assert_int_eq(
        sill_http_call_open(&world->client, url, &options, &call, soon()), 0);
    ck_assert_int_eq(sill_http_call_add_trailer(call, "T\r\n", "u"),
                     SILL_EINVAL);
    ck_assert_int_eq(sill_http_call_add_trailer(call, "T", "u\r\n"),
                     SILL_EINVAL);
    ck_assert_int_eq(sill_http_call_add_trailer(call, "Content-Length", "1"),
                     SILL_EINVAL);
    ck_assert_int_eq(sill_http_call_add_trailer(call, "T", much),
                     SILL_EMSGSIZE);
    sill_http_call_close(call);
    return 0;
}

START_TEST(a_body_is_what_was_said)
{
    PLAY(misuse,
         SCRIPT({EXPECT, GET_A, 0}, {SEND, OK_HI, 0},
                {EXPECT, POST_A "Transfer-Encoding: chunked\r\n\r\n", 0},
                {ENDS, NULL, 0}));
}

END_TEST

/* Sends until the peer has had enough. */
static int stream_too_much(struct world *world)
{
    static char piece[1024];
    const struct sill_http_call_options options = {
        .method = "POST", .streams_body = true, .length = 1 << 20};
    struct sill_http_call *call;
    int rc = sill_http_call_open(&world->client, url, &options, &call, soon());
    ck_assert_int_eq(rc, 0);
    for (int i = 0; i < 1024 && rc == 0; i++)
        rc = sill_http_call_write(call, piece, sizeof(piece), soon());
    ck_assert_int_eq(rc, SILL_EPIPE);
    ck_assert_int_eq(sill_http_call_write(call, "x", 1, soon()), SILL_EPIPE);
    rc = hear(call, &answer);
    kept = world->client.stats.idle;
    return rc;
}

#define TOO_LARGE "HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\nno"

START_TEST(an_early_answer_is_heard)
{
    struct world world = {
        .scenario = stream_too_much,
        SCRIPTS(SCRIPT({EXPECT, POST_A "Content-Length: 1048576\r\n\r\n", 0},
                       {SEND, TOO_LARGE, 0}))};
    world.capacity = 512;
    ck_assert_int_eq(world_run(&world), 0);
    is_answer(&answer, 413, "no");
    ck_assert_uint_eq(kept, 0);
}

END_TEST

START_TEST(an_early_answer_to_one_piece_is_heard)
{
    static char much[4096];
    struct world world = {
        .scenario = ask_once,
        SCRIPTS(SCRIPT({EXPECT, POST_A "Content-Length: 4096\r\n\r\n", 0},
                       {SEND, TOO_LARGE, 0}))};
    world.capacity = 512;
    wish.method = "POST";
    wish.body = much;
    wish.body_size = sizeof(much);
    ck_assert_int_eq(world_run(&world), 0);
    is_answer(&answer, 413, "no");
    ck_assert_uint_eq(kept, 0);
    world.scripts = (const struct step *const[]){
        SCRIPT({EXPECT, POST_A "Content-Length: 4096\r\n\r\n", 0})};
    ck_assert_int_eq(world_run(&world), SILL_EOF);
}

END_TEST

/* Expect: 100-continue. */

#define ASKS POST_A "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n"

static void wish_to_ask(void)
{
    wish.method = "POST";
    wish.body = "12345";
    wish.body_size = 5;
    wish.expects_continue = true;
}

static int stream_asking(struct world *world)
{
    const struct sill_http_call_options options = {.method = "POST",
                                                   .streams_body = true,
                                                   .length = 5,
                                                   .expects_continue = true};
    struct sill_http_call *call;
    int rc = sill_http_call_open(&world->client, url, &options, &call, soon());
    if (rc < 0)
        return rc;
    rc = sill_http_call_write(call, "123", 3, soon());
    if (rc == 0)
        rc = sill_http_call_write(call, "45", 2, soon());
    if (rc == 0 || rc == SILL_EPIPE)
        rc = hear(call, &answer);
    else
        sill_http_call_close(call);
    kept = world->client.stats.idle;
    return rc;
}

START_TEST(the_body_waits_for_100)
{
    int (*const scenarios[])(struct world *) = {ask_once, stream_asking};
    wish_to_ask();
    for (int i = 0; i < 2; i++) {
        PLAY(scenarios[i],
             SCRIPT({EXPECT, ASKS, 0}, {SEND, CONTINUE, 0},
                    {EXPECT, "12345", 0}, {SEND, OK_HI, 0}, {ENDS, NULL, 0}));
        is_answer(&answer, 200, "hi");
        ck_assert_uint_eq(kept, 1);
        PLAY(scenarios[i],
             SCRIPT({EXPECT, ASKS, 0}, {SEND, "HTTP/1.1 102 Wait\r\n\r\n", 0},
                    {TRICKLE, CONTINUE, 0}, {EXPECT, "12345", 0},
                    {SEND, OK_HI, 0}, {ENDS, NULL, 0}));
        is_answer(&answer, 200, "hi");
        /* The answer comes at once: the body is not sent. */
        PLAY(scenarios[i],
             SCRIPT({EXPECT, ASKS, 0}, {SEND, TOO_LARGE, 0}, {ENDS, NULL, 0}));
        is_answer(&answer, 413, "no");
        ck_assert_uint_eq(kept, 0);
        /* The peer is silent: it is sent all the same. */
        struct world world = {.scenario = scenarios[i],
                              SCRIPTS(ANSWERS(ASKS "12345", OK_HI))};
        world.client.continue_timeout = 20 * SILL_MILLISECOND;
        ck_assert_int_eq(world_run(&world), 0);
        is_answer(&answer, 200, "hi");
    }
}

END_TEST

START_TEST(a_question_may_be_answered_by_a_fault)
{
    wish_to_ask();
    struct world world = {.scenario = ask_once,
                          SCRIPTS(SCRIPT({EXPECT, ASKS, 0}, {SEND, "what?", 0},
                                         {ENDS, NULL, 0}))};
    ck_assert_int_eq(world_run(&world), SILL_EPROTO);
    ck_assert_int_eq(answer.error, SILL_HTTP_ELINE);
    world.scripts = (const struct step *const[]){SCRIPT({EXPECT, ASKS, 0})};
    ck_assert_int_eq(world_run(&world), SILL_EOF);
}

END_TEST

/* Connections that are kept. */

START_TEST(a_connection_is_used_again)
{
    const struct step *script =
        SCRIPT({EXPECT, GET_A, 0}, {SEND, OK_HI, 0}, {EXPECT, GET_A, 0},
               {SEND, OK_HI, 0}, {ENDS, NULL, 0});
    struct world world = {.scenario = ask_twice, SCRIPTS(script)};
    for (int i = 0; i < 2; i++) {
        world.loopback = i == 1;
        ck_assert_int_eq(world_run(&world), 0);
        is_answer(&answer, 200, "hi");
        is_answer(&other, 200, "hi");
        ck_assert_uint_eq(world.client.stats.connections, (size_t)i + 1);
        ck_assert_uint_eq(world.client.stats.reused, (size_t)i + 1);
        ck_assert_uint_eq(world.client.stats.retries, 0);
        ck_assert_uint_eq(kept, 1);
    }
}

END_TEST

static int ask_two_hosts(struct world *world)
{
    static const char *const urls[] = {"http://a/", "http://A:80/",
                                       "http://a:81/", "http://b/"};
    for (size_t i = 0; i < COUNT(urls); i++) {
        int rc = ask(world, urls[i], NULL, &answer);
        if (rc < 0)
            return rc;
    }
    return 0;
}

START_TEST(a_connection_belongs_to_host_and_port)
{
    struct world world = {.scenario = ask_two_hosts,
                          SCRIPTS(SCRIPT({EXPECT, GET_A, 0}, {SEND, OK_HI, 0},
                                         {EXPECT, GET_FROM("A"), 0},
                                         {SEND, OK_HI, 0}, {ENDS, NULL, 0}),
                                  ANSWERS(GET_FROM("a:81"), OK_HI),
                                  ANSWERS(GET_FROM("b"), OK_HI))};
    ck_assert_int_eq(world_run(&world), 0);
    ck_assert_str_eq(world.hosts[0], "a:80");
    ck_assert_str_eq(world.hosts[1], "a:81");
    ck_assert_str_eq(world.hosts[2], "b:80");
}

END_TEST

/* Asks (count) times at once, and leaves all connections to the client. */
static int ask_at_once(struct world *world, const char *const *urls,
                       size_t count)
{
    struct sill_http_call *calls[8] = {NULL};
    for (size_t i = 0; i < count; i++)
        ck_assert_int_eq(sill_http_call_open(&world->client, urls[i], NULL,
                                             &calls[i], soon()),
                         0);
    for (size_t i = 0; i < count; i++)
        ck_assert_int_eq(hear(calls[i], &answer), 0);
    return 0;
}

static int fill_pool(struct world *world)
{
    static const char *const urls[] = {"http://a", "http://a", "http://a",
                                       "http://b", "http://c"};
    world->client.idle_per_host = 2;
    world->client.idle_max = 3;
    ask_at_once(world, urls, 3);
    ck_assert_uint_eq(world->client.stats.idle, 2);
    ask_at_once(world, urls + 3, 2);
    ck_assert_uint_eq(world->client.stats.idle, 3);
    /* The oldest one had to go; the latest one to (a) is there. */
    ck_assert_int_eq(ask(world, "http://a", NULL, &answer), 0);
    ck_assert_uint_eq(world->client.stats.reused, 1);
    return 0;
}

START_TEST(the_pool_is_bounded)
{
    PLAY(fill_pool, ANSWERS(GET_A, OK_HI), ANSWERS(GET_A, OK_HI),
         SCRIPT({EXPECT, GET_A, 0}, {SEND, OK_HI, 0}, {EXPECT, GET_A, 0},
                {SEND, OK_HI, 0}, {ENDS, NULL, 0}),
         ANSWERS(GET_FROM("b"), OK_HI), ANSWERS(GET_FROM("c"), OK_HI));
}

END_TEST

START_TEST(a_connection_is_not_kept_for_ever)
{
    struct world world = {
        .scenario = ask_twice,
        SCRIPTS(ANSWERS(GET_A, OK_HI), ANSWERS(GET_A, OK_HI))};
    world.client.idle_timeout = 1;
    ck_assert_int_eq(world_run(&world), 0);
    ck_assert_uint_eq(world.client.stats.reused, 0);
}

END_TEST

static int ask_when_told(struct world *world)
{
    int rc = ask(world, url, &wish, &answer);
    if (rc == 0)
        rc = sill_suspend(&world->told, soon());
    sill_yield();
    return rc < 0 ? rc : ask(world, url, &wish, &other);
}

/* A peer that ends its connection, or talks on, between two calls. */
START_TEST(a_dead_connection_is_noticed)
{
    const struct step *const dying[] = {
        SCRIPT({EXPECT, GET_A, 0}, {SEND, OK_HI, 0}, {TELL, NULL, 0}),
        SCRIPT({EXPECT, GET_A, 0}, {SEND, OK_HI, 0}, {SEND, "x", 0},
               {TELL, NULL, 0}, {ENDS, NULL, 0}),
    };
    for (size_t i = 0; i < COUNT(dying); i++) {
        struct world world = {.scenario = ask_when_told,
                              SCRIPTS(dying[i], ANSWERS(GET_A, OK_HI))};
        ck_assert_int_eq(world_run(&world), 0);
        is_answer(&other, 200, "hi");
        ck_assert_uint_eq(world.client.stats.retries, 0);
        ck_assert_uint_eq(world.client.stats.reused, 0);
    }
}

END_TEST

/* One that dies when it is asked again. */
#define DIES(request)                                                          \
    SCRIPT({EXPECT, GET_A, 0}, {SEND, OK_HI, 0}, {EXPECT, request, 0})

static int ask_get_then_wish(struct world *world)
{
    int rc = ask(world, url, NULL, &answer);
    return rc < 0 ? rc : ask(world, url, &wish, &other);
}

START_TEST(a_call_moves_off_a_dead_connection)
{
    struct world world = {.scenario = ask_get_then_wish,
                          SCRIPTS(DIES(GET_A), ANSWERS(GET_A, OK_HI))};
    ck_assert_int_eq(world_run(&world), 0);
    is_answer(&other, 200, "hi");
    ck_assert_uint_eq(world.client.stats.retries, 1);
    /* Also over sockets, where it may be a reset. */
    world.loopback = true;
    ck_assert_int_eq(world_run(&world), 0);
    is_answer(&other, 200, "hi");
}

END_TEST

START_TEST(a_call_moves_with_its_body)
{
    static const char put[] =
        "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi";
    wish.method = "PUT";
    wish.body = "hi";
    wish.body_size = 2;
    PLAY(ask_get_then_wish, DIES(put), ANSWERS(put, OK_HI));
    is_answer(&other, 200, "hi");
}

END_TEST

START_TEST(a_call_moves_once)
{
    struct world world = {.scenario = ask_get_then_wish,
                          SCRIPTS(DIES(GET_A), SCRIPT({EXPECT, GET_A, 0}))};
    ck_assert_int_eq(world_run(&world), SILL_EOF);
    ck_assert_uint_eq(world.client.stats.retries, 1);
}

END_TEST

START_TEST(a_call_that_was_heard_stays)
{
    struct world world = {.scenario = ask_get_then_wish,
                          SCRIPTS(SCRIPT({EXPECT, GET_A, 0}, {SEND, OK_HI, 0},
                                         {EXPECT, GET_A, 0}, {SEND, "H", 0}))};
    ck_assert_int_eq(world_run(&world), SILL_EOF);
    ck_assert_uint_eq(world.client.stats.retries, 0);
}

END_TEST

START_TEST(a_call_that_does_harm_stays)
{
    static const char post[] = POST_A "Content-Length: 2\r\n\r\nhi";
    struct world world = {.scenario = ask_get_then_wish, SCRIPTS(DIES(post))};
    wish.method = "POST";
    wish.body = "hi";
    wish.body_size = 2;
    ck_assert_int_eq(world_run(&world), SILL_EOF);
    ck_assert_uint_eq(world.client.stats.retries, 0);
}

END_TEST

static int get_then_stream(struct world *world)
{
    const struct sill_http_call_options options = {
        .method = "PUT", .streams_body = true, .length = 2};
    struct sill_http_call *call = NULL;
    int rc = ask(world, url, NULL, &answer);
    if (rc == 0)
        rc = sill_http_call_open(&world->client, url, &options, &call, soon());
    if (rc < 0)
        return rc;
    ck_assert_int_eq(sill_http_call_write(call, "hi", 2, soon()), 0);
    return hear(call, &answer);
}

START_TEST(a_call_that_streams_stays)
{
    struct world world = {
        .scenario = get_then_stream,
        SCRIPTS(
            DIES("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"))};
    ck_assert_int_eq(world_run(&world), SILL_EOF);
    ck_assert_uint_eq(world.client.stats.retries, 0);
}

END_TEST

/* Calls that are closed before their end. */

static int close_unread(struct world *world)
{
    const struct sill_http_head *head;
    struct sill_http_call *call;
    ck_assert_int_eq(
        sill_http_call_open(&world->client, url, NULL, &call, soon()), 0);
    ck_assert_int_eq(sill_http_call_response(call, &head, soon()), 0);
    /* Let the body come, as far as it does. */
    for (int i = 0; i < 8; i++)
        sill_yield();
    sill_http_call_close(call);
    kept = world->client.stats.idle;
    return 0;
}

START_TEST(a_little_body_is_dropped_and_the_connection_kept)
{
    PLAY(close_unread, ANSWERS(GET_A, OK_HI));
    ck_assert_uint_eq(kept, 1);
    PLAY(close_unread, ANSWERS(GET_A, CHUNKED "2\r\nhi\r\n0\r\n\r\n"));
    ck_assert_uint_eq(kept, 1);
}

END_TEST

START_TEST(a_body_that_did_not_come_is_not_waited_for)
{
    PLAY(close_unread,
         SCRIPT({EXPECT, GET_A, 0},
                {SEND, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhi", 0},
                {ENDS, NULL, 0}));
    ck_assert_uint_eq(kept, 0);
}

END_TEST

START_TEST(a_large_body_is_not_drained)
{
    static char much[1 << 18];
    memset(much, 'x', sizeof(much));
    struct world world = {
        .scenario = close_unread,
        SCRIPTS(SCRIPT(
            {EXPECT, GET_A, 0},
            {SEND, "HTTP/1.1 200 OK\r\nContent-Length: 262144\r\n\r\n", 0},
            {SEND, much, sizeof(much)}, {ENDS, NULL, 0}))};
    world.capacity = sizeof(much) + 100;
    ck_assert_int_eq(world_run(&world), 0);
    ck_assert_uint_eq(kept, 0);
}

END_TEST

static int close_at_once(struct world *world)
{
    struct sill_http_call *call;
    ck_assert_int_eq(
        sill_http_call_open(&world->client, url, NULL, &call, soon()), 0);
    sill_http_call_close(call);
    kept = world->client.stats.idle;
    return 0;
}

START_TEST(a_call_without_its_response_leaves_nothing)
{
    PLAY(close_at_once, SCRIPT({GONE, NULL, 0}));
    ck_assert_uint_eq(kept, 0);
}

END_TEST

/* Deadlines. */

static int be_impatient(struct world *world)
{
    struct sill_http_call *call;
    const struct sill_http_head *head;
    char byte;
    ck_assert_int_eq(
        sill_http_call_open(&world->client, url, NULL, &call, soon()), 0);
    sill_time deadline = sill_after(10 * SILL_MILLISECOND);
    ck_assert_int_eq(sill_http_call_response(call, &head, deadline),
                     SILL_ETIMEDOUT);
    ck_assert_int_ge(sill_now(), deadline);
    ck_assert_int_eq(sill_http_call_response(call, &head, SILL_PAST),
                     SILL_ETIMEDOUT);
    sill_resume(&world->asked, 0);
    ck_assert_int_eq(sill_http_call_response(call, &head, soon()), 0);
    ck_assert_int_eq(sill_http_call_read(call, &byte, 1, soon()), 1);
    deadline = sill_after(10 * SILL_MILLISECOND);
    ck_assert_int_eq(sill_http_call_read(call, &byte, 1, deadline),
                     SILL_ETIMEDOUT);
    ck_assert_int_ge(sill_now(), deadline);
    sill_resume(&world->asked, 0);
    ck_assert_int_eq(sill_http_call_read(call, &byte, 1, soon()), 1);
    ck_assert_int_eq(sill_http_call_read(call, &byte, 1, soon()), 0);
    sill_http_call_close(call);
    ck_assert_uint_eq(world->client.stats.idle, 1);
    return 0;
}

START_TEST(a_deadline_ends_the_wait_and_not_the_call)
{
    PLAY(be_impatient,
         SCRIPT({EXPECT, GET_A, 0}, {LISTEN, NULL, 0},
                {SEND, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nh", 0},
                {LISTEN, NULL, 0}, {SEND, "i", 0}, {ENDS, NULL, 0}));
}

END_TEST

static int send_in_vain(struct world *world)
{
    static char much[4096];
    struct sill_http_call *call;
    wish.method = "POST";
    wish.body = much;
    wish.body_size = sizeof(much);
    sill_time deadline = sill_after(10 * SILL_MILLISECOND);
    int rc = sill_http_call_open(&world->client, url, &wish, &call, deadline);
    ck_assert_int_ge(sill_now(), deadline);
    ck_assert_ptr_eq(call, NULL);
    sill_resume(&world->asked, 0);
    return rc;
}

START_TEST(a_deadline_ends_the_sending)
{
    struct world world = {.scenario = send_in_vain,
                          SCRIPTS(SCRIPT({LISTEN, NULL, 0}, {GONE, NULL, 0}))};
    world.capacity = 512;
    ck_assert_int_eq(world_run(&world), SILL_ETIMEDOUT);
}

END_TEST

/* Redirects. */

#define REDIRECT(status, to)                                                   \
    "HTTP/1.1 " status " Go\r\nLocation: " to "\r\nContent-Length: "           \
    "3\r\n\r\nbye"

#define POST_BODY(path)                                                        \
    "POST " path " HTTP/1.1\r\nHost: a\r\nContent-Type: x\r\n"                 \
    "Content-Length: 2\r\n\r\nhi"
#define GET_NEXT "GET /next HTTP/1.1\r\nHost: a\r\n\r\n"

static const struct {
    const char *status, *method, *first, *second;
} turns[] = {
    {"301", "GET", GET_A, GET_NEXT},
    {"302", "GET", GET_A, GET_NEXT},
    {"303", "GET", GET_A, GET_NEXT},
    {"307", "GET", GET_A, GET_NEXT},
    {"308", "GET", GET_A, GET_NEXT},
    {"301", "POST", POST_BODY("/"), GET_NEXT},
    {"302", "POST", POST_BODY("/"), GET_NEXT},
    {"303", "POST", POST_BODY("/"), GET_NEXT},
    {"307", "POST", POST_BODY("/"), POST_BODY("/next")},
    {"308", "POST", POST_BODY("/"), POST_BODY("/next")},
    {"303", "HEAD", "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
     "HEAD /next HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"301", "DELETE", "DELETE / HTTP/1.1\r\nHost: a\r\n\r\n",
     "DELETE /next HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"303", "DELETE", "DELETE / HTTP/1.1\r\nHost: a\r\n\r\n", GET_NEXT},
};

START_TEST(a_redirect_is_followed)
{
    static const struct sill_http_header type[] = {
        {SILL_HTTP_VIEW_INIT("Content-Type"), SILL_HTTP_VIEW_INIT("x")}};
    const char *method = turns[_i].method;
    char response[128];
    bool post = strcmp(method, "POST") == 0, head = strcmp(method, "HEAD") == 0;
    snprintf(response, sizeof(response),
             "HTTP/1.1 %s Go\r\nLocation: next\r\nContent-Length: 3\r\n\r\n%s",
             turns[_i].status, head ? "" : "bye");
    wish.method = method;
    wish.headers = type;
    wish.header_count = post;
    wish.body = post ? "hi" : NULL;
    wish.body_size = post ? 2 : 0;
    wish.redirects_max = 1;
    struct world world = {
        .scenario = ask_once,
        SCRIPTS(SCRIPT({EXPECT, turns[_i].first, 0}, {SEND, response, 0},
                       {EXPECT, turns[_i].second, 0}, {SEND, OK_NONE, 0},
                       {ENDS, NULL, 0}))};
    ck_assert_int_eq(world_run(&world), 0);
    is_answer(&answer, 200, "");
    ck_assert_str_eq(answer.url, "http://a/next");
    ck_assert_uint_eq(world.client.stats.redirects, 1);
}

END_TEST

/* What told of the body goes with it, and nothing else does. */
START_TEST(a_lost_body_takes_its_headers_along)
{
    static const struct sill_http_header headers[] = {
        {SILL_HTTP_VIEW_INIT("content-type"), SILL_HTTP_VIEW_INIT("x")},
        {SILL_HTTP_VIEW_INIT("X"), SILL_HTTP_VIEW_INIT("y")},
        {SILL_HTTP_VIEW_INIT("Contents-Of"), SILL_HTTP_VIEW_INIT("z")},
        {SILL_HTTP_VIEW_INIT("Content-Language"), SILL_HTTP_VIEW_INIT("x")},
    };
    wish.method = "POST";
    wish.headers = headers;
    wish.header_count = COUNT(headers);
    wish.body = "hi";
    wish.body_size = 2;
    wish.redirects_max = 1;
    PLAY(ask_once,
         SCRIPT({EXPECT,
                 "POST / HTTP/1.1\r\nHost: a\r\ncontent-type: x\r\nX: y\r\n"
                 "Contents-Of: z\r\nContent-Language: x\r\n"
                 "Content-Length: 2\r\n\r\nhi",
                 0},
                {SEND, REDIRECT("303", "/next"), 0},
                {EXPECT,
                 "GET /next HTTP/1.1\r\nHost: a\r\nX: y\r\n"
                 "Contents-Of: z\r\n\r\n",
                 0},
                {SEND, OK_HI, 0}, {ENDS, NULL, 0}));
    is_answer(&answer, 200, "hi");
}

END_TEST

static const char *const no_turns[] = {
    REDIRECT("200", "/x"), REDIRECT("300", "/x"),
    REDIRECT("304", "/x"), REDIRECT("305", "/x"),
    REDIRECT("400", "/x"), "HTTP/1.1 301 Go\r\nContent-Length: 3\r\n\r\nbye",
};

START_TEST(other_responses_are_none)
{
    wish.redirects_max = 1;
    const char *response = no_turns[_i];
    PLAY(ask_once,
         SCRIPT({EXPECT, GET_A, 0}, {SEND, response, 0}, {GONE, NULL, 0}));
    ck_assert_int_eq(answer.rc, 0);
    ck_assert_str_eq(answer.url, "http://a/");
}

END_TEST

START_TEST(redirects_are_an_option)
{
    PLAY(ask_once, ANSWERS(GET_A, REDIRECT("301", "/x")));
    is_answer(&answer, 301, "bye");
    ck_assert_str_eq(answer.headers, "Location=/x;Content-Length=3;");
}

END_TEST

START_TEST(redirects_have_a_bound)
{
    struct world world = {
        .scenario = ask_once,
        SCRIPTS(SCRIPT({EXPECT, GET_A, 0}, {SEND, REDIRECT("301", "/"), 0},
                       {EXPECT, GET_A, 0}, {SEND, REDIRECT("302", "/"), 0},
                       {EXPECT, GET_A, 0}, {SEND, REDIRECT("307", "/"), 0},
                       {ENDS, NULL, 0}))};
    wish.redirects_max = 2;
    ck_assert_int_eq(world_run(&world), SILL_EMSGSIZE);
    ck_assert_int_eq(answer.error, 0);
    ck_assert_uint_eq(world.client.stats.redirects, 2);
}

END_TEST

static const char *const bad_locations[] = {
    REDIRECT("301", "https://a/"), REDIRECT("301", "ftp://a/"),
    REDIRECT("301", "http://"),    REDIRECT("301", "http://u@a/"),
    REDIRECT("301", "a b"),        REDIRECT("301", "\xc3\xa9"),
};

START_TEST(a_redirect_leads_to_http_only)
{
    struct world world = {
        .scenario = ask_once,
        SCRIPTS(SCRIPT({EXPECT, GET_A, 0}, {SEND, bad_locations[_i], 0},
                       {GONE, NULL, 0}))};
    wish.redirects_max = 9;
    ck_assert_int_eq(world_run(&world), SILL_EPROTO);
    ck_assert_int_eq(answer.error, SILL_HTTP_EURL);
}

END_TEST

START_TEST(secrets_stay_with_their_host)
{
    static const struct sill_http_header secrets[] = {
        {SILL_HTTP_VIEW_INIT("Authorization"), SILL_HTTP_VIEW_INIT("me")},
        {SILL_HTTP_VIEW_INIT("cookie"), SILL_HTTP_VIEW_INIT("c")},
        {SILL_HTTP_VIEW_INIT("Proxy-Authorization"), SILL_HTTP_VIEW_INIT("p")},
        {SILL_HTTP_VIEW_INIT("X"), SILL_HTTP_VIEW_INIT("y")},
    };
#define SECRETS      "Authorization: me\r\ncookie: c\r\nProxy-Authorization: p\r\n"
#define TELLING      "GET / HTTP/1.1\r\nHost: a\r\n" SECRETS "X: y\r\n\r\n"
#define SILENT(host) "GET / HTTP/1.1\r\nHost: " host "\r\nX: y\r\n\r\n"
    wish.headers = secrets;
    wish.header_count = COUNT(secrets);
    wish.redirects_max = 9;
    struct world world = {
        .scenario = ask_once,
        SCRIPTS(
            SCRIPT({EXPECT, TELLING, 0}, {SEND, REDIRECT("301", "http://A"), 0},
                   {EXPECT,
                    "GET / HTTP/1.1\r\nHost: A\r\n" SECRETS "X: y\r\n\r\n", 0},
                   {SEND, REDIRECT("301", "http://a:81"), 0}, {ENDS, NULL, 0}),
            ANSWERS(SILENT("a:81"), REDIRECT("307", "//b/")),
            ANSWERS(SILENT("b"), OK_HI))};
    ck_assert_int_eq(world_run(&world), 0);
    is_answer(&answer, 200, "hi");
    ck_assert_str_eq(answer.url, "http://b/");
}

END_TEST

START_TEST(a_redirect_may_end_the_connection)
{
    wish.redirects_max = 1;
    PLAY(ask_once,
         SCRIPT({EXPECT, GET_A, 0},
                {SEND, "HTTP/1.1 302 Go\r\nLocation: /next\r\n\r\nuntil", 0}),
         ANSWERS(GET_NEXT, OK_HI));
    is_answer(&answer, 200, "hi");
}

END_TEST

static int stream_and_redirect(struct world *world)
{
    const struct sill_http_call_options options = {.method = "POST",
                                                   .streams_body = true,
                                                   .length = 2,
                                                   .redirects_max = 1};
    struct sill_http_call *call;
    ck_assert_int_eq(
        sill_http_call_open(&world->client, url, &options, &call, soon()), 0);
    ck_assert_int_eq(sill_http_call_write(call, "hi", 2, soon()), 0);
    return hear(call, &answer);
}

START_TEST(a_streamed_body_is_not_sent_again)
{
    static const char post[] = POST_A "Content-Length: 2\r\n\r\nhi";
    PLAY(stream_and_redirect, ANSWERS(post, REDIRECT("307", "/next")));
    is_answer(&answer, 307, "bye");
    PLAY(stream_and_redirect,
         SCRIPT({EXPECT, post, 0}, {SEND, REDIRECT("303", "/next"), 0},
                {EXPECT, GET_NEXT, 0}, {SEND, OK_HI, 0}, {ENDS, NULL, 0}));
    is_answer(&answer, 200, "hi");
}

END_TEST

START_TEST(a_question_may_be_answered_by_a_redirect)
{
    wish_to_ask();
    wish.redirects_max = 1;
    PLAY(ask_once,
         SCRIPT({EXPECT, ASKS, 0}, {SEND, REDIRECT("303", "/next"), 0},
                {ENDS, NULL, 0}),
         ANSWERS(GET_NEXT, OK_HI));
    is_answer(&answer, 200, "hi");
}

END_TEST

/* Hosts: no hook for connections here, but real ones. */

static struct sill_address ours;

static int serve_one(void *arg)
{
    static const char text[] = OK_HI;
    struct sill_listener *listener = arg;
    struct sill_stream stream;
    char request[256];
    int rc = sill_listener_accept(listener, &stream, soon());
    if (rc < 0)
        return rc;
    ck_assert_int_gt(
        sill_stream_read(&stream, request, sizeof(request), soon()), 0);
    ck_assert_int_eq(
        sill_stream_write_all(&stream, text, sizeof(text) - 1, NULL, soon()),
        0);
    ck_assert_int_eq(sill_stream_read(&stream, request, 1, soon()), 0);
    sill_stream_close(&stream);
    return 0;
}

/* Asks (host) at (client), where one connection is answered on 127.0.0.1. */
static int ask_host(struct sill_http_client *client, const char *host)
{
    struct sill_listener listener;
    struct sill_task *server;
    struct sill_http_call *call;
    char text[300];
    int rc = sill_address_ip(&ours, "127.0.0.1", 0);
    if (rc == 0)
        rc = sill_listener_listen(&listener, &ours, NULL);
    ck_assert_int_eq(rc, 0);
    ck_assert_int_eq(sill_listener_local(&listener, &ours), 0);
    ck_assert_int_eq(sill_spawn(serve_one, &listener, &server), 0);
    snprintf(text, sizeof(text), "http://%s:%u/", host, (unsigned)ours.port);
    rc = sill_http_call_open(client, text, NULL, &call, soon());
    if (rc == 0)
        rc = hear(call, &answer);
    sill_http_client_close(client);
    if (rc < 0)
        sill_listener_close(&listener);
    int served;
    ck_assert_int_eq(sill_await(server, &served, soon()), 0);
    ck_assert_int_eq(served, rc < 0 ? SILL_ECLOSED : 0);
    sill_listener_close(&listener);
    return rc;
}

static int know_this_machine(void *unused)
{
    struct sill_http_client client = {0};
    (void)unused;
    ck_assert_int_eq(ask_host(&client, "127.0.0.1"), 0);
    is_answer(&answer, 200, "hi");
    ck_assert_int_eq(ask_host(&client, "LocalHost"), 0);
    ck_assert_int_eq(ask_host(&client, "[::ffff:127.0.0.1]"), 0);
    ck_assert_int_eq(ask_host(&client, "localhost.example"), SILL_ENOENT);
    ck_assert_int_eq(ask_host(&client, "example.com"), SILL_ENOENT);
    return 0;
}

START_TEST(numbers_and_localhost_need_no_resolver)
{
    ck_assert_int_eq(sill_run(know_this_machine, NULL), 0);
}

END_TEST

static int resolved; /* what the hook returns */

static int resolve(void *arg, const char *host, struct sill_address *addresses,
                   size_t room, sill_time deadline)
{
    static const char *const hosts[] = {"127.0.0.1", "127.0.0.1", "127.0.0.1"};
    ck_assert_ptr_eq(arg, &resolved);
    ck_assert_str_eq(host, "name.example");
    ck_assert_uint_ge(room, COUNT(hosts));
    ck_assert_int_gt(deadline, sill_now());
    for (size_t i = 0; i < COUNT(hosts); i++)
        ck_assert_int_eq(sill_address_ip(&addresses[i], hosts[i], 9), 0);
    /* Nobody listens at the first one: an address that cannot be reached. */
    addresses[0].u.ipv4[3] = 99;
    return resolved;
}

static int ask_resolver(void *unused)
{
    struct sill_http_client client = {.resolve = resolve, .arg = &resolved};
    (void)unused;
    resolved = 2;
    ck_assert_int_eq(ask_host(&client, "name.example"), 0);
    is_answer(&answer, 200, "hi");
    resolved = 1;
    ck_assert_int_eq(ask_host(&client, "name.example"), SILL_ECONNREFUSED);
    resolved = 0;
    ck_assert_int_eq(ask_host(&client, "name.example"), SILL_ENOENT);
    resolved = SILL_EIO;
    ck_assert_int_eq(ask_host(&client, "name.example"), SILL_EIO);
    return 0;
}

START_TEST(a_resolver_can_be_given)
{
    ck_assert_int_eq(sill_run(ask_resolver, NULL), 0);
}

END_TEST

/* With our own server, more than fits anywhere, up and down. */

enum { LARGE = 3 << 20 };

static char pattern(size_t at)
{
    return (char)((at * 31) >> 3);
}

static void fill_pattern(char *piece, size_t size, size_t at)
{
    for (size_t i = 0; i < size; i++)
        piece[i] = pattern(at + i);
}

static size_t check_pattern(const char *piece, size_t size, size_t at)
{
    size_t i = 0;
    while (i < size && piece[i] == pattern(at + i))
        i++;
    ck_assert_uint_eq(i, size);
    return size;
}

static int swallow_and_return(void *arg, struct sill_http_exchange *exchange)
{
    static char piece[7000];
    size_t seen = 0;
    ssize_t got;
    (void)arg;
    while ((got = sill_http_request_read(exchange, piece, sizeof(piece),
                                         SILL_NEVER)) > 0)
        seen += check_pattern(piece, (size_t)got, seen);
    const struct sill_http_head *request = sill_http_request(exchange);
    bool in_chunks = request->content_length == SILL_HTTP_NO_LENGTH;
    int rc = sill_http_response_begin(exchange, 200,
                                      in_chunks ? SILL_HTTP_NO_LENGTH : seen);
    for (size_t at = 0; rc == 0 && at < seen; at += sizeof(piece)) {
        size_t size = seen - at < sizeof(piece) ? seen - at : sizeof(piece);
        fill_pattern(piece, size, at);
        rc = sill_http_response_write(exchange, piece, size, SILL_NEVER);
    }
    return rc < 0 ? rc : (int)got;
}

struct serving {
    struct sill_http_server server;
    struct sill_listener listener;
};

static int serve(void *arg)
{
    struct serving *serving = arg;
    return sill_http_serve(&serving->server, &serving->listener, SILL_NEVER);
}

static void send_large(struct sill_http_call *call)
{
    static char piece[10000];
    for (size_t at = 0; at < LARGE; at += sizeof(piece)) {
        size_t size = LARGE - at < sizeof(piece) ? LARGE - at : sizeof(piece);
        fill_pattern(piece, size, at);
        ck_assert_int_eq(sill_http_call_write(call, piece, size, soon()), 0);
    }
}

static void receive_large(struct sill_http_call *call)
{
    static char piece[30000];
    const struct sill_http_head *head;
    size_t seen = 0;
    ssize_t got;
    ck_assert_int_eq(sill_http_call_response(call, &head, soon()), 0);
    while ((got = sill_http_call_read(call, piece, sizeof(piece), soon())) > 0)
        seen += check_pattern(piece, (size_t)got, seen);
    ck_assert_int_eq(got, 0);
    ck_assert_uint_eq(seen, LARGE);
}

static void exchange_large(struct sill_http_client *client, const char *where)
{
    const uint64_t lengths[] = {LARGE, SILL_HTTP_NO_LENGTH};
    for (size_t i = 0; i < COUNT(lengths); i++) {
        const struct sill_http_call_options options = {
            .method = "POST", .streams_body = true, .length = lengths[i]};
        struct sill_http_call *call;
        ck_assert_int_eq(
            sill_http_call_open(client, where, &options, &call, soon()), 0);
        send_large(call);
        receive_large(call);
        sill_http_call_close(call);
    }
    ck_assert_uint_eq(client->stats.connections, 1);
    ck_assert_uint_eq(client->stats.reused, 1);
}

static int meet_our_server(void *unused)
{
    static struct serving serving;
    struct sill_http_client client = {0};
    struct sill_trigger stop = SILL_TRIGGER_INIT;
    struct sill_task *task;
    char where[64];
    (void)unused;
    serving.server.handler = swallow_and_return;
    serving.server.stop = &stop;
    ck_assert_int_eq(sill_address_ip(&ours, "127.0.0.1", 0), 0);
    ck_assert_int_eq(sill_listener_listen(&serving.listener, &ours, NULL), 0);
    ck_assert_int_eq(sill_listener_local(&serving.listener, &ours), 0);
    ck_assert_int_eq(sill_spawn(serve, &serving, &task), 0);
    snprintf(where, sizeof(where), "http://127.0.0.1:%u/", (unsigned)ours.port);
    exchange_large(&client, where);
    sill_http_client_close(&client);
    sill_resume(&stop, 0);
    ck_assert_int_eq(sill_await(task, NULL, soon()), 0);
    return 0;
}

START_TEST(our_server_understands)
{
    ck_assert_int_eq(sill_run(meet_our_server, NULL), 0);
}

END_TEST

/*
 * The unhappy half: scenarios that are cancelled at each step, or that run out
 * of memory at each allocation. Afterwards the client works as before: what it
 * kept is sound.
 */

#define SERVES SCRIPT({SERVE, OK_HI, 0})

static int redirected(struct world *world)
{
    wish.redirects_max = 2;
    return ask(world, "http://a/away", &wish, &other);
}

static int asking(struct world *world)
{
    wish_to_ask();
    return ask(world, url, &wish, &other);
}

static int twice(struct world *world)
{
    int rc = ask(world, url, NULL, &other);
    return rc < 0 ? rc : ask(world, url, NULL, &other);
}

static int leave_unread(struct world *world)
{
    const struct sill_http_head *head;
    struct sill_http_call *call;
    int rc = sill_http_call_open(&world->client, url, NULL, &call, soon());
    if (rc < 0)
        return rc;
    rc = sill_http_call_response(call, &head, soon());
    sill_http_call_close(call);
    return rc;
}

#define THEN_GETS                                                              \
    {                                                                          \
        SERVE, OK_HI, 0                                                        \
    }

#define NO_AND_CLOSE                                                           \
    "HTTP/1.1 413 No\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno"

/* What a scenario meets; whatever connections it makes later are served. */
static const struct {
    int (*scenario)(struct world *);
    const struct step *first, *second;
} unhappy[] = {
    {twice, SERVES, SERVES},
    {leave_unread, SERVES, SERVES},
    {stream_chunks,
     SCRIPT({EXPECT, CHUNKS_SENT, 0}, {TRICKLE, CONTINUE OK_HI, 0}, THEN_GETS),
     SERVES},
    {asking,
     SCRIPT({EXPECT, ASKS, 0}, {SEND, CONTINUE, 0}, {EXPECT, "12345", 0},
            {TRICKLE, CHUNKED "2\r\nhi\r\n0\r\nT: u\r\n\r\n", 0}, THEN_GETS),
     SERVES},
    {stream_asking,
     SCRIPT({EXPECT, ASKS, 0}, {SEND, NO_AND_CLOSE, 0}, {GONE, NULL, 0}),
     SERVES},
    {redirected,
     SCRIPT({EXPECT, "GET /away HTTP/1.1\r\nHost: a\r\n\r\n", 0},
            {TRICKLE, REDIRECT("302", "http://b/"), 0}, THEN_GETS),
     SCRIPT({EXPECT, GET_FROM("b"), 0},
            {TRICKLE, REDIRECT("302", "http://a"), 0}, {GONE, NULL, 0})},
    {twice, SCRIPT({EXPECT, GET_A, 0}, {SEND, OK_HI, 0}, {EXPECT, GET_A, 0}),
     SERVES},
};

static int (*victim)(struct world *world);
static const struct step *scripts[8];
static size_t steps;
static bool finished;

static int run_victim(void *arg)
{
    int rc = victim(arg);
    finished = true;
    return rc;
}

static const struct step serves[] = {{SERVE, OK_HI, 0}, {DONE, NULL, 0}};

/* Whatever was kept must serve, and so must a new connection. */
static void check_pool(struct world *world)
{
    for (size_t i = world->begun; i < COUNT(scripts); i++)
        scripts[i] = serves;
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(ask(world, "http://a/", NULL, &answer), 0);
        is_answer(&answer, 200, "hi");
    }
}

static int cancel_it(struct world *world)
{
    struct sill_task *task;
    finished = false;
    ck_assert_int_eq(sill_spawn(run_victim, world, &task), 0);
    for (size_t i = 0; i < steps && !finished; i++)
        sill_yield();
    bool was_finished = finished;
    ck_assert_int_eq(sill_cancel(task, soon()), 0);
    finished = was_finished;
    check_pool(world);
    return 0;
}

static struct world unhappy_world(int i, int (*scenario)(struct world *))
{
    for (size_t n = 0; n < COUNT(scripts); n++)
        scripts[n] = serves;
    scripts[0] = unhappy[i].first;
    scripts[1] = unhappy[i].second;
    memset(&wish, 0, sizeof(wish));
    return (struct world){.scenario = scenario,
                          .scripts = scripts,
                          .count = COUNT(scripts),
                          .tolerant = true};
}

START_TEST(a_cancelled_call_leaves_nothing)
{
    const size_t capacities[] = {7, 65536};
    victim = unhappy[_i].scenario;
    for (size_t c = 0; c < COUNT(capacities); c++) {
        finished = false;
        for (steps = 0; !finished; steps++) {
            struct world world = unhappy_world(_i, cancel_it);
            world.capacity = capacities[c];
            ck_assert_int_eq(world_run(&world), 0);
            ck_assert_uint_lt(steps, 5000);
        }
        ck_assert_uint_gt(steps, 3);
    }
}

END_TEST

/* Over sockets it takes as many steps as the machine likes. */
START_TEST(a_cancelled_call_leaves_no_socket)
{
    victim = unhappy[_i].scenario;
    for (steps = 0; steps < 60; steps++) {
        struct world world = unhappy_world(_i, cancel_it);
        world.loopback = true;
        ck_assert_int_eq(world_run(&world), 0);
    }
}

END_TEST

static int starve_it(struct world *world)
{
    arm(steps);
    int rc = victim(world);
    finished = blocks_made() < steps;
    arm(0);
    ck_assert_int_eq(rc, finished ? 0 : SILL_ENOMEM);
    check_pool(world);
    return 0;
}

START_TEST(memory_may_run_out)
{
    victim = unhappy[_i].scenario;
    finished = false;
    for (steps = 1; !finished; steps++) {
        struct world world = unhappy_world(_i, starve_it);
        ck_assert_int_eq(world_run(&world), 0);
        ck_assert_uint_lt(steps, 1000);
    }
    ck_assert_uint_gt(steps, 3);
}

END_TEST

static int break_it(struct world *world)
{
    world->fails_at = steps;
    int rc = victim(world);
    finished = world->operations < steps;
    world->fails_at = 0;
    if (finished)
        ck_assert_int_eq(rc, 0);
    check_pool(world);
    return 0;
}

START_TEST(any_read_or_write_may_fail)
{
    static const int failures[] = {SILL_ECONNRESET, SILL_EPIPE, SILL_EIO,
                                   SILL_ENOMEM, SILL_ETIMEDOUT};
    victim = unhappy[_i].scenario;
    for (size_t f = 0; f < COUNT(failures); f++) {
        finished = false;
        for (steps = 1; !finished; steps++) {
            struct world world = unhappy_world(_i, break_it);
            world.fails_with = failures[f];
            world.moves = f % 2 == 0 ? 0 : 5;
            ck_assert_int_eq(world_run(&world), 0);
            ck_assert_uint_lt(steps, 5000);
        }
        ck_assert_uint_gt(steps, 3);
    }
}

END_TEST

/* However little each read and write moves, nothing is lost or doubled. */
START_TEST(short_reads_and_writes_change_nothing)
{
    victim = unhappy[_i].scenario;
    for (size_t moves = 1; moves < 8; moves++) {
        struct world world = unhappy_world(_i, unhappy[_i].scenario);
        world.moves = moves;
        ck_assert_int_eq(world_run(&world), 0);
    }
}

END_TEST

static void add_responses(Suite *suite)
{
    TCase *tc = tcase_create("responses");
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, responses_are_taken, 0, (int)COUNT(responses));
    tcase_add_test(tc, trailers_come_after_the_body);
    tcase_add_test(tc, trailers_may_begin_anywhere_in_the_buffer);
    tcase_add_loop_test(tc, faults_have_names, 0, (int)COUNT(faults));
    tcase_add_test(tc, a_fault_is_final);
    tcase_add_test(tc, interim_responses_have_a_bound);
    tcase_add_loop_test(tc, a_peer_may_vanish_at_any_byte, 0,
                        (int)COUNT(whole));
    tcase_add_test(tc, a_reset_is_reported);
    suite_add_tcase(suite, tc);
}

static void add_requests(Suite *suite)
{
    TCase *tc = tcase_create("requests");
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, requests_are_written, 0, (int)COUNT(requests));
    tcase_add_test(tc, urls_are_no_longer_than_their_bound);
    tcase_add_loop_test(tc, nothing_is_slipped_into_a_request, 0,
                        (int)COUNT(refused));
    tcase_add_test(tc, a_body_can_be_sent_in_chunks);
    tcase_add_test(tc, a_body_can_be_sent_by_length);
    tcase_add_test(tc, a_body_is_what_was_said);
    tcase_add_test(tc, an_early_answer_is_heard);
    tcase_add_test(tc, an_early_answer_to_one_piece_is_heard);
    tcase_add_test(tc, the_body_waits_for_100);
    tcase_add_test(tc, a_question_may_be_answered_by_a_fault);
    suite_add_tcase(suite, tc);
}

static void add_connections(Suite *suite)
{
    TCase *tc = tcase_create("connections");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, a_connection_is_used_again);
    tcase_add_test(tc, a_connection_belongs_to_host_and_port);
    tcase_add_test(tc, the_pool_is_bounded);
    tcase_add_test(tc, a_connection_is_not_kept_for_ever);
    tcase_add_test(tc, a_dead_connection_is_noticed);
    tcase_add_test(tc, a_call_moves_off_a_dead_connection);
    tcase_add_test(tc, a_call_moves_with_its_body);
    tcase_add_test(tc, a_call_moves_once);
    tcase_add_test(tc, a_call_that_was_heard_stays);
    tcase_add_test(tc, a_call_that_does_harm_stays);
    tcase_add_test(tc, a_call_that_streams_stays);
    tcase_add_test(tc, a_little_body_is_dropped_and_the_connection_kept);
    tcase_add_test(tc, a_body_that_did_not_come_is_not_waited_for);
    tcase_add_test(tc, a_large_body_is_not_drained);
    tcase_add_test(tc, a_call_without_its_response_leaves_nothing);
    tcase_add_test(tc, a_deadline_ends_the_wait_and_not_the_call);
    tcase_add_test(tc, a_deadline_ends_the_sending);
    suite_add_tcase(suite, tc);
}

static void add_redirects(Suite *suite)
{
    TCase *tc = tcase_create("redirects");
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, a_redirect_is_followed, 0, (int)COUNT(turns));
    tcase_add_test(tc, a_lost_body_takes_its_headers_along);
    tcase_add_loop_test(tc, other_responses_are_none, 0, (int)COUNT(no_turns));
    tcase_add_test(tc, redirects_are_an_option);
    tcase_add_test(tc, redirects_have_a_bound);
    tcase_add_loop_test(tc, a_redirect_leads_to_http_only, 0,
                        (int)COUNT(bad_locations));
    tcase_add_test(tc, secrets_stay_with_their_host);
    tcase_add_test(tc, a_redirect_may_end_the_connection);
    tcase_add_test(tc, a_streamed_body_is_not_sent_again);
    tcase_add_test(tc, a_question_may_be_answered_by_a_redirect);
    suite_add_tcase(suite, tc);
}

static void add_hosts(Suite *suite)
{
    TCase *tc = tcase_create("hosts");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, numbers_and_localhost_need_no_resolver);
    tcase_add_test(tc, a_resolver_can_be_given);
    tcase_add_test(tc, our_server_understands);
    suite_add_tcase(suite, tc);
}

static void add_unhappy(Suite *suite)
{
    TCase *tc = tcase_create("unhappy");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, a_cancelled_call_leaves_nothing, 0,
                        (int)COUNT(unhappy));
    tcase_add_loop_test(tc, a_cancelled_call_leaves_no_socket, 0,
                        (int)COUNT(unhappy));
    tcase_add_loop_test(tc, memory_may_run_out, 0, (int)COUNT(unhappy));
    tcase_add_loop_test(tc, any_read_or_write_may_fail, 0, (int)COUNT(unhappy));
    tcase_add_loop_test(tc, short_reads_and_writes_change_nothing, 0,
                        (int)COUNT(unhappy));
    suite_add_tcase(suite, tc);
}

int main(void)
{
    Suite *suite = suite_create("http client");
    add_responses(suite);
    add_requests(suite);
    add_connections(suite);
    add_redirects(suite);
    add_hosts(suite);
    add_unhappy(suite);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
