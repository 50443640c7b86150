/* SPDX-License-Identifier: MIT */
/*
 * Group U: what the headers promise beside the rules: addresses, errors,
 * readers, hooks, options, streams of one's own, calls outside of a task.
 */
#include "suite.h"

#include <sill/stream_ops.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* ---- U-01: address.h ---- */

static void check_same_text(const char *text)
{
    struct sill_address address, again;
    char written[SILL_ADDRESS_TEXT_MAX];

    suite_note("%s", text);
    ck_assert_int_eq(sill_address_parse(&address, text), 0);
    ck_assert_ptr_eq(sill_address_format(&address, written, sizeof(written)),
                     written);
    ck_assert_str_eq(written, text);
    ck_assert_int_eq(sill_address_parse(&again, written), 0);
    ck_assert(sill_address_is_equal(&address, &again));
}

/* address.h: the forms of an address as text, read and written. */
SILL_CASE_OUTSIDE(U, 01, addresses_as_text_there_and_back)
{
    static const char *const texts[] = {
        "127.0.0.1:80",   "0.0.0.0:0",
        "[::1]:80",       "[fe80::1%2]:80",
        "unix:/run/x",    "unix:@abstract",
        "[2001:db8::]:1", "255.255.255.255:65535",
        "unix:relative",  "unix:/with space:80",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        check_same_text(texts[i]);
}

/* address.h: an IPv6 address is written as RFC 5952 has it: section 4.1, no
 * leading zeros; 4.2, one "::", for the longest run of zeros, the first of
 * equals, and not for a single one; 4.3, lower case; 5, IPv4 as it is. */
SILL_CASE_OUTSIDE(U, 01, ipv6_addresses_have_one_text)
{
    static const char *const texts[] = {
        "[::]:0",
        "[1::]:1",
        "[1:2:3:4:5:6:7:8]:1",
        "[0:1:2:3:4:5:6:7]:1",
        "[1:0:2:0:3:0:4:0]:1",
        "[2001:db8::1:0:0:1]:1",
        "[2001:0:0:1::1]:1",
        "[::abcd:ef01:2345:6789:0:0]:1",
        "[::ffff:192.0.2.1]:1",
        "[::fffe:c000:201]:1",
        "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%4294967295]:65535",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        check_same_text(texts[i]);
}

/* address.h: whichever of its groups are 0, it is read as it was written. */
SILL_CASE_OUTSIDE(U, 01, ipv6_addresses_are_read_again)
{
    struct sill_address address = {.family = SILL_FAMILY_IPV6, .port = 1};
    struct sill_address again;
    char text[SILL_ADDRESS_TEXT_MAX];

    for (unsigned set = 0; set < 256; set++) {
        for (unsigned i = 0; i < 8; i++)
            address.u.ipv6[2 * i + 1] = set >> i & 1 ? 0x5a : 0;
        sill_address_format(&address, text, sizeof(text));
        suite_note("%s", text);
        ck_assert_int_eq(sill_address_parse(&again, text), 0);
        ck_assert(sill_address_is_equal(&again, &address));
    }
}

/* address.h: "unnamed", which is shown and not read. */
SILL_CASE_OUTSIDE(U, 01, unnamed_address_is_shown_as_such)
{
    struct sill_address unnamed = {.family = SILL_FAMILY_NONE}, again = {0};
    struct sill_address named = suite_loopback(0);
    char text[SILL_ADDRESS_TEXT_MAX];

    ck_assert_str_eq(sill_address_format(&unnamed, text, sizeof(text)),
                     "unnamed");
    ck_assert_int_eq(sill_address_parse(&again, text), SILL_EINVAL);
    ck_assert(sill_address_is_equal(&unnamed, &again));
    ck_assert(!sill_address_is_equal(&unnamed, &named));
}

/* address.h: "SILL_EINVAL for anything else, names included". */
SILL_CASE_OUTSIDE(U, 01, what_is_no_address_is_refused)
{
    static const char *const texts[] = {
        "",          "localhost:80",  "127.0.0.1",     "127.0.0.1:",
        ":80",       "127.0.0.1:x",   "127.0.0.1:-1",  "127.0.0.1:65536",
        "127.1:80",  "127.0.0.1.1:8", "256.0.0.1:80",  "::1:80",
        "[::1]",     "[::1:80",       "[127.0.0.1]:8", "[::1%lo]:80",
        "[::1%]:80", "[]:80",         "[::1]:80 ",     " 127.0.0.1:80",
        "unix:",     "unix:@",        "[::1]]:80",     "127.0.0.1:8000000000",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        struct sill_address address;
        suite_note("\"%s\"", texts[i]);
        ck_assert_int_eq(sill_address_parse(&address, texts[i]), SILL_EINVAL);
    }
}

/* address.h: ip takes no brackets, has the port in this machine's order, and
 * addresses in network order. */
SILL_CASE_OUTSIDE(U, 01, parts_of_an_address_are_as_described)
{
    static const uint8_t four[] = {192, 0, 2, 1};
    struct sill_address address;

    ck_assert_int_eq(sill_address_ip(&address, "192.0.2.1", 258), 0);
    ck_assert_int_eq(address.family, SILL_FAMILY_IPV4);
    ck_assert_uint_eq(address.port, 258);
    ck_assert_mem_eq(address.u.ipv4, four, 4);
    ck_assert_int_eq(sill_address_ip(&address, "fe80::102%7", 258), 0);
    ck_assert_int_eq(address.family, SILL_FAMILY_IPV6);
    ck_assert_uint_eq(address.scope_id, 7);
    ck_assert_uint_eq(address.u.ipv6[0], 0xfe);
    ck_assert_uint_eq(address.u.ipv6[14], 1);
    ck_assert_uint_eq(address.u.ipv6[15], 2);
    ck_assert_int_eq(sill_address_ip(&address, "[::1]", 1), SILL_EINVAL);
    ck_assert_int_eq(sill_address_ip(&address, "localhost", 1), SILL_EINVAL);
    ck_assert_int_eq(sill_address_ip(&address, "127.0.0.1:1", 1), SILL_EINVAL);
}

/* address.h: SILL_UNIX_PATH_MAX is the longest path, SILL_ENAMETOOLONG what is
 * longer; a leading '@' means abstract, as a leading NUL. */
SILL_CASE_OUTSIDE(U, 01, unix_paths_have_their_bounds)
{
    struct sill_address address;
    char path[SILL_UNIX_PATH_MAX + 2], text[SILL_ADDRESS_TEXT_MAX];

    memset(path, 'p', sizeof(path));
    path[SILL_UNIX_PATH_MAX + 1] = '\0';
    ck_assert_int_eq(sill_address_unix(&address, path), SILL_ENAMETOOLONG);
    path[SILL_UNIX_PATH_MAX] = '\0';
    ck_assert_int_eq(sill_address_unix(&address, path), 0);
    ck_assert_uint_eq(address.path_size, SILL_UNIX_PATH_MAX);
    sill_address_format(&address, text, sizeof(text));
    ck_assert_uint_eq(strlen(text), strlen("unix:") + SILL_UNIX_PATH_MAX);
    ck_assert_int_eq(sill_address_unix(&address, "@name"), 0);
    ck_assert_int_eq(address.family, SILL_FAMILY_UNIX);
    ck_assert_uint_eq(address.path_size, 5);
    ck_assert_mem_eq(address.u.path, "\0name", 5);
    ck_assert_int_eq(sill_address_unix(&address, ""), SILL_EINVAL);
    ck_assert_int_eq(sill_address_unix(&address, "@"), SILL_EINVAL);
    ck_assert_int_eq(sill_address_unix(&address, "x"), 0);
}

/* address.h, format: "cut to fit and always ended by NUL when (size) is not
 * 0". */
SILL_CASE_OUTSIDE(U, 01, address_text_is_cut_to_fit)
{
    struct sill_address address = suite_loopback(80);

    for (size_t size = 0; size <= 16; size++) {
        char text[17];
        memset(text, '!', sizeof(text));
        sill_address_format(&address, text, size);
        size_t kept = size == 0 ? 0 : size - 1 < 12 ? size - 1 : 12;
        ck_assert_mem_eq(text, "127.0.0.1:80", kept);
        if (size > 0)
            ck_assert_int_eq(text[kept], '\0');
        ck_assert_int_eq(text[size], '!');
    }
}

/* A host that is too long is no address either, however it is given. */
SILL_CASE_OUTSIDE(U, 01, long_host_is_no_address)
{
    struct sill_address address;
    char text[1000];

    memset(text, '0', sizeof(text));
    memcpy(text + sizeof(text) - 4, ":80", 4);
    ck_assert_int_eq(sill_address_parse(&address, text), SILL_EINVAL);
    memcpy(text + sizeof(text) - 4, "::1", 4);
    ck_assert_int_eq(sill_address_ip(&address, text, 80), SILL_EINVAL);
    ck_assert_int_eq(sill_address_ip(&address, "::1", 80), 0);
}

/* address.h: "Returns whether (a) and (b) are the same place." */
SILL_CASE_OUTSIDE(U, 01, different_places_are_not_equal)
{
    static const char *const texts[] = {
        "127.0.0.1:80", "127.0.0.1:81",   "127.0.0.2:80",   "[::1]:80",
        "[fe80::1]:80", "[fe80::1%1]:80", "[fe80::1%2]:80", "unix:/run/x",
        "unix:/run/xy", "unix:@run",      "unix:run",       "[::1]:81",
        "unix:/run/y",
    };

    enum { COUNT = sizeof(texts) / sizeof(*texts) };

    for (int i = 0; i < COUNT; i++)
        for (int j = 0; j < COUNT; j++) {
            struct sill_address a, b;
            ck_assert_int_eq(sill_address_parse(&a, texts[i]), 0);
            ck_assert_int_eq(sill_address_parse(&b, texts[j]), 0);
            ck_assert_int_eq(sill_address_is_equal(&a, &b), i == j);
        }
}

/* ---- U-02: error.h ---- */

static const int errors[] = {
    SILL_EPERM,        SILL_ENOENT,        SILL_EIO,         SILL_EBADF,
    SILL_ENOMEM,       SILL_EACCES,        SILL_EBUSY,       SILL_EINVAL,
    SILL_EMFILE,       SILL_ENOSPC,        SILL_EPIPE,       SILL_EDEADLK,
    SILL_ENAMETOOLONG, SILL_EPROTO,        SILL_EMSGSIZE,    SILL_EOPNOTSUPP,
    SILL_EADDRINUSE,   SILL_EADDRNOTAVAIL, SILL_ENETUNREACH, SILL_ECONNABORTED,
    SILL_ECONNRESET,   SILL_ENOTCONN,      SILL_ETIMEDOUT,   SILL_ECONNREFUSED,
    SILL_EHOSTUNREACH, SILL_ECANCELED,     SILL_EOF,         SILL_ECLOSED,
    SILL_EPOISONED,    SILL_EORPHAN,       SILL_ENOTASK,
};

enum { ERRORS = sizeof(errors) / sizeof(*errors) };

/* error.h, strerror: "Names (error) in one short English phrase", each of the
 * list differently; "0 is "success", any other number "unknown error"". */
SILL_CASE_OUTSIDE(U, 02, every_error_has_a_phrase_of_its_own)
{
    static const int others[] = {1, -1000, -1006, 1000000, -2147483647};

    for (int i = 0; i < ERRORS; i++) {
        const char *phrase = sill_strerror(errors[i]);
        ck_assert_int_gt((int)strlen(phrase), 0);
        ck_assert_str_ne(phrase, "unknown error");
        for (int j = 0; j < i; j++)
            ck_assert_str_ne(phrase, sill_strerror(errors[j]));
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
        ck_assert_str_eq(sill_strerror(others[i]), "unknown error");
    ck_assert_str_eq(sill_strerror(SILL_ECONNREFUSED), "connection refused");
    ck_assert_str_eq(sill_strerror(0), "success");
}

/* error.h: "The values are those of -errno on Linux where errno has the idea,
 * and below -1000 where it has not". */
SILL_CASE_OUTSIDE(U, 02, errno_becomes_the_code_that_means_the_same)
{
    static const struct {
        int system, error;
    } alike[] = {
        {ENFILE, SILL_EMFILE},          {ENOBUFS, SILL_ENOMEM},
        {ENOTDIR, SILL_ENOENT},         {ENETDOWN, SILL_ENETUNREACH},
        {EHOSTDOWN, SILL_EHOSTUNREACH}, {EAFNOSUPPORT, SILL_EADDRNOTAVAIL},
        {EDQUOT, SILL_ENOSPC},
    };

    for (int i = 0; i < ERRORS; i++)
        if (errors[i] > -1000)
            ck_assert_int_eq(sill_error_from_errno(-errors[i]), errors[i]);
    for (size_t i = 0; i < sizeof(alike) / sizeof(*alike); i++)
        ck_assert_int_eq(sill_error_from_errno(alike[i].system),
                         alike[i].error);
    ck_assert_int_eq(sill_error_from_errno(ECONNREFUSED), SILL_ECONNREFUSED);
    ck_assert_int_eq(sill_error_from_errno(EXDEV), SILL_EIO);
    ck_assert_int_eq(sill_error_from_errno(0), SILL_EIO);
    ck_assert_int_eq(sill_error_from_errno(123456), SILL_EIO);
}

/* ---- U-03: reader.h ---- */

/* A reader with a buffer of 16 bytes on one end of a memory pair. */
struct reading {
    struct sill_stream from, to;
    struct sill_reader reader;
    char room[16];
    const char *view;
};

static void open_reading(struct reading *self, const char *text)
{
    ck_assert_int_eq(sill_stream_pair(&self->from, &self->to, 1024), 0);
    sill_reader_init(&self->reader, &self->to, self->room, sizeof(self->room));
    ck_assert_int_eq(sill_stream_write_all(&self->from, text, strlen(text),
                                           NULL, SILL_NEVER),
                     0);
}

static void close_reading(struct reading *self)
{
    sill_stream_close(&self->from);
    sill_stream_close(&self->to);
}

static void check_line(struct reading *self, const char *line)
{
    ssize_t n = sill_reader_line(&self->reader, &self->view, SILL_NEVER);

    ck_assert_int_eq(n, (ssize_t)strlen(line));
    ck_assert_mem_eq(self->view, line, strlen(line));
}

/* reader.h, line: "ended by LF or CR LF, and shows it without its end. A last
 * line without one counts"; then SILL_EOF. */
SILL_CASE(U, 03, lines_are_shown_without_their_ends)
{
    struct reading self;

    open_reading(&self, "one\ntwo\r\n\r\n\na\rb\nlast\r");
    sill_stream_close(&self.from);
    check_line(&self, "one");
    check_line(&self, "two");
    check_line(&self, "");
    check_line(&self, "");
    check_line(&self, "a\rb");
    check_line(&self, "last\r");
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(sill_reader_line(&self.reader, &self.view, SILL_NEVER),
                         SILL_EOF);
    close_reading(&self);
}

/* reader.h, line: "SILL_EMSGSIZE when the buffer is full without an end of
 * line"; "A failed call takes nothing". */
SILL_CASE(U, 03, line_longer_than_the_buffer_is_refused)
{
    struct reading self;
    char byte;

    open_reading(&self, "0123456789abcde\n0123456789abcdef\n");
    check_line(&self, "0123456789abcde");
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(sill_reader_line(&self.reader, &self.view, SILL_NEVER),
                         SILL_EMSGSIZE);
    ck_assert_int_eq(sill_reader_read(&self.reader, &byte, 1, SILL_NEVER), 1);
    ck_assert_int_eq(byte, '0');
    check_line(&self, "123456789abcdef");
    close_reading(&self);
}

/* reader.h, read_until: "Takes bytes up to and including the first (size) bytes
 * equal to (mark)", however they arrive. */
SILL_CASE(U, 03, read_until_takes_up_to_its_mark)
{
    struct reading self;

    open_reading(&self, "ab-+a--+rest");
    ck_assert_int_eq(
        sill_reader_read_until(&self.reader, "--+", 3, &self.view, SILL_NEVER),
        8);
    ck_assert_mem_eq(self.view, "ab-+a--+", 8);
    ck_assert_int_eq(
        sill_reader_read_until(&self.reader, "", 0, &self.view, SILL_NEVER),
        SILL_EINVAL);
    ck_assert_int_eq(
        sill_reader_read_until(&self.reader, "t", 1, &self.view, SILL_NEVER),
        4);
    close_reading(&self);
}

/* The same when the mark comes byte by byte, at every place of the buffer. */
static int write_bytes_one_by_one(void *arg)
{
    static const char text[] = "abcd\r\n";
    int rc = 0;

    for (int i = 0; i < 50 * 6 && rc == 0; i++) {
        rc = sill_stream_write_all(arg, &text[i % 6], 1, NULL, SILL_NEVER);
        if (rc == 0)
            rc = sill_yield();
    }
    return rc;
}

SILL_CASE(U, 03, mark_in_pieces_is_found)
{
    struct reading self;
    int wrong = 0;

    open_reading(&self, "");
    struct sill_task *task = suite_spawn(write_bytes_one_by_one, &self.from);
    for (int i = 0; i < 50; i++)
        wrong += sill_reader_read_until(&self.reader, "\r\n", 2, &self.view,
                                        SILL_NEVER) != 6 ||
                 memcmp(self.view, "abcd\r\n", 6) != 0;
    ck_assert_int_eq(wrong, 0);
    ck_assert_int_eq(suite_await(task), 0);
    close_reading(&self);
}

/* reader.h, read_until: SILL_EMSGSIZE, SILL_EOF; nothing is taken. */
SILL_CASE(U, 03, missing_mark_takes_nothing)
{
    struct reading self;

    open_reading(&self, "abc");
    sill_stream_close(&self.from);
    ck_assert_int_eq(
        sill_reader_read_until(&self.reader, ";", 1, &self.view, SILL_NEVER),
        SILL_EOF);
    ck_assert_int_eq(sill_reader_peek(&self.reader, 0, &self.view, SILL_NEVER),
                     3);
    ck_assert_mem_eq(self.view, "abc", 3);
    close_reading(&self);
    open_reading(&self, "0123456789abcdef;");
    ck_assert_int_eq(
        sill_reader_read_until(&self.reader, ";", 1, &self.view, SILL_NEVER),
        SILL_EMSGSIZE);
    ck_assert_int_eq(sill_reader_peek(&self.reader, 0, &self.view, SILL_NEVER),
                     16);
    close_reading(&self);
}

/* reader.h, peek: at least (least) bytes, "taking none"; 0 "shows what is
 * buffered and reads nothing"; SILL_EMSGSIZE, SILL_EOF. */
SILL_CASE(U, 03, peek_shows_and_takes_nothing)
{
    struct reading self;

    open_reading(&self, "abcdef");
    ck_assert_int_eq(sill_reader_peek(&self.reader, 0, &self.view, SILL_NEVER),
                     0);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_ge(
            sill_reader_peek(&self.reader, 3, &self.view, SILL_NEVER), 3);
        ck_assert_mem_eq(self.view, "abc", 3);
    }
    sill_reader_consume(&self.reader, 2);
    ck_assert_int_eq(sill_reader_peek(&self.reader, 4, &self.view, SILL_NEVER),
                     4);
    ck_assert_mem_eq(self.view, "cdef", 4);
    ck_assert_int_eq(sill_reader_peek(&self.reader, 17, &self.view, SILL_NEVER),
                     SILL_EMSGSIZE);
    ck_assert_int_eq(sill_reader_peek(&self.reader, 5, &self.view, SILL_PAST),
                     SILL_ETIMEDOUT);
    sill_stream_close(&self.from);
    ck_assert_int_eq(sill_reader_peek(&self.reader, 5, &self.view, SILL_NEVER),
                     SILL_EOF);
    ck_assert_int_eq(sill_reader_peek(&self.reader, 0, &self.view, SILL_NEVER),
                     4);
    close_reading(&self);
}

/* reader.h, peek: as much as the buffer holds can be asked for, wherever what
 * is buffered begins. */
SILL_CASE(U, 03, peek_can_fill_the_buffer_from_any_place)
{
    struct reading self;

    for (size_t taken = 0; taken <= 16; taken++) {
        open_reading(&self, "0123456789abcdef0123456789abcdef");
        ck_assert_int_eq(
            sill_reader_peek(&self.reader, 16, &self.view, SILL_NEVER), 16);
        sill_reader_consume(&self.reader, taken);
        ck_assert_int_eq(
            sill_reader_peek(&self.reader, 16, &self.view, SILL_NEVER), 16);
        ck_assert_int_eq(self.view[0], "0123456789abcdef0"[taken]);
        ck_assert_int_eq(self.view[15], "f0123456789abcdef"[taken]);
        close_reading(&self);
    }
}

/* reader.h, fill: "Returns how many bytes came, 0 at the end of the stream, or
 * SILL_EMSGSIZE when the buffer is full." */
SILL_CASE(U, 03, fill_reads_behind_what_is_buffered)
{
    struct reading self;

    open_reading(&self, "abc");
    ck_assert_int_eq(sill_reader_fill(&self.reader, SILL_NEVER), 3);
    ck_assert_int_eq(
        sill_stream_write(&self.from, "0123456789abcdef", 16, SILL_NEVER), 16);
    ck_assert_int_eq(sill_reader_fill(&self.reader, SILL_NEVER), 13);
    ck_assert_int_eq(sill_reader_fill(&self.reader, SILL_NEVER), SILL_EMSGSIZE);
    sill_reader_consume(&self.reader, 16);
    ck_assert_int_eq(sill_reader_fill(&self.reader, SILL_NEVER), 3);
    sill_stream_close(&self.from);
    ck_assert_int_eq(sill_reader_fill(&self.reader, SILL_NEVER), 0);
    ck_assert_int_eq(sill_reader_peek(&self.reader, 3, &self.view, SILL_NEVER),
                     3);
    ck_assert_mem_eq(self.view, "def", 3);
    close_reading(&self);
}

/* reader.h, read: "buffered ones first; as sill_stream_read". */
SILL_CASE(U, 03, read_takes_buffered_bytes_first)
{
    struct reading self;
    char bytes[32];

    open_reading(&self, "line\nrest");
    check_line(&self, "line");
    ck_assert_int_eq(sill_stream_write(&self.from, "more", 4, SILL_NEVER), 4);
    ck_assert_int_eq(sill_reader_read(&self.reader, bytes, 2, SILL_NEVER), 2);
    ck_assert_int_eq(sill_reader_read(&self.reader, bytes + 2, 2, SILL_NEVER),
                     2);
    ck_assert_int_eq(sill_reader_read(&self.reader, bytes + 4, 20, SILL_NEVER),
                     4);
    ck_assert_mem_eq(bytes, "restmore", 8);
    ck_assert_int_eq(sill_reader_read(&self.reader, bytes, 1, SILL_PAST),
                     SILL_ETIMEDOUT);
    ck_assert_int_eq(sill_reader_read(&self.reader, bytes, 0, SILL_NEVER), 0);
    sill_stream_close(&self.from);
    ck_assert_int_eq(sill_reader_read(&self.reader, bytes, 1, SILL_NEVER), 0);
    close_reading(&self);
}

static int read_a_line(void *arg)
{
    struct reading *self = arg;

    return (int)sill_reader_line(&self->reader, &self->view, SILL_NEVER);
}

/* reader.h: "A failed call takes nothing: what arrived stays for the next
 * one", also when it is cancelled. */
SILL_CASE(U, 03, cancelled_line_stays_for_the_next_call)
{
    struct reading self;

    open_reading(&self, "half");
    struct sill_task *task = suite_spawn(read_a_line, &self);
    suite_yield(3);
    suite_cancel(task);
    ck_assert_int_eq(sill_stream_write(&self.from, " a line\n", 8, SILL_NEVER),
                     8);
    check_line(&self, "half a line");
    close_reading(&self);
}

/* ---- U-04: stream.h beside the rules ---- */

/* stream.h, pair: "SILL_EINVAL for a capacity of 0"; its ends have no
 * address. */
SILL_CASE_OUTSIDE(U, 04, memory_pair_needs_no_loop_but_room)
{
    struct sill_stream a, b;
    struct sill_address address = suite_loopback(1);

    ck_assert_int_eq(sill_stream_pair(&a, &b, 0), SILL_EINVAL);
    ck_assert_int_eq(sill_stream_pair(&a, &b, SIZE_MAX / 2), SILL_EINVAL);
    ck_assert_int_eq(sill_stream_local(&a, &address), SILL_ECLOSED);
    ck_assert_int_eq(sill_stream_pair(&a, &b, 10), 0);
    ck_assert_int_eq(sill_stream_local(&a, &address), 0);
    ck_assert_int_eq(address.family, SILL_FAMILY_NONE);
    address = suite_loopback(1);
    ck_assert_int_eq(sill_stream_peer(&b, &address), 0);
    ck_assert_int_eq(address.family, SILL_FAMILY_NONE);
    sill_stream_close(&a);
    sill_stream_close(&b);
}

/* stream.h, adopt: "made non-blocking and close-on-exec, and belongs to
 * (stream) from now on". */
SILL_CASE(U, 04, adopted_socket_belongs_to_its_stream, fd)
{
    struct sill_stream stream;
    char byte;
    int fds[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    ck_assert_int_eq(sill_stream_adopt(&stream, fds[0]), 0);
    ck_assert(fcntl(fds[0], F_GETFL) & O_NONBLOCK);
    ck_assert(fcntl(fds[0], F_GETFD) & FD_CLOEXEC);
    ck_assert_int_eq(write(fds[1], "x", 1), 1);
    ck_assert_int_eq(sill_stream_read(&stream, &byte, 1, SILL_NEVER), 1);
    sill_stream_close(&stream);
    ck_assert_int_eq(fcntl(fds[0], F_GETFD), -1);
    close(fds[1]);
}

/* stream.h, adopt: SILL_EBADF, SILL_EINVAL (no stream socket), "with (fd)
 * still the caller's". */
SILL_CASE(U, 04, what_is_no_stream_socket_is_not_adopted, fd)
{
    struct sill_stream stream;
    int fds[2], datagram = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    char byte;

    ck_assert_int_eq(pipe(fds), 0);
    ck_assert_int_eq(sill_stream_adopt(&stream, fds[0]), SILL_EINVAL);
    ck_assert_int_eq(sill_stream_adopt(&stream, datagram), SILL_EINVAL);
    ck_assert_int_eq(sill_stream_read(&stream, &byte, 1, SILL_NEVER),
                     SILL_ECLOSED);
    ck_assert_int_ge(fcntl(fds[0], F_GETFD), 0);
    close(fds[0]);
    close(fds[1]);
    close(datagram);
    ck_assert_int_eq(sill_stream_adopt(&stream, fds[0]), SILL_EBADF);
    ck_assert_int_eq(sill_stream_adopt(&stream, -1), SILL_EBADF);
}

/* stream.h: "it may be moved between calls": a poisoned direction moves
 * along. */
SILL_CASE(U, 04, stream_may_be_moved_between_calls)
{
    struct suite_pair pair;
    char bytes[4];

    suite_pair_open(&pair, SUITE_TCP);
    struct sill_stream moved = pair.a;
    memset(&pair.a, 0, sizeof(pair.a));
    ck_assert_int_eq(sill_stream_write(&pair.b, "ab", 2, SILL_NEVER), 2);
    ck_assert_int_eq(sill_stream_read_full(&moved, bytes, 4, NULL,
                                           sill_after(SILL_MILLISECOND)),
                     SILL_ETIMEDOUT);
    pair.a = moved;
    ck_assert_int_eq(sill_stream_read(&pair.a, bytes, 1, SILL_PAST),
                     SILL_EPOISONED);
    ck_assert_int_eq(sill_stream_write(&pair.a, "x", 1, SILL_NEVER), 1);
    suite_pair_close(&pair);
}

/* stream.h, peer: "that of the time when the stream was connected or accepted,
 * also when the peer is gone"; shutdown: "SILL_ECONNRESET when the peer is
 * gone". */
SILL_CASE(U, 04, reset_stream_still_knows_its_peer, fd)
{
    struct sill_stream stream;
    struct sill_address address;
    struct sill_listener listener;
    struct linger at_once = {1, 0};
    struct sockaddr_in where = {.sin_family = AF_INET};
    socklen_t size = sizeof(where);
    char byte;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    suite_listen(&listener, &address);
    where.sin_port = htons(address.port);
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&where, sizeof(where)), 0);
    ck_assert_int_eq(sill_listener_accept(&listener, &stream, SILL_NEVER), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&where, &size), 0);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    close(fd);
    ck_assert_int_eq(sill_stream_read(&stream, &byte, 1, SILL_NEVER),
                     SILL_ECONNRESET);
    ck_assert_int_eq(sill_stream_peer(&stream, &address), 0);
    ck_assert_uint_eq(address.port, ntohs(where.sin_port));
    ck_assert_int_eq(sill_stream_shutdown(&stream, SILL_NEVER),
                     SILL_ECONNRESET);
    sill_stream_close(&stream);
    sill_listener_close(&listener);
}

