/* SPDX-License-Identifier: MIT */
/*
 * link_test.c: what a link promises to the task that has it.
 */
#include "client_kit.h"

#include <stdio.h>

/* ---- words and replies ---- */

#define ASKED(number) "*2\r\n$1\r\nq\r\n$1\r\n" #number "\r\n"

/* Adds the words of (text). */
static int add(struct sill_resp_link *link, const char *text)
{
    char line[128], *rest = line, *word;
    struct sill_resp_view args[8];
    size_t count = 0;
    snprintf(line, sizeof(line), "%s", text);
    while ((word = strtok_r(rest, " ", &rest)) != NULL)
        args[count++] = sill_resp_view(word);
    return sill_resp_link_add(link, args, count);
}

static int call(struct sill_resp_link *link, const char *verb,
                struct sill_resp_answer *answer, sill_time deadline)
{
    const struct sill_resp_view args[] = {sill_resp_view(verb)};
    return sill_resp_link_call(link, args, 1, answer, deadline);
}

/* The answer is this string, or simple string, or error. */
static void expect_text(const struct sill_resp_answer *answer, const char *text)
{
    ck_assert_ptr_nonnull(answer->values);
    ck_assert_uint_eq(answer->values[0].text.size, strlen(text));
    ck_assert_mem_eq(answer->values[0].text.at, text, strlen(text));
}

static void expect_next(struct sill_resp_link *link, const char *text)
{
    struct sill_resp_answer answer;
    ck_assert_int_eq(sill_resp_link_next(link, &answer, kit_soon()), 0);
    expect_text(&answer, text);
}

/* An array or push of three strings, of which the last one is (text). */
static void expect_message(struct sill_resp_link *link,
                           enum sill_resp_type type, const char *text)
{
    struct sill_resp_answer answer;
    ck_assert_int_eq(sill_resp_link_next(link, &answer, kit_soon()), 0);
    ck_assert_int_eq(answer.values[0].type, type);
    ck_assert_uint_eq(answer.count, 4);
    ck_assert_mem_eq(answer.values[3].text.at, text, strlen(text));
}

static void fail_next(struct sill_resp_link *link, int error,
                      sill_time deadline)
{
    struct sill_resp_answer answer = {.count = 1};
    ck_assert_int_eq(sill_resp_link_next(link, &answer, deadline), error);
    ck_assert(answer.values == NULL && answer.count == 0);
}

/* ---- a link to a peer that says what the case wants ---- */

struct scene {
    struct host host;
    struct sill_resp_client client;
    struct sill_resp_link link;
    struct sill_task *task;
};

static int open_link(void *arg)
{
    struct scene *scene = arg;
    return sill_resp_link_open(&scene->link, &scene->client, kit_soon());
}

static void begin(struct scene *scene)
{
    host_open(&scene->host);
    scene->client.address = scene->host.address;
}

/* Connects, with nothing to be said first. */
static void connect_link(struct scene *scene)
{
    ck_assert_int_eq(open_link(scene), 0);
    host_accept(&scene->host);
}

/* Begins to connect with something to be said first. */
static void begin_link(struct scene *scene)
{
    ck_assert_int_eq(sill_spawn(open_link, scene, &scene->task), 0);
    host_accept(&scene->host);
}

static int end_begun(struct scene *scene)
{
    int result = -1;
    ck_assert_int_eq(sill_await(scene->task, &result, kit_soon()), 0);
    return result;
}

static void begin_version_3(struct scene *scene)
{
    scene->client.version = 3;
    begin(scene);
    begin_link(scene);
    peer_expect(&scene->host.peer, "*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n");
    peer_say(&scene->host.peer, "%0\r\n");
    ck_assert_int_eq(end_begun(scene), 0);
}

static int end(struct scene *scene)
{
    sill_resp_link_close(&scene->link);
    sill_resp_link_close(&scene->link);
    host_end(&scene->host);
    return 0;
}

