/* SPDX-License-Identifier: MIT */
/*
 * kv.h: the parts of the example kv, a small Redis.
 *
 *     table.c       hash tables: of keys, fields and members
 *     values.c      values of all types
 *     keys.c        the keys, and when each of them expires
 *     strings.c     commands about strings
 *     hashes.c      commands about hashes
 *     deque.c       what a list is made of
 *     lists.c       commands about lists
 *     blocking.c    those that wait for something in a list
 *     sets.c        commands about sets
 *     sorted.c      what a sorted set is made of
 *     zsets.c       commands about sorted sets
 *     zranges.c     those about parts of them
 *     scan.c        SCAN and its kin
 *     keyspace.c    commands about keys
 *     clients.c     commands about the connection
 *     about.c       commands about the server
 *     multi.c       transactions
 *     pubsub.c      channels
 *     record.c      what each command did, for the append-only file
 *     log.c         what goes into that file, and when
 *     file.c        that file, and a thread that waits for the disk
 *     replay.c      what is in it, at the start
 *     rewrite.c     a shorter one
 *     glob.c        patterns
 *     words.c       replies and arguments that many commands have
 *
 * All of them run on one loop, and no handler suspends but those that wait,
 * before they have changed anything: each command is done when the next one
 * begins, so that nothing needs a lock.
 */
#ifndef KV_H
#define KV_H

#include "sill_resp.h"

#include <sill/sill.h>

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- table.c ---- */

/* What is in a table: the head of a larger struct, with the key behind it. */
struct kv_node {
    struct kv_node *next; /* in its bucket */
    uint64_t hash;
    size_t size; /* of the key */
    char *key;
};

/* Zeroed, it is empty. */
struct kv_table {
    struct kv_node **buckets;
    size_t bucket_count; /* a power of 2, or 0 */
    size_t count;
};

/* Must be called first, in a task. Returns 0 or SILL_EIO. */
int kv_table_seed(void);

/* Any number. */
uint64_t kv_random(void);

/* Bytes that keys and values take, in all blocks that these made and resized.
 * A block is NULL at first; NULL for lack of memory. */
extern size_t kv_memory;
void *kv_resize_block(void *block, size_t old_size, size_t size);
void kv_free_block(void *block, size_t size);

/* Makes a node in a zeroed struct of (size) bytes; NULL for lack of memory. */
void *kv_node_new(size_t size, struct sill_resp_view key);
void kv_node_free(struct kv_node *node);
struct sill_resp_view kv_node_key(const struct kv_node *node);

struct kv_node *kv_table_find(const struct kv_table *table,
                              struct sill_resp_view key);

/* Adds (node), whose key is new. Returns false for lack of memory. */
bool kv_table_add(struct kv_table *table, struct kv_node *node);
void kv_table_remove(struct kv_table *table, struct kv_node *node);
void kv_table_clear(struct kv_table *table, void (*drop)(struct kv_node *));

/* Returns the node after (node), the first one after NULL, or NULL. */
struct kv_node *kv_table_next(const struct kv_table *table,
                              const struct kv_node *node);

/* Returns any node, each with the same chance, of a table that has some. */
struct kv_node *kv_table_any(const struct kv_table *table);

/*
 * Calls (each) for the nodes of the bucket that (cursor) means, and returns the
 * cursor of the next one, 0 at the end. A node that is there from the first
 * call to the last one is met, also when the table grows or shrinks in between.
 */
uint64_t kv_table_scan(const struct kv_table *table, uint64_t cursor,
                       void (*each)(void *arg, struct kv_node *), void *arg);

/* ---- deque.c ---- */

struct kv_item {
    size_t size;
    char data[];
};

/* A ring of items; zeroed, it is empty. */
struct kv_deque {
    struct kv_item **slots;
    size_t first, count;
    size_t room; /* a power of 2, or 0 */
};

/* Makes an item; NULL for lack of memory. */
struct kv_item *kv_item_new(struct sill_resp_view value);
void kv_item_free(struct kv_item *item);
struct sill_resp_view kv_item_view(const struct kv_item *item);

/* Returns the place of the item number (at). */
struct kv_item **kv_deque_at(const struct kv_deque *deque, size_t at);

/* Makes room for one more. Returns false for lack of memory. */
bool kv_deque_reserve(struct kv_deque *deque);

/* Adds (item), for which there is room, at an end or before number (at). */
void kv_deque_push(struct kv_deque *deque, bool front, struct kv_item *item);
void kv_deque_insert(struct kv_deque *deque, size_t at, struct kv_item *item);

