// SPDX-License-Identifier: LGPL-2.1-only
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "feeds.h"

/* Batches decoded ahead, a feed: one waits while the next is made. A batch is about 2 MiB. */
#define AHEAD_MAX	 2u
/* And in all, beyond one a feed: bounds memory on tapes of hundreds of CPUs. */
#define AHEAD_TOTAL	 12u
/* One more is with those who empty; a shard may still have the one before. */
#define BUNDLES		 (AHEAD_MAX + 1)
/*
 * Where a batch is booked or shared out at once, so much of a chunk is decoded at a time, or a
 * sub-buffer if that is more: the events are still in the second-level cache then.
 */
#define SLICE_BYTES	 32768u
/*
 * A batch that is shared out is of several chunks if these are smaller: of a quiet machine they
 * hold a few events each, and to pass a batch on takes as long as to book a hundred.
 */
#define BATCH_EVENTS_MIN 1024u

/* A batch, as it is shared out. */
struct bundle {
	struct kmt_share *shares; /* of each shard */
	uint64_t first_ns;
	unsigned int nr_using; /* shards that have not let it go */
};

struct entry {
	struct kmt_feed feed;
	struct kmt_sharer sharer;
	struct bundle bundles[BUNDLES];
	struct bundle *row[BUNDLES]; /* those in use, by their number modulo BUNDLES */
	uint64_t nr_made;	     /* bundles so far */
	uint64_t nr_reached;	     /* by the shard that has come farthest */
	unsigned int nr_ends;	     /* shards that have seen its end */
	bool is_busy;		     /* a thread is filling it */
	bool has_ended;
	int error; /* negative errno: reading failed */
	struct kmt_err error_text;
};

/* Of one shard in one feed. */
struct reader {
	uint64_t nr_got, nr_let_go; /* bundles: the same, or one less */
};

struct kmt_feeds {
	struct entry *entries;
	size_t nr_entries;
	struct reader *readers;	    /* nr_entries for each shard */
	struct kmt_sharing sharing; /* among the shards */
	unsigned int nr_present;    /* shards that have not left */
	uint64_t dropped_ns;
	struct kmt_chunk_scratch *scratch; /* of the one who empties, without threads */
	struct kmt_decoder_cache *cache;   /* likewise */
	size_t slice_bytes;		   /* 0: whole chunks are decoded at once */

	pthread_mutex_t lock;
	pthread_cond_t has_work, has_batch;
	pthread_t *threads;
	unsigned int nr_threads;
	unsigned int nr_ahead; /* batches ready that no shard has reached, over all feeds */
	size_t next;	       /* where the search for work begins */
	bool is_stopping;
};

/* What a thread works with. */
struct worker {
	struct kmt_chunk_scratch *scratch;
	struct kmt_decoder_cache *cache;
	struct kmt_batch batch; /* decoded, not yet shared out */
};

static void deinit_worker(struct worker *worker)
{
	(void)kmt_chunk_scratch_free(worker->scratch);
	(void)kmt_decoder_cache_free(worker->cache);
	kmt_batch_deinit(&worker->batch);
}

/* --- to fill --- */

static uint64_t first_that_counts(const struct kmt_batch *batch, uint64_t dropped_ns)
{
	for (size_t i = 0; i < batch->nr; i++)
		if (batch->events[i].time_ns >= dropped_ns)
			return batch->events[i].time_ns;
	return UINT64_MAX;
}

static void note_first(struct kmt_feeds *feeds, struct bundle *bundle,
		       const struct kmt_batch *batch)
{
	if (bundle->first_ns == UINT64_MAX)
		bundle->first_ns = first_that_counts(batch, feeds->dropped_ns);
}

