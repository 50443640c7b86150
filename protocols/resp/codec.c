/* SPDX-License-Identifier: MIT */
/*
 * Commands: what a server reads.
 */
#include "codec.h"

#include "scan.h"

#include <string.h>

enum state { BEGIN, INLINE, COUNT, LENGTH, BODY };

/* ---- numbers and line ends ---- */

int sill_resp_scan_newline(const char *data, size_t size, size_t *at, int wrong)
{
    if (*at == size)
        return MORE;
    if (data[*at] != '\r')
        return wrong;
    if (size - *at < 2)
        return MORE;
    if (data[*at + 1] != '\n')
        return SILL_RESP_ENEWLINE;
    *at += 2;
    return ON;
}

/* Takes one digit more. Returns whether it fits. */
static bool add_digit(int64_t *number, bool negative, char digit)
{
    int value = negative ? -(digit - '0') : digit - '0';
    return !__builtin_mul_overflow(*number, 10, number) &&
           !__builtin_add_overflow(*number, value, number);
}

/* Takes the digits from (*at) on. Returns ON at what is none. */
static int scan_digits(const char *data, size_t size, size_t *at,
                       int64_t *number, int wrong)
{
    bool negative = *at < size && data[*at] == '-';
    size_t first = *at + negative;

    *number = 0;
    for (*at = first; *at < size && sill_resp_is_digit(data[*at]); ++*at) {
        bool after_zero = *at > first && *number == 0;
        if (after_zero || !add_digit(number, negative, data[*at]))
            return wrong;
    }
    if (negative && *at > first && *number == 0)
        return wrong;
    if (*at == size)
        return MORE;
    return *at == first ? wrong : ON;
}

int sill_resp_scan_number(const char *data, size_t size, size_t *at,
                          int64_t *number, int wrong)
{
    size_t end = *at;
    int rc = scan_digits(data, size, &end, number, wrong);
    if (rc == ON)
        rc = sill_resp_scan_newline(data, size, &end, wrong);
    if (rc == ON)
        *at = end;
    return rc;
}

