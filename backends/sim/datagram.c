/* SPDX-License-Identifier: MIT */
/*
 * Datagrams: messages that arrive, or do not. See <sill/datagram.h>.
 */
#include "world.h"

enum {
    IP_MOST = 65507, /* bytes of one message over UDP */
    UNIX_MOST = 212992,
    BUFFERS = 4,   /* of a stream's, for what has arrived ... */
    OVERHEAD = 256 /* ... with so much more for each, as a kernel counts */
};

#define UNIX_AGAIN (2 * SILL_MILLISECOND) /* its receiver has no room */

struct message {
    struct node node; /* of those under way */
    struct event arrival;
    struct message *next; /* of those that have arrived */
    struct world *world;
    uint64_t id; /* of the socket that sent it */
    struct link *link;
    struct sill_sim_host *from_host, *to_host;
    struct sill_address from, to;
    bool refused; /* on its way back */
    size_t size;
    char bytes[];
};

struct datagram {
    struct node node;
    struct name name;
    struct world *world;
    uint64_t id;
    struct message *first, *last;
    size_t held, room; /* bytes */
    struct sill_address peer;
    bool connected;
    int error; /* to be told once */
    bool closed;
    unsigned users; /* who holds it, and who waits */
    struct sill_spi_waiter receiver, sender;
};

/* Messages. */

static struct message *message_new(struct world *world, const void *data,
                                   size_t size)
{
    if (sill_world_events_own(world, 1) < 0)
        return NULL;

    struct message *m = sill_alloc(sizeof(*m) + size);

    if (!m) {
        sill_world_events_disown(world, 1);
        return NULL;
    }
    memset(m, 0, sizeof(*m));
    m->world = world;
    m->size = size;
    if (size > 0)
        memcpy(m->bytes, data, size);
    sill_world_list_init(&m->node);
    return m;
}

static void message_free(struct message *m)
{
    sill_world_event_drop(m->world, &m->arrival);
    sill_world_events_disown(m->world, 1);
    sill_world_list_remove(&m->node);
    sill_free(m);
}

static void lose(struct message *m)
{
    sill_world_record(m->world, SILL_SIM_LOSE, m->from_host, m->id, m->bytes,
                      m->size);
    message_free(m);
}

/* Arriving. */

static struct datagram *find(struct sill_sim_host *host,
                             const struct sill_address *at)
{
    struct name *name = sill_world_bound(host, NAME_DATAGRAM, at);

    return name ? OWNER(name, struct datagram, name) : NULL;
}

static bool has_room(const struct datagram *d, size_t size)
{
    return !d->first || d->held + size + OVERHEAD <= d->room;
}

static void enqueue(struct datagram *d, struct message *m)
{
    sill_world_record(d->world, SILL_SIM_DELIVER, d->name.host, d->id, m->bytes,
                      m->size);
    sill_world_list_remove(&m->node);
    if (d->name.address.family == SILL_FAMILY_IPV6)
        sill_world_map(&m->from);
    m->next = NULL;
    if (d->first)
        d->last->next = m;
    else
        d->first = m;
    d->last = m;
    d->held += m->size + OVERHEAD;
    sill_core_wake_waiter(&d->receiver, 0);
}

static void send_message(struct message *m, sill_time at);

/* Nobody was there: who fixed that peer hears of it. */
static void come_back(struct message *m)
{
    struct datagram *d = find(m->from_host, &m->from);

    if (d && d->connected && sill_address_is_equal(&d->peer, &m->to)) {
        d->error = SILL_ECONNREFUSED;
        sill_core_wake_waiter(&d->receiver, 0);
    }
    message_free(m);
}

static void refuse(struct message *m)
{
    unsigned way = sill_world_way(m->link, m->to_host);

    m->refused = true;
    sill_world_record(m->world, SILL_SIM_REFUSE, m->to_host, m->id, NULL,
                      m->size);
    send_message(m, sill_world_arrival(m->world, m->link, way, 0, m->id));
}

