/* SPDX-License-Identifier: MIT */
/*
 * What the conformance kit has to know about the poll backend.
 */
#include <sill_conformance.h>

const struct sill_conformance_params sill_conformance_params = {
    .name = "poll",
    .properties = SILL_CONFORMANCE_FD | SILL_CONFORMANCE_THREADS,
};
