/* SPDX-License-Identifier: MIT */
/*
 * Makes the sim backend the one that the linker finds.
 */
#include <sill_spi.h>

extern const struct sill_backend sill_backend_sim;

const struct sill_backend *const sill_backend_default = &sill_backend_sim;
