/* SPDX-License-Identifier: MIT */
/*
 * idle.h: what connections cost on which nothing happens.
 */
#ifndef IDLE_H
#define IDLE_H

/* What each of 10 000 clients occupies that has asked once and is silent, of
 * RESP and of HTTP. */
void run_idle(void);

#endif
