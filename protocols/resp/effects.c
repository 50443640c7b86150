/* SPDX-License-Identifier: MIT */
/*
 * effects.c: what commands do to the connection over which they come.
 */
#include "client.h"

static const struct {
    const char *verb;
    struct sill_resp_effect effect;
} effects[] = {
    {"multi", {SILL_RESP_IN_MULTI, 0}},
    {"exec", {0, SILL_RESP_IN_MULTI | SILL_RESP_WATCHES}},
    {"discard", {0, SILL_RESP_IN_MULTI | SILL_RESP_WATCHES}},
    {"watch", {SILL_RESP_WATCHES, 0}},
    {"unwatch", {0, SILL_RESP_WATCHES}},
    {"select", {SILL_RESP_ALTERED, 0}},
    {"hello", {SILL_RESP_ALTERED, 0}},
    {"auth", {SILL_RESP_ALTERED, 0}},
    {"quit", {SILL_RESP_ALTERED, 0}},
    {"reset", {SILL_RESP_ALTERED, 0}},
    {"readonly", {SILL_RESP_ALTERED, 0}},
    {"readwrite", {SILL_RESP_ALTERED, 0}},
    {"asking", {SILL_RESP_ALTERED, 0}},
    {"subscribe", {SILL_RESP_STREAMS, 0}},
    {"unsubscribe", {SILL_RESP_STREAMS, 0}},
    {"psubscribe", {SILL_RESP_STREAMS, 0}},
    {"punsubscribe", {SILL_RESP_STREAMS, 0}},
    {"ssubscribe", {SILL_RESP_STREAMS, 0}},
    {"sunsubscribe", {SILL_RESP_STREAMS, 0}},
    {"monitor", {SILL_RESP_STREAMS, 0}},
    {"sync", {SILL_RESP_STREAMS, 0}},
    {"psync", {SILL_RESP_STREAMS, 0}},
};

/* Some of them change it, and one may end all replies. */
static const struct sill_resp_effect *
effect_of_client(const struct sill_resp_view *args, size_t count)
{
    static const struct sill_resp_effect may_alter = {SILL_RESP_TUNED, 0},
                                         reply = {SILL_RESP_STREAMS, 0};
    return count > 1 &&
                   sill_resp_view_is_alike(args[1], SILL_RESP_VIEW("reply"))
               ? &reply
               : &may_alter;
}

const struct sill_resp_effect *
sill_resp_effect_of(const struct sill_resp_view *args, size_t count)
{
    static const struct sill_resp_effect none = {0, 0};
    if (sill_resp_view_is_alike(args[0], SILL_RESP_VIEW("client")))
        return effect_of_client(args, count);
    for (size_t i = 0; i < sizeof(effects) / sizeof(effects[0]); i++)
        if (sill_resp_view_is_alike(args[0], sill_resp_view(effects[i].verb)))
            return &effects[i].effect;
    return &none;
}
