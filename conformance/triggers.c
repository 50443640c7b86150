/* SPDX-License-Identifier: MIT */
/*
 * Group A: a trigger suspends, a resume, a deadline or a cancel wakes.
 */
#include "suite.h"

#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

enum reason { RESUME, CANCEL, DEADLINE, REASONS };

/* A task that waits on a trigger of its own, and what became of it. */
struct waiter {
    struct sill_trigger trigger;
    sill_time deadline;
    int rc, ended;
    int hooks, reason; /* abort hook: how often, why */
    enum sill_abort answer;
    bool resume_in_hook, again;
    bool on_this_thread;
    pthread_t thread;
    int second; /* what a second, short wait on the trigger returned */
};

static enum sill_abort hook(struct sill_trigger *trigger, void *arg, int reason)
{
    struct waiter *waiter = arg;
    waiter->hooks++;
    waiter->reason = reason;
    waiter->on_this_thread = pthread_equal(waiter->thread, pthread_self());
    if (waiter->resume_in_hook)
        sill_resume(trigger, 77);
    return waiter->answer;
}

static void init(struct waiter *waiter)
{
    memset(waiter, 0, sizeof(*waiter));
    waiter->deadline = SILL_NEVER;
    waiter->rc = 99;
    waiter->thread = pthread_self();
    waiter->answer = SILL_ABORT_DONE;
    sill_trigger_init(&waiter->trigger, hook, waiter);
}

static int wait(void *arg)
{
    struct waiter *waiter = arg;
    waiter->rc = sill_suspend(&waiter->trigger, waiter->deadline);
    waiter->ended++;
    if (waiter->again)
        waiter->second = sill_suspend(&waiter->trigger, SILL_PAST);
    return waiter->rc;
}

static int add_one(void *arg)
{
    *(int *)arg += 1;
    return 0;
}

/* ---- A-01 ---- */

/* "a trigger that was resumed before returns at once, without a switch to
 * another task" */
SILL_CASE(A, 01, resume_before_suspend_returns_without_a_switch)
{
    struct sill_trigger trigger = SILL_TRIGGER_INIT;
    int others = 0;
    ck_assert(sill_resume(&trigger, 5));
    struct sill_task *ready = suite_spawn(add_one, &others);
    ck_assert_int_eq(sill_suspend(&trigger, SILL_NEVER), 0);
    ck_assert_int_eq(sill_trigger_value(&trigger), 5);
    ck_assert_int_eq(others, 0);
    suite_await(ready);
}

/* "It never leaves the last one": every later suspend returns too. */
SILL_CASE(A, 01, a_resumed_trigger_stays_resumed)
{
    struct sill_trigger trigger = SILL_TRIGGER_INIT;
    sill_resume(&trigger, 5);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(sill_suspend(&trigger, SILL_NEVER), 0);
    ck_assert_int_eq(sill_trigger_value(&trigger), 5);
}

/* "Makes (trigger) initial again" */
SILL_CASE(A, 01, init_makes_a_trigger_initial_again)
{
    struct sill_trigger trigger = SILL_TRIGGER_INIT;
    sill_resume(&trigger, 5);
    ck_assert_int_eq(sill_suspend(&trigger, SILL_NEVER), 0);
    sill_trigger_init(&trigger, NULL, NULL);
    ck_assert_int_eq(sill_suspend(&trigger, SILL_PAST), SILL_ETIMEDOUT);
    ck_assert(sill_resume(&trigger, 6));
    ck_assert_int_eq(sill_suspend(&trigger, SILL_PAST), 0);
    ck_assert_int_eq(sill_trigger_value(&trigger), 6);
}

/* "Returns 0 when it was resumed, even if the task was also cancelled" */
SILL_CASE(A, 01, resume_before_suspend_counts_in_a_cancelled_task)
{
    struct waiter waiter;
    init(&waiter);
    struct sill_task *task = suite_spawn(wait, &waiter);
    sill_resume(&waiter.trigger, 5);
    suite_cancel(task);
    ck_assert_int_eq(waiter.rc, 0);
    ck_assert_int_eq(waiter.hooks, 0);
}

