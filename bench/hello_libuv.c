/* SPDX-License-Identifier: MIT */
/*
 * Hello, World! over libuv by hand: what the hello example is measured
 * against on the libuv backend, and in the promise of being ahead of it.
 *
 * As echo_libuv.c, with a buffer for each connection only while half a request
 * waits in it.
 */
#include "rival.h"

#include <stdlib.h>
#include <string.h>
#include <uv.h>

struct conn {
    uv_tcp_t tcp; /* first: libuv's handle is the connection */
    size_t kept;  /* bytes of a request that has not ended */
    char head[RIVAL_BUFFER];
};

static char input[RIVAL_BUFFER], output[8 * RIVAL_BUFFER];

static void on_close(uv_handle_t *handle)
{
    free(handle);
}

static void drop(uv_stream_t *stream)
{
    if (!uv_is_closing((uv_handle_t *)stream))
        uv_close((uv_handle_t *)stream, on_close);
}

static void on_alloc(uv_handle_t *handle, size_t hint, uv_buf_t *buf)
{
    struct conn *c = (struct conn *)handle;
    (void)hint;
    if (c->kept)
        *buf = uv_buf_init(c->head + c->kept,
                           (unsigned)(sizeof c->head - c->kept));
    else
        *buf = uv_buf_init(input, sizeof input);
}

static void on_written(uv_write_t *request, int status)
{
    if (status < 0)
        drop(request->handle);
    free(request);
}

static int send_all(uv_stream_t *stream, const char *data, size_t size)
{
    uv_buf_t piece = uv_buf_init((char *)data, (unsigned)size);
    int done = uv_try_write(stream, &piece, 1);
    if (done == (int)size)
        return 0;
    if (done < 0 && done != UV_EAGAIN)
        return done;

    size_t rest = size - (done < 0 ? 0 : (size_t)done);
    uv_write_t *request = malloc(sizeof *request + rest);
    if (!request)
        return UV_ENOMEM;
    memcpy(request + 1, data + size - rest, rest);
    piece = uv_buf_init((char *)(request + 1), (unsigned)rest);
    int rc = uv_write(request, stream, &piece, 1, on_written);
    if (rc < 0)
        free(request);
    return rc;
}

static int serve(struct conn *c, const char *data, size_t size)
{
    struct rival_answer a;
    int rc = 0;

    do {
        a = rival_hello(data, size, output, sizeof output);
        data += a.used;
        size -= a.used;
        if (a.size)
            rc = send_all((uv_stream_t *)c, output, a.size);
    } while (rc == 0 && a.used && size && !a.close);

    c->kept = size;
    if (size && data != c->head)
        memmove(c->head, data, size);
    return a.close || size == sizeof c->head ? -1 : rc;
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buf)
{
    struct conn *c = (struct conn *)stream;

    (void)buf;
    if (size == 0)
        return;
    if (size < 0 ||
        serve(c, c->kept ? c->head : input, c->kept + (size_t)size) < 0)
        drop(stream);
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct conn *c = malloc(sizeof *c);

    if (status < 0 || !c) {
        free(c);
        return;
    }
    c->kept = 0;
    uv_tcp_init(listener->loop, &c->tcp);
    if (uv_accept(listener, (uv_stream_t *)c) < 0 ||
        uv_tcp_nodelay(&c->tcp, 1) < 0 ||
        uv_read_start((uv_stream_t *)c, on_alloc, on_read) < 0)
        drop((uv_stream_t *)c);
}

int main(int argc, char **argv)
{
    uv_loop_t *loop = uv_default_loop();
    uv_tcp_t listener;
    struct sockaddr_in address;
    uv_os_fd_t fd;

    uv_ip4_addr("127.0.0.1", rival_port(argc, argv), &address);
    uv_tcp_init(loop, &listener);
    if (uv_tcp_bind(&listener, (struct sockaddr *)&address, 0) < 0 ||
        uv_listen((uv_stream_t *)&listener, 1024, on_connection) < 0 ||
        uv_fileno((uv_handle_t *)&listener, &fd) < 0)
        return 1;
    rival_announce(fd);
    return uv_run(loop, UV_RUN_DEFAULT);
}
