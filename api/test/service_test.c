/* SPDX-License-Identifier: MIT */
/*
 * service_test.c: what <sill/service.h> promises to those who write servers.
 */
#include "service_kit.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define PEERS 40

static void await_trigger(struct sill_trigger *trigger)
{
    ck_assert_int_eq(sill_suspend(trigger, kit_soon()), 0);
}

/* ---- good days ---- */

CASE(each_connection_is_a_task)
{
    struct kit kit = {0};
    struct sill_stream a, b;
    kit_start(&kit);
    peer_open(&a, &kit, "w");
    await_trigger(&arrived);
    peer_open(&b, &kit, "b");
    peer_expect(&b, "b");
    sill_resume(&gate, 0);
    peer_expect(&a, "w");
    sill_stream_close(&a);
    sill_stream_close(&b);
    ck_assert_int_eq(kit_stop(&kit), 0);
    ck_assert_int_eq(said.begun, 2);
    ck_assert_int_eq(said.run, 2);
    ck_assert_int_eq(said.drained, 1);
    ck_assert_int_eq(said.starved, 0);
    return 0;
}

CASE(a_walk_meets_all_connections)
{
    struct kit kit = {0};
    struct sill_stream peers[3];
    struct sill_connection *c = NULL;
    int met = 0;
    kit_start(&kit);
    for (int i = 0; i < 3; i++) {
        peer_open(&peers[i], &kit, "x");
        peer_expect(&peers[i], "x");
    }
    sill_stream_close(&peers[1]);
    while (kit.service.open > 2)
        ck_assert_int_eq(sill_yield(), 0);
    while ((c = sill_service_next(&kit.service, c)) != NULL) {
        ck_assert_ptr_eq(c->service, &kit.service);
        met++;
    }
    ck_assert_int_eq(met, 2);
    sill_stream_close(&peers[0]);
    sill_stream_close(&peers[2]);
    return kit_stop(&kit);
}

CASE(others_have_their_turn_while_many_come)
{
    struct kit kit = {0};
    struct sill_stream peers[PEERS];
    kit_listen(&kit);
    for (int i = 0; i < PEERS; i++)
        peer_open(&peers[i], &kit, "x");
    kit_run(&kit);
    for (int i = 0; i < PEERS; i++) {
        peer_expect(&peers[i], "x");
        sill_stream_close(&peers[i]);
    }
    ck_assert_int_eq(said.begun, PEERS);
    ck_assert_int_le(said.begun_at_first_run, 16);
    return kit_stop(&kit);
}

CASE(more_connections_than_the_bound_wait)
{
    struct kit kit = {.service.connections_max = 2};
    struct sill_stream peers[6];
    kit_listen(&kit);
    for (int i = 0; i < 6; i++)
        peer_open(&peers[i], &kit, "x");
    kit_run(&kit);
    for (int i = 0; i < 6; i++) {
        peer_expect(&peers[i], "x");
        sill_stream_close(&peers[i]);
    }
    ck_assert_int_eq(said.most, 2);
    return kit_stop(&kit);
}

CASE(a_service_may_run_again)
{
    struct kit kit = {0};
    struct sill_stream peer;
    for (int i = 0; i < 2; i++) {
        kit_start(&kit);
        peer_open(&peer, &kit, "x");
        peer_expect(&peer, "x");
        ck_assert_int_eq(kit_stop(&kit), 0);
        peer_expect_end(&peer);
    }
    return 0;
}

CASE(most_of_what_a_protocol_does_is_optional)
{
    struct kit kit = {.service.ops = &least_ops};
    struct sill_stream peer;
    blocks_watch();
    kit_start(&kit);
    ck_assert_int_eq(sill_yield(), 0);
    peer_open(&peer, &kit, "x");
    blocks_fail(1);
    while (!blocks_failed())
        ck_assert_int_eq(sill_yield(), 0);
    peer_expect(&peer, "x");
    ck_assert_int_eq(kit_stop(&kit), 0);
    peer_expect_end(&peer);
    return 0;
}

/* ---- the end ---- */

