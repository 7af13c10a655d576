/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMEMTAPE_JUDGEMENT_H
#define KMEMTAPE_JUDGEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kmemtape/history.h"

/*
 * The judgement of one line of the report: what is known of it goes in, a class with its reasons
 * comes out. Pure arithmetic: the same evidence gives the same judgement.
 */
enum kmt_class {
	KMT_CLASS_NONE, /* nothing of it is live, or all that is is younger than the grace period
			   and it never held more for long: nothing to judge */
	KMT_CLASS_TRANSIENT, /* comes and goes */
	KMT_CLASS_CACHE,     /* reclaimable, or rose and stopped */
	KMT_CLASS_UNTRACED,  /* its frees are not all seen; what looks live is an upper bound */
	KMT_CLASS_UNCERTAIN, /* its frees may be among the lost events, or the counters contradict
			      */
	KMT_CLASS_GROWTH,    /* rising, not proven */
	KMT_CLASS_LEAK,
};

enum kmt_shape {
	KMT_SHAPE_NONE, /* too little of it to have one */
	KMT_SHAPE_FLAT,
	KMT_SHAPE_LINEAR,
	KMT_SHAPE_STEPS,
	KMT_SHAPE_PLATEAU, /* rose, then stopped */
	KMT_SHAPE_SAWTOOTH,
	KMT_SHAPE_TRANSIENT, /* rose and fell back */
};

/* Slopes are zero where there is no trend. */
struct kmt_trend {
	enum kmt_shape shape;
	double bytes_per_s, low, high; /* slope of the live bytes, and its 95 % interval */
	uint64_t since_ns;	       /* trace clock: growing since then; 0 if it isn't */
	uint64_t until_ns; /* trace clock: to where it was looked at: no allocation was recorded
			      later */
};

struct kmt_reason {
	bool is_for; /* the class; else against it */
	char text[120];
};

#define KMT_REASONS_MAX 12u
#define KMT_UNKNOWN	UINT64_MAX

/* All counts are of objects as recorded, without sampling's weights. */
struct kmt_evidence {
	const struct kmt_history *history; /* never NULL */
	const struct kmt_grid *grid;
	uint64_t end_ns;	/* trace clock; ages count back from here */
	uint64_t allocs_off_ns; /* allocations were recorded until then; end_ns if that is not known
				 */
	uint64_t busy_until_ns; /* the load, all other sites together, went on until then, and no
				   longer; 0: to the end, or not known */
	uint64_t grace_ns;	/* what is younger is no leak yet */
	uint64_t sample;	/* 1 in this many addresses was recorded */

	uint64_t allocs, frees, reused;
	uint64_t live_objects, live_bytes;     /* of any age */
	uint64_t mature_objects, mature_bytes; /* older than grace_ns */
	uint64_t exposed_objects; /* of the mature: allocated before the end of the last loss */
	uint64_t last_loss_ns;	  /* its end; 0: nothing was lost */
	uint64_t lost_events;	  /* each may have been the free of one object; KMT_UNKNOWN */

	/* Of the call site that it is a part of, if it is just a part: how frees are seen doesn't
	   depend on whom an object is for. */
	uint64_t site_frees, site_reused;

	/* Of its cache, over all call sites. */
	uint64_t cache_frees, cache_reused;
	uint64_t cache_allows;	 /* most objects of the mature that can be live by the kernel's own
				    counters; KMT_UNKNOWN */
	bool is_cache_confirmed; /* the counters grew as the live set did, beyond their own error */
	bool is_reclaimable;	 /* SLAB_RECLAIM_ACCOUNT: memory pressure gives it back */
	const char *owner; /* each object belongs to one of these ("an inode") and goes with it, so
			      that it can't leak by itself; NULL: to none */

	const char *doubt;     /* why it may be no leak of its own, however it looks; NULL */
	const char *blindness; /* why its frees may be missing, or seem to be; NULL */

	bool is_rest; /* of call sites that were not told apart: nobody can say whose it is */
	bool is_module, is_out_of_tree;
	bool is_unloaded;     /* the module went away and left this behind */
	bool has_free_probes; /* kfree_rcu() and bulk frees were recorded: see design.md */
};

struct kmt_judgement {
	enum kmt_class class;
	double confidence; /* 0..1, in the class */
	struct kmt_trend trend;
	uint64_t live_estimate;	    /* objects, what is likely to be live of live_objects */
	uint64_t certain_objects;   /* of the mature: that no loss can explain */
	struct kmt_reason *reasons; /* the strongest first; on the heap */
	size_t nr_reasons;
};

/**
 * kmt_judge() - judge one line
 * @ret_judgement: reasons are the caller's to free
 *
 * Return: 0 or -ENOMEM.
 */
int kmt_judge(const struct kmt_evidence *evidence, struct kmt_judgement *ret_judgement);

/*
 * A number that the kernel itself counts, such as the vmalloc areas of one caller: what is freed is
 * seen, but no object is told from another.
 */
struct kmt_counter_evidence {
	const uint64_t *times_ns;	 /* trace clock, strictly rising: one for each snapshot */
	const uint64_t *objects, *bytes; /* as many; 0 where the caller wasn't listed */
	size_t nr;
	uint64_t grace_ns;
	bool is_module, is_out_of_tree;
	bool is_unloaded; /* the module went away, and the last snapshot still has some of it */
};

/**
 * kmt_judge_counter() - the same by snapshots alone
 *
 * trend is of the bytes, live_estimate what was added since the first snapshot.
 *
 * Return: 0 or -ENOMEM.
 */
int kmt_judge_counter(const struct kmt_counter_evidence *evidence,
		      struct kmt_judgement *ret_judgement);

/* "leak", "untraced-frees"; "linear", "steps". */
const char *kmt_class_name(enum kmt_class class);
const char *kmt_shape_name(enum kmt_shape shape);

#endif
