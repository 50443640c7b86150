/* SPDX-License-Identifier: MIT */
/*
 * Group T: tasks are spawned, awaited, cancelled. Scopes are in scopes.c.
 */
#include "faults.h"
#include "suite.h"

#include <errno.h>
#include <fenv.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

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

/* Returns after (arg) yields. */
static int yielder(void *arg)
{
    int rounds = (int)(intptr_t)arg;
    suite_yield(rounds);
    return rounds;
}

static int finish_undisturbed(void *arg)
{
    suite_yield(10);
    int rc = sill_sleep(sill_after(SILL_MILLISECOND));
    *(int *)arg += rc == 0;
    return rc;
}

/* ---- T-01 ---- */

/* "The child never runs before this returns." */
SILL_CASE(T, 01, child_never_runs_before_spawn_returns)
{
    int ran = 0;
    struct sill_task *task = suite_spawn(add_one, &ran);
    ck_assert_int_eq(ran, 0);
    suite_await(task);
    ck_assert_int_eq(ran, 1);
}

/* "Spawns a task ... into (scope), as sill_spawn does." */
SILL_CASE(T, 01, child_never_runs_before_scope_spawn_returns)
{
    struct sill_scope scope;
    int ran = 0;
    sill_scope_init(&scope, SILL_SCOPE_COLLECT);
    ck_assert_int_eq(sill_scope_spawn(&scope, add_one, &ran), 0);
    ck_assert_int_eq(ran, 0);
    ck_assert_int_eq(sill_scope_wait(&scope, SILL_NEVER), 0);
    ck_assert_int_eq(ran, 1);
    sill_scope_fini(&scope);
}

/* "SILL_ENOTASK called outside of a task" */
SILL_CASE_OUTSIDE(T, 01, spawn_outside_of_a_task_is_refused)
{
    struct sill_task *task;
    int ran = 0;
    ck_assert_int_eq(sill_spawn(add_one, &ran, &task), SILL_ENOTASK);
    ck_assert_int_eq(ran, 0);
}

/* ---- T-02 ---- */

/* "a spawned task runs exactly once; its result reaches await" */
SILL_CASE(T, 02, task_runs_once_and_its_result_reaches_await)
{
    static const int results[] = {0, 1, 77, 1 << 30, -5, SILL_ECANCELED};
    int ran = 0;
    struct sill_task *task = suite_spawn(add_one, &ran);
    suite_await(task);
    suite_yield(3);
    ck_assert_int_eq(ran, 1);
    for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
        task = suite_spawn(suite_returner, suite_number(results[i]));
        ck_assert_int_eq(suite_await(task), results[i]);
    }
}

/* "result: ... NULL drops it" */
SILL_CASE(T, 02, await_without_a_place_for_the_result_drops_it)
{
    struct sill_task *task = suite_spawn(suite_returner, suite_number(7));
    ck_assert_int_eq(sill_await(task, NULL, SILL_NEVER), 0);
}

static int return_nine(void *arg)
{
    (void)arg;
    return 9;
}

/* "Returns what the first task returned" */
SILL_CASE_OUTSIDE(T, 02, run_returns_what_the_first_task_returned)
{
    ck_assert_int_eq(sill_run(return_nine, NULL), 9);
    ck_assert_int_eq(sill_run(suite_returner, suite_number(SILL_EIO)),
                     SILL_EIO);
    ck_assert_int_eq(sill_run_with(NULL, return_nine, NULL), 9);
}

/* ---- T-03 ---- */

/* "Returns 0, at once if the task ended before" */
SILL_CASE(T, 03, await_of_an_ended_task_returns_without_a_switch)
{
    int others = 0, result = 0;
    struct sill_task *ended = suite_spawn(suite_returner, suite_number(5));
    suite_yield(2);
    struct sill_task *ready = suite_spawn(add_one, &others);
    ck_assert_int_eq(sill_await(ended, &result, SILL_PAST), 0);
    ck_assert_int_eq(result, 5);
    ck_assert_int_eq(others, 0);
    suite_await(ready);
}

/* "Waits until the child (task) has ended" */
SILL_CASE(T, 03, await_waits_for_a_task_that_has_not_ended)
{
    struct sill_task *task = suite_spawn(yielder, suite_number(20));
    ck_assert_int_eq(suite_await(task), 20);
}

/* "or, with the task as it was, ... SILL_ETIMEDOUT" */
SILL_CASE(T, 03, await_that_times_out_leaves_the_task_as_it_was)
{
    struct sill_task *task = suite_spawn(yielder, suite_number(20));
    ck_assert_int_eq(sill_await(task, NULL, SILL_PAST), SILL_ETIMEDOUT);
    sill_time deadline = sill_after(SILL_MILLISECOND);
    struct sill_task *sleeper = suite_spawn(suite_sleeper, NULL);
    ck_assert_int_eq(sill_await(sleeper, NULL, deadline), SILL_ETIMEDOUT);
    ck_assert_int_ge(sill_now(), deadline);
    ck_assert_int_eq(suite_await(task), 20);
    suite_cancel(sleeper);
}

/* ---- T-04 ---- */

/* "100 000 tasks spawned and awaited leave no memory and no descriptor" */
SILL_CASE(T, 04, many_tasks_one_after_the_other_leave_nothing)
{
    int count = suite_many(100000), ran = 0, failed = 0;
    struct suite_stock before = suite_take_stock();
    for (int i = 0; i < count; i++) {
        struct sill_task *task;
        failed += sill_spawn(add_one, &ran, &task) != 0 ||
                  sill_await(task, NULL, SILL_NEVER) != 0;
    }
    struct suite_stock after = suite_take_stock();
    ck_assert_int_eq(failed, 0);
    ck_assert_int_eq(ran, count);
    ck_assert_int_eq(after.blocks, before.blocks);
    ck_assert_int_eq(after.descriptors, before.descriptors);
    ck_assert_int_le(after.mapped, before.mapped + (1 << 24));
}

static int spawn_many_at_once(void *arg)
{
    static struct sill_task *tasks[1000];
    int *ran = arg, count = suite_crowd(1000), rc = 0;
    for (int i = 0; i < count && rc == 0; i++)
        rc = sill_spawn(add_one, ran, &tasks[i]);
    for (int i = 0; i < count && rc == 0; i++)
        rc = sill_await(tasks[i], NULL, SILL_NEVER);
    return rc;
}

