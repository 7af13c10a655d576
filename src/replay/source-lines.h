/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPLAY_SOURCE_LINES_H
#define KMT_REPLAY_SOURCE_LINES_H

#include "kmemtape/lines.h"
#include "kmemtape/replay.h"
#include "kmemtape/symbols.h"

/* The source lines of all that a result names. */

/* Opens @source, which may be NULL, for the kernel of @tape. Return: as kmt_lines_new(). */
int kmt_source_lines_open(const struct kmt_tape *tape, struct kmt_lines_source *source,
			  struct kmt_err *err);

/**
 * kmt_source_lines_fill() - in rows, frames and who frees
 * @top: only the first rows that a report of so many shows; 0: all
 *
 * What has no debug information becomes notes.
 *
 * Return: 0 or -ENOMEM.
 */
int kmt_source_lines_fill(struct kmt_lines_source *source, const struct kmt_symbols *symbols,
			  uint64_t top, struct kmt_result *result);

#endif
