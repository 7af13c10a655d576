// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>

#include "kmemtape/liveset.h"

/*
 * Open addressing with linear probing (Knuth, TAOCP 3, 6.4, algorithm L, and R for removal: no
 * tombstones). It is cut into shards that grow one at a time, so that growing never needs the whole
 * table twice; and by a quarter at a time, so that it is at least 56 % full: with 32 bytes an
 * object, memory stays below 64 bytes a live one.
 */
#define SHARD_BITS   6
#define SHARDS	     (1u << SHARD_BITS)
#define SHARD_SLOTS  64u /* to begin with */
#define LOAD_PERCENT 70u /* half of the finds look at no more than one cache line */

struct shard {
	struct kmt_object *slots;
	size_t nr_slots, nr_used;
};

struct kmt_liveset {
	struct shard shards[SHARDS];
	uint64_t size, peak;
};

/* Fibonacci hashing: the upper bits choose the shard, those below the slot. */
static inline uint64_t hash_of(uint64_t ptr)
{
	return ptr * 0x9e3779b97f4a7c15;
}

static inline struct shard *shard_of(const struct kmt_liveset *set, uint64_t ptr)
{
	return (struct shard *)&set->shards[hash_of(ptr) >> (64 - SHARD_BITS)];
}

/* A multiplication maps the hash onto any number of slots (Lemire 2016): no power of two is needed. */
static inline size_t home_of(const struct shard *shard, uint64_t ptr)
{
	return (size_t)((__uint128_t)(hash_of(ptr) << SHARD_BITS) * shard->nr_slots >> 64);
}

int kmt_liveset_new(struct kmt_liveset **ret_set, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_liveset_freep) struct kmt_liveset *set = calloc(1, sizeof(*set));

	if (!set)
		return kmt_fail(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < SHARDS; i++) {
		set->shards[i].slots = calloc(SHARD_SLOTS, sizeof(struct kmt_object));
		if (!set->shards[i].slots)
			return kmt_fail(err, -ENOMEM, "out of memory");
		set->shards[i].nr_slots = SHARD_SLOTS;
	}
	*ret_set = KMT_STEAL(set);
	return 0;
}

struct kmt_liveset *kmt_liveset_free(struct kmt_liveset *set)
{
	if (!set)
		return NULL;
	for (size_t i = 0; i < SHARDS; i++)
		free(set->shards[i].slots);
	free(set);
	return NULL;
}

/* The object at @ptr, or the free slot where it belongs. */
static inline struct kmt_object *probe(const struct shard *shard, uint64_t ptr)
{
	size_t i = home_of(shard, ptr);

	while (shard->slots[i].ptr && shard->slots[i].ptr != ptr)
		i = i + 1 < shard->nr_slots ? i + 1 : 0;
	return &shard->slots[i];
}

static int grow(struct shard *shard)
{
	struct shard bigger = { .nr_slots = shard->nr_slots + shard->nr_slots / 4,
				.nr_used = shard->nr_used };

	bigger.slots = calloc(bigger.nr_slots, sizeof(struct kmt_object));
	if (!bigger.slots)
		return -ENOMEM;
	for (size_t i = 0; i < shard->nr_slots; i++)
		if (shard->slots[i].ptr)
			*probe(&bigger, shard->slots[i].ptr) = shard->slots[i];
	free(shard->slots);
	*shard = bigger;
	return 0;
}

int kmt_liveset_add(struct kmt_liveset *set, uint64_t ptr, struct kmt_object **ret_object)
{
	struct shard *shard = shard_of(set, ptr);
	struct kmt_object *slot = probe(shard, ptr);

	if (slot->ptr) {
		*ret_object = slot;
		return KMT_OBJECT_LIVE;
	}
	if ((shard->nr_used + 1) * 100 > shard->nr_slots * LOAD_PERCENT) {
		if (grow(shard) < 0)
			return -ENOMEM;
		slot = probe(shard, ptr);
	}
	shard->nr_used++;
	set->size++;
	if (set->size > set->peak)
		set->peak = set->size;
	slot->ptr = ptr;
	*ret_object = slot;
	return KMT_OBJECT_NEW;
}

struct kmt_object *kmt_liveset_find(struct kmt_liveset *set, uint64_t ptr)
{
	struct kmt_object *slot = probe(shard_of(set, ptr), ptr);

	return slot->ptr ? slot : NULL;
}

void kmt_liveset_remove(struct kmt_liveset *set, struct kmt_object *object)
{
	struct shard *shard = shard_of(set, object->ptr);
	size_t hole = (size_t)(object - shard->slots), i = hole;

	/* Move back whatever could no longer be found with a hole before it. */
	for (;;) {
		size_t home, from_home, from_hole;

		i = i + 1 < shard->nr_slots ? i + 1 : 0;
		if (!shard->slots[i].ptr)
			break;
		home = home_of(shard, shard->slots[i].ptr);
		from_home = i >= home ? i - home : i + shard->nr_slots - home;
		from_hole = i >= hole ? i - hole : i + shard->nr_slots - hole;
		if (from_home < from_hole)
			continue;
		shard->slots[hole] = shard->slots[i];
		hole = i;
	}
	shard->slots[hole].ptr = 0;
	shard->nr_used--;
	set->size--;
}

void kmt_liveset_prefetch(const struct kmt_liveset *set, uint64_t ptr)
{
	const struct shard *shard = shard_of(set, ptr);

	__builtin_prefetch(&shard->slots[home_of(shard, ptr)], 1);
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
		      void (*visit)(void *context, const struct kmt_object *object), void *context)
{
	for (size_t i = 0; i < SHARDS; i++)
		for (size_t k = 0; k < set->shards[i].nr_slots; k++)
			if (set->shards[i].slots[k].ptr)
				visit(context, &set->shards[i].slots[k]);
}
