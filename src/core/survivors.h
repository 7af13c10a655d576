/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_CORE_SURVIVORS_H
#define KMT_CORE_SURVIVORS_H

#include <stdbool.h>
#include <stddef.h>

#include "kmemtape/judgement.h"

/*
 * The survivors: what is live at the end and older than some age, and when it was born. Of a leak,
 * they are born all through the recording; of a cache that fills, early; of what comes and goes,
 * late. Seconds here count from the start of the grid, and counts are doubles: nothing overflows,
 * whatever is on the tape.
 */
struct kmt_survivors {
	double age_s;		    /* all are older */
	double from_s, to_s;	    /* when they can have been born */
	double nr;		    /* of objects */
	double deaths;		    /* of others, that were older than age_s, too */
	bool has_dead_elders;	    /* those that got older still did die */
	double bucket_s;
	double births[KMT_HISTORY_POINTS];
};

/**
 * kmt_survivors_find() - the survivors that are too old to die
 * @is_certain: only those that were allocated after the last loss
 * @ret_survivors: of the smallest age, from the grace period on, that hardly anything died beyond;
 *	if there is none: of the grace period
 *
 * Return: whether there is such an age.
 */
bool kmt_survivors_find(const struct kmt_evidence *evidence, bool is_certain,
			struct kmt_survivors *ret_survivors);

/* How their births are spread over the time from the first of them. */
struct kmt_pace {
	double nr, from_s, to_s; /* from: the first, less a few stray ones; to: of the survivors */
	double first_s, last_s;	 /* births, to the bucket */
	double drift; /* the rate of births goes as exp(drift * part of the time): 0 is steady */
	double drift_error;   /* one standard deviation */
	double independent;   /* births: one for a burst */
	double silence_s;     /* since the last birth */
	double patience_s;    /* longer than this is no chance */
	unsigned int runs; /* of buckets with births, one after the other */
	/* Slots with births, of KMT_PACE_SLOTS over the survivors' window, and of the pace's */
	unsigned int occasions, covered;
	double lifetime_s; /* they live longer than this on average, 95 % sure, seeing who died */
};

#define KMT_PACE_SLOTS 16u

void kmt_pace_measure(const struct kmt_survivors *survivors, struct kmt_pace *ret_pace);

/* The same without the first @part of the time from the first birth. */
void kmt_pace_measure_rest(const struct kmt_survivors *survivors, const struct kmt_pace *whole,
			   double part, struct kmt_pace *ret_pace);

/* How many of them were born before that time. */
double kmt_survivors_born_before(const struct kmt_survivors *survivors, double time_s);

#endif
