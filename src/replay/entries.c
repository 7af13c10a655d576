// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <string.h>

#include "appendages.h"
#include "entries.h"
#include "uses.h"

static int by_number(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

int kmt_code_compare(const struct kmt_code *a, const struct kmt_code *b)
{
	int r = by_number(a->address, b->address);

	return r ? r : by_number(a->symbol.instance, b->symbol.instance);
}

/* "foo.isra.0" is "foo". Names of old powerpc begin with '.'. */
static size_t name_bytes(const char *function)
{
	size_t dots = strspn(function, ".");

	return dots + strcspn(function + dots, ".");
}

int kmt_code_compare_functions(const struct kmt_code *a, const struct kmt_code *b)
{
	const char *x = a->symbol.function, *y = b->symbol.function;
	int r = by_number(a->symbol.instance, b->symbol.instance);
	size_t bytes_x, bytes_y;

	if (r || !x || !y)
		return r ? r : x || y ? !y - !x : by_number(a->address, b->address);
	bytes_x = name_bytes(x);
	bytes_y = name_bytes(y);
	r = strncmp(x, y, bytes_x < bytes_y ? bytes_x : bytes_y);
	return r ? r : by_number(bytes_x, bytes_y);
}

/*
 * A row is of one address space, and pages of it all went to one use: what is a part of another
 * space is not to be added to what isn't.
 */
int kmt_entry_compare_spaces(const struct kmt_entry *a, const struct kmt_entry *b)
{
	int r = by_number(a->account->key.space, b->account->key.space);

	return r ? r : by_number(a->use, b->use);
}

int kmt_entry_compare_caches(const struct kmt_entry *a, const struct kmt_entry *b)
{
	uint64_t x = a->account->key.bytes_alloc, y = b->account->key.bytes_alloc;
	int r = by_number(a->account->key.space, b->account->key.space);

	if (r)
		return r;
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

static bool has_gone(uint64_t unloaded_ns, uint64_t end_ns)
{
	return unloaded_ns && unloaded_ns <= end_ns;
}

static void look_up(struct kmt_code *code, const struct kmt_account *account,
		    const struct kmt_symbols *symbols, uint64_t end_ns)
{
	code->address = account->key.call_site;
	code->is_unknown = !kmt_symbols_look_up(symbols, code->address, account->first_pid,
						account->first_ns, &code->symbol);
	code->is_unloaded = has_gone(code->symbol.unloaded_ns, end_ns);
}

static void take_frame(struct kmt_code *code, const struct kmt_named_frame *named, uint64_t end_ns)
{
	*code = (struct kmt_code){
		.address = named->frame.address,
		.symbol = {
			.function = named->frame.function,
			.offset = named->frame.offset,
			.size = named->frame.size,
			.module = named->frame.module,
			.taint = named->frame.taint,
			.instance = named->instance,
			.unloaded_ns = named->unloaded_ns,
		},
		.is_unknown = named->is_unknown,
		.is_unloaded = has_gone(named->unloaded_ns, end_ns),
	};
}

int kmt_code_find_site(const struct kmt_symbols *symbols, struct kmt_frames *frames,
		       const struct kmt_account *account, uint64_t end_ns,
		       struct kmt_code *ret_site)
{
	const struct kmt_trace *trace = NULL;
	int r = 0;

	look_up(ret_site, account, symbols, end_ns);
	if (frames && !account->key.call_site)
		r = kmt_frames_trace(frames, account, &trace);
	if (trace)
		take_frame(ret_site, kmt_trace_frame(frames, trace, trace->site), end_ns);
	return r;
}

static int trace_entry(struct kmt_entry *entry, struct kmt_frames *frames, uint64_t end_ns)
{
	const struct kmt_trace *trace;
	int r = kmt_frames_trace(frames, entry->account, &entry->trace);

	trace = entry->trace;
	if (r < 0 || !trace)
		return r;
	if (trace->owner != trace->site)
		take_frame(&entry->owner, kmt_trace_frame(frames, trace, trace->owner), end_ns);
	return 0;
}

/* Pages: by the stack, else by the flags. Return: 0 or -ENOMEM. */
static int find_use(struct kmt_entry *entry, const struct kmt_rows_context *context)
{
	static const struct kmt_gfp_names nameless;
	char flags[KMT_GFP_TEXT_BYTES];

	if (entry->trace) {
		entry->use = kmt_use_of_stack(context->frames, entry->trace);
		return 0;
	}
	kmt_gfp_format(context->gfp ? context->gfp : &nameless, entry->account->key.gfp, flags);
	entry->use = kmt_use_of_flags(flags);
	entry->gfp = kmt_names_intern(context->names, flags, strlen(flags));
	return entry->gfp ? 0 : -ENOMEM;
}

static int fill_entry(struct kmt_entry *entry, const struct kmt_account *account,
		      const struct kmt_rows_context *context, uint64_t end_ns)
{
	char buf[KMT_CACHE_NAME_BYTES];
	const char *cache = kmt_account_cache(account, context->page_bytes, buf);
	int r;

	entry->account = account;
	entry->cache = cache ? kmt_names_intern(context->names, cache, strlen(cache)) : NULL;
	if (cache && !entry->cache)
		return -ENOMEM;
	if (kmt_code_find_site(context->symbols, context->frames, account, end_ns, &entry->site) <
	    0)
		return -ENOMEM;
	entry->owner = entry->site;
	r = context->frames ? trace_entry(entry, context->frames, end_ns) : 0;
	return r == 0 && account->key.space == KMT_SPACE_PAGE ? find_use(entry, context) : r;
}

/*
 * What goes with something else is nobody's: whoever happened to come first had the allocator make
 * it. Where the kernel can take its owner back, it's of interest all the same who wanted that.
 */
static void keep_appendage(struct kmt_entry *entry)
{
	const struct kmt_symbol *symbol = &entry->site.symbol;

	if (entry->trace && symbol->function && !symbol->module &&
	    kmt_appendage_owner(symbol->function) && !entry->sum->limit.is_reclaimable)
		entry->owner = entry->site;
}

/* Only the slab's objects are in slabinfo. */
static void find_limit(struct kmt_cache_limit *limit, const struct kmt_entry *entry,
		       const struct kmt_reconciler *reconciler)
{
	const struct kmt_account_key *key = &entry->account->key;

	if (key->space == KMT_SPACE_SLAB)
		kmt_reconciler_limit(reconciler, entry->cache, key->bytes_alloc, limit);
	else
		*limit = (struct kmt_cache_limit){ .allows = KMT_UNKNOWN };
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
			find_limit(&sum->limit, entry, reconciler);
		entry->sum = sum;
		sum->frees += entry->account->frees;
		sum->reused += entry->account->reused;
		keep_appendage(entry);
	}
}

static int by_site(const void *left, const void *right)
{
	const struct kmt_entry *a = left, *b = right;
	int r = by_number(a->account->key.space, b->account->key.space);

	return r ? r : kmt_code_compare(&a->site, &b->site);
}

/* Return: 0 or -ENOMEM. */
static int sum_up_sites(struct kmt_entries *entries)
{
	struct kmt_entry *all = entries->entries;
	struct kmt_site_sum *sum;

	if (!entries->nr_traced)
		return 0;
	sum = calloc(entries->nr, sizeof(*sum));
	if (!sum)
		return -ENOMEM;
	entries->site_sums = sum;
	qsort(all, entries->nr, sizeof(*all), by_site);
	for (size_t i = 0; i < entries->nr; i++) {
		if (i && by_site(&all[i - 1], &all[i]) != 0)
			sum++;
		all[i].site_sum = sum;
		sum->frees += all[i].account->frees;
		sum->reused += all[i].account->reused;
	}
	return 0;
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
	entries->frames = context->frames;
	entries->blindness = context->blindness;
	for (size_t i = 0; r == 0 && i < entries->nr; i++) {
		r = fill_entry(&entries->entries[i], &accounts[i], context, end_ns);
		entries->nr_traced += entries->entries[i].trace != NULL;
	}
	if (r == 0)
		r = sum_up_sites(entries);
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
	free(entries->site_sums);
	*entries = (struct kmt_entries){ 0 };
}
