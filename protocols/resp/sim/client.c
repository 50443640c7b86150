/* SPDX-License-Identifier: MIT */
/*
 * Clients that many tasks share, and what these may be told.
 */
#include "scene.h"

#include <stdio.h>
#include <string.h>

/* A client, and what is known of it. */
struct caller {
    struct scene *scene;
    struct sill_resp_client client;
    unsigned host;
    unsigned ends;     /* how often it was made to end, ... */
    bool is_away;      /* ... and is not yet there again */
    size_t waiting;    /* what all calls may cost that have no reply */
    uint64_t lost;     /* calls that were told so, ... */
    uint64_t given_up; /* ... and that ended before there was a reply */
    uint64_t issue;    /* of the news */
    uint64_t edition;  /* the last one */
};

/* One of its tasks. */
struct asker {
    struct caller *caller;
    unsigned who;
    int64_t counted; /* what COUNT said last */
};

/* One call, in a task that may be cancelled. */
struct asking {
    struct asker *asker;
    struct command *command;
    bool is_vain;       /* it will be cancelled */
    sill_time deadline; /* soon, or later than anything takes */
    bool was_away;      /* the client, then */
    unsigned ends;      /* of it, by then */
    unsigned round;     /* of the server, if the client knew it, or 0 */
};

/* More than anything takes on a link without faults. */
#define UNDERWAY (2 * SILL_MILLISECOND)

static struct scene *scene_of(const struct asking *asking)
{
    return asking->asker->caller->scene;
}

/* ---- what to ask for ---- */

static size_t draw_size(const struct scene *scene)
{
    uint64_t dice = sill_sim_random(32);

    if (dice < 4)
        return 0;
    if (dice < 29 || (scene->troubles & RESTARTS))
        return sill_sim_random(3000);
    return sill_sim_random(dice < 31 ? 20000 : 150000);
}

static enum kind draw_kind(const struct asker *asker)
{
    const struct caller *caller = asker->caller;
    enum kind kind = (enum kind)sill_sim_random(2 * KINDS);
    bool breaks = kind == BYE || kind == BREAK || kind == KILL;

    if (kind >= KINDS || (breaks && !(caller->scene->troubles & BREAKS)) ||
        (kind == TELL && caller->client.version != 3))
        return scene_chance(2) ? COUNT : ECHO;
    return kind;
}

static struct command *draw_command(const struct asker *asker)
{
    struct scene *scene = asker->caller->scene;
    struct command *command = scene_add(scene, draw_kind(asker), asker->who);

    command->size = draw_size(scene);
    command->again = command->kind != BREAK && command->kind != KILL &&
                     command->kind != BYE && scene_chance(2);
    return command;
}

/* ---- what comes ---- */

static bool is_integer(const struct sill_resp_value *value, uint64_t number)
{
    return value->type == SILL_RESP_INTEGER &&
           value->integer == (int64_t)number;
}

static bool is_string(const struct sill_resp_value *value,
                      enum sill_resp_type type, struct sill_resp_view text)
{
    return value->type == type && sill_resp_view_is_equal(value->text, text);
}

/* What grow_tree says, in either version. */
static bool is_tree(const struct asking *asking,
                    const struct sill_resp_value *value, size_t count)
{
    bool is_new = asking->asker->caller->client.version == 3;
    struct sill_resp_view letters = scene_letters(asking->command);

    if (count != 6 || value[0].count != 2 || value[2].count != 3)
        return false;
    if (!is_new)
        return value[0].type == SILL_RESP_ARRAY &&
               is_string(&value[1], SILL_RESP_STRING, letters) &&
               value[2].type == SILL_RESP_ARRAY && is_integer(&value[4], 1);
    return value[0].type == SILL_RESP_MAP &&
           is_string(&value[1], SILL_RESP_VERBATIM, letters) &&
           value[2].type == SILL_RESP_SET && value[3].type == SILL_RESP_NULL &&
           value[4].type == SILL_RESP_BOOLEAN && value[4].integer == 1 &&
           is_string(&value[5], SILL_RESP_DOUBLE, SILL_RESP_VIEW("-1.5"));
}

/* Numbers of one task grow, whatever became of calls in between. */
static bool is_next_count(const struct asking *asking,
                          const struct sill_resp_value *value)
{
    struct asker *asker = asking->asker;
    bool is_next = value->type == SILL_RESP_INTEGER &&
                   value->integer > asker->counted &&
                   value->integer <= asking->command->counted;

    asker->counted = value->integer;
    return is_next;
}

