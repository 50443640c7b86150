/* SPDX-License-Identifier: MIT */
/*
 * zsets.c: commands about sorted sets. See kv.h.
 */
#include "kv.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- scores ---- */

static bool read_score(struct sill_resp_session *session,
                       struct sill_resp_view text, double *score)
{
    char copy[256] = "", *end = copy;
    bool good = text.size > 0 && text.size < sizeof(copy) && text.at[0] != ' ';
    if (good) {
        memcpy(copy, text.at, text.size);
        errno = 0;
        *score = strtod(copy, &end);
        good = end == copy + text.size && !isnan(*score) &&
               !(errno == ERANGE && (isinf(*score) || *score == 0));
        *score += 0.0; /* not -0 */
    }
    if (!good)
        kv_error(session, "ERR value is not a valid float");
    return good;
}

/* ---- the type ---- */

static size_t count_members(const struct kv_entry *entry)
{
    return entry->sorted.table.count;
}

static void clear(struct kv_entry *entry)
{
    kv_sorted_clear(&entry->sorted);
}

static bool copy(struct kv_entry *to, const struct kv_entry *from)
{
    const struct kv_node *n = NULL;
    bool done = true;
    while (done && (n = kv_table_next(&from->sorted.table, n)) != NULL)
        done = kv_sorted_add(&to->sorted, kv_node_key(n),
                             ((const struct kv_member *)n)->score);
    return done;
}

static void tell(const struct kv_entry *entry,
                 void (*take)(void *arg, struct sill_resp_view text), void *arg)
{
    const struct kv_node *n = NULL;
    char text[KV_SCORE_MAX];
    while ((n = kv_table_next(&entry->sorted.table, n)) != NULL) {
        take(arg, kv_print_score(((const struct kv_member *)n)->score, text));
        take(arg, kv_node_key(n));
    }
}

const struct kv_kind kv_sorted_kind = {"zset", "ZADD", 2,   count_members,
                                       clear,  copy,   tell};

static struct kv_member *find(const struct kv_entry *entry,
                              struct sill_resp_view name)
{
    return entry == NULL ? NULL : kv_sorted_find(&entry->sorted, name);
}

/* ---- to add ---- */

/* Words of ZADD, and what was done with them. */
struct how {
    bool only_new, only_old, greater, less, changes, increment;
    int64_t added, changed;
    bool is_set; /* whether there is a score, which is */
    double score;
};

static bool *flag_of(struct how *how, struct sill_resp_view word)
{
    return kv_is(word, "nx")     ? &how->only_new
           : kv_is(word, "xx")   ? &how->only_old
           : kv_is(word, "gt")   ? &how->greater
           : kv_is(word, "lt")   ? &how->less
           : kv_is(word, "ch")   ? &how->changes
           : kv_is(word, "incr") ? &how->increment
                                 : NULL;
}

/* Returns what is wrong with the words and (left) arguments behind them. */
static const char *objection(const struct how *how, size_t left)
{
    if (left == 0 || left % 2 != 0)
        return "ERR syntax error";
    if (how->only_new && how->only_old)
        return "ERR XX and NX options at the same time are not compatible";
    if (how->greater + how->less + how->only_new > 1)
        return "ERR GT, LT, and/or NX options at the same time are not "
               "compatible";
    if (how->increment && left > 2)
        return "ERR INCR option supports a single increment-element pair";
    return NULL;
}

/* Returns whether the words allow it to become (score). */
static bool is_allowed(const struct how *how, const struct kv_member *member,
                       double score)
{
    return !how->only_new && !(how->greater && score <= member->score) &&
           !(how->less && score >= member->score);
}

/* Returns 0, SILL_ENOMEM, or SILL_EINVAL for a score that is none. */
static int change(struct kv_entry *entry, struct how *how,
                  struct sill_resp_view name, double score)
{
    struct kv_member *member = find(entry, name);
    how->is_set = false;
    if (member != NULL && how->increment && !how->only_new)
        score += member->score;
    if (isnan(score))
        return SILL_EINVAL;
    if (member == NULL ? how->only_old : !is_allowed(how, member, score))
        return 0;
    if (member == NULL && !kv_sorted_add(&entry->sorted, name, score))
        return SILL_ENOMEM;
    how->added += member == NULL;
    if (member != NULL && score != member->score) {
        kv_sorted_move(&entry->sorted, member, score);
        how->changed++;
    }
    how->is_set = true;
    how->score = score;
    return 0;
}

static int reply_change(struct sill_resp_session *session,
                        const struct how *how)
{
    if (!how->increment)
        return kv_integer(session,
                          how->added + (how->changes ? how->changed : 0));
    if (how->is_set)
        kv_reply_score(session, how->score);
    else
        sill_resp_reply_null(session);
    return 0;
}

