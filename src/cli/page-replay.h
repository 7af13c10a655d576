/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_CLI_PAGE_REPLAY_H
#define KMT_CLI_PAGE_REPLAY_H

#include "kmemtape/replay.h"
#include "kmemtape/tape.h"

/**
 * kmt_page_replay() - kmt_replay() for what has room for more than rows
 *
 * By site these are all stacks, and dossiers of the suspects and of the first other sites; and when
 * something was lost. What of these can't be had is left out: the rows are worth more. Who the
 * first sites are is known only behind the tape's end: then it is read again.
 *
 * Return: as kmt_replay().
 */
int kmt_page_replay(struct kmt_tape *tape, const struct kmt_replay_options *options,
		    struct kmt_result **ret_result, struct kmt_err *err);

#endif
