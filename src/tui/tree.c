// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <stdlib.h>

#include "kmemtape/units.h"
#include "kmemtape/words.h"

#include "tree-order.h"
#include "tree.h"

/* While it is made of the rows, which are in the order of the tree. */
struct growth {
	struct kmt_tree *tree;
	const struct kmt_row **rows;
	size_t nr_rows;
	uint32_t *path; /* nodes that the row before is in, by level */
	size_t path_length;
	uint32_t nodes_max;
};

static int compare_rows(const void *left, const void *right, void *context)
{
	const struct kmt_row *a = *(const struct kmt_row *const *)left;
	const struct kmt_row *b = *(const struct kmt_row *const *)right;
	size_t levels_a = kmt_tree_levels(context, a), levels_b = kmt_tree_levels(context, b);
	int r = 0;

	for (size_t i = 0; r == 0 && i < levels_a && i < levels_b; i++)
		r = kmt_tree_compare_at(i, a, b);
	return r ? r : (levels_a > levels_b) - (levels_a < levels_b);
}

static void add_to(struct kmt_node *node, const struct kmt_row *row)
{
	node->allocs = kmt_sum(node->allocs, row->allocs);
	node->live_objects = kmt_sum(node->live_objects, kmt_row_scaled(row, row->live_objects));
	node->live_bytes = kmt_sum(node->live_bytes, kmt_row_scaled(row, row->live_bytes));
}

static enum kmt_node_kind kind_at(size_t level)
{
	return level > KMT_LEVEL_SITE ? KMT_NODE_CALLER
				      : (enum kmt_node_kind)(KMT_NODE_MODULE + level);
}

static void append(struct kmt_tree *tree, uint32_t parent, size_t level, const struct kmt_row *row)
{
	uint32_t number = tree->nr_nodes++;
	struct kmt_node *of = &tree->nodes[parent];

	tree->nodes[number] = (struct kmt_node){
		.kind = kind_at(level),
		.parent = parent,
		.first = KMT_NODE_NONE,
		.last = KMT_NODE_NONE,
		.next = KMT_NODE_NONE,
		.row = row,
		.frame = level > KMT_LEVEL_SITE ? &row->frames[level - KMT_LEVEL_SITE] : NULL,
	};
	if (of->first == KMT_NODE_NONE)
		of->first = number;
	else
		tree->nodes[of->last].next = number;
	of->last = number;
}

/* How many levels of @row the row before is in, too. */
static size_t shared_levels(const struct growth *growth, const struct kmt_row *before,
			    const struct kmt_row *row)
{
	size_t levels = kmt_tree_levels(growth->tree->result, row), level = 0;

	while (before && level < levels && level < growth->path_length &&
	       kmt_tree_compare_at(level, before, row) == 0)
		level++;
	return level;
}

static void take_row(struct growth *growth, const struct kmt_row *before, const struct kmt_row *row)
{
	struct kmt_tree *tree = growth->tree;
	size_t levels = kmt_tree_levels(tree->result, row);
	size_t level = shared_levels(growth, before, row);

	for (; level < levels; level++) {
		uint32_t parent = level ? growth->path[level - 1] : 0;

		if (tree->nr_nodes == growth->nodes_max) {
			tree->was_cut = true;
			break;
		}
		growth->path[level] = tree->nr_nodes;
		append(tree, parent, level, row);
	}
	growth->path_length = level;
	if (!kmt_tree_is_counted_elsewhere(row))
		add_to(&tree->nodes[0], row);
	for (size_t i = 0; i < level; i++)
		add_to(&tree->nodes[growth->path[i]], row);
}

