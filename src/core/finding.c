// SPDX-License-Identifier: LGPL-2.1-only
#include <math.h>
#include <string.h>

#include "judging.h"

/* What grew for less than three grace periods is hardly older than what may still be in flight. */
#define LENGTH_GRACES	 3.0
/*
 * Nor is an age of any use that leaves less than that part of the time for births: the ages at
 * which things died were looked at for too short, then.
 */
#define AGE_PART_MAX	 0.5
/* Births that come by so many at a time are bursts. */
#define BURST_OBJECTS	 8
/* After a start-up, the rest of the time has to be steadier by itself. */
#define REST_PART	 0.25
#define REST_DRIFT	 -0.5
#define REST_DRIFT_SLACK 1.0
#define REST_DEVIATIONS	 2.5
/* Silent for that part of the time since the first birth: over, and not just a pause. */
#define STOPPED_PART	 0.25
/* A fall that took half of what there was, and then no more than 4 times as much as it fell from.
 */
#define REFILL_FALL	 0.5
#define REFILL_LEVEL	 4
#define REFILL_KEPT	 0.2
#define REFILL_OBJECTS	 8

/*
 * The last fall of the live curve that took most of what there was, if it took all the old ones,
 * and what came after is no more than a second filling.
 */
static bool is_refill(const struct kmt_evidence *evidence, const struct kmt_view *view)
{
	double values[KMT_HISTORY_POINTS], peak = 0, trough = 0, fell_from = 0, fell_s = 0;
	uint64_t times_ns[KMT_HISTORY_POINTS];
	size_t nr = kmt_curve_take(evidence, evidence->history->live, 0, times_ns, values);
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
	expected = view->survivors.nr * kmt_clamp(fell_s / view->survivors.to_s, 0, 1);
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

static bool is_long(const struct kmt_evidence *evidence, const struct kmt_pace *pace)
{
	return pace->to_s - pace->from_s >= LENGTH_GRACES * (double)evidence->grace_ns / NS_PER_S;
}

static bool is_spread(const struct kmt_pace *pace)
{
	return pace->occasions >= LEAK_OCCASIONS &&
	       (pace->runs >= LEAK_OCCASIONS || pace->covered >= COVERED_SLOTS);
}

/* A start-up may take most of the objects, and a leak go on for all that. */
static bool is_steady_after_start(const struct kmt_evidence *evidence, struct kmt_view *view)
{
	struct kmt_pace rest;

	kmt_pace_measure_rest(&view->survivors, &view->pace, REST_PART, &rest);
	if (rest.nr < LEAK_OBJECTS_MIN || rest.silence_s > rest.patience_s ||
	    !is_long(evidence, &rest) || !is_spread(&rest) ||
	    !is_steady(&rest, REST_DRIFT, REST_DRIFT_SLACK))
		return false;
	/* A filling goes on as it began. */
	if (rest.drift < (1 - REST_PART) * view->pace.drift + REST_DEVIATIONS * rest.drift_error)
		return false;
	view->pace = rest;
	view->is_rest = true;
	return true;
}

static enum kmt_finding find(const struct kmt_evidence *evidence, struct kmt_view *view)
{
	const struct kmt_survivors *survivors = &view->survivors;
	const struct kmt_pace *pace = &view->pace;
	double length_s = pace->to_s - pace->from_s;

	if (survivors->nr < GROWTH_OBJECTS_MIN)
		return KMT_FOUND_FEW;
	if (!view->has_age || survivors->age_s > AGE_PART_MAX * (survivors->age_s + survivors->to_s))
		return KMT_FOUND_MORTAL;
	if (is_refill(evidence, view))
		return KMT_FOUND_REFILLED;
	if (pace->silence_s > pace->patience_s && pace->silence_s > STOPPED_PART * length_s)
		return KMT_FOUND_STOPPED;
	if (pace->silence_s > pace->patience_s)
		return pace->drift < FILLING_DRIFT ? KMT_FOUND_FILLING : KMT_FOUND_PAUSED;
	if (!is_steady(pace, STEADY_DRIFT, STEADY_DRIFT_SLACK) &&
	    !is_steady_after_start(evidence, view))
		return pace->drift < FILLING_DRIFT ? KMT_FOUND_FILLING : KMT_FOUND_SLOWING;
	if (!is_spread(pace))
		return KMT_FOUND_JUMPS;
	if (!is_long(evidence, pace))
		return KMT_FOUND_SHORT;
	return survivors->nr < LEAK_OBJECTS_MIN ? KMT_FOUND_FEW : KMT_FOUND_STEADY;
}

void kmt_view_look(const struct kmt_evidence *evidence, bool is_certain, struct kmt_view *view)
{
	memset(view, 0, sizeof(*view));
	view->has_age = kmt_survivors_find(evidence, is_certain, &view->survivors);
	kmt_pace_measure(&view->survivors, &view->pace);
	view->finding = find(evidence, view);
}
