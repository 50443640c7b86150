/* SPDX-License-Identifier: MIT */
/*
 * The tables of servers under a load of ours.
 */
#include "services.h"

#include "files.h"
#include "nginx.h"
#include "node.h"
#include "turns.h"

#include <math.h>
#include <stdio.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

static const struct row echo_rows[] = {
    {.name = "epoll by hand", .program = "bench-echo-epoll", .rival = 0},
    {.name = "io_uring by hand", .program = "bench-echo-uring", .rival = 0},
    {.name = "sill native", .program = "echo-native", .rival = 0},
    {.name = "  without batches",
     .program = "bench-echo-single-native",
     .rival = 0},
    {.name = "libuv by hand", .program = "bench-echo-libuv", .rival = 4},
    {.name = "sill libuv", .program = "echo-libuv", .rival = 4},
    {.name = "libevent by hand", .program = "bench-echo-libevent", .rival = 6},
    {.name = "sill libevent", .program = "echo-libevent", .rival = 6},
    {.name = "epoll once more", .program = "bench-echo-epoll", .rival = 0},
};

static void run_table(const char *section, const char *title,
                      const struct row *rows, int count,
                      struct load_shape shape)
{
    turns_run(section, title, rows, count, &shape, 1);
}

#define TABLE(section, title, rows, ...)                                       \
    run_table(section, title, rows, COUNT(rows),                               \
              (struct load_shape){__VA_ARGS__})

/* ---- echo ---- */

void run_echo(void)
{
    TABLE("echo", "echo, 64 connections of 64 bytes", echo_rows,
          .kind = LOAD_ECHO, .connections = 64, .depth = 1, .size = 64);
    TABLE("echo", "echo, 1 000 connections of 1 KiB", echo_rows,
          .kind = LOAD_ECHO, .connections = 1000, .depth = 1, .size = 1024);
}

static const struct size {
    int connections;
    int tables; /* as long as these it may take */
    const char *title;
} sizes[] = {
    {1, 1, "echo, 1 connection of 64 bytes"},
    {10, 1, "echo, 10 connections of 64 bytes"},
    {100, 1, "echo, 100 connections of 64 bytes"},
    {1000, 1, "echo, 1 000 connections of 64 bytes"},
    {10000, 3, "echo, 10 000 connections of 64 bytes"},
};

enum { SIZES = COUNT(sizes), FIRST_SIZE = 1 };

/* The slope of the line through the logarithms: 0 where a request costs the
 * same among any number of connections, 1 where it costs as many times more.
 * One connection is left out: it has a wake-up for each request. */
static double exponent_of(const double *us)
{
    double n = 0, x = 0, y = 0, xx = 0, xy = 0;

    for (int i = FIRST_SIZE; i < SIZES; i++) {
        double a = log(sizes[i].connections), b = log(us[i]);
        if (us[i] <= 0)
            continue;
        n++;
        x += a;
        y += b;
        xx += a * a;
        xy += a * b;
    }
    return n < 2 ? 0 : (n * xy - x * y) / (n * xx - x * x);
}

static void print_exponents(double us[][SIZES])
{
    static const char title[] =
        "exponent of the cost of an echo, 10 to 10 000 connections";

    json_table("growth", title, "exponent", 0);
    printf("\n%s\n", title);
    for (int i = 0; i < COUNT(echo_rows); i++) {
        double e = exponent_of(us[i]);
        struct json_row found = {.name = echo_rows[i].name,
                                 .count = us[i][SIZES - 1] > 0,
                                 .value = {e, e, e}};
        json_row(&found);
        if (found.count)
            printf("  %-26s %6.3f\n", found.name, e);
    }
    fflush(stdout);
}

void run_growth(void)
{
    double us[COUNT(echo_rows)][SIZES];

    for (int i = 0; i < SIZES; i++) {
        struct load_shape shape = {.kind = LOAD_ECHO,
                                   .connections = sizes[i].connections,
                                   .depth = 1,
                                   .size = 64};
        const struct row *rows =
            turns_run("growth", sizes[i].title, echo_rows, COUNT(echo_rows),
                      &shape, sizes[i].tables);
        for (int k = 0; k < COUNT(echo_rows); k++)
            us[k][i] = quantile(rows[k].cpu, rows[k].count, 0.25);
    }
    print_exponents(us);
}

#define BUSY_ROWS(row, rows_program, at)                                       \
    {.name = row, .program = rows_program, .rival = at},                       \
    {                                                                          \
        .name = row ", 10 000 idle", .program = rows_program, .idle = 10000,   \
        .rival = at                                                            \
    }

