/* SPDX-License-Identifier: MIT */
/*
 * Wake-ups from elsewhere: group W. Other threads and signal handlers resume
 * triggers of a loop that runs, sleeps, or ends at that very moment.
 */
#include "suite.h"

#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

/* How long the races are run; a race that is lost hangs. */
#define RACING (1500 * SILL_MILLISECOND)

/* Passes the time; not at all when (rounds) is negative. */
static void spin(int rounds)
{
    for (volatile int left = rounds; left > 0; left--)
        continue;
}

/* Lets some time pass, different each time, to shift one side of a race
 * against the other. */
static void jitter(unsigned turn, unsigned most)
{
    spin((int)(turn * 7919 % most));
}

/* Whether the thread (id) of this process sleeps in the kernel. */
static bool is_asleep(pid_t id)
{
    char path[64], text[256];
    FILE *file;

    (void)snprintf(path, sizeof(path), "/proc/self/task/%ld/stat", (long)id);
    file = fopen(path, "re");
    if (!file)
        abort();

    size_t size = fread(text, 1, sizeof(text) - 1, file);

    (void)fclose(file);
    text[size] = '\0';

    const char *end = strrchr(text, ')');

    return end && end[1] && end[2] == 'S';
}

struct waker {
    struct suite_thread thread;
    pid_t loop; /* the thread to wake, once it sleeps */
    struct sill_trigger trigger;
    sill_time resumed_at;
    bool won;
};

static void resume_the_sleeping(void *arg)
{
    struct waker *waker = arg;

    while (!is_asleep(waker->loop))
        sched_yield();
    waker->resumed_at = sill_now();
    waker->won = sill_resume(&waker->trigger, 11);
}

static sill_duration wake_once(void)
{
    struct waker waker = {.loop = gettid(), .trigger = SILL_TRIGGER_INIT};

    suite_thread_start(&waker.thread, resume_the_sleeping, &waker);

    int rc = sill_suspend(&waker.trigger, SILL_NEVER);
    sill_time now = sill_now();

    suite_thread_join(&waker.thread);
    ck_assert_int_eq(rc, 0);
    ck_assert(waker.won);
    ck_assert_int_eq(sill_trigger_value(&waker.trigger), 11);
    return now - waker.resumed_at;
}

/* sill_resume: "from any thread"; here the loop is blocked for ever. */
SILL_CASE(W, 01, a_resume_wakes_a_loop_that_is_blocked_for_ever)
{
    for (int i = 0; i < 30; i++)
        ck_assert_int_lt(wake_once(), suite_liveness());
}

/* The same for a loop that has descriptors and deadlines to wait for as well.
 */
SILL_CASE(W, 01, a_resume_wakes_a_loop_that_waits_for_other_things_too)
{
    struct sill_task *sleeper = suite_spawn(suite_sleeper, NULL);
    struct sill_listener listener;
    struct sill_address address;

    suite_listen(&listener, &address);
    for (int i = 0; i < 30; i++)
        ck_assert_int_lt(wake_once(), suite_liveness());
    sill_listener_close(&listener);
    suite_cancel(sleeper);
}

/* ---- W-02 ---- */

static void resume_now(void *trigger)
{
    (void)sill_resume(trigger, 22);
}

static int suspend_on(void *trigger)
{
    int rc = sill_suspend(trigger, SILL_NEVER);

    return rc < 0 ? rc : (int)sill_trigger_value(trigger);
}

/* W-02: a task waits, and is resumed before the loop has looked outside. */
SILL_CASE(W, 02, a_resume_before_the_first_poll_is_not_lost)
{
    struct sill_trigger trigger = SILL_TRIGGER_INIT;
    struct sill_task *task = suite_spawn(suspend_on, &trigger);
    struct suite_thread thread;

    (void)sill_yield();
    suite_thread_start(&thread, resume_now, &trigger);
    suite_thread_join(&thread);
    ck_assert_int_eq(suite_await(task), 22);
}

/* W-02: the trigger was resumed before the task came to wait. */
SILL_CASE(W, 02, a_resume_before_the_first_suspend_is_not_lost)
{
    struct sill_trigger trigger = SILL_TRIGGER_INIT;
    struct suite_thread thread;

    suite_thread_start(&thread, resume_now, &trigger);
    suite_thread_join(&thread);
    ck_assert_int_eq(suspend_on(&trigger), 22);
}

