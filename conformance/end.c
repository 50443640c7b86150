/* SPDX-License-Identifier: MIT */
/*
 * The end of a loop: group Q. What is left when it has ended, what it does when
 * nothing can go on, and that loops do not meet.
 */
#include "suite.h"
#include "tour.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* ---- Q-01 ---- */

static int ended;

static int sleep_and_clean_up(void *unused)
{
    int rc = suite_sleeper(unused);

    sill_forbid();

    int slept = sill_sleep(sill_after(SILL_MILLISECOND));

    sill_permit();
    ended += slept == 0;
    return rc;
}

static int leave_tasks_behind(void *unused)
{
    struct sill_task *task;

    (void)unused;
    for (int i = 0; i < 100; i++)
        (void)suite_spawn_at(sleep_and_clean_up, NULL, SILL_HERE);
    task = suite_spawn(suite_returner, NULL);
    (void)sill_yield();
    return suite_await(task);
}

/* sill_run: "until that task and all below it have ended"; "SILL_EORPHAN: the
 * first task ended before its children did". */
SILL_CASE_OUTSIDE(Q, 01, a_run_with_tasks_left_cancels_and_waits_for_them)
{
    ck_assert_int_eq(sill_run(leave_tasks_behind, NULL), SILL_EORPHAN);
    ck_assert_int_eq(ended, 100);
}

static int branch(void *levels)
{
    struct sill_task *child;
    intptr_t left = (intptr_t)levels;

    if (left == 0)
        return sleep_and_clean_up(NULL);

    int rc = sill_spawn(branch, (void *)(left - 1), &child);

    if (rc == 0 && left % 2)
        rc = sill_await(child, NULL, SILL_NEVER);
    ended++;
    return rc;
}

/* also when those that are left have tasks of their own. */
SILL_CASE_OUTSIDE(Q, 01, a_run_with_a_tree_left_waits_for_all_of_it)
{
    ck_assert_int_eq(sill_run(branch, (void *)(intptr_t)10), SILL_EORPHAN);
    ck_assert_int_eq(ended, 11);
}

static int tidy(void *result)
{
    struct sill_task *task = suite_spawn(sleep_and_clean_up, NULL);

    (void)sill_yield();
    suite_cancel(task);
    return (int)(intptr_t)result;
}

/* sill_run: "Returns what the first task returned". */
SILL_CASE_OUTSIDE(Q, 01, a_run_returns_what_its_first_task_returns)
{
    static const int results[] = {
        0, 1, INT32_MAX, SILL_EIO, SILL_ECANCELED, SILL_EMFILE};

    for (int i = 0; i < 6; i++)
        ck_assert_int_eq(sill_run(tidy, (void *)(intptr_t)results[i]),
                         results[i]);
    ck_assert_int_eq(ended, 6);
}

/* ---- Q-02, Q-03 ---- */

/* sill_run: "Afterwards descriptors, threads and memory are as before". */
SILL_CASE_OUTSIDE(Q, 02, after_a_run_all_is_as_before)
{
    for (int i = 0; tours[i].name; i++) {
        struct suite_stock before = suite_take_stock();

        suite_note("%s", tours[i].name);
        ck_assert_int_eq(sill_run(tours[i].fn, NULL), 0);
        suite_check_stock(&before);
    }
}

/* also after one that ended in disorder. */
SILL_CASE_OUTSIDE(Q, 02, after_a_run_with_tasks_left_all_is_as_before)
{
    struct suite_stock before = suite_take_stock();

    ck_assert_int_eq(sill_run(leave_tasks_behind, NULL), SILL_EORPHAN);
    suite_check_stock(&before);
}

/* 100 times in one process. */
SILL_CASE_OUTSIDE(Q, 03, a_hundred_runs_leave_what_one_leaves)
{
    struct suite_stock before = suite_take_stock();

    ck_assert_int_eq(sill_run(tour_everything, NULL), 0);

    long long resident = suite_resident();

    for (int i = 0; i < 100; i++) {
        ck_assert_int_eq(sill_run(tour_everything, NULL), 0);
        suite_check_stock(&before);
    }
    ck_assert_int_lt(suite_resident() - resident, 16 << 20);
}