/* Rows that have something live, sorted; how many nodes they need at most. */
static int collect(struct growth *growth)
{
	const struct kmt_result *result = growth->tree->result;
	size_t nr_nodes = 1, levels_max = 1;

	growth->rows = calloc(result->nr_rows ? result->nr_rows : 1, sizeof(*growth->rows));
	if (!growth->rows)
		return -ENOMEM;
	for (size_t i = 0; i < result->nr_rows; i++) {
		size_t levels = kmt_tree_levels(result, &result->rows[i]);

		if (result->rows[i].live_objects == 0)
			continue;
		growth->rows[growth->nr_rows++] = &result->rows[i];
		nr_nodes += levels;
		levels_max = levels > levels_max ? levels : levels_max;
	}
	qsort_r(growth->rows, growth->nr_rows, sizeof(*growth->rows), compare_rows,
		(void *)(uintptr_t)result);
	growth->nodes_max = nr_nodes < KMT_NODES_MAX ? (uint32_t)nr_nodes : KMT_NODES_MAX;
	growth->path = calloc(levels_max, sizeof(*growth->path));
	return growth->path ? 0 : -ENOMEM;
}

static int grow(struct growth *growth)
{
	struct kmt_tree *tree = growth->tree;
	int r = collect(growth);

	if (r < 0)
		return r;
	tree->nodes = calloc(growth->nodes_max, sizeof(*tree->nodes));
	tree->lines = calloc(growth->nodes_max, sizeof(*tree->lines));
	if (!tree->nodes || !tree->lines)
		return -ENOMEM;
	tree->nodes[0] = (struct kmt_node){
		.parent = KMT_NODE_NONE,
		.first = KMT_NODE_NONE,
		.last = KMT_NODE_NONE,
		.next = KMT_NODE_NONE,
		.is_open = true,
	};
	tree->nr_nodes = 1;
	for (size_t i = 0; i < growth->nr_rows; i++)
		take_row(growth, i ? growth->rows[i - 1] : NULL, growth->rows[i]);
	return 0;
}

static uint64_t weight(const struct kmt_tree *tree, const struct kmt_node *node)
{
	return tree->order == KMT_TREE_BY_BYTES	    ? node->live_bytes
	       : tree->order == KMT_TREE_BY_OBJECTS ? node->live_objects
						    : node->allocs;
}

/* Largest first; what is counted elsewhere, too, last. */
static int compare_nodes(const void *left, const void *right, void *context)
{
	const struct kmt_tree *tree = context;
	const struct kmt_node *a = &tree->nodes[*(const uint32_t *)left];
	const struct kmt_node *b = &tree->nodes[*(const uint32_t *)right];
	bool is_else_a = kmt_tree_is_counted_elsewhere(a->row);
	bool is_else_b = kmt_tree_is_counted_elsewhere(b->row);
	uint64_t of_a = weight(tree, a), of_b = weight(tree, b);

	if (is_else_a != is_else_b)
		return is_else_a - is_else_b;
	if (of_a != of_b)
		return (of_a > of_b) != tree->is_reversed ? -1 : 1;
	return (a > b) - (a < b);
}

/* @room: for as many as there are nodes */
static void sort_below(struct kmt_tree *tree, struct kmt_node *node, uint32_t *room)
{
	size_t nr = 0;

	for (uint32_t i = node->first; i != KMT_NODE_NONE; i = tree->nodes[i].next)
		room[nr++] = i;
	if (nr < 2)
		return;
	qsort_r(room, nr, sizeof(*room), compare_nodes, tree);
	node->first = room[0];
	node->last = room[nr - 1];
	for (size_t i = 0; i < nr; i++)
		tree->nodes[room[i]].next = i + 1 < nr ? room[i + 1] : KMT_NODE_NONE;
}

/* The lines are made anew afterwards: until then they are room. */
static void sort_all(struct kmt_tree *tree)
{
	for (uint32_t i = 0; i < tree->nr_nodes; i++)
		sort_below(tree, &tree->nodes[i], tree->lines);
}

static bool has_one(const struct kmt_tree *tree, const struct kmt_node *node)
{
	return node->first != KMT_NODE_NONE && node->first == node->last;
}

/* A chain of callers goes straight down: there would be no room for it else. */
static void indent_all(struct kmt_tree *tree)
{
	for (uint32_t i = 1; i < tree->nr_nodes; i++) {
		struct kmt_node *node = &tree->nodes[i], *of = &tree->nodes[node->parent];
		bool is_straight = node->kind == KMT_NODE_CALLER && of->kind == KMT_NODE_CALLER &&
				   has_one(tree, of);

		node->indent = node->parent == 0 ? 0 : of->indent + !is_straight;
	}
}

