// SPDX-License-Identifier: LGPL-2.1-only
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kmemtape/track.h"

/* All counts of a track in a row, as in struct kmt_counts: each has its place. */
#define BORN_AT	     KMT_HISTORY_POINTS
#define LIVE_AGES_AT (BORN_AT + KMT_HISTORY_POINTS)
#define FREED_AT     (LIVE_AGES_AT + KMT_AGE_BINS)
#define REUSED_AT    (FREED_AT + KMT_AGE_BINS)
#define PLACES	     (REUSED_AT + KMT_AGE_BINS)

static_assert(sizeof(struct kmt_counts) == PLACES * sizeof(uint32_t), "all of them, in order");
static_assert(PLACES <= UINT8_MAX, "a byte tells a place");

/* With its head 24 bytes, the least that malloc() gives; each later room takes twice as much. */
#define FIRST_ROOM	 10u
#define ROOM_AFTER(room) (2 * (room) + 6)

/*
 * Short: entries, each a place and a count that fits a byte, in order of places. Of what was live
 * an entry holds until the next one; of all others there are entries where they are not 0.
 * Long: each count by itself.
 */
struct kmt_track {
	uint8_t nr_live, nr; /* entries: up to LIVE_AGES_AT, and all */
	uint8_t room;	     /* for entries; 0: it is long */
	uint8_t points;	     /* of a short one, noted so far: nothing was live behind */
	uint32_t counts[];   /* of a short one, places and then counts, each with room */
};

static uint8_t *places_of(const struct kmt_track *track)
{
	return (uint8_t *)(uintptr_t)track->counts;
}

static uint8_t *counts_of(const struct kmt_track *track)
{
	return places_of(track) + track->room;
}

static size_t bytes_of(unsigned int room)
{
	return sizeof(struct kmt_track) + (room ? 2 * (size_t)room : PLACES * sizeof(uint32_t));
}

static struct kmt_track *new_track(unsigned int room)
{
	struct kmt_track *track = calloc(1, bytes_of(room));

	if (track)
		track->room = (uint8_t)room;
	return track;
}

static uint32_t narrow(uint64_t count)
{
	return count < UINT32_MAX ? (uint32_t)count : UINT32_MAX;
}

/* --- the short form --- */

