// SPDX-License-Identifier: GPL-2.0-only
#include <math.h>

#include "random.h"

void zoo_random_init(struct zoo_random *random, uint64_t seed, const char *salt)
{
	random->state = seed * 0x9e3779b97f4a7c15;
	for (; *salt; salt++) /* FNV-1a */
		random->state = (random->state ^ (unsigned char)*salt) * 0x100000001b3;
	(void)zoo_random_next(random);
}

uint64_t zoo_random_next(struct zoo_random *random)
{
	uint64_t z = random->state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

uint64_t zoo_random_below(struct zoo_random *random, uint64_t limit)
{
	return zoo_random_next(random) % limit;
}

double zoo_random_unit(struct zoo_random *random)
{
	return (double)(zoo_random_next(random) >> 11) * 0x1p-53;
}

double zoo_random_between(struct zoo_random *random, double from, double to)
{
	return from + (to - from) * zoo_random_unit(random);
}

double zoo_random_exp(struct zoo_random *random, double mean)
{
	return -mean * log(1 - zoo_random_unit(random));
}

double zoo_random_pareto(struct zoo_random *random, double min, double shape)
{
	return min * pow(1 - zoo_random_unit(random), -1 / shape);
}
