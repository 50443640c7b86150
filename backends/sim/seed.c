/* SPDX-License-Identifier: MIT */
/*
 * One seed of a scenario: what it leaves behind, and whether it holds.
 */
#include "scenario.h"

#include <sill/error.h>
#include <sill/hooks.h>

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Of a program with AddressSanitizer, whose name it is. NOLINTNEXTLINE */
int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

static struct {
    struct sill_allocator before;
    size_t blocks;
} memory;

static void *counting_alloc(void *arg, size_t size)
{
    void *block = memory.before.alloc(memory.before.arg, size);

    (void)arg;
    memory.blocks += block != NULL;
    return block;
}

static void counting_free(void *arg, void *block)
{
    (void)arg;
    memory.blocks--;
    memory.before.free(memory.before.arg, block);
}

static void count_blocks(void)
{
    static const struct sill_allocator counting = {counting_alloc,
                                                   counting_free, NULL};

    memory.blocks = 0;
    sill_get_allocator(&memory.before);
    sill_set_allocator(&counting);
}

/* The lowest descriptor that is free: another one when some are left open. */
static int lowest_descriptor(const struct plan *plan)
{
    int lowest = plan->alone ? -1 : fcntl(STDOUT_FILENO, F_DUPFD, 0);

    if (lowest >= 0)
        (void)close(lowest);
    return lowest;
}

static bool has_leak(void)
{
    return __lsan_do_recoverable_leak_check &&
           __lsan_do_recoverable_leak_check() != 0;
}

void sill_scenario_wrong(struct sill_scenario_run *run, const char *format, ...)
{
    char text[sizeof(run->why)];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    sill_sim_note("wrong: %s", text);
    if (run->wrong++ == 0)
        memcpy(run->why, text, sizeof(text));
}

static void print(void *arg, const char *line)
{
    (void)arg;
    (void)puts(line);
}

/* A world that is short of something may end a scenario, too. */
static bool may_return(const struct sill_sim_options *options, int rc)
{
    const struct sill_sim_faults *faults = &options->faults;

    return rc == 0 ||
           (rc == SILL_ENOMEM &&
            (faults->allocation > 0 || options->allocation_fails > 0)) ||
           (rc == SILL_EMFILE && faults->descriptor > 0);
}

static bool is_counted(const struct sill_sim_options *options,
                       const struct sill_scenario_run *run)
{
    return options->faults.allocation > 0 || options->allocation_fails > 0 ||
           options->faults.descriptor > 0 ||
           run->asked == run->answered + run->failed + run->wrong;
}

/* What a run left behind. */
struct rest {
    int rc, before, after;
    struct sill_sim_report report;
};

/* Says what is the matter, and returns whether nothing is. */
static bool judge(const struct sill_sim_options *options,
                  const struct sill_scenario_run *run, const struct rest *rest,
                  char what[WHY_SIZE])
{
    size_t size = WHY_SIZE;

    if (run->wrong > 0)
        (void)snprintf(what, size, "%s", run->why);
    else if (!may_return(options, rest->rc))
        (void)snprintf(what, size, "it returned %s", sill_strerror(rest->rc));
    else if (!is_counted(options, run))
        (void)snprintf(what, size, "%llu asked, %llu answered, %llu failed",
                       (unsigned long long)run->asked,
                       (unsigned long long)run->answered,
                       (unsigned long long)run->failed);
    else if (rest->report.left_open > 0)
        (void)snprintf(what, size, "%zu streams or the like were left open",
                       rest->report.left_open);
    else if (memory.blocks > 0)
        (void)snprintf(what, size, "%zu blocks of memory leaked",
                       memory.blocks);
    else if (rest->before != rest->after)
        (void)snprintf(what, size, "a descriptor leaked");
    else if (has_leak())
        (void)snprintf(what, size, "memory leaked");
    else
        return true;
    return false;
}

static void count(struct totals *totals, const struct sill_scenario_run *run,
                  const struct sill_sim_report *report)
{
    totals->seeds++;
    totals->answered += run->answered;
    totals->failed += run->failed;
    totals->wrong += run->wrong;
    for (size_t i = 0; i < SILL_SIM_KINDS; i++)
        totals->counts[i] += report->counts[i];
}

bool sill_scenario_try(const struct plan *plan,
                       const struct sill_scenario *scenario, uint64_t seed,
                       struct totals *totals, char why[WHY_SIZE])
{
    struct sill_scenario_run run = {.scenario = scenario};
    struct sill_sim_options options;
    struct rest rest = {.before = lowest_descriptor(plan)};
    char what[WHY_SIZE] = "holds";

    sill_sim_options_init(&options, seed);
    if (scenario->prepare)
        scenario->prepare(&options);
    if (plan->trace)
        options.trace = print;
    count_blocks();
    rest.rc = sill_sim_run(&options, scenario->play, &run, &rest.report);
    sill_set_allocator(&memory.before);
    rest.after = lowest_descriptor(plan);

    bool holds = judge(&options, &run, &rest, what);

    count(totals, &run, &rest.report);
    totals->bad += !holds;
    (void)snprintf(why, WHY_SIZE, "hash %016llx: %s",
                   (unsigned long long)rest.report.hash, what);
    return holds;
}