/* The same with a thousand alive at a time; the harness finds what is left
 * once the loop has ended. */
SILL_CASE(T, 04, many_tasks_at_once_leave_nothing)
{
    int batches = suite_many(100), ran = 0;
    for (int i = 0; i < batches; i++) {
        struct sill_task *task = suite_spawn(spawn_many_at_once, &ran);
        ck_assert_int_eq(suite_await(task), 0);
    }
    ck_assert_int_eq(ran, batches * suite_crowd(1000));
}

/* ---- T-05 ---- */

static int finishing; /* how many of T-05's tasks came to their end */

static int finish_slowly(void *arg)
{
    (void)arg;
    sill_forbid();
    suite_yield(10);
    sill_permit();
    finishing++;
    return 0;
}

static int spawn_last(void *arg)
{
    struct sill_task *task;
    int rc = sill_spawn(arg ? spawn_last : finish_slowly, NULL, &task);
    return rc == 0 ? sill_spawn(finish_slowly, NULL, &task) : rc;
}

/* "tasks spawned by a task's last statement still run; run ends when none is
 * left" */
SILL_CASE_OUTSIDE(T, 05, run_ends_when_no_task_is_left)
{
    int above;
    ck_assert_int_eq(sill_run(spawn_last, NULL), SILL_EORPHAN);
    ck_assert_int_eq(finishing, 2);
    ck_assert_int_eq(sill_run(spawn_last, &above), SILL_EORPHAN);
    ck_assert_int_eq(finishing, 5);
}

/* ---- T-06 ---- */

struct selves {
    struct sill_task *first, *later;
};

static int record_self(void *arg)
{
    struct selves *selves = arg;
    selves->first = sill_self();
    suite_yield(3);
    if (sill_sleep(sill_after(SILL_MILLISECOND)) < 0)
        return -1;
    selves->later = sill_self();
    return 0;
}

/* "the current task differs between tasks, is stable across suspensions" */
SILL_CASE(T, 06, self_is_the_handle_and_stays_it)
{
    struct selves a = {0}, b = {0};
    struct sill_task *mine = sill_self();
    struct sill_task *task_a = suite_spawn(record_self, &a);
    struct sill_task *task_b = suite_spawn(record_self, &b);
    suite_await(task_a);
    suite_await(task_b);
    ck_assert_ptr_eq(a.first, task_a);
    ck_assert_ptr_eq(a.later, task_a);
    ck_assert_ptr_eq(b.first, task_b);
    ck_assert_ptr_eq(b.later, task_b);
    ck_assert_ptr_ne(task_a, task_b);
    ck_assert_ptr_eq(sill_self(), mine);
    ck_assert_ptr_ne(mine, task_a);
}

static void find_self(void *arg)
{
    *(struct sill_task **)arg = sill_self();
}

/* "Returns the current task, or NULL outside of one." */
SILL_CASE(T, 06, self_is_null_on_another_thread)
{
    struct suite_thread thread;
    struct sill_task *theirs = sill_self();
    suite_thread_start(&thread, find_self, &theirs);
    suite_thread_join(&thread);
    ck_assert_ptr_null(theirs);
}

/* The same before and after a run. */
SILL_CASE_OUTSIDE(T, 06, self_is_null_outside)
{
    ck_assert_ptr_null(sill_self());
    ck_assert_int_eq(sill_run(return_nine, NULL), 9);
    ck_assert_ptr_null(sill_self());
    ck_assert_int_eq(sill_yield(), SILL_ENOTASK);
}

static int named(void *arg)
{
    (void)arg;
    sill_task_set_name("miller");
    return sill_sleep(SILL_NEVER);
}

/* "Returns the name of (task), or "task" for one without"; "Returns where
 * (task) was spawned"; the dump has both. */
SILL_CASE(T, 06, a_task_has_a_name_and_a_place)
{
    struct sill_task *task = suite_spawn_at(named, NULL, "mill.c:7");
    ck_assert_str_eq(sill_task_name(task), "task");
    ck_assert_str_eq(sill_task_where(task), "mill.c:7");
    ck_assert(!suite_dump_has("miller"));
    suite_yield(1);
    ck_assert_str_eq(sill_task_name(task), "miller");
    ck_assert(suite_dump_has("miller"));
    ck_assert(suite_dump_has("mill.c:7"));
    suite_cancel(task);
    ck_assert(!suite_dump_has("miller"));
}

static int name_oneself(void *arg)
{
    (void)arg;
    sill_task_set_name("former");
    return 0;
}

/* A name is the task's own: the next one on its stack has none. */
SILL_CASE(T, 06, a_name_ends_with_its_task)
{
    for (int i = 0; i < 3; i++) {
        struct sill_task *task = suite_spawn(name_oneself, NULL);
        ck_assert_str_eq(sill_task_name(task), "task");
        suite_await(task);
    }
}

/* ---- T-07 ---- */

static int destroyed;
static void *destroyed_value;
static struct sill_task *destroyed_by;

static void destroy(void *value)
{
    destroyed++;
    destroyed_value = value;
    destroyed_by = sill_self();
}

static const struct sill_local tracked = {destroy};
static const struct sill_local plain = {NULL};

static int keep_local(void *arg)
{
    if (sill_local_get(&tracked) != NULL || sill_local_get(&plain) != NULL)
        return -1;
    if (sill_local_set(&tracked, arg) != 0 || sill_local_set(&plain, arg) != 0)
        return -2;
    suite_yield(3);
    if (sill_sleep(sill_after(SILL_MILLISECOND)) != 0)
        return -3;
    if (sill_local_get(&tracked) != arg || sill_local_get(&plain) != arg)
        return -4;
    return destroyed;
}

/* "task-locals survive suspension" and are each task's own. */
SILL_CASE(T, 07, locals_survive_suspension)
{
    int a, b;
    struct sill_task *task_a = suite_spawn(keep_local, &a);
    struct sill_task *task_b = suite_spawn(keep_local, &b);
    ck_assert_int_ge(suite_await(task_a), 0);
    ck_assert_int_ge(suite_await(task_b), 0);
    ck_assert_ptr_null(sill_local_get(&tracked));
    ck_assert_int_eq(destroyed, 2);
}

