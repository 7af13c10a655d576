// SPDX-License-Identifier: GPL-2.0-only
/* The books of what is not of the slab: page frames, per-CPU memory, vmalloc areas. */
#include <string.h>

#include "ledger.h"

#define FRAMES 512u

#define PAGE_ALLOC(pfn, order, ...)                                                             \
	(struct kmt_event)                                                                      \
	{                                                                                       \
		.kind = KMT_EVENT_PAGE_ALLOC, .space = KMT_SPACE_PAGE,                          \
		.ptr = (pfn) + KMT_PFN_BIAS, .bytes_alloc = UINT64_C(1) << (order), .stack = 4, \
		__VA_ARGS__                                                                     \
	}
#define PAGE_FREE(pfn, order, ...)                                                                 \
	(struct kmt_event)                                                                         \
	{                                                                                          \
		.kind = KMT_EVENT_PAGE_FREE, .space = KMT_SPACE_PAGE, .ptr = (pfn) + KMT_PFN_BIAS, \
		.bytes_alloc = UINT64_C(1) << (order), __VA_ARGS__                                 \
	}
#define PERCPU_ALLOC(...)                                                                       \
	(struct kmt_event)                                                                      \
	{                                                                                       \
		.kind = KMT_EVENT_PERCPU_ALLOC, .space = KMT_SPACE_PERCPU, .call_site = SITE_A, \
		.ptr = PTR, .bytes_req = 64, __VA_ARGS__                                        \
	}
#define VMALLOC(...)                                                                           \
	(struct kmt_event)                                                                     \
	{                                                                                      \
		.kind = KMT_EVENT_VMALLOC, .space = KMT_SPACE_VMALLOC, .ptr = PTR, __VA_ARGS__ \
	}

struct sums {
	uint64_t live_bytes, live, objects;
};

static struct sums sum_up(struct kmt_ledger *ledger, uint32_t space)
{
	struct sums sums = { 0 };
	const struct kmt_account *accounts;
	size_t nr;

	CHECK_EQ(kmt_ledger_finish(ledger, 0, 0, 0), 0);
	accounts = kmt_ledger_accounts(ledger, &nr);
	for (size_t i = 0; i < nr; i++) {
		if (accounts[i].key.space != space)
			continue;
		sums.live += kmt_account_live(&accounts[i]);
		sums.objects += accounts[i].live_objects;
		sums.live_bytes += accounts[i].live_objects * accounts[i].key.bytes_alloc;
	}
	return sums;
}

TEST(a_block_may_be_freed_in_parts)
{
	KMT_CLEANUP(kmt_ledger_freep) struct kmt_ledger *ledger = new_ledger(&usual);
	struct sums sums;

	take(ledger, PAGE_ALLOC(64, 3, .time_ns = 1));
	take(ledger, PAGE_FREE(67, 0, .time_ns = 2));
	sums = sum_up(ledger, KMT_SPACE_PAGE);
	CHECK_EQ(sums.live_bytes, 7 * PAGE);
	CHECK_EQ(sums.objects, 3); /* 64..65, 66, 68..71 */
	CHECK_EQ(sums.live, 3);
	take(ledger, PAGE_FREE(64, 1, .time_ns = 3));
	take(ledger, PAGE_FREE(66, 0, .time_ns = 4));
	take(ledger, PAGE_FREE(68, 2, .time_ns = 5));
	CHECK_EQ(sum_up(ledger, KMT_SPACE_PAGE).live_bytes, 0);
	CHECK_EQ(sum_up(ledger, KMT_SPACE_PAGE).live, 0);
	CHECK_EQ(kmt_ledger_totals(ledger)->unknown_other_frees, 0);
}

TEST(one_free_may_end_several_blocks)
{
	KMT_CLEANUP(kmt_ledger_freep) struct kmt_ledger *ledger = new_ledger(&usual);

	for (uint64_t i = 0; i < 8; i++)
		take(ledger, PAGE_ALLOC(64 + i, 0, .time_ns = i + 1));
	take(ledger, PAGE_FREE(64, 2, .time_ns = 20));
	CHECK_EQ(sum_up(ledger, KMT_SPACE_PAGE).objects, 4);
	take(ledger, PAGE_FREE(0, 0, .time_ns = 21));
	CHECK_EQ(kmt_ledger_totals(ledger)->unknown_other_frees, 1);
}

