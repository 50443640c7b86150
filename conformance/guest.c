/* SPDX-License-Identifier: MIT */
/*
 * Guest mode: see <sill/guest.h>. The loop around it is a host's, see host.h.
 */
#include "faults.h"
#include "host.h"
#include "shuffle.h"
#include "suite.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- a host with a guest ---- */

static struct host *host;
static struct sill_guest *guest;
static int dones, last_result;
static int ticks, enough;

static int attach_to(struct host *its_host,
                     const struct sill_run_options *options,
                     struct sill_guest **made)
{
    struct sill_run_options shuffled;

    return host_attach(its_host, shuffle_options(options, &shuffled), made);
}

static struct sill_guest *attach(void)
{
    struct sill_guest *made = NULL;

    ck_assert_int_eq(attach_to(host, NULL, &made), 0);
    suite_guest = made;
    return made;
}

static void open_both(void)
{
    host = host_open();
    guest = attach();
}

static void close_both(void)
{
    ck_assert(!sill_guest_is_busy(guest));
    ck_assert_int_eq(host_detach(host, guest), 0);
    ck_assert(host_close(host));
}

static void on_done(void *arg, int result)
{
    (void)arg;
    dones++;
    last_result = result;
}

static int run_as_guest(sill_task_fn *fn, void *arg)
{
    open_both();
    ck_assert_int_eq(sill_guest_start(guest, fn, arg, on_done, NULL), 0);
    host_run(host);
    ck_assert_int_eq(dones, 1);
    close_both();
    return last_result;
}

static void __attribute__((constructor)) offer_host(void)
{
    suite_run_as_guest = run_as_guest;
}

static struct sill_task *start(sill_task_fn *fn, void *arg)
{
    struct sill_task *task = NULL;

    ck_assert_int_eq(sill_guest_start(guest, fn, arg, on_done, &task), 0);
    return task;
}

static void on_tick(void *arg)
{
    (void)arg;
    if (++ticks == enough)
        host_tick(host, 0, NULL, NULL);
}

static void tick_times(int count)
{
    ticks = 0;
    enough = count;
    host_tick(host, 1, on_tick, NULL);
}

static void tick_for_ever(void)
{
    tick_times(-1);
}

static void stop_ticking(void)
{
    host_tick(host, 0, NULL, NULL);
}

/* ---- H-01: both sides progress ---- */

static int sleep_five_times(void *arg)
{
    (void)arg;
    for (int i = 0; i < 5; i++) {
        sill_time deadline = sill_after(3 * SILL_MILLISECOND);

        ck_assert_int_eq(sill_sleep(deadline), 0);
        ck_assert_int_ge(sill_now(), deadline);
    }
    stop_ticking();
    return 7;
}

/* H-01: the deadlines of tasks, and the timers of the host. */
SILL_CASE_OUTSIDE(H, 01, deadlines_of_tasks_and_timers_of_the_host_progress)
{
    open_both();
    tick_for_ever();
    start(sleep_five_times, NULL);
    host_run(host);
    ck_assert_int_gt(ticks, 1);
    ck_assert_int_eq(dones, 1);
    ck_assert_int_eq(last_result, 7);
    close_both();
}

enum { EXCHANGES = 200 };

static int ends[2]; /* of a pipe from a task to the host */
static struct sill_trigger answered;
static int heard;

static void answer(void *arg)
{
    char byte;

    (void)arg;
    ck_assert_int_eq(read(ends[0], &byte, 1), 1);
    heard++;
    (void)sill_resume(&answered, heard);
}

static int ask_the_host(void *arg)
{
    (void)arg;
    for (int i = 1; i <= EXCHANGES; i++) {
        sill_trigger_init(&answered, NULL, NULL);
        ck_assert_int_eq(write(ends[1], "x", 1), 1);
        ck_assert_int_eq(sill_suspend(&answered, SILL_NEVER), 0);
        ck_assert_int_eq(sill_trigger_value(&answered), i);
    }
    host_watch(host, -1, NULL, NULL);
    return 0;
}

/* H-01: the host's descriptors; a callback of the host resumes a task. */
SILL_CASE_OUTSIDE(H, 01, tasks_and_callbacks_of_the_host_wait_for_each_other)
{
    open_both();
    ck_assert_int_eq(pipe(ends), 0);
    host_watch(host, ends[0], answer, NULL);
    start(ask_the_host, NULL);
    host_run(host);
    ck_assert_int_eq(heard, EXCHANGES);
    ck_assert_int_eq(dones, 1);
    close(ends[0]);
    close(ends[1]);
    close_both();
}

static int echo_once(void *stream)
{
    char bytes[16];
    ssize_t n = sill_stream_read(stream, bytes, sizeof(bytes), SILL_NEVER);

    ck_assert_int_gt(n, 0);
    return sill_stream_write_all(stream, bytes, (size_t)n, NULL, SILL_NEVER);
}

static int converse(void *arg)
{
    struct suite_pair pair;
    char byte;

    (void)arg;
    suite_pair_open(&pair, SUITE_TCP);
    for (int i = 0; i < 100; i++) {
        struct sill_task *echo = suite_spawn(echo_once, &pair.b);

        ck_assert_int_eq(sill_stream_write(&pair.a, "x", 1, SILL_NEVER), 1);
        ck_assert_int_eq(sill_stream_read(&pair.a, &byte, 1, SILL_NEVER), 1);
        ck_assert_int_eq(suite_await(echo), 0);
    }
    suite_pair_close(&pair);
    return 5;
}

/* H-01: the descriptors of tasks. */
SILL_CASE_OUTSIDE(H, 01, descriptors_of_tasks_progress)
{
    open_both();
    start(converse, NULL);
    host_run(host);
    ck_assert_int_eq(dones, 1);
    ck_assert_int_eq(last_result, 5);
    close_both();
}

static bool yielding_enough;

static int yield_until_told(void *arg)
{
    (void)arg;
    while (!yielding_enough)
        (void)sill_yield();
    return 0;
}

static void on_event_end_yielding(void *arg)
{
    (void)arg;
    if (ticks < 3)
        return;
    host_watch(host, -1, NULL, NULL);
    stop_ticking();
    yielding_enough = true;
}

/* H-01: tasks that are always ready starve neither the host's timers nor its
 * descriptors, which are looked at between two steps. */
SILL_CASE_OUTSIDE(H, 01, busy_tasks_do_not_starve_the_host)
{
    open_both();
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(write(ends[1], "x", 1), 1);
    tick_for_ever();
    host_watch(host, ends[0], on_event_end_yielding, NULL);
    start(yield_until_told, NULL);
    start(yield_until_told, NULL);
    host_run(host);
    ck_assert_int_eq(dones, 2);
    close(ends[0]);
    close(ends[1]);
    close_both();
}

static void count_event(void *arg)
{
    (void)arg;
    heard++;
}

static int sleep_then_stop_watching(void *arg)
{
    (void)arg;
    ck_assert_int_eq(sill_sleep(sill_after(5 * SILL_MILLISECOND)), 0);
    host_watch(host, -1, NULL, NULL);
    return 0;
}

/* H-01: and a host that is always busy does not starve tasks. */
SILL_CASE_OUTSIDE(H, 01, a_busy_host_does_not_starve_tasks)
{
    open_both();
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(write(ends[1], "x", 1), 1);
    host_watch(host, ends[0], count_event, NULL);
    start(converse, NULL);
    start(sleep_then_stop_watching, NULL);
    host_run(host);
    ck_assert_int_eq(dones, 2);
    ck_assert_int_gt(heard, 1);
    close(ends[0]);
    close(ends[1]);
    close_both();
}

