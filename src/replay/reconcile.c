// SPDX-License-Identifier: LGPL-2.1-only
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kmemtape/chunk.h"
#include "kmemtape/snapshots.h"

#include "cache-books.h"
#include "reconcile.h"
#include "vmalloc-series.h"

#define SNAPSHOTS_PATH "snapshots.zst"

struct kmt_reconciler {
	const struct kmt_tape *tape;
	struct kmt_err damage; /* the first, if there is any */
	/* Of the snapshots that are looked at: the first, some in between, the last */
	uint64_t times_ns[KMT_VMALLOC_POINTS_MAX];
	size_t nr_times;
	size_t nr_seen, stride; /* of all snapshots, each stride-th is kept */
	uint64_t last_ns;
	size_t nr_passed; /* of times_ns: events are booked up to there */

	const struct kmt_symbols *symbols;
	struct kmt_counters first, last;
	/* What each said of the bill */
	struct kmt_counter_sample {
		uint64_t time_ns, mem[KMT_MEM_KINDS];
	} samples[KMT_VMALLOC_POINTS_MAX];
	size_t nr_samples;
	struct kmt_vmalloc_series vmallocs;
	struct kmt_cache_books books;
	bool has_books;
	bool is_restored; /* vmallocs, and with them the times, are of an earlier one */
};

struct kmt_reconciler *kmt_reconciler_free(struct kmt_reconciler *reconciler)
{
	if (!reconciler)
		return NULL;
	kmt_counters_deinit(&reconciler->first);
	kmt_counters_deinit(&reconciler->last);
	kmt_vmalloc_series_deinit(&reconciler->vmallocs);
	kmt_cache_books_deinit(&reconciler->books);
	free(reconciler);
	return NULL;
}

/* --- reading snapshots.zst, once for the times, and once more for the numbers --- */

/* A tape that wasn't closed says so itself. */
static void note_damage(struct kmt_reconciler *reconciler, int code, const struct kmt_err *err)
{
	if (!reconciler->damage.text[0] &&
	    (code < 0 || (code == KMT_CHUNK_CUT && reconciler->tape->manifest.is_closed)))
		reconciler->damage = *err;
}

static int feed_chunks(struct kmt_reconciler *reconciler, struct kmt_chunk_reader *reader,
		       struct kmt_chunk_scratch *scratch, struct kmt_snapshots *snapshots)
{
	struct kmt_err err = { "" };
	struct kmt_chunk chunk;
	int r = 0, s;

	for (;;) {
		s = kmt_chunk_reader_next(reader, scratch, &chunk, &err);
		note_damage(reconciler, s, &err);
		if (s == -EBADMSG) {
			kmt_snapshots_skip(snapshots); /* there's a hole in the text */
			continue;
		}
		if (s < 0 || s == KMT_CHUNK_END || s == KMT_CHUNK_CUT)
			break;
		if (s == KMT_CHUNK_GOT)
			r = kmt_snapshots_add(snapshots, chunk.raw, chunk.raw_bytes);
		if (r < 0)
			return r;
	}
	return kmt_snapshots_finish(snapshots, s == KMT_CHUNK_END);
}

/* What can't be read isn't there. Return: 0 or -ENOMEM. */
static int read_snapshots(struct kmt_reconciler *reconciler, const struct kmt_snapshot_sink *sink)
{
	KMT_CLEANUP(kmt_chunk_scratch_freep) struct kmt_chunk_scratch *scratch = NULL;
	KMT_CLEANUP(kmt_chunk_reader_freep) struct kmt_chunk_reader *reader = NULL;
	KMT_CLEANUP(kmt_snapshots_freep) struct kmt_snapshots *snapshots = NULL;
	struct kmt_err err = { "" };
	int r;

	r = kmt_chunk_open_text(reconciler->tape->members, SNAPSHOTS_PATH, &reader, &err);
	if (r == -ENOENT)
		return 0;
	if (r < 0) {
		note_damage(reconciler, r, &err);
		return r == -ENOMEM ? r : 0;
	}
	r = kmt_chunk_scratch_new(&scratch, NULL);
	if (r < 0)
		return r;
	r = kmt_snapshots_new(sink, &snapshots, NULL);
	return r < 0 ? r : feed_chunks(reconciler, reader, scratch, snapshots);
}

