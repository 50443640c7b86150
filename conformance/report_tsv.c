/* SPDX-License-Identifier: MIT */
/*
 * A line for each case, with tabs between, to be merged later and read by awk:
 *
 *     rule name outcome ms backend mode runs seed file line reason message log
 *
 * where \t, \n and \\ in a text stand for a tab, a new line and a backslash.
 */
#include "file.h"
#include "report.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    RULE,
    NAME,
    OUTCOME,
    MS,
    BACKEND,
    MODE,
    RUNS,
    SEED,
    SOURCE,
    LINE,
    REASON,
    MESSAGE,
    LOG,
    FIELDS
};

/* ---- writing ---- */

static bool put(FILE *out, unsigned char byte)
{
    static const char special[] = "\t\n\\", letters[] = "tn\\";
    const char *at = strchr(special, byte);

    if (at)
        fprintf(out, "\\%c", letters[at - special]);
    return at != NULL;
}

static void write_one(FILE *out, const struct result *r)
{
    const char *texts[] = {r->seed, r->file};

    fprintf(out, "%s\t%s\t%s\t%ld\t%s\t%s\t%d", r->rule, r->name,
            outcome_word(r->outcome), r->ms, r->backend, r->mode, r->runs);
    for (int i = 0; i < 2; i++)
        fprintf(out, "\t%s", texts[i]);
    fprintf(out, "\t%d\t", r->line);
    report_escape(out, r->reason, put);
    (void)putc('\t', out);
    report_escape(out, r->message, put);
    (void)putc('\t', out);
    report_escape(out, r->log, put);
    (void)putc('\n', out);
}

void report_tsv(FILE *out, const struct results *results)
{
    for (size_t i = 0; i < results->count; i++)
        write_one(out, &results->at[i]);
}

/* ---- reading ---- */

static void unescape(char *text)
{
    char *to = text;

    for (; *text != '\0'; text++) {
        char byte = *text;

        if (byte == '\\' && text[1] != '\0') {
            byte = *++text;
            byte = byte == 't' ? '\t' : byte == 'n' ? '\n' : byte;
        }
        *to++ = byte;
    }
    *to = '\0';
}

/* Returns whether (line) has all fields. */
static bool read_fields(char *line, char *fields[FIELDS])
{
    for (int i = 0; i < FIELDS; i++) {
        fields[i] = strsep(&line, "\t");
        if (!fields[i])
            return false;
        unescape(fields[i]);
    }
    return line == NULL;
}

static bool read_one(char *line, struct result *result)
{
    char *fields[FIELDS];

    if (!read_fields(line, fields) ||
        !outcome_of(fields[OUTCOME], &result->outcome))
        return false;
    result->rule = fields[RULE];
    result->name = fields[NAME];
    result->ms = strtol(fields[MS], NULL, 10);
    result->backend = fields[BACKEND];
    result->mode = fields[MODE];
    result->runs = (int)strtol(fields[RUNS], NULL, 10);
    result->seed = fields[SEED];
    result->file = fields[SOURCE];
    result->line = (int)strtol(fields[LINE], NULL, 10);
    result->reason = fields[REASON];
    result->message = fields[MESSAGE];
    result->log = fields[LOG];
    return true;
}

static bool add(struct results *results, const struct result *result)
{
    struct result *more =
        realloc(results->at, (results->count + 1) * sizeof(*more));

    if (!more)
        return false;
    results->at = more;
    results->at[results->count++] = *result;
    return true;
}

static int read_report(const char *path, struct results *results)
{
    char *rest = file_read(path), *line;
    struct result result;

    if (!rest || text_keep(rest) != rest)
        return 2;
    while ((line = strsep(&rest, "\n")) != NULL && *line != '\0')
        if (!read_one(line, &result) || !add(results, &result)) {
            fprintf(stderr, "%s: not a .tsv report\n", path);
            return 2;
        }
    return 0;
}

/* ---- a folder of reports ---- */

static int is_report(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');

    return dot && strcmp(dot, ".tsv") == 0;
}

static int read_entry(const char *folder, const char *name,
                      struct results *results)
{
    char *path = NULL;
    int rc = 2;

    if (asprintf(&path, "%s/%s", folder, name) >= 0) {
        rc = read_report(path, results);
        free(path);
    }
    return rc;
}

int report_read_tsv(const char *path, struct results *results)
{
    struct dirent **entries;
    int rc = 0, count = scandir(path, &entries, is_report, alphasort);

    if (count < 0 && errno == ENOTDIR)
        return read_report(path, results);
    if (count < 0) {
        perror(path);
        return 2;
    }
    for (int i = 0; i < count; i++) {
        rc |= read_entry(path, entries[i]->d_name, results);
        free(entries[i]);
    }
    free(entries);
    return rc;
}
