// SPDX-License-Identifier: LGPL-2.1-only
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "kmemtape/judgement.h"
#include "kmemtape/trend.h"
#include "kmemtape/units.h"

#include "reasons.h"
#include "survivors.h"

#define NS_PER_S 1e9

/*
 * Fewer are a handful: whatever they do is chance. Eight that nobody freed exclude a mean lifetime
 * below the length of the recording, just so.
 */
#define LEAK_OBJECTS_MIN       8
#define GROWTH_OBJECTS_MIN     4
/*
 * Births at so many of KMT_PACE_SLOTS different times: a module that loads or a daemon that starts
 * is one or two.
 */
#define LEAK_OCCASIONS	       4
#define GROWTH_OCCASIONS       3
#define COVERED_SLOTS	       8 /* nor are two that took some seconds each, of a short recording */
/* What grew for less than three grace periods is hardly older than what may still be in flight. */
#define LENGTH_GRACES	       3.0
/*
 * Nor is an age of any use that leaves less than that part of the time for births: the ages at
 * which things died were looked at for too short, then.
 */
#define AGE_PART_MAX	       0.5
/*
 * The rate of births may fall by e^-1, to 37 % of what it was, as the load does. A cache that fills
 * with a time constant of 0.3 of the time has a drift of -3.3, of 0.5 one of -2. Few births have
 * some slack for chance: two standard deviations, but never as far as a filling.
 */
#define STEADY_DRIFT	       -1.0
#define STEADY_DRIFT_SLACK     0.6
#define FILLING_DRIFT	       -2.6
/* Births that come by so many at a time are bursts. */
#define BURST_OBJECTS	       8
/* After a start-up, the rest of the time has to be steadier by itself. */
#define REST_PART	       0.25
#define REST_DRIFT	       -0.5
#define REST_DRIFT_SLACK       1.0
#define REST_DEVIATIONS	       2.5
/* Silent for that part of the time since the first birth: over, and not just a pause. */
#define STOPPED_PART	       0.25
/*
 * Of the ends of objects, so many were seen by the reuse of the address only. Without loss it is 0
 * where all frees are traced; three may be a race of the recording's ends.
 */
#define UNTRACED_SHARE	       0.02
#define UNTRACED_REUSED	       3
#define UNTRACED_SHARE_BIG     0.3
/* A leak among untraced frees has to be clearer than others. */
#define UNTRACED_LEAK_OBJECTS  20
#define UNTRACED_LEAK_DRIFT    -0.7
#define UNTRACED_LEAK_LIFETIME 3.0
/*
 * Nothing of a site was ever seen freed: its frees may all be unseen. So many others that came and
 * went in its cache would have used its addresses again.
 */
#define TURNOVER_MIN	       500
#define NEVER_FREED_CAP	       0.6
#define UNTRACED_CAP	       0.65
#define CACHE_UNTRACED_SHARE   0.1
/* The counters contradict if they leave less than this part of what looks live. */
#define ALLOWED_PART	       0.5
/* Half of it may have been freed unseen, in a loss: then no more can be said. */
#define UNCERTAIN_PART	       0.5
/* As many lost events are a part of what they may explain that changes nothing. */
#define LOST_PART_SMALL	       0.1
/* A fall that took half of what there was, and then no more than 4 times as much as it fell from.
 */
#define REFILL_FALL	       0.5
#define REFILL_LEVEL	       4
#define REFILL_KEPT	       0.2
#define REFILL_OBJECTS	       8
/* Less sure than that is no leak, but growth. */
#define LEAK_CONFIDENCE_MIN    0.45
/* All of it younger than a third of the recording: nothing of the first two thirds is left. */
#define YOUNG_PART	       3
/* So many times as many went as are there now: things in flight, and no cache that filled up. */
#define TURNED_OVER	       10
/* What held that many objects at a time is worth the word that it comes and goes. */
#define TRANSIENT_OBJECTS      8

