/* SPDX-License-Identifier: MIT */
/*
 * <sill/stream.h>: ordered bytes, both ways.
 *
 * A stream is a socket, one end of a pair in memory, or whatever a library
 * makes of <sill/stream_ops.h>, such as TLS over another stream. Its two
 * directions are independent: one task may read while another writes. Two
 * tasks that read at once, or write at once, end the program.
 *
 * Every call that waits has a deadline, and tries once before it waits. A
 * call of a task that is already cancelled moves nothing and returns
 * SILL_ECANCELED; a call that moved bytes reports them, whatever happened
 * next. The moment a call returns nobody touches its buffer any more.
 *
 * Memory   struct sill_stream is the caller's, and stays in its place until
 *          every call on it has returned, those that close woke among them. A
 *          zeroed one is closed.
 * Errors   beside those listed at each call, every call that moves bytes can
 *          return SILL_ECLOSED (closed on this side, before or during the
 *          call), SILL_ECONNRESET, SILL_ETIMEDOUT, SILL_ECANCELED,
 *          SILL_ENOMEM, SILL_EIO, SILL_ENOTASK. After a reset, bytes that
 *          arrived before it may be lost.
 */
#ifndef SILL_STREAM_H
#define SILL_STREAM_H

#include <sill/address.h>
#include <sill/attributes.h>
#include <sill/time.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

SILL_BEGIN

struct sill_stream_ops;

struct sill_stream {
    /* private */
    const struct sill_stream_ops *ops;
    void *impl;
    unsigned char busy;   /* directions that a task is in */
    unsigned char poison; /* directions that were left half-way */
};

/* What the kernel is asked for when a stream or listener is made; zeroed for
 * the defaults. */
struct sill_socket_options {
    int backlog;     /* listeners: connections kept waiting; 0: 1 024 */
    bool reuse_port; /* listeners, datagrams: share the port (SO_REUSEPORT) */
    bool ipv6_only;  /* IPv6: do not take IPv4 as well */
    bool delay;      /* TCP: gather small writes (no TCP_NODELAY) */
    int send_buffer, receive_buffer; /* in bytes; 0: the kernel's choice */
};

/*
 * Connects (stream) to (address) over TCP or a Unix-domain socket.
 *
 * options   may be NULL.
 *
 * Returns 0, or, with (stream) closed and nothing left behind,
 *
 *   SILL_ECONNREFUSED                    nobody listens there
 *   SILL_ENETUNREACH, SILL_EHOSTUNREACH  no way there
 *   SILL_ETIMEDOUT                       (deadline), or the network gave up
 *   SILL_ECANCELED                       the task was cancelled
 *   SILL_ENOENT, SILL_EACCES             UNIX: no such path, not allowed
 *   SILL_EMFILE, SILL_ENOMEM             exhausted
 *   SILL_EADDRNOTAVAIL                   no local port is left
 *   SILL_EINVAL                          not an address to connect to
 */
SILL_API SILL_MUST_CHECK int sill_stream_connect(
    struct sill_stream *stream, const struct sill_address *address,
    const struct sill_socket_options *options, sill_time deadline);

/*
 * Makes two connected streams in memory: what is written to one is read from
 * the other. Each direction holds up to (capacity) bytes, then writers wait.
 *
 * Returns 0, SILL_EINVAL for a capacity of 0 or one that no address space has,
 * or SILL_ENOMEM. Never suspends.
 */
SILL_API SILL_MUST_CHECK int
sill_stream_pair(struct sill_stream *a, struct sill_stream *b, size_t capacity);

/*
 * Adopts the connected stream socket (fd): it is made non-blocking and
 * close-on-exec, and belongs to (stream) from now on.
 *
 * Returns 0, or SILL_EBADF, SILL_EINVAL (no stream socket) or SILL_ENOMEM, with
 * (fd) still the caller's; SILL_EOPNOTSUPP on a backend without descriptors;
 * SILL_ENOTASK outside of a task. Never suspends.
 */
SILL_API SILL_MUST_CHECK int sill_stream_adopt(struct sill_stream *stream,
                                               int fd);

/*
 * Reads up to (size) bytes into (buffer), waiting until there is at least one.
 *
 * Returns how many, from 1 to (size); 0 at the end of the stream, then and
 * every time after; 0 for a (size) of 0, which neither waits nor means the
 * end; or an error, with nothing read and nothing lost.
 */
SILL_API SILL_MUST_CHECK ssize_t sill_stream_read(struct sill_stream *stream,
                                                  void *buffer, size_t size,
                                                  sill_time deadline);

/*
 * Waits until a read would not have to, and takes nothing: for those who want
 * no buffer before there is something to put into it. Whoever waits reads, so
 * that no other task may.
 *
 * Returns 0 when there are bytes, the end of the stream, or an error, which the
 * read will return; or why it did not wait, as sill_stream_read does; or
 * SILL_EOPNOTSUPP where (stream) cannot tell: see <sill/stream_ops.h>.
 */
SILL_API SILL_MUST_CHECK int sill_stream_wait(struct sill_stream *stream,
                                              sill_time deadline);

