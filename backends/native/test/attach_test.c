/* SPDX-License-Identifier: MIT */
/*
 * What <sill/embed.h> promises beside <sill/guest.h>, sentence by sentence.
 */
#include <sill/embed.h>
#include <sill/sill.h>

#include <check.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct sill_guest *guest;
static sill_time when;
static int calls; /* of (earlier) */
static int dones;

static void on_earlier(void *arg, sill_time sooner)
{
    ck_assert_ptr_eq(arg, &when);
    when = sooner;
    calls++;
}

static void set_up(void)
{
    when = SILL_NEVER;
    calls = dones = 0;
    ck_assert_int_eq(sill_embed_attach(on_earlier, &when, NULL, &guest), 0);
}

static void tear_down(void)
{
    if (guest)
        ck_assert_int_eq(sill_guest_detach(guest), 0);
}

static void on_done(void *arg, int result)
{
    (void)arg;
    (void)result;
    dones++;
}

static void start(sill_task_fn *fn, void *arg)
{
    ck_assert_int_eq(sill_guest_start(guest, fn, arg, on_done, NULL), 0);
}

static int return_at_once(void *arg)
{
    (void)arg;
    return 0;
}

static bool is_readable(int timeout)
{
    struct pollfd entry = {sill_embed_fd(guest), POLLIN, 0};

    return poll(&entry, 1, timeout) == 1;
}

/* The loop that the header shows. */
static void run(void)
{
    while (sill_guest_is_busy(guest)) {
        struct pollfd entry = {sill_embed_fd(guest), POLLIN, 0};

        (void)poll(&entry, 1, sill_embed_timeout(when));
        when = sill_embed_step(guest);
    }
}

START_TEST(attach_needs_somebody_to_tell)
{
    struct sill_guest *none = NULL;

    ck_assert_int_eq(sill_embed_attach(NULL, NULL, NULL, &none), SILL_EINVAL);
    ck_assert_ptr_null(none);
}

END_TEST

START_TEST(a_step_with_nothing_due_is_harmless)
{
    int fd = sill_embed_fd(guest);

    for (int i = 0; i < 3; i++)
        ck_assert(sill_embed_step(guest) == SILL_NEVER);
    ck_assert_int_eq(sill_embed_fd(guest), fd);
    ck_assert(!is_readable(0));
    ck_assert_int_eq(calls, 0);
}

END_TEST

START_TEST(start_asks_for_a_step_once)
{
    ck_assert(!sill_guest_is_busy(guest));
    start(return_at_once, NULL);
    ck_assert(sill_guest_is_busy(guest));
    ck_assert_int_eq(calls, 1);
    ck_assert(when == SILL_PAST);
    start(return_at_once, NULL);
    ck_assert_int_eq(calls, 1);
    ck_assert(sill_embed_step(guest) == SILL_NEVER);
    ck_assert_int_eq(dones, 2);
    start(return_at_once, NULL);
    ck_assert_int_eq(calls, 2);
    run();
}

END_TEST

static sill_time deadline;

static int sleep_until_deadline(void *arg)
{
    (void)arg;
    return sill_sleep(deadline);
}

START_TEST(instants_are_those_of_the_monotonic_clock)
{
    struct timespec before, after;

    (void)clock_gettime(CLOCK_MONOTONIC, &before);

    sill_time now = sill_now();

    (void)clock_gettime(CLOCK_MONOTONIC, &after);
    ck_assert(before.tv_sec * SILL_SECOND + before.tv_nsec <= now);
    ck_assert(after.tv_sec * SILL_SECOND + after.tv_nsec >= now);
}

END_TEST

START_TEST(a_step_returns_the_next_deadline)
{
    deadline = sill_after(20 * SILL_MILLISECOND);
    start(sleep_until_deadline, NULL);
    ck_assert(sill_embed_step(guest) == deadline);
    ck_assert_int_eq(calls, 1);
    when = deadline;
    run();
    ck_assert_int_eq(dones, 1);
    ck_assert(sill_now() >= deadline);
}

END_TEST

static int start_another(void *arg)
{
    (void)arg;
    start(return_at_once, NULL);
    return 0;
}

START_TEST(a_task_that_starts_tasks_calls_nobody)
{
    start(start_another, NULL);
    (void)sill_embed_step(guest);
    ck_assert_int_eq(calls, 1);
    ck_assert_int_eq(dones, 2);
}

END_TEST

static void start_in_done(void *arg, int result)
{
    (void)arg;
    (void)result;
    start(return_at_once, NULL);
}

