/* SPDX-License-Identifier: MIT */
/*
 * Messages into bytes.
 */
#include "codec.h"

#include <string.h>

/* A type, a number of 64 bits, CR LF. */
enum { HEAD_MAX = 1 + 20 + 2 };

void sill_resp_encoder_init(struct sill_resp_encoder *encoder, void *data,
                            size_t size)
{
    *encoder =
        (struct sill_resp_encoder){.data = data, .size = size, .version = 2};
}

/* Returns whether there is room for (least) bytes. */
static bool has_room(struct sill_resp_encoder *e, size_t least)
{
    if (e->error != 0)
        return false;
    if (e->size - e->used >= least)
        return true;
    if (e->more != NULL && e->more(e, least))
        return true;
    e->error = SILL_RESP_EROOM;
    return false;
}

static void put(struct sill_resp_encoder *e, const void *data, size_t size)
{
    if (size > 0)
        memcpy(e->data + e->used, data, size);
    e->used += size;
}

/* Writes (type), (number) and CR LF to (head). Returns their size. */
static size_t write_head(char head[HEAD_MAX], char type, int64_t number)
{
    uint64_t rest = number < 0 ? -(uint64_t)number : (uint64_t)number;
    char digits[20];
    size_t first = sizeof(digits), used = 0;

    do {
        digits[--first] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    head[used++] = type;
    if (number < 0)
        head[used++] = '-';
    memcpy(head + used, digits + first, sizeof(digits) - first);
    used += sizeof(digits) - first;
    head[used++] = '\r';
    head[used++] = '\n';
    return used;
}

static void put_head(struct sill_resp_encoder *e, char type, int64_t number)
{
    e->used += write_head(e->data + e->used, type, number);
}

static void encode_head(struct sill_resp_encoder *e, char type, int64_t number)
{
    if (has_room(e, HEAD_MAX))
        put_head(e, type, number);
}

static void encode_line(struct sill_resp_encoder *e, char type,
                        struct sill_resp_view text)
{
    if (text.size > SIZE_MAX - 3 || !has_room(e, text.size + 3))
        return;
    put(e, &type, 1);
    char *line = e->data + e->used;
    put(e, text.at, text.size);
    for (size_t i = 0; i < text.size; i++)
        if (line[i] == '\r' || line[i] == '\n')
            line[i] = ' ';
    put(e, "\r\n", 2);
}

void sill_resp_encode_simple(struct sill_resp_encoder *encoder,
                             struct sill_resp_view text)
{
    encode_line(encoder, '+', text);
}

void sill_resp_encode_error(struct sill_resp_encoder *encoder,
                            struct sill_resp_view text)
{
    encode_line(encoder, '-', text);
}

void sill_resp_encode_integer(struct sill_resp_encoder *encoder, int64_t number)
{
    encode_head(encoder, ':', number);
}

void sill_resp_encode_string(struct sill_resp_encoder *encoder,
                             struct sill_resp_view bytes)
{
    if (bytes.size > INT64_MAX || !has_room(encoder, HEAD_MAX + bytes.size + 2))
        return;
    put_head(encoder, '$', (int64_t)bytes.size);
    put(encoder, bytes.at, bytes.size);
    put(encoder, "\r\n", 2);
}

void sill_resp_encode_verbatim(struct sill_resp_encoder *encoder,
                               const char format[3], struct sill_resp_view text)
{
    if (encoder->version < 3) {
        sill_resp_encode_string(encoder, text);
        return;
    }
    if (text.size > INT64_MAX - 4 ||
        !has_room(encoder, HEAD_MAX + 4 + text.size + 2))
        return;
    put_head(encoder, '=', (int64_t)text.size + 4);
    put(encoder, format, 3);
    put(encoder, ":", 1);
    put(encoder, text.at, text.size);
    put(encoder, "\r\n", 2);
}

/* Writes what RESP3 has, or (otherwise). */
static void encode_either(struct sill_resp_encoder *e, const char *text,
                          const char *otherwise)
{
    const char *line = e->version < 3 ? otherwise : text;
    size_t size = strlen(line);
    if (has_room(e, size))
        put(e, line, size);
}

void sill_resp_encode_null(struct sill_resp_encoder *encoder)
{
    encode_either(encoder, "_\r\n", "$-1\r\n");
}

void sill_resp_encode_null_array(struct sill_resp_encoder *encoder)
{
    encode_either(encoder, "_\r\n", "*-1\r\n");
}

void sill_resp_encode_boolean(struct sill_resp_encoder *encoder, bool truth)
{
    if (truth)
        encode_either(encoder, "#t\r\n", ":1\r\n");
    else
        encode_either(encoder, "#f\r\n", ":0\r\n");
}

void sill_resp_encode_double(struct sill_resp_encoder *encoder,
                             struct sill_resp_view text)
{
    if (encoder->version < 3)
        sill_resp_encode_string(encoder, text);
    else
        encode_line(encoder, ',', text);
}

void sill_resp_encode_big_number(struct sill_resp_encoder *encoder,
                                 struct sill_resp_view text)
{
    if (encoder->version < 3)
        sill_resp_encode_string(encoder, text);
    else
        encode_line(encoder, '(', text);
}

void sill_resp_encode_array(struct sill_resp_encoder *encoder, size_t count)
{
    encode_head(encoder, '*', (int64_t)count);
}

void sill_resp_encode_map(struct sill_resp_encoder *encoder, size_t count)
{
    if (encoder->version < 3)
        encode_head(encoder, '*', (int64_t)count * 2);
    else
        encode_head(encoder, '%', (int64_t)count);
}

void sill_resp_encode_set(struct sill_resp_encoder *encoder, size_t count)
{
    encode_head(encoder, encoder->version < 3 ? '*' : '~', (int64_t)count);
}

void sill_resp_encode_push(struct sill_resp_encoder *encoder, size_t count)
{
    encode_head(encoder, encoder->version < 3 ? '*' : '>', (int64_t)count);
}

void sill_resp_encode_command(struct sill_resp_encoder *encoder,
                              const struct sill_resp_view *args, size_t count)
{
    size_t before = encoder->used;
    sill_resp_encode_array(encoder, count);
    for (size_t i = 0; i < count; i++)
        sill_resp_encode_string(encoder, args[i]);
    if (encoder->error != 0)
        encoder->used = before;
}

/* Returns the end of what was written. */
static char *append(char *to, const char *text)
{
    size_t size = strlen(text);
    memcpy(to, text, size);
    return to + size;
}

void sill_resp_encode_refusal(struct sill_resp_encoder *encoder,
                              const struct sill_resp_command *command,
                              int error)
{
    char text[128], *end = append(text, "ERR Protocol error: ");
    end = append(end, sill_resp_strerror(error));
    if (error == SILL_RESP_EDOLLAR) {
        end = append(end, ", got '");
        *end++ = command->got;
        *end++ = '\'';
    }
    sill_resp_encode_error(encoder,
                           (struct sill_resp_view){text, (size_t)(end - text)});
}
