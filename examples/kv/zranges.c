/* SPDX-License-Identifier: MIT */
/*
 * zranges.c: commands about those members of a sorted set that are between two
 * bounds. Each is first made a range of ranks. See kv.h.
 */
#include "kv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What the bounds are about. */
enum by { BY_ANY, BY_RANK, BY_SCORE, BY_NAME };

struct range {
    enum by by;
    bool reverse, scores, has_limit;
    int64_t offset, limit;
    struct kv_range ranks;
    struct kv_bound min, max;
};

/* ---- bounds ---- */

/* Reads "1.5", "(1.5" or "-inf". What is excluded is behind a lower bound, and
 * before an upper one. */
static bool read_score_bound(struct sill_resp_view text, bool upper,
                             struct kv_bound *bound)
{
    char copy[256], *end;
    bool excluded = text.size > 0 && text.at[0] == '(';
    if (text.size >= sizeof(copy))
        return false;
    memcpy(copy, text.at, text.size);
    copy[text.size] = '\0';
    *bound = (struct kv_bound){.by_score = true, .behind = excluded != upper};
    bound->score = strtod(copy + excluded, &end);
    return end == copy + text.size && !isnan(bound->score);
}

/* Reads "[a", "(a", "-" or "+". */
static bool read_name_bound(struct sill_resp_view text, bool upper,
                            struct kv_bound *bound)
{
    char kind = text.size > 0 ? text.at[0] : '\0';
    if (text.size == 1 && (kind == '-' || kind == '+')) {
        *bound = (struct kv_bound){.behind = kind == '+'};
        return true;
    }
    if (kind != '(' && kind != '[')
        return false;
    *bound = (struct kv_bound){.by_name = true,
                               .behind = (kind == '(') != upper,
                               .name = {text.at + 1, text.size - 1}};
    return true;
}

/* Reads both bounds. Replies with an error for what is none. */
static bool read_bounds(struct sill_resp_session *session,
                        struct sill_resp_view min, struct sill_resp_view max,
                        struct range *range)
{
    const struct sill_resp_view both[] = {min, max};
    if (range->by == BY_RANK)
        return kv_read_range(session, both, &range->ranks);
    bool scores = range->by == BY_SCORE;
    bool (*read)(struct sill_resp_view, bool, struct kv_bound *) =
        scores ? read_score_bound : read_name_bound;
    if (read(min, false, &range->min) && read(max, true, &range->max))
        return true;
    kv_error(session, scores ? "ERR min or max is not a float"
                             : "ERR min or max not valid string range item");
    return false;
}

/* Finds what is between the bounds. Returns the ranks of the first one and
 * behind the last one, as they are in order. */
static void settle(struct range *range, const struct kv_sorted *sorted)
{
    size_t count = sorted->table.count, begin, end;
    if (range->by == BY_RANK) {
        kv_range_settle(&range->ranks, count);
        begin = range->ranks.begin;
        end = range->ranks.end;
        if (range->reverse) {
            begin = count - range->ranks.end;
            end = count - range->ranks.begin;
        }
    } else {
        begin = kv_sorted_before(sorted, &range->min);
        end = kv_sorted_before(sorted, &range->max);
    }
    range->ranks.begin = begin;
    range->ranks.end = begin < end ? end : begin;
}

/* Leaves what LIMIT leaves. */
static void cut(struct range *range)
{
    size_t count = range->ranks.end - range->ranks.begin;
    size_t skipped = count, left;
    if (!range->has_limit)
        return;
    if (range->offset >= 0 && (size_t)range->offset < count)
        skipped = (size_t)range->offset;
    left = count - skipped;
    if (range->limit >= 0 && (size_t)range->limit < left)
        left = (size_t)range->limit;
    if (range->reverse)
        range->ranks.begin = range->ranks.end - skipped - left;
    else
        range->ranks.begin += skipped;
    range->ranks.end = range->ranks.begin + left;
}

/* ---- ZRANGE and its kin ---- */

