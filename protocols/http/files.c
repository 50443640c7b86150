/* SPDX-License-Identifier: MIT */
/*
 * files.c: a handler that answers with the files of a folder. It stands on the
 * same interface as any other handler.
 */
#include "files.h"

#include <sill/error.h>
#include <sill/hooks.h>
#include <sill/random.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int sill_http_files_open(struct sill_http_files *files, const char *root)
{
    memset(files, 0, sizeof(*files));
    files->folder = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    files->is_open = files->folder >= 0;
    if (files->is_open)
        return 0;
    return errno == ENOTDIR ? SILL_ENOENT : sill_error_from_errno(errno);
}

void sill_http_files_close(struct sill_http_files *files)
{
    if (files->is_open)
        close(files->folder);
    files->is_open = false;
}

/* Answers with nothing but (status). */
static int answer(struct sill_http_exchange *x, int status)
{
    char text[64];
    int size = snprintf(text, sizeof(text), "%d %s\n", status,
                        sill_http_reason(status));
    sill_http_response_header(x, "Content-Type", "text/plain; charset=utf-8");
    return sill_http_response_send(x, status, text, (size_t)size, SILL_NEVER);
}

/*
 * Sends the client to the same path with a slash. Several slashes at the begin
 * would name another host.
 */
static int answer_folder(struct sill_http_exchange *x)
{
    struct sill_http_view path = sill_http_request(x)->path;
    struct sill_http_view query = sill_http_request(x)->query;
    char location[FILE_PATH_MAX];

    while (path.size > 1 && path.at[1] == '/') {
        path.at++;
        path.size--;
    }
    int size = snprintf(location, sizeof(location), "%.*s/%s%.*s",
                        (int)path.size, path.at, query.at != NULL ? "?" : "",
                        (int)query.size, query.at != NULL ? query.at : "");
    if ((size_t)size >= sizeof(location))
        return answer(x, 414);
    sill_http_response_header(x, "Location", location);
    return answer(x, 301);
}

static int answer_whole(struct sill_http_exchange *x,
                        const struct sill_http_file *file)
{
    uint64_t size = (uint64_t)file->status.st_size;
    sill_http_response_header(x, "Content-Type", file->type);
    int rc = sill_http_response_begin(x, 200, size);
    return rc != 0 ? rc
                   : sill_http_response_file(x, file->fd, 0, size, SILL_NEVER);
}

static void add_content_range(struct sill_http_exchange *x,
                              const struct sill_http_range *range,
                              uint64_t size)
{
    char text[80];
    if (range != NULL)
        snprintf(text, sizeof(text), "bytes %llu-%llu/%llu",
                 (unsigned long long)range->first,
                 (unsigned long long)range->last, (unsigned long long)size);
    else
        snprintf(text, sizeof(text), "bytes */%llu", (unsigned long long)size);
    sill_http_response_header(x, "Content-Range", text);
}

static int answer_range(struct sill_http_exchange *x,
                        const struct sill_http_file *file,
                        const struct sill_http_range *range)
{
    uint64_t count = range->last - range->first + 1;
    sill_http_response_header(x, "Content-Type", file->type);
    add_content_range(x, range, (uint64_t)file->status.st_size);
    int rc = sill_http_response_begin(x, 206, count);
    return rc != 0 ? rc
                   : sill_http_response_file(x, file->fd, range->first, count,
                                             SILL_NEVER);
}

/* What stands before each piece of a multipart answer, and after the last. */
struct parts {
    const struct sill_http_file *file;
    char boundary[24];
    char buffer[512];
};

static size_t put_part_head(struct parts *parts,
                            const struct sill_http_range *range)
{
    int size = snprintf(parts->buffer, sizeof(parts->buffer),
                        "\r\n--%s\r\nContent-Type: %s\r\nContent-Range: bytes "
                        "%llu-%llu/%llu\r\n\r\n",
                        parts->boundary, parts->file->type,
                        (unsigned long long)range->first,
                        (unsigned long long)range->last,
                        (unsigned long long)parts->file->status.st_size);
    return (size_t)size;
}

static size_t put_parts_end(struct parts *parts)
{
    int size = snprintf(parts->buffer, sizeof(parts->buffer), "\r\n--%s--\r\n",
                        parts->boundary);
    return (size_t)size;
}

