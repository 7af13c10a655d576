/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_TAPE_COMPRESSOR_H
#define KMT_TAPE_COMPRESSOR_H

#include <stddef.h>
#include <stdint.h>

#include "kmemtape/cleanup.h"
#include "kmemtape/padding.h"

#include "frame.h"

/* Makes the zstd frames of a chunk file. Allocates only when it is made. */
struct kmt_compressor;

/* Memory of the caller's, borrowed. All of it is overwritten, and so touched. */
struct kmt_compressor_scratch {
	uint8_t *chunk;
	size_t chunk_bytes; /* of the largest chunk */
	uint8_t *out; /* where frames are made: ours from the first sub-buffer of a chunk on */
	size_t room;  /* at least ZSTD_compressBound(chunk_bytes) + KMT_FRAME_SLACK_BYTES */
};

/**
 * kmt_compressor_new() - all memory that it will ever need, touched
 * @unit_bytes: sub-buffer size, 1 for text
 *
 * Return: NULL: out of memory.
 */
struct kmt_compressor *kmt_compressor_new(uint32_t unit_bytes,
					  const struct kmt_compressor_scratch *scratch);
struct kmt_compressor *kmt_compressor_free(struct kmt_compressor *compressor);

KMT_DEFINE_FREEP(struct kmt_compressor *, kmt_compressor_free)

/* Of text only: zstd's level, from the next frame on. Beyond 1 it takes more memory. */
void kmt_compressor_set_level(struct kmt_compressor *compressor, int level);

/* What to clear in sub-buffers that are added from now on; @padding: borrowed. */
void kmt_compressor_set_padding(struct kmt_compressor *compressor,
				const struct kmt_padding *padding);

/**
 * kmt_compressor_add() - a sub-buffer was put into a chunk
 * @chunk: in which all that is before @at was added already
 * @at: where the sub-buffer begins; 0: a new chunk
 */
void kmt_compressor_add(struct kmt_compressor *compressor, uint8_t *chunk, size_t at);

/**
 * kmt_compressor_make() - the frame of the chunk, in the scratch memory's out
 *
 * Return: its bytes, or a code of zstd's.
 */
size_t kmt_compressor_make(struct kmt_compressor *compressor, const uint8_t *chunk, size_t bytes);

#endif
