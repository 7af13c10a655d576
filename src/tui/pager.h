/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_TUI_PAGER_H
#define KMT_TUI_PAGER_H

#include "canvas.h"
#include "filter.h"

/* A row of the screen: a part of a line that was broken between words, if it was too long. */
struct kmt_pager_row {
	size_t from, bytes; /* of the text */
	int indent;
};

/* A text to move about in, and to find words in. */
struct kmt_pager {
	char *text; /* lines, safe for a terminal */
	struct kmt_pager_row *rows;
	size_t nr_rows, top;
	int nr_columns, height;
	bool is_utf8;
	bool wants_end; /* also of what still comes */
	struct kmt_filter search;
	size_t found; /* row; SIZE_MAX: none */
};

/* Takes @text, also on failure. It starts at the top. Return: 0 or -ENOMEM. */
int kmt_pager_set(struct kmt_pager *pager, char *text);

/* The same with more in it, while it is read, or for another width: what is shown stays, by its
 * line, or its end, unless what is searched for was not there before. */
int kmt_pager_renew(struct kmt_pager *pager, char *text);
void kmt_pager_deinit(struct kmt_pager *pager);

/* For a rectangle of this size; what is shown stays. Return: 0 or -ENOMEM. */
int kmt_pager_fit(struct kmt_pager *pager, int nr_columns, int height, bool is_utf8);

void kmt_pager_move(struct kmt_pager *pager, long by);
void kmt_pager_move_to_end(struct kmt_pager *pager);

/* The next row with what is searched for, from @from on, or with @step -1 back; then from the other
 * end. */
void kmt_pager_find(struct kmt_pager *pager, size_t from, int step);
void kmt_pager_find_next(struct kmt_pager *pager, int step);

void kmt_pager_draw(const struct kmt_pager *pager, struct kmt_canvas *canvas, int row);

#endif
