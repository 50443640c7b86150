/* SPDX-License-Identifier: MIT */
/*
 * redis.h: examples/kv against redis-server, as redis-benchmark and clients
 * that say nothing see them. A row is missing where redis-tools are.
 */
#ifndef REDIS_H
#define REDIS_H

/* SET and GET by 50 clients, one command at a time and 16 pipelined. */
void run_redis(void);

/* What each of 10 000 clients occupies that has asked once and is silent. */
void run_idle(void);

#endif
