/* SPDX-License-Identifier: MIT */
/*
 * The results as JUnit XML, a suite for each backend.
 */
#include "report.h"

static bool put(FILE *out, unsigned char byte)
{
    const char *name = byte == '&'   ? "&amp;"
                       : byte == '<' ? "&lt;"
                       : byte == '>' ? "&gt;"
                       : byte == '"' ? "&quot;"
                                     : NULL;

    if (name)
        fputs(name, out);
    return name != NULL;
}

static void attribute(FILE *out, const char *name, const char *value)
{
    fprintf(out, " %s=\"", name);
    report_escape(out, value, put);
    (void)putc('"', out);
}

static void write_bad(FILE *out, const struct result *r)
{
    const char *element =
        r->outcome == CRASHED || r->outcome == HUNG ? "error" : "failure";

    fprintf(out, "><%s", element);
    attribute(out, "type", outcome_word(r->outcome));
    attribute(out, "message",
              r->outcome == UNEXPECTED ? r->reason : r->message);
    fprintf(out, ">%s:%d\n", r->file, r->line);
    report_escape(out, r->log, put);
    fprintf(out, "</%s></testcase>\n", element);
}

static void write_result(FILE *out, const struct result *r)
{
    fputs("<testcase", out);
    attribute(out, "classname", r->rule);
    attribute(out, "name", r->name);
    fprintf(out, " time=\"%.3f\"", (double)r->ms / 1000);
    if (r->outcome == PASSED) {
        fputs("/>\n", out);
    } else if (outcome_is_bad(r->outcome)) {
        write_bad(out, r);
    } else { /* it has no word for an expected failure */
        fputs("><skipped", out);
        attribute(out, "type", outcome_word(r->outcome));
        attribute(out, "message", r->reason);
        fputs("/></testcase>\n", out);
    }
}

static void write_suite(FILE *out, const struct results *part)
{
    size_t errors = results_count(part, CRASHED) + results_count(part, HUNG);
    size_t skipped = results_count(part, SKIPPED) +
                     results_count(part, DISABLED) +
                     results_count(part, EXPECTED);

    fputs("<testsuite", out);
    attribute(out, "name", part->at->backend);
    attribute(out, "package", part->at->mode);
    fprintf(out,
            " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\">\n",
            part->count, results_count_bad(part) - errors, errors, skipped);
    for (size_t i = 0; i < part->count; i++)
        write_result(out, &part->at[i]);
    fputs("</testsuite>\n", out);
}

void report_junit(FILE *out, const struct results *results)
{
    struct results part = {0};

    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n", out);
    while (results_next(results, &part))
        write_suite(out, &part);
    fputs("</testsuites>\n", out);
}
