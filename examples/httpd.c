/* SPDX-License-Identifier: MIT */
/*
 * httpd [--root DIR] [--port N] [--host H]: serves the files of a folder and
 * writes one line about each request.
 */
#include "sill_http.h"

#include <sill/sill.h>

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
    "usage: httpd [--root DIR] [--port N] [--host H]\n"
    "\n"
    "Serves the files below DIR over HTTP/1.1 until SIGINT or SIGTERM.\n"
    "\n"
    "  --root DIR   the folder, the present one by default\n"
    "  --port N     8080 by default; 0 picks a free one\n"
    "  --host H     the address to listen on, 127.0.0.1 by default\n"
    "  --help       this text\n"
    "\n"
    "Each request is one line on standard output: peer, time, request,\n"
    "status, bytes of the body, milliseconds.\n";

static struct sill_trigger stop = SILL_TRIGGER_INIT;
static struct sill_http_files files;

/* Neither a full disk nor a reader that fell asleep may stop the service: a
 * line that cannot be written now is dropped. */
static void write_line(const char *line, size_t size)
{
    struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
    if (poll(&out, 1, 0) == 1 && (out.revents & POLLOUT) != 0) {
        ssize_t rc = write(STDOUT_FILENO, line, size);
        (void)rc;
    }
}

static void log_request(void *arg, const struct sill_http_record *record)
{
    const struct sill_http_head *request = record->request;
    struct sill_http_view method = {"-", 1}, target = {"-", 1};
    char peer[SILL_ADDRESS_TEXT_MAX], date[SILL_HTTP_DATE_SIZE], line[1024];
    struct timespec now;
    (void)arg;

    if (request != NULL) {
        method = request->method_text;
        target = request->target;
    }
    timespec_get(&now, TIME_UTC);
    sill_http_date_format((int64_t)now.tv_sec, date);
    sill_address_format(record->peer, peer, sizeof(peer));
    int size = snprintf(
        line, sizeof(line), "%s [%.*s] \"%.*s %.*s%s\" %d %llu %.3f\n", peer,
        (int)sizeof(date), date, method.size > 20 ? 20 : (int)method.size,
        method.at, target.size > 600 ? 600 : (int)target.size, target.at,
        target.size > 600 ? "..." : "", record->status,
        (unsigned long long)record->sent, (double)record->duration / 1e6);
    write_line(line, (size_t)size);
}

struct options {
    const char *root, *host;
    uint16_t port;
};

static int serve(void *arg)
{
    const struct options *options = arg;
    struct sill_http_server server = {
        .handler = sill_http_files_handle,
        .arg = &files,
        .log = log_request,
        .stop = &stop,
        .grace = 3 * SILL_SECOND,
    };
    struct sill_listener listener;
    struct sill_address address;
    char text[SILL_ADDRESS_TEXT_MAX];

    int rc = sill_address_ip(&address, options->host, options->port);
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
static int read_options(struct options *options, char **words)
{
    for (words++; *words != NULL; words += 2) {
        if (strcmp(*words, "--help") == 0)
            return 1;
        if (words[1] == NULL)
            return 2;
        if (strcmp(*words, "--root") == 0) {
            options->root = words[1];
        } else if (strcmp(*words, "--host") == 0) {
            options->host = words[1];
        } else if (strcmp(*words, "--port") == 0) {
            char *end;
            long port = strtol(words[1], &end, 10);
            if (*end != '\0' || end == words[1] || port < 0 || port > 65535)
                return 2;
            options->port = (uint16_t)port;
        } else {
            return 2;
        }
    }
    return 0;
}

int main(int count, char **words)
{
    struct options options = {.root = ".", .host = "127.0.0.1", .port = 8080};
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    (void)count;

    int asked = read_options(&options, words);
    if (asked != 0) {
        fputs(usage, asked == 1 ? stdout : stderr);
        return asked == 1 ? 0 : 2;
    }
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGPIPE, &ignore, NULL); /* the log's reader may go away */

    int rc = sill_http_files_open(&files, options.root);
    if (rc == 0)
        rc = sill_run(serve, &options);
    sill_http_files_close(&files);
    if (rc != 0)
        fprintf(stderr, "httpd: %s\n", sill_strerror(rc));
    return rc == 0 ? 0 : 1;
}
