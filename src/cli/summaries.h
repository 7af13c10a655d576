/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_CLI_SUMMARIES_H
#define KMT_CLI_SUMMARIES_H

#include <stddef.h>

#include "kmemtape/replay.h"
#include "kmemtape/summary.h"

#include "opt.h"

#define KMT_SUMMARIES_MAX 1000 /* as many paths has a sandbox room for */

/**
 * kmt_summaries_load() - what several operands say, each a tape or the JSON report of one
 * @paths: @nr of them, up to KMT_SUMMARIES_MAX
 * @replay: how tapes are replayed
 * @summaries: @nr pointers that are NULL; the caller frees what is there, on failure, too
 *
 * All that is read is read in the sandbox, one after the other: no more than one result is in
 * memory. A pipe has to be of JSON. As kmt_operand_open(), to be called once, before anything is
 * printed or any thread is started.
 *
 * Return: 0 or negative errno
 */
int kmt_summaries_load(const struct kmt_command *command, char **paths, size_t nr,
		       const struct kmt_replay_options *replay, struct kmt_summary **summaries,
		       struct kmt_err *err);

/* What commands of several operands can write, by what, and how they say it: for their options. */
extern const char *const kmt_summaries_format_words[], *const kmt_summaries_format_helps[];
extern const char *const kmt_summaries_group_words[]; /* as enum kmt_group */

/* Items to be shown, 0 for all. @top: UINT64_MAX: nobody says; of kmt_summaries_format_words */
uint64_t kmt_summaries_top(int format, uint64_t top);

/* Would @output take the place of an operand? Return: KMT_EXIT_DONE, or what to exit with. */
int kmt_summaries_check_output(const struct kmt_command *command, char **paths, size_t nr,
			       const char *output);

/* Threads beside our own that decode, if nobody says how many. */
unsigned int kmt_summaries_threads(void);

#endif
