/* SPDX-License-Identifier: MIT */
/*
 * Clients, which ask for all that HTTP has, and know what may come of it.
 */
#include "scene.h"

#include <stdio.h>
#include <string.h>

struct caller {
    struct scene *scene;
    struct sill_http_client client;
};

/* One call of a caller, in a task that may be cancelled. */
struct asking {
    struct caller *caller;
    struct request *request;
    unsigned round; /* of the server, if that was there when it began, or 0 */
    sill_time sent; /* when all of it was; 0: not yet */
};

/* More than anything takes on a link without faults. */
#define UNDERWAY (2 * SILL_MILLISECOND)

/* Whether a client may learn of (rc). */
static bool is_possible(const struct scene *scene, ssize_t rc)
{
    switch (rc) {
    case SILL_ECONNREFUSED:
    case SILL_ECONNRESET:
    case SILL_ETIMEDOUT:
    case SILL_EPIPE:
    case SILL_EOF:
        return scene->troubles != 0;
    case SILL_ENETUNREACH: /* the client's own host is down */
        return (scene->troubles & SABOTAGE) != 0;
    case SILL_ECANCELED:
        return (scene->troubles & HASTE) != 0;
    case SILL_ENOMEM:
    case SILL_EMFILE:
        return (scene->troubles & SHORTAGES) != 0;
    default:
        return false;
    }
}

static int rest(uint64_t most)
{
    return sill_sleep(sill_after((sill_duration)sill_sim_random(most)));
}

/* ---- what to ask for ---- */

static size_t draw_size(void)
{
    uint64_t dice = sill_sim_random(32);

    if (dice < 4)
        return 0;
    if (dice < 28)
        return sill_sim_random(3000);
    return dice < 31 ? sill_sim_random(100000) : LIMIT + 10000;
}

static enum kind draw_kind(void)
{
    uint64_t dice = sill_sim_random(20);

    return dice < KINDS ? (enum kind)dice : ECHO;
}

/*
 * A handler that ignores a body answers in few words: a client does not read
 * while it sends (sill_http_call_write). And a server does not go through a
 * long body that nobody wanted, but can say so beforehand only when it knows
 * how long it is.
 */
static void bound(struct request *request)
{
    if (request->kind != IGNORE && request->kind != MOVE)
        return;
    if (request->size > 0 && request->answer > 3000)
        request->answer = 3000;
    if (request->way == CHUNKED && request->size > 3000)
        request->size = 3000;
}

static struct request *draw_request(struct scene *scene)
{
    static const char *const methods[] = {"GET", "GET",    "GET",  "HEAD",
                                          "PUT", "DELETE", "POST", "POST"};
    struct request *request = scene_add(scene, draw_kind());
    size_t method = sill_sim_random(8);

    request->method = methods[method];
    request->server = (unsigned)sill_sim_random(SERVERS);
    request->way = (enum way)sill_sim_random(WAYS);
    request->answer_way = (enum way)sill_sim_random(WAYS);
    request->answer = draw_size();
    if (method == 4 || method > 5)
        request->size = draw_size();
    request->expects = scene_chance(4);
    request->ends = scene_chance(16);
    request->follows = !scene_chance(4);
    bound(request);
    return request;
}

/* ---- what comes ---- */

/* Whether a streamed body cannot go where a redirect says. */
static bool stays(const struct request *request)
{
    return !request->follows || (request->size > 0 && request->way != WHOLE);
}

static bool is_head(const struct request *request)
{
    return strcmp(request->method, "HEAD") == 0;
}

/* Whether the server sees at once that the body is too long. */
static bool is_refused(const struct request *request)
{
    return request->size > LIMIT && request->way != CHUNKED;
}

/* BREAK with nothing to send has a chance to say so. */
static int due_status(const struct request *request)
{
    if (is_refused(request))
        return 413;
    switch (request->kind) {
    case IGNORE:
        return 403;
    case FAIL:
        return 500;
    case MOVE:
        if (stays(request))
            return 307;
        break;
    case BREAK:
        if (is_head(request) || request->answer == 0)
            return request->size > LIMIT ? 413 : 500;
        break;
    default:
        break;
    }
    return request->size > LIMIT ? 413 : 200;
}

/* Whether the answer is one of the handler's. */
static bool is_handlers(int status)
{
    return status == 200 || status == 307 || status == 403;
}