/* Takes the item at one end of a deque that is not empty. */
struct kv_item *kv_deque_pop(struct kv_deque *deque, bool front);

/* Frees (count) items of those that are there, from one end on. */
void kv_deque_trim(struct kv_deque *deque, bool front, size_t count);

/* Frees up to (most) items that are (value), from one end on. Returns how
 * many. */
size_t kv_deque_remove(struct kv_deque *deque, bool front,
                       struct sill_resp_view value, size_t most);
void kv_deque_clear(struct kv_deque *deque);

/* ---- sorted.c ---- */

struct kv_member {
    struct kv_node node;
    double score; /* never NaN */
    struct kv_member *left, *right;
    size_t count; /* of those below, with this one */
};

/* Members by their scores, then by their names; zeroed, it is empty. */
struct kv_sorted {
    struct kv_table table;
    struct kv_member *root;
};

/* A place between members: by a score, a name or both; by neither, all are
 * equal to it. Behind those that are equal, or before them. */
struct kv_bound {
    bool by_score, by_name, behind;
    double score;
    struct sill_resp_view name;
};

struct kv_member *kv_sorted_find(const struct kv_sorted *sorted,
                                 struct sill_resp_view name);

/* Adds a member, whose name is new. Returns false for lack of memory. */
bool kv_sorted_add(struct kv_sorted *sorted, struct sill_resp_view name,
                   double score);
void kv_sorted_move(struct kv_sorted *sorted, struct kv_member *member,
                    double score);
void kv_sorted_remove(struct kv_sorted *sorted, struct kv_member *member);

/* Return how many members are before it. */
size_t kv_sorted_rank(const struct kv_sorted *sorted,
                      const struct kv_member *member);
size_t kv_sorted_before(const struct kv_sorted *sorted,
                        const struct kv_bound *bound);

/* Calls (each) for the members from rank (begin) on and before (end), the last
 * one first if (reverse). */
void kv_sorted_visit(const struct kv_sorted *sorted, size_t begin, size_t end,
                     bool reverse,
                     void (*each)(void *arg, const struct kv_member *member),
                     void *arg);

/* Removes these members, or all. */
void kv_sorted_trim(struct kv_sorted *sorted, size_t begin, size_t end);
void kv_sorted_clear(struct kv_sorted *sorted);

/* ---- values.c ---- */

enum kv_type {
    KV_NONE,
    KV_STRING,
    KV_HASH,
    KV_LIST,
    KV_SET,
    KV_SORTED,
    KV_TYPES
};

struct kv_string {
    char *data;
    size_t size, room;
};

union kv_value {
    struct kv_string string;
    struct kv_table table;
    struct kv_deque deque;
    struct kv_sorted sorted;
};

/* A key and its value. */
struct kv_entry {
    struct kv_node node;
    uint64_t version; /* no two changes of any key have the same one */
    int64_t expires;  /* in ms since 1970; KV_NEVER */
    size_t place;     /* among those that expire */
    enum kv_type type;

    union {
        union kv_value value;
        struct kv_string string; /* KV_STRING */
        struct kv_table table;   /* KV_HASH, KV_SET */
        struct kv_deque deque;   /* KV_LIST */
        struct kv_sorted sorted; /* KV_SORTED */
    };
};

/* What each type knows to do, in the words of the calls below. (verb) makes
 * such a value of what (tell) tells, in parts of (unit) strings. */
struct kv_kind {
    const char *name, *verb;
    size_t unit;
    size_t (*count)(const struct kv_entry *entry);
    void (*clear)(struct kv_entry *entry);
    bool (*copy)(struct kv_entry *to, const struct kv_entry *from);
    void (*tell)(const struct kv_entry *entry,
                 void (*take)(void *arg, struct sill_resp_view text),
                 void *arg);
};

extern const struct kv_kind kv_hash_kind, kv_list_kind, kv_set_kind,
    kv_sorted_kind;

/* Makes (string) as long, with zeroes where it is new, or a copy. Return false
 * for lack of memory: then it is as it was. */
bool kv_string_resize(struct kv_string *string, size_t size);
bool kv_string_set(struct kv_string *string, struct sill_resp_view value);
void kv_string_clear(struct kv_string *string);
struct sill_resp_view kv_string_view(const struct kv_string *string);

const struct kv_kind *kv_kind_of(const struct kv_entry *entry);
const char *kv_type_name(const struct kv_entry *entry);

/* Returns how many parts the value has: one, or as many as are in it. */
size_t kv_count(const struct kv_entry *entry);

