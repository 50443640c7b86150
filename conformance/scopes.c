/* SPDX-License-Identifier: MIT */
/*
 * Group T: tasks that live in scopes.
 */
#include "suite.h"

#include <string.h>

static int add_one(void *arg)
{
    *(int *)arg += 1;
    return 0;
}

/* Says "done" through (arg), after a wait that only a cancel can end. */
static int sleep_then_mark(void *arg)
{
    int rc = sill_sleep(SILL_NEVER);
    *(int *)arg += 1;
    return rc;
}

static int finish_undisturbed(void *arg)
{
    suite_yield(10);
    int rc = sill_sleep(sill_after(SILL_MILLISECOND));
    *(int *)arg += rc == 0;
    return rc;
}

static int wait_forbidden(void *arg)
{
    sill_forbid();
    int rc = sill_suspend(arg, SILL_NEVER);
    sill_permit();
    return rc == 0 ? sill_sleep(SILL_NEVER) : 1;
}

/* ---- T-12 ---- */

/* "Waits until every task of (scope) has ended, and collects them all." */
SILL_CASE(T, 12, wait_returns_only_when_all_have_ended)
{
    struct sill_scope scope;
    int ended = 0;
    sill_scope_init(&scope, SILL_SCOPE_COLLECT);
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(sill_scope_spawn(&scope, finish_undisturbed, &ended),
                         0);
    ck_assert_int_eq(sill_scope_wait(&scope, SILL_NEVER), 0);
    ck_assert_int_eq(ended, 5);
    ck_assert_int_eq(sill_scope_next(&scope, NULL, SILL_PAST), SILL_ENOENT);
    sill_scope_fini(&scope);
}

static int ended_late;

/* A clean-up that takes a few rounds. */
static int end_late(void *arg)
{
    (void)arg;
    int rc = sill_sleep(SILL_NEVER);
    sill_forbid();
    suite_yield(5);
    sill_permit();
    ended_late++;
    return rc;
}

static void fill_scope(struct sill_scope *scope, enum sill_scope_kind kind)
{
    sill_scope_init(scope, kind);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(sill_scope_spawn(scope, end_late, NULL), 0);
}

/* "also when one failed" */
SILL_CASE(T, 12, wait_returns_only_when_all_have_ended_if_one_failed)
{
    struct sill_scope scope;
    fill_scope(&scope, SILL_SCOPE_FAIL_FAST);
    ck_assert_int_eq(
        sill_scope_spawn(&scope, suite_returner, suite_number(SILL_EIO)), 0);
    ck_assert_int_eq(sill_scope_wait(&scope, SILL_NEVER), SILL_EIO);
    ck_assert_int_eq(ended_late, 3);
    sill_scope_fini(&scope);
}

static int own_scope(void *arg)
{
    struct sill_scope scope;
    fill_scope(&scope, SILL_SCOPE_COLLECT);
    *(int *)arg = sill_scope_wait(&scope, SILL_NEVER);
    int alive = sill_scope_next(&scope, NULL, SILL_PAST);
    sill_scope_fini(&scope);
    return alive;
}

/* "a deadline that passes and a caller that is cancelled cancel the tasks, and
 * are waited out"; "SILL_ECANCELED the caller was cancelled" */
SILL_CASE(T, 12, wait_of_a_cancelled_owner_cancels_and_waits_out)
{
    int rc = 0;
    struct sill_task *owner = suite_spawn(own_scope, &rc);
    suite_yield(3);
    ck_assert_int_eq(ended_late, 0);
    ck_assert_int_eq(sill_cancel(owner, SILL_PAST), SILL_ETIMEDOUT);
    ck_assert_int_eq(suite_await(owner), SILL_ENOENT);
    ck_assert_int_eq(rc, SILL_ECANCELED);
    ck_assert_int_eq(ended_late, 3);
}

/* "SILL_ETIMEDOUT the deadline passed before all had ended" */
SILL_CASE(T, 12, wait_that_times_out_cancels_and_waits_out)
{
    struct sill_scope scope;
    fill_scope(&scope, SILL_SCOPE_COLLECT);
    sill_time deadline = sill_after(SILL_MILLISECOND);
    ck_assert_int_eq(sill_scope_wait(&scope, deadline), SILL_ETIMEDOUT);
    ck_assert_int_ge(sill_now(), deadline);
    ck_assert_int_eq(ended_late, 3);
    sill_scope_fini(&scope);
}

