/* SPDX-License-Identifier: MIT */
/*
 * Streams and listeners in the simulated network, with exact times.
 */
#include "kit.h"

enum { LATENCY_US = 500, MANY = 100000 };

/* Links without jitter: what is asked is when. */
static struct sill_sim_report run(sill_task_fn *fn, size_t buffer)
{
    struct sill_sim_options options;

    sill_sim_options_init(&options, 1);
    options.link.jitter = 0;
    if (buffer > 0)
        options.buffer = buffer;

    struct sill_sim_report report = run_with(&options, fn, NULL, 0);

    ck_assert_uint_eq(report.left_open, 0);
    return report;
}

static sill_duration us(int64_t count)
{
    return count * SILL_MICROSECOND;
}

static int exchange(void *arg)
{
    struct link_pair pair;
    char buffer[8];
    sill_time begin = sill_now();

    (void)arg;
    pair_open(&pair, add("a"), add("b"));
    ck_assert_int_eq(sill_now(), begin + us(2 * LATENCY_US));
    ck_assert_int_eq(sill_stream_write(&pair.client, "ping", 4, SILL_PAST), 4);
    ck_assert_int_eq(sill_stream_read(&pair.server, buffer, 8,
                                      sill_after(us(LATENCY_US) - 1)),
                     SILL_ETIMEDOUT);
    ck_assert_int_eq(sill_stream_read(&pair.server, buffer, 8, sill_after(1)),
                     4);
    ck_assert_int_eq(memcmp(buffer, "ping", 4), 0);
    ck_assert_int_eq(sill_now(), begin + us(3 * LATENCY_US));
    pair_close(&pair);
    return 0;
}

START_TEST(bytes_arrive_after_the_latency_and_not_a_nanosecond_before)
{
    (void)run(exchange, 0);
}

END_TEST

static int end_half(void *arg)
{
    struct link_pair pair;
    char buffer[8];

    (void)arg;
    pair_open(&pair, add("a"), add("b"));
    ck_assert_int_eq(sill_stream_write(&pair.client, "last", 4, SILL_PAST), 4);
    ck_assert_int_eq(sill_stream_shutdown(&pair.client, SILL_NEVER), 0);
    ck_assert_int_eq(sill_stream_shutdown(&pair.client, SILL_NEVER), 0);
    ck_assert_int_eq(sill_stream_write(&pair.client, "x", 1, SILL_NEVER),
                     SILL_EPIPE);
    ck_assert_int_eq(sill_stream_read(&pair.server, buffer, 8, SILL_NEVER), 4);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(sill_stream_read(&pair.server, buffer, 8, SILL_NEVER),
                         0);
    ck_assert_int_eq(sill_stream_write(&pair.server, "more", 4, SILL_PAST), 4);
    ck_assert_int_eq(sill_stream_read(&pair.client, buffer, 8, SILL_NEVER), 4);
    pair_close(&pair);
    return 0;
}

START_TEST(an_end_follows_the_bytes_and_leaves_the_other_way_open)
{
    (void)run(end_half, 0);
}

END_TEST

static int close_with_unread(void *arg)
{
    struct link_pair pair;
    char buffer[8];

    (void)arg;
    pair_open(&pair, add("a"), add("b"));
    ck_assert_int_eq(sill_stream_write(&pair.client, "unread", 6, SILL_PAST),
                     6);
    ck_assert_int_eq(sill_sleep(in_ms(1)), 0);
    sill_stream_close(&pair.server);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(sill_stream_read(&pair.client, buffer, 8, SILL_NEVER),
                         SILL_ECONNRESET);
    ck_assert_int_eq(sill_stream_write(&pair.client, "x", 1, SILL_NEVER),
                     SILL_ECONNRESET);
    ck_assert_int_eq(sill_stream_shutdown(&pair.client, SILL_NEVER),
                     SILL_ECONNRESET);
    pair_close(&pair);
    return 0;
}

START_TEST(closing_with_unread_bytes_is_a_reset)
{
    (void)run(close_with_unread, 0);
}