/* W-02: the trigger was resumed before there was a loop. */
SILL_CASE_OUTSIDE(W, 02, a_resume_before_the_run_is_not_lost)
{
    struct sill_trigger trigger = SILL_TRIGGER_INIT;
    struct suite_thread thread;

    suite_thread_start(&thread, resume_now, &trigger);
    suite_thread_join(&thread);
    ck_assert_int_eq(sill_run(suspend_on, &trigger), 22);
}

/* One trigger after the other; (turn) is the number of the one to resume. The
 * loop is (head) rounds behind, or the other side when that is negative. */
static struct {
    struct sill_trigger trigger;
    atomic_uint turn, turns;
    atomic_int head;
    void (*fn)(void *); /* of the other side */
} relay;

static void resume_the_relay(int number)
{
    (void)number;
    (void)sill_resume(&relay.trigger, (intptr_t)atomic_load(&relay.turn));
}

static void act_in_turn(void (*act)(int), int number)
{
    for (unsigned turn = 1; turn <= atomic_load(&relay.turns); turn++) {
        while (atomic_load(&relay.turn) != turn) {
            if (turn > atomic_load(&relay.turns))
                return;
            sched_yield();
        }
        spin(-atomic_load(&relay.head));
        jitter(turn, 3001);
        act(number);
    }
}

static void resume_in_turn(void *unused)
{
    (void)unused;
    act_in_turn(resume_the_relay, 0);
}

static int take_a_turn(void *turn)
{
    unsigned self = (unsigned)(uintptr_t)turn;

    sill_trigger_init(&relay.trigger, NULL, NULL);
    atomic_store(&relay.turn, self);
    jitter(self, 20011);

    int rc = sill_suspend(&relay.trigger, SILL_NEVER);

    return rc || sill_trigger_value(&relay.trigger) != (intptr_t)self;
}

/* W-02, as a race that every fresh loop runs once. */
SILL_CASE_OUTSIDE(W, 02, a_resume_that_races_the_first_poll_is_not_lost)
{
    struct suite_thread thread;
    int failed = 0;

    atomic_store(&relay.turns, 500);
    suite_thread_start(&thread, resume_in_turn, NULL);
    for (uintptr_t turn = 1; turn <= 500; turn++)
        failed += sill_run(take_a_turn, (void *)turn) != 0;
    suite_thread_join(&thread);
    ck_assert_int_eq(failed, 0);
}

/* ---- W-03 ---- */

/*
 * Is take_a_turn, aimed: when the loop did sleep the resume came too late, and
 * the loop gets a little behind for the next turn; when it did not, the other
 * side does. So most turns meet close to the moment when the loop blocks,
 * however long a resume or a signal is under way.
 */
static bool take_an_aimed_turn(unsigned turn)
{
    int head = atomic_load(&relay.head);
    long slept = suite_wakeups();

    sill_trigger_init(&relay.trigger, NULL, NULL);
    atomic_store(&relay.turn, turn);
    spin(head);

    int rc = sill_suspend(&relay.trigger, SILL_NEVER);

    head += suite_wakeups() > slept ? 16 : -16;
    if (abs(head) < 30000)
        atomic_store(&relay.head, head);
    return rc == 0 && sill_trigger_value(&relay.trigger) == (intptr_t)turn;
}

/* Keeps the calling thread on the first processor, or on all others: two
 * threads that take turns on one never race. */
static void stay(const cpu_set_t *all, bool on_first)
{
    cpu_set_t chosen;
    size_t first = 0;

    while (first < CPU_SETSIZE - 1 && !CPU_ISSET(first, all))
        first++;
    CPU_ZERO(&chosen);
    CPU_SET(first, &chosen);
    if (!on_first)
        CPU_XOR(&chosen, all, &chosen);
    (void)sched_setaffinity(0, sizeof(chosen), &chosen);
}

static void race_elsewhere(void *all)
{
    stay(all, false);
    relay.fn(NULL);
}

