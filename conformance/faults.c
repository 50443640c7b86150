/* SPDX-License-Identifier: MIT */
/*
 * What --wrap puts between sill and libc; see faults.h. The names that begin
 * with two underscores are the linker's.
 */
#include "faults.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* The sanitizers of clang are linked statically and come by here too, before
 * they are ready for code that they have instrumented. */
#if defined(__clang__)
#pragma clang attribute push(                                                  \
    __attribute__((disable_sanitizer_instrumentation)), apply_to = function)
#endif

static struct {
    atomic_long uses, strikes;
    atomic_long at; /* the use that fails, 0 for none, -1 for all */
    atomic_int error;
    atomic_size_t most; /* bytes in one transfer, 0 for any number */
} faults[FAULT_COUNT];

/* Where a descriptor is registered, to make its next edge. */
static struct {
    atomic_int epoll;
    struct epoll_event event;
} registered[1024];

static _Atomic long long mapped;
static _Thread_local int held;

void fault_nth(enum fault_call call, long n, int error)
{
    atomic_store(&faults[call].error, error);
    atomic_store(&faults[call].at, atomic_load(&faults[call].uses) + n);
}

void fault_alloc_nth(long n)
{
    fault_nth(FAULT_alloc, n, ENOMEM);
}

void fault_always(enum fault_call call, int error)
{
    atomic_store(&faults[call].error, error);
    atomic_store(&faults[call].at, -1);
}

void fault_short(enum fault_call call, size_t bytes)
{
    atomic_store(&faults[call].most, bytes);
}

void fault_clear(void)
{
    for (size_t i = 0; i < FAULT_COUNT; i++) {
        atomic_store(&faults[i].at, 0);
        atomic_store(&faults[i].most, 0);
        atomic_store(&faults[i].uses, 0);
        atomic_store(&faults[i].strikes, 0);
    }
}

long fault_uses(enum fault_call call)
{
    return atomic_load(&faults[call].uses);
}

long fault_strikes(enum fault_call call)
{
    return atomic_load(&faults[call].strikes);
}

#define FAULT_TEXT(name) #name,

const char *fault_name(enum fault_call call)
{
    static const char *const names[] = {FAULT_CALLS(FAULT_TEXT) "alloc"};
    return names[call];
}

/*
 * EAGAIN is missing everywhere, and EINTR at connect: they promise an event
 * that a call which was never made does not bring.
 */
const int *fault_errors(enum fault_call call)
{
#define ERRORS(name, ...) [FAULT_##name] = { __VA_ARGS__ }
    static const int errors[FAULT_COUNT][6] = {
        ERRORS(read, EINTR, ECONNRESET),
        ERRORS(write, EINTR),
        ERRORS(readv, EINTR, ECONNRESET),
        ERRORS(writev, EINTR, EPIPE, ECONNRESET),
        ERRORS(recv, EINTR, ECONNRESET, ENOMEM),
        ERRORS(recvfrom, EINTR, ECONNREFUSED, ENOMEM),
        ERRORS(recvmsg, EINTR, ECONNRESET, ENOMEM),
        ERRORS(send, EINTR, EPIPE, ECONNRESET, ENOBUFS),
        ERRORS(sendto, EINTR, ECONNREFUSED, ENETUNREACH, ENOBUFS),
        ERRORS(sendmsg, EINTR, EPIPE, ECONNRESET, ENOBUFS),
        ERRORS(sendfile, EINTR, EPIPE, ECONNRESET, ENOSYS, EIO),
        ERRORS(pread, EINTR, EIO),
        ERRORS(accept4, EINTR, ECONNABORTED, EMFILE, ENOBUFS),
        ERRORS(connect, ECONNREFUSED, ENETUNREACH, EADDRNOTAVAIL),
        ERRORS(socket, EMFILE, ENFILE, ENOBUFS),
        ERRORS(bind, EADDRINUSE, EADDRNOTAVAIL),
        ERRORS(listen, EADDRINUSE),
        ERRORS(shutdown, ENOTCONN),
        ERRORS(getsockopt, ENOBUFS),
        ERRORS(setsockopt, ENOMEM),
        ERRORS(getsockname, ENOBUFS),
        ERRORS(getpeername, ENOTCONN),
        ERRORS(fcntl, EMFILE),
        ERRORS(poll, EINTR, ENOMEM),
        ERRORS(epoll_create1, EMFILE, ENOMEM),
        ERRORS(epoll_ctl, ENOMEM, ENOSPC),
        ERRORS(epoll_wait, EINTR),
        ERRORS(epoll_pwait2, EINTR),
        ERRORS(eventfd, EMFILE, ENOMEM),
        ERRORS(mmap, ENOMEM),
        ERRORS(mprotect, ENOMEM),
        ERRORS(madvise, EINVAL, ENOMEM),
        ERRORS(sigaltstack, ENOMEM),
        ERRORS(unlink, EACCES),
        ERRORS(alloc, ENOMEM),
    };
#undef ERRORS
    return errors[call];
}

