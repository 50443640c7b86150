/* SPDX-License-Identifier: MIT */
/*
 * links_test.c: what a client promises to the tasks to which it lends links.
 */
#include "client_kit.h"

#include <stdio.h>

static int echo(struct sill_resp_session *s, const struct sill_resp_view *args,
                size_t count)
{
    sill_resp_reply_string(s, args[count - 1]);
    return 0;
}

static int leave(struct sill_resp_session *s, const struct sill_resp_view *args,
                 size_t count)
{
    sill_resp_session_end(s);
    return echo(s, args, count);
}

static const struct sill_resp_verb verbs[] = {
    {"echo", echo, -1, 0},      {"multi", echo, -1, 0},
    {"exec", echo, -1, 0},      {"watch", echo, -1, 0},
    {"select", echo, -1, 0},    {"discard", echo, -1, 0},
    {"client", echo, -1, 0},    {"hello", echo, -1, 0},
    {"unwatch", echo, -1, 0},   {"leave", leave, -1, 0},
    {"reset", echo, -1, 0},     {"subscribe", echo, -1, 0},
    {"auth", echo, -1, 0},      {"readonly", echo, -1, 0},
    {"readwrite", echo, -1, 0}, {"asking", echo, -1, 0},
};

struct pool {
    struct kit kit;
    struct sill_resp_client client;
};

static void open_pool(struct pool *pool)
{
    kit_start(&pool->kit, verbs, sizeof(verbs) / sizeof(verbs[0]));
    pool->client.address = pool->kit.address;
}

static int close_pool(struct pool *pool)
{
    sill_resp_links_close(&pool->client);
    sill_resp_links_close(&pool->client);
    return kit_stop(&pool->kit);
}

static struct sill_resp_link *take(struct pool *pool)
{
    struct sill_resp_link *link;
    ck_assert_int_eq(sill_resp_link_take(&link, &pool->client, kit_soon()), 0);
    return link;
}

static int say_word(struct sill_resp_link *link, const char *word)
{
    struct sill_resp_answer answer;
    const struct sill_resp_view args[] = {sill_resp_view(word)};
    int rc = sill_resp_link_add(link, args, 1);
    if (rc == 0)
        rc = sill_resp_link_next(link, &answer, kit_soon());
    if (rc == 0)
        ck_assert(sill_resp_view_is_equal(answer.values[0].text, args[0]));
    return rc;
}

/* Says the words of (text), and takes their replies. */
static void say(struct sill_resp_link *link, const char *text)
{
    char line[128], *rest = line, *word;
    snprintf(line, sizeof(line), "%s", text);
    while ((word = strtok_r(rest, " ", &rest)) != NULL)
        ck_assert_int_eq(say_word(link, word), 0);
}

static uint64_t sessions(const struct pool *pool)
{
    return pool->kit.server.stats.sessions;
}

CASE(a_link_that_is_as_new_is_lent_again)
{
    static const char *const texts[] = {"",
                                        "echo",
                                        "multi echo exec",
                                        "multi discard",
                                        "watch multi exec",
                                        "watch unwatch",
                                        "watch multi discard"};
    struct pool pool = {0};
    open_pool(&pool);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct sill_resp_link *link = take(&pool);
        say(link, texts[i]);
        sill_resp_link_give(link);
    }
    struct sill_resp_link *link = take(&pool);
    say(link, "echo");
    sill_resp_link_give(link);
    ck_assert_uint_eq(sessions(&pool), 1);
    return close_pool(&pool);
}

CASE(a_link_that_is_not_as_new_is_closed)
{
    static const char *const texts[] = {
        "multi",      "watch",         "Watch multi", "multi exec watch",
        "watch exec", "watch discard", "select",      "subscribe",
        "hello",      "auth",          "client",      "reset",
        "readonly",   "readwrite",     "asking"};
    struct pool pool = {0};
    open_pool(&pool);
    uint64_t i = 0;
    for (; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct sill_resp_link *link = take(&pool);
        say(link, texts[i]);
        sill_resp_link_give(link);
        while (pool.kit.server.stats.open > 0)
            ck_assert_int_eq(sill_yield(), 0);
        ck_assert_uint_eq(sessions(&pool), i + 1);
    }
    return close_pool(&pool);
}

