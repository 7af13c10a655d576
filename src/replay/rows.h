/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPLAY_ROWS_H
#define KMT_REPLAY_ROWS_H

#include "kmemtape/event.h"
#include "kmemtape/gfp.h"
#include "kmemtape/judgement.h"
#include "kmemtape/names.h"
#include "kmemtape/result.h"
#include "kmemtape/symbols.h"

struct kmt_entries;
struct kmt_frames;

struct kmt_rows_context {
	const struct kmt_symbols *symbols;
	struct kmt_names *names;
	uint32_t page_bytes;
	uint32_t nr_cpus;			/* that the machine may have; 0 unknown */
	struct kmt_frames *frames;		/* NULL: nobody has a stack */
	const struct kmt_gfp_names *gfp;	/* NULL: unknown */
	uint64_t sample_mask, sample_page_mask; /* see manifest.h */
	const char *blindness[KMT_SPACES_MAX];	/* see judgement.h */
};

/* What is one row. */
struct kmt_grouping {
	enum kmt_group group;
	bool is_parted; /* by site: one for each owner, where it allocates for others */
};

/**
 * kmt_rows_fill() - sum entries up into rows, and judge these
 * @entries: put into another order
 * @tape: what is the same for all rows: end, grace period, loss and so on, with the grid
 * @result: keeps the texts of the rows
 * @ret_rows: on the heap, in the order of what tells them; kmt_result_free_rows() frees
 * them
 *
 * Return: 0 or -ENOMEM.
 */
int kmt_rows_fill(const struct kmt_entries *entries, struct kmt_grouping grouping,
		  const struct kmt_evidence *tape, struct kmt_result *result,
		  struct kmt_row **ret_rows, size_t *ret_nr);

#endif
