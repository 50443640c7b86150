/* SPDX-License-Identifier: MIT */
/*
 * Listeners: where connections wait to be taken. See <sill/listener.h>.
 */
#include "connection.h"

enum { BACKLOG = 1024 };

struct listener {
    struct node node;
    struct name name;
    struct world *world;
    uint64_t id;
    struct node queue; /* of connections */
    size_t waiting, most;
    bool closed;
    unsigned users; /* who holds it, and who waits */
    struct sill_spi_waiter acceptor;
};

int sill_world_listener_arrive(struct connection *c)
{
    struct end *end = &c->ends[1];
    const struct sill_address *to = &c->ends[0].peer;
    struct name *name = sill_world_bound(end->host, NAME_STREAM, to);

    if (!name)
        return c->is_unix && to->u.path[0] ? SILL_ENOENT : SILL_ECONNREFUSED;

    struct listener *l = OWNER(name, struct listener, name);

    if (l->waiting >= l->most)
        return SILL_EBUSY;
    if (name->address.family == SILL_FAMILY_IPV6) {
        sill_world_map(&end->local);
        sill_world_map(&end->peer);
    }
    sill_world_list_add(&l->queue, &c->queued);
    c->is_queued = true;
    l->waiting++;
    sill_core_wake_waiter(&l->acceptor, 0);
    return 0;
}

/* Accepting. */

static struct connection *dequeue(struct listener *l)
{
    struct node *n = sill_world_list_first(&l->queue);
    struct connection *c = OWNER(n, struct connection, queued);

    sill_world_list_remove(n);
    c->is_queued = false;
    l->waiting--;
    return c;
}

/* Clients that are gone are passed over. */
static void pass_over(struct listener *l)
{
    struct node *n;

    while ((n = sill_world_list_first(&l->queue)) &&
           OWNER(n, struct connection, queued)->ends[1].error)
        sill_world_end_close(dequeue(l), 1, false);
}

/* SILL_ECLOSED means that the listener may be gone. */
static int wait_for_one(struct listener *l, sill_time deadline)
{
    l->users++;

    int rc = sill_core_wait(&l->acceptor, deadline, "a connection to accept",
                            "sill_listener_accept");

    l->users--;
    if (!l->closed)
        return rc;
    if (l->users == 0)
        sill_free(l);
    return SILL_ECLOSED;
}

static int take(struct listener *l, struct sill_stream *stream)
{
    int rc = sill_world_descriptor_take(l->name.host);

    if (rc < 0)
        return rc;

    struct connection *c = dequeue(l);

    sill_world_end_open(c, 1, stream);
    sill_world_record(l->world, SILL_SIM_ACCEPT, l->name.host, c->id, NULL, 0);
    return 0;
}

static int listener_accept(void *impl, struct sill_stream *stream,
                           sill_time deadline)
{
    struct listener *l = impl;
    int rc = 0;

    for (;;) {
        pass_over(l);
        if (l->waiting > 0)
            return take(l, stream);
        if (rc < 0)
            return rc;
        rc = wait_for_one(l, deadline);
        if (rc == SILL_ECLOSED)
            return rc;
    }
}

static int listener_local(void *impl, struct sill_address *address)
{
    const struct listener *l = impl;

    *address = l->name.address;
    return 0;
}

static void listener_close(void *impl)
{
    struct listener *l = impl;

    sill_world_record(l->world, SILL_SIM_CLOSE, l->name.host, l->id, NULL, 0);
    sill_world_unbind(&l->name);
    sill_world_list_remove(&l->node);
    sill_world_descriptor_give(l->name.host);
    while (l->waiting > 0)
        sill_world_end_close(dequeue(l), 1, true);
    l->closed = true;
    sill_core_wake_waiter(&l->acceptor, SILL_ECLOSED);
    if (--l->users == 0)
        sill_free(l);
}

static const struct sill_listener_ops ops = {listener_accept, listener_local,
                                             listener_close};

/* Listening. */

static struct listener *make(struct world *world,
                             const struct sill_socket_options *options)
{
    struct listener *l = sill_alloc(sizeof(*l));

    if (!l)
        return NULL;
    memset(l, 0, sizeof(*l));
    l->world = world;
    l->most =
        options && options->backlog > 0 ? (size_t)options->backlog : BACKLOG;
    l->users = 1;
    sill_world_list_init(&l->queue);
    return l;
}

int sill_world_listen(struct sill_loop *loop, struct sill_listener *listener,
                      const struct sill_address *address,
                      const struct sill_socket_options *options)
{
    struct world *world = sill_world_current;
    struct sill_sim_host *host = sill_world_host_here(world);
    int rc = sill_world_descriptor_take(host);

    (void)loop;
    if (rc < 0)
        return rc;

    struct listener *l = make(world, options);

    rc = l ? sill_world_bind(host, &l->name, NAME_STREAM, address, options)
           : SILL_ENOMEM;
    if (rc < 0) {
        sill_free(l);
        sill_world_descriptor_give(host);
        return rc;
    }
    l->id = ++world->sockets;
    sill_world_list_add(&world->listeners, &l->node);
    sill_world_record(world, SILL_SIM_LISTEN, host, l->id, NULL,
                      l->name.address.port);
    *listener = (struct sill_listener){&ops, l};
    return 0;
}

/* Those that nobody closed. */
void sill_world_listeners_free(struct world *world)
{
    for (struct node *n; (n = sill_world_list_first(&world->listeners));) {
        struct listener *l = OWNER(n, struct listener, node);

        sill_world_list_remove(n);
        sill_free(l);
    }
}
