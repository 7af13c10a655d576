/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_TAPE_CONTENT_SUM_H
#define KMT_TAPE_CONTENT_SUM_H

#include <stddef.h>
#include <stdint.h>

/* XXH64 with seed 0, as zstd frames end with, of multiples of 32 bytes. */
struct kmt_content_sum {
	uint64_t lanes[4];
	uint64_t bytes;
};

void kmt_content_sum_init(struct kmt_content_sum *sum);

/* @size: a multiple of 32 */
void kmt_content_sum_add(struct kmt_content_sum *sum, const uint8_t *bytes, size_t size);

/* Of something: at least 32 bytes. */
uint64_t kmt_content_sum_end(const struct kmt_content_sum *sum);

#endif
