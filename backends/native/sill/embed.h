/* SPDX-License-Identifier: MIT */
/*
 * <sill/embed.h>: live inside any loop, by a descriptor and an instant.
 *
 * The host's loop does two things for the guest: it waits until a descriptor
 * is readable or an instant has come, whichever is first, and then it steps.
 *
 *     sill_embed_fd(guest) is readable, or (when) has come:
 *         when = sill_embed_step(guest);
 *     earlier(arg, sooner):
 *         when = sooner;
 *
 * With poll(2) as the host's loop, all of it is
 *
 *     while (sill_guest_is_busy(guest)) {
 *         struct pollfd entry = {sill_embed_fd(guest), POLLIN, 0};
 *         (void)poll(&entry, 1, sill_embed_timeout(when));
 *         when = sill_embed_step(guest);
 *     }
 *
 * Instants are those of sill_now(): ns of CLOCK_MONOTONIC, for hosts whose
 * timers are absolute. A host whose loop ends when it has nothing left to do
 * asks sill_guest_is_busy after each step and in (earlier); it changes nowhere
 * else.
 *
 * The guest runs on the native backend, whatever backend the program is linked
 * with. For libuv and libevent use <sill/libuv.h> and <sill/libevent.h>.
 */
#ifndef SILL_EMBED_H
#define SILL_EMBED_H

#include <sill/attributes.h>
#include <sill/guest.h>
#include <sill/task.h>
#include <sill/time.h>

SILL_BEGIN

/*
 * Makes a guest, on the thread that runs the host's loop. See <sill/guest.h>.
 *
 * earlier   is called with (arg) when a step is due at (when), sooner than the
 *           last one said: because a task was started, cancelled, or woken by
 *           the host. It should set the host's timer; it must not step. Called
 *           on the host's thread, from inside those calls, and never from
 *           inside a step. The first instant is SILL_NEVER. A guest that
 *           becomes busy calls it, unless a step is due already.
 * options   as sill_run_with, NULL for all defaults; its backend is not looked
 *           at.
 * guest     receives the handle.
 *
 * Returns 0, or, with nothing left behind, SILL_EINVAL when (earlier) is NULL,
 * SILL_ENOMEM, or SILL_EMFILE. Never suspends.
 */
SILL_API SILL_MUST_CHECK int
sill_embed_attach(void (*earlier)(void *arg, sill_time when), void *arg,
                  const struct sill_run_options *options,
                  struct sill_guest **guest);

/*
 * Returns the descriptor that becomes readable when a step has something to do
 * now: an event has come, or another thread has woken a task. It is the same
 * until detach, which closes it: stop waiting for it before. The host only
 * waits, level-triggered or edge-triggered. In a forked child SILL_ENOTASK.
 * Never suspends.
 */
SILL_API int sill_embed_fd(const struct sill_guest *guest);

/*
 * Runs the tasks that are ready, without blocking, until a look outside is due
 * (see "Fairness" in <sill/task.h>), and calls (done) of those that ended.
 * Harmless when nothing was due. From inside a task or a (done) it ends the
 * program; in a forked child it does nothing.
 *
 * Returns the instant of the next step, unless the descriptor is readable
 * before: SILL_PAST for at once, after the host has looked at its own
 * descriptors; SILL_NEVER for none, also when a (done) has detached the guest,
 * which is for the host to remember.
 */
SILL_API sill_time sill_embed_step(struct sill_guest *guest);

/*
 * Returns (when) as a timeout for poll(2), in ms from now: rounded up, 0 for an
 * instant in the past, -1 for SILL_NEVER. From any thread. Never suspends.
 */
SILL_API int sill_embed_timeout(sill_time when);

SILL_END

#endif
