/* SPDX-License-Identifier: MIT */
/*
 * A stream by lines and pieces. See <sill/reader.h>.
 */
#include <sill/error.h>
#include <sill/reader.h>

#include <string.h>

void sill_reader_init(struct sill_reader *reader, struct sill_stream *stream,
                      void *buffer, size_t size)
{
    *reader = (struct sill_reader){stream, buffer, size, 0, 0};
}

static size_t buffered(const struct sill_reader *reader)
{
    return reader->end - reader->begin;
}

/* Moves what is buffered to the front when there is no room behind it. */
static void make_room(struct sill_reader *reader)
{
    size_t size = buffered(reader);

    if (reader->end < reader->size && size > 0)
        return;
    memmove(reader->buffer, reader->buffer + reader->begin, size);
    reader->begin = 0;
    reader->end = size;
}

ssize_t sill_reader_fill(struct sill_reader *reader, sill_time deadline)
{
    make_room(reader);
    if (reader->end == reader->size)
        return SILL_EMSGSIZE;

    ssize_t n = sill_stream_read(reader->stream, reader->buffer + reader->end,
                                 reader->size - reader->end, deadline);

    if (n > 0)
        reader->end += (size_t)n;
    return n;
}

/* Is fill for those who cannot go on at the end. */
static int fill_or_end(struct sill_reader *reader, sill_time deadline)
{
    ssize_t n = sill_reader_fill(reader, deadline);

    return n == 0 ? SILL_EOF : n < 0 ? (int)n : 0;
}

ssize_t sill_reader_peek(struct sill_reader *reader, size_t least,
                         const char **view, sill_time deadline)
{
    if (least > reader->size)
        return SILL_EMSGSIZE;
    while (buffered(reader) < least) {
        int rc = fill_or_end(reader, deadline);

        if (rc < 0)
            return rc;
    }
    *view = reader->buffer + reader->begin;
    return (ssize_t)buffered(reader);
}

void sill_reader_consume(struct sill_reader *reader, size_t count)
{
    reader->begin += count;
}

static ssize_t take(struct sill_reader *reader, size_t size, const char **view)
{
    *view = reader->buffer + reader->begin;
    reader->begin += size;
    return (ssize_t)size;
}

ssize_t sill_reader_read_until(struct sill_reader *reader, const void *mark,
                               size_t size, const char **view,
                               sill_time deadline)
{
    size_t searched = 0;

    if (size == 0)
        return SILL_EINVAL;
    for (;;) {
        const char *from = reader->buffer + reader->begin;
        const char *found =
            memmem(from + searched, buffered(reader) - searched, mark, size);

        if (found)
            return take(reader, (size_t)(found - from) + size, view);
        /* The mark may lie across what is here and what comes next. */
        if (buffered(reader) >= size)
            searched = buffered(reader) - size + 1;

        int rc = fill_or_end(reader, deadline);

        if (rc < 0)
            return rc;
    }
}

/* The length of a line of (size) bytes, the last of them LF, without its end.
 */
static size_t without_end(const char *line, size_t size)
{
    size--;
    if (size > 0 && line[size - 1] == '\r')
        size--;
    return size;
}

ssize_t sill_reader_line(struct sill_reader *reader, const char **view,
                         sill_time deadline)
{
    ssize_t n = sill_reader_read_until(reader, "\n", 1, view, deadline);

    if (n == SILL_EOF && buffered(reader) > 0)
        return take(reader, buffered(reader), view);
    return n < 0 ? n : (ssize_t)without_end(*view, (size_t)n);
}

ssize_t sill_reader_read(struct sill_reader *reader, void *out, size_t size,
                         sill_time deadline)
{
    size_t here = buffered(reader);

    if (here == 0)
        return sill_stream_read(reader->stream, out, size, deadline);
    if (here > size)
        here = size;
    memcpy(out, reader->buffer + reader->begin, here);
    reader->begin += here;
    return (ssize_t)here;
}
