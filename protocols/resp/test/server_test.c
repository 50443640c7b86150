/* SPDX-License-Identifier: MIT */
/*
 * server_test.c: what the server promises to those who write handlers and to
 * those who talk to it, on good days and bad ones.
 */
#include "server_kit.h"

#include <stdio.h>

#define VERBS(table) table, sizeof(table) / sizeof((table)[0])

static struct sill_trigger go, arrived;
static int seen; /* what a handler saw */

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

/* Says how many arguments there are, and how many bytes in them. */
static int count_all(struct sill_resp_session *s,
                     const struct sill_resp_view *args, size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += args[i].size;
    sill_resp_reply_array(s, 2);
    sill_resp_reply_integer(s, (int64_t)count);
    sill_resp_reply_integer(s, (int64_t)size);
    return 0;
}

static int quit(struct sill_resp_session *s, const struct sill_resp_view *args,
                size_t count)
{
    (void)args;
    (void)count;
    sill_resp_reply_simple(s, "OK");
    sill_resp_session_end(s);
    return 0;
}

static int every_type(struct sill_resp_session *s,
                      const struct sill_resp_view *args, size_t count)
{
    (void)count;
    sill_resp_session_set_version(s, args[1].at[0] - '0');
    sill_resp_reply_array(s, 11);
    sill_resp_reply_simple(s, "a\r\nb");
    sill_resp_reply_error(s, "ERR %d\r\n%s", 1, "x");
    sill_resp_reply_integer(s, -7);
    sill_resp_reply_string(s, SILL_RESP_VIEW("s"));
    sill_resp_reply_verbatim(s, "txt", SILL_RESP_VIEW("v"));
    sill_resp_reply_boolean(s, true);
    sill_resp_reply_double(s, SILL_RESP_VIEW("1.5"));
    sill_resp_reply_null(s);
    sill_resp_reply_null_array(s);
    sill_resp_reply_map(s, 1);
    sill_resp_reply_set(s, 0);
    sill_resp_reply_push(s, 0);
    sill_resp_reply_array(s, 0);
    return 0;
}

/* Waits for (go) in the middle of its reply. */
static int wait_for_go(struct sill_resp_session *s,
                       const struct sill_resp_view *args, size_t count)
{
    (void)args;
    (void)count;
    sill_resp_reply_array(s, 2);
    sill_resp_reply_integer(s, 1);
    sill_resume(&arrived, 0);
    seen = sill_suspend(&go, SILL_NEVER);
    sill_resp_reply_integer(s, 2);
    return seen;
}

static int give_up(struct sill_resp_session *s,
                   const struct sill_resp_view *args, size_t count)
{
    (void)args;
    (void)count;
    sill_resp_reply_simple(s, "never");
    return SILL_EIO;
}

/* Replies with so many bytes. */
static int large(struct sill_resp_session *s, const struct sill_resp_view *args,
                 size_t count)
{
    int64_t size = 0;
    (void)count;
    ck_assert(sill_resp_integer(args[1], &size));
    char *data = malloc((size_t)size);
    memset(data, 'x', (size_t)size);
    sill_resp_reply_string(s, (struct sill_resp_view){data, (size_t)size});
    free(data);
    return 0;
}

