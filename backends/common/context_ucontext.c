/* SPDX-License-Identifier: MIT */
/*
 * The switch for machines without one of their own: correct, and slow, since
 * ucontext asks the kernel for the signal mask each time.
 */
#include "context.h"

#include <stdint.h>
#include <ucontext.h>

/* makecontext looks only at where the stack ends; this much is surely there. */
enum { STACK_SURE = 4096 };

void sill_core_switch(void **save, void *load)
{
    ucontext_t here;

    *save = &here;
    (void)swapcontext(&here, load);
}

/* makecontext passes ints only, so the entry is left above the context. */
struct begin {
    ucontext_t context;
    void *(*entry)(void);
};

static void begin(unsigned high, unsigned low)
{
    uintptr_t place = (uintptr_t)high << 32 | low;
    struct begin *self = (struct begin *)place;

    (void)setcontext(self->entry());
}

void *sill_core_prepare(void *top, void *(*entry)(void))
{
    uintptr_t place = ((uintptr_t)top - sizeof(struct begin)) & ~(uintptr_t)63;
    struct begin *self = (struct begin *)place;

    self->entry = entry;
    (void)getcontext(&self->context);
    self->context.uc_stack.ss_sp = (char *)self - STACK_SURE;
    self->context.uc_stack.ss_size = STACK_SURE;
    self->context.uc_link = NULL;
    makecontext(&self->context, (void (*)(void))begin, 2,
                (unsigned)((uint64_t)place >> 32), (unsigned)place);
    return &self->context;
}
