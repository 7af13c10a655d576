/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_RECORD_CPU_STATS_H
#define KMT_RECORD_CPU_STATS_H

#include "kmemtape/manifest.h"

/**
 * kmt_cpu_stats_read() - what the kernel counts for one CPU's ring buffer
 * @ret_waiting: bytes in the buffer that were not read yet; may be NULL
 *
 * Never allocates. Return: 0 or negative errno.
 */
int kmt_cpu_stats_read(int instance_fd, uint32_t cpu, struct kmt_cpu_stats *ret_stats,
		       uint64_t *ret_waiting);

/* What happened between two readings; the counters only grow. */
struct kmt_cpu_stats kmt_cpu_stats_since(const struct kmt_cpu_stats *start,
					 const struct kmt_cpu_stats *end);

#endif
