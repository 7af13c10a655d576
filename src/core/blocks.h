/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_CORE_BLOCKS_H
#define KMT_CORE_BLOCKS_H

#include <stdint.h>

#include "kmemtape/event.h"
#include "kmemtape/liveset.h"

/*
 * Live blocks of page frames: objects of a live set by their first frame + KMT_PFN_BIAS, with their number
 * of pages in bytes_req. As the buddy allocator hands them out (Linux mm/page_alloc.c), a block has a power
 * of two pages and begins at a multiple of it; so the block that a frame is in is at one of few places.
 */
#define KMT_BLOCK_ORDERS (KMT_PAGE_ORDER_MAX + 1)

struct kmt_blocks {
	struct kmt_liveset *set;	/* borrowed */
	/* By the frame / 64, a bit for each block that begins there: what isn't there is not looked
	 * for frame by frame. NULL with no @set. */
	struct kmt_liveset *starts;
	uint64_t nr[KMT_BLOCK_ORDERS];	/* live ones: orders that nobody uses are not looked for */
};

struct kmt_block {
	uint64_t first, nr; /* page frames */
	struct kmt_object *object; /* as kmt_liveset_find() */
};

/* True if @nr pages from @first on can be a block. */
static inline int kmt_block_is_sane(uint64_t first, uint64_t nr)
{
	return nr && (nr & (nr - 1)) == 0 && nr < UINT64_C(1) << KMT_BLOCK_ORDERS &&
	       (first & (nr - 1)) == 0 && first < UINT64_MAX - nr - 1;
}

/* @blocks: all zero; @quota: of what it has beside @set. Return: 0 or -ENOMEM, with nothing changed. */
int kmt_blocks_init(struct kmt_blocks *blocks, struct kmt_liveset *set, uint64_t seed,
		    struct kmt_quota *quota);
void kmt_blocks_deinit(struct kmt_blocks *blocks);

/**
 * kmt_blocks_next() - the first live block that has a frame of @from..@to
 * @to: excluded; at most the largest block behind @from, aligned as a block
 *
 * Return: 1; 0 there is none.
 */
int kmt_blocks_next(const struct kmt_blocks *blocks, uint64_t from, uint64_t to,
		    struct kmt_block *ret_block);

/* A new block where there is none. Return: 0, object is the caller's to fill but for bytes_req;
 * -ENOMEM, -EOVERFLOW. */
int kmt_blocks_add(struct kmt_blocks *blocks, uint64_t first, uint64_t nr,
		   struct kmt_object **ret_object);

void kmt_blocks_remove(struct kmt_blocks *blocks, const struct kmt_block *block);

/**
 * kmt_blocks_split() - the blocks that remain of one when a part of it goes
 * @from, @to: of the frames that go, with at least one that is in @block
 * @add: called for each that remains, in order of frames; it is not added by this
 *
 * Return: 0, or what @add returned if that is negative.
 */
int kmt_blocks_split(const struct kmt_block *block, uint64_t from, uint64_t to,
		     int (*add)(void *context, uint64_t first, uint64_t nr), void *context);

#endif
