/* SPDX-License-Identifier: MIT */
/*
 * Linked with --wrap=sill_run_at: the program it is linked with runs as it
 * does elsewhere, but each of its writes makes a system call of its own.
 */
#include <sill/task.h>

/* The linker makes these names.
 * NOLINTBEGIN */
int __real_sill_run_at(const struct sill_run_options *options, sill_task_fn *fn,
                       void *arg, const char *where);
int __wrap_sill_run_at(const struct sill_run_options *options, sill_task_fn *fn,
                       void *arg, const char *where);

int __wrap_sill_run_at(const struct sill_run_options *options, sill_task_fn *fn,
                       void *arg, const char *where)
{
    struct sill_run_options single = {0};

    if (options)
        single = *options;
    single.batch = SILL_BATCH_NEVER;
    return __real_sill_run_at(&single, fn, arg, where);
}

/* NOLINTEND */
