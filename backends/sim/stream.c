/* SPDX-License-Identifier: MIT */
/*
 * Connections: bytes on their way, the end, resets, silence. See connection.h.
 */
#include "connection.h"

#define AGAIN      (200 * SILL_MILLISECOND) /* what got lost is sent again */
#define PAUSE_MOST (10 * SILL_SECOND)

static struct connection *connection_of(struct end *end)
{
    return OWNER(end - end->index, struct connection, ends);
}

static struct connection *connection_with(struct flow *flow)
{
    return OWNER(flow - flow->from, struct connection, flows);
}

unsigned sill_world_way_from(const struct connection *c, unsigned end)
{
    return sill_world_way(c->link, c->ends[end].host);
}

/* Pieces. */

static void drop_pieces(struct piece *piece)
{
    while (piece) {
        struct piece *next = piece->next;

        sill_free(piece);
        piece = next;
    }
}

static void drop_all(struct flow *flow)
{
    drop_pieces(flow->first);
    flow->first = flow->last = flow->coming = NULL;
    flow->held = flow->arrived = 0;
}

/* What has arrived stays. */
static void drop_coming(struct flow *flow)
{
    struct piece *last = NULL;

    for (struct piece *p = flow->first; p != flow->coming; p = p->next)
        last = p;
    drop_pieces(flow->coming);
    flow->coming = NULL;
    flow->last = last;
    if (last)
        last->next = NULL;
    else
        flow->first = NULL;
    flow->held = flow->arrived;
}

/* Nothing of it is under way any more. */
static void stop(struct connection *c, struct flow *flow)
{
    drop_coming(flow);
    flow->ends = flow->ended;
    flow->resets = false;
    sill_world_event_drop(c->world, &flow->arrival);
}

/* Sending. */

static void deliver(struct connection *c, unsigned from);

static sill_time next_at(const struct flow *flow)
{
    if (flow->coming)
        return flow->coming->at;
    if (flow->ends && !flow->ended)
        return flow->end_at;
    return flow->resets ? flow->reset_at : SILL_NEVER;
}

/* What takes no time has happened before the call returns. */
static void schedule(struct connection *c, unsigned from)
{
    struct flow *flow = &c->flows[from];
    sill_time at = next_at(flow);

    if (flow->arrival.index || at == SILL_NEVER)
        return;
    if (at <= c->world->now)
        deliver(c, from);
    else
        sill_world_event_set(c->world, &flow->arrival, at);
}

/* Nothing overtakes what was sent before. */
static sill_time arrival(struct connection *c, unsigned from, size_t size)
{
    struct world *world = c->world;
    struct flow *flow = &c->flows[from];
    sill_time at = sill_world_arrival(
        world, c->link, sill_world_way_from(c, from), size, c->id);

    if (sill_world_fails(world, c->link, world->options.faults.lose)) {
        at += AGAIN;
        sill_world_record(world, SILL_SIM_LOSE, c->ends[from].host, c->id, NULL,
                          size);
    }
    if (flow->last_at < at)
        flow->last_at = at;
    return flow->last_at;
}

static void send_piece(struct connection *c, unsigned from, struct piece *piece)
{
    struct flow *flow = &c->flows[from];

    piece->next = NULL;
    piece->taken = 0;
    piece->at = arrival(c, from, piece->size);
    if (flow->last)
        flow->last->next = piece;
    else
        flow->first = piece;
    flow->last = piece;
    if (!flow->coming)
        flow->coming = piece;
    flow->held += piece->size;
    schedule(c, from);
}

static void send_end(struct connection *c, unsigned from)
{
    struct flow *flow = &c->flows[from];

    if (flow->ends)
        return;
    flow->ends = true;
    flow->end_at = arrival(c, from, 0);
    schedule(c, from);
}

static void send_reset(struct connection *c, unsigned from)
{
    struct flow *flow = &c->flows[from];

    if (flow->resets)
        return;
    flow->resets = true;
    flow->reset_at = arrival(c, from, 0);
    schedule(c, from);
}

/* Arriving. */

