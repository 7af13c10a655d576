// SPDX-License-Identifier: LGPL-2.1-only
#include <stdio.h>

#include "kmemtape/units.h"
#include "kmemtape/words.h"

#include "columns.h"
#include "tree-order.h"
#include "tree-view.h"

#define NUMBERS	    28 /* columns of them */
#define NUMBERS_FEW 10 /* where there isn't much room */
#define WIDE	    60
#define INDENT	    2

static void draw_numbers(const struct kmt_tree *tree, const struct kmt_node *node,
			 struct kmt_canvas *canvas, int row)
{
	bool is_else = kmt_tree_is_counted_elsewhere(node->row);
	bool is_sized = node->live_bytes || kmt_row_has_size(node->row);
	char live[KMT_UNITS_BYTES], share[KMT_UNITS_BYTES], objects[KMT_UNITS_BYTES];

	kmt_canvas_put_right(canvas, row, 0, 9, KMT_STYLE_PLAIN,
			     is_sized ? kmt_format_size(live, node->live_bytes) : "-");
	if (canvas->nr_columns < WIDE)
		return;
	kmt_canvas_put_right(canvas, row, 10, 8, KMT_STYLE_PLAIN,
			     kmt_words_count(objects, node->live_objects));
	kmt_canvas_put_right(canvas, row, 19, 7, KMT_STYLE_PLAIN,
			     is_else || !is_sized ? "-"
						  : kmt_words_percent(share, node->live_bytes,
								      tree->nodes[0].live_bytes));
}

static const char *mark_of(const struct kmt_node *node, bool is_utf8)
{
	bool is_open = node->is_open || node->is_found_below;

	if (node->first == KMT_NODE_NONE)
		return "  ";
	if (is_utf8)
		return is_open ? "\u25be " : "\u25b8 ";
	return is_open ? "- " : "+ ";
}

static void draw_line(const struct kmt_tree *tree, const struct kmt_node *node,
		      struct kmt_canvas *canvas, int row)
{
	int at = canvas->nr_columns < WIDE ? NUMBERS_FEW : NUMBERS;
	int room = canvas->nr_columns - at - NUMBERS_FEW;
	int indent = INDENT * (int)node->indent;
	enum kmt_style style = node->kind == KMT_NODE_SITE
				       ? kmt_columns_style(&node->row->judgement)
			       : node->kind == KMT_NODE_MODULE ? KMT_STYLE_STRONG
							       : KMT_STYLE_PLAIN;
	char name[KMT_NAME_BYTES];

	draw_numbers(tree, node, canvas, row);
	at += indent < room ? indent : room > 0 ? room : 0;
	at += kmt_canvas_put(canvas, row, at, INDENT, KMT_STYLE_PLAIN,
			     mark_of(node, canvas->is_utf8));
	kmt_tree_name(tree, node, name);
	(void)kmt_canvas_put(canvas, row, at, canvas->nr_columns, style, name);
}

static void draw_head(const struct kmt_tree *tree, struct kmt_canvas *canvas, int row)
{
	const char *mark = tree->is_reversed ? "^" : "v";
	bool is_wide = canvas->nr_columns >= WIDE;
	char head[64];

	kmt_canvas_fill(canvas, row, 0, canvas->nr_columns, KMT_STYLE_BAR);
	(void)snprintf(head, sizeof(head), "LIVE %s", tree->order == KMT_TREE_BY_BYTES ? mark : "");
	kmt_canvas_put_right(canvas, row, 0, 9, KMT_STYLE_BAR, head);
	if (is_wide) {
		(void)snprintf(head, sizeof(head), "%s%s", "OBJECTS",
			       tree->order == KMT_TREE_BY_OBJECTS ? mark : "");
		kmt_canvas_put_right(canvas, row, 10, 8, KMT_STYLE_BAR, head);
		kmt_canvas_put_right(canvas, row, 19, 7, KMT_STYLE_BAR, "SHARE");
	}
	(void)snprintf(head, sizeof(head), "MODULE, CACHE, CALL SITE%s%s%s",
		       tree->result->group == KMT_BY_STACK ? ", CALLED BY" : "",
		       tree->order == KMT_TREE_BY_ALLOCS ? "   by allocations " : "",
		       tree->order == KMT_TREE_BY_ALLOCS ? mark : "");
	(void)kmt_canvas_put(canvas, row, is_wide ? NUMBERS : NUMBERS_FEW, canvas->nr_columns,
			     KMT_STYLE_BAR, head);
}

void kmt_tree_view_draw(const struct kmt_tree *tree, struct kmt_canvas *canvas, int row,
			int nr_rows)
{
	const struct kmt_list *list = &tree->list;

	draw_head(tree, canvas, row);
	for (int i = 1; i < nr_rows && list->top + (size_t)i - 1 < list->nr; i++) {
		size_t line = list->top + (size_t)i - 1;

		draw_line(tree, &tree->nodes[tree->lines[line]], canvas, row + i);
		if (line == list->chosen)
			kmt_canvas_restyle(canvas, row + i, KMT_STYLE_CHOSEN);
	}
}