/* ---- H-02: start and done ---- */

/* H-02: between runs of the host's loop. */
SILL_CASE_OUTSIDE(H, 02, a_task_started_between_runs_ends_and_is_told)
{
    open_both();
    start(suite_returner, suite_number(3));
    ck_assert_int_eq(dones, 0);
    ck_assert(sill_guest_is_busy(guest));
    host_run(host);
    ck_assert_int_eq(dones, 1);
    ck_assert_int_eq(last_result, 3);
    close_both();
}

static bool ran;

static int run_and_return(void *arg)
{
    ran = true;
    return (int)(intptr_t)arg;
}

static void start_in_tick(void *arg)
{
    (void)arg;
    stop_ticking();
    start(run_and_return, suite_number(4));
    ck_assert(!ran);
    ck_assert_int_eq(dones, 0);
}

/* H-02: from a callback; the task never runs before start returns. */
SILL_CASE_OUTSIDE(H, 02, a_task_started_in_a_callback_ends_and_is_told)
{
    open_both();
    host_tick(host, 1, start_in_tick, NULL);
    host_run(host);
    ck_assert(ran);
    ck_assert_int_eq(dones, 1);
    ck_assert_int_eq(last_result, 4);
    close_both();
}

static int result_to_arg(void *arg)
{
    (void)arg;
    return 11;
}

static pthread_t host_thread;
static char told_with;

static void check_where_told(void *arg, int result)
{
    ck_assert_ptr_eq(arg, &told_with);
    ck_assert_int_eq(result, 11);
    ck_assert(pthread_equal(pthread_self(), host_thread));
    ck_assert_ptr_null(sill_self());
    dones++;
}

/* H-02: (done) is called with the argument and the result, on the host's thread
 * and outside of any task. */
SILL_CASE_OUTSIDE(H, 02, done_is_called_on_the_thread_and_stack_of_the_host)
{
    open_both();
    host_thread = pthread_self();
    ck_assert_int_eq(sill_guest_start(guest, result_to_arg, &told_with,
                                      check_where_told, NULL),
                     0);
    host_run(host);
    ck_assert_int_eq(dones, 1);
    close_both();
}

/* H-02: the handle, and who is told, may be left out. */
SILL_CASE_OUTSIDE(H, 02, nobody_has_to_be_told)
{
    open_both();
    ck_assert_int_eq(sill_guest_start(guest, run_and_return, NULL, NULL, NULL),
                     0);
    host_run(host);
    ck_assert(ran);
    close_both();
}

static int links;

static void start_next(void *arg, int result)
{
    (void)arg;
    ck_assert_int_eq(result, 6);
    if (++links < 50)
        ck_assert_int_eq(sill_guest_start(guest, suite_returner,
                                          suite_number(6), start_next, NULL),
                         0);
}

/* H-02: (done) may start tasks. */
SILL_CASE_OUTSIDE(H, 02, done_may_start_tasks)
{
    open_both();
    ck_assert_int_eq(sill_guest_start(guest, suite_returner, suite_number(6),
                                      start_next, NULL),
                     0);
    host_run(host);
    ck_assert_int_eq(links, 50);
    close_both();
}

static struct sill_task *sleeper;

static void cancel_sleeper(void *arg, int result)
{
    (void)arg;
    (void)result;
    sill_guest_cancel(guest, sleeper);
}

/* H-02: (done) may cancel tasks. */
SILL_CASE_OUTSIDE(H, 02, done_may_cancel_tasks)
{
    open_both();
    sleeper = start(suite_sleeper, NULL);
    ck_assert_int_eq(sill_guest_start(guest, suite_returner, suite_number(0),
                                      cancel_sleeper, NULL),
                     0);
    host_run(host);
    ck_assert_int_eq(dones, 1);
    ck_assert_int_eq(last_result, SILL_ECANCELED);
    close_both();
}

static void detach_in_done(void *arg, int result)
{
    (void)arg;
    (void)result;
    dones++;
    last_result = host_detach(host, guest);
}

/* H-02: (done) may detach, when no task is left; not before. */
SILL_CASE_OUTSIDE(H, 02, done_may_detach_when_none_is_left)
{
    open_both();
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(sill_guest_start(guest, suite_returner,
                                          suite_number(0), detach_in_done,
                                          NULL),
                         0);
    host_run(host);
    ck_assert_int_eq(dones, 2);
    ck_assert_int_eq(last_result, 0);
    ck_assert(host_close(host));
}

static int start_from_task(void *arg)
{
    (void)arg;
    start(run_and_return, suite_number(9));
    ck_assert(!ran);
    ck_assert_int_eq(dones, 0);
    return 0;
}

/* H-02: a task may start another one, whose parent is the host. */
SILL_CASE_OUTSIDE(H, 02, a_task_may_start_tasks_that_outlive_it)
{
    open_both();
    start(start_from_task, NULL);
    host_run(host);
    ck_assert(ran);
    ck_assert_int_eq(dones, 2);
    ck_assert_int_eq(last_result, 9);
    close_both();
}

static int leave_an_orphan(void *arg)
{
    (void)arg;
    (void)suite_spawn(suite_sleeper, NULL);
    return 0;
}

/* H-02: a task that ends before its children is told of as SILL_EORPHAN, when
 * these have ended too. */
SILL_CASE_OUTSIDE(H, 02, orphans_are_joined_and_told_of)
{
    open_both();
    start(leave_an_orphan, NULL);
    host_run(host);
    ck_assert_int_eq(dones, 1);
    ck_assert_int_eq(last_result, SILL_EORPHAN);
    ck_assert(suite_log_has("guest.c:"));
    close_both();
}

static void attach_start_run(void)
{
    struct sill_guest *made = NULL;

    host = host_open();
    if (attach_to(host, NULL, &made) == 0) {
        int before = dones;
        int rc = sill_guest_start(made, suite_returner, suite_number(1),
                                  on_done, NULL);

        ck_assert(rc == 0 || rc == SILL_ENOMEM);
        ck_assert(rc == 0 || !sill_guest_is_busy(made));
        host_run(host);
        ck_assert_int_eq(dones - before, rc == 0);
        ck_assert_int_eq(host_detach(host, made), 0);
    }
    ck_assert(host_close(host));
}

/* when an allocation or a call fails, attach and start say so, nothing
 * is left behind, and (done) is called only for what was started. */
SILL_CASE_OUTSIDE(X, 01, attach_and_start_fail_cleanly, guest)
{
    suite_walk_failures(attach_start_run);
}

/* ---- H-03: deadlines that move ---- */

static sill_time began;

static int sleep_ten(void *arg)
{
    (void)arg;
    return sill_sleep(sill_after(10 * SILL_MILLISECOND));
}

static void cancel_on_time(void *arg, int result)
{
    (void)arg;
    ck_assert_int_eq(result, 0);
    ck_assert_int_ge(sill_now() - began, 10 * SILL_MILLISECOND);
    ck_assert_int_lt(sill_now() - began, suite_liveness());
    sill_guest_cancel(guest, sleeper);
}

static void start_short_sleep(void *arg)
{
    char byte;

    (void)arg;
    ck_assert_int_eq(read(ends[0], &byte, 1), 1);
    host_watch(host, -1, NULL, NULL);
    began = sill_now();
    ck_assert_int_eq(
        sill_guest_start(guest, sleep_ten, NULL, cancel_on_time, NULL), 0);
}

static int sleep_long(void *arg)
{
    (void)arg;
    return sill_sleep(sill_after(10 * SILL_MINUTE));
}

