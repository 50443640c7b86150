/* SPDX-License-Identifier: MIT */
/*
 * options.h: what the command line of a conformance program asks for.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

/* Texts of the command line, ended by NULL. */
struct words {
    const char **at;
    int count;
};

struct options {
    bool list, merge, guest, fork;
    bool seeded, shuffle, batch;
    uint64_t seed;
    int repeat;
    struct words ids;      /* what to run, or with (merge) the files */
    struct words disabled; /* ids, too */
    struct words reports;  /* FILE or FORM:FILE */
    const char *xfail;     /* a file */
};

/* Reads the command line. Returns 0, or 1 when help was asked for and given,
 * or 2 for what makes no sense, having said so. */
int options_read(struct options *options, int argc, char *argv[]);

void options_free(struct options *options);

#endif
