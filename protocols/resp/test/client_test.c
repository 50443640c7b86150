/* SPDX-License-Identifier: MIT */
/*
 * client_test.c: what the client promises to the tasks that share it, with our
 * own server as its peer, and with one that says what the case wants.
 */
#include "client_kit.h"

#include <stdio.h>
#include <unistd.h>

/* ---- a client and its keeper ---- */

struct line {
    struct sill_resp_client client;
    struct sill_task *keeper;
};

static void line_open(struct line *line, const struct sill_address *address)
{
    line->client.address = *address;
    if (line->client.pause_min == 0)
        line->client.pause_min = MOMENT;
    ck_assert_int_eq(
        sill_spawn(sill_resp_client_run, &line->client, &line->keeper), 0);
}

static void line_close(struct line *line)
{
    ck_assert_int_eq(sill_cancel(line->keeper, kit_soon()), 0);
    ck_assert(!line->client.stats.connected);
}

/* One call as a task. (word) is its verb, (number) its argument unless it is
 * negative. */
struct ask {
    struct line *line;
    const char *word;
    int number;
    unsigned flags;
    sill_time deadline; /* 0: soon */
    struct sill_task *task;
    struct sill_resp_answer answer;
};

static int ask(void *arg)
{
    struct ask *a = arg;
    char text[16];
    snprintf(text, sizeof(text), "%d", a->number);
    const struct sill_resp_view args[] = {sill_resp_view(a->word),
                                          sill_resp_view(text)};
    return sill_resp_client_call(&a->line->client, args, a->number < 0 ? 1 : 2,
                                 a->flags, &a->answer,
                                 a->deadline != 0 ? a->deadline : kit_soon());
}

static void ask_start(struct ask *a)
{
    ck_assert_int_eq(sill_spawn(ask, a, &a->task), 0);
}

static int ask_end(struct ask *a)
{
    int result = -1;
    ck_assert_int_eq(sill_await(a->task, &result, kit_soon()), 0);
    return result;
}

/* The answer is this string, or simple string, or error. */
static void expect_text(struct sill_resp_answer *answer, const char *text)
{
    ck_assert_ptr_nonnull(answer->values);
    ck_assert_uint_eq(answer->values[0].text.size, strlen(text));
    ck_assert_mem_eq(answer->values[0].text.at, text, strlen(text));
    sill_resp_answer_free(answer);
    ck_assert(answer->values == NULL && answer->count == 0);
}

static void expect_number(struct sill_resp_answer *answer, int number)
{
    char text[16];
    snprintf(text, sizeof(text), "%d", number);
    expect_text(answer, text);
}

static void call_ok(struct line *line, const char *word, int number,
                    const char *text)
{
    struct ask a = {.line = line, .word = word, .number = number};
    ck_assert_int_eq(ask(&a), 0);
    expect_text(&a.answer, text);
}

/* ---- our server ---- */

static int ping(struct sill_resp_session *s, const struct sill_resp_view *args,
                size_t count)
{
    (void)args;
    (void)count;
    sill_resp_reply_simple(s, "PONG");
    return 0;
}

static int echo(struct sill_resp_session *s, const struct sill_resp_view *args,
                size_t count)
{
    (void)count;
    sill_resp_reply_string(s, args[1]);
    return 0;
}

static int types(struct sill_resp_session *s, const struct sill_resp_view *args,
                 size_t count)
{
    (void)args;
    (void)count;
    sill_resp_reply_array(s, 4);
    sill_resp_reply_integer(s, 7);
    sill_resp_reply_null(s);
    sill_resp_reply_verbatim(s, "txt", SILL_RESP_VIEW("hello"));
    sill_resp_reply_map(s, 1);
    sill_resp_reply_string(s, SILL_RESP_VIEW("key"));
    sill_resp_reply_error(s, "ERR inside");
    return 0;
}

static int shout(struct sill_resp_session *s, const struct sill_resp_view *args,
                 size_t count)
{
    (void)count;
    (void)sill_resp_push(s, args + 1, 1);
    sill_resp_reply_simple(s, "OK");
    return 0;
}

static int hello(struct sill_resp_session *s, const struct sill_resp_view *args,
                 size_t count)
{
    (void)args;
    (void)count;
    sill_resp_session_set_version(s, 3);
    sill_resp_reply_map(s, 0);
    return 0;
}

static int large(struct sill_resp_session *s, const struct sill_resp_view *args,
                 size_t count)
{
    int64_t values = 0;
    (void)count;
    ck_assert(sill_resp_integer(args[1], &values));
    sill_resp_reply_array(s, (size_t)values);
    for (int64_t i = 0; i < values; i++)
        sill_resp_reply_string(s, SILL_RESP_VIEW("0123456789"));
    return 0;
}

static const struct sill_resp_verb verbs[] = {
    {"ping", ping, 1, 0},   {"echo", echo, 2, 0},   {"types", types, 1, 0},
    {"shout", shout, 2, 0}, {"hello", hello, 2, 0}, {"large", large, 2, 0},
};

static void serve(struct kit *kit)
{
    kit_start(kit, verbs, sizeof(verbs) / sizeof(verbs[0]));
}

