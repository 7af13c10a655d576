// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>

#include "kmemtape/decoder.h"
#include "kmemtape/merge.h"

#include "check.h"
#include "fixture.h"

/* --- names --- */

TEST(equal_texts_are_equal_pointers)
{
	KMT_CLEANUP(kmt_names_freep) struct kmt_names *names = NULL;
	const char *dentry;

	CHECK_EQ(kmt_names_new(&names, NULL), 0);
	dentry = kmt_names_intern(names, "dentry", 6);
	CHECK_TEXT(dentry, "dentry");
	CHECK(kmt_names_intern(names, "dentry_and_more", 6) == dentry);
	CHECK(kmt_names_intern(names, "dentry\0junk", 11) == dentry);
	CHECK(kmt_names_intern(names, "dentr", 5) != dentry);
	CHECK(kmt_names_intern(names, "dentry2", 7) != dentry);
	CHECK_TEXT(kmt_names_intern(names, "", 0), "");
}

TEST(full_names_say_so_and_give_those_they_have)
{
	KMT_CLEANUP(kmt_names_freep) struct kmt_names *names = NULL;
	const char *dentry;
	char text[16];
	int nr = 0;

	CHECK_EQ(kmt_names_new(&names, NULL), 0);
	kmt_names_set_max(names, 6400);
	dentry = kmt_names_intern(names, "dentry", 6);
	while (snprintf(text, sizeof(text), "name%d", nr) > 0 &&
	       kmt_names_intern(names, text, sizeof(text))) {
		CHECK(!kmt_names_is_full(names));
		CHECK(++nr <= 200);
	}
	CHECK(nr >= 50);
	CHECK(kmt_names_is_full(names));
	CHECK(kmt_names_intern(names, "dentry", 6) == dentry);
	CHECK(!kmt_names_intern(names, "", 0)); /* however small */
}

TEST(long_names_are_cut)
{
	KMT_CLEANUP(kmt_names_freep) struct kmt_names *names = NULL;
	char text[300];
	const char *name;

	memset(text, 'n', sizeof(text));
	CHECK_EQ(kmt_names_new(&names, NULL), 0);
	name = kmt_names_intern(names, text, sizeof(text));
	CHECK_EQ(strlen(name), KMT_NAME_BYTES_MAX);
	CHECK(kmt_names_intern(names, text, KMT_NAME_BYTES_MAX) == name);
}

#define NR_NAMES 5000u

struct interner {
	struct kmt_names *names;
	const char *got[NR_NAMES];
	unsigned int step;
};

static void *intern_all(void *context)
{
	struct interner *it = context;

	for (unsigned int i = 0; i < NR_NAMES; i++) {
		unsigned int k = i * it->step % NR_NAMES;
		char text[16];

		(void)snprintf(text, sizeof(text), "name-%u", k);
		it->got[k] = kmt_names_intern(it->names, text, sizeof(text));
	}
	return NULL;
}

TEST(several_threads_get_the_same_names)
{
	KMT_CLEANUP(kmt_names_freep) struct kmt_names *names = NULL;
	static struct interner interners[4];
	static const unsigned int steps[4] = { 1, 3, 7, 4999 };
	pthread_t threads[4];

	CHECK_EQ(kmt_names_new(&names, NULL), 0);
	for (int i = 0; i < 4; i++) {
		interners[i] = (struct interner){ .names = names, .step = steps[i] };
		CHECK_EQ(pthread_create(&threads[i], NULL, intern_all, &interners[i]), 0);
	}
	for (int i = 0; i < 4; i++)
		CHECK_EQ(pthread_join(threads[i], NULL), 0);
	for (unsigned int k = 0; k < NR_NAMES; k++) {
		char text[16];

		(void)snprintf(text, sizeof(text), "name-%u", k);
		CHECK_TEXT(interners[0].got[k], text);
		for (int i = 1; i < 4; i++)
			CHECK(interners[i].got[k] == interners[0].got[k]);
	}
}

/* --- merge, against a stable sort of everything --- */

#define STREAMS_MAX 40u

struct tagged {
	struct kmt_event event;
	size_t stream, place; /* in its stream */
};

static int by_order(const void *a, const void *b)
{
	const struct kmt_event *x = &((const struct tagged *)a)->event,
			       *y = &((const struct tagged *)b)->event;
	bool x_frees = kmt_event_is_free(x), y_frees = kmt_event_is_free(y);

	if (x->time_ns != y->time_ns)
		return x->time_ns < y->time_ns ? -1 : 1;
	if (x->cpu == y->cpu) { /* of one CPU, as recorded */
		size_t p = ((const struct tagged *)a)->place, q = ((const struct tagged *)b)->place;

		return (p > q) - (p < q);
	}
	if (x_frees != y_frees)
		return x_frees ? -1 : 1;
	return (x->cpu > y->cpu) - (x->cpu < y->cpu);
}

