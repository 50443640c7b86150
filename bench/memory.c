/* SPDX-License-Identifier: MIT */
/*
 * What many tasks cost, as one line "name value" for each figure, from a
 * thousand to a million of them.
 *
 * Spawns them, lets each run until it waits, and asks the kernel what the
 * process has more than before: resident pages from smaps_rollup, page tables
 * from VmPTE, where guards stand as well. Then cancels and collects them. Some
 * wait without a deadline, others sleep, each to an instant of its own. Times
 * are processor time, on stacks that nobody has used.
 */
#include <sill/sill.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { STEPS = 4, ENOUGH = 100000, RUNS = 16 };

#define NEEDED (6 * 1024 * 1024L) /* KiB, for the last step */

static const long steps[STEPS] = {1000, 10000, 100000, 1000000};

struct costs {
    double begin, end;            /* ns of each task */
    double resident, page_tables; /* bytes of each */
};

struct crowd {
    sill_task_fn *fn;
    long tasks;
    struct costs costs;
};

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

static double resident(void)
{
    return 1024.0 * (double)kib_of("/proc/self/smaps_rollup", "Rss:");
}

static double page_tables(void)
{
    return 1024.0 * (double)kib_of("/proc/self/status", "VmPTE:");
}

static double processor_time(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int park(void *arg)
{
    struct sill_trigger never = SILL_TRIGGER_INIT;
    (void)arg;
    return sill_suspend(&never, SILL_NEVER);
}

/* To an instant of its own, in the second minute from now. */
static int doze(void *arg)
{
    static uint32_t random = 1;

    (void)arg;
    random = random * 1664525 + 1013904223;
    return sill_sleep(sill_after(SILL_MINUTE + 14 * (sill_duration)random));
}

static int spawn_all(struct sill_scope *scope, const struct crowd *crowd)
{
    int rc = 0;

    for (long i = 0; i < crowd->tasks && rc == 0; i++)
        rc = sill_scope_spawn(scope, crowd->fn, NULL);
    sill_yield();
    return rc;
}

static int measure(void *arg)
{
    struct crowd *crowd = arg;
    struct costs *costs = &crowd->costs;
    struct sill_scope scope;

    sill_scope_init(&scope, SILL_SCOPE_COLLECT);
    /* the first one pays for what is there only once */
    int rc = sill_scope_spawn(&scope, crowd->fn, NULL);
    sill_yield();

    double rss = resident(), pte = page_tables(), begin = processor_time();
    if (rc == 0)
        rc = spawn_all(&scope, crowd);
    costs->begin = (processor_time() - begin) / (double)crowd->tasks;
    costs->resident = (resident() - rss) / (double)crowd->tasks;
    costs->page_tables = (page_tables() - pte) / (double)crowd->tasks;

    begin = processor_time();
    sill_scope_cancel(&scope);
    sill_scope_drain(&scope, SILL_PAST, SILL_NEVER);
    costs->end = (processor_time() - begin) / (double)crowd->tasks;
    sill_scope_fini(&scope);
    return rc;
}

/* The fastest of some runs, since few tasks take little time. */
static int measure_often(struct crowd *crowd)
{
    struct costs best = {INFINITY, INFINITY, 0, 0};
    int runs = crowd->tasks < ENOUGH ? RUNS : 1;

    for (int i = 0; i < runs; i++) {
        int rc = sill_run(measure, crowd);
        if (rc < 0)
            return rc;
        best.begin = fmin(best.begin, crowd->costs.begin);
        best.end = fmin(best.end, crowd->costs.end);
    }
    crowd->costs.begin = best.begin;
    crowd->costs.end = best.end;
    return 0;
}

static void print(const char *name, long tasks, double value)
{
    printf("%s_%ld %.1f\n", name, tasks, value);
    fflush(stdout);
}

/* Of all, by their number: 1 where each of many costs as each of few. */
static double exponent(double few, double many)
{
    double times = (double)steps[STEPS - 1] / (double)steps[0];
    return log(times * many / few) / log(times);
}

static int grow(struct crowd crowds[], int count, sill_task_fn *fn,
                const char *begin, const char *end)
{
    for (int i = 0; i < count; i++) {
        crowds[i] = (struct crowd){.fn = fn, .tasks = steps[i]};
        int rc = measure_often(&crowds[i]);
        if (rc < 0)
            return rc;
        print(begin, steps[i], crowds[i].costs.begin);
        print(end, steps[i], crowds[i].costs.end);
    }
    if (count < STEPS)
        return 0;

    const struct costs *few = &crowds[0].costs,
                       *many = &crowds[STEPS - 1].costs;
    printf("%s_exponent %.2f\n", begin, exponent(few->begin, many->begin));
    printf("%s_exponent %.2f\n", end, exponent(few->end, many->end));
    return 0;
}

static void print_bytes(const struct crowd *crowd)
{
    double rss = crowd->costs.resident, pte = crowd->costs.page_tables;

    print("bytes", crowd->tasks, rss + pte);
    print("bytes_resident", crowd->tasks, rss);
    print("bytes_page_tables", crowd->tasks, pte);
}

int main(void)
{
    bool is_roomy = kib_of("/proc/meminfo", "MemAvailable:") > NEEDED;
    int count = is_roomy ? STEPS : STEPS - 1;
    struct crowd crowds[STEPS];
    int rc = grow(crowds, count, park, "spawn", "cancel");

    if (rc == 0) {
        print_bytes(&crowds[count - 1]);
        rc = grow(crowds, count, doze, "sleep", "cancel_sleep");
    }
    if (rc < 0)
        fprintf(stderr, "memory: %s\n", sill_strerror(rc));
    return rc < 0;
}
