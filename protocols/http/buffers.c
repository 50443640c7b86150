/* SPDX-License-Identifier: MIT */
/*
 * buffers.c: where an exchange takes place. A connection has its buffers from
 * the first byte of a head on, until all is answered, and then others may use
 * them while they are warm.
 *
 *     headers | in | out | headers of trailers
 */
#include "server.h"

#include <sill/error.h>
#include <sill/hooks.h>
#include <sill/time.h>

enum { SPARE_MAX = 32 };

/* How long to wait for memory to come back. */
#define PAUSE (20 * SILL_MILLISECOND)

struct sill_http_spare {
    struct sill_http_spare *next;
};

size_t sill_http_window_size(const struct sill_http_limits *limits)
{
    size_t least = limits->trailer_bytes;
    return least > BODY_WINDOW_MIN ? least : BODY_WINDOW_MIN;
}

/* What lies behind is aligned, too. */
static size_t in_size(const struct sill_http_limits *limits)
{
    size_t size = (size_t)limits->line + limits->header_bytes + 2 +
                  sill_http_window_size(limits);
    return (size + 63) / 64 * 64;
}

/* What is set aside, or else new. */
static void *find(struct sill_http_server *server)
{
    const struct sill_http_limits *limits = &server->limits;
    struct sill_http_spare *spare = server->spare;
    if (spare == NULL)
        return sill_alloc(2 * limits->headers *
                              sizeof(struct sill_http_header) +
                          in_size(limits) + OUT_SIZE);
    server->spare = spare->next;
    server->spares--;
    return spare;
}

int sill_http_buffers_take(struct sill_http_exchange *x)
{
    struct sill_http_server *server = x->server;
    void *block;
    while ((block = find(server)) == NULL) {
        server->stats.exhausted++;
        int rc = sill_sleep(sill_after(PAUSE));
        if (rc != 0)
            return rc;
    }
    x->head.headers = block;
    x->in = (char *)(x->head.headers + server->limits.headers);
    x->in_size = in_size(&server->limits);
    x->out = x->in + x->in_size;
    x->trailer_headers = (struct sill_http_header *)(void *)(x->out + OUT_SIZE);
    return 0;
}

void sill_http_buffers_give(struct sill_http_exchange *x)
{
    struct sill_http_server *server = x->server;
    struct sill_http_spare *spare = (void *)x->head.headers;
    x->head.headers = NULL;
    if (spare == NULL || server->spares == SPARE_MAX) {
        sill_free(spare);
        return;
    }
    spare->next = server->spare;
    server->spare = spare;
    server->spares++;
}

void sill_http_buffers_free(struct sill_http_server *server)
{
    while (server->spare != NULL) {
        struct sill_http_spare *spare = server->spare;
        server->spare = spare->next;
        sill_free(spare);
    }
    server->spares = 0;
}
