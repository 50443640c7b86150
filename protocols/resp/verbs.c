/* SPDX-License-Identifier: MIT */
/*
 * verbs.c: which handler a command is for, and what is said when there is none.
 */
#include "server.h"

#include <sill/error.h>
#include <sill/hooks.h>

#include <stdio.h>
#include <string.h>

static size_t hash(struct sill_resp_view name)
{
    uint32_t sum = 2166136261;
    for (size_t i = 0; i < name.size; i++)
        sum = (sum ^ (uint8_t)(name.at[i] | 0x20)) * 16777619;
    return sum ^ sum >> 15;
}

/* Where (name) is in the index, or would be. 0 stands for none there. */
static uint16_t *find_slot(const struct sill_resp_server *server,
                           struct sill_resp_view name)
{
    size_t mask = server->index_size - 1;
    for (size_t at = hash(name) & mask;; at = (at + 1) & mask) {
        uint16_t *slot = &server->index[at];
        if (*slot == 0 ||
            sill_resp_view_is_alike(
                name, sill_resp_view(server->verbs[*slot - 1].name)))
            return slot;
    }
}

int sill_resp_verbs_open(struct sill_resp_server *server)
{
    size_t size = 16;

    if (server->verb_count == 0 || server->verb_count > INT16_MAX)
        return SILL_EINVAL;
    while (size < 2 * server->verb_count)
        size *= 2;
    server->index = sill_alloc(size * sizeof(*server->index));
    if (server->index == NULL)
        return SILL_ENOMEM;
    memset(server->index, 0, size * sizeof(*server->index));
    server->index_size = size;
    for (size_t i = 0; i < server->verb_count; i++)
        *find_slot(server, sill_resp_view(server->verbs[i].name)) =
            (uint16_t)(i + 1);
    return 0;
}

void sill_resp_verbs_close(struct sill_resp_server *server)
{
    sill_free(server->index);
    server->index = NULL;
}

const struct sill_resp_verb *
sill_resp_verb_find(const struct sill_resp_server *server,
                    struct sill_resp_view name)
{
    if (server->index == NULL)
        return NULL;
    uint16_t slot = *find_slot(server, name);
    return slot == 0 ? NULL : &server->verbs[slot - 1];
}

/* Says the unknown verb and up to 128 bytes of what came behind it. */
static void refuse_unknown(struct sill_resp_session *s,
                           const struct sill_resp_view *args, size_t count)
{
    char rest[160];
    size_t used = 0;

    rest[0] = '\0';
    for (size_t i = 1; i < count && used < 128; i++) {
        size_t room = 128 - used;
        size_t size = args[i].size < room ? args[i].size : room;
        used += (size_t)snprintf(rest + used, sizeof(rest) - used, "'%.*s' ",
                                 (int)size, args[i].at);
    }
    sill_resp_reply_error(
        s, "ERR unknown command '%.*s', with args beginning with: %s",
        args[0].size < 128 ? (int)args[0].size : 128, args[0].at, rest);
}

static bool is_count_right(const struct sill_resp_verb *verb, size_t count)
{
    return verb->arity >= 0 ? count == (size_t)verb->arity
                            : count >= (size_t)-verb->arity;
}

static void refuse(struct sill_resp_session *s,
                   const struct sill_resp_verb *verb,
                   const struct sill_resp_view *args, size_t count)
{
    s->refused++;
    s->server->stats.refused++;
    if (verb == NULL)
        refuse_unknown(s, args, count);
    else
        sill_resp_reply_error(
            s, "ERR wrong number of arguments for '%s' command", verb->name);
}

int sill_resp_verb_answer_args(struct sill_resp_session *s,
                               const struct sill_resp_view *args, size_t count)
{
    struct sill_resp_server *server = s->server;
    const struct sill_resp_verb *verb = sill_resp_verb_find(server, args[0]);

    if (verb == NULL || !is_count_right(verb, count)) {
        refuse(s, verb, args, count);
        return 0;
    }
    server->stats.commands++;
    return server->call != NULL ? server->call(s, verb, args, count)
                                : verb->handler(s, args, count);
}

int sill_resp_verb_answer(struct sill_resp_session *s)
{
    return sill_resp_verb_answer_args(s, s->command.args, s->command.count);
}
