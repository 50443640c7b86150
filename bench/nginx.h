/* SPDX-License-Identifier: MIT */
/*
 * nginx.h: nginx as a rival: one process that answers every request with
 * "Hello, World!" from its configuration, without a log, a file or rights.
 */
#ifndef NGINX_H
#define NGINX_H

#include "rows.h"

/* One at a time; its folder is in /tmp. */
extern const struct service nginx;

/* One that serves the files of files.h instead. */
extern const struct service nginx_files;

/* Removes the folder of one that was ended otherwise; from a signal handler,
 * too. Harmless without one. */
void nginx_clean_up(void);

#endif
