/* SPDX-License-Identifier: MIT */
/*
 * Datagrams in the simulated network.
 */
#include "kit.h"

#include <signal.h>
#include <stdio.h>

enum { COUNT = 500 };

struct tally {
    unsigned received, twice, overtaken;
};

static struct sill_datagram open_at(struct sill_sim_host *host, uint16_t port)
{
    struct sill_sim_host *before = sill_sim_host_enter(host);
    struct sill_datagram datagram;
    struct sill_address address;

    sill_sim_host_address(host, port, &address);
    ck_assert_int_eq(sill_datagram_open(&datagram, &address, NULL), 0);
    (void)sill_sim_host_enter(before);
    return datagram;
}

static struct sill_address local_of(const struct sill_datagram *datagram)
{
    struct sill_address address;

    ck_assert_int_eq(sill_datagram_local(datagram, &address), 0);
    return address;
}

static int send_numbers(void *arg)
{
    struct tally *tally = arg;
    struct sill_datagram a = open_at(add("a"), 0), b = open_at(add("b"), 9);
    struct sill_address to = local_of(&b), from;
    bool seen[COUNT] = {false};
    unsigned highest = 0, n;

    for (unsigned i = 0; i < COUNT; i++)
        ck_assert_int_eq(sill_datagram_send(&a, &i, sizeof(i), &to, SILL_NEVER),
                         0);
    while (sill_datagram_receive(&b, &n, sizeof(n), &from, in_ms(1000)) ==
           sizeof(n)) {
        struct sill_address sender = local_of(&a);

        ck_assert(sill_address_is_equal(&from, &sender));
        tally->received += !seen[n];
        tally->twice += seen[n];
        tally->overtaken += n < highest;
        highest = n > highest ? n : highest;
        seen[n] = true;
    }
    sill_datagram_close(&a);
    sill_datagram_close(&b);
    return 0;
}

START_TEST(without_faults_all_arrive_once_and_in_order)
{
    struct tally tally = {0, 0, 0};

    (void)run_seed(5, send_numbers, &tally, 0);
    ck_assert_uint_eq(tally.received, COUNT);
    ck_assert_uint_eq(tally.twice, 0);
    ck_assert_uint_eq(tally.overtaken, 0);
}

END_TEST

START_TEST(with_faults_they_are_lost_doubled_and_overtaken)
{
    struct sill_sim_options options;
    struct tally tally = {0, 0, 0};

    sill_sim_options_init(&options, 5);
    options.faults.lose = options.faults.repeat = options.faults.reorder = 0.1;

    struct sill_sim_report report = run_with(&options, send_numbers, &tally, 0);

    ck_assert_uint_eq(report.counts[SILL_SIM_MESSAGE], COUNT);
    ck_assert_uint_lt(tally.received, COUNT);
    ck_assert_uint_gt(tally.received, COUNT / 2);
    ck_assert_uint_gt(tally.twice, 0);
    ck_assert_uint_gt(tally.overtaken, 0);
    ck_assert_uint_gt(report.counts[SILL_SIM_LOSE], 0);
    ck_assert_uint_gt(report.counts[SILL_SIM_REPEAT], 0);
    ck_assert_uint_gt(report.counts[SILL_SIM_REORDER], 0);
}

END_TEST

static int keep_edges(void *arg)
{
    struct sill_datagram a = open_at(add("a"), 0), b = open_at(add("b"), 9);
    struct sill_address to = local_of(&b);
    static char bytes[70000];

    (void)arg;
    ck_assert_int_eq(sill_datagram_send(&a, "abc", 3, &to, SILL_NEVER), 0);
    ck_assert_int_eq(sill_datagram_send(&a, "", 0, &to, SILL_NEVER), 0);
    ck_assert_int_eq(sill_datagram_send(&a, "defgh", 5, &to, SILL_NEVER), 0);
    ck_assert_int_eq(sill_datagram_receive(&b, bytes, 9, NULL, SILL_NEVER), 3);
    ck_assert_int_eq(sill_datagram_receive(&b, bytes, 9, NULL, SILL_NEVER), 0);
    ck_assert_int_eq(sill_datagram_receive(&b, bytes, 2, NULL, SILL_NEVER), 5);
    ck_assert_int_eq(memcmp(bytes, "de", 2), 0);
    ck_assert_int_eq(sill_datagram_receive(&b, bytes, 9, NULL, SILL_PAST),
                     SILL_ETIMEDOUT);
    ck_assert_int_eq(
        sill_datagram_send(&a, bytes, sizeof(bytes), &to, SILL_NEVER),
        SILL_EMSGSIZE);
    ck_assert_int_eq(sill_datagram_send(&a, "x", 1, NULL, SILL_NEVER),
                     SILL_ENOTCONN);
    ck_assert_int_eq(sill_address_ip(&to, "255.255.255.255", 9), 0);
    ck_assert_int_eq(sill_datagram_send(&a, "x", 1, &to, SILL_NEVER),
                     SILL_EACCES);
    sill_datagram_close(&a);
    sill_datagram_close(&b);
    return 0;
}