void fault_hold(void)
{
    held++;
}

void fault_release(void)
{
    held--;
}

static bool strikes(enum fault_call call)
{
    if (held > 0)
        return false;
    long use = atomic_fetch_add(&faults[call].uses, 1) + 1;
    long at = atomic_load(&faults[call].at);
    if (at != use && at != -1)
        return false;
    atomic_fetch_add(&faults[call].strikes, 1);
    errno = atomic_load(&faults[call].error);
    return true;
}

bool fault_strikes_alloc(void)
{
    return strikes(FAULT_alloc);
}

long long fault_mapped(void)
{
    return atomic_load(&mapped);
}

static size_t at_most(enum fault_call call, size_t size)
{
    size_t most = held > 0 ? 0 : atomic_load(&faults[call].most);
    return most > 0 && most < size ? most : size;
}

/* The first piece with bytes in it, cut, or NULL when all may go. */
static struct iovec *cut(enum fault_call call, const struct iovec *pieces,
                         size_t count, struct iovec *first)
{
    if (at_most(call, SIZE_MAX) == SIZE_MAX)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        *first = pieces[i];
        if (first->iov_len > 0)
            break;
    }
    first->iov_len = at_most(call, first->iov_len);
    return first;
}

#define WRAP(type, name, parameters)                                           \
    type __real_##name parameters;                                             \
    type __wrap_##name parameters;                                             \
    type __wrap_##name parameters

WRAP(int, epoll_ctl, (int epoll, int op, int fd, struct epoll_event *event))
{
    if (strikes(FAULT_epoll_ctl))
        return -1;
    if (fd >= 0 && fd < 1024) {
        if (event != NULL)
            registered[fd].event = *event;
        atomic_store(&registered[fd].epoll, op == EPOLL_CTL_DEL ? 0 : epoll);
    }
    return __real_epoll_ctl(epoll, op, fd, event);
}

/* After a cut transfer of (moved) bytes on (fd); returns (moved). */
static ssize_t edge(int fd, ssize_t moved)
{
    int epoll = fd < 1024 ? atomic_load(&registered[fd].epoll) : 0;
    if (moved > 0 && epoll > 0)
        __real_epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &registered[fd].event);
    return moved;
}

WRAP(ssize_t, read, (int fd, void *buffer, size_t size))
{
    if (strikes(FAULT_read))
        return -1;
    size_t most = at_most(FAULT_read, size);
    ssize_t moved = __real_read(fd, buffer, most);
    return most < size ? edge(fd, moved) : moved;
}

WRAP(ssize_t, write, (int fd, const void *buffer, size_t size))
{
    if (strikes(FAULT_write))
        return -1;
    size_t most = at_most(FAULT_write, size);
    ssize_t moved = __real_write(fd, buffer, most);
    return most < size ? edge(fd, moved) : moved;
}

