/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_TUI_LIST_H
#define KMT_TUI_LIST_H

#include <stddef.h>

/* Which of many lines are on the screen, and which one is chosen: it always is on the screen. */
struct kmt_list {
	size_t nr;	/* lines */
	size_t nr_rows; /* of them on the screen at a time; at least 1 */
	size_t top;	/* the first of them */
	size_t chosen;	/* below nr, unless that is 0 */
};

void kmt_list_set_nr(struct kmt_list *list, size_t nr);
void kmt_list_set_rows(struct kmt_list *list, size_t nr_rows);

/* As far as there are lines. */
void kmt_list_move(struct kmt_list *list, long by);
void kmt_list_choose(struct kmt_list *list, size_t line);

#endif