/* What comes next of a bundle. Return: 1; 0 it has enough; negative errno. */
static int decode_more(struct kmt_feeds *feeds, struct entry *entry, struct worker *worker,
		       const struct bundle *bundle, struct kmt_err *err)
{
	int r;

	if (kmt_feed_has_rest(&entry->feed)) {
		r = kmt_feed_fill_rest(&entry->feed, feeds->slice_bytes, &worker->batch, err);
		return r < 0 ? r : 1;
	}
	if (entry->sharer.number - bundle->shares[0].first_number >= BATCH_EVENTS_MIN)
		return 0;
	entry->sharer.nr_for_all = 0; /* a limit of each chunk */
	r = kmt_feed_fill(&entry->feed, worker->scratch, feeds->slice_bytes, &worker->batch, err);
	if (r < 0) {
		/* It comes behind the events that there are, as it does where chunks are larger. */
		entry->error = r;
		entry->error_text = *err;
	}
	return r == 1;
}

static int share_out(struct kmt_feeds *feeds, struct entry *entry, struct worker *worker,
		     struct bundle *bundle, struct kmt_err *err)
{
	const struct kmt_sharing *sharing = &feeds->sharing;
	uint16_t cpu = (uint16_t)kmt_chunk_reader_cpu(entry->feed.reader);
	int r;

	for (;;) {
		note_first(feeds, bundle, &worker->batch);
		r = kmt_share_add(sharing, &entry->sharer, &worker->batch, bundle->shares);
		if (r < 0)
			return kmt_fail(err, r, "%s: %s", kmt_chunk_reader_name(entry->feed.reader),
					r == -EAGAIN ? "not to be shared out" : "out of memory");
		r = decode_more(feeds, entry, worker, bundle, err);
		if (r < 0)
			return r;
		if (r == 0)
			break;
	}
	if (kmt_share_close(sharing, &entry->sharer, cpu, bundle->shares) < 0)
		return kmt_fail(err, -ENOMEM, "out of memory");
	return 1;
}

/* Return: as kmt_feed_fill(). */
static int fill(struct kmt_feeds *feeds, struct entry *entry, struct worker *worker,
		struct bundle *bundle, struct kmt_err *err)
{
	int r;

	if (entry->error < 0) {
		*err = entry->error_text;
		return entry->error;
	}
	kmt_decoder_set_cache(entry->feed.decoder, worker->cache);
	bundle->first_ns = UINT64_MAX;
	if (feeds->sharing.nr_shares == 1) {
		r = kmt_feed_fill(&entry->feed, worker->scratch, feeds->slice_bytes,
				  &bundle->shares[0].batch, err);
		if (r == 1)
			note_first(feeds, bundle, &bundle->shares[0].batch);
		return r;
	}
	kmt_share_empty(&feeds->sharing, &entry->sharer, bundle->shares);
	r = kmt_feed_fill(&entry->feed, worker->scratch, feeds->slice_bytes, &worker->batch, err);
	return r == 1 ? share_out(feeds, entry, worker, bundle, err) : r;
}

/* Books what fill() said. The lock is held, or there are no threads. */
static void take_answer(struct entry *entry, int answer, const struct kmt_err *err)
{
	if (answer <= 0)
		entry->has_ended = true;
	if (answer < 0) {
		entry->error = answer;
		entry->error_text = *err;
	}
}

static unsigned int nr_ready(const struct entry *entry)
{
	return (unsigned int)(entry->nr_made - entry->nr_reached);
}

/* One that nobody has; those that have room already come first. */
static struct bundle *find_bundle(struct entry *entry)
{
	for (size_t i = 0; i < BUNDLES; i++)
		if (entry->bundles[i].nr_using == 0)
			return &entry->bundles[i];
	return NULL;
}

/* A feed that may be filled, the emptiest first; NULL if there is none. The lock is held. */
static struct entry *find_work(struct kmt_feeds *feeds)
{
	struct entry *found = NULL;

