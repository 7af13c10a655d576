// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"

int kmt_table_init(struct kmt_table *table, const struct kmt_result *result, bool is_vmalloc)
{
	int r;

	*table = (struct kmt_table){ .result = result, .is_vmalloc = is_vmalloc };
	r = is_vmalloc ? kmt_items_of_vmallocs(result, &table->items, &table->nr_items)
		       : kmt_items_of_rows(result, &table->items, &table->nr_items);
	if (r < 0)
		return r;
	table->shown = calloc(table->nr_items ? table->nr_items : 1, sizeof(*table->shown));
	if (!table->shown) {
		kmt_table_deinit(table);
		return -ENOMEM;
	}
	kmt_table_arrange(table);
	return 0;
}

void kmt_table_deinit(struct kmt_table *table)
{
	kmt_items_free(table->items, table->nr_items);
	free(table->shown);
	*table = (struct kmt_table){ .result = NULL };
}

static bool is_shown(const struct kmt_table *table, const struct kmt_item *item)
{
	if (!table->has_all && item->row && item->row->live_objects == 0)
		return false;
	return kmt_filter_matches(&table->filter, item->name, item->tags);
}

static int compare_reals(double a, double b)
{
	return (a > b) - (a < b);
}

static int compare_counts(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* Of what was never freed, 1. */
static double unfreed(const struct kmt_item *item)
{
	if (!item->row || item->row->allocs == 0)
		return 0;
	return 1 - (double)item->row->frees / (double)item->row->allocs;
}

/* The larger one goes first, but of names. */
static int compare_by(enum kmt_order order, const struct kmt_item *a, const struct kmt_item *b)
{
	switch (order) {
	case KMT_ORDER_SUSPICION:
		return 0;
	case KMT_ORDER_LIVE:
		return compare_counts(b->has_size ? b->bytes : 0, a->has_size ? a->bytes : 0);
	case KMT_ORDER_OBJECTS:
		return compare_counts(b->objects, a->objects);
	case KMT_ORDER_RATE:
		return compare_reals(b->bytes_per_s, a->bytes_per_s);
	case KMT_ORDER_OLDEST:
		return compare_counts(b->row ? b->row->oldest_age_ns : 0,
				      a->row ? a->row->oldest_age_ns : 0);
	case KMT_ORDER_FREED:
		return compare_reals(unfreed(b), unfreed(a));
	case KMT_ORDER_ALLOCS:
		return compare_counts(b->row ? b->row->allocs : 0, a->row ? a->row->allocs : 0);
	case KMT_ORDER_NAME:
		return strcmp(a->name, b->name);
	}
	return 0;
}

static int compare(const void *left, const void *right, void *context)
{
	const struct kmt_item *a = *(const struct kmt_item *const *)left;
	const struct kmt_item *b = *(const struct kmt_item *const *)right;
	const struct kmt_table *table = context;
	int r = compare_by(table->order, a, b);

	if (r == 0)
		r = (a > b) - (a < b);
	return table->is_reversed ? -r : r;
}

void kmt_table_arrange(struct kmt_table *table)
{
	const struct kmt_item *chosen = kmt_table_chosen(table);
	size_t nr = 0;

	for (size_t i = 0; i < table->nr_items; i++)
		if (is_shown(table, &table->items[i]))
			table->shown[nr++] = &table->items[i];
	qsort_r(table->shown, nr, sizeof(*table->shown), compare, table);
	kmt_list_set_nr(&table->list, nr);
	for (size_t i = 0; i < nr; i++)
		if (table->shown[i] == chosen)
			kmt_list_choose(&table->list, i);
}

void kmt_table_sort(struct kmt_table *table, int step)
{
	table->order = (enum kmt_order)(((int)table->order + KMT_ORDERS + step) % KMT_ORDERS);
	table->is_reversed = false;
	kmt_table_arrange(table);
	kmt_list_choose(&table->list, 0);
}

void kmt_table_reverse(struct kmt_table *table)
{
	table->is_reversed = !table->is_reversed;
	kmt_table_arrange(table);
	kmt_list_choose(&table->list, 0);
}

const struct kmt_item *kmt_table_chosen(const struct kmt_table *table)
{
	return table->list.nr ? table->shown[table->list.chosen] : NULL;
}
