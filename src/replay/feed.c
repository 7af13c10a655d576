// SPDX-License-Identifier: LGPL-2.1-only
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "feed.h"

/* Batches decoded ahead, a feed: one waits while the next is made. A batch is about 2 MiB. */
#define AHEAD_MAX   2u
/* And in all, beyond one a feed: bounds memory on tapes of hundreds of CPUs. */
#define AHEAD_TOTAL 12u
/*
 * Without threads, so much of a chunk is decoded at a time, or a sub-buffer if that is more: the
 * events are still in the second-level cache when they are booked.
 */
#define SLICE_BYTES 32768u

struct feed {
	struct kmt_chunk_reader *reader;
	struct kmt_decoder *decoder;
	bool is_read;	     /* to its end */
	uint64_t raw_offset; /* raw bytes before the next chunk, for messages */
	uint64_t last_ns;    /* of the last event decoded */

	/* Of a feed that is read in slices: the chunk, and what of it is still to be decoded. */
	void *raw;
	size_t raw_at, raw_bytes;

	struct kmt_batch current; /* with the one who empties */
	struct kmt_batch ready[AHEAD_MAX];
	unsigned int nr_ready;
	struct kmt_batch spare[AHEAD_MAX]; /* emptied, to be filled again */
	unsigned int nr_spare;

	bool is_empty; /* the one who empties has seen its end */
	bool is_busy;  /* a thread is filling it */
	bool has_ended;
	int error; /* negative errno: reading failed */
	struct kmt_err error_text;
	struct kmt_feed_report report;
};

struct kmt_feeds {
	struct feed *feeds;
	size_t nr_feeds;
	struct kmt_chunk_scratch *scratch; /* of the one who empties, without threads */
	size_t slice_bytes;		   /* 0: whole chunks are decoded at once */

	pthread_mutex_t lock;
	pthread_cond_t has_work, has_batch;
	pthread_t *threads;
	unsigned int nr_threads;
	unsigned int nr_ahead; /* batches ready, over all feeds */
	size_t next;	       /* where the search for work begins */
	bool is_stopping;
};

static void note_damage(struct feed *feed, const struct kmt_err *err)
{
	if (feed->report.damaged_chunks++ == 0)
		feed->report.damage = *err;
	kmt_decoder_note_gap(feed->decoder);
}

static void end_cut(struct feed *feed, const struct kmt_err *err)
{
	feed->report.end = KMT_FEED_CUT;
	feed->report.cut = *err;
	/* Drained up to a mark, or at least up to the last event that was there to read. */
	if (feed->report.limit_ns < feed->last_ns)
		feed->report.limit_ns = feed->last_ns;
}

/* No more chunks: what waited for its stack comes now. Return: as fill(). */
static int finish_decoder(struct feed *feed, struct kmt_batch *batch, struct kmt_err *err)
{
	if (kmt_decoder_finish(feed->decoder, batch) < 0)
		return kmt_fail(err, -ENOMEM, "out of memory");
	feed->is_read = true;
	if (batch->nr)
		feed->last_ns = batch->events[batch->nr - 1].time_ns;
	return batch->nr > 0;
}

static int decode(struct feed *feed, const void *raw, size_t bytes, struct kmt_batch *batch,
		  struct kmt_err *err)
{
	int r = kmt_decoder_run(feed->decoder, raw, bytes, kmt_chunk_reader_name(feed->reader),
				feed->raw_offset, batch);

	feed->raw_offset += bytes;
	return r < 0 ? kmt_fail(err, r, "out of memory") : 0;
}

static int decode_slice(struct feed *feed, size_t slice_bytes, struct kmt_batch *batch,
			struct kmt_err *err)
{
	size_t left = feed->raw_bytes - feed->raw_at, at = feed->raw_at;
	size_t bytes = left < slice_bytes ? left : slice_bytes;

	feed->raw_at += bytes;
	return decode(feed, (const uint8_t *)feed->raw + at, bytes, batch, err);
}

/* A chunk was read: all of it is decoded, or its first slice. */
static int decode_chunk(struct feed *feed, struct kmt_chunk_scratch *scratch, size_t slice_bytes,
			const struct kmt_chunk *chunk, struct kmt_batch *batch, struct kmt_err *err)
{
	if (!slice_bytes)
		return decode(feed, chunk->raw, chunk->raw_bytes, batch, err);
	kmt_chunk_scratch_swap_raw(scratch, &feed->raw);
	feed->raw_at = 0;
	feed->raw_bytes = chunk->raw_bytes;
	return decode_slice(feed, slice_bytes, batch, err);
}

/*
 * Decodes the next chunks until there are events or the end.
 * Return: 1 with events in @batch, 0 at the end, negative errno.
 */
