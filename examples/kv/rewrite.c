/* SPDX-License-Identifier: MIT */
/*
 * rewrite.c: a shorter append-only file. A child process has the keys as they
 * are when it is forked, and writes the commands that make them; meanwhile the
 * server goes on. See kv.h.
 */
#include "kv.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PARTS_MAX 64 /* of a value, in one command */

/* Commands on their way into the new file. */
static struct dump {
    int fd;
    bool failed;
    size_t used;
    const struct kv_entry *entry;
    size_t left, rest; /* strings of this command, and of those behind it */
    char buffer[65536];
} dump;

static struct {
    pid_t child;
    pthread_t reaper;
    bool is_reaped; /* under the lock of kv_file_tell */
    int status;
} rewrite;

/* ---- in the child, which must not allocate ---- */

static void flush(void)
{
    size_t done = 0;
    while (!dump.failed && done < dump.used) {
        ssize_t taken = write(dump.fd, dump.buffer + done, dump.used - done);
        if (taken < 0 && errno != EINTR)
            dump.failed = true;
        if (taken > 0)
            done += (size_t)taken;
    }
    dump.used = 0;
}

static void put(const char *data, size_t size)
{
    while (size > 0 && !dump.failed) {
        size_t room = sizeof(dump.buffer) - dump.used;
        size_t part = size < room ? size : room;
        memcpy(dump.buffer + dump.used, data, part);
        dump.used += part;
        data += part;
        size -= part;
        if (dump.used == sizeof(dump.buffer))
            flush();
    }
}

static void put_head(char mark, size_t number)
{
    char text[KV_HEAD_MAX];
    put(text, kv_print_head(text, mark, number));
}

static void put_string(struct sill_resp_view text)
{
    put_head('$', text.size);
    put(text.at, text.size);
    put("\r\n", 2);
}

static void begin_command(void)
{
    size_t most = PARTS_MAX * kv_kind_of(dump.entry)->unit;
    dump.left = dump.rest < most ? dump.rest : most;
    dump.rest -= dump.left;
    put_head('*', 2 + dump.left);
    put_string(sill_resp_view(kv_kind_of(dump.entry)->verb));
    put_string(kv_key(dump.entry));
}

static void take(void *unused, struct sill_resp_view text)
{
    (void)unused;
    if (dump.left == 0)
        begin_command();
    put_string(text);
    dump.left--;
}

static void put_entry(const struct kv_entry *entry)
{
    char text[KV_INTEGER_MAX];
    dump.entry = entry;
    dump.rest = kv_count(entry) * kv_kind_of(entry)->unit;
    kv_kind_of(entry)->tell(entry, take, NULL);
    if (entry->expires == KV_NEVER)
        return;
    put_head('*', 3);
    put_string(SILL_RESP_VIEW("PEXPIREAT"));
    put_string(kv_key(entry));
    put_string(kv_print_integer(entry->expires, text));
}

static void put_all(void)
{
    const struct kv_node *n = NULL;
    put_head('*', 2);
    put_string(SILL_RESP_VIEW("SELECT"));
    put_string(SILL_RESP_VIEW("0"));
    while ((n = kv_table_next(&kv_keys.table, n)) != NULL)
        put_entry((const struct kv_entry *)n);
    flush();
}

/* The server's port and its lock on the file must be free when it is gone. */
static void close_others(int fd)
{
    long most = sysconf(_SC_OPEN_MAX);
    for (int i = 3; i < most && i < 65536; i++)
        if (i != fd)
            close(i);
}

static void be_the_child(int fd)
{
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    close_others(fd);
    dump.fd = fd;
    put_all();
    _exit(dump.failed || fsync(fd) != 0 ? 1 : 0);
}

/* ---- in the server ---- */

static void set_reaped(void *status)
{
    rewrite.status = *(int *)status;
    rewrite.is_reaped = true;
}

static void get_reaped(void *is_reaped)
{
    *(bool *)is_reaped = rewrite.is_reaped;
}

static int wait_for_child(void)
{
    int status = -1;
    while (waitpid(rewrite.child, &status, 0) < 0 && errno == EINTR)
        continue;
    return status;
}

static void *reap(void *unused)
{
    int status = wait_for_child();
    kv_file_tell(set_reaped, &status);
    return unused;
}

int kv_rewrite_begin(void)
{
    int fd = kv_file_next();
    if (fd < 0)
        return errno;
    rewrite.is_reaped = false;
    rewrite.child = fork();
    if (rewrite.child == 0)
        be_the_child(fd);
    if (rewrite.child < 0)
        return errno;
    int error = kv_thread(&rewrite.reaper, reap, NULL);
    if (error != 0) {
        kill(rewrite.child, SIGKILL);
        (void)wait_for_child();
    }
    return error;
}

int kv_rewrite_result(void)
{
    bool is_reaped;
    kv_file_look(get_reaped, &is_reaped);
    if (!is_reaped)
        return EINPROGRESS;
    pthread_join(rewrite.reaper, NULL);
    return rewrite.status == 0 ? 0 : EIO;
}

void kv_rewrite_end(void)
{
    bool is_reaped;
    kv_file_look(get_reaped, &is_reaped);
    if (!is_reaped)
        kill(rewrite.child, SIGKILL);
    pthread_join(rewrite.reaper, NULL);
}