START_TEST(messages_keep_their_edges)
{
    (void)run_seed(1, keep_edges, NULL, 0);
}

END_TEST

static int be_refused(void *arg)
{
    struct sill_datagram a = open_at(add("a"), 0), b = open_at(add("b"), 9);
    struct sill_address to = local_of(&b), back = local_of(&a);
    char byte;

    (void)arg;
    ck_assert_int_eq(sill_datagram_connect(&a, &to), 0);
    sill_datagram_close(&b);
    ck_assert_int_eq(sill_datagram_send(&a, "x", 1, NULL, SILL_NEVER), 0);
    ck_assert_int_eq(sill_datagram_receive(&a, &byte, 1, NULL, SILL_NEVER),
                     SILL_ECONNREFUSED);
    b = open_at(sill_sim_host_current(), 0);
    ck_assert_int_eq(sill_datagram_receive(&a, &byte, 1, NULL, in_ms(5)),
                     SILL_ETIMEDOUT);
    ck_assert_int_eq(sill_datagram_send(&b, "x", 1, &back, SILL_NEVER), 0);
    ck_assert_int_eq(sill_datagram_receive(&a, &byte, 1, NULL, in_ms(5)),
                     SILL_ETIMEDOUT); /* not from the peer */
    sill_datagram_close(&a);
    sill_datagram_close(&b);
    return 0;
}

START_TEST(a_refusal_is_told_once)
{
    (void)run_seed(1, be_refused, NULL, 0);
}

END_TEST

static int receive_slowly(void *arg)
{
    static char bytes[60000];

    for (int i = 0; i < 20; i++) {
        ck_assert_int_eq(sill_sleep(in_ms(5)), 0);
        ck_assert_int_eq(
            sill_datagram_receive(arg, bytes, sizeof(bytes), NULL, SILL_NEVER),
            sizeof(bytes));
    }
    return 0;
}

static int send_over_unix(void *arg)
{
    static char bytes[60000];
    struct sill_datagram a, b;
    struct sill_address at_a, at_b, nowhere;
    struct sill_task *receiver;

    (void)arg;
    ck_assert_int_eq(sill_address_unix(&at_a, "/run/a"), 0);
    ck_assert_int_eq(sill_address_unix(&at_b, "/run/b"), 0);
    ck_assert_int_eq(sill_address_unix(&nowhere, "/run/c"), 0);
    ck_assert_int_eq(sill_datagram_open(&a, &at_a, NULL), 0);
    ck_assert_int_eq(sill_datagram_open(&b, &at_b, NULL), 0);
    ck_assert_int_eq(sill_datagram_send(&a, "x", 1, &nowhere, SILL_NEVER),
                     SILL_ENOENT);
    ck_assert_int_eq(sill_datagram_connect(&a, &nowhere), SILL_ENOENT);
    ck_assert_int_eq(sill_spawn(receive_slowly, &b, &receiver), 0);
    for (int i = 0; i < 20; i++)
        ck_assert_int_eq(
            sill_datagram_send(&a, bytes, sizeof(bytes), &at_b, SILL_NEVER), 0);
    ck_assert_int_eq(sill_await(receiver, NULL, SILL_NEVER), 0);
    sill_datagram_close(&a);
    sill_datagram_close(&b);
    return 0;
}

START_TEST(within_a_host_none_is_lost_and_the_sender_waits)
{
    (void)run_seed(1, send_over_unix, NULL, 0);
}

END_TEST

static struct sill_datagram open_text(const char *text,
                                      const struct sill_socket_options *options)
{
    struct sill_datagram datagram;
    struct sill_address address;

    ck_assert_int_eq(sill_address_parse(&address, text), 0);
    ck_assert_int_eq(sill_datagram_open(&datagram, &address, options), 0);
    return datagram;
}

