/* SPDX-License-Identifier: MIT */
/*
 * Fairness: group R. Counts who ran how often, not how long it took, wherever
 * the rounds of the scheduler make that exact.
 */
#include "suite.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static bool over;
static long runs; /* of all tasks that count theirs */

static int count_runs(void *count)
{
    while (!over) {
        runs++;
        ++*(int *)count;
        (void)sill_yield();
    }
    return 0;
}

enum { CROWD = 2000 };

static int counts[CROWD];
static struct sill_task *crowd[CROWD];

static void crowd_begin(int size)
{
    for (int i = 0; i < size; i++)
        crowd[i] = suite_spawn(count_runs, &counts[i]);
}

static void crowd_end(int size)
{
    over = true;
    ck_assert_int_eq(sill_await_all(crowd, (size_t)size, NULL, SILL_NEVER), 0);
}

/* ---- R-01 ---- */

/* sill_yield: "Lets every task that is ready run before the caller runs
 * again", and each of them once. */
SILL_CASE(R, 01, each_ready_task_runs_once_for_each_yield, order)
{
    int wrong = 0;

    crowd_begin(100);
    for (int turn = 1; turn <= 1000; turn++) {
        wrong += sill_yield() != 0;
        for (int i = 0; i < 100; i++)
            wrong += counts[i] != turn;
    }
    crowd_end(100);
    ck_assert_int_eq(wrong, 0);
}

static int suspend_then_raise(void *arg)
{
    struct sill_trigger *trigger = arg;
    int rc = sill_suspend(trigger, SILL_NEVER);

    sill_trigger_init(trigger, NULL, NULL);
    return rc;
}

/* tasks that became ready by a resume or a spawn a moment ago count. */
SILL_CASE(R, 01, a_yield_lets_the_latest_ready_task_run, order)
{
    struct sill_trigger trigger = SILL_TRIGGER_INIT;
    struct sill_task *waiting = suite_spawn(suspend_then_raise, &trigger);

    (void)sill_yield();
    crowd_begin(10);
    (void)sill_resume(&trigger, 0);

    struct sill_task *fresh = suite_spawn(suite_returner, NULL);

    ck_assert_int_eq(sill_yield(), 0);
    ck_assert_int_eq(sill_await(waiting, NULL, SILL_PAST), 0);
    ck_assert_int_eq(sill_await(fresh, NULL, SILL_PAST), 0);
    crowd_end(10);
}

/* ---- R-02 ---- */

static struct sill_trigger bat[2];

static int bat_to_and_fro(void *side)
{
    size_t self = (size_t)(uintptr_t)side;
    int rc = 0;

    while (!over && rc == 0) {
        runs++;
        (void)sill_resume(&bat[1 - self], 0);
        rc = sill_suspend(&bat[self], SILL_NEVER);
        sill_trigger_init(&bat[self], NULL, NULL);
    }
    (void)sill_resume(&bat[1 - self], 0);
    return rc;
}

static void batting_begin(void)
{
    for (uintptr_t side = 0; side < 2; side++)
        crowd[side] = suite_spawn(bat_to_and_fro, (void *)side);
    (void)sill_yield();
}

/* a third task that only yields runs as often as each of the two. */
SILL_CASE(R, 02, two_busy_tasks_do_not_starve_one_that_yields)
{
    batting_begin();
    runs = 0;
    for (int i = 0; i < 1000; i++)
        (void)sill_yield();

    long run_by_them = runs;

    crowd_end(2);
    ck_assert_int_gt(run_by_them, 0);
    ck_assert_int_le(run_by_them, 2 * 1000 + 2);
}

/* nor timers. */
SILL_CASE(R, 02, two_busy_tasks_do_not_starve_deadlines, real)
{
    batting_begin();
    for (int i = 0; i < 20; i++) {
        sill_time deadline = sill_after(i * 100 * SILL_MICROSECOND);

        ck_assert_int_eq(sill_sleep(deadline), 0);
        ck_assert_int_lt(sill_now() - deadline, suite_liveness());
    }
    crowd_end(2);
}

static void resume_at_once(void *trigger)
{
    (void)sill_resume(trigger, 0);
}

