/* SPDX-License-Identifier: MIT */
/*
 * result.h: what became of a case, on one backend or on several.
 */
#ifndef RESULT_H
#define RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum outcome {
    PASSED,
    FAILED,
    CRASHED,
    HUNG,
    SKIPPED,   /* needs a property that the backend does not declare */
    DISABLED,  /* by the user */
    EXPECTED,  /* to fail, and did */
    UNEXPECTED /* expected to fail, and passed: a failure */
};

struct result {
    const char *backend;
    const char *mode; /* "own" loop, or "guest" */
    const char *rule, *name, *file;
    int line;
    enum outcome outcome;
    long ms;
    int runs;
    const char *seed;    /* "" for none */
    const char *reason;  /* of a skip or of an expected failure, or "" */
    const char *message; /* of a failure, or "" */
    const char *log;     /* the task tree and other lines of a failure, or "" */
};

struct results {
    struct result *at;
    size_t count;
};

/* Keeps (text), which malloc gave, until the program ends, and returns it; ""
 * for NULL. */
const char *text_keep(char *text);

/* "pass", "fail", "crash", "hang", "skip", "disabled", "xfail", "xpass". */
const char *outcome_word(enum outcome outcome);

/* Returns whether (word) is one of these, and which. */
bool outcome_of(const char *word, enum outcome *outcome);

/* Whether it makes the run a failed one. */
bool outcome_is_bad(enum outcome outcome);

/* How many of the results have (outcome). */
size_t results_count(const struct results *results, enum outcome outcome);
size_t results_count_bad(const struct results *results);

/* The results by backend and mode: returns those that follow (part), which is
 * all zero for the first ones, until false. */
bool results_next(const struct results *results, struct results *part);

#endif
