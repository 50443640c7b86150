/* SPDX-License-Identifier: MIT */
/*
 * uv-app PORT: a libuv program that fetches web pages.
 *
 * Its server, its clock and its signals are libuv's. Each line that a client
 * sends is a URL; the answer is "200 13 bytes", or what went wrong. Try it with
 * "nc HOST PORT". A page is fetched by a task of a guest, sill's part in the
 * program's loop, and this is how the two meet:
 *
 *     main         sill_libuv_attach
 *     take_line    sill_guest_start   -->  fetch: runs, waits, returns
 *     hang_up      sill_guest_cancel  -->    or its calls say SILL_ECANCELED
 *     on_fetched                      <--  told of its end, either way
 *     on_signal    sill_guest_drain   -->  no new ones; in the end cancels
 *     on_drained   sill_guest_detach  <--  none is left
 */
#include <sill/libuv.h>
#include <sill/sill.h>
#include <sill_http.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum { LINE_SIZE = 2048, BACKLOG = 128, TICK_MS = 1000 };

#define PATIENCE (30 * SILL_SECOND) /* for a page */
#define GRACE    (1 * SILL_SECOND)  /* for those that are fetched at the end */

/* Has one line in hand at a time. Lives until its handle is closed, which comes
 * after the end of its task. */
struct client {
    uv_tcp_t tcp;
    char lines[LINE_SIZE];
    size_t used;            /* bytes of (lines) */
    size_t taken;           /* of these: the line in hand, until answered */
    struct sill_task *task; /* that fetches it; NULL: none */
    bool left;
    uint64_t size; /* of the page */
    char answer[64];
    uv_write_t write;
};

static struct sill_guest *guest;
static struct sill_http_client http; /* its connections serve all tasks */
static uv_tcp_t server;
static uv_timer_t ticker;
static uv_signal_t signals[2];
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

    int rc = sill_http_call_open(&http, client->lines, NULL, &call, deadline);
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

/* From here on it is libuv as usual. */

/* The data of a client's handle is the client; others have none. */
static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void close_handle(uv_handle_t *handle, void *arg)
{
    (void)arg;
    if (!uv_is_closing(handle))
        uv_close(handle, on_closed);
}

/* A client that has a task is closed when that has ended. */
static void hang_up(struct client *client)
{
    client->left = true;
    uv_read_stop((uv_stream_t *)&client->tcp);
    if (client->task != NULL)
        sill_guest_cancel(guest, client->task);
    else
        close_handle((uv_handle_t *)&client->tcp, NULL);
}

static void take_line(struct client *client);

static void on_written(uv_write_t *write, int status)
{
    struct client *client = write->handle->data;
    if (status < 0 || uv_is_closing((uv_handle_t *)&client->tcp)) {
        hang_up(client);
        return;
    }
    client->used -= client->taken;
    memmove(client->lines, client->lines + client->taken, client->used);
    client->taken = 0;
    take_line(client);
}

static void answer(struct client *client, int rc)
{
    if (rc < 0)
        snprintf(client->answer, sizeof(client->answer), "%s\n",
                 sill_strerror(rc));
    else
        snprintf(client->answer, sizeof(client->answer), "%d %llu bytes\n", rc,
                 (unsigned long long)client->size);
    uv_buf_t all =
        uv_buf_init(client->answer, (unsigned)strlen(client->answer));
    if (uv_write(&client->write, (uv_stream_t *)&client->tcp, &all, 1,
                 on_written) < 0)
        hang_up(client);
}

/* On the loop's own stack, like any callback. */
static void on_fetched(void *arg, int rc)
{
    struct client *client = arg;
    client->task = NULL;
    fetched += rc >= 0;
    failed += rc < 0;
    if (client->left)
        close_handle((uv_handle_t *)&client->tcp, NULL);
    else
        answer(client, rc);
}

static void take_line(struct client *client)
{
    char *end = memchr(client->lines, '\n', client->used);
    if (client->taken > 0 || end == NULL)
        return;
    client->taken = (size_t)(end + 1 - client->lines);
    *end = '\0';
    client->lines[strcspn(client->lines, "\r")] = '\0';
    client->size = 0;
    int rc = sill_guest_start(guest, fetch, client, on_fetched, &client->task);
    if (rc < 0)
        answer(client, rc);
}