/* nor wake-ups from other threads. */
SILL_CASE(R, 02, two_busy_tasks_do_not_starve_wake_ups, threads)
{
    batting_begin();
    for (int i = 0; i < 20; i++) {
        struct sill_trigger trigger = SILL_TRIGGER_INIT;
        struct suite_thread thread;
        sill_time limit = sill_after(suite_liveness());

        suite_thread_start(&thread, resume_at_once, &trigger);
        ck_assert_int_eq(sill_suspend(&trigger, limit), 0);
        suite_thread_join(&thread);
    }
    crowd_end(2);
}

/* ---- R-03 ---- */

static int read_and_count(void *stream)
{
    char byte;
    int rc = (int)sill_stream_read(stream, &byte, 1, SILL_NEVER);

    return rc == 1 ? (int)runs : rc;
}

/* How many task runs pass, in a crowd of (size) that yields, from the arrival
 * of a byte to the run of the task that reads it. */
static long runs_before_a_read(struct suite_pair *pair, int shift)
{
    struct sill_task *reader = suite_spawn(read_and_count, &pair->a);

    for (int i = 0; i < 2 + shift; i++)
        (void)sill_yield();

    long before = runs;

    ck_assert_int_eq(sill_stream_write(&pair->b, "x", 1, SILL_PAST), 1);
    return suite_await(reader) - before;
}

/* a flood of ready tasks, far more than one look outside allows. */
SILL_CASE(R, 03, a_flood_of_ready_tasks_does_not_starve_io)
{
    struct suite_pair pair;

    suite_pair_open(&pair, SUITE_UNIX);
    crowd_begin(CROWD);
    for (int i = 0; i < 10; i++)
        ck_assert_int_le(runs_before_a_read(&pair, i), 3 * CROWD);
    crowd_end(CROWD);
    suite_pair_close(&pair);
}

/* task.h: "the outside world is looked at between rounds, at least every
 * 1 024 task runs"; the round in which one is due is finished, and the reader
 * runs in the one after. */
SILL_CASE(R, 03, the_world_is_looked_at_every_1024_task_runs)
{
    static const int sizes[] = {1, 2, 3, 7, 9, 15, 17, 100, 1000};
    struct suite_pair pair;
    int size = 0;

    suite_pair_open(&pair, SUITE_UNIX);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        for (; size < sizes[i]; size++)
            crowd[size] = suite_spawn(count_runs, &counts[size]);
        suite_note("%d tasks", size);
        for (int shift = 0; shift < 20; shift++)
            ck_assert_int_le(runs_before_a_read(&pair, shift),
                             1024 + 2 * (size + 2));
    }
    crowd_end(size);
    suite_pair_close(&pair);
}

static int spawn_the_next(void *scope)
{
    runs++;
    return over ? 0 : sill_scope_spawn(scope, spawn_the_next, scope);
}

/* the flood is of tasks that each spawn another one and end. */
SILL_CASE(R, 03, an_endless_chain_of_spawns_does_not_starve_io)
{
    struct sill_scope scope;
    struct suite_pair pair;

    suite_pair_open(&pair, SUITE_UNIX);
    sill_scope_init(&scope, SILL_SCOPE_FAIL_FAST);
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(sill_scope_spawn(&scope, spawn_the_next, &scope), 0);
    for (int i = 0; i < 10; i++)
        ck_assert_int_le(runs_before_a_read(&pair, i), 1024 + 2 * 12);
    over = true;
    ck_assert_int_eq(sill_scope_wait(&scope, SILL_NEVER), 0);
    sill_scope_fini(&scope);
    suite_pair_close(&pair);
}

/* ---- R-04 ---- */

static int wait_again_and_again(void *watch)
{
    int rc = SILL_READ;

    while (!over && rc == SILL_READ) {
        runs++;
        rc = sill_watch_wait(watch, SILL_READ, SILL_NEVER);
    }
    return rc;
}

static struct {
    int ends[2];
    struct sill_watch watch;
    struct sill_task *task;
} ready[64];

static void ready_open(int begin, int end)
{
    for (int i = begin; i < end; i++) {
        ck_assert_int_eq(pipe2(ready[i].ends, O_CLOEXEC | O_NONBLOCK), 0);
        ck_assert_int_eq(write(ready[i].ends[1], "x", 1), 1);
        ck_assert_int_eq(sill_watch_open(&ready[i].watch, ready[i].ends[0]), 0);
        ready[i].task = suite_spawn(wait_again_and_again, &ready[i].watch);
    }
}

