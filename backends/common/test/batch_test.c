/* SPDX-License-Identifier: MIT */
/*
 * What is promised of writes that leave in batches, and of what fails on their
 * way.
 */
#include "batch_calls.h"

#include <sill/sill.h>

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WRITERS = 100 };

static enum sill_batch mode;

static int run(sill_task_fn *fn, void *arg)
{
    struct sill_run_options options = {.batch = mode};

    return sill_run_with(&options, fn, arg);
}

static int do_nothing(void *arg)
{
    (void)arg;
    return 0;
}

static int insist(void)
{
    mode = SILL_BATCH_ALWAYS;
    return run(do_nothing, NULL);
}

static int count_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int count = 0;

    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

static void set_up(void)
{
    memset(&calls, 0, sizeof(calls));
    mode = SILL_BATCH_AUTO;
}

/* Writers: each writes its number to a stream of its own. */

struct writer {
    struct sill_stream stream;
    struct sill_task *task;
    int number, peer;
    ssize_t result;
};

static struct writer writers[WRITERS];

static void open_writer(struct writer *w)
{
    int ends[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    ck_assert_int_eq(sill_stream_adopt(&w->stream, ends[0]), 0);
    w->peer = ends[1];
    w->number = (int)(w - writers);
    w->result = 0;
}

static void close_writer(struct writer *w)
{
    sill_stream_close(&w->stream);
    close(w->peer);
}

static int write_number(void *arg)
{
    struct writer *w = arg;

    w->result = sill_stream_write(&w->stream, &w->number, sizeof(w->number),
                                  SILL_NEVER);
    return 0;
}

static bool has_arrived(const struct writer *w)
{
    int number = -1;
    ssize_t n = recv(w->peer, &number, sizeof(number), MSG_DONTWAIT);

    return n == sizeof(number) && number == w->number;
}

static int write_all_in_one_round(void *arg)
{
    int count = *(int *)arg;

    for (int i = 0; i < count; i++) {
        open_writer(&writers[i]);
        ck_assert_int_eq(
            sill_spawn(write_number, &writers[i], &writers[i].task), 0);
    }
    for (int i = 0; i < count; i++)
        ck_assert_int_eq(sill_await(writers[i].task, NULL, SILL_NEVER), 0);
    for (int i = 0; i < count; i++) {
        ck_assert_int_eq((int)writers[i].result, (int)sizeof(int));
        ck_assert(has_arrived(&writers[i]));
        close_writer(&writers[i]);
    }
    return 0;
}

static void write_of(int count)
{
    int before = count_descriptors();

    ck_assert_int_eq(run(write_all_in_one_round, &count), 0);
    ck_assert_int_eq(count_descriptors(), before);
}

START_TEST(what_a_round_writes_leaves_in_one_call)
{
    write_of(30);
    ck_assert_int_eq(calls.enters, 1);
    ck_assert_int_eq(calls.alone, 0);
}

END_TEST

START_TEST(who_writes_alone_makes_his_own_call)
{
    write_of(1);
    write_of(2);
    ck_assert_int_eq(calls.enters, 0);
    ck_assert_int_eq(calls.alone, 3);
}

END_TEST

START_TEST(more_than_the_ring_holds_leave_in_several_calls)
{
    write_of(WRITERS);
    ck_assert_int_eq(calls.enters, 4);
    ck_assert_int_eq(calls.alone, 0);
}

END_TEST

START_TEST(never_means_never)
{
    mode = SILL_BATCH_NEVER;
    write_of(WRITERS);
    ck_assert_int_eq(calls.setups, 0);
    ck_assert_int_eq(calls.alone, WRITERS);
}

END_TEST

START_TEST(always_means_each)
{
    mode = SILL_BATCH_ALWAYS;
    write_of(1);
    ck_assert_int_eq(calls.enters, 1);
    ck_assert_int_eq(calls.alone, 0);
}

END_TEST

/* What the system refuses. */

static const int refusals[][2] = {
    {ENOSYS, SILL_EOPNOTSUPP}, {EPERM, SILL_EOPNOTSUPP},
    {EINVAL, SILL_EOPNOTSUPP}, {ENOMEM, SILL_ENOMEM},
    {EMFILE, SILL_EMFILE},     {ENFILE, SILL_EMFILE}};

START_TEST(a_refused_ring_is_asked_for_once)
{
    calls.setup_error = refusals[_i][0];
    write_of(WRITERS);
    ck_assert_int_eq(calls.setups, 1);
    ck_assert_int_eq(calls.alone, WRITERS);
    ck_assert_int_eq(insist(), refusals[_i][1]);
}

END_TEST

START_TEST(a_ring_that_cannot_be_mapped_is_refused)
{
    int before = count_descriptors();

    calls.map_that_fails = _i;
    write_of(WRITERS);
    ck_assert_int_eq(calls.setups, 1);
    ck_assert_int_eq(calls.alone, WRITERS);
    calls.map_that_fails = _i;
    ck_assert_int_eq(insist(), SILL_ENOMEM);
    ck_assert_int_eq(count_descriptors(), before);
}

END_TEST

/* What fails on the way. */

START_TEST(a_call_that_fails_loses_nothing)
{
    calls.enter_error = ENOMEM;
    write_of(30);
    ck_assert_int_eq(calls.alone, 1);
    ck_assert_int_eq(calls.enters, 2);
}

END_TEST

START_TEST(a_call_that_takes_a_part_loses_nothing)
{
    calls.most = 7;
    write_of(30);
    ck_assert_int_eq(calls.alone, 0);
    ck_assert_int_eq(calls.enters, 5);
}

END_TEST

START_TEST(an_interrupt_is_not_seen)
{
    calls.enter_error = EINTR;
    calls.alone_error = EINTR;
    write_of(30);
    ck_assert_int_eq(calls.alone, 2);
}

END_TEST

START_TEST(what_the_kernel_finishes_later_is_waited_for)
{
    calls.later = true;
    write_of(WRITERS);
    ck_assert_int_eq(calls.alone, 0);
}

END_TEST

/* What others do while a write is in the batch. */

static int write_to_full(void *arg)
{
    struct writer *w = arg;
    static char much[1 << 20];

    w->result = sill_stream_write(&w->stream, much, sizeof(much), SILL_NEVER);
    return 0;
}

static void begin(struct writer *w, sill_task_fn *fn)
{
    ck_assert_int_eq(sill_spawn(fn, w, &w->task), 0);
}

static void expect_result(struct writer *w, ssize_t result)
{
    ck_assert_int_eq(sill_await(w->task, NULL, SILL_NEVER), 0);
    ck_assert_int_eq((int)w->result, (int)result);
}

static int close_it(void *arg)
{
    struct writer *w = arg;

    ck_assert_int_eq((int)w->result, 0);
    sill_stream_close(&w->stream);
    ck_assert(has_arrived(w));
    return 0;
}

static int shut_it(void *arg)
{
    struct writer *w = arg;

    ck_assert_int_eq((int)w->result, 0);
    ck_assert_int_eq(sill_stream_shutdown(&w->stream, SILL_NEVER), 0);
    ck_assert(has_arrived(w));
    return 0;
}

static int end_while_it_is_in(sill_task_fn *end)
{
    struct sill_task *other;

    open_writer(writers);
    begin(writers, write_number);
    ck_assert_int_eq(sill_spawn(end, writers, &other), 0);
    expect_result(writers, sizeof(int));
    ck_assert_int_eq(sill_await(other, NULL, SILL_NEVER), 0);
    close_writer(writers);
    return 0;
}

static int close_while_it_is_in(void *arg)
{
    (void)arg;
    return end_while_it_is_in(close_it);
}

static int shut_while_it_is_in(void *arg)
{
    (void)arg;
    return end_while_it_is_in(shut_it);
}

START_TEST(a_close_comes_after_it)
{
    mode = SILL_BATCH_ALWAYS;
    ck_assert_int_eq(run(close_while_it_is_in, NULL), 0);
}

END_TEST

START_TEST(a_shutdown_comes_after_it)
{
    mode = SILL_BATCH_ALWAYS;
    ck_assert_int_eq(run(shut_while_it_is_in, NULL), 0);
}

END_TEST

static int fill_up(struct writer *w)
{
    int rc;

    do {
        begin(w, write_to_full);
        rc = sill_await(w->task, NULL, sill_after(SILL_MILLISECOND));
    } while (rc == 0);
    ck_assert_int_eq(rc, SILL_ETIMEDOUT);
    sill_cancel(w->task, SILL_NEVER);
    ck_assert_int_eq((int)w->result, SILL_ECANCELED);
    return 0;
}

static int close_full(void *arg)
{
    struct writer *w = arg;

    sill_stream_close(&w->stream);
    return 0;
}

static int close_while_it_is_in_vain(void *arg)
{
    struct sill_task *other;

    (void)arg;
    open_writer(writers);
    fill_up(writers);
    begin(writers, write_to_full);
    ck_assert_int_eq(sill_spawn(close_full, writers, &other), 0);
    expect_result(writers, SILL_ECLOSED);
    ck_assert_int_eq(sill_await(other, NULL, SILL_NEVER), 0);
    close(writers[0].peer);
    return 0;
}

START_TEST(one_that_moved_nothing_hears_of_the_close)
{
    mode = SILL_BATCH_ALWAYS;
    ck_assert_int_eq(run(close_while_it_is_in_vain, NULL), 0);
}

END_TEST

static int drain_later(void *arg)
{
    struct writer *w = arg;
    static char buffer[1 << 16];

    ck_assert_int_eq((int)w->result, 0);
    while (recv(w->peer, buffer, sizeof(buffer), MSG_DONTWAIT) > 0)
        continue;
    return 0;
}

static int wait_for_room(void *arg)
{
    struct sill_task *other;

    (void)arg;
    open_writer(writers);
    fill_up(writers);
    writers[0].result = 0;
    begin(writers, write_to_full);
    sill_yield();
    ck_assert_int_eq(sill_spawn(drain_later, writers, &other), 0);
    ck_assert_int_eq(sill_await(other, NULL, SILL_NEVER), 0);
    ck_assert_int_eq(sill_await(writers[0].task, NULL, SILL_NEVER), 0);
    ck_assert_int_gt((int)writers[0].result, 0);
    close_writer(writers);
    return 0;
}

START_TEST(one_that_finds_no_room_waits_for_it)
{
    mode = SILL_BATCH_ALWAYS;
    ck_assert_int_eq(run(wait_for_room, NULL), 0);
}

END_TEST

static int write_twice(void *arg)
{
    struct writer *w = arg;
    char byte = 0;

    write_number(w);
    return (int)sill_stream_write(&w->stream, &byte, 1, SILL_NEVER);
}

static int cancel_while_it_is_in(void *arg)
{
    struct writer *w = writers;

    (void)arg;
    open_writer(w);
    begin(w, write_twice);
    sill_yield();
    ck_assert_int_eq((int)w->result, 0);
    ck_assert_int_eq(sill_cancel(w->task, SILL_NEVER), 0);
    ck_assert_int_eq((int)w->result, (int)sizeof(int));
    ck_assert(has_arrived(w));
    ck_assert(!has_arrived(w));
    close_writer(w);
    return 0;
}

START_TEST(a_cancel_comes_after_it)
{
    mode = SILL_BATCH_ALWAYS;
    ck_assert_int_eq(run(cancel_while_it_is_in, NULL), 0);
}

END_TEST

static int fork_while_it_is_in(void *arg)
{
    struct writer *w = writers;
    int status;

    (void)arg;
    open_writer(w);
    begin(w, write_number);
    sill_yield();
    ck_assert_int_eq((int)w->result, 0);

    pid_t child = fork();

    if (child == 0) {
        if (sill_stream_shutdown(&w->stream, SILL_NEVER) < 0)
            _exit(2);
        sill_stream_close(&w->stream);
        _exit(has_arrived(w));
    }
    ck_assert_int_eq((int)waitpid(child, &status, 0), (int)child);
    ck_assert_int_eq(status, 0);
    expect_result(w, SILL_EPIPE);
    close_writer(w);
    return 0;
}

START_TEST(a_forked_child_sends_nothing)
{
    mode = SILL_BATCH_ALWAYS;
    ck_assert_int_eq(run(fork_while_it_is_in, NULL), 0);
}

END_TEST

static int write_in_the_past(void *arg)
{
    struct writer *w = writers;
    sill_time past[] = {SILL_PAST, sill_now()};

    (void)arg;
    open_writer(w);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq((int)sill_stream_write(&w->stream, &w->number,
                                                sizeof(int), past[i]),
                         (int)sizeof(int));
        ck_assert_int_eq(calls.alone, i + 1);
        ck_assert(has_arrived(w));
    }
    close_writer(w);
    return 0;
}

