/* SPDX-License-Identifier: MIT */
/*
 * json.h: all that was measured, in one file, with what it was measured on.
 *
 * The file has the members of struct json_run, "machine", and "tables" in the
 * order in which they were printed. A table has "section", "title", "unit",
 * perhaps "connections", and "rows". A row has "name" and, unless it could not
 * be measured, "low", "median" and "high" (its quartiles), "count" (of how
 * many slices), perhaps the same as "rate_..." (requests in a second) and, if
 * it has a rival, "rival", "ratio", "ratio_low" and "ratio_high".
 *
 * No path and no name of the machine is in it. All calls are harmless when no
 * file was asked for.
 */
#ifndef JSON_H
#define JSON_H

struct json_run {
    const char *command; /* that does it again */
    const char *commit;  /* of sill */
    int rounds;
    int slice_ms;
    int processors_used;
};

struct spread {
    double low, median, high;
};

struct ratio {
    double value, low, high; /* (value) 0: none */
};

struct json_row {
    const char *name;
    int count; /* 0: it could not be measured */
    struct spread value;
    struct spread rate; /* (median) 0: none */
    const char *rival;
    struct ratio ratio;
};

/* Returns 0, or -1 when (path) cannot be written. */
int json_begin(const char *path, const struct json_run *run);

/* The rows of later calls belong to it; (connections) may be 0. */
void json_table(const char *section, const char *title, const char *unit,
                int connections);
void json_row(const struct json_row *row);

/* Returns 0, or -1 when something was not written. */
int json_end(void);

#endif
