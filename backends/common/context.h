/* SPDX-License-Identifier: MIT */
/*
 * context.h: leave one stack, continue on another.
 *
 * A context is a stack pointer; the registers that a call preserves, and the
 * control words of the floating-point unit, lie on the stack below it. The
 * sanitizers have to be told of each switch, or they take it for a stack
 * overflow or a data race.
 */
#ifndef SILL_CONTEXT_H
#define SILL_CONTEXT_H

#include <stddef.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SILL_WITH_ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define SILL_WITH_TSAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define SILL_WITH_ASAN 1
#endif
#if defined(__SANITIZE_THREAD__)
#define SILL_WITH_TSAN 1
#endif

#if defined(SILL_WITH_ASAN)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(SILL_WITH_TSAN)
#include <sanitizer/tsan_interface.h>
#include <signal.h>
/* For a function that returns on another fiber than it was called on. */
#if defined(__clang__)
#define CONTEXT_CROSSES __attribute__((disable_sanitizer_instrumentation))
#else
#define CONTEXT_CROSSES __attribute__((no_sanitize("thread")))
#endif
#else
#define CONTEXT_CROSSES
#endif

struct context {
    void *sp;
#if defined(SILL_WITH_ASAN)
    void *fake_stack;
    const void *bottom;
    size_t size;
    struct context *from;
#endif
#if defined(SILL_WITH_TSAN)
    void *fiber;
#endif
};

/* Saves what is running on the stack, its pointer in (*save), and continues
 * at (load). In context_<machine>.S, or context_ucontext.c. */
void sill_core_switch(void **save, void *load);

/* Prepares a stack that ends at (top), 16-byte aligned, so that switching to
 * the result calls (entry). What that returns is switched to at the end. */
void *sill_core_prepare(void *top, void *(*entry)(void));

/* Tells the sanitizers that (context) has the stack [bottom, top). Once for a
 * stack, not for a task: ThreadSanitizer breaks after some 100 000 fibers. */
static inline void context_open(struct context *context, void *bottom,
                                void *top)
{
    (void)context, (void)bottom, (void)top;
#if defined(SILL_WITH_ASAN)
    context->bottom = bottom;
    context->size = (size_t)((char *)top - (char *)bottom);
    context->fake_stack = NULL;
#endif
#if defined(SILL_WITH_TSAN)
    context->fiber = __tsan_create_fiber(0);
#endif
}

/* Makes (context) stand for the stack that this thread already runs on. */
static inline void context_open_thread(struct context *context)
{
    (void)context;
#if defined(SILL_WITH_TSAN)
    context->fiber = __tsan_get_current_fiber();
#endif
}

/* The task has ended: the frames it left are no longer guarded. */
static inline void context_clear(struct context *context)
{
    (void)context;
#if defined(SILL_WITH_ASAN)
    __asan_unpoison_memory_region(context->bottom, context->size);
    context->fake_stack = NULL;
#endif
}

static inline void context_close(struct context *context)
{
    (void)context;
#if defined(SILL_WITH_TSAN)
    __tsan_destroy_fiber(context->fiber);
#endif
}

/* What comes first on the new stack after a switch. */
static inline void context_arrive(struct context *context)
{
    (void)context;
#if defined(SILL_WITH_ASAN)
    __sanitizer_finish_switch_fiber(context->fake_stack, &context->from->bottom,
                                    &context->from->size);
#endif
}

#if defined(SILL_WITH_TSAN)
/*
 * ThreadSanitizer keeps a signal, for the fiber that it came to, until that one
 * calls the C library, and meanwhile the loop may have gone to sleep. Blocking
 * signals is such a call, and lets none come before the fiber is another.
 */
static inline CONTEXT_CROSSES void switch_fiber(void *fiber)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    __tsan_switch_to_fiber(fiber, 0);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}
#endif

/* What comes last on the old stack; with (ends) it never runs again. */
static inline CONTEXT_CROSSES void
context_depart(struct context *self, struct context *next, int ends)
{
    (void)self, (void)next, (void)ends;
#if defined(SILL_WITH_ASAN)
    next->from = self;
    __sanitizer_start_switch_fiber(ends ? NULL : &self->fake_stack,
                                   next->bottom, next->size);
#endif
#if defined(SILL_WITH_TSAN)
    switch_fiber(next->fiber);
#endif
}

static inline void context_switch(struct context *self, struct context *next)
{
    context_depart(self, next, 0);
    sill_core_switch(&self->sp, next->sp);
    context_arrive(self);
}

#endif
