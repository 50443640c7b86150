/* SPDX-License-Identifier: MIT */
/*
 * Programs that print what they found, in turns.
 */
#include "figures.h"

#include "load.h"
#include "rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

static const char *const backends[] = {"native", "libuv", "libevent"};

enum { BACKENDS = sizeof backends / sizeof backends[0] };

/* Runs (name) on the servers' processor to its end; its output is in (text). */
static int run_to_end(const char *name, char *text, size_t size)
{
    char *argv[] = {(char *)program(name), NULL};
    struct child c;

    if (child_start(&c, argv, cpu_for(SERVER_CPU)) < 0)
        return -1;
    return child_output(&c, text, size);
}

/* A figure of micro or memory on every backend. */
struct figure {
    const char *key, *title;
    double target; /* 0: none */
    const char *note;
    double values[BACKENDS][ROUNDS_MAX];
    int counts[BACKENDS];
};

static void take_figure(struct figure *figures, int count, int backend,
                        const char *line)
{
    const char *end = strchr(line, ' ');

    for (int i = 0; i < count && end; i++) {
        struct figure *f = &figures[i];
        size_t size = strlen(f->key);
        if (size == (size_t)(end - line) && memcmp(f->key, line, size) == 0)
            f->values[backend][f->counts[backend]++] = strtod(end, NULL);
    }
}

/* Lines of "name value". */
static void take_figures(struct figure *figures, int count, int backend,
                         const char *text)
{
    while (*text) {
        const char *end = strchr(text, '\n');
        take_figure(figures, count, backend, text);
        text = end ? end + 1 : "";
    }
}

static void print_figure(const struct figure *f)
{
    char name[128];

    printf("  %-26s", f->title);
    for (int b = 0; b < BACKENDS; b++) {
        char range[32] = "-";
        struct json_row found = {
            .name = name,
            .count = f->counts[b],
            .value = spread_of(f->values[b], f->counts[b]),
        };
        snprintf(name, sizeof name, "%s, %s", f->title + strspn(f->title, " "),
                 backends[b]);
        if (found.count > 0)
            snprintf(range, sizeof range, "%.1f-%.1f", found.value.low,
                     found.value.high);
        printf("  %15s", range);
        json_row(&found);
    }
    if (f->target > 0)
        printf("  < %g", f->target);
    printf("%s%s\n", f->note[0] ? "  " : "", f->note);
}

/* Runs bench-(section)-(backend) up to (runs) times in turns, for as long as so
 * many (tables) may take, and prints what they found. */
static void figures_table(const char *section, const char *title,
                          const char *unit, struct figure *figures, int count,
                          int tables, int runs)
{
    char name[64], text[4096] = "";

    int64_t end = share_of_time(tables);
    for (int run = 0; run < runs && (run == 0 || load_clock() < end); run++) {
        progress(title, run, runs);
        for (int b = 0; b < BACKENDS; b++) {
            snprintf(name, sizeof name, "bench-%s-%s", section, backends[b]);
            if (!is_built(name))
                continue;
            if (run_to_end(name, text, sizeof text) < 0) {
                fprintf(stderr, "bench: %s failed\n", name);
                bench.failed = true;
            }
            take_figures(figures, count, b, text);
        }
    }
    progress(title, runs, runs);
    json_table(section, title, unit, 0);
    printf("\n%-28s", title);
    for (int b = 0; b < BACKENDS; b++)
        printf("  %15s", backends[b]);
    printf("\n");
    for (int i = 0; i < count; i++)
        print_figure(&figures[i]);
    fflush(stdout);
}

static struct figure micro_figures[] = {
    {.key = "yield",
     .title = "yield, two tasks",
     .target = 12,
     .note = "libdill 19, Picos 28, Go 77"},
    {.key = "yield_alone", .title = "yield, alone", .note = ""},
    {.key = "yield_1000", .title = "yield, 1 000 tasks", .note = ""},
    {.key = "spawn_await",
     .title = "spawn and await",
     .target = 35,
     .note = "libdill 30-53, Picos 129-228, Go 363"},
    {.key = "round_trip",
     .title = "suspend/resume round trip",
     .target = 30,
     .note = "State Threads 46, Picos 205"},
    {.key = "round_trip_unlike", .title = "  between unlike tasks", .note = ""},
    {.key = "round_trip_deadline", .title = "  with a deadline", .note = ""},
    {.key = "sleep_dropped",
     .title = "new deadline, dropped",
     .target = 60,
     .note = "with a yield and a look at the clock"},
    {.key = "spawn_cancel",
     .title = "spawn, sleep and cancel",
     .note = "two looks at the clock"},
    {.key = "pair_echo", .title = "echo of a pair in memory", .note = ""},
};

void run_micro(void)
{
    figures_table("micro", "primitives, in ns", "ns", micro_figures,
                  COUNT(micro_figures), 3, 5);
}

static struct figure sleepers_figures[] = {
    {.key = "early", .title = "early", .note = "libdill: by 3 ms"},
    {.key = "late_p50_us", .title = "us late, half of them", .note = ""},
    {.key = "late_p99_us",
     .title = "us late, all but 1 %",
     .target = 1200,
     .note = "neco 170 000"},
    {.key = "cpu_ms",
     .title = "ms of CPU in all",
     .target = 400,
     .note = "Go 580, libdill 1 300"},
    {.key = "cancel_fresh",
     .title = "ns to cancel a new one",
     .target = 150,
     .note = ""},
    {.key = "cancel_cold", .title = "ns to cancel an old one", .note = ""},
};

void run_sleepers(void)
{
    figures_table("sleepers", "100 000 sleepers within 1 s", "as named",
                  sleepers_figures, COUNT(sleepers_figures), 1, 3);
}

static struct figure memory_figures[] = {
    {.key = "bytes_1000000",
     .title = "bytes each, all told",
     .target = 4608,
     .note = ""},
    {.key = "bytes_resident_1000000", .title = "resident pages", .note = ""},
    {.key = "bytes_page_tables_1000000",
     .title = "page tables and guards",
     .note = ""},
    {.key = "spawn_1000", .title = "ns to spawn, of 1 000", .note = "cold"},
    {.key = "spawn_10000", .title = "  of 10 000", .note = ""},
    {.key = "spawn_100000", .title = "  of 100 000", .note = ""},
    {.key = "spawn_1000000",
     .title = "  of 1 000 000",
     .target = 4000,
     .note = ""},
    {.key = "spawn_exponent", .title = "  exponent", .note = ""},
    {.key = "cancel_1000", .title = "ns to cancel, of 1 000", .note = ""},
    {.key = "cancel_1000000", .title = "  of 1 000 000", .note = ""},
    {.key = "cancel_exponent", .title = "  exponent", .note = ""},
    {.key = "sleep_1000", .title = "ns to sleep, of 1 000", .note = "cold"},
    {.key = "sleep_10000", .title = "  of 10 000", .note = ""},
    {.key = "sleep_100000", .title = "  of 100 000", .note = ""},
    {.key = "sleep_1000000", .title = "  of 1 000 000", .note = ""},
    {.key = "sleep_exponent", .title = "  exponent", .note = ""},
    {.key = "cancel_sleep_1000", .title = "ns to end, of 1 000", .note = ""},
    {.key = "cancel_sleep_1000000", .title = "  of 1 000 000", .note = ""},
    {.key = "cancel_sleep_exponent", .title = "  exponent", .note = ""},
};

void run_memory(void)
{
    figures_table("memory", "1 000 to 1 000 000 tasks", "as named",
                  memory_figures, COUNT(memory_figures), 2, 1);
}