/* Distinct times between streams of equal rank keep the sort a total order: see below. */
static size_t make_streams(struct tagged *all, size_t nr_streams, uint64_t *random, bool has_ties)
{
	size_t nr = 0;

	for (size_t s = 0; s < nr_streams; s++) {
		uint64_t time_ns = check_random(random) % 10;
		size_t length = check_random(random) % 200;

		for (size_t i = 0; i < length; i++, nr++) {
			time_ns += check_random(random) % 4;
			all[nr] = (struct tagged){ .stream = s, .place = i };
			all[nr].event.time_ns = has_ties ? time_ns : time_ns * 64 + s;
			all[nr].event.cpu = (uint16_t)s;
			/* Of one CPU, events at one time are all frees or none: see the next test.
			 */
			all[nr].event.kind =
				(time_ns * 7 + s) % 3 ? KMT_EVENT_KMALLOC : KMT_EVENT_KFREE;
		}
	}
	return nr;
}

/* The next few events of a stream. Return: how many there are, at most @max. */
static size_t next_of(const struct tagged *all, size_t nr, size_t stream, size_t place, size_t max,
		      struct kmt_event *events)
{
	size_t taken = 0;

	for (size_t i = 0; i < nr && taken < max; i++)
		if (all[i].stream == stream && all[i].place == place + taken)
			events[taken++] = all[i].event;
	return taken;
}

/* Streams are filled bit by bit, and taken likewise. */
static void merge_all(const struct tagged *all, size_t nr, size_t nr_streams, struct tagged *merged)
{
	KMT_CLEANUP(kmt_merge_freep) struct kmt_merge *merge = NULL;
	static struct kmt_event events[STREAMS_MAX][7];
	size_t filled[STREAMS_MAX] = { 0 }, place[STREAMS_MAX] = { 0 }, taken = 0, dry = SIZE_MAX;
	const struct kmt_event *run[16];

	CHECK_EQ(kmt_merge_new(nr_streams, &merge, NULL), 0);
	for (size_t s = nr_streams; s-- > 0;) { /* in any order */
		filled[s] = next_of(all, nr, s, 0, 1 + s % 7, events[s]);
		kmt_merge_fill(merge, s, events[s], filled[s]);
	}
	for (size_t turn = 0;; turn++) {
		size_t nr_run = kmt_merge_take(merge, run, 1 + turn % 16, &dry);

		for (size_t i = 0; i < nr_run; i++, taken++) {
			size_t s = run[i]->cpu;

			CHECK(taken < nr);
			merged[taken] = (struct tagged){ *run[i], s, place[s]++ };
		}
		if (dry == SIZE_MAX && nr_run == 0)
			break;
		if (dry == SIZE_MAX)
			continue;
		CHECK_EQ(place[dry], filled[dry]);
		nr_run = next_of(all, nr, dry, filled[dry], 1 + turn % 7, events[dry]);
		filled[dry] += nr_run;
		kmt_merge_fill(merge, dry, events[dry], nr_run);
	}
	CHECK_EQ(taken, nr);
}

static void merge_and_compare(bool has_ties)
{
	static struct tagged all[STREAMS_MAX * 200], merged[STREAMS_MAX * 200];
	uint64_t random = 1;

	for (size_t nr_streams = 0; nr_streams <= STREAMS_MAX;
	     nr_streams += nr_streams < 5 ? 1 : 7) {
		size_t nr = make_streams(all, nr_streams, &random, has_ties);

		merge_all(all, nr, nr_streams, merged);
		if (nr)
			qsort(all, nr, sizeof(*all), by_order);
		for (size_t i = 0; i < nr; i++) {
			CHECK_EQ(merged[i].stream, all[i].stream);
			CHECK_EQ(merged[i].place, all[i].place);
			CHECK_EQ(merged[i].event.time_ns, all[i].event.time_ns);
		}
	}
}

TEST(streams_are_merged_by_time)
{
	merge_and_compare(false);
}

TEST(at_the_same_time_frees_come_first_then_lower_cpus)
{
	merge_and_compare(true);
}

TEST(events_of_one_cpu_keep_their_order_even_at_one_time)
{
	static const uint8_t kinds[] = { KMT_EVENT_KMALLOC, KMT_EVENT_KFREE, KMT_EVENT_KMALLOC,
					 KMT_EVENT_KFREE };
	struct tagged all[8], merged[8];

	for (size_t i = 0; i < 8; i++)
		all[i] = (struct tagged){
			{ .time_ns = 5, .cpu = (uint16_t)(i / 4), .kind = kinds[i % 4] },
			i / 4,
			i % 4
		};
	merge_all(all, 8, 2, merged);
	for (size_t i = 0, next[2] = { 0 }; i < 8; i++)
		CHECK_EQ(merged[i].event.kind, kinds[next[merged[i].stream]++ % 4]);
}

/* --- merge, against taking the lowest rank of all next events, one by one --- */

#define CROWD_EVENTS_MAX 5000u /* at one time they are more than are put into order at once */