/* The same without an abort hook. */
SILL_CASE(A, 01, resume_before_suspend_counts_also_without_a_hook)
{
    struct waiter waiter;
    init(&waiter);
    sill_trigger_init(&waiter.trigger, NULL, NULL);
    struct sill_task *task = suite_spawn(wait, &waiter);
    sill_resume(&waiter.trigger, 5);
    suite_cancel(task);
    ck_assert_int_eq(waiter.rc, 0);
}

/* "SILL_ENOTASK called outside of a task" */
SILL_CASE_OUTSIDE(A, 01, suspend_outside_of_a_task_is_refused)
{
    struct sill_trigger trigger = SILL_TRIGGER_INIT;
    ck_assert_int_eq(sill_suspend(&trigger, SILL_NEVER), SILL_ENOTASK);
    ck_assert_int_eq(sill_suspend(&trigger, SILL_PAST), SILL_ENOTASK);
    ck_assert_int_eq(sill_sleep(SILL_NEVER), SILL_ENOTASK);
}

/* ---- A-02 ---- */

/* "The first resume wins; later ones are ignored." "Returns whether this resume
 * was the first." Before anybody waits. */
SILL_CASE(A, 02, the_first_of_two_early_resumes_wins)
{
    struct sill_trigger trigger = SILL_TRIGGER_INIT;
    ck_assert(sill_resume(&trigger, 1));
    ck_assert(!sill_resume(&trigger, 2));
    ck_assert_int_eq(sill_suspend(&trigger, SILL_NEVER), 0);
    ck_assert(!sill_resume(&trigger, 3));
    ck_assert_int_eq(sill_trigger_value(&trigger), 1);
}

/* The same while a task waits. */
SILL_CASE(A, 02, the_first_of_two_resumes_wakes_with_its_value)
{
    struct waiter waiter;
    init(&waiter);
    struct sill_task *task = suite_spawn(wait, &waiter);
    suite_yield(1);
    ck_assert_int_eq(waiter.ended, 0);
    ck_assert(sill_resume(&waiter.trigger, -1));
    ck_assert(!sill_resume(&waiter.trigger, 2));
    ck_assert_int_eq(suite_await(task), 0);
    ck_assert(!sill_resume(&waiter.trigger, 3));
    ck_assert_int_eq(sill_trigger_value(&waiter.trigger), -1);
    ck_assert_int_eq(waiter.ended, 1);
}

/* The value is as wide as a pointer. */
SILL_CASE(A, 02, a_value_may_be_a_pointer)
{
    struct sill_trigger trigger = SILL_TRIGGER_INIT;
    sill_resume(&trigger, (intptr_t)&trigger);
    ck_assert_int_eq(sill_suspend(&trigger, SILL_NEVER), 0);
    ck_assert_int_eq(sill_trigger_value(&trigger), (intptr_t)&trigger);
    sill_trigger_init(&trigger, NULL, NULL);
    sill_resume(&trigger, INTPTR_MIN);
    ck_assert_int_eq(sill_suspend(&trigger, SILL_NEVER), 0);
    ck_assert_int_eq(sill_trigger_value(&trigger), INTPTR_MIN);
}

static struct sill_trigger shared = SILL_TRIGGER_INIT;

static int suspend_shared(void *arg)
{
    sill_task_set_name(arg);
    return sill_suspend(&shared, SILL_NEVER);
}

static int wait_twice(void *arg)
{
    struct sill_task *first = suite_spawn(suspend_shared, "first");
    suite_yield(1);
    struct sill_task *second = suite_spawn(suspend_shared, "second");
    (void)arg;
    suite_await(first);
    return suite_await(second);
}

static void run_wait_twice(void *arg)
{
    sill_run(wait_twice, arg);
}

/* "Two tasks suspended on one trigger end the program." */
SILL_CASE_OUTSIDE(A, 02, two_tasks_on_one_trigger_end_the_program)
{
    suite_expect_abort(run_wait_twice, NULL, "sill_suspend", "second",
                       "triggers.c:");
}

/* ---- A-03 ---- */

/* Lets the three reasons come in an (order) while the task is parked and cannot
 * run, and looks at which one it got. */
