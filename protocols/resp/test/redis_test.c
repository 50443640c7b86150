/* SPDX-License-Identifier: MIT */
/*
 * redis_test.c: the client with redis-server as its peer, which is started and
 * killed on the way. Exits with 77 where there is none.
 */
#include "sill_resp.h"

#include <sill/sill.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TASKS = 50, ROUNDS = 100, LARGE = 5000000 };

static char folder[] = "/tmp/sill-redis-XXXXXX";
static pid_t server;
static int failures;

#define CHECK(truth) check(truth, #truth, __LINE__)

static void check(bool truth, const char *what, int line)
{
    if (truth)
        return;
    fprintf(stderr, "line %d: not so: %s\n", line, what);
    failures++;
}

static char *path_of(const char *name)
{
    static char path[64];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

/* Debian's redis-tools has the program, too, as redis-check-rdb: it goes by
 * what it is called. The client finds out when it is ready. */
static void start_server(void)
{
    char *words[] = {"redis-server",
                     "--port",
                     "0",
                     "--unixsocket",
                     path_of("s"),
                     "--save",
                     "",
                     "--appendonly",
                     "no",
                     "--logfile",
                     "/dev/null",
                     "--loglevel",
                     "warning",
                     "--requirepass",
                     "secret",
                     "--dir",
                     folder,
                     NULL};
    server = fork();
    if (server == 0) {
        execvp("redis-server", words);
        execvp("redis-check-rdb", words);
        _exit(1);
    }
}

static void kill_server(void)
{
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
}

static bool has_server(void)
{
    return system("{ command -v redis-server || command -v redis-check-rdb; } "
                  ">/dev/null") == 0;
}

static struct sill_resp_client client = {
    .version = 3, .password = "secret", .database = 3};

static sill_time soon(void)
{
    return sill_after(60 * SILL_SECOND);
}

/* Calls with the words of (text), with "%d" for (number). */
static int call(const char *text, int number, unsigned flags,
                struct sill_resp_answer *answer)
{
    char line[128], *rest = line, *word;
    struct sill_resp_view args[8];
    size_t count = 0;
    snprintf(line, sizeof(line), "%s %d", text, number);
    while ((word = strtok_r(rest, " ", &rest)) != NULL)
        args[count++] = sill_resp_view(word);
    count -= number < 0;
    return sill_resp_client_call(&client, args, count, flags, answer, soon());
}

static int64_t integer(const char *text, int number, unsigned flags)
{
    struct sill_resp_answer answer;
    int rc = call(text, number, flags, &answer);
    int64_t result = rc == 0 && answer.values[0].type == SILL_RESP_INTEGER
                         ? answer.values[0].integer
                         : -1;
    sill_resp_answer_free(&answer);
    return result;
}

static int count_up(void *arg)
{
    int done = 0;
    for (int i = 0; i < ROUNDS; i++)
        done += integer(arg, -1, 0) > 0;
    return done;
}

static void tasks_share_it(void)
{
    struct sill_task *tasks[TASKS];
    int results[TASKS], sum = 0;
    for (int i = 0; i < TASKS; i++)
        CHECK(sill_spawn(count_up, "INCR counter", &tasks[i]) == 0);
    CHECK(sill_await_all(tasks, TASKS, results, soon()) == 0);
    for (int i = 0; i < TASKS; i++)
        sum += results[i];
    CHECK(sum == TASKS * ROUNDS);
    CHECK(integer("INCRBY counter", 0, 0) == TASKS * ROUNDS);
}

static void types(void)
{
    struct sill_resp_answer a;
    CHECK(integer("HSET hash field", 7, 0) == 1);
    CHECK(call("HGETALL hash", -1, 0, &a) == 0);
    CHECK(a.values[0].type == SILL_RESP_MAP && a.values[0].count == 2);
    sill_resp_answer_free(&a);
    CHECK(call("ZADD zset 1.5", 1, 0, &a) == 0);
    sill_resp_answer_free(&a);
    CHECK(call("ZSCORE zset", 1, 0, &a) == 0);
    CHECK(a.values[0].type == SILL_RESP_DOUBLE && a.values[0].text.size == 3);
    sill_resp_answer_free(&a);
    CHECK(call("GET nosuch", -1, 0, &a) == 0);
    CHECK(a.values[0].type == SILL_RESP_NULL);
    sill_resp_answer_free(&a);
    CHECK(call("nosuch", -1, 0, &a) == 0);
    CHECK(a.values[0].type == SILL_RESP_ERROR);
    sill_resp_answer_free(&a);
    CHECK(call("INFO", -1, 0, &a) == 0);
    CHECK(a.values[0].type == SILL_RESP_VERBATIM);
    sill_resp_answer_free(&a);
    CHECK(call("COMMAND", -1, 0, &a) == 0);
    CHECK(a.count > 1000 && a.values[0].span == a.count);
    sill_resp_answer_free(&a);
    CHECK(call("CLIENT LIST", -1, 0, &a) == 0);
    CHECK(memmem(a.values[0].text.at, a.values[0].text.size, " db=3 ", 6));
    sill_resp_answer_free(&a);
}

static void large(void)
{
    char *data = malloc(LARGE);
    struct sill_resp_answer a;
    memset(data, 'x', LARGE);
    const struct sill_resp_view set[] = {SILL_RESP_VIEW_INIT("SET"),
                                         SILL_RESP_VIEW_INIT("large"),
                                         {data, LARGE}};
    const struct sill_resp_view get[] = {SILL_RESP_VIEW_INIT("GET"),
                                         SILL_RESP_VIEW_INIT("large")};
    CHECK(sill_resp_client_call(&client, set, 3, 0, &a, soon()) == 0);
    sill_resp_answer_free(&a);
    CHECK(sill_resp_client_call(&client, get, 2, 0, &a, soon()) == 0);
    CHECK(a.values != NULL &&
          sill_resp_view_is_equal(a.values[0].text, set[2]));
    sill_resp_answer_free(&a);
    free(data);
}

/* ---- links ---- */

/* Adds the words of (text). */
static bool add(struct sill_resp_link *link, const char *text)
{
    char line[128], *rest = line, *word;
    struct sill_resp_view args[8];
    size_t count = 0;
    snprintf(line, sizeof(line), "%s", text);
    while ((word = strtok_r(rest, " ", &rest)) != NULL)
        args[count++] = sill_resp_view(word);
    return sill_resp_link_add(link, args, count) == 0;
}

/* What comes next, or a value that is none. */
static const struct sill_resp_value *next(struct sill_resp_link *link)
{
    static const struct sill_resp_value none[8];
    struct sill_resp_answer answer;
    return sill_resp_link_next(link, &answer, soon()) == 0 ? answer.values
                                                           : none;
}

static bool is_text(const struct sill_resp_value *value, const char *text)
{
    return sill_resp_view_is_equal(value->text, sill_resp_view(text));
}

/* Of two that watch a key, who is late has to begin again. */
static void transactions(void)
{
    struct sill_resp_link *a, *b;
    CHECK(sill_resp_link_take(&a, &client, soon()) == 0);
    CHECK(sill_resp_link_take(&b, &client, soon()) == 0);
    CHECK(add(a, "WATCH money") && is_text(next(a), "OK"));
    CHECK(add(b, "INCRBY money 5") && next(b)->integer == 5);
    for (int i = 0; i < 2; i++) {
        CHECK(add(a, "MULTI") && add(a, "INCR money") && add(a, "EXEC"));
        CHECK(is_text(next(a), "OK") && is_text(next(a), "QUEUED"));
        const struct sill_resp_value *done = next(a);
        if (i == 0)
            CHECK(done->type == SILL_RESP_NULL);
        else
            CHECK(done->type == SILL_RESP_ARRAY && done[1].integer == 6);
    }
    sill_resp_link_give(a);
    sill_resp_link_give(b);
    CHECK(sill_resp_link_take(&b, &client, soon()) == 0);
    CHECK(add(b, "CLIENT ID") && next(b)->integer > 0);
    sill_resp_link_give(b);
}

static void pipelines(void)
{
    enum { MANY = 10000 };
    struct sill_resp_link *link;
    CHECK(sill_resp_link_take(&link, &client, soon()) == 0);
    for (int i = 0; i < MANY; i++)
        CHECK(add(link, "INCR many"));
    for (int i = 0; i < MANY; i++)
        CHECK(next(link)->integer == i + 1);
    sill_resp_link_give(link);
}

/* In either version; what others say meanwhile is seen by a monitor. */
static void channels(int version)
{
    struct sill_resp_client other = {.version = version, .password = "secret"};
    enum sill_resp_type type = version == 3 ? SILL_RESP_PUSH : SILL_RESP_ARRAY;
    struct sill_resp_link ear, eye;
    other.address = client.address;
    CHECK(sill_resp_link_open(&ear, &other, soon()) == 0);
    CHECK(sill_resp_link_open(&eye, &other, soon()) == 0);
    CHECK(add(&eye, "MONITOR") && is_text(next(&eye), "OK"));
    CHECK(add(&ear, "SUBSCRIBE a b"));
    for (int i = 1; i <= 2; i++)
        CHECK(next(&ear)[3].integer == i);
    CHECK(integer("PUBLISH b", 7, 0) == 1);
    const struct sill_resp_value *message = next(&ear);
    CHECK(message->type == type && is_text(message + 1, "message"));
    CHECK(is_text(message + 2, "b") && is_text(message + 3, "7"));
    for (int i = 0; i < 2; i++) {
        struct sill_resp_view line = next(&eye)->text;
        const char *text = i == 0 ? "\"SUBSCRIBE\"" : "\"PUBLISH\"";
        CHECK(memmem(line.at, line.size, text, strlen(text)) != NULL);
    }
    sill_resp_link_close(&ear);
    sill_resp_link_close(&eye);
}

/* Waits in the server until that is killed. */
static int wait_in_server(void *flags)
{
    struct sill_resp_answer a;
    int rc = call("BLPOP list", 0, (unsigned)(uintptr_t)flags, &a);
    sill_resp_answer_free(&a);
    return rc;
}

static void it_may_be_killed(void)
{
    struct sill_task *once, *again;
    uint64_t calls = client.stats.calls;
    int rc = 0;
    CHECK(sill_spawn(wait_in_server, NULL, &once) == 0);
    CHECK(sill_spawn(wait_in_server, (void *)(uintptr_t)SILL_RESP_AGAIN,
                     &again) == 0);
    while (client.stats.calls < calls + 2)
        CHECK(sill_yield() == 0);
    kill_server();
    CHECK(sill_await(once, &rc, soon()) == 0 && rc == SILL_ECONNRESET);
    start_server();
    /* Behind the one that waits again. */
    while (client.stats.calls < calls + 3)
        CHECK(sill_sleep(sill_after(SILL_MILLISECOND)) == 0);
    CHECK(sill_cancel(again, soon()) == 0);
    CHECK(client.stats.connections == 2);
}

static int all(void *unused)
{
    struct sill_task *keeper;
    (void)unused;
    CHECK(sill_address_unix(&client.address, path_of("s")) == 0);
    CHECK(sill_spawn(sill_resp_client_run, &client, &keeper) == 0);
    start_server();
    tasks_share_it();
    types();
    large();
    transactions();
    pipelines();
    channels(2);
    channels(3);
    sill_resp_links_close(&client);
    it_may_be_killed();
    CHECK(sill_cancel(keeper, SILL_NEVER) == 0);
    kill_server();
    return 0;
}

int main(void)
{
    if (!has_server()) {
        puts("skipped: no redis-server (Debian: redis-tools)");
        return 77;
    }
    if (mkdtemp(folder) == NULL)
        return 1;
    int rc = sill_run(all, NULL);
    unlink(path_of("s"));
    rmdir(folder);
    return rc != 0 || failures != 0;
}
