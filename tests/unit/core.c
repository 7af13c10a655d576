// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdbool.h>

#include "kmemtape/ledger.h"
#include "kmemtape/hash.h"
#include "kmemtape/liveset.h"
#include "kmemtape/result.h"
#include "kmemtape/tasks.h"
#include "kmemtape/track.h"

#include "check.h"
#include "heap.h"
#include "ledger.h"

/*
 * The live set, against an array of all addresses that may occur: is it live, and what is its mark.
 */
#define NR_ADDRESSES 3000u

struct naive {
	uint64_t ptr[NR_ADDRESSES], mark[NR_ADDRESSES]; /* mark 0: not live */
	uint64_t size, peak;
};

static void check_all(struct kmt_liveset *set, const struct naive *naive)
{
	for (size_t i = 0; i < NR_ADDRESSES; i++) {
		struct kmt_object *object = kmt_liveset_find(set, naive->ptr[i]);

		CHECK_EQ(object != NULL, naive->mark[i] != 0);
		if (object)
			CHECK(object->time_ns == naive->mark[i]);
	}
	CHECK_EQ(kmt_liveset_size(set), naive->size);
	CHECK_EQ(kmt_liveset_peak(set), naive->peak);
}

static void add(struct kmt_liveset *set, struct naive *naive, size_t i, uint64_t mark)
{
	struct kmt_object *object;

	CHECK_EQ(kmt_liveset_add(set, naive->ptr[i], &object),
		 naive->mark[i] ? KMT_OBJECT_LIVE : KMT_OBJECT_NEW);
	if (naive->mark[i])
		CHECK(object->time_ns == naive->mark[i]);
	else
		naive->size++;
	if (naive->size > naive->peak)
		naive->peak = naive->size;
	object->time_ns = naive->mark[i] = mark;
}

static void take_out(struct kmt_liveset *set, struct naive *naive, size_t i)
{
	struct kmt_object *object = kmt_liveset_find(set, naive->ptr[i]);

	CHECK_EQ(object != NULL, naive->mark[i] != 0);
	if (!object)
		return;
	kmt_liveset_remove(set, naive->ptr[i], object);
	naive->mark[i] = 0;
	naive->size--;
}

/* Grow, churn, shrink to nothing, and grow again. */
static void compare(uint64_t (*address)(size_t i, uint64_t *random), uint64_t seed)
{
	KMT_CLEANUP(kmt_liveset_freep) struct kmt_liveset *set = NULL;
	KMT_CLEANUP(kmt_freep) struct naive *naive = calloc(1, sizeof(*naive));

	CHECK(naive);
	CHECK_EQ(kmt_liveset_new(&set, NULL), 0);
	for (size_t i = 0; i < NR_ADDRESSES; i++)
		naive->ptr[i] = address(i, &seed);
	for (uint64_t step = 1; step <= 60000; step++) {
		size_t i = check_random(&seed) % NR_ADDRESSES;
		unsigned int chance = step / 15000 % 2 ? 30 : 70; /* per cent, to add */

		if (check_random(&seed) % 100 < chance)
			add(set, naive, i, step);
		else
			take_out(set, naive, i);
		if (step % 5000 == 0)
			check_all(set, naive);
	}
	for (size_t i = 0; i < NR_ADDRESSES; i++)
		take_out(set, naive, i);
	CHECK_EQ(kmt_liveset_size(set), 0);
	check_all(set, naive);
}

static uint64_t any_address(size_t i, uint64_t *random)
{
	return check_random(random) | 1;
}

static uint64_t page_stride(size_t i, uint64_t *random)
{
	return 0xffff888000000000 + i * 4096;
}

static uint64_t huge_stride(size_t i, uint64_t *random)
{
	return (i + 1) << 40;
}

static uint64_t descending(size_t i, uint64_t *random)
{
	return UINT64_MAX - i;
}

static uint64_t dense(size_t i, uint64_t *random)
{
	return 1 + i;
}

/* Multiples of the inverse of the factor of Fibonacci hashing: all want the same slot. */
static uint64_t colliding(size_t i, uint64_t *random)
{
	return (i + 1) * 0xf1de83e19937733d;
}

TEST(random_addresses_live_as_in_a_naive_set)
{
	for (uint64_t seed = 1; seed <= 5; seed++)
		compare(any_address, seed);
}

TEST(addresses_a_page_apart_live_as_in_a_naive_set)
{
	compare(page_stride, 1);
}

TEST(addresses_with_the_same_lower_bits_live_as_in_a_naive_set)
{
	compare(huge_stride, 1);
}

TEST(descending_addresses_live_as_in_a_naive_set)
{
	compare(descending, 1);
}

TEST(dense_addresses_live_as_in_a_naive_set)
{
	compare(dense, 1);
}

TEST(addresses_that_all_collide_live_as_in_a_naive_set)
{
	CHECK(UINT64_C(0xf1de83e19937733d) * UINT64_C(0x9e3779b97f4a7c15) == 1);
	compare(colliding, 1);
}

static void note_visit(void *context, uint64_t ptr, const struct kmt_object *object)
{
	struct naive *naive = context;

	for (size_t i = 0; i < NR_ADDRESSES; i++)
		if (naive->ptr[i] == ptr) {
			CHECK(naive->mark[i] == object->time_ns);
			naive->mark[i] = 0;
			return;
		}
	fail_msg("visited an address that was never added");
}

TEST(a_walk_visits_each_object_once)
{
	KMT_CLEANUP(kmt_liveset_freep) struct kmt_liveset *set = NULL;
	KMT_CLEANUP(kmt_freep) struct naive *naive = calloc(1, sizeof(*naive));

	CHECK(naive);
	CHECK_EQ(kmt_liveset_new(&set, NULL), 0);
	for (size_t i = 0; i < NR_ADDRESSES; i++) {
		naive->ptr[i] = page_stride(i, NULL);
		if (i % 3)
			add(set, naive, i, i);
	}
	kmt_liveset_walk(set, note_visit, naive);
	for (size_t i = 0; i < NR_ADDRESSES; i++)
		CHECK_EQ(naive->mark[i], 0);
}

/* The bound that replay promises, at any size from 10000 on: growth itself included. */
static void check_memory(uint64_t (*address)(size_t i, uint64_t *random), size_t nr)
{
	KMT_CLEANUP(kmt_liveset_freep) struct kmt_liveset *set = NULL;
	uint64_t random = 1;

	heap_watch();
	CHECK_EQ(kmt_liveset_new(&set, NULL), 0);
	for (size_t i = 0; i < nr; i++) {
		struct kmt_object *object;

		if (kmt_liveset_add(set, address(i, &random), &object) < 0)
			fail();
		if (i >= 10000 && heap.peak_bytes > 64 * (i + 1))
			fail_msg("%zu bytes at the peak of %zu objects: %zu each", heap.peak_bytes,
				 i + 1, heap.peak_bytes / (i + 1));
	}
	CHECK_EQ(kmt_liveset_size(set), nr);
}

/* Multiplied with @odd it is 1 (Newton). */
static uint64_t inverse_of(uint64_t odd)
{
	uint64_t inverse = odd;

	for (int i = 0; i < 6; i++)
		inverse *= 2 - odd * inverse;
	return inverse;
}

/* Their hashes are 1, 2, 3, ...: who knows the secret makes them all collide, and only costs time.
 */
