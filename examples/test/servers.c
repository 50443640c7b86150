/* SPDX-License-Identifier: MIT */
/*
 * servers ECHO HELLO HTTPD CHAT FOLDER: starts each server of the examples as a
 * user would, talks to it over plain sockets, and stops it with a signal.
 *
 * servers APP HTTPD FOLDER: the same with one that fetches pages.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static int failures;
static const char *program;

static void expect(int is_so, const char *what)
{
    if (is_so)
        return;
    fprintf(stderr, "%s: not so: %s\n", program, what);
    failures++;
}

struct server {
    pid_t pid;
    FILE *out; /* what it says */
    int port;
};

static void run(char **words, int out)
{
    if (out >= 0)
        dup2(out, STDOUT_FILENO);
    execv(words[0], words);
    _exit(127);
}

static struct server start(char **words)
{
    struct server server = {0};
    int ends[2];
    char line[256] = "";

    program = words[0];
    if (pipe(ends) != 0 || (server.pid = fork()) < 0)
        _exit(1);
    if (server.pid == 0)
        run(words, ends[1]);
    close(ends[1]);
    server.out = fdopen(ends[0], "r");
    expect(fgets(line, sizeof(line), server.out) != NULL &&
               strncmp(line, "listening on 127.0.0.1:", 23) == 0,
           "the first line says where it listens");
    server.port = (int)strtol(line + 23, NULL, 10);
    return server;
}

/* Stops it; it must end with 0. */
static void stop(struct server *server, int number)
{
    int status = -1;
    kill(server->pid, number);
    waitpid(server->pid, &status, 0);
    expect(WIFEXITED(status) && WEXITSTATUS(status) == 0,
           "a signal ends it with exit code 0");
    fclose(server->out);
}