END_TEST

static int write_after_close(void *arg)
{
    struct link_pair pair;
    char buffer[8];

    (void)arg;
    pair_open(&pair, add("a"), add("b"));
    sill_stream_close(&pair.server);
    ck_assert_int_eq(sill_stream_read(&pair.client, buffer, 8, SILL_NEVER), 0);
    ck_assert_int_eq(sill_stream_write(&pair.client, "x", 1, SILL_NEVER), 1);
    ck_assert_int_eq(sill_sleep(in_ms(2)), 0);
    ck_assert_int_eq(sill_stream_write(&pair.client, "x", 1, SILL_NEVER),
                     SILL_EPIPE);
    ck_assert_int_eq(sill_stream_read(&pair.client, buffer, 8, SILL_NEVER), 0);
    pair_close(&pair);
    return 0;
}

START_TEST(writing_to_a_peer_that_is_gone_ends_in_an_error)
{
    (void)run(write_after_close, 0);
}

END_TEST

static int fill(void *arg)
{
    struct link_pair pair;
    char buffer[1000] = {0};
    ssize_t n;
    size_t sofar = 0;

    (void)arg;
    pair_open(&pair, add("a"), add("b"));
    while ((n = sill_stream_write(&pair.client, buffer, sizeof(buffer),
                                  in_ms(10))) > 0)
        sofar += (size_t)n;
    ck_assert_int_eq(n, SILL_ETIMEDOUT);
    ck_assert_uint_eq(sofar, 4096);
    n = sill_stream_read(&pair.server, buffer, 96, SILL_PAST);
    ck_assert_int_eq(n, 96);
    ck_assert_int_eq(sill_stream_write(&pair.client, buffer, 1000, SILL_PAST),
                     96);
    pair_close(&pair);
    return 0;
}

START_TEST(a_peer_that_does_not_read_stops_the_writer)
{
    (void)run(fill, 4096);
}

END_TEST

static int send_many(void *arg)
{
    struct link_pair *pair = arg;
    unsigned char piece[7919];
    size_t sofar = 0;

    while (sofar < MANY) {
        size_t size = 1 + sill_sim_random(sizeof(piece));

        for (size_t i = 0; i < size; i++)
            piece[i] = (unsigned char)((sofar + i) * 31 >> 3);
        if (size > MANY - sofar)
            size = MANY - sofar;
        ck_assert_int_eq(
            sill_stream_write_all(&pair->client, piece, size, NULL, SILL_NEVER),
            0);
        sofar += size;
    }
    return sill_stream_shutdown(&pair->client, SILL_NEVER);
}

static int move_many(void *arg)
{
    struct link_pair pair;
    struct sill_task *sender;
    unsigned char piece[5000];
    size_t sofar = 0;
    bool right = true;
    ssize_t n;

    (void)arg;
    pair_open(&pair, add("a"), add("b"));
    ck_assert_int_eq(sill_spawn(send_many, &pair, &sender), 0);
    while ((n = sill_stream_read(&pair.server, piece,
                                 1 + sill_sim_random(sizeof(piece)),
                                 SILL_NEVER)) > 0) {
        for (ssize_t i = 0; i < n; i++)
            right &= piece[i] == (unsigned char)((sofar + (size_t)i) * 31 >> 3);
        sofar += (size_t)n;
    }
    ck_assert_int_eq(n, 0);
    ck_assert(right);
    ck_assert_uint_eq(sofar, MANY);
    ck_assert_int_eq(sill_await(sender, NULL, SILL_NEVER), 0);
    pair_close(&pair);
    return 0;
}

START_TEST(bytes_keep_their_order_whatever_the_pieces)
{
    struct sill_sim_options options;

    for (uint64_t seed = 0; seed < 20; seed++) {
        sill_sim_options_init(&options, seed);
        options.buffer = 10000;
        options.faults.short_read = options.faults.short_write = 0.3;
        options.faults.lose = options.faults.delay = 0.1;
        (void)run_with(&options, move_many, NULL, 0);
    }
}

