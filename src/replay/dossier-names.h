/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPLAY_DOSSIER_NAMES_H
#define KMT_REPLAY_DOSSIER_NAMES_H

#include "kmemtape/dossier.h"
#include "kmemtape/gfp.h"
#include "kmemtape/result.h"
#include "kmemtape/symbols.h"

/**
 * kmt_dossier_name() - names of functions, tasks and flags; the result keeps them
 *
 * Those who free were told apart whenever a module came or went: who turns out to be the same is
 * one then. A dossier that was named may be named again, and stays the same.
 *
 * Return: 0 or -ENOMEM.
 */
int kmt_dossier_name(const struct kmt_symbols *symbols, const struct kmt_gfp_names *names,
		     struct kmt_result *result, struct kmt_dossier *dossier);

/* Most live objects first. */
void kmt_dossiers_sort(struct kmt_dossier *dossiers, size_t nr);

#endif