static void on_alloc(uv_handle_t *handle, size_t hint, uv_buf_t *room)
{
    struct client *client = handle->data;
    (void)hint;
    *room = uv_buf_init(client->lines + client->used,
                        (unsigned)(LINE_SIZE - client->used));
}

/* Who has left wants no answer; who sends more than fits (UV_ENOBUFS) gets
 * none. */
static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *room)
{
    struct client *client = stream->data;
    (void)room;
    if (got < 0) {
        hang_up(client);
        return;
    }
    client->used += (size_t)got;
    take_line(client);
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct client *client = status < 0 ? NULL : calloc(1, sizeof(*client));
    if (client == NULL)
        return;
    uv_tcp_init(listener->loop, &client->tcp);
    client->tcp.data = client;
    uv_stream_t *stream = (uv_stream_t *)&client->tcp;
    if (uv_accept(listener, stream) < 0 ||
        uv_read_start(stream, on_alloc, on_read) < 0)
        hang_up(client);
}

static void on_tick(uv_timer_t *timer)
{
    (void)timer;
    if (fetched + failed > 0)
        printf("%u fetched, %u failed\n", fetched, failed);
    fetched = failed = 0;
}

/* No task is left: the guest goes first, then everything else. */
static void on_drained(void *arg)
{
    sill_http_client_close(&http);
    if (sill_guest_detach(guest) < 0)
        abort();
    uv_walk(arg, close_handle, NULL);
}

/* A second signal does not wait for the pages. */
static void on_signal(uv_signal_t *handle, int number)
{
    bool again = uv_is_closing((uv_handle_t *)&server);
    (void)number;
    close_handle((uv_handle_t *)&server, NULL);
    sill_guest_drain(guest, again ? SILL_PAST : sill_after(GRACE), on_drained,
                     handle->loop);
}

/* Returns the port, or an error of libuv. */
static int listen_on(uv_loop_t *loop, int port)
{
    struct sockaddr_in address;
    int size = sizeof(address);
    uv_ip4_addr("127.0.0.1", port, &address);
    uv_tcp_init(loop, &server);
    int rc = uv_tcp_bind(&server, (struct sockaddr *)&address, 0);
    if (rc == 0)
        rc = uv_listen((uv_stream_t *)&server, BACKLOG, on_connection);
    if (rc == 0)
        rc = uv_tcp_getsockname(&server, (struct sockaddr *)&address, &size);
    return rc < 0 ? rc : ntohs(address.sin_port);
}

static int complain(const char *error)
{
    fprintf(stderr, "uv-app: %s\n", error);
    return 1;
}

static int run(uv_loop_t *loop, int port)
{
    port = listen_on(loop, port);
    if (port < 0)
        return complain(uv_strerror(port));
    int rc = sill_libuv_attach(loop, NULL, &guest);
    if (rc < 0)
        return complain(sill_strerror(rc));
    uv_timer_init(loop, &ticker);
    uv_timer_start(&ticker, on_tick, TICK_MS, TICK_MS);
    for (int i = 0; i < 2; i++) {
        uv_signal_init(loop, &signals[i]);
        uv_signal_start(&signals[i], on_signal, i == 0 ? SIGINT : SIGTERM);
    }
    printf("listening on 127.0.0.1:%d\n", port);
    uv_run(loop, UV_RUN_DEFAULT);
    rc = uv_loop_close(loop);
    return rc == 0 ? 0 : complain(uv_strerror(rc));
}

int main(int count, char **words)
{
    char *end = "";
    bool asks = count == 2 && strcmp(words[1], "--help") == 0;
    long port = count == 2 ? strtol(words[1], &end, 10) : -1;

    if (asks || port < 0 || port > 65535 || *end != '\0') {
        fputs("usage: uv-app PORT\n", asks ? stdout : stderr);
        return asks ? 0 : 2;
    }
    signal(SIGPIPE, SIG_IGN); /* libuv writes without MSG_NOSIGNAL */
    setvbuf(stdout, NULL, _IOLBF, 0);
    return run(uv_default_loop(), (int)port);
}
