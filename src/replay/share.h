/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPLAY_SHARE_H
#define KMT_REPLAY_SHARE_H

#include <stdint.h>

#include "kmemtape/decoder.h"

/*
 * The events of a tape are shared out by address, for several to book them: all of an address go to
 * the same one, and those that are about no address to each. Page frames go by ranges, as a block
 * of them may be freed in parts. Whose an event is depends on nothing but the event.
 */

/* What one of them gets of a part of a CPU's events, in their order. */
struct kmt_share {
	struct kmt_batch batch;
	uint32_t *numbers; /* of each event among all of the CPU's, from first_number on */
	uint64_t first_number;
};

struct kmt_sharing {
	unsigned int nr_shares;
	uint64_t seed; /* secret: whoever makes a tape can't choose whose an address is */
};

/* How far the events of a CPU have been shared out. All zero: not at all. */
struct kmt_sharer {
	uint64_t number;
	uint64_t last_ns;
	size_t nr_for_all; /* since the shares were empty */
	bool is_behind;	   /* the next event, if it is at that time: behind one that is no free */
};

/*
 * So many copies at most of what is for all: in shares of a chunk, as much as all the rest of it. A
 * kernel that does nothing but start tasks has one such event among a hundred.
 */
#define KMT_SHARE_COPIES_MAX 32768u

/**
 * kmt_share_add() - share out what comes next on a CPU
 * @shares: nr_shares of them: events are added
 *
 * Return: 0; -EAGAIN: see KMT_SHARE_COPIES_MAX; -ENOMEM.
 */
int kmt_share_add(const struct kmt_sharing *sharing, struct kmt_sharer *sharer,
		  const struct kmt_batch *batch, struct kmt_share *shares);

/**
 * kmt_share_close() - no more is added to these shares
 * @cpu: whose events they are
 *
 * Each gets a last event of no kind at the time of the last of all, so that whoever has merged all
 * of it knows that time to be passed, even if nothing was for him.
 *
 * Return: 0 or -ENOMEM.
 */
int kmt_share_close(const struct kmt_sharing *sharing, const struct kmt_sharer *sharer,
		    uint16_t cpu, struct kmt_share *shares);

/* As if nothing had been shared out, @sharer being where it is. */
void kmt_share_empty(const struct kmt_sharing *sharing, struct kmt_sharer *sharer,
		     struct kmt_share *shares);

/* The number of an event that is in @share. */
static inline uint64_t kmt_share_number(const struct kmt_share *share,
					const struct kmt_event *event)
{
	return share->first_number + share->numbers[event - share->batch.events];
}

void kmt_share_deinit(struct kmt_share *share);

#endif
