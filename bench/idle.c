/* SPDX-License-Identifier: MIT */
/*
 * idle.c: see idle.h. Counts what a server has more than before: resident
 * pages, and page tables.
 */
#include "idle.h"

#include "nginx.h"
#include "redis.h"
#include "rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CLIENTS = 10000, FIRST = 100, RUNS = 2 };

/* What a client says, and how the answer begins. */
struct greeting {
    const char *text, *answer;
};

static const struct greeting ping = {"*1\r\n$4\r\nPING\r\n", "+PONG\r\n"};
static const struct greeting get = {"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
                                    "HTTP/1.1 200 "};

/* Returns the number behind (key) in the file (name) about (pid), in bytes. */
static double memory_of(pid_t pid, const char *name, const char *key)
{
    char line[256];
    double value = 0;

    snprintf(line, sizeof line, "/proc/%d/%s", (int)pid, name);
    FILE *file = fopen(line, "r");
    while (file && fgets(line, sizeof line, file)) {
        if (strncmp(line, key, strlen(key)) == 0)
            value = 1024 * strtod(line + strlen(key), NULL);
    }
    if (file)
        fclose(file);
    return value;
}

static double memory(pid_t pid)
{
    return memory_of(pid, "smaps_rollup", "Rss:") +
           memory_of(pid, "status", "VmPTE:");
}

/* Returns whether (greeting) was answered; such an answer comes whole. */
static bool is_answered(int fd, const struct greeting *greeting)
{
    char answer[1024];
    size_t size = strlen(greeting->text), least = strlen(greeting->answer);

    return write(fd, greeting->text, size) == (ssize_t)size &&
           read(fd, answer, sizeof answer) >= (ssize_t)least &&
           memcmp(answer, greeting->answer, least) == 0;
}

static int greet(int port, const struct greeting *greeting)
{
    int fd = child_connect(port);

    if (fd >= 0 && is_answered(fd, greeting))
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Returns how many of (clients) were greeted. */
static int greet_all(int port, const struct greeting *greeting, int *clients,
                     int count)
{
    for (int i = 0; i < count; i++) {
        clients[i] = greet(port, greeting);
        if (clients[i] < 0)
            return i;
    }
    return count;
}

/* The first hundred pay for what is there only once. */
static double bytes_each(const struct row *r, const struct greeting *greeting)
{
    static int clients[CLIENTS];
    int count = greet_all(r->port, greeting, clients, FIRST);
    double before = memory(r->child.pid);

    if (count == FIRST)
        count += greet_all(r->port, greeting, clients + FIRST, CLIENTS - FIRST);
    double all = memory(r->child.pid) - before;
    for (int i = 0; i < count; i++)
        close(clients[i]);
    return count == CLIENTS ? all / (CLIENTS - FIRST) : 0;
}

static void print(const struct row *r, const double *bytes)
{
    struct json_row found = {
        .name = r->name, .count = RUNS, .value = spread_of(bytes, RUNS)};

    printf("  %-18s %6.0f-%.0f\n", r->name, found.value.low, found.value.high);
    json_row(&found);
}

static void measure(struct row *r, const struct greeting *greeting)
{
    double bytes[RUNS];

    for (int run = 0; run < RUNS; run++) {
        row_start(r);
        bytes[run] = r->is_up ? bytes_each(r, greeting) : 0;
        if (r->is_up && bytes[run] <= 0) {
            fprintf(stderr, "bench: %s does not serve that many\n", r->name);
            bench.failed = true;
        }
        row_stop(r);
    }
    if (bytes[0] > 0)
        print(r, bytes);
}

static void table(const char *section, const char *protocol,
                  const struct row *rows, size_t count,
                  const struct greeting *greeting)
{
    char title[64];

    (void)share_of_time(1);
    snprintf(title, sizeof title, "silent clients of %s", protocol);
    json_table(section, title, "bytes for a client", CLIENTS);
    printf("\nbytes for each of %d silent clients of %s, page tables "
           "included; < 6144\n",
           CLIENTS, protocol);
    for (size_t i = 0; i < count; i++) {
        struct row r = rows[i];
        measure(&r, greeting);
    }
    fflush(stdout);
}

void run_idle(void)
{
    static const struct row kv[] = {
        {.name = "redis-server", .service = &redis},
        {.name = "kv native", .program = "kv-native", .flag = "--port"},
        {.name = "kv libuv", .program = "kv-libuv", .flag = "--port"},
        {.name = "kv libevent", .program = "kv-libevent", .flag = "--port"},
    };
    static const struct row hello[] = {
        {.name = "nginx", .service = &nginx},
        {.name = "hello native", .program = "hello-native"},
        {.name = "hello libuv", .program = "hello-libuv"},
        {.name = "hello libevent", .program = "hello-libevent"},
    };

    table("idle", "RESP", kv, sizeof kv / sizeof kv[0], &ping);
    table("idle", "HTTP", hello, sizeof hello / sizeof hello[0], &get);
}