/* address.h: "SILL_FAMILY_NONE unnamed": so are the clients of a Unix-domain
 * socket. */
SILL_CASE(U, 04, unix_clients_are_unnamed)
{
    struct suite_pair pair;
    struct sill_address address = suite_loopback(1);

    suite_pair_open(&pair, SUITE_UNIX);
    ck_assert_int_eq(sill_stream_local(&pair.a, &address), 0);
    ck_assert_int_eq(address.family, SILL_FAMILY_NONE);
    address = suite_loopback(1);
    ck_assert_int_eq(sill_stream_peer(&pair.b, &address), 0);
    ck_assert_int_eq(address.family, SILL_FAMILY_NONE);
    suite_pair_close(&pair);
}

/* ---- U-05: stream_ops.h ---- */

/* A stream that counts what it is asked, and waits when told to. */
struct double_stream {
    int reads, writes, closes, asks;
    size_t size;
    struct sill_trigger trigger;
    bool waits;
};

static ssize_t double_read(void *impl, void *buffer, size_t size,
                           sill_time deadline)
{
    struct double_stream *self = impl;

    self->reads++;
    self->size = size;
    if (self->waits) {
        int rc = sill_suspend(&self->trigger, deadline);
        if (rc)
            return rc;
    }
    *(char *)buffer = 'd';
    return 1;
}