CASE(a_call_gets_its_reply)
{
    struct kit kit = {0};
    struct line line = {0};
    serve(&kit);
    line_open(&line, &kit.address);
    call_ok(&line, "ping", -1, "PONG");
    call_ok(&line, "echo", 7, "7");
    call_ok(&line, "nosuch", -1,
            "ERR unknown command 'nosuch', with args beginning with: ");
    ck_assert(line.client.stats.connected);
    ck_assert_uint_eq(line.client.stats.calls, 3);
    line_close(&line);
    return kit_stop(&kit);
}

CASE(an_answer_has_all_that_it_points_to)
{
    struct kit kit = {0};
    struct line line = {.client.version = 3};
    struct ask a = {.line = &line, .word = "types", .number = -1};
    serve(&kit);
    line_open(&line, &kit.address);
    ck_assert_int_eq(ask(&a), 0);
    call_ok(&line, "echo", 12345678, "12345678");
    const struct sill_resp_value *v = a.answer.values;
    ck_assert_uint_eq(a.answer.count, 7);
    ck_assert(v[0].type == SILL_RESP_ARRAY && v[0].count == 4);
    ck_assert(v[1].integer == 7 && v[2].type == SILL_RESP_NULL);
    ck_assert(v[3].type == SILL_RESP_VERBATIM && v[3].text.size == 5);
    ck_assert_mem_eq(v[3].text.at - 4, "txt:hello", 9);
    ck_assert(v[4].type == SILL_RESP_MAP && v[4].span == 3);
    ck_assert_mem_eq(v[5].text.at, "key", 3);
    ck_assert_int_eq(v[6].type, SILL_RESP_ERROR);
    sill_resp_answer_free(&a.answer);
    sill_resp_answer_free(&a.answer);
    line_close(&line);
    return kit_stop(&kit);
}

CASE(tasks_share_one_connection_and_get_their_own_replies)
{
    enum { TASKS = 100, ROUNDS = 20 };
    static struct ask asks[TASKS];
    struct kit kit = {0};
    struct line line = {0};
    serve(&kit);
    line_open(&line, &kit.address);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < TASKS; i++) {
            asks[i] = (struct ask){
                .line = &line, .word = "echo", .number = round * 1000 + i};
            ask_start(&asks[i]);
        }
        for (int i = 0; i < TASKS; i++) {
            ck_assert_int_eq(ask_end(&asks[i]), 0);
            expect_number(&asks[i].answer, round * 1000 + i);
        }
    }
    ck_assert_uint_eq(kit.server.stats.sessions, 1);
    ck_assert_uint_eq(kit.server.stats.commands, TASKS * ROUNDS);
    line_close(&line);
    return kit_stop(&kit);
}

CASE(replies_may_be_large)
{
    struct kit kit = {0};
    struct line line = {0};
    struct ask a = {.line = &line, .word = "large", .number = 30000};
    serve(&kit);
    line_open(&line, &kit.address);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(ask(&a), 0);
        ck_assert_uint_eq(a.answer.count, 30001);
        ck_assert_mem_eq(a.answer.values[30000].text.at, "0123456789", 10);
        sill_resp_answer_free(&a.answer);
        call_ok(&line, "ping", -1, "PONG");
    }
    line_close(&line);
    return kit_stop(&kit);
}

CASE(replies_may_come_all_at_once)
{
    enum { TASKS = 60 };
    static struct ask asks[TASKS];
    struct kit kit = {0};
    struct line line = {.client.limits.message = 20000};
    serve(&kit);
    line_open(&line, &kit.address);
    for (int i = 0; i < TASKS; i++) {
        asks[i] = (struct ask){
            .line = &line, .word = "large", .number = i == 7 ? 1100 : i};
        ask_start(&asks[i]);
    }
    for (int i = 0; i < TASKS; i++) {
        ck_assert_int_eq(ask_end(&asks[i]), 0);
        ck_assert_int_eq((int)asks[i].answer.count, i == 7 ? 1101 : i + 1);
        sill_resp_answer_free(&asks[i].answer);
    }
    line_close(&line);
    return kit_stop(&kit);
}

CASE(commands_may_be_large)
{
    enum { LARGE = 1000000 };
    struct kit kit = {0};
    struct line line = {0};
    char *data = calloc(1, LARGE);
    const struct sill_resp_view args[] = {SILL_RESP_VIEW_INIT("echo"),
                                          {data, LARGE}};
    struct sill_resp_answer answer;
    serve(&kit);
    line_open(&line, &kit.address);
    ck_assert_int_eq(
        sill_resp_client_call(&line.client, args, 2, 0, &answer, kit_soon()),
        0);
    ck_assert(sill_resp_view_is_equal(answer.values[0].text, args[1]));
    sill_resp_answer_free(&answer);
    call_ok(&line, "ping", -1, "PONG");
    line_close(&line);
    free(data);
    return kit_stop(&kit);
}

static int pushes;

static void count_push(void *arg, const struct sill_resp_value *values,
                       size_t count)
{
    ck_assert_ptr_eq(arg, &pushes);
    ck_assert_uint_eq(count, 2);
    ck_assert_int_eq(values[0].type, SILL_RESP_PUSH);
    ck_assert_mem_eq(values[1].text.at, "8", 1);
    pushes++;
}

