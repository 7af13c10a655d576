// SPDX-License-Identifier: LGPL-2.1-only
#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "kmemtape/trend.h"

#define NS_PER_S 1e9

/* Below this the normal approximation of S means nothing: three points rise by chance in 1 of 6. */
#define POINTS_MIN 4u
#define NORMAL_95  1.959964 /* two sides */
#define NORMAL_99  2.326348 /* one side */

/* What changes by less than this part of the peak is flat: nobody acts on it. */
#define FLAT_PART	     0.1
/* Back to a quarter of what it was at its highest: what rose, has gone. */
#define TRANSIENT_PART	     0.25
/* A fall and a rise of a quarter of the whole range each: more than the wiggles of a busy site. */
#define TOOTH_PART	     0.25
/*
 * A straight line gains a third in its last third; an exponential filling with a time constant of
 * 0.3 of the window gains 7.5 %, one of 0.5 15 %.
 */
#define PLATEAU_PART	     0.12
/* Most of the rise in an eighth of the intervals: a line needs 7 of 8 for as much. */
#define STEPS_RISE_PART	     0.85
#define STEPS_INTERVALS_PART 0.125
/* The range of 64 points of noise is 4.8 times its deviation (Tippett 1925); more than 6 is not
 * noise. */
#define NOISE_FACTOR	     6

#define PAIRS_MAX (KMT_FIT_POINTS_MAX * (KMT_FIT_POINTS_MAX - 1) / 2)

static int by_value(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

static double median(double *sorted, size_t nr)
{
	return nr % 2 ? sorted[nr / 2] : (sorted[nr / 2 - 1] + sorted[nr / 2]) / 2;
}

/* Kendall 1975: values that are the same more than once say nothing of the order among them. */
static double variance_of_s(const double *values, size_t nr)
{
	double sorted[KMT_FIT_POINTS_MAX], n = (double)nr;
	double variance = n * (n - 1) * (2 * n + 5);
	size_t to;

	for (size_t i = 0; i < nr; i++)
		sorted[i] = values[i];
	qsort(sorted, nr, sizeof(*sorted), by_value);
	for (size_t from = 0; from < nr; from = to) {
		double t;

		for (to = from + 1; to < nr && sorted[to] <= sorted[from];)
			to++;
		t = (double)(to - from);
		variance -= t * (t - 1) * (2 * t + 5);
	}
	return variance / 18;
}

/* Sen 1968, section 3: as many slopes on either side of the median as S may be off by chance. */
static void bound_slope(struct kmt_fit *fit, const double *slopes, size_t nr_slopes, double sigma)
{
	double half = NORMAL_95 * sigma, n = (double)nr_slopes;
	double low = rint((n - half) / 2) - 1, high = rint((n + half) / 2);

	fit->low = slopes[low > 0 ? (size_t)low : 0];
	fit->high = slopes[high < n - 1 ? (size_t)high : nr_slopes - 1];
}

void kmt_fit(const uint64_t *times_ns, const double *values, size_t nr, struct kmt_fit *ret_fit)
{
	struct kmt_fit fit = { .nr = nr };
	double slopes[PAIRS_MAX];
	size_t nr_slopes = 0;
	double sigma;

	assert(nr <= KMT_FIT_POINTS_MAX);
	*ret_fit = fit;
	if (nr < 2)
		return;
	for (size_t j = 1; j < nr; j++)
		for (size_t i = 0; i < j; i++) {
			double rise = values[j] - values[i];

			fit.s += (rise > 0) - (rise < 0);
			slopes[nr_slopes++] =
				rise / ((double)(times_ns[j] - times_ns[i]) / NS_PER_S);
		}
	qsort(slopes, nr_slopes, sizeof(*slopes), by_value);
	fit.slope = median(slopes, nr_slopes);
	fit.low = slopes[0];
	fit.high = slopes[nr_slopes - 1];
	sigma = sqrt(variance_of_s(values, nr));
	if (nr >= POINTS_MIN && sigma > 0) {
		bound_slope(&fit, slopes, nr_slopes, sigma);
		fit.z = (fit.s - (fit.s > 0) + (fit.s < 0)) / sigma;
	}
	*ret_fit = fit;
}

static double level(const double *values, size_t nr)
{
	double sorted[KMT_FIT_POINTS_MAX];

	for (size_t i = 0; i < nr; i++)
		sorted[i] = values[i];
	qsort(sorted, nr, sizeof(*sorted), by_value);
	return median(sorted, nr);
}

/* A fall of @tooth from the highest point so far, with a rise of @tooth from the lowest since. */
static bool has_teeth(const double *values, size_t nr, double tooth)
{
	double peak = values[0], trough = values[0];

	for (size_t i = 1; i < nr; i++) {
		if (peak - trough >= tooth && values[i] - trough >= tooth)
			return true;
		if (values[i] > peak)
			peak = trough = values[i];
		if (values[i] < trough)
			trough = values[i];
	}
	return false;
}

/* Few of the intervals hold nearly all of the rise. */
static bool has_steps(const double *values, size_t nr)
{
	double rises[KMT_FIT_POINTS_MAX], sum = 0, top = 0;
	size_t few = (size_t)ceil((double)nr * STEPS_INTERVALS_PART);

	for (size_t i = 1; i < nr; i++) {
		rises[i - 1] = fmax(values[i] - values[i - 1], 0);
		sum += rises[i - 1];
	}
	qsort(rises, nr - 1, sizeof(*rises), by_value);
	for (size_t i = 0; i < few; i++)
		top += rises[nr - 2 - i];
	return sum > 0 && top >= STEPS_RISE_PART * sum;
}

static void find_range(const double *values, size_t nr, double *ret_min, double *ret_max)
{
	*ret_min = *ret_max = values[0];
	for (size_t i = 1; i < nr; i++) {
		*ret_min = fmin(*ret_min, values[i]);
		*ret_max = fmax(*ret_max, values[i]);
	}
}

enum kmt_shape kmt_shape(const uint64_t *times_ns, const double *values, size_t nr, double noise)
{
	size_t eighth = nr / 8 ? nr / 8 : 1, third = nr / 3 ? nr / 3 : 1;
	double min, max, end, start, tooth;
	struct kmt_fit fit;

	if (nr < POINTS_MIN)
		return KMT_SHAPE_NONE;
	find_range(values, nr, &min, &max);
	if (max <= 0)
		return KMT_SHAPE_NONE;
	if (max - min <= fmax(FLAT_PART * max, NOISE_FACTOR * noise))
		return KMT_SHAPE_FLAT;
	start = values[0];
	end = level(values + nr - eighth, eighth);
	tooth = fmax(TOOTH_PART * (max - min), NOISE_FACTOR * noise);
	if (has_teeth(values, nr, tooth))
		return KMT_SHAPE_SAWTOOTH;
	if (end <= TRANSIENT_PART * max)
		return KMT_SHAPE_TRANSIENT;
	kmt_fit(times_ns, values, nr, &fit);
	/* The first point is at the end of the first bucket: what came before it has risen from 0.
	 */
	if (end - level(values + nr - third - eighth, eighth) <= PLATEAU_PART * end)
		return start >= (1 - 2 * FLAT_PART) * end ? KMT_SHAPE_FLAT : KMT_SHAPE_PLATEAU;
	if (has_steps(values, nr))
		return KMT_SHAPE_STEPS;
	return fit.z >= NORMAL_99 ? KMT_SHAPE_LINEAR : KMT_SHAPE_FLAT;
}
