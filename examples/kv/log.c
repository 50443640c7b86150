/* SPDX-License-Identifier: MIT */
/*
 * log.c: what changes keys is gathered as commands, and goes to the append-only
 * file whenever that has taken what came before: many sessions' commands with
 * one write, and one fsync. See kv.h.
 */
#include "kv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GATHERED_MAX  ((size_t)32 << 20) /* then replies wait */
#define REWRITE_SIZE  ((uint64_t)64 << 20)
#define RETRY_TIME    (100 * SILL_MILLISECOND)
#define REWRITE_PAUSE (60 * SILL_SECOND)

struct waiter {
    struct waiter *next, **link;
    struct sill_trigger trigger;
};

struct kv_log kv_log;

/* Places are bytes that were ever gathered. */
static struct {
    struct kv_bytes gathered, going; /* what comes, what the file is given */
    struct kv_bytes since;           /* all that came since a rewrite began */
    bool gathers_since;
    sill_time gathered_at, going_at; /* since when there are some */
    uint64_t written, synced;

    struct kv_job job;
    bool is_busy; /* with the job, which ends at this place */
    uint64_t end;
    sill_time sync_at, retry_at, rewrite_at;
    struct sill_trigger news;
    struct waiter *waiters;
} writer;

/* ---- bytes ---- */

/* What was not logged must not be answered: without memory, this is the end. */
static void put(struct kv_bytes *to, const void *data, size_t size)
{
    if (size == 0)
        return;
    if (to->size - to->used < size) {
        size_t room = 2 * to->size + size;
        char *grown = realloc(to->data, room);
        if (grown == NULL) {
            fputs("kv: no memory for the append-only file\n", stderr);
            _exit(1);
        }
        to->data = grown;
        to->size = room;
    }
    memcpy(to->data + to->used, data, size);
    to->used += size;
}

static void drop(struct kv_bytes *bytes)
{
    free(bytes->data);
    *bytes = (struct kv_bytes){0};
}

void kv_log_gather(const void *data, size_t size)
{
    if (size == 0)
        return;
    if (writer.gathered.used == 0) {
        writer.gathered_at = sill_now();
        sill_resume(&writer.news, 0);
    }
    put(&writer.gathered, data, size);
    if (writer.gathers_since)
        put(&writer.since, data, size);
    kv_log.end += size;
}

/* ---- replies wait for it ---- */

static void wake_all(void)
{
    for (struct waiter *w = writer.waiters; w != NULL; w = w->next)
        sill_resume(&w->trigger, 0);
}

static bool is_late(void)
{
    sill_time since =
        writer.going.used > 0 ? writer.going_at : writer.gathered_at;
    return writer.gathered.used > GATHERED_MAX ||
           (writer.written < kv_log.end && sill_now() - since > SILL_SECOND);
}

/* Whether what was gathered up to (end) is as safe as it has to be. */
static bool is_safe(uint64_t end)
{
    return kv_options.fsync == KV_ALWAYS ? writer.synced >= end : !is_late();
}

static int wait_once(void)
{
    struct waiter w = {.next = writer.waiters, .link = &writer.waiters};
    sill_trigger_init(&w.trigger, NULL, NULL);
    if (w.next != NULL)
        w.next->link = &w.next;
    writer.waiters = &w;
    int rc = sill_suspend(&w.trigger, SILL_NEVER);
    *w.link = w.next;
    if (w.next != NULL)
        w.next->link = w.link;
    return rc;
}

int kv_log_sends(struct sill_resp_session *session)
{
    uint64_t end = kv_log.end;
    int rc = 0;
    while (rc == 0 && kv_log.is_on && kv_log.error == 0 && !is_safe(end))
        rc = wait_once();
    /* What was read may be told, what was written is not safe. */
    if (rc == 0 && kv_log.error != 0 && kv_options.fsync == KV_ALWAYS &&
        kv_client(session)->logged > writer.synced)
        rc = SILL_EIO;
    return rc;
}

/* ---- the file takes it ---- */

static void set_error(int error)
{
    if (error != 0 && kv_log.error == 0)
        fprintf(stderr, "kv: %s cannot be written: %s\n", kv_options.log_name,
                kv_errno_text(error));
    if (error == 0 && kv_log.error != 0)
        fprintf(stderr, "kv: %s is written again\n", kv_options.log_name);
    kv_log.error = error;
    if (error != 0)
        writer.retry_at = sill_after(RETRY_TIME);
}

static void end_rewrite(int error)
{
    if (error != 0)
        kv_file_drop_next();
    if (error != 0)
        fprintf(stderr, "kv: %s was not rewritten: %s\n", kv_options.log_name,
                kv_errno_text(error));
    drop(&writer.since);
    kv_log.is_rewriting = writer.gathers_since = false;
    kv_log.rewrite_error = error;
    writer.rewrite_at = sill_after(REWRITE_PAUSE);
}

/* A job is over. */
static void settle(const struct kv_outcome *outcome)
{
    bool is_swap = writer.job.is_swap;
    writer.is_busy = false;
    kv_log.size = outcome->size;
    if (outcome->is_taken) {
        writer.written = writer.end;
        writer.going.used = 0;
    }
    if (writer.job.sync && outcome->error == 0)
        writer.synced = writer.written;
    if (is_swap && outcome->is_taken)
        kv_log.base_size = outcome->size;
    if (is_swap)
        end_rewrite(outcome->error);
    /* A rewrite that fails before it is in place leaves the file as it was. */
    if (!is_swap || outcome->is_taken)
        set_error(outcome->error);
    wake_all();
}