CASE(a_link_says_the_first_words)
{
    struct scene s = {
        .client = {
            .version = 3, .user = "me", .password = "secret", .database = 7}};
    begin(&s);
    begin_link(&s);
    peer_expect(&s.host.peer, "*5\r\n$5\r\nHELLO\r\n$1\r\n3\r\n$4\r\nAUTH\r\n"
                              "$2\r\nme\r\n$6\r\nsecret\r\n");
    peer_say(&s.host.peer, "%0\r\n");
    peer_expect(&s.host.peer, "*2\r\n$6\r\nSELECT\r\n$1\r\n7\r\n");
    peer_say(&s.host.peer, "+OK\r\n");
    ck_assert_int_eq(end_begun(&s), 0);
    return end(&s);
}

/* Neither memory nor descriptors are left behind. */
static void expect_closed(struct scene *scene)
{
    struct sill_resp_answer answer;
    ck_assert_int_eq(add(&scene->link, "q"), SILL_ECLOSED);
    ck_assert_int_eq(call(&scene->link, "q", &answer, SILL_NEVER),
                     SILL_ECLOSED);
    fail_next(&scene->link, SILL_ECLOSED, SILL_NEVER);
}

CASE(a_link_that_was_not_opened_is_closed)
{
    static const struct {
        const char *says; /* NULL: nothing, and goes */
        int error;
    } peers[] = {{NULL, SILL_EOF},
                 {"-WRONGPASS\r\n", SILL_EACCES},
                 {"?\r\n", SILL_EPROTO},
                 {"+0123456789abcdef\r\n", SILL_EMSGSIZE}};
    struct scene s = {.client = {.password = "p", .limits.line = 16}};
    begin(&s);
    for (size_t i = 0; i < sizeof(peers) / sizeof(peers[0]); i++) {
        begin_link(&s);
        peer_expect(&s.host.peer, "*3\r\n$4\r\nAUTH\r\n$7\r\ndefault\r\n$1\r\n"
                                  "p\r\n");
        if (peers[i].says != NULL)
            peer_say(&s.host.peer, peers[i].says);
        else
            peer_close(&s.host.peer);
        ck_assert_int_eq(end_begun(&s), peers[i].error);
        expect_closed(&s);
        peer_close(&s.host.peer);
    }
    s.client.connect_timeout = MOMENT;
    ck_assert_int_eq(open_link(&s), SILL_ETIMEDOUT);
    s.client.connect_timeout = 60 * SILL_SECOND;
    ck_assert_int_eq(
        sill_resp_link_open(&s.link, &s.client, sill_after(MOMENT)),
        SILL_ETIMEDOUT);
    s.client.version = 4;
    ck_assert_int_eq(open_link(&s), SILL_EINVAL);
    expect_closed(&s);
    return end(&s);
}

CASE(a_link_may_find_nobody)
{
    struct scene s = {0};
    begin(&s);
    connect_link(&s);
    end(&s);
    ck_assert_int_eq(open_link(&s), SILL_ECONNREFUSED);
    expect_closed(&s);
    return 0;
}

CASE(what_is_added_leaves_with_one_write_and_is_answered_in_order)
{
    struct scene s = {0};
    begin(&s);
    connect_link(&s);
    ck_assert_int_eq(add(&s.link, "q 1"), 0);
    ck_assert_int_eq(add(&s.link, "q 2"), 0);
    ck_assert_int_eq(add(&s.link, "q 3"), 0);
    fail_next(&s.link, SILL_ETIMEDOUT, SILL_PAST);
    ck_assert_int_eq(peer_read(&s.host.peer), 3 * (ssize_t)strlen(ASKED(0)));
    peer_expect(&s.host.peer, ASKED(1) ASKED(2) ASKED(3));
    peer_say(&s.host.peer, "+one\r\n-two\r\n$5\r\nthree\r\n");
    expect_next(&s.link, "one");
    expect_next(&s.link, "two");
    expect_next(&s.link, "three");
    return end(&s);
}

CASE(what_was_added_and_not_sent_never_is)
{
    struct scene s = {0};
    begin(&s);
    connect_link(&s);
    ck_assert_int_eq(add(&s.link, "q 1"), 0);
    sill_resp_link_close(&s.link);
    peer_read_end(&s.host.peer);
    ck_assert_str_eq(s.host.peer.text, "");
    expect_closed(&s);
    return end(&s);
}

