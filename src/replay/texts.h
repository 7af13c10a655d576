/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPLAY_TEXTS_H
#define KMT_REPLAY_TEXTS_H

#include "kmemtape/gfp.h"
#include "kmemtape/ledger.h"
#include "kmemtape/names.h"
#include "kmemtape/result.h"
#include "kmemtape/symbols.h"
#include "kmemtape/tape.h"

/* What is text on a tape: formats (kmt_replay_formats()), symbols, names of tasks. */

/**
 * kmt_texts_symbols() - the symbols of a tape, as far as it has them
 * @result: has_symbols is set; a note says what is missing
 *
 * Return: 0 or -ENOMEM.
 */
int kmt_texts_symbols(const struct kmt_tape *tape, struct kmt_result *result,
		      struct kmt_symbols **ret_symbols, struct kmt_err *err);

/* The names of the tasks that were there first. Return: 0 or -ENOMEM. */
int kmt_texts_comms(const struct kmt_tape *tape, struct kmt_names *names, struct kmt_ledger *ledger,
		    struct kmt_err *err);

/* The names of allocation flags on this kernel; none if no format file tells. */
void kmt_texts_gfp_names(const struct kmt_tape *tape, struct kmt_gfp_names *ret_names);

#endif
