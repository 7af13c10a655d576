/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMEMTAPE_SNAPSHOTS_H
#define KMEMTAPE_SNAPSHOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kmemtape/cleanup.h"
#include "kmemtape/counters.h"
#include "kmemtape/err.h"

/*
 * The text of snapshots.zst to counters, one snapshot at a time:
 *
 *   ==> snapshot N at CLOCK_NS start <==         N from 0; start, interval or end
 *   ==> /proc/meminfo <==
 *   (the file), and so on
 *
 * Memory doesn't depend on how many there are. Text is taken in pieces of any size, and trusted as
 * little as counters.h trusts it.
 */
struct kmt_snapshots;

struct kmt_snapshot_head {
	uint64_t time_ns; /* trace clock */
	char why[16];	  /* "start", "interval", "end" */
};

struct kmt_snapshot_sink {
	void *context;

	/* Asked at each head; false: the text below is passed over, and counters stay empty. */
	bool (*want)(void *context, const struct kmt_snapshot_head *head);

	/*
	 * Told of each snapshot that is whole. @counters are finished, and may be taken by copying
	 * them and calling kmt_counters_init() on what is left.
	 *
	 * Return: 0, or negative errno, which is passed on.
	 */
	int (*take)(void *context, const struct kmt_snapshot_head *head,
		    struct kmt_counters *counters);
};

int kmt_snapshots_new(const struct kmt_snapshot_sink *sink, struct kmt_snapshots **ret_snapshots,
		      struct kmt_err *err);
struct kmt_snapshots *kmt_snapshots_free(struct kmt_snapshots *snapshots);

/* kmt_snapshots_add() - the next piece. Return: 0, -ENOMEM, or what sink->take() failed with. */
int kmt_snapshots_add(struct kmt_snapshots *snapshots, const char *text, size_t bytes);

/* What follows doesn't follow what was before: the snapshot that is under way is dropped. */
void kmt_snapshots_skip(struct kmt_snapshots *snapshots);

/**
 * kmt_snapshots_finish() - no more text
 * @is_whole: it ended as it was to end; else the last snapshot counts only if its later files, of
 * which nothing is read, have begun
 *
 * Return: as kmt_snapshots_add()
 */
int kmt_snapshots_finish(struct kmt_snapshots *snapshots, bool is_whole);

KMT_DEFINE_FREEP(struct kmt_snapshots *, kmt_snapshots_free)

#endif
