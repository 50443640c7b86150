/* SPDX-License-Identifier: MIT */
/*
 * Faults: each kind happens, comes from the seed alone, and is survived. Rules
 * V-04 and X-01.
 */
#include "kit.h"

#include <stddef.h>

enum { CALLS = 30 };

static int call(const struct sill_address *address)
{
    struct sill_stream stream;
    char buffer[2000] = "what is said";
    int rc = sill_stream_connect(&stream, address, NULL, in_ms(2000));

    if (rc == 0)
        rc = sill_stream_write_all(&stream, buffer, sizeof(buffer), NULL,
                                   in_ms(2000));
    if (rc == 0)
        rc = sill_stream_read_full(&stream, buffer, sizeof(buffer), NULL,
                                   in_ms(2000));
    if (rc == 0)
        ck_assert_str_eq(buffer, "what is said");
    sill_stream_close(&stream);
    return rc;
}

static int post(struct sill_sim_host *host)
{
    struct sill_address here, there = echo_of(host);
    struct sill_datagram datagram;

    sill_sim_host_address(sill_sim_host_current(), 0, &here);

    int rc = sill_datagram_open(&datagram, &here, NULL);

    if (rc == 0)
        rc = sill_datagram_send(&datagram, "x", 1, &there, in_ms(100));
    if (rc == 0)
        rc = sill_datagram_send(&datagram, "y", 1, &there, in_ms(100));
    sill_datagram_close(&datagram);
    return rc;
}

/* Failures are noted, not asserted: they are what is asked for. */
static int converse(void *arg)
{
    struct sill_sim_host *host;

    (void)arg;
    if (sill_sim_host_add("server", &host) < 0)
        return 0;

    struct sill_address address = echo_of(host);
    struct sill_sim_host *before = sill_sim_host_enter(host);
    struct sill_listener listener;
    struct sill_stream taken;
    int rc = sill_listener_listen(&listener, &address, NULL);

    (void)sill_sim_host_enter(before);
    for (int i = 0; i < CALLS && rc == 0; i++) {
        sill_sim_note("%d", post(host));
        sill_sim_note("%d", call(&address));
        if (sill_listener_accept(&listener, &taken, SILL_PAST) == 0)
            sill_stream_close(&taken);
    }
    sill_listener_close(&listener);
    return 0;
}

static int talk(void *arg)
{
    struct sill_sim_host *host = add("server");
    struct sill_task *server = spawn_echo(host);
    struct sill_address address = echo_of(host);

    (void)arg;
    for (int i = 0; i < CALLS; i++) {
        sill_sim_note("%d", call(&address));
        sill_sim_note("%d", post(host));
    }
    return sill_cancel(server, SILL_NEVER);
}

static const struct {
    size_t field;
    enum sill_sim_kind kind;
} kinds[] = {
    {offsetof(struct sill_sim_faults, short_read), SILL_SIM_SHORT_READ},
    {offsetof(struct sill_sim_faults, short_write), SILL_SIM_SHORT_WRITE},
    {offsetof(struct sill_sim_faults, refuse), SILL_SIM_REFUSE},
    {offsetof(struct sill_sim_faults, reset), SILL_SIM_RESET},
    {offsetof(struct sill_sim_faults, delay), SILL_SIM_DELAY},
    {offsetof(struct sill_sim_faults, cut), SILL_SIM_CUT},
    {offsetof(struct sill_sim_faults, lose), SILL_SIM_LOSE},
    {offsetof(struct sill_sim_faults, repeat), SILL_SIM_REPEAT},
    {offsetof(struct sill_sim_faults, reorder), SILL_SIM_REORDER}};

/* V-04 */
START_TEST(each_fault_happens_and_comes_from_the_seed)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
        struct sill_sim_options options;

        sill_sim_options_init(&options, i);

        struct sill_sim_report none = run_with(&options, talk, NULL, 0);

        *(double *)(void *)((char *)&options.faults + kinds[i].field) = 0.2;

        struct sill_sim_report some = run_with(&options, talk, NULL, 0);
        struct sill_sim_report again = run_with(&options, talk, NULL, 0);

        if (kinds[i].kind != SILL_SIM_REFUSE) /* of datagrams */
            ck_assert_uint_eq(none.counts[kinds[i].kind], 0);
        ck_assert_uint_gt(some.counts[kinds[i].kind],
                          none.counts[kinds[i].kind]);
        ck_assert_uint_eq(some.hash, again.hash);
        ck_assert_uint_eq(some.left_open, 0);
    }
}

END_TEST

START_TEST(descriptors_and_memory_fail_at_random)
{
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct sill_sim_options options;
        struct sill_sim_report report, again;

        sill_sim_options_init(&options, seed);
        options.faults.descriptor = options.faults.allocation = 0.02;

        int rc = sill_sim_run(&options, converse, NULL, &report);

        ck_assert_int_eq(sill_sim_run(&options, converse, NULL, &again), rc);
        ck_assert(rc == 0 || rc == SILL_ENOMEM);
        ck_assert_uint_eq(report.hash, again.hash);
        ck_assert_uint_eq(report.left_open, 0);
    }
}

END_TEST

/* */
START_TEST(the_nth_allocation_fails_for_every_n)
{
    struct sill_sim_options options;
    struct sill_sim_report report;
    uint64_t n = 0;

    sill_sim_options_init(&options, 1);
    options.faults.repeat = 0.1;
    do {
        options.allocation_fails = ++n;
        ck_assert_int_le(sill_sim_run(&options, converse, NULL, &report), 0);
        ck_assert_uint_eq(report.left_open, 0);
    } while (report.events == 0 || report.counts[SILL_SIM_ALLOCATION] > 0);
    ck_assert_uint_gt(n, 100);
}

END_TEST

static size_t blocks;

static void *count_alloc(void *arg, size_t size)
{
    void *block = malloc(size);

    (void)arg;
    blocks += block != NULL;
    return block;
}

static void count_free(void *arg, void *block)
{
    (void)arg;
    blocks--;
    free(block);
}

START_TEST(every_block_is_given_back_and_the_allocator_too)
{
    struct sill_allocator counting = {count_alloc, count_free, NULL}, now;
    struct sill_sim_options options;

    sill_set_allocator(&counting);
    for (uint64_t seed = 0; seed < 20; seed++) {
        sill_sim_options_init(&options, seed);
        sill_sim_faults_init(&options.faults);
        options.faults.allocation = seed % 2 ? 0.01 : 0;
        (void)sill_sim_run(&options, converse, NULL, NULL);
        ck_assert_uint_eq(blocks, 0);
    }
    sill_get_allocator(&now);
    ck_assert(now.alloc == count_alloc);
    sill_set_allocator(NULL);
}

END_TEST

START_TEST(with_all_faults_conversations_end)
{
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct sill_sim_options options;

        sill_sim_options_init(&options, seed);
        sill_sim_faults_init(&options.faults);

        struct sill_sim_report report = run_with(&options, talk, NULL, 0);

        ck_assert_uint_eq(report.left_open, 0);
    }
}

END_TEST

TCase *fault_cases(void)
{
    TCase *cases = tcase_create("fault");

    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, each_fault_happens_and_comes_from_the_seed);
    tcase_add_test(cases, descriptors_and_memory_fail_at_random);
    tcase_add_test(cases, the_nth_allocation_fails_for_every_n);
    tcase_add_test(cases, every_block_is_given_back_and_the_allocator_too);
    tcase_add_test(cases, with_all_faults_conversations_end);
    return cases;
}
