/* SPDX-License-Identifier: MIT */
/*
 * A conformance program: runs the chosen cases and says what became of each.
 *
 * A line for each case,
 *
 *     pass T-01.name
 *     FAIL T-01.name: file:line: what does not hold        (or a crash)
 *     HANG T-01.name: file:line: ... and the task tree
 *     skip T-01.name: needs fd
 *     disabled T-01.name
 *     xfail T-01.name: the reason: file:line: what does not hold
 *     XPASS T-01.name: passed, but was expected to fail: the reason
 *
 * and the counts at the end. --help says the rest.
 */
#include "report.h"
#include "run.h"

#include <stdio.h>
#include <stdlib.h>

static void tell_failure(const struct result *r, const char *word)
{
    printf("%s %s.%s: ", word, r->rule, r->name);
    if (r->outcome == EXPECTED)
        printf("%s: ", r->reason);
    printf("%s:%d: %s", r->file, r->line, r->message);
    if (r->runs > 1)
        printf(", in run %d", r->runs);
    if (*r->seed != '\0')
        printf(", with --seed %s", r->seed);
    puts("");
    if (r->outcome != EXPECTED)
        fputs(r->log, stdout);
}

static void tell(const struct result *r)
{
    switch (r->outcome) {
    case PASSED:
        printf("pass %s.%s\n", r->rule, r->name);
        break;
    case DISABLED:
        printf("disabled %s.%s\n", r->rule, r->name);
        break;
    case SKIPPED:
        printf("skip %s.%s: %s\n", r->rule, r->name, r->reason);
        break;
    case UNEXPECTED:
        printf("XPASS %s.%s: passed, but was expected to fail: %s\n", r->rule,
               r->name, r->reason);
        break;
    case EXPECTED:
        tell_failure(r, "xfail");
        break;
    case HUNG:
        tell_failure(r, "HANG");
        break;
    case FAILED:
    case CRASHED:
        tell_failure(r, "FAIL");
        break;
    }
    fflush(stdout);
}

static void tell_count(const struct results *results, enum outcome outcome,
                       const char *what)
{
    size_t count = results_count(results, outcome);

    if (count > 0)
        printf(", %zu %s", count, what);
}

static void tell_counts(const struct results *results)
{
    printf("%zu passed, %zu failed on %s", results_count(results, PASSED),
           results_count_bad(results), results->at->backend);
    tell_count(results, SKIPPED, "skipped");
    tell_count(results, DISABLED, "disabled");
    tell_count(results, EXPECTED, "failed as expected");
    puts("");
}

static int write_reports(const struct options *options,
                         const struct results *results)
{
    int rc = 0;

    for (int i = 0; i < options->reports.count; i++)
        rc |= report_write(options->reports.at[i], results);
    return rc;
}

static int run_all(const struct options *options, struct choices *choices)
{
    int rc = run_init();

    if (rc != 0)
        return rc;
    if (options->seeded)
        printf("seed %llu\n", (unsigned long long)options->seed);
    for (size_t i = 0; i < choices->count; i++) {
        struct choice *choice = &choices->at[choices->order[i]];

        if (choice->is_run)
            run_choice(choice, options);
        tell(choice->result);
    }
    tell_counts(&choices->results);
    rc = write_reports(options, &choices->results);
    return rc != 0 ? rc : results_count_bad(&choices->results) > 0;
}

static int list(const struct choices *choices)
{
    for (size_t i = 0; i < choices->count; i++)
        printf("%s.%s\n", choices->at[i].a_case->rule,
               choices->at[i].a_case->name);
    return 0;
}

static int choose_and_run(const struct options *options)
{
    struct choices choices;
    int rc = choices_make(&choices, options);

    if (rc == 0 && choices.count == 0) {
        fprintf(stderr, "no such case can be a guest\n");
        rc = 2;
    }
    if (rc == 0)
        rc = options->list ? list(&choices) : run_all(options, &choices);
    choices_free(&choices);
    return rc;
}

static int merge(const struct options *options)
{
    struct results results = {0};
    int rc = 0;

    for (int i = 0; i < options->ids.count && rc == 0; i++)
        rc = report_read_tsv(options->ids.at[i], &results);
    if (rc == 0)
        rc = write_reports(options, &results);
    free(results.at);
    return rc;
}

int main(int argc, char *argv[])
{
    struct options options;
    int rc = options_read(&options, argc, argv);

    if (rc == 0)
        rc = options.merge ? merge(&options) : choose_and_run(&options);
    else
        rc = rc == 1 ? 0 : rc; /* help was given */
    options_free(&options);
    return rc;
}
