/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPLAY_VMALLOC_SERIES_H
#define KMT_REPLAY_VMALLOC_SERIES_H

#include "kmemtape/counters.h"
#include "kmemtape/result.h"
#include "kmemtape/symbols.h"

/*
 * Areas of vmalloc by caller, over the snapshots of a tape. What a module takes and never gives
 * back shows here on every kernel, without any event.
 */
#define KMT_VMALLOC_POINTS_MAX KMT_HISTORY_POINTS

struct kmt_vmalloc_series {
	void *callers; /* a tree of them, by text */
	size_t nr_callers;
	uint64_t times_ns[KMT_VMALLOC_POINTS_MAX];
	size_t nr; /* snapshots */
};

/* What is known of a caller. */
#define KMT_VMALLOC_TEXT_BYTES (2 * (KMT_COUNTERS_NAME_MAX + 1))

struct kmt_vmalloc_history {
	char *text;
	uint64_t areas[KMT_VMALLOC_POINTS_MAX], bytes[KMT_VMALLOC_POINTS_MAX];
	uint64_t first_pages,
		last_pages; /* of memory behind them, at the first snapshot and at last_at */
	size_t last_at;
	bool is_unloaded; /* at the last snapshot, its module was gone */
};

void kmt_vmalloc_series_init(struct kmt_vmalloc_series *series);
void kmt_vmalloc_series_deinit(struct kmt_vmalloc_series *series);

/**
 * kmt_vmalloc_series_add() - the next snapshot; KMT_VMALLOC_POINTS_MAX at most
 *
 * Return: 0 or -ENOMEM.
 */
int kmt_vmalloc_series_add(struct kmt_vmalloc_series *series, const struct kmt_counters *snapshot,
			   const struct kmt_symbols *symbols);

/* Each caller, by text. */
void kmt_vmalloc_series_walk(const struct kmt_vmalloc_series *series,
			     void (*visit)(void *context,
					   const struct kmt_vmalloc_history *history),
			     void *context);

/**
 * kmt_vmalloc_series_restore() - a caller as it was in another series
 * @series: its times are set by whoever restores it
 * @history: copied
 *
 * Return: 0; -EEXIST; -ENOMEM.
 */
int kmt_vmalloc_series_restore(struct kmt_vmalloc_series *series,
			       const struct kmt_vmalloc_history *history);

/**
 * kmt_vmalloc_series_fill() - rows of the callers that grew, judged
 * @result: reconciliation.vmallocs is filled in, largest growth first; grace_ns is set
 *
 * Return: 0 or -ENOMEM.
 */
int kmt_vmalloc_series_fill(const struct kmt_vmalloc_series *series,
			    const struct kmt_symbols *symbols, struct kmt_result *result);

/* Growth of the memory behind all areas, and behind those that are stacks of tasks, in pages. */
void kmt_vmalloc_series_growth(const struct kmt_vmalloc_series *series, int64_t *ret_pages,
			       int64_t *ret_stack_pages);

#endif