static ssize_t double_writev(void *impl, const struct iovec *pieces,
                             size_t count, sill_time deadline)
{
    struct double_stream *self = impl;

    self->writes++;
    self->size = 0;
    for (size_t i = 0; i < count; i++)
        self->size += pieces[i].iov_len;
    if (self->waits) {
        int rc = sill_suspend(&self->trigger, deadline);
        if (rc)
            return rc;
    }
    return 1;
}

static int double_shutdown(void *impl, sill_time deadline)
{
    (void)impl;
    return deadline == 7 ? SILL_EPROTO : 0;
}

static void double_close(void *impl)
{
    struct double_stream *self = impl;

    self->closes++;
}

static int double_address(void *impl, struct sill_address *address)
{
    (void)impl;
    *address = suite_loopback(4711);
    return 0;
}

static const struct sill_stream_ops double_ops = {
    .read = double_read,
    .writev = double_writev,
    .shutdown = double_shutdown,
    .close = double_close,
    .local = double_address,
    .peer = double_address,
};

static int double_wait(void *impl, sill_time deadline)
{
    struct double_stream *self = impl;

    self->asks++;
    return deadline == 7 ? SILL_EPROTO : 0;
}

/* stream_ops.h: "a table of functions and a pointer" is a stream, with all that
 * is built on one. */
