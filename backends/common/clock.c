/* SPDX-License-Identifier: MIT */
/*
 * The machine's clock.
 */
#include <sill_spi.h>

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