static bool takes(const struct datagram *d, const struct message *m)
{
    return !d->connected || sill_address_is_equal(&d->peer, &m->from);
}

static void arrive(struct message *m)
{
    struct sill_sim_host *sender = m->refused ? m->to_host : m->from_host;
    unsigned way = sill_world_way(m->link, sender);

    if (sill_world_is_silent(m->world, m->link, way)) {
        lose(m);
        return;
    }
    if (m->refused) {
        come_back(m);
        return;
    }

    struct datagram *d = find(m->to_host, &m->to);

    if (!d || !takes(d, m))
        refuse(m);
    else if (has_room(d, m->size))
        enqueue(d, m);
    else
        lose(m);
}

static void arrival_happens(struct world *world, struct event *event)
{
    (void)world;
    arrive(OWNER(event, struct message, arrival));
}

/* What takes no time has happened before the call returns. */
static void send_message(struct message *m, sill_time at)
{
    if (at <= m->world->now)
        arrive(m);
    else
        sill_world_event_set(m->world, &m->arrival, at);
}

/* Sending. */

/* In order, but for those that the seed holds up. */
static sill_time arrival_of(struct message *m)
{
    struct world *world = m->world;
    const struct sill_sim_faults *faults = &world->options.faults;
    unsigned way = sill_world_way(m->link, m->from_host);
    sill_time *last = &m->link->last_message[way];
    sill_time at = sill_world_arrival(world, m->link, way, m->size, m->id);

    if (at < *last)
        at = *last;
    if (!sill_world_fails(world, m->link, faults->reorder))
        return *last = at;
    sill_world_record(world, SILL_SIM_REORDER, m->from_host, m->id, NULL,
                      m->size);
    return at + 1 +
           sill_world_draw_span(&world->network,
                                4 * m->link->model.latency + SILL_MILLISECOND);
}

static void launch(struct message *m)
{
    struct world *world = m->world;
    unsigned way = sill_world_way(m->link, m->from_host);

    sill_world_list_add(&world->messages, &m->node);
    m->arrival.happen = arrival_happens;
    if (sill_world_is_silent(world, m->link, way) ||
        sill_world_fails(world, m->link, world->options.faults.lose))
        lose(m);
    else
        send_message(m, arrival_of(m));
}

static struct message *address_message(struct message *m,
                                       const struct datagram *d,
                                       struct sill_sim_host *target,
                                       const struct sill_address *to)
{
    struct sill_sim_host *host = d->name.host;

    m->id = d->id;
    m->from_host = host;
    m->to_host = target;
    m->to = *to;
    m->from = d->name.address;
    if (sill_world_is_wildcard(&m->from))
        m->from = sill_world_source(host, to, d->name.address.port);
    m->link = sill_world_link(host, target);
    return m->link ? m : NULL;
}

/* Without memory for it, a copy is no copy. */
static void launch_again(const struct message *m)
{
    struct message *copy = message_new(m->world, m->bytes, m->size);

    if (!copy)
        return;
    copy->id = m->id;
    copy->link = m->link;
    copy->from_host = m->from_host;
    copy->to_host = m->to_host;
    copy->from = m->from;
    copy->to = m->to;
    sill_world_record(m->world, SILL_SIM_REPEAT, m->from_host, m->id, NULL,
                      m->size);
    launch(copy);
}

static int send_to(struct datagram *d, const void *data, size_t size,
                   struct sill_sim_host *target, const struct sill_address *to)
{
    struct world *world = d->world;
    struct message *m = message_new(world, data, size);

    if (!m)
        return SILL_ENOMEM;
    if (!address_message(m, d, target, to)) {
        message_free(m);
        return SILL_ENOMEM;
    }
    sill_world_record(world, SILL_SIM_MESSAGE, d->name.host, d->id, data, size);
    if (sill_world_fails(world, m->link, world->options.faults.repeat))
        launch_again(m);
    launch(m);
    return 0;
}