/* --- when they were --- */

/* When there are too many, every second one is dropped; the first always stays. */
static void thin(struct kmt_reconciler *reconciler)
{
	size_t to = 0;

	for (size_t i = 0; i < reconciler->nr_times; i += 2)
		reconciler->times_ns[to++] = reconciler->times_ns[i];
	reconciler->nr_times = to;
	reconciler->stride *= 2;
}

static bool want_none(void *context, const struct kmt_snapshot_head *head)
{
	return false;
}

static int note_time(void *context, const struct kmt_snapshot_head *head,
		     struct kmt_counters *counters)
{
	struct kmt_reconciler *reconciler = context;

	if (head->time_ns < reconciler->tape->manifest.dropped_ns)
		return 0; /* of a ring: before what is there of all CPUs */
	if (head->time_ns <= reconciler->last_ns && reconciler->nr_seen)
		return 0; /* time doesn't run backwards */
	reconciler->last_ns = head->time_ns;
	if (reconciler->nr_seen++ % reconciler->stride)
		return 0;
	if (reconciler->nr_times == KMT_VMALLOC_POINTS_MAX - 1) { /* one is for the last */
		thin(reconciler);
		if ((reconciler->nr_seen - 1) % reconciler->stride)
			return 0;
	}
	reconciler->times_ns[reconciler->nr_times++] = head->time_ns;
	return 0;
}

int kmt_reconciler_new(const struct kmt_tape *tape, struct kmt_reconciler **ret_reconciler,
		       struct kmt_err *err)
{
	KMT_CLEANUP(kmt_reconciler_freep)
	struct kmt_reconciler *reconciler = calloc(1, sizeof(*reconciler));
	struct kmt_snapshot_sink sink = { reconciler, want_none, note_time };

	if (!reconciler)
		return kmt_fail(err, -ENOMEM, "out of memory");
	reconciler->tape = tape;
	reconciler->stride = 1;
	kmt_vmalloc_series_init(&reconciler->vmallocs);
	kmt_counters_init(&reconciler->first);
	kmt_counters_init(&reconciler->last);
	if (!tape->manifest.is_distilled && read_snapshots(reconciler, &sink) < 0)
		return kmt_fail(err, -ENOMEM, "out of memory");
	if (reconciler->nr_times &&
	    reconciler->times_ns[reconciler->nr_times - 1] != reconciler->last_ns)
		reconciler->times_ns[reconciler->nr_times++] = reconciler->last_ns;
	*ret_reconciler = KMT_STEAL(reconciler);
	return 0;
}

uint64_t kmt_reconciler_next_ns(const struct kmt_reconciler *reconciler, size_t nr_passed)
{
	return nr_passed < reconciler->nr_times ? reconciler->times_ns[nr_passed] : UINT64_MAX;
}

size_t kmt_reconciler_count(const struct kmt_reconciler *reconciler, size_t nr_passed,
			    uint64_t time_ns)
{
	while (nr_passed < reconciler->nr_times && reconciler->times_ns[nr_passed] <= time_ns)
		nr_passed++;
	return nr_passed;
}

void kmt_reconciler_set_passed(struct kmt_reconciler *reconciler, size_t nr_passed)
{
	reconciler->nr_passed = nr_passed;
}

const struct kmt_vmalloc_series *kmt_reconciler_series(const struct kmt_reconciler *reconciler)
{
	return &reconciler->vmallocs;
}

void kmt_reconciler_restore(struct kmt_reconciler *reconciler, struct kmt_vmalloc_series *series)
{
	kmt_vmalloc_series_deinit(&reconciler->vmallocs);
	reconciler->vmallocs = *series;
	kmt_vmalloc_series_init(series); /* taken */
	reconciler->is_restored = true;
}

/* --- what they say --- */

