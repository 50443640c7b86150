/* SPDX-License-Identifier: MIT */
/*
 * What comes of a call of libevent's that fails: linked with --wrap for each
 * call in wrap.txt.
 */
#include <sill/libevent.h>
#include <sill/sill.h>

#include <check.h>
#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum call { NONE, CONFIG_NEW, SET_FLAG, BASE_NEW, ADD, LOOP };

/* The (countdown)-th use of this call fails, with this errno. */
static enum call failing;
static int countdown, failure;

static bool fails(enum call call)
{
    if (call != failing || --countdown != 0)
        return false;
    errno = failure;
    return true;
}

/* The linker makes these names.
 * NOLINTBEGIN */
struct event_config *__real_event_config_new(void);
struct event_config *__wrap_event_config_new(void);

struct event_config *__wrap_event_config_new(void)
{
    return fails(CONFIG_NEW) ? NULL : __real_event_config_new();
}

int __real_event_config_set_flag(struct event_config *config, int flag);
int __wrap_event_config_set_flag(struct event_config *config, int flag);

int __wrap_event_config_set_flag(struct event_config *config, int flag)
{
    return fails(SET_FLAG) ? -1 : __real_event_config_set_flag(config, flag);
}

struct event_base *
__real_event_base_new_with_config(const struct event_config *config);
struct event_base *
__wrap_event_base_new_with_config(const struct event_config *config);

struct event_base *
__wrap_event_base_new_with_config(const struct event_config *config)
{
    return fails(BASE_NEW) ? NULL : __real_event_base_new_with_config(config);
}

int __real_event_add(struct event *event, const struct timeval *timeout);
int __wrap_event_add(struct event *event, const struct timeval *timeout);

int __wrap_event_add(struct event *event, const struct timeval *timeout)
{
    return fails(ADD) ? -1 : __real_event_add(event, timeout);
}

int __real_event_base_loop(struct event_base *base, int flags);
int __wrap_event_base_loop(struct event_base *base, int flags);

int __wrap_event_base_loop(struct event_base *base, int flags)
{
    return fails(LOOP) ? -1 : __real_event_base_loop(base, flags);
}

/* NOLINTEND */

static void let_fail(enum call call, int nth, int error)
{
    failing = call;
    countdown = nth;
    failure = error;
}

static int sleep_a_little(void *arg)
{
    (void)arg;
    return sill_sleep(sill_after(SILL_MILLISECOND));
}

static int next_descriptor(void)
{
    int fd = dup(STDIN_FILENO);

    (void)close(fd);
    return fd;
}

static void check_run(enum call call, int error, int code)
{
    int next = next_descriptor();

    let_fail(call, 1, error);
    ck_assert_int_eq(sill_run(sleep_a_little, NULL), code);
    ck_assert_int_eq(next_descriptor(), next);
    let_fail(NONE, 0, 0);
    ck_assert_int_eq(sill_run(sleep_a_little, NULL), 0);
}

START_TEST(a_run_without_a_base_says_why)
{
    check_run(CONFIG_NEW, ENOMEM, SILL_ENOMEM);
    check_run(SET_FLAG, 0, SILL_ENOMEM);
    check_run(BASE_NEW, ENOMEM, SILL_ENOMEM);
}

END_TEST

START_TEST(a_run_without_its_event_frees_the_base)
{
    check_run(ADD, ENOSPC, SILL_ENOSPC);
    check_run(ADD, 0, SILL_ENOMEM);
}

END_TEST

START_TEST(an_attach_that_fails_leaves_the_base_alone)
{
    struct event_base *base = event_base_new();
    struct sill_guest *guest = NULL;

    let_fail(ADD, 1, ENOMEM);
    ck_assert_int_eq(sill_libevent_attach(base, NULL, &guest), SILL_ENOMEM);
    ck_assert_ptr_null(guest);
    ck_assert_int_eq(event_base_get_num_events(base, EVENT_BASE_COUNT_ADDED),
                     0);
    ck_assert_int_eq(event_base_dispatch(base), 1);
    event_base_free(base);
}

END_TEST

START_TEST(a_base_that_cannot_wait_ends_the_program)
{
    let_fail(LOOP, 1, EBADF);
    (void)sill_run(sleep_a_little, NULL);
}

END_TEST

static void fill(int fd)
{
    static char bytes[4096];

    while (send(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
        continue;
}

static void drain(int fd)
{
    static char bytes[4096];

    while (recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
        continue;
}

/* The first event is for reading, and the second one for writing. */
static int wait_in_vain(void *arg)
{
    int ends[2], rc;
    struct sill_watch watch;

    (void)arg;
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    fill(ends[0]);
    for (int nth = 1; nth <= 2; nth++) {
        let_fail(ADD, nth, ENOMEM);
        rc = sill_watch_open(&watch, ends[0]);
        if (rc == 0)
            rc = sill_watch_wait(&watch, SILL_READ | SILL_WRITE, SILL_NEVER);
        ck_assert_int_eq(rc, SILL_ENOMEM);
        sill_watch_close(&watch);
    }
    let_fail(NONE, 0, 0);
    ck_assert_int_eq(sill_watch_open(&watch, ends[0]), 0);
    drain(ends[1]);
    ck_assert_int_eq(sill_watch_wait(&watch, SILL_WRITE, SILL_NEVER),
                     SILL_WRITE);
    sill_watch_close(&watch);
    (void)close(ends[0]);
    (void)close(ends[1]);
    return 0;
}

START_TEST(a_descriptor_that_is_refused_says_why)
{
    ck_assert_int_eq(sill_run(wait_in_vain, NULL), 0);
}

END_TEST

int main(void)
{
    Suite *suite = suite_create("libevent");
    TCase *faults = tcase_create("faults");

    tcase_set_timeout(faults, 60);
    tcase_add_test(faults, a_run_without_a_base_says_why);
    tcase_add_test(faults, a_run_without_its_event_frees_the_base);
    tcase_add_test(faults, an_attach_that_fails_leaves_the_base_alone);
    tcase_add_test(faults, a_descriptor_that_is_refused_says_why);
    tcase_add_test_raise_signal(
        faults, a_base_that_cannot_wait_ends_the_program, SIGABRT);
    suite_add_tcase(suite, faults);

    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_NORMAL);

    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