CASE(what_has_arrived_is_served_before_the_end)
{
    struct kit kit = {0};
    struct sill_stream idle, early, late;
    kit_start(&kit);
    peer_open(&idle, &kit, "x");
    peer_expect(&idle, "x");
    peer_open(&early, &kit, "x");
    peer_expect(&early, "x");
    peer_open(&late, &kit, "l");
    peer_say(&early, "e");
    ck_assert_int_eq(kit_stop(&kit), 0);
    peer_expect(&late, "l");
    peer_expect(&early, "e");
    peer_expect_end(&late);
    peer_expect_end(&early);
    peer_expect_end(&idle);
    return 0;
}

/* The loop has looked at nothing between the byte and the end. */
CASE(idle_connections_may_look_before_they_are_ended)
{
    struct kit kit = {0};
    struct sill_stream peer, idle;
    kit_start(&kit);
    peer_open(&peer, &kit, "x");
    peer_open(&idle, &kit, "x");
    peer_expect(&peer, "x");
    peer_expect(&idle, "x");
    peer_say(&peer, "y");
    sill_listener_close(&kit.listener);
    ck_assert_int_eq(kit_join(&kit), 0);
    peer_expect(&peer, "y");
    peer_expect_end(&peer);
    peer_expect_end(&idle);
    ck_assert_int_ge(said.ended, 1);
    return 0;
}

CASE(connections_that_have_arrived_are_taken_before_the_end)
{
    struct kit kit = {0};
    struct sill_stream peers[PEERS];
    kit_start(&kit);
    ck_assert_int_eq(sill_yield(), 0);
    for (int i = 0; i < PEERS; i++)
        peer_open(&peers[i], &kit, "x");
    ck_assert_int_eq(kit_stop(&kit), 0);
    for (int i = 0; i < PEERS; i++) {
        peer_expect(&peers[i], "x");
        peer_expect_end(&peers[i]);
    }
    return 0;
}

CASE(a_deadline_ends_the_service)
{
    for (int i = 0; i < 2; i++) {
        struct kit kit = {.deadline = i == 0 ? SILL_PAST
                                             : sill_after(SILL_MILLISECOND)};
        struct sill_stream peer;
        kit_listen(&kit);
        peer_open(&peer, &kit, "x");
        kit_run(&kit);
        ck_assert_int_eq(kit_join(&kit), 0);
        peer_expect(&peer, "x");
        peer_expect_end(&peer);
        ck_assert_int_eq(said.drained, 1);
    }
    return 0;
}

/* The only connection waits for the drain. */
CASE(a_deadline_ends_a_crowded_service)
{
    struct kit kit = {.service = {.connections_max = 1, .arg = &gate}};
    struct sill_stream a, b;
    kit_listen(&kit);
    kit.deadline = sill_after(20 * SILL_MILLISECOND);
    peer_open(&a, &kit, "w");
    kit_run(&kit);
    peer_open(&b, &kit, "x");
    ck_assert_int_eq(kit_join(&kit), 0);
    ck_assert_int_eq(said.seen, 0);
    ck_assert_int_eq(said.begun, 1);
    peer_expect(&a, "w");
    peer_expect_end(&a);
    peer_leave(&b);
    return 0;
}

/* ... or does not even that. */
CASE(a_stop_ends_a_crowded_service)
{
    for (int i = 0; i < 2; i++) {
        struct kit kit = {.service = {.connections_max = 1}};
        struct sill_stream a, b;
        kit.service.arg = i == 0 ? &gate : NULL;
        kit.service.grace = i == 0 ? 600 * SILL_SECOND : SILL_MILLISECOND;
        kit_start(&kit);
        peer_open(&a, &kit, "w");
        peer_open(&b, &kit, "x");
        await_trigger(&arrived);
        ck_assert_int_eq(kit_stop(&kit), 0);
        ck_assert_int_eq(said.seen, i == 0 ? 0 : SILL_ECANCELED);
        peer_leave(&a);
        peer_leave(&b);
    }
    return 0;
}

