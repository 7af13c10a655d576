/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_TUI_TREE_H
#define KMT_TUI_TREE_H

#include <stdbool.h>
#include <stdint.h>

#include "filter.h"
#include "list.h"

#include "kmemtape/result.h"

/*
 * What is live by module, in it by cache, in that by call site, and behind that by who called,
 * where the result is by stack.
 */
enum kmt_node_kind {
	KMT_NODE_ALL, /* of which all others are: the first one, not shown */
	KMT_NODE_MODULE,
	KMT_NODE_CACHE,
	KMT_NODE_SITE,
	KMT_NODE_CALLER,
};

#define KMT_NODE_NONE UINT32_MAX
#define KMT_NODES_MAX 200000u /* beyond, callers are left out */

struct kmt_node {
	enum kmt_node_kind kind;
	uint32_t parent, first, last, next; /* KMT_NODE_NONE */
	uint32_t indent;
	bool is_open;
	bool is_found, is_found_below;	  /* by the filter */
	const struct kmt_row *row;	  /* the first one that it is made of */
	const struct kmt_frame *frame;	  /* of a caller */
	uint64_t allocs, live_objects, live_bytes; /* live: estimated, of a sample */
};

enum kmt_tree_order {
	KMT_TREE_BY_BYTES,
	KMT_TREE_BY_OBJECTS,
	KMT_TREE_BY_ALLOCS,
};
#define KMT_TREE_ORDERS (KMT_TREE_BY_ALLOCS + 1)

struct kmt_tree {
	const struct kmt_result *result;
	struct kmt_node *nodes;
	uint32_t nr_nodes;
	uint32_t *lines; /* nodes that are shown, as many as the list has */
	struct kmt_list list;
	struct kmt_filter filter;
	enum kmt_tree_order order;
	bool is_reversed;
	bool was_cut; /* not all callers are there */
};

/* @result: borrowed, by site or by stack. Return: 0 or -ENOMEM. */
int kmt_tree_init(struct kmt_tree *tree, const struct kmt_result *result);
void kmt_tree_deinit(struct kmt_tree *tree);

/* After a change of the filter. The chosen node stays chosen, if it is still shown. */
void kmt_tree_arrange(struct kmt_tree *tree);
void kmt_tree_sort(struct kmt_tree *tree, int step);
void kmt_tree_reverse(struct kmt_tree *tree);

/* NULL: there is none */
const struct kmt_node *kmt_tree_chosen(const struct kmt_tree *tree);

/* The chosen node; on to where it divides. */
void kmt_tree_unfold(struct kmt_tree *tree);
/* The chosen node, or if it is closed or has nothing below, to the one that it is of. */
void kmt_tree_fold(struct kmt_tree *tree);
void kmt_tree_toggle(struct kmt_tree *tree);
void kmt_tree_set_all(struct kmt_tree *tree, bool is_open);

/* @name: KMT_NAME_BYTES */
void kmt_tree_name(const struct kmt_tree *tree, const struct kmt_node *node, char *name);

#endif