static void ready_close(int count)
{
    over = true;
    for (int i = 0; i < count; i++) {
        ck_assert_int_eq(suite_await(ready[i].task), SILL_READ);
        sill_watch_close(&ready[i].watch);
        (void)close(ready[i].ends[0]);
        (void)close(ready[i].ends[1]);
    }
}

/* 64 descriptors that are always ready, some watched before and some
 * after the one that becomes ready now and then. */
SILL_CASE(R, 04, always_ready_descriptors_do_not_starve_another, fd)
{
    struct suite_pair pair;
    char byte;

    ready_open(0, 32);
    suite_pair_open(&pair, SUITE_UNIX);
    ready_open(32, 64);
    for (int i = 0; i < 50; i++) {
        struct sill_task *reader = suite_spawn(read_and_count, &pair.a);
        sill_time limit = sill_after(suite_liveness());

        (void)sill_yield();
        ck_assert_int_eq(sill_stream_write(&pair.b, "x", 1, SILL_PAST), 1);
        ck_assert_int_eq(sill_await(reader, NULL, limit), 0);
        ck_assert_int_eq(sill_stream_read(&pair.a, &byte, 1, SILL_PAST),
                         SILL_ETIMEDOUT);
    }
    ready_close(64);
    suite_pair_close(&pair);
}

/* nor deadlines; and the ready ones get their turns. */
SILL_CASE(R, 04, always_ready_descriptors_do_not_starve_deadlines, fd)
{
    sill_time deadline = sill_after(20 * SILL_MILLISECOND);
    sill_time limit = deadline + suite_liveness();

    ready_open(0, 2);
    ck_assert_int_eq(sill_sleep(deadline), 0);
    ck_assert_int_lt(sill_now(), limit);
    while (runs <= 2 && sill_now() < limit)
        (void)sill_yield();
    ck_assert_int_gt(runs, 2);
    ready_close(2);
}

enum { PLENTY = 20000 };

static int read_plenty(void *stream)
{
    int failed = 0;
    char byte;

    for (int i = 0; i < PLENTY; i++)
        failed += sill_stream_read(stream, &byte, 1, SILL_NEVER) != 1;
    return failed;
}

/* a task whose every read finds data at once lets others run. */
SILL_CASE(R, 04, a_task_that_always_finds_data_lets_others_run)
{
    static char data[PLENTY];

    for (int kind = 0; kind < SUITE_KINDS; kind++) {
        struct suite_pair pair;
        struct sill_task *reader;
        int turns = 0;

        suite_pair_open(&pair, (enum suite_kind)kind);
        ck_assert_int_eq(
            sill_stream_write_all(&pair.b, data, PLENTY, NULL, SILL_NEVER), 0);
        reader = suite_spawn(read_plenty, &pair.a);
        while (sill_await(reader, NULL, SILL_PAST) == SILL_ETIMEDOUT) {
            (void)sill_yield();
            turns++;
        }
        ck_assert_int_gt(turns, 10);
        suite_pair_close(&pair);
    }
}

enum { CLIENTS = 300 };

static int accept_all(void *listener)
{
    int failed = 0;

    for (int i = 0; i < CLIENTS; i++) {
        struct sill_stream stream;

        failed += sill_listener_accept(listener, &stream, SILL_NEVER) != 0;
        sill_stream_close(&stream);
    }
    return failed;
}

/* nor does a task that always finds a client keep the others waiting. */
SILL_CASE(R, 04, a_task_that_always_finds_a_client_lets_others_run)
{
    static struct sill_stream clients[CLIENTS];
    struct sill_listener listener;
    struct sill_address address;
    int turns = 0;

    suite_listen(&listener, &address);
    for (int i = 0; i < CLIENTS; i++)
        ck_assert_int_eq(
            sill_stream_connect(&clients[i], &address, NULL, SILL_NEVER), 0);

    struct sill_task *acceptor = suite_spawn(accept_all, &listener);
    int result = -1;

    while (sill_await(acceptor, &result, SILL_PAST) == SILL_ETIMEDOUT) {
        (void)sill_yield();
        turns++;
    }
    ck_assert_int_eq(result, 0);
    ck_assert_int_gt(turns, 2);
    for (int i = 0; i < CLIENTS; i++)
        sill_stream_close(&clients[i]);
    sill_listener_close(&listener);
}