/* Frees the value: there is none then. */
void kv_clear(struct kv_entry *entry);

/* Gives (to), which has no value, one like that of (from). Returns false for
 * lack of memory, with a part of it done. */
bool kv_copy(struct kv_entry *to, const struct kv_entry *from);

/* Exchanges values. */
void kv_swap(struct kv_entry *a, struct kv_entry *b);

/* Sets the string, or makes it (size) bytes long. Return false for lack of
 * memory: then the value is as it was, and a key that never had one is
 * removed. kv_set takes the place of a value of any type. */
bool kv_set(struct kv_entry *entry, struct sill_resp_view value);
bool kv_resize(struct kv_entry *entry, size_t size);

struct sill_resp_view kv_value(const struct kv_entry *entry);

/* ---- keys.c ---- */

#define KV_NEVER INT64_MAX

struct kv_keys {
    struct kv_table table;
    struct kv_entry **heap; /* those that expire, the next one first */
    size_t heap_count, heap_room;
    uint64_t version;
    uint64_t changes; /* but for those that came with time */
    uint64_t expired;
    struct sill_trigger changed; /* for the task that lets keys expire */
};

extern struct kv_keys kv_keys;

void kv_keys_close(void);

/* The present instant, in ms since 1970, is the same until the next kv_tick():
 * a key that a command has found does not expire before the command is done. */
void kv_tick(void);
int64_t kv_now(void);

/* Finds (key), unless it has expired; NULL for none. */
struct kv_entry *kv_find(struct sill_resp_view key);
bool kv_is_over(const struct kv_entry *entry);

/* Finds (key), or sets NULL; replies with an error, and returns false, when its
 * value is of another type. */
bool kv_find_as(struct sill_resp_session *session, struct sill_resp_view key,
                enum kv_type type, struct kv_entry **entry);

/* Finds or makes (key), without a value; NULL for lack of memory. Before other
 * commands come it is given one, or removed. */
struct kv_entry *kv_make(struct sill_resp_view key);

/* The same for a key that is new or has a value of this type, an empty one at
 * first. kv_changed() removes it if it still is. */
struct kv_entry *kv_make_as(struct sill_resp_view key, enum kv_type type);

/* Says that the value changed; removes the key when nothing is left in it. */
void kv_touch(struct kv_entry *entry);
void kv_changed(struct kv_entry *entry);

void kv_remove(struct kv_entry *entry);
void kv_remove_all(void);

/* Lets (entry) expire at (when). Returns false for lack of memory. */
bool kv_expire(struct kv_entry *entry, int64_t when);

struct sill_resp_view kv_key(const struct kv_entry *entry);

/* A task: removes keys as they expire. */
int kv_expirer(void *unused);

/* ---- scan.c ---- */

/* What is gathered before it is replied. */
struct kv_scan {
    uint64_t cursor;
    int64_t least;                       /* nodes to look for */
    bool types;                          /* whether there is TYPE */
    struct sill_resp_view pattern, type; /* NULL: any */
    struct kv_node **nodes;
    size_t found, room;
    bool failed;
};

/* Begin with the cursor, go on with the words behind it. Reply with an error
 * for what makes no sense. */
bool kv_read_cursor(struct sill_resp_session *session,
                    struct sill_resp_view text, struct kv_scan *scan);
bool kv_read_scan(struct sill_resp_session *session,
                  const struct sill_resp_view *args, size_t count,
                  struct kv_scan *scan);

/* Adds (node) to the struct kv_scan (arg), if the pattern wants it. */
void kv_gather(void *arg, struct kv_node *node);

/* Looks into so many buckets as nodes were asked for, or some more until one
 * was found. */
void kv_scan_table(struct kv_scan *scan, const struct kv_table *table,
                   void (*each)(void *arg, struct kv_node *));

/* Replies with the keys, each followed by what (reply) replies, if it is not
 * NULL. */
int kv_reply_scan(struct sill_resp_session *session, struct kv_scan *scan,
                  void (*reply)(struct sill_resp_session *session,
                                const struct kv_node *node));

/* Does all that for the value of a key. */
int kv_scan_value(struct sill_resp_session *session,
                  const struct sill_resp_view *args, size_t count,
                  enum kv_type type,
                  void (*reply)(struct sill_resp_session *session,
                                const struct kv_node *node));

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
    int64_t heard;                     /* when that was, as kv_now() */

    bool in_multi;
    bool is_spoilt;   /* an error is in the queue: EXEC does nothing */
    uint64_t refused; /* commands before the transaction */
    struct kv_queued *queue, **queue_end;
    size_t queued;
    struct kv_watch *watches;
    size_t watched; /* keys */

    struct kv_subscription *subscriptions;
    size_t channels, patterns; /* among them */

    uint64_t logged; /* where the last command ends that changed keys */
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

