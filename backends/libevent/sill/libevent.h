/* SPDX-License-Identifier: MIT */
/*
 * <sill/libevent.h>: live on an event_base that the program runs.
 *
 *     struct event_base *base = event_base_new();
 *     struct sill_guest *guest;
 *     int rc = sill_libevent_attach(base, NULL, &guest);
 *     ...
 *     rc = sill_guest_start(guest, fetch, &job, on_fetched, NULL);
 *     rc = event_base_dispatch(base);             until no task is left, too
 *     rc = sill_guest_detach(guest);
 *     event_base_free(base);
 */
#ifndef SILL_LIBEVENT_H
#define SILL_LIBEVENT_H

#include <sill/attributes.h>
#include <sill/guest.h>
#include <sill/task.h>

SILL_BEGIN

struct event_base; /* of <event2/event.h> */

/*
 * Attaches a new guest to (host), on the thread that will run it, before or
 * while it runs. See <sill/guest.h>.
 *
 * host      with any backend and flags. It must live as long as the guest:
 *           where it was freed before, detach still works once no task is left,
 *           and any other call is a mistake.
 * options   as sill_run_with, NULL for all defaults; its backend is not looked
 *           at.
 * guest     receives the handle.
 *
 * Returns 0, or, with (host) as it was, SILL_EINVAL when (host) is NULL,
 * SILL_ENOMEM, or SILL_EMFILE. Never suspends.
 */
SILL_API SILL_MUST_CHECK int
sill_libevent_attach(struct event_base *host,
                     const struct sill_run_options *options,
                     struct sill_guest **guest);

SILL_END

#endif
