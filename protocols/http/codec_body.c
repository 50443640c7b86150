/* SPDX-License-Identifier: MIT */
/*
 * Where the content of a message is, and where it ends.
 */
#include "codec.h"

#include "scan.h"

/* Of one message: nobody has a use for more. */
#define EXTENSIONS_MAX 16384

/* What comes next in chunked content. */
enum state {
    SIZE,      /* the first digit of a chunk size */
    DIGITS,    /* more of them */
    BLANK,     /* white space, only before an extension */
    EXTENSION, /* what follows the size, up to CR */
    LINE_END,  /* the LF of the chunk line */
    DATA,
    DATA_CR,
    DATA_LF,
    TRAILERS,
    FAILED
};

void sill_http_body_init(struct sill_http_body *body,
                         const struct sill_http_head *head)
{
    *body = (struct sill_http_body){
        .framing = head->framing,
        .ended = head->framing == SILL_HTTP_NO_BODY,
        .state = SIZE,
        .line_max = head->limits->chunk_line,
        .left = head->framing == SILL_HTTP_LENGTH ? head->content_length : 0,
        .total = head->limits->body,
    };
}

static int fail(struct sill_http_body *body, int error)
{
    body->state = FAILED;
    body->error = error;
    return error;
}

static int size_digit(struct sill_http_body *body, char c)
{
    if (!sill_http_is(c, SILL_HTTP_IS_HEX))
        return SILL_HTTP_ECHUNK;
    if (body->left >> 60 != 0)
        return SILL_HTTP_ECHUNK_SIZE;
    body->left = body->left << 4 | sill_http_hex(c);
    body->state = DIGITS;
    return 0;
}

static int line_byte(struct sill_http_body *body, char c, int otherwise)
{
    if (c == '\r')
        body->state = LINE_END;
    else if (c == ';')
        body->state = EXTENSION;
    else if (c == '\n')
        return SILL_HTTP_ENEWLINE;
    else
        return otherwise;
    return 0;
}

/* The size is complete: (body->left) bytes of data come. */
static int line_end(struct sill_http_body *body, char c)
{
    if (c != '\n')
        return SILL_HTTP_ENEWLINE;
    if (body->left > body->total)
        return SILL_HTTP_EBODY_SIZE;
    body->total -= body->left;
    body->line = 0;
    body->state = body->left > 0 ? DATA : TRAILERS;
    return 0;
}

static int blank_byte(struct sill_http_body *body, char c)
{
    if (c == ' ' || c == '\t')
        return 0;
    if (c != ';')
        return SILL_HTTP_ECHUNK;
    body->state = EXTENSION;
    return 0;
}

static int extension_byte(struct sill_http_body *body, char c)
{
    if (sill_http_is(c, SILL_HTTP_IS_TEXT))
        return 0;
    return line_byte(body, c, SILL_HTTP_ECHUNK_EXTENSION);
}

static int digit_or_end(struct sill_http_body *body, char c)
{
    if (sill_http_is(c, SILL_HTTP_IS_HEX))
        return size_digit(body, c);
    if (c == ' ' || c == '\t') {
        body->state = BLANK;
        return 0;
    }
    return line_byte(body, c, SILL_HTTP_ECHUNK);
}

static int data_end(struct sill_http_body *body, char c)
{
    bool first = body->state == DATA_CR;
    if (c != (first ? '\r' : '\n'))
        return SILL_HTTP_ECHUNK_END;
    body->state = first ? DATA_LF : SIZE;
    return 0;
}

/* Takes one byte of framing. */
static int frame_byte(struct sill_http_body *body, char c)
{
    switch (body->state) {
    case DATA_CR:
    case DATA_LF:
        return data_end(body, c);
    case SIZE:
        return size_digit(body, c);
    case DIGITS:
        return digit_or_end(body, c);
    case BLANK:
        return blank_byte(body, c);
    case EXTENSION:
        return extension_byte(body, c);
    default:
        return line_end(body, c);
    }
}

static bool is_in_line(const struct sill_http_body *body)
{
    return body->state <= LINE_END;
}

/* Counts a byte of framing. Returns whether there are too many. */
static bool is_too_long(struct sill_http_body *body)
{
    bool is_extension = body->state == BLANK || body->state == EXTENSION;
    if (is_in_line(body) && body->line++ == body->line_max)
        return true;
    return is_extension && body->extensions++ == EXTENSIONS_MAX;
}

/* Takes framing up to the next content, the trailers or the end of data. */
static int framing(struct sill_http_body *body, const char *data, size_t size,
                   size_t *taken)
{
    while (body->state != DATA && body->state != TRAILERS && *taken < size) {
        if (is_too_long(body))
            return fail(body, SILL_HTTP_ECHUNK_LINE);
        int rc = frame_byte(body, data[*taken]);
        if (rc < 0)
            return fail(body, rc);
        ++*taken;
    }
    return 0;
}

/* Shows up to body->left bytes of content. */
static int content(struct sill_http_body *body, const char *data, size_t size,
                   struct sill_http_view *piece, size_t *taken)
{
    size_t there = size - *taken;
    if (there == 0)
        return SILL_HTTP_MORE;
    piece->at = data + *taken;
    piece->size = there < body->left ? there : (size_t)body->left;
    *taken += piece->size;
    sill_http_body_skip(body, piece->size);
    return SILL_HTTP_PIECE;
}

static int chunked(struct sill_http_body *body, const char *data, size_t size,
                   struct sill_http_view *piece, size_t *taken)
{
    if (body->state == FAILED)
        return body->error;
    int rc = framing(body, data, size, taken);
    if (rc < 0)
        return rc;
    if (body->state == TRAILERS)
        return SILL_HTTP_TRAILER;
    if (body->state == DATA)
        return content(body, data, size, piece, taken);
    return SILL_HTTP_MORE;
}

int sill_http_body_next(struct sill_http_body *body, const char *data,
                        size_t size, struct sill_http_view *piece,
                        size_t *taken)
{
    *taken = 0;
    *piece = (struct sill_http_view){data, 0};
    if (body->ended)
        return SILL_HTTP_END;
    if (body->framing == SILL_HTTP_CHUNKED)
        return chunked(body, data, size, piece, taken);
    if (body->framing == SILL_HTTP_LENGTH)
        return content(body, data, size, piece, taken);
    if (body->total == 0 && size > 0)
        return SILL_HTTP_EBODY_SIZE;
    body->left = body->total;
    return content(body, data, size, piece, taken);
}

void sill_http_body_end(struct sill_http_body *body)
{
    body->ended = true;
}

uint64_t sill_http_body_due(const struct sill_http_body *body)
{
    if (body->ended)
        return 0;
    if (body->framing == SILL_HTTP_UNTIL_CLOSE)
        return body->total;
    if (body->framing == SILL_HTTP_LENGTH || body->state == DATA)
        return body->left;
    return 0;
}

void sill_http_body_skip(struct sill_http_body *body, uint64_t count)
{
    if (body->framing == SILL_HTTP_UNTIL_CLOSE) {
        body->total -= count;
        return;
    }
    body->left -= count;
    if (body->left > 0)
        return;
    if (body->framing == SILL_HTTP_LENGTH)
        body->ended = true;
    else
        body->state = DATA_CR;
}