WRAP(ssize_t, readv, (int fd, const struct iovec *pieces, int count))
{
    struct iovec first = {0};
    if (strikes(FAULT_readv))
        return -1;
    if (cut(FAULT_readv, pieces, (size_t)count, &first) != NULL)
        return edge(fd, __real_readv(fd, &first, 1));
    return __real_readv(fd, pieces, count);
}

WRAP(ssize_t, writev, (int fd, const struct iovec *pieces, int count))
{
    struct iovec first = {0};
    if (strikes(FAULT_writev))
        return -1;
    if (cut(FAULT_writev, pieces, (size_t)count, &first) != NULL)
        return edge(fd, __real_writev(fd, &first, 1));
    return __real_writev(fd, pieces, count);
}

WRAP(ssize_t, recv, (int fd, void *buffer, size_t size, int flags))
{
    if (strikes(FAULT_recv))
        return -1;
    size_t most = at_most(FAULT_recv, size);
    ssize_t moved = __real_recv(fd, buffer, most, flags);
    return most < size ? edge(fd, moved) : moved;
}

WRAP(ssize_t, send, (int fd, const void *buffer, size_t size, int flags))
{
    if (strikes(FAULT_send))
        return -1;
    size_t most = at_most(FAULT_send, size);
    ssize_t moved = __real_send(fd, buffer, most, flags);
    return most < size ? edge(fd, moved) : moved;
}

WRAP(ssize_t, recvfrom,
     (int fd, void *buffer, size_t size, int flags, struct sockaddr *peer,
      socklen_t *length))
{
    if (strikes(FAULT_recvfrom))
        return -1;
    size_t most = at_most(FAULT_recvfrom, size);
    ssize_t moved = __real_recvfrom(fd, buffer, most, flags, peer, length);
    return most < size ? edge(fd, moved) : moved;
}

WRAP(ssize_t, sendto,
     (int fd, const void *buffer, size_t size, int flags,
      const struct sockaddr *peer, socklen_t length))
{
    if (strikes(FAULT_sendto))
        return -1;
    size_t most = at_most(FAULT_sendto, size);
    ssize_t moved = __real_sendto(fd, buffer, most, flags, peer, length);
    return most < size ? edge(fd, moved) : moved;
}

WRAP(ssize_t, sendfile, (int to, int from, off_t *at, size_t size))
{
    if (strikes(FAULT_sendfile))
        return -1;
    size_t most = at_most(FAULT_sendfile, size);
    ssize_t moved = __real_sendfile(to, from, at, most);
    return most < size ? edge(to, moved) : moved;
}

WRAP(ssize_t, pread, (int fd, void *buffer, size_t size, off_t at))
{
    if (strikes(FAULT_pread))
        return -1;
    return __real_pread(fd, buffer, at_most(FAULT_pread, size), at);
}

WRAP(ssize_t, recvmsg, (int fd, struct msghdr *message, int flags))
{
    struct iovec first = {0}, *all = message->msg_iov;
    __typeof__(message->msg_iovlen) count = message->msg_iovlen;
    if (strikes(FAULT_recvmsg))
        return -1;
    if (cut(FAULT_recvmsg, all, (size_t)count, &first) == NULL)
        return __real_recvmsg(fd, message, flags);
    message->msg_iov = &first;
    message->msg_iovlen = 1;
    ssize_t moved = __real_recvmsg(fd, message, flags);
    message->msg_iov = all;
    message->msg_iovlen = count;
    return edge(fd, moved);
}

WRAP(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags))
{
    struct iovec first = {0};
    struct msghdr part = *message;
    if (strikes(FAULT_sendmsg))
        return -1;
    if (cut(FAULT_sendmsg, part.msg_iov, (size_t)part.msg_iovlen, &first) ==
        NULL)
        return __real_sendmsg(fd, message, flags);
    part.msg_iov = &first;
    part.msg_iovlen = 1;
    return edge(fd, __real_sendmsg(fd, &part, flags));
}

