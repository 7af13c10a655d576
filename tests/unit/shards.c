// SPDX-License-Identifier: GPL-2.0-only
/* Events that are shared out by address, booked apart and joined, against one ledger of all. */
#include <errno.h>
#include <string.h>

#include "kmemtape/merge.h"
#include "kmemtape/track.h"

#include "../../src/replay/share.h"
#include "ledger.h"

#define NR_CPUS	   3u
#define NR_EVENTS  4000u /* of a CPU */
#define NR_BATCHES 400u
#define SHARES_MAX 16u
#define START_NS   UINT64_C(1000)
#define END_NS	   (100 * KMT_AGE_FIRST_NS) /* behind all of them */
#define OLDER_NS   (END_NS - 3 * KMT_AGE_FIRST_NS)
#define GRACE_NS   (END_NS - 2 * KMT_AGE_FIRST_NS)

static const char *const caches[] = { NULL, "dentry", "cred_jar", "inode_cache" };

/* Few addresses and few times: what collides is what is worth a test. */
static struct kmt_event any_event(uint64_t *random, uint16_t cpu)
{
	static const uint8_t kinds[] = {
		KMT_EVENT_KMALLOC,    KMT_EVENT_CACHE_ALLOC,  KMT_EVENT_CACHE_ALLOC,
		KMT_EVENT_KFREE,      KMT_EVENT_CACHE_FREE,   KMT_EVENT_CACHE_FREE,
		KMT_EVENT_RCU_FREE,   KMT_EVENT_BULK_FREE,    KMT_EVENT_PAGE_ALLOC,
		KMT_EVENT_PAGE_FREE,  KMT_EVENT_PERCPU_ALLOC, KMT_EVENT_PERCPU_FREE,
		KMT_EVENT_PAIR_ALLOC, KMT_EVENT_PAIR_FREE,    KMT_EVENT_PAGE_FREE_BATCHED,
	};
	uint64_t bits = check_random(random);
	struct kmt_event event = {
		.kind = kinds[bits % sizeof(kinds)],
		.cpu = cpu,
		.pid = (int32_t)(100 + (bits >> 8) % 5),
		.ptr = (bits >> 16) % 40 == 0 ? 0 : PTR + (bits >> 16) % 200 * 64,
	};

	if (bits >> 32 & 1)
		event.text = caches[(bits >> 33) % 4];
	if (kmt_event_is_alloc(&event)) {
		event.call_site = (bits >> 40) % 8 ? SITE_A + (bits >> 40) % 8 * 16 : MODULE;
		event.bytes_alloc = event.bytes_req = UINT64_C(64) << (bits >> 44) % 2;
		event.text = event.kind == KMT_EVENT_CACHE_ALLOC ? event.text : NULL;
	}
	if (event.kind >= KMT_EVENT_PAGE_ALLOC && event.kind <= KMT_EVENT_PAGE_FREE_BATCHED) {
		unsigned int order = (bits >> 48) % 3;

		event.space = KMT_SPACE_PAGE;
		event.ptr = ((bits >> 52) % 64 & ~((1ull << order) - 1)) + (bits >> 31 & 1) * 4096;
		event.bytes_alloc = UINT64_C(1) << order;
		if ((bits >> 34) % 64 == 0) { /* as large as one may be, and not where it may be */
			event.bytes_alloc = UINT64_C(1) << KMT_PAGE_ORDER_MAX;
			event.ptr &= bits >> 41 & 1;
		}
		event.ptr += ((bits >> 42) % 9 << KMT_PAGE_ORDER_MAX) + KMT_PFN_BIAS;
		event.stack = 4;
	} else if (event.kind >= KMT_EVENT_PAIR_ALLOC) {
		event.space = KMT_SPACE_PAIR + (bits >> 48) % 2;
		if ((bits >> 49) % 4 == 0) /* a number, not a pointer */
			event.ptr = (bits >> 52) % 20;
		event.text = "pair";
	} else if (event.kind >= KMT_EVENT_PERCPU_ALLOC) {
		event.space = KMT_SPACE_PERCPU;
		event.text = NULL;
	}
	if ((bits >> 58) == 0) {
		event = (struct kmt_event){ .cpu = cpu };
		event.kind = bits >> 57 & 1 ? KMT_EVENT_LOSS : KMT_EVENT_MODULE_LOAD;
		event.lost = bits & 3;
	}
	return event;
}

