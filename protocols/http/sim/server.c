/* SPDX-License-Identifier: MIT */
/*
 * Servers that end and begin again, and their handler, which does what the
 * request asks for and looks whether that is what the client meant.
 */
#include "scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Whether a handler may learn of (rc) from a call that reads or writes. */
static bool is_possible(const struct scene *scene, ssize_t rc)
{
    switch (rc) {
    case SILL_EOF:
    case SILL_EPIPE:
    case SILL_ECONNRESET:
    case SILL_ETIMEDOUT:
        return true;
    case SILL_ECANCELED: /* after the grace */
        return (scene->troubles & (RESTARTS | NETWORK)) != 0;
    case SILL_ENOMEM:
        return (scene->troubles & SHORTAGES) != 0;
    default:
        return false;
    }
}

static struct request *find(struct scene *scene,
                            const struct sill_http_head *head)
{
    unsigned long id = strtoul(head->path.at + 1, NULL, 10);

    return id < scene->count ? &scene->requests[id] : NULL;
}

static int rest(const struct request *request)
{
    sill_duration most = 20 * SILL_MILLISECOND;

    if (request->kind != SLOW || !scene_chance(4))
        return 0;
    return sill_sleep(
        sill_after((sill_duration)sill_sim_random((uint64_t)most)));
}

static bool has_trailer(struct sill_http_exchange *exchange)
{
    return sill_http_view_is_equal(sill_http_request_trailer(exchange, "X-End"),
                                   SILL_HTTP_VIEW("here"));
}

/* Reads all of the body. */
static ssize_t take(struct scene *scene, const struct request *request,
                    struct sill_http_exchange *exchange)
{
    char buffer[PIECE];
    size_t sofar = 0;
    ssize_t got = 1;

    while (got > 0) {
        int rc = rest(request);

        if (rc < 0)
            return rc;
        got = sill_http_request_read(exchange, buffer,
                                     1 + sill_sim_random(PIECE), SILL_NEVER);
        if (got > 0 &&
            memcmp(buffer, scene_letters(request, sofar), (size_t)got) != 0)
            scene_wrong(scene, request, "a body with other letters", got);
        if (got > 0)
            sofar += (size_t)got;
    }
    if (got == 0 && sofar != request->size)
        scene_wrong(scene, request, "a body of another size", (long)sofar);
    if (got == 0 && request->way == CHUNKED && request->size > 0 &&
        !has_trailer(exchange))
        scene_wrong(scene, request, "no trailer", 0);
    return got;
}

static int give(const struct request *request,
                struct sill_http_exchange *exchange)
{
    size_t sofar = 0;
    int rc = 0;

    while (rc == 0 && sofar < request->answer) {
        size_t left = request->answer - sofar,
               size = 1 + sill_sim_random(PIECE);

        size = left < size ? left : size;
        rc = rest(request);
        if (rc == 0)
            rc = sill_http_response_write(
                exchange, scene_letters(request, sofar), size, SILL_NEVER);
        sofar += size;
    }
    return rc;
}

static int answer(const struct request *request,
                  struct sill_http_exchange *exchange, int status)
{
    char id[16];
    bool chunks = request->answer_way == CHUNKED;
    size_t length = request->answer + (request->kind == BREAK);

    (void)snprintf(id, sizeof(id), "%u", request->id);
    sill_http_response_header(exchange, "X-Id", id);
    if (request->answer_way == WHOLE && request->kind != BREAK &&
        request->answer <= PIECE)
        return sill_http_response_send(exchange, status,
                                       scene_letters(request, 0),
                                       request->answer, SILL_NEVER);

    int rc = sill_http_response_begin(exchange, status,
                                      chunks ? SILL_HTTP_NO_LENGTH : length);

    if (rc == 0)
        rc = give(request, exchange);
    if (rc == 0 && request->kind == BREAK)
        return SILL_EIO;
    if (rc == 0 && chunks)
        rc = sill_http_response_header(exchange, "X-End", "here");
    return rc;
}

static int move(struct scene *scene, struct request *request,
                struct sill_http_exchange *exchange)
{
    struct sill_address address;
    char url[128], text[SILL_ADDRESS_TEXT_MAX];
    const struct server *other = &scene->servers[1 - request->server];

