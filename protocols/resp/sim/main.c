/* SPDX-License-Identifier: MIT */
/*
 * The scenarios of RESP: a server, twelve tasks that share four clients, twelve
 * that borrow links, peers of bad manners, and what goes wrong meanwhile.
 */
#include "scene.h"

#include <stdio.h>
#include <string.h>

/* ---- commands ---- */

struct command *scene_add(struct scene *scene, enum kind kind, unsigned who)
{
    struct command *command = &scene->commands[scene->count];

    *command = (struct command){.number = scene->count++,
                                .who = who,
                                .kind = kind,
                                .result = 1,
                                .over = SILL_NEVER};
    scene->run->asked++;
    return command;
}

static char letters[MUCH + 26];

static void make_letters(void)
{
    for (size_t i = 0; i < sizeof(letters); i++)
        letters[i] = (char)('a' + i % 26);
}

struct sill_resp_view scene_letters(const struct command *command)
{
    return (struct sill_resp_view){letters + command->number % 26,
                                   command->size};
}

void scene_put(const struct command *command, struct words *words)
{
    static const char *const verbs[KINDS] = {
        "count",  "echo", "GIVE",   "tree", "slow",  "Tell",
        "refuse", "what", "select", "bye",  "break", "kill"};

    (void)snprintf(words->number, sizeof(words->number), "%u", command->number);
    (void)snprintf(words->size, sizeof(words->size), "%zu", command->size);
    words->args[0] = sill_resp_view(verbs[command->kind]);
    words->args[1] = sill_resp_view(words->number);
    words->args[2] = command->kind == GIVE ? sill_resp_view(words->size)
                                           : scene_letters(command);
}

bool scene_is_number(struct sill_resp_view text, uint64_t number)
{
    char due[24];

    (void)snprintf(due, sizeof(due), "%llu", (unsigned long long)number);
    return sill_resp_view_is_equal(text, sill_resp_view(due));
}

bool scene_chance(unsigned times)
{
    return sill_sim_random(times) == 0;
}

int scene_rest(sill_duration most)
{
    return sill_sleep(
        sill_after((sill_duration)sill_sim_random((uint64_t)most)));
}

/* What happened in this instant may have its effects behind the next. */
void scene_compute(struct scene *scene, sill_duration most)
{
    sill_time before = sill_now();

    sill_sim_spend((sill_duration)sill_sim_random((uint64_t)most));
    scene->busy = sill_now();
    for (unsigned i = 0; i < scene->count; i++) {
        struct command *command = &scene->commands[i];

        if (command->began == before)
            command->began = scene->busy;
        if (command->over == before)
            command->over = scene->busy;
    }
}

void scene_wrong(struct scene *scene, const struct command *command,
                 const char *what, long value)
{
    struct words words;

    scene_put(command, &words);
    sill_scenario_wrong(scene->run, "%s %s: %s (%ld)", words.args[0].at,
                        words.number, what, value);
}

/* ---- trouble ---- */

