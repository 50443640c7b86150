/* SPDX-License-Identifier: MIT */
/*
 * <sill/address.h>: where a stream, a listener or a datagram socket is.
 *
 * A value, copied freely: an IPv4 or IPv6 address with a port, or the path of
 * a Unix-domain socket. As text,
 *
 *     127.0.0.1:80   [::1]:80   [fe80::1%2]:80   unix:/run/x   unix:@abstract
 *
 * An IPv6 address is written as RFC 5952 has it. An unnamed one is shown as
 * "unnamed", which is not read.
 *
 * Nothing here looks up names or suspends.
 */
#ifndef SILL_ADDRESS_H
#define SILL_ADDRESS_H

#include <sill/attributes.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

SILL_BEGIN

enum sill_family {
    SILL_FAMILY_NONE, /* unnamed, such as the far end of a memory pair */
    SILL_FAMILY_IPV4,
    SILL_FAMILY_IPV6,
    SILL_FAMILY_UNIX
};

/* The longest path of a Unix-domain socket, in bytes. */
#define SILL_UNIX_PATH_MAX 107

/* Enough room for any address as text, with its NUL. */
#define SILL_ADDRESS_TEXT_MAX 128

struct sill_address {
    enum sill_family family;
    uint16_t port;      /* IPv4 and IPv6, in the byte order of this machine */
    uint32_t scope_id;  /* IPv6 */
    uint16_t path_size; /* UNIX: bytes of (path) in use, without a NUL */

    union {
        uint8_t ipv4[4];                   /* in network order */
        uint8_t ipv6[16];                  /* in network order */
        char path[SILL_UNIX_PATH_MAX + 1]; /* abstract: begins with NUL */
    } u;
};

/*
 * Reads (host), an IPv4 or IPv6 address in numbers (RFC 4291 section 2.2; no
 * brackets; a scope as %number), and (port).
 *
 * Returns 0, or SILL_EINVAL for anything else, names included.
 */
SILL_API SILL_MUST_CHECK int sill_address_ip(struct sill_address *address,
                                             const char *host, uint16_t port);

/*
 * Makes the address of the Unix-domain socket (path); a leading '@' means
 * Linux's abstract namespace.
 *
 * Returns 0, SILL_EINVAL for an empty path, or SILL_ENAMETOOLONG.
 */
SILL_API SILL_MUST_CHECK int sill_address_unix(struct sill_address *address,
                                               const char *path);

/*
 * Reads (text) in one of the forms above.
 *
 * Returns 0, SILL_EINVAL, or SILL_ENAMETOOLONG.
 */
SILL_API SILL_MUST_CHECK int sill_address_parse(struct sill_address *address,
                                                const char *text);

/*
 * Writes (address) as text into (text) of (size) bytes, cut to fit and always
 * ended by NUL when (size) is not 0. Returns (text).
 */
SILL_API char *sill_address_format(const struct sill_address *address,
                                   char *text, size_t size);

/* Returns whether (a) and (b) are the same place. */
SILL_API bool sill_address_is_equal(const struct sill_address *a,
                                    const struct sill_address *b);

SILL_END

#endif
