/* SPDX-License-Identifier: MIT */
/*
 * Machines: their addresses, ports and descriptors.
 */
#include "world.h"

#include <stdio.h>

enum { PORT_FIRST = 32768, PORT_LAST = 60999 };

struct added {
    struct node node; /* in the addresses of its host */
    struct name name;
};

/* Addresses. */

struct sill_address sill_world_loopback(enum sill_family family, uint16_t port)
{
    struct sill_address address = {.family = family, .port = port};

    if (family == SILL_FAMILY_IPV4)
        memcpy(address.u.ipv4, (uint8_t[]){127, 0, 0, 1}, 4);
    else
        address.u.ipv6[15] = 1;
    return address;
}

bool sill_world_is_local(const struct sill_address *address)
{
    static const uint8_t one[16] = {[15] = 1};

    switch (address->family) {
    case SILL_FAMILY_IPV4:
        return address->u.ipv4[0] == 127;
    case SILL_FAMILY_IPV6:
        return memcmp(address->u.ipv6, one, sizeof(one)) == 0;
    default:
        return true;
    }
}

bool sill_world_is_wildcard(const struct sill_address *address)
{
    static const uint8_t zero[16];

    if (address->family == SILL_FAMILY_IPV4)
        return memcmp(address->u.ipv4, zero, 4) == 0;
    return address->family == SILL_FAMILY_IPV6 &&
           memcmp(address->u.ipv6, zero, 16) == 0;
}

struct sill_address sill_world_wildcard(enum sill_family family, uint16_t port)
{
    return (struct sill_address){.family = family, .port = port};
}

void sill_world_map(struct sill_address *address)
{
    struct sill_address mapped = {.family = SILL_FAMILY_IPV6,
                                  .port = address->port};

    if (address->family != SILL_FAMILY_IPV4)
        return;
    mapped.u.ipv6[10] = mapped.u.ipv6[11] = 0xff;
    memcpy(mapped.u.ipv6 + 12, address->u.ipv4, sizeof(address->u.ipv4));
    *address = mapped;
}

/* As it stands in the table: a host has all ports. */
static struct sill_address without_port(const struct sill_address *address)
{
    struct sill_address plain = *address;

    plain.port = 0;
    plain.scope_id = 0;
    return plain;
}

static struct sill_address address_of(enum sill_family family, unsigned id)
{
    uint32_t n = id + 1;
    struct sill_address address = {.family = family};
    uint8_t *end = address.u.ipv6 + 13;

    if (family == SILL_FAMILY_IPV4) {
        address.u.ipv4[0] = 10;
        end = address.u.ipv4 + 1;
    } else {
        address.u.ipv6[0] = 0xfd;
    }
    end[0] = (uint8_t)(n >> 16);
    end[1] = (uint8_t)(n >> 8);
    end[2] = (uint8_t)n;
    return address;
}

struct sill_address sill_world_source(const struct sill_sim_host *host,
                                      const struct sill_address *peer,
                                      uint16_t port)
{
    struct sill_address address;

    if (peer->family == SILL_FAMILY_UNIX)
        return (struct sill_address){.family = SILL_FAMILY_NONE};
    if (sill_world_is_local(peer))
        return sill_world_loopback(peer->family, port);
    address = peer->family == SILL_FAMILY_IPV4 ? host->ipv4.address
                                               : host->ipv6.address;
    address.port = port;
    return address;
}

static int require_port(const struct sill_address *address)
{
    switch (address->family) {
    case SILL_FAMILY_IPV4:
    case SILL_FAMILY_IPV6:
        return 0;
    case SILL_FAMILY_UNIX:
        if (address->path_size > 0 && address->path_size <= SILL_UNIX_PATH_MAX)
            return 0;
        break;
    case SILL_FAMILY_NONE:
        break;
    }
    return SILL_EINVAL;
}

int sill_world_route(struct sill_sim_host *host,
                     const struct sill_address *address,
                     struct sill_sim_host **found)
{
    int rc = require_port(address);
    struct sill_address plain = without_port(address);

    *found = host;
    if (rc < 0 || sill_world_is_local(address) ||
        sill_world_is_wildcard(address))
        return rc;

    struct name *name =
        sill_world_table_find(&host->world->names, NAME_HOST, NULL, &plain);

    if (!name)
        return SILL_EHOSTUNREACH;
    *found = name->host;
    return host->down && name->host != host ? SILL_ENETUNREACH : 0;
}

/* Names that are taken. */

static bool is_taken(struct sill_sim_host *host, const struct name *asked,
                     const struct sill_address *address)
{
    struct name *name =
        sill_world_table_find(&host->world->names, asked->kind, host, address);

    while (name && asked->shared && name->shared)
        name = sill_world_table_next(name);
    return name != NULL;
}

