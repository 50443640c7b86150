/* SPDX-License-Identifier: MIT */
/*
 * Hosts: where tasks are, links that are cut, machines that crash.
 */
#include "kit.h"

#include <signal.h>
#include <stdio.h>

static void run(sill_task_fn *fn)
{
    struct sill_sim_report report = run_seed(1, fn, NULL, 0);

    ck_assert_uint_eq(report.left_open, 0);
}

static int say_where(void *host)
{
    ck_assert_ptr_eq(sill_sim_host_current(), host);
    return 0;
}

static int inherit(void *arg)
{
    struct sill_sim_host *host = add("b"), *home = sill_sim_host_current();
    struct sill_task *tasks[2];

    (void)arg;
    ck_assert_ptr_eq(sill_sim_host_enter(host), home);
    ck_assert_int_eq(sill_spawn(say_where, host, &tasks[0]), 0);
    ck_assert_ptr_eq(sill_sim_host_enter(home), host);
    ck_assert_int_eq(sill_spawn(say_where, home, &tasks[1]), 0);
    return sill_await_all(tasks, 2, NULL, SILL_NEVER);
}

START_TEST(a_task_begins_where_its_parent_is)
{
    run(inherit);
}

END_TEST

static int name_hosts(void *arg)
{
    struct sill_sim_host *host = add("b");
    struct sill_address address;
    char text[SILL_ADDRESS_TEXT_MAX];

    (void)arg;
    sill_sim_host_address(host, 80, &address);
    ck_assert_str_eq(sill_address_format(&address, text, sizeof(text)),
                     "10.0.0.2:80");
    ck_assert_int_eq(sill_sim_host_add_address(host, &address),
                     SILL_EADDRINUSE);
    ck_assert_int_eq(sill_address_ip(&address, "127.0.0.9", 0), 0);
    ck_assert_int_eq(sill_sim_host_add_address(host, &address), SILL_EINVAL);
    ck_assert_int_eq(sill_address_ip(&address, "192.0.2.1", 7), 0);
    ck_assert_int_eq(sill_sim_host_add_address(host, &address), 0);

    struct sill_task *server = spawn_echo(host);
    struct sill_stream stream;

    (void)sill_sim_host_enter(sill_sim_host_current());
    ck_assert_int_eq(sill_stream_connect(&stream, &address, NULL, in_ms(10)),
                     SILL_ECONNREFUSED);
    ck_assert_int_eq(sill_cancel(server, SILL_NEVER), 0);
    return 0;
}

START_TEST(hosts_have_the_addresses_that_are_said)
{
    run(name_hosts);
}

END_TEST

/* Whether 4 bytes come through to the server within (ms). */
static int push(struct link_pair *pair, int64_t ms)
{
    char buffer[4];

    ck_assert_int_eq(sill_stream_write(&pair->client, "data", 4, SILL_PAST), 4);
    return sill_stream_read_full(&pair->server, buffer, 4, NULL, in_ms(ms));
}

static int cut_and_heal(void *arg)
{
    struct link_pair pair;
    char buffer[4];

    (void)arg;
    pair_open(&pair, add("a"), add("b"));
    ck_assert_int_eq(sill_sim_cut(pair.a, pair.b), 0);
    ck_assert_int_eq(push(&pair, 3000), SILL_ETIMEDOUT);
    ck_assert_int_eq(sill_stream_write(&pair.server, "back", 4, SILL_PAST), 4);
    ck_assert_int_eq(
        sill_stream_read_full(&pair.client, buffer, 4, NULL, in_ms(2)), 0);
    sill_sim_heal(pair.a, pair.b);
    ck_assert_int_eq(
        sill_stream_read_full(&pair.server, buffer, 4, NULL, in_ms(10000)), 0);
    pair_close(&pair);
    return 0;
}

START_TEST(a_cut_holds_up_one_way_until_it_heals)
{
    run(cut_and_heal);
}

END_TEST