/* ---- R-05 ---- */

struct counted_wait {
    struct sill_trigger trigger;
    int returns;
};

static int count_returns(void *arg)
{
    struct counted_wait *wait = arg;
    int rc = 0;

    while (rc == 0) {
        rc = sill_suspend(&wait->trigger, SILL_NEVER);
        wait->returns++;
        sill_trigger_init(&wait->trigger, NULL, NULL);
    }
    return rc;
}

/* a task resumed many times in a round runs once. */
SILL_CASE(R, 05, a_task_resumed_many_times_runs_once)
{
    struct counted_wait wait = {.trigger = SILL_TRIGGER_INIT};
    struct sill_task *task = suite_spawn(count_returns, &wait);
    int won = 0;

    (void)sill_yield();
    for (int round = 1; round <= 100; round++) {
        for (int i = 0; i < 100; i++)
            won += sill_resume(&wait.trigger, i);
        (void)sill_yield();
        (void)sill_yield();
        ck_assert_int_eq(won, round);
        ck_assert_int_eq(wait.returns, round);
    }
    suite_cancel(task);
}

static int suspend_briefly(void *arg)
{
    struct counted_wait *wait = arg;
    int rc = sill_suspend(&wait->trigger, sill_after(SILL_MILLISECOND));

    wait->returns++;
    return rc;
}

static void wake_in_order(const int order[], void *unused)
{
    struct counted_wait wait = {.trigger = SILL_TRIGGER_INIT};
    struct sill_task *task = suite_spawn(suspend_briefly, &wait);
    bool is_collected = false;

    (void)unused;
    (void)sill_yield();
    for (int i = 0; i < 3; i++) {
        if (order[i] == 0)
            (void)sill_resume(&wait.trigger, 0);
        else if (order[i] == 1)
            is_collected = sill_cancel(task, SILL_PAST) == 0;
        else
            suite_spend_until(sill_after(SILL_MILLISECOND));
    }
    if (!is_collected)
        suite_cancel(task);
    ck_assert_int_eq(wait.returns, 1);
}

/* a resume, a cancel and the deadline, all in one round, wake it once. */
SILL_CASE(R, 05, different_wake_ups_in_one_round_run_a_task_once)
{
    suite_permute(3, wake_in_order, NULL);
}

/* ---- R-07 ---- */

static void resume_after_a_second(void *trigger)
{
    struct timespec second = {1, 0};

    (void)nanosleep(&second, NULL);
    (void)sill_resume(trigger, 0);
}

/* Waits for ever, and is resumed after a second by another thread. */
static void idle_for_a_second(void)
{
    struct sill_trigger trigger = SILL_TRIGGER_INIT;
    struct suite_thread thread;
    sill_duration cpu = suite_cpu();

    suite_thread_start(&thread, resume_after_a_second, &trigger);

    long wakeups = suite_wakeups();
    sill_time began = sill_now();

    ck_assert_int_eq(sill_suspend(&trigger, SILL_NEVER), 0);
    ck_assert_int_le(suite_wakeups() - wakeups,
                     suite_wakeups_allowed(sill_now() - began));
    suite_thread_join(&thread);
    ck_assert_int_lt(suite_cpu() - cpu, 100 * SILL_MILLISECOND);
}

/* idle for a second, no wake-ups, with nothing to wait for. */
SILL_CASE(R, 07, an_idle_loop_makes_no_wake_ups, threads)
{
    idle_for_a_second();
}

static int read_for_ever(void *stream)
{
    char byte;

    return (int)sill_stream_read(stream, &byte, 1, SILL_NEVER);
}

static int accept_for_ever(void *listener)
{
    struct sill_stream stream;

    return sill_listener_accept(listener, &stream, SILL_NEVER);
}

/* also when many wait, some of them with deadlines far away, and when
 * there is data that nobody asked for. */
