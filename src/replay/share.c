// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <stdlib.h>

#include "share.h"

#define FIRST_ROOM 64u

#define ZERO_SIZE_PTR 16u /* Linux include/linux/slab.h: what kmalloc(0) returns */

#define GOLDEN_RATIO UINT64_C(0x9e3779b97f4a7c15) /* of 2^64 */

static int grow(struct kmt_share *share)
{
	size_t room = share->batch.room ? share->batch.room + share->batch.room / 2 : FIRST_ROOM;
	struct kmt_event *events = reallocarray(share->batch.events, room, sizeof(*events));
	uint32_t *numbers;

	if (!events)
		return -ENOMEM;
	share->batch.events = events;
	numbers = reallocarray(share->numbers, room, sizeof(*numbers));
	if (!numbers)
		return -ENOMEM;
	share->numbers = numbers;
	share->batch.room = room;
	return 0;
}

static inline int add(struct kmt_share *share, const struct kmt_event *event, uint64_t number,
		      bool is_behind)
{
	size_t at = share->batch.nr;

	if (at == share->batch.room && grow(share) < 0)
		return -ENOMEM;
	share->batch.events[at] = *event;
	share->batch.events[at].is_behind = is_behind;
	share->numbers[at] = (uint32_t)(number - share->first_number);
	share->batch.nr = at + 1;
	return 0;
}

static int add_to_all(const struct kmt_sharing *sharing, const struct kmt_event *event,
		      uint64_t number, bool is_behind, struct kmt_share *shares)
{
	int r = 0;

	for (unsigned int i = 0; r == 0 && i < sharing->nr_shares; i++)
		r = add(&shares[i], event, number, is_behind);
	return r;
}

/*
 * Many events are about NULL or ZERO_SIZE_PTR, and no object. All else is one, however small: what
 * a pair of functions hands out may be a number.
 */
static inline bool has_object(const struct kmt_event *event)
{
	return event->ptr > ZERO_SIZE_PTR ||
	       (event->ptr && (event->ptr < ZERO_SIZE_PTR || event->space != KMT_SPACE_SLAB));
}

/*
 * A block of pages may be freed in parts, and these in others, but all of that is in a range of
 * frames that no block reaches beyond. Ranges are few, and what a kernel uses most is in some next
 * to each other: multiples of the golden ratio lie farther apart than numbers at random would.
 */
static inline unsigned int share_of_pages(const struct kmt_sharing *sharing,
					  const struct kmt_event *event)
{
	uint64_t range = (event->ptr - KMT_PFN_BIAS) >> KMT_PAGE_ORDER_MAX;

	return (unsigned int)((range * GOLDEN_RATIO >> 32) * sharing->nr_shares >> 32);
}

/* Other bits than the live set looks at, or each would fill but a part of its table. */
static inline unsigned int share_of(const struct kmt_sharing *sharing,
				    const struct kmt_event *event, uint64_t number)
{
	uint64_t key = has_object(event) ? event->ptr : number;
	uint64_t hash = (key ^ sharing->seed) * 0xc2b2ae3d27d4eb4f;

	if (event->space == KMT_SPACE_PAGE && event->ptr)
		return share_of_pages(sharing, event);
	hash = (hash ^ hash >> 32) & UINT32_MAX;
	return (unsigned int)(hash * sharing->nr_shares >> 32);
}

int kmt_share_add(const struct kmt_sharing *sharing, struct kmt_sharer *sharer,
		  const struct kmt_batch *batch, struct kmt_share *shares)
{
	for (size_t i = 0; i < batch->nr; i++) {
		const struct kmt_event *event = &batch->events[i];
		uint64_t number = sharer->number++;
		bool is_free = kmt_event_is_free(event), is_behind;
		int r;

		sharer->is_behind &= event->time_ns == sharer->last_ns;
		sharer->last_ns = event->time_ns;
		is_behind = is_free && sharer->is_behind;
		sharer->is_behind |= !is_free;
		if (kmt_event_is_for_all(event) &&
		    ++sharer->nr_for_all * sharing->nr_shares > KMT_SHARE_COPIES_MAX)
			return -EAGAIN;
		r = kmt_event_is_for_all(event)
			    ? add_to_all(sharing, event, number, is_behind, shares)
			    : add(&shares[share_of(sharing, event, number)], event, number,
				  is_behind);
		if (r < 0)
			return r;
	}
	return 0;
}

int kmt_share_close(const struct kmt_sharing *sharing, const struct kmt_sharer *sharer,
		    uint16_t cpu, struct kmt_share *shares)
{
	struct kmt_event end = { .time_ns = sharer->last_ns, .cpu = cpu };

	return add_to_all(sharing, &end, sharer->number - 1, sharer->is_behind, shares);
}

void kmt_share_empty(const struct kmt_sharing *sharing, struct kmt_sharer *sharer,
		     struct kmt_share *shares)
{
	sharer->nr_for_all = 0;
	for (unsigned int i = 0; i < sharing->nr_shares; i++) {
		shares[i].batch.nr = 0;
		shares[i].first_number = sharer->number;
	}
}

void kmt_share_deinit(struct kmt_share *share)
{
	kmt_batch_deinit(&share->batch);
	free(share->numbers);
	share->numbers = NULL;
}
