/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPLAY_CACHE_BOOKS_H
#define KMT_REPLAY_CACHE_BOOKS_H

#include "kmemtape/counters.h"
#include "kmemtape/ledger.h"
#include "kmemtape/result.h"

#include "reconcile.h"
#include "rows.h"

/* Each slab cache by slabinfo and by the events, between two snapshots. All zero is empty. */
struct kmt_cache_book;

struct kmt_cache_books {
	struct kmt_cache_book *books; /* by name */
	size_t nr_books;
	struct kmt_cache_book *sizes; /* the same by object size, for who doesn't know the cache */
	size_t nr_sizes;
	double large_bytes; /* growth of kmalloc() that is too large for a cache */
	double seconds;
	uint64_t lost;	 /* events; KMT_UNKNOWN */
	bool is_partial; /* sampled or filtered: the events know less than slabinfo, on purpose */
};

/**
 * kmt_cache_books_fill() - compare
 * @first, @last: snapshots at which kmt_ledger_mark() was called first and last
 * @result: reconciliation.caches is filled in
 *
 * Return: 0 or -ENOMEM.
 */
int kmt_cache_books_fill(struct kmt_cache_books *books, const struct kmt_counters *first,
			 const struct kmt_counters *last, const struct kmt_ledger *ledger,
			 const struct kmt_rows_context *context, struct kmt_result *result);

/* See kmt_reconciler_limit(). */
void kmt_cache_books_limit(const struct kmt_cache_books *books, const char *cache,
			   uint64_t bytes_alloc, struct kmt_cache_limit *limit);

/* How much of @growth_bytes of SReclaimable or SUnreclaim the live set accounts for. */
double kmt_cache_books_explained(const struct kmt_cache_books *books, bool is_reclaimable,
				 int64_t growth_bytes);

void kmt_cache_books_deinit(struct kmt_cache_books *books);

#endif
