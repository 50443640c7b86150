/* SPDX-License-Identifier: MIT */
/*
 * text.h: lines of text, for libsill alone.
 *
 * Whatever uses printf brings 15 KB of it into a static program, and no handler
 * of a signal may call it.
 */
#ifndef TEXT_H
#define TEXT_H

#include <stddef.h>
#include <stdint.h>

/* Where more goes, and the bytes that are left there, one for the NUL included;
 * 0 for nothing at all. */
struct sill_text {
    char *at;
    size_t room;
};

/* The longest line that the core logs, with its NUL. */
enum { SILL_TEXT_LINE = 512 };

/* What sill_text_number needs. */
enum { SILL_TEXT_DIGITS = 21 };

/* Adds the words, as far as there is room, and a NUL. */
#define sill_text_add(text, ...)                                               \
    sill_text_words(text, (const char *const[]){__VA_ARGS__, NULL})
void sill_text_words(struct sill_text *text, const char *const words[]);

/* Returns (number) in a base of up to 16, which stands in (digits). */
const char *sill_text_number(char digits[SILL_TEXT_DIGITS], uint64_t number,
                             unsigned base);

/* Writes (line) and a newline to standard error, at once. */
void sill_text_print(const char *line);

/* hooks.c: what sill_log does with a line that is made. */
void sill_text_log(const char *line);

#endif
