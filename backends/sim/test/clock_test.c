/* SPDX-License-Identifier: MIT */
/*
 * The clock that jumps, and the end of a world in which nothing can happen:
 * rules D-14, Q-06, V-03 and V-05.
 */
#include "kit.h"

#include <pthread.h>

enum { SLEEPERS = 3600 };

static unsigned woken[SLEEPERS], count;

static int sleeper(void *arg)
{
    unsigned n = *(unsigned *)arg;
    sill_time until = SILL_SIM_START + (n + 1) * SILL_SECOND;

    ck_assert_int_eq(sill_sleep(until), 0);
    ck_assert_int_eq(sill_now(), until);
    woken[count++] = n;
    return 0;
}

static int sleep_an_hour(void *arg)
{
    static unsigned order[SLEEPERS];
    struct sill_scope scope;

    (void)arg;
    ck_assert_int_eq(sill_now(), SILL_SIM_START);
    sill_scope_init(&scope, SILL_SCOPE_COLLECT);
    for (unsigned i = 0; i < SLEEPERS; i++) {
        order[i] = i * 1237 % SLEEPERS;
        ck_assert_int_eq(sill_scope_spawn(&scope, sleeper, &order[i]), 0);
    }
    ck_assert_int_eq(sill_scope_wait(&scope, SILL_NEVER), 0);
    sill_scope_fini(&scope);
    return 0;
}

/* D-14: the time limit of a test is far below an hour. */
static int never_run(void *arg)
{
    (void)arg;
    ck_abort();
}

START_TEST(there_is_no_system_call_to_batch_writes_for)
{
    struct sill_run_options options = {.batch = SILL_BATCH_ALWAYS};

    ck_assert_int_eq(sill_run_with(&options, never_run, NULL), SILL_EOPNOTSUPP);
}

END_TEST

START_TEST(an_hour_of_sleeping_passes_at_once_in_exact_order)
{
    struct sill_sim_report report = run_seed(1, sleep_an_hour, NULL, 0);

    ck_assert_int_eq(report.ended, SILL_SIM_START + SLEEPERS * SILL_SECOND);
    for (unsigned i = 0; i < SLEEPERS; i++)
        ck_assert_uint_eq(woken[i], i);
}

END_TEST

static int busy(void *arg)
{
    sill_time begin = sill_now();

    (void)arg;
    for (int i = 0; i < 10000; i++)
        ck_assert_int_eq(sill_yield(), 0);
    ck_assert_int_eq(sill_now(), begin);
    return 0;
}

static int work_beside_a_sleeper(void *arg)
{
    static unsigned zero;
    struct sill_task *tasks[2];

    (void)arg;
    ck_assert_int_eq(sill_spawn(sleeper, &zero, &tasks[0]), 0);
    ck_assert_int_eq(sill_spawn(busy, NULL, &tasks[1]), 0);
    return sill_await_all(tasks, 2, NULL, SILL_NEVER);
}

START_TEST(time_moves_only_when_all_are_parked)
{
    (void)run_seed(1, work_beside_a_sleeper, NULL, 0);
}

END_TEST

static int spin(void *arg)
{
    sill_time until = in_ms(1);

    while (sill_now() < until && !*(const char *)arg)
        (void)sill_yield();
    return 0;
}

START_TEST(a_task_that_waits_by_yielding_is_told_of)
{
    const char *log = keep_log();

    (void)run_seed(1, spin, (void *)(uintptr_t)log, 0);
    ck_assert_ptr_nonnull(strstr(log, "the clock stands still"));
    ck_assert_ptr_nonnull(strstr(log, "kit.c"));
}

END_TEST

static int note_when(void *instant)
{
    int rc = sill_sleep(in_ms(10));

    *(sill_time *)instant = sill_now();
    return rc;
}

