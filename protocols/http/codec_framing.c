/* SPDX-License-Identifier: MIT */
/*
 * Whose message it is, where it ends and what comes after it: the headers on
 * which two readers must never disagree.
 */
#include "framing.h"

#include "codec.h"
#include "scan.h"

/* What was seen, in head->seen. */
enum seen {
    SEEN_HOST = 1,
    SEEN_LENGTH = 2,
    SEEN_CODING = 4,
    SEEN_CLOSE = 8,
    SEEN_KEEP_ALIVE = 16,
    SEEN_CONTINUE = 32
};

/* Returns whether the token (name) is (wanted), in lower case; of one size. No
 * other character of a token becomes a letter or '-' this way. */
static inline bool is_called(const char *name, const char *wanted, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if ((name[i] | 0x20) != wanted[i])
            return false;
    return true;
}

static int known_host(struct sill_http_head *head, struct sill_http_view value)
{
    if (head->seen & SEEN_HOST)
        return SILL_HTTP_EHOST_TWICE;
    if (!sill_http_is_host(value))
        return SILL_HTTP_EHOST;
    if (head->authority.at == NULL)
        head->authority = value;
    head->seen |= SEEN_HOST;
    return 0;
}

static int known_expect(struct sill_http_head *head,
                        struct sill_http_view value)
{
    if (!sill_http_view_is_alike(value, SILL_HTTP_VIEW("100-continue")))
        return SILL_HTTP_EEXPECT;
    head->seen |= SEEN_CONTINUE;
    return 0;
}

static int known_connection(struct sill_http_head *head,
                            struct sill_http_view list)
{
    struct sill_http_view token;
    if (sill_http_view_is_equal(list, SILL_HTTP_VIEW("keep-alive"))) {
        head->seen |= SEEN_KEEP_ALIVE;
        return 0;
    }
    while ((token = sill_http_list_next(&list)).at != NULL) {
        if (sill_http_view_is_alike(token, SILL_HTTP_VIEW("close")))
            head->seen |= SEEN_CLOSE;
        if (sill_http_view_is_alike(token, SILL_HTTP_VIEW("keep-alive")))
            head->seen |= SEEN_KEEP_ALIVE;
    }
    return 0;
}

static int known_length(struct sill_http_head *head,
                        struct sill_http_view value)
{
    uint64_t length = 0;
    if (head->seen & SEEN_LENGTH)
        return SILL_HTTP_ELENGTH_TWICE;
    if (head->seen & SEEN_CODING)
        return SILL_HTTP_ECODING_LENGTH;
    for (size_t i = 0; i < value.size; i++)
        if (!sill_http_is_digit(value.at[i]))
            return SILL_HTTP_ELENGTH;
    for (size_t i = 0; i < value.size; i++)
        if (__builtin_mul_overflow(length, 10, &length) ||
            __builtin_add_overflow(length, value.at[i] - '0', &length))
            return SILL_HTTP_EBODY_SIZE;
    if (length == SILL_HTTP_NO_LENGTH)
        return SILL_HTTP_EBODY_SIZE;
    head->content_length = length;
    head->seen |= SEEN_LENGTH;
    return value.size > 0 ? 0 : SILL_HTTP_ELENGTH;
}

/* chunked, once and alone: what else there is, nobody here can undo. */
static int known_coding(struct sill_http_head *head,
                        struct sill_http_view value)
{
    const struct sill_http_view chunked = SILL_HTTP_VIEW("chunked");
    if (head->minor == 0)
        return SILL_HTTP_ECODING_VERSION;
    if (head->seen & SEEN_LENGTH)
        return SILL_HTTP_ECODING_LENGTH;
    if (head->seen & SEEN_CODING)
        return SILL_HTTP_ECODING_LIST;
    head->seen |= SEEN_CODING;
    if (sill_http_view_is_alike(value, chunked))
        return 0;
    struct sill_http_view first = sill_http_list_next(&value);
    if (first.size > chunked.size &&
        !sill_http_is(first.at[chunked.size], SILL_HTTP_IS_TOKEN))
        first.size = chunked.size; /* it has parameters, which it must not */
    return first.at == NULL || sill_http_view_is_alike(first, chunked)
               ? SILL_HTTP_ECODING_LIST
               : SILL_HTTP_ECODING;
}

int sill_http_framing_note(struct sill_http_head *head,
                           const struct sill_http_header *header)
{
    const char *name = header->name.at;
    bool request = head->kind == SILL_HTTP_REQUEST;
    if (head->kind == SILL_HTTP_TRAILERS)
        return 0;
    switch (header->name.size) {
    case 4:
        return request && is_called(name, "host", 4)
                   ? known_host(head, header->value)
                   : 0;
    case 6:
        return request && is_called(name, "expect", 6)
                   ? known_expect(head, header->value)
                   : 0;
    case 10:
        return is_called(name, "connection", 10)
                   ? known_connection(head, header->value)
                   : 0;
    case 14:
        return is_called(name, "content-length", 14)
                   ? known_length(head, header->value)
                   : 0;
    case 17:
        return is_called(name, "transfer-encoding", 17)
                   ? known_coding(head, header->value)
                   : 0;
    default:
        return 0;
    }
}

static int request_done(struct sill_http_head *head)
{
    if (head->minor == 1 && !(head->seen & SEEN_HOST))
        return SILL_HTTP_EHOST_NONE;
    head->expects_continue = head->minor == 1 && (head->seen & SEEN_CONTINUE);
    return 0;
}

static bool response_is_bare(const struct sill_http_head *head)
{
    return head->status < 200 || head->status == 204 || head->status == 304 ||
           head->method == SILL_HTTP_HEAD ||
           (head->method == SILL_HTTP_CONNECT && head->status < 300);
}

static enum sill_http_framing framing(const struct sill_http_head *head)
{
    if (head->kind == SILL_HTTP_RESPONSE && response_is_bare(head))
        return SILL_HTTP_NO_BODY;
    if (head->seen & SEEN_CODING)
        return SILL_HTTP_CHUNKED;
    if (head->seen & SEEN_LENGTH)
        return head->content_length == 0 ? SILL_HTTP_NO_BODY : SILL_HTTP_LENGTH;
    return head->kind == SILL_HTTP_RESPONSE ? SILL_HTTP_UNTIL_CLOSE
                                            : SILL_HTTP_NO_BODY;
}

int sill_http_framing_decide(struct sill_http_head *head)
{
    int rc = head->kind == SILL_HTTP_REQUEST ? request_done(head) : 0;
    head->framing =
        head->kind == SILL_HTTP_TRAILERS ? SILL_HTTP_NO_BODY : framing(head);
    head->keep_alive = !(head->seen & SEEN_CLOSE) &&
                       (head->minor == 1 || (head->seen & SEEN_KEEP_ALIVE)) &&
                       head->framing != SILL_HTTP_UNTIL_CLOSE;
    if (rc == 0 && head->framing == SILL_HTTP_LENGTH &&
        head->content_length > head->limits->body)
        return SILL_HTTP_EBODY_SIZE;
    return rc;
}
