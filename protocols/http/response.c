/* SPDX-License-Identifier: MIT */
/*
 * response.c: how an answer is written. A head is assembled in the buffer for
 * output; short bodies join it there, long ones leave with it in one call.
 */
#include "server.h"

#include <sill/error.h>

#include <string.h>

#define PUT(at, literal) put(at, literal, sizeof(literal) - 1)

static char *put(char *at, const char *text, size_t size)
{
    memcpy(at, text, size);
    return at + size;
}

static char *put_number(char *at, uint64_t number)
{
    char digits[20], *digit = digits + sizeof(digits);
    do {
        *--digit = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    return put(at, digit, (size_t)(digits + sizeof(digits) - digit));
}

void sill_http_response_start(struct sill_http_exchange *x)
{
    x->phase = WAITING;
    x->is_revocable = true;
    x->out_before = x->out_used;
    x->status = 0;
    x->sent = 0;
    x->added = 0;
    x->unsound = 0;
    x->is_chunked = false;
    x->has_body = false;
}

/* Drops the first (done) bytes of (pieces). */
static void advance(struct iovec **pieces, size_t *count, size_t done)
{
    while (*count > 0 && done >= (*pieces)->iov_len) {
        done -= (*pieces)->iov_len;
        ++*pieces;
        --*count;
    }
    if (*count > 0) {
        (*pieces)->iov_base = (char *)(*pieces)->iov_base + done;
        (*pieces)->iov_len -= done;
    }
}

void sill_http_response_taken(struct sill_http_exchange *x, size_t count)
{
    x->pushed += count;
    x->taken += count;
    if (x->taken < 65536)
        return;
    x->taken = 0;
    x->patience = x->server->write_timeout;
}

sill_time sill_http_response_limit(struct sill_http_exchange *x)
{
    if (x->patience == x->server->write_timeout)
        x->taken = 0; /* what went before this wait renews nothing */
    return sill_after(x->patience);
}

void sill_http_response_waited(struct sill_http_exchange *x, sill_time limit)
{
    x->patience = limit - sill_now();
    if (x->patience < 0)
        x->patience = 0;
}

/* Writes what fits, and waits until something does. */
static ssize_t write_some(struct sill_http_exchange *x, struct iovec *pieces,
                          size_t count, sill_time deadline)
{
    sill_time limit = sill_http_response_limit(x);
    ssize_t done = sill_stream_writev(&x->base.stream, pieces, count,
                                      earlier(limit, deadline));
    sill_http_response_waited(x, limit);
    return done;
}

/*
 * Writes all (pieces). What one write waited is missing to the next, in a later
 * call too, or a peer that takes a few bytes now and then would never be too
 * slow. To try first without a deadline would save most writes the clock, and
 * cost them their place in the batch that leaves with those of other tasks.
 */
static int write_pieces(struct sill_http_exchange *x, struct iovec *pieces,
                        size_t count, sill_time deadline)
{
    advance(&pieces, &count, 0);
    while (count > 0) {
        ssize_t done = write_some(x, pieces, count, deadline);
        if (done < 0)
            return (int)done;
        advance(&pieces, &count, (size_t)done);
        sill_http_response_taken(x, (size_t)done);
    }
    return 0;
}

int sill_http_response_pushed(struct sill_http_exchange *x, int rc)
{
    x->broken = rc;
    if (x->broken == SILL_ETIMEDOUT)
        x->server->stats.late++;
    if (x->added > 0)
        memmove(x->out + GAP, x->out + x->out_used + GAP, x->added);
    x->out_used = 0;
    x->is_revocable = x->phase == WAITING;
    return rc;
}

int sill_http_response_push(struct sill_http_exchange *x, struct iovec *pieces,
                            size_t count, sill_time deadline)
{
    x->pushed = 0;
    if (x->broken != 0)
        return x->broken;

    struct iovec all[4] = {{x->out, x->out_used}};
    for (size_t i = 0; i < count; i++)
        all[i + 1] = pieces[i];
    return sill_http_response_pushed(x,
                                     write_pieces(x, all, count + 1, deadline));
}

static bool is_reserved(struct sill_http_view name)
{
    static const struct sill_http_view names[] = {
        SILL_HTTP_VIEW_INIT("Date"),
        SILL_HTTP_VIEW_INIT("Connection"),
        SILL_HTTP_VIEW_INIT("Content-Length"),
        SILL_HTTP_VIEW_INIT("Transfer-Encoding"),
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (name.size == names[i].size &&
            sill_http_view_is_alike(name, names[i]))
            return true;
    return false;
}

static int check_header(const struct sill_http_exchange *x,
                        struct sill_http_view name, struct sill_http_view value)
{
    bool is_possible = x->phase == WAITING ||
                       (x->phase == BEGUN && x->left == SILL_HTTP_NO_LENGTH);
    if (!is_possible || !sill_http_is_token(name) || is_reserved(name) ||
        !sill_http_is_value(value))
        return SILL_EINVAL;
    if (name.size > SILL_HTTP_RESPONSE_MAX ||
        value.size > SILL_HTTP_RESPONSE_MAX ||
        x->added + name.size + value.size + 4 > SILL_HTTP_RESPONSE_MAX)
        return SILL_EMSGSIZE;
    return 0;
}

int sill_http_response_header(struct sill_http_exchange *exchange,
                              const char *name, const char *value)
{
    struct sill_http_exchange *x = exchange;
    struct sill_http_view label = sill_http_view(name);
    struct sill_http_view text = sill_http_view(value);

    int rc = check_header(x, label, text);
    if (rc != 0) {
        x->unsound = x->unsound != 0 ? x->unsound : rc;
        return rc;
    }
    char *begin = x->out + x->out_used + GAP + x->added, *at = begin;
    at = put(at, label.at, label.size);
    at = PUT(at, ": ");
    at = put(at, text.at, text.size);
    at = PUT(at, "\r\n");
    x->added += (size_t)(at - begin);
    return 0;
}

#define OK_LINE "HTTP/1.1 200 OK\r\n"

/* Status line and date, anew each second. */
static void refresh(struct sill_http_server *server)
{
    int64_t second = sill_calendar();
    if (second == server->second)
        return;
    server->second = second;
    char *at = PUT(server->start, OK_LINE "Date: ");
    sill_http_date_format(second, at);
    PUT(at + SILL_HTTP_DATE_SIZE, "\r\n");
}

static char *put_start(char *at, struct sill_http_server *server, int status)
{
    enum { LINE = sizeof(OK_LINE) - 1, DATE = 6 + SILL_HTTP_DATE_SIZE + 2 };

    refresh(server);
    if (status == 200)
        return put(at, server->start, LINE + DATE);

    const char *reason = sill_http_reason(status);
    at = PUT(at, "HTTP/1.1 ");
    at = put_number(at, (uint64_t)status);
    *at++ = ' ';
    at = put(at, reason, strlen(reason));
    at = PUT(at, "\r\n");
    return put(at, server->start + LINE, DATE);
}

static bool is_bodiless(int status)
{
    return status == 204 || status == 304;
}

/* Decides how the peer will know where the answer ends. */
static void frame(struct sill_http_exchange *x, uint64_t length)
{
    /* Nobody goes through a body so long, if the handler does not. */
    bool is_left = sill_http_body_due(&x->body) > DISCARDED_MAX;
    if (x->server->service.draining || x->is_awaited || x->body_failure != 0 ||
        is_left)
        x->keep = false;
    x->has_body = !is_bodiless(x->status) && x->head.method != SILL_HTTP_HEAD;
    x->is_chunked = length == SILL_HTTP_NO_LENGTH && x->head.minor > 0 &&
                    !is_bodiless(x->status);
    if (length == SILL_HTTP_NO_LENGTH && !x->is_chunked && x->has_body)
        x->keep = false;
    x->left = length;
}

int sill_http_response_begin(struct sill_http_exchange *exchange, int status,
                             uint64_t length)
{
    struct sill_http_exchange *x = exchange;
    if (x->phase != WAITING)
        return SILL_EBUSY;
    if (status < 200 || status > 599)
        return SILL_EINVAL;
    if (x->unsound != 0)
        return x->unsound;

    x->status = status;
    x->out_before = x->out_used;
    frame(x, length);
    char *headers = x->out + x->out_used + GAP;
    char *at = put_start(x->out + x->out_used, x->server, status);
    if (!x->keep)
        at = PUT(at, "Connection: close\r\n");
    else if (x->head.minor == 0)
        at = PUT(at, "Connection: keep-alive\r\n");
    if (x->is_chunked) {
        at = PUT(at, "Transfer-Encoding: chunked\r\n");
    } else if (length != SILL_HTTP_NO_LENGTH && !is_bodiless(status)) {
        at = PUT(at, "Content-Length: ");
        at = put_number(at, length);
        at = PUT(at, "\r\n");
    }
    memmove(at, headers, x->added);
    at = PUT(at + x->added, "\r\n");
    x->out_used = (size_t)(at - x->out);
    x->added = 0;
    x->phase = BEGUN;
    return 0;
}

/* Pushes (pieces), of which that at (index) is the body's. */
static int push_body(struct sill_http_exchange *x, struct iovec *pieces,
                     size_t count, size_t index, sill_time deadline)
{
    size_t before = x->out_used, size = pieces[index].iov_len;
    for (size_t i = 0; i < index; i++)
        before += pieces[i].iov_len;
    int rc = sill_http_response_push(x, pieces, count, deadline);
    size_t taken = x->pushed > before ? x->pushed - before : 0;
    x->sent += taken < size ? taken : size;
    return rc;
}

static int write_chunk(struct sill_http_exchange *x, const void *data,
                       size_t size, sill_time deadline)
{
    char line[24];
    static char end[] = "\r\n";
    struct sill_http_encoder encoder;

    sill_http_encoder_init(&encoder, line, sizeof(line));
    sill_http_encode_chunk(&encoder, size);
    struct iovec pieces[] = {
        {line, encoder.used}, {(void *)(uintptr_t)data, size}, {end, 2}};
    return push_body(x, pieces, 3, 1, deadline);
}

int sill_http_response_claim(struct sill_http_exchange *x, uint64_t size)
{
    if (x->phase != BEGUN)
        return SILL_EINVAL;
    if (x->broken != 0)
        return x->broken;
    if (x->left == SILL_HTTP_NO_LENGTH || is_bodiless(x->status))
        return 0;
    if (size > x->left)
        return SILL_EMSGSIZE;
    x->left -= size;
    return 0;
}

int sill_http_response_write(struct sill_http_exchange *exchange,
                             const void *data, size_t size, sill_time deadline)
{
    struct sill_http_exchange *x = exchange;
    int rc = sill_http_response_claim(x, size);
    if (rc != 0 || size == 0 || !x->has_body)
        return rc;

    if (x->is_chunked)
        return write_chunk(x, data, size, deadline);
    if (x->left == 0 && x->out_used + size <= COALESCED_MAX) {
        memcpy(x->out + x->out_used, data, size);
        x->out_used += size;
        x->sent += size;
        return 0;
    }
    struct iovec piece = {(void *)(uintptr_t)data, size};
    return push_body(x, &piece, 1, 0, deadline);
}

int sill_http_response_send(struct sill_http_exchange *exchange, int status,
                            const void *body, size_t size, sill_time deadline)
{
    int rc = sill_http_response_begin(exchange, status, size);
    if (rc != 0)
        return rc;
    return sill_http_response_write(exchange, body, size, deadline);
}

int sill_http_response_flush(struct sill_http_exchange *exchange,
                             sill_time deadline)
{
    if (exchange->out_used == 0)
        return exchange->broken;
    return sill_http_response_push(exchange, NULL, 0, deadline);
}

static void end_chunks(struct sill_http_exchange *x)
{
    char *trailers = x->out + x->out_used + GAP;
    char *at = PUT(x->out + x->out_used, "0\r\n");
    memmove(at, trailers, x->added);
    at = PUT(at + x->added, "\r\n");
    x->out_used = (size_t)(at - x->out);
}

int sill_http_response_end(struct sill_http_exchange *x)
{
    if (x->phase != BEGUN)
        return SILL_EINVAL;
    if (x->unsound != 0)
        return x->unsound;
    x->phase = COMPLETE;
    if (!x->has_body)
        x->left = 0;
    else if (x->is_chunked)
        end_chunks(x);
    else if (x->left != SILL_HTTP_NO_LENGTH && x->left > 0)
        return SILL_EPROTO;
    x->added = 0;
    return 0;
}

int sill_http_response_reject(struct sill_http_exchange *x, int status)
{
    char text[80];
    if (x->phase != WAITING)
        x->out_used = x->out_before;
    sill_http_response_start(x);
    x->keep = false;
    sill_http_response_header(x, "Content-Type", "text/plain");

    const char *reason = sill_http_reason(status);
    char *at = put_number(text, (uint64_t)status);
    *at++ = ' ';
    at = put(at, reason, strlen(reason));
    *at++ = '\n';
    int rc = sill_http_response_send(x, status, text, (size_t)(at - text),
                                     SILL_NEVER);
    return rc != 0 ? rc : sill_http_response_end(x);
}