/* Aimed turns until 1 000 000 or the time for races is over, against (fn) on
 * its own thread: when the loop does fall asleep a turn costs two switches of
 * the kernel. */
static void race_the_block(void (*fn)(void *))
{
    sill_time deadline = sill_after(RACING);
    struct suite_thread thread;
    unsigned failed = 0, turn = 1;
    cpu_set_t all;

    ck_assert_int_eq(sched_getaffinity(0, sizeof(all), &all), 0);
    stay(&all, true);
    relay.fn = fn;
    atomic_store(&relay.turns, 1000000);
    suite_thread_start(&thread, race_elsewhere, &all);
    for (; turn <= 1000000 && (turn % 64 || sill_now() < deadline); turn++)
        failed += !take_an_aimed_turn(turn);
    atomic_store(&relay.turns, turn - 1);
    suite_thread_join(&thread);
    ck_assert_int_eq(failed, 0);
}

/* W-03: a resume hits the points between "nothing to do" and "blocked". */
SILL_CASE(W, 03, a_resume_that_races_the_block_is_not_lost)
{
    race_the_block(resume_in_turn);
}

static struct {
    struct sill_trigger trigger[2];
    atomic_bool over;
    unsigned turns;
} table;

/* Each side waits for its own trigger, makes it fresh, and resumes the
 * other's. The value 0 ends the game. */
static int play(void *arg)
{
    size_t side = (size_t)(uintptr_t)arg;
    sill_time deadline = sill_after(RACING);
    int rc = 0;

    for (intptr_t more = 1; more && rc == 0;) {
        rc = sill_suspend(&table.trigger[side], SILL_NEVER);
        more = sill_trigger_value(&table.trigger[side]);
        sill_trigger_init(&table.trigger[side], NULL, NULL);
        if (side == 0 && more && ++table.turns % 64 == 0)
            more = sill_now() < deadline;
        jitter(table.turns, 3001);
        if (more || side == 0)
            (void)sill_resume(&table.trigger[1 - side], more);
    }
    return rc;
}

static void play_on_thread(void *failed)
{
    *(int *)failed = sill_run(play, (void *)(uintptr_t)1);
}

/* W-03, with a loop on either side. */
SILL_CASE(W, 03, two_loops_that_resume_each_other_lose_nothing)
{
    struct suite_thread thread;
    int failed = 1;

    (void)sill_resume(&table.trigger[0], 1);
    suite_thread_start(&thread, play_on_thread, &failed);
    ck_assert_int_eq(play(NULL), 0);
    suite_thread_join(&thread);
    ck_assert_int_eq(failed, 0);
}

/* ---- W-04 ---- */

enum { FLOOD = 100000, FLOOD_TASKS = 500, FLOOD_THREADS = 8 };

static struct sill_trigger flood[FLOOD];
static atomic_int flood_wins[FLOOD];
static int flood_failed;

/* Two threads go for each trigger, from opposite ends. */
static void resume_a_quarter(void *arg)
{
    intptr_t self = (intptr_t)arg;
    int begin = (int)(self % 4) * (FLOOD / 4);

    for (int i = 0; i < FLOOD / 4; i++) {
        int at = begin + (self < 4 ? i : FLOOD / 4 - 1 - i);

        if (sill_resume(&flood[at], self + 1))
            atomic_fetch_add(&flood_wins[at], (int)self + 1);
    }
}

static int take_every_nth(void *first)
{
    int failed = 0;

    for (int i = (int)(intptr_t)first; i < FLOOD; i += FLOOD_TASKS)
        failed += sill_suspend(&flood[i], SILL_NEVER) != 0;
    flood_failed += failed;
    return 0;
}

/* W-04: 100 000 resumes from 8 threads. The sum of those who won a trigger is
 * its value only if there was exactly one of them. */
