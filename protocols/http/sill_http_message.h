/* SPDX-License-Identifier: MIT */
/*
 * sill_http_message.h: what an HTTP/1.1 message is made of.
 *
 * The words that the server, the client and the codec share: views into the
 * bytes of a message, methods, headers, the parsed head of a request or a
 * response, the bounds that every message must keep, and the ways in which one
 * can be wrong. Helpers that need nothing but these are here too: finding a
 * header, dates, percent-decoding, URLs.
 *
 * Nothing here allocates, suspends, or reads a clock.
 *
 * Source   RFC 9110 (semantics), RFC 9112 (HTTP/1.1), RFC 3986 (URIs).
 */
#ifndef SILL_HTTP_MESSAGE_H
#define SILL_HTTP_MESSAGE_H

#include <sill/attributes.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

SILL_BEGIN

/* Some bytes of somebody else's buffer, not ended by NUL. (at) is NULL where
 * there is nothing to see; an empty view of something has a size of 0. */
struct sill_http_view {
    const char *at;
    size_t size;
};

/* The view of a string literal, as an expression; and as an initialiser. */
#define SILL_HTTP_VIEW(literal)                                                \
    ((struct sill_http_view){literal, sizeof(literal) - 1})
#define SILL_HTTP_VIEW_INIT(literal)                                           \
    {                                                                          \
        literal, sizeof(literal) - 1                                           \
    }

/* Returns the view of the string (text), which may be NULL. */
SILL_API struct sill_http_view sill_http_view(const char *text);

/* Returns whether (a) and (b) are the same bytes; are the same but for the
 * case of ASCII letters. */
SILL_API bool sill_http_view_is_equal(struct sill_http_view a,
                                      struct sill_http_view b);
SILL_API bool sill_http_view_is_alike(struct sill_http_view a,
                                      struct sill_http_view b);

/* The methods that have a meaning here; any other token is OTHER. */
enum sill_http_method {
    SILL_HTTP_OTHER,
    SILL_HTTP_GET,
    SILL_HTTP_HEAD,
    SILL_HTTP_POST,
    SILL_HTTP_PUT,
    SILL_HTTP_DELETE,
    SILL_HTTP_CONNECT,
    SILL_HTTP_OPTIONS,
    SILL_HTTP_TRACE,
    SILL_HTTP_PATCH
};

/* Returns the name of (method), such as "GET"; "" for OTHER. */
SILL_API const char *sill_http_method_name(enum sill_http_method method);

/* Returns the method called (name), in this very case, or OTHER. */
SILL_API enum sill_http_method
sill_http_method_find(struct sill_http_view name);

/* Returns whether repeating a request of (method) is harmless (RFC 9110
 * section 9.2.2). */
SILL_API bool sill_http_method_is_idempotent(enum sill_http_method method);

/* Returns the usual phrase for (status), such as "Not Found", or "". */
SILL_API const char *sill_http_reason(int status);

/* One header line; (value) has no white space around it. */
struct sill_http_header {
    struct sill_http_view name, value;
};

/*
 * The most of everything that a peer may send, in bytes where not said
 * otherwise. What is more is an error as soon as it is seen.
 */
struct sill_http_limits {
    uint32_t line;          /* request or status line, its CR LF included */
    uint32_t headers;       /* header lines in a head, and in the trailers */
    uint32_t header_bytes;  /* header lines of a head, the empty one too */
    uint32_t chunk_line;    /* size and extensions of a chunk, with CR LF; a
                               message has 16 KiB of extensions at most */
    uint32_t trailer_bytes; /* trailers, the empty line too */
    uint64_t body;          /* content of one message; UINT64_MAX: any */
};

/* Bounds that suit a server or a client that has no reason for others. */
#define SILL_HTTP_LIMITS_INIT                                                  \
    {                                                                          \
        8192, 64, 16384, 256, 4096, UINT64_MAX                                 \
    }

/* What a head is the head of. Trailers have header lines only. */
enum sill_http_kind {
    SILL_HTTP_REQUEST,
    SILL_HTTP_RESPONSE,
    SILL_HTTP_TRAILERS
};

/* How the target of a request is written (RFC 9112 section 3.2). */
enum sill_http_form {
    SILL_HTTP_ORIGIN,    /* /path?query */
    SILL_HTTP_ABSOLUTE,  /* http://host/path?query, also https */
    SILL_HTTP_AUTHORITY, /* host:port, with CONNECT only */
    SILL_HTTP_ASTERISK   /* *, with OPTIONS only */
};

