/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPLAY_FEEDS_H
#define KMT_REPLAY_FEEDS_H

#include "feed.h"
#include "share.h"

/*
 * All feeds of a tape. Worker threads fill them ahead of the shards that empty them, each of which
 * gets its share of every batch.
 */
struct kmt_feeds;

struct kmt_feeds_options {
	struct kmt_chunk_reader **readers; /* borrowed, at their beginning */
	size_t nr_readers;
	const struct kmt_formats *formats; /* as kmt_decoder_new() */
	struct kmt_names *names;
	struct kmt_stacks *stacks;
	unsigned int nr_threads; /* 0: kmt_feeds_next() does the work itself, for one shard */
	unsigned int nr_shards;	 /* at least 1 */
	uint64_t hash_seed;
	uint64_t dropped_ns; /* what is before that doesn't count */
};

int kmt_feeds_new(const struct kmt_feeds_options *options, struct kmt_feeds **ret_feeds,
		  struct kmt_err *err);

/* Stops the threads and releases all. */
struct kmt_feeds *kmt_feeds_free(struct kmt_feeds *feeds);

/**
 * kmt_feeds_next() - a shard's share of the next batch of a feed
 * @ret_share: borrowed until the shard's next call for this feed; with several shards its last
 *	event is of no kind, as kmt_share_close() says
 * @ret_first_ns: time of the batch's first event that counts, whoever has it; UINT64_MAX
 *
 * A shard waits here for what another one has to let go first, so it must not ask before it has
 * merged all of what it has of the feed. May be called by each shard's thread.
 *
 * Return: 1; 0 when the feed has ended.
 */
int kmt_feeds_next(struct kmt_feeds *feeds, unsigned int shard, size_t feed,
		   const struct kmt_share **ret_share, uint64_t *ret_first_ns);

/* Where a feed was cut that has ended for somebody, or UINT64_MAX: see struct kmt_feed_report. */
uint64_t kmt_feeds_limit_ns(struct kmt_feeds *feeds, size_t feed);

/* The shard needs no more; all that it has of it is let go. */
void kmt_feeds_leave(struct kmt_feeds *feeds, unsigned int shard);

/*
 * When all shards have left. Borrowed; NULL for a feed that did not end for all of them: what the
 * threads have seen of it by now would depend on them.
 */
const struct kmt_feed_report *kmt_feeds_report(const struct kmt_feeds *feeds, size_t feed);
const struct kmt_decoder_stats *kmt_feeds_decoder_stats(const struct kmt_feeds *feeds, size_t feed);

/* Likewise. Return: 0, or the negative errno that a feed ended with, for all of them; -EAGAIN: it
 * had better not be shared out. */
int kmt_feeds_error(const struct kmt_feeds *feeds, struct kmt_err *err);

KMT_DEFINE_FREEP(struct kmt_feeds *, kmt_feeds_free)

#endif