/* "never show through on a reused stack": keep_local fails if they do. */
SILL_CASE(T, 07, locals_do_not_show_through_on_a_reused_stack)
{
    int value;
    for (int i = 0; i < 50; i++)
        ck_assert_int_ge(suite_await(suite_spawn(keep_local, &value)), 0);
}

/* "destroy is called with the value ... on the task's own stack after its
 * function returned" */
SILL_CASE(T, 07, destructor_runs_in_the_task_after_its_function)
{
    int value;
    struct sill_task *task = suite_spawn(keep_local, &value);
    ck_assert_int_eq(suite_await(task), 0);
    ck_assert_int_eq(destroyed, 1);
    ck_assert_ptr_eq(destroyed_value, &value);
    ck_assert_ptr_eq(destroyed_by, task);
}

static int set_and_sleep(void *arg)
{
    int rc = sill_local_set(&tracked, arg);
    return rc == 0 ? sill_sleep(SILL_NEVER) : rc;
}

/* Of a cancelled task too; "when it is not NULL". */
SILL_CASE(T, 07, destructor_runs_for_cancelled_tasks_and_not_for_null)
{
    int value;
    struct sill_task *task = suite_spawn(set_and_sleep, &value);
    struct sill_task *empty = suite_spawn(set_and_sleep, NULL);
    suite_yield(2);
    suite_cancel(task);
    suite_cancel(empty);
    ck_assert_int_eq(destroyed, 1);
    ck_assert_ptr_eq(destroyed_value, &value);
}

static int keep_many_locals(void *arg)
{
    static struct sill_local locals[100];
    int wrong = 0;
    (void)arg;
    for (int i = 0; i < 100; i++)
        wrong += sill_local_set(&locals[i], suite_number(i + 1)) != 0;
    suite_yield(1);
    for (int i = 0; i < 100; i++)
        wrong += sill_local_get(&locals[i]) != suite_number(i + 1);
    return wrong;
}

/* "A variable of which every task has its own": as many as one likes. */
SILL_CASE(T, 07, a_task_may_have_a_hundred_locals)
{
    ck_assert_int_eq(suite_await(suite_spawn(keep_many_locals, NULL)), 0);
}

/* "or SILL_ENOMEM with the old value still set" */
SILL_CASE(T, 07, a_local_that_finds_no_memory_keeps_its_value)
{
    int old, fresh;
    ck_assert_int_eq(sill_local_set(&plain, &old), 0);
    fault_always(FAULT_alloc, ENOMEM);
    int rc = sill_local_set(&plain, &fresh);
    int other = sill_local_set(&tracked, &fresh);
    fault_clear();
    ck_assert(rc == 0 || rc == SILL_ENOMEM);
    ck_assert_ptr_eq(sill_local_get(&plain), rc == 0 ? &fresh : &old);
    ck_assert(other == 0 || other == SILL_ENOMEM);
    ck_assert_ptr_eq(sill_local_get(&tracked), other == 0 ? &fresh : NULL);
}

/* "or SILL_ENOTASK"; "NULL until set" */
SILL_CASE_OUTSIDE(T, 07, locals_outside_of_a_task_are_refused)
{
    int value;
    ck_assert_int_eq(sill_local_set(&plain, &value), SILL_ENOTASK);
    ck_assert_ptr_null(sill_local_get(&plain));
}

/* ---- T-08 ---- */

static int keep_errno(void *arg)
{
    int mine = (int)(intptr_t)arg, wrong = 0;
    struct sill_trigger never = SILL_TRIGGER_INIT;
    errno = mine;
    for (int i = 0; i < 10; i++) {
        sill_yield();
        wrong += errno != mine;
    }
    wrong += sill_sleep(sill_after(SILL_MILLISECOND)) != 0 || errno != mine;
    wrong +=
        sill_suspend(&never, sill_after(SILL_MILLISECOND)) != SILL_ETIMEDOUT ||
        errno != mine;
    return wrong;
}

/* "errno ... survive a suspension" */
SILL_CASE(T, 08, errno_survives_a_suspension)
{
    struct sill_task *a = suite_spawn(keep_errno, suite_number(1111));
    struct sill_task *b = suite_spawn(keep_errno, suite_number(2222));
    ck_assert_int_eq(suite_await(a), 0);
    ck_assert_int_eq(suite_await(b), 0);
}

static int keep_rounding(void *arg)
{
    int mine = (int)(intptr_t)arg, wrong = 0;
    fesetround(mine);
    for (int i = 0; i < 10; i++) {
        sill_yield();
        wrong += fegetround() != mine;
    }
    wrong += sill_sleep(sill_after(SILL_MILLISECOND)) != 0;
    return wrong + (fegetround() != mine);
}

/* What fegetround says is one unit's; arithmetic may be done by another. */
static int keep_arithmetic(void *arg)
{
    volatile double one = 1, three = 3;
    int wrong = 0;
    fesetround((int)(intptr_t)arg);
    double third = one / three;
    for (int i = 0; i < 10; i++) {
        sill_yield();
        double again = one / three;
        wrong += again != third;
    }
    return wrong;
}

/* "the floating-point environment survive[s] a suspension" */
SILL_CASE(T, 08, arithmetic_is_rounded_alike_after_a_suspension)
{
    struct sill_task *up =
        suite_spawn(keep_arithmetic, suite_number(FE_UPWARD));
    struct sill_task *down =
        suite_spawn(keep_arithmetic, suite_number(FE_DOWNWARD));
    ck_assert_int_eq(suite_await(up), 0);
    ck_assert_int_eq(suite_await(down), 0);
}

/* "the floating-point environment survive[s] a suspension", and does not leak
 * from one task to the next. */
SILL_CASE(T, 08, rounding_mode_survives_a_suspension)
{
    struct sill_task *up = suite_spawn(keep_rounding, suite_number(FE_UPWARD));
    struct sill_task *zero =
        suite_spawn(keep_rounding, suite_number(FE_TOWARDZERO));
    struct sill_task *near =
        suite_spawn(keep_rounding, suite_number(FE_TONEAREST));
    suite_yield(1);
    ck_assert_int_eq(fegetround(), FE_TONEAREST);
    ck_assert_int_eq(suite_await(up), 0);
    ck_assert_int_eq(suite_await(zero), 0);
    ck_assert_int_eq(suite_await(near), 0);
    ck_assert_int_eq(fegetround(), FE_TONEAREST);
}