START_TEST(a_step_says_that_done_started_a_task)
{
    ck_assert_int_eq(
        sill_guest_start(guest, return_at_once, NULL, start_in_done, NULL), 0);
    ck_assert(sill_embed_step(guest) == SILL_PAST);
    ck_assert_int_eq(calls, 1);
    ck_assert(sill_embed_step(guest) == SILL_NEVER);
    ck_assert_int_eq(dones, 1);
}

END_TEST

static void detach_in_done(void *arg, int result)
{
    (void)arg;
    (void)result;
    ck_assert_int_eq(sill_guest_detach(guest), 0);
}

START_TEST(a_step_may_end_without_its_guest)
{
    struct sill_guest *gone = guest;

    ck_assert_int_eq(
        sill_guest_start(guest, return_at_once, NULL, detach_in_done, NULL), 0);
    ck_assert(sill_embed_step(gone) == SILL_NEVER);
    guest = NULL;
}

END_TEST

static int busy(void *arg)
{
    int *turns = arg;

    while (*turns > 0) {
        (*turns)--;
        (void)sill_yield();
    }
    return 0;
}

START_TEST(a_step_leaves_the_rest_to_the_next_one)
{
    int turns = 5000, steps = 1;

    start(busy, &turns);
    while (sill_embed_step(guest) == SILL_PAST)
        steps++;
    ck_assert_int_gt(steps, 4);
    ck_assert_int_eq(dones, 1);
}

END_TEST

static struct sill_trigger trigger;

static int wait_for_trigger(void *arg)
{
    (void)arg;
    return sill_suspend(&trigger, SILL_NEVER);
}

static void *resume(void *arg)
{
    (void)sill_resume(&trigger, 1);
    return arg;
}

START_TEST(the_descriptor_tells_of_other_threads)
{
    pthread_t thread;

    sill_trigger_init(&trigger, NULL, NULL);
    start(wait_for_trigger, NULL);
    ck_assert(sill_embed_step(guest) == SILL_NEVER);
    ck_assert(!is_readable(0));
    ck_assert_int_eq(pthread_create(&thread, NULL, resume, NULL), 0);
    ck_assert(is_readable(-1));
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    (void)sill_embed_step(guest);
    ck_assert_int_eq(dones, 1);
    ck_assert(!is_readable(0));
}

END_TEST

enum { MANY = 600 };

static int ends[MANY][2];

static int read_one(void *arg)
{
    struct sill_stream stream;
    char byte;

    ck_assert_int_eq(sill_stream_adopt(&stream, *(int *)arg), 0);

    ssize_t n = sill_stream_read(&stream, &byte, 1, SILL_NEVER);

    sill_stream_close(&stream);
    return (int)n;
}

/* More descriptors than one process may have by default in some places. */
static void allow_descriptors(void)
{
    struct rlimit limit;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* Waits edge-triggered, and steps as long as it is asked to. */
static void run_by_edges(int epoll)
{
    struct epoll_event event;

    while (dones < MANY) {
        ck_assert_int_eq(epoll_wait(epoll, &event, 1, 10000), 1);
        while (sill_embed_step(guest) == SILL_PAST)
            continue;
    }
}

START_TEST(an_edge_triggered_host_misses_nothing)
{
    struct epoll_event interest = {.events = EPOLLIN | EPOLLET};
    int epoll = epoll_create1(0);

    allow_descriptors();
    for (int i = 0; i < MANY; i++) {
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends[i]), 0);
        start(read_one, &ends[i][0]);
    }
    while (sill_embed_step(guest) == SILL_PAST)
        continue;
    ck_assert_int_eq(
        epoll_ctl(epoll, EPOLL_CTL_ADD, sill_embed_fd(guest), &interest), 0);
    for (int i = 0; i < MANY; i++)
        ck_assert_int_eq((int)write(ends[i][1], "x", 1), 1);
    run_by_edges(epoll);
    for (int i = 0; i < MANY; i++)
        (void)close(ends[i][1]);
    (void)close(epoll);
}

END_TEST

START_TEST(a_timeout_is_rounded_up)
{
    ck_assert_int_eq(sill_embed_timeout(SILL_NEVER), -1);
    ck_assert_int_eq(sill_embed_timeout(SILL_PAST), 0);
    ck_assert_int_eq(sill_embed_timeout(sill_now()), 0);
    ck_assert_int_eq(sill_embed_timeout(SILL_NEVER - 1), INT_MAX);

    int ms = sill_embed_timeout(sill_after(10 * SILL_SECOND + 1));

    ck_assert_int_le(ms, 10001);
    ck_assert_int_gt(ms, 5000);
    ck_assert_int_eq(sill_embed_timeout(sill_after(SILL_MILLISECOND / 4)) > 1,
                     0);
}

