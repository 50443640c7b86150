/* SPDX-License-Identifier: MIT */
/*
 * Whether the codec takes what RFC 9112 allows, refuses everything else with
 * the right word, and gives the same answer however its input is cut.
 *
 * Messages lie flush against a page that cannot be read, so that one byte too
 * many is a crash.
 */
#include "../codec.h"
#include "../scan.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct sill_http_limits usual = SILL_HTTP_LIMITS_INIT;

/* Memory whose end is the end of what may be read. */

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

static struct sill_http_view text_of(const char *text)
{
    return sill_http_view(text);
}

/* What a message means, as text to be compared. */

struct meaning {
    char text[16384];
    size_t used;
};

static void say(struct meaning *m, const char *label,
                struct sill_http_view value)
{
    int room = (int)(sizeof(m->text) - m->used);
    int size = value.at == NULL
                   ? 0
                   : snprintf(m->text + m->used, (size_t)room, "%s[%.*s]",
                              label, (int)value.size, value.at);
    ck_assert_int_lt(size, room);
    m->used += (size_t)size;
}

static void say_number(struct meaning *m, const char *label, uint64_t number)
{
    char text[24];
    snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
    say(m, label, text_of(text));
}

static void say_head(struct meaning *m, const struct sill_http_head *head)
{
    static const char *const forms[] = {"origin", "absolute", "authority",
                                        "asterisk"};
    static const char *const framings[] = {"none", "length", "chunked",
                                           "close"};
    if (head->kind == SILL_HTTP_REQUEST) {
        say(m, "", head->method_text);
        say(m, "", text_of(forms[head->form]));
        say(m, "auth", head->authority);
        say(m, "path", head->path);
        say(m, "query", head->query);
    } else if (head->kind == SILL_HTTP_RESPONSE) {
        say_number(m, "", (uint64_t)head->status);
        say(m, "", head->reason);
    }
    for (size_t i = 0; i < head->header_count; i++) {
        say(m, " ", head->headers[i].name);
        say(m, "=", head->headers[i].value);
    }
    if (head->kind == SILL_HTTP_TRAILERS)
        return;
    say_number(m, " 1.", (uint64_t)head->minor);
    say(m, "", text_of(framings[head->framing]));
    if (head->content_length != SILL_HTTP_NO_LENGTH)
        say_number(m, "", head->content_length);
    say(m, "", text_of(head->keep_alive ? "keep" : "close"));
    if (head->expects_continue)
        say(m, "", text_of("continue"));
}

/* How a message is given to the codec. */

enum feeding {
    AT_ONCE,
    BYTE_BY_BYTE, /* in one place */
    MOVING        /* one more byte each time, always flush to the guard */
};

struct message {
    enum sill_http_kind kind;
    enum sill_http_method method;
    const struct sill_http_limits *limits;
    const char *data;
    size_t size;
};

static const char *placed(const struct message *m, enum feeding feeding,
                          size_t from, size_t there)
{
    if (feeding == BYTE_BY_BYTE)
        return m->data + from;
    return guarded(m->data + from, there);
}

/* Parses the head at (from); returns as sill_http_head_parse. */
static ssize_t feed_head(const struct message *m, struct sill_http_head *head,
                         struct sill_http_header *headers, size_t from,
                         enum feeding feeding)
{
    size_t size = m->size - from;
    sill_http_head_init(head, m->kind, headers, m->limits);
    if (m->kind == SILL_HTTP_RESPONSE)
        head->method = m->method;
    for (size_t there = feeding == AT_ONCE ? size : 0; there <= size; there++) {
        const char *data = placed(m, feeding, from, there);
        ssize_t rc = sill_http_head_parse(head, data, there);
        if (rc > 0) {
            ck_assert_uint_le((size_t)rc, there);
            if (feeding != AT_ONCE)
                ck_assert_uint_eq((size_t)rc, there);
            sill_http_head_move(head, m->data + from);
        }
        if (rc != 0)
            return rc;
    }
    return 0;
}

/* Decodes the content at (*from) into (out), which is said as one piece. */
static int feed_content(const struct message *m, struct sill_http_body *body,
                        struct meaning *out, size_t *from, enum feeding feeding)
{
    char content[8192];
    size_t used = 0, step = feeding == AT_ONCE ? m->size : 1;
    int rc = SILL_HTTP_MORE;
    do {
        struct sill_http_view piece;
        size_t left = m->size - *from, taken;
        size_t there = left < step ? left : step;
        char *data = guarded(m->data + *from, there);
        rc = sill_http_body_next(body, data, there, &piece, &taken);
        ck_assert_uint_le(taken, there);
        *from += taken;
        if (rc == SILL_HTTP_MORE) {
            ck_assert_uint_eq(taken, there);
            if (there == left)
                break;
        }
        ck_assert((rc == SILL_HTTP_PIECE) == (piece.size > 0));
        ck_assert_uint_le(used + piece.size, sizeof(content));
        if (piece.size > 0)
            memcpy(content + used, piece.at, piece.size);
        used += piece.size;
    } while (rc == SILL_HTTP_MORE || rc == SILL_HTTP_PIECE);
    say(out, " content", (struct sill_http_view){content, used});
    return rc;
}

/*
 * Takes the whole message: head, content and trailers. Returns its size, 0
 * when there is more to come, or an error.
 */
static ssize_t feed(const struct message *m, struct meaning *out,
                    enum feeding feeding)
{
    struct sill_http_header headers[64];
    struct sill_http_head head;
    struct sill_http_body body;
    *out = (struct meaning){.used = 0};
    ssize_t rc = feed_head(m, &head, headers, 0, feeding);
    if (rc <= 0)
        return rc;
    say_head(out, &head);
    if (m->kind == SILL_HTTP_TRAILERS)
        return rc;
    size_t from = (size_t)rc;
    sill_http_body_init(&body, &head);
    int found = feed_content(m, &body, out, &from, feeding);
    if (found == SILL_HTTP_MORE && head.framing == SILL_HTTP_UNTIL_CLOSE)
        return (ssize_t)from;
    if (found != SILL_HTTP_TRAILER)
        return found == SILL_HTTP_END ? (ssize_t)from : found < 0 ? found : 0;
    struct message rest = *m;
    rest.kind = SILL_HTTP_TRAILERS;
    rc = feed_head(&rest, &head, headers, from, feeding);
    if (rc > 0)
        say_head(out, &head);
    return rc > 0 ? (ssize_t)from + rc : rc;
}

/* Gives (m) in every way, which must make no difference. */
static ssize_t feed_all(const struct message *m, struct meaning *out)
{
    static struct meaning other;
    ssize_t rc = feed(m, out, AT_ONCE);
    for (int feeding = BYTE_BY_BYTE; feeding <= MOVING; feeding++) {
        ssize_t again = feed(m, &other, (enum feeding)feeding);
        ck_assert_int_eq(again, rc);
        ck_assert_str_eq(other.text, out->text);
    }
    return rc;
}

/* No part of a good message is refused or taken for the whole, and every part
 * of a bad one is refused with the same word or not yet. */
static void feed_prefixes(const struct message *m, ssize_t whole)
{
    static struct meaning out;
    struct message part = *m;
    for (part.size = 0; part.size < m->size; part.size++) {
        ssize_t rc = feed(&part, &out, AT_ONCE);
        if (rc == 0 || (whole < 0 && rc == whole))
            continue;
        /* Content that lasts until the close may end anywhere. */
        ck_assert_int_eq(m->kind, SILL_HTTP_RESPONSE);
        ck_assert_ptr_ne(strstr(out.text, "[close][close]"), NULL);
    }
}

#define HOST "Host: a\r\n"
#define GET  "GET / HTTP/1.1\r\n" HOST
#define POST "POST / HTTP/1.1\r\n" HOST
#define TE   "Transfer-Encoding: chunked\r\n"
#define R200 "HTTP/1.1 200 OK\r\n"

