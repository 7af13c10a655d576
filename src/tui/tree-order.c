// SPDX-License-Identifier: LGPL-2.1-only
#include <string.h>

#include "tree-order.h"

size_t kmt_tree_levels(const struct kmt_result *result, const struct kmt_row *row)
{
	bool has_callers = result->group == KMT_BY_STACK && row->nr_frames > 1;

	return KMT_LEVEL_SITE + 1 + (has_callers ? row->nr_frames - 1 : 0);
}

bool kmt_tree_is_counted_elsewhere(const struct kmt_row *row)
{
	return row->space == KMT_SPACE_PAGE &&
	       (row->use == KMT_USE_SLAB || row->use == KMT_USE_VMALLOC ||
		row->use == KMT_USE_PERCPU || row->use == KMT_USE_USER);
}

static int compare_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_texts(const char *a, const char *b)
{
	if (!a || !b)
		return !b - !a;
	return strcmp(a, b);
}

static int compare_modules(const struct kmt_row *a, const struct kmt_row *b)
{
	bool is_else = kmt_tree_is_counted_elsewhere(a);
	int r = compare_numbers(is_else, kmt_tree_is_counted_elsewhere(b));

	if (r == 0 && is_else)
		return compare_numbers(a->use, b->use);
	(void)(r || (r = compare_texts(a->module, b->module)) ||
	       (r = compare_numbers(a->is_unknown, b->is_unknown)));
	return r;
}

/* What is of no cache is of the kind of memory that it is. */
static int compare_caches(const struct kmt_row *a, const struct kmt_row *b)
{
	int r = compare_texts(a->cache, b->cache);

	(void)(r || a->cache || (r = compare_numbers(a->space, b->space)) ||
	       (r = compare_numbers(a->use, b->use)) ||
	       (r = compare_numbers(a->bytes_each, b->bytes_each)));
	return r;
}

static int compare_sites(const struct kmt_row *a, const struct kmt_row *b)
{
	int r = compare_numbers(a->call_site, b->call_site);

	(void)(r || (r = compare_numbers(a->instance, b->instance)) ||
	       (r = compare_texts(a->gfp, b->gfp)) || (r = compare_texts(a->comm, b->comm)));
	return r;
}

static int compare_frames(const struct kmt_frame *a, const struct kmt_frame *b)
{
	int r = compare_numbers(a->address, b->address);

	(void)(r || (r = compare_texts(a->module, b->module)) ||
	       (r = compare_texts(a->function, b->function)));
	return r;
}

int kmt_tree_compare_at(size_t level, const struct kmt_row *a, const struct kmt_row *b)
{
	if (level == KMT_LEVEL_MODULE)
		return compare_modules(a, b);
	if (level == KMT_LEVEL_CACHE)
		return compare_caches(a, b);
	if (level == KMT_LEVEL_SITE)
		return compare_sites(a, b);
	return compare_frames(&a->frames[level - KMT_LEVEL_SITE],
			      &b->frames[level - KMT_LEVEL_SITE]);
}
