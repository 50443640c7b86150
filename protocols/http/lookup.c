/* SPDX-License-Identifier: MIT */
/*
 * lookup.c: from a path in a request to an open file, and never to one outside
 * of the folder.
 */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef SYS_openat2
#include <linux/openat2.h>
#endif

/* O_NONBLOCK: a pipe without a writer must not stop the loop. */
#define FILE_FLAGS   (O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
#define FOLDER_FLAGS (O_RDONLY | O_CLOEXEC | O_DIRECTORY)

static bool has_encoded_slash(struct sill_http_view path)
{
    for (size_t i = 0; i + 2 < path.size; i++)
        if (path.at[i] == '%' && path.at[i + 1] == '2' &&
            (path.at[i + 2] | 0x20) == 'f')
            return true;
    return false;
}

static bool is_dots(const char *name, size_t size)
{
    return (size == 1 && name[0] == '.') ||
           (size == 2 && name[0] == '.' && name[1] == '.');
}

/*
 * Rewrites the decoded path in place: no slash at its begin, none twice, and
 * no "." or "..". Returns its length, or -1 for one with dots.
 */
static ssize_t normalize(char *path, size_t size)
{
    size_t used = 0, at = 0;
    while (at < size) {
        const char *slash = memchr(path + at, '/', size - at);
        size_t end = slash != NULL ? (size_t)(slash - path) : size;
        size_t length = end - at;
        if (is_dots(path + at, length))
            return -1;
        if (length > 0) {
            memmove(path + used, path + at, length);
            used += length;
            if (end < size)
                path[used++] = '/';
        }
        at = end + 1;
    }
    return (ssize_t)used;
}

/* Writes what (path) means below the folder to (name) of FILE_PATH_MAX bytes.
 * Returns 200, or the status that says why it means nothing. */
static int decode(const struct sill_http_files *files,
                  struct sill_http_view path, char *name)
{
    const char *index = files->index != NULL ? files->index : "index.html";
    if (has_encoded_slash(path))
        return 404;
    ssize_t size = sill_http_percent_decode(path, name, FILE_PATH_MAX - 1);
    if (size == SILL_HTTP_EROOM)
        return 404;
    if (size < 0 || memchr(name, '\0', (size_t)size) != NULL)
        return 400;
    size = normalize(name, (size_t)size);
    if (size < 0)
        return 404;
    name[size] = '\0';
    if (size > 0 && name[size - 1] != '/')
        return 200;
    if ((size_t)size + strlen(index) >= FILE_PATH_MAX)
        return 404;
    strcpy(name + size, index);
    return 200;
}

/* Follows (name) one step at a time, none of them a symbolic link. Returns a
 * descriptor or -errno. */
static int open_step_by_step(int folder, char *name)
{
    int at = folder, fd;
    for (;;) {
        char *slash = strchr(name, '/');
        if (slash != NULL)
            *slash = '\0';
        fd = openat(at, name,
                    (slash != NULL ? FOLDER_FLAGS : FILE_FLAGS) | O_NOFOLLOW);
        int error = errno;
        if (at != folder)
            close(at);
        if (slash != NULL)
            *slash = '/';
        if (fd < 0)
            return -error;
        if (slash == NULL)
            return fd;
        at = fd;
        name = slash + 1;
    }
}

#ifdef SYS_openat2
static int open_beneath(int folder, const char *name)
{
    struct open_how how = {
        .flags = FILE_FLAGS,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
    };
    long fd = syscall(SYS_openat2, folder, name, &how, sizeof(how));
    return fd < 0 ? -errno : (int)fd;
}
#else
static int open_beneath(int folder, const char *name)
{
    (void)folder;
    (void)name;
    return -ENOSYS;
}
#endif

static int open_name(struct sill_http_files *files, char *name)
{
    if (files->links_are_allowed) {
        int fd = openat(files->folder, name, FILE_FLAGS);
        return fd < 0 ? -errno : fd;
    }
    if (!files->step_by_step) {
        int fd = open_beneath(files->folder, name);
        if (fd != -ENOSYS && fd != -EAGAIN) /* EAGAIN: it met a rename */
            return fd;
        files->step_by_step = fd == -ENOSYS;
    }
    return open_step_by_step(files->folder, name);
}

static int status_of(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ELOOP:
    case EXDEV:
    case ENAMETOOLONG:
        return 404;
    case EACCES:
    case EPERM:
    case ENXIO: /* a socket, or a pipe's other side */
    case ENODEV:
        return 403;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
        return 503;
    default:
        return 500;
    }
}

static void describe(struct sill_http_file *file)
{
    static const char hex[] = "0123456789abcdef";
    uint64_t parts[] = {(uint64_t)file->status.st_mtim.tv_sec,
                        (uint64_t)file->status.st_mtim.tv_nsec,
                        (uint64_t)file->status.st_size};
    char *at = file->etag;

    *at++ = '"';
    for (size_t i = 0; i < 3; i++) {
        int shift = 60;
        while (shift > 0 && parts[i] >> shift == 0)
            shift -= 4;
        if (i > 0)
            *at++ = '-';
        for (; shift >= 0; shift -= 4)
            *at++ = hex[parts[i] >> shift & 15];
    }
    *at++ = '"';
    *at = '\0';
    sill_http_date_format((int64_t)file->status.st_mtim.tv_sec, file->modified);
    file->modified[SILL_HTTP_DATE_SIZE] = '\0';
}

int sill_http_file_open(struct sill_http_files *files,
                        struct sill_http_view path, struct sill_http_file *file)
{
    char name[FILE_PATH_MAX];
    int status = decode(files, path, name);
    if (status != 200)
        return status;
    do
        file->fd = open_name(files, name);
    while (file->fd == -EINTR);
    if (file->fd < 0)
        return status_of(-file->fd);

    status = 500;
    if (fstat(file->fd, &file->status) != 0)
        goto fail;
    status = S_ISDIR(file->status.st_mode) ? 301 : 403;
    if (!S_ISREG(file->status.st_mode))
        goto fail;
    file->type = sill_http_files_type(name);
    describe(file);
    return 200;

fail:
    close(file->fd);
    /* A folder in the place of an index is no folder to go on to. */
    if (status == 301 && path.at[path.size - 1] == '/')
        return 403;
    return status;
}

void sill_http_file_close(struct sill_http_file *file)
{
    close(file->fd);
}
