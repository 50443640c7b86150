/* SPDX-License-Identifier: MIT */
/*
 * event-app PORT: a libevent program that fetches web pages.
 *
 * Its server, its clock and its signals are libevent's. Each line that a client
 * sends is a URL; the answer is "200 13 bytes", or what went wrong. Try it with
 * "nc HOST PORT". A page is fetched by a task of a guest, sill's part in the
 * program's loop, and this is how the two meet:
 *
 *     main         sill_libevent_attach
 *     take_line    sill_guest_start    -->  fetch: runs, waits, returns
 *     hang_up      sill_guest_cancel   -->    or its calls say SILL_ECANCELED
 *     on_fetched                       <--  told of its end, either way
 *     on_signal    sill_guest_drain    -->  no new ones; in the end cancels
 *     on_drained   sill_guest_detach   <--  none is left
 */
#include <sill/libevent.h>
#include <sill/sill.h>
#include <sill_http.h>

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINES_MAX = 4096, BACKLOG = 128 };

static const struct timeval tick = {1, 0};   /* between two lines of ours */
static const struct timeval stall = {10, 0}; /* of who takes no answer */

#define PATIENCE (30 * SILL_SECOND) /* for a page */
#define GRACE    (1 * SILL_SECOND)  /* for those that are fetched at the end */

/* Has one line in hand at a time, and is freed after the end of its task. */
struct client {
    struct client *next, **link;
    struct bufferevent *stream;
    struct sill_task *task; /* that fetches the line; NULL: none */
    char *line;
    uint64_t size; /* of the page */
    bool left;
};

static struct sill_guest *guest;
static struct sill_http_client http; /* its connections serve all tasks */
static struct evconnlistener *server;
static struct event *ticker, *signals[2];
static struct client *clients;
static unsigned fetched, failed;

/* The task: blocking-style code, and all of it that blocks. */
static int fetch(void *arg)
{
    struct client *client = arg;
    sill_time deadline = sill_after(PATIENCE);
    const struct sill_http_head *head;
    struct sill_http_call *call;
    char piece[8192];
    ssize_t got = 0;

    int rc = sill_http_call_open(&http, client->line, NULL, &call, deadline);
    if (rc == 0)
        rc = sill_http_call_response(call, &head, deadline);
    if (rc == 0) {
        while ((got = sill_http_call_read(call, piece, sizeof(piece),
                                          deadline)) > 0)
            client->size += (uint64_t)got;
        rc = got < 0 ? (int)got : head->status;
    }
    sill_http_call_close(call);
    return rc;
}

/* From here on it is libevent as usual. */

static void enter(struct client *client)
{
    client->next = clients;
    client->link = &clients;
    if (clients != NULL)
        clients->link = &client->next;
    clients = client;
}

static void drop(struct client *client)
{
    *client->link = client->next;
    if (client->next != NULL)
        client->next->link = client->link;
    bufferevent_free(client->stream);
    free(client->line);
    free(client);
}

/* A client that has a task is dropped when that has ended. */
static void hang_up(struct client *client)
{
    client->left = true;
    bufferevent_disable(client->stream, EV_READ | EV_WRITE);
    if (client->task != NULL)
        sill_guest_cancel(guest, client->task);
    else
        drop(client);
}

static void answer(struct client *client, int rc)
{
    struct evbuffer *out = bufferevent_get_output(client->stream);
    if (rc < 0)
        evbuffer_add_printf(out, "%s\n", sill_strerror(rc));
    else
        evbuffer_add_printf(out, "%d %llu bytes\n", rc,
                            (unsigned long long)client->size);
}

/* On the base's own stack, like any callback. */
static void on_fetched(void *arg, int rc)
{
    struct client *client = arg;
    client->task = NULL;
    fetched += rc >= 0;
    failed += rc < 0;
    if (client->left)
        drop(client);
    else
        answer(client, rc);
}

static bool is_written(const struct client *client)
{
    return evbuffer_get_length(bufferevent_get_output(client->stream)) == 0;
}

static void take_line(struct client *client)
{
    struct evbuffer *in = bufferevent_get_input(client->stream);
    if (client->task != NULL || !is_written(client))
        return;
    free(client->line);
    client->line = evbuffer_readln(in, NULL, EVBUFFER_EOL_CRLF);
    client->size = 0;
    if (client->line == NULL) {
        if (evbuffer_get_length(in) >= LINES_MAX)
            hang_up(client);
        return;
    }
    int rc = sill_guest_start(guest, fetch, client, on_fetched, &client->task);
    if (rc < 0)
        answer(client, rc);
}

