/* SPDX-License-Identifier: MIT */
/*
 * Comes between the cases and sill_run_at, by --wrap, so that loops which they
 * run themselves are shuffled, too. See shuffle.h.
 */
#include "shuffle.h"

#include <sill/task.h>

static uint64_t number; /* 0: as they came */
static enum sill_batch batch;

uint64_t shuffle_draw(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static void add_text(uint64_t *state, const char *text)
{
    for (; *text != '\0'; text++)
        *state = shuffle_draw(state) ^ (unsigned char)*text;
}

void shuffle_loops(uint64_t seed, const char *rule, const char *name)
{
    add_text(&seed, rule);
    add_text(&seed, name);
    number = shuffle_draw(&seed) | 1;
}

void shuffle_batches(void)
{
    batch = SILL_BATCH_ALWAYS;
}

bool shuffle_is_on(void)
{
    return number != 0;
}

const struct sill_run_options *
shuffle_options(const struct sill_run_options *given,
                struct sill_run_options *ours)
{
    if (number == 0 && batch == SILL_BATCH_AUTO)
        return given;
    *ours = given ? *given : (struct sill_run_options){0};
    if (ours->shuffle == 0)
        ours->shuffle = number;
    if (ours->batch == SILL_BATCH_AUTO)
        ours->batch = batch;
    return ours;
}

/* The linker's names, which are reserved to it. */
#define REAL(name) __real_##name
#define WRAP(name) __wrap_##name

int REAL(sill_run_at)(const struct sill_run_options *options, sill_task_fn *fn,
                      void *arg, const char *where);
int WRAP(sill_run_at)(const struct sill_run_options *options, sill_task_fn *fn,
                      void *arg, const char *where);

int WRAP(sill_run_at)(const struct sill_run_options *options, sill_task_fn *fn,
                      void *arg, const char *where)
{
    struct sill_run_options ours;

    return REAL(sill_run_at)(shuffle_options(options, &ours), fn, arg, where);
}
