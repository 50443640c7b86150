/* SPDX-License-Identifier: MIT */
/*
 * service_kit.c: see service_kit.h.
 */
#include "service_kit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct log said;
struct sill_trigger gate, arrived;

/* ---- the protocol ---- */

struct client {
    struct sill_connection base;
    char byte;
};

static struct sill_connection *client_open(struct sill_service *service)
{
    struct client *client = sill_alloc(sizeof(*client));
    (void)service;
    if (client == NULL)
        return NULL;
    memset(client, 0, sizeof(*client));
    said.opened++;
    return &client->base;
}

static void client_begin(struct sill_connection *c)
{
    int open = (int)c->service->open;
    said.begun++;
    said.most = open > said.most ? open : said.most;
}

static ssize_t next_byte(struct client *client)
{
    struct sill_connection *c = &client->base;
    c->idle = true;
    ssize_t got =
        sill_stream_read(&c->stream, &client->byte, 1,
                         c->service->draining ? SILL_PAST : SILL_NEVER);
    c->idle = false;
    return got;
}

static void client_run(struct sill_connection *c)
{
    struct client *client = (struct client *)c;
    if (said.run++ == 0)
        said.begun_at_first_run = said.begun;
    while (next_byte(client) > 0) {
        if (client->byte == 'w') {
            sill_resume(&arrived, 0);
            said.seen = sill_suspend(&gate, SILL_NEVER);
        }
        if (sill_stream_write(&c->stream, &client->byte, 1, SILL_NEVER) < 0)
            return;
    }
}

static void client_close(struct sill_connection *c)
{
    said.closed++;
    sill_stream_close(&c->stream);
    sill_free(c);
}

static void client_end(struct sill_connection *c)
{
    ck_assert(c->idle);
    said.ended++;
    sill_stream_close(&c->stream);
}

static void drain(struct sill_service *service)
{
    ck_assert(service->draining);
    said.drained++;
    if (service->arg != NULL)
        sill_resume(service->arg, 0);
}

static void starve(struct sill_service *service, int error)
{
    (void)service;
    said.starved++;
    said.missing = error;
}

const struct sill_service_ops all_ops = {client_open,  client_begin, client_run,
                                         client_close, client_end,   drain,
                                         starve};
const struct sill_service_ops least_ops = {
    .open = client_open, .run = client_run, .close = client_close};

/* ---- the service ---- */

static int serve(void *arg)
{
    struct kit *kit = arg;
    kit->result =
        sill_service_run(&kit->service, &kit->listener, kit->deadline);
    return kit->result;
}

void kit_listen(struct kit *kit)
{
    memset(&said, 0, sizeof(said));
    sill_trigger_init(&gate, NULL, NULL);
    sill_trigger_init(&arrived, NULL, NULL);
    sill_trigger_init(&kit->stop, NULL, NULL);
    ck_assert_int_eq(sill_address_ip(&kit->address, "127.0.0.1", 0), 0);
    ck_assert_int_eq(sill_listener_listen(&kit->listener, &kit->address, NULL),
                     0);
    ck_assert_int_eq(sill_listener_local(&kit->listener, &kit->address), 0);
}

void kit_run(struct kit *kit)
{
    kit->service.stop = &kit->stop;
    if (kit->service.ops == NULL)
        kit->service.ops = &all_ops;
    if (kit->deadline == 0)
        kit->deadline = SILL_NEVER;
    ck_assert_int_eq(sill_spawn(serve, kit, &kit->task), 0);
}

void kit_start(struct kit *kit)
{
    kit_listen(kit);
    kit_run(kit);
}

int kit_join(struct kit *kit)
{
    struct sill_address address;
    int result = -1;
    ck_assert_int_eq(sill_await(kit->task, &result, kit_soon()), 0);
    ck_assert_uint_eq(kit->service.open, 0);
    ck_assert_ptr_null(sill_service_next(&kit->service, NULL));
    ck_assert_int_eq(said.opened, said.closed);
    ck_assert_int_eq(sill_listener_local(&kit->listener, &address),
                     SILL_ECLOSED);
    return result;
}

int kit_stop(struct kit *kit)
{
    sill_resume(&kit->stop, 0);
    return kit_join(kit);
}

sill_time kit_soon(void)
{
    return sill_after(20 * SILL_SECOND);
}

/* ---- peers ---- */

void peer_open(struct sill_stream *peer, const struct kit *kit,
               const char *bytes)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(kit->address.port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(connect(fd, (const struct sockaddr *)&to, sizeof(to)), 0);
    ck_assert_int_eq(write(fd, bytes, strlen(bytes)), (ssize_t)strlen(bytes));
    memset(peer, 0, sizeof(*peer));
    ck_assert_int_eq(sill_stream_adopt(peer, fd), 0);
}

void peer_say(struct sill_stream *peer, const char *bytes)
{
    int rc =
        sill_stream_write_all(peer, bytes, strlen(bytes), NULL, kit_soon());
    ck_assert_int_eq(rc, 0);
}

void peer_expect(struct sill_stream *peer, const char *bytes)
{
    char text[64] = "";
    size_t size = strlen(bytes);
    ck_assert_uint_lt(size, sizeof(text));
    ck_assert_int_eq(sill_stream_read_full(peer, text, size, NULL, kit_soon()),
                     0);
    ck_assert_str_eq(text, bytes);
}

void peer_expect_end(struct sill_stream *peer)
{
    char byte;
    ck_assert_int_eq(sill_stream_read(peer, &byte, 1, kit_soon()), 0);
    sill_stream_close(peer);
}

void peer_leave(struct sill_stream *peer)
{
    char bytes[64];
    while (sill_stream_read(peer, bytes, sizeof(bytes), kit_soon()) > 0)
        continue;
    sill_stream_close(peer);
}