/* ---- T-09 ---- */

static struct sill_task *grandchild;

static int have_child(void *arg)
{
    (void)arg;
    grandchild = suite_spawn(suite_sleeper, NULL);
    return suite_await(grandchild);
}

static void await_a_grandchild(void)
{
    suite_spawn(have_child, NULL);
    suite_yield(2);
    suite_await(grandchild);
}

static void await_twice(void)
{
    struct sill_task *task = suite_spawn(suite_returner, NULL);
    suite_await(task);
    suite_await(task);
}

static void await_after_cancel(void)
{
    struct sill_task *task = suite_spawn(suite_sleeper, NULL);
    suite_cancel(task);
    suite_await(task);
}

static void cancel_twice(void)
{
    struct sill_task *task = suite_spawn(suite_sleeper, NULL);
    suite_cancel(task);
    suite_cancel(task);
}

static void cancel_after_await(void)
{
    struct sill_task *task = suite_spawn(suite_returner, NULL);
    suite_await(task);
    suite_cancel(task);
}

static void cancel_a_grandchild(void)
{
    suite_spawn(have_child, NULL);
    suite_yield(2);
    suite_cancel(grandchild);
}

static void await_oneself(void)
{
    ck_assert_int_eq(sill_await(sill_self(), NULL, SILL_NEVER), 0);
}

static int tell_self(void *arg)
{
    *(struct sill_task **)arg = sill_self();
    return sill_sleep(SILL_NEVER);
}

static void await_a_task_of_a_scope(void)
{
    struct sill_scope scope;
    struct sill_task *task = NULL;
    sill_scope_init(&scope, SILL_SCOPE_COLLECT);
    if (sill_scope_spawn(&scope, tell_self, &task) == 0)
        suite_yield(1);
    suite_await(task);
}

static void await_no_task(void)
{
    suite_await(NULL);
}

/* "Awaiting a task that is not a child of the caller ... ends the program." */
SILL_CASE_OUTSIDE(T, 09, await_by_anyone_but_the_parent_ends_the_program)
{
    suite_expect_culprit(await_a_grandchild, "sill_await");
}

SILL_CASE_OUTSIDE(T, 09, await_of_no_task_ends_the_program)
{
    suite_expect_culprit(await_no_task, "sill_await");
}

SILL_CASE_OUTSIDE(T, 09, await_of_oneself_ends_the_program)
{
    suite_expect_culprit(await_oneself, "sill_await");
}

/* "is in a scope" */
SILL_CASE_OUTSIDE(T, 09, await_of_a_scopes_task_ends_the_program)
{
    suite_expect_culprit(await_a_task_of_a_scope, "sill_await");
}

/* "or was awaited or cancelled before ends the program" */
SILL_CASE_OUTSIDE(T, 09, await_twice_ends_the_program)
{
    suite_expect_culprit(await_twice, "sill_await");
}

SILL_CASE_OUTSIDE(T, 09, await_after_cancel_ends_the_program)
{
    suite_expect_culprit(await_after_cancel, "sill_await");
}

/* "Who may call it: see sill_await." */
SILL_CASE_OUTSIDE(T, 09, cancel_by_anyone_but_the_parent_ends_the_program)
{
    suite_expect_culprit(cancel_a_grandchild, "sill_cancel");
}

SILL_CASE_OUTSIDE(T, 09, cancel_twice_ends_the_program)
{
    suite_expect_culprit(cancel_twice, "sill_cancel");
}

SILL_CASE_OUTSIDE(T, 09, cancel_after_await_ends_the_program)
{
    suite_expect_culprit(cancel_after_await, "sill_cancel");
}

/* ---- T-10 ---- */

static int leave_children(void *arg)
{
    struct sill_task *task;
    int rc = sill_spawn_at(sleep_then_mark, arg, &task, "child.c:22");
    rc =
        rc == 0 ? sill_spawn_at(sleep_then_mark, arg, &task, "child.c:33") : rc;
    suite_yield(1);
    return rc == 0 ? 42 : rc;
}

/* "The children are cancelled and waited for, nothing leaks, and whoever
 * awaits the task gets SILL_EORPHAN instead of its result; a log line names
 * where both were spawned." */
SILL_CASE(T, 10, a_task_that_ends_before_its_children_is_an_orphan)
{
    int ended = 0;
    struct sill_task *task =
        suite_spawn_at(leave_children, &ended, "parent.c:11");
    ck_assert_int_eq(suite_await(task), SILL_EORPHAN);
    ck_assert_int_eq(ended, 2);
    ck_assert(suite_log_has("parent.c:11"));
    ck_assert(suite_log_has("child.c:22") || suite_log_has("child.c:33"));
}

/* "SILL_EORPHAN the first task ended before its children did" */
SILL_CASE_OUTSIDE(T, 10, the_first_task_can_be_an_orphan_too)
{
    int ended = 0;
    ck_assert_int_eq(sill_run(leave_children, &ended), SILL_EORPHAN);
    ck_assert_int_eq(ended, 2);
}

static int leave_when_cancelled(void *arg)
{
    struct sill_task *task;
    int rc = sill_spawn(sleep_then_mark, arg, &task);
    if (rc == 0)
        rc = sill_sleep(SILL_NEVER);
    return rc == SILL_ECANCELED ? 42 : -1;
}

/* "In a task that was itself cancelled this is silent" */
SILL_CASE(T, 10, a_cancelled_task_may_leave_its_children)
{
    int ended = 0;
    struct sill_task *task = suite_spawn(leave_when_cancelled, &ended);
    suite_yield(3);
    suite_log_clear();
    ck_assert_int_eq(sill_cancel(task, SILL_PAST), SILL_ETIMEDOUT);
    ck_assert_int_eq(suite_await(task), 42);
    ck_assert_int_eq(ended, 1);
    ck_assert(!suite_log_has("sill"));
}

static int leave_ended_child(void *arg)
{
    struct sill_task *task;
    int rc = sill_spawn(add_one, arg, &task);
    suite_yield(3);
    return rc;
}

