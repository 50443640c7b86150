/* SPDX-License-Identifier: MIT */
/*
 * sill_resp_message.h: what a RESP message is made of.
 *
 * RESP is what Redis and its clients speak, in two versions of which the second
 * one, RESP3, only adds types. A client sends commands, lists of strings; a
 * server answers each with a reply, a value that may hold others, and, in
 * RESP3, pushes values that nobody asked for.
 *
 * Here are the words that server, client and codec share: views into the bytes
 * of a message, values, the bounds that each message must keep, and the ways in
 * which one can be wrong. Nothing here allocates, suspends, or reads a clock.
 *
 * Source   The Redis serialization protocol specification (RESP2 and RESP3).
 */
#ifndef SILL_RESP_MESSAGE_H
#define SILL_RESP_MESSAGE_H

#include <sill/attributes.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

SILL_BEGIN

/* Some bytes of somebody else's buffer, not ended by NUL. (at) is NULL where
 * there is nothing to see; an empty view of something has a size of 0. */
struct sill_resp_view {
    const char *at;
    size_t size;
};

/* The view of a string literal, as an expression; and as an initialiser. */
#define SILL_RESP_VIEW(literal)                                                \
    ((struct sill_resp_view){literal, sizeof(literal) - 1})
#define SILL_RESP_VIEW_INIT(literal)                                           \
    {                                                                          \
        literal, sizeof(literal) - 1                                           \
    }

/* Returns the view of the string (text), which may be NULL. */
SILL_API struct sill_resp_view sill_resp_view(const char *text);

/* Returns whether (a) and (b) are the same bytes; are the same but for the
 * case of ASCII letters. */
SILL_API bool sill_resp_view_is_equal(struct sill_resp_view a,
                                      struct sill_resp_view b);
SILL_API bool sill_resp_view_is_alike(struct sill_resp_view a,
                                      struct sill_resp_view b);

/*
 * Reads all of (text) as an integer in decimal, written as RESP writes it: no
 * white space, no '+', no leading zero, no "-0".
 *
 * Returns whether it is one and fits (*number), which is else as it was.
 */
SILL_API bool sill_resp_integer(struct sill_resp_view text, int64_t *number);

/*
 * The most of everything that a peer may send. What is more is an error as soon
 * as it is seen. Each but (depth) is at least 1, and (message) at least (line).
 */
struct sill_resp_limits {
    uint32_t line;     /* bytes of a line that is no length or integer, its end
                          included: inline commands, simple strings, errors */
    uint32_t elements; /* arguments of a command; values of a reply in all */
    uint32_t depth;    /* of aggregates inside of each other; 0: none at all */
    uint64_t bulk;     /* bytes of one string */
    uint64_t message;  /* bytes of one command or reply in all */
};

/* Bounds that suit who has no reason for others; those of a line and a string
 * are redis-server's. */
#define SILL_RESP_LIMITS_INIT                                                  \
    {                                                                          \
        65536, 1048576, 32, 536870912, 1073741824                              \
    }

/* What a value is. Those from ARRAY on hold others. */
enum sill_resp_type {
    SILL_RESP_NULL,    /* of both versions, the null array too */
    SILL_RESP_STRING,  /* any bytes */
    SILL_RESP_SIMPLE,  /* a string without CR and LF, such as "OK" */
    SILL_RESP_ERROR,   /* its first word is the kind of error */
    SILL_RESP_INTEGER, /* 64 bits */
    SILL_RESP_BOOLEAN,
    SILL_RESP_DOUBLE,     /* as text: "-1.5e3", "inf", "nan" */
    SILL_RESP_BIG_NUMBER, /* as text: an integer of any size */
    SILL_RESP_VERBATIM,   /* a string whose format is known */
    SILL_RESP_ARRAY,
    SILL_RESP_MAP, /* key, value, key, value ... */
    SILL_RESP_SET,
    SILL_RESP_PUSH /* not a reply; never inside of another value */
};

/*
 * A value. One that holds others is followed by them, each with all that it
 * holds in turn: the values of [1, [2, 3], 4] are five in a row.
 */
struct sill_resp_value {
    enum sill_resp_type type;
    uint32_t
        count;     /* of the values that it holds; two for each pair of a map */
    uint32_t span; /* of the values in the row that are it or below it */
    int64_t integer; /* INTEGER; BOOLEAN: 0 or 1 */

    /* STRING, SIMPLE, ERROR, DOUBLE, BIG_NUMBER; of VERBATIM what comes after
     * the colon: the three letters before that are its format. */
    struct sill_resp_view text;
};

/*
 * Every way in which a message can be wrong, each with its own code. None of
 * them is a code of <sill/error.h>, where they are SILL_EMSGSIZE when they
 * speak of a bound here, and else SILL_EPROTO.
 */
enum sill_resp_error {
    SILL_RESP_EMULTIBULK = -2101, /* a count that is no number, or too large */
    SILL_RESP_EBULK = -2102,      /* a length that is no number, or too large */
    SILL_RESP_EDOLLAR = -2103,    /* an argument that does not begin with '$' */
    SILL_RESP_EBULK_END = -2104,  /* no CR LF after a string */
    SILL_RESP_ENEWLINE = -2105,   /* CR or LF without the other */
    SILL_RESP_EQUOTES = -2106,    /* an inline command with a quote too many */
    SILL_RESP_EINLINE = -2107,    /* an inline command over the bound */
    SILL_RESP_EMESSAGE = -2108,   /* a message, or a string of a reply, over the
                                     bound */
    SILL_RESP_ETYPE = -2109,      /* a value of no known type */
    SILL_RESP_ELINE = -2110,      /* a line over the bound */
    SILL_RESP_EINTEGER = -2111,   /* an integer that is none, or too large */
    SILL_RESP_EDOUBLE = -2112,    /* a double that is none */
    SILL_RESP_EBIG_NUMBER = -2113, /* a big number that is none */
    SILL_RESP_EBOOLEAN = -2114,    /* a boolean that is neither t nor f */
    SILL_RESP_ENULL = -2115,       /* a null with something in it */
    SILL_RESP_EVERBATIM = -2116,   /* a verbatim string without its format */
    SILL_RESP_EELEMENTS = -2117,   /* more values than the bound */
    SILL_RESP_EDEPTH = -2118,      /* deeper than the bound */
    SILL_RESP_EPUSH = -2119,       /* a push inside of another value */
    SILL_RESP_ESTREAMED = -2120,   /* a length of '?': not known here */
    SILL_RESP_EROOM = -2121        /* no fault of the message: more room, and it
                                      goes on */
};

/*
 * Says (error) in one short English phrase, as redis-server does behind
 * "Protocol error: " for those that it knows; "unknown error" for others.
 */
SILL_API const char *sill_resp_strerror(int error);

SILL_END

#endif
