/* SPDX-License-Identifier: MIT */
/*
 * figures.h: what primitives cost and what parked tasks occupy, on every
 * backend.
 */
#ifndef FIGURES_H
#define FIGURES_H

void run_micro(void);
void run_sleepers(void);
void run_memory(void);

#endif