static void all_three(const int order[], void *arg)
{
    struct waiter waiter;
    (void)arg;
    init(&waiter);
    waiter.again = true;
    waiter.deadline = sill_after(300 * SILL_MICROSECOND);
    struct sill_task *task = suite_spawn(wait, &waiter);
    suite_yield(1);
    bool parked = waiter.ended == 0, resumed = false;
    for (int i = 0; i < REASONS; i++) {
        if (order[i] == RESUME)
            resumed = sill_resume(&waiter.trigger, 5);
        else if (order[i] == CANCEL && waiter.ended == 0)
            sill_cancel(task, SILL_PAST);
        else
            suite_spend_until(waiter.deadline);
    }
    int rc = suite_await(task);
    ck_assert(resumed);
    ck_assert_int_eq(waiter.ended, 1);
    ck_assert(rc == 0 || rc == SILL_ECANCELED || rc == SILL_ETIMEDOUT);
    ck_assert_int_eq(sill_trigger_value(&waiter.trigger), 5);
    if (!parked)
        return;
    ck_assert_int_eq(waiter.second, 0);
    if (order[0] == RESUME)
        ck_assert_int_eq(rc, 0);
    if (order[0] == CANCEL)
        ck_assert(rc != SILL_ETIMEDOUT);
    if (rc == 0)
        return;
    ck_assert_int_eq(waiter.hooks, 1);
    ck_assert_int_eq(waiter.reason, rc);
}

/* "exactly one of them is the reason"; "a resume that comes then is kept for
 * the next suspend" */
SILL_CASE(A, 03, every_order_of_resume_cancel_and_deadline_has_one_outcome)
{
    for (int i = 0; i < 20; i++)
        suite_permute(REASONS, all_three, NULL);
}

enum { RACES = 100000, WINDOW = 8 };

/* Threads that wait for each other are slow where processors are scarce: they
 * race as often as they can in that time. */
#define TURNS_TIME (4 * SILL_SECOND)

static struct {
    struct sill_trigger triggers[RACES];
    bool won[RACES];
    atomic_int published, resumed;
    atomic_bool over;
    int outcomes[3], wrong;
} race;

/* Resumes each trigger soon after it was published. */
static void resume_published(void *arg)
{
    (void)arg;
    for (int i = 0;; i++) {
        while (atomic_load(&race.published) <= i) {
            if (atomic_load(&race.over))
                return;
            sched_yield();
        }
        race.won[i] = sill_resume(&race.triggers[i], i + 1);
        atomic_store(&race.resumed, i + 1);
    }
}

/* Waits, and then makes sure that nothing else arrives. */
static int racer(void *arg)
{
    int i = (int)(intptr_t)arg;
    struct sill_trigger other = SILL_TRIGGER_INIT;
    sill_trigger_init(&race.triggers[i], NULL, NULL);
    atomic_store(&race.published, i + 1);
    int rc =
        sill_suspend(&race.triggers[i], sill_after((i % 8) * SILL_MICROSECOND));
    if (rc == 0)
        race.wrong += sill_trigger_value(&race.triggers[i]) != i + 1;
    sill_forbid();
    for (int turns = i % 3; turns > 0; turns--)
        race.wrong += sill_yield() != 0;
    race.wrong += sill_suspend(&other, SILL_PAST) != SILL_ETIMEDOUT;
    sill_permit();
    return rc;
}

static void race_once(int i)
{
    struct sill_task *task;
    int result = 99;
    while (atomic_load(&race.resumed) < i - WINDOW)
        sched_yield();
    race.wrong += sill_spawn(racer, (void *)(intptr_t)i, &task) != 0;
    for (int turns = i % 4; turns > 0; turns--)
        sill_yield();
    if (i % 2 == 1 && sill_cancel(task, SILL_PAST) == 0)
        return;
    race.wrong += sill_await(task, &result, SILL_NEVER) != 0;
    race.outcomes[0] += result == 0;
    race.outcomes[1] += result == SILL_ECANCELED;
    race.outcomes[2] += result == SILL_ETIMEDOUT;
    race.wrong +=
        result != 0 && result != SILL_ECANCELED && result != SILL_ETIMEDOUT;
}

/* "resume, deadline and cancel racing 100 000 times: exactly one outcome,
 * never two wake-ups" */
