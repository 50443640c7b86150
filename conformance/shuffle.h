/* SPDX-License-Identifier: MIT */
/*
 * shuffle.h: orders that are drawn from a seed, and what else loops are given.
 */
#ifndef SHUFFLE_H
#define SHUFFLE_H

#include <sill/task.h>

#include <stdbool.h>
#include <stdint.h>

/* Draws the next number. Source: Steele, Lea, Flood, "Fast splittable
 * pseudorandom number generators", 2014, as in Vigna's splitmix64.c. */
uint64_t shuffle_draw(uint64_t *state);

/* Lets every loop of this process that is run or attached from now on, and does
 * not say otherwise itself, shuffle its tasks by a number made of (seed) and of
 * the names (rule) and (name): the same case has the same one in any company.
 */
void shuffle_loops(uint64_t seed, const char *rule, const char *name);

/* Whether it was called. */
bool shuffle_is_on(void);

/* Lets every such loop batch its writes, each single one as well. */
void shuffle_batches(void);

/* Returns what a loop that is to be run or attached with (given), which may be
 * NULL, is given instead: that, or (ours), made of it. */
const struct sill_run_options *
shuffle_options(const struct sill_run_options *given,
                struct sill_run_options *ours);

#endif
