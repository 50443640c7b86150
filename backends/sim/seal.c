/* SPDX-License-Identifier: MIT */
/*
 * Nothing of the machine decides a run (rule V-05): whoever asks it is ended by
 * the kernel.
 */
#include "scenario.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define ALLOW(number)                                                          \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, 1),                       \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

/* Memory, stacks for signals, locks, what a program says, and its end. */
static struct sock_filter filter[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
    ALLOW(SYS_mmap),
    ALLOW(SYS_munmap),
    ALLOW(SYS_mremap),
    ALLOW(SYS_madvise),
    ALLOW(SYS_mprotect),
    ALLOW(SYS_brk),
    ALLOW(SYS_sigaltstack),
    ALLOW(SYS_rt_sigaction),
    ALLOW(SYS_rt_sigprocmask),
    ALLOW(SYS_futex), /* pthread_once(3) */
    ALLOW(SYS_write),
    ALLOW(SYS_writev),
    ALLOW(SYS_exit_group),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)};

void sill_scenario_seal(void)
{
    struct sock_fprog program = {sizeof(filter) / sizeof(*filter), filter};

    /* It asks the system about itself when it is first used. */
    if (puts("alone") < 0 || fflush(stdout) < 0 ||
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0) {
        perror("seccomp");
        exit(77); /* NOLINT(concurrency-mt-unsafe): the only thread */
    }
}
