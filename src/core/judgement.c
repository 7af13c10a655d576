// SPDX-License-Identifier: LGPL-2.1-only
#include <math.h>

#include "judging.h"

/* A leak among untraced frees has to be clearer than others. */
#define UNTRACED_LEAK_OBJECTS  20
#define UNTRACED_LEAK_DRIFT    -0.7
#define UNTRACED_LEAK_LIFETIME 3.0
/* kfree_rcu() may hold an object back for 5 s: it takes some times that for the reuse to settle. */
#define UNTRACED_LENGTH_S      60.0
/* Half of it may have been freed unseen, in a loss: then no more can be said. */
#define UNCERTAIN_PART	       0.5
/* A window that is shorter than this part of the whole has too little in it. */
#define CERTAIN_PART	       0.25
/* As many lost events are a part of what they may explain that changes nothing. */
#define LOST_PART_SMALL	       0.1

/* Where hardly any free is seen, "never freed" is worth nothing by itself. */
static bool is_hidden_by_reuse(const struct kmt_judging *judging, double length_s)
{
	return judging->untraced >= UNTRACED_SHARE_BIG && length_s < UNTRACED_LENGTH_S &&
	       !judging->evidence->is_cache_confirmed;
}

/* A leak among untraced frees is possible, but then it is more than the tail of the reuse. */
static bool is_clear_of_reuse(const struct kmt_judging *judging)
{
	const struct kmt_pace *pace = &judging->view.pace;
	double length_s = fmax(pace->to_s - pace->from_s, 1e-9);

	if (is_hidden_by_reuse(judging, length_s))
		return false;
	return judging->untraced <= 0 || (pace->nr >= UNTRACED_LEAK_OBJECTS &&
					  pace->drift >= UNTRACED_LEAK_DRIFT - pace->drift_error &&
					  pace->lifetime_s >= UNTRACED_LEAK_LIFETIME * length_s);
}

/* What the counters and the reuse of addresses leave of a leak. */
static void judge_steady(struct kmt_judging *judging, void (*class)(struct kmt_judging *judging))
{
	if (kmt_is_contradicted(judging->evidence, judging->view.pace.nr))
		kmt_class_contradicted(judging);
	else if (!is_clear_of_reuse(judging))
		kmt_class_untraced(judging);
	else
		class(judging);
}

static void judge_unsteady(struct kmt_judging *judging)
{
	const struct kmt_evidence *evidence = judging->evidence;

	if (judging->untraced > 0)
		kmt_class_untraced(judging);
	else if (kmt_is_contradicted(evidence, (double)evidence->mature_objects) &&
		 evidence->mature_objects >= LEAK_OBJECTS_MIN)
		kmt_class_contradicted(judging);
	else if (judging->view.finding == KMT_FOUND_FEW)
		kmt_class_few(judging);
	else if (judging->view.finding == KMT_FOUND_MORTAL)
		kmt_class_mortal(judging);
	else
		kmt_class_unsteady(judging);
}

static double length_of(const struct kmt_survivors *survivors)
{
	return fmax(survivors->to_s - survivors->from_s, 0);
}

/*
 * So many lost events that it matters: what came after them has to stand by itself, if that is long
 * enough to tell. Else it is known how many of the others are live, but not which.
 */
static void judge_doubtful(struct kmt_judging *judging)
{
	const struct kmt_evidence *evidence = judging->evidence;
	double doubtful = (double)judging->doubtful;
	bool is_mostly = doubtful >= UNCERTAIN_PART * (double)evidence->mature_objects;
	bool is_wide;
	struct kmt_view certain;

	kmt_view_look(evidence, true, &certain);
	is_wide =
		length_of(&certain.survivors) >= CERTAIN_PART * length_of(&judging->view.survivors);
	if (certain.finding == KMT_FOUND_STEADY || (is_wide && !is_mostly)) {
		kmt_judging_see(judging, &certain);
		if (certain.finding == KMT_FOUND_STEADY)
			judge_steady(judging, kmt_class_steady);
		else
			judge_unsteady(judging);
	} else if (is_mostly || doubtful >= UNCERTAIN_PART * judging->view.survivors.nr) {
		kmt_class_uncertain(judging);
	} else if (judging->view.finding == KMT_FOUND_STEADY) {
		judge_steady(judging, kmt_class_exposed);
	} else {
		judge_unsteady(judging);
	}
}

static void judge_survivors(struct kmt_judging *judging)
{
	double doubtful = (double)judging->doubtful;

	if (judging->doubtful && doubtful > LOST_PART_SMALL * judging->view.survivors.nr)
		judge_doubtful(judging);
	else if (judging->view.finding == KMT_FOUND_STEADY)
		judge_steady(judging, kmt_class_steady);
	else
		judge_unsteady(judging);
}

