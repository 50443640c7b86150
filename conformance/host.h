/* SPDX-License-Identifier: MIT */
/*
 * host.h: somebody's loop, for the cases of guest mode: the host of the
 * backend's sill_conformance_params, where each of these is described.
 */
#ifndef HOST_H
#define HOST_H

#include "sill_conformance.h"

struct host;

static inline struct host *host_open(void)
{
    return sill_conformance_params.host->open();
}

static inline bool host_close(struct host *host)
{
    return sill_conformance_params.host->close(host);
}

static inline int host_attach(struct host *host,
                              const struct sill_run_options *options,
                              struct sill_guest **guest)
{
    return sill_conformance_params.host->attach(host, options, guest);
}

static inline int host_detach(struct host *host, struct sill_guest *guest)
{
    return sill_conformance_params.host->detach(host, guest);
}

static inline void host_tick(struct host *host, unsigned ms,
                             void (*fn)(void *arg), void *arg)
{
    sill_conformance_params.host->tick(host, ms, fn, arg);
}

static inline void host_watch(struct host *host, int fd, void (*fn)(void *arg),
                              void *arg)
{
    sill_conformance_params.host->watch(host, fd, fn, arg);
}

static inline void host_run(struct host *host)
{
    sill_conformance_params.host->run(host);
}

static inline void host_stop(struct host *host)
{
    sill_conformance_params.host->stop(host);
}

#endif
