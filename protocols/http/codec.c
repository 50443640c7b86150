/* SPDX-License-Identifier: MIT */
/*
 * The head of a message, parsed in one pass that can stop at any byte.
 *
 * Each state takes what it stands for and goes straight on to the next one, so
 * that a head that arrives whole runs through without a detour. Where the bytes
 * end, the state and two positions are kept and the next call goes on there.
 */
#include "codec.h"

#include "framing.h"
#include "scan.h"

enum state {
    EMPTY,
    METHOD,
    TARGET,
    REQUEST_VERSION,
    REQUEST_END,
    RESPONSE_VERSION,
    RESPONSE_SPACE,
    STATUS,
    STATUS_END,
    REASON,
    LINE, /* from here on: header lines */
    NAME,
    SPACE,
    VALUE
};

/* What a state answers, beside an error. */
enum { ON, MORE };

/* The bytes that are there and within the bound are [at, end). What is being
 * collected began at (mark). */
struct cursor {
    const char *at, *end, *mark;
};

void sill_http_head_init(struct sill_http_head *head, enum sill_http_kind kind,
                         struct sill_http_header *headers,
                         const struct sill_http_limits *limits)
{
    static const uint8_t first[] = {[SILL_HTTP_REQUEST] = EMPTY,
                                    [SILL_HTTP_RESPONSE] = RESPONSE_VERSION,
                                    [SILL_HTTP_TRAILERS] = LINE};
    *head = (struct sill_http_head){
        .kind = kind,
        .method = SILL_HTTP_GET,
        .headers = headers,
        .content_length = SILL_HTTP_NO_LENGTH,
        .limits = limits,
        .state = first[kind],
    };
}

static void shift(struct sill_http_view *view, const char *from, size_t extent,
                  const char *to)
{
    uintptr_t offset = (uintptr_t)view->at - (uintptr_t)from;
    if (view->at != NULL && offset <= extent)
        view->at = to + offset;
}

void sill_http_head_move(struct sill_http_head *head, const char *data)
{
    const char *from = head->base;
    head->base = data;
    if (from == NULL || from == data)
        return;
    struct sill_http_view *views[] = {&head->method_text, &head->target,
                                      &head->authority,   &head->path,
                                      &head->query,       &head->reason};
    for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++)
        shift(views[i], from, head->at, data);
    if (head->state == SPACE || head->state == VALUE)
        shift(&head->headers[head->header_count].name, from, head->at, data);
    for (size_t i = 0; i < head->header_count; i++) {
        shift(&head->headers[i].name, from, head->at, data);
        shift(&head->headers[i].value, from, head->at, data);
    }
}

static int more(struct sill_http_head *head, enum state state)
{
    head->state = (uint8_t)state;
    return MORE;
}

static struct sill_http_view marked(const struct cursor *c)
{
    return (struct sill_http_view){c->mark, (size_t)(c->at - c->mark)};
}

/* Takes CR LF; (otherwise) is the error for anything else. */
static int newline(struct cursor *c, int otherwise)
{
    if (c->at == c->end)
        return MORE;
    if (*c->at != '\r')
        return *c->at == '\n' ? SILL_HTTP_ENEWLINE : otherwise;
    if (c->end - c->at < 2)
        return MORE;
    if (c->at[1] != '\n')
        return SILL_HTTP_ENEWLINE;
    c->at += 2;
    return ON;
}

/* Takes "HTTP/1.0" or "HTTP/1.1". */
static int version(struct sill_http_head *head, struct cursor *c)
{
    static const char shape[] = "HTTP/0.0";
    size_t there = (size_t)(c->end - c->at);
    if (there >= 8 && memcmp(c->at, "HTTP/1.", 7) == 0 &&
        (c->at[7] == '0' || c->at[7] == '1')) {
        head->minor = c->at[7] - '0';
        c->at += 8;
        return ON;
    }
    for (size_t i = 0; i < there && i < 8; i++)
        if (shape[i] == '0' ? !sill_http_is_digit(c->at[i])
                            : c->at[i] != shape[i])
            return SILL_HTTP_ELINE;
    return there < 8 ? MORE : SILL_HTTP_EVERSION;
}

