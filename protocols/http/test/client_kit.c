/* SPDX-License-Identifier: MIT */
/*
 * What client_kit.h promises.
 */
#include "client_kit.h"

#include <sill/stream_ops.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Memory. */

static size_t alive, made, fails_at;

static void *count_alloc(void *arg, size_t size)
{
    (void)arg;
    if (++made == fails_at)
        return NULL;
    void *block = malloc(size);
    alive += block != NULL;
    return block;
}

static void count_free(void *arg, void *block)
{
    (void)arg;
    alive--;
    free(block);
}

size_t blocks_alive(void)
{
    return alive;
}

size_t blocks_made(void)
{
    return made;
}

void arm(size_t n)
{
    made = 0;
    fails_at = n;
}

sill_time soon(void)
{
    return sill_after(10 * SILL_SECOND);
}

/* Peers. */

struct peer {
    struct world *world;
    struct sill_stream stream;
    const struct step *step;
};

static size_t size_of(const struct step *step)
{
    return step->size > 0 || step->text == NULL ? step->size
                                                : strlen(step->text);
}

static int peer_expect(struct peer *peer, const struct step *step)
{
    char piece[256];
    size_t size = size_of(step), done = 0;
    while (done < size) {
        size_t room = size - done < sizeof(piece) ? size - done : sizeof(piece);
        ssize_t got = sill_stream_read(&peer->stream, piece, room, soon());
        if (got <= 0 && peer->world->tolerant)
            return SILL_EOF;
        if (got <= 0)
            ck_abort_msg("%zd instead of \"%s\"", got, step->text + done);
        if (memcmp(piece, step->text + done, (size_t)got) != 0)
            ck_abort_msg("\"%.*s\" instead of \"%s\"", (int)got, piece,
                         step->text + done);
        done += (size_t)got;
    }
    return 0;
}

static int peer_take(struct peer *peer, const struct step *step)
{
    char piece[256];
    for (size_t left = step->size; left > 0;) {
        size_t room = left < sizeof(piece) ? left : sizeof(piece);
        ssize_t got = sill_stream_read(&peer->stream, piece, room, soon());
        if (got <= 0 && peer->world->tolerant)
            return SILL_EOF;
        ck_assert_int_gt(got, 0);
        left -= (size_t)got;
    }
    return 0;
}

static int peer_send(struct peer *peer, const struct step *step, size_t at_once)
{
    size_t size = size_of(step);
    for (size_t done = 0; done < size; done += at_once) {
        size_t piece = size - done < at_once ? size - done : at_once;
        int rc = sill_stream_write_all(&peer->stream, step->text + done, piece,
                                       NULL, soon());
        if (rc < 0 && peer->world->tolerant)
            return rc;
        ck_assert_int_eq(rc, 0);
        if (at_once == 1)
            sill_yield();
    }
    return 0;
}

static int peer_sees_end(struct peer *peer, bool drops)
{
    char piece[256];
    ssize_t got;
    do
        got = sill_stream_read(&peer->stream, piece, sizeof(piece), soon());
    while (got > 0 && drops);
    bool reset = got == SILL_ECONNRESET && (drops || peer->world->loopback);
    if (!peer->world->tolerant && !reset)
        ck_assert_int_eq(got, 0);
    return 0;
}

/* A socket that is closed with something unread resets the connection. */
static int peer_reset(struct peer *peer)
{
    char byte;
    ck_assert_int_eq(sill_stream_read(&peer->stream, &byte, 1, soon()), 1);
    return SILL_EOF;
}

static int peer_serve(struct peer *peer, const struct step *step)
{
    const struct step get = {EXPECT, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 0};
    int rc = 0;
    while (rc == 0) {
        rc = peer_expect(peer, &get);
        if (rc == 0)
            rc = peer_send(peer, step, SIZE_MAX / 2);
    }
    return rc;
}

/* The trigger is ready for the next time before anybody can know. */
static int peer_listen(struct peer *peer)
{
    int rc = sill_suspend(&peer->world->asked, soon());
    sill_trigger_init(&peer->world->asked, NULL, NULL);
    return rc;
}

static int peer_step(struct peer *peer, const struct step *step)
{
    switch (step->does) {
    case EXPECT:
        return peer_expect(peer, step);
    case TAKE:
        return peer_take(peer, step);
    case SEND:
        return peer_send(peer, step, SIZE_MAX / 2);
    case TRICKLE:
        return peer_send(peer, step, 1);
    case ENDS:
    case GONE:
        return peer_sees_end(peer, step->does == GONE);
    case RESET:
        return peer_reset(peer);
    case TELL:
        sill_resume(&peer->world->told, 0);
        return 0;
    case LISTEN:
        return peer_listen(peer);
    case SERVE:
        return peer_serve(peer, step);
    default:
        return SILL_EOF;
    }
}

