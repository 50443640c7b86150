/* SPDX-License-Identifier: MIT */
/*
 * Scenarios with a bug each, which some seeds meet and others do not.
 */
#include <sill/scenario.h>
#include <sill/sill.h>

#include <stdlib.h>
#include <unistd.h>

/* The seeds that meet a bug are those with this luck. */
static bool is_unlucky(void)
{
    return sill_sim_random(8) == 0;
}

static int hold(void *arg)
{
    struct sill_scenario_run *run = arg;
    bool fails = is_unlucky();

    run->asked++;
    run->answered += !fails;
    run->failed += fails;
    return sill_sleep(sill_after(SILL_SECOND));
}

static int lie(void *arg)
{
    struct sill_scenario_run *run = arg;

    run->asked++;
    if (is_unlucky())
        sill_scenario_wrong(run, "%s is %d", "two and two", 5);
    else
        run->answered++;
    return 0;
}

static int lose_count(void *arg)
{
    struct sill_scenario_run *run = arg;

    run->asked += is_unlucky();
    return 0;
}

static int fail(void *arg)
{
    (void)arg;
    return is_unlucky() ? SILL_EIO : 0;
}

static int die(void *arg)
{
    (void)arg;
    if (is_unlucky())
        abort();
    return 0;
}

static int leave(void *arg)
{
    (void)arg;
    if (is_unlucky())
        _exit(3);
    return 0;
}

/* As if all was well. */
static int quit(void *arg)
{
    (void)arg;
    if (is_unlucky())
        _exit(0);
    return 0;
}

/* As if nothing could be tried. */
static int skip(void *arg)
{
    (void)arg;
    if (is_unlucky())
        _exit(77);
    return 0;
}

static int spin(void *arg)
{
    (void)arg;
    for (volatile bool spins = is_unlucky(); spins;)
        continue;
    return 0;
}

static int wait_in_vain(void *arg)
{
    struct sill_trigger trigger = SILL_TRIGGER_INIT;

    (void)arg;
    return is_unlucky() ? sill_suspend(&trigger, SILL_NEVER) : 0;
}

static void *kept; /* or the compiler sees that nobody needs it */

static int leak(void *arg)
{
    (void)arg;
    if (is_unlucky())
        kept = sill_alloc(100);
    return 0;
}

static int leak_descriptor(void *arg)
{
    (void)arg;
    return is_unlucky() && dup(STDOUT_FILENO) < 0 ? SILL_EIO : 0;
}

static int leave_open(void *arg)
{
    struct sill_listener listener;
    struct sill_address address;

    (void)arg;
    sill_sim_host_address(sill_sim_host_current(), 7, &address);
    return is_unlucky() ? sill_listener_listen(&listener, &address, NULL) : 0;
}

static void make_scarce(struct sill_sim_options *options)
{
    options->faults.allocation = 0.2;
}

static int allocate(void *arg)
{
    void *block = sill_alloc(100);

    (void)arg;
    sill_free(block);
    return block ? 0 : SILL_ENOMEM;
}

int main(int argc, char **argv)
{
    static const struct sill_scenario scenarios[] = {
        {"holds", NULL, hold},
        {"scarce", make_scarce, allocate},
        {"lies", NULL, lie},
        {"miscounts", NULL, lose_count},
        {"fails", NULL, fail},
        {"dies", NULL, die},
        {"leaves", NULL, leave},
        {"quits", NULL, quit},
        {"skips", NULL, skip},
        {"spins", NULL, spin},
        {"waits", NULL, wait_in_vain},
        {"leaks", NULL, leak},
        {"leaks-descriptor", NULL, leak_descriptor},
        {"leaves-open", NULL, leave_open},
        {NULL, NULL, NULL}};

    return sill_scenario_main(scenarios, argc, argv);
}
