/* SPDX-License-Identifier: MIT */
/*
 * What <sill/libevent.h> promises beside <sill/guest.h>, and what libevent's
 * own functions say of a base with a guest.
 */
#include <sill/libevent.h>
#include <sill/sill.h>

#include <check.h>
#include <event2/event.h>
#include <stdlib.h>

static struct event_base *base;
static struct sill_guest *guest;
static int dones, last_result;

static void attach(void)
{
    ck_assert_ptr_nonnull(base);
    ck_assert_int_eq(sill_libevent_attach(base, NULL, &guest), 0);
}

static void set_up(void)
{
    base = event_base_new();
    attach();
}

static void tear_down(void)
{
    if (guest)
        ck_assert_int_eq(sill_guest_detach(guest), 0);
    if (base)
        event_base_free(base);
}

static void on_done(void *arg, int result)
{
    (void)arg;
    last_result = result;
    dones++;
}

static void start(sill_task_fn *fn, void *arg)
{
    ck_assert_int_eq(sill_guest_start(guest, fn, arg, on_done, NULL), 0);
}

static int sleep_five(void *arg)
{
    (void)arg;
    return sill_sleep(sill_after(5 * SILL_MILLISECOND));
}

START_TEST(attach_needs_a_base)
{
    struct sill_guest *none = NULL;

    ck_assert_int_eq(sill_libevent_attach(NULL, NULL, &none), SILL_EINVAL);
    ck_assert_ptr_null(none);
}

END_TEST

START_TEST(detach_works_after_the_base_was_freed)
{
    start(sleep_five, NULL);
    (void)event_base_dispatch(base);
    ck_assert_int_eq(dones, 1);
    event_base_free(base);
    base = NULL;
    ck_assert_int_eq(sill_guest_detach(guest), 0);
    guest = NULL;
}

END_TEST

/* dispatch returns 1 when there is nothing to wait for. */
START_TEST(the_base_is_alive_while_a_task_is)
{
    ck_assert_int_eq(event_base_dispatch(base), 1);
    start(sleep_five, NULL);
    ck_assert_int_gt(event_base_get_num_events(base, EVENT_BASE_COUNT_ADDED),
                     0);
    ck_assert_int_eq(event_base_dispatch(base), 1);
    ck_assert_int_eq(dones, 1);
    ck_assert_int_eq(event_base_get_num_events(base, EVENT_BASE_COUNT_ADDED),
                     0);
}

END_TEST

static void on_far(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
    ck_abort_msg("the base did not return when a task had ended");
}

START_TEST(the_base_may_run_in_pieces)
{
    const struct timeval span = {30, 0};
    struct event *far = event_new(base, -1, 0, on_far, NULL);

    ck_assert_int_eq(event_add(far, &span), 0);
    start(sleep_five, NULL);
    while (sill_guest_is_busy(guest))
        (void)event_base_loop(base, EVLOOP_NONBLOCK);
    start(sleep_five, NULL);
    while (sill_guest_is_busy(guest))
        (void)event_base_loop(base, EVLOOP_ONCE);
    ck_assert_int_eq(dones, 2);
    event_free(far);
}

END_TEST

static int count(const struct event_base *its_base, const struct event *event,
                 void *arg)
{
    (void)its_base;
    (void)event;
    ++*(int *)arg;
    return 0;
}

static int events(void)
{
    int n = 0;

    (void)event_base_foreach_event(base, count, &n);
    return n;
}

START_TEST(detach_takes_our_events_only)
{
    const struct timeval span = {30, 0};
    struct event *own = event_new(base, -1, 0, on_far, NULL);

    ck_assert_int_eq(event_add(own, &span), 0);
    start(sleep_five, NULL);
    while (sill_guest_is_busy(guest))
        (void)event_base_loop(base, EVLOOP_ONCE);
    ck_assert_int_gt(events(), 1);
    ck_assert_int_eq(sill_guest_detach(guest), 0);
    guest = NULL;
    ck_assert_int_eq(events(), 1);
    ck_assert(event_pending(own, EV_TIMEOUT, NULL));
    event_free(own);
}

END_TEST

static int answer(void *arg)
{
    struct sill_stream stream;
    char byte;

    ck_assert_int_eq(sill_listener_accept(arg, &stream, SILL_NEVER), 0);
    while (sill_stream_read(&stream, &byte, 1, SILL_NEVER) == 1)
        ck_assert_int_eq(sill_stream_write(&stream, &byte, 1, SILL_NEVER), 1);
    sill_stream_close(&stream);
    return 0;
}

