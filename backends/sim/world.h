/* SPDX-License-Identifier: MIT */
/*
 * world.h: what the files of the sim backend share.
 *
 *     run.c       one run: options, allocations that fail, the report
 *     backend.c   the entries of the poller: a clock that jumps
 *     events.c    what will happen, in a heap; lists
 *     trace.c     what has happened: the hash and the lines
 *     random.c    what is drawn
 *     table.c     who is where: addresses of hosts, names that are taken
 *     host.c      machines, their addresses, ports and descriptors
 *     link.c      when what is sent arrives, and whether
 *     stream.c    connections: bytes, the end, resets
 *     connect.c   how a connection comes about
 *     listener.c  where it is taken
 *     datagram.c  messages
 *
 * All of it belongs to the thread of the loop, but for the interrupt.
 */
#ifndef SILL_WORLD_H
#define SILL_WORLD_H

#include <sill/error.h>
#include <sill/hooks.h>
#include <sill/sim.h>
#include <sill_spi.h>

#include <string.h>

struct world;

#define NAME_SIZE 32

/* The object that has (field) at (pointer). */
#define OWNER(pointer, type, field)                                            \
    ((type *)(void *)((char *)(pointer)-offsetof(type, field)))

/* A place in a list that begins with itself. */
struct node {
    struct node *next, *previous;
};

/* Something that will happen, unless it is called off. */
struct event {
    size_t index; /* in the heap, 0 when not in it */
    void (*happen)(struct world *world, struct event *event);
};

struct entry {
    sill_time at;
    uint64_t order;
    struct event *event;
};

/* Who draws does not change what others get. */
struct random {
    uint64_t state;
};

/* The names in the world, each of one kind. */
enum name_kind { NAME_HOST, NAME_STREAM, NAME_DATAGRAM };

struct name {
    struct name *next; /* in the same place of the table */
    enum name_kind kind;
    struct sill_sim_host *host; /* that it is local to; its own for NAME_HOST */
    struct sill_address address;
    bool shared;    /* others may have it, too */
    bool ipv6_only; /* and not IPv4 as well */
};

struct place {
    struct name *first;
};

struct table {
    struct place *places;
    size_t count, room;
};

/* Where a link is kept; NULL until it is used. */
struct road {
    struct link *link;
};

struct sill_sim_host {
    struct node node;
    struct world *world;
    unsigned id;
    char text[NAME_SIZE];
    struct name ipv4, ipv6;
    struct node addresses; /* that were added */
    struct road *roads;    /* to hosts with an id of mine and below */
    bool down;
    size_t descriptors, limit;
    uint16_t next_port;
};

struct link {
    struct sill_sim_host *ends[2]; /* the same one twice: its own traffic */
    struct sill_sim_link model;
    bool cut[2]; /* what comes from that end */
    sill_time cut_until;
    sill_time busy_until[2];
    sill_time last_message[2]; /* datagrams keep their order */
};

struct world {
    struct sill_sim_options options;
    bool closed; /* nobody outside can make anything happen */
    sill_time now;

    struct entry *heap; /* from 1 on */
    size_t heap_count, heap_room, heap_owned;
    uint64_t order;

    uint64_t hash, events;
    uint64_t counts[SILL_SIM_KINDS];
    struct random network, scenario;

    struct node hosts;
    struct sill_sim_host *first_host, *last_host;
    struct table names;
    uint64_t sockets;    /* that were made, to number them */
    size_t open_sockets; /* that nobody has closed */
    struct node connections, listeners, datagrams, messages;

    unsigned looks;       /* since the clock moved or something happened */
    unsigned interrupted; /* a futex */
};

/* Of this thread. */
extern _Thread_local struct world *sill_world_current;

/* What the world that is opened next is like, set by sill_sim_run; NULL: open,
 * and without faults. */
extern _Thread_local const struct sill_sim_options *sill_world_asked;
extern _Thread_local struct sill_sim_report *sill_world_report;

extern const struct sill_backend sill_backend_sim;

struct world *sill_world_require(const char *call);
void sill_world_report_to(const struct world *world,
                          struct sill_sim_report *report);

/* events.c */
void sill_world_list_init(struct node *list);
void sill_world_list_add(struct node *list, struct node *node); /* at the end */
void sill_world_list_remove(struct node *node); /* twice is harmless */
struct node *sill_world_list_first(const struct node *list); /* or NULL */

/* Makes room for (count) more events, so that setting one cannot fail. */
int sill_world_events_own(struct world *world, size_t count);
void sill_world_events_disown(struct world *world, size_t count);
void sill_world_event_set(struct world *world, struct event *event,
                          sill_time at);
