/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPLAY_DISTILLED_COLUMNS_H
#define KMT_REPLAY_DISTILLED_COLUMNS_H

#include <stddef.h>
#include <stdint.h>

#include "books-text.h"

/* What of totals and accounts is in books.zst, and as what: for both ways. */

enum kmt_column_type {
	KMT_COLUMN_U64,
	KMT_COLUMN_I64,
	KMT_COLUMN_U32,
	KMT_COLUMN_TEXT,
};

struct kmt_column {
	const char *name;
	size_t offset;
	enum kmt_column_type type;
	enum kmt_row_style style;
	uint64_t max;
};

#define KMT_TOTAL_COLUMNS   27
#define KMT_ACCOUNT_COLUMNS 26

extern const struct kmt_column kmt_total_columns[KMT_TOTAL_COLUMNS];	 /* of struct kmt_totals */
extern const struct kmt_column kmt_account_columns[KMT_ACCOUNT_COLUMNS]; /* of struct kmt_account */

/* Rows of a track, as in struct kmt_counts, in their order. */
struct kmt_track_row {
	size_t offset, nr;
	enum kmt_row_style style;
};

#define KMT_TRACK_ROWS 5
extern const struct kmt_track_row kmt_track_rows[KMT_TRACK_ROWS];

#endif
