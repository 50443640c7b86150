/* SPDX-License-Identifier: MIT */
/*
 * client_world_test.c: when the client gives a server up, and when it tries
 * again, to the nanosecond. Linked with a backend that has a simulated world,
 * whose loopback takes no time.
 */
#include "sill_resp.h"

#include <sill/sill.h>
#include <sill/sim.h>

#include <check.h>
#include <string.h>

#define LIMIT (10 * SILL_SECOND) /* for a reply */

/* A server that reads as long as there is something, and says (text) in pieces
 * of one byte, each (pause) after the one before. */
struct server {
    struct sill_listener listener;
    struct sill_address address;
    struct sill_resp_client client;
    struct sill_task *accepter, *keeper;
    const char *text;
    sill_duration pause;
    sill_time accepted[8];
    int connections;
};

static int read_all(void *arg)
{
    char bytes[64];
    ssize_t got;
    do {
        got = sill_stream_read(arg, bytes, sizeof(bytes), SILL_NEVER);
    } while (got > 0);
    return (int)got;
}

static void say(struct sill_stream *stream, const struct server *server)
{
    for (const char *p = server->text; *p != '\0'; p++) {
        if (sill_sleep(sill_after(server->pause)) != 0)
            return;
        if (sill_stream_write(stream, p, 1, SILL_NEVER) != 1)
            return;
    }
}

static int accept_all(void *arg)
{
    struct server *server = arg;
    struct sill_stream stream;
    struct sill_task *reader;
    int rc;
    do {
        rc = sill_listener_accept(&server->listener, &stream, SILL_NEVER);
        if (rc != 0)
            return rc;
        ck_assert_int_lt(server->connections, 8);
        server->accepted[server->connections++] = sill_now();
        ck_assert_int_eq(sill_spawn(read_all, &stream, &reader), 0);
        say(&stream, server);
        rc = sill_await(reader, NULL, SILL_NEVER);
        sill_stream_close(&stream);
    } while (rc == 0);
    return rc;
}

static void open_server(struct server *server)
{
    ck_assert_int_eq(sill_address_ip(&server->address, "127.0.0.1", 6379), 0);
    server->client.address = server->address;
    server->client.reply_timeout = LIMIT;
    ck_assert_int_eq(
        sill_spawn(sill_resp_client_run, &server->client, &server->keeper), 0);
}

static void listen_there(struct server *server)
{
    ck_assert_int_eq(
        sill_listener_listen(&server->listener, &server->address, NULL), 0);
    ck_assert_int_eq(sill_spawn(accept_all, server, &server->accepter), 0);
}

static int close_server(struct server *server)
{
    (void)sill_cancel(server->keeper, SILL_NEVER);
    (void)sill_cancel(server->accepter, SILL_NEVER);
    sill_listener_close(&server->listener);
    return 0;
}

static int ping(struct server *server, sill_time deadline)
{
    static const struct sill_resp_view args[] = {SILL_RESP_VIEW_INIT("PING")};
    struct sill_resp_answer answer;
    int rc =
        sill_resp_client_call(&server->client, args, 1, 0, &answer, deadline);
    sill_resp_answer_free(&answer);
    return rc;
}

