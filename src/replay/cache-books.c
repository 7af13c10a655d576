// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kmemtape/estimate.h"

#include "cache-books.h"
#include "slack.h"

#define NS_PER_S 1e9

/*
 * Slabinfo is read some time after the clock was; what comes and goes meanwhile is an error of the
 * comparison. 1.1 ms for 230 caches on 2 CPUs [measured]; large machines have more lists to walk.
 */
#define READ_SECONDS 0.005

/*
 * mm/kfence: every 100 ms one object comes from a pool of 255 that slabinfo doesn't know
 * (CONFIG_KFENCE_SAMPLE_INTERVAL, CONFIG_KFENCE_NUM_OBJECTS: defaults).
 */
#define KFENCE_OBJECTS	255u
#define KFENCE_A_SECOND 10.0

/* So many lost events explain anything; and sums with fewer fit 63 bits. */
#define LOST_MAX (UINT64_C(1) << 60)

/* Of older objects' untraced frees only an estimate is known: see unseen_frees(). */
#define UNSEEN_MARGIN 2.0

/* A cache, by slabinfo (all slabs that are called so) and by the events. */
struct kmt_cache_book {
	const char *name;      /* interned; NULL: by size */
	uint64_t object_bytes; /* by size */
	bool is_kmalloc;
	bool is_reclaimable; /* each of its slabs is */
	uint64_t nr_slabs;

	uint64_t first_active, last_active;
	uint64_t first_bytes, last_bytes;	       /* of the active */
	uint64_t first_idle, last_idle;		       /* of the active, at most: see slack.h */
	double unreclaimable_bytes, reclaimable_bytes; /* growth of whole slabs */

	uint64_t first_live, last_live; /* of the recorded objects */
	uint64_t allocs, frees, reused;
	uint64_t unknown_frees; /* between the snapshots, that may be of this cache */
};

void kmt_cache_books_deinit(struct kmt_cache_books *books)
{
	free(books->books);
	free(books->sizes);
	*books = (struct kmt_cache_books){ .nr_books = 0 };
}

/* --- which book --- */

static bool starts_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

/*
 * Caches that kmalloc() takes from, whatever the flags: mm/slab_common.c kmalloc_cache_name(), with
 * -cg, -rcl and -rnd- variants, and the buckets of kmem_buckets_create() (Linux 6.11).
 */
static bool is_kmalloc_name(const char *name)
{
	static const char *const starts[] = { "kmalloc-", "dma-kmalloc-", "memdup_user-",
					      "msg_msg-" };

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		if (starts_with(name, starts[i]))
			return true;
	return false;
}

/* By the name that kmt_account_cache() gives: of kmalloc, one for all variants of a size. */
static const char *book_name(const struct kmt_slab *slab, const struct kmt_rows_context *context)
{
	struct kmt_account account = {
		.key = { .bytes_alloc = slab->object_bytes, .is_kmalloc = true },
	};
	char buf[KMT_CACHE_NAME_BYTES];
	const char *name = slab->name;

	if (is_kmalloc_name(name) && slab->object_bytes <= 2 * (uint64_t)context->page_bytes)
		name = kmt_account_cache(&account, context->page_bytes, buf);
	return kmt_names_intern(context->names, name, strlen(name));
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct kmt_cache_book *)a)->name,
		      ((const struct kmt_cache_book *)b)->name);
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = ((const struct kmt_cache_book *)a)->object_bytes;
	uint64_t y = ((const struct kmt_cache_book *)b)->object_bytes;

	return (x > y) - (x < y);
}

/* Sorts, and leaves one of each. */
static size_t unite(struct kmt_cache_book *books, size_t nr,
		    int (*compare)(const void *, const void *))
{
	size_t to = 0;

	if (nr)
		qsort(books, nr, sizeof(*books), compare);
	for (size_t i = 0; i < nr; i++)
		if (!to || compare(&books[to - 1], &books[i]) != 0)
			books[to++] = books[i];
	return to;
}

static struct kmt_cache_book *find_name(const struct kmt_cache_books *books, const char *name)
{
	struct kmt_cache_book key = { .name = name };

	return books->nr_books ? bsearch(&key, books->books, books->nr_books, sizeof(key), by_name)
			       : NULL;
}

static struct kmt_cache_book *find_size(const struct kmt_cache_books *books, uint64_t bytes)
{
	struct kmt_cache_book key = { .object_bytes = bytes };

	return books->nr_sizes ? bsearch(&key, books->sizes, books->nr_sizes, sizeof(key), by_size)
			       : NULL;
}

