/* SPDX-License-Identifier: MIT */
/*
 * What is drawn from the seed.
 *
 * Source: SplitMix64 (Steele, Lea, Flood 2014).
 */
#include "world.h"

uint64_t sill_world_draw(struct random *random)
{
    uint64_t z = random->state += 0x9e3779b97f4a7c15;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

void sill_world_random_init(struct random *random, uint64_t seed,
                            uint64_t purpose)
{
    random->state = seed;
    random->state = sill_world_draw(random) ^ purpose;
    random->state = sill_world_draw(random);
}

/* The bias, less than (bound) in 2^64, is nobody's business. */
uint64_t sill_world_draw_below(struct random *random, uint64_t bound)
{
    return bound ? sill_world_draw(random) % bound : 0;
}

/* What cannot happen draws nothing. */
bool sill_world_chance(struct random *random, double probability)
{
    if (probability <= 0)
        return false;
    return (double)(sill_world_draw(random) >> 11) * 0x1p-53 < probability;
}

sill_duration sill_world_draw_span(struct random *random, sill_duration most)
{
    if (most <= 0)
        return 0;
    return (sill_duration)sill_world_draw_below(random, (uint64_t)most + 1);
}
