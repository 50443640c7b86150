/* SPDX-License-Identifier: MIT */
/*
 * <sill/trigger.h>: suspend the current task until somebody says so.
 *
 * A trigger is a one-shot wake-up, in one of three states:
 *
 *                 suspend              resume
 *      initial  ----------->  awaited  ------->  resumed
 *         |     <-----------                        ^
 *         |   cancelled or late                     |
 *         +-----------------------------------------+
 *                          resume
 *
 * It never leaves the last one. Everything in this library that blocks is such
 * a wait: reading, sleeping, awaiting a task. Any library with callbacks
 * becomes a blocking one in three lines:
 *
 *     struct sill_trigger done = SILL_TRIGGER_INIT;
 *     lookup_start(name, on_answer, &done);       on_answer resumes (done)
 *     int rc = sill_suspend(&done, deadline);
 *
 * Memory   the caller's, often on the stack. With one resume the trigger may go
 *          as soon as suspend has returned success. Where several may race,
 *          keep it until each of them has returned; after a failed suspend,
 *          until no new resume of it can begin.
 * Threads  one task suspends on it; resume from any task, thread, callback or
 *          signal handler.
 * Source   Picos.Trigger (OCaml, ocaml-multicore/picos).
 */
#ifndef SILL_TRIGGER_H
#define SILL_TRIGGER_H

#include <sill/attributes.h>
#include <sill/time.h>

#include <stdbool.h>
#include <stdint.h>

SILL_BEGIN

struct sill_trigger;

/* What an abort hook answers. */
enum sill_abort {
    SILL_ABORT_DONE,       /* the operation is gone: end the wait */
    SILL_ABORT_IN_PROGRESS /* it will still report: keep waiting */
};

/*
 * Ends the operation that a task waits for, because of (reason):
 * SILL_ECANCELED or SILL_ETIMEDOUT.
 *
 * Runs on the thread of the task's loop, at most once for a suspend, and never
 * after a resume won. It must not suspend; it may resume (trigger), and then
 * that result is the one that counts. Answering SILL_ABORT_IN_PROGRESS keeps
 * the task waiting, whatever its deadline, until a resume reports.
 */
typedef enum sill_abort sill_abort_hook(struct sill_trigger *trigger, void *arg,
                                        int reason);

struct sill_trigger {
    /* private */
    uintptr_t state;
    intptr_t value;
    sill_abort_hook *abort;
    void *arg;
};

/* The initial state: no hook. */
#define SILL_TRIGGER_INIT                                                      \
    {                                                                          \
        0, 0, 0, 0                                                             \
    }

/*
 * Makes (trigger) initial again, with (abort), which may be NULL, and its
 * (arg). No task may be suspended on it and no resume may be under way. Never
 * suspends.
 */
SILL_API void sill_trigger_init(struct sill_trigger *trigger,
                                sill_abort_hook *abort, void *arg);

/*
 * Suspends the current task until (trigger) is resumed, the deadline passes or
 * the task is cancelled; exactly one of them is the reason, and there is no
 * return without one.
 *
 * Returns 0 when it was resumed, even if the task was also cancelled or late;
 * a trigger that was resumed before returns at once, without a switch to
 * another task. Otherwise
 *
 *   SILL_ECANCELED   the task was cancelled, before or during the wait
 *   SILL_ETIMEDOUT   the deadline passed; with one in the past, at once
 *   SILL_ENOTASK     called outside of a task
 *
 * After a failure the trigger is initial: a resume that comes then is kept for
 * the next suspend. The abort hook, where there is one, has run.
 *
 * Two tasks suspended on one trigger end the program.
 */
SILL_API SILL_MUST_CHECK int sill_suspend(struct sill_trigger *trigger,
                                          sill_time deadline);

/*
 * Ends the wait on (trigger), now or when it begins, and hands over (value).
 * The first resume wins; later ones are ignored. Everything written before it
 * is visible to the task after its suspend. Triggers of one loop resumed in
 * order by one task make their tasks run in that order.
 *
 * Returns whether this resume was the first. Never suspends; from any thread,
 * and from a signal handler.
 */
SILL_API bool sill_resume(struct sill_trigger *trigger, intptr_t value);

/*
 * Returns the value of the resume that won, once suspend returned 0. Never
 * suspends.
 */
SILL_API intptr_t sill_trigger_value(const struct sill_trigger *trigger);

SILL_END

#endif
