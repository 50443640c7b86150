/* SPDX-License-Identifier: MIT */
/*
 * Addresses as text. See <sill/address.h>.
 */
#include "text.h"

#include <sill/address.h>
#include <sill/error.h>

#include <arpa/inet.h>
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

static void add_number(struct sill_text *text, const char *before,
                       uint32_t number)
{
    char digits[SILL_TEXT_DIGITS];

    sill_text_add(text, before, sill_text_number(digits, number, 10));
}

static void add_ipv4(struct sill_text *text, const uint8_t ip[4])
{
    for (int i = 0; i < 4; i++)
        add_number(text, i == 0 ? "" : ".", ip[i]);
}

static unsigned group(const uint8_t ip[16], int i)
{
    return (unsigned)ip[2 * i] << 8 | ip[2 * i + 1];
}

/* Returns how many groups from the (i)-th on are 0. */
static int zeros(const uint8_t ip[16], int i)
{
    int count = 0;

    while (i + count < 8 && group(ip, i + count) == 0)
        count++;
    return count;
}

/* The first one of the longest runs of zeros, if it is of two at least. */
static int find_gap(const uint8_t ip[16])
{
    int gap = 8, most = 1;

    for (int i = 0; i < 8; i++) {
        if (zeros(ip, i) > most) {
            most = zeros(ip, i);
            gap = i;
        }
    }
    return gap;
}

static void add_groups(struct sill_text *text, const uint8_t ip[16])
{
    char digits[SILL_TEXT_DIGITS];
    int gap = find_gap(ip);
    int behind = gap + (gap < 8 ? zeros(ip, gap) : 0);

    for (int i = 0; i < 8; i++) {
        if (i == gap)
            sill_text_add(text, "::");
        if (i < gap || i >= behind)
            sill_text_add(text, i == 0 || i == behind ? "" : ":",
                          sill_text_number(digits, group(ip, i), 16));
    }
}

/* As RFC 5952 has it. inet_ntop would do, but for the printf in musl's. */
static void add_ipv6(struct sill_text *text, const struct sill_address *address)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    const uint8_t *ip = address->u.ipv6;

    if (memcmp(ip, mapped, sizeof(mapped)) == 0) {
        sill_text_add(text, "[::ffff:");
        add_ipv4(text, ip + sizeof(mapped));
    } else {
        sill_text_add(text, "[");
        add_groups(text, ip);
    }
    if (address->scope_id)
        add_number(text, "%", address->scope_id);
    add_number(text, "]:", address->port);
}

static void add_path(struct sill_text *text, const struct sill_address *address)
{
    char path[sizeof(address->u.path) + 1] = "";
    size_t size = address->path_size;
    bool is_abstract = size > 0 && address->u.path[0] == '\0';

    memcpy(path, address->u.path,
           size < sizeof(path) ? size : sizeof(path) - 1);
    sill_text_add(text, "unix:", is_abstract ? "@" : "", path + is_abstract);
}

char *sill_address_format(const struct sill_address *address, char *text,
                          size_t size)
{
    struct sill_text rest = {text, size};

    switch (address->family) {
    case SILL_FAMILY_IPV4:
        add_ipv4(&rest, address->u.ipv4);
        add_number(&rest, ":", address->port);
        break;
    case SILL_FAMILY_IPV6:
        add_ipv6(&rest, address);
        break;
    case SILL_FAMILY_UNIX:
        add_path(&rest, address);
        break;
    case SILL_FAMILY_NONE:
        sill_text_add(&rest, "unnamed");
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