static int peer_run(void *arg)
{
    struct peer *peer = arg;
    const struct step *step = peer->step;
    while (peer_step(peer, step) == 0)
        step++;
    sill_stream_close(&peer->stream);
    sill_free(peer);
    return 0;
}

/* Gives (stream) to a peer with the next script. */
static int peer_begin(struct world *world, struct sill_stream stream)
{
    static const struct step nothing[] = {{.does = GONE}, {.does = DONE}};
    const struct step *script = nothing;
    size_t number = world->begun++;
    if (number < world->count)
        script = world->scripts[number];
    else
        ck_assert_msg(world->tolerant, "one connection too many");
    struct peer *peer = sill_alloc(sizeof(*peer));
    int rc = SILL_ENOMEM;
    if (peer != NULL) {
        *peer = (struct peer){world, stream, script};
        rc = sill_scope_spawn(&world->peers, peer_run, peer);
    }
    if (rc < 0) {
        sill_stream_close(&stream);
        sill_free(peer);
    }
    return rc;
}

static int accept_all(void *arg)
{
    struct world *world = arg;
    struct sill_stream stream;
    while (sill_listener_accept(&world->listener, &stream, SILL_NEVER) == 0)
        if (peer_begin(world, stream) < 0)
            break;
    return 0;
}

static int connect_pair(struct world *world, struct sill_stream *stream)
{
    struct sill_stream far;
    size_t capacity = world->capacity == 0 ? 65536 : world->capacity;
    int rc = sill_stream_pair(stream, &far, capacity);
    if (rc < 0)
        return rc;
    rc = peer_begin(world, far);
    if (rc < 0)
        sill_stream_close(stream);
    return rc;
}

/* A stream that does as (inner) does, but fails and stutters on demand. */

struct frail {
    struct sill_stream inner;
    struct world *world;
    bool broken;
};

/* A wait in vain may be repeated; what is broken stays so. */
static bool is_broken(struct frail *frail)
{
    struct world *world = frail->world;
    bool now = ++world->operations == world->fails_at;
    if (now && world->fails_with != SILL_ETIMEDOUT)
        frail->broken = true;
    return now || frail->broken;
}

static ssize_t frail_read(void *impl, void *buffer, size_t size,
                          sill_time deadline)
{
    struct frail *frail = impl;
    size_t moves = frail->world->moves;
    if (is_broken(frail))
        return frail->world->fails_with;
    return sill_stream_read(&frail->inner, buffer,
                            moves > 0 && moves < size ? moves : size, deadline);
}

static ssize_t frail_writev(void *impl, const struct iovec *pieces,
                            size_t count, sill_time deadline)
{
    struct frail *frail = impl;
    size_t moves = frail->world->moves;
    if (is_broken(frail))
        return frail->world->fails_with;
    if (moves == 0)
        return sill_stream_writev(&frail->inner, pieces, count, deadline);
    while (pieces->iov_len == 0)
        pieces++;
    return sill_stream_write(&frail->inner, pieces->iov_base,
                             pieces->iov_len < moves ? pieces->iov_len : moves,
                             deadline);
}

static int frail_shutdown(void *impl, sill_time deadline)
{
    return sill_stream_shutdown(&((struct frail *)impl)->inner, deadline);
}

static void frail_close(void *impl)
{
    struct frail *frail = impl;
    sill_stream_close(&frail->inner);
    sill_free(frail);
}

static int frail_local(void *impl, struct sill_address *address)
{
    return sill_stream_local(&((struct frail *)impl)->inner, address);
}

static int frail_peer(void *impl, struct sill_address *address)
{
    return sill_stream_peer(&((struct frail *)impl)->inner, address);
}

static const struct sill_stream_ops frail_ops = {
    .read = frail_read,
    .writev = frail_writev,
    .shutdown = frail_shutdown,
    .close = frail_close,
    .local = frail_local,
    .peer = frail_peer,
};

static int connect_frail(struct world *world, struct sill_stream *stream)
{
    struct frail *frail = sill_alloc(sizeof(*frail));
    if (frail == NULL)
        return SILL_ENOMEM;
    *frail = (struct frail){.world = world};
    int rc = connect_pair(world, &frail->inner);
    if (rc < 0) {
        sill_free(frail);
        return rc;
    }
    *stream = (struct sill_stream){.ops = &frail_ops, .impl = frail};
    return 0;
}

