/* SPDX-License-Identifier: MIT */
/*
 * wait_test.c: what a handler that waits for others is promised, and its peer.
 */
#include "server_kit.h"

#include <stdio.h>

#define PONG  "+PONG\r\n"
#define AHEAD 16384

/* A handler comes to (arrived), waits for (door), and leaves (seen) there. */
static struct sill_trigger door, arrived, left;
static sill_time deadline;
static int seen, seen_again;

static int ping(struct sill_resp_session *s, const struct sill_resp_view *args,
                size_t count)
{
    (void)args;
    (void)count;
    sill_resp_reply_simple(s, "PONG");
    return 0;
}

static int wait_at_door(struct sill_resp_session *s)
{
    sill_resume(&arrived, 0);
    seen = sill_resp_session_wait(s, &door, deadline);
    sill_resume(&left, 0);
    return seen;
}

/* Replies with its argument when it has waited. */
static int block(struct sill_resp_session *s, const struct sill_resp_view *args,
                 size_t count)
{
    (void)count;
    (void)wait_at_door(s);
    sill_resp_reply_string(s, args[1]);
    return 0;
}

/* Does it for what nobody resumes. */
static int again(struct sill_resp_session *s, const struct sill_resp_view *args,
                 size_t count)
{
    struct sill_trigger never = SILL_TRIGGER_INIT;
    (void)count;
    seen_again = sill_resp_session_wait(s, &never, SILL_NEVER);
    sill_resp_reply_string(s, args[1]);
    return 0;
}

/* Waits in the middle of its reply, twice. */
static int inside(struct sill_resp_session *s,
                  const struct sill_resp_view *args, size_t count)
{
    (void)args;
    (void)count;
    sill_resp_reply_array(s, 2);
    sill_resp_reply_integer(s, 1);
    int rc = wait_at_door(s);
    if (rc == 0)
        rc = wait_at_door(s);
    sill_resp_reply_integer(s, 2);
    return rc;
}

static int strict(struct sill_resp_session *s,
                  const struct sill_resp_view *args, size_t count)
{
    (void)args;
    (void)count;
    int rc = wait_at_door(s);
    sill_resp_reply_simple(s, "strict");
    return rc;
}

/* Waits for what is there, and says so. */
static int ready(struct sill_resp_session *s, const struct sill_resp_view *args,
                 size_t count)
{
    struct sill_trigger open = SILL_TRIGGER_INIT;
    (void)args;
    (void)count;
    sill_resume(&open, 0);
    sill_resp_reply_integer(s, sill_resp_session_wait(s, &open, SILL_NEVER));
    return 0;
}

/* Waits after its end, with no room to read. */
static int deaf(struct sill_resp_session *s, const struct sill_resp_view *args,
                size_t count)
{
    (void)args;
    (void)count;
    sill_resp_session_kill(s);
    blocks_fail(1);
    seen = sill_resp_session_wait(s, &door, SILL_NEVER);
    blocks_fail(0);
    sill_resume(&left, 0);
    return 0;
}

/* Replies with 60 000 bytes: fewer than are sent before the next command. */
static int large(struct sill_resp_session *s, const struct sill_resp_view *args,
                 size_t count)
{
    static char data[60000];
    (void)args;
    (void)count;
    sill_resp_reply_string(s, (struct sill_resp_view){data, sizeof(data)});
    return 0;
}

/* Pushes before and after it has waited. */
static int pushing(struct sill_resp_session *s,
                   const struct sill_resp_view *args, size_t count)
{
    (void)count;
    (void)sill_resp_push(s, args, 1);
    int rc = wait_at_door(s);
    if (rc == 0) {
        sill_trigger_init(&door, NULL, NULL);
        rc = wait_at_door(s);
    }
    (void)sill_resp_push(s, args, 1);
    sill_resp_reply_simple(s, "OK");
    return rc;
}

static const struct sill_resp_verb verbs[] = {
    {"ping", ping, 1, 0},       {"block", block, 2, 0},
    {"inside", inside, 1, 0},   {"strict", strict, 1, 0},
    {"pushing", pushing, 1, 0}, {"large", large, 1, 0},
    {"again", again, 2, 0},     {"ready", ready, 1, 0},
    {"deaf", deaf, 2, 0},
};

