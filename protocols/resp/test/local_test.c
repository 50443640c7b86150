/* SPDX-License-Identifier: MIT */
/*
 * local_test.c: sessions without a connection, and what is asked before replies
 * are sent.
 */
#include "server_kit.h"

#define VERBS(table) table, sizeof(table) / sizeof((table)[0])

static int opened, closed, answer_of_sends, asked;
static struct sill_trigger safe, waiting;

static int ping(struct sill_resp_session *s, const struct sill_resp_view *args,
                size_t count)
{
    (void)args;
    (void)count;
    sill_resp_reply_simple(s, "PONG");
    return 0;
}

static int fall(struct sill_resp_session *s, const struct sill_resp_view *args,
                size_t count)
{
    (void)args;
    (void)count;
    sill_resp_reply_simple(s, "lost");
    return SILL_EIO;
}

/* Replies with as many bytes as it has been told. */
static int large(struct sill_resp_session *s, const struct sill_resp_view *args,
                 size_t count)
{
    static const char bytes[100000];
    int64_t size = 0;
    (void)count;
    ck_assert(sill_resp_integer(args[1], &size));
    sill_resp_reply_string(s, (struct sill_resp_view){bytes, (size_t)size});
    return 0;
}

static int nap(struct sill_resp_session *s, const struct sill_resp_view *args,
               size_t count)
{
    struct sill_address peer;
    ck_assert_int_eq(sill_resp_session_peer(s, &peer), SILL_ECLOSED);
    ck_assert_ptr_null(
        sill_resp_session_next(sill_resp_session_server(s), NULL));
    int rc = sill_sleep(sill_after(SILL_MILLISECOND));
    return rc != 0 ? rc : ping(s, args, count);
}

static const struct sill_resp_verb verbs[] = {
    {"ping", ping, -1, 0},
    {"fail", fall, 1, 0},
    {"large", large, 2, 0},
    {"nap", nap, 1, 0},
};

static int intercept(struct sill_resp_session *s,
                     const struct sill_resp_verb *verb,
                     const struct sill_resp_view *args, size_t count)
{
    ++*(int *)sill_resp_session_data(s);
    return verb->handler(s, args, count);
}

static void on_open(struct sill_resp_session *s)
{
    (void)s;
    opened++;
}

static void on_close(struct sill_resp_session *s)
{
    (void)s;
    closed++;
}

/* Expects what one command is answered with, "" for nothing. */
static int expect(struct sill_resp_session *s, const char *verb,
                  const char *argument, const char *text)
{
    const struct sill_resp_view args[] = {sill_resp_view(verb),
                                          sill_resp_view(argument)};
    struct sill_resp_view reply;
    int rc = sill_resp_local_call(s, args, argument == NULL ? 1 : 2, &reply);
    ck_assert_uint_eq(reply.size, strlen(text));
    ck_assert(reply.size == 0 || memcmp(reply.at, text, reply.size) == 0);
    return rc;
}

CASE(a_local_session_answers_as_any_other)
{
    struct sill_resp_server server = {.verbs = verbs,
                                      .verb_count = 4,
                                      .session_size = sizeof(int),
                                      .call = intercept,
                                      .opened = on_open,
                                      .closed = on_close};
    struct sill_resp_session *s;
    ck_assert_int_eq(sill_resp_local_open(&server, &s), 0);
    ck_assert_int_eq(expect(s, "PING", NULL, "+PONG\r\n"), 0);
    ck_assert_int_eq(expect(s, "nap", NULL, "+PONG\r\n"), 0);
    ck_assert_int_eq(expect(s, "fail", NULL, ""), SILL_EIO);
    ck_assert_int_eq(expect(s, "what", "is",
                            "-ERR unknown command 'what', with args beginning "
                            "with: 'is' \r\n"),
                     0);
    ck_assert_int_eq(
        expect(s, "nap", "a",
               "-ERR wrong number of arguments for 'nap' command\r\n"),
        0);
    ck_assert_int_eq(expect(s, "ping", NULL, "+PONG\r\n"), 0);
    ck_assert_int_eq(*(int *)sill_resp_session_data(s), 4);
    ck_assert_uint_eq(server.stats.commands, 4);
    ck_assert_uint_eq(server.stats.refused, 2);
    ck_assert_uint_eq(server.stats.open + server.stats.sessions, 0);
    sill_resp_local_close(s);
    sill_resp_local_close(NULL);
    ck_assert_int_eq(opened, 1);
    ck_assert_int_eq(closed, 1);
    return 0;
}