/* Each is compared with itself, alone. */
static const struct row busy_rows[] = {
    BUSY_ROWS("epoll by hand", "bench-echo-epoll", 0),
    BUSY_ROWS("sill native", "echo-native", 2),
    BUSY_ROWS("sill libuv", "echo-libuv", 4),
    BUSY_ROWS("sill libevent", "echo-libevent", 6),
    {.name = "epoll once more", .program = "bench-echo-epoll", .rival = 0},
};

void run_busy(void)
{
    struct load_shape shape = {
        .kind = LOAD_ECHO, .connections = 10, .depth = 1, .size = 64};

    turns_run("busy", "echo, 10 busy connections, alone and among idle ones",
              busy_rows, COUNT(busy_rows), &shape, 2);
}

/* ---- HTTP ---- */

const struct row hello_rows[] = {
    {.name = "epoll by hand", .program = "bench-hello-epoll", .rival = 0},
    {.name = "sill native", .program = "hello-native", .rival = 0},
    {.name = "libuv by hand", .program = "bench-hello-libuv", .rival = 2},
    {.name = "sill libuv", .program = "hello-libuv", .rival = 2},
    {.name = "libevent by hand", .program = "bench-hello-libevent", .rival = 4},
    {.name = "sill libevent", .program = "hello-libevent", .rival = 4},
    {.name = "nginx", .service = &nginx, .rival = 6},
    {.name = "node", .service = &node, .rival = 7},
    {.name = "epoll once more", .program = "bench-hello-epoll", .rival = 0},
};

const int hello_count = COUNT(hello_rows);

#define HELLO .kind = LOAD_HTTP, .size = 13, .body = "Hello, World!"

void run_hello(void)
{
    TABLE("hello", "HTTP hello, 64 connections, one at a time", hello_rows,
          HELLO, .connections = 64, .depth = 1);
    TABLE("hello", "HTTP hello, 64 connections, 16 pipelined", hello_rows,
          HELLO, .connections = 64, .depth = 16);
}

void run_churn(void)
{
    TABLE("churn", "echo, connect, 64 bytes and close, 64 at once", echo_rows,
          .kind = LOAD_ECHO, .connections = 64, .depth = 1, .size = 64,
          .is_churned = true);
    TABLE("churn", "HTTP hello, connect, one request and close, 64 at once",
          hello_rows, HELLO, .connections = 64, .depth = 1, .is_churned = true);
}

static const struct row file_rows[] = {
    {.name = "nginx", .service = &nginx_files, .rival = 0},
    {.name = "httpd native",
     .program = "httpd-native",
     .flag = "--port",
     .root = files_folder,
     .rival = 0},
    {.name = "httpd libuv",
     .program = "httpd-libuv",
     .flag = "--port",
     .root = files_folder,
     .rival = 0},
    {.name = "httpd libevent",
     .program = "httpd-libevent",
     .flag = "--port",
     .root = files_folder,
     .rival = 0},
    {.name = "httpd native again",
     .program = "httpd-native",
     .flag = "--port",
     .root = files_folder,
     .rival = 0},
};

void run_files(void)
{
    const char *body = files_make();

    if (!body) {
        fprintf(stderr, "bench: cannot write files\n");
        bench.failed = true;
        return;
    }
    TABLE("files", "a file of 1 KiB, 64 connections", file_rows,
          .kind = LOAD_HTTP, .connections = 64, .depth = 1, .path = "/1k",
          .size = files[0].size, .body = body);
    TABLE("files", "a file of 100 KiB, 64 connections", file_rows,
          .kind = LOAD_HTTP, .connections = 64, .depth = 1, .path = "/100k",
          .size = files[1].size, .body = body);
    TABLE("files", "a file of 10 MiB, 4 connections", file_rows,
          .kind = LOAD_HTTP, .connections = 4, .depth = 1, .path = "/10m",
          .size = files[2].size, .body = body);
    files_clean_up();
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
void run_guest(void)
{
    TABLE("guest", "HTTP hello as a guest, 64 connections, one at a time",
          guest_rows, HELLO, .connections = 64, .depth = 1);
    TABLE("guest", "HTTP hello as a guest, 64 connections, 16 pipelined",
          guest_rows, HELLO, .connections = 64, .depth = 16);
    TABLE("guest", "HTTP hello as a guest, 1 connection, one at a time",
          guest_rows, HELLO, .connections = 1, .depth = 1);
}
