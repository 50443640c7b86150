/* SPDX-License-Identifier: MIT */
/*
 * faults.h: make the n-th use of a call fail.
 *
 * The suite is linked with --wrap for each call in wrap.txt, so that whatever
 * sill, a backend or a case asks of libc by one of these names comes by here
 * first; libraries that are linked dynamically do not. Nothing of sill is built
 * differently. Uses are counted from the last fault_clear, on all threads;
 * at most one fault is set for each call.
 *
 * A transfer that fault_short has cut is followed by a fresh event, as if the
 * rest had arrived, or room for it, only later: a short transfer alone would
 * tell an edge-triggered poller that nothing is left.
 *
 * A case that makes such calls itself while a fault is set holds the faults
 * off meanwhile: what this thread does between fault_hold and fault_release is
 * neither counted nor failed.
 */
#ifndef FAULTS_H
#define FAULTS_H

#include <stdbool.h>
#include <stddef.h>

/* The calls, as X(name); wrap.txt has the same list, and syscall, by which some
 * ask for epoll_pwait2. */
#define FAULT_CALLS(X)                                                         \
    X(read)                                                                    \
    X(write)                                                                   \
    X(readv)                                                                   \
    X(writev)                                                                  \
    X(recv)                                                                    \
    X(recvfrom)                                                                \
    X(recvmsg)                                                                 \
    X(send)                                                                    \
    X(sendto)                                                                  \
    X(sendmsg)                                                                 \
    X(sendfile)                                                                \
    X(pread)                                                                   \
    X(accept4)                                                                 \
    X(connect)                                                                 \
    X(socket)                                                                  \
    X(bind)                                                                    \
    X(listen)                                                                  \
    X(shutdown)                                                                \
    X(getsockopt)                                                              \
    X(setsockopt)                                                              \
    X(getsockname)                                                             \
    X(getpeername)                                                             \
    X(fcntl)                                                                   \
    X(poll)                                                                    \
    X(epoll_create1)                                                           \
    X(epoll_ctl)                                                               \
    X(epoll_wait)                                                              \
    X(epoll_pwait2)                                                            \
    X(eventfd)                                                                 \
    X(mmap)                                                                    \
    X(munmap)                                                                  \
    X(mprotect)                                                                \
    X(madvise)                                                                 \
    X(sigaction)                                                               \
    X(sigaltstack)                                                             \
    X(unlink)

#define FAULT_ENUM(name) FAULT_##name,

/* FAULT_read, FAULT_write ...; FAULT_alloc is sill_alloc and all that
 * allocates through it. */
enum fault_call { FAULT_CALLS(FAULT_ENUM) FAULT_alloc, FAULT_COUNT };

/* Lets the (n)-th use of (call) from now on, the first being 1, fail once with
 * the errno (error). */
void fault_nth(enum fault_call call, long n, int error);

/* The same for allocation, which fails with NULL. */
void fault_alloc_nth(long n);

/* Lets every use of (call) fail with (error), until cleared. */
void fault_always(enum fault_call call, int error);

/* Lets every read or write through (call) move at most (bytes). For calls with
 * one buffer, and for readv, writev, recvmsg, sendmsg and sendfile. */
void fault_short(enum fault_call call, size_t bytes);

/* Ends every fault and sets all counts to 0. */
void fault_clear(void);

/* How often (call) was used, failed ones included. */
long fault_uses(enum fault_call call);

/* How often a use of (call) was made to fail. */
long fault_strikes(enum fault_call call);

/* The errors that a use of (call) can give, as a list ended by 0; empty for
 * those that do not fail with arguments that are right. */
const int *fault_errors(enum fault_call call);

/* Whether this use of sill_alloc is to fail; asked by the suite's allocator. */
bool fault_strikes_alloc(void);

/* Bytes that were mapped and not unmapped. */
long long fault_mapped(void);

/* "read", "mmap" ... */
const char *fault_name(enum fault_call call);

/* Around calls of the case itself, for this thread; they nest. */
void fault_hold(void);
void fault_release(void);

#endif