CASE(a_local_reply_over_the_bound_is_an_error)
{
    struct sill_resp_server server = {
        .verbs = verbs, .verb_count = 4, .output_max = 20000};
    struct sill_resp_view args[] = {SILL_RESP_VIEW_INIT("large"),
                                    SILL_RESP_VIEW_INIT("19000")};
    struct sill_resp_view reply;
    struct sill_resp_session *s;
    ck_assert_int_eq(sill_resp_local_open(&server, &s), 0);
    ck_assert_int_eq(sill_resp_local_call(s, args, 2, &reply), 0);
    ck_assert_uint_eq(reply.size, strlen("$19000\r\n") + 19000 + 2);
    args[1] = SILL_RESP_VIEW("30000");
    ck_assert_int_eq(sill_resp_local_call(s, args, 2, &reply), SILL_EMSGSIZE);
    ck_assert_uint_eq(reply.size, 0);
    ck_assert_int_eq(expect(s, "ping", NULL, "+PONG\r\n"), 0);
    sill_resp_local_close(s);
    return 0;
}

CASE(a_local_session_needs_verbs_and_memory)
{
    struct sill_resp_server server = {0};
    const struct sill_resp_view ping_view = SILL_RESP_VIEW("ping");
    struct sill_resp_view reply;
    struct sill_resp_session *s;
    int rc = SILL_ENOMEM, n;
    ck_assert_int_eq(sill_resp_local_open(&server, &s), SILL_EINVAL);
    ck_assert_ptr_null(s);
    server.verbs = verbs;
    server.verb_count = 4;
    blocks_watch();
    long before = blocks_open();
    for (n = 1; rc == SILL_ENOMEM; n++) {
        blocks_fail(n);
        rc = sill_resp_local_open(&server, &s);
        if (rc == 0)
            rc = sill_resp_local_call(s, &ping_view, 1, &reply);
        blocks_fail(0);
        sill_resp_local_close(s);
        ck_assert_int_eq(blocks_open(), before);
    }
    ck_assert_int_eq(rc, 0);
    ck_assert_int_gt(n, 3);
    return 0;
}

/* ---- before replies are sent ---- */

static int sends(struct sill_resp_session *s)
{
    (void)s;
    asked++;
    sill_resume(&waiting, 0);
    int rc = sill_suspend(&safe, SILL_NEVER);
    return rc != 0 ? rc : answer_of_sends;
}

CASE(replies_wait_until_they_may_be_sent)
{
    struct kit kit = {.server.sends = sends};
    struct peer peer;
    kit_start(&kit, VERBS(verbs));
    peer_open(&peer, &kit);
    peer_say(&peer, "ping\r\nping\r\n");
    ck_assert_int_eq(sill_suspend(&waiting, kit_soon()), 0);
    peer_say(&peer, "ping\r\n");
    char byte;
    ck_assert_int_eq(sill_stream_read(&peer.stream, &byte, 1, SILL_PAST),
                     SILL_ETIMEDOUT);
    ck_assert_int_eq(asked, 1);
    ck_assert_uint_eq(kit.server.stats.commands, 2);
    sill_resume(&safe, 0);
    peer_expect(&peer, "+PONG\r\n+PONG\r\n+PONG\r\n");
    ck_assert_int_eq(asked, 2);
    peer_close(&peer);
    return kit_stop(&kit);
}

