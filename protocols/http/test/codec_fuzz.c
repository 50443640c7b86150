/* SPDX-License-Identifier: MIT */
/*
 * The codec under libFuzzer: no input makes it read too far, and how an input
 * is cut changes nothing.
 *
 * The first byte says what the rest is, the second where it is cut.
 */
#include "../codec.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct sill_http_limits limits = {256, 8, 512, 32, 64, 4096};

static void must(bool truth)
{
    if (!truth)
        abort();
}

/* What a message came to: enough to see a difference. */
struct sum {
    ssize_t head;
    int found;
    uint64_t hash, content;
};

static void add(struct sum *sum, struct sill_http_view view)
{
    sum->hash = sum->hash * 31 + (view.at == NULL ? 7 : view.size);
    for (size_t i = 0; i < view.size; i++)
        sum->hash = (sum->hash ^ (uint8_t)view.at[i]) * 0x100000001b3;
}

static void add_head(struct sum *sum, const struct sill_http_head *head)
{
    add(sum, head->method_text);
    add(sum, head->target);
    add(sum, head->authority);
    add(sum, head->path);
    add(sum, head->query);
    add(sum, head->reason);
    for (size_t i = 0; i < head->header_count; i++) {
        add(sum, head->headers[i].name);
        add(sum, head->headers[i].value);
    }
    sum->hash = sum->hash * 31 + head->content_length;
    sum->hash = sum->hash * 31 + (uint64_t)head->framing;
    sum->hash = sum->hash * 31 + head->keep_alive * 2U + head->expects_continue;
}

/* Parses at most (size) bytes, (step) more each time, always in memory of
 * their own so that a byte too many is seen. */
static ssize_t parse(struct sill_http_head *head, char **memory,
                     const char *data, size_t size, size_t step)
{
    for (size_t there = step < size ? step : size;;) {
        char *copy = malloc(there + (there == 0));
        memcpy(copy, data, there);
        ssize_t rc = sill_http_head_parse(head, copy, there);
        free(*memory);
        *memory = copy;
        must(rc <= (ssize_t)there);
        if (rc != 0 || there == size)
            return rc;
        there = size - there < step ? size : there + step;
    }
}

static void decode(struct sum *sum, struct sill_http_body *body,
                   const char *data, size_t size, size_t step)
{
    do {
        size_t there = size < step ? size : step, taken;
        char *copy = malloc(there + (there == 0));
        struct sill_http_view piece;
        memcpy(copy, data, there);
        sum->found = sill_http_body_next(body, copy, there, &piece, &taken);
        must(taken <= there && piece.size <= taken);
        must(sum->found != SILL_HTTP_MORE || taken == there);
        must((sum->found == SILL_HTTP_PIECE) == (piece.size > 0));
        for (size_t i = 0; i < piece.size; i++)
            sum->content = sum->content * 31 + (uint8_t)piece.at[i] + 1;
        free(copy);
        data += taken;
        size -= taken;
    } while (sum->found == SILL_HTTP_PIECE ||
             (sum->found == SILL_HTTP_MORE && size > 0));
}

static struct sum message(enum sill_http_kind kind, const char *data,
                          size_t size, size_t step)
{
    struct sill_http_header headers[8];
    struct sill_http_head head;
    struct sill_http_body body;
    struct sum sum = {0};
    char *memory = NULL;
    sill_http_head_init(&head, kind, headers, &limits);
    sum.head = parse(&head, &memory, data, size, step);
    if (sum.head > 0) {
        add_head(&sum, &head);
        sill_http_body_init(&body, &head);
        decode(&sum, &body, data + sum.head, size - (size_t)sum.head, step);
    }
    free(memory);
    return sum;
}

static void messages(enum sill_http_kind kind, const char *data, size_t size,
                     size_t step)
{
    struct sum whole = message(kind, data, size, size + 1);
    struct sum cut = message(kind, data, size, step);
    must(whole.head == cut.head && whole.hash == cut.hash);
    must(whole.found == cut.found && whole.content == cut.content);
}

/* Whatever is given as a header, one line comes out, or none. */
static void encode(struct sill_http_view name, struct sill_http_view value)
{
    struct sill_http_encoder e;
    char out[512];
    sill_http_encoder_init(&e, out, sizeof(out));
    sill_http_encode_header(&e, name, value);
    if (e.error != 0)
        return;
    must(e.used >= 2 && memchr(out, '\n', e.used) == out + e.used - 1);
    must(memchr(out, '\r', e.used) == out + e.used - 2);
}

static void words(struct sill_http_view text)
{
    char out[256];
    int64_t seconds;
    struct sill_http_url url;
    struct sill_http_view list = text;
    while (sill_http_list_next(&list).at != NULL)
        continue;
    must(sill_http_percent_decode(text, out, sizeof(out)) <=
         (ssize_t)text.size);
    if (sill_http_date_parse(text, 0, &seconds) == 0) {
        sill_http_date_format(seconds, out);
        struct sill_http_view again = {out, SILL_HTTP_DATE_SIZE};
        int64_t same;
        must(sill_http_date_parse(again, 0, &same) == 0 && same == seconds);
    }
    if (sill_http_url_parse(&url, SILL_HTTP_VIEW("http://a/b/c?d")) != 0)
        abort();
    ssize_t size = sill_http_url_resolve(&url, text, out, sizeof(out));
    struct sill_http_view resolved = {out, (size_t)size};
    must(size < 0 || sill_http_url_parse(&url, resolved) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    struct sill_http_view text = {(const char *)data + 2, size - 2};
    size_t step = (size_t)data[1] % 64 + 1;
    if (data[0] % 4 < 3) {
        messages((enum sill_http_kind)(data[0] % 4), text.at, text.size, step);
        return 0;
    }
    size_t half = text.size / 2;
    words(text);
    encode((struct sill_http_view){text.at, half},
           (struct sill_http_view){text.at + half, text.size - half});
    return 0;
}
