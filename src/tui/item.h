/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_TUI_ITEM_H
#define KMT_TUI_ITEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kmemtape/result.h"

/* A line of a table: a row of a result, or a caller of vmalloc() as its counters know it. */
struct kmt_item {
	const struct kmt_row *row;
	const struct kmt_vmalloc_row *vmalloc; /* one of the two is NULL */
	const struct kmt_judgement *judgement;
	char *name;		 /* safe for a terminal, as are the tags */
	char *tags;		 /* what else it is found by */
	uint64_t bytes, objects; /* live, estimated where the tape is a sample; of vmalloc: grown */
	bool has_size; /* else bytes mean nothing, and the rate is of objects */
	double bytes_per_s;
};

/* Of all rows that have an allocation. Return: 0 or -ENOMEM. */
int kmt_items_of_rows(const struct kmt_result *result, struct kmt_item **ret_items, size_t *ret_nr);

/* The same of vmalloc areas by caller. */
int kmt_items_of_vmallocs(const struct kmt_result *result, struct kmt_item **ret_items,
			  size_t *ret_nr);
void kmt_items_free(struct kmt_item *items, size_t nr);

#endif
