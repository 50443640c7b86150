/* SPDX-License-Identifier: MIT */
/*
 * <sill/attributes.h>: what the compiler is told about the interface.
 */
#ifndef SILL_ATTRIBUTES_H
#define SILL_ATTRIBUTES_H

/*
 * Marks a result that must not be dropped: an ignored SILL_ECANCELED makes a
 * task that nobody can end.
 */
#define SILL_MUST_CHECK __attribute__((warn_unused_result))

/* Marks a printf-like function: (text) and (first) count from 1. */
#define SILL_PRINTF(text, first)                                               \
    __attribute__((__format__(__printf__, text, first)))

/* Marks what leaves the library; everything else is hidden in shared builds. */
#define SILL_API __attribute__((visibility("default")))

#ifdef __cplusplus
#define SILL_BEGIN extern "C" {
#define SILL_END   }
#else
#define SILL_BEGIN
#define SILL_END
#endif

#endif
