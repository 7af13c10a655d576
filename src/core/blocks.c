// SPDX-License-Identifier: LGPL-2.1-only
#include "blocks.h"

#define WORD_FRAMES 64u

int kmt_blocks_init(struct kmt_blocks *blocks, struct kmt_liveset *set, uint64_t seed,
		    struct kmt_quota *quota)
{
	int r = kmt_liveset_new(&blocks->starts, NULL);

	if (r < 0)
		return r;
	kmt_liveset_set_seed(blocks->starts, seed);
	kmt_liveset_set_quota(blocks->starts, quota);
	blocks->set = set;
	return 0;
}

void kmt_blocks_deinit(struct kmt_blocks *blocks)
{
	blocks->starts = kmt_liveset_free(blocks->starts);
	blocks->set = NULL;
}

static unsigned int order_of(uint64_t nr)
{
	return (unsigned int)__builtin_ctzll(nr);
}

static int find_at(const struct kmt_blocks *blocks, uint64_t first, struct kmt_block *ret_block)
{
	struct kmt_object *object = kmt_liveset_find(blocks->set, first + KMT_PFN_BIAS);

	if (!object)
		return 0;
	*ret_block = (struct kmt_block){ first, object->bytes_req, object };
	return 1;
}

/* The block that a frame is in: at the frame, or at one of its multiples of larger powers of two.
 */
static int find_around(const struct kmt_blocks *blocks, uint64_t frame, struct kmt_block *ret_block)
{
	uint64_t last = UINT64_MAX;

	for (unsigned int order = 0; order < KMT_BLOCK_ORDERS; order++) {
		uint64_t first = frame & ~((UINT64_C(1) << order) - 1);

		if (first == last || !blocks->nr[order])
			continue;
		last = first;
		if (find_at(blocks, first, ret_block) && frame - first < ret_block->nr)
			return 1;
	}
	return 0;
}

/* Of the blocks that begin at @frame or behind it in the same word, a bit each: the first is
 * @frame's. */
static uint64_t starts_from(const struct kmt_blocks *blocks, uint64_t frame)
{
	const struct kmt_object *word = kmt_liveset_find(blocks->starts, frame / WORD_FRAMES + 1);

	return word ? word->time_ns >> frame % WORD_FRAMES : 0;
}

int kmt_blocks_next(const struct kmt_blocks *blocks, uint64_t from, uint64_t to,
		    struct kmt_block *ret_block)
{
	if (find_around(blocks, from, ret_block))
		return 1;
	if (kmt_liveset_size(blocks->set) == 0)
		return 0;
	for (uint64_t frame = from + 1; frame < to; frame = (frame | (WORD_FRAMES - 1)) + 1) {
		uint64_t starts = starts_from(blocks, frame);
		uint64_t first = frame + (starts ? (uint64_t)__builtin_ctzll(starts) : 0);

		if (starts)
			return first < to && find_at(blocks, first, ret_block);
	}
	return 0;
}

static int mark(struct kmt_blocks *blocks, uint64_t first)
{
	struct kmt_object *word;
	int r = kmt_liveset_add(blocks->starts, first / WORD_FRAMES + 1, &word);

	if (r < 0)
		return r;
	if (r == KMT_OBJECT_NEW)
		*word = (struct kmt_object){ .time_ns = 0 };
	word->time_ns |= UINT64_C(1) << first % WORD_FRAMES;
	return 0;
}

static void unmark(struct kmt_blocks *blocks, uint64_t first)
{
	struct kmt_object *word = kmt_liveset_find(blocks->starts, first / WORD_FRAMES + 1);

	word->time_ns &= ~(UINT64_C(1) << first % WORD_FRAMES);
	if (!word->time_ns)
		kmt_liveset_remove(blocks->starts, first / WORD_FRAMES + 1, word);
}

int kmt_blocks_add(struct kmt_blocks *blocks, uint64_t first, uint64_t nr,
		   struct kmt_object **ret_object)
{
	int r = mark(blocks, first);

	if (r < 0)
		return r;
	r = kmt_liveset_add(blocks->set, first + KMT_PFN_BIAS, ret_object);
	if (r < 0) {
		unmark(blocks, first);
		return r;
	}
	(*ret_object)->bytes_req = (uint32_t)nr;
	blocks->nr[order_of(nr)]++;
	return 0;
}

void kmt_blocks_remove(struct kmt_blocks *blocks, const struct kmt_block *block)
{
	blocks->nr[order_of(block->nr)]--;
	unmark(blocks, block->first);
	kmt_liveset_remove(blocks->set, block->first + KMT_PFN_BIAS, block->object);
}

/* Frames @from..@to in as few blocks as there can be. */
static int add_range(uint64_t from, uint64_t to,
		     int (*add)(void *context, uint64_t first, uint64_t nr), void *context)
{
	while (from < to) {
		uint64_t nr = from ? from & -from : UINT64_C(1) << (KMT_BLOCK_ORDERS - 1);
		int r;

		while (nr > to - from)
			nr /= 2;
		r = add(context, from, nr);
		if (r < 0)
			return r;
		from += nr;
	}
	return 0;
}

int kmt_blocks_split(const struct kmt_block *block, uint64_t from, uint64_t to,
		     int (*add)(void *context, uint64_t first, uint64_t nr), void *context)
{
	uint64_t end = block->first + block->nr;
	int r = from > block->first ? add_range(block->first, from, add, context) : 0;

	return r < 0 || to >= end ? r : add_range(to, end, add, context);
}