TEST(objects_that_belong_in_one_place_are_found_all_the_same)
{
	struct kmt_hash_secret secret = kmt_hash_secret(0);
	KMT_CLEANUP(kmt_liveset_freep) struct kmt_liveset *set = NULL;
	uint64_t inverse = inverse_of(secret.words[1] | 1);
	struct kmt_object *object;

	CHECK_EQ(kmt_liveset_new(&set, NULL), 0);
	for (uint64_t i = 1; i <= 2000; i++) {
		CHECK_EQ(kmt_liveset_add(set, i * inverse ^ secret.words[0], &object),
			 KMT_OBJECT_NEW);
		object->time_ns = i;
	}
	for (uint64_t i = 1; i <= 2000; i += 2)
		kmt_liveset_remove(set, i * inverse ^ secret.words[0],
				   kmt_liveset_find(set, i * inverse ^ secret.words[0]));
	for (uint64_t i = 1; i <= 2001; i++) {
		object = kmt_liveset_find(set, i * inverse ^ secret.words[0]);
		CHECK_EQ(object ? object->time_ns : 0, i % 2 || i == 2001 ? 0 : i);
	}
	CHECK_EQ(kmt_liveset_size(set), 1000);
}

TEST(a_million_random_objects_take_at_most_64_bytes_each)
{
	check_memory(any_address, 1000000);
}

TEST(a_million_objects_a_page_apart_take_at_most_64_bytes_each)
{
	check_memory(page_stride, 1000000);
}

TEST(what_is_freed_makes_room_for_what_comes)
{
	KMT_CLEANUP(kmt_liveset_freep) struct kmt_liveset *set = NULL;
	uint64_t random = 1;

	/* A tape of any length, 1000 objects live at a time. */
	CHECK_EQ(kmt_liveset_new(&set, NULL), 0);
	heap_watch();
	for (uint64_t i = 0; i < 300000; i++) {
		struct kmt_object *object;

		(void)check_random(&random);
		if (kmt_liveset_add(set, (i + 1) * 64, &object) < 0)
			fail();
		if (i >= 1000)
			kmt_liveset_remove(set, (i - 999) * 64,
					   kmt_liveset_find(set, (i - 999) * 64));
	}
	CHECK(heap.peak_bytes < 1 << 20);
	CHECK_EQ(kmt_liveset_peak(set), 1001);
}

static struct kmt_account_key key_number(uint64_t i)
{
	return (struct kmt_account_key){ .call_site = 0xffffffff81000000 + i, .bytes_alloc = 64 };
}

TEST(accounts_are_numbered_in_order_and_keep_their_number)
{
	KMT_CLEANUP(kmt_accounts_freep) struct kmt_accounts *accounts = NULL;

	CHECK_EQ(kmt_accounts_new(&accounts, NULL), 0);
	for (int pass = 0; pass < 2; pass++)
		for (uint64_t i = 0; i < 50000; i++) {
			struct kmt_account_key key = key_number(i);
			uint32_t index = UINT32_MAX;

			CHECK_EQ(kmt_accounts_open(accounts, &key, 100 + i + (uint64_t)pass, 1,
						   &index),
				 0);
			CHECK_EQ(index, i);
			CHECK_EQ(kmt_accounts_at(accounts, index)->key.call_site, key.call_site);
			CHECK_EQ(kmt_accounts_at(accounts, index)->first_ns,
				 100 + i); /* of pass 0 */
		}
	CHECK_EQ(kmt_accounts_nr(accounts), 50000);
}

TEST(every_part_of_a_key_tells_accounts_apart)
{
	KMT_CLEANUP(kmt_accounts_freep) struct kmt_accounts *accounts = NULL;
	static const char cache[] = "dentry", comm[] = "bash";
	const struct kmt_account_key keys[] = {
		{ 0 },
		{ .call_site = 1 },
		{ .bytes_alloc = 1 },
		{ .cache = cache },
		{ .comm = comm },
		{ .pid = 1 },
		{ .pid = -1 },
		{ .generation = 1 },
		{ .is_kmalloc = true },
		{ .is_recorder = true },
	};
	size_t nr = sizeof(keys) / sizeof(keys[0]);

	CHECK_EQ(kmt_accounts_new(&accounts, NULL), 0);
	for (int pass = 0; pass < 2; pass++)
		for (uint32_t i = 0; i < nr; i++) {
			uint32_t index = UINT32_MAX;

			CHECK_EQ(kmt_accounts_open(accounts, &keys[i], 1, 1, &index), 0);
			CHECK_EQ(index, i);
		}
	CHECK_EQ(kmt_accounts_nr(accounts), nr);
}

TEST(tasks_have_the_last_name_that_they_were_given)
{
	KMT_CLEANUP(kmt_tasks_freep) struct kmt_tasks *tasks = NULL;
	static const char a[] = "a", b[] = "b";

	CHECK_EQ(kmt_tasks_new(&tasks, NULL), 0);
	CHECK(!kmt_tasks_find(tasks, 7));
	CHECK_EQ(kmt_tasks_name(tasks, 7, a), 0);
	CHECK_EQ(kmt_tasks_name(tasks, 7, b), 0);
	CHECK(kmt_tasks_find(tasks, 7) == b);
	CHECK(!kmt_tasks_find(tasks, 8));
}

TEST(tasks_are_found_however_many_there_are)
{
	KMT_CLEANUP(kmt_tasks_freep) struct kmt_tasks *tasks = NULL;
	static const char names[200000];

	CHECK_EQ(kmt_tasks_new(&tasks, NULL), 0);
	for (int32_t pid = 0; pid < 200000; pid++)
		CHECK_EQ(kmt_tasks_name(tasks, (int32_t)((uint32_t)pid * 0x10001u), &names[pid]),
			 0);
	for (int32_t pid = 0; pid < 200000; pid++)
		CHECK(kmt_tasks_find(tasks, (int32_t)((uint32_t)pid * 0x10001u)) == &names[pid]);
}

/* The ledger. */
TEST(a_free_closes_what_was_allocated)
{
	LEDGER(&usual);
	const struct kmt_totals *totals;

	take(ledger, KMALLOC(.time_ns = 10));
	take(ledger, KFREE(.time_ns = 20));
	totals = finish(ledger);
	CHECK_EQ(totals->paired, 1);
	CHECK_EQ(totals->live, 0);
	CHECK_EQ(totals->peak_live, 1);
	CHECK_EQ(account(ledger, SITE_A)->allocs, 1);
	CHECK_EQ(account(ledger, SITE_A)->frees, 1);
	CHECK_EQ(account(ledger, SITE_A)->live_objects, 0);
}

TEST(an_object_is_paired_whichever_way_it_is_freed)
{
	LEDGER(&usual);

	take(ledger, KMALLOC(.time_ns = 10));
	take(ledger, CACHE_FREE(.time_ns = 20));
	take(ledger, CACHE_ALLOC(.time_ns = 30));
	take(ledger, KFREE(.time_ns = 40));
	CHECK_EQ(finish(ledger)->paired, 2);
}

TEST(an_object_may_be_freed_on_another_cpu)
{
	LEDGER(&usual);

	take(ledger, KMALLOC(.time_ns = 10, .cpu = 1));
	take(ledger, KFREE(.time_ns = 20, .cpu = 2));
	CHECK_EQ(finish(ledger)->paired, 1);
}

TEST(frees_of_null_and_of_zero_size_free_nothing)
{
	LEDGER(&usual);
	const struct kmt_totals *totals;

	take(ledger, KFREE(.ptr = 0, .time_ns = 1));
	take(ledger, KFREE(.ptr = 16, .time_ns = 2));
	take(ledger, CACHE_FREE(.ptr = 0, .time_ns = 3));
	totals = finish(ledger);
	CHECK_EQ(totals->frees, 3);
	CHECK_EQ(totals->null_frees, 3);
	CHECK_EQ(totals->unknown_frees, 0);
}