SILL_CASE(U, 05, table_and_pointer_make_a_stream)
{
    struct double_stream impl = {.closes = 0};
    struct sill_stream stream = {.ops = &double_ops, .impl = &impl};
    struct iovec pieces[] = {{(char[]){"ab"}, 2}, {(char[]){"c"}, 1}};
    struct sill_address address;
    char bytes[4] = "";

    ck_assert_int_eq(sill_stream_read_full(&stream, bytes, 3, NULL, SILL_NEVER),
                     0);
    ck_assert_str_eq(bytes, "ddd");
    ck_assert_int_eq(impl.reads, 3);
    ck_assert_int_eq(
        sill_stream_writev_all(&stream, pieces, 2, NULL, SILL_NEVER), 0);
    ck_assert_int_eq(impl.writes, 3);
    ck_assert_int_eq(sill_stream_shutdown(&stream, 7), SILL_EPROTO);
    ck_assert_int_eq(sill_stream_peer(&stream, &address), 0);
    ck_assert_uint_eq(address.port, 4711);
    sill_stream_close(&stream);
    sill_stream_close(&stream);
    ck_assert_int_eq(impl.closes, 1);
}

static int move_while_cancelled(void *arg)
{
    char byte;
    int rc = sill_yield();

    if (sill_stream_read(arg, &byte, 1, SILL_NEVER) != SILL_ECANCELED ||
        sill_stream_write(arg, "x", 1, SILL_NEVER) != SILL_ECANCELED)
        return 0;
    return rc;
}

