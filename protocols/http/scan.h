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
#ifdef __SSE2__
#include <emmintrin.h>
#endif

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
    for (; end - at >= 4; at += 4) {
        if (!sill_http_is(at[0], class))
            return at;
        if (!sill_http_is(at[1], class))
            return at + 1;
        if (!sill_http_is(at[2], class))
            return at + 2;
        if (!sill_http_is(at[3], class))
            return at + 3;
    }
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

/* Returns how many of the 8 bytes at (at) come before the first control
 * character, HTAB among these. */
static inline unsigned sill_http_text_in_8(const char *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    uint64_t found = sill_http_controls(word);
    return found == 0 ? 8 : (unsigned)__builtin_ctzll(found) / 8;
}

#ifdef __SSE2__
/* The same for 16 bytes: it takes a third off a request with long values. */
static inline unsigned sill_http_text_in_16(const char *at)
{
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
    __m128i low = _mm_min_epu8(bytes, _mm_set1_epi8(0x1f));
    __m128i rubout = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f));
    __m128i found = _mm_or_si128(_mm_cmpeq_epi8(low, bytes), rubout);
    unsigned mask = (unsigned)_mm_movemask_epi8(found);
    return (unsigned)__builtin_ctz(mask | 0x10000);
}
#endif

/* Is sill_http_skip for SILL_HTTP_IS_TEXT, many bytes at a time. */
static inline const char *sill_http_skip_text(const char *at, const char *end)
{
    unsigned step, full;
    while (end - at >= 8) {
#ifdef __SSE2__
        full = end - at >= 16 ? 16 : 8;
        step = full == 16 ? sill_http_text_in_16(at) : sill_http_text_in_8(at);
#else
        full = 8;
        step = sill_http_text_in_8(at);
#endif
        at += step;
        if (step == full)
            continue;
        if (*at != '\t')
            return at;
        at++;
    }
    return sill_http_skip(at, end, SILL_HTTP_IS_TEXT);
}

#endif
