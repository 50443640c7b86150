/* SPDX-License-Identifier: MIT */
/*
 * turns.h: servers under the same load in turns.
 *
 * All servers of a table run at once on one processor, and the load, on
 * another, turns to one after the other in short slices: a machine whose speed
 * drifts drifts for all. They are started anew twice in between, since where a
 * process happens to lie in memory counts for some per cent.
 */
#ifndef TURNS_H
#define TURNS_H

#include "load.h"
#include "rows.h"

/* Measures (count) servers like (model) under a load of (shape), taking so many
 * shares of the time that is left as (tables) others have, and prints what came
 * out. Returns the rows, until the next call. */
const struct row *turns_run(const char *section, const char *title,
                            const struct row *model, int count,
                            const struct load_shape *shape, int tables);

#endif