static uint32_t next_line(const struct kmt_tree *tree, uint32_t number, bool goes_down)
{
	const struct kmt_node *node = &tree->nodes[number];

	if (goes_down && node->first != KMT_NODE_NONE)
		return node->first;
	while (number != KMT_NODE_NONE && tree->nodes[number].next == KMT_NODE_NONE)
		number = tree->nodes[number].parent;
	return number == KMT_NODE_NONE ? KMT_NODE_NONE : tree->nodes[number].next;
}

/* Nodes come after what they are of: from the last to the first, what is found reaches all above.
 */
static void find(struct kmt_tree *tree)
{
	char name[KMT_NAME_BYTES];

	for (uint32_t i = 0; i < tree->nr_nodes; i++)
		tree->nodes[i].is_found = tree->nodes[i].is_found_below = false;
	for (uint32_t i = tree->nr_nodes; tree->filter.length && i-- > 1;) {
		struct kmt_node *node = &tree->nodes[i];

		kmt_tree_name(tree, node, name);
		node->is_found = kmt_filter_matches(&tree->filter, name, NULL);
		if (node->is_found || node->is_found_below)
			tree->nodes[node->parent].is_found_below = true;
	}
}

/* Found, or above or below what is. */
static bool is_shown(const struct kmt_tree *tree, const struct kmt_node *node)
{
	if (!tree->filter.length || node->is_found || node->is_found_below)
		return true;
	while (node->parent != KMT_NODE_NONE) {
		node = &tree->nodes[node->parent];
		if (node->is_found)
			return true;
	}
	return false;
}

static void list_lines(struct kmt_tree *tree)
{
	size_t nr = 0;

	for (uint32_t i = tree->nodes[0].first; i != KMT_NODE_NONE;) {
		const struct kmt_node *node = &tree->nodes[i];
		bool is_visible = is_shown(tree, node);

		if (is_visible)
			tree->lines[nr++] = i;
		i = next_line(tree, i, is_visible && (node->is_open || node->is_found_below));
	}
	kmt_list_set_nr(&tree->list, nr);
}

static uint32_t chosen_number(const struct kmt_tree *tree)
{
	return tree->list.nr ? tree->lines[tree->list.chosen] : KMT_NODE_NONE;
}

static void choose(struct kmt_tree *tree, uint32_t number)
{
	for (size_t i = 0; i < tree->list.nr; i++)
		if (tree->lines[i] == number)
			kmt_list_choose(&tree->list, i);
}

static void rearrange(struct kmt_tree *tree, uint32_t chosen)
{
	list_lines(tree);
	choose(tree, chosen);
}

void kmt_tree_arrange(struct kmt_tree *tree)
{
	uint32_t chosen = chosen_number(tree);

	find(tree);
	rearrange(tree, chosen);
}

/* What the first line speaks of, else what has most. */
static uint32_t find_first(const struct kmt_tree *tree)
{
	uint32_t most = tree->nodes[0].first;

	for (uint32_t i = 1; i < tree->nr_nodes; i++)
		if (tree->nodes[i].kind == KMT_NODE_SITE &&
		    kmt_result_blames(tree->result, tree->nodes[i].row))
			return i;
	while (most != KMT_NODE_NONE && tree->nodes[most].kind < KMT_NODE_SITE)
		most = tree->nodes[most].first;
	return most;
}

static void open_above(struct kmt_tree *tree, uint32_t number)
{
	while (number != KMT_NODE_NONE && tree->nodes[number].parent != KMT_NODE_NONE) {
		number = tree->nodes[number].parent;
		tree->nodes[number].is_open = true;
	}
}

static void deinit_growth(struct growth *growth)
{
	free(growth->rows);
	free(growth->path);
}

