/* SPDX-License-Identifier: MIT */
/*
 * The sim backend: a clock that jumps to whatever comes next.
 *
 * Nobody hosts it, and it watches nothing. See <sill/sim.h>.
 */
#include "world.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    BATCH = 1000,
    LOOKS_MOST = 20000,   /* of the core, for nothing: seconds of a processor */
    CALENDAR = 1767225600 /* at the beginning: 2026-01-01 00:00:00 UTC */
};

_Thread_local struct world *sill_world_current;
_Thread_local const struct sill_sim_options *sill_world_asked;
_Thread_local struct sill_sim_report *sill_world_report;

static void choose_options(struct world *world)
{
    if (sill_world_asked) {
        world->options = *sill_world_asked;
        world->closed = true;
    } else {
        sill_sim_options_init(&world->options, 0);
        world->options.descriptors = SIZE_MAX;
    }
}

static void init(struct world *world)
{
    memset(world, 0, sizeof(*world));
    choose_options(world);
    world->now = SILL_SIM_START;
    world->hash = world->options.seed;
    sill_world_random_init(&world->network, world->options.seed, 'n');
    sill_world_random_init(&world->scenario, world->options.seed, 's');
    sill_world_list_init(&world->hosts);
    sill_world_list_init(&world->connections);
    sill_world_list_init(&world->listeners);
    sill_world_list_init(&world->datagrams);
    sill_world_list_init(&world->messages);
}

/* Apart from what the network and the scenario draw. */
static uint64_t seed_of_bytes(uint64_t seed)
{
    struct random random;

    sill_world_random_init(&random, seed, 'b');
    return sill_world_draw(&random);
}

static void sim_close(void *self);

static int sim_open(struct sill_loop *loop, void *host, void **self)
{
    struct world *world = host ? NULL : sill_alloc(sizeof(*world));

    if (!world)
        return host ? SILL_EINVAL : SILL_ENOMEM;
    init(world);
    sill_core_set_calendar(loop, CALENDAR - SILL_SIM_START / SILL_SECOND);
    sill_core_set_random(loop, seed_of_bytes(world->options.seed));
    sill_world_current = world;

    int rc = sill_world_host_add(world, "host0", &world->first_host);

    if (rc < 0)
        sim_close(world);
    else
        *self = world;
    return rc;
}

static void sim_close(void *self)
{
    struct world *world = self;

    if (sill_world_report)
        sill_world_report_to(world, sill_world_report);
    sill_world_connections_free(world);
    sill_world_listeners_free(world);
    sill_world_datagrams_free(world);
    sill_world_hosts_free(world);
    sill_world_table_free(&world->names);
    sill_free(world->heap);
    sill_free(world);
    sill_world_current = NULL;
}

static sill_time sim_now(void *self)
{
    const struct world *world = self;

    return world->now;
}

static bool take_interrupt(struct world *world)
{
    return __atomic_exchange_n(&world->interrupted, 0, __ATOMIC_ACQ_REL) != 0;
}

/* Somebody outside has to come. */
static void block(struct world *world)
{
    (void)syscall(SYS_futex, &world->interrupted, FUTEX_WAIT_PRIVATE, 0, NULL,
                  NULL, 0);
    (void)take_interrupt(world);
}

static void jump(struct world *world, sill_time to)
{
    if (to <= world->now)
        return;
    world->now = to;
    world->looks = 0;
    sill_world_record(world, SILL_SIM_JUMP, NULL, 0, NULL, 0);
}

void sill_sim_spend(sill_duration length)
{
    struct world *world = sill_world_require("sill_sim_spend");
    sill_time until = sill_after(length), next;

    while ((next = sill_world_events_next(world)) <= until &&
           next < SILL_NEVER) {
        jump(world, next);
        (void)sill_world_events_step(world);
    }
    jump(world, until);
}

static void log_line(void *arg, const char *line)
{
    (void)arg;
    sill_log("sill: %s", line);
}

/* Somebody may wait for time to pass without waiting. */
static void count_look(struct world *world)
{
    if (++world->looks != LOOKS_MOST)
        return;
    sill_log("sill: tasks run on and on, and the clock stands still");
    sill_dump(log_line, NULL);
}

static int sim_poll(void *self, sill_time until)
{
    struct world *world = self;
    sill_time next = sill_world_events_next(world);

    if (take_interrupt(world))
        until = SILL_PAST;
    if (next == SILL_NEVER && until == SILL_NEVER) {
        if (world->closed)
            return SILL_EDEADLK;
        block(world);
        return 0;
    }
    count_look(world);
    jump(world, next < until ? next : until);
    for (int i = 0; i < BATCH && sill_world_events_step(world); i++)
        world->looks = 0;
    return 0;
}

static int sim_watch(void *self, struct sill_spi_watch *watch,
                     unsigned directions)
{
    (void)self;
    (void)watch;
    (void)directions;
    return SILL_EOPNOTSUPP;
}

static void sim_unwatch(void *self, struct sill_spi_watch *watch)
{
    (void)self;
    (void)watch;
}

static void sim_interrupt(void *self)
{
    struct world *world = self;
    int saved = errno;

    __atomic_store_n(&world->interrupted, 1, __ATOMIC_RELEASE);
    if (!world->closed)
        (void)syscall(SYS_futex, &world->interrupted, FUTEX_WAKE_PRIVATE,
                      INT_MAX, NULL, NULL, 0);
    errno = saved;
}

static void sim_alarm(void *self, sill_time when, bool alive)
{
    (void)self;
    (void)when;
    (void)alive;
}

static int no_adopt(struct sill_loop *loop, struct sill_stream *stream, int fd)
{
    (void)loop;
    (void)stream;
    (void)fd;
    return SILL_EOPNOTSUPP;
}

static int no_watch(struct sill_loop *loop, struct sill_watch *watch, int fd)
{
    (void)loop;
    (void)watch;
    (void)fd;
    return SILL_EOPNOTSUPP;
}

static const struct sill_spi_transport transport = {
    sill_world_connect, no_adopt, sill_world_listen, sill_world_datagram,
    no_watch};

SILL_API const struct sill_backend sill_backend_sim = {
    SILL_SPI_ABI, sizeof(struct sill_backend),
    "sim",        sim_open,
    sim_close,    sim_now,
    sim_poll,     sim_watch,
    sim_unwatch,  sim_interrupt,
    sim_alarm,    &transport};