static int complain(struct sill_resp_session *s,
                    const struct sill_resp_view *args, size_t count)
{
    char text[600];
    (void)args;
    (void)count;
    memset(text, 'e', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    sill_resp_reply_error(s, "%s", text);
    return 0;
}

/* Replies with its argument, and looks at what the session holds then. */
static struct sill_resp_usage usage;

static int measure(struct sill_resp_session *s,
                   const struct sill_resp_view *args, size_t count)
{
    (void)count;
    sill_resp_reply_string(s, args[1]);
    usage = sill_resp_session_usage(s);
    return 0;
}

/* Pushes its argument to every session, this one among them. */
static int shout(struct sill_resp_session *s, const struct sill_resp_view *args,
                 size_t count)
{
    const struct sill_resp_view strings[] = {SILL_RESP_VIEW_INIT("news"),
                                             args[1]};
    struct sill_resp_server *server = sill_resp_session_server(s);
    struct sill_resp_session *to = NULL;
    (void)count;
    while ((to = sill_resp_session_next(server, to)) != NULL)
        (void)sill_resp_push(to, strings, 2);
    sill_resp_reply_simple(s, "OK");
    return 0;
}

/* Pushes its argument to this session. */
static int tell(struct sill_resp_session *s, const struct sill_resp_view *args,
                size_t count)
{
    (void)count;
    (void)sill_resp_push(s, args + 1, 1);
    sill_resp_reply_simple(s, "OK");
    return 0;
}

/* Replies with so many bytes, and pushes as many to itself. */
static int both(struct sill_resp_session *s, const struct sill_resp_view *args,
                size_t count)
{
    int64_t size = 0;
    ck_assert(sill_resp_integer(args[1], &size));
    char *data = calloc(1, (size_t)size);
    const struct sill_resp_view bytes = {data, (size_t)size};
    (void)sill_resp_push(s, &bytes, 1);
    free(data);
    return large(s, args, count);
}

/* Pushes so many bytes to itself, twice. */
static int tell_twice(struct sill_resp_session *s,
                      const struct sill_resp_view *args, size_t count)
{
    int64_t size = 0;
    (void)count;
    ck_assert(sill_resp_integer(args[1], &size));
    char *data = calloc(1, (size_t)size);
    const struct sill_resp_view bytes = {data, (size_t)size};
    ck_assert_int_eq(sill_resp_push(s, &bytes, 1), 0);
    seen = sill_resp_push(s, &bytes, 1);
    free(data);
    sill_resp_reply_simple(s, "OK");
    return 0;
}

/* Ends the session without a word, once it may go. */
static int end_silently(struct sill_resp_session *s,
                        const struct sill_resp_view *args, size_t count)
{
    (void)args;
    (void)count;
    sill_resp_session_end(s);
    sill_resume(&arrived, 0);
    return sill_suspend(&go, SILL_NEVER);
}

static int kill_others(struct sill_resp_session *s,
                       const struct sill_resp_view *args, size_t count)
{
    struct sill_resp_server *server = sill_resp_session_server(s);
    struct sill_resp_session *to = NULL;
    int killed = 0;
    (void)args;
    (void)count;
    while ((to = sill_resp_session_next(server, to)) != NULL) {
        if (to == s)
            continue;
        sill_resp_session_kill(to);
        ck_assert_int_eq(sill_resp_push(to, NULL, 0), SILL_ECLOSED);
        killed++;
    }
    sill_resp_reply_integer(s, killed);
    return 0;
}

static int describe(struct sill_resp_session *s,
                    const struct sill_resp_view *args, size_t count)
{
    struct sill_address peer;
    int *counter = sill_resp_session_data(s);
    (void)args;
    (void)count;
    ck_assert_int_eq(sill_resp_session_peer(s, &peer), 0);
    ck_assert_int_eq(peer.family, SILL_FAMILY_IPV4);
    ck_assert(sill_resp_session_since(s) <= sill_now());
    sill_resp_reply_array(s, 4);
    sill_resp_reply_integer(s, (int64_t)sill_resp_session_id(s));
    sill_resp_reply_integer(s, sill_resp_session_version(s));
    sill_resp_reply_integer(s, (*counter)++);
    sill_resp_reply_integer(s, (int64_t)sill_resp_session_refused(s));
    return 0;
}

static const struct sill_resp_verb verbs[] = {
    {"ping", ping, -1, 0},        {"echo", echo, 2, 0},
    {"count", count_all, -2, 0},  {"quit", quit, 1, 0},
    {"types", every_type, 2, 0},  {"wait", wait_for_go, 1, 0},
    {"fail", give_up, 1, 0},      {"large", large, 2, 0},
    {"shout", shout, 2, 0},       {"kill", kill_others, 1, 0},
    {"complain", complain, 1, 0}, {"tell", tell, 2, 0},
    {"describe", describe, 1, 7}, {"both", both, 2, 0},
    {"bye", end_silently, 1, 0},  {"twice", tell_twice, 2, 0},
    {"measure", measure, -2, 0},
};

#define PING   "*1\r\n$4\r\nPING\r\n"
#define PONG   "+PONG\r\n"
#define NEWS   "*2\r\n$4\r\nnews\r\n"
#define LARGER 1000000

/* Waits until so many sessions are open. */
static void settle(const struct kit *kit, size_t open)
{
    while (kit->server.stats.open != open)
        ck_assert_int_eq(sill_sleep(sill_after(SILL_MILLISECOND)), 0);
}

/* ---- commands and replies ---- */

CASE(commands_are_answered_in_order)
{
    struct kit kit = {0};
    struct peer peer;
    kit_start(&kit, VERBS(verbs));
    peer_open(&peer, &kit);
    peer_say(&peer, PING "*2\r\n$4\r\nEcHo\r\n$3\r\na\r\n\r\necho ' b'\r\n");
    peer_expect(&peer, PONG "$3\r\na\r\n\r\n$2\r\n b\r\n");
    peer_say(&peer, "\r\n*0\r\n*-1\r\nping\n");
    peer_expect(&peer, PONG);
    ck_assert_uint_eq(kit.server.stats.commands, 4);
    peer_close(&peer);
    ck_assert_int_eq(kit_stop(&kit), 0);
    return 0;
}

CASE(what_a_read_brought_is_answered_with_one_write)
{
    struct kit kit = {0};
    struct peer peer;
    kit_start(&kit, VERBS(verbs));
    peer_open(&peer, &kit);
    peer_say(&peer, PING PING PING PING PING);
    ck_assert_int_eq(peer_read(&peer), 5 * (ssize_t)strlen(PONG));
    peer_close(&peer);
    return kit_stop(&kit);
}

CASE(what_is_no_command_is_answered_as_redis_does)
{
    struct kit kit = {0};
    struct peer peer;
    char line[400], expected[400], name[200];
    kit_start(&kit, VERBS(verbs));
    peer_open(&peer, &kit);
    peer_say(&peer, "nosuch\r\n");
    peer_expect(&peer, "-ERR unknown command 'nosuch', with args beginning "
                       "with: \r\n");
    peer_say(&peer, "nosuch a \"b\\r\\n\"\r\n");
    peer_expect(&peer, "-ERR unknown command 'nosuch', with args beginning "
                       "with: 'a' 'b  ' \r\n");
    memset(name, 'n', sizeof(name));
    snprintf(line, sizeof(line), "%.150s %.150s\r\n", name, name);
    snprintf(expected, sizeof(expected),
             "-ERR unknown command '%.128s', with args beginning with: "
             "'%.128s' \r\n",
             name, name);
    peer_say(&peer, line);
    peer_expect(&peer, expected);
    peer_say(&peer, "ECHO\r\necho a b\r\ncount\r\nping\r\n");
    peer_expect(&peer,
                "-ERR wrong number of arguments for 'echo' command\r\n"
                "-ERR wrong number of arguments for 'echo' command\r\n"
                "-ERR wrong number of arguments for 'count' command\r\n" PONG);
    ck_assert_uint_eq(kit.server.stats.refused, 6);
    peer_close(&peer);
    return kit_stop(&kit);
}

CASE(each_breach_of_the_protocol_is_answered_and_ends_the_session)
{
    static const char *const breaches[][2] = {
        {"*x", "-ERR Protocol error: invalid multibulk length\r\n"},
        {"*1\r\n$x", "-ERR Protocol error: invalid bulk length\r\n"},
        {"*1\r\nx", "-ERR Protocol error: expected '$', got 'x'\r\n"},
        {"'\n", "-ERR Protocol error: unbalanced quotes in request\r\n"},
        {"*1\r\n$1\r\nxy",
         "-ERR Protocol error: no CR LF after a bulk string\r\n"},
        {"*1\rx", "-ERR Protocol error: CR or LF without the other\r\n"},
    };
    struct kit kit = {0};
    kit_start(&kit, VERBS(verbs));
    for (size_t i = 0; i < sizeof(breaches) / sizeof(breaches[0]); i++) {
        struct peer peer;
        peer_open(&peer, &kit);
        peer_say(&peer, PING);
        peer_say(&peer, breaches[i][0]);
        peer_expect(&peer, PONG);
        peer_expect_last(&peer, breaches[i][1]);
        peer_close(&peer);
        ck_assert_uint_eq(kit.server.stats.rejected, i + 1);
    }
    return kit_stop(&kit);
}

CASE(types_are_written_in_the_version_that_is_spoken)
{
    struct kit kit = {0};
    struct peer peer;
    kit_start(&kit, VERBS(verbs));
    peer_open(&peer, &kit);
    peer_say(&peer, "types 2\r\ntypes 3\r\n");
    peer_expect(&peer, "*11\r\n+a  b\r\n-ERR 1  x\r\n:-7\r\n$1\r\ns\r\n"
                       "$1\r\nv\r\n:1\r\n$3\r\n1.5\r\n$-1\r\n*-1\r\n"
                       "*2\r\n*0\r\n*0\r\n*0\r\n");
    peer_expect(&peer, "*11\r\n+a  b\r\n-ERR 1  x\r\n:-7\r\n$1\r\ns\r\n"
                       "=5\r\ntxt:v\r\n#t\r\n,1.5\r\n_\r\n_\r\n"
                       "%1\r\n~0\r\n>0\r\n*0\r\n");
    peer_close(&peer);
    return kit_stop(&kit);
}

CASE(errors_are_cut)
{
    struct kit kit = {0};
    struct peer peer;
    kit_start(&kit, VERBS(verbs));
    peer_open(&peer, &kit);
    peer_say(&peer, "complain\r\nquit\r\n");
    peer_read_end(&peer);
    ck_assert_uint_eq(strspn(peer.text, "-e"), 512);
    ck_assert_str_eq(peer.text + 512, "\r\n+OK\r\n");
    peer_close(&peer);
    return kit_stop(&kit);
}

CASE(a_conversation_may_come_byte_by_byte)
{
    static const char text[] = PING "echo 'a b'\r\n*2\r\n$4\r\necho\r\n"
                                    "$1\r\nx\r\n";
    struct kit kit = {0};
    struct peer peer;
    kit_start(&kit, VERBS(verbs));
    peer_open(&peer, &kit);
    for (size_t i = 0; i < sizeof(text) - 1; i++) {
        peer_send(&peer, text + i, 1);
        ck_assert_int_eq(sill_yield(), 0);
    }
    peer_expect(&peer, PONG "$3\r\na b\r\n$1\r\nx\r\n");
    peer_close(&peer);
    return kit_stop(&kit);
}

CASE(a_peer_may_go_at_any_byte)
{
    static const char text[] = PING "echo 'a b'\r\n*2\r\n$4\r\necho\r\n"
                                    "$1\r\nx\r\n";
    struct kit kit = {0};
    int before = descriptors();
    kit_start(&kit, VERBS(verbs));
    for (size_t i = 0; i < sizeof(text); i++) {
        struct peer peer;
        peer_open(&peer, &kit);
        if (i > 0)
            peer_send(&peer, text, i);
        ck_assert_int_eq(sill_stream_shutdown(&peer.stream, kit_soon()), 0);
        peer_read_end(&peer);
        ck_assert(i < strlen(PING) || strncmp(peer.text, PONG, 7) == 0);
        peer_close(&peer);
    }
    for (size_t i = 0; i < sizeof(text); i++) {
        struct peer peer;
        peer_open(&peer, &kit);
        if (i > 0)
            peer_send(&peer, text, i);
        peer_close(&peer);
    }
    ck_assert_int_eq(kit_stop(&kit), 0);
    ck_assert_int_eq(descriptors(), before);
    return 0;
}

static void say_count(struct peer *peer, int count, size_t size)
{
    char *data = calloc(1, size + 1);
    char head[64];
    snprintf(head, sizeof(head), "*%d\r\n$5\r\ncount\r\n", count);
    peer_say(peer, head);
    memset(data, 'y', size);
    for (int i = 1; i < count; i++) {
        snprintf(head, sizeof(head), "$%zu\r\n", size);
        peer_say(peer, head);
        peer_say(peer, data);
        peer_say(peer, "\r\n");
    }
    free(data);
}

CASE(commands_may_be_large)
{
    struct kit kit = {0};
    struct peer peer;
    kit_start(&kit, VERBS(verbs));
    peer_open(&peer, &kit);
    say_count(&peer, 2, LARGER);
    peer_expect(&peer, "*2\r\n:2\r\n:1000005\r\n");
    say_count(&peer, 1000, 1);
    peer_expect(&peer, "*2\r\n:1000\r\n:1004\r\n");
    say_count(&peer, 300, 3000);
    peer_expect(&peer, "*2\r\n:300\r\n:897005\r\n");
    peer_say(&peer, PING);
    peer_expect(&peer, PONG);
    peer_close(&peer);
    return kit_stop(&kit);
}

CASE(commands_and_their_memory_keep_their_bounds)
{
    struct kit kit = {.server.limits = {.message = 100000, .bulk = 90000}};
    struct peer peer;
    blocks_watch();
    kit_start(&kit, VERBS(verbs));
    peer_open(&peer, &kit);
    for (int i = 0; i < 5; i++)
        say_count(&peer, 2, 90000);
    for (int i = 0; i < 5; i++)
        peer_expect(&peer, "*2\r\n:2\r\n:90005\r\n");
    peer_say(&peer, "*3\r\n$5\r\ncount\r\n$90001\r\n");
    peer_expect_last(&peer, "-ERR Protocol error: invalid bulk length\r\n");
    peer_close(&peer);
    peer_open(&peer, &kit);
    say_count(&peer, 2, 90000);
    peer_expect(&peer, "*2\r\n:2\r\n:90005\r\n");
    peer_say(&peer, "*3\r\n$50000\r\n");
    for (int i = 0; i < 50000; i++)
        peer_say(&peer, "x");
    peer_say(&peer, "\r\n$50000\r\n");
    peer_expect_last(&peer, "-ERR Protocol error: too big message\r\n");
    peer_close(&peer);
    ck_assert_uint_le(blocks_largest(), 100000);
    return kit_stop(&kit);
}

CASE(replies_may_be_large)
{
    struct kit kit = {0};
    struct peer peer;
    kit_start(&kit, VERBS(verbs));
    peer_open(&peer, &kit);
    for (int i = 0; i < 10; i++)
        peer_say(&peer, "large 1000000\r\n");
    while (peer.size < 10 * (LARGER + 12))
        ck_assert_int_gt(peer_read(&peer), 0);
    ck_assert_uint_eq(peer.size, 10 * (LARGER + 12));
    peer_close(&peer);
    return kit_stop(&kit);
}

/* ---- sessions ---- */

static int begun, ended;

static void count_begun(struct sill_resp_session *s)
{
    ck_assert_int_eq(*(int *)sill_resp_session_data(s), 0);
    begun++;
}

static void count_ended(struct sill_resp_session *s)
{
    *(int *)sill_resp_session_data(s) = -1;
    ended++;
}

CASE(sessions_have_what_is_theirs)
{
    struct kit kit = {.server = {.session_size = sizeof(int),
                                 .opened = count_begun,
                                 .closed = count_ended}};
    struct peer a, b;
    kit_start(&kit, VERBS(verbs));
    peer_open(&a, &kit);
    peer_say(&a, "nosuch\r\ndescribe\r\ndescribe\r\n");
    peer_expect(&a, "-ERR unknown command 'nosuch', with args beginning with: "
                    "\r\n*4\r\n:1\r\n:2\r\n:0\r\n:1\r\n*4\r\n:1\r\n:2\r\n:1\r\n"
                    ":1\r\n");
    peer_open(&b, &kit);
    peer_say(&b, "describe\r\n");
    peer_expect(&b, "*4\r\n:2\r\n:2\r\n:0\r\n:0\r\n");
    ck_assert_int_eq(begun, 2);
    ck_assert_uint_eq(kit.server.stats.open, 2);
    ck_assert_uint_eq(kit.server.stats.sessions, 2);
    peer_close(&a);
    peer_close(&b);
    ck_assert_int_eq(kit_stop(&kit), 0);
    ck_assert_int_eq(ended, 2);
    return 0;
}

CASE(verbs_are_found_while_the_server_serves)
{
    struct kit kit = {0};
    struct peer peer;
    struct sill_resp_view name = SILL_RESP_VIEW("DEScribe");
    ck_assert_ptr_null(sill_resp_verb_find(&kit.server, name));
    kit_start(&kit, VERBS(verbs));
    peer_open(&peer, &kit);
    peer_say(&peer, PING);
    peer_expect(&peer, PONG);
    ck_assert_uint_eq(sill_resp_verb_find(&kit.server, name)->flags, 7);
    ck_assert_ptr_null(
        sill_resp_verb_find(&kit.server, SILL_RESP_VIEW("descr")));
    peer_close(&peer);
    ck_assert_int_eq(kit_stop(&kit), 0);
    ck_assert_ptr_null(sill_resp_verb_find(&kit.server, name));
    return 0;
}

static int intercept(struct sill_resp_session *s,
                     const struct sill_resp_verb *verb,
                     const struct sill_resp_view *args, size_t count)
{
    if (verb->handler == ping)
        return verb->handler(s, args, count);
    sill_resp_reply_error(s, "NOPERM %s", verb->name);
    return 0;
}

CASE(calls_can_be_intercepted)
{
    struct kit kit = {.server.call = intercept};
    struct peer peer;
    kit_start(&kit, VERBS(verbs));
    peer_open(&peer, &kit);
    peer_say(&peer, "ping\r\necho a\r\n");
    peer_expect(&peer, PONG "-NOPERM echo\r\n");
    peer_close(&peer);
    return kit_stop(&kit);
}

CASE(a_session_says_what_it_holds)
{
    enum { LARGE = 20000 };

    struct kit kit = {.server.session_size = 1000};
    struct peer peer;
    char text[LARGE + 64];
    kit_start(&kit, VERBS(verbs));
    peer_open(&peer, &kit);
    peer_say(&peer, "measure abc\r\nping\r\n");
    peer_expect(&peer, "$3\r\nabc\r\n" PONG);
    ck_assert_uint_eq(usage.unread, strlen("ping\r\n"));
    ck_assert_uint_eq(usage.unsent, strlen("$3\r\nabc\r\n"));
    ck_assert_uint_gt(usage.room, 0);
    ck_assert_uint_gt(usage.memory, 1000 + usage.room);

    size_t few = usage.memory;
    peer_say(&peer, "measure abc 1 2 3 4 5 6 7 8 9\r\n");
    peer_expect(&peer, "$3\r\nabc\r\n");
    ck_assert_uint_ge(usage.memory - few, 11 * sizeof(struct sill_resp_view));

    int head =
        snprintf(text, sizeof(text), "*2\r\n$7\r\nmeasure\r\n$%d\r\n", LARGE);
    memset(text + head, 'x', LARGE);
    strcpy(text + head + LARGE, "\r\n");
    peer_say(&peer, text);
    peer_expect(&peer, strchr(text + 4, '$') + strlen("$7\r\nmeasure\r\n"));
    ck_assert_uint_gt(usage.unsent, LARGE);
    ck_assert_uint_gt(usage.memory, LARGE + usage.unsent);
    do {
        ck_assert_int_eq(sill_sleep(sill_after(SILL_MILLISECOND)), 0);
        usage =
            sill_resp_session_usage(sill_resp_session_next(&kit.server, NULL));
    } while (usage.memory > LARGE);
    ck_assert_uint_eq(usage.unread + usage.unsent, 0);
    peer_close(&peer);
    return kit_stop(&kit);
}

/* Who sends more at once than the small buffer holds is read in one piece the
 * next time, until that is over. */
CASE(who_pipelines_has_a_larger_buffer)
{
    enum { PINGS = 100, SMALL = 512 };

    struct kit kit = {0};
    struct peer peer;
    char text[PINGS * sizeof(PONG)] = "", pongs[PINGS * sizeof(PONG)] = "";
    kit_start(&kit, VERBS(verbs));
    peer_open(&peer, &kit);
    for (int i = 0; i < PINGS; i++) {
        strcat(text, "ping\r\n");
        strcat(pongs, PONG);
    }
    for (int turn = 0; turn < 2; turn++) {
        peer_say(&peer, text);
        peer_expect(&peer, pongs);
        peer_say(&peer, "measure abc\r\n");
        peer_expect(&peer, "$3\r\nabc\r\n");
        ck_assert_uint_gt(usage.room, 2 * SMALL);
        peer_say(&peer, "measure abc\r\n");
        peer_expect(&peer, "$3\r\nabc\r\n");
        ck_assert_uint_le(usage.room, SMALL);
    }
    peer_close(&peer);
    return kit_stop(&kit);
}

/* Says (word) with an argument of 700 bytes, and reads it back. */
static void say_much(struct peer *peer)
{
    enum { MUCH = 700 };

    char text[MUCH + 64] = "*2\r\n$4\r\necho\r\n$700\r\n";
    size_t head = strlen(text);
    memset(text + head, 'x', MUCH);
    strcpy(text + head + MUCH, "\r\n");
    peer_say(peer, text);
    peer_expect(peer, text + strlen("*2\r\n$4\r\necho\r\n"));
}

/* Yields until no session holds more than a small buffer. */
static void let_all_rest(const struct kit *kit)
{
    struct sill_resp_session *s = NULL;
    while ((s = sill_resp_session_next(&kit->server, s)) != NULL)
        while (sill_resp_session_usage(s).memory > 4096)
            ck_assert_int_eq(sill_yield(), 0);
}

/* sill_resp.h: "A session that waits for a command holds no large buffer". */
CASE(an_idle_session_holds_no_large_buffer)
{
    enum { PEERS = 8 };

    struct kit kit = {0};
    struct peer peers[PEERS];
    kit_start(&kit, VERBS(verbs));
    for (int i = 0; i < PEERS; i++)
        peer_open(&peers[i], &kit);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < PEERS; i++)
            say_much(&peers[i]);
        let_all_rest(&kit);
    }
    int rc = kit_stop(&kit);
    for (int i = 0; i < PEERS; i++)
        peer_expect_last(&peers[i], "");
    for (int i = 0; i < PEERS; i++)
        peer_close(&peers[i]);
    return rc;
}

