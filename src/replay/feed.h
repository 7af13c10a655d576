/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPLAY_FEED_H
#define KMT_REPLAY_FEED_H

#include "kmemtape/chunk.h"
#include "kmemtape/decoder.h"

/*
 * Feeds: one for each CPU file, which decompressed and decoded becomes a row of batches. Worker
 * threads fill them ahead of the one thread that empties them. What a feed yields depends on its
 * file alone, never on who filled it when.
 */
struct kmt_feeds;

enum kmt_feed_end {
	KMT_FEED_WHOLE = 1, /* up to the footer */
	KMT_FEED_CUT,	    /* the file ends too early: nothing is known behind limit_ns */
};

/* What is to be said of a feed once it has ended. */
struct kmt_feed_report {
	enum kmt_feed_end end;
	uint64_t limit_ns;  /* KMT_FEED_CUT: the CPU is complete up to here */
	struct kmt_err cut; /* KMT_FEED_CUT: where */
	uint64_t damaged_chunks;
	struct kmt_err damage; /* about the first of them */
};

/**
 * kmt_feeds_new() - begin to read
 * @readers: borrowed, at their beginning
 * @stacks: as kmt_decoder_new()
 * @nr_threads: 0: kmt_feeds_next() does the work itself
 */
int kmt_feeds_new(struct kmt_chunk_reader **readers, size_t nr_readers,
		  const struct kmt_formats *formats, struct kmt_names *names,
		  struct kmt_stacks *stacks, unsigned int nr_threads, struct kmt_feeds **ret_feeds,
		  struct kmt_err *err);

/* Stops the threads and releases all. */
struct kmt_feeds *kmt_feeds_free(struct kmt_feeds *feeds);

/**
 * kmt_feeds_next() - the next batch of a feed
 * @ret_batch: borrowed until the next call for this feed; has at least one event
 *
 * Return: 1; 0 when the feed has ended; negative errno.
 */
int kmt_feeds_next(struct kmt_feeds *feeds, size_t feed, const struct kmt_batch **ret_batch,
		   struct kmt_err *err);

/*
 * Borrowed; NULL for a feed that kmt_feeds_next() has not yet said the end of: what the threads
 * have seen of it by now would depend on them.
 */
const struct kmt_feed_report *kmt_feeds_report(const struct kmt_feeds *feeds, size_t feed);
const struct kmt_decoder_stats *kmt_feeds_decoder_stats(const struct kmt_feeds *feeds, size_t feed);

KMT_DEFINE_FREEP(struct kmt_feeds *, kmt_feeds_free)

#endif