/* Requests: method SP target SP version CR LF. */

static int request_end(struct sill_http_head *head, struct cursor *c)
{
    int rc = newline(c, SILL_HTTP_ELINE);
    head->state = rc == ON ? LINE : REQUEST_END;
    return rc;
}

static struct sill_http_view from(struct sill_http_view text, size_t offset)
{
    return (struct sill_http_view){text.at + offset, text.size - offset};
}

/* Takes "/path?query" apart. */
static int origin_target(struct sill_http_head *head,
                         struct sill_http_view text)
{
    const char *mark = text.size == 0 ? NULL : memchr(text.at, '?', text.size);
    head->path = text;
    if (mark != NULL) {
        head->path.size = (size_t)(mark - text.at);
        head->query = from(text, head->path.size + 1);
    }
    if (head->path.size == 0)
        head->path = SILL_HTTP_VIEW("/");
    return 0;
}

/* Takes "http://host/path?query" apart. */
static int absolute_target(struct sill_http_head *head)
{
    static const struct sill_http_view schemes[] = {
        SILL_HTTP_VIEW_INIT("http://"), SILL_HTTP_VIEW_INIT("https://")};
    for (int i = 0; i < 2; i++) {
        size_t size = schemes[i].size;
        struct sill_http_view start = {head->target.at, size};
        if (head->target.size < size ||
            !sill_http_view_is_alike(start, schemes[i]))
            continue;
        struct sill_http_view text = from(head->target, size);
        for (size = 0; size < text.size; size++)
            if (text.at[size] == '/' || text.at[size] == '?')
                break;
        head->form = SILL_HTTP_ABSOLUTE;
        head->authority = (struct sill_http_view){text.at, size};
        return sill_http_is_host(head->authority)
                   ? origin_target(head, from(text, size))
                   : SILL_HTTP_ETARGET;
    }
    return SILL_HTTP_ETARGET;
}

/* "host:port", both of them. */
static int authority_target(struct sill_http_head *head)
{
    struct sill_http_view target = head->target;
    head->form = SILL_HTTP_AUTHORITY;
    head->authority = target;
    head->path = (struct sill_http_view){target.at, 0};
    return sill_http_is_host(target) &&
                   sill_http_is_digit(target.at[target.size - 1]) &&
                   memchr(target.at, ':', target.size) != NULL
               ? 0
               : SILL_HTTP_ETARGET;
}

static int target_form(struct sill_http_head *head)
{
    if (head->method == SILL_HTTP_CONNECT)
        return authority_target(head);
    if (head->target.at[0] == '/' && head->target.size == 1) {
        head->path = head->target;
        return 0;
    }
    if (head->target.at[0] == '/')
        return origin_target(head, head->target);
    if (head->method != SILL_HTTP_OPTIONS || head->target.size != 1 ||
        head->target.at[0] != '*')
        return absolute_target(head);
    head->form = SILL_HTTP_ASTERISK;
    head->path = head->target;
    return 0;
}

/* What nearly all request lines end with, in one look. */
static bool usual_end(const struct cursor *c)
{
    return c->end - c->at >= 10 && memcmp(c->at, "HTTP/1.1\r\n", 10) == 0;
}

static int request_version(struct sill_http_head *head, struct cursor *c)
{
    if (usual_end(c)) {
        head->minor = 1;
        head->state = LINE;
        c->at += 10;
        return target_form(head);
    }
    int rc = version(head, c);
    if (rc == MORE)
        return more(head, REQUEST_VERSION);
    if (rc == ON)
        rc = target_form(head);
    return rc < 0 ? rc : request_end(head, c);
}

static int target(struct sill_http_head *head, struct cursor *c)
{
    c->at = sill_http_skip(c->at, c->end, SILL_HTTP_IS_TARGET);
    if (c->at == c->end)
        return more(head, TARGET);
    if (*c->at == '\r' || *c->at == '\n')
        return SILL_HTTP_ELINE;
    if (*c->at != ' ' || c->at == c->mark)
        return SILL_HTTP_ETARGET;
    head->target = marked(c);
    c->at++;
    return request_version(head, c);
}

