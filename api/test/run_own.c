/* SPDX-License-Identifier: MIT */
/*
 * run_own.c: cases on the loop of the backend. See case.h.
 */
#include "case.h"

int case_run(sill_task_fn *fn, void *arg)
{
    return sill_run(fn, arg);
}
