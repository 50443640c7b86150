/* SPDX-License-Identifier: MIT */
/*
 * Deadlines and the clock: group D. Never early is exact; late is only ever
 * compared with suite_lateness() or suite_liveness().
 */
#include "suite.h"

#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct sill_address private_address(const char *suffix)
{
    struct sill_address address;
    char text[64];

    (void)snprintf(text, sizeof(text), "unix:@sill-deadlines-%ld-%s",
                   (long)getpid(), suffix);
    ck_assert_int_eq(sill_address_parse(&address, text), 0);
    return address;
}

/* ---- every call with a deadline, in a place where nothing ever comes ---- */

static struct place {
    struct suite_pair tcp, memory, full;
    struct sill_listener listener;
    struct sill_datagram datagram;
    int pipe[2], file;
    struct sill_watch watch;
    struct sill_task *sleeper, *stubborn;
    struct sill_scope scope, stubborn_scope;
    struct sill_trigger release[2];
} place;

static int stay(void *trigger)
{
    sill_forbid();

    int rc = sill_suspend(trigger, SILL_NEVER);

    sill_permit();
    return rc;
}

static void place_open(void)
{
    struct sill_address address;

    suite_pair_open(&place.tcp, SUITE_TCP);
    suite_pair_open(&place.memory, SUITE_MEMORY);
    suite_pair_open(&place.full, SUITE_UNIX);
    (void)suite_fill(&place.full.a);
    place.file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    ck_assert_int_ge(place.file, 0);
    suite_listen(&place.listener, &address);
    address = suite_loopback(0);
    ck_assert_int_eq(sill_datagram_open(&place.datagram, &address, NULL), 0);
    if (suite_has(SILL_CONFORMANCE_FD)) {
        ck_assert_int_eq(pipe2(place.pipe, O_CLOEXEC | O_NONBLOCK), 0);
        ck_assert_int_eq(sill_watch_open(&place.watch, place.pipe[0]), 0);
    }
    place.sleeper = suite_spawn(suite_sleeper, NULL);
    place.stubborn = suite_spawn(stay, &place.release[0]);
    sill_scope_init(&place.scope, SILL_SCOPE_COLLECT);
    ck_assert_int_eq(sill_scope_spawn(&place.scope, suite_sleeper, NULL), 0);
    sill_scope_init(&place.stubborn_scope, SILL_SCOPE_COLLECT);
    ck_assert_int_eq(
        sill_scope_spawn(&place.stubborn_scope, stay, &place.release[1]), 0);
    suite_yield(1);
}

static void place_close(void)
{
    (void)sill_resume(&place.release[0], 0);
    (void)sill_resume(&place.release[1], 0);
    suite_cancel(place.sleeper);
    ck_assert_int_eq(suite_await(place.stubborn), 0);
    ck_assert_int_eq(sill_scope_drain(&place.scope, SILL_PAST, SILL_NEVER), 0);
    ck_assert_int_eq(
        sill_scope_drain(&place.stubborn_scope, SILL_NEVER, SILL_NEVER), 0);
    sill_scope_fini(&place.scope);
    sill_scope_fini(&place.stubborn_scope);
    if (suite_has(SILL_CONFORMANCE_FD)) {
        sill_watch_close(&place.watch);
        (void)close(place.pipe[0]);
        (void)close(place.pipe[1]);
    }
    (void)close(place.file);
    sill_datagram_close(&place.datagram);
    sill_listener_close(&place.listener);
    suite_pair_close(&place.full);
    suite_pair_close(&place.memory);
    suite_pair_close(&place.tcp);
}

static int wait_suspend(sill_time deadline)
{
    struct sill_trigger trigger = SILL_TRIGGER_INIT;

    return sill_suspend(&trigger, deadline);
}

static int wait_await(sill_time deadline)
{
    return sill_await(place.sleeper, NULL, deadline);
}

static int wait_await_first(sill_time deadline)
{
    size_t index;

    return sill_await_first(&place.sleeper, 1, &index, NULL, deadline);
}

static int wait_await_all(sill_time deadline)
{
    return sill_await_all(&place.sleeper, 1, NULL, deadline);
}

static int wait_cancel(sill_time deadline)
{
    return sill_cancel(place.stubborn, deadline);
}

static int wait_next(sill_time deadline)
{
    return sill_scope_next(&place.scope, NULL, deadline);
}

static int wait_drain(sill_time deadline)
{
    return sill_scope_drain(&place.stubborn_scope, SILL_PAST, deadline);
}

static int wait_read(sill_time deadline)
{
    char byte;

    return (int)sill_stream_read(&place.tcp.a, &byte, 1, deadline);
}

static int wait_stream(sill_time deadline)
{
    return sill_stream_wait(&place.tcp.a, deadline);
}

static int wait_stream_memory(sill_time deadline)
{
    return sill_stream_wait(&place.memory.a, deadline);
}

static int wait_read_full(sill_time deadline)
{
    char byte;

    return sill_stream_read_full(&place.tcp.a, &byte, 1, NULL, deadline);
}

static int wait_read_memory(sill_time deadline)
{
    char byte;

    return (int)sill_stream_read(&place.memory.a, &byte, 1, deadline);
}

static int wait_line(sill_time deadline)
{
    struct sill_reader reader;
    char buffer[16];
    const char *line;

    sill_reader_init(&reader, &place.tcp.b, buffer, sizeof(buffer));
    return (int)sill_reader_line(&reader, &line, deadline);
}

static int wait_write(sill_time deadline)
{
    return (int)sill_stream_write(&place.full.a, "x", 1, deadline);
}

static int wait_sendfile(sill_time deadline)
{
    struct sill_stream_file file = {place.file, 0, 1};

    return (int)sill_stream_sendfile(&place.full.a, NULL, 0, &file, deadline);
}

static int wait_accept(sill_time deadline)
{
    struct sill_stream stream;

    return sill_listener_accept(&place.listener, &stream, deadline);
}

static int wait_receive(sill_time deadline)
{
    char byte;

    return (int)sill_datagram_receive(&place.datagram, &byte, 1, NULL,
                                      deadline);
}

static int wait_watch(sill_time deadline)
{
    if (!suite_has(SILL_CONFORMANCE_FD))
        return wait_suspend(deadline);
    return sill_watch_wait(&place.watch, SILL_READ, deadline);
}

static const struct {
    const char *name;
    int (*wait)(sill_time deadline);
} waits[] = {
    {"suspend", wait_suspend},
    {"await", wait_await},
    {"await_first", wait_await_first},
    {"await_all", wait_await_all},
    {"cancel", wait_cancel},
    {"scope_next", wait_next},
    {"scope_drain", wait_drain},
    {"read", wait_read},
    {"read_full", wait_read_full},
    {"read from memory", wait_read_memory},
    {"reader_line", wait_line},
    {"write", wait_write},
    {"sendfile", wait_sendfile},
    {"accept", wait_accept},
    {"receive", wait_receive},
    {"watch_wait", wait_watch},
    {"stream_wait", wait_stream},
    {"stream_wait in memory", wait_stream_memory},
};

