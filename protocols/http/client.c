/* SPDX-License-Identifier: MIT */
/*
 * client.c: connections, and which of them are kept between calls.
 *
 * The idle ones are one list, the latest first. There are few, by their bound.
 */
#include "client.h"

#include <sill/error.h>
#include <sill/hooks.h>

#include <string.h>

static void destroy(struct sill_http_connection *connection)
{
    sill_stream_close(&connection->stream);
    sill_free(connection);
}

static struct sill_http_connection *
unlink_idle(struct sill_http_client *client, struct sill_http_connection **link)
{
    struct sill_http_connection *connection = *link;
    *link = connection->next;
    client->stats.idle--;
    return connection;
}

static bool is_to(const struct sill_http_connection *connection,
                  struct sill_http_view host, uint16_t port)
{
    return connection->port == port &&
           sill_http_view_is_alike(connection->host, host);
}

/* Whether the peer of an idle connection said nothing, not even goodbye.
 * Returns 0, SILL_ECANCELED with nothing looked at, or another error. */
static int check_idle(struct sill_http_connection *connection)
{
    char byte;
    ssize_t got = sill_stream_read(&connection->stream, &byte, 1, SILL_PAST);
    if (got == SILL_ETIMEDOUT)
        return 0;
    return got < 0 ? (int)got : SILL_EOF;
}

/* Closes the connections that were idle for too long. */
static void expire(struct sill_http_client *client)
{
    sill_time now = client->first_idle == NULL ? 0 : sill_now();
    struct sill_http_connection **link = &client->first_idle;
    while (*link != NULL) {
        if (now - (*link)->idle_since >= client->idle_timeout)
            destroy(unlink_idle(client, link));
        else
            link = &(*link)->next;
    }
}

static int take_idle(struct sill_http_call *call)
{
    struct sill_http_client *client = call->client;
    struct sill_http_connection **link = &client->first_idle;
    expire(client);
    while (*link != NULL) {
        if (!is_to(*link, call->url.host, call->url.port)) {
            link = &(*link)->next;
            continue;
        }
        int rc = check_idle(*link);
        if (rc == SILL_ECANCELED)
            return rc;
        struct sill_http_connection *found = unlink_idle(client, link);
        if (rc == 0) {
            call->connection = found;
            call->reused = true;
            client->stats.reused++;
            return 0;
        }
        destroy(found);
    }
    return SILL_ENOENT;
}

/* Addresses in numbers, and this machine. */
static int resolve_here(const char *host, struct sill_address *addresses)
{
    if (sill_address_ip(&addresses[0], host, 0) == 0)
        return 1;
    if (!sill_http_view_is_alike(sill_http_view(host),
                                 SILL_HTTP_VIEW("localhost")) ||
        sill_address_ip(&addresses[0], "127.0.0.1", 0) != 0 ||
        sill_address_ip(&addresses[1], "::1", 0) != 0)
        return SILL_ENOENT;
    return 2;
}

static int resolve(struct sill_http_client *client, const char *host,
                   struct sill_address *addresses, sill_time deadline)
{
    int count = client->resolve == NULL
                    ? resolve_here(host, addresses)
                    : client->resolve(client->arg, host, addresses,
                                      SILL_HTTP_ADDRESSES_MAX, deadline);
    return count == 0 ? SILL_ENOENT : count;
}

/* Tries each address in turn; the last failure is the one reported. */
static int connect_to(struct sill_http_client *client,
                      struct sill_http_connection *connection,
                      sill_time deadline)
{
    struct sill_address addresses[SILL_HTTP_ADDRESSES_MAX];
    const char *name = connection->name;
    struct sill_stream *stream = &connection->stream;
    if (client->connect != NULL)
        return client->connect(client->arg, stream, name, connection->port,
                               deadline);
    int count = resolve(client, name, addresses, deadline), rc = count;
    for (int i = 0; i < count && i < SILL_HTTP_ADDRESSES_MAX; i++) {
        if (addresses[i].family != SILL_FAMILY_UNIX)
            addresses[i].port = connection->port;
        rc = sill_stream_connect(stream, &addresses[i], NULL, deadline);
        if (rc == 0 || rc == SILL_ECANCELED)
            break;
    }
    return rc;
}

static int open_new(struct sill_http_call *call, sill_time deadline)
{
    struct sill_http_view host = call->url.host;
    struct sill_http_connection *connection =
        sill_alloc(sizeof(*connection) + host.size + 1);
    if (connection == NULL)
        return SILL_ENOMEM;
    memset(connection, 0, sizeof(*connection));
    memcpy(connection->name, host.at, host.size);
    connection->name[host.size] = '\0';
    connection->host = (struct sill_http_view){connection->name, host.size};
    connection->port = call->url.port;
    int rc = connect_to(call->client, connection, deadline);
    if (rc < 0) {
        sill_free(connection);
        return rc;
    }
    call->connection = connection;
    call->reused = false;
    call->client->stats.connections++;
    return 0;
}

int sill_http_connection_take(struct sill_http_call *call, bool fresh,
                              sill_time deadline)
{
    int rc = fresh ? SILL_ENOENT : take_idle(call);
    return rc == SILL_ENOENT ? open_new(call, deadline) : rc;
}

/* Returns the link to the idle connection that is the oldest of those to
 * (like), or of all when that is NULL; and how many there are. */
static struct sill_http_connection **
oldest(struct sill_http_client *client, const struct sill_http_connection *like,
       size_t *count)
{
    struct sill_http_connection **found = NULL, **link = &client->first_idle;
    *count = 0;
    for (; *link != NULL; link = &(*link)->next) {
        if (like != NULL && !is_to(*link, like->host, like->port))
            continue;
        found = link;
        ++*count;
    }
    return found;
}

static void make_room(struct sill_http_client *client,
                      const struct sill_http_connection *like, size_t bound)
{
    size_t count;
    struct sill_http_connection **link = oldest(client, like, &count);
    if (count >= bound)
        destroy(unlink_idle(client, link));
}

void sill_http_connection_keep(struct sill_http_call *call)
{
    struct sill_http_client *client = call->client;
    struct sill_http_connection *connection = call->connection;
    call->connection = NULL;
    expire(client);
    make_room(client, connection, client->idle_per_host);
    make_room(client, NULL, client->idle_max);
    connection->idle_since = sill_now();
    connection->next = client->first_idle;
    client->first_idle = connection;
    client->stats.idle++;
}

void sill_http_connection_drop(struct sill_http_call *call)
{
    if (call->connection != NULL)
        destroy(call->connection);
    call->connection = NULL;
}

void sill_http_client_close(struct sill_http_client *client)
{
    while (client->first_idle != NULL)
        destroy(unlink_idle(client, &client->first_idle));
}