static const struct {
    enum sill_http_kind kind;
    enum sill_http_method method;
    const char *message, *meaning;
} good[] = {
    {0, 0, "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
     "[GET][origin]auth[a]path[/] [Host]=[a] 1.[1][none][keep] content[]"},
    {0, 0, "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
     "[GET][origin]auth[a]path[/] [Host]=[a] 1.[1][none][keep] content[]"},
    {0, 0, "GET /a/b?c=d&e?f HTTP/1.0\r\n\r\n",
     "[GET][origin]path[/a/b]query[c=d&e?f] 1.[0][none][close] content[]"},
    {0, 0, "GET /? HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
     "[GET][origin]path[/]query[] [Connection]=[Keep-Alive] 1.[0][none][keep]"
     " content[]"},
    {0, 0, "GET /%7b{|}[^`\\] HTTP/1.0\r\n\r\n",
     "[GET][origin]path[/%7b{|}[^`\\]] 1.[0][none][close] content[]"},
    {0, 0, GET "Connection: x , cLOSE,y\r\n\r\n",
     "[GET][origin]auth[a]path[/] [Host]=[a] [Connection]=[x , cLOSE,y]"
     " 1.[1][none][close] content[]"},
    {0, 0,
     GET "Date: x\r\nOrigin: x\r\nUser-Agent: x\r\n"
         "Accept-Charset: x\r\nIf-Modified-Since: x\r\n\r\n",
     "[GET][origin]auth[a]path[/] [Host]=[a] [Date]=[x] [Origin]=[x]"
     " [User-Agent]=[x] [Accept-Charset]=[x] [If-Modified-Since]=[x]"
     " 1.[1][none][keep] content[]"},
    {0, 0, GET "Connection: closed\r\n\r\n",
     "[GET][origin]auth[a]path[/] [Host]=[a] [Connection]=[closed]"
     " 1.[1][none][keep] content[]"},
    {0, 0, "GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n",
     "[GET][origin]path[/] [Connection]=[keep-alive, close]"
     " 1.[0][none][close] content[]"},
    {0, 0, "GET http://b:81/c?d HTTP/1.1\r\nHost: a\r\n\r\n",
     "[GET][absolute]auth[b:81]path[/c]query[d] [Host]=[a]"
     " 1.[1][none][keep] content[]"},
    {0, 0, "GET HTTPS://b HTTP/1.1\r\nHost: a\r\n\r\n",
     "[GET][absolute]auth[b]path[/] [Host]=[a] 1.[1][none][keep] content[]"},
    {0, 0, "GET http://b?q HTTP/1.1\r\nHost: a\r\n\r\n",
     "[GET][absolute]auth[b]path[/]query[q] [Host]=[a]"
     " 1.[1][none][keep] content[]"},
    {0, 0, "GET http://b? HTTP/1.1\r\nHost: a\r\n\r\n",
     "[GET][absolute]auth[b]path[/]query[] [Host]=[a]"
     " 1.[1][none][keep] content[]"},
    {0, 0, "CONNECT b:443 HTTP/1.1\r\nHost: b\r\n\r\n",
     "[CONNECT][authority]auth[b:443]path[] [Host]=[b]"
     " 1.[1][none][keep] content[]"},
    {0, 0, "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
     "[OPTIONS][asterisk]auth[a]path[*] [Host]=[a]"
     " 1.[1][none][keep] content[]"},
    {0, 0, "!#$%&'*+-.^_`|~09azAZ / HTTP/1.1\r\nhOST:[::1]:80\r\n\r\n",
     "[!#$%&'*+-.^_`|~09azAZ][origin]auth[[::1]:80]path[/] [hOST]=[[::1]:80]"
     " 1.[1][none][keep] content[]"},
    {0, 0, GET "A:\r\nB: \t\r\nC:\t x\ty \t\r\nD: caf\xc3\xa9\r\n\r\n",
     "[GET][origin]auth[a]path[/] [Host]=[a] [A]=[] [B]=[] [C]=[x\ty]"
     " [D]=[caf\xc3\xa9] 1.[1][none][keep] content[]"},
    {0, 0, POST "Content-Length: 0\r\n\r\n",
     "[POST][origin]auth[a]path[/] [Host]=[a] [Content-Length]=[0]"
     " 1.[1][none][0][keep] content[]"},
    {0, 0, POST "content-LENGTH: 0012\r\n\r\nHello\r\nworld",
     "[POST][origin]auth[a]path[/] [Host]=[a] [content-LENGTH]=[0012]"
     " 1.[1][length][12][keep] content[Hello\r\nworld]"},
    {0, 0, POST "Expect: 100-Continue\r\nContent-Length: 1\r\n\r\nx",
     "[POST][origin]auth[a]path[/] [Host]=[a] [Expect]=[100-Continue]"
     " [Content-Length]=[1] 1.[1][length][1][keep][continue] content[x]"},
    {0, 0,
     "POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx",
     "[POST][origin]path[/] [Expect]=[100-continue] [Content-Length]=[1]"
     " 1.[0][length][1][close] content[x]"},
    {0, 0, POST TE "\r\n0\r\n\r\n",
     "[POST][origin]auth[a]path[/] [Host]=[a] [Transfer-Encoding]=[chunked]"
     " 1.[1][chunked][keep] content[]"},
    {0, 0,
     POST "transfer-encoding: CHUNKED\r\n\r\n"
          "5\r\nHello\r\n00000000000000000000b;a=b;c=\"d\"\r\n"
          ", my\r\nworld\r\n1 \t;x\r\n!\r\n000;last\r\nA: b\r\nC: d\r\n\r\n",
     "[POST][origin]auth[a]path[/] [Host]=[a] [transfer-encoding]=[CHUNKED]"
     " 1.[1][chunked][keep] content[Hello, my\r\nworld!] [A]=[b] [C]=[d]"},
    {1, SILL_HTTP_GET, R200 "Content-Length: 2\r\n\r\nhi",
     "[200][OK] [Content-Length]=[2] 1.[1][length][2][keep] content[hi]"},
    {1, SILL_HTTP_GET, R200 "\r\nuntil the end",
     "[200][OK] 1.[1][close][close] content[until the end]"},
    {1, SILL_HTTP_GET, R200 TE "\r\n2\r\nhi\r\n0\r\nT: u\r\n\r\n",
     "[200][OK] [Transfer-Encoding]=[chunked] 1.[1][chunked][keep]"
     " content[hi] [T]=[u]"},
    {1, SILL_HTTP_GET, "HTTP/1.0 404 \r\nContent-Length: 0\r\n\r\n",
     "[404][] [Content-Length]=[0] 1.[0][none][0][close] content[]"},
    {1, SILL_HTTP_GET,
     "HTTP/1.0 200 x\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n",
     "[200][x] [Connection]=[keep-alive] [Content-Length]=[0]"
     " 1.[0][none][0][keep] content[]"},
    {1, SILL_HTTP_GET, "HTTP/1.1 599\r\nContent-Length: 0\r\n\r\n",
     "[599][] [Content-Length]=[0] 1.[1][none][0][keep] content[]"},
    {1, SILL_HTTP_GET, "HTTP/1.1 100 Go\tahead \xff\r\n\r\n",
     "[100][Go\tahead \xff] 1.[1][none][keep] content[]"},
    {1, SILL_HTTP_GET, "HTTP/1.1 204 No\r\n" TE "\r\n",
     "[204][No] [Transfer-Encoding]=[chunked] 1.[1][none][keep] content[]"},
    {1, SILL_HTTP_GET, "HTTP/1.1 304 No\r\nContent-Length: 9\r\n\r\n",
     "[304][No] [Content-Length]=[9] 1.[1][none][9][keep] content[]"},
    {1, SILL_HTTP_HEAD, R200 "Content-Length: 9\r\n\r\n",
     "[200][OK] [Content-Length]=[9] 1.[1][none][9][keep] content[]"},
    {1, SILL_HTTP_CONNECT, "HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nhi",
     "[404][No] [Content-Length]=[2] 1.[1][length][2][keep] content[hi]"},
    {1, SILL_HTTP_CONNECT, R200 "\r\n",
     "[200][OK] 1.[1][none][keep] content[]"},
    {1, SILL_HTTP_GET,
     "HTTP/1.1 417 No\r\nExpect: x\r\nHost: \r\nContent-Length: 0\r\n\r\n",
     "[417][No] [Expect]=[x] [Host]=[] [Content-Length]=[0]"
     " 1.[1][none][0][keep] content[]"},
    {2, 0, "\r\n", ""},
    {2, 0, "Host: x\r\nContent-Length: y\r\nTransfer-Encoding: z\r\n\r\n",
     " [Host]=[x] [Content-Length]=[y] [Transfer-Encoding]=[z]"},
};

START_TEST(good_messages_mean_what_they_say)
{
    static struct meaning out;
    struct message m = {good[_i].kind, good[_i].method, &usual,
                        good[_i].message, strlen(good[_i].message)};
    ck_assert_int_eq(feed_all(&m, &out), (ssize_t)m.size);
    ck_assert_str_eq(out.text, good[_i].meaning);
    feed_prefixes(&m, (ssize_t)m.size);
}

END_TEST

/* A message as a literal, which may have NUL in it. */
#define M(literal) literal, sizeof(literal) - 1