enum { WAITS = sizeof(waits) / sizeof(waits[0]) };

/* Lengths on both sides of every unit that a timer may be rounded to. */
static const sill_duration lengths[] = {
    1,       999,     1000,    1001,    50000,   999999,  1000000,
    1000001, 1499999, 1500001, 1999999, 2000001, 3999000, 5000001,
};

enum { LENGTHS = sizeof(lengths) / sizeof(lengths[0]) };

/* ---- D-01 ---- */

/* sill_sleep: "never before" (deadline). */
SILL_CASE(D, 01, sleep_never_returns_early)
{
    bool early = false;

    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < LENGTHS; i++) {
            sill_time deadline = sill_after(lengths[i]);
            int rc = sill_sleep(deadline);

            early = early || rc != 0 || sill_now() < deadline;
        }
    }
    ck_assert(!early);
}

/* time.h: "Nothing ever ends early". */
SILL_CASE(D, 01, no_call_reports_its_deadline_early)
{
    place_open();
    for (int w = 0; w < WAITS; w++) {
        for (int i = 0; i < LENGTHS; i++) {
            sill_time deadline = sill_after(lengths[i]);
            int rc = waits[w].wait(deadline);
            sill_time now = sill_now();

            suite_note("%s", waits[w].name);
            ck_assert_int_eq(rc, SILL_ETIMEDOUT);
            ck_assert_int_ge(now, deadline);
        }
    }
    place_close();
}

static bool enough;

static int busy(void *length)
{
    while (!enough) {
        suite_spend_until(sill_after(*(sill_duration *)length));
        (void)sill_yield();
    }
    return 0;
}

static void sleep_beside(sill_duration hogs[2])
{
    struct sill_task *tasks[2] = {suite_spawn(busy, &hogs[0]),
                                  suite_spawn(busy, &hogs[1])};
    bool early = false;

    enough = false;

    for (int i = 0; i < 10 * LENGTHS; i++) {
        sill_time deadline = sill_after(lengths[i % LENGTHS]);
        int rc = sill_sleep(deadline);

        early = early || rc != 0 || sill_now() < deadline;
    }
    enough = true;
    ck_assert_int_eq(sill_await_all(tasks, 2, NULL, SILL_NEVER), 0);
    ck_assert(!early);
}

/* D-01: also while other tasks keep the loop busy. */
SILL_CASE(D, 01, sleep_is_not_early_while_others_are_busy)
{
    static sill_duration hogs[2] = {20000, 700000};

    sleep_beside(hogs);
}

/* The same when the loop looks at its deadlines all the time. */
SILL_CASE(D, 01, sleep_is_not_early_while_others_yield)
{
    static sill_duration hogs[2] = {0, 1000};

    sleep_beside(hogs);
}

/* ---- D-02 ---- */

/* D-02: every call with a deadline reports it at all. */
SILL_CASE(D, 02, every_call_meets_its_deadline)
{
    place_open();
    for (int w = 0; w < WAITS; w++) {
        sill_time deadline = sill_after(2 * SILL_MILLISECOND);

        suite_note("%s", waits[w].name);
        ck_assert_int_eq(waits[w].wait(deadline), SILL_ETIMEDOUT);
        ck_assert_int_le(sill_now() - deadline, suite_lateness());
    }
    place_close();
}

/* The same for a scope's wait, which then cancels its tasks and waits them
 * out. */
SILL_CASE(D, 02, a_scope_wait_meets_its_deadline)
{
    struct sill_scope scope;

    sill_scope_init(&scope, SILL_SCOPE_FAIL_FAST);
    ck_assert_int_eq(sill_scope_spawn(&scope, suite_sleeper, NULL), 0);

    sill_time deadline = sill_after(2 * SILL_MILLISECOND);

    ck_assert_int_eq(sill_scope_wait(&scope, deadline), SILL_ETIMEDOUT);

    sill_time now = sill_now();

    ck_assert_int_ge(now, deadline);
    ck_assert_int_le(now - deadline, suite_lateness());
    sill_scope_fini(&scope);
}

static int sleep_until(void *deadline)
{
    return sill_sleep(*(sill_time *)deadline);
}

static void resume_soon(void *trigger)
{
    struct timespec moment = {0, 5000000};

    (void)nanosleep(&moment, NULL);
    (void)sill_resume(trigger, 0);
}

/* D-02: also when it passes while a task computes that something else woke:
 * the loop was waiting for that deadline, and goes on to wait for it. */
SILL_CASE(D, 02, a_deadline_that_passes_during_an_event_is_met)
{
    for (int i = 0; i < 5; i++) {
        sill_time deadline = sill_after(20 * SILL_MILLISECOND);
        struct sill_trigger trigger = SILL_TRIGGER_INIT;
        struct suite_thread thread;
        struct sill_task *sleeper = suite_spawn(sleep_until, &deadline);

        suite_thread_start(&thread, resume_soon, &trigger);
        ck_assert_int_eq(sill_suspend(&trigger, SILL_NEVER), 0);
        suite_spend_until(deadline + SILL_MILLISECOND);
        ck_assert_int_eq(suite_await(sleeper), 0);
        ck_assert_int_lt(sill_now() - deadline, suite_liveness());
        suite_thread_join(&thread);
    }
}

/* ---- D-03 ---- */

static struct {
    sill_time deadline[100];
    int order[100], count;
} woken;

static int sleep_and_tell(void *index)
{
    int self = (int)(intptr_t)index;
    int rc = sill_sleep(woken.deadline[self]);

    woken.order[woken.count++] = self;
    return rc;
}

/*
 * Lets (count) tasks fall asleep in order and wake all at once, after the
 * thread has been kept busy beyond the last of their deadlines, which are
 * (base) + step[i]. Returns false when (base) came too soon for that.
 */
static bool sleep_together(int count, const int step[], sill_duration length)
{
    struct sill_task *tasks[100];
    sill_time base = sill_after(length);

    woken.count = 0;
    for (int i = 0; i < count; i++) {
        woken.deadline[i] = base + step[i];
        tasks[i] = suite_spawn(sleep_and_tell, (void *)(intptr_t)i);
    }
    (void)sill_yield();

    bool all_asleep = sill_now() < base;

    suite_spend_until(base + 1000);
    ck_assert_int_eq(sill_await_all(tasks, (size_t)count, NULL, SILL_NEVER), 0);
    return all_asleep;
}

/* sill_sleep: "tasks with equal deadlines wake in the order in which they fell
 * asleep". */
