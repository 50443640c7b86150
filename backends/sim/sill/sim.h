/* SPDX-License-Identifier: MIT */
/*
 * <sill/sim.h>: run a program in a world that one number decides.
 *
 * The sim backend has no descriptors, no clock and no kernel. Its clock is a
 * number, its network is memory, and the order of its tasks, the delays of its
 * links and all that goes wrong are drawn from a seed. The same seed gives the
 * same run, event for event, in any process; another seed gives another one.
 *
 *     static int scenario(void *arg)      servers, clients, and what must hold
 *     ...
 *     for (uint64_t seed = 0; seed < 1000; seed++) {
 *         struct sill_sim_options options;
 *         struct sill_sim_report report;
 *
 *         sill_sim_options_init(&options, seed);
 *         sill_sim_faults_init(&options.faults);
 *         if (sill_sim_run(&options, scenario, NULL, &report) < 0)
 *             ... run it again with options.trace, and read
 *     }
 *
 * <sill/scenario.h> is the rest of such a program: all processors, crashes and
 * hangs, leaks, a summary, and the command that does a bad seed again.
 *
 * Time      begins at SILL_SIM_START, the calendar with the year 2026. It moves
 *           only when every task waits: then to the next event of the network
 *           or the nearest deadline, at once. Code takes no time, unless it
 *           says so by sill_sim_spend. A task that waits by yielding until an
 *           instant has come waits for ever, which is logged once.
 * Order     the tasks of a round run in an order drawn from the seed (see
 *           shuffle in <sill/task.h>).
 * World     nothing exists outside of a run by sill_sim_run: when every task
 *           waits and no event is to come, that is a deadlock, also when they
 *           wait for triggers. It is reported at once, and ends the run with
 *           SILL_EDEADLK.
 * Network   hosts, and a link between any two of them. Streams keep their
 *           order and lose nothing, but may be slow, silent or reset; datagrams
 *           may be lost, doubled, overtaken. Addresses of 127.0.0.0/8 and ::1
 *           and paths of Unix-domain sockets are local to a host. Its own
 *           traffic takes no time and is never lost.
 * Without   descriptors there is nothing to watch or adopt (SILL_EOPNOTSUPP).
 * Threads   each thread may run a world of its own, but for failed allocations,
 *           see struct sill_sim_options.
 *
 * A program that is linked with this backend and calls sill_run gets a world
 * with one host, without faults or a limit of descriptors, in order of arrival.
 * It may have other threads: when every task waits and no event is to come, the
 * loop sleeps until one of them resumes a trigger.
 */
#ifndef SILL_SIM_H
#define SILL_SIM_H

#include <sill/address.h>
#include <sill/attributes.h>
#include <sill/task.h>
#include <sill/time.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

SILL_BEGIN

/* ------------------------------------------------------------------------
 * What is drawn, and how often
 */

/* The instant at which every world begins. */
#define SILL_SIM_START (1000000 * SILL_SECOND)

/* A link between two hosts, the same both ways. */
struct sill_sim_link {
    sill_duration latency; /* of every piece of data, at least */
    sill_duration jitter;  /* more, from 0 to this much, each time anew */
    uint64_t bandwidth;    /* in bytes per second, each way; 0: no limit */
};

/*
 * How often something goes wrong, as a probability from 0 to 1; zeroed: never.
 * Nothing of it happens between a host and itself, but for short reads, short
 * writes and allocations.
 */
struct sill_sim_faults {
    double short_read;  /* a read takes a part of what is there */
    double short_write; /* a write takes a part of what fits */
    double refuse;      /* a connect is refused though somebody listens */
    double reset;       /* a piece of a stream arrives as a reset */
    double delay;       /* data takes up to (delay_most) longer */
    double cut;         /* the link is cut, for up to (cut_most) */
    double lose;        /* a datagram is lost, a piece of a stream sent again */
    double repeat;      /* a datagram arrives twice */
    double reorder;     /* a datagram arrives later than those behind it */
    double descriptor;  /* no descriptor is left (SILL_EMFILE) */
    double allocation;  /* sill_alloc returns NULL; see (allocation_fails) */
    sill_duration delay_most; /* 0: 100 ms */
    sill_duration cut_most;   /* 0: 5 s */
};

