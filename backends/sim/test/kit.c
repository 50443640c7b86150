/* SPDX-License-Identifier: MIT */
/*
 * What kit.h promises, and the program that runs the cases.
 */
#include "kit.h"

#include <stdio.h>

struct sill_sim_report run_with(const struct sill_sim_options *options,
                                sill_task_fn *fn, void *arg, int expected)
{
    struct sill_sim_report report;

    ck_assert_int_eq(sill_sim_run(options, fn, arg, &report), expected);
    return report;
}

struct sill_sim_report run_seed(uint64_t seed, sill_task_fn *fn, void *arg,
                                int expected)
{
    struct sill_sim_options options;

    sill_sim_options_init(&options, seed);
    return run_with(&options, fn, arg, expected);
}

static char logged[4096];

static void append(void *arg, const char *line)
{
    size_t used = strlen(logged);

    (void)arg;
    (void)snprintf(logged + used, sizeof(logged) - used, "%s\n", line);
}

const char *keep_log(void)
{
    logged[0] = '\0';
    sill_set_log(append, NULL);
    return logged;
}

struct sill_address echo_of(const struct sill_sim_host *host)
{
    struct sill_address address;

    sill_sim_host_address(host, 7, &address);
    return address;
}

struct sill_sim_host *add(const char *name)
{
    struct sill_sim_host *host;

    ck_assert_int_eq(sill_sim_host_add(name, &host), 0);
    return host;
}

sill_time in_ms(int64_t ms)
{
    return sill_after(ms * SILL_MILLISECOND);
}

static int echo(void *arg)
{
    struct sill_stream stream = *(struct sill_stream *)arg;
    char buffer[1000];
    ssize_t n;
    int rc = 0;

    free(arg);
    while (rc == 0 && (n = sill_stream_read(&stream, buffer, sizeof(buffer),
                                            SILL_NEVER)) > 0)
        rc =
            sill_stream_write_all(&stream, buffer, (size_t)n, NULL, SILL_NEVER);
    sill_stream_close(&stream);
    return 0;
}

static int serve(void *arg)
{
    struct sill_listener listener;
    struct sill_address address = echo_of(sill_sim_host_current());
    struct sill_scope scope;
    int rc = sill_listener_listen(&listener, &address, NULL);

    (void)arg;
    ck_assert_int_eq(rc, 0);
    sill_scope_init(&scope, SILL_SCOPE_COLLECT);
    while (rc == 0) {
        struct sill_stream *stream = malloc(sizeof(*stream));

        rc = sill_listener_accept(&listener, stream, SILL_NEVER);
        if (rc == 0)
            rc = sill_scope_spawn(&scope, echo, stream);
        else
            free(stream);
    }
    sill_listener_close(&listener);
    ck_assert_int_eq(sill_scope_drain(&scope, SILL_PAST, SILL_NEVER), 0);
    sill_scope_fini(&scope);
    return 0;
}

struct sill_task *spawn_echo(struct sill_sim_host *host)
{
    struct sill_sim_host *before = sill_sim_host_enter(host);
    struct sill_task *task;

    ck_assert_int_eq(sill_spawn(serve, NULL, &task), 0);
    (void)sill_sim_host_enter(before);
    (void)sill_yield();
    return task;
}

void pair_open(struct link_pair *pair, struct sill_sim_host *a,
               struct sill_sim_host *b)
{
    struct sill_address address = echo_of(b);
    struct sill_sim_host *before = sill_sim_host_enter(b);

    pair->a = a;
    pair->b = b;
    ck_assert_int_eq(sill_listener_listen(&pair->listener, &address, NULL), 0);
    (void)sill_sim_host_enter(a);
    ck_assert_int_eq(
        sill_stream_connect(&pair->client, &address, NULL, in_ms(60000)), 0);
    (void)sill_sim_host_enter(before);
    ck_assert_int_eq(
        sill_listener_accept(&pair->listener, &pair->server, in_ms(60000)), 0);
}

void pair_close(struct link_pair *pair)
{
    sill_stream_close(&pair->client);
    sill_stream_close(&pair->server);
    sill_listener_close(&pair->listener);
}

int main(void)
{
    Suite *suite = suite_create("sim");
    SRunner *runner = srunner_create(suite);

    suite_add_tcase(suite, clock_cases());
    suite_add_tcase(suite, seed_cases());
    suite_add_tcase(suite, stream_cases());
    suite_add_tcase(suite, host_cases());
    suite_add_tcase(suite, datagram_cases());
    suite_add_tcase(suite, fault_cases());
    srunner_run_all(runner, CK_ENV);

    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed != 0;
}
