/* SPDX-License-Identifier: MIT */
/*
 * wrk in turns.
 */
#include "wrk.h"

#include "load.h"
#include "services.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Runs wrk for a second against (r). */
static void measure_wrk(struct row *r, const char *lua)
{
    char url[64], text[4096];
    char *argv[] = {(char *)"wrk",  (char *)"-t1", (char *)"-c64",
                    (char *)"-d1s", url,           NULL,
                    NULL,           NULL};
    struct child wrk;
    unsigned long requests = 0;

    if (lua) {
        argv[4] = (char *)"-s";
        argv[5] = (char *)lua;
        argv[6] = url;
    }
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", r->port);
    int64_t cpu = child_cpu_ns(&r->child);
    if (child_start(&wrk, argv, cpu_for(LOAD_CPU)) < 0 ||
        child_output(&wrk, text, sizeof text) < 0)
        return;
    cpu = child_cpu_ns(&r->child) - cpu;
    char *line = strstr(text, " requests in ");
    while (line && line > text && line[-1] >= '0' && line[-1] <= '9')
        line--;
    if (line)
        requests = strtoul(line, NULL, 10);
    if (requests == 0 || strstr(text, "Non-2xx") || strstr(text, "Socket err"))
        return;
    r->cpu[r->count] = (double)cpu / 1e3 / (double)requests;
    r->rate[r->count++] = (double)requests;
}

static char script[32]; /* where pipeline_script is, while wrk needs it */

void wrk_clean_up(void)
{
    if (script[0])
        (void)unlink(script);
    script[0] = '\0';
}

static const char pipeline_script[] =
    "local batch\n"
    "init = function(args)\n"
    "    local r = {}\n"
    "    for i = 1, 16 do r[i] = wrk.format() end\n"
    "    batch = table.concat(r)\n"
    "end\n"
    "request = function() return batch end\n";

static void wrk_table(const char *title, const char *lua)
{
    static struct row rows[ROWS_MAX];

    enum { WRK_ROUNDS = 3 };

    int count = hello_count;

    memcpy(rows, hello_rows, (size_t)count * sizeof rows[0]);
    for (int i = 0; i < count; i++)
        row_start(&rows[i]);
    int64_t end = share_of_time(1);
    for (int round = 0;
         round < WRK_ROUNDS && (round == 0 || load_clock() < end); round++) {
        progress(title, round, WRK_ROUNDS);
        for (int i = 0; i < count; i++) {
            struct row *r = &rows[(round + i) % count];
            if (r->is_up)
                measure_wrk(r, lua);
        }
    }
    progress(title, WRK_ROUNDS, WRK_ROUNDS);
    rows_print("wrk", title, 64, rows, count);
    for (int i = 0; i < count; i++)
        row_stop(&rows[i]);
}

void run_wrk(void)
{
    if (!find_file("wrk", NULL)) {
        printf("\nwrk is not installed: no second witness\n");
        return;
    }
    strcpy(script, "/tmp/sill-bench-XXXXXX");
    int fd = mkstemp(script);
    if (fd < 0 || write(fd, pipeline_script, sizeof pipeline_script - 1) < 0) {
        bench.failed = true;
        return;
    }
    close(fd);
    wrk_table("wrk, 64 connections, one at a time", NULL);
    wrk_table("wrk, 64 connections, 16 pipelined", script);
    wrk_clean_up();
}
