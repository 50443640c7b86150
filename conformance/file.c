/* SPDX-License-Identifier: MIT */
/*
 * Reads files, and holds two of them. See file.h.
 */
#include "file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* FILE_FOLDER is where they are. */
#define FILE_EMBED(name, path)                                                 \
    __asm__(".section .rodata\n.global " #name "\n" #name ":\n"                \
            ".incbin \"" FILE_FOLDER "/" path "\"\n.byte 0\n.previous\n")

FILE_EMBED(file_rules, "rules.txt");
FILE_EMBED(file_page, "page.html");

/* Reads what there is, up to its end. */
static char *read_stream(FILE *file)
{
    size_t size = 0, room = 4096;
    char *text = malloc(room), *more = text;

    while (more) {
        text = more;
        size += fread(text + size, 1, room - size - 1, file);
        if (size < room - 1) {
            text[size] = '\0';
            return text;
        }
        room *= 2;
        more = realloc(text, room);
    }
    free(text);
    return NULL;
}

char *file_read(const char *path)
{
    FILE *file = fopen(path, "re");
    char *text = file ? read_stream(file) : NULL;

    if (!text)
        perror(path);
    if (file)
        (void)fclose(file);
    return text;
}