static void reset(void)
{
    sill_trigger_init(&door, NULL, NULL);
    sill_trigger_init(&arrived, NULL, NULL);
    sill_trigger_init(&left, NULL, NULL);
    deadline = SILL_NEVER;
    seen = seen_again = 1;
}

static void await_trigger(struct sill_trigger *trigger)
{
    ck_assert_int_eq(sill_suspend(trigger, kit_soon()), 0);
}

/* Starts a server; (peer) says (text), of which a handler waits. */
static void begin(struct kit *kit, struct peer *peer, const char *text)
{
    reset();
    kit_start(kit, verbs, sizeof(verbs) / sizeof(verbs[0]));
    peer_open(peer, kit);
    peer_say(peer, text);
    await_trigger(&arrived);
}

static void push(struct kit *kit, const char *text)
{
    struct sill_resp_view view = {text, strlen(text)};
    struct sill_resp_session *s = sill_resp_session_next(&kit->server, NULL);
    ck_assert_int_eq(sill_resp_push(s, &view, 1), 0);
}

static int end(struct kit *kit, struct peer *peer)
{
    peer_close(peer);
    return kit_stop(kit);
}

/* A task of its own would find the wait over, or not: nothing is in between. */
static void expect_spent(void)
{
    ck_assert(!sill_resume(&door, 0));
}

CASE(a_handler_waits_for_its_trigger)
{
    struct kit kit = {0};
    struct peer peer;
    begin(&kit, &peer, "ping\r\nblock a\r\nping\r\n");
    peer_expect(&peer, PONG);
    sill_resume(&door, 7);
    peer_expect(&peer, "$1\r\na\r\n" PONG);
    ck_assert_int_eq(seen, 0);
    ck_assert_int_eq(sill_trigger_value(&door), 7);
    return end(&kit, &peer);
}

CASE(a_trigger_may_be_resumed_before)
{
    struct kit kit = {0};
    struct peer peer;
    begin(&kit, &peer, "block a\r\n");
    sill_resume(&door, 0);
    peer_expect(&peer, "$1\r\na\r\n");
    peer_say(&peer, "block b\r\n");
    peer_expect(&peer, "$1\r\nb\r\n");
    ck_assert_int_eq(seen, 0);
    return end(&kit, &peer);
}

CASE(a_peer_that_goes_ends_the_wait)
{
    struct kit kit = {0};
    struct peer peer;
    begin(&kit, &peer, "block a\r\n");
    peer_close(&peer);
    await_trigger(&left);
    ck_assert_int_eq(seen, SILL_ECLOSED);
    expect_spent();
    return kit_stop(&kit);
}

CASE(a_peer_that_ends_its_writing_is_still_answered)
{
    struct kit kit = {0};
    struct peer peer;
    begin(&kit, &peer, "block a\r\nagain b\r\nagain c\r\nready\r\n");
    ck_assert_int_eq(sill_stream_shutdown(&peer.stream, kit_soon()), 0);
    peer_expect_last(&peer, "$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n:0\r\n");
    ck_assert_int_eq(seen, SILL_ECLOSED);
    ck_assert_int_eq(seen_again, SILL_ECLOSED);
    return end(&kit, &peer);
}

CASE(a_handler_may_end_its_session_then)
{
    struct kit kit = {0};
    struct peer peer;
    begin(&kit, &peer, "strict\r\nping\r\n");
    ck_assert_int_eq(sill_stream_shutdown(&peer.stream, kit_soon()), 0);
    peer_expect_last(&peer, "");
    return end(&kit, &peer);
}

CASE(a_session_that_is_killed_waits_no_more)
{
    struct kit kit = {0};
    struct peer peer;
    begin(&kit, &peer, "block a\r\nblock b\r\n");
    sill_resp_session_kill(sill_resp_session_next(&kit.server, NULL));
    expect_spent();
    await_trigger(&left);
    ck_assert_int_eq(seen, SILL_ECLOSED);
    peer_read_end(&peer);
    ck_assert_uint_eq(kit.server.stats.commands, 1);
    return end(&kit, &peer);
}