CASE(a_call_that_was_given_up_leaves_its_reply_to_nobody)
{
    struct scene s = {0};
    struct sill_resp_answer answer;
    begin(&s);
    connect_link(&s);
    ck_assert_int_eq(call(&s.link, "first", &answer, SILL_PAST),
                     SILL_ETIMEDOUT);
    ck_assert_ptr_null(answer.values);
    peer_say(&s.host.peer, "+1\r\n");
    ck_assert_int_eq(call(&s.link, "second", &answer, kit_soon()), SILL_EBUSY);
    expect_next(&s.link, "1");
    ck_assert_int_eq(add(&s.link, "third"), 0);
    ck_assert_int_eq(call(&s.link, "fourth", &answer, kit_soon()), SILL_EBUSY);
    peer_say(&s.host.peer, "+3\r\n+5\r\n");
    expect_next(&s.link, "3");
    ck_assert_int_eq(call(&s.link, "fifth", &answer, kit_soon()), 0);
    expect_text(&answer, "5");
    sill_resp_answer_free(&answer);
    peer_expect(&s.host.peer,
                "*1\r\n$5\r\nfirst\r\n*1\r\n$5\r\nthird\r\n*1\r\n$5\r\nfifth");
    return end(&s);
}

CASE(what_is_added_keeps_its_bound)
{
    static const char data[400];
    const struct sill_resp_view large[] = {{data, sizeof(data)}},
                                endless[] = {{"", SIZE_MAX}};
    struct scene s = {.client.pending_max = 180};
    begin(&s);
    connect_link(&s);
    ck_assert_int_eq(sill_resp_link_add(&s.link, large, 0), SILL_EINVAL);
    ck_assert_int_eq(sill_resp_link_add(&s.link, large, 1), SILL_EBUSY);
    ck_assert_int_eq(sill_resp_link_add(&s.link, endless, 1), SILL_EBUSY);
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(add(&s.link, "q 1"), 0);
    ck_assert_int_eq(add(&s.link, "q 1"), SILL_EBUSY);
    peer_say(&s.host.peer, "+1\r\n");
    expect_next(&s.link, "1");
    ck_assert_int_eq(add(&s.link, "q 2"), 0);
    return end(&s);
}

/* ---- what is not one reply for each command ---- */

CASE(what_is_published_is_taken_as_it_comes)
{
    struct scene s = {0};
    struct sill_resp_answer answer;
    begin(&s);
    connect_link(&s);
    ck_assert_int_eq(call(&s.link, "Subscribe", &answer, kit_soon()),
                     SILL_EINVAL);
    ck_assert_int_eq(call(&s.link, "MONITOR", &answer, kit_soon()),
                     SILL_EINVAL);
    ck_assert_int_eq(add(&s.link, "SUBSCRIBE a b"), 0);
    peer_say(&s.host.peer, "*3\r\n+subscribe\r\n+a\r\n+1\r\n"
                           "*3\r\n+subscribe\r\n+b\r\n+2\r\n"
                           "*3\r\n+message\r\n+b\r\n+hello\r\n");
    expect_message(&s.link, SILL_RESP_ARRAY, "1");
    expect_message(&s.link, SILL_RESP_ARRAY, "2");
    expect_message(&s.link, SILL_RESP_ARRAY, "hello");
    fail_next(&s.link, SILL_ETIMEDOUT, SILL_PAST);
    peer_say(&s.host.peer, "*3\r\n+message\r\n");
    fail_next(&s.link, SILL_ETIMEDOUT, sill_after(MOMENT));
    peer_say(&s.host.peer, "+a\r\n+again\r\n");
    expect_message(&s.link, SILL_RESP_ARRAY, "again");
    ck_assert_int_eq(call(&s.link, "PING", &answer, kit_soon()), SILL_EBUSY);
    return end(&s);
}