/* "nothing leaks": the harness counts. */
SILL_CASE(T, 10, an_ended_child_that_nobody_awaited_leaks_nothing)
{
    int ran = 0;
    for (int i = 0; i < 10; i++)
        suite_await(suite_spawn(leave_ended_child, &ran));
    ck_assert_int_eq(ran, 10);
}

static int leave_grandchildren(void *arg)
{
    struct sill_task *task;
    int rc = sill_spawn(leave_children, arg, &task);
    suite_yield(4);
    return rc;
}

/* Orphans of orphans. */
SILL_CASE(T, 10, orphans_at_every_level_are_joined)
{
    int ended = 0;
    struct sill_task *task = suite_spawn(leave_grandchildren, &ended);
    ck_assert_int_eq(suite_await(task), SILL_EORPHAN);
    ck_assert_int_eq(ended, 2);
}

/* ---- T-11 ---- */

enum { FAN = 3, DEPTH = 3, NODES = 1 + FAN + FAN * FAN };

static struct {
    int order[NODES]; /* nodes in order of their ending */
    int ended;
    int wrong;
} tree;

/* Node (i) has the nodes FAN * i + 1 .. FAN * i + FAN below it, if any. */
static int grow(void *arg)
{
    int node = (int)(intptr_t)arg;
    struct sill_task *below[FAN] = {NULL};
    for (int i = 0; i < FAN && FAN * node + 1 < NODES; i++)
        below[i] = suite_spawn(grow, suite_number(FAN * node + 1 + i));
    tree.wrong += sill_sleep(SILL_NEVER) != SILL_ECANCELED;
    tree.order[tree.ended++] = node;
    for (int i = 0; i < FAN; i++)
        if (below[i] != NULL)
            sill_cancel(below[i], SILL_NEVER);
    return 0;
}

static int rank(int node)
{
    for (int i = 0; i < tree.ended; i++)
        if (tree.order[i] == node)
            return i;
    return -1;
}

/* "Cancels the child (task) and all below it, and waits until they have ended,
 * those below first" */
SILL_CASE(T, 11, cancel_ends_the_subtree_deepest_first)
{
    struct sill_task *root = suite_spawn(grow, suite_number(0));
    suite_yield(DEPTH + 1);
    ck_assert_int_eq(tree.ended, 0);
    ck_assert_int_eq(sill_cancel(root, SILL_NEVER), 0);
    ck_assert_int_eq(tree.ended, NODES);
    ck_assert_int_eq(tree.wrong, 0);
    for (int node = 1; node < NODES; node++)
        ck_assert_int_lt(rank(node), rank((node - 1) / FAN));
}

static int wait_forbidden(void *arg)
{
    sill_forbid();
    int rc = sill_suspend(arg, SILL_NEVER);
    sill_permit();
    return rc == 0 ? sill_sleep(SILL_NEVER) : 1;
}

/* "SILL_ETIMEDOUT it had not by (deadline): the request stands, and the task
 * must still be awaited or cancelled" */
SILL_CASE(T, 11, cancel_that_times_out_stands_and_can_be_awaited)
{
    struct sill_trigger go = SILL_TRIGGER_INIT;
    struct sill_task *task = suite_spawn(wait_forbidden, &go);
    suite_yield(1);
    sill_time deadline = sill_after(SILL_MILLISECOND);
    ck_assert_int_eq(sill_cancel(task, deadline), SILL_ETIMEDOUT);
    ck_assert_int_ge(sill_now(), deadline);
    ck_assert_int_eq(sill_cancel(task, SILL_PAST), SILL_ETIMEDOUT);
    sill_resume(&go, 0);
    ck_assert_int_eq(suite_await(task), SILL_ECANCELED);
}

/* The same, cancelled again instead. */
SILL_CASE(T, 11, cancel_that_timed_out_can_be_repeated)
{
    struct sill_trigger go = SILL_TRIGGER_INIT;
    struct sill_task *task = suite_spawn(wait_forbidden, &go);
    suite_yield(1);
    ck_assert_int_eq(sill_cancel(task, SILL_PAST), SILL_ETIMEDOUT);
    sill_resume(&go, 0);
    ck_assert_int_eq(sill_cancel(task, SILL_NEVER), 0);
}

struct canceller {
    struct sill_trigger go;
    int cancelled, next;
    bool before; /* wait for the cancel first */
};

static int cancel_while_cancelled(void *arg)
{
    struct canceller *all = arg;
    struct sill_task *task = suite_spawn(wait_forbidden, &all->go);
    suite_yield(1);
    while (all->before && sill_yield() == 0)
        continue;
    all->cancelled = sill_cancel(task, SILL_NEVER);
    all->next = sill_sleep(SILL_NEVER);
    return 0;
}

/* "Waits also when the caller is itself cancelled, which its next wait
 * reports." */
SILL_CASE(T, 11, cancel_waits_also_in_a_cancelled_task)
{
    for (int before = 0; before < 2; before++) {
        struct canceller all = {SILL_TRIGGER_INIT, 99, 99, before};
        struct sill_task *task = suite_spawn(cancel_while_cancelled, &all);
        suite_yield(3);
        ck_assert_int_eq(sill_cancel(task, SILL_PAST), SILL_ETIMEDOUT);
        suite_yield(5);
        ck_assert_int_eq(all.cancelled, 99);
        sill_resume(&all.go, 0);
        suite_await(task);
        ck_assert_int_eq(all.cancelled, 0);
        ck_assert_int_eq(all.next, SILL_ECANCELED);
    }
}

static int descend(void *arg)
{
    int depth = (int)(intptr_t)arg;
    if (depth == 0)
        return sill_sleep(SILL_NEVER);
    struct sill_task *task = suite_spawn(descend, suite_number(depth - 1));
    int result = 0;
    int rc = sill_await(task, &result, SILL_NEVER);
    if (rc == 0)
        return result;
    sill_cancel(task, SILL_NEVER);
    return rc;
}

/* However deep the tree is. */
SILL_CASE(T, 11, cancel_ends_a_chain_of_a_thousand)
{
    int depth = suite_crowd(1000);
    struct sill_task *task = suite_spawn(descend, suite_number(depth));
    suite_yield(depth + 2);
    ck_assert_int_eq(sill_cancel(task, SILL_PAST), SILL_ETIMEDOUT);
    ck_assert_int_eq(suite_await(task), SILL_ECANCELED);
}