END_TEST

START_TEST(a_forked_child_does_nothing)
{
    int status;

    start(return_at_once, NULL);

    pid_t child = fork();

    if (child == 0)
        _exit(sill_embed_step(guest) == SILL_NEVER && dones == 0 &&
                      sill_embed_fd(guest) == SILL_ENOTASK
                  ? 0
                  : 1);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    run();
    ck_assert_int_eq(dones, 1);
}

END_TEST

static int read_memory(void *stream)
{
    char byte;

    return (int)sill_stream_read(stream, &byte, 1, SILL_NEVER);
}

/* What (earlier) sets may be shared with the parent. */
START_TEST(a_forked_child_calls_nobody)
{
    struct sill_stream a, b;
    int status;

    ck_assert_int_eq(sill_stream_pair(&a, &b, 16), 0);
    start(read_memory, &a);
    (void)sill_embed_step(guest);

    pid_t child = fork();

    if (child == 0) {
        sill_stream_close(&a);
        _exit(calls == 1 ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    sill_stream_close(&a);
    ck_assert_int_eq(calls, 2);
    run();
    ck_assert_int_eq(dones, 1);
    sill_stream_close(&b);
}

END_TEST

static int step_in_task(void *arg)
{
    (void)arg;
    (void)sill_embed_step(guest);
    return 0;
}

static void step_in_done(void *arg, int result)
{
    (void)arg;
    (void)result;
    (void)sill_embed_step(guest);
}

START_TEST(a_step_in_a_task_ends_the_program)
{
    start(step_in_task, NULL);
    (void)sill_embed_step(guest);
}

END_TEST

START_TEST(a_step_in_done_ends_the_program)
{
    ck_assert_int_eq(
        sill_guest_start(guest, return_at_once, NULL, step_in_done, NULL), 0);
    (void)sill_embed_step(guest);
}

END_TEST

static void *look_elsewhere(void *arg)
{
    (void)sill_embed_fd(guest);
    return arg;
}

static void *step_elsewhere(void *arg)
{
    (void)sill_embed_step(guest);
    return arg;
}

static void call_elsewhere(void *(*fn)(void *))
{
    pthread_t thread;

    (void)pthread_create(&thread, NULL, fn, NULL);
    (void)pthread_join(thread, NULL);
}

START_TEST(to_ask_for_the_descriptor_elsewhere_ends_the_program)
{
    call_elsewhere(look_elsewhere);
}

END_TEST

START_TEST(a_step_elsewhere_ends_the_program)
{
    call_elsewhere(step_elsewhere);
}

END_TEST

int main(void)
{
    Suite *suite = suite_create("embed");
    TCase *embed = tcase_create("embed");

    tcase_set_timeout(embed, 60);
    tcase_add_checked_fixture(embed, set_up, tear_down);
    tcase_add_test(embed, attach_needs_somebody_to_tell);
    tcase_add_test(embed, a_step_with_nothing_due_is_harmless);
    tcase_add_test(embed, start_asks_for_a_step_once);
    tcase_add_test(embed, instants_are_those_of_the_monotonic_clock);
    tcase_add_test(embed, a_step_returns_the_next_deadline);
    tcase_add_test(embed, a_task_that_starts_tasks_calls_nobody);
    tcase_add_test(embed, a_step_says_that_done_started_a_task);
    tcase_add_test(embed, a_step_may_end_without_its_guest);
    tcase_add_test(embed, a_step_leaves_the_rest_to_the_next_one);
    tcase_add_test(embed, the_descriptor_tells_of_other_threads);
    tcase_add_test(embed, an_edge_triggered_host_misses_nothing);
    tcase_add_test(embed, a_timeout_is_rounded_up);
    tcase_add_test(embed, a_forked_child_does_nothing);
    tcase_add_test(embed, a_forked_child_calls_nobody);
    tcase_add_test_raise_signal(embed, a_step_in_a_task_ends_the_program,
                                SIGABRT);
    tcase_add_test_raise_signal(embed, a_step_in_done_ends_the_program,
                                SIGABRT);
    tcase_add_test_raise_signal(
        embed, to_ask_for_the_descriptor_elsewhere_ends_the_program, SIGABRT);
    tcase_add_test_raise_signal(embed, a_step_elsewhere_ends_the_program,
                                SIGABRT);
    suite_add_tcase(suite, embed);

    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_NORMAL);

    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
