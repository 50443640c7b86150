/* SPDX-License-Identifier: MIT */
/*
 * Files in a simulated world: what time it is and what is random are the
 * world's. Linked with a backend that has one.
 */
#include "sill_http.h"

#include <sill/sill.h>
#include <sill/sim.h>

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SIZE = 1000, MUCH = 4096, LARGE = 8 << 20 };

/* Half a year after the world's begin, and before that of any machine. */
#define MODIFIED 1782000000

static char folder[] = "/tmp/sill-files-XXXXXX";

static void make_file(void)
{
    const struct timespec times[] = {{MODIFIED, 0}, {MODIFIED, 0}};
    char path[64], bytes[SIZE];

    ck_assert_ptr_nonnull(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/file", folder);

    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    memset(bytes, 'a', sizeof(bytes));
    ck_assert_int_eq(write(fd, bytes, sizeof(bytes)), SIZE);
    ck_assert_int_eq(futimens(fd, times), 0);
    ck_assert_int_eq(close(fd), 0);

    (void)snprintf(path, sizeof(path), "%s/large", folder);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_eq(ftruncate(fd, LARGE), 0);
    ck_assert_int_eq(close(fd), 0);
}

static void remove_file(void)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "%s/file", folder);
    ck_assert_int_eq(unlink(path), 0);
    (void)snprintf(path, sizeof(path), "%s/large", folder);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(rmdir(folder), 0);
}

/* A request with (headers), and what was answered. */
struct question {
    struct sill_http_header headers[2];
    size_t count;
    int status;
    char type[128], body[MUCH];
    struct sill_trigger stop;
};

static void take(struct question *question, struct sill_http_call *call)
{
    const struct sill_http_head *head;
    size_t sofar = 0;
    ssize_t got;

    ck_assert_int_eq(sill_http_call_response(call, &head, SILL_NEVER), 0);

    struct sill_http_view type = sill_http_header_find(
        head->headers, head->header_count, "Content-Type");

    question->status = head->status;
    (void)snprintf(question->type, sizeof(question->type), "%.*s",
                   (int)type.size, type.at);
    while ((got = sill_http_call_read(call, question->body + sofar,
                                      MUCH - sofar, SILL_NEVER)) > 0)
        sofar += (size_t)got;
    ck_assert_int_eq((int)got, 0);
}

static int ask(void *arg)
{
    struct question *question = arg;
    struct sill_http_call_options options = {.headers = question->headers,
                                             .header_count = question->count};
    struct sill_http_client client = {0};
    struct sill_http_call *call;

    ck_assert_int_eq(sill_http_call_open(&client, "http://127.0.0.1/file",
                                         &options, &call, SILL_NEVER),
                     0);
    take(question, call);
    sill_http_call_close(call);
    sill_http_client_close(&client);
    sill_resume(&question->stop, 0);
    return 0;
}

static int serve_and_ask(void *arg)
{
    struct question *question = arg;
    struct sill_http_files files;
    struct sill_http_server server = {.handler = sill_http_files_handle,
                                      .arg = &files,
                                      .stop = &question->stop};
    struct sill_listener listener;
    struct sill_address address;
    struct sill_task *task;

    ck_assert_int_eq(sill_http_files_open(&files, folder), 0);
    ck_assert_int_eq(sill_address_ip(&address, "127.0.0.1", 80), 0);
    ck_assert_int_eq(sill_listener_listen(&listener, &address, NULL), 0);
    ck_assert_int_eq(sill_spawn(ask, question, &task), 0);
    ck_assert_int_eq(sill_http_serve(&server, &listener, SILL_NEVER), 0);
    ck_assert_int_eq(sill_await(task, NULL, SILL_NEVER), 0);
    sill_http_files_close(&files);
    return 0;
}

static void run(struct question *question, uint64_t seed)
{
    struct sill_sim_options options;

    sill_sim_options_init(&options, seed);
    sill_trigger_init(&question->stop, NULL, NULL);
    ck_assert_int_eq(sill_sim_run(&options, serve_and_ask, question, NULL), 0);
}

/* To whom the file has not rested yet, its date is no good. */
START_TEST(conditions_ask_the_calendar_of_the_world)
{
    char date[SILL_HTTP_DATE_SIZE];
    struct question question = {
        .headers = {{SILL_HTTP_VIEW_INIT("Range"),
                     SILL_HTTP_VIEW_INIT("bytes=1-9")},
                    {SILL_HTTP_VIEW_INIT("If-Range"), {date, sizeof(date)}}},
        .count = 2};

    sill_http_date_format(MODIFIED, date);
    run(&question, 1);
    ck_assert_int_eq(question.status, 200);
    ck_assert_uint_eq(strlen(question.body), SIZE);
}

