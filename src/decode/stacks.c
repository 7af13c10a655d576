// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "kmemtape/hash.h"
#include "kmemtape/stacks.h"

/* Frames live in blocks that never move: who holds frames need not care for who interns. */
#define BLOCK_FRAMES 65536u

struct stack {
	const uint64_t *frames;
	uint32_t hash, nr;
};

struct block {
	struct block *next;
	uint64_t frames[BLOCK_FRAMES];
};

struct kmt_stacks {
	pthread_mutex_t lock;
	uint64_t kernel_from, kernel_to;
	struct kmt_hash_secret secret;
	struct stack *stacks; /* [0] is none */
	size_t nr, room;
	uint32_t
		*slots; /* open addressing: index into stacks, 0 free; nr_slots is a power of two */
	size_t nr_slots;
	struct block *block;
	size_t nr_used;	  /* frames of the newest block */
	size_t nr_frames; /* of all stacks */
};

static int init_tables(struct kmt_stacks *stacks)
{
	stacks->nr = 1;
	stacks->room = 1024;
	stacks->nr_slots = 2048;
	stacks->stacks = calloc(stacks->room, sizeof(*stacks->stacks));
	stacks->slots = calloc(stacks->nr_slots, sizeof(*stacks->slots));
	return stacks->stacks && stacks->slots ? 0 : -ENOMEM;
}

int kmt_stacks_new(uint64_t kernel_from, uint64_t kernel_to, struct kmt_stacks **ret_stacks,
		   struct kmt_err *err)
{
	struct kmt_stacks *stacks = calloc(1, sizeof(*stacks));

	if (!stacks)
		return kmt_fail(err, -ENOMEM, "out of memory");
	(void)pthread_mutex_init(&stacks->lock, NULL);
	stacks->secret = kmt_hash_secret(0);
	stacks->kernel_from = kernel_from;
	stacks->kernel_to = kernel_to;
	if (init_tables(stacks) < 0) {
		(void)kmt_stacks_free(stacks);
		return kmt_fail(err, -ENOMEM, "out of memory");
	}
	*ret_stacks = stacks;
	return 0;
}

void kmt_stacks_set_seed(struct kmt_stacks *stacks, uint64_t seed)
{
	stacks->secret = kmt_hash_secret(seed);
}

struct kmt_stacks *kmt_stacks_free(struct kmt_stacks *stacks)
{
	if (!stacks)
		return NULL;
	while (stacks->block) {
		struct block *next = stacks->block->next;

		free(stacks->block);
		stacks->block = next;
	}
	(void)pthread_mutex_destroy(&stacks->lock);
	free(stacks->stacks);
	free(stacks->slots);
	free(stacks);
	return NULL;
}

static uint32_t hash_of(const struct kmt_stacks *stacks, const uint64_t *frames, size_t nr)
{
	uint64_t hash = stacks->secret.words[2] + nr;

	for (size_t i = 0; i < nr; i++)
		hash = kmt_hash_more(&stacks->secret, hash, frames[i]);
	return (uint32_t)hash;
}

/* The slot of these frames, or the free one where they belong. */
static uint32_t *find_slot(const struct kmt_stacks *stacks, const uint64_t *frames, size_t nr,
			   uint32_t hash)
{
	size_t mask = stacks->nr_slots - 1, at = hash & mask;

	for (;; at = (at + 1) & mask) {
		const struct stack *stack = &stacks->stacks[stacks->slots[at]];

		if (!stacks->slots[at] ||
		    (stack->hash == hash && stack->nr == nr &&
		     memcmp(stack->frames, frames, nr * sizeof(*frames)) == 0))
			return &stacks->slots[at];
	}
}

/* Return: 0 or -ENOMEM, with nothing changed. */
static int grow_slots(struct kmt_stacks *stacks)
{
	size_t nr_slots = stacks->nr_slots * 2;
	uint32_t *slots = calloc(nr_slots, sizeof(*slots));

	if (!slots)
		return -ENOMEM;
	for (size_t i = 1; i < stacks->nr; i++) {
		size_t at = stacks->stacks[i].hash & (nr_slots - 1);

		while (slots[at])
			at = (at + 1) & (nr_slots - 1);
		slots[at] = (uint32_t)i;
	}
	free(stacks->slots);
	stacks->slots = slots;
	stacks->nr_slots = nr_slots;
	return 0;
}

