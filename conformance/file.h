/* SPDX-License-Identifier: MIT */
/*
 * file.h: whole files, and the files that are part of the program.
 */
#ifndef FILE_H
#define FILE_H

/* Returns the text of a file, to be freed, or NULL, having said why. */
char *file_read(const char *path);

/* rules.txt and page.html, as they were when the program was built. */
extern const char file_rules[], file_page[];

#endif