void sill_world_event_drop(struct world *world, struct event *event);
sill_time sill_world_events_next(const struct world *world);
/* Makes one happen that is due. Returns whether there was one. */
bool sill_world_events_step(struct world *world);

/* trace.c: (id) is the number of a socket; (data) is not looked at beyond its
 * first bytes, and may be NULL. */
void sill_world_record(struct world *world, enum sill_sim_kind kind,
                       const struct sill_sim_host *host, uint64_t id,
                       const void *data, size_t size);

/* random.c */
void sill_world_random_init(struct random *random, uint64_t seed,
                            uint64_t purpose);
uint64_t sill_world_draw(struct random *random);
uint64_t sill_world_draw_below(struct random *random, uint64_t bound);
bool sill_world_chance(struct random *random, double probability);
/* A length from 0 to (most). */
sill_duration sill_world_draw_span(struct random *random, sill_duration most);

/* table.c */
struct name *sill_world_table_find(const struct table *table,
                                   enum name_kind kind,
                                   const struct sill_sim_host *host,
                                   const struct sill_address *address);
/* The next one that is equal to (name), which is not in it twice. */
struct name *sill_world_table_next(const struct name *name);
int sill_world_table_add(struct table *table, struct name *name);
void sill_world_table_remove(struct table *table, struct name *name);
void sill_world_table_free(struct table *table);

/* host.c */
int sill_world_host_add(struct world *world, const char *text,
                        struct sill_sim_host **host);
void sill_world_hosts_free(struct world *world);
struct sill_sim_host *sill_world_host_here(struct world *world);
int sill_world_descriptor_take(struct sill_sim_host *host);
void sill_world_descriptor_give(struct sill_sim_host *host);
bool sill_world_is_local(const struct sill_address *address);
bool sill_world_is_wildcard(const struct sill_address *address);
struct sill_address sill_world_wildcard(enum sill_family family, uint16_t port);
struct sill_address sill_world_loopback(enum sill_family family, uint16_t port);
/* Writes an address of IPv4 as IPv6 does (RFC 4291 section 2.5.5.2). */
void sill_world_map(struct sill_address *address);
uint16_t sill_world_port(struct sill_sim_host *host);
/* The address that (host) has towards (peer). */
struct sill_address sill_world_source(const struct sill_sim_host *host,
                                      const struct sill_address *peer,
                                      uint16_t port);
/* Finds who has (address), as seen from (host). */
int sill_world_route(struct sill_sim_host *host,
                     const struct sill_address *address,
                     struct sill_sim_host **found);
/* Takes (address) for (name) on (host), with a port. */
int sill_world_bind(struct sill_sim_host *host, struct name *name,
                    enum name_kind kind, const struct sill_address *address,
                    const struct sill_socket_options *options);
void sill_world_unbind(struct name *name);
/* Finds who is bound where (to) leads, on (host); of several, any. */
struct name *sill_world_bound(struct sill_sim_host *host, enum name_kind kind,
                              const struct sill_address *to);

/* link.c */
struct link *sill_world_link(struct sill_sim_host *a, struct sill_sim_host *b);
/* Which way it is from (host). */
unsigned sill_world_way(const struct link *link,
                        const struct sill_sim_host *host);
bool sill_world_is_own(const struct link *link);
/* Whether nothing comes through that way right now. */
bool sill_world_is_silent(const struct world *world, const struct link *link,
                          unsigned way);
/* When (size) bytes that are sent now arrive, with what may go wrong. */
sill_time sill_world_arrival(struct world *world, struct link *link,
                             unsigned way, size_t size, uint64_t id);
/* Whether that fault happens, on a link and not within a host. */
bool sill_world_fails(struct world *world, const struct link *link,
                      double probability);

/* stream.c */
void sill_world_connections_free(struct world *world);
void sill_world_connections_crash(struct world *world,
                                  const struct sill_sim_host *host);

/* connect.c */
int sill_world_connect(struct sill_loop *loop, struct sill_stream *stream,
                       const struct sill_address *address,
                       const struct sill_socket_options *options,
                       sill_time deadline);

/* listener.c */
int sill_world_listen(struct sill_loop *loop, struct sill_listener *listener,
                      const struct sill_address *address,
                      const struct sill_socket_options *options);
void sill_world_listeners_free(struct world *world);

/* datagram.c */
int sill_world_datagram(struct sill_loop *loop, struct sill_datagram *datagram,
                        const struct sill_address *address,
                        const struct sill_socket_options *options);
void sill_world_datagrams_free(struct world *world);

#endif