static bool is_answer(const struct asking *asking,
                      const struct sill_resp_value *value, size_t count)
{
    const struct command *command = asking->command;

    if (count < 4 || value[0].type != SILL_RESP_ARRAY || value[0].count != 3 ||
        value[0].span != count || !is_integer(&value[1], command->number) ||
        !is_integer(&value[2], command->who))
        return false;
    if (command->kind == COUNT)
        return count == 4 && is_next_count(asking, &value[3]);
    if (command->kind == TREE)
        return is_tree(asking, value + 3, count - 3);
    return count == 4 &&
           is_string(&value[3], SILL_RESP_STRING, scene_letters(command));
}

/* Whether the error is the one that is due, for this very command. */
static bool is_refusal(const struct command *command, const char *format,
                       const struct sill_resp_value *value, size_t count)
{
    char text[128];
    int size =
        snprintf(text, sizeof(text), format, command->number, command->who);

    return count == 1 && value->type == SILL_RESP_ERROR &&
           value->text.size >= (size_t)size &&
           memcmp(value->text.at, text, (size_t)size) == 0;
}

static void check_answer(const struct asking *asking,
                         const struct sill_resp_answer *answer)
{
    const struct command *command = asking->command;
    bool is_right;

    if (command->kind == REFUSE)
        is_right =
            is_refusal(command, "NO %u %u", answer->values, answer->count);
    else if (command->kind == UNKNOWN)
        is_right =
            is_refusal(command,
                       "ERR unknown command 'what', with args beginning with: "
                       "'%u' ",
                       answer->values, answer->count);
    else
        is_right = command->kind != BREAK &&
                   is_answer(asking, answer->values, answer->count);
    if (!is_right)
        scene_wrong(scene_of(asking), command, "another answer",
                    (long)answer->count);
}

/* ---- what is pushed ---- */

static bool is_told(struct caller *caller, const struct sill_resp_value *value)
{
    struct scene *scene = caller->scene;
    int64_t number;

    if (!sill_resp_integer(value[2].text, &number) || number < 0 ||
        number >= (int64_t)scene->count)
        return false;
    scene->commands[number].told++;
    return scene->commands[number].who / TASKS == caller->host;
}

/* Of each issue all editions come, from the first one on, once and in order. */
static bool is_news(struct caller *caller, const struct sill_resp_value *value)
{
    int64_t issue, edition;

    if (!sill_resp_integer(value[2].text, &issue) ||
        !sill_resp_integer(value[3].text, &edition))
        return false;
    if ((uint64_t)issue != caller->issue)
        caller->edition = 0;

    bool is_next = (uint64_t)issue >= caller->issue &&
                   (uint64_t)edition == caller->edition + 1;

    caller->issue = (uint64_t)issue;
    caller->edition = (uint64_t)edition;
    return is_next;
}

static void take_push(void *arg, const struct sill_resp_value *values,
                      size_t count)
{
    struct caller *caller = arg;
    bool is_right = count > 2 && values[0].type == SILL_RESP_PUSH;

    if (is_right && count == 3)
        is_right =
            is_string(&values[1], SILL_RESP_STRING, SILL_RESP_VIEW("told")) &&
            is_told(caller, values);
    else if (is_right)
        is_right =
            count == 5 &&
            is_string(&values[1], SILL_RESP_STRING, SILL_RESP_VIEW("news")) &&
            is_news(caller, values);
    if (!is_right)
        sill_scenario_wrong(caller->scene->run, "client %u: a push of %zu",
                            caller->host, count);
}

/* ---- a call ---- */

/* Whether a task may learn of (rc). */
static bool is_possible(const struct asking *asking, int rc)
{
    const struct caller *caller = asking->asker->caller;
    unsigned troubles = caller->scene->troubles;

    if (asking->command->kind == UNFIT)
        return rc == SILL_EINVAL;
    switch (rc) {
    case 0:
        return true;
    case SILL_ECANCELED:
        return asking->is_vain;
    case SILL_ETIMEDOUT:
        return sill_now() >= asking->deadline;
    case SILL_ECONNRESET:
        return troubles != 0 && !asking->command->again;
    case SILL_ECLOSED:
        return caller->ends > 0;
    case SILL_EBUSY:
        return caller->client.pending_max != 0 &&
               caller->waiting > caller->client.pending_max;
    case SILL_ENOMEM:
        return (troubles & SHORTAGES) != 0;
    default:
        return false;
    }
}