CASE(pushes_are_not_replies)
{
    struct kit kit = {0};
    struct line line = {
        .client = {.version = 3, .pushed = count_push, .arg = &pushes}};
    serve(&kit);
    line_open(&line, &kit.address);
    call_ok(&line, "shout", 8, "OK");
    call_ok(&line, "echo", 9, "9");
    ck_assert_int_eq(pushes, 1);
    line.client.pushed = NULL;
    call_ok(&line, "shout", 8, "OK");
    call_ok(&line, "echo", 9, "9");
    line_close(&line);
    return kit_stop(&kit);
}

/* HELLO and SELECT, with something pushed in between. */
static int greet(struct sill_resp_session *s, const struct sill_resp_view *args,
                 size_t count)
{
    if (sill_resp_view_is_alike(args[0], SILL_RESP_VIEW("select")))
        return ping(s, args, count);
    const struct sill_resp_view early[] = {SILL_RESP_VIEW_INIT("8")};
    sill_resp_session_set_version(s, 3);
    (void)sill_resp_push(s, early, 1);
    return ping(s, args, count);
}

CASE(what_is_pushed_among_the_first_words_is_handed_on)
{
    static const struct sill_resp_verb words[] = {
        {"hello", greet, 2, 0}, {"select", greet, 2, 0}, {"ping", ping, 1, 0}};
    struct kit kit = {0};
    struct line line = {
        .client = {
            .version = 3, .database = 1, .pushed = count_push, .arg = &pushes}};
    kit_start(&kit, words, 3);
    line_open(&line, &kit.address);
    call_ok(&line, "ping", -1, "PONG");
    ck_assert_int_eq(pushes, 1);
    line_close(&line);
    return kit_stop(&kit);
}

CASE(what_does_not_fit_is_refused)
{
    static const char *const words[] = {
        "Subscribe",  "unsubscribe",  "psubscribe", "punsubscribe",
        "ssubscribe", "sunsubscribe", "monitor",    "sync",
        "psync",      "multi",        "exec",       "discard",
        "watch",      "unwatch",      "select",     "hello",
        "auth",       "quit",         "RESET",      "readonly",
        "readwrite",  "asking"};
    const struct sill_resp_view reply[] = {SILL_RESP_VIEW_INIT("client"),
                                           SILL_RESP_VIEW_INIT("reply")};
    struct line line = {0};
    struct sill_resp_answer answer;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        struct ask a = {.line = &line, .word = words[i], .number = -1};
        ck_assert_int_eq(ask(&a), SILL_EINVAL);
    }
    ck_assert_int_eq(
        sill_resp_client_call(&line.client, reply, 2, 0, &answer, SILL_NEVER),
        SILL_EINVAL);
    ck_assert_int_eq(
        sill_resp_client_call(&line.client, NULL, 0, 0, &answer, SILL_NEVER),
        SILL_EINVAL);
    return 0;
}

CASE(a_client_speaks_version_2_or_3)
{
    struct line line = {.client.version = 4};
    struct ask a = {.line = &line, .word = "ping", .number = -1};
    ask_start(&a);
    ck_assert_int_eq(sill_yield(), 0);
    ck_assert_int_eq(sill_resp_client_run(&line.client), SILL_EINVAL);
    ck_assert_int_eq(ask_end(&a), SILL_ECLOSED);
    return 0;
}

/* ---- a peer that says what the case wants ---- */

static void host_close(struct host *host, struct line *line)
{
    line_close(line);
    host_end(host);
}

#define ASKED(number) "*2\r\n$1\r\nq\r\n$1\r\n" #number "\r\n"

static struct ask question(struct line *line, int number)
{
    return (struct ask){.line = line, .word = "q", .number = number};
}

/* Gives question (number) up for its deadline, having sent it: tries again
 * where that came first. */
static void give_up_late(struct line *line, int number)
{
    uint64_t calls = line->client.stats.calls;
    for (sill_duration patience = 5 * MOMENT; line->client.stats.calls == calls;
         patience *= 2) {
        struct ask a = question(line, number);
        a.deadline = sill_after(patience);
        ck_assert_int_eq(ask(&a), SILL_ETIMEDOUT);
    }
}

CASE(what_is_asked_together_leaves_together)
{
    struct host host = {0};
    struct line line = {0};
    struct ask asks[5];
    host_open(&host);
    line_open(&line, &host.address);
    host_accept(&host);
    while (!line.client.stats.connected)
        ck_assert_int_eq(sill_yield(), 0);
    for (int i = 0; i < 5; i++) {
        asks[i] = question(&line, i);
        ask_start(&asks[i]);
    }
    ck_assert_int_eq(peer_read(&host.peer), 5 * (ssize_t)strlen(ASKED(0)));
    peer_expect(&host.peer, ASKED(0) ASKED(1) ASKED(2) ASKED(3) ASKED(4));
    peer_say(&host.peer, ":0\r\n:1\r\n+2\r\n$1\r\n3\r\n-4\r\n");
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(ask_end(&asks[i]), 0);
        if (i > 1)
            expect_number(&asks[i].answer, i);
        else
            ck_assert_int_eq(asks[i].answer.values[0].integer, i);
        sill_resp_answer_free(&asks[i].answer);
    }
    host_close(&host, &line);
    return 0;
}

