// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>

#include "kmemtape/hash.h"
#include "kmemtape/liveset.h"

/*
 * Open addressing by groups of seven slots (after Bronson and Shi's F14, 2019). A group has one
 * word with seven bits of each of its objects' hashes, so that a search compares seven at once,
 * without a loop whose end nobody could predict, and seldom touches more of the slots than the
 * right one. The word's last byte counts the objects that had no room here and went on to the
 * groups behind: where it is 0, a search ends, and nothing needs a tombstone.
 *
 * The table is cut into shards that grow one at a time, so that growing never needs all of it
 * twice; and by a quarter at a time, so that it is at least 60 % full: with 33 bytes a slot, memory
 * stays below 64 bytes a live object.
 */
#define SHARD_BITS   3 /* few enough for their heads to stay in the first-level cache */
#define SHARDS	     (1u << SHARD_BITS)
#define SHARD_GROUPS 74u /* to begin with */
#define GROUP_SLOTS  7u
#define LOAD_PERCENT 75u /* then one group of eight has more to hold than it can */

#define EACH_SLOT  UINT64_C(0x0001010101010101)
#define USED	   0x80u /* of a slot's byte; below it are bits of the hash */
#define PASSED	   (UINT64_C(1) << 56)
#define PASSED_MAX 255u /* or more: never counted down again, and only costs time */

struct slot {
	uint64_t ptr;
	struct kmt_object object;
};

struct shard {
	uint64_t *words;    /* of the groups */
	struct slot *slots; /* GROUP_SLOTS for each */
	size_t nr_groups, nr_used;
};

struct kmt_liveset {
	struct shard shards[SHARDS];
	uint64_t seed, factor;
	uint64_t size, peak;
	struct kmt_quota *quota; /* NULL */
	uint64_t told;		 /* of the peak, to the quota */
};

/* Where to look for a pointer. */
struct place {
	struct shard *shard;
	size_t group;
	uint64_t mark; /* its byte in the group's word */
};

/*
 * Multiplication by a secret odd number (Dietzfelbinger et al. 1997): the upper bits choose the
 * shard, those below the group. Another multiplication maps them onto any number of groups (Lemire
 * 2016).
 */
static inline struct place place_of(const struct kmt_liveset *set, uint64_t ptr)
{
	uint64_t hash = (ptr ^ set->seed) * set->factor;
	const struct shard *shard = &set->shards[hash >> (64 - SHARD_BITS)];
	uint64_t rest = hash << SHARD_BITS;

	return (struct place){
		.shard = (struct shard *)shard,
#ifdef __SIZEOF_INT128__
		.group = (size_t)((__uint128_t)rest * shard->nr_groups >> 64),
#else /* 32 bits: nr_groups has no more, and of the hash its upper half is enough */
		.group = (size_t)((rest >> 32) * shard->nr_groups >> 32),
#endif
		.mark = USED | (hash >> 20 & (USED - 1)),
	};
}

/* The slots of a group that may have an object with this mark, a bit each. */
static inline uint64_t matches_of(uint64_t word, uint64_t mark)
{
	uint64_t other = word ^ mark * EACH_SLOT;

	/* Bytes that are not 0 carry into their upper bit, or have it. */
	return ~(((other & ~(USED * EACH_SLOT)) + (USED - 1) * EACH_SLOT) | other) &
	       USED * EACH_SLOT;
}

static inline uint64_t free_slots_of(uint64_t word)
{
	return ~word & USED * EACH_SLOT;
}

static inline unsigned int slot_of(uint64_t bits)
{
	return (unsigned int)__builtin_ctzll(bits) / 8;
}

static inline uint64_t passed_of(uint64_t word)
{
	return word / PASSED;
}

static inline size_t group_after(const struct shard *shard, size_t group)
{
	return group + 1 < shard->nr_groups ? group + 1 : 0;
}

static int init_shard(struct shard *shard, size_t nr_groups)
{
	*shard = (struct shard){
		.words = calloc(nr_groups, sizeof(*shard->words)),
		.slots = reallocarray(NULL, nr_groups, GROUP_SLOTS * sizeof(*shard->slots)),
		.nr_groups = nr_groups,
	};
	return shard->words && shard->slots ? 0 : -ENOMEM;
}

static void deinit_shard(struct shard *shard)
{
	free(shard->words);
	free(shard->slots);
}

int kmt_liveset_new(struct kmt_liveset **ret_set, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_liveset_freep) struct kmt_liveset *set = calloc(1, sizeof(*set));

	if (!set)
		return kmt_fail(err, -ENOMEM, "out of memory");
	kmt_liveset_set_seed(set, 0);
	for (size_t i = 0; i < SHARDS; i++)
		if (init_shard(&set->shards[i], SHARD_GROUPS) < 0)
			return kmt_fail(err, -ENOMEM, "out of memory");
	*ret_set = KMT_STEAL(set);
	return 0;
}

void kmt_liveset_set_seed(struct kmt_liveset *set, uint64_t seed)
{
	struct kmt_hash_secret secret = kmt_hash_secret(seed);

	set->seed = secret.words[0];
	set->factor = secret.words[1] | 1;
}

