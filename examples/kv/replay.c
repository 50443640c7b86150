/* SPDX-License-Identifier: MIT */
/*
 * replay.c: the commands of the append-only file, given to their handlers at
 * the start. See kv.h.
 */
#include "kv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define LENGTH_MAX ((uint64_t)1 << 40)

/* The file, and the command that was read last. */
struct reader {
    struct sill_resp_session *session;
    const char *begin, *at, *end;
    struct sill_resp_view *args;
    size_t count, room;
    const char *group; /* where MULTI is that EXEC has not followed; NULL */
    uint64_t commands;
};

enum { WHOLE, TORN, BROKEN, NO_MEMORY };

/* ---- to read ---- */

/* Reads a line of (mark) and a number, from (*at) on. */
static int read_number(const char **at, const char *end, char mark,
                       uint64_t *number)
{
    const char *p = *at;
    *number = 0;
    if (p < end && *p++ != mark)
        return BROKEN;
    const char *digits = p;
    for (; p < end && *p >= '0' && *p <= '9' && *number < LENGTH_MAX; p++)
        *number = *number * 10 + (uint64_t)(*p - '0');
    if (p < end && (p == digits || *p != '\r'))
        return BROKEN;
    if (p + 1 < end && p[1] != '\n')
        return BROKEN;
    *at = p + 2;
    return end - p >= 2 ? WHOLE : TORN;
}

static bool reserve(struct reader *r)
{
    if (r->count < r->room)
        return true;
    size_t room = 2 * r->room + 8;
    struct sill_resp_view *args = realloc(r->args, room * sizeof(*args));
    if (args == NULL)
        return false;
    r->args = args;
    r->room = room;
    return true;
}

static int read_argument(struct reader *r, const char **at)
{
    uint64_t size;
    int got = read_number(at, r->end, '$', &size);
    if (got != WHOLE)
        return got;
    size_t left = (size_t)(r->end - *at);
    if (left > size && (*at)[size] != '\r')
        return BROKEN;
    if (left > size + 1 && (*at)[size + 1] != '\n')
        return BROKEN;
    if (left < size + 2)
        return TORN;
    if (!reserve(r))
        return NO_MEMORY;
    r->args[r->count++] = (struct sill_resp_view){*at, (size_t)size};
    *at += size + 2;
    return WHOLE;
}

/* Reads a command at (*at). */
static int read_command(struct reader *r, const char **at)
{
    uint64_t count;
    int got = read_number(at, r->end, '*', &count);
    r->count = 0;
    if (got == WHOLE && count == 0)
        return BROKEN;
    while (got == WHOLE && r->count < count)
        got = read_argument(r, at);
    return got;
}

/* Skips the notes that redis-server may make about the time. */
static int read_next(struct reader *r)
{
    const char *at = r->at;
    while (at < r->end && *at == '#') {
        const char *line = memchr(at, '\n', (size_t)(r->end - at));
        if (line == NULL)
            return TORN;
        at = line + 1;
    }
    if (at == r->end) {
        r->at = at;
        return TORN;
    }
    int got = read_command(r, &at);
    if (got == WHOLE)
        r->at = at;
    return got;
}

/* ---- what is no command ---- */

static uint64_t place(const struct reader *r, const char *at)
{
    return (uint64_t)(at - r->begin);
}

static const struct sill_resp_verb *verb_of(const struct reader *r)
{
    return sill_resp_verb_find(sill_resp_session_server(r->session),
                               r->args[0]);
}

/* Whether a command is to be found behind what is none. */
static bool has_more(struct reader *r)
{
    const char *at = r->at;
    while ((at = memmem(at, (size_t)(r->end - at), "\r\n*", 3)) != NULL) {
        const char *next = at += 2;
        if (read_command(r, &next) == WHOLE && verb_of(r) != NULL)
            return true;
    }
    return false;
}

static int refuse(const struct reader *r, const char *at, const char *why)
{
    fprintf(stderr,
            "kv: %s is damaged at byte %llu, in the middle: %s\n"
            "kv: look at it there, or keep what is before with redis-check-aof "
            "--fix\n",
            kv_options.log_name, (unsigned long long)place(r, at), why);
    return 1;
}

/* Where nothing follows, the last command was not written to its end. */
static int cut(struct reader *r)
{
    const char *end = r->group != NULL ? r->group : r->at;
    if (has_more(r))
        return refuse(r, r->at, "what is there is no command");
    if (end < r->end)
        fprintf(stderr, "kv: %s: cut %llu bytes of an unfinished %s\n",
                kv_options.log_name, (unsigned long long)(r->end - end),
                r->group != NULL ? "transaction" : "command");
    r->at = end;
    return 0;
}

/* ---- to do ---- */

static int apply(struct reader *r, const char *at)
{
    const struct sill_resp_verb *verb = verb_of(r);
    bool is_multi = kv_is(r->args[0], "multi");
    bool is_exec = kv_is(r->args[0], "exec");
    struct sill_resp_view reply;
    if (verb == NULL || !(verb->flags & KV_WRITES || is_multi || is_exec ||
                          kv_is(r->args[0], "select")))
        return refuse(r, at, "a command that changes nothing");
    kv_log.has_failed = false;
    int rc = sill_resp_local_call(r->session, r->args, r->count, &reply);
    if (rc != 0 || kv_log.has_failed) {
        fprintf(stderr, "kv: %s: no memory for what is in it\n",
                kv_options.log_name);
        return 1;
    }
    if (reply.at[0] == '-') {
        char why[256];
        snprintf(why, sizeof(why), "%.*s", (int)(reply.size - 3), reply.at + 1);
        return refuse(r, at, why);
    }
    r->group = is_multi ? at : is_exec ? NULL : r->group;
    r->commands++;
    return 0;
}

static int replay(struct reader *r)
{
    for (;;) {
        const char *at = r->at;
        int got = read_next(r);
        if (got == NO_MEMORY) {
            fputs("kv: no memory for a command\n", stderr);
            return 1;
        }
        if (got != WHOLE)
            return cut(r);
        int rc = apply(r, at);
        if (rc != 0)
            return rc;
    }
}

static int replay_bytes(struct sill_resp_server *server, const char *bytes,
                        uint64_t *size)
{
    struct reader r = {.begin = bytes, .at = bytes, .end = bytes + *size};
    if (*size >= 5 && memcmp(bytes, "REDIS", 5) == 0) {
        fprintf(stderr,
                "kv: %s begins with an RDB preamble: let redis-server "
                "write it with aof-use-rdb-preamble no\n",
                kv_options.log_name);
        return 1;
    }
    int rc = sill_resp_local_open(server, &r.session);
    if (rc == 0)
        rc = replay(&r);
    sill_resp_local_close(r.session);
    free(r.args);
    *size = place(&r, r.at);
    return rc;
}

int kv_replay(struct sill_resp_server *server, uint64_t *size)
{
    struct stat status;
    *size = 0;
    if (fstat(kv_file_descriptor(), &status) != 0) {
        perror("kv");
        return 1;
    }
    if (status.st_size == 0)
        return 0;
    *size = (uint64_t)status.st_size;
    char *bytes = mmap(NULL, (size_t)*size, PROT_READ, MAP_PRIVATE,
                       kv_file_descriptor(), 0);
    if (bytes == MAP_FAILED) {
        perror("kv");
        return 1;
    }
    uint64_t whole = *size;
    int rc = replay_bytes(server, bytes, size);
    munmap(bytes, (size_t)whole);
    return rc;
}