/* stream_ops.h: "has checked the arguments, that the current task is not
 * cancelled": read is never asked for 0 bytes, writev never to write none. */
SILL_CASE(U, 05, calls_without_meaning_do_not_reach_the_table)
{
    struct double_stream impl = {.closes = 0};
    struct sill_stream stream = {.ops = &double_ops, .impl = &impl};
    struct iovec pieces[] = {{NULL, 0}, {NULL, 0}};
    char byte;

    ck_assert_int_eq(sill_stream_read(&stream, &byte, 0, SILL_NEVER), 0);
    ck_assert_int_eq(sill_stream_write(&stream, "", 0, SILL_NEVER), 0);
    ck_assert_int_eq(sill_stream_writev(&stream, pieces, 2, SILL_NEVER), 0);
    struct sill_task *task = suite_spawn(move_while_cancelled, &stream);
    suite_cancel(task);
    ck_assert_int_eq(impl.reads + impl.writes, 0);
    sill_stream_close(&stream);
}

/* stream_ops.h, wait: "NULL: sill_stream_wait returns SILL_EOPNOTSUPP, and
 * whoever calls it reads instead." */
SILL_CASE(U, 05, wait_is_the_tables_or_not_supported)
{
    struct double_stream impl = {.closes = 0};
    struct sill_stream_ops ops = double_ops;
    struct sill_stream stream = {.ops = &ops, .impl = &impl};
    char byte;

    ck_assert_int_eq(sill_stream_wait(&stream, SILL_NEVER), SILL_EOPNOTSUPP);
    ck_assert_int_eq(sill_stream_read(&stream, &byte, 1, SILL_NEVER), 1);
    ops.wait = double_wait;
    ck_assert_int_eq(sill_stream_wait(&stream, SILL_NEVER), 0);
    ck_assert_int_eq(sill_stream_wait(&stream, 7), SILL_EPROTO);
    ck_assert_int_eq(impl.asks, 2);
    ck_assert_int_eq(impl.reads, 1);
    sill_stream_close(&stream);
}

