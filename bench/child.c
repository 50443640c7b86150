/* SPDX-License-Identifier: MIT */
/*
 * Processes, by pid.
 */
#include "child.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CHILDREN = 64, PATIENCE = 60 /* s */ };

static volatile pid_t pids[CHILDREN];
static void (*at_end)(void);

static void end_all(void)
{
    for (int i = 0; i < CHILDREN; i++) {
        if (pids[i] > 0)
            kill(pids[i], SIGKILL);
    }
    at_end();
}

static void on_signal(int number)
{
    end_all();
    signal(number, SIG_DFL);
    raise(number);
}

void child_prepare(void (*clean_up)(void))
{
    at_end = clean_up;
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    signal(SIGHUP, on_signal);
    signal(SIGPIPE, SIG_IGN);
    atexit(end_all);
}

static bool pin(pid_t pid, int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    return sched_setaffinity(pid, sizeof set, &set) == 0;
}

bool child_pin_self(int cpu)
{
    return pin(0, cpu);
}

static void remember(pid_t pid)
{
    for (int i = 0; i < CHILDREN; i++) {
        if (pids[i] == 0) {
            pids[i] = pid;
            return;
        }
    }
}

static void forget(pid_t pid)
{
    for (int i = 0; i < CHILDREN; i++) {
        if (pids[i] == pid)
            pids[i] = 0;
    }
}

static void become(const char *file, char *const argv[], int cpu, int out)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_DFL);
    dup2(out, STDOUT_FILENO);
    if (cpu != CHILD_CPU_NONE)
        pin(0, cpu);
    execvp(file, argv);
    perror(file);
    _exit(127);
}

int child_start_as(struct child *child, const char *file, char *const argv[],
                   int cpu)
{
    int ends[2];

    memset(child, 0, sizeof *child);
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -1;
    child->pid = fork();
    if (child->pid == 0)
        become(file, argv, cpu, ends[1]);
    close(ends[1]);
    if (child->pid < 0) {
        child->pid = 0;
        close(ends[0]);
        return -1;
    }
    child->out = ends[0];
    remember(child->pid);
    return 0;
}

int child_start(struct child *child, char *const argv[], int cpu)
{
    return child_start_as(child, argv[0], argv, cpu);
}

int child_port(struct child *child)
{
    char line[256];
    size_t size = 0;
    struct pollfd p = {.fd = child->out, .events = POLLIN};

    while (size < sizeof line - 1 && poll(&p, 1, 30000) > 0 &&
           read(child->out, line + size, 1) == 1) {
        if (line[size++] == '\n')
            break;
    }
    line[size] = '\0';
    char *colon = strrchr(line, ':');
    if (strncmp(line, "listening on ", 13) != 0 || !colon)
        return -1;
    return (int)strtol(colon + 1, NULL, 10);
}

static struct sockaddr_in loopback(int port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
}

int child_free_port(void)
{
    struct sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), port = -1;

    if (fd < 0)
        return -1;
    if (bind(fd, (struct sockaddr *)&address, size) == 0 &&
        getsockname(fd, (struct sockaddr *)&address, &size) == 0)
        port = ntohs(address.sin_port);
    close(fd);
    return port;
}

int child_connect(int port)
{
    struct sockaddr_in address = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    struct timeval patience = {.tv_sec = 5};

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

bool child_listens(int port)
{
    for (int i = 0; i < 500; i++) {
        int fd = child_connect(port);
        if (fd >= 0) {
            close(fd);
            return true;
        }
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    return false;
}

static time_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec;
}

static int collect(struct child *child)
{
    int status = -1;

    waitpid(child->pid, &status, 0);
    forget(child->pid);
    close(child->out);
    memset(child, 0, sizeof *child);
    return status;
}

static bool says_more(const struct child *child, time_t begin)
{
    struct pollfd p = {.fd = child->out, .events = POLLIN};
    time_t left = begin + PATIENCE - now();
    return left > 0 && poll(&p, 1, (int)left * 1000) > 0;
}

int child_output(struct child *child, char *text, size_t size)
{
    time_t begin = now();
    size_t have = 0;
    ssize_t n = 1;

    while (n > 0 && have < size - 1 && says_more(child, begin)) {
        n = read(child->out, text + have, size - 1 - have);
        have += n > 0 ? (size_t)n : 0;
    }
    text[have] = '\0';
    if (n != 0)
        kill(child->pid, SIGKILL);
    return collect(child) == 0 ? 0 : -1;
}

int64_t child_cpu_ns(const struct child *child)
{
    clockid_t clock;
    struct timespec t;

    if (clock_getcpuclockid(child->pid, &clock) != 0 ||
        clock_gettime(clock, &t) < 0)
        return -1;
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static bool is_gone(pid_t pid)
{
    siginfo_t info = {0};
    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 ||
           info.si_pid == pid;
}

void child_stop(struct child *child)
{
    if (child->pid == 0)
        return;
    kill(child->pid, SIGTERM);
    for (int i = 0; i < 200 && !is_gone(child->pid); i++)
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    kill(child->pid, SIGKILL);
    collect(child);
}