static const struct {
    enum sill_http_kind kind;
    int error, status;
    const char *message;
    size_t size;
} bad[] = {
    {0, SILL_HTTP_EMETHOD, 400, M("G(T / HTTP/1.1\r\n\r\n")},
    {0, SILL_HTTP_EMETHOD, 400, M(" / HTTP/1.1\r\n\r\n")},
    {0, SILL_HTTP_EMETHOD, 400, M("GET\t/ HTTP/1.1\r\n\r\n")},
    {0, SILL_HTTP_EMETHOD, 400, M("G\0T / HTTP/1.1\r\n\r\n")},
    {0, SILL_HTTP_EMETHOD, 400, M("\x16\x03\x01\x02")},
    {0, SILL_HTTP_EMETHOD, 400, M("\xc3\xa9 / HTTP/1.1\r\n\r\n")},
    {0, SILL_HTTP_ELINE, 400, M("GET\r\n\r\n")},
    {0, SILL_HTTP_ELINE, 400, M("GE\n\n")},
    {0, SILL_HTTP_ELINE, 400, M("GET /\n\n")},
    {0, SILL_HTTP_ETARGET, 400, M("CONNECT a1 HTTP/1.1\r\n\r\n")},
    {0, SILL_HTTP_ETARGET, 400, M("OPTIONS x HTTP/1.1\r\n\r\n")},
    {0, SILL_HTTP_ENAME_SPACE, 400, M(GET "A\t: b\r\n\r\n")},
    {0, SILL_HTTP_ELINE, 400, M("GET /\r\n\r\n")},
    {0, SILL_HTTP_ELINE, 400, M("GET / \r\n\r\n")},
    {0, SILL_HTTP_ELINE, 400, M("GET /  HTTP/1.1\r\n\r\n")},
    {0, SILL_HTTP_ELINE, 400, M("GET / HTTP/1.1 \r\n\r\n")},
    {0, SILL_HTTP_ELINE, 400, M("GET / HTTP/1.10\r\n\r\n")},
    {0, SILL_HTTP_ELINE, 400, M("GET / http/1.1\r\n\r\n")},
    {0, SILL_HTTP_ELINE, 400, M("GET / HTTP/1,1\r\n\r\n")},
    {0, SILL_HTTP_ELINE, 400, M("GET / HTTP/11\r\n\r\n")},
    {0, SILL_HTTP_ELINE, 400, M("GET / ICY/1.1\r\n\r\n")},
    {0, SILL_HTTP_ELINE, 400, M("\r\n\r\nGET / HTTP/1.1\r\n\r\n")},
    {0, SILL_HTTP_EVERSION, 505, M("GET / HTTP/2.0\r\n\r\n")},
    {0, SILL_HTTP_EVERSION, 505, M("GET / HTTP/0.9\r\n\r\n")},
    {0, SILL_HTTP_EVERSION, 505, M("GET / HTTP/1.2\r\n\r\n")},
    {0, SILL_HTTP_EVERSION, 505, M("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")},
    {0, SILL_HTTP_ETARGET, 400, M("GET  / HTTP/1.1\r\n\r\n")},
    {0, SILL_HTTP_ETARGET, 400, M("GET a HTTP/1.1\r\n\r\n")},
    {0, SILL_HTTP_ETARGET, 400, M("GET * HTTP/1.1\r\n\r\n")},
    {0, SILL_HTTP_ETARGET, 400, M("OPTIONS ** HTTP/1.1\r\n\r\n")},
    {0, SILL_HTTP_ETARGET, 400, M("GET /\x01 HTTP/1.1\r\n\r\n")},
    {0, SILL_HTTP_ETARGET, 400, M("GET /\0 HTTP/1.1\r\n\r\n")},
    {0, SILL_HTTP_ETARGET, 400, M("GET /\x7f HTTP/1.1\r\n\r\n")},
    {0, SILL_HTTP_ETARGET, 400, M("GET /\x80 HTTP/1.1\r\n\r\n")},
    {0, SILL_HTTP_ETARGET, 400, M("GET /\ta HTTP/1.1\r\n\r\n")},
    {0, SILL_HTTP_ETARGET, 400, M("GET /#a HTTP/1.1\r\n\r\n")},
    {0, SILL_HTTP_ETARGET, 400, M("GET /<a> HTTP/1.1\r\n\r\n")},
    {0, SILL_HTTP_ETARGET, 400, M("GET /\" HTTP/1.1\r\n\r\n")},
    {0, SILL_HTTP_ETARGET, 400, M("GET a:80 HTTP/1.1\r\n\r\n")},
    {0, SILL_HTTP_ETARGET, 400, M("GET ftp://a/ HTTP/1.1\r\n\r\n")},
    {0, SILL_HTTP_ETARGET, 400, M("GET http:/a/ HTTP/1.1\r\n\r\n")},
    {0, SILL_HTTP_ETARGET, 400, M("GET http:// HTTP/1.1\r\n\r\n")},
    {0, SILL_HTTP_ETARGET, 400, M("GET http:///a HTTP/1.1\r\n\r\n")},
    {0, SILL_HTTP_ETARGET, 400, M("GET http://a@b/ HTTP/1.1\r\n\r\n")},
    {0, SILL_HTTP_ETARGET, 400, M("GET http://a:b/ HTTP/1.1\r\n\r\n")},
    {0, SILL_HTTP_ETARGET, 400, M("GET http://a:65536/ HTTP/1.1\r\n\r\n")},
    {0, SILL_HTTP_ETARGET, 400, M("GET http://[::1/ HTTP/1.1\r\n\r\n")},
    {0, SILL_HTTP_ETARGET, 400, M("CONNECT / HTTP/1.1\r\n\r\n")},
    {0, SILL_HTTP_ETARGET, 400, M("CONNECT a HTTP/1.1\r\n\r\n")},
    {0, SILL_HTTP_ETARGET, 400, M("CONNECT a: HTTP/1.1\r\n\r\n")},
    {0, SILL_HTTP_ETARGET, 400, M("CONNECT :1 HTTP/1.1\r\n\r\n")},
    {0, SILL_HTTP_ETARGET, 400, M("CONNECT [::1] HTTP/1.1\r\n\r\n")},
    {0, SILL_HTTP_ETARGET, 400, M("CONNECT http://a:1/ HTTP/1.1\r\n\r\n")},
    {0, SILL_HTTP_ENEWLINE, 400, M("\nGET / HTTP/1.1\r\n\r\n")},
    {0, SILL_HTTP_ENEWLINE, 400, M("\rGET / HTTP/1.1\r\n\r\n")},
    {0, SILL_HTTP_ENEWLINE, 400, M("GET / HTTP/1.1\n\r\n")},
    {0, SILL_HTTP_ENEWLINE, 400, M("GET / HTTP/1.1\rHost: a\r\n\r\n")},
    {0, SILL_HTTP_ENEWLINE, 400, M("GET / HTTP/1.1\r\nHost: a\n\r\n")},
    {0, SILL_HTTP_ENEWLINE, 400, M("GET / HTTP/1.1\r\nHost: a\rB: c\r\n\r\n")},
    {0, SILL_HTTP_ENEWLINE, 400, M(GET "A: b\r\r\n\r\n")},
    {0, SILL_HTTP_ENEWLINE, 400, M(GET "A\nB: c\r\n\r\n")},
    {0, SILL_HTTP_ENEWLINE, 400, M(GET "\n")},
    {0, SILL_HTTP_ENEWLINE, 400, M(GET "\rx")},
    {0, SILL_HTTP_ENAME, 400, M(GET ": b\r\n\r\n")},
    {0, SILL_HTTP_ENAME, 400, M(GET "A\r\n\r\n")},
    {0, SILL_HTTP_ENAME, 400, M(GET "A(b: c\r\n\r\n")},
    {0, SILL_HTTP_ENAME, 400, M(GET "A\x80: c\r\n\r\n")},
    {0, SILL_HTTP_ENAME, 400, M(GET "A\0: c\r\n\r\n")},
    {0, SILL_HTTP_ENAME, 400, M(GET "\x01: c\r\n\r\n")},
    {0, SILL_HTTP_ENAME_SPACE, 400, M(GET "A : b\r\n\r\n")},
    {0, SILL_HTTP_ENAME_SPACE, 400, M(GET "A\t: b\r\n\r\n")},
    {0, SILL_HTTP_ENAME_SPACE, 400, M(GET "Transfer-Encoding : chunked\r\n")},
    {0, SILL_HTTP_ENAME_SPACE, 400, M(GET "A B: c\r\n\r\n")},
    {0, SILL_HTTP_EVALUE, 400, M(GET "A: b\0c\r\n\r\n")},
    {0, SILL_HTTP_EVALUE, 400, M(GET "A: b\x01\r\n\r\n")},
    {0, SILL_HTTP_EVALUE, 400, M(GET "A: b\x1f\r\n\r\n")},
    {0, SILL_HTTP_EVALUE, 400, M(GET "A: b\x7f\r\n\r\n")},
    {0, SILL_HTTP_EVALUE, 400,
     M(GET "A: \x0b"
           "chunked\r\n\r\n")},
    {0, SILL_HTTP_EFOLD, 400, M(GET "A: b\r\n c\r\n\r\n")},
    {0, SILL_HTTP_EFOLD, 400, M(GET "A: b\r\n\tc\r\n\r\n")},
    {0, SILL_HTTP_EFOLD, 400, M("GET / HTTP/1.1\r\n Host: a\r\n\r\n")},
    {0, SILL_HTTP_EFOLD, 400, M(GET " \r\n\r\n")},
    {0, SILL_HTTP_EHOST, 400, M("GET / HTTP/1.1\r\nHost:\r\n\r\n")},
    {0, SILL_HTTP_EHOST, 400, M("GET / HTTP/1.1\r\nHost: a b\r\n\r\n")},
    {0, SILL_HTTP_EHOST, 400, M("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n")},
    {0, SILL_HTTP_EHOST, 400, M("GET / HTTP/1.1\r\nHost: a@b\r\n\r\n")},
    {0, SILL_HTTP_EHOST, 400, M("GET / HTTP/1.1\r\nHost: a?b\r\n\r\n")},
    {0, SILL_HTTP_EHOST, 400, M("GET / HTTP/1.1\r\nHost: :80\r\n\r\n")},
    {0, SILL_HTTP_EHOST, 400, M("GET / HTTP/1.1\r\nHost: a:b\r\n\r\n")},
    {0, SILL_HTTP_EHOST, 400, M("GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n")},
    {0, SILL_HTTP_EHOST, 400, M("GET / HTTP/1.1\r\nHost: ::1\r\n\r\n")},
    {0, SILL_HTTP_EHOST, 400, M("GET / HTTP/1.1\r\nHost: [a]\r\n\r\n")},
    {0, SILL_HTTP_EHOST, 400, M("GET / HTTP/1.1\r\nHost: [::1]a\r\n\r\n")},
    {0, SILL_HTTP_EHOST, 400, M("GET / HTTP/1.1\r\nHost: a%2\r\n\r\n")},
    {0, SILL_HTTP_EHOST, 400, M("GET / HTTP/1.1\r\nHost: a%zz\r\n\r\n")},
    {0, SILL_HTTP_EHOST, 400, M("GET / HTTP/1.1\r\nHost: \xc3\xa9\r\n\r\n")},
    {0, SILL_HTTP_EHOST, 400, M("GET / HTTP/1.0\r\nHost: /\r\n\r\n")},
    {0, SILL_HTTP_EHOST_NONE, 400, M("GET / HTTP/1.1\r\n\r\n")},
    {0, SILL_HTTP_EHOST_NONE, 400, M("GET http://a/ HTTP/1.1\r\nX: y\r\n\r\n")},
    {0, SILL_HTTP_EHOST_TWICE, 400, M(GET "Host: a\r\n\r\n")},
    {0, SILL_HTTP_EHOST_TWICE, 400, M(GET "host: b\r\n\r\n")},
    {0, SILL_HTTP_EHOST_TWICE, 400,
     M("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n")},
    {0, SILL_HTTP_ELENGTH, 400, M(POST "Content-Length:\r\n\r\n")},
    {0, SILL_HTTP_ELENGTH, 400, M(POST "Content-Length: +1\r\n\r\n")},
    {0, SILL_HTTP_ELENGTH, 400, M(POST "Content-Length: -1\r\n\r\n")},
    {0, SILL_HTTP_ELENGTH, 400, M(POST "Content-Length: 0x1\r\n\r\n")},
    {0, SILL_HTTP_ELENGTH, 400, M(POST "Content-Length: 1 1\r\n\r\n")},
    {0, SILL_HTTP_ELENGTH, 400, M(POST "Content-Length: 1,1\r\n\r\n")},
    {0, SILL_HTTP_ELENGTH, 400, M(POST "Content-Length: 1, 1\r\n\r\n")},
    {0, SILL_HTTP_ELENGTH, 400, M(POST "Content-Length: 1.0\r\n\r\n")},
    {0, SILL_HTTP_ELENGTH, 400, M(POST "Content-Length: \"1\"\r\n\r\n")},
    {0, SILL_HTTP_ELENGTH_TWICE, 400,
     M(POST "Content-Length: 1\r\nContent-Length: 1\r\n\r\n")},
    {0, SILL_HTTP_ELENGTH_TWICE, 400,
     M(POST "Content-Length: 1\r\ncontent-length: 2\r\n\r\n")},
    {0, SILL_HTTP_EBODY_SIZE, 413,
     M(POST "Content-Length: 18446744073709551615\r\n\r\n")},
    {0, SILL_HTTP_EBODY_SIZE, 413,
     M(POST "Content-Length: 18446744073709551616\r\n\r\n")},
    {0, SILL_HTTP_EBODY_SIZE, 413,
     M(POST "Content-Length: 184467440737095516160\r\n\r\n")},
    {0, SILL_HTTP_ECODING, 501, M(POST "Transfer-Encoding: gzip\r\n\r\n")},
    {0, SILL_HTTP_ECODING, 501, M(POST "Transfer-Encoding: identity\r\n\r\n")},
    {0, SILL_HTTP_ECODING, 501,
     M(POST "Transfer-Encoding: gzip, chunked\r\n\r\n")},
    {0, SILL_HTTP_ECODING, 501, M(POST "Transfer-Encoding: xchunked\r\n\r\n")},
    {0, SILL_HTTP_ECODING, 501, M(POST "Transfer-Encoding: chunkedx\r\n\r\n")},
    {0, SILL_HTTP_ECODING, 501,
     M(POST "Transfer-Encoding: \"chunked\"\r\n\r\n")},
    {0, SILL_HTTP_ECODING_LIST, 400, M(POST "Transfer-Encoding:\r\n\r\n")},
    {0, SILL_HTTP_ECODING_LIST, 400, M(POST "Transfer-Encoding: ,\r\n\r\n")},
    {0, SILL_HTTP_ECODING_LIST, 400,
     M(POST "Transfer-Encoding: , chunked\r\n\r\n")},
    {0, SILL_HTTP_ECODING_LIST, 400,
     M(POST "Transfer-Encoding: chunked,\r\n\r\n")},
    {0, SILL_HTTP_ECODING_LIST, 400,
     M(POST "Transfer-Encoding: chunked, gzip\r\n\r\n")},
    {0, SILL_HTTP_ECODING_LIST, 400,
     M(POST "Transfer-Encoding: chunked, chunked\r\n\r\n")},
    {0, SILL_HTTP_ECODING_LIST, 400,
     M(POST "Transfer-Encoding: chunked;q=1\r\n\r\n")},
    {0, SILL_HTTP_ECODING_LIST, 400, M(POST TE TE "\r\n")},
    {0, SILL_HTTP_ECODING_LIST, 400,
     M(POST TE "Transfer-Encoding: gzip\r\n\r\n")},
    {0, SILL_HTTP_ECODING_LENGTH, 400, M(POST TE "Content-Length: 1\r\n\r\n")},
    {0, SILL_HTTP_ECODING_LENGTH, 400,
     M(POST "Content-Length: 1\r\n" TE "\r\n")},
    {0, SILL_HTTP_ECODING_VERSION, 400, M("POST / HTTP/1.0\r\n" TE "\r\n")},
    {0, SILL_HTTP_EEXPECT, 417, M(POST "Expect: 200-ok\r\n\r\n")},
    {0, SILL_HTTP_EEXPECT, 417, M(POST "Expect:\r\n\r\n")},
    {0, SILL_HTTP_EEXPECT, 417, M(POST "Expect: 100-continue, x\r\n\r\n")},
    {0, SILL_HTTP_ECHUNK, 400, M(POST TE "\r\n\r\n")},
    {0, SILL_HTTP_ECHUNK, 400, M(POST TE "\r\ng\r\n")},
    {0, SILL_HTTP_ECHUNK, 400, M(POST TE "\r\n 1\r\n")},
    {0, SILL_HTTP_ECHUNK, 400, M(POST TE "\r\n1 \r\n")},
    {0, SILL_HTTP_ECHUNK, 400, M(POST TE "\r\n1 1\r\n")},
    {0, SILL_HTTP_ECHUNK, 400, M(POST TE "\r\n1\t1\r\n")},
    {0, SILL_HTTP_ECHUNK, 400, M(POST TE "\r\n1 \t1\r\n")},
    {0, SILL_HTTP_ECHUNK, 400, M(POST TE "\r\n-1\r\n")},
    {0, SILL_HTTP_ECHUNK, 400, M(POST TE "\r\n+1\r\n")},
    {0, SILL_HTTP_ECHUNK, 400, M(POST TE "\r\n0x1\r\n")},
    {0, SILL_HTTP_ECHUNK, 400, M(POST TE "\r\n;a\r\n")},
    {0, SILL_HTTP_ECHUNK, 400, M(POST TE "\r\n1\0\r\n")},
    {0, SILL_HTTP_ECHUNK_SIZE, 400, M(POST TE "\r\n10000000000000000\r\n")},
    {0, SILL_HTTP_ECHUNK_SIZE, 400, M(POST TE "\r\nfffffffffffffffff\r\n")},
    {0, SILL_HTTP_ECHUNK_EXTENSION, 400, M(POST TE "\r\n1;a=\0\r\n")},
    {0, SILL_HTTP_ECHUNK_EXTENSION, 400, M(POST TE "\r\n1;a=\x7f\r\n")},
    {0, SILL_HTTP_ENEWLINE, 400, M(POST TE "\r\n1\nx\r\n")},
    {0, SILL_HTTP_ENEWLINE, 400, M(POST TE "\r\n1\rx\r\n")},
    {0, SILL_HTTP_ENEWLINE, 400, M(POST TE "\r\n1;a\n\r\n")},
    {0, SILL_HTTP_ECHUNK_END, 400, M(POST TE "\r\n1\r\nxy\r\n")},
    {0, SILL_HTTP_ECHUNK_END, 400, M(POST TE "\r\n1\r\nx\n\r\n")},
    {0, SILL_HTTP_ECHUNK_END, 400, M(POST TE "\r\n1\r\nx\r\r\n")},
    {0, SILL_HTTP_ENAME, 400, M(POST TE "\r\n0\r\n: a\r\n\r\n")},
    {0, SILL_HTTP_EFOLD, 400, M(POST TE "\r\n0\r\n a\r\n\r\n")},
    {0, SILL_HTTP_ENEWLINE, 400, M(POST TE "\r\n0\r\n\n")},
    {1, SILL_HTTP_ELINE, 400, M("HTP/1.1 200 OK\r\n\r\n")},
    {1, SILL_HTTP_ELINE, 400, M("HTTP/1.1200 OK\r\n\r\n")},
    {1, SILL_HTTP_ELINE, 400, M("\r\nHTTP/1.1 200 OK\r\n\r\n")},
    {1, SILL_HTTP_EVERSION, 505, M("HTTP/2.0 200 OK\r\n\r\n")},
    {1, SILL_HTTP_ESTATUS, 400, M("HTTP/1.1 099 OK\r\n\r\n")},
    {1, SILL_HTTP_ESTATUS, 400, M("HTTP/1.1 600 OK\r\n\r\n")},
    {1, SILL_HTTP_ESTATUS, 400, M("HTTP/1.1 20 OK\r\n\r\n")},
    {1, SILL_HTTP_ESTATUS, 400, M("HTTP/1.1 2000 OK\r\n\r\n")},
    {1, SILL_HTTP_ESTATUS, 400, M("HTTP/1.1  200 OK\r\n\r\n")},
    {1, SILL_HTTP_EVALUE, 400, M("HTTP/1.1 200 O\0K\r\n\r\n")},
    {1, SILL_HTTP_ENEWLINE, 400, M("HTTP/1.1 200 OK\n\r\n")},
    {1, SILL_HTTP_ENEWLINE, 400, M("HTTP/1.1 200\n\r\n")},
    {1, SILL_HTTP_ELENGTH_TWICE, 400,
     M(R200 "Content-Length: 1\r\nContent-Length: 1\r\n\r\n")},
    {1, SILL_HTTP_ECODING_LENGTH, 400,
     M(R200 "Content-Length: 1\r\n" TE "\r\n")},
    {1, SILL_HTTP_ECODING, 501, M(R200 "Transfer-Encoding: gzip\r\n\r\n")},
    {1, SILL_HTTP_ECODING_VERSION, 400, M("HTTP/1.0 200 OK\r\n" TE "\r\n")},
    {2, SILL_HTTP_ENAME_SPACE, 400, M("A : b\r\n\r\n")},
};