/* Two tasks cancel one after the other: (owner) waits for what it cancelled,
 * and is cancelled itself meanwhile. */
struct owner {
    struct sill_scope scope;
    struct sill_trigger go, told;
    sill_time deadline;
    int rc;
    bool in_scope;
};

static int tell_of_the_cancel(void *arg)
{
    int rc = sill_sleep(SILL_NEVER);
    sill_resume(arg, 0);
    return rc;
}

static int cancel_and_own(void *arg)
{
    struct owner *self = arg;
    sill_scope_init(&self->scope, SILL_SCOPE_COLLECT);
    struct sill_task *task = suite_spawn(wait_forbidden, &self->go);
    suite_yield(1);
    suite_cancel(task);
    sill_forbid();
    self->rc = sill_suspend(&self->told, sill_after(suite_liveness()));
    sill_permit();
    int rc = sill_scope_wait(&self->scope, SILL_NEVER);
    sill_scope_fini(&self->scope);
    return rc;
}

/* "Cancels the child (task) and all below it", also one that came to be while
 * (task) sat in a cancel of its own. */
SILL_CASE(T, 11, cancel_reaches_what_is_spawned_during_another_cancel)
{
    static struct owner owner;
    struct sill_task *task = suite_spawn(cancel_and_own, &owner);
    suite_yield(3);
    ck_assert_int_eq(sill_cancel(task, SILL_PAST), SILL_ETIMEDOUT);
    ck_assert_int_eq(
        sill_scope_spawn(&owner.scope, tell_of_the_cancel, &owner.told), 0);
    suite_yield(2);
    sill_resume(&owner.go, 0);
    suite_await(task);
    ck_assert_int_eq(owner.rc, 0);
}

static int wait_with_a_child(void *arg)
{
    struct owner *self = arg;
    struct sill_task *task = NULL;
    sill_scope_init(&self->scope, SILL_SCOPE_COLLECT);
    if (self->in_scope)
        ck_assert_int_eq(
            sill_scope_spawn(&self->scope, wait_forbidden, &self->go), 0);
    else
        task = suite_spawn(wait_forbidden, &self->go);
    suite_yield(1);
    self->rc = task ? sill_await(task, NULL, self->deadline)
                    : sill_scope_wait(&self->scope, self->deadline);
    if (task && self->rc < 0)
        suite_cancel(task);
    int rc = sill_scope_wait(&self->scope, SILL_NEVER);
    sill_scope_fini(&self->scope);
    return rc;
}

/* A cancelled task learns of it, and of nothing else, however long its children
 * take to clean up: its deadline may pass meanwhile. */
SILL_CASE(T, 11, cancel_beats_a_deadline_that_passes_during_clean_up)
{
    static struct owner owner;
    for (int in_scope = 0; in_scope < 2; in_scope++) {
        sill_time deadline = sill_after(50 * SILL_MILLISECOND);
        owner = (struct owner){.in_scope = in_scope, .deadline = deadline};
        struct sill_task *task = suite_spawn(wait_with_a_child, &owner);
        suite_yield(3);
        ck_assert_int_eq(sill_cancel(task, SILL_PAST), SILL_ETIMEDOUT);
        ck_assert_int_eq(sill_sleep(deadline + SILL_MILLISECOND), 0);
        suite_yield(3);
        sill_resume(&owner.go, 0);
        suite_await(task);
        ck_assert_int_eq(owner.rc, SILL_ECANCELED);
    }
}

/* ---- T-15 ---- */

static struct sill_task *brood[100000];

static sill_duration await_brood(int count, bool oldest_first)
{
    int failed = 0;
    for (int i = 0; i < count; i++)
        failed += sill_spawn(suite_returner, NULL, &brood[i]) != 0;
    ck_assert_int_eq(failed, 0);
    suite_yield(2);
    sill_duration begin = suite_cpu();
    for (int i = 0; i < count; i++) {
        int which = oldest_first ? i : count - 1 - i;
        failed += sill_await(brood[which], NULL, SILL_NEVER) != 0;
    }
    ck_assert_int_eq(failed, 0);
    return suite_cpu() - begin;
}

/* "awaiting 100 000 children oldest first costs the same as newest first"; a
 * walk along the list would take minutes. */
SILL_CASE(T, 15, await_costs_the_same_in_both_orders)
{
    int count = suite_crowd(100000);
    (void)await_brood(count, false); /* makes the stacks */
    sill_duration newest = await_brood(count, false);
    sill_duration oldest = await_brood(count, true);
    ck_assert_int_lt(oldest, 4 * newest + 50 * SILL_MILLISECOND);
    ck_assert_int_lt(newest, 4 * oldest + 50 * SILL_MILLISECOND);
}

/* ---- T-16 ---- */

/* "Waits until one of the (count) children in (tasks) has ended, cancels all
 * others, and waits for those too" */
SILL_CASE(T, 16, await_first_returns_the_first_and_ends_the_rest)
{
    for (size_t first = 0; first < 4; first++) {
        struct sill_task *tasks[4];
        size_t index = 99;
        int result = 0, cancelled = 0;
        for (size_t i = 0; i < 4; i++)
            tasks[i] = i == first ? suite_spawn(yielder, suite_number(7))
                                  : suite_spawn(sleep_then_mark, &cancelled);
        ck_assert_int_eq(
            sill_await_first(tasks, 4, &index, &result, SILL_NEVER), 0);
        ck_assert_uint_eq(index, first);
        ck_assert_int_eq(result, 7);
        ck_assert_int_eq(cancelled, 3);
    }
}

static void *ended_first;

static int suspend_and_end(void *trigger)
{
    int rc = sill_suspend(trigger, SILL_NEVER);

    if (!ended_first)
        ended_first = trigger;
    return rc;
}

static int resume_both(void *arg)
{
    struct sill_trigger **triggers = arg;
    sill_resume(triggers[0], 0);
    sill_resume(triggers[1], 0);
    return 0;
}

