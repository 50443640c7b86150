/* SPDX-License-Identifier: MIT */
/*
 * <sill/time.h>: the monotonic clock, and waiting for it.
 *
 * A sill_time is an instant, a sill_duration a length; both count nanoseconds.
 * Calls that may wait take an instant, the latest at which they return without
 * having succeeded, as their last parameter. A deadline composes: pass it on
 * unchanged, and the whole conversation ends in time.
 *
 *     sill_time deadline = sill_after(2 * SILL_SECOND);
 *
 * A deadline that is already past, SILL_PAST among them, means "try once, do
 * not wait". Nothing ever ends early.
 */
#ifndef SILL_TIME_H
#define SILL_TIME_H

#include <sill/attributes.h>

#include <stdint.h>

SILL_BEGIN

/* An instant, in ns since an arbitrary start; never goes back. */
typedef int64_t sill_time;

/* A length of time, in ns. */
typedef int64_t sill_duration;

#define SILL_MICROSECOND ((sill_duration)1000)
#define SILL_MILLISECOND ((sill_duration)1000000)
#define SILL_SECOND      ((sill_duration)1000000000)
#define SILL_MINUTE      (60 * SILL_SECOND)

/* The deadline that never comes, and the one that always has. */
#define SILL_NEVER ((sill_time)INT64_MAX)
#define SILL_PAST  ((sill_time)INT64_MIN)

/*
 * Returns the present instant. It is read anew at every call, never cached,
 * and never goes back, on any thread.
 *
 * Inside a task it is the clock of that task's backend (virtual in a
 * simulation), elsewhere the machine's monotonic clock. Never suspends.
 */
SILL_API sill_time sill_now(void);

/*
 * Returns the instant (length) from now: never before now for a negative
 * length, and SILL_NEVER where the sum does not fit. Never suspends.
 */
SILL_API sill_time sill_after(sill_duration length);

/*
 * Returns what the calendar shows, in seconds since 1970 (time() of C): for the
 * dates in messages and logs, never for waiting, since people set it. Virtual
 * where sill_now() is. Never suspends.
 */
SILL_API int64_t sill_calendar(void);

/*
 * Suspends the current task until (deadline).
 *
 * Returns 0 at or after (deadline), never before; tasks with equal deadlines
 * wake in the order in which they fell asleep. A deadline in the past returns
 * 0 at once. Otherwise
 *
 *   SILL_ECANCELED   the task was cancelled, before or during the sleep
 *   SILL_ENOTASK     called outside of a task
 */
SILL_API SILL_MUST_CHECK int sill_sleep(sill_time deadline);

SILL_END

#endif