CASE(version_3_tells_pushes_from_replies)
{
    struct scene s = {0};
    begin_version_3(&s);
    ck_assert_int_eq(add(&s.link, "SUBSCRIBE a"), 0);
    ck_assert_int_eq(add(&s.link, "PING"), 0);
    peer_say(&s.host.peer, ">3\r\n+subscribe\r\n+a\r\n+1\r\n+PONG\r\n"
                           ">3\r\n+message\r\n+a\r\n+hello\r\n");
    expect_message(&s.link, SILL_RESP_PUSH, "1");
    expect_next(&s.link, "PONG");
    expect_message(&s.link, SILL_RESP_PUSH, "hello");
    return end(&s);
}

CASE(a_monitor_sees_what_others_say)
{
    struct scene s = {0};
    begin(&s);
    connect_link(&s);
    ck_assert_int_eq(add(&s.link, "MONITOR"), 0);
    peer_say(&s.host.peer, "+OK\r\n+0.0 \"get\" \"a\"\r\n+0.1 \"ping\"\r\n");
    expect_next(&s.link, "OK");
    expect_next(&s.link, "0.0 \"get\" \"a\"");
    expect_next(&s.link, "0.1 \"ping\"");
    return end(&s);
}

static int pushes;

static void count_push(void *arg, const struct sill_resp_value *values,
                       size_t count)
{
    ck_assert_ptr_eq(arg, &pushes);
    ck_assert(count == 2 && values[0].type == SILL_RESP_PUSH);
    pushes++;
}

CASE(what_is_pushed_before_a_calls_reply_is_handed_on)
{
    struct scene s = {.client = {.pushed = count_push, .arg = &pushes}};
    struct sill_resp_answer answer;
    begin_version_3(&s);
    for (int i = 0; i < 2; i++) {
        peer_say(&s.host.peer, ">1\r\n+1\r\n>1\r\n+2\r\n+3\r\n");
        ck_assert_int_eq(call(&s.link, "q", &answer, kit_soon()), 0);
        expect_text(&answer, "3");
        ck_assert_int_eq(pushes, 2);
        s.client.pushed = NULL;
    }
    return end(&s);
}

/* ---- peers that break off, and worse ---- */

CASE(a_reply_that_nobody_asked_for_breaks_the_protocol)
{
    struct scene s = {0};
    begin(&s);
    connect_link(&s);
    ck_assert_int_eq(add(&s.link, "q 1"), 0);
    peer_say(&s.host.peer, "+1\r\n+2\r\n");
    expect_next(&s.link, "1");
    fail_next(&s.link, SILL_EPROTO, kit_soon());
    return end(&s);
}

CASE(what_is_no_reply_stays_none)
{
    struct scene s = {.client.limits.line = 16};
    begin(&s);
    for (int i = 0; i < 2; i++) {
        int error = i == 0 ? SILL_EPROTO : SILL_EMSGSIZE;
        connect_link(&s);
        ck_assert_int_eq(add(&s.link, "q 1"), 0);
        peer_say(&s.host.peer, i == 0 ? "?" : "+0123456789abcdef");
        fail_next(&s.link, error, kit_soon());
        fail_next(&s.link, error, kit_soon());
        sill_resp_link_close(&s.link);
        peer_close(&s.host.peer);
    }
    return end(&s);
}

static bool is_end(int rc)
{
    return rc == SILL_EOF || rc == SILL_ECONNRESET || rc == SILL_EPIPE;
}

