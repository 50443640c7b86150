/* SPDX-License-Identifier: MIT */
/*
 * What comes of a call of libuv's that fails: linked with --wrap for each call
 * in wrap.txt.
 */
#include <sill/libuv.h>
#include <sill/sill.h>

#include <check.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

enum call { NONE, LOOP_INIT, ASYNC_INIT, POLL_START };

/* What this call returns instead of being made. */
static enum call failing;
static int failure;

/* The linker makes these names.
 * NOLINTBEGIN */
int __real_uv_loop_init(uv_loop_t *loop);
int __wrap_uv_loop_init(uv_loop_t *loop);

int __wrap_uv_loop_init(uv_loop_t *loop)
{
    return failing == LOOP_INIT ? failure : __real_uv_loop_init(loop);
}

int __real_uv_async_init(uv_loop_t *loop, uv_async_t *async, uv_async_cb fn);
int __wrap_uv_async_init(uv_loop_t *loop, uv_async_t *async, uv_async_cb fn);

int __wrap_uv_async_init(uv_loop_t *loop, uv_async_t *async, uv_async_cb fn)
{
    return failing == ASYNC_INIT ? failure
                                 : __real_uv_async_init(loop, async, fn);
}

int __real_uv_poll_start(uv_poll_t *poll, int events, uv_poll_cb fn);
int __wrap_uv_poll_start(uv_poll_t *poll, int events, uv_poll_cb fn);

int __wrap_uv_poll_start(uv_poll_t *poll, int events, uv_poll_cb fn)
{
    return failing == POLL_START ? failure
                                 : __real_uv_poll_start(poll, events, fn);
}

/* NOLINTEND */

static void let_fail(enum call call, int code)
{
    failing = call;
    failure = code;
}

static int return_at_once(void *arg)
{
    (void)arg;
    return 0;
}

static int next_descriptor(void)
{
    int fd = dup(STDIN_FILENO);

    (void)close(fd);
    return fd;
}

START_TEST(a_run_without_a_loop_says_why)
{
    int next = next_descriptor();

    let_fail(LOOP_INIT, UV_ENOMEM);
    ck_assert_int_eq(sill_run(return_at_once, NULL), SILL_ENOMEM);
    let_fail(LOOP_INIT, UV_EMFILE);
    ck_assert_int_eq(sill_run(return_at_once, NULL), SILL_EMFILE);
    let_fail(NONE, 0);
    ck_assert_int_eq(next_descriptor(), next);
    ck_assert_int_eq(sill_run(return_at_once, NULL), 0);
}

END_TEST

START_TEST(a_run_without_a_handle_closes_its_loop)
{
    int next = next_descriptor();

    let_fail(ASYNC_INIT, UV_EMFILE);
    ck_assert_int_eq(sill_run(return_at_once, NULL), SILL_EMFILE);
    let_fail(NONE, 0);
    ck_assert_int_eq(next_descriptor(), next);
    ck_assert_int_eq(sill_run(return_at_once, NULL), 0);
}

END_TEST

/* <sill/libuv.h>: "or, with nothing left in (host)". */
START_TEST(an_attach_that_fails_leaves_the_loop_alone)
{
    struct sill_guest *guest = NULL;
    uv_loop_t loop;

    ck_assert_int_eq(uv_loop_init(&loop), 0);
    let_fail(ASYNC_INIT, UV_EMFILE);
    ck_assert_int_eq(sill_libuv_attach(&loop, NULL, &guest), SILL_EMFILE);
    ck_assert_ptr_null(guest);
    ck_assert_int_eq(uv_loop_alive(&loop), 0);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
}

END_TEST

static int wait_in_vain(void *arg)
{
    int ends[2], rc;
    struct sill_watch watch;

    (void)arg;
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    let_fail(POLL_START, UV_ENOMEM);
    rc = sill_watch_open(&watch, ends[0]);
    if (rc == 0)
        rc = sill_watch_wait(&watch, SILL_READ, SILL_NEVER);
    ck_assert_int_eq(rc, SILL_ENOMEM);
    let_fail(NONE, 0);
    sill_watch_close(&watch);
    ck_assert_int_eq(sill_watch_open(&watch, ends[0]), 0);
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
    Suite *suite = suite_create("libuv");
    TCase *faults = tcase_create("faults");

    tcase_set_timeout(faults, 60);
    tcase_add_test(faults, a_run_without_a_loop_says_why);
    tcase_add_test(faults, a_run_without_a_handle_closes_its_loop);
    tcase_add_test(faults, an_attach_that_fails_leaves_the_loop_alone);
    tcase_add_test(faults, a_descriptor_that_is_refused_says_why);
    suite_add_tcase(suite, faults);

    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_NORMAL);

    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
