/* SPDX-License-Identifier: MIT */
/*
 * words.c: replies and arguments that many commands have. See kv.h.
 */
#include "kv.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- replies ---- */

int kv_ok(struct sill_resp_session *session)
{
    sill_resp_reply_simple(session, "OK");
    return 0;
}

int kv_integer(struct sill_resp_session *session, int64_t number)
{
    sill_resp_reply_integer(session, number);
    return 0;
}

int kv_error(struct sill_resp_session *session, const char *text)
{
    sill_resp_reply_error(session, "%s", text);
    return 0;
}

int kv_no_memory(struct sill_resp_session *session)
{
    kv_log.has_failed = true;
    return kv_error(session, "OOM there is no memory for this");
}

int kv_syntax(struct sill_resp_session *session)
{
    return kv_error(session, "ERR syntax error");
}

int kv_unknown_subcommand(struct sill_resp_session *session,
                          const struct sill_resp_view *args)
{
    sill_resp_reply_error(
        session,
        "ERR unknown subcommand or wrong number of arguments for "
        "'%.*s'",
        (int)(args[1].size < 128 ? args[1].size : 128), args[1].at);
    return 0;
}

int kv_odd(struct sill_resp_session *session, const char *verb)
{
    sill_resp_reply_error(
        session, "ERR wrong number of arguments for '%s' command", verb);
    return 0;
}

struct sill_resp_view kv_print_score(double score, char *text)
{
    int size = snprintf(text, KV_SCORE_MAX, "%.17g", score);
    return (struct sill_resp_view){text, (size_t)size};
}

void kv_reply_score(struct sill_resp_session *session, double score)
{
    char text[KV_SCORE_MAX];
    sill_resp_reply_double(session, kv_print_score(score, text));
}

const char *kv_errno_text(int error)
{
    return strerror(error); /* NOLINT(concurrency-mt-unsafe): one thread does */
}

/* ---- arguments ---- */

bool kv_is(struct sill_resp_view arg, const char *word)
{
    return sill_resp_view_is_alike(arg, sill_resp_view(word));
}

bool kv_read_integer(struct sill_resp_session *session,
                     struct sill_resp_view text, int64_t *number)
{
    if (sill_resp_integer(text, number))
        return true;
    kv_error(session, "ERR value is not an integer or out of range");
    return false;
}

bool kv_read_count(struct sill_resp_session *session,
                   struct sill_resp_view text, size_t *number)
{
    int64_t read;
    bool good = sill_resp_integer(text, &read) && read >= 0;
    *number = good ? (size_t)read : 0;
    if (!good)
        kv_error(session, "ERR value is out of range, must be positive");
    return good;
}

bool kv_read_range(struct sill_resp_session *session,
                   const struct sill_resp_view *args, struct kv_range *range)
{
    return kv_read_integer(session, args[0], &range->first) &&
           kv_read_integer(session, args[1], &range->last);
}

void kv_range_settle(struct kv_range *range, size_t count)
{
    int64_t size = (int64_t)count;
    int64_t first = range->first < 0 ? range->first + size : range->first;
    int64_t last = range->last < 0 ? range->last + size : range->last;
    if (first < 0)
        first = 0;
    if (last >= size)
        last = size - 1;
    range->begin = first > last ? 0 : (size_t)first;
    range->end = first > last ? 0 : (size_t)last + 1;
}

/* ---- numbers with a fraction ---- */

bool kv_read_long_double(struct sill_resp_view text, long double *number)
{
    char copy[KV_FLOAT_MAX], *end;
    if (text.size == 0 || text.size >= sizeof(copy) || text.at[0] == ' ')
        return false;
    memcpy(copy, text.at, text.size);
    copy[text.size] = '\0';
    errno = 0;
    *number = strtold(copy, &end);
    if (errno == ERANGE && isinf(*number))
        return false;
    return *end == '\0' && strlen(copy) == text.size && !isnan(*number);
}

struct sill_resp_view kv_print_long_double(long double number, char *text)
{
    int size = snprintf(text, KV_FLOAT_MAX, "%.17Lf", number);
    while (text[size - 1] == '0')
        size--;
    size -= text[size - 1] == '.';
    return (struct sill_resp_view){text, (size_t)size};
}
