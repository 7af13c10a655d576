/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPLAY_ROWS_H
#define KMT_REPLAY_ROWS_H

#include "kmemtape/names.h"
#include "kmemtape/result.h"
#include "kmemtape/symbols.h"

struct kmt_rows_context {
	const struct kmt_symbols *symbols;
	struct kmt_names *names;
	uint32_t page_bytes;
};

/**
 * kmt_rows_fill() - sum the accounts of a finished ledger up into the rows of a result
 * @result: group is set; rows, live_bytes and recorder_* are filled in
 * @end_ns: ages count back from here
 *
 * Return: 0 or -ENOMEM.
 */
int kmt_rows_fill(struct kmt_result *result, const struct kmt_ledger *ledger,
		  const struct kmt_rows_context *context, uint64_t end_ns);

#endif
