/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_TUI_TABLE_H
#define KMT_TUI_TABLE_H

#include "filter.h"
#include "item.h"
#include "list.h"

enum kmt_order {
	KMT_ORDER_SUSPICION, /* as the result has them */
	KMT_ORDER_LIVE,
	KMT_ORDER_OBJECTS,
	KMT_ORDER_RATE,
	KMT_ORDER_OLDEST,
	KMT_ORDER_FREED, /* the smallest share first */
	KMT_ORDER_ALLOCS,
	KMT_ORDER_NAME,
};
#define KMT_ORDERS (KMT_ORDER_NAME + 1)

/* The rows of a result: which of them are shown, in which order, and which one is chosen. */
struct kmt_table {
	const struct kmt_result *result;
	bool is_vmalloc;
	struct kmt_item *items;
	size_t nr_items;
	const struct kmt_item **shown; /* as many as the list has */
	struct kmt_list list;
	struct kmt_filter filter;
	enum kmt_order order;
	bool is_reversed;
	bool has_all; /* also those with nothing live */
	size_t sideways; /* columns of names that are left of the screen */
};

/* @result: borrowed; @is_vmalloc: its vmalloc areas instead of its rows. Return: 0 or -ENOMEM. */
int kmt_table_init(struct kmt_table *table, const struct kmt_result *result, bool is_vmalloc);
void kmt_table_deinit(struct kmt_table *table);

/* After a change of the filter, the order or has_all. The chosen row stays chosen, if it is still
 * shown. */
void kmt_table_arrange(struct kmt_table *table);

/* To the next order, or the one before (@step -1). */
void kmt_table_sort(struct kmt_table *table, int step);
void kmt_table_reverse(struct kmt_table *table);

/* NULL: there is none */
const struct kmt_item *kmt_table_chosen(const struct kmt_table *table);

#endif
