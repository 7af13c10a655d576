// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <stdlib.h>

#include "firefox-samples.h"

void kmt_firefox_samples_deinit(struct kmt_firefox_samples *samples)
{
	free(samples->list);
	*samples = (struct kmt_firefox_samples){ 0 };
}

static int append(struct kmt_firefox_samples *samples, const struct kmt_firefox_sample *sample)
{
	if (samples->nr == samples->room) {
		size_t room = samples->room ? samples->room * 2 : 256;
		struct kmt_firefox_sample *grown =
			reallocarray(samples->list, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		samples->list = grown;
		samples->room = room;
	}
	samples->list[samples->nr++] = *sample;
	return 0;
}

/* The part of @whole that belongs to @part of @all; rounded so that all parts make the whole. */
static uint64_t share(uint64_t whole, uint64_t part, uint64_t all)
{
	return (uint64_t)((unsigned __int128)whole * part / all);
}

int kmt_firefox_samples_add(struct kmt_firefox_samples *samples, const struct kmt_result *result,
			    const struct kmt_row *row, uint32_t stack)
{
	uint32_t last = result->grid.nr ? (uint32_t)result->grid.nr - 1 : 0;
	struct kmt_firefox_sample rest = { stack, last, row->live_bytes, row->live_objects };
	struct kmt_history history;
	uint64_t passed = 0, bytes = 0;
	int r = 0;

	if (!row->live_objects)
		return 0;
	if (row->history) {
		kmt_history_unpack(row->history, &history);
		/* Of what is live, only that is in the rows that is older than what was asked for.
		 */
		for (uint32_t i = 0; r == 0 && i < last && passed < row->live_objects; i++) {
			uint64_t left = row->live_objects - passed;
			uint64_t born = history.born[i] < left ? history.born[i] : left;
			struct kmt_firefox_sample sample = { stack, i, 0, born };

			if (!born)
				continue;
			passed += born;
			sample.bytes = share(row->live_bytes, passed, row->live_objects) - bytes;
			bytes += sample.bytes;
			r = append(samples, &sample);
		}
	}
	rest.bytes -= bytes;
	rest.objects -= passed;
	if (r == 0 && rest.objects)
		r = append(samples, &rest);
	return r;
}

static int by_time(const void *left, const void *right)
{
	const struct kmt_firefox_sample *a = left, *b = right;

	if (a->bucket != b->bucket)
		return a->bucket < b->bucket ? -1 : 1;
	return (a->stack > b->stack) - (a->stack < b->stack);
}

void kmt_firefox_samples_sort(struct kmt_firefox_samples *samples)
{
	if (samples->nr)
		qsort(samples->list, samples->nr, sizeof(*samples->list), by_time);
}
