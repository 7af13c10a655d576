/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMEMTAPE_RESULT_H
#define KMEMTAPE_RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "kmemtape/cleanup.h"
#include "kmemtape/dossier.h"
#include "kmemtape/err.h"
#include "kmemtape/history.h"
#include "kmemtape/intervals.h"
#include "kmemtape/judgement.h"
#include "kmemtape/ledger.h"
#include "kmemtape/site.h"

/* RESULT, the border between replay and report: all that is known, with no way back to the tape. */

enum kmt_group {
	KMT_BY_SITE,
	KMT_BY_CACHE,
	KMT_BY_MODULE,
	KMT_BY_COMM,
	KMT_BY_PID,
	KMT_BY_STACK, /* one for each call stack */
	KMT_BY_OWNER, /* the function that the memory is for: the first of the stack that is no
			 helper */
};

/* An estimate of what is live from a sample, with its 95 % interval. */
struct kmt_estimate {
	double objects, objects_low, objects_high;
	double bytes, bytes_low, bytes_high;
};

/* A frame, named. Texts are the result's. */
struct kmt_frame {
	uint64_t address;     /* return address */
	const char *function; /* NULL unknown */
	uint64_t offset, size;
	const char *module, *taint; /* NULL, "": built in */
	bool is_helper;		    /* allocates for others: see owners.h */
	const char *lines; /* "fs/dcache.c:1764", of inlined ones "a.c:3 < b.c:9", innermost first;
			      NULL */
};

/* One stack of a call site or an owner, for trees. */
struct kmt_stack_row {
	struct kmt_site site;		/* the row that it belongs to */
	const struct kmt_frame *frames; /* innermost first; the result's */
	size_t nr_frames;
	uint64_t allocs, live_objects, live_bytes;
};

/* Live at the end and known of one address space. */
struct kmt_space_sum {
	bool is_recorded;
	uint64_t allocs, frees, live_objects, live_bytes;
	struct kmt_estimate estimate; /* where sampled; else the same as live_* */
};

enum kmt_sort {
	KMT_SORT_SUSPICION, /* the verdict's first; then suspects by class, confidence and live
			       bytes; then all others by live bytes */
	KMT_SORT_BYTES,	    /* live bytes, largest first */
	KMT_SORT_OBJECTS,
	KMT_SORT_ALLOCS,
	KMT_SORT_AGE, /* oldest live object first */
};

/* One line of the report: a call site, or whatever it is grouped by. */
struct kmt_row {
	uint64_t call_site;    /* by site; else 0 */
	const char *function;  /* by site; NULL unknown. All texts are borrowed from the result */
	uint64_t offset, size; /* in and of the function */
	uint32_t instance;     /* by site: tells loads of modules apart; 0: built in */
	bool is_unknown;       /* by site and by module: nobody knows whose code it is */
	const char *module;    /* by site and by module; NULL: built in, or unknown */
	const char *taint;     /* of the module; "" none */
	const char *cache;     /* the one that holds most of it; NULL unknown */
	uint32_t nr_caches;
	const char *comm; /* by comm and by pid; NULL unknown */
	int32_t pid;	  /* by pid; -1: interrupts */

	uint64_t allocs, frees, reused;
	uint64_t alloc_bytes; /* of all allocations */
	uint64_t live_objects, live_bytes, requested_bytes;
	uint64_t uncertain_objects; /* of the live: their free may be among the lost events */
	uint64_t recorder_objects;  /* of the live: kmemtape's own */
	uint64_t oldest_age_ns;	    /* 0 if there is nothing live */
	uint64_t mature_objects, mature_bytes; /* of the live: older than the grace period */

	uint32_t space;			/* enum kmt_space, or of a pair */
	const char *pair;		/* its name; NULL: of no pair */
	uint64_t bytes_each;		/* of pages without a stack: of one block; else 0 */
	const char *gfp;		/* of pages without a stack; NULL */
	enum kmt_use use;		/* of pages */
	const struct kmt_frame *frames; /* by stack: all of it; by site and by owner: of the stack
					   that holds most; NULL: none recorded */
	size_t nr_frames;
	uint32_t nr_stacks; /* that this row is made of */
	const char *owner;  /* by site: function that owns most of it; NULL: itself, or unknown */
	const char *owner_module, *owner_taint; /* NULL, "": built in */
	uint32_t nr_owners;			/* by site: that it is for; 0: no stack tells */
	bool is_owners;	   /* by site: the judgement is of what is for @owner, and not of all */
	const char *lines; /* by site: source lines of the call, as in struct kmt_frame; NULL */
	struct kmt_estimate estimate; /* where the tape is a sample */
	bool is_estimated;

	bool is_rest;			    /* of call sites that were not told apart */
	bool is_unloaded;		    /* of a module that was gone at the end */
	bool is_reclaimable;		    /* all of its caches are */
	bool is_suppressed;		    /* the user doesn't want to hear of it */
	struct kmt_packed_history *history; /* NULL: there was never much of it. The result's */
	struct kmt_judgement judgement;
};

