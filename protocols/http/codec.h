/* SPDX-License-Identifier: MIT */
/*
 * codec.h: bytes to messages and back, for the server and the client.
 *
 * A message arrives in pieces, in a buffer of the caller's. Its head is parsed
 * in place, without a copy, as soon as it is complete; what is wrong is refused
 * as soon as it is seen. Then a body decoder says, piece by piece, which of the
 * bytes that follow are content.
 *
 *     sill_http_head_init(&head, SILL_HTTP_REQUEST, headers, &limits);
 *     while ((got = sill_http_head_parse(&head, buffer, filled)) == 0)
 *         read more behind (filled);
 *     sill_http_body_init(&body, &head);
 *     while (sill_http_body_next(&body, ...) ...)
 *
 * It is as strict as RFC 9112 allows: lines end in CR LF, nothing is guessed
 * or repaired, and a message about whose end two readers could disagree is an
 * error. How it is fed does not matter: whole or byte by byte, the result is
 * the same. It does no I/O, allocates nothing and has no clock.
 *
 * Errors   codes of enum sill_http_error; after one the message is over.
 */
#ifndef SILL_HTTP_CODEC_H
#define SILL_HTTP_CODEC_H

#include "sill_http_message.h"

/*
 * Makes (head) ready to parse a new message.
 *
 * headers   room for limits->headers of them, the caller's while the head is
 *           used. It is not read before it is written.
 * limits    kept, not copied.
 *
 * For a response, set head->method to the method of its request afterwards
 * (it is GET): the answer to a HEAD has no body, whatever it says.
 */
void sill_http_head_init(struct sill_http_head *head, enum sill_http_kind kind,
                         struct sill_http_header *headers,
                         const struct sill_http_limits *limits);

/*
 * Goes on parsing the head that begins at (data), of which (size) bytes are
 * there now: at least as many as in the call before, and the same ones. The
 * buffer may have moved since.
 *
 * Returns how many bytes the head takes, the empty line at its end included;
 * 0 when it is not complete; or an error. Then, and only then, all of (head)
 * is valid. Once complete, it must not be called again before init.
 *
 * One empty line before a request is passed over. No head takes more than
 * limits->line + limits->header_bytes + 2 bytes, and no trailers more than
 * limits->trailer_bytes, so that a buffer of this size is always enough.
 */
SILL_MUST_CHECK ssize_t sill_http_head_parse(struct sill_http_head *head,
                                             const char *data, size_t size);

/*
 * Says that the complete (head) now begins at (data): moves its views along
 * when the bytes were moved or copied.
 */
void sill_http_head_move(struct sill_http_head *head, const char *data);

/* The decoder of one message's content. */
struct sill_http_body {
    enum sill_http_framing framing;
    bool ended; /* nothing of the message is left */
    /* private */
    uint8_t state;
    int error;
    uint32_t line, line_max, extensions;
    uint64_t left;  /* of the length or of the present chunk */
    uint64_t total; /* that may still come before the bound is passed */
};

/* What the decoder found. */
enum sill_http_found {
    SILL_HTTP_MORE,    /* nothing: it needs more bytes */
    SILL_HTTP_PIECE,   /* a piece of content */
    SILL_HTTP_TRAILER, /* the trailers begin: parse them as a head */
    SILL_HTTP_END      /* the end of the message */
};

/* Makes (body) ready for what follows the complete (head). */
void sill_http_body_init(struct sill_http_body *body,
                         const struct sill_http_head *head);

