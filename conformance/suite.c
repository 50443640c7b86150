/* SPDX-License-Identifier: MIT */
/*
 * What the cases share: streams, taking stock, processes, threads, the walk
 * over failures. See suite.h.
 */
#include "suite.h"
#include "faults.h"
#include "shuffle.h"

#include <dirent.h>
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

bool suite_has(unsigned properties)
{
    return (sill_conformance_params.properties & properties) == properties;
}

/* ---- time ---- */

double suite_scale(void)
{
    const char *text = getenv("SILL_TIMEOUT_SCALE");
    double scale = text != NULL ? strtod(text, NULL) : 1;
    return scale > 0 ? scale : 1;
}

sill_duration suite_liveness(void)
{
    return (sill_duration)(500 * SILL_MILLISECOND * suite_scale());
}

sill_duration suite_lateness(void)
{
    return suite_has(SILL_CONFORMANCE_VIRTUAL) ? 0 : suite_liveness();
}

void suite_spend_until(sill_time instant)
{
    if (sill_conformance_params.spend_until)
        sill_conformance_params.spend_until(instant);
    while (sill_now() < instant)
        continue;
}

int suite_many(int count)
{
    int fewer = (int)(count / suite_scale());
    if (fewer >= count)
        return count;
    return fewer > 16 ? fewer : 16;
}

int suite_crowd(int count)
{
    int fewer = suite_many(count);
    return fewer < count && fewer > 1000 ? 1000 : fewer;
}

unsigned suite_limit(void)
{
    const char *text = getenv("SILL_CASE_LIMIT");
    long given = text != NULL ? strtol(text, NULL, 10) : 0;
    double scale = suite_scale();
    double limit = scale < 1 ? 25 * scale : 20 + 5 * scale;

    if (given > 0)
        return (unsigned)given;
    return limit > 1 ? (unsigned)limit : 1;
}

/* ---- tasks ---- */

struct sill_task *suite_spawn_at(sill_task_fn *fn, void *arg, const char *where)
{
    struct sill_task *task = NULL;
    int rc = sill_spawn_at(fn, arg, &task, where);
    ck_assert_msg(rc == 0, "spawn at %s: %s", where, sill_strerror(rc));
    return task;
}

int suite_await(struct sill_task *task)
{
    int result = 0;
    int rc = sill_await(task, &result, SILL_NEVER);
    ck_assert_msg(rc == 0, "await: %s", sill_strerror(rc));
    return result;
}

void suite_cancel(struct sill_task *task)
{
    int rc = sill_cancel(task, SILL_NEVER);
    ck_assert_msg(rc == 0, "cancel: %s", sill_strerror(rc));
}

void suite_yield(int rounds)
{
    for (int i = shuffle_is_on() ? -1 : 0; i < rounds; i++)
        sill_yield();
}

struct search {
    const char *text;
    bool found;
};

static void look_for(void *arg, const char *line)
{
    struct search *search = arg;
    if (strstr(line, search->text) != NULL)
        search->found = true;
}

bool suite_dump_has(const char *text)
{
    struct search search = {text, false};
    sill_dump(look_for, &search);
    return search.found;
}

int suite_sleeper(void *arg)
{
    (void)arg;
    return sill_sleep(SILL_NEVER);
}

int suite_suspender(void *arg)
{
    return sill_suspend(arg, SILL_NEVER);
}

int suite_returner(void *arg)
{
    return (int)(intptr_t)arg;
}

/* ---- streams ---- */

struct sill_address suite_loopback(uint16_t port)
{
    struct sill_address address;
    ck_assert_int_eq(sill_address_ip(&address, "127.0.0.1", port), 0);
    return address;
}

void suite_listen(struct sill_listener *listener, struct sill_address *address)
{
    if (sill_conformance_params.listening) {
        ck_assert_int_eq(sill_conformance_params.listening(listener, address),
                         0);
        return;
    }
    *address = suite_loopback(0);
    ck_assert_int_eq(sill_listener_listen(listener, address, NULL), 0);
    ck_assert_int_eq(sill_listener_local(listener, address), 0);
}

/* Buffers of a fixed size: left to itself the kernel grows them while a
 * stream is being filled, for half a minute. */
static void open_loopback(struct suite_pair *pair)
{
    struct sill_socket_options options = {.send_buffer = 65536,
                                          .receive_buffer = 65536};
    struct sill_address address = suite_loopback(0);
    struct sill_listener listener;
    ck_assert_int_eq(sill_listener_listen(&listener, &address, &options), 0);
    ck_assert_int_eq(sill_listener_local(&listener, &address), 0);
    ck_assert_int_eq(
        sill_stream_connect(&pair->a, &address, &options, SILL_NEVER), 0);
    ck_assert_int_eq(sill_listener_accept(&listener, &pair->b, SILL_NEVER), 0);
    sill_listener_close(&listener);
}

static void open_tcp(struct suite_pair *pair)
{
    if (sill_conformance_params.connected)
        ck_assert_int_eq(sill_conformance_params.connected(&pair->a, &pair->b),
                         0);
    else
        open_loopback(pair);
}

