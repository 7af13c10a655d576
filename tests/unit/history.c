// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "kmemtape/track.h"

#include "check.h"
#include "heap.h"
#include "ledger.h"

#define MS     UINT64_C(1000000)
#define SECOND (1000 * MS)
#define FIRST  (UINT64_C(1) << 20) /* width of a bucket to begin with */
#define START  UINT64_C(1000000000)

static struct kmt_ledger_options from(uint64_t start_ns)
{
	struct kmt_ledger_options options = usual;

	options.start_ns = start_ns;
	return options;
}

static void finish_at(struct kmt_ledger *ledger, uint64_t end_ns)
{
	CHECK_EQ(kmt_ledger_finish(ledger, end_ns, 0, 0), 0);
}

static const struct kmt_counts *track_a(struct kmt_ledger *ledger)
{
	static struct kmt_counts counts;

	CHECK(account(ledger, SITE_A)->track);
	kmt_track_read(account(ledger, SITE_A)->track, &counts);
	return &counts;
}

static uint64_t sum(const uint32_t *counts, size_t nr)
{
	uint64_t all = 0;

	for (size_t i = 0; i < nr; i++)
		all += counts[i];
	return all;
}

static uint64_t end_of(const struct kmt_grid *grid, size_t bucket)
{
	return grid->start_ns + (bucket + 1) * grid->width_ns;
}

TEST(what_is_live_is_noted_at_the_end_of_each_bucket)
{
	struct kmt_ledger_options options = from(START);
	LEDGER(&options);

	take(ledger, KMALLOC(.time_ns = START));
	take(ledger, KMALLOC(.time_ns = START + FIRST + 1, .ptr = PTR + 64));
	take(ledger, KMALLOC(.time_ns = START + 2 * FIRST - 1, .ptr = PTR + 128));
	take(ledger, KFREE(.time_ns = START + 2 * FIRST)); /* in the third */
	finish_at(ledger, START + 2 * FIRST + 1);
	CHECK_EQ(kmt_ledger_grid(ledger)->start_ns, START);
	CHECK_EQ(kmt_ledger_grid(ledger)->width_ns, FIRST);
	CHECK_EQ(kmt_ledger_grid(ledger)->nr, 3);
	CHECK_EQ(track_a(ledger)->live[0], 1);
	CHECK_EQ(track_a(ledger)->live[1], 3);
	CHECK_EQ(track_a(ledger)->live[2], 2);
	CHECK_EQ(track_a(ledger)->live[3], 0);
}

TEST(history_starts_at_the_first_event_if_nobody_knows_better)
{
	for (int is_later = 0; is_later < 2; is_later++) {
		struct kmt_ledger_options options = from(is_later ? START + 1 : 0);
		LEDGER(&options);

		CHECK_EQ(kmt_ledger_start_ns(ledger), 0);
		take(ledger, KMALLOC(.time_ns = START));
		CHECK_EQ(kmt_ledger_start_ns(ledger), START);
		finish_at(ledger, START + 1);
		CHECK_EQ(kmt_ledger_grid(ledger)->start_ns, START);
	}
}

TEST(a_tape_of_two_events_has_a_history)
{
	LEDGER(&usual);

	take(ledger, KMALLOC(.time_ns = START));
	take(ledger, KMALLOC(.time_ns = START + 5, .ptr = PTR + 64));
	finish_at(ledger, START + 5);
	CHECK_EQ(kmt_ledger_grid(ledger)->start_ns, START);
	CHECK_EQ(kmt_ledger_grid(ledger)->nr, 1);
	CHECK_EQ(track_a(ledger)->live[0], 2);
	CHECK_EQ(track_a(ledger)->born[0], 2);
	CHECK_EQ(track_a(ledger)->live_ages[0], 2);
}

TEST(a_tape_of_one_moment_has_one_bucket)
{
	LEDGER(&usual);

	take(ledger, KMALLOC(.time_ns = START));
	finish_at(ledger, 0);
	CHECK_EQ(kmt_ledger_grid(ledger)->nr, 1);
	CHECK_EQ(track_a(ledger)->live[0], 1);
}

