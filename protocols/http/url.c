/* SPDX-License-Identifier: MIT */
/*
 * Hosts and URLs: telling a good one from a bad one, and what a reference
 * means from where it stands.
 */
#include "codec.h"
#include "scan.h"

/* Returns the end of an IPv6 address in brackets at (at), or NULL. */
static const char *bracketed(const char *at, const char *end)
{
    bool colon = false;
    for (at++; at < end && *at != ']'; at++) {
        if (!sill_http_is(*at, SILL_HTTP_IS_HEX) && *at != ':' && *at != '.')
            return NULL;
        colon = colon || *at == ':';
    }
    return at < end && colon ? at + 1 : NULL;
}

/* Returns the end of a name or IPv4 address at (at), or NULL. */
static const char *named(const char *at, const char *end)
{
    const char *begin = at;
    while ((at = sill_http_skip(at, end, SILL_HTTP_IS_HOST)) < end &&
           *at == '%') {
        if (end - at < 3 || !sill_http_is(at[1], SILL_HTTP_IS_HEX) ||
            !sill_http_is(at[2], SILL_HTTP_IS_HEX))
            return NULL;
        at += 3;
    }
    return at > begin ? at : NULL;
}

/* Reads the digits [at, end) to (port), which stays when there are none. */
static bool port_number(const char *at, const char *end, uint16_t *port)
{
    unsigned number = 0;
    if (at == end)
        return true;
    for (; at < end; at++) {
        if (!sill_http_is_digit(*at))
            return false;
        number = number * 10 + (unsigned)(*at - '0');
        if (number > UINT16_MAX)
            return false;
    }
    *port = (uint16_t)number;
    return true;
}

/* Takes "host", "host:" or "host:port" apart. */
static bool authority(struct sill_http_view text, struct sill_http_url *url)
{
    if (text.size == 0)
        return false;
    const char *at = text.at, *end = at + text.size;
    url->is_ipv6 = *at == '[';
    const char *stop = url->is_ipv6 ? bracketed(at, end) : named(at, end);
    if (stop == NULL || (stop < end && *stop != ':'))
        return false;
    size_t size = (size_t)(stop - at);
    if (size > SILL_HTTP_HOST_MAX)
        return false;
    url->host = url->is_ipv6 ? (struct sill_http_view){at + 1, size - 2}
                             : (struct sill_http_view){at, size};
    return stop == end || port_number(stop + 1, end, &url->port);
}

bool sill_http_is_host(struct sill_http_view text)
{
    struct sill_http_url url;
    return authority(text, &url);
}

/* Returns how many bytes of (text) come before the first of (marks). */
static size_t until(struct sill_http_view text, const char *marks)
{
    size_t i = 0;
    while (i < text.size && strchr(marks, text.at[i]) == NULL)
        i++;
    return i;
}

static struct sill_http_view rest(struct sill_http_view text, size_t from)
{
    return (struct sill_http_view){text.at + from, text.size - from};
}

static bool is_target(struct sill_http_view text)
{
    const char *end = text.at + text.size;
    return sill_http_skip(text.at, end, SILL_HTTP_IS_TARGET) == end;
}

static const struct sill_http_view http = SILL_HTTP_VIEW_INIT("http://");

static bool begins_with_http(struct sill_http_view text)
{
    return text.size >= http.size &&
           sill_http_view_is_alike((struct sill_http_view){text.at, http.size},
                                   http);
}

/* Takes what follows the scheme and its slashes apart. */
static int after_scheme(struct sill_http_url *url, struct sill_http_view text)
{
    size_t size = until(text, "/?#");
    url->port = 80;
    if (!authority((struct sill_http_view){text.at, size}, url) ||
        url->port == 0)
        return SILL_HTTP_EURL;
    url->target = rest(text, size);
    url->target.size = until(url->target, "#");
    return is_target(url->target) ? 0 : SILL_HTTP_EURL;
}

int sill_http_url_parse(struct sill_http_url *url, struct sill_http_view text)
{
    if (text.size > SILL_HTTP_URL_MAX || !begins_with_http(text))
        return SILL_HTTP_EURL;
    return after_scheme(url, rest(text, http.size));
}

/* The URL being put together. */
struct output {
    char *data;
    size_t size, used;
};

static bool put(struct output *out, struct sill_http_view text)
{
    if (out->size - out->used < text.size)
        return false;
    if (text.size > 0)
        memcpy(out->data + out->used, text.at, text.size);
    out->used += text.size;
    return true;
}

