// SPDX-License-Identifier: GPL-2.0-only
#include <stdbool.h>

#include "kmemtape/track.h"

#include "check.h"
#include "heap.h"

#define SECOND UINT64_C(1000000000)

/* The same, each count by itself, and how many buckets were noted. */
struct naive {
	struct kmt_counts counts;
	size_t nr;
};

static uint64_t random_below(uint64_t *state, uint64_t limit)
{
	return check_random(state) % limit;
}

static void check_same(const struct kmt_track *track, const struct kmt_counts *counts)
{
	struct kmt_counts read;

	memset(&read, 0xff, sizeof(read));
	kmt_track_read(track, &read);
	CHECK_BYTES(&read, counts, sizeof(read));
}

static void naive_widen(struct naive *naive)
{
	size_t half = naive->nr / 2;

	for (size_t i = 0; i < half; i++)
		naive->counts.live[i] = naive->counts.live[2 * i + 1];
	memset(&naive->counts.live[half], 0, (KMT_HISTORY_POINTS - half) * sizeof(uint32_t));
	naive->nr = half;
}

static bool naive_is_empty(const struct naive *naive)
{
	struct kmt_counts counts = naive->counts, none = { 0 };

	memset(counts.born, 0, sizeof(counts.born));
	memset(counts.live_ages, 0, sizeof(counts.live_ages));
	return memcmp(&counts, &none, sizeof(counts)) == 0;
}

static void note(struct kmt_track **track, struct naive *naive, uint64_t *state, uint64_t most)
{
	size_t to = naive->nr + 1 + random_below(state, 3);
	uint64_t live = random_below(state, 4) ? random_below(state, most) : 0;

	if (to > KMT_HISTORY_POINTS) {
		if (naive->nr % 2)
			return;
		kmt_track_widen(*track, naive->nr);
		naive_widen(naive);
		CHECK_EQ(kmt_track_is_empty(*track), naive_is_empty(naive));
		return;
	}
	CHECK_EQ(kmt_track_note(track, naive->nr, to, live), 0);
	for (size_t i = naive->nr; i < to; i++)
		naive->counts.live[i] = (uint32_t)live;
	/* One that was closed early is noted again later. */
	naive->nr = random_below(state, 8) ? to : to - 1;
}

static void end_one(struct kmt_track **track, struct naive *naive, uint64_t *state)
{
	unsigned int bin = 1 + (unsigned int)random_below(state, KMT_AGE_BINS - 1);
	bool is_reused = random_below(state, 2);
	uint32_t *reused = &naive->counts.reused_ages[bin], *freed = &naive->counts.freed_ages[bin];

	if (random_below(state, 4)) {
		CHECK_EQ(kmt_track_death(track, kmt_age_bin_from(bin), is_reused), 0);
		++*(is_reused ? reused : freed);
		return;
	}
	CHECK_EQ(kmt_track_death_is_free(track, bin), 0);
	*freed += *reused > 0;
	*reused -= *reused > 0;
}

static void finish(struct kmt_track **track, struct naive *naive, uint64_t *state)
{
	struct kmt_grid grid = { .width_ns = SECOND, .nr = KMT_HISTORY_POINTS };
	uint64_t end_ns = KMT_HISTORY_POINTS * SECOND, nr = random_below(state, 600);

	kmt_track_reset_live(*track);
	memset(naive->counts.born, 0, sizeof(naive->counts.born));
	memset(naive->counts.live_ages, 0, sizeof(naive->counts.live_ages));
	for (uint64_t i = 0; i < nr; i++) {
		uint64_t time_ns = random_below(state, 1 + random_below(state, end_ns));

		CHECK_EQ(kmt_track_live(track, &grid, time_ns, end_ns), 0);
		naive->counts.born[time_ns / SECOND]++;
		naive->counts.live_ages[kmt_age_bin(end_ns - time_ns)]++;
	}
}

TEST(whatever_happens_it_reads_as_if_each_count_was_kept)
{
	for (uint64_t seed = 0; seed < 60; seed++) {
		uint64_t state = seed, most = seed % 3 == 0 ? 3 : seed % 3 == 1 ? 256 : 258;
		struct kmt_track *track = NULL;
		struct naive naive = { 0 };

		for (int step = 0; step < 400; step++) {
			uint64_t what = random_below(&state, 40);

			if (what < 25 || !track)
				note(&track, &naive, &state, most);
			else if (what < 39)
				end_one(&track, &naive, &state);
			else
				finish(&track, &naive, &state);
			check_same(track, &naive.counts);
		}
		free(track);
	}
}

