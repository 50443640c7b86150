/* SPDX-License-Identifier: MIT */
/*
 * Whether the codec takes what RESP2 and RESP3 allow, refuses everything else
 * with the right word, and gives the same answer however its input is cut.
 *
 * Messages lie flush against a page that cannot be read, so that one byte too
 * many is a crash.
 */
#include "../codec.h"
#include "../scan.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const struct sill_resp_limits usual = SILL_RESP_LIMITS_INIT;

/* Small enough that each bound can be reached. */
static const struct sill_resp_limits small = {
    .line = 16, .elements = 5, .depth = 2, .bulk = 10, .message = 64};

/* Memory whose end is the end of what may be touched. */

enum { GUARDED = 1 << 16 };

static char *guarded_end(void)
{
    static char *end;
    if (end != NULL)
        return end;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *at = mmap(NULL, GUARDED + page, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(at, MAP_FAILED);
    end = at + GUARDED;
    ck_assert_int_eq(mprotect(end, page, PROT_NONE), 0);
    return end;
}

static char *guarded(const char *data, size_t size)
{
    char *at = guarded_end() - size;
    if (size > 0)
        memcpy(at, data, size);
    return at;
}

/* What a message means, as text to be compared. */

struct meaning {
    char text[4096];
    size_t used;
};

static void say(struct meaning *m, const char *before,
                struct sill_resp_view text, const char *after)
{
    size_t room = sizeof(m->text) - m->used;
    int size = snprintf(m->text + m->used, room, "%s", before);
    m->used += (size_t)size;
    for (size_t i = 0; i < text.size; i++) {
        const char *format = text.at[i] < ' ' ? "\\x%02x" : "%c";
        m->used +=
            (size_t)snprintf(m->text + m->used, sizeof(m->text) - m->used,
                             format, (unsigned char)text.at[i]);
    }
    m->used += (size_t)snprintf(m->text + m->used, sizeof(m->text) - m->used,
                                "%s", after);
    ck_assert_uint_lt(m->used, sizeof(m->text));
}

static void say_number(struct meaning *m, const char *before, int64_t number)
{
    char text[32];
    snprintf(text, sizeof(text), "%lld", (long long)number);
    say(m, before, sill_resp_view(text), "");
}

/* Says the value at (at). Returns how many values it spans. */
static size_t say_value(struct meaning *m, const struct sill_resp_value *v)
{
    static const char *const names[] = {"null", "'", "+", "-", ":",  "#", ",",
                                        "(",    "=", "[", "{", "~[", ">["};
    const char *name = names[v->type];
    size_t span = 1;

    if (v->type == SILL_RESP_INTEGER || v->type == SILL_RESP_BOOLEAN) {
        say_number(m, name, v->integer);
    } else if (v->type == SILL_RESP_VERBATIM) {
        struct sill_resp_view format = {v->text.at - 4, 3};
        say(m, name, format, "'");
        say(m, "", v->text, "'");
    } else if (v->type < SILL_RESP_ARRAY) {
        say(m, name, v->text, v->type == SILL_RESP_STRING ? "'" : "");
    } else {
        say(m, name, sill_resp_view(NULL), "");
        for (uint32_t i = 0; i < v->count; i++) {
            if (i > 0)
                say(m, " ", sill_resp_view(NULL), "");
            span += say_value(m, v + span);
        }
        say(m, "", sill_resp_view(v->type == SILL_RESP_MAP ? "}" : "]"), "");
    }
    ck_assert_uint_eq(v->span, span);
    return span;
}

/* How a message is given to the codec. */

enum feeding {
    AT_ONCE,
    BYTE_BY_BYTE, /* in one place */
    MOVING        /* one more byte each time, always flush to the guard */
};

struct message {
    const struct sill_resp_limits *limits;
    const char *data;
    size_t size;
};

/* Makes room for one more; what is there is moved, and the old room spoilt. */
static void *grow(void *items, size_t *room, size_t count, size_t size)
{
    char *more = malloc((*room + 1) * size);
    ck_assert_uint_eq(count, *room);
    if (count > 0)
        memcpy(more, items, count * size);
    memset(more + count * size, 0xa5, size);
    if (items != NULL)
        memset(items, 0xa5, count * size);
    free(items);
    ++*room;
    return more;
}

static ssize_t step_command(struct sill_resp_command *c, char *data,
                            size_t size)
{
    ssize_t rc;
    while ((rc = sill_resp_command_parse(c, data, size)) == SILL_RESP_EROOM) {
        /* An inline command takes all of its words at once. */
        size_t count = c->count == 0 ? c->room : c->count;
        c->args = grow(c->args, &c->room, count, sizeof(*c->args));
    }
    return rc;
}

static ssize_t step_reply(struct sill_resp_reply *r, char *data, size_t size)
{
    ssize_t rc;
    while ((rc = sill_resp_reply_parse(r, data, size)) == SILL_RESP_EROOM)
        r->values = grow(r->values, &r->room, r->count, sizeof(*r->values));
    return rc;
}

/* Both kinds of message behind one face. */
struct parser {
    bool replies;
    struct sill_resp_command command;
    struct sill_resp_reply reply;
};

static ssize_t step(struct parser *p, char *data, size_t size)
{
    return p->replies ? step_reply(&p->reply, data, size)
                      : step_command(&p->command, data, size);
}

/* Feeds the message; says what it means, or returns why not. */
static ssize_t feed(struct parser *p, const struct message *m,
                    enum feeding feeding, struct meaning *out)
{
    char *place = guarded(m->data, m->size);
    ssize_t rc = 0;

    out->used = 0;
    out->text[0] = '\0';
    sill_resp_command_init(&p->command, NULL, 0, m->limits);
    sill_resp_reply_init(&p->reply, NULL, 0, m->limits);
    for (size_t there = feeding == AT_ONCE ? m->size : 0; there <= m->size;
         there++) {
        char *data = feeding == MOVING ? guarded(m->data, there) : place;
        rc = step(p, data, there);
        if (rc > 0)
            ck_assert_uint_le((size_t)rc, there);
        if (rc > 0 && feeding != AT_ONCE)
            ck_assert_uint_eq((size_t)rc, there);
        if (rc != 0)
            break;
    }
    if (rc > 0 && p->replies)
        ck_assert_uint_eq(say_value(out, p->reply.values), p->reply.count);
    for (size_t i = 0; rc > 0 && !p->replies && i < p->command.count; i++)
        say(out, "[", p->command.args[i], "]");
    free(p->command.args);
    free(p->reply.values);
    return rc;
}

struct example {
    const char *data;
    size_t size;
    int error;           /* or 0, and then ... */
    const char *meaning; /* ... NULL: it is not complete */
};

#define TEXT(literal) literal, sizeof(literal) - 1

static void check(const struct example *x, bool replies,
                  const struct sill_resp_limits *limits)
{
    static const char *const feedings[] = {"at once", "byte by byte", "moving"};
    struct message m = {limits, x->data, x->size};
    struct parser p = {.replies = replies};
    struct meaning meaning;

    for (enum feeding f = AT_ONCE; f <= MOVING; f++) {
        ssize_t rc = feed(&p, &m, f, &meaning);
        bool good = x->error != 0        ? rc == x->error
                    : x->meaning != NULL ? rc == (ssize_t)x->size
                                         : rc == 0;
        ck_assert_msg(good, "%s, %s: %d (%s)", x->data, feedings[f], (int)rc,
                      sill_resp_strerror((int)rc));
        if (x->meaning != NULL)
            ck_assert_str_eq(meaning.text, x->meaning);
    }
}

static void check_all(const struct example *examples, size_t count,
                      bool replies, const struct sill_resp_limits *limits)
{
    for (size_t i = 0; i < count; i++)
        check(&examples[i], replies, limits);
}

#define COMMANDS(examples, limits)                                             \
    check_all(examples, COUNT_OF(examples), false, limits)
#define REPLIES(examples, limits)                                              \
    check_all(examples, COUNT_OF(examples), true, limits)

/* ---- commands ---- */

START_TEST(commands_are_arrays_of_strings)
{
    static const struct example examples[] = {
        {TEXT("*1\r\n$4\r\nPING\r\n"), 0, "[PING]"},
        {TEXT("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$0\r\n\r\n"), 0, "[SET][k][]"},
        {TEXT("*2\r\n$4\r\nECHO\r\n$4\r\n\r\n\0x\r\n"), 0,
         "[ECHO][\\x0d\\x0a\\x00x]"},
        {TEXT("*0\r\n"), 0, ""},
        {TEXT("*-1\r\n"), 0, ""},
    };
    COMMANDS(examples, &usual);
}

END_TEST

START_TEST(commands_may_be_lines_of_words)
{
    static const struct example examples[] = {
        {TEXT("PING\r\n"), 0, "[PING]"},
        {TEXT("PING\n"), 0, "[PING]"},
        {TEXT("\r\n"), 0, ""},
        {TEXT("\n"), 0, ""},
        {TEXT("  set \t k  v \r\n"), 0, "[set][k][v]"},
        {TEXT("a\rb\vc\fd\n"), 0, "[a][b][c][d]"},
        {TEXT("set k \"a b\"\r\n"), 0, "[set][k][a b]"},
        {TEXT("set k '' \"\"\n"), 0, "[set][k][][]"},
        {TEXT("\"\\n\\r\\t\\b\\a\\\\\\\"\\q\"\n"), 0,
         "[\\x0a\\x0d\\x09\\x08\\x07\\\"q]"},
        {TEXT("\"\\x41\\xfF\\x4\\xg1\\x1g\"\n"), 0, "[A\\xffx4xg1x1g]"},
        {TEXT("'a\\'b\\n\"'\n"), 0, "[a'b\\n\"]"},
        {TEXT("a\"b c\"\n"), 0, "[ab c]"},
        {TEXT("$3\r\n"), 0, "[$3]"},
    };
    COMMANDS(examples, &usual);
}

END_TEST

START_TEST(quotes_of_a_line_are_balanced)
{
    static const struct example examples[] = {
        {TEXT("a \"b\n"), SILL_RESP_EQUOTES, NULL},
        {TEXT("a 'b\n"), SILL_RESP_EQUOTES, NULL},
        {TEXT("a \"b\"c\n"), SILL_RESP_EQUOTES, NULL},
        {TEXT("a 'b'c\n"), SILL_RESP_EQUOTES, NULL},
        {TEXT("a \"b\\\"\n"), SILL_RESP_EQUOTES, NULL},
        {TEXT("\"\\\n"), SILL_RESP_EQUOTES, NULL},
        {TEXT("\"\\x4\n"), SILL_RESP_EQUOTES, NULL},
    };
    COMMANDS(examples, &usual);
}

END_TEST

/* Each way in which a number can be none, behind (before). */
static void check_numbers(const char *before, const char *after, bool replies,
                          int error)
{
    static const char *const wrong[] = {"\r",
                                        "x",
                                        "-\r",
                                        "-x",
                                        "01",
                                        "-0\r",
                                        "-01",
                                        "1x",
                                        " 1",
                                        "1 ",
                                        "--1",
                                        "1-",
                                        "+1",
                                        "+-1",
                                        "9223372036854775808",
                                        "-9223372036854775809",
                                        "99999999999999999999"};
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        char text[64];
        bool plus = error == SILL_RESP_EINTEGER && wrong[i][0] == '+';
        if (plus && wrong[i][1] == '1')
            continue;
        int size =
            snprintf(text, sizeof(text), "%s%s%s", before, wrong[i], after);
        struct example x = {text, (size_t)size, error, NULL};
        check(&x, replies, &usual);
    }
}

