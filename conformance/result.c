/* SPDX-License-Identifier: MIT */
/*
 * Words, counts and texts of results. See result.h.
 */
#include "result.h"

#include <stdlib.h>
#include <string.h>

/* Kept in a list only to be found: by a person who looks for leaks. */
static struct kept {
    struct kept *next;
    char *text;
} * kept;

const char *text_keep(char *text)
{
    struct kept *entry = text ? malloc(sizeof(*entry)) : NULL;

    if (!entry) {
        free(text);
        return "";
    }
    *entry = (struct kept){kept, text};
    kept = entry;
    return text;
}

static const char *const words[] = {
    [PASSED] = "pass",    [FAILED] = "fail",      [CRASHED] = "crash",
    [HUNG] = "hang",      [SKIPPED] = "skip",     [DISABLED] = "disabled",
    [EXPECTED] = "xfail", [UNEXPECTED] = "xpass",
};

enum { OUTCOMES = sizeof(words) / sizeof(words[0]) };

const char *outcome_word(enum outcome outcome)
{
    return words[outcome];
}

bool outcome_of(const char *word, enum outcome *outcome)
{
    for (int i = 0; i < OUTCOMES; i++)
        if (strcmp(words[i], word) == 0) {
            *outcome = (enum outcome)i;
            return true;
        }
    return false;
}

bool outcome_is_bad(enum outcome outcome)
{
    return outcome == FAILED || outcome == CRASHED || outcome == HUNG ||
           outcome == UNEXPECTED;
}

size_t results_count(const struct results *results, enum outcome outcome)
{
    size_t count = 0;

    for (size_t i = 0; i < results->count; i++)
        count += results->at[i].outcome == outcome;
    return count;
}

size_t results_count_bad(const struct results *results)
{
    size_t count = 0;

    for (size_t i = 0; i < results->count; i++)
        count += outcome_is_bad(results->at[i].outcome);
    return count;
}

static bool are_together(const struct result *a, const struct result *b)
{
    return strcmp(a->backend, b->backend) == 0 && strcmp(a->mode, b->mode) == 0;
}

bool results_next(const struct results *results, struct results *part)
{
    struct result *begin = part->at ? part->at + part->count : results->at;
    const struct result *end = results->at + results->count;

    part->at = begin;
    part->count = 0;
    while (begin + part->count < end &&
           are_together(begin, begin + part->count))
        part->count++;
    return part->count > 0;
}