SILL_CASE(D, 03, equal_deadlines_wake_in_order_of_falling_asleep, order)
{
    static const int step[100];
    sill_duration length = SILL_MILLISECOND;

    while (!sleep_together(100, step, length))
        length *= 2;
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(woken.order[i], i);
}

static void check_order(const int step[], int count)
{
    for (int i = 1; i < count; i++) {
        int before = woken.order[i - 1];
        int after = woken.order[i];

        ck_assert_int_le(step[before], step[after]);
        if (step[before] == step[after])
            ck_assert_int_lt(before, after);
    }
}

static void sleep_in_order(const int order[], void *divisor)
{
    sill_duration length = SILL_MILLISECOND / 2;
    int step[5];

    for (int i = 0; i < 5; i++)
        step[i] = order[i] / *(int *)divisor;
    while (!sleep_together(5, step, length))
        length *= 2;
    check_order(step, 5);
}

/* D-03: an earlier one before a later one, by 1 ns, however they were armed. */
SILL_CASE(D, 03, an_earlier_deadline_wakes_first_in_every_order, order)
{
    static int divisor = 1;

    suite_permute(5, sleep_in_order, &divisor);
}

SILL_CASE(D, 03, equal_and_earlier_deadlines_mix_in_every_order, order)
{
    static int divisor = 2;

    suite_permute(5, sleep_in_order, &divisor);
}

static int asleep;

static int sleep_after_shorter_wait(void *index)
{
    struct sill_trigger trigger = SILL_TRIGGER_INIT;
    sill_time sooner = sill_after((5 - (intptr_t)index) * 10000);

    if (sill_suspend(&trigger, sooner) != SILL_ETIMEDOUT)
        return SILL_EIO;
    asleep++;
    return sleep_and_tell(index);
}

static bool sleep_again_in_order(sill_duration length)
{
    struct sill_task *tasks[5];
    sill_time base = sill_after(length);

    asleep = woken.count = 0;
    for (int i = 0; i < 5; i++) {
        woken.deadline[i] = base + (i * 3) % 5;
        tasks[i] = suite_spawn(sleep_after_shorter_wait, (void *)(intptr_t)i);
    }
    while (asleep < 5)
        ck_assert_int_eq(sill_sleep(sill_after(SILL_MICROSECOND)), 0);

    bool all_asleep = sill_now() < base;

    ck_assert_int_eq(sill_await_all(tasks, 5, NULL, SILL_NEVER), 0);
    return all_asleep;
}

/* The same when each task's timer has been used before, for another time. */
SILL_CASE(D, 03, order_does_not_depend_on_earlier_waits, order)
{
    sill_duration length = 2 * SILL_MILLISECOND;

    while (!sleep_again_in_order(length))
        length *= 2;
    for (int i = 1; i < 5; i++)
        ck_assert_int_lt(woken.deadline[woken.order[i - 1]],
                         woken.deadline[woken.order[i]]);
}

enum { MANY = 400 };

static struct {
    sill_time deadlines[MANY];
    int order[MANY], count;
    struct sill_task *tasks[MANY];
} crowd;

static int sleep_in_crowd(void *index)
{
    intptr_t i = (intptr_t)index;
    int rc = sill_sleep(crowd.deadlines[i]);

    if (rc == 0)
        crowd.order[crowd.count++] = (int)i;
    return rc;
}

/* Numbers that are the same in every run. */
static unsigned next_number(unsigned *state)
{
    *state = *state * 1103515245 + 12345;
    return *state >> 16 & 0x7fff;
}

/* Deadlines of all orders, of which a third is dropped before it comes; returns
 * whether all were asleep in time. */
static bool sleep_in_disorder(unsigned seed, sill_duration length)
{
    sill_time base = sill_after(length);

    crowd.count = 0;
    for (int i = 0; i < MANY; i++) {
        crowd.deadlines[i] = base + next_number(&seed) % 2000;
        crowd.tasks[i] = suite_spawn(sleep_in_crowd, (void *)(intptr_t)i);
    }
    (void)sill_yield();
    for (int i = 0; i < MANY; i++) {
        if (next_number(&seed) % 3 != 0)
            continue;
        suite_cancel(crowd.tasks[i]);
        crowd.tasks[i] = NULL;
    }

    bool all_asleep = sill_now() < base;

    suite_spend_until(base + 2000);
    for (int i = 0; i < MANY; i++)
        if (crowd.tasks[i] != NULL)
            ck_assert_int_eq(suite_await(crowd.tasks[i]), 0);
    return all_asleep;
}

/* Falls asleep in pieces, so that tasks come while others have their deadlines;
 * returns whether all were asleep in time. */
static bool sleep_as_tasks_come(sill_duration length)
{
    sill_time base = sill_after(length);

    crowd.count = 0;
    for (int i = 0; i < MANY; i++) {
        crowd.deadlines[i] = base + MANY - i;
        crowd.tasks[i] = suite_spawn(sleep_in_crowd, (void *)(intptr_t)i);
        if (i % 10 == 0)
            (void)sill_yield();
    }
    (void)sill_yield();

    bool all_asleep = sill_now() < base;

    ck_assert_int_eq(sill_await_all(crowd.tasks, MANY, NULL, SILL_NEVER), 0);
    return all_asleep;
}

/* D-03: nor does it matter how many tasks come after them. */
SILL_CASE(D, 03, deadlines_are_kept_while_more_tasks_come, order)
{
    sill_duration length = SILL_MILLISECOND;

    while (!sleep_as_tasks_come(length))
        length *= 2;
    for (int i = 0; i < MANY; i++)
        ck_assert_int_eq(crowd.order[i], MANY - 1 - i);
}

/* D-03: whatever was armed before it and dropped around it. */
SILL_CASE(D, 03, many_deadlines_wake_in_their_order, order)
{
    sill_duration length = 2 * SILL_MILLISECOND;

    for (unsigned seed = 1; seed <= 20; seed++) {
        int wrong = 0;

        suite_note("seed %u", seed);
        while (!sleep_in_disorder(seed, length))
            length *= 2;
        for (int i = 1; i < crowd.count; i++)
            wrong += crowd.deadlines[crowd.order[i - 1]] >
                     crowd.deadlines[crowd.order[i]];
        ck_assert_int_eq(wrong, 0);
    }
}

/* ---- D-04 ---- */

enum { PASTS = 5 };

static sill_time past(int which)
{
    const sill_time pasts[PASTS] = {SILL_PAST, 0, sill_now(), sill_now() - 1,
                                    sill_after(-5 * SILL_SECOND)};

    return pasts[which];
}

static int flag_raiser(void *flag)
{
    *(bool *)flag = true;
    return 0;
}

