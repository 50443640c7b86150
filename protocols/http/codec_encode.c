/* SPDX-License-Identifier: MIT */
/*
 * Heads and chunk lines, written so that nobody can slip a line of their own
 * into them.
 */
#include "codec.h"

#include "scan.h"

void sill_http_encoder_init(struct sill_http_encoder *encoder, void *data,
                            size_t size)
{
    *encoder = (struct sill_http_encoder){data, size, 0, 0};
}

static void fail(struct sill_http_encoder *encoder, int error)
{
    if (encoder->error == 0)
        encoder->error = error;
}

/* Returns where (size) bytes go, which count as written; or NULL. */
static char *room(struct sill_http_encoder *encoder, size_t size)
{
    if (encoder->error == 0 && encoder->size - encoder->used < size)
        encoder->error = SILL_HTTP_EROOM;
    if (encoder->error != 0)
        return NULL;
    char *at = encoder->data + encoder->used;
    encoder->used += size;
    return at;
}

static char *copy(char *at, struct sill_http_view text)
{
    if (text.size > 0)
        memcpy(at, text.at, text.size);
    return at + text.size;
}

void sill_http_encode_raw(struct sill_http_encoder *encoder,
                          struct sill_http_view bytes)
{
    char *at = room(encoder, bytes.size);
    if (at != NULL)
        copy(at, bytes);
}

void sill_http_encode_request(struct sill_http_encoder *encoder,
                              struct sill_http_view method,
                              struct sill_http_view target)
{
    const struct sill_http_view version = SILL_HTTP_VIEW(" HTTP/1.1\r\n");
    const char *end = target.at + target.size;
    if (!sill_http_is_token(method))
        fail(encoder, SILL_HTTP_EMETHOD);
    if (target.size == 0 ||
        sill_http_skip(target.at, end, SILL_HTTP_IS_TARGET) != end)
        fail(encoder, SILL_HTTP_ETARGET);
    char *at = room(encoder, method.size + 1 + target.size + version.size);
    if (at == NULL)
        return;
    at = copy(at, method);
    *at++ = ' ';
    copy(copy(at, target), version);
}

void sill_http_encode_status(struct sill_http_encoder *encoder, int status,
                             struct sill_http_view reason)
{
    const struct sill_http_view version = SILL_HTTP_VIEW("HTTP/1.1 ");
    if (reason.at == NULL)
        reason = sill_http_view(sill_http_reason(status));
    if (status < 100 || status > 599)
        fail(encoder, SILL_HTTP_ESTATUS);
    if (!sill_http_is_value(reason))
        fail(encoder, SILL_HTTP_EVALUE);
    char *at = room(encoder, version.size + 4 + reason.size + 2);
    if (at == NULL)
        return;
    at = copy(at, version);
    *at++ = (char)('0' + status / 100);
    *at++ = (char)('0' + status / 10 % 10);
    *at++ = (char)('0' + status % 10);
    *at++ = ' ';
    copy(copy(at, reason), SILL_HTTP_VIEW("\r\n"));
}

void sill_http_encode_header(struct sill_http_encoder *encoder,
                             struct sill_http_view name,
                             struct sill_http_view value)
{
    if (!sill_http_is_token(name))
        fail(encoder, SILL_HTTP_ENAME);
    if (!sill_http_is_value(value))
        fail(encoder, SILL_HTTP_EVALUE);
    char *at = room(encoder, name.size + value.size + 4);
    if (at == NULL)
        return;
    at = copy(copy(at, name), SILL_HTTP_VIEW(": "));
    copy(copy(at, value), SILL_HTTP_VIEW("\r\n"));
}

/* Writes (number) in (base) so that it ends at (end); returns its begin. */
static char *number_before(char *end, uint64_t number, unsigned base)
{
    do
        *--end = "0123456789abcdef"[number % base];
    while ((number /= base) > 0);
    return end;
}

void sill_http_encode_number(struct sill_http_encoder *encoder,
                             struct sill_http_view name, uint64_t number)
{
    char text[20], *end = text + sizeof(text);
    char *at = number_before(end, number, 10);
    sill_http_encode_header(encoder, name,
                            (struct sill_http_view){at, (size_t)(end - at)});
}

void sill_http_encode_end(struct sill_http_encoder *encoder)
{
    sill_http_encode_raw(encoder, SILL_HTTP_VIEW("\r\n"));
}

void sill_http_encode_chunk(struct sill_http_encoder *encoder, uint64_t size)
{
    char text[18], *end = text + sizeof(text);
    memcpy(end - 2, "\r\n", 2);
    char *at = number_before(end - 2, size, 16);
    sill_http_encode_raw(encoder,
                         (struct sill_http_view){at, (size_t)(end - at)});
}