SILL_CASE(A, 03, racing_reasons_have_one_outcome, threads)
{
    struct suite_thread thread;
    int lost = 0, count = suite_many(RACES), raced = 0;
    sill_time deadline = sill_after(TURNS_TIME);
    suite_thread_start(&thread, resume_published, NULL);
    while (raced < count && sill_now() < deadline)
        race_once(raced++);
    atomic_store(&race.over, true);
    suite_thread_join(&thread);
    for (int i = 0; i < raced; i++)
        lost += !race.won[i];
    ck_assert_int_eq(race.wrong, 0);
    ck_assert_int_eq(lost, 0);
    ck_assert_int_gt(race.outcomes[0] + race.outcomes[2], 0);
}

/* ---- A-04 ---- */

/* A letter that is written by a thread and read by a task. */
struct letter {
    struct sill_trigger trigger;
    char text[64];
};

static struct {
    struct letter letters[10000];
    atomic_int published;
    atomic_bool over;
} mail;

static void write_letters(void *arg)
{
    (void)arg;
    for (int i = 0;; i++) {
        while (atomic_load(&mail.published) <= i) {
            if (atomic_load(&mail.over))
                return;
            sched_yield();
        }
        memset(mail.letters[i].text, 'a' + i % 26,
               sizeof(mail.letters[i].text));
        sill_resume(&mail.letters[i].trigger, 0);
    }
}

static bool is_written(const struct letter *letter, int i)
{
    for (size_t at = 0; at < sizeof(letter->text); at++)
        if (letter->text[at] != 'a' + i % 26)
            return false;
    return true;
}

/* "Everything written before it is visible to the task after its suspend", on
 * another thread, whether the resume comes before the wait or during it. */
SILL_CASE(A, 04, what_was_written_before_a_resume_is_visible, threads)
{
    struct suite_thread thread;
    int wrong = 0, count = suite_many(10000);
    sill_time deadline = sill_after(TURNS_TIME);
    suite_thread_start(&thread, write_letters, NULL);
    for (int i = 0; i < count && sill_now() < deadline; i++) {
        sill_trigger_init(&mail.letters[i].trigger, NULL, NULL);
        atomic_store(&mail.published, i + 1);
        if (i % 2 == 0)
            sill_yield();
        wrong += sill_suspend(&mail.letters[i].trigger, SILL_NEVER) != 0;
        wrong += !is_written(&mail.letters[i], i);
    }
    atomic_store(&mail.over, true);
    suite_thread_join(&thread);
    ck_assert_int_eq(wrong, 0);
}

static struct {
    struct sill_trigger trigger;
    atomic_int published;
    atomic_bool over;
} parcel;

static void send_parcels(void *arg)
{
    (void)arg;
    for (int i = 1; !atomic_load(&parcel.over); i++) {
        while (atomic_load(&parcel.published) < i) {
            if (atomic_load(&parcel.over))
                return;
            sched_yield();
        }
        (void)sill_resume(&parcel.trigger, i);
    }
}

/* The value that a resume brings is there when suspend returns. */
SILL_CASE(A, 04, the_value_of_a_resume_is_visible, threads)
{
    struct suite_thread thread;
    sill_time deadline = sill_after(TURNS_TIME);
    int count = suite_many(10000), wrong = 0;
    suite_thread_start(&thread, send_parcels, NULL);
    for (int i = 1; i <= count && sill_now() < deadline; i++) {
        sill_trigger_init(&parcel.trigger, NULL, NULL);
        atomic_store(&parcel.published, i);
        wrong += sill_suspend(&parcel.trigger, SILL_NEVER) != 0;
        wrong += sill_trigger_value(&parcel.trigger) != i;
    }
    atomic_store(&parcel.over, true);
    suite_thread_join(&thread);
    ck_assert_int_eq(wrong, 0);
}

/* ---- A-05 ---- */

static struct {
    struct sill_trigger triggers[20000];
    atomic_int published;
    atomic_int done[2];
    atomic_bool over;
    int wins[2];
} pair;

static void resume_all(void *arg)
{
    int which = *(int *)arg;
    for (int i = 0;; i++) {
        while (atomic_load(&pair.published) <= i) {
            if (atomic_load(&pair.over))
                return;
            sched_yield();
        }
        pair.wins[which] += sill_resume(&pair.triggers[i], which);
        atomic_store(&pair.done[which], i + 1);
    }
}

