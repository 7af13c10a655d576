// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <stdlib.h>

#include "kmemtape/account.h"
#include "kmemtape/history.h"
#include "kmemtape/track.h"

/* 1.05 ms: a tape of a tenth of a second has all points, one of an hour has widened 22 times. */
#define FIRST_WIDTH_NS (UINT64_C(1) << 20)

/* Less than that part of the mean rate so far is no load, but what is left without one. */
#define BUSY_PART	 0.1
/* A load that took less than half of the recording is just a phase, as a start-up is. */
#define BUSY_LENGTH_PART 0.5
/* So many would have come after its end if it had gone on: fewer may be missing by chance. */
#define BUSY_ALLOCS_MIN	 50

void kmt_grid_start(struct kmt_grid *grid, uint64_t start_ns)
{
	*grid = (struct kmt_grid){ .start_ns = start_ns, .width_ns = FIRST_WIDTH_NS };
}

uint64_t kmt_grid_next_ns(const struct kmt_grid *grid)
{
	uint64_t next_ns;

	/* With the largest width, 2^58, the 64th bucket ends where time does: see kmt_tracks_pass()
	 */
	if (__builtin_mul_overflow((uint64_t)grid->nr + 1, grid->width_ns, &next_ns) ||
	    __builtin_add_overflow(next_ns, grid->start_ns, &next_ns))
		return UINT64_MAX;
	return next_ns;
}

size_t kmt_grid_bucket(const struct kmt_grid *grid, uint64_t time_ns)
{
	uint64_t bucket;

	if (time_ns < grid->start_ns)
		return 0;
	bucket = (time_ns - grid->start_ns) / grid->width_ns;
	return bucket < grid->nr ? (size_t)bucket : grid->nr - 1;
}

/* Of everybody but the site, in that bucket. */
static double load_of(const struct kmt_grid *grid, const uint64_t *born, size_t i)
{
	double all = (double)grid->allocs[i] - (i ? (double)grid->allocs[i - 1] : 0);

	return all > (double)born[i] ? all - (double)born[i] : 0;
}

uint64_t kmt_grid_busy_until(const struct kmt_grid *grid, const uint64_t born[KMT_HISTORY_POINTS],
			     uint64_t end_ns)
{
	size_t nr = grid->nr < KMT_HISTORY_POINTS ? grid->nr : KMT_HISTORY_POINTS;
	double width = (double)grid->width_ns, length, sum = 0, busy = 0, rate = 0;

	if (end_ns <= grid->start_ns || !nr || !grid->width_ns)
		return 0;
	length = (double)(end_ns - grid->start_ns);
	for (size_t i = 0; i < nr; i++) {
		double to = (double)(i + 1) * width < length ? (double)(i + 1) * width : length;
		double from = (double)i * width, load = load_of(grid, born, i);

		sum += load;
		if (to <= from || load < BUSY_PART * sum / to * (to - from))
			continue;
		busy = to;
		rate = sum / to;
	}
	if (busy < BUSY_LENGTH_PART * length || rate * (length - busy) < BUSY_ALLOCS_MIN)
		return 0;
	return grid->start_ns + (uint64_t)busy;
}

/* What is the case now was so at the ends of buckets from <= i < to. Return: 0 or -ENOMEM. */
static int note_all(struct kmt_grid *grid, struct kmt_accounts *accounts, size_t from, size_t to)
{
	size_t nr = kmt_accounts_nr(accounts);
	uint64_t allocs = 0;

	for (size_t i = 0; i < nr; i++) {
		struct kmt_account *account = kmt_accounts_at(accounts, (uint32_t)i);
		uint64_t live = kmt_account_live(account);

		allocs += account->allocs;
		if (live == 0 && !account->track)
			continue;
		if (kmt_track_note(&account->track, from, to, live) < 0)
			return -ENOMEM;
	}
	for (size_t k = from; k < to; k++)
		grid->allocs[k] = allocs;
	return 0;
}

/*
 * Two buckets become one; it ends where the second did. Whoever held something only at a time that
 * is no point any more needs no track either: tasks that come and go would leave one each, with
 * accounts by task.
 */
static void widen(struct kmt_grid *grid, struct kmt_accounts *accounts)
{
	size_t nr = kmt_accounts_nr(accounts), half = grid->nr / 2;

	for (size_t i = 0; i < nr; i++) {
		struct kmt_account *account = kmt_accounts_at(accounts, (uint32_t)i);

		if (!account->track)
			continue;
		kmt_track_widen(account->track, grid->nr);
		if (kmt_track_is_empty(account->track)) {
			free(account->track);
			account->track = NULL;
		}
	}
	for (size_t k = 0; k < half; k++)
		grid->allocs[k] = grid->allocs[2 * k + 1];
	grid->nr = half;
	grid->width_ns *= 2;
}

int kmt_tracks_pass(struct kmt_grid *grid, struct kmt_accounts *accounts, uint64_t time_ns)
{
	uint64_t ended;
	int r;

	if (time_ns < grid->start_ns)
		return 0;
	/* Doubling ends with at most 64 buckets in what is left of time: at 2^58 or before. */
	while ((ended = (time_ns - grid->start_ns) / grid->width_ns) > KMT_HISTORY_POINTS) {
		if (grid->nr % 2) { /* its other half ends before @time_ns, too */
			r = note_all(grid, accounts, grid->nr, grid->nr + 1);
			if (r < 0)
				return r;
			grid->nr++;
		}
		widen(grid, accounts);
	}
	if (ended <= grid->nr)
		return 0;
	r = note_all(grid, accounts, grid->nr, (size_t)ended);
	grid->nr = (size_t)ended;
	return r;
}

int kmt_tracks_finish(struct kmt_grid *grid, struct kmt_accounts *accounts, uint64_t end_ns,
		      struct kmt_grid *ret_grid)
{
	uint64_t closed_ns;
	bool is_cut;
	int r;

	r = kmt_tracks_pass(grid, accounts, end_ns);
	if (r < 0)
		return r;
	closed_ns = grid->start_ns + grid->nr * grid->width_ns;
	is_cut = grid->nr == 0 || end_ns > closed_ns;
	if (is_cut && grid->nr == KMT_HISTORY_POINTS)
		widen(grid, accounts);
	*ret_grid = *grid;
	ret_grid->nr += is_cut;
	/* Also where a bucket ends at @end_ns: what happened at that very time is in it, then. */
	return note_all(ret_grid, accounts, ret_grid->nr - 1, ret_grid->nr);
}

void kmt_history_add(struct kmt_history *history, const struct kmt_track *track,
		     uint64_t bytes_alloc)
{
	struct kmt_counts counts;

	kmt_track_read(track, &counts);
	for (size_t i = 0; i < KMT_HISTORY_POINTS; i++) {
		history->live[i] += counts.live[i];
		history->live_bytes[i] += counts.live[i] * bytes_alloc;
		history->born[i] += counts.born[i];
	}
	for (size_t i = 0; i < KMT_AGE_BINS; i++) {
		history->live_ages[i] += counts.live_ages[i];
		history->freed_ages[i] += counts.freed_ages[i];
		history->reused_ages[i] += counts.reused_ages[i];
	}
}