START_TEST(lengths_are_numbers_in_one_spelling)
{
    check_numbers("*", "", false, SILL_RESP_EMULTIBULK);
    check_numbers("*1\r\n$", "", false, SILL_RESP_EBULK);
    check_numbers("*", "", true, SILL_RESP_EMULTIBULK);
    check_numbers("$", "", true, SILL_RESP_EBULK);
    check_numbers(":", "", true, SILL_RESP_EINTEGER);
}

END_TEST

START_TEST(commands_that_are_wrong_are_refused_at_once)
{
    static const struct example examples[] = {
        {TEXT("*-2\r\n"), SILL_RESP_EMULTIBULK, NULL},
        {TEXT("*1048577\r\n"), SILL_RESP_EMULTIBULK, NULL},
        {TEXT("*1\rx"), SILL_RESP_ENEWLINE, NULL},
        {TEXT("*1\n"), SILL_RESP_EMULTIBULK, NULL},
        {TEXT("*1\r\n:"), SILL_RESP_EDOLLAR, NULL},
        {TEXT("*1\r\n\r"), SILL_RESP_EDOLLAR, NULL},
        {TEXT("*1\r\n$-1\r\n"), SILL_RESP_EBULK, NULL},
        {TEXT("*1\r\n$536870913\r\n"), SILL_RESP_EBULK, NULL},
        {TEXT("*1\r\n$1\r\nxx"), SILL_RESP_EBULK_END, NULL},
        {TEXT("*1\r\n$1\r\nx\rx"), SILL_RESP_ENEWLINE, NULL},
        {TEXT("*1\r\n$536870912\r\n"), 0, NULL},
        {TEXT("*1048576\r\n"), 0, NULL},
    };
    COMMANDS(examples, &usual);
}

