/* SPDX-License-Identifier: MIT */
/*
 * The machine's random bytes, and those of a loop that has its own.
 */
#include "core.h"

#include <sill/random.h>

#include <errno.h>
#include <string.h>
#include <sys/random.h>

void sill_core_set_random(struct sill_loop *loop, uint64_t seed)
{
    loop->has_random = true;
    loop->random = seed;
}

/* Source: SplitMix64 (Steele, Lea, Flood 2014). */
static uint64_t draw(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

static void fill_from(struct sill_loop *loop, unsigned char *bytes, size_t size)
{
    while (size > 0) {
        uint64_t word = draw(&loop->random);
        size_t part = size < sizeof(word) ? size : sizeof(word);

        memcpy(bytes, &word, part);
        bytes += part;
        size -= part;
    }
}

int sill_random_fill(void *buffer, size_t size)
{
    struct sill_loop *loop = sill_core_current;
    unsigned char *bytes = buffer;

    if (loop && loop->has_random) {
        fill_from(loop, bytes, size);
        return 0;
    }
    while (size > 0) {
        ssize_t got = getrandom(bytes, size, 0);

        if (got < 0 && errno != EINTR)
            return SILL_EIO;
        if (got > 0) {
            bytes += got;
            size -= (size_t)got;
        }
    }
    return 0;
}