static bool put_port(struct output *out, unsigned port)
{
    char text[8], *end = text + sizeof(text), *at = end;
    do
        *--at = (char)('0' + port % 10);
    while ((port /= 10) > 0);
    *--at = ':';
    return put(out, (struct sill_http_view){at, (size_t)(end - at)});
}

static bool put_origin(struct output *out, const struct sill_http_url *url)
{
    return put(out, http) &&
           put(out, sill_http_view(url->is_ipv6 ? "[" : "")) &&
           put(out, url->host) &&
           put(out, sill_http_view(url->is_ipv6 ? "]" : "")) &&
           (url->port == 80 || put_port(out, url->port));
}

/* Takes the last segment, with its slash, off what was put after (root). */
static void drop_segment(struct output *out, size_t root)
{
    while (out->used > root && out->data[--out->used] != '/')
        continue;
}

/*
 * Puts a slash and a segment for each one of (path), following "." and ".."
 * (RFC 3986 section 5.2.4). When (whole), a last one of these leaves a slash.
 */
static bool put_segments(struct output *out, size_t root,
                         struct sill_http_view path, bool whole)
{
    for (;;) {
        struct sill_http_view segment = {path.at, until(path, "/")};
        bool last = segment.size == path.size;
        bool up = sill_http_view_is_equal(segment, SILL_HTTP_VIEW(".."));
        if (up)
            drop_segment(out, root);
        if (up || sill_http_view_is_equal(segment, SILL_HTTP_VIEW("."))) {
            if (last && whole && !put(out, SILL_HTTP_VIEW("/")))
                return false;
        } else if (!put(out, SILL_HTTP_VIEW("/")) || !put(out, segment)) {
            return false;
        }
        if (last)
            return true;
        path = rest(path, segment.size + 1);
    }
}

/* Puts all segments of the absolute (path) but the last. */
static bool put_folder(struct output *out, size_t root,
                       struct sill_http_view path)
{
    size_t slash = path.size;
    while (slash > 0 && path.at[slash - 1] != '/')
        slash--;
    if (slash < 2)
        return true;
    return put_segments(out, root,
                        (struct sill_http_view){path.at + 1, slash - 2}, false);
}

/* Puts the path that (path) means from the folder of the path (from). */
static bool put_path(struct output *out, struct sill_http_view from,
                     struct sill_http_view path)
{
    size_t root = out->used;
    if (path.size > 0 && path.at[0] == '/')
        return put_segments(out, root, rest(path, 1), true);
    return put_folder(out, root, from) && put_segments(out, root, path, true);
}

/* Is the URL (text), when it says where, else (base); (reference) becomes what
 * is left to be seen from there. */
static int origin_of(struct sill_http_url *url,
                     const struct sill_http_url *base,
                     struct sill_http_view *reference)
{
    size_t scheme = until(*reference, ":/?");
    int rc = SILL_HTTP_EURL;
    if (begins_with_http(*reference))
        rc = sill_http_url_parse(url, *reference);
    else if (reference->size >= 2 && memcmp(reference->at, "//", 2) == 0)
        rc = after_scheme(url, rest(*reference, 2));
    else if (scheme == reference->size || reference->at[scheme] != ':') {
        *url = *base;
        return is_target(*reference) ? 0 : SILL_HTTP_EURL;
    }
    *reference = url->target;
    if (rc == 0 && (reference->size == 0 || reference->at[0] == '?'))
        url->target = SILL_HTTP_VIEW("/");
    return rc;
}

ssize_t sill_http_url_resolve(const struct sill_http_url *base,
                              struct sill_http_view reference, char *out,
                              size_t size)
{
    reference.size = until(reference, "#");
    if (reference.size > SILL_HTTP_URL_MAX)
        return SILL_HTTP_EURL;
    struct sill_http_url url;
    int rc = origin_of(&url, base, &reference);
    if (rc < 0)
        return rc;
    struct sill_http_view path = {reference.at, until(reference, "?")};
    struct sill_http_view query = rest(reference, path.size);
    struct sill_http_view from = {url.target.at, until(url.target, "?")};
    struct output output = {out, size, 0};
    bool fits = put_origin(&output, &url);
    if (path.size > 0)
        fits = fits && put_path(&output, from, path);
    else
        fits = fits && put(&output, from.size > 0 ? from : SILL_HTTP_VIEW("/"));
    if (path.size == 0 && query.size == 0)
        query = rest(url.target, from.size);
    fits = fits && put(&output, query);
    return fits ? (ssize_t)output.used : SILL_HTTP_EROOM;
}