START_TEST(a_deadline_that_is_past_waits_for_no_batch)
{
    mode = SILL_BATCH_ALWAYS;
    ck_assert_int_eq(run(write_in_the_past, NULL), 0);
    ck_assert_int_eq(calls.enters, 0);
}

END_TEST

static int write_pieces_to_nobody(void *arg)
{
    struct writer *w = writers;
    int halves[2] = {0, 0};
    struct iovec pieces[] = {{halves, 2}, {halves, 2}};

    (void)arg;
    open_writer(w);
    ck_assert_int_eq((int)sill_stream_writev(&w->stream, pieces, 2, SILL_NEVER),
                     4);
    ck_assert(has_arrived(w));
    shutdown(w->peer, SHUT_RDWR);
    ck_assert_int_eq((int)sill_stream_writev(&w->stream, pieces, 2, SILL_NEVER),
                     SILL_EPIPE);
    close_writer(w);
    return 0;
}

START_TEST(pieces_leave_together_and_errors_come_back)
{
    mode = SILL_BATCH_ALWAYS;
    ck_assert_int_eq(run(write_pieces_to_nobody, NULL), 0);
    ck_assert_int_eq(calls.enters, 2);
    ck_assert_int_eq(calls.alone, 0);
}

END_TEST

static int write_very_much(void *arg)
{
    size_t size = (size_t)1 << 32;
    void *much = mmap(NULL, size, PROT_READ,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    (void)arg;
    ck_assert_ptr_ne(much, MAP_FAILED);
    open_writer(writers);
    ck_assert_int_gt(
        (int)sill_stream_write(&writers[0].stream, much, size, SILL_NEVER), 0);
    close_writer(writers);
    munmap(much, size);
    return 0;
}

START_TEST(a_size_may_have_more_than_32_bits)
{
    mode = SILL_BATCH_ALWAYS;
    ck_assert_int_eq(run(write_very_much, NULL), 0);
}

END_TEST

static void add_refusals(TCase *cases)
{
    tcase_add_loop_test(cases, a_refused_ring_is_asked_for_once, 0,
                        sizeof(refusals) / sizeof(refusals[0]));
    tcase_add_test(cases, never_means_never);
}

static void add_batches(TCase *cases)
{
    tcase_add_test(cases, what_a_round_writes_leaves_in_one_call);
    tcase_add_test(cases, who_writes_alone_makes_his_own_call);
    tcase_add_test(cases, more_than_the_ring_holds_leave_in_several_calls);
    tcase_add_test(cases, always_means_each);
    tcase_add_loop_test(cases, a_ring_that_cannot_be_mapped_is_refused, 1, 3);
    tcase_add_test(cases, a_call_that_fails_loses_nothing);
    tcase_add_test(cases, a_call_that_takes_a_part_loses_nothing);
    tcase_add_test(cases, an_interrupt_is_not_seen);
    tcase_add_test(cases, what_the_kernel_finishes_later_is_waited_for);
    tcase_add_test(cases, a_close_comes_after_it);
    tcase_add_test(cases, a_shutdown_comes_after_it);
    tcase_add_test(cases, one_that_moved_nothing_hears_of_the_close);
    tcase_add_test(cases, one_that_finds_no_room_waits_for_it);
    tcase_add_test(cases, a_cancel_comes_after_it);
    tcase_add_test(cases, a_forked_child_sends_nothing);
    tcase_add_test(cases, a_deadline_that_is_past_waits_for_no_batch);
    tcase_add_test(cases, a_size_may_have_more_than_32_bits);
    tcase_add_test(cases, pieces_leave_together_and_errors_come_back);
}

int main(void)
{
    Suite *suite = suite_create("batch");
    TCase *cases = tcase_create("batches");
    bool is_there = insist() == 0;

    tcase_set_timeout(cases, 60);
    tcase_add_checked_fixture(cases, set_up, NULL);
    add_refusals(cases);
    if (is_there)
        add_batches(cases);
    suite_add_tcase(suite, cases);

    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_NORMAL);

    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    if (failed > 0)
        return EXIT_FAILURE;
    return is_there ? EXIT_SUCCESS : 77;
}