static void adopt_both(struct suite_pair *pair)
{
    int fds[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    ck_assert_int_eq(sill_stream_adopt(&pair->a, fds[0]), 0);
    ck_assert_int_eq(sill_stream_adopt(&pair->b, fds[1]), 0);
}

static void meet_by_name(struct suite_pair *pair)
{
    struct sill_address address;
    struct sill_listener listener;
    char name[64];

    (void)snprintf(name, sizeof(name), "@sill-suite-%ld-%ld", (long)getpid(),
                   (long)gettid());
    ck_assert_int_eq(sill_address_unix(&address, name), 0);
    ck_assert_int_eq(sill_listener_listen(&listener, &address, NULL), 0);
    ck_assert_int_eq(sill_stream_connect(&pair->a, &address, NULL, SILL_NEVER),
                     0);
    ck_assert_int_eq(sill_listener_accept(&listener, &pair->b, SILL_NEVER), 0);
    sill_listener_close(&listener);
}

void suite_pair_open(struct suite_pair *pair, enum suite_kind kind)
{
    *pair = (struct suite_pair){.kind = kind};
    if (kind == SUITE_TCP)
        open_tcp(pair);
    else if (kind == SUITE_UNIX)
        suite_has(SILL_CONFORMANCE_FD) ? adopt_both(pair) : meet_by_name(pair);
    else
        ck_assert_int_eq(sill_stream_pair(&pair->a, &pair->b, 65536), 0);
}

void suite_pair_close(struct suite_pair *pair)
{
    sill_stream_close(&pair->a);
    sill_stream_close(&pair->b);
}

/*
 * TCP makes room for a while yet: an acknowledgement is delayed by up to 40 ms,
 * a full window is probed after 200 ms, and buffers grow meanwhile. Measured
 * with three congestion controls on busy processors, none did after 250 ms.
 */
static sill_duration settling_time(const struct sill_stream *stream)
{
    struct sill_address address;
    bool is_tcp = sill_stream_local(stream, &address) == 0 &&
                  (address.family == SILL_FAMILY_IPV4 ||
                   address.family == SILL_FAMILY_IPV6);

    return is_tcp ? 250 * SILL_MILLISECOND : 0;
}

static size_t fill_now(struct sill_stream *stream)
{
    static const char zeros[4096];
    size_t total = 0;
    ssize_t rc;

    while ((rc = sill_stream_write(stream, zeros, sizeof(zeros), SILL_PAST)) >
           0)
        total += (size_t)rc;
    ck_assert_int_eq(rc, SILL_ETIMEDOUT);
    return total;
}

static size_t fill_until_settled(struct sill_stream *stream)
{
    sill_duration settling = settling_time(stream);
    size_t total = 0, more;

    do {
        more = fill_now(stream);
        total += more;
        if (settling > 0)
            ck_assert_int_eq(sill_sleep(sill_after(settling)), 0);
    } while (settling > 0 && more > 0);
    return total;
}

size_t suite_fill(struct sill_stream *stream)
{
    if (!sill_conformance_params.clog)
        return fill_until_settled(stream);

    ssize_t taken = sill_conformance_params.clog(stream);

    ck_assert_int_gt(taken, 0);
    return (size_t)taken;
}

/* ---- threads and processes ---- */

static void *run_thread(void *arg)
{
    struct suite_thread *thread = arg;
    thread->fn(thread->arg);
    return NULL;
}

void suite_thread_start(struct suite_thread *thread, void (*fn)(void *arg),
                        void *arg)
{
    sigset_t all, old;
    thread->fn = fn;
    thread->arg = arg;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int error = pthread_create(&thread->thread, NULL, run_thread, thread);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    ck_assert_int_eq(error, 0);
}

void suite_thread_join(struct suite_thread *thread)
{
    ck_assert_int_eq(pthread_join(thread->thread, NULL), 0);
}

static void run_child(int out, void (*fn)(void *arg), void *arg)
{
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    dup2(out, STDERR_FILENO);
    close(out);
    sill_set_log(NULL, NULL);
    alarm(suite_limit());
    fn(arg);
    _exit(0);
}

int suite_fork(void (*fn)(void *arg), void *arg, char *errors, size_t size)
{
    int ends[2], status = 0;
    size_t at = 0;
    ssize_t got;
    char drop[256];
    ck_assert_int_eq(pipe(ends), 0);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        close(ends[0]);
        run_child(ends[1], fn, arg);
    }
    close(ends[1]);
    fault_hold();
    do {
        bool room = at + 1 < size;
        got = read(ends[0], room ? errors + at : drop,
                   room ? size - at - 1 : sizeof(drop));
        if (room && got > 0)
            at += (size_t)got;
    } while (got > 0 || (got < 0 && errno == EINTR));
    fault_release();
    if (size > 0)
        errors[at] = '\0';
    close(ends[0]);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    return status;
}

void suite_expect_abort_texts(void (*fn)(void *arg), void *arg,
                              const char *const texts[])
{
    static char errors[16384];
    ck_assert_msg(sill_self() == NULL, "expect an abort outside of a loop");
    int status = suite_fork(fn, arg, errors, sizeof(errors));
    ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT,
                  "no abort but status %#x, having said: %.1500s", status,
                  errors);
    for (; *texts != NULL; texts++)
        ck_assert_msg(strstr(errors, *texts) != NULL,
                      "'%s' is missing in: %.1500s", *texts, errors);
}

