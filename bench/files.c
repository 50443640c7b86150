/* SPDX-License-Identifier: MIT */
/*
 * Files of bytes in which a shift shows.
 */
#include "files.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char files_folder[64];

const struct file files[FILES] = {
    {"1k", 1 << 10}, {"100k", 100 << 10}, {"10m", FILES_MAX}};

static char contents[FILES_MAX];

static int make_file(const struct file *f)
{
    char path[sizeof files_folder + 16];

    snprintf(path, sizeof path, "%s/%s", files_folder, f->name);
    FILE *file = fopen(path, "w");
    if (!file)
        return -1;
    size_t n = fwrite(contents, 1, f->size, file);
    return fclose(file) == 0 && n == f->size ? 0 : -1;
}

const char *files_make(void)
{
    for (size_t i = 0; i < sizeof contents; i++)
        contents[i] = (char)('!' + i % 89);
    strcpy(files_folder, "/tmp/sill-bench-XXXXXX");
    if (!mkdtemp(files_folder)) {
        files_folder[0] = '\0';
        return NULL;
    }
    for (int i = 0; i < FILES; i++) {
        if (make_file(&files[i]) < 0) {
            files_clean_up();
            return NULL;
        }
    }
    return contents;
}

void files_clean_up(void)
{
    if (!files_folder[0])
        return;
    int fd = open(files_folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; i < FILES; i++)
        (void)unlinkat(fd, files[i].name, 0);
    if (fd >= 0)
        (void)close(fd);
    (void)rmdir(files_folder);
    files_folder[0] = '\0';
}
