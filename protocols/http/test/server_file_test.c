/* SPDX-License-Identifier: MIT */
/*
 * server_file_test.c: bodies that are pieces of files, whatever becomes of the
 * file.
 */
#include "server_kit.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { SIZE = 400000, SMALL = 1000 };

#define HEAD "Host: x\r\n\r\n"
#define LAST "Host: x\r\nConnection: close\r\n\r\n"

static char content[SIZE + 1];
static int fd, seen;

static void make_content(void)
{
    char path[] = "/tmp/sill-body-XXXXXX";
    for (size_t i = 0; i < SIZE; i++)
        content[i] = (char)('!' + i % 89 + i / 89 % 5);
    fd = mkostemp(path, O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq((int)write(fd, content, SIZE), SIZE);
}

static void drop_content(void)
{
    ck_assert_int_eq(close(fd), 0);
}

/* The bytes from (offset) on, in an answer of (length). */
static int send_file(struct sill_http_exchange *x, uint64_t length,
                     uint64_t offset, uint64_t size)
{
    int rc = sill_http_response_begin(x, 200, length);
    if (rc == 0)
        rc = sill_http_response_file(x, fd, offset, size, SILL_NEVER);
    return rc;
}

static int send_between(struct sill_http_exchange *x)
{
    int rc = sill_http_response_begin(x, 200, SIZE + 6);
    if (rc == 0)
        rc = sill_http_response_write(x, "one", 3, SILL_NEVER);
    if (rc == 0)
        rc = sill_http_response_file(x, fd, 0, 10, SILL_NEVER);
    if (rc == 0)
        rc = sill_http_response_file(x, fd, 10, SIZE - 10, SILL_NEVER);
    if (rc == 0)
        rc = sill_http_response_write(x, "two", 3, SILL_NEVER);
    return rc;
}

static int send_other(struct sill_http_exchange *x, int other, uint64_t size)
{
    int rc = sill_http_response_begin(x, 200, size);
    if (rc == 0)
        rc = sill_http_response_file(x, other, 0, size, SILL_NEVER);
    return rc;
}

static int send_pipe(struct sill_http_exchange *x, uint64_t size)
{
    int ends[2];
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    int rc = send_other(x, ends[0], size);
    close(ends[0]);
    close(ends[1]);
    return rc;
}

static int send_too_much(struct sill_http_exchange *x)
{
    int rc = sill_http_response_begin(x, 200, SMALL);
    if (rc == 0)
        seen = sill_http_response_file(x, fd, 0, SMALL + 1, SILL_NEVER);
    if (rc == 0)
        rc = sill_http_response_file(x, fd, 0, SMALL, SILL_NEVER);
    return rc;
}

static int send_twice(struct sill_http_exchange *x)
{
    int rc = send_file(x, SMALL, 0, SMALL);
    seen = sill_http_response_file(x, fd, 0, 1, SILL_NEVER);
    return rc;
}

static int send_before(struct sill_http_exchange *x)
{
    seen = sill_http_response_file(x, fd, 0, 1, SILL_NEVER);
    return send_file(x, SMALL, 0, SMALL);
}

static int send_chunks(struct sill_http_exchange *x)
{
    int rc = send_file(x, SILL_HTTP_NO_LENGTH, 5, 40000);
    sill_http_response_header(x, "Sum", "abc");
    return rc;
}

/* A handler that does not look at what it was told. */
static int ignore(int rc)
{
    seen = rc;
    return 0;
}

static int answer(void *arg, struct sill_http_exchange *x)
{
    struct sill_http_view path = sill_http_request(x)->path;
    char name[32];
    (void)arg;
    snprintf(name, sizeof(name), "%.*s", (int)path.size, path.at);
    if (strcmp(name, "/all") == 0)
        return send_file(x, SIZE, 0, SIZE);
    if (strcmp(name, "/small") == 0)
        return send_file(x, SMALL, 7, SMALL);
    if (strcmp(name, "/none") == 0)
        return send_file(x, 0, 0, 0);
    if (strcmp(name, "/between") == 0)
        return send_between(x);
    if (strcmp(name, "/chunks") == 0)
        return send_chunks(x);
    if (strcmp(name, "/304") == 0)
        return sill_http_response_begin(x, 304, SMALL) +
               sill_http_response_file(x, fd, 0, SMALL, SILL_NEVER);
    if (strcmp(name, "/too-much") == 0)
        return send_too_much(x);
    if (strcmp(name, "/twice") == 0)
        return send_twice(x);
    if (strcmp(name, "/before") == 0)
        return send_before(x);
    if (strcmp(name, "/short") == 0)
        return send_file(x, SIZE, 10, SIZE);
    if (strcmp(name, "/short-small") == 0)
        return send_file(x, SMALL, SIZE - 10, SMALL);
    if (strcmp(name, "/short-chunks") == 0)
        return send_file(x, SILL_HTTP_NO_LENGTH, 10, SIZE);
    if (strcmp(name, "/ignore") == 0)
        return ignore(send_file(x, SIZE, 10, SIZE));
    if (strcmp(name, "/ignore-small") == 0)
        return ignore(send_file(x, SMALL, SIZE - 10, SMALL));
    if (strcmp(name, "/pipe") == 0)
        return send_pipe(x, SIZE);
    if (strcmp(name, "/pipe-small") == 0)
        return send_pipe(x, SMALL);
    if (strcmp(name, "/closed") == 0)
        return send_other(x, -1, SIZE);
    return sill_http_response_send(x, 404, NULL, 0, SILL_NEVER);
}

static char *ask(const struct kit *kit, const char *line)
{
    char request[128];
    snprintf(request, sizeof(request), "%s\r\n" LAST, line);
    return peer_ask(kit, request);
}

/* ---- what arrives ---- */

static void check_body(const char *text, size_t offset, size_t size)
{
    ck_assert_int_eq(status_of(text), 200);
    ck_assert_uint_eq(strlen(body_of(text)), size);
    ck_assert(memcmp(body_of(text), content + offset, size) == 0);
}

CASE(piece_of_a_file_is_the_body)
{
    struct kit kit = {0};
    kit_start(&kit, answer, NULL);
    char *text = ask(&kit, "GET /all HTTP/1.1");
    check_body(text, 0, SIZE);
    free(text);
    text = ask(&kit, "GET /small HTTP/1.1");
    check_body(text, 7, SMALL);
    free(text);
    text = ask(&kit, "GET /none HTTP/1.1");
    check_body(text, 0, 0);
    free(text);
    return kit_stop(&kit);
}

CASE(files_and_other_bytes_make_one_body)
{
    struct kit kit = {0};
    kit_start(&kit, answer, NULL);
    char *text = ask(&kit, "GET /between HTTP/1.1");
    const char *body = body_of(text);
    ck_assert_uint_eq(strlen(body), SIZE + 6);
    ck_assert(memcmp(body, "one", 3) == 0);
    ck_assert(memcmp(body + 3, content, SIZE) == 0);
    ck_assert_str_eq(body + 3 + SIZE, "two");
    free(text);
    return kit_stop(&kit);
}

/* sill_http.h, response_file: "Short ones wait, as other short bodies do". */
CASE(answers_with_files_keep_their_order)
{
    struct kit kit = {0};
    struct peer peer;
    kit_start(&kit, answer, NULL);
    peer_open(&peer, &kit);
    peer_say(&peer, "GET /small HTTP/1.1\r\n" HEAD "GET /all HTTP/1.1\r\n" HEAD
                    "GET /small HTTP/1.1\r\n" LAST);
    peer_read_end(&peer);
    const char *body = body_of(peer.text);
    ck_assert(memcmp(body, content + 7, SMALL) == 0);
    body = body_of(body + SMALL);
    ck_assert(memcmp(body, content, SIZE) == 0);
    body = body_of(body + SIZE);
    ck_assert_uint_eq(strlen(body), SMALL);
    ck_assert(memcmp(body, content + 7, SMALL) == 0);
    peer_close(&peer);
    return kit_stop(&kit);
}

CASE(file_of_unknown_length_goes_out_in_chunks)
{
    struct kit kit = {0};
    kit_start(&kit, answer, NULL);
    char *text = ask(&kit, "GET /chunks HTTP/1.1");
    ck_assert(has_line(text, "Transfer-Encoding: chunked"));
    const char *body = body_of(text);
    ck_assert(strncmp(body, "4000\r\n", 6) == 0);
    ck_assert(memcmp(body + 6, content + 5, 16384) == 0);
    ck_assert_int_eq(count_of(body, "\r\n0\r\nSum: abc\r\n\r\n"), 1);
    free(text);
    text = ask(&kit, "GET /chunks HTTP/1.0");
    check_body(text, 5, 40000);
    free(text);
    return kit_stop(&kit);
}

/* "Is sill_http_response_write", which drops and counts what has no body. */
CASE(answers_without_a_body_have_no_file)
{
    struct kit kit = {0};
    kit_start(&kit, answer, NULL);
    char *text = ask(&kit, "HEAD /all HTTP/1.1");
    ck_assert(has_line(text, "Content-Length: 400000"));
    ck_assert_str_eq(body_of(text), "");
    free(text);
    text = ask(&kit, "HEAD /twice HTTP/1.1");
    ck_assert_str_eq(body_of(text), "");
    ck_assert_int_eq(seen, SILL_EMSGSIZE);
    free(text);
    text = ask(&kit, "GET /304 HTTP/1.1");
    ck_assert_int_eq(status_of(text), 304);
    ck_assert_str_eq(body_of(text), "");
    free(text);
    return kit_stop(&kit);
}

/* "SILL_EINVAL before the begin; SILL_EMSGSIZE for more than the length that
 * was given, with nothing sent". */
CASE(handler_that_breaks_its_promises_is_told)
{
    struct kit kit = {0};
    kit_start(&kit, answer, NULL);
    char *text = ask(&kit, "GET /before HTTP/1.1");
    check_body(text, 0, SMALL);
    ck_assert_int_eq(seen, SILL_EINVAL);
    free(text);
    text = ask(&kit, "GET /too-much HTTP/1.1");
    check_body(text, 0, SMALL);
    ck_assert_int_eq(seen, SILL_EMSGSIZE);
    free(text);
    return kit_stop(&kit);
}

/* ---- what is no such file ---- */

/* The head was sent when it turned out, and the end tells. */
static void check_cut(const struct kit *kit, const char *line, size_t sent)
{
    char *text = ask(kit, line);
    ck_assert_int_eq(status_of(text), 200);
    ck_assert(has_line(text, "Content-Length: 400000"));
    ck_assert_uint_eq(strlen(body_of(text)), sent);
    free(text);
}

/* "SILL_EIO for a file that is shorter than that, after which the connection
 * ends", also under a handler that does not care. */
CASE(file_that_is_too_short_ends_the_connection)
{
    struct kit kit = {0};
    kit_start(&kit, answer, NULL);
    check_cut(&kit, "GET /short HTTP/1.1", SIZE - 10);
    ck_assert_uint_eq(kit.server.stats.failed, 1);
    check_cut(&kit, "GET /ignore HTTP/1.1", SIZE - 10);
    ck_assert_int_eq(seen, SILL_EIO);
    char *text = ask(&kit, "GET /short-chunks HTTP/1.1");
    ck_assert_int_eq(count_of(text, "\r\n0\r\n"), 0);
    free(text);
    return kit_stop(&kit);
}

CASE(file_that_is_no_file_ends_the_connection)
{
    struct kit kit = {0};
    kit_start(&kit, answer, NULL);
    check_cut(&kit, "GET /pipe HTTP/1.1", 0);
    check_cut(&kit, "GET /closed HTTP/1.1", 0);
    return kit_stop(&kit);
}

/* Where nothing was sent, the server still answers. */
CASE(short_answer_without_its_file_is_500)
{
    static const char *const lines[] = {"GET /short-small HTTP/1.1",
                                        "GET /ignore-small HTTP/1.1",
                                        "GET /pipe-small HTTP/1.1"};
    struct kit kit = {0};
    kit_start(&kit, answer, NULL);
    for (size_t i = 0; i < 3; i++) {
        char *text = ask(&kit, lines[i]);
        ck_assert_int_eq(status_of(text), 500);
        ck_assert_int_eq(count_of(text, "HTTP/1.1"), 1);
        free(text);
    }
    return kit_stop(&kit);
}

CASE(lack_of_memory_is_500)
{
    struct kit kit = {0};
    struct peer peer;
    kit_start(&kit, answer, NULL);
    peer_open(&peer, &kit);
    peer_say(&peer, "GET /none HTTP/1.1\r\n" HEAD);
    peer_read_until(&peer, "\r\n\r\n", 1);
    peer_forget(&peer);
    blocks_fail(1);
    peer_say(&peer, "GET /chunks HTTP/1.1\r\n" HEAD);
    peer_read_end(&peer);
    ck_assert(blocks_failed());
    blocks_fail(0);
    ck_assert_int_eq(status_of(peer.text), 500);
    peer_close(&peer);
    return kit_stop(&kit);
}

int main(void)
{
    Suite *suite = suite_create("http answers with files");
    TCase *cases = tcase_create("server");
    tcase_set_timeout(cases, 60);
    tcase_add_checked_fixture(cases, make_content, drop_content);
    tcase_add_test(cases, piece_of_a_file_is_the_body);
    tcase_add_test(cases, files_and_other_bytes_make_one_body);
    tcase_add_test(cases, answers_with_files_keep_their_order);
    tcase_add_test(cases, file_of_unknown_length_goes_out_in_chunks);
    tcase_add_test(cases, answers_without_a_body_have_no_file);
    tcase_add_test(cases, handler_that_breaks_its_promises_is_told);
    tcase_add_test(cases, file_that_is_too_short_ends_the_connection);
    tcase_add_test(cases, file_that_is_no_file_ends_the_connection);
    tcase_add_test(cases, short_answer_without_its_file_is_500);
    tcase_add_test(cases, lack_of_memory_is_500);
    suite_add_tcase(suite, cases);

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