END_TEST

START_TEST(commands_keep_their_bounds)
{
    static const struct example examples[] = {
        {TEXT("*6\r\n"), SILL_RESP_EMULTIBULK, NULL},
        {TEXT("1 2 3 4 5 6\n"), SILL_RESP_EMULTIBULK, NULL},
        {TEXT("1 2 3 4 5\n"), 0, "[1][2][3][4][5]"},
        {TEXT("*1\r\n$11\r\n"), SILL_RESP_EBULK, NULL},
        {TEXT("*1\r\n$10\r\n0123456789\r\n"), 0, "[0123456789]"},
        {TEXT("0123456789abcde\n"), 0, "[0123456789abcde]"},
        {TEXT("0123456789abcdef"), SILL_RESP_EINLINE, NULL},
        {TEXT("*5\r\n$10\r\n0123456789\r\n$10\r\n0123456789\r\n"
              "$10\r\n0123456789\r\n$4\r\n"),
         SILL_RESP_EMESSAGE, NULL},
        {TEXT("*4\r\n$10\r\n0123456789\r\n$10\r\n0123456789\r\n"
              "$10\r\n0123456789\r\n$1\r\nx\r\n"),
         0, "[0123456789][0123456789][0123456789][x]"},
        {TEXT("*5\r\n$10\r\n0123456789\r\n$10\r\n0123456789\r\n"
              "$10\r\n0123456789\r\n$0\r\n\r\n$0\r"),
         SILL_RESP_EMESSAGE, NULL},
    };
    COMMANDS(examples, &small);
}

