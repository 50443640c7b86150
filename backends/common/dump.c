/* SPDX-License-Identifier: MIT */
/*
 * The tree of tasks as text, and the last words of a wrong program.
 */
#include "core.h"
#include "text.h"

#include <stdlib.h>

enum { LINE = 256 };

static const char *state_name(const struct sill_task *task)
{
    static const char *const names[] = {"gone", "ready", "running", "waits",
                                        "ended"};

    return names[task->state];
}

static void describe_wait(struct sill_text *text, const char *what,
                          sill_duration length)
{
    uint64_t ms = (uint64_t)length / SILL_MILLISECOND;
    char whole[SILL_TEXT_DIGITS], rest[SILL_TEXT_DIGITS];

    sill_text_add(text, " for ", what, ", ",
                  sill_text_number(whole, ms / 1000, 10), ".",
                  /* the fourth digit is there for the zeros behind it */
                  sill_text_number(rest, 1000 + ms % 1000, 10) + 1, " s");
}

static void describe(const struct sill_task *task, int depth, sill_time now,
                     char *line)
{
    struct sill_text text = {line, LINE};

    while (depth-- > 0)
        sill_text_add(&text, "  ");
    sill_text_add(&text, sill_task_name(task), " ", sill_task_where(task), ", ",
                  task->cancelled ? "cancelled, " : "", state_name(task));
    if (task->state == TASK_WAITING)
        describe_wait(&text, task->what, now - task->since);
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
    sill_text_print(line);
}

static void write_log(void *arg, const char *line)
{
    char logged[LINE + 8];
    struct sill_text text = {logged, sizeof(logged)};

    (void)arg;
    sill_text_add(&text, "sill: ", line);
    sill_text_log(logged);
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
    char line[SILL_TEXT_LINE];
    struct sill_text text = {line, sizeof(line)};

    sill_text_add(&text, "sill: ", call, ": ", what);
    if (task)
        sill_text_add(&text, " (task '", sill_task_name(task), "' spawned at ",
                      sill_task_where(task), ")");
    else
        sill_text_add(&text, " (outside of a task)");
    sill_text_print(line);
    abort();
}
