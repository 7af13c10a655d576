/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_SHARE_SMALL_ITEMS_H
#define KMT_SHARE_SMALL_ITEMS_H

#include "kmemtape/columns.h"
#include "kmemtape/formats.h"
#include "kmemtape/padding.h"

/* What of a sub-buffer varies, and how: that is the formats' to say, the rest is columns'. */
struct kmt_small_items {
	const struct kmt_formats *formats; /* borrowed, as the other */
	const struct kmt_padding *padding; /* NULL: it stays */
	struct kmt_field pid;		   /* of an event that isn't known */
};

void kmt_small_items_init(struct kmt_small_items *items, const struct kmt_formats *formats,
			  const struct kmt_padding *padding);

/**
 * kmt_small_items_add() - add a sub-buffer to a chunk of columns
 * @subbuf: what is in no field of it becomes zero. Borrowed until @writer has ended it
 */
void kmt_small_items_add(const struct kmt_small_items *items, uint8_t *subbuf,
			 struct kmt_columns_writer *writer);

#endif