static void begin(const struct kv_bytes *bytes, bool sync, bool is_swap)
{
    writer.job = (struct kv_job){.bytes = bytes,
                                 .sync = sync,
                                 .is_whole = kv_options.fsync == KV_ALWAYS,
                                 .is_swap = is_swap};
    writer.end = kv_log.end - writer.gathered.used;
    writer.is_busy = true;
    if (sync)
        writer.sync_at = sill_after(SILL_SECOND);
}

/* What was gathered is given to the file next, behind what it did not take. */
static void load(void)
{
    if (writer.going.used > 0) {
        put(&writer.going, writer.gathered.data, writer.gathered.used);
        writer.gathered.used = 0;
        return;
    }
    struct kv_bytes empty = writer.going;
    writer.going = writer.gathered;
    writer.going_at = writer.gathered_at;
    writer.gathered = empty;
}

static bool is_sync_due(void)
{
    if (kv_log.error != 0)
        return true;
    if (kv_options.fsync == KV_EVERYSEC)
        return writer.synced < writer.written && sill_now() >= writer.sync_at;
    return kv_options.fsync == KV_ALWAYS && writer.going.used > 0;
}

static bool is_rewrite_due(void)
{
    bool has_grown = kv_log.size >= REWRITE_SIZE &&
                     kv_log.size / 2 >= kv_log.base_size &&
                     sill_now() >= writer.rewrite_at;
    return (kv_log.is_rewrite_wanted || has_grown) && !kv_log.is_rewriting;
}

static void begin_rewrite(void)
{
    kv_log.is_rewrite_wanted = false;
    kv_log.is_rewriting = writer.gathers_since = true;
    int error = kv_rewrite_begin();
    if (error != 0)
        end_rewrite(error);
}

/* Returns whether there is something for the file to do now: then it is the
 * job. */
static bool find_job(void)
{
    int error = EINPROGRESS;
    if (kv_log.error != 0 && sill_now() < writer.retry_at)
        return false;
    load();
    if (kv_log.is_rewriting)
        error = kv_rewrite_result();
    if (error == 0) {
        writer.gathers_since = false;
        begin(&writer.since, true, true);
        return true;
    }
    if (error != EINPROGRESS)
        end_rewrite(error);
    if (is_rewrite_due())
        begin_rewrite();
    bool sync = is_sync_due();
    if (writer.going.used > 0 || sync)
        begin(&writer.going, sync, false);
    return writer.is_busy;
}

static sill_time next_time(void)
{
    if (writer.is_busy)
        return SILL_NEVER;
    if (kv_log.error != 0)
        return writer.retry_at;
    return kv_options.fsync == KV_EVERYSEC && writer.synced < writer.written
               ? writer.sync_at
               : SILL_NEVER;
}

int kv_log_run(void *unused)
{
    struct kv_outcome outcome;
    int rc = 0;
    (void)unused;
    sill_task_set_name("kv log");
    while (kv_log.is_on && (rc == 0 || rc == SILL_ETIMEDOUT)) {
        kv_file_listen();
        if (writer.is_busy && kv_file_is_over(&outcome))
            settle(&outcome);
        if (!writer.is_busy && find_job())
            kv_file_begin(&writer.job);
        rc = sill_suspend(&writer.news, next_time());
    }
    return rc;
}

void kv_log_want_rewrite(void)
{
    kv_log.is_rewrite_wanted = true;
    sill_resume(&writer.news, 0);
}

/* ---- its beginning and its end ---- */

static int complain(int error)
{
    if (error == EWOULDBLOCK)
        fprintf(stderr, "kv: %s is in use by another server\n",
                kv_options.log_name);
    else
        fprintf(stderr, "kv: %s: %s\n", kv_options.log_name,
                kv_errno_text(error));
    return 1;
}

int kv_log_open(struct sill_resp_server *server)
{
    uint64_t size;
    if (kv_options.log_name == NULL)
        return 0;
    int error = kv_file_open(kv_options.log_name);
    if (error != 0)
        return complain(error);
    kv_log.is_loading = true;
    int rc = kv_replay(server, &size);
    kv_log.is_loading = false;
    if (rc != 0)
        return rc;
    error = kv_file_cut(size);
    if (error == 0)
        error = kv_file_start(&writer.news);
    if (error != 0)
        return complain(error);
    kv_log.is_on = true;
    kv_log.size = kv_log.base_size = size;
    if (size == 0)
        kv_log_args((struct sill_resp_view[]){SILL_RESP_VIEW("SELECT"),
                                              SILL_RESP_VIEW("0")},
                    2);
    return 0;
}

/* What is left is written now. */
static int flush(void)
{
    load();
    begin(&writer.going, true, false);
    struct kv_outcome outcome = kv_file_do(&writer.job);
    settle(&outcome);
    return outcome.error == 0 ? 0 : 1;
}

int kv_log_close(void)
{
    struct kv_outcome outcome;
    int rc = 0;
    if (kv_log.is_on) {
        kv_file_stop();
        if (kv_file_is_over(&outcome))
            settle(&outcome);
        if (kv_log.is_rewriting)
            kv_rewrite_end();
        rc = flush();
    }
    kv_log.is_on = false;
    kv_file_close();
    drop(&writer.gathered);
    drop(&writer.going);
    drop(&writer.since);
    return rc;
}
