/* SPDX-License-Identifier: MIT */
/*
 * Waiting for a descriptor. See descriptor.h.
 */
#include "descriptor.h"

#include <unistd.h>

void sill_core_descriptor_init(struct descriptor *descriptor,
                               struct sill_loop *loop, int fd,
                               void (*destroy)(struct descriptor *descriptor))
{
    descriptor->watch = (struct sill_spi_watch){.fd = fd};
    descriptor->loop = loop;
    descriptor->readers = NULL;
    descriptor->writers = NULL;
    descriptor->ready = SILL_SPI_READ | SILL_SPI_WRITE;
    descriptor->ended = 0;
    descriptor->reported = SILL_PAST;
    descriptor->waiting = 0;
    descriptor->closed = false;
    descriptor->leaving = false;
    descriptor->in_pieces = false;
    descriptor->reset = false;
    descriptor->destroy = destroy;
    loop->descriptors++;
}

static void set_waiter(struct descriptor *descriptor, unsigned directions,
                       struct sill_task *task)
{
    if (directions & SILL_SPI_READ)
        descriptor->readers = task;
    if (directions & SILL_SPI_WRITE)
        descriptor->writers = task;
}

static int arm(struct descriptor *descriptor, unsigned directions)
{
    struct sill_loop *loop = descriptor->loop;
    unsigned missing = directions & ~descriptor->watch.armed;

    if (!missing)
        return 0;
    return loop->backend->watch(loop->self, &descriptor->watch, missing);
}

static const char *reason(unsigned directions)
{
    return directions == SILL_SPI_WRITE ? "a descriptor to write"
                                        : "a descriptor to read";
}

bool sill_core_descriptor_release(struct descriptor *descriptor)
{
    descriptor->waiting--;
    if (!descriptor->closed)
        return true;
    if (descriptor->waiting == 0)
        descriptor->destroy(descriptor);
    return false;
}

void sill_core_descriptor_settle(struct descriptor *descriptor)
{
    if (descriptor->leaving && !sill_core_is_forked(descriptor->loop))
        sill_core_batch_flush(descriptor->loop);
}

static int park(struct descriptor *descriptor, unsigned directions,
                struct sill_task *self, sill_time deadline)
{
    set_waiter(descriptor, directions, self);
    descriptor->waiting++;

    int rc = sill_core_park(self, deadline, WAIT_OUTSIDE, reason(directions));

    set_waiter(descriptor, directions, NULL);
    return sill_core_descriptor_release(descriptor) ? rc : SILL_ECLOSED;
}

static bool has_waiter(const struct descriptor *descriptor, unsigned directions)
{
    return ((directions & SILL_SPI_READ) && descriptor->readers) ||
           ((directions & SILL_SPI_WRITE) && descriptor->writers);
}

int sill_core_descriptor_wait(struct descriptor *descriptor,
                              unsigned directions, sill_time deadline,
                              const char *call)
{
    struct sill_task *self = sill_core_self();

    if (has_waiter(descriptor, directions))
        sill_core_fatal(call, "another task does the same on it", self);

    int rc = sill_core_check(self, deadline);

    if (rc == 0)
        rc = arm(descriptor, directions);
    /* A backend may report while it arms. */
    if (rc < 0 || descriptor_is_ready(descriptor, directions))
        return rc;
    return park(descriptor, directions, self, deadline);
}

int sill_core_descriptor_pause(struct descriptor *descriptor,
                               unsigned directions, sill_duration span,
                               sill_time deadline, const char *call)
{
    struct sill_task *self = sill_core_self();
    sill_time again = sill_after(span);

    if (has_waiter(descriptor, directions))
        sill_core_fatal(call, "another task does the same on it", self);

    int rc = sill_core_check(self, deadline);

    if (rc < 0)
        return rc;
    rc =
        park(descriptor, directions, self, again < deadline ? again : deadline);
    return rc == SILL_ETIMEDOUT && again <= deadline ? 0 : rc;
}

/* One that was woken and has not run yet takes the event as well: a loop that
 * looks again before it lets tasks run finds the same events. */
static unsigned wake(struct descriptor *descriptor, unsigned direction)
{
    struct sill_task *task =
        direction == SILL_SPI_READ ? descriptor->readers : descriptor->writers;

    if (!task)
        return 0;
    (void)sill_core_wake(task, 0);
    return direction;
}

/* To stop and start a watch costs a level-triggered loop two system calls or
 * three: more than to hear of the same event once more. */
unsigned sill_core_ready(struct sill_spi_watch *watch, unsigned directions)
{
    struct descriptor *descriptor = (struct descriptor *)(void *)watch;
    sill_time look = descriptor->loop->looked_at;
    unsigned known = descriptor->reported == look ? 0 : descriptor->ready;
    unsigned taken = 0;

    if (directions & SILL_SPI_HANGUP) {
        directions |= SILL_SPI_READ | SILL_SPI_WRITE;
        descriptor->ended = SILL_SPI_READ | SILL_SPI_WRITE;
    }
    descriptor->ready |= directions;
    descriptor->reported = look;
    if (directions & SILL_SPI_READ)
        taken |= wake(descriptor, SILL_SPI_READ);
    if (directions & SILL_SPI_WRITE)
        taken |= wake(descriptor, SILL_SPI_WRITE);
    return directions & known & ~taken;
}

void sill_core_descriptor_close(struct descriptor *descriptor, bool close_fd)
{
    struct sill_loop *loop = descriptor->loop;

    sill_core_descriptor_settle(descriptor);
    if ((descriptor->watch.handle || descriptor->watch.armed) &&
        !sill_core_is_forked(loop))
        loop->backend->unwatch(loop->self, &descriptor->watch);
    if (close_fd)
        (void)close(descriptor->watch.fd);
    descriptor->closed = true;
    loop->descriptors--;
    if (descriptor->readers)
        sill_core_wake_across(descriptor->readers, SILL_ECLOSED);
    if (descriptor->writers)
        sill_core_wake_across(descriptor->writers, SILL_ECLOSED);
    if (descriptor->waiting == 0)
        descriptor->destroy(descriptor);
}
