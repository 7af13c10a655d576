/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMEMTAPE_REPLAY_H
#define KMEMTAPE_REPLAY_H

#include "kmemtape/err.h"
#include "kmemtape/lines.h"
#include "kmemtape/owners.h"
#include "kmemtape/result.h"
#include "kmemtape/suppression.h"
#include "kmemtape/tape.h"

#define KMT_GRACE_NS UINT64_C(10000000000) /* deferred frees take up to 7 s */

struct kmt_replay_options {
	enum kmt_group group;
	bool is_by_site_else; /* by stack, but by site where no stack was recorded */
	enum kmt_sort sort;
	uint64_t older_ns; /* objects that are younger at the end are left out of the rows */
	const char
		*explain;  /* a site as site-query.h reads it; NULL: none. Rows are by site then */
	bool lists_stacks; /* of all call sites, not just of @explain; rows are by site */
	/* Dossiers of its suspects, then of its first sites, as many as there is room for: an
	 * earlier result of the same tape, by site; NULL: of nobody beside @explain, which is NULL
	 * then */
	const struct kmt_result *dossiers_of;
	uint64_t interval_ns;	/* width of a table over time; 0: none */
	enum kmt_group only_by; /* what @only names */
	const char *only;	/* the table is of this, as the rows would call it; NULL: of all */
	uint64_t grace_ns;	/* objects that are younger at the end are no leak yet */
	const struct kmt_suppressions *suppressions; /* NULL: none */
	const struct kmt_owners *owners;	     /* NULL: the built-in table */
	struct kmt_lines_source *lines; /* who has source lines; NULL: none are wanted */
	uint64_t lines_top;		/* of so many rows that have something live; 0: of all */
	unsigned int nr_threads;	/* that decompress and decode, beside the caller; 0: none */
	/* For counts of instructions that can be repeated, on tapes of one's own only: whoever
	 * knows the seed can make a tape whose hash tables are slow. NULL: a secret one */
	const uint64_t *fixed_hash_seed;
};

/**
 * kmt_replay() - a tape to its result
 * @tape: borrowed; its CPU files are read to the end
 *
 * The result is the same for any number of threads. A tape that is cut or damaged in places is
 * replayed as far as it can be trusted; the result's notes and is_complete say so.
 *
 * Return: 0; -ENODATA if a file is missing that the tape cannot be understood without; -EBADMSG if
 * such a file makes no sense; -ENOENT if there is nothing of what was asked for in particular;
 * -E2BIG if the table would have too many lines; -EINVAL if @explain or @only is no name; -ENOTSUP
 * if a distilled tape can't tell what is asked for; -EOVERFLOW if more is live at once than a
 * recording of its size can have; -ENOMEM; other negative errno.
 */
int kmt_replay(struct kmt_tape *tape, const struct kmt_replay_options *options,
	       struct kmt_result **ret_result, struct kmt_err *err);

/* What of a tape a distilled one needs beside its books. */
struct kmt_distillate {
	uint64_t *addresses; /* of code that books.zst has, ascending, each once; on the heap */
	size_t nr_addresses;
	/* Trace clock of the first and the last snapshot that count; 0: there are none */
	uint64_t first_snapshot_ns, last_snapshot_ns;
};

/**
 * kmt_replay_distill() - replay a tape, and write what is known then instead of its result
 * @tape: not distilled
 * @options: a replay of the distilled tape has this grace_ns; the rest asks for nothing in
 *	particular
 * @dirfd: gets the file books.zst (see tape-format.h)
 *
 * Return: as kmt_replay(); -ENOTSUP if there is too much to write; negative errno of the write.
 */
int kmt_replay_distill(struct kmt_tape *tape, const struct kmt_replay_options *options, int dirfd,
		       struct kmt_distillate *ret_distillate, struct kmt_err *err);

/* kmt_replay_check_books() - books.zst of a distilled tape. Return: 0; -EBADMSG and the like. */
int kmt_replay_check_books(struct kmt_tape *tape, struct kmt_err *err);

/**
 * kmt_replay_formats() - bind the format files of a tape
 *
 * Return: as above
 */
struct kmt_formats;
int kmt_replay_formats(const struct kmt_tape *tape, struct kmt_formats **ret_formats,
		       struct kmt_err *err);

#endif