/* Whether it was there before the server was told to end, if it was. */
static bool had_arrived(const struct asking *asking)
{
    const struct server *server = &scene_of(asking)->server;
    sill_time there = asking->command->began + UNDERWAY;

    if (asking->round == 0)
        return false;
    if (asking->round == server->round)
        return server->told >= there;
    return asking->round + 1 == server->round && server->told_before >= there;
}

/* Whether nothing of what happened can be the reason of a failure: on a network
 * without faults, what may be done twice is done in the end; and where sessions
 * end only with the server, what had arrived is answered, and an answer comes
 * through. */
static bool has_to_succeed(const struct asking *asking)
{
    unsigned troubles =
        scene_of(asking)->troubles & ~(unsigned)(HASTE | RESTARTS);

    if (asking->is_vain || asking->was_away ||
        asking->deadline < asking->command->began + 10 * SILL_SECOND ||
        asking->ends != asking->asker->caller->ends)
        return false;
    if (asking->command->again)
        return (troubles & ~(unsigned)BREAKS) == 0;
    return troubles == 0 && (asking->command->complete || had_arrived(asking));
}

static void judge(const struct asking *asking, int rc)
{
    struct scene *scene = scene_of(asking);

    if (!is_possible(asking, rc))
        scene_wrong(scene, asking->command, sill_strerror(rc), rc);
    else if (rc != 0 && rc != SILL_EBUSY && rc != SILL_EINVAL &&
             has_to_succeed(asking))
        scene_wrong(scene, asking->command, "had to be answered", rc);
}

static void look_around(struct asking *asking)
{
    const struct caller *caller = asking->asker->caller;
    const struct server *server = &caller->scene->server;

    asking->command->began = sill_now();
    asking->was_away = caller->is_away;
    asking->ends = caller->ends;
    if (caller->client.stats.connected && server->told > sill_now() &&
        caller->scene->busy < sill_now() &&
        asking->command->began - server->began > UNDERWAY)
        asking->round = server->round;
}

/* What counts until there is a reply, also when nobody waits for it. */
static size_t cost(const struct words *words)
{
    size_t sum = 32;

    for (int i = 0; i < 3; i++)
        sum += words->args[i].size + 32;
    return sum;
}

static void keep_count(const struct asking *asking, int rc)
{
    struct caller *caller = asking->asker->caller;

    asking->command->result = rc;
    asking->command->over = sill_now();
    caller->lost += rc == SILL_ECONNRESET;
    caller->given_up += rc == SILL_ECANCELED || rc == SILL_ETIMEDOUT;
    caller->scene->run->answered += rc == 0;
    caller->scene->run->failed += rc != 0;
}

static int be_asking(void *arg)
{
    struct asking *asking = arg;
    bool is_hasty =
        (scene_of(asking)->troubles & HASTE) != 0 && scene_chance(16);
    sill_duration most =
        is_hasty ? (sill_duration)sill_sim_random(20 * SILL_MILLISECOND)
                 : 30 * SILL_SECOND;
    struct sill_resp_answer answer;
    struct words words;

    asking->command = draw_command(asking->asker);
    asking->deadline = sill_after(most);
    look_around(asking);
    scene_put(asking->command, &words);
    asking->asker->caller->waiting += cost(&words);

    int rc =
        sill_resp_client_call(&asking->asker->caller->client, words.args, 3,
                              asking->command->again ? SILL_RESP_AGAIN : 0,
                              &answer, asking->deadline);

    if (rc == 0)
        check_answer(asking, &answer);
    else if (answer.values || answer.count > 0)
        scene_wrong(scene_of(asking), asking->command, "more than empty", rc);
    sill_resp_answer_free(&answer);
    keep_count(asking, rc);
    judge(asking, rc);
    if (rc != SILL_ECANCELED && rc != SILL_ETIMEDOUT)
        asking->asker->caller->waiting -= cost(&words);
    return rc;
}

/* Asks in another task, and cancels it. */
static int ask_in_vain(struct asking *asking)
{
    struct sill_task *task;
    int rc;

    asking->is_vain = true;
    rc = sill_spawn(be_asking, asking, &task);
    if (rc < 0)
        return rc;
    rc = scene_rest(5 * SILL_MILLISECOND);
    (void)sill_cancel(task, SILL_NEVER);
    return rc;
}

