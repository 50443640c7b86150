/* SPDX-License-Identifier: MIT */
/*
 * case.c: see case.h.
 */
#include "case.h"

#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

int descriptors(void)
{
    int count = 0;
    for (int fd = 0; fd < 4096; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static long open_blocks, countdown;
static bool failed;
static size_t largest, bytes;

static void *count_alloc(void *arg, size_t size)
{
    (void)arg;
    if (countdown > 0 && --countdown == 0) {
        failed = true;
        return NULL;
    }
    void *block = malloc(size);
    open_blocks += block != NULL;
    bytes += block != NULL ? malloc_usable_size(block) : 0;
    largest = size > largest ? size : largest;
    return block;
}

/* Through a variable: a compiler leaves out what nobody may read. */
static void *(*volatile spoil)(void *, int, size_t) = memset;

static void count_free(void *arg, void *block)
{
    (void)arg;
    if (block == NULL)
        return;
    open_blocks--;
    bytes -= malloc_usable_size(block);
    spoil(block, 0xa5, malloc_usable_size(block));
    free(block);
}

void blocks_watch(void)
{
    static const struct sill_allocator counting = {count_alloc, count_free,
                                                   NULL};
    sill_set_allocator(&counting);
}

long blocks_open(void)
{
    return open_blocks;
}

size_t blocks_bytes(void)
{
    return bytes;
}

void blocks_settle(long blocks)
{
    for (int i = 0; blocks_open() > blocks; i++) {
        ck_assert_int_lt(i, 10000);
        ck_assert_int_eq(sill_sleep(sill_after(SILL_MILLISECOND)), 0);
    }
}

void blocks_fail(long nth)
{
    countdown = nth;
    failed = false;
}

bool blocks_failed(void)
{
    return failed;
}

size_t blocks_largest(void)
{
    return largest;
}

void case_fail_each(sill_task_fn *fn)
{
    long n = 0;
    int rc;
    blocks_watch();
    do {
        ck_assert_int_lt(++n, 200);
        rc = case_run(fn, &n);
        ck_assert_int_eq(blocks_open(), 0);
    } while (rc == 1);
    ck_assert_int_eq(rc, 0);
    ck_assert_int_gt(n, 8);
}
