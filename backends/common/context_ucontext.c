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

void *sill_core_prepare(void *top, void (*entry)(void))
{
    uintptr_t place = (uintptr_t)top - sizeof(ucontext_t);
    ucontext_t *context = (ucontext_t *)(place & ~(uintptr_t)63);

    (void)getcontext(context);
    context->uc_stack.ss_sp = (char *)context - STACK_SURE;
    context->uc_stack.ss_size = STACK_SURE;
    context->uc_link = NULL;
    makecontext(context, entry, 0);
    return context;
}