int kmt_tree_init(struct kmt_tree *tree, const struct kmt_result *result)
{
	KMT_CLEANUP(deinit_growth) struct growth growth = { .tree = tree };
	uint32_t first;
	int r;

	*tree = (struct kmt_tree){ .result = result };
	r = grow(&growth);
	if (r < 0) {
		kmt_tree_deinit(tree);
		return r;
	}
	sort_all(tree);
	indent_all(tree);
	first = find_first(tree);
	open_above(tree, first);
	rearrange(tree, first);
	return 0;
}

void kmt_tree_deinit(struct kmt_tree *tree)
{
	free(tree->nodes);
	free(tree->lines);
	*tree = (struct kmt_tree){ .result = NULL };
}

void kmt_tree_sort(struct kmt_tree *tree, int step)
{
	uint32_t chosen = chosen_number(tree);

	tree->order = (enum kmt_tree_order)(((int)tree->order + KMT_TREE_ORDERS + step) %
					    KMT_TREE_ORDERS);
	tree->is_reversed = false;
	sort_all(tree);
	rearrange(tree, chosen);
}

void kmt_tree_reverse(struct kmt_tree *tree)
{
	uint32_t chosen = chosen_number(tree);

	tree->is_reversed = !tree->is_reversed;
	sort_all(tree);
	rearrange(tree, chosen);
}

const struct kmt_node *kmt_tree_chosen(const struct kmt_tree *tree)
{
	uint32_t number = chosen_number(tree);

	return number == KMT_NODE_NONE ? NULL : &tree->nodes[number];
}

void kmt_tree_unfold(struct kmt_tree *tree)
{
	uint32_t chosen = chosen_number(tree), i = chosen;

	while (i != KMT_NODE_NONE) {
		tree->nodes[i].is_open = true;
		i = has_one(tree, &tree->nodes[i]) ? tree->nodes[i].first : KMT_NODE_NONE;
	}
	rearrange(tree, chosen);
}

void kmt_tree_fold(struct kmt_tree *tree)
{
	uint32_t chosen = chosen_number(tree);
	struct kmt_node *node;

	if (chosen == KMT_NODE_NONE)
		return;
	node = &tree->nodes[chosen];
	if (node->is_open && node->first != KMT_NODE_NONE)
		node->is_open = false;
	else if (node->parent != 0)
		chosen = node->parent;
	rearrange(tree, chosen);
}

void kmt_tree_toggle(struct kmt_tree *tree)
{
	const struct kmt_node *node = kmt_tree_chosen(tree);

	if (node && node->first != KMT_NODE_NONE && node->is_open)
		kmt_tree_fold(tree);
	else if (node)
		kmt_tree_unfold(tree);
}

void kmt_tree_set_all(struct kmt_tree *tree, bool is_open)
{
	uint32_t chosen = chosen_number(tree);

	for (uint32_t i = 1; i < tree->nr_nodes; i++)
		tree->nodes[i].is_open = is_open;
	while (!is_open && chosen != KMT_NODE_NONE && tree->nodes[chosen].parent != 0)
		chosen = tree->nodes[chosen].parent;
	rearrange(tree, chosen);
}

void kmt_tree_name(const struct kmt_tree *tree, const struct kmt_node *node, char *name)
{
	const struct kmt_row *row = node->row;
	const char *kind;

	switch (node->kind) {
	case KMT_NODE_ALL:
		name[0] = '\0';
		return;
	case KMT_NODE_MODULE:
		kind = kmt_tree_is_counted_elsewhere(row) ? kmt_words_kind(name, row) : NULL;
		if (kind)
			(void)snprintf(name, KMT_NAME_BYTES, "(%s)", kind);
		else
			kmt_words_name(name, KMT_BY_MODULE, row);
		return;
	case KMT_NODE_CACHE:
		kmt_words_name(name, KMT_BY_CACHE, row);
		return;
	case KMT_NODE_SITE:
		kmt_words_name(name, KMT_BY_SITE, row);
		return;
	case KMT_NODE_CALLER:
		kmt_words_frame(name, node->frame);
		return;
	}
}
