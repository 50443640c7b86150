/* SPDX-License-Identifier: MIT */
/*
 * <sill/stream_ops.h>: make a stream of your own.
 *
 * For libraries that offer a stream over something else (TLS over a stream, a
 * test double) and for transports of backends. Those who only use streams need
 * <sill/stream.h>.
 *
 * A stream is a table of functions and a pointer. <sill/stream.h> has checked
 * the arguments, that the current task is not cancelled, and that no other
 * task is in the same direction; an implementation keeps the promises at each
 * entry, which are those of the call with the same name.
 */
#ifndef SILL_STREAM_OPS_H
#define SILL_STREAM_OPS_H

#include <sill/stream.h>

SILL_BEGIN

struct sill_stream_ops {
    /* Reads 1 to (size) bytes; 0 at the end. (size) is not 0. */
    ssize_t (*read)(void *impl, void *buffer, size_t size, sill_time deadline);

    /* Takes 1 or more bytes. At least one of the pieces is not empty. */
    ssize_t (*writev)(void *impl, const struct iovec *pieces, size_t count,
                      sill_time deadline);

    int (*shutdown)(void *impl, sill_time deadline);

    /* Wakes waiting tasks with SILL_ECLOSED and frees (impl) after them. */
    void (*close)(void *impl);

    int (*local)(void *impl, struct sill_address *address);
    int (*peer)(void *impl, struct sill_address *address);

    /* Returns 0 when (read) would not wait. NULL: sill_stream_wait returns
     * SILL_EOPNOTSUPP, and whoever calls it reads instead. */
    int (*wait)(void *impl, sill_time deadline);

    /* Takes 1 or more bytes, 0 at the end of the file. (file) is not empty;
     * there may be no pieces. NULL, or SILL_EOPNOTSUPP with nothing taken: the
     * pieces go to (writev), and the file is read and goes there, too. */
    ssize_t (*sendfile)(void *impl, const struct iovec *pieces, size_t count,
                        const struct sill_stream_file *file,
                        sill_time deadline);
};

SILL_END

#endif