END_TEST

START_TEST(commands_follow_each_other)
{
    static const char text[] = "*1\r\n$1\r\na\r\nb c\r\n*1\r\n$1\r\nd\r\n";
    char *data = guarded(text, sizeof(text) - 1);
    struct sill_resp_view args[2];
    struct sill_resp_command c;
    size_t at = 0, sizes[] = {11, 5, 11};

    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        sill_resp_command_init(&c, args, 2, &usual);
        ssize_t got =
            sill_resp_command_parse(&c, data + at, sizeof(text) - 1 - at);
        ck_assert_int_eq(got, (ssize_t)sizes[i]);
        ck_assert_int_eq(c.args[0].at[0], "abd"[i]);
        at += (size_t)got;
    }
    ck_assert_uint_eq(at, sizeof(text) - 1);
}

END_TEST

START_TEST(room_is_asked_for_when_its_bytes_are_there)
{
    static const char text[] = "*3\r\n$1\r\na\r\n$1\r\nb";
    char *data = guarded(text, sizeof(text) - 1);
    struct sill_resp_view args[1];
    struct sill_resp_command c;

    sill_resp_command_init(&c, args, 1, &usual);
    ck_assert_int_eq(sill_resp_command_parse(&c, data, sizeof(text) - 1), 0);
    ck_assert_uint_eq(c.count, 1);
}

END_TEST

/* ---- replies ---- */

START_TEST(replies_of_resp2)
{
    static const struct example examples[] = {
        {TEXT("+OK\r\n"), 0, "+OK"},
        {TEXT("+\r\n"), 0, "+"},
        {TEXT("-ERR no\r\n"), 0, "-ERR no"},
        {TEXT(":0\r\n"), 0, ":0"},
        {TEXT(":-1\r\n"), 0, ":-1"},
        {TEXT(":+12\r\n"), 0, ":12"},
        {TEXT(":9223372036854775807\r\n"), 0, ":9223372036854775807"},
        {TEXT(":-9223372036854775808\r\n"), 0, ":-9223372036854775808"},
        {TEXT("$5\r\nhello\r\n"), 0, "'hello'"},
        {TEXT("$0\r\n\r\n"), 0, "''"},
        {TEXT("$2\r\n\r\n\r\n"), 0, "'\\x0d\\x0a'"},
        {TEXT("$-1\r\n"), 0, "null"},
        {TEXT("*-1\r\n"), 0, "null"},
        {TEXT("*0\r\n"), 0, "[]"},
        {TEXT("*2\r\n:1\r\n$1\r\na\r\n"), 0, "[:1 'a']"},
        {TEXT("*3\r\n:1\r\n*2\r\n:2\r\n*0\r\n*1\r\n$-1\r\n"), 0,
         "[:1 [:2 []] [null]]"},
    };
    REPLIES(examples, &usual);
}

END_TEST

START_TEST(replies_of_resp3)
{
    static const struct example examples[] = {
        {TEXT("_\r\n"), 0, "null"},
        {TEXT("#t\r\n"), 0, "#1"},
        {TEXT("#f\r\n"), 0, "#0"},
        {TEXT("(-123456789012345678901234567890\r\n"), 0,
         "(-123456789012345678901234567890"},
        {TEXT("(+1\r\n"), 0, "(+1"},
        {TEXT("!9\r\nERR\r\nline\r\n"), 0, "-ERR\\x0d\\x0aline"},
        {TEXT("=6\r\ntxt:hi\r\n"), 0, "=txt'hi'"},
        {TEXT("=4\r\nmkd:\r\n"), 0, "=mkd''"},
        {TEXT("%2\r\n+a\r\n:1\r\n+b\r\n*1\r\n:2\r\n"), 0, "{+a :1 +b [:2]}"},
        {TEXT("%0\r\n"), 0, "{}"},
        {TEXT("~2\r\n:1\r\n:2\r\n"), 0, "~[:1 :2]"},
        {TEXT(">2\r\n+message\r\n+x\r\n"), 0, ">[+message +x]"},
        {TEXT("|1\r\n+ttl\r\n:3\r\n:7\r\n"), 0, ":7"},
        {TEXT("|0\r\n:7\r\n"), 0, ":7"},
        {TEXT("|1\r\n+a\r\n|1\r\n+b\r\n:1\r\n:2\r\n|0\r\n:7\r\n"), 0, ":7"},
        {TEXT("*2\r\n:1\r\n|1\r\n+a\r\n*1\r\n:9\r\n:2\r\n"), 0, "[:1 :2]"},
        {TEXT("|1\r\n+a\r\n+b\r\n>1\r\n+x\r\n"), 0, ">[+x]"},
    };
    REPLIES(examples, &usual);
}

