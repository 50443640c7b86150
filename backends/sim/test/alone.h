/* SPDX-License-Identifier: MIT */
/*
 * alone.h: from now on nobody outside of the process helps.
 */
#ifndef SIM_ALONE_H
#define SIM_ALONE_H

/* Any system call but those for memory, for words and for the end kills the
 * process. Exits with 77 where that cannot be done. */
void be_alone(void);

#endif
