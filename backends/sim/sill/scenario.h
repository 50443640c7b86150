/* SPDX-License-Identifier: MIT */
/*
 * <sill/scenario.h>: a program that tries scenarios under many seeds.
 *
 * A scenario is the first task of a simulated world (<sill/sim.h>): it starts
 * servers and clients, counts what becomes of their requests, and says what is
 * wrong. A program has some of them, and a main that is one call:
 *
 *     static int play(void *arg)
 *     {
 *         struct sill_scenario_run *run = arg;
 *         ...
 *         run->asked++;
 *         if (rc < 0)
 *             run->failed++;
 *         else if (is_right(answer))
 *             run->answered++;
 *         else
 *             sill_scenario_wrong(run, "%s for %s", answer, question);
 *         ...
 *         return 0;
 *     }
 *
 *     int main(int argc, char **argv)
 *     {
 *         static const struct sill_scenario scenarios[] = {
 *             {.name = "calm", .play = play},
 *             {.name = "faults", .play = play, .prepare = add_faults},
 *             {0}};
 *
 *         return sill_scenario_main(scenarios, argc, argv);
 *     }
 *
 * A seed holds when
 *
 *   - nothing was said to be wrong;
 *   - what was asked was answered or has failed;
 *   - the scenario returned 0: so all its tasks have ended;
 *   - streams, listeners and datagrams were closed, blocks of memory freed, and
 *     descriptors of the machine closed;
 *   - the process has not died, nor made no end of it.
 *
 * Where allocations or descriptors fail (struct sill_sim_faults), the scenario
 * may return SILL_ENOMEM or SILL_EMFILE, having asked for less, or lost count.
 */
#ifndef SILL_SCENARIO_H
#define SILL_SCENARIO_H

#include <sill/attributes.h>
#include <sill/sim.h>
#include <sill/task.h>

#include <stdint.h>

SILL_BEGIN

struct sill_scenario {
    const char *name; /* a word; NULL ends a list */

    /* Sets what differs from sill_sim_options_init. May be NULL. */
    void (*prepare)(struct sill_sim_options *options);

    sill_task_fn *play; /* its argument is the struct sill_scenario_run */
};

/* What the tasks of one run count, from 0. */
struct sill_scenario_run {
    const struct sill_scenario *scenario;
    uint64_t asked;    /* requests */
    uint64_t answered; /* those that got what they asked for, and ... */
    uint64_t failed;   /* ... that failed as they may */

    /* private */
    uint64_t wrong;
    char why[160];
};

/* Says that something is wrong, which a note of the trace repeats; once for
 * each thing that is. To be called by tasks of the run. Never suspends. */
SILL_API void sill_scenario_wrong(struct sill_scenario_run *run,
                                  const char *format, ...) SILL_PRINTF(2, 3);

/*
 * Is the main of a program with (scenarios). Its arguments are
 *
 *     [OPTION...] [SCENARIO...]
 *
 *   --seeds N    try so many of each scenario; 1 000
 *   --first N    from this one on; 1
 *   --seed N     only this one
 *   --jobs N     in so many processes; as many as there are processors
 *   --limit N    a seed may take so many seconds; 60
 *   --trace      print each event, in this process, as a debugger likes it
 *   --alone      the kernel ends who asks it for more than memory
 *   --list       print the names of the scenarios
 *
 * For each seed that does not hold it prints one line: the command that does
 * the same again, and why. For each scenario it prints what came of it; after
 * 10 seeds that do not hold it goes on to the next one.
 *
 * Returns 0 when all seeds held, 1 when not, 2 when there is no sense in the
 * arguments, 77 when the kernel cannot do what --alone asks for. With --trace a
 * seed that takes too long ends the process by SIGALRM.
 *
 * To be called from the only thread.
 */
SILL_API int sill_scenario_main(const struct sill_scenario *scenarios, int argc,
                                char **argv);

SILL_END

#endif