static int begin_parts(struct sill_http_exchange *x, struct parts *parts,
                       const struct sill_http_range *ranges, int count)
{
    uint64_t total = put_parts_end(parts);
    for (int i = 0; i < count; i++)
        total += put_part_head(parts, &ranges[i]) + ranges[i].last -
                 ranges[i].first + 1;
    char type[64];
    snprintf(type, sizeof(type), "multipart/byteranges; boundary=%s",
             parts->boundary);
    sill_http_response_header(x, "Content-Type", type);
    return sill_http_response_begin(x, 206, total);
}

static int send_parts(struct sill_http_exchange *x, struct parts *parts,
                      const struct sill_http_range *ranges, int count)
{
    for (int i = 0; i < count; i++) {
        size_t size = put_part_head(parts, &ranges[i]);
        int rc = sill_http_response_write(x, parts->buffer, size, SILL_NEVER);
        if (rc == 0)
            rc = sill_http_response_file(x, parts->file->fd, ranges[i].first,
                                         ranges[i].last - ranges[i].first + 1,
                                         SILL_NEVER);
        if (rc != 0)
            return rc;
    }
    size_t size = put_parts_end(parts);
    return sill_http_response_write(x, parts->buffer, size, SILL_NEVER);
}

static int answer_parts(struct sill_http_exchange *x,
                        const struct sill_http_file *file,
                        const struct sill_http_range *ranges, int count)
{
    struct parts *parts = sill_alloc(sizeof(*parts));
    if (parts == NULL)
        return SILL_ENOMEM;
    uint64_t seed; /* nobody can foresee it and put it into a file */
    int rc = sill_random_fill(&seed, sizeof(seed));
    if (rc != 0)
        goto out;
    parts->file = file;
    snprintf(parts->boundary, sizeof(parts->boundary), "sill%016" PRIx64, seed);
    rc = begin_parts(x, parts, ranges, count);
    if (rc == 0)
        rc = send_parts(x, parts, ranges, count);
out:
    sill_free(parts);
    return rc;
}

static int answer_wanted(struct sill_http_exchange *x,
                         const struct sill_http_file *file)
{
    const struct sill_http_head *request = sill_http_request(x);
    struct sill_http_range ranges[RANGES_MAX];
    struct sill_http_view value = sill_http_request_header(x, "Range");
    uint64_t size = (uint64_t)file->status.st_size;

    if (value.at == NULL || request->method != SILL_HTTP_GET ||
        !sill_http_conditions_allow_range(request, file))
        return answer_whole(x, file);
    int count = sill_http_ranges_parse(value, size, ranges);
    if (count == 0)
        return answer_whole(x, file);
    if (count == 1)
        return answer_range(x, file, &ranges[0]);
    if (count > 1)
        return answer_parts(x, file, ranges, count);
    add_content_range(x, NULL, size);
    return answer(x, 416);
}

static int answer_file(struct sill_http_exchange *x,
                       const struct sill_http_file *file)
{
    int status = sill_http_conditions_check(sill_http_request(x), file);
    if (status == 412)
        return answer(x, 412);
    sill_http_response_header(x, "ETag", file->etag);
    sill_http_response_header(x, "Last-Modified", file->modified);
    if (status == 304)
        return sill_http_response_send(x, 304, NULL, 0, SILL_NEVER);
    sill_http_response_header(x, "Accept-Ranges", "bytes");
    return answer_wanted(x, file);
}

/* Answers what is neither GET nor HEAD. */
static int answer_method(struct sill_http_exchange *x)
{
    enum sill_http_method method = sill_http_request(x)->method;
    if (method == SILL_HTTP_OTHER)
        return answer(x, 501);
    sill_http_response_header(x, "Allow", "GET, HEAD, OPTIONS");
    if (method == SILL_HTTP_OPTIONS)
        return sill_http_response_send(x, 204, NULL, 0, SILL_NEVER);
    return answer(x, 405);
}

int sill_http_files_handle(void *files, struct sill_http_exchange *exchange)
{
    const struct sill_http_head *request = sill_http_request(exchange);
    struct sill_http_file file;

    if (request->method != SILL_HTTP_GET && request->method != SILL_HTTP_HEAD)
        return answer_method(exchange);
    int status = sill_http_file_open(files, request->path, &file);
    if (status == 301)
        return answer_folder(exchange);
    if (status != 200)
        return answer(exchange, status);
    int rc = answer_file(exchange, &file);
    sill_http_file_close(&file);
    return rc;
}
