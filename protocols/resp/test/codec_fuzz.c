/* SPDX-License-Identifier: MIT */
/*
 * The codec under libFuzzer: no input makes it read too far or ask for more
 * room than its bounds, how an input is cut changes nothing, and what is
 * written is read again.
 *
 * The first byte says what the rest is, the second where it is cut.
 */
#include "../codec.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct sill_resp_limits limits = {
    .line = 64, .elements = 32, .depth = 4, .bulk = 48, .message = 256};

static void must(bool truth)
{
    if (!truth)
        abort();
}

/* What a message came to: enough to see a difference. */
struct sum {
    ssize_t size;
    size_t count;
    uint64_t hash;
};

static void add_number(struct sum *sum, uint64_t number)
{
    sum->hash = (sum->hash ^ number) * 0x100000001b3;
}

static void add_text(struct sum *sum, struct sill_resp_view text)
{
    add_number(sum, text.size);
    for (size_t i = 0; i < text.size; i++)
        add_number(sum, (uint8_t)text.at[i]);
}

/* Gives one more item of (size) bytes of room, within the bound. */
static void *grow(void *items, size_t *room, size_t size)
{
    must(*room < limits.elements);
    ++*room;
    char *more = malloc(*room * size);
    if (items != NULL)
        memcpy(more, items, (*room - 1) * size);
    free(items);
    return more;
}

/* Both kinds of message behind one face. */
struct parser {
    bool replies;
    struct sill_resp_command command;
    struct sill_resp_reply reply;
};

static ssize_t step(struct parser *p, char *data, size_t size)
{
    for (;;) {
        ssize_t rc = p->replies
                         ? sill_resp_reply_parse(&p->reply, data, size)
                         : sill_resp_command_parse(&p->command, data, size);
        if (rc != SILL_RESP_EROOM)
            return rc;
        if (p->replies)
            p->reply.values =
                grow(p->reply.values, &p->reply.room, sizeof(*p->reply.values));
        else
            p->command.args = grow(p->command.args, &p->command.room,
                                   sizeof(*p->command.args));
    }
}

/* Parses at most (size) bytes, (more) each time, always in memory of their own
 * so that a byte too many is seen. Returns the memory that views point to. */
static char *parse(struct parser *p, struct sum *sum, const char *data,
                   size_t size, size_t more)
{
    char *memory = NULL;
    for (size_t there = more < size ? more : size;;) {
        char *copy = malloc(there + (there == 0));
        memcpy(copy, data, there);
        sum->size = step(p, copy, there);
        free(memory);
        memory = copy;
        must(sum->size <= (ssize_t)there);
        if (sum->size != 0 || there == size)
            return memory;
        must(there < limits.message);
        there = size - there < more ? size : there + more;
    }
}

static void add_values(struct sum *sum, const struct sill_resp_reply *reply)
{
    for (size_t i = 0; i < reply->count; i++) {
        const struct sill_resp_value *v = &reply->values[i];
        must(v->span >= 1 && v->span <= reply->count - i);
        must(v->count < v->span);
        add_number(sum, v->type);
        add_number(sum, v->count);
        add_number(sum, v->span);
        add_number(sum, (uint64_t)v->integer);
        add_text(sum, v->text);
    }
    must(reply->values[0].span == reply->count);
    sum->count = reply->count;
}

/* A command that was read is written in one way only, which is read again. */
static void again(const struct sill_resp_command *command)
{
    struct sill_resp_view args[32];
    struct sill_resp_command copy;
    struct sill_resp_encoder e;
    char out[1024];

    sill_resp_encoder_init(&e, out, sizeof(out));
    sill_resp_encode_command(&e, command->args, command->count);
    sill_resp_command_init(&copy, args, 32, &limits);
    if (e.error != 0 || e.used > limits.message)
        return;
    for (size_t i = 0; i < command->count; i++)
        if (command->args[i].size > limits.bulk)
            return;
    must(sill_resp_command_parse(&copy, out, e.used) == (ssize_t)e.used);
    must(copy.count == command->count);
    for (size_t i = 0; i < copy.count; i++)
        must(sill_resp_view_is_equal(copy.args[i], command->args[i]));
}

static struct sum message(bool replies, const char *data, size_t size,
                          size_t more)
{
    struct parser p = {.replies = replies};
    struct sum sum = {0};
    sill_resp_command_init(&p.command, NULL, 0, &limits);
    sill_resp_reply_init(&p.reply, NULL, 0, &limits);
    char *memory = parse(&p, &sum, data, size, more);
    if (sum.size > 0 && replies)
        add_values(&sum, &p.reply);
    if (sum.size > 0 && !replies) {
        for (size_t i = 0; i < p.command.count; i++)
            add_text(&sum, p.command.args[i]);
        sum.count = p.command.count;
        again(&p.command);
    }
    free(p.command.args);
    free(p.reply.values);
    free(memory);
    return sum;
}

/* Whatever is given as an error, one line comes out. */
static void line(const char *data, size_t size)
{
    struct sill_resp_encoder e;
    char out[512];
    sill_resp_encoder_init(&e, out, sizeof(out));
    sill_resp_encode_error(&e, (struct sill_resp_view){data, size});
    if (e.error != 0)
        return;
    must(memchr(out, '\n', e.used) == out + e.used - 1);
    must(memchr(out, '\r', e.used) == out + e.used - 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    const char *text = (const char *)data + 2;
    bool replies = data[0] % 2 == 1;
    struct sum whole = message(replies, text, size - 2, size);
    struct sum cut = message(replies, text, size - 2, data[1] % 64 + 1U);
    must(whole.size == cut.size && whole.count == cut.count);
    must(whole.hash == cut.hash);
    line(text, size - 2);
    return 0;
}
