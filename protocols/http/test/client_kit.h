/* SPDX-License-Identifier: MIT */
/*
 * client_kit.h: a world for the client to be tested in: peers that follow a
 * script to the byte, memory that is counted and can run out.
 *
 * A case gives each connection that it expects a script, and a function that
 * talks to them. A peer that sees anything but what its script says fails the
 * test, and so does a connection more or less, or a block of memory or a
 * descriptor that is left when all is over.
 */
#ifndef CLIENT_KIT_H
#define CLIENT_KIT_H

#include "sill_http.h"

#include <sill/sill.h>

#include <check.h>

enum does {
    DONE,    /* the end of the script: close */
    EXPECT,  /* read exactly this */
    TAKE,    /* read as many bytes, whatever they are */
    SEND,    /* write this */
    TRICKLE, /* write this, one byte after the other */
    ENDS,    /* the client closes, and sent nothing */
    GONE,    /* the client closes, whatever it sent */
    RESET,   /* close with the client's words unread */
    TELL,    /* resume world->told */
    LISTEN,  /* wait for world->asked */
    SERVE    /* answer each "GET / HTTP/1.1, Host: a" with this, to the end */
};

struct step {
    enum does does;
    const char *text;
    size_t size; /* 0: of the string (text) */
};

struct world {
    /* set by the case */
    const struct step *const *scripts; /* one for each connection, in order */
    size_t count;
    bool loopback;   /* sockets instead of streams in memory */
    bool tolerant;   /* peers may see the client go at any time */
    size_t capacity; /* of streams in memory; 0: 65 536 */
    size_t fails_at; /* the n-th read or write of the client ... */
    int fails_with;  /* ... fails so; 0: none does */
    size_t moves;    /* bytes moved by each read or write at most; 0: any */
    int (*scenario)(struct world *world);

    /* to be looked at */
    struct sill_http_client client;
    size_t connected, operations; /* (operations): reads and writes */
    char hosts[16][64];           /* "host:port" of each connection */
    struct sill_trigger told, asked;

    /* private */
    struct sill_scope peers;
    struct sill_listener listener;
    struct sill_address address;
    size_t begun;
};

/* Runs world->scenario in a loop of its own, with (client) as it was set.
 * Returns what the scenario did. */
int world_run(struct world *world);

/* Plenty of time: whoever waits so long has failed. */
sill_time soon(void);

/* What came of a call. */
struct answer {
    int rc; /* of open, response or read: the first that failed */
    int error, status;
    char url[256], headers[2048]; /* headers as "name=value;" */
    char body[16384];
    size_t size;
};

/* Makes one call and closes it. Returns answer->rc. */
int ask(struct world *world, const char *url,
        const struct sill_http_call_options *options, struct answer *answer);

/* Takes the response of (call), and closes it. */
int hear(struct sill_http_call *call, struct answer *answer);

/* Fails the test unless (answer) has this status and body. */
void is_answer(const struct answer *answer, int status, const char *body);

/* Blocks that are allocated now; how many were since (arm). */
size_t blocks_alive(void);
size_t blocks_made(void);

/* Counts from 0 again; the (n)-th allocation from now on fails, 0: none. */
void arm(size_t n);

#endif