START_TEST(bad_messages_are_refused_by_name)
{
    static struct meaning out;
    struct message m = {bad[_i].kind, SILL_HTTP_GET, &usual, bad[_i].message,
                        bad[_i].size};
    ck_assert_int_eq(feed_all(&m, &out), bad[_i].error);
    ck_assert_int_eq(sill_http_error_status(bad[_i].error), bad[_i].status);
    feed_prefixes(&m, bad[_i].error);
}

END_TEST

/* Bounds: what just fits is taken, one more is refused. */

static const struct {
    enum sill_http_kind kind;
    struct sill_http_limits fits;
    int error, status;
    const char *message;
} bounds[] = {

#define LINE   "GET /2345 HTTP/1.1\r\n"
#define FIELDS "Host: a\r\nB: cd\r\n\r\n"
    {0, {20, 2, 18, 9, 9, 9}, 0, 0, LINE FIELDS},
    {0, {20, 2, 18, 9, 9, 9}, 0, 0, "\r\n" LINE FIELDS},
    {0, {19, 2, 18, 9, 9, 9}, SILL_HTTP_ELINE_SIZE, 414, LINE FIELDS},
    {0, {19, 2, 18, 9, 9, 9}, SILL_HTTP_ELINE_SIZE, 414, "\r\n" LINE FIELDS},
    {0, {18, 2, 18, 9, 9, 9}, SILL_HTTP_ELINE_SIZE, 414, LINE FIELDS},
    {0, {5, 2, 18, 9, 9, 9}, SILL_HTTP_ELINE_SIZE, 414, LINE FIELDS},
    {0, {2, 2, 18, 9, 9, 9}, SILL_HTTP_ELINE_SIZE, 414, LINE FIELDS},
    {0, {20, 1, 18, 9, 9, 9}, SILL_HTTP_EHEADERS, 431, LINE FIELDS},
    {0, {20, 2, 17, 9, 9, 9}, SILL_HTTP_EHEADER_SIZE, 431, LINE FIELDS},
    {0, {20, 2, 16, 9, 9, 9}, SILL_HTTP_EHEADER_SIZE, 431, LINE FIELDS},
    {0, {20, 2, 12, 9, 9, 9}, SILL_HTTP_EHEADER_SIZE, 431, LINE FIELDS},
    {0, {20, 2, 3, 9, 9, 9}, SILL_HTTP_EHEADER_SIZE, 431, LINE FIELDS},
    {1, {17, 0, 2, 9, 9, 9}, 0, 0, "HTTP/1.1 200 OK\r\n\r\n123456789"},
    {1,
     {17, 0, 2, 9, 9, 8},
     SILL_HTTP_EBODY_SIZE,
     413,
     "HTTP/1.1 200 OK\r\n\r\n123456789"},
    {1,
     {16, 0, 2, 9, 9, 9},
     SILL_HTTP_ELINE_SIZE,
     414,
     "HTTP/1.1 200 OK\r\n\r\n"},
    {1, {99, 9, 99, 9, 9, 3}, 0, 0, R200 "Content-Length: 3\r\n\r\nabc"},
    {1,
     {99, 9, 99, 9, 9, 2},
     SILL_HTTP_EBODY_SIZE,
     413,
     R200 "Content-Length: 3\r\n\r\nabc"},
#define CHUNKS R200 TE "\r\n3;x\r\nabc\r\n2;y\r\nde\r\n0\r\nT: u\r\n\r\n"
    {1, {99, 9, 99, 5, 8, 5}, 0, 0, CHUNKS},
    {1, {99, 9, 99, 4, 8, 5}, SILL_HTTP_ECHUNK_LINE, 400, CHUNKS},
    {1, {99, 9, 99, 5, 7, 5}, SILL_HTTP_EHEADER_SIZE, 431, CHUNKS},
    {1, {99, 9, 99, 5, 8, 4}, SILL_HTTP_EBODY_SIZE, 413, CHUNKS},
    {1,
     {99, 9, 99, 99, 99, 5},
     SILL_HTTP_EBODY_SIZE,
     413,
     R200 TE "\r\n3\r\nabc\r\nffffffffffffffff\r\n"},
    {2, {0, 1, 8, 0, 0, 0}, SILL_HTTP_EHEADER_SIZE, 431, "A: b\r\n\r\n"},
    {2, {0, 0, 0, 0, 8, 0}, SILL_HTTP_EHEADERS, 431, "A: b\r\n\r\n"},
    {2, {0, 1, 0, 0, 8, 0}, 0, 0, "A: b\r\n\r\n"},
};

