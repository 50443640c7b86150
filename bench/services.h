/* SPDX-License-Identifier: MIT */
/*
 * services.h: echo and HTTP by sill beside the same by hand, or by others.
 */
#ifndef SERVICES_H
#define SERVICES_H

#include "rows.h"

/* Who says Hello, World!; wrk asks the same. */
extern const struct row hello_rows[];
extern const int hello_count;

void run_echo(void);
void run_hello(void);

/* Echo for 1 to 10 000 connections, and how its cost grows with them. */
void run_growth(void);

/* Ten busy connections among 10 000 silent ones, and alone. */
void run_busy(void);

/* Connect, one request, close. */
void run_churn(void);

/* Files: httpd and nginx. */
void run_files(void);

/* sill as the guest of somebody's loop, against itself on one of its own. */
void run_guest(void);

#endif
