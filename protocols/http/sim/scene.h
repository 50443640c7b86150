/* SPDX-License-Identifier: MIT */
/*
 * scene.h: what the simulated servers and clients of HTTP share, and what
 * nobody has on a real network: both sides know what the other one did.
 *
 *     main.c     the scenarios: who is there, and what goes wrong
 *     server.c   servers that end and begin again, and their handler
 *     client.c   clients, and what they may be told
 *     raw.c      peers that are too quick, too slow, or deaf
 */
#ifndef SCENE_H
#define SCENE_H

#include <sill/scenario.h>
#include <sill/sill.h>
#include <sill_http.h>

enum {
    SERVERS = 2,
    HOSTS = 5,  /* of clients, ... */
    TASKS = 2,  /* ... each with so many tasks that share a client */
    CALLS = 10, /* of each task */
    QUICK = 8,  /* requests of the quick peer, at most */
    REQUESTS = HOSTS * TASKS * CALLS + QUICK + 2,
    LIMIT = 150000, /* the servers take no body that is longer */
    PIECE = 4096    /* that letters may be taken at once */
};

/* What a handler is to do. */
enum kind {
    ECHO,   /* read the body, and answer */
    SLOW,   /* the same with rests */
    IGNORE, /* answer without the body */
    FAIL,   /* fail before the answer */
    BREAK,  /* fail in the middle of it */
    MOVE,   /* send the client to the other server */
    KINDS
};

/* How a body is sent. */
enum way { WHOLE, LENGTH, CHUNKED, WAYS };

/* A request, as the client means it; and what has become of it. */
struct request {
    unsigned id, server;
    enum kind kind;
    const char *method;
    enum way way, answer_way;
    size_t size, answer; /* of the bodies */
    bool expects, ends, follows;

    unsigned moved, handled; /* how often the handler was there */
    bool complete;           /* the last time it returned, it had answered */
};

/* What a scenario has beside the faults of its network. */
enum trouble {
    HASTE = 1,     /* clients that give up */
    RESTARTS = 2,  /* servers that end in the middle */
    SABOTAGE = 4,  /* hosts that crash, links that are cut */
    NETWORK = 8,   /* whatever sill_sim_faults_init says */
    SHORTAGES = 16 /* of memory and descriptors */
};

struct server {
    struct scene *scene;
    struct sill_sim_host *host;
    struct sill_trigger stop;
    uint64_t handled;

    unsigned round;        /* how often it began */
    sill_time began;       /* for the last time */
    sill_time told;        /* to end; NEVER: not yet */
    sill_time told_before; /* in the round before */
};

struct scene {
    struct sill_scenario_run *run;
    unsigned troubles;
    bool is_over;
    struct server servers[SERVERS];
    struct sill_sim_host *hosts[HOSTS];
    struct request requests[REQUESTS];
    unsigned count; /* of requests */
};

/* main.c: a new request to (kind), without a body; letters of a body from (at)
 * on, PIECE of them; whether something happens, once in (times). */
struct request *scene_add(struct scene *scene, enum kind kind);
const char *scene_letters(const struct request *request, size_t at);
bool scene_chance(unsigned times);

/* main.c: says that (request) went wrong. */
void scene_wrong(struct scene *scene, const struct request *request,
                 const char *what, long value);

/* Tasks: of a struct server, and of the scene. */
int scene_serve(void *arg);
int scene_call(void *arg);
int scene_be_quick(void *arg);
int scene_be_slow(void *arg);
int scene_be_deaf(void *arg);

#endif