/* The only large buffer is with one whose handler waits, and memory for another
 * one is missing. */
CASE(a_session_without_a_large_buffer_goes_on_with_a_small_one)
{
    struct kit kit = {0};
    struct peer poor, rich;
    blocks_watch();
    sill_trigger_init(&go, NULL, NULL);
    sill_trigger_init(&arrived, NULL, NULL);
    kit_start(&kit, VERBS(verbs));
    peer_open(&poor, &kit);
    peer_open(&rich, &kit);
    say_much(&poor);
    say_much(&rich);
    let_all_rest(&kit);
    peer_say(&rich, "wait\r\n");
    ck_assert_int_eq(sill_suspend(&arrived, kit_soon()), 0);
    blocks_fail(1);
    say_much(&poor);
    ck_assert(blocks_failed());
    ck_assert_uint_eq(kit.server.stats.exhausted, 0);
    sill_resume(&go, 0);
    peer_expect(&rich, "*2\r\n:1\r\n:2\r\n");
    peer_close(&poor);
    peer_close(&rich);
    return kit_stop(&kit);
}

CASE(a_session_that_ends_sends_what_was_answered)
{
    struct kit kit = {0};
    struct peer peer;
    kit_start(&kit, VERBS(verbs));
    peer_open(&peer, &kit);
    peer_say(&peer, PING "quit\r\n" PING);
    ck_assert_int_eq(sill_sleep(sill_after(SILL_MILLISECOND)), 0);
    /* What comes now is read, and dropped, so that the answer is not lost. */
    for (int i = 0; i < 20; i++)
        peer_say(&peer, PING);
    peer_expect_last(&peer, PONG "+OK\r\n");
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(sill_sleep(sill_after(SILL_MILLISECOND)), 0);
    peer_close(&peer);
    return kit_stop(&kit);
}