static int cut_for_good(void *arg)
{
    struct link_pair pair;
    struct sill_stream stream;
    struct sill_address address;
    sill_time begin;

    (void)arg;
    pair_open(&pair, add("a"), add("b"));
    ck_assert_int_eq(sill_sim_cut(pair.a, pair.b), 0);
    begin = sill_now();
    ck_assert_int_eq(sill_stream_write(&pair.client, "x", 1, SILL_PAST), 1);
    ck_assert_int_eq(sill_stream_read(&pair.client, &(char){0}, 1, SILL_NEVER),
                     SILL_ETIMEDOUT);
    ck_assert_int_ge(sill_now(), begin + SILL_MINUTE);
    ck_assert_int_le(sill_now(), begin + SILL_MINUTE + SILL_MILLISECOND);
    address = echo_of(pair.b);
    begin = sill_now();
    (void)sill_sim_host_enter(pair.a);
    ck_assert_int_eq(sill_stream_connect(&stream, &address, NULL, SILL_NEVER),
                     SILL_ETIMEDOUT);
    ck_assert_int_eq(sill_now(), begin + SILL_MINUTE);
    pair_close(&pair);
    return 0;
}

START_TEST(silence_ends_a_connection_when_patience_does)
{
    struct sill_sim_options options;

    sill_sim_options_init(&options, 1);
    options.link.jitter = 0;
    options.link.latency = SILL_MICROSECOND;
    (void)run_with(&options, cut_for_good, NULL, 0);
}

END_TEST

static int crash_the_server(void *arg)
{
    struct link_pair pair;
    char buffer[4];

    (void)arg;
    pair_open(&pair, add("a"), add("b"));
    sill_sim_host_crash(pair.b);
    sill_sim_host_crash(pair.b);
    ck_assert_int_eq(sill_stream_read(&pair.server, buffer, 4, SILL_NEVER),
                     SILL_ECONNRESET);
    ck_assert_int_eq(sill_stream_read(&pair.client, buffer, 4, in_ms(600000)),
                     SILL_ETIMEDOUT);
    sill_sim_host_restart(pair.b);
    ck_assert_int_eq(sill_stream_write(&pair.client, "data", 4, SILL_PAST), 4);
    ck_assert_int_eq(sill_stream_read(&pair.client, buffer, 4, in_ms(10)),
                     SILL_ECONNRESET);
    sill_stream_close(&pair.client);
    sill_stream_close(&pair.server);

    struct sill_address address = echo_of(pair.b);

    ck_assert_int_eq(
        sill_stream_connect(&pair.client, &address, NULL, in_ms(10)), 0);
    ck_assert_int_eq(
        sill_listener_accept(&pair.listener, &pair.server, in_ms(10)), 0);
    ck_assert_int_eq(push(&pair, 10), 0);
    pair_close(&pair);
    return 0;
}

START_TEST(a_crashed_host_is_silent_and_forgets)
{
    run(crash_the_server);
}

END_TEST

/* The writer has filled the window, everything has arrived, nobody reads. */
static int crash_behind_a_full_window(void *arg)
{
    static char bytes[200000];
    struct link_pair pair;
    size_t done;

    (void)arg;
    pair_open(&pair, add("a"), add("b"));
    ck_assert_int_eq(sill_stream_write_all(&pair.client, bytes, sizeof(bytes),
                                           &done, in_ms(100)),
                     SILL_ETIMEDOUT);
    sill_sim_host_crash(pair.b);
    ck_assert_int_eq(sill_stream_read(&pair.client, bytes, 1, SILL_NEVER),
                     SILL_ETIMEDOUT);
    pair_close(&pair);
    return 0;
}

START_TEST(a_writer_learns_of_a_crash_in_the_end)
{
    run(crash_behind_a_full_window);
}

END_TEST

static int connect_from_the_dead(void *arg)
{
    struct sill_sim_host *server = add("b");
    struct sill_task *task = spawn_echo(server);
    struct sill_address address = echo_of(server);
    struct sill_stream stream;

    (void)arg;
    sill_sim_host_crash(sill_sim_host_current());
    ck_assert_int_eq(sill_stream_connect(&stream, &address, NULL, SILL_NEVER),
                     SILL_ENETUNREACH);
    sill_sim_host_restart(sill_sim_host_current());
    ck_assert_int_eq(sill_stream_connect(&stream, &address, NULL, SILL_NEVER),
                     0);
    sill_stream_close(&stream);
    return sill_cancel(task, SILL_NEVER);
}

