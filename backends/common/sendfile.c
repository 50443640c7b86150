/* SPDX-License-Identifier: MIT */
/*
 * Files over sockets, which the kernel moves. See sill_stream_sendfile.
 */
#include "sockets.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <time.h>

enum {
    SENT_MOST = 1048576, /* by one call, which a fast reader would keep going */
    TURN = 4096          /* bytes that count as one read or write */
};

struct held {
    sigset_t pipe, before;
    bool was_pending;
};

static void hold_signal(struct held *held)
{
    sigset_t pending;

    (void)sigemptyset(&held->pipe);
    (void)sigaddset(&held->pipe, SIGPIPE);
    (void)sigemptyset(&pending);
    (void)pthread_sigmask(SIG_BLOCK, &held->pipe, &held->before);
    if (sigismember(&held->before, SIGPIPE) == 1)
        (void)sigpending(&pending);
    held->was_pending = sigismember(&pending, SIGPIPE) == 1;
}

static void release_signal(const struct held *held, bool may_have_come)
{
    static const struct timespec at_once;
    int error = errno;

    if (may_have_come && !held->was_pending)
        (void)sigtimedwait(&held->pipe, NULL, &at_once);
    (void)pthread_sigmask(SIG_SETMASK, &held->before, NULL);
    errno = error;
}

/* There is no MSG_NOSIGNAL here, and the signal of a failure comes even with
 * bytes that went before it. */
static ssize_t send_quietly(int to, const struct sill_stream_file *file,
                            size_t size)
{
    off_t at = (off_t)file->offset;
    struct held held;

    hold_signal(&held);

    ssize_t n = sendfile(to, file->fd, &at, size);

    release_signal(&held, n < 0 ? errno == EPIPE : (size_t)n < size);
    return n;
}

/* The kernel keeps back, for 200 ms, what was to leave with more. A socket that
 * is not TCP has neither the habit nor the option. */
static void let_go(struct descriptor *d)
{
    int off = 0;

    (void)setsockopt(d->watch.fd, IPPROTO_TCP, TCP_CORK, &off, sizeof(off));
}

/* Some files have no pages to move, and are for the caller to read. */
static ssize_t failure(struct descriptor *d)
{
    if (errno == EINVAL || errno == ESPIPE || errno == ENOSYS)
        return SILL_EOPNOTSUPP;
    return sill_core_sockets_failure(d, SILL_SPI_WRITE);
}

/* A short count may mean the end of the file: only "would block" tells that
 * there is no room. */
static ssize_t try_file(struct descriptor *d,
                        const struct sill_stream_file *file)
{
    size_t size = file->size < SENT_MOST ? file->size : SENT_MOST;
    ssize_t n;

    do {
        n = send_quietly(d->watch.fd, file, size);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        n = failure(d);
    else
        d->loop->calls += (unsigned)n / TURN;
    if (n != (ssize_t)size)
        let_go(d);
    return n;
}

static ssize_t try_pieces(struct descriptor *d, const struct iovec *pieces,
                          size_t count)
{
    const struct msghdr message = sockets_message(pieces, count);
    ssize_t n;

    do {
        n = sendmsg(d->watch.fd, &message, MSG_NOSIGNAL | MSG_MORE);
    } while (n < 0 && errno == EINTR);
    return n < 0 ? sill_core_sockets_failure(d, SILL_SPI_WRITE) : n;
}

static ssize_t try_both(struct descriptor *d, const struct iovec *pieces,
                        size_t count, const struct sill_stream_file *file)
{
    ssize_t head = count > 0 ? try_pieces(d, pieces, count) : 0;
    ssize_t n = 0;

    if (head < 0)
        return head;
    if ((size_t)head == sockets_total(pieces, count))
        n = try_file(d, file);
    else
        let_go(d);
    if (head > 0)
        return n > 0 ? head + n : head;
    return n;
}

ssize_t sill_core_sockets_sendfile(void *impl, const struct iovec *pieces,
                                   size_t count,
                                   const struct sill_stream_file *file,
                                   sill_time deadline)
{
    struct descriptor *d = impl;
    int rc = 0;

    for (;;) {
        if (descriptor_is_ready(d, SILL_SPI_WRITE) || rc == SILL_ETIMEDOUT) {
            ssize_t n = try_both(d, pieces, count, file);

            if (n != SILL_EBUSY)
                return n;
        }
        if (rc < 0)
            return rc;
        rc = sill_core_descriptor_wait(d, SILL_SPI_WRITE, deadline,
                                       "sill_stream_sendfile");
        if (rc < 0 && rc != SILL_ETIMEDOUT)
            return rc;
    }
}