TEST(failed_allocations_own_nothing)
{
	LEDGER(&usual);
	const struct kmt_totals *totals;
	size_t nr;

	take(ledger, KMALLOC(.ptr = 0, .time_ns = 1));
	take(ledger, CACHE_ALLOC(.ptr = 0, .time_ns = 2));
	totals = finish(ledger);
	CHECK_EQ(totals->allocs, 2);
	CHECK_EQ(totals->failed_allocs, 2);
	CHECK_EQ(totals->live, 0);
	CHECK_EQ(totals->reused, 0);
	(void)kmt_ledger_accounts(ledger, &nr);
	CHECK_EQ(nr, 0);
}

TEST(allocations_of_no_bytes_own_nothing)
{
	LEDGER(&usual);
	const struct kmt_totals *totals;

	take(ledger, KMALLOC(.ptr = 16, .time_ns = 1));
	take(ledger, KMALLOC(.ptr = 16, .time_ns = 2));
	totals = finish(ledger);
	CHECK_EQ(totals->zero_size, 2);
	CHECK_EQ(totals->reused + totals->live, 0);
}

TEST(an_address_handed_out_again_closes_its_old_object_as_reused)
{
	LEDGER(&usual);
	const struct kmt_totals *totals;

	take(ledger, KMALLOC(.time_ns = 10));
	take(ledger, KMALLOC(.time_ns = 20, .call_site = SITE_B));
	totals = finish(ledger);
	CHECK_EQ(totals->reused, 1);
	CHECK_EQ(totals->live, 1);
	CHECK_EQ(totals->peak_live, 1);
	CHECK_EQ(account(ledger, SITE_A)->reused, 1);
	CHECK_EQ(account(ledger, SITE_A)->live_objects, 0);
	CHECK_EQ(account(ledger, SITE_B)->reused, 0);
	CHECK_EQ(account(ledger, SITE_B)->live_objects, 1);
	CHECK_EQ(account(ledger, SITE_B)->oldest_ns, 20);
}

TEST(a_free_of_what_was_never_seen_is_unknown)
{
	LEDGER(&usual);

	take(ledger, KFREE(.time_ns = 1));
	take(ledger, KMALLOC(.time_ns = 2));
	take(ledger, KFREE(.time_ns = 3));
	take(ledger, KFREE(.time_ns = 4)); /* twice: the second owner was not seen */
	CHECK_EQ(finish(ledger)->unknown_frees, 2);
	CHECK_EQ(kmt_ledger_totals(ledger)->paired, 1);
}

TEST(each_event_is_counted_by_its_kind)
{
	LEDGER(&usual);
	const struct kmt_totals *totals;
	uint64_t allocs = 0, frees = 0;

	for (uint8_t kind = 1; kind < KMT_EVENT_KINDS; kind++) {
		struct kmt_event event = { .kind = kind };

		allocs += kmt_event_is_alloc(&event) ? kind : 0;
		frees += kmt_event_is_free(&event) ? kind : 0;
		for (int i = 0; i < kind; i++)
			take(ledger, (struct kmt_event){ .kind = kind,
							 .time_ns = kind * 10u,
							 .ptr = PTR + kind });
	}
	totals = finish(ledger);
	for (uint8_t kind = 1; kind < KMT_EVENT_KINDS; kind++)
		CHECK_EQ(totals->by_kind[kind], kind);
	CHECK_EQ(totals->allocs, allocs);
	CHECK_EQ(totals->frees, frees);
	CHECK_EQ(totals->first_ns, 10);
	CHECK_EQ(totals->last_ns, 10 * (KMT_EVENT_KINDS - 1));
}

/* Live objects are those that are neither freed nor reused; each free is of one kind. */
static void check_books(struct kmt_ledger *ledger)
{
	const struct kmt_totals *totals = finish(ledger);
	size_t nr;
	const struct kmt_account *accounts = kmt_ledger_accounts(ledger, &nr);
	uint64_t open = 0, live = 0;

	for (size_t i = 0; i < nr; i++) {
		open += accounts[i].allocs - accounts[i].frees - accounts[i].reused;
		live += accounts[i].live_objects;
	}
	CHECK_EQ(open, totals->live);
	CHECK_EQ(live, totals->live);
	CHECK_EQ(totals->frees - totals->null_frees,
		 totals->paired + totals->unknown_frees + totals->deferred_frees);
}

TEST(what_kfree_rcu_was_given_is_freed_at_once)
{
	LEDGER(&usual);

	take(ledger, KMALLOC(.time_ns = 10));
	take(ledger, RCU_FREE(.time_ns = 20));
	check_books(ledger);
	CHECK_EQ(finish(ledger)->paired, 1);
	CHECK_EQ(finish(ledger)->live, 0);
	CHECK_EQ(account(ledger, SITE_A)->frees, 1);
	CHECK_EQ(account(ledger, SITE_A)->live_objects, 0);
}

TEST(the_free_that_kfree_rcu_leads_to_counts_for_nothing)
{
	static const uint8_t kinds[] = { KMT_EVENT_KFREE, KMT_EVENT_CACHE_FREE,
					 KMT_EVENT_BULK_FREE };

	for (size_t i = 0; i < sizeof(kinds); i++) {
		LEDGER(&usual);
		const struct kmt_totals *totals;

		take(ledger, CACHE_ALLOC(.time_ns = 10));
		take(ledger, RCU_FREE(.time_ns = 20));
		take(ledger,
		     (struct kmt_event){
			     .kind = kinds[i], .ptr = PTR, .time_ns = 30, .text = "dentry" });
		check_books(ledger);
		totals = finish(ledger);
		CHECK_EQ(totals->paired, 1);
		CHECK_EQ(totals->deferred_frees, 1);
		CHECK_EQ(totals->unknown_frees, 0);
		CHECK_EQ(account(ledger, SITE_A)->frees, 1);
		CHECK_TEXT(account(ledger, SITE_A)->freed_cache, "dentry");
		/* Once it is given back, the address has no owner. */
		take(ledger, KFREE(.time_ns = 40));
		CHECK_EQ(finish(ledger)->unknown_frees, 1);
		check_books(ledger);
	}
}

TEST(an_address_that_kfree_rcu_was_given_is_not_reused)
{
	LEDGER(&usual);
	const struct kmt_totals *totals;

	for (uint64_t i = 0; i < 3; i++) {
		take(ledger, KMALLOC(.time_ns = 10 + 10 * i));
		take(ledger, RCU_FREE(.time_ns = 15 + 10 * i));
	}
	take(ledger, KMALLOC(.time_ns = 50, .call_site = SITE_B));
	check_books(ledger);
	totals = finish(ledger);
	CHECK_EQ(totals->reused, 0);
	CHECK_EQ(totals->paired, 3);
	CHECK_EQ(totals->live, 1);
	CHECK_EQ(totals->peak_live, 1);
	CHECK_EQ(account(ledger, SITE_A)->frees, 3);
	CHECK_EQ(account(ledger, SITE_B)->live_objects, 1);
	/* It is a live object as any other now. */
	take(ledger, KMALLOC(.time_ns = 60));
	CHECK_EQ(finish(ledger)->reused, 1);
	take(ledger, KFREE(.time_ns = 70));
	CHECK_EQ(finish(ledger)->paired, 4);
	CHECK_EQ(finish(ledger)->live, 0);
	check_books(ledger);
}

TEST(kfree_rcu_may_be_passed_on)
{
	LEDGER(&usual);

	take(ledger, KMALLOC(.time_ns = 10));
	take(ledger, RCU_FREE(.time_ns = 20));
	take(ledger, RCU_FREE(.time_ns = 30));
	take(ledger, BULK_FREE(.time_ns = 40));
	CHECK_EQ(finish(ledger)->paired, 1);
	CHECK_EQ(finish(ledger)->deferred_frees, 2);
	CHECK_EQ(finish(ledger)->unknown_frees, 0);
	check_books(ledger);
}

