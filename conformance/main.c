/* SPDX-License-Identifier: MIT */
/*
 * Runs conformance cases, each in a process of its own, and reports.
 *
 *     conformance-<backend> [--list] [--guest] [--report FILE] [ID...]
 *
 * An ID is a group (T), a rule (T-01) or a case (T-01.name); without one every
 * case runs. --list prints the ids of the chosen cases instead. --guest runs
 * what is inside of a task, and that alone, in somebody's loop. The report has
 * a line for each case: rule, name, pass|fail|hang|crash, milliseconds, with
 * tabs between. Check's own logs come by its variables CK_XML_LOG_FILE_NAME
 * and CK_TAP_LOG_FILE_NAME; SILL_TIMEOUT_SCALE gives slow builds more time.
 *
 * Exits with 0 when all chosen cases passed, 1 when one did not, 2 when there
 * is none or the arguments are wrong.
 */
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const struct suite_case **chosen;
static struct suite_record *records;
static int chosen_count;

static bool matches(const struct suite_case *a_case, const char *id)
{
    size_t size = strlen(id), rule = strlen(a_case->rule);
    if (size <= rule)
        return strncmp(a_case->rule, id, size) == 0 &&
               (size == rule || a_case->rule[size] == '-');
    return strncmp(id, a_case->rule, rule) == 0 && id[rule] == '.' &&
           strcmp(id + rule + 1, a_case->name) == 0;
}

static bool is_chosen(const struct suite_case *a_case, char *ids[])
{
    if (suite_as_guest && !a_case->inside)
        return false;
    if (ids[0] == NULL)
        return true;
    for (; *ids != NULL; ids++)
        if (matches(a_case, *ids))
            return true;
    return false;
}

static int choose(char *ids[])
{
    size_t total = 0;
    for (struct suite_case *c = suite_cases; c != NULL; c = c->next)
        total++;
    size_t size = (total + 1) * sizeof(*records);
    chosen = calloc(total + 1, sizeof(const struct suite_case *));
    records = mmap(NULL, size, PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (chosen == NULL || records == MAP_FAILED)
        return -1;
    for (struct suite_case *c = suite_cases; c != NULL; c = c->next)
        if (is_chosen(c, ids))
            chosen[chosen_count++] = c;
    return 0;
}

static void run(int index)
{
    const struct suite_case *c = chosen[index];
    suite_run_case(c, &records[index]);
    dprintf(STDOUT_FILENO, "pass %s.%s\n", c->rule, c->name);
}

static const char *verdict(TestResult *result,
                           const struct suite_record *record)
{
    if (record->state == SUITE_HUNG)
        return "hang";
    if (tr_rtype(result) == CK_PASS)
        return "pass";
    return tr_rtype(result) == CK_FAILURE ? "fail" : "crash";
}

static void tell(const struct suite_case *c, const struct suite_record *record,
                 TestResult *result, const char *word)
{
    if (strcmp(word, "pass") == 0)
        return;
    dprintf(STDOUT_FILENO, "%s %s.%s: %s:%d: %s%s%s\n%s",
            strcmp(word, "hang") == 0 ? "HANG" : "FAIL", c->rule, c->name,
            tr_lfile(result), tr_lno(result), tr_msg(result),
            record->note[0] != '\0' ? ", with " : "", record->note,
            record->log);
}

static void write_line(FILE *report, const struct suite_case *c,
                       const struct suite_record *record, const char *word)
{
    sill_time end = record->end != 0 ? record->end : record->begin;
    if (report != NULL)
        fprintf(report, "%s\t%s\t%s\t%lld\n", c->rule, c->name, word,
                (long long)((end - record->begin) / SILL_MILLISECOND));
}

/* Results come in the order of the cases; those of rules that Check's own
 * CK_RUN_CASE left out are missing. */
static int report_results(SRunner *runner, FILE *report)
{
    TestResult **results = srunner_results(runner);
    int count = srunner_ntests_run(runner), at = 0, failed = 0;
    for (int i = 0; i < count; i++, at++) {
        while (strcmp(chosen[at]->rule, tr_tcname(results[i])) != 0)
            at++;
        const char *word = verdict(results[i], &records[at]);
        tell(chosen[at], &records[at], results[i], word);
        write_line(report, chosen[at], &records[at], word);
        failed += strcmp(word, "pass") != 0;
    }
    free(results);
    printf("%d passed, %d failed on %s\n", count - failed, failed,
           sill_backend_name());
    return failed == 0 ? 0 : 1;
}

static Suite *make_suite(TTest tests[])
{
    Suite *suite = suite_create("conformance");
    TCase *rule = NULL;
    for (int i = 0; i < chosen_count; i++) {
        const struct suite_case *c = chosen[i];
        if (i == 0 || strcmp(chosen[i - 1]->rule, c->rule) != 0) {
            rule = tcase_create(c->rule);
            tcase_set_timeout(rule, suite_limit() + 10);
            suite_add_tcase(suite, rule);
        }
        tests[i] = (TTest){c->name, run, c->file, c->line};
        tcase_add_loop_test(rule, &tests[i], i, i + 1);
    }
    return suite;
}

static int run_chosen(const char *path)
{
    FILE *report = path != NULL ? fopen(path, "we") : NULL;
    TTest *tests = calloc((size_t)chosen_count, sizeof(*tests));
    int rc = 2;
    if (tests == NULL || (path != NULL && report == NULL)) {
        perror(path);
        goto out;
    }
    SRunner *runner = srunner_create(make_suite(tests));
    srunner_run_all(runner, CK_SILENT);
    rc = report_results(runner, report);
    srunner_free(runner);
    if (report != NULL && fclose(report) != 0)
        rc = 2;
out:
    free(tests);
    return rc;
}

static int list_chosen(void)
{
    for (int i = 0; i < chosen_count; i++)
        printf("%s.%s\n", chosen[i]->rule, chosen[i]->name);
    return 0;
}

int main(int argc, char *argv[])
{
    bool list = false;
    const char *report = NULL;
    int at = 1;
    for (; at < argc && argv[at][0] == '-'; at++) {
        if (strcmp(argv[at], "--list") == 0)
            list = true;
        else if (strcmp(argv[at], "--guest") == 0 && suite_run_as_guest != NULL)
            suite_as_guest = true;
        else if (strcmp(argv[at], "--report") == 0 && at + 1 < argc)
            report = argv[++at];
        else
            break;
    }
    if ((at < argc && argv[at][0] == '-') || choose(argv + at) != 0 ||
        chosen_count == 0) {
        fprintf(stderr,
                "no such case: %s [--list] [--guest] [--report FILE] [ID...]\n",
                argv[0]);
        return 2;
    }
    int rc = list ? list_chosen() : run_chosen(report);
    free(chosen);
    return rc;
}