END_TEST

static int read_it(void *stream)
{
    char byte;

    ck_assert_int_eq(sill_stream_read(stream, &byte, 1, SILL_NEVER),
                     SILL_ECLOSED);
    ck_assert_int_eq(sill_stream_read(stream, &byte, 1, SILL_NEVER),
                     SILL_ECLOSED);
    return 0;
}

static int close_below_a_reader(void *arg)
{
    struct link_pair pair;
    struct sill_task *reader;

    (void)arg;
    pair_open(&pair, add("a"), add("b"));
    ck_assert_int_eq(sill_spawn(read_it, &pair.client, &reader), 0);
    (void)sill_yield();
    sill_stream_close(&pair.client);
    sill_stream_close(&pair.client);
    ck_assert_int_eq(sill_await(reader, NULL, SILL_NEVER), 0);
    pair_close(&pair);
    return 0;
}

START_TEST(closing_wakes_who_waits)
{
    (void)run(close_below_a_reader, 0);
}

END_TEST

static int fill_it(void *stream)
{
    static char bytes[1000];
    ssize_t n;

    while ((n = sill_stream_write(stream, bytes, sizeof(bytes), SILL_NEVER)) >
           0)
        continue;
    return (int)n;
}

static int close_below_a_writer(void *arg)
{
    struct link_pair pair;
    struct sill_task *writer;
    int rc;

    (void)arg;
    pair_open(&pair, add("a"), add("b"));
    ck_assert_int_eq(sill_spawn(fill_it, &pair.client, &writer), 0);
    ck_assert_int_eq(sill_sleep(in_ms(100)), 0);
    sill_stream_close(&pair.client);
    ck_assert_int_eq(sill_await(writer, &rc, SILL_NEVER), 0);
    ck_assert_int_eq(rc, SILL_ECLOSED);
    pair_close(&pair);
    return 0;
}

START_TEST(closing_wakes_a_writer)
{
    (void)run(close_below_a_writer, 0);
}

END_TEST

/* A writer that waits hears of room, over a network only after the way back,
 * and within a host at once, which a crash does not disturb. */
static int make_room(void *arg)
{
    static char bytes[200000];
    struct sill_sim_host *home = sill_sim_host_current();
    struct link_pair pair;
    struct sill_task *writer;
    int rc;

    (void)arg;
    pair_open(&pair, home, home);
    ck_assert_int_eq(sill_spawn(fill_it, &pair.client, &writer), 0);
    ck_assert_int_eq(sill_sleep(in_ms(1)), 0);
    sill_sim_host_crash(home);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(sill_stream_read_full(&pair.server, bytes,
                                               sizeof(bytes), NULL, in_ms(1)),
                         0);
    sill_sim_host_restart(home);
    ck_assert_int_eq(sill_cancel(writer, SILL_NEVER), 0);
    pair_close(&pair);
    pair_open(&pair, add("a"), add("b"));
    ck_assert_int_eq(sill_spawn(fill_it, &pair.client, &writer), 0);
    ck_assert_int_eq(sill_sleep(in_ms(100)), 0);
    ck_assert_int_eq(sill_sim_cut(pair.b, pair.a), 0);
    ck_assert_int_gt(
        sill_stream_read(&pair.server, bytes, sizeof(bytes), SILL_PAST), 0);
    ck_assert_int_eq(sill_sleep(in_ms(1000)), 0);
    ck_assert_int_eq(
        sill_stream_read(&pair.server, bytes, sizeof(bytes), SILL_PAST),
        SILL_ETIMEDOUT);
    sill_sim_heal(pair.b, pair.a);
    ck_assert_int_eq(sill_stream_read_full(&pair.server, bytes, sizeof(bytes),
                                           NULL, in_ms(10000)),
                     0);
    sill_stream_close(&pair.client);
    ck_assert_int_eq(sill_await(writer, &rc, SILL_NEVER), 0);
    ck_assert_int_eq(rc, SILL_ECLOSED);
    pair_close(&pair);
    return 0;
}

