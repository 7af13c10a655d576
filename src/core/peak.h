/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_CORE_PEAK_H
#define KMT_CORE_PEAK_H

#include <stddef.h>
#include <stdint.h>

/*
 * How many objects were live at points of time that are a power of two nanoseconds apart, as close
 * to each other as KMT_PEAK_POINTS of them allow. The points depend on time alone: who books a part
 * of the objects knows how many of these were live at the same points, and sums are exact.
 */
#define KMT_PEAK_POINTS 4096u

struct kmt_peak {
	uint64_t start_ns;
	unsigned int shift; /* log 2 of the distance */
	size_t nr;	    /* points so far; the first is one distance behind the start */
	uint64_t live[KMT_PEAK_POINTS];
};

/* Empties @peak. */
void kmt_peak_start(struct kmt_peak *peak, uint64_t start_ns);

/* The next point; UINT64_MAX if time ends before. */
uint64_t kmt_peak_next_ns(const struct kmt_peak *peak);

/* So many are live since the last pass, or since the start, up to @time_ns. */
void kmt_peak_pass(struct kmt_peak *peak, uint64_t time_ns, uint64_t live);

/* @from: passed to the same time from the same start */
void kmt_peak_add(struct kmt_peak *peak, const struct kmt_peak *from);

/* Most at any point, or now. */
uint64_t kmt_peak_highest(const struct kmt_peak *peak, uint64_t live);

#endif
