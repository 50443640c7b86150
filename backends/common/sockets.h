/* SPDX-License-Identifier: MIT */
/*
 * sockets.h: the parts of sill_core_sockets, the transport of every backend
 * with descriptors. Each is the entry of struct sill_spi_transport.
 */
#ifndef SILL_SOCKETS_H
#define SILL_SOCKETS_H

#include "descriptor.h"
#include "sockaddr.h"

#include <limits.h>
#include <sys/socket.h>

/* socket.c */
/* What went wrong, by errno; SILL_EBUSY for "would block". */
int sill_core_sockets_failure(struct descriptor *d, unsigned direction);

static inline size_t sockets_total(const struct iovec *pieces, size_t count)
{
    size_t size = 0;

    for (size_t i = 0; i < count; i++)
        size += pieces[i].iov_len;
    return size;
}

/* As many of the pieces as one call takes. */
static inline struct msghdr sockets_message(const struct iovec *pieces,
                                            size_t count)
{
    struct msghdr message = {.msg_iov = (struct iovec *)pieces};

    message.msg_iovlen =
        (__typeof__(message.msg_iovlen))(count < IOV_MAX ? count : IOV_MAX);
    return message;
}

/* Makes a stream of (fd), or of one that is still to come (-1). (in_pieces): a
 * Unix-domain socket, see struct descriptor. */
int sill_core_sockets_wrap(struct sill_loop *loop, struct sill_stream *stream,
                           int fd, bool in_pieces);

/* Gives it its descriptor and the address that it is connected to. */
void sill_core_sockets_connected(struct sill_stream *stream, int fd,
                                 const struct sill_address *peer);

int sill_core_sockets_adopt(struct sill_loop *loop, struct sill_stream *stream,
                            int fd);
int sill_core_sockets_connect(struct sill_loop *loop,
                              struct sill_stream *stream,
                              const struct sill_address *address,
                              const struct sill_socket_options *options,
                              sill_time deadline);

/* sendfile.c: the entry of struct sill_stream_ops. */
ssize_t sill_core_sockets_sendfile(void *impl, const struct iovec *pieces,
                                   size_t count,
                                   const struct sill_stream_file *file,
                                   sill_time deadline);

/* listener.c */
int sill_core_sockets_listen(struct sill_loop *loop,
                             struct sill_listener *listener,
                             const struct sill_address *address,
                             const struct sill_socket_options *options);

/* datagram.c */
int sill_core_sockets_datagram(struct sill_loop *loop,
                               struct sill_datagram *datagram,
                               const struct sill_address *address,
                               const struct sill_socket_options *options);

/* watch.c */
int sill_core_sockets_watch(struct sill_loop *loop, struct sill_watch *watch,
                            int fd);

/* unix_file.c: the file of a Unix-domain socket, which outlives its owner. */
struct unix_file {
    unsigned long long device, inode; /* 0: none, or not ours */
};

/* Binds (fd); the file of a listener that is gone is replaced. */
int sill_core_unix_file_bind(struct unix_file *file, int fd, int type,
                             const struct sockaddr_any *at);

/* Removes the file, unless somebody else has replaced it. */
void sill_core_unix_file_remove(const struct unix_file *file,
                                const struct sill_address *at);

#endif
