/* SPDX-License-Identifier: MIT */
/*
 * Clients and a server of HTTP in a simulated world:
 *
 *     sim-http [--alone] [--faults] [--scarce] [--sabotage] [--trace]
 *              [--clients N] [--calls N] FIRST [COUNT]
 *
 * runs COUNT seeds from FIRST on and prints the hash of each, or of all. What
 * must hold whatever goes wrong: an answer that came is the right one, and all
 * that was opened is closed. When memory and descriptors are scarce, that is
 * all.
 */
#include "alone.h"

#include <sill/sill.h>
#include <sill/sim.h>
#include <sill_http.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct scene {
    unsigned clients, calls; /* of each */
    unsigned answered, failed, wrong;
    bool sabotaged;
    struct sill_sim_host *server_host, *last_host;
    struct sill_trigger stop;
};

enum { BODY = 3000 };

static char letter(unsigned long n, size_t at)
{
    return (char)('a' + (n + at) % 26);
}

/* Answers /n with letters that depend on it. */
static int answer(void *arg, struct sill_http_exchange *exchange)
{
    const struct sill_http_head *head = sill_http_request(exchange);
    unsigned long n = strtoul(head->target.at + 1, NULL, 10);
    char body[BODY];

    (void)arg;
    for (size_t i = 0; i < sizeof(body); i++)
        body[i] = letter(n, i);
    return sill_http_response_send(exchange, 200, body, sizeof(body),
                                   SILL_NEVER);
}

static int serve(void *arg)
{
    struct scene *scene = arg;
    struct sill_http_server server = {.handler = answer, .stop = &scene->stop};
    struct sill_listener listener;
    struct sill_address address;

    (void)sill_sim_host_enter(scene->server_host);
    address = (struct sill_address){.family = SILL_FAMILY_IPV4, .port = 80};

    int rc = sill_listener_listen(&listener, &address, NULL);

    return rc < 0 ? rc : sill_http_serve(&server, &listener, SILL_NEVER);
}

/* Returns 1 when all of the right body came. */
static int read_body(struct sill_http_call *call, unsigned long n,
                     sill_time deadline)
{
    const struct sill_http_head *head;
    char buffer[512];
    size_t sofar = 0;
    ssize_t got = sill_http_call_response(call, &head, deadline);
    bool wrong = false;

    if (got < 0)
        return (int)got;
    while ((got = sill_http_call_read(call, buffer, sizeof(buffer), deadline)) >
           0) {
        for (ssize_t i = 0; i < got; i++)
            wrong |= buffer[i] != letter(n, sofar + (size_t)i);
        sofar += (size_t)got;
    }
    if (got < 0)
        return (int)got;
    return head->status == 200 && sofar == BODY && !wrong;
}

static void ask(struct scene *scene, struct sill_http_client *client,
                unsigned long n)
{
    struct sill_address address;
    struct sill_http_call *call;
    sill_time deadline = sill_after(10 * SILL_SECOND);
    char url[128], text[SILL_ADDRESS_TEXT_MAX];

    sill_sim_host_address(scene->server_host, 80, &address);
    (void)snprintf(url, sizeof(url), "http://%s/%lu",
                   sill_address_format(&address, text, sizeof(text)), n);

    int rc = sill_http_call_open(client, url, NULL, &call, deadline);

    if (rc == 0)
        rc = read_body(call, n, deadline);
    sill_http_call_close(call);
    if (rc == 1)
        scene->answered++;
    else if (rc < 0)
        scene->failed++;
    else
        scene->wrong++;
}

static int be_client(void *arg)
{
    struct scene *scene = arg;
    struct sill_http_client client = {0};
    struct sill_sim_host *host;
    int rc = sill_sim_host_add("client", &host);

    if (rc < 0)
        return rc;
    (void)sill_sim_host_enter(host);
    scene->last_host = host;
    for (unsigned i = 0; i < scene->calls; i++) {
        rc = sill_sleep(
            sill_after((sill_duration)sill_sim_random(10 * SILL_MILLISECOND)));
        if (rc < 0)
            break;
        ask(scene, &client, sill_sim_random(1000));
    }
    sill_http_client_close(&client);
    return rc;
}

/* Does something bad, and undoes it. */
static int sabotage_once(struct scene *scene)
{
    struct sill_sim_host *hosts[] = {scene->server_host, scene->last_host};
    uint64_t which = sill_sim_random(4);
    sill_duration span =
        (sill_duration)sill_sim_random(which == 3 ? 70 : 2) * SILL_SECOND;
    int rc = 0;

    if (which < 2)
        sill_sim_host_crash(hosts[which]);
    else
        rc = sill_sim_cut(hosts[which % 2], hosts[1 - which % 2]);
    if (rc == 0)
        rc = sill_sleep(sill_after(span + SILL_MILLISECOND));
    if (which < 2)
        sill_sim_host_restart(hosts[which]);
    else
        sill_sim_heal(hosts[which % 2], hosts[1 - which % 2]);
    return rc;
}