CASE(a_session_may_end_when_its_peer_has_gone)
{
    static const char *const words[] = {PING "large 70000\r\nbye\r\n",
                                        PING "large 70000\r\nwait\r\n"};
    struct kit kit = {0};
    kit_start(&kit, VERBS(verbs));
    for (int i = 0; i < 2; i++) {
        struct peer peer;
        sill_trigger_init(&go, NULL, NULL);
        sill_trigger_init(&arrived, NULL, NULL);
        peer_open(&peer, &kit);
        peer_say(&peer, words[i]);
        ck_assert_int_eq(sill_suspend(&arrived, kit_soon()), 0);
        peer_close(&peer); /* with a reply unread: a reset */
        sill_resume(&go, 0);
    }
    return kit_stop(&kit);
}

CASE(a_handler_that_fails_ends_its_session_at_once)
{
    struct kit kit = {0};
    struct peer peer;
    kit_start(&kit, VERBS(verbs));
    peer_open(&peer, &kit);
    peer_say(&peer, "fail\r\n");
    peer_read_end(&peer);
    ck_assert_str_eq(peer.text, "");
    peer_close(&peer);
    return kit_stop(&kit);
}

CASE(a_session_can_be_killed_by_another)
{
    struct kit kit = {0};
    struct peer a, b;
    kit_start(&kit, VERBS(verbs));
    peer_open(&a, &kit);
    peer_say(&a, PING);
    peer_expect(&a, PONG);
    peer_open(&b, &kit);
    peer_say(&b, "kill\r\n");
    peer_expect(&b, ":1\r\n");
    peer_read_end(&a);
    peer_close(&a);
    peer_close(&b);
    return kit_stop(&kit);
}

CASE(a_silent_session_is_ended_where_that_is_wanted)
{
    struct kit kit = {.server.idle_timeout = 20 * SILL_MILLISECOND};
    struct peer peer;
    kit_start(&kit, VERBS(verbs));
    peer_open(&peer, &kit);
    peer_say(&peer, "*1\r\n$4\r\nPI");
    peer_read_end(&peer);
    ck_assert_str_eq(peer.text, "");
    peer_close(&peer);
    return kit_stop(&kit);
}

CASE(more_sessions_than_the_bound_wait)
{
    struct kit kit = {.server.connections_max = 1};
    struct peer a, b;
    kit_start(&kit, VERBS(verbs));
    peer_open(&a, &kit);
    peer_say(&a, PING);
    peer_expect(&a, PONG);
    peer_open(&b, &kit);
    peer_say(&b, PING);
    ck_assert_int_eq(sill_yield(), 0);
    ck_assert_uint_eq(kit.server.stats.sessions, 1);
    peer_close(&a);
    peer_expect(&b, PONG);
    peer_close(&b);
    return kit_stop(&kit);
}

CASE(a_full_server_stops_all_the_same)
{
    struct kit kit = {.server.connections_max = 1};
    struct peer a, b;
    kit_start(&kit, VERBS(verbs));
    peer_open(&a, &kit);
    peer_say(&a, PING);
    peer_expect(&a, PONG);
    peer_open(&b, &kit);
    ck_assert_int_eq(kit_stop(&kit), 0);
    peer_expect_last(&a, "");
    peer_read_end(&b);
    peer_close(&a);
    peer_close(&b);
    return 0;
}

/* ---- pushes ---- */

