/* SPDX-License-Identifier: MIT */
/*
 * A server that ends and begins again. Its verbs do what the command asks for,
 * and look whether that is what somebody meant, and whether it is its turn.
 */
#include "scene.h"

#include <stdio.h>

/* What the server remembers of a session. */
struct memory {
    unsigned who;      /* spoke last, ... */
    unsigned next;     /* ... and the least number that may come now */
    unsigned editions; /* of the news, that were pushed */
    bool is_deaf;      /* said so, and will take nothing */
    size_t given;      /* bytes, about, that were pushed all the same */
};

static struct server *server_of(const struct sill_resp_session *session)
{
    return sill_resp_session_server(session)->arg;
}

static struct memory *memory_of(struct sill_resp_session *session)
{
    return sill_resp_session_data(session);
}

static struct command *find(struct scene *scene, struct sill_resp_view text)
{
    int64_t number;

    if (!sill_resp_integer(text, &number) || number < 0 ||
        number >= (int64_t)scene->count)
        return NULL;
    return &scene->commands[number];
}

static struct command *command_of(const struct sill_resp_session *session,
                                  const struct sill_resp_view *args)
{
    return find(server_of(session)->scene, args[1]);
}

/* ---- verbs ---- */

/* Begins a reply, of which the third value is still to come. */
static void begin(struct sill_resp_session *session,
                  const struct command *command)
{
    sill_resp_reply_array(session, 3);
    sill_resp_reply_integer(session, command->number);
    sill_resp_reply_integer(session, command->who);
}

static int be_asked(struct sill_resp_session *session,
                    const struct sill_resp_view *args, size_t count)
{
    const struct command *command = command_of(session, args);

    (void)count;
    begin(session, command);
    sill_resp_reply_string(session, scene_letters(command));
    return 0;
}

static int count_one(struct sill_resp_session *session,
                     const struct sill_resp_view *args, size_t count)
{
    struct command *command = command_of(session, args);

    (void)count;
    command->counted = ++server_of(session)->scene->counts[command->who];
    begin(session, command);
    sill_resp_reply_integer(session, command->counted);
    return 0;
}

static int grow_tree(struct sill_resp_session *session,
                     const struct sill_resp_view *args, size_t count)
{
    const struct command *command = command_of(session, args);

    (void)count;
    begin(session, command);
    sill_resp_reply_map(session, 1);
    sill_resp_reply_verbatim(session, "txt", scene_letters(command));
    sill_resp_reply_set(session, 3);
    sill_resp_reply_null(session);
    sill_resp_reply_boolean(session, true);
    sill_resp_reply_double(session, SILL_RESP_VIEW("-1.5"));
    return 0;
}

static int be_slow(struct sill_resp_session *session,
                   const struct sill_resp_view *args, size_t count)
{
    sill_duration most = 20 * SILL_MILLISECOND;
    int rc = 0;

    if (scene_chance(2))
        scene_compute(server_of(session)->scene, most);
    else
        rc = scene_rest(most);
    return rc < 0 ? rc : be_asked(session, args, count);
}

/* What is pushed here comes behind the reply, though it is said before. */
static int tell(struct sill_resp_session *session,
                const struct sill_resp_view *args, size_t count)
{
    const struct sill_resp_view told[] = {SILL_RESP_VIEW_INIT("told"), args[1]};

    (void)sill_resp_push(session, told, 2);
    return be_asked(session, args, count);
}

static int refuse(struct sill_resp_session *session,
                  const struct sill_resp_view *args, size_t count)
{
    const struct command *command = command_of(session, args);

    (void)count;
    sill_resp_reply_error(session, "NO %u %u", command->number, command->who);
    return 0;
}

static int say_bye(struct sill_resp_session *session,
                   const struct sill_resp_view *args, size_t count)
{
    sill_resp_session_end(session);
    return be_asked(session, args, count);
}

static int break_off(struct sill_resp_session *session,
                     const struct sill_resp_view *args, size_t count)
{
    (void)be_asked(session, args, count);
    return SILL_EIO;
}

static int kill_any(struct sill_resp_session *session,
                    const struct sill_resp_view *args, size_t count)
{
    struct sill_resp_server *resp = sill_resp_session_server(session);
    uint64_t which = sill_sim_random(resp->stats.open);
    struct sill_resp_session *victim = sill_resp_session_next(resp, NULL);

    while (which-- > 0)
        victim = sill_resp_session_next(resp, victim);
    sill_resp_session_kill(victim);
    return be_asked(session, args, count);
}

