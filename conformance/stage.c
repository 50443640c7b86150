/* SPDX-License-Identifier: MIT */
/*
 * Runs one case: memory and log are counted and kept, a watchdog waits, and
 * stock is taken before and after. See stage.h and ck.h.
 */
#include "stage.h"
#include "faults.h"
#include "shuffle.h"

#include <malloc.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct suite_case *suite_cases;
struct sill_guest *suite_guest;
int (*suite_run_as_guest)(sill_task_fn *fn, void *arg);

static const struct suite_case *current;
static struct stage_record *record;
static atomic_size_t logged;
static atomic_long blocks;

void suite_register(struct suite_case *a_case)
{
    struct suite_case **place = &suite_cases;
    while (*place != NULL && strcmp((*place)->rule, a_case->rule) <= 0)
        place = &(*place)->next;
    a_case->next = *place;
    *place = a_case;
}

/* ---- assertions ---- */

/* From any thread; a line of one in a file of another would be of no matter. */
void ck_mark(const char *file, int line)
{
    __atomic_store_n(&record->file, file, __ATOMIC_RELAXED);
    __atomic_store_n(&record->line, line, __ATOMIC_RELAXED);
}

/* The first failure counts: that of a forked child comes before its parent's,
 * which only sees that the child failed. */
void ck_fail(const char *file, int line, const char *format, ...)
{
    va_list list;
    if (record->state == STAGE_BUSY) {
        record->state = STAGE_FAILED;
        ck_mark(file, line);
        va_start(list, format);
        vsnprintf(record->message, sizeof(record->message), format, list);
        va_end(list);
    }
    _exit(1);
}

/* ---- memory and log ---- */

static void *counted_alloc(void *arg, size_t size)
{
    (void)arg;
    void *block = fault_strikes_alloc() ? NULL : malloc(size);
    if (block != NULL)
        atomic_fetch_add(&blocks, 1);
    return block;
}

/* Whoever goes on using it is to notice. */
static void counted_free(void *arg, void *block)
{
    (void)arg;
    atomic_fetch_sub(&blocks, 1);
    memset(block, 0xa5, malloc_usable_size(block));
    free(block);
}

static void keep_log(void *arg, const char *line)
{
    size_t size = strlen(line);
    (void)arg;
    size_t at = atomic_fetch_add(&logged, size + 1);
    if (at + size + 2 > sizeof(record->log))
        return;
    memcpy(record->log + at, line, size);
    record->log[at + size] = '\n';
}

long suite_blocks(void)
{
    return atomic_load(&blocks);
}

/* ---- running it ---- */

/* On the thread of the case, whatever it was doing: best effort, and a second
 * alarm ends the process if it fails. */
static void bark(int number)
{
    (void)number;
    record->state = STAGE_HUNG;
    alarm(2);
    if (suite_guest)
        sill_guest_dump(suite_guest, keep_log, NULL);
    else
        sill_dump(keep_log, NULL);
    _exit(3);
}

static void set_watchdog(void)
{
    struct sigaction action = {
        .sa_handler = bark,
        .sa_flags = (int)(SA_RESETHAND | SA_NODEFER),
    };
    sigaction(SIGALRM, &action, NULL);
    alarm(suite_limit());
}

static void do_nothing(void *arg)
{
    (void)arg;
}

/* A runtime may keep a thread of its own from the first one on (a sanitizer
 * does): let it come before stock is taken. */
static void start_first_thread(void)
{
    struct suite_thread thread;
    suite_thread_start(&thread, do_nothing, NULL);
    suite_thread_join(&thread);
}

static int run_body(void *arg)
{
    (void)arg;
    current->body();
    return 0;
}

static int run_inside(const struct stage_options *options)
{
    return options->as_guest ? suite_run_as_guest(run_body, NULL)
                             : sill_run(run_body, NULL);
}

static void run_current(const struct stage_options *options)
{
    int rc = 0;
    if (options->shuffled)
        shuffle_loops(options->seed, current->rule, current->name);
    if (options->batched)
        shuffle_batches();
    if (current->inside)
        rc = run_inside(options);
    else
        current->body();
    ck_assert_msg(rc == 0, "sill_run returned %d, %s", rc, sill_strerror(rc));
}

void stage_run(const struct suite_case *a_case,
               const struct stage_options *options,
               struct stage_record *its_record)
{
    struct sill_allocator allocator = {counted_alloc, counted_free, NULL};
    current = a_case;
    record = its_record;
    record->state = STAGE_BUSY;
    ck_mark(a_case->file, a_case->line);
    sill_set_allocator(&allocator);
    sill_set_log(keep_log, NULL);
    set_watchdog();
    start_first_thread();
    struct suite_stock before = suite_take_stock();
    run_current(options);
    fault_clear();
    suite_check_stock(&before);
    alarm(0);
    if (record->state == STAGE_BUSY)
        record->state = STAGE_PASSED;
}

void suite_note(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(record->note, sizeof(record->note), format, list);
    va_end(list);
}

bool suite_log_has(const char *text)
{
    return strstr(record->log, text) != NULL;
}

void suite_log_clear(void)
{
    memset(record->log, 0, sizeof(record->log));
    atomic_store(&logged, 0);
}