START_TEST(a_host_without_a_network_reaches_nobody)
{
    run(connect_from_the_dead);
}

END_TEST

static int run_out_of_descriptors(void *arg)
{
    struct sill_sim_host *server = add("b");
    struct sill_address address = echo_of(server);
    struct sill_sim_host *home = sill_sim_host_enter(server);
    struct sill_listener listener;
    struct sill_stream client, taken;

    (void)arg;
    sill_sim_host_set_descriptors(server, 1);
    ck_assert_int_eq(sill_listener_listen(&listener, &address, NULL), 0);
    (void)sill_sim_host_enter(home);
    ck_assert_int_eq(sill_stream_connect(&client, &address, NULL, SILL_NEVER),
                     0);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(sill_listener_accept(&listener, &taken, SILL_NEVER),
                         SILL_EMFILE);
    (void)sill_sim_host_enter(server);
    address.port++;
    ck_assert_int_eq(
        sill_listener_listen(&(struct sill_listener){0}, &address, NULL),
        SILL_EMFILE);
    (void)sill_sim_host_enter(home);
    sill_sim_host_set_descriptors(server, 2);
    ck_assert_int_eq(sill_listener_accept(&listener, &taken, SILL_PAST), 0);
    sill_stream_close(&taken);
    sill_stream_close(&client);
    sill_listener_close(&listener);
    return 0;
}

START_TEST(a_host_has_so_many_descriptors)
{
    run(run_out_of_descriptors);
}

END_TEST

static int leave_things_behind(void *arg)
{
    struct sill_sim_host *server = add("b");
    struct sill_address address = echo_of(server);
    struct sill_listener listener;
    struct sill_datagram datagram;
    struct sill_stream stream;

    (void)arg;
    (void)sill_sim_host_enter(server);
    ck_assert_int_eq(sill_listener_listen(&listener, &address, NULL), 0);
    ck_assert_int_eq(sill_datagram_open(&datagram, &address, NULL), 0);
    ck_assert_int_eq(
        sill_datagram_send(&datagram, "x", 1, &address, SILL_NEVER), 0);
    ck_assert_int_eq(sill_stream_connect(&stream, &address, NULL, SILL_NEVER),
                     0);
    return (int)sill_stream_write(&stream, "x", 1, SILL_NEVER) - 1;
}

START_TEST(what_is_left_open_is_counted)
{
    ck_assert_uint_eq(run_seed(1, leave_things_behind, NULL, 0).left_open, 3);
}

END_TEST

/* What is said twice, or of a host and itself, changes nothing. */
static int repeat_oneself(void *arg)
{
    struct sill_sim_host *a = add("a");
    const struct sill_sim_link link = {.latency = SILL_SECOND};
    struct link_pair pair;

    (void)arg;
    ck_assert_int_eq(sill_sim_link_set(a, a, &link), SILL_EINVAL);
    ck_assert_int_eq(sill_sim_cut(a, a), SILL_EINVAL);
    sill_sim_heal(a, a);
    sill_sim_host_restart(a);
    pair_open(&pair, a, add("b"));
    ck_assert_int_eq(push(&pair, 3), 0);
    sill_sim_host_crash(a);
    sill_sim_host_crash(a);
    sill_sim_host_restart(a);
    sill_sim_host_restart(a);
    pair_close(&pair);
    return 0;
}

START_TEST(what_is_so_already_stays_so)
{
    struct sill_sim_report report = run_seed(1, repeat_oneself, NULL, 0);

    ck_assert_uint_eq(report.counts[SILL_SIM_CRASH], 1);
    ck_assert_uint_eq(report.counts[SILL_SIM_RESTART], 1);
}

END_TEST

static int call_outside_of_a_world(void)
{
    return (int)sill_sim_random(2);
}

START_TEST(outside_of_a_world_they_end_the_program)
{
    (void)call_outside_of_a_world();
}