/* @nr allocations, each freed at once, evenly over @from_ns..@to_ns. */
static void take_load(struct kmt_ledger *ledger, uint64_t from_ns, uint64_t to_ns, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		uint64_t time_ns = from_ns + (to_ns - from_ns) / nr * i;

		take(ledger, KMALLOC(.time_ns = time_ns));
		take(ledger, KFREE(.time_ns = time_ns + 1));
	}
}

static uint64_t busy_until(const struct kmt_ledger *ledger, const uint64_t *born)
{
	static const uint64_t none[KMT_HISTORY_POINTS];

	return kmt_grid_busy_until(kmt_ledger_grid(ledger), born ? born : none,
				   START + 100 * SECOND);
}

TEST(a_load_that_ends_is_seen_to_end)
{
	struct kmt_ledger_options options = from(START);
	uint64_t until_ns;
	LEDGER(&options);

	take_load(ledger, START, START + 60 * SECOND, 3000);
	take_load(ledger, START + 60 * SECOND, START + 100 * SECOND, 40); /* 2 % of that */
	finish_at(ledger, START + 100 * SECOND);
	until_ns = busy_until(ledger, NULL);
	CHECK(until_ns >= START + 60 * SECOND);
	CHECK(until_ns < START + 60 * SECOND + 2 * kmt_ledger_grid(ledger)->width_ns);
}

TEST(a_load_that_goes_on_or_was_a_start_up_has_no_end)
{
	struct kmt_ledger_options options = from(START);
	LEDGER(&options);

	take_load(ledger, START, START + 30 * SECOND, 3000);
	finish_at(ledger, START + 100 * SECOND);
	CHECK_EQ(busy_until(ledger, NULL), 0);
	take_load(ledger, START + 100 * SECOND, START + 130 * SECOND, 3000);
	finish_at(ledger, START + 130 * SECOND);
	CHECK_EQ(kmt_grid_busy_until(kmt_ledger_grid(ledger), (uint64_t[KMT_HISTORY_POINTS]){ 0 },
				     START + 130 * SECOND),
		 0);
}

TEST(what_a_site_keeps_is_not_the_load_of_others)
{
	struct kmt_ledger_options options = from(START);
	LEDGER(&options);

	for (unsigned int i = 0; i < 3000; i++)
		take(ledger, KMALLOC(.time_ns = START + i * 20 * MS, .ptr = PTR + i * 64));
	finish_at(ledger, START + 100 * SECOND);
	CHECK(busy_until(ledger, NULL) != 0);
	{
		uint64_t born[KMT_HISTORY_POINTS];

		for (size_t i = 0; i < KMT_HISTORY_POINTS; i++)
			born[i] = track_a(ledger)->born[i];
		CHECK_EQ(busy_until(ledger, born), 0);
	}
}

TEST(a_tape_without_events_has_no_history)
{
	LEDGER(&usual);

	finish_at(ledger, 100 * SECOND);
	CHECK_EQ(kmt_ledger_grid(ledger)->nr, 0);
}

/* Objects of one call site, in any order of life, against a list of all of them. */
#define NR_OBJECTS 3000u

struct life {
	uint64_t from_ns, to_ns;
};

struct moment {
	uint64_t time_ns;
	size_t life;
	bool is_end;
};

static int by_time(const void *left, const void *right)
{
	const struct moment *a = left, *b = right;

	if (a->time_ns != b->time_ns)
		return a->time_ns < b->time_ns ? -1 : 1;
	return a->is_end != b->is_end ? b->is_end - a->is_end
				      : (a->life > b->life) - (a->life < b->life);
}

static uint64_t live_at(const struct life *lives, uint64_t time_ns)
{
	uint64_t live = 0;

	for (size_t i = 0; i < NR_OBJECTS; i++)
		live += lives[i].from_ns < time_ns && lives[i].to_ns >= time_ns;
	return live;
}

