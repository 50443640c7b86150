/* SPDX-License-Identifier: MIT */
/*
 * kit.h: what the tests of the simulation share.
 */
#ifndef SIM_KIT_H
#define SIM_KIT_H

#include <sill/sill.h>
#include <sill/sim.h>

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* Runs (fn)(arg) under (seed) without faults; it must return (expected). */
struct sill_sim_report run_seed(uint64_t seed, sill_task_fn *fn, void *arg,
                                int expected);

/* The same with (options). */
struct sill_sim_report run_with(const struct sill_sim_options *options,
                                sill_task_fn *fn, void *arg, int expected);

/* Keeps the log of the deadlocks that are meant. Returns what was logged. */
const char *keep_log(void);

/* Port 7 of (host). */
struct sill_address echo_of(const struct sill_sim_host *host);

/* Spawns a task on (host) that sends back what streams to port 7 bring; it ends
 * when it is cancelled. */
struct sill_task *spawn_echo(struct sill_sim_host *host);

/* Adds a host. */
struct sill_sim_host *add(const char *name);

/* A number of ms from now. */
sill_time in_ms(int64_t ms);

/* A connected pair: both ends are in the hands of the caller's task. */
struct link_pair {
    struct sill_sim_host *a, *b;
    struct sill_listener listener;
    struct sill_stream client, server;
};

void pair_open(struct link_pair *pair, struct sill_sim_host *a,
               struct sill_sim_host *b);
void pair_close(struct link_pair *pair);

TCase *clock_cases(void);
TCase *seed_cases(void);
TCase *stream_cases(void);
TCase *host_cases(void);
TCase *datagram_cases(void);
TCase *fault_cases(void);

#endif
