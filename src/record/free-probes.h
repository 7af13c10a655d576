/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_RECORD_FREE_PROBES_H
#define KMT_RECORD_FREE_PROBES_H

#include "probes.h"

/**
 * kmt_free_probes_add() - probes on what frees without an event: kfree_rcu() and kmem_cache_free_bulk()
 * @is_wanted: false: none
 * @state: filled in: "on", or why not all of them are there
 *
 * Return: 0, even if this kernel has none; KMT_PROBES_LACKING if it has kprobe events, and not all that
 * were wanted could be made.
 */
#define KMT_PROBES_LACKING 1
int kmt_free_probes_add(struct kmt_probes *probes, bool is_wanted, char state[KMT_MANIFEST_TEXT_BYTES]);

#endif
