/* SPDX-License-Identifier: MIT */
/*
 * Whole messages over a stream. See <sill/stream.h>.
 */
#include <sill/error.h>
#include <sill/stream.h>
#include <sill/watch.h>

enum { BATCH = 64 };

/* What is left of the pieces after (skip) bytes of the first. */
struct rest {
    const struct iovec *pieces;
    size_t count, skip;
};

static void advance(struct rest *rest, size_t bytes)
{
    rest->skip += bytes;
    while (rest->count > 0 && rest->skip >= rest->pieces->iov_len) {
        rest->skip -= rest->pieces->iov_len;
        rest->pieces++;
        rest->count--;
    }
}

/* Writes a first part of the rest: its head may be half of a piece, so the
 * pieces are copied, a batch at a time. */
static ssize_t write_some(struct sill_stream *stream, const struct rest *rest,
                          sill_time deadline)
{
    struct iovec batch[BATCH];
    size_t count = rest->count < BATCH ? rest->count : BATCH;

    for (size_t i = 0; i < count; i++)
        batch[i] = rest->pieces[i];
    batch[0].iov_base = (char *)batch[0].iov_base + rest->skip;
    batch[0].iov_len -= rest->skip;
    return sill_stream_writev(stream, batch, count, deadline);
}

static int failed(struct sill_stream *stream, unsigned direction, size_t sofar,
                  int error)
{
    if (sofar > 0)
        stream->poison |= direction;
    return error;
}

int sill_stream_writev_all(struct sill_stream *stream,
                           const struct iovec *pieces, size_t count,
                           size_t *done, sill_time deadline)
{
    struct rest rest = {pieces, count, 0};
    size_t sofar = 0;
    int rc = 0;

    advance(&rest, 0);
    while (rest.count > 0 && rc == 0) {
        ssize_t n = write_some(stream, &rest, deadline);

        if (n > 0) {
            sofar += (size_t)n;
            advance(&rest, (size_t)n);
        } else {
            rc = failed(stream, SILL_WRITE, sofar, (int)n);
        }
    }
    if (done)
        *done = sofar;
    return rc;
}

int sill_stream_write_all(struct sill_stream *stream, const void *data,
                          size_t size, size_t *done, sill_time deadline)
{
    const char *from = data;
    size_t sofar = 0;
    int rc = 0;

    while (sofar < size && rc == 0) {
        ssize_t n =
            sill_stream_write(stream, from + sofar, size - sofar, deadline);

        if (n > 0)
            sofar += (size_t)n;
        else
            rc = failed(stream, SILL_WRITE, sofar, (int)n);
    }
    if (done)
        *done = sofar;
    return rc;
}

int sill_stream_read_full(struct sill_stream *stream, void *buffer, size_t size,
                          size_t *done, sill_time deadline)
{
    char *to = buffer;
    size_t sofar = 0;
    int rc = 0;

    while (sofar < size && rc == 0) {
        ssize_t n =
            sill_stream_read(stream, to + sofar, size - sofar, deadline);

        if (n > 0)
            sofar += (size_t)n;
        else
            rc = failed(stream, SILL_READ, sofar, n == 0 ? SILL_EOF : (int)n);
    }
    if (done)
        *done = sofar;
    return rc;
}
