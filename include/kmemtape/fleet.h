/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMEMTAPE_FLEET_H
#define KMEMTAPE_FLEET_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "kmemtape/summary.h"

/*
 * Reports of many tapes as one: of a fleet, or of one host over days. Sites are found by function,
 * module and cache, for hosts run different kernels. A tape whose host is not known (it may be
 * redacted) is a host of its own.
 */

/* What one tape has of a site. */
struct kmt_fleet_part {
	size_t tape;			     /* index */
	const struct kmt_summary_row *owner; /* for whom it has it, as of the site */
	uint64_t allocs, live_objects, live_bytes;
	double left_bytes, per_s; /* left: older than the grace period, by the sample */
	enum kmt_class class;
	double confidence;
	bool is_suspect;
};

/*
 * Of a call site that leaks for several: a site for each of them, and one more for all rows that
 * are not suspected, for whomever they are. An owner without a name is nobody: another host has
 * another one at his address.
 */
struct kmt_fleet_site {
	const struct kmt_summary_row *row;   /* the one that says most, but not for whom */
	const struct kmt_summary_row *owner; /* one that has theirs all; NULL: none, or several */
	struct kmt_fleet_part *parts;	     /* in the order of the tapes */
	size_t nr_parts;
	size_t nr_tapes, nr_hosts;	     /* that have the call site, for whomever */
	size_t nr_leaking, nr_leaking_hosts; /* of which its report suspects it */
	/* Sums are over hosts, of each the tape with the most of it. */
	uint64_t live_bytes_sum, live_bytes_max;
	double per_s_sum, per_s_max; /* of those that leak: bytes; of pairs objects */
	/* Wall clock, UTC: of the tapes that have it, from the start of the first to the end of the
	   last; the same of those in which it leaks. "": unknown. */
	char first_seen[32], last_seen[32], first_leak[32], last_leak[32];
	char *key;
};

/* A recording that is there already, in this form or another: it counts once. */
struct kmt_fleet_repeat {
	const struct kmt_summary *tape; /* borrowed */
	size_t of;			/* index of the one that counts */
};

struct kmt_fleet {
	const struct kmt_summary **tapes; /* borrowed, each recording once */
	struct kmt_fleet_repeat *repeats; /* in the order in which they were given */
	size_t nr_repeats;
	size_t nr_tapes, nr_hosts;
	size_t nr_leaking_tapes, nr_leaking_hosts; /* by what their verdicts say */
	size_t nr_doubtful; /* tapes that lost events, or whose report is not whole */
	size_t nr_short;    /* tapes that can't say that nothing leaks */
	char headline[640];
	struct kmt_fleet_site *sites; /* on most hosts first; those that leak before all others */
	size_t nr_sites, nr_leaking_sites;
};

/* @tapes: borrowed, must outlive the merge. Return: 0; -EINVAL if they are not all by the same;
 * -ENOMEM. */
int kmt_fleet_new(struct kmt_summary *const *tapes, size_t nr, struct kmt_fleet **ret_fleet,
		  struct kmt_err *err);
struct kmt_fleet *kmt_fleet_free(struct kmt_fleet *fleet);

/* @top: sites at most; 0: all; UINT64_MAX: those that leak. Return: 0 or -ENOMEM. */
int kmt_fleet_text(const struct kmt_fleet *fleet, uint64_t top, FILE *file, struct kmt_err *err);
int kmt_fleet_json(const struct kmt_fleet *fleet, uint64_t top, FILE *file, struct kmt_err *err);
int kmt_fleet_page(const struct kmt_fleet *fleet, uint64_t top, FILE *file, struct kmt_err *err);

KMT_DEFINE_FREEP(struct kmt_fleet *, kmt_fleet_free)

#endif
