/* SPDX-License-Identifier: MIT */
/*
 * The simulator, for the conformance kit. See sill_conformance.h.
 */
#include <sill_conformance.h>

#include <sill/sim.h>

static void spend_until(sill_time instant)
{
    sill_sim_spend(instant - sill_now());
}

const struct sill_conformance_params sill_conformance_params = {
    .properties = SILL_CONFORMANCE_VIRTUAL,
    .spend_until = spend_until,
};
