// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <string.h>

#include "kmemtape/verdict.h"

#include "conclusion.h"
#include "entries.h"
#include "samples.h"
#include "sums.h"
#include "twins.h"

/* What is the same for all rows. */
static struct kmt_evidence tape_evidence(const struct kmt_conclusion *conclusion,
					 const struct kmt_result *result)
{
	uint64_t allocs_off_ns = conclusion->allocs_off_ns;

	if (!allocs_off_ns || allocs_off_ns > result->end_ns)
		allocs_off_ns = result->end_ns;
	return (struct kmt_evidence){
		.grid = &result->grid,
		.end_ns = result->end_ns,
		.allocs_off_ns = allocs_off_ns,
		.grace_ns = result->grace_ns,
		.sample = result->sample,
		.last_loss_ns = result->totals.last_loss_ns,
		.lost_events = conclusion->lost_events,
		.has_free_probes = result->has_free_probes,
	};
}

static int by_frees(const void *left, const void *right)
{
	const struct kmt_unknown_frees *a = left, *b = right;

	if (a->frees != b->frees)
		return a->frees > b->frees ? -1 : 1;
	if (!a->cache || !b->cache)
		return !a->cache - !b->cache;
	return strcmp(a->cache, b->cache);
}

/* The ledger has two entries for those of unknown caches, by kfree() and not: one here. */
static int list_unknown_frees(const struct kmt_ledger *ledger, struct kmt_result *result)
{
	size_t nr, nameless = SIZE_MAX;
	const struct kmt_cache_frees *frees = kmt_ledger_unknown_frees(ledger, &nr);
	struct kmt_unknown_frees *list = calloc(nr ? nr : 1, sizeof(*list));

	if (!list)
		return -ENOMEM;
	result->unknown_frees = list;
	for (size_t i = 0; i < nr; i++) {
		if (!frees[i].frees)
			continue;
		if (!frees[i].cache && nameless != SIZE_MAX) {
			list[nameless].frees += frees[i].frees;
			continue;
		}
		if (!frees[i].cache)
			nameless = result->nr_unknown_frees;
		if (kmt_result_keep(result, frees[i].cache, &list[result->nr_unknown_frees].cache) <
		    0)
			return -ENOMEM;
		list[result->nr_unknown_frees++].frees = frees[i].frees;
	}
	if (result->nr_unknown_frees)
		qsort(list, result->nr_unknown_frees, sizeof(*list), by_frees);
	return 0;
}

struct rows {
	struct kmt_row *rows;
	size_t nr;
};

static void free_rows(struct rows *rows)
{
	kmt_result_free_rows(rows->rows, rows->nr);
}

static int make_rows(const struct kmt_conclusion *conclusion, const struct kmt_entries *entries,
		     const struct kmt_samples *samples, enum kmt_group group,
		     struct kmt_result *result, struct rows *rows)
{
	const struct kmt_suppressions *suppressions = conclusion->options->suppressions;
	struct kmt_evidence tape = tape_evidence(conclusion, result);
	int r;

	r = kmt_rows_fill(entries, group, &tape, result, &rows->rows, &rows->nr);
	if (r == 0 && result->sample > 1)
		r = kmt_sums_estimate_rows(entries, samples, rows->rows, rows->nr);
	if (r == 0 && suppressions)
		r = kmt_suppressions_apply(suppressions, result, rows->rows, rows->nr);
	return r;
}

/* The verdict is about call sites, whatever is shown. */
int kmt_conclude(const struct kmt_conclusion *conclusion, struct kmt_result *result)
{
	KMT_CLEANUP(kmt_entries_deinit) struct kmt_entries entries = { 0 };
	KMT_CLEANUP(kmt_samples_deinit) struct kmt_samples samples = { 0 };
	KMT_CLEANUP(free_rows) struct rows sites = { 0 }, others = { 0 };
	struct rows *shown = &sites;
	int r;

	r = kmt_entries_init(&entries, conclusion->ledger, conclusion->context,
			     conclusion->reconciler, result->end_ns);
	if (r < 0)
		return r;
	(void)((r = kmt_samples_init(&samples, conclusion->ledger, conclusion->context,
				     result->end_ns, result->older_ns)) < 0 ||
	       (r = kmt_sums_fill(&entries, &samples, result)) < 0 ||
	       (r = list_unknown_frees(conclusion->ledger, result)) < 0);
	if (r < 0)
		return r;
	r = make_rows(conclusion, &entries, &samples, KMT_BY_SITE, result, &sites);
	if (r == 0)
		kmt_twins_mark(sites.rows, sites.nr, result);
	if (r == 0)
		r = kmt_verdict_make(result, sites.rows, sites.nr);
	if (r == 0 && result->group != KMT_BY_SITE) {
		shown = &others;
		r = make_rows(conclusion, &entries, &samples, result->group, result, shown);
	}
	if (r < 0)
		return r;
	result->rows = KMT_STEAL(shown->rows);
	result->nr_rows = shown->nr;
	shown->nr = 0;
	kmt_result_sort(result, conclusion->options->sort);
	return 0;
}
