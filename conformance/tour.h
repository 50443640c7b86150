/* SPDX-License-Identifier: MIT */
/*
 * tour.h: every public call, once around, with nothing left behind.
 *
 * The same tours are taken in fair weather (loops one after the other, side by
 * side, in a forked child, under interrupts) and while calls are made to fail.
 *
 * Each is a task function. It returns 0 when all went as the headers say, or
 * the first error that a call reported, having closed and awaited whatever it
 * had begun; SILL_EPROTO stands for an answer that was wrong. A tour of what
 * the backend does not declare ends at once.
 */
#ifndef TOUR_H
#define TOUR_H

#include <sill/sill.h>

struct tour {
    const char *name;
    sill_task_fn *fn; /* whose argument is not used */
};

/* All of them, ended by one without a name. */
extern const struct tour tours[];

/* Takes all tours, in order, up to the first that fails. */
int tour_everything(void *unused);

#endif