/* The peer says so much of a conversation, and goes. */
CASE(a_peer_may_go_at_any_byte)
{
    static const char text[] = "%0\r\n+OK\r\n*2\r\n+a\r\n:1\r\n$1\r\nb\r\n";
    struct scene s = {.client = {.version = 3, .database = 1}};
    int before = descriptors();
    begin(&s);
    for (size_t i = 0; i < sizeof(text); i++) {
        struct sill_resp_answer answer;
        begin_link(&s);
        if (i > 0)
            peer_send(&s.host.peer, text, i);
        ck_assert_int_eq(sill_stream_shutdown(&s.host.peer.stream, kit_soon()),
                         0);
        int rc = end_begun(&s), taken = 0;
        ck_assert(i < 9 ? is_end(rc) : rc == 0);
        if (rc == 0) {
            ck_assert_int_eq(add(&s.link, "q 1"), 0);
            ck_assert_int_eq(add(&s.link, "q 2"), 0);
        }
        while (rc == 0) {
            rc = sill_resp_link_next(&s.link, &answer, kit_soon());
            taken += rc == 0;
        }
        ck_assert(is_end(rc));
        ck_assert_int_eq(taken, i == sizeof(text) - 1 ? 2 : i >= 21);
        sill_resp_link_close(&s.link);
        peer_close(&s.host.peer);
    }
    end(&s);
    ck_assert_int_eq(descriptors(), before);
    return 0;
}

/* ---- our server as the peer ---- */

static int echo(struct sill_resp_session *s, const struct sill_resp_view *args,
                size_t count)
{
    (void)count;
    sill_resp_reply_string(s, args[1]);
    return 0;
}

static int many(struct sill_resp_session *s, const struct sill_resp_view *args,
                size_t count)
{
    enum { VALUES = 20 };

    (void)args;
    (void)count;
    sill_resp_reply_array(s, VALUES);
    for (int i = 0; i < VALUES; i++)
        sill_resp_reply_integer(s, i);
    return 0;
}

static const struct sill_resp_verb verbs[] = {{"echo", echo, 2, 0},
                                              {"many", many, -1, 0}};

/* The server reads no more while its replies are not taken. */
CASE(a_pipeline_may_be_longer_than_the_peer_waits_for)
{
    enum { COUNT = 1500, LARGE = 10000 };
    struct kit kit = {0};
    struct sill_resp_client client = {0};
    struct sill_resp_link link;
    char *data = calloc(1, LARGE);
    kit_start(&kit, verbs, 2);
    client.address = kit.address;
    ck_assert_int_eq(sill_resp_link_open(&link, &client, kit_soon()), 0);
    for (int i = 0; i < COUNT; i++) {
        snprintf(data, LARGE, "%d", i);
        const struct sill_resp_view args[] = {SILL_RESP_VIEW_INIT("echo"),
                                              {data, LARGE}};
        ck_assert_int_eq(sill_resp_link_add(&link, args, 2), 0);
    }
    for (int i = 0; i < COUNT; i++) {
        struct sill_resp_answer answer;
        ck_assert_int_eq(sill_resp_link_next(&link, &answer, kit_soon()), 0);
        ck_assert_uint_eq(answer.values[0].text.size, LARGE);
        ck_assert_int_eq(atoi(answer.values[0].text.at), i);
    }
    fail_next(&link, SILL_ETIMEDOUT, SILL_PAST);
    sill_resp_link_close(&link);
    free(data);
    return kit_stop(&kit);
}

struct talk {
    struct sill_resp_client *client;
    int done;
};

/* What a task with a link does, all of it. */
static int talk(void *arg)
{
    struct talk *t = arg;
    struct sill_resp_link link;
    struct sill_resp_answer answer;
    int rc = sill_resp_link_open(&link, t->client, kit_soon());
    for (int i = 0; i < 2 && rc == 0; i++) {
        rc = add(&link, "echo 1");
        if (rc == 0)
            rc = add(&link, "echo 2");
        if (rc == 0)
            rc = sill_resp_link_next(&link, &answer, kit_soon());
        if (rc == 0) {
            expect_text(&answer, "1");
            rc = sill_resp_link_next(&link, &answer, kit_soon());
        }
        if (rc == 0)
            expect_text(&answer, "2");
    }
    t->done += rc == 0;
    sill_resp_link_close(&link);
    return rc;
}