TEST(a_bulk_free_is_a_free)
{
	LEDGER(&usual);

	take(ledger, KMALLOC(.time_ns = 10));
	take(ledger, BULK_FREE(.time_ns = 20));
	take(ledger, KFREE(.time_ns = 30));
	CHECK_EQ(finish(ledger)->paired, 1);
	CHECK_EQ(finish(ledger)->unknown_frees, 1); /* allocated meanwhile, unseen */
	check_books(ledger);
}

TEST(probed_frees_of_unknown_objects_are_counted_apart)
{
	LEDGER(&usual);

	take(ledger, KFREE(.time_ns = 10));
	take(ledger, RCU_FREE(.time_ns = 20));
	take(ledger, RCU_FREE(.time_ns = 30));
	take(ledger, BULK_FREE(.time_ns = 40, .ptr = 0));
	take(ledger, BULK_FREE(.time_ns = 50));
	CHECK_EQ(finish(ledger)->unknown_frees, 4);
	CHECK_EQ(finish(ledger)->unknown_rcu_frees, 2);
	CHECK_EQ(finish(ledger)->unknown_bulk_frees, 1);
	CHECK_EQ(finish(ledger)->null_frees, 1);
	check_books(ledger);
}

/* Whatever comes in whatever order, nothing is counted twice, and nothing is forgotten. */
TEST(the_books_balance_with_free_probes)
{
	static const uint8_t kinds[] = { KMT_EVENT_KMALLOC,  KMT_EVENT_CACHE_ALLOC,
					 KMT_EVENT_RCU_FREE, KMT_EVENT_BULK_FREE,
					 KMT_EVENT_KFREE,    KMT_EVENT_CACHE_FREE };
	uint64_t random = 1;
	LEDGER(&usual);

	for (uint64_t step = 1; step <= 3000; step++) {
		take(ledger, (struct kmt_event){
				     .kind = kinds[check_random(&random) % sizeof(kinds)],
				     .ptr = PTR + 64 * (check_random(&random) % 20),
				     .call_site = check_random(&random) % 2 ? SITE_A : SITE_B,
				     .time_ns = step * 1000,
			     });
		check_books(ledger);
	}
}

TEST(unseen_frees_make_older_objects_uncertain)
{
	LEDGER(&usual);
	const struct kmt_totals *totals;

	take(ledger, KMALLOC(.time_ns = 10));
	take(ledger, KMALLOC(.time_ns = 20, .ptr = PTR + 64));
	take(ledger, RCU_FREE(.time_ns = 25, .ptr = PTR + 64));
	take(ledger, (struct kmt_event){ .kind = KMT_EVENT_UNSEEN, .time_ns = 30, .lost = 7 });
	take(ledger, KMALLOC(.time_ns = 40, .ptr = PTR + 128));
	totals = finish(ledger);
	CHECK_EQ(totals->unseen_frees, 7);
	CHECK_EQ(totals->lost, 7);
	CHECK_EQ(totals->losses, 0);
	CHECK_EQ(totals->uncertain, 1);
	CHECK_EQ(totals->live, 2);
}

/* The two events that Linux 6.12 emits for one large kmalloc, and whatever the test changes. */
static const struct kmt_totals *twice(struct kmt_ledger *ledger, struct kmt_event second)
{
	take(ledger, KMALLOC(.time_ns = 1000, .bytes_alloc = LARGE, .bytes_req = LARGE - 7));
	take(ledger, second);
	return finish(ledger);
}

#define SECOND(...)                                                         \
	KMALLOC(.time_ns = 2000, .call_site = SITE_B, .bytes_alloc = LARGE, \
		.bytes_req = LARGE - 7, __VA_ARGS__)

TEST(the_second_event_of_a_large_kmalloc_replaces_the_first)
{
	LEDGER(&usual);
	const struct kmt_totals *totals = twice(ledger, SECOND());

	CHECK_EQ(totals->replaced, 1);
	CHECK_EQ(totals->reused, 0);
	CHECK_EQ(totals->live, 1);
	CHECK_EQ(account(ledger, SITE_A)->allocs, 0);
	CHECK_EQ(account(ledger, SITE_B)->allocs, 1);
	CHECK_EQ(account(ledger, SITE_B)->live_objects, 1);
}

TEST(a_second_event_from_another_cpu_is_a_reuse)
{
	LEDGER(&usual);
	CHECK_EQ(twice(ledger, SECOND(.cpu = 1))->replaced, 0);
	CHECK_EQ(kmt_ledger_totals(ledger)->reused, 1);
}

TEST(a_second_event_much_later_is_a_reuse)
{
	LEDGER(&usual);
	CHECK_EQ(twice(ledger, SECOND(.time_ns = 1000 + 100001))->replaced, 0);
	CHECK_EQ(kmt_ledger_totals(ledger)->reused, 1);
}

TEST(a_second_event_of_another_size_is_a_reuse)
{
	LEDGER(&usual);
	CHECK_EQ(twice(ledger, SECOND(.bytes_alloc = 2 * LARGE))->replaced, 0);
	CHECK_EQ(kmt_ledger_totals(ledger)->reused, 1);
}

TEST(a_second_event_that_asked_for_another_size_is_a_reuse)
{
	LEDGER(&usual);
	CHECK_EQ(twice(ledger, SECOND(.bytes_req = LARGE - 8))->replaced, 0);
	CHECK_EQ(kmt_ledger_totals(ledger)->reused, 1);
}

TEST(a_second_event_of_the_same_call_site_is_a_reuse)
{
	LEDGER(&usual);
	CHECK_EQ(twice(ledger, SECOND(.call_site = SITE_A))->replaced, 0);
	CHECK_EQ(kmt_ledger_totals(ledger)->reused, 1);
}

TEST(a_second_event_of_a_cache_is_a_reuse)
{
	LEDGER(&usual);
	CHECK_EQ(twice(ledger, SECOND(.kind = KMT_EVENT_CACHE_ALLOC))->replaced, 0);
	CHECK_EQ(kmt_ledger_totals(ledger)->reused, 1);
}

TEST(a_small_kmalloc_is_never_traced_twice)
{
	LEDGER(&usual);

	take(ledger, KMALLOC(.time_ns = 1000, .bytes_alloc = 2 * PAGE, .bytes_req = 5000));
	take(ledger, KMALLOC(.time_ns = 2000, .call_site = SITE_B, .bytes_alloc = 2 * PAGE,
			     .bytes_req = 5000));
	CHECK_EQ(finish(ledger)->replaced, 0);
	CHECK_EQ(kmt_ledger_totals(ledger)->reused, 1);
}

TEST(a_free_closes_the_replacement_and_not_the_replaced)
{
	LEDGER(&usual);

	(void)twice(ledger, SECOND());
	take(ledger, KFREE(.time_ns = 3000));
	CHECK_EQ(finish(ledger)->paired, 1);
	CHECK_EQ(account(ledger, SITE_A)->frees, 0);
	CHECK_EQ(account(ledger, SITE_B)->frees, 1);
}

/* A, then B at the same address, then the free of A, traced late by another CPU. */
static const struct kmt_totals *late(struct kmt_ledger *ledger, struct kmt_event free)
{
	take(ledger, CACHE_ALLOC(.time_ns = 1000, .cpu = 1));
	take(ledger, CACHE_ALLOC(.time_ns = 5000000, .cpu = 2, .call_site = SITE_B));
	take(ledger, free);
	return finish(ledger);
}

#define LATE_FREE(...) CACHE_FREE(.time_ns = 5000000 + 1000000, .cpu = 1, __VA_ARGS__)

static const struct kmt_ledger_options old_kernel = {
	.kernel_from = 0xffffffff81000000,
	.kernel_to = 0xffffffff82000000,
	.page_bytes = PAGE,
	.has_late_frees = true,
};