static void on_read(struct bufferevent *stream, void *arg)
{
    (void)stream;
    take_line(arg);
}

/* Once the guest is gone, a client stays for its last answer only. */
static void on_written(struct bufferevent *stream, void *arg)
{
    (void)stream;
    if (guest != NULL)
        take_line(arg);
    else
        drop(arg);
}

/* Who has left wants no answer. */
static void on_event(struct bufferevent *stream, short what, void *arg)
{
    (void)stream, (void)what;
    hang_up(arg);
}

static void on_connection(struct evconnlistener *listener, evutil_socket_t fd,
                          struct sockaddr *peer, int size, void *arg)
{
    struct event_base *base = evconnlistener_get_base(listener);
    struct client *client = calloc(1, sizeof(*client));
    (void)peer, (void)size, (void)arg;
    if (client != NULL)
        client->stream =
            bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
    if (client == NULL || client->stream == NULL) {
        free(client);
        (void)close(fd);
        return;
    }
    enter(client);
    bufferevent_setcb(client->stream, on_read, on_written, on_event, client);
    bufferevent_setwatermark(client->stream, EV_READ, 0, LINES_MAX);
    bufferevent_set_timeouts(client->stream, NULL, &stall);
    bufferevent_enable(client->stream, EV_READ | EV_WRITE);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what, (void)arg;
    if (fetched + failed > 0)
        printf("%u fetched, %u failed\n", fetched, failed);
    fetched = failed = 0;
}

/* No task is left: the guest goes first, then everything else. */
static void on_drained(void *arg)
{
    (void)arg;
    sill_http_client_close(&http);
    if (sill_guest_detach(guest) < 0)
        abort();
    guest = NULL;
    event_free(ticker);
    event_free(signals[0]);
    event_free(signals[1]);
    for (struct client *client = clients, *next; client; client = next) {
        next = client->next;
        bufferevent_disable(client->stream, EV_READ);
        if (is_written(client))
            drop(client);
    }
}

/* A second signal does not wait for the pages. */
static void on_signal(evutil_socket_t number, short what, void *arg)
{
    bool again = server == NULL;
    (void)number, (void)what, (void)arg;
    if (!again)
        evconnlistener_free(server);
    server = NULL;
    sill_guest_drain(guest, again ? SILL_PAST : sill_after(GRACE), on_drained,
                     NULL);
}

/* Returns the port, or -1. */
static int listen_on(struct event_base *base, int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct sockaddr *any = (struct sockaddr *)&address;
    socklen_t size = sizeof(address);
    server = evconnlistener_new_bind(
        base, on_connection, NULL,
        LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE,
        BACKLOG, any, (int)size);
    if (server == NULL ||
        getsockname(evconnlistener_get_fd(server), any, &size) < 0)
        return -1;
    return ntohs(address.sin_port);
}

static int complain(const char *error)
{
    fprintf(stderr, "event-app: %s\n", error);
    return 1;
}

static bool is_added(struct event *event, const struct timeval *span)
{
    return event != NULL && event_add(event, span) == 0;
}

static int run(struct event_base *base, int port)
{
    port = base == NULL ? -1 : listen_on(base, port);
    if (port < 0)
        return complain(strerror(errno));
    int rc = sill_libevent_attach(base, NULL, &guest);
    if (rc < 0)
        return complain(sill_strerror(rc));
    ticker = event_new(base, -1, EV_PERSIST, on_tick, NULL);
    signals[0] = evsignal_new(base, SIGINT, on_signal, NULL);
    signals[1] = evsignal_new(base, SIGTERM, on_signal, NULL);
    if (!is_added(ticker, &tick) || !is_added(signals[0], NULL) ||
        !is_added(signals[1], NULL))
        return complain("out of memory");
    printf("listening on 127.0.0.1:%d\n", port);
    event_base_dispatch(base);
    event_base_free(base);
    return 0;
}

int main(int count, char **words)
{
    char *end = "";
    bool asks = count == 2 && strcmp(words[1], "--help") == 0;
    long port = count == 2 ? strtol(words[1], &end, 10) : -1;

    if (asks || port < 0 || port > 65535 || *end != '\0') {
        fputs("usage: event-app PORT\n", asks ? stdout : stderr);
        return asks ? 0 : 2;
    }
    signal(SIGPIPE, SIG_IGN); /* libevent writes without MSG_NOSIGNAL */
    setvbuf(stdout, NULL, _IOLBF, 0);
    return run(event_base_new(), (int)port);
}
