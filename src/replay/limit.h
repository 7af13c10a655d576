/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPLAY_LIMIT_H
#define KMT_REPLAY_LIMIT_H

#include "kmemtape/ledger.h"
#include "kmemtape/result.h"
#include "kmemtape/tape.h"

/* What a tape of a few bytes can have one of for each event, and millions of these. */
struct kmt_limit {
	size_t accounts; /* that are told apart: call sites are few, stacks and tasks without end */
	uint64_t objects;    /* live, and tasks: see struct kmt_ledger_options */
	uint64_t name_bytes; /* of tasks and caches, as they are interned */
	uint64_t file_bytes; /* of CPU files: that it hangs on */
};

void kmt_limit_of(const struct kmt_tape *tape, struct kmt_limit *ret_limit);

/**
 * kmt_limit_fail() - there were more objects or names
 * @what: which of them
 *
 * Return: -EOVERFLOW.
 */
int kmt_limit_fail(const struct kmt_tape *tape, const struct kmt_limit *limit, const char *what,
		   struct kmt_err *err);

/* Says so if there were more. Return: 0 or -ENOMEM. */
int kmt_limit_note(const struct kmt_ledger *ledger, struct kmt_result *result);

#endif
