/* SPDX-License-Identifier: MIT */
/*
 * embed-sd-event: sill inside an event loop of systemd. While a timer of the
 * loop's own ticks, a server of ours and its clients run as tasks, all on this
 * thread.
 */
#include "tasks.h"

#include <sill/embed.h>
#include <sill/error.h>

#include <stdio.h>
#include <systemd/sd-event.h>

/* ---- the adapter: two event sources ---- */

struct embed {
    sd_event_source *io, *timer;
    struct sill_guest *guest; /* NULL: detached, maybe from inside of a step */
};

/* sd-event counts the us of the same clock; 0 is at once. A timer goes off
 * when it has fired. */
static void set_time(void *arg, sill_time when)
{
    struct embed *embed = arg;
    uint64_t us = when <= 0 ? 0 : (uint64_t)(when / SILL_MICROSECOND + 1);

    (void)sd_event_source_set_time(embed->timer, us);
    (void)sd_event_source_set_enabled(
        embed->timer, when == SILL_NEVER ? SD_EVENT_OFF : SD_EVENT_ONESHOT);
}

static void step(struct embed *embed)
{
    sill_time when = sill_embed_step(embed->guest);

    if (embed->guest)
        set_time(embed, when);
}

static int on_ready(sd_event_source *io, int fd, uint32_t events, void *embed)
{
    (void)io;
    (void)fd;
    (void)events;
    step(embed);
    return 0;
}

static int on_time(sd_event_source *timer, uint64_t us, void *embed)
{
    (void)timer;
    (void)us;
    step(embed);
    return 0;
}

/* The guest is not busy. Its descriptor is closed last. */
static int embed_detach(struct embed *embed)
{
    struct sill_guest *guest = embed->guest;

    sd_event_source_disable_unref(embed->io);
    sd_event_source_disable_unref(embed->timer);
    *embed = (struct embed){0};
    return sill_guest_detach(guest);
}

/* An accuracy of 0 would stand for 250 ms. */
static int embed_attach(sd_event *event, struct embed *embed)
{
    *embed = (struct embed){0};
    int rc = sill_embed_attach(set_time, embed, NULL, &embed->guest);
    if (rc < 0)
        return rc;
    rc = sd_event_add_io(event, &embed->io, sill_embed_fd(embed->guest),
                         EPOLLIN, on_ready, embed);
    if (rc >= 0)
        rc = sd_event_add_time(event, &embed->timer, CLOCK_MONOTONIC,
                               UINT64_MAX, 1, on_time, embed);
    if (rc < 0)
        (void)embed_detach(embed);
    return rc;
}

/* ---- the program ---- */

enum { FETCHES = 3, TICK_US = 50000 };

static sd_event *loop;
static struct embed embed;
static char bodies[FETCHES][BODY_MAX];
static int ticks, fetched;

static void on_drained(void *arg)
{
    int rc = embed_detach(&embed);

    (void)arg;
    puts(rc < 0 ? sill_strerror(rc) : "drained");
    (void)sd_event_exit(loop, 0);
}

static void on_fetched(void *body, int result)
{
    const char *text = result < 0 ? sill_strerror(result) : body;

    printf("fetched: %s\n", text);
    if (++fetched == FETCHES) /* the server is left */
        (void)sill_guest_drain(embed.guest, SILL_PAST, on_drained, NULL);
}

static int on_tick(sd_event_source *timer, uint64_t us, void *arg)
{
    char *body = bodies[ticks];

    (void)arg;
    printf("tick %d\n", ++ticks);
    int rc = sill_guest_start(embed.guest, fetch_hello, body, on_fetched, NULL);
    if (rc < 0)
        on_fetched(body, rc);
    if (ticks == FETCHES)
        return 0;
    (void)sd_event_source_set_time(timer, us + TICK_US);
    return sd_event_source_set_enabled(timer, SD_EVENT_ONESHOT);
}

int main(void)
{
    int rc = sd_event_new(&loop);
    if (rc >= 0)
        rc = embed_attach(loop, &embed);
    if (rc >= 0)
        rc = sill_guest_start(embed.guest, serve_hello, NULL, NULL, NULL);
    if (rc >= 0)
        rc = sd_event_add_time_relative(loop, NULL, CLOCK_MONOTONIC, TICK_US, 1,
                                        on_tick, NULL);
    if (rc >= 0)
        rc = sd_event_loop(loop);
    sd_event_unref(loop);
    return rc < 0;
}