/* HELLO, AUTH and SELECT, the first words of a client. */
static int greet(struct sill_resp_session *session,
                 const struct sill_resp_view *args, size_t count)
{
    if (count > 1 && sill_resp_view_is_equal(args[1], SILL_RESP_VIEW("3")) &&
        sill_resp_view_is_equal(args[0], SILL_RESP_VIEW("HELLO")))
        sill_resp_session_set_version(session, 3);
    if (sill_resp_view_is_equal(args[count - 1], SILL_RESP_VIEW("deaf")))
        memory_of(session)->is_deaf = true;
    sill_resp_reply_simple(session, "OK");
    return 0;
}

enum { GREETING = 1 };

static const struct sill_resp_verb verbs[] = {
    {"auth", greet, -2, GREETING},  {"break", break_off, 3, 0},
    {"bye", say_bye, 3, 0},         {"count", count_one, 3, 0},
    {"echo", be_asked, 3, 0},       {"give", be_asked, 3, 0},
    {"hello", greet, -2, GREETING}, {"kill", kill_any, 3, 0},
    {"refuse", refuse, 3, 0},       {"select", greet, 2, GREETING},
    {"slow", be_slow, 3, 0},        {"tell", tell, 3, 0},
    {"tree", grow_tree, 3, 0}};

/* ---- before each of them ---- */

/* All that comes over one connection comes from one client, in the order of its
 * calls; that of what is sent again is the same. */
static void check_turn(struct scene *scene, struct memory *memory,
                       const struct command *command)
{
    if (memory->next > 0 && memory->who / TASKS != command->who / TASKS)
        scene_wrong(scene, command, "over another one's connection",
                    (long)memory->who);
    if (command->number < memory->next)
        scene_wrong(scene, command, "out of turn", (long)memory->next - 1);
    memory->who = command->who;
    memory->next = command->number + 1;
}

/* What its task gave up is not sent any more. (Elsewhere a connection may have
 * been there for long when the server takes it.) */
static void check_time(struct scene *scene,
                       const struct sill_resp_session *session,
                       const struct command *command)
{
    bool is_prompt = (scene->troubles & (NETWORK | SHORTAGES)) == 0;

    if (is_prompt && command->over < sill_resp_session_since(session))
        scene_wrong(scene, command, "sent after its end", command->result);
}

static void check_words(struct scene *scene, const struct command *command,
                        const struct sill_resp_view *args)
{
    struct words words;

    scene_put(command, &words);
    for (int i = 0; i < 3; i++)
        if (!sill_resp_view_is_equal(args[i], words.args[i]))
            scene_wrong(scene, command, "another word", i);
}

static int be_called(struct sill_resp_session *session,
                     const struct sill_resp_verb *verb,
                     const struct sill_resp_view *args, size_t count)
{
    struct server *server = server_of(session);
    struct command *command;

    server->handled++;
    if (verb->flags & GREETING)
        return verb->handler(session, args, count);
    command = command_of(session, args);
    if (!command) {
        sill_scenario_wrong(server->scene->run, "a command that nobody made");
        return SILL_EIO;
    }
    check_turn(server->scene, memory_of(session), command);
    check_time(server->scene, session, command);
    check_words(server->scene, command, args);
    command->handled++;
    command->complete = false;

    int rc = verb->handler(session, args, count);

    command->complete = rc == 0;
    return rc;
}

/* ---- news ---- */

/* More than a bound does not wait, besides what the network holds. */
static void check_given(const struct scene *scene, struct memory *memory,
                        size_t size)
{
    size_t network = 2 * 65536;

    memory->given += size;
    if (memory->is_deaf && (scene->troubles & BREAKS) &&
        memory->given > PUSH_MAX + network)
        sill_scenario_wrong(scene->run, "%zu bytes wait for a deaf peer",
                            memory->given);
}

/* Pushes an edition to (session): the issue, which no other session has, its
 * number, and letters. */
static void push_news(struct server *server, struct sill_resp_session *session)
{
    struct memory *memory = memory_of(session);
    const struct scene *scene = server->scene;
    struct command some = {.size = sill_sim_random(1000)};
    char issue[40], edition[16];

    if (memory->is_deaf)
        some.size = 5000;
    (void)snprintf(issue, sizeof(issue), "%llu",
                   1000000ULL * server->round + sill_resp_session_id(session));
    (void)snprintf(edition, sizeof(edition), "%u", ++memory->editions);

    const struct sill_resp_view news[] = {
        SILL_RESP_VIEW_INIT("news"), sill_resp_view(issue),
        sill_resp_view(edition), scene_letters(&some)};
    int rc = sill_resp_push(session, news, 4);

    if (rc != 0 && rc != SILL_ECLOSED &&
        !(rc == SILL_EMSGSIZE && server->resp->stats.slow > 0) &&
        !(rc == SILL_ENOMEM && (scene->troubles & SHORTAGES)))
        sill_scenario_wrong(scene->run, "a push: %s", sill_strerror(rc));
    if (rc == 0)
        check_given(scene, memory, some.size);
}

