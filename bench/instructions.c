/* SPDX-License-Identifier: MIT */
/*
 * Runs each primitive under Callgrind, which writes down what ran: its count
 * and as much once more, so that the difference is what (count) of it cost.
 *
 * The clock is our own, for the libraries as well: the loop looks outside after
 * so much time, and how fast the machine is, is not to be seen.
 *
 * --list names the primitives, --compiler what compiled them.
 */
#include "primitives.h"

#include <sill/sill.h>

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <valgrind/callgrind.h>

enum { COUNT = 1000, STEP = 100 /* ns, for each look at the clock */ };

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
__attribute__((visibility("default"))) int clock_gettime(clockid_t id,
                                                         struct timespec *now)
{
    static long ns;

    (void)id;
    ns += STEP;
    *now = (struct timespec){1000 + ns / 1000000000, ns % 1000000000};
    return 0;
}

/* Returns 0 when it ran and was written down as "NAME COUNT". */
static int count_once(const struct primitive *p, long count)
{
    char title[64];
    int rc;

    snprintf(title, sizeof title, "%s %ld", p->name, count * p->each);
    CALLGRIND_ZERO_STATS;
    rc = p->run(count);
    CALLGRIND_DUMP_STATS_AT(title);
    return rc;
}

/* The first time, there are stacks to be made. */
static int count(const struct primitive *p)
{
    long n = COUNT / p->each;
    int rc = p->run(2 * n);

    if (rc == 0)
        rc = count_once(p, n);
    if (rc == 0)
        rc = count_once(p, 2 * n);
    return rc;
}

static int all(void *arg)
{
    int rc = 0;

    (void)arg;
    for (const struct primitive *p = primitives; p->name && rc == 0; p++)
        rc = count(p);
    return rc;
}

static int list(void)
{
    for (const struct primitive *p = primitives; p->name; p++)
        puts(p->name);
    return 0;
}

static int name_compiler(void)
{
#if defined(__clang__)
    printf("clang %d %s\n", __clang_major__, MACHINE);
#else
    printf("gcc %d %s\n", __GNUC__, MACHINE);
#endif
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--list") == 0)
        return list();
    if (argc > 1 && strcmp(argv[1], "--compiler") == 0)
        return name_compiler();

    int rc = sill_run(all, NULL);

    if (rc < 0)
        fprintf(stderr, "instructions: %s\n", sill_strerror(rc));
    return rc < 0;
}