static int method(struct sill_http_head *head, struct cursor *c)
{
    if (c->end - c->mark >= 4 && memcmp(c->mark, "GET ", 4) == 0) {
        head->method_text = (struct sill_http_view){c->mark, 3};
        c->at = c->mark += 4;
        return target(head, c);
    }
    c->at = sill_http_skip(c->at, c->end, SILL_HTTP_IS_TOKEN);
    if (c->at == c->end)
        return more(head, METHOD);
    if (*c->at == '\r' || *c->at == '\n')
        return SILL_HTTP_ELINE;
    if (*c->at != ' ' || c->at == c->mark)
        return SILL_HTTP_EMETHOD;
    head->method_text = marked(c);
    head->method = sill_http_method_find(head->method_text);
    c->mark = ++c->at;
    return target(head, c);
}

/* An empty line before the first request line, or none. */
static int empty(struct sill_http_head *head, struct cursor *c)
{
    if (c->at < c->end && *c->at != '\r' && *c->at != '\n')
        return method(head, c);
    int rc = newline(c, SILL_HTTP_ELINE);
    if (rc != ON)
        return rc == MORE ? more(head, EMPTY) : rc;
    head->start = 2;
    c->mark = c->at;
    head->state = METHOD;
    return ON;
}

/* Responses: version SP status SP reason CR LF. */

static int reason(struct sill_http_head *head, struct cursor *c)
{
    c->at = sill_http_skip_text(c->at, c->end);
    struct sill_http_view text = marked(c);
    int rc = newline(c, SILL_HTTP_EVALUE);
    if (rc == ON)
        head->reason = text;
    head->state = rc == ON ? LINE : REASON;
    return rc;
}

/* The space before the reason; some servers leave both out. */
static int status_end(struct sill_http_head *head, struct cursor *c)
{
    if (c->at == c->end)
        return more(head, STATUS_END);
    if (*c->at != ' ' && *c->at != '\r' && *c->at != '\n')
        return SILL_HTTP_ESTATUS;
    c->at += *c->at == ' ';
    c->mark = c->at;
    return reason(head, c);
}

static int status(struct sill_http_head *head, struct cursor *c)
{
    size_t there = (size_t)(c->end - c->at);
    for (size_t i = 0; i < there && i < 3; i++)
        if (!sill_http_is_digit(c->at[i]) ||
            (i == 0 && (c->at[0] == '0' || c->at[0] > '5')))
            return SILL_HTTP_ESTATUS;
    if (there < 3)
        return more(head, STATUS);
    head->status =
        (c->at[0] - '0') * 100 + (c->at[1] - '0') * 10 + (c->at[2] - '0');
    c->at += 3;
    return status_end(head, c);
}

static int response_space(struct sill_http_head *head, struct cursor *c)
{
    if (c->at == c->end)
        return more(head, RESPONSE_SPACE);
    if (*c->at++ != ' ')
        return SILL_HTTP_ELINE;
    return status(head, c);
}

static int response_version(struct sill_http_head *head, struct cursor *c)
{
    int rc = version(head, c);
    if (rc == MORE)
        return more(head, RESPONSE_VERSION);
    return rc < 0 ? rc : response_space(head, c);
}

/* Goes on in the start line; ON says that the state is another one now. */
static int start_line(struct sill_http_head *head, struct cursor *c)
{
    switch (head->state) {
    case EMPTY:
        return empty(head, c);
    case METHOD:
        return method(head, c);
    case TARGET:
        return target(head, c);
    case REQUEST_VERSION:
        return request_version(head, c);
    case REQUEST_END:
        return request_end(head, c);
    case RESPONSE_VERSION:
        return response_version(head, c);
    case RESPONSE_SPACE:
        return response_space(head, c);
    case STATUS:
        return status(head, c);
    case STATUS_END:
        return status_end(head, c);
    default:
        return reason(head, c);
    }
}

/* Header lines: name ":" space value space CR LF. */