/* time.h: 'A deadline that is already past means "try once, do not wait"'. */
SILL_CASE(D, 04, with_a_past_deadline_no_call_waits)
{
    static bool others_ran;

    place_open();

    struct sill_task *other = suite_spawn(flag_raiser, &others_ran);

    for (int w = 0; w < WAITS; w++) {
        for (int i = 0; i < PASTS; i++) {
            int rc = waits[w].wait(past(i));
            bool waited = others_ran;

            suite_note("%s", waits[w].name);
            ck_assert_int_eq(rc, SILL_ETIMEDOUT);
            ck_assert(!waited);
        }
    }
    ck_assert_int_eq(suite_await(other), 0);
    place_close();
}

/* sill_sleep: "A deadline in the past returns 0 at once". */
SILL_CASE(D, 04, a_sleep_into_the_past_returns_at_once)
{
    static bool others_ran;
    struct sill_task *other = suite_spawn(flag_raiser, &others_ran);

    for (int i = 0; i < PASTS; i++)
        ck_assert_int_eq(sill_sleep(past(i)), 0);
    ck_assert(!others_ran);
    ck_assert_int_eq(suite_await(other), 0);
}

/* D-04: data that is there is returned. The second byte of one segment is
 * there once the first has been read. */
SILL_CASE(D, 04, a_past_deadline_returns_bytes_that_are_there)
{
    for (int kind = 0; kind < SUITE_KINDS; kind++) {
        struct suite_pair pair;
        char text[PASTS + 1];

        suite_pair_open(&pair, (enum suite_kind)kind);
        ck_assert_int_eq(sill_stream_write(&pair.b, "012345", 6, SILL_NEVER),
                         6);
        ck_assert_int_eq(sill_stream_read(&pair.a, text, 1, SILL_NEVER), 1);
        for (int i = 0; i < PASTS; i++) {
            ck_assert_int_eq(sill_stream_read(&pair.a, text + i, 1, past(i)),
                             1);
            ck_assert_int_eq(text[i], '1' + i);
        }
        suite_pair_close(&pair);
    }
}

/* D-04: also bytes that came after a call had found nothing, and of which the
 * loop has not heard yet. */
SILL_CASE(D, 04, a_past_deadline_returns_bytes_that_have_just_come)
{
    for (int kind = 0; kind < SUITE_KINDS; kind++) {
        struct suite_pair pair;
        char text[8];

        suite_pair_open(&pair, (enum suite_kind)kind);
        for (int i = 0; i < PASTS; i++) {
            ck_assert_int_eq(sill_stream_read(&pair.a, text, 8, past(i)),
                             SILL_ETIMEDOUT);
            ck_assert_int_eq(sill_stream_write(&pair.b, "012", 3, SILL_NEVER),
                             3);
            ck_assert_int_eq(sill_stream_read(&pair.a, text, 8, past(i)), 3);
        }
        suite_pair_close(&pair);
    }
}

/* D-04: and so is room for writing. */
SILL_CASE(D, 04, a_past_deadline_writes_where_there_is_room)
{
    for (int kind = 0; kind < SUITE_KINDS; kind++) {
        struct suite_pair pair;

        suite_pair_open(&pair, (enum suite_kind)kind);
        for (int i = 0; i < PASTS; i++)
            ck_assert_int_eq(sill_stream_write(&pair.a, "abc", 3, past(i)), 3);
        suite_pair_close(&pair);
    }
}

/* D-04: a connection that waits in the queue is accepted. */
SILL_CASE(D, 04, a_past_deadline_accepts_a_waiting_connection)
{
    struct sill_address address = private_address("listener");
    struct sill_listener listener;
    struct sill_stream near[PASTS], far[PASTS];

    ck_assert_int_eq(sill_listener_listen(&listener, &address, NULL), 0);
    for (int i = 0; i < PASTS; i++)
        ck_assert_int_eq(
            sill_stream_connect(&near[i], &address, NULL, SILL_NEVER), 0);
    for (int i = 0; i < PASTS; i++) {
        ck_assert_int_eq(sill_listener_accept(&listener, &far[i], past(i)), 0);
        sill_stream_close(&far[i]);
        sill_stream_close(&near[i]);
    }
    sill_listener_close(&listener);
}

/* D-04: a message that has come is received, and one can be sent. */
SILL_CASE(D, 04, a_past_deadline_sends_and_receives_a_message)
{
    struct sill_address here = private_address("here");
    struct sill_address there = private_address("there");
    struct sill_datagram a, b;
    char byte;

    ck_assert_int_eq(sill_datagram_open(&a, &here, NULL), 0);
    ck_assert_int_eq(sill_datagram_open(&b, &there, NULL), 0);
    for (int i = 0; i < PASTS; i++) {
        ck_assert_int_eq(sill_datagram_send(&a, "x", 1, &there, past(i)), 0);
        ck_assert_int_eq(sill_datagram_receive(&b, &byte, 1, NULL, past(i)), 1);
    }
    sill_datagram_close(&a);
    sill_datagram_close(&b);
}

/* D-04: what has ended is collected, what was resumed is seen. */
SILL_CASE(D, 04, a_past_deadline_collects_what_has_ended)
{
    struct sill_task *tasks[3];
    struct sill_scope scope;
    struct sill_trigger trigger = SILL_TRIGGER_INIT;
    size_t index;

    sill_scope_init(&scope, SILL_SCOPE_COLLECT);
    ck_assert_int_eq(sill_scope_spawn(&scope, suite_returner, NULL), 0);
    for (int i = 0; i < 3; i++)
        tasks[i] = suite_spawn(suite_returner, NULL);
    suite_yield(2);
    ck_assert_int_eq(sill_await(tasks[0], NULL, SILL_PAST), 0);
    ck_assert_int_eq(sill_await_first(&tasks[1], 1, &index, NULL, SILL_PAST),
                     0);
    ck_assert_int_eq(sill_await_all(&tasks[2], 1, NULL, SILL_PAST), 0);
    ck_assert_int_eq(sill_scope_next(&scope, NULL, SILL_PAST), 0);
    ck_assert_int_eq(sill_scope_wait(&scope, SILL_PAST), 0);
    sill_scope_fini(&scope);
    (void)sill_resume(&trigger, 0);
    ck_assert_int_eq(sill_suspend(&trigger, SILL_PAST), 0);
}

