/* SPDX-License-Identifier: MIT */
/*
 * scene.h: what the simulated server and clients of RESP share, and what nobody
 * has on a real network: both sides know what the other one did.
 *
 *     main.c     the scenarios: who is there, and what goes wrong
 *     server.c   a server that ends and begins again, its verbs, what it pushes
 *     client.c   clients that many tasks share, and what these may be told
 *     links.c    tasks that borrow links
 *     raw.c      peers that are too quick, too slow, deaf or rude
 *
 * Each command is known by its number. It is sent as three words, and all that
 * succeed are answered alike, so that nobody can take another one's reply for
 * his own:
 *
 *     verb number letters     -->     [number, who asked, something]
 */
#ifndef SCENE_H
#define SCENE_H

#include <sill/scenario.h>
#include <sill/sill.h>
#include <sill_resp.h>

enum {
    HOSTS = 4,  /* of clients, ... */
    TASKS = 3,  /* ... each with so many tasks that share a client */
    CALLS = 12, /* of each task */
    LOANS = 6,  /* of links, to as many tasks, ... */
    SAID = 4,   /* ... with so many commands each, at most */
    PEERS = 4,  /* that are raw */
    QUICK = 12, /* commands of the quick one, at most */
    COMMANDS = HOSTS * TASKS * (CALLS + LOANS * SAID) + QUICK + PEERS,
    MUCH = 400000,    /* letters of a reply that is too long for a deaf peer */
    PUSH_MAX = 100000 /* of the server, where there are BREAKS */
};

/* What a command is to do. */
enum kind {
    COUNT,   /* add one to the number of who asks, and say it */
    ECHO,    /* say the letters */
    GIVE,    /* say as many as the third word asks for */
    TREE,    /* say something in aggregates */
    SLOW,    /* rest or compute, then say the letters */
    TELL,    /* the same without a rest, and push "told" */
    REFUSE,  /* answer with an error */
    UNKNOWN, /* no verb of the server */
    UNFIT,   /* nothing for a shared connection */
    BYE,     /* end the session behind the reply, ... */
    BREAK,   /* ... instead of it */
    KILL,    /* end any session */
    KINDS
};

/* A command, as who asks means it; and what has become of it. */
struct command {
    unsigned number, who;
    enum kind kind;
    size_t size; /* of the letters */
    bool again;  /* it may be done twice */

    unsigned handled; /* how often the handler was there */
    bool complete;    /* the last time it returned, it had answered */
    int64_t counted;  /* what COUNT said the last time */
    unsigned told;    /* pushes that the client got for it */
    int result;       /* of the call; 1: not yet */
    sill_time began;  /* the call: it is sent no later, if there is a way */
    sill_time over;   /* when (result) was there; NEVER: not yet */
};

/* What a scenario has beside the faults of its network. */
enum trouble {
    HASTE = 1,     /* tasks that give up, and clients that end */
    RESTARTS = 2,  /* a server that ends in the middle */
    BREAKS = 4,    /* sessions that do, and little room for what is pushed */
    SABOTAGE = 8,  /* hosts that crash, links that are cut */
    NETWORK = 16,  /* whatever sill_sim_faults_init says */
    SHORTAGES = 32 /* of memory and descriptors */
};

struct server {
    struct scene *scene;
    struct sill_sim_host *host;
    struct sill_trigger stop;
    struct sill_resp_server *resp; /* NULL: not right now */
    uint64_t handled, opened, closed;

    unsigned round;        /* how often it began */
    sill_time began;       /* for the last time */
    sill_time told;        /* to end, be it in the future */
    sill_time told_before; /* in the round before */
};

struct scene {
    struct sill_scenario_run *run;
    unsigned troubles;
    bool is_over;
    struct server server;
    struct sill_sim_host *hosts[HOSTS];
    int64_t counts[(HOSTS + PEERS) * TASKS]; /* of COUNT, for each who asks */
    unsigned rude;                           /* peers that spoke rubbish */
    struct command commands[COMMANDS];
    unsigned count; /* of commands */
    sill_time busy; /* no task ran before this instant, for some time */
};

/* The words of a command as they are sent. */
struct words {
    struct sill_resp_view args[3];
    char number[16], size[16];
};

/* main.c: a new command of (who), without letters; its words; its letters;
 * whether something happens, once in (times); waits for up to (most). */
struct command *scene_add(struct scene *scene, enum kind kind, unsigned who);
void scene_put(const struct command *command, struct words *words);
struct sill_resp_view scene_letters(const struct command *command);
bool scene_chance(unsigned times);
int scene_rest(sill_duration most);

/* main.c: keeps all tasks waiting for up to (most), while the network goes
 * on. */
void scene_compute(struct scene *scene, sill_duration most);

/* main.c: whether (text) is (number) in decimal. */
bool scene_is_number(struct sill_resp_view text, uint64_t number);

/* client.c: which of the hosts of clients this is. */
unsigned scene_host_number(const struct scene *scene);

/* main.c: says that (command) went wrong. */
void scene_wrong(struct scene *scene, const struct command *command,
                 const char *what, long value);

/* main.c: ends all tasks of (scope), and waits for them. */
void scene_finish(struct sill_scope *scope);

/* Tasks, of the scene. */
int scene_serve(void *arg);
int scene_push(void *arg);
int scene_call(void *arg);
int scene_lend(void *arg);
int scene_be_quick(void *arg);
int scene_be_slow(void *arg);
int scene_be_deaf(void *arg);
int scene_be_rude(void *arg);

#endif