static int fill(struct feed *feed, struct kmt_chunk_scratch *scratch, size_t slice_bytes,
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

/* Books what fill() said. The lock is held, or there are no threads. */
static void take_answer(struct feed *feed, int answer, const struct kmt_err *err)
{
	if (answer <= 0)
		feed->has_ended = true;
	if (answer < 0) {
		feed->error = answer;
		feed->error_text = *err;
	}
}

/* A feed that may be filled, the emptiest first; NULL if there is none. The lock is held. */
static struct feed *find_work(struct kmt_feeds *feeds)
{
	struct feed *found = NULL;

	for (size_t k = 0; k < feeds->nr_feeds; k++) {
		struct feed *feed = &feeds->feeds[(feeds->next + k) % feeds->nr_feeds];

		if (feed->is_busy || feed->has_ended || feed->nr_ready >= AHEAD_MAX ||
		    (feed->nr_ready > 0 && feeds->nr_ahead >= feeds->nr_feeds + AHEAD_TOTAL))
			continue;
		if (!found || feed->nr_ready < found->nr_ready)
			found = feed;
		if (found->nr_ready == 0)
			break;
	}
	if (found)
		feeds->next = (size_t)(found - feeds->feeds) + 1;
	return found;
}

static void do_work(struct kmt_feeds *feeds, struct feed *feed, struct kmt_chunk_scratch *scratch)
{
	struct kmt_batch batch = { 0 };
	struct kmt_err err;
	int answer;

	if (feed->nr_spare)
		batch = feed->spare[--feed->nr_spare];
	feed->is_busy = true;
	(void)pthread_mutex_unlock(&feeds->lock);
	answer = fill(feed, scratch, 0, &batch, &err);
	(void)pthread_mutex_lock(&feeds->lock);
	feed->is_busy = false;
	take_answer(feed, answer, &err);
	if (answer == 1) {
		feed->ready[feed->nr_ready++] = batch;
		feeds->nr_ahead++;
	} else {
		kmt_batch_deinit(&batch);
	}
	(void)pthread_cond_broadcast(&feeds->has_batch);
}

static void *work(void *context)
{
	KMT_CLEANUP(kmt_chunk_scratch_freep) struct kmt_chunk_scratch *scratch = NULL;
	struct kmt_feeds *feeds = context;
	struct kmt_err err;
	int r = kmt_chunk_scratch_new(&scratch, &err);

	(void)pthread_mutex_lock(&feeds->lock);
	while (!feeds->is_stopping) {
		struct feed *feed = find_work(feeds);

		if (!feed)
			(void)pthread_cond_wait(&feeds->has_work, &feeds->lock);
		else if (r < 0)
			take_answer(feed, r, &err), (void)pthread_cond_broadcast(&feeds->has_batch);
		else
			do_work(feeds, feed, scratch);
	}
	(void)pthread_mutex_unlock(&feeds->lock);
	return NULL;
}

static int start_threads(struct kmt_feeds *feeds, unsigned int nr_threads, struct kmt_err *err)
{
	feeds->threads = calloc(nr_threads ? nr_threads : 1, sizeof(*feeds->threads));
	if (!feeds->threads)
		return kmt_fail(err, -ENOMEM, "out of memory");
	for (unsigned int i = 0; i < nr_threads; i++) {
		int r = pthread_create(&feeds->threads[i], NULL, work, feeds);

		if (r && i == 0)
			return kmt_fail(err, -r, "cannot start a thread: %s", strerror(r));
		if (r)
			break; /* fewer will do */
		feeds->nr_threads++;
	}
	return 0;
}

/*
 * Of allocations that have stacks all of a chunk is looked through for these: how much a decoder
 * gets at once would show in what it finds.
 */
static int start_slices(struct kmt_feeds *feeds, const struct kmt_formats *formats,
			struct kmt_err *err)
{
	size_t subbuf_bytes = kmt_formats_page(formats)->subbuf_bytes;

	if (kmt_formats_has_stacks(formats))
		return 0;
	feeds->slice_bytes = subbuf_bytes < SLICE_BYTES ? SLICE_BYTES - SLICE_BYTES % subbuf_bytes
							: subbuf_bytes;
	for (size_t i = 0; i < feeds->nr_feeds; i++) {
		feeds->feeds[i].raw = malloc(KMT_CHUNK_RAW_BYTES_MAX);
		if (!feeds->feeds[i].raw)
			return kmt_fail(err, -ENOMEM, "out of memory");
	}
	return 0;
}

int kmt_feeds_new(struct kmt_chunk_reader **readers, size_t nr_readers,
		  const struct kmt_formats *formats, struct kmt_names *names,
		  struct kmt_stacks *stacks, unsigned int nr_threads, struct kmt_feeds **ret_feeds,
		  struct kmt_err *err)
{
	KMT_CLEANUP(kmt_feeds_freep) struct kmt_feeds *feeds = calloc(1, sizeof(*feeds));
	int r;

	if (!feeds)
		return kmt_fail(err, -ENOMEM, "out of memory");
	(void)pthread_mutex_init(&feeds->lock, NULL);
	(void)pthread_cond_init(&feeds->has_work, NULL);
	(void)pthread_cond_init(&feeds->has_batch, NULL);
	feeds->feeds = calloc(nr_readers ? nr_readers : 1, sizeof(*feeds->feeds));
	if (!feeds->feeds)
		return kmt_fail(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < nr_readers; i++) {
		feeds->nr_feeds++;
		feeds->feeds[i].reader = readers[i];
		r = kmt_decoder_new(formats, names, stacks,
				    (uint16_t)kmt_chunk_reader_cpu(readers[i]),
				    &feeds->feeds[i].decoder, err);
		if (r < 0)
			return r;
	}
	r = nr_threads ? start_threads(feeds, nr_threads, err)
		       : kmt_chunk_scratch_new(&feeds->scratch, err);
	if (r == 0 && !nr_threads)
		r = start_slices(feeds, formats, err);
	if (r < 0)
		return r;
	*ret_feeds = KMT_STEAL(feeds);
	return 0;
}

static void deinit_feed(struct feed *feed)
{
	(void)kmt_decoder_free(feed->decoder);
	free(feed->raw);
	kmt_batch_deinit(&feed->current);
	for (unsigned int i = 0; i < feed->nr_ready; i++)
		kmt_batch_deinit(&feed->ready[i]);
	for (unsigned int i = 0; i < feed->nr_spare; i++)
		kmt_batch_deinit(&feed->spare[i]);
}

struct kmt_feeds *kmt_feeds_free(struct kmt_feeds *feeds)
{
	if (!feeds)
		return NULL;
	(void)pthread_mutex_lock(&feeds->lock);
	feeds->is_stopping = true;
	(void)pthread_cond_broadcast(&feeds->has_work);
	(void)pthread_mutex_unlock(&feeds->lock);
	for (unsigned int i = 0; i < feeds->nr_threads; i++)
		(void)pthread_join(feeds->threads[i], NULL);
	free(feeds->threads);
	for (size_t i = 0; i < feeds->nr_feeds; i++)
		deinit_feed(&feeds->feeds[i]);
	free(feeds->feeds);
	(void)kmt_chunk_scratch_free(feeds->scratch);
	(void)pthread_cond_destroy(&feeds->has_batch);
	(void)pthread_cond_destroy(&feeds->has_work);
	(void)pthread_mutex_destroy(&feeds->lock);
	free(feeds);
	return NULL;
}

/* Put the emptied batch aside, so that its memory is used again. The lock is held. */
static void put_aside(struct feed *feed)
{
	if (feed->current.room && feed->nr_spare < AHEAD_MAX) {
		feed->spare[feed->nr_spare++] = feed->current;
		feed->current = (struct kmt_batch){ 0 };
	} else {
		kmt_batch_deinit(&feed->current);
	}
}

static int wait_for_batch(struct kmt_feeds *feeds, struct feed *feed)
{
	int r = 0;

	(void)pthread_mutex_lock(&feeds->lock);
	put_aside(feed);
	while (feed->nr_ready == 0 && (!feed->has_ended || feed->is_busy))
		(void)pthread_cond_wait(&feeds->has_batch, &feeds->lock);
	if (feed->nr_ready) {
		feed->current = feed->ready[0];
		feed->nr_ready--;
		memmove(feed->ready, feed->ready + 1, feed->nr_ready * sizeof(feed->ready[0]));
		feeds->nr_ahead--;
		(void)pthread_cond_signal(&feeds->has_work);
		r = 1;
	}
	(void)pthread_mutex_unlock(&feeds->lock);
	return r;
}

int kmt_feeds_next(struct kmt_feeds *feeds, size_t index, const struct kmt_batch **ret_batch,
		   struct kmt_err *err)
{
	struct feed *feed = &feeds->feeds[index];
	int r = 0;

	assert(index < feeds->nr_feeds);
	if (feeds->nr_threads) {
		r = wait_for_batch(feeds, feed);
	} else if (!feed->has_ended) {
		struct kmt_err text;

		r = fill(feed, feeds->scratch, feeds->slice_bytes, &feed->current, &text);
		take_answer(feed, r, &text);
	}
	if (r == 1) {
		*ret_batch = &feed->current;
		return 1;
	}
	feed->is_empty = true;
	if (feed->error < 0 && err)
		*err = feed->error_text;
	return feed->error;
}

const struct kmt_feed_report *kmt_feeds_report(const struct kmt_feeds *feeds, size_t feed)
{
	return feeds->feeds[feed].is_empty ? &feeds->feeds[feed].report : NULL;
}

const struct kmt_decoder_stats *kmt_feeds_decoder_stats(const struct kmt_feeds *feeds, size_t feed)
{
	return feeds->feeds[feed].is_empty ? kmt_decoder_stats(feeds->feeds[feed].decoder) : NULL;
}
