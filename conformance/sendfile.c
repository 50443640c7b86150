/* SPDX-License-Identifier: MIT */
/*
 * Group S: sill_stream_sendfile, and what a stream of one's own makes of it.
 */
#include "faults.h"
#include "suite.h"

#include <sill/stream_ops.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LARGE = 2 << 20, AMPLE = LARGE + 64 };

static char bytes[AMPLE], received[AMPLE];

/* A new file of (size) bytes, in which a shift shows. */
static int make_file(size_t size)
{
    char path[] = "/tmp/sill-sendfile-XXXXXX";
    int fd = mkostemp(path, O_CLOEXEC);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(unlink(path), 0);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)(i % 251 + i / 251 % 241);
    fault_hold();
    for (size_t sofar = 0; sofar < size;) {
        ssize_t n = write(fd, bytes + sofar, size - sofar);

        ck_assert_int_gt(n, 0);
        sofar += (size_t)n;
    }
    fault_release();
    return fd;
}

/* Runs (fn) on a fresh pair of each kind, with a file of (size) bytes. */
static void on_each_kind(void (*fn)(struct suite_pair *pair, int fd),
                         size_t size)
{
    static struct suite_pair pair;
    int fd = make_file(size);

    for (int kind = 0; kind < SUITE_KINDS; kind++) {
        suite_note("stream kind %d", kind);
        suite_pair_open(&pair, (enum suite_kind)kind);
        fn(&pair, fd);
        suite_pair_close(&pair);
    }
    ck_assert_int_eq(close(fd), 0);
}

/* ---- what arrives ---- */

static char head[] = "what comes before it";

enum { HEAD = sizeof(head) - 1 };

/* A task that sends (size) bytes of a file from (offset) on, and (head). */
struct sender {
    struct sill_stream *stream;
    int fd;
    size_t offset, size;
    size_t done, calls;
};

static ssize_t send_more(struct sender *s)
{
    size_t first = s->done < HEAD ? s->done : HEAD, half = (HEAD - first) / 2;
    struct iovec pieces[] = {{NULL, 0},
                             {head + first, half},
                             {head, 0},
                             {head + first + half, HEAD - first - half}};
    size_t sent = s->done - first;
    struct sill_stream_file file = {s->fd, s->offset + sent, s->size - sent};

    return sill_stream_sendfile(s->stream, pieces, 4, &file, SILL_NEVER);
}

static int send_all(void *arg)
{
    struct sender *s = arg;

    while (s->done < HEAD + s->size) {
        ssize_t n = send_more(s);

        if (n <= 0)
            return n < 0 ? (int)n : SILL_EOF;
        s->done += (size_t)n;
        s->calls++;
    }
    return 0;
}

/* Reads all that is due, in pieces of up to (step), and compares. */
static void check_arrival(struct sill_stream *stream, const struct sender *s,
                          size_t step)
{
    size_t all = HEAD + s->size, sofar = 0;

    while (sofar < all) {
        size_t size = all - sofar < step ? all - sofar : step;
        ssize_t n =
            sill_stream_read(stream, received + sofar, size, SILL_NEVER);

        ck_assert_int_gt(n, 0);
        sofar += (size_t)n;
    }
    ck_assert_mem_eq(received, head, HEAD);
    ck_assert(memcmp(received + HEAD, bytes + s->offset, s->size) == 0);
}

static void transfer(struct suite_pair *pair, int fd, size_t offset,
                     size_t size)
{
    struct sender sender = {&pair->a, fd, offset, size, 0, 0};
    struct sill_task *task = suite_spawn(send_all, &sender);

    check_arrival(&pair->b, &sender, 65536);
    ck_assert_int_eq(suite_await(task), 0);
}

