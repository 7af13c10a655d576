// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdbool.h>

#include "kmemtape/intervals.h"

#include "check.h"
#include "ledger.h"

/* A ledger with a table: of all, or of the accounts that wants() names at the end. */
struct table {
	struct kmt_intervals *intervals;
	struct kmt_ledger *ledger;
};

static bool watch_all(void *context, const struct kmt_account *account)
{
	return true;
}

static int pass_alloc(void *context, const struct kmt_account *account,
		      const struct kmt_event *event, const char *comm)
{
	struct table *table = context;

	return kmt_intervals_alloc(table->intervals, kmt_ledger_start_ns(table->ledger), account,
				   event);
}

static int pass_free(void *context, const struct kmt_account *account,
		     const struct kmt_object *object, enum kmt_end how,
		     const struct kmt_event *event, const char *comm)
{
	struct table *table = context;

	return kmt_intervals_end(table->intervals, kmt_ledger_start_ns(table->ledger), account,
				 object, how, event);
}

static int pass_end(void *context, const struct kmt_account *account, uint64_t ptr,
		    const struct kmt_object *object)
{
	return 0;
}

static void open_table(struct table *table, uint64_t width_ns, bool is_split, uint64_t start_ns)
{
	struct kmt_ledger_options options = usual;

	options.has_late_frees = true;
	options.start_ns = start_ns;
	options.watcher = (struct kmt_watcher){ .context = table,
						.is_watched = watch_all,
						.on_alloc = pass_alloc,
						.on_free = pass_free,
						.on_end = pass_end };
	CHECK_EQ(kmt_intervals_new(width_ns, is_split, &table->intervals, NULL), 0);
	table->ledger = new_ledger(&options);
}

static void close_table(struct table *table)
{
	table->ledger = kmt_ledger_free(table->ledger);
	table->intervals = kmt_intervals_free(table->intervals);
}

#define TABLE(width_ns, is_split, start_ns)                  \
	KMT_CLEANUP(close_table) struct table table = { 0 }; \
	struct kmt_ledger *ledger;                           \
	open_table(&table, width_ns, is_split, start_ns);    \
	ledger = table.ledger

static size_t fill(struct table *table, uint64_t end_ns, struct kmt_interval **ret_lines)
{
	size_t nr = 0;

	CHECK_EQ(kmt_intervals_fill(table->intervals, kmt_ledger_start_ns(table->ledger), end_ns,
				    NULL, NULL, ret_lines, &nr),
		 0);
	return nr;
}

#define LINES(end_ns)                                             \
	KMT_CLEANUP(kmt_freep) struct kmt_interval *lines = NULL; \
	size_t nr = fill(&table, end_ns, &lines)

static void check_line(const struct kmt_interval *line, uint64_t allocs, uint64_t frees,
		       uint64_t reused, uint64_t live)
{
	CHECK_EQ(line->allocs, allocs);
	CHECK_EQ(line->frees, frees);
	CHECK_EQ(line->reused, reused);
	CHECK_EQ(line->live_objects, live);
}

TEST(each_event_is_in_the_interval_of_its_time)
{
	TABLE(100, false, 1000);
	take(ledger, KMALLOC(.time_ns = 1000));
	take(ledger, KMALLOC(.time_ns = 1099, .ptr = PTR + 64));
	take(ledger, KFREE(.time_ns = 1100)); /* the end of one is the beginning of the next */
	take(ledger, KMALLOC(.time_ns = 1250, .ptr = PTR + 64));
	LINES(1330);
	CHECK_EQ(nr, 4);
	check_line(&lines[0], 2, 0, 0, 2);
	check_line(&lines[1], 0, 1, 0, 1);
	check_line(&lines[2], 1, 0, 1, 1);
	check_line(&lines[3], 0, 0, 0, 1);
	CHECK_EQ(lines[0].live_bytes, 128);
	CHECK_EQ(lines[3].live_bytes, 64);
	CHECK_EQ(lines[3].from_ns, 1300);
	CHECK_EQ(lines[3].to_ns, 1330);
}

TEST(what_happens_just_at_the_end_is_in_the_last_interval)
{
	TABLE(100, false, 1000);
	take(ledger, KMALLOC(.time_ns = 1200));
	LINES(1200);
	CHECK_EQ(nr, 2);
	check_line(&lines[1], 1, 0, 0, 1);
}

TEST(an_interval_longer_than_the_tape_is_one_line)
{
	TABLE(UINT64_MAX, false, 1000);
	take(ledger, KMALLOC(.time_ns = 1200));
	take(ledger, KFREE(.time_ns = UINT64_MAX));
	LINES(UINT64_MAX);
	CHECK_EQ(nr, 1);
	check_line(&lines[0], 1, 1, 0, 0);
	CHECK(lines[0].to_ns == UINT64_MAX);
}