END_TEST

static const struct question parts = {
    .headers = {{SILL_HTTP_VIEW_INIT("Range"),
                 SILL_HTTP_VIEW_INIT("bytes=1-9,500-509")}},
    .count = 1};

START_TEST(boundaries_are_as_random_as_the_world)
{
    struct question first = parts, again = parts, other = parts;

    run(&first, 1);
    run(&again, 1);
    run(&other, 2);
    ck_assert_int_eq(first.status, 206);
    ck_assert_str_eq(first.type, again.type);
    ck_assert_str_eq(first.body, again.body);
    ck_assert_str_ne(first.type, other.type);
    ck_assert_str_ne(first.body, other.body);
}

END_TEST

/* A client that takes (step) bytes and then rests. */
struct slow {
    size_t step;
    sill_duration rest;
    size_t got;
    uint64_t late;
    struct sill_trigger stop;
};

static const char request[] =
    "GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

static int take_slowly(void *arg)
{
    static char piece[1 << 20];
    struct slow *slow = arg;
    struct sill_address address;
    struct sill_stream stream;
    ssize_t got = 0;

    ck_assert_int_eq(sill_address_ip(&address, "127.0.0.1", 80), 0);
    ck_assert_int_eq(sill_stream_connect(&stream, &address, NULL, SILL_NEVER),
                     0);
    ck_assert_int_eq(sill_stream_write_all(&stream, request,
                                           sizeof(request) - 1, NULL,
                                           SILL_NEVER),
                     0);
    do {
        slow->got += (size_t)got;
        ck_assert_int_eq(sill_sleep(sill_after(slow->rest)), 0);
        got = sill_stream_read(&stream, piece, slow->step, SILL_NEVER);
    } while (got > 0);
    sill_stream_close(&stream);
    sill_resume(&slow->stop, 0);
    return 0;
}

static int serve_slowly(void *arg)
{
    struct slow *slow = arg;
    struct sill_http_files files;
    struct sill_http_server server = {.handler = sill_http_files_handle,
                                      .arg = &files,
                                      .write_timeout = 30 * SILL_SECOND,
                                      .stop = &slow->stop};
    struct sill_listener listener;
    struct sill_address address;
    struct sill_task *task;

    ck_assert_int_eq(sill_http_files_open(&files, folder), 0);
    ck_assert_int_eq(sill_address_ip(&address, "127.0.0.1", 80), 0);
    ck_assert_int_eq(sill_listener_listen(&listener, &address, NULL), 0);
    ck_assert_int_eq(sill_spawn(take_slowly, slow, &task), 0);
    ck_assert_int_eq(sill_http_serve(&server, &listener, SILL_NEVER), 0);
    ck_assert_int_eq(sill_await(task, NULL, SILL_NEVER), 0);
    sill_http_files_close(&files);
    slow->late = server.stats.late;
    return 0;
}

static void read_slowly(struct slow *slow, size_t step, sill_duration rest)
{
    struct sill_sim_options options;

    *slow = (struct slow){.step = step, .rest = rest};
    sill_sim_options_init(&options, 1);
    sill_trigger_init(&slow->stop, NULL, NULL);
    ck_assert_int_eq(sill_sim_run(&options, serve_slowly, slow, NULL), 0);
}

/* write_timeout: "waiting in all per 64 KiB sent; 30 s". */
START_TEST(patience_with_a_reader_is_by_what_it_takes)
{
    struct slow slow;

    read_slowly(&slow, 65536, 20 * SILL_SECOND);
    ck_assert_uint_eq(slow.late, 0);
    ck_assert_uint_gt(slow.got, LARGE);
    read_slowly(&slow, 16384, 20 * SILL_SECOND);
    ck_assert_uint_eq(slow.late, 1);
    ck_assert_uint_lt(slow.got, LARGE);
    read_slowly(&slow, 1, 100 * SILL_SECOND);
    ck_assert_uint_eq(slow.late, 1);
}

END_TEST

int main(void)
{
    TCase *cases = tcase_create("files");
    Suite *suite = suite_create("http files in a world");
    SRunner *runner = srunner_create(suite);

    tcase_add_unchecked_fixture(cases, make_file, remove_file);
    tcase_add_test(cases, conditions_ask_the_calendar_of_the_world);
    tcase_add_test(cases, boundaries_are_as_random_as_the_world);
    tcase_add_test(cases, patience_with_a_reader_is_by_what_it_takes);
    suite_add_tcase(suite, cases);
    srunner_run_all(runner, CK_ENV);

    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed != 0;
}