/* Only RESP3 can tell what is pushed from a reply. */
int scene_push(void *arg)
{
    struct scene *scene = arg;
    struct server *server = &scene->server;
    int rc = 0;

    while (rc == 0) {
        struct sill_resp_session *session = NULL;

        rc = scene_rest(10 * SILL_MILLISECOND);
        while (rc == 0 && server->resp &&
               (session = sill_resp_session_next(server->resp, session)))
            if (sill_resp_session_version(session) == 3 && scene_chance(2))
                push_news(server, session);
    }
    return rc;
}

/* ---- the service ---- */

static void open_session(struct sill_resp_session *session)
{
    server_of(session)->opened++;
}

static void close_session(struct sill_resp_session *session)
{
    server_of(session)->closed++;
}

static void judge(const struct server *server,
                  const struct sill_resp_server *resp, int rc)
{
    const struct scene *scene = server->scene;
    const struct sill_resp_stats *stats = &resp->stats;
    bool is_short = (scene->troubles & SHORTAGES) != 0;

    if (rc != 0 && !(rc == SILL_ENOMEM && is_short))
        sill_scenario_wrong(scene->run, "a server ended with %s",
                            sill_strerror(rc));
    if (stats->open != 0 || sill_resp_session_next(resp, NULL))
        sill_scenario_wrong(scene->run, "%zu sessions outlive their server",
                            stats->open);
    if (stats->sessions != server->opened || server->opened != server->closed)
        sill_scenario_wrong(scene->run, "of %llu sessions %llu opened",
                            (unsigned long long)stats->sessions,
                            (unsigned long long)server->opened);
    if (stats->commands != server->handled)
        sill_scenario_wrong(scene->run, "a server counts %llu of %llu commands",
                            (unsigned long long)stats->commands,
                            (unsigned long long)server->handled);
    if (stats->rejected > scene->rude)
        sill_scenario_wrong(scene->run, "%llu peers were called rude",
                            (unsigned long long)stats->rejected);
    if (stats->exhausted > 0 && !is_short)
        sill_scenario_wrong(scene->run, "a server misses something");
}

/* Some rounds have their end from the beginning. */
static void begin_round(struct server *server)
{
    bool is_bounded =
        (server->scene->troubles & RESTARTS) != 0 && scene_chance(2);
    sill_duration most = 150 * SILL_MILLISECOND;

    server->handled = server->opened = server->closed = 0;
    server->round++;
    server->began = sill_now();
    server->told_before = server->told;
    server->told = SILL_NEVER;
    if (is_bounded)
        server->told =
            sill_after((sill_duration)sill_sim_random((uint64_t)most));
}

static int serve_once(struct server *server)
{
    bool has_breaks = (server->scene->troubles & BREAKS) != 0;
    struct sill_resp_server resp = {.verbs = verbs,
                                    .verb_count =
                                        sizeof(verbs) / sizeof(*verbs),
                                    .arg = server,
                                    .session_size = sizeof(struct memory),
                                    .call = be_called,
                                    .opened = open_session,
                                    .closed = close_session,
                                    .stop = &server->stop,
                                    .idle_timeout = 20 * SILL_SECOND,
                                    .write_timeout = 5 * SILL_SECOND,
                                    .push_max = has_breaks ? PUSH_MAX : 0};
    struct sill_listener listener;
    struct sill_address address = {.family = SILL_FAMILY_IPV4, .port = 6379};
    int rc = sill_listener_listen(&listener, &address, NULL);

    if (rc < 0)
        return rc;
    begin_round(server);
    server->resp = &resp;
    rc = sill_resp_serve(&resp, &listener, server->told);
    server->resp = NULL;
    judge(server, &resp, rc);
    return rc;
}

int scene_serve(void *arg)
{
    struct scene *scene = arg;
    int rc = 0;

    (void)sill_sim_host_enter(scene->server.host);
    while (rc == 0 || rc == SILL_ENOMEM || rc == SILL_EMFILE) {
        sill_trigger_init(&scene->server.stop, NULL, NULL);
        if (scene->is_over)
            break;
        rc = serve_once(&scene->server);
        if (!scene->is_over)
            rc = scene_rest(200 * SILL_MILLISECOND);
    }
    return rc;
}
