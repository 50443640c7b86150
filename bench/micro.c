/* SPDX-License-Identifier: MIT */
/*
 * What the primitives cost, in ns, each as one line "name value".
 *
 * Only through the public interface, on the backend that is linked; with a
 * name as argument, only that one, for a profiler. Each figure is the lower
 * quartile of several short runs, in processor time: a run in which the machine
 * did something else does not count.
 */
#include "primitives.h"

#include <sill/sill.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { RUNS = 12 };

#define RUN_TIME 1e7 /* ns */

static bool failed;
static const char *only; /* the one to measure; NULL: all */

static void check(int rc)
{
    if (rc < 0)
        failed = true;
}

static double processor_time(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double once(const struct primitive *p, long count)
{
    double begin = processor_time();
    check(p->run(count));
    return (processor_time() - begin) / (double)count;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(const struct primitive *p)
{
    double ns[RUNS];
    long count = 500;

    while (once(p, count) * (double)count < RUN_TIME / 4)
        count *= 2;
    for (int i = 0; i < RUNS; i++)
        ns[i] = once(p, 4 * count);
    qsort(ns, RUNS, sizeof ns[0], by_value);
    printf("%s %.2f\n", p->name, ns[RUNS / 4] / (double)p->each);
    fflush(stdout);
}

static int all(void *arg)
{
    (void)arg;
    for (const struct primitive *p = primitives; p->name; p++) {
        if (!only || strcmp(only, p->name) == 0)
            measure(p);
    }
    return failed ? SILL_EIO : 0;
}

int main(int argc, char **argv)
{
    only = argc > 1 ? argv[1] : NULL;

    int rc = sill_run(all, NULL);
    if (rc < 0)
        fprintf(stderr, "micro: %s\n", sill_strerror(rc));
    return rc < 0;
}