/* ---- Q-04 ---- */

static int nested = 1;

static int run_nested(void *unused)
{
    (void)unused;
    nested = sill_run(suite_returner, NULL);
    return 0;
}

/* sill_run: "SILL_EBUSY: called from inside a task". */
SILL_CASE(Q, 04, a_run_inside_of_a_task_is_refused)
{
    struct sill_run_options options = {.stack_size = 128 << 10};

    (void)run_nested(NULL);
    ck_assert_int_eq(nested, SILL_EBUSY);
    ck_assert_int_eq(sill_run_with(&options, suite_returner, NULL), SILL_EBUSY);
    nested = 1;
    ck_assert_int_eq(suite_await(suite_spawn(run_nested, NULL)), 0);
    ck_assert_int_eq(nested, SILL_EBUSY);
}

static enum sill_abort run_in_hook(struct sill_trigger *trigger, void *arg,
                                   int reason)
{
    (void)trigger;
    (void)reason;
    (void)run_nested(arg);
    return SILL_ABORT_DONE;
}

/* nor from what the loop calls back. */
SILL_CASE(Q, 04, a_run_inside_of_an_abort_hook_is_refused)
{
    struct sill_trigger trigger;

    sill_trigger_init(&trigger, run_in_hook, NULL);
    ck_assert_int_eq(sill_suspend(&trigger, sill_after(SILL_MILLISECOND)),
                     SILL_ETIMEDOUT);
    ck_assert_int_eq(nested, SILL_EBUSY);
}

static void run_in_destructor(void *value)
{
    (void)run_nested(value);
}

static int set_a_local(void *unused)
{
    static const struct sill_local local = {run_in_destructor};

    (void)unused;
    return sill_local_set(&local, &nested);
}

SILL_CASE(Q, 04, a_run_inside_of_a_destructor_is_refused)
{
    ck_assert_int_eq(suite_await(suite_spawn(set_a_local, NULL)), 0);
    ck_assert_int_eq(nested, SILL_EBUSY);
}

/* ---- Q-05 ---- */

enum { LOOPS = 4 };

struct loop {
    struct suite_thread thread;
    int result;
};

static int take_tours(void *times)
{
    int rc = 0;

    for (int i = 0; i < *(int *)times && rc == 0; i++)
        rc = tour_everything(NULL);
    return rc;
}

static void loop_with_tours(void *arg)
{
    static int times = 20;
    struct loop *loop = arg;

    loop->result = sill_run(take_tours, &times);
}

/* loops in different threads are independent. */
SILL_CASE_OUTSIDE(Q, 05, loops_side_by_side_do_not_disturb_each_other, threads)
{
    struct loop loops[LOOPS];

    for (int i = 0; i < LOOPS; i++)
        suite_thread_start(&loops[i].thread, loop_with_tours, &loops[i]);
    for (int i = 0; i < LOOPS; i++)
        suite_thread_join(&loops[i].thread);
    for (int i = 0; i < LOOPS; i++)
        ck_assert_int_eq(loops[i].result, 0);
}

static void loops_come_and_go(void *arg)
{
    struct loop *loop = arg;

    loop->result = 0;
    for (int i = 0; i < 100 && loop->result == 0; i++)
        loop->result = sill_run(tours[i % 12].fn, NULL);
}

/* beginning and ending one leaves the others alone. */
SILL_CASE_OUTSIDE(Q, 05, loops_that_come_and_go_disturb_nobody, threads)
{
    static int times = 20;
    struct loop loops[LOOPS];

    for (int i = 0; i < LOOPS; i++)
        suite_thread_start(&loops[i].thread, loops_come_and_go, &loops[i]);
    ck_assert_int_eq(sill_run(take_tours, &times), 0);
    for (int i = 0; i < LOOPS; i++)
        suite_thread_join(&loops[i].thread);
    for (int i = 0; i < LOOPS; i++)
        ck_assert_int_eq(loops[i].result, 0);
}

static atomic_bool release;

static int stay_busy(void *unused)
{
    (void)unused;
    while (!atomic_load(&release))
        continue;
    return 0;
}

static void loop_that_hogs(void *arg)
{
    struct loop *loop = arg;

    loop->result = sill_run(stay_busy, NULL);
}