static void make_events(uint64_t seed, struct kmt_event (*events)[NR_EVENTS])
{
	for (uint16_t cpu = 0; cpu < NR_CPUS; cpu++) {
		uint64_t time_ns = START_NS + cpu * 7;

		for (size_t i = 0; i < NR_EVENTS; i++) {
			uint64_t bits = check_random(&seed);

			/* Some live for seconds, most events share their time with others. */
			time_ns += bits % 2000 == 0 ? KMT_AGE_FIRST_NS : bits % 4 == 0 ? 1 : 0;
			events[cpu][i] = any_event(&seed, cpu);
			events[cpu][i].time_ns = time_ns;
		}
	}
}

/* A part of a CPU's events, one after the other. */
struct part {
	struct kmt_share shares[NR_CPUS][NR_BATCHES];
	size_t nr_filled[NR_CPUS];
	struct kmt_ledger *ledger;
};

static uint64_t number_of(void *context, const struct kmt_event *event)
{
	const struct part *part = context;

	for (size_t i = 0; i < NR_BATCHES; i++) {
		const struct kmt_share *share = &part->shares[event->cpu][i];

		if ((uintptr_t)event - (uintptr_t)share->batch.events <
		    share->batch.nr * sizeof(*event))
			return kmt_share_number(share, event);
	}
	fail();
	return 0;
}

static void book(struct part *part, uint64_t mark_ns)
{
	KMT_CLEANUP(kmt_merge_freep) struct kmt_merge *merge = NULL;
	const struct kmt_event *events[16];
	size_t nr, dry;
	bool is_marked = false;

	CHECK_EQ(kmt_merge_new(NR_CPUS, &merge, NULL), 0);
	for (size_t i = 0; i < NR_CPUS; i++) {
		part->nr_filled[i] = 1;
		kmt_merge_fill(merge, i, part->shares[i][0].batch.events,
			       part->shares[i][0].batch.nr);
	}
	kmt_ledger_begin(part->ledger, START_NS);
	while ((nr = kmt_merge_take(merge, events, 16, &dry)) > 0) {
		for (size_t i = 0; i < nr; i++) {
			if (events[i]->time_ns > mark_ns && !is_marked) {
				kmt_ledger_mark(part->ledger);
				is_marked = true;
			}
			if (events[i]->kind)
				CHECK_EQ(kmt_ledger_take(part->ledger, events[i]), 0);
		}
		if (dry == SIZE_MAX)
			continue;
		nr = part->nr_filled[dry] < NR_BATCHES ? part->nr_filled[dry]++ : 0;
		kmt_merge_fill(merge, dry, part->shares[dry][nr].batch.events,
			       nr ? part->shares[dry][nr].batch.nr : 0);
	}
	kmt_ledger_mark(part->ledger);
	CHECK_EQ(kmt_ledger_finish(part->ledger, END_NS, OLDER_NS, GRACE_NS), 0);
}

static void share_out(struct part *parts, unsigned int nr_parts, uint64_t seed,
		      struct kmt_event (*events)[NR_EVENTS])
{
	const struct kmt_sharing sharing = { nr_parts, seed };