CASE(a_late_reply_is_nobody_elses)
{
    struct host host = {0};
    struct line line = {0};
    struct ask a = question(&line, 1), c = question(&line, 3);
    host_open(&host);
    line_open(&line, &host.address);
    host_accept(&host);
    ask_start(&a);
    peer_expect(&host.peer, ASKED(1));
    give_up_late(&line, 2);
    peer_expect(&host.peer, ASKED(2));
    ck_assert_int_eq(sill_cancel(a.task, kit_soon()), 0);
    ask_start(&c);
    peer_expect(&host.peer, ASKED(3));
    peer_say(&host.peer, "+one\r\n+two\r\n+three\r\n");
    ck_assert_int_eq(ask_end(&c), 0);
    expect_text(&c.answer, "three");
    ck_assert_uint_eq(line.client.stats.dropped, 2);
    host_close(&host, &line);
    return 0;
}

CASE(what_was_given_up_before_it_was_sent_is_never_sent)
{
    struct host host = {0};
    struct line line = {0};
    struct ask asks[6];
    host_open(&host);
    for (int i = 0; i < 6; i++) {
        asks[i] = question(&line, i);
        asks[i].deadline = i == 1 ? SILL_PAST : 0;
        ask_start(&asks[i]);
    }
    ck_assert_int_eq(ask_end(&asks[1]), SILL_ETIMEDOUT);
    ck_assert_int_eq(sill_cancel(asks[0].task, kit_soon()), 0);
    ck_assert_int_eq(sill_cancel(asks[3].task, kit_soon()), 0);
    ck_assert_int_eq(sill_cancel(asks[5].task, kit_soon()), 0);
    line_open(&line, &host.address);
    host_accept(&host);
    peer_expect(&host.peer, ASKED(2) ASKED(4));
    peer_say(&host.peer, "+2\r\n+4\r\n");
    for (int i = 2; i < 6; i += 2) {
        ck_assert_int_eq(ask_end(&asks[i]), 0);
        expect_number(&asks[i].answer, i);
    }
    host_close(&host, &line);
    return 0;
}

CASE(a_lost_connection_ends_what_was_sent_unless_it_may_be_done_twice)
{
    struct host host = {0};
    struct line line = {0};
    struct ask once = question(&line, 1), again = question(&line, 2),
               given_up = question(&line, 3);
    again.flags = given_up.flags = SILL_RESP_AGAIN;
    host_open(&host);
    line_open(&line, &host.address);
    host_accept(&host);
    ask_start(&given_up);
    ask_start(&once);
    ask_start(&again);
    peer_expect(&host.peer, ASKED(3) ASKED(1) ASKED(2));
    ck_assert_int_eq(sill_cancel(given_up.task, kit_soon()), 0);
    peer_close(&host.peer);
    ck_assert_int_eq(ask_end(&once), SILL_ECONNRESET);
    ck_assert_ptr_null(once.answer.values);
    ck_assert_uint_eq(line.client.stats.lost, 1);
    ck_assert_int_ne(line.client.stats.failure, 0);
    host_accept(&host);
    peer_expect(&host.peer, ASKED(2));
    peer_say(&host.peer, "+2\r\n");
    ck_assert_int_eq(ask_end(&again), 0);
    expect_number(&again.answer, 2);
    ck_assert_uint_eq(line.client.stats.connections, 2);
    host_close(&host, &line);
    return 0;
}

CASE(a_peer_may_go_at_any_byte)
{
    static const char text[] = "*2\r\n$5\r\nhello\r\n:1\r\n";
    struct host host = {0};
    struct line line = {0};
    host_open(&host);
    line_open(&line, &host.address);
    for (size_t i = 0; i < sizeof(text); i++) {
        struct ask a = question(&line, 1);
        bool whole = i == sizeof(text) - 1;
        host_accept(&host);
        ask_start(&a);
        peer_expect(&host.peer, ASKED(1));
        if (i > 0)
            peer_send(&host.peer, text, i);
        peer_close(&host.peer);
        ck_assert_int_eq(ask_end(&a), whole ? 0 : SILL_ECONNRESET);
        ck_assert_uint_eq(a.answer.count, whole ? 3 : 0);
        sill_resp_answer_free(&a.answer);
    }
    host_close(&host, &line);
    return 0;
}

CASE(a_peer_that_breaks_the_protocol_is_left)
{
    static const struct {
        const char *text;
        int failure;
    } breaches[] = {
        {"?", SILL_EPROTO},
        {"$x", SILL_EPROTO},
        {"+1\r\n+2\r\n", SILL_EPROTO}, /* who asked? */
        {"*9\r\n", SILL_EMSGSIZE},
        {"*1\r\n*1\r\n", SILL_EMSGSIZE},
        {"+0123456789abcdef", SILL_EMSGSIZE},
        {"$60\r\n", SILL_EMSGSIZE},
        {"$101\r\n", SILL_EMSGSIZE},
    };
    struct host host = {0};
    struct line line = {.client.limits = {16, 8, 1, 100, 64}};
    host_open(&host);
    line_open(&line, &host.address);
    for (size_t i = 0; i < sizeof(breaches) / sizeof(breaches[0]); i++) {
        struct ask a = question(&line, 1);
        a.flags = SILL_RESP_AGAIN; /* but not for the same to come again */
        host_accept(&host);
        ask_start(&a);
        peer_expect(&host.peer, ASKED(1));
        peer_say(&host.peer, breaches[i].text);
        ck_assert_int_eq(ask_end(&a), i == 2 ? 0 : breaches[i].failure);
        sill_resp_answer_free(&a.answer);
        peer_read_end(&host.peer);
        ck_assert_int_eq(line.client.stats.failure, breaches[i].failure);
        peer_close(&host.peer);
    }
    host_close(&host, &line);
    return 0;
}

