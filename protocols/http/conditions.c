/* SPDX-License-Identifier: MIT */
/*
 * conditions.c: whether a client still wants what it asked for, in the order
 * of RFC 9110 section 13.2.2.
 */
#include "files.h"

#include <sill/time.h>

static bool is_called(const struct sill_http_header *header, const char *name)
{
    return sill_http_view_is_alike(header->name, sill_http_view(name));
}

static bool is_weak(struct sill_http_view tag)
{
    return tag.size > 2 && tag.at[0] == 'W' && tag.at[1] == '/';
}

/* Our own tags are strong, so only the client's can be weak. */
static bool is_match(struct sill_http_view tag, struct sill_http_view own,
                     bool weak_counts)
{
    if (sill_http_view_is_equal(tag, SILL_HTTP_VIEW("*")))
        return true;
    if (weak_counts && is_weak(tag)) {
        tag.at += 2;
        tag.size -= 2;
    }
    return sill_http_view_is_equal(tag, own);
}

enum listed { ABSENT, LISTED, NOT_LISTED };

/* Looks for the file's tag in the list that all headers called (name) make. */
static enum listed find_tag(const struct sill_http_head *request,
                            const char *name, const char *etag,
                            bool weak_counts)
{
    enum listed listed = ABSENT;
    for (size_t i = 0; i < request->header_count; i++) {
        if (!is_called(&request->headers[i], name))
            continue;
        if (listed == ABSENT)
            listed = NOT_LISTED;
        struct sill_http_view list = request->headers[i].value, tag;
        while ((tag = sill_http_list_next(&list)).at != NULL)
            if (is_match(tag, sill_http_view(etag), weak_counts))
                listed = LISTED;
    }
    return listed;
}

/* Reads the date called (name). Returns whether there is a good one. */
static bool find_date(const struct sill_http_head *request, const char *name,
                      int64_t *seconds)
{
    struct sill_http_view text =
        sill_http_header_find(request->headers, request->header_count, name);
    return text.at != NULL &&
           sill_http_date_parse(text, sill_calendar(), seconds) == 0;
}

static int64_t modified(const struct sill_http_file *file)
{
    return (int64_t)file->status.st_mtim.tv_sec;
}

int sill_http_conditions_check(const struct sill_http_head *request,
                               const struct sill_http_file *file)
{
    int64_t date;
    enum listed match = find_tag(request, "If-Match", file->etag, false);
    if (match == NOT_LISTED)
        return 412;
    if (match == ABSENT && find_date(request, "If-Unmodified-Since", &date) &&
        modified(file) > date)
        return 412;

    enum listed none = find_tag(request, "If-None-Match", file->etag, true);
    if (none == LISTED)
        return 304;
    if (none == ABSENT && find_date(request, "If-Modified-Since", &date) &&
        modified(file) <= date)
        return 304;
    return 200;
}

bool sill_http_conditions_allow_range(const struct sill_http_head *request,
                                      const struct sill_http_file *file)
{
    struct sill_http_view value = sill_http_header_find(
        request->headers, request->header_count, "If-Range");
    if (value.at == NULL)
        return true;
    if (sill_http_view_is_equal(value, sill_http_view(file->etag)))
        return true;

    /* A date is only as good as a tag when the file has rested since. */
    int64_t date, now = sill_calendar();
    return sill_http_date_parse(value, now, &date) == 0 &&
           date == modified(file) && date < now;
}