SILL_CASE(R, 07, a_loop_whose_tasks_all_wait_makes_no_wake_ups, threads)
{
    enum { IDLE = 20 };
    struct sill_task *tasks[3 * IDLE + 1];
    struct suite_pair pairs[IDLE], unread;
    struct sill_listener listener;
    struct sill_address address;

    suite_listen(&listener, &address);
    suite_pair_open(&unread, SUITE_TCP);
    ck_assert_int_eq(sill_stream_write(&unread.a, "x", 1, SILL_NEVER), 1);
    for (int i = 0; i < IDLE; i++) {
        suite_pair_open(&pairs[i], (enum suite_kind)(i % SUITE_KINDS));
        tasks[3 * i] = suite_spawn(read_for_ever, &pairs[i].a);
        tasks[3 * i + 1] = suite_spawn(read_for_ever, &pairs[i].b);
        tasks[3 * i + 2] = suite_spawn(suite_sleeper, NULL);
    }
    tasks[3 * IDLE] = suite_spawn(accept_for_ever, &listener);
    suite_yield(2);
    idle_for_a_second();
    for (int i = 0; i < 3 * IDLE + 1; i++)
        suite_cancel(tasks[i]);
    for (int i = 0; i < IDLE; i++)
        suite_pair_close(&pairs[i]);
    suite_pair_close(&unread);
    sill_listener_close(&listener);
}

enum { STALE = 50 };

static struct suite_pair stale[STALE];

static int read_in_time_then_wait(void *index)
{
    intptr_t self = (intptr_t)index;
    sill_time deadline = sill_after((100 + 22 * self) * SILL_MILLISECOND);
    struct sill_trigger never = SILL_TRIGGER_INIT;
    char byte;

    if (sill_stream_read(&stale[self].a, &byte, 1, deadline) != 1)
        return SILL_EIO;
    if (self % 3 == 0)
        return 0;
    return sill_suspend(&never,
                        self % 3 == 1 ? SILL_NEVER : sill_after(SILL_MINUTE));
}

/* deadlines of 0.1 to 1.2 s that were armed, and met, do not come back;
 * their tasks have ended, wait for ever, or wait for another deadline. */
SILL_CASE(R, 07, deadlines_that_were_met_make_no_wake_ups, threads)
{
    struct sill_task *tasks[STALE];

    for (intptr_t i = 0; i < STALE; i++) {
        suite_pair_open(&stale[i], i % 2 ? SUITE_UNIX : SUITE_MEMORY);
        tasks[i] = suite_spawn(read_in_time_then_wait, (void *)i);
    }
    (void)sill_yield();
    for (int i = 0; i < STALE; i++)
        ck_assert_int_eq(sill_stream_write(&stale[i].b, "x", 1, SILL_PAST), 1);
    suite_yield(3);
    idle_for_a_second();
    for (int i = 0; i < STALE; i++) {
        suite_cancel(tasks[i]);
        suite_pair_close(&stale[i]);
    }
}

/* To the nanosecond; what getrusage says may be counted in ticks. */
static sill_duration cpu_of_thread(void)
{
    struct timespec used;

    ck_assert_int_eq(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used), 0);
    return used.tv_sec * SILL_SECOND + used.tv_nsec;
}

enum { SLEEPS = 100, TRIES = 5 };

/* Returns how many of the sleeps used a processor: each costs some 60 us of it,
 * one that spins for the last part of a millisecond mostly more than 200. */
static int count_spinning(void)
{
    sill_duration much = (sill_duration)(200e3 * suite_scale());
    int spun = 0;

    for (int i = 0; i < SLEEPS; i++) {
        sill_duration span = 1900 * SILL_MICROSECOND + i * 41000;
        sill_duration before = cpu_of_thread();

        ck_assert_int_eq(sill_sleep(sill_after(span)), 0);
        spun += cpu_of_thread() - before > much;
    }
    return spun;
}

/* waiting for a deadline uses no processor time, also in the last
 * millisecond before it, whatever the system counts in. Others may disturb a
 * try; a loop that spins does so in a fifth of the sleeps of each. */
SILL_CASE(R, 07, a_wait_for_a_deadline_does_not_spin)
{
    int least = SLEEPS;

    for (int i = 0; i < TRIES && least > SLEEPS / 10; i++) {
        int spun = count_spinning();

        least = spun < least ? spun : least;
    }
    ck_assert_int_le(least, SLEEPS / 10);
}

/* ---- shuffled ---- */

enum { RANKS = 6, ROUNDS = 4 };