/* Reads one word, or as many as belong together; returns how many, 0 for what
 * makes no sense, -1 with an error replied. */
static int read_word(struct sill_resp_session *session,
                     const struct sill_resp_view *args, size_t count,
                     bool is_plain, struct range *range)
{
    if (kv_is(args[0], "withscores")) {
        range->scores = true;
    } else if (kv_is(args[0], "limit") && count > 2) {
        range->has_limit = true;
        return kv_read_integer(session, args[1], &range->offset) &&
                       kv_read_integer(session, args[2], &range->limit)
                   ? 3
                   : -1;
    } else if (is_plain && kv_is(args[0], "rev")) {
        range->reverse = true;
    } else if (range->by == BY_ANY && kv_is(args[0], "byscore")) {
        range->by = BY_SCORE;
    } else if (range->by == BY_ANY && kv_is(args[0], "bylex")) {
        range->by = BY_NAME;
    } else {
        return 0;
    }
    return 1;
}

/* Reads the words behind the bounds. Replies with an error if need be. */
static bool read_words(struct sill_resp_session *session,
                       const struct sill_resp_view *args, size_t count,
                       struct range *range)
{
    bool is_plain = range->by == BY_ANY;
    int taken;
    for (size_t i = 4; i < count; i += (size_t)taken) {
        taken = read_word(session, args + i, count - i, is_plain, range);
        if (taken == 0)
            kv_syntax(session);
        if (taken <= 0)
            return false;
    }
    if (range->by == BY_ANY)
        range->by = BY_RANK;
    if (range->has_limit && range->limit != -1 && range->by == BY_RANK) {
        kv_error(session, "ERR syntax error, LIMIT is only supported in "
                          "combination with either BYSCORE or BYLEX");
        return false;
    }
    if (range->scores && range->by == BY_NAME) {
        kv_error(session, "ERR syntax error, WITHSCORES not supported in "
                          "combination with BYLEX");
        return false;
    }
    range->has_limit = range->has_limit && range->by != BY_RANK;
    return true;
}

static void reply_name(void *session, const struct kv_member *member)
{
    sill_resp_reply_string(session, kv_node_key(&member->node));
}

static void reply_both(void *session, const struct kv_member *member)
{
    reply_name(session, member);
    kv_reply_score(session, member->score);
}

static void reply_pair(void *session, const struct kv_member *member)
{
    sill_resp_reply_array(session, 2);
    reply_both(session, member);
}

/* RESP3 has pairs where RESP2 has names and scores in turn. */
static void reply_members(struct sill_resp_session *session,
                          const struct kv_sorted *sorted, size_t begin,
                          size_t end, bool reverse, bool scores)
{
    bool pairs = scores && sill_resp_session_version(session) == 3;
    sill_resp_reply_array(session, (scores && !pairs ? 2 : 1) * (end - begin));
    kv_sorted_visit(sorted, begin, end, reverse,
                    pairs    ? reply_pair
                    : scores ? reply_both
                             : reply_name,
                    session);
}

static int reply_range(struct sill_resp_session *session,
                       const struct sill_resp_view *args, size_t count,
                       enum by by, bool reverse)
{
    struct range range = {.by = by, .reverse = reverse};
    struct kv_entry *entry;
    if (!read_words(session, args, count, &range))
        return 0;
    bool swapped = range.reverse && range.by != BY_RANK;
    if (!read_bounds(session, args[swapped ? 3 : 2], args[swapped ? 2 : 3],
                     &range) ||
        !kv_find_as(session, args[1], KV_SORTED, &entry))
        return 0;
    if (entry == NULL) {
        sill_resp_reply_array(session, 0);
        return 0;
    }
    settle(&range, &entry->sorted);
    cut(&range);
    reply_members(session, &entry->sorted, range.ranks.begin, range.ranks.end,
                  range.reverse, range.scores);
    return 0;
}

KV_HANDLER(zrange)
{
    return reply_range(session, args, count, BY_ANY, false);
}

KV_HANDLER(zrevrange)
{
    return reply_range(session, args, count, BY_RANK, true);
}

