/* SPDX-License-Identifier: MIT */
/*
 * The matrix rule x backend, as text for a terminal.
 */
#include "report.h"

#include <string.h>

enum { WIDTH = 80, COLUMN = 10, FIRST = 5 };

/* What (part) says about a rule, in one word and a count. */
static void summarise(const struct results *part, const char *rule, char *cell,
                      size_t size)
{
    size_t count[UNEXPECTED + 1] = {0}, all = 0, bad = 0;

    for (size_t i = 0; i < part->count; i++) {
        const struct result *r = &part->at[i];

        if (strcmp(r->rule, rule) != 0)
            continue;
        all++;
        count[r->outcome]++;
        bad += outcome_is_bad(r->outcome);
    }
    if (bad > 0)
        snprintf(cell, size, "FAIL %zu", bad);
    else if (count[EXPECTED] > 0)
        snprintf(cell, size, "xfail %zu", count[EXPECTED]);
    else if (count[PASSED] > 0)
        snprintf(cell, size, "ok %zu", count[PASSED]);
    else
        snprintf(cell, size, "%s", all > 0 ? "skip" : "-");
}

static void write_row(FILE *out, const struct results *results,
                      const struct rule *rule)
{
    struct results part = {0};
    int used = FIRST;
    char cell[32];

    fprintf(out, "%-*s", FIRST, rule->id);
    for (; results_next(results, &part); used += COLUMN) {
        summarise(&part, rule->id, cell, sizeof(cell));
        fprintf(out, " %-*.*s", COLUMN - 1, COLUMN - 1, cell);
    }
    fprintf(out, " %.*s\n", used < WIDTH - 1 ? WIDTH - 1 - used : 0,
            rule->says);
}

static void write_bad(FILE *out, const struct results *results)
{
    for (size_t i = 0; i < results->count; i++) {
        const struct result *r = &results->at[i];

        if (outcome_is_bad(r->outcome))
            fprintf(out, "%s %s.%s on %s, %s: %s:%d: %s\n",
                    outcome_word(r->outcome), r->rule, r->name, r->backend,
                    r->mode, r->file, r->line, r->message);
    }
}

static void write_sums(FILE *out, const struct results *results)
{
    struct results part = {0};

    fputs("\n", out);
    while (results_next(results, &part)) {
        size_t left_out =
            results_count(&part, SKIPPED) + results_count(&part, DISABLED);

        fprintf(out, "%s: %zu of %zu cases passed", part.at->backend,
                results_count(&part, PASSED), part.count - left_out);
        if (left_out > 0)
            fprintf(out, ", %zu left out", left_out);
        fputs("\n", out);
    }
}

void report_matrix(FILE *out, const struct results *results)
{
    struct results part = {0};
    const char *place = NULL;
    struct rule rule;

    fprintf(out, "%-*s", FIRST, "rule");
    while (results_next(results, &part))
        fprintf(out, " %-*.*s", COLUMN - 1, COLUMN - 1, part.at->backend);
    fputs("\n", out);
    while (report_next_rule(&place, &rule))
        write_row(out, results, &rule);
    write_sums(out, results);
    write_bad(out, results);
}
