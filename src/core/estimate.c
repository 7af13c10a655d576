// SPDX-License-Identifier: LGPL-2.1-only
#include <math.h>

#include "kmemtape/estimate.h"

#define TAIL	       0.025 /* on either side */
#define SERIES_MAX     100000
#define SERIES_ENDS    1e-14
#define SHAPE_LARGE    1e5 /* the cube root of it is normal, to five digits */
#define TAIL_NORMAL    1.959963984540054
#define BISECTIONS     100
#define ODD_BYTES_MAX  (UINT64_C(1) << 40) /* more is no object */
#define SLAB_ORDER_MAX 3u		   /* slub_max_order: the largest slab that SLUB likes */

static uint64_t lowest_bit(uint64_t n)
{
	return n & (0 - n);
}

static double two_to_bits(uint64_t mask)
{
	return ldexp(1, __builtin_popcountll(mask));
}

/* Linux mm/slub.c, calculate_order(): how large a slab of objects of this size is. */
static uint64_t slab_bytes(uint64_t page_bytes, uint32_t nr_cpus, uint64_t bytes)
{
	uint64_t bits = nr_cpus ? 32u - (unsigned int)__builtin_clz(nr_cpus) : 0;
	uint64_t wanted = 4 * (bits + 1) * bytes, largest = page_bytes << SLAB_ORDER_MAX;
	uint64_t least = page_bytes;

	while (least < wanted && least < largest)
		least *= 2;
	for (uint64_t fraction = 16; fraction >= 4; fraction /= 2)
		for (uint64_t slab = least; slab <= largest; slab *= 2)
			if (bytes <= slab && slab % bytes <= slab / fraction)
				return slab;
	while (largest < bytes && largest < UINT64_C(1) << 62)
		largest *= 2;
	return largest;
}

/*
 * Objects of an odd size lie at a few places of their slab, of which the mask keeps some for good,
 * and others never: those that begin in the slab's first page, mostly, and there are more of these
 * than in the others.
 */
static double odd_weight(uint64_t mask, uint64_t page_bytes, uint64_t slab, uint64_t bytes)
{
	uint64_t nr = slab / bytes, kept = 0, step = bytes < page_bytes ? page_bytes : bytes;

	/* The mask tells pages apart, so that all that begin in one go together: a slab has few. */
	for (uint64_t at = 0; at < slab; at += step) {
		uint64_t first = (at + bytes - 1) / bytes, end = (at + step + bytes - 1) / bytes;

		if ((at & mask & (slab - 1)) == 0 && first < nr)
			kept += (end < nr ? end : nr) - first;
	}
	return kept ? (double)nr / (double)kept * two_to_bits(mask & ~(slab - 1)) : 1;
}

double kmt_sample_weight(uint64_t mask, uint64_t page_bytes, uint32_t nr_cpus, uint64_t address,
			 uint64_t bytes)
{
	uint64_t aligned = lowest_bit(bytes ? bytes : 1);

	if (mask == 0)
		return 1;
	if (bytes && aligned != bytes && page_bytes && bytes < ODD_BYTES_MAX)
		return odd_weight(mask, page_bytes, slab_bytes(page_bytes, nr_cpus, bytes), bytes);
	if (address && lowest_bit(address) < aligned)
		aligned = lowest_bit(address); /* debugging moves objects within their slab */
	return two_to_bits(mask & ~(aligned - 1));
}

double kmt_sample_weight_pages(uint64_t mask, uint64_t first, uint64_t nr)
{
	uint64_t aligned = lowest_bit(nr ? nr : 1);

	/* Part of a block that was larger, and was kept for where it began. */
	while (first & ~(aligned - 1) & mask)
		aligned *= 2;
	return two_to_bits(mask & ~(aligned - 1));
}

void kmt_estimator_add(struct kmt_estimator *estimator, double weight, double value)
{
	double weighs = weight * value;

	if (!(weight > 1)) {
		estimator->certain += value;
		return;
	}
	estimator->seen += value;
	estimator->total += weighs;
	estimator->squares += weighs * weighs;
	estimator->largest = fmax(estimator->largest, weighs);
}

void kmt_estimator_expect(struct kmt_estimator *estimator, double weight, double value)
{
	if (weight > 1)
		estimator->most = fmax(estimator->most, weight * value);
}

/*
 * P(shape, x), the regularized incomplete gamma function: its series below the mean, its continued
 * fraction above (Abramowitz and Stegun, 6.5.29 and 6.5.31).
 */
static double gamma_below(double shape, double x)
{
	double term = 1 / shape, sum = term, c, d, h;
	double factor;
	int sign;

	if (!(x > 0))
		return 0;
	factor = exp(shape * log(x) - x - lgamma_r(shape, &sign));
	if (x < shape + 1) {
		for (int i = 1; i < SERIES_MAX && term > sum * SERIES_ENDS; i++) {
			term *= x / (shape + i);
			sum += term;
		}
		return sum * factor;
	}
	d = 1 / (x + 1 - shape);
	c = INFINITY;
	h = d;
	for (int i = 1; i < SERIES_MAX; i++) {
		double a = -i * (i - shape), b = x + 1 - shape + 2 * i;

		d = 1 / (a * d + b);
		c = b + a / c;
		h *= c * d;
		if (fabs(c * d - 1) < SERIES_ENDS)
			break;
	}
	return 1 - h * factor;
}

/* Wilson and Hilferty, 1931; for the two tails that are asked for. */
static double large_quantile(double shape, double probability)
{
	double z = probability < 0.5 ? -TAIL_NORMAL : TAIL_NORMAL;
	double root = 1 - 1 / (9 * shape) + z / (3 * sqrt(shape));

	return shape * root * root * root;
}

double kmt_gamma_quantile(double shape, double probability)
{
	double low = 0, high = shape + 1;

	if (!(shape > 0))
		return 0;
	if (shape > SHAPE_LARGE)
		return large_quantile(shape, probability);
	while (gamma_below(shape, high) < probability)
		high *= 2;
	for (int i = 0; i < BISECTIONS && high - low > high * 1e-12; i++) {
		double middle = (low + high) / 2;

		if (gamma_below(shape, middle) < probability)
			low = middle;
		else
			high = middle;
	}
	return (low + high) / 2;
}

void kmt_estimator_get(const struct kmt_estimator *estimator, double *ret_value, double *ret_low,
		       double *ret_high)
{
	double total = estimator->total, squares = estimator->squares, low = 0, high = 0;
	double one = fmax(estimator->largest, estimator->most); /* that nobody saw */

	if (total > 0)
		low = squares / total * kmt_gamma_quantile(total * total / squares, TAIL);
	if (total + one > 0) {
		double sum = total + one, spread = squares + one * one;

		high = spread / sum * kmt_gamma_quantile(sum * sum / spread, 1 - TAIL);
	}
	*ret_value = estimator->certain + total;
	*ret_low = estimator->certain + fmax(low, estimator->seen);
	*ret_high = estimator->certain + high;
}