static int spend_beside_a_sleeper(void *arg)
{
    sill_time begin = sill_now(), woke = 0;
    struct sill_task *task;

    (void)arg;
    ck_assert_int_eq(sill_spawn(note_when, &woke, &task), 0);
    ck_assert_int_eq(sill_yield(), 0);
    sill_sim_spend(25 * SILL_MILLISECOND);
    ck_assert_int_eq(sill_now(), begin + 25 * SILL_MILLISECOND);
    sill_sim_spend(0);
    sill_sim_spend(-SILL_SECOND);
    ck_assert_int_eq(sill_now(), begin + 25 * SILL_MILLISECOND);
    ck_assert_int_eq(woke, 0);
    ck_assert_int_eq(sill_yield(), 0);
    ck_assert_int_eq(sill_await(task, NULL, SILL_NEVER), 0);
    ck_assert_int_eq(woke, begin + 25 * SILL_MILLISECOND);
    return 0;
}

START_TEST(time_that_a_task_spends_is_nobody_elses)
{
    struct sill_sim_report report =
        run_seed(1, spend_beside_a_sleeper, NULL, 0);

    ck_assert_uint_eq(report.counts[SILL_SIM_JUMP], 1);
    ck_assert_int_eq(report.ended, SILL_SIM_START + 25 * SILL_MILLISECOND);
}

END_TEST

static int spend_while_bytes_travel(void *arg)
{
    struct link_pair pair;
    char bytes[4];

    (void)arg;
    pair_open(&pair, sill_sim_host_current(), add("other"));
    ck_assert_int_eq(
        sill_stream_write_all(&pair.client, "late", 4, NULL, SILL_NEVER), 0);
    ck_assert_int_eq(sill_stream_read(&pair.server, bytes, 4, SILL_PAST),
                     SILL_ETIMEDOUT);
    sill_sim_spend(5 * SILL_MILLISECOND);
    ck_assert_int_eq(sill_stream_read(&pair.server, bytes, 4, SILL_PAST), 4);
    pair_close(&pair);
    return 0;
}

START_TEST(the_network_goes_on_while_a_task_spends_time)
{
    (void)run_seed(1, spend_while_bytes_travel, NULL, 0);
}

END_TEST

static int see_the_calendar(void *arg)
{
    (void)arg;
    ck_assert_int_eq(sill_calendar(), 1767225600);
    ck_assert_int_eq(sill_sleep(sill_after(90 * SILL_SECOND)), 0);
    ck_assert_int_eq(sill_calendar(), 1767225690);
    return 0;
}

START_TEST(the_calendar_goes_with_the_clock)
{
    (void)run_seed(1, see_the_calendar, NULL, 0);
    ck_assert_int_gt(sill_calendar(), 1767225690);
}

END_TEST

static int take_bytes(void *arg)
{
    ck_assert_int_eq(sill_random_fill(arg, 24), 0);
    return 0;
}

START_TEST(random_bytes_come_from_the_seed)
{
    char first[24], again[24], other[24];

    (void)run_seed(1, take_bytes, first, 0);
    (void)run_seed(1, take_bytes, again, 0);
    (void)run_seed(2, take_bytes, other, 0);
    ck_assert_mem_eq(first, again, 24);
    ck_assert_mem_ne(first, other, 24);
}

END_TEST

static int wait_in_vain(void *arg)
{
    struct sill_trigger trigger = SILL_TRIGGER_INIT;

    (void)arg;
    sill_task_set_name("patience");
    ck_assert_int_eq(sill_suspend(&trigger, SILL_NEVER), SILL_ECANCELED);
    return 5;
}

static int accept_in_vain(void *arg)
{
    struct sill_listener listener;
    struct sill_stream stream;
    struct sill_address address = echo_of(sill_sim_host_current());

    (void)arg;
    ck_assert_int_eq(sill_listener_listen(&listener, &address, NULL), 0);
    ck_assert_int_eq(sill_listener_accept(&listener, &stream, SILL_NEVER),
                     SILL_ECANCELED);
    sill_listener_close(&listener);
    return 0;
}