/* What the survivors look like. */
enum finding {
	FOUND_FEW,
	FOUND_MORTAL, /* they die at any age */
	FOUND_STOPPED,
	FOUND_FILLING,
	FOUND_REFILLED, /* all that was there before died */
	FOUND_SLOWING,
	FOUND_PAUSED, /* nothing lately */
	FOUND_SHORT,  /* going on, for too short a time */
	FOUND_STEADY,
};

struct view {
	enum finding finding;
	struct kmt_survivors survivors;
	struct kmt_pace pace;
	bool is_rest; /* pace is of what came after a start-up */
};

struct judging {
	const struct kmt_evidence *evidence;
	struct kmt_judgement *judgement;
	struct kmt_reasons reasons;
	enum kmt_shape shape; /* of the live curve */
	double untraced;      /* share of the ends that only reuse tells; 0: none, or loss */
	uint64_t doubtful;    /* of the mature: a loss may hide their free */
	struct view view;
};

#define FOR(judging, ...)     kmt_reasons_add(&(judging)->reasons, true, __VA_ARGS__)
#define AGAINST(judging, ...) kmt_reasons_add(&(judging)->reasons, false, __VA_ARGS__)

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static const char *format_s(char *buf, double seconds)
{
	return kmt_format_time(buf,
			       seconds < 1e9 ? (uint64_t)(seconds * NS_PER_S) : (uint64_t)1e18);
}

static double clamp(double x, double low, double high)
{
	return fmin(fmax(x, low), high);
}

static void decide(struct judging *judging, enum kmt_class class, double confidence)
{
	judging->judgement->class = class;
	judging->judgement->confidence = clamp(confidence, 0, 0.99);
}

/* The live curve */

/* Points of the curve that were taken while allocations were recorded, from @from_s on. */
static size_t take_curve(const struct kmt_evidence *evidence, const uint64_t *curve, double from_s,
			 uint64_t *times_ns, double *values)
{
	const struct kmt_grid *grid = evidence->grid;
	uint64_t until_ns = min_u64(evidence->allocs_off_ns, evidence->end_ns);
	uint64_t length_ns = until_ns > grid->start_ns ? until_ns - grid->start_ns : 0;
	size_t nr = 0;

	for (size_t i = 0; i < grid->nr && i < KMT_HISTORY_POINTS && grid->width_ns; i++) {
		bool is_past = i >= length_ns / grid->width_ns;
		uint64_t time_ns = is_past ? length_ns : (i + 1) * grid->width_ns;

		if ((double)time_ns / NS_PER_S < from_s)
			continue;
		if (nr && time_ns <= times_ns[nr - 1])
			break;
		times_ns[nr] = time_ns;
		values[nr++] = (double)curve[i];
		if (is_past)
			break;
	}
	return nr;
}

static double peak_of(const struct kmt_evidence *evidence)
{
	double peak = 0;

	for (size_t i = 0; i < KMT_HISTORY_POINTS; i++)
		peak = fmax(peak, (double)evidence->history->live[i]);
	return peak;
}

static double object_bytes(const struct kmt_evidence *evidence)
{
	if (evidence->mature_objects)
		return (double)evidence->mature_bytes / (double)evidence->mature_objects;
	return evidence->live_objects
		       ? (double)evidence->live_bytes / (double)evidence->live_objects
		       : 0;
}

static enum kmt_shape shape_of(const struct kmt_evidence *evidence)
{
	uint64_t times_ns[KMT_HISTORY_POINTS];
	double values[KMT_HISTORY_POINTS], noise = 0;
	size_t nr = take_curve(evidence, evidence->history->live, 0, times_ns, values);

	/* What comes and goes at random varies by its root (Poisson); what never goes doesn't. */
	if (evidence->frees || evidence->reused)
		noise = sqrt(peak_of(evidence));
	return kmt_shape(times_ns, values, nr, noise);
}

static enum kmt_shape shape_of_births(const struct view *view)
{
	uint64_t times_ns[KMT_HISTORY_POINTS];
	double values[KMT_HISTORY_POINTS], sum = 0;
	size_t nr = 0;