/* How a world is; to be made by sill_sim_options_init. */
struct sill_sim_options {
    uint64_t seed;
    struct sill_sim_link link; /* of any two hosts; 0.5 ms, up to 0.5 ms more */
    struct sill_sim_faults faults; /* none */

    /* A link that is silent for so long ends a connection, or the attempt at
     * one, with SILL_ETIMEDOUT; 60 s. */
    sill_duration patience;

    size_t buffer;      /* bytes that a stream holds, each way; 64 KiB */
    size_t descriptors; /* of each host; 1 024 */
    size_t stack_size;  /* see <sill/task.h> */

    /*
     * The one allocation that fails, counted from 1; 0: none. While a run has
     * failing allocations no other thread may use sill: the hook that makes
     * them fail (<sill/hooks.h>) belongs to the process.
     */
    uint64_t allocation_fails;

    /* Receives each event as a line: its instant since the start in seconds,
     * its kind, the host, and the stream or whatever it is about. NULL. */
    void (*trace)(void *arg, const char *line);
    void *trace_arg;
};

/* Sets (options) to (seed) and the values above. Never suspends. */
SILL_API void sill_sim_options_init(struct sill_sim_options *options,
                                    uint64_t seed);

/* Sets (faults) to a world where everything goes wrong now and then, and most
 * things work: each between once in 20 and once in 10 000 times, but for
 * descriptors and allocations. Never suspends. */
SILL_API void sill_sim_faults_init(struct sill_sim_faults *faults);

/* ------------------------------------------------------------------------
 * Running
 */

/* The kinds of events. */
enum sill_sim_kind {
    SILL_SIM_JUMP, /* the clock moved */
    SILL_SIM_NOTE, /* sill_sim_note */
    SILL_SIM_HOST, /* one was added */

    SILL_SIM_LISTEN,
    SILL_SIM_CONNECT,   /* an attempt began */
    SILL_SIM_CONNECTED, /* it succeeded */
    SILL_SIM_ACCEPT,
    SILL_SIM_SEND,   /* a stream took bytes from a task */
    SILL_SIM_ARRIVE, /* they can be read on the other side */
    SILL_SIM_READ,   /* a task took them */
    SILL_SIM_END,    /* the other side's end can be read */
    SILL_SIM_CLOSE,

    SILL_SIM_OPEN,    /* a datagram socket */
    SILL_SIM_MESSAGE, /* a datagram was sent */
    SILL_SIM_DELIVER, /* it can be received */
    SILL_SIM_RECEIVE, /* a task took it */

    SILL_SIM_SHORT_READ, /* faults, from here on */
    SILL_SIM_SHORT_WRITE,
    SILL_SIM_REFUSE,
    SILL_SIM_RESET,
    SILL_SIM_DELAY,
    SILL_SIM_CUT,
    SILL_SIM_HEAL,
    SILL_SIM_LOSE,
    SILL_SIM_REPEAT,
    SILL_SIM_REORDER,
    SILL_SIM_DESCRIPTOR,
    SILL_SIM_ALLOCATION,
    SILL_SIM_RETRY,   /* nothing came through; it is tried again */
    SILL_SIM_GIVE_UP, /* nothing came through for too long */
    SILL_SIM_CRASH,
    SILL_SIM_RESTART,
    SILL_SIM_KINDS
};

/* Returns the name of (kind) as it stands in traces. Never suspends. */
SILL_API const char *sill_sim_kind_name(enum sill_sim_kind kind);

/* What became of a run. */
struct sill_sim_report {
    uint64_t hash;   /* of all events: instants, kinds, sizes, first bytes */
    uint64_t events; /* how many there were */
    uint64_t counts[SILL_SIM_KINDS]; /* and of each kind */
    sill_time ended;                 /* the instant of the end */
    size_t left_open; /* streams, listeners and datagrams never closed */
};

/*
 * Runs a loop on this thread in a world of its own, with (fn)(arg) as its first
 * task, as sill_run_with does; on the sim backend, whichever is linked.
 *
 * options   NULL: seed 0.
 * report    receives what became of it; may be NULL.
 *
 * Returns as sill_run does, and SILL_EDEADLK also when tasks wait for triggers,
 * streams or whatever else cannot come any more.
 */