struct crowd {
	struct kmt_event events[STREAMS_MAX][CROWD_EVENTS_MAX];
	size_t nr;		/* of a stream */
	size_t at[STREAMS_MAX]; /* of the one by one */
	size_t filled[STREAMS_MAX];
};

/* Whatever comes behind whatever, at few times or many. */
static void make_crowd(struct crowd *crowd, uint64_t *random, uint64_t step_ns, size_t nr)
{
	memset(crowd, 0, sizeof(*crowd));
	crowd->nr = nr;
	for (size_t s = 0; s < STREAMS_MAX; s++) {
		uint64_t time_ns = 1000;

		for (size_t i = 0; i < nr; i++) {
			bool is_free = check_random(random) % 3;

			if (check_random(random) % 128 == 0 || step_ns > 1)
				time_ns += check_random(random) % (step_ns + 1);
			crowd->events[s][i] = (struct kmt_event){
				.time_ns = time_ns,
				.cpu = (uint16_t)(2 * s),
				.kind = is_free ? KMT_EVENT_KFREE : KMT_EVENT_KMALLOC,
			};
		}
	}
}

static const struct kmt_event *next_one(struct crowd *crowd)
{
	const struct kmt_event *best = NULL;

	for (size_t s = 0; s < STREAMS_MAX; s++) {
		const struct kmt_event *event = &crowd->events[s][crowd->at[s]];

		if (crowd->at[s] == crowd->nr)
			continue;
		if (!best || event->time_ns < best->time_ns ||
		    (event->time_ns == best->time_ns &&
		     kmt_event_rank(event) < kmt_event_rank(best)))
			best = event;
	}
	if (best)
		crowd->at[best->cpu / 2]++;
	return best;
}

static void fill_some(struct kmt_merge *merge, struct crowd *crowd, size_t stream, size_t max)
{
	size_t left = crowd->nr - crowd->filled[stream], nr = left < max ? left : max;

	kmt_merge_fill(merge, stream, crowd->events[stream] + crowd->filled[stream], nr);
	crowd->filled[stream] += nr;
}

static void merge_crowd(struct crowd *crowd, uint64_t *random, size_t max)
{
	KMT_CLEANUP(kmt_merge_freep) struct kmt_merge *merge = NULL;
	const struct kmt_event *run[64];
	size_t nr, dry;

	CHECK_EQ(kmt_merge_new(STREAMS_MAX, &merge, NULL), 0);
	for (size_t s = 0; s < STREAMS_MAX; s++)
		fill_some(merge, crowd, s, 1 + check_random(random) % max);
	while ((nr = kmt_merge_take(merge, run, 1 + check_random(random) % 64, &dry)) > 0) {
		for (size_t i = 0; i < nr; i++)
			CHECK(run[i] == next_one(crowd));
		if (dry == SIZE_MAX)
			continue;
		CHECK_EQ(crowd->at[dry], crowd->filled[dry]);
		fill_some(merge, crowd, dry, 1 + check_random(random) % max);
	}
	CHECK(!next_one(crowd));
}

TEST(merged_is_what_comes_out_one_by_one)
{
	static struct crowd crowd;
	uint64_t random = 1;

	for (uint64_t step_ns = 0; step_ns < 100000000; step_ns = step_ns * 10 + 1)
		for (size_t max = 3; max < 5000; max *= 9) {
			make_crowd(&crowd, &random, step_ns, 300);
			merge_crowd(&crowd, &random, max);
		}
	for (uint64_t step_ns = 0; step_ns < 2; step_ns++) {
		make_crowd(&crowd, &random, step_ns, CROWD_EVENTS_MAX);
		merge_crowd(&crowd, &random, 2 * CROWD_EVENTS_MAX);
	}
}

/* --- decoder: sub-buffers by hand; byte orders and word sizes are in decoder-kbuffer.c --- */

#define SUBBUF 4096u
#define HEAD   16u
#define MISSED (1u << 31)
#define STORED (1u << 30)

struct page {
	uint8_t bytes[SUBBUF];
	uint32_t used;
};

static void put32(struct page *page, uint32_t n)
{
	memcpy(page->bytes + HEAD + page->used, &n, 4);
	page->used += 4;
}

static struct page new_page(uint64_t time_ns)
{
	struct page page = { .used = 0 };

	memcpy(page.bytes, &time_ns, 8);
	return page;
}

static void close_page(struct page *page, uint32_t flags)
{
	uint64_t commit = page->used | flags;

	memcpy(page->bytes + 8, &commit, 8);
}

static void put_record(struct page *page, uint32_t delta, const void *record, uint32_t bytes)
{
	put32(page, delta << 5 | bytes / 4);
	memcpy(page->bytes + HEAD + page->used, record, bytes);
	page->used += bytes;
}

/* An event of tests/formats/6.18 with its fields at the offsets measured there. */
struct record {
	uint8_t bytes[96];
	uint32_t size;
};

static struct record new_record(const struct kmt_formats *formats, const char *event, uint64_t ptr)
{
	struct record record = { .size = 32 };
	uint64_t call_site = 0xffffffff81234567;
	int32_t pid = 77;
	uint16_t id;

