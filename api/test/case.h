/* SPDX-License-Identifier: MIT */
/*
 * case.h: what tests share that run tasks: cases, and what they may leave open.
 */
#ifndef CASE_H
#define CASE_H

#include <sill/sill.h>

#include <check.h>
#include <stdbool.h>
#include <stddef.h>

/* Defines a case: a test whose body is the first task of a loop. */
#define CASE(name)                                                             \
    static int name##_body(void);                                              \
    static int name##_task(void *unused)                                       \
    {                                                                          \
        (void)unused;                                                          \
        return name##_body();                                                  \
    }                                                                          \
    START_TEST(name)                                                           \
    {                                                                          \
        blocks_watch();                                                        \
        ck_assert_int_eq(case_run(name##_task, NULL), 0);                      \
        ck_assert_int_eq(blocks_open(), 0);                                    \
    }                                                                          \
    END_TEST                                                                   \
    static int name##_body(void)

/* Is sill_run on a loop of its own, or, in the programs with "guest" in their
 * names, as the guest of a host. */
int case_run(sill_task_fn *fn, void *arg);

/* How many descriptors this process has open. */
int descriptors(void);

/* Counts blocks, as all cases do, of which none is open at their end; and lets
 * the n-th allocation from now on fail; 0: none. */
void blocks_watch(void);
long blocks_open(void);
size_t blocks_bytes(void);       /* in those that are open */
void blocks_settle(long blocks); /* waits until no more are open */
void blocks_fail(long nth);
bool blocks_failed(void);

/*
 * Runs (fn) on one new loop after the other, with a pointer to a long that says
 * which of its allocations is to fail: it returns 1 if one did, until none has,
 * after more than 8. No run leaves a block.
 */
void case_fail_each(sill_task_fn *fn);

/* The largest block that was asked for since the watch began. */
size_t blocks_largest(void);

#endif
