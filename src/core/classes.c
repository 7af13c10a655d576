// SPDX-License-Identifier: LGPL-2.1-only
#include <inttypes.h>
#include <math.h>

#include "kmemtape/units.h"

#include "judging.h"

/* What rises as a leak does for too short a time is that part as sure. */
#define GROWTH_PART		      0.75
/* Slowing just a bit; in the kernel's own code not enough for the first line. */
#define SLOWING_CONFIDENCE	      0.49
/*
 * It paused just now: as often as not it is over. Of an out-of-tree module it is worth the first
 * line, as what may be.
 */
#define PAUSED_CONFIDENCE	      0.45
#define PAUSED_OUT_OF_TREE_CONFIDENCE 0.55
/* A loss that hit the site's frees more than others can make a cache that filled look like it. */
#define EXPOSED_CAP		      0.65
/* Less sure than that is no leak, but growth. */
#define LEAK_CONFIDENCE_MIN	      0.45
/* All of it younger than a third of the recording: nothing of the first two thirds is left. */
#define YOUNG_PART		      3
/* So many times as many went as are there now: things in flight, and no cache that filled up. */
#define TURNED_OVER		      10
/* What held that many objects at a time is worth the word that it comes and goes. */
#define TRANSIENT_OBJECTS	      8

static const char *format_s(char *buf, double seconds)
{
	return kmt_format_time(buf,
			       seconds < 1e9 ? (uint64_t)(seconds * NS_PER_S) : (uint64_t)1e18);
}

static void decide(struct kmt_judging *judging, enum kmt_class class, double confidence)
{
	judging->judgement->class = class;
	judging->judgement->confidence = kmt_clamp(confidence, 0, 0.99);
}

void kmt_class_contradicted(struct kmt_judging *judging)
{
	const struct kmt_evidence *evidence = judging->evidence;

	FOR(judging, "by the kernel's own counters at most %" PRIu64 " of %" PRIu64 " can be live",
	    evidence->cache_allows, evidence->mature_objects);
	if (judging->untraced > 0)
		FOR(judging, UNTRACED_TEXT, judging->reused, judging->ends);
	if (judging->untraced > 0 || !evidence->has_free_probes)
		decide(judging, KMT_CLASS_UNTRACED, judging->untraced > 0 ? 0.9 : 0.7);
	else
		decide(judging, KMT_CLASS_UNCERTAIN, 0.4);
}

void kmt_class_untraced(struct kmt_judging *judging)
{

	FOR(judging, UNTRACED_TEXT, judging->reused, judging->ends);
	FOR(judging, "so what looks live is an upper bound");
	if (judging->view.finding >= KMT_FOUND_JUMPS)
		AGAINST(judging, "it still rises at the end");
	decide(judging, KMT_CLASS_UNTRACED, kmt_clamp(0.6 + 0.5 * judging->untraced, 0, 0.95));
}

void kmt_class_rest(struct kmt_judging *judging)
{
	AGAINST(judging, "of more call sites than are told apart: nobody knows whose it is");
	decide(judging, KMT_CLASS_UNCERTAIN, 0);
}

void kmt_class_uncertain(struct kmt_judging *judging)
{
	const struct kmt_evidence *evidence = judging->evidence;
	double ends = (double)evidence->frees + (double)evidence->reused;
	bool rises = judging->view.finding >= KMT_FOUND_SLOWING;

	FOR(judging, LOST_TEXT, judging->doubtful, evidence->mature_objects);
	if (rises && ends < 0.5 * (double)evidence->allocs &&
	    evidence->mature_objects >= LEAK_OBJECTS_MIN) {
		AGAINST(judging,
			"but only %" PRIu64 " of %" PRIu64
			" ends were seen: the loss is hardly that large",
			evidence->frees + evidence->reused, evidence->allocs);
		decide(judging, KMT_CLASS_UNCERTAIN, 0.6);
		return;
	}
	if (rises)
		AGAINST(judging, "it rises through the recording");
	decide(judging, KMT_CLASS_UNCERTAIN, 0.35);
}

