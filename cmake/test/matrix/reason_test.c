/* SPDX-License-Identifier: MIT */
/*
 * The test of a protocol: whatever the loop, the reason of 200 is the argument.
 */
#include <sill/sill.h>
#include <sill_http.h>

#include <stdio.h>
#include <string.h>

static int compare(void *expected)
{
    int e = sill_sleep(sill_after(SILL_MILLISECOND));

    return e < 0 ? e : strcmp(sill_http_reason(200), expected) != 0;
}

int main(int argc, char *argv[])
{
    printf("on %s\n", sill_backend_name());
    return argc != 2 || sill_run(compare, argv[1]) != 0;
}