void sill_world_end_fail(struct connection *c, unsigned end, int error)
{
    struct world *world = c->world;
    struct flow *in = &c->flows[1 - end];

    if (c->ends[end].error)
        return;
    c->ends[end].error = error;
    drop_coming(&c->flows[end]);
    /* A reset may overtake what a task has not read yet. */
    if (world->options.faults.reset > 0 && !in->ended &&
        sill_world_draw_below(&world->network, 2) == 0) {
        drop_coming(in);
        drop_all(in);
    }
    sill_core_wake_waiter(&in->reader, 0);
    sill_core_wake_waiter(&c->flows[end].writer, 0);
}

static void arrive_reset(struct connection *c, unsigned from)
{
    const struct end *to = &c->ends[1 - from];

    c->flows[from].resets = false;
    if (to->left || to->lost)
        return;
    sill_world_record(c->world, SILL_SIM_RESET, to->host, c->id, NULL, 0);
    sill_world_end_fail(c, 1 - from, SILL_ECONNRESET);
}

static void arrive_end(struct connection *c, unsigned from)
{
    struct flow *flow = &c->flows[from];

    flow->ended = true;
    sill_world_record(c->world, SILL_SIM_END, c->ends[1 - from].host, c->id,
                      NULL, 0);
    sill_core_wake_waiter(&flow->reader, 0);
}

/* Nobody is there for it. */
static void refuse_pieces(struct connection *c, unsigned from)
{
    stop(c, &c->flows[from]);
    send_reset(c, 1 - from);
}

static void arrive_piece(struct connection *c, unsigned from)
{
    struct world *world = c->world;
    struct flow *flow = &c->flows[from];
    struct end *to = &c->ends[1 - from];
    struct piece *piece = flow->coming;

    if (to->left || to->lost || to->error) {
        refuse_pieces(c, from);
        return;
    }
    if (sill_world_fails(world, c->link, world->options.faults.reset)) {
        sill_world_record(world, SILL_SIM_RESET, to->host, c->id, NULL,
                          piece->size);
        sill_world_end_fail(c, 1 - from, SILL_ECONNRESET);
        refuse_pieces(c, from);
        return;
    }
    flow->coming = piece->next;
    flow->arrived += piece->size;
    sill_world_record(world, SILL_SIM_ARRIVE, to->host, c->id, piece->bytes,
                      piece->size);
    sill_core_wake_waiter(&flow->reader, 0);
}

/* Silence. */

sill_duration sill_world_pause(struct world *world, sill_duration *pause,
                               sill_duration first, sill_time since)
{
    sill_duration left = since + world->options.patience - world->now;

    if (left <= 0)
        return 0;
    *pause = *pause ? 2 * *pause : first;
    if (*pause > PAUSE_MOST)
        *pause = PAUSE_MOST;
    return *pause < left ? *pause : left;
}

/* Tries (event) of a flow again, or gives the flow up. */
static void try_again(struct connection *c, unsigned from, struct event *event)
{
    struct world *world = c->world;
    struct flow *flow = &c->flows[from];
    const struct end *end = &c->ends[from];

    if (flow->pause == 0)
        flow->silent_since = world->now;

    sill_duration pause =
        sill_world_pause(world, &flow->pause, AGAIN, flow->silent_since);

    sill_world_record(world, pause ? SILL_SIM_RETRY : SILL_SIM_GIVE_UP,
                      end->host, c->id, NULL, 0);
    if (pause) {
        sill_world_event_set(world, event, world->now + pause);
        return;
    }
    stop(c, flow);
    sill_world_end_fail(c, from, SILL_ETIMEDOUT);
}

static bool is_silent(const struct connection *c, unsigned from)
{
    return sill_world_is_silent(c->world, c->link,
                                sill_world_way_from(c, from));
}

static void deliver(struct connection *c, unsigned from)
{
    struct flow *flow = &c->flows[from];
    sill_time now = c->world->now;

    if (is_silent(c, from)) {
        try_again(c, from, &flow->arrival);
        return;
    }
    flow->pause = 0;
    while (flow->coming && flow->coming->at <= now)
        arrive_piece(c, from);
    if (flow->ends && !flow->ended && next_at(flow) <= now)
        arrive_end(c, from);
    if (flow->resets && next_at(flow) <= now)
        arrive_reset(c, from);
    schedule(c, from);
}

