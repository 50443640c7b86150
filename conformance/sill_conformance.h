/* SPDX-License-Identifier: MIT */
/*
 * sill_conformance.h: what a backend tells the conformance kit about itself.
 *
 * The kit is the suite of this folder as a library. With the backend and with
 * one file that defines sill_conformance_params it makes a program,
 *
 *     conformance-<name> [options] [ID...]
 *
 * which runs each case in a process of its own; --help lists the options. A
 * case that needs a property which is not declared is skipped, by that word:
 * nothing is ever left out for the name of a backend.
 *
 *     const struct sill_conformance_params sill_conformance_params = {
 *         .name = "poll",
 *         .properties = SILL_CONFORMANCE_FD | SILL_CONFORMANCE_THREADS,
 *     };
 *
 * docs/backend.md shows how such a program is built; examples/backend-poll is
 * a project that does so.
 */
#ifndef SILL_CONFORMANCE_H
#define SILL_CONFORMANCE_H

#include <sill/guest.h>
#include <sill/listener.h>
#include <sill/stream.h>

#include <stdbool.h>
#include <stddef.h>

SILL_BEGIN

/* To be or-ed; what the reports call them stands behind. */
enum sill_conformance_property {
    /* "fd": descriptors of the system can be adopted and watched, and streams,
     * listeners and datagrams are its sockets. */
    SILL_CONFORMANCE_FD = 1,
    /* "guest": it can live in somebody's loop, and brings one as (host). */
    SILL_CONFORMANCE_GUEST = 2,
    /* "virtual": time passes only when every task waits. Upper bounds on time
     * are then as exact as lower ones. */
    SILL_CONFORMANCE_VIRTUAL = 4,
    /* "threads": other threads and signal handlers wake a loop, loops run side
     * by side in threads, and the process may fork while one runs. */
    SILL_CONFORMANCE_THREADS = 8,
    /* "seeded": one number decides all that happens in a run, and what goes
     * wrong, by (run_seeded). */
    SILL_CONFORMANCE_SEEDED = 16
};

/*
 * Somebody's loop for the backend to live in, written with that loop's own
 * functions, with one timer and one descriptor of its own. A host belongs to
 * the thread that opened it.
 */
struct sill_conformance_host {
    /* Opens a loop; what fails ends the program. */
    void *(*open)(void);

    /* Closes and frees it. Returns false, with only its own handles closed,
     * while something else is left in it. */
    bool (*close)(void *host);

    /* Attaches a guest, and detaches one: as the attach call of the backend,
     * and as sill_guest_detach. */
    int (*attach)(void *host, const struct sill_run_options *options,
                  struct sill_guest **guest);
    int (*detach)(void *host, struct sill_guest *guest);

    /* Calls (fn)(arg) every (ms) from now on, instead of what was called
     * before; 0 for not at all. While there is something to call, the host
     * does not end. */
    void (*tick)(void *host, unsigned ms, void (*fn)(void *arg), void *arg);

    /* The same, while the descriptor (fd) is readable; -1 for not at all. */
    void (*watch)(void *host, int fd, void (*fn)(void *arg), void *arg);

    /* Runs the loop until it has nothing to do, or is stopped. */
    void (*run)(void *host);

    /* From a callback, or a task: makes the present run return soon. */
    void (*stop)(void *host);
};

/*
 * The makers are called inside a task and return a SILL_E code when they fail.
 * Without one the cases go by a listener on 127.0.0.1, and by plain writes.
 */
struct sill_conformance_params {
    const char *name;    /* for the reports; NULL: that of the backend */
    unsigned properties; /* of enum sill_conformance_property */

    /* Makes the two ends of a stream; writing to one that is not read stops
     * after some 100 KiB. */
    int (*connected)(struct sill_stream *a, struct sill_stream *b);

    /* Clogs (stream), one of connected's or of sill_stream_pair's: writes to it
     * until every further write waits, for good. Returns how many bytes it
     * took. NULL: writes until nothing moved for a while. */
    ssize_t (*clog)(struct sill_stream *stream);

    /* Makes a listener; (address) receives where it can be connected to. */
    int (*listening)(struct sill_listener *listener,
                     struct sill_address *address);

    /* With SILL_CONFORMANCE_VIRTUAL: makes it (instant) while the present task
     * keeps running, as a long computation does. */
    void (*spend_until)(sill_time instant);

    /*
     * With SILL_CONFORMANCE_SEEDED: as sill_run, where now and then something
     * goes wrong: data is late or comes in pieces, messages are lost, connects
     * are refused, connections reset.
     *
     * hash   receives a number made of all that happened, in its order.
     */
    int (*run_seeded)(uint64_t seed, sill_task_fn *fn, void *arg,
                      uint64_t *hash);

    /* With SILL_CONFORMANCE_GUEST. */
    const struct sill_conformance_host *host;
};

/* Defined by whoever builds a conformance program. */
SILL_API extern const struct sill_conformance_params sill_conformance_params;

SILL_END

#endif