/* Does something bad, and undoes it. */
static int sabotage_once(struct scene *scene)
{
    struct sill_sim_host *hosts[] = {scene->server.host,
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

static int sabotage(void *arg)
{
    int rc = 0;

    while (rc == 0) {
        rc = scene_rest(100 * SILL_MILLISECOND);
        if (rc == 0)
            rc = sabotage_once(arg);
    }
    return rc;
}

static void end(struct server *server)
{
    sill_sim_note("the server is told to end");
    if (server->told > sill_now())
        server->told = sill_now();
    sill_resume(&server->stop, 0);
}

static int restart(void *arg)
{
    struct scene *scene = arg;
    int rc = 0;

    while (rc == 0) {
        rc = scene_rest(150 * SILL_MILLISECOND);
        if (rc == 0)
            end(&scene->server);
    }
    return rc;
}

/* ---- who is there ---- */

static int add_hosts(struct scene *scene)
{
    int rc = sill_sim_host_add("server", &scene->server.host);

    scene->server.scene = scene;
    sill_trigger_init(&scene->server.stop, NULL, NULL);
    for (unsigned i = 0; i < HOSTS && rc == 0; i++)
        rc = sill_sim_host_add("client", &scene->hosts[i]);
    return rc;
}

static int start_server(struct scene *scene, struct sill_scope *scope)
{
    int rc = sill_scope_spawn(scope, scene_serve, scene);

    return rc < 0 ? rc : sill_sleep(sill_after(SILL_MILLISECOND));
}

static int start_clients(struct scene *scene, struct sill_scope *scope)
{
    static sill_task_fn *const raw[PEERS] = {scene_be_quick, scene_be_slow,
                                             scene_be_deaf, scene_be_rude};
    struct sill_sim_host *before = sill_sim_host_current();
    int rc = 0;

    for (unsigned i = 0; i < HOSTS && rc == 0; i++) {
        (void)sill_sim_host_enter(scene->hosts[i]);
        rc = sill_scope_spawn(scope, scene_call, scene);
        if (rc == 0)
            rc = sill_scope_spawn(scope, scene_lend, scene);
    }
    for (unsigned i = 0; i < PEERS && rc == 0; i++)
        if (scene_chance(2))
            rc = sill_scope_spawn(scope, raw[i], scene);
    (void)sill_sim_host_enter(before);
    return rc;
}

static int start_trouble(struct scene *scene, struct sill_scope *scope)
{
    int rc = sill_scope_spawn(scope, scene_push, scene);

    if (rc == 0 && (scene->troubles & RESTARTS))
        rc = sill_scope_spawn(scope, restart, scene);
    if (rc == 0 && (scene->troubles & SABOTAGE))
        rc = sill_scope_spawn(scope, sabotage, scene);
    return rc;
}

void scene_finish(struct sill_scope *scope)
{
    (void)sill_scope_drain(scope, SILL_PAST, SILL_NEVER);
    sill_scope_fini(scope);
}

/* What was to be done once was done once or not at all, also after its task had
 * given up; what was never sent was not done; and nothing is made up. */
static void judge(struct scene *scene, const struct command *command)
{
    bool is_unsent = command->result == SILL_EBUSY ||
                     command->result == SILL_EINVAL ||
                     (command->result == SILL_ECLOSED && !command->again);

    if (command->handled > 1 && !command->again)
        scene_wrong(scene, command, "done so often", (long)command->handled);
    if (command->handled > 0 && is_unsent)
        scene_wrong(scene, command, "done, but never sent", command->result);
    if (command->handled == 0 && command->result == 0 &&
        command->kind != UNKNOWN)
        scene_wrong(scene, command, "answered, but not done", 0);
    if (command->told > command->handled)
        scene_wrong(scene, command, "told so often", (long)command->told);
}

static int run_scene(struct scene *scene)
{
    struct sill_scope server, clients, trouble;
    int rc;

    sill_scope_init(&server, SILL_SCOPE_COLLECT);
    sill_scope_init(&clients, SILL_SCOPE_COLLECT);
    sill_scope_init(&trouble, SILL_SCOPE_COLLECT);
    rc = start_server(scene, &server);
    if (rc == 0)
        rc = start_trouble(scene, &trouble);
    if (rc == 0)
        rc = start_clients(scene, &clients);
    if (rc == 0)
        rc = sill_scope_wait(&clients, SILL_NEVER);
    scene_finish(&clients);
    scene_finish(&trouble);
    scene->is_over = true;
    end(&scene->server);
    if (rc == 0)
        rc = sill_scope_wait(&server, SILL_NEVER);
    scene_finish(&server);
    for (unsigned i = 0; i < scene->count; i++)
        judge(scene, &scene->commands[i]);
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

static int play_drain(void *arg)
{
    return play(arg, HASTE | RESTARTS);
}

static int play_breaks(void *arg)
{
    return play(arg, HASTE | RESTARTS | BREAKS);
}

static int play_faults(void *arg)
{
    return play(arg, HASTE | BREAKS | NETWORK);
}

static int play_sabotage(void *arg)
{
    return play(arg, HASTE | RESTARTS | BREAKS | NETWORK | SABOTAGE);
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
        {"drain", NULL, play_drain},
        {"breaks", NULL, play_breaks},
        {"faults", add_faults, play_faults},
        {"sabotage", add_faults, play_sabotage},
        {"scarce", add_shortages, play_scarce},
        {NULL, NULL, NULL}};

    return sill_scenario_main(scenarios, argc, argv);
}