static void write_byte(void *arg)
{
    struct timespec moment = {0, 5000000};

    (void)arg;
    (void)nanosleep(&moment, NULL); /* most likely the host sleeps by then */
    (void)!write(ends[1], "x", 1);
}

/* H-03: a deadline that a callback brings, earlier than the one for which the
 * host has been sleeping. */
SILL_CASE_OUTSIDE(H, 03, an_earlier_deadline_from_a_callback_takes_effect)
{
    struct suite_thread thread;

    open_both();
    ck_assert_int_eq(pipe(ends), 0);
    sleeper = start(sleep_long, NULL);
    host_watch(host, ends[0], start_short_sleep, NULL);
    suite_thread_start(&thread, write_byte, NULL);
    host_run(host);
    suite_thread_join(&thread);
    ck_assert_int_eq(dones, 1);
    ck_assert_int_eq(last_result, SILL_ECANCELED);
    close(ends[0]);
    close(ends[1]);
    close_both();
}

static int sleep_when_resumed(void *trigger)
{
    ck_assert_int_eq(sill_suspend(trigger, SILL_NEVER), 0);
    began = sill_now();
    return sill_sleep(sill_after(10 * SILL_MILLISECOND));
}

static void resume_soon(void *trigger)
{
    struct timespec moment = {0, 5000000};

    (void)nanosleep(&moment, NULL);
    (void)sill_resume(trigger, 1);
}

/* H-03: and one that another thread brings about. */
SILL_CASE_OUTSIDE(H, 03, an_earlier_deadline_from_a_thread_takes_effect)
{
    struct sill_trigger trigger = SILL_TRIGGER_INIT;
    struct suite_thread thread;

    open_both();
    sleeper = start(sleep_long, NULL);
    ck_assert_int_eq(sill_guest_start(guest, sleep_when_resumed, &trigger,
                                      cancel_on_time, NULL),
                     0);
    suite_thread_start(&thread, resume_soon, &trigger);
    host_run(host);
    suite_thread_join(&thread);
    ck_assert_int_eq(last_result, SILL_ECANCELED);
    close_both();
}

static void start_each_tick(void *arg)
{
    (void)arg;
    ck_assert_int_eq(dones, ticks);
    if (++ticks == 5)
        stop_ticking();
    start(run_and_return, NULL);
}

/* H-03: a started task runs before the host sleeps again: by its next tick, a
 * long sleep away, it has ended. */
SILL_CASE_OUTSIDE(H, 03, a_started_task_runs_before_the_host_sleeps)
{
    open_both();
    host_tick(host, 50, start_each_tick, NULL);
    host_run(host);
    ck_assert_int_eq(dones, 5);
    close_both();
}

/* ---- H-04: alive and idle ---- */

/* H-04: a guest without tasks keeps nothing. */
SILL_CASE_OUTSIDE(H, 04, a_guest_without_tasks_lets_the_host_end)
{
    open_both();
    host_run(host);
    tick_times(3);
    host_run(host);
    ck_assert_int_eq(ticks, 3);
    close_both();
}

static int wait_for_thread(void *arg)
{
    struct sill_trigger trigger = SILL_TRIGGER_INIT;
    struct suite_thread thread;

    (void)arg;
    suite_thread_start(&thread, resume_soon, &trigger);
    ck_assert_int_eq(sill_suspend(&trigger, SILL_NEVER), 0);
    suite_thread_join(&thread);
    return (int)sill_trigger_value(&trigger);
}

/* H-04: a task keeps the host whatever it waits for: another thread. */
SILL_CASE_OUTSIDE(H, 04, a_task_that_waits_for_a_thread_keeps_the_host)
{
    open_both();
    start(wait_for_thread, NULL);
    host_run(host);
    ck_assert_int_eq(dones, 1);
    ck_assert_int_eq(last_result, 1);
    close_both();
}

static int await_child(void *arg)
{
    (void)arg;
    return suite_await(suite_spawn(sleep_ten, NULL));
}

/* H-04: a deadline, through another task. */
SILL_CASE_OUTSIDE(H, 04, a_task_that_waits_for_a_deadline_keeps_the_host)
{
    open_both();
    start(await_child, NULL);
    host_run(host);
    ck_assert_int_eq(dones, 1);
    ck_assert_int_eq(last_result, 0);
    close_both();
}

static int read_byte(void *stream)
{
    char byte;

    return (int)sill_stream_read(stream, &byte, 1, SILL_NEVER);
}

static int read_from_thread(void *arg)
{
    struct sill_stream stream;
    struct suite_thread thread;

    (void)arg;
    ck_assert_int_eq(sill_stream_adopt(&stream, ends[0]), 0);
    suite_thread_start(&thread, write_byte, NULL);

    int rc = read_byte(&stream);

    suite_thread_join(&thread);
    sill_stream_close(&stream);
    return rc;
}

/* H-04: a descriptor. */
SILL_CASE_OUTSIDE(H, 04, a_task_that_waits_for_a_descriptor_keeps_the_host)
{
    open_both();
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    start(read_from_thread, NULL);
    host_run(host);
    ck_assert_int_eq(dones, 1);
    ck_assert_int_eq(last_result, 1);
    close(ends[1]);
    close_both();
}

static struct suite_pair idle;

static int open_idle_pair(void *arg)
{
    (void)arg;
    suite_pair_open(&idle, SUITE_TCP);

    struct sill_task *reader = suite_spawn(read_byte, &idle.b);

    (void)sill_yield();
    suite_cancel(reader);
    return 0;
}

/* H-04: what is open and watched, but not waited for, keeps nothing. */
SILL_CASE_OUTSIDE(H, 04, an_idle_stream_lets_the_host_end)
{
    open_both();
    start(open_idle_pair, NULL);
    host_run(host);
    ck_assert_int_eq(dones, 1);
    tick_times(2);
    host_run(host);
    ck_assert_int_eq(ticks, 2);
    suite_pair_close(&idle);
    close_both();
}

static long wakeups_at_tick[3];
static sill_duration cpu_at_tick[3];
static sill_time tick[3];

static void note_wakeups(void *arg)
{
    (void)arg;
    wakeups_at_tick[ticks] = suite_wakeups();
    cpu_at_tick[ticks] = suite_cpu();
    tick[ticks] = sill_now();
    if (++ticks < 3)
        return;
    stop_ticking();
    if (sleeper)
        sill_guest_cancel(guest, sleeper);
}

/* Who never sleeps is never woken either, and takes all of the second. */
static void check_slept(int from, long more)
{
    sill_duration cpu = cpu_at_tick[from + 1] - cpu_at_tick[from];
    long most = suite_wakeups_allowed(tick[from + 1] - tick[from]) + more;

    ck_assert_int_le(wakeups_at_tick[from + 1] - wakeups_at_tick[from], most);
    ck_assert_int_lt(cpu, (sill_duration)(50e6 * suite_scale()));
}

/* From one tick to the next, a second later, the host sleeps once. */
static void idle_for_two_seconds(void)
{
    ticks = 0;
    host_tick(host, 1000, note_wakeups, NULL);
    host_run(host);
    check_slept(1, 0);
}

/* H-04: an idle guest wakes nobody. */
SILL_CASE_OUTSIDE(H, 04, a_guest_without_tasks_makes_no_wake_ups)
{
    open_both();
    idle_for_two_seconds();
    close_both();
}

