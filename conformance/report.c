/* SPDX-License-Identifier: MIT */
/*
 * Which form a report has, and what several forms need. See report.h.
 */
#include "report.h"
#include "file.h"

#include <string.h>

static const struct form {
    const char *name;
    void (*write)(FILE *out, const struct results *results);
} forms[] = {
    {"tsv", report_tsv},     {"json", report_json}, {"xml", report_junit},
    {"junit", report_junit}, {"tap", report_tap},   {"html", report_html},
    {"txt", report_matrix},
};

static const struct form *find_form(const char *name, size_t size)
{
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
        if (strlen(forms[i].name) == size &&
            strncmp(forms[i].name, name, size) == 0)
            return &forms[i];
    return NULL;
}

/* Sets (path) to the file. Anything else than a form is one of lines. */
static const struct form *split(const char *where, const char **path)
{
    const char *colon = strchr(where, ':'), *dot = strrchr(where, '.');
    const struct form *form =
        colon ? find_form(where, (size_t)(colon - where)) : NULL;

    *path = form ? colon + 1 : where;
    if (!form && dot)
        form = find_form(dot + 1, strlen(dot + 1));
    return form ? form : &forms[0];
}

int report_write(const char *where, const struct results *results)
{
    const char *path;
    const struct form *form = split(where, &path);
    FILE *out = fopen(path, "we");

    if (out)
        form->write(out, results);
    if (!out || ferror(out) | fclose(out)) {
        perror(path);
        return 2;
    }
    return 0;
}

void report_escape(FILE *out, const char *text,
                   bool (*put)(FILE *out, unsigned char byte))
{
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;

        if (byte < ' ' && byte != '\n' && byte != '\t')
            byte = ' ';
        if (byte >= 0x7f) /* a log may be cut in the middle of a character */
            byte = '?';
        if (!put(out, byte))
            (void)putc(byte, out);
    }
}

/* A line is "id<tab>when<tab>sentence"; others are comments. */
bool report_next_rule(const char **place, struct rule *rule)
{
    const char *line = *place ? *place : file_rules;

    while (*line != '\0') {
        int got = sscanf(line, "%7[A-Z0-9-]\t%15[a-z]\t%255[^\n]", rule->id,
                         rule->when, rule->says);

        line += strcspn(line, "\n");
        line += *line == '\n';
        *place = line;
        if (got == 3)
            return true;
    }
    return false;
}
