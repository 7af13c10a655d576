/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_TUI_TREE_VIEW_H
#define KMT_TUI_TREE_VIEW_H

#include "canvas.h"
#include "tree.h"

/* The head of the columns, then lines of the tree, as far as @nr_rows go. */
void kmt_tree_view_draw(const struct kmt_tree *tree, struct kmt_canvas *canvas, int row,
			int nr_rows);

#endif