/* H-04: nor does one that another thread has woken, afterwards. */
SILL_CASE_OUTSIDE(H, 04, the_host_sleeps_again_after_a_resume)
{
    open_both();
    start(wait_for_thread, NULL);
    host_run(host);
    ck_assert_int_eq(dones, 1);
    idle_for_two_seconds();
    close_both();
}

static int park_many(void *arg)
{
    enum { COUNT = 10 };
    struct sill_task *tasks[COUNT + 1];
    struct suite_pair pair, unread;

    (void)arg;
    suite_pair_open(&pair, SUITE_TCP);
    suite_pair_open(&unread, SUITE_TCP);
    ck_assert_int_eq(sill_stream_write(&unread.a, "x", 1, SILL_NEVER), 1);
    for (int i = 0; i < COUNT; i++)
        tasks[i] = suite_spawn(i % 2 ? sleep_long : suite_sleeper, NULL);
    tasks[COUNT] = suite_spawn(read_byte, &pair.a);

    int rc = sill_sleep(SILL_NEVER);

    for (int i = 0; i <= COUNT; i++)
        suite_cancel(tasks[i]);
    suite_pair_close(&pair);
    suite_pair_close(&unread);
    return rc;
}

/* H-04: nor do tasks that all wait, nor data that nobody asked for. */
SILL_CASE_OUTSIDE(H, 04, tasks_that_wait_make_no_wake_ups)
{
    open_both();
    sleeper = start(park_many, NULL);
    idle_for_two_seconds();
    ck_assert_int_eq(dones, 1);
    ck_assert_int_eq(last_result, SILL_ECANCELED);
    close_both();
}

static void feed_idle_pair(void *arg)
{
    if (ticks == 0) /* nobody waits: the event finds no taker */
        ck_assert_int_eq((int)write(*(int *)arg, "x", 1), 1);
    note_wakeups(NULL);
}

static int watch_then_leave(void *stream)
{
    char byte;
    sill_time soon = sill_after(SILL_MILLISECOND);

    ck_assert_int_eq(sill_stream_adopt(stream, ends[0]), 0);
    return (int)sill_stream_read(stream, &byte, 1, soon);
}

/* H-04: an event on a stream that nobody waits for any more wakes the host
 * once, not for ever. */
SILL_CASE_OUTSIDE(H, 04, an_event_for_nobody_does_not_spin_the_host)
{
    struct sill_stream stream;

    open_both();
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    start(watch_then_leave, &stream);
    host_run(host);
    ck_assert_int_eq(last_result, SILL_ETIMEDOUT);
    host_tick(host, 1000, feed_idle_pair, &ends[1]);
    host_run(host);
    check_slept(0, 2);
    check_slept(1, 0);
    sill_stream_close(&stream);
    close(ends[1]);
    close_both();
}

static int wait_for_each_other(void *arg)
{
    struct sill_stream a, b;

    (void)arg;
    ck_assert_int_eq(sill_stream_pair(&a, &b, 16), 0);

    int rc = read_byte(&a);

    sill_stream_close(&a);
    sill_stream_close(&b);
    return rc;
}

static void cancel_in_third_tick(void *arg)
{
    (void)arg;
    if (++ticks < 3)
        return;
    stop_ticking();
    sill_guest_cancel(guest, sleeper);
}

/* H-04: tasks that wait for each other only are kept: the host may yet cancel
 * them. */
SILL_CASE_OUTSIDE(H, 04, a_deadlock_is_left_to_the_host)
{
    open_both();
    sleeper = start(wait_for_each_other, NULL);
    host_tick(host, 1, cancel_in_third_tick, NULL);
    host_run(host);
    ck_assert_int_eq(ticks, 3);
    ck_assert_int_eq(last_result, SILL_ECANCELED);
    ck_assert(!suite_log_has("every task waits"));
    close_both();
}

/* ---- H-05, H-06: detach and attach ---- */

static int detached_at;

static void detach_when_idle(void *arg)
{
    (void)arg;
    ticks++;
    if (!detached_at && host_detach(host, guest) == 0)
        detached_at = ticks;
    if (detached_at && ticks == detached_at + 3) {
        stop_ticking();
        ck_assert_int_eq(write(ends[1], "x", 1), 1);
    }
}

static void hear_and_stop(void *arg)
{
    (void)arg;
    heard++;
    host_watch(host, -1, NULL, NULL);
}

/* H-05: detached in a callback; the host's timer and descriptor go on. */
SILL_CASE_OUTSIDE(H, 05, detach_leaves_the_hosts_handles)
{
    open_both();
    ck_assert_int_eq(pipe(ends), 0);
    start(converse, NULL);
    host_tick(host, 1, detach_when_idle, NULL);
    host_watch(host, ends[0], hear_and_stop, NULL);
    host_run(host);
    ck_assert_int_eq(dones, 1);
    ck_assert_int_gt(detached_at, 0);
    ck_assert_int_eq(heard, 1);
    ck_assert(host_close(host));
    close(ends[0]);
    close(ends[1]);
}

static int detach_from_task(void *arg)
{
    (void)arg;
    return host_detach(host, guest);
}

/* H-05: with a live task detach is refused, and nothing changes. */
SILL_CASE_OUTSIDE(H, 05, detach_with_a_task_is_refused)
{
    open_both();
    start(suite_returner, suite_number(1));
    ck_assert_int_eq(host_detach(host, guest), SILL_EBUSY);
    host_run(host);
    ck_assert_int_eq(dones, 1);
    start(detach_from_task, NULL);
    host_run(host);
    ck_assert_int_eq(dones, 2);
    ck_assert_int_eq(last_result, SILL_EBUSY);
    close_both();
}

/* H-06: over and over again; the harness looks for what is left. */
SILL_CASE_OUTSIDE(H, 06, attach_and_detach_a_hundred_times)
{
    host = host_open();
    for (int i = 1; i <= 100; i++) {
        guest = attach();
        start(suite_returner, suite_number(i));
        host_run(host);
        ck_assert_int_eq(dones, i);
        ck_assert_int_eq(last_result, i);
        ck_assert_int_eq(host_detach(host, guest), 0);
    }
    ck_assert(host_close(host));
}

static void detach_it(void *arg, int result)
{
    ck_assert_int_eq(result, 5);
    ck_assert_int_eq(host_detach(host, arg), 0);
    sill_guest_cancel(guest, sleeper);
}

/* H-06: attaching twice makes two guests; one leaves, the other lives on. */
SILL_CASE_OUTSIDE(H, 06, two_guests_of_a_host_are_independent)
{
    open_both();

    struct sill_guest *other = attach();

    ck_assert_ptr_ne(guest, other);
    sleeper = start(suite_sleeper, NULL);
    ck_assert_int_eq(sill_guest_start(other, converse, other, detach_it, NULL),
                     0);
    ck_assert(sill_guest_is_busy(other));
    host_run(host);
    ck_assert_int_eq(dones, 1);
    ck_assert_int_eq(last_result, SILL_ECANCELED);
    close_both();
}

static int write_then_close(void *arg)
{
    (void)arg;
    ck_assert_int_eq(sill_sleep(sill_after(SILL_MILLISECOND)), 0);
    ck_assert_int_eq(sill_stream_write(&idle.b, "x", 1, SILL_NEVER), 1);
    return 0;
}

/* H-06: a task of one guest wakes a task of the other. */
SILL_CASE_OUTSIDE(H, 06, guests_of_a_host_wake_each_other)
{
    open_both();

    struct sill_guest *other = attach();

    ck_assert_int_eq(sill_stream_pair(&idle.a, &idle.b, 16), 0);
    start(read_byte, &idle.a);
    ck_assert_int_eq(
        sill_guest_start(other, write_then_close, NULL, on_done, NULL), 0);
    host_run(host);
    ck_assert_int_eq(dones, 2);
    suite_pair_close(&idle);
    ck_assert_int_eq(host_detach(host, other), 0);
    close_both();
}