static int value(struct sill_http_head *head, struct cursor *c)
{
    c->at = sill_http_skip_text(c->at, c->end);
    struct sill_http_view text = marked(c);
    int rc = newline(c, SILL_HTTP_EVALUE);
    if (rc != ON)
        return rc == MORE ? more(head, VALUE) : rc;
    while (text.size > 0 &&
           (text.at[text.size - 1] == ' ' || text.at[text.size - 1] == '\t'))
        text.size--;
    struct sill_http_header *header = &head->headers[head->header_count++];
    header->value = text;
    head->state = LINE;
    return sill_http_framing_note(head, header);
}

static int space(struct sill_http_head *head, struct cursor *c)
{
    c->at = sill_http_skip_space(c->at, c->end);
    if (c->at == c->end)
        return more(head, SPACE);
    c->mark = c->at;
    return value(head, c);
}

static int name(struct sill_http_head *head, struct cursor *c)
{
    c->at = sill_http_skip(c->at, c->end, SILL_HTTP_IS_TOKEN);
    if (c->at == c->end)
        return more(head, NAME);
    if (*c->at == '\n')
        return SILL_HTTP_ENEWLINE;
    if (*c->at != ':' || c->at == c->mark)
        return (*c->at == ' ' || *c->at == '\t') && c->at > c->mark
                   ? SILL_HTTP_ENAME_SPACE
                   : SILL_HTTP_ENAME;
    head->headers[head->header_count].name = marked(c);
    c->at++;
    return space(head, c);
}

/* The beginning of a header line. */
static int line(struct sill_http_head *head, struct cursor *c)
{
    if (*c->at == ' ' || *c->at == '\t')
        return SILL_HTTP_EFOLD;
    if (head->header_count == head->limits->headers)
        return SILL_HTTP_EHEADERS;
    c->mark = c->at;
    return name(head, c);
}

static int header_line(struct sill_http_head *head, struct cursor *c)
{
    switch (head->state) {
    case NAME:
        return name(head, c);
    case SPACE:
        return space(head, c);
    case VALUE:
        return value(head, c);
    default:
        return line(head, c);
    }
}

/* Takes header lines and the empty one after them. */
static int header_lines(struct sill_http_head *head, struct cursor *c)
{
    int rc = ON;
    while (rc == ON) {
        if (head->state == LINE && c->at == c->end)
            return MORE;
        if (head->state == LINE && (*c->at == '\r' || *c->at == '\n'))
            return newline(c, 0);
        rc = header_line(head, c);
    }
    return rc;
}

/* Shows (c) what is there of the (bound) bytes from head->start on. Returns
 * whether that is all that may come. */
static bool bounded(const struct sill_http_head *head, struct cursor *c,
                    size_t size, size_t bound)
{
    bool cut = size - head->start >= bound;
    c->end = head->base + (cut ? head->start + bound : size);
    return cut;
}

static ssize_t stop(struct sill_http_head *head, const struct cursor *c)
{
    head->at = (size_t)(c->at - head->base);
    head->mark = (size_t)(c->mark - head->base);
    return 0;
}

ssize_t sill_http_head_parse(struct sill_http_head *head, const char *data,
                             size_t size)
{
    if (head->at == 0)
        head->base = data;
    else if (head->base != data)
        sill_http_head_move(head, data);
    const struct sill_http_limits *limits = head->limits;
    struct cursor c = {data + head->at, NULL, data + head->mark};
    while (head->state < LINE) {
        bool cut = bounded(head, &c, size, limits->line);
        int rc = start_line(head, &c);
        if (rc == MORE)
            return cut ? SILL_HTTP_ELINE_SIZE : stop(head, &c);
        if (rc < 0)
            return rc;
        if (head->state == LINE)
            head->start = (size_t)(c.at - data);
    }
    bool cut = bounded(head, &c, size,
                       head->kind == SILL_HTTP_TRAILERS ? limits->trailer_bytes
                                                        : limits->header_bytes);
    int rc = header_lines(head, &c);
    if (rc == MORE)
        return cut ? SILL_HTTP_EHEADER_SIZE : stop(head, &c);
    stop(head, &c);
    if (rc == ON)
        rc = sill_http_framing_decide(head);
    return rc < 0 ? rc : (ssize_t)head->at;
}
