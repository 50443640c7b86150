/* SPDX-License-Identifier: MIT */
/*
 * The tours; see tour.h. No assertions: they run on any thread, and in children
 * that no longer belong to the case.
 */
#include "tour.h"
#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Beyond the patience of the watchdog: an event that is lost shows as a hang,
 * not as a success that came late. */
static sill_time soon(void)
{
    return sill_after(10 * SILL_MINUTE);
}

/* Turns an answer into 0, an error, or SILL_EPROTO. */
static int expect(ssize_t answer, ssize_t right)
{
    if (answer == right)
        return 0;
    return answer < 0 ? (int)answer : SILL_EPROTO;
}

static int expect_true(bool truth)
{
    return truth ? 0 : SILL_EPROTO;
}

/* ---- tasks ---- */

static int spawn_some(struct sill_task *tasks[], size_t count, sill_task_fn *fn,
                      void *arg)
{
    for (size_t i = 0; i < count; i++) {
        int rc = sill_spawn(fn, arg, &tasks[i]);

        if (rc < 0) {
            while (i > 0)
                (void)sill_cancel(tasks[--i], SILL_NEVER);
            return rc;
        }
    }
    return 0;
}

static int tour_await(void *unused)
{
    struct sill_task *task;
    int result = 0;
    int rc = spawn_some(&task, 1, suite_returner, (void *)7);

    (void)unused;
    if (rc == 0)
        rc = sill_await(task, &result, SILL_NEVER);
    return rc < 0 ? rc : expect(result, 7);
}

static int tour_cancel(void *unused)
{
    struct sill_task *task;
    int rc = spawn_some(&task, 1, suite_sleeper, NULL);

    (void)unused;
    if (rc < 0)
        return rc;
    (void)sill_yield();
    return sill_cancel(task, SILL_NEVER);
}

static int tour_await_first(void *unused)
{
    struct sill_task *tasks[3];
    size_t index = 9;
    int result = 0;
    int rc = spawn_some(tasks, 2, suite_sleeper, NULL);

    (void)unused;
    if (rc < 0)
        return rc;
    rc = spawn_some(&tasks[2], 1, suite_returner, (void *)5);
    if (rc == 0)
        return sill_await_first(tasks, 3, &index, &result, SILL_NEVER) ||
                       index != 2
                   ? SILL_EPROTO
                   : expect(result, 5);
    (void)sill_cancel(tasks[0], SILL_NEVER);
    (void)sill_cancel(tasks[1], SILL_NEVER);
    return rc;
}

static int tour_await_all(void *unused)
{
    struct sill_task *tasks[3];
    int results[3] = {0};
    int rc = spawn_some(tasks, 3, suite_returner, (void *)4);

    (void)unused;
    if (rc == 0)
        rc = sill_await_all(tasks, 3, results, SILL_NEVER);
    return rc < 0 ? rc : expect(results[0] + results[1] + results[2], 12);
}

static void count_the_end(void *count)
{
    ++*(int *)count;
}

static const struct sill_local local = {count_the_end};

static int set_local(void *count)
{
    int rc = sill_local_set(&local, count);

    return rc < 0 ? rc : expect_true(sill_local_get(&local) == count);
}

static int tour_local(void *unused)
{
    struct sill_task *task;
    int result = 0, count = 0;
    int rc = spawn_some(&task, 1, set_local, &count);

    (void)unused;
    if (rc == 0)
        rc = sill_await(task, &result, SILL_NEVER);
    if (rc == 0)
        rc = result;
    return rc < 0 ? rc : expect(count, 1);
}

static void count_line(void *count, const char *line)
{
    *(int *)count += line[0] != '\0';
}

static int tour_myself(void *unused)
{
    const char *name;
    int lines = 0;

    (void)unused;
    sill_task_set_name("tourist");
    name = sill_task_name(sill_self());
    sill_task_set_name(NULL);
    sill_forbid();
    sill_dump(count_line, &lines);
    sill_permit();
    if (strcmp(name, "tourist") != 0 || !sill_task_where(sill_self()))
        return SILL_EPROTO;
    return expect_true(lines > 0 && !sill_self_is_cancelled());
}

/* ---- scopes ---- */

static int fill_scope(struct sill_scope *scope, sill_task_fn *fn, int count)
{
    int rc = 0;

    for (int i = 0; i < count && rc == 0; i++)
        rc = sill_scope_spawn(scope, fn, NULL);
    return rc;
}