START_TEST(a_writer_hears_of_room)
{
    (void)run(make_room, 0);
}

END_TEST

static int connect_to(void *address)
{
    struct sill_stream stream;
    int rc = sill_stream_connect(&stream, address, NULL, SILL_NEVER);

    sill_stream_close(&stream);
    return rc;
}

/* As Linux has it: a connect waits for room in the queue, and a write to who
 * has closed is told so at once. */
static int go_by_a_path(void *arg)
{
    const struct sill_socket_options options = {.backlog = 1};
    struct sill_address address;
    struct sill_listener listener;
    struct sill_stream client, server;
    struct sill_task *waiting;
    int rc;

    (void)arg;
    ck_assert_int_eq(sill_address_unix(&address, "/run/x"), 0);
    ck_assert_int_eq(sill_listener_listen(&listener, &address, &options), 0);
    ck_assert_int_eq(sill_stream_connect(&client, &address, NULL, SILL_NEVER),
                     0);
    ck_assert_int_eq(sill_spawn(connect_to, &address, &waiting), 0);
    ck_assert_int_eq(sill_sleep(in_ms(200000)), 0);
    ck_assert_int_eq(sill_listener_accept(&listener, &server, SILL_PAST), 0);
    ck_assert_int_eq(sill_await(waiting, &rc, in_ms(1000)), 0);
    ck_assert_int_eq(rc, 0);
    sill_stream_close(&server);
    ck_assert_int_eq(sill_stream_write(&client, "x", 1, SILL_NEVER),
                     SILL_EPIPE);
    sill_stream_close(&client);
    sill_listener_close(&listener);
    return 0;
}

START_TEST(paths_behave_as_those_of_linux)
{
    (void)run(go_by_a_path, 0);
}

END_TEST

static int connect_code(const struct sill_address *address, sill_time deadline)
{
    struct sill_stream stream;
    int rc = sill_stream_connect(&stream, address, NULL, deadline);

    sill_stream_close(&stream);
    return rc;
}

static int connect_nowhere(void *arg)
{
    struct sill_sim_host *host = add("b");
    struct sill_address address = echo_of(host);
    sill_time begin = sill_now();

    (void)arg;
    ck_assert_int_eq(connect_code(&address, SILL_NEVER), SILL_ECONNREFUSED);
    ck_assert_int_eq(sill_now(), begin + us(2 * LATENCY_US));
    ck_assert_int_eq(connect_code(&address, SILL_PAST), SILL_ETIMEDOUT);
    ck_assert_int_eq(sill_address_ip(&address, "10.9.9.9", 7), 0);
    ck_assert_int_eq(connect_code(&address, SILL_NEVER), SILL_EHOSTUNREACH);
    ck_assert_int_eq(sill_address_ip(&address, "127.0.0.1", 7), 0);
    ck_assert_int_eq(connect_code(&address, SILL_PAST), SILL_ECONNREFUSED);
    ck_assert_int_eq(sill_address_unix(&address, "/run/nobody"), 0);
    ck_assert_int_eq(connect_code(&address, SILL_NEVER), SILL_ENOENT);
    address.path_size = 0;
    ck_assert_int_eq(connect_code(&address, SILL_NEVER), SILL_EINVAL);
    address.path_size = SILL_UNIX_PATH_MAX + 1;
    ck_assert_int_eq(connect_code(&address, SILL_NEVER), SILL_EINVAL);
    address.family = SILL_FAMILY_NONE;
    ck_assert_int_eq(connect_code(&address, SILL_NEVER), SILL_EINVAL);
    return 0;
}

START_TEST(a_connect_that_fails_says_why)
{
    (void)run(connect_nowhere, 0);
}

END_TEST

static int listen_code(const char *text, struct sill_listener *listener)
{
    struct sill_address address;

    ck_assert_int_eq(sill_address_parse(&address, text), 0);
    return sill_listener_listen(listener, &address, NULL);
}