	CHECK(kmt_formats_find(formats, event, &id));
	memcpy(record.bytes, &id, 2);
	record.bytes[2] = 0x10;
	memcpy(record.bytes + 4, &pid, 4);
	memcpy(record.bytes + 8, &call_site, 8);
	memcpy(record.bytes + 16, &ptr, 8);
	return record;
}

static void put_free(struct page *page, const struct kmt_formats *formats, uint32_t delta,
		     uint64_t ptr)
{
	struct record record = new_record(formats, "kmem:kfree", ptr);

	put_record(page, delta, record.bytes, 24);
}

/* Everything a test needs. */
struct bench {
	struct kmt_formats *formats;
	struct kmt_names *names;
	struct kmt_decoder *decoder;
	struct kmt_batch batch;
};

static void leave_bench(struct bench *b)
{
	kmt_batch_deinit(&b->batch);
	b->decoder = kmt_decoder_free(b->decoder);
	b->names = kmt_names_free(b->names);
	b->formats = kmt_formats_free(b->formats);
}

static struct bench enter_bench(const char *kernel)
{
	struct bench b = { .formats = load_formats(kernel, false, 8) };

	CHECK_EQ(kmt_names_new(&b.names, NULL), 0);
	CHECK_EQ(kmt_decoder_new(b.formats, b.names, NULL, 3, &b.decoder, NULL), 0);
	return b;
}

#define BENCH_OF(kernel) KMT_CLEANUP(leave_bench) struct bench b = enter_bench(kernel)
#define BENCH		 BENCH_OF("6.18")

/* On the heap and no longer than it is, for the sanitizer. */
static void run(struct bench *b, const struct page *page)
{
	void *exact = malloc(SUBBUF);

	CHECK(exact);
	memcpy(exact, page->bytes, SUBBUF);
	CHECK_EQ(kmt_decoder_run(b->decoder, exact, SUBBUF, "cpu/0003.zst", 8192, &b->batch), 0);
	free(exact);
}

/* Fields of 8 bytes, from offset 16 on. Longer than a record's short form can tell. */
static void put_probe(struct page *page, const struct kmt_formats *formats, const char *event,
		      const uint64_t *fields, uint32_t nr, uint32_t nr_all)
{
	struct record record = new_record(formats, event, 0);
	uint32_t bytes = 16 + 8 * nr_all;

	put32(page, 1u << 5);
	put32(page, bytes + 4);
	memcpy(page->bytes + HEAD + page->used, record.bytes, 16);
	memcpy(page->bytes + HEAD + page->used + 16, fields, 8 * nr);
	page->used += bytes;
}

#define OBJECT(i) (UINT64_C(0xffff888100000000) + 64 * (uint64_t)(i))

/* The event that says that OBJECT(0), OBJECT(1), ... were freed at once, from @first on. */
static void put_bulk(struct page *page, const struct kmt_formats *formats, uint32_t first,
		     uint64_t nr, uint64_t cache)
{
	uint64_t fields[3 + 48] = { 0xffffffff81234567, cache, nr };

	for (uint32_t i = 0; i < 48; i++)
		fields[3 + i] = first + i < nr ? OBJECT(first + i) : 0xdead;
	put_probe(page, formats, first ? "kmemtape:bulk_free_more" : "kmemtape:bulk_free", fields,
		  first ? 51 : 19, first ? 51 : 19);
}

static uint64_t decode_rcu(const char *kernel, uint64_t head, uint64_t second)
{
	BENCH_OF(kernel);
	struct page page = new_page(1000);
	uint64_t fields[] = { 0xffffffff81234567, head, second };

	put_probe(&page, b.formats, "kmemtape:rcu_free", fields, 3, 3);
	close_page(&page, 0);
	run(&b, &page);
	CHECK_EQ(b.batch.nr, 1);
	CHECK_EQ(b.batch.events[0].kind, KMT_EVENT_RCU_FREE);
	CHECK(kmt_event_is_free(&b.batch.events[0]));
	CHECK(b.batch.events[0].call_site == 0xffffffff81234567);
	CHECK_EQ(b.batch.events[0].pid, 77);
	CHECK_EQ(b.batch.events[0].bytes_alloc, 0);
	return b.batch.events[0].ptr;
}

TEST(kfree_rcu_tells_its_object_in_two_ways)
{
	CHECK(decode_rcu("6.1", OBJECT(1) + 24, 24) == OBJECT(1));
	CHECK(decode_rcu("6.1", OBJECT(1), 0) == OBJECT(1));
	CHECK(decode_rcu("6.1", 0, OBJECT(1)) == OBJECT(1)); /* kfree_rcu_mightsleep() */
	CHECK(decode_rcu("6.12", OBJECT(1) + 24, OBJECT(1)) == OBJECT(1));
	CHECK(decode_rcu("6.12", 0, OBJECT(1)) == OBJECT(1));
}

