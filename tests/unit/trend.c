// SPDX-License-Identifier: GPL-2.0-only
#include <math.h>

#include "kmemtape/trend.h"

#include "check.h"

#define S UINT64_C(1000000000)

static void check_near(double got, double expected)
{
	if (!(fabs(got - expected) <= 1e-3 * fmax(1, fabs(expected))))
		fail_msg("%g is not %g", got, expected);
}

static struct kmt_fit fit(const double *values, size_t nr)
{
	uint64_t times_ns[KMT_FIT_POINTS_MAX] = { 0 };
	struct kmt_fit fitted;

	for (size_t i = 0; i < nr; i++)
		times_ns[i] = 7 * S + i * S;
	kmt_fit(times_ns, values, nr, &fitted);
	return fitted;
}

/*
 * By hand. Slopes of all pairs: -1 -1 1/3 1/2 3/4 1 1 4/3 2 3, 8 of 10 above 0. Var S = 5 4 15 /
 * 18, so S is (6 - 1) / 4.0825 deviations from 0, and 1.96 deviations are 8.0015 slopes: all of
 * them.
 */
TEST(a_small_fit_is_as_computed_by_hand)
{
	static const double values[] = { 1, 3, 2, 5, 4 };
	struct kmt_fit fitted = fit(values, 5);

	check_near(fitted.slope, 0.875);
	check_near(fitted.s, 6);
	check_near(fitted.z, 1.22474);
	check_near(fitted.low, -1);
	check_near(fitted.high, 3);
}

/* Var S = (6 5 17 - 3 (2 1 9)) / 18 = 25.33; S = 12 */
TEST(ties_have_no_order)
{
	static const double values[] = { 1, 1, 2, 2, 3, 3 };
	struct kmt_fit fitted = fit(values, 6);

	check_near(fitted.s, 12);
	check_near(fitted.z, 2.18548);
	check_near(fitted.slope, 0.5);
}

TEST(a_quarter_of_wild_points_moves_nothing)
{
	double values[40];
	struct kmt_fit fitted;

	for (size_t i = 0; i < 40; i++)
		values[i] = i % 4 == 1 ? 1e9 : 5.0 * (double)i;
	fitted = fit(values, 40);
	CHECK(fitted.slope > 4 && fitted.slope < 6);
	for (size_t i = 0; i < 40; i++)
		values[i] = 5.0 * (double)i;
	fitted = fit(values, 40);
	check_near(fitted.slope, 5);
	check_near(fitted.low, 5);
	check_near(fitted.high, 5);
}

TEST(the_interval_holds_the_slope_19_times_of_20)
{
	uint64_t random = 1;
	unsigned int held = 0;

	for (unsigned int k = 0; k < 1000; k++) {
		double values[30];
		struct kmt_fit fitted;

		for (size_t i = 0; i < 30; i++) {
			values[i] = 2.0 * (double)i;
			for (unsigned int n = 0; n < 12; n++) /* near enough to normal */
				values[i] += 3e-9 * (double)(check_random(&random) % 1000000000);
		}
		fitted = fit(values, 30);
		held += fitted.low <= 2 && fitted.high >= 2;
	}
	CHECK(held >= 925 && held <= 975);
}

TEST(few_points_have_no_trend)
{
	static const double values[] = { 1, 2, 3 };

	check_near(fit(values, 0).slope, 0);
	check_near(fit(values, 1).slope, 0);
	check_near(fit(values, 2).slope, 1);
	check_near(fit(values, 3).z, 0);
}

