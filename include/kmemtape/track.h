/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMEMTAPE_TRACK_H
#define KMEMTAPE_TRACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kmemtape/history.h"

/*
 * A track: the history of one account, of which there are many. Most hold little and seldom change,
 * so that what isn't 0, and where it changes, takes little room; those that have much of anything
 * have each count by itself.
 */
struct kmt_track;

/* All of a track. Bytes are objects times the account's size; counts that don't fit stay at
 * UINT32_MAX. */
struct kmt_counts {
	uint32_t live[KMT_HISTORY_POINTS];
	uint32_t born[KMT_HISTORY_POINTS];
	uint32_t live_ages[KMT_AGE_BINS];
	uint32_t freed_ages[KMT_AGE_BINS];
	uint32_t reused_ages[KMT_AGE_BINS];
};

/* Where a track is given by a pointer to a pointer, it may move, and be NULL before: a new one
 * then. Those that return an int return 0; or -ENOMEM, with the track as it was. */

void kmt_track_read(const struct kmt_track *track, struct kmt_counts *ret_counts);

/* All that was in it goes. */
int kmt_track_write(struct kmt_track **track, const struct kmt_counts *counts);

/* @ret_track: NULL for NULL */
int kmt_track_copy(const struct kmt_track *from, struct kmt_track **ret_track);

/* As if what is in @counts, on the same grid, were of the same account. */
void kmt_track_add(const struct kmt_track *track, struct kmt_counts *counts);

/**
 * kmt_track_note() - so many are live at the ends of buckets
 * @from, @to: from <= i < to; the last is the last so far, and those before @from have been noted
 */
int kmt_track_note(struct kmt_track **track, size_t from, size_t to, uint64_t live);

/* Two buckets become one, which ends where the second did. @nr: of them, even */
void kmt_track_widen(struct kmt_track *track, size_t nr);

/* Nothing was live at any point, and nothing died that was old. */
bool kmt_track_is_empty(const struct kmt_track *track);

/* Notes the end of an object that was KMT_AGE_FIRST_NS old or older. */
int kmt_track_death(struct kmt_track **track, uint64_t age_ns, bool is_reused);

/* The free of one that was noted as reused came late after all. @bin: not 0 */
int kmt_track_death_is_free(struct kmt_track **track, unsigned int bin);

/* Forgets what kmt_track_live() noted. @track: may be NULL */
void kmt_track_reset_live(struct kmt_track *track);

/* Notes an object that is live at the end of a finished grid. */
int kmt_track_live(struct kmt_track **track, const struct kmt_grid *grid, uint64_t time_ns,
		   uint64_t end_ns);

#endif
