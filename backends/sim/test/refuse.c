/* SPDX-License-Identifier: MIT */
/*
 * Nothing of the machine decides a run (rule V-05): the calls that would ask
 * it, without a system call that --alone could refuse, end the program. It is
 * linked with --wrap.
 */
#include <stdlib.h>
#include <unistd.h>

#define REFUSE(name)                                                           \
    void __wrap_##name(void);                                                  \
    void __wrap_##name(void)                                                   \
    {                                                                          \
        static const char text[] = #name " was called\n";                      \
                                                                               \
        (void)!write(STDERR_FILENO, text, sizeof(text) - 1);                   \
        abort();                                                               \
    }

REFUSE(clock_gettime)
REFUSE(time)
REFUSE(gettimeofday)
REFUSE(getrandom)
REFUSE(random)
REFUSE(rand)
