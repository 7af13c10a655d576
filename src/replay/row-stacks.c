// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kmemtape/site-query.h"

#include "row-stacks.h"

/* How entries are told apart. */
struct order {
	const struct kmt_frames *frames; /* by stack; NULL: by owner */
};

static int compare(const void *left, const void *right, void *context)
{
	const struct kmt_entry *a = *(const struct kmt_entry *const *)left;
	const struct kmt_entry *b = *(const struct kmt_entry *const *)right;
	const struct order *order = context;

	return order->frames ? kmt_trace_compare(order->frames, a->trace, b->trace)
			     : kmt_code_compare_functions(&a->owner, &b->owner);
}

/* Those that hold most of what is live, else most of what was allocated. */
struct most {
	const struct kmt_entry *entry; /* one of them */
	uint64_t live_bytes, allocs;
	uint32_t nr; /* of the different ones */
};

static void add(struct most *sum, const struct kmt_account *account)
{
	sum->live_bytes += account->live_objects * account->key.bytes_alloc;
	sum->allocs += account->allocs;
}

static bool is_more(const struct most *a, const struct most *b)
{
	if (!b->entry || a->live_bytes != b->live_bytes)
		return !b->entry || a->live_bytes > b->live_bytes;
	return a->allocs > b->allocs;
}

/* Entries without a stack are of no stack, and of an owner that is not known. */
static void find_most(const struct kmt_entry **entries, size_t nr, struct order *order,
		      struct most *ret_most)
{
	struct most most = { 0 };
	size_t to;

	qsort_r(entries, nr, sizeof(*entries), compare, order);
	for (size_t from = 0; from < nr; from = to) {
		struct most sum = { .entry = entries[from] };

		for (to = from; to < nr && compare(&entries[from], &entries[to], order) == 0; to++)
			add(&sum, entries[to]->account);
		if (order->frames && !sum.entry->trace)
			continue;
		sum.nr = most.nr + 1;
		if (is_more(&sum, &most))
			most = sum;
		most.nr = sum.nr;
	}
	*ret_most = most;
}

int kmt_row_keep_function(struct kmt_result *result, const struct kmt_code *code,
			  const char **ret_text)
{
	const char *function = code->symbol.function;
	KMT_CLEANUP(kmt_freep) char *text = NULL;

	if (!function) {
		if (asprintf(&text, "0x%" PRIx64, code->address) < 0)
			text = NULL;
	} else {
		size_t dots = strspn(function, ".");

		text = strndup(function, dots + strcspn(function + dots, "."));
	}
	return text ? kmt_result_keep(result, text, ret_text) : -ENOMEM;
}

static int keep_owner(struct kmt_result *result, const struct most *most, struct kmt_row *row)
{
	const struct kmt_code *owner = &most->entry->owner;
	int r;

	row->nr_owners = most->nr;
	if (!kmt_entry_has_owner(most->entry))
		return 0;
	(void)((r = kmt_row_keep_function(result, owner, &row->owner)) < 0 ||
	       (r = kmt_result_keep(result, owner->symbol.module, &row->owner_module)) < 0 ||
	       (r = kmt_result_keep(result, owner->symbol.taint, &row->owner_taint)) < 0);
	return r;
}

int kmt_row_stacks_fill(const struct kmt_entries *all, const struct kmt_entry *entries, size_t nr,
			bool wants_owners, struct kmt_result *result, struct kmt_row *row)
{
	KMT_CLEANUP(kmt_freep) const struct kmt_entry **list = NULL;
	struct order by_stack = { all->frames }, by_owner = { NULL };
	size_t nr_traced = 0;
	struct most most;
	int r;

	for (size_t i = 0; all->nr_traced && i < nr; i++)
		nr_traced += entries[i].trace != NULL;
	if (!nr_traced)
		return 0;
	list = calloc(nr, sizeof(*list));
	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < nr; i++)
		list[i] = &entries[i];
	find_most(list, nr, &by_stack, &most);
	row->nr_stacks = most.nr;
	r = kmt_frames_keep(all->frames, most.entry->trace, &row->frames, &row->nr_frames);
	if (r < 0 || !wants_owners)
		return r;
	find_most(list, nr, &by_owner, &most);
	return keep_owner(result, &most, row);
}

/* Stacks of explained sites */

static bool is_meant(const struct kmt_site_query *query, const struct kmt_code *site)
{
	struct kmt_site_name name = { site->address, site->symbol.function, site->symbol.module,
				      site->symbol.offset };

	return kmt_site_query_matches(query, &name);
}

static int by_site_and_stack(const void *left, const void *right, void *context)
{
	const struct kmt_entry *a = left, *b = right;
	int r = kmt_code_compare(&a->site, &b->site);

	r = r ? r : kmt_entry_compare_spaces(a, b);
	return r ? r : kmt_trace_compare(context, a->trace, b->trace);
}

static int most_live_first(const void *left, const void *right)
{
	const struct kmt_stack_row *a = left, *b = right;

	if (a->live_bytes != b->live_bytes)
		return a->live_bytes > b->live_bytes ? -1 : 1;
	if (a->allocs != b->allocs)
		return a->allocs > b->allocs ? -1 : 1;
	for (size_t i = 0; i < a->nr_frames && i < b->nr_frames; i++)
		if (a->frames[i].address != b->frames[i].address)
			return a->frames[i].address < b->frames[i].address ? -1 : 1;
	return (a->nr_frames > b->nr_frames) - (a->nr_frames < b->nr_frames);
}

/* Entries of one stack. Return: 0 or -ENOMEM. */
static int add_stack(const struct kmt_entries *entries, const struct kmt_entry *first, size_t nr,
		     struct kmt_result *result)
{
	struct kmt_stack_row row = { .site = { first->site.address, first->site.symbol.instance,
					       first->account->key.space, first->use } };
	int r = 0;

	for (size_t i = 0; i < nr; i++) {
		const struct kmt_account *account = first[i].account;

		row.allocs += account->allocs;
		row.live_objects += account->live_objects;
		row.live_bytes += account->live_objects * account->key.bytes_alloc;
	}
	if (row.allocs == 0)
		return 0;
	if (first->trace)
		r = kmt_frames_keep(entries->frames, first->trace, &row.frames, &row.nr_frames);
	if (r == 0)
		result->stacks[result->nr_stacks++] = row;
	return r;
}

int kmt_row_stacks_list(const struct kmt_entries *entries, const char *query,
			struct kmt_result *result)
{
	struct kmt_entry *all = entries->entries;
	struct kmt_site_query asked;
	size_t to;
	int r = 0;

	if (!entries->nr_traced || (query && kmt_site_query_parse(query, &asked) < 0))
		return 0;
	result->stacks = calloc(entries->nr, sizeof(*result->stacks));
	if (!result->stacks)
		return -ENOMEM;
	qsort_r(all, entries->nr, sizeof(*all), by_site_and_stack, entries->frames);
	for (size_t from = 0; r == 0 && from < entries->nr; from = to) {
		for (to = from + 1; to < entries->nr; to++)
			if (by_site_and_stack(&all[from], &all[to], entries->frames) != 0)
				break;
		if (!query || is_meant(&asked, &all[from].site))
			r = add_stack(entries, &all[from], to - from, result);
	}
	if (r == 0 && result->nr_stacks)
		qsort(result->stacks, result->nr_stacks, sizeof(*result->stacks), most_live_first);
	return r;
}
