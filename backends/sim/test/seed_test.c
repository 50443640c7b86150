/* SPDX-License-Identifier: MIT */
/*
 * What the seed decides: rules V-01, V-02 and V-04.
 */
#include "kit.h"

#include <pthread.h>

enum { TASKS = 6, STEPS = 4 };

struct record {
    char order[TASKS * STEPS + 1];
    unsigned used;
};

struct step {
    struct record *record;
    char name;
};

static int step(void *arg)
{
    struct step *s = arg;

    for (int i = 0; i < STEPS; i++) {
        s->record->order[s->record->used++] = s->name;
        ck_assert_int_eq(sill_yield(), 0);
    }
    return 0;
}

static int interleave(void *arg)
{
    struct record *record = arg;
    struct step steps[TASKS];
    struct sill_task *tasks[TASKS];

    for (int i = 0; i < TASKS; i++) {
        steps[i] = (struct step){record, (char)('a' + i)};
        ck_assert_int_eq(sill_spawn(step, &steps[i], &tasks[i]), 0);
    }
    return sill_await_all(tasks, TASKS, NULL, SILL_NEVER);
}

/* V-02 */
START_TEST(a_hundred_seeds_give_more_than_ninety_interleavings)
{
    static struct record records[100];
    unsigned distinct = 0;

    for (unsigned i = 0; i < 100; i++) {
        bool is_new = true;

        (void)run_seed(i, interleave, &records[i], 0);
        for (unsigned j = 0; j < i; j++)
            is_new &= strcmp(records[i].order, records[j].order) != 0;
        distinct += is_new;
    }
    ck_assert_uint_gt(distinct, 90);
}

END_TEST

START_TEST(every_task_of_a_round_runs_once)
{
    struct record record = {.used = 0};

    (void)run_seed(3, interleave, &record, 0);
    for (int round = 0; round < STEPS; round++) {
        unsigned seen = 0;

        for (int i = 0; i < TASKS; i++)
            seen |= 1u << (record.order[round * TASKS + i] - 'a');
        ck_assert_uint_eq(seen, (1u << TASKS) - 1);
    }
}

END_TEST

START_TEST(without_a_seed_tasks_run_in_the_order_in_which_they_came)
{
    struct record record = {.used = 0};

    ck_assert_int_eq(sill_run(interleave, &record), 0);
    ck_assert_str_eq(record.order, "abcdefabcdefabcdefabcdef");
}

END_TEST

/* Ends in whatever way the faults want. */
static int talk(void *arg)
{
    struct sill_sim_host *host = add("server");
    struct sill_task *server = spawn_echo(host);
    struct sill_address address = echo_of(host);

    (void)arg;
    for (int i = 0; i < 20; i++) {
        struct sill_stream stream;
        char buffer[3000] = "some bytes";
        int rc = sill_stream_connect(&stream, &address, NULL, in_ms(1000));

        if (rc == 0)
            rc = sill_stream_write_all(&stream, buffer, sizeof(buffer), NULL,
                                       in_ms(1000));
        if (rc == 0)
            rc = sill_stream_read_full(&stream, buffer, sizeof(buffer), NULL,
                                       in_ms(1000));
        sill_sim_note("%d", rc);
        sill_stream_close(&stream);
    }
    return sill_cancel(server, SILL_NEVER);
}

static uint64_t hash_of(uint64_t seed, bool faults)
{
    struct sill_sim_options options;

    sill_sim_options_init(&options, seed);
    if (faults)
        sill_sim_faults_init(&options.faults);
    return run_with(&options, talk, NULL, 0).hash;
}

/* V-01, V-04 */
START_TEST(the_same_seed_gives_the_same_hash)
{
    for (uint64_t seed = 0; seed < 50; seed++) {
        ck_assert_uint_eq(hash_of(seed, false), hash_of(seed, false));
        ck_assert_uint_eq(hash_of(seed, true), hash_of(seed, true));
        ck_assert_uint_ne(hash_of(seed, true), hash_of(seed + 1, true));
    }
}

END_TEST

static void count_line(void *arg, const char *line)
{
    (*(uint64_t *)arg)++;
    ck_assert_ptr_nonnull(strchr(line, '.'));
}

START_TEST(a_trace_has_a_line_for_each_event_and_changes_nothing)
{
    struct sill_sim_options options;
    uint64_t lines = 0;

    sill_sim_options_init(&options, 9);

    uint64_t hash = run_with(&options, talk, NULL, 0).hash;

    options.trace = count_line;
    options.trace_arg = &lines;

    struct sill_sim_report report = run_with(&options, talk, NULL, 0);

    ck_assert_uint_eq(report.hash, hash);
    ck_assert_uint_eq(report.events, lines);
    ck_assert_uint_eq(report.counts[SILL_SIM_NOTE], 20);
}

END_TEST

static void *hash_many(void *hash)
{
    for (uint64_t seed = 0; seed < 20; seed++)
        *(uint64_t *)hash = *(uint64_t *)hash * 31 + hash_of(seed, true);
    return NULL;
}

START_TEST(each_thread_has_its_own_world)
{
    pthread_t threads[3];
    uint64_t hashes[3] = {0};

    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(
            pthread_create(&threads[i], NULL, hash_many, &hashes[i]), 0);
    for (int i = 0; i < 3; i++)
        (void)pthread_join(threads[i], NULL);
    ck_assert_uint_eq(hashes[0], hashes[1]);
    ck_assert_uint_eq(hashes[0], hashes[2]);
}

END_TEST

static int draw(void *arg)
{
    unsigned *seen = arg;

    ck_assert_uint_eq(sill_sim_random(0), 0);
    ck_assert_uint_eq(sill_sim_random(1), 0);
    for (int i = 0; i < 1000; i++)
        seen[sill_sim_random(10)]++;
    return 0;
}

START_TEST(what_scenarios_draw_is_below_the_bound_and_spread)
{
    unsigned seen[10] = {0};

    (void)run_seed(4, draw, seen, 0);
    for (int i = 0; i < 10; i++)
        ck_assert_uint_gt(seen[i], 50);
}

END_TEST

static int note(void *arg)
{
    uint64_t before = sill_sim_hash();

    sill_sim_note("%s", (const char *)arg);
    ck_assert_uint_ne(sill_sim_hash(), before);
    return 0;
}

START_TEST(all_of_a_note_counts)
{
    char a[] = "the beginning is the same, and then: a";
    char b[] = "the beginning is the same, and then: b";

    ck_assert_uint_ne(run_seed(1, note, a, 0).hash,
                      run_seed(1, note, b, 0).hash);
}

END_TEST

TCase *seed_cases(void)
{
    TCase *cases = tcase_create("seed");

    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, a_hundred_seeds_give_more_than_ninety_interleavings);
    tcase_add_test(cases, every_task_of_a_round_runs_once);
    tcase_add_test(cases,
                   without_a_seed_tasks_run_in_the_order_in_which_they_came);
    tcase_add_test(cases, the_same_seed_gives_the_same_hash);
    tcase_add_test(cases,
                   a_trace_has_a_line_for_each_event_and_changes_nothing);
    tcase_add_test(cases, what_scenarios_draw_is_below_the_bound_and_spread);
    tcase_add_test(cases, each_thread_has_its_own_world);
    tcase_add_test(cases, all_of_a_note_counts);
    return cases;
}
