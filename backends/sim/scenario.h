/* SPDX-License-Identifier: MIT */
/*
 * scenario.h: what the files behind <sill/scenario.h> share.
 *
 *     scenario.c  the arguments of a program; one scenario after the other
 *     seed.c      one seed, and whether it holds
 *     workers.c   many seeds, in processes that may die
 *     seal.c      a process without help from outside
 */
#ifndef SCENARIO_H
#define SCENARIO_H

#include <sill/scenario.h>

#include <stdbool.h>
#include <stddef.h>

enum { WHY_SIZE = 320, BAD_MOST = 10 };

/* What a program was asked to do. */
struct plan {
    const char *program;
    uint64_t first, seeds;
    unsigned jobs, limit;
    bool trace, alone;
};

/* What came of some seeds. */
struct totals {
    uint64_t seeds, bad;
    uint64_t answered, failed, wrong;
    uint64_t counts[SILL_SIM_KINDS];
};

/* Tries one seed. Returns whether it held; (why) says what came of it. */
bool sill_scenario_try(const struct plan *plan,
                       const struct sill_scenario *scenario, uint64_t seed,
                       struct totals *totals, char why[WHY_SIZE]);

/* Prints how to do (seed) again, in one piece. */
void sill_scenario_say(const struct plan *plan,
                       const struct sill_scenario *scenario, uint64_t seed,
                       const char *why);

void sill_scenario_add(struct totals *totals, const struct totals *more);

/* Tries all seeds in other processes. Returns false when there are none. */
bool sill_scenario_share(const struct plan *plan,
                         const struct sill_scenario *scenario,
                         struct totals *totals);

/* From now on any system call but those for memory, for words and for the end
 * kills the process. Exits with 77 where that cannot be done. */
void sill_scenario_seal(void);

#endif