#define sill_sim_run(options, fn, arg, report)                                 \
    sill_sim_run_at(options, fn, arg, report, SILL_HERE)

/* Is sill_sim_run for callers that know better where they were called from. */
SILL_API int sill_sim_run_at(const struct sill_sim_options *options,
                             sill_task_fn *fn, void *arg,
                             struct sill_sim_report *report, const char *where);

/* ------------------------------------------------------------------------
 * Inside of a run
 *
 * The calls below are for tasks of a loop on the sim backend; elsewhere they
 * end the program. None of them suspends.
 */

/* Returns a number below (bound), drawn from the seed but apart from what the
 * network draws; 0 for a (bound) of 0. */
SILL_API uint64_t sill_sim_random(uint64_t bound);

/*
 * Makes the current task keep its thread to itself for (length), as a long
 * computation does: the clock moves and the network goes on, but no other task
 * runs before this one waits or yields. Nothing happens for a (length) of 0 or
 * less.
 */
SILL_API void sill_sim_spend(sill_duration length);

/* Adds an event of the scenario's own to the trace, and to its hash. */
SILL_API void sill_sim_note(const char *format, ...) SILL_PRINTF(1, 2);

/* Returns the hash of all events so far. */
SILL_API uint64_t sill_sim_hash(void);

/* A machine of the network; lives until the run ends. */
struct sill_sim_host;

/*
 * Adds a host called (name), which is copied. The n-th one, counted from 0, has
 * the addresses 10.0.0.1 + n and fd00::1 + n; the first task runs on number 0,
 * which is there from the beginning and is called "host0".
 *
 * Returns 0, or SILL_ENOMEM.
 */
SILL_API SILL_MUST_CHECK int sill_sim_host_add(const char *name,
                                               struct sill_sim_host **host);

/* Gives (host) another address, whose port does not matter. Returns 0,
 * SILL_EADDRINUSE, SILL_EINVAL (no IP address, or a local one), SILL_ENOMEM. */
SILL_API SILL_MUST_CHECK int
sill_sim_host_add_address(struct sill_sim_host *host,
                          const struct sill_address *address);

/* Writes the IPv4 address that (host) was added with, and (port), to
 * (address). */
SILL_API void sill_sim_host_address(const struct sill_sim_host *host,
                                    uint16_t port,
                                    struct sill_address *address);

/* Returns the host that the current task is on. */
SILL_API struct sill_sim_host *sill_sim_host_current(void);

/*
 * Puts the current task on (host): what it opens from now on is there. A task
 * begins where its parent is when it is spawned.
 *
 * Returns where it was.
 */
SILL_API struct sill_sim_host *sill_sim_host_enter(struct sill_sim_host *host);

/* Allows (host) so many descriptors, also when it has more already. */
SILL_API void sill_sim_host_set_descriptors(struct sill_sim_host *host,
                                            size_t limit);

/*
 * Takes (host) off the network, as if it had lost its power: nothing leaves or
 * reaches it, and the other sides of its streams hear nothing, not even an end.
 * Its own side of them fails with SILL_ECONNRESET. Its tasks go on; what they
 * listen on stays, and works again after the restart, when data for the old
 * streams is answered with a reset. Doing either twice is harmless.
 */
SILL_API void sill_sim_host_crash(struct sill_sim_host *host);
SILL_API void sill_sim_host_restart(struct sill_sim_host *host);

/*
 * Sets how the link between (a) and (b) is from now on.
 *
 * Returns 0, or SILL_ENOMEM with the link as it was; SILL_EINVAL when they are
 * one.
 */
SILL_API SILL_MUST_CHECK int
sill_sim_link_set(struct sill_sim_host *a, struct sill_sim_host *b,
                  const struct sill_sim_link *link);

/*
 * Cuts the link for what goes from (a) to (b), and only that way, or heals
 * it. Datagrams are lost meanwhile; streams try again, and go on after the heal
 * unless that comes too late.
 *
 * Cutting returns 0, or SILL_ENOMEM with nothing cut; SILL_EINVAL when they are
 * one.
 */
SILL_API SILL_MUST_CHECK int sill_sim_cut(struct sill_sim_host *a,
                                          struct sill_sim_host *b);
SILL_API void sill_sim_heal(struct sill_sim_host *a, struct sill_sim_host *b);

SILL_END

#endif
