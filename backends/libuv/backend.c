/* SPDX-License-Identifier: MIT */
/*
 * The backend over libuv: in a loop of its own, or inside a host's uv_loop_t.
 *
 * libuv is level-triggered and allows one uv_poll_t for a descriptor, which
 * serves both directions. It stays started from one wait to the next; when an
 * event finds nobody, it is narrowed to what somebody took.
 *
 * Inside a host, whatever makes tasks ready starts the idle handle (soon): it
 * keeps the loop from blocking, and runs one step, before the next poll, for
 * all that happened until then. No handle keeps the host's loop alive but
 * (wakeup), and that only while a task lives.
 */
#include <sill_spi.h>

#include <sill/error.h>
#include <sill/hooks.h>
#include <sill/libuv.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <uv.h>

enum {
    BOTH = SILL_SPI_READ | SILL_SPI_WRITE,
    DESCRIPTORS = 6 /* that libuv opens for a loop, or a few more */
};

struct libuv {
    struct sill_loop *core;
    uv_loop_t *loop; /* (own), or the host's */
    uv_loop_t own;
    uv_async_t wakeup;
    uv_timer_t timer;
    sill_time until; /* what (timer) was set for; SILL_NEVER: it is stopped */
    uv_idle_t soon;
    unsigned handles; /* of these three, not closed */
    bool guest;
    bool again; /* something came up during the step */
};

/* Outlives its watch until libuv has let go of it. */
struct handle {
    uv_poll_t poll; /* first: libuv's callbacks and the watch point to it */
    struct libuv *backend;
    struct sill_spi_watch *watch;
    bool ended; /* the peer, and that was told: once, or it goes on for ever */
};

static int error_from(int rc)
{
    if (rc == UV_EEXIST) /* the host polls this descriptor */
        return SILL_EBUSY;
    return rc < 0 ? sill_error_from_errno(-rc) : 0;
}

/* Stays active during the step: a loop that is run from inside of it comes by
 * here, and is told so. */
static void on_soon(uv_idle_t *soon)
{
    struct libuv *u = soon->data;

    u->again = false;
    sill_core_step(u->core);
    if (!u->again && !uv_is_closing((uv_handle_t *)soon))
        (void)uv_idle_stop(soon);
}

static void step_soon(struct libuv *u)
{
    u->again = true;
    if (u->guest)
        (void)uv_idle_start(&u->soon, on_soon);
}

static void on_wakeup(uv_async_t *wakeup)
{
    step_soon(wakeup->data);
}

/* A loop that runs once may look at its timers and then block, though one of
 * them fired (libuv before 1.45): uv_stop keeps it from that. */
static void on_time(uv_timer_t *timer)
{
    struct libuv *u = timer->data;

    u->until = SILL_NEVER;
    if (!u->guest)
        uv_stop(u->loop);
    step_soon(u);
}

/* libuv keeps two descriptors of the process from its first loop on: here, so
 * that the loops that follow leave what they found. */
static void __attribute__((constructor)) open_library(void)
{
    uv_loop_t loop;

    if (uv_loop_init(&loop) == 0)
        (void)uv_loop_close(&loop);
}

/* libuv leaks when it runs out of descriptors half-way (1.44): see first
 * whether there are enough. */
static int check_descriptors(void)
{
    int fds[DESCRIPTORS];
    int count = 0, rc = 0;

    while (count < DESCRIPTORS && rc == 0) {
        fds[count] = eventfd(0, EFD_CLOEXEC);
        if (fds[count] < 0)
            rc = sill_error_from_errno(errno);
        else
            count++;
    }
    while (count > 0)
        (void)close(fds[--count]);
    return rc;
}

static int open_loop(struct libuv *u)
{
    int rc = u->guest ? 0 : check_descriptors();

    if (rc == 0 && !u->guest)
        rc = error_from(uv_loop_init(&u->own));
    return rc;
}

static int open_handles(struct libuv *u)
{
    int rc = error_from(uv_async_init(u->loop, &u->wakeup, on_wakeup));

    if (rc < 0)
        return rc;
    (void)uv_timer_init(u->loop, &u->timer);
    (void)uv_idle_init(u->loop, &u->soon);
    u->wakeup.data = u->timer.data = u->soon.data = u;
    u->handles = 3;
    if (u->guest) {
        uv_unref((uv_handle_t *)&u->wakeup);
        uv_unref((uv_handle_t *)&u->timer);
        uv_unref((uv_handle_t *)&u->soon);
    }
    return 0;
}

static int libuv_open(struct sill_loop *loop, void *host, void **self)
{
    struct libuv *u = sill_alloc(sizeof(*u));

    if (!u)
        return SILL_ENOMEM;
    u->core = loop;
    u->guest = host != NULL;
    u->loop = host ? host : &u->own;
    u->until = SILL_NEVER;

    int rc = open_loop(u);

    if (rc < 0)
        goto free_u;
    rc = open_handles(u);
    if (rc < 0)
        goto close_loop;
    *self = u;
    return 0;

close_loop:
    if (!u->guest)
        (void)uv_loop_close(&u->own);
free_u:
    sill_free(u);
    return rc;
}

static void on_closed(uv_handle_t *handle)
{
    struct libuv *u = handle->data;

    if (--u->handles == 0 && u->guest)
        sill_free(u);
}