/* one that does not come back to its tasks does not stop another. */
SILL_CASE(Q, 05, a_loop_that_is_stuck_does_not_stop_another, threads)
{
    struct loop loop;

    suite_thread_start(&loop.thread, loop_that_hogs, &loop);
    ck_assert_int_eq(tour_everything(NULL), 0);
    atomic_store(&release, true);
    suite_thread_join(&loop.thread);
    ck_assert_int_eq(loop.result, 0);
}

/* ---- Q-06 ---- */

static struct {
    char text[8192];
    size_t size;
} logged;

static void keep_line(void *unused, const char *line)
{
    size_t size = strlen(line);

    (void)unused;
    if (logged.size + size + 2 > sizeof(logged.text))
        return;
    memcpy(logged.text + logged.size, line, size);
    logged.size += size;
    logged.text[logged.size++] = '\n';
}

static void check_logged(const char *text)
{
    ck_assert_msg(strstr(logged.text, text) != NULL, "'%s' is missing in: %s",
                  text, logged.text);
}

static struct {
    struct sill_stream a, b;
    int results[2];
    bool forbidden;
} pair;

static int read_for_ever(void *side)
{
    bool is_b = side != NULL;
    char byte;

    sill_task_set_name(is_b ? "second" : "first");
    if (pair.forbidden)
        sill_forbid();
    pair.results[is_b] =
        (int)sill_stream_read(is_b ? &pair.b : &pair.a, &byte, 1, SILL_NEVER);
    if (pair.forbidden)
        sill_permit();
    return 0;
}

static int wait_for_each_other(void *forbidden)
{
    struct sill_task *tasks[2];

    pair.forbidden = forbidden != NULL;
    if (sill_stream_pair(&pair.a, &pair.b, 10) < 0)
        return SILL_ENOMEM;
    tasks[0] = suite_spawn(read_for_ever, NULL);
    tasks[1] = suite_spawn(read_for_ever, &pair);

    int rc = sill_await_all(tasks, 2, NULL, SILL_NEVER);

    for (int i = 0; i < 2 && rc == SILL_ECANCELED; i++)
        (void)sill_cancel(tasks[i], SILL_NEVER);
    sill_stream_close(&pair.a);
    sill_stream_close(&pair.b);
    return 0;
}

static void deadlock(void *forbidden)
{
    struct suite_stock before = suite_take_stock();

    sill_set_log(keep_line, NULL);
    ck_assert_int_eq(sill_run(wait_for_each_other, forbidden), SILL_EDEADLK);
    sill_set_log(NULL, NULL);
    suite_check_stock(&before);
}

/* sill_run: "SILL_EDEADLK: every task waited for another one: the task tree was
 * logged and all tasks were cancelled". */
SILL_CASE_OUTSIDE(Q, 06, tasks_that_wait_for_each_other_are_reported)
{
    deadlock(NULL);
    check_logged("first");
    check_logged("second");
    check_logged(strrchr("/" __FILE__, '/') + 1);
    ck_assert_int_eq(pair.results[0], SILL_ECANCELED);
    ck_assert_int_eq(pair.results[1], SILL_ECANCELED);
}

/* The same: "also those inside a forbid". */
SILL_CASE_OUTSIDE(Q, 06, tasks_that_forbid_and_wait_for_each_other_end_too)
{
    deadlock(&pair);
    check_logged("first");
    ck_assert_int_eq(pair.results[0], SILL_ECANCELED);
    ck_assert_int_eq(pair.results[1], SILL_ECANCELED);
}

/* found after the last event that could have helped. */
static int sleep_then_deadlock(void *unused)
{
    int rc = sill_sleep(sill_after(SILL_MILLISECOND));

    return rc < 0 ? rc : wait_for_each_other(unused);
}

SILL_CASE_OUTSIDE(Q, 06, a_deadlock_after_other_waits_is_reported)
{
    ck_assert_int_eq(sill_run(sleep_then_deadlock, NULL), SILL_EDEADLK);
    ck_assert_int_eq(sill_run(tour_everything, NULL), 0);
}

static int resume_it(void *trigger)
{
    (void)sill_resume(trigger, 0);
    return 0;
}

