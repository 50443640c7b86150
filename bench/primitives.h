/* SPDX-License-Identifier: MIT */
/*
 * primitives.h: what the calls of sill that everything else is built from are
 * measured by.
 */
#ifndef PRIMITIVES_H
#define PRIMITIVES_H

struct primitive {
    const char *name;
    int (*run)(long count); /* in a task; below 0 on failure */
    long each;              /* of something, for each of its count */
};

/* Ends with one that has no name. */
extern const struct primitive primitives[];

#endif