static void fini_with_tasks(void)
{
    struct sill_scope scope;
    fill_scope(&scope, SILL_SCOPE_COLLECT);
    sill_scope_fini(&scope);
}

static void fini_with_an_ended_task(void)
{
    struct sill_scope scope;
    int count = 0;
    sill_scope_init(&scope, SILL_SCOPE_COLLECT);
    if (sill_scope_spawn(&scope, add_one, &count) == 0)
        suite_yield(2);
    if (count == 1)
        sill_scope_fini(&scope);
}

/* "one with tasks in it ends the program", also with one that has ended */
SILL_CASE_OUTSIDE(T, 12, fini_of_a_scope_with_tasks_ends_the_program)
{
    suite_expect_culprit(fini_with_tasks, "sill_scope_fini");
    suite_expect_culprit(fini_with_an_ended_task, "sill_scope_fini");
}

/* "A zeroed one is harmless." */
SILL_CASE(T, 12, fini_of_a_zeroed_scope_is_harmless)
{
    struct sill_scope scope;
    memset(&scope, 0, sizeof(scope));
    sill_scope_fini(&scope);
    sill_scope_init(&scope, SILL_SCOPE_COLLECT);
    ck_assert_int_eq(sill_scope_wait(&scope, SILL_NEVER), 0);
    sill_scope_fini(&scope);
}

static int spawn_into(void *arg)
{
    return sill_scope_spawn(arg, suite_returner, suite_number(3));
}

/* "Any task may spawn into a scope"; "tasks are below it in the tree" */
SILL_CASE(T, 12, any_task_may_spawn_into_a_scope)
{
    struct sill_scope scope;
    struct sill_outcome outcome = {NULL, 0};
    sill_scope_init(&scope, SILL_SCOPE_COLLECT);
    ck_assert_int_eq(suite_await(suite_spawn(spawn_into, &scope)), 0);
    ck_assert_int_eq(sill_scope_spawn(&scope, spawn_into, &scope), 0);
    for (int sum = 0; sum < 6; sum += outcome.result)
        ck_assert_int_eq(sill_scope_next(&scope, &outcome, SILL_NEVER), 0);
    ck_assert_int_eq(sill_scope_wait(&scope, SILL_NEVER), 0);
    sill_scope_fini(&scope);
}

/* "Outside of a task it has no owner, and takes no tasks." */
SILL_CASE_OUTSIDE(T, 12, a_scope_without_an_owner_takes_no_tasks)
{
    struct sill_scope scope;
    sill_scope_init(&scope, SILL_SCOPE_COLLECT);
    sill_scope_cancel(&scope);
    ck_assert_int_eq(sill_scope_spawn(&scope, add_one, NULL), SILL_ENOTASK);
    ck_assert_int_eq(sill_run(spawn_into, &scope), SILL_ENOTASK);
    sill_scope_fini(&scope);
}

static struct sill_scope shared;

static int next_of_another(void *unused)
{
    (void)unused;
    return sill_scope_next(&shared, NULL, SILL_NEVER);
}

static int collect_for_another(void *unused)
{
    (void)unused;
    sill_scope_init(&shared, SILL_SCOPE_COLLECT);
    return suite_await(suite_spawn(next_of_another, NULL));
}

static void run_collect_for_another(void *unused)
{
    (void)sill_run(collect_for_another, unused);
}

static void wait_without_a_task(void *unused)
{
    (void)unused;
    sill_scope_init(&shared, SILL_SCOPE_COLLECT);
    (void)!sill_scope_wait(&shared, SILL_NEVER);
}

/* "only its owner waits on it: another one ends the program" */
SILL_CASE_OUTSIDE(T, 12, a_wait_of_another_task_ends_the_program)
{
    suite_expect_abort(wait_without_a_task, NULL, "sill_scope_wait");
    suite_expect_abort(run_collect_for_another, NULL, "sill_scope_next",
                       "scopes.c:");
}

/* ---- T-13 ---- */