CASE(its_task_may_be_cancelled_at_any_step)
{
    struct kit kit = {0};
    struct sill_resp_client client = {0};
    struct talk t = {.client = &client};
    int before = descriptors(), steps = 0;
    blocks_watch();
    kit_start(&kit, verbs, 2);
    client.address = kit.address;
    ck_assert_int_eq(talk(&t), 0);
    while (kit.server.stats.open > 0)
        ck_assert_int_eq(sill_yield(), 0);
    long blocks = blocks_open();
    while (t.done == 1) {
        struct sill_task *task;
        ck_assert_int_eq(sill_spawn(talk, &t, &task), 0);
        for (int i = 0; i < steps; i++)
            ck_assert_int_eq(sill_yield(), 0);
        ck_assert_int_eq(sill_cancel(task, kit_soon()), 0);
        while (kit.server.stats.open > 0)
            ck_assert_int_eq(sill_yield(), 0);
        blocks_settle(blocks);
        ck_assert_int_lt(++steps, 10000);
    }
    ck_assert_int_gt(steps, 3);
    ck_assert_int_eq(kit_stop(&kit), 0);
    ck_assert_int_eq(descriptors(), before);
    return 0;
}

/* A command that does not leave at once, and a reply of many values. */
static int ask_much(struct sill_resp_link *link,
                    struct sill_resp_client *client, size_t size)
{
    struct sill_resp_answer answer;
    char *data = calloc(1, size);
    const struct sill_resp_view args[] = {SILL_RESP_VIEW_INIT("many"),
                                          {data, size}};
    int rc = sill_resp_link_open(link, client, kit_soon());
    if (rc == 0)
        rc = sill_resp_link_add(link, args, 2);
    if (rc == 0)
        rc = sill_resp_link_next(link, &answer, kit_soon());
    ck_assert(rc != 0 || answer.count == 21);
    free(data);
    return rc;
}

/* Memory is the server's as well, which may have to leave. */
static int fail_any(void *arg)
{
    const long *nth = arg;
    struct kit kit = {.options = {.receive_buffer = 4096}};
    struct sill_resp_client client = {0};
    struct sill_resp_link link;
    kit_start(&kit, verbs, 2);
    client.address = kit.address;
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(sill_yield(), 0);
    blocks_fail(*nth);
    int rc = ask_much(&link, &client, 6000000);
    bool failed = blocks_failed();
    blocks_fail(0);
    ck_assert(rc == 0 || (failed && (rc == SILL_ENOMEM || is_end(rc))));
    sill_resp_link_close(&link);
    ck_assert_int_eq(ask_much(&link, &client, 1), 0);
    sill_resp_link_close(&link);
    ck_assert_int_eq(kit_stop(&kit), 0);
    return failed;
}

START_TEST(any_allocation_may_fail)
{
    case_fail_each(fail_any);
}

END_TEST

int main(void)
{
    Suite *suite = suite_create("resp link");
    TCase *tc = tcase_create("link");
    SRunner *runner = srunner_create(suite);

    suite_add_tcase(suite, tc);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, a_link_says_the_first_words);
    tcase_add_test(tc, a_link_that_was_not_opened_is_closed);
    tcase_add_test(tc, a_link_may_find_nobody);
    tcase_add_test(
        tc, what_is_added_leaves_with_one_write_and_is_answered_in_order);
    tcase_add_test(tc, what_was_added_and_not_sent_never_is);
    tcase_add_test(tc, a_call_that_was_given_up_leaves_its_reply_to_nobody);
    tcase_add_test(tc, what_is_added_keeps_its_bound);
    tcase_add_test(tc, what_is_published_is_taken_as_it_comes);
    tcase_add_test(tc, version_3_tells_pushes_from_replies);
    tcase_add_test(tc, a_monitor_sees_what_others_say);
    tcase_add_test(tc, what_is_pushed_before_a_calls_reply_is_handed_on);
    tcase_add_test(tc, a_reply_that_nobody_asked_for_breaks_the_protocol);
    tcase_add_test(tc, what_is_no_reply_stays_none);
    tcase_add_test(tc, a_peer_may_go_at_any_byte);
    tcase_add_test(tc, a_pipeline_may_be_longer_than_the_peer_waits_for);
    tcase_add_test(tc, its_task_may_be_cancelled_at_any_step);
    tcase_add_test(tc, any_allocation_may_fail);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
