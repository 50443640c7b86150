/* SPDX-License-Identifier: MIT */
/*
 * Lines of text. See text.h.
 */
#include "text.h"

#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static void add(struct sill_text *text, const char *word)
{
    while (text->room > 1 && *word != '\0') {
        *text->at++ = *word++;
        text->room--;
    }
}

void sill_text_words(struct sill_text *text, const char *const words[])
{
    while (*words)
        add(text, *words++);
    if (text->room > 0)
        *text->at = '\0';
}

const char *sill_text_number(char digits[SILL_TEXT_DIGITS], uint64_t number,
                             unsigned base)
{
    char *at = &digits[SILL_TEXT_DIGITS - 1];

    *at = '\0';
    do {
        *--at = "0123456789abcdef"[number % base];
        number /= base;
    } while (number > 0);
    return at;
}

void sill_text_print(const char *line)
{
    struct iovec pieces[] = {{(char *)line, strlen(line)}, {"\n", 1}};

    (void)!writev(STDERR_FILENO, pieces, 2);
}