static void arrival_happens(struct world *world, struct event *event)
{
    struct flow *flow = OWNER(event, struct flow, arrival);
    struct connection *c = connection_with(flow);

    (void)world;
    deliver(c, flow->from);
    sill_world_connection_check(c);
}

/* The other side has taken something, and the writer hears of it. */
static void news_happens(struct world *world, struct event *event)
{
    struct flow *flow = OWNER(event, struct flow, news);
    struct connection *c = connection_with(flow);
    unsigned from = flow->from;

    (void)world;
    if (c->ends[1 - from].lost)
        sill_world_end_fail(
            c, from, is_silent(c, from) ? SILL_ETIMEDOUT : SILL_ECONNRESET);
    else if (is_silent(c, 1 - from))
        try_again(c, from, event);
    else
        sill_core_wake_waiter(&flow->writer, 0);
    sill_world_connection_check(c);
}

static void tell_writer(struct connection *c, unsigned from)
{
    struct world *world = c->world;
    struct flow *flow = &c->flows[from];

    if (!flow->writer.task || flow->news.index)
        return;
    if (sill_world_is_own(c->link)) {
        sill_core_wake_waiter(&flow->writer, 0);
        return;
    }

    sill_time at = sill_world_arrival(
        world, c->link, sill_world_way_from(c, 1 - from), 0, c->id);

    sill_world_event_set(world, &flow->news, at);
}

/* Reading and writing. */

/* Waits at one of the places of (end). SILL_ECLOSED means that the connection
 * may be gone. */
static int wait_at(struct end *end, struct sill_spi_waiter *waiter,
                   sill_time deadline, const char *what, const char *call)
{
    end->waiting++;

    int rc = sill_core_wait(waiter, deadline, what, call);

    end->waiting--;
    if (end->open)
        return rc;
    sill_world_connection_check(connection_of(end));
    return SILL_ECLOSED;
}

static size_t take_piece(struct flow *flow, char *to, size_t size)
{
    struct piece *piece = flow->first;
    size_t n = piece->size - piece->taken;

    if (n > size)
        n = size;
    memcpy(to, piece->bytes + piece->taken, n);
    piece->taken += n;
    if (piece->taken == piece->size) {
        flow->first = piece->next;
        if (!flow->first)
            flow->last = NULL;
        sill_free(piece);
    }
    return n;
}

/* As many as there are, or, by a fault of (kind), a part of them. */
static size_t some_of(struct end *end, size_t size, double probability,
                      enum sill_sim_kind kind)
{
    struct connection *c = connection_of(end);
    struct world *world = c->world;

    if (size < 2 || !sill_world_chance(&world->network, probability))
        return size;
    size = 1 + sill_world_draw_below(&world->network, size - 1);
    sill_world_record(world, kind, end->host, c->id, NULL, size);
    return size;
}

static size_t take(struct end *end, char *to, size_t size)
{
    struct connection *c = connection_of(end);
    struct flow *in = &c->flows[1 - end->index];
    size_t done = 0;

    if (size > in->arrived)
        size = in->arrived;
    size = some_of(end, size, c->world->options.faults.short_read,
                   SILL_SIM_SHORT_READ);
    while (done < size)
        done += take_piece(in, to + done, size - done);
    in->arrived -= size;
    in->held -= size;
    sill_world_record(c->world, SILL_SIM_READ, end->host, c->id, to, size);
    tell_writer(c, 1 - end->index);
    return size;
}

static ssize_t stream_read(void *impl, void *buffer, size_t size,
                           sill_time deadline)
{
    struct end *end = impl;
    struct flow *in = &connection_of(end)->flows[1 - end->index];
    int rc = 0;

    for (;;) {
        if (in->arrived > 0)
            return (ssize_t)take(end, buffer, size);
        if (in->ended)
            return 0;
        if (end->error)
            return end->error;
        if (rc < 0)
            return rc;
        rc = wait_at(end, &in->reader, deadline, "a stream to read",
                     "sill_stream_read");
        if (rc == SILL_ECLOSED)
            return rc;
    }
}