static int sabotage(void *arg)
{
    struct scene *scene = arg;
    int rc = 0;

    while (rc == 0) {
        rc = sill_sleep(
            sill_after((sill_duration)sill_sim_random(100 * SILL_MILLISECOND)));
        if (rc == 0 && scene->last_host)
            rc = sabotage_once(scene);
    }
    return rc;
}

static int play(void *arg)
{
    struct scene *scene = arg;
    struct sill_scope clients;
    struct sill_task *server, *saboteur = NULL;
    int rc = sill_sim_host_add("server", &scene->server_host), result = 0;

    if (rc == 0)
        rc = sill_spawn(serve, scene, &server);
    if (rc < 0)
        return rc;
    rc = sill_sleep(sill_after(SILL_MILLISECOND));
    if (rc == 0 && scene->sabotaged)
        rc = sill_spawn(sabotage, scene, &saboteur);
    sill_scope_init(&clients, SILL_SCOPE_COLLECT);
    for (unsigned i = 0; i < scene->clients && rc == 0; i++)
        rc = sill_scope_spawn(&clients, be_client, scene);
    if (rc == 0)
        rc = sill_scope_wait(&clients, SILL_NEVER);
    sill_scope_fini(&clients);
    if (saboteur)
        (void)sill_cancel(saboteur, SILL_NEVER);
    sill_resume(&scene->stop, 0);
    if (rc == 0)
        rc = sill_await(server, &result, SILL_NEVER);
    return rc < 0 ? rc : result;
}

static void print(void *arg, const char *line)
{
    (void)arg;
    puts(line);
}

/* Returns whether all went as it must. */
static bool run_seed(const struct sill_sim_options *options,
                     const struct scene *model, uint64_t *hash, bool quiet)
{
    struct scene scene = *model;
    struct sill_sim_report report;
    int rc = sill_sim_run(options, play, &scene, &report);
    bool is_scarce = options->faults.allocation > 0;
    bool is_whole =
        rc == 0 && scene.answered + scene.failed == scene.clients * scene.calls;
    bool good = scene.wrong == 0 && report.left_open == 0 &&
                (is_whole || is_scarce) && rc != SILL_EDEADLK;

    *hash = *hash * 31 + report.hash;
    if (!good || !quiet)
        printf("seed %llu: %016llx, %llu events, %.6f s, %u answered, %u "
               "failed, %u wrong, %zu left open, %s%s\n",
               (unsigned long long)options->seed,
               (unsigned long long)report.hash,
               (unsigned long long)report.events,
               (double)(report.ended - SILL_SIM_START) / 1e9, scene.answered,
               scene.failed, scene.wrong, report.left_open, sill_strerror(rc),
               good ? "" : "  <-- wrong");
    return good;
}

int main(int argc, char **argv)
{
    struct scene model = {.clients = 2, .calls = 5, .stop = SILL_TRIGGER_INIT};
    struct sill_sim_options options;
    uint64_t first = 0, count = 1, hash = 0, bad = 0;
    double scarce = 0;
    int at = 1;

    sill_sim_options_init(&options, 0);
    for (; at < argc && argv[at][0] == '-'; at++) {
        if (strcmp(argv[at], "--faults") == 0)
            sill_sim_faults_init(&options.faults);
        else if (strcmp(argv[at], "--sabotage") == 0)
            model.sabotaged = true;
        else if (strcmp(argv[at], "--scarce") == 0)
            scarce = 0.003;
        else if (strcmp(argv[at], "--alone") == 0)
            be_alone();
        else if (strcmp(argv[at], "--trace") == 0)
            options.trace = print;
        else if (strcmp(argv[at], "--clients") == 0 && at + 1 < argc)
            model.clients = (unsigned)strtoul(argv[++at], NULL, 10);
        else if (strcmp(argv[at], "--calls") == 0 && at + 1 < argc)
            model.calls = (unsigned)strtoul(argv[++at], NULL, 10);
    }
    options.faults.allocation = options.faults.descriptor = scarce;
    if (at < argc)
        first = strtoull(argv[at++], NULL, 10);
    if (at < argc)
        count = strtoull(argv[at], NULL, 10);
    for (uint64_t i = 0; i < count; i++) {
        options.seed = first + i;
        bad += !run_seed(&options, &model, &hash, count > 1);
    }
    printf("%llu seeds, %llu bad, %016llx\n", (unsigned long long)count,
           (unsigned long long)bad, (unsigned long long)hash);
    return bad > 0;
}
