// SPDX-License-Identifier: GPL-2.0-only
/* Estimates from a sample of addresses: weights, limits, and how often they hold. */
#include <math.h>
#include <stdbool.h>

#include "kmemtape/estimate.h"

#include "check.h"

#define PAGE	4096u
#define EIGHTH	UINT64_C(0x7000)  /* keeps 1 in 8 pages */
#define SMALL	UINT64_C(0x3f000) /* 1 in 64 */
#define SAMPLES 1000

static bool is_near(double a, double b, double part)
{
	return fabs(a - b) <= part * fabs(b);
}

/* --- weights --- */

/* Counted, not reasoned: all objects of a slab at all addresses that slabs can have. */
static double counted_weight(uint64_t mask, uint64_t slab_bytes, uint64_t bytes)
{
	double nr = 0, kept = 0;

	for (uint64_t slab = 0; slab < UINT64_C(1) << 24; slab += slab_bytes)
		for (uint64_t at = 0; at + bytes <= slab_bytes; at += bytes) {
			nr++;
			kept += ((slab + at) & mask) == 0;
		}
	return nr / kept;
}

TEST(weights_are_how_many_places_there_are_for_one_that_is_kept)
{
	static const uint64_t masks[] = { 0x1000, 0x7000, 0xf000, 0x3f000 };
	static const struct {
		uint64_t slab, bytes;
		uint32_t nr_cpus;
	} objects[] = {
		{ PAGE, 64 },
		{ PAGE, PAGE },
		{ 8 * PAGE, 2 * PAGE },
		{ 4 * PAGE, 4 * PAGE },
		{ 8 * PAGE, 8 * PAGE },
		{ 64 * PAGE, 64 * PAGE },
		{ 8 * PAGE, 9792 /* a task */ },
		{ 8 * PAGE, 6400 },
		/* As /proc/slabinfo of such machines has them */
		{ PAGE, 192, 2 },
		{ 2 * PAGE, 192, 16 },
		{ 4 * PAGE, 1184, 2 },
		{ 8 * PAGE, 1184, 64 },
		{ 8 * PAGE, 1576, 8 },
		{ PAGE, 56, 4 },
	};

	for (size_t m = 0; m < sizeof(masks) / sizeof(masks[0]); m++)
		for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++)
			CHECK(is_near(kmt_sample_weight(masks[m], PAGE, objects[i].nr_cpus, 0,
							objects[i].bytes),
				      counted_weight(masks[m], objects[i].slab, objects[i].bytes),
				      1e-9));
}

TEST(without_a_mask_an_object_stands_for_itself)
{
	CHECK(is_near(kmt_sample_weight(0, PAGE, 2, 0x1234, 100), 1, 0));
	CHECK(is_near(kmt_sample_weight(0, PAGE, 2, 0, 9792), 1, 0));
	CHECK(is_near(kmt_sample_weight(EIGHTH, PAGE, 2, 0, 0), 8, 0));
}

TEST(an_object_that_is_not_aligned_as_its_size_says_is_not_always_kept)
{
	CHECK(is_near(kmt_sample_weight(EIGHTH, PAGE, 2, 0x10000, 0x8000), 1, 0));
	CHECK(is_near(kmt_sample_weight(EIGHTH, PAGE, 2, 0x10040, 0x8000), 8, 0));
}

TEST(blocks_of_pages_weigh_by_their_order)
{
	CHECK(is_near(kmt_sample_weight_pages(7, 8, 1), 8, 0));
	CHECK(is_near(kmt_sample_weight_pages(7, 8, 2), 4, 0));
	CHECK(is_near(kmt_sample_weight_pages(7, 8, 8), 1, 0));
	CHECK(is_near(kmt_sample_weight_pages(7, 8, 512), 1, 0));
	/* Frames 10..11 have a bit of the mask: they were part of 8..11 or of more. */
	CHECK(is_near(kmt_sample_weight_pages(7, 10, 2), 2, 0));
	CHECK(is_near(kmt_sample_weight_pages(7, 15, 1), 1, 0));
}

/* --- limits --- */

TEST(quantiles_are_those_of_the_tables)
{
	/* Half of chi-square's, twice the shape: Pearson and Hartley, table 7 */
	CHECK(is_near(kmt_gamma_quantile(1, 0.975), 3.68888, 1e-5));
	CHECK(is_near(kmt_gamma_quantile(1, 0.025), 0.0253178, 1e-5));
	CHECK(is_near(kmt_gamma_quantile(0.5, 0.975), 5.02389 / 2, 1e-5));
	CHECK(is_near(kmt_gamma_quantile(5, 0.025), 3.24697 / 2, 1e-5));
	CHECK(is_near(kmt_gamma_quantile(5, 0.975), 20.4832 / 2, 1e-5));
	CHECK(is_near(kmt_gamma_quantile(50, 0.975), 129.561 / 2, 1e-5));
	/* Where one method follows the other */
	CHECK(is_near(kmt_gamma_quantile(99999, 0.975), kmt_gamma_quantile(100001, 0.975), 1e-4));
	CHECK(is_near(kmt_gamma_quantile(99999, 0.025), kmt_gamma_quantile(100001, 0.025), 1e-4));
}

TEST(equal_clusters_have_the_exact_limits_of_poisson)
{
	struct kmt_estimator estimator = { 0 };
	double value, low, high;

	for (int i = 0; i < 10; i++)
		kmt_estimator_add(&estimator, 8, 2);
	kmt_estimator_get(&estimator, &value, &low, &high);
	CHECK(is_near(value, 160, 0));
	CHECK(is_near(low, 4.7954 * 16, 1e-4)); /* Garwood, 1936 */
	CHECK(is_near(high, 18.3904 * 16, 1e-4));
}

