// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>

#include "kmemtape/liveset.h"

/*
 * Open addressing with linear probing (Knuth, TAOCP 3, 6.4, algorithm L, and R for removal: no
 * tombstones). Addresses stand apart from the objects: eight to a cache line, so that a search
 * seldom needs a second one. The table is cut into shards that grow one at a time, so that growing
 * never needs all of it twice; and by a quarter at a time, so that it is at least 56 % full: with
 * 32 bytes an object, memory stays below 64 bytes a live one.
 */
#define SHARD_BITS   3 /* few enough for their heads to stay in the first-level cache */
#define SHARDS	     (1u << SHARD_BITS)
#define SHARD_SLOTS  512u /* to begin with */
#define LOAD_PERCENT 70u  /* three probes for a hit, six for a miss: within the cache line */

struct shard {
	uint64_t *ptrs; /* 0: free */
	struct kmt_object *objects;
	size_t nr_slots, nr_used;
};

struct kmt_liveset {
	struct shard shards[SHARDS];
	uint64_t seed;
	uint64_t size, peak;
};

/* Fibonacci hashing: the upper bits choose the shard, those below the slot. */
static inline uint64_t hash_of(uint64_t seed, uint64_t ptr)
{
	return (ptr ^ seed) * 0x9e3779b97f4a7c15;
}

static inline struct shard *shard_of(const struct kmt_liveset *set, uint64_t hash)
{
	return (struct shard *)&set->shards[hash >> (64 - SHARD_BITS)];
}

/* A multiplication maps the hash onto any number of slots (Lemire 2016): no power of two is needed.
 */
static inline size_t home_of(const struct shard *shard, uint64_t hash)
{
	hash <<= SHARD_BITS;
#ifdef __SIZEOF_INT128__
	return (size_t)((__uint128_t)hash * shard->nr_slots >> 64);
#else /* 32 bits: nr_slots has no more, and of the hash its upper half is enough */
	return (size_t)((hash >> 32) * shard->nr_slots >> 32);
#endif
}

static int init_shard(struct shard *shard, size_t nr_slots)
{
	*shard = (struct shard){
		.ptrs = calloc(nr_slots, sizeof(*shard->ptrs)),
		.objects = malloc(nr_slots * sizeof(*shard->objects)),
		.nr_slots = nr_slots,
	};
	return shard->ptrs && shard->objects ? 0 : -ENOMEM;
}

static void deinit_shard(struct shard *shard)
{
	free(shard->ptrs);
	free(shard->objects);
}

int kmt_liveset_new(struct kmt_liveset **ret_set, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_liveset_freep) struct kmt_liveset *set = calloc(1, sizeof(*set));

	if (!set)
		return kmt_fail(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < SHARDS; i++)
		if (init_shard(&set->shards[i], SHARD_SLOTS) < 0)
			return kmt_fail(err, -ENOMEM, "out of memory");
	*ret_set = KMT_STEAL(set);
	return 0;
}

void kmt_liveset_set_seed(struct kmt_liveset *set, uint64_t seed)
{
	set->seed = seed;
}

struct kmt_liveset *kmt_liveset_free(struct kmt_liveset *set)
{
	if (!set)
		return NULL;
	for (size_t i = 0; i < SHARDS; i++)
		deinit_shard(&set->shards[i]);
	free(set);
	return NULL;
}

/* The slot of @ptr, or the free one where it belongs. */
static inline size_t probe(const struct shard *shard, uint64_t ptr, uint64_t hash)
{
	size_t i = home_of(shard, hash);

	while (shard->ptrs[i] && shard->ptrs[i] != ptr)
		i = i + 1 < shard->nr_slots ? i + 1 : 0;
	return i;
}

