/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPLAY_BUILD_IDS_H
#define KMT_REPLAY_BUILD_IDS_H

#include "kmemtape/result.h"
#include "kmemtape/symbols.h"
#include "kmemtape/tape.h"

/* On the heap; NULL: the tape has none. */
void kmt_build_ids_read_kernel(const struct kmt_tape *tape, char **ret_id);

/* Those of the kernel, and of all modules of which the tape has just one. Return: 0 or -ENOMEM. */
int kmt_build_ids_fill(const struct kmt_tape *tape, const struct kmt_symbols *symbols,
		       struct kmt_result *result);

#endif
