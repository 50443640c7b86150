/* SPDX-License-Identifier: MIT */
/*
 * guest.h: what the test of guest mode asks of a host's loop.
 */
#ifndef GUEST_H
#define GUEST_H

#include <sill_spi.h>

/* The backend that is tested. */
extern const struct sill_backend *const guest_backend;

/* Opens the host's loop, with a timer of its own that calls (on_tick) every ms
 * while it is started. Returns the loop as open of the backend takes it. */
void *host_open(void (*on_tick)(void));

/* Starts or stops the timer. */
void host_tick(bool on);

/* Runs the loop until it has nothing to do. */
void host_run(void);

/* Closes it; fails the test when handles are left. */
void host_close(void);

#endif