/* A loop of its own on the host's thread, between two steps of the guest. */
static void run_a_loop(void *arg)
{
    (void)arg;
    ck_assert_int_eq(sill_run(converse, NULL), 5);
    stop_ticking();
    sill_guest_cancel(guest, sleeper);
}

/* H-06: a loop that comes and goes on the same thread disturbs no guest. */
SILL_CASE_OUTSIDE(H, 06, a_run_inside_a_callback_leaves_the_guest_alone)
{
    stack_t before, after;

    open_both();
    ck_assert_int_eq(sigaltstack(NULL, &before), 0);
    ck_assert(!(before.ss_flags & SS_DISABLE));
    sleeper = start(suite_sleeper, NULL);
    host_tick(host, 1, run_a_loop, NULL);
    host_run(host);
    ck_assert_int_eq(dones, 1);
    ck_assert_int_eq(sigaltstack(NULL, &after), 0);
    ck_assert(!(after.ss_flags & SS_DISABLE));
    ck_assert_ptr_eq(after.ss_sp, before.ss_sp);
    close_both();
}

static void attach_in_tick(void *arg)
{
    (void)arg;
    stop_ticking();
    guest = attach();
    start(converse, NULL);
}

/* H-06: attached while the host runs. */
SILL_CASE_OUTSIDE(H, 06, a_callback_may_attach_a_guest)
{
    host = host_open();
    host_tick(host, 1, attach_in_tick, NULL);
    host_run(host);
    ck_assert_int_eq(dones, 1);
    ck_assert_int_eq(last_result, 5);
    close_both();
}

static int use_much_stack(void *arg)
{
    char big[100 * 1024];

    (void)arg;
    memset(big, 1, sizeof(big));
    return big[99];
}

/* H-06: the size of stacks is that of the options; their backend is not looked
 * at. */
SILL_CASE_OUTSIDE(H, 06, options_choose_stacks_and_no_backend)
{
    static const char not_a_backend[256];
    const struct sill_run_options options = {
        .stack_size = 256 * 1024,
        .backend = (const struct sill_backend *)(const void *)not_a_backend};

    host = host_open();
    ck_assert_int_eq(attach_to(host, &options, &guest), 0);
    start(use_much_stack, NULL);
    host_run(host);
    ck_assert_int_eq(dones, 1);
    close_both();
}

enum { WALKERS = 6 };

static char walked[WALKERS + 1];
static size_t walkers;

static int walk(void *name)
{
    walked[walkers++] = (char)(intptr_t)name;
    return 0;
}

/* Keeps the order in which the tasks of a guest with (number) ran. */
static void walk_shuffled(uint64_t number, char order[])
{
    const struct sill_run_options options = {.shuffle = number};

    walkers = 0;
    host = host_open();
    ck_assert_int_eq(attach_to(host, &options, &guest), 0);
    for (int i = 0; i < WALKERS; i++)
        start(walk, suite_number('a' + i));
    host_run(host);
    close_both();
    ck_assert_uint_eq(walkers, WALKERS);
    memcpy(order, walked, sizeof(walked));
}

/* H-06: and so is the order of tasks, by the number that a run has, too. */
SILL_CASE_OUTSIDE(H, 06, options_shuffle_tasks)
{
    char first[WALKERS + 1], again[WALKERS + 1], before[WALKERS + 1] = "";
    int others = 0;

    for (uint64_t number = 1; number <= 20; number++) {
        walk_shuffled(number, first);
        walk_shuffled(number, again);
        ck_assert_str_eq(first, again);
        others += strcmp(first, before) != 0;
        memcpy(before, first, sizeof(first));
    }
    ck_assert_int_gt(others, 15);
}

static int attach_in_task(void *arg)
{
    (void)arg;
    guest = attach();
    return 0;
}

/* H-06: a guest may be attached in a task, and outlives the stack of it. */
SILL_CASE_OUTSIDE(H, 06, a_task_may_attach_a_guest)
{
    host = host_open();
    ck_assert_int_eq(sill_run(attach_in_task, NULL), 0);
    start(converse, NULL);
    host_run(host);
    ck_assert_int_eq(dones, 1);
    ck_assert_int_eq(last_result, 5);
    close_both();
}

static char own_stack[65536];

/* H-05: nor does it take away what the program set for signals meanwhile. */
SILL_CASE_OUTSIDE(H, 05, detach_leaves_the_hosts_signal_stack)
{
    const stack_t own = {.ss_sp = own_stack, .ss_size = sizeof(own_stack)};
    const stack_t none = {.ss_flags = SS_DISABLE};
    stack_t after;

    ck_assert_int_eq(sigaltstack(&none, NULL), 0);
    open_both();
    ck_assert_int_eq(sigaltstack(&own, NULL), 0);
    close_both();
    ck_assert_int_eq(sigaltstack(NULL, &after), 0);
    ck_assert(!(after.ss_flags & SS_DISABLE));
    ck_assert_ptr_eq(after.ss_sp, own_stack);
    ck_assert_int_eq(sigaltstack(&none, NULL), 0);
}

enum { THREADS = 4, TASKS_OF_THREAD = 50 };

struct domain {
    struct suite_thread thread;
    struct host *host;
    int dones, wrong;
};

static _Thread_local struct domain *domain;

static void count_done(void *arg, int result)
{
    domain->wrong += arg != domain || result != 0 || sill_self() != NULL;
    domain->dones++;
}

static int sleep_one(void *arg)
{
    return arg == domain ? sill_sleep(sill_after(SILL_MILLISECOND)) : 1;
}

/* Not for ck_assert: not the thread of the case. */
static void live_with_a_guest(void *arg)
{
    struct sill_guest *own;

    domain = arg;
    domain->host = host_open();
    domain->wrong += attach_to(domain->host, NULL, &own) != 0;
    for (int i = 0; i < TASKS_OF_THREAD; i++)
        domain->wrong +=
            sill_guest_start(own, sleep_one, domain, count_done, NULL) != 0;
    host_run(domain->host);
    domain->wrong += host_detach(domain->host, own) != 0;
    domain->wrong += !host_close(domain->host);
}

/* H-06: several threads, each with a host of its own. */
SILL_CASE_OUTSIDE(H, 06, threads_with_hosts_of_their_own_are_independent)
{
    static struct domain domains[THREADS];

    for (int i = 0; i < THREADS; i++)
        suite_thread_start(&domains[i].thread, live_with_a_guest, &domains[i]);
    for (int i = 0; i < THREADS; i++)
        suite_thread_join(&domains[i].thread);
    for (int i = 0; i < THREADS; i++) {
        ck_assert_int_eq(domains[i].wrong, 0);
        ck_assert_int_eq(domains[i].dones, TASKS_OF_THREAD);
    }
}

/* ---- H-07: cancel, drain, stop ---- */

static void cancel_at_once(sill_task_fn *fn, void *arg)
{
    int before = dones;
    struct sill_task *task = start(fn, arg);

    sill_guest_cancel(guest, task);
    ck_assert_int_eq(dones, before);
    host_run(host);
    ck_assert_int_eq(dones, before + 1);
}

/* H-07: cancel asks; (done) is told later. A task that waits for nothing runs
 * to its end. */