CASE(what_is_left_after_the_grace_is_cancelled)
{
    struct kit kit = {.service.grace = SILL_MILLISECOND};
    struct sill_stream peer;
    kit_start(&kit);
    peer_open(&peer, &kit, "w");
    await_trigger(&arrived);
    ck_assert_int_eq(kit_stop(&kit), 0);
    ck_assert_int_eq(said.seen, SILL_ECANCELED);
    peer_leave(&peer);
    return 0;
}

CASE(connections_in_hand_have_the_grace_to_end)
{
    struct kit kit = {.service.grace = 600 * SILL_SECOND};
    struct sill_stream peer;
    struct sill_address address;
    kit_start(&kit);
    peer_open(&peer, &kit, "w");
    await_trigger(&arrived);
    sill_resume(&kit.stop, 0);
    while (sill_listener_local(&kit.listener, &address) == 0)
        ck_assert_int_eq(sill_sleep(sill_after(SILL_MILLISECOND)), 0);
    sill_resume(&gate, 0);
    ck_assert_int_eq(kit_join(&kit), 0);
    ck_assert_int_eq(said.seen, 0);
    peer_expect(&peer, "w");
    peer_expect_end(&peer);
    return 0;
}

CASE(a_caller_that_is_cancelled_cancels_all)
{
    struct kit kit = {0};
    struct sill_stream a, b;
    kit_start(&kit);
    peer_open(&a, &kit, "w");
    await_trigger(&arrived);
    peer_open(&b, &kit, "x");
    peer_expect(&b, "x");
    ck_assert_int_eq(sill_cancel(kit.task, kit_soon()), 0);
    ck_assert_int_eq(kit.result, SILL_ECANCELED);
    ck_assert_int_eq(said.seen, SILL_ECANCELED);
    ck_assert_uint_eq(kit.service.open, 0);
    ck_assert_int_eq(said.opened, said.closed);
    peer_leave(&a);
    peer_leave(&b);
    return 0;
}

static int run_cancelled(void *arg)
{
    struct kit *kit = arg;
    int rc = sill_suspend(&gate, SILL_NEVER);
    ck_assert_int_eq(rc, SILL_ECANCELED);
    kit->service.ops = &all_ops;
    rc = sill_service_run(&kit->service, &kit->listener, SILL_NEVER);
    ck_assert_int_eq(rc, SILL_ECANCELED);
    return 0;
}

CASE(a_cancelled_caller_says_so)
{
    struct kit kit = {0};
    struct sill_address address;
    kit_listen(&kit);
    ck_assert_int_eq(sill_spawn(run_cancelled, &kit, &kit.task), 0);
    ck_assert_int_eq(sill_yield(), 0);
    ck_assert_int_eq(sill_cancel(kit.task, kit_soon()), 0);
    ck_assert_int_eq(sill_listener_local(&kit.listener, &address),
                     SILL_ECLOSED);
    return 0;
}

static int beside(void *arg)
{
    int *runs = arg;
    ++*runs;
    return sill_suspend(&gate, SILL_NEVER);
}

static int end_badly(void *arg)
{
    (void)arg;
    return SILL_EIO;
}

CASE(tasks_beside_the_connections_end_with_them)
{
    struct kit kit = {.service.grace = SILL_MILLISECOND};
    struct sill_stream peer;
    int runs = 0;
    kit_start(&kit);
    peer_open(&peer, &kit, "x");
    peer_expect(&peer, "x");
    ck_assert_int_eq(sill_scope_spawn(&kit.service.scope, beside, &runs), 0);
    ck_assert_int_eq(
        sill_scope_spawn(&kit.service.scope, end_badly, &kit.service), 0);
    peer_say(&peer, "y");
    peer_expect(&peer, "y");
    ck_assert_int_eq(kit_stop(&kit), 0);
    peer_expect_end(&peer);
    ck_assert_int_eq(runs, 1);
    return 0;
}

/* ---- bad days ---- */

