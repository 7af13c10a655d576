/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPLAY_FEED_H
#define KMT_REPLAY_FEED_H

#include "kmemtape/chunk.h"
#include "kmemtape/decoder.h"

/*
 * A feed: a CPU file, which decompressed and decoded becomes a row of batches. What it yields
 * depends on the file alone, never on who fills them when.
 */
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

struct kmt_feed {
	struct kmt_chunk_reader *reader;
	struct kmt_decoder *decoder;
	bool is_read;	     /* to its end */
	uint64_t raw_offset; /* raw bytes before the next chunk, for messages */
	uint64_t last_ns;    /* of the last event decoded */

	/* Of a feed that is read in slices: the chunk, and what of it is still to be decoded. */
	const void *raw;
	size_t raw_at, raw_bytes;
	/* Room for it on the heap, if it has to outlive the use of the scratch; else NULL. */
	void *kept_raw;

	struct kmt_feed_report report;
};

/* @reader: borrowed, at its beginning. Else as kmt_decoder_new(). */
int kmt_feed_init(struct kmt_feed *feed, struct kmt_chunk_reader *reader,
		  const struct kmt_formats *formats, struct kmt_names *names,
		  struct kmt_stacks *stacks, struct kmt_err *err);
void kmt_feed_deinit(struct kmt_feed *feed);

/**
 * kmt_feed_fill() - decode until there are events or the end
 * @slice_bytes: of a chunk at a time; 0: all of it
 * @batch: emptied first
 *
 * Return: 1 with events in @batch, 0 at the end, negative errno.
 */
int kmt_feed_fill(struct kmt_feed *feed, struct kmt_chunk_scratch *scratch, size_t slice_bytes,
		  struct kmt_batch *batch, struct kmt_err *err);

/* Is there more of the last chunk? */
static inline bool kmt_feed_has_rest(const struct kmt_feed *feed)
{
	return feed->raw_at < feed->raw_bytes;
}

/* The next slice of it, which may have no events. Return: 0 or -ENOMEM. */
int kmt_feed_fill_rest(struct kmt_feed *feed, size_t slice_bytes, struct kmt_batch *batch,
		       struct kmt_err *err);

#endif