CASE(a_link_that_owes_something_is_closed)
{
    const struct sill_resp_view echo_it[] = {SILL_RESP_VIEW_INIT("echo")};
    struct pool pool = {0};
    struct sill_resp_answer answer;
    open_pool(&pool);
    for (unsigned i = 0; i < 3; i++) {
        struct sill_resp_link *link = take(&pool);
        if (i == 0)
            ck_assert_int_eq(sill_resp_link_add(link, echo_it, 1), 0);
        else if (i == 1)
            ck_assert_int_eq(
                sill_resp_link_call(link, echo_it, 1, &answer, SILL_PAST),
                SILL_ETIMEDOUT);
        else
            sill_resp_link_close(link);
        sill_resp_link_give(link);
        while (pool.kit.server.stats.open > 0)
            ck_assert_int_eq(sill_yield(), 0);
        ck_assert_uint_eq(sessions(&pool), i + 1);
    }
    return close_pool(&pool);
}

CASE(a_link_that_the_server_ended_is_not_lent)
{
    struct pool pool = {0};
    open_pool(&pool);
    struct sill_resp_link *a = take(&pool), *b = take(&pool);
    say(a, "leave");
    say(b, "leave");
    sill_resp_link_give(a);
    sill_resp_link_give(b);
    while (pool.kit.server.stats.open > 0)
        ck_assert_int_eq(sill_yield(), 0);
    a = take(&pool);
    say(a, "echo");
    ck_assert_uint_eq(sessions(&pool), 3);
    sill_resp_link_give(a);
    return close_pool(&pool);
}

CASE(a_link_to_which_something_was_said_is_not_lent)
{
    struct host host = {0};
    struct sill_resp_client client = {0};
    struct sill_resp_link *link;
    const struct sill_resp_view args[] = {SILL_RESP_VIEW_INIT("q")};
    host_open(&host);
    client.address = host.address;
    for (int i = 0; i < 2; i++) {
        struct sill_resp_answer answer;
        ck_assert_int_eq(sill_resp_link_take(&link, &client, kit_soon()), 0);
        host_accept(&host);
        ck_assert_int_eq(sill_resp_link_add(link, args, 1), 0);
        peer_say(&host.peer, i == 0 ? "+1\r\n" : "+1\r\n+2\r\n");
        ck_assert_int_eq(sill_resp_link_next(link, &answer, kit_soon()), 0);
        if (i == 1)
            ck_assert_int_eq(sill_resp_link_next(link, &answer, kit_soon()),
                             SILL_EPROTO);
        sill_resp_link_give(link);
        if (i == 0)
            peer_say(&host.peer, "+2\r\n");
        peer_expect(&host.peer, "*1\r\n$1\r\nq\r\n");
        if (i == 1)
            peer_read_end(&host.peer);
        else
            peer_close(&host.peer);
    }
    host_end(&host);
    return 0;
}

/* ---- who waits ---- */

struct user {
    struct pool *pool;
    struct sill_task *task;
    sill_time deadline;
    const char *last; /* word */
    char name;
};

static char order[16];

static int use(void *arg)
{
    struct user *u = arg;
    struct sill_resp_link *link;
    int rc = sill_resp_link_take(&link, &u->pool->client, u->deadline);
    if (rc != 0) {
        ck_assert_ptr_null(link);
        return rc;
    }
    order[strlen(order)] = u->name;
    rc = say_word(link, "echo");
    if (rc == 0)
        rc = say_word(link, u->last);
    sill_resp_link_give(link);
    return rc;
}

static void start(struct user *user, struct pool *pool, char name)
{
    *user = (struct user){
        .pool = pool, .name = name, .last = "echo", .deadline = kit_soon()};
    ck_assert_int_eq(sill_spawn(use, user, &user->task), 0);
}

static int end(struct user *user)
{
    int result = -1;
    ck_assert_int_eq(sill_await(user->task, &result, kit_soon()), 0);
    return result;
}

CASE(there_are_only_so_many_and_who_came_first_is_first)
{
    struct pool pool = {.client.links_max = 2};
    struct user users[5];
    open_pool(&pool);
    struct sill_resp_link *a = take(&pool), *b = take(&pool), *c;
    ck_assert_int_eq(sill_resp_link_take(&c, &pool.client, SILL_PAST),
                     SILL_ETIMEDOUT);
    for (int i = 0; i < 5; i++)
        start(&users[i], &pool, (char)('a' + i));
    ck_assert_int_eq(sill_yield(), 0);
    ck_assert_int_eq(sill_cancel(users[1].task, kit_soon()), 0);
    ck_assert_int_eq(sill_cancel(users[4].task, kit_soon()), 0);
    ck_assert_str_eq(order, "");
    sill_resp_link_give(a);
    ck_assert_int_eq(end(&users[0]), 0);
    ck_assert_int_eq(end(&users[2]), 0);
    ck_assert_int_eq(end(&users[3]), 0);
    ck_assert_str_eq(order, "acd");
    ck_assert_uint_eq(sessions(&pool), 2);
    sill_resp_link_give(b);
    return close_pool(&pool);
}

