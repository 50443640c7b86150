/* SPDX-License-Identifier: MIT */
/*
 * What <sill/libuv.h> promises beside <sill/guest.h>, and what libuv's own
 * functions say of a loop with a guest.
 */
#include <sill/libuv.h>
#include <sill/sill.h>

#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

static uv_loop_t loop;
static struct sill_guest *guest;
static int dones, last_result;

static void set_up(void)
{
    ck_assert_int_eq(uv_loop_init(&loop), 0);
    ck_assert_int_eq(sill_libuv_attach(&loop, NULL, &guest), 0);
}

static void tear_down(void)
{
    if (guest)
        ck_assert_int_eq(sill_guest_detach(guest), 0);
    ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
}

static void on_done(void *arg, int result)
{
    (void)arg;
    last_result = result;
    dones++;
}

static int return_at_once(void *arg)
{
    (void)arg;
    return 0;
}

static void start(sill_task_fn *fn, void *arg)
{
    ck_assert_int_eq(sill_guest_start(guest, fn, arg, on_done, NULL), 0);
}

static int sleep_five(void *arg)
{
    (void)arg;
    return sill_sleep(sill_after(5 * SILL_MILLISECOND));
}

START_TEST(attach_needs_a_loop)
{
    struct sill_guest *none = NULL;

    ck_assert_int_eq(sill_libuv_attach(NULL, NULL, &none), SILL_EINVAL);
    ck_assert_ptr_null(none);
}

END_TEST

START_TEST(a_loop_with_a_guest_cannot_be_closed)
{
    start(sleep_five, NULL);
    ck_assert_int_eq(uv_loop_close(&loop), UV_EBUSY);
    ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
    ck_assert_int_eq(dones, 1);
    ck_assert_int_eq(uv_loop_close(&loop), UV_EBUSY);
    ck_assert_int_eq(sill_guest_detach(guest), 0);
    guest = NULL;
    ck_assert_int_eq(uv_loop_close(&loop), UV_EBUSY);
}

END_TEST

START_TEST(the_loop_is_alive_while_a_task_is)
{
    ck_assert(!uv_loop_alive(&loop));
    start(sleep_five, NULL);
    ck_assert(uv_loop_alive(&loop));
    ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
    ck_assert(!uv_loop_alive(&loop));
}

END_TEST

static void on_far(uv_timer_t *timer);

START_TEST(the_loop_may_run_in_pieces)
{
    uv_timer_t timer;

    (void)uv_timer_init(&loop, &timer);
    (void)uv_timer_start(&timer, on_far, 30000, 0);
    start(sleep_five, NULL);
    while (sill_guest_is_busy(guest))
        (void)uv_run(&loop, UV_RUN_NOWAIT);
    start(sleep_five, NULL);
    while (sill_guest_is_busy(guest))
        (void)uv_run(&loop, UV_RUN_ONCE);
    ck_assert_int_eq(dones, 2);
    uv_close((uv_handle_t *)&timer, NULL);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
}

END_TEST

static int fds[2];

static int wait_for_fd(void *arg)
{
    struct sill_watch watch;

    (void)arg;

    int rc = sill_watch_open(&watch, fds[0]);

    sill_watch_close(&watch);
    return rc;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    (void)poll, (void)status, (void)events;
}

START_TEST(a_descriptor_of_libuvs_is_refused)
{
    uv_poll_t poll;

    ck_assert_int_eq(pipe(fds), 0);
    ck_assert_int_eq(uv_poll_init(&loop, &poll, fds[0]), 0);
    ck_assert_int_eq(uv_poll_start(&poll, UV_READABLE, on_poll), 0);
    start(wait_for_fd, NULL);
    while (sill_guest_is_busy(guest))
        (void)uv_run(&loop, UV_RUN_NOWAIT);
    ck_assert_int_eq(last_result, SILL_EBUSY);
    uv_close((uv_handle_t *)&poll, NULL);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    (void)close(fds[0]);
    (void)close(fds[1]);
}

END_TEST

static void count(uv_handle_t *handle, void *arg)
{
    (void)handle;
    ++*(int *)arg;
}

static int handles(void)
{
    int n = 0;

    uv_walk(&loop, count, &n);
    return n;
}

START_TEST(detach_takes_our_handles_only)
{
    uv_timer_t timer;

    ck_assert_int_eq(uv_timer_init(&loop, &timer), 0);
    start(sleep_five, NULL);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_int_gt(handles(), 1);
    ck_assert_int_eq(sill_guest_detach(guest), 0);
    guest = NULL;
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(handles(), 1);
    ck_assert(!uv_is_closing((uv_handle_t *)&timer));
    uv_close((uv_handle_t *)&timer, NULL);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
}

