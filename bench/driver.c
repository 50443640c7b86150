/* SPDX-License-Identifier: MIT */
/*
 * bench: measures sill against rivals on the same loop, in one go.
 *
 *     bench [--json FILE] [--rounds N] [--slice MS] [SECTION...]
 *
 * Sections are micro, echo, hello, guest, wrk, redis, idle, sleepers and
 * memory; none given means all.
 *
 * What is compared is the server's own processor time for each request, kernel
 * included, read from its clock before and after a slice of load. All servers
 * of a table run at once on one processor, and the load, on another, turns to
 * one after the other in short slices: a machine whose speed drifts drifts for
 * all. They are started anew twice in between, since where a process happens to
 * lie in memory counts for some per cent. A figure is the lower quartile of its
 * slices; a ratio is the median of those in each round, with the bounds between
 * which it lies in 19 of 20 cases. The first server stands in
 * each table twice: by as much as its two figures differ, all others may be
 * wrong.
 */
#include "idle.h"
#include "load.h"
#include "nginx.h"
#include "redis.h"
#include "rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { GENERATIONS = 3, WARM_BATCHES = 2, SLICE_BATCHES = 8 };

#define GENERATION_TIME INT64_C(12000000000) /* ns, at most */

static const char *const backends[] = {"native", "libuv", "libevent"};

enum { BACKENDS = sizeof backends / sizeof backends[0] };

static int64_t slice = 40000000;

/* Runs (name) on the servers' processor to its end; its output is in (text). */
static int run_to_end(const char *name, char *text, size_t size)
{
    char *argv[] = {(char *)program(name), NULL};
    struct child c;

    if (child_start(&c, argv, cpu_for(SERVER_CPU)) < 0)
        return -1;
    return child_output(&c, text, size);
}

/* ---- servers in turns ---- */

/* What went cold while others ran does not count: the first batches of a slice
 * are not timed, and enough follow to outweigh what is cold after them. */
static bool measure_row(struct row *r, int64_t ns)
{
    uint64_t warm = load_run(r->load, 0, WARM_BATCHES);
    int64_t wall = load_clock(), cpu = child_cpu_ns(&r->child);
    uint64_t requests = warm ? load_run(r->load, ns, SLICE_BATCHES) : 0;

    cpu = child_cpu_ns(&r->child) - cpu;
    wall = load_clock() - wall;
    if (requests == 0 || cpu <= 0) {
        fprintf(stderr, "bench: %s is out\n", r->name);
        r->is_up = false;
        bench.failed = true;
        return false;
    }
    r->cpu[r->count] = (double)cpu / (double)requests;
    r->rate[r->count] = (double)requests * 1e9 / (double)wall;
    return true;
}

static void open_row(struct row *r, const struct load_shape *shape)
{
    row_start(r);
    if (!r->is_up)
        return;
    r->load = load_open(r->port, shape);
    if (!r->load) {
        fprintf(stderr, "bench: %s does not serve\n", r->name);
        r->is_up = false;
        bench.failed = true;
    }
}

/* Each round begins with another row, so that none has a place of its own. On a
 * busy machine there are fewer rounds. */
static void measure_rows(struct row *rows, int count, int from, int to)
{
    int64_t end = load_clock() + GENERATION_TIME;

    for (int round = from; round < to && load_clock() < end; round++) {
        for (int i = 0; i < count; i++) {
            struct row *r = &rows[(round + i) % count];
            if (r->is_up && measure_row(r, slice))
                r->count++;
        }
    }
}

static void table(const char *section, const char *title,
                  const struct row *model, int count,
                  const struct load_shape *shape)
{
    static struct row rows[ROWS_MAX];

    memcpy(rows, model, (size_t)count * sizeof rows[0]);
    for (int g = 0; g < GENERATIONS; g++) {
        progress(title, g, GENERATIONS);
        for (int i = 0; i < count; i++)
            open_row(&rows[(g + i) % count], shape);
        measure_rows(rows, count, bench.rounds * g / GENERATIONS,
                     bench.rounds * (g + 1) / GENERATIONS);
        for (int i = 0; i < count; i++)
            row_stop(&rows[i]);
    }
    progress(title, GENERATIONS, GENERATIONS);
    rows_print(section, title, rows, count);
}

