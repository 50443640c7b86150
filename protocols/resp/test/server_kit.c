/* SPDX-License-Identifier: MIT */
/*
 * server_kit.c: see server_kit.h.
 */
#include "server_kit.h"

static int serve(void *arg)
{
    struct kit *kit = arg;
    return sill_resp_serve(&kit->server, &kit->listener, SILL_NEVER);
}

void kit_start(struct kit *kit, const struct sill_resp_verb *verbs,
               size_t count)
{
    ck_assert_int_eq(sill_address_ip(&kit->address, "127.0.0.1", 0), 0);
    ck_assert_int_eq(
        sill_listener_listen(&kit->listener, &kit->address, &kit->options), 0);
    ck_assert_int_eq(sill_listener_local(&kit->listener, &kit->address), 0);
    sill_trigger_init(&kit->stop, NULL, NULL);
    kit->server.verbs = verbs;
    kit->server.verb_count = count;
    kit->server.stop = &kit->stop;
    ck_assert_int_eq(sill_spawn(serve, kit, &kit->task), 0);
}

int kit_stop(struct kit *kit)
{
    int result = -1;
    sill_resume(&kit->stop, 0);
    ck_assert_int_eq(sill_await(kit->task, &result, kit_soon()), 0);
    ck_assert_uint_eq(kit->server.stats.open, 0);
    return result;
}

sill_time kit_soon(void)
{
    return sill_after(20 * SILL_SECOND);
}

void peer_open(struct peer *peer, const struct kit *kit)
{
    memset(peer, 0, sizeof(*peer));
    ck_assert_int_eq(
        sill_stream_connect(&peer->stream, &kit->address, NULL, kit_soon()), 0);
    peer->room = 1024;
    peer->text = calloc(1, peer->room);
}

void peer_send(struct peer *peer, const void *data, size_t size)
{
    int rc = sill_stream_write_all(&peer->stream, data, size, NULL, kit_soon());
    ck_assert_int_eq(rc, 0);
}

void peer_say(struct peer *peer, const char *text)
{
    peer_send(peer, text, strlen(text));
}

static ssize_t read_up_to(struct peer *peer, size_t most)
{
    if (peer->room - peer->size < most + 1) {
        peer->room = 2 * peer->room + most;
        peer->text = realloc(peer->text, peer->room);
    }
    ssize_t got = sill_stream_read(&peer->stream, peer->text + peer->size, most,
                                   kit_soon());
    if (got > 0)
        peer->size += (size_t)got;
    peer->text[peer->size] = '\0';
    return got;
}

ssize_t peer_read(struct peer *peer)
{
    return read_up_to(peer, 65536);
}

void peer_expect(struct peer *peer, const char *text)
{
    size_t size = strlen(text);
    while (peer->size < size)
        ck_assert_msg(read_up_to(peer, size - peer->size) > 0,
                      "ended early: %s", peer->text);
    ck_assert_mem_eq(peer->text, text, size);
    peer->size -= size;
    memmove(peer->text, peer->text + size, peer->size + 1);
}

void peer_expect_last(struct peer *peer, const char *text)
{
    peer_expect(peer, text);
    ck_assert_str_eq(peer->text, "");
    ck_assert_int_eq(peer_read(peer), 0);
}

void peer_read_end(struct peer *peer)
{
    ssize_t got;
    while ((got = peer_read(peer)) > 0)
        continue;
    ck_assert_msg(got == 0 || got == SILL_ECONNRESET, "%s",
                  sill_strerror((int)got));
}

void peer_close(struct peer *peer)
{
    sill_stream_close(&peer->stream);
    free(peer->text);
    peer->text = NULL;
}