CASE(a_lack_of_descriptors_delays_new_connections)
{
    struct kit kit = {0};
    struct sill_stream old, new;
    struct rlimit limit, tight;
    int held[256], count = 0;
    kit_start(&kit);
    peer_open(&old, &kit, "x");
    peer_expect(&old, "x");
    getrlimit(RLIMIT_NOFILE, &limit);
    tight = limit;
    tight.rlim_cur = 256;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &tight), 0);
    while ((held[count] = dup(0)) >= 0)
        count++;
    ck_assert_int_gt(count, 0);
    close(held[--count]); /* one for the peer, none for the service */
    peer_open(&new, &kit, "n");
    while (said.starved < 2) {
        peer_say(&old, "x");
        peer_expect(&old, "x");
        ck_assert_int_eq(sill_sleep(sill_after(SILL_MILLISECOND)), 0);
    }
    ck_assert_int_eq(said.missing, SILL_EMFILE);
    while (count > 0)
        close(held[--count]);
    setrlimit(RLIMIT_NOFILE, &limit);
    peer_expect(&new, "n");
    sill_stream_close(&old);
    sill_stream_close(&new);
    return kit_stop(&kit);
}

CASE(a_starved_service_stops_all_the_same)
{
    struct kit kit = {0};
    struct sill_stream peers[2];
    blocks_watch();
    kit_start(&kit);
    peer_open(&peers[0], &kit, "x");
    peer_expect(&peers[0], "x");
    peer_open(&peers[1], &kit, "x");
    while (said.starved == 0) {
        blocks_fail(1);
        ck_assert_int_eq(sill_yield(), 0);
        if (said.begun == 2)
            break;
    }
    blocks_fail(0);
    ck_assert_int_eq(kit_stop(&kit), 0);
    peer_leave(&peers[0]);
    peer_leave(&peers[1]);
    return 0;
}

/* A peer's whole visit; its failures do not matter. Returns whether it was
 * served. */
static int visit(void *arg)
{
    const struct kit *kit = arg;
    struct sill_stream stream;
    char byte = 'v';
    int rc = sill_stream_connect(&stream, &kit->address, NULL, kit_soon());
    if (rc != 0)
        return rc;
    ssize_t got = sill_stream_write(&stream, &byte, 1, kit_soon());
    if (got == 1)
        got = sill_stream_read(&stream, &byte, 1, kit_soon());
    sill_stream_close(&stream);
    ck_assert_int_ne(got, SILL_ETIMEDOUT);
    return got == 1;
}

CASE(any_allocation_may_fail)
{
    struct kit kit = {0};
    struct sill_stream bystander;
    int n = 0, result = 0;
    blocks_watch();
    kit_start(&kit);
    peer_open(&bystander, &kit, "x");
    peer_expect(&bystander, "x");
    for (bool failed = true; failed;) {
        struct sill_task *task;
        blocks_fail(++n);
        int rc = sill_spawn(visit, &kit, &task);
        if (rc == 0)
            ck_assert_int_eq(sill_await(task, &result, kit_soon()), 0);
        failed = blocks_failed();
        blocks_fail(0);
        ck_assert(failed || (rc == 0 && result == 1));
        peer_say(&bystander, "x");
        peer_expect(&bystander, "x");
    }
    ck_assert_int_gt(n, 2);
    ck_assert_int_gt(said.starved, 0);
    ck_assert_int_eq(said.missing, SILL_ENOMEM);
    sill_stream_close(&bystander);
    return kit_stop(&kit);
}

static int idle(void *unused)
{
    struct sill_trigger never = SILL_TRIGGER_INIT;
    (void)unused;
    return sill_suspend(&never, SILL_NEVER);
}

/* Runs with room for so many more tasks and no more memory. */
static int run_without_memory(struct kit *kit, int tasks)
{
    struct sill_task *spare[2];
    struct sill_scope scope;
    int rc = 0;
    sill_scope_init(&scope, SILL_SCOPE_COLLECT);
    for (int i = 0; i < tasks; i++)
        ck_assert_int_eq(sill_spawn(idle, NULL, &spare[i]), 0);
    while (rc == 0) {
        blocks_fail(1);
        rc = sill_scope_spawn(&scope, idle, NULL);
    }
    for (int i = 0; i < tasks; i++)
        sill_cancel(spare[i], SILL_NEVER);
    blocks_fail(1);
    kit->service.ops = &all_ops;
    kit->service.stop = &kit->stop;
    rc = sill_service_run(&kit->service, &kit->listener, SILL_NEVER);
    blocks_fail(0);
    sill_scope_cancel(&scope);
    (void)!sill_scope_wait(&scope, SILL_NEVER);
    sill_scope_fini(&scope);
    return rc;
}

