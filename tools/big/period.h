/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMEMTAPE_TOOLS_BIG_PERIOD_H
#define KMEMTAPE_TOOLS_BIG_PERIOD_H

#include <stddef.h>
#include <stdint.h>

#include "kmemtape/tape-format.h"

#include "rings.h"

/*
 * A chunk of a tape that repeats. When its events come again, nothing of it changes but times in
 * the heads of sub-buffers (all others are relative to those), what our header counts, and
 * checksums. So it is compressed once, the times each as a zstd block of their own that isn't
 * compressed, and from then on patched: 20 times faster than it is replayed.
 */
#define PERIOD_CHUNK_ROUNDS 32u
#define PERIOD_SUBBUFS_MAX  32u

struct period_chunk {
	unsigned int cpu;
	uint32_t unit_bytes;
	uint8_t *raw;
	size_t raw_bytes;
	uint8_t *file; /* head and zstd frame, as in the file */
	size_t file_bytes;
	size_t nr_subbufs;
	uint64_t time_ns[PERIOD_SUBBUFS_MAX]; /* the first time */
	size_t time_at[PERIOD_SUBBUFS_MAX];   /* in file */
	uint64_t drained_ns;		      /* the first time */
};

/* That of the rounds @round.. of @cpu. */
int period_chunk_init(struct period_chunk *chunk, struct rings *rings, unsigned int cpu,
		      uint64_t round, struct kmt_err *err);
void period_chunk_deinit(struct period_chunk *chunk);

/* Patch file: it is @shift_ns later. @raw_before: raw bytes in front of it in the CPU's file */
void period_chunk_patch(struct period_chunk *chunk, uint64_t shift_ns, uint64_t sequence,
			uint64_t raw_before);

/* The 72 bytes of a footer. */
#define PERIOD_HEAD_BYTES (sizeof(struct kmt_zstd_skippable) + sizeof(struct kmt_chunk_header))
void period_put_footer(uint8_t to[PERIOD_HEAD_BYTES], unsigned int cpu, uint32_t unit_bytes,
		       uint64_t sequence, uint64_t drained_ns, uint64_t raw_total);

#endif