START_TEST(bounds_hold_to_the_byte)
{
    static struct meaning out;
    struct message m = {bounds[_i].kind, SILL_HTTP_GET, &bounds[_i].fits,
                        bounds[_i].message, strlen(bounds[_i].message)};
    ssize_t rc = feed_all(&m, &out);
    ck_assert_int_eq(rc, bounds[_i].error == 0 ? (ssize_t)m.size
                                               : bounds[_i].error);
    if (rc < 0)
        ck_assert_int_eq(sill_http_error_status((int)rc), bounds[_i].status);
}

END_TEST

/* A line without an end is refused when the bound is reached, not later. */
START_TEST(an_endless_line_is_refused_at_its_bound)
{
    const struct sill_http_limits limits = {64, 4, 128, 16, 32, 10};
    struct sill_http_header headers[4];
    struct sill_http_head head;
    char text[400];
    memset(text, 'x', sizeof(text));
    sill_http_head_init(&head, SILL_HTTP_REQUEST, headers, &limits);
    ck_assert_int_eq(sill_http_head_parse(&head, text, 63), 0);
    ck_assert_int_eq(sill_http_head_parse(&head, text, 64),
                     SILL_HTTP_ELINE_SIZE);
    memcpy(text, GET, strlen(GET));
    size_t start = strlen("GET / HTTP/1.1\r\n");
    sill_http_head_init(&head, SILL_HTTP_REQUEST, headers, &limits);
    ck_assert_int_eq(sill_http_head_parse(&head, text, start + 127), 0);
    ck_assert_int_eq(sill_http_head_parse(&head, text, start + 128),
                     SILL_HTTP_EHEADER_SIZE);
}

END_TEST

START_TEST(a_head_moves_with_its_bytes)
{
    static const char text[] =
        "GET http://b?q HTTP/1.1\r\n" HOST "C: d\r\n\r\n";
    struct sill_http_header headers[64];
    struct sill_http_head head;
    char copy[sizeof(text)];
    sill_http_head_init(&head, SILL_HTTP_REQUEST, headers, &usual);
    ck_assert_int_gt(sill_http_head_parse(&head, text, sizeof(text) - 1), 0);
    ck_assert_ptr_eq(head.method_text.at, text);
    const char *slash = head.path.at; /* a constant: the URL has no path */
    memcpy(copy, text, sizeof(text));
    sill_http_head_move(&head, copy);
    ck_assert_ptr_eq(head.method_text.at, copy);
    ck_assert_ptr_eq(head.target.at, copy + 4);
    ck_assert_ptr_eq(head.authority.at, copy + 11);
    ck_assert_ptr_eq(head.query.at, copy + 13);
    ck_assert_ptr_eq(head.path.at, slash);
    ck_assert_ptr_eq(headers[0].name.at, copy + 25);
    ck_assert_ptr_eq(headers[1].value.at, strchr(copy, 'd'));
    ck_assert_int_eq(memcmp(slash, "/", 1), 0);
    sill_http_head_move(&head, copy);
    ck_assert_ptr_eq(head.target.at, copy + 4);
}

END_TEST

/* Two requests in one buffer: the first one ends where the second begins. */
START_TEST(a_pipelined_request_is_left_alone)
{
    static const char text[] = POST "Content-Length: 2\r\n\r\nhi" GET "\r\n";
    struct sill_http_header headers[64];
    struct sill_http_head head;
    struct sill_http_body body;
    struct sill_http_view piece;
    size_t taken;
    sill_http_head_init(&head, SILL_HTTP_REQUEST, headers, &usual);
    ssize_t size = sill_http_head_parse(&head, text, sizeof(text) - 1);
    ck_assert_int_eq(size, (ssize_t)strlen(POST "Content-Length: 2\r\n\r\n"));
    sill_http_body_init(&body, &head);
    ck_assert_int_eq(sill_http_body_next(&body, text + size,
                                         sizeof(text) - 1 - (size_t)size,
                                         &piece, &taken),
                     SILL_HTTP_PIECE);
    ck_assert_uint_eq(taken, 2);
    ck_assert(body.ended);
    ck_assert_int_eq(sill_http_body_next(&body, text, 9, &piece, &taken),
                     SILL_HTTP_END);
    ck_assert_uint_eq(taken, 0);
}

END_TEST

static void body_of(struct sill_http_body *body, enum sill_http_framing framing,
                    uint64_t length, const struct sill_http_limits *limits)
{
    struct sill_http_head head = {
        .framing = framing, .content_length = length, .limits = limits};
    sill_http_body_init(body, &head);
}

START_TEST(what_is_due_can_be_read_elsewhere)
{
    struct sill_http_limits limits = usual;
    struct sill_http_body body;
    struct sill_http_view piece;
    size_t taken;
    body_of(&body, SILL_HTTP_NO_BODY, SILL_HTTP_NO_LENGTH, &limits);
    ck_assert_uint_eq(sill_http_body_due(&body), 0);
    ck_assert(body.ended);
    body_of(&body, SILL_HTTP_LENGTH, 9, &limits);
    ck_assert_uint_eq(sill_http_body_due(&body), 9);
    sill_http_body_skip(&body, 4);
    ck_assert_uint_eq(sill_http_body_due(&body), 5);
    sill_http_body_skip(&body, 5);
    ck_assert(body.ended);
    ck_assert_uint_eq(sill_http_body_due(&body), 0);

    body_of(&body, SILL_HTTP_CHUNKED, SILL_HTTP_NO_LENGTH, &limits);
    ck_assert_uint_eq(sill_http_body_due(&body), 0);
    ck_assert_int_eq(sill_http_body_next(&body, "a\r\n", 3, &piece, &taken),
                     SILL_HTTP_MORE);
    ck_assert_uint_eq(sill_http_body_due(&body), 10);
    sill_http_body_skip(&body, 10);
    ck_assert_uint_eq(sill_http_body_due(&body), 0);
    ck_assert_int_eq(
        sill_http_body_next(&body, "\r\n0\r\n\r\n", 7, &piece, &taken),
        SILL_HTTP_TRAILER);
    ck_assert_uint_eq(taken, 5);
    ck_assert_int_eq(sill_http_body_next(&body, "\r\n", 2, &piece, &taken),
                     SILL_HTTP_TRAILER);
    ck_assert_uint_eq(taken, 0);
    sill_http_body_end(&body);
    ck_assert_int_eq(sill_http_body_next(&body, "x", 1, &piece, &taken),
                     SILL_HTTP_END);

    limits.body = 7;
    body_of(&body, SILL_HTTP_UNTIL_CLOSE, SILL_HTTP_NO_LENGTH, &limits);
    ck_assert_uint_eq(sill_http_body_due(&body), 7);
    sill_http_body_skip(&body, 7);
    ck_assert_uint_eq(sill_http_body_due(&body), 0);
    ck_assert_int_eq(sill_http_body_next(&body, "x", 1, &piece, &taken),
                     SILL_HTTP_EBODY_SIZE);
    sill_http_body_end(&body);
    ck_assert_int_eq(sill_http_body_next(&body, "", 0, &piece, &taken),
                     SILL_HTTP_END);
}

END_TEST

START_TEST(a_failed_body_stays_failed)
{
    struct sill_http_body body;
    struct sill_http_view piece;
    size_t taken;
    body_of(&body, SILL_HTTP_CHUNKED, SILL_HTTP_NO_LENGTH, &usual);
    ck_assert_int_eq(sill_http_body_next(&body, "g", 1, &piece, &taken),
                     SILL_HTTP_ECHUNK);
    ck_assert_int_eq(sill_http_body_next(&body, "0\r\n", 3, &piece, &taken),
                     SILL_HTTP_ECHUNK);
    ck_assert_uint_eq(taken, 0);
    ck_assert_uint_eq(sill_http_body_due(&body), 0);
}