CASE(a_service_that_cannot_begin_says_so)
{
    blocks_watch();
    for (int tasks = 0; tasks < 2; tasks++) {
        struct kit kit = {0};
        struct sill_address address;
        kit_listen(&kit);
        ck_assert_int_eq(run_without_memory(&kit, tasks), SILL_ENOMEM);
        ck_assert_int_eq(sill_listener_local(&kit.listener, &address),
                         SILL_ECLOSED);
        ck_assert_int_eq(said.opened, said.closed);
    }
    return 0;
}

START_TEST(a_service_needs_a_task)
{
    struct sill_service service = {.ops = &all_ops};
    struct sill_listener listener = {0};
    ck_assert_int_eq(sill_service_run(&service, &listener, SILL_NEVER),
                     SILL_ENOTASK);
}

END_TEST

/* ---- at any step ---- */

static void end_at(int steps, bool cancels)
{
    struct kit kit = {.service.connections_max = 2};
    struct sill_task *visitors[3];
    kit_start(&kit);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(sill_spawn(visit, &kit, &visitors[i]), 0);
    for (int i = 0; i < steps; i++)
        ck_assert_int_eq(sill_yield(), 0);
    if (cancels)
        ck_assert_int_eq(sill_cancel(kit.task, kit_soon()), 0);
    else
        ck_assert_int_eq(kit_stop(&kit), 0);
    ck_assert_uint_eq(kit.service.open, 0);
    ck_assert_int_eq(said.opened, said.closed);
    ck_assert_int_eq(sill_await_all(visitors, 3, NULL, kit_soon()), 0);
}

CASE(a_service_may_be_cancelled_at_any_step)
{
    for (int steps = 0; steps < 40; steps++)
        end_at(steps, true);
    return 0;
}

CASE(a_service_may_be_stopped_at_any_step)
{
    for (int steps = 0; steps < 30; steps++)
        end_at(steps, false);
    return 0;
}

int main(void)
{
    Suite *suite = suite_create("service");
    TCase *tc = tcase_create("service");
    SRunner *runner = srunner_create(suite);

    suite_add_tcase(suite, tc);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, each_connection_is_a_task);
    tcase_add_test(tc, a_walk_meets_all_connections);
    tcase_add_test(tc, others_have_their_turn_while_many_come);
    tcase_add_test(tc, more_connections_than_the_bound_wait);
    tcase_add_test(tc, a_service_may_run_again);
    tcase_add_test(tc, most_of_what_a_protocol_does_is_optional);
    tcase_add_test(tc, what_has_arrived_is_served_before_the_end);
    tcase_add_test(tc, idle_connections_may_look_before_they_are_ended);
    tcase_add_test(tc, connections_that_have_arrived_are_taken_before_the_end);
    tcase_add_test(tc, a_deadline_ends_the_service);
    tcase_add_test(tc, a_deadline_ends_a_crowded_service);
    tcase_add_test(tc, a_stop_ends_a_crowded_service);
    tcase_add_test(tc, what_is_left_after_the_grace_is_cancelled);
    tcase_add_test(tc, connections_in_hand_have_the_grace_to_end);
    tcase_add_test(tc, a_caller_that_is_cancelled_cancels_all);
    tcase_add_test(tc, a_cancelled_caller_says_so);
    tcase_add_test(tc, tasks_beside_the_connections_end_with_them);
    tcase_add_test(tc, a_lack_of_descriptors_delays_new_connections);
    tcase_add_test(tc, a_starved_service_stops_all_the_same);
    tcase_add_test(tc, any_allocation_may_fail);
    tcase_add_test(tc, a_service_that_cannot_begin_says_so);
    tcase_add_test(tc, a_service_needs_a_task);
    tcase_add_test(tc, a_service_may_be_cancelled_at_any_step);
    tcase_add_test(tc, a_service_may_be_stopped_at_any_step);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