TEST(frame_zero_and_failed_allocations)
{
	KMT_CLEANUP(kmt_ledger_freep) struct kmt_ledger *ledger = new_ledger(&usual);

	take(ledger, PAGE_ALLOC(0, 2, .time_ns = 1));
	take(ledger, PAGE_ALLOC(UINT64_MAX, 0, .time_ns = 2)); /* its ptr is 0 */
	take(ledger, PAGE_ALLOC(UINT64_MAX - 1, 0, .time_ns = 3));
	take(ledger, PAGE_ALLOC(3, 2, .time_ns = 4)); /* not aligned: no block */
	CHECK_EQ(sum_up(ledger, KMT_SPACE_PAGE).live_bytes, 4 * PAGE);
	CHECK_EQ(kmt_ledger_totals(ledger)->failed_allocs, 3);
}

/* The same by frame: who was allocated when. Any order, any part, frees of what is not there. */
TEST(blocks_agree_with_a_map_of_frames)
{
	KMT_CLEANUP(kmt_ledger_freep) struct kmt_ledger *ledger = new_ledger(&usual);
	bool is_live[FRAMES] = { false };
	uint64_t state = 1, nr_live;

	for (uint64_t step = 1; step <= 20000; step++) {
		uint64_t random = check_random(&state);
		unsigned int order = (unsigned int)(random & 7) % 6;
		uint64_t pfn = (random >> 8) % FRAMES & ~((UINT64_C(1) << order) - 1);
		bool is_alloc = random >> 40 & 1;

		if (is_alloc)
			take(ledger, PAGE_ALLOC(pfn, order, .time_ns = step));
		else
			take(ledger, PAGE_FREE(pfn, order, .time_ns = step));
		for (uint64_t i = pfn; i < pfn + (UINT64_C(1) << order); i++)
			is_live[i] = is_alloc;
		if (step % 500)
			continue;
		nr_live = 0;
		for (size_t i = 0; i < FRAMES; i++)
			nr_live += is_live[i];
		CHECK_EQ(sum_up(ledger, KMT_SPACE_PAGE).live_bytes, nr_live * PAGE);
		CHECK_EQ(sum_up(ledger, KMT_SPACE_PAGE).live,
			 sum_up(ledger, KMT_SPACE_PAGE).objects);
	}
}

TEST(spaces_do_not_meet)
{
	KMT_CLEANUP(kmt_ledger_freep) struct kmt_ledger *ledger = new_ledger(&usual);

	take(ledger, KMALLOC(.time_ns = 1));
	take(ledger, VMALLOC(.time_ns = 2, .bytes_alloc = 8192, .bytes_req = 8192));
	take(ledger, PERCPU_ALLOC(.time_ns = 3, .bytes_alloc = 256));
	take(ledger, (struct kmt_event){ .kind = KMT_EVENT_VFREE,
					 .space = KMT_SPACE_VMALLOC,
					 .ptr = PTR,
					 .time_ns = 4 });
	CHECK_EQ(sum_up(ledger, KMT_SPACE_SLAB).live_bytes, 64);
	CHECK_EQ(sum_up(ledger, KMT_SPACE_VMALLOC).live_bytes, 0);
	CHECK_EQ(sum_up(ledger, KMT_SPACE_PERCPU).live_bytes, 256);
	CHECK_EQ(kmt_ledger_totals(ledger)->reused, 0);
	CHECK_EQ(kmt_ledger_totals(ledger)->live, 2);
	CHECK_EQ(kmt_ledger_totals(ledger)->peak_live, 3);
	take(ledger, (struct kmt_event){ .kind = KMT_EVENT_PERCPU_FREE,
					 .space = KMT_SPACE_PERCPU,
					 .ptr = PTR,
					 .time_ns = 5 });
	CHECK_EQ(sum_up(ledger, KMT_SPACE_PERCPU).live, 0);
}