enum kmt_leak {
	KMT_LEAK_NONE,
	KMT_LEAK_POSSIBLE,
	KMT_LEAK_LIKELY,
};

static inline struct kmt_site kmt_row_site(const struct kmt_row *row)
{
	return (struct kmt_site){ row->call_site, row->instance, row->space, row->use };
}

/* How many times what was recorded of a row there is of it, as far as a sample tells. */
static inline double kmt_row_scale(const struct kmt_row *row)
{
	if (!row->is_estimated || !row->live_objects)
		return 1;
	return row->live_bytes ? row->estimate.bytes / (double)row->live_bytes
			       : row->estimate.objects / (double)row->live_objects;
}

/* What was recorded of a row, as an estimate of all. */
static inline uint64_t kmt_row_scaled(const struct kmt_row *row, uint64_t n)
{
	double value = (double)n * kmt_row_scale(row);

	return value < 1.8e19 ? (uint64_t)(value + 0.5) : UINT64_MAX;
}

/* For whom what is judged of a row is: all of it, or a part; NULL: for itself, or for many. */
static inline const char *kmt_row_judged_owner(const struct kmt_row *row)
{
	return row->nr_owners == 1 || row->is_owners ? row->owner : NULL;
}

static inline bool kmt_row_has_size(const struct kmt_row *row)
{
	return row->space < KMT_SPACE_PAIR;
}

/* What the first line says. */
struct kmt_verdict {
	enum kmt_leak leak;
	double confidence; /* 0..1, that it is as `leak` says */
	char headline[256];
	uint64_t leaking_bytes; /* mature bytes of all suspects */
	double bytes_per_s;	/* of all suspects */
	/* Of whom the headline speaks: a site, or a caller of vmalloc(); 0 and NULL: of nobody. */
	uint64_t call_site;
	const char *function, *caller;
	bool is_unsized; /* pairs are among the suspects: leaking_bytes doesn't have them, for
			    nobody knows their size */
	const char *owner, *owner_module; /* for whom it allocates; NULL: nobody, or not known */
};

#define KMT_SURE_ENOUGH 0.5

/* A "no" that is none: what the tape can't tell must not look healthy. */
static inline bool kmt_verdict_is_untold(const struct kmt_verdict *verdict)
{
	return verdict->leak == KMT_LEAK_NONE && verdict->confidence < KMT_SURE_ENOUGH;
}

/* Growth between the first and the last snapshot, and how much of it the live set explains. */
struct kmt_bill_item {
	const char *name; /* as in meminfo */
	int64_t growth_bytes;
	bool is_explained; /* the live set has something to say on it */
	int64_t explained_bytes;
};

/* What the kernel counted at one snapshot. */
#define KMT_BILL_ITEMS_MAX 6u

struct kmt_counter_point {
	uint64_t time_ns;		    /* trace clock */
	int64_t growth[KMT_BILL_ITEMS_MAX]; /* bytes since the first, of each item of the bill */
};

/* One slab cache: what slabinfo counts against what the events say. */
struct kmt_cache_check {
	const char *cache;
	int64_t counted_objects,
		counted_bytes;		 /* growth by slabinfo; of kmalloc-N over its variants */
	int64_t booked_low, booked_high; /* growth of the live set; low: all frees of unknown
					    objects were of this cache */
	uint64_t slack_objects;		 /* error of slabinfo: per-CPU and partial slabs */
	bool is_contradicted;		 /* the live set claims more than slabinfo allows */
	bool is_reclaimable;
};

/* vmalloc areas by caller, from vmallocinfo. */
struct kmt_vmalloc_row {
	const char *caller;		  /* as vmallocinfo shows it */
	const char *module, *taint;	  /* NULL, "": built in */
	uint64_t areas, bytes;		  /* at the last snapshot */
	int64_t grown_areas, grown_bytes; /* since the first */
	bool is_seen_by_events;		  /* a row has the same: it's no finding of its own */
	bool is_suppressed;
	struct kmt_judgement judgement;
};

struct kmt_reconciliation {
	size_t nr_snapshots;	 /* below 2 nothing else is known */
	uint64_t from_ns, to_ns; /* trace clock, of the first and the last */
	struct kmt_bill_item *items;
	size_t nr_items;
	int64_t kernel_growth_bytes; /* of slab, vmalloc, per-CPU, page tables and stacks together
				      */
	int64_t explained_bytes;
	struct kmt_counter_point *points; /* of the items over time; oldest first */
	size_t nr_points;
	struct kmt_cache_check *caches; /* largest growth first */
	size_t nr_caches;
	struct kmt_vmalloc_row *vmallocs; /* largest growth first; only those that grew */
	size_t nr_vmallocs;
};

/* Frees of objects that no recorded allocation owns: older ones, or of allocations that emit
 * nothing. */
struct kmt_unknown_frees {
	const char *cache; /* NULL: unknown */
	uint64_t frees;
};

/* A line of the suppression file, and what it hid. */
struct kmt_suppression_hits {
	const char *pattern;
	uint64_t rows, objects, bytes;
};

/* By what the code of the kernel or of a module is told from all other builds. */
struct kmt_build_id {
	const char *module; /* NULL: the kernel */
	const char *id;	    /* hexadecimal */
};

