/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_TAPE_RECORD_MATCHES_H
#define KMT_TAPE_RECORD_MATCHES_H

#include <stddef.h>
#include <stdint.h>

#include "kmemtape/cleanup.h"
#include "kmemtape/padding.h"

/*
 * Makes the zstd frame of a chunk: of where its bytes were before, but without zstd's own search.
 * Records repeat as wholes, but for the time and some bytes of an address, so that it is enough to
 * compare each with one before it. Any input is compressed right: what isn't equal is never taken
 * for a match.
 */
struct kmt_record_matches;

#define KMT_RECORD_MATCHES_UNIT_MAX (128u << 10) /* sub-buffers must fit into a block of zstd */

/**
 * kmt_record_matches_new() - all memory that is ever needed, touched
 * @unit_bytes: of a sub-buffer, at most KMT_RECORD_MATCHES_UNIT_MAX, a multiple of 32
 * @chunk_bytes: at most so many, up to KMT_FRAME_CHUNK_BYTES_MAX
 * @out: borrowed, where frames are made: not to be touched from the first sub-buffer of a chunk on
 * @room: there, ZSTD_compressBound(@chunk_bytes) and KMT_FRAME_SLACK_BYTES at least
 *
 * Return: NULL: out of memory.
 */
struct kmt_record_matches *kmt_record_matches_new(size_t unit_bytes, size_t chunk_bytes,
						  uint8_t *out, size_t room);
struct kmt_record_matches *kmt_record_matches_free(struct kmt_record_matches *matches);

KMT_DEFINE_FREEP(struct kmt_record_matches *, kmt_record_matches_free)

/**
 * kmt_record_matches_add() - one more sub-buffer
 * @chunk: 0 bytes or whole sub-buffers that were added already, and the one that is
 * @at: where that one begins; 0: a new chunk
 * @padding: which is cleared on the way, as by kmt_padding_clear(); NULL: unknown
 */
void kmt_record_matches_add(struct kmt_record_matches *matches, uint8_t *chunk, size_t at,
			    const struct kmt_padding *padding);

/**
 * kmt_record_matches_end() - all sub-buffers were added
 *
 * Return: bytes of the frame. 0: a chunk of other things, which is left to zstd.
 */
size_t kmt_record_matches_end(struct kmt_record_matches *matches);

#endif