TEST(a_bulk_free_is_an_event_for_each_object)
{
	BENCH_OF("6.12");
	struct page page = new_page(1000);

	put_bulk(&page, b.formats, 0, 3, 1);
	put_bulk(&page, b.formats, 0, 0, 1);
	put_bulk(&page, b.formats, 0, 20, 1);
	put_bulk(&page, b.formats, 16, 20, 1);
	put_bulk(&page, b.formats, 16, 16, 1); /* its filter should have kept it away */
	close_page(&page, 0);
	run(&b, &page);
	CHECK_EQ(b.batch.nr, 3 + 20);
	for (size_t i = 0; i < b.batch.nr; i++) {
		const struct kmt_event *event = &b.batch.events[i];

		CHECK_EQ(event->kind, KMT_EVENT_BULK_FREE);
		CHECK(event->ptr == OBJECT(i < 3 ? i : i - 3));
		CHECK_EQ(event->time_ns, i < 3 ? 1001 : i < 19 ? 1003 : 1004);
		CHECK(event->call_site == 0xffffffff81234567);
		CHECK_EQ(event->pid, 77);
		CHECK_EQ(event->context, 0x10);
		CHECK_EQ(event->cpu, 3);
	}
}

TEST(objects_that_a_bulk_free_has_no_room_for_are_counted)
{
	BENCH_OF("6.12");
	struct page page = new_page(1000);

	put_bulk(&page, b.formats, 0, 70, 1);
	put_bulk(&page, b.formats, 16, 70, 1);
	close_page(&page, 0);
	run(&b, &page);
	CHECK_EQ(b.batch.nr, 65);
	CHECK(b.batch.events[63].ptr == OBJECT(63));
	CHECK_EQ(b.batch.events[64].kind, KMT_EVENT_UNSEEN);
	CHECK_EQ(b.batch.events[64].lost, 6);
	CHECK(!kmt_event_is_free(&b.batch.events[64]));
}

/* kfree_bulk(): kfree_rcu() gave them up before. */
TEST(what_kfree_bulk_has_no_room_for_was_seen_before)
{
	BENCH_OF("6.12");
	struct page page = new_page(1000);

	put_bulk(&page, b.formats, 0, 500, 0);
	put_bulk(&page, b.formats, 16, 500, 0);
	close_page(&page, 0);
	run(&b, &page);
	CHECK_EQ(b.batch.nr, 64);
	CHECK_EQ(b.batch.events[63].kind, KMT_EVENT_BULK_FREE);
}

TEST(a_bulk_free_of_absurd_size_has_what_fits)
{
	BENCH_OF("6.12");
	struct page page = new_page(1000);

	put_bulk(&page, b.formats, 16, UINT64_MAX, 1);
	close_page(&page, 0);
	run(&b, &page);
	CHECK_EQ(b.batch.nr, 49);
	CHECK(b.batch.events[48].lost == UINT64_MAX - 64);
}

TEST(a_page_may_free_more_objects_than_it_has_room_for_records)
{
	BENCH_OF("6.12");
	struct page page = new_page(1000);
	size_t nr = 0;

	for (; page.used + 8 + 16 + 51 * 8 <= SUBBUF - HEAD; nr++)
		put_bulk(&page, b.formats, 16, 100, 1);
	while (page.used + 28 <= SUBBUF - HEAD)
		put_free(&page, b.formats, 1, OBJECT(7));
	close_page(&page, 0);
	for (int i = 0; i < 20; i++)
		run(&b, &page);
	CHECK(b.batch.nr >= 20 * 49 * nr);
	CHECK_EQ(kmt_decoder_stats(b.decoder)->damaged_subbufs, 0);
}

TEST(a_probe_shorter_than_its_array_ends_the_page)
{
	BENCH_OF("6.12");
	struct page page = new_page(1000);
	uint64_t fields[] = { 0, 1, 2, OBJECT(0), OBJECT(1) };

	put_probe(&page, b.formats, "kmemtape:bulk_free", fields, 5, 18);
	close_page(&page, 0);
	run(&b, &page);
	CHECK_EQ(b.batch.nr, 0);
	CHECK_EQ(kmt_decoder_stats(b.decoder)->damaged_subbufs, 1);
}

TEST(an_event_has_what_its_record_says)
{
	BENCH;
	struct page page = new_page(1000);
	struct record record = new_record(b.formats, "kmem:kmem_cache_alloc", 0xffff888100042000);
	uint32_t location = 7u << 16 | 64;
	uint64_t req = 180, alloc = 192, gfp = UINT64_C(0xdc0);

	memcpy(record.bytes + 24, &location, 4);
	memcpy(record.bytes + 32, &req, 8);
	memcpy(record.bytes + 40, &alloc, 8);
	memcpy(record.bytes + 48, &gfp, 8);
	memcpy(record.bytes + 64, "dentry", 7);
	put_record(&page, 5, record.bytes, 72);
	close_page(&page, 0);
	run(&b, &page);
	CHECK_EQ(b.batch.nr, 1);
	CHECK_EQ(b.batch.events[0].kind, KMT_EVENT_CACHE_ALLOC);
	CHECK_EQ(b.batch.events[0].time_ns, 1005);
	CHECK(b.batch.events[0].call_site == 0xffffffff81234567);
	CHECK(b.batch.events[0].ptr == 0xffff888100042000);
	CHECK_EQ(b.batch.events[0].bytes_req, 180);
	CHECK_EQ(b.batch.events[0].bytes_alloc, 192);
	CHECK_EQ(b.batch.events[0].gfp, 0xdc0);
	CHECK_EQ(b.batch.events[0].pid, 77);
	CHECK_EQ(b.batch.events[0].context, 0x10);
	CHECK_EQ(b.batch.events[0].cpu, 3);
	CHECK_TEXT(b.batch.events[0].text, "dentry");
}