/* SILL_ECLOSED means that the socket may be gone. */
static int wait_at(struct datagram *d, struct sill_spi_waiter *waiter,
                   sill_time deadline, const char *what, const char *call)
{
    d->users++;

    int rc = sill_core_wait(waiter, deadline, what, call);

    d->users--;
    if (!d->closed)
        return rc;
    if (d->users == 0)
        sill_free(d);
    return SILL_ECLOSED;
}

/* Nothing gets lost within a host: waits for room there. */
static int wait_for_room(struct datagram *d, size_t size,
                         const struct sill_address *to, sill_time deadline)
{
    for (;;) {
        const struct datagram *target = find(d->name.host, to);

        if (!target)
            return to->u.path[0] ? SILL_ENOENT : SILL_ECONNREFUSED;
        if (has_room(target, size))
            return 0;

        sill_time again = sill_after(UNIX_AGAIN);
        int rc = wait_at(d, &d->sender, again < deadline ? again : deadline,
                         "room for a datagram", "sill_datagram_send");

        if (rc < 0 && (rc != SILL_ETIMEDOUT || again > deadline))
            return rc;
    }
}

static bool is_broadcast(const struct sill_address *address)
{
    return address->family == SILL_FAMILY_IPV4 &&
           memcmp(address->u.ipv4, "\xff\xff\xff\xff", 4) == 0;
}

static int check(const struct datagram *d, size_t size,
                 const struct sill_address *to)
{
    bool is_unix = to->family == SILL_FAMILY_UNIX;

    if (to->family != d->name.address.family || (!is_unix && to->port == 0))
        return SILL_EINVAL;
    if (is_broadcast(to))
        return SILL_EACCES;
    return size > (is_unix ? UNIX_MOST : IP_MOST) ? SILL_EMSGSIZE : 0;
}

static int take_error(struct datagram *d)
{
    int error = d->error;

    d->error = 0;
    return error;
}

static void lead_home(struct sill_address *to)
{
    if (sill_world_is_wildcard(to))
        *to = sill_world_loopback(to->family, to->port);
}

static int datagram_send(void *impl, const void *data, size_t size,
                         const struct sill_address *peer, sill_time deadline)
{
    struct datagram *d = impl;
    struct sill_sim_host *target;
    struct sill_address to;
    int rc = take_error(d);

    if (rc == 0 && !peer && !d->connected)
        rc = SILL_ENOTCONN;
    if (rc < 0)
        return rc;
    to = peer ? *peer : d->peer;
    lead_home(&to);
    rc = check(d, size, &to);
    if (rc == 0)
        rc = sill_world_route(d->name.host, &to, &target);
    if (rc == SILL_EHOSTUNREACH) /* nobody says so */
        return 0;
    if (rc == 0 && to.family == SILL_FAMILY_UNIX)
        rc = wait_for_room(d, size, &to, deadline);
    return rc < 0 ? rc : send_to(d, data, size, target, &to);
}

/* Receiving. */

static ssize_t take(struct datagram *d, void *buffer, size_t size,
                    struct sill_address *peer)
{
    struct message *m = d->first;
    size_t whole = m->size;

    d->first = m->next;
    d->held -= whole + OVERHEAD;
    if (peer)
        *peer = m->from;
    if (whole > 0 && size > 0)
        memcpy(buffer, m->bytes, whole < size ? whole : size);
    sill_world_record(d->world, SILL_SIM_RECEIVE, d->name.host, d->id, m->bytes,
                      whole);
    message_free(m);
    return (ssize_t)whole;
}

static ssize_t datagram_receive(void *impl, void *buffer, size_t size,
                                struct sill_address *peer, sill_time deadline)
{
    struct datagram *d = impl;
    int rc = 0;

    for (;;) {
        int error = take_error(d);

        if (error < 0)
            return error;
        if (d->first)
            return take(d, buffer, size, peer);
        if (rc < 0)
            return rc;
        rc = wait_at(d, &d->receiver, deadline, "a datagram",
                     "sill_datagram_receive");
        if (rc == SILL_ECLOSED)
            return rc;
    }
}

