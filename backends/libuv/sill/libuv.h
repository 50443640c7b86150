/* SPDX-License-Identifier: MIT */
/*
 * <sill/libuv.h>: live inside a uv_loop_t that the program runs.
 *
 *     uv_loop_t *loop = uv_default_loop();
 *     struct sill_guest *guest;
 *     int rc = sill_libuv_attach(loop, NULL, &guest);
 *     ...
 *     rc = sill_guest_start(guest, fetch, &job, on_fetched, NULL);
 *     rc = uv_run(loop, UV_RUN_DEFAULT);          until no task is left, too
 *     rc = sill_guest_detach(guest);
 *     rc = uv_run(loop, UV_RUN_DEFAULT);          lets our handles close
 *     rc = uv_loop_close(loop);
 *
 * Streams of a guest's tasks are not uv handles, and a descriptor that a handle
 * of the program's polls cannot be watched by a task: SILL_EBUSY. Watch a
 * duplicate.
 */
#ifndef SILL_LIBUV_H
#define SILL_LIBUV_H

#include <sill/attributes.h>
#include <sill/guest.h>
#include <sill/task.h>

SILL_BEGIN

struct uv_loop_s; /* uv_loop_t, of <uv.h> */

/*
 * Attaches a new guest to (host), on the thread that will run it, before or
 * while it runs. See <sill/guest.h>.
 *
 * host      must live until the guest is detached and our handles are closed,
 *           which is done by the end of the present round of uv_run, or of the
 *           next one: until then uv_loop_close says UV_EBUSY.
 * options   as sill_run_with, NULL for all defaults; its backend is not looked
 *           at.
 * guest     receives the handle.
 *
 * Returns 0, or, with (host) as it was, SILL_EINVAL when (host) is NULL,
 * SILL_ENOMEM, or SILL_EMFILE. Never suspends.
 */
SILL_API SILL_MUST_CHECK int
sill_libuv_attach(struct uv_loop_s *host,
                  const struct sill_run_options *options,
                  struct sill_guest **guest);

SILL_END

#endif