SILL_CASE(W, 04, each_of_100000_resumes_is_delivered_once)
{
    struct suite_thread threads[FLOOD_THREADS];
    struct sill_scope scope;
    int wrong = 0;

    sill_scope_init(&scope, SILL_SCOPE_FAIL_FAST);
    for (intptr_t i = 0; i < FLOOD_TASKS; i++)
        ck_assert_int_eq(sill_scope_spawn(&scope, take_every_nth, (void *)i),
                         0);
    for (intptr_t i = 0; i < FLOOD_THREADS; i++)
        suite_thread_start(&threads[i], resume_a_quarter, (void *)i);
    ck_assert_int_eq(sill_scope_wait(&scope, SILL_NEVER), 0);
    sill_scope_fini(&scope);
    for (int i = 0; i < FLOOD_THREADS; i++)
        suite_thread_join(&threads[i]);
    for (int i = 0; i < FLOOD; i++)
        wrong += sill_trigger_value(&flood[i]) != atomic_load(&flood_wins[i]);
    ck_assert_int_eq(wrong, 0);
    ck_assert_int_eq(flood_failed, 0);
}

enum { VOLLEY_THREADS = 4, VOLLEY_EACH = 8, VOLLEYS = 500 };

enum { VOLLEY = VOLLEY_THREADS * VOLLEY_EACH };

static struct sill_trigger volley[VOLLEY];
static atomic_int volleys, volley_ready;

/* All at the same moment, as far as there are processors; beyond VOLLEYS, no
 * more. */
static void fire_volleys(void *first)
{
    for (int i = 1; i <= VOLLEYS; i++) {
        atomic_fetch_add(&volley_ready, 1);
        while (atomic_load(&volleys) < i)
            sched_yield();
        if (atomic_load(&volleys) > VOLLEYS)
            return;
        for (int j = 0; j < VOLLEY_EACH; j++)
            (void)sill_resume(&volley[(intptr_t)first + j], i);
    }
}

/* W-04: of resumes by several threads at the same moment, of tasks that all
 * wait, none is lost. */
SILL_CASE(W, 04, resumes_at_the_same_moment_all_arrive)
{
    struct suite_thread threads[VOLLEY_THREADS];
    struct sill_task *tasks[VOLLEY];
    sill_time deadline = sill_after(RACING);
    int wrong = 0;

    for (intptr_t i = 0; i < VOLLEY_THREADS; i++)
        suite_thread_start(&threads[i], fire_volleys,
                           (void *)(i * VOLLEY_EACH));
    for (int i = 1; i <= VOLLEYS && sill_now() < deadline; i++) {
        while (atomic_load(&volley_ready) < i * VOLLEY_THREADS)
            sched_yield();
        for (int j = 0; j < VOLLEY; j++) {
            sill_trigger_init(&volley[j], NULL, NULL);
            tasks[j] = suite_spawn(suite_suspender, &volley[j]);
        }
        (void)sill_yield();
        atomic_store(&volleys, i);
        for (int j = 0; j < VOLLEY; j++) {
            int result = -1;

            wrong += sill_await(tasks[j], &result, SILL_NEVER) != 0;
            wrong += result != 0 || sill_trigger_value(&volley[j]) != i;
        }
    }
    atomic_store(&volleys, VOLLEYS + 1);
    for (int i = 0; i < VOLLEY_THREADS; i++)
        suite_thread_join(&threads[i]);
    ck_assert_int_eq(wrong, 0);
}

static void resume_flood_in_order(void *count)
{
    for (int i = 0; i < *(int *)count; i++)
        (void)sill_resume(&flood[i], i);
}

/* W-04: the loop takes some while more come. */
SILL_CASE(W, 04, resumes_arrive_while_the_loop_is_busy_with_earlier_ones)
{
    static int count = FLOOD;
    struct suite_thread thread;
    int failed = 0;

    suite_thread_start(&thread, resume_flood_in_order, &count);
    for (int i = 0; i < FLOOD; i++)
        failed += sill_suspend(&flood[i], SILL_NEVER) != 0 ||
                  sill_trigger_value(&flood[i]) != i;
    suite_thread_join(&thread);
    ck_assert_int_eq(failed, 0);
}

/* ---- W-05 ---- */

/* System calls of this process so far that were some kind of write. */
static long system_writes(void)
{
    FILE *file = fopen("/proc/self/io", "re");
    char line[64];
    long writes = -1;

    ck_assert_ptr_nonnull(file);
    while (writes < 0 && fgets(line, sizeof(line), file)) {
        if (strncmp(line, "syscw:", 6) == 0)
            writes = strtol(line + 6, NULL, 10);
    }
    (void)fclose(file);
    ck_assert_int_ge(writes, 0);
    return writes;
}

