// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kmemtape/units.h"
#include "kmemtape/words.h"

#include "item.h"

static int set_texts(struct kmt_item *item, const char *name, const char *cache, const char *owner)
{
	char a[KMT_ESCAPED_BYTES], b[KMT_ESCAPED_BYTES];

	item->name = strdup(name);
	if (asprintf(&item->tags, "%s %s %s", kmt_class_name(item->judgement->class),
		     kmt_escape(a, sizeof(a), cache ? cache : ""),
		     kmt_escape(b, sizeof(b), owner ? owner : "")) < 0)
		item->tags = NULL;
	return item->name && item->tags ? 0 : -ENOMEM;
}

static int fill_row(struct kmt_item *item, enum kmt_group group, const struct kmt_row *row)
{
	char name[KMT_NAME_BYTES];

	*item = (struct kmt_item){
		.row = row,
		.judgement = &row->judgement,
		.has_size = kmt_row_has_size(row),
		.bytes = kmt_row_scaled(row, row->live_bytes),
		.objects = kmt_row_scaled(row, row->live_objects),
		.bytes_per_s = row->judgement.trend.bytes_per_s * kmt_row_scale(row),
	};
	kmt_words_name(name, group, row);
	return set_texts(item, name, row->cache, row->owner);
}

static int fill_vmalloc(struct kmt_item *item, const struct kmt_vmalloc_row *row)
{
	uint64_t bytes = (uint64_t)row->grown_bytes, areas = (uint64_t)row->grown_areas;
	char name[KMT_NAME_BYTES], caller[KMT_ESCAPED_BYTES];

	*item = (struct kmt_item){
		.vmalloc = row,
		.judgement = &row->judgement,
		.has_size = true,
		.bytes = row->grown_bytes < 0 ? 0 : bytes,
		.objects = row->grown_areas < 0 ? 0 : areas,
		.bytes_per_s = row->judgement.trend.bytes_per_s,
	};
	(void)snprintf(name, sizeof(name), "%s%s", kmt_escape(caller, sizeof(caller), row->caller),
		       row->taint && strchr(row->taint, 'O') ? " (out of tree)" : "");
	return set_texts(item, name, "vmalloc", NULL);
}

int kmt_items_of_rows(const struct kmt_result *result, struct kmt_item **ret_items, size_t *ret_nr)
{
	struct kmt_item *items = calloc(result->nr_rows ? result->nr_rows : 1, sizeof(*items));
	int r = items ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < result->nr_rows; i++)
		r = fill_row(&items[i], result->group, &result->rows[i]);
	if (r < 0) {
		kmt_items_free(items, result->nr_rows);
		return r;
	}
	*ret_items = items;
	*ret_nr = result->nr_rows;
	return 0;
}

int kmt_items_of_vmallocs(const struct kmt_result *result, struct kmt_item **ret_items,
			  size_t *ret_nr)
{
	const struct kmt_reconciliation *counted = &result->reconciliation;
	size_t nr = counted->nr_vmallocs;
	struct kmt_item *items = calloc(nr ? nr : 1, sizeof(*items));
	int r = items ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < nr; i++)
		r = fill_vmalloc(&items[i], &counted->vmallocs[i]);
	if (r < 0) {
		kmt_items_free(items, nr);
		return r;
	}
	*ret_items = items;
	*ret_nr = nr;
	return 0;
}

void kmt_items_free(struct kmt_item *items, size_t nr)
{
	for (size_t i = 0; items && i < nr; i++) {
		free(items[i].name);
		free(items[i].tags);
	}
	free(items);
}
