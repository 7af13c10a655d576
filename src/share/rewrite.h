/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_SHARE_REWRITE_H
#define KMT_SHARE_REWRITE_H

#include "kmemtape/formats.h"
#include "kmemtape/tape.h"

#include "task-names.h"

/*
 * The CPU files of a tape, written anew: without what is damaged, which becomes a mark of missed
 * events, up to where all of them go, and just of a time. What a CPU file is missing at its end,
 * without a mark, is also missing in the others: see kmt_rewrite_look().
 */
struct kmt_rewrite_cpu {
	bool is_missing; /* nothing of it is left: all its events are missing */
	bool is_cut;	 /* it has no footer: known up to limit_ns */
	uint64_t limit_ns;
	uint64_t last_ns;		  /* of its last event or mark */
	struct kmt_err damage;		  /* the first one; "" none */
	uint64_t gaps;			  /* places where something is missing */
	uint64_t lost_bytes;		  /* raw, as far as it is known how many */
	uint64_t raw_bytes;		  /* that are left of it */
	uint64_t last_gap_ns;		  /* of the last event in front of the last gap */
	uint64_t marked, marked_within;	  /* lost events, by marks that say how many; of the time */
	uint64_t unsized, unsized_within; /* marks that don't */
};

struct kmt_rewrite {
	struct kmt_tape *tape;		   /* borrowed, as all here */
	const struct kmt_formats *formats; /* of it */
	uint64_t from_ns, to_ns;	   /* trace clock: from_ns <= time < to_ns */
	struct kmt_task_names *names;	   /* of before from_ns; NULL: not wanted */

	struct kmt_rewrite_cpu *cpus; /* as tape->cpus; kmt_rewrite_deinit() */
	uint64_t end_ns;	      /* of the new tape: what it is complete up to */
	size_t cut_cpu;		      /* who makes it end there; SIZE_MAX none */
};

/**
 * kmt_rewrite_look() - read all of it, to know where it ends and what is missing
 *
 * Time ends for all CPUs at the earliest end of a file that was cut, since frees on it are missing
 * behind.
 */
int kmt_rewrite_look(struct kmt_rewrite *rewrite, struct kmt_err *err);

/* kmt_rewrite_write() - then: write the CPU files of the new tape @dirfd */
int kmt_rewrite_write(struct kmt_rewrite *rewrite, int dirfd, struct kmt_err *err);

void kmt_rewrite_deinit(struct kmt_rewrite *rewrite);

#endif