#define CASE(name)                                                             \
    static int name##_task(void *unused);                                      \
    START_TEST(name)                                                           \
    {                                                                          \
        struct sill_sim_report report;                                         \
        struct sill_sim_options options;                                       \
        sill_sim_options_init(&options, 1);                                    \
        ck_assert_int_eq(sill_sim_run(&options, name##_task, NULL, &report),   \
                         0);                                                   \
        ck_assert_uint_eq(report.left_open, 0);                                \
    }                                                                          \
    END_TEST                                                                   \
    static int name##_task(void *unused)

/* It would be given up if the limit was one for all of the reply. */
CASE(a_reply_that_comes_slowly_is_waited_for)
{
    struct server server = {.text = "+SLOW\r\n", .pause = LIMIT - 1};
    sill_time begin = sill_now();
    (void)unused;
    open_server(&server);
    listen_there(&server);
    ck_assert_int_eq(ping(&server, SILL_NEVER), 0);
    ck_assert_int_eq(sill_now() - begin, 7 * (LIMIT - 1));
    ck_assert_int_eq(server.connections, 1);
    return close_server(&server);
}

CASE(a_server_that_is_silent_is_given_up_when_it_was_for_so_long)
{
    struct server server = {.text = "", .pause = 0};
    sill_time begin = sill_now();
    (void)unused;
    open_server(&server);
    listen_there(&server);
    ck_assert_int_eq(ping(&server, SILL_NEVER), SILL_ECONNRESET);
    ck_assert_int_eq(sill_now() - begin, LIMIT);
    ck_assert_int_eq(server.client.stats.failure, SILL_ETIMEDOUT);
    return close_server(&server);
}

/* Nobody asks it anything meanwhile. */
CASE(a_connection_that_owes_nothing_is_kept)
{
    struct server server = {.text = "+A\r\n", .pause = SILL_SECOND};
    (void)unused;
    open_server(&server);
    listen_there(&server);
    ck_assert_int_eq(ping(&server, SILL_NEVER), 0);
    ck_assert_int_eq(sill_sleep(sill_after(100 * LIMIT)), 0);
    ck_assert_int_eq(server.connections, 1);
    return close_server(&server);
}

/* What was given up by its task is still owed by the server; a later call does
 * not put the end off. */
CASE(later_calls_do_not_put_the_end_off)
{
    struct server server = {.text = "", .pause = 0};
    sill_time begin = sill_now();
    (void)unused;
    open_server(&server);
    listen_there(&server);
    ck_assert_int_eq(ping(&server, begin + SILL_SECOND), SILL_ETIMEDOUT);
    ck_assert_int_eq(ping(&server, begin + LIMIT - 1), SILL_ETIMEDOUT);
    ck_assert_int_eq(ping(&server, SILL_NEVER), SILL_ECONNRESET);
    ck_assert_int_eq(sill_now() - begin, LIMIT);
    return close_server(&server);
}

static sill_duration between(const struct server *server, int first)
{
    return server->accepted[first + 1] - server->accepted[first];
}

/* Attempts at 0, 1, 3, 7, 12, 17, ... s: the pause grows up to its bound. */
CASE(pauses_between_attempts_grow_up_to_a_bound)
{
    struct server server = {
        .text = "",
        .client = {.pause_min = SILL_SECOND, .pause_max = 5 * SILL_SECOND}};
    sill_time begin = sill_now();
    (void)unused;
    open_server(&server);
    ck_assert_int_eq(sill_sleep(begin + 13 * SILL_SECOND), 0);
    ck_assert_uint_eq(server.client.stats.failures, 5);
    ck_assert_int_eq(server.client.stats.failure, SILL_ECONNREFUSED);
    listen_there(&server);
    ck_assert_int_eq(ping(&server, begin + 18 * SILL_SECOND), SILL_ETIMEDOUT);
    ck_assert_int_eq(server.accepted[0] - begin, 17 * SILL_SECOND);
    return close_server(&server);
}

/* A connection that was good makes the next pause the shortest again. */
CASE(pauses_begin_anew_after_a_success)
{
    struct server server = {
        .text = "",
        .client = {.pause_min = SILL_SECOND, .pause_max = 60 * SILL_SECOND}};
    sill_time begin = sill_now();
    (void)unused;
    open_server(&server);
    ck_assert_int_eq(sill_sleep(begin + 4 * SILL_SECOND), 0);
    listen_there(&server); /* after attempts at 0, 1 and 3 s */
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(ping(&server, SILL_NEVER), SILL_ECONNRESET);
    ck_assert_int_eq(server.accepted[0] - begin, 7 * SILL_SECOND);
    ck_assert_int_eq(between(&server, 0), LIMIT + SILL_SECOND);
    ck_assert_int_eq(between(&server, 1), LIMIT + SILL_SECOND);
    return close_server(&server);
}

int main(void)
{
    Suite *suite = suite_create("resp client, in a world");
    TCase *tc = tcase_create("cases");
    SRunner *runner = srunner_create(suite);

    suite_add_tcase(suite, tc);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, a_reply_that_comes_slowly_is_waited_for);
    tcase_add_test(tc,
                   a_server_that_is_silent_is_given_up_when_it_was_for_so_long);
    tcase_add_test(tc, a_connection_that_owes_nothing_is_kept);
    tcase_add_test(tc, later_calls_do_not_put_the_end_off);
    tcase_add_test(tc, pauses_between_attempts_grow_up_to_a_bound);
    tcase_add_test(tc, pauses_begin_anew_after_a_success);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
