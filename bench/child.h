/* SPDX-License-Identifier: MIT */
/*
 * child.h: the programs that are measured: started, timed, and ended again.
 *
 * Whatever ends this program, an interrupt included, its children end with it;
 * nothing else is ever sent a signal.
 */
#ifndef CHILD_H
#define CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { CHILD_CPU_NONE = -1 };

struct child {
    pid_t pid; /* 0: none */
    int out;   /* its standard output */
};

/* From now on children end with this program, however it ends; then (clean_up)
 * is called, perhaps from a signal handler. */
void child_prepare(void (*clean_up)(void));

/*
 * Starts (argv) on processor (cpu), CHILD_CPU_NONE for any. Returns 0, or -1
 * with (child) zeroed.
 */
int child_start(struct child *child, char *const argv[], int cpu);

/* Starts the program (file) likewise, which is called (argv)[0]. */
int child_start_as(struct child *child, const char *file, char *const argv[],
                   int cpu);

/* Reads its first line, "listening on HOST:PORT"; returns the port, or -1 when
 * none came within 30 s. */
int child_port(struct child *child);

/* For those who print none: a port that was free a moment ago, or -1. */
int child_free_port(void);

/* Returns whether somebody listens at (port) within 5 s. */
bool child_listens(int port);

/* Connects to (port) of 127.0.0.1; returns a descriptor or -1. What waits on it
 * for 5 s fails. */
int child_connect(int port);

/* Reads what it prints, until it ends or (text) of (size) bytes is full, adds
 * a NUL, and collects it. Returns 0 when it ended well, within a minute: then
 * it is killed. */
int child_output(struct child *child, char *text, size_t size);

/* Processor time of all its threads so far, in ns, kernel included; -1 when it
 * is gone. */
int64_t child_cpu_ns(const struct child *child);

/* Ends it: asks, then insists after 2 s. A zeroed one is harmless. */
void child_stop(struct child *child);

/* Binds this program to processor (cpu); returns whether that worked. */
bool child_pin_self(int cpu);

#endif