	for (size_t i = 0; i < KMT_HISTORY_POINTS; i++) {
		sum += view->survivors.births[i];
		if ((double)(i + 1) * view->survivors.bucket_s < view->pace.from_s ||
		    (double)i * view->survivors.bucket_s > view->pace.to_s)
			continue;
		times_ns[nr] = i;
		values[nr++] = sum;
	}
	return nr && kmt_shape(times_ns, values, nr, 0) == KMT_SHAPE_STEPS ? KMT_SHAPE_STEPS
									   : KMT_SHAPE_LINEAR;
}

/* By the births: exact where the live curve is full of what is in flight. */
static void fit_births(const struct judging *judging, struct kmt_trend *trend)
{
	const struct kmt_pace *pace = &judging->view.pace;
	double length_s = fmax(pace->to_s - pace->from_s, 1e-9);
	double bytes = object_bytes(judging->evidence);
	double error = 1.96 * pace->nr * pace->drift_error / sqrt(12);

	trend->bytes_per_s = pace->nr * bytes / length_s;
	trend->low = fmax(pace->nr - error, 0) * bytes / length_s;
	trend->high = (pace->nr + error) * bytes / length_s;
}

static void describe_trend(struct judging *judging)
{
	const struct kmt_evidence *evidence = judging->evidence;
	struct kmt_trend *trend = &judging->judgement->trend;
	bool is_steady = judging->view.finding == FOUND_STEADY;
	double values[KMT_HISTORY_POINTS], from_s = is_steady ? judging->view.pace.from_s : 0;
	uint64_t times_ns[KMT_HISTORY_POINTS];
	struct kmt_fit fit;

	*trend = (struct kmt_trend){ 0 };
	trend->shape = is_steady ? shape_of_births(&judging->view) : judging->shape;
	if (trend->shape != KMT_SHAPE_LINEAR && trend->shape != KMT_SHAPE_STEPS)
		return;
	kmt_fit(times_ns, values,
		take_curve(evidence, evidence->history->live_bytes, from_s, times_ns, values),
		&fit);
	trend->bytes_per_s = fit.slope;
	trend->low = fit.low;
	trend->high = fit.high;
	if (is_steady) {
		struct kmt_trend by_births = *trend;

		fit_births(judging, &by_births);
		/* Where both agree the curve is the better known; else it is noise, or jumps. */
		if (trend->low <= 0 || trend->bytes_per_s > by_births.high ||
		    trend->bytes_per_s < by_births.low)
			*trend = by_births;
	}
	trend->since_ns = evidence->grid->start_ns +
			  (uint64_t)fmax(is_steady ? judging->view.pace.first_s * NS_PER_S : 0, 0);
}

/* The survivors */

/*
 * The last fall of the live curve that took most of what there was, if it took all the old ones,
 * and what came after is no more than a second filling.
 */
static bool is_refill(const struct kmt_evidence *evidence, const struct view *view)
{
	double values[KMT_HISTORY_POINTS], peak = 0, trough = 0, fell_from = 0, fell_s = 0;
	uint64_t times_ns[KMT_HISTORY_POINTS];
	size_t nr = take_curve(evidence, evidence->history->live, 0, times_ns, values);
	double kept, expected;

	if (!nr || !evidence->frees)
		return false;
	for (size_t i = 0; i < nr; i++) {
		if (values[i] > peak)
			peak = trough = values[i];
		trough = fmin(trough, values[i]);
		if (peak < REFILL_OBJECTS || peak - trough < REFILL_FALL * peak)
			continue;
		fell_from = peak;
		fell_s = (double)times_ns[i] / NS_PER_S;
		peak = trough = values[i];
	}
	if (fell_from <= 0 || view->survivors.to_s <= 0)
		return false;
	kept = kmt_survivors_born_before(&view->survivors, fell_s);
	expected = view->survivors.nr * clamp(fell_s / view->survivors.to_s, 0, 1);
	return expected >= REFILL_OBJECTS && kept < REFILL_KEPT * expected &&
	       values[nr - 1] < REFILL_LEVEL * fell_from;
}

