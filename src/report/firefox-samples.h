/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPORT_FIREFOX_SAMPLES_H
#define KMT_REPORT_FIREFOX_SAMPLES_H

#include "kmemtape/result.h"

/*
 * What is live, by stack and by when it was allocated: so a range of time can be chosen, and what
 * was allocated in it and never freed is shown.
 */
struct kmt_firefox_sample {
	uint32_t stack;	 /* number in the profile's table */
	uint32_t bucket; /* of the history */
	uint64_t bytes, objects;
};

struct kmt_firefox_samples {
	struct kmt_firefox_sample *list; /* on the heap */
	size_t nr, room;
};

void kmt_firefox_samples_deinit(struct kmt_firefox_samples *samples);

/**
 * kmt_firefox_samples_add() - those of a row, which together are all of it that is live
 *
 * What is not in the row's history counts as allocated at the end.
 *
 * Return: 0 or -ENOMEM.
 */
int kmt_firefox_samples_add(struct kmt_firefox_samples *samples, const struct kmt_result *result,
			    const struct kmt_row *row, uint32_t stack);

/* By time, then by stack. */
void kmt_firefox_samples_sort(struct kmt_firefox_samples *samples);

#endif