TEST(a_tape_of_one_instant_has_one_line_and_one_of_nothing_has_none)
{
	{
		TABLE(100, false, 0);
		take(ledger, KMALLOC(.time_ns = 1200));
		LINES(1200);
		CHECK_EQ(nr, 1);
		check_line(&lines[0], 1, 0, 0, 1);
	}
	TABLE(100, false, 0);
	(void)ledger;
	LINES(0);
	CHECK_EQ(nr, 0);
}

TEST(a_tape_without_events_has_empty_lines)
{
	KMT_CLEANUP(kmt_intervals_freep) struct kmt_intervals *intervals = NULL;
	KMT_CLEANUP(kmt_freep) struct kmt_interval *lines = NULL;
	size_t nr;

	CHECK_EQ(kmt_intervals_new(100, false, &intervals, NULL), 0);
	CHECK_EQ(kmt_intervals_fill(intervals, 1000, 1250, NULL, NULL, &lines, &nr), 0);
	CHECK_EQ(nr, 3);
	for (size_t i = 0; i < nr; i++)
		check_line(&lines[i], 0, 0, 0, 0);
}

TEST(what_never_was_is_taken_back_where_it_was_booked)
{
	TABLE(100, true, 1000);
	take(ledger, KMALLOC(.time_ns = 1050, .ptr = PTR + LARGE, .bytes_alloc = LARGE,
			     .bytes_req = LARGE));
	take(ledger, KMALLOC(.time_ns = 1099, .bytes_alloc = LARGE, .bytes_req = LARGE));
	take(ledger, KMALLOC(.time_ns = 1101, .call_site = SITE_B, .bytes_alloc = LARGE,
			     .bytes_req = LARGE));
	LINES(1200);
	CHECK_EQ(nr, 2);
	check_line(&lines[0], 1, 0, 0, 1);
	check_line(&lines[1], 1, 0, 0, 2);
	CHECK_EQ(lines[0].live_bytes, LARGE);
}

TEST(a_late_free_turns_its_reuse_into_a_free_where_that_was)
{
	TABLE(100, false, 1000);
	take(ledger, CACHE_ALLOC(.time_ns = 1010));
	take(ledger, CACHE_ALLOC(.time_ns = 1099, .cpu = 1)); /* reused */
	take(ledger, CACHE_FREE(.time_ns = 1101));
	LINES(1200);
	CHECK_EQ(nr, 2);
	check_line(&lines[0], 2, 1, 0, 1);
	check_line(&lines[1], 0, 0, 0, 1);
}

static bool is_site_b(void *context, uint32_t index)
{
	size_t nr;
	const struct kmt_account *accounts = kmt_ledger_accounts(context, &nr);

	return index < nr && accounts[index].key.call_site == SITE_B;
}

TEST(only_what_is_wanted_in_the_end_is_in_the_table)
{
	KMT_CLEANUP(kmt_freep) struct kmt_interval *lines = NULL;
	TABLE(100, true, 1000);
	size_t nr;

	take(ledger, KMALLOC(.time_ns = 1000));
	take(ledger, KMALLOC(.time_ns = 1001, .ptr = PTR + 64, .call_site = SITE_B));
	take(ledger, KMALLOC(.time_ns = 1102, .call_site = SITE_B)); /* reuse of another's */
	take(ledger, KFREE(.time_ns = 1103, .ptr = PTR + 64));
	CHECK_EQ(kmt_intervals_fill(table.intervals, 1000, 1200, is_site_b, ledger, &lines, &nr),
		 0);
	CHECK_EQ(nr, 2);
	check_line(&lines[0], 1, 0, 0, 1);
	check_line(&lines[1], 1, 1, 0, 1);
}

TEST(what_was_dropped_is_not_in_the_table)
{
	TABLE(100, true, 1000);
	take(ledger, KMALLOC(.time_ns = 1000));
	take(ledger, KMALLOC(.time_ns = 1001, .ptr = PTR + 64, .call_site = SITE_B));
	kmt_intervals_drop(table.intervals, account(ledger, SITE_A));
	take(ledger, KFREE(.time_ns = 1002));
	take(ledger, KMALLOC(.time_ns = 1102));
	LINES(1200);
	CHECK_EQ(nr, 2);
	check_line(&lines[0], 1, 0, 0, 1);
	check_line(&lines[1], 0, 0, 0, 1);
}

static void lose(struct table *table, uint64_t since_ns, uint64_t time_ns, uint64_t lost)
{
	struct kmt_event event = {
		.kind = KMT_EVENT_LOSS, .since_ns = since_ns, .time_ns = time_ns, .lost = lost
	};

	CHECK_EQ(kmt_intervals_loss(table->intervals, 1000, &event), 0);
}