TEST(per_cpu_memory_is_there_for_each_cpu)
{
	struct kmt_ledger_options options = usual;
	KMT_CLEANUP(kmt_ledger_freep) struct kmt_ledger *ledger = NULL;
	struct kmt_event event = PERCPU_ALLOC(.time_ns = 1, .pid = 100);

	options.nr_possible_cpus = 8;
	ledger = new_ledger(&options);
	CHECK_EQ(kmt_ledger_take(ledger, &event), 0);
	CHECK_EQ(sum_up(ledger, KMT_SPACE_PERCPU).live_bytes, 8 * 64);
}

TEST(what_was_left_out_on_purpose_is_not_unknown)
{
	struct kmt_ledger_options options = usual;
	KMT_CLEANUP(kmt_ledger_freep) struct kmt_ledger *ledger = NULL;

	options.sample_mask[KMT_SPACE_SLAB] = 0x7000;
	options.is_filtered[KMT_SPACE_PAGE] = true;
	ledger = new_ledger(&options);
	take(ledger, KFREE(.ptr = 0xffff888100041000, .time_ns = 1));
	take(ledger, KFREE(.ptr = 0xffff888100040000, .time_ns = 2));
	take(ledger, PAGE_FREE(7, 0, .time_ns = 3));
	CHECK_EQ(kmt_ledger_totals(ledger)->filtered_frees, 2);
	CHECK_EQ(kmt_ledger_totals(ledger)->unknown_frees, 1);
	CHECK_EQ(kmt_ledger_totals(ledger)->unknown_other_frees, 0);
}

#define PAIR_SPACE (KMT_SPACE_PAIR + 1)
#define GET(...)                                                                           \
	(struct kmt_event)                                                                 \
	{                                                                                  \
		.kind = KMT_EVENT_PAIR_ALLOC, .space = PAIR_SPACE, .ptr = PTR, __VA_ARGS__ \
	}
#define PUT(...)                                                                          \
	(struct kmt_event)                                                                \
	{                                                                                 \
		.kind = KMT_EVENT_PAIR_FREE, .space = PAIR_SPACE, .ptr = PTR, __VA_ARGS__ \
	}

static struct kmt_ledger *counting_ledger(void)
{
	struct kmt_ledger_options options = usual;

	options.counted_pairs = 1u << 1;
	return new_ledger(&options);
}

TEST(a_pair_is_an_address_space_of_its_own)
{
	KMT_CLEANUP(kmt_ledger_freep) struct kmt_ledger *ledger = counting_ledger();

	take(ledger, KMALLOC(.time_ns = 1));
	take(ledger, GET(.space = KMT_SPACE_PAIR, .time_ns = 2));
	take(ledger, GET(.time_ns = 3));
	take(ledger, KFREE(.time_ns = 4));
	CHECK_EQ(sum_up(ledger, KMT_SPACE_PAIR).live, 1);
	CHECK_EQ(sum_up(ledger, PAIR_SPACE).live, 1);
	take(ledger, PUT(.space = KMT_SPACE_PAIR, .time_ns = 5));
	CHECK_EQ(sum_up(ledger, KMT_SPACE_PAIR).live, 0);
	CHECK_EQ(sum_up(ledger, PAIR_SPACE).live, 1);
	CHECK_EQ(kmt_ledger_totals(ledger)->reused, 0);
	CHECK_EQ(kmt_ledger_totals(ledger)->unknown_other_frees, 0);
}

/* One that does not count is handed out again without its free: that one was missed. */
TEST(references_to_one_pointer_add_up)
{
	KMT_CLEANUP(kmt_ledger_freep) struct kmt_ledger *ledger = counting_ledger();

	for (uint64_t i = 1; i <= 1000; i++)
		take(ledger, GET(.time_ns = i));
	CHECK_EQ(sum_up(ledger, PAIR_SPACE).live, 1000);
	CHECK_EQ(sum_up(ledger, PAIR_SPACE).objects, 1000);
	CHECK_EQ(kmt_ledger_totals(ledger)->reused, 0);
	for (uint64_t i = 1; i <= 998; i++)
		take(ledger, PUT(.time_ns = 2000 + i));
	CHECK_EQ(sum_up(ledger, PAIR_SPACE).objects, 2);
	CHECK_EQ(kmt_ledger_totals(ledger)->live, 2);
	take(ledger, GET(.space = KMT_SPACE_PAIR, .time_ns = 4001));
	take(ledger, GET(.space = KMT_SPACE_PAIR, .time_ns = 4002));
	CHECK_EQ(kmt_ledger_totals(ledger)->reused, 1);
}

