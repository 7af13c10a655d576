// SPDX-License-Identifier: LGPL-2.1-only
#include "kmemtape/account.h"
#include "kmemtape/ledger.h"
#include "kmemtape/track.h"

#include "distilled-columns.h"

#define TOTAL(field)                                                                       \
	{                                                                                  \
#field, offsetof(struct kmt_totals, field), KMT_COLUMN_U64, KMT_ROW_PLAIN, \
			UINT64_MAX                                                         \
	}

const struct kmt_column kmt_total_columns[KMT_TOTAL_COLUMNS] = {
	TOTAL(allocs),
	TOTAL(frees),
	TOTAL(failed_allocs),
	TOTAL(zero_size),
	TOTAL(null_frees),
	TOTAL(paired),
	TOTAL(reused),
	TOTAL(replaced),
	TOTAL(late_frees),
	TOTAL(unknown_frees),
	TOTAL(unknown_other_frees),
	TOTAL(split),
	TOTAL(joined),
	TOTAL(filtered_frees),
	TOTAL(unknown_rcu_frees),
	TOTAL(unknown_bulk_frees),
	TOTAL(deferred_frees),
	TOTAL(unseen_frees),
	TOTAL(live),
	TOTAL(peak_live),
	TOTAL(uncertain),
	TOTAL(lost),
	TOTAL(losses),
	TOTAL(unsized_losses),
	TOTAL(last_loss_ns),
	TOTAL(first_ns),
	TOTAL(last_ns),
};

#define COLUMN(field, type, style, max)                                                          \
	{                                                                                        \
#field, offsetof(struct kmt_account, field), KMT_COLUMN_##type, KMT_ROW_##style, \
			max                                                                      \
	}

/* Accounts are in the order in which they were opened: so are their times, and the stacks. */
const struct kmt_column kmt_account_columns[KMT_ACCOUNT_COLUMNS] = {
	COLUMN(key.call_site, U64, HEX, UINT64_MAX),
	COLUMN(key.bytes_alloc, U64, PLAIN, UINT64_MAX),
	COLUMN(key.cache, TEXT, PLAIN, UINT32_MAX),
	COLUMN(key.comm, TEXT, PLAIN, UINT32_MAX),
	COLUMN(key.pid, U32, PLAIN, UINT32_MAX),
	COLUMN(key.generation, U32, PLAIN, UINT32_MAX),
	COLUMN(key.is_kmalloc, U32, PLAIN, 1),
	COLUMN(key.is_recorder, U32, PLAIN, 1),
	COLUMN(key.stack, U32, DELTA, UINT32_MAX),
	COLUMN(key.space, U32, PLAIN, UINT32_MAX),
	COLUMN(key.gfp, U32, HEX, UINT32_MAX),
	COLUMN(allocs, U64, PLAIN, UINT64_MAX),
	COLUMN(frees, U64, PLAIN, UINT64_MAX),
	COLUMN(freed_cache, TEXT, PLAIN, UINT32_MAX),
	COLUMN(reused, U64, PLAIN, UINT64_MAX),
	COLUMN(split, I64, DELTA, UINT64_MAX),
	COLUMN(first_ns, U64, DELTA, UINT64_MAX),
	COLUMN(first_pid, U32, PLAIN, UINT32_MAX),
	COLUMN(first_marked, U64, PLAIN, UINT64_MAX),
	COLUMN(last_marked, U64, PLAIN, UINT64_MAX),
	COLUMN(live_objects, U64, PLAIN, UINT64_MAX),
	COLUMN(live_requested_bytes, U64, PLAIN, UINT64_MAX),
	COLUMN(uncertain_objects, U64, PLAIN, UINT64_MAX),
	COLUMN(oldest_ns, U64, PLAIN, UINT64_MAX),
	COLUMN(mature_objects, U64, PLAIN, UINT64_MAX),
	COLUMN(exposed_objects, U64, PLAIN, UINT64_MAX),
};

#define ROW(field, nr, style)                                           \
	{                                                               \
		offsetof(struct kmt_counts, field), nr, KMT_ROW_##style \
	}

const struct kmt_track_row kmt_track_rows[KMT_TRACK_ROWS] = {
	ROW(live, KMT_HISTORY_POINTS, DELTA),  ROW(born, KMT_HISTORY_POINTS, PLAIN),
	ROW(live_ages, KMT_AGE_BINS, PLAIN),   ROW(freed_ages, KMT_AGE_BINS, PLAIN),
	ROW(reused_ages, KMT_AGE_BINS, PLAIN),
};