static bool is_passed(void *context, const struct kmt_snapshot_head *head)
{
	const struct kmt_reconciler *reconciler = context;

	/* They come in order: the next one, or none */
	for (size_t i = reconciler->vmallocs.nr; i < reconciler->nr_passed; i++)
		if (reconciler->times_ns[i] == head->time_ns)
			return true;
	return false;
}

static void keep_sample(struct kmt_reconciler *reconciler, const struct kmt_counters *counters)
{
	struct kmt_counter_sample *sample = &reconciler->samples[reconciler->nr_samples];

	if (reconciler->nr_samples == KMT_VMALLOC_POINTS_MAX)
		return;
	sample->time_ns = counters->time_ns;
	memcpy(sample->mem, counters->mem, sizeof(sample->mem));
	reconciler->nr_samples++;
}

static int take_counters(void *context, const struct kmt_snapshot_head *head,
			 struct kmt_counters *counters)
{
	struct kmt_reconciler *reconciler = context;
	bool is_first = reconciler->vmallocs.nr == 0;
	struct kmt_counters *to = is_first ? &reconciler->first : &reconciler->last;
	int r;

	if (!is_passed(context, head))
		return 0;
	r = kmt_vmalloc_series_add(&reconciler->vmallocs, counters, reconciler->symbols);
	if (r < 0)
		return r;
	keep_sample(reconciler, counters);
	kmt_counters_deinit(to);
	*to = *counters;
	kmt_counters_init(counters); /* taken */
	return 0;
}

/* Of a distilled tape: what was between the first and the last snapshot is in the series. */
static bool is_end(void *context, const struct kmt_snapshot_head *head)
{
	const struct kmt_vmalloc_series *series =
		&((const struct kmt_reconciler *)context)->vmallocs;

	return series->nr && (head->time_ns == series->times_ns[0] ||
			      head->time_ns == series->times_ns[series->nr - 1]);
}

static int take_end(void *context, const struct kmt_snapshot_head *head,
		    struct kmt_counters *counters)
{
	struct kmt_reconciler *reconciler = context;
	bool is_first = head->time_ns == reconciler->vmallocs.times_ns[0];
	struct kmt_counters *to = is_first ? &reconciler->first : &reconciler->last;

	if (!is_end(context, head))
		return 0;
	keep_sample(reconciler, counters);
	kmt_counters_deinit(to);
	*to = *counters;
	kmt_counters_init(counters); /* taken */
	return 0;
}

/* --- the bill --- */

static const enum kmt_meminfo bill_kinds[] = {
	KMT_MEM_SUNRECLAIM, KMT_MEM_SRECLAIMABLE, KMT_MEM_VMALLOC_USED,
	KMT_MEM_PERCPU,	    KMT_MEM_PAGE_TABLES,  KMT_MEM_KERNEL_STACK,
};

#define NR_BILL_KINDS (sizeof(bill_kinds) / sizeof(bill_kinds[0]))

static_assert(NR_BILL_KINDS <= KMT_BILL_ITEMS_MAX, "a point has room for all");

static bool is_known(const struct kmt_reconciler *reconciler, enum kmt_meminfo kind)
{
	return reconciler->first.mem[kind] != KMT_COUNTER_UNKNOWN &&
	       reconciler->last.mem[kind] != KMT_COUNTER_UNKNOWN;
}

static int64_t growth_of(const struct kmt_reconciler *reconciler, enum kmt_meminfo kind)
{
	return is_known(reconciler, kind)
		       ? (int64_t)reconciler->last.mem[kind] - (int64_t)reconciler->first.mem[kind]
		       : 0;
}

/* Whatever the tape says, sums of some of these fit 63 bits; and no machine has an exbibyte. */
static int64_t whole_bytes(double bytes)
{
	static const double most = 0x1p60;

	return (int64_t)(bytes > most ? most : bytes < -most ? -most : bytes);
}