TEST(a_count_is_never_negative)
{
	KMT_CLEANUP(kmt_ledger_freep) struct kmt_ledger *ledger = counting_ledger();

	take(ledger, PUT(.time_ns = 1)); /* of a get before the recording */
	take(ledger, GET(.time_ns = 2));
	CHECK_EQ(sum_up(ledger, PAIR_SPACE).objects, 1);
	take(ledger, PUT(.time_ns = 3));
	take(ledger, PUT(.time_ns = 4));
	take(ledger, PUT(.time_ns = 5, .ptr = 0));
	take(ledger, GET(.time_ns = 6, .ptr = 0));
	CHECK_EQ(sum_up(ledger, PAIR_SPACE).live, 0);
	CHECK_EQ(kmt_ledger_totals(ledger)->unknown_other_frees, 2);
	CHECK_EQ(kmt_ledger_totals(ledger)->null_frees, 1);
	CHECK_EQ(kmt_ledger_totals(ledger)->failed_allocs, 1);
	CHECK_EQ(kmt_ledger_totals(ledger)->paired, 1);
}

/* Else a site that comes and goes would be accused of what another one forgot. */
TEST(a_forgotten_get_stays_with_who_forgot_it)
{
	KMT_CLEANUP(kmt_ledger_freep) struct kmt_ledger *ledger = counting_ledger();

	take(ledger, GET(.call_site = SITE_A, .time_ns = 1));
	for (uint64_t i = 0; i < 100; i++) {
		take(ledger, GET(.call_site = SITE_B, .time_ns = 10 * i + 2));
		take(ledger, PUT(.time_ns = 10 * i + 3));
	}
	CHECK_EQ(kmt_ledger_finish(ledger, 0, 0, 0), 0);
	CHECK_EQ(account(ledger, SITE_A)->live_objects, 1);
	CHECK_EQ(account(ledger, SITE_A)->oldest_ns, 1);
	CHECK_EQ(account(ledger, SITE_B)->live_objects, 0);
	CHECK_EQ(account(ledger, SITE_B)->frees, 100);
}

TEST(a_put_answers_its_own_task)
{
	KMT_CLEANUP(kmt_ledger_freep) struct kmt_ledger *ledger = counting_ledger();

	take(ledger, GET(.call_site = SITE_A, .pid = 7, .time_ns = 1));
	take(ledger, GET(.call_site = SITE_B, .pid = 8, .time_ns = 2));
	take(ledger, PUT(.pid = 7, .time_ns = 3));
	CHECK_EQ(kmt_ledger_finish(ledger, 0, 0, 0), 0);
	CHECK_EQ(account(ledger, SITE_A)->live_objects, 0);
	CHECK_EQ(account(ledger, SITE_B)->live_objects, 1);
	/* Of the task that an interrupt interrupts nothing is meant. */
	take(ledger, GET(.call_site = SITE_A, .pid = 7, .time_ns = 4));
	take(ledger, GET(.call_site = SITE_B, .pid = 8, .time_ns = 5));
	take(ledger, PUT(.pid = 7, .context = 0x10, .time_ns = 6));
	CHECK_EQ(kmt_ledger_finish(ledger, 0, 0, 0), 0);
	CHECK_EQ(account(ledger, SITE_A)->live_objects, 1);
	CHECK_EQ(account(ledger, SITE_B)->live_objects, 1);
}

