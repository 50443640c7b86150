/* SPDX-License-Identifier: MIT */
/*
 * The words of HTTP that need no parser: views, methods, statuses, errors,
 * and finding one's way in parsed headers.
 */
#include "sill_http_message.h"

#include "codec.h"
#include "scan.h"

/* The classes of each byte, or-ed. */
const uint8_t sill_http_classes[256] = {
    /* clang-format off */
    0, 0, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    16, 23, 16, 17, 23, 19, 23, 23, 22, 22, 23, 23, 22, 23, 23, 18,
    31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 18, 22, 16, 22, 16, 18,
    18, 31, 31, 31, 31, 31, 31, 23, 23, 23, 23, 23, 23, 23, 23, 23,
    23, 23, 23, 23, 23, 23, 23, 23, 23, 23, 23, 18, 18, 18, 19, 23,
    19, 31, 31, 31, 31, 31, 31, 23, 23, 23, 23, 23, 23, 23, 23, 23,
    23, 23, 23, 23, 23, 23, 23, 23, 23, 23, 23, 18, 19, 18, 23, 0,
    16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16,
    16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16,
    16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16,
    16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16,
    16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16,
    16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16,
    16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16,
    16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16,
    /* clang-format on */
};

struct sill_http_view sill_http_view(const char *text)
{
    return (struct sill_http_view){text, text == NULL ? 0 : strlen(text)};
}

bool sill_http_view_is_equal(struct sill_http_view a, struct sill_http_view b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.at, b.at, a.size) == 0);
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool sill_http_view_is_alike(struct sill_http_view a, struct sill_http_view b)
{
    if (a.size != b.size)
        return false;
    for (size_t i = 0; i < a.size; i++)
        if (a.at[i] != b.at[i] && lower(a.at[i]) != lower(b.at[i]))
            return false;
    return true;
}

static const struct sill_http_view methods[] = {
    [SILL_HTTP_OTHER] = SILL_HTTP_VIEW_INIT(""),
    [SILL_HTTP_GET] = SILL_HTTP_VIEW_INIT("GET"),
    [SILL_HTTP_HEAD] = SILL_HTTP_VIEW_INIT("HEAD"),
    [SILL_HTTP_POST] = SILL_HTTP_VIEW_INIT("POST"),
    [SILL_HTTP_PUT] = SILL_HTTP_VIEW_INIT("PUT"),
    [SILL_HTTP_DELETE] = SILL_HTTP_VIEW_INIT("DELETE"),
    [SILL_HTTP_CONNECT] = SILL_HTTP_VIEW_INIT("CONNECT"),
    [SILL_HTTP_OPTIONS] = SILL_HTTP_VIEW_INIT("OPTIONS"),
    [SILL_HTTP_TRACE] = SILL_HTTP_VIEW_INIT("TRACE"),
    [SILL_HTTP_PATCH] = SILL_HTTP_VIEW_INIT("PATCH"),
};

const char *sill_http_method_name(enum sill_http_method method)
{
    return methods[method].at;
}

enum sill_http_method sill_http_method_find(struct sill_http_view name)
{
    if (name.size == 3 && memcmp(name.at, "GET", 3) == 0)
        return SILL_HTTP_GET;
    for (int i = SILL_HTTP_HEAD; i <= SILL_HTTP_PATCH; i++)
        if (sill_http_view_is_equal(methods[i], name))
            return (enum sill_http_method)i;
    return SILL_HTTP_OTHER;
}

bool sill_http_method_is_idempotent(enum sill_http_method method)
{
    switch (method) {
    case SILL_HTTP_GET:
    case SILL_HTTP_HEAD:
    case SILL_HTTP_PUT:
    case SILL_HTTP_DELETE:
    case SILL_HTTP_OPTIONS:
    case SILL_HTTP_TRACE:
        return true;
    default:
        return false;
    }
}

