/* SPDX-License-Identifier: MIT */
/*
 * Written as it is found, so that an interrupted run leaves what it had.
 */
#include "json.h"

#include "machine.h"

#include <stdbool.h>
#include <stdio.h>

static FILE *file;
static int tables, rows;

static void put_text(const char *text)
{
    putc('"', file);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            putc('\\', file);
        if ((unsigned char)*text >= ' ')
            putc(*text, file);
    }
    putc('"', file);
}

static void put_member(const char *name, const char *text)
{
    fprintf(file, "\"%s\": ", name);
    put_text(text);
    fputs(", ", file);
}

static void put_spread(const char *prefix, struct spread s)
{
    fprintf(file, ", \"%slow\": %.6g, \"%smedian\": %.6g, \"%shigh\": %.6g",
            prefix, s.low, prefix, s.median, prefix, s.high);
}

static void put_machine(void)
{
    struct machine m;

    machine_look(&m);
    fputs("\"machine\": {", file);
    put_member("processor", m.processor);
    put_member("system", m.system);
    put_member("compiler", m.compiler);
    put_member("congestion_control", m.congestion);
    fprintf(file,
            "\"processors\": %d, \"memory_gib\": %.1f, \"virtual\": %s},\n",
            m.processors, m.memory_gib, m.is_virtual ? "true" : "false");
}

int json_begin(const char *path, const struct json_run *run)
{
    file = fopen(path, "w");
    if (!file)
        return -1;
    fputs("{", file);
    put_member("command", run->command);
    put_member("commit", run->commit);
    fprintf(file,
            "\"rounds\": %d, \"slice_ms\": %d, \"processors_used\": %d,\n",
            run->rounds, run->slice_ms, run->processors_used);
    put_machine();
    fputs("\"tables\": [", file);
    return 0;
}

static void end_table(void)
{
    if (tables > 0)
        fputs("\n]}", file);
}

void json_table(const char *section, const char *title, const char *unit,
                int connections)
{
    if (!file)
        return;
    end_table();
    fputs(tables++ ? ",\n{" : "\n{", file);
    put_member("section", section);
    put_member("title", title);
    put_member("unit", unit);
    if (connections > 0)
        fprintf(file, "\"connections\": %d, ", connections);
    fputs("\"rows\": [", file);
    rows = 0;
}

static void put_ratio(const char *rival, struct ratio ratio)
{
    fputs(", \"rival\": ", file);
    put_text(rival);
    fprintf(file,
            ", \"ratio\": %.4f, \"ratio_low\": %.4f, \"ratio_high\": %.4f",
            ratio.value, ratio.low, ratio.high);
}

void json_row(const struct json_row *row)
{
    if (!file)
        return;
    fputs(rows++ ? ",\n {\"name\": " : "\n {\"name\": ", file);
    put_text(row->name);
    if (row->count > 0) {
        put_spread("", row->value);
        fprintf(file, ", \"count\": %d", row->count);
    }
    if (row->rate.median > 0)
        put_spread("rate_", row->rate);
    if (row->ratio.value > 0)
        put_ratio(row->rival, row->ratio);
    fputs("}", file);
}

int json_end(void)
{
    if (!file)
        return 0;
    end_table();
    fputs("\n]}\n", file);
    int failed = ferror(file) | fclose(file);
    file = NULL;
    return failed ? -1 : 0;
}