TEST(a_late_free_belongs_to_the_object_before)
{
	LEDGER(&old_kernel);
	const struct kmt_totals *totals = late(ledger, LATE_FREE());

	CHECK_EQ(totals->late_frees, 1);
	CHECK_EQ(totals->paired, 1);
	CHECK_EQ(totals->reused, 0);
	CHECK_EQ(totals->live, 1);
	CHECK_EQ(account(ledger, SITE_A)->frees, 1);
	CHECK_EQ(account(ledger, SITE_A)->reused, 0);
	CHECK_EQ(account(ledger, SITE_B)->live_objects, 1);
}

/* It died of a free, at the age at which its address was seen in other hands. */
TEST(a_late_free_of_an_old_object_is_a_death_by_free)
{
	const uint64_t old_ns = 2 * KMT_AGE_FIRST_NS;
	struct kmt_counts counts;
	LEDGER(&old_kernel);

	take(ledger, CACHE_ALLOC(.time_ns = 1000, .cpu = 1));
	take(ledger, CACHE_ALLOC(.time_ns = 1000 + old_ns, .cpu = 2, .call_site = SITE_B));
	take(ledger, CACHE_FREE(.time_ns = 2000 + old_ns, .cpu = 1));
	CHECK_EQ(finish(ledger)->late_frees, 1);
	CHECK(account(ledger, SITE_A)->track);
	kmt_track_read(account(ledger, SITE_A)->track, &counts);
	CHECK_EQ(counts.reused_ages[kmt_age_bin(old_ns)], 0);
	CHECK_EQ(counts.freed_ages[kmt_age_bin(old_ns)], 1);
}

TEST(only_one_free_can_be_late)
{
	LEDGER(&old_kernel);
	const struct kmt_totals *totals;

	(void)late(ledger, LATE_FREE());
	take(ledger, LATE_FREE());
	totals = finish(ledger);
	CHECK_EQ(totals->late_frees, 1);
	CHECK_EQ(totals->paired, 2);
	CHECK_EQ(totals->live, 0);
}

TEST(kernels_that_trace_before_the_free_have_no_late_frees)
{
	LEDGER(&usual);
	CHECK_EQ(late(ledger, LATE_FREE())->late_frees, 0);
	CHECK_EQ(kmt_ledger_totals(ledger)->reused, 1);
	CHECK_EQ(kmt_ledger_totals(ledger)->live, 0);
}

TEST(a_free_on_the_cpu_that_allocated_is_not_late)
{
	LEDGER(&old_kernel);
	CHECK_EQ(late(ledger, LATE_FREE(.cpu = 2))->late_frees, 0);
}

TEST(a_free_more_than_a_millisecond_later_is_not_late)
{
	LEDGER(&old_kernel);
	CHECK_EQ(late(ledger, LATE_FREE(.time_ns = 5000000 + 1000001))->late_frees, 0);
}

TEST(a_kfree_is_never_late)
{
	LEDGER(&old_kernel);
	CHECK_EQ(late(ledger, LATE_FREE(.kind = KMT_EVENT_KFREE))->late_frees, 0);
}

TEST(without_a_reuse_no_free_is_late)
{
	LEDGER(&old_kernel);

	take(ledger, CACHE_ALLOC(.time_ns = 1000, .cpu = 1));
	take(ledger, CACHE_FREE(.time_ns = 2000, .cpu = 2));
	CHECK_EQ(finish(ledger)->late_frees, 0);
	CHECK_EQ(kmt_ledger_totals(ledger)->live, 0);
}

TEST(what_was_allocated_before_the_end_of_a_loss_is_uncertain)
{
	LEDGER(&usual);
	const struct kmt_totals *totals;

	take(ledger, KMALLOC(.time_ns = 10));
	take(ledger, LOSS(.time_ns = 100, .since_ns = 50, .lost = 7, .cpu = 3));
	take(ledger, KMALLOC(.time_ns = 100, .ptr = PTR + 64));
	take(ledger, KMALLOC(.time_ns = 110, .ptr = PTR + 128));
	totals = finish(ledger);
	CHECK_EQ(totals->uncertain, 1);
	CHECK_EQ(totals->losses, 1);
	CHECK_EQ(totals->lost, 7);
	CHECK_EQ(totals->last_loss_ns, 100);
	CHECK_EQ(account(ledger, SITE_A)->uncertain_objects, 1);
	CHECK_EQ(account(ledger, SITE_A)->live_objects, 3);
}

TEST(without_a_loss_nothing_is_uncertain)
{
	LEDGER(&usual);

	take(ledger, KMALLOC(.time_ns = 10));
	CHECK_EQ(finish(ledger)->uncertain, 0);
	CHECK_EQ(kmt_ledger_totals(ledger)->last_loss_ns, 0);
}

static size_t nr_accounts(struct kmt_ledger *ledger)
{
	size_t nr;

	(void)kmt_ledger_accounts(ledger, &nr);
	return nr;
}

TEST(a_module_that_comes_may_own_the_addresses_of_another)
{
	LEDGER(&usual);

	take(ledger, KMALLOC(.time_ns = 1, .call_site = MODULE));
	take(ledger,
	     (struct kmt_event){ .kind = KMT_EVENT_MODULE_FREE, .time_ns = 2, .text = "old" });
	take(ledger,
	     (struct kmt_event){ .kind = KMT_EVENT_MODULE_LOAD, .time_ns = 3, .text = "new" });
	take(ledger, KMALLOC(.time_ns = 4, .call_site = MODULE, .ptr = PTR + 64));
	CHECK_EQ(nr_accounts(ledger), 2);
}

TEST(the_kernels_own_call_sites_outlast_modules)
{
	LEDGER(&usual);

	take(ledger, KMALLOC(.time_ns = 1));
	take(ledger,
	     (struct kmt_event){ .kind = KMT_EVENT_MODULE_LOAD, .time_ns = 3, .text = "new" });
	take(ledger, KMALLOC(.time_ns = 4, .ptr = PTR + 64));
	CHECK_EQ(nr_accounts(ledger), 1);
	CHECK_EQ(account(ledger, SITE_A)->allocs, 2);
}

TEST(objects_are_told_apart_by_task_only_if_asked)
{
	struct kmt_ledger_options options = usual;

	for (int asked = 0; asked < 2; asked++) {
		options.by_pid = asked;
		LEDGER(&options);
		take(ledger, KMALLOC(.time_ns = 1, .pid = 5));
		take(ledger, KMALLOC(.time_ns = 2, .pid = 6, .ptr = PTR + 64));
		CHECK_EQ(nr_accounts(ledger), asked ? 2 : 1);
	}
}

TEST(an_interrupt_is_not_the_task_that_it_interrupted)
{
	static const uint8_t contexts[] = { 0x08, 0x10, 0x18 };
	struct kmt_ledger_options options = usual;

	options.by_comm = options.by_pid = true;
	for (size_t i = 0; i < sizeof(contexts); i++) {
		LEDGER(&options);
		CHECK_EQ(kmt_ledger_name_task(ledger, 5, "bash"), 0);
		take(ledger, KMALLOC(.time_ns = 1, .pid = 5, .context = contexts[i]));
		CHECK_TEXT(account(ledger, SITE_A)->key.comm, "<interrupt>");
		CHECK_EQ(account(ledger, SITE_A)->key.pid, -1);
	}
}

TEST(other_flags_of_the_entry_do_not_make_an_interrupt)
{
	struct kmt_ledger_options options = usual;
	LEDGER(&options);

	options.by_pid = true;
	(void)kmt_ledger_free(ledger);
	ledger = new_ledger(&options);
	take(ledger, KMALLOC(.time_ns = 1, .pid = 5, .context = 0x01 | 0x04 | 0x20 | 0x80));
	CHECK_EQ(account(ledger, SITE_A)->key.pid, 5);
}

