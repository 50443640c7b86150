/* SPDX-License-Identifier: MIT */
/*
 * Names the task whose stack overflowed, before the program dies of it.
 *
 * While a loop runs SIGSEGV is handled, on a stack of its own. A fault outside
 * of a guard goes to whoever had the signal before; afterwards everything is
 * as it was, unless somebody else took the signal meanwhile.
 */
#include "core.h"
#include "text.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

enum { SIGNAL_STACK = 65536 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned loops;
static struct sigaction before;
static _Thread_local char *signal_stack;
static _Thread_local unsigned users; /* loops of this thread */

static void report(const struct sill_task *task)
{
    char line[SILL_TEXT_LINE], digits[SILL_TEXT_DIGITS];
    struct sill_text text = {line, sizeof(line)};

    sill_text_add(
        &text, "sill: stack overflow in the task '", sill_task_name(task),
        "' spawned at ", sill_task_where(task), ", whose stack has ",
        sill_text_number(digits, task->loop->stack_size, 10), " bytes");
    sill_text_print(line);
}

/* Back to the one before; returning repeats the fault for it to see. */
static void on_fault(int number, siginfo_t *info, void *context)
{
    struct sill_task *task = sill_core_self();

    (void)context;
    if (task && sill_core_stack_guards(task, info->si_addr))
        report(task);
    (void)sigaction(number, &before, NULL);
    if (info->si_code <= 0) /* sent, not a fault: nothing will repeat it */
        (void)raise(number);
}

static void handle_signal(void)
{
    struct sigaction action;

    memset(&action, 0, sizeof(action));
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    (void)sigaction(SIGSEGV, &action, &before);
}

/* A thread that already has a stack for signals keeps it. */
static int open_stack(void)
{
    stack_t old;

    if (users++ > 0)
        return 0;
    if (sigaltstack(NULL, &old) < 0 || !(old.ss_flags & SS_DISABLE))
        return 0;
    signal_stack = sill_alloc(SIGNAL_STACK);
    if (!signal_stack) {
        users--;
        return SILL_ENOMEM;
    }

    stack_t stack = {.ss_sp = signal_stack, .ss_size = SIGNAL_STACK};

    (void)sigaltstack(&stack, NULL);
    return 0;
}

/* Whoever set a stack meanwhile keeps it. */
static void close_stack(void)
{
    stack_t none = {.ss_flags = SS_DISABLE};
    stack_t now;

    if (--users > 0 || !signal_stack)
        return;
    if (sigaltstack(NULL, &now) == 0 && now.ss_sp == signal_stack)
        (void)sigaltstack(&none, NULL);
    sill_free(signal_stack);
    signal_stack = NULL;
}

int sill_core_overflow_open(void)
{
    int rc = open_stack();

    if (rc < 0)
        return rc;
    (void)pthread_mutex_lock(&lock);
    if (loops++ == 0)
        handle_signal();
    (void)pthread_mutex_unlock(&lock);
    return 0;
}

/* Whoever set a handler meanwhile keeps it. */
static void restore_signal(void)
{
    struct sigaction now;

    if (sigaction(SIGSEGV, NULL, &now) == 0 && (now.sa_flags & SA_SIGINFO) &&
        now.sa_sigaction == on_fault)
        (void)sigaction(SIGSEGV, &before, NULL);
}

void sill_core_overflow_close(void)
{
    (void)pthread_mutex_lock(&lock);
    if (--loops == 0)
        restore_signal();
    (void)pthread_mutex_unlock(&lock);
    close_stack();
}