/* A host has yet to run its loop once before the handles are gone. */
static void libuv_close(void *self)
{
    struct libuv *u = self;

    uv_close((uv_handle_t *)&u->soon, on_closed);
    uv_close((uv_handle_t *)&u->timer, on_closed);
    uv_close((uv_handle_t *)&u->wakeup, on_closed);
    if (u->guest)
        return;
    (void)uv_run(&u->own, UV_RUN_DEFAULT);
    (void)uv_loop_close(&u->own);
    sill_free(u);
}

static sill_time libuv_now(void *self)
{
    (void)self;
    return sill_core_monotonic();
}

/* Returns false, with the timer as it was, when (until) is past. libuv counts
 * whole ms from a cached instant: uv_now is taken off because libuv adds it. */
static bool set_timer(struct libuv *u, sill_time until)
{
    if (until == u->until)
        return true;
    if (until == SILL_NEVER) {
        u->until = until;
        return uv_timer_stop(&u->timer) == 0;
    }

    sill_time now = until == SILL_PAST ? until : sill_core_monotonic();

    if (until <= now)
        return false;

    uint64_t due = (uv_hrtime() + (uint64_t)(until - now)) / 1000000 + 1;

    u->until = until;
    return uv_timer_start(&u->timer, on_time, due - uv_now(u->loop), 0) == 0;
}

static int libuv_poll(void *self, sill_time until)
{
    struct libuv *u = self;
    uv_run_mode mode = set_timer(u, until) ? UV_RUN_ONCE : UV_RUN_NOWAIT;

    (void)uv_run(u->loop, mode);
    return 0;
}

static int start(struct handle *handle, unsigned directions);

static void on_event(uv_poll_t *poll, int status, int events)
{
    struct handle *handle = (struct handle *)poll;
    struct sill_spi_watch *watch = handle->watch;
    bool ends = events & UV_DISCONNECT;
    unsigned directions = ends ? BOTH | SILL_SPI_HANGUP : 0;

    if (events & UV_READABLE)
        directions |= SILL_SPI_READ;
    if (events & UV_WRITABLE)
        directions |= SILL_SPI_WRITE;
    if (status < 0) {
        directions = BOTH | SILL_SPI_HANGUP;
        (void)start(handle, 0);
    }
    handle->ended |= ends;

    unsigned armed = watch->armed & ~sill_core_ready(watch, directions);

    if (armed != watch->armed || (ends && armed & SILL_SPI_WRITE))
        (void)start(handle, armed);
    step_soon(handle->backend);
}

static int start(struct handle *handle, unsigned directions)
{
    int events = 0;

    if (directions & SILL_SPI_READ)
        events |= UV_READABLE;
    if (directions & SILL_SPI_WRITE)
        events |= UV_WRITABLE;
    if (events && !handle->ended)
        events |= UV_DISCONNECT;

    int rc = error_from(uv_poll_start(&handle->poll, events, on_event));

    if (rc == 0)
        handle->watch->armed = directions;
    return rc;
}

/* libuv makes the descriptor non-blocking, which its owner may not want. */
static int init_poll(struct libuv *u, uv_poll_t *poll, int fd)
{
    int flags = fcntl(fd, F_GETFL);
    int rc = error_from(uv_poll_init(u->loop, poll, fd));

    if (rc == 0 && !(flags & O_NONBLOCK))
        (void)fcntl(fd, F_SETFL, flags);
    return rc;
}

static int handle_open(struct libuv *u, struct sill_spi_watch *watch)
{
    struct handle *handle = sill_alloc(sizeof(*handle));

    if (!handle)
        return SILL_ENOMEM;

    int rc = init_poll(u, &handle->poll, watch->fd);

    if (rc < 0) {
        sill_free(handle);
        return rc;
    }
    handle->backend = u;
    handle->watch = watch;
    handle->ended = false;
    watch->handle = handle;
    if (u->guest)
        uv_unref((uv_handle_t *)&handle->poll);
    return 0;
}

static int libuv_watch(void *self, struct sill_spi_watch *watch,
                       unsigned directions)
{
    int rc = watch->handle ? 0 : handle_open(self, watch);

    return rc < 0 ? rc : start(watch->handle, watch->armed | directions);
}

static void on_handle_closed(uv_handle_t *handle)
{
    sill_free(handle);
}

static void libuv_unwatch(void *self, struct sill_spi_watch *watch)
{
    (void)self;
    if (watch->handle)
        uv_close(watch->handle, on_handle_closed);
    watch->handle = NULL;
    watch->armed = 0;
}

static void libuv_interrupt(void *self)
{
    struct libuv *u = self;
    int saved = errno;

    (void)uv_async_send(&u->wakeup);
    errno = saved;
}

static void libuv_alarm(void *self, sill_time when, bool alive)
{
    struct libuv *u = self;

    if (alive)
        uv_ref((uv_handle_t *)&u->wakeup);
    else
        uv_unref((uv_handle_t *)&u->wakeup);
    if (!set_timer(u, when))
        step_soon(u);
}

SILL_API const struct sill_backend sill_backend_libuv = {
    SILL_SPI_ABI,  sizeof(struct sill_backend),
    "libuv",       libuv_open,
    libuv_close,   libuv_now,
    libuv_poll,    libuv_watch,
    libuv_unwatch, libuv_interrupt,
    libuv_alarm,   &sill_core_sockets};

/* See <sill/libuv.h>. */

int sill_libuv_attach(struct uv_loop_s *host,
                      const struct sill_run_options *options,
                      struct sill_guest **guest)
{
    return sill_core_attach(&sill_backend_libuv, host, options, guest);
}