static const struct {
    int status;
    const char *reason;
} reasons[] = {
    {100, "Continue"},
    {101, "Switching Protocols"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {203, "Non-Authoritative Information"},
    {204, "No Content"},
    {205, "Reset Content"},
    {206, "Partial Content"},
    {300, "Multiple Choices"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {305, "Use Proxy"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {407, "Proxy Authentication Required"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {451, "Unavailable For Legal Reasons"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {511, "Network Authentication Required"},
};

const char *sill_http_reason(int status)
{
    if (status == 200)
        return "OK";
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "";
}

/* Indexed by -2001 - error. */
static const struct {
    const char *text;
    int status;
} errors[] = {
    {"the method is not a token", 400},
    {"the target does not fit the request", 400},
    {"malformed start line", 400},
    {"unsupported HTTP version", 505},
    {"start line too long", 414},
    {"malformed status", 400},
    {"bare CR or LF", 400},
    {"malformed header name", 400},
    {"white space before the colon of a header", 400},
    {"control character in a header", 400},
    {"folded header line", 400},
    {"too many headers", 431},
    {"headers too large", 431},
    {"malformed Host", 400},
    {"no Host", 400},
    {"more than one Host", 400},
    {"malformed Content-Length", 400},
    {"more than one Content-Length", 400},
    {"unknown transfer coding", 501},
    {"chunked is not the last transfer coding", 400},
    {"Transfer-Encoding together with Content-Length", 400},
    {"Transfer-Encoding in HTTP/1.0", 400},
    {"unknown expectation", 417},
    {"content too large", 413},
    {"malformed chunk size", 400},
    {"chunk size out of range", 400},
    {"chunk line too long", 400},
    {"malformed chunk extension", 400},
    {"chunk without its end", 400},
    {"the buffer is too small", 400},
    {"malformed percent-encoding", 400},
    {"malformed date", 400},
    {"not an http URL", 400},
};

static bool error_is_known(int error)
{
    return error <= SILL_HTTP_EMETHOD && error >= SILL_HTTP_EURL;
}

const char *sill_http_strerror(int error)
{
    if (!error_is_known(error))
        return "unknown error";
    return errors[SILL_HTTP_EMETHOD - error].text;
}

int sill_http_error_status(int error)
{
    return error_is_known(error) ? errors[SILL_HTTP_EMETHOD - error].status
                                 : 400;
}

struct sill_http_view
sill_http_header_find(const struct sill_http_header *headers, size_t count,
                      const char *name)
{
    struct sill_http_view wanted = sill_http_view(name);
    for (size_t i = 0; i < count; i++)
        if (sill_http_view_is_alike(headers[i].name, wanted))
            return headers[i].value;
    return (struct sill_http_view){NULL, 0};
}

/* Returns the comma that ends the element at (at), or (end). */
static const char *element_end(const char *at, const char *end)
{
    bool quoted = false;
    for (; at < end; at++) {
        if (*at == '"')
            quoted = !quoted;
        else if (*at == '\\' && quoted && at + 1 < end)
            at++;
        else if (*at == ',' && !quoted)
            return at;
    }
    return end;
}

struct sill_http_view sill_http_list_next(struct sill_http_view *list)
{
    const char *at = list->at, *end = at == NULL ? NULL : at + list->size;
    while (at < end) {
        const char *begin = sill_http_skip_space(at, end);
        const char *comma = element_end(begin, end), *last = comma;
        while (last > begin && (last[-1] == ' ' || last[-1] == '\t'))
            last--;
        at = comma < end ? comma + 1 : end;
        if (last > begin) {
            *list = (struct sill_http_view){at, (size_t)(end - at)};
            return (struct sill_http_view){begin, (size_t)(last - begin)};
        }
    }
    *list = (struct sill_http_view){NULL, 0};
    return *list;
}

static bool list_has(struct sill_http_view list, struct sill_http_view token)
{
    struct sill_http_view element;
    while ((element = sill_http_list_next(&list)).at != NULL)
        if (sill_http_view_is_alike(element, token))
            return true;
    return false;
}

bool sill_http_header_has(const struct sill_http_header *headers, size_t count,
                          const char *name, const char *token)
{
    struct sill_http_view wanted = sill_http_view(name);
    for (size_t i = 0; i < count; i++)
        if (sill_http_view_is_alike(headers[i].name, wanted) &&
            list_has(headers[i].value, sill_http_view(token)))
            return true;
    return false;
}

bool sill_http_is_token(struct sill_http_view text)
{
    const char *end = text.at + text.size;
    return text.size > 0 &&
           sill_http_skip(text.at, end, SILL_HTTP_IS_TOKEN) == end;
}

bool sill_http_is_value(struct sill_http_view text)
{
    if (text.size == 0)
        return true;
    const char *end = text.at + text.size;
    return sill_http_skip_text(text.at, end) == end;
}

ssize_t sill_http_percent_decode(struct sill_http_view text, char *out,
                                 size_t size)
{
    size_t used = 0;
    for (size_t i = 0; i < text.size; i++) {
        char c = text.at[i];
        if (c == '%') {
            if (text.size - i < 3 ||
                !sill_http_is(text.at[i + 1], SILL_HTTP_IS_HEX) ||
                !sill_http_is(text.at[i + 2], SILL_HTTP_IS_HEX))
                return SILL_HTTP_EPERCENT;
            c = (char)(sill_http_hex(text.at[i + 1]) << 4 |
                       sill_http_hex(text.at[i + 2]));
            i += 2;
        }
        if (used == size)
            return SILL_HTTP_EROOM;
        out[used++] = c;
    }
    return (ssize_t)used;
}