static int dial(const struct server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    struct timeval limit = {20, 0};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_port = htons((uint16_t)server->port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    expect(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0,
           "it can be connected to");
    return fd;
}

static void say(int fd, const char *text)
{
    size_t size = strlen(text);
    expect(send(fd, text, size, MSG_NOSIGNAL) == (ssize_t)size, "it listens");
}

/* Reads until (mark) is there or nothing more comes. */
static void hear(int fd, char *text, size_t size, const char *mark)
{
    size_t used = 0;
    text[0] = '\0';
    while (used < size - 1 && (mark == NULL || strstr(text, mark) == NULL)) {
        ssize_t got = recv(fd, text + used, size - 1 - used, 0);
        if (got <= 0)
            break;
        used += (size_t)got;
        text[used] = '\0';
    }
    expect(mark == NULL || strstr(text, mark) != NULL, mark);
}

static void try_echo(char *path)
{
    char *words[] = {path, "0", NULL}, text[256];
    struct server server = start(words);
    int fd = dial(&server);
    say(fd, "say it again");
    hear(fd, text, sizeof(text), "say it again");
    shutdown(fd, SHUT_WR);
    expect(recv(fd, text, sizeof(text), 0) == 0, "the end is echoed too");
    close(fd);
    fd = dial(&server); /* is still there when it is stopped */
    stop(&server, SIGTERM);
    close(fd);
}

static void try_hello(char *path)
{
    char *words[] = {path, "0", "--timeout", "0.2", NULL}, text[4096];
    struct server server = start(words);
    int fd = dial(&server);
    say(fd, "GET /any HTTP/1.1\r\nHost: x\r\n\r\n"
            "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    hear(fd, text, sizeof(text), "\r\n\r\nHello, World!HTTP/1.1 200 OK\r\n");
    expect(strstr(text, "\r\nContent-Type: text/plain\r\n") != NULL,
           "it is plain text");
    close(fd);
    fd = dial(&server);
    say(fd, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
    hear(fd, text, sizeof(text), "\r\n\r\nabc");
    say(fd, "DELETE / HTTP/1.1\r\nHost: x\r\n\r\n");
    hear(fd, text, sizeof(text), "HTTP/1.1 405 ");
    say(fd, "OPTIONS /echo HTTP/1.1\r\nHost: x\r\n\r\n");
    hear(fd, text, sizeof(text), "\r\nAllow: GET, HEAD, POST, OPTIONS\r\n");
    expect(strstr(text, "HTTP/1.1 204 ") != NULL, "there is no more to it");
    say(fd, "OPTIONS / HTTP/1.1\r\nHost: x\r\n\r\n");
    hear(fd, text, sizeof(text), "\r\nAllow: GET, HEAD, OPTIONS\r\n");
    say(fd, "BREW / HTTP/1.1\r\nHost: x\r\n\r\n");
    hear(fd, text, sizeof(text), "HTTP/1.1 501 ");
    say(fd, "GET / HTTP/1.1\r\nHo");
    hear(fd, text, sizeof(text), "HTTP/1.1 408 ");
    close(fd);
    fd = dial(&server);
    say(fd, "POST /echo HTTP/1.1\r\nHost: x\r\n"
            "Content-Length: 1073741825\r\n\r\na");
    hear(fd, text, sizeof(text), "HTTP/1.1 413 ");
    close(fd);
    stop(&server, SIGINT);
}

static void get(const struct server *server, const char *path,
                const char *status)
{
    char request[256], text[4096];
    int fd = dial(server);
    snprintf(request, sizeof(request), "GET %s HTTP/1.0\r\n\r\n", path);
    say(fd, request);
    hear(fd, text, sizeof(text), status);
    close(fd);
}

static void try_httpd(char *path, char *folder)
{
    char *words[] = {path, "--root", folder, "--port", "0", NULL};
    char line[1024];
    struct server server = start(words);
    get(&server, "/servers.c", "SPDX-License-Identifier");
    get(&server, "/none", "HTTP/1.1 404 ");
    expect(fgets(line, sizeof(line), server.out) != NULL &&
               strncmp(line, "127.0.0.1:", 10) == 0 &&
               strstr(line, "] \"GET /servers.c\" 200 ") != NULL,
           "there is a line about the first request");
    expect(fgets(line, sizeof(line), server.out) != NULL &&
               strstr(line, "] \"GET /none\" 404 ") != NULL,
           "there is a line about the second request");
    stop(&server, SIGTERM);

    /* Nobody reads the log any more: first it fills, then it breaks. */
    server = start(words);
    for (int i = 0; i < 2000; i++)
        get(&server, "/none", "HTTP/1.1 404 ");
    fclose(server.out);
    get(&server, "/servers.c", "HTTP/1.1 200 ");
    server.out = fopen("/dev/null", "r");
    stop(&server, SIGINT);
}

/* The disk is full from the start, so the port is chosen here. */
static void try_httpd_on_a_full_disk(char *path, char *folder)
{
    char port[16];
    char *first[] = {path, "--root", folder, "--port", "0", NULL};
    char *words[] = {path, "--root", folder, "--port", port, NULL};
    struct server server = start(first);
    snprintf(port, sizeof(port), "%d", server.port);
    stop(&server, SIGTERM);

    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    server.pid = fork();
    if (server.pid == 0)
        run(words, full);
    for (int tries = 0; tries < 200; tries++) {
        struct sockaddr_in address = {.sin_family = AF_INET};
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        address.sin_port = htons((uint16_t)server.port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        int rc = connect(fd, (struct sockaddr *)&address, sizeof(address));
        close(fd);
        if (rc == 0)
            break;
        usleep(20000);
    }
    get(&server, "/servers.c", "HTTP/1.1 200 ");
    get(&server, "/none", "HTTP/1.1 404 ");
    server.out = fopen("/dev/null", "r");
    stop(&server, SIGTERM);
    close(full);
}

static void try_words(char *path, char *word, int code)
{
    char *words[] = {path, word, NULL};
    int status = -1, nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    program = path;
    pid_t pid = fork();
    if (pid == 0) {
        dup2(nowhere, STDERR_FILENO);
        run(words, nowhere);
    }
    waitpid(pid, &status, 0);
    close(nowhere);
    expect(WIFEXITED(status) && WEXITSTATUS(status) == code, word);
}

static void try_chat(char *path)
{
    char *words[] = {path, "0", NULL}, text[1024];
    struct server server = start(words);
    int ann = dial(&server), bob;
    say(ann, "ann\n");
    bob = dial(&server);
    say(bob, "bob\n");
    hear(ann, text, sizeof(text), "* bob is here\n");
    say(bob, "hello\r\nhow are you?\n");
    hear(ann, text, sizeof(text), "bob: hello\nbob: how are you?\n");
    say(ann, "fine\n");
    hear(bob, text, sizeof(text), "ann: fine\n");
    expect(strstr(text, "bob") == NULL, "nobody hears himself");
    close(bob);
    hear(ann, text, sizeof(text), "* bob has left\n");
    kill(server.pid, SIGTERM);
    hear(ann, text, sizeof(text), "* the room closes\n");
    hear(ann, text, sizeof(text), NULL);
    stop(&server, SIGTERM);
    close(ann);
}

/* ---- one that fetches pages ---- */

/* What (app) answers to the line. */
static void ask(const struct server *app, const char *line, const char *result)
{
    char text[256];
    int fd = dial(app);
    say(fd, line);
    hear(fd, text, sizeof(text), result);
    close(fd);
}

/* A server that does what the test says, and nothing before. */
static struct server be_slow(int *listener)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    struct timeval limit = {20, 0};
    socklen_t size = sizeof(address);
    struct server slow = {0};

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    *listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(*listener, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    expect(bind(*listener, (struct sockaddr *)&address, size) == 0 &&
               listen(*listener, 16) == 0,
           "the test can listen");
    getsockname(*listener, (struct sockaddr *)&address, &size);
    slow.port = ntohs(address.sin_port);
    return slow;
}

/* Asks for a page of the slow server, and waits until it was asked. */
static int ask_slowly(const struct server *app, const struct server *slow,
                      int listener, int *client)
{
    char line[64], text[1024];
    struct timeval limit = {20, 0};

    *client = dial(app);
    snprintf(line, sizeof(line), "http://127.0.0.1:%d/\n", slow->port);
    say(*client, line);
    int fd = accept(listener, NULL, NULL);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    hear(fd, text, sizeof(text), "\r\n\r\n");
    return fd;
}

static const char page[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab";

static void try_lines(const struct server *app, int port)
{
    char line[64], both[128], text[256];

    snprintf(line, sizeof(line), "http://127.0.0.1:%d/servers.c\n", port);
    ask(app, line, " bytes\n");
    snprintf(line, sizeof(line), "http://localhost:%d/none\r\n", port);
    ask(app, line, "404 ");
    snprintf(both, sizeof(both), "what?\n%s\n", line);
    int fd = dial(app);
    say(fd, both);
    hear(fd, text, sizeof(text), "bytes\ninvalid argument\n");
    expect(strncmp(text, "invalid argument\n404 ", 21) == 0,
           "lines are answered in order");
    close(fd);
    int listener;
    struct server gone = be_slow(&listener);
    close(listener);
    snprintf(line, sizeof(line), "http://127.0.0.1:%d/\n", gone.port);
    ask(app, line, "connection refused\n");
}

static void try_endless_line(const struct server *app)
{
    char text[64], line[16384];
    int fd = dial(app);
    memset(line, 'x', sizeof(line));
    send(fd, line, sizeof(line), MSG_NOSIGNAL);
    hear(fd, text, sizeof(text), NULL);
    expect(text[0] == '\0', "who never ends a line gets no answer");
    close(fd);
}

/* Those that are slow hold up nobody, and connections are shared. */
static void try_many(const struct server *app, const struct server *httpd)
{
    enum { MANY = 20 };

    char line[64], text[64];
    int listener, clients[MANY], pages[MANY];
    struct server slow = be_slow(&listener);

    for (int i = 0; i < MANY; i++)
        pages[i] = ask_slowly(app, &slow, listener, &clients[i]);
    snprintf(line, sizeof(line), "http://127.0.0.1:%d/none\n", httpd->port);
    ask(app, line, "404 ");
    for (int i = MANY; i-- > 0;) {
        say(pages[i], page);
        hear(clients[i], text, sizeof(text), "200 2 bytes\n");
    }
    snprintf(line, sizeof(line), "http://127.0.0.1:%d/\n", slow.port);
    say(clients[MANY - 1], line);
    hear(pages[0], text, sizeof(text), "GET ");
    for (int i = 0; i < MANY; i++) {
        close(pages[i]);
        close(clients[i]);
    }
    close(listener);
}

/* A client that leaves takes its fetch along. */
static void try_leaving(const struct server *app, struct linger how)
{
    char text[64];
    int listener, client;
    struct server slow = be_slow(&listener);
    int fd = ask_slowly(app, &slow, listener, &client);
    setsockopt(client, SOL_SOCKET, SO_LINGER, &how, sizeof(how));
    close(client);
    expect(recv(fd, text, sizeof(text), 0) == 0, "the fetch is cancelled");
    close(fd);
    close(listener);
}

static void wait_until_closed(const struct server *app)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    int rc = 0;
    address.sin_port = htons((uint16_t)app->port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int tries = 0; rc == 0 && tries < 500; tries++) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        usleep(10000);
        rc = connect(fd, (struct sockaddr *)&address, sizeof(address));
        close(fd);
    }
    expect(rc != 0, "it listens no more");
}

/* What happens to a fetch that has begun when the signal comes. */
static void try_stopping(char **words, const char *late, const char *result)
{
    char text[64];
    int listener, client;
    struct server app = start(words), slow = be_slow(&listener);
    int idle = dial(&app), fd = ask_slowly(&app, &slow, listener, &client);
    kill(app.pid, SIGTERM);
    wait_until_closed(&app);
    if (late != NULL)
        say(fd, late);
    else
        kill(app.pid, SIGINT); /* which need not wait */
    hear(client, text, sizeof(text), result);
    hear(client, text, sizeof(text), NULL);
    hear(idle, text, sizeof(text), NULL);
    stop(&app, 0);
    close(idle);
    close(client);
    close(fd);
    close(listener);
}

static void try_app(char *path, char *httpd_path, char *folder)
{
    char *words[] = {path, "0", NULL}, line[256];
    char *httpd_words[] = {httpd_path, "--root", folder, "--port", "0", NULL};
    struct server httpd = start(httpd_words), app = start(words);

    try_lines(&app, httpd.port);
    try_endless_line(&app);
    try_many(&app, &httpd);
    try_leaving(&app, (struct linger){0, 0});
    try_leaving(&app, (struct linger){1, 0});
    expect(fgets(line, sizeof(line), app.out) != NULL &&
               strstr(line, " fetched, ") != NULL,
           "it counts");
    stop(&app, SIGINT);
    stop(&httpd, SIGTERM);
    try_stopping(words, page, "200 2 bytes\n");
    try_stopping(words, "HTTP/1.1 200 O", "cancelled\n");
    try_stopping(words, NULL, "cancelled\n");
    try_words(path, "--help", 0);
    try_words(path, "--frob", 2);
    try_words(path, "65536", 2);
}

int main(int count, char **words)
{
    signal(SIGPIPE, SIG_IGN);
    if (count == 4) {
        try_app(words[1], words[2], words[3]);
        return failures == 0 ? 0 : 1;
    }
    if (count != 6) {
        fprintf(stderr, "usage: servers ECHO HELLO HTTPD CHAT FOLDER\n"
                        "       servers APP HTTPD FOLDER\n");
        return 2;
    }
    try_echo(words[1]);
    try_hello(words[2]);
    try_httpd(words[3], words[5]);
    try_httpd_on_a_full_disk(words[3], words[5]);
    try_chat(words[4]);
    try_words(words[3], "--port", 2);
    for (int i = 1; i <= 4; i++) {
        try_words(words[i], "--help", 0);
        try_words(words[i], "--frob", 2);
    }
    try_words(words[2], "--timeout", 2);
    try_words(words[1], "65536", 2);
    try_words(words[4], "x", 2);
    return failures == 0 ? 0 : 1;
}
