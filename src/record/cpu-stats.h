/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_RECORD_CPU_STATS_H
#define KMT_RECORD_CPU_STATS_H

#include <stdbool.h>

#include "kmemtape/manifest.h"

/**
 * kmt_cpu_stats_read() - what the kernel counts for one CPU's ring buffer
 * @ret_waiting: bytes in the buffer that were not read yet; may be NULL
 *
 * Never allocates. Return: 0 or negative errno.
 */
int kmt_cpu_stats_read(int instance_fd, uint32_t cpu, struct kmt_cpu_stats *ret_stats,
		       uint64_t *ret_waiting);

/* The counters of one CPU from the first reading on, even if somebody clears the buffer, which sets them to 0. */
struct kmt_cpu_counts {
	struct kmt_cpu_stats last, total;
};

void kmt_cpu_counts_init(struct kmt_cpu_counts *counts, const struct kmt_cpu_stats *now);

/* Return: false if they were set back, and what was counted last before that is not known. */
bool kmt_cpu_counts_follow(struct kmt_cpu_counts *counts, const struct kmt_cpu_stats *now);

#endif
