/* SPDX-License-Identifier: MIT */
/*
 * The echo server that somebody writes over libuv: what the libuv backend is
 * measured against.
 *
 * Streams in libuv's own form: one buffer handed to every read, and
 * uv_try_write, which writes at once and allocates nothing; uv_write only for
 * what the peer did not take.
 */
#include "rival.h"

#include <stdlib.h>
#include <string.h>
#include <uv.h>

static char buffer[RIVAL_BUFFER];

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
    (void)handle;
    (void)hint;
    *buf = uv_buf_init(buffer, sizeof buffer);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buf);

static void on_written(uv_write_t *request, int status)
{
    uv_stream_t *stream = request->handle;

    free(request);
    if (status < 0)
        drop(stream);
    else if (!uv_is_closing((uv_handle_t *)stream))
        uv_read_start(stream, on_alloc, on_read);
}

/* Does not read on before the peer took the rest. */
static int wait_for_room(uv_stream_t *stream, const char *rest, size_t size)
{
    uv_write_t *request = malloc(sizeof *request + size);
    if (!request)
        return UV_ENOMEM;
    memcpy(request + 1, rest, size);
    uv_buf_t piece = uv_buf_init((char *)(request + 1), (unsigned)size);
    uv_read_stop(stream);
    int rc = uv_write(request, stream, &piece, 1, on_written);
    if (rc < 0)
        free(request);
    return rc;
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buf)
{
    if (size == 0)
        return;
    if (size < 0) {
        drop(stream);
        return;
    }
    uv_buf_t piece = uv_buf_init(buf->base, (unsigned)size);
    int done = uv_try_write(stream, &piece, 1);
    if (done == size)
        return;
    if (done == UV_EAGAIN)
        done = 0;
    if (done < 0 ||
        wait_for_room(stream, buf->base + done, (size_t)(size - done)) < 0)
        drop(stream);
}

static void on_connection(uv_stream_t *listener, int status)
{
    uv_tcp_t *conn = malloc(sizeof *conn);

    if (status < 0 || !conn) {
        free(conn);
        return;
    }
    uv_tcp_init(listener->loop, conn);
    if (uv_accept(listener, (uv_stream_t *)conn) < 0 ||
        uv_tcp_nodelay(conn, 1) < 0 ||
        uv_read_start((uv_stream_t *)conn, on_alloc, on_read) < 0)
        drop((uv_stream_t *)conn);
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
