/* SPDX-License-Identifier: MIT */
/*
 * stage.h: one case, in the process that was made for it.
 */
#ifndef STAGE_H
#define STAGE_H

#include "suite.h"

/* What a case leaves for the process that started it, in shared memory. The
 * pointers are to literals, which are the same in both. */
struct stage_record {
    enum {
        STAGE_EMPTY,
        STAGE_BUSY,
        STAGE_FAILED,
        STAGE_PASSED,
        STAGE_HUNG
    } state;

    const char *file; /* where it was seen last */
    int line;
    char message[2048], note[256], log[8192];
};

/* How a case is run. */
struct stage_options {
    bool as_guest; /* if it is inside of a task */
    bool shuffled; /* tasks that are ready run in an order of (seed) */
    uint64_t seed;
    bool batched; /* every write leaves in a batch */
};

/* Runs (a_case) in this process, watchdog and stock-taking around it. Returns
 * when it has passed; what fails or hangs ends the process. */
void stage_run(const struct suite_case *a_case,
               const struct stage_options *options,
               struct stage_record *its_record);

#endif
