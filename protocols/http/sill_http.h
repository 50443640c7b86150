/* SPDX-License-Identifier: MIT */
/*
 * sill_http.h: HTTP/1.1 in direct style, on whatever scheduler is linked.
 *
 *     static int hello(void *arg, struct sill_http_exchange *exchange)
 *     {
 *         sill_http_response_header(exchange, "Content-Type", "text/plain");
 *         return sill_http_response_send(exchange, 200, "Hello", 5,
 *                                        SILL_NEVER);
 *     }
 *     ...
 *     struct sill_http_server server = {.handler = hello};
 *     rc = sill_http_serve(&server, &listener, SILL_NEVER);
 *
 * As everywhere in sill, a call with a deadline may suspend the current task,
 * a call without one never does, and failures are the codes of <sill/error.h>.
 *
 * Source   RFC 9110 (semantics), RFC 9112 (messages).
 */
#ifndef SILL_HTTP_H
#define SILL_HTTP_H

#include "sill_http_message.h"

#include <sill/address.h>
#include <sill/attributes.h>
#include <sill/listener.h>
#include <sill/service.h>
#include <sill/stream.h>
#include <sill/time.h>
#include <sill/trigger.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

SILL_BEGIN

/* ------------------------------------------------------------------------
 * Server: one exchange
 *
 * A handler is called once for each request. It looks at the request, reads
 * the body if it wants to, and answers: in one piece with response_send, or
 * with response_begin and any number of response_write; returning ends it.
 *
 * What the peer does wrong never reaches the handler: requests that are
 * malformed, too large or too slow are answered by the server, and a call that
 * fails because of them says so with a code that the handler just returns.
 */

struct sill_http_exchange;
struct sill_http_spare;

/*
 * Answers the request of (exchange), which lives until this returns.
 *
 * Returns 0 or more when it was answered, or a SILL_E code: then, when no head
 * was sent yet, the server answers, with the status that belongs to the
 * failure of the body's reader (400, 408, 413) or else with 500; and otherwise
 * it closes the connection, so that the peer notices.
 */
typedef int sill_http_handler(void *arg, struct sill_http_exchange *exchange);

/*
 * Returns the head of the request, whose views live until the handler returns.
 * Never suspends.
 */
SILL_API const struct sill_http_head *
sill_http_request(const struct sill_http_exchange *exchange);

/*
 * Returns the value of the request's first header called (name), in any case,
 * or a view with a NULL (at). Never suspends.
 */
SILL_API struct sill_http_view
sill_http_request_header(const struct sill_http_exchange *exchange,
                         const char *name);

/*
 * Writes the address of the peer to (address).
 *
 * Returns 0, or SILL_ENOTCONN when it is gone. Never suspends.
 */
SILL_API SILL_MUST_CHECK int
sill_http_request_peer(struct sill_http_exchange *exchange,
                       struct sill_address *address);

/*
 * Reads up to (size) bytes of the body into (buffer), waiting until there is
 * at least one. The first call lets a client that sent "Expect: 100-continue"
 * begin.
 *
 * deadline   beside it the server's own one for the body holds.
 *
 * Returns how many, 0 at the end of the body and every time after, or
 *
 *   SILL_EMSGSIZE    longer than the server's limit
 *   SILL_EPROTO      chunks or trailers are malformed
 *   SILL_EOF         the peer ended in the middle
 *   SILL_ETIMEDOUT   (deadline), or the server's own
 *
 * or an error of sill_stream_read. All but the caller's own deadline and a
 * cancellation are final: later calls return the same.
 */
SILL_API SILL_MUST_CHECK ssize_t
sill_http_request_read(struct sill_http_exchange *exchange, void *buffer,
                       size_t size, sill_time deadline);

/*
 * Returns the value of the first trailer called (name), as
 * sill_http_request_header does. There are none before the body was read to
 * its end. Never suspends.
 */
SILL_API struct sill_http_view
sill_http_request_trailer(const struct sill_http_exchange *exchange,
                          const char *name);

