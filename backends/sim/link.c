/* SPDX-License-Identifier: MIT */
/*
 * Links: when what is sent arrives, and whether.
 */
#include "world.h"

#define DELAY_MOST (100 * SILL_MILLISECOND)
#define CUT_MOST   (5 * SILL_SECOND)

static int roads_open(struct sill_sim_host *host)
{
    size_t size = (host->id + 1) * sizeof(*host->roads);

    if (host->roads)
        return 0;
    host->roads = sill_alloc(size);
    if (!host->roads)
        return SILL_ENOMEM;
    memset(host->roads, 0, size);
    return 0;
}

static struct link *link_new(struct sill_sim_host *older,
                             struct sill_sim_host *younger)
{
    struct link *link = sill_alloc(sizeof(*link));

    if (!link)
        return NULL;
    memset(link, 0, sizeof(*link));
    link->ends[0] = older;
    link->ends[1] = younger;
    link->cut_until = SILL_PAST;
    if (older != younger)
        link->model = older->world->options.link;
    return link;
}

/* A link is kept by the host that is younger. */
struct link *sill_world_link(struct sill_sim_host *a, struct sill_sim_host *b)
{
    struct sill_sim_host *older = a->id < b->id ? a : b;
    struct sill_sim_host *younger = older == a ? b : a;

    if (roads_open(younger) < 0)
        return NULL;

    struct road *road = &younger->roads[older->id];

    if (!road->link)
        road->link = link_new(older, younger);
    return road->link;
}

unsigned sill_world_way(const struct link *link,
                        const struct sill_sim_host *host)
{
    return host == link->ends[1] && !sill_world_is_own(link);
}

bool sill_world_is_own(const struct link *link)
{
    return link->ends[0] == link->ends[1];
}

bool sill_world_is_silent(const struct world *world, const struct link *link,
                          unsigned way)
{
    if (sill_world_is_own(link))
        return false;
    return link->cut[way] || world->now < link->cut_until ||
           link->ends[0]->down || link->ends[1]->down;
}

bool sill_world_fails(struct world *world, const struct link *link,
                      double probability)
{
    return !sill_world_is_own(link) &&
           sill_world_chance(&world->network, probability);
}

/* How long the bytes take to leave; the next ones wait for them. */
static sill_time leave(struct world *world, struct link *link, unsigned way,
                       size_t size)
{
    sill_time begin = link->busy_until[way];
    uint64_t bandwidth = link->model.bandwidth;

    if (begin < world->now)
        begin = world->now;
    if (bandwidth > 0)
        begin += (sill_time)((double)size / (double)bandwidth * 1e9);
    link->busy_until[way] = begin;
    return begin;
}

static sill_duration or_else(sill_duration asked, sill_duration otherwise)
{
    return asked > 0 ? asked : otherwise;
}

static void cut_by_chance(struct world *world, struct link *link, uint64_t id)
{
    const struct sill_sim_faults *faults = &world->options.faults;
    sill_duration most = or_else(faults->cut_most, CUT_MOST);

    if (!sill_world_fails(world, link, faults->cut))
        return;
    link->cut_until = world->now + sill_world_draw_span(&world->network, most);
    sill_world_record(world, SILL_SIM_CUT, link->ends[0], id, NULL,
                      link->ends[1]->id);
}

sill_time sill_world_arrival(struct world *world, struct link *link,
                             unsigned way, size_t size, uint64_t id)
{
    const struct sill_sim_faults *faults = &world->options.faults;
    const struct sill_sim_host *from = link->ends[way];
    sill_time at = leave(world, link, way, size) + link->model.latency +
                   sill_world_draw_span(&world->network, link->model.jitter);

    cut_by_chance(world, link, id);
    if (sill_world_fails(world, link, faults->delay)) {
        at += sill_world_draw_span(&world->network,
                                   or_else(faults->delay_most, DELAY_MOST));
        sill_world_record(world, SILL_SIM_DELAY, from, id, NULL, size);
    }
    return at;
}

/* See <sill/sim.h>. */

int sill_sim_link_set(struct sill_sim_host *a, struct sill_sim_host *b,
                      const struct sill_sim_link *model)
{
    struct link *link = a == b ? NULL : sill_world_link(a, b);

    if (!link)
        return a == b ? SILL_EINVAL : SILL_ENOMEM;
    link->model = *model;
    return 0;
}

int sill_sim_cut(struct sill_sim_host *a, struct sill_sim_host *b)
{
    struct world *world = sill_world_require("sill_sim_cut");
    struct link *link = a == b ? NULL : sill_world_link(a, b);

    if (!link)
        return a == b ? SILL_EINVAL : SILL_ENOMEM;
    link->cut[sill_world_way(link, a)] = true;
    sill_world_record(world, SILL_SIM_CUT, a, 0, NULL, b->id);
    return 0;
}

void sill_sim_heal(struct sill_sim_host *a, struct sill_sim_host *b)
{
    struct world *world = sill_world_require("sill_sim_heal");
    struct link *link = a == b ? NULL : sill_world_link(a, b);

    if (!link)
        return;
    link->cut[sill_world_way(link, a)] = false;
    link->cut_until = SILL_PAST;
    sill_world_record(world, SILL_SIM_HEAL, a, 0, NULL, b->id);
}
