/* SPDX-License-Identifier: MIT */
/*
 * A program with scenarios: its arguments, and what it says.
 */
#include "scenario.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

void sill_scenario_say(const struct plan *plan,
                       const struct sill_scenario *scenario, uint64_t seed,
                       const char *why)
{
    char line[1024];
    int size =
        snprintf(line, sizeof(line), "%s%s --trace --seed %llu %s # %s\n",
                 plan->program, plan->alone ? " --alone" : "",
                 (unsigned long long)seed, scenario->name, why);
    size_t shown =
        (size_t)size < sizeof(line) ? (size_t)size : sizeof(line) - 1;

    /* In one call, for others say something, too. */
    (void)!write(STDOUT_FILENO, line, shown);
}

void sill_scenario_add(struct totals *totals, const struct totals *more)
{
    totals->seeds += more->seeds;
    totals->bad += more->bad;
    totals->answered += more->answered;
    totals->failed += more->failed;
    totals->wrong += more->wrong;
    for (size_t i = 0; i < SILL_SIM_KINDS; i++)
        totals->counts[i] += more->counts[i];
}

static double seconds(const struct timeval *time)
{
    return (double)time->tv_sec + (double)time->tv_usec / 1e6;
}

/* What the workers that have ended used of the processors. */
static double used(void)
{
    struct rusage usage;

    (void)getrusage(RUSAGE_CHILDREN, &usage);
    return seconds(&usage.ru_utime) + seconds(&usage.ru_stime);
}

static void print_summary(const struct sill_scenario *scenario,
                          const struct totals *totals, double spent)
{
    const char *before = "  with ";

    (void)printf("%-10s  %llu seeds, %llu bad, %.0f per minute and core: %llu "
                 "answered, %llu failed, %llu wrong\n",
                 scenario->name, (unsigned long long)totals->seeds,
                 (unsigned long long)totals->bad,
                 spent > 0 ? (double)totals->seeds * 60 / spent : 0.0,
                 (unsigned long long)totals->answered,
                 (unsigned long long)totals->failed,
                 (unsigned long long)totals->wrong);
    for (int kind = SILL_SIM_SHORT_READ; kind < SILL_SIM_KINDS; kind++) {
        if (totals->counts[kind] == 0)
            continue;
        (void)printf("%s%llu %s", before,
                     (unsigned long long)totals->counts[kind],
                     sill_sim_kind_name((enum sill_sim_kind)kind));
        before = ", ";
    }
    (void)puts(before[0] == ',' ? "" : "  without faults");
}

/* In this process, which may be under the eyes of a debugger. */
static bool try_here(const struct plan *plan,
                     const struct sill_scenario *scenario)
{
    struct totals totals = {0};
    char why[WHY_SIZE];

    for (uint64_t i = 0; i < plan->seeds; i++) {
        uint64_t seed = plan->first + i;

        if (!plan->alone)
            (void)alarm(plan->limit);
        (void)sill_scenario_try(plan, scenario, seed, &totals, why);
        (void)printf("%s %llu: %s\n", scenario->name, (unsigned long long)seed,
                     why);
    }
    if (!plan->alone)
        (void)alarm(0);
    return totals.bad == 0;
}

static bool try_elsewhere(const struct plan *plan,
                          const struct sill_scenario *scenario)
{
    struct totals totals = {0};
    double before = used();

    if (!isatty(STDERR_FILENO))
        (void)fprintf(stderr, "%s: %llu seeds\n", scenario->name,
                      (unsigned long long)plan->seeds);
    if (!sill_scenario_share(plan, scenario, &totals)) {
        perror(scenario->name);
        return false;
    }
    print_summary(scenario, &totals, used() - before);
    return totals.bad == 0;
}

static bool try_all(const struct plan *plan,
                    const struct sill_scenario *scenarios, char **names)
{
    bool holds = true;

    for (; scenarios->name; scenarios++) {
        char **name = names;

        while (*name && strcmp(*name, scenarios->name) != 0)
            name++;
        if (!*names || *name)
            holds &= plan->trace ? try_here(plan, scenarios)
                                 : try_elsewhere(plan, scenarios);
    }
    return holds;
}

static bool is_known(const struct sill_scenario *scenarios, const char *name)
{
    while (scenarios->name && strcmp(scenarios->name, name) != 0)
        scenarios++;
    return scenarios->name != NULL;
}

static int list(const struct sill_scenario *scenarios)
{
    for (; scenarios->name; scenarios++)
        (void)puts(scenarios->name);
    return 0;
}

static int refuse(const struct plan *plan)
{
    (void)fprintf(stderr,
                  "usage: %s [--seeds N] [--first N] [--seed N] [--jobs N] "
                  "[--limit SECONDS] [--trace] [--alone] [--list] "
                  "[SCENARIO...]\n",
                  plan->program);
    return 2;
}

static bool read_number(const char *text, uint64_t *number)
{
    char *end;

    if (!text || *text < '0' || *text > '9')
        return false;
    errno = 0;
    *number = strtoull(text, &end, 10);
    return *end == '\0' && errno == 0;
}

static bool read_unsigned(const char *text, unsigned *number)
{
    uint64_t read;
    bool good = read_number(text, &read) && read > 0 && read < 100000;

    if (good)
        *number = (unsigned)read;
    return good;
}

/* Reads an option and its (value). Returns how many arguments they are, 0 when
 * there is no sense in them. */
static int read_option(struct plan *plan, const char *option, const char *value)
{
    if (strcmp(option, "--trace") == 0)
        return plan->trace = true;
    if (strcmp(option, "--alone") == 0)
        return plan->alone = true;
    if (strcmp(option, "--seeds") == 0)
        return 2 * (read_number(value, &plan->seeds) && plan->seeds > 0);
    if (strcmp(option, "--first") == 0)
        return 2 * read_number(value, &plan->first);
    if (strcmp(option, "--jobs") == 0)
        return 2 * read_unsigned(value, &plan->jobs);
    if (strcmp(option, "--limit") == 0)
        return 2 * read_unsigned(value, &plan->limit);
    plan->seeds = 1;
    return strcmp(option, "--seed") == 0 ? 2 * read_number(value, &plan->first)
                                         : 0;
}

int sill_scenario_main(const struct sill_scenario *scenarios, int argc,
                       char **argv)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    struct plan plan = {.program = argv[0],
                        .first = 1,
                        .seeds = 1000,
                        .jobs = processors > 0 ? (unsigned)processors : 1,
                        .limit = 60};
    int at = 1, taken = 1;

    for (; at < argc && argv[at][0] == '-'; at += taken) {
        if (strcmp(argv[at], "--list") == 0)
            return list(scenarios);
        taken = read_option(&plan, argv[at], argv[at + 1]);
        if (taken == 0)
            return refuse(&plan);
    }
    for (int i = at; i < argc; i++)
        if (!is_known(scenarios, argv[i]))
            return refuse(&plan);
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    if (plan.trace && plan.alone)
        sill_scenario_seal();
    return try_all(&plan, scenarios, argv + at) ? 0 : 1;
}
