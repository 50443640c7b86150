/* SPDX-License-Identifier: MIT */
/*
 * The file of a Unix-domain socket. See sockets.h.
 */
#include "sockets.h"

#include <errno.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const char *path_of(const struct sockaddr_any *at)
{
    const struct sockaddr_un *address =
        (const struct sockaddr_un *)&at->storage;

    if (at->storage.ss_family != AF_UNIX || address->sun_path[0] == '\0')
        return NULL;
    return address->sun_path;
}

static int try_bind(int fd, const struct sockaddr_any *at)
{
    if (bind(fd, (const struct sockaddr *)&at->storage, at->size) == 0)
        return 0;
    return sill_error_from_errno(errno);
}

/*
 * Whether (path) is a socket that nobody has bound any more. Asked with a
 * socket of the other type: connecting it reaches nobody (EPROTOTYPE), so a
 * live listener sees no stray connection.
 */
static bool is_abandoned(const char *path, int type,
                         const struct sockaddr_any *at)
{
    int other = type == SOCK_STREAM ? SOCK_DGRAM : SOCK_STREAM;
    struct stat info;

    if (lstat(path, &info) < 0 || !S_ISSOCK(info.st_mode))
        return false;

    int fd = socket(AF_UNIX, other | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return false;

    int rc = connect(fd, (const struct sockaddr *)&at->storage, at->size);
    bool refused = rc < 0 && errno == ECONNREFUSED;

    (void)close(fd);
    return refused;
}

static void remember(struct unix_file *file, const char *path)
{
    struct stat info;

    if (stat(path, &info) < 0)
        return;
    file->device = info.st_dev;
    file->inode = info.st_ino;
}

int sill_core_unix_file_bind(struct unix_file *file, int fd, int type,
                             const struct sockaddr_any *at)
{
    const char *path = path_of(at);
    int rc = try_bind(fd, at);

    *file = (struct unix_file){0, 0};
    if (!path)
        return rc;
    if (rc == SILL_EADDRINUSE && is_abandoned(path, type, at)) {
        (void)unlink(path);
        rc = try_bind(fd, at);
    }
    if (rc == 0)
        remember(file, path);
    return rc;
}

void sill_core_unix_file_remove(const struct unix_file *file,
                                const struct sill_address *at)
{
    struct stat info;

    if (file->inode == 0 || lstat(at->u.path, &info) < 0)
        return;
    if (info.st_dev == file->device && info.st_ino == file->inode)
        (void)unlink(at->u.path);
}