static int ask_often(void *arg)
{
    struct asker *asker = arg;
    bool is_hasty = (asker->caller->scene->troubles & HASTE) != 0;
    int rc = 0;

    for (unsigned i = 0; i < CALLS && rc == 0; i++) {
        struct asking asking = {.asker = asker};

        rc = scene_rest(10 * SILL_MILLISECOND);
        if (rc == 0 && is_hasty && scene_chance(16))
            rc = ask_in_vain(&asking);
        else if (rc == 0)
            (void)be_asking(&asking);
    }
    return rc;
}

/* ---- a client ---- */

static void prepare(struct caller *caller)
{
    struct sill_resp_client *client = &caller->client;

    sill_sim_host_address(caller->scene->server.host, 6379, &client->address);
    client->version = scene_chance(2) ? 2 : 3;
    client->password = scene_chance(2) ? "open" : NULL;
    client->database = (int)sill_sim_random(2);
    client->pushed = take_push;
    client->arg = caller;
    client->pause_min = (sill_duration)sill_sim_random(50) * SILL_MILLISECOND;
    client->pause_max = 100 * SILL_MILLISECOND; /* the server is seldom there */
    client->connect_timeout = SILL_SECOND;
    client->pending_max = scene_chance(4) ? 2000 + sill_sim_random(4000) : 0;
}

/* What holds while nobody calls and nobody runs it. */
static void check_rest(const struct caller *caller)
{
    const struct sill_resp_client *client = &caller->client;

    if (client->stats.connected || client->first || client->pending != 0)
        sill_scenario_wrong(caller->scene->run, "client %u is not at rest",
                            caller->host);
    if (client->stats.lost != caller->lost)
        sill_scenario_wrong(caller->scene->run, "client %u lost %llu, not %llu",
                            caller->host,
                            (unsigned long long)client->stats.lost,
                            (unsigned long long)caller->lost);
    if (client->stats.dropped > caller->given_up)
        sill_scenario_wrong(caller->scene->run, "client %u dropped %llu",
                            caller->host,
                            (unsigned long long)client->stats.dropped);
}

static int run_for_a_while(struct caller *caller)
{
    bool is_hasty = (caller->scene->troubles & HASTE) != 0 && scene_chance(2);
    sill_time end = SILL_NEVER;
    struct sill_scope scope;

    if (is_hasty)
        end =
            sill_after((sill_duration)sill_sim_random(200 * SILL_MILLISECOND));
    sill_scope_init(&scope, SILL_SCOPE_COLLECT);

    int rc = sill_scope_spawn(&scope, sill_resp_client_run, &caller->client);

    while (rc == 0 && caller->client.ended)
        rc = sill_yield(); /* until it runs again */
    caller->is_away = rc != 0;
    if (rc == 0)
        rc = sill_sleep(end);
    caller->ends++;
    caller->is_away = true;
    scene_finish(&scope);
    if (caller->client.stats.connected)
        sill_scenario_wrong(caller->scene->run, "client %u is connected",
                            caller->host);
    return rc == SILL_ENOMEM ? 0 : rc;
}

/* Ends now and then, and begins again. */
static int keep_client(void *arg)
{
    struct caller *caller = arg;
    int rc = 0;

    while (rc == 0) {
        rc = run_for_a_while(caller);
        if (rc == 0)
            rc = scene_rest(5 * SILL_MILLISECOND);
    }
    return rc;
}

unsigned scene_host_number(const struct scene *scene)
{
    unsigned i = 0;

    while (scene->hosts[i] != sill_sim_host_current())
        i++;
    return i;
}

int scene_call(void *arg)
{
    struct scene *scene = arg;
    struct caller caller = {.scene = scene, .host = scene_host_number(scene)};
    struct asker askers[TASKS];
    struct sill_scope tasks, keeper;
    int rc;

    prepare(&caller);
    sill_scope_init(&tasks, SILL_SCOPE_COLLECT);
    sill_scope_init(&keeper, SILL_SCOPE_COLLECT);
    rc = sill_scope_spawn(&keeper, keep_client, &caller);
    for (unsigned i = 0; i < TASKS && rc == 0; i++) {
        askers[i] =
            (struct asker){.caller = &caller, .who = caller.host * TASKS + i};
        rc = sill_scope_spawn(&tasks, ask_often, &askers[i]);
    }
    if (rc == 0)
        rc = sill_scope_wait(&tasks, SILL_NEVER);
    scene_finish(&tasks);
    scene_finish(&keeper);
    check_rest(&caller);
    return rc;
}