struct parade {
    char order[RANKS * ROUNDS + 1];
    unsigned used;
};

static struct parade *parade; /* the present one */

static int march(void *name)
{
    for (int i = 0; i < ROUNDS; i++) {
        parade->order[parade->used++] = (char)(intptr_t)name;
        (void)sill_yield();
    }
    return 0;
}

static int march_all(void *unused)
{
    struct sill_task *tasks[RANKS];

    (void)unused;
    for (int i = 0; i < RANKS; i++)
        tasks[i] = suite_spawn(march, suite_number('a' + i));
    return sill_await_all(tasks, RANKS, NULL, SILL_NEVER);
}

static void run_parade(struct parade *self, uint64_t number)
{
    struct sill_run_options options = {.shuffle = number};

    parade = self;
    *self = (struct parade){0};
    ck_assert_int_eq(sill_run_with(&options, march_all, NULL), 0);
    ck_assert_uint_eq(self->used, RANKS * ROUNDS);
}

/* task.h, shuffle: "0: the tasks of a round run in the order in which they
 * became ready". */
SILL_CASE_OUTSIDE(R, 08, without_a_number_tasks_run_as_they_became_ready, order)
{
    struct parade self;

    run_parade(&self, 0);
    ck_assert_str_eq(self.order, "abcdefabcdefabcdefabcdef");
}

/* "Otherwise that order is drawn anew for each round": of the same tasks. */
SILL_CASE_OUTSIDE(R, 08, shuffled_round_runs_each_task_once)
{
    struct parade self;
    int repeated = 0;

    for (uint64_t number = 1; number <= 50; number++) {
        run_parade(&self, number);
        for (int round = 0; round < ROUNDS; round++) {
            const char *order = self.order + round * RANKS;

            for (int i = 0; i < RANKS; i++)
                ck_assert_ptr_nonnull(memchr(order, 'a' + i, RANKS));
            repeated += round > 0 && memcmp(order, order - RANKS, RANKS) == 0;
        }
    }
    ck_assert_int_lt(repeated, 10);
}

/* "from this number as the seed". */
SILL_CASE_OUTSIDE(R, 08, same_number_gives_the_same_order)
{
    struct parade first, second;

    for (uint64_t number = 1; number <= 50; number++) {
        run_parade(&first, number);
        run_parade(&second, number);
        ck_assert_str_eq(first.order, second.order);
    }
}

/* "what depends on it by chance does not pass every seed". */
SILL_CASE_OUTSIDE(R, 08, other_numbers_give_other_orders)
{
    static struct parade parades[100];
    int distinct = 0, firsts[RANKS] = {0};

    for (int i = 0; i < 100; i++) {
        bool is_new = true;

        run_parade(&parades[i], (uint64_t)i + 1);
        firsts[parades[i].order[0] - 'a']++;
        for (int j = 0; j < i; j++)
            is_new &= strcmp(parades[i].order, parades[j].order) != 0;
        distinct += is_new;
    }
    ck_assert_int_gt(distinct, 90);
    for (int i = 0; i < RANKS; i++)
        ck_assert_int_gt(firsts[i], 0);
}

static int marched; /* tasks that had their first turn */

static int march_once(void *unused)
{
    (void)unused;
    marched++;
    for (int i = 0; i < 10; i++)
        (void)sill_yield();
    return 0;
}

static int yield_twice(void *unused)
{
    struct sill_task *tasks[RANKS];

    (void)unused;
    for (int turn = 1; turn <= 20; turn++) {
        for (int i = 0; i < RANKS; i++)
            tasks[i] = suite_spawn(march_once, NULL);
        (void)sill_yield();
        (void)sill_yield();
        ck_assert_int_eq(marched, turn * RANKS);
        ck_assert_int_eq(sill_await_all(tasks, RANKS, NULL, SILL_NEVER), 0);
    }
    return 0;
}

/* "it takes a second sill_yield until every task that was ready has run". */
SILL_CASE_OUTSIDE(R, 08, second_yield_returns_when_all_have_run)
{
    for (uint64_t number = 1; number <= 20; number++) {
        struct sill_run_options options = {.shuffle = number};

        marched = 0;
        ck_assert_int_eq(sill_run_with(&options, yield_twice, NULL), 0);
    }
}