static void transfer_parts(struct suite_pair *pair, int fd)
{
    transfer(pair, fd, 0, LARGE);
    transfer(pair, fd, 1, 1);
    transfer(pair, fd, 4095, 40000);
    transfer(pair, fd, LARGE - 10, 10);
    transfer(pair, fd, 0, 0);
    ck_assert_int_eq(lseek(fd, 0, SEEK_CUR), LARGE);
}

/* stream.h, sendfile: "Is sill_stream_writev for (count) pieces and then the
 * bytes of (file)"; "its own position is neither used nor moved". */
SILL_CASE(S, 18, pieces_and_then_the_file_arrive)
{
    on_each_kind(transfer_parts, LARGE);
}

static void send_many_pieces(struct suite_pair *pair, int fd)
{
    static struct iovec pieces[4000];
    struct sill_stream_file file = {fd, 0, 10};
    ssize_t n;

    for (size_t i = 0; i < 4000; i++)
        pieces[i] = (struct iovec){bytes, 1};
    n = sill_stream_sendfile(&pair->a, pieces, 4000, &file, SILL_NEVER);
    ck_assert_int_gt(n, 0);
    ck_assert_int_eq(
        sill_stream_read_full(&pair->b, received, (size_t)n, NULL, SILL_NEVER),
        0);
    for (ssize_t i = 0; i < n && i < 4000; i++)
        ck_assert_int_eq(received[i], bytes[0]);
}

/* stream.h, writev: "there may be any number of them". */
SILL_CASE(S, 18, any_number_of_pieces_may_come_before)
{
    on_each_kind(send_many_pieces, 10);
}

static void check_text(struct sill_stream *stream, const char *text)
{
    size_t size = strlen(text);

    ck_assert_int_eq(
        sill_stream_read_full(stream, received, size, NULL, SILL_NEVER), 0);
    ck_assert_mem_eq(received, text, size);
    ck_assert_int_eq(sill_stream_read(stream, received, 1, SILL_PAST),
                     SILL_ETIMEDOUT);
}

static ssize_t send_part(struct sill_stream *stream, int fd, uint64_t offset,
                         size_t size)
{
    struct sill_stream_file file = {fd, offset, size};

    return sill_stream_sendfile(stream, NULL, 0, &file, SILL_NEVER);
}

static void meet_the_end(struct suite_pair *pair, int fd)
{
    struct sender cut = {&pair->a, fd, 0, 100, 0, 0};

    ck_assert_int_eq(send_part(&pair->a, fd, 10, 1), 0);
    ck_assert_int_eq(send_part(&pair->a, fd, 1u << 30, 1), 0);
    ck_assert_int_eq(send_part(&pair->a, fd, 0, 0), 0);
    ck_assert_int_eq(send_all(&cut), SILL_EOF);
    ck_assert_uint_eq(cut.done, HEAD + 10);
    check_arrival(&pair->b, &(struct sender){.size = 10}, AMPLE);
    ck_assert_int_eq(sill_stream_write(&pair->a, "x", 1, SILL_NEVER), 1);
    check_text(&pair->b, "x");
}

/* stream.h, sendfile: "0 when there are no pieces and the file ends at its
 * (offset) or before", and what there was of it has left. */
SILL_CASE(S, 18, end_of_the_file_is_a_zero)
{
    on_each_kind(meet_the_end, 10);
}

static void send_what_is_no_file(struct suite_pair *pair, int fd)
{
    int ends[2], folder = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int blind = open("/dev/null", O_WRONLY | O_CLOEXEC);

    ck_assert_int_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    ck_assert_int_eq(send_part(&pair->a, -1, 0, 1), SILL_EBADF);
    ck_assert_int_eq(send_part(&pair->a, blind, 0, 1), SILL_EBADF);
    ck_assert_int_eq(send_part(&pair->a, ends[0], 0, 1), SILL_EINVAL);
    ck_assert_int_eq(send_part(&pair->a, folder, 0, 1), SILL_EINVAL);
    ck_assert_int_eq(send_part(&pair->a, fd, UINT64_MAX, 1), SILL_EINVAL);
    ck_assert_int_eq(send_part(&pair->a, fd, 1ull << 63, 1), SILL_EINVAL);
    (void)close(ends[0]);
    (void)close(ends[1]);
    (void)close(folder);
    (void)close(blind);
    transfer(pair, fd, 2, 3);
}