CASE(first_words_are_said_on_each_connection)
{
    struct host host = {0};
    struct line line = {
        .client = {
            .version = 3, .user = "me", .password = "secret", .database = 7}};
    host_open(&host);
    line_open(&line, &host.address);
    for (int i = 0; i < 3; i++) {
        host_accept(&host);
        peer_expect(&host.peer, "*5\r\n$5\r\nHELLO\r\n$1\r\n3\r\n$4\r\nAUTH\r\n"
                                "$2\r\nme\r\n$6\r\nsecret\r\n");
        peer_say(&host.peer,
                 i == 0 ? "-WRONGPASS\r\n" : ">1\r\n+unasked\r\n%0\r\n");
        if (i == 0) {
            peer_read_end(&host.peer);
            ck_assert_int_eq(line.client.stats.failure, SILL_EACCES);
        } else {
            peer_expect(&host.peer, "*2\r\n$6\r\nSELECT\r\n$1\r\n7\r\n");
            peer_say(&host.peer, i == 1 ? "-ERR\r\n" : "+OK\r\n");
        }
        if (i < 2)
            peer_close(&host.peer);
    }
    while (!line.client.stats.connected)
        ck_assert_int_eq(sill_yield(), 0);
    ck_assert_uint_eq(line.client.stats.failures, 2);
    host_close(&host, &line);
    return 0;
}

CASE(version_2_gives_a_password_too)
{
    struct host host = {0};
    struct line line = {.client.password = "secret"};
    struct ask a = question(&line, 1);
    host_open(&host);
    line_open(&line, &host.address);
    ask_start(&a);
    host_accept(&host);
    peer_expect(&host.peer, "*3\r\n$4\r\nAUTH\r\n$7\r\ndefault\r\n"
                            "$6\r\nsecret\r\n");
    peer_say(&host.peer, "+OK\r\n");
    peer_expect(&host.peer, ASKED(1));
    peer_say(&host.peer, "+1\r\n");
    ck_assert_int_eq(ask_end(&a), 0);
    expect_number(&a.answer, 1);
    host_close(&host, &line);
    return 0;
}

CASE(first_words_have_a_bound)
{
    static char password[3000];
    struct host host = {0};
    struct line line = {.client.password = password};
    memset(password, 'p', sizeof(password) - 1);
    host_open(&host);
    line_open(&line, &host.address);
    host_accept(&host);
    peer_read_end(&host.peer);
    ck_assert_str_eq(host.peer.text, "");
    ck_assert_int_eq(line.client.stats.failure, SILL_EINVAL);
    host_close(&host, &line);
    return 0;
}

CASE(a_silent_peer_is_no_connection)
{
    struct host host = {0};
    struct line line = {.client = {.version = 3, .connect_timeout = MOMENT}};
    host_open(&host);
    line_open(&line, &host.address);
    for (int i = 0; i < 2; i++) {
        host_accept(&host);
        peer_read_end(&host.peer);
        ck_assert_int_eq(line.client.stats.failure, SILL_ETIMEDOUT);
        if (i == 0)
            peer_close(&host.peer);
    }
    host_close(&host, &line);
    return 0;
}

CASE(calls_wait_for_a_server_that_comes_later)
{
    struct host host = {0};
    struct line line = {.client.pause_max = 4 * MOMENT};
    struct ask a = question(&line, 1), b = question(&line, 2);
    char name[32]; /* that nobody else takes meanwhile, as they may a port */
    snprintf(name, sizeof(name), "@sill-resp-%d", (int)getpid());
    ck_assert_int_eq(sill_address_unix(&host.address, name), 0);
    line_open(&line, &host.address);
    a.deadline = sill_after(10 * MOMENT);
    ask_start(&a);
    ask_start(&b);
    ck_assert_int_eq(ask_end(&a), SILL_ETIMEDOUT);
    while (line.client.stats.failures < 5)
        ck_assert_int_eq(sill_sleep(sill_after(MOMENT)), 0);
    ck_assert_int_eq(line.client.stats.failure, SILL_ECONNREFUSED);
    ck_assert_int_eq(sill_listener_listen(&host.listener, &host.address, NULL),
                     0);
    host_accept(&host);
    peer_expect(&host.peer, ASKED(2));
    peer_say(&host.peer, "+2\r\n");
    ck_assert_int_eq(ask_end(&b), 0);
    expect_number(&b.answer, 2);
    host_close(&host, &line);
    return 0;
}