/* D-04: readiness that is there is told. */
SILL_CASE(D, 04, a_past_deadline_tells_readiness_that_is_there, fd)
{
    struct sill_watch watch;
    int ends[2];

    ck_assert_int_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    ck_assert_int_eq(sill_watch_open(&watch, ends[0]), 0);
    ck_assert_int_eq(write(ends[1], "x", 1), 1);
    for (int i = 0; i < PASTS; i++)
        ck_assert_int_eq(sill_watch_wait(&watch, SILL_READ, past(i)),
                         SILL_READ);
    sill_watch_close(&watch);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

/* ---- D-05 ---- */

/* Instants that overflow a difference, an int of ms, a time_t of 32 bits, or
 * the sum of two of them; and as much of a thousand years as there is. */
static const sill_duration extremes[] = {
    INT64_MAX,
    INT64_MAX - 1,
    INT64_MAX - 1000000,
    INT64_MAX / 2,
    INT64_MAX / 2 + 1,
    290 * 365 * 24 * 60 * SILL_MINUTE,
    (((sill_duration)1 << 31) - 1) * SILL_MILLISECOND,
    ((sill_duration)1 << 31) * SILL_MILLISECOND,
    (((sill_duration)1 << 32) + 1) * SILL_MILLISECOND,
    ((sill_duration)1 << 31) * SILL_SECOND,
    ((sill_duration)1 << 32) * SILL_SECOND,
};

enum { EXTREMES = sizeof(extremes) / sizeof(extremes[0]) };

static void resume_from_thread(void *trigger)
{
    struct timespec moment = {0, 2000000};

    /* The loop is most likely blocked by then; nothing depends on it. */
    (void)nanosleep(&moment, NULL);
    (void)sill_resume(trigger, 7);
}

/* D-05, with nothing else for the loop to wait for. */
SILL_CASE(D, 05, a_far_deadline_alone_does_not_end_the_wait, threads)
{
    for (int i = 0; i < 2 * EXTREMES; i++) {
        sill_duration extreme = extremes[i / 2];
        struct sill_trigger trigger = SILL_TRIGGER_INIT;
        struct suite_thread thread;

        suite_note("%lld", (long long)extreme);
        suite_thread_start(&thread, resume_from_thread, &trigger);
        ck_assert_int_eq(
            sill_suspend(&trigger, i % 2 ? extreme : sill_after(extreme)), 0);
        ck_assert_int_eq(sill_trigger_value(&trigger), 7);
        suite_thread_join(&thread);
    }
}

static int sleep_for_extreme(void *index)
{
    return sill_sleep(sill_after(extremes[(intptr_t)index]));
}

/* D-05, all at once and beside a short one, which is the one that ends. */
SILL_CASE(D, 05, far_deadlines_do_not_hide_a_near_one)
{
    struct sill_task *tasks[EXTREMES];

    for (int i = 0; i < EXTREMES; i++)
        tasks[i] = suite_spawn(sleep_for_extreme, (void *)(intptr_t)i);
    (void)sill_yield();
    for (int i = 0; i < 3; i++) {
        sill_time near = sill_after(SILL_MILLISECOND);

        ck_assert_int_eq(sill_sleep(near), 0);
        ck_assert_int_le(sill_now() - near, suite_lateness());
    }
    for (int i = 0; i < EXTREMES; i++) {
        ck_assert_int_eq(sill_await(tasks[i], NULL, SILL_PAST), SILL_ETIMEDOUT);
        suite_cancel(tasks[i]);
    }
}

/* sill_after: "never before now for a negative length, and SILL_NEVER where
 * the sum does not fit". */
SILL_CASE(D, 05, after_saturates)
{
    sill_time now = sill_now();

    ck_assert_int_ge(sill_after(-1), now);
    ck_assert_int_ge(sill_after(INT64_MIN), now);
    ck_assert_int_ge(sill_after(INT64_MIN + 1), now);
    ck_assert_int_ge(sill_after(0), now);
    ck_assert_int_ge(sill_after(5), now + 5);
    ck_assert(sill_after(INT64_MAX) == SILL_NEVER);
    ck_assert(sill_after(INT64_MAX - 1) == SILL_NEVER);
    ck_assert(sill_after(INT64_MAX - now - 1 + SILL_MINUTE) == SILL_NEVER);
    ck_assert(sill_after(INT64_MAX - now - SILL_MINUTE) < SILL_NEVER);
    ck_assert(sill_after(INT64_MAX - now - SILL_MINUTE) > now);
}

/* ---- D-06, D-07 ---- */

static void write_to_pipe(void *end)
{
    struct timespec moment = {0, 2000000};

    (void)nanosleep(&moment, NULL);
    (void)!write(*(int *)end, "x", 1);
}

/* D-06: while the loop is blocked on an hour, a descriptor wakes a task, which
 * arms a shorter one. */
SILL_CASE(D, 06, a_shorter_deadline_after_an_event_takes_effect, fd_threads)
{
    struct sill_task *hour = suite_spawn(suite_sleeper, NULL);
    struct sill_watch watch;
    struct suite_thread thread;
    int ends[2];

    ck_assert_int_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    ck_assert_int_eq(sill_watch_open(&watch, ends[0]), 0);
    suite_thread_start(&thread, write_to_pipe, &ends[1]);
    ck_assert_int_eq(
        sill_watch_wait(&watch, SILL_READ, sill_after(60 * SILL_MINUTE)),
        SILL_READ);

    sill_time deadline = sill_after(3 * SILL_MILLISECOND);

    ck_assert_int_eq(sill_sleep(deadline), 0);
    ck_assert_int_lt(sill_now() - deadline, suite_liveness());
    suite_thread_join(&thread);
    sill_watch_close(&watch);
    (void)close(ends[0]);
    (void)close(ends[1]);
    suite_cancel(hour);
}

static const sill_duration steps[4] = {60 * SILL_MINUTE, 6 * SILL_MILLISECOND,
                                       3 * SILL_MILLISECOND, SILL_MILLISECOND};

static int sleep_for_step(void *index)
{
    sill_time deadline = sill_after(steps[(intptr_t)index]);
    int rc = sill_sleep(deadline);

    if (rc == 0 && sill_now() - deadline > suite_lateness())
        rc = SILL_EIO;
    return rc;
}

static void sleep_for_steps(const int order[], void *unused)
{
    struct sill_task *tasks[4];

    (void)unused;
    for (int i = 0; i < 4; i++) {
        tasks[order[i]] =
            suite_spawn(sleep_for_step, (void *)(intptr_t)order[i]);
        (void)sill_yield();
    }
    for (int i = 1; i < 4; i++)
        ck_assert_int_eq(suite_await(tasks[i]), 0);
    suite_cancel(tasks[0]);
}

/* D-06: deadlines of all lengths, armed in every order. */
SILL_CASE(D, 06, deadlines_armed_in_every_order_take_effect)
{
    suite_permute(4, sleep_for_steps, NULL);
}

/* D-06: one task, whose later wait is the shorter one. */
SILL_CASE(D, 06, a_shorter_wait_after_a_longer_one_takes_effect)
{
    struct suite_pair pair;
    char byte;

    suite_pair_open(&pair, SUITE_UNIX);
    for (int i = 0; i < 3; i++) {
        sill_time hour = sill_after(60 * SILL_MINUTE);
        sill_time near = sill_after(2 * SILL_MILLISECOND);

        ck_assert_int_eq(sill_stream_write(&pair.b, "x", 1, SILL_NEVER), 1);
        ck_assert_int_eq(sill_stream_read(&pair.a, &byte, 1, hour), 1);
        ck_assert_int_eq(sill_stream_read(&pair.a, &byte, 1, near),
                         SILL_ETIMEDOUT);
        ck_assert_int_le(sill_now() - near, suite_lateness());
    }
    suite_pair_close(&pair);
}

/* D-07: the same when a resume from another thread is what wakes the task. */
SILL_CASE(D, 07, a_shorter_deadline_after_a_resume_from_a_thread, threads)
{
    struct sill_task *hour = suite_spawn(suite_sleeper, NULL);

    for (int i = 0; i < 5; i++) {
        struct sill_trigger trigger = SILL_TRIGGER_INIT;
        struct suite_thread thread;

        suite_thread_start(&thread, resume_from_thread, &trigger);
        ck_assert_int_eq(sill_suspend(&trigger, sill_after(60 * SILL_MINUTE)),
                         0);

        sill_time deadline = sill_after(3 * SILL_MILLISECOND);

        ck_assert_int_eq(sill_sleep(deadline), 0);
        ck_assert_int_lt(sill_now() - deadline, suite_liveness());
        suite_thread_join(&thread);
    }
    suite_cancel(hour);
}

/* ---- D-08 ---- */

static struct sill_trigger ball[2];

static int return_the_ball(void *turns)
{
    int rc = 0;

    for (int i = 0; i < *(int *)turns && rc == 0; i++) {
        rc = sill_suspend(&ball[0], sill_after(60 * SILL_MINUTE + i));
        sill_trigger_init(&ball[0], NULL, NULL);
        (void)sill_resume(&ball[1], 0);
    }
    return rc;
}

/* D-08: 100 000 deadlines armed and dropped, no growth. */
SILL_CASE(D, 08, deadlines_that_did_not_come_leave_nothing)
{
    static int turns = 100000;
    struct sill_task *other = suite_spawn(return_the_ball, &turns);
    long blocks = 0;
    long long mapped = 0;
    int failed = 0;

    for (int i = 0; i < turns; i++) {
        if (i == 100) {
            blocks = suite_blocks();
            mapped = suite_mapped();
        }
        (void)sill_resume(&ball[0], 0);
        failed += sill_suspend(&ball[1], sill_after(30 * SILL_MINUTE)) != 0;
        sill_trigger_init(&ball[1], NULL, NULL);
    }
    ck_assert_int_eq(failed, 0);
    ck_assert_int_eq(suite_blocks(), blocks);
    ck_assert_int_eq(suite_mapped(), mapped);
    ck_assert_int_eq(suite_await(other), 0);
}

static int sleep_for_long(void *length)
{
    return sill_sleep(sill_after((intptr_t)length * SILL_MILLISECOND));
}

static void sleepers_come_and_go(void)
{
    enum { SLEEPERS = 1000 };
    struct sill_scope scope;
    int failed = 0;

    sill_scope_init(&scope, SILL_SCOPE_COLLECT);
    for (intptr_t i = 0; i < SLEEPERS; i++)
        failed +=
            sill_scope_spawn(&scope, sleep_for_long, (void *)(100000 + i)) != 0;
    (void)sill_yield();
    failed += sill_scope_drain(&scope, SILL_PAST, SILL_NEVER) != 0;
    sill_scope_fini(&scope);
    ck_assert_int_eq(failed, 0);
}

/* D-08: a dropped deadline is gone at once, with the task that had it. */
SILL_CASE(D, 08, deadlines_of_cancelled_tasks_leave_nothing)
{
    sleepers_come_and_go();

    long blocks = suite_blocks();
    long long mapped = suite_mapped();
    long long resident = suite_resident();

    for (int i = suite_scale() > 1 ? 95 : 0; i < 100; i++)
        sleepers_come_and_go();
    ck_assert_int_eq(suite_blocks(), blocks);
    ck_assert_int_eq(suite_mapped(), mapped);
    ck_assert_int_lt(suite_resident() - resident, 16 << 20);
}

struct brief_read {
    struct suite_pair pair;
    sill_time deadline, later;
};

/* Reads a byte in time, then waits for ever, or much longer. */
static int read_then_wait(void *arg)
{
    struct brief_read *brief = arg;
    struct sill_trigger never = SILL_TRIGGER_INIT;
    char byte;

    if (sill_stream_read(&brief->pair.a, &byte, 1, brief->deadline) != 1)
        return SILL_EIO;
    return sill_suspend(&never, brief->later);
}

/* D-08: a deadline that was met does not end the waits that come after. */
SILL_CASE(D, 08, a_deadline_that_was_met_does_not_end_a_later_wait)
{
    static struct brief_read reads[2];
    struct sill_task *tasks[2];
    sill_time deadline = sill_after(100 * SILL_MILLISECOND);

    for (int i = 0; i < 2; i++) {
        reads[i].deadline = deadline;
        reads[i].later = i ? SILL_NEVER : sill_after(SILL_MINUTE);
        suite_pair_open(&reads[i].pair, SUITE_MEMORY);
        tasks[i] = suite_spawn(read_then_wait, &reads[i]);
    }
    (void)sill_yield();
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(sill_stream_write(&reads[i].pair.b, "x", 1, SILL_PAST),
                         1);
    ck_assert_int_eq(sill_sleep(deadline + 5 * SILL_MILLISECOND), 0);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(sill_await(tasks[i], NULL, SILL_PAST), SILL_ETIMEDOUT);
        suite_cancel(tasks[i]);
        suite_pair_close(&reads[i].pair);
    }
}