static int open_books(struct kmt_cache_books *books, const struct kmt_counters *first,
		      const struct kmt_counters *last, const struct kmt_rows_context *context)
{
	size_t nr = first->nr_slabs + last->nr_slabs;

	books->books = calloc(nr ? nr : 1, sizeof(*books->books));
	books->sizes = calloc(nr ? nr : 1, sizeof(*books->sizes));
	if (!books->books || !books->sizes)
		return -ENOMEM;
	for (size_t i = 0; i < nr; i++) {
		const struct kmt_slab *slab =
			i < first->nr_slabs ? &first->slabs[i] : &last->slabs[i - first->nr_slabs];

		books->books[i] = (struct kmt_cache_book){
			.name = book_name(slab, context),
			.is_kmalloc = is_kmalloc_name(slab->name),
			.is_reclaimable = true,
		};
		books->sizes[i] = (struct kmt_cache_book){
			.object_bytes = slab->object_bytes,
			.is_reclaimable = true,
		};
		if (!books->books[i].name)
			return -ENOMEM;
	}
	books->nr_books = unite(books->books, nr, by_name);
	books->nr_sizes = unite(books->sizes, nr, by_size);
	return 0;
}

/* --- slabinfo --- */

struct side {
	const struct kmt_counters *counters;
	const struct kmt_rows_context *context;
	size_t nr_cpus;
	bool is_first;
};

static void count_slab(struct kmt_cache_book *book, const struct kmt_slab *slab,
		       bool is_reclaimable, const struct side *side)
{
	double bytes = (double)slab->slabs * (double)slab->pages_a_slab * side->context->page_bytes;
	uint64_t idle = kmt_slack_idle(slab, side->nr_cpus, side->counters->nr_nodes,
				       side->context->page_bytes);

	*(side->is_first ? &book->first_active : &book->last_active) += slab->active_objects;
	*(side->is_first ? &book->first_bytes : &book->last_bytes) +=
		slab->active_objects * slab->object_bytes;
	*(side->is_first ? &book->first_idle : &book->last_idle) += idle;
	*(is_reclaimable ? &book->reclaimable_bytes : &book->unreclaimable_bytes) +=
		side->is_first ? -bytes : bytes;
	book->is_reclaimable &= is_reclaimable;
	book->nr_slabs++;
}

static void count_slabs(struct kmt_cache_books *books, const struct side *side,
			const struct kmt_counters *flags)
{
	for (size_t i = 0; i < side->counters->nr_slabs; i++) {
		const struct kmt_slab *slab = &side->counters->slabs[i];
		const char *name = book_name(slab, side->context);
		struct kmt_cache_book *book = name ? find_name(books, name) : NULL;
		/* only the first snapshot says which are */
		bool is_reclaimable = kmt_counters_is_reclaimable(flags, slab->name);

		if (book)
			count_slab(book, slab, is_reclaimable, side);
		book = find_size(books, slab->object_bytes);
		if (book && !is_kmalloc_name(slab->name))
			count_slab(book, slab, is_reclaimable, side);
	}
}

/* --- the events --- */

/* How many objects one of the sample stands for. */
static double weight_of(const struct kmt_account *account, const struct kmt_rows_context *context,
			uint64_t sample)
{
	if (!context->sample_mask)
		return sample ? (double)sample : 1;
	return kmt_sample_weight(context->sample_mask, context->page_bytes, context->nr_cpus, 0,
				 account->key.bytes_alloc);
}

static uint64_t weigh(uint64_t n, double weight)
{
	return (uint64_t)((double)n * weight + 0.5);
}

static void book_account(struct kmt_cache_book *book, const struct kmt_account *account,
			 double weight)
{
	book->first_live += weigh(account->first_marked, weight);
	book->last_live += weigh(account->last_marked, weight);
	book->allocs += weigh(account->allocs, weight);
	book->frees += weigh(account->frees, weight);
	book->reused += weigh(account->reused, weight);
}

static void book_accounts(struct kmt_cache_books *books, const struct kmt_ledger *ledger,
			  const struct kmt_rows_context *context, uint64_t sample)
{
	const struct kmt_account *accounts;
	size_t nr;

	accounts = kmt_ledger_accounts(ledger, &nr);
	for (size_t i = 0; i < nr; i++) {
		const struct kmt_account *account = &accounts[i];
		char buf[KMT_CACHE_NAME_BYTES];
		const char *name = kmt_account_cache(account, context->page_bytes, buf);
		struct kmt_cache_book *book = name ? find_name(books, name) : NULL;
		double weight = weight_of(account, context, sample);

		if (account->key.space != KMT_SPACE_SLAB)
			continue;
		if (book)
			book_account(book, account, weight);
		else if (account->key.is_kmalloc)
			books->large_bytes +=
				((double)account->last_marked - (double)account->first_marked) *
				(double)account->key.bytes_alloc * weight;
		book = name ? NULL : find_size(books, account->key.bytes_alloc);
		if (book)
			book_account(book, account, weight);
	}
}

