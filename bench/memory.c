/* SPDX-License-Identifier: MIT */
/*
 * What a parked task occupies: one line "name value" for each figure.
 *
 * Spawns many tasks, lets each run until it waits, and asks the kernel what
 * the process has more than before: resident pages from smaps_rollup, page
 * tables from VmPTE, where guards stand as well.
 */
#include <sill/sill.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static long tasks = 100000;

/* Returns the number behind (key) in (path), in kB. */
static long kib_of(const char *path, const char *key)
{
    char line[256];
    long value = -1;
    FILE *file = fopen(path, "r");

    while (file && value < 0 && fgets(line, sizeof line, file)) {
        if (strncmp(line, key, strlen(key)) == 0)
            value = strtol(line + strlen(key), NULL, 10);
    }
    if (file)
        fclose(file);
    return value;
}

static long resident(void)
{
    return 1024 * kib_of("/proc/self/smaps_rollup", "Rss:");
}

static long page_tables(void)
{
    return 1024 * kib_of("/proc/self/status", "VmPTE:");
}

static int park(void *arg)
{
    struct sill_trigger never = SILL_TRIGGER_INIT;
    (void)arg;
    return sill_suspend(&never, SILL_NEVER);
}

static void print(const char *name, double value)
{
    printf("%s %.1f\n", name, value / (double)tasks);
}

static int all(void *arg)
{
    struct sill_scope scope;
    int rc = 0;

    (void)arg;
    sill_scope_init(&scope, SILL_SCOPE_COLLECT);
    /* the first one pays for what is there only once */
    rc = sill_scope_spawn(&scope, park, NULL);
    sill_yield();

    long rss = resident(), pte = page_tables();
    sill_time begin = sill_now();
    for (long i = 0; i < tasks && rc == 0; i++)
        rc = sill_scope_spawn(&scope, park, NULL);
    sill_yield();
    sill_time parked = sill_now();
    rss = resident() - rss;
    pte = page_tables() - pte;

    sill_time cancel = sill_now();
    sill_scope_cancel(&scope);
    sill_scope_drain(&scope, SILL_PAST, SILL_NEVER);
    sill_time end = sill_now();
    sill_scope_fini(&scope);
    if (rc < 0)
        return rc;

    print("bytes", (double)(rss + pte));
    print("bytes_resident", (double)rss);
    print("bytes_page_tables", (double)pte);
    print("spawn_and_park_ns", (double)(parked - begin));
    print("cancel_and_collect_ns", (double)(end - cancel));
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 1)
        tasks = strtol(argv[1], NULL, 10);
    int rc = sill_run(all, NULL);
    if (rc < 0)
        fprintf(stderr, "memory: %s\n", sill_strerror(rc));
    return rc < 0;
}