END_TEST

/* Characters. */

static bool listed(int c, const char *list)
{
    return c != 0 && strchr(list, c) != NULL;
}

static bool alphanumeric(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9');
}

START_TEST(each_byte_has_its_classes)
{
    for (int c = 0; c < 256; c++) {
        bool token = alphanumeric(c) || listed(c, "!#$%&'*+-.^_`|~");
        bool target = c > 0x20 && c < 0x7f && !listed(c, "\"#<>");
        bool host = alphanumeric(c) || listed(c, "-._~!$&'()*+,;=");
        bool hex = listed(c, "0123456789abcdefABCDEF");
        bool text = c == '\t' || (c >= 0x20 && c != 0x7f);
        ck_assert_int_eq(sill_http_is((char)c, SILL_HTTP_IS_TOKEN), token);
        ck_assert_int_eq(sill_http_is((char)c, SILL_HTTP_IS_TARGET), target);
        ck_assert_int_eq(sill_http_is((char)c, SILL_HTTP_IS_HOST), host);
        ck_assert_int_eq(sill_http_is((char)c, SILL_HTTP_IS_HEX), hex);
        ck_assert_int_eq(sill_http_is((char)c, SILL_HTTP_IS_TEXT), text);
    }
}

END_TEST

/* The wide scan finds what the narrow one finds, wherever it is. */
START_TEST(text_is_scanned_exactly)
{
    for (size_t size = 0; size < 40; size++) {
        char *at = guarded_end() - size;
        memset(at, 0x80, size);
        ck_assert_ptr_eq(sill_http_skip_text(at, at + size), at + size);
        for (size_t i = 0; i < size; i++) {
            for (int c = 0; c < 256; c++) {
                at[i] = (char)c;
                size_t found =
                    (size_t)(sill_http_skip_text(at, at + size) - at);
                bool text = sill_http_is((char)c, SILL_HTTP_IS_TEXT);
                ck_assert_uint_eq(found, text ? size : i);
            }
            at[i] = '\t';
        }
    }
}

END_TEST

/* Words. */

START_TEST(methods_have_names)
{
    for (int i = SILL_HTTP_GET; i <= SILL_HTTP_PATCH; i++) {
        const char *name = sill_http_method_name((enum sill_http_method)i);
        ck_assert_int_gt((int)strlen(name), 2);
        ck_assert_int_eq(sill_http_method_find(text_of(name)), i);
        bool safe = i != SILL_HTTP_POST && i != SILL_HTTP_PATCH &&
                    i != SILL_HTTP_CONNECT;
        ck_assert_int_eq(
            sill_http_method_is_idempotent((enum sill_http_method)i), safe);
    }
    ck_assert_str_eq(sill_http_method_name(SILL_HTTP_OTHER), "");
    ck_assert_int_eq(sill_http_method_find(text_of("get")), SILL_HTTP_OTHER);
    ck_assert_int_eq(sill_http_method_find(text_of("")), SILL_HTTP_OTHER);
    ck_assert(!sill_http_method_is_idempotent(SILL_HTTP_OTHER));
}

END_TEST

START_TEST(errors_and_statuses_have_words)
{
    for (int error = SILL_HTTP_EMETHOD; error >= SILL_HTTP_EURL; error--) {
        ck_assert_str_ne(sill_http_strerror(error), "unknown error");
        for (int other = error - 1; other >= SILL_HTTP_EURL; other--)
            ck_assert_str_ne(sill_http_strerror(error),
                             sill_http_strerror(other));
    }
    ck_assert_str_eq(sill_http_strerror(0), "unknown error");
    ck_assert_str_eq(sill_http_strerror(SILL_HTTP_EURL - 1), "unknown error");
    ck_assert_int_eq(sill_http_error_status(-1), 400);
    ck_assert_str_eq(sill_http_reason(200), "OK");
    ck_assert_str_eq(sill_http_reason(404), "Not Found");
    ck_assert_str_eq(sill_http_reason(299), "");
}

END_TEST

START_TEST(views_compare)
{
    struct sill_http_view none = text_of(NULL);
    ck_assert_ptr_eq(none.at, NULL);
    ck_assert_uint_eq(none.size, 0);
    ck_assert(sill_http_view_is_equal(text_of("aB"), SILL_HTTP_VIEW("aB")));
    ck_assert(!sill_http_view_is_equal(text_of("aB"), text_of("ab")));
    ck_assert(!sill_http_view_is_equal(text_of("aB"), text_of("aBc")));
    ck_assert(sill_http_view_is_equal(none, text_of("")));
    ck_assert(sill_http_view_is_alike(text_of("aB-1"), text_of("Ab-1")));
    ck_assert(!sill_http_view_is_alike(text_of("@"), text_of("`")));
    ck_assert(!sill_http_view_is_alike(text_of("a"), text_of("ab")));
}

END_TEST

START_TEST(headers_are_found)
{
    const struct sill_http_header headers[] = {
        {SILL_HTTP_VIEW_INIT("A"), SILL_HTTP_VIEW_INIT("one")},
        {SILL_HTTP_VIEW_INIT("Vary"), SILL_HTTP_VIEW_INIT("x, \"y,z\" ,,")},
        {SILL_HTTP_VIEW_INIT("a"), SILL_HTTP_VIEW_INIT("two")},
        {SILL_HTTP_VIEW_INIT("vary"), SILL_HTTP_VIEW_INIT("\tLAST\t")},
    };
    struct sill_http_view found = sill_http_header_find(headers, 4, "a");
    ck_assert(sill_http_view_is_equal(found, text_of("one")));
    ck_assert_ptr_eq(sill_http_header_find(headers, 4, "b").at, NULL);
    ck_assert_ptr_eq(sill_http_header_find(headers, 0, "a").at, NULL);
    ck_assert(sill_http_header_has(headers, 4, "VARY", "X"));
    ck_assert(sill_http_header_has(headers, 4, "vary", "last"));
    ck_assert(sill_http_header_has(headers, 4, "vary", "\"y,z\""));
    ck_assert(!sill_http_header_has(headers, 4, "vary", "y"));
    ck_assert(!sill_http_header_has(headers, 4, "vary", ""));
    ck_assert(!sill_http_header_has(headers, 3, "vary", "last"));
}

END_TEST

START_TEST(lists_are_taken_apart)
{
    static const char *const elements[] = {"a", "b c", "\"d,\\\",e\"", "f=\"x"};
    struct sill_http_view list = text_of(" ,a,\tb c ,, \"d,\\\",e\",f=\"x");
    for (size_t i = 0; i < COUNT(elements); i++) {
        struct sill_http_view element = sill_http_list_next(&list);
        ck_assert(sill_http_view_is_equal(element, text_of(elements[i])));
    }
    ck_assert_ptr_eq(sill_http_list_next(&list).at, NULL);
    ck_assert_ptr_eq(sill_http_list_next(&list).at, NULL);
    list = text_of("a\\,\"b\\");
    ck_assert(
        sill_http_view_is_equal(sill_http_list_next(&list), text_of("a\\")));
    ck_assert(
        sill_http_view_is_equal(sill_http_list_next(&list), text_of("\"b\\")));
    list = text_of(" , ");
    ck_assert_ptr_eq(sill_http_list_next(&list).at, NULL);
}

END_TEST

START_TEST(percents_are_decoded)
{
    char out[8];
    ck_assert_int_eq(sill_http_percent_decode(text_of("a%2fB%00+%zZ"), out, 8),
                     SILL_HTTP_EPERCENT);
    ck_assert_int_eq(sill_http_percent_decode(text_of("a%2fB%00+"), out, 8), 5);
    ck_assert_int_eq(memcmp(out, "a/B\0+", 5), 0);
    ck_assert_int_eq(sill_http_percent_decode(text_of("%2z"), out, 8),
                     SILL_HTTP_EPERCENT);
    ck_assert_int_eq(sill_http_percent_decode(text_of("a%2"), out, 8),
                     SILL_HTTP_EPERCENT);
    ck_assert_int_eq(sill_http_percent_decode(text_of("%"), out, 8),
                     SILL_HTTP_EPERCENT);
    ck_assert_int_eq(sill_http_percent_decode(text_of("abc"), out, 2),
                     SILL_HTTP_EROOM);
    ck_assert_int_eq(sill_http_percent_decode(text_of("%FF"), out, 1), 1);
    ck_assert_int_eq((uint8_t)out[0], 0xff);
    char same[] = "%41%42c";
    ck_assert_int_eq(
        sill_http_percent_decode(text_of(same), same, sizeof(same)), 3);
    ck_assert_int_eq(memcmp(same, "ABc", 3), 0);
}

END_TEST

/* Dates. */

static int64_t date_of(const char *text, int64_t now)
{
    int64_t seconds = -1;
    const char *at = guarded(text, strlen(text));
    struct sill_http_view view = {at, strlen(text)};
    int rc = sill_http_date_parse(view, now, &seconds);
    return rc == 0 ? seconds : INT64_MIN;
}

START_TEST(dates_have_three_forms)
{
    const int64_t instant = 784111777;
    char text[SILL_HTTP_DATE_SIZE + 1] = "";
    sill_http_date_format(instant, text);
    ck_assert_str_eq(text, "Sun, 06 Nov 1994 08:49:37 GMT");
    ck_assert_int_eq(date_of(text, 0), instant);
    ck_assert_int_eq(date_of("Sun Nov  6 08:49:37 1994", 0), instant);
    ck_assert_int_eq(date_of("Sun Nov 06 08:49:37 1994", 0), instant);
    ck_assert_int_eq(date_of("Sunday, 06-Nov-94 08:49:37 GMT", 0), instant);
    ck_assert_int_eq(date_of("Sunday, 06-Nov-94 08:49:37 GMT", 1800000000),
                     instant);
    /* In 2000, 50 is 2050, 51 is 1951. */
    ck_assert_int_eq(date_of("Saturday, 01-Jan-50 00:00:00 GMT", 946684800),
                     2524608000);
    ck_assert_int_eq(date_of("Monday, 01-Jan-51 00:00:00 GMT", 946684800),
                     -599616000);
    ck_assert_int_eq(date_of("Thu, 01 Jan 1970 00:00:60 GMT", 0), 60);
    ck_assert_int_eq(date_of("Tue, 29 Feb 2000 00:00:00 GMT", 0), 951782400);
}

