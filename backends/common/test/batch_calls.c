/* SPDX-License-Identifier: MIT */
/*
 * See batch_calls.h.
 */
#include "batch_calls.h"

#include <errno.h>
#include <linux/io_uring.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

struct batch_calls calls;

static struct io_uring_sqe *entries;

/* The linker makes these names.
 * NOLINTBEGIN */
long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);
void *__real_mmap(void *at, size_t size, int protection, int flags, int fd,
                  off_t offset);
void *__wrap_mmap(void *at, size_t size, int protection, int flags, int fd,
                  off_t offset);
ssize_t __real_send(int fd, const void *data, size_t size, int flags);
ssize_t __wrap_send(int fd, const void *data, size_t size, int flags);
ssize_t __real_sendmsg(int fd, const struct msghdr *message, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags);

static long fails(int error)
{
    errno = error;
    return -1;
}

static int once(int *error)
{
    int value = *error;

    *error = 0;
    return value;
}

static long enter(long fd, long count, long least, long flags)
{
    calls.enters++;
    if (calls.enter_error && count > 0)
        return fails(once(&calls.enter_error));
    if (calls.most && count > (long)calls.most)
        least = count = (long)calls.most;
    for (int i = 0; calls.later && i < 32; i++)
        entries[i].flags |= IOSQE_ASYNC;
    if (calls.later && count > 0)
        least = 0;
    return __real_syscall(SYS_io_uring_enter, fd, count, least, flags, NULL, 0);
}

long __wrap_syscall(long number, ...)
{
    long args[6];
    va_list list;

    va_start(list, number);
    for (int i = 0; i < 6; i++)
        args[i] = va_arg(list, long);
    va_end(list);
    if (number == SYS_io_uring_enter)
        return enter(args[0], args[1], args[2], args[3]);
    if (number == SYS_io_uring_setup) {
        calls.setups++;
        if (calls.setup_error)
            return fails(calls.setup_error);
    }
    return __real_syscall(number, args[0], args[1], args[2], args[3], args[4],
                          args[5]);
}

void *__wrap_mmap(void *at, size_t size, int protection, int flags, int fd,
                  off_t offset)
{
    if (fd >= 0 && calls.map_that_fails > 0 && --calls.map_that_fails == 0) {
        errno = ENOMEM;
        return MAP_FAILED;
    }

    void *map = __real_mmap(at, size, protection, flags, fd, offset);

    if (fd >= 0 && offset == (off_t)IORING_OFF_SQES)
        entries = map;
    return map;
}

ssize_t __wrap_send(int fd, const void *data, size_t size, int flags)
{
    calls.alone++;
    return __real_send(fd, data, size, flags);
}

ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags)
{
    calls.alone++;
    if (calls.alone_error)
        return fails(once(&calls.alone_error));
    return __real_sendmsg(fd, message, flags);
}

/* NOLINTEND */
