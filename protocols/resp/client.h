/* SPDX-License-Identifier: MIT */
/*
 * client.h: the calls and links of a client, and who does what with them.
 *
 * The calls are one list, in the order in which they were made:
 *
 *     first --> sent --> sent --> unsent --> unsent --> NULL
 *                                 ^unsent
 *
 * The next reply is that of (first), always. A call whose task has given up
 * stays in the list until then, if it was sent, so that nobody else gets its
 * reply.
 */
#ifndef SILL_RESP_CLIENT_H
#define SILL_RESP_CLIENT_H

#include "codec.h"
#include "sill_resp.h"

struct sill_resp_call {
    struct sill_resp_call *next, **link; /* what points to it */
    struct sill_trigger done;
    struct sill_resp_answer answer;
    int result;
    bool is_over; /* (result) is there, and it is in no list */
    bool is_sent;
    bool is_abandoned; /* nobody waits for it */
    bool again;        /* it may be sent twice */
    size_t cost;       /* of (pending), while it is in the list */
    size_t size;
    char bytes[]; /* the command */
};

/* calls.c: whether something is to be sent, or waits for a reply. */
static inline bool sill_resp_has_sent(const struct sill_resp_client *c)
{
    return c->first != NULL && c->first != c->unsent;
}

/* calls.c: makes the list ready. Twice is harmless. */
void sill_resp_calls_init(struct sill_resp_client *c);

/* calls.c: copies commands that were not sent into (buffer) of (size) bytes, at
 * least one, and says that they are. Returns how many bytes; 0 and (*needed)
 * when there is no room for the first one, and 0 for none. */
size_t sill_resp_calls_take(struct sill_resp_client *c, char *buffer,
                            size_t size, size_t *needed);

/* calls.c: gives the first call its reply. Returns SILL_EPROTO without one. */
int sill_resp_calls_answer(struct sill_resp_client *c,
                           const struct sill_resp_reply *reply);

/* calls.c: ends the first call with (error), for want of a reply that can be
 * read; nothing without one. */
void sill_resp_calls_refuse(struct sill_resp_client *c, int error);

/* calls.c: ends the first of those that were not sent with (error). */
void sill_resp_calls_drop(struct sill_resp_client *c, int error);

/* calls.c: the connection was lost: ends what was sent, or sends it again. */
void sill_resp_calls_lose(struct sill_resp_client *c);

/* calls.c: ends all of them with (error). */
void sill_resp_calls_end(struct sill_resp_client *c, int error);

/* calls.c: what a command may take, encoded, and what it counts for in
 * (pending_max). Returns whether there is such a number. */
bool sill_resp_cost(const struct sill_resp_view *args, size_t count,
                    size_t *cost);

/* calls.c: whether (cost) may wait, beside what waits. */
bool sill_resp_has_room(const struct sill_resp_client *c, size_t waiting,
                        size_t cost);

/* What a connection is, beside new; to be or-ed. */
enum sill_resp_state {
    SILL_RESP_STREAMS = 1, /* replies are not one for each command */
    SILL_RESP_IN_MULTI = 2,
    SILL_RESP_WATCHES = 4,
    SILL_RESP_ALTERED = 8, /* another user, database, version or cluster mode */
    SILL_RESP_TUNED = 16   /* something of CLIENT */
};

struct sill_resp_effect {
    unsigned sets, clears; /* of the states */
};

/* effects.c: returns what the command of (count) arguments, at least one, does
 * to the state of its connection. */
const struct sill_resp_effect *
sill_resp_effect_of(const struct sill_resp_view *args, size_t count);

/* intake.c: frees memory. */
void sill_resp_intake_free(struct sill_resp_wire *wire);

/*
 * intake.c: reads what comes next, whose values live until the next call.
 *
 * Returns 0, SILL_EOF at the end of the stream, SILL_EPROTO or SILL_EMSGSIZE
 * for what is no reply, SILL_ENOMEM, or an error of sill_stream_read.
 */
int sill_resp_intake_next(struct sill_resp_wire *wire,
                          struct sill_resp_reply *reply, sill_time deadline);

/* wire.c: the defaults of (c), where nothing else was said. Twice is harmless.
 * Returns 0, or SILL_EINVAL for a version that is none. */
int sill_resp_settle(struct sill_resp_client *c);

/*
 * wire.c: connects (wire) and says the first words, in what is left of both
 * (deadline) and the client's connect_timeout. Fails with (wire) closed.
 *
 * Returns 0, SILL_EACCES when the server refused a word, SILL_EINVAL for words
 * that are too long, or an error of sill_stream_connect or of the intake.
 */
int sill_resp_wire_open(struct sill_resp_wire *wire,
                        const struct sill_resp_client *c, sill_time deadline);

/* wire.c: closes (wire) and frees its memory. */
void sill_resp_wire_close(struct sill_resp_wire *wire);

/* wire.c: reads the next reply; what was pushed before it is handed on. */
int sill_resp_wire_read(struct sill_resp_wire *wire,
                        const struct sill_resp_client *c,
                        struct sill_resp_reply *reply, sill_time deadline);

#endif