	for (size_t k = 0; k < feeds->nr_entries; k++) {
		struct entry *entry = &feeds->entries[(feeds->next + k) % feeds->nr_entries];
		unsigned int nr = nr_ready(entry);

		if (entry->is_busy || entry->has_ended || nr >= AHEAD_MAX || !find_bundle(entry) ||
		    (nr > 0 && feeds->nr_ahead >= feeds->nr_entries + AHEAD_TOTAL))
			continue;
		if (!found || nr < nr_ready(found))
			found = entry;
		if (nr_ready(found) == 0)
			break;
	}
	if (found)
		feeds->next = (size_t)(found - feeds->entries) + 1;
	return found;
}

static void do_work(struct kmt_feeds *feeds, struct entry *entry, struct worker *worker)
{
	struct bundle *bundle = find_bundle(entry);
	struct kmt_err err;
	int answer;

	entry->is_busy = true;
	(void)pthread_mutex_unlock(&feeds->lock);
	answer = fill(feeds, entry, worker, bundle, &err);
	(void)pthread_mutex_lock(&feeds->lock);
	entry->is_busy = false;
	take_answer(entry, answer, &err);
	if (answer == 1) {
		bundle->nr_using = feeds->nr_present;
		entry->row[entry->nr_made++ % BUNDLES] = bundle;
		feeds->nr_ahead++;
	}
	(void)pthread_cond_broadcast(&feeds->has_batch);
}

static void *work(void *context)
{
	KMT_CLEANUP(deinit_worker) struct worker worker = { 0 };
	struct kmt_feeds *feeds = context;
	struct kmt_err err;
	int r = kmt_chunk_scratch_new(&worker.scratch, &err);

	if (r == 0)
		r = kmt_decoder_cache_new(&worker.cache, &err);
	(void)pthread_mutex_lock(&feeds->lock);
	while (!feeds->is_stopping) {
		struct entry *entry = find_work(feeds);

		if (!entry)
			(void)pthread_cond_wait(&feeds->has_work, &feeds->lock);
		else if (r < 0)
			take_answer(entry, r, &err),
				(void)pthread_cond_broadcast(&feeds->has_batch);
		else
			do_work(feeds, entry, &worker);
	}
	(void)pthread_mutex_unlock(&feeds->lock);
	return NULL;
}

/* --- begin and end --- */

