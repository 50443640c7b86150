/* SPDX-License-Identifier: MIT */
/*
 * Datagrams in the simulated network.
 */
#include "kit.h"

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

TCase *datagram_cases(void)
{
    TCase *cases = tcase_create("datagram");

    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, without_faults_all_arrive_once_and_in_order);
    tcase_add_test(cases, with_faults_they_are_lost_doubled_and_overtaken);
    tcase_add_test(cases, messages_keep_their_edges);
    tcase_add_test(cases, a_refusal_is_told_once);
    tcase_add_test(cases, within_a_host_none_is_lost_and_the_sender_waits);
    return cases;
}
