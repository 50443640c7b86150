/* SPDX-License-Identifier: MIT */
/*
 * Reads the command line. See options.h.
 */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static const char help[] =
    "usage: %s [OPTION...] [ID...]\n"
    "\n"
    "Runs conformance cases, each in a process of its own. An ID is a group\n"
    "(T), a rule (T-01) or a case (T-01.name); without one every case runs.\n"
    "\n"
    "  --list             print the ids of the chosen cases instead\n"
    "  --group G, --rule ID\n"
    "                     is the ID alone\n"
    "  --guest            run what is inside of a task, and that alone, in\n"
    "                     the host of the backend\n"
    "  --repeat N         run each case N times, up to the first failure\n"
    "  --seed N|random    run the cases in an order that N decides\n"
    "  --shuffle          let N, random without --seed, decide about the\n"
    "                     order of ready tasks, too\n"
    "  --batch            let every write leave in a batch, see <sill/task.h>\n"
    "  --disable ID       do not run these; may be repeated\n"
    "  --xfail FILE       lines of \"ID reason\": these are expected to fail,\n"
    "                     and fail when they pass\n"
    "  --timeout-scale N  be N times as patient; SILL_TIMEOUT_SCALE\n"
    "  --no-fork          run one case in this process, for a debugger\n"
    "  --report FILE      .json, .xml (JUnit), .tap, .html, .txt (the "
    "matrix),\n"
    "                     or .tsv; or FORM:FILE. May be repeated\n"
    "  --merge            run nothing: the IDs are .tsv reports, or folders\n"
    "                     of them, from which the reports are made\n"
    "\n"
    "Exits with 0 when all chosen cases did as expected, 1 when one did not, "
    "2\n"
    "when there is none or the arguments make no sense.\n";

enum { RULE = 256, SCALE, NO_FORK };

static const struct option known[] = {
    {"help", no_argument, NULL, 'h'},
    {"list", no_argument, NULL, 'l'},
    {"group", required_argument, NULL, RULE},
    {"rule", required_argument, NULL, RULE},
    {"guest", no_argument, NULL, 'g'},
    {"repeat", required_argument, NULL, 'n'},
    {"seed", required_argument, NULL, 's'},
    {"shuffle", no_argument, NULL, 'f'},
    {"batch", no_argument, NULL, 'b'},
    {"disable", required_argument, NULL, 'd'},
    {"xfail", required_argument, NULL, 'x'},
    {"timeout-scale", required_argument, NULL, SCALE},
    {"no-fork", no_argument, NULL, NO_FORK},
    {"report", required_argument, NULL, 'r'},
    {"merge", no_argument, NULL, 'm'},
    {0},
};

static void add(struct words *words, const char *word)
{
    words->at[words->count++] = word;
}

static int wrong(const char *program, const char *what, const char *value)
{
    fprintf(stderr, "%s: %s '%s'; --help says more\n", program, what, value);
    return 2;
}

/* Returns whether (text) is a number above 0 and nothing else. */
static bool read_count(const char *text, int *count)
{
    char *end;
    long value = strtol(text, &end, 10);

    *count = (int)value;
    return *text != '\0' && *end == '\0' && value > 0 && value <= 1000000000;
}

/* 64 bits are more than a person wants to type again. */
static void choose_seed(struct options *options)
{
    uint32_t seed = 1;

    if (getrandom(&seed, sizeof(seed), 0) < 0)
        seed = 1;
    options->seed = seed;
    options->seeded = true;
}

static bool read_seed(struct options *options, const char *text)
{
    char *end;

    if (strcmp(text, "random") == 0) {
        choose_seed(options);
        return true;
    }
    errno = 0;
    options->seed = strtoull(text, &end, 10);
    options->seeded = true;
    return *text >= '0' && *text <= '9' && *end == '\0' && errno == 0;
}

/* By the environment, because the cases' own children want to know it too. */
static bool set_scale(const char *text)
{
    char *end;

    return strtod(text, &end) > 0 && *end == '\0' &&
           setenv("SILL_TIMEOUT_SCALE", text, 1) == 0;
}

/* Returns whether (value) makes sense for (option). */
static bool take(struct options *options, int option, const char *value)
{
    switch (option) {
    case RULE:
        add(&options->ids, value);
        return true;
    case 'd':
        add(&options->disabled, value);
        return true;
    case 'r':
        add(&options->reports, value);
        return true;
    case 'x':
        options->xfail = value;
        return true;
    case 'l':
        return options->list = true;
    case 'g':
        return options->guest = true;
    case 'f':
        return options->shuffle = true;
    case 'b':
        return options->batch = true;
    case 'm':
        return options->merge = true;
    case NO_FORK:
        options->fork = false;
        return true;
    case 'n':
        return read_count(value, &options->repeat);
    case 's':
        return read_seed(options, value);
    case SCALE:
        return set_scale(value);
    default:
        return false;
    }
}

static bool make_room(struct options *options, int count)
{
    size_t size = (size_t)count + 1;

    options->ids.at = calloc(size, sizeof(char *));
    options->disabled.at = calloc(size, sizeof(char *));
    options->reports.at = calloc(size, sizeof(char *));
    return options->ids.at && options->disabled.at && options->reports.at;
}

int options_read(struct options *options, int argc, char *argv[])
{
    int option;

    *options = (struct options){.fork = true, .repeat = 1};
    if (!make_room(options, argc))
        return wrong(argv[0], "no memory for", "arguments");
    while ((option = getopt_long(argc, argv, "h", known, NULL)) >= 0) {
        if (option == 'h')
            return printf(help, argv[0]) > 0;
        if (option == '?')
            return 2;
        if (!take(options, option, optarg))
            return wrong(argv[0], "no sense in", argv[optind - 1]);
    }
    while (optind < argc)
        add(&options->ids, argv[optind++]);
    if (options->shuffle && !options->seeded)
        choose_seed(options);
    return 0;
}

void options_free(struct options *options)
{
    free(options->ids.at);
    free(options->disabled.at);
    free(options->reports.at);
}
