/* SPDX-License-Identifier: MIT */
/*
 * intake.c: replies out of a client's stream, with memory that grows as they
 * arrive.
 */
#include "client.h"

#include <sill/error.h>
#include <sill/hooks.h>

#include <string.h>

enum { IN_SIZE = 16384, ROOM = 16, KEPT_SIZE = 65536, KEPT_ROOM = 1024 };

void sill_resp_intake_free(struct sill_resp_client *c)
{
    sill_free(c->in);
    sill_free(c->values);
    c->in = NULL;
    c->values = NULL;
    c->in_size = c->room = 0;
}

void sill_resp_intake_reset(struct sill_resp_client *c)
{
    c->in_begin = c->in_end = 0;
}

/* Gives back what a large reply needed. */
static void shrink(struct sill_resp_client *c)
{
    sill_resp_intake_reset(c);
    if (c->in_size > KEPT_SIZE || c->room > KEPT_ROOM)
        sill_resp_intake_free(c);
}

/* Makes room for bytes behind those that are there. */
static int make_room(struct sill_resp_client *c)
{
    uint64_t most = c->limits.message > IN_SIZE ? c->limits.message : IN_SIZE;
    size_t there = c->in_end - c->in_begin;
    if (c->in_end < c->in_size)
        return 0;
    if (c->in_begin > 0 && (there <= c->in_size / 2 || c->in_size >= most)) {
        memmove(c->in, c->in + c->in_begin, there);
        c->in_begin = 0;
        c->in_end = there;
        return 0;
    }
    size_t size = c->in_size == 0 ? IN_SIZE : 2 * c->in_size;
    if (size > most)
        size = (size_t)most;
    char *in = sill_alloc(size);
    if (in == NULL)
        return SILL_ENOMEM;
    if (there > 0)
        memcpy(in, c->in + c->in_begin, there);
    sill_free(c->in);
    c->in = in;
    c->in_size = size;
    c->in_begin = 0;
    c->in_end = there;
    return 0;
}

static int make_room_for_values(struct sill_resp_client *c,
                                struct sill_resp_reply *reply)
{
    size_t room = c->room == 0 ? ROOM : 2 * c->room;
    struct sill_resp_value *values = sill_alloc(room * sizeof(*values));
    if (values == NULL)
        return SILL_ENOMEM;
    if (reply->count > 0)
        memcpy(values, c->values, reply->count * sizeof(*values));
    sill_free(c->values);
    c->values = reply->values = values;
    c->room = reply->room = room;
    return 0;
}

/* Returns the size of the reply, 0 when it is not complete, or an error. */
static ssize_t parse(struct sill_resp_client *c, struct sill_resp_reply *reply)
{
    int rc = 0;
    while (rc == 0 && c->in_begin < c->in_end) {
        ssize_t size = sill_resp_reply_parse(reply, c->in + c->in_begin,
                                             c->in_end - c->in_begin);
        if (size != SILL_RESP_EROOM)
            return size;
        rc = make_room_for_values(c, reply);
    }
    return rc;
}

static int error_of(ssize_t error)
{
    switch (error) {
    case SILL_ENOMEM:
        return SILL_ENOMEM;
    case SILL_RESP_EELEMENTS:
    case SILL_RESP_EDEPTH:
    case SILL_RESP_EMESSAGE:
    case SILL_RESP_ELINE:
        return SILL_EMSGSIZE;
    default:
        return SILL_EPROTO;
    }
}

int sill_resp_intake_next(struct sill_resp_client *c,
                          struct sill_resp_reply *reply, sill_time deadline)
{
    if (c->in_begin == c->in_end)
        shrink(c);
    sill_resp_reply_init(reply, c->values, c->room, &c->limits);
    for (;;) {
        ssize_t size = parse(c, reply);
        if (size > 0) {
            c->in_begin += (size_t)size;
            return 0;
        }
        if (size < 0)
            return error_of(size);
        int rc = make_room(c);
        if (rc != 0)
            return rc;
        ssize_t got = sill_stream_read(&c->stream, c->in + c->in_end,
                                       c->in_size - c->in_end, deadline);
        if (got <= 0)
            return got == 0 ? SILL_EOF : (int)got;
        c->in_end += (size_t)got;
    }
}