END_TEST

START_TEST(doubles_are_checked_and_kept_as_text)
{
    static const char *const good[] = {
        "0",   "1.5",  "-1.5", "+2",  "1e5",  "1E-5", "1.25e+10",
        "inf", "-inf", "+inf", "nan", "-nan", "00.5"};
    static const char *const bad[] = {"",    "x",   ".5",   "1.", "1e",
                                      "1e+", "1.e", "infx", "in", "--1",
                                      "1 ",  "0x1", "1.5.5"};
    char text[32], meaning[32];
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        int size = snprintf(text, sizeof(text), ",%s\r\n", good[i]);
        snprintf(meaning, sizeof(meaning), ",%s", good[i]);
        struct example x = {text, (size_t)size, 0, meaning};
        check(&x, true, &usual);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        int size = snprintf(text, sizeof(text), ",%s\r\n", bad[i]);
        struct example x = {text, (size_t)size, SILL_RESP_EDOUBLE, NULL};
        check(&x, true, &usual);
    }
}

END_TEST

START_TEST(replies_that_are_wrong_are_refused_at_once)
{
    static const struct example examples[] = {
        {TEXT("?"), SILL_RESP_ETYPE, NULL},
        {TEXT("\xff"), SILL_RESP_ETYPE, NULL},
        {TEXT("\r"), SILL_RESP_ETYPE, NULL},
        {TEXT("*1\r\n."), SILL_RESP_ETYPE, NULL},
        {TEXT("+a\n"), SILL_RESP_ENEWLINE, NULL},
        {TEXT("+a\rb"), SILL_RESP_ENEWLINE, NULL},
        {TEXT(":1\rx"), SILL_RESP_ENEWLINE, NULL},
        {TEXT("#x"), SILL_RESP_EBOOLEAN, NULL},
        {TEXT("#tt"), SILL_RESP_EBOOLEAN, NULL},
        {TEXT("_x"), SILL_RESP_ENULL, NULL},
        {TEXT("(1.5\r\n"), SILL_RESP_EBIG_NUMBER, NULL},
        {TEXT("(-\r\n"), SILL_RESP_EBIG_NUMBER, NULL},
        {TEXT("(\r\n"), SILL_RESP_EBIG_NUMBER, NULL},
        {TEXT("$-2\r\n"), SILL_RESP_EBULK, NULL},
        {TEXT("!-1\r\n"), SILL_RESP_EBULK, NULL},
        {TEXT("=-1\r\n"), SILL_RESP_EBULK, NULL},
        {TEXT("$1\r\nxx"), SILL_RESP_EBULK_END, NULL},
        {TEXT("$1\r\nx\rx"), SILL_RESP_ENEWLINE, NULL},
        {TEXT("=3\r\n"), SILL_RESP_EVERBATIM, NULL},
        {TEXT("=5\r\ntxtx"), SILL_RESP_EVERBATIM, NULL},
        {TEXT("*-2\r\n"), SILL_RESP_EMULTIBULK, NULL},
        {TEXT("%-1\r\n"), SILL_RESP_EMULTIBULK, NULL},
        {TEXT("~-1\r\n"), SILL_RESP_EMULTIBULK, NULL},
        {TEXT("|-1\r\n"), SILL_RESP_EMULTIBULK, NULL},
        {TEXT("*1\r\n>"), SILL_RESP_EPUSH, NULL},
        {TEXT("|1\r\n>"), SILL_RESP_EPUSH, NULL},
        {TEXT("$?"), SILL_RESP_ESTREAMED, NULL},
        {TEXT("*?"), SILL_RESP_ESTREAMED, NULL},
        {TEXT("%?"), SILL_RESP_ESTREAMED, NULL},
    };
    REPLIES(examples, &usual);
}

END_TEST