CASE(pushes_come_unasked)
{
    struct kit kit = {0};
    struct peer a, b;
    kit_start(&kit, VERBS(verbs));
    peer_open(&a, &kit);
    peer_say(&a, "types 3\r\n");
    while (strstr(a.text, "~0\r\n>0\r\n*0\r\n") == NULL)
        ck_assert_int_gt(peer_read(&a), 0);
    a.size = 0;
    peer_open(&b, &kit);
    peer_say(&b, "shout x\r\nshout y\r\n");
    peer_expect(&a, ">2\r\n$4\r\nnews\r\n$1\r\nx\r\n>2\r\n$4\r\nnews\r\n"
                    "$1\r\ny\r\n");
    /* Its own come after the replies. */
    peer_expect(&b, "+OK\r\n" NEWS "$1\r\nx\r\n+OK\r\n" NEWS "$1\r\ny\r\n");
    peer_close(&a);
    peer_close(&b);
    return kit_stop(&kit);
}

CASE(a_push_goes_to_each_session_once)
{
    struct kit kit = {0};
    struct peer peers[5];
    kit_start(&kit, VERBS(verbs));
    for (int i = 0; i < 5; i++) {
        peer_open(&peers[i], &kit);
        peer_say(&peers[i], PING);
        peer_expect(&peers[i], PONG);
    }
    peer_say(&peers[0], "shout x\r\n");
    for (int i = 0; i < 5; i++) {
        if (i == 0)
            peer_expect(&peers[i], "+OK\r\n");
        peer_expect(&peers[i], NEWS "$1\r\nx\r\n");
        peer_say(&peers[i], "quit\r\n");
        peer_expect_last(&peers[i], "+OK\r\n");
        peer_close(&peers[i]);
    }
    return kit_stop(&kit);
}

CASE(sessions_may_go_with_pushes_on_their_way)
{
    struct kit kit = {0};
    struct peer peers[5];
    kit_start(&kit, VERBS(verbs));
    for (int i = 0; i < 5; i++) {
        peer_open(&peers[i], &kit);
        peer_say(&peers[i], PING);
        peer_expect(&peers[i], PONG);
    }
    peer_say(&peers[2], "shout x\r\nkill\r\n");
    peer_expect(&peers[2], "+OK\r\n" NEWS "$1\r\nx\r\n:4\r\n");
    for (int i = 0; i < 5; i++) {
        if (i != 2)
            peer_read_end(&peers[i]);
        peer_close(&peers[i]);
    }
    return kit_stop(&kit);
}

/* The pusher's command comes first, then the end of those it pushes to, before
 * the loop looks: they go after the push and before it is sent. */
CASE(a_session_may_go_between_a_push_and_its_sending)
{
    struct kit kit = {0};
    struct peer peers[5];
    blocks_watch();
    kit_start(&kit, VERBS(verbs));
    for (int i = 0; i < 5; i++) {
        peer_open(&peers[i], &kit);
        peer_say(&peers[i], PING);
        peer_expect(&peers[i], PONG);
    }
    peer_say(&peers[2], "shout x\r\n");
    for (int i = 0; i < 5; i++)
        if (i != 2)
            peer_close(&peers[i]);
    peer_expect(&peers[2], "+OK\r\n" NEWS "$1\r\nx\r\n");
    settle(&kit, 1);
    peer_say(&peers[2], "shout y\r\n");
    peer_expect(&peers[2], "+OK\r\n" NEWS "$1\r\ny\r\n");
    peer_close(&peers[2]);
    return kit_stop(&kit);
}

/* As above; but what comes behind the push is a command. */
CASE(a_push_makes_nobody_send_half_a_reply)
{
    struct kit kit = {0};
    struct peer a, b;
    char byte;
    kit_start(&kit, VERBS(verbs));
    sill_trigger_init(&go, NULL, NULL);
    sill_trigger_init(&arrived, NULL, NULL);
    peer_open(&a, &kit);
    peer_say(&a, PING);
    peer_expect(&a, PONG);
    peer_open(&b, &kit);
    peer_say(&b, PING);
    peer_expect(&b, PONG);
    peer_say(&b, "shout x\r\n");
    peer_say(&a, "ping\r\nwait\r\n");
    peer_expect(&b, "+OK\r\n" NEWS "$1\r\nx\r\n");
    ck_assert_int_eq(sill_suspend(&arrived, kit_soon()), 0);
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(sill_yield(), 0);
    ssize_t got = sill_stream_read(&a.stream, &byte, 1, SILL_PAST);
    ck_assert_int_eq(got, SILL_ETIMEDOUT);
    sill_resume(&go, 0);
    peer_expect(&a, NEWS "$1\r\nx\r\n" PONG "*2\r\n:1\r\n:2\r\n");
    peer_close(&a);
    peer_close(&b);
    return kit_stop(&kit);
}

CASE(a_push_never_comes_inside_of_a_reply)
{
    struct kit kit = {0};
    struct peer a, b;
    kit_start(&kit, VERBS(verbs));
    sill_trigger_init(&go, NULL, NULL);
    sill_trigger_init(&arrived, NULL, NULL);
    peer_open(&a, &kit);
    peer_say(&a, "wait\r\n");
    ck_assert_int_eq(sill_suspend(&arrived, kit_soon()), 0);
    peer_open(&b, &kit);
    peer_say(&b, "shout x\r\n");
    peer_expect(&b, "+OK\r\n" NEWS "$1\r\nx\r\n");
    sill_resume(&go, 0);
    peer_expect(&a, "*2\r\n:1\r\n:2\r\n" NEWS "$1\r\nx\r\n");
    peer_close(&a);
    peer_close(&b);
    return kit_stop(&kit);
}

/* Lets (b) shout (size) bytes, (count) times. */
static void shout_much(struct peer *b, int count, size_t size)
{
    char *data = calloc(1, size + 1), head[64];
    memset(data, 'z', size);
    snprintf(head, sizeof(head), "*2\r\n$5\r\nshout\r\n$%zu\r\n", size);
    for (int i = 0; i < count; i++) {
        peer_say(b, head);
        peer_say(b, data);
        peer_say(b, "\r\n");
        size_t all = strlen("+OK\r\n" NEWS "$10000\r\n\r\n") + size;
        while (b->size < all)
            ck_assert_int_gt(peer_read(b), 0);
        ck_assert_uint_eq(b->size, all);
        b->size = 0;
    }
    free(data);
}

CASE(a_client_that_takes_its_pushes_late_gets_them_all)
{
    struct kit kit = {.options.send_buffer = 4096};
    struct peer a, b;
    kit_start(&kit, VERBS(verbs));
    peer_open(&a, &kit);
    peer_say(&a, PING);
    peer_expect(&a, PONG);
    peer_open(&b, &kit);
    shout_much(&b, 60, 10000);
    /* A reply waits its turn behind them. */
    peer_say(&a, PING);
    size_t all = 60 * (strlen(NEWS "$10000\r\n\r\n") + 10000) + strlen(PONG);
    while (a.size < all)
        ck_assert_int_gt(peer_read(&a), 0);
    ck_assert_uint_eq(a.size, all);
    ck_assert_str_eq(a.text + all - strlen(PONG), PONG);
    ck_assert_uint_eq(kit.server.stats.slow, 0);
    peer_close(&a);
    peer_close(&b);
    return kit_stop(&kit);
}

CASE(a_client_that_takes_no_pushes_is_ended)
{
    struct kit kit = {.options.send_buffer = 4096, .server.push_max = 100000};
    struct peer a, b;
    kit_start(&kit, VERBS(verbs));
    peer_open(&a, &kit);
    peer_say(&a, PING);
    peer_expect(&a, PONG);
    peer_open(&b, &kit);
    blocks_watch();
    shout_much(&b, 1000, 10000);
    ck_assert_uint_eq(kit.server.stats.slow, 1);
    ck_assert_uint_eq(kit.server.stats.open, 1);
    ck_assert_uint_lt(blocks_largest(), 300000);
    peer_read_end(&a);
    peer_close(&a);
    peer_close(&b);
    return kit_stop(&kit);
}

