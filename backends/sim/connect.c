/* SPDX-License-Identifier: MIT */
/*
 * How a connection comes about: one question, one answer.
 */
#include "connection.h"

#define AGAIN      SILL_SECOND
#define UNIX_AGAIN (2 * SILL_MILLISECOND) /* its listener has no room */

static void handshake_happens(struct world *world, struct event *event);

/* What takes no time happens at once. */
static void set_handshake(struct connection *c, sill_time at)
{
    if (at <= c->world->now)
        handshake_happens(c->world, &c->handshake);
    else
        sill_world_event_set(c->world, &c->handshake, at);
}

void sill_world_attempt_end(struct connection *c, int result)
{
    sill_world_event_drop(c->world, &c->handshake);
    c->attempt = ATTEMPT_OVER;
    c->result = result;
    if (result == 0)
        sill_world_record(c->world, SILL_SIM_CONNECTED, c->ends[0].host, c->id,
                          NULL, 0);
    sill_core_wake_waiter(&c->connector, 0);
}

static void try_again(struct connection *c, sill_duration first)
{
    struct world *world = c->world;
    sill_duration pause = sill_world_pause(world, &c->pause, first, c->begun);

    if (c->is_unix) /* neither slower nor for the last time */
        c->pause = pause = first;
    sill_world_record(world, pause ? SILL_SIM_RETRY : SILL_SIM_GIVE_UP,
                      c->ends[0].host, c->id, NULL, 0);
    if (pause)
        sill_world_event_set(world, &c->handshake, world->now + pause);
    else
        sill_world_attempt_end(c, SILL_ETIMEDOUT);
}

static void answer(struct connection *c, int result)
{
    c->attempt = ATTEMPT_ANSWERS;
    c->result = result;
    c->pause = 0;
    c->flows[1].last_at = sill_world_arrival(
        c->world, c->link, sill_world_way_from(c, 1), 0, c->id);
    set_handshake(c, c->flows[1].last_at);
}

static void ask(struct connection *c)
{
    struct world *world = c->world;

    if (sill_world_fails(world, c->link, world->options.faults.refuse)) {
        sill_world_record(world, SILL_SIM_REFUSE, c->ends[1].host, c->id, NULL,
                          0);
        answer(c, SILL_ECONNREFUSED);
        return;
    }

    int rc = sill_world_listener_arrive(c);

    if (rc == SILL_EBUSY)
        try_again(c, c->is_unix ? UNIX_AGAIN : AGAIN);
    else
        answer(c, rc);
}

static void handshake_happens(struct world *world, struct event *event)
{
    struct connection *c = OWNER(event, struct connection, handshake);
    unsigned from = c->attempt == ATTEMPT_ANSWERS;

    if (sill_world_is_silent(world, c->link, sill_world_way_from(c, from)))
        try_again(c, AGAIN);
    else if (c->attempt == ATTEMPT_ASKS)
        ask(c);
    else
        sill_world_attempt_end(c, c->result);
}

static size_t room(const struct world *world, int asked)
{
    return asked > 0 ? (size_t)asked : world->options.buffer;
}

static struct connection *make(struct sill_sim_host *host,
                               struct sill_sim_host *target,
                               const struct sill_address *to,
                               const struct sill_socket_options *options)
{
    struct world *world = host->world;
    struct link *link = sill_world_link(host, target);
    struct connection *c = link ? sill_world_connection_new(world, link) : NULL;

    if (!c)
        return NULL;
    c->is_unix = to->family == SILL_FAMILY_UNIX;
    c->ends[0].host = host;
    c->ends[1].host = target;
    c->ends[0].peer = c->ends[1].local = *to;
    c->ends[0].local = c->ends[1].peer =
        sill_world_source(host, to, c->is_unix ? 0 : sill_world_port(host));
    c->flows[0].room = room(world, options ? options->send_buffer : 0);
    c->flows[1].room = room(world, options ? options->receive_buffer : 0);
    c->handshake.happen = handshake_happens;
    c->begun = world->now;
    return c;
}

/* An answer that has come beats a deadline. */
static int wait_for_answer(struct connection *c, sill_time deadline)
{
    int rc = 0;

    while (c->attempt != ATTEMPT_OVER && rc == 0)
        rc = sill_core_wait(&c->connector, deadline, "an answer to a connect",
                            "sill_stream_connect");
    return c->attempt == ATTEMPT_OVER ? c->result : rc;
}

/* The other side may have taken it, and hears of it. */
static void give_up(struct connection *c, bool is_taken)
{
    sill_world_event_drop(c->world, &c->handshake);
    c->attempt = ATTEMPT_OVER;
    if (!is_taken)
        c->ends[0].error = SILL_ECONNRESET; /* nobody is there to be told */
    sill_world_end_close(c, 0, true);
}

static int try_connect(struct connection *c, struct sill_stream *stream,
                       sill_time deadline)
{
    struct sill_stream made;
    struct world *world = c->world;

    sill_world_end_open(c, 0, &made);
    sill_world_record(world, SILL_SIM_CONNECT, c->ends[0].host, c->id, NULL,
                      c->ends[1].host->id);
    set_handshake(c, sill_world_arrival(world, c->link,
                                        sill_world_way_from(c, 0), 0, c->id));

    int rc = wait_for_answer(c, deadline);

    if (rc < 0)
        give_up(c, c->attempt == ATTEMPT_ANSWERS && c->result == 0);
    else
        *stream = made;
    return rc;
}

int sill_world_connect(struct sill_loop *loop, struct sill_stream *stream,
                       const struct sill_address *address,
                       const struct sill_socket_options *options,
                       sill_time deadline)
{
    struct sill_sim_host *host = sill_world_host_here(sill_world_current);
    struct sill_sim_host *target;
    struct sill_address to = *address;
    int rc = sill_world_route(host, address, &target);

    (void)loop;
    if (rc < 0)
        return rc;
    /* "Any address" leads to oneself. */
    if (sill_world_is_wildcard(address))
        to = sill_world_loopback(address->family, address->port);
    rc = sill_world_descriptor_take(host);
    if (rc < 0)
        return rc;

    struct connection *c = make(host, target, &to, options);

    if (c)
        return try_connect(c, stream, deadline);
    sill_world_descriptor_give(host);
    return SILL_ENOMEM;
}