CASE(commands_that_wait_keep_their_bound)
{
    struct line line = {.client.pending_max = 300}; /* of 98 each */
    struct ask a = question(&line, 1), b = question(&line, 2),
               c = question(&line, 3);
    ask_start(&a);
    ck_assert_int_eq(sill_yield(), 0);
    ask_start(&b);
    ask_start(&c);
    ck_assert_int_eq(sill_yield(), 0);
    struct ask d = question(&line, 4);
    ck_assert_int_eq(ask(&d), SILL_EBUSY);
    const struct sill_resp_view endless[] = {{"", SIZE_MAX}};
    struct sill_resp_answer none;
    ck_assert_int_eq(
        sill_resp_client_call(&line.client, endless, 1, 0, &none, SILL_NEVER),
        SILL_EBUSY);
    const char data[300] = {0};
    const struct sill_resp_view args[] = {{data, sizeof(data)}};
    struct sill_resp_answer answer;
    ck_assert_int_eq(
        sill_resp_client_call(&line.client, args, 1, 0, &answer, SILL_NEVER),
        SILL_EBUSY);
    ck_assert_int_eq(sill_cancel(a.task, kit_soon()), 0);
    d.deadline = SILL_PAST;
    ck_assert_int_eq(ask(&d), SILL_ETIMEDOUT);
    ck_assert_int_eq(sill_cancel(b.task, kit_soon()), 0);
    ck_assert_int_eq(sill_cancel(c.task, kit_soon()), 0);
    return 0;
}

/* A server that is deaf, or has fallen asleep. */
CASE(commands_without_a_reply_keep_their_bound)
{
    struct host host = {0};
    struct line line = {.client.pending_max = 300};
    struct ask last = question(&line, 4);
    host_open(&host);
    line_open(&line, &host.address);
    host_accept(&host);
    for (int i = 1; i < 4; i++)
        give_up_late(&line, i);
    peer_expect(&host.peer, ASKED(1) ASKED(2) ASKED(3));
    ck_assert_int_eq(ask(&last), SILL_EBUSY);
    peer_say(&host.peer, "+1\r\n+2\r\n+3\r\n");
    while (line.client.stats.dropped < 3)
        ck_assert_int_eq(sill_yield(), 0);
    ask_start(&last);
    peer_expect(&host.peer, ASKED(4));
    peer_say(&host.peer, "+4\r\n");
    ck_assert_int_eq(ask_end(&last), 0);
    expect_number(&last.answer, 4);
    host_close(&host, &line);
    return 0;
}

CASE(a_server_that_answers_no_more_is_left_for_another)
{
    struct host host = {0};
    struct line line = {.client.reply_timeout = 20 * MOMENT};
    struct ask once = question(&line, 1), again = question(&line, 2),
               late = question(&line, 3);
    again.flags = SILL_RESP_AGAIN;
    host_open(&host);
    line_open(&line, &host.address);
    host_accept(&host);
    ask_start(&once);
    ask_start(&again);
    peer_expect(&host.peer, ASKED(1) ASKED(2));
    line.client.reply_timeout = 3600 * SILL_SECOND; /* of what comes next */
    peer_read_end(&host.peer); /* and nobody has to ask for it */
    ck_assert_int_eq(ask_end(&once), SILL_ECONNRESET);
    ck_assert_int_eq(line.client.stats.failure, SILL_ETIMEDOUT);
    peer_close(&host.peer);
    host_accept(&host);
    peer_expect(&host.peer, ASKED(2));
    ask_start(&late);
    peer_expect(&host.peer, ASKED(3));
    peer_say(&host.peer, "+2\r\n+3\r\n");
    ck_assert_int_eq(ask_end(&again), 0);
    expect_number(&again.answer, 2);
    ck_assert_int_eq(ask_end(&late), 0);
    expect_number(&late.answer, 3);
    host_close(&host, &line);
    return 0;
}

/* Each of them asks for more time, if they are let. */
CASE(later_calls_do_not_keep_a_silent_server)
{
    struct host host = {0};
    struct line line = {.client.reply_timeout = 20 * MOMENT};
    host_open(&host);
    line_open(&line, &host.address);
    host_accept(&host);
    for (int i = 0; line.client.stats.failure == 0; i++) {
        struct ask a = question(&line, i);
        a.deadline = sill_after(MOMENT);
        int rc = ask(&a);
        ck_assert(rc == SILL_ETIMEDOUT || rc == SILL_ECONNRESET);
    }
    ck_assert_int_eq(line.client.stats.failure, SILL_ETIMEDOUT);
    host_close(&host, &line);
    return 0;
}

CASE(a_server_that_takes_nothing_is_left_for_another)
{
    enum { LARGE = 12000000 };
    struct host host = {0};
    struct line line = {.client.reply_timeout = 20 * MOMENT};
    char *data = calloc(1, LARGE);
    const struct sill_resp_view args[] = {SILL_RESP_VIEW_INIT("echo"),
                                          {data, LARGE}};
    struct sill_resp_answer answer;
    host_open(&host);
    line_open(&line, &host.address);
    host_accept(&host);
    ck_assert_int_eq(
        sill_resp_client_call(&line.client, args, 2, 0, &answer, kit_soon()),
        SILL_ECONNRESET);
    ck_assert_int_eq(line.client.stats.failure, SILL_ETIMEDOUT);
    free(data);
    host_close(&host, &line);
    return 0;
}