static int first_error;

static int fail(void *error)
{
    if (first_error == 0)
        first_error = suite_returner(error);
    return suite_returner(error);
}

/* "the first task that fails cancels the others"; "Returns ... the first
 * error of a task of a fail-fast scope" */
SILL_CASE(T, 13, fail_fast_reports_the_first_error_and_cancels_the_rest)
{
    struct sill_scope scope;
    int cancelled = 0;
    sill_scope_init(&scope, SILL_SCOPE_FAIL_FAST);
    ck_assert_int_eq(sill_scope_spawn(&scope, sleep_then_mark, &cancelled), 0);
    ck_assert_int_eq(sill_scope_spawn(&scope, suite_returner, suite_number(5)),
                     0);
    ck_assert_int_eq(sill_scope_spawn(&scope, fail, suite_number(SILL_EPROTO)),
                     0);
    ck_assert_int_eq(sill_scope_spawn(&scope, fail, suite_number(SILL_EIO)), 0);
    ck_assert_int_eq(sill_scope_spawn(&scope, sleep_then_mark, &cancelled), 0);
    ck_assert_int_eq(sill_scope_wait(&scope, SILL_NEVER), first_error);
    ck_assert_int_lt(first_error, 0);
    ck_assert_int_eq(cancelled, 2);
    sill_scope_fini(&scope);
}

/* "SILL_ECANCELED the scope was cancelled, by hand or by a failed task" */
SILL_CASE(T, 13, a_cancelled_scope_takes_no_more_tasks)
{
    struct sill_scope failed, cancelled;
    int ran = 0;
    sill_scope_init(&failed, SILL_SCOPE_FAIL_FAST);
    ck_assert_int_eq(
        sill_scope_spawn(&failed, suite_returner, suite_number(SILL_EIO)), 0);
    suite_yield(2);
    ck_assert_int_eq(sill_scope_spawn(&failed, add_one, &ran), SILL_ECANCELED);
    ck_assert_int_eq(sill_scope_wait(&failed, SILL_NEVER), SILL_EIO);
    sill_scope_fini(&failed);

    sill_scope_init(&cancelled, SILL_SCOPE_COLLECT);
    sill_scope_cancel(&cancelled);
    ck_assert_int_eq(sill_scope_spawn(&cancelled, add_one, &ran),
                     SILL_ECANCELED);
    ck_assert_int_eq(sill_scope_wait(&cancelled, SILL_NEVER), 0);
    sill_scope_fini(&cancelled);
    ck_assert_int_eq(ran, 0);
}

/* "one task's failure disturbs nobody" */
SILL_CASE(T, 13, collecting_scope_disturbs_nobody)
{
    struct sill_scope scope;
    int finished = 0;
    sill_scope_init(&scope, SILL_SCOPE_COLLECT);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(
            sill_scope_spawn(&scope, finish_undisturbed, &finished), 0);
        ck_assert_int_eq(
            sill_scope_spawn(&scope, suite_returner, suite_number(SILL_EIO)),
            0);
    }
    ck_assert_int_eq(sill_scope_wait(&scope, SILL_NEVER), 0);
    ck_assert_int_eq(finished, 3);
    sill_scope_fini(&scope);
}

/* "Asks every task of (scope) to end, as sill_cancel does, without waiting." */
SILL_CASE(T, 13, scope_cancel_asks_every_task_and_does_not_wait)
{
    struct sill_scope scope;
    fill_scope(&scope, SILL_SCOPE_COLLECT);
    suite_yield(1);
    sill_scope_cancel(&scope);
    ck_assert_int_eq(ended_late, 0);
    ck_assert_int_eq(sill_scope_wait(&scope, SILL_NEVER), 0);
    ck_assert_int_eq(ended_late, 3);
    sill_scope_fini(&scope);
}

/* ---- T-14 ---- */

static struct {
    void *order[4];
    int count;
} ended;

static int suspend_and_end(void *trigger)
{
    int rc = sill_suspend(trigger, SILL_NEVER);

    ended.order[ended.count++] = trigger;
    return rc;
}

