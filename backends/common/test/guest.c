/* SPDX-License-Identifier: MIT */
/*
 * Guest mode, told apart only by guest.h: tasks, deadlines, descriptors and
 * wake-ups progress inside a loop that somebody else runs.
 */
#include "guest.h"

#include <sill/sill.h>

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CHECK(condition)                                                       \
    do {                                                                       \
        if (!(condition)) {                                                    \
            (void)fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__,   \
                          #condition);                                         \
            exit(1);                                                           \
        }                                                                      \
    } while (0)

static struct sill_loop *loop;
static int ticks, enough, dones, results;
static pthread_t host_thread;

static void on_tick(void)
{
    if (++ticks >= enough)
        host_tick(false);
}

static void tick_until(int count)
{
    ticks = 0;
    enough = count;
    host_tick(true);
}

static void on_done(void *arg, int result)
{
    (void)arg;
    CHECK(pthread_equal(pthread_self(), host_thread));
    CHECK(sill_self() == NULL);
    dones++;
    results += result;
}

static void start(sill_task_fn *fn, void *arg)
{
    dones = results = 0;
    CHECK(sill_core_start(loop, fn, arg, on_done, SILL_HERE) == 0);
    CHECK(dones == 0);
}

static int return_three(void *arg)
{
    (void)arg;
    return 3;
}

static void a_task_ends_and_the_host_too(void)
{
    start(return_three, NULL);
    host_run();
    CHECK(dones == 1 && results == 3);
}

static int sleep_a_while(void *arg)
{
    sill_time deadline = sill_after(30 * SILL_MILLISECOND);

    (void)arg;
    CHECK(sill_sleep(deadline) == 0);
    CHECK(sill_now() >= deadline);
    host_tick(false);
    return 1;
}

static void deadlines_and_the_hosts_timers_progress(void)
{
    tick_until(INT_MAX);
    start(sleep_a_while, NULL);
    host_run();
    CHECK(dones == 1 && results == 1);
    CHECK(ticks > 1);
}

static int answer(void *arg)
{
    struct sill_stream stream;
    char byte;
    int rc = sill_listener_accept(arg, &stream, SILL_NEVER);

    CHECK(rc == 0);
    for (int i = 0; i < 100; i++) {
        CHECK(sill_stream_read(&stream, &byte, 1, SILL_NEVER) == 1);
        CHECK(sill_stream_write(&stream, &byte, 1, SILL_NEVER) == 1);
    }
    sill_stream_close(&stream);
    return 0;
}

static void ask(const struct sill_address *address)
{
    struct sill_stream stream;
    char byte = 'x';

    CHECK(sill_stream_connect(&stream, address, NULL, SILL_NEVER) == 0);
    for (int i = 0; i < 100; i++) {
        CHECK(sill_stream_write(&stream, "y", 1, SILL_NEVER) == 1);
        CHECK(sill_stream_read(&stream, &byte, 1, SILL_NEVER) == 1);
    }
    CHECK(sill_stream_read(&stream, &byte, 1, SILL_NEVER) == 0);
    sill_stream_close(&stream);
}

static int converse(void *arg)
{
    struct sill_listener listener;
    struct sill_address address;
    struct sill_task *task;

    (void)arg;
    CHECK(sill_address_ip(&address, "127.0.0.1", 0) == 0);
    CHECK(sill_listener_listen(&listener, &address, NULL) == 0);
    CHECK(sill_listener_local(&listener, &address) == 0);
    CHECK(sill_spawn(answer, &listener, &task) == 0);
    ask(&address);
    CHECK(sill_await(task, NULL, SILL_NEVER) == 0);
    sill_listener_close(&listener);
    return 5;
}

static void descriptors_progress(void)
{
    start(converse, NULL);
    host_run();
    CHECK(dones == 1 && results == 5);
}

static void *resume_later(void *arg)
{
    struct timespec span = {0, 5000000};

    /* Long enough for the host to fall asleep, most of the time. */
    (void)nanosleep(&span, NULL);
    (void)sill_resume(arg, 7);
    return NULL;
}

static int wait_for_thread(void *arg)
{
    struct sill_trigger trigger = SILL_TRIGGER_INIT;
    pthread_t thread;

    (void)arg;
    CHECK(pthread_create(&thread, NULL, resume_later, &trigger) == 0);
    CHECK(sill_suspend(&trigger, SILL_NEVER) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    return (int)sill_trigger_value(&trigger);
}

/* A wait for another thread alone does not keep the host's loop alive; here the
 * host's timer does. */
static int wait_for_thread_ticking(void *arg)
{
    int result = wait_for_thread(arg);

    host_tick(false);
    return result;
}

static void wake_ups_from_threads_arrive(void)
{
    tick_until(INT_MAX);
    start(wait_for_thread_ticking, NULL);
    host_run();
    CHECK(dones == 1 && results == 7);
}

static void a_task_keeps_its_loop(void)
{
    start(return_three, NULL);
    CHECK(sill_core_detach(loop) == SILL_EBUSY);
    host_run();
    CHECK(dones == 1);
}

/* Overflows of the attached loop's tasks are still reported when another loop
 * of this thread has come and gone. */
static void another_loop_leaves_the_signal_stack(void)
{
    stack_t before, after;

    CHECK(sigaltstack(NULL, &before) == 0);
    CHECK(!(before.ss_flags & SS_DISABLE));
    CHECK(sill_run(return_three, NULL) == 3);
    CHECK(sigaltstack(NULL, &after) == 0);
    CHECK(!(after.ss_flags & SS_DISABLE));
    CHECK(after.ss_sp == before.ss_sp);
}

static void the_host_goes_on_alone(void)
{
    CHECK(sill_core_detach(loop) == 0);
    tick_until(3);
    host_run();
    CHECK(ticks == 3);
}

static void run_all(void)
{
    a_task_ends_and_the_host_too();
    deadlines_and_the_hosts_timers_progress();
    descriptors_progress();
    wake_ups_from_threads_arrive();
    a_task_keeps_its_loop();
    another_loop_leaves_the_signal_stack();
}

int main(void)
{
    void *host = host_open(on_tick);

    host_thread = pthread_self();
    CHECK(sill_core_attach(guest_backend, NULL, &loop) == SILL_EINVAL);
    for (int i = 0; i < 3; i++) {
        CHECK(sill_core_attach(guest_backend, host, &loop) == 0);
        run_all();
        CHECK(sill_core_detach(loop) == 0);
    }
    CHECK(sill_core_attach(guest_backend, host, &loop) == 0);
    the_host_goes_on_alone();
    host_close();
    return 0;
}