/* ---- inline commands ---- */

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static int hex(char c)
{
    if (sill_resp_is_digit(c))
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The rest of a line, which a word is taken from, and where the word goes: to
 * the same bytes, which it never overtakes, or nowhere. */
struct words {
    const char *at, *end;
    char *out;
};

static void put(struct words *w, char c)
{
    if (w->out != NULL)
        *w->out++ = c;
}

/* Takes what a backslash in double quotes stands before. */
static void escape(struct words *w)
{
    static const char from[] = "nrtba", to[] = "\n\r\t\b\a";
    char c = *w->at++;

    if (c == 'x' && w->end - w->at >= 2 && hex(w->at[0]) >= 0 &&
        hex(w->at[1]) >= 0) {
        put(w, (char)(hex(w->at[0]) * 16 + hex(w->at[1])));
        w->at += 2;
        return;
    }
    const char *known = memchr(from, c, sizeof(from) - 1);
    put(w, known != NULL ? to[known - from] : c);
}

/* Takes what is quoted, and the (quote) at its end. Returns whether it has one,
 * with nothing of the word behind. */
static bool quoted(struct words *w, char quote)
{
    while (w->at < w->end && *w->at != quote) {
        char c = *w->at++;
        bool more = c == '\\' && w->at < w->end;
        if (more && quote == '"') {
            escape(w);
        } else if (more && *w->at == quote) {
            put(w, *w->at++);
        } else {
            put(w, c);
        }
    }
    if (w->at == w->end)
        return false;
    w->at++;
    return w->at == w->end || is_space(*w->at);
}

/* Takes one word. Returns whether its quotes are in order. */
static bool word(struct words *w)
{
    while (w->at < w->end && !is_space(*w->at)) {
        char c = *w->at++;
        if (c != '"' && c != '\'')
            put(w, c);
        else if (!quoted(w, c))
            return false;
    }
    return true;
}

static void skip_space(struct words *w)
{
    while (w->at < w->end && is_space(*w->at))
        w->at++;
}

/* Returns how many words there are, or SILL_RESP_EQUOTES. */
static ssize_t count_words(struct words w)
{
    ssize_t count = 0;
    for (skip_space(&w); w.at < w.end; skip_space(&w), count++)
        if (!word(&w))
            return SILL_RESP_EQUOTES;
    return count;
}

static void take_words(struct sill_resp_command *c, char *line, size_t size)
{
    struct words w = {line, line + size, NULL};
    for (skip_space(&w); w.at < w.end; skip_space(&w)) {
        char *begin = w.out = line + (w.at - line);
        (void)word(&w);
        c->args[c->count++] =
            (struct sill_resp_view){begin, (size_t)(w.out - begin)};
    }
}

/* Returns the size of the line with its end, 0 or an error. */
static ssize_t find_line(struct sill_resp_command *c, const char *data,
                         size_t size)
{
    bool cut = size >= c->limits->line;
    size_t end = cut ? c->limits->line : size;
    const char *mark = memchr(data + c->scanned, '\n', end - c->scanned);
    c->scanned = end;
    if (mark == NULL)
        return cut ? SILL_RESP_EINLINE : 0;
    c->scanned = (size_t)(mark - data);
    return mark - data + 1;
}

static ssize_t parse_inline(struct sill_resp_command *c, char *data,
                            size_t size)
{
    ssize_t line = find_line(c, data, size);
    if (line <= 0)
        return line;
    ssize_t count = count_words((struct words){data, data + line, NULL});
    if (count < 0)
        return count;
    if ((size_t)count > c->limits->elements)
        return SILL_RESP_EMULTIBULK;
    if ((size_t)count > c->room)
        return SILL_RESP_EROOM;
    take_words(c, data, (size_t)line);
    return line;
}

/* ---- arrays of strings ---- */

/* Takes "*count". */
static int take_count(struct sill_resp_command *c, const char *data,
                      size_t size)
{
    size_t at = 1;
    int rc =
        sill_resp_scan_number(data, size, &at, &c->left, SILL_RESP_EMULTIBULK);
    if (rc != ON)
        return rc;
    if (c->left < -1 || c->left > (int64_t)c->limits->elements)
        return SILL_RESP_EMULTIBULK;
    c->at = at;
    c->state = LENGTH;
    return ON;
}

/* Takes "$length". */
static int take_length(struct sill_resp_command *c, const char *data,
                       size_t size)
{
    size_t at = c->at + 1;
    if (c->at == size)
        return MORE;
    c->got = data[c->at];
    if (c->got != '$')
        return SILL_RESP_EDOLLAR;
    int rc = sill_resp_scan_number(data, size, &at, &c->due, SILL_RESP_EBULK);
    if (rc != ON)
        return rc;
    if (c->due < 0 || (uint64_t)c->due > c->limits->bulk)
        return SILL_RESP_EBULK;
    if (at + (uint64_t)c->due + 2 > c->limits->message)
        return SILL_RESP_EMESSAGE;
    c->at = at;
    c->state = BODY;
    return ON;
}

/* Takes the string itself. */
static int take_string(struct sill_resp_command *c, const char *data,
                       size_t size)
{
    size_t due = (size_t)c->due, at = c->at + due;
    if (size - c->at < due)
        return MORE;
    int rc = sill_resp_scan_newline(data, size, &at, SILL_RESP_EBULK_END);
    if (rc != ON)
        return rc;
    if (c->count == c->room)
        return SILL_RESP_EROOM;
    c->args[c->count++] = (struct sill_resp_view){data + c->at, due};
    c->at = at;
    c->left--;
    c->state = LENGTH;
    return ON;
}

static int take_arguments(struct sill_resp_command *c, const char *data,
                          size_t size)
{
    int rc = ON;
    while (rc == ON && c->left > 0)
        rc = c->state == LENGTH ? take_length(c, data, size)
                                : take_string(c, data, size);
    return rc;
}

static ssize_t parse_array(struct sill_resp_command *c, const char *data,
                           size_t size)
{
    bool cut = size >= c->limits->message;
    size_t end = cut ? (size_t)c->limits->message : size;
    int rc = c->state == COUNT ? take_count(c, data, end) : ON;
    if (rc == ON)
        rc = take_arguments(c, data, end);
    if (rc == MORE)
        return cut ? SILL_RESP_EMESSAGE : 0;
    return rc == ON ? (ssize_t)c->at : rc;
}

void sill_resp_command_init(struct sill_resp_command *command,
                            struct sill_resp_view *args, size_t room,
                            const struct sill_resp_limits *limits)
{
    *command = (struct sill_resp_command){
        .args = args, .room = room, .limits = limits};
}

ssize_t sill_resp_command_parse(struct sill_resp_command *command, char *data,
                                size_t size)
{
    if (size == 0)
        return 0;
    if (command->base != data)
        for (size_t i = 0; i < command->count; i++)
            command->args[i].at =
                sill_resp_moved(command->args[i].at, command->base, data);
    command->base = data;
    if (command->state == BEGIN)
        command->state = data[0] == '*' ? COUNT : INLINE;
    return command->state == INLINE ? parse_inline(command, data, size)
                                    : parse_array(command, data, size);
}