/* Nothing is handed to one that cannot take it. */
CASE(the_first_of_a_resume_and_an_end_counts)
{
    struct kit kit = {0};
    struct peer peer;
    begin(&kit, &peer, "block a\r\n");
    ck_assert(sill_resume(&door, 0));
    sill_resp_session_kill(sill_resp_session_next(&kit.server, NULL));
    await_trigger(&left);
    ck_assert_int_eq(seen, 0);
    peer_read_end(&peer);
    peer_close(&peer);

    reset();
    peer_open(&peer, &kit);
    peer_say(&peer, "block a\r\n");
    await_trigger(&arrived);
    ck_assert(sill_resume(&door, 0));
    peer_close(&peer);
    await_trigger(&left);
    ck_assert_int_eq(seen, 0);
    return kit_stop(&kit);
}

/* Whenever it comes: who resumed first is who was heard. */
CASE(a_resume_is_never_lost_to_a_peer_that_goes)
{
    struct kit kit = {0};
    kit_start(&kit, verbs, sizeof(verbs) / sizeof(verbs[0]));
    for (int steps = 0; steps < 20; steps++) {
        struct peer peer;
        reset();
        peer_open(&peer, &kit);
        peer_say(&peer, "block a\r\n");
        await_trigger(&arrived);
        ck_assert_int_eq(sill_yield(), 0);
        peer_close(&peer);
        for (int i = 0; i < steps; i++)
            ck_assert_int_eq(sill_yield(), 0);
        bool first = sill_resume(&door, 0);
        await_trigger(&left);
        ck_assert_int_eq(seen, first ? 0 : SILL_ECLOSED);
    }
    return kit_stop(&kit);
}

CASE(a_wait_has_a_deadline)
{
    struct kit kit = {0};
    struct peer peer;
    begin(&kit, &peer,
          "ping\r\n"
          "block a\r\n");
    sill_resume(&door, 0);
    peer_expect(&peer, PONG "$1\r\na\r\n");
    for (int i = 0; i < 2; i++) {
        reset();
        deadline = i == 0 ? SILL_PAST : sill_after(SILL_MILLISECOND);
        peer_say(&peer, "block b\r\nping\r\n");
        peer_expect(&peer, "$1\r\nb\r\n" PONG);
        ck_assert_int_eq(seen, SILL_ETIMEDOUT);
        expect_spent();
    }
    return end(&kit, &peer);
}

static bool late;

static enum sill_abort notice(struct sill_trigger *trigger, void *arg,
                              int reason)
{
    (void)trigger;
    (void)arg;
    (void)reason;
    late = true;
    return SILL_ABORT_DONE;
}

CASE(a_resume_is_never_lost_to_the_deadline)
{
    struct kit kit = {0};
    struct peer peer;
    kit_start(&kit, verbs, sizeof(verbs) / sizeof(verbs[0]));
    peer_open(&peer, &kit);
    int heard = 0;
    for (int steps = 0; steps < 6; steps++) {
        reset();
        sill_trigger_init(&door, notice, NULL);
        late = false;
        deadline = sill_after(SILL_MILLISECOND);
        peer_say(&peer, "block a\r\n");
        while (!late)
            ck_assert_int_eq(sill_yield(), 0);
        for (int i = 0; i < steps; i++)
            ck_assert_int_eq(sill_yield(), 0);
        bool first = sill_resume(&door, 0);
        peer_expect(&peer, "$1\r\na\r\n");
        ck_assert_int_eq(seen, first ? 0 : SILL_ETIMEDOUT);
        heard += first;
    }
    ck_assert_int_gt(heard, 0);
    return end(&kit, &peer);
}

CASE(a_client_that_takes_nothing_delays_no_deadline)
{
    struct kit kit = {.options.send_buffer = 4096};
    struct peer peer;
    reset();
    kit_start(&kit, verbs, sizeof(verbs) / sizeof(verbs[0]));
    kit.options.receive_buffer = 4096;
    ck_assert_int_eq(sill_stream_connect(&peer.stream, &kit.address,
                                         &kit.options, kit_soon()),
                     0);
    peer.size = 0;
    peer.text = calloc(1, peer.room = 1024);
    deadline = SILL_PAST;
    peer_say(&peer, "large\r\nblock a\r\nping\r\n");
    await_trigger(&left);
    ck_assert_int_eq(seen, SILL_ETIMEDOUT);
    while (peer.size < 60000 + strlen("$60000\r\n\r\n$1\r\na\r\n" PONG))
        ck_assert_int_gt(peer_read(&peer), 0);
    ck_assert_str_eq(peer.text + 60000 + strlen("$60000\r\n"),
                     "\r\n$1\r\na\r\n" PONG);
    return end(&kit, &peer);
}