	for (uint16_t cpu = 0; cpu < NR_CPUS; cpu++) {
		struct kmt_sharer sharer = { 0 };

		for (size_t i = 0; i < NR_BATCHES; i++) {
			size_t nr = NR_EVENTS / NR_BATCHES;
			struct kmt_batch batch = { events[cpu] + i * nr, nr, nr };
			struct kmt_share shares[SHARES_MAX] = { 0 };

			kmt_share_empty(&sharing, &sharer, shares);
			CHECK_EQ(kmt_share_add(&sharing, &sharer, &batch, shares), 0);
			CHECK_EQ(kmt_share_close(&sharing, &sharer, cpu, shares), 0);
			for (unsigned int k = 0; k < nr_parts; k++)
				parts[k].shares[cpu][i] = shares[k];
		}
	}
}

static struct kmt_ledger_options options_of(struct part *part)
{
	struct kmt_ledger_options options = usual;

	options.has_late_frees = true;
	options.counted_pairs = 1; /* one of the two */
	options.start_ns = START_NS - 5;
	options.number_of = part ? number_of : NULL;
	options.number_context = part;
	return options;
}

/* Return: as kmt_ledger_join() of parts that had one site after the other between them. */
static int join_sites(unsigned int nr_sites, size_t accounts_max)
{
	KMT_CLEANUP(kmt_ledger_freep) struct kmt_ledger *whole = NULL;
	struct part *parts = calloc(2, sizeof(*parts));
	struct kmt_ledger *ledgers[2];
	int r = 0;

	for (unsigned int i = 0; i < 2; i++) {
		struct kmt_ledger_options options = options_of(&parts[i]);

		options.accounts_max = accounts_max;
		ledgers[i] = new_ledger(&options);
	}
	for (unsigned int i = 0; r == 0 && i < nr_sites; i++) {
		struct kmt_share *share = &parts[i % 2].shares[0][i];
		struct kmt_event event = KMALLOC(.time_ns = START_NS + i, .ptr = PTR + 64 * i,
						 .call_site = SITE_A + i, .bytes_alloc = 64);
		uint32_t number = i;

		*share = (struct kmt_share){ { &event, 1, 1 }, &number, 0 };
		r = kmt_ledger_take(ledgers[i % 2], &event);
		*share = (struct kmt_share){ 0 };
	}
	for (unsigned int i = 0; i < 2; i++)
		CHECK_EQ(kmt_ledger_finish(ledgers[i], END_NS, 0, 0), 0);
	if (r == 0)
		r = kmt_ledger_join(ledgers, 2, &whole, NULL);
	for (unsigned int i = 0; i < 2; i++)
		(void)kmt_ledger_free(r < 0 ? ledgers[i] : NULL);
	free(parts);
	return r;
}

static struct kmt_ledger *join(unsigned int nr_parts, uint64_t seed, uint64_t mark_ns,
			       struct kmt_event (*events)[NR_EVENTS])
{
	struct part *parts = calloc(nr_parts, sizeof(*parts));
	struct kmt_ledger *ledgers[SHARES_MAX], *whole;

	share_out(parts, nr_parts, seed, events);
	for (unsigned int i = 0; i < nr_parts; i++) {
		struct kmt_ledger_options options = options_of(&parts[i]);

		ledgers[i] = parts[i].ledger = new_ledger(&options);
		book(&parts[i], mark_ns);
	}
	CHECK_EQ(kmt_ledger_join(ledgers, nr_parts, &whole, NULL), 0);
	for (unsigned int i = 0; i < nr_parts; i++) {
		CHECK(!ledgers[i]);
		for (size_t k = 0; k < NR_CPUS * NR_BATCHES; k++)
			kmt_share_deinit(&parts[i].shares[k / NR_BATCHES][k % NR_BATCHES]);
	}
	free(parts);
	return whole;
}

static struct kmt_ledger *book_all(uint64_t mark_ns, struct kmt_event (*events)[NR_EVENTS])
{
	struct kmt_ledger_options options = options_of(NULL);
	struct part part = { .ledger = new_ledger(&options) };

