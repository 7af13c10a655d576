/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMEMTAPE_INTERVALS_H
#define KMEMTAPE_INTERVALS_H

#include <stddef.h>
#include <stdint.h>

#include "kmemtape/cleanup.h"
#include "kmemtape/err.h"
#include "kmemtape/ledger.h"

/*
 * A table over time: what was allocated and freed in each interval of a fixed width. Kept by
 * account, because which accounts are wanted may be known only at the end: the name of a cache
 * comes with the first free of an object, when a module came and went is known when it has gone.
 */
#define KMT_INTERVALS_MAX	100000u	 /* lines: more is not for reading */
#define KMT_INTERVAL_POINTS_MAX 4000000u /* 180 MiB */

struct kmt_interval {
	uint64_t from_ns,
		to_ns;	 /* trace clock; the last one may be shorter, and includes its end */
	uint64_t allocs; /* objects, as in struct kmt_account */
	uint64_t frees, reused;
	uint64_t live_objects, live_bytes; /* at its end */
	uint64_t losses;		   /* that touch it */
	uint64_t lost; /* events, as far as their number is known; where the loss ended */
};

struct kmt_intervals;

/**
 * kmt_intervals_new() - begin a table
 * @width_ns: not 0
 * @is_split: some accounts will turn out not to be wanted
 */
int kmt_intervals_new(uint64_t width_ns, bool is_split, struct kmt_intervals **ret_intervals,
		      struct kmt_err *err);
struct kmt_intervals *kmt_intervals_free(struct kmt_intervals *intervals);

/*
 * What a struct kmt_watcher is told is passed on here; @start_ns as kmt_ledger_start_ns() says.
 * Return: 0 or -ENOMEM.
 */
int kmt_intervals_alloc(struct kmt_intervals *intervals, uint64_t start_ns,
			const struct kmt_account *account, const struct kmt_event *event);
int kmt_intervals_end(struct kmt_intervals *intervals, uint64_t start_ns,
		      const struct kmt_account *account, const struct kmt_object *object,
		      enum kmt_end how, const struct kmt_event *event);

/* This account is not wanted: forget it, and pass over what comes of it. */
void kmt_intervals_drop(struct kmt_intervals *intervals, const struct kmt_account *account);

/* @event: a KMT_EVENT_LOSS or KMT_EVENT_UNSEEN. Return: 0 or -ENOMEM. */
int kmt_intervals_loss(struct kmt_intervals *intervals, uint64_t start_ns,
		       const struct kmt_event *event);

/**
 * kmt_intervals_fill() - make the lines
 * @end_ns: of the tape, not before the last event
 * @is_wanted: asked of each account that was not dropped, by its index; NULL: all are
 * @ret_lines: on the heap
 *
 * Return: 0; -E2BIG if there would be too many lines, or too much had to be kept: take a longer
 * width; -ENOMEM.
 */
int kmt_intervals_fill(const struct kmt_intervals *intervals, uint64_t start_ns, uint64_t end_ns,
		       bool (*is_wanted)(void *context, uint32_t index), void *context,
		       struct kmt_interval **ret_lines, size_t *ret_nr);

/* How many lines it would take. */
uint64_t kmt_intervals_count(uint64_t width_ns, uint64_t start_ns, uint64_t end_ns);

KMT_DEFINE_FREEP(struct kmt_intervals *, kmt_intervals_free)

#endif