KV_HANDLER(zrangebyscore)
{
    return reply_range(session, args, count, BY_SCORE, false);
}

KV_HANDLER(zrevrangebyscore)
{
    return reply_range(session, args, count, BY_SCORE, true);
}

KV_HANDLER(zrangebylex)
{
    return reply_range(session, args, count, BY_NAME, false);
}

KV_HANDLER(zrevrangebylex)
{
    return reply_range(session, args, count, BY_NAME, true);
}

/* ---- to count and to remove ---- */

static int reply_count(struct sill_resp_session *session,
                       const struct sill_resp_view *args, enum by by,
                       bool removes)
{
    struct range range = {.by = by};
    struct kv_entry *entry;
    if (!read_bounds(session, args[2], args[3], &range) ||
        !kv_find_as(session, args[1], KV_SORTED, &entry))
        return 0;
    if (entry == NULL)
        return kv_integer(session, 0);
    settle(&range, &entry->sorted);
    size_t found = range.ranks.end - range.ranks.begin;
    if (removes && found > 0) {
        kv_sorted_trim(&entry->sorted, range.ranks.begin, range.ranks.end);
        kv_changed(entry);
    }
    return kv_integer(session, (int64_t)found);
}

KV_HANDLER(zcount)
{
    return reply_count(session, args, BY_SCORE, false);
}

KV_HANDLER(zlexcount)
{
    return reply_count(session, args, BY_NAME, false);
}

KV_HANDLER(zremrangebyrank)
{
    return reply_count(session, args, BY_RANK, true);
}

KV_HANDLER(zremrangebyscore)
{
    return reply_count(session, args, BY_SCORE, true);
}

KV_HANDLER(zremrangebylex)
{
    return reply_count(session, args, BY_NAME, true);
}

/* ---- from an end ---- */

static int pop(struct sill_resp_session *session,
               const struct sill_resp_view *args, size_t count, bool reverse)
{
    struct kv_entry *entry;
    size_t most = 1;
    if (count > 3)
        return kv_syntax(session);
    if ((count == 3 && !kv_read_count(session, args[2], &most)) ||
        !kv_find_as(session, args[1], KV_SORTED, &entry))
        return 0;
    if (entry == NULL || most == 0) {
        sill_resp_reply_array(session, 0);
        return 0;
    }
    size_t all = entry->sorted.table.count;
    if (most > all)
        most = all;
    size_t begin = reverse ? all - most : 0;
    if (count == 2) {
        sill_resp_reply_array(session, 2);
        kv_sorted_visit(&entry->sorted, begin, begin + 1, false, reply_both,
                        session);
    } else {
        reply_members(session, &entry->sorted, begin, begin + most, reverse,
                      true);
    }
    kv_sorted_trim(&entry->sorted, begin, begin + most);
    kv_changed(entry);
    return 0;
}

KV_HANDLER(zpopmin)
{
    return pop(session, args, count, false);
}

KV_HANDLER(zpopmax)
{
    return pop(session, args, count, true);
}

static const struct sill_resp_verb verbs[] = {
    {"zcount", zcount, 4, 0},
    {"zlexcount", zlexcount, 4, 0},
    {"zpopmax", zpopmax, -2, KV_WRITES},
    {"zpopmin", zpopmin, -2, KV_WRITES},
    {"zrange", zrange, -4, 0},
    {"zrangebylex", zrangebylex, -4, 0},
    {"zrangebyscore", zrangebyscore, -4, 0},
    {"zremrangebylex", zremrangebylex, 4, KV_WRITES},
    {"zremrangebyrank", zremrangebyrank, 4, KV_WRITES},
    {"zremrangebyscore", zremrangebyscore, 4, KV_WRITES},
    {"zrevrange", zrevrange, -4, 0},
    {"zrevrangebylex", zrevrangebylex, -4, 0},
    {"zrevrangebyscore", zrevrangebyscore, -4, 0},
};

const struct kv_verbs kv_range_verbs = KV_VERBS(verbs);
