/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_SHARE_RECOVER_TEXTS_H
#define KMT_SHARE_RECOVER_TEXTS_H

#include <stdio.h>

#include "kmemtape/tape.h"

/**
 * kmt_recover_texts() - all but CPU files and manifest, as far as it is any good
 * @tape: its manifest gets to know what isn't there any more
 * @lost: lines for the user
 * @ret_is_damaged: more than that a tape has no counters or names of tasks, as some never had
 *
 * A list of functions with a hole would give the wrong ones names, so that it is left out. Of the
 * kernel's counters, whole snapshots stay.
 *
 * Return: 0; -ENODATA if frees could not be told without what is missing; other negative errno.
 */
int kmt_recover_texts(struct kmt_tape *tape, int dirfd, FILE *lost, bool *ret_is_damaged,
		      struct kmt_err *err);

#endif
