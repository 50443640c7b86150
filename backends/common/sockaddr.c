/* SPDX-License-Identifier: MIT */
/*
 * Addresses and options of the system's sockets. See sockaddr.h.
 */
#include "sockaddr.h"

#include <sill/error.h>

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

static void from_ipv4(struct sockaddr_any *out, const struct sill_address *in)
{
    struct sockaddr_in *to = (struct sockaddr_in *)&out->storage;

    to->sin_family = AF_INET;
    to->sin_port = htons(in->port);
    memcpy(&to->sin_addr, in->u.ipv4, sizeof(in->u.ipv4));
    out->size = sizeof(*to);
}

static void from_ipv6(struct sockaddr_any *out, const struct sill_address *in)
{
    struct sockaddr_in6 *to = (struct sockaddr_in6 *)&out->storage;

    to->sin6_family = AF_INET6;
    to->sin6_port = htons(in->port);
    to->sin6_scope_id = in->scope_id;
    memcpy(&to->sin6_addr, in->u.ipv6, sizeof(in->u.ipv6));
    out->size = sizeof(*to);
}

/* A path ends with NUL, which counts; an abstract name does not. */
static void from_unix(struct sockaddr_any *out, const struct sill_address *in)
{
    struct sockaddr_un *to = (struct sockaddr_un *)&out->storage;
    size_t size = in->path_size;

    to->sun_family = AF_UNIX;
    memcpy(to->sun_path, in->u.path, size);
    if (size > 0 && in->u.path[0] != '\0')
        size++;
    out->size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
}

int sill_core_sockaddr_from(struct sockaddr_any *out,
                            const struct sill_address *in)
{
    memset(out, 0, sizeof(*out));
    switch (in->family) {
    case SILL_FAMILY_IPV4:
        from_ipv4(out, in);
        return 0;
    case SILL_FAMILY_IPV6:
        from_ipv6(out, in);
        return 0;
    case SILL_FAMILY_UNIX:
        if (in->path_size == 0 || in->path_size > SILL_UNIX_PATH_MAX)
            return SILL_EINVAL;
        from_unix(out, in);
        return 0;
    case SILL_FAMILY_NONE:
        break;
    }
    return SILL_EINVAL;
}

static void to_ipv4(struct sill_address *out, const struct sockaddr_any *in)
{
    const struct sockaddr_in *from = (const struct sockaddr_in *)&in->storage;

    out->family = SILL_FAMILY_IPV4;
    out->port = ntohs(from->sin_port);
    memcpy(out->u.ipv4, &from->sin_addr, sizeof(out->u.ipv4));
}

static void to_ipv6(struct sill_address *out, const struct sockaddr_any *in)
{
    const struct sockaddr_in6 *from = (const struct sockaddr_in6 *)&in->storage;

    out->family = SILL_FAMILY_IPV6;
    out->port = ntohs(from->sin6_port);
    out->scope_id = from->sin6_scope_id;
    memcpy(out->u.ipv6, &from->sin6_addr, sizeof(out->u.ipv6));
}

static void to_unix(struct sill_address *out, const struct sockaddr_any *in)
{
    const struct sockaddr_un *from = (const struct sockaddr_un *)&in->storage;
    size_t begin = offsetof(struct sockaddr_un, sun_path);
    size_t size = in->size > begin ? in->size - begin : 0;

    if (size == 0)
        return;
    out->family = SILL_FAMILY_UNIX;
    if (from->sun_path[0] != '\0')
        size = strnlen(from->sun_path, size);
    if (size > SILL_UNIX_PATH_MAX)
        size = SILL_UNIX_PATH_MAX;
    memcpy(out->u.path, from->sun_path, size);
    out->path_size = (uint16_t)size;
}

void sill_core_sockaddr_to(struct sill_address *out,
                           const struct sockaddr_any *in)
{
    memset(out, 0, sizeof(*out));
    if (in->size < sizeof(sa_family_t))
        return;
    if (in->storage.ss_family == AF_INET)
        to_ipv4(out, in);
    else if (in->storage.ss_family == AF_INET6)
        to_ipv6(out, in);
    else if (in->storage.ss_family == AF_UNIX)
        to_unix(out, in);
}

int sill_core_socket_local(int fd, struct sill_address *out)
{
    struct sockaddr_any any = {.size = sizeof(any.storage)};

    if (getsockname(fd, (struct sockaddr *)&any.storage, &any.size) < 0)
        return sill_error_from_errno(errno);
    sill_core_sockaddr_to(out, &any);
    return 0;
}

int sill_core_socket_peer(int fd, struct sill_address *out)
{
    struct sockaddr_any any = {.size = sizeof(any.storage)};

    if (getpeername(fd, (struct sockaddr *)&any.storage, &any.size) < 0)
        return sill_error_from_errno(errno);
    sill_core_sockaddr_to(out, &any);
    return 0;
}

static int set(int fd, int level, int name, int value)
{
    if (setsockopt(fd, level, name, &value, sizeof(value)) == 0)
        return 0;
    return sill_error_from_errno(errno);
}

static int set_options(int fd, const struct sill_address *address, int type,
                       const struct sill_socket_options *options)
{
    int rc = 0;

    if (address->family != SILL_FAMILY_UNIX && type == SOCK_STREAM &&
        !options->delay)
        rc = set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    if (rc == 0 && address->family == SILL_FAMILY_IPV6)
        rc = set(fd, IPPROTO_IPV6, IPV6_V6ONLY, options->ipv6_only);
    if (rc == 0 && options->reuse_port)
        rc = set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    if (rc == 0 && options->send_buffer > 0)
        rc = set(fd, SOL_SOCKET, SO_SNDBUF, options->send_buffer);
    if (rc == 0 && options->receive_buffer > 0)
        rc = set(fd, SOL_SOCKET, SO_RCVBUF, options->receive_buffer);
    return rc;
}

int sill_core_socket_open(const struct sill_address *address, int type,
                          const struct sill_socket_options *options)
{
    static const struct sill_socket_options defaults;
    static const int domains[] = {AF_UNSPEC, AF_INET, AF_INET6, AF_UNIX};
    int domain = domains[address->family];
    int fd = socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return sill_error_from_errno(errno);

    int rc = set_options(fd, address, type, options ? options : &defaults);

    if (rc < 0) {
        (void)close(fd);
        return rc;
    }
    return fd;
}
