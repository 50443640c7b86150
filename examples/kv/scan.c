/* SPDX-License-Identifier: MIT */
/*
 * scan.c: SCAN and its kin, which walk a table bit by bit. See kv.h.
 */
#include "kv.h"

#include <stdio.h>
#include <stdlib.h>

bool kv_read_cursor(struct sill_resp_session *session,
                    struct sill_resp_view text, struct kv_scan *scan)
{
    bool good = text.size > 0;
    *scan = (struct kv_scan){.least = 10};
    for (size_t i = 0; good && i < text.size; i++) {
        unsigned digit = (unsigned)(unsigned char)text.at[i] - '0';
        good = digit <= 9 &&
               !__builtin_mul_overflow(scan->cursor, 10, &scan->cursor) &&
               !__builtin_add_overflow(scan->cursor, digit, &scan->cursor);
    }
    if (!good)
        kv_error(session, "ERR invalid cursor");
    return good;
}

bool kv_read_scan(struct sill_resp_session *session,
                  const struct sill_resp_view *args, size_t count,
                  struct kv_scan *scan)
{
    for (size_t i = 0; i < count; i += 2) {
        bool known = i + 1 < count;
        if (known && kv_is(args[i], "match")) {
            scan->pattern = args[i + 1];
        } else if (known && scan->types && kv_is(args[i], "type")) {
            scan->type = args[i + 1];
        } else if (known && kv_is(args[i], "count")) {
            if (!kv_read_integer(session, args[i + 1], &scan->least))
                return false;
            known = scan->least > 0;
        } else {
            known = false;
        }
        if (!known) {
            kv_syntax(session);
            return false;
        }
    }
    return true;
}

void kv_gather(void *arg, struct kv_node *node)
{
    struct kv_scan *scan = arg;
    if (scan->failed || (scan->pattern.at != NULL &&
                         !kv_is_like(scan->pattern, kv_node_key(node))))
        return;
    if (scan->found == scan->room) {
        size_t room = 2 * scan->room + 16;
        struct kv_node **nodes = realloc(scan->nodes, room * sizeof(void *));
        scan->failed = nodes == NULL;
        if (scan->failed)
            return;
        scan->nodes = nodes;
        scan->room = room;
    }
    scan->nodes[scan->found++] = node;
}

void kv_scan_table(struct kv_scan *scan, const struct kv_table *table,
                   void (*each)(void *arg, struct kv_node *))
{
    int64_t looks = 10 * (scan->least < 100000 ? scan->least : 100000);
    do {
        scan->cursor = kv_table_scan(table, scan->cursor, each, scan);
    } while (scan->cursor != 0 && --looks > 0 &&
             (int64_t)scan->found < scan->least);
}

int kv_reply_scan(struct sill_resp_session *session, struct kv_scan *scan,
                  void (*reply)(struct sill_resp_session *session,
                                const struct kv_node *node))
{
    char text[32];
    int size =
        snprintf(text, sizeof(text), "%llu", (unsigned long long)scan->cursor);
    if (scan->failed) {
        kv_no_memory(session);
    } else {
        sill_resp_reply_array(session, 2);
        sill_resp_reply_string(session,
                               (struct sill_resp_view){text, (size_t)size});
        sill_resp_reply_array(session, (reply != NULL ? 2 : 1) * scan->found);
    }
    for (size_t i = 0; !scan->failed && i < scan->found; i++) {
        sill_resp_reply_string(session, kv_node_key(scan->nodes[i]));
        if (reply != NULL)
            reply(session, scan->nodes[i]);
    }
    free(scan->nodes);
    return 0;
}

int kv_scan_value(struct sill_resp_session *session,
                  const struct sill_resp_view *args, size_t count,
                  enum kv_type type,
                  void (*reply)(struct sill_resp_session *session,
                                const struct kv_node *node))
{
    struct kv_scan scan;
    struct kv_entry *entry;
    if (!kv_read_cursor(session, args[2], &scan) ||
        !kv_find_as(session, args[1], type, &entry))
        return 0;
    if (entry == NULL) {
        scan.cursor = 0;
        return kv_reply_scan(session, &scan, NULL);
    }
    if (!kv_read_scan(session, args + 3, count - 3, &scan))
        return 0;
    kv_scan_table(&scan,
                  type == KV_SORTED ? &entry->sorted.table : &entry->table,
                  kv_gather);
    return kv_reply_scan(session, &scan, reply);
}