SILL_CASE_OUTSIDE(H, 07, cancel_asks_and_done_tells)
{
    open_both();
    cancel_at_once(suite_sleeper, NULL);
    ck_assert_int_eq(last_result, SILL_ECANCELED);
    cancel_at_once(run_and_return, suite_number(8));
    ck_assert_int_eq(last_result, 8);
    close_both();
}

static int cancel_twice_from_task(void *arg)
{
    sill_guest_cancel(guest, arg);
    sill_guest_cancel(guest, arg);
    return 0;
}

/* H-07: also from a task of the guest; twice is harmless. */
SILL_CASE_OUTSIDE(H, 07, a_task_may_cancel_another_one)
{
    open_both();
    sleeper = start(suite_sleeper, NULL);
    start(cancel_twice_from_task, sleeper);
    host_run(host);
    ck_assert_int_eq(dones, 2);
    close_both();
}

static struct sill_task *both[2];

static int return_zero(void *arg)
{
    (void)arg;
    return 0;
}

static void cancel_the_other(void *arg, int result)
{
    ck_assert_int_eq(result, 0);
    if (dones++ == 0) /* it has ended, and is yet to be told of */
        sill_guest_cancel(guest, both[arg == &both[0] ? 1 : 0]);
}

/* H-07: a cancel between the end of a task and its (done) is harmless. */
SILL_CASE_OUTSIDE(H, 07, cancel_of_an_ended_task_is_harmless)
{
    open_both();
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(sill_guest_start(guest, return_zero, &both[i],
                                          cancel_the_other, &both[i]),
                         0);
    host_run(host);
    ck_assert_int_eq(dones, 2);
    close_both();
}

static int drains;

static void on_drained(void *arg)
{
    ck_assert_int_eq(dones, (int)(intptr_t)arg);
    ck_assert(!sill_guest_is_busy(guest));
    ck_assert_ptr_null(sill_self());
    drains++;
}

static void drain(sill_time grace, int expected)
{
    ck_assert_int_eq(
        sill_guest_drain(guest, grace, on_drained, suite_number(expected)), 0);
    ck_assert_int_eq(drains, 0);
    ck_assert(sill_guest_is_busy(guest));
}

/* H-07: drain lets tasks end that do so in time. */
SILL_CASE_OUTSIDE(H, 07, drain_waits_for_what_ends_in_time)
{
    open_both();
    start(sleep_ten, NULL);
    drain(sill_after(SILL_MINUTE), 1);
    host_run(host);
    ck_assert_int_eq(drains, 1);
    ck_assert_int_eq(last_result, 0);
    close_both();
}

/* H-07: and cancels the others when their time is up, not before. */
SILL_CASE_OUTSIDE(H, 07, drain_cancels_what_does_not)
{
    sill_time grace;

    open_both();
    start(sleep_long, NULL);
    start(suite_sleeper, NULL);
    grace = sill_after(20 * SILL_MILLISECOND);
    drain(grace, 2);
    host_run(host);
    ck_assert_int_ge(sill_now(), grace);
    ck_assert_int_lt(sill_now() - grace, suite_liveness());
    ck_assert_int_eq(drains, 1);
    ck_assert_int_eq(last_result, SILL_ECANCELED);
    close_both();
}

/* H-07: meanwhile nothing is started; afterwards tasks may be again. */
SILL_CASE_OUTSIDE(H, 07, while_draining_nothing_is_started)
{
    open_both();
    start(suite_sleeper, NULL);
    drain(SILL_PAST, 1);
    ck_assert_int_eq(
        sill_guest_start(guest, run_and_return, NULL, on_done, NULL),
        SILL_ECANCELED);
    host_run(host);
    ck_assert(!ran);
    ck_assert_int_eq(drains, 1);
    start(run_and_return, NULL);
    host_run(host);
    ck_assert(ran);
    close_both();
}

/* H-07: without tasks it is told of at once, but not inside of the call. */
SILL_CASE_OUTSIDE(H, 07, drain_of_no_task_is_told_of)
{
    open_both();
    drain(SILL_NEVER, 0);
    ck_assert_int_eq(host_detach(host, guest), SILL_EBUSY);
    host_run(host);
    ck_assert_int_eq(drains, 1);
    ck_assert_int_eq(sill_guest_drain(guest, SILL_PAST, NULL, NULL), 0);
    host_run(host);
    close_both();
}

static void on_replaced(void *arg)
{
    (void)arg;
    ck_abort_msg("a drain that was replaced was told of");
}

/* H-07: a later drain replaces an earlier one. */
SILL_CASE_OUTSIDE(H, 07, a_second_drain_replaces_the_first)
{
    open_both();
    start(suite_sleeper, NULL);
    ck_assert_int_eq(
        sill_guest_drain(guest, sill_after(SILL_MINUTE), on_replaced, NULL), 0);
    drain(SILL_PAST, 1);
    host_run(host);
    ck_assert_int_eq(drains, 1);
    close_both();
}

static void detach_when_drained(void *arg)
{
    (void)arg;
    ck_assert_int_eq(host_detach(host, guest), 0);
    drains++;
}

/* H-07: it is the place to detach. */
SILL_CASE_OUTSIDE(H, 07, drained_may_detach)
{
    open_both();
    start(suite_sleeper, NULL);
    start(suite_sleeper, NULL);
    ck_assert_int_eq(
        sill_guest_drain(guest, SILL_PAST, detach_when_drained, NULL), 0);
    host_run(host);
    ck_assert_int_eq(dones, 2);
    ck_assert_int_eq(drains, 1);
    ck_assert(host_close(host));
}

static void stop_in_third_tick(void *arg)
{
    (void)arg;
    if (++ticks == 3)
        host_stop(host);
}

/* Starts tasks, and leaves the loop in the middle of them. */
static void stop_in_the_middle(void)
{
    open_both();
    start(sleep_ten, NULL);
    sleeper = start(suite_sleeper, NULL);
    host_tick(host, 1, stop_in_third_tick, NULL);
    host_run(host);
    ck_assert_int_eq(ticks, 3);
    stop_ticking();
    ck_assert(sill_guest_is_busy(guest));
    ck_assert_int_eq(host_detach(host, guest), SILL_EBUSY);
}

/* H-07: a host that stopped cancels, and runs again until all have ended. */
SILL_CASE_OUTSIDE(H, 07, a_stopped_host_cancels_and_drains)
{
    stop_in_the_middle();
    drain(SILL_PAST, 2);
    host_run(host);
    ck_assert_int_eq(drains, 1);
    close_both();
}

/* H-07: or just goes on. */
SILL_CASE_OUTSIDE(H, 07, a_stopped_host_may_go_on)
{
    stop_in_the_middle();
    sill_guest_cancel(guest, sleeper);
    host_run(host);
    ck_assert_int_eq(dones, 2);
    close_both();
}

static int stop_from_task(void *arg)
{
    (void)arg;
    host_stop(host);
    (void)sill_yield();
    return 12;
}

/* H-07: also from inside a task. */
SILL_CASE_OUTSIDE(H, 07, a_task_may_stop_the_host)
{
    open_both();
    start(stop_from_task, NULL);
    for (int i = 0; i < 3 && dones == 0; i++)
        host_run(host);
    ck_assert_int_eq(last_result, 12);
    close_both();
}

static int clean_up_slowly(void *arg)
{
    (void)arg;
    ck_assert_int_eq(sill_sleep(SILL_NEVER), SILL_ECANCELED);
    sill_forbid();
    ck_assert_int_eq(sill_sleep(sill_after(5 * SILL_MILLISECOND)), 0);
    sill_permit();
    ran = true;
    return 0;
}

