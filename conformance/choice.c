/* SPDX-License-Identifier: MIT */
/*
 * Chooses cases by id, property and expectation. See choice.h.
 */
#include "choice.h"
#include "file.h"
#include "shuffle.h"

#include <sill/task.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool matches(const struct suite_case *a_case, const char *id)
{
    size_t size = strlen(id), rule = strlen(a_case->rule);

    if (size <= rule)
        return size > 0 && strncmp(a_case->rule, id, size) == 0 &&
               (size == rule || a_case->rule[size] == '-');
    return strncmp(id, a_case->rule, rule) == 0 && id[rule] == '.' &&
           strcmp(id + rule + 1, a_case->name) == 0;
}

static bool matches_one(const struct suite_case *a_case,
                        const struct words *ids)
{
    for (int i = 0; i < ids->count; i++)
        if (matches(a_case, ids->at[i]))
            return true;
    return false;
}

static bool is_chosen(const struct suite_case *a_case,
                      const struct options *options)
{
    if (options->guest && !a_case->inside)
        return false;
    return options->ids.count == 0 || matches_one(a_case, &options->ids);
}

/* Returns 0, or 2 when there is no such case, having said so. */
static int check_id(const char *id)
{
    for (struct suite_case *c = suite_cases; c != NULL; c = c->next)
        if (matches(c, id))
            return 0;
    fprintf(stderr, "no such case: %s; --list shows them\n", id);
    return 2;
}

static int check_ids(const struct words *ids)
{
    int rc = 0;

    for (int i = 0; i < ids->count; i++)
        rc |= check_id(ids->at[i]);
    return rc;
}

/* ---- properties ---- */

/* Returns "needs fd, threads" and the like. */
static const char *needs_text(unsigned needs)
{
    static const char *const words[] = {
        "fd",     "guest",     "virtual",       "threads",
        "seeded", "real time", "tasks in order"};
    static char texts[128][80];
    char *text = texts[needs & 127];

    strcpy(text, "needs");
    for (int i = 0; i < 7; i++)
        if (needs & 1U << i) {
            strcat(text, text[5] == '\0' ? " " : ", ");
            strcat(text, words[i]);
        }
    return text;
}

/* What the backend declares, and what follows from it and from how it is run.
 */
static unsigned properties(const struct options *options)
{
    unsigned declared = sill_conformance_params.properties;
    bool is_virtual = (declared & SILL_CONFORMANCE_VIRTUAL) != 0;

    return declared | (is_virtual ? 0 : SUITE_NEEDS_real) |
           (options->shuffle ? 0 : SUITE_NEEDS_order);
}

static void leave_out(struct choice *choice, enum outcome outcome,
                      const char *reason)
{
    choice->is_run = false;
    choice->result->outcome = outcome;
    choice->result->reason = reason;
}

static int do_nothing(void *arg)
{
    (void)arg;
    return 0;
}

static bool can_batch(void)
{
    static bool is_known, can;
    struct sill_run_options options = {.batch = SILL_BATCH_ALWAYS};

    if (!is_known)
        can = sill_run_with(&options, do_nothing, NULL) == 0;
    is_known = true;
    return can;
}

static void decide(struct choice *choice, const struct options *options)
{
    unsigned needs = choice->a_case->needs;

    if (options->guest)
        needs |= SILL_CONFORMANCE_GUEST;
    needs &= ~properties(options);
    if (needs != 0)
        leave_out(choice, SKIPPED, needs_text(needs));
    else if (options->batch && !can_batch())
        leave_out(choice, SKIPPED, "needs batches");
    if (matches_one(choice->a_case, &options->disabled))
        leave_out(choice, DISABLED, "disabled");
}

/* ---- expectations ---- */

static void expect(struct choices *choices, const char *id, const char *reason)
{
    for (size_t i = 0; i < choices->count; i++) {
        struct choice *choice = &choices->at[i];

        if (choice->is_run && matches(choice->a_case, id)) {
            choice->is_expected = true;
            choice->result->reason = reason;
        }
    }
}

/* A line is "ID reason", or nothing, or begins with #. */
static int read_expectation(struct choices *choices, char *line)
{
    char *id = line + strspn(line, " \t"), *end = id + strcspn(id, " \t\r");
    char *reason = end + strspn(end, " \t\r");

    if (*id == '\0' || *id == '#')
        return 0;
    *end = '\0';
    expect(choices, id, *reason != '\0' ? reason : "expected to fail");
    return check_id(id);
}

static int read_expectations(struct choices *choices, const char *path)
{
    char *rest = choices->xfail = file_read(path), *line;
    int rc = 0;

    if (!rest)
        return 2;
    while ((line = strsep(&rest, "\n")) != NULL)
        rc |= read_expectation(choices, line);
    return rc;
}

/* ---- the order ---- */

static void put_in_order(struct choices *choices, const struct options *options)
{
    uint64_t state = options->seed;

    for (size_t i = 0; i < choices->count; i++) {
        size_t other = options->seeded ? shuffle_draw(&state) % (i + 1) : i;

        choices->order[i] = choices->order[other];
        choices->order[other] = i;
    }
}

/* ---- all of it ---- */

static const char *backend_name(void)
{
    const char *name = sill_conformance_params.name;

    return name ? name : sill_backend_name();
}

static void add(struct choices *choices, const struct suite_case *a_case,
                const struct options *options)
{
    struct result *result = &choices->results.at[choices->count];
    struct choice *choice = &choices->at[choices->count];

    *result = (struct result){
        .backend = backend_name(),
        .mode = options->guest ? "guest" : "own",
        .rule = a_case->rule,
        .name = a_case->name,
        .file = a_case->file,
        .line = a_case->line,
        .seed = "",
        .reason = "",
        .message = "",
        .log = "",
    };
    *choice = (struct choice){a_case, true, false, result};
    decide(choice, options);
    choices->results.count = ++choices->count;
}

static int allocate(struct choices *choices)
{
    size_t total = 1;

    for (struct suite_case *c = suite_cases; c != NULL; c = c->next)
        total++;
    choices->at = calloc(total, sizeof(*choices->at));
    choices->order = calloc(total, sizeof(*choices->order));
    choices->results.at = calloc(total, sizeof(*choices->results.at));
    return choices->at && choices->order && choices->results.at ? 0 : 2;
}

int choices_make(struct choices *choices, const struct options *options)
{
    *choices = (struct choices){0};

    int rc = allocate(choices);

    if (rc != 0)
        return rc;
    rc = check_ids(&options->ids) | check_ids(&options->disabled);
    for (struct suite_case *c = suite_cases; c != NULL; c = c->next)
        if (is_chosen(c, options))
            add(choices, c, options);
    put_in_order(choices, options);
    return options->xfail ? rc | read_expectations(choices, options->xfail)
                          : rc;
}

void choices_free(struct choices *choices)
{
    free(choices->at);
    free(choices->order);
    free(choices->results.at);
    free(choices->xfail);
}