static int listen_twice(void *arg)
{
    static const struct {
        const char *first, *second;
        int code;
    } pairs[] = {{"10.0.0.1:80", "10.0.0.1:80", SILL_EADDRINUSE},
                 {"0.0.0.0:80", "10.0.0.1:80", SILL_EADDRINUSE},
                 {"127.0.0.1:80", "0.0.0.0:80", SILL_EADDRINUSE},
                 {"[::]:80", "127.0.0.1:80", SILL_EADDRINUSE},
                 {"[::]:80", "0.0.0.0:80", SILL_EADDRINUSE},
                 {"127.0.0.1:80", "10.0.0.1:80", 0},
                 {"127.0.0.1:80", "127.0.0.1:81", 0},
                 {"unix:/run/x", "unix:/run/x", SILL_EADDRINUSE},
                 {"unix:/run/x", "unix:/run/y", 0},
                 {"0.0.0.0:0", "0.0.0.0:0", 0},
                 {"0.0.0.0:80", "10.0.0.2:80", SILL_EADDRNOTAVAIL}};

    (void)arg;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
        struct sill_listener a, b;

        ck_assert_int_eq(listen_code(pairs[i].first, &a), 0);
        ck_assert_int_eq(listen_code(pairs[i].second, &b), pairs[i].code);
        sill_listener_close(&a);
        sill_listener_close(&b);
        ck_assert_int_eq(listen_code(pairs[i].first, &a), 0);
        sill_listener_close(&a);
    }
    return 0;
}

START_TEST(an_address_is_taken_by_one)
{
    (void)run(listen_twice, 0);
}

END_TEST

static int meet(const char *at, const char *to, const char *local)
{
    struct sill_listener listener;
    struct sill_stream client, server;
    struct sill_address address, where;
    char text[SILL_ADDRESS_TEXT_MAX];

    ck_assert_int_eq(listen_code(at, &listener), 0);
    ck_assert_int_eq(sill_address_parse(&address, to), 0);
    ck_assert_int_eq(sill_stream_connect(&client, &address, NULL, SILL_PAST),
                     0);
    ck_assert_int_eq(sill_listener_accept(&listener, &server, SILL_PAST), 0);
    ck_assert_int_eq(sill_stream_local(&server, &where), 0);
    ck_assert_str_eq(sill_address_format(&where, text, sizeof(text)), local);
    ck_assert_int_eq(sill_stream_write(&client, "x", 1, SILL_PAST), 1);
    ck_assert_int_eq(sill_stream_read(&server, text, 2, SILL_PAST), 1);
    sill_stream_close(&client);
    ck_assert_int_eq(sill_stream_read(&server, text, 2, SILL_PAST), 0);
    sill_stream_close(&server);
    sill_listener_close(&listener);
    return 0;
}

static int meet_at_home(void *arg)
{
    sill_time begin = sill_now();

    (void)arg;
    (void)meet("0.0.0.0:80", "127.0.0.1:80", "127.0.0.1:80");
    (void)meet("0.0.0.0:80", "0.0.0.0:80", "127.0.0.1:80");
    (void)meet("[::]:80", "[::1]:80", "[::1]:80");
    (void)meet("[::]:80", "10.0.0.1:80", "[::ffff:10.0.0.1]:80");
    (void)meet("[fd00::1]:80", "[fd00::1]:80", "[fd00::1]:80");
    (void)meet("unix:/run/x", "unix:/run/x", "unix:/run/x");
    (void)meet("unix:@x", "unix:@x", "unix:@x");
    ck_assert_int_eq(sill_now(), begin);
    return 0;
}

START_TEST(a_host_talks_to_itself_in_no_time)
{
    (void)run(meet_at_home, 0);
}

END_TEST

