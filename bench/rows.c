/* SPDX-License-Identifier: MIT */
/*
 * See rows.h.
 */
#include "rows.h"

#include "load.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct bench bench = {.rounds = 48, .slice = 40000000};

/* ---- figures ---- */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double quantile(const double *values, int count, double part)
{
    double sorted[ROUNDS_MAX];

    if (count == 0)
        return 0;
    memcpy(sorted, values, (size_t)count * sizeof sorted[0]);
    qsort(sorted, (size_t)count, sizeof sorted[0], by_value);
    double at = part * (count - 1);
    int low = (int)at;
    int high = low + 1 < count ? low + 1 : low;
    return sorted[low] + (at - low) * (sorted[high] - sorted[low]);
}

struct spread spread_of(const double *values, int count)
{
    return (struct spread){
        .low = quantile(values, count, 0.25),
        .median = quantile(values, count, 0.5),
        .high = quantile(values, count, 0.75),
    };
}

/* ---- output ---- */

void progress(const char *section, int done, int all)
{
    if (!isatty(STDERR_FILENO))
        return;
    if (done < all)
        fprintf(stderr, "\r%-24s %3d of %d ", section, done + 1, all);
    else
        fprintf(stderr, "\r%40s\r", "");
}

/* ---- time ---- */

int64_t share_of_time(int tables)
{
    int64_t now = load_clock();
    int64_t left = bench.end > now ? bench.end - now : 0;
    int all = bench.tables_left > tables ? bench.tables_left : tables;

    bench.tables_left -= tables;
    return now + left / all * tables;
}

/* ---- programs ---- */

const char *program(const char *name)
{
    static char path[sizeof bench.folder + 64];
    snprintf(path, sizeof path, "%s/%s", bench.folder, name);
    return path;
}

bool is_built(const char *name)
{
    return access(program(name), X_OK) == 0;
}

static const char *find_among(const char *folders, const char *name)
{
    static char path[4096];

    while (folders && *folders) {
        int size = (int)strcspn(folders, ":");
        snprintf(path, sizeof path, "%.*s/%s", size, folders, name);
        if (access(path, X_OK) == 0)
            return path;
        folders += size + (folders[size] == ':');
    }
    return NULL;
}

const char *find_file(const char *name, const char *more)
{
    const char *path = find_among(getenv("PATH"), name);
    return path ? path : find_among(more, name);
}

int cpu_for(int cpu)
{
    return bench.pinned ? cpu : CHILD_CPU_NONE;
}

/* ---- servers ---- */

static int start_service(struct row *r)
{
    static const struct service *missed;

    if (r->service->is_present())
        return r->service->start(&r->child, cpu_for(SERVER_CPU));
    if (missed != r->service)
        fprintf(stderr, "bench: %s is not installed: no such row\n",
                r->service->name);
    missed = r->service;
    return -1;
}

static int start_program(struct row *r)
{
    char *argv[7] = {(char *)program(r->program)};
    int count = 1;

    if (r->root) {
        argv[count++] = (char *)"--root";
        argv[count++] = (char *)r->root;
    }
    if (r->flag)
        argv[count++] = (char *)r->flag;
    argv[count++] = (char *)"0";
    argv[count] = (char *)r->option;
    if (!is_built(r->program) ||
        child_start(&r->child, argv, cpu_for(SERVER_CPU)) < 0)
        return -1;
    return child_port(&r->child);
}

void row_start(struct row *r)
{
    r->port = r->service ? start_service(r) : start_program(r);
    r->is_up = r->port > 0;
}

void row_stop(struct row *r)
{
    load_close(r->load);
    r->load = NULL;
    if (r->service)
        r->service->stop(&r->child);
    else
        child_stop(&r->child);
    r->is_up = false;
}

/* ---- tables ---- */

/* The median of (r) over (rival) in each round; by order statistics the two
 * values that lie about a root of the count to its left and right bound it. */
static struct ratio ratio_of(const struct row *r, const struct row *rival)
{
    struct ratio ratio = {0, 0, 0};
    double each[ROUNDS_MAX];
    int count = r->count < rival->count ? r->count : rival->count;

    if (r == rival || count == 0)
        return ratio;
    for (int i = 0; i < count; i++)
        each[i] = r->cpu[i] / rival->cpu[i];
    double away = 0.98 / sqrt(count);
    ratio.value = quantile(each, count, 0.5);
    ratio.low = quantile(each, count, fmax(0, 0.5 - away));
    ratio.high = quantile(each, count, fmin(1, 0.5 + away));
    return ratio;
}

static void print_ratio(struct ratio ratio, const char *rival)
{
    if (ratio.value > 0)
        printf("  %5.3f (%5.3f-%5.3f) %-17s", ratio.value, ratio.low,
               ratio.high, rival);
    else
        printf("  %38s", "");
}

/* All are compared with a server of others as well, unless it is the first. */
static const struct row *find_service(const struct row *rows, int count)
{
    for (int i = 1; i < count; i++) {
        if (rows[i].service && rows[i].service != rows[0].service &&
            rows[i].count > 0)
            return &rows[i];
    }
    return NULL;
}

static void print_row(const struct row *rows, const struct row *r,
                      const struct row *other)
{
    const struct row *rival = &rows[r->rival];
    struct json_row found = {
        .name = r->name,
        .count = r->count,
        .value = spread_of(r->cpu, r->count),
        .rate = spread_of(r->rate, r->count),
        .rival = rival->name,
        .ratio = ratio_of(r, rival),
    };

    printf("  %-26s %8.3f-%8.3f %9.0f", r->name, found.value.low,
           found.value.high, found.rate.median);
    print_ratio(found.ratio, rival->name);
    if (other)
        print_ratio(ratio_of(r, other), "");
    printf("\n");
    json_row(&found);
}

static void print_absent(const struct row *r)
{
    printf("  %-26s not built, not installed or failed\n", r->name);
    json_row(&(struct json_row){.name = r->name});
}

void rows_print(const char *section, const char *title, int connections,
                const struct row *rows, int count)
{
    const struct row *other = find_service(rows, count);

    json_table(section, title, "us of processor time for a request",
               connections);
    printf("\n%s\n%-28s %17s %9s  %-38s%s%s\n", title, "  server", "us CPU/rq",
           "rq/s", "ratio to its rival", other ? "  to " : "",
           other ? other->service->name : "");
    for (int i = 0; i < count; i++) {
        if (rows[i].count > 0)
            print_row(rows, &rows[i], other);
        else
            print_absent(&rows[i]);
    }
    fflush(stdout);
}