TEST(tasks_go_by_the_name_they_have_at_the_time)
{
	struct kmt_ledger_options options = usual;

	options.by_comm = true;
	LEDGER(&options);
	CHECK_EQ(kmt_ledger_name_task(ledger, 5, "sh"), 0);
	take(ledger, KMALLOC(.time_ns = 1, .pid = 5));
	take(ledger, (struct kmt_event){
			     .kind = KMT_EVENT_TASK_NAME, .time_ns = 2, .pid = 5, .text = "make" });
	take(ledger, KMALLOC(.time_ns = 3, .pid = 5, .call_site = SITE_B, .ptr = PTR + 64));
	take(ledger, KMALLOC(.time_ns = 4, .pid = 6, .call_site = MODULE, .ptr = PTR + 128));
	CHECK_TEXT(account(ledger, SITE_A)->key.comm, "sh");
	CHECK_TEXT(account(ledger, SITE_B)->key.comm, "make");
	CHECK(!account(ledger, MODULE)->key.comm);
}

TEST(what_the_recorder_allocates_is_set_apart)
{
	static const int32_t pids[] = { 3, 67, 131 }; /* equal by 64 */
	struct kmt_ledger_options options = usual;

	options.recorder_pids = pids;
	options.nr_recorder_pids = 3;
	LEDGER(&options);
	for (int32_t pid = 3; pid <= 195; pid += 64)
		take(ledger, KMALLOC(.time_ns = 1, .pid = pid, .call_site = (uint64_t)pid,
				     .ptr = PTR + 64 * (uint64_t)pid));
	CHECK(account(ledger, 3)->key.is_recorder);
	CHECK(account(ledger, 67)->key.is_recorder);
	CHECK(account(ledger, 131)->key.is_recorder);
	CHECK(!account(ledger, 195)->key.is_recorder);
}

TEST(what_an_interrupt_allocates_is_not_the_recorders)
{
	static const int32_t pid = 100;
	struct kmt_ledger_options options = usual;

	options.recorder_pids = &pid;
	options.nr_recorder_pids = 1;
	LEDGER(&options);
	take(ledger, KMALLOC(.time_ns = 1, .pid = 100, .context = 0x10));
	CHECK(!account(ledger, SITE_A)->key.is_recorder);
}

TEST(younger_objects_are_left_out_of_accounts_and_not_of_totals)
{
	LEDGER(&usual);

	take(ledger, KMALLOC(.time_ns = 100));
	take(ledger, KMALLOC(.time_ns = 200, .ptr = PTR + 64, .bytes_alloc = 64, .bytes_req = 50));
	take(ledger, KMALLOC(.time_ns = 300, .ptr = PTR + 128));
	CHECK_EQ(kmt_ledger_finish(ledger, 1000, 800, 0), 0);
	CHECK_EQ(kmt_ledger_totals(ledger)->live, 3);
	CHECK_EQ(account(ledger, SITE_A)->live_objects, 2); /* just as old counts */
	CHECK_EQ(account(ledger, SITE_A)->live_requested_bytes, 64 + 50);
	CHECK_EQ(account(ledger, SITE_A)->oldest_ns, 100);
	CHECK_EQ(kmt_ledger_finish(ledger, 1000, 0, 0), 0); /* and again */
	CHECK_EQ(account(ledger, SITE_A)->live_objects, 3);
}

TEST(nothing_is_younger_than_the_last_event)
{
	LEDGER(&usual);

	take(ledger, KMALLOC(.time_ns = 1000));
	CHECK_EQ(kmt_ledger_finish(ledger, 500, 1, 0), 0); /* an end before the last event */
	CHECK_EQ(account(ledger, SITE_A)->live_objects, 0);
	CHECK_EQ(kmt_ledger_finish(ledger, 500, 0, 0), 0);
	CHECK_EQ(account(ledger, SITE_A)->live_objects, 1);
}

TEST(the_cache_may_become_known_by_the_first_free)
{
	LEDGER(&usual);
	char buf[KMT_CACHE_NAME_BYTES];
	static const char dentry[] = "dentry", inode[] = "inode";

	take(ledger, CACHE_ALLOC(.time_ns = 1));
	CHECK(!kmt_account_cache(account(ledger, SITE_A), PAGE, buf));
	take(ledger, CACHE_FREE(.time_ns = 2, .text = dentry));
	take(ledger, CACHE_ALLOC(.time_ns = 3));
	take(ledger, CACHE_FREE(.time_ns = 4, .text = inode));
	CHECK_TEXT(kmt_account_cache(account(ledger, SITE_A), PAGE, buf), "dentry");
}

TEST(caches_of_kmalloc_are_named_by_size)
{
	static const struct {
		uint64_t bytes;
		const char *name;
	} caches[] = {
		{ 8, "kmalloc-8" },	{ 96, "kmalloc-96" },	    { 192, "kmalloc-192" },
		{ 512, "kmalloc-512" }, { 1024, "kmalloc-1k" },	    { 2048, "kmalloc-2k" },
		{ 8192, "kmalloc-8k" }, { 16384, "kmalloc-large" },
	};
	char buf[KMT_CACHE_NAME_BYTES];

	for (size_t i = 0; i < sizeof(caches) / sizeof(caches[0]); i++) {
		struct kmt_account it = { .key = { .bytes_alloc = caches[i].bytes,
						   .is_kmalloc = true } };

		CHECK_TEXT(kmt_account_cache(&it, PAGE, buf), caches[i].name);
	}
}

TEST(four_gigabytes_and_more_do_not_wrap)
{
	LEDGER(&usual);

	take(ledger, KMALLOC(.time_ns = 1, .bytes_alloc = UINT64_C(8) << 30,
			     .bytes_req = UINT64_C(5) << 30));
	(void)finish(ledger);
	CHECK(account(ledger, SITE_A)->live_requested_bytes >= UINT32_MAX);
	CHECK(account(ledger, SITE_A)->key.bytes_alloc == UINT64_C(8) << 30);
}

/*
 * Random streams, against a model that never looks at two addresses at once: the events of each
 * address, in order, are read as a sentence of allocations and frees.
 */
#define NR_EVENTS 20000u
#define NR_SITES  8u

struct model {
	uint64_t allocs, failed, zero, frees, null_frees, paired, reused, unknown, live, uncertain;
	uint64_t site_allocs[NR_SITES], site_frees[NR_SITES], site_reused[NR_SITES],
		site_live[NR_SITES];
};

static struct kmt_event random_event(uint64_t *random, uint64_t time_ns)
{
	uint64_t dice = check_random(random) % 1000;
	struct kmt_event event = { .time_ns = time_ns,
				   .cpu = (uint16_t)(check_random(random) % 4),
				   .pid = 100 };

	event.ptr = PTR + check_random(random) % 500 * 64;
	if (dice < 3) {
		event.kind = KMT_EVENT_LOSS;
		event.lost = dice;
		event.ptr = 0;
		return event;
	}
	if (dice < 30)
		event.ptr = dice < 15 ? 0 : 16;
	if (dice % 2) {
		event.kind = (uint8_t)(KMT_EVENT_KFREE + check_random(random) % 2);
		return event;
	}
	event.kind = (uint8_t)(KMT_EVENT_KMALLOC + check_random(random) % 4);
	event.call_site = SITE_A + check_random(random) % NR_SITES;
	event.bytes_alloc = event.bytes_req = 64;
	return event;
}

static void read_address(const struct kmt_event *events, uint64_t ptr, uint64_t last_loss_ns,
			 struct model *model)
{
	const struct kmt_event *owner = NULL;

