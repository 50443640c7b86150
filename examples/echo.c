/* SPDX-License-Identifier: MIT */
/*
 * echo PORT: sends back what it receives, to any number of clients at once.
 */
#include <sill/sill.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct sill_trigger stop = SILL_TRIGGER_INIT;

static int echo(void *arg)
{
    struct sill_stream *client = arg;
    char buffer[16384];
    int rc = 0;

    while (rc == 0) {
        ssize_t got =
            sill_stream_read(client, buffer, sizeof(buffer), SILL_NEVER);
        if (got <= 0)
            break;
        rc = sill_stream_write_all(client, buffer, (size_t)got, NULL,
                                   SILL_NEVER);
    }
    sill_stream_close(client);
    free(client);
    return rc;
}

/* Takes one client. Returns 0, SILL_EMFILE or the like when it has to wait, or
 * the error that ends the service. */
static int take(struct sill_scope *clients, struct sill_listener *listener)
{
    struct sill_stream *client = malloc(sizeof(*client));
    if (client == NULL)
        return SILL_ENOMEM;
    int rc = sill_listener_accept(listener, client, SILL_NEVER);
    if (rc != 0) {
        free(client);
        return rc;
    }
    rc = sill_scope_spawn(clients, echo, client);
    if (rc != 0) {
        sill_stream_close(client);
        free(client);
    }
    return rc;
}

static void serve(struct sill_listener *listener)
{
    struct sill_scope clients;
    int rc = 0;

    sill_scope_init(&clients, SILL_SCOPE_COLLECT);
    while (rc != SILL_ECLOSED && rc != SILL_ECANCELED) {
        rc = take(&clients, listener);
        if (rc == SILL_EMFILE || rc == SILL_ENOMEM)
            rc = sill_sleep(sill_after(10 * SILL_MILLISECOND));
        while (sill_scope_next(&clients, NULL, SILL_PAST) == 0)
            continue;
    }
    sill_scope_drain(&clients, SILL_PAST, SILL_NEVER);
    sill_scope_fini(&clients);
}

/* A closed listener ends the service. */
static int await_stop(void *arg)
{
    int rc = sill_suspend(&stop, SILL_NEVER);
    sill_listener_close(arg);
    return rc;
}

/* With printf a small static program would be a third larger. */
static void say(FILE *file, const char *what, const char *more)
{
    fputs(what, file);
    fputs(more, file);
    fputs("\n", file);
    fflush(file);
}

static int run(void *arg)
{
    struct sill_listener listener;
    struct sill_address address;
    struct sill_task *stopper;
    char text[SILL_ADDRESS_TEXT_MAX];

    int rc = sill_listener_listen(&listener, arg, NULL);
    if (rc != 0)
        return rc;
    rc = sill_listener_local(&listener, &address);
    if (rc == 0)
        rc = sill_spawn(await_stop, &listener, &stopper);
    if (rc != 0)
        goto out;
    say(stdout, "listening on ",
        sill_address_format(&address, text, sizeof(text)));
    serve(&listener);
    sill_cancel(stopper, SILL_NEVER);
out:
    sill_listener_close(&listener);
    return rc;
}

static void on_signal(int number)
{
    (void)number;
    sill_resume(&stop, 0);
}

/* Returns 0, 1 after --help, or 2 for what makes no sense. */
static int read_words(int count, char **words, struct sill_address *address)
{
    char text[SILL_ADDRESS_TEXT_MAX] = "127.0.0.1:";

    if (count != 2)
        return 2;
    if (strcmp(words[1], "--help") == 0)
        return 1;
    strncat(text, words[1], sizeof(text) - strlen(text) - 1);
    return sill_address_parse(address, text) == 0 ? 0 : 2;
}

int main(int count, char **words)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    struct sill_address address;

    int asked = read_words(count, words, &address);
    if (asked != 0) {
        say(asked == 1 ? stdout : stderr, "usage: echo PORT", "");
        return asked == 1 ? 0 : 2;
    }
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    int rc = sill_run(run, &address);
    if (rc != 0)
        say(stderr, "echo: ", sill_strerror(rc));
    return rc == 0 ? 0 : 1;
}