static int tour_scope_wait(void *unused)
{
    struct sill_scope scope;

    (void)unused;
    sill_scope_init(&scope, SILL_SCOPE_FAIL_FAST);

    int rc = fill_scope(&scope, suite_returner, 3);

    if (rc == 0)
        rc = sill_scope_next(&scope, NULL, SILL_NEVER);

    int waited = sill_scope_wait(&scope, SILL_NEVER);

    sill_scope_fini(&scope);
    return rc < 0 ? rc : waited;
}

static int tour_scope_drain(void *unused)
{
    struct sill_scope scope;

    (void)unused;
    sill_scope_init(&scope, SILL_SCOPE_COLLECT);

    int rc = fill_scope(&scope, suite_sleeper, 3);

    (void)sill_yield();
    sill_scope_cancel(&scope);

    int drained = sill_scope_drain(&scope, SILL_PAST, SILL_NEVER);

    sill_scope_fini(&scope);
    return rc < 0 ? rc : drained;
}

/* ---- time and triggers ---- */

static int tour_sleep(void *unused)
{
    sill_time then = sill_after(200 * SILL_MICROSECOND);
    int rc = sill_sleep(then);

    (void)unused;
    return rc < 0 ? rc : expect_true(sill_now() >= then);
}

static int resume_it(void *trigger)
{
    return sill_resume(trigger, 3) ? 0 : SILL_EPROTO;
}

static int tour_trigger(void *unused)
{
    struct sill_trigger trigger = SILL_TRIGGER_INIT;
    struct sill_task *task;
    int rc = sill_suspend(&trigger, sill_after(100));

    (void)unused;
    if (rc != SILL_ETIMEDOUT)
        return rc < 0 ? rc : SILL_EPROTO;
    rc = spawn_some(&task, 1, resume_it, &trigger);
    if (rc < 0)
        return rc;
    rc = sill_suspend(&trigger, soon());
    (void)sill_cancel(task, SILL_NEVER);
    return rc < 0 ? rc : expect(sill_trigger_value(&trigger), 3);
}

static void *resume_from_thread(void *trigger)
{
    (void)sill_resume(trigger, 8);
    return NULL;
}

static int tour_thread(void *unused)
{
    struct sill_trigger trigger = SILL_TRIGGER_INIT;
    pthread_t thread;

    (void)unused;
    if (!suite_has(SILL_CONFORMANCE_THREADS))
        return 0;
    if (pthread_create(&thread, NULL, resume_from_thread, &trigger) != 0)
        return SILL_ENOMEM;

    int rc = sill_suspend(&trigger, soon());

    (void)pthread_join(thread, NULL);
    return rc < 0 ? rc : expect(sill_trigger_value(&trigger), 8);
}

/* ---- streams ---- */

static int send_both(struct sill_stream *stream, int fd)
{
    struct iovec piece = {(void *)(uintptr_t) "gh", 2};
    struct sill_stream_file file = {fd, 1, 3};
    ssize_t n = sill_stream_sendfile(stream, &piece, 1, &file, soon());

    if (n != 2) /* the rest is for another call */
        return expect(n, 5);
    return expect(sill_stream_sendfile(stream, NULL, 0, &file, soon()), 3);
}

/* A file that is there: every program begins with the same four bytes. */
static int exchange_file(struct sill_stream *a, struct sill_stream *b)
{
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    char text[5];

    if (fd < 0)
        return sill_error_from_errno(errno);

    int rc = send_both(a, fd);

    (void)close(fd);
    if (rc == 0)
        rc = sill_stream_read_full(b, text, 5, NULL, soon());
    return rc < 0 ? rc : expect_true(memcmp(text, "ghELF", 5) == 0);
}

/* Goes through all that moves bytes from (a) to (b), and ends that way. */
static int exchange(struct sill_stream *a, struct sill_stream *b)
{
    struct iovec pieces[2] = {{(void *)(uintptr_t) "cd", 2},
                              {(void *)(uintptr_t) "ef", 2}};
    char text[8];
    int rc = expect(sill_stream_write(a, "ab", 2, soon()), 2);

    if (rc == 0)
        rc = expect(sill_stream_writev(a, pieces, 2, soon()), 4);
    if (rc == 0)
        rc = sill_stream_write_all(a, "gh", 2, NULL, soon());
    if (rc == 0)
        rc = sill_stream_writev_all(a, pieces, 2, NULL, soon());
    if (rc == 0)
        rc = sill_stream_wait(b, soon());
    if (rc == 0)
        rc = sill_stream_read_full(b, text, 8, NULL, soon());
    if (rc == 0)
        rc = expect_true(memcmp(text, "abcdefgh", 8) == 0);
    if (rc == 0)
        rc = sill_stream_read_full(b, text, 4, NULL, soon());
    if (rc == 0)
        rc = exchange_file(a, b);
    if (rc == 0)
        rc = sill_stream_shutdown(a, soon());
    if (rc == 0)
        rc = expect(sill_stream_read(b, text, 8, soon()), 0);
    return rc;
}