static int stream_wait(void *impl, sill_time deadline)
{
    struct end *end = impl;
    struct flow *in = &connection_of(end)->flows[1 - end->index];
    int rc = 0;

    while (in->arrived == 0 && !in->ended && !end->error) {
        if (rc < 0)
            return rc;
        rc = wait_at(end, &in->reader, deadline, "a stream to read",
                     "sill_stream_wait");
        if (rc == SILL_ECLOSED)
            return rc;
    }
    return 0;
}

/* Whether writing can never succeed. */
static int write_error(struct end *end)
{
    struct connection *c = connection_of(end);

    if (c->flows[end->index].ends)
        return SILL_EPIPE;
    if (c->is_unix && c->ends[1 - end->index].left)
        return SILL_EPIPE;
    if (end->error == SILL_ECONNRESET && c->flows[1 - end->index].ended)
        return SILL_EPIPE;
    return end->error;
}

static size_t total(const struct iovec *pieces, size_t count, size_t most)
{
    size_t size = 0;

    for (size_t i = 0; i < count && size < most; i++)
        size +=
            pieces[i].iov_len < most - size ? pieces[i].iov_len : most - size;
    return size;
}

static void gather(char *to, const struct iovec *pieces, size_t size)
{
    while (size > 0) {
        size_t n = pieces->iov_len < size ? pieces->iov_len : size;

        if (n > 0)
            memcpy(to, pieces->iov_base, n);
        to += n;
        size -= n;
        pieces++;
    }
}

static ssize_t put(struct end *end, const struct iovec *pieces, size_t count)
{
    struct connection *c = connection_of(end);
    struct flow *out = &c->flows[end->index];
    size_t size =
        some_of(end, total(pieces, count, out->room - out->held),
                c->world->options.faults.short_write, SILL_SIM_SHORT_WRITE);
    struct piece *piece = sill_alloc(sizeof(*piece) + size);

    if (!piece)
        return SILL_ENOMEM;
    piece->size = size;
    gather(piece->bytes, pieces, size);
    sill_world_record(c->world, SILL_SIM_SEND, end->host, c->id, piece->bytes,
                      size);
    send_piece(c, end->index, piece);
    return (ssize_t)size;
}

static ssize_t stream_writev(void *impl, const struct iovec *pieces,
                             size_t count, sill_time deadline)
{
    struct end *end = impl;
    struct flow *out = &connection_of(end)->flows[end->index];
    int rc = 0;

    for (;;) {
        int error = write_error(end);

        if (error < 0)
            return error;
        if (out->held < out->room)
            return put(end, pieces, count);
        if (rc < 0)
            return rc;
        rc = wait_at(end, &out->writer, deadline, "a stream to write",
                     "sill_stream_write");
        if (rc == SILL_ECLOSED)
            return rc;
    }
}

/* Ending. */

static int stream_shutdown(void *impl, sill_time deadline)
{
    struct end *end = impl;
    struct connection *c = connection_of(end);

    (void)deadline;
    if (end->error)
        return SILL_ECONNRESET;
    send_end(c, end->index);
    sill_core_wake_waiter(&c->flows[end->index].writer, 0);
    return 0;
}

/* Unread bytes make it a reset, as with TCP. */
static void say_goodbye(struct connection *c, unsigned end, bool abort)
{
    struct flow *in = &c->flows[1 - end];

    abort = abort || in->arrived > 0;
    if (!c->ends[end].error && abort)
        send_reset(c, end);
    else if (!c->ends[end].error)
        send_end(c, end);
    sill_core_wake_waiter(&in->writer, 0);
}

void sill_world_end_close(struct connection *c, unsigned end, bool abort)
{
    struct end *e = &c->ends[end];
    struct flow *in = &c->flows[1 - end];

    if (e->open)
        sill_world_descriptor_give(e->host);
    e->open = false;
    e->left = true;
    sill_world_record(c->world, SILL_SIM_CLOSE, e->host, c->id, NULL, 0);
    sill_core_wake_waiter(&in->reader, SILL_ECLOSED);
    sill_core_wake_waiter(&c->flows[end].writer, SILL_ECLOSED);
    say_goodbye(c, end, abort);
    sill_world_connection_check(c);
}