/* Those that wait for the end of a handler wait, too. */
CASE(pushes_to_a_session_in_a_handler_count)
{
    struct kit kit = {.server.push_max = 100000};
    struct peer peer;
    kit_start(&kit, VERBS(verbs));
    peer_open(&peer, &kit);
    peer_say(&peer, "twice 40000\r\n" PING);
    size_t all =
        strlen("+OK\r\n" PONG) + 2 * (strlen("*1\r\n$40000\r\n\r\n") + 40000);
    while (peer.size < all)
        ck_assert_int_gt(peer_read(&peer), 0);
    peer_say(&peer, "twice 60000\r\n");
    peer_read_end(&peer);
    ck_assert_int_eq(seen, SILL_EMSGSIZE);
    ck_assert_uint_eq(kit.server.stats.slow, 1);
    peer_close(&peer);
    return kit_stop(&kit);
}

/* A push ends who does not take it, and not for want of memory. */
CASE(a_push_that_fits_nowhere_ends_its_client_as_a_slow_one)
{
    struct kit kit = {.server.output_max = 16384};
    struct peer peer;
    static char word[30000], line[30100];
    kit_start(&kit, VERBS(verbs));
    peer_open(&peer, &kit);
    memset(word, 'z', sizeof(word));
    snprintf(line, sizeof(line), "tell %.*s\r\n", (int)sizeof(word), word);
    peer_say(&peer, line);
    peer_read_end(&peer);
    ck_assert_uint_eq(kit.server.stats.slow, 1);
    ck_assert_uint_eq(kit.server.stats.exhausted, 0);
    peer_close(&peer);
    return kit_stop(&kit);
}

CASE(a_client_that_takes_no_replies_is_ended)
{
    struct kit kit = {.options.send_buffer = 4096,
                      .server.write_timeout = 50 * SILL_MILLISECOND};
    struct peer peer;
    kit_start(&kit, VERBS(verbs));
    peer_open(&peer, &kit);
    for (int i = 0; i < 100; i++)
        peer_say(&peer, "large 1000000\r\n");
    while (kit.server.stats.slow == 0)
        ck_assert_int_eq(sill_sleep(sill_after(SILL_MILLISECOND)), 0);
    peer_read_end(&peer);
    peer_close(&peer);
    return kit_stop(&kit);
}

/* Each has one reply that waits, and all others are served meanwhile. */
CASE(clients_that_take_no_replies_are_bounded_and_delay_nobody)
{
    enum { SLOW = 20 };
    struct kit kit = {.options.send_buffer = 4096};
    struct peer slow[SLOW], peer;
    struct sill_resp_session *s = NULL;
    int stuck = 0;
    kit_start(&kit, VERBS(verbs));
    for (int i = 0; i < SLOW; i++) {
        peer_open(&slow[i], &kit);
        for (int k = 0; k < 20; k++)
            peer_say(&slow[i], "large 1000000\r\n");
    }
    settle(&kit, SLOW);
    peer_open(&peer, &kit);
    for (int i = 0; i < 100; i++) {
        peer_say(&peer, PING);
        peer_expect(&peer, PONG);
    }
    while ((s = sill_resp_session_next(&kit.server, s)) != NULL) {
        usage = sill_resp_session_usage(s);
        ck_assert_uint_lt(usage.memory, 3 * LARGER);
        stuck += usage.unsent > 0;
    }
    ck_assert_int_eq(stuck, SLOW);
    for (int i = 0; i < SLOW; i++)
        peer_close(&slow[i]);
    peer_close(&peer);
    return kit_stop(&kit);
}

CASE(a_client_may_go_with_its_reply_on_the_way)
{
    struct kit kit = {.options.send_buffer = 4096};
    struct peer peer;
    kit_start(&kit, VERBS(verbs));
    for (int i = 0; i < 2; i++) {
        peer_open(&peer, &kit);
        for (int k = 0; k < 100; k++)
            peer_say(&peer, i == 0 ? "large 60000\r\n" : "large 600000\r\n");
        ck_assert_int_gt(peer_read(&peer), 0);
        peer_close(&peer);
    }
    return kit_stop(&kit);
}

CASE(a_push_may_come_too_late)
{
    struct kit kit = {0};
    struct peer peer;
    const struct sill_resp_view news = SILL_RESP_VIEW("news");
    kit_start(&kit, VERBS(verbs));
    peer_open(&peer, &kit);
    peer_say(&peer, PING);
    peer_expect(&peer, PONG);
    struct sill_resp_session *to = sill_resp_session_next(&kit.server, NULL);
    ck_assert_int_eq(sill_resp_push(to, &news, 1), 0);
    ck_assert_int_eq(sill_yield(), 0);
    peer_close(&peer); /* with a push unread: a reset */
    ck_assert_int_eq(sill_resp_push(to, &news, 1), 0);
    return kit_stop(&kit);
}

CASE(a_reply_over_the_bound_ends_the_session)
{
    struct kit kit = {.server.output_max = 100000};
    struct peer peer;
    blocks_watch();
    kit_start(&kit, VERBS(verbs));
    peer_open(&peer, &kit);
    peer_say(&peer, "large 99900\r\n");
    while (peer.size < 99900 + 10)
        ck_assert_int_gt(peer_read(&peer), 0);
    ck_assert_uint_eq(peer.size, 99900 + 10);
    peer_say(&peer, "large 100000\r\n");
    peer_read_end(&peer);
    ck_assert_uint_eq(peer.size, 99900 + 10);
    ck_assert_uint_le(blocks_largest(), 100000);
    peer_close(&peer);
    return kit_stop(&kit);
}

/* "one for each 64 KiB": no more than that waits, whatever one read brings. */
CASE(replies_are_sent_before_there_are_too_many)
{
    struct kit kit = {.server.output_max = 200000};
    struct peer peer;
    char text[20 * 13 + 1] = "";
    size_t all = 20 * (60000 + strlen("$60000\r\n\r\n"));
    kit_start(&kit, VERBS(verbs));
    peer_open(&peer, &kit);
    for (int i = 0; i < 20; i++)
        memcpy(text + (size_t)i * 13, "large 60000\r\n", 14);
    peer_say(&peer, text);
    while (peer.size < all)
        ck_assert_int_gt(peer_read(&peer), 0);
    ck_assert_uint_eq(peer.size, all);
    peer_close(&peer);
    return kit_stop(&kit);
}

/* A command of 40 000 bytes, then one of 100 arguments. */
CASE(an_idle_session_gives_back_what_large_commands_took)
{
    struct kit kit = {0};
    struct peer peer;
    static char word[40000], many[201];
    blocks_watch();
    kit_start(&kit, VERBS(verbs));
    peer_open(&peer, &kit);
    peer_say(&peer, PING);
    peer_expect(&peer, PONG);
    long before = blocks_open();
    memset(word, 'x', sizeof(word));
    peer_say(&peer, "*2\r\n$5\r\ncount\r\n$40000\r\n");
    peer_send(&peer, word, sizeof(word));
    peer_say(&peer, "\r\n");
    peer_expect(&peer, "*2\r\n:2\r\n:40005\r\n");
    blocks_settle(before);
    for (size_t i = 0; i < 200; i++)
        many[i] = i % 2 == 0 ? ' ' : 'x';
    peer_say(&peer, "count");
    peer_say(&peer, many);
    peer_say(&peer, "\r\n");
    peer_expect(&peer, "*2\r\n:101\r\n:105\r\n");
    blocks_settle(before);
    peer_close(&peer);
    return kit_stop(&kit);
}

