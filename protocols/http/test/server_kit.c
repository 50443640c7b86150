/* SPDX-License-Identifier: MIT */
/*
 * server_kit.c: see server_kit.h.
 */
#include "server_kit.h"

#include <fcntl.h>
#include <stdio.h>

static int serve(void *arg)
{
    struct kit *kit = arg;
    kit->result = sill_http_serve(&kit->server, &kit->listener, SILL_NEVER);
    return kit->result;
}

void kit_start(struct kit *kit, sill_http_handler *handler, void *arg)
{
    ck_assert_int_eq(sill_address_ip(&kit->address, "127.0.0.1", 0), 0);
    ck_assert_int_eq(
        sill_listener_listen(&kit->listener, &kit->address, &kit->options), 0);
    ck_assert_int_eq(sill_listener_local(&kit->listener, &kit->address), 0);
    sill_trigger_init(&kit->stop, NULL, NULL);
    kit->server.handler = handler;
    kit->server.arg = arg;
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
    return sill_after(10 * SILL_SECOND);
}

void peer_open(struct peer *peer, const struct kit *kit)
{
    memset(peer, 0, sizeof(*peer));
    ck_assert_int_eq(
        sill_stream_connect(&peer->stream, &kit->address, NULL, kit_soon()), 0);
    peer_forget(peer);
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

ssize_t peer_read(struct peer *peer)
{
    if (peer->room - peer->size < 65536) {
        peer->room = peer->room * 2 + 131072;
        peer->text = realloc(peer->text, peer->room);
    }
    ssize_t got = sill_stream_read(&peer->stream, peer->text + peer->size,
                                   peer->room - peer->size - 1, kit_soon());
    if (got > 0)
        peer->size += (size_t)got;
    peer->text[peer->size] = '\0';
    return got;
}

void peer_read_until(struct peer *peer, const char *mark, int count)
{
    while (count_of(peer->text, mark) < count)
        ck_assert_msg(peer_read(peer) > 0, "ended early: %s", peer->text);
}

void peer_read_end(struct peer *peer)
{
    ssize_t got;
    while ((got = peer_read(peer)) > 0)
        continue;
    ck_assert_msg(got == 0 || got == SILL_ECONNRESET, "%s",
                  sill_strerror((int)got));
}

void peer_forget(struct peer *peer)
{
    free(peer->text);
    peer->room = 131072;
    peer->text = calloc(1, peer->room);
    peer->size = 0;
}

void peer_close(struct peer *peer)
{
    sill_stream_close(&peer->stream);
    free(peer->text);
    peer->text = NULL;
}

char *peer_ask(const struct kit *kit, const char *request)
{
    struct peer peer;
    peer_open(&peer, kit);
    peer_say(&peer, request);
    peer_read_end(&peer);
    char *text = peer.text;
    peer.text = NULL;
    peer_close(&peer);
    return text;
}

int status_of(const char *text)
{
    return strncmp(text, "HTTP/1.1 ", 9) == 0 ? (int)strtol(text + 9, NULL, 10)
                                              : 0;
}

const char *body_of(const char *text)
{
    const char *end = strstr(text, "\r\n\r\n");
    ck_assert_msg(end != NULL, "no head: %s", text);
    return end + 4;
}

bool has_line(const char *text, const char *line)
{
    char part[256];
    snprintf(part, sizeof(part), "\r\n%s\r\n", line);
    const char *at = strstr(text, part);
    return at != NULL && at < strstr(text, "\r\n\r\n") + 2;
}

int count_of(const char *text, const char *part)
{
    int count = 0;
    while ((text = strstr(text, part)) != NULL) {
        text += strlen(part);
        count++;
    }
    return count;
}