static int by_value(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

/* All slopes, sorted: the median is in the middle, and the bounds are among them. */
static void check_slopes(const uint64_t *times_ns, const double *values, size_t nr)
{
	static double slopes[KMT_FIT_POINTS_MAX * KMT_FIT_POINTS_MAX];
	struct kmt_fit fitted;
	size_t nr_slopes = 0;
	double half, low, high;

	for (size_t j = 0; j < nr; j++)
		for (size_t i = 0; i < j; i++)
			slopes[nr_slopes++] = (values[j] - values[i]) /
					      ((double)(times_ns[j] - times_ns[i]) / 1e9);
	qsort(slopes, nr_slopes, sizeof(*slopes), by_value);
	kmt_fit(times_ns, values, nr, &fitted);
	CHECK(fitted.slope == (slopes[(nr_slopes - 1) / 2] + slopes[nr_slopes / 2]) / 2);
	if (fitted.z == 0)
		return;
	half = 1.959964 * (fitted.s - (fitted.s > 0) + (fitted.s < 0)) / fitted.z;
	low = fmax(rint(((double)nr_slopes - half) / 2) - 1, 0);
	high = fmin(rint(((double)nr_slopes + half) / 2), (double)nr_slopes - 1);
	CHECK(slopes[(size_t)low] == fitted.low);
	CHECK(slopes[(size_t)high] == fitted.high);
}

/* Also where most are the same, or in an order that makes each guess of the middle a bad one. */
TEST(slopes_are_those_of_all_pairs_in_order)
{
	uint64_t times_ns[KMT_FIT_POINTS_MAX], state = 3;
	double values[KMT_FIT_POINTS_MAX];

	for (int round = 0; round < 3000; round++) {
		size_t nr = 2 + check_random(&state) % (KMT_FIT_POINTS_MAX - 1);
		uint64_t most = 1 + check_random(&state) % 40, time_ns = 0;

		for (size_t i = 0; i < nr; i++) {
			times_ns[i] = time_ns += round % 2 ? S : 1 + check_random(&state) % S;
			values[i] = round % 3 == 0   ? (double)(check_random(&state) % most)
				    : round % 3 == 1 ? (double)(i >= most)
						     : exp2((double)i);
		}
		check_slopes(times_ns, values, nr);
	}
}

static enum kmt_shape shape(double (*at)(double t), double noise)
{
	double values[50];

	for (size_t i = 0; i < 50; i++)
		values[i] = at((double)(i + 1) / 50);
	return kmt_shape(values, 50, noise);
}

static double line(double t)
{
	return 1000 * t;
}

static double nothing(double t)
{
	return 0 * t;
}

static double constant(double t)
{
	return 1000 + 20 * sin(50 * t);
}

static double filling(double t)
{
	return 1000 * (1 - exp(-t / 0.2));
}

static double step(double t)
{
	return t < 0.3 ? 10 : 147;
}

static double stairs(double t)
{
	return 100 * floor(5 * t + 0.5);
}

static double teeth(double t)
{
	return 1000 * (3 * t - floor(3 * t)) + 10;
}

static double hill(double t)
{
	return t > 0.2 && t < 0.5 ? 1000 : 5;
}

TEST(shapes_have_their_names)
{
	CHECK_EQ(shape(nothing, 0), KMT_SHAPE_NONE);
	CHECK_EQ(shape(constant, 0), KMT_SHAPE_FLAT);
	CHECK_EQ(shape(line, 0), KMT_SHAPE_LINEAR);
	CHECK_EQ(shape(filling, 0), KMT_SHAPE_PLATEAU);
	CHECK_EQ(shape(step, 0), KMT_SHAPE_PLATEAU);
	CHECK_EQ(shape(stairs, 0), KMT_SHAPE_STEPS);
	CHECK_EQ(shape(teeth, 0), KMT_SHAPE_SAWTOOTH);
	CHECK_EQ(shape(hill, 0), KMT_SHAPE_TRANSIENT);
	/* Within the noise nothing has a shape */
	CHECK_EQ(shape(line, 200), KMT_SHAPE_FLAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(a_small_fit_is_as_computed_by_hand),
		ROW(ties_have_no_order),
		ROW(a_quarter_of_wild_points_moves_nothing),
		ROW(the_interval_holds_the_slope_19_times_of_20),
		ROW(few_points_have_no_trend),
		ROW(slopes_are_those_of_all_pairs_in_order),
		ROW(shapes_have_their_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