static int datagram_connect(void *impl, const struct sill_address *peer)
{
    struct datagram *d = impl;
    struct sill_sim_host *target;
    struct sill_address to = *peer;
    int rc;

    lead_home(&to);
    rc = check(d, 0, &to);
    if (rc == 0)
        rc = sill_world_route(d->name.host, &to, &target);
    if (rc == 0 && to.family == SILL_FAMILY_UNIX && !find(d->name.host, &to))
        rc = to.u.path[0] ? SILL_ENOENT : SILL_ECONNREFUSED;
    if (rc < 0)
        return rc == SILL_EHOSTUNREACH ? SILL_ENETUNREACH : rc;
    d->peer = to;
    d->connected = true;
    return 0;
}

static int datagram_local(void *impl, struct sill_address *address)
{
    const struct datagram *d = impl;

    *address = d->name.address;
    if (d->connected && sill_world_is_wildcard(address))
        *address = sill_world_source(d->name.host, &d->peer, address->port);
    return 0;
}

static void drop_messages(struct datagram *d)
{
    while (d->first) {
        struct message *m = d->first;

        d->first = m->next;
        message_free(m);
    }
}

static void datagram_close(void *impl)
{
    struct datagram *d = impl;

    sill_world_record(d->world, SILL_SIM_CLOSE, d->name.host, d->id, NULL, 0);
    sill_world_unbind(&d->name);
    sill_world_list_remove(&d->node);
    sill_world_descriptor_give(d->name.host);
    drop_messages(d);
    d->closed = true;
    sill_core_wake_waiter(&d->receiver, SILL_ECLOSED);
    sill_core_wake_waiter(&d->sender, SILL_ECLOSED);
    if (--d->users == 0)
        sill_free(d);
}

static const struct sill_datagram_ops ops = {datagram_connect, datagram_send,
                                             datagram_receive, datagram_local,
                                             datagram_close};

/* Opening. */

static struct datagram *make(struct world *world,
                             const struct sill_socket_options *options)
{
    struct datagram *d = sill_alloc(sizeof(*d));

    if (!d)
        return NULL;
    memset(d, 0, sizeof(*d));
    d->world = world;
    d->users = 1;
    d->room = options && options->receive_buffer > 0
                  ? (size_t)options->receive_buffer
                  : BUFFERS * world->options.buffer;
    return d;
}

int sill_world_datagram(struct sill_loop *loop, struct sill_datagram *datagram,
                        const struct sill_address *address,
                        const struct sill_socket_options *options)
{
    struct world *world = sill_world_current;
    struct sill_sim_host *host = sill_world_host_here(world);
    int rc = sill_world_descriptor_take(host);

    (void)loop;
    if (rc < 0)
        return rc;

    struct datagram *d = make(world, options);

    rc = d ? sill_world_bind(host, &d->name, NAME_DATAGRAM, address, options)
           : SILL_ENOMEM;
    if (rc < 0) {
        sill_free(d);
        sill_world_descriptor_give(host);
        return rc;
    }
    d->id = ++world->sockets;
    sill_world_list_add(&world->datagrams, &d->node);
    sill_world_record(world, SILL_SIM_OPEN, host, d->id, NULL,
                      d->name.address.port);
    *datagram = (struct sill_datagram){&ops, d};
    return 0;
}

/* Those that nobody closed, and what is still under way. */
void sill_world_datagrams_free(struct world *world)
{
    for (struct node *n; (n = sill_world_list_first(&world->datagrams));) {
        struct datagram *d = OWNER(n, struct datagram, node);

        sill_world_list_remove(n);
        drop_messages(d);
        sill_free(d);
    }
    for (struct node *n; (n = sill_world_list_first(&world->messages));)
        message_free(OWNER(n, struct message, node));
}