CASE(a_server_may_be_silent_when_nobody_asks)
{
    struct host host = {0};
    struct line line = {0};
    struct ask a = question(&line, 1);
    host_open(&host);
    line_open(&line, &host.address);
    host_accept(&host);
    for (int i = 0; i < 2; i++) {
        line.client.reply_timeout = 3600 * SILL_SECOND;
        ask_start(&a);
        peer_expect(&host.peer, ASKED(1));
        peer_say(&host.peer, "+1\r\n");
        ck_assert_int_eq(ask_end(&a), 0);
        expect_number(&a.answer, 1);
        line.client.reply_timeout = MOMENT;
        ck_assert_int_eq(sill_sleep(sill_after(20 * MOMENT)), 0);
    }
    ck_assert_uint_eq(line.client.stats.connections, 1);
    host_close(&host, &line);
    ck_assert_int_eq(line.client.stats.failure, 0); /* its own end is none */
    ck_assert_uint_eq(line.client.stats.failures, 0);
    return 0;
}

CASE(a_command_without_memory_ends_nobody_elses)
{
    static char verb[70001];
    struct host host = {0};
    struct line line = {0};
    struct ask other = question(&line, 1), large = {.line = &line};
    blocks_watch();
    memset(verb, 'x', sizeof(verb) - 1);
    large.word = verb;
    host_open(&host);
    line_open(&line, &host.address);
    host_accept(&host);
    ask_start(&other);
    peer_expect(&host.peer, ASKED(1));
    blocks_fail(2); /* after that of the call itself */
    ck_assert_int_eq(ask(&large), SILL_ENOMEM);
    ck_assert(blocks_failed());
    blocks_fail(0);
    peer_say(&host.peer, "+1\r\n");
    ck_assert_int_eq(ask_end(&other), 0);
    expect_number(&other.answer, 1);
    ck_assert_uint_eq(line.client.stats.connections, 1);
    host_close(&host, &line);
    return 0;
}

CASE(a_client_that_has_ended_says_so_and_may_begin_again)
{
    struct kit kit = {0};
    struct host host = {0};
    struct line line = {0};
    struct ask a = question(&line, 1), b = question(&line, 2);
    int before = descriptors();
    host_open(&host);
    line_open(&line, &host.address);
    host_accept(&host);
    ask_start(&a);
    peer_expect(&host.peer, ASKED(1));
    ask_start(&b);
    line_close(&line);
    ck_assert_int_eq(ask_end(&a), SILL_ECONNRESET);
    ck_assert_int_eq(ask_end(&b), SILL_ECLOSED);
    ck_assert_int_eq(ask(&a), SILL_ECLOSED);
    peer_close(&host.peer);
    sill_listener_close(&host.listener);
    ck_assert_int_eq(descriptors(), before);
    serve(&kit);
    line_open(&line, &kit.address);
    ck_assert_int_eq(ask(&a), SILL_ECLOSED);
    while (!line.client.stats.connected)
        ck_assert_int_eq(sill_yield(), 0);
    call_ok(&line, "ping", -1, "PONG");
    line_close(&line);
    return kit_stop(&kit);
}

/* ---- whatever fails, whenever it ends ---- */

CASE(a_call_may_be_cancelled_at_any_step)
{
    struct kit kit = {0};
    struct line line = {0};
    blocks_watch();
    serve(&kit);
    line_open(&line, &kit.address);
    call_ok(&line, "ping", -1, "PONG");
    long before = blocks_open();
    for (int steps = 0; steps < 60; steps++) {
        struct ask asks[3];
        for (int i = 0; i < 3; i++) {
            asks[i] = (struct ask){
                .line = &line, .word = "echo", .number = steps * 10 + i};
            ask_start(&asks[i]);
        }
        for (int i = 0; i < steps; i++)
            ck_assert_int_eq(sill_yield(), 0);
        ck_assert_int_eq(sill_cancel(asks[1].task, kit_soon()), 0);
        sill_resp_answer_free(&asks[1].answer);
        for (int i = 0; i < 3; i += 2) {
            ck_assert_int_eq(ask_end(&asks[i]), 0);
            expect_number(&asks[i].answer, steps * 10 + i);
        }
        ck_assert_int_eq(blocks_open(), before);
    }
    ck_assert_uint_eq(line.client.stats.connections, 1);
    line_close(&line);
    return kit_stop(&kit);
}

CASE(a_client_may_end_at_any_step)
{
    struct kit kit = {0};
    int before = descriptors();
    serve(&kit);
    for (int steps = 0; steps < 60; steps++) {
        struct line line = {.client.version = 2 + steps % 2};
        struct ask asks[3];
        line_open(&line, &kit.address);
        for (int i = 0; i < 3; i++) {
            asks[i] = (struct ask){.line = &line, .word = "echo", .number = i};
            ask_start(&asks[i]);
        }
        for (int i = 0; i < steps; i++)
            ck_assert_int_eq(sill_yield(), 0);
        line_close(&line);
        for (int i = 0; i < 3; i++) {
            int rc = ask_end(&asks[i]);
            ck_assert(rc == 0 || rc == SILL_ECLOSED || rc == SILL_ECONNRESET);
            if (rc == 0)
                expect_number(&asks[i].answer, i);
        }
        while (kit.server.stats.open > 0)
            ck_assert_int_eq(sill_yield(), 0);
    }
    ck_assert_int_eq(kit_stop(&kit), 0);
    ck_assert_int_eq(descriptors(), before);
    return 0;
}

