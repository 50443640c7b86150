/* SPDX-License-Identifier: MIT */
/*
 * bench: measures sill against rivals on the same loop, in one go.
 *
 *     bench [--json FILE] [--commit ID] [--time S] [--rounds N] [--slice MS]
 *           [SECTION...]
 *
 * --help lists the sections; none given means all. ID is what json.h calls the
 * commit.
 *
 * What is compared is the server's own processor time for each request, kernel
 * included, read from its clock before and after a slice of load. All servers
 * of a table run at once on one processor, and the load, on another, turns to
 * one after the other in short slices: a machine whose speed drifts drifts for
 * all. They are started anew twice in between, since where a process happens to
 * lie in memory counts for some per cent. A figure is the lower quartile of its
 * slices; a ratio is the median of those in each round, with the bounds between
 * which it lies in 19 of 20 cases. The first server stands in each table twice:
 * by as much as its two figures differ, all others may be wrong.
 */
#include "figures.h"
#include "files.h"
#include "idle.h"
#include "json.h"
#include "load.h"
#include "machine.h"
#include "nginx.h"
#include "redis.h"
#include "rows.h"
#include "services.h"
#include "wrk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { TIME = 480 /* s */, DESCRIPTORS = 100000 };

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

static void clean_up(void)
{
    wrk_clean_up();
    nginx_clean_up();
    files_clean_up();
}

struct section {
    const char *name;
    void (*run)(void);
    int tables; /* that it makes, or takes as long as */
    bool wanted;
};

static struct section sections[] = {
    {"micro", run_micro, 3, false},   {"echo", run_echo, 2, false},
    {"growth", run_growth, 7, false}, {"busy", run_busy, 2, false},
    {"hello", run_hello, 2, false},   {"churn", run_churn, 2, false},
    {"files", run_files, 3, false},   {"guest", run_guest, 3, false},
    {"wrk", run_wrk, 2, false},       {"redis", run_redis, 2, false},
    {"idle", run_idle, 2, false},     {"sleepers", run_sleepers, 1, false},
    {"memory", run_memory, 2, false},
};

struct options {
    const char *json, *commit;
    char command[512]; /* that does the same again */
};

static int usage(FILE *to)
{
    fprintf(to,
            "usage: bench [--json FILE] [--time S] [--rounds N] [--slice MS]"
            " [SECTION...]\n"
            "\n"
            "Is done after about %d s, or S; at most N slices of MS ms, %d of "
            "%d, are\n"
            "measured for a row.\n"
            "\n"
            "sections, all unless some are named:",
            TIME, bench.rounds, (int)(bench.slice / 1000000));
    for (int i = 0; i < COUNT(sections); i++)
        fprintf(to, " %s", sections[i].name);
    fprintf(to, "\n");
    return to == stdout ? 0 : 2;
}

static void add_word(struct options *o, const char *word)
{
    size_t size = strlen(o->command);
    snprintf(o->command + size, sizeof o->command - size, " %s", word);
}

static int parse_section(struct options *o, const char *name)
{
    add_word(o, name);
    for (int i = 0; i < COUNT(sections); i++) {
        if (strcmp(sections[i].name, name) == 0) {
            sections[i].wanted = true;
            return 0;
        }
    }
    return -1;
}

static int parse_option(struct options *o, const char *name, const char *value)
{
    if (strcmp(name, "--commit") == 0) {
        o->commit = value;
        return 0;
    }
    add_word(o, name);
    if (strcmp(name, "--json") == 0) {
        o->json = value;
        add_word(o, "FILE");
        return 0;
    }
    add_word(o, value);
    if (strcmp(name, "--rounds") == 0)
        bench.rounds = (int)strtol(value, NULL, 10);
    else if (strcmp(name, "--time") == 0)
        bench.end = load_clock() + strtol(value, NULL, 10) * 1000000000;
    else if (strcmp(name, "--slice") == 0)
        bench.slice = strtol(value, NULL, 10) * 1000000;
    else
        return -1;
    return 0;
}

static int parse(struct options *o, int argc, char **argv)
{
    bool chosen = false;
    int rc = 0;

    for (int i = 1; i < argc && rc == 0; i++) {
        if (argv[i][0] != '-') {
            chosen = true;
            rc = parse_section(o, argv[i]);
        } else {
            rc = i + 1 < argc ? parse_option(o, argv[i], argv[i + 1]) : -1;
            i++;
        }
    }
    for (int i = 0; i < COUNT(sections); i++) {
        sections[i].wanted |= !chosen;
        bench.tables_left += sections[i].wanted ? sections[i].tables : 0;
    }
    if (bench.rounds < 1 || bench.rounds > ROUNDS_MAX || bench.slice < 1000000)
        rc = -1;
    return rc;
}

static void find_folder(void)
{
    ssize_t n =
        readlink("/proc/self/exe", bench.folder, sizeof bench.folder - 1);
    bench.folder[n < 0 ? 0 : n] = '\0';
    char *slash = strrchr(bench.folder, '/');
    if (slash)
        *slash = '\0';
}

/* Connections to all servers of a table are open at once. Only root may have
 * more than its hard limit. */
static void raise_descriptors(void)
{
    struct rlimit limit = {DESCRIPTORS, DESCRIPTORS};

    if (setrlimit(RLIMIT_NOFILE, &limit) == 0 ||
        getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static void print_conditions(void)
{
    struct machine m;

    machine_look(&m);
    printf("%s, %s, %s\n%s; congestion control of loopback: %s, the same for "
           "all\n",
           m.processor, m.system, m.compiler,
           bench.pinned
               ? "servers on processor 0, load on processor 1"
               : "one processor for servers and load: compare with care",
           m.congestion);
    printf("each figure: the quartiles of up to %d slices in turns\n",
           bench.rounds);
    fflush(stdout);
}

static int begin_json(const struct options *o)
{
    struct json_run run = {
        .command = o->command,
        .commit = o->commit,
        .rounds = bench.rounds,
        .slice_ms = (int)(bench.slice / 1000000),
        .processors_used = bench.pinned ? 2 : 1,
    };

    if (!o->json || json_begin(o->json, &run) == 0)
        return 0;
    perror(o->json);
    return -1;
}

static void run_wanted(void)
{
    for (int i = 0; i < COUNT(sections); i++) {
        if (sections[i].wanted)
            sections[i].run();
    }
}

int main(int argc, char **argv)
{
    struct options options = {.commit = "unknown", .command = "./sill bench"};

    if (argc > 1 && strcmp(argv[1], "--help") == 0)
        return usage(stdout);
    if (parse(&options, argc, argv) < 0)
        return usage(stderr);
    if (bench.end == 0)
        bench.end = load_clock() + TIME * INT64_C(1000000000);
    find_folder();
    raise_descriptors();
    child_prepare(clean_up);
    bench.pinned =
        sysconf(_SC_NPROCESSORS_ONLN) > 1 && child_pin_self(LOAD_CPU);
    if (begin_json(&options) < 0)
        return 1;
    print_conditions();
    run_wanted();
    if (json_end() < 0)
        bench.failed = true;
    return bench.failed;
}