/* Chance has a slack; that of bursts, whose sizes differ, is larger than that of so few objects. */
static bool is_steady(const struct kmt_pace *pace, double limit, double slack)
{
	bool is_bursty = pace->nr >= BURST_OBJECTS * pace->independent;
	double chance = 2 * pace->drift_error;

	return pace->drift >= limit - (is_bursty ? chance : fmin(chance, slack));
}

static bool is_long_enough(const struct kmt_evidence *evidence, const struct kmt_pace *pace)
{
	double length_s = pace->to_s - pace->from_s;

	return length_s >= LENGTH_GRACES * (double)evidence->grace_ns / NS_PER_S &&
	       pace->occasions >= LEAK_OCCASIONS &&
	       (pace->runs >= LEAK_OCCASIONS || pace->covered >= COVERED_SLOTS);
}

/* A start-up may take most of the objects, and a leak go on for all that. */
static bool is_steady_after_start(const struct kmt_evidence *evidence, struct view *view)
{
	struct kmt_pace rest;

	kmt_pace_measure_rest(&view->survivors, &view->pace, REST_PART, &rest);
	if (rest.nr < LEAK_OBJECTS_MIN || rest.silence_s > rest.patience_s ||
	    !is_long_enough(evidence, &rest) || !is_steady(&rest, REST_DRIFT, REST_DRIFT_SLACK))
		return false;
	/* A filling goes on as it began. */
	if (rest.drift < (1 - REST_PART) * view->pace.drift + REST_DEVIATIONS * rest.drift_error)
		return false;
	view->pace = rest;
	view->is_rest = true;
	return true;
}

static enum finding find(const struct kmt_evidence *evidence, bool has_age, struct view *view)
{
	const struct kmt_survivors *survivors = &view->survivors;
	const struct kmt_pace *pace = &view->pace;
	double length_s = pace->to_s - pace->from_s;

	if (survivors->nr < GROWTH_OBJECTS_MIN)
		return FOUND_FEW;
	if (!has_age)
		return FOUND_MORTAL;
	if (is_refill(evidence, view))
		return FOUND_REFILLED;
	if (pace->silence_s > pace->patience_s && pace->silence_s > STOPPED_PART * length_s)
		return FOUND_STOPPED;
	if (pace->silence_s > pace->patience_s)
		return pace->drift < FILLING_DRIFT ? FOUND_FILLING : FOUND_PAUSED;
	if (!is_steady(pace, STEADY_DRIFT, STEADY_DRIFT_SLACK) &&
	    !is_steady_after_start(evidence, view))
		return pace->drift < FILLING_DRIFT ? FOUND_FILLING : FOUND_SLOWING;
	if (survivors->age_s > AGE_PART_MAX * (survivors->age_s + survivors->to_s) ||
	    !is_long_enough(evidence, pace))
		return FOUND_SHORT;
	return survivors->nr < LEAK_OBJECTS_MIN ? FOUND_FEW : FOUND_STEADY;
}

static void look(const struct kmt_evidence *evidence, bool is_certain, struct view *view)
{
	bool has_age;

	memset(view, 0, sizeof(*view));
	has_age = kmt_survivors_find(evidence, is_certain, &view->survivors);
	kmt_pace_measure(&view->survivors, &view->pace);
	view->finding = find(evidence, has_age, view);
}

/* How sure it is */

/* Pieces that are each 1 if there is nothing to doubt, and multiply. */
static double steady_confidence(const struct judging *judging)
{
	const struct kmt_evidence *evidence = judging->evidence;
	const struct kmt_pace *pace = &judging->view.pace;
	double length_s = fmax(pace->to_s - pace->from_s, 1e-9);
	double graces = length_s * NS_PER_S / fmax((double)evidence->grace_ns, 1);
	/* As much as they are known to live longer than they were watched: even odds at 1. */
	double lifetime = pace->lifetime_s / length_s;
	double confidence = lifetime / (lifetime + 1);

	confidence *= 1 - 0.5 / fmax(graces, 1);
	confidence *= clamp(0.8 + 0.05 * ((double)pace->occasions - LEAK_OCCASIONS), 0.8, 1);
	confidence *= clamp(1 + 0.2 * (pace->drift + 0.5), 0.8, 1);
	return confidence;
}