END_TEST

START_TEST(dates_survive_the_round_trip)
{
    char text[SILL_HTTP_DATE_SIZE + 1] = "", last[4] = "";
    for (int64_t day = -719162; day <= 2932896; day += day < 0 ? 37 : 11) {
        int64_t instant = day * 86400 + (day & 1 ? 86399 : 0);
        sill_http_date_format(instant, text);
        ck_assert_int_eq(date_of(text, 0), instant);
    }
    sill_http_date_format(INT64_MIN, text);
    ck_assert_str_eq(text, "Mon, 01 Jan 0001 00:00:00 GMT");
    sill_http_date_format(INT64_MAX, text);
    ck_assert_str_eq(text, "Fri, 31 Dec 9999 23:59:59 GMT");
    sill_http_date_format(-1, text);
    ck_assert_str_eq(text, "Wed, 31 Dec 1969 23:59:59 GMT");
    memcpy(last, text, 3);
    ck_assert_str_eq(last, "Wed");
}

END_TEST

static const char *const bad_dates[] = {
    "",
    "Sun, 06 Nov 1994 08:49:37",
    "Sun, 06 Nov 1994 08:49:37 UTC",
    "Sun, 06 Nov 1994 08:49:37 GMT ",
    "Sun, 6 Nov 1994 08:49:37 GMT",
    "Son, 06 Nov 1994 08:49:37 GMT",
    "Sun, 06 nov 1994 08:49:37 GMT",
    "Sun, 00 Nov 1994 08:49:37 GMT",
    "Sun, 31 Nov 1994 08:49:37 GMT",
    "Sun, 29 Feb 1900 08:49:37 GMT",
    "Sun, 30 Feb 2000 08:49:37 GMT",
    "Sun, 06 Nov 1994 24:49:37 GMT",
    "Sun, 06 Nov 1994 08:60:37 GMT",
    "Sun, 06 Nov 1994 08:49:61 GMT",
    "Sun, 06 Nov 19x4 08:49:37 GMT",
    "Sun; 06 Nov 1994 08:49:37 GMT",
    "Sun,  6 Nov 1994 08:49:37 GMT",
    "Sun, 06-Nov-1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 08-49-37 GMT",
    "Sun Nov 6  08:49:37 1994",
    "Sun Nov  6 08:49:37 94",
    "Sun Nov  6 08:49:37 1994 ",
    "Sunday, 06-Nov-1994 08:49:37 GMT",
    "Sunday, 06 Nov 94 08:49:37 GMT",
    "Sunday, 06-Nov-94 08:49:37 PST",
    "Sun, 06-Nov-94 08:49:37 GMT",
    "784111777",
};

START_TEST(other_dates_are_none)
{
    ck_assert_int_eq(date_of(bad_dates[_i], 0), INT64_MIN);
}

END_TEST

START_TEST(each_byte_of_a_date_counts)
{
    static const char *const dates[] = {
        "Sun, 06 Nov 1994 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
        "Sun Nov 06 08:49:37 1994", "Sunday, 06-Nov-94 08:49:37 GMT"};
    for (size_t i = 0; i < COUNT(dates); i++) {
        for (size_t at = 0; at < strlen(dates[i]); at++) {
            char text[64];
            strcpy(text, dates[i]);
            ck_assert_int_ne(date_of(text, 0), INT64_MIN);
            text[at] = '#';
            ck_assert_int_eq(date_of(text, 0), INT64_MIN);
        }
    }
}

END_TEST

/* A clock that was never set does not matter, and neither does a peer's. */
START_TEST(dates_of_any_age_are_read)
{
    ck_assert_int_eq(date_of("Sat, 01 Jan 0000 00:00:00 GMT", 0),
                     INT64_C(-62167219200));
    ck_assert_int_eq(date_of("Sunday, 06-Nov-94 08:49:37 GMT", -1), 784111777);
    ck_assert_int_eq(
        date_of("Saturday, 01-Jan-94 00:00:00 GMT", INT64_C(-62135596800)),
        INT64_C(-62356521600));
    ck_assert_int_eq(
        date_of("Saturday, 01-Jan-00 00:00:00 GMT", INT64_C(-63000000000)),
        INT64_C(-62167219200));
}

END_TEST

/* URLs. */

static const struct {
    const char *text, *host, *target;
    int port;
    bool is_ipv6;
} urls[] = {
    {"http://a", "a", "", 80, false},
    {"HTTP://a.b:8080/c?d#e", "a.b", "/c?d", 8080, false},
    {"http://a:/", "a", "/", 80, false},
    {"http://[::1]:81?x", "::1", "?x", 81, true},
    {"http://127.0.0.1/%20", "127.0.0.1", "/%20", 80, false},
    {"http://a#b", "a", "", 80, false},
    {"http://a%41b/", "a%41b", "/", 80, false},
    {"http://[::ffff:127.0.0.1]/", "::ffff:127.0.0.1", "/", 80, true},
};

START_TEST(urls_are_taken_apart)
{
    struct sill_http_url url;
    struct sill_http_view text = text_of(urls[_i].text);
    text.at = guarded(text.at, text.size);
    ck_assert_int_eq(sill_http_url_parse(&url, text), 0);
    ck_assert(sill_http_view_is_equal(url.host, text_of(urls[_i].host)));
    ck_assert(sill_http_view_is_equal(url.target, text_of(urls[_i].target)));
    ck_assert_int_eq(url.port, urls[_i].port);
    ck_assert_int_eq(url.is_ipv6, urls[_i].is_ipv6);
}

END_TEST

static const char *const bad_urls[] = {
    "",
    "http:",
    "http://",
    "http:///a",
    "http://:80/",
    "http://?a",
    "https://a/",
    "ftp://a/",
    "a",
    "//a/",
    "/a",
    "http://a b/",
    "http://a/ b",
    "http://a/\r\nX: y",
    "http://a\r\n/",
    "http://u@a/",
    "http://u:p@a/",
    "http://a:0/",
    "http://a:65536/",
    "http://a:99999999999999999999/",
    "http://a:b/",
    "http://[::1/",
    "http://[]/",
    "http://[::1]x/",
    "http://::1/",
    "http://caf\xc3\xa9/",
    "http://a/caf\xc3\xa9",
    "http://a%2/",
    "http://a%zz/",
    "http://a%4",
    "http://%",
    "http://[g::1]/",
    "http://[1.2]/",
    " http://a/",
};

START_TEST(other_urls_are_none)
{
    struct sill_http_url url;
    struct sill_http_view text = text_of(bad_urls[_i]);
    text.at = guarded(text.at, text.size);
    ck_assert_int_eq(sill_http_url_parse(&url, text), SILL_HTTP_EURL);
}

END_TEST

START_TEST(urls_have_a_bound)
{
    static char text[SILL_HTTP_URL_MAX + 1] = "http://a/";
    struct sill_http_url url;
    memset(text + 9, 'x', sizeof(text) - 9);
    struct sill_http_view view = {text, SILL_HTTP_URL_MAX};
    ck_assert_int_eq(sill_http_url_parse(&url, view), 0);
    view.size++;
    ck_assert_int_eq(sill_http_url_parse(&url, view), SILL_HTTP_EURL);
    memset(text + 7, 'h', sizeof(text) - 7);
    view.size = 7 + SILL_HTTP_HOST_MAX;
    ck_assert_int_eq(sill_http_url_parse(&url, view), 0);
    view.size++;
    ck_assert_int_eq(sill_http_url_parse(&url, view), SILL_HTTP_EURL);
}

END_TEST

START_TEST(references_have_a_bound)
{
    static char text[SILL_HTTP_URL_MAX + 1], out[2 * SILL_HTTP_URL_MAX];
    struct sill_http_view view = {text, sizeof(text)};
    struct sill_http_url base;
    memset(text, 'x', sizeof(text));
    ck_assert_int_eq(sill_http_url_parse(&base, text_of("http://a/")), 0);
    ck_assert_int_eq(sill_http_url_resolve(&base, view, out, sizeof(out)),
                     SILL_HTTP_EURL);
    view.size--;
    ck_assert_int_eq(sill_http_url_resolve(&base, view, out, sizeof(out)),
                     9 + SILL_HTTP_URL_MAX);
}

END_TEST

/* RFC 3986 section 5.4, where the base is http://a/b/c/d;p?q. */
static const struct {
    const char *base, *reference, *url;
} references[] = {
    {NULL, "g", "http://a/b/c/g"},
    {NULL, "./g", "http://a/b/c/g"},
    {NULL, "g/", "http://a/b/c/g/"},
    {NULL, "/g", "http://a/g"},
    {NULL, "//g", "http://g/"},
    {NULL, "?y", "http://a/b/c/d;p?y"},
    {NULL, "g?y", "http://a/b/c/g?y"},
    {NULL, "#s", "http://a/b/c/d;p?q"},
    {NULL, "g#s", "http://a/b/c/g"},
    {NULL, "g?y#s", "http://a/b/c/g?y"},
    {NULL, ";x", "http://a/b/c/;x"},
    {NULL, "", "http://a/b/c/d;p?q"},
    {NULL, ".", "http://a/b/c/"},
    {NULL, "./", "http://a/b/c/"},
    {NULL, "..", "http://a/b/"},
    {NULL, "../", "http://a/b/"},
    {NULL, "../g", "http://a/b/g"},
    {NULL, "../..", "http://a/"},
    {NULL, "../../", "http://a/"},
    {NULL, "../../g", "http://a/g"},
    {NULL, "../../../g", "http://a/g"},
    {NULL, "../../../../g", "http://a/g"},
    {NULL, "/./g", "http://a/g"},
    {NULL, "/../g", "http://a/g"},
    {NULL, "g.", "http://a/b/c/g."},
    {NULL, "..g", "http://a/b/c/..g"},
    {NULL, "./../g", "http://a/b/g"},
    {NULL, "./g/.", "http://a/b/c/g/"},
    {NULL, "g/./h", "http://a/b/c/g/h"},
    {NULL, "g/../h", "http://a/b/c/h"},
    {NULL, "g;x=1/./y", "http://a/b/c/g;x=1/y"},
    {NULL, "g?y/../x", "http://a/b/c/g?y/../x"},
    {NULL, "http://e:80/f/../g?h", "http://e/g?h"},
    {NULL, "http://e:81", "http://e:81/"},
    {NULL, "http://e?x", "http://e/?x"},
    {NULL, "//[::2]:8080/x", "http://[::2]:8080/x"},
    {NULL, "a//b", "http://a/b/c/a//b"},
    {"http://a", "g", "http://a/g"},
    {"http://a", "?g", "http://a/?g"},
    {"http://a", "", "http://a/"},
    {"http://a:8080?x", "", "http://a:8080/?x"},
    {"http://a/b/../c/d", "e", "http://a/c/e"},
    {"http://a/b/..", "e", "http://a/b/e"},
    {"http://a/b/../d", "e", "http://a/e"},
    {"http://a/b?c/d/e", "f", "http://a/f"},
    {NULL, "g:h", NULL},
    {NULL, "https://e/", NULL},
    {NULL, "mailto:x@y", NULL},
    {NULL, "http:g", NULL},
    {NULL, "http://", NULL},
    {NULL, "///x", NULL},
    {NULL, "a b", NULL},
    {NULL, "a\r\nb", NULL},
    {NULL, "\xc3\xa9", NULL},
};