CASE(replies_that_may_not_be_sent_end_the_session)
{
    struct kit kit = {.server.sends = sends};
    struct peer peer;
    kit_start(&kit, VERBS(verbs));
    answer_of_sends = SILL_EIO;
    peer_open(&peer, &kit);
    peer_say(&peer, "ping\r\n");
    ck_assert_int_eq(sill_suspend(&waiting, kit_soon()), 0);
    sill_resume(&safe, 0);
    peer_read_end(&peer);
    ck_assert_str_eq(peer.text, "");
    peer_close(&peer);
    return kit_stop(&kit);
}

CASE(a_session_may_be_killed_while_its_replies_wait)
{
    struct kit kit = {.server.sends = sends};
    struct peer peer;
    kit_start(&kit, VERBS(verbs));
    peer_open(&peer, &kit);
    peer_say(&peer, "ping\r\n");
    ck_assert_int_eq(sill_suspend(&waiting, kit_soon()), 0);
    sill_resp_session_kill(sill_resp_session_next(&kit.server, NULL));
    sill_resume(&safe, 0);
    peer_read_end(&peer);
    ck_assert_str_eq(peer.text, "");
    peer_close(&peer);
    return kit_stop(&kit);
}

static int push(struct sill_resp_session *s)
{
    struct sill_resp_view strings[] = {SILL_RESP_VIEW_INIT("news")};
    asked++;
    return sill_resp_push(s, strings, 1);
}

CASE(a_push_may_come_while_replies_wait)
{
    struct kit kit = {.server.sends = push};
    struct peer peer;
    kit_start(&kit, VERBS(verbs));
    peer_open(&peer, &kit);
    peer_say(&peer, "ping\r\n");
    peer_expect(&peer, "+PONG\r\n*1\r\n$4\r\nnews\r\n");
    ck_assert_int_eq(asked, 1);
    peer_close(&peer);
    return kit_stop(&kit);
}

CASE(a_push_to_a_session_that_waits_asks_nobody)
{
    struct kit kit = {.server.sends = push};
    struct peer peer;
    kit_start(&kit, VERBS(verbs));
    peer_open(&peer, &kit);
    peer_say(&peer, "ping\r\n");
    peer_expect(&peer, "+PONG\r\n*1\r\n$4\r\nnews\r\n");
    struct sill_resp_view strings[] = {SILL_RESP_VIEW_INIT("more")};
    struct sill_resp_session *s = sill_resp_session_next(&kit.server, NULL);
    ck_assert_int_eq(sill_resp_push(s, strings, 1), 0);
    peer_expect(&peer, "*1\r\n$4\r\nmore\r\n");
    ck_assert_int_eq(asked, 1);
    peer_close(&peer);
    return kit_stop(&kit);
}

CASE(a_push_over_the_bound_while_replies_wait_ends_the_session)
{
    struct kit kit = {.server = {.sends = push, .push_max = 8}};
    struct peer peer;
    kit_start(&kit, VERBS(verbs));
    peer_open(&peer, &kit);
    peer_say(&peer, "ping\r\n");
    peer_read_end(&peer);
    ck_assert_str_eq(peer.text, "");
    peer_close(&peer);
    return kit_stop(&kit);
}

int main(void)
{
    Suite *suite = suite_create("resp local");
    TCase *tc = tcase_create("cases");
    SRunner *runner = srunner_create(suite);
    tcase_set_timeout(tc, 60);
    suite_add_tcase(suite, tc);
    tcase_add_test(tc, a_local_session_answers_as_any_other);
    tcase_add_test(tc, a_local_reply_over_the_bound_is_an_error);
    tcase_add_test(tc, a_local_session_needs_verbs_and_memory);
    tcase_add_test(tc, replies_wait_until_they_may_be_sent);
    tcase_add_test(tc, replies_that_may_not_be_sent_end_the_session);
    tcase_add_test(tc, a_session_may_be_killed_while_its_replies_wait);
    tcase_add_test(tc, a_push_may_come_while_replies_wait);
    tcase_add_test(tc, a_push_to_a_session_that_waits_asks_nobody);
    tcase_add_test(tc,
                   a_push_over_the_bound_while_replies_wait_ends_the_session);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