static int tell_addresses(const struct sill_stream *stream)
{
    struct sill_address near, far;
    int rc = sill_stream_local(stream, &near);

    return rc < 0 ? rc : sill_stream_peer(stream, &far);
}

static int write_and_close(void *stream)
{
    int rc = expect(sill_stream_write(stream, "w", 1, soon()), 1);

    sill_stream_close(stream);
    return rc;
}

/* A task waits in a read, and is served, or closed upon, by another one. */
static int read_parked(struct sill_stream *a, struct sill_stream *b)
{
    struct sill_task *writer;
    char byte;
    int result = 0;
    int rc = spawn_some(&writer, 1, write_and_close, a);

    if (rc < 0)
        return rc;

    ssize_t got = sill_stream_read(b, &byte, 1, soon());

    if (sill_await(writer, &result, SILL_NEVER) != 0)
        return SILL_EPROTO;
    return result < 0 ? result : expect(got, 1);
}

static int use_both(struct sill_stream *a, struct sill_stream *b)
{
    int rc = tell_addresses(a);

    if (rc == 0)
        rc = exchange(a, b);
    if (rc == 0)
        rc = read_parked(b, a);
    sill_stream_close(a);
    sill_stream_close(b);
    return rc;
}

static int tour_memory(void *unused)
{
    struct sill_stream a, b;
    int rc = sill_stream_pair(&a, &b, 100);

    (void)unused;
    return rc < 0 ? rc : use_both(&a, &b);
}

static int tour_adopt(void *unused)
{
    struct sill_stream a, b;
    int ends[2];

    (void)unused;
    if (!suite_has(SILL_CONFORMANCE_FD))
        return 0;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return SILL_EMFILE;

    int rc = sill_stream_adopt(&a, ends[0]);

    if (rc < 0)
        goto no_a;
    rc = sill_stream_adopt(&b, ends[1]);
    if (rc < 0)
        goto no_b;
    return use_both(&a, &b);
no_b:
    sill_stream_close(&a);
    ends[0] = -1;
no_a:
    if (ends[0] >= 0)
        (void)close(ends[0]);
    (void)close(ends[1]);
    return rc;
}

static int read_by_lines(struct sill_stream *stream)
{
    struct sill_reader reader;
    char buffer[32], out[4];
    const char *view;

    sill_reader_init(&reader, stream, buffer, sizeof(buffer));

    int rc = expect(sill_reader_fill(&reader, soon()), 16);

    if (rc == 0)
        rc = expect(sill_reader_line(&reader, &view, soon()), 3);
    if (rc == 0)
        rc = expect(sill_reader_peek(&reader, 2, &view, soon()), 12);
    if (rc < 0)
        return rc;
    sill_reader_consume(&reader, 2);
    rc = expect(sill_reader_read_until(&reader, "::", 2, &view, soon()), 5);
    return rc < 0 ? rc : expect(sill_reader_read(&reader, out, 4, soon()), 4);
}

static int tour_reader(void *unused)
{
    struct sill_stream a, b;
    int rc = sill_stream_pair(&a, &b, 100);

    (void)unused;
    if (rc < 0)
        return rc;
    rc = sill_stream_write_all(&a, "one\n--two::three", 16, NULL, soon());
    if (rc == 0)
        rc = read_by_lines(&b);
    sill_stream_close(&a);
    sill_stream_close(&b);
    return rc;
}

/* ---- listeners ---- */

struct meeting {
    struct sill_listener listener;
    struct sill_stream client;
    struct sill_address address;
};

/* Who cannot come calls the meeting off. */
static int come_to(void *arg)
{
    struct meeting *meeting = arg;
    int rc =
        sill_stream_connect(&meeting->client, &meeting->address, NULL, soon());

    if (rc < 0)
        sill_listener_close(&meeting->listener);
    return rc;
}

static int meet(struct meeting *meeting)
{
    struct sill_stream server = {0};
    struct sill_task *client;
    int connected = 0;
    int rc = spawn_some(&client, 1, come_to, meeting);

    if (rc < 0)
        return rc;
    rc = sill_listener_accept(&meeting->listener, &server, soon());
    if (sill_await(client, &connected, SILL_NEVER) != 0)
        return SILL_EPROTO;
    if (connected < 0)
        rc = connected;
    if (rc == 0)
        return use_both(&meeting->client, &server);
    sill_stream_close(&server);
    sill_stream_close(&meeting->client);
    return rc;
}

