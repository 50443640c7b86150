/* SPDX-License-Identifier: MIT */
/*
 * resp-cli [OPTION...] [COMMAND ARGUMENT...]: asks a Redis, as redis-cli does.
 *
 * It shows what a link is: a connection of one task, which says one thing after
 * the other and waits for what comes. Nothing else runs here, so a line may be
 * read from a terminal in the plain way, though that stops the loop.
 */
#include "resp-cli/resp-cli.h"

#include <sill/sill.h>

#include <getopt.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

static const char usage[] =
    "usage: resp-cli [-h HOST] [-p PORT] [-s SOCKET] [-n DB] [-a PASSWORD] "
    "[-3]\n"
    "                [--raw | --no-raw] [COMMAND ARGUMENT...]\n"
    "Without a COMMAND it reads lines from standard input. Output for people\n"
    "goes to a terminal, raw output elsewhere. Exit codes: 0; 1 after a reply\n"
    "that is an error, or without a connection; 2 for what makes no sense.\n";

enum { ADDRESSES = 8, RAW = 256, NO_RAW };

static struct {
    struct sill_resp_client client; /* where to, and as whom */
    struct sill_resp_link link;
    struct sill_address addresses[ADDRESSES]; /* of the host */
    int address_count;
    const char *host, *port;
    char **words; /* of the command */
    size_t word_count;
    bool raw;
    bool has_failed; /* some reply was an error */
} cli = {.host = "127.0.0.1", .port = "6379"};

static bool is(struct sill_resp_view word, const char *name)
{
    return sill_resp_view_is_alike(word, sill_resp_view(name));
}

/* Texts that are made to be read as they are. */
static bool is_text(const struct sill_resp_view *args, size_t count)
{
    return is(args[0], "info") || is(args[0], "lolwut") ||
           (count > 1 && is(args[0], "client") &&
            (is(args[1], "list") || is(args[1], "info")));
}

static bool is_endless(struct sill_resp_view verb)
{
    return is(verb, "subscribe") || is(verb, "psubscribe") ||
           is(verb, "ssubscribe") || is(verb, "monitor");
}

/* In RESP3, what is pushed may come before the reply, or be it. */
static bool is_about_channels(struct sill_resp_view verb)
{
    const char *end = "subscribe";
    size_t size = strlen(end);
    return verb.size >= size &&
           strncasecmp(verb.at + verb.size - size, end, size) == 0;
}

/* Whether nothing comes behind a message of (type) for this command. */
static bool is_last_of(struct sill_resp_view verb, enum sill_resp_type type)
{
    if (type == SILL_RESP_ERROR)
        return true;
    if (is_endless(verb))
        return false;
    return type != SILL_RESP_PUSH || is_about_channels(verb);
}

static void show(const struct sill_resp_value *value, bool as_it_is)
{
    cli_print(value, cli.raw || as_it_is);
    if (!as_it_is)
        putchar('\n');
    fflush(stdout);
    cli.has_failed |= value->type == SILL_RESP_ERROR;
}

/* Sends a command, and shows what comes: one reply, or no end of messages. */
static int ask(const struct sill_resp_view *args, size_t count)
{
    struct sill_resp_answer answer;
    bool is_last = false;

    if (!cli.raw && is_endless(args[0]) && is_about_channels(args[0]))
        puts("Reading messages... (press Ctrl-C to quit)");
    int rc = sill_resp_link_add(&cli.link, args, count);
    while (rc == 0 && !is_last) {
        rc = sill_resp_link_next(&cli.link, &answer, SILL_NEVER);
        if (rc != 0)
            break;
        show(answer.values, is_text(args, count));
        is_last = is_last_of(args[0], answer.values[0].type);
    }
    return rc;
}

static int ask_words(void)
{
    struct sill_resp_view *args = calloc(cli.word_count, sizeof(*args));
    if (args == NULL)
        return SILL_ENOMEM;
    for (size_t i = 0; i < cli.word_count; i++)
        args[i] = sill_resp_view(cli.words[i]);
    int rc = ask(args, cli.word_count);
    free(args);
    return rc;
}

/* ---- lines ---- */

