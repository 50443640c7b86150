/* SPDX-License-Identifier: MIT */
/*
 * wrk.h: a second witness, whose load is not ours.
 */
#ifndef WRK_H
#define WRK_H

/* Asks who says Hello, World! one request at a time and 16 pipelined. */
void run_wrk(void);

/* Removes what run_wrk left when it was ended; from a signal handler, too. */
void wrk_clean_up(void);

#endif
