/* SPDX-License-Identifier: MIT */
/*
 * <sill/error.h>: every way in which a call of this library can fail.
 *
 * A call that can fail returns 0 or more on success and one of these on
 * failure, all of them negative. The same event gives the same code on every
 * backend. errno is neither set for the caller nor read by this library's
 * users: it belongs to the thread, and a suspended task shares its thread.
 *
 * A mistake of the peer, the user or the machine is one of these codes. A
 * mistake of the program (two readers on one stream, awaiting somebody else's
 * task) is not: it ends the program with one line on standard error that names
 * the call, the task, and where the task was spawned.
 */
#ifndef SILL_ERROR_H
#define SILL_ERROR_H

#include <sill/attributes.h>

SILL_BEGIN

/*
 * The closed list. The values are those of -errno on Linux where errno has the
 * idea, and below -1000 where it has not; they never change.
 */
enum sill_error {
    SILL_EPERM = -1,          /* not permitted; a file that cannot be polled */
    SILL_ENOENT = -2,         /* no such path, no such thing */
    SILL_EIO = -5,            /* the device or the kernel failed */
    SILL_EBADF = -9,          /* not an open descriptor */
    SILL_ENOMEM = -12,        /* out of memory, or of kernel buffers */
    SILL_EACCES = -13,        /* permission denied */
    SILL_EBUSY = -16,         /* somebody else is doing this right now */
    SILL_EINVAL = -22,        /* an argument has no meaning */
    SILL_EMFILE = -24,        /* no descriptors left, here or in the system */
    SILL_ENOSPC = -28,        /* no room on the device */
    SILL_EPIPE = -32,         /* the peer reads no more */
    SILL_EDEADLK = -35,       /* every task waits and nothing can wake one */
    SILL_ENAMETOOLONG = -36,  /* a path or a host name is too long */
    SILL_EPROTO = -71,        /* the peer broke the protocol */
    SILL_EMSGSIZE = -90,      /* more than fits: a datagram, a line, a bound */
    SILL_EOPNOTSUPP = -95,    /* this kind of object cannot do that */
    SILL_EADDRINUSE = -98,    /* the address is taken */
    SILL_EADDRNOTAVAIL = -99, /* the address is not one of this machine */
    SILL_ENETUNREACH = -101,  /* no route to that network */
    SILL_ECONNABORTED = -103, /* the connection was ended before it was taken */
    SILL_ECONNRESET = -104,   /* the peer ended the connection at once */
    SILL_ENOTCONN = -107,     /* no peer */
    SILL_ETIMEDOUT = -110,    /* the deadline passed, or the peer is silent */
    SILL_ECONNREFUSED = -111, /* nobody listens there */
    SILL_EHOSTUNREACH = -113, /* no route to that host */
    SILL_ECANCELED = -125,    /* the task was cancelled */

    SILL_EOF = -1001,       /* the peer ended before the bytes asked for */
    SILL_ECLOSED = -1002,   /* closed on this side, or never opened */
    SILL_EPOISONED = -1003, /* an earlier failure left half a message behind */
    SILL_EORPHAN = -1004,   /* the task ended before its children did */
    SILL_ENOTASK = -1005    /* may wait only inside a task of this process */
};

/*
 * Names (error) in one short English phrase, such as "connection refused".
 *
 * error   one of the list; 0 is "success", any other number "unknown error".
 *
 * Returns a string that lives as long as the program. Never suspends; from any
 * thread.
 */
SILL_API const char *sill_strerror(int error);

/*
 * Turns (system_errno), an errno of this platform, into the code of the list
 * that means the same; what the list does not know becomes SILL_EIO.
 *
 * Never suspends; from any thread. For those who wrap other libraries.
 */
SILL_API int sill_error_from_errno(int system_errno);

SILL_END

#endif
