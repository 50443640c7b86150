/* SPDX-License-Identifier: MIT */
/*
 * load.h: keep a server busy for a while, and know what it answered.
 *
 * A load holds connections to one server for as long as that is measured.
 * On each it sends a batch of requests, waits for the last byte of their
 * answers, and sends the next. The answers to the first batch of each
 * connection must be right; later ones are counted.
 *
 * Where connections are to be churned, each batch has one of its own, which
 * asks for it to be closed, or closes it, at the end.
 *
 * One load runs at a time, on the calling thread. Loads that do not run cost
 * their servers nothing, so that servers can be measured in turns.
 */
#ifndef LOAD_H
#define LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct load;

enum load_kind {
    LOAD_ECHO, /* (size) bytes, back unchanged */
    LOAD_HTTP  /* GET, answered by 200 and as many bytes each time */
};

struct load_shape {
    enum load_kind kind;
    int connections;
    int depth;        /* requests in one batch; 1 where they are churned */
    size_t size;      /* ECHO: bytes of a request; HTTP: of (body) */
    const char *body; /* HTTP: of each answer; NULL: any */
    const char *path; /* HTTP: what is asked for; NULL: "/" */
    int idle;         /* connections beside, silent after one batch */
    bool is_churned;
};

/*
 * Connects to 127.0.0.1:(port) as (shape) says and tries each connection.
 * Returns NULL, having said why on standard error, when an answer is wrong.
 */
struct load *load_open(int port, const struct load_shape *shape);

/*
 * Runs for (ns), and on until there were (batches) for each connection on
 * average; then lets what is under way end. Returns how many requests were
 * answered, 0 when a connection broke, or 10 s after (ns) something still was
 * under way.
 */
uint64_t load_run(struct load *load, int64_t ns, unsigned batches);

/* The clock that load_run goes by, in ns. */
int64_t load_clock(void);

void load_close(struct load *load);

#endif