/* H-07: clean-up that has to wait runs to its end. */
SILL_CASE_OUTSIDE(H, 07, a_drained_task_cleans_up)
{
    open_both();
    start(clean_up_slowly, NULL);
    drain(sill_after(SILL_MILLISECOND), 1);
    host_run(host);
    ck_assert(ran);
    close_both();
}

/* ---- the host closes what tasks wait for ---- */

static struct sill_listener listener;
static struct sill_datagram datagram;
static struct sill_watch watch;

static int accept_one(void *arg)
{
    struct sill_stream stream;

    (void)arg;
    return sill_listener_accept(&listener, &stream, SILL_NEVER);
}

static int receive_one(void *arg)
{
    char byte;

    (void)arg;
    return (int)sill_datagram_receive(&datagram, &byte, 1, NULL, SILL_NEVER);
}

static int wait_for_watch(void *arg)
{
    (void)arg;
    return sill_watch_wait(&watch, SILL_READ, SILL_NEVER);
}

static int read_pair(void *stream)
{
    return read_byte(stream);
}

static int open_each_kind(void *arg)
{
    struct sill_address address;

    (void)arg;
    suite_listen(&listener, &address);
    address = suite_loopback(0);
    ck_assert_int_eq(sill_datagram_open(&datagram, &address, NULL), 0);
    ck_assert_int_eq(sill_watch_open(&watch, ends[0]), 0);
    suite_pair_open(&idle, SUITE_TCP);
    return 0;
}

static struct sill_stream in_memory[2];

static void close_each_kind(void *arg)
{
    (void)arg;
    stop_ticking();
    sill_listener_close(&listener);
    sill_datagram_close(&datagram);
    sill_watch_close(&watch);
    suite_pair_close(&idle);
    sill_stream_close(&in_memory[0]);
}

static void expect_closed(void *arg, int result)
{
    (void)arg;
    ck_assert_int_eq(result, SILL_ECLOSED);
    dones++;
}

static void start_closed(sill_task_fn *fn, void *arg)
{
    ck_assert_int_eq(sill_guest_start(guest, fn, arg, expect_closed, NULL), 0);
}

/* H-02: a callback of the host closes what tasks wait for, and wakes them. */
SILL_CASE_OUTSIDE(H, 02, the_host_may_close_what_tasks_wait_for)
{
    open_both();
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(sill_stream_pair(&in_memory[0], &in_memory[1], 16), 0);
    start(open_each_kind, NULL);
    host_run(host);
    start_closed(accept_one, NULL);
    start_closed(receive_one, NULL);
    start_closed(wait_for_watch, NULL);
    start_closed(read_pair, &idle.a);
    start_closed(read_pair, &in_memory[0]);
    ck_assert_int_eq(host_detach(host, guest), SILL_EBUSY);
    host_tick(host, 5, close_each_kind, NULL);
    host_run(host);
    ck_assert_int_eq(dones, 1 + 5);
    sill_stream_close(&in_memory[1]);
    close(ends[0]);
    close(ends[1]);
    close_both();
}

static struct sill_scope scope;

static int own_a_scope(void *trigger)
{
    sill_scope_init(&scope, SILL_SCOPE_COLLECT);
    ck_assert_int_eq(sill_scope_spawn(&scope, suite_sleeper, NULL), 0);
    ck_assert_int_eq(sill_scope_spawn(&scope, suite_suspender, trigger), 0);

    int rc = sill_scope_wait(&scope, SILL_NEVER);

    sill_scope_fini(&scope);
    return rc;
}

static void cancel_scope_in_tick(void *arg)
{
    (void)arg;
    stop_ticking();
    sill_scope_cancel(&scope);
}

/* H-02: and cancels their scopes. */
SILL_CASE_OUTSIDE(H, 02, the_host_may_cancel_scopes)
{
    struct sill_trigger trigger = SILL_TRIGGER_INIT;

    open_both();
    start(own_a_scope, &trigger);
    host_tick(host, 5, cancel_scope_in_tick, NULL);
    host_run(host);
    ck_assert_int_eq(dones, 1);
    ck_assert_int_eq(last_result, 0);
    close_both();
}

static int sleep_and_cancel_scope(void *arg)
{
    (void)arg;
    ck_assert_int_eq(sill_sleep(sill_after(SILL_MILLISECOND)), 0);
    sill_scope_cancel(&scope);
    return 0;
}

/* H-06: so may a task of another guest. */
SILL_CASE_OUTSIDE(H, 06, a_task_may_cancel_a_scope_of_another_guest)
{
    struct sill_trigger trigger = SILL_TRIGGER_INIT;

    open_both();

    struct sill_guest *other = attach();

    start(own_a_scope, &trigger);
    ck_assert_int_eq(
        sill_guest_start(other, sleep_and_cancel_scope, NULL, on_done, NULL),
        0);
    host_run(host);
    ck_assert_int_eq(dones, 2);
    ck_assert_int_eq(host_detach(host, other), 0);
    close_both();
}

static int open_in_memory(void *arg)
{
    (void)arg;
    return sill_stream_pair(&in_memory[0], &in_memory[1], 16);
}

/* H-05: streams in memory belong to nobody. */
SILL_CASE_OUTSIDE(H, 05, streams_in_memory_outlive_the_guest)
{
    open_both();
    start(open_in_memory, NULL);
    host_run(host);
    ck_assert_int_eq(last_result, 0);
    close_both();
    sill_stream_close(&in_memory[0]);
    sill_stream_close(&in_memory[1]);
}

/* H-05: nor as long as something of a task is open: closed later, it would go
 * through a loop that is gone. */
SILL_CASE_OUTSIDE(H, 05, detach_with_something_open_is_refused)
{
    open_both();
    ck_assert_int_eq(pipe(ends), 0);
    start(open_each_kind, NULL);
    host_run(host);
    ck_assert(!sill_guest_is_busy(guest));
    ck_assert_int_eq(host_detach(host, guest), SILL_EBUSY);
    sill_listener_close(&listener);
    ck_assert_int_eq(host_detach(host, guest), SILL_EBUSY);
    sill_datagram_close(&datagram);
    ck_assert_int_eq(host_detach(host, guest), SILL_EBUSY);
    sill_watch_close(&watch);
    ck_assert_int_eq(host_detach(host, guest), SILL_EBUSY);
    suite_pair_close(&idle);
    close(ends[0]);
    close(ends[1]);
    close_both();
}

/* ---- dump ---- */

static bool seen_host, seen_task;
static double waited;

static void look_at_line(void *arg, const char *line)
{
    (void)arg;
    seen_host = seen_host || strstr(line, "the host");
    if (!strstr(line, "guest.c:") || !strstr(line, "sleep"))
        return;
    seen_task = true;
    waited = strtod(strrchr(line, ',') + 1, NULL);
}

static void dump_in_tick(void *arg)
{
    (void)arg;
    sill_guest_dump(guest, look_at_line, NULL);
    stop_ticking();
    sill_guest_cancel(guest, sleeper);
}

/* H-02: the tree of tasks can be seen from the host's callbacks, and for how
 * long they have waited, though nothing of the guest ran since. */
SILL_CASE_OUTSIDE(H, 02, the_host_can_dump_the_tasks)
{
    open_both();
    sleeper = start(suite_sleeper, NULL);
    host_tick(host, 20, dump_in_tick, NULL);
    host_run(host);
    ck_assert(seen_host);
    ck_assert(seen_task);
    ck_assert(waited > 0.001);
    close_both();
}

static void dump_to_stderr(void *arg)
{
    sill_guest_dump(guest, NULL, arg);
}

