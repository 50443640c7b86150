/* SPDX-License-Identifier: MIT */
/*
 * The simulator, for the conformance kit. See sill_conformance.h.
 */
#include <sill_conformance.h>

#include <sill/address.h>
#include <sill/sim.h>

static void spend_until(sill_time instant)
{
    sill_sim_spend(instant - sill_now());
}

/* Things go wrong between hosts only. */
static bool is_seeded;

static int listening(struct sill_listener *listener,
                     struct sill_address *address)
{
    struct sill_sim_host *home = sill_sim_host_current(), *other = home;
    int rc = is_seeded ? sill_sim_host_add("other", &other)
                       : sill_address_ip(address, "127.0.0.1", 0);

    if (rc < 0)
        return rc;
    if (is_seeded)
        sill_sim_host_address(other, 0, address);
    (void)sill_sim_host_enter(other);
    rc = sill_listener_listen(listener, address, NULL);
    (void)sill_sim_host_enter(home);
    return rc < 0 ? rc : sill_listener_local(listener, address);
}

static int run_seeded(uint64_t seed, sill_task_fn *fn, void *arg,
                      uint64_t *hash)
{
    struct sill_sim_options options;
    struct sill_sim_report report;

    sill_sim_options_init(&options, seed);
    sill_sim_faults_init(&options.faults);

    is_seeded = true;

    int rc = sill_sim_run(&options, fn, arg, &report);

    is_seeded = false;
    *hash = report.hash;
    return rc;
}

const struct sill_conformance_params sill_conformance_params = {
    .properties = SILL_CONFORMANCE_VIRTUAL | SILL_CONFORMANCE_SEEDED,
    .spend_until = spend_until,
    .listening = listening,
    .run_seeded = run_seeded,
};