END_TEST

static void detach_when_drained(void *arg)
{
    (void)arg;
    ck_assert_int_eq(sill_guest_detach(guest), 0);
    guest = NULL;
}

/* Though another handle would keep the loop for long. */
START_TEST(handles_are_closed_by_the_end_of_the_round)
{
    uv_timer_t timer;

    (void)uv_timer_init(&loop, &timer);
    (void)uv_timer_start(&timer, on_far, 30000, 0);
    start(sleep_five, NULL);
    ck_assert_int_eq(
        sill_guest_drain(guest, SILL_PAST, detach_when_drained, NULL), 0);
    while (guest)
        (void)uv_run(&loop, UV_RUN_NOWAIT);
    ck_assert_int_eq(handles(), 1);
    uv_close((uv_handle_t *)&timer, NULL);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
}

END_TEST

static int run_the_loop(void *mode)
{
    return uv_run(&loop, *(uv_run_mode *)mode);
}

static void run_the_loop_in_done(void *mode, int result)
{
    (void)result;
    (void)run_the_loop(mode);
}

static uv_run_mode wait_mode = UV_RUN_DEFAULT, poll_mode = UV_RUN_NOWAIT;

START_TEST(to_run_the_loop_in_a_task_ends_the_program)
{
    start(run_the_loop, &wait_mode);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
}

END_TEST

START_TEST(to_run_the_loop_in_done_ends_the_program)
{
    start(sleep_five, NULL);
    ck_assert_int_eq(sill_guest_start(guest, return_at_once, &poll_mode,
                                      run_the_loop_in_done, NULL),
                     0);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
}

END_TEST

static uv_timer_t far;
static uv_prepare_t prepare;
static uv_check_t check;

static void close_all(void *arg, int result)
{
    (void)arg;
    (void)result;
    if (++dones < 2)
        return;
    uv_close((uv_handle_t *)&far, NULL);
    uv_close((uv_handle_t *)&prepare, NULL);
    uv_close((uv_handle_t *)&check, NULL);
}

static void start_last(void)
{
    ck_assert_int_eq(
        sill_guest_start(guest, return_at_once, NULL, close_all, NULL), 0);
}

static void on_prepare(uv_prepare_t *handle)
{
    (void)uv_prepare_stop(handle);
    start_last();
}

static void on_check(uv_check_t *handle)
{
    (void)uv_check_stop(handle);
    start_last();
}

static void on_far(uv_timer_t *timer)
{
    (void)timer;
    ck_abort_msg("the loop slept though a task was to run, or had ended");
}

/* From the callbacks that come just before the loop sleeps, and just after. */
START_TEST(a_task_started_anywhere_in_a_round_runs_before_the_loop_sleeps)
{
    (void)uv_timer_init(&loop, &far);
    (void)uv_timer_start(&far, on_far, 30000, 0);
    (void)uv_prepare_init(&loop, &prepare);
    (void)uv_check_init(&loop, &check);
    (void)uv_prepare_start(&prepare, on_prepare);
    (void)uv_check_start(&check, on_check);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(dones, 2);
}

END_TEST

int main(void)
{
    Suite *suite = suite_create("libuv");
    TCase *attach = tcase_create("attach");

    tcase_set_timeout(attach, 60);
    tcase_add_checked_fixture(attach, set_up, tear_down);
    tcase_add_test(attach, attach_needs_a_loop);
    tcase_add_test(attach, a_loop_with_a_guest_cannot_be_closed);
    tcase_add_test(attach, the_loop_is_alive_while_a_task_is);
    tcase_add_test(attach, the_loop_may_run_in_pieces);
    tcase_add_test(attach, a_descriptor_of_libuvs_is_refused);
    tcase_add_test(attach, detach_takes_our_handles_only);
    tcase_add_test(attach, handles_are_closed_by_the_end_of_the_round);
    tcase_add_test(
        attach, a_task_started_anywhere_in_a_round_runs_before_the_loop_sleeps);
    tcase_add_test_raise_signal(
        attach, to_run_the_loop_in_a_task_ends_the_program, SIGABRT);
    tcase_add_test_raise_signal(
        attach, to_run_the_loop_in_done_ends_the_program, SIGABRT);
    suite_add_tcase(suite, attach);

    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_NORMAL);

    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
