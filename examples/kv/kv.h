/* SPDX-License-Identifier: MIT */
/*
 * kv.h: the parts of the example kv, a small Redis.
 *
 *     keys.c        the keys: a hash table, and when each of them expires
 *     strings.c     commands about values
 *     keyspace.c    commands about keys
 *     clients.c     commands about the connection
 *     about.c       commands about the server
 *     multi.c       transactions
 *     pubsub.c      channels
 *     glob.c        patterns
 *
 * All of them run on one loop, and no handler suspends: each command is done
 * when the next one begins, so that nothing needs a lock.
 */
#ifndef KV_H
#define KV_H

#include "sill_resp.h"

#include <sill/sill.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- keys.c ---- */

struct kv_string {
    char *data;
    size_t size, room;
};

/* A key and its value. */
struct kv_entry {
    struct kv_entry *next; /* in its bucket */
    uint64_t hash;
    uint64_t version; /* no two changes of any key have the same one */
    int64_t expires;  /* in ms since 1970; KV_NEVER */
    size_t place;     /* among those that expire */
    struct kv_string value;
    size_t size; /* of the key */
    char key[];
};

#define KV_NEVER INT64_MAX

struct kv_keys {
    struct kv_entry **buckets;
    size_t bucket_count; /* a power of 2 */
    size_t count;
    struct kv_entry **heap; /* those that expire, the next one first */
    size_t heap_count, heap_room;
    size_t memory; /* bytes that keys and values take */
    uint64_t version, seed;
    uint64_t expired;
    struct sill_trigger changed; /* for the task that lets keys expire */
};

extern struct kv_keys kv_keys;

/* Returns 0 or SILL_ENOMEM. */
int kv_keys_open(void);
void kv_keys_close(void);

/* The present instant, in ms since 1970. */
int64_t kv_now(void);

/* Finds (key), unless it has expired; NULL for none. */
struct kv_entry *kv_find(struct sill_resp_view key);

/* Finds or makes (key), with an empty value; NULL for lack of memory. */
struct kv_entry *kv_make(struct sill_resp_view key);

/* Says that the value changed. */
void kv_touch(struct kv_entry *entry);

void kv_remove(struct kv_entry *entry);
void kv_remove_if_new(struct kv_entry *entry);
void kv_remove_all(void);

/* Lets (entry) expire at (when). Returns false for lack of memory. */
bool kv_expire(struct kv_entry *entry, int64_t when);

/* Sets the value, or makes it (size) bytes long, with zeroes where it is new.
 * Return false for lack of memory: then the value is as it was, and a key that
 * never had one is removed. */
bool kv_set(struct kv_entry *entry, struct sill_resp_view value);
bool kv_resize(struct kv_entry *entry, size_t size);

struct sill_resp_view kv_key(const struct kv_entry *entry);
struct sill_resp_view kv_value(const struct kv_entry *entry);

/*
 * Calls (each) for the keys of the bucket that (cursor) means, and returns the
 * cursor of the next one, 0 at the end. A key that is there from the first call
 * to the last one is met, also when the table grows or shrinks in between.
 */
uint64_t kv_scan(uint64_t cursor, void (*each)(void *arg, struct kv_entry *),
                 void *arg);

/* A task: removes keys as they expire. */
int kv_expirer(void *unused);

/* ---- glob.c ---- */

/* Whether (text) is like (pattern): * ? [a-z] [^a-z] \x */
bool kv_is_like(struct sill_resp_view pattern, struct sill_resp_view text);

/* ---- what a session has ---- */

struct kv_queued;
struct kv_watch;
struct kv_subscription;

struct kv_client {
    char name[64];
    const struct sill_resp_verb *last; /* command */

    bool in_multi;
    bool is_spoilt;   /* an error is in the queue: EXEC does nothing */
    uint64_t refused; /* commands before the transaction */
    struct kv_queued *queue, **queue_end;
    size_t queued;
    struct kv_watch *watches;

    struct kv_subscription *subscriptions;
    size_t channels, patterns; /* among them */
};

struct kv_client *kv_client(struct sill_resp_session *session);

/* ---- verbs ---- */

enum {
    KV_WRITES = 1, /* changes keys */
    KV_GROWS = 2,  /* may take memory: refused where there is no more */
    KV_NOW = 4,    /* is done at once inside of a transaction */
    KV_HEARS = 8,  /* allowed to those who have subscribed, in RESP2 */
    KV_ALONE = 16  /* not allowed inside of a transaction */
};

/* Begins a handler. */
#define KV_HANDLER(name)                                                       \
    static int name(struct sill_resp_session *session __attribute__((unused)), \
                    const struct sill_resp_view *args __attribute__((unused)), \
                    size_t count __attribute__((unused)))

/* The verbs of one file. */
struct kv_verbs {
    const struct sill_resp_verb *verbs;
    size_t count;
};

#define KV_VERBS(table)                                                        \
    {                                                                          \
        table, sizeof(table) / sizeof((table)[0])                              \
    }

extern const struct kv_verbs kv_string_verbs, kv_keyspace_verbs,
    kv_client_verbs, kv_about_verbs, kv_multi_verbs, kv_pubsub_verbs;

/* multi.c: called for each command. */
int kv_call(struct sill_resp_session *session,
            const struct sill_resp_verb *verb,
            const struct sill_resp_view *args, size_t count);

/* multi.c, pubsub.c: forget what belongs to a session. */
void kv_discard(struct kv_client *client);
void kv_unsubscribe_all(struct kv_client *client);

/* Replies that are needed everywhere. They return 0. */
int kv_ok(struct sill_resp_session *session);
int kv_integer(struct sill_resp_session *session, int64_t number);
int kv_error(struct sill_resp_session *session, const char *text);
int kv_no_memory(struct sill_resp_session *session);
int kv_syntax(struct sill_resp_session *session);
int kv_unknown_subcommand(struct sill_resp_session *session,
                          const struct sill_resp_view *args);

/* about.c: text of any length; zero it, print, and reply, which frees it. */
struct kv_text {
    char *data;
    size_t size;
    bool failed;
};

void kv_print(struct kv_text *text, const char *format, ...) SILL_PRINTF(2, 3);
int kv_reply_text(struct sill_resp_session *session, struct kv_text *text);

/* Reads an integer argument. Replies with an error if it is none. */
bool kv_read_integer(struct sill_resp_session *session,
                     struct sill_resp_view text, int64_t *number);

/* Whether (arg) is (word), in any case. */
bool kv_is(struct sill_resp_view arg, const char *word);

/* ---- the program ---- */

/* What clients are told, which look at it before they use something. */
#define KV_REDIS_VERSION "7.0.0"

struct kv_options {
    const char *host;
    uint16_t port;
    size_t memory_max; /* of keys and values, in bytes; 0: any */
};

extern struct kv_options kv_options;
extern struct sill_trigger kv_stop;
extern sill_time kv_started;
extern int64_t kv_epoch; /* when sill_now() was 0, in ms since 1970 */

#endif