CASE(what_comes_behind_is_answered_in_order)
{
    static char many[100000];
    struct kit kit = {0};
    struct peer peer;
    size_t size = 0;
    blocks_watch();
    begin(&kit, &peer, "block 0\r\n");
    sill_resume(&door, 0);
    peer_expect(&peer, "$1\r\n0\r\n");
    long before = blocks_open();
    reset();
    peer_say(&peer, "block 0123456789\r\n");
    await_trigger(&arrived);
    while (size < sizeof(many) - 16) {
        memcpy(many + size, "ping\r\n", 6);
        size += 6;
    }
    peer_send(&peer, many, size);
    peer_say(&peer, "block a\r\n");
    for (int i = 0; i < 1000; i++)
        ck_assert_int_eq(sill_yield(), 0);
    sill_resume(&door, 0);
    peer_expect(&peer, "$10\r\n0123456789\r\n");
    for (size_t i = 0; i < size / 6; i++)
        peer_expect(&peer, PONG);
    peer_expect(&peer, "$1\r\na\r\n");
    peer_say(&peer, "ping\r\n");
    peer_expect(&peer, PONG);
    blocks_settle(before + 1); /* a buffer lent to others */
    return end(&kit, &peer);
}

/* A command as large as what a session reads with at first, and larger. */
static void go_behind(struct kit *kit, size_t size, size_t behind)
{
    char *text = malloc(size + behind);
    struct peer peer;
    reset();
    peer_open(&peer, kit);
    memset(text, 'x', size + behind);
    memcpy(text, "block ", 6);
    memcpy(text + size - 2, "\r\n", 2);
    peer_send(&peer, text, size + behind);
    await_trigger(&arrived);
    peer_close(&peer);
    await_trigger(&left);
    ck_assert_int_eq(seen, SILL_ECLOSED);
    free(text);
}

CASE(a_peer_is_seen_to_go_behind_what_it_sent)
{
    struct kit kit = {0};
    long before;
    blocks_watch();
    kit_start(&kit, verbs, sizeof(verbs) / sizeof(verbs[0]));
    for (size_t size = 9; size <= 50000; size = size == 9 ? 512 : 3 * size)
        for (size_t behind = 0; behind < AHEAD; behind += AHEAD - 1)
            go_behind(&kit, size, behind);
    while (kit.server.stats.open > 0)
        ck_assert_int_eq(sill_yield(), 0);
    before = blocks_open();
    go_behind(&kit, 513, AHEAD - 1);
    while (kit.server.stats.open > 0)
        ck_assert_int_eq(sill_yield(), 0);
    blocks_settle(before);
    ck_assert_uint_le(blocks_largest(), 262144 + AHEAD);
    return kit_stop(&kit);
}

CASE(what_is_read_ahead_counts_as_memory)
{
    struct kit kit = {0};
    struct peer peer;
    char text[AHEAD + 1];
    int head = snprintf(text, sizeof(text), "*2\r\n$5\r\nblock\r\n$%d\r\n",
                        AHEAD - (int)strlen("*2\r\n$5\r\nblock\r\n$") -
                            (int)strlen("16384\r\n\r\n"));
    memset(text + head, 'x', sizeof(text) - (size_t)head);
    strcpy(text + AHEAD - 2, "\r\n");
    begin(&kit, &peer, text);
    struct sill_resp_session *s = sill_resp_session_next(&kit.server, NULL);
    while (sill_resp_session_usage(s).room == 0)
        ck_assert_int_eq(sill_yield(), 0);
    ck_assert_uint_eq(sill_resp_session_usage(s).room, AHEAD);
    ck_assert_uint_gt(sill_resp_session_usage(s).memory, 2 * (size_t)AHEAD);
    sill_resume(&door, 0);
    await_trigger(&left);
    return end(&kit, &peer);
}