static int tour_tcp(void *unused)
{
    struct meeting meeting = {0};
    struct sill_address any;
    int rc = sill_address_parse(&any, "127.0.0.1:0");

    (void)unused;
    if (rc == 0)
        rc = sill_listener_listen(&meeting.listener, &any, NULL);
    if (rc < 0)
        return rc;
    rc = sill_listener_local(&meeting.listener, &meeting.address);
    if (rc == 0)
        rc = meet(&meeting);
    sill_listener_close(&meeting.listener);
    return rc;
}

static void own_path(char *text, size_t size, const char *form)
{
    (void)snprintf(text, size, form, (long)getpid(), (long)gettid());
}

/* remove, for a listener that was kept from doing so. */
static int tour_unix(void *unused)
{
    struct meeting meeting = {0};
    char path[64];

    (void)unused;
    own_path(path, sizeof(path), "/tmp/sill-tour-%ld-%ld");

    int rc = sill_address_unix(&meeting.address, path);

    if (rc == 0)
        rc = sill_listener_listen(&meeting.listener, &meeting.address, NULL);
    if (rc < 0)
        return rc;
    rc = meet(&meeting);
    sill_listener_close(&meeting.listener);
    (void)remove(path);
    return rc;
}

static int tour_refused(void *unused)
{
    struct sill_stream stream;
    struct sill_address nowhere;
    char text[64];

    (void)unused;
    own_path(text, sizeof(text), "unix:@sill-nowhere-%ld-%ld");

    int rc = sill_address_parse(&nowhere, text);

    if (rc == 0)
        rc = sill_stream_connect(&stream, &nowhere, NULL, soon());
    return rc == SILL_ECONNREFUSED ? 0 : expect(rc, 1);
}

/* ---- datagrams and watches ---- */

static int send_and_receive(struct sill_datagram *a, struct sill_datagram *b)
{
    struct sill_address here, there;
    char text[4];
    int rc = sill_datagram_local(a, &here);

    if (rc == 0)
        rc = sill_datagram_local(b, &there);
    if (rc == 0)
        rc = sill_datagram_send(a, "abc", 3, &there, soon());
    if (rc == 0)
        rc = expect(sill_datagram_receive(b, text, 4, NULL, soon()), 3);
    if (rc == 0)
        rc = sill_datagram_connect(b, &here);
    if (rc == 0)
        rc = sill_datagram_send(b, "", 0, NULL, soon());
    if (rc == 0)
        rc = expect(sill_datagram_receive(a, text, 4, &there, soon()), 0);
    return rc;
}

static int tour_datagram(void *unused)
{
    struct sill_address any = suite_loopback(0);
    struct sill_datagram a, b;
    int rc = sill_datagram_open(&a, &any, NULL);

    (void)unused;
    if (rc < 0)
        return rc;
    rc = sill_datagram_open(&b, &any, NULL);
    if (rc == 0) {
        rc = send_and_receive(&a, &b);
        sill_datagram_close(&b);
    }
    sill_datagram_close(&a);
    return rc;
}

static int tour_watch(void *unused)
{
    struct sill_watch watch;
    int ends[2];

    (void)unused;
    if (!suite_has(SILL_CONFORMANCE_FD))
        return 0;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return SILL_EMFILE;

    int rc = sill_watch_open(&watch, ends[0]);

    if (rc == 0) {
        rc = expect(sill_watch_wait(&watch, SILL_WRITE, soon()), SILL_WRITE);
        if (rc == 0)
            rc = expect(sill_watch_wait(&watch, SILL_READ, sill_after(100)),
                        SILL_ETIMEDOUT);
        (void)close(ends[1]);
        if (rc == 0)
            rc = expect(sill_watch_wait(&watch, SILL_READ, soon()), SILL_READ);
        sill_watch_close(&watch);
    } else {
        (void)close(ends[1]);
    }
    (void)close(ends[0]);
    return rc;
}

const struct tour tours[] = {
    {"await", tour_await},
    {"cancel", tour_cancel},
    {"await_first", tour_await_first},
    {"await_all", tour_await_all},
    {"local", tour_local},
    {"self", tour_myself},
    {"scope_wait", tour_scope_wait},
    {"scope_drain", tour_scope_drain},
    {"sleep", tour_sleep},
    {"trigger", tour_trigger},
    {"thread", tour_thread},
    {"memory", tour_memory},
    {"adopt", tour_adopt},
    {"reader", tour_reader},
    {"tcp", tour_tcp},
    {"unix", tour_unix},
    {"refused", tour_refused},
    {"datagram", tour_datagram},
    {"watch", tour_watch},
    {NULL, NULL},
};

int tour_everything(void *unused)
{
    int rc = 0;

    for (int i = 0; tours[i].name && rc == 0; i++)
        rc = tours[i].fn(unused);
    return rc;
}