static void check_history(struct kmt_ledger *ledger, const struct life *lives, uint64_t end_ns)
{
	const struct kmt_grid *grid = kmt_ledger_grid(ledger);
	const struct kmt_counts *track = track_a(ledger);
	uint32_t born[KMT_HISTORY_POINTS] = { 0 }, live_ages[KMT_AGE_BINS] = { 0 };
	uint32_t freed_ages[KMT_AGE_BINS] = { 0 };

	CHECK(grid->nr > 0 && grid->nr <= KMT_HISTORY_POINTS);
	CHECK(end_of(grid, grid->nr - 1) >= end_ns);
	CHECK(end_of(grid, grid->nr - 1) - grid->width_ns < end_ns);
	for (size_t i = 0; i + 1 < grid->nr; i++)
		CHECK_EQ(track->live[i], live_at(lives, end_of(grid, i)));
	for (size_t i = 0; i < NR_OBJECTS; i++) {
		uint64_t age_ns = lives[i].to_ns - lives[i].from_ns;

		if (lives[i].to_ns == UINT64_MAX) {
			born[(lives[i].from_ns - grid->start_ns) / grid->width_ns]++;
			live_ages[kmt_age_bin(end_ns - lives[i].from_ns)]++;
		} else if (age_ns >= KMT_AGE_FIRST_NS) {
			freed_ages[kmt_age_bin(age_ns)]++;
		}
	}
	CHECK_BYTES(track->born, born, sizeof(born));
	CHECK_BYTES(track->live_ages, live_ages, sizeof(live_ages));
	CHECK_BYTES(track->freed_ages, freed_ages, sizeof(freed_ages));
	CHECK_EQ(track->live[grid->nr - 1], account(ledger, SITE_A)->live_objects);
	CHECK_EQ(sum(track->born, KMT_HISTORY_POINTS), account(ledger, SITE_A)->live_objects);
}

/* Lives of up to @length_ns, begun in a time of as much, of which one in three never ends. */
static void compare(uint64_t start_ns, uint64_t length_ns, uint64_t seed)
{
	KMT_CLEANUP(kmt_freep) struct life *lives = calloc(NR_OBJECTS, sizeof(*lives));
	KMT_CLEANUP(kmt_freep)
	struct moment *moments = calloc(2 * NR_OBJECTS, sizeof(*moments));
	struct kmt_ledger_options options = from(start_ns);
	uint64_t end_ns = start_ns + length_ns;
	size_t nr = 0;
	LEDGER(&options);

	CHECK(lives && moments);
	for (size_t i = 0; i < NR_OBJECTS; i++) {
		uint64_t left_ns;

		lives[i].from_ns = start_ns + check_random(&seed) % length_ns;
		left_ns = end_ns - lives[i].from_ns;
		lives[i].to_ns = UINT64_MAX;
		moments[nr++] = (struct moment){ lives[i].from_ns, i, false };
		if (check_random(&seed) % 3 == 0)
			continue;
		lives[i].to_ns = lives[i].from_ns + 1 + check_random(&seed) % left_ns;
		moments[nr++] = (struct moment){ lives[i].to_ns, i, true };
	}
	qsort(moments, nr, sizeof(*moments), by_time);
	for (size_t i = 0; i < nr; i++) {
		uint64_t ptr = PTR + 64 * moments[i].life;

		if (moments[i].is_end)
			take(ledger, KFREE(.time_ns = moments[i].time_ns, .ptr = ptr));
		else
			take(ledger, KMALLOC(.time_ns = moments[i].time_ns, .ptr = ptr));
	}
	finish_at(ledger, end_ns);
	check_history(ledger, lives, end_ns);
}

TEST(widening_keeps_the_right_points)
{
	uint64_t seed = 7;

	for (uint64_t length_ns = 1000; length_ns < UINT64_C(1) << 60; length_ns *= 3)
		compare(START, length_ns + check_random(&seed) % length_ns, length_ns);
}

TEST(history_reaches_up_to_the_end_of_time)
{
	for (unsigned int bits = 21; bits < 64; bits++)
		compare(UINT64_MAX - (UINT64_C(1) << bits), (UINT64_C(1) << bits) - 1, bits);
}

