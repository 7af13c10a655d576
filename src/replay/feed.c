// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>

#include "feed.h"

int kmt_feed_init(struct kmt_feed *feed, struct kmt_chunk_reader *reader,
		  const struct kmt_formats *formats, struct kmt_names *names,
		  struct kmt_stacks *stacks, struct kmt_err *err)
{
	*feed = (struct kmt_feed){ .reader = reader };
	return kmt_decoder_new(formats, names, stacks, (uint16_t)kmt_chunk_reader_cpu(reader),
			       &feed->decoder, err);
}

void kmt_feed_deinit(struct kmt_feed *feed)
{
	(void)kmt_decoder_free(feed->decoder);
	free(feed->kept_raw);
}

static void note_damage(struct kmt_feed *feed, const struct kmt_err *err)
{
	if (feed->report.damaged_chunks++ == 0)
		feed->report.damage = *err;
	kmt_decoder_note_gap(feed->decoder);
}

static void end_cut(struct kmt_feed *feed, const struct kmt_err *err)
{
	feed->report.end = KMT_FEED_CUT;
	feed->report.cut = *err;
	/* Drained up to a mark, or at least up to the last event that was there to read. */
	if (feed->report.limit_ns < feed->last_ns)
		feed->report.limit_ns = feed->last_ns;
}

/* No more chunks: what waited for its stack comes now. Return: as kmt_feed_fill(). */
static int finish_decoder(struct kmt_feed *feed, struct kmt_batch *batch, struct kmt_err *err)
{
	if (kmt_decoder_finish(feed->decoder, batch) < 0)
		return kmt_fail(err, -ENOMEM, "out of memory");
	feed->is_read = true;
	if (batch->nr)
		feed->last_ns = batch->events[batch->nr - 1].time_ns;
	return batch->nr > 0;
}

static int decode(struct kmt_feed *feed, const void *raw, size_t bytes, struct kmt_batch *batch,
		  struct kmt_err *err)
{
	size_t before = batch->nr;
	int r = kmt_decoder_run(feed->decoder, raw, bytes, kmt_chunk_reader_name(feed->reader),
				feed->raw_offset, batch);

	feed->raw_offset += bytes;
	kmt_progress_add(kmt_chunk_reader_progress(feed->reader), 0, batch->nr - before);
	return r < 0 ? kmt_fail(err, r, "out of memory") : 0;
}

static int decode_slice(struct kmt_feed *feed, size_t slice_bytes, struct kmt_batch *batch,
			struct kmt_err *err)
{
	size_t left = feed->raw_bytes - feed->raw_at, at = feed->raw_at;
	size_t bytes = left < slice_bytes ? left : slice_bytes;

	feed->raw_at += bytes;
	return decode(feed, (const uint8_t *)feed->raw + at, bytes, batch, err);
}

/* A chunk was read: all of it is decoded, or its first slice. */
static int decode_chunk(struct kmt_feed *feed, struct kmt_chunk_scratch *scratch,
			size_t slice_bytes, const struct kmt_chunk *chunk, struct kmt_batch *batch,
			struct kmt_err *err)
{
	if (!slice_bytes)
		return decode(feed, chunk->raw, chunk->raw_bytes, batch, err);
	if (feed->kept_raw)
		kmt_chunk_scratch_swap_raw(scratch, &feed->kept_raw);
	feed->raw = feed->kept_raw ? feed->kept_raw : chunk->raw;
	feed->raw_at = 0;
	feed->raw_bytes = chunk->raw_bytes;
	return decode_slice(feed, slice_bytes, batch, err);
}

int kmt_feed_fill(struct kmt_feed *feed, struct kmt_chunk_scratch *scratch, size_t slice_bytes,
		  struct kmt_batch *batch, struct kmt_err *err)
{
	struct kmt_chunk chunk;
	int r;

	batch->nr = 0;
	if (feed->is_read)
		return 0;
	while (batch->nr == 0) {
		if (feed->raw_at < feed->raw_bytes) {
			r = decode_slice(feed, slice_bytes, batch, err);
			if (r < 0)
				return r;
			continue;
		}
		r = kmt_chunk_reader_next(feed->reader, scratch, &chunk, err);
		if (r == KMT_CHUNK_END) {
			feed->report.end = KMT_FEED_WHOLE;
			return finish_decoder(feed, batch, err);
		}
		if (r == KMT_CHUNK_CUT) {
			struct kmt_err cut = *err;

			r = finish_decoder(feed, batch, err);
			end_cut(feed, &cut);
			return r;
		}
		if (r == -EBADMSG || r == -EPROTONOSUPPORT) {
			note_damage(feed, err);
			continue;
		}
		if (r < 0)
			return r;
		if (chunk.drained_ns > feed->report.limit_ns)
			feed->report.limit_ns = chunk.drained_ns;
		if (r != KMT_CHUNK_GOT)
			continue;
		r = decode_chunk(feed, scratch, slice_bytes, &chunk, batch, err);
		if (r < 0)
			return r;
	}
	feed->last_ns = batch->events[batch->nr - 1].time_ns;
	return 1;
}

int kmt_feed_fill_rest(struct kmt_feed *feed, size_t slice_bytes, struct kmt_batch *batch,
		       struct kmt_err *err)
{
	int r;

	batch->nr = 0;
	r = decode_slice(feed, slice_bytes, batch, err);
	if (r == 0 && batch->nr)
		feed->last_ns = batch->events[batch->nr - 1].time_ns;
	return r;
}
