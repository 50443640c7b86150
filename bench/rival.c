/* SPDX-License-Identifier: MIT */
/*
 * The sockets and the HTTP that the hand-written servers share.
 */
#include "rival.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

static _Noreturn void die(const char *what)
{
    perror(what);
    _Exit(1);
}

int rival_port(int argc, char **argv)
{
    return argc > 1 ? (int)strtol(argv[1], NULL, 10) : 0;
}

void rival_announce(int fd)
{
    struct sockaddr_in address = {0};
    socklen_t size = sizeof address;

    if (getsockname(fd, (struct sockaddr *)&address, &size) < 0)
        die("getsockname");
    printf("listening on 127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
}

int rival_listen(int port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int yes = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        die("socket");
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0)
        die("bind");
    if (listen(fd, 1024) < 0)
        die("listen");
    rival_announce(fd);
    return fd;
}

int rival_accept(int listener)
{
    int yes = 1;
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd >= 0)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    return fd;
}

bool rival_watch(int set, int operation, int fd, uint32_t more, void *conn)
{
    struct epoll_event e = {
        .events = EPOLLIN | EPOLLRDHUP | EPOLLET | more,
        .data.ptr = conn,
    };
    return epoll_ctl(set, operation, fd, &e) == 0;
}

/* Where the next header line, or the end of the request, begins; NULL when it
 * has not arrived. */
static const char *line_after(const char *at, const char *end)
{
    const char *lf = memchr(at, '\n', (size_t)(end - at));
    return lf ? lf + 1 : NULL;
}

static bool header_closes(const char *line)
{
    switch (*line | 0x20) {
    case 'c':
        return strncasecmp(line, "connection: close", 17) == 0 ||
               strncasecmp(line, "content-length:", 15) == 0;
    case 't':
        return strncasecmp(line, "transfer-encoding:", 18) == 0;
    default:
        return false;
    }
}

/* Returns the end of the request at (at), or NULL; its last lines stand in the
 * buffer, so that the comparisons meet a line end before the buffer's. */
static const char *request_end(const char *at, const char *end, bool *close)
{
    const char *line = line_after(at, end);

    if (line && memcmp(at, "GET /", 5) != 0)
        *close = true;
    while (line && line < end && *line != '\r' && *line != '\n') {
        const char *next = line_after(line, end);
        if (next && header_closes(line))
            *close = true;
        line = next;
    }
    if (!line || line == end)
        return NULL;
    return line_after(line, end);
}

/* The date is written anew once in a second. */
static const char *response(size_t *size)
{
    static char text[256];
    static size_t length;
    static time_t then;
    time_t now = time(NULL);

    if (now != then) {
        struct tm tm;
        char date[64];
        strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT",
                 gmtime_r(&now, &tm));
        length = (size_t)snprintf(text, sizeof text,
                                  "HTTP/1.1 200 OK\r\n"
                                  "Date: %s\r\n"
                                  "Content-Length: 13\r\n"
                                  "Content-Type: text/plain\r\n"
                                  "\r\n"
                                  "Hello, World!",
                                  date);
        then = now;
    }
    *size = length;
    return text;
}

struct rival_answer rival_hello(const char *input, size_t size, char *output,
                                size_t room)
{
    struct rival_answer a = {0, 0, false};
    size_t length;
    const char *text = response(&length);

    while (!a.close && a.used < size && room - a.size >= length) {
        const char *at = input + a.used;
        const char *end = request_end(at, input + size, &a.close);
        if (!end)
            break;
        memcpy(output + a.size, text, length);
        a.size += length;
        a.used = (size_t)(end - input);
    }
    return a;
}
