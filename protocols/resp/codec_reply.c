/* SPDX-License-Identifier: MIT */
/*
 * Replies: what a client reads.
 *
 * The values of a reply are a row in which each stands before those that it
 * holds. While it is read, one that is not complete counts in (integer) how
 * many of them are missing, and knows in (span) the one that holds itself.
 */
#include "codec.h"

#include "scan.h"

#include <string.h>

enum state { HEAD, BODY };

#define NONE UINT32_MAX

/* Held like a map, and then forgotten. */
#define ATTRIBUTE ((enum sill_resp_type)(SILL_RESP_PUSH + 1))

/* What the first byte of a value says about the rest. */
struct kind {
    enum sill_resp_type type;
    int (*take)(struct sill_resp_reply *, const char *data, size_t size);
};

void sill_resp_reply_init(struct sill_resp_reply *reply,
                          struct sill_resp_value *values, size_t room,
                          const struct sill_resp_limits *limits)
{
    *reply = (struct sill_resp_reply){.values = values,
                                      .room = room,
                                      .limits = limits,
                                      .owed = 1,
                                      .open = NONE};
}

/* The value at hand, which is not counted yet. */
static struct sill_resp_value *present(const struct sill_resp_reply *r)
{
    return &r->values[r->count];
}

/* The value at hand is there: so may those be that it was the last one of. */
static void complete(struct sill_resp_reply *r)
{
    r->owed--;
    while (r->open != NONE) {
        struct sill_resp_value *holder = &r->values[r->open];
        uint32_t at = r->open;
        if (--holder->integer > 0)
            return;
        r->open = holder->span;
        r->depth--;
        holder->integer = 0;
        holder->span = (uint32_t)r->count - at;
        if (holder->type == ATTRIBUTE) {
            r->count = at;
            return;
        }
    }
}

static int finish(struct sill_resp_reply *r, size_t end)
{
    present(r)->span = 1;
    r->count++;
    r->at = end;
    r->scanned = 0;
    r->state = HEAD;
    complete(r);
    return ON;
}

/* ---- lines ---- */

/* Finds the end of the line that begins at the value at hand: (*text) is what
 * is between its type and CR LF. */
static int find_line(struct sill_resp_reply *r, const char *data, size_t size,
                     struct sill_resp_view *text)
{
    size_t from = r->at + 1, line = r->limits->line;
    bool cut = size - r->at >= line;
    size_t end = cut ? r->at + line : size;

    if (r->scanned > from)
        from = r->scanned;
    const char *mark = memchr(data + from, '\r', end - from);
    size_t stop = mark != NULL ? (size_t)(mark - data) : end;
    if (memchr(data + from, '\n', stop - from) != NULL)
        return SILL_RESP_ENEWLINE;
    r->scanned = stop;
    if (stop + 2 > end)
        return cut ? SILL_RESP_ELINE : MORE;
    if (data[stop + 1] != '\n')
        return SILL_RESP_ENEWLINE;
    *text = (struct sill_resp_view){data + r->at + 1, stop - r->at - 1};
    return ON;
}

static int take_line(struct sill_resp_reply *r, const char *data, size_t size)
{
    struct sill_resp_view *text = &present(r)->text;
    int rc = find_line(r, data, size, text);
    return rc == ON ? finish(r, r->at + text->size + 3) : rc;
}

static size_t skip_digits(struct sill_resp_view text, size_t at)
{
    while (at < text.size && sill_resp_is_digit(text.at[at]))
        at++;
    return at;
}

static bool has_sign(struct sill_resp_view text)
{
    return text.size > 0 && (text.at[0] == '-' || text.at[0] == '+');
}

static bool is_big_number(struct sill_resp_view text)
{
    size_t first = has_sign(text);
    return text.size > first && skip_digits(text, first) == text.size;
}

static bool is_word(struct sill_resp_view text, size_t at, const char *name)
{
    return text.size - at == 3 && memcmp(text.at + at, name, 3) == 0;
}

/* Takes "e-3", if it is there, in full. */
static bool ends_with_exponent(struct sill_resp_view text, size_t at)
{
    if (at == text.size)
        return true;
    if ((text.at[at] | 0x20) != 'e')
        return false;
    return is_big_number(
        (struct sill_resp_view){text.at + at + 1, text.size - at - 1});
}

static bool is_double(struct sill_resp_view text)
{
    size_t first = has_sign(text), at = skip_digits(text, first);
    if (is_word(text, first, "inf") || is_word(text, first, "nan"))
        return true;
    if (at == first)
        return false;
    if (at < text.size && text.at[at] == '.') {
        first = at + 1;
        at = skip_digits(text, first);
        if (at == first)
            return false;
    }
    return ends_with_exponent(text, at);
}

