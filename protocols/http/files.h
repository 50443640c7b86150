/* SPDX-License-Identifier: MIT */
/*
 * files.h: the parts of serving a file: finding it, asking whether it is
 * wanted, and which pieces of it.
 */
#ifndef SILL_HTTP_FILES_H
#define SILL_HTTP_FILES_H

#include "sill_http.h"

#include <sys/stat.h>

/* The longest path below the folder, in bytes, with its NUL. */
#define FILE_PATH_MAX 2048

/* A file that is open for reading. */
struct sill_http_file {
    int fd;
    struct stat status;
    const char *type;
    char etag[48], modified[SILL_HTTP_DATE_SIZE + 1];
};

/* lookup.c: opens the file that (path), as it stands in a target, means.
 * Returns 200; 301 for a folder whose name lacks its slash; or the status that
 * says why there is none, with nothing open. */
int sill_http_file_open(struct sill_http_files *files,
                        struct sill_http_view path,
                        struct sill_http_file *file);
void sill_http_file_close(struct sill_http_file *file);

/* conditions.c: returns 200 when the request's conditions hold, 304 or 412;
 * and whether its Range counts, which If-Range decides. */
int sill_http_conditions_check(const struct sill_http_head *request,
                               const struct sill_http_file *file);
bool sill_http_conditions_allow_range(const struct sill_http_head *request,
                                      const struct sill_http_file *file);

/* ranges.c: both ends belong to it. */
struct sill_http_range {
    uint64_t first, last;
};

#define RANGES_MAX 16

/*
 * Reads the value of a Range for something of (size) bytes.
 *
 * Returns how many (ranges) it asks for; 0 when it is to be ignored: it is no
 * byte range, malformed, or so many or large that all is the better answer; or
 * -1 when it asks for nothing that is there.
 */
int sill_http_ranges_parse(struct sill_http_view value, uint64_t size,
                           struct sill_http_range ranges[RANGES_MAX]);

#endif