TEST(nothing_seen_has_an_upper_limit)
{
	struct kmt_estimator estimator = { 0 };
	double value, low, high;

	kmt_estimator_expect(&estimator, 8, 64);
	kmt_estimator_get(&estimator, &value, &low, &high);
	CHECK(is_near(value, 0, 0));
	CHECK(is_near(low, 0, 0));
	CHECK(is_near(high, 3.68888 * 8 * 64, 1e-4));
}

TEST(what_is_always_kept_is_certain)
{
	struct kmt_estimator estimator = { 0 };
	double value, low, high;

	for (int i = 0; i < 3; i++)
		kmt_estimator_add(&estimator, 1, 1 << 20);
	kmt_estimator_expect(&estimator, 1, 1 << 20);
	kmt_estimator_get(&estimator, &value, &low, &high);
	CHECK(is_near(value, 3 << 20, 0));
	CHECK(is_near(low, value, 0));
	CHECK(is_near(high, value, 0));
}

TEST(no_limit_is_below_what_was_seen)
{
	struct kmt_estimator estimator = { 0 };
	double value, low, high;

	kmt_estimator_add(&estimator, 8, 100);
	kmt_estimator_get(&estimator, &value, &low, &high);
	CHECK(low >= 100);
	CHECK(high > value);
}

/* --- coverage --- */

/* What is live in pages of a row; @fill says how many of a page's @most are. */
typedef uint64_t fill_fn(uint64_t *state, uint64_t most);

static uint64_t fill_all(uint64_t *state, uint64_t most)
{
	return most;
}

static uint64_t fill_one(uint64_t *state, uint64_t most)
{
	return 1;
}

static uint64_t fill_any(uint64_t *state, uint64_t most)
{
	return 1 + check_random(state) % most;
}

/* Many pages with one or two, few that are full. */
static uint64_t fill_unequally(uint64_t *state, uint64_t most)
{
	return most > 2 && check_random(state) % 10 ? 1 + check_random(state) % 2 : most;
}

struct coverage {
	unsigned int held, below, above;
	double width; /* mean, in parts of the truth */
};

/* A sample of @nr_pages pages, with addresses as the buddy allocator gives them: anywhere. */
static struct coverage cover(uint64_t mask, uint64_t nr_pages, uint64_t bytes, fill_fn *fill)
{
	struct coverage coverage = { 0 };
	uint64_t state = nr_pages * 31 + mask + bytes, most = bytes < PAGE ? PAGE / bytes : 1;

	for (int sample = 0; sample < SAMPLES; sample++) {
		struct kmt_estimator estimator = { 0 };
		double truth = 0, value, low, high;
		double weight = kmt_sample_weight(mask, PAGE, 2, 0, bytes);

		kmt_estimator_expect(&estimator, weight, (double)most);
		for (uint64_t i = 0; i < nr_pages; i++) {
			uint64_t page = (check_random(&state) & 0xffffff) * PAGE;
			uint64_t live = fill(&state, most);

			truth += (double)live;
			if (!(page & mask))
				kmt_estimator_add(&estimator, weight, (double)live);
		}
		kmt_estimator_get(&estimator, &value, &low, &high);
		coverage.held += low <= truth && truth <= high;
		coverage.below += high < truth;
		coverage.above += low > truth;
		coverage.width += (high - low) / truth / SAMPLES;
	}
	return coverage;
}

TEST(intervals_hold_the_truth_in_95_of_100_samples)
{
	static const uint64_t masks[] = { EIGHTH, 0xf000, SMALL };
	static const uint64_t pages[] = { 1, 3, 10, 30, 100, 300, 1000 };
	static fill_fn *const fills[] = { fill_all, fill_one, fill_any, fill_unequally };
	static const uint64_t sizes[] = { 32, 192, 1024, PAGE };
	unsigned int held = 0, nr = 0;

	for (size_t m = 0; m < 3; m++)
		for (size_t p = 0; p < 7; p++)
			for (size_t f = 0; f < 4; f++)
				for (size_t s = 0; s < 4; s++, nr += SAMPLES) {
					struct coverage coverage =
						cover(masks[m], pages[p], sizes[s], fills[f]);

					held += coverage.held;
					/* Of a thousand, two standard deviations are 14. */
					if (coverage.held < SAMPLES * 95 / 100 - 14)
						fail_msg("mask %#lx, %lu pages of %lu bytes, fill "
							 "%zu: %u of %u (%u below, %u above)",
							 masks[m], pages[p], sizes[s], f,
							 coverage.held, SAMPLES, coverage.below,
							 coverage.above);
				}
	CHECK(held > nr / 100 * 97);
}

TEST(many_clusters_make_narrow_intervals)
{
	/* 3000 pages in 8: 375 of them, 5 % each way and twice that for both. */
	CHECK(cover(EIGHTH, 3000, 32, fill_all).width < 0.25);
	CHECK(cover(EIGHTH, 3000, 1024, fill_one).width < 0.25);
	CHECK(cover(EIGHTH, 3000, 32, fill_any).width < 0.30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(weights_are_how_many_places_there_are_for_one_that_is_kept),
		ROW(without_a_mask_an_object_stands_for_itself),
		ROW(an_object_that_is_not_aligned_as_its_size_says_is_not_always_kept),
		ROW(blocks_of_pages_weigh_by_their_order),
		ROW(quantiles_are_those_of_the_tables),
		ROW(equal_clusters_have_the_exact_limits_of_poisson),
		ROW(nothing_seen_has_an_upper_limit),
		ROW(what_is_always_kept_is_certain),
		ROW(no_limit_is_below_what_was_seen),
		ROW(intervals_hold_the_truth_in_95_of_100_samples),
		ROW(many_clusters_make_narrow_intervals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
