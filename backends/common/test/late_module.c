/* SPDX-License-Identifier: MIT */
/*
 * The module of late.c.
 */
#include <sill/sill.h>

static int one(void *arg)
{
    (void)arg;
    return sill_yield() == 0;
}

static int sum(void *arg)
{
    int result = 0;

    for (int i = *(int *)arg; i > 0; i--) {
        struct sill_task *task;
        int value = 0;
        int rc = sill_spawn(one, NULL, &task);

        if (rc == 0)
            rc = sill_await(task, &value, SILL_NEVER);
        if (rc < 0)
            return rc;
        result += value;
    }
    return result;
}

int late_run(int children);

/* Returns how many ran. */
__attribute__((visibility("default"))) int late_run(int children)
{
    return sill_run(sum, &children);
}
