/* SPDX-License-Identifier: MIT */
/*
 * fetch: the client in one sitting. Writes what a URL shows to standard output
 * and tells by its exit code how that went.
 */
#include <sill/sill.h>
#include <sill_http.h>

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    FETCHED,
    BAD_USAGE,
    NO_CONNECTION,
    BAD_PROTOCOL,
    BAD_STATUS,
    TOO_LATE,
    NO_OUTPUT,
    FAILED
};

static const char usage[] =
    "usage: fetch [--timeout SECONDS] [--redirects COUNT] URL\n"
    "\n"
    "Writes the content of an http URL to standard output.\n"
    "\n"
    "  --timeout SECONDS   give up after so long, in all (30),\n"
    "                      but for the time that finding the host takes\n"
    "  --redirects COUNT   follow at most so many (10)\n"
    "  --help              show this\n"
    "\n"
    "Exit codes: 0 fetched, 1 usage, 2 cannot resolve or connect, 3 the\n"
    "server broke the protocol or off, 4 it answered with a status of 400 or\n"
    "more, 5 timeout, 6 cannot write the output, 7 anything else.\n";

struct job {
    const char *url;
    sill_duration timeout;
    unsigned redirects_max;
};

static int copy_address(struct sill_address *to, const struct sockaddr *from)
{
    if (from->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const void *)from;
        to->family = SILL_FAMILY_IPV4;
        memcpy(to->u.ipv4, &in->sin_addr, sizeof(to->u.ipv4));
        return 1;
    }
    if (from->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const void *)from;
        to->family = SILL_FAMILY_IPV6;
        to->scope_id = in6->sin6_scope_id;
        memcpy(to->u.ipv6, &in6->sin6_addr, sizeof(to->u.ipv6));
        return 1;
    }
    return 0;
}

/* Blocks the whole loop, which is all right in a program with one task. */
static int resolve(void *arg, const char *host, struct sill_address *addresses,
                   size_t room, sill_time deadline)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    size_t count = 0;

    (void)arg;
    (void)deadline;
    if (getaddrinfo(host, NULL, &hints, &found) != 0)
        return SILL_ENOENT;
    for (struct addrinfo *at = found; at && count < room; at = at->ai_next) {
        memset(&addresses[count], 0, sizeof(addresses[count]));
        count += (size_t)copy_address(&addresses[count], at->ai_addr);
    }
    freeaddrinfo(found);
    return (int)count;
}

static int exit_code(int rc)
{
    switch (rc) {
    case SILL_EINVAL:
        return BAD_USAGE;
    case SILL_ENOENT:
    case SILL_ECONNREFUSED:
    case SILL_ENETUNREACH:
    case SILL_EHOSTUNREACH:
        return NO_CONNECTION;
    case SILL_EPROTO:
    case SILL_EMSGSIZE:
    case SILL_EOF:
    case SILL_EPIPE:
    case SILL_ECONNRESET:
        return BAD_PROTOCOL;
    case SILL_ETIMEDOUT:
        return TOO_LATE;
    default:
        return FAILED;
    }
}

static int complain(const char *url, int rc, int error)
{
    bool circles = rc == SILL_EMSGSIZE && error == 0;
    fprintf(stderr, "fetch: %s: %s", url,
            circles ? "too many redirects" : sill_strerror(rc));
    if (error != 0)
        fprintf(stderr, " (%s)", sill_http_strerror(error));
    fputc('\n', stderr);
    return exit_code(rc);
}

static int write_out(const char *data, size_t size)
{
    while (size > 0) {
        ssize_t done = write(STDOUT_FILENO, data, size);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0) {
            perror("fetch: standard output");
            return NO_OUTPUT;
        }
        data += done;
        size -= (size_t)done;
    }
    return FETCHED;
}

static int copy_body(const char *url, struct sill_http_call *call,
                     sill_time deadline)
{
    char buffer[16384];
    ssize_t got;
    while ((got = sill_http_call_read(call, buffer, sizeof(buffer), deadline)) >
           0) {
        int failed = write_out(buffer, (size_t)got);
        if (failed)
            return failed;
    }
    return got == 0 ? FETCHED
                    : complain(url, (int)got, sill_http_call_error(call));
}

static int take_response(const char *url, struct sill_http_call *call,
                         sill_time deadline)
{
    const struct sill_http_head *head;
    int rc = sill_http_call_response(call, &head, deadline);
    if (rc < 0)
        return complain(url, rc, sill_http_call_error(call));
    int failed = copy_body(url, call, deadline);
    if (failed || head->status < 400)
        return failed;
    fprintf(stderr, "fetch: %s: %d %.*s\n", url, head->status,
            (int)head->reason.size, head->reason.at);
    return BAD_STATUS;
}

static int fetch(void *arg)
{
    struct job *job = arg;
    struct sill_http_client client = {.resolve = resolve};
    struct sill_http_call_options options = {
        .ends_connection = true, .redirects_max = job->redirects_max};
    sill_time deadline = sill_after(job->timeout);
    struct sill_http_call *call;

    int rc = sill_http_call_open(&client, job->url, &options, &call, deadline);
    if (rc < 0)
        return complain(job->url, rc, rc == SILL_EINVAL ? SILL_HTTP_EURL : 0);
    int code = take_response(job->url, call, deadline);
    sill_http_call_close(call);
    sill_http_client_close(&client);
    return code;
}

/* Reads a whole number that is not negative. */
static int number(const char *text, long *value)
{
    char *end;
    errno = 0;
    *value = strtol(text, &end, 10);
    return errno == 0 && end != text && *end == '\0' && *value >= 0 &&
           *value <= 1000000000;
}

static int parse(int argc, char **argv, struct job *job)
{
    long value;
    int i = 1;
    for (; i + 1 < argc && strncmp(argv[i], "--", 2) == 0; i += 2) {
        if (!number(argv[i + 1], &value))
            return 0;
        if (strcmp(argv[i], "--timeout") == 0)
            job->timeout = value * SILL_SECOND;
        else if (strcmp(argv[i], "--redirects") == 0)
            job->redirects_max = (unsigned)value;
        else
            return 0;
    }
    job->url = argv[i];
    return i == argc - 1 && argv[i][0] != '-';
}

int main(int argc, char **argv)
{
    struct job job = {.timeout = 30 * SILL_SECOND, .redirects_max = 10};

    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(usage, stdout);
        return FETCHED;
    }
    if (!parse(argc, argv, &job)) {
        fputs(usage, stderr);
        return BAD_USAGE;
    }
    /* getaddrinfo wants more stack than a task usually has. */
    const struct sill_run_options options = {.stack_size = 512 * 1024};
    int rc = sill_run_with(&options, fetch, &job);
    return rc < 0 ? complain(job.url, rc, 0) : rc;
}
