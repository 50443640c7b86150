/* SPDX-License-Identifier: MIT */
/*
 * Slices of load, one server after the other.
 */
#include "turns.h"

#include "load.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

enum { GENERATIONS = 3, MANY = 10000 };

/* What went cold while others ran does not count: the first batches of a slice
 * are not timed, and enough follow to outweigh what is cold after them. Where
 * there are many connections, most of them are cold in any case. */
static bool measure_row(struct row *r, const struct load_shape *shape)
{
    bool many = shape->connections >= MANY;
    uint64_t warm = load_run(r->load, 0, many ? 1 : 2);
    int64_t wall = load_clock(), cpu = child_cpu_ns(&r->child);
    uint64_t requests = warm ? load_run(r->load, bench.slice, many ? 1 : 8) : 0;

    cpu = child_cpu_ns(&r->child) - cpu;
    wall = load_clock() - wall;
    if (requests == 0 || cpu <= 0) {
        fprintf(stderr, "bench: %s is out\n", r->name);
        r->is_up = false;
        bench.failed = true;
        return false;
    }
    r->cpu[r->count] = (double)cpu / 1e3 / (double)requests;
    r->rate[r->count] = (double)requests * 1e9 / (double)wall;
    return true;
}

static void open_load(struct row *r, const struct load_shape *shape)
{
    struct load_shape own = *shape;

    own.idle = r->idle;
    r->load = load_open(r->port, &own);
    if (r->load && r->service && r->service->warm)
        load_run(r->load, r->service->warm, 1);
    if (r->load)
        return;
    fprintf(stderr, "bench: %s does not serve\n", r->name);
    r->is_up = false;
    bench.failed = true;
}

/* Connections to all servers of a table are open at once, if as many may be;
 * otherwise only those to the server whose turn it is. */
static bool may_all_be_open(const struct row *rows, int count,
                            const struct load_shape *shape)
{
    struct rlimit limit = {0, 0};
    rlim_t needed = 100;

    for (int i = 0; i < count; i++)
        needed += (rlim_t)(shape->connections + rows[i].idle);
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= needed;
}

static void take_turn(struct row *r, const struct load_shape *shape,
                      bool stays_open)
{
    if (r->is_up && !r->load)
        open_load(r, shape);
    if (r->is_up && measure_row(r, shape))
        r->count++;
    if (stays_open)
        return;
    load_close(r->load);
    r->load = NULL;
}

/* Each round begins with another row, so that none has a place of its own. On a
 * busy machine there are fewer rounds, but one. */
static void measure_rows(struct row *rows, int count, int from, int to,
                         int64_t end, const struct load_shape *shape)
{
    bool all = may_all_be_open(rows, count, shape);

    for (int i = 0; i < count && all; i++) {
        struct row *r = &rows[(from + i) % count];
        if (r->is_up)
            open_load(r, shape);
    }
    for (int round = from; round < to; round++) {
        for (int i = 0; i < count; i++)
            take_turn(&rows[(round + i) % count], shape, all);
        if (load_clock() >= end)
            break;
    }
}

static void run_generation(struct row *rows, int count, int number, int64_t end,
                           const struct load_shape *shape)
{
    for (int i = 0; i < count; i++)
        row_start(&rows[(number + i) % count]);
    measure_rows(rows, count, bench.rounds * number / GENERATIONS,
                 bench.rounds * (number + 1) / GENERATIONS, end, shape);
    for (int i = 0; i < count; i++)
        row_stop(&rows[i]);
}

const struct row *turns_run(const char *section, const char *title,
                            const struct row *model, int count,
                            const struct load_shape *shape, int tables)
{
    static struct row rows[ROWS_MAX];

    int64_t begin = load_clock();
    int64_t time = share_of_time(tables) - begin;

    memcpy(rows, model, (size_t)count * sizeof rows[0]);
    for (int g = 0; g < GENERATIONS; g++) {
        progress(title, g, GENERATIONS);
        run_generation(rows, count, g, begin + time * (g + 1) / GENERATIONS,
                       shape);
    }
    progress(title, GENERATIONS, GENERATIONS);
    rows_print(section, title, shape->connections, rows, count);
    return rows;
}