static void check_head(struct scene *scene, const struct request *request,
                       const struct sill_http_head *head)
{
    char id[16];
    int64_t date;
    struct sill_http_view date_text =
        sill_http_header_find(head->headers, head->header_count, "Date");

    (void)snprintf(id, sizeof(id), "%u", request->id);
    if (request->handled + request->moved == 0 && !is_refused(request))
        scene_wrong(scene, request, "an answer from nowhere", head->status);
    if (head->status != due_status(request) &&
        !(head->status == 500 && (scene->troubles & SHORTAGES)))
        scene_wrong(scene, request, "another status", head->status);
    if (is_handlers(head->status) &&
        !sill_http_view_is_equal(
            sill_http_header_find(head->headers, head->header_count, "X-Id"),
            sill_http_view(id)))
        scene_wrong(scene, request, "the answer to another one", head->status);
    if (sill_http_date_parse(date_text, sill_calendar(), &date) != 0 ||
        date > sill_calendar())
        scene_wrong(scene, request, "a date", (long)sill_calendar());
}

/* Reads the body of an answer by the handler. */
static ssize_t take(struct scene *scene, const struct request *request,
                    struct sill_http_call *call, sill_time deadline)
{
    char buffer[PIECE];
    size_t sofar = 0, due = is_head(request) ? 0 : request->answer;
    uint64_t pause = scene_chance(16) ? 10 * SILL_MILLISECOND : 0;
    ssize_t got = 1;

    while (got > 0) {
        got = pause ? rest(pause) : 0;
        if (got == 0)
            got = sill_http_call_read(call, buffer, 1 + sill_sim_random(PIECE),
                                      deadline);
        if (got > 0 &&
            memcmp(buffer, scene_letters(request, sofar), (size_t)got) != 0)
            scene_wrong(scene, request, "an answer with other letters", got);
        if (got > 0)
            sofar += (size_t)got;
    }
    if (got == 0 && (sofar != due || request->kind == BREAK))
        scene_wrong(scene, request, "an answer of another size", (long)sofar);
    if (got == 0 && request->answer_way == CHUNKED && due > 0 &&
        !sill_http_view_is_equal(sill_http_call_trailer(call, "X-End"),
                                 SILL_HTTP_VIEW("here")))
        scene_wrong(scene, request, "no trailer", 0);
    return got;
}

/* ---- a call ---- */

static int send_body(const struct request *request, struct sill_http_call *call,
                     sill_time deadline)
{
    size_t sofar = 0;
    int rc = 0;

    while (rc == 0 && sofar < request->size) {
        size_t left = request->size - sofar, size = 1 + sill_sim_random(PIECE);

        size = left < size ? left : size;
        rc = sill_http_call_write(call, scene_letters(request, sofar), size,
                                  deadline);
        sofar += size;
    }
    if (rc == 0 && request->way == CHUNKED)
        rc = sill_http_call_add_trailer(call, "X-End", "here");
    return rc == SILL_EPIPE ? 0 : rc; /* the response says why */
}

static int receive(struct scene *scene, const struct request *request,
                   struct sill_http_call *call, sill_time deadline)
{
    const struct sill_http_head *head;
    int rc = sill_http_call_response(call, &head, deadline);

    if (rc < 0)
        return rc;
    check_head(scene, request, head);
    if (scene_chance(16) || !is_handlers(head->status))
        return 0;

    ssize_t got = take(scene, request, call, deadline);

    /* That is what was asked for. */
    return got == SILL_EOF && request->kind == BREAK ? 0 : (int)got;
}

static int converse(struct asking *asking,
                    const struct sill_http_call_options *options,
                    sill_time deadline)
{
    struct caller *caller = asking->caller;
    struct scene *scene = caller->scene;
    const struct request *request = asking->request;
    struct sill_address address;
    struct sill_http_call *call;
    char url[128], text[SILL_ADDRESS_TEXT_MAX];

    sill_sim_host_address(scene->servers[request->server].host, 80, &address);
    (void)snprintf(url, sizeof(url), "http://%s/%u",
                   sill_address_format(&address, text, sizeof(text)),
                   request->id);

    int rc =
        sill_http_call_open(&caller->client, url, options, &call, deadline);

    if (rc == 0 && options->streams_body)
        rc = send_body(request, call, deadline);
    if (rc == 0)
        asking->sent = sill_now();
    if (rc == 0)
        rc = receive(scene, request, call, deadline);
    sill_http_call_close(call);
    return rc;
}

/* Makes the options, and the body that is in one piece. */
static int ask(struct asking *asking, sill_time deadline)
{
    const struct request *request = asking->request;
    bool whole = request->way == WHOLE && request->size > 0;
    char *body = whole ? sill_alloc(request->size) : NULL;
    struct sill_http_call_options options = {
        .method = request->method,
        .body = body,
        .body_size = whole ? request->size : 0,
        .streams_body = !whole && request->size > 0,
        .length = request->way == CHUNKED ? SILL_HTTP_NO_LENGTH : request->size,
        .expects_continue = request->expects,
        .ends_connection = request->ends,
        .redirects_max = request->follows};

    if (whole && !body)
        return SILL_ENOMEM;
    for (size_t at = 0; whole && at < request->size; at += PIECE)
        memcpy(body + at, scene_letters(request, at),
               request->size - at < PIECE ? request->size - at : PIECE);

    int rc = converse(asking, &options, deadline);

    sill_free(body);
    return rc;
}

