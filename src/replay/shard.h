/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPLAY_SHARD_H
#define KMT_REPLAY_SHARD_H

#include "kmemtape/ledger.h"
#include "kmemtape/merge.h"
#include "kmemtape/tape.h"

#include "feeds.h"
#include "reconcile.h"

/*
 * A shard: puts its share of all CPUs' events into order, and books it. What is not on the CPU
 * files it books as well, at its time: disturbances, and what was live when a snapshot was taken. A
 * tape is replayed by one or several.
 */
struct kmt_shard_context {
	const struct kmt_tape *tape;
	struct kmt_feeds *feeds;
	const struct kmt_reconciler *reconciler;
	uint64_t limit_ns; /* nothing is known behind; or UINT64_MAX */
};

/* Who has to hear of what is booked, in order. Each returns 0 or -ENOMEM. */
struct kmt_shard_hooks {
	void *context;
	/* A module, that has a name. Before it is booked, or where it isn't because it was dropped.
	 * NULL: nobody */
	int (*on_module)(void *context, const struct kmt_event *event);
	/* Neither an allocation nor a free. It is booked. NULL: nobody */
	int (*on_other)(void *context, const struct kmt_event *event);
};

struct kmt_shard {
	struct kmt_shard_context context;
	struct kmt_shard_hooks hooks;
	unsigned int number;
	struct kmt_ledger *ledger; /* borrowed */
	struct kmt_merge *merge;
	const struct kmt_share **shares; /* what it has of each feed */
	uint64_t first_ns;		 /* of all shards' events; UINT64_MAX: there was none */
	uint64_t limit_ns; /* nothing is known behind: the earliest end of a CPU that ended early */
	uint64_t stop_ns;  /* there, or sooner at the next snapshot or the end of a disturbance,
			      booking stops for a moment */
	size_t nr_disturbed;   /* disturbances that are booked */
	uint64_t disturbed_ns; /* the last of them */
	size_t nr_snapshots;   /* that are passed */
};

/**
 * kmt_shard_init() - a shard that has booked nothing
 * @shard: all zero but for hooks and number
 */
int kmt_shard_init(struct kmt_shard *shard, const struct kmt_shard_context *context,
		   struct kmt_ledger *ledger, struct kmt_err *err);
void kmt_shard_deinit(struct kmt_shard *shard);

/* Of a ledger that is a part: see struct kmt_ledger_options. @context: the shard */
uint64_t kmt_shard_number_of(void *context, const struct kmt_event *event);

/* Books all that the feeds have, and leaves them. Return: 0; -ENOMEM; -EOVERFLOW as
 * kmt_ledger_take() and kmt_ledger_check_objects(). */
int kmt_shard_run(struct kmt_shard *shard);

/* What is only known of the end: what was lost until then. Return: 0 or -ENOMEM. */
int kmt_shard_end(struct kmt_shard *shard, uint64_t end_ns);

/* The last snapshots, and the ledger. Return: 0 or -ENOMEM. */
int kmt_shard_finish(struct kmt_shard *shard, uint64_t end_ns, uint64_t older_ns,
		     uint64_t grace_ns);

#endif
