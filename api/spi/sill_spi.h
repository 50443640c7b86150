/* SPDX-License-Identifier: MIT */
/*
 * sill_spi.h: what a backend implements, and what the core offers it.
 *
 * A backend is a poller: it waits for descriptors, for an instant, and for a
 * call from another thread, all at once. Everything else (tasks, triggers,
 * deadlines, fairness, cancellation, sockets) is written once, in
 * backends/common, and behaves the same on every backend. Nothing is optional
 * and there are no capability flags.
 *
 * The obligations are numbered B-1 to B-12; the conformance suite finds a
 * backend that breaks one. docs/backend.md writes a backend step by step.
 *
 * Threads   every entry is called on the loop's thread, except interrupt.
 * Errors    0 or a code of <sill/error.h>.
 */
#ifndef SILL_SPI_H
#define SILL_SPI_H

#include <sill/address.h>
#include <sill/datagram.h>
#include <sill/listener.h>
#include <sill/stream_ops.h>
#include <sill/task.h>
#include <sill/time.h>
#include <sill/watch.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

SILL_BEGIN

struct sill_guest;
struct sill_loop;
struct sill_task;

/* Grows when a struct of this header changes its meaning. */
#define SILL_SPI_ABI 2

/* Directions, to be or-ed; the first two are those of <sill/watch.h>. */
enum sill_spi_direction {
    SILL_SPI_READ = 1,
    SILL_SPI_WRITE = 2,
    SILL_SPI_HANGUP = 4 /* the peer ended, or an error: no news will follow */
};

/*
 * The interest in one descriptor, embedded in an object of the core. Zeroed
 * but for (fd) before its first watch.
 */
struct sill_spi_watch {
    int fd;
    unsigned armed; /* the backend's: directions whose events it will report */
    void *handle;   /* the backend's: its own object, NULL before the first */
};

/*
 * Streams, listeners and datagrams of one kind. Pollers use
 * sill_core_sockets; a backend without descriptors brings its own. Each entry
 * keeps the promises of the public call with the same name, and is called
 * inside a task, with arguments checked.
 */
struct sill_spi_transport {
    int (*connect)(struct sill_loop *loop, struct sill_stream *stream,
                   const struct sill_address *address,
                   const struct sill_socket_options *options,
                   sill_time deadline);
    int (*adopt)(struct sill_loop *loop, struct sill_stream *stream, int fd);
    int (*listen)(struct sill_loop *loop, struct sill_listener *listener,
                  const struct sill_address *address,
                  const struct sill_socket_options *options);
    int (*datagram)(struct sill_loop *loop, struct sill_datagram *datagram,
                    const struct sill_address *address,
                    const struct sill_socket_options *options);
    /* SILL_EOPNOTSUPP without descriptors. */
    int (*watch)(struct sill_loop *loop, struct sill_watch *watch, int fd);
};

struct sill_listener_ops {
    int (*accept)(void *impl, struct sill_stream *stream, sill_time deadline);
    int (*local)(void *impl, struct sill_address *address);
    void (*close)(void *impl);
};

struct sill_datagram_ops {
    int (*connect)(void *impl, const struct sill_address *peer);
    int (*send)(void *impl, const void *data, size_t size,
                const struct sill_address *peer, sill_time deadline);
    ssize_t (*receive)(void *impl, void *buffer, size_t size,
                       struct sill_address *peer, sill_time deadline);
    int (*local)(void *impl, struct sill_address *address);
    void (*close)(void *impl);
};

struct sill_watch_ops {
    int (*wait)(void *impl, unsigned directions, sill_time deadline);
    void (*close)(void *impl);
};

struct sill_backend {
    uint32_t abi;  /* SILL_SPI_ABI; with another one a run ends the program */
    uint32_t size; /* sizeof(struct sill_backend); the same */
    const char *name;

    /*
     * Makes the state of one loop.
     *
     * host   NULL: a loop of its own. Otherwise the loop of a program that
     *        goes on running it, as the attach call of the backend hands it
     *        over: poll is then never called, and events call sill_core_step.
     * self   receives the state that every other entry is given.
     *
     * B-1  After close everything is as before open; a host's loop and its own
     *      handles stay untouched.
     */
    int (*open)(struct sill_loop *loop, void *host, void **self);

    /* Ends it; every watch was unwatched before. */
    void (*close)(void *self);

    /* B-2  The present instant: monotonic, never cached. */
    sill_time (*now)(void *self);

    /*
     * Waits for events no later than (until), reports each with
     * sill_core_ready, and returns 0, or an error when waiting is impossible,
     * which ends the program.
     *
     * B-3  An (until) in the past never blocks; SILL_NEVER may block for ever.
     * B-4  May return early or without an event; must not do so all the time
     *      while nothing happens.
     * B-5  Returns after some thousand events at most, so that tasks run.
     *
     * A backend that knows of everything that can happen returns SILL_EDEADLK
     * for an (until) of SILL_NEVER when that is nothing; the core reports the
     * deadlock.
     */
    int (*poll)(void *self, sill_time until);

