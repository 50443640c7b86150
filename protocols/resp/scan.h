/* SPDX-License-Identifier: MIT */
/*
 * scan.h: what commands and replies have in common: numbers and line ends.
 *
 * Nothing here looks at (size) or behind it.
 */
#ifndef SILL_RESP_SCAN_H
#define SILL_RESP_SCAN_H

#include "sill_resp_message.h"

/* What a step answers, beside an error. */
enum { ON, MORE };

static inline bool sill_resp_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Where a view points after what it pointed into moved from (from) to (to). */
static inline const char *sill_resp_moved(const char *at, const char *from,
                                          const char *to)
{
    return to + ((uintptr_t)at - (uintptr_t)from);
}

/*
 * Takes a number in decimal and its CR LF off the (size) bytes at (data), from
 * (*at) on, which moves behind them only when all were there.
 *
 * Returns ON, MORE, SILL_RESP_ENEWLINE, or (wrong) for what is no number: as
 * soon as it is none, so that no more than 21 bytes are ever looked at.
 */
int sill_resp_scan_number(const char *data, size_t size, size_t *at,
                          int64_t *number, int wrong);

/* Takes CR LF; (wrong) is the error for anything else. */
int sill_resp_scan_newline(const char *data, size_t size, size_t *at,
                           int wrong);

#endif
