/* SPDX-License-Identifier: MIT */
/*
 * Tasks that borrow links, and say several things at once over each.
 */
#include "scene.h"

#include <string.h>

/* A client that lends its links, on one host. */
struct lender {
    struct scene *scene;
    struct sill_resp_client client;
    size_t lent;
};

/* One of those who borrow. */
struct user {
    struct lender *lender;
    unsigned who;
    bool is_vain; /* it will be cancelled */
    sill_time deadline;
};

/* Whether one may learn of (rc). */
static bool is_possible(const struct user *user, int rc)
{
    unsigned troubles = user->lender->scene->troubles;

    switch (rc) {
    case 0:
        return true;
    case SILL_ECANCELED:
        return user->is_vain;
    case SILL_ENOMEM:
    case SILL_EMFILE:
        return (troubles & SHORTAGES) != 0;
    case SILL_EPROTO:
    case SILL_EMSGSIZE:
    case SILL_EACCES:
    case SILL_EBUSY:
    case SILL_EINVAL:
    case SILL_ECLOSED:
        return false;
    default:
        return troubles != 0;
    }
}

/* ---- what is said over a link ---- */

static size_t draw_size(const struct scene *scene)
{
    if (sill_sim_random(8) > 0 || (scene->troubles & RESTARTS))
        return sill_sim_random(3000);
    return sill_sim_random(100000); /* more than a connection holds */
}

static int add(struct user *user, struct sill_resp_link *link,
               struct command **command)
{
    static const enum kind kinds[] = {ECHO, GIVE, SLOW, REFUSE};
    struct scene *scene = user->lender->scene;
    struct words words;

    *command = scene_add(scene, kinds[sill_sim_random(4)], user->who);
    (*command)->size = draw_size(scene);
    (*command)->began = sill_now();
    scene_put(*command, &words);
    return sill_resp_link_add(link, words.args, 3);
}

static void check(const struct user *user, const struct command *command,
                  const struct sill_resp_answer *answer)
{
    const struct sill_resp_value *value = answer->values;
    bool is_right = command->kind == REFUSE
                        ? value[0].type == SILL_RESP_ERROR
                        : answer->count == 4 &&
                              value[1].integer == command->number &&
                              value[2].integer == command->who &&
                              sill_resp_view_is_equal(value[3].text,
                                                      scene_letters(command));

    if (!is_right)
        scene_wrong(user->lender->scene, command, "another answer over a link",
                    (long)answer->count);
}

/* Takes the next reply; who does not wait for long, now and then, has to ask
 * again, and has lost nothing. */
static int take_reply(const struct user *user, struct sill_resp_link *link,
                      struct sill_resp_answer *answer)
{
    int rc = SILL_ETIMEDOUT;

    while (rc == SILL_ETIMEDOUT && scene_chance(2))
        rc = sill_resp_link_next(
            link, answer,
            sill_after((sill_duration)sill_sim_random(SILL_MILLISECOND)));
    if (rc == SILL_ETIMEDOUT)
        rc = sill_resp_link_next(link, answer, user->deadline);
    return rc;
}

static int take(const struct user *user, struct sill_resp_link *link,
                struct command *command)
{
    struct sill_resp_answer answer;
    int rc;

    do
        rc = take_reply(user, link, &answer);
    while (rc == 0 && answer.values[0].type == SILL_RESP_PUSH);
    if (rc == 0)
        check(user, command, &answer);
    command->result = rc;
    return rc;
}

static int converse(struct user *user, struct sill_resp_link *link)
{
    struct sill_scenario_run *run = user->lender->scene->run;
    struct command *commands[SAID];
    unsigned most = 1 + (unsigned)sill_sim_random(SAID), added = 0, taken = 0;
    int rc = 0;

    while (added < most && rc == 0)
        rc = add(user, link, &commands[added++]);
    while (taken < added && rc == 0)
        rc = take(user, link, commands[taken++]);
    taken -= rc != 0 && taken > 0;
    run->answered += taken;
    run->failed += added - taken;
    return rc;
}

/* ---- who borrows ---- */

/* A task. */
static int borrow(void *arg)
{
    struct user *user = arg;
    struct lender *lender = user->lender;
    struct sill_resp_link *link;
    int rc = sill_resp_link_take(&link, &lender->client, user->deadline);

    if (rc == 0) {
        if (++lender->lent > lender->client.links_max)
            sill_scenario_wrong(lender->scene->run, "%zu links are lent",
                                lender->lent);
        rc = converse(user, link);
        lender->lent--;
        sill_resp_link_give(link);
    }
    if (!is_possible(user, rc))
        sill_scenario_wrong(lender->scene->run, "a link: %s",
                            sill_strerror(rc));
    return rc;
}

static int borrow_in_vain(struct user *user)
{
    struct sill_task *task;
    int rc = sill_spawn(borrow, user, &task);

    if (rc < 0)
        return rc == SILL_ENOMEM ? 0 : rc;
    rc = scene_rest(5 * SILL_MILLISECOND);
    (void)sill_cancel(task, SILL_NEVER);
    return rc;
}

static int borrow_often(void *arg)
{
    const struct user *first = arg;
    bool is_hasty = (first->lender->scene->troubles & HASTE) != 0;
    int rc = 0;

    for (unsigned i = 0; i < LOANS && rc == 0; i++) {
        struct user user = *first;

        user.is_vain = is_hasty && scene_chance(8);
        user.deadline = is_hasty && scene_chance(8)
                            ? sill_after((sill_duration)sill_sim_random(
                                  20 * SILL_MILLISECOND))
                            : sill_after(30 * SILL_SECOND);
        rc = scene_rest(10 * SILL_MILLISECOND);
        if (rc == 0 && user.is_vain)
            rc = borrow_in_vain(&user);
        else if (rc == 0)
            (void)borrow(&user);
    }
    return rc;
}

static void prepare(struct lender *lender)
{
    struct sill_resp_client *client = &lender->client;

    sill_sim_host_address(lender->scene->server.host, 6379, &client->address);
    client->version = scene_chance(2) ? 2 : 3;
    client->password = scene_chance(2) ? "open" : NULL;
    client->connect_timeout = SILL_SECOND;
    client->links_max = 1 + sill_sim_random(TASKS);
}

int scene_lend(void *arg)
{
    struct scene *scene = arg;
    struct lender lender = {.scene = scene};
    struct user users[TASKS];
    struct sill_scope tasks;
    int rc = 0;

    prepare(&lender);
    sill_scope_init(&tasks, SILL_SCOPE_COLLECT);
    for (unsigned i = 0; i < TASKS && rc == 0; i++) {
        users[i] = (struct user){.lender = &lender,
                                 .who = scene_host_number(scene) * TASKS + i};
        rc = sill_scope_spawn(&tasks, borrow_often, &users[i]);
    }
    if (rc == 0)
        rc = sill_scope_wait(&tasks, SILL_NEVER);
    scene_finish(&tasks);
    sill_resp_links_close(&lender.client);
    if (lender.client.turns != 0 || lender.client.waiter || lender.lent != 0)
        sill_scenario_wrong(scene->run, "links are still lent");
    return rc;
}
