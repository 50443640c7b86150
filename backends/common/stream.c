/* SPDX-License-Identifier: MIT */
/*
 * The public calls on streams: checks that hold for every kind of stream, the
 * calls that move whole messages, and then the stream's own table.
 */
#include "transport.h"

#include <errno.h>
#include <unistd.h>

enum { BATCH = 16, COPIED_MOST = 16384 };

int sill_stream_connect(struct sill_stream *stream,
                        const struct sill_address *address,
                        const struct sill_socket_options *options,
                        sill_time deadline)
{
    int rc = sill_core_transport_enter(deadline);

    *stream = (struct sill_stream){0};
    if (rc < 0)
        return rc;

    struct sill_task *self = sill_core_self();

    return transport_of(self)->connect(self->loop, stream, address, options,
                                       deadline);
}

int sill_stream_adopt(struct sill_stream *stream, int fd)
{
    struct sill_task *self = sill_core_self();

    *stream = (struct sill_stream){0};
    if (!self)
        return SILL_ENOTASK;
    return transport_of(self)->adopt(self->loop, stream, fd);
}

/* Moving bytes. */

/* Claims (direction) of the stream for this task. */
static int begin(struct sill_stream *stream, unsigned direction,
                 const char *call)
{
    if (!stream->ops)
        return SILL_ECLOSED;
    if (!sill_core_self())
        return SILL_ENOTASK;
    if (stream->busy & direction)
        sill_core_fatal(call, "another task does the same on it",
                        sill_core_self());
    if (stream->poison & direction)
        return SILL_EPOISONED;
    stream->busy |= (unsigned char)direction;
    return 0;
}

static void end(struct sill_stream *stream, unsigned direction)
{
    stream->busy &= (unsigned char)~direction;
}

static ssize_t read_some(struct sill_stream *stream, void *buffer, size_t size,
                         sill_time deadline)
{
    int rc = sill_core_transport_enter(deadline);

    if (rc == 0 && !stream->ops)
        return SILL_ECLOSED;
    if (rc < 0 || size == 0)
        return rc;
    return stream->ops->read(stream->impl, buffer, size, deadline);
}

static int wait_some(struct sill_stream *stream, sill_time deadline)
{
    int rc = sill_core_transport_enter(deadline);

    if (rc == 0 && !stream->ops)
        return SILL_ECLOSED;
    if (rc < 0)
        return rc;
    if (!stream->ops->wait)
        return SILL_EOPNOTSUPP;
    return stream->ops->wait(stream->impl, deadline);
}

static ssize_t write_some(struct sill_stream *stream,
                          const struct iovec *pieces, size_t count,
                          sill_time deadline)
{
    int rc = sill_core_transport_enter(deadline);

    if (rc == 0 && !stream->ops)
        return SILL_ECLOSED;
    while (count > 0 && pieces->iov_len == 0) {
        pieces++;
        count--;
    }
    if (rc < 0 || count == 0)
        return rc;
    return stream->ops->writev(stream->impl, pieces, count, deadline);
}

ssize_t sill_stream_read(struct sill_stream *stream, void *buffer, size_t size,
                         sill_time deadline)
{
    ssize_t n = begin(stream, SILL_READ, "sill_stream_read");

    if (n < 0)
        return n;
    n = read_some(stream, buffer, size, deadline);
    end(stream, SILL_READ);
    return n;
}

int sill_stream_wait(struct sill_stream *stream, sill_time deadline)
{
    int rc = begin(stream, SILL_READ, "sill_stream_wait");

    if (rc < 0)
        return rc;
    rc = wait_some(stream, deadline);
    end(stream, SILL_READ);
    return rc;
}

ssize_t sill_stream_writev(struct sill_stream *stream,
                           const struct iovec *pieces, size_t count,
                           sill_time deadline)
{
    ssize_t n = begin(stream, SILL_WRITE, "sill_stream_write");

    if (n < 0)
        return n;
    n = write_some(stream, pieces, count, deadline);
    end(stream, SILL_WRITE);
    return n;
}

ssize_t sill_stream_write(struct sill_stream *stream, const void *data,
                          size_t size, sill_time deadline)
{
    struct iovec piece = {(void *)(uintptr_t)data, size};

    return sill_stream_writev(stream, &piece, 1, deadline);
}

/* Whole messages. */

/* Ends a call that has moved (sofar) bytes: a failure in the middle poisons its
 * direction. */
static int finish(struct sill_stream *stream, unsigned direction, size_t sofar,
                  int rc, size_t *done)
{
    end(stream, direction);
    if (rc < 0 && rc != SILL_ECLOSED && sofar > 0)
        stream->poison |= (unsigned char)direction;
    if (done)
        *done = sofar;
    return rc;
}

static int nothing_done(int rc, size_t *done)
{
    if (done)
        *done = 0;
    return rc;
}

int sill_stream_read_full(struct sill_stream *stream, void *buffer, size_t size,
                          size_t *done, sill_time deadline)
{
    char *to = buffer;
    size_t sofar = 0;
    int rc = begin(stream, SILL_READ, "sill_stream_read_full");

    if (rc < 0)
        return nothing_done(rc, done);
    while (sofar < size && rc == 0) {
        ssize_t n = read_some(stream, to + sofar, size - sofar, deadline);

        if (n > 0)
            sofar += (size_t)n;
        else
            rc = n == 0 ? SILL_EOF : (int)n;
    }
    return finish(stream, SILL_READ, sofar, rc, done);
}

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

/* The head is half of a piece, so the pieces are copied, a batch at a time. On
 * its own, to keep the batch off the stack of those that wait elsewhere. */