static const char *text_at(uint32_t location)
{
	BENCH;
	static char text[128];
	struct page page = new_page(1000);
	struct record record = new_record(b.formats, "kmem:kmem_cache_free", 64);

	memcpy(record.bytes + 24, &location, 4);
	memcpy(record.bytes + 28, "abcd", 4);
	put_record(&page, 0, record.bytes, 32);
	put_free(&page, b.formats, 1, 1); /* what is behind must not be read */
	close_page(&page, 0);
	run(&b, &page);
	CHECK_EQ(b.batch.nr, 2);
	if (!b.batch.events[0].text)
		return NULL;
	(void)snprintf(text, sizeof(text), "%s", b.batch.events[0].text);
	return text;
}

TEST(a_text_outside_of_its_record_is_unknown)
{
	CHECK_TEXT(text_at(4u << 16 | 28), "abcd");
	CHECK_TEXT(text_at(2u << 16 | 28), "ab");
	CHECK(!text_at(5u << 16 | 28)); /* one byte too long */
	CHECK(!text_at(4u << 16 | 29));
	CHECK(!text_at(1u << 16 | 32));
	CHECK(!text_at(0xffffu << 16 | 0xffff));
	CHECK(!text_at(0xffffu << 16));
}

TEST(records_of_unknown_events_are_counted_and_passed_over)
{
	BENCH;
	struct page page = new_page(1000);
	uint8_t other[8] = { 0xee, 0xee };

	put_record(&page, 7, other, 8);
	put_free(&page, b.formats, 3, 64);
	close_page(&page, 0);
	run(&b, &page);
	CHECK_EQ(b.batch.nr, 1);
	CHECK_EQ(b.batch.events[0].time_ns, 1010);
	CHECK_EQ(kmt_decoder_stats(b.decoder)->other_events, 1);
	CHECK_EQ(kmt_decoder_stats(b.decoder)->damaged_subbufs, 0);
}

TEST(an_empty_sub_buffer_has_no_events)
{
	BENCH;
	struct page page = new_page(1000);

	close_page(&page, 0);
	run(&b, &page);
	CHECK_EQ(b.batch.nr, 0);
	CHECK_EQ(kmt_decoder_stats(b.decoder)->damaged_subbufs, 0);
}

/* A good event, then @damage: what there was is kept, what is behind counts as lost. */
static void check_damage(const uint32_t *words, size_t nr, const char *what)
{
	BENCH;
	struct page page = new_page(1000), after = new_page(5000);

	put_free(&page, b.formats, 5, 64);
	for (size_t i = 0; i < nr; i++)
		put32(&page, words[i]);
	close_page(&page, 0);
	run(&b, &page);
	CHECK_EQ(b.batch.nr, 1);
	CHECK_EQ(kmt_decoder_stats(b.decoder)->damaged_subbufs, 1);
	CHECK_HAS(kmt_decoder_stats(b.decoder)->damage.text, "cpu/0003.zst: raw offset 8236: ");
	CHECK_HAS(kmt_decoder_stats(b.decoder)->damage.text, what);

	put_free(&after, b.formats, 5, 128);
	close_page(&after, 0);
	run(&b, &after);
	CHECK_EQ(b.batch.nr, 3);
	CHECK_EQ(b.batch.events[1].kind, KMT_EVENT_LOSS);
	CHECK_EQ(b.batch.events[1].lost, 0); /* nobody knows how many */
	CHECK_EQ(b.batch.events[1].since_ns, 1005);
	CHECK_EQ(b.batch.events[1].time_ns, 5000);
	CHECK_EQ(b.batch.events[2].ptr, 128);
}

TEST(a_record_beyond_its_page_ends_it)
{
	check_damage((const uint32_t[]){ 28, 0, 0 }, 3, "longer than its page");
}

TEST(a_length_that_does_not_count_itself_ends_the_page)
{
	check_damage((const uint32_t[]){ 0, 3, 0 }, 3, "shorter than its own header");
	check_damage((const uint32_t[]){ 0, 0, 0 }, 3, "shorter than its own header");
}

TEST(a_length_that_wraps_ends_the_page)
{
	check_damage((const uint32_t[]){ 0, 0xffffffff, 0 }, 3, "longer than its page");
	check_damage((const uint32_t[]){ 1 << 5 | 29, 0xfffffffc, 0 }, 3, "longer than its page");
}

