/* SPDX-License-Identifier: MIT */
/*
 * A loop inside the loop that a program already runs. See <sill/guest.h>.
 *
 * Tasks that the host starts belong to a scope, whose owner stands for the host
 * and never runs: they are collected after each step.
 */
#include "core.h"

#include <errno.h>

struct sill_guest {
    struct sill_loop loop; /* first: what the backend knows */
    struct sill_scope started;
    struct sill_task host;
    bool *gone; /* of the present step: set by detach; NULL outside of one */
    bool draining;
    sill_time grace;
    void (*drained)(void *arg);
    void *drained_arg;
};

struct start {
    sill_task_fn *fn;
    void *arg;
    void (*done)(void *arg, int result);
};

static struct sill_guest *guest_of(struct sill_loop *loop)
{
    return (struct sill_guest *)(void *)loop;
}

static void be_host(struct sill_guest *guest)
{
    guest->host = (struct sill_task){.loop = &guest->loop,
                                     .name = "the host",
                                     .where = "its own loop",
                                     .state = TASK_RUNNING};
    guest->started =
        (struct sill_scope){.owner = &guest->host, .kind = SILL_SCOPE_COLLECT};
    guest->loop.root = &guest->host;
    guest->loop.looked_at = guest->loop.backend->now(guest->loop.self);
}

int sill_core_attach(const struct sill_backend *backend, void *host,
                     const struct sill_run_options *options,
                     struct sill_guest **guest)
{
    struct sill_run_options chosen = {0};

    if (!host)
        return SILL_EINVAL;
    if (options)
        chosen = *options;
    chosen.backend = backend;

    struct sill_guest *made = sill_alloc(sizeof(*made));

    if (!made)
        return SILL_ENOMEM;

    int rc = sill_core_loop_open(&made->loop, &chosen, host);

    if (rc < 0) {
        sill_free(made);
        return rc;
    }
    be_host(made);
    made->gone = NULL;
    made->draining = false;
    *guest = made;
    return 0;
}

/* The address of errno tells threads apart, and costs no system call. */
static void require_thread(const struct sill_guest *guest, const char *call)
{
    if (guest->loop.errno_of_thread != &errno)
        sill_core_fatal(call, "not the thread of the guest's host",
                        sill_core_self());
}

void *sill_core_guest_state(const struct sill_guest *guest,
                            const struct sill_backend *backend,
                            const char *call)
{
    if (guest->loop.backend != backend)
        sill_core_fatal(call, "a guest of another backend", sill_core_self());
    require_thread(guest, call);
    return sill_core_is_forked(&guest->loop) ? NULL : guest->loop.self;
}

static bool is_busy(const struct sill_guest *guest)
{
    return guest->loop.tasks > 0 || guest->draining;
}

bool sill_guest_is_busy(const struct sill_guest *guest)
{
    require_thread(guest, "sill_guest_is_busy");
    return !sill_core_is_forked(&guest->loop) && is_busy(guest);
}

/* Starting. */

static int run_started(void *arg)
{
    struct start *start = arg;

    return start->fn(start->arg);
}

static struct sill_task *spawn(struct sill_guest *guest, struct start start,
                               const char *where)
{
    struct start *kept = sill_alloc(sizeof(*kept));

    if (!kept)
        return NULL;
    *kept = start;

    struct sill_task *task = sill_core_spawn(
        &guest->loop, &guest->host, &guest->started, run_started, kept, where);

    if (!task)
        sill_free(kept);
    return task;
}

int sill_guest_start_at(struct sill_guest *guest, sill_task_fn *fn, void *arg,
                        void (*done)(void *arg, int result),
                        struct sill_task **task, const char *where)
{
    require_thread(guest, "sill_guest_start");
    if (sill_core_is_forked(&guest->loop))
        return SILL_ENOTASK;
    if (guest->draining)
        return SILL_ECANCELED;

    struct sill_task *started =
        spawn(guest, (struct start){fn, arg, done}, where);

    if (!started)
        return SILL_ENOMEM;
    guest->started.alive++;
    if (task)
        *task = started;
    sill_core_ask_for_step(&guest->loop);
    return 0;
}

/* Ending. */

/* Abort hooks find the loop that they belong to. */
static void request_cancel(struct sill_guest *guest, struct sill_task *task)
{
    struct sill_loop *outer = sill_core_current;

    sill_core_current = &guest->loop;
    sill_core_request_cancel(task);
    sill_core_current = outer;
}

