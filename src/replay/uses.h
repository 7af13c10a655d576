/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPLAY_USES_H
#define KMT_REPLAY_USES_H

#include "kmemtape/result.h"

#include "frames.h"

/* Who asked for page frames: see enum kmt_use. */

/* By the functions of a stack, from the innermost to the first that tells, or is a module's. */
enum kmt_use kmt_use_of_stack(const struct kmt_frames *frames, const struct kmt_trace *trace);

/* By the flags, as kmt_gfp_format() has them: most tell nothing. */
enum kmt_use kmt_use_of_flags(const char *flags);

/*
 * What such pages go with, so that they can't leak by themselves: "a slab", which is in the books
 * itself. NULL: nothing.
 */
const char *kmt_use_owner(enum kmt_use use);

#endif
