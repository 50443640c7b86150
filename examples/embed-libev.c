/* SPDX-License-Identifier: MIT */
/*
 * embed-libev: sill inside a loop of libev. While a timer of libev's ticks, a
 * server of ours and its clients run as tasks, all on this thread.
 */
#include "tasks.h"

#include <sill/embed.h>
#include <sill/error.h>

#include <ev.h>
#include <stdio.h>

/* ---- the adapter: two watchers ---- */

struct embed {
    struct ev_loop *loop;
    ev_io io; /* active while the guest is busy: so long libev's loop lives */
    ev_timer timer;
    struct sill_guest *guest; /* NULL: detached, maybe from inside of a step */
};

/* libev counts from the start of its round, which may be a while ago. */
static void set_time(void *arg, sill_time when)
{
    struct embed *embed = arg;
    int ms = sill_embed_timeout(when);

    if (sill_guest_is_busy(embed->guest))
        ev_io_start(embed->loop, &embed->io);
    else
        ev_io_stop(embed->loop, &embed->io);
    ev_timer_stop(embed->loop, &embed->timer);
    if (ms < 0)
        return;
    ev_now_update(embed->loop);
    ev_timer_set(&embed->timer, ms / 1e3, 0.);
    ev_timer_start(embed->loop, &embed->timer);
}

static void step(struct embed *embed)
{
    sill_time when = sill_embed_step(embed->guest);

    if (embed->guest)
        set_time(embed, when);
}

static void on_ready(struct ev_loop *loop, ev_io *io, int events)
{
    (void)loop;
    (void)events;
    step(io->data);
}

static void on_time(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    step(timer->data);
}

static int embed_attach(struct ev_loop *loop, struct embed *embed)
{
    int rc = sill_embed_attach(set_time, embed, NULL, &embed->guest);
    if (rc < 0)
        return rc;
    embed->loop = loop;
    ev_io_init(&embed->io, on_ready, sill_embed_fd(embed->guest), EV_READ);
    ev_timer_init(&embed->timer, on_time, 0., 0.);
    embed->io.data = embed->timer.data = embed;
    return 0;
}

/* The guest is not busy. Its descriptor is closed last. */
static int embed_detach(struct embed *embed)
{
    struct sill_guest *guest = embed->guest;

    ev_io_stop(embed->loop, &embed->io);
    ev_timer_stop(embed->loop, &embed->timer);
    embed->guest = NULL;
    return sill_guest_detach(guest);
}

/* ---- the program ---- */

enum { FETCHES = 3 };

static struct embed embed;
static char bodies[FETCHES][BODY_MAX];
static int ticks, fetched;

/* Nothing is active any more: the loop ends by itself. */
static void on_drained(void *arg)
{
    int rc = embed_detach(&embed);

    (void)arg;
    puts(rc < 0 ? sill_strerror(rc) : "drained");
}

static void on_fetched(void *body, int result)
{
    const char *text = result < 0 ? sill_strerror(result) : body;

    printf("fetched: %s\n", text);
    if (++fetched == FETCHES) /* the server is left */
        (void)sill_guest_drain(embed.guest, SILL_PAST, on_drained, NULL);
}

static void on_tick(struct ev_loop *loop, ev_timer *timer, int events)
{
    char *body = bodies[ticks];

    (void)events;
    printf("tick %d\n", ++ticks);
    int rc = sill_guest_start(embed.guest, fetch_hello, body, on_fetched, NULL);
    if (rc < 0)
        on_fetched(body, rc);
    if (ticks == FETCHES)
        ev_timer_stop(loop, timer);
}

int main(void)
{
    struct ev_loop *loop = ev_default_loop(0);
    ev_timer timer;

    int rc = loop ? embed_attach(loop, &embed) : SILL_ENOMEM;
    if (rc == 0)
        rc = sill_guest_start(embed.guest, serve_hello, NULL, NULL, NULL);
    if (rc < 0)
        return 1;
    ev_timer_init(&timer, on_tick, 0.05, 0.05);
    ev_timer_start(loop, &timer);
    ev_run(loop, 0);
    ev_loop_destroy(loop);
    return 0;
}