	for (size_t cpu = 0; cpu < NR_CPUS; cpu++)
		for (size_t i = 0; i < NR_BATCHES; i++) {
			size_t nr = NR_EVENTS / NR_BATCHES;

			part.shares[cpu][i].batch =
				(struct kmt_batch){ events[cpu] + i * nr, nr, nr };
		}
	book(&part, mark_ns);
	return part.ledger;
}

static void check_track(const struct kmt_track *a, const struct kmt_track *b)
{
	struct kmt_counts counts_a, counts_b;

	CHECK_EQ(a != NULL, b != NULL);
	if (!a)
		return;
	kmt_track_read(a, &counts_a);
	kmt_track_read(b, &counts_b);
	CHECK_BYTES(&counts_a, &counts_b, sizeof(counts_a));
}

static void check_grids(const struct kmt_grid *a, const struct kmt_grid *b)
{
	CHECK_EQ(a->start_ns, b->start_ns);
	CHECK_EQ(a->width_ns, b->width_ns);
	CHECK_EQ(a->nr, b->nr);
	CHECK_BYTES(a->allocs, b->allocs, a->nr * sizeof(a->allocs[0]));
}

static void check_accounts(const struct kmt_ledger *one, const struct kmt_ledger *joined)
{
	size_t nr, nr_joined;
	const struct kmt_account *a = kmt_ledger_accounts(one, &nr);
	const struct kmt_account *b = kmt_ledger_accounts(joined, &nr_joined);

	CHECK_EQ(nr, nr_joined);
	CHECK(nr > 30);
	for (size_t i = 0; i < nr; i++) {
		struct kmt_account x = a[i], y = b[i];

		check_track(x.track, y.track);
		x.track = y.track = NULL;
		CHECK_BYTES(&x, &y, sizeof(x));
	}
}

static void check_unknown_frees(const struct kmt_ledger *one, const struct kmt_ledger *joined)
{
	size_t nr, nr_joined;
	const struct kmt_cache_frees *a = kmt_ledger_unknown_frees(one, &nr);
	const struct kmt_cache_frees *b = kmt_ledger_unknown_frees(joined, &nr_joined);

	CHECK_EQ(nr, nr_joined);
	for (size_t i = 0; i < nr; i++) {
		size_t k = 0;

		while (b[k].cache != a[i].cache || b[k].is_kfree != a[i].is_kfree)
			CHECK(++k < nr);
		CHECK_EQ(a[i].frees, b[k].frees);
		CHECK_EQ(a[i].first_marked, b[k].first_marked);
		CHECK_EQ(a[i].last_marked, b[k].last_marked);
	}
}

static void add_up(void *context, const struct kmt_account *account, uint64_t ptr,
		   const struct kmt_object *object)
{
	*(uint64_t *)context += (ptr ^ object->time_ns << 32) * (2 * account->index + 1);
}

static void check_same(const struct kmt_ledger *one, const struct kmt_ledger *joined)
{
	uint64_t sum = 0, sum_joined = 0;

	CHECK_BYTES(kmt_ledger_totals(one), kmt_ledger_totals(joined), sizeof(struct kmt_totals));
	check_grids(kmt_ledger_grid(one), kmt_ledger_grid(joined));
	CHECK(kmt_ledger_start_ns(one) == kmt_ledger_start_ns(joined));
	check_accounts(one, joined);
	check_unknown_frees(one, joined);
	kmt_ledger_walk(one, add_up, &sum);
	kmt_ledger_walk(joined, add_up, &sum_joined);
	CHECK(sum == sum_joined);
}