CASE(a_wait_inside_of_a_reply_keeps_it_whole)
{
    struct kit kit = {0};
    struct peer peer;
    begin(&kit, &peer, "inside\r\n");
    push(&kit, "x");
    peer_expect(&peer, "*2\r\n:1\r\n");
    push(&kit, "y");
    sill_resume(&door, 0);
    peer_expect(&peer, ":2\r\n*1\r\n$1\r\nx\r\n*1\r\n$1\r\ny\r\n");
    return end(&kit, &peer);
}

/* The buffer that it comes in is full. */
CASE(a_session_that_was_killed_does_not_begin_to_wait)
{
    struct kit kit = {0};
    struct peer peer;
    char text[512];
    reset();
    blocks_watch();
    kit_start(&kit, verbs, sizeof(verbs) / sizeof(verbs[0]));
    peer_open(&peer, &kit);
    memset(text, 'x', sizeof(text));
    memcpy(text, "deaf ", 5);
    memcpy(text + sizeof(text) - 2, "\r\n", 2);
    peer_send(&peer, text, sizeof(text));
    await_trigger(&left);
    ck_assert_int_eq(seen, SILL_ECLOSED);
    return end(&kit, &peer);
}

CASE(pushes_come_while_a_handler_waits)
{
    struct kit kit = {0};
    struct peer peer;
    begin(&kit, &peer, "pushing\r\n");
    peer_expect(&peer, "*1\r\n$7\r\npushing\r\n");
    push(&kit, "x");
    peer_expect(&peer, "*1\r\n$1\r\nx\r\n");
    sill_resume(&door, 0);
    await_trigger(&left);
    push(&kit, "y");
    peer_expect(&peer, "*1\r\n$1\r\ny\r\n");
    push(&kit, "z");
    sill_resume(&door, 0);
    peer_expect(&peer, "*1\r\n$1\r\nz\r\n+OK\r\n*1\r\n$7\r\npushing\r\n");
    return end(&kit, &peer);
}

CASE(a_peer_that_waits_is_not_silent)
{
    struct kit kit = {.server.idle_timeout = SILL_MILLISECOND};
    struct peer peer, silent;
    begin(&kit, &peer, "block a\r\n");
    for (int i = 0; i < 3; i++) {
        peer_open(&silent, &kit);
        peer_read_end(&silent);
        peer_close(&silent);
    }
    sill_resume(&door, 0);
    peer_expect_last(&peer, "$1\r\na\r\n");
    return end(&kit, &peer);
}

CASE(a_server_that_drains_ends_waits)
{
    struct kit kit = {.server.grace = 600 * SILL_SECOND};
    struct peer peer;
    begin(&kit, &peer, "block a\r\nagain b\r\nagain c\r\nready\r\n");
    ck_assert_int_eq(kit_stop(&kit), 0);
    ck_assert_int_eq(seen, SILL_ECLOSED);
    ck_assert_int_eq(seen_again, SILL_ECLOSED);
    expect_spent();
    peer_expect_last(&peer, "$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n:0\r\n");
    peer_close(&peer);
    return 0;
}

CASE(a_server_that_is_cancelled_cancels_waits)
{
    struct kit kit = {0};
    struct peer peer;
    begin(&kit, &peer, "block a\r\n");
    ck_assert_int_eq(sill_cancel(kit.task, kit_soon()), 0);
    ck_assert_int_eq(seen, SILL_ECANCELED);
    expect_spent();
    peer_read_end(&peer);
    peer_close(&peer);
    return 0;
}

static int visit(void *arg)
{
    const struct kit *kit = arg;
    struct sill_stream stream;
    char text[1200] = "block a\r\nblock ";
    int rc = sill_stream_connect(&stream, &kit->address, NULL, kit_soon());
    if (rc != 0)
        return rc;
    memset(text + 15, 'x', sizeof(text) - 17);
    memcpy(text + sizeof(text) - 2, "\r\n", 2);
    rc = sill_stream_write_all(&stream, text, sizeof(text), NULL, kit_soon());
    sill_resume(&door, 0);
    ssize_t got = rc == 0 ? 1 : 0, used = 0;
    while (got > 0 && used < 1100) {
        got = sill_stream_read(&stream, text, sizeof(text), kit_soon());
        used += got > 0 ? got : 0;
    }
    sill_stream_close(&stream);
    ck_assert_int_ne(got, SILL_ETIMEDOUT);
    return used >= 1100;
}

