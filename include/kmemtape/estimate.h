/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMEMTAPE_ESTIMATE_H
#define KMEMTAPE_ESTIMATE_H

#include <stdint.h>

/*
 * How much there is of something of which only objects at some addresses were recorded: those that
 * have none of the bits of a mask. An object is kept with its free or not at all, but objects of a
 * page go together: the sample is one of pages, which are called clusters here.
 *
 * Horvitz and Thompson: each object counts as often as there are places for it, of which one is
 * kept (its weight), and the sum of that is unbiased. Which pages are kept is taken to be as good as
 * independent (which is not always so: on Linux 6.18 pages whose number ends in zeros were seen to
 * have 1.5 times their share of all slab objects), so that their number is one of Poisson, and the
 * sum a weighted sum of these; limits
 * of such sums are by Fay and Feuer (Confidence intervals for directly standardized rates, Stat.
 * Med. 16, 1997, 791-801): those of a gamma distribution of the same mean and variance, for the
 * upper one with one more cluster of the largest weight that can be. With equal weights these are
 * the exact limits of Poisson's distribution. So a single page does not pass for certainty, and
 * that nothing was seen of a thing has an upper limit, too. What is kept whatever the mask
 * adds nothing to the error.
 */
struct kmt_estimator {
	double certain; /* of weight 1 */
	double seen;	/* of what has another, unweighted */
	double total;	/* weighted */
	double squares; /* of what clusters weigh */
	double largest; /* of these */
	double most;	/* that a cluster can weigh, be it seen or not */
};

/**
 * kmt_sample_weight() - how many places like that of this object there are for one that is kept
 * @mask: 0: all were recorded
 * @page_bytes, @nr_cpus: of the kernel, the CPUs that it may have: how large slabs are is made of
 * them
 * @address: 0: of any object of that size
 * @bytes: of an object, with all that the allocator adds
 *
 * Objects whose size is a multiple of a power of two are aligned to that. Bits of the mask below
 * are zero in any case: what has no bit above is always kept, 1.
 */
double kmt_sample_weight(uint64_t mask, uint64_t page_bytes, uint32_t nr_cpus, uint64_t address,
			 uint64_t bytes);

/* The same of @nr pages that begin at frame @first, and were handed out as one block or a larger.
 */
double kmt_sample_weight_pages(uint64_t mask, uint64_t first, uint64_t nr);

/* All that was seen in one cluster: @value of objects, each of @weight. */
void kmt_estimator_add(struct kmt_estimator *estimator, double weight, double value);

/* There may be clusters with as much as @value, each of @weight, even if none was seen. */
void kmt_estimator_expect(struct kmt_estimator *estimator, double weight, double value);

/* @ret_low, @ret_high: of the 95 % interval; never below what was seen */
void kmt_estimator_get(const struct kmt_estimator *estimator, double *ret_value, double *ret_low,
		       double *ret_high);

/* x, so that a gamma distribution of this shape, and scale 1, is below with @probability. */
double kmt_gamma_quantile(double shape, double probability);

#endif
