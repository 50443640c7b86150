/* SPDX-License-Identifier: MIT */
/*
 * rows.h: servers that are measured in turns, and tables of what came out.
 */
#ifndef ROWS_H
#define ROWS_H

#include "child.h"
#include "json.h"

#include <stdbool.h>
#include <stdint.h>

enum { ROUNDS_MAX = 200, ROWS_MAX = 16, SERVER_CPU = 0, LOAD_CPU = 1 };

/* What the whole program goes by. */
struct bench {
    char folder[4096]; /* where this program is, and all others */
    int rounds;
    int64_t slice; /* ns of load in one turn */
    bool pinned;   /* each program to a processor */
    bool failed;
    int64_t end;     /* when all should be done, as load_clock has it */
    int tables_left; /* until then, these among them that are next */
};

extern struct bench bench;

/* A server of others. */
struct service {
    const char *name; /* to say that it is not installed */
    bool (*is_present)(void);
    /* Returns the port where it listens, or -1 with nothing left behind. */
    int (*start)(struct child *child, int cpu);
    void (*stop)(struct child *child);
    int64_t warm; /* ns of load until it is as quick as it gets */
};

struct load;

struct row {
    const char *name;              /* in the table */
    const char *program;           /* NULL: (service) */
    const struct service *service; /* NULL: (program) */
    const char *flag;              /* before the port; NULL: none */
    const char *option;            /* behind the port; NULL: none */
    const char *root;              /* of files; NULL: none */
    int idle;                      /* silent connections beside the busy ones */
    int rival; /* the row that it is compared with; itself: none */
    bool is_up;
    struct child child;
    int port;
    struct load *load;
    int count;
    double cpu[ROUNDS_MAX];  /* us for each request */
    double rate[ROUNDS_MAX]; /* requests in a second */
};

/* Takes (tables) of those that are left. Returns when they should be done for
 * all others to get as much time. */
int64_t share_of_time(int tables);

/* Returns the path of the program (name), until the next call. */
const char *program(const char *name);
bool is_built(const char *name);

/* Returns the path of (name) of others, in the folders of PATH or in (more),
 * NULL for none; until the next call. NULL: not installed. */
const char *find_file(const char *name, const char *more);

/* Returns (cpu), or CHILD_CPU_NONE where nothing is bound to a processor. */
int cpu_for(int cpu);

/* Starts the server of (row), which is up if that worked. */
void row_start(struct row *r);
void row_stop(struct row *r);

/* The value below which (part) of the (count) values lie; 0 of none. */
double quantile(const double *values, int count, double part);

/* The quartiles of (count) values. */
struct spread spread_of(const double *values, int count);

/* The lower and the upper quartile of each row, the median rate, and the median
 * ratio to its rival with the bounds between which it lies in 19 of 20 cases.
 * (connections) may be 0. */
void rows_print(const char *section, const char *title, int connections,
                const struct row *rows, int count);

/* Says on a terminal how far (section) is; when (done) is (all), nothing. */
void progress(const char *section, int done, int all);

#endif
