/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_RECORD_SNAPSHOT_LOG_H
#define KMT_RECORD_SNAPSHOT_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "kmemtape/chunk.h"
#include "kmemtape/err.h"

/*
 * snapshots.zst: copies of the kernel's own counters, as text:
 *
 *   ==> snapshot N at CLOCK_NS start <==         N from 0; start, interval or end
 *   ==> /sys/kernel/slab reclaim_account <==     in the first one only, and if it exists
 *   (names of the caches for which that file says 1, one a line)
 *   ==> /proc/meminfo <==
 *   (the file, if this kernel has it and lets us read it), and so on
 */
struct kmt_snapshot_log {
	struct kmt_chunk_writer *writer;
	unsigned int nr;
	char *reclaimable; /* what slab-flags.h says; NULL: nothing */
	size_t reclaimable_bytes;
};

int kmt_snapshot_log_init(struct kmt_snapshot_log *log, int tape_fd, struct kmt_err *err);

/* kmt_snapshot_log_add() - take one now, and write it out; never allocates */
int kmt_snapshot_log_add(struct kmt_snapshot_log *log, uint64_t now_ns, const char *why,
			 struct kmt_err *err);

/* Releases; log->writer has to be finished before. */
void kmt_snapshot_log_deinit(struct kmt_snapshot_log *log);

#endif
