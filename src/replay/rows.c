// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <string.h>

#include "kmemtape/counters.h"

#include "appendages.h"
#include "entries.h"
#include "row-stacks.h"
#include "rows.h"
#include "uses.h"

/* In what order entries are, and which of them are one row. */
struct order {
	struct kmt_grouping grouping;
	const struct kmt_frames *frames;
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

static bool is_of_stack(enum kmt_group group)
{
	return group == KMT_BY_SITE || group == KMT_BY_STACK || group == KMT_BY_OWNER;
}

/* Page frames that nobody knows more of than how they were asked for, and in which task. */
static bool is_nameless(const struct kmt_entry *entry)
{
	return entry->account->key.space == KMT_SPACE_PAGE && !entry->trace &&
	       !kmt_account_is_rest(entry->account);
}

static int by_request(const struct kmt_entry *a, const struct kmt_entry *b)
{
	const struct kmt_account_key *x = &a->account->key, *y = &b->account->key;
	int r = is_nameless(a) - is_nameless(b);

	if (r || !is_nameless(a))
		return r;
	(void)((r = by_number(x->bytes_alloc, y->bytes_alloc)) || (r = by_number(x->gfp, y->gfp)) ||
	       (r = by_text(x->comm, y->comm)));
	return r;
}

/* Nor is what was not told apart to be added to anything else. */
static int by_rest(const struct kmt_entry *a, const struct kmt_entry *b)
{
	return kmt_account_is_rest(a->account) - kmt_account_is_rest(b->account);
}

/* 0: both belong to the same row */
static int by_group(const struct kmt_entry *a, const struct kmt_entry *b, const struct order *order)
{
	enum kmt_group group = order->grouping.group;
	int r = kmt_entry_compare_spaces(a, b);

	if (r == 0)
		r = by_rest(a, b);
	if (r == 0 && is_of_stack(group))
		r = by_request(a, b);
	if (r)
		return r;
	switch (group) {
	case KMT_BY_SITE:
		/* One address can be the code of several modules in turn. */
		r = kmt_code_compare(&a->site, &b->site);
		if (r || !order->grouping.is_parted)
			return r;
		return kmt_code_compare_functions(&a->owner, &b->owner);
	case KMT_BY_STACK:
		r = kmt_code_compare(&a->site, &b->site);
		return r ? r : kmt_trace_compare(order->frames, a->trace, b->trace);
	case KMT_BY_OWNER:
		return kmt_code_compare_functions(&a->owner, &b->owner);
	case KMT_BY_CACHE:
		return by_text(a->cache, b->cache);
	case KMT_BY_MODULE:
		r = a->site.is_unknown - b->site.is_unknown;
		return r ? r : by_text(a->site.symbol.module, b->site.symbol.module);
	case KMT_BY_COMM:
		return by_text(a->account->key.comm, b->account->key.comm);
	case KMT_BY_PID:
		return by_number((uint32_t)a->account->key.pid, (uint32_t)b->account->key.pid);
	}
	return r;
}

static int compare(const void *left, const void *right, void *context)
{
	const struct kmt_entry *a = left, *b = right;
	int r = by_group(a, b, context);

	/* Then by cache, so that each is met once; the rest keeps the order of the tape. */
	(void)(r || (r = kmt_entry_compare_caches(a, b)) ||
	       (r = (a->account > b->account) - (a->account < b->account)));
	return r;
}

/* A row in the making. */
struct draft {
	struct kmt_grouping grouping;
	struct kmt_row row;
	struct kmt_evidence evidence;
	struct kmt_history history;
	bool has_history;
	const struct kmt_entry *main;	/* of the cache that holds most */
	const struct kmt_entry *oldest; /* of a part: with most mature objects */
};

static bool is_of_site(enum kmt_group group)
{
	return group == KMT_BY_SITE || group == KMT_BY_STACK;
}

static bool is_of_code(enum kmt_group group)
{
	return is_of_site(group) || group == KMT_BY_MODULE || group == KMT_BY_OWNER;
}

/* Is it just a part of one or more call sites, all that is for somebody? */
static bool is_of_owner(const struct kmt_grouping *grouping)
{
	return grouping->is_parted || grouping->group == KMT_BY_STACK ||
	       grouping->group == KMT_BY_OWNER;
}

/* By whose code the row is judged. */
static const struct kmt_code *code_of(const struct draft *draft, const struct kmt_entry *entry)
{
	return is_of_owner(&draft->grouping) ? &entry->owner : &entry->site;
}

static int name_owner(struct kmt_result *result, struct kmt_row *row, const struct kmt_entry *entry)
{
	row->instance = entry->owner.symbol.instance;
	row->is_unknown = entry->owner.is_unknown;
	if (!entry->owner.symbol.function) {
		row->call_site = entry->owner.address;
		row->offset = entry->owner.symbol.offset;
		return 0;
	}
	return kmt_row_keep_function(result, &entry->owner, &row->function);
}

static int name_space(struct kmt_result *result, struct kmt_row *row, const struct kmt_entry *entry)
{
	row->space = entry->account->key.space;
	row->use = entry->use;
	if (row->space < KMT_SPACE_PAIR)
		return 0;
	return kmt_result_keep(result, result->pairs[row->space - KMT_SPACE_PAIR], &row->pair);
}

static int name_request(struct kmt_result *result, struct kmt_row *row,
			const struct kmt_entry *entry)
{
	int r = kmt_result_keep(result, entry->gfp, &row->gfp);

	row->bytes_each = entry->account->key.bytes_alloc;
	return r < 0 ? r : kmt_result_keep(result, entry->account->key.comm, &row->comm);
}

/* What the row is called. Names come from the entry, or are copied if they go with the tape. */
static int name_row(struct kmt_result *result, struct draft *draft, const struct kmt_entry *entry)
{
	const struct kmt_account_key *key = &entry->account->key;
	enum kmt_group group = draft->grouping.group;
	const struct kmt_code *code = group == KMT_BY_OWNER ? &entry->owner : &entry->site;
	struct kmt_row *row = &draft->row;
	int r = 0;

	row->taint = "";
	row->is_unknown = entry->site.is_unknown;
	row->is_rest = kmt_account_is_rest(entry->account);
	r = name_space(result, row, entry);
	if (r == 0 && is_nameless(entry) && is_of_stack(group))
		r = name_request(result, row, entry);
	if (r == 0 && is_of_site(group)) {
		row->call_site = entry->site.address;
		row->instance = entry->site.symbol.instance;
		row->offset = entry->site.symbol.offset;
		row->size = entry->site.symbol.size;
		r = kmt_result_keep(result, entry->site.symbol.function, &row->function);
	}
	if (r == 0 && group == KMT_BY_OWNER)
		r = name_owner(result, row, entry);
	if (r == 0 && is_of_code(group)) {
		r = kmt_result_keep(result, code->symbol.module, &row->module);
		if (r == 0)
			r = kmt_result_keep(result, code->symbol.taint, &row->taint);
	}
	if (r == 0 && (group == KMT_BY_COMM || group == KMT_BY_PID))
		r = kmt_result_keep(result, key->comm, &row->comm);
	if (group == KMT_BY_PID)
		row->pid = key->pid;
	if (r == 0 && draft->main && group != KMT_BY_MODULE && group != KMT_BY_COMM &&
	    group != KMT_BY_PID)
		r = kmt_result_keep(result, draft->main->cache, &row->cache);
	return r;
}

static void add_to_row(struct kmt_row *row, const struct kmt_account *account, uint64_t end_ns)
{
	uint64_t age_ns = account->live_objects ? end_ns - account->oldest_ns : 0;

	row->allocs += account->allocs;
	row->frees += account->frees;
	row->reused += account->reused;
	row->alloc_bytes += account->allocs * account->key.bytes_alloc;
	row->live_objects += account->live_objects;
	row->live_bytes += account->live_objects * account->key.bytes_alloc;
	row->requested_bytes += account->live_requested_bytes;
	row->uncertain_objects += account->uncertain_objects;
	if (account->key.is_recorder)
		row->recorder_objects += account->live_objects;
	if (age_ns > row->oldest_age_ns)
		row->oldest_age_ns = age_ns;
	row->mature_objects += account->mature_objects;
	row->mature_bytes += account->mature_objects * account->key.bytes_alloc;
}

/* Stacks of tasks and the like, as for the areas that vmallocinfo tells. */
static const char *area_owner(const struct kmt_entry *entry)
{
	const struct kmt_symbol *symbol = &entry->site.symbol;
	bool is_stack;

	if (!symbol->function || symbol->module || !kmt_vmalloc_excuse(symbol->function, &is_stack))
		return NULL;
	return is_stack ? "a task" : "a module, a program or the like";
}

/* Modules can name their functions as they like. */
static const char *owner_of(const struct kmt_entry *entry)
{
	uint32_t space = entry->account->key.space;

	if (space == KMT_SPACE_PAGE)
		return kmt_use_owner(entry->use);
	if (space == KMT_SPACE_VMALLOC)
		return area_owner(entry);
	if (space != KMT_SPACE_SLAB)
		return NULL;
	return entry->site.symbol.function && !entry->site.symbol.module
		       ? kmt_appendage_owner(entry->site.symbol.function)
		       : NULL;
}

/*
 * Of pairs only the number is known; where bytes are judged, each counts as one. So what looks like
 * bytes in the judgement of a pair is objects.
 */
static uint64_t judged_bytes(const struct kmt_account *account)
{
	return account->key.space < KMT_SPACE_PAIR ? account->key.bytes_alloc : 1;
}

static void add_entry(struct draft *draft, const struct kmt_entry *entry)
{
	const struct kmt_account *account = entry->account;
	struct kmt_evidence *evidence = &draft->evidence;
	uint64_t live = kmt_account_live(account);
	struct kmt_row *row = &draft->row;

	add_to_row(row, account, evidence->end_ns);
	evidence->live_objects += live;
	evidence->live_bytes += live * judged_bytes(account);
	evidence->exposed_objects += account->exposed_objects;
	if (is_of_code(draft->grouping.group)) {
		const struct kmt_code *code = code_of(draft, entry);

		evidence->is_module |= code->symbol.module != NULL;
		evidence->is_out_of_tree |= strchr(code->symbol.taint, 'O') != NULL;
		/* What was made to be handed on may be with someone else by now. */
		evidence->is_unloaded |=
			code->is_unloaded && live &&
			(code == &entry->site || !entry->trace || !entry->trace->is_handed_on);
	}
	if (!account->track)
		return;
	draft->has_history = true;
	kmt_history_add(&draft->history, account->track, judged_bytes(account));
}

/* What is known of a cache, once for each; of several, the least that is known of any. */
static void add_cache(struct draft *draft, const struct kmt_entry *entry)
{
	struct kmt_evidence *evidence = &draft->evidence;
	const struct kmt_cache_sum *sum = entry->sum;

	draft->row.nr_caches += entry->cache != NULL;
	evidence->cache_frees += sum->frees;
	evidence->cache_reused += sum->reused;
	evidence->is_reclaimable &= sum->limit.is_reclaimable;
	if (sum->limit.allows == KMT_UNKNOWN ||
	    __builtin_add_overflow(evidence->cache_allows, sum->limit.allows,
				   &evidence->cache_allows))
		evidence->cache_allows = KMT_UNKNOWN;
}

/* The cache that holds most of what is live, else most of what was allocated. */
struct tally {
	const struct kmt_entry *entry;
	uint64_t live_bytes, allocs;
};

static bool is_more(const struct tally *a, const struct tally *b)
{
	if (!b->entry || a->live_bytes != b->live_bytes)
		return !b->entry || a->live_bytes > b->live_bytes;
	return a->allocs > b->allocs;
}

static const char *doubt_of(const struct kmt_entry *entry)
{
	if (entry->account->key.space != KMT_SPACE_PAGE || entry->use != KMT_USE_UNKNOWN)
		return NULL;
	return "no stack tells whose pages these are: they may be the slab's or a process's";
}

/* Entries of one row, sorted by cache. */
static void sum_up(struct draft *draft, const struct kmt_entry *entries, size_t nr)
{
	struct tally tally = { 0 }, best = { 0 };

	draft->evidence.is_reclaimable = true;
	draft->evidence.cache_allows = 0;
	draft->evidence.owner = owner_of(&entries[0]);
	draft->evidence.doubt = doubt_of(&entries[0]);
	draft->evidence.is_rest = kmt_account_is_rest(entries[0].account);
	/* Of these all frees have their event; it's alloc_pages_bulk() that has none. */
	if (entries[0].account->key.space != KMT_SPACE_SLAB)
		draft->evidence.has_free_probes |= entries[0].account->key.space < KMT_SPACE_PAIR;
	for (size_t i = 0; i < nr; i++) {
		const struct kmt_account *account = entries[i].account;

		add_entry(draft, &entries[i]);
		if (!owner_of(&entries[i]))
			draft->evidence.owner = NULL;
		if (!draft->oldest ||
		    account->mature_objects > draft->oldest->account->mature_objects)
			draft->oldest = &entries[i];
		if (i == 0 || !kmt_entry_shares_cache(&entries[i - 1], &entries[i])) {
			add_cache(draft, &entries[i]);
			tally = (struct tally){ .entry = &entries[i] };
		}
		tally.live_bytes += account->live_objects * account->key.bytes_alloc;
		tally.allocs += account->allocs;
		if (entries[i].cache && is_more(&tally, &best))
			best = tally;
	}
	draft->main = best.entry;
	if (is_of_owner(&draft->grouping) && draft->oldest->site_sum) {
		draft->evidence.site_frees = draft->oldest->site_sum->frees;
		draft->evidence.site_reused = draft->oldest->site_sum->reused;
	}
	draft->evidence.is_cache_confirmed = best.entry && best.entry->sum->limit.is_confirmed;
}

/* A row without history never held anything for long: there is nothing to judge. */
static int judge(struct draft *draft)
{
	struct kmt_evidence *evidence = &draft->evidence;
	struct kmt_row *row = &draft->row;

	row->is_unloaded = evidence->is_unloaded;
	row->is_reclaimable = evidence->is_reclaimable;
	evidence->history = &draft->history;
	evidence->allocs = row->allocs;
	evidence->frees = row->frees;
	evidence->reused = row->reused;
	evidence->mature_objects = row->mature_objects;
	evidence->mature_bytes = kmt_row_has_size(row) ? row->mature_bytes : row->mature_objects;
	if (!draft->has_history)
		return 0;
	if (kmt_history_pack(&draft->history, &row->history) < 0)
		return -ENOMEM;
	evidence->busy_until_ns =
		kmt_grid_busy_until(evidence->grid, draft->history.born, evidence->allocs_off_ns);
	return kmt_judge(evidence, &row->judgement);
}

static void deinit_draft(struct draft *draft)
{
	free(draft->row.history);
	free(draft->row.judgement.reasons);
}

/* Return: 1, 0 if there is no row, -ENOMEM. */
static int make_row(struct draft *draft, const struct kmt_entries *all,
		    const struct kmt_entry *entries, size_t nr, struct kmt_result *result)
{
	enum kmt_group group = draft->grouping.group;
	int r;

	sum_up(draft, entries, nr);
	/* All of it was the first of two events for one allocation. What is left of larger blocks
	   of pages was never allocated, either, but it's live. */
	if (draft->row.allocs == 0 && draft->evidence.live_objects == 0)
		return 0;
	r = name_row(result, draft, &entries[0]);
	if (r == 0 && is_of_code(group) && group != KMT_BY_MODULE)
		r = kmt_row_stacks_fill(all, entries, nr, is_of_site(group), result, &draft->row);
	if (r == 0)
		r = judge(draft);
	return r < 0 ? r : 1;
}

int kmt_rows_fill(const struct kmt_entries *entries, struct kmt_grouping grouping,
		  const struct kmt_evidence *tape, struct kmt_result *result,
		  struct kmt_row **ret_rows, size_t *ret_nr)
{
	struct kmt_row *rows = calloc(entries->nr ? entries->nr : 1, sizeof(*rows));
	struct order order = { grouping, entries->frames };
	struct kmt_entry *all = entries->entries;
	size_t nr = 0, to;
	int r = 0;

	if (!rows)
		return -ENOMEM;
	if (entries->nr)
		qsort_r(all, entries->nr, sizeof(*all), compare, &order);
	for (size_t from = 0; r >= 0 && from < entries->nr; from = to) {
		struct draft draft = { .grouping = grouping, .evidence = *tape };

		draft.evidence.blindness = entries->blindness[all[from].account->key.space];
		for (to = from + 1; to < entries->nr; to++)
			if (by_group(&all[from], &all[to], &order) != 0)
				break;
		r = make_row(&draft, entries, &all[from], to - from, result);
		for (size_t i = from; i < to; i++)
			all[i].row = r == 1 ? (uint32_t)nr : KMT_NO_ROW;
		if (r == 1)
			rows[nr++] = draft.row;
		else
			deinit_draft(&draft);
	}
	if (r < 0) {
		kmt_result_free_rows(rows, nr);
		return r;
	}
	*ret_rows = rows;
	*ret_nr = nr;
	return 0;
}
