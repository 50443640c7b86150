/* SPDX-License-Identifier: MIT */
/*
 * redis.h: examples/kv against redis-server, as redis-benchmark sees them. A
 * row is missing where redis-tools are.
 */
#ifndef REDIS_H
#define REDIS_H

#include "rows.h"

enum { REDIS_CLIENTS_MAX = 10100 };

extern const struct service redis;

/* SET and GET by 50 clients, one command at a time and 16 pipelined. */
void run_redis(void);

#endif