	for (const struct kmt_event *e = events; e < events + NR_EVENTS; e++) {
		if (e->kind == KMT_EVENT_LOSS || e->ptr != ptr)
			continue;
		if (kmt_event_is_alloc(e)) {
			if (owner) {
				model->reused++;
				model->site_reused[owner->call_site - SITE_A]++;
			}
			owner = e;
			model->site_allocs[e->call_site - SITE_A]++;
		} else if (owner) {
			model->paired++;
			model->site_frees[owner->call_site - SITE_A]++;
			owner = NULL;
		} else {
			model->unknown++;
		}
	}
	if (owner) {
		model->live++;
		model->uncertain += owner->time_ns < last_loss_ns;
		model->site_live[owner->call_site - SITE_A]++;
	}
}

static struct model read_model(const struct kmt_event *events)
{
	struct model model = { 0 };
	uint64_t last_loss_ns = 0;

	for (const struct kmt_event *e = events; e < events + NR_EVENTS; e++) {
		if (e->kind == KMT_EVENT_LOSS)
			last_loss_ns = e->time_ns;
		else if (kmt_event_is_alloc(e))
			model.allocs++, model.failed += e->ptr == 0, model.zero += e->ptr == 16;
		else
			model.frees++, model.null_frees += e->ptr == 0 || e->ptr == 16;
	}
	for (uint64_t i = 0; i < 500; i++)
		read_address(events, PTR + i * 64, last_loss_ns, &model);
	return model;
}

/* Per account, summed up by call site. */
static void check_sites(struct kmt_ledger *ledger, const struct model *model)
{
	struct model sum = { 0 };
	size_t nr;
	const struct kmt_account *accounts = kmt_ledger_accounts(ledger, &nr);

	for (size_t i = 0; i < nr; i++) {
		size_t site = accounts[i].key.call_site - SITE_A;

		sum.site_allocs[site] += accounts[i].allocs;
		sum.site_frees[site] += accounts[i].frees;
		sum.site_reused[site] += accounts[i].reused;
		sum.site_live[site] += accounts[i].live_objects;
		sum.uncertain += accounts[i].uncertain_objects;
		CHECK_EQ(accounts[i].allocs,
			 accounts[i].frees + accounts[i].reused + accounts[i].live_objects);
		CHECK_EQ(accounts[i].live_requested_bytes, 64 * accounts[i].live_objects);
	}
	CHECK_BYTES(sum.site_allocs, model->site_allocs, sizeof(sum.site_allocs));
	CHECK_BYTES(sum.site_frees, model->site_frees, sizeof(sum.site_frees));
	CHECK_BYTES(sum.site_reused, model->site_reused, sizeof(sum.site_reused));
	CHECK_BYTES(sum.site_live, model->site_live, sizeof(sum.site_live));
	CHECK_EQ(sum.uncertain, model->uncertain);
}

TEST(random_streams_are_booked_as_a_naive_model_reads_them)
{
	KMT_CLEANUP(kmt_freep) struct kmt_event *events = calloc(NR_EVENTS, sizeof(*events));

	CHECK(events);
	for (uint64_t seed = 1; seed <= 10; seed++) {
		LEDGER(&usual);
		const struct kmt_totals *totals;
		struct model model;
		uint64_t random = seed, time_ns = 0;

		for (size_t i = 0; i < NR_EVENTS; i++) {
			events[i] = random_event(&random, time_ns += check_random(&random) % 100);
			take(ledger, events[i]);
		}
		totals = finish(ledger);
		model = read_model(events);
		CHECK_EQ(totals->allocs, model.allocs);
		CHECK_EQ(totals->frees, model.frees);
		CHECK_EQ(totals->failed_allocs, model.failed);
		CHECK_EQ(totals->zero_size, model.zero);
		CHECK_EQ(totals->null_frees, model.null_frees);
		CHECK_EQ(totals->paired, model.paired);
		CHECK_EQ(totals->reused, model.reused);
		CHECK_EQ(totals->unknown_frees, model.unknown);
		CHECK_EQ(totals->live, model.live);
		CHECK_EQ(totals->uncertain, model.uncertain);
		CHECK_EQ(totals->frees,
			 totals->null_frees + totals->paired + totals->unknown_frees);
		check_sites(ledger, &model);
	}
}

TEST(every_allocation_is_accounted_for_whatever_the_rules)
{
	for (uint64_t seed = 1; seed <= 10; seed++) {
		struct kmt_ledger_options options = old_kernel;
		uint64_t random = seed, time_ns = 0, allocs = 0, frees = 0, reused = 0, live = 0;
		const struct kmt_account *accounts;
		const struct kmt_totals *t;
		size_t nr;

		options.by_pid = seed % 2;
		LEDGER(&options);
		for (size_t i = 0; i < NR_EVENTS; i++) {
			struct kmt_event event =
				random_event(&random, time_ns += check_random(&random) % 100);

			if (kmt_event_is_alloc(&event) && check_random(&random) % 2)
				event.bytes_alloc = event.bytes_req = LARGE;
			take(ledger, event);
		}
		t = finish(ledger);
		CHECK(t->replaced > 0 && t->late_frees > 0);
		CHECK_EQ(t->allocs - t->failed_allocs - t->zero_size - t->replaced,
			 t->paired + t->reused + t->live);
		CHECK_EQ(t->frees, t->null_frees + t->paired + t->unknown_frees);
		accounts = kmt_ledger_accounts(ledger, &nr);
		for (size_t i = 0; i < nr; i++) {
			allocs += accounts[i].allocs;
			frees += accounts[i].frees;
			reused += accounts[i].reused;
			live += accounts[i].live_objects;
		}
		CHECK_EQ(allocs, t->allocs - t->failed_allocs - t->zero_size - t->replaced);
		CHECK_EQ(frees, t->paired);
		CHECK_EQ(reused, t->reused);
		CHECK_EQ(live, t->live);
	}
}

static struct kmt_result *three_rows(void)
{
	struct kmt_result *result;

	CHECK_EQ(kmt_result_new(&result, NULL), 0);
	result->rows = calloc(3, sizeof(*result->rows));
	CHECK(result->rows);
	result->nr_rows = 3;
	result->rows[0] = (struct kmt_row){
		.call_site = 1, .live_bytes = 10, .live_objects = 9, .allocs = 5, .oldest_age_ns = 1
	};
	result->rows[1] = (struct kmt_row){
		.call_site = 2, .live_bytes = 30, .live_objects = 1, .allocs = 7, .oldest_age_ns = 2
	};
	result->rows[2] = (struct kmt_row){
		.call_site = 3, .live_bytes = 20, .live_objects = 2, .allocs = 6, .oldest_age_ns = 3
	};
	return result;
}

TEST(rows_are_sorted_by_what_was_asked_for)
{
	static const uint64_t order[][3] = {
		[KMT_SORT_BYTES] = { 2, 3, 1 },
		[KMT_SORT_OBJECTS] = { 1, 3, 2 },
		[KMT_SORT_ALLOCS] = { 2, 3, 1 },
		[KMT_SORT_AGE] = { 3, 2, 1 },
	};
	KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = three_rows();

	for (enum kmt_sort sort = KMT_SORT_BYTES; sort <= KMT_SORT_AGE; sort++) {
		kmt_result_sort(result, sort);
		for (size_t i = 0; i < 3; i++)
			CHECK_EQ(result->rows[i].call_site, order[sort][i]);
	}
}

static void check_order(struct kmt_result *result, uint64_t a, uint64_t b, uint64_t c)
{
	kmt_result_sort(result, KMT_SORT_SUSPICION);
	CHECK_EQ(result->rows[0].call_site, a);
	CHECK_EQ(result->rows[1].call_site, b);
	CHECK_EQ(result->rows[2].call_site, c);
}

