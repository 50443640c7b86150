/* SPDX-License-Identifier: MIT */
/*
 * embed-glib: sill inside a main loop of GLib. While GLib's timer ticks, a
 * server of ours and its clients run as tasks, all on this thread.
 */
#include "tasks.h"

#include <sill/embed.h>
#include <sill/error.h>

#include <glib.h>
#include <stdio.h>

/* ---- the adapter: a GSource ---- */

struct embed {
    GSource source; /* first: it is what GLib passes to step */
    struct sill_guest *guest;
};

/* GLib counts the us of the same clock; 0 is at once, -1 never. */
static void set_time(void *source, sill_time when)
{
    gint64 us = when <= 0 ? 0 : when / SILL_MICROSECOND + 1;

    g_source_set_ready_time(source, when == SILL_NEVER ? -1 : us);
}

static gboolean step(GSource *source, GSourceFunc callback, gpointer data)
{
    (void)callback;
    (void)data;
    set_time(source, sill_embed_step(((struct embed *)source)->guest));
    return G_SOURCE_CONTINUE;
}

static int embed_attach(GMainContext *context, struct embed **embed)
{
    static GSourceFuncs functions = {.dispatch = step};
    GSource *source = g_source_new(&functions, sizeof(**embed));
    struct embed *made = (struct embed *)source;

    int rc = sill_embed_attach(set_time, source, NULL, &made->guest);
    if (rc < 0) {
        g_source_unref(source);
        return rc;
    }
    (void)g_source_add_unix_fd(source, sill_embed_fd(made->guest), G_IO_IN);
    (void)g_source_attach(source, context);
    *embed = made;
    return 0;
}

/* The guest is not busy. Its descriptor is closed last. */
static int embed_detach(struct embed *embed)
{
    struct sill_guest *guest = embed->guest;

    g_source_destroy(&embed->source);
    g_source_unref(&embed->source);
    return sill_guest_detach(guest);
}

/* ---- the program ---- */

enum { FETCHES = 3 };

static GMainLoop *loop;
static struct embed *embed;
static char bodies[FETCHES][BODY_MAX];
static int ticks, fetched;

static void on_drained(void *arg)
{
    int rc = embed_detach(embed);

    (void)arg;
    puts(rc < 0 ? sill_strerror(rc) : "drained");
    g_main_loop_quit(loop);
}

static void on_fetched(void *body, int result)
{
    const char *text = result < 0 ? sill_strerror(result) : body;

    printf("fetched: %s\n", text);
    if (++fetched == FETCHES) /* the server is left */
        (void)sill_guest_drain(embed->guest, SILL_PAST, on_drained, NULL);
}

static gboolean on_tick(gpointer arg)
{
    char *body = bodies[ticks];

    (void)arg;
    printf("tick %d\n", ++ticks);
    int rc =
        sill_guest_start(embed->guest, fetch_hello, body, on_fetched, NULL);
    if (rc < 0)
        on_fetched(body, rc);
    return ticks < FETCHES;
}

int main(void)
{
    int rc = embed_attach(NULL, &embed);
    if (rc == 0)
        rc = sill_guest_start(embed->guest, serve_hello, NULL, NULL, NULL);
    if (rc < 0)
        return 1;
    loop = g_main_loop_new(NULL, FALSE);
    (void)g_timeout_add(50, on_tick, NULL);
    g_main_loop_run(loop);
    g_main_loop_unref(loop);
    return 0;
}
