/* SPDX-License-Identifier: MIT */
/*
 * machine.h: what has to be known of a machine to judge figures, and no more:
 * not what it is called.
 */
#ifndef MACHINE_H
#define MACHINE_H

#include <stdbool.h>

struct machine {
    char processor[128];
    char system[256]; /* such as "Linux 6.1.0 x86_64" */
    char compiler[64];
    char congestion[32]; /* control, of loopback */
    int processors;
    double memory_gib;
    bool is_virtual; /* it says so */
};

/* What cannot be found out is "unknown" or 0. */
void machine_look(struct machine *m);

#endif
