/* SPDX-License-Identifier: MIT */
/*
 * hello PORT [--timeout SECONDS]: the smallest HTTP server. Every GET is
 * answered with "Hello, World!"; POST /echo gets its body back.
 */
#include "sill_http.h"

#include <sill/sill.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Nobody needs more than this echoed. */
#define BODY_MAX (UINT64_C(1) << 30)

static struct sill_trigger stop = SILL_TRIGGER_INIT;

static int echo(struct sill_http_exchange *exchange)
{
    const struct sill_http_head *request = sill_http_request(exchange);
    bool has_body = request->framing != SILL_HTTP_NO_BODY;
    char piece[8192];

    ssize_t got =
        sill_http_request_read(exchange, piece, sizeof(piece), SILL_NEVER);
    if (got < 0)
        return (int)got;
    int rc = sill_http_response_begin(exchange, 200,
                                      has_body ? request->content_length : 0);
    while (rc == 0 && got > 0) {
        rc = sill_http_response_write(exchange, piece, (size_t)got, SILL_NEVER);
        if (rc == 0)
            got = sill_http_request_read(exchange, piece, sizeof(piece),
                                         SILL_NEVER);
    }
    return rc != 0 ? rc : (int)got;
}

/* Answers a method that is not served here. */
static int refuse(struct sill_http_exchange *exchange, const char *allowed)
{
    enum sill_http_method method = sill_http_request(exchange)->method;
    if (method == SILL_HTTP_OTHER)
        return sill_http_response_send(exchange, 501, "what?\n", 6, SILL_NEVER);
    sill_http_response_header(exchange, "Allow", allowed);
    if (method == SILL_HTTP_OPTIONS)
        return sill_http_response_send(exchange, 204, NULL, 0, SILL_NEVER);
    return sill_http_response_send(exchange, 405, "not here\n", 9, SILL_NEVER);
}

static int hello(void *arg, struct sill_http_exchange *exchange)
{
    const struct sill_http_head *request = sill_http_request(exchange);
    bool echoes =
        sill_http_view_is_equal(request->path, SILL_HTTP_VIEW("/echo"));
    (void)arg;

    if (request->method == SILL_HTTP_POST && echoes)
        return echo(exchange);
    sill_http_response_header(exchange, "Content-Type", "text/plain");
    if (request->method == SILL_HTTP_GET || request->method == SILL_HTTP_HEAD)
        return sill_http_response_send(exchange, 200, "Hello, World!", 13,
                                       SILL_NEVER);
    return refuse(exchange,
                  echoes ? "GET, HEAD, POST, OPTIONS" : "GET, HEAD, OPTIONS");
}

struct options {
    const char *port;
    sill_duration timeout;
};

static int serve(void *arg)
{
    const struct options *options = arg;
    struct sill_http_server server = {
        .handler = hello,
        .limits = {.body = BODY_MAX},
        .stop = &stop,
        .head_timeout = options->timeout,
        .body_timeout = options->timeout,
    };
    struct sill_listener listener;
    struct sill_address address;
    char text[SILL_ADDRESS_TEXT_MAX];

    snprintf(text, sizeof(text), "127.0.0.1:%s", options->port);
    int rc = sill_address_parse(&address, text);
    if (rc == 0)
        rc = sill_listener_listen(&listener, &address, NULL);
    if (rc != 0)
        return rc;
    rc = sill_listener_local(&listener, &address);
    printf("listening on %s\n",
           sill_address_format(&address, text, sizeof(text)));
    fflush(stdout);
    if (rc == 0)
        rc = sill_http_serve(&server, &listener, SILL_NEVER);
    return rc;
}

static void on_signal(int number)
{
    (void)number;
    sill_resume(&stop, 0);
}

/* Returns 0, 1 after --help, or 2 for what makes no sense. */
static int read_options(struct options *options, int count, char **words)
{
    struct sill_address address;
    char text[SILL_ADDRESS_TEXT_MAX], *end = "";
    double seconds = 5;

    if (count == 2 && strcmp(words[1], "--help") == 0)
        return 1;
    if (count == 4 && strcmp(words[2], "--timeout") == 0)
        seconds = strtod(words[3], &end);
    else if (count != 2)
        return 2;
    if (!(seconds > 0 && seconds < 1e6) || *end != '\0')
        return 2;
    options->port = words[1];
    options->timeout = (sill_duration)(seconds * 1e9);
    snprintf(text, sizeof(text), "127.0.0.1:%s", options->port);
    return sill_address_parse(&address, text) == 0 ? 0 : 2;
}

int main(int count, char **words)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    struct options options;

    int asked = read_options(&options, count, words);
    if (asked != 0) {
        fputs("usage: hello PORT [--timeout SECONDS]\n",
              asked == 1 ? stdout : stderr);
        return asked == 1 ? 0 : 2;
    }
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);

    int rc = sill_run(serve, &options);
    if (rc != 0)
        fprintf(stderr, "hello: %s\n", sill_strerror(rc));
    return rc == 0 ? 0 : 1;
}