/* Given and cancelled at once: the turn goes to the next one. */
CASE(a_turn_is_not_lost_with_who_had_it)
{
    struct pool pool = {.client.links_max = 1};
    struct user users[2];
    open_pool(&pool);
    for (int i = 0; i < 2; i++) {
        struct sill_resp_link *link = take(&pool);
        start(&users[0], &pool, 'a');
        start(&users[1], &pool, 'b');
        ck_assert_int_eq(sill_yield(), 0);
        if (i == 1)
            say(link, "select"); /* so that a new one is needed */
        sill_resp_link_give(link);
        ck_assert_int_eq(sill_cancel(users[0].task, kit_soon()), 0);
        ck_assert_int_eq(end(&users[1]), 0);
    }
    ck_assert_str_eq(order, "bb");
    ck_assert_uint_eq(sessions(&pool), 2);
    return close_pool(&pool);
}

CASE(a_link_that_cannot_be_opened_leaves_its_turn)
{
    struct pool pool = {.client.links_max = 1};
    struct sill_resp_link *link;
    open_pool(&pool);
    pool.client.version = 4;
    ck_assert_int_eq(sill_resp_link_take(&link, &pool.client, kit_soon()),
                     SILL_EINVAL);
    ck_assert_ptr_null(link);
    pool.client.version = 2;
    pool.client.password = "";
    pool.client.user = "leave";
    pool.client.address.family = SILL_FAMILY_UNIX;
    for (int i = 0; i < 3; i++)
        ck_assert_int_lt(sill_resp_link_take(&link, &pool.client, kit_soon()),
                         0);
    pool.client.address = pool.kit.address;
    link = take(&pool);
    say(link, "echo");
    sill_resp_link_give(link);
    return close_pool(&pool);
}

CASE(a_user_may_be_cancelled_at_any_step)
{
    struct pool pool = {.client.links_max = 2};
    int before = descriptors();
    open_pool(&pool);
    for (int steps = 0; steps < 60; steps++) {
        struct user users[4];
        for (int i = 0; i < 4; i++) {
            start(&users[i], &pool, 'x');
            users[i].last = i % 2 == 0 ? "echo" : "leave";
        }
        for (int i = 0; i < steps; i++)
            ck_assert_int_eq(sill_yield(), 0);
        ck_assert_int_eq(sill_cancel(users[steps % 4].task, kit_soon()), 0);
        for (int i = 0; i < 4; i++)
            if (i != steps % 4)
                ck_assert_int_eq(end(&users[i]), 0);
        memset(order, 0, sizeof(order));
        sill_resp_links_close(&pool.client);
        while (pool.kit.server.stats.open > 0)
            ck_assert_int_eq(sill_yield(), 0);
    }
    ck_assert_int_eq(close_pool(&pool), 0);
    ck_assert_int_eq(descriptors(), before);
    return 0;
}

CASE(any_allocation_may_fail)
{
    struct pool pool = {.client.links_max = 1};
    bool failed = true;
    blocks_watch();
    open_pool(&pool);
    for (int n = 1; failed; n++) {
        struct user u = {
            .pool = &pool, .name = 'x', .last = "echo", .deadline = kit_soon()};
        struct sill_resp_link *link;
        ck_assert_int_lt(n, 100);
        blocks_fail(n);
        int rc = sill_resp_link_take(&link, &pool.client, kit_soon());
        failed = blocks_failed();
        blocks_fail(0);
        ck_assert(rc == 0 || (failed && rc == SILL_ENOMEM));
        if (rc == 0)
            sill_resp_link_give(link);
        ck_assert_int_eq(use(&u), 0);
        memset(order, 0, sizeof(order));
        sill_resp_links_close(&pool.client);
    }
    return close_pool(&pool);
}

int main(void)
{
    Suite *suite = suite_create("resp links");
    TCase *tc = tcase_create("links");
    SRunner *runner = srunner_create(suite);

    suite_add_tcase(suite, tc);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, a_link_that_is_as_new_is_lent_again);
    tcase_add_test(tc, a_link_that_is_not_as_new_is_closed);
    tcase_add_test(tc, a_link_that_owes_something_is_closed);
    tcase_add_test(tc, a_link_that_the_server_ended_is_not_lent);
    tcase_add_test(tc, a_link_to_which_something_was_said_is_not_lent);
    tcase_add_test(tc, there_are_only_so_many_and_who_came_first_is_first);
    tcase_add_test(tc, a_turn_is_not_lost_with_who_had_it);
    tcase_add_test(tc, a_link_that_cannot_be_opened_leaves_its_turn);
    tcase_add_test(tc, a_user_may_be_cancelled_at_any_step);
    tcase_add_test(tc, any_allocation_may_fail);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