enum { MANY = 1000 };

/* W-05: the loop is busy while another thread resumes 1 000 tasks; a few
 * interrupts are enough for all. */
SILL_CASE(W, 05, many_resumes_at_once_cost_few_system_calls)
{
    static struct sill_task *tasks[MANY];
    static int count = MANY;
    struct suite_thread thread;

    for (int i = 0; i < MANY; i++)
        tasks[i] = suite_spawn(suspend_on, &flood[i]);
    (void)sill_yield();

    long writes = system_writes();

    suite_thread_start(&thread, resume_flood_in_order, &count);
    suite_thread_join(&thread);
    ck_assert_int_eq(sill_await_all(tasks, MANY, NULL, SILL_NEVER), 0);
    ck_assert_int_le(system_writes() - writes, 20);
}

/* W-05: and afterwards the loop rests. */
SILL_CASE(W, 05, after_many_resumes_the_loop_rests)
{
    static int count = FLOOD;
    struct suite_thread thread;
    int failed = 0;

    suite_thread_start(&thread, resume_flood_in_order, &count);
    for (int i = 0; i < FLOOD; i++)
        failed += sill_suspend(&flood[i], SILL_NEVER) != 0;
    suite_thread_join(&thread);
    ck_assert_int_eq(failed, 0);

    sill_duration cpu = suite_cpu();
    long wakeups = suite_wakeups();

    ck_assert_int_eq(sill_sleep(sill_after(300 * SILL_MILLISECOND)), 0);
    ck_assert_int_le(suite_wakeups() - wakeups, 3);
    ck_assert_int_lt(suite_cpu() - cpu, 100 * SILL_MILLISECOND);
}

/* ---- W-06 ---- */

static int compare_durations(const void *a, const void *b)
{
    sill_duration x = *(const sill_duration *)a;
    sill_duration y = *(const sill_duration *)b;

    return (x > y) - (x < y);
}

/* W-06: the middle one of 50 wake-ups takes less than 5 ms. The middle, for a
 * loop that polls shows there as well as in the mean, and a busy machine does
 * not. */
SILL_CASE(W, 06, a_wake_up_does_not_wait_for_the_next_tick)
{
    sill_duration taken[50];
    double limit = 5e6 * suite_scale();

    for (int i = 0; i < 50; i++)
        taken[i] = wake_once();
    qsort(taken, 50, sizeof(taken[0]), compare_durations);
    ck_assert(taken[25] >= 0);
    ck_assert((double)taken[25] < limit);
}

/* ---- W-07 ---- */

enum { STORM = 20000 };

static struct sill_trigger storm[STORM];
static atomic_int strikes;
static _Atomic(struct sill_trigger *) contested;
static atomic_int signal_wins;

static void resume_next_of_storm(int number)
{
    int strike = atomic_load(&strikes);

    (void)number;
    if (strike >= STORM)
        return;
    atomic_store(&strikes, strike + 1);
    (void)sill_resume(&storm[strike], strike);
    if (atomic_load(&contested) && sill_resume(atomic_load(&contested), 2))
        atomic_fetch_add(&signal_wins, 1);
}

static void handle(int number, void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler};

    ck_assert_int_eq(sigaction(number, &action, NULL), 0);
}

static int collect_the_storm(void *collected)
{
    int *count = collected;
    int rc = 0;

    while (*count < STORM && rc == 0) {
        rc = sill_suspend(&storm[*count], SILL_NEVER);
        if (rc == 0 && sill_trigger_value(&storm[*count]) != *count)
            rc = SILL_EIO;
        *count += rc == 0;
    }
    return rc;
}

/* sill_resume: "and from a signal handler", while the task runs. */
SILL_CASE(W, 07, a_handler_resumes_before_the_suspend)
{
    handle(SIGUSR1, resume_next_of_storm);
    for (int i = 0; i < 10; i++) {
        ck_assert_int_eq(raise(SIGUSR1), 0);
        ck_assert_int_eq(sill_suspend(&storm[i], SILL_PAST), 0);
        ck_assert_int_eq(sill_trigger_value(&storm[i]), i);
    }
}