/* A free without a name may have been of any of those that are freed this way. */
static void book_unknown_frees(struct kmt_cache_books *books, const struct kmt_ledger *ledger,
			       uint64_t sample)
{
	const struct kmt_cache_frees *frees;
	uint64_t by_kfree = 0, nameless = 0;
	size_t nr;

	frees = kmt_ledger_unknown_frees(ledger, &nr);
	for (size_t i = 0; i < nr; i++) {
		uint64_t n = (frees[i].last_marked - frees[i].first_marked) * (sample ? sample : 1);
		struct kmt_cache_book *book =
			frees[i].cache ? find_name(books, frees[i].cache) : NULL;

		if (book)
			book->unknown_frees += n;
		else if (!frees[i].cache)
			*(frees[i].is_kfree ? &by_kfree : &nameless) += n;
	}
	for (size_t i = 0; i < books->nr_books; i++)
		books->books[i].unknown_frees += books->books[i].is_kmalloc ? by_kfree : nameless;
	for (size_t i = 0; i < books->nr_sizes; i++)
		books->sizes[i].unknown_frees += nameless;
}

/* --- what follows --- */

static int64_t counted(const struct kmt_cache_book *book)
{
	return (int64_t)(book->last_active - book->first_active);
}

static int64_t booked(const struct kmt_cache_book *book)
{
	return (int64_t)(book->last_live - book->first_live);
}

/* Comes and goes while slabinfo is read, or never was in it. */
static uint64_t blur(const struct kmt_cache_books *books, const struct kmt_cache_book *book)
{
	double kfence = books->seconds * KFENCE_A_SECOND + 1;
	double churn = books->seconds > READ_SECONDS
			       ? (double)book->allocs / books->seconds * READ_SECONDS
			       : (double)book->allocs;

	if (kfence > KFENCE_OBJECTS)
		kfence = KFENCE_OBJECTS;
	return (uint64_t)(kfence < (double)book->allocs ? kfence : (double)book->allocs) +
	       (uint64_t)churn;
}

/*
 * Older objects that were freed without an event make room that slabinfo shows as shrinking. How
 * many there were is estimated from the share of such frees among the cache's recorded objects; all
 * of the older ones at most.
 */
static uint64_t unseen_frees(const struct kmt_cache_book *book)
{
	double all = (double)book->unknown_frees;

	if (!book->reused)
		return 0;
	if (!book->frees)
		return book->first_active;
	all *= (double)book->reused / (double)book->frees * UNSEEN_MARGIN;
	/* Nothing was seen of the older ones; so the estimate is worth nothing. */
	if (!book->unknown_frees || all > (double)book->first_active)
		return book->first_active;
	return (uint64_t)all;
}

/*
 * Most of the recorded objects that can be live. First, no more can be live than slabinfo calls
 * active: its error is on that side only. Second, what was older has grown by what slabinfo says,
 * and what was freed of it has made room for more.
 */
static uint64_t allows(const struct kmt_cache_books *books, const struct kmt_cache_book *book)
{
	uint64_t error = blur(books, book), most = book->last_active + error;
	int64_t room = counted(book) + (int64_t)(book->first_live + book->first_idle + error +
						 book->unknown_frees + unseen_frees(book));

	if (books->lost > LOST_MAX) /* unknown, too */
		return most;
	room += (int64_t)books->lost; /* each may have been the free of an older one */
	if (room < 0)
		room = 0;
	return (uint64_t)room < most ? (uint64_t)room : most;
}

static bool is_contradicted(const struct kmt_cache_books *books, const struct kmt_cache_book *book)
{
	return !books->is_partial && book->last_live > allows(books, book);
}

/* At least half of what the live set claims, and more than the counters' own error. */
static bool is_confirmed(const struct kmt_cache_books *books, const struct kmt_cache_book *book)
{
	int64_t error = (int64_t)(book->last_idle + blur(books, book));

	return !books->is_partial && booked(book) > 0 && counted(book) > error &&
	       counted(book) >= booked(book) / 2 && !is_contradicted(books, book);
}

