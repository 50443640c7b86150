/* SPDX-License-Identifier: MIT */
/*
 * values.c: values of all types, and strings, of which others are made. See
 * kv.h.
 */
#include "kv.h"

#include <string.h>

/* ---- strings ---- */

bool kv_string_resize(struct kv_string *string, size_t size)
{
    if (string->data == NULL || size > string->room ||
        size < string->room / 4) {
        size_t room = size > string->room ? size + string->size / 2 : size;
        room += room == 0;
        char *data = kv_resize_block(string->data, string->room, room);
        if (data == NULL)
            return false;
        string->data = data;
        string->room = room;
    }
    if (size > string->size)
        memset(string->data + string->size, 0, size - string->size);
    string->size = size;
    return true;
}

bool kv_string_set(struct kv_string *string, struct sill_resp_view value)
{
    if (!kv_string_resize(string, value.size))
        return false;
    if (value.size > 0)
        memcpy(string->data, value.at, value.size);
    return true;
}

void kv_string_clear(struct kv_string *string)
{
    kv_free_block(string->data, string->room);
    *string = (struct kv_string){0};
}

struct sill_resp_view kv_string_view(const struct kv_string *string)
{
    return (struct sill_resp_view){string->data, string->size};
}

static size_t string_count(const struct kv_entry *entry)
{
    (void)entry;
    return 1;
}

static void string_clear(struct kv_entry *entry)
{
    kv_string_clear(&entry->string);
}

static bool string_copy(struct kv_entry *to, const struct kv_entry *from)
{
    return kv_string_set(&to->string, kv_string_view(&from->string));
}

static void string_tell(const struct kv_entry *entry,
                        void (*take)(void *arg, struct sill_resp_view text),
                        void *arg)
{
    take(arg, kv_string_view(&entry->string));
}

/* ---- any value ---- */

static size_t none_count(const struct kv_entry *entry)
{
    (void)entry;
    return 0;
}

static void none_clear(struct kv_entry *entry)
{
    (void)entry;
}

static bool none_copy(struct kv_entry *to, const struct kv_entry *from)
{
    (void)to, (void)from;
    return true;
}

static void none_tell(const struct kv_entry *entry,
                      void (*take)(void *arg, struct sill_resp_view text),
                      void *arg)
{
    (void)entry, (void)take, (void)arg;
}

static const struct kv_kind none_kind = {
    "none", "DEL", 1, none_count, none_clear, none_copy, none_tell};
static const struct kv_kind string_kind = {
    "string", "SET", 1, string_count, string_clear, string_copy, string_tell};

const struct kv_kind *kv_kind_of(const struct kv_entry *entry)
{
    static const struct kv_kind *const kinds[KV_TYPES] = {
        [KV_NONE] = &none_kind,    [KV_STRING] = &string_kind,
        [KV_HASH] = &kv_hash_kind, [KV_LIST] = &kv_list_kind,
        [KV_SET] = &kv_set_kind,   [KV_SORTED] = &kv_sorted_kind,
    };
    return kinds[entry->type];
}

const char *kv_type_name(const struct kv_entry *entry)
{
    return kv_kind_of(entry)->name;
}

size_t kv_count(const struct kv_entry *entry)
{
    return kv_kind_of(entry)->count(entry);
}

void kv_clear(struct kv_entry *entry)
{
    kv_kind_of(entry)->clear(entry);
    entry->type = KV_NONE;
    entry->value = (union kv_value){0};
}

bool kv_copy(struct kv_entry *to, const struct kv_entry *from)
{
    to->type = from->type;
    return kv_kind_of(from)->copy(to, from);
}

void kv_swap(struct kv_entry *a, struct kv_entry *b)
{
    enum kv_type type = a->type;
    union kv_value value = a->value;
    a->type = b->type;
    a->value = b->value;
    b->type = type;
    b->value = value;
}

/* ---- the string of a key ---- */

static bool give_up(struct kv_entry *entry)
{
    if (entry->type == KV_NONE)
        kv_remove(entry);
    return false;
}

bool kv_resize(struct kv_entry *entry, size_t size)
{
    if (!kv_string_resize(&entry->string, size))
        return give_up(entry);
    entry->type = KV_STRING;
    kv_touch(entry);
    return true;
}

bool kv_set(struct kv_entry *entry, struct sill_resp_view value)
{
    struct kv_string string = {0};
    if (entry->type == KV_STRING)
        string = entry->string;
    if (!kv_string_set(&string, value))
        return give_up(entry);
    if (entry->type != KV_STRING)
        kv_clear(entry);
    entry->type = KV_STRING;
    entry->string = string;
    kv_touch(entry);
    return true;
}

struct sill_resp_view kv_value(const struct kv_entry *entry)
{
    return kv_string_view(&entry->string);
}