void kmt_liveset_set_quota(struct kmt_liveset *set, struct kmt_quota *quota)
{
	set->quota = quota;
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

static inline struct slot *find(const struct place *place, uint64_t ptr)
{
	const struct shard *shard = place->shard;
	size_t group = place->group;

	do {
		uint64_t word = shard->words[group];
		uint64_t matches = matches_of(word, place->mark);

		for (; matches; matches &= matches - 1) {
			struct slot *slot = &shard->slots[group * GROUP_SLOTS + slot_of(matches)];

			if (slot->ptr == ptr)
				return slot;
		}
		if (!passed_of(word))
			return NULL;
		group = group_after(shard, group);
	} while (group != place->group);
	return NULL;
}

/* What isn't in there yet gets a slot: there is one. */
static inline struct slot *insert(const struct place *place, uint64_t ptr)
{
	struct shard *shard = place->shard;
	size_t group = place->group;
	struct slot *slot;
	unsigned int at;

	while (!free_slots_of(shard->words[group])) {
		if (passed_of(shard->words[group]) < PASSED_MAX)
			shard->words[group] += PASSED;
		group = group_after(shard, group);
	}
	at = slot_of(free_slots_of(shard->words[group]));
	shard->words[group] |= place->mark << 8 * at;
	slot = &shard->slots[group * GROUP_SLOTS + at];
	slot->ptr = ptr;
	shard->nr_used++;
	return slot;
}

/* The slots of a shard that are used. */
#define FOR_EACH_SLOT(shard, slot)                                                             \
	for (size_t group_ = 0; group_ < (shard)->nr_groups; group_++)                         \
		for (uint64_t used_ = (shard)->words[group_] & USED * EACH_SLOT;               \
		     used_ && (slot = &(shard)->slots[group_ * GROUP_SLOTS + slot_of(used_)]); \
		     used_ &= used_ - 1)

static __attribute__((noinline, cold)) int grow(struct kmt_liveset *set, struct shard *shard)
{
	struct shard old = *shard;
	const struct slot *slot;
	int r = kmt_liveset_tell(set);

	if (r < 0)
		return r;
	if (init_shard(shard, old.nr_groups + old.nr_groups / 4) < 0) {
		deinit_shard(shard);
		*shard = old;
		return -ENOMEM;
	}
	FOR_EACH_SLOT(&old, slot)
	{
		struct place place = place_of(set, slot->ptr);

		insert(&place, slot->ptr)->object = slot->object;
	}
	deinit_shard(&old);
	return 0;
}

int kmt_liveset_add(struct kmt_liveset *set, uint64_t ptr, struct kmt_object **ret_object)
{
	struct place place = place_of(set, ptr);
	struct slot *slot = find(&place, ptr);

	if (slot) {
		*ret_object = &slot->object;
		return KMT_OBJECT_LIVE;
	}
	if ((place.shard->nr_used + 1) * 100 >
	    place.shard->nr_groups * (GROUP_SLOTS * LOAD_PERCENT)) {
		int r = grow(set, place.shard);

		if (r < 0)
			return r;
		place = place_of(set, ptr);
	}
	set->size++;
	if (set->size > set->peak)
		set->peak = set->size;
	*ret_object = &insert(&place, ptr)->object;
	return KMT_OBJECT_NEW;
}

struct kmt_object *kmt_liveset_find(struct kmt_liveset *set, uint64_t ptr)
{
	struct place place = place_of(set, ptr);
	struct slot *slot = find(&place, ptr);

	return slot ? &slot->object : NULL;
}

void kmt_liveset_remove(struct kmt_liveset *set, uint64_t ptr, struct kmt_object *object)
{
	struct place place = place_of(set, ptr);
	struct shard *shard = place.shard;
	const char *slot = (const char *)object - offsetof(struct slot, object);
	size_t at = (size_t)((const struct slot *)slot - shard->slots), own = at / GROUP_SLOTS;

	for (size_t group = place.group; group != own; group = group_after(shard, group))
		if (passed_of(shard->words[group]) < PASSED_MAX)
			shard->words[group] -= PASSED;
	shard->words[own] &= ~(UINT64_C(0xff) << 8 * (at % GROUP_SLOTS));
	shard->nr_used--;
	set->size--;
}

void kmt_liveset_prefetch(const struct kmt_liveset *set, uint64_t ptr)
{
	struct place place = place_of(set, ptr);

	__builtin_prefetch(&place.shard->words[place.group], 1);
	/* GCC's link-time optimiser takes a function for pure that only prefetches, and drops it.
	 */
	__asm__ volatile("");
}

void kmt_liveset_prefetch_object(const struct kmt_liveset *set, uint64_t ptr)
{
	struct place place = place_of(set, ptr);
	uint64_t word = place.shard->words[place.group];
	uint64_t bits = matches_of(word, place.mark);

	bits = bits ? bits : free_slots_of(word) | PASSED;
	__builtin_prefetch(&place.shard->slots[place.group * GROUP_SLOTS + slot_of(bits)], 1);
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

int kmt_liveset_tell(struct kmt_liveset *set)
{
	return kmt_quota_tell(set->quota, set->peak, &set->told);
}

void kmt_liveset_walk(const struct kmt_liveset *set,
		      void (*visit)(void *context, uint64_t ptr, const struct kmt_object *object),
		      void *context)
{
	const struct slot *slot;

	for (size_t i = 0; i < SHARDS; i++)
		FOR_EACH_SLOT(&set->shards[i], slot)
		{
			visit(context, slot->ptr, &slot->object);
		}
}