/* A trigger's memory as words, which others may be looking at. */
typedef uintptr_t __attribute__((may_alias)) word;

enum { WORDS = sizeof(struct sill_trigger) / sizeof(word) };

static void look(const struct sill_trigger *trigger, uintptr_t seen[WORDS])
{
    const word *words = (const word *)trigger;
    for (int i = 0; i < WORDS; i++)
        seen[i] = __atomic_load_n(&words[i], __ATOMIC_RELAXED);
}

/*
 * "a resume that already began and lost does not touch it again": two threads
 * resume, and once suspend has returned not a byte of the trigger changes.
 */
SILL_CASE(A, 05, a_losing_resume_does_not_touch_the_trigger, threads)
{
    static int numbers[2] = {0, 1};
    struct suite_thread threads[2];
    int changed = 0, failed = 0, count = suite_many(20000), i;
    sill_time deadline = sill_after(TURNS_TIME);
    for (i = 0; i < 2; i++)
        suite_thread_start(&threads[i], resume_all, &numbers[i]);
    for (i = 0; i < count && sill_now() < deadline; i++) {
        struct sill_trigger *trigger = &pair.triggers[i];
        uintptr_t before[WORDS], after[WORDS];
        sill_trigger_init(trigger, NULL, NULL);
        atomic_store(&pair.published, i + 1);
        failed += sill_suspend(trigger, SILL_NEVER) != 0;
        look(trigger, before);
        while (atomic_load(&pair.done[0]) <= i ||
               atomic_load(&pair.done[1]) <= i)
            sched_yield();
        look(trigger, after);
        changed += memcmp(before, after, sizeof(after)) != 0;
    }
    atomic_store(&pair.over, true);
    for (int thread = 0; thread < 2; thread++)
        suite_thread_join(&threads[thread]);
    ck_assert_int_eq(failed, 0);
    ck_assert_int_eq(changed, 0);
    ck_assert_int_eq(pair.wins[0] + pair.wins[1], i);
}

static struct {
    _Atomic(struct sill_trigger *) trigger;
    atomic_bool stop;
} place;

static void resume_place(void *arg)
{
    (void)arg;
    while (!atomic_load(&place.stop)) {
        struct sill_trigger *trigger = atomic_exchange(&place.trigger, NULL);
        if (trigger != NULL)
            sill_resume(trigger, 1);
        else
            sched_yield();
    }
}

static int suspend_on_the_stack(void)
{
    struct sill_trigger trigger = SILL_TRIGGER_INIT;
    atomic_store(&place.trigger, &trigger);
    int rc = sill_suspend(&trigger, SILL_NEVER);
    memset((void *)&trigger, 0xA5, sizeof(trigger));
    return rc;
}

/* "as soon as suspend has returned success the trigger may go": its memory is
 * written over at once, and the winner must be done with it. */
SILL_CASE(A, 05, a_trigger_may_go_as_soon_as_suspend_returned, threads)
{
    struct suite_thread thread;
    int count = suite_many(10000), failed = 0;
    sill_time deadline = sill_after(TURNS_TIME);
    suite_thread_start(&thread, resume_place, NULL);
    for (int i = 0; i < count && sill_now() < deadline; i++)
        failed += suspend_on_the_stack() != 0;
    atomic_store(&place.stop, true);
    suite_thread_join(&thread);
    ck_assert_int_eq(failed, 0);
}

/* ---- A-06 ---- */

/* "SILL_ETIMEDOUT the deadline passed; with one in the past, at once"; a
 * pending resume is still taken. Neither switches. */
SILL_CASE(A, 06, past_deadline_tries_once_without_a_switch)
{
    sill_time past[] = {SILL_PAST, SILL_PAST + 1, 0, sill_now() - 1};
    int others = 0;
    struct sill_task *ready = suite_spawn(add_one, &others);
    for (size_t i = 0; i < sizeof(past) / sizeof(past[0]); i++) {
        struct sill_trigger trigger = SILL_TRIGGER_INIT;
        ck_assert_int_eq(sill_suspend(&trigger, past[i]), SILL_ETIMEDOUT);
        ck_assert(sill_resume(&trigger, 3));
        ck_assert_int_eq(sill_suspend(&trigger, past[i]), 0);
        ck_assert_int_eq(sill_trigger_value(&trigger), 3);
    }
    ck_assert_int_eq(others, 0);
    suite_await(ready);
}

