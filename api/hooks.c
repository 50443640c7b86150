/* SPDX-License-Identifier: MIT */
/*
 * Memory and log. See <sill/hooks.h>.
 */
#include "text.h"

#include <sill/hooks.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void *default_alloc(void *arg, size_t size)
{
    (void)arg;
    return malloc(size);
}

static void default_free(void *arg, void *block)
{
    (void)arg;
    free(block);
}

static void default_log(void *arg, const char *line)
{
    (void)arg;
    sill_text_print(line);
}

static struct sill_allocator allocator = {default_alloc, default_free, NULL};
static void (*log_line)(void *arg, const char *line) = default_log;
static void *log_arg;

void sill_set_allocator(const struct sill_allocator *chosen)
{
    static const struct sill_allocator defaults = {default_alloc, default_free,
                                                   NULL};

    allocator = chosen ? *chosen : defaults;
}

void sill_get_allocator(struct sill_allocator *chosen)
{
    *chosen = allocator;
}

void *sill_alloc(size_t size)
{
    return allocator.alloc(allocator.arg, size);
}

void sill_free(void *block)
{
    if (block)
        allocator.free(allocator.arg, block);
}

void sill_set_log(void (*log)(void *arg, const char *line), void *arg)
{
    log_line = log ? log : default_log;
    log_arg = arg;
}

void sill_text_log(const char *line)
{
    log_line(log_arg, line);
}

void sill_log(const char *format, ...)
{
    char line[SILL_TEXT_LINE];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    sill_text_log(line);
}
