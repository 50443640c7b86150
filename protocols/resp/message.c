/* SPDX-License-Identifier: MIT */
/*
 * The words that server, client and codec share. See sill_resp_message.h.
 */
#include "sill_resp_message.h"

#include "scan.h"

#include <string.h>

struct sill_resp_view sill_resp_view(const char *text)
{
    return (struct sill_resp_view){text, text == NULL ? 0 : strlen(text)};
}

bool sill_resp_view_is_equal(struct sill_resp_view a, struct sill_resp_view b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.at, b.at, a.size) == 0);
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

bool sill_resp_view_is_alike(struct sill_resp_view a, struct sill_resp_view b)
{
    size_t i = 0;
    if (a.size != b.size)
        return false;
    while (i < a.size && lower(a.at[i]) == lower(b.at[i]))
        i++;
    return i == a.size;
}

bool sill_resp_integer(struct sill_resp_view text, int64_t *number)
{
    char line[24];
    size_t at = 0;
    int64_t found;

    if (text.size == 0 || text.size > sizeof(line) - 2)
        return false;
    memcpy(line, text.at, text.size);
    memcpy(line + text.size, "\r\n", 2);
    size_t size = text.size + 2;
    if (sill_resp_scan_number(line, size, &at, &found, -1) != ON || at != size)
        return false;
    *number = found;
    return true;
}

const char *sill_resp_strerror(int error)
{
    static const char *const phrases[] = {
        "invalid multibulk length",
        "invalid bulk length",
        "expected '$'",
        "no CR LF after a bulk string",
        "CR or LF without the other",
        "unbalanced quotes in request",
        "too big inline request",
        "too big message",
        "unknown type",
        "too big line",
        "invalid integer",
        "invalid double",
        "invalid big number",
        "invalid boolean",
        "invalid null",
        "invalid verbatim string",
        "too many elements",
        "too deep",
        "push inside of a reply",
        "streamed values are not known here",
        "no room",
    };
    int at = SILL_RESP_EMULTIBULK - error;
    if (at < 0 || at >= (int)(sizeof(phrases) / sizeof(phrases[0])))
        return "unknown error";
    return phrases[at];
}