static int take_double(struct sill_resp_reply *r, const char *data, size_t size)
{
    struct sill_resp_view *text = &present(r)->text;
    int rc = find_line(r, data, size, text);
    if (rc == ON && !is_double(*text))
        rc = SILL_RESP_EDOUBLE;
    return rc == ON ? finish(r, r->at + text->size + 3) : rc;
}

static int take_big_number(struct sill_resp_reply *r, const char *data,
                           size_t size)
{
    struct sill_resp_view *text = &present(r)->text;
    int rc = find_line(r, data, size, text);
    if (rc == ON && !is_big_number(*text))
        rc = SILL_RESP_EBIG_NUMBER;
    return rc == ON ? finish(r, r->at + text->size + 3) : rc;
}

/* ---- what has one shape ---- */

static int take_integer(struct sill_resp_reply *r, const char *data,
                        size_t size)
{
    /* The one place where a '+' before a number is allowed. */
    size_t at = r->at + 1;
    bool plus = at < size && data[at] == '+';
    at += plus;
    if (plus && at < size && !sill_resp_is_digit(data[at]))
        return SILL_RESP_EINTEGER;
    int rc = sill_resp_scan_number(data, size, &at, &present(r)->integer,
                                   SILL_RESP_EINTEGER);
    return rc == ON ? finish(r, at) : rc;
}

static int take_boolean(struct sill_resp_reply *r, const char *data,
                        size_t size)
{
    size_t at = r->at + 1;
    if (at == size)
        return MORE;
    if (data[at] != 't' && data[at] != 'f')
        return SILL_RESP_EBOOLEAN;
    present(r)->integer = data[at++] == 't';
    int rc = sill_resp_scan_newline(data, size, &at, SILL_RESP_EBOOLEAN);
    return rc == ON ? finish(r, at) : rc;
}

static int take_null(struct sill_resp_reply *r, const char *data, size_t size)
{
    size_t at = r->at + 1;
    int rc = sill_resp_scan_newline(data, size, &at, SILL_RESP_ENULL);
    return rc == ON ? finish(r, at) : rc;
}

/* ---- strings ---- */

/* Takes the length or count at hand. */
static int take_size(struct sill_resp_reply *r, const char *data, size_t size,
                     size_t *at, int64_t *number, int wrong)
{
    *at = r->at + 1;
    if (*at < size && data[*at] == '?')
        return SILL_RESP_ESTREAMED;
    int rc = sill_resp_scan_number(data, size, at, number, wrong);
    return rc == ON && *number < -1 ? wrong : rc;
}

static int finish_null(struct sill_resp_reply *r, size_t end)
{
    present(r)->type = SILL_RESP_NULL;
    return finish(r, end);
}

static int take_body(struct sill_resp_reply *r, const char *data, size_t size)
{
    struct sill_resp_value *value = present(r);
    size_t due = (size_t)r->due, at = r->at + due;

    if (value->type == SILL_RESP_VERBATIM && size - r->at > 3 &&
        data[r->at + 3] != ':')
        return SILL_RESP_EVERBATIM;
    if (size - r->at < due)
        return MORE;
    int rc = sill_resp_scan_newline(data, size, &at, SILL_RESP_EBULK_END);
    if (rc != ON)
        return rc;
    size_t format = value->type == SILL_RESP_VERBATIM ? 4 : 0;
    value->text = (struct sill_resp_view){data + r->at + format, due - format};
    return finish(r, at);
}

static int take_string(struct sill_resp_reply *r, const char *data, size_t size)
{
    int64_t length;
    size_t at;
    int rc = take_size(r, data, size, &at, &length, SILL_RESP_EBULK);
    if (rc != ON)
        return rc;
    if (length == -1)
        return data[r->at] == '$' ? finish_null(r, at) : SILL_RESP_EBULK;
    if ((uint64_t)length > r->limits->bulk)
        return SILL_RESP_EMESSAGE;
    if (at + (uint64_t)length + 2 > r->limits->message)
        return SILL_RESP_EMESSAGE;
    if (present(r)->type == SILL_RESP_VERBATIM && length < 4)
        return SILL_RESP_EVERBATIM;
    r->at = at;
    r->due = (uint64_t)length;
    r->state = BODY;
    return take_body(r, data, size);
}

/* ---- what holds others ---- */

