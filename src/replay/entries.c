// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <string.h>

#include "entries.h"

int kmt_entry_compare_caches(const struct kmt_entry *a, const struct kmt_entry *b)
{
	uint64_t x = a->account->key.bytes_alloc, y = b->account->key.bytes_alloc;

	if (a->cache && b->cache)
		return a->cache == b->cache ? 0 : strcmp(a->cache, b->cache);
	if (a->cache || b->cache)
		return !a->cache - !b->cache;
	return (x > y) - (x < y);
}

static int compare(const void *left, const void *right)
{
	return kmt_entry_compare_caches(left, right);
}

static int fill_entry(struct kmt_entry *entry, const struct kmt_account *account,
		      const struct kmt_rows_context *context, uint64_t end_ns)
{
	char buf[KMT_CACHE_NAME_BYTES];
	const char *cache = kmt_account_cache(account, context->page_bytes, buf);

	entry->account = account;
	entry->cache = cache ? kmt_names_intern(context->names, cache, strlen(cache)) : NULL;
	if (cache && !entry->cache)
		return -ENOMEM;
	entry->is_unknown =
		!kmt_symbols_look_up(context->symbols, account->key.call_site, account->first_pid,
				     account->first_ns, &entry->symbol);
	entry->is_unloaded = entry->symbol.unloaded_ns && entry->symbol.unloaded_ns <= end_ns;
	return 0;
}

/* Entries of one cache are neighbours then. */
static void sum_up(struct kmt_entries *entries, const struct kmt_reconciler *reconciler)
{
	struct kmt_cache_sum *sum = entries->sums;

	if (entries->nr)
		qsort(entries->entries, entries->nr, sizeof(*entries->entries), compare);
	for (size_t i = 0; i < entries->nr; i++) {
		struct kmt_entry *entry = &entries->entries[i];

		if (i && compare(&entry[-1], entry) != 0)
			sum++;
		if (i == 0 || entry[-1].sum != sum)
			kmt_reconciler_limit(reconciler, entry->cache,
					     entry->account->key.bytes_alloc, &sum->limit);
		entry->sum = sum;
		sum->frees += entry->account->frees;
		sum->reused += entry->account->reused;
	}
}

int kmt_entries_init(struct kmt_entries *entries, const struct kmt_ledger *ledger,
		     const struct kmt_rows_context *context,
		     const struct kmt_reconciler *reconciler, uint64_t end_ns)
{
	const struct kmt_account *accounts;
	int r = 0;

	accounts = kmt_ledger_accounts(ledger, &entries->nr);
	entries->entries = calloc(entries->nr ? entries->nr : 1, sizeof(*entries->entries));
	entries->sums = calloc(entries->nr ? entries->nr : 1, sizeof(*entries->sums));
	if (!entries->entries || !entries->sums)
		r = -ENOMEM;
	for (size_t i = 0; r == 0 && i < entries->nr; i++)
		r = fill_entry(&entries->entries[i], &accounts[i], context, end_ns);
	if (r < 0) {
		kmt_entries_deinit(entries);
		return r;
	}
	sum_up(entries, reconciler);
	return 0;
}

void kmt_entries_deinit(struct kmt_entries *entries)
{
	free(entries->entries);
	free(entries->sums);
	*entries = (struct kmt_entries){ 0 };
}
