/* SPDX-License-Identifier: MIT */
/*
 * word.h: change a word that others may change at the same time.
 *
 * Others are threads and signal handlers. While the process has one thread only
 * handlers are left, and an instruction cannot be interrupted in the middle, so
 * the lock prefix, 6 ns of each of the four changes in a round trip of suspend
 * and resume, is left out. glibc tells (2.32); libstdc++ does the same for its
 * reference counts.
 */
#ifndef SILL_WORD_H
#define SILL_WORD_H

#include <stdbool.h>
#include <stdint.h>

#include "context.h"

#if defined(__x86_64__) && defined(__has_include) && !defined(SILL_WITH_TSAN)
#if __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
#define SILL_WORD_ALONE __libc_single_threaded
#endif
#endif

#ifdef SILL_WORD_ALONE
static inline bool word_move_alone(uintptr_t *word, uintptr_t *from,
                                   uintptr_t to)
{
    bool moved;

    __asm__ volatile("cmpxchgq %3, %1"
                     : "=@cce"(moved), "+m"(*word), "+a"(*from)
                     : "r"(to)
                     : "memory");
    return moved;
}
#endif

/* Stores (to) if the word is (*from), and returns whether it was; otherwise
 * (*from) receives what it is. */
static inline bool word_move(uintptr_t *word, uintptr_t *from, uintptr_t to)
{
#ifdef SILL_WORD_ALONE
    if (SILL_WORD_ALONE)
        return word_move_alone(word, from, to);
#endif
    return __atomic_compare_exchange_n(word, from, to, false, __ATOMIC_ACQ_REL,
                                       __ATOMIC_ACQUIRE);
}

#endif