/* The handler runs in one task while another one waits. */
SILL_CASE(W, 07, a_handler_resumes_a_task_that_waits)
{
    int collected = 0;
    struct sill_task *task = suite_spawn(collect_the_storm, &collected);

    handle(SIGUSR1, resume_next_of_storm);
    (void)sill_yield();
    for (int i = 1; i <= 10; i++) {
        ck_assert_int_eq(raise(SIGUSR1), 0);
        (void)sill_yield();
        (void)sill_yield();
        ck_assert_int_eq(collected, i);
    }
    suite_cancel(task);
}

struct killer {
    struct suite_thread thread;
    pid_t id;
    pthread_t loop;
    struct sill_trigger done;
};

static void strike_the_sleeping(void *arg)
{
    struct killer *killer = arg;

    while (!is_asleep(killer->id))
        sched_yield();
    (void)pthread_kill(killer->loop, SIGUSR1);
}

/* The loop's thread is blocked for ever when the signal comes. */
SILL_CASE(W, 07, a_handler_resumes_while_the_loop_is_blocked)
{
    handle(SIGUSR1, resume_next_of_storm);
    for (int i = 0; i < 30; i++) {
        struct killer killer = {.id = gettid(), .loop = pthread_self()};

        suite_thread_start(&killer.thread, strike_the_sleeping, &killer);
        ck_assert_int_eq(sill_suspend(&storm[i], SILL_NEVER), 0);
        suite_thread_join(&killer.thread);
    }
}

static pthread_t relay_loop;

static void strike_the_relay(int number)
{
    (void)pthread_kill(relay_loop, number);
}

static void strike_in_turn(void *unused)
{
    (void)unused;
    act_in_turn(strike_the_relay, SIGUSR1);
}

/* One signal at a time, which no later one makes up for, hits the points
 * between "nothing to do" and "blocked". */
SILL_CASE(W, 07, a_signal_that_races_the_block_is_not_lost)
{
    handle(SIGUSR1, resume_the_relay);
    relay_loop = pthread_self();
    race_the_block(strike_in_turn);
}

/* As many signals as one can send, until the storm or its time is over. */
static void strike_like_a_storm(void *arg)
{
    struct killer *killer = arg;
    sill_time deadline = sill_after(SILL_SECOND);

    for (unsigned i = 0; atomic_load(&strikes) < STORM && sill_now() < deadline;
         i++) {
        (void)pthread_kill(killer->loop, SIGUSR1);
        jitter(i, 3001);
    }
    (void)sill_resume(&killer->done, 0);
}

static void storm_begin(struct killer *killer)
{
    handle(SIGUSR1, resume_next_of_storm);
    killer->loop = pthread_self();
    suite_thread_start(&killer->thread, strike_like_a_storm, killer);
}

/* After the join every signal was sent; one that still waits is dropped. */
static void storm_end(struct killer *killer)
{
    suite_thread_join(&killer->thread);
    handle(SIGUSR1, SIG_IGN);
}

static struct sill_trigger bat[2];
static bool storm_is_over;

static int bat_to_and_fro(void *side)
{
    size_t self = (size_t)(uintptr_t)side;
    int rc = 0;

    while (!storm_is_over && rc == 0) {
        (void)sill_resume(&bat[1 - self], 1);
        rc = sill_suspend(&bat[self], SILL_NEVER);
        sill_trigger_init(&bat[self], NULL, NULL);
    }
    (void)sill_resume(&bat[1 - self], 1);
    return rc;
}

static int yield_on(void *unused)
{
    (void)unused;
    while (!storm_is_over)
        (void)sill_yield();
    return 0;
}

static int doze_on(void *unused)
{
    struct sill_trigger never = SILL_TRIGGER_INIT;
    int rc = SILL_ETIMEDOUT;

    (void)unused;
    for (int i = 0; !storm_is_over && rc == SILL_ETIMEDOUT; i++)
        rc = sill_suspend(&never, sill_after(i % 50 * 1000));
    return rc;
}

/* A storm of signals while tasks resume each other, yield and time out: each
 * strike is delivered once and in order, nobody else is disturbed. */
