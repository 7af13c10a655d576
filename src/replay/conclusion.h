/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPLAY_CONCLUSION_H
#define KMT_REPLAY_CONCLUSION_H

#include "kmemtape/ledger.h"
#include "kmemtape/replay.h"
#include "kmemtape/result.h"

#include "reconcile.h"
#include "rows.h"
#include "samples.h"

/* What is concluded from the books of a whole tape. */
struct kmt_conclusion {
	const struct kmt_ledger *ledger; /* finished */
	const struct kmt_replay_options *options;
	const struct kmt_rows_context *context;
	const struct kmt_reconciler *reconciler; /* has compared */
	uint64_t allocs_off_ns;			 /* 0: not known */
	uint64_t lost_events;			 /* KMT_UNKNOWN */
	const struct kmt_sample_cell *cells;	 /* NULL: the ledger has the live objects */
	size_t nr_cells;
};

/**
 * kmt_conclude() - rows, their judgements, and the verdict
 * @result: is complete but for these
 *
 * Return: 0 or -ENOMEM.
 */
int kmt_conclude(const struct kmt_conclusion *conclusion, struct kmt_result *result);

#endif