CASE(any_allocation_may_fail)
{
    struct kit kit = {0};
    int n = 0;
    serve(&kit);
    for (bool failed = true; failed;) {
        struct line line = {.client.version = 3};
        struct ask a = {.line = &line, .word = "large", .number = 300},
                   b = {.line = &line, .word = "echo", .number = 5};
        line_open(&line, &kit.address);
        blocks_fail(++n);
        int rc = ask(&a);
        ck_assert(rc == 0 || rc == SILL_ENOMEM || rc == SILL_ECONNRESET);
        ck_assert(rc != 0 || a.answer.count == 301);
        sill_resp_answer_free(&a.answer);
        failed = blocks_failed();
        blocks_fail(0);
        ck_assert(failed || rc == 0);
        ck_assert_int_eq(ask(&b), 0);
        expect_number(&b.answer, 5);
        line_close(&line);
        while (kit.server.stats.open > 0)
            ck_assert_int_eq(sill_yield(), 0);
    }
    ck_assert_int_gt(n, 8);
    return kit_stop(&kit);
}

/* A loop that is new has no memory to use again. */
static int ask_new(void *arg)
{
    enum { LARGE = 100000 };

    const long *nth = arg;
    struct kit kit = {0};
    struct line line = {.client.version = 3};
    struct ask b = {.line = &line, .word = "echo", .number = 5};
    char *data = calloc(1, LARGE);
    const struct sill_resp_view args[] = {SILL_RESP_VIEW_INIT("echo"),
                                          {data, LARGE}};
    struct sill_resp_answer answer;
    serve(&kit);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(sill_yield(), 0);
    line_open(&line, &kit.address);
    blocks_fail(*nth);
    int rc =
        sill_resp_client_call(&line.client, args, 2, 0, &answer, kit_soon());
    bool failed = blocks_failed();
    blocks_fail(0);
    ck_assert(rc == 0 ||
              (failed && (rc == SILL_ENOMEM || rc == SILL_ECONNRESET)));
    sill_resp_answer_free(&answer);
    free(data);
    ck_assert_int_eq(ask(&b), 0);
    expect_number(&b.answer, 5);
    line_close(&line);
    ck_assert_int_eq(kit_stop(&kit), 0);
    return failed;
}

START_TEST(any_allocation_of_a_new_loop_may_fail)
{
    case_fail_each(ask_new);
}

END_TEST

int main(void)
{
    Suite *suite = suite_create("resp client");
    TCase *tc = tcase_create("client");
    SRunner *runner = srunner_create(suite);

    suite_add_tcase(suite, tc);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, a_call_gets_its_reply);
    tcase_add_test(tc, an_answer_has_all_that_it_points_to);
    tcase_add_test(tc, tasks_share_one_connection_and_get_their_own_replies);
    tcase_add_test(tc, replies_may_be_large);
    tcase_add_test(tc, replies_may_come_all_at_once);
    tcase_add_test(tc, commands_may_be_large);
    tcase_add_test(tc, pushes_are_not_replies);
    tcase_add_test(tc, what_is_pushed_among_the_first_words_is_handed_on);
    tcase_add_test(tc, what_does_not_fit_is_refused);
    tcase_add_test(tc, a_client_speaks_version_2_or_3);
    tcase_add_test(tc, what_is_asked_together_leaves_together);
    tcase_add_test(tc, a_late_reply_is_nobody_elses);
    tcase_add_test(tc, what_was_given_up_before_it_was_sent_is_never_sent);
    tcase_add_test(
        tc, a_lost_connection_ends_what_was_sent_unless_it_may_be_done_twice);
    tcase_add_test(tc, a_peer_may_go_at_any_byte);
    tcase_add_test(tc, a_peer_that_breaks_the_protocol_is_left);
    tcase_add_test(tc, first_words_are_said_on_each_connection);
    tcase_add_test(tc, version_2_gives_a_password_too);
    tcase_add_test(tc, first_words_have_a_bound);
    tcase_add_test(tc, a_silent_peer_is_no_connection);
    tcase_add_test(tc, calls_wait_for_a_server_that_comes_later);
    tcase_add_test(tc, commands_that_wait_keep_their_bound);
    tcase_add_test(tc, commands_without_a_reply_keep_their_bound);
    tcase_add_test(tc, a_server_that_answers_no_more_is_left_for_another);
    tcase_add_test(tc, later_calls_do_not_keep_a_silent_server);
    tcase_add_test(tc, a_server_that_takes_nothing_is_left_for_another);
    tcase_add_test(tc, a_server_may_be_silent_when_nobody_asks);
    tcase_add_test(tc, a_command_without_memory_ends_nobody_elses);
    tcase_add_test(tc, a_client_that_has_ended_says_so_and_may_begin_again);
    tcase_add_test(tc, a_call_may_be_cancelled_at_any_step);
    tcase_add_test(tc, a_client_may_end_at_any_step);
    tcase_add_test(tc, any_allocation_may_fail);
    tcase_add_test(tc, any_allocation_of_a_new_loop_may_fail);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
