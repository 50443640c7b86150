/* SPDX-License-Identifier: MIT */
/*
 * choice.h: which cases are run, which are left out and why, in what order.
 */
#ifndef CHOICE_H
#define CHOICE_H

#include "options.h"
#include "result.h"
#include "suite.h"

struct choice {
    const struct suite_case *a_case;
    bool is_run;      /* otherwise (result) is final */
    bool is_expected; /* to fail */
    struct result *result;
};

struct choices {
    struct choice *at; /* in the order of their rules */
    size_t *order;     /* in which they are run */
    size_t count;
    struct results results; /* one for each, in the order of their rules */
    char *xfail;            /* the file, which reasons point into */
};

/* Chooses. Returns 0, or 2 when an id of the options names no case, or a file
 * cannot be read, having said so. */
int choices_make(struct choices *choices, const struct options *options);

void choices_free(struct choices *choices);

#endif