static int overflow_the_backlog(void *arg)
{
    struct sill_socket_options options = {.backlog = 1};
    struct sill_sim_host *server = add("server");
    struct sill_address address = echo_of(server);
    struct sill_sim_host *home = sill_sim_host_enter(server);
    struct sill_listener listener;
    struct sill_stream streams[2], taken;

    (void)arg;
    ck_assert_int_eq(sill_listener_listen(&listener, &address, &options), 0);
    (void)sill_sim_host_enter(home);
    ck_assert_int_eq(sill_stream_connect(&streams[0], &address, NULL, in_ms(9)),
                     0);
    ck_assert_int_eq(sill_stream_connect(&streams[1], &address, NULL, in_ms(9)),
                     SILL_ETIMEDOUT);
    ck_assert_int_eq(sill_listener_accept(&listener, &taken, SILL_PAST), 0);
    ck_assert_int_eq(sill_stream_connect(&streams[1], &address, NULL, in_ms(9)),
                     0);
    sill_stream_close(&streams[0]);
    sill_stream_close(&taken);
    sill_listener_close(&listener);
    ck_assert_int_eq(sill_stream_read(&streams[1], &(char){0}, 1, SILL_NEVER),
                     SILL_ECONNRESET);
    sill_stream_close(&streams[1]);
    return 0;
}

START_TEST(a_full_backlog_takes_no_more)
{
    (void)run(overflow_the_backlog, 0);
}

END_TEST

static int take_no_descriptors(void *arg)
{
    struct sill_stream stream;
    struct sill_watch watch;

    (void)arg;
    ck_assert_int_eq(sill_stream_adopt(&stream, 0), SILL_EOPNOTSUPP);
    ck_assert_int_eq(sill_watch_open(&watch, 0), SILL_EOPNOTSUPP);
    return 0;
}

START_TEST(there_are_no_descriptors_to_adopt_or_watch)
{
    (void)run(take_no_descriptors, 0);
}

END_TEST

static int measure_bandwidth(void *arg)
{
    struct sill_sim_link slow = {.latency = SILL_MILLISECOND,
                                 .bandwidth = 1000000};
    struct link_pair pair;
    static char bytes[50000];
    sill_time begin;

    (void)arg;
    pair_open(&pair, add("a"), add("b"));
    ck_assert_int_eq(sill_sim_link_set(pair.a, pair.b, &slow), 0);
    begin = sill_now();
    ck_assert_int_eq(
        sill_stream_write(&pair.client, bytes, sizeof(bytes), SILL_PAST),
        sizeof(bytes));
    ck_assert_int_eq(sill_stream_read_full(&pair.server, bytes, sizeof(bytes),
                                           NULL, SILL_NEVER),
                     0);
    ck_assert_int_eq(sill_now(), begin + us(50000 + 1000));
    pair_close(&pair);
    return 0;
}

START_TEST(a_megabyte_per_second_is_a_byte_per_microsecond)
{
    (void)run(measure_bandwidth, 0);
}

END_TEST

TCase *stream_cases(void)
{
    TCase *cases = tcase_create("stream");

    tcase_set_timeout(cases, 60);
    tcase_add_test(cases,
                   bytes_arrive_after_the_latency_and_not_a_nanosecond_before);
    tcase_add_test(cases,
                   an_end_follows_the_bytes_and_leaves_the_other_way_open);
    tcase_add_test(cases, closing_with_unread_bytes_is_a_reset);
    tcase_add_test(cases, writing_to_a_peer_that_is_gone_ends_in_an_error);
    tcase_add_test(cases, a_peer_that_does_not_read_stops_the_writer);
    tcase_add_test(cases, bytes_keep_their_order_whatever_the_pieces);
    tcase_add_test(cases, closing_wakes_who_waits);
    tcase_add_test(cases, closing_wakes_a_writer);
    tcase_add_test(cases, a_writer_hears_of_room);
    tcase_add_test(cases, paths_behave_as_those_of_linux);
    tcase_add_test(cases, a_connect_that_fails_says_why);
    tcase_add_test(cases, an_address_is_taken_by_one);
    tcase_add_test(cases, a_host_talks_to_itself_in_no_time);
    tcase_add_test(cases, a_full_backlog_takes_no_more);
    tcase_add_test(cases, there_are_no_descriptors_to_adopt_or_watch);
    tcase_add_test(cases, a_megabyte_per_second_is_a_byte_per_microsecond);
    return cases;
}
