// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <string.h>

#include "rows.h"

/* An account on its way into a row. */
struct item {
	const struct kmt_account *account;
	struct kmt_symbol symbol;
	bool is_unknown;   /* there is no symbol */
	const char *cache; /* interned; NULL unknown */
};

static int by_text(const char *a, const char *b)
{
	if (!a || !b)
		return !b - !a;
	return strcmp(a, b);
}

static int by_number(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* 0: both belong to the same row */
static int by_group(const struct item *a, const struct item *b, enum kmt_group group)
{
	int r = 0;

	switch (group) {
	case KMT_BY_SITE:
		/* One address can be the code of several modules in turn. */
		(void)((r = by_number(a->account->key.call_site, b->account->key.call_site)) ||
		       (r = by_number(a->symbol.instance, b->symbol.instance)));
		return r;
	case KMT_BY_CACHE:
		return by_text(a->cache, b->cache);
	case KMT_BY_MODULE:
		r = a->is_unknown - b->is_unknown;
		return r ? r : by_text(a->symbol.module, b->symbol.module);
	case KMT_BY_COMM:
		return by_text(a->account->key.comm, b->account->key.comm);
	case KMT_BY_PID:
		return by_number((uint32_t)a->account->key.pid, (uint32_t)b->account->key.pid);
	}
	return r;
}

static int compare(const void *left, const void *right, void *context)
{
	const struct item *a = left, *b = right;
	int r = by_group(a, b, *(const enum kmt_group *)context);

	/* Then by cache, so that those of a row can be counted; the rest keeps the order of the
	 * tape. */
	(void)(r || (r = by_text(a->cache, b->cache)) ||
	       (r = (a->account > b->account) - (a->account < b->account)));
	return r;
}

static void fill_item(struct item *item, const struct kmt_account *account,
		      const struct kmt_rows_context *context)
{
	char buf[KMT_CACHE_NAME_BYTES];
	const char *cache = kmt_account_cache(account, context->page_bytes, buf);

	item->account = account;
	item->cache = cache ? kmt_names_intern(context->names, cache, strlen(cache)) : NULL;
	item->is_unknown =
		!kmt_symbols_look_up(context->symbols, account->key.call_site, account->first_pid,
				     account->first_ns, &item->symbol);
}

/* What the row is called. Names come from the item, or are copied if they go with the tape. */
static int name_row(struct kmt_result *result, struct kmt_row *row, const struct item *item)
{
	const struct kmt_account_key *key = &item->account->key;
	int r = 0;

	row->taint = "";
	row->is_unknown = item->is_unknown;
	if (result->group == KMT_BY_SITE) {
		row->call_site = key->call_site;
		row->offset = item->symbol.offset;
		row->size = item->symbol.size;
		r = kmt_result_keep(result, item->symbol.function, &row->function);
	}
	if (r == 0 && (result->group == KMT_BY_SITE || result->group == KMT_BY_MODULE)) {
		r = kmt_result_keep(result, item->symbol.module, &row->module);
		if (r == 0)
			r = kmt_result_keep(result, item->symbol.taint, &row->taint);
	}
	if (r == 0 && (result->group == KMT_BY_COMM || result->group == KMT_BY_PID))
		r = kmt_result_keep(result, key->comm, &row->comm);
	if (result->group == KMT_BY_PID)
		row->pid = key->pid;
	return r;
}

static void add_account(struct kmt_result *result, struct kmt_row *row,
			const struct kmt_account *account, uint64_t end_ns)
{
	uint64_t live_bytes = account->live_objects * account->key.bytes_alloc;
	uint64_t age_ns = account->live_objects ? end_ns - account->oldest_ns : 0;

	row->allocs += account->allocs;
	row->frees += account->frees;
	row->reused += account->reused;
	row->live_objects += account->live_objects;
	row->live_bytes += live_bytes;
	row->requested_bytes += account->live_requested_bytes;
	row->uncertain_objects += account->uncertain_objects;
	if (age_ns > row->oldest_age_ns)
		row->oldest_age_ns = age_ns;
	result->live_bytes += live_bytes;
	if (account->key.is_recorder) {
		row->recorder_objects += account->live_objects;
		result->recorder_objects += account->live_objects;
		result->recorder_bytes += live_bytes;
	}
}

/* The cache that holds most of what is live, else most of what was allocated. */
struct cache_tally {
	const char *cache;
	uint64_t live_bytes, allocs;
};

static bool is_more(const struct cache_tally *a, const struct cache_tally *b)
{
	if (a->live_bytes != b->live_bytes)
		return a->live_bytes > b->live_bytes;
	return a->allocs > b->allocs;
}

/* Items of one row, sorted by cache. Return: 0 or -ENOMEM. */
static int make_row(struct kmt_result *result, const struct item *items, size_t nr, uint64_t end_ns)
{
	struct kmt_row *row = &result->rows[result->nr_rows];
	struct cache_tally tally = { 0 }, best = { 0 };
	int r;

	*row = (struct kmt_row){ 0 };
	for (size_t i = 0; i < nr; i++) {
		const struct kmt_account *account = items[i].account;

		add_account(result, row, account, end_ns);
		if (!items[i].cache)
			continue;
		if (tally.cache != items[i].cache) {
			tally = (struct cache_tally){ .cache = items[i].cache };
			row->nr_caches++;
		}
		tally.live_bytes += account->live_objects * account->key.bytes_alloc;
		tally.allocs += account->allocs;
		if (!best.cache || is_more(&tally, &best))
			best = tally;
	}
	if (row->allocs == 0)
		return 0; /* all of it was the first of two events for one allocation */
	r = name_row(result, row, &items[0]);
	if (r == 0 && (result->group == KMT_BY_SITE || result->group == KMT_BY_CACHE))
		r = kmt_result_keep(result, best.cache, &row->cache);
	if (r == 0)
		result->nr_rows++;
	return r;
}

int kmt_rows_fill(struct kmt_result *result, const struct kmt_ledger *ledger,
		  const struct kmt_rows_context *context, uint64_t end_ns)
{
	KMT_CLEANUP(kmt_freep) struct item *items = NULL;
	const struct kmt_account *accounts;
	size_t nr, to;

	accounts = kmt_ledger_accounts(ledger, &nr);
	items = calloc(nr ? nr : 1, sizeof(*items));
	result->rows = calloc(nr ? nr : 1, sizeof(*result->rows));
	if (!items || !result->rows)
		return -ENOMEM;
	for (size_t i = 0; i < nr; i++)
		fill_item(&items[i], &accounts[i], context);
	if (nr)
		qsort_r(items, nr, sizeof(*items), compare, &result->group);
	for (size_t from = 0; from < nr; from = to) {
		int r;

		for (to = from + 1; to < nr; to++)
			if (by_group(&items[from], &items[to], result->group) != 0)
				break;
		r = make_row(result, &items[from], to - from, end_ns);
		if (r < 0)
			return r;
	}
	return 0;
}
