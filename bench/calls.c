/* SPDX-License-Identifier: MIT */
/*
 * calls echo|hello OURS RIVAL: the system calls for each request of two
 * servers, with 1 connection and with 64 that ask in turn. Fails when OURS
 * makes more.
 *
 * One request is under way at a time, and strace shows which one was read, so
 * the figures are exact, whatever else the machine does.
 */
#include "child.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REQUESTS = 640, MOST = 64, NAMES = 32, SKIPPED = 77 };

struct service {
    const char *name;
    const char *request; /* with a word in it, which strace shows */
    const char *end;     /* of an answer */
};

static const struct service services[] = {
    {"echo", "%s.\n", ".\n"},
    {"hello", "GET /%s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "Hello, World!"},
};

struct tally {
    int sum, kinds;

    struct {
        char name[32];
        int calls;
    } kind[NAMES];
};

static char trace[] = "/tmp/sill-calls-XXXXXX";

static void die(const char *what)
{
    fprintf(stderr, "calls: %s\n", what);
    exit(1);
}

static void remove_trace(void)
{
    unlink(trace);
}

/* ---- the load ---- */

static void await_answer(int fd, const struct service *service)
{
    char answer[4096];
    size_t have = 0, end = strlen(service->end);

    while (have < end || memcmp(answer + have - end, service->end, end) != 0) {
        ssize_t n = recv(fd, answer + have, sizeof answer - have, 0);
        if (n <= 0)
            die("no answer");
        have += (size_t)n;
    }
}

static void ask(int fd, const struct service *service, const char *word)
{
    char request[128];
    int size = snprintf(request, sizeof request, service->request, word);

    if (send(fd, request, (size_t)size, MSG_NOSIGNAL) != size)
        die("cannot send");
    await_answer(fd, service);
}

static void load(int port, const struct service *service, int connections)
{
    int fds[MOST];

    for (int i = 0; i < connections; i++) {
        fds[i] = child_connect(port);
        if (fds[i] < 0)
            die("cannot connect");
        ask(fds[i], service, "before");
    }
    for (int i = 0; i < REQUESTS; i++)
        ask(fds[i % connections], service, "counted");
    ask(fds[0], service, "after");
    for (int i = 0; i < connections; i++)
        close(fds[i]);
}

/* ---- what strace saw ---- */

static void add(struct tally *tally, const char *name)
{
    int i = 0;

    while (i < tally->kinds && strcmp(tally->kind[i].name, name) != 0)
        i++;
    if (i == NAMES)
        die("too many kinds of calls");
    if (i == tally->kinds)
        snprintf(tally->kind[tally->kinds++].name, sizeof tally->kind[0].name,
                 "%s", name);
    tally->kind[i].calls++;
    tally->sum++;
}

/* From the first request that counts to the first one after those. */
static void read_trace(struct tally *tally)
{
    char line[1024], name[32];
    FILE *file = fopen(trace, "r");
    bool counts = false;

    memset(tally, 0, sizeof *tally);
    if (!file)
        die("no trace");
    while (fgets(line, sizeof line, file) && !strstr(line, "after")) {
        counts = counts || strstr(line, "counted");
        if (counts && sscanf(line, "%*d %31[a-z0-9_](", name) == 1)
            add(tally, name);
    }
    fclose(file);
}

static void measure(struct tally *tally, const char *server,
                    const struct service *service, int connections)
{
    /* -I2, or it would not end when it is asked to */
    char *argv[] = {"strace", "-f",           "-I2", "-o",
                    trace,    (char *)server, "0",   NULL};
    struct child child;

    if (child_start(&child, argv, CHILD_CPU_NONE) < 0)
        die("cannot start strace");
    int port = child_port(&child);
    if (port < 0)
        die("the server does not listen");
    load(port, service, connections);
    child_stop(&child);
    read_trace(tally);
}

static void print(const char *server, const struct tally *tally)
{
    const char *base = strrchr(server, '/');

    printf("  %-20s %.2f:", base ? base + 1 : server,
           (double)tally->sum / REQUESTS);
    for (int i = 0; i < tally->kinds; i++)
        printf(" %s %.2f", tally->kind[i].name,
               (double)tally->kind[i].calls / REQUESTS);
    printf("\n");
}

/* Returns whether ours makes no more calls than the rival. */
static bool compare(const struct service *service, int connections,
                    char *const servers[2])
{
    struct tally tally[2];

    printf("%s, connections: %d\n", service->name, connections);
    for (int i = 0; i < 2; i++) {
        measure(&tally[i], servers[i], service, connections);
        print(servers[i], &tally[i]);
        if (tally[i].sum < REQUESTS)
            die("that cannot be");
    }
    fflush(stdout);
    return tally[0].sum <= tally[1].sum;
}

static void prepare(void)
{
    int fd = mkstemp(trace);

    if (fd < 0)
        die("no temporary file");
    close(fd);
    child_prepare(remove_trace);
    if (system("strace -f -I2 -o /dev/null true 2>/dev/null") != 0) {
        puts("skipped: strace is missing, or may not trace here");
        exit(SKIPPED);
    }
}

int main(int argc, char **argv)
{
    const struct service *service = services;

    if (argc != 4)
        die("usage: calls echo|hello OURS RIVAL");
    if (strcmp(argv[1], "hello") == 0)
        service++;
    prepare();
    bool good = compare(service, 1, argv + 2);
    good = compare(service, MOST, argv + 2) && good;
    if (!good)
        puts("more calls than the rival");
    return !good;
}