/* D-08: and one that did not come does not take a later one with it. */
SILL_CASE(D, 08, a_later_deadline_after_one_that_was_met_is_met)
{
    struct sill_trigger go = SILL_TRIGGER_INIT;
    struct brief_read brief = {.deadline = sill_after(20 * SILL_MILLISECOND)};
    struct sill_task *task;

    brief.later = brief.deadline + 30 * SILL_MILLISECOND;
    suite_pair_open(&brief.pair, SUITE_MEMORY);
    task = suite_spawn(read_then_wait, &brief);
    (void)sill_yield();
    ck_assert_int_eq(sill_stream_write(&brief.pair.b, "x", 1, SILL_PAST), 1);
    ck_assert_int_eq(sill_suspend(&go, brief.later + 100 * SILL_MILLISECOND),
                     SILL_ETIMEDOUT);

    int result = 0;

    ck_assert_int_eq(sill_await(task, &result, SILL_PAST), 0);
    ck_assert_int_eq(result, SILL_ETIMEDOUT);
    suite_pair_close(&brief.pair);
}

/* ---- D-09 ---- */

static int inner_times_out(void *unused)
{
    struct sill_trigger trigger = SILL_TRIGGER_INIT;

    (void)unused;

    int rc = sill_suspend(&trigger, sill_after(SILL_MILLISECOND));

    return rc == SILL_ETIMEDOUT ? 5 : SILL_EIO;
}