/* Growth of what the events say of a space, between the snapshots. */
static double booked_growth(const struct kmt_ledger *ledger, uint32_t space, uint32_t page_bytes)
{
	const struct kmt_account *accounts;
	double bytes = 0;
	size_t nr;

	accounts = kmt_ledger_accounts(ledger, &nr);
	for (size_t i = 0; i < nr; i++) {
		const struct kmt_account_key *key = &accounts[i].key;
		/* The guard page of an area has no memory behind it. */
		uint64_t guard = space == KMT_SPACE_VMALLOC && key->bytes_alloc > page_bytes
					 ? page_bytes
					 : 0;

		if (key->space == space)
			bytes += ((double)accounts[i].last_marked -
				  (double)accounts[i].first_marked) *
				 (double)(key->bytes_alloc - guard);
	}
	return bytes;
}

static bool has_events(const struct kmt_ledger *ledger, enum kmt_event_kind kind)
{
	return kmt_ledger_totals(ledger)->by_kind[kind] > 0;
}

/* Whole chunks are counted, and areas without memory are events, too: no more than there is. */
static int64_t part_of(int64_t growth, double booked)
{
	double whole = (double)growth;

	if (growth >= 0)
		return whole_bytes(booked < 0 ? 0 : booked > whole ? whole : booked);
	return whole_bytes(booked > 0 ? 0 : booked < whole ? whole : booked);
}

static void explain(const struct kmt_reconciler *reconciler, enum kmt_meminfo kind,
		    const struct kmt_ledger *ledger, uint32_t page_bytes,
		    struct kmt_bill_item *item)
{
	bool has_slabs = reconciler->first.has_slabs && reconciler->last.has_slabs;
	int64_t pages, stack_pages;

	if (kind == KMT_MEM_SUNRECLAIM || kind == KMT_MEM_SRECLAIMABLE) {
		item->is_explained = has_slabs;
		item->explained_bytes = whole_bytes(kmt_cache_books_explained(
			&reconciler->books, kind == KMT_MEM_SRECLAIMABLE, item->growth_bytes));
	} else if (kind == KMT_MEM_VMALLOC_USED) {
		item->is_explained = reconciler->first.has_callers && reconciler->last.has_callers;
		kmt_vmalloc_series_growth(&reconciler->vmallocs, &pages, &stack_pages);
		item->explained_bytes = whole_bytes((double)pages * page_bytes);
	}
	if (kind == KMT_MEM_PERCPU && has_events(ledger, KMT_EVENT_PERCPU_ALLOC)) {
		item->is_explained = true;
		item->explained_bytes = part_of(
			item->growth_bytes, booked_growth(ledger, KMT_SPACE_PERCPU, page_bytes));
	} else if (kind == KMT_MEM_VMALLOC_USED && !item->is_explained &&
		   has_events(ledger, KMT_EVENT_VMALLOC)) {
		item->is_explained = true;
		item->explained_bytes = part_of(
			item->growth_bytes, booked_growth(ledger, KMT_SPACE_VMALLOC, page_bytes));
	}
	if (!item->is_explained)
		item->explained_bytes = 0;
}

/*
 * With CONFIG_VMAP_STACK, stacks are in KernelStack and in VmallocUsed; they are to be counted
 * once. (VmallocUsed is zero from Linux 4.4 to 5.2.)
 */
static int64_t counted_twice(const struct kmt_reconciler *reconciler, uint32_t page_bytes)
{
	int64_t pages, stack_pages, stack_bytes;
	int64_t stacks = growth_of(reconciler, KMT_MEM_KERNEL_STACK);

	if (!is_known(reconciler, KMT_MEM_VMALLOC_USED) ||
	    !reconciler->last.mem[KMT_MEM_VMALLOC_USED])
		return 0;
	kmt_vmalloc_series_growth(&reconciler->vmallocs, &pages, &stack_pages);
	stack_bytes = whole_bytes((double)stack_pages * page_bytes);
	if (stacks > 0)
		return stack_bytes <= 0 ? 0 : stack_bytes < stacks ? stack_bytes : stacks;
	return stack_bytes >= 0 ? 0 : stack_bytes > stacks ? stack_bytes : stacks;
}