END_TEST

enum { CROWD = 300 };

static int meet_many(void *arg)
{
    static struct sill_sim_host *hosts[CROWD];
    struct sill_task *servers[CROWD];
    char name[16];

    (void)arg;
    for (int i = 0; i < CROWD; i++) {
        (void)snprintf(name, sizeof(name), "h%d", i);
        hosts[i] = add(name);
        servers[i] = spawn_echo(hosts[i]);
    }
    for (int i = 0; i < CROWD; i++) {
        struct sill_address address = echo_of(hosts[i]), peer;
        struct sill_stream stream;

        ck_assert_int_eq(
            sill_stream_connect(&stream, &address, NULL, SILL_NEVER), 0);
        ck_assert_int_eq(sill_stream_peer(&stream, &peer), 0);
        ck_assert(sill_address_is_equal(&peer, &address));
        sill_stream_close(&stream);
    }
    for (int i = 0; i < CROWD; i++)
        ck_assert_int_eq(sill_cancel(servers[i], SILL_NEVER), 0);
    return 0;
}

START_TEST(each_of_many_hosts_is_found)
{
    run(meet_many);
}

END_TEST

static struct sill_listener shared_one, shared_other;

/* Connects 40 times; returns how many of them the first of two has. */
static int deal_out(void)
{
    struct sill_address address;
    struct sill_stream streams[40], taken;
    int first = 0;

    ck_assert_int_eq(sill_listener_local(&shared_one, &address), 0);
    for (int i = 0; i < 40; i++)
        ck_assert_int_eq(
            sill_stream_connect(&streams[i], &address, NULL, SILL_NEVER), 0);
    while (sill_listener_accept(&shared_one, &taken, SILL_PAST) == 0) {
        first++;
        sill_stream_close(&taken);
    }
    for (int i = first; i < 40; i++) {
        ck_assert_int_eq(sill_listener_accept(&shared_other, &taken, SILL_PAST),
                         0);
        sill_stream_close(&taken);
    }
    for (int i = 0; i < 40; i++)
        sill_stream_close(&streams[i]);
    return first;
}

static int share_a_port(void *arg)
{
    const struct sill_socket_options share = {.reuse_port = true};
    struct sill_address address = echo_of(sill_sim_host_current());
    struct sill_listener third;
    int first;

    (void)arg;
    ck_assert_int_eq(sill_listener_listen(&shared_one, &address, &share), 0);
    ck_assert_int_eq(sill_listener_listen(&third, &address, NULL),
                     SILL_EADDRINUSE);
    ck_assert_int_eq(sill_listener_listen(&shared_other, &address, &share), 0);
    first = deal_out();
    ck_assert_int_gt(first, 0);
    ck_assert_int_lt(first, 40);
    sill_listener_close(&shared_one);
    sill_listener_close(&shared_other);
    return 0;
}

START_TEST(a_shared_port_deals_its_connections_out)
{
    run(share_a_port);
}

END_TEST

static int use_an_added_address(void *arg)
{
    struct sill_sim_host *host = sill_sim_host_current();
    struct sill_listener at, any;
    struct sill_address added, wildcard;

    (void)arg;
    ck_assert_int_eq(sill_address_ip(&added, "192.0.2.7", 80), 0);
    ck_assert_int_eq(sill_address_ip(&wildcard, "0.0.0.0", 80), 0);
    ck_assert_int_eq(sill_sim_host_add_address(host, &added), 0);
    ck_assert_int_eq(sill_listener_listen(&at, &added, NULL), 0);
    ck_assert_int_eq(sill_listener_listen(&any, &wildcard, NULL),
                     SILL_EADDRINUSE);
    sill_listener_close(&at);
    ck_assert_int_eq(sill_listener_listen(&any, &wildcard, NULL), 0);
    ck_assert_int_eq(sill_listener_listen(&at, &added, NULL), SILL_EADDRINUSE);
    sill_listener_close(&any);
    return 0;
}

START_TEST(an_added_address_is_one_of_the_hosts)
{
    run(use_an_added_address);
}

