/* SPDX-License-Identifier: MIT */
/*
 * <sill/hooks.h>: where memory comes from, where log lines go.
 *
 * Hooks belong to the process. Set them before the first loop runs; they are
 * called from any thread. Stacks are mapped from the system, not allocated.
 */
#ifndef SILL_HOOKS_H
#define SILL_HOOKS_H

#include <sill/attributes.h>

#include <stddef.h>

SILL_BEGIN

struct sill_allocator {
    /* Returns (size) bytes, aligned for any type, or NULL. */
    void *(*alloc)(void *arg, size_t size);
    /* Frees what alloc returned; never called with NULL. */
    void (*free)(void *arg, void *block);
    void *arg;
};

/* Takes memory from (allocator), copied; NULL: from malloc and free. */
SILL_API void sill_set_allocator(const struct sill_allocator *allocator);

/* Writes where memory comes from now to (allocator), to be set again later. */
SILL_API void sill_get_allocator(struct sill_allocator *allocator);

/* What sill and its protocol libraries allocate with; free accepts NULL. */
SILL_API void *sill_alloc(size_t size);
SILL_API void sill_free(void *block);

/*
 * Sends log lines (without a newline) to (log); NULL: to standard error.
 */
SILL_API void sill_set_log(void (*log)(void *arg, const char *line), void *arg);

/* Logs one line, cut at 511 bytes. Never suspends, never fails. */
SILL_API void sill_log(const char *format, ...) SILL_PRINTF(1, 2);

SILL_END

#endif