static void look_at_server(struct asking *asking)
{
    const struct server *server =
        &asking->caller->scene->servers[asking->request->server];

    if (server->told == SILL_NEVER && sill_now() - server->began > UNDERWAY)
        asking->round = server->round;
}

/* Whether it was sent before the server was told to end, if it was, which then
 * looks for longer than anything is under way. */
static bool had_to_arrive(const struct asking *asking)
{
    const struct server *server =
        &asking->caller->scene->servers[asking->request->server];
    sill_time sent = asking->sent ? asking->sent : sill_now();

    if (asking->round == 0 || asking->request->kind == MOVE)
        return false;
    if (asking->round == server->round)
        return server->told >= sent;
    return asking->round + 1 == server->round && server->told_before >= sent;
}

/* What was asked once was done once, or not at all; and with nothing in the way
 * what came in time, and what was done, is heard of. */
static void judge(const struct asking *asking, int rc, bool is_hasty)
{
    struct scene *scene = asking->caller->scene;
    const struct request *request = asking->request;
    bool is_certain = (scene->troubles & ~(unsigned)(HASTE | RESTARTS)) == 0;
    enum sill_http_method method =
        sill_http_method_find(sill_http_view(request->method));
    unsigned most = 1 + sill_http_method_is_idempotent(method);

    if (request->handled > most)
        scene_wrong(scene, request, "done so often", (long)request->handled);
    if (rc < 0 && !is_possible(scene, rc))
        scene_wrong(scene, request, sill_strerror(rc), rc);
    if (rc < 0 && is_certain && !is_hasty && request->complete)
        scene_wrong(scene, request, "done, but not heard of", rc);
    if (rc < 0 && is_certain && !is_hasty && had_to_arrive(asking))
        scene_wrong(scene, request, "in time, but not answered", rc);
}

static int be_asking(void *arg)
{
    struct asking *asking = arg;
    struct caller *caller = asking->caller;
    struct scene *scene = caller->scene;
    bool is_hasty = (scene->troubles & HASTE) && scene_chance(16);
    sill_duration most = 10 * SILL_SECOND;

    if (is_hasty)
        most = (sill_duration)sill_sim_random(20 * SILL_MILLISECOND);

    look_at_server(asking);

    int rc = ask(asking, sill_after(most));

    judge(asking, rc, is_hasty || rc == SILL_ECANCELED);
    scene->run->answered += rc == 0;
    scene->run->failed += rc < 0;
    return rc;
}

/* Asks in another task, and cancels it. */
static int ask_in_vain(struct asking *asking)
{
    struct sill_task *task;
    int rc = sill_spawn(be_asking, asking, &task);

    if (rc < 0) {
        asking->caller->scene->run->failed++;
        return rc;
    }
    rc = rest(5 * SILL_MILLISECOND);
    (void)sill_cancel(task, SILL_NEVER);
    return rc;
}

static int call_often(void *arg)
{
    struct caller *caller = arg;
    struct scene *scene = caller->scene;
    int rc = 0;

    for (unsigned i = 0; i < CALLS && rc == 0; i++) {
        rc = rest(10 * SILL_MILLISECOND);
        if (rc < 0)
            break;

        struct asking asking = {.caller = caller,
                                .request = draw_request(scene)};

        if ((scene->troubles & HASTE) && scene_chance(16))
            rc = ask_in_vain(&asking);
        else
            (void)be_asking(&asking);
    }
    return rc;
}

static bool is_sound(const struct sill_http_client *client)
{
    return client->stats.idle == 0 && client->first_idle == NULL;
}

int scene_call(void *arg)
{
    struct scene *scene = arg;
    struct caller caller = {.scene = scene};
    struct sill_scope scope;
    int rc = 0;

    caller.client.idle_per_host = 1 + sill_sim_random(2);
    sill_scope_init(&scope, SILL_SCOPE_COLLECT);
    for (unsigned i = 0; i < TASKS && rc == 0; i++)
        rc = sill_scope_spawn(&scope, call_often, &caller);
    if (rc == 0)
        rc = sill_scope_wait(&scope, SILL_NEVER);
    (void)sill_scope_drain(&scope, SILL_PAST, SILL_NEVER);
    sill_scope_fini(&scope);
    sill_http_client_close(&caller.client);
    if (!is_sound(&caller.client))
        sill_scenario_wrong(scene->run, "connections outlive their client");
    return rc;
}
