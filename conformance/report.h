/* SPDX-License-Identifier: MIT */
/*
 * report.h: results in the forms that people and tools read.
 */
#ifndef REPORT_H
#define REPORT_H

#include "result.h"

#include <stdio.h>

/*
 * Writes (results) to (where), which is FILE, whose ending says in which form,
 * or FORM:FILE. Returns 0, or 2 when that fails, having said why.
 */
int report_write(const char *where, const struct results *results);

/* The forms. */
void report_tsv(FILE *out, const struct results *results);
void report_json(FILE *out, const struct results *results);
void report_junit(FILE *out, const struct results *results);
void report_tap(FILE *out, const struct results *results);
void report_html(FILE *out, const struct results *results);
void report_matrix(FILE *out, const struct results *results);

/*
 * Adds what report_tsv wrote in the file (path), or in all files of the folder
 * (path) that end in .tsv, to (results). The texts are never freed. Returns 0,
 * or 2 when that fails, having said why.
 */
int report_read_tsv(const char *path, struct results *results);

/* Writes (text) without the bytes that no form can have, the others by (put),
 * or as they are where that returns false. */
void report_escape(FILE *out, const char *text,
                   bool (*put)(FILE *out, unsigned char byte));

/* The sentence of a rule, or "", cut to what fits. */
struct rule {
    char id[8], when[16], says[256];
};

/* Returns the rules one by one: (place) is NULL for the first one; until
 * false. */
bool report_next_rule(const char **place, struct rule *rule);

#endif
