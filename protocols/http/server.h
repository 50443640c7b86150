/* SPDX-License-Identifier: MIT */
/*
 * server.h: one connection of the server, and who does what with it.
 *
 * A connection has one exchange at a time, so they are one struct: its life is
 * connection.c's, the body of the request request.c's, the answer response.c's.
 *
 * While it is idle it has no buffers, and (head.headers) is NULL. Otherwise
 * bytes come in through one buffer. The head of the request stays where it is
 * while its handler runs; what follows it, from (body_begin), is the window
 * through which the body passes:
 *
 *     in  | done | head | window: taken | here | room |
 *                       ^body_begin     ^begin ^end
 *
 * Answers go out through another. Headers and trailers that the handler adds
 * wait GAP bytes behind its end, so that the status line, which is known
 * later, fits in front of them.
 */
#ifndef SILL_HTTP_SERVER_H
#define SILL_HTTP_SERVER_H

#include "codec.h"
#include "sill_http.h"

enum {
    GAP = 256,              /* status line, Date, Connection and framing */
    COALESCED_MAX = 16384,  /* answers gathered before a write */
    BODY_WINDOW_MIN = 4096, /* least room for the body behind a head */
    DISCARDED_MAX = 65536,  /* of a body that the handler left */
    LINGERED_MAX = 262144   /* read after an answer that ends it all */
};

/* Two heads may follow the gathered answers: headers, then trailers. */
#define OUT_SIZE ((size_t)COALESCED_MAX + 2 * (GAP + SILL_HTTP_RESPONSE_MAX))

enum phase { WAITING, BEGUN, COMPLETE };

/* What every request touches comes first, on few cache lines. */
struct sill_http_exchange {
    struct sill_connection base; /* idle: between two requests */
    struct sill_http_server *server;

    char *in, *out;
    size_t in_size, begin, end, body_begin;
    size_t out_used, added; /* (added): bytes of headers behind the gap */
    size_t out_before;      /* where the head of the answer begins */

    uint64_t left, sent;    /* bytes of the answer's body */
    sill_duration patience; /* that is left for the peer to take 64 KiB ... */
    size_t taken, pushed;   /* ... of which it took; by the last push */
    int status;
    enum phase phase;
    int unsound;      /* why the headers are not what the handler wanted */
    int broken;       /* the stream failed: nothing more can be sent */
    int body_failure; /* of the reader, final; with the status it deserves */
    int body_status;

    bool is_new;       /* nothing was read yet */
    bool keep;         /* the connection goes on after this exchange */
    bool linger;       /* the peer may still be sending when it ends */
    bool is_revocable; /* no byte of the answer was sent */
    bool has_body;     /* of the answer: not for HEAD, 204, 304 */
    bool is_chunked;   /* the answer */
    bool is_awaited;   /* the client waits for 100 (Continue) */
    bool has_trailers;
    bool peer_is_known;

    sill_time start, body_deadline;
    uint64_t received; /* of the content */
    struct sill_http_body body;
    struct sill_http_head head;

    struct sill_http_head trailers;
    struct sill_http_header *trailer_headers;
    struct sill_address peer;
};

/* connection.c: makes one, serves all its exchanges and frees it. */
struct sill_http_exchange *
sill_http_connection_open(struct sill_http_server *server);
void sill_http_connection_close(struct sill_http_exchange *x);
void sill_http_connection_run(struct sill_http_exchange *x);

/* buffers.c: gets buffers, and waits while there is no memory for them; returns
 * 0, or an error of sill_sleep. Gives them back; twice is harmless. Frees what
 * was set aside. */
int sill_http_buffers_take(struct sill_http_exchange *x);
void sill_http_buffers_give(struct sill_http_exchange *x);
void sill_http_buffers_free(struct sill_http_server *server);

/* buffers.c: the least room for a body behind its head. */
size_t sill_http_window_size(const struct sill_http_limits *limits);

/* request.c: makes the reader ready; drops what was not read. */
void sill_http_request_start(struct sill_http_exchange *x);
int sill_http_request_discard(struct sill_http_exchange *x);

/* response.c: makes the writer ready; ends the answer; answers for the
 * handler, instead of what it may have begun, while nothing was sent. */
void sill_http_response_start(struct sill_http_exchange *x);
int sill_http_response_end(struct sill_http_exchange *x);
int sill_http_response_reject(struct sill_http_exchange *x, int status);

/* response.c: sends what was gathered, and then (count) pieces; notes that what
 * was gathered is gone, or why it is not. */
int sill_http_response_push(struct sill_http_exchange *x, struct iovec *pieces,
                            size_t count, sill_time deadline);
int sill_http_response_pushed(struct sill_http_exchange *x, int rc);

/* response.c: takes (size) bytes off those that the body may still have, or
 * returns why it has none. */
int sill_http_response_claim(struct sill_http_exchange *x, uint64_t size);

/* response.c: until when the peer may take its time, and a wait until then has
 * ended; it took (count) bytes, of which every 64 KiB renew its time. */
sill_time sill_http_response_limit(struct sill_http_exchange *x);
void sill_http_response_waited(struct sill_http_exchange *x, sill_time limit);
void sill_http_response_taken(struct sill_http_exchange *x, size_t count);

static inline sill_time earlier(sill_time a, sill_time b)
{
    return a < b ? a : b;
}

#endif
