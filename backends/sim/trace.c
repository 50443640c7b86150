/* SPDX-License-Identifier: MIT */
/*
 * What has happened: a running hash, and lines for those who want to read.
 * Nothing that goes in depends on where something is in memory.
 */
#include "world.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

enum { LINE = 256, SHOWN = 16 };

const char *sill_sim_kind_name(enum sill_sim_kind kind)
{
    static const char *const names[] = {
        "jump",      "note",       "host",        "listen",  "connect",
        "connected", "accept",     "send",        "arrive",  "read",
        "end",       "close",      "open",        "message", "deliver",
        "receive",   "short-read", "short-write", "refuse",  "reset",
        "delay",     "cut",        "heal",        "lose",    "repeat",
        "reorder",   "descriptor", "allocation",  "retry",   "give-up",
        "crash",     "restart"};

    _Static_assert(sizeof(names) / sizeof(*names) == SILL_SIM_KINDS,
                   "each kind has a name");
    return (unsigned)kind < SILL_SIM_KINDS ? names[kind] : "unknown";
}

static void mix(struct world *world, uint64_t word)
{
    uint64_t z = (world->hash ^ word) * 0x9fb21c651e98df25;

    world->hash = z ^ (z >> 32);
}

static void show(char *text, const void *data, size_t size)
{
    const unsigned char *bytes = data;

    for (size_t i = 0; i < size; i++)
        text[i] = isprint(bytes[i]) ? (char)bytes[i] : '.';
    text[size] = '\0';
}

static void tell(const struct world *world, enum sill_sim_kind kind,
                 const struct sill_sim_host *host, uint64_t id,
                 const void *data, size_t size)
{
    sill_duration since = world->now - SILL_SIM_START;
    size_t shown = kind == SILL_SIM_NOTE || size < SHOWN ? size : SHOWN;
    char line[LINE + LINE], bytes[LINE] = "";

    if (data)
        show(bytes, data, shown);
    (void)snprintf(line, sizeof(line), "%lld.%09lld %-11s %s.%u #%llu %zu %s",
                   (long long)(since / SILL_SECOND),
                   (long long)(since % SILL_SECOND), sill_sim_kind_name(kind),
                   host ? host->text : "-", host ? host->id : 0,
                   (unsigned long long)id, size, bytes);
    world->options.trace(world->options.trace_arg, line);
}

void sill_world_record(struct world *world, enum sill_sim_kind kind,
                       const struct sill_sim_host *host, uint64_t id,
                       const void *data, size_t size)
{
    uint64_t head[SHOWN / 8] = {0, 0};

    if (data)
        memcpy(head, data, size < sizeof(head) ? size : sizeof(head));
    mix(world, (uint64_t)world->now);
    mix(world, (uint64_t)kind | (uint64_t)(host ? host->id + 1 : 0) << 8);
    mix(world, id);
    mix(world, size);
    mix(world, head[0]);
    mix(world, head[1]);
    world->events++;
    world->counts[kind]++;
    if (world->options.trace)
        tell(world, kind, host, id, data, size);
}

uint64_t sill_sim_hash(void)
{
    return sill_world_require("sill_sim_hash")->hash;
}

/* The whole of a note counts, not only its first bytes. */
void sill_sim_note(const char *format, ...)
{
    struct world *world = sill_world_require("sill_sim_note");
    char text[LINE];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    for (const char *at = text; *at; at++)
        mix(world, (unsigned char)*at);
    sill_world_record(world, SILL_SIM_NOTE, sill_world_host_here(world), 0,
                      text, strlen(text));
}
