/* SPDX-License-Identifier: MIT */
/*
 * file.c: the append-only file, and a thread of its own for all that may wait
 * for the disk. One job at a time; between jobs the file is the loop's. See
 * kv.h.
 */
#include "kv.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static struct {
    const char *name;
    char *next_name;
    int fd, next; /* the file, and the one that a rewrite makes; -1: none */
    uint64_t size;

    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    const struct kv_job *job; /* NULL: none */
    struct kv_outcome outcome;
    bool is_over; /* the job; its outcome is there */
    bool is_ending;
    struct sill_trigger *news;
} file = {.fd = -1,
          .next = -1,
          .mutex = PTHREAD_MUTEX_INITIALIZER,
          .changed = PTHREAD_COND_INITIALIZER};

/* ---- to open ---- */

/* Whether the open file is the one of that name. */
static bool is_in_place(int fd, const char *name)
{
    struct stat here, there;
    return fstat(fd, &here) == 0 && stat(name, &there) == 0 &&
           here.st_ino == there.st_ino && here.st_dev == there.st_dev;
}

/* Returns a descriptor, or -1 with errno. */
static int open_locked(const char *name, int flags)
{
    for (;;) {
        int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | flags, 0644);
        if (fd < 0)
            return -1;
        if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
            int error = errno;
            close(fd);
            errno = error;
            return -1;
        }
        /* Whoever had it may have put another one in its place. */
        if (is_in_place(fd, name))
            return fd;
        close(fd);
    }
}

/* Returns 0 or an errno. */
static int sync_directory(const char *name)
{
    const char *slash = strrchr(name, '/');
    char *directory =
        slash == NULL ? strdup(".") : strndup(name, (size_t)(slash - name) + 1);
    if (directory == NULL)
        return ENOMEM;
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int error = fd < 0 || fsync(fd) != 0 ? errno : 0;
    if (fd >= 0)
        close(fd);
    free(directory);
    return error;
}

int kv_file_open(const char *name)
{
    static const char suffix[] = ".rewrite";
    size_t size = strlen(name) + sizeof(suffix);
    file.name = name;
    file.next_name = malloc(size);
    if (file.next_name == NULL)
        return ENOMEM;
    snprintf(file.next_name, size, "%s%s", name, suffix);
    file.fd = open_locked(name, 0);
    return file.fd < 0 ? errno : sync_directory(name);
}

int kv_file_descriptor(void)
{
    return file.fd;
}

int kv_file_cut(uint64_t size)
{
    file.size = size;
    return ftruncate(file.fd, (off_t)size) == 0 && fdatasync(file.fd) == 0
               ? 0
               : errno;
}

int kv_file_next(void)
{
    kv_file_drop_next();
    file.next = open_locked(file.next_name, 0);
    if (file.next >= 0 && ftruncate(file.next, 0) != 0)
        kv_file_drop_next();
    return file.next;
}

void kv_file_drop_next(void)
{
    if (file.next < 0)
        return;
    unlink(file.next_name);
    close(file.next);
    file.next = -1;
}

/* ---- jobs ---- */

/* Returns 0 or an errno. */
static int write_at(int fd, const struct kv_bytes *bytes, uint64_t place)
{
    size_t done = 0;
    while (done < bytes->used) {
        ssize_t taken = pwrite(fd, bytes->data + done, bytes->used - done,
                               (off_t)(place + done));
        if (taken < 0 && errno != EINTR)
            return errno;
        if (taken > 0)
            done += (size_t)taken;
    }
    return 0;
}

/* A part of a command that stays would be cut at the next start, or be written
 * over before. */
static void take_back(void)
{
    int rc = ftruncate(file.fd, (off_t)file.size);
    (void)rc;
}

static struct kv_outcome append(const struct kv_job *job)
{
    struct kv_outcome outcome = {0};
    outcome.error = write_at(file.fd, job->bytes, file.size);
    outcome.is_taken = outcome.error == 0;
    if (outcome.is_taken && job->sync && fdatasync(file.fd) != 0) {
        outcome.error = errno;
        outcome.is_taken = !job->is_whole;
    }
    if (outcome.is_taken)
        file.size += job->bytes->used;
    else
        take_back();
    outcome.size = file.size;
    return outcome;
}

/* Completes the next file and puts it in the place of the file. */
static struct kv_outcome swap(const struct kv_job *job)
{
    struct kv_outcome outcome = {.size = file.size};
    struct stat status;
    if (fstat(file.next, &status) != 0 ||
        (outcome.error =
             write_at(file.next, job->bytes, (uint64_t)status.st_size)) != 0 ||
        fdatasync(file.next) != 0 || rename(file.next_name, file.name) != 0) {
        if (outcome.error == 0)
            outcome.error = errno;
        return outcome;
    }
    close(file.fd);
    file.fd = file.next;
    file.next = -1;
    file.size = (uint64_t)status.st_size + job->bytes->used;
    outcome.is_taken = true;
    outcome.error = sync_directory(file.name);
    outcome.size = file.size;
    return outcome;
}

struct kv_outcome kv_file_do(const struct kv_job *job)
{
    return job->is_swap ? swap(job) : append(job);
}

/* ---- the thread ---- */

static void *work(void *unused)
{
    pthread_mutex_lock(&file.mutex);
    while (file.job != NULL || !file.is_ending) {
        const struct kv_job *job = file.job;
        if (job == NULL) {
            pthread_cond_wait(&file.changed, &file.mutex);
            continue;
        }
        pthread_mutex_unlock(&file.mutex);
        struct kv_outcome outcome = kv_file_do(job);
        pthread_mutex_lock(&file.mutex);
        file.job = NULL;
        file.outcome = outcome;
        file.is_over = true;
        sill_resume(file.news, 0);
    }
    pthread_mutex_unlock(&file.mutex);
    return unused;
}

int kv_thread(pthread_t *thread, void *(*run)(void *), void *arg)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(thread, NULL, run, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

int kv_file_start(struct sill_trigger *news)
{
    file.news = news;
    return kv_thread(&file.thread, work, NULL);
}

void kv_file_look(void (*look)(void *), void *arg)
{
    pthread_mutex_lock(&file.mutex);
    look(arg);
    pthread_mutex_unlock(&file.mutex);
}

void kv_file_tell(void (*change)(void *), void *arg)
{
    pthread_mutex_lock(&file.mutex);
    change(arg);
    sill_resume(file.news, 0);
    pthread_mutex_unlock(&file.mutex);
}

void kv_file_listen(void)
{
    pthread_mutex_lock(&file.mutex);
    sill_trigger_init(file.news, NULL, NULL);
    pthread_mutex_unlock(&file.mutex);
}

void kv_file_begin(const struct kv_job *job)
{
    pthread_mutex_lock(&file.mutex);
    file.job = job;
    pthread_cond_signal(&file.changed);
    pthread_mutex_unlock(&file.mutex);
}

bool kv_file_is_over(struct kv_outcome *outcome)
{
    pthread_mutex_lock(&file.mutex);
    bool is_over = file.is_over;
    *outcome = file.outcome;
    file.is_over = false;
    pthread_mutex_unlock(&file.mutex);
    return is_over;
}

void kv_file_stop(void)
{
    pthread_mutex_lock(&file.mutex);
    file.is_ending = true;
    pthread_cond_signal(&file.changed);
    pthread_mutex_unlock(&file.mutex);
    pthread_join(file.thread, NULL);
}

void kv_file_close(void)
{
    kv_file_drop_next();
    if (file.fd >= 0)
        close(file.fd);
    free(file.next_name);
}
