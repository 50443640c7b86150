/* SPDX-License-Identifier: MIT */
/*
 * host.h: somebody's loop, for the cases of guest mode.
 *
 * A backend that can live in a host brings one in its test/host.c, written with
 * the host's own functions: a loop with one timer and one descriptor of its
 * own. Without that file the group H is left out for it.
 *
 * Threads  a host belongs to the thread that opened it.
 */
#ifndef HOST_H
#define HOST_H

#include <sill/guest.h>

struct host;

/* Opens a loop; what fails ends the program. */
struct host *host_open(void);

/* Closes and frees it. Returns false, with only its own handles closed, while
 * something else is left in it. */
bool host_close(struct host *host);

/* Attaches a guest, and detaches one: as the attach call of the backend, and as
 * sill_guest_detach. */
int host_attach(struct host *host, const struct sill_run_options *options,
                struct sill_guest **guest);
int host_detach(struct host *host, struct sill_guest *guest);

/* Calls (fn)(arg) every (ms) from now on, instead of what was called before; 0
 * for not at all. While there is something to call, the host does not end. */
void host_tick(struct host *host, unsigned ms, void (*fn)(void *arg),
               void *arg);

/* The same, while the descriptor (fd) is readable; -1 for not at all. */
void host_watch(struct host *host, int fd, void (*fn)(void *arg), void *arg);

/* Runs the loop until it has nothing to do, or is stopped. */
void host_run(struct host *host);

/* From a callback, or a task: makes the present run return soon. */
void host_stop(struct host *host);

#endif
