/* SPDX-License-Identifier: MIT */
/*
 * Hands each file of a corpus to a fuzz target, and every part that begins it:
 *
 *   corpus FILE...
 */
#include <stdint.h>
#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 65536 };

static void try_prefixes(const uint8_t *data, size_t size)
{
    for (size_t there = 0; there <= size; there++)
        (void)LLVMFuzzerTestOneInput(data, there);
}

static int try_file(const char *path)
{
    static uint8_t data[INPUT_MAX];
    FILE *file = fopen(path, "rb");

    if (!file) {
        perror(path);
        return 1;
    }
    try_prefixes(data, fread(data, 1, sizeof(data), file));
    (void)fclose(file);
    return 0;
}

int main(int argc, char **argv)
{
    int wrong = argc < 2;

    for (int i = 1; i < argc; i++)
        wrong |= try_file(argv[i]);
    return wrong;
}
