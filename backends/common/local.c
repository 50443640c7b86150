/* SPDX-License-Identifier: MIT */
/*
 * Variables of which every task has its own. See <sill/task.h>.
 */
#include "core.h"

struct local_value {
    struct local_value *next;
    const struct sill_local *local;
    void *value;
};

static struct local_value *find(const struct sill_task *task,
                                const struct sill_local *local)
{
    struct local_value *entry = task->locals;

    while (entry && entry->local != local)
        entry = entry->next;
    return entry;
}

int sill_local_set(const struct sill_local *local, void *value)
{
    struct sill_task *self = sill_core_self();

    if (!self)
        return SILL_ENOTASK;

    struct local_value *entry = find(self, local);

    if (!entry) {
        entry = sill_alloc(sizeof(*entry));
        if (!entry)
            return SILL_ENOMEM;
        entry->local = local;
        entry->next = self->locals;
        self->locals = entry;
    }
    entry->value = value;
    return 0;
}

void *sill_local_get(const struct sill_local *local)
{
    struct sill_task *self = sill_core_self();
    struct local_value *entry = self ? find(self, local) : NULL;

    return entry ? entry->value : NULL;
}

/* A destructor may set variables again: go on until none is left. */
void sill_core_locals_destroy(struct sill_task *task)
{
    while (task->locals) {
        struct local_value *entry = task->locals;
        const struct sill_local *local = entry->local;
        void *value = entry->value;

        task->locals = entry->next;
        sill_free(entry);
        if (value && local->destroy)
            local->destroy(value);
    }
}
