/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMEMTAPE_HASH_H
#define KMEMTAPE_HASH_H

#include <stdint.h>

/*
 * Hashes for tables whose keys are from a tape. Who makes one could choose keys that collide, and
 * make a search of each; so what is multiplied with is secret, another one in each run. Nothing
 * that can be seen may depend on it.
 */
#define KMT_HASH_WORDS 6

struct kmt_hash_secret {
	uint64_t words[KMT_HASH_WORDS];
};

/* splitmix64 (Steele, Lea, Flood 2014): @seed 0 will do, where nobody is to be kept out. */
static inline struct kmt_hash_secret kmt_hash_secret(uint64_t seed)
{
	struct kmt_hash_secret secret;

	for (int i = 0; i < KMT_HASH_WORDS; i++) {
		uint64_t z = seed += 0x9e3779b97f4a7c15;

		z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
		z = (z ^ z >> 27) * 0x94d049bb133111eb;
		secret.words[i] = z ^ z >> 31;
	}
	return secret;
}

/* Both halves of a product, each of which depends on all of one factor. */
static inline uint64_t kmt_hash_product(uint64_t a, uint64_t b)
{
#ifdef __SIZEOF_INT128__
	__uint128_t product = (__uint128_t)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
#else
	uint64_t low = (a & UINT32_MAX) * (b & UINT32_MAX), high = (a >> 32) * (b >> 32);
	uint64_t middle = (a >> 32) * (b & UINT32_MAX) ^ (a & UINT32_MAX) * (b >> 32);

	return low ^ high ^ (middle << 32 | middle >> 32);
#endif
}

/* One word more. Begin with a word of @secret. */
static inline uint64_t kmt_hash_more(const struct kmt_hash_secret *secret, uint64_t hash,
				     uint64_t word)
{
	return kmt_hash_product(hash ^ word ^ secret->words[0], secret->words[1]);
}

#endif
