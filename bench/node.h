/* SPDX-License-Identifier: MIT */
/*
 * node.h: Node's own http as a rival that says Hello, World!
 */
#ifndef NODE_H
#define NODE_H

#include "rows.h"

extern const struct service node;

#endif