static int wait_for_them(void *arg)
{
    struct sill_task *tasks[2];

    (void)arg;
    ck_assert_int_eq(sill_spawn(wait_in_vain, NULL, &tasks[0]), 0);
    ck_assert_int_eq(sill_spawn(accept_in_vain, NULL, &tasks[1]), 0);
    ck_assert_int_eq(sill_await_all(tasks, 2, NULL, SILL_NEVER),
                     SILL_ECANCELED);
    sill_forbid();
    ck_assert_int_eq(sill_await_all(tasks, 2, NULL, SILL_NEVER), 0);
    sill_permit();
    return 0;
}

/* V-03, Q-06 */
START_TEST(a_deadlock_is_found_at_once_and_reported)
{
    const char *log = keep_log();
    struct sill_sim_report report =
        run_seed(1, wait_for_them, NULL, SILL_EDEADLK);

    ck_assert_int_eq(report.ended, SILL_SIM_START);
    ck_assert_uint_eq(report.left_open, 0);
    ck_assert_ptr_nonnull(strstr(log, "nothing can wake one"));
    ck_assert_ptr_nonnull(strstr(log, "patience"));
    ck_assert_ptr_nonnull(strstr(log, "for a trigger"));
    ck_assert_ptr_nonnull(strstr(log, "for a connection to accept"));
}

END_TEST

static void *resume_later(void *trigger)
{
    struct timespec span = {0, 20000000};

    (void)nanosleep(&span, NULL);
    (void)sill_resume(trigger, 7);
    return NULL;
}

static int wait_for_a_thread(void *arg)
{
    struct sill_trigger trigger = SILL_TRIGGER_INIT;
    pthread_t thread;

    (void)arg;
    ck_assert_int_eq(pthread_create(&thread, NULL, resume_later, &trigger), 0);
    ck_assert_int_eq(sill_suspend(&trigger, SILL_NEVER), 0);
    ck_assert_int_eq(sill_trigger_value(&trigger), 7);
    (void)pthread_join(thread, NULL);
    return 0;
}

START_TEST(a_plain_run_sleeps_until_another_thread_comes)
{
    ck_assert_str_eq(sill_backend_name(), "sim");
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(sill_run(wait_for_a_thread, NULL), 0);
}

END_TEST

static int run_inside(void *arg)
{
    (void)arg;
    ck_assert_int_eq(sill_sim_run(NULL, run_inside, NULL, NULL), SILL_EBUSY);
    return 3;
}

static int look_at_the_seed(void *hash)
{
    sill_sim_note("a note");
    *(uint64_t *)hash = sill_sim_hash();
    return 0;
}

/* "options: NULL: seed 0", "report ... may be NULL" */
START_TEST(without_options_the_seed_is_0)
{
    uint64_t with = 1, without = 2;

    ck_assert_int_eq(sill_sim_run(NULL, look_at_the_seed, &without, NULL), 0);
    (void)run_seed(0, look_at_the_seed, &with, 0);
    ck_assert_uint_eq(with, without);
}

END_TEST

START_TEST(a_run_inside_of_a_run_is_refused)
{
    (void)run_seed(1, run_inside, NULL, 3);
}

END_TEST

TCase *clock_cases(void)
{
    TCase *cases = tcase_create("clock");

    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, there_is_no_system_call_to_batch_writes_for);
    tcase_add_test(cases, an_hour_of_sleeping_passes_at_once_in_exact_order);
    tcase_add_test(cases, time_moves_only_when_all_are_parked);
    tcase_add_test(cases, a_task_that_waits_by_yielding_is_told_of);
    tcase_add_test(cases, time_that_a_task_spends_is_nobody_elses);
    tcase_add_test(cases, the_network_goes_on_while_a_task_spends_time);
    tcase_add_test(cases, the_calendar_goes_with_the_clock);
    tcase_add_test(cases, random_bytes_come_from_the_seed);
    tcase_add_test(cases, a_deadlock_is_found_at_once_and_reported);
    tcase_add_test(cases, a_plain_run_sleeps_until_another_thread_comes);
    tcase_add_test(cases, without_options_the_seed_is_0);
    tcase_add_test(cases, a_run_inside_of_a_run_is_refused);
    return cases;
}