struct culprit {
    void (*wrong)(void);
    const char *where;
};

static int be_culprit(void *arg)
{
    const struct culprit *culprit = arg;
    sill_task_set_name("culprit");
    culprit->wrong();
    return 0;
}

static int spawn_culprit(void *arg)
{
    const struct culprit *culprit = arg;
    return suite_await(suite_spawn_at(be_culprit, arg, culprit->where));
}

static void run_culprit(void *arg)
{
    sill_run(spawn_culprit, arg);
}

void suite_expect_culprit_at(void (*wrong)(void), const char *call,
                             const char *where)
{
    struct culprit culprit = {wrong, where};
    suite_expect_abort(run_culprit, &culprit, call, "culprit", where);
}

/* ---- what is in use ---- */

static int count_entries(const char *folder)
{
    int count = 0;
    DIR *dir = opendir(folder);
    ck_assert_msg(dir != NULL, "cannot read %s", folder);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        if (entry->d_name[0] != '.')
            count++;
    closedir(dir);
    return count;
}

int suite_descriptors(void)
{
    return count_entries("/proc/self/fd") - 1;
}

int suite_threads(void)
{
    return count_entries("/proc/self/task");
}

long long suite_mapped(void)
{
    return fault_mapped();
}

sill_duration suite_cpu(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * SILL_SECOND +
           (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * SILL_MICROSECOND;
}

long suite_wakeups(void)
{
    struct rusage usage;
    getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_nvcsw;
}

long suite_wakeups_allowed(sill_duration took)
{
    sill_duration late = took - SILL_SECOND;
    return 2 + (late > 0 ? (long)(late / (20 * SILL_MILLISECOND)) : 0);
}

long long suite_resident(void)
{
    long long total = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    ck_assert_ptr_nonnull(file);
    int got = fscanf(file, "%lld %lld", &total, &resident);
    fclose(file);
    ck_assert_int_eq(got, 2);
    return resident * sysconf(_SC_PAGESIZE);
}

struct suite_stock suite_take_stock(void)
{
    return (struct suite_stock){
        .descriptors = suite_descriptors(),
        .threads = suite_threads(),
        .blocks = suite_blocks(),
        .mapped = suite_mapped(),
    };
}

/* A thread that was joined may take a moment to leave /proc. */
static void await_threads(int count)
{
    sill_time deadline = sill_after(suite_liveness());
    while (suite_threads() > count && sill_now() < deadline) {
        struct timespec moment = {0, 1000000};
        nanosleep(&moment, NULL);
    }
}

void suite_check_stock(const struct suite_stock *before)
{
    await_threads(before->threads);
    struct suite_stock now = suite_take_stock();
    ck_assert_msg(now.descriptors == before->descriptors,
                  "%d descriptors left, %d before", now.descriptors,
                  before->descriptors);
    /* Fewer is right: one joined before may have lingered when they were
     * counted. */
    ck_assert_msg(now.threads <= before->threads, "%d threads left, %d before",
                  now.threads, before->threads);
    ck_assert_msg(now.blocks == before->blocks, "%ld blocks left, %ld before",
                  now.blocks, before->blocks);
    ck_assert_msg(now.mapped == before->mapped,
                  "%lld bytes left mapped, %lld before", now.mapped,
                  before->mapped);
}

/* ---- orders and failures ---- */

static void permute(int order[], size_t at, size_t count,
                    void (*fn)(const int order[], void *arg), void *arg)
{
    if (at == count) {
        fn(order, arg);
        return;
    }
    for (size_t i = at; i < count; i++) {
        int chosen = order[i];
        order[i] = order[at];
        order[at] = chosen;
        permute(order, at + 1, count, fn, arg);
        order[at] = order[i];
        order[i] = chosen;
    }
}

void suite_permute(size_t count, void (*fn)(const int order[], void *arg),
                   void *arg)
{
    int order[6] = {0, 1, 2, 3, 4, 5};
    ck_assert_uint_le(count, 6);
    permute(order, 0, count, fn, arg);
}

/* Returns whether the failure struck. */
static bool fail_once(void (*scenario)(void), enum fault_call call, long n,
                      int error)
{
    struct suite_stock before = suite_take_stock();
    suite_note("%s failing with %s at use %ld", fault_name(call),
               strerror(error), n);
    fault_clear();
    fault_nth(call, n, error);
    scenario();
    bool struck = fault_strikes(call) > 0;
    fault_clear();
    suite_check_stock(&before);
    return struck;
}

void suite_walk_failures(void (*scenario)(void))
{
    for (int i = 0; i < FAULT_COUNT; i++) {
        enum fault_call call = (enum fault_call)i;
        for (const int *error = fault_errors(call); *error != 0; error++) {
            long n = 1;
            while (fail_once(scenario, call, n, *error))
                n++;
        }
    }
    suite_note("%s", "");
}