CASE(some_replies_may_always_wait)
{
    struct kit kit = {.server.output_max = 1};
    struct peer peer;
    kit_start(&kit, VERBS(verbs));
    peer_open(&peer, &kit);
    peer_say(&peer, "large 16000\r\nlarge 16400\r\n");
    peer_read_end(&peer);
    ck_assert_uint_eq(peer.size, 0);
    peer_close(&peer);
    peer_open(&peer, &kit);
    peer_say(&peer, "large 16000\r\nquit\r\n");
    peer_read_end(&peer);
    ck_assert_uint_eq(peer.size, 16000 + strlen("$16000\r\n\r\n+OK\r\n"));
    peer_close(&peer);
    /* A push that waits counts, too. */
    peer_open(&peer, &kit);
    peer_say(&peer, "both 9000\r\n");
    peer_read_end(&peer);
    ck_assert_uint_eq(peer.size, 0);
    peer_close(&peer);
    return kit_stop(&kit);
}

/* ---- the end ---- */

CASE(what_has_arrived_is_answered_before_the_end)
{
    struct kit kit = {.server.grace = 600 * SILL_SECOND};
    struct peer idle, busy, late, early;
    kit_start(&kit, VERBS(verbs));
    sill_trigger_init(&go, NULL, NULL);
    sill_trigger_init(&arrived, NULL, NULL);
    peer_open(&idle, &kit);
    peer_say(&idle, PING);
    peer_expect(&idle, PONG);
    peer_open(&busy, &kit);
    peer_say(&busy, "wait\r\n" PING);
    ck_assert_int_eq(sill_suspend(&arrived, kit_soon()), 0);
    peer_open(&early, &kit);
    peer_say(&early, PING);
    peer_expect(&early, PONG);
    peer_open(&late, &kit);
    peer_say(&late, PING);
    peer_say(&early, PING);
    sill_resume(&kit.stop, 0);
    peer_expect_last(&late, PONG);
    peer_expect_last(&early, PONG);
    peer_expect_last(&idle, "");
    sill_resume(&go, 0);
    peer_expect_last(&busy, "*2\r\n:1\r\n:2\r\n" PONG);
    peer_close(&idle);
    peer_close(&busy);
    peer_close(&late);
    peer_close(&early);
    ck_assert_int_eq(kit_stop(&kit), 0);
    return 0;
}

CASE(what_is_left_after_the_grace_is_cancelled)
{
    struct kit kit = {.server.grace = SILL_MILLISECOND};
    struct peer a, b;
    kit_start(&kit, VERBS(verbs));
    sill_trigger_init(&go, NULL, NULL);
    sill_trigger_init(&arrived, NULL, NULL);
    peer_open(&a, &kit);
    peer_say(&a, "wait\r\n");
    peer_open(&b, &kit);
    peer_say(&b, PING "*1\r\n$4\r\npi");
    peer_expect(&b, PONG);
    ck_assert_int_eq(sill_suspend(&arrived, kit_soon()), 0);
    ck_assert_int_eq(kit_stop(&kit), 0);
    ck_assert_int_eq(seen, SILL_ECANCELED);
    peer_read_end(&a);
    peer_read_end(&b);
    peer_close(&a);
    peer_close(&b);
    return 0;
}

CASE(a_server_that_is_cancelled_cancels_its_sessions)
{
    struct kit kit = {0};
    struct peer a, b, c;
    int before = descriptors();
    kit_start(&kit, VERBS(verbs));
    sill_trigger_init(&go, NULL, NULL);
    sill_trigger_init(&arrived, NULL, NULL);
    peer_open(&a, &kit);
    peer_say(&a, "wait\r\n");
    peer_open(&b, &kit);
    peer_open(&c, &kit);
    peer_say(&c, "large 100000000\r\n");
    ck_assert_int_gt(peer_read(&c), 0);
    ck_assert_int_eq(sill_suspend(&arrived, kit_soon()), 0);
    ck_assert_int_eq(sill_cancel(kit.task, kit_soon()), 0);
    ck_assert_int_eq(seen, SILL_ECANCELED);
    peer_read_end(&a);
    peer_read_end(&b);
    peer_read_end(&c);
    peer_close(&a);
    peer_close(&b);
    peer_close(&c);
    ck_assert_int_eq(descriptors(), before);
    return 0;
}

CASE(a_server_needs_verbs)
{
    struct kit kit = {0};
    int result;
    kit_start(&kit, NULL, 0);
    ck_assert_int_eq(sill_await(kit.task, &result, kit_soon()), 0);
    ck_assert_int_eq(result, SILL_EINVAL);
    struct sill_stream stream = {0};
    ck_assert_int_eq(sill_listener_accept(&kit.listener, &stream, SILL_PAST),
                     SILL_ECLOSED);
    return 0;
}

/* ---- whatever fails, whenever it ends ---- */

#define VISIT                                                                  \
    "count 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18\r\ntell x\r\n"         \
    "large 20000\r\nquit\r\n" PING

/* A whole conversation. Returns 1 when it went to its end, or less. */
static int visit(void *arg)
{
    const struct kit *kit = arg;
    struct sill_stream stream;
    char text[30000], large_command[3000] = "count ";
    size_t used = 0;
    int rc = sill_stream_connect(&stream, &kit->address, NULL, kit_soon());
    if (rc != 0)
        return rc;
    memset(large_command + 6, 'x', sizeof(large_command) - 7);
    large_command[sizeof(large_command) - 1] = '\n';
    rc = sill_stream_write_all(&stream, large_command, sizeof(large_command),
                               NULL, kit_soon());
    if (rc == 0)
        rc = sill_stream_write_all(&stream, VISIT, strlen(VISIT), NULL,
                                   kit_soon());
    ssize_t got = rc == 0 ? 1 : 0;
    while (got > 0 && used < sizeof(text)) {
        got = sill_stream_read(&stream, text + used, sizeof(text) - used,
                               kit_soon());
        used += got > 0 ? (size_t)got : 0;
    }
    sill_stream_close(&stream);
    ck_assert_int_ne(got, SILL_ETIMEDOUT);
    return used > 20000 && memcmp(text + used - 5, "+OK\r\n", 5) == 0;
}

CASE(any_allocation_may_fail)
{
    struct kit kit = {0};
    struct peer bystander;
    int n = 0, result = 0;
    blocks_watch();
    kit_start(&kit, VERBS(verbs));
    peer_open(&bystander, &kit);
    peer_say(&bystander, "large 10\r\n");
    peer_expect(&bystander, "$10\r\nxxxxxxxxxx\r\n");
    settle(&kit, 1);
    long before = blocks_open();
    for (bool failed = true; failed;) {
        struct sill_task *task;
        blocks_fail(++n);
        int rc = sill_spawn(visit, &kit, &task);
        if (rc == 0)
            ck_assert_int_eq(sill_await(task, &result, kit_soon()), 0);
        failed = blocks_failed();
        blocks_fail(0);
        ck_assert(failed || (rc == 0 && result == 1));
        peer_say(&bystander, PING);
        peer_expect(&bystander, PONG);
        settle(&kit, 1);
        blocks_settle(before);
    }
    ck_assert_int_gt(n, 8);
    ck_assert_uint_gt(kit.server.stats.exhausted, 0);
    peer_close(&bystander);
    return kit_stop(&kit);
}

/* A loop that is new has no memory to use again. */
static int visit_new(void *arg)
{
    const long *nth = arg;
    struct kit kit = {0};
    int result = -1;
    kit_start(&kit, VERBS(verbs));
    blocks_fail(*nth);
    (void)visit(&kit);
    bool failed = blocks_failed();
    blocks_fail(0);
    sill_resume(&kit.stop, 0);
    ck_assert_int_eq(sill_await(kit.task, &result, kit_soon()), 0);
    ck_assert(result == 0 || (result == SILL_ENOMEM && failed));
    return failed;
}

START_TEST(any_allocation_of_a_new_loop_may_fail)
{
    case_fail_each(visit_new);
}

END_TEST