TEST(half_a_record_header_ends_the_page)
{
	check_damage((const uint32_t[]){ 0 }, 1, "header"); /* its length is missing */
	check_damage((const uint32_t[]){ 30 }, 1,
		     "header"); /* a time extend without its upper half */
	check_damage((const uint32_t[]){ 31 }, 1, "header");
}

TEST(a_record_shorter_than_its_event_ends_the_page)
{
	BENCH;
	uint16_t id;

	CHECK(kmt_formats_find(b.formats, "kmem:kmalloc", &id));
	check_damage((const uint32_t[]){ 5, id, 0, 0, 0, 0 }, 6, "shorter than its event");
}

TEST(a_commit_longer_than_the_page_makes_all_of_it_a_loss)
{
	BENCH;
	struct page page = new_page(1000), after = new_page(5000);

	put_free(&page, b.formats, 5, 64);
	page.used = SUBBUF - HEAD + 1;
	close_page(&page, 0);
	run(&b, &page);
	CHECK_EQ(b.batch.nr, 0);
	CHECK_EQ(kmt_decoder_stats(b.decoder)->damaged_subbufs, 1);
	put_free(&after, b.formats, 5, 128);
	close_page(&after, 0);
	run(&b, &after);
	CHECK_EQ(b.batch.nr, 2);
	CHECK_EQ(b.batch.events[0].kind, KMT_EVENT_LOSS);
}

TEST(the_commit_may_fill_the_page)
{
	BENCH;
	struct page page = new_page(1000);
	size_t nr = 0;

	while (page.used + 28 <= SUBBUF - HEAD) {
		put_free(&page, b.formats, 1, 64);
		nr++;
	}
	put32(&page, 29); /* empty up to the end */
	page.used = SUBBUF - HEAD;
	close_page(&page, 0);
	run(&b, &page);
	CHECK_EQ(b.batch.nr, nr);
	CHECK_EQ(kmt_decoder_stats(b.decoder)->damaged_subbufs, 0);
}

TEST(missed_events_come_before_the_page_with_their_number)
{
	BENCH;
	struct page first = new_page(1000), second = new_page(3000);
	uint64_t missed = 42;

	put_free(&first, b.formats, 5, 64);
	close_page(&first, 0);
	run(&b, &first);
	put_free(&second, b.formats, 5, 128);
	memcpy(second.bytes + HEAD + second.used, &missed, 8);
	close_page(&second, MISSED | STORED);
	run(&b, &second);
	CHECK_EQ(b.batch.nr, 3);
	CHECK_EQ(b.batch.events[1].kind, KMT_EVENT_LOSS);
	CHECK_EQ(b.batch.events[1].lost, 42);
	CHECK_EQ(b.batch.events[1].since_ns, 1005); /* the last event before */
	CHECK_EQ(b.batch.events[1].time_ns, 3000);
	CHECK_EQ(b.batch.events[2].time_ns, 3005);
}

TEST(missed_events_without_a_number_are_unknown)
{
	BENCH;
	struct page page = new_page(1000);

	put_free(&page, b.formats, 5, 64);
	memset(page.bytes + HEAD + page.used, 0x55, 8); /* not a number: the flag is not set */
	close_page(&page, MISSED);
	run(&b, &page);
	CHECK_EQ(b.batch.nr, 2);
	CHECK_EQ(b.batch.events[0].lost, 0);
	CHECK_EQ(b.batch.events[0].since_ns, 0); /* nothing was before */
}

TEST(a_number_of_missed_events_beyond_the_page_is_not_read)
{
	BENCH;
	struct page page = new_page(1000);

	put32(&page, 29);
	page.used = SUBBUF - HEAD - 4; /* room for half of it */
	close_page(&page, MISSED | STORED);
	run(&b, &page);
	CHECK_EQ(b.batch.nr, 1);
	CHECK_EQ(b.batch.events[0].lost, 0);
}

TEST(a_noted_gap_is_a_loss_before_the_next_event)
{
	BENCH;
	struct page empty = new_page(900), page = new_page(1000);

	kmt_decoder_note_gap(b.decoder);
	close_page(&empty, 0);
	run(&b, &empty);
	CHECK_EQ(b.batch.nr, 0); /* it waits for something to tell the time */
	put_free(&page, b.formats, 5, 64);
	close_page(&page, 0);
	run(&b, &page);
	run(&b, &page);
	CHECK_EQ(b.batch.events[0].kind, KMT_EVENT_LOSS);
	CHECK_EQ(b.batch.nr, 3); /* one loss, not two */
}

TEST(time_never_goes_backwards_and_it_is_counted)
{
	BENCH;
	struct page late = new_page(5000), early = new_page(1000);

	put_free(&late, b.formats, 5, 64);
	close_page(&late, 0);
	run(&b, &late);
	put_free(&early, b.formats, 5, 128);
	put_free(&early, b.formats, 6000, 192);
	close_page(&early, 0);
	run(&b, &early);
	CHECK_EQ(b.batch.nr, 3);
	CHECK_EQ(b.batch.events[1].time_ns, 5005);
	CHECK_EQ(b.batch.events[2].time_ns, 7005);
	CHECK_EQ(kmt_decoder_stats(b.decoder)->backward_times, 1);
}