    sill_sim_host_address(other->host, 80, &address);
    (void)snprintf(url, sizeof(url), "http://%s/%u",
                   sill_address_format(&address, text, sizeof(text)),
                   request->id);
    sill_http_response_header(exchange, "Location", url);
    request->moved++;
    return answer(request, exchange, 307);
}

static int act(struct scene *scene, struct request *request,
               struct sill_http_exchange *exchange)
{
    if (request->kind == FAIL)
        return SILL_EIO;
    if (request->kind == IGNORE)
        return answer(request, exchange, 403);

    ssize_t rc = take(scene, request, exchange);

    return rc < 0 ? (int)rc : answer(request, exchange, 200);
}

static int handle(void *arg, struct sill_http_exchange *exchange)
{
    struct server *server = arg;
    struct scene *scene = server->scene;
    const struct sill_http_head *head = sill_http_request(exchange);
    struct request *request = find(scene, head);

    server->handled++;
    if (!request) {
        sill_scenario_wrong(scene->run, "a request that nobody made");
        return SILL_EIO;
    }
    if (!sill_http_view_is_equal(head->method_text,
                                 sill_http_view(request->method)))
        scene_wrong(scene, request, "another method", head->method);
    if (request->kind == MOVE && server == &scene->servers[request->server])
        return move(scene, request, exchange);
    request->handled++;
    request->complete = false;

    int rc = act(scene, request, exchange);

    request->complete = rc == 0;
    if (rc < 0 && rc != SILL_EIO && !is_possible(scene, rc) &&
        !(rc == SILL_EMSGSIZE && request->size > LIMIT))
        scene_wrong(scene, request, sill_strerror(rc), rc);
    return rc;
}

/* What the server itself says of each exchange. */
static void look_at(void *arg, const struct sill_http_record *record)
{
    const struct server *server = arg;

    if (record->status != 0 &&
        (record->status < 200 || record->status > 599 || record->duration < 0))
        sill_scenario_wrong(server->scene->run, "a record with status %d",
                            record->status);
}

static void judge(const struct server *server,
                  const struct sill_http_server *http, int rc)
{
    const struct scene *scene = server->scene;
    bool is_short = (scene->troubles & SHORTAGES) != 0;

    if (rc != 0 && !(rc == SILL_ENOMEM && is_short))
        sill_scenario_wrong(scene->run, "a server ended with %s",
                            sill_strerror(rc));
    if (http->stats.open != 0)
        sill_scenario_wrong(scene->run, "%zu connections outlive their server",
                            http->stats.open);
    if (http->stats.requests != server->handled)
        sill_scenario_wrong(scene->run, "a server counts %llu of %llu requests",
                            (unsigned long long)http->stats.requests,
                            (unsigned long long)server->handled);
}

static int serve_once(struct server *server)
{
    struct sill_http_server http = {.handler = handle,
                                    .arg = server,
                                    .log = look_at,
                                    .stop = &server->stop,
                                    .limits = {.body = LIMIT}};
    struct sill_listener listener;
    struct sill_address address = {.family = SILL_FAMILY_IPV4, .port = 80};
    int rc = sill_listener_listen(&listener, &address, NULL);

    if (rc < 0)
        return rc;
    server->handled = 0;
    server->round++;
    server->began = sill_now();
    server->told_before = server->told;
    server->told = SILL_NEVER;
    rc = sill_http_serve(&http, &listener, SILL_NEVER);
    judge(server, &http, rc);
    return rc;
}

int scene_serve(void *arg)
{
    struct server *server = arg;
    uint64_t pause = 200 * SILL_MILLISECOND;
    int rc = 0;

    (void)sill_sim_host_enter(server->host);
    while (rc == 0 || rc == SILL_ENOMEM || rc == SILL_EMFILE) {
        sill_trigger_init(&server->stop, NULL, NULL);
        if (server->scene->is_over)
            break;
        rc = serve_once(server);
        if (!server->scene->is_over)
            rc = sill_sleep(sill_after((sill_duration)sill_sim_random(pause)));
    }
    return rc;
}
