/* SPDX-License-Identifier: MIT */
/*
 * Peers that no client is like: one sends many requests before it reads an
 * answer, one does not end its request, one does not read.
 */
#include "scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER = 300, HEAD = 1024, MUCH = 400000 };

/* Says how (count) requests ended, of which (answered) were answered. */
static int conclude(struct scene *scene, unsigned count, unsigned answered,
                    int rc)
{
    scene->run->answered += answered;
    scene->run->failed += count - answered;
    if (answered < count && scene->troubles == 0)
        sill_scenario_wrong(scene->run, "a raw peer got %u of %u answers: %s",
                            answered, count, sill_strerror(rc));
    return 0;
}

static int reach(struct scene *scene, struct sill_stream *stream,
                 sill_time deadline)
{
    struct sill_address address;

    sill_sim_host_address(scene->servers[0].host, 80, &address);
    return sill_stream_connect(stream, &address, NULL, deadline);
}

static struct request *add(struct scene *scene, size_t answer)
{
    struct request *request = scene_add(scene, scene_chance(2) ? SLOW : ECHO);

    request->answer = answer;
    request->answer_way = LENGTH;
    return request;
}

static size_t put(char *at, size_t size, const struct request *request)
{
    int used = snprintf(at, size, "GET /%u HTTP/1.1\r\nHost: here\r\n\r\n",
                        request->id);

    return (size_t)used;
}

/* ---- the quick one ---- */

/* Reads a head into the (HEAD) bytes of (text), and what it says of a length.
 * It is ended by NUL. */
static int read_head(struct sill_stream *stream, char *text, size_t *length,
                     sill_time deadline)
{
    size_t size = 0;

    text[0] = '\0';
    while (size + 1 < HEAD && !strstr(text, "\r\n\r\n")) {
        ssize_t got = sill_stream_read(stream, text + size, 1, deadline);

        if (got <= 0)
            return got < 0 ? (int)got : SILL_EOF;
        size += (size_t)got;
        text[size] = '\0';
    }

    const char *line = strstr(text, "\r\nContent-Length: ");

    *length = line ? strtoul(line + 18, NULL, 10) : 0;
    return 0;
}

static int read_answer(struct scene *scene, struct sill_stream *stream,
                       const struct request *request, sill_time deadline)
{
    char text[HEAD], body[ANSWER];
    size_t length;
    int rc = read_head(stream, text, &length, deadline);

    if (rc < 0)
        return rc;
    if (strncmp(text, "HTTP/1.1 200 OK\r\n", 17) != 0 || length != ANSWER) {
        scene_wrong(scene, request, text, (long)length);
        return SILL_EPROTO;
    }
    rc = sill_stream_read_full(stream, body, length, NULL, deadline);
    if (rc == 0 && memcmp(body, scene_letters(request, 0), length) != 0)
        scene_wrong(scene, request, "an answer out of turn", 0);
    return rc;
}

int scene_be_quick(void *arg)
{
    struct scene *scene = arg;
    struct request *requests[QUICK];
    struct sill_stream stream = {0};
    sill_time deadline = sill_after(20 * SILL_SECOND);
    unsigned count = 1 + (unsigned)sill_sim_random(QUICK), answered = 0;
    char text[QUICK * 64];
    size_t size = 0;

    for (unsigned i = 0; i < count; i++) {
        requests[i] = add(scene, ANSWER);
        size += put(text + size, sizeof(text) - size, requests[i]);
    }

    int rc = reach(scene, &stream, deadline);

    if (rc == 0)
        rc = sill_stream_write_all(&stream, text, size, NULL, deadline);
    while (rc == 0 && answered < count) {
        rc = read_answer(scene, &stream, requests[answered], deadline);
        answered += rc == 0;
    }
    sill_stream_close(&stream);
    return conclude(scene, count, answered, rc);
}

/* ---- the slow one ---- */

/* Is told that it is late. */
int scene_be_slow(void *arg)
{
    struct scene *scene = arg;
    const struct request *request = add(scene, ANSWER);
    struct sill_stream stream = {0};
    sill_time deadline = sill_after(SILL_MINUTE);
    char text[HEAD];
    size_t size = put(text, sizeof(text), request);
    int rc = reach(scene, &stream, deadline);

    if (rc == 0)
        rc = sill_stream_write_all(&stream, text, 1 + sill_sim_random(size - 1),
                                   NULL, deadline);
    if (rc == 0)
        rc = read_head(&stream, text, &size, deadline);
    if (rc == 0 && strncmp(text, "HTTP/1.1 408 ", 13) != 0)
        scene_wrong(scene, request, text, 408);
    if (request->handled > 0)
        scene_wrong(scene, request, "half a request was handled", 0);
    sill_stream_close(&stream);
    return conclude(scene, 1, rc == 0, rc);
}

/* ---- the deaf one ---- */

static int read_all(struct sill_stream *stream, size_t *sofar,
                    sill_time deadline)
{
    char buffer[PIECE];
    ssize_t got;

    while ((got = sill_stream_read(stream, buffer, sizeof(buffer), deadline)) >
           0)
        *sofar += (size_t)got;
    return (int)got;
}

/* Is not waited for. */
int scene_be_deaf(void *arg)
{
    struct scene *scene = arg;
    const struct request *request = add(scene, MUCH);
    struct sill_stream stream = {0};
    sill_time deadline = sill_after(5 * SILL_MINUTE);
    char text[64];
    size_t size = put(text, sizeof(text), request), sofar = 0;
    int rc = reach(scene, &stream, deadline);

    if (rc == 0)
        rc = sill_stream_write_all(&stream, text, size, NULL, deadline);
    if (rc == 0)
        rc = sill_sleep(sill_after(2 * SILL_MINUTE));
    if (rc == 0)
        rc = read_all(&stream, &sofar, deadline);
    if (rc == 0 && sofar >= MUCH)
        scene_wrong(scene, request, "a deaf peer was waited for", (long)sofar);
    sill_stream_close(&stream);
    return conclude(scene, 1, rc == 0 || rc == SILL_ECONNRESET, rc);
}
