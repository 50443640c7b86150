/* SPDX-License-Identifier: MIT */
/*
 * ranges.c: which pieces of a file a client asks for (RFC 9110 section 14).
 */
#include "files.h"

/* Takes a number off (text), as large as fits. Returns whether there was one.
 */
static bool take_number(struct sill_http_view *text, uint64_t *number)
{
    size_t digits = 0;
    *number = 0;
    while (digits < text->size && text->at[digits] >= '0' &&
           text->at[digits] <= '9') {
        uint64_t digit = (uint64_t)(text->at[digits++] - '0');
        *number = *number > (UINT64_MAX - digit) / 10 ? UINT64_MAX
                                                      : *number * 10 + digit;
    }
    text->at += digits;
    text->size -= digits;
    return digits > 0;
}

enum found { MALFORMED, UNSATISFIABLE, SATISFIABLE };

/* Reads "first-last", "first-" or "-count". */
static enum found parse_range(struct sill_http_view text, uint64_t size,
                              struct sill_http_range *range)
{
    uint64_t first, last;
    bool has_first = take_number(&text, &first);
    if (text.size == 0 || *text.at != '-')
        return MALFORMED;
    text.at++;
    text.size--;
    bool has_last = take_number(&text, &last);
    if (text.size > 0 || (!has_first && !has_last))
        return MALFORMED;
    if (has_first && has_last && last < first)
        return MALFORMED;

    if (!has_first) {
        first = last < size ? size - last : 0;
        has_last = last > 0;
        last = has_last ? UINT64_MAX : 0;
        if (!has_last)
            return UNSATISFIABLE;
    }
    if (first >= size)
        return UNSATISFIABLE;
    range->first = first;
    range->last = has_last && last < size ? last : size - 1;
    return SATISFIABLE;
}

/* Takes "bytes=" off (value). Returns whether it was there. */
static bool take_unit(struct sill_http_view *value)
{
    struct sill_http_view unit = {value->at, 6};
    if (value->size < unit.size ||
        !sill_http_view_is_alike(unit, SILL_HTTP_VIEW("bytes=")))
        return false;
    value->at += unit.size;
    value->size -= unit.size;
    return true;
}

int sill_http_ranges_parse(struct sill_http_view value, uint64_t size,
                           struct sill_http_range ranges[RANGES_MAX])
{
    int count = 0, asked = 0;
    uint64_t total = 0;

    if (!take_unit(&value))
        return 0;
    for (;;) {
        struct sill_http_view text = sill_http_list_next(&value);
        if (text.at == NULL)
            break;
        if (asked++ == RANGES_MAX)
            return 0;
        enum found found = parse_range(text, size, &ranges[count]);
        if (found == MALFORMED)
            return 0;
        if (found == UNSATISFIABLE)
            continue;
        total += ranges[count].last - ranges[count].first + 1;
        count++;
    }
    if (asked == 0 || total > size)
        return 0;
    return count > 0 ? count : -1;
}
