/* SPDX-License-Identifier: MIT */
/*
 * Cases with every outcome, for the kit to report.
 */
#include "suite.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

const struct sill_conformance_params sill_conformance_params = {
    .name = "outcomes",
    .properties = SILL_CONFORMANCE_THREADS,
};

SILL_CASE(A, 01, passes)
{
    ck_assert_int_eq(sill_yield(), 0);
}

SILL_CASE_OUTSIDE(A, 02, passes_outside)
{
    ck_assert_ptr_null(sill_self());
}

SILL_CASE(A, 03, passes_too)
{
    ck_assert(true);
}

SILL_CASE(A, 04, passes_as_well)
{
    ck_assert(true);
}

SILL_CASE(C, 01, fails_with_a_note)
{
    suite_note("a <note> & \"quotes\"");
    ck_assert_int_eq(1 + 1, 3);
}

static void fail(void *arg)
{
    (void)arg;
    ck_abort_msg("the child's own words");
}

SILL_CASE_OUTSIDE(C, 02, fails_in_a_forked_child)
{
    char errors[16];

    ck_assert_int_eq(suite_fork(fail, NULL, errors, sizeof(errors)), 0);
}

SILL_CASE(C, 03, leaves_a_descriptor)
{
    ck_assert_int_ge(open("/dev/null", O_RDONLY | O_CLOEXEC), 0);
}

SILL_CASE(C, 04, returns_from_a_run_that_fails)
{
    (void)suite_spawn(suite_returner, NULL);
}

SILL_CASE(D, 01, crashes)
{
    ck_assert(true);
    abort();
}

SILL_CASE_OUTSIDE(D, 02, ends_the_process)
{
    _exit(0);
}

static int wait_for_nobody(void *arg)
{
    struct sill_trigger never = SILL_TRIGGER_INIT;

    (void)arg;
    sill_task_set_name("forgotten");
    return sill_suspend(&never, SILL_NEVER);
}

SILL_CASE(Q, 01, hangs)
{
    (void)suite_await(suite_spawn(wait_for_nobody, NULL));
}

SILL_CASE_OUTSIDE(Q, 02, hangs_without_a_watchdog)
{
    sigset_t all;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    for (;;)
        pause();
}

SILL_CASE(F, 01, needs_descriptors_by_its_group)
{
    ck_abort_msg("it was run");
}

SILL_CASE(S, 01, needs_virtual_time_by_its_own_word, virtual)
{
    ck_abort_msg("it was run");
}

SILL_CASE(W, 01, needs_what_is_declared)
{
    ck_assert(true);
}

/* ---- cases that say, or believe to know, in which order tasks run ---- */

enum { WALKERS = 5 };

static char order[WALKERS + 1];
static size_t walked;

static int walk(void *name)
{
    order[walked++] = (char)(intptr_t)name;
    return 0;
}

static int walk_all(void *unused)
{
    struct sill_task *tasks[WALKERS];

    (void)unused;
    walked = 0;
    for (int i = 0; i < WALKERS; i++)
        tasks[i] = suite_spawn(walk, suite_number('a' + i));
    return sill_await_all(tasks, WALKERS, NULL, SILL_NEVER);
}

/* Adds a line to the file that KIT_ORDER names, if any. */
static void tell_order(void)
{
    const char *path = getenv("KIT_ORDER");
    FILE *file = path ? fopen(path, "ae") : NULL;

    if (!file)
        return;
    (void)fprintf(file, "%s\n", order);
    (void)fclose(file);
}

SILL_CASE(R, 01, depends_on_an_order_by_chance)
{
    ck_assert_int_eq(walk_all(NULL), 0);
    ck_assert_str_eq(order, "abcde");
}

SILL_CASE(R, 02, depends_on_an_order_and_says_so, order)
{
    ck_assert_int_eq(walk_all(NULL), 0);
    ck_assert_str_eq(order, "abcde");
}

SILL_CASE(R, 03, tells_its_order)
{
    ck_assert_int_eq(walk_all(NULL), 0);
    tell_order();
}

SILL_CASE_OUTSIDE(R, 04, tells_the_order_in_a_run_of_its_own)
{
    ck_assert_int_eq(sill_run(walk_all, NULL), 0);
    tell_order();
}

SILL_CASE_OUTSIDE(R, 05, keeps_a_number_of_its_own)
{
    struct sill_run_options options = {.shuffle = 7};

    ck_assert_int_eq(sill_run_with(&options, walk_all, NULL), 0);
    tell_order();
}

/* Fails when the file that KIT_COUNTER names has three bytes. */
SILL_CASE_OUTSIDE(X, 01, fails_in_its_third_run)
{
    const char *path = getenv("KIT_COUNTER");

    ck_assert_ptr_nonnull(path);

    FILE *counter = fopen(path, "ae");

    ck_assert_ptr_nonnull(counter);
    (void)putc('x', counter);

    long size = ftell(counter);

    (void)fclose(counter);
    ck_assert_int_lt(size, 3);
}
