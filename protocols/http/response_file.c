/* SPDX-License-Identifier: MIT */
/*
 * response_file.c: bodies that are files. One that fits behind the head is read
 * to there and leaves as other short bodies do; a longer one goes from the file
 * to the stream, behind what was gathered.
 */
#include "server.h"

#include <sill/error.h>
#include <sill/hooks.h>

#include <errno.h>
#include <unistd.h>

enum { CHUNK_MOST = 16384 };

/* What is still to be sent. */
struct rest {
    struct iovec gathered;
    int fd;
    uint64_t at, size;
};

static size_t at_most(uint64_t size, size_t most)
{
    return size < most ? (size_t)size : most;
}

/* Reads (size) bytes; SILL_EIO when the file has fewer. */
static int read_full(int fd, uint64_t at, char *buffer, size_t size)
{
    while (size > 0) {
        ssize_t got = pread(fd, buffer, size, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got == 0 ? SILL_EIO : sill_error_from_errno(errno);
        at += (uint64_t)got;
        buffer += got;
        size -= (size_t)got;
    }
    return 0;
}

static bool fits(const struct sill_http_exchange *x, uint64_t size)
{
    return x->left == 0 && size <= COALESCED_MAX &&
           x->out_used + size <= COALESCED_MAX;
}

static int gather(struct sill_http_exchange *x, int fd, uint64_t offset,
                  size_t size)
{
    int rc = read_full(fd, offset, x->out + x->out_used, size);
    if (rc != 0) {
        x->left = size; /* is missing, and must not seem sent */
        return rc;
    }
    x->out_used += size;
    x->sent += size;
    return 0;
}

/* Sends what fits, and waits until something does. Returns 0 at the end of the
 * file. */
static ssize_t send_some(struct sill_http_exchange *x, const struct rest *rest,
                         sill_time deadline)
{
    struct sill_stream_file file = {rest->fd, rest->at,
                                    at_most(rest->size, SIZE_MAX)};
    sill_time limit = sill_http_response_limit(x);
    ssize_t done = sill_stream_sendfile(&x->base.stream, &rest->gathered, 1,
                                        &file, earlier(limit, deadline));
    sill_http_response_waited(x, limit);
    return done;
}

static void advance(struct sill_http_exchange *x, struct rest *rest,
                    size_t done)
{
    size_t first = at_most(done, rest->gathered.iov_len);
    rest->gathered.iov_base = (char *)rest->gathered.iov_base + first;
    rest->gathered.iov_len -= first;
    rest->at += done - first;
    rest->size -= done - first;
    x->sent += done - first;
    sill_http_response_taken(x, done);
}

static int send_rest(struct sill_http_exchange *x, struct rest *rest,
                     sill_time deadline)
{
    ssize_t done = 1;

    while (rest->size > 0 && done > 0) {
        done = send_some(x, rest, deadline);
        if (done > 0)
            advance(x, rest, (size_t)done);
    }
    sill_http_response_pushed(x, done < 0 ? (int)done : 0);
    return done == 0 ? SILL_EIO : x->broken;
}

/* In chunks, or to the end of the connection. */
static int send_copies(struct sill_http_exchange *x, struct rest *rest,
                       char *buffer, sill_time deadline)
{
    int rc = 0;
    while (rest->size > 0 && rc == 0) {
        size_t size = at_most(rest->size, CHUNK_MOST);
        rc = read_full(rest->fd, rest->at, buffer, size);
        if (rc == 0)
            rc = sill_http_response_write(x, buffer, size, deadline);
        rest->at += size;
        rest->size -= size;
    }
    return rc;
}

static int copy_rest(struct sill_http_exchange *x, struct rest *rest,
                     sill_time deadline)
{
    char *buffer = sill_alloc(at_most(rest->size, CHUNK_MOST));
    if (buffer == NULL)
        return SILL_ENOMEM;
    int rc = send_copies(x, rest, buffer, deadline);
    sill_free(buffer);
    return rc;
}

int sill_http_response_file(struct sill_http_exchange *exchange, int fd,
                            uint64_t offset, uint64_t size, sill_time deadline)
{
    struct sill_http_exchange *x = exchange;
    struct rest rest = {{x->out, x->out_used}, fd, offset, size};
    int rc = sill_http_response_claim(x, size);
    if (rc != 0 || size == 0 || !x->has_body)
        return rc;
    if (x->left == SILL_HTTP_NO_LENGTH)
        return copy_rest(x, &rest, deadline);
    if (fits(x, size))
        return gather(x, fd, offset, (size_t)size);
    rc = send_rest(x, &rest, deadline);
    x->left += rest.size; /* what is missing must not seem sent */
    return rc;
}
