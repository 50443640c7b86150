/* SPDX-License-Identifier: MIT */
/*
 * What the core does with a backend that does not keep its part of
 * <sill_spi.h>, and what it tells one: it is like the linked one, but for an
 * entry or a few.
 */
#include <sill/sill.h>
#include <sill_spi.h>

#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static struct sill_backend odd;
static int runs;

static void set_up(void)
{
    odd = *sill_backend_default;
    runs = 0;
}

static int sleep_a_little(void *arg)
{
    (void)arg;
    runs++;
    return sill_sleep(sill_after(SILL_MILLISECOND));
}

static int run_on_it(void)
{
    struct sill_run_options options = {.backend = &odd};

    return sill_run_with(&options, sleep_a_little, NULL);
}

START_TEST(a_backend_that_is_complete_will_do)
{
    ck_assert_int_eq(run_on_it(), 0);
    ck_assert_int_eq(runs, 1);
}

END_TEST

START_TEST(one_of_another_version_ends_the_program)
{
    odd.abi++;
    (void)run_on_it();
}

END_TEST

START_TEST(one_of_another_size_ends_the_program)
{
    odd.size--;
    (void)run_on_it();
}

END_TEST

static int refuse_to_open(struct sill_loop *loop, void *host, void **self)
{
    (void)loop;
    (void)host;
    (void)self;
    return SILL_EMFILE;
}

START_TEST(one_that_cannot_open_says_why)
{
    struct sill_guest *guest = NULL;
    int host;

    odd.open = refuse_to_open;
    ck_assert_int_eq(run_on_it(), SILL_EMFILE);
    ck_assert_int_eq(sill_core_attach(&odd, &host, NULL, &guest), SILL_EMFILE);
    ck_assert_ptr_null(guest);
    ck_assert_int_eq(runs, 0);
}

END_TEST

static int refuse_to_wait(void *self, sill_time until)
{
    (void)self;
    (void)until;
    return SILL_EIO;
}

START_TEST(one_that_cannot_wait_ends_the_program)
{
    odd.poll = refuse_to_wait;
    (void)run_on_it();
}

END_TEST

static int open_alone(struct sill_loop *loop, void *host, void **self)
{
    (void)host;
    return sill_backend_default->open(loop, NULL, self);
}

START_TEST(a_guest_of_another_backend_ends_the_program)
{
    struct sill_guest *guest;
    int host;

    odd.open = open_alone;
    ck_assert_int_eq(sill_core_attach(&odd, &host, NULL, &guest), 0);
    ck_assert_ptr_nonnull(sill_core_guest_state(guest, &odd, "a call"));
    (void)sill_core_guest_state(guest, sill_backend_default, "a call");
}

END_TEST

/* Events that are told by hand, twice in each look outside. */
static struct {
    struct sill_spi_watch *watch;
    unsigned untaken[6];
    int count;
} told;

static int keep_watch(void *self, struct sill_spi_watch *watch,
                      unsigned directions)
{
    (void)self;
    told.watch = watch;
    watch->armed |= directions;
    return 0;
}

static void end_watch(void *self, struct sill_spi_watch *watch)
{
    (void)self;
    watch->armed = 0;
}

static int tell_twice(void *self, sill_time until)
{
    (void)self;
    (void)until;
    for (int i = 0; i < 2; i++) {
        unsigned untaken = sill_core_ready(told.watch, SILL_SPI_READ);

        if (told.count < 6)
            told.untaken[told.count++] = untaken;
    }
    return 0;
}

static int read_once_and_look_on(void *arg)
{
    struct sill_stream stream;
    char bytes[2];

    ck_assert_int_eq(sill_stream_adopt(&stream, *(int *)arg), 0);
    ck_assert_int_eq(sill_stream_read(&stream, bytes, 2, SILL_NEVER), 1);
    ck_assert_int_eq(sill_stream_read(&stream, bytes, 2, SILL_PAST),
                     SILL_ETIMEDOUT);
    while (told.count < 6)
        ck_assert_int_eq(sill_sleep(sill_after(SILL_MILLISECOND)), 0);
    sill_stream_close(&stream);
    return 0;
}

/* sill_core_ready: "were reported before the last look, too, and that nobody
 * has taken": not what a task is woken for, and not at once. */
START_TEST(what_nobody_takes_is_told_of_at_the_second_look)
{
    struct sill_run_options options = {.backend = &odd};
    int fds[2];

    odd.watch = keep_watch;
    odd.unwatch = end_watch;
    odd.poll = tell_twice;
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds),
                     0);
    ck_assert_int_eq(write(fds[1], "x", 1), 1);
    ck_assert_int_eq(sill_run_with(&options, read_once_and_look_on, &fds[0]),
                     0);
    for (int i = 0; i < 4; i++)
        ck_assert_uint_eq(told.untaken[i], 0);
    ck_assert_uint_eq(told.untaken[4], SILL_SPI_READ);
    close(fds[1]);
}

END_TEST

int main(void)
{
    Suite *suite = suite_create("backend");
    TCase *cases = tcase_create("odd");

    tcase_set_timeout(cases, 60);
    tcase_add_checked_fixture(cases, set_up, NULL);
    tcase_add_test(cases, a_backend_that_is_complete_will_do);
    tcase_add_test(cases, one_that_cannot_open_says_why);
    tcase_add_test(cases, what_nobody_takes_is_told_of_at_the_second_look);
    tcase_add_test_raise_signal(cases, one_of_another_version_ends_the_program,
                                SIGABRT);
    tcase_add_test_raise_signal(cases, one_of_another_size_ends_the_program,
                                SIGABRT);
    tcase_add_test_raise_signal(cases, one_that_cannot_wait_ends_the_program,
                                SIGABRT);
    tcase_add_test_raise_signal(
        cases, a_guest_of_another_backend_ends_the_program, SIGABRT);
    suite_add_tcase(suite, cases);

    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_NORMAL);

    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
