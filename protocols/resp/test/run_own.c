/* SPDX-License-Identifier: MIT */
/*
 * run_own.c: cases on the loop of the backend. See server_kit.h.
 */
#include "server_kit.h"

int kit_run(sill_task_fn *fn, void *arg)
{
    return sill_run(fn, arg);
}