extern const struct kv_verbs kv_string_verbs, kv_hash_verbs, kv_list_verbs,
    kv_set_verbs, kv_sorted_verbs, kv_range_verbs, kv_keyspace_verbs,
    kv_client_verbs, kv_about_verbs, kv_multi_verbs, kv_pubsub_verbs,
    kv_blocking_verbs;

/* ---- blocking.c: who waits for something in a list ---- */

struct kv_blocked {
    size_t count; /* clients that wait */
    bool is_due;  /* something was put into a list */
};

extern struct kv_blocked kv_blocked;

/* Between commands: gives what there is to those who wait for it. */
void kv_serve(void);

/* Ends the wait of the client (id): with the error (why), or, with NULL, as if
 * its time were over. Returns whether it waited. */
bool kv_unblock(uint64_t id, const char *why);

/* ---- record.c: what a command did ---- */

/* Has (verb) done, and logged as it was asked, unless a handler has said what
 * to log, or nothing changed. */
int kv_log_command(struct sill_resp_session *session,
                   const struct sill_resp_verb *verb,
                   const struct sill_resp_view *args, size_t count);

/* For a handler: logs something else than its command, of so many arguments;
 * all of it; that (key) is gone; when it ends. */
void kv_log_begin(size_t count);
void kv_log_arg(struct sill_resp_view arg);
void kv_log_args(const struct sill_resp_view *args, size_t count);
void kv_log_del(struct sill_resp_view key);
void kv_log_end_of(struct sill_resp_view key, int64_t end);

/* Begins and ends what is replayed as a whole or not at all. */
void kv_log_group(bool begins);

/* Write into (text) the line before a string or a command, and a number. */
#define KV_HEAD_MAX    32
#define KV_INTEGER_MAX 32
size_t kv_print_head(char *text, char mark, size_t number);
struct sill_resp_view kv_print_integer(int64_t number, char *text);

/* ---- log.c: the append-only file ---- */

enum kv_fsync { KV_EVERYSEC, KV_ALWAYS, KV_NO };

struct kv_log {
    bool is_on; /* commands are logged */
    bool is_loading;
    bool in_group;            /* commands of a transaction are */
    bool is_told;             /* the command has been logged */
    bool has_failed;          /* a command, for lack of memory */
    int error;                /* errno of the last attempt to write, or 0 */
    uint64_t end;             /* bytes ever logged */
    uint64_t size, base_size; /* of the file, and after the last rewrite */
    bool is_rewrite_wanted, is_rewriting;
    int rewrite_error; /* errno of the last one, or 0 */
};

extern struct kv_log kv_log;

/* Reads the file and makes it ready for more; closes it. Return 0, or 1 when
 * they have said why not. */
int kv_log_open(struct sill_resp_server *server);
int kv_log_close(void);

/* A task: gives the file, if there is one, what is gathered. */
int kv_log_run(void *unused);

void kv_log_gather(const void *data, size_t size);
void kv_log_want_rewrite(void);

/* Before replies are sent: waits until what was done is as safe as it has to
 * be. */
int kv_log_sends(struct sill_resp_session *session);

/* ---- file.c: its file and its thread ---- */

struct kv_bytes {
    char *data;
    size_t used, size;
};

/* To append these bytes. */
struct kv_job {
    const struct kv_bytes *bytes;
    bool sync;     /* and to wait for the disk ... */
    bool is_whole; /* ... or to take them back */
    bool is_swap;  /* to the next file, which then takes the place of the file
                    */
};

struct kv_outcome {
    bool is_taken; /* the bytes are in the file */
    int error;     /* errno */
    uint64_t size; /* of the file */
};

/* Opens it, for this process alone; ends it at (size); starts the thread, which
 * resumes (news) after each job. Return 0 or an errno. */
int kv_file_open(const char *name);
int kv_file_cut(uint64_t size);
int kv_file_start(struct sill_trigger *news);
void kv_file_stop(void);
void kv_file_close(void);
int kv_file_descriptor(void);

/* Opens the next file, which is empty; returns its descriptor, or -1. */
int kv_file_next(void);
void kv_file_drop_next(void);

