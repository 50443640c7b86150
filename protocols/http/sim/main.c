/* SPDX-License-Identifier: MIT */
/*
 * The scenarios of HTTP: two servers, ten tasks that call them, peers of bad
 * manners, and what goes wrong meanwhile.
 */
#include "scene.h"

#include <stdio.h>
#include <string.h>

/* ---- requests ---- */

struct request *scene_add(struct scene *scene, enum kind kind)
{
    struct request *request = &scene->requests[scene->count];

    *request =
        (struct request){.id = scene->count++, .kind = kind, .method = "GET"};
    scene->run->asked++;
    return request;
}

static char letters[PIECE + 26];

static void make_letters(void)
{
    for (size_t i = 0; i < sizeof(letters); i++)
        letters[i] = (char)('a' + i % 26);
}

const char *scene_letters(const struct request *request, size_t at)
{
    return letters + (request->id + at) % 26;
}

bool scene_chance(unsigned times)
{
    return sill_sim_random(times) == 0;
}

void scene_wrong(struct scene *scene, const struct request *request,
                 const char *what, long value)
{
    sill_scenario_wrong(scene->run, "%s /%u: %s (%ld)", request->method,
                        request->id, what, value);
}

/* ---- trouble ---- */

/* Does something bad, and undoes it. */
static int sabotage_once(struct scene *scene)
{
    struct sill_sim_host *hosts[] = {
        scene->servers[sill_sim_random(SERVERS)].host,
        scene->hosts[sill_sim_random(HOSTS)]};
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

static int pause_for(uint64_t most)
{
    return sill_sleep(sill_after((sill_duration)sill_sim_random(most)));
}

static int sabotage(void *arg)
{
    struct scene *scene = arg;
    int rc = 0;

    while (rc == 0) {
        rc = pause_for(100 * SILL_MILLISECOND);
        if (rc == 0)
            rc = sabotage_once(scene);
    }
    return rc;
}

static void end(struct server *server)
{
    sill_sim_note("server %d ends", (int)(server - server->scene->servers));
    if (server->told == SILL_NEVER)
        server->told = sill_now();
    sill_resume(&server->stop, 0);
}

static int restart(void *arg)
{
    struct scene *scene = arg;
    int rc = 0;

    while (rc == 0) {
        rc = pause_for(150 * SILL_MILLISECOND);
        if (rc == 0)
            end(&scene->servers[sill_sim_random(SERVERS)]);
    }
    return rc;
}

/* ---- who is there ---- */

static int add_hosts(struct scene *scene)
{
    int rc = 0;

    for (unsigned i = 0; i < SERVERS && rc == 0; i++) {
        scene->servers[i].scene = scene;
        sill_trigger_init(&scene->servers[i].stop, NULL, NULL);
        rc = sill_sim_host_add("server", &scene->servers[i].host);
    }
    for (unsigned i = 0; i < HOSTS && rc == 0; i++)
        rc = sill_sim_host_add("client", &scene->hosts[i]);
    return rc;
}

static int start_servers(struct scene *scene, struct sill_scope *scope)
{
    int rc = 0;

    for (unsigned i = 0; i < SERVERS && rc == 0; i++)
        rc = sill_scope_spawn(scope, scene_serve, &scene->servers[i]);
    return rc < 0 ? rc : sill_sleep(sill_after(SILL_MILLISECOND));
}

static int start_clients(struct scene *scene, struct sill_scope *scope)
{
    static sill_task_fn *const raw[] = {scene_be_quick, scene_be_slow,
                                        scene_be_deaf};
    struct sill_sim_host *before = sill_sim_host_current();
    int rc = 0;

    for (unsigned i = 0; i < HOSTS && rc == 0; i++) {
        (void)sill_sim_host_enter(scene->hosts[i]);
        rc = sill_scope_spawn(scope, scene_call, scene);
    }
    for (unsigned i = 0; i < sizeof(raw) / sizeof(*raw) && rc == 0; i++)
        if (scene_chance(2))
            rc = sill_scope_spawn(scope, raw[i], scene);
    (void)sill_sim_host_enter(before);
    return rc;
}

static int start_trouble(struct scene *scene, struct sill_scope *scope)
{
    int rc = 0;

    if (scene->troubles & RESTARTS)
        rc = sill_scope_spawn(scope, restart, scene);
    if (rc == 0 && (scene->troubles & SABOTAGE))
        rc = sill_scope_spawn(scope, sabotage, scene);
    return rc;
}

static void finish(struct sill_scope *scope)
{
    (void)sill_scope_drain(scope, SILL_PAST, SILL_NEVER);
    sill_scope_fini(scope);
}

static int run_scene(struct scene *scene)
{
    struct sill_scope servers, clients, trouble;
    int rc;

    sill_scope_init(&servers, SILL_SCOPE_COLLECT);
    sill_scope_init(&clients, SILL_SCOPE_COLLECT);
    sill_scope_init(&trouble, SILL_SCOPE_COLLECT);
    rc = start_servers(scene, &servers);
    if (rc == 0)
        rc = start_trouble(scene, &trouble);
    if (rc == 0)
        rc = start_clients(scene, &clients);
    if (rc == 0)
        rc = sill_scope_wait(&clients, SILL_NEVER);
    finish(&clients);
    finish(&trouble);
    scene->is_over = true;
    for (unsigned i = 0; i < SERVERS; i++)
        end(&scene->servers[i]);
    if (rc == 0)
        rc = sill_scope_wait(&servers, SILL_NEVER);
    finish(&servers);
    return rc;
}

static int play(struct sill_scenario_run *run, unsigned troubles)
{
    struct scene *scene = sill_alloc(sizeof(*scene));

    if (!scene)
        return SILL_ENOMEM;
    make_letters();
    memset(scene, 0, sizeof(*scene));
    scene->run = run;
    scene->troubles = troubles;

    int rc = add_hosts(scene);

    if (rc == 0)
        rc = run_scene(scene);
    sill_free(scene);
    return rc;
}

/* ---- the scenarios ---- */

static int play_calm(void *arg)
{
    return play(arg, 0);
}

static int play_restarts(void *arg)
{
    return play(arg, HASTE | RESTARTS);
}

static int play_faults(void *arg)
{
    return play(arg, HASTE | NETWORK);
}

static int play_sabotage(void *arg)
{
    return play(arg, HASTE | RESTARTS | NETWORK | SABOTAGE);
}

static int play_scarce(void *arg)
{
    return play(arg, HASTE | NETWORK | SHORTAGES);
}

static void add_faults(struct sill_sim_options *options)
{
    sill_sim_faults_init(&options->faults);
}

static void add_shortages(struct sill_sim_options *options)
{
    add_faults(options);
    options->faults.allocation = options->faults.descriptor = 0.003;
}

int main(int argc, char **argv)
{
    static const struct sill_scenario scenarios[] = {
        {"calm", NULL, play_calm},
        {"restarts", NULL, play_restarts},
        {"faults", add_faults, play_faults},
        {"sabotage", add_faults, play_sabotage},
        {"scarce", add_shortages, play_scarce},
        {NULL, NULL, NULL}};

    return sill_scenario_main(scenarios, argc, argv);
}