START_TEST(replies_keep_their_bounds)
{
    static const struct example examples[] = {
        {TEXT("*5\r\n"), SILL_RESP_EELEMENTS, NULL},
        {TEXT("*9223372036854775807\r\n"), SILL_RESP_EELEMENTS, NULL},
        {TEXT("*4\r\n:1\r\n:2\r\n:3\r\n:4\r\n"), 0, "[:1 :2 :3 :4]"},
        {TEXT("*3\r\n*1\r\n:1\r\n*1\r\n"), SILL_RESP_EELEMENTS, NULL},
        {TEXT("%2\r\n:1\r\n:2\r\n:3\r\n:4\r\n"), 0, "{:1 :2 :3 :4}"},
        {TEXT("%3\r\n"), SILL_RESP_EELEMENTS, NULL},
        {TEXT("|1\r\n:1\r\n:2\r\n|1\r\n:1\r\n:2\r\n:7\r\n"), 0, ":7"},
        {TEXT("|2\r\n"), SILL_RESP_EELEMENTS, NULL},
        {TEXT("*1\r\n*0\r\n"), 0, "[[]]"},
        {TEXT("*1\r\n*1\r\n*0\r\n"), SILL_RESP_EDEPTH, NULL},
        {TEXT("*1\r\n*1\r\n|0\r\n"), SILL_RESP_EDEPTH, NULL},
        {TEXT("*2\r\n*0\r\n*1\r\n:1\r\n"), 0, "[[] [:1]]"},
        {TEXT("$10\r\n0123456789\r\n"), 0, "'0123456789'"},
        {TEXT("$11\r\n"), SILL_RESP_EMESSAGE, NULL},
        {TEXT("+0123456789abc\r\n"), 0, "+0123456789abc"},
        {TEXT("+0123456789abcd\r"), SILL_RESP_ELINE, NULL},
        {TEXT("+0123456789abcdef"), SILL_RESP_ELINE, NULL},
        {TEXT("*4\r\n$10\r\n0123456789\r\n$10\r\n0123456789\r\n"
              "$10\r\n0123456789\r\n$5\r\n"),
         SILL_RESP_EMESSAGE, NULL},
        {TEXT("*4\r\n$10\r\n0123456789\r\n$10\r\n0123456789\r\n"
              "$10\r\n0123456789\r\n:12345678"),
         SILL_RESP_EMESSAGE, NULL},
        {TEXT("*4\r\n$10\r\n0123456789\r\n$10\r\n0123456789\r\n"
              "$10\r\n0123456789\r\n:123456\r\n"),
         0, "['0123456789' '0123456789' '0123456789' :123456]"},
    };
    REPLIES(examples, &small);
}

END_TEST

/* ---- words ---- */

START_TEST(views_are_compared)
{
    struct sill_resp_view none = sill_resp_view(NULL);
    ck_assert(none.at == NULL && none.size == 0);
    ck_assert(sill_resp_view_is_equal(none, SILL_RESP_VIEW("")));
    ck_assert(sill_resp_view_is_alike(none, SILL_RESP_VIEW("")));
    ck_assert(
        sill_resp_view_is_equal(sill_resp_view("a"), SILL_RESP_VIEW("a")));
    ck_assert(
        !sill_resp_view_is_equal(sill_resp_view("a"), sill_resp_view("A")));
    ck_assert(
        sill_resp_view_is_alike(sill_resp_view("gEt"), sill_resp_view("GeT")));
    ck_assert(
        !sill_resp_view_is_alike(sill_resp_view("ge"), sill_resp_view("get")));
    ck_assert(
        !sill_resp_view_is_alike(sill_resp_view("["), sill_resp_view("{")));
}

END_TEST

START_TEST(integers_have_one_spelling)
{
    static const char *const wrong[] = {"",
                                        " 1",
                                        "1 ",
                                        "+1",
                                        "01",
                                        "-0",
                                        "-",
                                        "1x",
                                        "1\r\n",
                                        "9223372036854775808",
                                        "123456789012345678901234567890"};
    int64_t number = 7;
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        ck_assert_msg(!sill_resp_integer(sill_resp_view(wrong[i]), &number) &&
                          number == 7,
                      "%s", wrong[i]);
    ck_assert(sill_resp_integer(SILL_RESP_VIEW("0"), &number) && number == 0);
    ck_assert(
        sill_resp_integer(SILL_RESP_VIEW("-9223372036854775808"), &number));
    ck_assert_int_eq(number, INT64_MIN);
    ck_assert(
        sill_resp_integer(SILL_RESP_VIEW("9223372036854775807"), &number));
    ck_assert_int_eq(number, INT64_MAX);
}

END_TEST

START_TEST(each_error_has_its_phrase)
{
    for (int i = SILL_RESP_EROOM; i <= SILL_RESP_EMULTIBULK; i++) {
        ck_assert_str_ne(sill_resp_strerror(i), "unknown error");
        for (int k = i + 1; k <= SILL_RESP_EMULTIBULK; k++)
            ck_assert_str_ne(sill_resp_strerror(i), sill_resp_strerror(k));
    }
    ck_assert_str_eq(sill_resp_strerror(0), "unknown error");
    ck_assert_str_eq(sill_resp_strerror(SILL_RESP_EROOM - 1), "unknown error");
}