/* D-09: the inner deadline is the nearer one; the outer wait goes on. */
SILL_CASE(D, 09, a_near_inner_deadline_leaves_the_outer_wait_alone)
{
    struct sill_task *inner = suite_spawn(inner_times_out, NULL);
    int result = 0;

    ck_assert_int_eq(sill_await(inner, &result, sill_after(SILL_MINUTE)), 0);
    ck_assert_int_eq(result, 5);
}

/* D-09: the outer deadline is the nearer one; the inner wait goes on, with its
 * task as it was. */
SILL_CASE(D, 09, a_near_outer_deadline_leaves_the_inner_wait_alone)
{
    struct sill_trigger trigger = SILL_TRIGGER_INIT;
    struct sill_task *inner = suite_spawn(stay, &trigger);

    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(sill_await(inner, NULL, sill_after(SILL_MILLISECOND)),
                         SILL_ETIMEDOUT);
    (void)sill_resume(&trigger, 0);
    ck_assert_int_eq(suite_await(inner), 0);
}

/* ---- D-10 ---- */

/* A wait of a task, and the deadline that it had. */
struct brief {
    struct sill_trigger trigger;
    struct suite_pair pair;
    sill_time deadline;
};

static int suspend_briefly(void *arg)
{
    struct brief *brief = arg;

    brief->deadline = sill_after(10 * SILL_MILLISECOND);
    return sill_suspend(&brief->trigger, brief->deadline);
}

/* sill_suspend: "Returns 0 when it was resumed, even if the task was also
 * late". Tried again when the task was already late before the hog. */
SILL_CASE(D, 10, a_resume_before_the_loop_saw_the_deadline_wins)
{
    for (bool tried = false; !tried;) {
        struct brief brief = {.trigger = SILL_TRIGGER_INIT};
        struct sill_task *task = suite_spawn(suspend_briefly, &brief);

        (void)sill_yield();
        tried = sill_now() < brief.deadline;
        suite_spend_until(brief.deadline + 1);
        ck_assert(sill_resume(&brief.trigger, 0));

        int result = suite_await(task);

        if (tried)
            ck_assert_int_eq(result, 0);
    }
}

static int read_briefly(void *arg)
{
    struct brief *brief = arg;
    char byte;

    brief->deadline = sill_after(10 * SILL_MILLISECOND);
    return (int)sill_stream_read(&brief->pair.a, &byte, 1, brief->deadline);
}

static bool read_at_the_deadline(enum suite_kind kind)
{
    struct brief brief;

    suite_pair_open(&brief.pair, kind);

    struct sill_task *reader = suite_spawn(read_briefly, &brief);

    (void)sill_yield();
    ck_assert_int_eq(sill_stream_write(&brief.pair.b, "x", 1, SILL_PAST), 1);

    bool tried = sill_now() < brief.deadline;

    suite_spend_until(brief.deadline + 1);

    int result = suite_await(reader);

    if (tried)
        ck_assert_int_eq(result, 1);
    suite_pair_close(&brief.pair);
    return tried;
}

/* D-10: data came, then the deadline, then the loop looked at both. */
SILL_CASE(D, 10, data_that_came_before_the_deadline_is_read)
{
    while (!read_at_the_deadline(SUITE_MEMORY))
        continue;
    while (!read_at_the_deadline(SUITE_UNIX))
        continue;
}

static int end_late(void *arg)
{
    sill_time deadline = *(sill_time *)arg;
    int in_time = sill_now() < deadline;

    suite_spend_until(deadline + 1);
    return in_time;
}

/* D-10: the child ended before its parent was told of the deadline. */
SILL_CASE(D, 10, a_child_that_ended_with_the_deadline_is_collected)
{
    for (int in_time = 0; !in_time;) {
        sill_time deadline = sill_after(10 * SILL_MILLISECOND);
        struct sill_task *child = suite_spawn(end_late, &deadline);
        int rc = sill_await(child, &in_time, deadline);

        if (rc == SILL_ETIMEDOUT)
            in_time = suite_await(child);
        if (in_time)
            ck_assert_int_eq(rc, 0);
    }
}

struct race {
    struct sill_trigger trigger;
    atomic_int go;
    bool won;
};

enum { RACES = 2000 };

static struct race races[RACES];

static void resume_in_races(void *unused)
{
    (void)unused;
    for (int i = 0; i < RACES; i++) {
        while (!atomic_load(&races[i].go))
            sched_yield();
        for (volatile int spin = 0; spin < (i * 37) % 4000; spin++)
            continue;
        races[i].won = sill_resume(&races[i].trigger, i);
    }
}

/* D-10: whoever comes first; a resume that came too late for this wait is kept
 * for the next one. */
SILL_CASE(D, 10, a_resume_that_races_the_deadline_is_seen_once, threads)
{
    struct suite_thread thread;
    int lost = 0;

    suite_thread_start(&thread, resume_in_races, NULL);
    for (int i = 0; i < RACES; i++) {
        atomic_store(&races[i].go, 1);

        int rc = sill_suspend(&races[i].trigger, sill_after(i % 20 * 1000));

        if (rc == SILL_ETIMEDOUT)
            rc = sill_suspend(&races[i].trigger, SILL_NEVER);
        lost += rc != 0 || sill_trigger_value(&races[i].trigger) != i;
    }
    suite_thread_join(&thread);
    for (int i = 0; i < RACES; i++)
        lost += !races[i].won;
    ck_assert_int_eq(lost, 0);
}

/* ---- D-11 ---- */

/* D-11: a stream is usable after a read that timed out. */
SILL_CASE(D, 11, a_late_read_loses_nothing)
{
    for (int kind = 0; kind < SUITE_KINDS; kind++) {
        struct suite_pair pair;
        char text[3];

        suite_pair_open(&pair, (enum suite_kind)kind);
        for (int i = 0; i < 3; i++) {
            ck_assert_int_eq(sill_stream_read(&pair.a, text, 3,
                                              sill_after(SILL_MILLISECOND)),
                             SILL_ETIMEDOUT);
            ck_assert_int_eq(
                sill_stream_write_all(&pair.b, "abc", 3, NULL, SILL_NEVER), 0);
            ck_assert_int_eq(
                sill_stream_read_full(&pair.a, text, 3, NULL, SILL_NEVER), 0);
            ck_assert_mem_eq(text, "abc", 3);
        }
        suite_pair_close(&pair);
    }
}

static void drain_exactly(struct sill_stream *stream, size_t size)
{
    static char piece[65536];

    while (size > 0) {
        size_t want = size < sizeof(piece) ? size : sizeof(piece);
        ssize_t got = sill_stream_read(stream, piece, want, SILL_NEVER);

        ck_assert_int_gt(got, 0);
        size -= (size_t)got;
    }
}