TEST(what_is_written_is_read)
{
	struct kmt_track *track = NULL, *copy;
	struct kmt_counts counts = { 0 };

	CHECK_EQ(kmt_track_write(&track, &counts), 0);
	check_same(track, &counts);
	CHECK(kmt_track_is_empty(track));
	for (unsigned int i = 0; i < KMT_HISTORY_POINTS; i++)
		counts.live[i] = counts.born[i] = i % 2 ? 255 : 254;
	for (unsigned int i = 0; i < KMT_AGE_BINS; i++)
		counts.live_ages[i] = counts.freed_ages[i] = counts.reused_ages[i] = 1;
	CHECK_EQ(kmt_track_write(&track, &counts), 0);
	check_same(track, &counts);
	counts.reused_ages[KMT_AGE_BINS - 1] = 256;
	CHECK_EQ(kmt_track_write(&track, &counts), 0);
	check_same(track, &counts);
	CHECK_EQ(kmt_track_copy(track, &copy), 0);
	free(track);
	check_same(copy, &counts);
	free(copy);
	CHECK_EQ(kmt_track_copy(NULL, &copy), 0);
	CHECK(!copy);
}

/* The last bucket of one that was written is no last one for what comes then. */
TEST(what_was_written_goes_on)
{
	struct kmt_counts counts = { .live = { 1, 1 } };
	struct kmt_track *track = NULL;

	CHECK_EQ(kmt_track_write(&track, &counts), 0);
	CHECK_EQ(kmt_track_note(&track, 4, 6, 1), 0);
	counts.live[4] = counts.live[5] = 1;
	check_same(track, &counts);
	kmt_track_widen(track, 6);
	counts = (struct kmt_counts){ .live = { 1, 0, 1 } };
	check_same(track, &counts);
	free(track);
}

TEST(two_are_added_up)
{
	struct kmt_counts a = { .live = { 1, 200, 3 }, .born = { 2 }, .freed_ages = { 0, 7 } };
	struct kmt_counts b = { .live = { 0, 100, 0 },
				.live_ages = { 9 },
				.reused_ages = { 0, 1 } };
	struct kmt_counts sum = { .live = { 1, 300, 3 },
				  .born = { 2 },
				  .live_ages = { 9 },
				  .freed_ages = { 0, 7 },
				  .reused_ages = { 0, 1 } };
	struct kmt_counts counts = { 0 };
	struct kmt_track *track = NULL;

	CHECK_EQ(kmt_track_write(&track, &a),
		 0); /* each count by itself, or entries: both add up */
	kmt_track_add(track, &counts);
	CHECK_BYTES(&counts, &a, sizeof(a));
	CHECK_EQ(kmt_track_write(&track, &b), 0);
	kmt_track_add(track, &counts);
	CHECK_BYTES(&counts, &sum, sizeof(sum));
	a.live[1] = 300;
	CHECK_EQ(kmt_track_write(&track, &a), 0);
	kmt_track_add(track, &counts);
	sum.live[0] = 2, sum.live[1] = 600, sum.live[2] = 6, sum.born[0] = 4,
	sum.freed_ages[1] = 14;
	CHECK_BYTES(&counts, &sum, sizeof(sum));
	free(track);
}

TEST(counts_stay_at_the_largest)
{
	struct kmt_counts counts = { .live = { UINT32_MAX }, .reused_ages = { 0, UINT32_MAX } };
	struct kmt_track *track = NULL;

	CHECK_EQ(kmt_track_write(&track, &counts), 0);
	kmt_track_add(track, &counts);
	CHECK_EQ(kmt_track_write(&track, &counts), 0);
	CHECK_EQ(kmt_track_death(&track, KMT_AGE_FIRST_NS, true), 0);
	check_same(track, &counts);
	CHECK_EQ(kmt_track_note(&track, 1, 2, UINT64_MAX), 0);
	CHECK_EQ(kmt_track_death_is_free(&track, 1), 0); /* it may stand for more */
	counts.live[1] = UINT32_MAX;
	counts.freed_ages[1] = 1;
	check_same(track, &counts);
	free(track);
}

TEST(one_that_changes_little_takes_little)
{
	struct kmt_grid grid = { .width_ns = SECOND, .nr = KMT_HISTORY_POINTS };
	struct kmt_track *track = NULL;

	heap_watch();
	for (size_t i = 0; i < KMT_HISTORY_POINTS; i++)
		CHECK_EQ(kmt_track_note(&track, i, i + 1, i / 16), 0);
	for (uint64_t i = 1; i <= 3; i++)
		CHECK_EQ(kmt_track_live(&track, &grid, 16 * i * SECOND, 64 * SECOND), 0);
	CHECK(heap.peak_bytes <= 24);
	free(track);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		ROW(whatever_happens_it_reads_as_if_each_count_was_kept),
		ROW(what_is_written_is_read),
		ROW(what_was_written_goes_on),
		ROW(two_are_added_up),
		ROW(counts_stay_at_the_largest),
		ROW(one_that_changes_little_takes_little),
	};

	return cmocka_run_group_tests_name("track", tests, NULL, NULL);
}