/* Opens the value at hand, which holds (count) others. */
static void open_aggregate(struct sill_resp_reply *r, uint32_t count)
{
    struct sill_resp_value *value = present(r);
    value->count = count;
    value->integer = count;
    value->span = r->open;
    r->open = (uint32_t)r->count++;
    r->owed += count;
    r->depth++;
}

static int check_bounds(const struct sill_resp_reply *r, uint64_t count)
{
    bool forgotten = present(r)->type == ATTRIBUTE;
    if (r->count + r->owed + count + forgotten > r->limits->elements)
        return SILL_RESP_EELEMENTS;
    if (r->depth >= r->limits->depth)
        return SILL_RESP_EDEPTH;
    return ON;
}

/* Begins a value that holds (count) others. */
static int begin_aggregate(struct sill_resp_reply *r, size_t end,
                           uint64_t count)
{
    int rc = check_bounds(r, count);
    if (rc != ON)
        return rc;
    bool forgotten = present(r)->type == ATTRIBUTE;
    if (count == 0 && !forgotten)
        return finish(r, end);
    r->at = end;
    if (count == 0)
        return ON;
    open_aggregate(r, (uint32_t)count);
    r->owed -= !forgotten;
    return ON;
}

static int take_aggregate(struct sill_resp_reply *r, const char *data,
                          size_t size)
{
    enum sill_resp_type type = present(r)->type;
    int64_t count;
    size_t at;
    if (type == SILL_RESP_PUSH && r->count > 0)
        return SILL_RESP_EPUSH;
    int rc = take_size(r, data, size, &at, &count, SILL_RESP_EMULTIBULK);
    if (rc != ON)
        return rc;
    if (count == -1)
        return type == SILL_RESP_ARRAY ? finish_null(r, at)
                                       : SILL_RESP_EMULTIBULK;
    if (count > (int64_t)r->limits->elements)
        return SILL_RESP_EELEMENTS;
    bool pairs = type == SILL_RESP_MAP || type == ATTRIBUTE;
    return begin_aggregate(r, at, (uint64_t)count * (pairs ? 2 : 1));
}

/* ---- all of it ---- */

static const struct kind kinds[128] = {
    ['+'] = {SILL_RESP_SIMPLE, take_line},
    ['-'] = {SILL_RESP_ERROR, take_line},
    [':'] = {SILL_RESP_INTEGER, take_integer},
    ['$'] = {SILL_RESP_STRING, take_string},
    ['*'] = {SILL_RESP_ARRAY, take_aggregate},
    ['_'] = {SILL_RESP_NULL, take_null},
    ['#'] = {SILL_RESP_BOOLEAN, take_boolean},
    [','] = {SILL_RESP_DOUBLE, take_double},
    ['('] = {SILL_RESP_BIG_NUMBER, take_big_number},
    ['!'] = {SILL_RESP_ERROR, take_string},
    ['='] = {SILL_RESP_VERBATIM, take_string},
    ['%'] = {SILL_RESP_MAP, take_aggregate},
    ['~'] = {SILL_RESP_SET, take_aggregate},
    ['>'] = {SILL_RESP_PUSH, take_aggregate},
    ['|'] = {ATTRIBUTE, take_aggregate},
};

/* Takes the next value, with its type, length or count first. */
static int take_value(struct sill_resp_reply *r, const char *data, size_t size)
{
    if (r->state == BODY)
        return take_body(r, data, size);
    if (r->at == size)
        return MORE;
    unsigned char first = (unsigned char)data[r->at];
    if (first >= 128 || kinds[first].take == NULL)
        return SILL_RESP_ETYPE;
    if (r->count == r->room)
        return SILL_RESP_EROOM;
    *present(r) = (struct sill_resp_value){.type = kinds[first].type};
    return kinds[first].take(r, data, size);
}

/* The bytes were moved. A text that is there points into them. */
static void move(struct sill_resp_reply *r, const char *data)
{
    for (size_t i = 0; i < r->count; i++) {
        struct sill_resp_view *text = &r->values[i].text;
        if (text->at != NULL)
            text->at = sill_resp_moved(text->at, r->base, data);
    }
    r->base = data;
}

ssize_t sill_resp_reply_parse(struct sill_resp_reply *reply, const char *data,
                              size_t size)
{
    bool cut = size >= reply->limits->message;
    size_t end = cut ? (size_t)reply->limits->message : size;
    int rc = ON;

    if (reply->base != data)
        move(reply, data);
    while (rc == ON && reply->owed > 0)
        rc = take_value(reply, data, end);
    if (rc == MORE)
        return cut ? SILL_RESP_EMESSAGE : 0;
    return rc == ON ? (ssize_t)reply->at : rc;
}
