/* SPDX-License-Identifier: MIT */
/*
 * bench-hello-guest PORT [own]: the hello example as the guest of a loop that
 * is the program's own, or, with "own", on the loop of the backend: one program
 * for both, so that nothing but the loop differs.
 */
#include "host.h"
#include "sill_http.h"

#include <sill/sill.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>

static struct sill_trigger stop = SILL_TRIGGER_INIT;

/* What examples/hello.c does for a GET. */
static int hello(void *arg, struct sill_http_exchange *exchange)
{
    const struct sill_http_head *request = sill_http_request(exchange);
    (void)arg;

    if (sill_http_view_is_equal(request->path, SILL_HTTP_VIEW("/echo")))
        return SILL_EINVAL;
    sill_http_response_header(exchange, "Content-Type", "text/plain");
    return sill_http_response_send(exchange, 200, "Hello, World!", 13,
                                   SILL_NEVER);
}

struct service {
    const char *port;
    int result;
};

static int serve(void *arg)
{
    const struct service *service = arg;
    struct sill_http_server server = {.handler = hello, .stop = &stop};
    struct sill_listener listener;
    struct sill_address address;
    char text[SILL_ADDRESS_TEXT_MAX];

    snprintf(text, sizeof text, "127.0.0.1:%s", service->port);
    int rc = sill_address_parse(&address, text);
    if (rc == 0)
        rc = sill_listener_listen(&listener, &address, NULL);
    if (rc < 0)
        return rc;
    rc = sill_listener_local(&listener, &address);
    printf("listening on %s\n",
           sill_address_format(&address, text, sizeof text));
    fflush(stdout);
    return rc < 0 ? rc : sill_http_serve(&server, &listener, SILL_NEVER);
}

static void on_signal(int number)
{
    (void)number;
    sill_resume(&stop, 0);
}

static void on_done(void *arg, int result)
{
    ((struct service *)arg)->result = result;
}

/* The host ends when its guest has nothing left to do. */
static int run_guest(struct host *host, struct sill_guest *guest,
                     struct service *service)
{
    int rc = sill_guest_start(guest, serve, service, on_done, NULL);
    if (rc == 0)
        host_run(host);
    else
        service->result = rc;
    rc = host_detach(host, guest);
    return rc < 0 ? rc : service->result;
}

static int serve_as_guest(struct service *service)
{
    struct host *host = host_open();
    struct sill_guest *guest;
    int rc = host_attach(host, NULL, &guest);
    if (rc == 0)
        rc = run_guest(host, guest, service);
    return host_close(host) || rc < 0 ? rc : SILL_EBUSY;
}

int main(int argc, char **argv)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    struct service service = {.port = argc > 1 ? argv[1] : "0"};
    bool own = argc > 2 && strcmp(argv[2], "own") == 0;

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);

    int rc = own ? sill_run(serve, &service) : serve_as_guest(&service);
    if (rc < 0)
        fprintf(stderr, "hello: %s\n", sill_strerror(rc));
    return rc < 0;
}