SILL_CASE(W, 07, a_storm_of_signals_loses_and_doubles_nothing)
{
    struct killer killer = {.done = SILL_TRIGGER_INIT};
    int collected = 0, results[4];
    struct sill_task *collector = suite_spawn(collect_the_storm, &collected);
    struct sill_task *tasks[4] = {
        suite_spawn(bat_to_and_fro, NULL),
        suite_spawn(bat_to_and_fro, (void *)(uintptr_t)1),
        suite_spawn(yield_on, NULL), suite_spawn(doze_on, NULL)};

    storm_begin(&killer);
    ck_assert_int_eq(sill_suspend(&killer.done, SILL_NEVER), 0);
    storm_end(&killer);
    for (int i = 0; i < STORM && collected < atomic_load(&strikes); i++)
        (void)sill_yield();
    ck_assert_int_gt(atomic_load(&strikes), 0);
    ck_assert_int_eq(collected, atomic_load(&strikes));
    storm_is_over = true;
    ck_assert_int_eq(sill_await_all(tasks, 4, results, SILL_NEVER), 0);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(results[i], 0);
    ck_assert_int_eq(results[3], SILL_ETIMEDOUT);
    suite_cancel(collector);
}

/* The same for a loop that is mostly asleep. */
SILL_CASE(W, 07, a_storm_of_signals_hits_a_sleeping_loop)
{
    struct killer killer = {.done = SILL_TRIGGER_INIT};
    int collected = 0;
    struct sill_task *collector = suite_spawn(collect_the_storm, &collected);

    storm_begin(&killer);
    ck_assert_int_eq(sill_suspend(&killer.done, SILL_NEVER), 0);
    storm_end(&killer);
    for (int i = 0; i < STORM && collected < atomic_load(&strikes); i++)
        (void)sill_yield();
    ck_assert_int_gt(atomic_load(&strikes), 0);
    ck_assert_int_eq(collected, atomic_load(&strikes));
    suite_cancel(collector);
}

static int resume_the_contested(void *wins)
{
    while (!storm_is_over) {
        if (atomic_load(&contested))
            *(int *)wins += sill_resume(atomic_load(&contested), 1);
        (void)sill_yield();
    }
    return 0;
}

/* A handler and a task resume one trigger whose task suspends, times out and
 * suspends again: exactly one of the two wins each. */
SILL_CASE(W, 07, a_handler_and_a_task_race_for_one_trigger)
{
    static struct sill_trigger prizes[STORM];
    struct killer killer = {.done = SILL_TRIGGER_INIT};
    int task_wins = 0, taken = 0, failed = 0;
    struct sill_task *rival = suite_spawn(resume_the_contested, &task_wins);

    storm_begin(&killer);
    while (taken < STORM && atomic_load(&strikes) < STORM &&
           sill_suspend(&killer.done, SILL_PAST) == SILL_ETIMEDOUT) {
        struct sill_trigger *prize = &prizes[taken++];

        atomic_store(&contested, prize);

        int rc = sill_suspend(prize, sill_after(taken % 30 * 100));

        if (rc == SILL_ETIMEDOUT)
            rc = sill_suspend(prize, SILL_NEVER);
        failed += rc != 0;
    }
    ck_assert_int_eq(sill_suspend(&killer.done, SILL_NEVER), 0);
    storm_end(&killer);
    storm_is_over = true;
    ck_assert_int_eq(suite_await(rival), 0);
    ck_assert_int_eq(failed, 0);
    ck_assert_int_eq(task_wins + atomic_load(&signal_wins), taken);
}

/* ---- W-08 ---- */

static int suspend_until_late(void *trigger)
{
    return sill_suspend(trigger, sill_after(1000));
}

/* W-08: the loop is gone, and the trigger it once used is resumed. */
SILL_CASE_OUTSIDE(W, 08, a_resume_after_the_end_is_harmless)
{
    struct sill_trigger trigger = SILL_TRIGGER_INIT;
    struct suite_thread thread;

    ck_assert_int_eq(sill_run(suspend_until_late, &trigger), SILL_ETIMEDOUT);
    suite_thread_start(&thread, resume_now, &trigger);
    suite_thread_join(&thread);
    ck_assert(!sill_resume(&trigger, 0));
    ck_assert_int_eq(sill_run(suspend_on, &trigger), 22);
}