/* No end of an object of the site was ever seen: are its frees traced at all? */
static bool is_never_freed(const struct kmt_evidence *evidence)
{
	return evidence->frees == 0 && evidence->reused == 0 && !evidence->has_free_probes &&
	       !evidence->is_cache_confirmed;
}

static bool has_turnover(const struct kmt_evidence *evidence)
{
	double ends = (double)evidence->cache_frees + (double)evidence->cache_reused;

	return ends >= TURNOVER_MIN && (double)evidence->cache_reused < CACHE_UNTRACED_SHARE * ends;
}

static double weigh_blind_spots(struct judging *judging, double confidence)
{
	const struct kmt_evidence *evidence = judging->evidence;

	if (evidence->is_cache_confirmed) {
		FOR(judging, "the kernel's own counters grew as much");
		confidence = 1 - (1 - confidence) / 2;
	}
	if (is_never_freed(evidence)) {
		if (!has_turnover(evidence)) {
			AGAINST(judging,
				"no free of this site was ever seen, and no counter or probe "
				"says that they would be");
			confidence = fmin(confidence, NEVER_FREED_CAP);
		} else {
			FOR(judging,
			    "%" PRIu64 " others of its cache came and went without its addresses",
			    evidence->cache_frees + evidence->cache_reused);
			confidence *= 0.95;
		}
	}
	if (judging->untraced > 0) {
		AGAINST(judging, "%.0f %% of the ends were seen by the reuse of the address only",
			100 * judging->untraced);
		confidence *= 1 - 0.3 * judging->untraced;
		if (judging->untraced >= UNTRACED_SHARE_BIG && !evidence->is_cache_confirmed)
			confidence = fmin(confidence, UNTRACED_CAP);
	}
	if (judging->doubtful && evidence->mature_objects) {
		AGAINST(judging, "lost events may hide the frees of %" PRIu64 " of %" PRIu64,
			judging->doubtful, evidence->mature_objects);
		confidence *=
			1 - 0.3 * (double)judging->doubtful / (double)evidence->mature_objects;
	}
	if (evidence->is_out_of_tree) /* what everybody runs has been debugged by everybody */
		confidence = 1 - (1 - confidence) * 0.75;
	return confidence;
}

static bool is_contradicted(const struct kmt_evidence *evidence, double objects)
{
	return evidence->cache_allows != KMT_UNKNOWN &&
	       (double)evidence->cache_allows < ALLOWED_PART * objects;
}

/* The classes, each with its reasons */

static void judge_contradicted(struct judging *judging)
{
	const struct kmt_evidence *evidence = judging->evidence;

	FOR(judging, "by the kernel's own counters at most %" PRIu64 " of %" PRIu64 " can be live",
	    evidence->cache_allows, evidence->mature_objects);
	if (judging->untraced > 0)
		FOR(judging, "%.0f %% of the ends were seen by the reuse of the address only",
		    100 * judging->untraced);
	if (judging->untraced > 0 || !evidence->has_free_probes)
		decide(judging, KMT_CLASS_UNTRACED, judging->untraced > 0 ? 0.9 : 0.7);
	else
		decide(judging, KMT_CLASS_UNCERTAIN, 0.4);
}

static void judge_untraced(struct judging *judging)
{
	const struct kmt_evidence *evidence = judging->evidence;

	FOR(judging, "%" PRIu64 " of %" PRIu64 " ends were seen by the reuse of the address only",
	    evidence->reused, evidence->frees + evidence->reused);
	FOR(judging, "so what looks live is an upper bound");
	if (judging->view.finding == FOUND_STEADY || judging->view.finding == FOUND_SHORT)
		AGAINST(judging, "it still rises at the end");
	decide(judging, KMT_CLASS_UNTRACED, clamp(0.6 + 0.5 * judging->untraced, 0, 0.95));
}

