/* SPDX-License-Identifier: MIT */
/*
 * <sill/random.h>: bytes that nobody can foresee.
 *
 * For whatever a peer must not guess: boundaries, masks, numbers of queries.
 */
#ifndef SILL_RANDOM_H
#define SILL_RANDOM_H

#include <sill/attributes.h>

#include <stddef.h>

SILL_BEGIN

/*
 * Fills (buffer) with (size) random bytes of the system's; in a simulation,
 * with bytes that its seed decides.
 *
 * Returns 0, or SILL_EIO when the system has none, with (buffer) undefined.
 * Never suspends.
 */
SILL_API SILL_MUST_CHECK int sill_random_fill(void *buffer, size_t size);

SILL_END

#endif
