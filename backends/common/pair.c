/* SPDX-License-Identifier: MIT */
/*
 * Two streams connected in memory. See sill_stream_pair.
 *
 *     end 0  --- pipe 0 --->  end 1
 *     end 0  <-- pipe 1 ----  end 1
 */
#include "core.h"

#include <string.h>

struct pipe {
    char *ring;
    size_t begin, size; /* of what is in it */
    struct sill_task *reader, *writer;
    bool ended;    /* nothing more will be written */
    bool deserted; /* nobody will read */
};

struct end {
    struct pair *pair;
    struct pipe *in, *out;
    bool closed;
};

struct pair {
    size_t capacity;
    struct end ends[2];
    struct pipe pipes[2];
    unsigned users; /* open ends, and tasks that wait */
    char rings[];
};

static void unuse(struct pair *pair)
{
    if (--pair->users == 0)
        sill_free(pair);
}

/* Waits as (*waiter) of a pipe of (end). SILL_ECLOSED means that the pair may
 * be gone. */
static int wait_at(struct end *end, struct sill_task **waiter,
                   sill_time deadline)
{
    struct sill_task *self = sill_core_self();

    int rc = sill_core_check(self, deadline);

    if (rc < 0)
        return rc;
    *waiter = self;
    end->pair->users++;
    rc = sill_core_park(self, deadline, WAIT_INSIDE, "a stream in memory");
    *waiter = NULL;
    if (end->closed)
        rc = SILL_ECLOSED;
    unuse(end->pair);
    return rc;
}

static void wake(struct sill_task *task, int result)
{
    if (task)
        sill_core_wake_across(task, result);
}

/* Copies up to (size) bytes; a ring has at most two runs. */
static size_t take(struct pipe *pipe, size_t capacity, char *to, size_t size)
{
    size_t run = capacity - pipe->begin;

    if (size > pipe->size)
        size = pipe->size;
    if (run > size)
        run = size;
    memcpy(to, pipe->ring + pipe->begin, run);
    memcpy(to + run, pipe->ring, size - run);
    pipe->begin = (pipe->begin + size) % capacity;
    pipe->size -= size;
    return size;
}

static size_t put(struct pipe *pipe, size_t capacity, const char *from,
                  size_t size)
{
    size_t at = (pipe->begin + pipe->size) % capacity;
    size_t run = capacity - at;

    if (size > capacity - pipe->size)
        size = capacity - pipe->size;
    if (run > size)
        run = size;
    if (size == 0)
        return 0;
    memcpy(pipe->ring + at, from, run);
    memcpy(pipe->ring, from + run, size - run);
    pipe->size += size;
    return size;
}

static ssize_t pair_read(void *impl, void *buffer, size_t size,
                         sill_time deadline)
{
    struct end *end = impl;
    struct pipe *pipe = end->in;

    while (pipe->size == 0) {
        if (pipe->ended)
            return 0;

        int rc = wait_at(end, &pipe->reader, deadline);

        if (rc == SILL_ECLOSED || (rc < 0 && pipe->size == 0))
            return rc;
    }

    size_t n = take(pipe, end->pair->capacity, buffer, size);

    wake(pipe->writer, 0);
    return (ssize_t)n;
}

static int pair_wait(void *impl, sill_time deadline)
{
    struct end *end = impl;
    struct pipe *pipe = end->in;
    int rc = 0;

    while (pipe->size == 0 && !pipe->ended) {
        if (rc < 0)
            return rc;
        rc = wait_at(end, &pipe->reader, deadline);
        if (rc == SILL_ECLOSED)
            return rc;
    }
    return 0;
}

static size_t put_pieces(struct pipe *pipe, size_t capacity,
                         const struct iovec *pieces, size_t count)
{
    size_t done = 0;

    for (size_t i = 0; i < count; i++) {
        size_t n = put(pipe, capacity, pieces[i].iov_base, pieces[i].iov_len);

        done += n;
        if (n < pieces[i].iov_len)
            break;
    }
    return done;
}

static ssize_t pair_writev(void *impl, const struct iovec *pieces, size_t count,
                           sill_time deadline)
{
    struct end *end = impl;
    struct pipe *pipe = end->out;
    size_t capacity = end->pair->capacity;

    for (;;) {
        if (pipe->ended || pipe->deserted)
            return SILL_EPIPE;

        size_t n = put_pieces(pipe, capacity, pieces, count);

        if (n > 0) {
            wake(pipe->reader, 0);
            return (ssize_t)n;
        }

        int rc = wait_at(end, &pipe->writer, deadline);

        if (rc == SILL_ECLOSED || (rc < 0 && pipe->size == capacity))
            return rc;
    }
}

static void end_writing(struct pipe *pipe)
{
    pipe->ended = true;
    wake(pipe->reader, 0);
}

static int pair_shutdown(void *impl, sill_time deadline)
{
    struct end *end = impl;

    (void)deadline;
    end_writing(end->out);
    return 0;
}

static void pair_close(void *impl)
{
    struct end *end = impl;

    end->closed = true;
    wake(end->in->reader, SILL_ECLOSED);
    wake(end->out->writer, SILL_ECLOSED);
    end->in->deserted = true;
    wake(end->in->writer, 0);
    end_writing(end->out);
    unuse(end->pair);
}

static int pair_address(void *impl, struct sill_address *address)
{
    (void)impl;
    memset(address, 0, sizeof(*address));
    return 0;
}

static const struct sill_stream_ops ops = {
    pair_read,    pair_writev,  pair_shutdown, pair_close,
    pair_address, pair_address, pair_wait,     NULL};

int sill_stream_pair(struct sill_stream *a, struct sill_stream *b,
                     size_t capacity)
{
    *a = *b = (struct sill_stream){0};
    if (capacity == 0 || capacity > (SIZE_MAX - sizeof(struct pair)) / 2)
        return SILL_EINVAL;

    struct pair *pair = sill_alloc(sizeof(*pair) + 2 * capacity);

    if (!pair)
        return SILL_ENOMEM;
    memset(pair, 0, sizeof(*pair));
    pair->capacity = capacity;
    pair->users = 2;
    for (int i = 0; i < 2; i++) {
        pair->pipes[i].ring = pair->rings + (size_t)i * capacity;
        pair->ends[i].pair = pair;
        pair->ends[i].out = &pair->pipes[i];
        pair->ends[i].in = &pair->pipes[1 - i];
    }
    *a = (struct sill_stream){.ops = &ops, .impl = &pair->ends[0]};
    *b = (struct sill_stream){.ops = &ops, .impl = &pair->ends[1]};
    return 0;
}
