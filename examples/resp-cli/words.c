/* SPDX-License-Identifier: MIT */
/*
 * words.c: lines into words. See resp-cli.h.
 */
#include "resp-cli.h"

#include <ctype.h>
#include <string.h>

static bool is_blank(char c)
{
    return isspace((unsigned char)c) != 0;
}

static int digit(char c)
{
    if (!isxdigit((unsigned char)c))
        return -1;
    return isdigit((unsigned char)c) ? c - '0' : tolower(c) - 'a' + 10;
}

/* Reads what comes behind a backslash in "double quotes". */
static const char *read_escape(const char *from, char *out)
{
    static const char letters[] = "nrtba", meanings[] = "\n\r\t\b\a";
    const char *letter = strchr(letters, *from);
    if (*from == 'x' && digit(from[1]) >= 0 && digit(from[2]) >= 0) {
        *out = (char)(digit(from[1]) * 16 + digit(from[2]));
        return from + 3;
    }
    *out = letter != NULL ? meanings[letter - letters] : *from;
    return from + 1;
}

/* Reads what is quoted. Returns what comes behind it, or NULL. */
static const char *read_quoted(const char *from, char **out)
{
    char quote = *from++;
    while (*from != quote) {
        if (*from == '\0')
            return NULL;
        if (quote == '"' && from[0] == '\\' && from[1] != '\0') {
            from = read_escape(from + 1, (*out)++);
        } else {
            from += quote == '\'' && from[0] == '\\' && from[1] == '\'';
            *(*out)++ = *from++;
        }
    }
    return from[1] == '\0' || is_blank(from[1]) ? from + 1 : NULL;
}

static const char *read_word(const char *from, char **out)
{
    while (*from != '\0' && !is_blank(*from)) {
        if (*from == '"' || *from == '\'')
            return read_quoted(from, out);
        *(*out)++ = *from++;
    }
    return from;
}

bool cli_split(char *line, struct sill_resp_view *words, size_t *count)
{
    const char *from = line;
    for (*count = 0;; (*count)++) {
        while (is_blank(*from))
            from++;
        if (*from == '\0')
            return true;
        char *begin = line + (from - line), *end = begin;
        from = read_word(from, &end);
        if (from == NULL)
            return false;
        words[*count] = (struct sill_resp_view){begin, (size_t)(end - begin)};
    }
}