static int connect_world(void *arg, struct sill_stream *stream,
                         const char *host, uint16_t port, sill_time deadline)
{
    struct world *world = arg;
    size_t number = world->connected;
    if (number < sizeof(world->hosts) / sizeof(world->hosts[0]))
        snprintf(world->hosts[number], sizeof(world->hosts[number]), "%s:%u",
                 host, (unsigned)port);
    world->connected++;
    if (world->fails_with != 0 || world->moves > 0)
        return connect_frail(world, stream);
    if (!world->loopback)
        return connect_pair(world, stream);
    return sill_stream_connect(stream, &world->address, NULL, deadline);
}

/* Worlds. */

static void open_listener(struct world *world)
{
    ck_assert_int_eq(sill_address_ip(&world->address, "127.0.0.1", 0), 0);
    ck_assert_int_eq(
        sill_listener_listen(&world->listener, &world->address, NULL), 0);
    ck_assert_int_eq(sill_listener_local(&world->listener, &world->address), 0);
    ck_assert_int_eq(sill_scope_spawn(&world->peers, accept_all, world), 0);
}

static void begin(struct world *world)
{
    sill_scope_init(&world->peers, SILL_SCOPE_COLLECT);
    sill_trigger_init(&world->told, NULL, NULL);
    sill_trigger_init(&world->asked, NULL, NULL);
    world->begun = world->connected = world->operations = 0;
    if (world->client.connect == NULL) {
        world->client.connect = connect_world;
        world->client.arg = world;
    }
    if (world->loopback)
        open_listener(world);
}

static void end(struct world *world)
{
    sill_http_client_close(&world->client);
    ck_assert_uint_eq(world->client.stats.idle, 0);
    sill_forbid();
    if (world->loopback)
        sill_listener_close(&world->listener);
    int rc = sill_scope_wait(&world->peers, soon());
    sill_permit();
    ck_assert_int_eq(rc, 0);
    sill_scope_fini(&world->peers);
    if (!world->tolerant)
        ck_assert_uint_eq(world->begun, world->count);
}

static int play(void *arg)
{
    struct world *world = arg;
    begin(world);
    int rc = world->scenario(world);
    end(world);
    return rc;
}

static size_t descriptors_open(void)
{
    size_t count = 0;
    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

int world_run(struct world *world)
{
    static const struct sill_allocator counting = {count_alloc, count_free,
                                                   NULL};
    static bool set;
    if (!set)
        sill_set_allocator(&counting);
    set = true;
    size_t before = alive, open = descriptors_open();
    int rc = sill_run(play, world);
    ck_assert_uint_eq(alive, before);
    ck_assert_uint_eq(descriptors_open(), open);
    return rc;
}

/* Calls. */

static void note_headers(struct answer *answer,
                         const struct sill_http_head *head)
{
    size_t used = 0;
    for (size_t i = 0; i < head->header_count; i++) {
        const struct sill_http_header *header = &head->headers[i];
        used += (size_t)snprintf(answer->headers + used,
                                 sizeof(answer->headers) - used, "%.*s=%.*s;",
                                 (int)header->name.size, header->name.at,
                                 (int)header->value.size, header->value.at);
        ck_assert_uint_lt(used, sizeof(answer->headers));
    }
}

static int take(struct sill_http_call *call, struct answer *answer)
{
    const struct sill_http_head *head;
    int rc = sill_http_call_response(call, &head, soon());
    if (rc < 0)
        return rc;
    struct sill_http_view url = sill_http_call_url(call);
    snprintf(answer->url, sizeof(answer->url), "%.*s", (int)url.size, url.at);
    answer->status = head->status;
    note_headers(answer, head);
    ssize_t got;
    while ((got = sill_http_call_read(call, answer->body + answer->size,
                                      sizeof(answer->body) - 1 - answer->size,
                                      soon())) > 0)
        answer->size += (size_t)got;
    return (int)got;
}

static void clear(struct answer *answer)
{
    answer->rc = answer->error = answer->status = 0;
    answer->url[0] = answer->headers[0] = '\0';
    answer->size = 0;
}

int hear(struct sill_http_call *call, struct answer *answer)
{
    clear(answer);
    answer->rc = take(call, answer);
    answer->body[answer->size] = '\0';
    answer->error = sill_http_call_error(call);
    sill_http_call_close(call);
    return answer->rc;
}

int ask(struct world *world, const char *url,
        const struct sill_http_call_options *options, struct answer *answer)
{
    struct sill_http_call *call;
    clear(answer);
    answer->body[0] = '\0';
    answer->rc =
        sill_http_call_open(&world->client, url, options, &call, soon());
    if (answer->rc < 0) {
        ck_assert_ptr_eq(call, NULL);
        return answer->rc;
    }
    return hear(call, answer);
}

void is_answer(const struct answer *answer, int status, const char *body)
{
    ck_assert_int_eq(answer->rc, 0);
    ck_assert_int_eq(answer->error, 0);
    ck_assert_int_eq(answer->status, status);
    ck_assert_str_eq(answer->body, body);
}
