/* SPDX-License-Identifier: MIT */
/*
 * record.c: the commands that go into the append-only file: what each one did,
 * so that the same again makes the same keys at any time. See kv.h.
 */
#include "kv.h"

#include <stdio.h>

/* A transaction is one in the file, too, from what it changes first on. */
static bool is_group_open;

size_t kv_print_head(char *text, char mark, size_t number)
{
    return (size_t)snprintf(text, KV_HEAD_MAX, "%c%zu\r\n", mark, number);
}

static void put_head(char mark, size_t number)
{
    char text[KV_HEAD_MAX];
    kv_log_gather(text, kv_print_head(text, mark, number));
}

void kv_log_arg(struct sill_resp_view arg)
{
    if (!kv_log.is_on)
        return;
    put_head('$', arg.size);
    kv_log_gather(arg.at, arg.size);
    kv_log_gather("\r\n", 2);
}

static void put_word(const char *word)
{
    put_head('*', 1);
    kv_log_arg(sill_resp_view(word));
}

void kv_log_begin(size_t count)
{
    kv_log.is_told = true;
    if (!kv_log.is_on)
        return;
    if (kv_log.in_group && !is_group_open) {
        is_group_open = true;
        put_word("MULTI");
    }
    put_head('*', count);
}

void kv_log_args(const struct sill_resp_view *args, size_t count)
{
    kv_log_begin(count);
    for (size_t i = 0; i < count; i++)
        kv_log_arg(args[i]);
}

void kv_log_del(struct sill_resp_view key)
{
    kv_log_args((struct sill_resp_view[]){SILL_RESP_VIEW("DEL"), key}, 2);
}

struct sill_resp_view kv_print_integer(int64_t number, char *text)
{
    int size = snprintf(text, KV_INTEGER_MAX, "%lld", (long long)number);
    return (struct sill_resp_view){text, (size_t)size};
}

void kv_log_end_of(struct sill_resp_view key, int64_t end)
{
    char text[KV_INTEGER_MAX];
    kv_log_args((struct sill_resp_view[]){SILL_RESP_VIEW("PEXPIREAT"), key,
                                          kv_print_integer(end, text)},
                3);
}

void kv_log_group(bool begins)
{
    if (is_group_open && !begins)
        put_word("EXEC");
    kv_log.in_group = begins;
    is_group_open = false;
    kv_log.is_told = true;
}

int kv_log_command(struct sill_resp_session *session,
                   const struct sill_resp_verb *verb,
                   const struct sill_resp_view *args, size_t count)
{
    uint64_t changes = kv_keys.changes;
    kv_log.is_told = false;
    int rc = verb->handler(session, args, count);
    if (kv_keys.changes != changes && !kv_log.is_told)
        kv_log_args(args, count);
    if (kv_log.is_told)
        kv_client(session)->logged = kv_log.end;
    return rc;
}