static void ask(const struct sill_address *address)
{
    struct sill_stream stream;
    char byte;

    ck_assert_int_eq(sill_stream_connect(&stream, address, NULL, SILL_NEVER),
                     0);
    for (int i = 0; i < 20; i++) {
        ck_assert_int_eq(sill_stream_write(&stream, "x", 1, SILL_NEVER), 1);
        ck_assert_int_eq(sill_stream_read(&stream, &byte, 1, SILL_NEVER), 1);
    }
    sill_stream_close(&stream);
}

/* The same numbers for descriptors, over and over again. */
static int converse(void *arg)
{
    struct sill_listener listener;
    struct sill_address address;

    (void)arg;
    ck_assert_int_eq(sill_address_ip(&address, "127.0.0.1", 0), 0);
    ck_assert_int_eq(sill_listener_listen(&listener, &address, NULL), 0);
    ck_assert_int_eq(sill_listener_local(&listener, &address), 0);
    for (int i = 0; i < 20; i++) {
        struct sill_task *task;

        ck_assert_int_eq(sill_spawn(answer, &listener, &task), 0);
        ask(&address);
        ck_assert_int_eq(sill_await(task, NULL, SILL_NEVER), 0);
    }
    sill_listener_close(&listener);
    return 5;
}

static void converse_on(struct event_base *other)
{
    tear_down();
    base = other;
    attach();
    start(converse, NULL);
    start(sleep_five, NULL);
    (void)event_base_dispatch(base);
    ck_assert_int_eq(last_result, 5);
}

static struct event_base *base_with(int flag, const char *avoid)
{
    struct event_config *config = event_config_new();

    ck_assert_ptr_nonnull(config);
    (void)event_config_set_flag(config, flag);
    if (avoid)
        (void)event_config_avoid_method(config, avoid);

    struct event_base *made = event_base_new_with_config(config);

    event_config_free(config);
    return made;
}

START_TEST(any_base_will_do)
{
    converse_on(base_with(0, "epoll"));
    ck_assert_str_ne(event_base_get_method(base), "epoll");
    converse_on(base_with(EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST, NULL));
    converse_on(base_with(EVENT_BASE_FLAG_NO_CACHE_TIME, NULL));
    converse_on(base_with(EVENT_BASE_FLAG_PRECISE_TIMER, NULL));
    converse_on(base_with(EVENT_BASE_FLAG_NOLOCK, NULL));
}

END_TEST

START_TEST(a_base_with_priorities_will_do)
{
    struct event_base *other = event_base_new();

    ck_assert_int_eq(event_base_priority_init(other, 3), 0);
    converse_on(other);
}

END_TEST

static bool memory_is_short;

static void *take(size_t size)
{
    return memory_is_short ? NULL : malloc(size);
}

static void *take_more(void *block, size_t size)
{
    return memory_is_short ? NULL : realloc(block, size);
}

static void find_memory(void *arg, int result)
{
    on_done(arg, result);
    memory_is_short = false;
}

/* libevent then cannot set the timer. */
START_TEST(a_task_runs_though_the_base_has_no_memory)
{
    tear_down();
    event_set_mem_functions(take, take_more, free);
    set_up();
    memory_is_short = true;
    ck_assert_int_eq(
        sill_guest_start(guest, sleep_five, NULL, find_memory, NULL), 0);
    (void)event_base_dispatch(base);
    ck_assert_int_eq(dones, 1);
    ck_assert_int_eq(last_result, 0);
    start(sleep_five, NULL);
    (void)event_base_dispatch(base);
    ck_assert_int_eq(dones, 2);
}

END_TEST

int main(void)
{
    Suite *suite = suite_create("libevent");
    TCase *its = tcase_create("attach");

    tcase_set_timeout(its, 60);
    tcase_add_checked_fixture(its, set_up, tear_down);
    tcase_add_test(its, attach_needs_a_base);
    tcase_add_test(its, detach_works_after_the_base_was_freed);
    tcase_add_test(its, the_base_is_alive_while_a_task_is);
    tcase_add_test(its, the_base_may_run_in_pieces);
    tcase_add_test(its, detach_takes_our_events_only);
    tcase_add_test(its, any_base_will_do);
    tcase_add_test(its, a_base_with_priorities_will_do);
    tcase_add_test(its, a_task_runs_though_the_base_has_no_memory);
    suite_add_tcase(suite, its);

    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_NORMAL);

    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