    /*
     * Makes sure that events of (watch) in (directions), READ, WRITE or both,
     * will be reported, and says in (watch)->armed which ones now are.
     *
     * Called when a task is about to wait in a direction that is not armed,
     * so a backend that arms for ever (edge-triggered) sees it once for each
     * direction. One that is level-triggered may narrow (armed) when
     * sill_core_ready says that nobody took an event, and is called again.
     *
     * B-6  What is ready before the call is reported after it.
     * B-7  Errors, and the end of what the peer writes, are reported in both
     *      directions, with HANGUP: once is enough.
     * B-8  A descriptor that cannot be polled gives SILL_EPERM.
     */
    int (*watch)(void *self, struct sill_spi_watch *watch, unsigned directions);

    /*
     * B-9  Ends the interest, also after a watch that failed half-way: no event
     *      is reported for (watch) from now on, and its memory and its
     *      descriptor's number may be used again at once, also where the loop
     *      frees its own part later.
     */
    void (*unwatch)(void *self, struct sill_spi_watch *watch);

    /*
     * B-10  From any thread and from a signal handler, at any time between
     *       open and close: makes the present poll return, or the next one not
     *       block. In guest mode makes the host call sill_core_step soon.
     */
    void (*interrupt)(void *self);

    /*
     * Guest mode: sill_core_step wants to be called at (when), which replaces
     * the instant of the call before; SILL_NEVER for not at all.
     *
     * alive   whether a task lives.
     *
     * B-11  An instant in the past: in the host's next round, and not before
     *       it has looked at its own descriptors.
     * B-12  While (alive) a host's loop that ends when it has nothing to do
     *       goes on; otherwise nothing of ours keeps it, not even what is
     *       still watched.
     */
    void (*alarm)(void *self, sill_time when, bool alive);

    const struct sill_spi_transport *transport;
};

/*
 * The backend that the linker chose: each backend library defines it, in a
 * file of its own.
 */
SILL_API extern const struct sill_backend *const sill_backend_default;

/*
 * Reports that (watch) is ready in (directions). Wakes who waits for them;
 * runs no task.
 *
 * Returns the directions of (directions) that were reported before the last
 * look, too, and that nobody has taken: a level-triggered backend that would
 * report them again at once must narrow (watch)->armed.
 */
SILL_API unsigned sill_core_ready(struct sill_spi_watch *watch,
                                  unsigned directions);

/*
 * Guest mode: makes a loop that lives inside (host), a loop that the program
 * runs, for the attach call of a backend: what (host) points to is between the
 * two. See <sill/guest.h>.
 *
 * options   as sill_run_with; its backend is not looked at.
 * guest     receives the handle.
 *
 * Returns 0, or SILL_EINVAL without a host, SILL_ENOMEM, or why the backend
 * could not open.
 */
SILL_API SILL_MUST_CHECK int
sill_core_attach(const struct sill_backend *backend, void *host,
                 const struct sill_run_options *options,
                 struct sill_guest **guest);

/*
 * Guest mode: runs the tasks that are ready, without blocking, asks by alarm
 * for what comes next, and tells the host of the tasks that ended: it may
 * detach there, so (loop) may be gone afterwards. For backends, whose host has
 * told them that something happened; never from inside a step.
 */
SILL_API void sill_core_step(struct sill_loop *loop);

/* Guest mode: returns the state that open made for (guest), NULL in a forked
 * child. The guest must be one of (backend), on the thread of its host:
 * anything else ends the program in the name of (call). */
SILL_API void *sill_core_guest_state(const struct sill_guest *guest,
                                     const struct sill_backend *backend,
                                     const char *call);

/* Where one task waits in a transport; zeroed before its first use. */
struct sill_spi_waiter {
    struct sill_task *task; /* the core's */
};

/*
 * For transports: suspends the current task at (waiter), which must stay where
 * it is, until sill_core_wake_waiter.
 *
 * what   it waits for, for the tree of tasks: "a stream to read".
 * call   in whose name a second task at (waiter) ends the program.
 *
 * Returns what it was woken with, or SILL_ECANCELED or SILL_ETIMEDOUT, at once
 * when they hold already. Whoever was woken looks again at what it waits for.
 */
SILL_API SILL_MUST_CHECK int sill_core_wait(struct sill_spi_waiter *waiter,
                                            sill_time deadline,
                                            const char *what, const char *call);

/* Wakes who waits at (waiter), if anybody, with (result). Never suspends. */
SILL_API void sill_core_wake_waiter(const struct sill_spi_waiter *waiter,
                                    int result);

/* Returns where the current task keeps a pointer for the backend, NULL outside
 * of a task. A task begins with its parent's, the first one with NULL. */
SILL_API void **sill_core_task_data(void);

/* The transport of every backend with descriptors. */
SILL_API extern const struct sill_spi_transport sill_core_sockets;

/* For a backend whose time is not the machine's, from its open: (second) is
 * what sill_calendar() shows at the instant 0 of its clock. */
SILL_API void sill_core_set_calendar(struct sill_loop *loop, int64_t second);

/* For a backend that decides what is random, from its open: what
 * sill_random_fill() gives to tasks of (loop) follows from (seed). */
SILL_API void sill_core_set_random(struct sill_loop *loop, uint64_t seed);

/* The machine's monotonic clock, in ns. */
SILL_API sill_time sill_core_monotonic(void);

SILL_END

#endif
