/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPLAY_SUMS_H
#define KMT_REPLAY_SUMS_H

#include "kmemtape/result.h"

#include "entries.h"
#include "samples.h"

/* Sums over all that is live, which never count memory twice: see result.h. */

/* Return: 0 or -ENOMEM. */
int kmt_sums_fill(const struct kmt_entries *entries, const struct kmt_samples *samples,
		  struct kmt_result *result);

/* Estimates of rows that kmt_rows_fill() just made of @entries. Return: 0 or -ENOMEM. */
int kmt_sums_estimate_rows(const struct kmt_entries *entries, const struct kmt_samples *samples,
			   struct kmt_row *rows, size_t nr);

#endif
