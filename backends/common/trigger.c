/* SPDX-License-Identifier: MIT */
/*
 * Suspend and resume. See <sill/trigger.h>.
 *
 * The state of a trigger is one word that decides every race:
 *
 *     INITIAL     nobody waits
 *     a task      waits on it
 *     ABORTING    its abort hook runs, on the loop's thread
 *     CLAIMED     a resume has won and is storing its value
 *     RESUMED     the value is there
 *
 * A resume wins by moving it to CLAIMED. If a task was waiting, that task stays
 * parked until the winner pushes it, so the winner may still touch the trigger;
 * otherwise the store of RESUMED is the last touch, and suspend waits for it.
 */
#include "core.h"
#include "word.h"

#include <sched.h>

enum { INITIAL, CLAIMED, RESUMED, ABORTING, FIRST_TASK };

static uintptr_t load(const struct sill_trigger *trigger)
{
    return __atomic_load_n(&trigger->state, __ATOMIC_ACQUIRE);
}

static bool move(struct sill_trigger *trigger, uintptr_t from, uintptr_t to)
{
    return word_move(&trigger->state, &from, to);
}

void sill_trigger_init(struct sill_trigger *trigger, sill_abort_hook *abort,
                       void *arg)
{
    trigger->value = 0;
    trigger->abort = abort;
    trigger->arg = arg;
    __atomic_store_n(&trigger->state, INITIAL, __ATOMIC_RELEASE);
}

static void await_value(const struct sill_trigger *trigger)
{
    while (load(trigger) != RESUMED)
        (void)sched_yield();
}

/* Runs the hook of a trigger that is ABORTING. Returns whether the wait is
 * over; otherwise (task) waits on. */
static bool run_hook(struct sill_trigger *trigger, struct sill_task *task,
                     int reason)
{
    if (trigger->abort(trigger, trigger->arg, reason) == SILL_ABORT_DONE)
        return true;
    task->aborted = true;
    return !move(trigger, ABORTING, (uintptr_t)task);
}

/* Ends the wait on a trigger that is ABORTING with (reason), unless a resume
 * wins on the last stretch. */
static int settle(struct sill_trigger *trigger, int reason)
{
    if (move(trigger, ABORTING, INITIAL))
        return reason;
    await_value(trigger);
    return 0;
}

void sill_core_trigger_interrupt(struct sill_task *task, int reason)
{
    struct sill_trigger *trigger = task->trigger;

    if (task->aborted || !move(trigger, (uintptr_t)task, ABORTING))
        return;
    if (trigger->abort && !run_hook(trigger, task, reason))
        return;
    sill_core_wake_across(task, settle(trigger, reason));
}

/* A wait that is over before it began still lets the hook end what was
 * started. Returns 1 when the task has to wait all the same. */
static int __attribute__((noinline))
give_up(struct sill_trigger *trigger, struct sill_task *self, int reason)
{
    if (!trigger->abort)
        return reason;
    if (!move(trigger, INITIAL, ABORTING)) {
        await_value(trigger);
        return 0;
    }
    self->state = TASK_WAITING;
    if (!run_hook(trigger, self, reason))
        return 1;
    self->state = TASK_RUNNING;
    return settle(trigger, reason);
}

static int wait_on(struct sill_trigger *trigger, struct sill_task *self,
                   sill_time deadline)
{
    int rc = sill_core_check(self, deadline);

    if (rc < 0) {
        rc = give_up(trigger, self, rc);
        if (rc <= 0)
            return rc;
        deadline = SILL_NEVER;
    } else {
        /* From here on a resume may wake the task, before it has parked. */
        self->state = TASK_WAITING;
        if (!move(trigger, INITIAL, (uintptr_t)self)) {
            self->state = TASK_RUNNING;
            await_value(trigger);
            return 0;
        }
    }
    return sill_core_park(self, deadline, WAIT_OUTSIDE, "a trigger");
}

int sill_suspend(struct sill_trigger *trigger, sill_time deadline)
{
    struct sill_task *self = sill_core_self();
    uintptr_t state = load(trigger);

    if (!self)
        return SILL_ENOTASK;
    if (state >= ABORTING)
        sill_core_fatal("sill_suspend", "another task waits on the trigger",
                        self);
    if (state != INITIAL) {
        await_value(trigger);
        return 0;
    }
    self->aborted = false;
    self->trigger = trigger;

    int rc = wait_on(trigger, self, deadline);

    self->trigger = NULL;
    return rc;
}

bool sill_resume(struct sill_trigger *trigger, intptr_t value)
{
    uintptr_t state = load(trigger);

    do {
        if (state == CLAIMED || state == RESUMED)
            return false;
    } while (!word_move(&trigger->state, &state, CLAIMED));
    trigger->value = value;
    __atomic_store_n(&trigger->state, RESUMED, __ATOMIC_RELEASE);
    if (state >= FIRST_TASK)
        sill_core_wake_from_anywhere((struct sill_task *)state);
    return true;
}

intptr_t sill_trigger_value(const struct sill_trigger *trigger)
{
    return trigger->value;
}