/* Makes (news) ready to be resumed again: before what may have happened is
 * looked at. */
void kv_file_listen(void);
void kv_file_begin(const struct kv_job *job);
bool kv_file_is_over(struct kv_outcome *outcome);

/* Does (job) here, while there is no thread. */
struct kv_outcome kv_file_do(const struct kv_job *job);

/* Another thread, which no signal disturbs, and what it may change and look at
 * with the loop's thread: (news) is resumed after a change. */
int kv_thread(pthread_t *thread, void *(*run)(void *), void *arg);
void kv_file_tell(void (*change)(void *), void *arg);
void kv_file_look(void (*look)(void *), void *arg);

/* ---- replay.c ---- */

/* Does what is in the file. Returns 0, with in (*size) how much of it is good,
 * or 1 when it has said why not. */
int kv_replay(struct sill_resp_server *server, uint64_t *size);

/* ---- rewrite.c ---- */

/* Starts to write all keys into the next file; says how that went:
 * EINPROGRESS, 0, or another errno; ends it at once. */
int kv_rewrite_begin(void);
int kv_rewrite_result(void);
void kv_rewrite_end(void);

/* multi.c: called for each command. */
int kv_call(struct sill_resp_session *session,
            const struct sill_resp_verb *verb,
            const struct sill_resp_view *args, size_t count);

/* multi.c, pubsub.c: forget what belongs to a session. */
void kv_discard(struct kv_client *client);
void kv_unsubscribe_all(struct kv_client *client);

/* ---- words.c ---- */

/* Replies that are needed everywhere. They return 0. */
int kv_ok(struct sill_resp_session *session);
int kv_integer(struct sill_resp_session *session, int64_t number);
int kv_error(struct sill_resp_session *session, const char *text);
int kv_no_memory(struct sill_resp_session *session);
int kv_syntax(struct sill_resp_session *session);
int kv_unknown_subcommand(struct sill_resp_session *session,
                          const struct sill_resp_view *args);
int kv_odd(struct sill_resp_session *session, const char *verb);

/* Names an errno; for the thread of the loop. */
const char *kv_errno_text(int error);

/* Writes a score into (text), of KV_SCORE_MAX bytes, or replies with it. */
#define KV_SCORE_MAX 32
struct sill_resp_view kv_print_score(double score, char *text);
void kv_reply_score(struct sill_resp_session *session, double score);

/* Reads an integer argument. Replies with an error if it is none. */
bool kv_read_integer(struct sill_resp_session *session,
                     struct sill_resp_view text, int64_t *number);

/* Reads how many, none or more. Replies with an error for anything else. */
bool kv_read_count(struct sill_resp_session *session,
                   struct sill_resp_view text, size_t *number);

/* What is meant by two places, the second one included, which count from the
 * end when they are negative: of (count) items, those from (begin) on and
 * before (end), which are equal if there are none. */
struct kv_range {
    int64_t first, last;
    size_t begin, end;
};

/* Reads both places, or replies with an error; then settles what they mean. */
bool kv_read_range(struct sill_resp_session *session,
                   const struct sill_resp_view *args, struct kv_range *range);
void kv_range_settle(struct kv_range *range, size_t count);

/* Whether (arg) is (word), in any case. */
bool kv_is(struct sill_resp_view arg, const char *word);

/* Reads a number with a fraction, as INCRBYFLOAT has them. */
bool kv_read_long_double(struct sill_resp_view text, long double *number);

/* Writes (number) into (text), of KV_FLOAT_MAX bytes. */
#define KV_FLOAT_MAX 5200
struct sill_resp_view kv_print_long_double(long double number, char *text);

/* ---- about.c ---- */

/* Text of any length: zero it, print, and reply, which frees it. */
struct kv_text {
    char *data;
    size_t size;
    bool failed;
};

void kv_print(struct kv_text *text, const char *format, ...) SILL_PRINTF(2, 3);
int kv_reply_text(struct sill_resp_session *session, struct kv_text *text);

/* ---- the program ---- */

/* What clients are told, which look at it before they use something. */
#define KV_REDIS_VERSION "7.0.0"

struct kv_options {
    const char *host;
    uint16_t port;
    size_t memory_max;    /* of keys and values, in bytes; 0: any */
    const char *log_name; /* of the append-only file; NULL: none */
    enum kv_fsync fsync;
};

extern struct kv_options kv_options;
extern struct sill_trigger kv_stop;
extern sill_time kv_started;
extern int64_t kv_epoch; /* when sill_now() was 0, in ms since 1970 */

#endif