static void collect_in_order(const int order[], void *arg)
{
    struct sill_trigger triggers[4];
    struct sill_scope scope;
    (void)arg;
    ended.count = 0;
    sill_scope_init(&scope, SILL_SCOPE_COLLECT);
    for (int i = 0; i < 4; i++) {
        sill_trigger_init(&triggers[i], NULL, NULL);
        ck_assert_int_eq(
            sill_scope_spawn(&scope, suspend_and_end, &triggers[i]), 0);
    }
    suite_yield(1);
    for (int i = 0; i < 4; i++)
        sill_resume(&triggers[order[i]], 0);
    for (int i = 0; i < 4; i++) {
        struct sill_outcome outcome = {NULL, -1};
        ck_assert_int_eq(sill_scope_next(&scope, &outcome, SILL_NEVER), 0);
        ck_assert_ptr_eq(outcome.arg, ended.order[i]);
        ck_assert_int_eq(outcome.result, 0);
    }
    ck_assert_int_eq(sill_scope_next(&scope, NULL, SILL_NEVER), SILL_ENOENT);
    sill_scope_fini(&scope);
}

/* "Collects the next task of (scope) that ended, in order of ending, waiting
 * for one if need be." */
SILL_CASE(T, 14, next_collects_in_order_of_ending)
{
    suite_permute(4, collect_in_order, NULL);
}

/* "SILL_ETIMEDOUT no task ended before (deadline)" */
SILL_CASE(T, 14, next_with_a_past_deadline_does_not_wait)
{
    struct sill_trigger trigger = SILL_TRIGGER_INIT;
    struct sill_scope scope;
    sill_scope_init(&scope, SILL_SCOPE_COLLECT);
    ck_assert_int_eq(sill_scope_spawn(&scope, suite_suspender, &trigger), 0);
    ck_assert_int_eq(sill_scope_next(&scope, NULL, SILL_PAST), SILL_ETIMEDOUT);
    suite_yield(1);
    ck_assert_int_eq(
        sill_scope_next(&scope, NULL, sill_after(SILL_MILLISECOND)),
        SILL_ETIMEDOUT);
    sill_resume(&trigger, 0);
    suite_yield(2);
    ck_assert_int_eq(sill_scope_next(&scope, NULL, SILL_PAST), 0);
    ck_assert_int_eq(sill_scope_next(&scope, NULL, SILL_PAST), SILL_ENOENT);
    sill_scope_fini(&scope);
}

static int collect_when_cancelled(void *arg)
{
    struct sill_scope scope;
    int *rc = arg;
    sill_scope_init(&scope, SILL_SCOPE_COLLECT);
    if (sill_scope_spawn(&scope, suite_sleeper, NULL) != 0)
        return -1;
    rc[0] = sill_sleep(SILL_NEVER);
    rc[1] = sill_scope_next(&scope, NULL, SILL_NEVER);
    rc[2] = sill_scope_next(&scope, NULL, SILL_NEVER);
    sill_scope_fini(&scope);
    return 0;
}

/* "SILL_ECANCELED the caller was cancelled and no task had ended": one that
 * has is returned. */
SILL_CASE(T, 14, next_prefers_an_ended_task_to_cancellation)
{
    int rc[3] = {0};
    struct sill_task *owner = suite_spawn(collect_when_cancelled, rc);
    suite_yield(3);
    suite_cancel(owner);
    ck_assert_int_eq(rc[0], SILL_ECANCELED);
    ck_assert_int_eq(rc[1], 0);
    ck_assert_int_eq(rc[2], SILL_ENOENT);
}

/* CPU time of collecting (turns) tasks among (alive) sleeping ones. */
static sill_duration collect_among(int alive, int turns)
{
    struct sill_scope scope;
    int failed = 0;
    sill_scope_init(&scope, SILL_SCOPE_COLLECT);
    for (int i = 0; i < alive; i++)
        failed += sill_scope_spawn(&scope, suite_sleeper, NULL) != 0;
    suite_yield(2);
    sill_duration begin = suite_cpu();
    for (int i = 0; i < turns; i++) {
        failed += sill_scope_spawn(&scope, suite_returner, NULL) != 0;
        failed += sill_scope_next(&scope, NULL, SILL_NEVER) != 0;
    }
    sill_duration spent = suite_cpu() - begin;
    sill_scope_cancel(&scope);
    ck_assert_int_eq(sill_scope_wait(&scope, SILL_NEVER), 0);
    sill_scope_fini(&scope);
    ck_assert_int_eq(failed, 0);
    return spent;
}

