// SPDX-License-Identifier: GPL-2.0-only
/* How much may be live: said exactly, and in time. */
#include <errno.h>

#include "ledger.h"

#define PAIR_ALLOC(...)                                                                     \
	(struct kmt_event)                                                                  \
	{                                                                                   \
		.kind = KMT_EVENT_PAIR_ALLOC, .space = KMT_SPACE_PAIR, .call_site = SITE_A, \
		.ptr = PTR, .text = "pair", .pid = 100, __VA_ARGS__                         \
	}

/* Makes event number @i. */
typedef struct kmt_event maker(uint64_t i);

static struct kmt_event object(uint64_t i)
{
	return KMALLOC(.time_ns = 1000 + i, .ptr = PTR + 64 * i, .bytes_req = 64,
		       .bytes_alloc = 64);
}

/* One comes, then the one before it goes. */
static struct kmt_event object_that_is_freed(uint64_t i)
{
	struct kmt_event event = object(i / 2);

	if (i % 2) {
		event.kind = KMT_EVENT_KFREE;
		event.ptr -= 64;
	}
	event.time_ns = 1000 + i;
	return event;
}

static struct kmt_event percpu_object(uint64_t i)
{
	struct kmt_event event = object(i);

	event.kind = KMT_EVENT_PERCPU_ALLOC;
	event.space = KMT_SPACE_PERCPU;
	return event;
}

/* Each in a stretch of its own. */
static struct kmt_event page(uint64_t i)
{
	return (struct kmt_event){ .kind = KMT_EVENT_PAGE_ALLOC,
				   .space = KMT_SPACE_PAGE,
				   .time_ns = 1000 + i,
				   .ptr = 64 * i + KMT_PFN_BIAS,
				   .bytes_alloc = 1,
				   .stack = 4 };
}

static struct kmt_event reference(uint64_t i)
{
	return PAIR_ALLOC(.time_ns = 1000 + i, .ptr = PTR + 64 * i);
}

static struct kmt_event reference_of_one(uint64_t i)
{
	return PAIR_ALLOC(.time_ns = 1000 + i);
}

static struct kmt_event task(uint64_t i)
{
	return (struct kmt_event){ .kind = KMT_EVENT_TASK_NAME,
				   .time_ns = 1000 + i,
				   .pid = (int32_t)i + 1,
				   .text = "task" };
}

static struct kmt_ledger *ledger_of(uint64_t objects_max, uint64_t seed)
{
	struct kmt_ledger_options options = usual;

	options.objects_max = objects_max;
	options.hash_seed = seed;
	options.counted_pairs = 1;
	options.by_comm = true;
	return new_ledger(&options);
}

/* @nr events, the first @from. Return: 0 or what the first of them failed with, or the question at
 * the end. */
static int take_all(struct kmt_ledger *ledger, maker *make, uint64_t from, uint64_t nr)
{
	int r = 0;

	for (uint64_t i = from; r == 0 && i < from + nr; i++) {
		struct kmt_event event = make(i);

		r = kmt_ledger_take(ledger, &event);
	}
	return r == 0 ? kmt_ledger_check_objects(ledger) : r;
}

/* Exactly @nr events make @most of what may be: whoever hashes, and however large tables are then.
 */
static void check_most(maker *make, uint64_t nr, uint64_t most)
{
	for (uint64_t seed = 1; seed <= 5; seed++) {
		KMT_CLEANUP(kmt_ledger_freep) struct kmt_ledger *enough = ledger_of(most, seed);
		KMT_CLEANUP(kmt_ledger_freep) struct kmt_ledger *few = ledger_of(most - 1, seed);

		CHECK_EQ(take_all(enough, make, 0, nr), 0);
		CHECK_EQ(kmt_ledger_check_objects(enough), 0);
		CHECK_EQ(take_all(few, make, 0, nr), -EOVERFLOW);
	}
}

TEST(as_much_may_be_live_as_there_may_and_no_more)
{
	for (uint64_t nr = 2; nr < 20000; nr = nr * 3 + 1) {
		check_most(object, nr, nr);
		check_most(percpu_object, nr, nr);
		check_most(page, nr, 2 * nr);
		check_most(reference, nr, 2 * nr);
		check_most(reference_of_one, nr, nr + 1);
		check_most(task, nr, nr);
	}
}

TEST(what_was_freed_counts_no_more)
{
	check_most(object_that_is_freed, 20001, 2);
}

/* Its worst counts, not what is left. */
TEST(kinds_are_added_up)
{
	for (uint64_t seed = 1; seed <= 5; seed++) {
		KMT_CLEANUP(kmt_ledger_freep) struct kmt_ledger *ledger = ledger_of(2000, seed);

		CHECK_EQ(take_all(ledger, object, 0, 1000), 0);
		CHECK_EQ(take_all(ledger, percpu_object, 1000, 500), 0);
		CHECK_EQ(take_all(ledger, task, 1500, 499), 0);
		CHECK_EQ(take_all(ledger, page, 2000, 1), -EOVERFLOW);
	}
}

/* Long before the end is asked for. */
TEST(tables_do_not_grow_far_beyond)
{
	maker *const makers[] = { object, percpu_object, page, reference, reference_of_one, task };

	for (size_t i = 0; i < sizeof(makers) / sizeof(makers[0]); i++) {
		KMT_CLEANUP(kmt_ledger_freep) struct kmt_ledger *ledger = ledger_of(10000, 1);
		uint64_t nr = 0;
		int r = 0;

		while (r == 0 && nr < 1000000) {
			struct kmt_event event = makers[i](nr++);

			r = kmt_ledger_take(ledger, &event);
		}
		CHECK_EQ(r, -EOVERFLOW);
		CHECK(nr <= 20000);
	}
}

TEST(nobody_asks_without_a_limit)
{
	KMT_CLEANUP(kmt_ledger_freep) struct kmt_ledger *ledger = ledger_of(0, 1);

	CHECK_EQ(take_all(ledger, object, 0, 20000), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(as_much_may_be_live_as_there_may_and_no_more),
		ROW(what_was_freed_counts_no_more),
		ROW(kinds_are_added_up),
		ROW(tables_do_not_grow_far_beyond),
		ROW(nobody_asks_without_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