static int wait_while_cancelled(void *arg)
{
    int rc = sill_yield();

    return sill_stream_wait(arg, SILL_NEVER) == SILL_ECANCELED ? rc : 0;
}

/* stream_ops.h: "has checked ... that the current task is not cancelled". */
SILL_CASE(U, 05, wait_of_a_cancelled_task_does_not_reach_the_table)
{
    struct double_stream impl = {.closes = 0};
    struct sill_stream_ops ops = double_ops;
    struct sill_stream stream = {.ops = &ops, .impl = &impl};

    ops.wait = double_wait;
    struct sill_task *task = suite_spawn(wait_while_cancelled, &stream);
    ck_assert_int_eq(sill_cancel(task, SILL_PAST), SILL_ETIMEDOUT);
    ck_assert_int_eq(suite_await(task), SILL_ECANCELED);
    ck_assert_int_eq(impl.asks, 0);
    sill_stream_close(&stream);
}

static int read_double(void *arg)
{
    char byte;

    return (int)sill_stream_read(arg, &byte, 1, SILL_NEVER);
}

static int write_double(void *arg)
{
    return (int)sill_stream_write(arg, "x", 1, SILL_NEVER);
}

/* stream_ops.h: "has checked ... that no other task is in the same
 * direction". */
static sill_task_fn *twice;

static int move_twice(void *arg)
{
    static struct double_stream impl;
    static struct sill_stream stream = {.ops = &double_ops, .impl = &impl};

    (void)arg;
    impl.waits = true;
    suite_spawn(twice, &stream);
    suite_yield(3);
    suite_await(suite_spawn(twice, &stream));
    return 0;
}

static void run_move_twice(void *arg)
{
    (void)arg;
    sill_run(move_twice, NULL);
}

SILL_CASE_OUTSIDE(U, 05, second_reader_does_not_reach_the_table)
{
    twice = read_double;
    suite_expect_abort(run_move_twice, NULL, "sill_stream_read", "api_unit.c:");
}

SILL_CASE_OUTSIDE(U, 05, second_writer_does_not_reach_the_table)
{
    twice = write_double;
    suite_expect_abort(run_move_twice, NULL, "sill_stream_write",
                       "api_unit.c:");
}

static int write_long(void *arg)
{
    static const char bytes[1000];

    return sill_stream_write_all(arg, bytes, sizeof(bytes), NULL, SILL_NEVER);
}

static int write_between(void *arg)
{
    static struct double_stream impl;
    static struct sill_stream stream = {.ops = &double_ops, .impl = &impl};
    struct sill_task *first = suite_spawn(write_long, &stream);

    (void)arg;
    suite_yield(1);
    suite_spawn(write_double, &stream);
    return suite_await(first);
}

static void run_write_between(void *arg)
{
    (void)arg;
    sill_run(write_between, NULL);
}

/* The same while the first one, in the middle of its message, has let others
 * have their turns. */
SILL_CASE_OUTSIDE(U, 05, writer_in_the_middle_of_a_message_ends_the_program)
{
    suite_expect_abort(run_write_between, NULL, "sill_stream_write",
                       "api_unit.c:");
}

static ssize_t closed_read(void *impl, void *buffer, size_t size,
                           sill_time deadline)
{
    (void)impl;
    (void)buffer;
    (void)size;
    (void)deadline;
    return SILL_ECLOSED;
}

/* A stream over another one, which was closed under it, says so each time. */
SILL_CASE(U, 05, stream_over_a_closed_one_says_so_each_time)
{
    struct double_stream impl = {.closes = 0};
    struct sill_stream_ops ops = double_ops;
    struct sill_stream stream = {.ops = &ops, .impl = &impl};
    char byte;

    ops.read = closed_read;
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(sill_stream_read(&stream, &byte, 1, SILL_NEVER),
                         SILL_ECLOSED);
        ck_assert_int_eq(
            sill_stream_read_full(&stream, &byte, 1, NULL, SILL_NEVER),
            SILL_ECLOSED);
    }
    sill_stream_close(&stream);
    ck_assert_int_eq(impl.closes, 1);
}

/* ---- U-06: outside of a task ---- */

