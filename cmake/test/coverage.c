/* SPDX-License-Identifier: MIT */
/*
 * Linked with programs that count their lines (the preset coverage): what was
 * counted is also kept by a process that ends without exit, as cases, their
 * children and those that are to abort do.
 *
 * A program that handles the signals itself finds this in their place before,
 * and goes on as it would with the default.
 */
#include <gcov.h>
#include <signal.h>
#include <unistd.h>

void __real__exit(int status) __attribute__((noreturn));
void __wrap__exit(int status) __attribute__((noreturn));

void __wrap__exit(int status)
{
    __gcov_dump();
    __real__exit(status);
}

/* Raised again, it waits for the return, and then for nobody. */
static void dump_and_die(int number)
{
    __gcov_dump();
    (void)raise(number);
}

static void handle_signals(void) __attribute__((constructor));

static void handle_signals(void)
{
    struct sigaction action = {
        .sa_handler = dump_and_die,
        .sa_flags = (int)(SA_RESETHAND | SA_ONSTACK),
    };

    (void)sigaction(SIGABRT, &action, NULL);
    (void)sigaction(SIGSEGV, &action, NULL);
}
