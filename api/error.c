/* SPDX-License-Identifier: MIT */
/*
 * Errors by name. See <sill/error.h>.
 */
#include <sill/error.h>

#include <errno.h>
#include <stddef.h>

struct name {
    int error;
    int system; /* the errno that means the same, 0 for none */
    const char *text;
};

static const struct name names[] = {
    {0, 0, "success"},
    {SILL_EPERM, EPERM, "not permitted"},
    {SILL_ENOENT, ENOENT, "no such thing"},
    {SILL_EIO, EIO, "input or output failed"},
    {SILL_EBADF, EBADF, "not an open descriptor"},
    {SILL_ENOMEM, ENOMEM, "out of memory"},
    {SILL_EACCES, EACCES, "permission denied"},
    {SILL_EBUSY, EBUSY, "busy"},
    {SILL_EINVAL, EINVAL, "invalid argument"},
    {SILL_EMFILE, EMFILE, "no descriptors left"},
    {SILL_ENOSPC, ENOSPC, "no space left"},
    {SILL_EPIPE, EPIPE, "the peer reads no more"},
    {SILL_EDEADLK, EDEADLK, "every task waits for another"},
    {SILL_ENAMETOOLONG, ENAMETOOLONG, "name too long"},
    {SILL_EPROTO, EPROTO, "protocol broken by the peer"},
    {SILL_EMSGSIZE, EMSGSIZE, "too long"},
    {SILL_EOPNOTSUPP, EOPNOTSUPP, "not supported here"},
    {SILL_EADDRINUSE, EADDRINUSE, "address in use"},
    {SILL_EADDRNOTAVAIL, EADDRNOTAVAIL, "address not available"},
    {SILL_ENETUNREACH, ENETUNREACH, "network unreachable"},
    {SILL_ECONNABORTED, ECONNABORTED, "connection aborted"},
    {SILL_ECONNRESET, ECONNRESET, "connection reset"},
    {SILL_ENOTCONN, ENOTCONN, "not connected"},
    {SILL_ETIMEDOUT, ETIMEDOUT, "timed out"},
    {SILL_ECONNREFUSED, ECONNREFUSED, "connection refused"},
    {SILL_EHOSTUNREACH, EHOSTUNREACH, "host unreachable"},
    {SILL_ECANCELED, ECANCELED, "cancelled"},
    {SILL_EOF, 0, "end of stream"},
    {SILL_ECLOSED, 0, "closed"},
    {SILL_EPOISONED, 0, "half a message was left behind"},
    {SILL_EORPHAN, 0, "a task ended before its children"},
    {SILL_ENOTASK, 0, "not inside a task"},
};

enum { NAMES = sizeof(names) / sizeof(names[0]) };

const char *sill_strerror(int error)
{
    for (int i = 0; i < NAMES; i++) {
        if (names[i].error == error)
            return names[i].text;
    }
    return "unknown error";
}

/* Those that mean the same as one of the list. */
static int canonical(int system_errno)
{
    switch (system_errno) {
    case ENFILE:
        return EMFILE;
    case ENOBUFS:
        return ENOMEM;
    case ENOTDIR:
        return ENOENT;
    case ENETDOWN:
        return ENETUNREACH;
    case EHOSTDOWN:
        return EHOSTUNREACH;
    case EAFNOSUPPORT:
        return EADDRNOTAVAIL;
    case EDQUOT:
        return ENOSPC;
    default:
        return system_errno;
    }
}

int sill_error_from_errno(int system_errno)
{
    int system = canonical(system_errno);

    for (int i = 1; i < NAMES; i++) {
        if (names[i].system == system && system != 0)
            return names[i].error;
    }
    return SILL_EIO;
}