static int grow(struct shard *shard, uint64_t seed)
{
	struct shard bigger;

	if (init_shard(&bigger, shard->nr_slots + shard->nr_slots / 4) < 0) {
		deinit_shard(&bigger);
		return -ENOMEM;
	}
	for (size_t i = 0; i < shard->nr_slots; i++) {
		size_t k;

		if (!shard->ptrs[i])
			continue;
		k = probe(&bigger, shard->ptrs[i], hash_of(seed, shard->ptrs[i]));
		bigger.ptrs[k] = shard->ptrs[i];
		bigger.objects[k] = shard->objects[i];
	}
	bigger.nr_used = shard->nr_used;
	deinit_shard(shard);
	*shard = bigger;
	return 0;
}

int kmt_liveset_add(struct kmt_liveset *set, uint64_t ptr, struct kmt_object **ret_object)
{
	uint64_t hash = hash_of(set->seed, ptr);
	struct shard *shard = shard_of(set, hash);
	size_t i = probe(shard, ptr, hash);

	if (shard->ptrs[i]) {
		*ret_object = &shard->objects[i];
		return KMT_OBJECT_LIVE;
	}
	if ((shard->nr_used + 1) * 100 > shard->nr_slots * LOAD_PERCENT) {
		if (grow(shard, set->seed) < 0)
			return -ENOMEM;
		i = probe(shard, ptr, hash);
	}
	shard->nr_used++;
	set->size++;
	if (set->size > set->peak)
		set->peak = set->size;
	shard->ptrs[i] = ptr;
	*ret_object = &shard->objects[i];
	return KMT_OBJECT_NEW;
}

struct kmt_object *kmt_liveset_find(struct kmt_liveset *set, uint64_t ptr)
{
	uint64_t hash = hash_of(set->seed, ptr);
	struct shard *shard = shard_of(set, hash);
	size_t i = probe(shard, ptr, hash);

	return shard->ptrs[i] ? &shard->objects[i] : NULL;
}

void kmt_liveset_remove(struct kmt_liveset *set, uint64_t ptr, struct kmt_object *object)
{
	struct shard *shard = shard_of(set, hash_of(set->seed, ptr));
	size_t hole = (size_t)(object - shard->objects), i = hole;

	/* Move back whatever could no longer be found with a hole before it. */
	for (;;) {
		size_t home, from_home, from_hole;

		i = i + 1 < shard->nr_slots ? i + 1 : 0;
		if (!shard->ptrs[i])
			break;
		home = home_of(shard, hash_of(set->seed, shard->ptrs[i]));
		from_home = i >= home ? i - home : i + shard->nr_slots - home;
		from_hole = i >= hole ? i - hole : i + shard->nr_slots - hole;
		if (from_home < from_hole)
			continue;
		shard->ptrs[hole] = shard->ptrs[i];
		shard->objects[hole] = shard->objects[i];
		hole = i;
	}
	shard->ptrs[hole] = 0;
	shard->nr_used--;
	set->size--;
}

void kmt_liveset_prefetch(const struct kmt_liveset *set, uint64_t ptr)
{
	uint64_t hash = hash_of(set->seed, ptr);
	const struct shard *shard = shard_of(set, hash);
	size_t home = home_of(shard, hash);

	__builtin_prefetch(&shard->ptrs[home], 1);
	__builtin_prefetch(&shard->objects[home], 1);
	/* GCC's link-time optimiser takes a function for pure that only prefetches, and drops it.
	 */
	__asm__ volatile("");
}

uint64_t kmt_liveset_size(const struct kmt_liveset *set)
{
	return set->size;
}

uint64_t kmt_liveset_peak(const struct kmt_liveset *set)
{
	return set->peak;
}

void kmt_liveset_walk(const struct kmt_liveset *set,
		      void (*visit)(void *context, uint64_t ptr, const struct kmt_object *object),
		      void *context)
{
	for (size_t i = 0; i < SHARDS; i++) {
		const struct shard *shard = &set->shards[i];

		for (size_t k = 0; k < shard->nr_slots; k++)
			if (shard->ptrs[k])
				visit(context, shard->ptrs[k], &shard->objects[k]);
	}
}
