/* SPDX-License-Identifier: MIT */
/*
 * sorted.c: what a sorted set is made of: a table of its members, which form a
 * tree as well, in their order. It is a treap: above is who has the greater
 * hash, and these are random, so that it is about as deep as the logarithm of
 * its size. Each member counts those below it, which makes ranks. See kv.h.
 */
#include "kv.h"

#include <string.h>

/* ---- the order ---- */

static int compare_names(struct sill_resp_view a, struct sill_resp_view b)
{
    size_t size = a.size < b.size ? a.size : b.size;
    int order = size == 0 ? 0 : memcmp(a.at, b.at, size);
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

static bool is_before(const struct kv_member *member,
                      const struct kv_bound *bound)
{
    int order = 0;
    if (bound->by_score)
        order = (member->score > bound->score) - (member->score < bound->score);
    if (order == 0 && bound->by_name)
        order = compare_names(kv_node_key(&member->node), bound->name);
    return order < 0 || (order == 0 && bound->behind);
}

/* ---- the tree ---- */

static size_t count_of(const struct kv_member *member)
{
    return member == NULL ? 0 : member->count;
}

static void update(struct kv_member *member)
{
    member->count = count_of(member->left) + 1 + count_of(member->right);
}

/* Parts a tree into the first (rank) members and the others. */
static void split(struct kv_member *root, size_t rank, struct kv_member **left,
                  struct kv_member **right)
{
    if (root == NULL) {
        *left = *right = NULL;
        return;
    }
    size_t before = count_of(root->left);
    if (rank <= before) {
        split(root->left, rank, left, &root->left);
        *right = root;
    } else {
        split(root->right, rank - before - 1, &root->right, right);
        *left = root;
    }
    update(root);
}

/* Joins two trees, of which the first one is before the second one. */
static struct kv_member *join(struct kv_member *a, struct kv_member *b)
{
    if (a == NULL || b == NULL)
        return a == NULL ? b : a;
    if (a->node.hash > b->node.hash) {
        a->right = join(a->right, b);
        update(a);
        return a;
    }
    b->left = join(a, b->left);
    update(b);
    return b;
}

/* Takes the members from rank (begin) on and before (end) out of the tree. */
static struct kv_member *cut(struct kv_sorted *sorted, size_t begin, size_t end)
{
    struct kv_member *left, *middle, *right;
    split(sorted->root, end, &middle, &right);
    split(middle, begin, &left, &middle);
    sorted->root = join(left, right);
    return middle;
}

size_t kv_sorted_before(const struct kv_sorted *sorted,
                        const struct kv_bound *bound)
{
    const struct kv_member *member = sorted->root;
    size_t before = 0;
    while (member != NULL) {
        if (!is_before(member, bound)) {
            member = member->left;
            continue;
        }
        before += count_of(member->left) + 1;
        member = member->right;
    }
    return before;
}

size_t kv_sorted_rank(const struct kv_sorted *sorted,
                      const struct kv_member *member)
{
    const struct kv_bound place = {.by_score = true,
                                   .score = member->score,
                                   .by_name = true,
                                   .name = kv_node_key(&member->node)};
    return kv_sorted_before(sorted, &place);
}

static void enter(struct kv_sorted *sorted, struct kv_member *member)
{
    struct kv_member *left, *right;
    member->left = member->right = NULL;
    member->count = 1;
    split(sorted->root, kv_sorted_rank(sorted, member), &left, &right);
    sorted->root = join(join(left, member), right);
}

static void leave(struct kv_sorted *sorted, const struct kv_member *member)
{
    size_t rank = kv_sorted_rank(sorted, member);
    (void)cut(sorted, rank, rank + 1);
}

/* A tree, and of its members those from rank (begin) on and before (end). */
struct part {
    const struct kv_member *root;
    size_t begin, end;
};

static size_t less(size_t a, size_t b)
{
    return a > b ? a - b : 0;
}

static void visit(struct part all, bool reverse,
                  void (*each)(void *arg, const struct kv_member *member),
                  void *arg)
{
    if (all.begin >= all.end)
        return;
    size_t before = count_of(all.root->left), behind = before + 1;
    const struct part parts[] = {
        {all.root->left, all.begin, all.end < before ? all.end : before},
        {all.root->right, less(all.begin, behind), less(all.end, behind)},
    };
    visit(parts[reverse], reverse, each, arg);
    if (all.begin <= before && before < all.end)
        each(arg, all.root);
    visit(parts[!reverse], reverse, each, arg);
}

void kv_sorted_visit(const struct kv_sorted *sorted, size_t begin, size_t end,
                     bool reverse,
                     void (*each)(void *arg, const struct kv_member *member),
                     void *arg)
{
    visit((struct part){sorted->root, begin, end}, reverse, each, arg);
}

/* ---- members ---- */

struct kv_member *kv_sorted_find(const struct kv_sorted *sorted,
                                 struct sill_resp_view name)
{
    return (struct kv_member *)kv_table_find(&sorted->table, name);
}

bool kv_sorted_add(struct kv_sorted *sorted, struct sill_resp_view name,
                   double score)
{
    struct kv_member *member = kv_node_new(sizeof(*member), name);
    if (member == NULL)
        return false;
    if (!kv_table_add(&sorted->table, &member->node)) {
        kv_node_free(&member->node);
        return false;
    }
    member->score = score;
    enter(sorted, member);
    return true;
}

void kv_sorted_move(struct kv_sorted *sorted, struct kv_member *member,
                    double score)
{
    leave(sorted, member);
    member->score = score;
    enter(sorted, member);
}

void kv_sorted_remove(struct kv_sorted *sorted, struct kv_member *member)
{
    leave(sorted, member);
    kv_table_remove(&sorted->table, &member->node);
    kv_node_free(&member->node);
}

static void free_tree(struct kv_table *table, struct kv_member *root)
{
    if (root == NULL)
        return;
    free_tree(table, root->left);
    free_tree(table, root->right);
    kv_table_remove(table, &root->node);
    kv_node_free(&root->node);
}

void kv_sorted_trim(struct kv_sorted *sorted, size_t begin, size_t end)
{
    free_tree(&sorted->table, cut(sorted, begin, end));
}

void kv_sorted_clear(struct kv_sorted *sorted)
{
    kv_table_clear(&sorted->table, kv_node_free);
    sorted->root = NULL;
}