static ssize_t __attribute__((noinline))
write_from_middle(struct sill_stream *stream, const struct rest *rest,
                  sill_time deadline)
{
    size_t count = rest->count < BATCH ? rest->count : BATCH;
    struct iovec batch[BATCH];

    batch[0].iov_base = (char *)rest->pieces[0].iov_base + rest->skip;
    batch[0].iov_len = rest->pieces[0].iov_len - rest->skip;
    for (size_t i = 1; i < count; i++)
        batch[i] = rest->pieces[i];
    return write_some(stream, batch, count, deadline);
}

static ssize_t write_rest(struct sill_stream *stream, const struct rest *rest,
                          sill_time deadline)
{
    if (rest->skip > 0)
        return write_from_middle(stream, rest, deadline);
    return write_some(stream, rest->pieces, rest->count, deadline);
}

int sill_stream_writev_all(struct sill_stream *stream,
                           const struct iovec *pieces, size_t count,
                           size_t *done, sill_time deadline)
{
    struct rest rest = {pieces, count, 0};
    size_t sofar = 0;
    int rc = begin(stream, SILL_WRITE, "sill_stream_writev_all");

    if (rc < 0)
        return nothing_done(rc, done);
    advance(&rest, 0);
    while (rest.count > 0 && rc == 0) {
        ssize_t n = write_rest(stream, &rest, deadline);

        if (n > 0) {
            sofar += (size_t)n;
            advance(&rest, (size_t)n);
        } else {
            rc = (int)n;
        }
    }
    return finish(stream, SILL_WRITE, sofar, rc, done);
}

int sill_stream_write_all(struct sill_stream *stream, const void *data,
                          size_t size, size_t *done, sill_time deadline)
{
    struct iovec piece = {(void *)(uintptr_t)data, size};

    return sill_stream_writev_all(stream, &piece, 1, done, deadline);
}

/* Files. */

static ssize_t read_file(const struct sill_stream_file *file, void *buffer,
                         size_t size)
{
    ssize_t n;

    do {
        n = pread(file->fd, buffer, size, (off_t)file->offset);
    } while (n < 0 && errno == EINTR);
    if (n >= 0)
        return n;
    if (errno == ESPIPE || errno == EISDIR)
        return SILL_EINVAL;
    return sill_error_from_errno(errno);
}

static ssize_t copy_file(struct sill_stream *stream,
                         const struct sill_stream_file *file,
                         sill_time deadline)
{
    size_t size = file->size < COPIED_MOST ? file->size : COPIED_MOST;
    struct iovec piece = {sill_alloc(size), size};

    if (!piece.iov_base)
        return SILL_ENOMEM;

    ssize_t n = read_file(file, piece.iov_base, size);

    if (n > 0) {
        piece.iov_len = (size_t)n;
        n = stream->ops->writev(stream->impl, &piece, 1, deadline);
    }
    sill_free(piece.iov_base);
    return n;
}

static ssize_t send_file(struct sill_stream *stream, const struct rest *pieces,
                         const struct sill_stream_file *file,
                         sill_time deadline)
{
    ssize_t n = SILL_EOPNOTSUPP;

    if (stream->ops->sendfile)
        n = stream->ops->sendfile(stream->impl, pieces->pieces, pieces->count,
                                  file, deadline);
    if (n != SILL_EOPNOTSUPP)
        return n;
    if (pieces->count > 0)
        return stream->ops->writev(stream->impl, pieces->pieces, pieces->count,
                                   deadline);
    return copy_file(stream, file, deadline);
}

static bool is_possible(const struct sill_stream_file *file)
{
    off_t at = (off_t)file->offset;

    return at >= 0 && (uint64_t)at == file->offset;
}

static ssize_t send_some(struct sill_stream *stream, const struct iovec *pieces,
                         size_t count, const struct sill_stream_file *file,
                         sill_time deadline)
{
    if (!is_possible(file))
        return SILL_EINVAL;
    if (file->size == 0)
        return write_some(stream, pieces, count, deadline);

    struct rest rest = {pieces, count, 0};
    int rc = sill_core_transport_enter(deadline);

    if (rc == 0 && !stream->ops)
        return SILL_ECLOSED;
    advance(&rest, 0);
    return rc < 0 ? rc : send_file(stream, &rest, file, deadline);
}

ssize_t sill_stream_sendfile(struct sill_stream *stream,
                             const struct iovec *pieces, size_t count,
                             const struct sill_stream_file *file,
                             sill_time deadline)
{
    ssize_t n = begin(stream, SILL_WRITE, "sill_stream_sendfile");

    if (n < 0)
        return n;
    n = send_some(stream, pieces, count, file, deadline);
    end(stream, SILL_WRITE);
    return n;
}

/* Ending. */

int sill_stream_shutdown(struct sill_stream *stream, sill_time deadline)
{
    if (!stream->ops)
        return SILL_ECLOSED;
    return stream->ops->shutdown(stream->impl, deadline);
}

void sill_stream_close(struct sill_stream *stream)
{
    struct sill_stream open = *stream;

    *stream = (struct sill_stream){0};
    if (open.ops)
        open.ops->close(open.impl);
}

int sill_stream_local(const struct sill_stream *stream,
                      struct sill_address *address)
{
    if (!stream->ops)
        return SILL_ECLOSED;
    return stream->ops->local(stream->impl, address);
}

int sill_stream_peer(const struct sill_stream *stream,
                     struct sill_address *address)
{
    if (!stream->ops)
        return SILL_ECLOSED;
    return stream->ops->peer(stream->impl, address);
}
