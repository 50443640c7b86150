/* SPDX-License-Identifier: MIT */
/*
 * run.h: runs a chosen case, in a process of its own, and finds out what became
 * of it.
 */
#ifndef RUN_H
#define RUN_H

#include "choice.h"

/* To be called once, before. Returns 0, or 2, having said why not. */
int run_init(void);

/* Runs (choice), as often as asked, and completes its result. */
void run_choice(struct choice *choice, const struct options *options);

#endif
