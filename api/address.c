/* SPDX-License-Identifier: MIT */
/*
 * Addresses as text. See <sill/address.h>.
 */
#include <sill/address.h>
#include <sill/error.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HOST_MAX = 64 };

static bool read_number(const char *text, unsigned long most,
                        unsigned long *value)
{
    *value = 0;
    if (*text == '\0')
        return false;
    for (; *text >= '0' && *text <= '9'; text++) {
        *value = 10 * *value + (unsigned long)(*text - '0');
        if (*value > most)
            return false;
    }
    return *text == '\0';
}

/* What follows the '%'. */
static bool read_scope(const char *text, uint32_t *scope)
{
    unsigned long value;

    if (!read_number(text, UINT32_MAX, &value))
        return false;
    *scope = (uint32_t)value;
    return true;
}

static int read_ipv6(struct sill_address *address, const char *host)
{
    char bare[HOST_MAX];
    const char *scope = strchr(host, '%');
    size_t size = scope ? (size_t)(scope - host) : strlen(host);

    if (size >= sizeof(bare))
        return SILL_EINVAL;
    memcpy(bare, host, size);
    bare[size] = '\0';
    if (inet_pton(AF_INET6, bare, address->u.ipv6) != 1)
        return SILL_EINVAL;
    if (scope && !read_scope(scope + 1, &address->scope_id))
        return SILL_EINVAL;
    address->family = SILL_FAMILY_IPV6;
    return 0;
}

int sill_address_ip(struct sill_address *address, const char *host,
                    uint16_t port)
{
    memset(address, 0, sizeof(*address));
    address->port = port;
    if (inet_pton(AF_INET, host, address->u.ipv4) == 1) {
        address->family = SILL_FAMILY_IPV4;
        return 0;
    }
    return read_ipv6(address, host);
}

int sill_address_unix(struct sill_address *address, const char *path)
{
    size_t size = strlen(path);

    memset(address, 0, sizeof(*address));
    if (size == 0 || (size == 1 && path[0] == '@'))
        return SILL_EINVAL;
    if (size > SILL_UNIX_PATH_MAX)
        return SILL_ENAMETOOLONG;
    address->family = SILL_FAMILY_UNIX;
    address->path_size = (uint16_t)size;
    memcpy(address->u.path, path, size);
    if (path[0] == '@')
        address->u.path[0] = '\0';
    return 0;
}

/* Splits "host:port" or "[host]:port". */
static int split(const char *text, char host[HOST_MAX], uint16_t *port)
{
    bool bracketed = text[0] == '[';
    const char *colon = strrchr(text, ':');
    unsigned long value;

    if (!colon || !read_number(colon + 1, UINT16_MAX, &value))
        return SILL_EINVAL;

    const char *begin = bracketed ? text + 1 : text;
    const char *end = bracketed ? colon - 1 : colon;

    if (end <= begin || end - begin >= HOST_MAX || (bracketed && *end != ']'))
        return SILL_EINVAL;
    memcpy(host, begin, (size_t)(end - begin));
    host[end - begin] = '\0';
    *port = (uint16_t)value;
    return bracketed == (strchr(host, ':') != NULL) ? 0 : SILL_EINVAL;
}

int sill_address_parse(struct sill_address *address, const char *text)
{
    char host[HOST_MAX];
    uint16_t port;

    if (strncmp(text, "unix:", 5) == 0)
        return sill_address_unix(address, text + 5);
    memset(address, 0, sizeof(*address));
    if (split(text, host, &port) < 0)
        return SILL_EINVAL;
    return sill_address_ip(address, host, port);
}

static void format_ipv6(const struct sill_address *address, char *text,
                        size_t size)
{
    char host[INET6_ADDRSTRLEN];
    char scope[16] = "";

    (void)inet_ntop(AF_INET6, address->u.ipv6, host, sizeof(host));
    if (address->scope_id)
        (void)snprintf(scope, sizeof(scope), "%%%u",
                       (unsigned)address->scope_id);
    (void)snprintf(text, size, "[%s%s]:%u", host, scope,
                   (unsigned)address->port);
}

char *sill_address_format(const struct sill_address *address, char *text,
                          size_t size)
{
    const uint8_t *ip = address->u.ipv4;
    bool abstract = address->path_size > 0 && address->u.path[0] == '\0';

    switch (address->family) {
    case SILL_FAMILY_IPV4:
        (void)snprintf(text, size, "%u.%u.%u.%u:%u", ip[0], ip[1], ip[2], ip[3],
                       (unsigned)address->port);
        break;
    case SILL_FAMILY_IPV6:
        format_ipv6(address, text, size);
        break;
    case SILL_FAMILY_UNIX:
        (void)snprintf(text, size, "unix:%s%.*s", abstract ? "@" : "",
                       address->path_size - abstract,
                       address->u.path + abstract);
        break;
    case SILL_FAMILY_NONE:
        (void)snprintf(text, size, "unnamed");
        break;
    }
    return text;
}

bool sill_address_is_equal(const struct sill_address *a,
                           const struct sill_address *b)
{
    if (a->family != b->family)
        return false;
    switch (a->family) {
    case SILL_FAMILY_IPV4:
        return a->port == b->port && memcmp(a->u.ipv4, b->u.ipv4, 4) == 0;
    case SILL_FAMILY_IPV6:
        return a->port == b->port && a->scope_id == b->scope_id &&
               memcmp(a->u.ipv6, b->u.ipv6, 16) == 0;
    case SILL_FAMILY_UNIX:
        return a->path_size == b->path_size &&
               memcmp(a->u.path, b->u.path, a->path_size) == 0;
    case SILL_FAMILY_NONE:
        break;
    }
    return true;
}