/* "Its cost does not depend on how many are alive." A cost that did would
 * differ a thousandfold. */
SILL_CASE(T, 14, cost_of_next_does_not_depend_on_the_living)
{
    int turns = suite_many(20000);
    collect_among(10, turns);
    sill_duration few = collect_among(10, turns);
    sill_duration many = collect_among(suite_crowd(10000), turns);
    ck_assert_int_lt(many, 5 * few + 50 * SILL_MILLISECOND);
}

/* ---- T-20 ---- */

/* "waits politely until (grace)" */
SILL_CASE(T, 20, drain_lets_tasks_finish_within_the_grace)
{
    struct sill_scope scope;
    int finished = 0;
    sill_scope_init(&scope, SILL_SCOPE_COLLECT);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(
            sill_scope_spawn(&scope, finish_undisturbed, &finished), 0);
    ck_assert_int_eq(
        sill_scope_drain(&scope, sill_after(SILL_MINUTE), SILL_NEVER), 0);
    ck_assert_int_eq(finished, 3);
    sill_scope_fini(&scope);
}

/* "then cancels what is left and waits until (deadline)" */
SILL_CASE(T, 20, drain_cancels_what_is_left_after_the_grace)
{
    struct sill_scope scope;
    fill_scope(&scope, SILL_SCOPE_COLLECT);
    ck_assert_int_eq(
        sill_scope_spawn(&scope, suite_returner, suite_number(SILL_EIO)), 0);
    sill_time grace = sill_after(2 * SILL_MILLISECOND);
    ck_assert_int_eq(sill_scope_drain(&scope, grace, SILL_NEVER), 0);
    ck_assert_int_ge(sill_now(), grace);
    ck_assert_int_eq(ended_late, 3);
    sill_scope_fini(&scope);
}

/* "SILL_ETIMEDOUT tasks were left at (deadline); they stay cancelled" */
SILL_CASE(T, 20, drain_gives_up_at_its_deadline)
{
    struct sill_trigger go = SILL_TRIGGER_INIT;
    struct sill_scope scope;
    struct sill_outcome outcome = {NULL, 0};
    sill_scope_init(&scope, SILL_SCOPE_COLLECT);
    ck_assert_int_eq(sill_scope_spawn(&scope, wait_forbidden, &go), 0);
    suite_yield(1);
    ck_assert_int_eq(
        sill_scope_drain(&scope, SILL_PAST, sill_after(2 * SILL_MILLISECOND)),
        SILL_ETIMEDOUT);
    ck_assert_int_eq(sill_scope_drain(&scope, SILL_PAST, SILL_PAST),
                     SILL_ETIMEDOUT);
    sill_resume(&go, 0);
    ck_assert_int_eq(sill_scope_next(&scope, &outcome, SILL_NEVER), 0);
    ck_assert_int_eq(outcome.result, SILL_ECANCELED);
    ck_assert_int_eq(sill_scope_drain(&scope, SILL_NEVER, SILL_NEVER), 0);
    sill_scope_fini(&scope);
}

static int drain_for_ever(void *arg)
{
    struct sill_scope scope;
    fill_scope(&scope, SILL_SCOPE_COLLECT);
    *(int *)arg = sill_scope_drain(&scope, SILL_NEVER, SILL_NEVER);
    sill_scope_fini(&scope);
    return sill_yield();
}

/* "A caller that is cancelled goes to the second step at once." */
SILL_CASE(T, 20, drain_of_a_cancelled_caller_skips_the_grace)
{
    int rc = 99;
    struct sill_task *task = suite_spawn(drain_for_ever, &rc);
    suite_yield(3);
    ck_assert_int_eq(rc, 99);
    ck_assert_int_eq(sill_cancel(task, SILL_PAST), SILL_ETIMEDOUT);
    ck_assert_int_eq(suite_await(task), SILL_ECANCELED);
    ck_assert_int_eq(rc, 0);
    ck_assert_int_eq(ended_late, 3);
}