CASE(any_allocation_of_a_wait_may_fail)
{
    struct kit kit = {0};
    struct peer peer;
    int n = 0, result = 0;
    blocks_watch();
    begin(&kit, &peer, "block a\r\n");
    sill_resume(&door, 0);
    peer_expect(&peer, "$1\r\na\r\n");
    long before = blocks_open();
    for (bool failed = true; failed;) {
        struct sill_task *task;
        reset();
        blocks_fail(++n);
        int rc = sill_spawn(visit, &kit, &task);
        if (rc == 0)
            ck_assert_int_eq(sill_await(task, &result, kit_soon()), 0);
        failed = blocks_failed();
        blocks_fail(0);
        ck_assert(failed || (rc == 0 && result == 1));
        while (kit.server.stats.open > 1)
            ck_assert_int_eq(sill_sleep(sill_after(SILL_MILLISECOND)), 0);
        blocks_settle(before);
    }
    ck_assert_int_gt(n, 4);
    return end(&kit, &peer);
}

static int idle(void *unused)
{
    struct sill_trigger never = SILL_TRIGGER_INIT;
    (void)unused;
    return sill_suspend(&never, SILL_NEVER);
}

/* Waits when no room for tasks is left. */
static int hungry(struct sill_resp_session *s,
                  const struct sill_resp_view *args, size_t count)
{
    struct sill_scope scope;
    int rc = 0;
    (void)args;
    (void)count;
    sill_scope_init(&scope, SILL_SCOPE_COLLECT);
    while (rc == 0) {
        blocks_fail(1);
        rc = sill_scope_spawn(&scope, idle, NULL);
    }
    blocks_fail(1);
    seen = sill_resp_session_wait(s, &door, SILL_NEVER);
    blocks_fail(0);
    ck_assert(!sill_resume(&door, 0));
    sill_scope_cancel(&scope);
    (void)!sill_scope_wait(&scope, SILL_NEVER);
    sill_scope_fini(&scope);
    sill_resp_reply_simple(s, "OK");
    return 0;
}

CASE(a_wait_without_memory_is_none)
{
    static const struct sill_resp_verb one[] = {{"hungry", hungry, 1, 0}};
    struct kit kit = {0};
    struct peer peer;
    reset();
    blocks_watch();
    kit_start(&kit, one, 1);
    peer_open(&peer, &kit);
    peer_say(&peer, "hungry\r\n");
    peer_expect(&peer, "+OK\r\n");
    ck_assert_int_eq(seen, SILL_ENOMEM);
    return end(&kit, &peer);
}

CASE(a_wait_may_be_cancelled_at_any_step)
{
    blocks_watch();
    for (int steps = 0; steps < 40; steps++) {
        struct kit kit = {0};
        struct sill_task *visitor;
        long blocks = blocks_open();
        reset();
        kit_start(&kit, verbs, sizeof(verbs) / sizeof(verbs[0]));
        ck_assert_int_eq(sill_spawn(visit, &kit, &visitor), 0);
        for (int i = 0; i < steps; i++)
            ck_assert_int_eq(sill_yield(), 0);
        ck_assert_int_eq(sill_cancel(kit.task, kit_soon()), 0);
        ck_assert_uint_eq(kit.server.stats.open, 0);
        ck_assert_int_eq(sill_await(visitor, NULL, kit_soon()), 0);
        blocks_settle(blocks);
    }
    return 0;
}

/* ---- replies that must not leave yet ---- */

static struct sill_trigger safe;
static int asked;

static int ask_before(struct sill_resp_session *s)
{
    (void)s;
    asked++;
    sill_resume(&left, 0);
    int rc = sill_suspend(&safe, SILL_NEVER);
    return rc == 0 ? (int)sill_trigger_value(&safe) : rc;
}

/* As begin, but the wait has not begun: (sends) is asked. */
static void begin_to_ask(struct kit *kit, struct peer *peer)
{
    kit->server.sends = ask_before;
    sill_trigger_init(&safe, NULL, NULL);
    begin(kit, peer, "ping\r\nblock a\r\n");
    await_trigger(&left);
    sill_trigger_init(&left, NULL, NULL);
}