/* A wildcard of IPv6 that takes IPv4, too. */
static struct name *find_dual(struct sill_sim_host *host, enum name_kind kind,
                              uint16_t port)
{
    struct sill_address both = sill_world_wildcard(SILL_FAMILY_IPV6, port);
    struct name *name =
        sill_world_table_find(&host->world->names, kind, host, &both);

    return name && !name->ipv6_only ? name : NULL;
}

/* Any address of the family, at the port of (asked). */
static bool is_any_taken(struct sill_sim_host *host, const struct name *asked,
                         enum sill_family family)
{
    uint16_t port = asked->address.port;
    struct sill_address at[] = {sill_world_wildcard(family, port),
                                sill_world_loopback(family, port),
                                address_of(family, host->id)};

    at[2].port = port;
    for (size_t i = 0; i < sizeof(at) / sizeof(*at); i++) {
        if (is_taken(host, asked, &at[i]))
            return true;
    }
    for (struct node *n = host->addresses.next; n != &host->addresses;
         n = n->next) {
        struct sill_address own = OWNER(n, struct added, node)->name.address;

        own.port = port;
        if (own.family == family && is_taken(host, asked, &own))
            return true;
    }
    return false;
}

static bool overlaps(struct sill_sim_host *host, const struct name *asked)
{
    const struct sill_address *address = &asked->address;
    struct sill_address wildcard =
        sill_world_wildcard(address->family, address->port);

    if (address->family == SILL_FAMILY_UNIX)
        return is_taken(host, asked, address);
    if (address->family == SILL_FAMILY_IPV4) {
        struct name *dual = find_dual(host, asked->kind, address->port);

        if (dual && !(dual->shared && asked->shared))
            return true;
    }
    if (!sill_world_is_wildcard(address))
        return is_taken(host, asked, address) ||
               is_taken(host, asked, &wildcard);
    return is_any_taken(host, asked, address->family) ||
           (address->family == SILL_FAMILY_IPV6 && !asked->ipv6_only &&
            is_any_taken(host, asked, SILL_FAMILY_IPV4));
}

uint16_t sill_world_port(struct sill_sim_host *host)
{
    uint16_t port = host->next_port;

    host->next_port = port == PORT_LAST ? PORT_FIRST : (uint16_t)(port + 1);
    return port;
}

static int choose_port(struct sill_sim_host *host, struct name *name)
{
    if (name->address.family == SILL_FAMILY_UNIX || name->address.port != 0)
        return overlaps(host, name) ? SILL_EADDRINUSE : 0;
    for (unsigned i = PORT_FIRST; i <= PORT_LAST; i++) {
        name->address.port = sill_world_port(host);
        if (!overlaps(host, name))
            return 0;
    }
    return SILL_EADDRINUSE;
}

static int require_own(struct sill_sim_host *host,
                       const struct sill_address *address)
{
    struct sill_address plain = without_port(address);
    struct name *name;

    if (sill_world_is_local(address) || sill_world_is_wildcard(address))
        return 0;
    name = sill_world_table_find(&host->world->names, NAME_HOST, NULL, &plain);
    return name && name->host == host ? 0 : SILL_EADDRNOTAVAIL;
}

int sill_world_bind(struct sill_sim_host *host, struct name *name,
                    enum name_kind kind, const struct sill_address *address,
                    const struct sill_socket_options *options)
{
    int rc = require_port(address);

    if (rc == 0)
        rc = require_own(host, address);
    if (rc < 0)
        return rc;
    name->kind = kind;
    name->host = host;
    name->address = *address;
    name->shared = options && options->reuse_port;
    name->ipv6_only = options && options->ipv6_only;
    rc = choose_port(host, name);
    return rc < 0 ? rc : sill_world_table_add(&host->world->names, name);
}

void sill_world_unbind(struct name *name)
{
    sill_world_table_remove(&name->host->world->names, name);
}

/* Of those who share a name, any. */
static struct name *pick(struct world *world, struct name *first)
{
    uint64_t count = 0;

    for (struct name *name = first; name; name = sill_world_table_next(name))
        count++;
    if (count > 1)
        count = sill_world_draw_below(&world->network, count);
    else
        count = 0;
    while (count-- > 0)
        first = sill_world_table_next(first);
    return first;
}

struct name *sill_world_bound(struct sill_sim_host *host, enum name_kind kind,
                              const struct sill_address *to)
{
    const struct table *names = &host->world->names;
    struct sill_address wildcard = sill_world_wildcard(to->family, to->port);
    struct name *name = sill_world_table_find(names, kind, host, to);

    if (!name && to->family != SILL_FAMILY_UNIX)
        name = sill_world_table_find(names, kind, host, &wildcard);
    if (!name && to->family == SILL_FAMILY_IPV4)
        name = find_dual(host, kind, to->port);
    return name ? pick(host->world, name) : NULL;
}

/* Descriptors. */

