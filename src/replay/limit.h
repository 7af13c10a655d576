/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPLAY_LIMIT_H
#define KMT_REPLAY_LIMIT_H

#include "kmemtape/ledger.h"
#include "kmemtape/result.h"
#include "kmemtape/tape.h"

/*
 * How many accounts are told apart: a tape of a few bytes can have one for each event, and millions
 * of these. No kernel has as many call sites, but stacks and tasks are without end.
 */
size_t kmt_limit_accounts(const struct kmt_tape *tape);

/* Says so if there were more. Return: 0 or -ENOMEM. */
int kmt_limit_note(const struct kmt_ledger *ledger, struct kmt_result *result);

#endif
