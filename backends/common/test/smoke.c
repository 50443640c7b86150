/* SPDX-License-Identifier: MIT */
/*
 * The first things that must work on a machine, with nothing but libc: what
 * the switch, the stacks and the core owe to every task. For machines without
 * Check, cross builds and emulators; the conformance suite is the real one.
 *
 * Prints a line for each piece that holds; ends with 1 at the first that does
 * not.
 */
#include <sill/sill.h>

#include <errno.h>
#include <fenv.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MUST(condition) must(condition, #condition, __LINE__)

static void must(bool condition, const char *text, int line)
{
    if (condition)
        return;
    fprintf(stderr, "smoke.c:%d: %s\n", line, text);
    exit(1);
}

static struct sill_task *spawn(sill_task_fn *fn, void *arg)
{
    struct sill_task *task;
    MUST(sill_spawn(fn, arg, &task) == 0);
    return task;
}

static int await(struct sill_task *task)
{
    int result;
    MUST(sill_await(task, &result, SILL_NEVER) == 0);
    return result;
}

/* ---- tasks take turns ---- */

static char order[64];

static int write_thrice(void *letter)
{
    for (int i = 0; i < 3; i++) {
        strncat(order, letter, 1);
        MUST(sill_yield() == 0);
    }
    return *(char *)letter;
}

static void check_turns(void)
{
    struct sill_task *a = spawn(write_thrice, "a");
    struct sill_task *b = spawn(write_thrice, "b");
    MUST(order[0] == '\0');
    MUST(await(a) == 'a' && await(b) == 'b');
    MUST(strcmp(order, "ababab") == 0);
}

static int count_up(void *count)
{
    return ++*(int *)count;
}

static void check_many(void)
{
    int count = 0;
    for (int i = 0; i < 10000; i++)
        MUST(await(spawn(count_up, &count)) == i + 1);
}

/* ---- registers, errno and the rounding mode are each task's own ---- */

static double sum(double a, double b, double c, double d)
{
    volatile double x = a * b;
    MUST(sill_yield() == 0);
    return x + c * d;
}

static int compute(void *arg)
{
    const int rounding[] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD,
                            FE_TOWARDZERO};
    int self = *(int *)arg;
    long local = self * 1000003L;
    double result = 0;
    fesetround(rounding[self % 4]);
    for (int i = 0; i < 50; i++) {
        errno = self;
        result += sum(self, i, i, 0.5);
        MUST(errno == self);
        MUST(fegetround() == rounding[self % 4]);
        MUST(local == self * 1000003L);
    }
    MUST(result == self * 1225.0 + 612.5);
    return 0;
}

static void check_registers(void)
{
    struct sill_task *tasks[8];
    int numbers[8];
    for (int i = 0; i < 8; i++) {
        numbers[i] = i;
        tasks[i] = spawn(compute, &numbers[i]);
    }
    MUST(sill_await_all(tasks, 8, NULL, SILL_NEVER) == 0);
    MUST(fegetround() == FE_TONEAREST);
}

/* ---- stacks ---- */

static int fill_stack(void *arg)
{
    volatile char bytes[48 * 1024];
    (void)arg;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)i;
    MUST(sill_yield() == 0);
    for (size_t i = 0; i < sizeof bytes; i++)
        MUST(bytes[i] == (char)i);
    return 0;
}

static void check_stacks(void)
{
    struct sill_task *a = spawn(fill_stack, NULL);
    struct sill_task *b = spawn(fill_stack, NULL);
    MUST(await(a) == 0 && await(b) == 0);
}

/* ---- triggers, time, cancellation ---- */

static int resume(void *trigger)
{
    MUST(sill_resume(trigger, 42));
    MUST(!sill_resume(trigger, 43));
    return 0;
}

static void check_triggers(void)
{
    struct sill_trigger before = SILL_TRIGGER_INIT, after = SILL_TRIGGER_INIT;
    MUST(sill_resume(&before, 7));
    MUST(sill_suspend(&before, SILL_NEVER) == 0);
    MUST(sill_trigger_value(&before) == 7);
    struct sill_task *task = spawn(resume, &after);
    MUST(sill_suspend(&after, SILL_NEVER) == 0);
    MUST(sill_trigger_value(&after) == 42);
    MUST(await(task) == 0);
}

static void *resume_from_thread(void *trigger)
{
    sill_resume(trigger, 1);
    return NULL;
}