void sill_guest_cancel(struct sill_guest *guest, struct sill_task *task)
{
    require_thread(guest, "sill_guest_cancel");
    if (sill_core_is_forked(&guest->loop))
        return;
    if (task->state == TASK_GONE || task->parent != &guest->host)
        sill_core_fatal("sill_guest_cancel", "not a task that the host started",
                        sill_core_self());
    if (task->state == TASK_ENDED)
        return;
    request_cancel(guest, task);
    sill_core_ask_for_step(&guest->loop);
}

static void cancel_all(struct sill_guest *guest)
{
    for (struct sill_task *t = guest->host.children; t; t = t->older) {
        if (t->state != TASK_ENDED)
            request_cancel(guest, t);
    }
}

int sill_guest_drain(struct sill_guest *guest, sill_time grace,
                     void (*drained)(void *arg), void *arg)
{
    require_thread(guest, "sill_guest_drain");
    if (sill_core_is_forked(&guest->loop))
        return SILL_ENOTASK;
    guest->draining = true;
    guest->grace = grace;
    guest->drained = drained;
    guest->drained_arg = arg;
    sill_core_ask_for_step(&guest->loop);
    return 0;
}

int sill_guest_detach(struct sill_guest *guest)
{
    require_thread(guest, "sill_guest_detach");
    if (sill_core_is_forked(&guest->loop))
        return SILL_ENOTASK;
    if (is_busy(guest) || guest->loop.descriptors > 0)
        return SILL_EBUSY;
    if (guest->gone)
        *guest->gone = true;
    sill_core_loop_close(&guest->loop);
    sill_free(guest);
    return 0;
}

/* The step. */

static void run(struct sill_guest *guest)
{
    struct sill_loop *loop = &guest->loop;
    struct sill_loop *outer = sill_core_current;

    sill_core_current = loop;
    loop->looked_at = loop->backend->now(loop->self);
    sill_core_drain_remote(loop);
    sill_core_timers_fire(loop, loop->looked_at);
    if (guest->draining && guest->grace <= loop->looked_at) {
        guest->grace = SILL_NEVER;
        cancel_all(guest);
    }
    sill_core_run_ready(loop);
    sill_core_current = outer;
    sill_core_barrier();
}

static void set_alarm(struct sill_guest *guest)
{
    struct sill_loop *loop = &guest->loop;
    sill_time next = SILL_PAST;

    if (!loop->ready)
        next = sill_core_timers_next(loop, loop->looked_at);
    if (guest->draining && guest->grace < next && loop->alive > 0)
        next = guest->grace;
    loop->backend->alarm(loop->self, next, loop->alive > 0);
}

static void tell(struct sill_task *task)
{
    struct start start = *(struct start *)task->arg;

    sill_free(task->arg);

    int result = sill_core_collect(task);

    if (start.done)
        start.done(start.arg, result);
}

static void tell_all(struct sill_guest *guest)
{
    struct sill_task *ended = guest->started.ended;

    guest->started.ended = NULL;
    while (ended) {
        struct sill_task *task = ended;

        ended = task->next;
        tell(task);
    }
}

static void tell_drained(struct sill_guest *guest)
{
    if (!guest->draining || guest->loop.tasks > 0)
        return;
    guest->draining = false;
    if (guest->drained)
        guest->drained(guest->drained_arg);
}

void sill_core_step(struct sill_loop *loop)
{
    struct sill_guest *guest = guest_of(loop);
    bool gone = false;

    require_thread(guest, "sill_core_step");
    if (guest->gone || sill_core_self())
        sill_core_fatal("sill_core_step",
                        "the host's loop runs inside of a task or a callback",
                        sill_core_self());
    if (sill_core_is_forked(loop)) {
        loop->backend->alarm(loop->self, SILL_NEVER, false);
        return;
    }
    guest->gone = &gone;
    run(guest);
    set_alarm(guest);
    tell_all(guest);
    if (!gone)
        tell_drained(guest);
    if (!gone)
        guest->gone = NULL;
}

void sill_guest_dump(struct sill_guest *guest,
                     void (*write)(void *arg, const char *line), void *arg)
{
    require_thread(guest, "sill_guest_dump");
    sill_core_dump(&guest->loop, write, arg);
}