static void explain_age(struct kmt_judging *judging)
{
	const struct kmt_survivors *survivors = &judging->view.survivors;
	char a[KMT_UNITS_BYTES];

	if (survivors->deaths > 0)
		FOR(judging, "%.0f are older than %s, only %.0f ever died so old", survivors->nr,
		    format_s(a, survivors->age_s), survivors->deaths);
	else
		FOR(judging, "%.0f are older than %s, at which nothing of it was ever freed",
		    survivors->nr, format_s(a, survivors->age_s));
}

static void explain_pace(struct kmt_judging *judging, bool is_for)
{
	const struct kmt_pace *pace = &judging->view.pace;
	char a[KMT_UNITS_BYTES], b[KMT_UNITS_BYTES];
	bool is_to_the_end = pace->silence_s < judging->view.survivors.bucket_s;

	if (judging->view.is_rest)
		kmt_reasons_add(&judging->reasons, is_for,
				"after a start-up of %.0f, %.0f more came at a steady pace",
				judging->view.survivors.nr - pace->nr, pace->nr);
	if (pace->drift < -0.5)
		AGAINST(judging, "slowing: new ones come at %.0f %% of the rate they began with",
			100 * exp(pace->drift));
	kmt_reasons_add(&judging->reasons, is_for,
			"they came in %u of %u parts of the time, over %s, to %s%s",
			pace->occasions, KMT_PACE_SLOTS, format_s(a, pace->to_s - pace->from_s),
			is_to_the_end ? "the end" : format_s(b, pace->silence_s),
			is_to_the_end ? "" : " before the end");
}

void kmt_class_steady(struct kmt_judging *judging)
{
	char a[KMT_UNITS_BYTES];
	double confidence;

	explain_age(judging);
	explain_pace(judging, true);
	FOR(judging, "on average they live longer than %s (95 %% sure), if they die at all",
	    format_s(a, judging->view.pace.lifetime_s));
	confidence = kmt_confidence_weigh(judging, kmt_confidence_steady(judging));
	if (confidence >= LEAK_CONFIDENCE_MIN) {
		decide(judging, KMT_CLASS_LEAK, confidence);
		return;
	}
	AGAINST(judging, "too few objects, in too short a time, to be more sure");
	decide(judging, KMT_CLASS_GROWTH, confidence);
}

/* Most of them are live for sure, and it rises as a leak: but it isn't known which of them are. */
void kmt_class_exposed(struct kmt_judging *judging)
{
	double confidence;

	FOR(judging, "at least %" PRIu64 " are live, however many of the lost events were frees",
	    judging->judgement->certain_objects);
	explain_age(judging);
	explain_pace(judging, true);
	confidence = kmt_confidence_weigh(judging, kmt_confidence_steady(judging));
	decide(judging, KMT_CLASS_GROWTH, fmin(confidence, EXPOSED_CAP));
}

static bool is_turned_over(const struct kmt_evidence *evidence)
{
	double ends = (double)evidence->frees + (double)evidence->reused;

	return ends >= TURNED_OVER * (double)evidence->live_objects;
}

static bool is_all_young(const struct kmt_evidence *evidence)
{
	uint64_t length_ns = evidence->end_ns - evidence->grid->start_ns;

	for (unsigned int bin = 0; bin + 1 < KMT_AGE_BINS; bin++)
		if (evidence->history->live_ages[bin] &&
		    kmt_age_bin_from(bin + 1) > length_ns / YOUNG_PART)
			return false;
	return evidence->history->live_ages[KMT_AGE_BINS - 1] == 0;
}