TEST(at_the_very_end_of_time_nothing_wraps)
{
	struct kmt_ledger_options options = from(1);
	LEDGER(&options);

	take(ledger, KMALLOC(.time_ns = 1));
	take(ledger, KMALLOC(.time_ns = UINT64_MAX, .ptr = PTR + 64));
	take(ledger, KFREE(.time_ns = UINT64_MAX));
	finish_at(ledger, UINT64_MAX);
	CHECK(kmt_ledger_grid(ledger)->nr <= KMT_HISTORY_POINTS);
	CHECK_EQ(track_a(ledger)->live[kmt_ledger_grid(ledger)->nr - 1], 1);
	CHECK_EQ(track_a(ledger)->born[kmt_ledger_grid(ledger)->nr - 1], 1);
	CHECK_EQ(track_a(ledger)->freed_ages[KMT_AGE_BINS - 1], 1);
}

TEST(behind_the_last_bucket_nothing_is_next)
{
	struct kmt_grid grid = { .start_ns = 1, .width_ns = UINT64_C(1) << 58, .nr = 63 };

	CHECK_EQ(kmt_grid_next_ns(&grid), UINT64_MAX); /* 64 of them are all of time */
	grid.nr = 62;
	CHECK_EQ(kmt_grid_next_ns(&grid), 1 + 63 * grid.width_ns);
}

TEST(a_long_gap_takes_no_longer_than_a_short_one)
{
	struct kmt_ledger_options options = from(START);
	LEDGER(&options);

	/* One bucket at a time would be 2^43 of them. */
	take(ledger, KMALLOC(.time_ns = START));
	take(ledger, KMALLOC(.time_ns = UINT64_C(1) << 63, .ptr = PTR + 64));
	finish_at(ledger, 0);
	CHECK_EQ(sum(track_a(ledger)->born, KMT_HISTORY_POINTS), 2);
	CHECK_EQ(track_a(ledger)->live[0], 1);
}

TEST(a_finished_ledger_may_go_on)
{
	struct kmt_ledger_options options = from(START);
	LEDGER(&options);

	take(ledger, KMALLOC(.time_ns = START));
	finish_at(ledger, START + FIRST / 2);
	take(ledger, KMALLOC(.time_ns = START + FIRST / 2, .ptr = PTR + 64));
	take(ledger, KMALLOC(.time_ns = START + FIRST, .ptr = PTR + 128));
	finish_at(ledger, START + FIRST); /* the same moment is the end of a bucket */
	CHECK_EQ(kmt_ledger_grid(ledger)->nr, 1);
	CHECK_EQ(track_a(ledger)->live[0], 3);
	CHECK_EQ(track_a(ledger)->born[0], 3);
	finish_at(ledger, START + 3 * FIRST);
	CHECK_EQ(kmt_ledger_grid(ledger)->nr, 3);
	for (size_t i = 0; i < 3; i++)
		CHECK_EQ(track_a(ledger)->live[i], 3);
	CHECK_EQ(sum(track_a(ledger)->born, KMT_HISTORY_POINTS), 3);
}

TEST(what_dies_young_is_not_counted_by_age)
{
	LEDGER(&usual);

	take(ledger, KMALLOC(.time_ns = START));
	take(ledger, KFREE(.time_ns = START + KMT_AGE_FIRST_NS - 1));
	CHECK_EQ(sum(track_a(ledger)->freed_ages, KMT_AGE_BINS), 0);
	take(ledger, KMALLOC(.time_ns = 3 * START));
	take(ledger, KFREE(.time_ns = 3 * START + KMT_AGE_FIRST_NS));
	CHECK_EQ(track_a(ledger)->freed_ages[1], 1);
	CHECK_EQ(sum(track_a(ledger)->freed_ages, KMT_AGE_BINS), 1);
}

TEST(ages_of_the_reused_are_counted_apart)
{
	LEDGER(&usual);

	take(ledger, KMALLOC(.time_ns = START));
	take(ledger, KMALLOC(.time_ns = START + 7 * SECOND)); /* its address again */
	CHECK_EQ(sum(track_a(ledger)->reused_ages, KMT_AGE_BINS), 1);
	CHECK_EQ(track_a(ledger)->reused_ages[kmt_age_bin(7 * SECOND)], 1);
	CHECK_EQ(sum(track_a(ledger)->freed_ages, KMT_AGE_BINS), 0);
}

