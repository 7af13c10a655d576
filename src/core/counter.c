// SPDX-License-Identifier: LGPL-2.1-only
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "kmemtape/judgement.h"
#include "kmemtape/trend.h"
#include "kmemtape/units.h"

#include "reasons.h"

#define NS_PER_S 1e9

/* Fewer snapshots show no pace: only how much there is more than before. */
#define SNAPSHOTS_MIN	   4
/* Rises at so many different times: loading a module or starting a daemon is one or two. */
#define LEAK_RISES	   3
/* A fall of that part of the growth is some of it being freed. */
#define FALL_PART	   0.1
/* Silent for that part of the time since the first rise: it has stopped. */
#define STOPPED_PART	   0.4
#define LENGTH_GRACES	   3.0
/* One or two more areas are a buffer and its twin; so many more are a habit. */
#define MODULE_OBJECTS_MIN 4
#define OBJECTS_MIN	   8

#define UNLOADED_CONFIDENCE 0.95
#define MODULE_CONFIDENCE   0.6
#define GROWTH_CONFIDENCE \
	0.35 /* of the kernel's own code: stacks of threads, caches of the network */

/* A long series thinned out: at the end all of it counts, whatever the number of snapshots. */
struct series {
	uint64_t times_ns[KMT_FIT_POINTS_MAX];
	double objects[KMT_FIT_POINTS_MAX], bytes[KMT_FIT_POINTS_MAX];
	size_t nr;
	double grown, grown_objects; /* bytes, from the first to the last */
	double fallen;		     /* bytes: the largest fall from a peak */
	size_t rises, first_rise, last_rise;
};

static void take_series(const struct kmt_counter_evidence *evidence, struct series *series)
{
	size_t nr = evidence->nr < KMT_FIT_POINTS_MAX ? evidence->nr : KMT_FIT_POINTS_MAX;

	series->nr = nr;
	for (size_t i = 0; i < nr; i++) {
		size_t at = nr > 1 ? (size_t)((double)i * (double)(evidence->nr - 1) /
						      (double)(nr - 1) +
					      0.5)
				   : 0;

		series->times_ns[i] = evidence->times_ns[at];
		series->objects[i] = (double)evidence->objects[at];
		series->bytes[i] = (double)evidence->bytes[at];
	}
}

static void measure(struct series *series)
{
	double peak = series->bytes[0];

	series->grown = series->bytes[series->nr - 1] - series->bytes[0];
	series->grown_objects = series->objects[series->nr - 1] - series->objects[0];
	for (size_t i = 1; i < series->nr; i++) {
		series->fallen = fmax(series->fallen, peak - series->bytes[i]);
		if (series->bytes[i] > peak) { /* a new high, not the way back from a fall */
			peak = series->bytes[i];
			series->first_rise = series->rises ? series->first_rise : i;
			series->last_rise = i;
			series->rises++;
		}
	}
}

static double seconds_between(const struct series *series, size_t from, size_t to)
{
	return (double)(series->times_ns[to] - series->times_ns[from]) / NS_PER_S;
}

static void describe_trend(const struct series *series, struct kmt_judgement *judgement)
{
	struct kmt_trend *trend = &judgement->trend;
	struct kmt_fit fit;

	trend->shape = kmt_shape(series->bytes, series->nr, 0);
	if (series->grown <= 0 || series->rises == 0)
		return;
	kmt_fit(series->times_ns, series->bytes, series->nr, &fit);
	trend->bytes_per_s = fit.slope;
	trend->low = fit.low;
	trend->high = fit.high;
	trend->since_ns = series->times_ns[series->first_rise - 1];
	trend->until_ns = series->times_ns[series->nr - 1];
}

static void decide(struct kmt_judgement *judgement, enum kmt_class class, double confidence)
{
	judgement->class = class;
	judgement->confidence = confidence;
}

/* Before there are enough snapshots: how much and how often. */
static void judge_few(const struct kmt_counter_evidence *evidence, const struct series *series,
		      struct kmt_reasons *reasons, struct kmt_judgement *judgement)
{
	double enough = evidence->is_module ? MODULE_OBJECTS_MIN : OBJECTS_MIN;

	kmt_reasons_add(reasons, series->grown_objects < enough,
			"%zu snapshots show no pace: record for longer", series->nr);
	if (series->grown_objects < enough)
		decide(judgement, KMT_CLASS_CACHE, 0.5);
	else
		decide(judgement, KMT_CLASS_GROWTH,
		       evidence->is_module ? MODULE_CONFIDENCE : GROWTH_CONFIDENCE);
}

