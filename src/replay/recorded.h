/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPLAY_RECORDED_H
#define KMT_REPLAY_RECORDED_H

#include "kmemtape/ledger.h"
#include "kmemtape/manifest.h"
#include "kmemtape/result.h"

/* What the manifest says of what was recorded, and what was left out on purpose. */

/* Sampling, filters, CPUs, pairs. Else objects that were left out would be taken for older ones. */
void kmt_recorded_fill(const struct kmt_manifest *manifest, struct kmt_ledger_options *options);

/* Spaces, pairs and filters, for the report. Return: 0 or -ENOMEM. */
int kmt_recorded_describe(const struct kmt_manifest *manifest, struct kmt_result *result);

/**
 * kmt_recorded_blindness() - why frees in a space may be missing on the tape, or seem to be
 * @has_free_probes: see struct kmt_evidence
 *
 * Return: a static text; NULL.
 */
const char *kmt_recorded_blindness(const struct kmt_manifest *manifest,
				   const struct kmt_totals *totals, bool has_free_probes,
				   uint32_t space);

#endif