/* Where the content ends (RFC 9112 section 6.3). */
enum sill_http_framing {
    SILL_HTTP_NO_BODY,
    SILL_HTTP_LENGTH,
    SILL_HTTP_CHUNKED,
    SILL_HTTP_UNTIL_CLOSE /* responses only */
};

/* (content_length) of a message without Content-Length. */
#define SILL_HTTP_NO_LENGTH UINT64_MAX

/*
 * A head, parsed. All views point into the buffer that it was parsed from
 * (or to constants), so they live as long as its bytes do.
 */
struct sill_http_head {
    enum sill_http_kind kind;
    int minor; /* HTTP/1.minor: 0 or 1 */

    /* Requests. In responses (method) is that of the request answered. */
    enum sill_http_method method;
    enum sill_http_form form;
    struct sill_http_view method_text; /* also when (method) is OTHER */
    struct sill_http_view target;      /* as sent */
    struct sill_http_view authority;   /* of the target, else Host */
    struct sill_http_view path;        /* as sent, at least "/"; "*" */
    struct sill_http_view query;       /* without '?'; NULL without one */

    /* Responses. */
    int status;
    struct sill_http_view reason;

    struct sill_http_header *headers;
    size_t header_count;

    enum sill_http_framing framing;
    uint64_t content_length;
    bool keep_alive;       /* the sender wants the connection to go on */
    bool expects_continue; /* the sender waits for 100 (Continue) */

    /* private */
    const char *base;
    const struct sill_http_limits *limits;
    size_t at, mark, start;
    uint8_t state, seen;
};

/*
 * Every way in which a message can be wrong, each with its own code. None of
 * them is a code of <sill/error.h>, where they are SILL_EPROTO, or
 * SILL_EMSGSIZE when it is a limit that was passed.
 */
enum sill_http_error {
    SILL_HTTP_EMETHOD = -2001,          /* the method is no token */
    SILL_HTTP_ETARGET = -2002,          /* no target that fits the method */
    SILL_HTTP_ELINE = -2003,            /* a start line of another shape */
    SILL_HTTP_EVERSION = -2004,         /* neither HTTP/1.0 nor HTTP/1.1 */
    SILL_HTTP_ELINE_SIZE = -2005,       /* a start line over the bound */
    SILL_HTTP_ESTATUS = -2006,          /* a status that is not 100 to 599 */
    SILL_HTTP_ENEWLINE = -2007,         /* CR or LF without the other */
    SILL_HTTP_ENAME = -2008,            /* a header name that is no token */
    SILL_HTTP_ENAME_SPACE = -2009,      /* white space before the colon */
    SILL_HTTP_EVALUE = -2010,           /* a control character in a value */
    SILL_HTTP_EFOLD = -2011,            /* a line that continues the last one */
    SILL_HTTP_EHEADERS = -2012,         /* more header lines than the bound */
    SILL_HTTP_EHEADER_SIZE = -2013,     /* more header bytes than the bound */
    SILL_HTTP_EHOST = -2014,            /* a Host that names none */
    SILL_HTTP_EHOST_NONE = -2015,       /* HTTP/1.1 without Host */
    SILL_HTTP_EHOST_TWICE = -2016,      /* more than one Host */
    SILL_HTTP_ELENGTH = -2017,          /* a Content-Length that is no number */
    SILL_HTTP_ELENGTH_TWICE = -2018,    /* more than one, even if equal */
    SILL_HTTP_ECODING = -2019,          /* a transfer coding not known here */
    SILL_HTTP_ECODING_LIST = -2020,     /* chunked not once, or not last */
    SILL_HTTP_ECODING_LENGTH = -2021,   /* together with Content-Length */
    SILL_HTTP_ECODING_VERSION = -2022,  /* in an HTTP/1.0 message */
    SILL_HTTP_EEXPECT = -2023,          /* not 100-continue */
    SILL_HTTP_EBODY_SIZE = -2024,       /* content over the bound */
    SILL_HTTP_ECHUNK = -2025,           /* a chunk size that is no number */
    SILL_HTTP_ECHUNK_SIZE = -2026,      /* a chunk size over 64 bits */
    SILL_HTTP_ECHUNK_LINE = -2027,      /* a chunk line over the bound */
    SILL_HTTP_ECHUNK_EXTENSION = -2028, /* a control character in one */
    SILL_HTTP_ECHUNK_END = -2029,       /* no CR LF after a chunk's data */
    SILL_HTTP_EROOM = -2030,            /* the buffer is too small */
    SILL_HTTP_EPERCENT = -2031,         /* a '%' without two digits */
    SILL_HTTP_EDATE = -2032,            /* not a date */
    SILL_HTTP_EURL = -2033              /* not an http URL, or too long */
};