static void stream_close(void *impl)
{
    struct end *end = impl;

    sill_world_end_close(connection_of(end), end->index, false);
}

static int stream_local(void *impl, struct sill_address *address)
{
    const struct end *end = impl;

    *address = end->local;
    return 0;
}

static int stream_peer(void *impl, struct sill_address *address)
{
    const struct end *end = impl;

    *address = end->peer;
    return 0;
}

static const struct sill_stream_ops ops = {
    stream_read,  stream_writev, stream_shutdown, stream_close,
    stream_local, stream_peer,   stream_wait,     NULL};

void sill_world_end_open(struct connection *c, unsigned end,
                         struct sill_stream *stream)
{
    c->ends[end].open = true;
    *stream = (struct sill_stream){.ops = &ops, .impl = &c->ends[end]};
}

/* The connection as a whole. */

struct connection *sill_world_connection_new(struct world *world,
                                             struct link *link)
{
    struct connection *c = NULL;

    if (sill_world_events_own(world, CONNECTION_EVENTS) < 0)
        return NULL;
    c = sill_alloc(sizeof(*c));
    if (!c) {
        sill_world_events_disown(world, CONNECTION_EVENTS);
        return NULL;
    }
    memset(c, 0, sizeof(*c));
    c->world = world;
    c->id = ++world->sockets;
    c->link = link;
    for (unsigned i = 0; i < 2; i++) {
        c->ends[i].index = i;
        c->flows[i].from = i;
        c->flows[i].arrival.happen = arrival_happens;
        c->flows[i].news.happen = news_happens;
    }
    sill_world_list_init(&c->queued);
    sill_world_list_add(&world->connections, &c->node);
    return c;
}

static void connection_free(struct connection *c)
{
    for (int i = 0; i < 2; i++) {
        sill_world_event_drop(c->world, &c->flows[i].arrival);
        sill_world_event_drop(c->world, &c->flows[i].news);
        drop_pieces(c->flows[i].first);
    }
    sill_world_event_drop(c->world, &c->handshake);
    sill_world_events_disown(c->world, CONNECTION_EVENTS);
    sill_world_list_remove(&c->node);
    sill_free(c);
}

static bool is_used(const struct connection *c)
{
    if (c->attempt != ATTEMPT_OVER || c->is_queued)
        return true;
    for (int i = 0; i < 2; i++) {
        if (c->ends[i].open || c->ends[i].waiting > 0 ||
            c->flows[i].arrival.index || c->flows[i].news.index)
            return true;
    }
    return false;
}

void sill_world_connection_check(struct connection *c)
{
    if (!is_used(c))
        connection_free(c);
}

void sill_world_connections_free(struct world *world)
{
    for (struct node *n; (n = sill_world_list_first(&world->connections));)
        connection_free(OWNER(n, struct connection, node));
}

/* That side forgets everything; the other one waits for an answer until it has
 * no more patience. */
static void crash_end(struct connection *c, unsigned end)
{
    struct world *world = c->world;
    struct flow *in = &c->flows[1 - end];

    c->ends[end].lost = true;
    stop(c, &c->flows[end]);
    sill_world_event_drop(world, &c->flows[end].news);
    sill_world_end_fail(c, end, SILL_ECONNRESET);
    if (in->held > 0 && !in->arrival.index)
        sill_world_event_set(world, &in->news,
                             world->now + world->options.patience);
}

static void crash(struct connection *c, const struct sill_sim_host *host)
{
    if (sill_world_is_own(c->link))
        return;
    for (unsigned i = 0; i < 2; i++) {
        if (c->ends[i].host == host)
            crash_end(c, i);
    }
    if (c->attempt != ATTEMPT_OVER && c->ends[0].host == host)
        sill_world_attempt_end(c, SILL_ENETUNREACH);
    sill_world_connection_check(c);
}

void sill_world_connections_crash(struct world *world,
                                  const struct sill_sim_host *host)
{
    for (struct node *n = world->connections.next, *next;
         n != &world->connections; n = next) {
        next = n->next;
        crash(OWNER(n, struct connection, node), host);
    }
}
