/* SPDX-License-Identifier: MIT */
/*
 * The smallest program of somebody else: says from inside a task which backend
 * it runs on, with a phrase that only the protocol library knows.
 */
#include <sill/sill.h>
#include <sill_http.h>

#include <stdio.h>

static int say(void *arg)
{
    (void)arg;
    printf("%s: %s\n", sill_backend_name(), sill_http_reason(200));
    return 0;
}

int main(void)
{
    return sill_run(say, NULL);
}