/* error.h: "SILL_ENOTASK may wait only inside a task of this process". */
SILL_CASE_OUTSIDE(U, 06, calls_outside_of_a_task_say_so)
{
    struct sill_address address = suite_loopback(1);
    struct sill_trigger trigger = SILL_TRIGGER_INIT;
    struct sill_stream a, b;
    struct sill_listener listener;
    struct sill_datagram datagram;
    struct sill_watch watch;
    struct sill_task *task;
    struct sill_stream_file file = {-1, 0, 1};
    char byte;

    ck_assert_int_eq(sill_stream_pair(&a, &b, 10), 0);
    ck_assert_int_eq(sill_stream_read(&a, &byte, 1, SILL_NEVER), SILL_ENOTASK);
    ck_assert_int_eq(sill_stream_wait(&a, SILL_NEVER), SILL_ENOTASK);
    ck_assert_int_eq(sill_stream_write(&a, "x", 1, SILL_NEVER), SILL_ENOTASK);
    ck_assert_int_eq(sill_stream_sendfile(&a, NULL, 0, &file, SILL_NEVER),
                     SILL_ENOTASK);
    sill_stream_close(&a);
    sill_stream_close(&b);
    ck_assert_int_eq(sill_stream_adopt(&a, 0), SILL_ENOTASK);
    ck_assert_int_eq(sill_stream_connect(&a, &address, NULL, SILL_NEVER),
                     SILL_ENOTASK);
    ck_assert_int_eq(sill_listener_listen(&listener, &address, NULL),
                     SILL_ENOTASK);
    ck_assert_int_eq(sill_datagram_open(&datagram, &address, NULL),
                     SILL_ENOTASK);
    ck_assert_int_eq(sill_watch_open(&watch, 0), SILL_ENOTASK);
    ck_assert_int_eq(sill_suspend(&trigger, SILL_NEVER), SILL_ENOTASK);
    ck_assert_int_eq(sill_sleep(SILL_NEVER), SILL_ENOTASK);
    ck_assert_int_eq(sill_yield(), SILL_ENOTASK);
    ck_assert_int_eq(sill_spawn(suite_returner, NULL, &task), SILL_ENOTASK);
    ck_assert_ptr_null(sill_self());
}

static void count_line(void *count, const char *line)
{
    *(int *)count += line != NULL;
}

/* task.h, dump: "writes nothing outside of a running loop"; a name is the
 * current task's, and there is none. */
SILL_CASE_OUTSIDE(U, 06, outside_of_a_loop_there_is_nothing_to_show)
{
    int lines = 0;

    sill_task_set_name("nobody");
    sill_dump(count_line, &lines);
    ck_assert_int_eq(lines, 0);
}

/* ---- U-07: hooks.h ---- */

struct counting {
    int given, taken;
    size_t size;
};

static void *count_alloc(void *arg, size_t size)
{
    struct counting *self = arg;

    self->given++;
    self->size = size;
    return malloc(size);
}

static void count_free(void *arg, void *block)
{
    struct counting *self = arg;

    self->taken += block ? 1 : 1000;
    free(block);
}

/* hooks.h: "Takes memory from (allocator), copied; NULL: from malloc and
 * free"; free is "never called with NULL", sill_free accepts it. */
SILL_CASE_OUTSIDE(U, 07, memory_comes_from_the_allocator)
{
    struct counting counting = {0, 0, 0};
    struct sill_allocator allocator = {count_alloc, count_free, &counting};
    struct sill_stream a, b;

    sill_set_allocator(&allocator);
    memset(&allocator, 0, sizeof(allocator));
    void *block = sill_alloc(10);
    ck_assert_uint_eq(counting.size, 10);
    sill_free(block);
    sill_free(NULL);
    ck_assert_int_eq(counting.taken, 1);
    ck_assert_int_eq(sill_stream_pair(&a, &b, 100), 0);
    sill_stream_close(&a);
    sill_stream_close(&b);
    ck_assert_int_eq(sill_run(suite_returner, NULL), 0);
    ck_assert_int_gt(counting.given, 2);
    ck_assert_int_eq(counting.given, counting.taken);
    int before = counting.given;
    sill_set_allocator(NULL);
    sill_free(sill_alloc(10));
    ck_assert_int_eq(counting.given, before);
}

static char logged[1024];

static void keep_line(void *arg, const char *line)
{
    snprintf(arg, sizeof(logged), "%s", line);
}

/* hooks.h: "Sends log lines (without a newline) to (log)", "cut at 511
 * bytes". */
SILL_CASE_OUTSIDE(U, 07, log_lines_come_cut_and_without_newline)
{
    static char longest[700];

    sill_set_log(keep_line, logged);
    sill_log("%d and %s", 7, "eight");
    ck_assert_str_eq(logged, "7 and eight");
    memset(longest, 'x', sizeof(longest) - 1);
    sill_log("%s", longest);
    ck_assert_uint_eq(strlen(logged), 511);
    sill_set_log(NULL, NULL);
    sill_log("%s", "to standard error");
    ck_assert_uint_eq(strlen(logged), 511);
}

static void log_to_stderr(void *arg)
{
    (void)arg;
    sill_set_log(NULL, NULL);
    sill_log("one %s", "line");
}

/* hooks.h: "NULL: to standard error". */
SILL_CASE_OUTSIDE(U, 07, log_goes_to_standard_error_without_a_hook)
{
    char errors_of_child[256];

    ck_assert_int_eq(suite_fork(log_to_stderr, NULL, errors_of_child,
                                sizeof(errors_of_child)),
                     0);
    ck_assert_str_eq(errors_of_child, "one line\n");
}

static int refuse_a_file(void *arg)
{
    struct sill_watch watch = {0};

    return sill_watch_open(&watch, fileno(arg)) == SILL_EPERM ? 0 : 1;
}

static void run_refusal(void *arg)
{
    if (sill_run(refuse_a_file, arg) != 0)
        abort();
}

/* hooks.h: lines go where the hook says, and a mistake of the user is an error
 * code: nobody else complains on standard error. */
SILL_CASE_OUTSIDE(U, 07, what_is_refused_is_refused_in_silence, fd)
{
    char errors_of_child[256];
    FILE *file = tmpfile();

    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(
        suite_fork(run_refusal, file, errors_of_child, sizeof(errors_of_child)),
        0);
    ck_assert_str_eq(errors_of_child, "");
    fclose(file);
}

/* ---- U-08: struct sill_socket_options ---- */

/* What the kernel says of the descriptor that is opened next. */
static int next_descriptor(void)
{
    int fd = dup(0);

    close(fd);
    return fd;
}

static int option_of(int fd, int level, int name)
{
    int value = -1;
    socklen_t size = sizeof(value);

    ck_assert_int_eq(getsockopt(fd, level, name, &value, &size), 0);
    return value;
}

/* stream.h: "(delay) TCP: gather small writes (no TCP_NODELAY)"; send_buffer
 * and receive_buffer in bytes; of connected and accepted streams. */
