/* SPDX-License-Identifier: MIT */
/*
 * nginx.h: nginx as a rival: one process that answers every request with
 * "Hello, World!" from its configuration, without a log, a file or rights.
 */
#ifndef NGINX_H
#define NGINX_H

#include "child.h"

#include <stdbool.h>

/* Returns whether it can be found. */
bool nginx_is_present(void);

/*
 * Starts it on processor (cpu), with its folder in /tmp. Returns the port
 * where it listens, or -1 with nothing left behind.
 */
int nginx_start(struct child *child, int cpu);

/* Ends it and removes its folder. */
void nginx_stop(struct child *child);

/* Removes the folder of one that was ended otherwise; from a signal handler,
 * too. Harmless without one. */
void nginx_clean_up(void);

#endif
