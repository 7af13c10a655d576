/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_SHARE_SNAPSHOT_TEXTS_H
#define KMT_SHARE_SNAPSHOT_TEXTS_H

#include "kmemtape/tape.h"

/* The text of a tape's snapshots, one at a time, with its head. */
struct kmt_snapshot_taker {
	void *context;
	/* @text has a zero byte behind it. Return: 0, or negative errno, which is passed on. */
	int (*take)(void *context, const char *text, size_t bytes, struct kmt_err *err);
	/* The snapshot that is under way isn't whole. NULL: nobody wants to know. */
	void (*note_hole)(void *context, const struct kmt_err *damage);
};

/**
 * kmt_snapshot_texts_are_there() - in one file or, of a ring, in several
 * @ret_why: if they aren't: in words
 */
bool kmt_snapshot_texts_are_there(const struct kmt_tape *tape, const char **ret_why);

/**
 * kmt_snapshot_texts_read() - all that are whole
 *
 * Of a file that was cut, the last one isn't.
 *
 * Return: 0; -ENOENT if the tape has none; -EFBIG if one is too long; negative errno.
 */
int kmt_snapshot_texts_read(const struct kmt_tape *tape, const struct kmt_snapshot_taker *taker,
			    struct kmt_err *err);

#endif