/* H-02: without (write), on standard error. */
SILL_CASE_OUTSIDE(H, 02, the_tasks_are_dumped_on_stderr)
{
    char errors[512];

    open_both();
    start(suite_returner, NULL);
    ck_assert_int_eq(suite_fork(dump_to_stderr, NULL, errors, sizeof(errors)),
                     0);
    ck_assert_ptr_nonnull(strstr(errors, "the host"));
    ck_assert_ptr_nonnull(strstr(errors, "guest.c:"));
    host_run(host);
    close_both();
}

/* ---- mistakes ---- */

static void start_elsewhere(void *arg)
{
    (void)arg;
    (void)!sill_guest_start(guest, suite_returner, NULL, NULL, NULL);
}

static void cancel_elsewhere(void *arg)
{
    sill_guest_cancel(guest, arg);
}

static void drain_elsewhere(void *arg)
{
    (void)arg;
    (void)sill_guest_drain(guest, SILL_PAST, NULL, NULL);
}

static void detach_elsewhere(void *arg)
{
    (void)arg;
    (void)!sill_guest_detach(guest);
}

static void look_elsewhere(void *arg)
{
    (void)arg;
    (void)sill_guest_is_busy(guest);
}

static void dump_elsewhere(void *arg)
{
    (void)arg;
    sill_guest_dump(guest, look_at_line, NULL);
}

static void run_elsewhere(void *arg)
{
    (void)arg;
    host_run(host);
}

static void be_elsewhere(void *fn)
{
    struct suite_thread thread;

    open_both();
    struct sill_task *task = start(suite_sleeper, NULL);

    suite_thread_start(&thread, *(void (**)(void *))fn, task);
    suite_thread_join(&thread);
}

static void expect_wrong_thread(void (*fn)(void *), const char *call)
{
    suite_expect_abort(be_elsewhere, &fn, call, "not the thread");
}

/* H-06: a call from another thread ends the program, with a line that names
 * it. */
SILL_CASE_OUTSIDE(H, 06, calls_from_another_thread_end_the_program)
{
    expect_wrong_thread(start_elsewhere, "sill_guest_start");
    expect_wrong_thread(cancel_elsewhere, "sill_guest_cancel");
    expect_wrong_thread(drain_elsewhere, "sill_guest_drain");
    expect_wrong_thread(detach_elsewhere, "sill_guest_detach");
    expect_wrong_thread(look_elsewhere, "sill_guest_is_busy");
    expect_wrong_thread(dump_elsewhere, "sill_guest_dump");
}

/* H-06: so does a host whose loop is run by another thread. */
SILL_CASE_OUTSIDE(H, 06, a_host_run_by_another_thread_ends_the_program)
{
    expect_wrong_thread(run_elsewhere, "sill_");
}

static int spawn_and_cancel_child(void *arg)
{
    (void)arg;
    sill_guest_cancel(guest, suite_spawn(suite_sleeper, NULL));
    return 0;
}

static void cancel_a_child(void *arg)
{
    (void)arg;
    open_both();
    start(spawn_and_cancel_child, NULL);
    host_run(host);
}

static void cancel_of_another_guest(void *arg)
{
    (void)arg;
    open_both();

    struct sill_task *task = start(suite_sleeper, NULL);

    guest = attach();
    sill_guest_cancel(guest, task);
}

static void cancel_when_told(void *arg)
{
    (void)arg;
    open_both();

    struct sill_task *task = start(suite_returner, suite_number(0));

    host_run(host);
    sill_guest_cancel(guest, task);
}

/* H-07: cancel is for what was started on this guest, until it is told of. */
SILL_CASE_OUTSIDE(H, 07, cancel_of_a_stranger_ends_the_program)
{
    suite_expect_abort(cancel_a_child, NULL, "sill_guest_cancel", "guest.c:");
    suite_expect_abort(cancel_of_another_guest, NULL, "sill_guest_cancel");
    suite_expect_abort(cancel_when_told, NULL, "sill_guest_cancel");
}

static int run_another_host(void *arg)
{
    (void)arg;
    host_run(host);
    return 0;
}

static void step_in_a_strange_task(void *arg)
{
    struct host *other = host_open();
    struct sill_guest *its_guest;

    (void)arg;
    open_both();
    start(suite_returner, NULL);
    ck_assert_int_eq(attach_to(other, NULL, &its_guest), 0);
    ck_assert_int_eq(
        sill_guest_start(its_guest, run_another_host, NULL, NULL, NULL), 0);
    host_run(other);
}

static void step_in_a_run(void *arg)
{
    (void)arg;
    open_both();
    start(suite_returner, NULL);
    (void)sill_run(run_another_host, NULL);
}

/* H-02: tasks do not run inside of any other task, where (done) would have no
 * more than the stack of that. */
SILL_CASE_OUTSIDE(H, 02, a_host_run_inside_a_task_ends_the_program)
{
    suite_expect_abort(step_in_a_strange_task, NULL, "inside of a task",
                       "guest.c:");
    suite_expect_abort(step_in_a_run, NULL, "inside of a task", "guest.c:");
}

/* ---- fork ---- */

static bool seen_cancelled;

static void look_for_cancelled(void *arg, const char *line)
{
    (void)arg;
    seen_cancelled = seen_cancelled || strstr(line, "cancelled");
}

/* With a host and a guest of its own the child may go on. */
static void be_child(void *arg)
{
    ck_assert_int_eq(
        sill_guest_start(guest, run_and_return, NULL, on_done, NULL),
        SILL_ENOTASK);
    ck_assert_int_eq(sill_guest_drain(guest, SILL_PAST, on_replaced, NULL),
                     SILL_ENOTASK);
    ck_assert_int_eq(sill_guest_detach(guest), SILL_ENOTASK);
    sill_guest_cancel(guest, arg);
    sill_guest_dump(guest, look_for_cancelled, NULL);
    ck_assert(!seen_cancelled);
    ck_assert(!sill_guest_is_busy(guest));
    dones = 0;
    open_both();
    start(suite_returner, suite_number(2));
    host_run(host);
    ck_assert_int_eq(dones, 1);
    close_both();
}

static void fork_in_tick(void *arg)
{
    char errors[512];

    if (++ticks == 2)
        ck_assert_msg(suite_fork(be_child, arg, errors, sizeof(errors)) == 0,
                      "the child: %s", errors);
    if (ticks == 4) {
        stop_ticking();
        sill_guest_cancel(guest, arg);
    }
}

/* K-03, H-06: a child leaves the guest alone; the parent notices nothing. */
SILL_CASE_OUTSIDE(H, 06, a_forked_child_leaves_the_guest_to_its_parent)
{
    open_both();
    start(converse, NULL);
    sleeper = start(suite_sleeper, NULL);
    host_tick(host, 1, fork_in_tick, sleeper);
    host_run(host);
    ck_assert_int_eq(dones, 2);
    close_both();
}

static void run_the_hosts_loop(void *arg)
{
    (void)arg;
    host_run(host);
    ck_assert(!ran);
    ck_assert_int_eq(dones, 0);
}

/* H-06: where the child runs the loop that it has, no task runs, and none keeps
 * it. */
SILL_CASE_OUTSIDE(H, 06, no_task_runs_in_a_forked_child)
{
    char errors[512];

    open_both();
    start(run_and_return, NULL);
    ck_assert_msg(
        suite_fork(run_the_hosts_loop, NULL, errors, sizeof(errors)) == 0,
        "the child: %s", errors);
    host_run(host);
    ck_assert(ran);
    ck_assert_int_eq(dones, 1);
    close_both();
}
