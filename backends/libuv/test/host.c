/* SPDX-License-Identifier: MIT */
/*
 * A host for the test of guest mode: a plain uv_loop_t with one timer.
 */
#include "guest.h"

#include <stdlib.h>
#include <uv.h>

extern const struct sill_backend sill_backend_libuv;
const struct sill_backend *const guest_backend = &sill_backend_libuv;

static uv_loop_t loop;
static uv_timer_t timer;
static void (*tick)(void);

static void on_timer(uv_timer_t *handle)
{
    (void)handle;
    tick();
}

void *host_open(void (*on_tick)(void))
{
    tick = on_tick;
    if (uv_loop_init(&loop) < 0 || uv_timer_init(&loop, &timer) < 0)
        exit(1);
    return &loop;
}

void host_tick(bool on)
{
    if (on)
        (void)uv_timer_start(&timer, on_timer, 1, 1);
    else
        (void)uv_timer_stop(&timer);
}

void host_run(void)
{
    (void)uv_run(&loop, UV_RUN_DEFAULT);
}

void host_close(void)
{
    uv_close((uv_handle_t *)&timer, NULL);
    host_run();
    if (uv_loop_close(&loop) < 0)
        exit(1);
}