/* The same by counting, with pointers that come and go. */
TEST(references_agree_with_a_count)
{
	KMT_CLEANUP(kmt_ledger_freep) struct kmt_ledger *ledger = counting_ledger();
	uint64_t state = 1, live = 0, unknown = 0;
	unsigned int counts[32] = { 0 };

	for (uint64_t step = 1; step <= 50000; step++) {
		uint64_t random = check_random(&state);
		unsigned int i = random % 32;
		int32_t pid = 1 + (int32_t)(random >> 8) % 5;
		bool is_get = random >> 40 & 1;

		if (is_get)
			take(ledger, GET(.ptr = PTR + i, .pid = pid, .time_ns = step));
		else
			take(ledger, PUT(.ptr = PTR + i, .pid = pid, .time_ns = step));
		unknown += !is_get && counts[i] == 0;
		live += is_get;
		live -= !is_get && counts[i];
		counts[i] += is_get;
		counts[i] -= !is_get && counts[i];
	}
	CHECK_EQ(sum_up(ledger, PAIR_SPACE).live, live);
	CHECK_EQ(sum_up(ledger, PAIR_SPACE).objects, live);
	CHECK_EQ(kmt_ledger_totals(ledger)->live, live);
	CHECK_EQ(kmt_ledger_totals(ledger)->unknown_other_frees, unknown);
}

/* Whatever comes: each allocation and each free is somewhere in the books. */
TEST(the_books_of_pages_balance)
{
	uint64_t state = 7;

	for (int run = 0; run < 50; run++) {
		KMT_CLEANUP(kmt_ledger_freep) struct kmt_ledger *ledger = new_ledger(&usual);
		const struct kmt_totals *totals;

		for (uint64_t i = 0; i < 2000; i++) {
			uint64_t order = check_random(&state) % 5;
			uint64_t pfn = check_random(&state) % FRAMES & ~((1u << order) - 1);

			if (check_random(&state) % 2)
				take(ledger, PAGE_ALLOC(pfn, order, .time_ns = i + 1));
			else
				take(ledger, PAGE_FREE(pfn, order, .time_ns = i + 1));
		}
		totals = finish(ledger);
		CHECK_EQ(totals->allocs - totals->failed_allocs + totals->split,
			 totals->paired + totals->reused + totals->live);
		CHECK_EQ(totals->frees + totals->joined,
			 totals->paired + totals->unknown_other_frees);
		CHECK(totals->joined && totals->split && totals->unknown_other_frees);
	}
}

static void count_object(void *context, const struct kmt_account *account, uint64_t ptr,
			 const struct kmt_object *object)
{
	uint64_t *bytes = context;

	*bytes += account->key.bytes_alloc;
}

TEST(a_walk_meets_all_that_is_live)
{
	KMT_CLEANUP(kmt_ledger_freep) struct kmt_ledger *ledger = new_ledger(&usual);
	uint64_t bytes = 0;

	take(ledger, KMALLOC(.time_ns = 1));
	take(ledger, KMALLOC(.time_ns = 2, .ptr = PTR + 64));
	take(ledger, RCU_FREE(.time_ns = 3, .ptr = PTR + 64)); /* nobody's any more */
	take(ledger, PAGE_ALLOC(64, 1, .time_ns = 4));
	take(ledger, PERCPU_ALLOC(.time_ns = 5, .bytes_alloc = 512));
	(void)finish(ledger);
	kmt_ledger_walk(ledger, count_object, &bytes);
	CHECK_EQ(bytes, 64 + 2 * PAGE + 512);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(a_block_may_be_freed_in_parts),
		ROW(one_free_may_end_several_blocks),
		ROW(frame_zero_and_failed_allocations),
		ROW(blocks_agree_with_a_map_of_frames),
		ROW(spaces_do_not_meet),
		ROW(per_cpu_memory_is_there_for_each_cpu),
		ROW(what_was_left_out_on_purpose_is_not_unknown),
		ROW(a_pair_is_an_address_space_of_its_own),
		ROW(references_to_one_pointer_add_up),
		ROW(a_count_is_never_negative),
		ROW(a_forgotten_get_stays_with_who_forgot_it),
		ROW(a_put_answers_its_own_task),
		ROW(references_agree_with_a_count),
		ROW(the_books_of_pages_balance),
		ROW(a_walk_meets_all_that_is_live),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
