/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMEMTAPE_HISTORY_H
#define KMEMTAPE_HISTORY_H

#include <stddef.h>
#include <stdint.h>

/*
 * History: what was live over time, at the same points of time for everything on a tape. The number
 * of points is fixed; when they are used up, every second one is dropped and the distance between
 * them doubles. So one pass does, and memory does not depend on the length of the tape.
 */
#define KMT_HISTORY_POINTS 64u

struct kmt_grid {
	uint64_t start_ns; /* trace clock */
	uint64_t width_ns; /* of a bucket */
	size_t nr;	   /* buckets used; the last one may be cut short by the end of the tape */
};

/*
 * Ages in half octaves: bin 0 is below 2^30 ns (1.07 s), where nearly everything dies; bin 1 + 2 k
 * + h begins at (2 + h) * 2^(29 + k) ns; the last one is open.
 */
#define KMT_AGE_BINS	 40u
#define KMT_AGE_FIRST_NS (UINT64_C(1) << 30)

struct kmt_history {
	uint64_t live[KMT_HISTORY_POINTS];	 /* objects at the end of each bucket */
	uint64_t live_bytes[KMT_HISTORY_POINTS]; /* the same in bytes */
	uint64_t born[KMT_HISTORY_POINTS];	 /* of those that are live at the end: by when they
						    were allocated */
	uint64_t live_ages[KMT_AGE_BINS];	 /* of those that are live at the end */
	uint64_t freed_ages[KMT_AGE_BINS];  /* at which the others were freed; bin 0 isn't counted
					       here */
	uint64_t reused_ages[KMT_AGE_BINS]; /* at which their address was handed out again, their
					       free unseen: they died before; bin 0 isn't counted */
};

static inline unsigned int kmt_age_bin(uint64_t age_ns)
{
	unsigned int octave, bin;

	if (age_ns < KMT_AGE_FIRST_NS)
		return 0;
	octave = 63u - (unsigned int)__builtin_clzll(age_ns);
	bin = 1 + 2 * (octave - 30) + (unsigned int)(age_ns >> (octave - 1) & 1);
	return bin < KMT_AGE_BINS ? bin : KMT_AGE_BINS - 1;
}

/* The youngest age of a bin. */
static inline uint64_t kmt_age_bin_from(unsigned int bin)
{
	return bin == 0 ? 0 : (UINT64_C(2) + ((bin - 1) & 1)) << (29 + (bin - 1) / 2);
}

#endif
