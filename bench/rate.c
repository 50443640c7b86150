/* SPDX-License-Identifier: MIT */
/*
 * bench-rate PORT SECONDS: prints how many requests per second the server at
 * that port of 127.0.0.1 answers, over 64 connections. For a quick look where
 * wrk is not to be had; bench is what measures with care.
 */
#include "load.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    const struct load_shape shape = {
        .kind = LOAD_HTTP, .connections = 64, .depth = 1};
    if (argc != 3) {
        fprintf(stderr, "usage: bench-rate PORT SECONDS\n");
        return 2;
    }
    long seconds = strtol(argv[2], NULL, 10);
    struct load *load = load_open((int)strtol(argv[1], NULL, 10), &shape);
    if (load == NULL || seconds < 1)
        return 1;
    uint64_t requests = load_run(load, seconds * INT64_C(1000000000), 1);
    load_close(load);
    printf("%llu\n", (unsigned long long)(requests / (uint64_t)seconds));
    return requests == 0;
}
