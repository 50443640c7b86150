/* SPDX-License-Identifier: MIT */
/*
 * load_conn.h: the connections of a load, for those who open and who use them.
 */
#ifndef LOAD_CONN_H
#define LOAD_CONN_H

#include "load.h"

struct conn {
    int fd;
    size_t to_send;    /* bytes of the batch that did not fit yet */
    size_t to_receive; /* bytes of its answers that did not come yet */
};

struct load {
    int set, port;
    struct load_shape shape;
    char *batch;       /* the requests of one batch */
    size_t batch_size; /* and their bytes */
    char *answers;     /* to the first batch of a connection */
    size_t answers_room;
    size_t answer_size;
    int busy;
    bool broken;
    int *idle;
    unsigned sources; /* addresses used so far */
    struct conn conns[];
};

/* Says (what) on standard error; returns -1. */
int load_complain(const char *what);

/* Returns a descriptor, or -1. (type) is SOCK_NONBLOCK, connecting as yet
 * perhaps, or 0, with a patience of 5 s. */
int load_dial(struct load *load, int type);

/* The events of (c) come from the set of (load). Returns 0 or -1. */
int load_watch(struct load *load, struct conn *c);

#endif
