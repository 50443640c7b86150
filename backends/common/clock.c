/* SPDX-License-Identifier: MIT */
/*
 * The machine's clock and calendar, and those of a loop that has its own.
 */
#include "core.h"

#include <time.h>

sill_time sill_core_monotonic(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (sill_time)now.tv_sec * SILL_SECOND + now.tv_nsec;
}

sill_time sill_after(sill_duration length)
{
    sill_time now = sill_now();

    if (length <= 0)
        return now;
    return length >= SILL_NEVER - now ? SILL_NEVER : now + length;
}

void sill_core_set_calendar(struct sill_loop *loop, int64_t second)
{
    loop->has_calendar = true;
    loop->calendar = second;
}

int64_t sill_calendar(void)
{
    struct sill_loop *loop = sill_core_current;

    if (!loop || !loop->has_calendar)
        return (int64_t)time(NULL);
    return loop->calendar + loop->backend->now(loop->self) / SILL_SECOND;
}