/*
 * Adds a header to the response, or, once that has begun with an unknown
 * length, to its trailers, which clients of HTTP/1.0 never see.
 *
 * name, value   ended by NUL, copied. Date, Connection, Content-Length and
 *               Transfer-Encoding are the server's.
 *
 * Returns 0; or, and then response_send or response_begin return it too, or,
 * for a trailer, the exchange fails: it need not be looked at,
 *
 *   SILL_EINVAL     not a header name, a control character in the value, one of
 *                   the server's headers, or a trailer where none is possible
 *   SILL_EMSGSIZE   more than SILL_HTTP_RESPONSE_MAX bytes of them
 *
 * Never suspends.
 */
SILL_API int sill_http_response_header(struct sill_http_exchange *exchange,
                                       const char *name, const char *value);

/* The most that the headers of a response may take, in bytes. */
#define SILL_HTTP_RESPONSE_MAX 4096

/*
 * Answers with (status), the headers added so far, and the (size) bytes of
 * (body), which is sent or copied when this returns. Small answers to requests
 * that arrived together leave together, when the last one is given.
 *
 * status   200 to 599; 204 and 304 have no body, and (size) is ignored.
 *
 * Returns 0; SILL_EBUSY when there is an answer already; SILL_EINVAL for
 * another status; a failure of response_header; or an error of
 * sill_stream_write, after which the connection ends.
 */
SILL_API SILL_MUST_CHECK int
sill_http_response_send(struct sill_http_exchange *exchange, int status,
                        const void *body, size_t size, sill_time deadline);

/*
 * Begins an answer with (status) and the headers added so far. Nothing is sent
 * before the first write, or flush.
 *
 * length   of the body in bytes; SILL_HTTP_NO_LENGTH sends it in chunks, or, to
 *          HTTP/1.0, until the connection ends.
 *
 * Returns 0, SILL_EBUSY, SILL_EINVAL, or a failure of response_header. Never
 * suspends.
 */
SILL_API SILL_MUST_CHECK int
sill_http_response_begin(struct sill_http_exchange *exchange, int status,
                         uint64_t length);

/*
 * Sends (size) bytes of the body. For HEAD, 204 and 304 they are dropped, but
 * still counted.
 *
 * Returns 0; SILL_EINVAL before the begin; SILL_EMSGSIZE for more than the
 * length that was given, with nothing sent; or an error of sill_stream_write,
 * after which the connection ends.
 */
SILL_API SILL_MUST_CHECK int
sill_http_response_write(struct sill_http_exchange *exchange, const void *data,
                         size_t size, sill_time deadline);

/*
 * Is sill_http_response_write for (size) bytes of the file (fd), from its byte
 * (offset) on: see sill_stream_sendfile, also for what (fd) may be. Short ones
 * wait, as other short bodies do, until the answers before them leave.
 *
 * Returns 0; SILL_EINVAL before the begin; SILL_EMSGSIZE for more than the
 * length that was given, with nothing sent; SILL_EIO for a file that is shorter
 * than that, or was cut meanwhile, after which the connection ends unless the
 * rest of the length follows; or another error of sill_stream_sendfile, after
 * which it ends.
 */
SILL_API SILL_MUST_CHECK int
sill_http_response_file(struct sill_http_exchange *exchange, int fd,
                        uint64_t offset, uint64_t size, sill_time deadline);

/*
 * Sends what waits to be sent, the head of a response that has begun and
 * earlier answers among it.
 *
 * Returns 0, or an error of sill_stream_write, after which the connection ends.
 */
SILL_API SILL_MUST_CHECK int
sill_http_response_flush(struct sill_http_exchange *exchange,
                         sill_time deadline);

/* ------------------------------------------------------------------------
 * Server: all of them
 */

/* What is known of an exchange when it is over, for an access log. */
struct sill_http_record {
    const struct sill_http_head *request; /* NULL: there was no good one */
    const struct sill_address *peer;      /* family NONE: it is gone */
    int status;             /* as sent; 0: the connection ended before */
    uint64_t sent;          /* bytes of the body that left, or are about to */
    sill_duration duration; /* since its first byte was read */
};

