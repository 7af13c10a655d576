/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPLAY_SAMPLES_H
#define KMT_REPLAY_SAMPLES_H

#include "kmemtape/estimate.h"
#include "kmemtape/ledger.h"
#include "kmemtape/result.h"

#include "rows.h"

/*
 * What is live of a sample, by the pages that it is in: for estimates of what all of it is. Takes
 * as much memory as the live set.
 */

/* Objects of one account in one cluster; in the order of the live set, each by itself. */
struct kmt_sample_cell {
	uint64_t cluster; /* of a page, or of a block of pages: addresses don't overlap */
	float weight;
	uint32_t account;
	bool is_page;
};

struct kmt_samples {
	struct kmt_sample_cell *cells; /* by cluster, then by account */
	size_t nr, room;
	const struct kmt_ledger *ledger; /* borrowed */
	const struct kmt_rows_context *context;
	uint64_t end_ns, older_ns;
	bool is_out_of_memory;
};

/* A sum of accounts. */
struct kmt_sample_sum {
	struct kmt_estimator objects, bytes;
	double pending_objects, pending_bytes, pending_weight; /* of one cluster */
};

/**
 * kmt_samples_init() - take what is live at the end
 * @ledger: finished
 * @older_ns: as it was finished with
 *
 * Return: 0 or -ENOMEM.
 */
int kmt_samples_init(struct kmt_samples *samples, const struct kmt_ledger *ledger,
		     const struct kmt_rows_context *context, uint64_t end_ns, uint64_t older_ns);

/* The same, of cells that an earlier one had; copied. */
int kmt_samples_restore(struct kmt_samples *samples, const struct kmt_ledger *ledger,
			const struct kmt_rows_context *context, const struct kmt_sample_cell *cells,
			size_t nr);
void kmt_samples_deinit(struct kmt_samples *samples);

/**
 * kmt_samples_sum() - sum up
 * @sum_of: by account: the sum that it goes to; KMT_NO_ROW: to none
 * @sums: all zero
 */
void kmt_samples_sum(const struct kmt_samples *samples, const uint32_t *sum_of,
		     struct kmt_sample_sum *sums);

/*
 * What may be in a space that nothing was seen of, because it is on pages that the sample left out:
 * without it, a total would be sure of what no row tells.
 */
void kmt_samples_expect_unseen(const struct kmt_samples *samples, uint32_t space,
			       struct kmt_sample_sum *sum);

void kmt_sample_estimate(const struct kmt_sample_sum *sum, struct kmt_estimate *ret_estimate);

#endif