static int meet_a_deadline_then_deadlock(void *unused)
{
    struct sill_trigger trigger = SILL_TRIGGER_INIT;
    struct sill_task *task = suite_spawn(resume_it, &trigger);
    int rc = sill_suspend(&trigger, sill_after(10 * suite_liveness()));

    suite_await(task);
    return rc < 0 ? rc : wait_for_each_other(unused);
}

/* and at once, though the deadline of an earlier wait, which was met,
 * has not passed. */
SILL_CASE_OUTSIDE(Q, 06, a_deadlock_waits_for_no_deadline_that_was_met)
{
    sill_time begin = sill_now();

    ck_assert_int_eq(sill_run(meet_a_deadline_then_deadlock, NULL),
                     SILL_EDEADLK);
    ck_assert_int_lt(sill_now() - begin, 5 * suite_liveness());
}

static int fill_for_ever(void *unused)
{
    struct sill_stream a, b;
    ssize_t wrote;

    (void)unused;
    if (sill_stream_pair(&a, &b, 10) < 0)
        return SILL_ENOMEM;
    do {
        wrote = sill_stream_write(&a, "0123456", 7, SILL_NEVER);
    } while (wrote > 0);
    sill_stream_close(&a);
    sill_stream_close(&b);
    return wrote == SILL_ECANCELED ? 0 : SILL_EIO;
}

/* one task alone, writing where nobody reads. */
SILL_CASE_OUTSIDE(Q, 06, a_task_that_waits_for_nobody_is_reported)
{
    ck_assert_int_eq(sill_run(fill_for_ever, NULL), SILL_EDEADLK);
}

static int read_own(void *stream)
{
    char byte;

    return (int)sill_stream_read(stream, &byte, 1, SILL_NEVER);
}

/* Runs (wake) beside two tasks that wait for each other. */
static void wait_beside(void (*wake)(void))
{
    struct sill_stream a, b;
    struct sill_task *tasks[2];

    ck_assert_int_eq(sill_stream_pair(&a, &b, 10), 0);
    tasks[0] = suite_spawn(read_own, &a);
    tasks[1] = suite_spawn(read_own, &b);
    (void)sill_yield();
    wake();
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(sill_await(tasks[i], NULL, SILL_PAST), SILL_ETIMEDOUT);
        suite_cancel(tasks[i]);
    }
    sill_stream_close(&a);
    sill_stream_close(&b);
}

static void wake_by_deadline(void)
{
    ck_assert_int_eq(sill_sleep(sill_after(20 * SILL_MILLISECOND)), 0);
}

/* Gives the loop the time to see that nothing else goes on. */
static void resume_later(void *trigger)
{
    struct timespec moment = {0, 20000000};

    (void)nanosleep(&moment, NULL);
    (void)sill_resume(trigger, 0);
}

static void wake_by_thread(void)
{
    struct sill_trigger trigger = SILL_TRIGGER_INIT;
    struct suite_thread thread;

    suite_thread_start(&thread, resume_later, &trigger);
    ck_assert_int_eq(sill_suspend(&trigger, SILL_NEVER), 0);
    suite_thread_join(&thread);
}

static void write_later(void *end)
{
    struct timespec moment = {0, 20000000};

    (void)nanosleep(&moment, NULL);
    (void)!write(*(int *)end, "x", 1);
}

static void wake_by_peer(void)
{
    struct sill_stream stream;
    struct suite_thread thread;
    int ends[2];
    char byte;

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends),
                     0);
    ck_assert_int_eq(sill_stream_adopt(&stream, ends[0]), 0);
    suite_thread_start(&thread, write_later, &ends[1]);
    ck_assert_int_eq(sill_stream_read(&stream, &byte, 1, SILL_NEVER), 1);
    suite_thread_join(&thread);
    sill_stream_close(&stream);
    (void)close(ends[1]);
}

/* while a deadline, another thread or a peer may still help, it is no
 * deadlock. */
SILL_CASE(Q, 06, a_wait_that_can_still_end_is_no_deadlock, fd_threads)
{
    wait_beside(wake_by_deadline);
    wait_beside(wake_by_thread);
    wait_beside(wake_by_peer);
}