/* How much was done. */
struct sill_http_stats {
    size_t open;          /* connections right now */
    uint64_t connections; /* accepted */
    uint64_t requests;    /* given to the handler */
    uint64_t rejected;    /* answered by the server: malformed, too large */
    uint64_t late;        /* given up because the peer was too slow */
    uint64_t failed;      /* the handler failed */
    uint64_t exhausted;   /* times that memory or descriptors were missing */
};

/*
 * A server. Zero it, set the handler and what else shall differ from the
 * defaults, and serve. It may serve again when that has returned.
 */
struct sill_http_server {
    sill_http_handler *handler;
    void *arg; /* the handler's and the log's */

    /* Called after each exchange; must not suspend. May be NULL. */
    void (*log)(void *arg, const struct sill_http_record *record);

    /* Ends the service when it is resumed, from a signal handler for example.
     * May be NULL. */
    struct sill_trigger *stop;

    /* 0 means the default, which is given behind. */
    sill_duration idle_timeout; /* between two requests; 60 s */
    sill_duration head_timeout; /* for a whole head; 10 s */
    sill_duration body_timeout; /* for a body, and ... ; 30 s */
    uint32_t body_rate;         /* ... a second more per so many bytes; 4 096 */
    sill_duration write_timeout;    /* waiting in all per 64 KiB sent; 30 s */
    sill_duration grace;            /* for requests in hand at the end; 10 s */
    size_t connections_max;         /* more wait to be accepted; 10 000 */
    struct sill_http_limits limits; /* each 0: as SILL_HTTP_LIMITS_INIT */

    struct sill_http_stats stats; /* to be read at any time */

    /* private */
    struct sill_service service;
    struct sill_http_spare *spare; /* buffers that nobody uses */
    unsigned spares;
    unsigned patient; /* new connections that need not be read at once */
    int64_t second;   /* of (start), since 1970 */
    char start[64];   /* of most responses: the status line and the date */
};

/*
 * Serves the connections of (listener), one task for each, until the server's
 * (stop) is resumed or (deadline). Then it drains: connections that have
 * arrived are taken, up to (connections_max), and (listener) is closed;
 * requests that have arrived are answered, with "Connection: close";
 * connections between two requests are closed as soon as all had time to look
 * for one, some 20 ms; and what is left after the grace is cancelled.
 *
 * A lack of descriptors or memory delays new connections, one of memory new
 * requests, too, and ends nothing. A connection between two requests holds no
 * buffers, where its stream can tell that something came (sill_stream_wait).
 *
 * Returns 0 when all connections have ended, or
 *
 *   SILL_ECANCELED   the caller was cancelled: so were all connections
 *   SILL_ENOMEM      it could not begin
 *   SILL_EINVAL      no handler
 *
 * In every case (listener) is closed.
 */
SILL_API SILL_MUST_CHECK int sill_http_serve(struct sill_http_server *server,
                                             struct sill_listener *listener,
                                             sill_time deadline);

/* ------------------------------------------------------------------------
 * Server: files
 */

/*
 * A folder that is served. Paths below it are all that can be reached: "..",
 * encoded slashes and symbolic links lead nowhere (404).
 */
struct sill_http_files {
    /* May be set after the open. */
    const char *index;      /* what a folder shows; NULL: "index.html" */
    bool links_are_allowed; /* follow symbolic links, wherever they lead */
    bool step_by_step;      /* look up paths as on systems without openat2(2) */

    /* private */
    int folder;
    bool is_open;
};

/*
 * Opens the folder (root).
 *
 * Returns 0, SILL_ENOENT (also: not a folder), SILL_EACCES, SILL_EMFILE or
 * SILL_EIO. Never suspends.
 */
SILL_API SILL_MUST_CHECK int sill_http_files_open(struct sill_http_files *files,
                                                  const char *root);

/* Closes it; twice and zeroed are harmless. Never suspends. */
SILL_API void sill_http_files_close(struct sill_http_files *files);

/*
 * Is a handler whose (files) is a struct sill_http_files: answers GET and HEAD
 * with regular files, their type by extension, ETag and Last-Modified,
 * conditions (RFC 9110 section 13) and ranges (section 14); sends those who
 * ask for a folder without its last slash there; shows a folder's index file.
 * 404 for what is not there, 403 for what may not be read or is not a regular
 * file. OPTIONS tells the methods (204, Allow); 405 with Allow for the others
 * that are known, 501 for those that are not.
 */