/* Sends a byte to (text); returns the code. */
static int send_to_text(struct sill_datagram *datagram, const char *text)
{
    struct sill_address address;

    ck_assert_int_eq(sill_address_parse(&address, text), 0);
    return sill_datagram_send(datagram, "x", 1, &address, SILL_NEVER);
}

static void check_sender(struct sill_datagram *datagram, const char *text)
{
    struct sill_address sender;
    char byte, shown[SILL_ADDRESS_TEXT_MAX];

    ck_assert_int_eq(
        sill_datagram_receive(datagram, &byte, 1, &sender, SILL_NEVER), 1);
    ck_assert_str_eq(sill_address_format(&sender, shown, sizeof(shown)), text);
}

static int meet_at_wildcards(void *arg)
{
    struct sill_datagram any = open_text("0.0.0.0:9", NULL), both, other;
    struct sill_address local, to;
    struct sill_sim_host *home = sill_sim_host_enter(add("b"));

    (void)arg;
    other = open_text("0.0.0.0:8", NULL);
    both = open_text("[::]:9", NULL);
    (void)sill_sim_host_enter(home);
    ck_assert_int_eq(send_to_text(&any, "10.0.0.2:8"), 0);
    check_sender(&other, "10.0.0.1:9");
    ck_assert_int_eq(send_to_text(&any, "10.0.0.2:9"), 0);
    check_sender(&both, "[::ffff:10.0.0.1]:9");
    ck_assert_int_eq(send_to_text(&any, "0.0.0.0:9"), 0);
    check_sender(&any, "127.0.0.1:9");
    ck_assert_int_eq(sill_address_parse(&to, "10.0.0.2:8"), 0);
    ck_assert_int_eq(sill_datagram_connect(&any, &to), 0);
    ck_assert_int_eq(sill_datagram_local(&any, &local), 0);
    ck_assert_int_eq(sill_address_parse(&to, "10.0.0.1:9"), 0);
    ck_assert(sill_address_is_equal(&local, &to));
    sill_datagram_close(&any);
    sill_datagram_close(&both);
    sill_datagram_close(&other);
    return 0;
}

START_TEST(wildcards_have_the_address_of_the_way)
{
    (void)run_seed(1, meet_at_wildcards, NULL, 0);
}

END_TEST

static int send_to_nobody(void *arg)
{
    struct sill_datagram a = open_text("10.0.0.1:9", NULL);
    struct sill_datagram u = open_text("unix:/run/u", NULL);
    struct sill_address nowhere;

    (void)arg;
    ck_assert_int_eq(send_to_text(&a, "10.9.9.9:9"), 0);
    ck_assert_int_eq(send_to_text(&a, "[fd00::1]:9"), SILL_EINVAL);
    ck_assert_int_eq(send_to_text(&a, "10.0.0.2:0"), SILL_EINVAL);
    ck_assert_int_eq(send_to_text(&u, "unix:/run/v"), SILL_ENOENT);
    ck_assert_int_eq(send_to_text(&u, "unix:@v"), SILL_ECONNREFUSED);
    ck_assert_int_eq(sill_address_parse(&nowhere, "unix:@v"), 0);
    ck_assert_int_eq(sill_datagram_connect(&u, &nowhere), SILL_ECONNREFUSED);
    ck_assert_int_eq(sill_address_parse(&nowhere, "10.9.9.9:9"), 0);
    ck_assert_int_eq(sill_datagram_connect(&a, &nowhere), SILL_ENETUNREACH);
    sill_datagram_close(&a);
    sill_datagram_close(&u);
    return 0;
}

START_TEST(nobody_is_told_of_as_by_linux)
{
    (void)run_seed(1, send_to_nobody, NULL, 0);
}

END_TEST

static int overflow_a_buffer(void *received)
{
    const struct sill_socket_options small = {.receive_buffer = 2000};
    struct sill_datagram a = open_at(add("a"), 0);
    struct sill_datagram b = open_text("10.0.0.1:9", &small);
    char byte;

    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(send_to_text(&a, "10.0.0.1:9"), 0);
    ck_assert_int_eq(sill_sleep(in_ms(100)), 0);
    while (sill_datagram_receive(&b, &byte, 1, NULL, SILL_PAST) == 1)
        ++*(unsigned *)received;
    sill_datagram_close(&a);
    sill_datagram_close(&b);
    return 0;
}

