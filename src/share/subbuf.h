/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_SHARE_SUBBUF_H
#define KMT_SHARE_SUBBUF_H

#include "kmemtape/formats.h"
#include "kmemtape/ring.h"

/* The sub-buffers of one CPU, one after the other, reduced to what is whole and within a time. */
struct kmt_subbuf_cutter {
	const struct kmt_formats *formats; /* borrowed */
	uint64_t from_ns, to_ns;	   /* of the records that stay: from_ns <= time < to_ns */

	uint64_t last_ns; /* no record is older than the one before it */
	bool has_gap;	  /* something is missing before the next sub-buffer */
	uint64_t damaged; /* sub-buffers that were cut where they made no sense */
	uint64_t damaged_bytes;
};

/* Room that kmt_subbuf_end_mark() needs, and a whole sub-buffer. */
size_t kmt_subbuf_bytes(const struct kmt_subbuf_cutter *cutter);

/**
 * kmt_subbuf_cut() - reduce the next sub-buffer
 * @subbuf: changed in place; bytes that nothing points to become zero
 *
 * A mark of missing events stays if they may be of the time that stays, also where nothing else
 * does. What is behind a place that makes no sense is missing, too, and the next one gets the mark.
 *
 * Return: true if anything is left of it.
 */
bool kmt_subbuf_cut(struct kmt_subbuf_cutter *cutter, uint8_t *subbuf);

/**
 * kmt_subbuf_end_mark() - after the last one: make an empty sub-buffer with a mark, if need be
 * @end_ns: up to which the CPU is known otherwise
 *
 * Return: true if @subbuf is one, since something is missing at the end.
 */
bool kmt_subbuf_end_mark(struct kmt_subbuf_cutter *cutter, uint64_t end_ns, uint8_t *subbuf);

#endif
