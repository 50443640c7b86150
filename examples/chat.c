/* SPDX-License-Identifier: MIT */
/*
 * chat PORT: what one says, all others hear. Try it with "nc HOST PORT".
 *
 * The first line of a client is its name, every other one is said to the room.
 * It shows the two ideas that most servers are made of:
 *
 *   scopes     The room is a collecting scope: a client that leaves disturbs
 *              nobody. A client is a fail-fast scope of two tasks, one that
 *              listens and one that talks: when one ends, so does the other.
 *   triggers   A client's talker sleeps on a trigger until there is something
 *              to say. Whoever puts lines into its outbox resumes it, and never
 *              waits for a slow client: one that does not keep up has to go.
 */
#include <sill/sill.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_SIZE = 21, LINE_SIZE = 512, OUTBOX_SIZE = 16384 };

struct client {
    struct client *next, **link; /* among those in the room */
    struct sill_stream stream;
    struct sill_scope scope;
    struct sill_trigger news;
    char name[NAME_SIZE];
    size_t waiting; /* bytes in the outbox */
    char outbox[OUTBOX_SIZE];
};

static struct sill_trigger stop = SILL_TRIGGER_INIT;
static struct client *room;

/* Puts (line) into the outbox of each client but (except). */
static void say(const struct client *except, const char *line)
{
    size_t size = strlen(line);
    for (struct client *c = room; c != NULL; c = c->next) {
        if (c == except)
            continue;
        if (c->waiting + size > OUTBOX_SIZE) {
            sill_scope_cancel(&c->scope);
            continue;
        }
        memcpy(c->outbox + c->waiting, line, size);
        c->waiting += size;
        sill_resume(&c->news, 0);
    }
}

/* Tells the others what became of (client). */
static void announce(const struct client *client, const char *news)
{
    char line[NAME_SIZE + 32];
    snprintf(line, sizeof(line), "* %s %s\n", client->name, news);
    say(client, line);
}

/* The talker: sends what is in the outbox whenever there is something. */
static int talk(void *arg)
{
    struct client *client = arg;
    char text[OUTBOX_SIZE / 4];

    for (;;) {
        int rc = sill_suspend(&client->news, SILL_NEVER);
        if (rc != 0)
            return rc;
        sill_trigger_init(&client->news, NULL, NULL);
        while (client->waiting > 0) {
            size_t size = client->waiting;
            if (size > sizeof(text))
                size = sizeof(text);
            memcpy(text, client->outbox, size);
            client->waiting -= size;
            memmove(client->outbox, client->outbox + size, client->waiting);
            rc = sill_stream_write_all(&client->stream, text, size, NULL,
                                       SILL_NEVER);
            if (rc != 0)
                return rc;
        }
    }
}

static void enter(struct client *client)
{
    client->next = room;
    client->link = &room;
    if (room != NULL)
        room->link = &client->next;
    room = client;
    announce(client, "is here");
}

static void leave(struct client *client)
{
    *client->link = client->next;
    if (client->next != NULL)
        client->next->link = client->link;
    announce(client, "has left");
}

/* The listener: says each line to the others. */
static int listen_to(void *arg)
{
    struct client *client = arg;
    struct sill_reader reader;
    const char *line;
    char buffer[LINE_SIZE], text[NAME_SIZE + LINE_SIZE + 4];

    sill_reader_init(&reader, &client->stream, buffer, sizeof(buffer));
    ssize_t size = sill_reader_line(&reader, &line, SILL_NEVER);
    if (size < 0)
        return (int)size;
    snprintf(client->name, sizeof(client->name), "%.*s", (int)size, line);
    enter(client);
    while ((size = sill_reader_line(&reader, &line, SILL_NEVER)) >= 0) {
        snprintf(text, sizeof(text), "%s: %.*s\n", client->name, (int)size,
                 line);
        say(client, text);
    }
    leave(client);
    return (int)size; /* an error, so that the talker ends as well */
}

static int serve_client(void *arg)
{
    struct client *client = arg;

    sill_scope_init(&client->scope, SILL_SCOPE_FAIL_FAST);
    int rc = sill_scope_spawn(&client->scope, listen_to, client);
    if (rc == 0)
        rc = sill_scope_spawn(&client->scope, talk, client);
    if (rc != 0)
        sill_scope_cancel(&client->scope);
    rc = sill_scope_wait(&client->scope, SILL_NEVER);
    sill_scope_fini(&client->scope);
    sill_stream_close(&client->stream);
    free(client);
    return rc;
}

/* Takes one client into (clients). */
static int take(struct sill_scope *clients, struct sill_listener *listener)
{
    struct client *client = calloc(1, sizeof(*client));
    if (client == NULL)
        return SILL_ENOMEM;
    int rc = sill_listener_accept(listener, &client->stream, SILL_NEVER);
    if (rc != 0)
        goto fail;
    rc = sill_scope_spawn(clients, serve_client, client);
    if (rc == 0)
        return 0;
    sill_stream_close(&client->stream);
fail:
    free(client);
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
    /* A second to say goodbye; who has not left by then is cancelled. */
    say(NULL, "* the room closes\n");
    sill_scope_drain(&clients, sill_after(SILL_SECOND), SILL_NEVER);
    sill_scope_fini(&clients);
}

/* A closed listener ends the service. */
static int await_stop(void *arg)
{
    int rc = sill_suspend(&stop, SILL_NEVER);
    sill_listener_close(arg);
    return rc;
}

static int run(void *arg)
{
    struct sill_listener listener;
    struct sill_address address;
    struct sill_task *stopper;
    char text[SILL_ADDRESS_TEXT_MAX];

    snprintf(text, sizeof(text), "127.0.0.1:%s", (const char *)arg);
    int rc = sill_address_parse(&address, text);
    if (rc == 0)
        rc = sill_listener_listen(&listener, &address, NULL);
    if (rc != 0)
        return rc;
    rc = sill_listener_local(&listener, &address);
    if (rc == 0)
        rc = sill_spawn(await_stop, &listener, &stopper);
    if (rc != 0)
        goto out;
    printf("listening on %s\n",
           sill_address_format(&address, text, sizeof(text)));
    fflush(stdout);
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
static int read_words(int count, char **words)
{
    struct sill_address address;
    char text[SILL_ADDRESS_TEXT_MAX];

    if (count != 2)
        return 2;
    if (strcmp(words[1], "--help") == 0)
        return 1;
    snprintf(text, sizeof(text), "127.0.0.1:%s", words[1]);
    return sill_address_parse(&address, text) == 0 ? 0 : 2;
}

int main(int count, char **words)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

    int asked = read_words(count, words);
    if (asked != 0) {
        fputs("usage: chat PORT\n", asked == 1 ? stdout : stderr);
        return asked == 1 ? 0 : 2;
    }
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    int rc = sill_run(run, words[1]);
    if (rc != 0)
        fprintf(stderr, "chat: %s\n", sill_strerror(rc));
    return rc == 0 ? 0 : 1;
}