/*
 * Looks for content in the (size) bytes at (data), which follow those that
 * were taken before.
 *
 * piece   receives the content found, a view into (data); empty for all
 *         results but SILL_HTTP_PIECE.
 * taken   receives how many of the bytes are done with, framing included; the
 *         rest must be given again. The decoder is never ahead of (taken).
 *
 * Returns
 *
 *   SILL_HTTP_MORE      when all of (data) was taken and the end is not reached
 *   SILL_HTTP_PIECE     with at least one byte in (piece)
 *   SILL_HTTP_TRAILER   after the last chunk. Parse what follows with a head of
 *                       the kind SILL_HTTP_TRAILERS (two bytes, CR LF, when
 *                       there are none), take it, and call
 *                       sill_http_body_end. Returned again until then
 *   SILL_HTTP_END       and again, every time after, with nothing taken
 *   an error            and again, every time after, for chunked content
 *
 * Chunk extensions are passed over; more than 16 KiB of them in one message
 * are SILL_HTTP_ECHUNK_LINE.
 *
 * Content without an end (SILL_HTTP_UNTIL_CLOSE) ends when the connection
 * does: the caller knows.
 */
SILL_MUST_CHECK int sill_http_body_next(struct sill_http_body *body,
                                        const char *data, size_t size,
                                        struct sill_http_view *piece,
                                        size_t *taken);

/* Says that the trailers were taken, or that the connection ended where that
 * is the end. */
void sill_http_body_end(struct sill_http_body *body);

/*
 * Returns how many of the bytes that come next are content for certain, with
 * no framing between: they may be read straight to where they are wanted, and
 * sill_http_body_skip told of it. 0 when a chunk line or the end comes next.
 * Never more than the bound on the content allows.
 */
uint64_t sill_http_body_due(const struct sill_http_body *body);

/* Says that (count) bytes of what was due were read elsewhere. */
void sill_http_body_skip(struct sill_http_body *body, uint64_t count);

/*
 * Writes heads into a buffer. An error stays: what comes after it writes
 * nothing, so that one look at (error) at the end is enough.
 *
 *   SILL_HTTP_EROOM    the buffer is full
 *   SILL_HTTP_EMETHOD, SILL_HTTP_ETARGET, SILL_HTTP_ESTATUS
 *   SILL_HTTP_ENAME    a name that is no token
 *   SILL_HTTP_EVALUE   a value or reason with a control character, such as
 *                      CR, LF or NUL: nobody can split a message through it
 */
struct sill_http_encoder {
    char *data;
    size_t size, used;
    int error;
};

/* Writes into (data) of (size) bytes from now on. */
void sill_http_encoder_init(struct sill_http_encoder *encoder, void *data,
                            size_t size);

/* Writes "METHOD target HTTP/1.1". The target must not be empty and has
 * visible ASCII characters only. */
void sill_http_encode_request(struct sill_http_encoder *encoder,
                              struct sill_http_view method,
                              struct sill_http_view target);

/* Writes "HTTP/1.1 status reason"; a NULL (reason) means the usual phrase. */
void sill_http_encode_status(struct sill_http_encoder *encoder, int status,
                             struct sill_http_view reason);

/* Writes "name: value". */
void sill_http_encode_header(struct sill_http_encoder *encoder,
                             struct sill_http_view name,
                             struct sill_http_view value);

/* Writes "name: number", in decimal. */
void sill_http_encode_number(struct sill_http_encoder *encoder,
                             struct sill_http_view name, uint64_t number);

/* Writes the empty line that ends a head, or the trailers. */
void sill_http_encode_end(struct sill_http_encoder *encoder);

/* Writes the line before a chunk of (size) bytes; 0: the last chunk, after
 * which come the trailers. */
void sill_http_encode_chunk(struct sill_http_encoder *encoder, uint64_t size);

/* Copies (bytes) as they are: prepared header lines, content, the CR LF after
 * a chunk. The caller answers for them. */
void sill_http_encode_raw(struct sill_http_encoder *encoder,
                          struct sill_http_view bytes);

/* Returns whether (text) is a token, a header value, a Host (RFC 9110 sections
 * 5.6.2, 5.5, 7.2). */
bool sill_http_is_token(struct sill_http_view text);
bool sill_http_is_value(struct sill_http_view text);
bool sill_http_is_host(struct sill_http_view text);

#endif
