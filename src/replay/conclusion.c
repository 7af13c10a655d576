// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <string.h>

#include "kmemtape/verdict.h"

#include "conclusion.h"
#include "entries.h"
#include "parts.h"
#include "row-stacks.h"
#include "samples.h"
#include "sums.h"
#include "twins.h"

static const char no_stacks[] = "no stack was recorded, so that each call site is its own owner: "
				"record with --stack";

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

static void free_copies(struct rows *rows)
{
	free(rows->rows);
}

static int make_rows(const struct kmt_conclusion *conclusion, const struct kmt_entries *entries,
		     const struct kmt_samples *samples, struct kmt_grouping grouping,
		     struct kmt_result *result, struct rows *rows)
{
	struct kmt_evidence tape = tape_evidence(conclusion, result);
	int r;

	r = kmt_rows_fill(entries, grouping, &tape, result, &rows->rows, &rows->nr);
	if (r == 0 && result->sample > 1)
		r = kmt_sums_estimate_rows(entries, samples, rows->rows, rows->nr);
	return r;
}

static int suppress(const struct kmt_conclusion *conclusion, struct kmt_result *result,
		    const struct rows *rows)
{
	const struct kmt_suppressions *suppressions = conclusion->options->suppressions;

	return suppressions ? kmt_suppressions_apply(suppressions, result, rows->rows, rows->nr)
			    : 0;
}

/* The verdict is about call sites, or whom they allocate for. */
static int judge(const struct kmt_conclusion *conclusion, const struct kmt_entries *entries,
		 const struct kmt_samples *samples, struct rows *sites, struct kmt_result *result)
{
	KMT_CLEANUP(free_rows) struct rows parts = { 0 };
	KMT_CLEANUP(free_copies) struct rows chosen = { 0 };
	struct rows *judged = entries->nr_traced ? &chosen : sites;
	int r;

	r = make_rows(conclusion, entries, samples, (struct kmt_grouping){ KMT_BY_SITE, false },
		      result, sites);
	if (r == 0 && entries->nr_traced)
		r = make_rows(conclusion, entries, samples,
			      (struct kmt_grouping){ KMT_BY_SITE, true }, result, &parts);
	if (r == 0 && entries->nr_traced)
		r = kmt_parts_choose(sites->rows, sites->nr, parts.rows, parts.nr, &chosen.rows,
				     &chosen.nr);
	if (r == 0)
		r = suppress(conclusion, result, judged);
	if (r == 0)
		kmt_twins_mark(judged->rows, judged->nr, result);
	if (r == 0)
		r = kmt_verdict_make(result, judged->rows, judged->nr);
	if (r == 0)
		r = suppress(conclusion, result, &parts);
	if (r == 0)
		kmt_parts_lift(result, sites->rows, sites->nr, parts.rows, parts.nr);
	return r;
}

static int take_samples(const struct kmt_conclusion *conclusion, const struct kmt_result *result,
			struct kmt_samples *samples)
{
	if (conclusion->cells)
		return kmt_samples_restore(samples, conclusion->ledger, conclusion->context,
					   conclusion->cells, conclusion->nr_cells);
	return kmt_samples_init(samples, conclusion->ledger, conclusion->context, result->end_ns,
				result->older_ns);
}

/* @result keeps the texts of all. */
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
	(void)((r = take_samples(conclusion, result, &samples)) < 0 ||
	       (r = kmt_sums_fill(&entries, &samples, result)) < 0 ||
	       (r = list_unknown_frees(conclusion->ledger, result)) < 0);
	if (r < 0)
		return r;
	r = judge(conclusion, &entries, &samples, &sites, result);
	if (r == 0 && result->group != KMT_BY_SITE) {
		shown = &others;
		r = make_rows(conclusion, &entries, &samples,
			      (struct kmt_grouping){ result->group, false }, result, shown);
	}
	if (r == 0)
		r = suppress(conclusion, result, shown);
	if (r == 0 && (conclusion->options->explain || conclusion->options->lists_stacks))
		r = kmt_row_stacks_list(
			&entries,
			conclusion->options->lists_stacks ? NULL : conclusion->options->explain,
			result);
	if (r == 0 && !entries.nr_traced && result->group == KMT_BY_OWNER)
		r = kmt_result_note(result, "%s", no_stacks);
	if (r < 0)
		return r;
	result->rows = KMT_STEAL(shown->rows);
	result->nr_rows = shown->nr;
	shown->nr = 0;
	kmt_result_sort(result, conclusion->options->sort);
	return 0;
}
