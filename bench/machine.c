/* SPDX-License-Identifier: MIT */
/*
 * From /proc and uname.
 */
#include "machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

/* Puts what stands behind (key), blanks and colons, in (path) into (text). */
static void find_line(const char *path, const char *key, char *text,
                      size_t size)
{
    char line[8192];
    FILE *file = fopen(path, "r");

    snprintf(text, size, "unknown");
    while (file && fgets(line, sizeof line, file)) {
        if (strncmp(line, key, strlen(key)) != 0)
            continue;
        char *at = line + strlen(key);
        at += strspn(at, " \t:");
        at[strcspn(at, "\n")] = '\0';
        snprintf(text, size, "%s", at);
        break;
    }
    if (file)
        fclose(file);
}

/* Without what those who built the kernel added to its number. */
static void name_system(char *text, size_t size)
{
    struct utsname u;

    if (uname(&u) < 0) {
        snprintf(text, size, "unknown");
        return;
    }
    int digits = (int)strspn(u.release, "0123456789.");
    snprintf(text, size, "%s %.*s %s", u.sysname, digits, u.release, u.machine);
}

void machine_look(struct machine *m)
{
    char flags[8192], memory[64];

    find_line("/proc/cpuinfo", "model name", m->processor, sizeof m->processor);
    find_line("/proc/cpuinfo", "flags", flags, sizeof flags);
    find_line("/proc/meminfo", "MemTotal", memory, sizeof memory);
    find_line("/proc/sys/net/ipv4/tcp_congestion_control", "", m->congestion,
              sizeof m->congestion);
    name_system(m->system, sizeof m->system);
#ifdef __clang__
    snprintf(m->compiler, sizeof m->compiler, "clang %d.%d", __clang_major__,
             __clang_minor__);
#else
    snprintf(m->compiler, sizeof m->compiler, "gcc %d.%d", __GNUC__,
             __GNUC_MINOR__);
#endif
    m->processors = (int)sysconf(_SC_NPROCESSORS_ONLN);
    m->memory_gib = strtod(memory, NULL) / (1024 * 1024);
    m->is_virtual = strstr(flags, " hypervisor") != NULL;
}