/*
 * Writes up to (size) bytes of (data), waiting until at least one was taken.
 *
 * Returns how many were taken, from 1 to (size): fewer than (size) when no more
 * fit now, whatever happened next; 0 for a (size) of 0; or, with nothing taken
 * and the stream still usable after the first two,
 *
 *   SILL_ECANCELED, SILL_ETIMEDOUT
 *   SILL_EPIPE        the peer reads no more, or this side was shut down
 *   SILL_EPOISONED    an earlier write_all or writev_all failed half-way
 *
 * Never raises SIGPIPE.
 */
SILL_API SILL_MUST_CHECK ssize_t sill_stream_write(struct sill_stream *stream,
                                                   const void *data,
                                                   size_t size,
                                                   sill_time deadline);

/*
 * Is sill_stream_write for the bytes of (count) pieces in a row; pieces may be
 * empty, and there may be any number of them.
 */
SILL_API SILL_MUST_CHECK ssize_t sill_stream_writev(struct sill_stream *stream,
                                                    const struct iovec *pieces,
                                                    size_t count,
                                                    sill_time deadline);

/* Bytes of a file. */
struct sill_stream_file {
    int fd; /* its own position is neither used nor moved */
    uint64_t offset;
    size_t size;
};

/*
 * Is sill_stream_writev for (count) pieces and then the bytes of (file). A
 * socket lets the kernel move those, and the pieces leave with them; other
 * streams, and files that the kernel does not move, are served by reading and
 * writing, 16 KiB at a time. Keeps the thread while the disk is asked for what
 * is not in memory, as every read of a file does. What somebody writes to the
 * file before the peer has read may arrive in place of what was there.
 *
 * Returns how many bytes were taken, from 1 on: fewer than would fit where
 * others are to have their turn; 0 when there are no pieces and the file ends
 * at its (offset) or before, or its (size) is 0; or an error of
 * sill_stream_write, or, with nothing taken and the stream still usable,
 *
 *   SILL_EBADF    (fd) is not open for reading
 *   SILL_EINVAL   (fd) is nothing that pread(2) reads, such as a pipe, a socket
 *                 or a folder, or no file has such an (offset)
 *   SILL_EIO      the file cannot be read
 */
SILL_API SILL_MUST_CHECK ssize_t sill_stream_sendfile(
    struct sill_stream *stream, const struct iovec *pieces, size_t count,
    const struct sill_stream_file *file, sill_time deadline);

/*
 * Reads exactly (size) bytes.
 *
 * done   receives how many were read, all of them or fewer; may be NULL.
 *
 * Returns 0, or SILL_EOF when the stream ended before (also with none read),
 * or an error of sill_stream_read. A failure after the first byte poisons this
 * direction: later reads return SILL_EPOISONED.
 */
SILL_API SILL_MUST_CHECK int sill_stream_read_full(struct sill_stream *stream,
                                                   void *buffer, size_t size,
                                                   size_t *done,
                                                   sill_time deadline);

/*
 * Writes all (size) bytes of (data).
 *
 * done   receives how many were taken, all of them or fewer; may be NULL.
 *
 * Returns 0, or an error of sill_stream_write. A failure after the first byte
 * poisons this direction: later writes return SILL_EPOISONED.
 */
SILL_API SILL_MUST_CHECK int sill_stream_write_all(struct sill_stream *stream,
                                                   const void *data,
                                                   size_t size, size_t *done,
                                                   sill_time deadline);

/* Is sill_stream_write_all for (count) pieces in a row. */
SILL_API SILL_MUST_CHECK int sill_stream_writev_all(struct sill_stream *stream,
                                                    const struct iovec *pieces,
                                                    size_t count, size_t *done,
                                                    sill_time deadline);

/*
 * Ends this side's writing: after what was written the peer reads the end of
 * the stream. Reading still works. Doing it twice is harmless.
 *
 * Returns 0, or SILL_ECLOSED, or SILL_ECONNRESET when the peer is gone.
 * Suspends only where the stream has to say goodbye (TLS), until (deadline).
 */
SILL_API SILL_MUST_CHECK int sill_stream_shutdown(struct sill_stream *stream,
                                                  sill_time deadline);

/*
 * Closes (stream), from any task of its loop. Tasks that wait on it wake with
 * SILL_ECLOSED, and every later call returns that. Closing twice is harmless.
 * Never suspends, and is no point of cancellation.
 */
SILL_API void sill_stream_close(struct sill_stream *stream);

/*
 * Writes this side's or the peer's address to (address); the ends of a memory
 * pair have SILL_FAMILY_NONE. The peer's is that of the time when the stream
 * was connected or accepted, also when the peer is gone.
 *
 * Returns 0, SILL_ECLOSED, or SILL_ENOTCONN when the peer of an adopted socket
 * is gone. Never suspend.
 */
SILL_API SILL_MUST_CHECK int sill_stream_local(const struct sill_stream *stream,
                                               struct sill_address *address);
SILL_API SILL_MUST_CHECK int sill_stream_peer(const struct sill_stream *stream,
                                              struct sill_address *address);

SILL_END

#endif
