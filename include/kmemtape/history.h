/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMEMTAPE_HISTORY_H
#define KMEMTAPE_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * History: what was live over time, at the same points of time for everything on a tape. The number
 * of points is fixed; when they are used up, every second one is dropped and the distance between
 * them doubles. So one pass does, and memory does not depend on the length of the tape.
 */
#define KMT_HISTORY_POINTS 64u

struct kmt_grid {
	uint64_t start_ns; /* trace clock */
	uint64_t width_ns; /* of a bucket */
	size_t nr;	   /* buckets used; the last one may be cut short by the end of the tape */
	uint64_t allocs[KMT_HISTORY_POINTS]; /* of everybody, up to the end of each bucket */
};

/*
 * Ages in half octaves: bin 0 is below 2^30 ns (1.07 s), where nearly everything dies; bin 1 + 2 k
 * + h begins at (2 + h) * 2^(29 + k) ns; the last one is open.
 */
#define KMT_AGE_BINS	 40u
#define KMT_AGE_FIRST_NS (UINT64_C(1) << 30)

struct kmt_history {
	uint64_t live[KMT_HISTORY_POINTS];	 /* objects at the end of each bucket */
	uint64_t live_bytes[KMT_HISTORY_POINTS]; /* the same in bytes */
	uint64_t born[KMT_HISTORY_POINTS];	 /* of those that are live at the end: by when they
						    were allocated */
	uint64_t live_ages[KMT_AGE_BINS];	 /* of those that are live at the end */
	uint64_t freed_ages[KMT_AGE_BINS];  /* at which the others were freed; bin 0 isn't counted
					       here */
	uint64_t reused_ages[KMT_AGE_BINS]; /* at which their address was handed out again, their
					       free unseen: they died before; bin 0 isn't counted */
};

struct kmt_track; /* the same of one account: see track.h */
struct kmt_account;
struct kmt_accounts;

/* Empties @grid. */
void kmt_grid_start(struct kmt_grid *grid, uint64_t start_ns);

/* Where the next bucket ends; UINT64_MAX if time does before. */
uint64_t kmt_grid_next_ns(const struct kmt_grid *grid);

/* The bucket that a time is in, the first or last one if it is in none. Not of an empty grid. */
size_t kmt_grid_bucket(const struct kmt_grid *grid, uint64_t time_ns);

/**
 * kmt_grid_busy_until() - when the load ended
 * @born: of a site by bucket, not to be counted: what a site keeps says nothing of the load of
 * others
 * @end_ns: of the grid
 *
 * Return: the end of the last bucket in which much was allocated; 0 if that goes on to the end, or
 * was less than half of the recording, which then had no steady load, or if there was too little to
 * tell.
 */
uint64_t kmt_grid_busy_until(const struct kmt_grid *grid, const uint64_t born[KMT_HISTORY_POINTS],
			     uint64_t end_ns);

/**
 * kmt_tracks_pass() - note what is live at all ends of buckets up to a time
 * @accounts: all that is older than the first of these ends is booked, and nothing behind it. An
 *	account gets a track when it has something to note: most never hold anything for long
 * @time_ns: how far it is from the start doesn't matter
 *
 * Return: 0; -ENOMEM, with some of it done: then there is no going on.
 */
int kmt_tracks_pass(struct kmt_grid *grid, struct kmt_accounts *accounts, uint64_t time_ns);

/**
 * kmt_tracks_finish() - note what is live at the end, which closes the last bucket early
 * @ret_grid: @grid with that bucket, which @grid itself goes on without
 *
 * Every account with something live has a track then. Otherwise as kmt_tracks_pass().
 */
int kmt_tracks_finish(struct kmt_grid *grid, struct kmt_accounts *accounts, uint64_t end_ns,
		      struct kmt_grid *ret_grid);

/* Adds the track of an account, whose objects have @bytes_alloc each, to a sum. */
void kmt_history_add(struct kmt_history *history, const struct kmt_track *track,
		     uint64_t bytes_alloc);

/* A history that is only kept: most have little in them. On the heap. */
struct kmt_packed_history;

/* Return: 0 or -ENOMEM. */
int kmt_history_pack(const struct kmt_history *history, struct kmt_packed_history **ret_packed);

void kmt_history_unpack(const struct kmt_packed_history *packed, struct kmt_history *ret_history);

static inline unsigned int kmt_age_bin(uint64_t age_ns)
{
	unsigned int octave, bin;

	if (age_ns < KMT_AGE_FIRST_NS)
		return 0;
	octave = 63u - (unsigned int)__builtin_clzll(age_ns);
	bin = 1 + 2 * (octave - 30) + (unsigned int)(age_ns >> (octave - 1) & 1);
	return bin < KMT_AGE_BINS ? bin : KMT_AGE_BINS - 1;
}

/* The youngest age of a bin. */
static inline uint64_t kmt_age_bin_from(unsigned int bin)
{
	return bin == 0 ? 0 : (UINT64_C(2) + ((bin - 1) & 1)) << (29 + (bin - 1) / 2);
}

#endif
