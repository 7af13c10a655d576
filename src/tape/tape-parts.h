/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_TAPE_PARTS_H
#define KMT_TAPE_PARTS_H

#include "kmemtape/tape.h"

/* What opening a tape and opening a damaged one share. */

/* All empty but the path and the members. */
int kmt_tape_new(const char *path, struct kmt_tape **ret_tape, struct kmt_err *err);

/* CPUs that came after the last manifest was written have a file, but are not in it. */
int kmt_tape_find_more_cpus(struct kmt_tape *tape, struct kmt_err *err);

/* Room for a reader for each CPU of the manifest, and descriptors. */
int kmt_tape_prepare_cpus(struct kmt_tape *tape, struct kmt_err *err);

/* Of a ring, before all CPUs have what they recorded, frees are missing: it begins there. */
void kmt_tape_note_dropped(struct kmt_tape *tape);

#endif
