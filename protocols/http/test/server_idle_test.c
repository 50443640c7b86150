/* SPDX-License-Identifier: MIT */
/*
 * server_idle_test.c: what a connection holds while nothing happens on it, and
 * how it comes by what it needs when something does.
 */
#include "server_kit.h"

#include <sill/stream_ops.h>

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"

enum { SPARE_MAX = 32, MANY = SPARE_MAX + 8 };

static bool gate_is_open;
static int waiting; /* handlers, before the gate */

static int wait_at_gate(void)
{
    int rc = 0;
    waiting++;
    while (!gate_is_open && rc == 0)
        rc = sill_yield();
    waiting--;
    return rc;
}

static int answer(void *arg, struct sill_http_exchange *x)
{
    (void)arg;
    int rc = 0;
    if (sill_http_request(x)->path.size > 1)
        rc = wait_at_gate();
    return rc != 0 ? rc
                   : sill_http_response_send(x, 200, "hello", 5, SILL_NEVER);
}

static void ask(struct peer *peer)
{
    peer_forget(peer);
    peer_say(peer, GET("/"));
    peer_read_until(peer, "hello", 1);
}

/* Comes when this many handlers wait. */
static void come_to_gate(struct peer *peer, int count)
{
    peer_say(peer, GET("/gate"));
    while (waiting < count)
        ck_assert_int_eq(sill_yield(), 0);
}

/* Lets the server come to rest, with no more than (most) bytes in use. */
static void expect_bytes(size_t most)
{
    for (int i = 0; blocks_bytes() > most; i++) {
        ck_assert_msg(i < 10000, "%zu bytes, more than %zu", blocks_bytes(),
                      most);
        ck_assert_int_eq(sill_yield(), 0);
    }
}

enum { PEERS = 10, EACH = 2048 }; /* bytes, those of the client among them */

/* One connection that pays for what is there once, and some behind it. */
struct crowd {
    struct kit kit;
    struct peer first, peers[PEERS];
    size_t before; /* bytes, with the first one alone */
};

static void crowd_open(struct crowd *crowd)
{
    kit_start(&crowd->kit, answer, NULL);
    peer_open(&crowd->first, &crowd->kit);
    ask(&crowd->first);
    crowd->before = blocks_bytes();
    for (int i = 0; i < PEERS; i++)
        peer_open(&crowd->peers[i], &crowd->kit);
}

/* All hold next to nothing, and are answered all the same. */
static int crowd_close(struct crowd *crowd)
{
    expect_bytes(crowd->before + (size_t)PEERS * EACH);
    for (int i = 0; i < PEERS; i++) {
        ask(&crowd->peers[i]);
        peer_close(&crowd->peers[i]);
    }
    peer_close(&crowd->first);
    return kit_stop(&crowd->kit);
}

/* sill_http.h: "A connection between two requests holds no buffers". */
CASE(connection_between_requests_holds_no_buffers)
{
    struct crowd crowd = {0};
    crowd_open(&crowd);
    for (int i = 0; i < PEERS; i++)
        ask(&crowd.peers[i]);
    return crowd_close(&crowd);
}

/* Nor does one that has not said a word. */
CASE(silent_connection_holds_no_buffers)
{
    struct crowd crowd = {0};
    crowd_open(&crowd);
    while (crowd.kit.server.stats.open < PEERS + 1)
        ck_assert_int_eq(sill_yield(), 0);
    return crowd_close(&crowd);
}

/* Half a head is kept, whatever comes meanwhile. */
CASE(connection_within_a_head_keeps_what_it_has)
{
    struct kit kit = {0};
    struct peer slow, quick;
    kit_start(&kit, answer, NULL);
    peer_open(&slow, &kit);
    peer_open(&quick, &kit);
    ask(&slow);
    peer_forget(&slow);
    peer_say(&slow, "GET / HTT");
    for (int i = 0; i < 10; i++)
        ask(&quick);
    peer_say(&slow, "P/1.1\r\nHost: x\r\n\r\n");
    peer_read_until(&slow, "hello", 1);
    peer_close(&slow);
    peer_close(&quick);
    return kit_stop(&kit);
}

/* What many needed at once is kept for others within a bound, and is free when
 * the server has ended, as CASE sees to. */