/* Says (error) in one short English phrase; "unknown error" for others. */
SILL_API const char *sill_http_strerror(int error);

/* Returns the status that a server should answer a request that failed with
 * (error): 400, 413, 414, 417, 431, 501 or 505. */
SILL_API int sill_http_error_status(int error);

/*
 * Finds the first of (count) headers called (name), in any case.
 *
 * Returns its value, or a view with a NULL (at).
 */
SILL_API struct sill_http_view
sill_http_header_find(const struct sill_http_header *headers, size_t count,
                      const char *name);

/*
 * Returns whether (token) is an element, in any case, of the comma-separated
 * list that all headers called (name) make together.
 */
SILL_API bool sill_http_header_has(const struct sill_http_header *headers,
                                   size_t count, const char *name,
                                   const char *token);

/*
 * Takes the next element off the comma-separated (list), passing over empty
 * ones; commas inside quotes do not separate.
 *
 * Returns it without white space around it, or a NULL view at the end.
 */
SILL_API struct sill_http_view sill_http_list_next(struct sill_http_view *list);

/* The size of a date as text, without a NUL. */
#define SILL_HTTP_DATE_SIZE 29

/*
 * Writes the instant (seconds) since 1970 as an IMF-fixdate, such as
 * "Sun, 06 Nov 1994 08:49:37 GMT", to the SILL_HTTP_DATE_SIZE bytes of (text);
 * no NUL. Years before 1 and after 9999 become these.
 */
SILL_API void sill_http_date_format(int64_t seconds, char *text);

/*
 * Reads (text) in one of the three forms of RFC 9110 section 5.6.7.
 *
 * now       in seconds since 1970: a year of two digits is the latest one that
 *           is at most 50 years after it.
 * seconds   receives the instant, since 1970.
 *
 * Returns 0 or SILL_HTTP_EDATE. The day of the week is not compared.
 */
SILL_API SILL_MUST_CHECK int
sill_http_date_parse(struct sill_http_view text, int64_t now, int64_t *seconds);

/*
 * Writes (text) to (out) of (size) bytes with each %XX replaced by the byte it
 * stands for, NUL and '/' among them. They may be the same buffer.
 *
 * Returns how many bytes, or SILL_HTTP_EPERCENT or SILL_HTTP_EROOM.
 */
SILL_API SILL_MUST_CHECK ssize_t
sill_http_percent_decode(struct sill_http_view text, char *out, size_t size);

/* The longest URL, and the longest host in one. */
#define SILL_HTTP_URL_MAX  8000
#define SILL_HTTP_HOST_MAX 255

/* An absolute http URL, in pieces: views into its text. */
struct sill_http_url {
    struct sill_http_view host;   /* an IPv6 address without its brackets */
    struct sill_http_view target; /* path and query, as the request sends it;
                                     without a leading '/' where the URL has
                                     an empty path */
    uint16_t port;                /* 80 when it says none */
    bool is_ipv6;                 /* (host) stood in brackets */
};

/*
 * Takes (text), such as "http://host:8080/path?query#fragment", apart. The
 * fragment is dropped; user names and schemes other than http are refused.
 *
 * Returns 0 or SILL_HTTP_EURL.
 */
SILL_API SILL_MUST_CHECK int sill_http_url_parse(struct sill_http_url *url,
                                                 struct sill_http_view text);

/*
 * Writes the absolute URL that the (reference) means, seen from (base), to
 * (out) of (size) bytes (RFC 3986 section 5.2), without a fragment.
 *
 * Returns its size, or SILL_HTTP_EURL or SILL_HTTP_EROOM.
 */
SILL_API SILL_MUST_CHECK ssize_t
sill_http_url_resolve(const struct sill_http_url *base,
                      struct sill_http_view reference, char *out, size_t size);

SILL_END

#endif
