/* SPDX-License-Identifier: MIT */
/*
 * A loop inside the loop that a program already runs. See sill_spi.h.
 *
 * Tasks that the host starts belong to a scope, whose owner stands for the host
 * and never runs: they are collected after each step.
 */
#include "core.h"

struct guest {
    struct sill_loop loop; /* first: its handle is the guest's */
    struct sill_scope started;
    struct sill_task host;
};

struct start {
    sill_task_fn *fn;
    void *arg;
    void (*done)(void *arg, int result);
};

static struct guest *guest_of(struct sill_loop *loop)
{
    return (struct guest *)(void *)loop;
}

int sill_core_attach(const struct sill_backend *backend, void *host,
                     struct sill_loop **loop)
{
    const struct sill_run_options options = {.backend = backend};

    if (!host)
        return SILL_EINVAL;

    struct guest *guest = sill_alloc(sizeof(*guest));

    if (!guest)
        return SILL_ENOMEM;

    int rc = sill_core_loop_open(&guest->loop, &options, host);

    if (rc < 0) {
        sill_free(guest);
        return rc;
    }
    guest->host = (struct sill_task){.loop = &guest->loop,
                                     .name = "the host",
                                     .where = "sill_core_attach",
                                     .state = TASK_RUNNING};
    guest->started =
        (struct sill_scope){.owner = &guest->host, .kind = SILL_SCOPE_COLLECT};
    guest->loop.root = &guest->host;
    guest->loop.looked_at = backend->now(guest->loop.self);
    *loop = &guest->loop;
    return 0;
}

static int run_started(void *arg)
{
    struct start *start = arg;

    return start->fn(start->arg);
}

int sill_core_start(struct sill_loop *loop, sill_task_fn *fn, void *arg,
                    void (*done)(void *arg, int result), const char *where)
{
    struct guest *guest = guest_of(loop);
    struct start *start = sill_alloc(sizeof(*start));

    if (!start)
        return SILL_ENOMEM;
    *start = (struct start){fn, arg, done};
    if (!sill_core_spawn(loop, &guest->host, &guest->started, run_started,
                         start, where)) {
        sill_free(start);
        return SILL_ENOMEM;
    }
    guest->started.alive++;
    loop->backend->alarm(loop->self, SILL_PAST);
    return 0;
}

/* (done) may start tasks, and may detach when none is left. */
static void tell_host(struct sill_task *task)
{
    struct start start = *(struct start *)task->arg;

    sill_free(task->arg);

    int result = sill_core_collect(task);

    if (start.done)
        start.done(start.arg, result);
}

void sill_core_step(struct sill_loop *loop)
{
    struct sill_loop *outer = sill_core_current;
    struct guest *guest = guest_of(loop);

    sill_core_current = loop;
    loop->looked_at = loop->backend->now(loop->self);
    sill_core_drain_remote(loop);
    sill_core_timers_fire(loop, loop->looked_at);
    sill_core_run_ready(loop);
    sill_core_current = outer;
    sill_core_barrier();

    loop->backend->alarm(
        loop->self,
        loop->ready ? SILL_PAST : sill_core_timers_next(loop, loop->looked_at));

    struct sill_task *ended = guest->started.ended;

    guest->started.ended = NULL;
    while (ended) {
        struct sill_task *task = ended;

        ended = task->next;
        tell_host(task);
    }
}

int sill_core_detach(struct sill_loop *loop)
{
    struct guest *guest = guest_of(loop);

    if (loop->tasks > 0 || sill_core_current == loop)
        return SILL_EBUSY;
    sill_core_loop_close(loop);
    sill_free(guest);
    return 0;
}