/* Sets the scores of (pairs), in (count) arguments. */
static int change_all(struct sill_resp_session *session,
                      struct sill_resp_view key, struct how *how,
                      const struct sill_resp_view *pairs, size_t count)
{
    struct kv_entry *entry;
    double score;
    int rc = 0;
    for (size_t i = 0; i < count; i += 2)
        if (!read_score(session, pairs[i], &score))
            return 0;
    if (!kv_find_as(session, key, KV_SORTED, &entry))
        return 0;
    if (entry == NULL && how->only_old)
        return reply_change(session, how);
    entry = kv_make_as(key, KV_SORTED);
    if (entry == NULL)
        return kv_no_memory(session);
    for (size_t i = 0; rc == 0 && i < count; i += 2) {
        (void)read_score(session, pairs[i], &score);
        rc = change(entry, how, pairs[i + 1], score);
    }
    if (how->added + how->changed > 0 || count_members(entry) == 0)
        kv_changed(entry);
    return rc == SILL_ENOMEM ? kv_no_memory(session)
           : rc < 0 ? kv_error(session, "ERR resulting score is not a number "
                                        "(NaN)")
                    : reply_change(session, how);
}

KV_HANDLER(zadd)
{
    struct how how = {0};
    bool *flag;
    size_t at = 2;
    while (at < count && (flag = flag_of(&how, args[at])) != NULL) {
        *flag = true;
        at++;
    }
    const char *why = objection(&how, count - at);
    return why != NULL
               ? kv_error(session, why)
               : change_all(session, args[1], &how, args + at, count - at);
}

KV_HANDLER(zincrby)
{
    struct how how = {.increment = true};
    return change_all(session, args[1], &how, args + 2, 2);
}

KV_HANDLER(zrem)
{
    struct kv_entry *entry;
    int64_t removed = 0;
    if (!kv_find_as(session, args[1], KV_SORTED, &entry))
        return 0;
    for (size_t i = 2; i < count; i++) {
        struct kv_member *member = find(entry, args[i]);
        if (member == NULL)
            continue;
        kv_sorted_remove(&entry->sorted, member);
        removed++;
    }
    if (removed > 0)
        kv_changed(entry);
    return kv_integer(session, removed);
}

/* ---- to ask ---- */

static void reply_member(struct sill_resp_session *session,
                         const struct kv_member *member)
{
    if (member == NULL)
        sill_resp_reply_null(session);
    else
        kv_reply_score(session, member->score);
}

KV_HANDLER(zscore)
{
    struct kv_entry *entry;
    if (kv_find_as(session, args[1], KV_SORTED, &entry))
        reply_member(session, find(entry, args[2]));
    return 0;
}

KV_HANDLER(zmscore)
{
    struct kv_entry *entry;
    if (!kv_find_as(session, args[1], KV_SORTED, &entry))
        return 0;
    sill_resp_reply_array(session, count - 2);
    for (size_t i = 2; i < count; i++)
        reply_member(session, find(entry, args[i]));
    return 0;
}

KV_HANDLER(zcard)
{
    struct kv_entry *entry;
    if (!kv_find_as(session, args[1], KV_SORTED, &entry))
        return 0;
    return kv_integer(session,
                      entry == NULL ? 0 : (int64_t)count_members(entry));
}

static int reply_rank(struct sill_resp_session *session,
                      const struct sill_resp_view *args, bool reverse)
{
    struct kv_entry *entry;
    if (!kv_find_as(session, args[1], KV_SORTED, &entry))
        return 0;
    const struct kv_member *member = find(entry, args[2]);
    if (member == NULL) {
        sill_resp_reply_null(session);
        return 0;
    }
    size_t rank = kv_sorted_rank(&entry->sorted, member);
    return kv_integer(
        session, (int64_t)(reverse ? count_members(entry) - 1 - rank : rank));
}

KV_HANDLER(zrank)
{
    return reply_rank(session, args, false);
}

KV_HANDLER(zrevrank)
{
    return reply_rank(session, args, true);
}

static void reply_node(struct sill_resp_session *session,
                       const struct kv_node *node)
{
    char text[KV_SCORE_MAX];
    double score = ((const struct kv_member *)node)->score;
    sill_resp_reply_string(session, kv_print_score(score, text));
}

KV_HANDLER(zscan)
{
    return kv_scan_value(session, args, count, KV_SORTED, reply_node);
}

static const struct sill_resp_verb verbs[] = {
    {"zadd", zadd, -4, KV_WRITES | KV_GROWS},
    {"zcard", zcard, 2, 0},
    {"zincrby", zincrby, 4, KV_WRITES | KV_GROWS},
    {"zmscore", zmscore, -3, 0},
    {"zrank", zrank, 3, 0},
    {"zrem", zrem, -3, KV_WRITES},
    {"zrevrank", zrevrank, 3, 0},
    {"zscan", zscan, -3, 0},
    {"zscore", zscore, 3, 0},
};

const struct kv_verbs kv_sorted_verbs = KV_VERBS(verbs);