/* "After a failure the trigger is initial: a resume that comes then is kept for
 * the next suspend." */
SILL_CASE(A, 06, a_resume_after_a_failed_suspend_is_kept)
{
    struct sill_trigger trigger = SILL_TRIGGER_INIT;
    ck_assert_int_eq(sill_suspend(&trigger, sill_after(SILL_MILLISECOND)),
                     SILL_ETIMEDOUT);
    ck_assert(sill_resume(&trigger, 4));
    ck_assert_int_eq(sill_suspend(&trigger, SILL_NEVER), 0);
    ck_assert_int_eq(sill_trigger_value(&trigger), 4);
}

/* ---- A-07 ---- */

static int make_noise(void *arg)
{
    struct sill_trigger other = SILL_TRIGGER_INIT;
    struct sill_task *task = suite_spawn(suite_sleeper, NULL);
    (void)arg;
    for (int i = 0; i < 20; i++) {
        sill_yield();
        raise(SIGUSR1);
        if (sill_sleep(sill_after(100 * SILL_MICROSECOND)) != 0)
            return -1;
    }
    sill_resume(&other, 1);
    suite_cancel(task);
    return sill_suspend(&other, SILL_NEVER);
}

static void ignore(int number)
{
    (void)number;
}

/* "there is no return without one": yields, timers, signals, and the wake-ups
 * and cancels of others pass by. */
SILL_CASE(A, 07, no_wait_ends_without_a_reason)
{
    struct sigaction action = {.sa_handler = ignore}, old;
    struct waiter waiter;
    init(&waiter);
    sigaction(SIGUSR1, &action, &old);
    struct sill_task *task = suite_spawn(wait, &waiter);
    ck_assert_int_eq(suite_await(suite_spawn(make_noise, NULL)), 0);
    ck_assert_int_eq(waiter.ended, 0);
    ck_assert_int_eq(waiter.hooks, 0);
    sill_resume(&waiter.trigger, 0);
    ck_assert_int_eq(suite_await(task), 0);
    sigaction(SIGUSR1, &old, NULL);
}

/* Nor does a wait for one thing end with another: with a child, say. */
SILL_CASE(A, 07, a_child_that_ends_does_not_end_a_suspend)
{
    struct sill_trigger never = SILL_TRIGGER_INIT;
    int ran = 0;
    struct sill_task *child = suite_spawn(add_one, &ran);
    ck_assert_int_eq(sill_suspend(&never, sill_after(SILL_MILLISECOND)),
                     SILL_ETIMEDOUT);
    ck_assert_int_eq(ran, 1);
    suite_await(child);
}

/* ---- A-08 ---- */

/* "at most once for a suspend": cancel and deadline both come. */
SILL_CASE(A, 08, hook_runs_once_when_cancelled_and_late)
{
    for (int i = 0; i < 2; i++) {
        struct waiter waiter;
        init(&waiter);
        waiter.deadline = sill_after(suite_liveness() / 25);
        struct sill_task *task = suite_spawn(wait, &waiter);
        suite_yield(1);
        if (i == 0)
            suite_spend_until(waiter.deadline);
        sill_cancel(task, SILL_PAST);
        if (i == 1)
            suite_spend_until(waiter.deadline);
        int rc = suite_await(task);
        ck_assert(rc == SILL_ECANCELED || rc == SILL_ETIMEDOUT);
        ck_assert_int_eq(waiter.hooks, 1);
        ck_assert_int_eq(waiter.reason, rc);
        ck_assert(waiter.on_this_thread);
    }
}

