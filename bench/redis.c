/* SPDX-License-Identifier: MIT */
/*
 * redis-benchmark in turns.
 */
#include "redis.h"

#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TURNS = 9 };

/* ---- redis-server ---- */

/* Debian's redis-tools has the whole program, too: what it does goes by what it
 * is called. */
static const char *find_server(void)
{
    const char *path = find_file("redis-server", NULL);
    return path ? path : find_file("redis-check-rdb", NULL);
}

static bool is_present(void)
{
    return find_server() != NULL;
}

static int start(struct child *child, int cpu)
{
    char port[16], most[16];
    char *argv[] = {(char *)"redis-server",
                    (char *)"--port",
                    port,
                    (char *)"--bind",
                    (char *)"127.0.0.1",
                    (char *)"--save",
                    (char *)"",
                    (char *)"--appendonly",
                    (char *)"no",
                    (char *)"--logfile",
                    (char *)"/dev/null",
                    (char *)"--maxclients",
                    most,
                    NULL};
    int number = child_free_port();

    snprintf(port, sizeof port, "%d", number);
    snprintf(most, sizeof most, "%d", REDIS_CLIENTS_MAX);
    if (number < 0 || child_start_as(child, find_server(), argv, cpu) < 0)
        return -1;
    if (child_listens(number))
        return number;
    child_stop(child);
    return -1;
}

const struct service redis = {"redis-server", is_present, start, child_stop, 0};

/* Compared with it, and with itself: by as much as the last row differs from
 * the first, all others may be wrong. */
static const struct row redis_rows[] = {
    {.name = "redis-server", .service = &redis},
    {.name = "epoll by hand", .program = "bench-redis-epoll"},
    {.name = "kv native", .program = "kv-native", .flag = "--port"},
    {.name = "kv libuv", .program = "kv-libuv", .flag = "--port"},
    {.name = "kv libevent", .program = "kv-libevent", .flag = "--port"},
    {.name = "redis-server again", .service = &redis},
};

enum { ROWS = sizeof redis_rows / sizeof redis_rows[0] };

/* ---- redis-benchmark ---- */

/* Returns how many requests in a second a line such as
 * "SET","99800.40","0.253",... says, or 0. */
static double rate_of(const char *text, const char *test)
{
    const char *line = strstr(text, test);
    return line ? strtod(line + strlen(test), NULL) : 0;
}

static int run_benchmark(int port, int requests, int depth, char *text,
                         size_t size)
{
    char where[16], count[16], pipeline[16];
    char *argv[] = {(char *)"redis-benchmark",
                    (char *)"-p",
                    where,
                    (char *)"-t",
                    (char *)"get,set",
                    (char *)"-c",
                    (char *)"50",
                    (char *)"--csv",
                    (char *)"-n",
                    count,
                    (char *)"-P",
                    pipeline,
                    NULL};
    struct child benchmark;

    snprintf(where, sizeof where, "%d", port);
    snprintf(count, sizeof count, "%d", requests);
    snprintf(pipeline, sizeof pipeline, "%d", depth);
    if (child_start(&benchmark, argv, cpu_for(LOAD_CPU)) < 0)
        return -1;
    return child_output(&benchmark, text, size);
}

/* Half of (requests) set, half of them get. */
static void measure(struct row *r, int requests, int depth)
{
    char text[4096];
    int64_t cpu = child_cpu_ns(&r->child);
    int rc = run_benchmark(r->port, requests / 2, depth, text, sizeof text);

    cpu = child_cpu_ns(&r->child) - cpu;
    double set = rate_of(text, "\"SET\",\""), get = rate_of(text, "\"GET\",\"");
    if (rc < 0 || cpu <= 0 || set <= 0 || get <= 0) {
        fprintf(stderr, "bench: %s is out\n", r->name);
        r->is_up = false;
        bench.failed = true;
        return;
    }
    r->cpu[r->count] = (double)cpu / 1e3 / requests;
    r->rate[r->count++] = 2 / (1 / set + 1 / get);
}

/* All servers run at once and are started anew in each third of the turns. On a
 * busy machine there are fewer. */
static void table(const char *title, int requests, int depth)
{
    static struct row rows[ROWS];
    int turns = bench.rounds < TURNS ? bench.rounds : TURNS;
    int64_t end = share_of_time(1);

    memcpy(rows, redis_rows, sizeof redis_rows);
    for (int turn = 0; turn < turns && (turn == 0 || load_clock() < end);
         turn++) {
        progress(title, turn, turns);
        for (int i = 0; i < ROWS && turn % 3 == 0; i++) {
            row_stop(&rows[i]);
            row_start(&rows[i]);
        }
        for (int i = 0; i < ROWS; i++) {
            if (rows[i].is_up)
                measure(&rows[i], requests, depth);
        }
    }
    progress(title, turns, turns);
    rows_print("redis", title, 50, rows, ROWS);
    for (int i = 0; i < ROWS; i++)
        row_stop(&rows[i]);
}

void run_redis(void)
{
    if (!find_file("redis-benchmark", NULL)) {
        printf("\nredis-benchmark is not installed: no such table\n");
        return;
    }
    table("redis-benchmark, 50 clients, one at a time", 50000, 1);
    table("redis-benchmark, 50 clients, 16 pipelined", 500000, 16);
}