CASE(spare_buffers_have_a_bound)
{
    struct kit kit = {0};
    static struct peer peers[MANY];
    kit_start(&kit, answer, NULL);
    for (int i = 0; i < MANY; i++) {
        peer_open(&peers[i], &kit);
        come_to_gate(&peers[i], i + 1);
    }
    gate_is_open = true;
    for (int i = 0; i < MANY; i++) {
        peer_read_until(&peers[i], "hello", 1);
        peer_close(&peers[i]);
    }
    while (kit.server.stats.open > 0)
        ck_assert_int_eq(sill_yield(), 0);
    ck_assert_uint_eq(kit.server.spares, SPARE_MAX);
    return kit_stop(&kit);
}

/* Somebody else has the only buffers, and there is no memory for others. */
static void begin_without_memory(struct kit *kit, struct peer *poor,
                                 struct peer *rich)
{
    blocks_watch();
    kit_start(kit, answer, NULL);
    peer_open(poor, kit);
    ask(poor);
    peer_open(rich, kit);
    come_to_gate(rich, 1);
    peer_forget(poor);
    blocks_fail(1);
    peer_say(poor, GET("/"));
}

/* sill_http.h: "A lack ... of memory" delays "new requests, too, and ends
 * nothing". */
CASE(request_waits_for_memory_and_is_answered)
{
    struct kit kit = {0};
    struct peer poor, rich;
    begin_without_memory(&kit, &poor, &rich);
    peer_read_until(&poor, "hello", 1);
    ck_assert(blocks_failed());
    ck_assert_uint_eq(kit.server.stats.exhausted, 1);
    ck_assert_uint_eq(kit.server.stats.open, 2);
    gate_is_open = true;
    peer_read_until(&rich, "hello", 1);
    peer_close(&poor);
    peer_close(&rich);
    return kit_stop(&kit);
}

/* A request that waits for memory is in hand: the end of the service waits for
 * its answer. */
CASE(request_that_waits_for_memory_is_answered_at_the_end)
{
    struct kit kit = {0};
    struct peer poor, rich;
    begin_without_memory(&kit, &poor, &rich);
    while (kit.server.stats.exhausted == 0)
        ck_assert_int_eq(sill_yield(), 0);
    gate_is_open = true;
    int rc = kit_stop(&kit);
    peer_read_until(&poor, "hello", 1);
    peer_close(&poor);
    peer_close(&rich);
    return rc;
}

CASE(cancel_reaches_a_request_that_waits_for_memory)
{
    struct kit kit = {0};
    struct peer poor, rich;
    begin_without_memory(&kit, &poor, &rich);
    while (kit.server.stats.exhausted == 0)
        ck_assert_int_eq(sill_yield(), 0);
    ck_assert_int_eq(sill_cancel(kit.task, kit_soon()), 0);
    ck_assert_int_eq(kit.result, SILL_ECANCELED);
    peer_read_end(&poor);
    ck_assert_int_eq(count_of(poor.text, "hello"), 0);
    peer_close(&poor);
    peer_close(&rich);
    return 0;
}

static struct kit *deafened;

/* Takes the wait out of the stream that the request came by. */
static int deafen(void *arg, struct sill_http_exchange *x)
{
    static struct sill_stream_ops ops;
    struct sill_connection *c =
        sill_service_next(&deafened->server.service, NULL);
    if (c->stream.ops != &ops)
        ops = *c->stream.ops;
    ops.wait = NULL;
    c->stream.ops = &ops;
    return answer(arg, x);
}

/* "where its stream can tell that something came": one that cannot is served
 * and ended as any other. */
CASE(connection_whose_stream_cannot_tell_is_served)
{
    struct kit kit = {0};
    struct peer peer;
    deafened = &kit;
    kit_start(&kit, deafen, NULL);
    peer_open(&peer, &kit);
    for (int i = 0; i < 3; i++)
        ask(&peer);
    int rc = kit_stop(&kit);
    ck_assert_int_eq(peer_read(&peer), 0);
    peer_close(&peer);
    return rc;
}

int main(void)
{
    Suite *suite = suite_create("http server with little to do");
    TCase *cases = tcase_create("server");
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, connection_between_requests_holds_no_buffers);
    tcase_add_test(cases, silent_connection_holds_no_buffers);
    tcase_add_test(cases, connection_within_a_head_keeps_what_it_has);
    tcase_add_test(cases, spare_buffers_have_a_bound);
    tcase_add_test(cases, request_waits_for_memory_and_is_answered);
    tcase_add_test(cases, request_that_waits_for_memory_is_answered_at_the_end);
    tcase_add_test(cases, cancel_reaches_a_request_that_waits_for_memory);
    tcase_add_test(cases, connection_whose_stream_cannot_tell_is_served);
    suite_add_tcase(suite, cases);

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