START_TEST(references_are_resolved)
{
    char out[64];
    struct sill_http_url base;
    const char *from = references[_i].base, *wanted = references[_i].url;
    struct sill_http_view reference = text_of(references[_i].reference);
    from = from == NULL ? "http://a/b/c/d;p?q" : from;
    ck_assert_int_eq(sill_http_url_parse(&base, text_of(from)), 0);
    reference.at = guarded(reference.at, reference.size);
    ssize_t size = sill_http_url_resolve(&base, reference, out, sizeof(out));
    if (wanted == NULL) {
        ck_assert_int_eq(size, SILL_HTTP_EURL);
        return;
    }
    ck_assert_int_gt(size, 0);
    struct sill_http_view url = {out, (size_t)size};
    ck_assert(sill_http_view_is_equal(url, text_of(wanted)));
    for (size_t room = 0; room < (size_t)size; room++)
        ck_assert_int_eq(sill_http_url_resolve(&base, reference, out, room),
                         SILL_HTTP_EROOM);
}

END_TEST

/* The encoder. */

static int write_all(struct sill_http_encoder *e, size_t room)
{
    sill_http_encoder_init(e, guarded_end() - room, room);
    sill_http_encode_request(e, text_of("GET"), text_of("/a?b"));
    sill_http_encode_status(e, 404, text_of(NULL));
    sill_http_encode_status(e, 299, text_of("Fine \xff"));
    sill_http_encode_header(e, text_of("A"), text_of("b\tc"));
    sill_http_encode_header(e, text_of("E"), text_of(""));
    sill_http_encode_number(e, text_of("N"), UINT64_MAX);
    sill_http_encode_number(e, text_of("Z"), 0);
    sill_http_encode_end(e);
    sill_http_encode_chunk(e, UINT64_MAX);
    sill_http_encode_chunk(e, 0x1a);
    sill_http_encode_raw(e, text_of("raw"));
    sill_http_encode_chunk(e, 0);
    return e->error;
}

START_TEST(the_encoder_writes_heads)
{
    const char wanted[] = "GET /a?b HTTP/1.1\r\nHTTP/1.1 404 Not Found\r\n"
                          "HTTP/1.1 299 Fine \xff\r\nA: b\tc\r\nE: \r\n"
                          "N: 18446744073709551615\r\nZ: 0\r\n\r\n"
                          "ffffffffffffffff\r\n1a\r\nraw0\r\n";
    const size_t size = sizeof(wanted) - 1;
    struct sill_http_encoder e;
    ck_assert_int_eq(write_all(&e, size), 0);
    ck_assert_uint_eq(e.used, size);
    ck_assert_int_eq(memcmp(e.data, wanted, size), 0);
    for (size_t room = 0; room < size; room++) {
        ck_assert_int_eq(write_all(&e, room), SILL_HTTP_EROOM);
        ck_assert_uint_le(e.used, room);
        ck_assert_int_eq(memcmp(e.data, wanted, e.used), 0);
    }
}

END_TEST

static int write_header(const char *name, size_t name_size, const char *value,
                        size_t value_size)
{
    char out[64];
    struct sill_http_encoder e;
    sill_http_encoder_init(&e, out, sizeof(out));
    sill_http_encode_header(&e, (struct sill_http_view){name, name_size},
                            (struct sill_http_view){value, value_size});
    sill_http_encode_header(&e, text_of("Later"), text_of("x"));
    ck_assert((e.error == 0) == (e.used > 0));
    return e.error;
}

START_TEST(nobody_splits_a_message)
{
    char out[64], name[] = "Nx", value[] = "v?v";
    struct sill_http_encoder e;
    for (int c = 0; c < 256; c++) {
        name[1] = (char)c;
        value[1] = (char)c;
        bool token = sill_http_is((char)c, SILL_HTTP_IS_TOKEN);
        bool text = sill_http_is((char)c, SILL_HTTP_IS_TEXT);
        ck_assert_int_eq(write_header(name, 2, "v", 1),
                         token ? 0 : SILL_HTTP_ENAME);
        ck_assert_int_eq(write_header("N", 1, value, 3),
                         text ? 0 : SILL_HTTP_EVALUE);
        sill_http_encoder_init(&e, out, sizeof(out));
        sill_http_encode_status(&e, 200, (struct sill_http_view){value, 3});
        ck_assert_int_eq(e.error, text ? 0 : SILL_HTTP_EVALUE);
        sill_http_encoder_init(&e, out, sizeof(out));
        sill_http_encode_request(&e, (struct sill_http_view){name, 2},
                                 text_of("/"));
        ck_assert_int_eq(e.error, token ? 0 : SILL_HTTP_EMETHOD);
        sill_http_encoder_init(&e, out, sizeof(out));
        sill_http_encode_request(&e, text_of("GET"),
                                 (struct sill_http_view){value, 3});
        bool target = sill_http_is((char)c, SILL_HTTP_IS_TARGET);
        ck_assert_int_eq(e.error, target ? 0 : SILL_HTTP_ETARGET);
    }
    ck_assert_int_eq(write_header("", 0, "v", 1), SILL_HTTP_ENAME);
}

END_TEST

START_TEST(the_encoder_keeps_its_first_error)
{
    char out[64];
    struct sill_http_encoder e;
    static const int statuses[] = {-1, 0, 99, 600, 1000};
    for (size_t i = 0; i < COUNT(statuses); i++) {
        sill_http_encoder_init(&e, out, sizeof(out));
        sill_http_encode_status(&e, statuses[i], text_of(NULL));
        sill_http_encode_header(&e, text_of(""), text_of(""));
        sill_http_encode_raw(&e, text_of("x"));
        ck_assert_int_eq(e.error, SILL_HTTP_ESTATUS);
        ck_assert_uint_eq(e.used, 0);
    }
    sill_http_encoder_init(&e, out, sizeof(out));
    sill_http_encode_request(&e, text_of("GET"), text_of(""));
    ck_assert_int_eq(e.error, SILL_HTTP_ETARGET);
    sill_http_encoder_init(&e, out, sizeof(out));
    sill_http_encode_request(&e, text_of(""), text_of("/"));
    ck_assert_int_eq(e.error, SILL_HTTP_EMETHOD);
}

END_TEST

static TCase *messages(void)
{
    TCase *tc = tcase_create("messages");
    tcase_add_loop_test(tc, good_messages_mean_what_they_say, 0,
                        (int)COUNT(good));
    tcase_add_loop_test(tc, bad_messages_are_refused_by_name, 0,
                        (int)COUNT(bad));
    tcase_add_loop_test(tc, bounds_hold_to_the_byte, 0, (int)COUNT(bounds));
    tcase_add_test(tc, an_endless_line_is_refused_at_its_bound);
    tcase_add_test(tc, a_head_moves_with_its_bytes);
    tcase_add_test(tc, a_pipelined_request_is_left_alone);
    tcase_add_test(tc, what_is_due_can_be_read_elsewhere);
    tcase_add_test(tc, a_failed_body_stays_failed);
    return tc;
}

static TCase *words(void)
{
    TCase *tc = tcase_create("words");
    tcase_add_test(tc, each_byte_has_its_classes);
    tcase_add_test(tc, text_is_scanned_exactly);
    tcase_add_test(tc, methods_have_names);
    tcase_add_test(tc, errors_and_statuses_have_words);
    tcase_add_test(tc, views_compare);
    tcase_add_test(tc, headers_are_found);
    tcase_add_test(tc, lists_are_taken_apart);
    tcase_add_test(tc, percents_are_decoded);
    tcase_add_test(tc, dates_have_three_forms);
    tcase_add_test(tc, dates_survive_the_round_trip);
    tcase_add_loop_test(tc, other_dates_are_none, 0, (int)COUNT(bad_dates));
    tcase_add_test(tc, each_byte_of_a_date_counts);
    tcase_add_test(tc, dates_of_any_age_are_read);
    return tc;
}

static TCase *addresses(void)
{
    TCase *tc = tcase_create("addresses");
    tcase_add_loop_test(tc, urls_are_taken_apart, 0, (int)COUNT(urls));
    tcase_add_loop_test(tc, other_urls_are_none, 0, (int)COUNT(bad_urls));
    tcase_add_test(tc, urls_have_a_bound);
    tcase_add_test(tc, references_have_a_bound);
    tcase_add_loop_test(tc, references_are_resolved, 0, (int)COUNT(references));
    return tc;
}

static TCase *encoder(void)
{
    TCase *tc = tcase_create("encoder");
    tcase_add_test(tc, the_encoder_writes_heads);
    tcase_add_test(tc, nobody_splits_a_message);
    tcase_add_test(tc, the_encoder_keeps_its_first_error);
    return tc;
}

int main(void)
{
    Suite *suite = suite_create("http codec");
    suite_add_tcase(suite, messages());
    suite_add_tcase(suite, words());
    suite_add_tcase(suite, addresses());
    suite_add_tcase(suite, encoder());
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
