/* SPDX-License-Identifier: MIT */
/*
 * print.c: values as redis-cli shows them. See resp-cli.h.
 */
#include "resp-cli.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void print_bytes(struct sill_resp_view text)
{
    fwrite(text.at, 1, text.size, stdout);
}

static void print_quoted(struct sill_resp_view text)
{
    static const char special[] = "\\\"\n\r\t\a\b", letters[] = "\\\"nrtab";
    putchar('"');
    for (size_t i = 0; i < text.size; i++) {
        char c = text.at[i];
        const char *found = c == '\0' ? NULL : strchr(special, c);
        if (found != NULL)
            printf("\\%c", letters[found - special]);
        else if (isprint((unsigned char)c))
            putchar(c);
        else
            printf("\\x%02x", (unsigned)(unsigned char)c);
    }
    putchar('"');
}

/* What holds no others. */
static void print_single(const struct sill_resp_value *value, bool raw)
{
    static const char *const kinds[SILL_RESP_PUSH + 1] = {
        [SILL_RESP_ERROR] = "(error) ",
        [SILL_RESP_INTEGER] = "(integer) ",
        [SILL_RESP_DOUBLE] = "(double) ",
    };
    if (!raw && kinds[value->type] != NULL)
        fputs(kinds[value->type], stdout);
    if (value->type == SILL_RESP_NULL)
        fputs(raw ? "" : "(nil)", stdout);
    else if (value->type == SILL_RESP_INTEGER)
        printf("%" PRId64, value->integer);
    else if (value->type == SILL_RESP_BOOLEAN)
        fputs(value->integer != 0 ? "(true)" : "(false)", stdout);
    else if (value->type == SILL_RESP_STRING && !raw)
        print_quoted(value->text);
    else
        print_bytes(value->text);
    if (value->type == SILL_RESP_ERROR && raw)
        putchar('\n');
}

/* ---- what holds others ---- */

static void print_raw(const struct sill_resp_value *value)
{
    const struct sill_resp_value *inner = value + 1;
    if (value->type < SILL_RESP_ARRAY)
        print_single(value, true);
    for (uint32_t i = 0; i < value->count; i++) {
        if (i > 0)
            putchar(value->type == SILL_RESP_MAP && i % 2 == 1 ? ' ' : '\n');
        print_raw(inner);
        inner += inner->span;
    }
}

static void print_empty(enum sill_resp_type type)
{
    static const char *const names[SILL_RESP_PUSH + 1] = {
        [SILL_RESP_ARRAY] = "array",
        [SILL_RESP_MAP] = "hash",
        [SILL_RESP_SET] = "set",
        [SILL_RESP_PUSH] = "push",
    };
    printf("(empty %s)", names[type]);
}

static int digits(uint32_t number)
{
    return snprintf(NULL, 0, "%" PRIu32, number);
}

static uint32_t entries(const struct sill_resp_value *value)
{
    return value->type == SILL_RESP_MAP ? value->count / 2 : value->count;
}

/* Whether it is shown in more than one. */
static bool takes_lines(const struct sill_resp_value *value)
{
    uint32_t most = 0;
    for (uint32_t i = 0; i < value->span; i++)
        most = entries(&value[i]) > most ? entries(&value[i]) : most;
    return most > 1;
}

/* Before the value of a pair, which begins a line if it takes several. */
static void print_arrow(const struct sill_resp_value *value, int indent)
{
    fputs(" => ", stdout);
    if (takes_lines(value))
        printf("\n%*s", indent, "");
}

/* All lines but the first one begin with (indent) blanks. */
static void print_tree(const struct sill_resp_value *value, int indent)
{
    bool is_map = value->type == SILL_RESP_MAP;
    const struct sill_resp_value *inner = value + 1;
    char mark = is_map ? '#' : value->type == SILL_RESP_SET ? '~' : ')';
    int width = digits(entries(value));

    if (value->type < SILL_RESP_ARRAY)
        print_single(value, false);
    else if (value->count == 0)
        print_empty(value->type);
    for (uint32_t i = 0; i < value->count; i++) {
        if (is_map && i % 2 == 1)
            print_arrow(inner, indent + width + 2);
        else
            printf("%s%*s%*" PRIu32 "%c ", i == 0 ? "" : "\n",
                   i == 0 ? 0 : indent, "", width, is_map ? i / 2 + 1 : i + 1,
                   mark);
        print_tree(inner, indent + width + 2);
        inner += inner->span;
    }
}

void cli_print(const struct sill_resp_value *value, bool raw)
{
    if (raw)
        print_raw(value);
    else
        print_tree(value, 0);
}