static void judge_rise(const struct kmt_counter_evidence *evidence, const struct series *series,
		       struct kmt_reasons *reasons, struct kmt_judgement *judgement)
{
	size_t last = series->nr - 1;
	double length_s = seconds_between(series, series->first_rise - 1, last);
	double silence_s = seconds_between(series, series->last_rise, last);
	double graces = length_s * NS_PER_S / fmax((double)evidence->grace_ns, 1);
	double confidence = 1 - pow(0.5, (double)series->rises - 1);
	char a[KMT_UNITS_BYTES], b[KMT_UNITS_BYTES];

	if (series->fallen > FALL_PART * series->grown) {
		kmt_reasons_add(reasons, true, "some of it is freed in between");
		decide(judgement, KMT_CLASS_GROWTH, GROWTH_CONFIDENCE);
		return;
	}
	if (silence_s > STOPPED_PART * length_s || series->rises < LEAK_RISES) {
		kmt_reasons_add(reasons, true, "rose %zu time%s, then nothing for %s",
				series->rises, series->rises == 1 ? "" : "s",
				kmt_format_time(a, (uint64_t)(silence_s * NS_PER_S)));
		decide(judgement,
		       silence_s > 0 || series->rises == 1 ? KMT_CLASS_CACHE : KMT_CLASS_GROWTH,
		       silence_s > 0 ? 0.7 : 0.4);
		return;
	}
	kmt_reasons_add(reasons, true, "rose at %zu of %zu snapshots over %s, the last %s ago",
			series->rises, last, kmt_format_time(a, (uint64_t)(length_s * NS_PER_S)),
			kmt_format_time(b, (uint64_t)(silence_s * NS_PER_S)));
	kmt_reasons_add(reasons, true, "and never fell");
	confidence *= 1 - 0.5 / fmax(graces, 1);
	if (evidence->is_out_of_tree)
		confidence = 1 - (1 - confidence) * 0.75;
	if (graces < LENGTH_GRACES) {
		kmt_reasons_add(reasons, false, "%s are too short to tell",
				kmt_format_time(a, (uint64_t)(length_s * NS_PER_S)));
		decide(judgement, KMT_CLASS_GROWTH,
		       evidence->is_module ? MODULE_CONFIDENCE : GROWTH_CONFIDENCE);
		return;
	}
	decide(judgement, KMT_CLASS_LEAK, fmin(confidence, UNLOADED_CONFIDENCE));
}

static void judge_series(const struct kmt_counter_evidence *evidence, const struct series *series,
			 struct kmt_reasons *reasons, struct kmt_judgement *judgement)
{
	char a[KMT_UNITS_BYTES];

	if (evidence->is_unloaded) {
		kmt_reasons_add(reasons, true, "the module was unloaded, and left this behind");
		decide(judgement, KMT_CLASS_LEAK, UNLOADED_CONFIDENCE);
		return;
	}
	if (series->grown <= 0) {
		decide(judgement, series->rises ? KMT_CLASS_TRANSIENT : KMT_CLASS_NONE, 0.8);
		return;
	}
	kmt_reasons_add(reasons, true, "%.0f more, %s, by the kernel's own count",
			series->grown_objects,
			kmt_format_size(a, series->grown < 1e18 ? (uint64_t)series->grown
								: UINT64_C(1) << 60));
	if (series->nr < SNAPSHOTS_MIN)
		judge_few(evidence, series, reasons, judgement);
	else
		judge_rise(evidence, series, reasons, judgement);
}

int kmt_judge_counter(const struct kmt_counter_evidence *evidence,
		      struct kmt_judgement *ret_judgement)
{
	struct kmt_judgement judgement = { .class = KMT_CLASS_NONE };
	struct kmt_reasons reasons = { 0 };
	struct series series = { 0 };
	int r;

	if (evidence->nr) {
		take_series(evidence, &series);
		measure(&series);
		describe_trend(&series, &judgement);
		judge_series(evidence, &series, &reasons, &judgement);
		judgement.live_estimate = judgement.certain_objects =
			series.grown_objects > 0 ? (uint64_t)series.grown_objects : 0;
	}
	r = kmt_reasons_give(&reasons, &judgement);
	if (r == 0)
		*ret_judgement = judgement;
	return r;
}
