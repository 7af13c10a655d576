/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_SHARE_SNAPSHOTS_CUT_H
#define KMT_SHARE_SNAPSHOTS_CUT_H

#include <stdint.h>

#include "kmemtape/tape.h"

/**
 * kmt_snapshots_cut() - put two snapshots of a tape on a new one, without what no report is made of
 * @first_ns, @last_ns: trace clock of these; may be the same. 0: there are none
 * @dirfd: of the new tape, which gets no snapshots.zst if the old one has none
 *
 * Return: 0; -ENOMEM; negative errno of the write.
 */
int kmt_snapshots_cut(const struct kmt_tape *tape, uint64_t first_ns, uint64_t last_ns, int dirfd,
		      struct kmt_err *err);

#endif
