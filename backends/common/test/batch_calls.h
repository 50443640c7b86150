/* SPDX-License-Identifier: MIT */
/*
 * batch_calls.h: the calls by which writes leave, counted and made to fail.
 * Linked with --wrap for syscall, mmap, send and sendmsg.
 */
#ifndef BATCH_CALLS_H
#define BATCH_CALLS_H

#include <stdbool.h>

/* How often each was called, and how it is to go wrong. */
struct batch_calls {
    int setups, enters, alone;
    int setup_error, enter_error, alone_error; /* once, but the first: always */
    int map_that_fails;                        /* the n-th of the ring's */
    unsigned most;                             /* entries that one call takes */
    bool later; /* the kernel finishes after the call */
};

extern struct batch_calls calls;

#endif
