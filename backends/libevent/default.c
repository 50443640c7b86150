/* SPDX-License-Identifier: MIT */
/*
 * Makes the libevent backend the one that the linker finds.
 */
#include <sill_spi.h>

extern const struct sill_backend sill_backend_libevent;

const struct sill_backend *const sill_backend_default = &sill_backend_libevent;