SILL_API int sill_http_files_handle(void *files,
                                    struct sill_http_exchange *exchange);

/*
 * Returns the content type of a file called (name), by its extension;
 * "application/octet-stream" when that is unknown. Never suspends.
 */
SILL_API const char *sill_http_files_type(const char *name);

/* ------------------------------------------------------------------------
 * Client: all calls
 */

/*
 * A client keeps connections between calls. Zero it, set what shall differ
 * from the defaults, and call. It serves the tasks of one loop.
 */
struct sill_http_client {
    /*
     * Finds out where (host) is: writes up to (room) addresses, the best one
     * first, and returns how many, or a SILL_E code. Their port is set by the
     * client. NULL: (host) is an address in numbers or "localhost"; SILL_ENOENT
     * for every other name.
     */
    int (*resolve)(void *arg, const char *host, struct sill_address *addresses,
                   size_t room, sill_time deadline);

    /*
     * Opens (stream) to (host), which is then not resolved: through a proxy,
     * for example. Returns 0 or a SILL_E code. NULL: sill_stream_connect.
     */
    int (*connect)(void *arg, struct sill_stream *stream, const char *host,
                   uint16_t port, sill_time deadline);

    void *arg; /* theirs */

    /* 0 means the default, which is given behind. */
    size_t idle_max;                /* connections kept for later; 32 */
    size_t idle_per_host;           /* of these, to one host and port; 4 */
    sill_duration idle_timeout;     /* kept no longer than this; 60 s */
    sill_duration continue_timeout; /* an answer to Expect is due; 1 s */
    struct sill_http_limits limits; /* each 0: as SILL_HTTP_LIMITS_INIT */

    /* How much was done; to be read at any time. */
    struct {
        size_t idle;          /* connections kept right now */
        uint64_t connections; /* opened */
        uint64_t reused;      /* times that one was used again */
        uint64_t retries;     /* times that one had died, and a call moved */
        uint64_t redirects;   /* followed */
    } stats;

    /* private */
    struct sill_http_connection *first_idle;
};

/* The most addresses of one host that are tried. */
#define SILL_HTTP_ADDRESSES_MAX 8

/* Closes the connections that (client) keeps; all its calls are closed. The
 * client may be used again. Never suspends. */
SILL_API void sill_http_client_close(struct sill_http_client *client);

/* ------------------------------------------------------------------------
 * Client: one call
 *
 *     rc = sill_http_call_open(&client, url, NULL, &call, deadline);
 *     if (rc == 0)
 *         rc = sill_http_call_response(call, &head, deadline);
 *     while (rc == 0 && (got = sill_http_call_read(call, buffer, size,
 *                                                  deadline)) > 0)
 *         ...
 *     sill_http_call_close(call);
 */

struct sill_http_call;

/*
 * What is asked for; a zeroed one, or NULL, is a GET. All that it points to
 * lives until the response has come, for it may be sent again.
 */
struct sill_http_call_options {
    const char *method; /* NULL: GET. CONNECT is refused */

    /* Host, Connection, Content-Length, Transfer-Encoding and Expect are the
     * client's. */
    const struct sill_http_header *headers;
    size_t header_count;

    const void *body; /* in one piece, or ... */
    size_t body_size;
    bool streams_body; /* ... by sill_http_call_write, and then ... */
    uint64_t length;   /* ... so long; SILL_HTTP_NO_LENGTH: in chunks */

    bool expects_continue;  /* ask before the body is sent */
    bool ends_connection;   /* the last call on its connection */
    unsigned redirects_max; /* followed; 0: a redirect is a response */
};

/*
 * Connects, or takes a connection that is kept, and sends the request's head
 * and, when it is in one piece, its body.
 *
 * url    http only, see sill_http_url_parse; copied.
 * call   receives the handle; NULL after a failure.
 *
 * A connection that was kept and turns out to be dead is replaced by a new one,
 * once, here or in response: only when no byte of the response has come, the
 * method is idempotent and the body is in one piece.
 *
 * Returns 0, or
 *
 *   SILL_EINVAL   no such URL, or method or headers that cannot be sent
 *   SILL_ENOENT   the host is not known
 *   SILL_ENOMEM   exhausted
 *
 * or an error of sill_stream_connect or sill_stream_write. A peer that takes
 * no more, but may have answered, is no failure yet: response says.
 */
