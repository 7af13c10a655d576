/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMEMTAPE_ZOO_RANDOM_H
#define KMEMTAPE_ZOO_RANDOM_H

#include <stdint.h>

/* The same numbers for the same seed, everywhere: SplitMix64 (Steele, Lea, Flood 2014). */
struct zoo_random {
	uint64_t state;
};

void zoo_random_init(struct zoo_random *random, uint64_t seed, const char *salt);
uint64_t zoo_random_next(struct zoo_random *random);
uint64_t zoo_random_below(struct zoo_random *random, uint64_t limit); /* limit > 0 */
double zoo_random_unit(struct zoo_random *random);		       /* 0..1, below 1 */
double zoo_random_between(struct zoo_random *random, double from, double to);
double zoo_random_exp(struct zoo_random *random, double mean);

/* Heavy-tailed: P(x > t) = (min / t)^shape */
double zoo_random_pareto(struct zoo_random *random, double min, double shape);

#endif