/* "because of (reason): SILL_ECANCELED or SILL_ETIMEDOUT" */
SILL_CASE(A, 08, hook_is_told_the_reason)
{
    struct waiter late, cancelled;
    init(&late);
    init(&cancelled);
    late.deadline = sill_after(SILL_MILLISECOND);
    struct sill_task *first = suite_spawn(wait, &late);
    struct sill_task *second = suite_spawn(wait, &cancelled);
    ck_assert_int_eq(suite_await(first), SILL_ETIMEDOUT);
    suite_cancel(second);
    ck_assert_int_eq(late.reason, SILL_ETIMEDOUT);
    ck_assert_int_eq(cancelled.reason, SILL_ECANCELED);
    ck_assert_int_eq(late.hooks, 1);
    ck_assert_int_eq(cancelled.hooks, 1);
    ck_assert(cancelled.on_this_thread);
}

/* "After a failure ... the abort hook, where there is one, has run", also when
 * there was nothing to wait for. */
SILL_CASE(A, 08, hook_runs_when_the_wait_is_over_before_it_began)
{
    struct waiter late, cancelled;
    init(&late);
    init(&cancelled);
    late.deadline = SILL_PAST;
    struct sill_task *first = suite_spawn(wait, &late);
    struct sill_task *second = suite_spawn(wait, &cancelled);
    suite_cancel(second);
    ck_assert_int_eq(suite_await(first), SILL_ETIMEDOUT);
    ck_assert_int_eq(late.reason, SILL_ETIMEDOUT);
    ck_assert_int_eq(cancelled.rc, SILL_ECANCELED);
    ck_assert_int_eq(cancelled.reason, SILL_ECANCELED);
    ck_assert_int_ge(late.hooks, 1);
    ck_assert_int_ge(cancelled.hooks, 1);
}

/* "never after a resume won" */
SILL_CASE(A, 08, hook_does_not_run_after_a_resume_won)
{
    struct waiter waiter;
    init(&waiter);
    waiter.deadline = sill_after(suite_liveness() / 25);
    struct sill_task *task = suite_spawn(wait, &waiter);
    suite_yield(1);
    sill_resume(&waiter.trigger, 1);
    sill_cancel(task, SILL_PAST);
    suite_spend_until(waiter.deadline);
    ck_assert_int_eq(suite_await(task), 0);
    ck_assert_int_eq(waiter.hooks, 0);
}

/* ---- A-09 ---- */

/* "Answering SILL_ABORT_IN_PROGRESS keeps the task waiting, whatever its
 * deadline, until a resume reports." */
SILL_CASE(A, 09, an_operation_in_progress_keeps_the_task_waiting)
{
    for (int cancel = 0; cancel < 2; cancel++) {
        struct waiter waiter;
        init(&waiter);
        waiter.answer = SILL_ABORT_IN_PROGRESS;
        waiter.deadline = sill_after(suite_liveness() / 25);
        struct sill_task *task = suite_spawn(wait, &waiter);
        suite_yield(1);
        if (cancel)
            sill_cancel(task, SILL_PAST);
        ck_assert_int_eq(sill_sleep(waiter.deadline + SILL_MILLISECOND), 0);
        suite_yield(5);
        ck_assert_int_eq(waiter.hooks, 1);
        ck_assert_int_eq(waiter.reason,
                         cancel ? SILL_ECANCELED : SILL_ETIMEDOUT);
        ck_assert_int_eq(waiter.ended, 0);
        sill_cancel(task, SILL_PAST);
        ck_assert_int_eq(waiter.hooks, 1);
        ck_assert(sill_resume(&waiter.trigger, 8));
        ck_assert_int_eq(suite_await(task), 0);
        ck_assert_int_eq(sill_trigger_value(&waiter.trigger), 8);
        ck_assert_int_eq(waiter.hooks, 1);
    }
}

/* The same for a wait that was over before it began. */
SILL_CASE(A, 09, an_operation_in_progress_keeps_even_a_past_deadline_waiting)
{
    for (int cancel = 0; cancel < 2; cancel++) {
        struct waiter waiter;
        init(&waiter);
        waiter.answer = SILL_ABORT_IN_PROGRESS;
        waiter.deadline = cancel ? SILL_NEVER : SILL_PAST;
        struct sill_task *task = suite_spawn(wait, &waiter);
        if (cancel)
            sill_cancel(task, SILL_PAST);
        suite_yield(5);
        ck_assert_int_eq(waiter.hooks, 1);
        ck_assert_int_eq(waiter.ended, 0);
        ck_assert(sill_resume(&waiter.trigger, 8));
        ck_assert_int_eq(suite_await(task), 0);
    }
}

