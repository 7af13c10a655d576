/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPLAY_PROBE_NOTES_H
#define KMT_REPLAY_PROBE_NOTES_H

#include "kmemtape/manifest.h"
#include "kmemtape/result.h"

/* An allocation, by the name of its probe in the manifest: else it sees frees. */
bool kmt_probe_is_alloc(const char *event);

/**
 * kmt_probe_notes() - what a reader must know of the probes of a tape
 *
 * Calls that allocate and that they missed (those that free are losses: see loss.h), and functions of
 * pairs that were never called: whoever chose the wrong ones would take everything for leaked.
 *
 * Return: 0 or -ENOMEM.
 */
int kmt_probe_notes(const struct kmt_manifest *manifest, struct kmt_result *result);

#endif