/* ---- sections ---- */

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

static const struct row echo_rows[] = {
    {.name = "epoll by hand", .program = "bench-echo-epoll", .rival = 0},
    {.name = "sill native", .program = "echo-native", .rival = 0},
    {.name = "libuv by hand", .program = "bench-echo-libuv", .rival = 2},
    {.name = "sill libuv", .program = "echo-libuv", .rival = 2},
    {.name = "libevent by hand", .program = "bench-echo-libevent", .rival = 4},
    {.name = "sill libevent", .program = "echo-libevent", .rival = 4},
    {.name = "epoll once more", .program = "bench-echo-epoll", .rival = 0},
};

static void run_echo(void)
{
    struct load_shape small = {LOAD_ECHO, 64, 1, 64, NULL};
    struct load_shape large = {LOAD_ECHO, 1000, 1, 1024, NULL};

    table("echo", "echo, 64 connections of 64 bytes", echo_rows,
          COUNT(echo_rows), &small);
    table("echo", "echo, 1 000 connections of 1 KiB", echo_rows,
          COUNT(echo_rows), &large);
}

static const struct row hello_rows[] = {
    {.name = "epoll by hand", .program = "bench-hello-epoll", .rival = 0},
    {.name = "sill native", .program = "hello-native", .rival = 0},
    {.name = "libuv by hand", .program = "bench-hello-libuv", .rival = 2},
    {.name = "sill libuv", .program = "hello-libuv", .rival = 2},
    {.name = "nginx", .service = &nginx, .rival = 4},
    {.name = "sill libevent", .program = "hello-libevent", .rival = 5},
    {.name = "epoll once more", .program = "bench-hello-epoll", .rival = 0},
};

static const struct load_shape single = {LOAD_HTTP, 64, 1, 0, "Hello, World!"};
static const struct load_shape piped = {LOAD_HTTP, 64, 16, 0, "Hello, World!"};

static void run_hello(void)
{
    table("hello", "HTTP hello, 64 connections, one at a time", hello_rows,
          COUNT(hello_rows), &single);
    table("hello", "HTTP hello, 64 connections, 16 pipelined", hello_rows,
          COUNT(hello_rows), &piped);
}

#define GUEST_ROW(row, backend, loop, rival_row)                               \
    {                                                                          \
        .name = row, .program = "bench-hello-guest-" backend, .option = loop,  \
        .rival = rival_row                                                     \
    }

/* One program on both loops, so each backend is its own rival. */
static const struct row guest_rows[] = {
    GUEST_ROW("native", "native", "own", 0),
    GUEST_ROW("native, guest", "native", NULL, 0),
    GUEST_ROW("native again", "native", "own", 0),
    GUEST_ROW("libuv", "libuv", "own", 3),
    GUEST_ROW("libuv, guest", "libuv", NULL, 3),
    GUEST_ROW("libuv again", "libuv", "own", 3),
    GUEST_ROW("libevent", "libevent", "own", 6),
    GUEST_ROW("libevent, guest", "libevent", NULL, 6),
    GUEST_ROW("libevent again", "libevent", "own", 6),
};

/* With one connection each request has a round of the host for itself. */
static void run_guest(void)
{
    struct load_shape sparse = {LOAD_HTTP, 1, 1, 0, "Hello, World!"};

    table("guest", "HTTP hello as a guest, 64 connections, one at a time",
          guest_rows, COUNT(guest_rows), &single);
    table("guest", "HTTP hello as a guest, 64 connections, 16 pipelined",
          guest_rows, COUNT(guest_rows), &piped);
    table("guest", "HTTP hello as a guest, 1 connection, one at a time",
          guest_rows, COUNT(guest_rows), &sparse);
}

