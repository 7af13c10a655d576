// SPDX-License-Identifier: LGPL-2.1-only
#include <inttypes.h>
#include <math.h>

#include "kmemtape/units.h"

#include "judging.h"

/*
 * Nothing of a site was ever seen freed: its frees may all be unseen. So many others that came and
 * went in its cache would have used its addresses again.
 */
#define TURNOVER_MIN	     500
#define NEVER_FREED_CAP	     0.6
#define UNTRACED_CAP	     0.65
#define QUIET_CAP	     0.6
#define BLINDNESS_CAP	     0.65
#define DOUBT_CAP	     0.4 /* below what makes a leak, or the first line */
#define CACHE_UNTRACED_SHARE 0.1
/* The counters contradict if they leave less than this part of what looks live. */
#define ALLOWED_PART	     0.5

/* Pieces that are each 1 if there is nothing to doubt, and multiply. */
double kmt_confidence_steady(const struct kmt_judging *judging)
{
	const struct kmt_evidence *evidence = judging->evidence;
	const struct kmt_pace *pace = &judging->view.pace;
	double length_s = fmax(pace->to_s - pace->from_s, 1e-9);
	double graces = length_s * NS_PER_S / fmax((double)evidence->grace_ns, 1);
	/* As much as they are known to live longer than they were watched: even odds at 1. */
	double lifetime = pace->lifetime_s / length_s;
	double confidence = lifetime / (lifetime + 1);

	confidence *= 1 - 0.5 / fmax(graces, 1);
	confidence *= kmt_clamp(0.8 + 0.05 * ((double)pace->occasions - LEAK_OCCASIONS), 0.8, 1);
	confidence *= kmt_clamp(1 + 0.2 * (pace->drift + 0.5), 0.8, 1);
	return confidence;
}

/* No end of an object of the site was ever seen: are its frees traced at all? */
static bool is_never_freed(const struct kmt_evidence *evidence)
{
	return evidence->frees + evidence->site_frees == 0 &&
	       evidence->reused + evidence->site_reused == 0 && !evidence->has_free_probes &&
	       !evidence->is_cache_confirmed;
}

static bool has_turnover(const struct kmt_evidence *evidence)
{
	double ends = (double)evidence->cache_frees + (double)evidence->cache_reused;

	return ends >= TURNOVER_MIN && (double)evidence->cache_reused < CACHE_UNTRACED_SHARE * ends;
}

/* Each blind spot lowers @confidence, or @cap: no more is known, however sure the rest is. */

/* It came as long as anything did: so would what a cache keeps. */
static void weigh_quiet(struct kmt_judging *judging, double *cap)
{
	const struct kmt_evidence *evidence = judging->evidence;
	uint64_t end_ns = kmt_min_u64(evidence->end_ns, evidence->allocs_off_ns);
	char a[KMT_UNITS_BYTES];

	if (!evidence->busy_until_ns || evidence->busy_until_ns >= end_ns ||
	    end_ns - evidence->busy_until_ns <= evidence->grace_ns)
		return;
	AGAINST(judging, "the load ended %s before the recording did, and it with it",
		kmt_format_time(a, end_ns - evidence->busy_until_ns));
	*cap = fmin(*cap, QUIET_CAP);
}

static void weigh_never_freed(struct kmt_judging *judging, double *confidence, double *cap)
{
	const struct kmt_evidence *evidence = judging->evidence;

	if (!is_never_freed(evidence))
		return;
	if (!has_turnover(evidence)) {
		AGAINST(judging, "no free of this site was ever seen, and no counter or probe "
				 "says that they would be");
		*cap = fmin(*cap, NEVER_FREED_CAP);
		return;
	}
	FOR(judging, "%" PRIu64 " others of its cache came and went without its addresses",
	    evidence->cache_frees + evidence->cache_reused);
	*confidence *= 0.95;
}

static void weigh_untraced(struct kmt_judging *judging, double *confidence, double *cap)
{
	const struct kmt_evidence *evidence = judging->evidence;

	if (judging->untraced <= 0)
		return;
	AGAINST(judging, UNTRACED_TEXT, judging->reused, judging->ends);
	*confidence *= 1 - 0.3 * judging->untraced;
	/* A cache that grew is no proof then: what kfree_rcu() has not yet freed is in it. */
	if (judging->untraced >= UNTRACED_SHARE_BIG && !evidence->has_free_probes)
		*cap = fmin(*cap, UNTRACED_CAP);
}

static void weigh_loss(struct kmt_judging *judging, double *confidence)
{
	double mature = (double)judging->evidence->mature_objects;

	if (!judging->doubtful || mature <= 0)
		return;
	AGAINST(judging, LOST_TEXT, judging->doubtful, judging->evidence->mature_objects);
	*confidence *= 1 - 0.3 * (double)judging->doubtful / mature;
}

/* It may belong to something that is judged elsewhere: then it's a sign, and no more. */
static void weigh_doubt(struct kmt_judging *judging, double *cap)
{
	if (!judging->evidence->doubt)
		return;
	AGAINST(judging, "%s", judging->evidence->doubt);
	*cap = fmin(*cap, DOUBT_CAP);
}

/* All that is wrong may be the tape. */
static void weigh_blindness(struct kmt_judging *judging, double *cap)
{
	if (!judging->evidence->blindness)
		return;
	AGAINST(judging, "%s", judging->evidence->blindness);
	*cap = fmin(*cap, BLINDNESS_CAP);
}

double kmt_confidence_weigh(struct kmt_judging *judging, double confidence)
{
	const struct kmt_evidence *evidence = judging->evidence;
	double cap = 1;

	if (evidence->is_cache_confirmed) {
		FOR(judging, "the kernel's own counters confirm that its cache grew");
		confidence = 1 - (1 - confidence) / 2;
	}
	weigh_never_freed(judging, &confidence, &cap);
	weigh_untraced(judging, &confidence, &cap);
	weigh_loss(judging, &confidence);
	weigh_quiet(judging, &cap);
	weigh_doubt(judging, &cap);
	weigh_blindness(judging, &cap);
	if (evidence->is_out_of_tree) /* what everybody runs has been debugged by everybody */
		confidence = 1 - (1 - confidence) * 0.75;
	return fmin(confidence, cap);
}

bool kmt_is_contradicted(const struct kmt_evidence *evidence, double objects)
{
	return evidence->cache_allows != KMT_UNKNOWN &&
	       (double)evidence->cache_allows < ALLOWED_PART * objects;
}
