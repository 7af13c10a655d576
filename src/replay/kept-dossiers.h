/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPLAY_KEPT_DOSSIERS_H
#define KMT_REPLAY_KEPT_DOSSIERS_H

#include "asked.h"
#include "distilled.h"
#include "watch.h"

/**
 * kmt_kept_dossiers_fill() - explain call sites by what a distilled tape has of them
 * @asked: with the frames
 * @ledger: restored
 * @distilled: its dossiers are taken; all of them, if nothing in particular is to be explained
 * @result: dossiers, is_explanation and has_more_sites are filled in
 *
 * Return: 0; -ENOENT, -EINVAL as of any tape; -ENOTSUP if the tape has no dossier of one of them;
 * -ENOMEM.
 */
int kmt_kept_dossiers_fill(const struct kmt_watch_context *context,
			   const struct kmt_asked_context *asked, const struct kmt_ledger *ledger,
			   struct kmt_distilled *distilled, struct kmt_result *result,
			   struct kmt_err *err);

#endif