/* Room for one more stack in all tables. Return: 0 or -ENOMEM. */
static int reserve(struct kmt_stacks *stacks, size_t nr_frames)
{
	if (stacks->nr == stacks->room) {
		struct stack *grown =
			reallocarray(stacks->stacks, stacks->room * 2, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		stacks->stacks = grown;
		stacks->room *= 2;
	}
	if (stacks->nr * 2 > stacks->nr_slots && grow_slots(stacks) < 0)
		return -ENOMEM;
	if (!stacks->block || BLOCK_FRAMES - stacks->nr_used < nr_frames) {
		struct block *block = malloc(sizeof(*block));

		if (!block)
			return -ENOMEM;
		block->next = stacks->block;
		stacks->block = block;
		stacks->nr_used = 0;
	}
	return 0;
}

static bool has_module(const struct kmt_stacks *stacks, const struct stack *stack)
{
	for (size_t i = 0; i < stack->nr; i++)
		if (stack->frames[i] - stacks->kernel_from >=
		    stacks->kernel_to - stacks->kernel_from)
			return true;
	return false;
}

/* Return: index of a new stack; 0 if there is no room. */
static uint32_t add(struct kmt_stacks *stacks, const uint64_t *frames, size_t nr, uint32_t hash)
{
	struct stack *stack;
	uint64_t *copy;

	if (stacks->nr >= KMT_STACKS_MAX || nr > KMT_STACK_ALL_FRAMES_MAX - stacks->nr_frames ||
	    reserve(stacks, nr) < 0)
		return 0;
	stacks->nr_frames += nr;
	copy = stacks->block->frames + stacks->nr_used;
	memcpy(copy, frames, nr * sizeof(*frames));
	stacks->nr_used += nr;
	stack = &stacks->stacks[stacks->nr];
	*stack = (struct stack){ copy, hash, (uint32_t)nr };
	*find_slot(stacks, frames, nr, hash) = (uint32_t)stacks->nr;
	return (uint32_t)stacks->nr++;
}

uint32_t kmt_stacks_intern(struct kmt_stacks *stacks, const uint64_t *frames, size_t nr)
{
	uint32_t hash, index, number = KMT_STACK_NONE;

	if (nr == 0)
		return KMT_STACK_NONE;
	if (nr > KMT_STACK_FRAMES_MAX)
		nr = KMT_STACK_FRAMES_MAX;
	hash = hash_of(stacks, frames, nr);
	(void)pthread_mutex_lock(&stacks->lock);
	index = *find_slot(stacks, frames, nr, hash);
	if (!index)
		index = add(stacks, frames, nr, hash);
	if (index)
		number = index << 1 |
			 (has_module(stacks, &stacks->stacks[index]) ? KMT_STACK_HAS_MODULE : 0);
	(void)pthread_mutex_unlock(&stacks->lock);
	return number;
}

const uint64_t *kmt_stacks_frames(const struct kmt_stacks *stacks, uint32_t stack, size_t *ret_nr)
{
	pthread_mutex_t *lock = stacks ? (pthread_mutex_t *)(uintptr_t)&stacks->lock : NULL;
	const uint64_t *frames = NULL;

	*ret_nr = 0;
	if (!stacks || stack == KMT_STACK_NONE)
		return NULL;
	(void)pthread_mutex_lock(lock); /* the table moves when it grows, frames don't */
	if (stack >> 1 < stacks->nr) {
		*ret_nr = stacks->stacks[stack >> 1].nr;
		frames = stacks->stacks[stack >> 1].frames;
	}
	(void)pthread_mutex_unlock(lock);
	return frames;
}

int kmt_stacks_compare(const struct kmt_stacks *stacks, uint32_t a, uint32_t b)
{
	size_t nr_a, nr_b;
	const uint64_t *frames_a = kmt_stacks_frames(stacks, a, &nr_a);
	const uint64_t *frames_b = kmt_stacks_frames(stacks, b, &nr_b);

	for (size_t i = 0; i < nr_a && i < nr_b; i++)
		if (frames_a[i] != frames_b[i])
			return frames_a[i] < frames_b[i] ? -1 : 1;
	return (nr_a > nr_b) - (nr_a < nr_b);
}
