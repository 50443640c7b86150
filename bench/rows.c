/* SPDX-License-Identifier: MIT */
/*
 * See rows.h.
 */
#include "rows.h"

#include "load.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct bench bench = {.rounds = 48};

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

/* ---- output ---- */

static bool json_is_begun;

void json_row(const char *section, const char *name, const char *unit,
              double low, double high, struct ratio ratio)
{
    if (!bench.json)
        return;
    fprintf(bench.json,
            "%s\n  {\"section\": \"%s\", \"name\": \"%s\", \"unit\": \"%s\","
            " \"value\": %.3f, \"high\": %.3f",
            json_is_begun ? "," : "[", section, name, unit, low, high);
    if (ratio.value > 0)
        fprintf(bench.json,
                ", \"ratio\": %.4f, \"ratio_low\": %.4f,"
                " \"ratio_high\": %.4f",
                ratio.value, ratio.low, ratio.high);
    fprintf(bench.json, "}");
    json_is_begun = true;
}

void json_end(void)
{
    if (!bench.json)
        return;
    fprintf(bench.json, "%s\n]\n", json_is_begun ? "" : "[");
    fclose(bench.json);
}

void progress(const char *section, int done, int all)
{
    if (!isatty(STDERR_FILENO))
        return;
    if (done < all)
        fprintf(stderr, "\r%-24s %3d of %d ", section, done + 1, all);
    else
        fprintf(stderr, "\r%40s\r", "");
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

int cpu_for(int cpu)
{
    return bench.pinned ? cpu : CHILD_CPU_NONE;
}

/* ---- servers ---- */

static int start_service(struct row *r)
{
    if (r->service->is_present())
        return r->service->start(&r->child, cpu_for(SERVER_CPU));
    fprintf(stderr, "bench: %s is not installed: no such row\n",
            r->service->name);
    return -1;
}

static int start_program(struct row *r)
{
    char *argv[5] = {(char *)program(r->program)};
    int count = 1;

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

static void print_row(const char *section, const char *title,
                      const struct row *rows, const struct row *r,
                      const struct row *other)
{
    const struct row *rival = &rows[r->rival];
    double low = quantile(r->cpu, r->count, 0.25) / 1000;
    double high = quantile(r->cpu, r->count, 0.75) / 1000;
    struct ratio ratio = ratio_of(r, rival);
    char key[128];

    printf("  %-16s %6.3f-%6.3f %9.0f", r->name, low, high,
           quantile(r->rate, r->count, 0.5));
    print_ratio(ratio, rival->name);
    if (other)
        print_ratio(ratio_of(r, other), "");
    printf("\n");
    snprintf(key, sizeof key, "%s: %s", title, r->name);
    json_row(section, key, "us_cpu_per_request", low, high, ratio);
}

void rows_print(const char *section, const char *title, const struct row *rows,
                int count)
{
    const struct row *other = find_service(rows, count);

    printf("\n%s\n%-18s %13s %9s  %-38s%s%s\n", title, "  server", "us CPU/rq",
           "rq/s", "ratio to its rival", other ? "  to " : "",
           other ? other->service->name : "");
    for (int i = 0; i < count; i++) {
        if (rows[i].count > 0)
            print_row(section, title, rows, &rows[i], other);
        else
            printf("  %-16s not built, not installed or failed\n",
                   rows[i].name);
    }
    fflush(stdout);
}
