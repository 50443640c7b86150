/* SPDX-License-Identifier: MIT */
/*
 * One run: what its world is like, what becomes of it, and the memory that it
 * does not get.
 */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>

void sill_sim_options_init(struct sill_sim_options *options, uint64_t seed)
{
    *options =
        (struct sill_sim_options){.seed = seed,
                                  .link = {.latency = 500 * SILL_MICROSECOND,
                                           .jitter = 500 * SILL_MICROSECOND},
                                  .patience = SILL_MINUTE,
                                  .buffer = 65536,
                                  .descriptors = 1024};
}

void sill_sim_faults_init(struct sill_sim_faults *faults)
{
    *faults = (struct sill_sim_faults){.short_read = 0.05,
                                       .short_write = 0.05,
                                       .refuse = 0.005,
                                       .reset = 0.001,
                                       .delay = 0.02,
                                       .cut = 0.0005,
                                       .lose = 0.01,
                                       .repeat = 0.01,
                                       .reorder = 0.05};
}

/* Memory that fails. */

static struct {
    struct sill_allocator before;
    uint64_t count, fails;
    double probability;
    struct random random;
} memory;

static void *failing_alloc(void *arg, size_t size)
{
    struct world *world = sill_world_current;

    (void)arg;
    if (++memory.count != memory.fails &&
        !sill_world_chance(&memory.random, memory.probability))
        return memory.before.alloc(memory.before.arg, size);
    if (world)
        sill_world_record(world, SILL_SIM_ALLOCATION,
                          sill_world_host_here(world), memory.count, NULL,
                          size);
    return NULL;
}

static void failing_free(void *arg, void *block)
{
    (void)arg;
    memory.before.free(memory.before.arg, block);
}

static bool memory_fails(const struct sill_sim_options *options)
{
    return options->allocation_fails > 0 || options->faults.allocation > 0;
}

static void take_memory(const struct sill_sim_options *options)
{
    static const struct sill_allocator failing = {failing_alloc, failing_free,
                                                  NULL};

    sill_get_allocator(&memory.before);
    memory.count = 0;
    memory.fails = options->allocation_fails;
    memory.probability = options->faults.allocation;
    sill_world_random_init(&memory.random, options->seed, 'm');
    sill_set_allocator(&failing);
}

/* Running. */

static uint64_t shuffle_of(uint64_t seed)
{
    struct random random;

    sill_world_random_init(&random, seed, 't');
    return sill_world_draw(&random) | 1;
}

void sill_world_report_to(const struct world *world,
                          struct sill_sim_report *report)
{
    report->hash = world->hash;
    report->events = world->events;
    memcpy(report->counts, world->counts, sizeof(report->counts));
    report->ended = world->now;
    report->left_open = world->open_sockets;
}

int sill_sim_run_at(const struct sill_sim_options *options, sill_task_fn *fn,
                    void *arg, struct sill_sim_report *report,
                    const char *where)
{
    struct sill_sim_options defaults;

    if (sill_self())
        return SILL_EBUSY;
    sill_sim_options_init(&defaults, 0);
    if (!options)
        options = &defaults;
    if (report)
        memset(report, 0, sizeof(*report));

    struct sill_run_options run = {.backend = &sill_backend_sim,
                                   .stack_size = options->stack_size,
                                   .shuffle = shuffle_of(options->seed)};

    sill_world_asked = options;
    sill_world_report = report;
    if (memory_fails(options))
        take_memory(options);

    int rc = sill_run_at(&run, fn, arg, where);

    if (memory_fails(options))
        sill_set_allocator(&memory.before);
    sill_world_asked = NULL;
    sill_world_report = NULL;
    return rc;
}

/* Inside of it. */

struct world *sill_world_require(const char *call)
{
    if (sill_world_current)
        return sill_world_current;
    (void)fprintf(stderr, "sill: %s: outside of a simulated world\n", call);
    abort();
}

uint64_t sill_sim_random(uint64_t bound)
{
    struct world *world = sill_world_require("sill_sim_random");

    return sill_world_draw_below(&world->scenario, bound);
}