/* Deaths at the ages of the survivors: what it is is told by its level. */
void kmt_class_mortal(struct kmt_judging *judging)
{
	const struct kmt_evidence *evidence = judging->evidence;
	const struct kmt_survivors *survivors = &judging->view.survivors;
	char a[KMT_UNITS_BYTES];

	FOR(judging, "of those that got older than %s, %.0f were freed and %.0f are live",
	    format_s(a, survivors->age_s), survivors->deaths, survivors->nr);
	if (survivors->has_dead_elders)
		FOR(judging, "those that got oldest were freed");
	switch (judging->shape) {
	case KMT_SHAPE_LINEAR:
	case KMT_SHAPE_STEPS:
		if (is_all_young(evidence)) {
			FOR(judging,
			    "what is live was all allocated lately: it rises with the load");
			decide(judging, KMT_CLASS_TRANSIENT, 0.6);
			break;
		}
		if (survivors->deaths >= TURNED_OVER * survivors->nr) {
			FOR(judging, "so it comes and goes: it rises with the load");
			decide(judging, KMT_CLASS_TRANSIENT, 0.6);
			break;
		}
		FOR(judging, "it rises through the recording");
		if (judging->view.has_age)
			AGAINST(judging, "for objects of that age the recording is too short");
		else
			AGAINST(judging,
				"the others may just live longer than those that were freed");
		/* Some of it may stay for good: worth a look if the kernel's counters say so too */
		decide(judging, KMT_CLASS_GROWTH,
		       evidence->is_cache_confirmed && survivors->deaths < 0.2 * survivors->nr
			       ? 0.55
			       : 0.4);
		break;
	case KMT_SHAPE_PLATEAU:
		if (is_turned_over(evidence)) { /* it rose because the recording began with none */
			FOR(judging, "it comes and goes: no rise");
			decide(judging, KMT_CLASS_TRANSIENT, 0.7);
			break;
		}
		FOR(judging, "it rose, then stopped");
		decide(judging, KMT_CLASS_CACHE, 0.7);
		break;
	case KMT_SHAPE_SAWTOOTH:
		FOR(judging, "it fills and is emptied again");
		decide(judging, KMT_CLASS_CACHE, 0.7);
		break;
	default:
		FOR(judging, "it comes and goes: no rise");
		decide(judging, KMT_CLASS_TRANSIENT, 0.7);
	}
}

void kmt_class_few(struct kmt_judging *judging)
{
	const struct kmt_survivors *survivors = &judging->view.survivors;
	const struct kmt_pace *pace = &judging->view.pace;

	if (survivors->deaths > survivors->nr) {
		FOR(judging, "%" PRIu64 " objects, and more of that age were freed",
		    judging->evidence->mature_objects);
		decide(judging, KMT_CLASS_TRANSIENT, 0.6);
	} else if (survivors->nr >= GROWTH_OBJECTS_MIN && pace->occasions >= GROWTH_OCCASIONS &&
		   pace->silence_s <= pace->patience_s) {
		explain_pace(judging, true);
		AGAINST(judging, "only %" PRIu64 " objects: too few to judge",
			judging->evidence->mature_objects);
		decide(judging, KMT_CLASS_GROWTH, 0.3);
	} else {
		FOR(judging, "only %" PRIu64 " object%s: too few to judge",
		    judging->evidence->mature_objects,
		    judging->evidence->mature_objects == 1 ? "" : "s");
		decide(judging, KMT_CLASS_NONE, 0.5);
	}
}

