/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_TUI_TREE_ORDER_H
#define KMT_TUI_TREE_ORDER_H

#include <stddef.h>

#include "kmemtape/result.h"

/* Where a row is in the tree: at each level, from the module outward, it is in one node. */
#define KMT_LEVEL_MODULE 0u
#define KMT_LEVEL_CACHE	 1u
#define KMT_LEVEL_SITE	 2u /* callers follow */

size_t kmt_tree_levels(const struct kmt_result *result, const struct kmt_row *row);

/* 0: the two are in the same node at this level, if they are at those before. */
int kmt_tree_compare_at(size_t level, const struct kmt_row *a, const struct kmt_row *b);

/* Of pages that the slab or another allocator has: they are counted there, too, so apart here. */
bool kmt_tree_is_counted_elsewhere(const struct kmt_row *row);

#endif