TEST(bins_of_ages_follow_each_other_without_gaps)
{
	for (unsigned int bin = 0; bin + 1 < KMT_AGE_BINS; bin++) {
		CHECK_EQ(kmt_age_bin(kmt_age_bin_from(bin)), bin);
		CHECK_EQ(kmt_age_bin(kmt_age_bin_from(bin + 1) - 1), bin);
	}
	CHECK_EQ(kmt_age_bin(UINT64_MAX), KMT_AGE_BINS - 1);
}

TEST(objects_are_mature_from_the_grace_period_on)
{
	LEDGER(&usual);

	take(ledger, KMALLOC(.time_ns = START));
	take(ledger, KMALLOC(.time_ns = START + 10, .ptr = PTR + 64));
	take(ledger, LOSS(.time_ns = START + 15, .lost = 3));
	take(ledger, KMALLOC(.time_ns = START + 20, .ptr = PTR + 128));
	take(ledger, KMALLOC(.time_ns = START + 21, .ptr = PTR + 192));
	/* Whoever doesn't want to see young objects changes nothing about it. */
	CHECK_EQ(kmt_ledger_finish(ledger, START + 120, 110, 100), 0);
	CHECK_EQ(account(ledger, SITE_A)->mature_objects, 3);
	CHECK_EQ(account(ledger, SITE_A)->exposed_objects, 2);
	CHECK_EQ(account(ledger, SITE_A)->live_objects, 2);
	CHECK_EQ(account(ledger, SITE_A)->uncertain_objects, 2);
	CHECK_EQ(sum(track_a(ledger)->born, KMT_HISTORY_POINTS), 4);
}

TEST(losses_of_unknown_size_are_counted)
{
	LEDGER(&usual);

	take(ledger, LOSS(.time_ns = 1, .lost = 3));
	take(ledger, LOSS(.time_ns = 2));
	take(ledger, LOSS(.time_ns = 3));
	CHECK_EQ(kmt_ledger_totals(ledger)->losses, 3);
	CHECK_EQ(kmt_ledger_totals(ledger)->unsized_losses, 2);
}

static size_t nr_tracks(struct kmt_ledger *ledger)
{
	const struct kmt_account *accounts;
	size_t nr, nr_tracks = 0;

	accounts = kmt_ledger_accounts(ledger, &nr);
	for (size_t i = 0; i < nr; i++)
		nr_tracks += accounts[i].track != NULL;
	return nr_tracks;
}

TEST(what_is_never_live_for_long_has_no_history)
{
	struct kmt_ledger_options options = from(START);
	LEDGER(&options);

	for (uint64_t i = 0; i < 10000; i++) {
		uint64_t time_ns = START + i * FIRST + 1;

		take(ledger, KMALLOC(.time_ns = time_ns, .call_site = SITE_A + i));
		take(ledger, KFREE(.time_ns = time_ns + 1));
	}
	finish_at(ledger, 0);
	CHECK_EQ(nr_tracks(ledger), 0);
}

TEST(what_was_live_at_no_point_that_is_left_loses_its_history)
{
	struct kmt_ledger_options options = from(START);
	LEDGER(&options);

	/* Each of them is live at the end of one bucket: of most, no trace is left. */
	for (uint64_t i = 0; i < 10000; i++) {
		uint64_t end_ns = START + (i + 1) * FIRST;

		take(ledger, KMALLOC(.time_ns = end_ns - 1, .call_site = SITE_A + i));
		take(ledger, KFREE(.time_ns = end_ns));
	}
	finish_at(ledger, 0);
	CHECK(nr_tracks(ledger) <= KMT_HISTORY_POINTS);
	CHECK(nr_tracks(ledger) >= KMT_HISTORY_POINTS / 2);
}

TEST(an_account_takes_little_memory)
{
	struct kmt_ledger_options options = from(START);

	heap_watch();
	LEDGER(&options);
	for (uint64_t i = 0; i < 100000; i++)
		take(ledger,
		     KMALLOC(.time_ns = START + i, .call_site = SITE_A + i, .ptr = PTR + 64 * i));
	finish_at(ledger, START + 1000 * SECOND);
	CHECK_EQ(nr_tracks(ledger), 100000);
	CHECK(heap.peak_bytes < 100000 * 600); /* the account, its track, its object */
}