/* "index receives which one was first", also when two end in one round. */
SILL_CASE(T, 16, await_first_tells_the_one_that_ended_first)
{
    for (size_t first = 0; first < 2; first++) {
        struct sill_trigger a = SILL_TRIGGER_INIT, b = SILL_TRIGGER_INIT;
        struct sill_trigger *order[2] = {first == 0 ? &a : &b,
                                         first == 0 ? &b : &a};
        struct sill_task *tasks[2];
        size_t index = 99;
        ended_first = NULL;
        tasks[0] = suite_spawn(suspend_and_end, &a);
        tasks[1] = suite_spawn(suspend_and_end, &b);
        struct sill_task *third = suite_spawn(resume_both, order);
        ck_assert_int_eq(sill_await_first(tasks, 2, &index, NULL, SILL_NEVER),
                         0);
        ck_assert_ptr_eq(ended_first, index == 0 ? &a : &b);
        suite_await(third);
    }
}

/* One that ended before wins at once. */
SILL_CASE(T, 16, await_first_takes_one_that_has_ended)
{
    struct sill_task *tasks[2];
    size_t index = 99;
    int result = 0, cancelled = 0;
    tasks[0] = suite_spawn(sleep_then_mark, &cancelled);
    tasks[1] = suite_spawn(suite_returner, suite_number(SILL_EIO));
    suite_yield(2);
    ck_assert_int_eq(sill_await_first(tasks, 2, &index, &result, SILL_PAST), 0);
    ck_assert_uint_eq(index, 1);
    ck_assert_int_eq(result, SILL_EIO);
    ck_assert_int_eq(cancelled, 1);
}

/* "or, with every task as it was, ... SILL_ETIMEDOUT before any of them ended;
 * SILL_EINVAL (count) is 0" */
SILL_CASE(T, 16, await_first_that_times_out_leaves_all_as_they_were)
{
    struct sill_task *tasks[2];
    size_t index = 99;
    int result = 0, cancelled = 0;
    tasks[0] = suite_spawn(sleep_then_mark, &cancelled);
    tasks[1] = suite_spawn(sleep_then_mark, &cancelled);
    ck_assert_int_eq(sill_await_first(tasks, 0, &index, &result, SILL_NEVER),
                     SILL_EINVAL);
    ck_assert_int_eq(sill_await_first(tasks, 2, &index, &result, SILL_PAST),
                     SILL_ETIMEDOUT);
    sill_time deadline = sill_after(SILL_MILLISECOND);
    ck_assert_int_eq(sill_await_first(tasks, 2, &index, &result, deadline),
                     SILL_ETIMEDOUT);
    ck_assert_int_ge(sill_now(), deadline);
    ck_assert_int_eq(cancelled, 0);
    suite_cancel(tasks[0]);
    suite_cancel(tasks[1]);
    ck_assert_int_eq(cancelled, 2);
}

/* "Waits until each of the (count) children in (tasks) has ended, whatever
 * their results ... in the order of (tasks)" */
SILL_CASE(T, 16, await_all_never_short_circuits)
{
    struct sill_task *tasks[4];
    int results[4] = {0}, finished = 0;
    tasks[0] = suite_spawn(yielder, suite_number(9));
    tasks[1] = suite_spawn(suite_returner, suite_number(SILL_EIO));
    tasks[2] = suite_spawn(finish_undisturbed, &finished);
    tasks[3] = suite_spawn(suite_returner, suite_number(4));
    ck_assert_int_eq(sill_await_all(tasks, 4, results, SILL_NEVER), 0);
    ck_assert_int_eq(results[0], 9);
    ck_assert_int_eq(results[1], SILL_EIO);
    ck_assert_int_eq(results[2], 0);
    ck_assert_int_eq(results[3], 4);
    ck_assert_int_eq(finished, 1);
}

/* "or, with every task as it was, ... SILL_ETIMEDOUT"; "NULL drops them" */
SILL_CASE(T, 16, await_all_that_times_out_leaves_all_as_they_were)
{
    struct sill_trigger go = SILL_TRIGGER_INIT;
    struct sill_task *tasks[2];
    tasks[0] = suite_spawn(suite_returner, suite_number(1));
    tasks[1] = suite_spawn(suite_suspender, &go);
    suite_yield(2);
    ck_assert_int_eq(sill_await_all(tasks, 2, NULL, SILL_PAST), SILL_ETIMEDOUT);
    ck_assert_int_eq(
        sill_await_all(tasks, 2, NULL, sill_after(SILL_MILLISECOND)),
        SILL_ETIMEDOUT);
    sill_resume(&go, 0);
    ck_assert_int_eq(sill_await_all(tasks, 2, NULL, SILL_NEVER), 0);
}

static void await_first_of_one_task_twice(void)
{
    struct sill_task *tasks[2];
    size_t index;
    tasks[0] = tasks[1] = suite_spawn(suite_returner, NULL);
    ck_assert_int_eq(sill_await_first(tasks, 2, &index, NULL, SILL_NEVER), 0);
}

static void await_all_of_one_task_twice(void)
{
    struct sill_task *tasks[2];
    tasks[0] = tasks[1] = suite_spawn(suite_returner, NULL);
    ck_assert_int_eq(sill_await_all(tasks, 2, NULL, SILL_NEVER), 0);
}

/* A task is awaited once, and so is named once. */
SILL_CASE_OUTSIDE(T, 16, a_task_named_twice_ends_the_program)
{
    suite_expect_culprit(await_first_of_one_task_twice, "sill_await_first");
    suite_expect_culprit(await_all_of_one_task_twice, "sill_await_all");
}

/* ---- T-17 ---- */

/* "SILL_EBUSY called from inside a task" */
SILL_CASE(T, 17, run_inside_a_task_is_refused)
{
    int ran = 0;
    struct sill_task *task = suite_spawn(yielder, suite_number(3));
    ck_assert_int_eq(sill_run(add_one, &ran), SILL_EBUSY);
    ck_assert_int_eq(sill_run_with(NULL, add_one, &ran), SILL_EBUSY);
    ck_assert_int_eq(suite_await(task), 3);
    ck_assert_int_eq(ran, 0);
}

/* ---- T-18 ---- */

