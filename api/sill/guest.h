/* SPDX-License-Identifier: MIT */
/*
 * <sill/guest.h>: a loop that lives inside a loop that the program runs.
 *
 * A program that already has an event loop goes on running it. It attaches a
 * guest to it once, and starts tasks from any of its callbacks; while its loop
 * runs, so do they, their deadlines and their descriptors.
 *
 *     the host's callback                   the guest
 *         sill_guest_start   ------------>  a task runs fn(arg)
 *         goes on                             reads, writes, sleeps ...
 *         done(arg, result)  <------------    returns
 *
 * How a guest is attached depends on the host:
 *
 *     <sill/libuv.h>      to a uv_loop_t
 *     <sill/libevent.h>   to an event_base
 *     <sill/embed.h>      to any other loop, by a descriptor and an instant
 *
 * The calls below never suspend. They are for the thread that attached the
 * guest and runs the host's loop, from inside the host's callbacks and between
 * its runs; those that say so are also for the guest's own tasks. From another
 * thread they end the program; sill_resume is the way in from there. The host
 * may close the streams, listeners, datagrams and watches of a guest's tasks as
 * well, and cancel their scopes.
 *
 * Alive    a host's loop that ends when it has nothing left to do goes on while
 *          a task of the guest lives, whatever that task waits for. Nothing
 *          else of the guest keeps it, and an idle guest wakes nobody.
 * Several  guests may be attached to one host, each with its own tasks; and
 *          each thread may have a host with guests of its own.
 * Fork     a forked child must leave its copy of the guest alone: there, start,
 *          drain and detach return SILL_ENOTASK, cancel does nothing, the guest
 *          is not busy, and no task runs. The parent notices nothing.
 * Deadlock tasks that wait for each other only are not reported, as sill_run
 *          does: the host can still cancel them.
 */
#ifndef SILL_GUEST_H
#define SILL_GUEST_H

#include <sill/attributes.h>
#include <sill/task.h>
#include <sill/time.h>

#include <stdbool.h>

SILL_BEGIN

struct sill_guest;

/*
 * Starts a task that will run (fn)(arg), never before this returns and always
 * before the host's loop sleeps again. Also for the guest's own tasks, whose
 * child the new one is not.
 *
 * done   is called with (arg) and what the task returned (SILL_EORPHAN: see
 *        <sill/task.h>) when it and all below it have ended: once, on the
 *        host's thread and stack, never from inside one of the calls below. It
 *        may start and cancel tasks, and detach when none is left. NULL: nobody
 *        is told.
 * task   receives the handle for sill_guest_cancel, valid until (done) is
 *        called; NULL drops it.
 *
 * Returns 0, or, with nothing started and (done) never called,
 *
 *   SILL_ENOMEM     no memory for the task
 *   SILL_ECANCELED  the guest is being drained
 *   SILL_ENOTASK    in a forked child
 */
#define sill_guest_start(guest, fn, arg, done, task)                           \
    sill_guest_start_at(guest, fn, arg, done, task, SILL_HERE)

/* Is sill_guest_start for callers that know better where they were called
 * from. */
SILL_API SILL_MUST_CHECK int
sill_guest_start_at(struct sill_guest *guest, sill_task_fn *fn, void *arg,
                    void (*done)(void *arg, int result),
                    struct sill_task **task, const char *where);

/*
 * Cancels (task), which sill_guest_start started, and all below it: asks, and
 * does not wait; (done) is called when it has ended. Harmless when it has ended
 * already and (done) is yet to be called. Any other task ends the program. Also
 * for the guest's own tasks.
 */
SILL_API void sill_guest_cancel(struct sill_guest *guest,
                                struct sill_task *task);

/*
 * Winds down: lets the tasks end until (grace), an instant, then cancels those
 * that are left; no new one is started meanwhile. SILL_PAST cancels in the
 * host's next round. A later drain replaces an earlier one, whose (drained) is
 * not called.
 *
 * drained   is called with (arg) when no task is left and each (done) was
 *           called, and at once, but never from inside this call, when there
 *           was none; then tasks may be started again. It may detach. NULL:
 *           nobody is told.
 *
 * Returns 0, or SILL_ENOTASK in a forked child.
 */
SILL_API int sill_guest_drain(struct sill_guest *guest, sill_time grace,
                              void (*drained)(void *arg), void *arg);

/*
 * Returns whether a task lives or a drain has yet to be told of: whether the
 * guest keeps the host's loop, and cannot be detached. Also for the guest's own
 * tasks.
 */
SILL_API bool sill_guest_is_busy(const struct sill_guest *guest);

/*
 * Takes the guest out of its host, whose loop and own handles stay as they are,
 * and frees it. What its tasks opened is closed before; streams in memory
 * belong to nobody. A host that stopped its loop in the middle cancels or
 * drains, and runs its loop again until the guest is not busy.
 *
 * Returns 0, and the handle is gone, or, with nothing changed,
 *
 *   SILL_EBUSY     the guest is busy, or a stream, listener, datagram or watch
 *                  of its tasks is still open
 *   SILL_ENOTASK   in a forked child
 */
SILL_API SILL_MUST_CHECK int sill_guest_detach(struct sill_guest *guest);

/*
 * Writes the tree of the guest's tasks to (write), as sill_dump does. Also for
 * the guest's own tasks.
 */
SILL_API void sill_guest_dump(struct sill_guest *guest,
                              void (*write)(void *arg, const char *line),
                              void *arg);

SILL_END

#endif
