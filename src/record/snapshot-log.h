/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_RECORD_SNAPSHOT_LOG_H
#define KMT_RECORD_SNAPSHOT_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kmemtape/chunk.h"
#include "kmemtape/err.h"
#include "syncer.h"

/*
 * snapshots.zst: copies of the kernel's own counters, as text:
 *
 *   ==> snapshot N at CLOCK_NS start <==         N from 0; start, interval or end
 *   ==> /sys/kernel/slab reclaim_account <==     in the first one (of a ring in each), if it exists
 *   (names of the caches for which that file says 1, one a line)
 *   ==> /proc/meminfo <==
 *   (the file, if this kernel has it and lets us read it), and so on
 */
struct kmt_snapshot_log {
	struct kmt_chunk_writer *writer;
	unsigned int nr;
	char *reclaimable; /* what slab-flags.h says; NULL: nothing */
	size_t reclaimable_bytes;

	/* A ring goes on in another file before this one is longer, and replaces the first by it then. */
	uint64_t segment_bytes; /* 0: no ring */
	uint64_t largest_bytes; /* of a snapshot */
	bool has_two;
	int tape_fd;
	struct kmt_syncer *syncer;
};

int kmt_snapshot_log_init(struct kmt_snapshot_log *log, int tape_fd, struct kmt_err *err);

/* kmt_snapshot_log_set_ring() - keep the newest. @syncer: borrowed */
void kmt_snapshot_log_set_ring(struct kmt_snapshot_log *log, int tape_fd, uint64_t max_bytes,
			       struct kmt_syncer *syncer);

/* kmt_snapshot_log_add() - take one now, and write it out; never allocates */
int kmt_snapshot_log_add(struct kmt_snapshot_log *log, uint64_t now_ns, const char *why,
			 struct kmt_err *err);

/* Releases; log->writer has to be finished before. */
void kmt_snapshot_log_deinit(struct kmt_snapshot_log *log);

#endif
