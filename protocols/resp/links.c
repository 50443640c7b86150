/* SPDX-License-Identifier: MIT */
/*
 * links.c: the links that a client lends.
 *
 * A task has its turn first, and then one of the idle links, or a new one: the
 * idle ones and the turns together are never more than (links_max). The turn of
 * a link that comes back goes to who has waited for longest.
 */
#include "client.h"

#include <sill/error.h>
#include <sill/hooks.h>

/* A task that waits for its turn. */
struct sill_resp_waiter {
    struct sill_resp_waiter *next;
    struct sill_trigger turn;
    bool has_turn;
};

/* ---- turns ---- */

static struct sill_resp_waiter **find(struct sill_resp_client *c,
                                      const struct sill_resp_waiter *waiter)
{
    struct sill_resp_waiter **at = &c->waiter;
    while (*at != waiter)
        at = &(*at)->next;
    return at;
}

static int await_turn(struct sill_resp_client *c, sill_time deadline)
{
    struct sill_resp_waiter self = {.turn = SILL_TRIGGER_INIT};
    if (c->turns < c->links_max) {
        c->turns++;
        return 0;
    }
    *find(c, NULL) = &self;
    int rc = sill_suspend(&self.turn, deadline);
    if (self.has_turn)
        return 0;
    *find(c, &self) = self.next;
    return rc;
}

static void end_turn(struct sill_resp_client *c)
{
    struct sill_resp_waiter *waiter = c->waiter;
    if (waiter == NULL) {
        c->turns--;
        return;
    }
    c->waiter = waiter->next;
    waiter->has_turn = true;
    sill_resume(&waiter->turn, 0);
}

/* ---- idle links ---- */

static void destroy(struct sill_resp_link *link)
{
    sill_resp_link_close(link);
    sill_free(link);
}

/* Whether the peer said nothing meanwhile, not even goodbye: 0, or an error. */
static int check(struct sill_resp_link *link)
{
    char byte;
    ssize_t got = sill_stream_read(&link->wire.stream, &byte, 1, SILL_PAST);
    if (got == SILL_ETIMEDOUT)
        return 0;
    return got < 0 ? (int)got : SILL_EOF;
}

static int take_idle(struct sill_resp_client *c, struct sill_resp_link **link)
{
    while (c->idle != NULL) {
        int rc = check(c->idle);
        if (rc == SILL_ECANCELED)
            return rc;
        *link = c->idle;
        c->idle = (*link)->next;
        if (rc == 0)
            return 0;
        destroy(*link);
    }
    return SILL_ENOENT;
}

static int open_new(struct sill_resp_client *c, struct sill_resp_link **link,
                    sill_time deadline)
{
    *link = sill_alloc(sizeof(**link));
    if (*link == NULL)
        return SILL_ENOMEM;
    int rc = sill_resp_link_open(*link, c, deadline);
    if (rc != 0)
        destroy(*link);
    return rc;
}

int sill_resp_link_take(struct sill_resp_link **link,
                        struct sill_resp_client *client, sill_time deadline)
{
    int rc = sill_resp_settle(client);
    if (rc == 0)
        rc = await_turn(client, deadline);
    if (rc == 0) {
        rc = take_idle(client, link);
        if (rc == SILL_ENOENT)
            rc = open_new(client, link, deadline);
        if (rc != 0)
            end_turn(client);
    }
    if (rc != 0)
        *link = NULL;
    return rc;
}

static bool is_as_new(const struct sill_resp_link *link)
{
    return link->is_open && link->state == 0 && link->owed == 0 &&
           link->wire.in_begin == link->wire.in_end;
}

void sill_resp_link_give(struct sill_resp_link *link)
{
    struct sill_resp_client *c = link->client;
    if (is_as_new(link)) {
        link->next = c->idle;
        c->idle = link;
    } else {
        destroy(link);
    }
    end_turn(c);
}

void sill_resp_links_close(struct sill_resp_client *client)
{
    while (client->idle != NULL) {
        struct sill_resp_link *link = client->idle;
        client->idle = link->next;
        destroy(link);
    }
}