static void check_threads(void)
{
    for (int i = 0; i < 100; i++) {
        struct sill_trigger trigger = SILL_TRIGGER_INIT;
        pthread_t thread;
        MUST(!pthread_create(&thread, NULL, resume_from_thread, &trigger));
        MUST(sill_suspend(&trigger, SILL_NEVER) == 0);
        pthread_join(thread, NULL);
    }
}

static void check_time(void)
{
    struct sill_trigger never = SILL_TRIGGER_INIT;
    sill_time deadline = sill_after(5 * SILL_MILLISECOND);
    MUST(sill_suspend(&never, deadline) == SILL_ETIMEDOUT);
    MUST(sill_now() >= deadline);
    MUST(sill_suspend(&never, SILL_PAST) == SILL_ETIMEDOUT);
    deadline = sill_after(SILL_MILLISECOND);
    MUST(sill_sleep(deadline) == 0);
    MUST(sill_now() >= deadline);
}

static int sleep_for_ever(void *result)
{
    *(int *)result = sill_sleep(SILL_NEVER);
    return 0;
}

static int sleep_below(void *result)
{
    struct sill_task *task = spawn(sleep_for_ever, result);
    return sill_await(task, NULL, SILL_NEVER);
}

static void check_cancel(void)
{
    int result = 0;
    struct sill_task *task = spawn(sleep_below, &result);
    for (int i = 0; i < 3; i++)
        MUST(sill_yield() == 0);
    MUST(sill_cancel(task, SILL_NEVER) == 0);
    MUST(result == SILL_ECANCELED);
}

/* ---- the outside world ---- */

static int echo(void *listener)
{
    struct sill_stream stream;
    char bytes[512];
    int e = sill_listener_accept(listener, &stream, SILL_NEVER);
    if (e < 0)
        return e;
    ssize_t n;
    while ((n = sill_stream_read(&stream, bytes, sizeof bytes, SILL_NEVER)) > 0)
        MUST(sill_stream_write_all(&stream, bytes, (size_t)n, NULL,
                                   SILL_NEVER) == 0);
    sill_stream_close(&stream);
    return (int)n;
}

static void check_streams(void)
{
    struct sill_listener listener;
    struct sill_stream stream;
    struct sill_address address;
    char bytes[16];
    MUST(sill_address_ip(&address, "127.0.0.1", 0) == 0);
    MUST(sill_listener_listen(&listener, &address, NULL) == 0);
    MUST(sill_listener_local(&listener, &address) == 0);
    struct sill_task *task = spawn(echo, &listener);
    MUST(sill_stream_connect(&stream, &address, NULL, SILL_NEVER) == 0);
    for (int i = 0; i < 100; i++) {
        memset(bytes, i, sizeof bytes);
        MUST(sill_stream_write_all(&stream, bytes, sizeof bytes, NULL,
                                   SILL_NEVER) == 0);
        MUST(sill_stream_read_full(&stream, bytes, sizeof bytes, NULL,
                                   SILL_NEVER) == 0);
        MUST(bytes[0] == i && bytes[15] == i);
    }
    sill_stream_close(&stream);
    MUST(await(task) == 0);
    sill_listener_close(&listener);
}

/* All bytes are filled, and none beside them: that one stays 0 without cause
 * happens once in 2^71 times. */
static void check_random(void)
{
    unsigned char once[300] = {0}, seen[300] = {0};

    for (int i = 0; i < 10; i++) {
        MUST(sill_random_fill(once + 1, 298) == 0);
        for (size_t at = 0; at < sizeof once; at++)
            seen[at] |= once[at];
    }
    MUST(seen[0] == 0 && seen[299] == 0);
    for (size_t at = 1; at < 299; at++)
        MUST(seen[at] != 0);
}

static int check_all(void *arg)
{
    static const struct {
        const char *name;
        void (*check)(void);
    } pieces[] = {
        {"turns", check_turns},         {"many", check_many},
        {"registers", check_registers}, {"stacks", check_stacks},
        {"triggers", check_triggers},   {"threads", check_threads},
        {"time", check_time},           {"cancel", check_cancel},
        {"streams", check_streams},     {"random", check_random},
    };

    (void)arg;
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        pieces[i].check();
        printf("%s\n", pieces[i].name);
    }
    return 0;
}

int main(void)
{
    MUST(sill_self() == NULL);
    MUST(sill_run(check_all, NULL) == 0);
    return 0;
}