void kmt_cache_books_limit(const struct kmt_cache_books *books, const char *cache,
			   uint64_t bytes_alloc, struct kmt_cache_limit *limit)
{
	const struct kmt_cache_book *book =
		cache ? find_name(books, cache) : find_size(books, bytes_alloc);

	if (!book || !book->nr_slabs)
		return;
	limit->is_confirmed = is_confirmed(books, book);
	if (!books->is_partial)
		limit->allows = allows(books, book);
	/* Of kmalloc's, only the -rcl variant is, and nobody says which one it was. */
	limit->is_reclaimable = book->is_reclaimable;
}

/* The part of a cache's growth that the recorded objects account for, 0..1. */
static double explained_part(const struct kmt_cache_book *book)
{
	double growth = (double)counted(book), high = (double)booked(book);
	double low = high - (double)book->unknown_frees - (double)unseen_frees(book), part;

	if (growth == 0 || (growth >= low && growth <= high))
		return 1;
	if (growth > 0) /* more than the live set knows of; or less, and then it is in it */
		part = growth > high ? high / growth : 1;
	else
		part = growth < low ? low / growth : 1;
	return part < 0 ? 0 : part;
}

double kmt_cache_books_explained(const struct kmt_cache_books *books, bool is_reclaimable,
				 int64_t growth_bytes)
{
	double bytes = 0, left;

	for (size_t i = 0; i < books->nr_books; i++) {
		const struct kmt_cache_book *book = &books->books[i];

		bytes += explained_part(book) *
			 (is_reclaimable ? book->reclaimable_bytes : book->unreclaimable_bytes);
	}
	left = (double)growth_bytes - bytes;
	/* Kernels differ on whether these pages are in SUnreclaim (6a486c0ad4dc, v5.5). */
	if (!is_reclaimable && left > 0 && books->large_bytes > 0)
		return bytes + (left < books->large_bytes ? left : books->large_bytes);
	return bytes;
}

/* --- for the report --- */

static int by_growth(const void *left, const void *right)
{
	const struct kmt_cache_check *a = left, *b = right;

	if (a->counted_bytes != b->counted_bytes)
		return a->counted_bytes > b->counted_bytes ? -1 : 1;
	return strcmp(a->cache, b->cache);
}

static int fill_checks(const struct kmt_cache_books *books, struct kmt_result *result)
{
	struct kmt_reconciliation *to = &result->reconciliation;
	int r = 0;

	to->caches = calloc(books->nr_books ? books->nr_books : 1, sizeof(*to->caches));
	if (!to->caches)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < books->nr_books; i++) {
		const struct kmt_cache_book *book = &books->books[i];
		uint64_t idle =
			book->first_idle > book->last_idle ? book->first_idle : book->last_idle;
		struct kmt_cache_check *check = &to->caches[to->nr_caches];

		if (!book->allocs && !counted(book))
			continue;
		*check = (struct kmt_cache_check){
			.counted_objects = counted(book),
			.counted_bytes = (int64_t)(book->last_bytes - book->first_bytes),
			.booked_high = booked(book),
			.booked_low = booked(book) - (int64_t)book->unknown_frees,
			.slack_objects = idle + blur(books, book),
			.is_contradicted = is_contradicted(books, book),
			.is_reclaimable = book->is_reclaimable,
		};
		r = kmt_result_keep(result, book->name, &check->cache);
		to->nr_caches += r == 0;
	}
	if (r == 0 && to->nr_caches)
		qsort(to->caches, to->nr_caches, sizeof(*to->caches), by_growth);
	return r;
}

int kmt_cache_books_fill(struct kmt_cache_books *books, const struct kmt_counters *first,
			 const struct kmt_counters *last, const struct kmt_ledger *ledger,
			 const struct kmt_rows_context *context, struct kmt_result *result)
{
	struct side side = { first, context, result->nr_cpus, true };
	int r;

	if (!first->has_slabs || !last->has_slabs)
		return 0;
	books->seconds = (double)(last->time_ns - first->time_ns) / NS_PER_S;
	books->is_partial = result->sample > 1 || result->nr_filters;
	books->lost = result->totals.losses && !result->lost ? KMT_UNKNOWN : result->lost;
	r = open_books(books, first, last, context);
	if (r < 0)
		return r;
	count_slabs(books, &side, first);
	side = (struct side){ last, context, result->nr_cpus, false };
	count_slabs(books, &side, first);
	book_accounts(books, ledger, context, result->sample);
	book_unknown_frees(books, ledger, result->sample);
	return fill_checks(books, result);
}