/* Runs wrk for a second against (r). */
static void measure_wrk(struct row *r, const char *lua)
{
    char url[64], text[4096];
    char *argv[] = {(char *)"wrk",  (char *)"-t1", (char *)"-c64",
                    (char *)"-d1s", url,           NULL,
                    NULL,           NULL};
    struct child wrk;
    unsigned long requests = 0;

    if (lua) {
        argv[4] = (char *)"-s";
        argv[5] = (char *)lua;
        argv[6] = url;
    }
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", r->port);
    int64_t cpu = child_cpu_ns(&r->child);
    if (child_start(&wrk, argv, cpu_for(LOAD_CPU)) < 0 ||
        child_output(&wrk, text, sizeof text) < 0)
        return;
    cpu = child_cpu_ns(&r->child) - cpu;
    char *line = strstr(text, " requests in ");
    while (line && line > text && line[-1] >= '0' && line[-1] <= '9')
        line--;
    if (line)
        requests = strtoul(line, NULL, 10);
    if (requests == 0 || strstr(text, "Non-2xx") || strstr(text, "Socket err"))
        return;
    r->cpu[r->count] = (double)cpu / (double)requests;
    r->rate[r->count++] = (double)requests;
}

static char script[32]; /* where pipeline_script is, while wrk needs it */

static void clean_up(void)
{
    if (script[0])
        (void)unlink(script);
    script[0] = '\0';
    nginx_clean_up();
}

static const char pipeline_script[] =
    "local batch\n"
    "init = function(args)\n"
    "    local r = {}\n"
    "    for i = 1, 16 do r[i] = wrk.format() end\n"
    "    batch = table.concat(r)\n"
    "end\n"
    "request = function() return batch end\n";

static void wrk_table(const char *title, const char *lua)
{
    static struct row rows[ROWS_MAX];

    enum { WRK_ROUNDS = 3 };

    int count = COUNT(hello_rows);

    memcpy(rows, hello_rows, sizeof hello_rows);
    for (int i = 0; i < count; i++)
        row_start(&rows[i]);
    for (int round = 0; round < WRK_ROUNDS; round++) {
        progress(title, round, WRK_ROUNDS);
        for (int i = 0; i < count; i++) {
            struct row *r = &rows[(round + i) % count];
            if (r->is_up)
                measure_wrk(r, lua);
        }
    }
    progress(title, WRK_ROUNDS, WRK_ROUNDS);
    rows_print("wrk", title, rows, count);
    for (int i = 0; i < count; i++)
        row_stop(&rows[i]);
}