CASE(replies_to_earlier_commands_leave_when_they_may)
{
    struct kit kit = {0};
    struct peer peer;
    begin_to_ask(&kit, &peer);
    sill_resume(&safe, 0);
    peer_expect(&peer, PONG);
    ck_assert_int_eq(asked, 1);
    ck_assert_int_eq(seen, 1);
    sill_resume(&door, 0);
    peer_expect(&peer, "$1\r\na\r\n");
    ck_assert_int_eq(seen, 0);
    ck_assert_int_eq(asked, 2);
    return end(&kit, &peer);
}

CASE(what_is_handed_over_before_replies_may_leave_is_not_lost)
{
    struct kit kit = {0};
    struct peer peer;
    begin_to_ask(&kit, &peer);
    ck_assert(sill_resume(&door, 0));
    sill_resp_session_kill(sill_resp_session_next(&kit.server, NULL));
    sill_resume(&safe, 0);
    await_trigger(&left);
    ck_assert_int_eq(seen, 0);
    return end(&kit, &peer);
}

CASE(a_wait_ends_with_replies_that_may_not_leave)
{
    struct kit kit = {0};
    struct peer peer;
    begin_to_ask(&kit, &peer);
    sill_resume(&safe, SILL_EIO);
    await_trigger(&left);
    ck_assert_int_eq(seen, SILL_ECLOSED);
    expect_spent();
    peer_read_end(&peer);
    ck_assert_str_eq(peer.text, "");
    return end(&kit, &peer);
}

CASE(a_server_that_drains_ends_waits_that_have_not_begun)
{
    struct kit kit = {0};
    struct peer peer;
    begin_to_ask(&kit, &peer);
    sill_resume(&kit.stop, 0);
    while (!kit.server.service.draining)
        ck_assert_int_eq(sill_yield(), 0);
    sill_resume(&safe, 0);
    await_trigger(&left);
    ck_assert_int_eq(seen, SILL_ECLOSED);
    return end(&kit, &peer);
}

int main(void)
{
    Suite *suite = suite_create("resp wait");
    TCase *tc = tcase_create("wait");
    SRunner *runner = srunner_create(suite);

    suite_add_tcase(suite, tc);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, a_handler_waits_for_its_trigger);
    tcase_add_test(tc, a_trigger_may_be_resumed_before);
    tcase_add_test(tc, a_peer_that_goes_ends_the_wait);
    tcase_add_test(tc, a_peer_that_ends_its_writing_is_still_answered);
    tcase_add_test(tc, a_handler_may_end_its_session_then);
    tcase_add_test(tc, a_session_that_is_killed_waits_no_more);
    tcase_add_test(tc, the_first_of_a_resume_and_an_end_counts);
    tcase_add_test(tc, a_resume_is_never_lost_to_a_peer_that_goes);
    tcase_add_test(tc, a_wait_has_a_deadline);
    tcase_add_test(tc, a_resume_is_never_lost_to_the_deadline);
    tcase_add_test(tc, a_client_that_takes_nothing_delays_no_deadline);
    tcase_add_test(tc, what_comes_behind_is_answered_in_order);
    tcase_add_test(tc, a_peer_is_seen_to_go_behind_what_it_sent);
    tcase_add_test(tc, what_is_read_ahead_counts_as_memory);
    tcase_add_test(tc, a_wait_inside_of_a_reply_keeps_it_whole);
    tcase_add_test(tc, a_session_that_was_killed_does_not_begin_to_wait);
    tcase_add_test(tc, pushes_come_while_a_handler_waits);
    tcase_add_test(tc, a_peer_that_waits_is_not_silent);
    tcase_add_test(tc, a_server_that_drains_ends_waits);
    tcase_add_test(tc, a_server_that_is_cancelled_cancels_waits);
    tcase_add_test(tc, any_allocation_of_a_wait_may_fail);
    tcase_add_test(tc, a_wait_without_memory_is_none);
    tcase_add_test(tc, a_wait_may_be_cancelled_at_any_step);
    tcase_add_test(tc, replies_to_earlier_commands_leave_when_they_may);
    tcase_add_test(tc,
                   what_is_handed_over_before_replies_may_leave_is_not_lost);
    tcase_add_test(tc, a_wait_ends_with_replies_that_may_not_leave);
    tcase_add_test(tc, a_server_that_drains_ends_waits_that_have_not_begun);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