/* NULL: not known. "(none)" is what the kernel calls a host that was given no name. */
static inline const char *kmt_known_host(const char *host)
{
	return host && *host && strcmp(host, "(none)") != 0 ? host : NULL;
}

struct kmt_result {
	char *path, *kernel, *arch, *clock, *host; /* host "": not known */
	char started_at[32];			   /* RFC 3339, UTC; "" unknown */
	size_t nr_cpus;
	uint64_t duration_ns;
	uint64_t older_ns;
	uint64_t sample;
	bool is_complete;
	bool has_symbols;
	bool is_distilled; /* the tape has books instead of events */

	struct kmt_totals totals;
	uint64_t lost;	     /* events, by the kernel's own count where it is larger */
	uint64_t live_bytes; /* of all spaces; pages only as far as no other space has them, see
				enum kmt_use, and not user memory. Pairs have no size */
	uint64_t recorder_objects, recorder_bytes;
	uint64_t start_ns, end_ns; /* trace clock */
	uint64_t grace_ns;
	bool has_free_probes; /* kfree_rcu() and bulk frees were recorded */
	struct kmt_grid grid; /* of all histories */

	struct kmt_verdict verdict;
	struct kmt_reconciliation reconciliation;
	struct kmt_space_sum spaces[KMT_SPACES_MAX];
	const char *pairs[KMT_PAIRS_MAX];     /* names; NULL: no more */
	uint64_t page_bytes_by_use[KMT_USES]; /* of live pages */
	struct kmt_estimate estimate;	      /* of live_bytes, where sampled: is_estimated */
	bool is_estimated;
	char **filters; /* "kmem:kmalloc: bytes_alloc >= 4096" */
	size_t nr_filters;
	struct kmt_stack_row *stacks; /* of the sites that were explained, or of all; most live
					 bytes first */
	size_t nr_stacks;
	struct kmt_frame **frames; /* what rows and stacks borrow */
	size_t nr_frames;
	struct kmt_unknown_frees *unknown_frees; /* by cache, most first */
	size_t nr_unknown_frees;
	struct kmt_suppression_hits *suppressions;
	size_t nr_suppressions;

	enum kmt_group group;
	struct kmt_row *rows; /* sorted */
	size_t nr_rows;
	struct kmt_build_id *build_ids; /* by module, where there is just one, the kernel first */
	size_t nr_build_ids;
	char **notes; /* what a reader must know before the numbers: one line each */
	size_t nr_notes;

	/* What was asked for beyond the rows */
	bool is_explanation;
	struct kmt_dossier *dossiers; /* of the sites that were meant, most live objects first */
	size_t nr_dossiers;
	bool has_more_sites;  /* were meant, too, and left out */
	uint64_t interval_ns; /* width of the table over time; 0: not asked for */
	struct kmt_interval *intervals;
	size_t nr_intervals;
	const char *only; /* of what the table is; NULL: of all */
	enum kmt_group only_by;
	size_t nr_disturbances; /* by others, of the recording */
	int64_t wall_offset_ns; /* trace clock to wall clock; 0: unknown */

	char **texts; /* what the rows borrow */
	size_t nr_texts;
};

int kmt_result_new(struct kmt_result **ret_result, struct kmt_err *err);
struct kmt_result *kmt_result_free(struct kmt_result *result);

/* An array of rows that is no result's, and what is theirs. */
void kmt_result_free_rows(struct kmt_row *rows, size_t nr);

/* Return: 0 or -ENOMEM. */
int kmt_result_note(struct kmt_result *result, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Takes all notes back. */
void kmt_result_drop_notes(struct kmt_result *result);

/* A copy that lives as long as @result; NULL for NULL. Return: 0 or -ENOMEM. */
int kmt_result_keep(struct kmt_result *result, const char *text, const char **ret_text);

/* Takes @frames, an array on the heap, on success. Return: 0 or -ENOMEM. */
int kmt_result_keep_frames(struct kmt_result *result, struct kmt_frame *frames);

/*
 * Does live_bytes have what is in @space and, if it is pages, went to @use? Not pages that are in
 * another space that was recorded, too, nor those of users.
 */
bool kmt_result_counts(const struct kmt_result *result, uint32_t space, enum kmt_use use);

/* Of the kernel (NULL) or a module; NULL: not known. */
const char *kmt_result_build_id(const struct kmt_result *result, const char *module);

/* The row of a call site; NULL if there is none. */
const struct kmt_row *kmt_result_site(const struct kmt_result *result, const struct kmt_site *site);

/* Is it that of which the first line speaks, or a part of it? */
bool kmt_result_blames(const struct kmt_result *result, const struct kmt_row *row);

/* Ties are broken by all that identifies a row, so that the order depends on the tape alone. */
void kmt_result_sort(struct kmt_result *result, enum kmt_sort sort);

/* "none", "possible", "likely" */
const char *kmt_leak_name(enum kmt_leak leak);

KMT_DEFINE_FREEP(struct kmt_result *, kmt_result_free)

#endif