TEST(suspects_go_before_what_is_larger)
{
	KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = three_rows();
	struct kmt_row *rows = result->rows; /* sites 1, 2, 3 with 10, 30 and 20 bytes */

	rows[0].judgement = (struct kmt_judgement){ .class = KMT_CLASS_UNTRACED, .confidence = 1 };
	rows[1].judgement = (struct kmt_judgement){ .class = KMT_CLASS_NONE };
	rows[2].judgement = (struct kmt_judgement){ .class = KMT_CLASS_CACHE, .confidence = 0.5 };
	check_order(result, 2, 3, 1); /* none is suspect: by bytes, whatever keeps it */
	rows[2].judgement = (struct kmt_judgement){ .class = KMT_CLASS_GROWTH, .confidence = 0.5 };
	check_order(result, 1, 2, 3);
	rows[1].judgement = (struct kmt_judgement){ .class = KMT_CLASS_LEAK, .confidence = 0.71 };
	rows[2].judgement = (struct kmt_judgement){ .class = KMT_CLASS_LEAK, .confidence = 0.79 };
	check_order(result, 2, 3, 1); /* hardly more certain: by bytes */
	rows[1].judgement.confidence = 0.91;
	check_order(result, 3, 2, 1);
	result->verdict.call_site = 1;
	check_order(result, 1, 3, 2);
	rows[0].is_suppressed = true;
	check_order(result, 3, 2, 1);
}

TEST(equal_rows_have_one_order)
{
	KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = three_rows();

	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < 3; i++)
			result->rows[i] = (struct kmt_row){ .call_site = pass ? 3 - i : 1 + i };
		kmt_result_sort(result, KMT_SORT_BYTES);
		for (size_t i = 0; i < 3; i++)
			CHECK_EQ(result->rows[i].call_site, i + 1);
	}
}

TEST(a_result_keeps_its_texts_and_notes)
{
	KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = NULL;
	char text[] = "volatile";
	const char *kept, *none = text;

	CHECK_EQ(kmt_result_new(&result, NULL), 0);
	CHECK_EQ(kmt_result_keep(result, text, &kept), 0);
	CHECK_EQ(kmt_result_keep(result, NULL, &none), 0);
	text[0] = 'x';
	CHECK_TEXT(kept, "volatile");
	CHECK(!none);
	for (int i = 0; i < 100; i++)
		CHECK_EQ(kmt_result_note(result, "note %d", i), 0);
	CHECK_EQ(result->nr_notes, 100);
	CHECK_TEXT(result->notes[99], "note 99");
}

TEST(every_kind_of_event_has_a_name_and_no_other)
{
	for (int kind = 1; kind < KMT_EVENT_KINDS; kind++)
		CHECK(kmt_event_kind_name(kind));
	CHECK(!kmt_event_kind_name(0));
	CHECK(!kmt_event_kind_name(-1));
	CHECK(!kmt_event_kind_name(KMT_EVENT_KINDS));
	CHECK_TEXT(kmt_event_kind_name(KMT_EVENT_CACHE_FREE), "kmem_cache_free");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		ROW(random_addresses_live_as_in_a_naive_set),
		ROW(addresses_a_page_apart_live_as_in_a_naive_set),
		ROW(addresses_with_the_same_lower_bits_live_as_in_a_naive_set),
		ROW(descending_addresses_live_as_in_a_naive_set),
		ROW(dense_addresses_live_as_in_a_naive_set),
		ROW(addresses_that_all_collide_live_as_in_a_naive_set),
		ROW(a_walk_visits_each_object_once),
		ROW(objects_that_belong_in_one_place_are_found_all_the_same),
		ROW(a_million_random_objects_take_at_most_64_bytes_each),
		ROW(a_million_objects_a_page_apart_take_at_most_64_bytes_each),
		ROW(what_is_freed_makes_room_for_what_comes),
		ROW(accounts_are_numbered_in_order_and_keep_their_number),
		ROW(every_part_of_a_key_tells_accounts_apart),
		ROW(tasks_have_the_last_name_that_they_were_given),
		ROW(tasks_are_found_however_many_there_are),
		ROW(a_free_closes_what_was_allocated),
		ROW(an_object_is_paired_whichever_way_it_is_freed),
		ROW(an_object_may_be_freed_on_another_cpu),
		ROW(frees_of_null_and_of_zero_size_free_nothing),
		ROW(failed_allocations_own_nothing),
		ROW(allocations_of_no_bytes_own_nothing),
		ROW(an_address_handed_out_again_closes_its_old_object_as_reused),
		ROW(a_free_of_what_was_never_seen_is_unknown),
		ROW(each_event_is_counted_by_its_kind),
		ROW(what_kfree_rcu_was_given_is_freed_at_once),
		ROW(the_free_that_kfree_rcu_leads_to_counts_for_nothing),
		ROW(an_address_that_kfree_rcu_was_given_is_not_reused),
		ROW(kfree_rcu_may_be_passed_on),
		ROW(a_bulk_free_is_a_free),
		ROW(probed_frees_of_unknown_objects_are_counted_apart),
		ROW(the_books_balance_with_free_probes),
		ROW(unseen_frees_make_older_objects_uncertain),
		ROW(the_second_event_of_a_large_kmalloc_replaces_the_first),
		ROW(a_second_event_from_another_cpu_is_a_reuse),
		ROW(a_second_event_much_later_is_a_reuse),
		ROW(a_second_event_of_another_size_is_a_reuse),
		ROW(a_second_event_that_asked_for_another_size_is_a_reuse),
		ROW(a_second_event_of_the_same_call_site_is_a_reuse),
		ROW(a_second_event_of_a_cache_is_a_reuse),
		ROW(a_small_kmalloc_is_never_traced_twice),
		ROW(a_free_closes_the_replacement_and_not_the_replaced),
		ROW(a_late_free_belongs_to_the_object_before),
		ROW(a_late_free_of_an_old_object_is_a_death_by_free),
		ROW(only_one_free_can_be_late),
		ROW(kernels_that_trace_before_the_free_have_no_late_frees),
		ROW(a_free_on_the_cpu_that_allocated_is_not_late),
		ROW(a_free_more_than_a_millisecond_later_is_not_late),
		ROW(a_kfree_is_never_late),
		ROW(without_a_reuse_no_free_is_late),
		ROW(what_was_allocated_before_the_end_of_a_loss_is_uncertain),
		ROW(without_a_loss_nothing_is_uncertain),
		ROW(a_module_that_comes_may_own_the_addresses_of_another),
		ROW(the_kernels_own_call_sites_outlast_modules),
		ROW(objects_are_told_apart_by_task_only_if_asked),
		ROW(an_interrupt_is_not_the_task_that_it_interrupted),
		ROW(other_flags_of_the_entry_do_not_make_an_interrupt),
		ROW(tasks_go_by_the_name_they_have_at_the_time),
		ROW(what_the_recorder_allocates_is_set_apart),
		ROW(what_an_interrupt_allocates_is_not_the_recorders),
		ROW(younger_objects_are_left_out_of_accounts_and_not_of_totals),
		ROW(nothing_is_younger_than_the_last_event),
		ROW(the_cache_may_become_known_by_the_first_free),
		ROW(caches_of_kmalloc_are_named_by_size),
		ROW(four_gigabytes_and_more_do_not_wrap),
		ROW(random_streams_are_booked_as_a_naive_model_reads_them),
		ROW(every_allocation_is_accounted_for_whatever_the_rules),
		ROW(rows_are_sorted_by_what_was_asked_for),
		ROW(suspects_go_before_what_is_larger),
		ROW(equal_rows_have_one_order),
		ROW(a_result_keeps_its_texts_and_notes),
		ROW(every_kind_of_event_has_a_name_and_no_other),
	};

	return cmocka_run_group_tests_name("core", tests, NULL, NULL);
}
