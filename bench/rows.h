/* SPDX-License-Identifier: MIT */
/*
 * rows.h: servers that are measured in turns, and tables of what came out.
 */
#ifndef ROWS_H
#define ROWS_H

#include "child.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { ROUNDS_MAX = 200, ROWS_MAX = 16, SERVER_CPU = 0, LOAD_CPU = 1 };

/* What the whole program goes by. */
struct bench {
    char folder[4096]; /* where this program is, and all others */
    int rounds;
    bool pinned; /* each program to a processor */
    bool failed;
    FILE *json; /* NULL: nobody wants any */
};

extern struct bench bench;

/* A server of others. */
struct service {
    const char *name; /* to say that it is not installed */
    bool (*is_present)(void);
    /* Returns the port where it listens, or -1 with nothing left behind. */
    int (*start)(struct child *child, int cpu);
    void (*stop)(struct child *child);
};

struct load;

struct row {
    const char *name;              /* in the table */
    const char *program;           /* NULL: (service) */
    const struct service *service; /* NULL: (program) */
    const char *flag;              /* before the port; NULL: none */
    const char *option;            /* behind the port; NULL: none */
    int rival; /* the row that it is compared with; itself: none */
    bool is_up;
    struct child child;
    int port;
    struct load *load;
    int count;
    double cpu[ROUNDS_MAX];  /* ns for each request */
    double rate[ROUNDS_MAX]; /* requests in a second */
};

/* Returns the path of the program (name), until the next call. */
const char *program(const char *name);
bool is_built(const char *name);

/* Returns (cpu), or CHILD_CPU_NONE where nothing is bound to a processor. */
int cpu_for(int cpu);

/* Starts the server of (row), which is up if that worked. */
void row_start(struct row *r);
void row_stop(struct row *r);

/* The value below which (part) of the (count) values lie; 0 of none. */
double quantile(const double *values, int count, double part);

/* The lower and the upper quartile of each row, the median rate, and the median
 * ratio to its rival with the bounds between which it lies in 19 of 20 cases.
 */
void rows_print(const char *section, const char *title, const struct row *rows,
                int count);

struct ratio {
    double value, low, high; /* (value) 0: none */
};

/* Adds a figure to the file that was asked for, if any. */
void json_row(const char *section, const char *name, const char *unit,
              double low, double high, struct ratio ratio);
void json_end(void);

/* Says on a terminal how far (section) is; when (done) is (all), nothing. */
void progress(const char *section, int done, int all);

#endif