static double untraced_share(const struct kmt_evidence *evidence, uint64_t nr_frees,
			     uint64_t nr_reused)
{
	double reused = (double)nr_reused, ends = (double)nr_frees + reused;
	double share = ends > 0 ? reused / ends : 0;

	if (nr_reused < UNTRACED_REUSED ||
	    (share < UNTRACED_SHARE &&
	     reused < UNTRACED_LIVE_PART * (double)evidence->mature_objects))
		return 0;
	/* Each lost event can have been one of the frees. */
	if (evidence->last_loss_ns &&
	    (evidence->lost_events == KMT_UNKNOWN || nr_reused <= evidence->lost_events))
		return 0;
	return share;
}

/* A part of a call site has fewer ends to tell it by than all of it. */
static void find_untraced(struct kmt_judging *judging)
{
	const struct kmt_evidence *evidence = judging->evidence;
	double own = untraced_share(evidence, evidence->frees, evidence->reused);
	double site = untraced_share(evidence, evidence->site_frees, evidence->site_reused);
	bool is_own = own >= site;

	judging->untraced = is_own ? own : site;
	judging->reused = is_own ? evidence->reused : evidence->site_reused;
	judging->ends = judging->reused + (is_own ? evidence->frees : evidence->site_frees);
}

/* Growth since a pool of addresses has settled counts; of what was there before, the traced part.
 */
static uint64_t estimate_live(const struct kmt_judging *judging)
{
	const struct kmt_evidence *evidence = judging->evidence;
	double mature = (double)evidence->mature_objects, grown = 0, estimate;

	if (judging->view.finding == KMT_FOUND_STEADY)
		grown = fmin(judging->view.pace.nr, mature);
	estimate = grown + (1 - judging->untraced) * (mature - grown);
	if (evidence->cache_allows != KMT_UNKNOWN)
		estimate = fmin(estimate, (double)evidence->cache_allows);
	return estimate < mature ? (uint64_t)estimate : evidence->mature_objects;
}

static void count_certain(struct kmt_judging *judging)
{
	const struct kmt_evidence *evidence = judging->evidence;
	uint64_t exposed = evidence->last_loss_ns ? evidence->exposed_objects : 0;

	exposed = kmt_min_u64(exposed, evidence->mature_objects);
	judging->doubtful = kmt_min_u64(exposed, evidence->lost_events);
	judging->judgement->certain_objects = evidence->mature_objects - judging->doubtful;
}

int kmt_judge(const struct kmt_evidence *evidence, struct kmt_judgement *ret_judgement)
{
	struct kmt_judgement judgement = { 0 };
	struct kmt_judging judging = { .evidence = evidence, .judgement = &judgement };
	struct kmt_view view = { .finding = KMT_FOUND_FEW };
	int r;

	count_certain(&judging);
	find_untraced(&judging);
	if (evidence->mature_objects)
		kmt_view_look(evidence, false, &view);
	kmt_judging_see(&judging, &view);
	if (!evidence->mature_objects)
		kmt_class_young(&judging);
	else if (evidence->is_rest)
		kmt_class_rest(&judging);
	else if (evidence->owner && !evidence->is_reclaimable)
		kmt_class_owned(&judging);
	else if (evidence->is_unloaded && judgement.certain_objects)
		kmt_class_unloaded(&judging);
	else if (evidence->is_reclaimable)
		kmt_class_reclaimable(&judging);
	else
		judge_survivors(&judging);
	judgement.live_estimate = estimate_live(&judging);
	r = kmt_reasons_give(&judging.reasons, &judgement);
	if (r == 0)
		*ret_judgement = judgement;
	return r;
}

const char *kmt_class_name(enum kmt_class class)
{
	static const char *const names[] = {
		[KMT_CLASS_NONE] = "none",	     [KMT_CLASS_TRANSIENT] = "transient",
		[KMT_CLASS_CACHE] = "cache",	     [KMT_CLASS_UNTRACED] = "untraced-frees",
		[KMT_CLASS_UNCERTAIN] = "uncertain", [KMT_CLASS_GROWTH] = "growth",
		[KMT_CLASS_LEAK] = "leak",
	};

	return names[class];
}

const char *kmt_shape_name(enum kmt_shape shape)
{
	static const char *const names[] = {
		[KMT_SHAPE_NONE] = "none",	     [KMT_SHAPE_FLAT] = "flat",
		[KMT_SHAPE_LINEAR] = "linear",	     [KMT_SHAPE_STEPS] = "steps",
		[KMT_SHAPE_PLATEAU] = "plateau",     [KMT_SHAPE_SAWTOOTH] = "sawtooth",
		[KMT_SHAPE_TRANSIENT] = "transient",
	};

	return names[shape];
}
