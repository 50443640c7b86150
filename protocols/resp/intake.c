/* SPDX-License-Identifier: MIT */
/*
 * intake.c: replies out of a wire, with memory that grows as they arrive.
 */
#include "client.h"

#include <sill/error.h>
#include <sill/hooks.h>

#include <string.h>

enum { IN_SIZE = 16384, ROOM = 16, KEPT_SIZE = 65536, KEPT_ROOM = 1024 };

void sill_resp_intake_free(struct sill_resp_wire *wire)
{
    sill_free(wire->in);
    sill_free(wire->values);
    wire->in = NULL;
    wire->values = NULL;
    wire->in_size = wire->room = 0;
}

/* Gives back what a large reply needed. */
static void shrink(struct sill_resp_wire *wire)
{
    wire->in_begin = wire->in_end = 0;
    if (wire->in_size > KEPT_SIZE || wire->room > KEPT_ROOM)
        sill_resp_intake_free(wire);
}

/* Makes room for bytes behind those that are there. */
static int make_room(struct sill_resp_wire *wire)
{
    uint64_t most =
        wire->limits->message > IN_SIZE ? wire->limits->message : IN_SIZE;
    size_t there = wire->in_end - wire->in_begin;
    if (wire->in_end < wire->in_size)
        return 0;
    if (wire->in_begin > 0 &&
        (there <= wire->in_size / 2 || wire->in_size >= most)) {
        memmove(wire->in, wire->in + wire->in_begin, there);
        wire->in_begin = 0;
        wire->in_end = there;
        return 0;
    }
    size_t size = wire->in_size == 0 ? IN_SIZE : 2 * wire->in_size;
    if (size > most)
        size = (size_t)most;
    char *in = sill_alloc(size);
    if (in == NULL)
        return SILL_ENOMEM;
    if (there > 0)
        memcpy(in, wire->in + wire->in_begin, there);
    sill_free(wire->in);
    wire->in = in;
    wire->in_size = size;
    wire->in_begin = 0;
    wire->in_end = there;
    return 0;
}

static int make_room_for_values(struct sill_resp_wire *wire,
                                struct sill_resp_reply *reply)
{
    size_t room = wire->room == 0 ? ROOM : 2 * wire->room;
    struct sill_resp_value *values = sill_alloc(room * sizeof(*values));
    if (values == NULL)
        return SILL_ENOMEM;
    if (reply->count > 0)
        memcpy(values, wire->values, reply->count * sizeof(*values));
    sill_free(wire->values);
    wire->values = reply->values = values;
    wire->room = reply->room = room;
    return 0;
}

/* Returns the size of the reply, 0 when it is not complete, or an error. */
static ssize_t parse(struct sill_resp_wire *wire, struct sill_resp_reply *reply)
{
    int rc = 0;
    while (rc == 0 && wire->in_begin < wire->in_end) {
        ssize_t size = sill_resp_reply_parse(reply, wire->in + wire->in_begin,
                                             wire->in_end - wire->in_begin);
        if (size != SILL_RESP_EROOM)
            return size;
        rc = make_room_for_values(wire, reply);
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

int sill_resp_intake_next(struct sill_resp_wire *wire,
                          struct sill_resp_reply *reply, sill_time deadline)
{
    if (wire->in_begin == wire->in_end)
        shrink(wire);
    sill_resp_reply_init(reply, wire->values, wire->room, wire->limits);
    for (;;) {
        ssize_t size = parse(wire, reply);
        if (size > 0) {
            wire->in_begin += (size_t)size;
            return 0;
        }
        if (size < 0)
            return error_of(size);
        int rc = make_room(wire);
        if (rc != 0)
            return rc;
        ssize_t got = sill_stream_read(&wire->stream, wire->in + wire->in_end,
                                       wire->in_size - wire->in_end, deadline);
        if (got <= 0)
            return got == 0 ? SILL_EOF : (int)got;
        wire->in_end += (size_t)got;
        wire->reads++;
    }
}
