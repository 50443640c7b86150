/* SPDX-License-Identifier: MIT */
/*
 * tasks.h: what the embed-<loop> examples run inside of a host's loop, of which
 * it knows nothing.
 */
#ifndef TASKS_H
#define TASKS_H

enum { BODY_MAX = 16 };

/* A task: answers with "hello" on a free port of this machine, until it is
 * cancelled. There is one. */
int serve_hello(void *arg);

/* A task, for later: fetches that into the BODY_MAX bytes of (body), ended by
 * NUL. Returns 0 or a SILL_E code. */
int fetch_hello(void *body);

#endif
