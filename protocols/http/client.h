/* SPDX-License-Identifier: MIT */
/*
 * client.h: what the client's files share: connections that are kept, and one
 * call from its URL to the last byte of its response.
 *
 * A call owns its buffers, a connection only its stream: between two calls
 * nothing is buffered, for what comes unasked makes a connection useless. The
 * head of a response stays at the begin of the buffer as long as the call
 * lives; its body passes through the window behind it:
 *
 *     in  | head | window: taken | here | room |
 *                ^head_size      ^begin ^end
 */
#ifndef SILL_HTTP_CLIENT_H
#define SILL_HTTP_CLIENT_H

#include "codec.h"
#include "sill_http.h"

enum {
    REQUEST_MAX = 256, /* our part of a request: all but method, URL, headers */
    WINDOW_MIN = 4096, /* least room for the body behind a head */
    TRAILERS_MAX = 4096, /* of a request */
    DRAINED_MAX = 65536, /* of a body that nobody read */
    INTERIM_MAX = 64     /* responses 1xx to one request */
};

/* One connection, idle or in the hands of a call. */
struct sill_http_connection {
    struct sill_http_connection *next;
    struct sill_stream stream;
    sill_time idle_since;
    uint16_t port;
    struct sill_http_view host;
    char name[]; /* the host, ended by NUL */
};

enum sill_http_stage {
    SILL_HTTP_SENDING,  /* the body, or the question whether to */
    SILL_HTTP_AWAITING, /* the head of the response */
    SILL_HTTP_ANSWERED
};

struct sill_http_call {
    struct sill_http_client *client;
    struct sill_http_connection *connection;
    struct sill_http_call_options options;
    enum sill_http_method method;
    struct sill_http_view method_text;
    struct sill_http_url url, first_url;
    struct sill_http_view url_text, first_url_text; /* allocated */

    char *out; /* the request's head, then its trailers */
    size_t out_size, out_used;
    uint64_t left; /* of a body that is streamed with a length */

    char *in;
    size_t in_size, head_size, begin, end;
    struct sill_http_head head, trailers;
    struct sill_http_header *headers, *trailer_headers;
    struct sill_http_body body;

    enum sill_http_stage stage;
    unsigned redirects, interims;
    int failure;  /* final */
    int unsent;   /* why the peer took less than the whole request */
    int error;    /* the codec's word for the failure */
    bool reused;  /* the connection had been kept */
    bool heard;   /* a byte of the response came */
    bool passed;  /* (head) is one of 1xx, and gone */
    bool settled; /* (head) is the one that the caller sees */
    bool sends_body, awaits_continue, has_trailers;
    sill_time continue_deadline;
};

/* client.c: takes a connection to call->url, kept or, when (fresh), new. */
int sill_http_connection_take(struct sill_http_call *call, bool fresh,
                              sill_time deadline);

/* client.c: keeps the call's connection for later, or closes it. */
void sill_http_connection_keep(struct sill_http_call *call);
void sill_http_connection_drop(struct sill_http_call *call);

/* call_send.c: connects and sends what can be sent at once. */
int sill_http_call_launch(struct sill_http_call *call, sill_time deadline);

/* call_send.c: the same again after (rc), when that may help. */
bool sill_http_call_may_move(const struct sill_http_call *call, int rc);
int sill_http_call_move(struct sill_http_call *call, sill_time deadline);

/* call_send.c: sends what is left of the request. */
int sill_http_call_finish(struct sill_http_call *call, sill_time deadline);

/* call_read.c: forgets what was read, for a new response. */
void sill_http_call_rewind(struct sill_http_call *call);

/* call_read.c: takes one head, interim or not. */
int sill_http_call_read_head(struct sill_http_call *call, sill_time deadline);

/* call_read.c: takes what has come of the body. Returns whether the connection
 * is at the end of it, and good. */
bool sill_http_call_drain(struct sill_http_call *call);

/* call.c: asks (url) from now on, an allocated text. */
int sill_http_call_aim(struct sill_http_call *call, struct sill_http_view url);

/* call.c: keeps the connection if that is in order, else closes it. */
void sill_http_call_leave(struct sill_http_call *call);

/* call_redirect.c: whether the response says where to go; goes there. */
bool sill_http_call_is_redirected(const struct sill_http_call *call);
int sill_http_call_redirect(struct sill_http_call *call, sill_time deadline);

/* Makes (rc) what the call returns from now on. */
static inline int sill_http_call_fail(struct sill_http_call *call, int rc)
{
    return call->failure = rc;
}

#endif
