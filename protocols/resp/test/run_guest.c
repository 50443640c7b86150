/* SPDX-License-Identifier: MIT */
/*
 * run_guest.c: cases inside of a loop that is somebody else's, which turns for
 * as long as the case has something to do. See case.h.
 */
#include "case.h"
#include "host.h"

struct job {
    sill_task_fn *fn;
    void *arg;
    int result;
};

static int run_job(void *arg)
{
    struct job *job = arg;
    return job->fn(job->arg);
}

static void job_done(void *arg, int result)
{
    ((struct job *)arg)->result = result;
}

int case_run(sill_task_fn *fn, void *arg)
{
    struct job job = {fn, arg, SILL_ECANCELED};
    struct host *host = host_open();
    struct sill_guest *guest;

    ck_assert_int_eq(host_attach(host, NULL, &guest), 0);
    ck_assert_int_eq(sill_guest_start(guest, run_job, &job, job_done, NULL), 0);
    host_run(host);
    ck_assert_int_eq(host_detach(host, guest), 0);
    ck_assert(host_close(host));
    return job.result;
}
