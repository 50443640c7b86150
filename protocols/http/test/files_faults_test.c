/* SPDX-License-Identifier: MIT */
/*
 * files_faults_test.c: every system call of the handler of files fails once, in
 * every way that it may; the client learns of it and nothing is left behind.
 */
#include "server_kit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum call { NONE, OPENAT, OPENAT2, FSTAT, PREAD, SENDFILE, GETRANDOM, CALLS };

enum { LARGE = 300000 };

static char place[64];
static struct sill_http_files files;

/* The (countdown)-th call of (failing) from now on fails with (failure). */
static enum call failing;
static int countdown, failure;
static bool is_armed;

static bool fails(enum call call)
{
    if (!is_armed || call != failing || --countdown != 0)
        return false;
    errno = failure;
    return true;
}

/* The linker makes these names.
 * NOLINTBEGIN */
int __real_openat(int folder, const char *name, int flags, ...);
int __wrap_openat(int folder, const char *name, int flags, ...);

int __wrap_openat(int folder, const char *name, int flags, ...)
{
    return fails(OPENAT) ? -1 : __real_openat(folder, name, flags);
}

int __real_fstat(int fd, struct stat *status);
int __wrap_fstat(int fd, struct stat *status);

int __wrap_fstat(int fd, struct stat *status)
{
    return fails(FSTAT) ? -1 : __real_fstat(fd, status);
}

ssize_t __real_pread(int fd, void *buffer, size_t size, off_t at);
ssize_t __wrap_pread(int fd, void *buffer, size_t size, off_t at);

ssize_t __wrap_pread(int fd, void *buffer, size_t size, off_t at)
{
    return fails(PREAD) ? -1 : __real_pread(fd, buffer, size, at);
}

ssize_t __real_sendfile(int to, int fd, off_t *at, size_t size);
ssize_t __wrap_sendfile(int to, int fd, off_t *at, size_t size);

/* "Would block" promises an event, which would not come. */
ssize_t __wrap_sendfile(int to, int fd, off_t *at, size_t size)
{
    return failure != EAGAIN && fails(SENDFILE)
               ? -1
               : __real_sendfile(to, fd, at, size);
}

ssize_t __real_getrandom(void *buffer, size_t size, unsigned flags);
ssize_t __wrap_getrandom(void *buffer, size_t size, unsigned flags);

ssize_t __wrap_getrandom(void *buffer, size_t size, unsigned flags)
{
    return fails(GETRANDOM) ? -1 : __real_getrandom(buffer, size, flags);
}

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);

long __wrap_syscall(long number, ...)
{
    long words[6];
    va_list list;
    va_start(list, number);
    for (int i = 0; i < 6; i++)
        words[i] = va_arg(list, long);
    va_end(list);
#ifdef SYS_openat2
    if (number == SYS_openat2 && fails(OPENAT2))
        return -1;
#endif
    return __real_syscall(number, words[0], words[1], words[2], words[3],
                          words[4], words[5]);
}

/* NOLINTEND */

/* Only the handler's own calls count. */
static int handle(void *arg, struct sill_http_exchange *exchange)
{
    is_armed = true;
    int rc = sill_http_files_handle(arg, exchange);
    is_armed = false;
    return rc;
}

static const char *in_place(const char *name)
{
    static char path[128];
    snprintf(path, sizeof(path), "%s/%s", place, name);
    return path;
}