static int start_threads(struct kmt_feeds *feeds, unsigned int nr_threads, struct kmt_err *err)
{
	feeds->threads = calloc(nr_threads, sizeof(*feeds->threads));
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
static void set_slices(struct kmt_feeds *feeds, const struct kmt_formats *formats)
{
	size_t subbuf_bytes = kmt_formats_page(formats)->subbuf_bytes;

	if (!kmt_formats_has_stacks(formats))
		feeds->slice_bytes = subbuf_bytes < SLICE_BYTES
					     ? SLICE_BYTES - SLICE_BYTES % subbuf_bytes
					     : subbuf_bytes;
}

/* Slices of a feed are decoded with those of others in between. */
static int start_alone(struct kmt_feeds *feeds, const struct kmt_formats *formats,
		       struct kmt_err *err)
{
	int r;

	assert(feeds->sharing.nr_shares == 1);
	set_slices(feeds, formats);
	for (size_t i = 0; feeds->slice_bytes && i < feeds->nr_entries; i++) {
		feeds->entries[i].feed.kept_raw = malloc(KMT_CHUNK_RAW_BYTES_MAX);
		if (!feeds->entries[i].feed.kept_raw)
			return kmt_fail(err, -ENOMEM, "out of memory");
	}
	r = kmt_decoder_cache_new(&feeds->cache, err);
	return r < 0 ? r : kmt_chunk_scratch_new(&feeds->scratch, err);
}

static int init_entry(struct kmt_feeds *feeds, const struct kmt_feeds_options *options, size_t i,
		      struct kmt_err *err)
{
	struct entry *entry = &feeds->entries[i];

	for (size_t k = 0; k < BUNDLES; k++) {
		entry->bundles[k].shares =
			calloc(options->nr_shards, sizeof(*entry->bundles[k].shares));
		if (!entry->bundles[k].shares)
			return kmt_fail(err, -ENOMEM, "out of memory");
	}
	return kmt_feed_init(&entry->feed, options->readers[i], options->formats, options->names,
			     options->stacks, err);
}

static int init_entries(struct kmt_feeds *feeds, const struct kmt_feeds_options *options,
			struct kmt_err *err)
{
	size_t nr = options->nr_readers ? options->nr_readers : 1;

	feeds->entries = calloc(nr, sizeof(*feeds->entries));
	feeds->readers = calloc(nr * options->nr_shards, sizeof(*feeds->readers));
	if (!feeds->entries || !feeds->readers)
		return kmt_fail(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < options->nr_readers; i++) {
		int r;

		feeds->nr_entries++;
		r = init_entry(feeds, options, i, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int kmt_feeds_new(const struct kmt_feeds_options *options, struct kmt_feeds **ret_feeds,
		  struct kmt_err *err)
{
	KMT_CLEANUP(kmt_feeds_freep) struct kmt_feeds *feeds = calloc(1, sizeof(*feeds));
	int r;

	if (!feeds)
		return kmt_fail(err, -ENOMEM, "out of memory");
	(void)pthread_mutex_init(&feeds->lock, NULL);
	(void)pthread_cond_init(&feeds->has_work, NULL);
	(void)pthread_cond_init(&feeds->has_batch, NULL);
	feeds->sharing = (struct kmt_sharing){ options->nr_shards, options->hash_seed };
	feeds->nr_present = options->nr_shards;
	feeds->dropped_ns = options->dropped_ns;
	r = init_entries(feeds, options, err);
	if (r < 0)
		return r;
	if (options->nr_shards > 1)
		set_slices(feeds, options->formats);
	r = options->nr_threads ? start_threads(feeds, options->nr_threads, err)
				: start_alone(feeds, options->formats, err);
	if (r < 0)
		return r;
	*ret_feeds = KMT_STEAL(feeds);
	return 0;
}

static void deinit_entry(struct entry *entry, unsigned int nr_shards)
{
	kmt_feed_deinit(&entry->feed);
	for (size_t i = 0; i < BUNDLES; i++) {
		struct kmt_share *shares = entry->bundles[i].shares;

		for (unsigned int k = 0; shares && k < nr_shards; k++)
			kmt_share_deinit(&shares[k]);
		free(shares);
	}
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
	for (size_t i = 0; i < feeds->nr_entries; i++)
		deinit_entry(&feeds->entries[i], feeds->sharing.nr_shares);
	free(feeds->entries);
	free(feeds->readers);
	(void)kmt_chunk_scratch_free(feeds->scratch);
	(void)kmt_decoder_cache_free(feeds->cache);
	(void)pthread_cond_destroy(&feeds->has_batch);
	(void)pthread_cond_destroy(&feeds->has_work);
	(void)pthread_mutex_destroy(&feeds->lock);
	free(feeds);
	return NULL;
}

/* --- to empty --- */

static struct reader *reader_of(struct kmt_feeds *feeds, unsigned int shard, size_t feed)
{
	return &feeds->readers[shard * feeds->nr_entries + feed];
}

/* The lock is held, or there are no threads. */
static void let_go(struct kmt_feeds *feeds, struct entry *entry, struct reader *reader)
{
	struct bundle *bundle = entry->row[reader->nr_let_go++ % BUNDLES];

	if (--bundle->nr_using == 0)
		(void)pthread_cond_signal(&feeds->has_work);
}

/* Likewise. Return: 1; 0 there is none, for now or for good. */
static int get(struct kmt_feeds *feeds, struct entry *entry, struct reader *reader)
{
	if (reader->nr_got == entry->nr_made)
		return 0;
	reader->nr_got++;
	if (reader->nr_got > entry->nr_reached) {
		entry->nr_reached++;
		feeds->nr_ahead--;
		(void)pthread_cond_signal(&feeds->has_work);
	}
	return 1;
}

static int wait_for_batch(struct kmt_feeds *feeds, struct entry *entry, struct reader *reader)
{
	int r;

	(void)pthread_mutex_lock(&feeds->lock);
	if (reader->nr_let_go < reader->nr_got)
		let_go(feeds, entry, reader);
	while (!(r = get(feeds, entry, reader)) && (!entry->has_ended || entry->is_busy))
		(void)pthread_cond_wait(&feeds->has_batch, &feeds->lock);
	entry->nr_ends += r == 0;
	(void)pthread_mutex_unlock(&feeds->lock);
	return r;
}

/* Without threads. */
static int make_batch(struct kmt_feeds *feeds, struct entry *entry, struct reader *reader)
{
	struct worker worker = { .scratch = feeds->scratch, .cache = feeds->cache };
	struct kmt_err err;
	int r;

	if (reader->nr_let_go < reader->nr_got)
		let_go(feeds, entry, reader);
	if (!entry->has_ended) {
		r = fill(feeds, entry, &worker, &entry->bundles[0], &err);
		take_answer(entry, r, &err);
		if (r == 1) {
			entry->bundles[0].nr_using = 1;
			entry->row[entry->nr_made++ % BUNDLES] = &entry->bundles[0];
			feeds->nr_ahead++;
		}
	}
	r = get(feeds, entry, reader);
	entry->nr_ends += r == 0;
	return r;
}

int kmt_feeds_next(struct kmt_feeds *feeds, unsigned int shard, size_t feed,
		   const struct kmt_share **ret_share, uint64_t *ret_first_ns)
{
	struct entry *entry = &feeds->entries[feed];
	struct reader *reader = reader_of(feeds, shard, feed);
	const struct bundle *bundle;
	int r;

	assert(feed < feeds->nr_entries && shard < feeds->sharing.nr_shares);
	r = feeds->nr_threads ? wait_for_batch(feeds, entry, reader)
			      : make_batch(feeds, entry, reader);
	if (r == 0)
		return 0;
	bundle = entry->row[(reader->nr_got - 1) % BUNDLES];
	*ret_share = &bundle->shares[shard];
	*ret_first_ns = bundle->first_ns;
	return 1;
}

uint64_t kmt_feeds_limit_ns(struct kmt_feeds *feeds, size_t feed)
{
	const struct kmt_feed_report *report = &feeds->entries[feed].feed.report;

	return report->end == KMT_FEED_CUT ? report->limit_ns : UINT64_MAX;
}

void kmt_feeds_leave(struct kmt_feeds *feeds, unsigned int shard)
{
	(void)pthread_mutex_lock(&feeds->lock);
	for (size_t i = 0; i < feeds->nr_entries; i++) {
		struct reader *reader = reader_of(feeds, shard, i);

		while (reader->nr_let_go < feeds->entries[i].nr_made)
			let_go(feeds, &feeds->entries[i], reader);
	}
	feeds->nr_present--;
	(void)pthread_mutex_unlock(&feeds->lock);
}

static bool has_ended(const struct kmt_feeds *feeds, size_t feed)
{
	return feeds->entries[feed].nr_ends == feeds->sharing.nr_shares;
}

const struct kmt_feed_report *kmt_feeds_report(const struct kmt_feeds *feeds, size_t feed)
{
	return has_ended(feeds, feed) ? &feeds->entries[feed].feed.report : NULL;
}

const struct kmt_decoder_stats *kmt_feeds_decoder_stats(const struct kmt_feeds *feeds, size_t feed)
{
	return has_ended(feeds, feed) ? kmt_decoder_stats(feeds->entries[feed].feed.decoder) : NULL;
}

int kmt_feeds_error(const struct kmt_feeds *feeds, struct kmt_err *err)
{
	for (size_t i = 0; i < feeds->nr_entries; i++) {
		const struct entry *entry = &feeds->entries[i];

		if (entry->error == 0 || !has_ended(feeds, i))
			continue;
		if (err)
			*err = entry->error_text;
		return entry->error;
	}
	return 0;
}