/* ---- A-10 ---- */

static void resume_in_hook(enum sill_abort answer, sill_time deadline,
                           bool early)
{
    struct waiter waiter;
    init(&waiter);
    waiter.answer = answer;
    waiter.resume_in_hook = true;
    waiter.deadline = deadline;
    struct sill_task *task = suite_spawn(wait, &waiter);
    if (!early)
        suite_yield(1);
    if (deadline == SILL_NEVER)
        sill_cancel(task, SILL_PAST);
    ck_assert_int_eq(suite_await(task), 0);
    ck_assert_int_eq(sill_trigger_value(&waiter.trigger), 77);
    ck_assert_int_eq(waiter.hooks, 1);
    ck_assert_int_eq(waiter.ended, 1);
}

/* "it may resume (trigger), and then that result is the one that counts",
 * whatever it answers, why it runs, and when. */
SILL_CASE(A, 10, a_resume_from_the_hook_counts)
{
    for (int early = 0; early < 2; early++) {
        resume_in_hook(SILL_ABORT_DONE, SILL_NEVER, early);
        resume_in_hook(SILL_ABORT_IN_PROGRESS, SILL_NEVER, early);
        resume_in_hook(SILL_ABORT_DONE, sill_after(SILL_MILLISECOND), early);
        resume_in_hook(SILL_ABORT_IN_PROGRESS, sill_after(SILL_MILLISECOND),
                       early);
        resume_in_hook(SILL_ABORT_DONE, SILL_PAST, early);
        resume_in_hook(SILL_ABORT_IN_PROGRESS, SILL_PAST, early);
    }
}

/* ---- A-11 ---- */

enum { RUNNERS = 5 };

static struct {
    struct sill_trigger triggers[RUNNERS];
    int order[RUNNERS], count;
} runners;

static int runner(void *arg)
{
    int i = (int)(intptr_t)arg;
    int rc = sill_suspend(&runners.triggers[i], SILL_NEVER);
    runners.order[runners.count++] = i;
    return rc;
}

static void resume_in_order(const int order[], void *arg)
{
    struct sill_task *tasks[RUNNERS];
    (void)arg;
    runners.count = 0;
    for (int i = 0; i < RUNNERS; i++) {
        sill_trigger_init(&runners.triggers[i], NULL, NULL);
        tasks[i] = suite_spawn(runner, (void *)(intptr_t)i);
    }
    suite_yield(1);
    for (int i = 0; i < RUNNERS; i++)
        sill_resume(&runners.triggers[order[i]], 0);
    ck_assert_int_eq(sill_await_all(tasks, RUNNERS, NULL, SILL_NEVER), 0);
    ck_assert_int_eq(memcmp(order, runners.order, sizeof(runners.order)), 0);
}

/* "Triggers of one loop resumed in order by one task make their tasks run in
 * that order." */
SILL_CASE(A, 11, tasks_run_in_the_order_of_their_resumes, order)
{
    suite_permute(RUNNERS, resume_in_order, NULL);
}

static int resume_all_in_order(void *arg)
{
    (void)arg;
    for (int i = 0; i < RUNNERS; i++)
        sill_resume(&runners.triggers[i], 0);
    return 0;
}

static void run_a_loop(void *arg)
{
    (void)arg;
    (void)sill_run(resume_all_in_order, NULL);
}

/* The same when that task is one of another loop. */
SILL_CASE(A, 11, tasks_run_in_the_order_of_resumes_from_another_loop, order)
{
    for (int round = 0; round < 20; round++) {
        struct sill_task *tasks[RUNNERS];
        struct suite_thread thread;
        runners.count = 0;
        for (int i = 0; i < RUNNERS; i++) {
            sill_trigger_init(&runners.triggers[i], NULL, NULL);
            tasks[i] = suite_spawn(runner, (void *)(intptr_t)i);
        }
        suite_yield(1);
        suite_thread_start(&thread, run_a_loop, NULL);
        suite_thread_join(&thread);
        ck_assert_int_eq(sill_await_all(tasks, RUNNERS, NULL, SILL_NEVER), 0);
        for (int i = 0; i < RUNNERS; i++)
            ck_assert_int_eq(runners.order[i], i);
    }
}
