// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>
#include <zstd.h>

#include "period.h"

#define TIME_BYTES	   8u /* where a sub-buffer begins */
#define BLOCK_HEADER_BYTES 3u /* RFC 8878, 3.1.1.2 */
#define CHECKSUM_BYTES	   4u

static void put_head(uint8_t *to, const struct kmt_chunk_header *values)
{
	struct kmt_zstd_skippable skip = { kmt_put_le32(KMT_ZSTD_SKIPPABLE),
					   kmt_put_le32(sizeof(struct kmt_chunk_header)) };
	struct kmt_chunk_header header = *values;

	header.magic = kmt_put_le32(KMT_CHUNK_MAGIC);
	header.header_bytes = kmt_put_le32(sizeof(header));
	header.crc32c = kmt_put_le32(kmt_crc32c(&header, sizeof(header)));
	memcpy(to, &skip, sizeof(skip));
	memcpy(to + sizeof(skip), &header, sizeof(header));
}

void period_put_footer(uint8_t to[PERIOD_HEAD_BYTES], unsigned int cpu, uint32_t unit_bytes,
		       uint64_t sequence, uint64_t drained_ns, uint64_t raw_total)
{
	struct kmt_chunk_header header = {
		.kind = kmt_put_le32(KMT_CHUNK_FOOTER),
		.cpu = kmt_put_le32(cpu),
		.unit_bytes = kmt_put_le32(unit_bytes),
		.sequence = kmt_put_le64(sequence),
		.drained_ns = kmt_put_le64(drained_ns),
		.raw_total = kmt_put_le64(raw_total),
	};

	put_head(to, &header);
}

static int take_subbuf(void *context, const uint8_t *subbuf, uint64_t drained_ns,
		       struct kmt_err *err)
{
	struct period_chunk *chunk = context;
	uint64_t time_ns;

	if (chunk->raw_bytes + chunk->unit_bytes > KMT_CHUNK_RAW_BYTES_MAX ||
	    chunk->nr_subbufs == PERIOD_SUBBUFS_MAX)
		return kmt_fail(err, -EFBIG, "a period's chunk is too large");
	memcpy(&time_ns, subbuf, sizeof(time_ns));
	memcpy(chunk->raw + chunk->raw_bytes, subbuf, chunk->unit_bytes);
	chunk->time_ns[chunk->nr_subbufs++] = time_ns;
	chunk->raw_bytes += chunk->unit_bytes;
	chunk->drained_ns = drained_ns;
	return 0;
}

/* Nothing matches it, so that nothing behind it is made of it. */
static void put_time_like_no_other(struct period_chunk *chunk, size_t subbuf)
{
	uint64_t n = (subbuf + 1) * UINT64_C(0xd1342543de82ef95);

	n ^= n >> 29;
	n *= UINT64_C(0xbf58476d1ce4e5b9);
	memcpy(chunk->raw + subbuf * chunk->unit_bytes, &n, sizeof(n));
}

static int compress_part(ZSTD_CCtx *zstd, ZSTD_outBuffer *out, const void *bytes, size_t size,
			 ZSTD_EndDirective end)
{
	ZSTD_inBuffer in = { bytes, size, 0 };
	size_t left;

	do {
		left = ZSTD_compressStream2(zstd, out, &in, end);
		if (ZSTD_isError(left) || (left && out->pos == out->size))
			return -EIO;
	} while (left);
	return 0;
}

/* The block that ends at @end holds nothing but a time, as it is? */
static bool is_plain_time(const uint8_t *file, size_t end)
{
	const uint8_t *header = file + end - TIME_BYTES - BLOCK_HEADER_BYTES;

	return header[0] == TIME_BYTES << 3 && header[1] == 0 && header[2] == 0;
}

static int compress(struct period_chunk *chunk, ZSTD_CCtx *zstd, ZSTD_outBuffer *out)
{
	int r = 0;

	(void)ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, 1);
	(void)ZSTD_CCtx_setParameter(zstd, ZSTD_c_checksumFlag, 1);
	(void)ZSTD_CCtx_setPledgedSrcSize(zstd, chunk->raw_bytes);
	for (size_t i = 0; r == 0 && i < chunk->nr_subbufs; i++) {
		const uint8_t *subbuf = chunk->raw + i * chunk->unit_bytes;
		bool is_last = i + 1 == chunk->nr_subbufs;

		r = compress_part(zstd, out, subbuf, TIME_BYTES, ZSTD_e_flush);
		if (r == 0 && !is_plain_time(chunk->file, out->pos))
			return -EIO;
		chunk->time_at[i] = out->pos - TIME_BYTES;
		if (r == 0)
			r = compress_part(zstd, out, subbuf + TIME_BYTES,
					  chunk->unit_bytes - TIME_BYTES,
					  is_last ? ZSTD_e_end : ZSTD_e_flush);
	}
	chunk->file_bytes = out->pos;
	return r;
}

