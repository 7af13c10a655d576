/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPLAY_SLACK_H
#define KMT_REPLAY_SLACK_H

#include <stddef.h>

#include "kmemtape/counters.h"

/**
 * kmt_slack_idle() - free objects that slabinfo counts as active, at most
 * @page_bytes: of the kernel
 *
 * SLUB: get_slabinfo() takes for free only what is free in the lists of the nodes. What is free in the
 * slab that a CPU allocates from, in the slabs it keeps for later and in sheaves is "active". SLAB:
 * the same goes for what lies in array caches; its tunables say how much that may be.
 */
uint64_t kmt_slack_idle(const struct kmt_slab *slab, size_t nr_cpus, uint64_t nr_nodes,
			uint32_t page_bytes);

#endif
