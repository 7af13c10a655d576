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

#define TRIES_MAX 40 /* each leaves half of them, or nearly so, but for numbers made to be slow */
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

static double middle_of(double a, double b, double c)
{
	return fmax(fmin(a, b), fmin(fmax(a, b), c));
}

/*
 * What would be at @k if @numbers were sorted from @from to @to; none before it is larger then, and
 * none behind it smaller (Hoare 1961, FIND). Sorting them all took most of the time of a report
 * with many call sites.
 */
static double pick(double *numbers, size_t from, size_t to, size_t k)
{
	ptrdiff_t low = (ptrdiff_t)from, high = (ptrdiff_t)to - 1, at = (ptrdiff_t)k;

	for (int tries = 0; low < high; tries++) {
		double pivot = middle_of(numbers[low], numbers[(low + high) / 2], numbers[high]);
		ptrdiff_t i = low, j = high;

		if (tries == TRIES_MAX) {
			qsort(numbers + low, (size_t)(high - low + 1), sizeof(*numbers), by_value);
			break;
		}
		while (i <= j) {
			while (numbers[i] < pivot)
				i++;
			while (numbers[j] > pivot)
				j--;
			if (i <= j) {
				double number = numbers[i];

				numbers[i++] = numbers[j];
				numbers[j--] = number;
			}
		}
		if (at > j && at < i)
			break;
		low = at >= i ? i : low;
		high = at <= j ? j : high;
	}
	return numbers[k];
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

/* Fills in s and z. */
static double find_trend(const double *values, size_t nr, struct kmt_fit *fit)
{
	double sigma = sqrt(variance_of_s(values, nr));

	for (size_t j = 1; j < nr; j++)
		for (size_t i = 0; i < j; i++)
			fit->s += (values[j] > values[i]) - (values[j] < values[i]);
	if (nr < POINTS_MIN || sigma <= 0)
		return 0;
	fit->z = (fit->s - (fit->s > 0) + (fit->s < 0)) / sigma;
	return sigma;
}

/*
 * Sen 1968, section 3: as many slopes on either side of the median as S may be off by chance.
 * @sigma: 0: all of them
 */
static void bound_slope(struct kmt_fit *fit, double *slopes, size_t nr, double sigma)
{
	double half = NORMAL_95 * sigma, n = (double)nr;
	double low = sigma > 0 ? rint((n - half) / 2) - 1 : 0;
	double high = sigma > 0 ? rint((n + half) / 2) : n - 1;
	size_t middle = nr / 2, from = low > 0 ? (size_t)low : 0;
	size_t to = high < n - 1 ? (size_t)high : nr - 1;
	double upper = pick(slopes, 0, nr, middle);

	fit->high = to > middle ? pick(slopes, middle + 1, nr, to) : upper;
	fit->slope = nr % 2 ? upper : (pick(slopes, 0, middle, middle - 1) + upper) / 2;
	fit->low = from < middle ? pick(slopes, 0, middle, from) : upper;
}

void kmt_fit(const uint64_t *times_ns, const double *values, size_t nr, struct kmt_fit *ret_fit)
{
	struct kmt_fit fit = { .nr = nr };
	double slopes[PAIRS_MAX];
	size_t nr_slopes = 0;

	assert(nr <= KMT_FIT_POINTS_MAX);
	*ret_fit = fit;
	if (nr < 2)
		return;
	for (size_t j = 1; j < nr; j++)
		for (size_t i = 0; i < j; i++)
			slopes[nr_slopes++] = (values[j] - values[i]) /
					      ((double)(times_ns[j] - times_ns[i]) / NS_PER_S);
	bound_slope(&fit, slopes, nr_slopes, find_trend(values, nr, &fit));
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

enum kmt_shape kmt_shape(const double *values, size_t nr, double noise)
{
	size_t eighth = nr / 8 ? nr / 8 : 1, third = nr / 3 ? nr / 3 : 1;
	double min, max, end, start, tooth;
	struct kmt_fit fit = { .nr = nr };

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
	/* The first point is at the end of the first bucket: what came before it has risen from 0.
	 */
	if (end - level(values + nr - third - eighth, eighth) <= PLATEAU_PART * end)
		return start >= (1 - 2 * FLAT_PART) * end ? KMT_SHAPE_FLAT : KMT_SHAPE_PLATEAU;
	if (has_steps(values, nr))
		return KMT_SHAPE_STEPS;
	(void)find_trend(values, nr, &fit);
	return fit.z >= NORMAL_99 ? KMT_SHAPE_LINEAR : KMT_SHAPE_FLAT;
}