SILL_API SILL_MUST_CHECK int
sill_http_call_open(struct sill_http_client *client, const char *url,
                    const struct sill_http_call_options *options,
                    struct sill_http_call **call, sill_time deadline);

/*
 * Sends (size) bytes of a body that is streamed. With Expect the first call
 * waits for the answer. A response is not read meanwhile: a peer that sends one
 * without taking the request stops the call until (deadline).
 *
 * Returns 0; SILL_EINVAL when none is; SILL_EMSGSIZE for more than the length
 * that was given, with nothing sent; SILL_EPIPE when the peer does not want it
 * and has answered: see the response; or another error of sill_stream_write,
 * which is final.
 */
SILL_API SILL_MUST_CHECK int sill_http_call_write(struct sill_http_call *call,
                                                  const void *data, size_t size,
                                                  sill_time deadline);

/*
 * Adds a trailer to a body that is sent in chunks.
 *
 * Returns 0, SILL_EINVAL (no such body, or cannot be sent), or SILL_EMSGSIZE
 * (more than 4 096 bytes of them). Never suspends.
 */
SILL_API SILL_MUST_CHECK int
sill_http_call_add_trailer(struct sill_http_call *call, const char *name,
                           const char *value);

/*
 * Ends the request and waits for the head of the response; responses of the
 * class 1xx are passed over, and redirects followed if that was asked for: 303
 * with GET (HEAD stays HEAD), 301 and 302 with GET when it was POST, else with
 * the same method and body. Authorization, Cookie and Proxy-Authorization go to
 * the first host and port only. A redirect without a Location, or of a body
 * that was streamed and would be sent again, is a response.
 *
 * head   receives it; it lives until the call is closed.
 *
 * Returns 0, and again every time after, or
 *
 *   SILL_EPROTO     the peer broke the protocol: see sill_http_call_error
 *   SILL_EMSGSIZE   more than a limit, or than redirects_max
 *   SILL_EOF        the peer ended before
 *   SILL_EINVAL     the streamed body is shorter than was said, so far
 *
 * or an error of call_open or sill_stream_read. SILL_EINVAL, and
 * SILL_ECANCELED and SILL_ETIMEDOUT while waiting for the peer's words, are not
 * final: a later call goes on. All others are.
 */
SILL_API SILL_MUST_CHECK int
sill_http_call_response(struct sill_http_call *call,
                        const struct sill_http_head **head, sill_time deadline);

/*
 * Reads up to (size) bytes of the response's body into (buffer), waiting until
 * there is at least one; after sill_http_call_response.
 *
 * Returns how many, 0 at the end of the body and every time after, or an error
 * as sill_http_call_response does; SILL_EINVAL before it.
 */
SILL_API SILL_MUST_CHECK ssize_t sill_http_call_read(
    struct sill_http_call *call, void *buffer, size_t size, sill_time deadline);

/*
 * Returns the value of the first trailer called (name), in any case, or a view
 * with a NULL (at); there are none before the body was read to its end. Never
 * suspends.
 */
SILL_API struct sill_http_view
sill_http_call_trailer(const struct sill_http_call *call, const char *name);

/* Returns the URL that was asked last, after redirects. Never suspends. */
SILL_API struct sill_http_view
sill_http_call_url(const struct sill_http_call *call);

/*
 * Returns what was wrong with what the peer sent, a code of enum
 * sill_http_error, after SILL_EPROTO or SILL_EMSGSIZE; 0 for no such error.
 * Never suspends.
 */
SILL_API int sill_http_call_error(const struct sill_http_call *call);

/*
 * Ends (call); NULL is harmless. Its connection is kept when all was sent and
 * read, or when little is left of the response and that has come already;
 * otherwise it is closed. Never suspends.
 */
SILL_API void sill_http_call_close(struct sill_http_call *call);

SILL_END

#endif