/* What comes out of the patched frame is the patched data, checksum included? */
static bool is_good(const struct period_chunk *chunk)
{
	uint8_t *back = malloc(chunk->raw_bytes);
	size_t n = back ? ZSTD_decompress(back, chunk->raw_bytes, chunk->file + PERIOD_HEAD_BYTES,
					  chunk->file_bytes - PERIOD_HEAD_BYTES)
			: 0;
	bool is_same = n == chunk->raw_bytes && memcmp(back, chunk->raw, n) == 0;

	free(back);
	return is_same;
}

int period_chunk_init(struct period_chunk *chunk, struct rings *rings, unsigned int cpu,
		      uint64_t round, struct kmt_err *err)
{
	ZSTD_outBuffer out = { .size = PERIOD_HEAD_BYTES + KMT_CHUNK_ZSTD_BYTES_MAX,
			       .pos = PERIOD_HEAD_BYTES };
	ZSTD_CCtx *zstd = ZSTD_createCCtx();
	int r;

	*chunk = (struct period_chunk){ .cpu = cpu, .unit_bytes = rings->layout->subbuf_bytes };
	chunk->raw = malloc(KMT_CHUNK_RAW_BYTES_MAX);
	chunk->file = out.dst = malloc(out.size);
	if (!chunk->raw || !chunk->file || !zstd)
		r = kmt_fail(err, -ENOMEM, "out of memory");
	else
		r = rings_run(rings, cpu, round, round + PERIOD_CHUNK_ROUNDS, take_subbuf, chunk,
			      err);
	for (size_t i = 0; r == 0 && i < chunk->nr_subbufs; i++)
		put_time_like_no_other(chunk, i);
	if (r == 0) {
		r = compress(chunk, zstd, &out);
		period_chunk_patch(chunk, 0, 1, 0);
		if (r < 0 || !is_good(chunk))
			r = kmt_fail(err, -EIO, "zstd doesn't leave the times alone");
	}
	(void)ZSTD_freeCCtx(zstd);
	return r;
}

void period_chunk_deinit(struct period_chunk *chunk)
{
	free(chunk->raw);
	free(chunk->file);
	*chunk = (struct period_chunk){ 0 };
}

void period_chunk_patch(struct period_chunk *chunk, uint64_t shift_ns, uint64_t sequence,
			uint64_t raw_before)
{
	struct kmt_chunk_header header = {
		.kind = kmt_put_le32(KMT_CHUNK_DATA),
		.cpu = kmt_put_le32(chunk->cpu),
		.unit_bytes = kmt_put_le32(chunk->unit_bytes),
		.sequence = kmt_put_le64(sequence),
		.drained_ns = kmt_put_le64(chunk->drained_ns + shift_ns),
		.raw_total = kmt_put_le64(raw_before + chunk->raw_bytes),
		.raw_bytes = kmt_put_le32((uint32_t)chunk->raw_bytes),
		.zstd_bytes = kmt_put_le32((uint32_t)(chunk->file_bytes - PERIOD_HEAD_BYTES)),
	};
	kmt_le32 checksum;

	for (size_t i = 0; i < chunk->nr_subbufs; i++) {
		uint64_t time_ns = chunk->time_ns[i] + shift_ns;

		memcpy(chunk->raw + i * chunk->unit_bytes, &time_ns, sizeof(time_ns));
		memcpy(chunk->file + chunk->time_at[i], &time_ns, sizeof(time_ns));
	}
	/* RFC 8878, 3.1.1: the lower half of XXH64 of what comes out. */
	checksum = kmt_put_le32((uint32_t)XXH64(chunk->raw, chunk->raw_bytes, 0));
	memcpy(chunk->file + chunk->file_bytes - CHECKSUM_BYTES, &checksum, CHECKSUM_BYTES);
	put_head(chunk->file, &header);
}