END_TEST

/* ---- encoding ---- */

typedef void encode_fn(struct sill_resp_encoder *);

static const struct sill_resp_view broken = SILL_RESP_VIEW_INIT("a\r\nb");

static void simple(struct sill_resp_encoder *e)
{
    sill_resp_encode_simple(e, broken);
}

static void error(struct sill_resp_encoder *e)
{
    sill_resp_encode_error(e, broken);
}

static void smallest(struct sill_resp_encoder *e)
{
    sill_resp_encode_integer(e, INT64_MIN);
}

static void zero(struct sill_resp_encoder *e)
{
    sill_resp_encode_integer(e, 0);
}

static void string(struct sill_resp_encoder *e)
{
    sill_resp_encode_string(e, broken);
}

static void nothing(struct sill_resp_encoder *e)
{
    sill_resp_encode_string(e, sill_resp_view(NULL));
}

static void verbatim(struct sill_resp_encoder *e)
{
    sill_resp_encode_verbatim(e, "txt", SILL_RESP_VIEW("hi"));
}

static void truth(struct sill_resp_encoder *e)
{
    sill_resp_encode_boolean(e, true);
}

static void untruth(struct sill_resp_encoder *e)
{
    sill_resp_encode_boolean(e, false);
}

static void a_double(struct sill_resp_encoder *e)
{
    sill_resp_encode_double(e, SILL_RESP_VIEW("1.5"));
}

static void big_number(struct sill_resp_encoder *e)
{
    sill_resp_encode_big_number(e, SILL_RESP_VIEW("15"));
}

static void array(struct sill_resp_encoder *e)
{
    sill_resp_encode_array(e, 12);
}

static void map(struct sill_resp_encoder *e)
{
    sill_resp_encode_map(e, 12);
}

static void set(struct sill_resp_encoder *e)
{
    sill_resp_encode_set(e, 12);
}

static void push(struct sill_resp_encoder *e)
{
    sill_resp_encode_push(e, 12);
}

static void command(struct sill_resp_encoder *e)
{
    static const struct sill_resp_view args[] = {SILL_RESP_VIEW_INIT("GET"),
                                                 SILL_RESP_VIEW_INIT("")};
    sill_resp_encode_command(e, args, 2);
}

static const struct {
    encode_fn *encode;
    const char *resp2, *resp3; /* NULL: the same */
} encodings[] = {
    {simple, "+a  b\r\n", NULL},
    {error, "-a  b\r\n", NULL},
    {smallest, ":-9223372036854775808\r\n", NULL},
    {zero, ":0\r\n", NULL},
    {string, "$4\r\na\r\nb\r\n", NULL},
    {nothing, "$0\r\n\r\n", NULL},
    {verbatim, "$2\r\nhi\r\n", "=6\r\ntxt:hi\r\n"},
    {sill_resp_encode_null, "$-1\r\n", "_\r\n"},
    {sill_resp_encode_null_array, "*-1\r\n", "_\r\n"},
    {truth, ":1\r\n", "#t\r\n"},
    {untruth, ":0\r\n", "#f\r\n"},
    {a_double, "$3\r\n1.5\r\n", ",1.5\r\n"},
    {big_number, "$2\r\n15\r\n", "(15\r\n"},
    {array, "*12\r\n", NULL},
    {map, "*24\r\n", "%12\r\n"},
    {set, "*12\r\n", "~12\r\n"},
    {push, "*12\r\n", ">12\r\n"},
    {command, "*2\r\n$3\r\nGET\r\n$0\r\n\r\n", NULL},
};

START_TEST(each_type_is_written_in_both_versions)
{
    for (size_t i = 0; i < COUNT_OF(encodings); i++) {
        for (int version = 2; version <= 3; version++) {
            struct sill_resp_encoder e;
            char out[128];
            bool other = version == 3 && encodings[i].resp3 != NULL;
            const char *expected =
                other ? encodings[i].resp3 : encodings[i].resp2;
            sill_resp_encoder_init(&e, out, sizeof(out));
            e.version = version;
            encodings[i].encode(&e);
            ck_assert_int_eq(e.error, 0);
            ck_assert_uint_eq(e.used, strlen(expected));
            ck_assert_mem_eq(out, expected, e.used);
        }
    }
}

END_TEST

/* Whatever the room: all of it is written within, or nothing and an error that
 * stays. */
