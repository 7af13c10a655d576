/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPLAY_RECONCILE_H
#define KMT_REPLAY_RECONCILE_H

#include <stdbool.h>
#include <stdint.h>

#include "kmemtape/cleanup.h"
#include "kmemtape/err.h"
#include "kmemtape/ledger.h"
#include "kmemtape/result.h"
#include "kmemtape/tape.h"

#include "rows.h"
#include "vmalloc-series.h"

/*
 * The live set against the kernel's own counters, as copied to snapshots.zst: a live set that they
 * contradict is wrong. In this order:
 *
 *   kmt_reconciler_new()      before the first event
 *   kmt_ledger_mark()         between events, see kmt_reconciler_next_ns()
 *   kmt_reconciler_set_passed()
 *   kmt_ledger_finish()
 *   kmt_reconcile()           fills result->reconciliation; rows need not be there yet
 *   kmt_reconciler_limit()    for each cache of each row, on its way to kmt_judge()
 */
struct kmt_reconciler;

/**
 * kmt_reconciler_new() - look when the snapshots of a tape were taken
 * @tape: borrowed until kmt_reconcile()
 *
 * A tape without snapshots, or with damaged ones, is no failure: then less is known.
 *
 * Return: 0 or -ENOMEM.
 */
int kmt_reconciler_new(const struct kmt_tape *tape, struct kmt_reconciler **ret_reconciler,
		       struct kmt_err *err);
struct kmt_reconciler *kmt_reconciler_free(struct kmt_reconciler *reconciler);

/**
 * kmt_reconciler_next_ns() - trace clock of the snapshot behind the first @nr_passed; UINT64_MAX:
 * there is none
 *
 * The live set has to be compared as it was then: before an event that is later, and once more
 * with the end of the tape when there are no more events, kmt_ledger_mark() is to be called.
 */
uint64_t kmt_reconciler_next_ns(const struct kmt_reconciler *reconciler, size_t nr_passed);

/* How many are passed when all events up to @time_ns (the next one's, less 1; the end of the
 * tape's) have been booked. */
size_t kmt_reconciler_count(const struct kmt_reconciler *reconciler, size_t nr_passed,
			    uint64_t time_ns);

/* So many are, in all. */
void kmt_reconciler_set_passed(struct kmt_reconciler *reconciler, size_t nr_passed);

/*
 * For a distilled tape: the vmalloc areas over the snapshots, with the times of these, behind
 * kmt_reconcile(); and the other way, instead of kmt_reconciler_set_passed(). @series: taken
 */
const struct kmt_vmalloc_series *kmt_reconciler_series(const struct kmt_reconciler *reconciler);
void kmt_reconciler_restore(struct kmt_reconciler *reconciler, struct kmt_vmalloc_series *series);

/**
 * kmt_reconcile() - compare
 * @ledger: finished
 * @result: totals, nr_cpus, sample, lost, grace_ns and end_ns are set; reconciliation is filled in,
 * its vmalloc callers judged
 *
 * Return: 0 or -ENOMEM.
 */
int kmt_reconcile(struct kmt_reconciler *reconciler, const struct kmt_ledger *ledger,
		  const struct kmt_rows_context *context, struct kmt_result *result);

/* What the counters say on objects of a cache that were allocated since the recording began. */
struct kmt_cache_limit {
	uint64_t allows;   /* most of them that can be live at the end; KMT_UNKNOWN */
	bool is_confirmed; /* slabinfo grew as the live set did, beyond its own error */
	bool is_reclaimable;
};

/**
 * kmt_reconciler_limit() - of one cache, after kmt_reconcile()
 * @cache: as kmt_account_cache() says, NULL if unknown
 * @bytes_alloc: of the account; tells the cache where the kernel didn't, if only one has that size
 *
 * Of a row with several caches: the sum of allows (unknown if one is), confirmed if the one that
 * holds most is, reclaimable if all are. Each cache counts once, not once for each account.
 */
void kmt_reconciler_limit(const struct kmt_reconciler *reconciler, const char *cache,
			  uint64_t bytes_alloc, struct kmt_cache_limit *ret_limit);

KMT_DEFINE_FREEP(struct kmt_reconciler *, kmt_reconciler_free)

#endif
