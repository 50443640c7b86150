/* SPDX-License-Identifier: MIT */
/*
 * A backend that declares nothing: no descriptors of others, and nobody wakes
 * it from outside. It passes what is left of the suite, or a case does not say
 * what it needs.
 */
#include "sill_conformance.h"

#include <sill_spi.h>

#include <sill/error.h>

extern const struct sill_backend sill_backend_native;

const struct sill_conformance_params sill_conformance_params = {.name = "bare"};

static struct sill_spi_transport transport;
static struct sill_backend bare;

const struct sill_backend *const sill_backend_default = &bare;

static int adopt_nothing(struct sill_loop *loop, struct sill_stream *stream,
                         int fd)
{
    (void)loop, (void)stream, (void)fd;
    return SILL_EOPNOTSUPP;
}

static int watch_nothing(struct sill_loop *loop, struct sill_watch *watch,
                         int fd)
{
    (void)loop, (void)watch, (void)fd;
    return SILL_EOPNOTSUPP;
}

static void hear_nothing(void *self)
{
    (void)self;
}

static void __attribute__((constructor)) strip(void)
{
    transport = sill_core_sockets;
    transport.adopt = adopt_nothing;
    transport.watch = watch_nothing;
    bare = sill_backend_native;
    bare.transport = &transport;
    bare.interrupt = hear_nothing;
}
