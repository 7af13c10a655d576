/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMEMTAPE_DIFF_H
#define KMEMTAPE_DIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "kmemtape/summary.h"

/*
 * Two reports, A and B: before and after a fix, of a good and a bad host. What is said of a site is
 * said only if both tapes could show it; else it "cannot be told", with the reason.
 */

/* Worst first. */
enum kmt_change {
	KMT_CHANGE_NEW,	   /* B leaks, and A, which would have shown it, doesn't */
	KMT_CHANGE_GROWN,  /* both leak, B faster: by time and by load */
	KMT_CHANGE_SAME,   /* both leak, as fast within their noise: by time, or by load at least */
	KMT_CHANGE_STILL,  /* both leak; which of them faster can't be told */
	KMT_CHANGE_SHRUNK, /* both leak, B slower: by time and by load */
	KMT_CHANGE_UNTOLD, /* one of them leaks; what the other does can't be told */
	KMT_CHANGE_GONE,   /* A leaks, and B, which would have shown it, doesn't */
	KMT_CHANGE_QUIET,  /* neither leaks: nothing to say */
};
#define KMT_CHANGES (KMT_CHANGE_QUIET + 1)

enum kmt_answer {
	KMT_ANSWER_WORSE,
	KMT_ANSWER_NOT_FIXED,
	KMT_ANSWER_BETTER, /* and not fixed */
	KMT_ANSWER_UNTOLD,
	KMT_ANSWER_FIXED,
	KMT_ANSWER_NO_LEAK, /* in neither */
};

/* How what is in A was found in B. */
enum kmt_match {
	KMT_MATCH_EXACT,    /* the same build: function and offset, module, cache */
	KMT_MATCH_FUNCTION, /* other builds: function, module, cache */
	KMT_MATCH_NAME,	    /* the same, but of another cache */
	KMT_MATCH_GROUP,    /* by module or by cache: its name */
};

/* What one tape has of it. */
struct kmt_diff_side {
	const struct kmt_summary_row *row; /* the one that says most; NULL: has nothing of it */
	size_t nr_rows;			   /* that were put together */
	uint64_t allocs, frees, live_objects, live_bytes, mature_objects, mature_bytes;
	/* Of all that there were, by the sample: calls, what is live (bytes, of pairs objects),
	 * mature. */
	double calls, live, objects, bytes;
	double per_s, per_s_low, per_s_high; /* growth: bytes, of pairs objects; 95 % */
	enum kmt_class class;
	double confidence;
	bool is_suspect, is_suppressed;
};

struct kmt_diff_item {
	const struct kmt_summary_row *row; /* the one that says most: the item is named by it */
	bool has_size;			   /* no pair */
	enum kmt_match match;
	enum kmt_change change;
	/* The tape that has nothing of it allocates there, for others; for many, of whom it names
	 * but one. */
	bool is_for_others, is_for_many;
	char why[160]; /* one line; "" needs none */
	struct kmt_diff_side sides[2];
	char *key;
};

/* As many as are looked at one by one, see nr_vanished. */
#define KMT_DIFF_VANISHED_MAX 32

struct kmt_diff {
	const struct kmt_summary *tapes[2]; /* borrowed */
	enum kmt_answer answer;
	char headline[640];
	bool is_same_kernel;	/* the same build of it */
	bool is_same_recording; /* in whatever form: it can't show what a fix did */
	bool has_suspect[2];	/* of each tape: something of it is suspected */
	/* What is suspected in A and has no name in B: it may have another one there. */
	const struct kmt_summary_row *vanished[KMT_DIFF_VANISHED_MAX];
	size_t nr_vanished;	     /* may be more */
	struct kmt_diff_item *items; /* worst first, then by bytes */
	size_t nr_items;
	size_t nr_by_change[KMT_CHANGES];
};

/**
 * kmt_diff_new() - compare
 * @a, @b: borrowed, must outlive the diff
 *
 * Return: 0; -EINVAL if they are not by the same: sites, modules or caches; -ENOMEM.
 */
int kmt_diff_new(const struct kmt_summary *a, const struct kmt_summary *b,
		 struct kmt_diff **ret_diff, struct kmt_err *err);
struct kmt_diff *kmt_diff_free(struct kmt_diff *diff);

/* "gone", "cannot tell"; "FIXED" */
const char *kmt_change_name(enum kmt_change change);
const char *kmt_answer_name(enum kmt_answer answer);

/* What a diff is written as. @top: items at most, quiet ones included; 0: all; UINT64_MAX: those
 * that differ. Return: 0 or -ENOMEM. */
int kmt_diff_text(const struct kmt_diff *diff, uint64_t top, FILE *file, struct kmt_err *err);
int kmt_diff_json(const struct kmt_diff *diff, uint64_t top, FILE *file, struct kmt_err *err);
int kmt_diff_page(const struct kmt_diff *diff, uint64_t top, FILE *file, struct kmt_err *err);

KMT_DEFINE_FREEP(struct kmt_diff *, kmt_diff_free)

#endif
