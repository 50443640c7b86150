/* SPDX-License-Identifier: MIT */
/*
 * server.h: one session of the server, and who does what with it.
 *
 * Bytes come in through one buffer, which grows while a command is longer:
 *
 *     in  | done | command: parsed | not yet | room |
 *                ^begin                      ^end
 *
 * Replies are gathered in (out). A write takes that buffer away, so that others
 * can push while it waits; it returns it as the next one. Who writes holds
 * (sending): the session's task, or, for what was pushed while that one waits
 * for a command, the server's courier, or a task that the courier starts for a
 * client which does not take all at once.
 */
#ifndef SILL_RESP_SERVER_H
#define SILL_RESP_SERVER_H

#include "codec.h"
#include "sill_resp.h"

#include <sill/stream.h>

enum {
    IN_SIZE = 512,    /* what a session has for its commands at first, ... */
    IN_LARGE = 16384, /* ... then, if it pipelines: lent while it is idle */
    OUT_SIZE = 16384, /* where replies begin to gather */
    GATHERED_MAX = 65536, /* replies gathered before a write */
    ARGS_SIZE = 8,        /* arguments that need no memory of their own, ... */
    ARGS_LARGE = 64,      /* ... and what is kept while it is idle */
    LINGERED_MAX = 262144 /* read after a reply that ends it all */
};

/* What every command touches comes first. */
struct sill_resp_session {
    struct sill_connection base; /* idle: with nothing of a command there */
    struct sill_resp_server *server;
    struct sill_resp_command command;
    struct sill_resp_view few[ARGS_SIZE];

    char *in;
    char *held; /* what was (in) when the handler began, if not that */
    size_t held_size;
    size_t in_size, begin, end;
    size_t got; /* by the last read, and by full ones before it */
    struct sill_resp_encoder out;   /* replies, and what is pushed in between */
    struct sill_resp_encoder late;  /* pushed while a handler runs */
    struct sill_resp_encoder going; /* is being written ... */
    size_t gone;                    /* ... up to here */
    uint64_t moved;                 /* bytes of replies that were in (going) */
    uint64_t answered; /* position in all of them when the handler began */

    bool waiting;  /* waits, and sends nothing by itself */
    bool handling; /* in a handler */
    bool sending;  /* somebody writes */
    bool ending;   /* no command is taken any more */
    bool woken;    /* (waiter) was resumed since the peer or the service ends */
    int broken;    /* why nothing can be sent any more */
    int failure;   /* why a buffer did not grow */

    struct sill_trigger *waiter; /* what the handler waits for */
    struct sill_trigger sent;    /* for who waits for (sending) */
    struct sill_resp_session *pushed_next, **pushed_link;
    uint64_t id, refused;
    sill_time since;
    char *first_in;
    max_align_t data[]; /* the user's; then (first_in) */
};

/* session.c: makes one, serves it and frees it. */
struct sill_resp_session *
sill_resp_session_open(struct sill_resp_server *server);
void sill_resp_session_close(struct sill_resp_session *s);
void sill_resp_session_run(struct sill_resp_session *s);

/* reply.c: makes the writer ready; ends it, which waits for whoever writes. */
void sill_resp_output_init(struct sill_resp_session *s);
void sill_resp_output_fini(struct sill_resp_session *s);

/* reply.c: how many bytes wait. */
size_t sill_resp_output_unsent(const struct sill_resp_session *s);

/* reply.c: sends all that waits. After an error nothing more can be sent. */
int sill_resp_output_send(struct sill_resp_session *s);

/* reply.c: asks whether what is gathered may be sent. Returns 0 or why nothing
 * can be sent; that may have come to pass by now. */
int sill_resp_output_ask(struct sill_resp_session *s);

/* reply.c: lets nothing more be sent, because of (error), and wakes whoever
 * reads or writes. Returns the first such error. */
int sill_resp_output_break(struct sill_resp_session *s, int error);

/* reply.c: a handler has returned: what was pushed meanwhile follows. */
void sill_resp_output_release(struct sill_resp_session *s);

/* reply.c: how many bytes of replies there were up to now. */
uint64_t sill_resp_output_position(const struct sill_resp_session *s);

/* reply.c: has what (s) gathered sent, while it waits. */
void sill_resp_output_nudge(struct sill_resp_session *s);

/* reply.c: sends, as a task, what was pushed to sessions that are waiting. */
int sill_resp_courier_run(void *arg);

/* wait.c: ends the wait of the handler, if it waits. */
void sill_resp_session_wake(struct sill_resp_session *s);

/* verbs.c: answers the complete command of (s), or these arguments. */
int sill_resp_verb_answer(struct sill_resp_session *s);
int sill_resp_verb_answer_args(struct sill_resp_session *s,
                               const struct sill_resp_view *args, size_t count);

/* server.c: the defaults of (server), where nothing else was said. Twice is
 * harmless. */
void sill_resp_server_settle(struct sill_resp_server *server);

/* verbs.c: makes verbs findable; SILL_ENOMEM or SILL_EINVAL. */
int sill_resp_verbs_open(struct sill_resp_server *server);
void sill_resp_verbs_close(struct sill_resp_server *server);

#endif
