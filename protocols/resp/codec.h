/* SPDX-License-Identifier: MIT */
/*
 * codec.h: bytes to commands and replies and back, for server and client.
 *
 * A message arrives in pieces, in a buffer of the caller's. It is parsed in
 * place, without a copy, and what is wrong is refused as soon as it is seen:
 *
 *     sill_resp_command_init(&command, args, 16, &limits);
 *     while ((got = sill_resp_command_parse(&command, buffer, filled)) == 0)
 *         read more behind (filled);
 *
 * A server takes commands, a client replies; the two work alike. How a message
 * is fed does not matter: whole or byte by byte, the result is the same, and no
 * byte of a string is looked at twice. The codec does no I/O, allocates nothing
 * and has no clock.
 *
 * Both write what they find, arguments or values, into room of the caller's.
 * When that is used up, they return SILL_RESP_EROOM: copy what is there to more
 * room, say so in (args) or (values) and (room), and call again. Since that is
 * never before the bytes for it arrived, a peer that announces a million
 * arguments does not get the memory for them.
 *
 * Errors   codes of enum sill_resp_error; after one that is not EROOM the
 *          message is over, and so is the conversation.
 */
#ifndef SILL_RESP_CODEC_H
#define SILL_RESP_CODEC_H

#include "sill_resp_message.h"

/* A command on its way in. */
struct sill_resp_command {
    struct sill_resp_view *args; /* the caller's ... */
    size_t room;                 /* ... for so many of them */
    size_t count;                /* that are there */

    /* private */
    const struct sill_resp_limits *limits;
    const char *base;
    size_t at, scanned;
    int64_t left, due;
    uint8_t state;
    char got;
};

/*
 * Makes (command) ready to parse a new message.
 *
 * args     room for (room) arguments, the caller's while the command is used;
 *          NULL for none. It is not read before it is written.
 * limits   kept, not copied.
 */
void sill_resp_command_init(struct sill_resp_command *command,
                            struct sill_resp_view *args, size_t room,
                            const struct sill_resp_limits *limits);

/*
 * Goes on parsing the command that begins at (data), of which (size) bytes are
 * there now: at least as many as in the call before, and the same ones. The
 * buffer may have moved since.
 *
 * Returns how many bytes the command takes; 0 when it is not complete; or an
 * error. Then, and only when it is complete, (args) are views into (data).
 * Once complete, it must not be called again before init. A buffer of
 * limits->message bytes is always enough.
 *
 * A command is an array of strings, or, when it does not begin with '*', one
 * line of words: an inline command, for people. Words are separated by white
 * space; in "double quotes" \n \r \t \b \a \xHH and \ before any other byte
 * have their meaning, in 'single quotes' only \' has. They are unescaped in
 * place, which is why (data) is not constant.
 *
 * An array of no or -1 strings and an empty line are complete commands with a
 * (count) of 0: pass over them.
 */
SILL_MUST_CHECK ssize_t sill_resp_command_parse(
    struct sill_resp_command *command, char *data, size_t size);

/* A reply on its way in, or what a server pushes. */
struct sill_resp_reply {
    struct sill_resp_value *values; /* the caller's ... */
    size_t room;                    /* ... for so many of them */
    size_t count;                   /* that are there; values[0] is the reply */

    /* private */
    const struct sill_resp_limits *limits;
    const char *base;
    size_t at, scanned;
    uint64_t owed, due;
    uint32_t open, depth;
    uint8_t state;
};

/* Makes (reply) ready to parse a new message; as sill_resp_command_init. */
void sill_resp_reply_init(struct sill_resp_reply *reply,
                          struct sill_resp_value *values, size_t room,
                          const struct sill_resp_limits *limits);

/*
 * Goes on parsing the reply that begins at (data); as sill_resp_command_parse,
 * but that it changes nothing there.
 *
 * Attributes (RESP3) are checked and passed over. Streamed strings and
 * aggregates, which no server is known to send, are SILL_RESP_ESTREAMED.
 */
SILL_MUST_CHECK ssize_t sill_resp_reply_parse(struct sill_resp_reply *reply,
                                              const char *data, size_t size);

/*
 * Writes messages into a buffer. An error stays: what comes after it writes
 * nothing, so that one look at (error) at the end is enough. What fails writes
 * nothing of itself.
 *
 *   SILL_RESP_EROOM   the buffer is full, or about to be, as a number is given
 *                     23 bytes, and (more) could not help
 *
 * Types that RESP2 does not have become there what redis-server makes of them:
 * a map an array of keys and values, a boolean 0 or 1, a double a string.
 */
struct sill_resp_encoder {
    char *data;
    size_t size, used;
    int error;
    int version; /* 2 or 3 */

    /* Makes room for (least) bytes behind (used), and says so in (data) and
     * (size). Returns whether there is. May be NULL. */
    bool (*more)(struct sill_resp_encoder *encoder, size_t least);
};

/* Writes RESP2 into (data) of (size) bytes from now on, without (more). */
void sill_resp_encoder_init(struct sill_resp_encoder *encoder, void *data,
                            size_t size);

/* Writes "+text", "-text"; CR and LF in it become blanks. */
void sill_resp_encode_simple(struct sill_resp_encoder *encoder,
                             struct sill_resp_view text);
void sill_resp_encode_error(struct sill_resp_encoder *encoder,
                            struct sill_resp_view text);

/* Writes ":number". */
void sill_resp_encode_integer(struct sill_resp_encoder *encoder,
                              int64_t number);

/* Writes (bytes) as a string, and (text) as one whose (format), of three
 * letters, is known. */
void sill_resp_encode_string(struct sill_resp_encoder *encoder,
                             struct sill_resp_view bytes);
void sill_resp_encode_verbatim(struct sill_resp_encoder *encoder,
                               const char format[3],
                               struct sill_resp_view text);

/* Writes a null, where a string was expected, or an array. */
void sill_resp_encode_null(struct sill_resp_encoder *encoder);
void sill_resp_encode_null_array(struct sill_resp_encoder *encoder);

void sill_resp_encode_boolean(struct sill_resp_encoder *encoder, bool truth);

/* Write a number that is there as text; the caller answers for it. */
void sill_resp_encode_double(struct sill_resp_encoder *encoder,
                             struct sill_resp_view text);
void sill_resp_encode_big_number(struct sill_resp_encoder *encoder,
                                 struct sill_resp_view text);

/* Writes the head of an aggregate: (count) values, or for a map pairs of
 * values, come next. */
void sill_resp_encode_array(struct sill_resp_encoder *encoder, size_t count);
void sill_resp_encode_map(struct sill_resp_encoder *encoder, size_t count);
void sill_resp_encode_set(struct sill_resp_encoder *encoder, size_t count);
void sill_resp_encode_push(struct sill_resp_encoder *encoder, size_t count);

/* Writes a command of (count) arguments. */
void sill_resp_encode_command(struct sill_resp_encoder *encoder,
                              const struct sill_resp_view *args, size_t count);

/* Answers (command), which failed with (error), as redis-server would: "-ERR
 * Protocol error: ...". */
void sill_resp_encode_refusal(struct sill_resp_encoder *encoder,
                              const struct sill_resp_command *command,
                              int error);

#endif