TEST(a_loss_is_in_all_intervals_that_it_touches)
{
	TABLE(100, false, 1000);
	take(ledger, KMALLOC(.time_ns = 1000));
	lose(&table, 1150, 1320, 12);
	lose(&table, 1310, 1330, 0);
	lose(&table, 0, 1020, 5);    /* nobody knows since when */
	lose(&table, 1450, 1500, 7); /* just at the end */
	LINES(1500);
	CHECK_EQ(nr, 5);
	CHECK_EQ(lines[0].losses, 1);
	CHECK_EQ(lines[0].lost, 5);
	CHECK_EQ(lines[1].losses, 1);
	CHECK_EQ(lines[1].lost, 0);
	CHECK_EQ(lines[2].losses, 1);
	CHECK_EQ(lines[3].losses, 2);
	CHECK_EQ(lines[3].lost, 12);
	CHECK_EQ(lines[4].losses, 1);
	CHECK_EQ(lines[4].lost, 7);
}

TEST(too_many_intervals_are_refused)
{
	struct kmt_interval *lines;
	size_t nr;
	TABLE(1, false, 1000);

	take(ledger, KMALLOC(.time_ns = 1000));
	CHECK_EQ(kmt_intervals_fill(table.intervals, 1000, 1000 + KMT_INTERVALS_MAX + 1, NULL, NULL,
				    &lines, &nr),
		 -E2BIG);
	/* Said at the end, whenever it was noticed. */
	take(ledger, KFREE(.time_ns = 1000 + KMT_INTERVALS_MAX));
	CHECK_EQ(kmt_intervals_fill(table.intervals, 1000, 1001, NULL, NULL, &lines, &nr), -E2BIG);
	CHECK(kmt_intervals_count(1, 0, UINT64_MAX) == UINT64_MAX);
	CHECK_EQ(kmt_intervals_count(UINT64_MAX, 0, UINT64_MAX), 1);
	CHECK_EQ(kmt_intervals_count(10, 100, 50), 0);
}

/* Any events at all: the lines add up to what the ledger counts, and live is never negative. */
static void check_sums(struct table *table, uint64_t end_ns)
{
	KMT_CLEANUP(kmt_freep) struct kmt_interval *lines = NULL;
	size_t nr = fill(table, end_ns, &lines);
	const struct kmt_totals *totals = finish(table->ledger);
	uint64_t allocs = 0, frees = 0, reused = 0;

	for (size_t i = 0; i < nr; i++) {
		allocs += lines[i].allocs;
		frees += lines[i].frees;
		reused += lines[i].reused;
		CHECK(lines[i].live_objects == allocs - frees - reused);
		CHECK(lines[i].live_objects <= allocs && lines[i].allocs < UINT64_MAX / 2 &&
		      lines[i].frees < UINT64_MAX / 2 && lines[i].reused < UINT64_MAX / 2);
	}
	CHECK_EQ(allocs, totals->allocs - totals->replaced);
	CHECK_EQ(frees, totals->paired);
	CHECK_EQ(reused, totals->reused);
	CHECK_EQ(lines[nr - 1].live_objects, totals->live);
}

TEST(lines_add_up_to_the_totals_whatever_happens)
{
	for (uint64_t seed = 1; seed <= 20; seed++) {
		uint64_t random = seed, time_ns = 1000,
			 width_ns = 1 + check_random(&random) % 50000;
		TABLE(width_ns, seed & 1, 1000);

		for (int i = 0; i < 3000; i++) {
			uint64_t draw = check_random(&random);
			struct kmt_event event = {
				.kind = draw & 1 ? KMT_EVENT_CACHE_ALLOC : KMT_EVENT_CACHE_FREE,
				.call_site = draw & 2 ? SITE_A : SITE_B,
				.ptr = PTR + (draw >> 8) % 8 * LARGE,
				.cpu = draw >> 2 & 1,
			};

			if (draw & 8)
				event.kind = draw & 1 ? KMT_EVENT_KMALLOC : KMT_EVENT_KFREE;
			if (kmt_event_is_alloc(&event))
				event.bytes_alloc = event.bytes_req = draw & 16 ? LARGE : 64;
			time_ns += draw >> 20 & 0x3fff;
			event.time_ns = time_ns;
			take(ledger, event);
		}
		if ((time_ns - 1000) / width_ns < KMT_INTERVALS_MAX)
			check_sums(&table, time_ns);
		CHECK(finish(ledger)->late_frees > 0 && finish(ledger)->replaced > 0);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		ROW(each_event_is_in_the_interval_of_its_time),
		ROW(what_happens_just_at_the_end_is_in_the_last_interval),
		ROW(an_interval_longer_than_the_tape_is_one_line),
		ROW(a_tape_of_one_instant_has_one_line_and_one_of_nothing_has_none),
		ROW(a_tape_without_events_has_empty_lines),
		ROW(what_never_was_is_taken_back_where_it_was_booked),
		ROW(a_late_free_turns_its_reuse_into_a_free_where_that_was),
		ROW(only_what_is_wanted_in_the_end_is_in_the_table),
		ROW(what_was_dropped_is_not_in_the_table),
		ROW(a_loss_is_in_all_intervals_that_it_touches),
		ROW(too_many_intervals_are_refused),
		ROW(lines_add_up_to_the_totals_whatever_happens),
	};

	return cmocka_run_group_tests_name("intervals", tests, NULL, NULL);
}