CASE(a_push_without_memory_ends_only_its_session)
{
    struct kit kit = {.options.send_buffer = 4096};
    struct peer a;
    int n = 0;
    blocks_watch();
    kit_start(&kit, VERBS(verbs));
    for (bool failed = true; failed;) {
        struct peer b;
        peer_open(&a, &kit);
        peer_say(&a, PING);
        peer_expect(&a, PONG);
        struct sill_resp_session *to =
            sill_resp_session_next(&kit.server, NULL);
        char *data = calloc(1, 3000000);
        struct sill_resp_view string = {data, 3000000};
        blocks_fail(++n);
        int rc = sill_resp_push(to, &string, 1);
        ck_assert(rc == 0 || (rc == SILL_ENOMEM && blocks_failed()));
        for (int i = 0; i < 3; i++)
            ck_assert_int_eq(sill_yield(), 0);
        failed = blocks_failed();
        blocks_fail(0);
        if (failed) {
            peer_read_end(&a);
        } else {
            while (a.size < 3000000)
                ck_assert_int_gt(peer_read(&a), 0);
        }
        peer_close(&a);
        settle(&kit, 0);
        free(data);
        peer_open(&b, &kit);
        peer_say(&b, PING);
        peer_expect(&b, PONG);
        peer_close(&b);
        settle(&kit, 0);
    }
    ck_assert_int_gt(n, 1);
    return kit_stop(&kit);
}

CASE(service_may_be_cancelled_at_any_step)
{
    int before = descriptors();
    blocks_watch();
    for (int steps = 0; steps < 60; steps++) {
        struct kit kit = {0};
        struct sill_task *visitors[3];
        long blocks = blocks_open();
        kit_start(&kit, VERBS(verbs));
        for (int i = 0; i < 3; i++)
            ck_assert_int_eq(sill_spawn(visit, &kit, &visitors[i]), 0);
        for (int i = 0; i < steps; i++)
            ck_assert_int_eq(sill_yield(), 0);
        ck_assert_int_eq(sill_cancel(kit.task, kit_soon()), 0);
        ck_assert_uint_eq(kit.server.stats.open, 0);
        ck_assert_int_eq(sill_await_all(visitors, 3, NULL, kit_soon()), 0);
        blocks_settle(blocks);
    }
    ck_assert_int_eq(descriptors(), before);
    return 0;
}

CASE(service_may_be_stopped_at_any_step)
{
    int before = descriptors();
    blocks_watch();
    for (int steps = 0; steps < 30; steps++) {
        struct kit kit = {0};
        struct sill_task *visitors[3];
        long blocks = blocks_open();
        kit_start(&kit, VERBS(verbs));
        for (int i = 0; i < 3; i++)
            ck_assert_int_eq(sill_spawn(visit, &kit, &visitors[i]), 0);
        for (int i = 0; i < steps; i++)
            ck_assert_int_eq(sill_yield(), 0);
        ck_assert_int_eq(kit_stop(&kit), 0);
        ck_assert_int_eq(sill_await_all(visitors, 3, NULL, kit_soon()), 0);
        blocks_settle(blocks);
    }
    ck_assert_int_eq(descriptors(), before);
    return 0;
}

CASE(service_that_cannot_begin_says_so)
{
    struct kit kit = {
        .server = {.verbs = verbs, .verb_count = 1, .stop = &kit.stop}};
    long n = 0;
    blocks_watch();
    do {
        sill_trigger_init(&kit.stop, NULL, NULL);
        ck_assert_int_eq(sill_address_ip(&kit.address, "127.0.0.1", 0), 0);
        ck_assert_int_eq(
            sill_listener_listen(&kit.listener, &kit.address, NULL), 0);
        blocks_fail(++n);
        int rc = sill_resp_serve(&kit.server, &kit.listener,
                                 sill_after(SILL_MILLISECOND));
        ck_assert(rc == 0 || (rc == SILL_ENOMEM && blocks_failed()));
        ck_assert_int_eq(sill_listener_local(&kit.listener, &kit.address),
                         SILL_ECLOSED);
    } while (blocks_failed());
    blocks_fail(0);
    ck_assert_int_gt(n, 3);
    return 0;
}

int main(void)
{
    Suite *suite = suite_create("resp server");
    TCase *tc = tcase_create("server");
    SRunner *runner = srunner_create(suite);

    suite_add_tcase(suite, tc);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, commands_are_answered_in_order);
    tcase_add_test(tc, what_a_read_brought_is_answered_with_one_write);
    tcase_add_test(tc, what_is_no_command_is_answered_as_redis_does);
    tcase_add_test(
        tc, each_breach_of_the_protocol_is_answered_and_ends_the_session);
    tcase_add_test(tc, types_are_written_in_the_version_that_is_spoken);
    tcase_add_test(tc, errors_are_cut);
    tcase_add_test(tc, a_conversation_may_come_byte_by_byte);
    tcase_add_test(tc, a_peer_may_go_at_any_byte);
    tcase_add_test(tc, commands_may_be_large);
    tcase_add_test(tc, commands_and_their_memory_keep_their_bounds);
    tcase_add_test(tc, replies_may_be_large);
    tcase_add_test(tc, sessions_have_what_is_theirs);
    tcase_add_test(tc, verbs_are_found_while_the_server_serves);
    tcase_add_test(tc, calls_can_be_intercepted);
    tcase_add_test(tc, an_idle_session_holds_no_large_buffer);
    tcase_add_test(tc,
                   a_session_without_a_large_buffer_goes_on_with_a_small_one);
    tcase_add_test(tc, a_session_says_what_it_holds);
    tcase_add_test(tc, who_pipelines_has_a_larger_buffer);
    tcase_add_test(tc, a_session_that_ends_sends_what_was_answered);
    tcase_add_test(tc, a_session_may_end_when_its_peer_has_gone);
    tcase_add_test(tc, a_handler_that_fails_ends_its_session_at_once);
    tcase_add_test(tc, a_session_can_be_killed_by_another);
    tcase_add_test(tc, a_silent_session_is_ended_where_that_is_wanted);
    tcase_add_test(tc, more_sessions_than_the_bound_wait);
    tcase_add_test(tc, a_full_server_stops_all_the_same);
    tcase_add_test(tc, pushes_come_unasked);
    tcase_add_test(tc, a_push_goes_to_each_session_once);
    tcase_add_test(tc, sessions_may_go_with_pushes_on_their_way);
    tcase_add_test(tc, a_session_may_go_between_a_push_and_its_sending);
    tcase_add_test(tc, a_push_makes_nobody_send_half_a_reply);
    tcase_add_test(tc, a_push_never_comes_inside_of_a_reply);
    tcase_add_test(tc, pushes_to_a_session_in_a_handler_count);
    tcase_add_test(tc, replies_are_sent_before_there_are_too_many);
    tcase_add_test(tc, an_idle_session_gives_back_what_large_commands_took);
    tcase_add_test(tc, a_client_that_takes_its_pushes_late_gets_them_all);
    tcase_add_test(tc, a_client_that_takes_no_pushes_is_ended);
    tcase_add_test(tc, a_push_that_fits_nowhere_ends_its_client_as_a_slow_one);
    tcase_add_test(tc, a_client_that_takes_no_replies_is_ended);
    tcase_add_test(tc,
                   clients_that_take_no_replies_are_bounded_and_delay_nobody);
    tcase_add_test(tc, a_client_may_go_with_its_reply_on_the_way);
    tcase_add_test(tc, a_push_may_come_too_late);
    tcase_add_test(tc, a_reply_over_the_bound_ends_the_session);
    tcase_add_test(tc, some_replies_may_always_wait);
    tcase_add_test(tc, what_has_arrived_is_answered_before_the_end);
    tcase_add_test(tc, what_is_left_after_the_grace_is_cancelled);
    tcase_add_test(tc, a_server_that_is_cancelled_cancels_its_sessions);
    tcase_add_test(tc, a_server_needs_verbs);
    tcase_add_test(tc, any_allocation_may_fail);
    tcase_add_test(tc, any_allocation_of_a_new_loop_may_fail);
    tcase_add_test(tc, a_push_without_memory_ends_only_its_session);
    tcase_add_test(tc, service_may_be_cancelled_at_any_step);
    tcase_add_test(tc, service_may_be_stopped_at_any_step);
    tcase_add_test(tc, service_that_cannot_begin_says_so);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
