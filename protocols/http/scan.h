/* SPDX-License-Identifier: MIT */
/*
 * scan.h: what each byte may be, and how to run over many of them quickly.
 *
 * Nothing here looks at (end) or behind it.
 */
#ifndef SILL_HTTP_SCAN_H
#define SILL_HTTP_SCAN_H

#include "sill_http_message.h"

#include <string.h>

enum sill_http_class {
    SILL_HTTP_IS_TOKEN = 1,  /* RFC 9110 section 5.6.2 */
    SILL_HTTP_IS_TARGET = 2, /* visible ASCII but for " # < > */
    SILL_HTTP_IS_HOST = 4,   /* RFC 3986 reg-name, without '%' */
    SILL_HTTP_IS_HEX = 8,
    SILL_HTTP_IS_TEXT = 16 /* field-content, SP and HTAB */
};

extern const uint8_t sill_http_classes[256];

static inline bool sill_http_is(char c, unsigned class)
{
    return (sill_http_classes[(uint8_t)c] & class) != 0;
}

static inline bool sill_http_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline unsigned sill_http_hex(char c)
{
    unsigned digit = (unsigned)(uint8_t)c;
    return digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;
}

/* Returns the first byte of [at, end) that is not of (class), or (end). */
static inline const char *sill_http_skip(const char *at, const char *end,
                                         unsigned class)
{
    while (at < end && sill_http_is(*at, class))
        at++;
    return at;
}

static inline const char *sill_http_skip_space(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    return at;
}

/* Flags (bit 7) the bytes of (word) that are below 0x20 or 0x7f. Only the
 * lowest flag is exact. */
static inline uint64_t sill_http_controls(uint64_t word)
{
    const uint64_t ones = 0x0101010101010101, tops = ones << 7;
    uint64_t low = (word - ones * 0x20) & ~word;
    uint64_t rubout = word ^ (ones * 0x7f);
    rubout = (rubout - ones) & ~rubout;
    return (low | rubout) & tops;
}

/* Is sill_http_skip for SILL_HTTP_IS_TEXT, eight bytes at a time. */
static inline const char *sill_http_skip_text(const char *at, const char *end)
{
    while (end - at >= 8) {
        uint64_t word;
        memcpy(&word, at, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        word = __builtin_bswap64(word);
#endif
        uint64_t found = sill_http_controls(word);
        if (found == 0) {
            at += 8;
            continue;
        }
        at += __builtin_ctzll(found) / 8;
        if (*at != '\t')
            return at;
        at++;
    }
    return sill_http_skip(at, end, SILL_HTTP_IS_TEXT);
}

#endif