TEST(extended_and_absolute_times_count)
{
	BENCH;
	struct page page = new_page(1000);

	put32(&page, 3u << 5 | 30); /* extend: 3 + (2 << 27) */
	put32(&page, 2);
	put_free(&page, b.formats, 5, 64);
	put32(&page, 9u << 5 | 31); /* absolute: 9 + (4 << 27) */
	put32(&page, 4);
	put_free(&page, b.formats, 1, 128);
	close_page(&page, 0);
	run(&b, &page);
	CHECK_EQ(b.batch.nr, 2);
	CHECK_EQ(b.batch.events[0].time_ns, 1000 + 3 + (2u << 27) + 5);
	CHECK_EQ(b.batch.events[1].time_ns, 9 + (4u << 27) + 1);
}

TEST(a_discarded_record_is_passed_over)
{
	BENCH;
	struct page page = new_page(1000);

	put32(&page, 10u << 5 | 29);
	put32(&page, 12); /* it counts itself */
	put32(&page, 0);
	put32(&page, 0);
	put_free(&page, b.formats, 5, 64);
	close_page(&page, 0);
	run(&b, &page);
	CHECK_EQ(b.batch.nr, 1);
	CHECK_EQ(b.batch.events[0].time_ns, 1015);
}

TEST(many_sub_buffers_at_once_are_as_many_one_by_one)
{
	KMT_CLEANUP(leave_bench) struct bench one = enter_bench("6.18"), all = enter_bench("6.18");
	uint8_t *raw = malloc(50 * SUBBUF);

	CHECK(raw);
	for (uint32_t i = 0; i < 50; i++) {
		struct page page = new_page(1000 * (i + 1));

		for (uint32_t k = 0; k < i; k++)
			put_free(&page, one.formats, k, 64 * k);
		close_page(&page, i % 7 == 3 ? MISSED : 0);
		memcpy(raw + i * SUBBUF, page.bytes, SUBBUF);
		CHECK_EQ(kmt_decoder_run(one.decoder, page.bytes, SUBBUF, "f", 0, &one.batch), 0);
	}
	CHECK_EQ(kmt_decoder_run(all.decoder, raw, 50 * SUBBUF, "f", 0, &all.batch), 0);
	CHECK_EQ(all.batch.nr, one.batch.nr);
	CHECK_BYTES(all.batch.events, one.batch.events, all.batch.nr * sizeof(*all.batch.events));
	free(raw);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		ROW(equal_texts_are_equal_pointers),
		ROW(full_names_say_so_and_give_those_they_have),
		ROW(long_names_are_cut),
		ROW(several_threads_get_the_same_names),
		ROW(streams_are_merged_by_time),
		ROW(at_the_same_time_frees_come_first_then_lower_cpus),
		ROW(events_of_one_cpu_keep_their_order_even_at_one_time),
		ROW(merged_is_what_comes_out_one_by_one),
		ROW(an_event_has_what_its_record_says),
		ROW(kfree_rcu_tells_its_object_in_two_ways),
		ROW(a_bulk_free_is_an_event_for_each_object),
		ROW(objects_that_a_bulk_free_has_no_room_for_are_counted),
		ROW(what_kfree_bulk_has_no_room_for_was_seen_before),
		ROW(a_bulk_free_of_absurd_size_has_what_fits),
		ROW(a_page_may_free_more_objects_than_it_has_room_for_records),
		ROW(a_probe_shorter_than_its_array_ends_the_page),
		ROW(a_text_outside_of_its_record_is_unknown),
		ROW(records_of_unknown_events_are_counted_and_passed_over),
		ROW(an_empty_sub_buffer_has_no_events),
		ROW(a_record_beyond_its_page_ends_it),
		ROW(a_length_that_does_not_count_itself_ends_the_page),
		ROW(a_length_that_wraps_ends_the_page),
		ROW(half_a_record_header_ends_the_page),
		ROW(a_record_shorter_than_its_event_ends_the_page),
		ROW(a_commit_longer_than_the_page_makes_all_of_it_a_loss),
		ROW(the_commit_may_fill_the_page),
		ROW(missed_events_come_before_the_page_with_their_number),
		ROW(missed_events_without_a_number_are_unknown),
		ROW(a_number_of_missed_events_beyond_the_page_is_not_read),
		ROW(a_noted_gap_is_a_loss_before_the_next_event),
		ROW(time_never_goes_backwards_and_it_is_counted),
		ROW(extended_and_absolute_times_count),
		ROW(a_discarded_record_is_passed_over),
		ROW(many_sub_buffers_at_once_are_as_many_one_by_one),
	};

	return cmocka_run_group_tests_name("decode", tests, NULL, NULL);
}
