/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_TAPE_FRAME_H
#define KMT_TAPE_FRAME_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "kmemtape/cleanup.h"

/*
 * A zstd frame (RFC 8878) of matches that are known: literals go to where the frame has them, and
 * matches become bits when their block ends, so that little memory is touched, once. zstd's own
 * ZSTD_compressSequences() takes twice as long.
 */
struct kmt_frame;

#define KMT_FRAME_BLOCK_BYTES_MAX (128u << 10) /* zstd's */
#define KMT_FRAME_CHUNK_BYTES_MAX (1u << 20)
#define KMT_FRAME_MATCH_BYTES_MIN 3u  /* zstd's, too */
#define KMT_FRAME_SLACK_BYTES	  64u /* copies of literals are longer than these */

/* The block that is being made: the part of it that matches are put in by inline functions. */
struct kmt_frame_block {
	uint64_t *next; /* three numbers of 21 bits: what is known of the offset, literals, match */
	uint8_t *literals; /* where the next one goes */
	uint32_t repeats[3];
};

#define KMT_FRAME_NUMBER_BITS 21
#define KMT_FRAME_NUMBER_MASK ((1u << KMT_FRAME_NUMBER_BITS) - 1)

/**
 * kmt_frame_new() - all memory that is ever needed, touched
 * @out: borrowed, where all frames are made
 * @room: there, for a frame of as much content as ever: ZSTD_compressBound() and
 * KMT_FRAME_SLACK_BYTES
 *
 * Return: NULL: out of memory.
 */
struct kmt_frame *kmt_frame_new(uint8_t *out, size_t room);
struct kmt_frame *kmt_frame_free(struct kmt_frame *frame);

KMT_DEFINE_FREEP(struct kmt_frame *, kmt_frame_free)

/* kmt_frame_begin() - begin a frame and its first block */
void kmt_frame_begin(struct kmt_frame *frame, struct kmt_frame_block *ret_block);

/* kmt_frame_sum() - for its checksum: what comes next of the content; @bytes: a multiple of 32 */
void kmt_frame_sum(struct kmt_frame *frame, const uint8_t *content, size_t bytes);

/**
 * kmt_frame_end_block() - its last literals, and begin the next one
 * @content: all of the block, of @bytes, at most KMT_FRAME_BLOCK_BYTES_MAX
 * @nr_literals: behind the last match
 */
void kmt_frame_end_block(struct kmt_frame *frame, struct kmt_frame_block *block,
			 const uint8_t *content, size_t bytes, size_t nr_literals);

/* kmt_frame_end() - after the last block. Return: bytes of the frame */
size_t kmt_frame_end(struct kmt_frame *frame);

/* Which of the repeated offsets it is, as what zstd calls an offset value; else itself and 3. */
static inline uint32_t kmt_frame_offset(uint32_t *repeats, uint32_t offset, uint32_t literals)
{
	uint32_t value;

	if (offset == repeats[0] && literals)
		return 1;
	if (offset == repeats[1])
		value = literals ? 2 : 1;
	else if (offset == repeats[2])
		value = literals ? 3 : 2;
	else
		value = offset + 3;
	if (offset != repeats[1])
		repeats[2] = repeats[1];
	repeats[1] = repeats[0];
	repeats[0] = offset;
	return value;
}

/* At least @room bytes are there at @from, and at least @nr. */
static inline void kmt_frame_copy(struct kmt_frame_block *block, const uint8_t *from, uint32_t nr,
				  size_t room)
{
	if (nr <= 16 && room >= 16)
		memcpy(block->literals, from, 16);
	else
		memcpy(block->literals, from, nr);
	block->literals += nr;
}

/**
 * kmt_frame_match() - @nr literals, and what is as the bytes @offset before
 * @from: the literals
 * @bytes: KMT_FRAME_MATCH_BYTES_MIN at least
 * @room: all that is in the chunk from the literals on
 */
static inline void kmt_frame_match(struct kmt_frame_block *block, const uint8_t *from, uint32_t nr,
				   uint32_t offset, uint32_t bytes, size_t room)
{
	uint64_t value = kmt_frame_offset(block->repeats, offset, nr);

	kmt_frame_copy(block, from, nr, room);
	*block->next++ = value | (uint64_t)nr << KMT_FRAME_NUMBER_BITS |
			 (uint64_t)bytes << 2 * KMT_FRAME_NUMBER_BITS;
}

#endif