WRAP(void *, mmap,
     (void *at, size_t size, int protection, int flags, int fd, off_t offset))
{
    if (strikes(FAULT_mmap))
        return MAP_FAILED;
    void *place = __real_mmap(at, size, protection, flags, fd, offset);
    if (place != MAP_FAILED && (flags & MAP_FIXED) == 0)
        atomic_fetch_add(&mapped, (long long)size);
    return place;
}

WRAP(int, munmap, (void *at, size_t size))
{
    if (strikes(FAULT_munmap))
        return -1;
    int rc = __real_munmap(at, size);
    if (rc == 0)
        atomic_fetch_sub(&mapped, (long long)size);
    return rc;
}

WRAP(int, fcntl, (int fd, int command, ...))
{
    va_list list;
    va_start(list, command);
    long argument = va_arg(list, long);
    va_end(list);
    return strikes(FAULT_fcntl) ? -1 : __real_fcntl(fd, command, argument);
}

WRAP(long, syscall, (long number, ...))
{
    long words[6];
    va_list list;
    va_start(list, number);
    for (int i = 0; i < 6; i++)
        words[i] = va_arg(list, long);
    va_end(list);
#ifdef SYS_epoll_pwait2
    if (number == SYS_epoll_pwait2 && strikes(FAULT_epoll_pwait2))
        return -1;
#endif
    return __real_syscall(number, words[0], words[1], words[2], words[3],
                          words[4], words[5]);
}

/* Calls of which nothing but the failure is of interest. */
#define PLAIN(name, parameters, arguments)                                     \
    WRAP(int, name, parameters)                                                \
    {                                                                          \
        return strikes(FAULT_##name) ? -1 : __real_##name arguments;           \
    }

PLAIN(accept4, (int fd, struct sockaddr *peer, socklen_t *length, int flags),
      (fd, peer, length, flags))
PLAIN(connect, (int fd, const struct sockaddr *peer, socklen_t length),
      (fd, peer, length))
PLAIN(socket, (int family, int type, int protocol), (family, type, protocol))
PLAIN(bind, (int fd, const struct sockaddr *local, socklen_t length),
      (fd, local, length))
PLAIN(listen, (int fd, int backlog), (fd, backlog))
PLAIN(shutdown, (int fd, int how), (fd, how))
PLAIN(getsockopt,
      (int fd, int level, int option, void *value, socklen_t *length),
      (fd, level, option, value, length))
PLAIN(setsockopt,
      (int fd, int level, int option, const void *value, socklen_t length),
      (fd, level, option, value, length))
PLAIN(getsockname, (int fd, struct sockaddr *local, socklen_t *length),
      (fd, local, length))
PLAIN(getpeername, (int fd, struct sockaddr *peer, socklen_t *length),
      (fd, peer, length))
PLAIN(poll, (struct pollfd * fds, nfds_t count, int milliseconds),
      (fds, count, milliseconds))
PLAIN(epoll_create1, (int flags), (flags))
PLAIN(epoll_wait,
      (int epoll, struct epoll_event *events, int count, int milliseconds),
      (epoll, events, count, milliseconds))
#ifdef __GLIBC__ /* musl 1.2.3 has it by its number only */
PLAIN(epoll_pwait2,
      (int epoll, struct epoll_event *events, int count,
       const struct timespec *length, const sigset_t *mask),
      (epoll, events, count, length, mask))
#endif
PLAIN(eventfd, (unsigned start, int flags), (start, flags))
PLAIN(mprotect, (void *at, size_t size, int protection), (at, size, protection))
PLAIN(madvise, (void *at, size_t size, int advice), (at, size, advice))
PLAIN(sigaction,
      (int number, const struct sigaction *action, struct sigaction *old),
      (number, action, old))
PLAIN(sigaltstack, (const stack_t *stack, stack_t *old), (stack, old))
PLAIN(unlink, (const char *path), (path))

#if defined(__clang__)
#pragma clang attribute pop
#endif
