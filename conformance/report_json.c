/* SPDX-License-Identifier: MIT */
/*
 * The results and the rules as one JSON object (RFC 8259), which is what the
 * page reads.
 */
#include "report.h"

static bool put(FILE *out, unsigned char byte)
{
    /* In a page "</script" would end the script that holds this. */
    bool special = byte == '"' || byte == '\\' || byte == '<' || byte < ' ';

    if (special)
        fprintf(out, "\\u%04x", byte);
    return special;
}

static void text(FILE *out, const char *name, const char *value)
{
    fprintf(out, "\"%s\": \"", name);
    report_escape(out, value, put);
    fputs("\"", out);
}

static void optional(FILE *out, const char *name, const char *value)
{
    if (*value == '\0')
        return;
    fputs(", ", out);
    text(out, name, value);
}

static void write_result(FILE *out, const struct result *r)
{
    fputs("{", out);
    text(out, "backend", r->backend);
    optional(out, "mode", r->mode);
    optional(out, "rule", r->rule);
    optional(out, "case", r->name);
    optional(out, "outcome", outcome_word(r->outcome));
    fprintf(out, ", \"ms\": %ld, \"runs\": %d", r->ms, r->runs);
    optional(out, "file", r->file);
    fprintf(out, ", \"line\": %d", r->line);
    optional(out, "seed", r->seed);
    optional(out, "reason", r->reason);
    optional(out, "message", r->message);
    optional(out, "log", r->log);
    fputs("}", out);
}

static void write_rules(FILE *out)
{
    const char *place = NULL, *comma = "";
    struct rule rule;

    for (; report_next_rule(&place, &rule); comma = ",") {
        fprintf(out, "%s\n{", comma);
        text(out, "rule", rule.id);
        optional(out, "when", rule.when);
        optional(out, "says", rule.says);
        fputs("}", out);
    }
}

void report_json(FILE *out, const struct results *results)
{
    fputs("{\"rules\": [", out);
    write_rules(out);
    fputs("\n],\n\"cases\": [", out);
    for (size_t i = 0; i < results->count; i++) {
        fputs(i == 0 ? "\n" : ",\n", out);
        write_result(out, &results->at[i]);
    }
    fputs("\n]}\n", out);
}
