/* SPDX-License-Identifier: MIT */
/*
 * wire.c: a connection of a client, from the first words to the last reply.
 */
#include "client.h"

#include <sill/error.h>

#include <stdio.h>

#define DEFAULT(value, other) ((value) = (value) != 0 ? (value) : (other))

int sill_resp_settle(struct sill_resp_client *c)
{
    static const struct sill_resp_limits usual = SILL_RESP_LIMITS_INIT;
    DEFAULT(c->version, 2);
    DEFAULT(c->connect_timeout, 5 * SILL_SECOND);
    DEFAULT(c->reply_timeout, 10 * SILL_SECOND);
    DEFAULT(c->pause_min, 50 * SILL_MILLISECOND);
    DEFAULT(c->pause_max, 5 * SILL_SECOND);
    DEFAULT(c->links_max, 16);
    DEFAULT(c->limits.line, usual.line);
    DEFAULT(c->limits.elements, usual.elements);
    DEFAULT(c->limits.depth, usual.depth);
    DEFAULT(c->limits.bulk, usual.bulk);
    DEFAULT(c->limits.message, usual.message);
    return c->version == 2 || c->version == 3 ? 0 : SILL_EINVAL;
}

int sill_resp_wire_read(struct sill_resp_wire *wire,
                        const struct sill_resp_client *c,
                        struct sill_resp_reply *reply, sill_time deadline)
{
    for (;;) {
        int rc = sill_resp_intake_next(wire, reply, deadline);
        if (rc != 0 || reply->values[0].type != SILL_RESP_PUSH)
            return rc;
        if (c->pushed != NULL)
            c->pushed(c->arg, reply->values, reply->count);
    }
}

/* ---- the first words ---- */

/* Says one command and reads its reply. SILL_EACCES: the server refused. */
static int say(struct sill_resp_wire *wire, const struct sill_resp_client *c,
               const struct sill_resp_view *args, size_t count,
               sill_time deadline)
{
    struct sill_resp_encoder e;
    struct sill_resp_reply reply;
    char text[2048];

    sill_resp_encoder_init(&e, text, sizeof(text));
    sill_resp_encode_command(&e, args, count);
    if (e.error != 0)
        return SILL_EINVAL;
    int rc = sill_stream_write_all(&wire->stream, text, e.used, NULL, deadline);
    if (rc == 0)
        rc = sill_resp_wire_read(wire, c, &reply, deadline);
    if (rc == 0 && reply.values[0].type == SILL_RESP_ERROR)
        rc = SILL_EACCES;
    return rc;
}

static int say_who(struct sill_resp_wire *wire,
                   const struct sill_resp_client *c, sill_time deadline)
{
    const struct sill_resp_view user =
        sill_resp_view(c->user != NULL ? c->user : "default");
    const struct sill_resp_view hello[] = {
        SILL_RESP_VIEW_INIT("HELLO"), SILL_RESP_VIEW_INIT("3"),
        SILL_RESP_VIEW_INIT("AUTH"), user, sill_resp_view(c->password)};
    const struct sill_resp_view auth[] = {SILL_RESP_VIEW_INIT("AUTH"), user,
                                          sill_resp_view(c->password)};
    if (c->version == 3)
        return say(wire, c, hello, c->password != NULL ? 5 : 2, deadline);
    return c->password != NULL ? say(wire, c, auth, 3, deadline) : 0;
}

static int say_where(struct sill_resp_wire *wire,
                     const struct sill_resp_client *c, sill_time deadline)
{
    char number[16];
    if (c->database == 0)
        return 0;
    snprintf(number, sizeof(number), "%d", c->database);
    const struct sill_resp_view select[] = {SILL_RESP_VIEW_INIT("SELECT"),
                                            sill_resp_view(number)};
    return say(wire, c, select, 2, deadline);
}

static sill_time earlier(sill_time a, sill_time b)
{
    return a < b ? a : b;
}

int sill_resp_wire_open(struct sill_resp_wire *wire,
                        const struct sill_resp_client *c, sill_time deadline)
{
    deadline = earlier(deadline, sill_after(c->connect_timeout));
    *wire = (struct sill_resp_wire){.limits = &c->limits};
    int rc = sill_stream_connect(&wire->stream, &c->address, NULL, deadline);
    if (rc == 0)
        rc = say_who(wire, c, deadline);
    if (rc == 0)
        rc = say_where(wire, c, deadline);
    if (rc != 0)
        sill_resp_wire_close(wire);
    return rc;
}

void sill_resp_wire_close(struct sill_resp_wire *wire)
{
    sill_stream_close(&wire->stream);
    sill_resp_intake_free(wire);
}