TEST(joined_ledgers_are_the_one_that_had_all_events)
{
	static struct kmt_event events[NR_CPUS][NR_EVENTS];
	static const unsigned int nrs[] = { 2, 3, 7, 16 };

	for (uint64_t seed = 1; seed <= 8; seed++) {
		uint64_t mark_ns;

		make_events(seed, events);
		mark_ns = events[0][NR_EVENTS / 3].time_ns;
		for (size_t i = 0; i < 4; i++) {
			KMT_CLEANUP(kmt_ledger_freep)
			struct kmt_ledger *one = book_all(mark_ns, events);
			KMT_CLEANUP(kmt_ledger_freep)
			struct kmt_ledger *joined = join(nrs[i], seed, mark_ns, events);

			CHECK(kmt_ledger_totals(one)->reused > 100);
			check_same(one, joined);
		}
	}
}

TEST(accounts_beyond_the_most_are_one_by_magnitude)
{
	struct kmt_ledger_options options = usual;
	const struct kmt_account *accounts;
	size_t nr;

	options.accounts_max = 3;
	LEDGER(&options);
	for (unsigned int i = 0; i < 40; i++)
		take(ledger, KMALLOC(.time_ns = START_NS + i, .ptr = PTR + 4096 * i,
				     .call_site = SITE_A + i, .bytes_alloc = 64 + i));
	/* Whoever came in time stays, and what was not told apart ends as what it was. */
	take(ledger,
	     KMALLOC(.time_ns = 2000, .ptr = PTR - 64, .call_site = SITE_A, .bytes_alloc = 64));
	take(ledger, KFREE(.time_ns = 2001, .ptr = PTR + 4096 * 39));
	CHECK_EQ(finish(ledger)->live, 40);
	accounts = kmt_ledger_accounts(ledger, &nr);
	CHECK_EQ(nr, 4);
	CHECK_EQ(accounts[0].allocs, 2);
	CHECK(!kmt_account_is_rest(&accounts[2]));
	CHECK(kmt_account_is_rest(&accounts[3]));
	CHECK_EQ(accounts[3].key.bytes_alloc, 64);
	CHECK_EQ(accounts[3].allocs, 37);
	CHECK_EQ(accounts[3].frees, 1);
	CHECK_EQ(accounts[3].live_objects, 36);
}

TEST(parts_do_not_guess_which_accounts_come_too_late)
{
	CHECK_EQ(join_sites(8, 8), 0);
	CHECK_EQ(join_sites(9, 8), -EOVERFLOW);	 /* too many together */
	CHECK_EQ(join_sites(17, 8), -EOVERFLOW); /* one of them has too many by itself */
	CHECK_EQ(join_sites(17, 0), 0);
}

TEST(addresses_are_shared_out_evenly)
{
	const struct kmt_sharing sharing = { 16, 42 };
	struct kmt_share shares[16] = { 0 };
	struct kmt_sharer sharer = { 0 };

	for (uint64_t i = 0; i < 16000; i++) {
		struct kmt_event event = i % 8 ? KMALLOC(.ptr = PTR + i * 256) : KFREE(.ptr = 0);
		struct kmt_batch batch = { &event, 1, 1 };

		CHECK_EQ(kmt_share_add(&sharing, &sharer, &batch, shares), 0);
	}
	for (size_t i = 0; i < 16; i++) {
		CHECK(shares[i].batch.nr > 850 && shares[i].batch.nr < 1150);
		kmt_share_deinit(&shares[i]);
	}
}

