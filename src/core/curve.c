// SPDX-License-Identifier: LGPL-2.1-only
#include <math.h>

#include "kmemtape/trend.h"

#include "judging.h"

#define AGE_NS_MAX	 1e19 /* as a double it fits into 64 bits */
/* All but a tenth of those that died were younger than that. */
#define WARM_PART	 0.1
/* There has to be something left to look at. */
#define WARM_LENGTH_PART 0.67

static uint64_t allocs_until(const struct kmt_evidence *evidence)
{
	return kmt_min_u64(evidence->allocs_off_ns, evidence->end_ns);
}

/* Points of the curve that were taken while allocations were recorded, from @from_s on. */
size_t kmt_curve_take(const struct kmt_evidence *evidence, const uint64_t *curve, double from_s,
		      uint64_t *times_ns, double *values)
{
	const struct kmt_grid *grid = evidence->grid;
	uint64_t until_ns = allocs_until(evidence);
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

double kmt_curve_peak(const struct kmt_evidence *evidence)
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

/*
 * What lived when the recording began isn't known, so that whatever comes and goes rises from 0 for
 * about as long as it lives. That is no trend.
 */
static double warm_up_s(const struct kmt_evidence *evidence)
{
	const struct kmt_history *history = evidence->history;
	double ends = (double)evidence->frees + (double)evidence->reused, older = 0;
	uint64_t length_ns = evidence->end_ns - evidence->grid->start_ns;
	unsigned int bin = KMT_AGE_BINS;

	if (evidence->end_ns <= evidence->grid->start_ns)
		return 0;
	while (bin > 1 && older <= WARM_PART * ends) {
		bin--;
		older += (double)history->freed_ages[bin] + (double)history->reused_ages[bin];
	}
	if (older > WARM_PART * ends)
		bin++;
	return fmin((double)kmt_age_bin_from(bin), WARM_LENGTH_PART * (double)length_ns) / NS_PER_S;
}

static enum kmt_shape shape_of(const struct kmt_evidence *evidence, double from_s)
{
	uint64_t times_ns[KMT_HISTORY_POINTS];
	double values[KMT_HISTORY_POINTS], noise = 0;
	size_t nr = kmt_curve_take(evidence, evidence->history->live, from_s, times_ns, values);

	/* What comes and goes at random varies by its root (Poisson); what never goes doesn't. */
	if (evidence->frees || evidence->reused)
		noise = sqrt(kmt_curve_peak(evidence));
	return kmt_shape(values, nr, noise);
}

static enum kmt_shape shape_of_births(const struct kmt_view *view)
{
	double values[KMT_HISTORY_POINTS], sum = 0;
	size_t nr = 0;

	for (size_t i = 0; i < KMT_HISTORY_POINTS; i++) {
		sum += view->survivors.births[i];
		if ((double)(i + 1) * view->survivors.bucket_s < view->pace.from_s ||
		    (double)i * view->survivors.bucket_s > view->pace.to_s)
			continue;
		values[nr++] = sum;
	}
	return nr && kmt_shape(values, nr, 0) == KMT_SHAPE_STEPS ? KMT_SHAPE_STEPS
								 : KMT_SHAPE_LINEAR;
}

/* By the births: exact where the live curve is full of what is in flight. */
static void fit_births(const struct kmt_judging *judging, struct kmt_trend *trend)
{
	const struct kmt_pace *pace = &judging->view.pace;
	double length_s = fmax(pace->to_s - pace->from_s, 1e-9);
	double bytes = object_bytes(judging->evidence);
	double error = 1.96 * pace->nr * pace->drift_error / sqrt(12);

	trend->bytes_per_s = pace->nr * bytes / length_s;
	trend->low = fmax(pace->nr - error, 0) * bytes / length_s;
	trend->high = (pace->nr + error) * bytes / length_s;
}

static void describe(struct kmt_judging *judging)
{
	const struct kmt_evidence *evidence = judging->evidence;
	struct kmt_trend *trend = &judging->judgement->trend;
	bool is_steady = judging->view.finding == KMT_FOUND_STEADY;
	double values[KMT_HISTORY_POINTS],
		from_s = is_steady ? judging->view.pace.from_s : judging->warm_s;
	uint64_t times_ns[KMT_HISTORY_POINTS];
	double since_ns;
	struct kmt_fit fit;

	*trend = (struct kmt_trend){ .until_ns = allocs_until(evidence) };
	trend->shape = is_steady ? shape_of_births(&judging->view) : judging->shape;
	if (trend->shape != KMT_SHAPE_LINEAR && trend->shape != KMT_SHAPE_STEPS)
		return;
	kmt_fit(times_ns, values,
		kmt_curve_take(evidence, evidence->history->live_bytes, from_s, times_ns, values),
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
	since_ns = is_steady ? judging->view.pace.first_s * NS_PER_S : 0;
	trend->since_ns = evidence->grid->start_ns + (uint64_t)kmt_clamp(since_ns, 0, AGE_NS_MAX);
}

void kmt_judging_see(struct kmt_judging *judging, const struct kmt_view *view)
{
	bool is_mortal = view->finding == KMT_FOUND_MORTAL;

	judging->view = *view;
	judging->warm_s = is_mortal ? warm_up_s(judging->evidence) : 0;
	judging->shape = shape_of(judging->evidence, judging->warm_s);
	describe(judging);
}
