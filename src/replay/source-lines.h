/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPLAY_SOURCE_LINES_H
#define KMT_REPLAY_SOURCE_LINES_H

#include "kmemtape/lines.h"
#include "kmemtape/replay.h"
#include "kmemtape/symbols.h"

/* The source lines of all that a result names. */

/**
 * kmt_source_lines_open() - as kmt_lines_new(), if @options wants lines
 * @ret_lines: NULL if not
 */
int kmt_source_lines_open(const struct kmt_tape *tape, const struct kmt_replay_options *options,
			  struct kmt_lines **ret_lines, struct kmt_err *err);

/* Fills in rows, frames and who frees; what has no debug information becomes notes. Return: 0 or
 * -ENOMEM. */
int kmt_source_lines_fill(struct kmt_lines *lines, const struct kmt_symbols *symbols,
			  struct kmt_result *result);

#endif