/* Returns SILL_EOF when (line) wants an end. */
static int ask_line(char *line)
{
    size_t count;
    struct sill_resp_view *args = calloc(strlen(line) / 2 + 1, sizeof(*args));
    int rc = 0;
    if (args == NULL)
        return SILL_ENOMEM;
    if (!cli_split(line, args, &count))
        puts("Invalid argument(s)");
    else if (count > 0 && (is(args[0], "quit") || is(args[0], "exit")))
        rc = SILL_EOF;
    else if (count > 0)
        rc = ask(args, count);
    free(args);
    return rc;
}

static int ask_lines(void)
{
    bool has_prompt = isatty(STDIN_FILENO) == 1;
    char *line = NULL;
    size_t size = 0;
    int rc = 0;
    while (rc == 0) {
        if (has_prompt)
            printf("%s:%s> ", cli.host, cli.port);
        fflush(stdout);
        rc = getline(&line, &size, stdin) < 0 ? SILL_EOF : ask_line(line);
    }
    free(line);
    return rc == SILL_EOF ? 0 : rc;
}

static int run(void *unused)
{
    int rc = SILL_EADDRNOTAVAIL;
    (void)unused;
    for (int i = 0; rc != 0 && i < cli.address_count; i++) {
        cli.client.address = cli.addresses[i];
        rc = sill_resp_link_open(&cli.link, &cli.client, SILL_NEVER);
    }
    if (rc == 0)
        rc = cli.word_count > 0 ? ask_words() : ask_lines();
    sill_resp_link_close(&cli.link);
    return rc;
}

/* ---- options ---- */

/* Looks the host up, before there is a loop that has to wait for it. */
static bool resolve(void)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
    char text[NI_MAXHOST];
    int port = atoi(cli.port);
    if (port < 1 || port > 65535 ||
        getaddrinfo(cli.host, NULL, &hints, &found) != 0)
        return false;
    for (struct addrinfo *at = found; at != NULL; at = at->ai_next) {
        if (cli.address_count < ADDRESSES &&
            getnameinfo(at->ai_addr, at->ai_addrlen, text, sizeof(text), NULL,
                        0, NI_NUMERICHOST) == 0 &&
            sill_address_ip(&cli.addresses[cli.address_count], text,
                            (uint16_t)port) == 0)
            cli.address_count++;
    }
    freeaddrinfo(found);
    return cli.address_count > 0;
}

static bool read_option(int option)
{
    switch (option) {
    case 'h':
        cli.host = optarg;
        return true;
    case 'p':
        cli.port = optarg;
        return true;
    case 's':
        cli.address_count = 1;
        return sill_address_unix(cli.addresses, optarg) == 0;
    case 'n':
        cli.client.database = atoi(optarg);
        return true;
    case 'a':
        cli.client.password = optarg;
        return true;
    case '3':
        cli.client.version = 3;
        return true;
    case RAW:
    case NO_RAW:
        cli.raw = option == RAW;
        return true;
    default:
        return false;
    }
}

static bool read_options(int count, char **words)
{
    static const struct option long_ones[] = {
        {"raw", no_argument, NULL, RAW},
        {"no-raw", no_argument, NULL, NO_RAW},
        {NULL, 0, NULL, 0}};
    int option;
    cli.raw = isatty(STDOUT_FILENO) != 1;
    while ((option = getopt_long(count, words, "+h:p:s:n:a:3", long_ones,
                                 NULL)) != -1)
        if (!read_option(option))
            return false;
    cli.words = words + optind;
    cli.word_count = (size_t)(count - optind);
    return true;
}

int main(int count, char **words)
{
    if (count == 2 && strcmp(words[1], "--help") == 0) {
        fputs(usage, stdout);
        return 0;
    }
    if (!read_options(count, words)) {
        fputs(usage, stderr);
        return 2;
    }
    if (cli.address_count == 0 && !resolve()) {
        fprintf(stderr, "resp-cli: no such host and port: %s %s\n", cli.host,
                cli.port);
        return 1;
    }
    int rc = sill_run(run, NULL);
    if (rc != 0)
        fprintf(stderr, "resp-cli: %s\n", sill_strerror(rc));
    return rc != 0 || cli.has_failed;
}
