/* SPDX-License-Identifier: MIT */
/*
 * Makes the poll backend the one that the linker finds.
 */
#include <sill_spi.h>

extern const struct sill_backend sill_backend_poll;

const struct sill_backend *const sill_backend_default = &sill_backend_poll;
