/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPLAY_BOOKS_H
#define KMT_REPLAY_BOOKS_H

#include "kmemtape/replay.h"
#include "kmemtape/stacks.h"

#include "distilled.h"
#include "reconcile.h"

/* The file books.zst, between a replay and a tape. */

/**
 * kmt_books_read() - read the books of a distilled tape
 * @distilled: initialised; to be deinitialised in any case
 *
 * Return: 0; -ENODATA if there are none; -EBADMSG; other negative errno.
 */
int kmt_books_read(const struct kmt_tape *tape, struct kmt_names *names,
		   struct kmt_distilled *distilled, struct kmt_err *err);

/* Can they tell what is asked for? Return: 0; -ENOTSUP. */
int kmt_books_check_options(const struct kmt_tape *tape, const struct kmt_distilled *distilled,
			    const struct kmt_replay_options *options, struct kmt_err *err);

/* The accounts' stacks become those of @stacks. */
void kmt_books_renumber(struct kmt_distilled *distilled, struct kmt_stacks *stacks);

/* The notes on the tape, instead of those that @result has. Return: 0 or -ENOMEM. */
int kmt_books_take_notes(const struct kmt_tape *tape, const struct kmt_distilled *distilled,
			 struct kmt_result *result);

/* A replay that has come to its end. */
struct kmt_books_source {
	const struct kmt_tape *tape;
	const struct kmt_ledger *ledger;
	const struct kmt_stacks *stacks;
	const struct kmt_reconciler *reconciler;
	const struct kmt_rows_context *context;
	const struct kmt_result *result;
	size_t nr_notes; /* of the result's: on the tape as a whole */
};

/**
 * kmt_books_write() - complete @distilled from the source, and write it
 * @distilled: has what the source has not: modules, dossiers, grace_ns, and the other numbers
 *
 * Return: 0; -ENOTSUP; -ENOMEM; negative errno of the write.
 */
int kmt_books_write(const struct kmt_books_source *source, struct kmt_distilled *distilled,
		    int dirfd, struct kmt_distillate *ret_distillate, struct kmt_err *err);

#endif