static void run_wrk(void)
{
    if (access("/usr/bin/wrk", X_OK) != 0) {
        printf("\nwrk is not installed: no second witness\n");
        return;
    }
    strcpy(script, "/tmp/sill-bench-XXXXXX");
    int fd = mkstemp(script);
    if (fd < 0 || write(fd, pipeline_script, sizeof pipeline_script - 1) < 0) {
        bench.failed = true;
        return;
    }
    close(fd);
    wrk_table("wrk, 64 connections, one at a time", NULL);
    wrk_table("wrk, 64 connections, 16 pipelined", script);
    clean_up();
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

static void print_figure(const char *section, const struct figure *f)
{
    char key[128];

    printf("  %-26s", f->title);
    for (int b = 0; b < BACKENDS; b++) {
        double low = quantile(f->values[b], f->counts[b], 0.25);
        double high = quantile(f->values[b], f->counts[b], 0.75);
        if (f->counts[b] == 0) {
            printf("  %15s", "-");
            continue;
        }
        char range[32];
        snprintf(range, sizeof range, "%.1f-%.1f", low, high);
        printf("  %15s", range);
        snprintf(key, sizeof key, "%s, %s", f->title, backends[b]);
        json_row(section, key, "figure", low, high, (struct ratio){0, 0, 0});
    }
    if (f->target > 0)
        printf("  < %g", f->target);
    printf("%s%s\n", f->note[0] ? "  " : "", f->note);
}

/* Runs bench-(section)-(backend) in turns and prints what they found. */
static void figures_table(const char *section, const char *title,
                          struct figure *figures, int count, int runs)
{
    char name[64], text[4096] = "";

    for (int run = 0; run < runs; run++) {
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
    printf("\n%-28s", title);
    for (int b = 0; b < BACKENDS; b++)
        printf("  %15s", backends[b]);
    printf("\n");
    for (int i = 0; i < count; i++)
        print_figure(section, &figures[i]);
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

static void run_micro(void)
{
    figures_table("micro", "primitives, in ns", micro_figures,
                  COUNT(micro_figures), 5);
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

static void run_sleepers(void)
{
    figures_table("sleepers", "100 000 sleepers within 1 s", sleepers_figures,
                  COUNT(sleepers_figures), 3);
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

static void run_memory(void)
{
    figures_table("memory", "1 000 to 1 000 000 tasks", memory_figures,
                  COUNT(memory_figures), 1);
}

/* ---- the whole ---- */

struct section {
    const char *name;
    void (*run)(void);
    bool wanted;
};

static struct section sections[] = {
    {"micro", run_micro, false},   {"echo", run_echo, false},
    {"hello", run_hello, false},   {"guest", run_guest, false},
    {"wrk", run_wrk, false},       {"redis", run_redis, false},
    {"idle", run_idle, false},     {"sleepers", run_sleepers, false},
    {"memory", run_memory, false},
};

static int usage(FILE *to)
{
    fprintf(to,
            "usage: bench [--json FILE] [--rounds N] [--slice MS] "
            "[micro|echo|hello|guest|wrk|redis|idle|sleepers|memory ...]\n");
    return to == stdout ? 0 : 2;
}

static int parse_section(const char *name)
{
    for (int i = 0; i < COUNT(sections); i++) {
        if (strcmp(sections[i].name, name) == 0) {
            sections[i].wanted = true;
            return 0;
        }
    }
    return -1;
}

static int parse(int argc, char **argv)
{
    bool chosen = false;

    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (argv[i][0] != '-') {
            chosen = true;
            if (parse_section(argv[i]) < 0)
                return -1;
            continue;
        }
        if (!value)
            return -1;
        if (strcmp(argv[i], "--json") == 0)
            bench.json = fopen(value, "w");
        else if (strcmp(argv[i], "--rounds") == 0)
            bench.rounds = (int)strtol(value, NULL, 10);
        else if (strcmp(argv[i], "--slice") == 0)
            slice = strtol(value, NULL, 10) * 1000000;
        else
            return -1;
        i++;
    }
    for (int i = 0; i < COUNT(sections) && !chosen; i++)
        sections[i].wanted = true;
    return bench.rounds < 1 || bench.rounds > ROUNDS_MAX || slice < 1000000 ? -1
                                                                            : 0;
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

/* Connections to all servers of a table are open at once. */
static void raise_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void print_conditions(void)
{
    char control[64] = "unknown\n";
    FILE *file = fopen("/proc/sys/net/ipv4/tcp_congestion_control", "r");

    if (file) {
        if (!fgets(control, sizeof control, file))
            control[0] = '\0';
        fclose(file);
    }
    control[strcspn(control, "\n")] = '\0';
    printf("%s; congestion control of loopback: %s, the same for all\n",
           bench.pinned
               ? "servers on processor 0, load on processor 1"
               : "one processor for servers and load: compare with care",
           control);
    printf("each figure: the lower quartile of up to %d slices in turns\n",
           bench.rounds);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--help") == 0)
        return usage(stdout);
    if (parse(argc, argv) < 0)
        return usage(stderr);
    find_folder();
    raise_descriptors();
    child_prepare(clean_up);
    bench.pinned =
        sysconf(_SC_NPROCESSORS_ONLN) > 1 && child_pin_self(LOAD_CPU);
    print_conditions();
    for (int i = 0; i < COUNT(sections); i++) {
        if (sections[i].wanted)
            sections[i].run();
    }
    json_end();
    return bench.failed;
}
