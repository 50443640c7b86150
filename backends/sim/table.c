/* SPDX-License-Identifier: MIT */
/*
 * Who is where: a table of names by kind, host and address.
 */
#include "world.h"

enum { ROOM_FIRST = 64 };

static size_t mix(size_t hash, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ at[i]) * 0x100000001b3;
    return hash;
}

static size_t hash_of(enum name_kind kind, const struct sill_sim_host *host,
                      const struct sill_address *address)
{
    size_t hash = 0xcbf29ce484222325 + (size_t)kind;

    if (host)
        hash = mix(hash, &host->id, sizeof(host->id));
    hash = mix(hash, &address->port, sizeof(address->port));
    if (address->family == SILL_FAMILY_IPV4)
        hash = mix(hash, address->u.ipv4, sizeof(address->u.ipv4));
    else if (address->family == SILL_FAMILY_IPV6)
        hash = mix(hash, address->u.ipv6, sizeof(address->u.ipv6));
    else
        hash = mix(hash, address->u.path, address->path_size);
    return hash ^ (hash >> 29);
}

/* Every host has its own names, but hosts themselves are found by all. */
static const struct sill_sim_host *scope_of(const struct name *name)
{
    return name->kind == NAME_HOST ? NULL : name->host;
}

static size_t hash_name(const struct name *name)
{
    return hash_of(name->kind, scope_of(name), &name->address);
}

static struct name *find_from(struct name *name, enum name_kind kind,
                              const struct sill_sim_host *host,
                              const struct sill_address *address)
{
    while (name && (name->kind != kind || scope_of(name) != host ||
                    !sill_address_is_equal(&name->address, address)))
        name = name->next;
    return name;
}

struct name *sill_world_table_find(const struct table *table,
                                   enum name_kind kind,
                                   const struct sill_sim_host *host,
                                   const struct sill_address *address)
{
    if (table->count == 0)
        return NULL;

    size_t at = hash_of(kind, host, address) % table->room;

    return find_from(table->places[at].first, kind, host, address);
}

struct name *sill_world_table_next(const struct name *name)
{
    return find_from(name->next, name->kind, scope_of(name), &name->address);
}

static void put(struct table *table, struct name *name)
{
    struct name **place = &table->places[hash_name(name) % table->room].first;

    while (*place)
        place = &(*place)->next;
    name->next = NULL;
    *place = name;
}

static int grow(struct table *table)
{
    struct table old = *table;
    size_t room = old.room ? 2 * old.room : ROOM_FIRST;
    struct place *places = sill_alloc(room * sizeof(*places));

    if (!places)
        return SILL_ENOMEM;
    memset(places, 0, room * sizeof(*places));
    *table = (struct table){places, old.count, room};
    for (size_t i = 0; i < old.room; i++) {
        for (struct name *name = old.places[i].first, *next; name;
             name = next) {
            next = name->next;
            put(table, name);
        }
    }
    sill_free(old.places);
    return 0;
}

int sill_world_table_add(struct table *table, struct name *name)
{
    if (table->count == table->room && grow(table) < 0)
        return SILL_ENOMEM;
    put(table, name);
    table->count++;
    return 0;
}

void sill_world_table_remove(struct table *table, struct name *name)
{
    struct name **place = &table->places[hash_name(name) % table->room].first;

    while (*place != name)
        place = &(*place)->next;
    *place = name->next;
    table->count--;
}

void sill_world_table_free(struct table *table)
{
    sill_free(table->places);
    *table = (struct table){NULL, 0, 0};
}
