/* SPDX-License-Identifier: MIT */
/*
 * The tree of tasks as text, and the last words of a wrong program.
 */
#include "core.h"

#include <stdio.h>
#include <stdlib.h>

enum { LINE = 256 };

static const char *state_name(const struct sill_task *task)
{
    static const char *const names[] = {"gone", "ready", "running", "waits",
                                        "ended"};

    return names[task->state];
}

static void describe(const struct sill_task *task, int depth, sill_time now,
                     char *line)
{
    int n = snprintf(line, LINE, "%*s%s %s, %s%s", 2 * depth, "",
                     sill_task_name(task), sill_task_where(task),
                     task->cancelled ? "cancelled, " : "", state_name(task));

    if (task->state != TASK_WAITING || n < 0 || n >= LINE)
        return;
    (void)snprintf(line + n, (size_t)(LINE - n), " for %s, %.3f s", task->what,
                   (double)(now - task->since) / 1e9);
}

/* Oldest first: the list of children begins with the latest. */
static struct sill_task *oldest(struct sill_task *task)
{
    while (task && task->older)
        task = task->older;
    return task;
}

static void dump(struct sill_loop *loop,
                 void (*write)(void *arg, const char *line), void *arg)
{
    struct sill_task *task = loop->root;
    sill_time now = loop->backend->now(loop->self);
    int depth = 0;

    while (task) {
        char line[LINE];

        describe(task, depth, now, line);
        write(arg, line);
        if (task->children) {
            task = oldest(task->children);
            depth++;
            continue;
        }
        while (task && !task->younger) {
            task = task->parent;
            depth--;
        }
        task = task ? task->younger : NULL;
    }
}

static void write_stderr(void *arg, const char *line)
{
    (void)arg;
    (void)fprintf(stderr, "%s\n", line);
}

static void write_log(void *arg, const char *line)
{
    (void)arg;
    sill_log("sill: %s", line);
}

void sill_core_dump(struct sill_loop *loop,
                    void (*write)(void *arg, const char *line), void *arg)
{
    dump(loop, write ? write : write_stderr, arg);
}

void sill_dump(void (*write)(void *arg, const char *line), void *arg)
{
    if (sill_core_current)
        sill_core_dump(sill_core_current, write, arg);
}

void sill_core_dump_log(struct sill_loop *loop)
{
    dump(loop, write_log, NULL);
}

void sill_core_fatal(const char *call, const char *what,
                     const struct sill_task *task)
{
    if (task)
        (void)fprintf(stderr, "sill: %s: %s (task '%s' spawned at %s)\n", call,
                      what, sill_task_name(task), sill_task_where(task));
    else
        (void)fprintf(stderr, "sill: %s: %s (outside of a task)\n", call, what);
    abort();
}