static int fill_bill(const struct kmt_reconciler *reconciler, const struct kmt_ledger *ledger,
		     uint32_t page_bytes, struct kmt_reconciliation *to)
{
	to->items = calloc(NR_BILL_KINDS, sizeof(*to->items));
	if (!to->items)
		return -ENOMEM;
	for (size_t i = 0; i < NR_BILL_KINDS; i++) {
		struct kmt_bill_item *item = &to->items[to->nr_items];

		if (!is_known(reconciler, bill_kinds[i]))
			continue;
		item->name = kmt_meminfo_name(bill_kinds[i]);
		item->growth_bytes = growth_of(reconciler, bill_kinds[i]);
		explain(reconciler, bill_kinds[i], ledger, page_bytes, item);
		to->kernel_growth_bytes += item->growth_bytes;
		to->explained_bytes += item->explained_bytes;
		to->nr_items++;
	}
	to->kernel_growth_bytes -= counted_twice(reconciler, page_bytes);
	return 0;
}

/* In the order of the bill's items; what a snapshot doesn't tell grew as much as before it. */
static int fill_points(const struct kmt_reconciler *reconciler, struct kmt_reconciliation *to)
{
	to->points = calloc(reconciler->nr_samples, sizeof(*to->points));
	if (!to->points)
		return -ENOMEM;
	for (size_t i = 0; i < reconciler->nr_samples; i++) {
		const struct kmt_counter_sample *sample = &reconciler->samples[i];
		struct kmt_counter_point *point = &to->points[to->nr_points++];
		size_t item = 0;

		point->time_ns = sample->time_ns;
		for (size_t kind = 0; kind < NR_BILL_KINDS; kind++) {
			uint64_t bytes = sample->mem[bill_kinds[kind]];

			if (!is_known(reconciler, bill_kinds[kind]))
				continue;
			if (bytes != KMT_COUNTER_UNKNOWN)
				point->growth[item] =
					(int64_t)bytes -
					(int64_t)reconciler->first.mem[bill_kinds[kind]];
			else if (i)
				point->growth[item] = point[-1].growth[item];
			item++;
		}
	}
	return 0;
}

int kmt_reconcile(struct kmt_reconciler *reconciler, const struct kmt_ledger *ledger,
		  const struct kmt_rows_context *context, struct kmt_result *result)
{
	struct kmt_snapshot_sink sink = { reconciler, is_passed, take_counters };
	struct kmt_snapshot_sink ends = { reconciler, is_end, take_end };
	struct kmt_reconciliation *to = &result->reconciliation;
	int r;

	reconciler->symbols = context->symbols;
	r = read_snapshots(reconciler, reconciler->is_restored ? &ends : &sink);
	if (r == 0 && reconciler->damage.text[0])
		r = kmt_result_note(result, "counters of the kernel may be missing: %s",
				    reconciler->damage.text);
	if (r < 0)
		return r;
	to->nr_snapshots = reconciler->vmallocs.nr;
	if (!to->nr_snapshots)
		return 0;
	to->from_ns = reconciler->first.time_ns;
	to->to_ns = reconciler->vmallocs.times_ns[to->nr_snapshots - 1];
	if (to->nr_snapshots < 2)
		return 0;
	r = kmt_cache_books_fill(&reconciler->books, &reconciler->first, &reconciler->last, ledger,
				 context, result);
	if (r < 0)
		return r;
	reconciler->has_books = true;
	r = fill_bill(reconciler, ledger, context->page_bytes, to);
	if (r == 0)
		r = fill_points(reconciler, to);
	return r < 0 ? r : kmt_vmalloc_series_fill(&reconciler->vmallocs, context->symbols, result);
}

void kmt_reconciler_limit(const struct kmt_reconciler *reconciler, const char *cache,
			  uint64_t bytes_alloc, struct kmt_cache_limit *ret_limit)
{
	*ret_limit = (struct kmt_cache_limit){ .allows = KMT_UNKNOWN };
	if (cache)
		ret_limit->is_reclaimable = kmt_counters_is_reclaimable(&reconciler->first, cache);
	if (reconciler->has_books)
		kmt_cache_books_limit(&reconciler->books, cache, bytes_alloc, ret_limit);
}