/* The first entry at this place, or behind it. */
static unsigned int find(const struct kmt_track *track, unsigned int place)
{
	const uint8_t *places = places_of(track);
	unsigned int low = place < BORN_AT ? 0 : track->nr_live;
	unsigned int high = place < BORN_AT ? track->nr_live : track->nr;

	while (low < high) {
		unsigned int middle = (low + high) / 2;

		if (places[middle] < place)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool has_entry(const struct kmt_track *track, unsigned int i, unsigned int place)
{
	return i < (place < BORN_AT ? track->nr_live : track->nr) && places_of(track)[i] == place;
}

/* Entries from <= i < to. */
static void remove_entries(struct kmt_track *track, unsigned int from, unsigned int to)
{
	uint8_t *places = places_of(track), *counts = counts_of(track);
	unsigned int live_to = to < track->nr_live ? to : track->nr_live;

	memmove(places + from, places + to, track->nr - to);
	memmove(counts + from, counts + to, track->nr - to);
	track->nr -= (uint8_t)(to - from);
	if (from < live_to)
		track->nr_live -= (uint8_t)(live_to - from);
}

static int make_room(struct kmt_track **track)
{
	unsigned int room = (*track)->room, grown_room = ROOM_AFTER(room);
	struct kmt_track *grown;

	if ((*track)->nr < room)
		return 0;
	grown = realloc(*track, bytes_of(grown_room));
	if (!grown)
		return -ENOMEM;
	grown->room = (uint8_t)grown_room;
	memmove(counts_of(grown), places_of(grown) + room, grown->nr);
	*track = grown;
	return 0;
}

/* As entry @i. */
static int insert(struct kmt_track **track, unsigned int i, unsigned int place, uint8_t count)
{
	unsigned int nr = (*track)->nr;
	uint8_t *places, *counts;

	if (make_room(track) < 0)
		return -ENOMEM;
	places = places_of(*track);
	counts = counts_of(*track);
	memmove(places + i + 1, places + i, nr - i);
	memmove(counts + i + 1, counts + i, nr - i);
	places[i] = (uint8_t)place;
	counts[i] = count;
	(*track)->nr++;
	(*track)->nr_live += place < BORN_AT;
	return 0;
}

static void read_entries(const struct kmt_track *track, uint32_t *counts)
{
	const uint8_t *places = places_of(track), *of_entries = counts_of(track);
	unsigned int i;

	memset(counts, 0, PLACES * sizeof(*counts));
	for (i = 0; i < track->nr_live; i++) {
		unsigned int to = i + 1 < track->nr_live ? places[i + 1] : track->points;

		for (unsigned int k = places[i]; k < to; k++)
			counts[k] = of_entries[i];
	}
	for (; i < track->nr; i++)
		counts[places[i]] = of_entries[i];
}

static int open_track(struct kmt_track **track)
{
	if (!*track)
		*track = new_track(FIRST_ROOM);
	return *track ? 0 : -ENOMEM;
}

static int make_long(struct kmt_track **track)
{
	struct kmt_track *grown = new_track(0);

	if (!grown)
		return -ENOMEM;
	read_entries(*track, grown->counts);
	free(*track);
	*track = grown;
	return 0;
}

/* --- the whole of it --- */

void kmt_track_read(const struct kmt_track *track, struct kmt_counts *ret_counts)
{
	uint32_t counts[PLACES];

	if (track->room)
		read_entries(track, counts);
	else
		memcpy(counts, track->counts, sizeof(counts));
	memcpy(ret_counts, counts, sizeof(counts));
}

/* What an entry before that place says of it. */
static uint32_t before(const uint32_t *counts, unsigned int place)
{
	return place && place < BORN_AT ? counts[place - 1] : 0;
}

static void write_entries(struct kmt_track *track, const uint32_t *counts)
{
	uint8_t *places = places_of(track), *of_entries = counts_of(track);

	track->points = KMT_HISTORY_POINTS;
	for (unsigned int i = 0; i < PLACES; i++) {
		if (counts[i] == before(counts, i))
			continue;
		places[track->nr] = (uint8_t)i;
		of_entries[track->nr++] = (uint8_t)counts[i];
		track->nr_live += i < BORN_AT;
	}
}

int kmt_track_write(struct kmt_track **track, const struct kmt_counts *counts)
{
	unsigned int nr = 0, room = FIRST_ROOM;
	struct kmt_track *written;
	uint32_t row[PLACES], all = 0;

	memcpy(row, counts, sizeof(row));
	for (unsigned int i = 0; i < PLACES; i++) {
		all |= row[i];
		nr += row[i] != before(row, i);
	}
	while (room < nr)
		room = ROOM_AFTER(room);
	written = new_track(all <= UINT8_MAX ? room : 0);
	if (!written)
		return -ENOMEM;
	if (written->room)
		write_entries(written, row);
	else
		memcpy(written->counts, row, sizeof(row));
	free(*track);
	*track = written;
	return 0;
}

int kmt_track_copy(const struct kmt_track *from, struct kmt_track **ret_track)
{
	struct kmt_track *track = NULL;

	if (from) {
		track = malloc(bytes_of(from->room));
		if (!track)
			return -ENOMEM;
		memcpy(track, from, bytes_of(from->room));
	}
	*ret_track = track;
	return 0;
}

static void add_entries(const struct kmt_track *track, uint32_t *row)
{
	const uint8_t *places = places_of(track), *counts = counts_of(track);
	unsigned int i;

	for (i = 0; i < track->nr_live; i++) {
		unsigned int to = i + 1 < track->nr_live ? places[i + 1] : track->points;

		for (unsigned int k = places[i]; k < to; k++)
			row[k] = narrow((uint64_t)row[k] + counts[i]);
	}
	for (; i < track->nr; i++)
		row[places[i]] = narrow((uint64_t)row[places[i]] + counts[i]);
}

void kmt_track_add(const struct kmt_track *track, struct kmt_counts *counts)
{
	uint32_t row[PLACES];

	memcpy(row, counts, sizeof(row));
	if (track->room)
		add_entries(track, row);
	for (size_t i = 0; !track->room && i < PLACES; i++)
		row[i] = narrow((uint64_t)row[i] + track->counts[i]);
	memcpy(counts, row, sizeof(row));
}

/* --- what happens to it --- */

static int note_entry(struct kmt_track **track, size_t from, uint8_t live)
{
	unsigned int i = find(*track, (unsigned int)from);

	/* What was noted of a bucket that was closed early, at the end of the tape. */
	if (i < (*track)->nr_live)
		remove_entries(*track, i, (*track)->nr_live);
	if (live == (i ? counts_of(*track)[i - 1] : 0))
		return 0;
	return insert(track, i, (unsigned int)from, live);
}

int kmt_track_note(struct kmt_track **track, size_t from, size_t to, uint64_t live)
{
	if (open_track(track) < 0 || ((*track)->room && live > UINT8_MAX && make_long(track) < 0) ||
	    ((*track)->room && note_entry(track, from, (uint8_t)live) < 0))
		return -ENOMEM;
	if (!(*track)->room)
		for (size_t i = from; i < to; i++)
			(*track)->counts[i] = narrow(live);
	(*track)->points = (uint8_t)to;
	return 0;
}

static void widen_entries(struct kmt_track *track, size_t half)
{
	uint8_t *places = places_of(track), *counts = counts_of(track);
	unsigned int nr = 0;

	for (unsigned int i = 0; i < track->nr_live && places[i] / 2u < half; i++) {
		uint8_t place = places[i] / 2, count = counts[i];

		if (nr && places[nr - 1] == place)
			nr--;
		if (count == (nr ? counts[nr - 1] : 0))
			continue;
		places[nr] = place;
		counts[nr++] = count;
	}
	remove_entries(track, nr, track->nr_live);
}

void kmt_track_widen(struct kmt_track *track, size_t nr)
{
	size_t half = nr / 2;

	if (track->room) {
		widen_entries(track, half);
	} else {
		for (size_t i = 0; i < half; i++)
			track->counts[i] = track->counts[2 * i + 1];
		memset(track->counts + half, 0, (BORN_AT - half) * sizeof(*track->counts));
	}
	track->points = (uint8_t)half;
}

bool kmt_track_is_empty(const struct kmt_track *track)
{
	uint32_t all = 0;

	if (track->room)
		return !track->nr_live &&
		       (!track->nr || places_of(track)[track->nr - 1] < FREED_AT);
	for (size_t i = 0; i < PLACES; i++)
		all |= i < BORN_AT || i >= FREED_AT ? track->counts[i] : 0;
	return all == 0;
}

/* One more at a place; of what is live there is kmt_track_note(). */
static int count(struct kmt_track **track, unsigned int place)
{
	if (open_track(track) < 0)
		return -ENOMEM;
	if ((*track)->room) {
		unsigned int i = find(*track, place);

		if (!has_entry(*track, i, place))
			return insert(track, i, place, 1);
		if (counts_of(*track)[i] < UINT8_MAX) {
			counts_of(*track)[i]++;
			return 0;
		}
		if (make_long(track) < 0)
			return -ENOMEM;
	}
	(*track)->counts[place] += (*track)->counts[place] < UINT32_MAX;
	return 0;
}

/* Return: whether there was one. */
static bool uncount(struct kmt_track *track, unsigned int place)
{
	unsigned int i;

	if (!track->room) {
		bool is_there = track->counts[place];

		/* UINT32_MAX may stand for more */
		track->counts[place] -= is_there && track->counts[place] < UINT32_MAX;
		return is_there;
	}
	i = find(track, place);
	if (!has_entry(track, i, place))
		return false;
	if (--counts_of(track)[i] == 0)
		remove_entries(track, i, i + 1);
	return true;
}

int kmt_track_death(struct kmt_track **track, uint64_t age_ns, bool is_reused)
{
	return count(track, (is_reused ? REUSED_AT : FREED_AT) + kmt_age_bin(age_ns));
}

int kmt_track_death_is_free(struct kmt_track **track, unsigned int bin)
{
	if (!*track || !uncount(*track, REUSED_AT + bin))
		return 0;
	return count(track, FREED_AT + bin);
}

void kmt_track_reset_live(struct kmt_track *track)
{
	if (!track)
		return;
	if (track->room)
		remove_entries(track, track->nr_live, find(track, FREED_AT));
	else
		memset(track->counts + BORN_AT, 0, (FREED_AT - BORN_AT) * sizeof(*track->counts));
}

int kmt_track_live(struct kmt_track **track, const struct kmt_grid *grid, uint64_t time_ns,
		   uint64_t end_ns)
{
	if (count(track, BORN_AT + (unsigned int)kmt_grid_bucket(grid, time_ns)) < 0)
		return -ENOMEM;
	return count(track, LIVE_AGES_AT + kmt_age_bin(end_ns - time_ns));
}