/* More than any buffer holds. */
static char much[16 << 20];

/* Writes until it is too late, for TCP may make room once more; adds what was
 * taken to (*filled). */
static int write_until_late(struct sill_stream *stream, size_t *filled)
{
    ssize_t rc;

    while ((rc = sill_stream_write(stream, much, sizeof(much),
                                   sill_after(2 * SILL_MILLISECOND))) > 0)
        *filled += (size_t)rc;
    return (int)rc;
}

/* sill_stream_write: "with nothing taken and the stream still usable". */
SILL_CASE(D, 11, a_late_write_takes_nothing_and_the_stream_works)
{
    for (int kind = 0; kind < SUITE_KINDS; kind++) {
        struct suite_pair pair;
        char text[3];

        suite_pair_open(&pair, (enum suite_kind)kind);

        size_t filled = suite_fill(&pair.a);

        ck_assert_int_eq(write_until_late(&pair.a, &filled), SILL_ETIMEDOUT);
        drain_exactly(&pair.b, filled);
        ck_assert_int_eq(
            sill_stream_write_all(&pair.a, "abc", 3, NULL, SILL_NEVER), 0);
        ck_assert_int_eq(
            sill_stream_read_full(&pair.b, text, 3, NULL, SILL_NEVER), 0);
        ck_assert_mem_eq(text, "abc", 3);
        suite_pair_close(&pair);
    }
}

/* ---- D-12 ---- */

static int write_much(void *stream)
{
    return sill_stream_write_all(stream, much, sizeof(much), NULL, SILL_NEVER);
}

static int read_one(void *stream)
{
    char byte;

    return (int)sill_stream_read(stream, &byte, 1, SILL_NEVER);
}

/* D-12: the deadline of a read does not disturb a write on the same stream. */
SILL_CASE(D, 12, a_late_read_leaves_the_writer_waiting)
{
    for (int kind = 0; kind < SUITE_KINDS; kind++) {
        struct suite_pair pair;
        char byte;

        suite_pair_open(&pair, (enum suite_kind)kind);

        struct sill_task *writer = suite_spawn(write_much, &pair.a);

        for (int i = 0; i < 3; i++)
            ck_assert_int_eq(sill_stream_read(&pair.a, &byte, 1,
                                              sill_after(2 * SILL_MILLISECOND)),
                             SILL_ETIMEDOUT);
        ck_assert_int_eq(sill_await(writer, NULL, SILL_PAST), SILL_ETIMEDOUT);
        drain_exactly(&pair.b, sizeof(much));
        ck_assert_int_eq(suite_await(writer), 0);
        suite_pair_close(&pair);
    }
}

/* D-12: and the reverse. */
SILL_CASE(D, 12, a_late_write_leaves_the_reader_waiting)
{
    for (int kind = 0; kind < SUITE_KINDS; kind++) {
        struct suite_pair pair;

        suite_pair_open(&pair, (enum suite_kind)kind);

        size_t filled = suite_fill(&pair.a);
        struct sill_task *reader = suite_spawn(read_one, &pair.a);

        ck_assert_int_eq(write_until_late(&pair.a, &filled), SILL_ETIMEDOUT);
        ck_assert_int_eq(sill_await(reader, NULL, SILL_PAST), SILL_ETIMEDOUT);
        ck_assert_int_eq(sill_stream_write(&pair.b, "y", 1, SILL_NEVER), 1);
        ck_assert_int_eq(suite_await(reader), 1);
        suite_pair_close(&pair);
    }
}

/* ---- D-13 ---- */

static _Atomic(sill_time) latest;

static int look_at_the_clock(void *unused)
{
    int back = 0;

    (void)unused;
    for (int i = 0; i < 20000; i++) {
        sill_time before = atomic_load(&latest);
        sill_time now = sill_now();

        back += now < before;
        while (before < now &&
               !atomic_compare_exchange_weak(&latest, &before, now))
            continue;
        if (i % 100 == 0)
            (void)sill_yield();
    }
    return back;
}

struct clock_reader {
    struct suite_thread thread;
    bool in_a_loop;
    int back;
};

static void read_clock_on_thread(void *arg)
{
    struct clock_reader *reader = arg;

    reader->back = reader->in_a_loop ? sill_run(look_at_the_clock, NULL)
                                     : look_at_the_clock(NULL);
}

/* sill_now: "never goes back, on any thread", in a loop or not. */
SILL_CASE(D, 13, now_never_goes_back_across_threads, threads)
{
    struct clock_reader readers[4] = {{.in_a_loop = true},
                                      {.in_a_loop = false},
                                      {.in_a_loop = true},
                                      {.in_a_loop = false}};

    for (int i = 0; i < 4; i++)
        suite_thread_start(&readers[i].thread, read_clock_on_thread,
                           &readers[i]);
    ck_assert_int_eq(look_at_the_clock(NULL), 0);
    for (int i = 0; i < 4; i++) {
        suite_thread_join(&readers[i].thread);
        ck_assert_int_eq(readers[i].back, 0);
    }
}

/* D-13: across rounds, in all that a task does. */
SILL_CASE(D, 13, now_never_goes_back_across_rounds)
{
    sill_time before = sill_now();
    int back = 0;

    for (int i = 0; i < 300; i++) {
        if (i % 3 == 0)
            (void)sill_yield();
        else if (i % 3 == 1)
            back += sill_sleep(sill_after(i * 100)) != 0;

        sill_time now = sill_now();

        back += now < before;
        before = now;
    }
    ck_assert_int_eq(back, 0);
}

static sill_duration machine_clock(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * SILL_SECOND + now.tv_nsec;
}

static sill_duration compute(sill_duration length)
{
    sill_duration begin = machine_clock();

    while (machine_clock() - begin < length)
        continue;
    return machine_clock() - begin;
}

/* sill_now: "read anew at every call, never cached". */
SILL_CASE(D, 13, now_is_fresh_after_a_long_computation, real)
{
    for (int i = 0; i < 5; i++) {
        (void)sill_yield();

        sill_time before = sill_now();
        sill_duration length = compute(20 * SILL_MILLISECOND);

        ck_assert_int_ge(sill_now() - before, length);
    }
}

/* D-13: so a deadline armed after it is not shortened by it. */
SILL_CASE(D, 13, a_sleep_after_a_long_computation_is_whole, real)
{
    for (int i = 0; i < 5; i++) {
        (void)sill_yield();
        (void)compute(20 * SILL_MILLISECOND);

        sill_duration before = machine_clock();

        ck_assert_int_eq(sill_sleep(sill_after(5 * SILL_MILLISECOND)), 0);
        ck_assert_int_ge(machine_clock() - before, 5 * SILL_MILLISECOND);
    }
}