int sill_world_descriptor_take(struct sill_sim_host *host)
{
    struct world *world = host->world;

    if (host->descriptors >= host->limit ||
        sill_world_chance(&world->network, world->options.faults.descriptor)) {
        sill_world_record(world, SILL_SIM_DESCRIPTOR, host, 0, NULL,
                          host->descriptors);
        return SILL_EMFILE;
    }
    host->descriptors++;
    world->open_sockets++;
    return 0;
}

void sill_world_descriptor_give(struct sill_sim_host *host)
{
    host->descriptors--;
    host->world->open_sockets--;
}

/* Hosts. */

static int name_host(struct sill_sim_host *host, struct name *name,
                     struct sill_address address)
{
    struct table *names = &host->world->names;

    *name = (struct name){
        .kind = NAME_HOST, .host = host, .address = without_port(&address)};
    if (sill_world_table_find(names, NAME_HOST, NULL, &name->address))
        return SILL_EADDRINUSE;
    return sill_world_table_add(names, name);
}

static int name_twice(struct sill_sim_host *host)
{
    int rc =
        name_host(host, &host->ipv4, address_of(SILL_FAMILY_IPV4, host->id));

    if (rc < 0)
        return rc;
    rc = name_host(host, &host->ipv6, address_of(SILL_FAMILY_IPV6, host->id));
    if (rc < 0)
        sill_world_table_remove(&host->world->names, &host->ipv4);
    return rc;
}

int sill_world_host_add(struct world *world, const char *text,
                        struct sill_sim_host **host)
{
    struct sill_sim_host *made = sill_alloc(sizeof(*made));

    if (!made)
        return SILL_ENOMEM;
    memset(made, 0, sizeof(*made));
    made->world = world;
    made->id = world->last_host ? world->last_host->id + 1 : 0;
    made->limit = world->options.descriptors;
    made->next_port = PORT_FIRST;
    (void)snprintf(made->text, sizeof(made->text), "%s", text);
    sill_world_list_init(&made->addresses);

    int rc = name_twice(made);

    if (rc < 0) {
        sill_free(made);
        return rc;
    }
    sill_world_list_add(&world->hosts, &made->node);
    world->last_host = made;
    sill_world_record(world, SILL_SIM_HOST, made, 0, text, strlen(text));
    *host = made;
    return 0;
}

static void host_free(struct sill_sim_host *host)
{
    for (struct node *n; (n = sill_world_list_first(&host->addresses));) {
        sill_world_list_remove(n);
        sill_free(OWNER(n, struct added, node));
    }
    for (unsigned i = 0; host->roads && i <= host->id; i++)
        sill_free(host->roads[i].link);
    sill_free(host->roads);
    sill_free(host);
}

void sill_world_hosts_free(struct world *world)
{
    for (struct node *n; (n = sill_world_list_first(&world->hosts));) {
        sill_world_list_remove(n);
        host_free(OWNER(n, struct sill_sim_host, node));
    }
}

struct sill_sim_host *sill_world_host_here(struct world *world)
{
    void **data = sill_core_task_data();

    return data && *data ? *data : world->first_host;
}

/* See <sill/sim.h>. */

int sill_sim_host_add(const char *name, struct sill_sim_host **host)
{
    return sill_world_host_add(sill_world_require("sill_sim_host_add"), name,
                               host);
}

int sill_sim_host_add_address(struct sill_sim_host *host,
                              const struct sill_address *address)
{
    (void)sill_world_require("sill_sim_host_add_address");
    if (sill_world_is_local(address) || sill_world_is_wildcard(address))
        return SILL_EINVAL;

    struct added *added = sill_alloc(sizeof(*added));
    int rc = added ? name_host(host, &added->name, *address) : SILL_ENOMEM;

    if (rc < 0)
        sill_free(added);
    else
        sill_world_list_add(&host->addresses, &added->node);
    return rc;
}

void sill_sim_host_address(const struct sill_sim_host *host, uint16_t port,
                           struct sill_address *address)
{
    *address = host->ipv4.address;
    address->port = port;
}

struct sill_sim_host *sill_sim_host_current(void)
{
    return sill_world_host_here(sill_world_require("sill_sim_host_current"));
}

struct sill_sim_host *sill_sim_host_enter(struct sill_sim_host *host)
{
    struct sill_sim_host *before = sill_sim_host_current();

    *sill_core_task_data() = host;
    return before;
}

void sill_sim_host_set_descriptors(struct sill_sim_host *host, size_t limit)
{
    host->limit = limit;
}

void sill_sim_host_crash(struct sill_sim_host *host)
{
    struct world *world = sill_world_require("sill_sim_host_crash");

    if (host->down)
        return;
    host->down = true;
    sill_world_record(world, SILL_SIM_CRASH, host, 0, NULL, 0);
    sill_world_connections_crash(world, host);
}

void sill_sim_host_restart(struct sill_sim_host *host)
{
    struct world *world = sill_world_require("sill_sim_host_restart");

    if (!host->down)
        return;
    host->down = false;
    sill_world_record(world, SILL_SIM_RESTART, host, 0, NULL, 0);
}
