/* SPDX-License-Identifier: MIT */
/*
 * files.h: a folder with files that are served, somewhere in /tmp.
 */
#ifndef FILES_H
#define FILES_H

#include <stddef.h>

enum { FILES = 3, FILES_MAX = 10 << 20 };

extern char files_folder[64]; /* empty: none */

struct file {
    const char *name;
    size_t size;
};

/* From 1 KiB to FILES_MAX. */
extern const struct file files[FILES];

/* Writes them. Returns what is in the longest, and the others begin like it; or
 * NULL with nothing left behind. */
const char *files_make(void);

/* Removes them; from a signal handler, too. Harmless without any. */
void files_clean_up(void);

#endif