TEST(sums_of_tracks_have_bytes)
{
	static struct kmt_history history;
	struct kmt_track *track = NULL;
	struct kmt_counts counts = { 0 };

	counts.live[3] = counts.born[4] = counts.live_ages[5] = counts.freed_ages[6] = 10;
	counts.reused_ages[7] = UINT32_MAX;
	CHECK_EQ(kmt_track_write(&track, &counts), 0);
	kmt_history_add(&history, track, 192);
	kmt_history_add(&history, track, UINT64_C(1) << 33);
	free(track);
	CHECK_EQ(history.live[3], 20);
	CHECK_EQ(history.live_bytes[3], 1920 + (UINT64_C(10) << 33));
	CHECK_EQ(history.born[4], 20);
	CHECK_EQ(history.live_ages[5], 20);
	CHECK_EQ(history.freed_ages[6], 20);
	CHECK_EQ(history.reused_ages[7], 2 * (uint64_t)UINT32_MAX);
}

static void check_packed(const struct kmt_history *history)
{
	struct kmt_packed_history *packed;
	struct kmt_history unpacked;

	CHECK_EQ(kmt_history_pack(history, &packed), 0);
	memset(&unpacked, 0xff, sizeof(unpacked));
	kmt_history_unpack(packed, &unpacked);
	CHECK_BYTES(&unpacked, history, sizeof(unpacked));
	free(packed);
}

TEST(a_packed_history_is_the_same)
{
	struct kmt_history history = { 0 };
	uint64_t state = 1;

	check_packed(&history);
	for (size_t i = 0; i < KMT_AGE_BINS; i++) { /* each as far from the last as can be */
		history.reused_ages[i] = i % 2 ? UINT64_MAX : UINT64_C(1) << 63;
		history.live_ages[i] = i % 2 ? 0 : UINT64_C(1) << 63;
	}
	check_packed(&history);
	for (int round = 0; round < 1000; round++) {
		uint64_t *at = &history.live[0] + check_random(&state) % (sizeof(history) / 8);

		*at = check_random(&state) >> check_random(&state) % 64;
		check_packed(&history);
	}
}

TEST(a_history_with_little_in_it_packs_well)
{
	struct kmt_history history = { .born = { 0, 0, 3 }, .live_ages = { 0, 3 } };
	struct kmt_packed_history *packed;

	for (size_t i = 2; i < KMT_HISTORY_POINTS; i++)
		history.live_bytes[i] = 192 * (history.live[i] = 3);
	heap_watch();
	CHECK_EQ(kmt_history_pack(&history, &packed), 0);
	CHECK(heap.peak_bytes <= 40);
	free(packed);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		ROW(what_is_live_is_noted_at_the_end_of_each_bucket),
		ROW(history_starts_at_the_first_event_if_nobody_knows_better),
		ROW(a_tape_of_two_events_has_a_history),
		ROW(a_tape_of_one_moment_has_one_bucket),
		ROW(a_load_that_ends_is_seen_to_end),
		ROW(a_load_that_goes_on_or_was_a_start_up_has_no_end),
		ROW(what_a_site_keeps_is_not_the_load_of_others),
		ROW(a_tape_without_events_has_no_history),
		ROW(widening_keeps_the_right_points),
		ROW(history_reaches_up_to_the_end_of_time),
		ROW(at_the_very_end_of_time_nothing_wraps),
		ROW(behind_the_last_bucket_nothing_is_next),
		ROW(a_long_gap_takes_no_longer_than_a_short_one),
		ROW(a_finished_ledger_may_go_on),
		ROW(what_dies_young_is_not_counted_by_age),
		ROW(ages_of_the_reused_are_counted_apart),
		ROW(bins_of_ages_follow_each_other_without_gaps),
		ROW(objects_are_mature_from_the_grace_period_on),
		ROW(losses_of_unknown_size_are_counted),
		ROW(what_is_never_live_for_long_has_no_history),
		ROW(what_was_live_at_no_point_that_is_left_loses_its_history),
		ROW(an_account_takes_little_memory),
		ROW(sums_of_tracks_have_bytes),
		ROW(a_packed_history_is_the_same),
		ROW(a_history_with_little_in_it_packs_well),
	};

	return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}