static int use_stack(void *arg)
{
    volatile unsigned char bytes[48 * 1024];
    int wrong = 0, seed = (int)(intptr_t)arg;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (unsigned char)(i * 7 + (size_t)seed);
    suite_yield(2);
    for (size_t i = 0; i < sizeof(bytes); i++)
        wrong += bytes[i] != (unsigned char)(i * 7 + (size_t)seed);
    return wrong;
}

/* "48 KiB used of a 64 KiB stack works" */
SILL_CASE(T, 18, most_of_a_stack_can_be_used)
{
    struct sill_task *a = suite_spawn(use_stack, suite_number(1));
    struct sill_task *b = suite_spawn(use_stack, suite_number(2));
    ck_assert_int_eq(suite_await(a), 0);
    ck_assert_int_eq(suite_await(b), 0);
}

static int use_large_stack(void *arg)
{
    volatile unsigned char bytes[900 * 1024];
    (void)arg;
    for (size_t i = 0; i < sizeof(bytes); i += 512)
        bytes[i] = 1;
    suite_yield(1);
    return bytes[512] - 1;
}

/* "stack_size: of every task, in bytes" */
SILL_CASE_OUTSIDE(T, 18, stacks_can_be_larger)
{
    struct sill_run_options options = {.stack_size = 1024 * 1024};
    ck_assert_int_eq(sill_run_with(&options, use_large_stack, NULL), 0);
}

static int use_least_stack(void *arg)
{
    volatile char bytes[8 * 1024];
    (void)arg;
    for (size_t i = 0; i < sizeof(bytes); i += 512)
        bytes[i] = 1;
    suite_yield(1);
    return bytes[512] - 1;
}

/* "at least 16 KiB", whatever was asked for */
SILL_CASE_OUTSIDE(T, 18, stacks_are_not_smaller_than_the_least)
{
    struct sill_run_options options = {.stack_size = 1};
    ck_assert_int_eq(sill_run_with(&options, use_least_stack, NULL), 0);
}

static int sink;

static int overflow(int depth)
{
    volatile char bytes[256];
    bytes[0] = (char)depth;
    sink = depth < 1000000 ? overflow(depth + 1) : 0;
    return bytes[0] + sink;
}

static int overflow_task(void *arg)
{
    sill_task_set_name("glutton");
    return overflow(arg != NULL);
}

static int spawn_glutton(void *arg)
{
    struct sill_task *task;
    (void)arg;
    int rc = sill_spawn(overflow_task, NULL, &task);
    return rc == 0 ? sill_await(task, NULL, SILL_NEVER) : rc;
}

static void run_glutton(void *arg)
{
    sill_run(spawn_glutton, arg);
}

/* "an overflow stops at the guard and names task, spawn site and size" */
SILL_CASE_OUTSIDE(T, 18, an_overflow_names_the_task_its_place_and_size)
{
    static char errors[16384];
    int status = suite_fork(run_glutton, NULL, errors, sizeof(errors));
    ck_assert_msg(status != 0, "it survived");
    ck_assert_msg(strstr(errors, "glutton") != NULL, "%.1500s", errors);
    ck_assert_msg(strstr(errors, "tasks.c:") != NULL, "%.1500s", errors);
    ck_assert_msg(strstr(errors, "65536") != NULL, "%.1500s", errors);
}

/* ---- T-19 ---- */

/* "SILL_ENOMEM no memory for the task", "with nothing started". Stacks are
 * kept in stock, so it takes a few to feel the shortage. */
SILL_CASE(T, 19, spawn_without_memory_starts_nothing)
{
    int ran = 0, rc = 0, count = 0;
    fault_always(FAULT_alloc, ENOMEM);
    fault_always(FAULT_mmap, ENOMEM);
    while (rc == 0 && count < 100000) {
        rc = sill_spawn(add_one, &ran, &brood[count]);
        count += rc == 0;
    }
    ck_assert_int_eq(rc, SILL_ENOMEM);
    for (int i = 0; i < count; i++)
        ck_assert_int_eq(sill_await(brood[i], NULL, SILL_NEVER), 0);
    suite_yield(2);
    ck_assert_int_eq(ran, count);
    fault_clear();
    struct sill_task *task = suite_spawn(add_one, &ran);
    suite_await(task);
    ck_assert_int_eq(ran, count + 1);
}

/* A stack that cannot be guarded is no stack. */
SILL_CASE(T, 19, spawn_without_a_guard_starts_nothing)
{
    int ran = 0, rc = 0, count = 0;
    fault_always(FAULT_madvise, ENOMEM);
    fault_always(FAULT_mprotect, ENOMEM);
    while (rc == 0 && count < 1000) {
        rc = sill_spawn(add_one, &ran, &brood[count]);
        count += rc == 0;
    }
    fault_clear();
    ck_assert_int_eq(rc, SILL_ENOMEM);
    for (int i = 0; i < count; i++)
        ck_assert_int_eq(sill_await(brood[i], NULL, SILL_NEVER), 0);
    ck_assert_int_eq(ran, count);
}

/* sill_run: "SILL_ENOMEM", and not a stack smaller than asked for. */
SILL_CASE_OUTSIDE(T, 19, a_stack_larger_than_memory_is_refused)
{
    static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 100, SIZE_MAX / 2 + 1,
                                   SIZE_MAX / 64, SIZE_MAX / 256};
    int ran = 0;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        struct sill_run_options options = {.stack_size = sizes[i]};
        suite_note("%zu bytes", sizes[i]);
        ck_assert_int_eq(sill_run_with(&options, add_one, &ran), SILL_ENOMEM);
    }
    ck_assert_int_eq(ran, 0);
}

/* The same into a scope. */
SILL_CASE(T, 19, scope_spawn_without_memory_starts_nothing)
{
    struct sill_scope scope;
    int ran = 0, rc = 0, count = 0;
    sill_scope_init(&scope, SILL_SCOPE_COLLECT);
    fault_always(FAULT_alloc, ENOMEM);
    fault_always(FAULT_mmap, ENOMEM);
    while (rc == 0 && count < 100000) {
        rc = sill_scope_spawn(&scope, add_one, &ran);
        count += rc == 0;
    }
    fault_clear();
    ck_assert_int_eq(rc, SILL_ENOMEM);
    ck_assert_int_eq(sill_scope_wait(&scope, SILL_NEVER), 0);
    ck_assert_int_eq(ran, count);
    sill_scope_fini(&scope);
}
