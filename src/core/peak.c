// SPDX-License-Identifier: LGPL-2.1-only
#include <assert.h>

#include "peak.h"

void kmt_peak_start(struct kmt_peak *peak, uint64_t start_ns)
{
	peak->start_ns = start_ns;
	peak->shift = 0;
	peak->nr = 0;
}

uint64_t kmt_peak_next_ns(const struct kmt_peak *peak)
{
	uint64_t next_ns = (uint64_t)(peak->nr + 1) << peak->shift;

	if (next_ns >> peak->shift != peak->nr + 1 ||
	    __builtin_add_overflow(next_ns, peak->start_ns, &next_ns))
		return UINT64_MAX;
	return next_ns;
}

/* Every second point goes. One without a second is none any more: the next one is yet to come. */
static void widen(struct kmt_peak *peak)
{
	peak->nr /= 2;
	for (size_t i = 0; i < peak->nr; i++)
		peak->live[i] = peak->live[2 * i + 1];
	peak->shift++;
}

void kmt_peak_pass(struct kmt_peak *peak, uint64_t time_ns, uint64_t live)
{
	if (time_ns < peak->start_ns)
		return;
	/* At 2^52 there are no more than that in all of time. */
	while ((time_ns - peak->start_ns) >> peak->shift > KMT_PEAK_POINTS)
		widen(peak);
	while (peak->nr < (time_ns - peak->start_ns) >> peak->shift)
		peak->live[peak->nr++] = live;
}

void kmt_peak_add(struct kmt_peak *peak, const struct kmt_peak *from)
{
	assert(peak->start_ns == from->start_ns && peak->shift == from->shift &&
	       peak->nr == from->nr);
	for (size_t i = 0; i < peak->nr; i++)
		peak->live[i] += from->live[i];
}

uint64_t kmt_peak_highest(const struct kmt_peak *peak, uint64_t live)
{
	for (size_t i = 0; i < peak->nr; i++)
		if (peak->live[i] > live)
			live = peak->live[i];
	return live;
}