SILL_CASE(U, 08, options_reach_the_kernel, fd)
{
    for (int delay = 0; delay < 2; delay++) {
        struct sill_socket_options options = {
            .delay = delay, .send_buffer = 40000, .receive_buffer = 50000};
        struct sill_address address = suite_loopback(0);
        struct sill_listener listener;
        struct sill_stream streams[2];
        int fds[2];

        ck_assert_int_eq(sill_listener_listen(&listener, &address, &options),
                         0);
        ck_assert_int_eq(sill_listener_local(&listener, &address), 0);
        fds[0] = next_descriptor();
        ck_assert_int_eq(
            sill_stream_connect(&streams[0], &address, &options, SILL_NEVER),
            0);
        fds[1] = next_descriptor();
        ck_assert_int_eq(
            sill_listener_accept(&listener, &streams[1], SILL_NEVER), 0);
        for (int i = 0; i < 2; i++) {
            suite_note("delay %d, stream %d", delay, i);
            ck_assert_int_eq(!option_of(fds[i], IPPROTO_TCP, TCP_NODELAY),
                             delay);
            /* The kernel doubles it for its own needs. */
            ck_assert_int_eq(option_of(fds[i], SOL_SOCKET, SO_SNDBUF), 80000);
            ck_assert_int_eq(option_of(fds[i], SOL_SOCKET, SO_RCVBUF), 100000);
            sill_stream_close(&streams[i]);
        }
        sill_listener_close(&listener);
    }
}

/* stream.h: "(reuse_port) listeners, datagrams: share the port". */
SILL_CASE(U, 08, port_is_shared_when_asked_for)
{
    struct sill_socket_options share = {.reuse_port = true};
    struct sill_address address = suite_loopback(0);
    struct sill_listener first, second;
    struct sill_datagram one, two;

    ck_assert_int_eq(sill_listener_listen(&first, &address, &share), 0);
    ck_assert_int_eq(sill_listener_local(&first, &address), 0);
    ck_assert_int_eq(sill_listener_listen(&second, &address, NULL),
                     SILL_EADDRINUSE);
    ck_assert_int_eq(sill_listener_listen(&second, &address, &share), 0);
    sill_listener_close(&first);
    sill_listener_close(&second);
    address.port = 0;
    ck_assert_int_eq(sill_datagram_open(&one, &address, &share), 0);
    ck_assert_int_eq(sill_datagram_local(&one, &address), 0);
    ck_assert_int_eq(sill_datagram_open(&two, &address, NULL), SILL_EADDRINUSE);
    ck_assert_int_eq(sill_datagram_open(&two, &address, &share), 0);
    sill_datagram_close(&one);
    sill_datagram_close(&two);
}

/* stream.h: "(ipv6_only) IPv6: do not take IPv4 as well": without it they are
 * taken. Machines without IPv6 have no such address. */
SILL_CASE(U, 08, ipv6_takes_ipv4_unless_asked_not_to)
{
    for (int only = 0; only < 2; only++) {
        struct sill_socket_options options = {.ipv6_only = only};
        struct sill_address address;
        struct sill_listener listener;
        struct sill_stream stream;

        ck_assert_int_eq(sill_address_ip(&address, "::", 0), 0);
        int rc = sill_listener_listen(&listener, &address, &options);
        if (rc == SILL_EADDRNOTAVAIL)
            continue;
        ck_assert_int_eq(rc, 0);
        ck_assert_int_eq(sill_listener_local(&listener, &address), 0);
        address = suite_loopback(address.port);
        rc = sill_stream_connect(&stream, &address, NULL, SILL_NEVER);
        ck_assert_int_eq(rc, only ? SILL_ECONNREFUSED : 0);
        sill_stream_close(&stream);
        sill_listener_close(&listener);
    }
}

/* ---- U-09: the rest ---- */

/* time.h, after: "never before now for a negative length, and SILL_NEVER where
 * the sum does not fit". */
SILL_CASE(U, 09, after_neither_goes_back_nor_overflows)
{
    sill_time now = sill_now();

    ck_assert_int_ge(sill_after(-SILL_SECOND), now);
    ck_assert_int_ge(sill_after(SILL_PAST), now);
    ck_assert_int_ge(sill_after(SILL_SECOND), now + SILL_SECOND);
    ck_assert_int_eq(sill_after(SILL_NEVER), SILL_NEVER);
    ck_assert_int_eq(sill_after(SILL_NEVER - now), SILL_NEVER);
    ck_assert_int_eq(sill_sleep(sill_after(-SILL_SECOND)), 0);
    ck_assert_int_eq(SILL_MINUTE, 60 * SILL_SECOND);
    ck_assert_int_eq(SILL_SECOND, 1000 * SILL_MILLISECOND);
    ck_assert_int_eq(SILL_MILLISECOND, 1000 * SILL_MICROSECOND);
}

/* time.h, calendar: "in seconds since 1970 (time() of C)". */
SILL_CASE(U, 09, calendar_is_that_of_the_system, real)
{
    int64_t before = (int64_t)time(NULL), shown = sill_calendar();

    ck_assert_int_ge(shown, before);
    ck_assert_int_le(shown, (int64_t)time(NULL));
}

/* The same "elsewhere" than in a task, whatever the backend. */
SILL_CASE_OUTSIDE(U, 09, calendar_is_that_of_the_system_outside_of_a_task)
{
    int64_t before = (int64_t)time(NULL), shown = sill_calendar();

    ck_assert_int_ge(shown, before);
    ck_assert_int_le(shown, (int64_t)time(NULL));
}

/* time.h, calendar: "Virtual where sill_now() is". */
SILL_CASE(U, 09, calendar_goes_with_a_virtual_clock, virtual)
{
    int64_t before = sill_calendar();

    ck_assert_int_eq(sill_sleep(sill_after(90 * SILL_SECOND)), 0);
    ck_assert_int_eq(sill_calendar(), before + 90);
}

enum { ROOM = 40, DRAWS = 64 };

/* Draws (size) bytes often: those change, and the others stay. */
static void check_random(size_t size)
{
    unsigned char first[ROOM], bytes[ROOM];
    int changed[ROOM] = {0};

    memset(first, 'x', sizeof(first));
    ck_assert_int_eq(sill_random_fill(first, size), 0);
    for (int i = 0; i < DRAWS; i++) {
        memset(bytes, 'x', sizeof(bytes));
        ck_assert_int_eq(sill_random_fill(bytes, size), 0);
        for (size_t j = 0; j < ROOM; j++)
            changed[j] += bytes[j] != first[j];
    }
    for (size_t j = 0; j < ROOM; j++)
        ck_assert_int_eq(changed[j] > 0, j < size);
}

/* random.h: "Fills (buffer) with (size) random bytes". */
SILL_CASE(U, 09, random_bytes_fill_the_buffer_and_differ)
{
    for (size_t size = 0; size < ROOM; size++)
        check_random(size);
}

SILL_CASE_OUTSIDE(U, 09, random_bytes_are_to_be_had_outside_of_a_task)
{
    check_random(ROOM - 1);
}

/* task.h: the name of the linked backend is known at run time. */
SILL_CASE_OUTSIDE(U, 09, linked_backend_has_a_name)
{
    ck_assert_int_gt((int)strlen(sill_backend_name()), 0);
}