/* Writes over what a run leaves behind on the stack, so that whoever comes late
 * finds nothing of it. */
static void __attribute__((noinline)) trample(void)
{
    volatile unsigned char junk[16384];

    for (size_t i = 0; i < sizeof(junk); i++)
        junk[i] = 0xa5;
}

/* W-08: the resume is the very thing that lets the loop end. */
SILL_CASE_OUTSIDE(W, 08, the_resume_that_ends_the_loop_may_outlive_it)
{
    struct suite_thread thread;
    sill_time deadline = sill_after(RACING);
    uintptr_t turn = 1;
    int failed = 0;

    atomic_store(&relay.turns, 100000);
    suite_thread_start(&thread, resume_in_turn, NULL);
    for (; turn <= 100000 && sill_now() < deadline; turn++) {
        failed += sill_run(take_a_turn, (void *)turn) != 0;
        trample();
    }
    atomic_store(&relay.turns, (unsigned)turn - 1);
    suite_thread_join(&thread);
    ck_assert_int_eq(failed, 0);
}

static int be_late_for_a_turn(void *turn)
{
    unsigned self = (unsigned)(uintptr_t)turn;

    sill_trigger_init(&flood[self], NULL, NULL);
    atomic_store(&relay.turn, self);
    return sill_suspend(&flood[self], sill_after(self % 40 * 1000));
}

static atomic_uint flood_returned; /* from the resume of this turn */

static void resume_flood_in_turn(void *unused)
{
    (void)unused;
    for (unsigned turn = 1; turn < 1000; turn++) {
        while (atomic_load(&relay.turn) < turn)
            sched_yield();
        if (atomic_load(&relay.turn) >= 1000)
            return;
        jitter(turn, 3001);
        if (!sill_resume(&flood[turn], 0))
            flood_failed++;
        atomic_store(&flood_returned, turn);
    }
}

/* W-08: the resume comes before, while, or after the loop ends by itself. */
SILL_CASE_OUTSIDE(W, 08, a_resume_that_races_the_end_is_harmless)
{
    struct suite_thread thread;

    suite_thread_start(&thread, resume_flood_in_turn, NULL);
    for (uintptr_t turn = 1; turn < 1000; turn++) {
        int rc = sill_run(be_late_for_a_turn, (void *)turn);

        trample();
        if (rc != 0 && rc != SILL_ETIMEDOUT)
            ck_abort_msg("turn %d returned %d", (int)turn, rc);
    }
    suite_thread_join(&thread);
    ck_assert_int_eq(flood_failed, 0);
}

static int yield_until(void *over)
{
    while (!*(bool *)over)
        (void)sill_yield();
    return 0;
}

/* Waits for its turn beside a task that keeps the loop awake. */
static int take_a_busy_turn(void *turn)
{
    unsigned self = (unsigned)(uintptr_t)turn;
    bool over = false;
    struct sill_task *busy = suite_spawn(yield_until, &over);

    sill_trigger_init(&flood[self], NULL, NULL);
    atomic_store(&relay.turn, self);

    int rc = sill_suspend(&flood[self], SILL_NEVER);

    over = true;
    return rc < 0 ? rc : suite_await(busy);
}

/* W-08: a loop that is awake takes the wake-up at once and ends by it, before
 * the resume that brought it has returned. */
SILL_CASE_OUTSIDE(W, 08, a_resume_may_outlive_a_loop_that_is_awake)
{
    struct suite_thread thread;
    sill_time deadline = sill_after(RACING);
    int failed = 0;

    suite_thread_start(&thread, resume_flood_in_turn, NULL);
    for (uintptr_t turn = 1; turn < 1000 && sill_now() < deadline; turn++) {
        failed += sill_run(take_a_busy_turn, (void *)turn) != 0;
        trample();
        while (atomic_load(&flood_returned) < turn)
            sched_yield();
    }
    atomic_store(&relay.turn, 1000);
    suite_thread_join(&thread);
    ck_assert_int_eq(failed, 0);
}