static void judge_uncertain(struct judging *judging)
{
	const struct kmt_evidence *evidence = judging->evidence;
	double ends = (double)evidence->frees + (double)evidence->reused;
	bool rises = judging->view.finding == FOUND_STEADY ||
		     judging->view.finding == FOUND_SLOWING || judging->view.finding == FOUND_SHORT;

	FOR(judging, "lost events may hide the frees of %" PRIu64 " of %" PRIu64, judging->doubtful,
	    evidence->mature_objects);
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

static void explain_age(struct judging *judging)
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

static void explain_pace(struct judging *judging, bool is_for)
{
	const struct kmt_pace *pace = &judging->view.pace;
	char a[KMT_UNITS_BYTES], b[KMT_UNITS_BYTES];

	if (judging->view.is_rest)
		kmt_reasons_add(&judging->reasons, is_for,
				"after a start-up of %.0f, %.0f more came at a steady pace",
				judging->view.survivors.nr - pace->nr, pace->nr);
	if (pace->drift < -0.5)
		kmt_reasons_add(&judging->reasons, is_for,
				"new ones come at %.0f %% of the rate they began with",
				100 * exp(pace->drift));
	kmt_reasons_add(
		&judging->reasons, is_for,
		"allocated at %u of %u times over %s, the last %s before they could be judged",
		pace->occasions, KMT_PACE_SLOTS, format_s(a, pace->to_s - pace->from_s),
		format_s(b, pace->silence_s));
}

static void judge_steady(struct judging *judging)
{
	const struct kmt_evidence *evidence = judging->evidence;
	char a[KMT_UNITS_BYTES];
	double confidence;

	explain_age(judging);
	explain_pace(judging, true);
	FOR(judging, "on average they live longer than %s (95 %% sure), if they die at all",
	    format_s(a, judging->view.pace.lifetime_s));
	confidence = weigh_blind_spots(judging, steady_confidence(judging));
	if (confidence >= LEAK_CONFIDENCE_MIN) {
		decide(judging, KMT_CLASS_LEAK, confidence);
		return;
	}
	AGAINST(judging, "%" PRIu64 " objects in so short a time prove nothing",
		evidence->mature_objects);
	decide(judging, KMT_CLASS_GROWTH, confidence);
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
static void judge_mortal(struct judging *judging)
{
	const struct kmt_evidence *evidence = judging->evidence;
	const struct kmt_survivors *survivors = &judging->view.survivors;
	char a[KMT_UNITS_BYTES];

	FOR(judging, "%.0f were freed older than %s, %.0f that old are live", survivors->deaths,
	    format_s(a, survivors->age_s), survivors->nr);
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
		FOR(judging, "it rises through the recording");
		AGAINST(judging, "objects of any age are freed");
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

static void judge_few(struct judging *judging)
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
		AGAINST(judging, "%" PRIu64 " objects are too few to judge",
			judging->evidence->mature_objects);
		decide(judging, KMT_CLASS_GROWTH, 0.3);
	} else {
		FOR(judging, "%" PRIu64 " objects are too few to judge",
		    judging->evidence->mature_objects);
		decide(judging, KMT_CLASS_NONE, 0.5);
	}
}

static void judge_unsteady(struct judging *judging)
{
	const struct kmt_pace *pace = &judging->view.pace;
	double length_s = fmax(pace->to_s - pace->from_s, 1e-9);
	char a[KMT_UNITS_BYTES], b[KMT_UNITS_BYTES];

	switch (judging->view.finding) {
	case FOUND_STOPPED:
		FOR(judging, "rose by %.0f within %s, then nothing for %s", pace->nr,
		    format_s(a, pace->last_s - pace->first_s), format_s(b, pace->silence_s));
		decide(judging, KMT_CLASS_CACHE,
		       0.6 + 0.35 * clamp(pace->silence_s / length_s, 0, 1));
		break;
	case FOUND_FILLING:
		FOR(judging, "filling: new ones come at %.1f %% of the rate they began with",
		    100 * exp(pace->drift));
		decide(judging, KMT_CLASS_CACHE, 0.75);
		break;
	case FOUND_REFILLED:
		FOR(judging, "it was emptied before, and fills again");
		decide(judging, KMT_CLASS_CACHE, 0.6);
		break;
	case FOUND_SLOWING:
		explain_age(judging);
		explain_pace(judging, false);
		decide(judging, KMT_CLASS_GROWTH,
		       clamp(0.6 + 0.2 * (pace->drift - STEADY_DRIFT), 0.25, 0.6));
		break;
	case FOUND_PAUSED:
		explain_age(judging);
		AGAINST(judging, "nothing new for %s", format_s(a, pace->silence_s));
		decide(judging, KMT_CLASS_GROWTH, 0.45);
		break;
	default: /* FOUND_SHORT */
		if (pace->occasions < GROWTH_OCCASIONS) {
			FOR(judging, "came at once, %s before the end of what can be judged",
			    format_s(a, pace->to_s - pace->first_s));
			decide(judging, KMT_CLASS_CACHE, 0.4);
			break;
		}
		explain_age(judging);
		explain_pace(judging, true);
		AGAINST(judging, "that is too short, or too few times, to tell");
		decide(judging, KMT_CLASS_GROWTH, 0.4);
	}
}

static void judge_unloaded(struct judging *judging)
{
	const struct kmt_evidence *evidence = judging->evidence;
	double certain = (double)judging->judgement->certain_objects;
	double confidence = 0.97 * (1 - 0.3 / fmax(certain, 1)); /* one may have a new owner */

	if (is_contradicted(evidence, (double)evidence->mature_objects)) {
		judge_contradicted(judging);
		return;
	}
	if (judging->untraced >= 0.5 && !evidence->is_cache_confirmed) {
		judge_untraced(judging);
		return;
	}
	FOR(judging, "the module was unloaded, and left %" PRIu64 " objects behind",
	    evidence->mature_objects);
	if (evidence->frees)
		FOR(judging, "%" PRIu64 " others of this site were seen freed", evidence->frees);
	decide(judging, KMT_CLASS_LEAK, weigh_blind_spots(judging, confidence));
}

static void judge_reclaimable(struct judging *judging)
{
	const struct kmt_trend *trend = &judging->judgement->trend;
	char a[KMT_UNITS_BYTES];

	FOR(judging, "its cache is reclaimable: memory pressure gives it back");
	if (trend->bytes_per_s > 0 && trend->bytes_per_s < 1e15)
		AGAINST(judging, "it grows by %s an hour",
			kmt_format_size(a, (uint64_t)(trend->bytes_per_s * 3600)));
	decide(judging, KMT_CLASS_CACHE, 0.9);
}

static void judge_young(struct judging *judging)
{
	const struct kmt_evidence *evidence = judging->evidence;
	double peak = peak_of(evidence);
	char a[KMT_UNITS_BYTES];

	if (peak < TRANSIENT_OBJECTS) {
		decide(judging, KMT_CLASS_NONE, 0.9);
		return;
	}
	FOR(judging, "up to %.0f at a time, none of them older than %s at the end", peak,
	    kmt_format_time(a, evidence->grace_ns));
	decide(judging, KMT_CLASS_TRANSIENT, 0.8);
}

/* A leak among untraced frees is possible, but then it is more than the tail of the reuse. */
static bool is_clear_of_reuse(const struct judging *judging)
{
	const struct kmt_pace *pace = &judging->view.pace;
	double length_s = fmax(pace->to_s - pace->from_s, 1e-9);

	return judging->untraced <= 0 || (pace->nr >= UNTRACED_LEAK_OBJECTS &&
					  pace->drift >= UNTRACED_LEAK_DRIFT - pace->drift_error &&
					  pace->lifetime_s >= UNTRACED_LEAK_LIFETIME * length_s);
}

static void judge_survivors(struct judging *judging)
{
	const struct kmt_evidence *evidence = judging->evidence;
	bool is_doubtful =
		(double)judging->doubtful >= UNCERTAIN_PART * (double)evidence->mature_objects;
	bool is_leak = judging->view.finding == FOUND_STEADY;
	struct view certain;

	/* So many lost events that it matters: what came after them has to stand by itself. */
	if (judging->doubtful &&
	    (double)judging->doubtful > LOST_PART_SMALL * (double)evidence->mature_objects) {
		look(evidence, true, &certain);
		is_leak = certain.finding == FOUND_STEADY;
		if (is_leak || !is_doubtful)
			judging->view = certain;
		describe_trend(judging);
	}
	if (is_leak && is_contradicted(evidence, judging->view.pace.nr))
		judge_contradicted(judging);
	else if (is_leak && is_clear_of_reuse(judging))
		judge_steady(judging);
	else if (is_doubtful)
		judge_uncertain(judging);
	else if (judging->untraced > 0)
		judge_untraced(judging);
	else if (is_contradicted(evidence, (double)evidence->mature_objects) &&
		 evidence->mature_objects >= LEAK_OBJECTS_MIN)
		judge_contradicted(judging);
	else if (judging->view.finding == FOUND_FEW)
		judge_few(judging);
	else if (judging->view.finding == FOUND_MORTAL)
		judge_mortal(judging);
	else
		judge_unsteady(judging);
}

/* What the numbers say before anything is judged */

static double untraced_share(const struct kmt_evidence *evidence)
{
	double ends = (double)evidence->frees + (double)evidence->reused;
	double share = ends > 0 ? (double)evidence->reused / ends : 0;

	if (evidence->reused < UNTRACED_REUSED || share < UNTRACED_SHARE)
		return 0;
	/* Each lost event can have been one of the frees. */
	if (evidence->last_loss_ns &&
	    (evidence->lost_events == KMT_UNKNOWN || evidence->reused <= evidence->lost_events))
		return 0;
	return share;
}

/* Growth since a pool of addresses has settled counts; of what was there before, the traced part.
 */
static uint64_t estimate_live(const struct judging *judging)
{
	const struct kmt_evidence *evidence = judging->evidence;
	double mature = (double)evidence->mature_objects, grown = 0, estimate;

	if (judging->view.finding == FOUND_STEADY)
		grown = fmin(judging->view.pace.nr, mature);
	estimate = grown + (1 - judging->untraced) * (mature - grown);
	if (evidence->cache_allows != KMT_UNKNOWN)
		estimate = fmin(estimate, (double)evidence->cache_allows);
	return min_u64((uint64_t)estimate, evidence->mature_objects);
}

static void count_certain(struct judging *judging)
{
	const struct kmt_evidence *evidence = judging->evidence;
	uint64_t exposed = evidence->last_loss_ns ? evidence->exposed_objects : 0;

	exposed = min_u64(exposed, evidence->mature_objects);
	judging->doubtful = min_u64(exposed, evidence->lost_events);
	judging->judgement->certain_objects = evidence->mature_objects - judging->doubtful;
}

int kmt_judge(const struct kmt_evidence *evidence, struct kmt_judgement *ret_judgement)
{
	struct kmt_judgement judgement = { 0 };
	struct judging judging = { .evidence = evidence, .judgement = &judgement };
	int r;

	count_certain(&judging);
	judging.untraced = untraced_share(evidence);
	if (evidence->mature_objects)
		look(evidence, false, &judging.view);
	judging.shape = shape_of(evidence);
	describe_trend(&judging);
	if (!evidence->mature_objects)
		judge_young(&judging);
	else if (evidence->is_unloaded && judgement.certain_objects)
		judge_unloaded(&judging);
	else if (evidence->is_reclaimable)
		judge_reclaimable(&judging);
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