/* As a large machine uses them, or a small one most of the time. */
static void share_ranges(uint64_t nr_ranges, unsigned int nr_shares, size_t most)
{
	const struct kmt_sharing sharing = { nr_shares, 42 };
	const uint64_t nr_frames = UINT64_C(1) << KMT_PAGE_ORDER_MAX, step = 509;
	struct kmt_share shares[SHARES_MAX] = { 0 };
	struct kmt_sharer sharer = { 0 };

	for (uint64_t range = 1000; range < 1000 + nr_ranges; range++) {
		size_t before[SHARES_MAX], nr_grown = 0;

		for (unsigned int i = 0; i < nr_shares; i++)
			before[i] = shares[i].batch.nr;
		for (uint64_t frame = 0; frame < nr_frames; frame += step) {
			struct kmt_event event = {
				.kind = frame % 2 ? KMT_EVENT_PAGE_ALLOC : KMT_EVENT_PAGE_FREE,
				.space = KMT_SPACE_PAGE,
				.ptr = range * nr_frames + frame + KMT_PFN_BIAS,
			};
			struct kmt_batch batch = { &event, 1, 1 };

			CHECK_EQ(kmt_share_add(&sharing, &sharer, &batch, shares), 0);
		}
		for (unsigned int i = 0; i < nr_shares; i++)
			nr_grown += shares[i].batch.nr > before[i];
		CHECK_EQ(nr_grown, 1); /* of a range that blocks don't leave, one has all */
	}
	for (unsigned int i = 0; i < nr_shares; i++) {
		CHECK(shares[i].batch.nr <= most * ((nr_frames + step - 1) / step));
		kmt_share_deinit(&shares[i]);
	}
}

TEST(pages_are_shared_out_by_ranges)
{
	for (unsigned int nr = 2; nr <= SHARES_MAX; nr++) {
		share_ranges(nr, nr, 2);
		share_ranges((uint64_t)10 * nr, nr, 12);
	}
}

/* Where the first event went another way, the second must not be taken for the next of its CPU. */
TEST(a_free_does_not_pass_what_it_stood_behind)
{
	const struct kmt_sharing sharing = { 2, 0 };
	struct kmt_share shares[2] = { 0 };
	struct kmt_sharer sharer = { 0 };
	struct kmt_event events[] = {
		KFREE(.time_ns = 1, .ptr = PTR),
		KMALLOC(.time_ns = 1, .ptr = PTR + 64),
		KFREE(.time_ns = 1, .ptr = PTR + 128),
		KFREE(.time_ns = 2, .ptr = PTR + 192),
	};
	static const bool is_behind[] = { false, false, true, false };
	struct kmt_batch batch = { events, 4, 4 };

	CHECK_EQ(kmt_share_add(&sharing, &sharer, &batch, shares), 0);
	for (size_t i = 0; i < 2; i++) {
		for (size_t k = 0; k < shares[i].batch.nr; k++) {
			const struct kmt_event *event = &shares[i].batch.events[k];

			CHECK_EQ(event->is_behind, is_behind[kmt_share_number(&shares[i], event)]);
		}
		kmt_share_deinit(&shares[i]);
	}
}

/* Of a tape that was made for it, each share would be as large as the whole. */
TEST(what_is_for_all_is_not_copied_without_end)
{
	const struct kmt_sharing sharing = { 16, 0 };
	struct kmt_share shares[16] = { 0 };
	struct kmt_sharer sharer = { 0 };
	struct kmt_event event = { .kind = KMT_EVENT_TASK_NAME, .pid = 42 };
	struct kmt_batch batch = { &event, 1, 1 };

	for (int round = 0; round < 2; round++) { /* a limit of each bundle, not of the tape */
		kmt_share_empty(&sharing, &sharer, shares);
		for (size_t i = 0; i < KMT_SHARE_COPIES_MAX / 16; i++)
			CHECK_EQ(kmt_share_add(&sharing, &sharer, &batch, shares), 0);
	}
	CHECK_EQ(kmt_share_add(&sharing, &sharer, &batch, shares), -EAGAIN);
	for (size_t i = 0; i < 16; i++)
		kmt_share_deinit(&shares[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(joined_ledgers_are_the_one_that_had_all_events),
		ROW(accounts_beyond_the_most_are_one_by_magnitude),
		ROW(parts_do_not_guess_which_accounts_come_too_late),
		ROW(addresses_are_shared_out_evenly),
		ROW(pages_are_shared_out_by_ranges),
		ROW(a_free_does_not_pass_what_it_stood_behind),
		ROW(what_is_for_all_is_not_copied_without_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
