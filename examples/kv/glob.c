/* SPDX-License-Identifier: MIT */
/*
 * glob.c: patterns, as KEYS and PSUBSCRIBE know them. See kv.h.
 */
#include "kv.h"

/* What is left of a pattern. */
struct glob {
    const char *at, *end;
};

/* Takes one byte, escaped or not. */
static unsigned char take(struct glob *g)
{
    if (*g->at == '\\' && g->end - g->at > 1)
        g->at++;
    return (unsigned char)*g->at++;
}

/* Takes "[a-z]", from behind its bracket. Returns whether (c) is in it. */
static bool take_class(struct glob *g, unsigned char c)
{
    bool negated = g->at < g->end && *g->at == '^', found = false;
    g->at += negated;
    while (g->at < g->end && *g->at != ']') {
        unsigned char low = take(g), high = low;
        if (g->end - g->at > 2 && g->at[0] == '-' && g->at[1] != ']') {
            g->at++;
            high = take(g);
        }
        found = found || (low <= c && c <= high) || (high <= c && c <= low);
    }
    if (g->at < g->end)
        g->at++;
    return found != negated;
}

/* Takes what stands for one byte. Returns whether (c) is one. */
static bool take_one(struct glob *g, unsigned char c)
{
    if (g->at == g->end)
        return false;
    if (*g->at == '?') {
        g->at++;
        return true;
    }
    if (*g->at == '[') {
        g->at++;
        return take_class(g, c);
    }
    return take(g) == c;
}

/* After a mismatch only the last star has to try again, one byte further. */
bool kv_is_like(struct sill_resp_view pattern, struct sill_resp_view text)
{
    struct glob g = {pattern.at, pattern.at + pattern.size};
    struct glob star = {NULL, NULL};
    size_t at = 0, star_at = 0;

    while (at < text.size || g.at < g.end) {
        if (g.at < g.end && *g.at == '*') {
            g.at++;
            star = g;
            star_at = at;
        } else if (at < text.size && take_one(&g, (unsigned char)text.at[at])) {
            at++;
        } else if (star.at != NULL && star_at < text.size) {
            g = star;
            at = ++star_at;
        } else {
            return false;
        }
    }
    return true;
}