static void make_place(void)
{
    char *bytes = malloc(LARGE);
    memset(bytes, 'x', LARGE);
    strcpy(place, "/tmp/sill-faults-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(place));
    ck_assert_int_eq(mkdir(in_place("sub"), 0755), 0);
    FILE *file = fopen(in_place("sub/large"), "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, LARGE, file), LARGE);
    ck_assert_int_eq(fclose(file), 0);
    free(bytes);
}

static void remove_place(void)
{
    sill_http_files_close(&files);
    ck_assert_int_eq(remove(in_place("sub/large")), 0);
    ck_assert_int_eq(remove(in_place("sub")), 0);
    ck_assert_int_eq(remove(place), 0);
}

static const struct {
    const char *headers;
    bool step_by_step, follows_links;
    int status;
} ways[] = {
    {"", false, false, 200},
    {"", true, false, 200},
    {"", false, true, 200},
    {"Range: bytes=1-9\r\n", false, false, 206},
    {"Range: bytes=1-9,100000-299999\r\n", false, false, 206},
};

/* Whether the failed call is made up for. */
static bool is_bearable(void)
{
    if (failure == EINTR)
        return failing != FSTAT;
    if (failing == SENDFILE) /* then it is copied */
        return failure == ENOSYS;
    return failing == OPENAT2 && (failure == ENOSYS || failure == EAGAIN);
}

static bool is_complete(const char *text)
{
    const char *line = strstr(text, "\r\nContent-Length: ");
    return line != NULL &&
           strlen(body_of(text)) == strtoul(line + 18, NULL, 10);
}

static void check_answer(const char *text, bool has_failed, int status)
{
    bool opens = failing == OPENAT || failing == OPENAT2;
    if (!has_failed || is_bearable()) {
        ck_assert_int_eq(status_of(text), status);
        ck_assert(is_complete(text));
    } else if (failing == PREAD && status_of(text) == status) {
        ck_assert(!is_complete(text)); /* it was too late to say so */
    } else if (failing == SENDFILE) {
        /* Behind a head that was taken, it is tried again. */
        ck_assert_int_eq(status_of(text), status);
    } else {
        ck_assert_int_eq(status_of(text),
                         opens && failure == EMFILE ? 503 : 500);
        ck_assert(is_complete(text));
    }
}

/* Asks (way) with the n-th call failing. Returns whether there was one. */
static bool try_way(size_t way, int n)
{
    struct kit kit = {0};
    char request[256];
    long blocks = blocks_open();
    int before = descriptors();
    files.step_by_step = ways[way].step_by_step;
    files.links_are_allowed = ways[way].follows_links;
    countdown = n;
    kit_start(&kit, handle, &files);
    snprintf(
        request, sizeof(request),
        "GET /sub/large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s\r\n",
        ways[way].headers);
    char *text = peer_ask(&kit, request);
    bool has_failed = countdown <= 0;
    check_answer(text, has_failed, ways[way].status);
    free(text);
    ck_assert_int_eq(kit_stop(&kit), 0);
    sill_time limit = kit_soon(); /* some loops free a round later */
    while (blocks_open() > blocks && sill_now() < limit)
        sill_yield();
    ck_assert_int_eq((int)blocks_open(), (int)blocks);
    ck_assert_int_eq(descriptors(), before);
    return has_failed;
}

static int try_all(void *unused)
{
    static const int failures[] = {EINTR, EIO, EMFILE, ENOSYS, EAGAIN};
    int hits = 0;
    (void)unused;
    blocks_watch();
    ck_assert_int_eq(sill_http_files_open(&files, place), 0);
    for (size_t i = 0; i < 5; i++) {
        failure = failures[i];
        for (size_t way = 0; way < sizeof(ways) / sizeof(ways[0]); way++)
            for (int n = 1; try_way(way, n); n++)
                hits++;
    }
    return hits;
}

START_TEST(any_call_may_fail)
{
    failing = (enum call)_i;
    ck_assert_int_gt(sill_run(try_all, NULL), 4);
}

END_TEST

int main(void)
{
    Suite *suite = suite_create("http files and faults");
    TCase *cases = tcase_create("faults");
    tcase_set_timeout(cases, 60);
    tcase_add_checked_fixture(cases, make_place, remove_place);
    tcase_add_loop_test(cases, any_call_may_fail, OPENAT, CALLS);
    suite_add_tcase(suite, cases);

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
