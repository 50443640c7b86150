/* SPDX-License-Identifier: MIT */
/*
 * <sill/reader.h>: read a stream by lines and pieces, within a bound.
 *
 * A reader puts a buffer of the caller's before a stream. What it returns are
 * views into that buffer, without a copy, valid until the next call on the
 * reader; nothing is allocated, and no call takes more than the buffer holds.
 * A failed call takes nothing: what arrived stays for the next one.
 *
 * Memory   reader and buffer are the caller's and must outlive its use; the
 *          stream is neither owned nor closed.
 * Errors   beside those listed, the errors of sill_stream_read.
 */
#ifndef SILL_READER_H
#define SILL_READER_H

#include <sill/attributes.h>
#include <sill/stream.h>
#include <sill/time.h>

#include <stddef.h>

SILL_BEGIN

struct sill_reader {
    /* private */
    struct sill_stream *stream;
    char *buffer;
    size_t size, begin, end;
};

/* Reads (stream) through (buffer) of (size) bytes, at least 1. Never
 * suspends. */
SILL_API void sill_reader_init(struct sill_reader *reader,
                               struct sill_stream *stream, void *buffer,
                               size_t size);

/*
 * Makes at least (least) bytes available and shows all that are, taking none.
 *
 * least   0 shows what is buffered and reads nothing.
 *
 * Returns how many are at (*view), or SILL_EMSGSIZE when (least) is more than
 * the buffer holds, or SILL_EOF when the stream ended before.
 */
SILL_API SILL_MUST_CHECK ssize_t sill_reader_peek(struct sill_reader *reader,
                                                  size_t least,
                                                  const char **view,
                                                  sill_time deadline);

/*
 * Reads once more from the stream, behind what is buffered.
 *
 * Returns how many bytes came, 0 at the end of the stream, or SILL_EMSGSIZE
 * when the buffer is full.
 */
SILL_API SILL_MUST_CHECK ssize_t sill_reader_fill(struct sill_reader *reader,
                                                  sill_time deadline);

/* Takes (count) bytes, no more than peek showed. Never suspends. */
SILL_API void sill_reader_consume(struct sill_reader *reader, size_t count);

/*
 * Takes bytes up to and including the first (size) bytes equal to (mark).
 *
 * Returns how many are at (*view), the mark among them; or SILL_EMSGSIZE when
 * the buffer is full without it; or SILL_EOF when the stream ended before, and
 * SILL_EINVAL for an empty mark.
 */
SILL_API SILL_MUST_CHECK ssize_t
sill_reader_read_until(struct sill_reader *reader, const void *mark,
                       size_t size, const char **view, sill_time deadline);

/*
 * Takes a line, ended by LF or CR LF, and shows it without its end. A last
 * line without one counts.
 *
 * Returns its length; SILL_EMSGSIZE when the buffer is full without an end of
 * line; or SILL_EOF when the stream ended and nothing is left.
 */
SILL_API SILL_MUST_CHECK ssize_t sill_reader_line(struct sill_reader *reader,
                                                  const char **view,
                                                  sill_time deadline);

/*
 * Reads up to (size) bytes into (out), buffered ones first; as
 * sill_stream_read.
 */
SILL_API SILL_MUST_CHECK ssize_t sill_reader_read(struct sill_reader *reader,
                                                  void *out, size_t size,
                                                  sill_time deadline);

SILL_END

#endif