void kmt_class_unsteady(struct kmt_judging *judging)
{
	const struct kmt_pace *pace = &judging->view.pace;
	double length_s = fmax(pace->to_s - pace->from_s, 1e-9);
	char a[KMT_UNITS_BYTES], b[KMT_UNITS_BYTES];

	switch (judging->view.finding) {
	case KMT_FOUND_STOPPED:
		FOR(judging, "rose by %.0f within %s, then nothing for %s", pace->nr,
		    format_s(a, pace->last_s - pace->first_s), format_s(b, pace->silence_s));
		decide(judging, KMT_CLASS_CACHE,
		       0.6 + 0.35 * kmt_clamp(pace->silence_s / length_s, 0, 1));
		break;
	case KMT_FOUND_FILLING:
		FOR(judging, "filling: new ones come at %.1f %% of the rate they began with",
		    100 * exp(pace->drift));
		decide(judging, KMT_CLASS_CACHE, 0.75);
		break;
	case KMT_FOUND_REFILLED:
		FOR(judging, "it was emptied before, and fills again");
		decide(judging, KMT_CLASS_CACHE, 0.6);
		break;
	case KMT_FOUND_SLOWING:
		explain_age(judging);
		explain_pace(judging, false);
		decide(judging, KMT_CLASS_GROWTH,
		       kmt_confidence_weigh(
			       judging,
			       SLOWING_CONFIDENCE *
				       kmt_clamp(1 + 0.3 * (pace->drift - STEADY_DRIFT), 0.4, 1)));
		break;
	case KMT_FOUND_PAUSED:
		explain_age(judging);
		AGAINST(judging, "nothing new for %s", format_s(a, pace->silence_s));
		decide(judging, KMT_CLASS_GROWTH,
		       judging->evidence->is_out_of_tree ? PAUSED_OUT_OF_TREE_CONFIDENCE
							 : PAUSED_CONFIDENCE);
		break;
	case KMT_FOUND_JUMPS:
		if (pace->occasions < GROWTH_OCCASIONS) {
			FOR(judging, "came at once, %s before the end of what can be judged",
			    format_s(a, pace->to_s - pace->first_s));
			decide(judging, KMT_CLASS_CACHE, 0.4);
			break;
		}
		explain_age(judging);
		explain_pace(judging, true);
		AGAINST(judging, "these are too few times to tell");
		decide(judging, KMT_CLASS_GROWTH, 0.4);
		break;
	default: /* KMT_FOUND_SHORT */
		explain_age(judging);
		explain_pace(judging, true);
		AGAINST(judging, "%s are too short to tell", format_s(a, length_s));
		decide(judging, KMT_CLASS_GROWTH,
		       kmt_confidence_weigh(judging, GROWTH_PART * kmt_confidence_steady(judging)));
	}
}

void kmt_class_unloaded(struct kmt_judging *judging)
{
	const struct kmt_evidence *evidence = judging->evidence;
	double certain = (double)judging->judgement->certain_objects;
	double confidence = 0.97 * (1 - 0.3 / fmax(certain, 1)); /* one may have a new owner */

	if (kmt_is_contradicted(evidence, (double)evidence->mature_objects)) {
		kmt_class_contradicted(judging);
		return;
	}
	if (judging->untraced >= 0.5 && !evidence->is_cache_confirmed) {
		kmt_class_untraced(judging);
		return;
	}
	FOR(judging, "the module was unloaded, and left %" PRIu64 " objects behind",
	    evidence->mature_objects);
	if (evidence->frees)
		FOR(judging, "%" PRIu64 " others of this site were seen freed", evidence->frees);
	decide(judging, KMT_CLASS_LEAK, kmt_confidence_weigh(judging, confidence));
}

void kmt_class_reclaimable(struct kmt_judging *judging)
{
	const struct kmt_trend *trend = &judging->judgement->trend;
	char a[KMT_UNITS_BYTES];

	FOR(judging, "its cache is reclaimable: memory pressure gives it back");
	if (trend->bytes_per_s > 0 && trend->bytes_per_s < 1e15)
		AGAINST(judging, "it grows by %s an hour",
			kmt_format_size(a, (uint64_t)(trend->bytes_per_s * 3600)));
	decide(judging, KMT_CLASS_CACHE, 0.9);
}

void kmt_class_owned(struct kmt_judging *judging)
{
	const char *owner = judging->evidence->owner;

	FOR(judging, "each belongs to %s, and is freed with it: they grow together", owner);
	decide(judging, KMT_CLASS_CACHE, 0.9);
}

void kmt_class_young(struct kmt_judging *judging)
{
	const struct kmt_evidence *evidence = judging->evidence;
	double peak = kmt_curve_peak(evidence);
	char a[KMT_UNITS_BYTES];

	if (peak < TRANSIENT_OBJECTS) {
		decide(judging, KMT_CLASS_NONE, 0.9);
		return;
	}
	FOR(judging, "up to %.0f at a time, none of them older than %s at the end", peak,
	    kmt_format_time(a, evidence->grace_ns));
	decide(judging, KMT_CLASS_TRANSIENT, 0.8);
}