/* stream.h, sendfile: SILL_EBADF and SILL_EINVAL, "with nothing taken and the
 * stream still usable". */
SILL_CASE(S, 18, what_is_no_file_is_refused)
{
    on_each_kind(send_what_is_no_file, 10);
}

static void send_a_socket(struct suite_pair *pair, int fd)
{
    int ends[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    ck_assert_int_eq(send_part(&pair->a, ends[0], 0, 1), SILL_EINVAL);
    (void)close(ends[0]);
    (void)close(ends[1]);
    transfer(pair, fd, 2, 3);
}

/* "such as a pipe, a socket or a folder". */
SILL_CASE(S, 18, socket_is_no_file, fd)
{
    on_each_kind(send_a_socket, 10);
}

/* ---- failures ---- */

static bool is_gone(ssize_t rc)
{
    return rc == SILL_EPIPE || rc == SILL_ECONNRESET;
}

static void send_to_nobody(struct suite_pair *pair, int fd)
{
    ssize_t n = 1;

    sill_stream_close(&pair->b);
    for (int i = 0; i < 10000 && n > 0; i++)
        n = send_part(&pair->a, fd, 0, 100000);
    ck_assert(is_gone(n));
    ck_assert(is_gone(send_part(&pair->a, fd, 0, 1)));
}

/* stream.h: "or an error of sill_stream_write", which never raises SIGPIPE. */
SILL_CASE(S, 18, peer_that_is_gone_is_an_error)
{
    signal(SIGPIPE, SIG_DFL);
    on_each_kind(send_to_nobody, 100000);
}

static void vanish_under_a_sender(struct suite_pair *pair, int fd)
{
    struct sender sender = {&pair->a, fd, 0, LARGE, 0, 0};

    suite_fill(&pair->a);
    struct sill_task *task = suite_spawn(send_all, &sender);

    suite_yield(3);
    sill_stream_close(&pair->b);
    ck_assert(is_gone(suite_await(task)));
    ck_assert_uint_eq(sender.done, 0);
}

/* The same for one that already waits. */
SILL_CASE(S, 18, peer_that_goes_wakes_a_sender)
{
    signal(SIGPIPE, SIG_DFL);
    on_each_kind(vanish_under_a_sender, LARGE);
}

static bool is_pending(void)
{
    sigset_t set;

    (void)sigpending(&set);
    return sigismember(&set, SIGPIPE) == 1;
}

static void fail_with_the_signal_blocked(struct suite_pair *pair, int fd)
{
    bool before = is_pending();

    send_to_nobody(pair, fd);
    ck_assert_int_eq(is_pending(), before);
}

/* Nor does it stay behind where it is blocked, and one that was there stays. */
SILL_CASE(S, 18, signal_that_waits_is_left_alone)
{
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGPIPE);
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
    on_each_kind(fail_with_the_signal_blocked, 100000);
    (void)raise(SIGPIPE);
    on_each_kind(fail_with_the_signal_blocked, 100000);
    ck_assert(is_pending());
    (void)sigtimedwait(&set, NULL, &(struct timespec){0, 0});
    (void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static void close_under_a_sender(struct suite_pair *pair, int fd)
{
    struct sender sender = {&pair->a, fd, 0, LARGE, 0, 0};

    suite_fill(&pair->a);
    struct sill_task *task = suite_spawn(send_all, &sender);

    suite_yield(3);
    sill_stream_close(&pair->a);
    ck_assert_int_eq(suite_await(task), SILL_ECLOSED);
    ck_assert_int_eq(send_part(&pair->a, fd, 0, 1), SILL_ECLOSED);
}

/* stream.h, close: "Tasks that wait on it wake with SILL_ECLOSED, and every
 * later call returns that." */
SILL_CASE(S, 18, close_wakes_a_sender)
{
    on_each_kind(close_under_a_sender, LARGE);
}

static void close_before_the_sender_runs(struct suite_pair *pair, int fd)
{
    struct sender sender = {&pair->a, fd, 0, 10, 0, 0};
    struct sill_task *task = suite_spawn(send_all, &sender);

    sill_stream_close(&pair->a);
    ck_assert_int_eq(suite_await(task), SILL_ECLOSED);
}

/* The same when the call comes after the close. */
SILL_CASE(S, 18, sender_that_begins_after_close_hears_of_it)
{
    on_each_kind(close_before_the_sender_runs, 10);
}

static int send_bytes(void *arg)
{
    struct sender *s = arg;
    ssize_t n;

    do {
        n = send_part(s->stream, s->fd, 0, 1);
        s->calls++;
    } while (n == 1);
    return (int)n;
}

static void close_between_turns(struct suite_pair *pair, int fd)
{
    struct sender sender = {&pair->a, fd, 0, 1, 0, 0};
    struct sill_task *task = suite_spawn(send_bytes, &sender);

    while (sender.calls < 10) /* which is in the midst of one: there is room */
        (void)sill_yield();
    sill_stream_close(&pair->a);
    ck_assert_int_eq(suite_await(task), SILL_ECLOSED);
}

/* The same while the call lets others have their turn. */
SILL_CASE(S, 18, close_during_a_turn_is_noticed)
{
    on_each_kind(close_between_turns, 10);
}

static void send_when_poisoned(struct suite_pair *pair, int fd)
{
    static char plenty[16 << 20];

    ck_assert_int_eq(sill_stream_write_all(&pair->a, plenty, sizeof(plenty),
                                           NULL, SILL_PAST),
                     SILL_ETIMEDOUT);
    ck_assert_int_eq(send_part(&pair->a, fd, 0, 1), SILL_EPOISONED);
}

/* stream.h, write: "an earlier write_all or writev_all failed half-way". */
SILL_CASE(S, 18, poisoned_direction_sends_no_file)
{
    on_each_kind(send_when_poisoned, 10);
}

/* ---- one writer ---- */

static int send_from_two(void *arg)
{
    static struct suite_pair pair;
    struct sender sender = {&pair.a, make_file(10), 0, 10, 0, 0};

    suite_pair_open(&pair, *(enum suite_kind *)arg);
    suite_fill(&pair.a);
    suite_spawn(send_all, &sender);
    suite_yield(3);
    return (int)send_part(&pair.a, sender.fd, 0, 1);
}

static void run_two(void *arg)
{
    sill_run(send_from_two, arg);
}

/* stream.h: "Two tasks that read at once, or write at once, end the program."
 */
SILL_CASE_OUTSIDE(S, 18, second_sender_ends_the_program)
{
    for (int kind = 0; kind < SUITE_KINDS; kind++) {
        enum suite_kind each = (enum suite_kind)kind;

        suite_expect_abort(run_two, &each, "sill_stream_sendfile",
                           "sendfile.c:");
    }
}

/* ---- turns ---- */

enum { OFTEN = 200, PART = 100000 };

/* A task that takes what it has sent, from the other end, and so never waits.
 */
struct loner {
    struct sill_stream stream;
    int far, fd;
};

static int send_to_itself(void *arg)
{
    struct loner *self = arg;

    for (int i = 0; i < OFTEN; i++) {
        ssize_t n = send_part(&self->stream, self->fd, 0, PART);

        for (ssize_t got = 0, more; n > 0 && got < n; got += more) {
            more = read(self->far, received, (size_t)(n - got));
            ck_assert_int_gt(more, 0);
        }
        ck_assert_int_gt(n, 0);
    }
    return 0;
}

/* stream.h, sendfile: "fewer than would fit where others are to have their
 * turn": what counts is how much was moved, not how often. */
SILL_CASE(R, 04, a_task_that_sends_files_lets_others_run, fd)
{
    struct loner loner = {.fd = make_file(PART)};
    int ends[2], turns = 0;

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    ck_assert_int_eq(sill_stream_adopt(&loner.stream, ends[0]), 0);
    loner.far = ends[1];
    struct sill_task *task = suite_spawn(send_to_itself, &loner);

    while (sill_await(task, NULL, SILL_PAST) == SILL_ETIMEDOUT) {
        (void)sill_yield();
        turns++;
    }
    ck_assert_int_gt(turns, OFTEN / 10);
    sill_stream_close(&loner.stream);
    (void)close(loner.far);
    (void)close(loner.fd);
}

/* ---- what the kernel may answer ---- */

static void expect_copies(int error)
{
    struct suite_pair pair;
    int fd = make_file(40000);

    suite_pair_open(&pair, SUITE_TCP);
    fault_always(FAULT_sendfile, error);
    transfer(&pair, fd, 1, 39999);
    ck_assert_int_gt(fault_strikes(FAULT_sendfile), 2);
    fault_clear();
    suite_pair_close(&pair);
    ck_assert_int_eq(close(fd), 0);
}

/* stream.h, sendfile: "files that the kernel does not move, are served by
 * reading and writing". */
SILL_CASE(S, 18, file_that_the_kernel_does_not_move_is_copied, fd)
{
    expect_copies(EINVAL);
    expect_copies(ENOSYS);
    expect_copies(ESPIPE);
}

static void move_a_few_at_once(struct suite_pair *pair, int fd)
{
    for (size_t most = 1; most <= 10000; most = most * 10 + 1) {
        fault_short(FAULT_sendfile, most);
        fault_short(FAULT_sendmsg, most);
        fault_short(FAULT_pread, most);
        transfer(pair, fd, 5, 20 * most);
        fault_clear();
    }
}

/* S-15 for files: what comes short changes nothing. */
SILL_CASE(S, 18, short_transfers_change_nothing)
{
    on_each_kind(move_a_few_at_once, 300000);
}

static void interrupt(struct suite_pair *pair, int fd)
{
    static const enum fault_call calls[] = {FAULT_sendfile, FAULT_sendmsg,
                                            FAULT_pread};

    for (int i = 0; i < 3; i++) {
        for (int n = 1; n < 4; n++) {
            fault_nth(calls[i], n, EINTR);
            transfer(pair, fd, 5, 100000);
            fault_clear();
        }
    }
}

/* S-15 for files: calls that a signal interrupts are made again. */
SILL_CASE(S, 18, interrupted_calls_are_made_again, fd)
{
    on_each_kind(interrupt, 300000);
}

static void fail_to_read(struct suite_pair *pair, int fd)
{
    enum fault_call call =
        pair->kind == SUITE_MEMORY ? FAULT_pread : FAULT_sendfile;

    fault_nth(call, 1, EIO);
    ck_assert_int_eq(send_part(&pair->a, fd, 0, 10), SILL_EIO);
    ck_assert_int_eq(fault_strikes(call), 1);
    fault_clear();
    transfer(pair, fd, 0, 10);
}

/* stream.h, sendfile: SILL_EIO, "with nothing taken and the stream still
 * usable"; and what went before it is reported. */
SILL_CASE(S, 18, file_that_cannot_be_read_is_an_error, fd)
{
    on_each_kind(fail_to_read, 10);
}

/* The pieces before it are taken all the same, and do not wait for more. */
SILL_CASE(S, 18, pieces_before_a_failure_arrive, fd)
{
    struct suite_pair pair;
    struct sender sender = {&pair.a, make_file(10), 0, 10, 0, 0};

    suite_pair_open(&pair, SUITE_TCP);
    fault_nth(FAULT_sendfile, 1, EIO);
    ck_assert_int_eq(send_more(&sender), HEAD);
    fault_clear();
    check_arrival(&pair.b, &(struct sender){.size = 0}, HEAD);
    suite_pair_close(&pair);
    ck_assert_int_eq(close(sender.fd), 0);
}

/* stream.h: SILL_ENOMEM, of what has to be copied. */
SILL_CASE(S, 18, copies_without_memory_take_nothing)
{
    struct suite_pair pair;
    int fd = make_file(10);

    suite_pair_open(&pair, SUITE_MEMORY);
    fault_alloc_nth(1);
    ck_assert_int_eq(send_part(&pair.a, fd, 0, 10), SILL_ENOMEM);
    fault_clear();
    transfer(&pair, fd, 0, 10);
    suite_pair_close(&pair);
    ck_assert_int_eq(close(fd), 0);
}

/* ---- a stream of one's own ---- */

struct own_stream {
    size_t written, sent;
    bool can_send;
};

static ssize_t own_writev(void *impl, const struct iovec *pieces, size_t count,
                          sill_time deadline)
{
    struct own_stream *self = impl;
    size_t size = 0;

    (void)deadline;
    for (size_t i = 0; i < count; i++)
        size += pieces[i].iov_len;
    self->written += size;
    return (ssize_t)size;
}

static void own_close(void *impl)
{
    (void)impl;
}

static ssize_t own_sendfile(void *impl, const struct iovec *pieces,
                            size_t count, const struct sill_stream_file *file,
                            sill_time deadline)
{
    struct own_stream *self = impl;

    (void)deadline;
    if (!self->can_send)
        return SILL_EOPNOTSUPP;
    ck_assert(count == 0 || pieces->iov_len > 0);
    self->sent += file->size;
    return (ssize_t)file->size;
}

static void send_on_own(const struct sill_stream_ops *ops, bool can_send)
{
    struct own_stream impl = {.can_send = can_send};
    struct sill_stream stream = {.ops = ops, .impl = &impl};
    struct sender sender = {&stream, make_file(20000), 0, 20000, 0, 0};

    if (can_send) {
        ck_assert_int_eq(send_more(&sender), 20000);
        ck_assert_uint_eq(impl.sent, 20000);
        ck_assert_uint_eq(impl.written, 0);
    } else {
        ck_assert_int_eq(send_all(&sender), 0);
        ck_assert_uint_eq(impl.written, HEAD + 20000);
        ck_assert_uint_eq(sender.calls, 3);
    }
    sill_stream_close(&stream);
    ck_assert_int_eq(close(sender.fd), 0);
}

/* stream_ops.h: "NULL, or SILL_EOPNOTSUPP with nothing taken: the pieces go to
 * (writev), and the file is read and goes there, too." */
SILL_CASE(U, 05, sendfile_is_the_tables_or_done_by_writing)
{
    struct sill_stream_ops ops = {.writev = own_writev, .close = own_close};

    send_on_own(&ops, false);
    ops.sendfile = own_sendfile;
    send_on_own(&ops, false);
    send_on_own(&ops, true);
}

static void send_nothing_of_it(bool can_send)
{
    struct sill_stream_ops ops = {
        .writev = own_writev, .close = own_close, .sendfile = own_sendfile};
    struct own_stream impl = {.can_send = can_send};
    struct sill_stream stream = {.ops = &ops, .impl = &impl};
    struct sender sender = {&stream, -1, 0, 0, 0, 0};

    ck_assert_int_eq(send_all(&sender), 0);
    ck_assert_uint_eq(impl.sent, 0);
    ck_assert_int_eq(send_part(&stream, -1, 0, 0), 0);
    sill_stream_close(&stream);
}

/* stream_ops.h: "(file) is not empty". */
SILL_CASE(U, 05, nothing_of_a_file_does_not_reach_the_table)
{
    send_nothing_of_it(true);
    send_nothing_of_it(false);
}