END_TEST

static int use_every_port(void *arg)
{
    static struct sill_datagram all[65536];
    struct sill_address any = echo_of(sill_sim_host_current());
    int count = 0, rc = 0;

    (void)arg;
    any.port = 0;
    sill_sim_host_set_descriptors(sill_sim_host_current(), 100000);
    while (rc == 0 && count < 65536) {
        rc = sill_datagram_open(&all[count], &any, NULL);
        count += rc == 0;
    }
    ck_assert_int_eq(rc, SILL_EADDRINUSE);
    sill_datagram_close(&all[17]);
    ck_assert_int_eq(sill_datagram_open(&all[17], &any, NULL), 0);
    while (count > 0)
        sill_datagram_close(&all[--count]);
    return 0;
}

START_TEST(a_host_has_so_many_ports)
{
    run(use_every_port);
}

END_TEST

static int add_hosts(void *arg)
{
    struct sill_sim_host *host;
    struct sill_address address;
    int rc = 0;

    (void)arg;
    ck_assert_int_eq(sill_address_ip(&address, "192.0.2.1", 0), 0);
    rc = sill_sim_host_add_address(sill_sim_host_current(), &address);
    for (int i = 0; i < 70 && rc == 0; i++)
        rc = sill_sim_host_add("x", &host);
    return rc;
}

static void fail_each_allocation(sill_task_fn *fn)
{
    struct sill_sim_options options;
    struct sill_sim_report report;
    int rc;

    sill_sim_options_init(&options, 1);
    do {
        options.allocation_fails++;
        rc = sill_sim_run(&options, fn, NULL, &report);
        ck_assert(rc == 0 || rc == SILL_ENOMEM);
        ck_assert_uint_eq(report.left_open, 0);
    } while (rc != 0);
    ck_assert_uint_gt(options.allocation_fails, 20);
}

START_TEST(a_host_that_finds_no_memory_is_not_added)
{
    fail_each_allocation(add_hosts);
}

END_TEST

static int connect_many(void *arg)
{
    struct sill_address address = echo_of(sill_sim_host_current());
    struct sill_listener listener;
    struct sill_stream streams[60] = {{0}};
    int rc = sill_listener_listen(&listener, &address, NULL);

    (void)arg;
    for (int i = 0; i < 60 && rc == 0; i++)
        rc = sill_stream_connect(&streams[i], &address, NULL, SILL_NEVER);
    for (int i = 0; i < 60; i++)
        sill_stream_close(&streams[i]);
    sill_listener_close(&listener);
    return rc;
}

START_TEST(a_connection_that_finds_no_memory_is_not_made)
{
    fail_each_allocation(connect_many);
}

END_TEST

TCase *host_cases(void)
{
    TCase *cases = tcase_create("host");

    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, a_task_begins_where_its_parent_is);
    tcase_add_test(cases, hosts_have_the_addresses_that_are_said);
    tcase_add_test(cases, a_cut_holds_up_one_way_until_it_heals);
    tcase_add_test(cases, silence_ends_a_connection_when_patience_does);
    tcase_add_test(cases, a_crashed_host_is_silent_and_forgets);
    tcase_add_test(cases, a_writer_learns_of_a_crash_in_the_end);
    tcase_add_test(cases, a_host_without_a_network_reaches_nobody);
    tcase_add_test(cases, a_host_has_so_many_descriptors);
    tcase_add_test(cases, what_is_left_open_is_counted);
    tcase_add_test(cases, what_is_so_already_stays_so);
    tcase_add_test_raise_signal(cases, outside_of_a_world_they_end_the_program,
                                SIGABRT);
    tcase_add_test(cases, each_of_many_hosts_is_found);
    tcase_add_test(cases, a_shared_port_deals_its_connections_out);
    tcase_add_test(cases, an_added_address_is_one_of_the_hosts);
    tcase_add_test(cases, a_host_has_so_many_ports);
    tcase_add_test(cases, a_host_that_finds_no_memory_is_not_added);
    tcase_add_test(cases, a_connection_that_finds_no_memory_is_not_made);
    return cases;
}