START_TEST(what_finds_no_room_is_lost)
{
    unsigned received = 0;
    struct sill_sim_report report =
        run_seed(1, overflow_a_buffer, &received, 0);

    ck_assert_uint_gt(received, 0);
    ck_assert_uint_lt(received, 100);
    ck_assert_uint_eq(report.counts[SILL_SIM_LOSE], 100 - received);
}

END_TEST

static int fill_a_socket(void *arg)
{
    static char bytes[60000];
    struct sill_datagram *a = arg;
    struct sill_address to;
    int rc = sill_address_parse(&to, "unix:/run/b");

    while (rc == 0)
        rc = sill_datagram_send(a, bytes, sizeof(bytes), &to, SILL_NEVER);
    return rc;
}

static int end_a_wait_for_room(void *arg)
{
    struct sill_datagram b = open_text("unix:/run/b", NULL);
    struct sill_datagram a = open_text("unix:/run/a", NULL);
    struct sill_task *sender;
    int rc;

    (void)arg;
    ck_assert_int_eq(sill_spawn(fill_a_socket, &a, &sender), 0);
    ck_assert_int_eq(sill_sleep(in_ms(50)), 0);
    ck_assert_int_eq(sill_cancel(sender, SILL_NEVER), 0);
    ck_assert_int_eq(sill_spawn(fill_a_socket, &a, &sender), 0);
    ck_assert_int_eq(sill_sleep(in_ms(50)), 0);
    sill_datagram_close(&a);
    ck_assert_int_eq(sill_await(sender, &rc, SILL_NEVER), 0);
    ck_assert_int_eq(rc, SILL_ECLOSED);
    sill_datagram_close(&b);
    return 0;
}

START_TEST(a_wait_for_room_ends_with_a_cancel_or_a_close)
{
    ck_assert_uint_eq(run_seed(1, end_a_wait_for_room, NULL, 0).left_open, 0);
}

END_TEST

static int receive_once(void *arg)
{
    char byte;

    return (int)sill_datagram_receive(arg, &byte, 1, NULL, SILL_NEVER);
}

static int close_under_a_receiver(void *arg)
{
    struct sill_datagram a = open_text("10.0.0.1:9", NULL);
    struct sill_task *receiver;
    int rc;

    (void)arg;
    ck_assert_int_eq(sill_spawn(receive_once, &a, &receiver), 0);
    (void)sill_yield();
    sill_datagram_close(&a);
    ck_assert_int_eq(sill_await(receiver, &rc, SILL_NEVER), 0);
    return rc;
}

START_TEST(a_close_wakes_the_receiver)
{
    (void)run_seed(1, close_under_a_receiver, NULL, SILL_ECLOSED);
}

END_TEST

static int receive_twice(void *arg)
{
    struct sill_datagram a = open_text("10.0.0.1:9", NULL);
    struct sill_task *one, *other;

    (void)arg;
    ck_assert_int_eq(sill_spawn(receive_once, &a, &one), 0);
    ck_assert_int_eq(sill_spawn(receive_once, &a, &other), 0);
    return sill_await(one, NULL, SILL_NEVER);
}

START_TEST(a_second_receiver_ends_the_program)
{
    (void)run_seed(1, receive_twice, NULL, 0);
}

END_TEST

TCase *datagram_cases(void)
{
    TCase *cases = tcase_create("datagram");

    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, without_faults_all_arrive_once_and_in_order);
    tcase_add_test(cases, with_faults_they_are_lost_doubled_and_overtaken);
    tcase_add_test(cases, messages_keep_their_edges);
    tcase_add_test(cases, a_refusal_is_told_once);
    tcase_add_test(cases, within_a_host_none_is_lost_and_the_sender_waits);
    tcase_add_test(cases, wildcards_have_the_address_of_the_way);
    tcase_add_test(cases, nobody_is_told_of_as_by_linux);
    tcase_add_test(cases, what_finds_no_room_is_lost);
    tcase_add_test(cases, a_wait_for_room_ends_with_a_cancel_or_a_close);
    tcase_add_test(cases, a_close_wakes_the_receiver);
    tcase_add_test_raise_signal(cases, a_second_receiver_ends_the_program,
                                SIGABRT);
    return cases;
}