START_TEST(what_does_not_fit_is_not_begun)
{
    for (size_t i = 0; i < 2 * COUNT_OF(encodings); i++) {
        encode_fn *encode = encodings[i / 2].encode;
        bool other = i % 2 == 1 && encodings[i / 2].resp3 != NULL;
        size_t size =
            strlen(other ? encodings[i / 2].resp3 : encodings[i / 2].resp2);
        for (size_t room = 0; room < 80; room++) {
            struct sill_resp_encoder e;
            char *out = guarded_end() - room;
            sill_resp_encoder_init(&e, out, room);
            e.version = i % 2 == 0 ? 2 : 3;
            encode(&e);
            ck_assert(e.error == 0 || e.error == SILL_RESP_EROOM);
            ck_assert_uint_eq(e.used, e.error == 0 ? size : 0);
            ck_assert(e.error == 0 ||
                      room < size + (strlen("*2\r\n$0\r\n\r\n") + 23));
            size_t before = e.used;
            if (e.error != 0)
                encode(&e);
            ck_assert_uint_eq(e.used, before);
        }
    }
}

END_TEST

static bool double_it(struct sill_resp_encoder *e, size_t least)
{
    size_t size = 2 * (e->used + least);
    if (size > 400)
        return false;
    e->data = realloc(e->data, size);
    e->size = size;
    return true;
}

START_TEST(more_room_is_asked_for)
{
    struct sill_resp_encoder e;
    size_t written = 0;

    sill_resp_encoder_init(&e, NULL, 0);
    e.more = double_it;
    for (; e.error == 0 && written < 1000; written++)
        string(&e);
    ck_assert_int_eq(e.error, SILL_RESP_EROOM);
    ck_assert_uint_eq(e.used, (written - 1) * strlen("$4\r\na\r\nb\r\n"));
    ck_assert_uint_gt(e.used, 100);
    ck_assert_uint_le(e.size, 400);
    free(e.data);
}

END_TEST

START_TEST(what_is_refused_is_answered_as_redis_does)
{
    static const struct {
        const char *text, *answer;
    } refusals[] = {
        {"*x", "-ERR Protocol error: invalid multibulk length\r\n"},
        {"*1\r\n$x", "-ERR Protocol error: invalid bulk length\r\n"},
        {"*1\r\nG", "-ERR Protocol error: expected '$', got 'G'\r\n"},
        {"*1\r\n\r", "-ERR Protocol error: expected '$', got ' '\r\n"},
        {"a 'b\n", "-ERR Protocol error: unbalanced quotes in request\r\n"},
        {"0123456789abcdef", "-ERR Protocol error: too big inline request\r\n"},
    };

    for (size_t i = 0; i < COUNT_OF(refusals); i++) {
        struct sill_resp_view args[4];
        struct sill_resp_command c;
        struct sill_resp_encoder e;
        char text[64], out[128];
        size_t size = strlen(refusals[i].text);
        memcpy(text, refusals[i].text, size);
        sill_resp_command_init(&c, args, 4, &small);
        ssize_t rc = sill_resp_command_parse(&c, text, size);
        sill_resp_encoder_init(&e, out, sizeof(out));
        sill_resp_encode_refusal(&e, &c, (int)rc);
        ck_assert_uint_eq(e.used, strlen(refusals[i].answer));
        ck_assert_mem_eq(out, refusals[i].answer, e.used);
    }
}

END_TEST

int main(void)
{
    Suite *suite = suite_create("resp codec");
    TCase *tc = tcase_create("codec");
    SRunner *runner = srunner_create(suite);

    suite_add_tcase(suite, tc);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, commands_are_arrays_of_strings);
    tcase_add_test(tc, commands_may_be_lines_of_words);
    tcase_add_test(tc, quotes_of_a_line_are_balanced);
    tcase_add_test(tc, lengths_are_numbers_in_one_spelling);
    tcase_add_test(tc, commands_that_are_wrong_are_refused_at_once);
    tcase_add_test(tc, commands_keep_their_bounds);
    tcase_add_test(tc, commands_follow_each_other);
    tcase_add_test(tc, room_is_asked_for_when_its_bytes_are_there);
    tcase_add_test(tc, replies_of_resp2);
    tcase_add_test(tc, replies_of_resp3);
    tcase_add_test(tc, doubles_are_checked_and_kept_as_text);
    tcase_add_test(tc, replies_that_are_wrong_are_refused_at_once);
    tcase_add_test(tc, replies_keep_their_bounds);
    tcase_add_test(tc, views_are_compared);
    tcase_add_test(tc, integers_have_one_spelling);
    tcase_add_test(tc, each_error_has_its_phrase);
    tcase_add_test(tc, each_type_is_written_in_both_versions);
    tcase_add_test(tc, what_does_not_fit_is_not_begun);
    tcase_add_test(tc, more_room_is_asked_for);
    tcase_add_test(tc, what_is_refused_is_answered_as_redis_does);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
