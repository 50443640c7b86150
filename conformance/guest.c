/* SPDX-License-Identifier: MIT */
/*
 * Guest mode: see <sill/guest.h>. The loop around it is a host's, see host.h.
 */
#include "host.h"
#include "suite.h"

/* ---- a host with a guest ---- */

static struct host *host;
static struct sill_guest *guest;
static int dones, result_of_last;

static void attach(void)
{
    ck_assert_int_eq(host_attach(host, NULL, &guest), 0);
}

static void open_both(void)
{
    host = host_open();
    attach();
}

static void close_both(void)
{
    ck_assert_int_eq(host_detach(host, guest), 0);
    ck_assert(host_close(host));
}

static void on_done(void *arg, int result)
{
    (void)arg;
    dones++;
    result_of_last = result;
}

static void start(sill_task_fn *fn, void *arg)
{
    ck_assert_int_eq(sill_guest_start(guest, fn, arg, on_done, NULL), 0);
}

/* H-02: work started from outside runs, and its completion calls back. */
SILL_CASE_OUTSIDE(H, 02, a_task_started_between_runs_ends_and_is_told)
{
    open_both();
    start(suite_returner, suite_number(3));
    ck_assert_int_eq(dones, 0);
    host_run(host);
    ck_assert_int_eq(dones, 1);
    ck_assert_int_eq(result_of_last, 3);
    close_both();
}
