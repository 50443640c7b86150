/* SPDX-License-Identifier: MIT */
/*
 * Two backends in one process, each through its own pointer: the one that the
 * program is linked with, and one beside it.
 */
#include <sill/sill.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>

extern const struct sill_backend CONSUMER_CHOSEN, CONSUMER_BESIDE;

static int sleep_shortly(void *arg)
{
    (void)arg;
    return sill_sleep(sill_after(SILL_MILLISECOND));
}

static int spawn_one(void *arg)
{
    struct sill_task *task;
    int result;
    int e = sill_spawn(sleep_shortly, arg, &task);
    if (e < 0)
        return e;
    e = sill_await(task, &result, SILL_NEVER);
    return e < 0 ? e : result;
}

/* Runs a loop on the backend (arg); returns NULL when all went well. */
static void *run(void *arg)
{
    struct sill_run_options options = {.backend = arg};
    return sill_run_with(&options, spawn_one, NULL) == 0 ? NULL : arg;
}

int main(void)
{
    pthread_t thread;
    void *failed;
    if (pthread_create(&thread, NULL, run, (void *)&CONSUMER_BESIDE) != 0)
        return 1;
    bool chosen_failed = run((void *)&CONSUMER_CHOSEN) != NULL;
    pthread_join(thread, &failed);
    if (chosen_failed || failed != NULL)
        return 1;
    puts("both");
    return 0;
}
